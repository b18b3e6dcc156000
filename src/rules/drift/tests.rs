use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::canon::{Hashed, tuple_leaves};

type Row = (u8, Option<u8>, u8);

fn hashed(rows: &[Row]) -> Hashed {
    let rows: Vec<_> = rows
        .iter()
        .map(|(metric, filter, value)| {
            let filter = filter.map(|filter| format!("f{filter}"));
            serde_json::json!({"metric_id": format!("m{metric}"), "dimension_filter_id": filter, "value": value})
        })
        .collect();
    tuple_leaves(serde_json::to_vec(&rows).expect("JSON")).expect("a set")
}

fn filed(hashed: &Hashed) -> FiledLeaves {
    let bytes = hashed.leaves.bytes.clone().expect("few");
    FiledLeaves {
        rows: i64::try_from(hashed.leaves.rows).expect("few"),
        sha256: Some(Digest::of(&bytes)),
        bytes: Some(bytes),
    }
}

fn told(publish: &[Row], source: &[Row]) -> Drift {
    let (publish, source) = (hashed(publish), hashed(source));
    let leaves = (filed(&publish), filed(&source));
    let known = |hashed: &Hashed, leaves| Known {
        tuple_hash: hashed.digest,
        leaves: Some(leaves),
    };
    explain(
        "pub-1",
        Known {
            ..known(&publish, &leaves.0)
        },
        Known {
            ..known(&source, &leaves.1)
        },
    )
}

#[test]
fn changed_added_and_vanished_cells_are_named_in_order() {
    let drift = told(
        &[(1, None, 1), (1, Some(2), 5), (3, None, 1), (9, None, 4)],
        &[(1, None, 1), (1, Some(2), 6), (2, Some(1), 1), (9, None, 4)],
    );
    assert_eq!(
        drift.counts,
        Some(Counts {
            cells: 5,
            changed: 1,
            added: 1,
            vanished: 1
        })
    );
    let named: Vec<_> = drift
        .named
        .iter()
        .map(|cell| {
            (
                cell.name(),
                cell.change,
                cell.publish_rows,
                cell.source_rows,
            )
        })
        .collect();
    assert_eq!(
        named,
        [
            ("m1/f2".to_owned(), CellChange::Changed, 1, 1),
            ("m2/f1".to_owned(), CellChange::Vanished, 0, 1),
            ("m3".to_owned(), CellChange::Added, 1, 0),
        ]
    );
    assert_eq!(
        drift.in_a_line(9),
        "3 of 5 leaves differ: m1/f2, m2/f1 (vanished), m3 (added)"
    );
    assert_eq!(drift.in_a_line(1), "3 of 5 leaves differ: m1/f2, …");
}

#[test]
fn a_key_that_comes_twice_is_one_cell_whatever_the_order_of_its_rows() {
    let drift = told(
        &[(1, None, 1), (1, None, 2), (2, None, 1), (2, None, 1)],
        &[(1, None, 2), (1, None, 1), (2, None, 1)],
    );
    let counts = drift.counts.expect("explained");
    assert_eq!(
        (counts.cells, counts.changed, counts.differing()),
        (2, 1, 1)
    );
    assert_eq!(drift.named[0].name(), "m2");
    assert_eq!(
        (drift.named[0].publish_rows, drift.named[0].source_rows),
        (2, 1)
    );
    assert_eq!(drift.in_a_line(3), "1 of 2 leaves differs: m2");
}

#[test]
fn what_the_leaves_do_not_prove_is_not_told() {
    let (one, other) = (hashed(&[(1, None, 1)]), hashed(&[(1, None, 2)]));
    let (good, there) = (filed(&one), filed(&other));
    let with = |leaves: Option<&FiledLeaves>| {
        let publish = Known {
            tuple_hash: one.digest,
            leaves,
        };
        let source = Known {
            tuple_hash: other.digest,
            leaves: Some(&there),
        };
        let drift = explain("pub-1", publish, source);
        (
            drift.unexplained.clone(),
            drift.counts.is_some(),
            drift.in_a_line(3),
        )
    };
    assert_eq!(with(Some(&good)).0, None);
    let too_large = FiledLeaves {
        sha256: None,
        bytes: None,
        ..good.clone()
    };
    let dropped = FiledLeaves {
        bytes: None,
        ..good.clone()
    };
    let altered = FiledLeaves {
        bytes: Some(b"govleaf1".to_vec()),
        ..good.clone()
    };
    let damaged = FiledLeaves {
        sha256: Some(Digest::of(b"govleaf1")),
        ..altered.clone()
    };
    for (leaves, why) in [
        (None, "no leaves of the publish side were filed"),
        (Some(&too_large), "take more than 64 MB and were not kept"),
        (Some(&dropped), "were dropped"),
        (Some(&altered), "no longer hash to what was filed"),
        (
            Some(&damaged),
            "are damaged: they do not begin as leaves do",
        ),
        (Some(&there), "belong to other rows than its tuple hash"),
    ] {
        let (found, counted, line) = with(leaves);
        let found = found.expect(why);
        assert!(found.contains(why) && !counted, "{found}");
        assert_eq!(line, format!("not explained: {found}"));
    }
    let same = Known {
        tuple_hash: one.digest,
        leaves: Some(&good),
    };
    let agreeing = explain("pub-1", same, same).unexplained.expect("no reason");
    assert!(agreeing.contains("agree, although"), "{agreeing}");
}

#[test]
fn only_the_first_thousand_are_named_and_all_are_counted() {
    let rows = |value: u8| -> String {
        let rows: Vec<_> = (0..1_500)
            .map(|n| serde_json::json!({"metric_id": format!("m{n:05}"), "v": value}))
            .collect();
        serde_json::to_string(&rows).expect("JSON")
    };
    let (publish, source) = (
        tuple_leaves(rows(1)).expect("a set"),
        tuple_leaves(rows(2)).expect("a set"),
    );
    let (ours, theirs) = (filed(&publish), filed(&source));
    let drift = explain(
        "pub-1",
        Known {
            tuple_hash: publish.digest,
            leaves: Some(&ours),
        },
        Known {
            tuple_hash: source.digest,
            leaves: Some(&theirs),
        },
    );
    assert_eq!(drift.counts.map(|counts| counts.changed), Some(1_500));
    assert_eq!(
        (drift.named.len(), drift.named[999].metric_id.as_str()),
        (1_000, "m00999")
    );
    let text = serde_json::to_string(&drift).expect("JSON");
    assert_eq!(
        serde_json::from_str::<Drift>(&text).expect("it reads back"),
        drift
    );
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    prop::collection::vec((0_u8..4, prop::option::of(0_u8..2), 0_u8..3), 1..12)
}

proptest! {
    /// The merge tells what a comparison of two maps of sorted rows tells.
    #[test]
    fn the_merge_agrees_with_maps(publish in rows(), source in rows()) {
        let map = |rows: &[Row]| {
            let mut cells: BTreeMap<(u8, Option<u8>), Vec<u8>> = BTreeMap::new();
            for (metric, filter, value) in rows {
                cells.entry((*metric, *filter)).or_default().push(*value);
            }
            for values in cells.values_mut() {
                values.sort_unstable();
            }
            cells
        };
        let (ours, theirs) = (map(&publish), map(&source));
        let mut counts = Counts::default();
        let keys: std::collections::BTreeSet<_> = ours.keys().chain(theirs.keys()).collect();
        for key in keys {
            counts.cells += 1;
            match (ours.get(key), theirs.get(key)) {
                (Some(a), Some(b)) => counts.changed += u64::from(a != b),
                (Some(_), None) => counts.added += 1,
                _ => counts.vanished += 1,
            }
        }
        let drift = told(&publish, &source);
        if counts.differing() == 0 {
            prop_assert!(drift.unexplained.is_some());
        } else {
            prop_assert_eq!(drift.counts, Some(counts));
        }
    }
}
