//! Whether a migration can still be taken back, until when, and what would break the way back first.

use serde::Serialize;

use super::{DICTIONARY, LONG_VIEW, Phase, Stand, WIDE_VIEW};
use crate::clock::Moment;
use crate::rules::people::Role;
use crate::rules::{Condition, Verdict, time};

/// The columns that identify a row of the dictionary.
pub const DICTIONARY_KEY: [&str; 2] = ["dictionary_metric_id", "dimension_filter_id"];

/// Something that was looked at, or could not be.
pub type Looked<T> = Result<T, String>;

/// What the way back of a migration rests on, as it was found.
#[derive(Debug, Clone)]
pub struct WayBackFacts<'a> {
    /// The time.
    pub now: Moment,
    /// Whether the database's clock was turned back behind its newest entry.
    pub clock_is_behind: bool,
    /// Where the migration stands.
    pub stand: Stand<'a>,
    /// The columns that go.
    pub legacy: Vec<&'a str>,
    /// The columns that the dictionary has.
    pub columns: Vec<&'a str>,
    /// Each view over the pairs, with whether it is as the expansion left it; none of one that is not there.
    pub views: Looked<Vec<(&'a str, bool)>>,
    /// The columns of the dictionary's primary key.
    pub key: Vec<String>,
    /// What the login of bundles may not alter.
    pub not_alterable: Looked<Vec<String>>,
    /// The rollback scripts of the expansion, each with whether it is there as it was filed.
    pub scripts: Looked<Vec<(String, bool)>>,
    /// The goldens of the replay, each with what is wrong with it.
    pub goldens: Looked<Vec<(String, Option<String>)>>,
}

/// Whether a migration can be taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reversible {
    /// Whether it can.
    pub verdict: Verdict,
    /// Until when; none where no time is set yet.
    pub until: Option<Moment>,
    /// The same in words.
    pub until_said: String,
    /// What breaks it first: what does not hold, else what ends it.
    pub breaks_first: String,
    /// Everything that it rests on.
    pub conditions: Vec<Condition>,
}

/// Tells whether a migration can be taken back, and what that rests on.
#[must_use]
pub fn reversible(facts: &WayBackFacts<'_>) -> Reversible {
    let conditions = vec![
        under_way(facts),
        legacy_columns(facts),
        views(facts),
        key(facts),
        list(
            "rights",
            Role::OpsLead,
            &facts.not_alterable,
            |it| Some(format!("may not alter {it}")),
            "the login of bundles may alter the dictionary and its views",
            "let the login of `bundle_dsn` be a member of whoever owns them",
        ),
        list(
            "rollback_script",
            Role::DataEngineer,
            &facts.scripts,
            |(path, is_there)| (!is_there).then(|| format!("{path} is not there as it was filed")),
            "the rollback scripts of the expansion are there, and hash as filed",
            "expand by a bundle; what was lost is restored from a backup: govdeck ledger verify",
        ),
        list(
            "goldens",
            Role::DataEngineer,
            &facts.goldens,
            |(file, wrong)| wrong.as_ref().map(|wrong| format!("{file}: {wrong}")),
            "the frozen goldens of the replay hash as filed",
            "restore the frozen files below the governance root, or replay anew: govdeck job replay",
        ),
    ];
    let verdict = Verdict::all(conditions.iter().map(|it| it.verdict));
    let (until, until_said) = until(&facts.stand);
    // What fails comes before what nobody can tell.
    let is = |verdict| move |it: &&Condition| it.verdict == verdict;
    let failed = conditions.iter().find(is(Verdict::Fail));
    let open = failed.or_else(|| conditions.iter().find(is(Verdict::CannotTell)));
    let breaks_first = match (open, until) {
        (Some(open), _) => format!("{}: {}", open.id, open.evidence),
        (None, Some(until)) => format!("the end of its watch at {}", time::to_the_minute(until)),
        (None, None) => "the end of its watch".to_owned(),
    };
    Reversible {
        verdict,
        until,
        until_said,
        breaks_first,
        conditions,
    }
}

impl Reversible {
    /// Says it in a line.
    #[must_use]
    pub fn said(&self) -> String {
        let first = &self.breaks_first;
        match self.verdict {
            Verdict::Pass => format!(
                "reversible until {}; what breaks it first: {first}",
                self.until_said
            ),
            Verdict::Fail => format!("NOT REVERSIBLE: {first}"),
            Verdict::CannotTell => format!("nobody can tell whether it is reversible: {first}"),
        }
    }
}

fn until(stand: &Stand<'_>) -> (Option<Moment>, String) {
    match (stand.phase, stand.closed, stand.watch_until) {
        (Phase::DualWrite | Phase::Cutover, None, _) => (
            None,
            "the end of its watch, which begins with its close".to_owned(),
        ),
        (Phase::Cutover, Some(_), Some(until)) => (Some(until), time::to_the_minute(until)),
        _ => (None, "-".to_owned()),
    }
}

fn condition(
    id: &'static str,
    owner: Role,
    verdict: Verdict,
    found: String,
    fix: &str,
) -> Condition {
    Condition {
        id,
        verdict,
        owner: owner.word().to_owned(),
        evidence: found,
        fix: fix.to_owned(),
    }
}

fn under_way(facts: &WayBackFacts<'_>) -> Condition {
    let stand = &facts.stand;
    let (verdict, found) = match (stand.phase, stand.closed, stand.watch_until) {
        (Phase::DualWrite | Phase::Cutover, None, _) => {
            (Verdict::Pass, format!("it is in {}", stand.phase))
        }
        (Phase::Cutover, Some(_), Some(_)) if facts.clock_is_behind => (
            Verdict::CannotTell,
            "the database's clock is behind its newest entry".to_owned(),
        ),
        (Phase::Cutover, Some(_), Some(until)) => (
            Verdict::of(facts.now <= until),
            format!("it is closed, and watched until {until}"),
        ),
        (Phase::Prepare, ..) => (
            Verdict::Fail,
            "it is in prepare: nothing is to be taken back yet".to_owned(),
        ),
        _ => (Verdict::Fail, format!("it ended in {}", stand.phase)),
    };
    let fix = "only what is in dual_write or cutover, or closed and still watched, is taken back";
    condition("taken_back", Role::GovernanceLead, verdict, found, fix)
}

fn legacy_columns(facts: &WayBackFacts<'_>) -> Condition {
    let gone: Vec<&str> = facts
        .legacy
        .iter()
        .copied()
        .filter(|it| !facts.columns.contains(it))
        .collect();
    let (verdict, found) = match (facts.legacy.len(), gone.as_slice()) {
        (0, _) => (Verdict::CannotTell, "no pair of columns is kept".to_owned()),
        (kept, []) => (
            Verdict::Pass,
            format!("{kept} of {kept} columns that go are still there"),
        ),
        (_, gone) => (Verdict::Fail, format!("gone: {}", gone.join(", "))),
    };
    let fix = "exporters that go back need them: add them again by a bundle, and fill them";
    condition("legacy_columns", Role::DataEngineer, verdict, found, fix)
}

fn views(facts: &WayBackFacts<'_>) -> Condition {
    let (verdict, found) = match &facts.views {
        Err(why) => (Verdict::CannotTell, why.clone()),
        Ok(views) => {
            let of = |name: &&str| views.iter().find(|view| view.0 == *name);
            let all = [WIDE_VIEW, LONG_VIEW];
            let gone: Vec<&str> = all.into_iter().filter(|name| of(name).is_none()).collect();
            let other: Vec<&str> = views.iter().filter(|it| !it.1).map(|it| it.0).collect();
            match (gone.as_slice(), other.as_slice()) {
                ([], []) => (
                    Verdict::Pass,
                    "both views stand as the expansion left them".to_owned(),
                ),
                ([], other) => (
                    Verdict::Fail,
                    format!("not as the expansion left it: {}", other.join(", ")),
                ),
                (gone, _) => (Verdict::Fail, format!("not there: {}", gone.join(", "))),
            }
        }
    };
    let fix = "expand the dictionary by a bundle: govdeck migration expand";
    condition("views", Role::DataEngineer, verdict, found, fix)
}

fn key(facts: &WayBackFacts<'_>) -> Condition {
    let found = match facts.key.as_slice() {
        [] => format!("{DICTIONARY} has no primary key"),
        key => format!("the primary key is {}", key.join(", ")),
    };
    let verdict = Verdict::of(facts.key == DICTIONARY_KEY);
    let fix = "restore the primary key over metric and filter";
    condition("key", Role::DataEngineer, verdict, found, fix)
}

/// Judges a list of which nothing may be wrong; nothing to look at is no pass where `looked` says so.
fn list<T>(
    id: &'static str,
    owner: Role,
    looked: &Looked<Vec<T>>,
    wrong: impl Fn(&T) -> Option<String>,
    fine: &str,
    fix: &str,
) -> Condition {
    let (verdict, found) = match looked {
        Err(why) => (Verdict::CannotTell, why.clone()),
        Ok(all) => {
            let wrong: Vec<String> = all.iter().filter_map(wrong).collect();
            if wrong.is_empty() {
                (Verdict::Pass, fine.to_owned())
            } else {
                (Verdict::Fail, wrong.join("; "))
            }
        }
    };
    condition(id, owner, verdict, found, fix)
}

#[cfg(test)]
mod tests;
