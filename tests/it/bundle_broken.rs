//! Bundles that one thing is wrong with, each with the reason that is found.

use serde_json::{Value, json};

use crate::support::bundles::{Draft, ID, digest};

pub const YML: &str = "migration.yml";
pub const PRE: &str = "baselines/pre.json";
pub const POST: &str = "baselines/post.json";
pub const DIFF: &str = "diffs/summary.json";
pub const RECEIPT: &str = "receipts/run_receipt.json";

/// Changes the declaration, and everything that the receipt says of it.
pub fn yml(old: &str, new: &str) -> Draft {
    Draft::valid().replacing(YML, old, new).with_receipt()
}

pub fn changed(path: &str, change: impl FnOnce(&mut Value)) -> Draft {
    Draft::valid().with_json(path, change).with_receipt()
}

pub fn receipt(change: impl FnOnce(&mut Value)) -> Draft {
    Draft::valid().with_json(RECEIPT, change)
}

/// A diff and a post baseline that fit each other.
pub fn observed(tables: &[&str], indexes: i64, rows: u64) -> Draft {
    let draft = changed(DIFF, |diff| {
        diff["touched"]["tables"] = json!(tables);
        diff["table_count_touched"] = json!(tables.len());
        diff["index_count_delta"] = json!(indexes);
        diff["row_backfill"] = json!(rows);
    });
    let post = |post: &mut Value| post["object_counts"]["indexes"] = json!(3 + indexes);
    draft.with_json(POST, post).with_receipt()
}

pub fn irreversible() -> Draft {
    let draft = yml("requires_rollback: true", "requires_rollback: false");
    draft
        .replacing(
            YML,
            "  change_class: governance-critical",
            "  change_class: x\n  reference: \"decision 17\"",
        )
        .with_receipt()
}

pub fn with_pointer(change: impl FnOnce(&mut Value)) -> Draft {
    let mut draft = Draft::valid();
    let receipt = digest(&draft.files[RECEIPT]);
    let mut pointer = json!({
        "receipt_ref_version": "v1", "migration_id": ID, "run_id": "kfm://run/1", "receipt_uri": receipt,
        "receipt_digest": receipt, "validation_status": "pass",
    });
    change(&mut pointer);
    draft.put("receipts/receipt_ref.json", pointer.to_string());
    draft.without(RECEIPT)
}

/// Everything that one thing is wrong with, and what is found of it.
pub fn broken() -> Vec<(Draft, &'static str)> {
    let tables = [
        declarations,
        scripts,
        scopes,
        artefacts,
        observations,
        receipts,
    ];
    tables.into_iter().flat_map(|table| table()).collect()
}

/// Declarations that say one thing otherwise, and the reason that is found in `migration.yml`.
fn declarations() -> Vec<(Draft, &'static str)> {
    let long = "x".repeat(100_000);
    let id = "migration_id: PG-MIG-2026-02-28-01";
    let (rows, forward) = ("max_row_backfill: 10", "    - forward.sql");
    let limits = "limits:\n  max_table_count_touched: 1\n  max_index_count_delta: 2\n  max_row_backfill: 10\n";
    let shape = "declaration_invalid migration.yml";
    let yaml = "yaml_rejected migration.yml";
    let number = "limits_invalid migration.yml";
    let path = "path_escape migration.yml";
    let table = [
        ("intent:", "Intent:", shape),
        ("type: postgis", "type: mysql", shape),
        ("type: postgis", "type: search", shape),
        ("Add an index", &long, shape),
        (
            "requires_rollback: true",
            "requires_rollback: \"true\"",
            shape,
        ),
        ("tool: \"psql\" ", "tool: NO ", shape),
        ("    - KFM_DB_DSN_REF", "    - not a name", shape),
        ("pre: baselines/pre.json", "pre: baselines/post.json", shape),
        (id, "migration_id: PG-MIG-2026-02-30-01", shape),
        (rows, "max_row_backfill: 10\n  max_rows: 1", shape),
        ("type: postgis", "type: postgis\ntype: postgis", yaml),
        ("limits:", "limits: &limits", yaml),
        (rows, "max_row_backfill: -1", number),
        (rows, "max_row_backfill: 1.5", number),
        (rows, "max_row_backfill: 10.0", number),
        (rows, "max_row_backfill: 1e1", number),
        (rows, "max_row_backfill: \"10\"", number),
        (rows, "max_row_backfill: ten", number),
        (rows, "max_row_backfill: 1_0", number),
        (rows, "max_row_backfill: 0x10", number),
        (rows, "max_row_backfill: 99999999999999999999", number),
        (rows, "max_row_backfill: ~", number),
        (rows, "max_row_backfill: [1]", number),
        ("  max_row_backfill: 10\n", "", number),
        (limits, "", number),
        (limits, "limits: 7\n", number),
        (forward, "    - ../forward.sql", path),
        (forward, "    - /forward.sql", path),
        (forward, "    - \"..\\\\forward.sql\"", path),
        (forward, "    - \"C:/forward.sql\"", path),
        (forward, "    - \"forward.sql\\0\"", path),
        ("pre: baselines/pre.json", "pre: a/../../pre.json", path),
        (
            id,
            "migration_id: PG-MIG-2026-02-28-02",
            "migration_id_mismatch migration.yml",
        ),
        (
            "requires_rollback: true",
            "requires_rollback: false",
            "irreversible_without_approval migration.yml",
        ),
    ];
    let changed = table
        .into_iter()
        .map(|(old, new, found)| (yml(old, new), found));
    changed
        .chain([(Draft::valid().without(YML), shape)])
        .collect()
}

fn scripts() -> Vec<(Draft, &'static str)> {
    let replacing =
        |path: &str, old: &str, new: &str| Draft::valid().replacing(path, old, new).with_receipt();
    let unnamed = Draft::valid().without("rollback.sql");
    let unnamed = unnamed.replacing(YML, "  rollback:\n    - rollback.sql\n", "");
    vec![
        (
            Draft::valid().without("rollback.sql").with_receipt(),
            "rollback_missing rollback.sql",
        ),
        (
            replacing("rollback.sql", "DROP", "-- DROP"),
            "rollback_missing rollback.sql",
        ),
        (unnamed.with_receipt(), "rollback_missing migration.yml"),
        (
            Draft::valid().without("forward.sql").with_receipt(),
            "artifact_invalid forward.sql",
        ),
        (
            replacing("forward.sql", "CREATE", "/* CREATE"),
            "artifact_invalid forward.sql",
        ),
        (
            replacing("forward.sql", "CREATE", "-- \u{202e}\nCREATE"),
            "artifact_invalid forward.sql",
        ),
        (
            irreversible().without("notes.md"),
            "irreversible_without_approval notes.md",
        ),
        (
            replacing("notes.md", "slow", "slow; PGPASSWORD=hunter2"),
            "secret_found notes.md",
        ),
    ]
}

fn scopes() -> Vec<(Draft, &'static str)> {
    let tables = "  allowed_tables:\n    - parcels\n";
    vec![
        (
            yml(tables, "  allowed_tables: []\n"),
            "scope_not_enforceable migration.yml",
        ),
        (
            yml("    - parcels", "    - \"*\""),
            "scope_not_enforceable migration.yml",
        ),
        (
            yml("    - parcels", "    - parcels\n    - \"p%\""),
            "scope_not_enforceable migration.yml",
        ),
        (
            yml("    - parcels", "    - parcels\n    - AUTHORITY_SITES"),
            "scope_contradiction migration.yml",
        ),
        (
            yml("    - parcels", "    - parcels\n    - governance.x"),
            "scope_contradiction migration.yml",
        ),
        (
            yml("    - parcels", "    - parcels\n    - governance_ledger"),
            "scope_contradiction migration.yml",
        ),
        (
            yml("    - parcels", "    - parcels\n    - metric_dictionary"),
            "scope_contradiction migration.yml",
        ),
        (
            observed(&["public.roads"], 1, 0),
            "scope_violation diffs/summary.json",
        ),
        (
            observed(&["authority_sites"], 1, 0),
            "scope_violation diffs/summary.json",
        ),
        (
            observed(&["audit.parcels"], 1, 0),
            "scope_violation diffs/summary.json",
        ),
        (
            observed(&["public.Parcels"], 1, 0),
            "scope_violation diffs/summary.json",
        ),
        (
            observed(&["governance_ledger"], 1, 0),
            "scope_violation diffs/summary.json",
        ),
        (
            observed(&["public.metric_dictionary"], 1, 0),
            "protected_domain_changed diffs/summary.json",
        ),
    ]
}

/// A diff that says something else than the baselines, or more than the limits allow.
fn observations() -> Vec<(Draft, &'static str)> {
    let rows = |before: u64, after: u64| {
        let draft = Draft::valid().with_json(PRE, |pre| {
            pre["row_counts"] = json!({"public.parcels": before});
        });
        let after = json!({"public.parcels": after});
        draft
            .with_json(POST, |post| post["row_counts"] = after)
            .with_receipt()
    };
    let diff = |name: &str, value: Value| changed(DIFF, |diff| diff[name] = value);
    let post = |name: &str, value: Value| changed(POST, |post| post[name] = value);
    let counts =
        |tables: u64, indexes: u64| json!({"tables": tables, "indexes": indexes, "constraints": 5});
    let parcels = ["public.parcels"];
    let (inconsistent, exceeded) = (
        "diff_inconsistent diffs/summary.json",
        "limit_exceeded diffs/summary.json",
    );
    vec![
        (diff("table_count_touched", json!(0)), inconsistent),
        (diff("index_count_delta", json!(2)), inconsistent),
        (post("object_counts", counts(7, 5)), inconsistent),
        (post("object_counts", counts(9, 4)), inconsistent),
        (post("schema_fingerprint", json!(digest(PRE))), inconsistent),
        (rows(10, 15), inconsistent),
        (
            with_objects()
                .with_json(DIFF, |diff| diff["touched"]["tables"] = json!(["x"]))
                .with_receipt(),
            inconsistent,
        ),
        (observed(&parcels, 3, 0), exceeded),
        (observed(&parcels, -3, 0), exceeded),
        (observed(&parcels, 1, 11), exceeded),
        (diff("row_backfill", json!(-11)), exceeded),
        (
            post("protected_domain_fingerprint", json!(digest("x"))),
            "protected_domain_changed baselines/post.json",
        ),
    ]
}

/// Baselines that list their objects, one of which is another one afterwards.
pub fn with_objects() -> Draft {
    let objects = |definition: &str| json!([{"kind": "index", "name": "public.i", "table": "public.parcels", "definition": digest(definition)}]);
    let draft = Draft::valid().with_json(PRE, |pre| pre["objects"] = objects("a"));
    draft
        .with_json(POST, |post| post["objects"] = objects("b"))
        .with_receipt()
}

fn artefacts() -> Vec<(Draft, &'static str)> {
    let pre = |change: &dyn Fn(&mut Value)| changed(PRE, |pre| change(pre));
    let twice = Draft::valid()
        .replacing(DIFF, "{", "{\"row_backfill\":0,")
        .with_receipt();
    let other = changed(DIFF, |diff| {
        diff["migration_id"] = json!("PG-MIG-2026-02-27-01");
    });
    vec![
        (
            Draft::valid().without(PRE).with_receipt(),
            "baseline_missing baselines/pre.json",
        ),
        (
            Draft::valid().without(POST).with_receipt(),
            "baseline_missing baselines/post.json",
        ),
        (
            Draft::valid().without(DIFF).with_receipt(),
            "diff_missing diffs/summary.json",
        ),
        (
            pre(&|pre| pre["x"] = json!(1)),
            "artifact_invalid baselines/pre.json",
        ),
        (
            pre(&|pre| pre["object_counts"]["tables"] = json!(-1)),
            "artifact_invalid baselines/pre.json",
        ),
        (
            pre(&|pre| pre["object_counts"]["tables"] = json!("7")),
            "artifact_invalid baselines/pre.json",
        ),
        (
            pre(&|pre| pre["schema_fingerprint"] = json!("sha256:ABC")),
            "digest_invalid baselines/pre.json",
        ),
        (
            changed(DIFF, |diff| diff["touched"] = json!([])),
            "artifact_invalid diffs/summary.json",
        ),
        (twice, "artifact_invalid diffs/summary.json"),
        (other, "migration_id_mismatch diffs/summary.json"),
    ]
}

fn receipts() -> Vec<(Draft, &'static str)> {
    let other = "PG-MIG-2026-02-27-01";
    vec![
        (
            Draft::valid().without(RECEIPT),
            "receipt_missing receipts/run_receipt.json",
        ),
        (
            Draft::valid().replacing(RECEIPT, "{", "["),
            "receipt_invalid receipts/run_receipt.json",
        ),
        (
            receipt(|r| r["run_type"] = json!("rollback")),
            "receipt_invalid receipts/run_receipt.json",
        ),
        (
            receipt(|r| r["actor"]["email"] = json!("a@b")),
            "receipt_invalid receipts/run_receipt.json",
        ),
        (
            receipt(|r| r["finished_at"] = json!("2026-03-01T18:29:59Z")),
            "receipt_invalid receipts/run_receipt.json",
        ),
        (
            receipt(|r| r["finished_at"] = json!("2026-02-30T18:29:59Z")),
            "receipt_invalid receipts/run_receipt.json",
        ),
        (
            receipt(|r| r["receipt_version"] = json!("v1")),
            "receipt_invalid receipts/run_receipt.json",
        ),
        (
            receipt(|r| r["outputs"] = json!([])),
            "receipt_invalid receipts/run_receipt.json",
        ),
        (
            receipt(|r| r["migration_id"] = json!(other)),
            "migration_id_mismatch receipts/run_receipt.json",
        ),
        (
            receipt(|r| r["inputs"][0]["digest"] = json!("sha256:abc")),
            "digest_invalid receipts/run_receipt.json",
        ),
        (
            receipt(|r| r["inputs"][0]["digest"] = json!(digest("x").to_uppercase())),
            "digest_invalid receipts/run_receipt.json",
        ),
        (
            receipt(|r| r["inputs"][0]["digest"] = json!(digest("x"))),
            "digest_mismatch receipts/run_receipt.json",
        ),
        (
            Draft::valid().replacing("forward.sql", "gist", "brin"),
            "digest_mismatch receipts/run_receipt.json",
        ),
        (
            receipt(|r| r["inputs"][0]["path"] = json!("../forward.sql")),
            "path_escape receipts/run_receipt.json",
        ),
        (
            receipt(|r| r["validation"]["status"] = json!("fail")),
            "validation_not_pass receipts/run_receipt.json",
        ),
        (
            receipt(|r| r["validation"]["checks"][1]["status"] = json!("fail")),
            "validation_not_pass receipts/run_receipt.json",
        ),
        (
            receipt(|r| r["validation"]["checks"] = json!([])),
            "validation_not_pass receipts/run_receipt.json",
        ),
        (
            with_pointer(|p| p["migration_id"] = json!(other)),
            "migration_id_mismatch receipts/receipt_ref.json",
        ),
        (
            with_pointer(|p| p["receipt_digest"] = json!("sha256:0")),
            "digest_invalid receipts/receipt_ref.json",
        ),
        (
            with_pointer(|p| p["receipt_digest"] = json!(digest("x"))),
            "digest_mismatch receipts/receipt_ref.json",
        ),
        (
            with_pointer(|p| p["receipt_uri"] = json!("not an address")),
            "receipt_invalid receipts/receipt_ref.json",
        ),
        (
            with_pointer(|p| p["validation_status"] = json!("fail")),
            "validation_not_pass receipts/receipt_ref.json",
        ),
    ]
}
