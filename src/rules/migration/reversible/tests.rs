//! What the way back rests on, each part of it wrong alone.

use super::*;

fn at(text: &str) -> Moment {
    text.parse().expect("a moment")
}

fn whole() -> WayBackFacts<'static> {
    WayBackFacts {
        now: at("2026-06-01T00:00:00Z"),
        clock_is_behind: false,
        stand: Stand {
            migration_id: "mig",
            from_semver: "2.4.0",
            to_semver: "2.4.1",
            phase: Phase::Cutover,
            since: at("2026-05-01T00:00:00Z"),
            closed: None,
            watch_until: None,
        },
        legacy: vec!["breach_count"],
        columns: vec!["dictionary_metric_id", "breach_count", "breachCount"],
        views: Ok(vec![(WIDE_VIEW, true), (LONG_VIEW, true)]),
        key: DICTIONARY_KEY.map(str::to_owned).to_vec(),
        not_alterable: Ok(Vec::new()),
        scripts: Ok(vec![("rollback.sql".to_owned(), true)]),
        goldens: Ok(vec![("leadership.csv".to_owned(), None)]),
    }
}

fn closed(until: &str) -> WayBackFacts<'static> {
    let facts = whole();
    WayBackFacts {
        stand: Stand {
            closed: Some(at("2026-05-20T00:00:00Z")),
            watch_until: Some(at(until)),
            ..facts.stand
        },
        ..facts
    }
}

#[test]
fn it_says_until_when_and_what_ends_it() {
    let open = reversible(&whole());
    assert_eq!(
        open.said(),
        "reversible until the end of its watch, which begins with its close; what breaks it first: the end of its watch"
    );
    let watched = reversible(&closed("2026-06-01T00:00:00Z"));
    assert_eq!(watched.until, Some(at("2026-06-01T00:00:00Z")));
    assert!(
        watched
            .said()
            .ends_with("the end of its watch at 2026-06-01 00:00Z")
    );
    let over = reversible(&closed("2026-05-31T23:59:59Z"));
    assert_eq!(
        (over.verdict, over.conditions[0].verdict),
        (Verdict::Fail, Verdict::Fail)
    );
    let behind = reversible(&WayBackFacts {
        clock_is_behind: true,
        ..closed("2026-06-01T00:00:00Z")
    });
    assert_eq!(behind.verdict, Verdict::CannotTell);
    for (phase, verdict) in [
        (Phase::Prepare, Verdict::Fail),
        (Phase::DualWrite, Verdict::Pass),
        (Phase::Cutover, Verdict::Pass),
        (Phase::Rollback, Verdict::Fail),
    ] {
        let facts = whole();
        let stand = Stand {
            phase,
            ..facts.stand
        };
        assert_eq!(
            reversible(&WayBackFacts { stand, ..facts }).verdict,
            verdict,
            "{phase}"
        );
    }
}

/// Breaks something of what is whole.
fn broken(by: impl FnOnce(&mut WayBackFacts<'static>)) -> WayBackFacts<'static> {
    let mut facts = whole();
    by(&mut facts);
    facts
}

fn nobody<T>() -> Looked<T> {
    Err("nobody could look".to_owned())
}

/// Each thing that may be wrong, alone, fails or cannot be told, and is what breaks it first.
#[test]
fn each_condition_breaks_it_alone() {
    use Verdict::{CannotTell, Fail};
    let text = str::to_owned;
    for (id, verdict, facts) in [
        (
            "legacy_columns",
            Fail,
            broken(|it| it.columns = vec!["breachCount"]),
        ),
        ("legacy_columns", CannotTell, broken(|it| it.legacy.clear())),
        (
            "views",
            Fail,
            broken(|it| it.views = Ok(vec![(WIDE_VIEW, true)])),
        ),
        (
            "views",
            Fail,
            broken(|it| it.views = Ok(vec![(WIDE_VIEW, true), (LONG_VIEW, false)])),
        ),
        ("views", CannotTell, broken(|it| it.views = nobody())),
        ("key", Fail, broken(|it| it.key.clear())),
        ("key", Fail, broken(|it| it.key.truncate(1))),
        (
            "rights",
            Fail,
            broken(|it| it.not_alterable = Ok(vec![text(WIDE_VIEW)])),
        ),
        (
            "rights",
            CannotTell,
            broken(|it| it.not_alterable = nobody()),
        ),
        (
            "rollback_script",
            Fail,
            broken(|it| it.scripts = Ok(vec![(text("rollback.sql"), false)])),
        ),
        (
            "rollback_script",
            CannotTell,
            broken(|it| it.scripts = nobody()),
        ),
        (
            "goldens",
            Fail,
            broken(|it| it.goldens = Ok(vec![(text("a.csv"), Some(text("other")))])),
        ),
        ("goldens", CannotTell, broken(|it| it.goldens = nobody())),
    ] {
        let found = reversible(&facts);
        assert_eq!(found.verdict, verdict, "{id}");
        let all = found.conditions.iter();
        let open: Vec<&str> = all
            .filter(|it| it.verdict != Verdict::Pass)
            .map(|it| it.id)
            .collect();
        assert_eq!(open, [id]);
        assert!(found.breaks_first.starts_with(id), "{}", found.breaks_first);
    }
}
