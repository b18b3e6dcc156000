//! Moves that one lead made alone and nobody has countersigned.

use super::rows::{Event, Migration};
use crate::rules::migration::{DeficiencyKind, MadeAlone};
use crate::store::view::{all_where, on, query_scalar};
use crate::store::{StoreError, View};

/// How many are read at most; the next look finds the others.
const MOST: i64 = 100;

/// A move that waits for a second person, as the rules look at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alone {
    /// The move.
    pub event: Event,
    /// How it stands.
    pub made: MadeAlone,
    /// Who has to see to it that somebody countersigns.
    pub owner: String,
}

/// Lists the moves that wait for a second person and are nobody's task yet, the earliest first.
pub async fn uncountersigned(view: &mut View) -> Result<Vec<Event>, StoreError> {
    Ok(all_where!(
        view,
        Event,
        "needs_countersign = TRUE AND countersigned_by IS NULL AND NOT EXISTS (SELECT 1 FROM deficiency d \
         WHERE d.kind = $1 AND d.migration_id = dictionary_migration_event.migration_id \
         AND d.subject = CAST(dictionary_migration_event.event_no AS TEXT)) ORDER BY happened_at_utc, migration_id, event_no LIMIT $2",
        DeficiencyKind::Countersign,
        MOST
    ))
}

/// Reads how a move of a migration stands; none where there is no such move.
pub async fn made_alone(
    view: &mut View,
    migration: &Migration,
    event_no: &str,
) -> Result<Option<Alone>, StoreError> {
    const TOLD: &str = "SELECT CAST(COUNT(*) AS BIGINT) FROM deficiency WHERE kind = $1 AND migration_id = $2 AND subject = $3";
    // Somebody who may countersign it, a lead first.
    const OTHER: &str = "SELECT r.person_id FROM person_role r JOIN person p ON p.person_id = r.person_id \
         WHERE r.role IN ('governance_lead', 'engineering_lead', 'ops_lead') AND r.active = TRUE AND p.active = TRUE AND p.kind = 'human' \
         AND r.person_id <> $1 ORDER BY CASE r.role WHEN 'governance_lead' THEN 0 WHEN 'engineering_lead' THEN 1 ELSE 2 END, r.person_id LIMIT 1";
    let id = &migration.migration_id;
    let events = super::looks::events(view, id).await?;
    let event = events
        .into_iter()
        .find(|it| it.event_no.to_string() == event_no);
    let Some(event) = event else { return Ok(None) };
    let told: i64 = on!(view, c => {
        query_scalar(TOLD).bind(DeficiencyKind::Countersign).bind(id).bind(event_no).fetch_one(c).await
    })?;
    let other: Option<String> = on!(view, c => {
        query_scalar(OTHER).bind(&event.moved_by).fetch_optional(c).await
    })?;
    Ok(Some(Alone {
        made: MadeAlone {
            at: event.happened_at_utc,
            waits: event.needs_countersign && event.countersigned_by.is_none(),
            is_told: told > 0,
        },
        owner: other.unwrap_or_else(|| event.moved_by.clone()),
        event,
    }))
}
