//! What the publish gate works on: runs, their audit, the routes of blocks.

use sqlx::FromRow;

use super::tables::governed;
use super::view::{on, query_as, query_scalar};
use super::{StoreError, View};
use crate::clock::Moment;
use crate::rules::block::{AuditStatus, BlockReason, SnapshotStatus, Standing, is_stale};

governed! {
    /// One publish attempt; a feed row until the gate has decided it.
    pub struct Snapshot in "publish_snapshots" keyed by (publish_run_id) {
        /// The run's id.
        pub publish_run_id: String,
        /// Dashboard and audience, as `dashboard/audience`.
        pub publish_scope: String,
        /// The freeze it belongs to.
        pub freeze_id: String,
        /// The lift it waits for.
        pub lift_id: String,
        /// The rehearsal it follows.
        pub dry_run_id: String,
        /// The hash of what would be published.
        pub publish_tuple_hash: Option<String>,
        /// The hash of the source as it was read.
        pub source_tuple_hash: Option<String>,
        /// The footer schema that the artefact carries.
        pub footer_schema_semver: Option<String>,
        /// The contract of the replay parser.
        pub replay_parser_contract: Option<String>,
        /// The epsilon policy it was minted under.
        pub epsilon_policy_version: Option<String>,
        /// Where the source is.
        pub source_ref: Option<String>,
        /// Where the artefact is.
        pub artifact_ref: Option<String>,
        /// When the source was read.
        pub source_observed_at_utc: Option<Moment>,
        /// The bypass recorded for it, if any; it never makes a run pass.
        pub freeze_bypass_id: Option<String>,
        /// Whether it is a drill.
        pub drill: bool,
        /// Where it stands.
        pub status: SnapshotStatus,
        /// Why it was stopped.
        pub block_reason: Option<BlockReason>,
        /// When it was minted.
        pub created_at_utc: Moment,
        /// When the gate decided.
        pub decided_at_utc: Option<Moment>,
        /// The row's version.
        pub version: i64,
    }
}

governed! {
    /// What the gate decided about a run, and what became of it.
    pub struct Audit in "publish_replay_audit" keyed by (publish_run_id) {
        /// The run's id.
        pub publish_run_id: String,
        /// The freeze it belongs to.
        pub freeze_id: String,
        /// The lift it waits for.
        pub lift_id: String,
        /// The rehearsal it follows.
        pub dry_run_id: String,
        /// The hash of what would be published.
        pub publish_tuple_hash: Option<String>,
        /// The hash of the source as it was read.
        pub source_tuple_hash: Option<String>,
        /// Where it stands.
        pub status: AuditStatus,
        /// The primary cause.
        pub block_reason: Option<BlockReason>,
        /// Further causes, as a JSON list.
        pub also: String,
        /// Who owns the block.
        pub owner_user_id: Option<String>,
        /// Who is paged when the owner does not answer.
        pub backup_owner_user_id: Option<String>,
        /// How many minutes the first response may take.
        pub sla_first_response_minutes: Option<i64>,
        /// Until when a first response is in time; none exactly when it never was a block.
        pub respond_by_utc: Option<Moment>,
        /// Who took it.
        pub taken_by: Option<String>,
        /// When.
        pub taken_at_utc: Option<Moment>,
        /// Who escalated it.
        pub escalated_by: Option<String>,
        /// When.
        pub escalated_at_utc: Option<Moment>,
        /// The later run that resolved it.
        pub resolution_id: Option<String>,
        /// The hash found after the edit was rolled back.
        pub rehash_sha256: Option<String>,
        /// When that was.
        pub rehash_at_utc: Option<Moment>,
        /// Whether it is a drill.
        pub drill: bool,
        /// When the gate decided; the SLA runs from here.
        pub created_at_utc: Moment,
        /// When the block ended.
        pub resolved_at_utc: Option<Moment>,
        /// The row's version.
        pub version: i64,
        /// When whoever works on it last said so. Images from before it was kept know no such thing.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub progress_at_utc: Option<Moment>,
        /// What they said.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub last_note: Option<String>,
    }
}

impl Audit {
    /// Tells whether somebody has taken it and shown no sign of work for too long.
    #[must_use]
    pub fn is_stale(&self, now: Moment) -> bool {
        let last_sign = self.progress_at_utc.or(self.taken_at_utc);
        last_sign
            .zip(self.sla_first_response_minutes)
            .is_some_and(|(last, minutes)| is_stale(last, minutes, now))
    }

    /// Returns how the block stands, for the rules.
    #[must_use]
    pub fn standing(&self) -> Standing<'_> {
        Standing {
            status: self.status,
            owner: self.owner_user_id.as_deref(),
            backup: self.backup_owner_user_id.as_deref(),
            taken_by: self.taken_by.as_deref(),
            escalated_by: self.escalated_by.as_deref(),
        }
    }
}

governed! {
    /// A recorded carve-out: shown loudly, and never a pass.
    pub struct FreezeBypass in "freeze_bypass" keyed by (freeze_bypass_id) {
        /// The bypass's id.
        pub freeze_bypass_id: String,
        /// The freeze it goes round.
        pub freeze_id: String,
        /// Why.
        pub reason: String,
        /// Who asked for it.
        pub requested_by: String,
        /// Who else agreed.
        pub approved_by: String,
        /// When.
        pub created_at_utc: Moment,
        /// Until when.
        pub expires_at_utc: Moment,
        /// The row's version.
        pub version: i64,
    }
}

governed! {
    /// The one current footer schema.
    pub struct FooterSchema in "footer_schema_registry" keyed by (slot) {
        /// Always `current`.
        pub slot: String,
        /// The footer schema that artefacts must carry.
        pub current_semver: String,
        /// Since when.
        pub updated_at_utc: Moment,
        /// By whom.
        pub updated_by_user_id: String,
        /// The row's version.
        pub version: i64,
    }
}

/// Finds a run.
pub async fn snapshot(view: &mut View, run: &str) -> Result<Option<Snapshot>, StoreError> {
    let sql = format!(
        "SELECT {} FROM publish_snapshots WHERE publish_run_id = $1",
        Snapshot::COLUMNS.join(", ")
    );
    let found: Result<Option<Snapshot>, sqlx::Error> =
        on!(view, c => query_as(sqlx::AssertSqlSafe(sql)).bind(run).fetch_optional(c).await);
    found.map_err(|error| unreadable(run, error))
}

/// Lists the runs that publish a revision of a tuple, each with how it stands.
pub async fn runs_of_tuple(
    view: &mut View,
    tuple: &str,
    most: i64,
) -> Result<Vec<(String, SnapshotStatus)>, StoreError> {
    const SQL: &str = "SELECT publish_run_id, status FROM publish_snapshots WHERE publish_tuple_hash = $1 \
         ORDER BY publish_run_id DESC LIMIT $2";
    Ok(on!(view, c => query_as(SQL).bind(tuple).bind(most).fetch_all(c).await)?)
}

/// Says which run a pipeline wrote so that nothing can be decided on it; SQLite keeps any bytes as text.
fn unreadable(run: &str, error: sqlx::Error) -> StoreError {
    match error {
        sqlx::Error::ColumnDecode { index, source } => StoreError::unusable(
            format!(
                "publish_snapshots {run}: column {} cannot be read: {source}",
                index.trim_matches('"')
            ),
            "mint the run anew; if the gate has decided it already, run `govdeck ledger verify`",
        ),
        other => other.into(),
    }
}

/// Finds the newest run that passed, of the same dashboard and audience as another and minted after it.
pub async fn newest_passed_after(
    view: &mut View,
    run: &Snapshot,
) -> Result<Option<String>, StoreError> {
    const SQL: &str = "SELECT publish_run_id FROM publish_snapshots WHERE status = 'gate_passed' AND publish_scope = $1 \
         AND created_at_utc > $2 AND drill = $3 ORDER BY created_at_utc DESC, publish_run_id DESC LIMIT 1";
    Ok(on!(view, c => {
        query_scalar(SQL).bind(&run.publish_scope).bind(run.created_at_utc).bind(run.drill).fetch_optional(c).await
    })?)
}

/// Finds the audit row of a run.
pub async fn audit(view: &mut View, run: &str) -> Result<Option<Audit>, StoreError> {
    let sql = format!(
        "SELECT {} FROM publish_replay_audit WHERE publish_run_id = $1",
        Audit::COLUMNS.join(", ")
    );
    Ok(on!(view, c => query_as(sqlx::AssertSqlSafe(sql)).bind(run).fetch_optional(c).await)?)
}

/// Lists the open blocks that press most, drills left out: what nobody has taken first, by when an answer is due.
pub async fn open_blocks(view: &mut View, most: i64) -> Result<Vec<Audit>, StoreError> {
    let sql = format!(
        "SELECT {} FROM publish_replay_audit WHERE status = 'blocked' AND drill = FALSE \
         ORDER BY is_taken, respond_by_utc, publish_run_id LIMIT $1",
        Audit::COLUMNS.join(", ")
    );
    Ok(on!(view, c => query_as(sqlx::AssertSqlSafe(sql)).bind(most).fetch_all(c).await)?)
}

/// How many runs stand where, drills left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromRow)]
pub struct Counts {
    /// Minted and not decided.
    pub pending: i64,
    /// Stopped and not ended.
    pub open: i64,
}

/// Counts the runs that wait and the blocks that are open.
pub async fn counts(view: &mut View) -> Result<Counts, StoreError> {
    const SQL: &str = "SELECT \
         (SELECT CAST(COUNT(*) AS BIGINT) FROM publish_snapshots WHERE status = 'pending_gate' AND drill = FALSE) AS pending, \
         (SELECT CAST(COUNT(*) AS BIGINT) FROM publish_replay_audit WHERE status = 'blocked' AND drill = FALSE) AS open";
    Ok(on!(view, c => query_as(SQL).fetch_one(c).await)?)
}

/// Tells whether a real run has passed the gate since a moment.
pub async fn passed_since(view: &mut View, since: Moment) -> Result<bool, StoreError> {
    const SQL: &str = "SELECT CAST(COUNT(*) AS BIGINT) FROM (SELECT 1 FROM publish_replay_audit WHERE block_reason IS NULL \
         AND drill = FALSE AND created_at_utc >= $1 LIMIT 1) AS passed";
    let found: i64 = on!(view, c => query_scalar(SQL).bind(since).fetch_one(c).await)?;
    Ok(found > 0)
}

/// Reads every footer schema that is registered as current; exactly one is right.
pub async fn registered_semvers(view: &mut View) -> Result<Vec<String>, StoreError> {
    const SQL: &str = "SELECT current_semver FROM footer_schema_registry ORDER BY current_semver";
    Ok(on!(view, c => query_scalar(SQL).fetch_all(c).await)?)
}

/// Reads the current footer schema; none before the first was registered.
pub async fn footer_schema(view: &mut View) -> Result<Option<FooterSchema>, StoreError> {
    const SQL: &str = "SELECT slot, current_semver, updated_at_utc, updated_by_user_id, version FROM footer_schema_registry";
    Ok(on!(view, c => query_as(SQL).fetch_optional(c).await)?)
}

/// Finds a bypass of a freeze.
pub async fn bypass(view: &mut View, id: &str) -> Result<Option<FreezeBypass>, StoreError> {
    const SQL: &str = "SELECT freeze_bypass_id, freeze_id, reason, requested_by, approved_by, created_at_utc, expires_at_utc, version \
         FROM freeze_bypass WHERE freeze_bypass_id = $1";
    Ok(on!(view, c => query_as(SQL).bind(id).fetch_optional(c).await)?)
}
