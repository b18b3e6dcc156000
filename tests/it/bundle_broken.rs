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
    let mut all = declarations();
    all.extend(scopes());
    all.extend(observations());
    all.extend(receipts());
    all
}

fn declarations() -> Vec<(Draft, &'static str)> {
    let long = "x".repeat(100_000);
    vec![
        (
            Draft::valid().without(YML),
            "declaration_invalid migration.yml",
        ),
        (
            yml("intent:", "Intent:"),
            "declaration_invalid migration.yml",
        ),
        (
            yml("type: postgis", "type: mysql"),
            "declaration_invalid migration.yml",
        ),
        (
            yml("type: postgis", "type: search"),
            "declaration_invalid migration.yml",
        ),
        (
            yml("Add an index", &long),
            "declaration_invalid migration.yml",
        ),
        (
            yml("requires_rollback: true", "requires_rollback: \"true\""),
            "declaration_invalid migration.yml",
        ),
        (
            yml("tool: \"psql\" ", "tool: NO "),
            "declaration_invalid migration.yml",
        ),
        (
            yml("    - KFM_DB_DSN_REF", "    - not a name"),
            "declaration_invalid migration.yml",
        ),
        (
            yml("pre: baselines/pre.json", "pre: baselines/post.json"),
            "declaration_invalid migration.yml",
        ),
        (
            yml(
                "migration_id: PG-MIG-2026-02-28-01",
                "migration_id: PG-MIG-2026-02-30-01",
            ),
            "declaration_invalid migration.yml",
        ),
        (
            yml("type: postgis", "type: postgis\ntype: postgis"),
            "yaml_rejected migration.yml",
        ),
        (
            yml("limits:", "limits: &limits"),
            "yaml_rejected migration.yml",
        ),
        (
            yml("max_row_backfill: 10", "max_row_backfill: -1"),
            "limits_invalid migration.yml",
        ),
        (
            yml("max_row_backfill: 10", "max_row_backfill: 1.5"),
            "limits_invalid migration.yml",
        ),
        (
            yml("max_row_backfill: 10", "max_row_backfill: 10.0"),
            "limits_invalid migration.yml",
        ),
        (
            yml("max_row_backfill: 10", "max_row_backfill: \"10\""),
            "limits_invalid migration.yml",
        ),
        (
            yml("max_row_backfill: 10", "max_row_backfill: ten"),
            "limits_invalid migration.yml",
        ),
        (
            yml("max_row_backfill: 10", "max_row_backfill: 1_0"),
            "limits_invalid migration.yml",
        ),
        (
            yml("max_row_backfill: 10", "max_row_backfill: 0x10"),
            "limits_invalid migration.yml",
        ),
        (
            yml(
                "max_row_backfill: 10",
                "max_row_backfill: 99999999999999999999",
            ),
            "limits_invalid migration.yml",
        ),
        (
            yml("max_row_backfill: 10", "max_row_backfill: ~"),
            "limits_invalid migration.yml",
        ),
        (
            yml("  max_row_backfill: 10\n", ""),
            "limits_invalid migration.yml",
        ),
        (
            yml(
                "limits:\n  max_table_count_touched: 1\n  max_index_count_delta: 2\n  max_row_backfill: 10\n",
                "",
            ),
            "limits_invalid migration.yml",
        ),
        (
            yml("    - forward.sql", "    - ../forward.sql"),
            "path_escape migration.yml",
        ),
        (
            yml("    - forward.sql", "    - /forward.sql"),
            "path_escape migration.yml",
        ),
        (
            yml("    - forward.sql", "    - \"..\\\\forward.sql\""),
            "path_escape migration.yml",
        ),
        (
            yml("    - forward.sql", "    - \"C:/forward.sql\""),
            "path_escape migration.yml",
        ),
        (
            yml("    - forward.sql", "    - \"forward.sql\\0\""),
            "path_escape migration.yml",
        ),
        (
            yml("pre: baselines/pre.json", "pre: a/../../pre.json"),
            "path_escape migration.yml",
        ),
        (
            yml(
                "migration_id: PG-MIG-2026-02-28-01",
                "migration_id: PG-MIG-2026-02-28-02",
            ),
            "migration_id_mismatch migration.yml",
        ),
        (
            Draft::valid().without("rollback.sql").with_receipt(),
            "rollback_missing rollback.sql",
        ),
        (
            Draft::valid()
                .replacing("rollback.sql", "DROP", "-- DROP")
                .with_receipt(),
            "rollback_missing rollback.sql",
        ),
        (
            Draft::valid()
                .without("rollback.sql")
                .replacing(YML, "  rollback:\n    - rollback.sql\n", "")
                .with_receipt(),
            "rollback_missing migration.yml",
        ),
        (
            Draft::valid().without("forward.sql").with_receipt(),
            "artifact_invalid forward.sql",
        ),
        (
            Draft::valid()
                .replacing("forward.sql", "CREATE", "/* CREATE")
                .with_receipt(),
            "artifact_invalid forward.sql",
        ),
        (
            Draft::valid()
                .replacing("forward.sql", "CREATE", "-- \u{202e}\nCREATE")
                .with_receipt(),
            "artifact_invalid forward.sql",
        ),
        (
            yml("requires_rollback: true", "requires_rollback: false"),
            "irreversible_without_approval migration.yml",
        ),
        (
            irreversible().without("notes.md"),
            "irreversible_without_approval notes.md",
        ),
        (
            Draft::valid().replacing("notes.md", "slow", "slow; PGPASSWORD=hunter2"),
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

fn observations() -> Vec<(Draft, &'static str)> {
    let objects = |index: &str| json!([{"kind": "index", "name": "public.i", "table": "public.parcels", "definition": digest(index)}]);
    let told = Draft::valid().with_json(PRE, |pre| pre["objects"] = objects("a"));
    let told = told.with_json(POST, |post| post["objects"] = objects("b"));
    let silent = told.clone().with_json(DIFF, |diff| {
        diff["touched"]["tables"] = json!(["public.other"]);
    });
    let rows = |before: u64, after: u64| {
        let draft = changed(PRE, |pre| {
            pre["row_counts"] = json!({"public.parcels": before})
        });
        draft
            .with_json(POST, |post| {
                post["row_counts"] = json!({"public.parcels": after})
            })
            .with_receipt()
    };
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
            changed(PRE, |pre| pre["x"] = json!(1)),
            "artifact_invalid baselines/pre.json",
        ),
        (
            changed(PRE, |pre| pre["object_counts"]["tables"] = json!(-1)),
            "artifact_invalid baselines/pre.json",
        ),
        (
            changed(PRE, |pre| pre["object_counts"]["tables"] = json!("7")),
            "artifact_invalid baselines/pre.json",
        ),
        (
            changed(PRE, |pre| pre["schema_fingerprint"] = json!("sha256:ABC")),
            "digest_invalid baselines/pre.json",
        ),
        (
            changed(DIFF, |diff| diff["touched"] = json!([])),
            "artifact_invalid diffs/summary.json",
        ),
        (
            Draft::valid()
                .replacing(DIFF, "{", "{\"row_backfill\":0,")
                .with_receipt(),
            "artifact_invalid diffs/summary.json",
        ),
        (
            changed(DIFF, |diff| {
                diff["migration_id"] = json!("PG-MIG-2026-02-27-01")
            }),
            "migration_id_mismatch diffs/summary.json",
        ),
        (
            changed(DIFF, |diff| diff["table_count_touched"] = json!(0)),
            "diff_inconsistent diffs/summary.json",
        ),
        (
            changed(DIFF, |diff| diff["index_count_delta"] = json!(2)),
            "diff_inconsistent diffs/summary.json",
        ),
        (
            changed(POST, |post| post["object_counts"]["indexes"] = json!(5)),
            "diff_inconsistent diffs/summary.json",
        ),
        (
            changed(POST, |post| post["object_counts"]["tables"] = json!(9)),
            "diff_inconsistent diffs/summary.json",
        ),
        (
            changed(POST, |post| post["schema_fingerprint"] = json!(digest(PRE))),
            "diff_inconsistent diffs/summary.json",
        ),
        (rows(10, 15), "diff_inconsistent diffs/summary.json"),
        (
            silent.with_receipt(),
            "diff_inconsistent diffs/summary.json",
        ),
        (
            observed(&["public.parcels"], 3, 0),
            "limit_exceeded diffs/summary.json",
        ),
        (
            observed(&["public.parcels"], -3, 0),
            "limit_exceeded diffs/summary.json",
        ),
        (
            observed(&["public.parcels"], 1, 11),
            "limit_exceeded diffs/summary.json",
        ),
        (
            changed(DIFF, |diff| diff["row_backfill"] = json!(-11)),
            "limit_exceeded diffs/summary.json",
        ),
        (
            changed(POST, |post| {
                post["protected_domain_fingerprint"] = json!(digest("x"))
            }),
            "protected_domain_changed baselines/post.json",
        ),
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
