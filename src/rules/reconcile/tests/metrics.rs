//! Every reason for a failing metric, the order of the walk, and the same answer from every way of writing the rows.

use std::str::FromStr;

use bigdecimal::BigDecimal;
use proptest::prelude::*;

use super::*;
use crate::canon::canonical;

#[test]
fn a_metric_passes_or_has_its_reason() {
    let long = "1234567890123456789012345678901234567890";
    let week = Week::of(
        &format!(
            "equal,1\nedge,-0.1\nover,0.3\nours,1\nunknown,5\nours-unknown,1\nlong,{long}.5\nzero,-0\n"
        ),
        &format!(
            "equal,1.00\nedge,0.2\nover,0.1\ntheirs,-1\nunknown,5\nlong,{long}.25\nzero,0.0\n"
        ),
        &[
            ("equal", "0"),
            ("edge", "0.30"),
            ("over", "0.1999999999999999999999999999999999999999"),
            ("ours", "1"),
            ("theirs", "9"),
            ("long", "0.2499999999999999999999999999999999999999"),
            ("zero", "0"),
            ("nobody", "1"),
        ],
    );
    let comparison = week.compared();
    assert_eq!(
        told(&comparison),
        [
            "edge -0.1 0.2 0.30 -0.3 -",
            "equal 1 1.00 0 0 -",
            &format!(
                "long {long}.5 {long}.25 0.2499999999999999999999999999999999999999 0.25 epsilon_exceeded"
            ),
            "ours 1 - 1 - missing_in_partner",
            "ours-unknown 1 - - - missing_in_partner",
            "over 0.3 0.1 0.1999999999999999999999999999999999999999 0.2 epsilon_exceeded",
            "theirs - -1 9 - missing_in_leadership",
            "unknown 5 5 - 0 epsilon_missing",
            "zero -0 0.0 0 0 -",
        ]
    );
    let totals = Totals {
        metrics: 9,
        passed: 3,
        failed: 6,
        epsilon_exceeded: 2,
        missing_in_partner: 2,
        missing_in_leadership: 1,
        epsilon_missing: 1,
        on_neither_side: 1,
    };
    assert_eq!(
        (comparison.totals(), comparison.verdict()),
        (totals, RunVerdict::Fail)
    );
}

#[test]
fn one_side_alone_fails_and_never_passes() {
    for (leadership, partner, reason) in [
        ("", "a,1\n", "missing_in_leadership"),
        ("a,1\n", "", "missing_in_partner"),
    ] {
        let comparison = Week::of(leadership, partner, &[("a", "99")]).compared();
        assert_eq!(comparison.verdict(), RunVerdict::Fail);
        assert!(told(&comparison)[0].ends_with(reason));
    }
}

#[test]
fn a_bypass_on_one_side_fails_whatever_the_metrics_say() {
    let with = |ours: Option<&str>, theirs: Option<&str>| {
        let mut week = Week::green();
        for (half, said) in [(&mut week.leadership, ours), (&mut week.partner, theirs)] {
            if let Some(said) = said {
                half.set("bypass_audit_id", said);
                half.set("parent_freeze_id", said);
            }
        }
        week.compared()
    };
    for said in [None, Some(NO_BYPASS), Some("BYP-9")] {
        let comparison = with(said, said);
        assert_eq!(
            (comparison.verdict(), comparison.lineage_fault()),
            (RunVerdict::Pass, None)
        );
    }
    for (ours, theirs) in [
        (Some("BYP-9"), None),
        (None, Some("BYP-9")),
        (Some("BYP-9"), Some(NO_BYPASS)),
    ] {
        let comparison = with(ours, theirs);
        assert_eq!(comparison.verdict(), RunVerdict::Fail);
        assert_eq!(comparison.totals().failed, 0);
        let fault = comparison.lineage_fault().expect("a fault");
        assert!(
            fault.contains("bypass_audit_id") && fault.contains("BYP-9"),
            "{fault}"
        );
    }
}

#[test]
fn the_worst_come_first() {
    let week = Week::of(
        "a,1.5\nb,3\nc,1\nd,9\ne,1\nf,2\n",
        "a,1\nb,1\nc,1\ne,0\nf,1\n",
        &[
            ("a", "1"),
            ("b", "0.5"),
            ("c", "0"),
            ("d", "1"),
            ("e", "0"),
            ("f", "0.25"),
        ],
    );
    let comparison = week.compared();
    // The list is three long: no epsilon at all, four, four; the missing one and those that pass come after.
    let ids: Vec<_> = comparison
        .worst()
        .iter()
        .map(|metric| metric.metric_id.as_str())
        .collect();
    assert_eq!(ids, ["e", "b", "f"]);
    let worst = &comparison.worst()[1];
    assert_eq!(worst.delta.as_deref(), Some("2"));
    assert_eq!(worst.reason, Some(MetricReason::EpsilonExceeded));

    let comparison =
        Week::of("a,1.5\nb,3\nz,1\n", "a,1\nb,1\n", &[("a", "1"), ("b", "9")]).compared();
    let ids: Vec<_> = comparison
        .worst()
        .iter()
        .map(|metric| metric.metric_id.as_str())
        .collect();
    assert_eq!(
        ids,
        ["z", "a", "b"],
        "failing without a number, then the nearest to the edge"
    );
}

fn diff(comparison: &Comparison) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut owner_of = |metric: &str| {
        (metric != "nobody's").then(|| Owner {
            owner: format!("owner-of-{metric}"),
            backup: (metric == "a").then(|| "backup \u{202e}".to_owned()),
        })
    };
    comparison
        .write_diff(&mut bytes, &mut owner_of)
        .expect("memory is patient");
    bytes
}

#[test]
fn the_diff_is_canonical_and_names_owners_of_what_fails() {
    let week = || {
        Week::of(
            "a,3\nb\u{1f}\u{202e}\\,1\n".replace('\u{1f}', "").as_str(),
            "a,1\nnobody's,0.50\n\"quo\"\"ted\n\",1\n",
            &[("a", "1")],
        )
    };
    let bytes = diff(&week().compared());
    assert_eq!(canonical(&bytes).expect("it is JSON"), bytes);
    assert_eq!(diff(&week().compared()), bytes);
    let document: serde_json::Value = serde_json::from_slice(&bytes).expect("it is JSON");
    assert_eq!(document["schema"], DIFF_SCHEMA);
    assert_eq!(document["run_verdict"], "FAIL");
    assert_eq!(document["terms"]["tuple_revision_hash"], "rev-17");
    assert_eq!(document["totals"]["missing_in_leadership"], 2);
    assert_eq!(
        document["metrics"],
        serde_json::json!([
            {"metric_id": "a", "leadership": "3", "partner": "1", "epsilon": "1", "delta": "2", "verdict": "FAIL",
             "reason": "epsilon_exceeded", "owner": "owner-of-a", "backup": "backup \u{202e}"},
            {"metric_id": "b\u{202e}\\", "leadership": "1", "partner": null, "epsilon": null, "delta": null, "verdict": "FAIL",
             "reason": "missing_in_partner", "owner": "owner-of-b\u{202e}\\", "backup": null},
            {"metric_id": "nobody's", "leadership": null, "partner": "0.50", "epsilon": null, "delta": null, "verdict": "FAIL",
             "reason": "missing_in_leadership", "owner": null, "backup": null},
            {"metric_id": "quo\"ted\n", "leadership": null, "partner": "1", "epsilon": null, "delta": null, "verdict": "FAIL",
             "reason": "missing_in_leadership", "owner": "owner-of-quo\"ted\n", "backup": null},
        ])
    );
    let green: serde_json::Value =
        serde_json::from_slice(&diff(&Week::green().compared())).expect("it is JSON");
    assert_eq!(
        green["metrics"][1],
        serde_json::json!({"metric_id": "b", "leadership": "2.50", "partner": "2", "epsilon": "0.5", "delta": "0.5",
                           "verdict": "PASS", "reason": null})
    );
}

#[test]
fn a_diff_of_many_metrics_is_written_in_pieces_and_whole() {
    let rows: Vec<_> = (0..5_000)
        .map(|number| format!("MET-{number:05},{number}.25"))
        .collect();
    let rows = rows.join("\n");
    let comparison = Week::of(&rows, &rows, &[]).compared();
    let bytes = diff(&comparison);
    assert!(bytes.len() > 200_000);
    assert_eq!(canonical(&bytes).expect("it is JSON"), bytes);
}

/// A week of 300 metrics, the sides and the policy each in their own order of numbers.
fn ordered(orders: [fn(u32) -> u32; 3], spoil: fn(u32) -> &'static str) -> Week {
    let rows = |order: fn(u32) -> u32, value: u32| -> String {
        let rows: Vec<_> = (0..300)
            .map(|place| {
                let number = order(place);
                let apart = if number.is_multiple_of(7) { value } else { 0 };
                format!("m{number},{}.5{}\n", number + apart, spoil(number))
            })
            .collect();
        rows.concat()
    };
    let mut week = Week::of(&rows(orders[0], 0), &rows(orders[1], 1), &[]);
    let epsilons: Vec<_> = (0..300)
        .map(|place| format!("\"m{}\":\"0.5\"", orders[2](place)))
        .collect();
    let epsilons = format!("\"epsilon\":{{{}}}", epsilons.join(","));
    week.policy = week.policy.replace("\"epsilon\":{}", &epsilons);
    week
}

/// Numbers in the order of their ids as texts: 0, 1, 10, 100, 101, …
fn as_texts(place: u32) -> u32 {
    let mut numbers: Vec<u32> = (0..300).collect();
    numbers.sort_by_key(u32::to_string);
    numbers[place as usize]
}

const ORDERS: [fn(u32) -> u32; 4] = [
    as_texts,
    |place| place,
    |place| 299 - place,
    |place| place * 101 % 300,
];

#[test]
fn no_order_of_the_rows_changes_the_answer() {
    let plain = ordered([as_texts; 3], |_| "").compared();
    assert_eq!(plain.totals().epsilon_exceeded, 43);
    assert_eq!(plain.totals().metrics, 300);
    for leadership in ORDERS {
        for partner in ORDERS {
            for policy in ORDERS {
                let comparison = ordered([leadership, partner, policy], |_| "").compared();
                assert_eq!(told(&comparison), told(&plain));
                assert_eq!(comparison.totals(), plain.totals());
                assert_eq!(comparison.worst(), plain.worst());
            }
        }
    }
}

#[test]
fn no_order_of_the_rows_hides_a_fault() {
    for order in ORDERS {
        let spoilt = |number: u32| if number == 250 { "x" } else { "" };
        let reject = ordered([order, as_texts, order], spoilt).rejected();
        assert_eq!(reject.reason, RejectReason::ValueInvalid);
        assert_eq!(reject.file, "l.csv");
        let place = (0..300)
            .find(|place| order(*place) == 250)
            .expect("it is there");
        let (line, column) = (place as usize + 2, 11);
        assert_eq!(reject.fault.place, Place::At { line, column });

        let twice = |number: u32| if number == 250 { "\nm251,1" } else { "" };
        let reject = ordered([order, as_texts, order], twice).rejected();
        assert_eq!(reject.reason, RejectReason::DuplicateMetric);
        assert!(reject.fault.what.contains("\"m251\""), "{reject}");

        let mut week = ordered([as_texts, as_texts, order], |_| "");
        week.policy = week.policy.replace("\"m250\"", "\"m99\"");
        let reject = week.rejected();
        assert_eq!(reject.reason, RejectReason::EpsilonInvalid);
        assert!(
            reject.fault.what.contains("\"m99\" stands twice"),
            "{reject}"
        );
    }
}

/// The same rows as CSV in one order, with or without quotes, or as JSON.
fn half(party: Party, rows: &[(String, String)], form: u8) -> Half {
    let mut half = Half::of(party, "metric_id,value\r\n");
    if form == 0 {
        let rows: Vec<_> = rows
            .iter()
            .map(|(id, value)| serde_json::json!({"value": value, "metric_id": id}))
            .collect();
        half.csv = serde_json::to_vec(&rows).expect("texts");
        half.rows = Rows::Json;
        return half;
    }
    for (id, value) in rows {
        let quoted = format!("\"{}\"", id.replace('"', "\"\""));
        let id = if form == 1 || id.contains(['"', ',', '\n']) {
            &quoted
        } else {
            id
        };
        half.add(&format!("{id},{value}\r\n"));
    }
    half
}

fn sides() -> impl Strategy<Value = BTreeMap<String, String>> {
    let id = "[ab\"\u{e9}]{1,3}|a[0-9]{1,2}|x,\ny";
    proptest::collection::btree_map(id, "-?(0|[1-9][0-9]{0,2}|9{40})(\\.[0-9]{1,3})?", 0..12)
}

/// Judges as the words of the specification say, with another library's decimals.
fn expected(
    ours: &BTreeMap<String, String>,
    theirs: &BTreeMap<String, String>,
    epsilons: &BTreeMap<String, String>,
) -> Vec<(String, Option<&'static str>)> {
    let number = |text: &String| BigDecimal::from_str(text).expect("a decimal");
    let ids: std::collections::BTreeSet<_> = ours.keys().chain(theirs.keys()).collect();
    let judged = |id: &String| {
        let reason = match (ours.get(id), theirs.get(id), epsilons.get(id)) {
            (_, None, _) => Some("missing_in_partner"),
            (None, _, _) => Some("missing_in_leadership"),
            (_, _, None) => Some("epsilon_missing"),
            (Some(ours), Some(theirs), Some(epsilon)) => {
                let breached = (number(ours) - number(theirs)).abs() > number(epsilon);
                breached.then_some("epsilon_exceeded")
            }
        };
        (id.clone(), reason)
    };
    ids.into_iter().map(judged).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_way_of_writing_the_rows_gives_the_same_answer(
        (ours, theirs, epsilons) in (sides(), sides(), sides()),
        turn in 0..12_usize,
        forms in (0..3_u8, 0..3_u8),
    ) {
        prop_assume!(!(ours.is_empty() && theirs.is_empty()));
        let epsilons: BTreeMap<_, _> = epsilons
            .into_iter()
            .map(|(id, value)| (id, value.trim_start_matches('-').to_owned()))
            .collect();
        let turned = |side: &BTreeMap<String, String>| {
            let mut rows: Vec<_> = side.clone().into_iter().collect();
            let by = turn % rows.len().max(1);
            rows.rotate_left(by);
            rows
        };
        let mut week = Week::of("", "", &[]);
        let epsilon_map = serde_json::to_string(&epsilons).expect("texts");
        week.policy = week.policy.replace("\"epsilon\":{}", &format!("\"epsilon\":{epsilon_map}"));
        week.leadership = half(Party::Leadership, &turned(&ours), forms.0);
        week.partner = half(Party::Partner, &turned(&theirs), forms.1);
        let comparison = week.compared();
        let mut walk = comparison.walk().expect("it was walked before");
        let mut found = Vec::new();
        while let Some(outcome) = walk.next_outcome().expect("it was walked before") {
            found.push((outcome.metric_id.to_string(), outcome.reason.map(MetricReason::word)));
        }
        let wanted = expected(&ours, &theirs, &epsilons);
        prop_assert_eq!(&found, &wanted);
        let passes = wanted.iter().all(|(_, reason)| reason.is_none());
        prop_assert_eq!(comparison.verdict() == RunVerdict::Pass, passes);
        let idle = epsilons.keys().filter(|id| !ours.contains_key(*id) && !theirs.contains_key(*id));
        prop_assert_eq!(comparison.totals().on_neither_side, idle.count() as u64);
    }
}
