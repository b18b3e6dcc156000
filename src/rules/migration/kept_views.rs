//! Whether a bundle's run would take away what the way back of a migration needs: the views over its pairs, and the columns
//! that go.
//!
//! They are needed from dual write on, until the watch after the close is over and one scheduled window more has gone by. It
//! makes no difference where the target of a bundle stands: in which database its names lie, only its run shows.

use super::{DICTIONARY, LONG_VIEW, Phase, Stand, WIDE_VIEW};
use crate::clock::Moment;
use crate::rules::bundle::{Baseline, Object};
use crate::rules::people::Role;
use crate::rules::{Condition, Verdict};

/// A migration whose way back may need the views.
#[derive(Debug, Clone)]
pub struct Needing<'a> {
    /// Where it stands.
    pub stand: Stand<'a>,
    /// The pairs that are kept.
    pub pairs: Vec<(&'a str, &'a str)>,
    /// How many minutes one scheduled window is; none where no series was ever registered.
    pub window_minutes: Option<i64>,
    /// Whether the scripts make both views anew, over these very pairs.
    pub is_expanded_anew: bool,
}

/// What a run would do to its target, as far as a plan or an earlier run has shown it.
#[derive(Debug, Clone, Copy)]
pub struct WouldDo<'a> {
    /// Whether what it changes is a database.
    pub is_sql: bool,
    /// Whether its declared scope names one of the views, or the dictionary.
    pub is_in_scope: bool,
    /// What the target looks like before.
    pub before: Option<&'a Baseline>,
    /// What it looks like after.
    pub after: Option<&'a Baseline>,
    /// The text of the scripts.
    pub scripts: &'a str,
}

impl Needing<'_> {
    /// Tells whether its way back is still open.
    #[must_use]
    pub fn needs_them(&self, now: Moment) -> bool {
        let stand = &self.stand;
        match (stand.phase, stand.closed) {
            (Phase::DualWrite | Phase::Cutover, None) => true,
            (Phase::Cutover, Some(_)) => match (stand.watch_until, self.window_minutes) {
                (Some(until), Some(window)) => now <= until.plus_minutes(window),
                _ => true,
            },
            _ => false,
        }
    }

    fn at(&self) -> String {
        let stand = &self.stand;
        match (stand.closed, stand.watch_until) {
            (Some(_), Some(until)) => {
                let one_more = "needed for one scheduled window more";
                format!(
                    "{} is watched until {until}, {one_more}",
                    stand.migration_id
                )
            }
            _ => format!("{} is in {}", stand.migration_id, stand.phase),
        }
    }
}

/// States that a run takes nothing away that the way back of a migration needs.
#[must_use]
pub fn leaves_the_way_back(needing: &[Needing<'_>], would: &WouldDo<'_>, now: Moment) -> Condition {
    let mut verdict = Verdict::Pass;
    let mut said = Vec::new();
    for one in needing.iter().filter(|one| one.needs_them(now)) {
        let (found, what) = of_one(one, would);
        if found != Verdict::Pass {
            said.push(format!("{}: {what}", one.at()));
            verdict = Verdict::all([verdict, found]);
        }
    }
    if said.is_empty() {
        said.push("nothing that a migration's way back needs is taken away".to_owned());
    }
    Condition {
        id: "way_back_kept",
        verdict,
        owner: Role::GovernanceLead.word().to_owned(),
        evidence: said.join("; "),
        fix: "wait until its watch is over and one scheduled window more has gone by, or take the migration back first"
            .to_owned(),
    }
}

fn of_one(one: &Needing<'_>, would: &WouldDo<'_>) -> (Verdict, String) {
    if !would.is_sql {
        return (Verdict::Pass, String::new());
    }
    let told = |side: Option<&Baseline>| side.is_some_and(|side| !side.objects.is_empty());
    let (Some(before), Some(after)) = (would.before, would.after) else {
        return not_seen(would);
    };
    if !(told(Some(before)) && told(Some(after))) {
        return not_seen(would);
    }
    let is_anew = one.is_expanded_anew
        && one.stand.phase == Phase::DualWrite
        && [WIDE_VIEW, LONG_VIEW]
            .iter()
            .all(|name| named(after, name).next().is_some());
    for name in [WIDE_VIEW, LONG_VIEW] {
        let gone = named(before, name).any(|it| !after.objects.contains(it));
        if gone && !is_anew {
            return (Verdict::Fail, format!("it drops or alters {name}"));
        }
    }
    let is_altered = named(before, DICTIONARY)
        .filter(|it| it.kind == "table")
        .any(|it| !after.objects.contains(it));
    let is_gone =
        named(before, DICTIONARY).next().is_some() && named(after, DICTIONARY).next().is_none();
    if is_gone {
        return (Verdict::Fail, format!("it drops {DICTIONARY}"));
    }
    let scripts = would.scripts.to_ascii_lowercase();
    let mut legacy = one.pairs.iter().map(|(legacy, _)| *legacy);
    let touched = legacy.find(|it| scripts.contains(&it.to_ascii_lowercase()));
    match touched.filter(|_| is_altered && !is_anew) {
        Some(column) => {
            let what =
                format!("it alters {DICTIONARY}, and its scripts name the column {column:?}");
            (Verdict::Fail, what)
        }
        None => (Verdict::Pass, String::new()),
    }
}

/// What nobody has seen may do anything that its scope allows.
fn not_seen(would: &WouldDo<'_>) -> (Verdict, String) {
    if would.is_in_scope {
        let what =
            "its scope has the views or the dictionary, and nobody has seen what it does there";
        return (Verdict::CannotTell, what.to_owned());
    }
    (Verdict::Pass, String::new())
}

/// Finds the objects of a name, in whatever schema they lie.
fn named<'a>(baseline: &'a Baseline, name: &'a str) -> impl Iterator<Item = &'a Object> {
    let is_it = move |object: &&Object| {
        let bare = object.name.rsplit('.').next();
        object.table.is_none() && bare.is_some_and(|bare| bare.eq_ignore_ascii_case(name))
    };
    baseline.objects.iter().filter(is_it)
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: &str = "2026-06-01T00:00:00Z";

    fn at(text: &str) -> Moment {
        text.parse().expect("a moment")
    }

    fn needing(phase: Phase, closed: bool) -> Needing<'static> {
        Needing {
            stand: Stand {
                migration_id: "mig",
                from_semver: "2.4.0",
                to_semver: "2.4.1",
                phase,
                since: at("2026-05-01T00:00:00Z"),
                closed: closed.then(|| at("2026-05-20T00:00:00Z")),
                watch_until: (closed && phase == Phase::Cutover).then(|| at(AT)),
            },
            pairs: vec![("breach_count", "breachCount")],
            window_minutes: Some(7 * 24 * 60),
            is_expanded_anew: false,
        }
    }

    fn baseline(objects: &[(&str, &str)]) -> Baseline {
        let object = |(name, definition): &(&str, &str)| Object {
            kind: if name.contains("dual_write") {
                "view"
            } else {
                "table"
            }
            .to_owned(),
            name: format!("public.{name}"),
            table: None,
            definition: (*definition).to_owned(),
        };
        Baseline {
            objects: objects.iter().map(object).collect(),
            ..Baseline::default()
        }
    }

    const ALL: [(&str, &str); 4] = [
        (DICTIONARY, "d"),
        (LONG_VIEW, "l"),
        (WIDE_VIEW, "w"),
        ("roads", "r"),
    ];

    fn judged(one: &Needing<'_>, after: &[(&str, &str)], scripts: &str, now: &str) -> Verdict {
        let (before, after) = (baseline(&ALL), baseline(after));
        let would = WouldDo {
            is_sql: true,
            is_in_scope: true,
            before: Some(&before),
            after: Some(&after),
            scripts,
        };
        leaves_the_way_back(std::slice::from_ref(one), &would, at(now)).verdict
    }

    #[test]
    fn they_are_needed_from_dual_write_to_one_window_after_the_watch() {
        let without = &ALL[..1];
        for (phase, closed, now, verdict) in [
            (Phase::Prepare, false, AT, Verdict::Pass),
            (Phase::DualWrite, false, AT, Verdict::Fail),
            (Phase::Cutover, false, AT, Verdict::Fail),
            (Phase::Cutover, true, AT, Verdict::Fail),
            (Phase::Cutover, true, "2026-06-08T00:00:00Z", Verdict::Fail),
            (Phase::Cutover, true, "2026-06-08T00:00:01Z", Verdict::Pass),
            (Phase::Rollback, true, AT, Verdict::Pass),
        ] {
            let one = needing(phase, closed);
            assert_eq!(
                judged(&one, without, "", now),
                verdict,
                "{phase} {closed} {now}"
            );
        }
        let unknown = Needing {
            window_minutes: None,
            ..needing(Phase::Cutover, true)
        };
        let late = "2027-01-01T00:00:00Z";
        assert_eq!(judged(&unknown, without, "", late), Verdict::Fail);
    }

    #[test]
    fn what_touches_neither_views_nor_legacy_columns_may_run() {
        let one = needing(Phase::DualWrite, false);
        let with = |place: usize, definition: &'static str| {
            let mut all = ALL;
            all[place].1 = definition;
            all
        };
        let drops = "ALTER TABLE x DROP COLUMN \"Breach_Count\"";
        for (after, scripts, verdict) in [
            (ALL, drops, Verdict::Pass),
            (with(3, "other"), drops, Verdict::Pass),
            (
                with(0, "other"),
                "ALTER TABLE x ADD COLUMN y TEXT",
                Verdict::Pass,
            ),
            (with(0, "other"), drops, Verdict::Fail),
            (with(1, "other"), "", Verdict::Fail),
            (with(2, "other"), "", Verdict::Fail),
        ] {
            assert_eq!(
                judged(&one, &after, scripts, AT),
                verdict,
                "{after:?} {scripts}"
            );
        }
        assert_eq!(
            judged(&one, &ALL[1..], "", AT),
            Verdict::Fail,
            "the table is gone"
        );
    }

    #[test]
    fn only_dual_write_expands_anew_and_only_whole() {
        let anew = |phase| Needing {
            is_expanded_anew: true,
            ..needing(phase, false)
        };
        let mut other = ALL;
        for one in other.iter_mut().take(3) {
            one.1 = "other";
        }
        let scripts = "breach_count";
        assert_eq!(
            judged(&anew(Phase::DualWrite), &other, scripts, AT),
            Verdict::Pass
        );
        assert_eq!(
            judged(&anew(Phase::Cutover), &other, scripts, AT),
            Verdict::Fail
        );
        assert_eq!(
            judged(&anew(Phase::DualWrite), &other[..2], scripts, AT),
            Verdict::Fail
        );
    }

    #[test]
    fn what_nobody_has_seen_is_no_pass_where_its_scope_reaches() {
        let one = needing(Phase::Cutover, false);
        let seen = baseline(&ALL);
        let nothing = Baseline::default();
        for (is_sql, is_in_scope, after, verdict) in [
            (true, true, None, Verdict::CannotTell),
            (true, true, Some(&nothing), Verdict::CannotTell),
            (true, false, None, Verdict::Pass),
            (false, true, None, Verdict::Pass),
            (true, true, Some(&seen), Verdict::Pass),
        ] {
            let would = WouldDo {
                is_sql,
                is_in_scope,
                before: Some(&seen),
                after,
                scripts: "",
            };
            let found = leaves_the_way_back(std::slice::from_ref(&one), &would, at(AT));
            assert_eq!(found.verdict, verdict, "{is_sql} {is_in_scope}");
            assert_eq!(
                found.evidence.contains("mig is in cutover"),
                verdict != Verdict::Pass
            );
        }
    }
}
