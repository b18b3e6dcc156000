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
        "reversible until it is closed, and its watch after that is over; what breaks it first: its close, which sets \
         the end of its watch"
    );
    let watched = reversible(&closed("2026-06-01T00:00:00Z"));
    assert_eq!(watched.until, Some(at("2026-06-01T00:00:00Z")));
    assert!(
        watched
            .said()
            .ends_with("the end of its watch at 2026-06-01T00:00:00.000000Z")
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

/// Each thing that may be wrong, alone, fails or cannot be told, and is what breaks it first.
#[test]
fn each_condition_breaks_it_alone() {
    use Verdict::{CannotTell, Fail};
    let unknown = || Err("nobody could look".to_owned());
    let gone: Looked<Vec<(&str, bool)>> = Ok(vec![(WIDE_VIEW, true)]);
    let cases: Vec<(&str, Verdict, WayBackFacts<'_>)> = vec![
        (
            "legacy_columns",
            Fail,
            WayBackFacts {
                columns: vec!["breachCount"],
                ..whole()
            },
        ),
        (
            "legacy_columns",
            CannotTell,
            WayBackFacts {
                legacy: Vec::new(),
                ..whole()
            },
        ),
        (
            "views",
            Fail,
            WayBackFacts {
                views: gone,
                ..whole()
            },
        ),
        (
            "views",
            Fail,
            WayBackFacts {
                views: Ok(vec![(WIDE_VIEW, true), (LONG_VIEW, false)]),
                ..whole()
            },
        ),
        (
            "views",
            CannotTell,
            WayBackFacts {
                views: unknown().map(|()| Vec::new()),
                ..whole()
            },
        ),
        (
            "key",
            Fail,
            WayBackFacts {
                key: Vec::new(),
                ..whole()
            },
        ),
        (
            "key",
            Fail,
            WayBackFacts {
                key: vec!["dictionary_metric_id".to_owned()],
                ..whole()
            },
        ),
        (
            "rights",
            Fail,
            WayBackFacts {
                not_alterable: Ok(vec![WIDE_VIEW.to_owned()]),
                ..whole()
            },
        ),
        (
            "rights",
            CannotTell,
            WayBackFacts {
                not_alterable: unknown().map(|()| Vec::new()),
                ..whole()
            },
        ),
        (
            "rollback_script",
            Fail,
            WayBackFacts {
                scripts: Ok(vec![("rollback.sql".to_owned(), false)]),
                ..whole()
            },
        ),
        (
            "rollback_script",
            CannotTell,
            WayBackFacts {
                scripts: unknown().map(|()| Vec::new()),
                ..whole()
            },
        ),
        (
            "goldens",
            Fail,
            WayBackFacts {
                goldens: Ok(vec![("a.csv".to_owned(), Some("other".to_owned()))]),
                ..whole()
            },
        ),
        (
            "goldens",
            CannotTell,
            WayBackFacts {
                goldens: unknown().map(|()| Vec::new()),
                ..whole()
            },
        ),
    ];
    for (id, verdict, facts) in cases {
        let found = reversible(&facts);
        assert_eq!(found.verdict, verdict, "{id}");
        let open: Vec<&str> = found
            .conditions
            .iter()
            .filter(|it| it.verdict != Verdict::Pass)
            .map(|it| it.id)
            .collect();
        assert_eq!(open, [id]);
        assert!(found.breaks_first.starts_with(id), "{}", found.breaks_first);
    }
}
