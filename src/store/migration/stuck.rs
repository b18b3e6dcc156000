//! What scans saw of a metric day by day, and who has to see to it.

use sqlx::{AssertSqlSafe, FromRow};

use super::looks;
use super::rows::Migration;
use crate::clock::Moment;
use crate::rules::migration::{DeficiencyKind, Gate, days, is_stuck};
use crate::rules::people::PersonKind;
use crate::store::view::{on, query_as, query_scalar};
use crate::store::{StoreError, View, person};

/// When scans last saw that a metric does not match, on each of the last days, and what was done about it.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Seen {
    /// The metric.
    pub metric_id: String,
    today: Option<Moment>,
    yesterday: Option<Moment>,
    before: Option<Moment>,
    closed: Option<Moment>,
    open: i64,
}

impl Seen {
    /// Tells whether it did not match on each of the days, since an earlier deficiency was closed.
    #[must_use]
    pub fn is_stuck(&self) -> bool {
        is_stuck(&[self.today, self.yesterday, self.before], self.closed)
    }

    /// Tells whether somebody has to see to it already.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.open > 0
    }
}

/// Reads what scans saw on the last days, of every metric or of one.
pub async fn seen(
    view: &mut View,
    migration: &str,
    metric: Option<&str>,
) -> Result<Vec<Seen>, StoreError> {
    let days = days(view.now());
    let begins = |back: usize| days.get(back).map(|(from, _)| *from);
    let (Some(today), Some(yesterday), Some(before)) = (begins(0), begins(1), begins(2)) else {
        return Ok(Vec::new());
    };
    let deficiencies = format!(
        "FROM deficiency d WHERE d.kind = '{}' AND d.migration_id = $1 AND d.subject = o.metric_id",
        DeficiencyKind::Mismatch
    );
    let sql = format!(
        "SELECT o.metric_id AS metric_id, MAX(CASE WHEN s.scanned_at_utc >= $2 THEN s.scanned_at_utc END) AS today, \
         MAX(CASE WHEN s.scanned_at_utc >= $3 AND s.scanned_at_utc < $2 THEN s.scanned_at_utc END) AS yesterday, \
         MAX(CASE WHEN s.scanned_at_utc < $3 THEN s.scanned_at_utc END) AS before, \
         (SELECT MAX(d.closed_at_utc) {deficiencies}) AS closed, \
         (SELECT CAST(COUNT(*) AS BIGINT) {deficiencies} AND d.closed_at_utc IS NULL) AS open \
         FROM dual_write_scan s JOIN dual_write_scan_metric o ON o.scan_id = s.scan_id \
         WHERE s.migration_id = $1 AND s.scanned_at_utc >= $4 AND o.metric_id = COALESCE($5, o.metric_id) \
         GROUP BY o.metric_id ORDER BY o.metric_id"
    );
    Ok(on!(view, c => {
        query_as(AssertSqlSafe(sql)).bind(migration).bind(today).bind(yesterday).bind(before).bind(metric).fetch_all(c).await
    })?)
}

/// Finds who has to see to what a gate is about: who answers for it, else somebody of its role, else who opened the
/// migration.
pub async fn answers_for(
    view: &mut View,
    migration: &Migration,
    gate: Gate,
) -> Result<String, StoreError> {
    const OF_ROLE: &str = "SELECT r.person_id FROM person_role r JOIN person p ON p.person_id = r.person_id \
         WHERE r.role = $1 AND r.active = TRUE AND p.active = TRUE AND p.kind = 'human' ORDER BY r.person_id LIMIT 1";
    if let Some(route) = looks::gate_owner(view, gate).await? {
        for id in [route.person_id, route.backup_id] {
            let found = person::find(view, &id).await?;
            if found.is_some_and(|it| it.active && it.kind == PersonKind::Human) {
                return Ok(id);
            }
        }
    }
    let of_role: Option<String> = on!(view, c => {
        query_scalar(OF_ROLE).bind(gate.role()).fetch_optional(c).await
    })?;
    Ok(of_role.unwrap_or_else(|| migration.opened_by.clone()))
}
