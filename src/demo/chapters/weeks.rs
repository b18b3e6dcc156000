//! Weekly reconciliation, an hour of the story a week: some fail, are remedied, and somebody signs what is green.

use std::fmt::Write as _;
use std::ops::Range;

use serde_json::json;

use crate::actions::Asked;
use crate::canon::Digest;
use crate::rules::dictionary::policy_document;
use crate::rules::week::{Pair, backtest};

use super::super::beat::{Beat, Deed, When};
use super::super::dice::Dice;
use super::dictionary;
use super::people::{BACKUP, LEAD, OPERATIONS, READY};

/// The series.
pub const SERIES: &str = "sla-weekly";
/// The policy that it is judged by.
const POLICY: &str = "epsilon-1";
/// When its first window is.
const FIRST: i64 = READY + 10 * MINUTE;
/// How many seconds lie between two windows.
const EVERY: i64 = 60 * MINUTE;
/// Every fourth window fails, never two in a row: red would hold the whole story.
const FAILS: i64 = 4;
/// After how many seconds nothing more happens to a window.
const LONGEST: i64 = EVERY;
/// Who signs.
pub const SIGNER: &str = "kim";

const MINUTE: i64 = 60;

const METRICS: &[&str] = &[
    "MET-0009", "MET-0031", "MET-0101", "MET-0144", "MET-0171", "MET-0190", "MET-0222", "MET-0301",
];

/// Tells of the windows whose time lies in these seconds, and of how it all began.
#[must_use]
pub fn beats(seed: u32, seconds: &Range<i64>) -> Vec<Beat> {
    let number = |second: i64| (second - FIRST).div_euclid(EVERY).max(0);
    let windows = (number(seconds.start - LONGEST)..=number(seconds.end + EVERY))
        .flat_map(|number| of_window(seed, number));
    let reason = "a week of the demo takes an hour of its clock";
    let beginning = beginning(FIRST, EVERY, reason);
    beginning.into_iter().chain(windows).collect()
}

/// In the first minute a series is registered, and two adopt its policy.
#[must_use]
pub fn beginning(first: i64, every: i64, reason: &'static str) -> Vec<Beat> {
    let pair = Pair {
        soft: "0.05".to_owned(),
        hard: "0.1".to_owned(),
        floor: "1".to_owned(),
    };
    let document = policy_document(POLICY, "2.9.0", &dictionary::first()).unwrap_or_default();
    let asked = Asked::of(POLICY)
        .with("document", String::from_utf8_lossy(&document))
        .with("release", dictionary::FIRST)
        .with("backtest", json!(backtest(&pair, &[])).to_string())
        .with("soft", pair.soft)
        .with("hard", pair.hard)
        .with("floor", pair.floor);
    let beat = |at, deed| Beat { at, deed };
    vec![
        beat(
            46,
            Deed::Dated {
                who: LEAD,
                verb: "register_series",
                asked: Asked::of(SERIES)
                    .with("every", (every / MINUTE).to_string())
                    .with("early", "5")
                    .with("grace", "20"),
                dates: vec![("first", first)],
                reason,
            },
        ),
        beat(
            48,
            Deed::Act {
                who: "ana",
                verb: "adopt_policy",
                asked,
                reason: "agreed with leadership and the partners last week",
                when: When::Always,
            },
        ),
        beat(
            52,
            Deed::Answer {
                who: LEAD,
                verb: "approve",
                about: POLICY.to_owned(),
                reason: "read it, these are the epsilons that we agreed on",
            },
        ),
    ]
}

fn of_window(seed: u32, number: i64) -> Vec<Beat> {
    let mut dice = Dice::of(seed, "weeks", number.unsigned_abs());
    let window = FIRST + number * EVERY;
    let fails = number % FAILS == 0;
    let beat = |at, deed| Beat { at, deed };
    let on_run = |who, verb, asked, reason| Deed::OnRun {
        who,
        verb,
        series: SERIES,
        window,
        asked,
        reason,
    };
    let planned = Deed::Plan {
        series: SERIES,
        window,
    };
    let mut beats = vec![
        beat((window - 30 * MINUTE).max(READY), planned),
        beat(
            window + dice.between(20, 90),
            Deed::Compare(manifest(seed, number, fails, &mut dice)),
        ),
    ];
    if fails {
        let evidence = Asked::default()
            .with("id", format!("rem-{:03}", number + 1))
            .with(
                "evidence",
                "the late partition was loaded, both sides read again",
            );
        let who = *dice.pick(&[BACKUP, OPERATIONS]).unwrap_or(&BACKUP);
        beats.push(beat(
            window + dice.between(12 * MINUTE, 30 * MINUTE),
            on_run(
                who,
                "attach_remediation",
                evidence,
                "the cause was found and mended",
            ),
        ));
    } else {
        beats.push(beat(
            window + dice.between(8 * MINUTE, 25 * MINUTE),
            on_run(
                SIGNER,
                "ack_run",
                Asked::default(),
                "read the report to its end, these are our numbers",
            ),
        ));
    }
    beats
}

/// Writes the manifest of a window, whose two sides are queries; in one that fails a metric lies too far apart.
pub fn manifest(seed: u32, number: i64, fails: bool, dice: &mut Dice) -> String {
    let wrong = dice.between(0, 7);
    let (mut leadership, mut partner) = (String::new(), String::new());
    for (place, metric) in (0..).zip(METRICS) {
        let value = dice.between(60_000, 99_000);
        let apart = if fails && place == wrong {
            dice.between(1_100, 3_000)
        } else {
            dice.between(-400, 700)
        };
        for (side, thousandths) in [(&mut leadership, value), (&mut partner, value - apart)] {
            let union = if side.is_empty() { "" } else { " UNION ALL " };
            let _ = write!(
                side,
                "{union}SELECT '{metric}' AS metric_id, '{}.{:03}' AS value",
                thousandths / 1_000,
                thousandths % 1_000
            );
        }
    }
    let day = |days: i64| {
        let date = chrono::NaiveDate::from_ymd_opt(2026, 1, 5).unwrap_or_default();
        format!("{}T00:00:00Z", date + chrono::TimeDelta::days(days))
    };
    let tuple = Digest::of(format!("week {seed} {number}").as_bytes());
    json!({
        "schema": "govdeck.reconcile-manifest.v1", "series": SERIES,
        "leadership": {"id": "leadership-rollup", "sql": leadership},
        "partner": {"id": "partner-annex", "sql": partner},
        "window": {"window_tz_policy": "UTC", "start_inclusive": day(number * 7), "end_exclusive": day(number * 7 + 7)},
        "tuple_revision_hash": tuple, "dictionary_semver": dictionary::FIRST, "epsilon_policy_version": POLICY,
        "contract_max_semver": "2.9.0", "footer_schema_semver": "2.4.0",
        "owners": {"default": {"owner": LEAD, "backup": BACKUP}, "metrics": {}},
        "protected": ["MET-0144", "MET-0171"],
    })
    .to_string()
}
