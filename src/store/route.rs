//! Who owns the blocks of each reason, and the changes of that.

use super::tables::governed;
use super::view::{on, one_where, query_as};
use super::{StoreError, View};
use crate::clock::Moment;
use crate::rules::block::BlockReason;
use crate::rules::people::Role;
use crate::rules::route::RouteChangeStatus;

governed! {
    /// Who owns the blocks of a reason.
    pub struct Route in "block_reason_owner_route" keyed by (block_reason) {
        /// The reason.
        pub block_reason: BlockReason,
        /// The role that typically owns it.
        pub owner_role: Role,
        /// The person who does.
        pub owner_user_id: String,
        /// Another person, paged when the owner does not answer.
        pub backup_owner_user_id: String,
        /// How many minutes the first response may take.
        pub sla_first_response_minutes: i64,
        /// When the route was last changed.
        pub updated_at_utc: Moment,
        /// By whom.
        pub updated_by_user_id: String,
        /// The row's version.
        pub version: i64,
    }
}

governed! {
    /// A change of route, which waits for a signer's ack.
    pub struct RouteChange in "route_change" keyed by (route_change_id) {
        /// The change's id.
        pub route_change_id: String,
        /// The reason whose route would change.
        pub block_reason: BlockReason,
        /// The proposed role.
        pub owner_role: Role,
        /// The proposed owner.
        pub owner_user_id: String,
        /// The proposed backup.
        pub backup_owner_user_id: String,
        /// The proposed limit in minutes.
        pub sla_first_response_minutes: i64,
        /// Who proposed it.
        pub proposed_by: String,
        /// When.
        pub proposed_at_utc: Moment,
        /// Pending, acked or declined.
        pub status: RouteChangeStatus,
        /// Who answered.
        pub acked_by: Option<String>,
        /// When.
        pub acked_at_utc: Option<Moment>,
        /// The row's version.
        pub version: i64,
    }
}

/// Reads the routes of all reasons.
pub async fn routes(view: &mut View) -> Result<Vec<Route>, StoreError> {
    let sql = format!(
        "SELECT {} FROM block_reason_owner_route ORDER BY block_reason",
        Route::COLUMNS.join(", ")
    );
    Ok(on!(view, c => query_as(sqlx::AssertSqlSafe(sql)).fetch_all(c).await)?)
}

/// Finds the route of a reason.
pub async fn route(view: &mut View, reason: BlockReason) -> Result<Option<Route>, StoreError> {
    Ok(one_where!(view, Route, "block_reason = $1", reason))
}

/// Finds a change of route.
pub async fn change(view: &mut View, id: &str) -> Result<Option<RouteChange>, StoreError> {
    let sql = format!(
        "SELECT {} FROM route_change WHERE route_change_id = $1",
        RouteChange::COLUMNS.join(", ")
    );
    Ok(on!(view, c => query_as(sqlx::AssertSqlSafe(sql)).bind(id).fetch_optional(c).await)?)
}

/// Lists the changes that wait for a signer, the oldest first.
pub async fn pending(view: &mut View) -> Result<Vec<RouteChange>, StoreError> {
    let sql = format!(
        "SELECT {} FROM route_change WHERE status = 'pending' ORDER BY proposed_at_utc, route_change_id",
        RouteChange::COLUMNS.join(", ")
    );
    Ok(on!(view, c => query_as(sqlx::AssertSqlSafe(sql)).fetch_all(c).await)?)
}
