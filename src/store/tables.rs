//! The one list of tables, and how a governed row is read, imaged and written.

mod row;
mod written;

use std::future::Future;
use std::pin::Pin;

use serde::Serialize;

pub(in crate::store) use written::{page_sql, write_sql};

use super::{StoreError, View};

/// A boxed future, for the few places where rows of different types meet in one list.
pub type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// How a table may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Through a sealed ledger entry only.
    Governed,
    /// The ledger's own tables: appended by the seal, never changed.
    Ledger,
    /// By pipelines, ETL and delivery; not in the ledger.
    Feed,
    /// govdeck's own bookkeeping.
    Bookkeeping,
}

/// One table, as the walls, the verification and the docs see it.
#[derive(Debug, Clone, Copy)]
pub struct Table {
    /// The table's name.
    pub name: &'static str,
    /// How it may be written.
    pub kind: Kind,
    /// The columns that identify a row, in order.
    pub key: &'static [&'static str],
    /// Further sets of columns that are unique, which REPLACE must not be able to use.
    pub unique: &'static [&'static [&'static str]],
    /// How a row of a governed table is born as a feed; none where its first entry makes it.
    pub feed: Option<Feed>,
}

/// A governed table whose rows are a feed's until their first entry: no entry holds what they were before.
#[derive(Debug, Clone, Copy)]
pub struct Feed {
    /// A condition on `NEW`/`OLD` under which a row is still the feed's.
    pub while_sql: &'static str,
    /// The columns that its first entry decides, each with what the constraints let it be before; none where it is NULL.
    pub undecided: &'static [(&'static str, Option<&'static str>)],
    /// The table whose new row of the same key tells in that entry what was found, and the columns that both hold.
    pub told_by: (&'static str, &'static [&'static str]),
}

impl Table {
    const fn new(name: &'static str, kind: Kind, key: &'static [&'static str]) -> Self {
        Self {
            name,
            kind,
            key,
            unique: &[],
            feed: None,
        }
    }
}

/// Every table, once.
pub const TABLES: &[Table] = &[
    Table {
        unique: &[&["ticket"], &["card_sha256"], &["prev_hash"], &["hash"]],
        ..Table::new("governance_ledger", Kind::Ledger, &["seq"])
    },
    Table::new(
        "ledger_change",
        Kind::Ledger,
        &["table_name", "row_key", "version"],
    ),
    Table::new("ledger_artifact", Kind::Ledger, &["seq", "role", "sha256"]),
    Table::new("artifact", Kind::Ledger, &["sha256"]),
    Table::new("ledger_head", Kind::Bookkeeping, &[]),
    Table::new("govdeck_migrations", Kind::Bookkeeping, &["version"]),
    Table::new("change_counter", Kind::Bookkeeping, &["slot"]),
    Table::new("demo_clock", Kind::Bookkeeping, &["slot"]),
    Table::new("deployment", Kind::Governed, &["deployment_id"]),
    Table {
        unique: &[&["login"]],
        ..Table::new("person", Kind::Governed, &["person_id"])
    },
    Table::new("person_role", Kind::Governed, &["person_id", "role"]),
    Table {
        unique: &[&["public_key"]],
        ..Table::new("person_key", Kind::Governed, &["fingerprint"])
    },
    Table::new("attestation_policy", Kind::Governed, &["action_class"]),
    Table {
        unique: &[&["card_sha256"]],
        ..Table::new("approval_request", Kind::Governed, &["ticket"])
    },
    Table::new("footer_schema_registry", Kind::Governed, &["slot"]),
    Table::new(
        "block_reason_owner_route",
        Kind::Governed,
        &["block_reason"],
    ),
    Table::new("route_change", Kind::Governed, &["route_change_id"]),
    Table::new("freeze_bypass", Kind::Governed, &["freeze_bypass_id"]),
    Table {
        feed: Some(Feed {
            while_sql: "status = 'pending_gate'",
            undecided: &[
                ("status", Some("pending_gate")),
                ("block_reason", None),
                ("decided_at_utc", None),
            ],
            told_by: (
                "publish_replay_audit",
                &[
                    "freeze_id",
                    "lift_id",
                    "dry_run_id",
                    "publish_tuple_hash",
                    "source_tuple_hash",
                    "status",
                    "block_reason",
                    "drill",
                ],
            ),
        }),
        ..Table::new("publish_snapshots", Kind::Governed, &["publish_run_id"])
    },
    Table::new("publish_replay_audit", Kind::Governed, &["publish_run_id"]),
    Table::new(
        "epsilon_policy",
        Kind::Governed,
        &["epsilon_policy_version"],
    ),
    Table::new("reconciliation_series", Kind::Governed, &["series_id"]),
    Table::new("reconciliation_window", Kind::Governed, &["job_run_id"]),
    Table {
        unique: &[&["second_run_id"]],
        ..Table::new("reconciliation_incident", Kind::Governed, &["incident_id"])
    },
    Table {
        unique: &[&["job_run_id"]],
        ..Table::new("bootstrap_declaration", Kind::Governed, &["series_id"])
    },
    Table::new("remediation_evidence", Kind::Governed, &["remediation_id"]),
    Table {
        unique: &[&["job_run_id"]],
        ..Table::new("override_packet", Kind::Governed, &["audit_id"])
    },
    Table::new("override_annex", Kind::Governed, &["annex_id"]),
    Table::new("signer_ack", Kind::Governed, &["job_run_id", "signer_id"]),
    Table::new(
        "signer_ack_revocation",
        Kind::Governed,
        &["job_run_id", "signer_id"],
    ),
    Table::new("run_manifest", Kind::Governed, &["job_run_id", "side"]),
    Table {
        unique: &[
            &["previous_semver"],
            &["document_sha256"],
            &["major", "minor", "patch", "pre"],
        ],
        ..Table::new("dictionary_release", Kind::Governed, &["dictionary_semver"])
    },
    Table::new("metric_dictionary", Kind::Governed, &["metric_id"]),
    Table::new(
        "bind_query",
        Kind::Governed,
        &["bind_query_id", "dictionary_semver"],
    ),
    Table::new("bind_proof", Kind::Governed, &["proof_id"]),
    Table::new("variance_check", Kind::Governed, &["variance_id"]),
    Table::new(
        "partner_annex_view",
        Kind::Governed,
        &["annex_view_version"],
    ),
    Table::new("faq_rows", Kind::Governed, &["faq_id"]),
    Table::new("bundle", Kind::Governed, &["migration_id"]),
    Table::new(
        "bundle_plan",
        Kind::Governed,
        &["migration_id", "environment"],
    ),
    Table {
        unique: &[&["approval_id"]],
        ..Table::new("bundle_run", Kind::Governed, &["run_id"])
    },
    Table {
        unique: &[&["from_semver", "to_semver", "attempt_no"]],
        ..Table::new(
            "dictionary_migration_state",
            Kind::Governed,
            &["migration_id"],
        )
    },
    Table::new(
        "dictionary_migration_event",
        Kind::Governed,
        &["migration_id", "event_no"],
    ),
    Table::new("gate_owner_route", Kind::Governed, &["gate"]),
    Table::new("migration_evidence", Kind::Governed, &["evidence_id"]),
    Table::new("gate_override", Kind::Governed, &["override_id"]),
    Table::new(
        "exporter_allowlist",
        Kind::Governed,
        &["migration_id", "phase"],
    ),
    Table::new(
        "allowlist_approval",
        Kind::Governed,
        &["migration_id", "phase", "allowlist_sha256", "approver_id"],
    ),
    Table::new("calendar_window", Kind::Governed, &["calendar_id"]),
    Table::new(
        "dictionary_column_pair",
        Kind::Governed,
        &["migration_id", "legacy_column"],
    ),
    Table::new(
        "protected_metric",
        Kind::Governed,
        &["migration_id", "metric_id"],
    ),
    Table::new("deficiency", Kind::Governed, &["deficiency_id"]),
    Table::new("exporter_fingerprint", Kind::Governed, &["fingerprint_id"]),
    Table::new("cutover_plan", Kind::Governed, &["migration_id"]),
    Table::new("cutover_hour", Kind::Governed, &["migration_id", "hour_no"]),
    Table::new(
        "cutover_step",
        Kind::Governed,
        &["migration_id", "hour_no", "step"],
    ),
    Table::new(
        "migration_signoff",
        Kind::Governed,
        &["migration_id", "job_run_id"],
    ),
    Table::new(
        "migration_complete_event",
        Kind::Governed,
        &["migration_id"],
    ),
    Table::new("redeploy_task", Kind::Governed, &["migration_id"]),
    Table::new(
        "migration_notice",
        Kind::Governed,
        &["migration_id", "kind"],
    ),
    Table {
        unique: &[&["publish_run_id", "mark", "since_utc"]],
        ..Table::new(
            "block_sla_mark",
            Kind::Governed,
            &["publish_run_id", "mark", "mark_no"],
        )
    },
    Table::new("drill_record", Kind::Governed, &["drill_id"]),
    Table::new("agent_lease", Kind::Bookkeeping, &["slot"]),
    Table::new("agent_job", Kind::Bookkeeping, &["job"]),
    Table::new("dual_write_walk", Kind::Bookkeeping, &["migration_id"]),
    Table::new(
        "notification_delivery",
        Kind::Feed,
        &["notification_id", "channel"],
    ),
    Table::new(
        "governance_metric_dictionary_current",
        Kind::Feed,
        &["dictionary_metric_id", "dimension_filter_id"],
    ),
    Table::new("dual_write_scan", Kind::Feed, &["scan_id"]),
    Table::new(
        "dual_write_scan_metric",
        Kind::Feed,
        &["scan_id", "metric_id", "owning_squad"],
    ),
    Table::new(
        "reconciliation_metric",
        Kind::Feed,
        &["job_run_id", "metric_id"],
    ),
    Table::new("publish_leaf", Kind::Feed, &["publish_run_id", "side"]),
    Table::new("presence", Kind::Feed, &["console_id"]),
    Table {
        unique: &[&["idempotency_key"]],
        ..Table::new("notification_outbox", Kind::Feed, &["notification_id"])
    },
];

/// Finds a table by its name.
#[must_use]
pub fn table(name: &str) -> Option<&'static Table> {
    TABLES.iter().find(|table| table.name == name)
}

/// Joins the parts of a key into the one text that the ledger knows a row by.
#[must_use]
pub fn row_key(parts: &[String]) -> String {
    parts.join("/")
}

/// Writes the SQL that makes a row's ledger key of its columns, each with `prefix` before it.
#[must_use]
pub fn row_key_sql(key: &[&str], prefix: &str) -> String {
    key.iter()
        .map(|column| format!("{prefix}{column}"))
        .collect::<Vec<_>>()
        .join(" || '/' || ")
}

/// A row of a governed table, ready to be written at its new version.
pub trait GovernedRow: std::fmt::Debug + Send + Sync {
    /// Returns the table's name.
    fn table(&self) -> &'static str;
    /// Returns the row's key in the ledger.
    fn key(&self) -> String;
    /// Returns the version that the row will have.
    fn version(&self) -> i64;
    /// Returns the row's canonical after-image.
    fn image(&self) -> Result<Vec<u8>, StoreError>;
    /// Writes the row: a new one at version 1, else over the version before; tells how many rows that hit.
    fn write<'a>(&'a self, view: &'a mut View) -> Boxed<'a, Result<u64, StoreError>>;
}

/// What stands in a decision card for a time that is known only when the write happens.
pub const WHEN_WRITTEN: &str = "(when written)";

/// Makes the canonical image of a row: its columns as a JSON object.
pub fn image_of<T: Serialize>(row: &T) -> Result<Vec<u8>, StoreError> {
    crate::canon::canonical_of(row).map_err(|error| {
        StoreError::new(
            super::Failure::Other,
            format!("a row has no canonical form: {error}"),
            "report this as a bug",
        )
    })
}

/// A page of a governed table: for each row its key, its version and its canonical image.
pub type ImagePage = Vec<(String, i64, Vec<u8>)>;

pub(in crate::store) use row::governed;

#[cfg(test)]
mod tests;
