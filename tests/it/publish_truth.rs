//! The truth table of the publish gate: every combination against the pure rule, and a sample through both databases.

use chrono::TimeDelta;
use govdeck::clock::Moment;
use govdeck::rules::block::{BlockReason, GateFacts, decide};

use crate::support::{World, on_both};

/// What may be wrong with a hash, and what may be right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hash {
    Absent,
    Empty,
    UpperCase,
    Short,
    One,
    Other,
}

/// How the source was read, seen from the snapshot and the decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Never,
    BeforeTheSnapshot,
    WithTheSnapshot,
    Fresh,
    Stale,
    Later,
}

const HASHES: [Hash; 6] = [
    Hash::Absent,
    Hash::Empty,
    Hash::UpperCase,
    Hash::Short,
    Hash::One,
    Hash::Other,
];
const SOURCES: [Source; 6] = [
    Source::Never,
    Source::BeforeTheSnapshot,
    Source::WithTheSnapshot,
    Source::Fresh,
    Source::Stale,
    Source::Later,
];
const FOOTERS: [Option<&str>; 4] = [None, Some(""), Some("v2.4.0"), Some("v2.4.1")];

impl Hash {
    fn text(self) -> Option<String> {
        match self {
            Self::Absent => None,
            Self::Empty => Some(String::new()),
            Self::UpperCase => Some("A".repeat(64)),
            Self::Short => Some("a".repeat(63)),
            Self::One => Some("a".repeat(64)),
            Self::Other => Some("b".repeat(64)),
        }
    }

    fn is_good(self) -> bool {
        matches!(self, Self::One | Self::Other)
    }
}

impl Source {
    /// Places the reading of the source around a snapshot of ten minutes ago and a decision now.
    fn observed(self, now: Moment) -> Option<Moment> {
        let at = |seconds: i64| {
            Some(Moment::from(
                now.as_datetime() + TimeDelta::seconds(seconds),
            ))
        };
        match self {
            Self::Never => None,
            Self::BeforeTheSnapshot => at(-601),
            Self::WithTheSnapshot => at(-600),
            Self::Fresh => at(-60),
            Self::Stale => at(-121),
            Self::Later => at(3_600),
        }
    }
}

/// What the specification says, written down apart from the rule.
fn wanted(
    publish: Hash,
    source: Hash,
    read: Source,
    footer: Option<&str>,
    registered: usize,
) -> Vec<&'static str> {
    let mut causes = Vec::new();
    if !publish.is_good() {
        causes.push("missing_publish_hash");
    }
    if !source.is_good() || read != Source::Fresh {
        causes.push("missing_source_hash");
    }
    if publish.is_good() && source.is_good() && publish != source {
        causes.push("tuple_drift");
    }
    if footer != Some("v2.4.0") || registered != 1 {
        causes.push("footer_schema_drift");
    }
    causes
}

#[test]
fn every_combination_has_its_causes_in_their_order() {
    let now: Moment = "2026-05-14T02:10:00Z".parse().expect("a moment");
    let minted = Moment::from(now.as_datetime() - TimeDelta::seconds(600));
    let current = "v2.4.0".to_owned();
    let (mut tried, mut passed) = (0, 0);
    for publish in HASHES {
        for source in HASHES {
            for read in SOURCES {
                for footer in FOOTERS {
                    for registry in [vec![], vec![current.clone()], vec![current.clone(); 2]] {
                        let (ours, theirs) = (publish.text(), source.text());
                        let decision = decide(&GateFacts {
                            publish_tuple_hash: ours.as_deref(),
                            source_tuple_hash: theirs.as_deref(),
                            footer_schema_semver: footer,
                            registered_semvers: &registry,
                            minted_at: minted,
                            source_observed_at: read.observed(now),
                            now,
                        });
                        let causes: Vec<_> =
                            decision.causes.iter().map(|cause| cause.word()).collect();
                        let expected = wanted(publish, source, read, footer, registry.len());
                        assert_eq!(
                            causes, expected,
                            "{publish:?} {source:?} {read:?} {footer:?} {registry:?}"
                        );
                        tried += 1;
                        passed += usize::from(causes.is_empty());
                    }
                }
            }
        }
    }
    assert_eq!((tried, passed), (6 * 6 * 6 * 4 * 3, 2));
}

/// Mints a run by plain SQL, as a pipeline could that knows nothing of govdeck.
fn mint(world: &World, run: &str, publish: Hash, source: Hash, read: Source, footer: Option<&str>) {
    let now = Moment::on_this_workstation();
    let minted = Moment::from(now.as_datetime() - TimeDelta::seconds(600));
    let text = |text: Option<String>| text.map_or("NULL".to_owned(), |text| format!("'{text}'"));
    let sql = format!(
        "INSERT INTO publish_snapshots (publish_run_id, publish_scope, freeze_id, lift_id, dry_run_id, publish_tuple_hash, \
         source_tuple_hash, footer_schema_semver, source_observed_at_utc, created_at_utc) VALUES \
         ('{run}', 'sla/partners', 'fz-31', 'lf-31', 'dr-31', {}, {}, {}, {}, '{minted}')",
        text(publish.text()),
        text(source.text()),
        text(footer.map(str::to_owned)),
        text(read.observed(now).map(|at| at.to_string())),
    );
    world
        .sql(&sql)
        .expect("a pipeline may write anything that waits");
}

/// Every third combination or so, chosen so that each value of each dimension comes up with each other's.
fn sample() -> Vec<(Hash, Hash, Source, Option<&'static str>)> {
    let mut all = Vec::new();
    for (p, publish) in HASHES.into_iter().enumerate() {
        for (s, source) in HASHES.into_iter().enumerate() {
            let read = SOURCES[(p + s) % SOURCES.len()];
            all.push((publish, source, read, FOOTERS[(p + 2 * s) % FOOTERS.len()]));
        }
    }
    all.push((Hash::One, Hash::One, Source::Fresh, Some("v2.4.0")));
    all.push((Hash::One, Hash::Other, Source::Fresh, Some("v2.4.0")));
    all.push((Hash::One, Hash::One, Source::Stale, Some("v2.4.0")));
    all.push((Hash::One, Hash::One, Source::Fresh, None));
    all
}

async fn decided(world: &World, run: &str, expected: &[&str]) {
    world.decide(run).await.expect("decided");
    let of = |column: &str| {
        world.owner_sql(&format!(
            "SELECT {column} FROM publish_replay_audit WHERE publish_run_id = '{run}'"
        ))
    };
    let also: Vec<String> = serde_json::from_str(&of("also")).expect("a list");
    let reason = of("COALESCE(block_reason, '')");
    let found: Vec<_> = [reason]
        .into_iter()
        .filter(|word| !word.is_empty())
        .chain(also)
        .collect();
    assert_eq!(found, expected, "{run}");
    let status = if expected.is_empty() {
        "gate_passed"
    } else {
        "blocked"
    };
    assert_eq!(of("status"), status);
}

on_both!(a_sample_of_the_table_holds_in_the_database, |world| {
    for (number, (publish, source, read, footer)) in sample().into_iter().enumerate().take(6) {
        let run = format!("early-{number}");
        mint(&world, &run, publish, source, read, footer);
        decided(&world, &run, &wanted(publish, source, read, footer, 0)).await;
    }
    world.register_footer().await;
    for (number, (publish, source, read, footer)) in sample().into_iter().enumerate() {
        let run = format!("pub-{number}");
        mint(&world, &run, publish, source, read, footer);
        decided(&world, &run, &wanted(publish, source, read, footer, 1)).await;
    }
    world.assert_sound().await;
});

on_both!(the_database_itself_passes_nothing_else, |world| {
    world.register_footer().await;
    // Past the walls, as only an owner can: the constraints still refuse what is not proven.
    for (number, (publish, source, read, footer)) in sample().into_iter().enumerate() {
        let causes = wanted(publish, source, read, footer, 1);
        let of_row = causes.iter().any(|cause| *cause != "footer_schema_drift")
            && read != Source::Stale
            && read != Source::Later;
        if !of_row {
            continue;
        }
        let run = format!("pub-{number}");
        mint(&world, &run, publish, source, read, footer);
        let pass = format!(
            "UPDATE publish_snapshots SET status = 'gate_passed', version = 1, decided_at_utc = created_at_utc WHERE publish_run_id = '{run}'"
        );
        let tampered = format!("{} {pass}", world.walls_away("publish_snapshots"));
        let refused = world.sql_as("maya", &format!("BEGIN; {tampered}; COMMIT"));
        assert!(
            refused.is_err_and(|error| error.contains("passed_has_equal_hashes")),
            "{run}"
        );
    }
});

#[test]
fn reasons_stand_in_their_order_of_precedence() {
    let words: Vec<_> = BlockReason::ALL
        .iter()
        .map(|reason| reason.word())
        .collect();
    assert_eq!(
        words,
        [
            "missing_publish_hash",
            "missing_source_hash",
            "tuple_drift",
            "footer_schema_drift"
        ]
    );
}
