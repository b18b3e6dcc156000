//! Proposals that need a second person.

use sqlx::FromRow;

use super::tables::governed;
use super::view::{on, query_as};
use super::{StoreError, View};
use crate::canon::Digest;
use crate::clock::Moment;
use crate::rules::approval::ApprovalStatus;
use crate::rules::people::{Attestation, Role};
use crate::rules::permission;

governed! {
    /// A proposal that waits, or waited, for its second person.
    pub struct ApprovalRequest in "approval_request" keyed by (ticket) {
        /// The ticket under which it will stand in the ledger when it is done.
        pub ticket: String,
        /// The verb of what is proposed.
        pub action: String,
        /// What kind of thing it is about.
        pub target_kind: String,
        /// Which one.
        pub target_id: String,
        /// At which version.
        pub target_version: i64,
        /// What is asked of the action, as canonical JSON.
        pub asked: String,
        /// The proposer's reason.
        pub reason: String,
        /// The hash of what the proposal rests on.
        pub state_hash: Digest,
        /// The decision card that both of them see.
        pub card_sha256: Digest,
        /// Who proposed it.
        pub proposed_by: String,
        /// How the proposer was known.
        pub attestation: Attestation,
        /// When.
        pub proposed_at_utc: Moment,
        /// Until when it waits.
        pub expires_at_utc: Moment,
        /// Where it stands.
        pub status: ApprovalStatus,
        /// Who ended it; nobody where a rule did.
        pub ended_by: Option<String>,
        /// When.
        pub ended_at_utc: Option<Moment>,
        /// Why it was not approved.
        pub ended_because: Option<String>,
        /// The row's version.
        pub version: i64,
        /// The roles that the two must hold between them, as canonical JSON. Images from before it was kept know no such thing.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub roles_needed: Option<String>,
    }
}

impl ApprovalRequest {
    /// Returns the roles that the two must hold between them; none where none were kept, or none that can be read.
    #[must_use]
    pub fn roles(&self) -> Option<Vec<Role>> {
        permission::roles_in(self.roles_needed.as_deref()?)
    }
}

const COLUMNS: &str = "ticket, action, target_kind, target_id, target_version, asked, reason, state_hash, card_sha256, \
     proposed_by, attestation, proposed_at_utc, expires_at_utc, status, ended_by, ended_at_utc, ended_because, version, roles_needed";

/// Finds a proposal by its ticket.
pub async fn find(view: &mut View, ticket: &str) -> Result<Option<ApprovalRequest>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM approval_request WHERE ticket = $1");
    Ok(on!(view, c => query_as(sqlx::AssertSqlSafe(sql)).bind(ticket).fetch_optional(c).await)?)
}

/// Lists what waits for a second person, whatever expires first first.
pub async fn waiting(view: &mut View, most: i64) -> Result<Vec<ApprovalRequest>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM approval_request WHERE status = 'waiting' ORDER BY expires_at_utc, ticket LIMIT $1"
    );
    Ok(on!(view, c => query_as(sqlx::AssertSqlSafe(sql)).bind(most).fetch_all(c).await)?)
}

/// A proposal that waits, and the entry that asked.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, FromRow)]
pub struct Waiting {
    /// The proposal.
    #[sqlx(flatten)]
    #[serde(flatten)]
    pub request: ApprovalRequest,
    /// The position of the entry that asked for the second person.
    pub asked_in: i64,
}

/// Lists what waits for a second person, and what expired after `since` without anybody's answer, in the order in which
/// it expires.
pub async fn inbox(view: &mut View, since: Moment, most: i64) -> Result<Vec<Waiting>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS}, COALESCE((SELECT c.seq FROM ledger_change c WHERE c.table_name = 'approval_request' \
         AND c.row_key = ticket AND c.version = 1), 0) AS asked_in FROM approval_request \
         WHERE status = 'waiting' AND expires_at_utc > $1 ORDER BY expires_at_utc, ticket LIMIT $2"
    );
    Ok(on!(view, c => {
        query_as(sqlx::AssertSqlSafe(sql)).bind(since).bind(most).fetch_all(c).await
    })?)
}

/// Lists the newest proposals, whatever became of them.
pub async fn newest(view: &mut View, most: i64) -> Result<Vec<ApprovalRequest>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM approval_request ORDER BY proposed_at_utc DESC, ticket LIMIT $1"
    );
    Ok(on!(view, c => query_as(sqlx::AssertSqlSafe(sql)).bind(most).fetch_all(c).await)?)
}

/// Finds the proposal that waits for the same thing already, if one does.
pub async fn waits_already(
    view: &mut View,
    action: &str,
    target_kind: &str,
    target_id: &str,
) -> Result<Option<ApprovalRequest>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM approval_request WHERE status = 'waiting' AND action = $1 AND target_kind = $2 AND target_id = $3"
    );
    Ok(on!(view, c => {
        query_as(sqlx::AssertSqlSafe(sql)).bind(action).bind(target_kind).bind(target_id).fetch_optional(c).await
    })?)
}
