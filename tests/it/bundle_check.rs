//! What a bundle's files must be: one that passes, and one thing after the other that is wrong with it.

use std::collections::{BTreeMap, BTreeSet};

use govdeck::rules::bundle::{
    Baseline, DiffSummary, Due, Kind, Object, ObjectCounts, Reason, judge,
};
use serde_json::json;

use crate::bundle_broken::{
    DIFF, PRE, RECEIPT, YML, broken, changed, irreversible, observed, receipt, with_objects,
    with_pointer, yml,
};
use crate::support::bundles::{Draft, ID};

#[test]
fn bundles_of_every_kind_pass() {
    for kind in Kind::ALL {
        let draft = Draft::of("X1-MIG-2026-02-28-01", *kind);
        let checked = draft.check(Due::Everything);
        assert_eq!(checked.findings, [], "{kind}");
        assert!(checked.declaration.is_some());
        assert_eq!(checked.steps.len(), 1);
    }
}

#[test]
fn before_the_run_only_the_scripts_are_due() {
    let mut draft = Draft::valid();
    draft.files.retain(|path, _| !path.contains('/'));
    assert_eq!(draft.check(Due::Scripts).findings, []);
    assert_eq!(
        draft.found(),
        [
            "baseline_missing baselines/post.json",
            "baseline_missing baselines/pre.json",
            "diff_missing diffs/summary.json",
            "receipt_missing receipts/run_receipt.json",
        ]
    );
}

#[test]
fn one_thing_that_is_wrong_is_one_reason() {
    for (draft, expected) in broken() {
        let found = draft.found();
        let findings = draft.check(Due::Everything).findings;
        assert!(
            found.iter().any(|found| found == expected),
            "{expected}: {findings:#?}"
        );
        let reasons: BTreeSet<_> = findings.iter().map(|finding| finding.reason).collect();
        // What stands upon it may follow: a file that is gone is listed in the receipt, a diff that claims too much breaks limits.
        assert!(reasons.len() <= 3, "{expected}: {findings:#?}");
    }
}

#[test]
fn every_reason_that_needs_no_folder_is_reached() {
    let reached: Vec<String> = broken()
        .iter()
        .flat_map(|(draft, _)| draft.found())
        .collect();
    for reason in Reason::ALL
        .iter()
        .filter(|reason| **reason != Reason::Symlink)
    {
        let word = format!("{reason} ");
        assert!(
            reached.iter().any(|found| found.starts_with(&word)),
            "{reason}"
        );
    }
}

#[test]
fn what_may_be_is_left_alone() {
    let drafts = [
        irreversible()
            .without("rollback.sql")
            .replacing(YML, "  rollback:\n    - rollback.sql\n", "")
            .with_receipt(),
        with_pointer(|_| {}),
        yml("tool: \"psql\" ", "tool: \"NO\" "),
        yml("tool: \"psql\" ", "tool: \"12:30\" "),
        yml("  environment:\n    - KFM_DB_DSN_REF\n", ""),
        yml("    - parcels", "    - public.parcels"),
        observed(&["parcels"], -2, 10),
        changed(PRE, |pre| pre["stats"] = json!({"bytes": 17})),
        receipt(|r| {
            let version = r
                .as_object_mut()
                .expect("fields")
                .remove("kfm_run_receipt_version");
            r["receipt_version"] = version.expect("it was there");
        }),
        receipt(|r| r["signature"] = json!("sha256:17")),
        with_objects(),
        yml("    - parcels", "    - metric_dictionary\n    - parcels")
            .replacing(
                YML,
                "governance-critical",
                "x\n  reference: \"decision 17\"",
            )
            .with_receipt(),
    ];
    for draft in drafts {
        assert_eq!(draft.check(Due::Everything).findings, []);
    }
}

#[test]
fn findings_show_hostile_text_and_no_secret() {
    let draft = Draft::valid()
        .replacing("notes.md", "slow", "slow, PASSWORD=tr0ub4dor")
        .with_json(RECEIPT, |r| r["migration_id"] = json!("\u{1b}[2J\u{202e}x"))
        .with_json(DIFF, |diff| {
            diff["touched"]["tables"] = json!(["a\u{1b}[31m\u{200b}"]);
        });
    let findings = draft.check(Due::Everything).findings;
    assert!(findings.len() > 3);
    for finding in &findings {
        let said = format!("{} {}", finding.path, finding.detail);
        assert!(!said.contains("tr0ub4dor"), "{said}");
        assert!(!said.contains(govdeck::rules::text::is_hostile), "{said}");
    }
}

#[test]
fn places_are_told_by_line_and_column() {
    let draft = yml("max_row_backfill: 10", "max_row_backfill: ten");
    let findings = draft.check(Due::Everything).findings;
    assert_eq!(findings.len(), 1);
    assert_eq!(
        findings[0].detail,
        "line 17, column 21: limits.max_row_backfill: expected a whole number"
    );
    let draft = yml("tool: \"psql\" ", "tool: NO ");
    let findings = draft.check(Due::Everything).findings;
    assert_eq!(
        findings[0].detail,
        "line 25, column 9: runner.tool: \"NO\" without quotes is no text for every reader of YAML; put it in quotes"
    );
}

#[test]
fn a_finding_repeats_no_secret_that_stands_where_a_name_does() {
    let draft = yml("type: postgis", "type: postgis\n\"password=tr0ub4dor\": x");
    let findings = draft.check(Due::Everything).findings;
    let reasons: Vec<_> = findings.iter().map(|finding| finding.reason).collect();
    assert_eq!(reasons, [Reason::DeclarationInvalid, Reason::SecretFound]);
    assert!(!format!("{findings:?}").contains("tr0ub4dor"));
}

/// A table with as many indexes.
fn table(name: &str, indexes: u64) -> Vec<Object> {
    let digest = |of: &str| crate::support::bundles::digest(of);
    let object = |kind: &str, name: String, table: Option<String>| Object {
        definition: digest(&name),
        kind: kind.to_owned(),
        name,
        table,
    };
    let index = |number| object("index", format!("{name}_{number}"), Some(name.to_owned()));
    let table = object("table", name.to_owned(), None);
    std::iter::once(table)
        .chain((0..indexes).map(index))
        .collect()
}

fn baseline(objects: Vec<Object>) -> Baseline {
    let count = |kind: &str| objects.iter().filter(|object| object.kind == kind).count() as u64;
    Baseline {
        object_counts: ObjectCounts {
            tables: count("table"),
            indexes: count("index"),
            constraints: 0,
        },
        schema_fingerprint: crate::support::bundles::digest(format!("{objects:?}")),
        protected_domain_fingerprint: crate::support::bundles::digest("protected"),
        objects,
        ..Baseline::default()
    }
}

#[test]
fn what_a_run_writes_is_judged_as_what_a_file_says() {
    let checked = Draft::valid().check(Due::Scripts);
    let declaration = checked.declaration.expect("a declaration");
    let pre = baseline([table("public.parcels", 1), table("audit.log", 1)].concat());
    let post = baseline([table("public.parcels", 2), table("audit.log", 1)].concat());
    let rows = BTreeMap::from([
        ("public.parcels".to_owned(), 10),
        ("public.other".to_owned(), 0),
    ]);
    let diff = DiffSummary::between(ID, &pre, &post, &rows);
    assert_eq!(diff.touched_tables, ["public.parcels"]);
    assert_eq!(
        (
            diff.table_count_touched,
            diff.index_count_delta,
            diff.row_backfill
        ),
        (1, 1, 10)
    );
    assert_eq!(judge(&declaration, &pre, &post, &diff), []);
    let mut draft = Draft::valid();
    draft.put(PRE, pre.bytes());
    draft.put("baselines/post.json", post.bytes());
    draft.put(DIFF, diff.bytes());
    assert_eq!(draft.with_receipt().found(), Vec::<String>::new());
    // An index that is gone from a table nobody spoke of, and a table that is new.
    let post = baseline(
        [
            table("public.parcels", 1),
            table("audit.log", 0),
            table("public.new", 0),
        ]
        .concat(),
    );
    let diff = DiffSummary::between(
        ID,
        &pre,
        &post,
        &BTreeMap::from([("public.parcels".to_owned(), 11)]),
    );
    assert_eq!(
        diff.touched_tables,
        ["audit.log", "public.new", "public.parcels"]
    );
    assert_eq!(diff.index_count_delta, -1);
    let reasons: Vec<_> = judge(&declaration, &pre, &post, &diff)
        .into_iter()
        .map(|finding| finding.reason)
        .collect();
    let (scope, limit) = (Reason::ScopeViolation, Reason::LimitExceeded);
    assert_eq!(reasons, [scope, scope, limit, limit]);
}
