//! What is read about migrations.

use super::rows::{
    Allowlist, AllowlistApproval, CalendarWindow, ColumnPair, Deficiency, Event, GateEvidence,
    GateOverride, GateOwner, Migration, ProtectedMetric,
};
use crate::rules::migration::{EvidenceKind, Gate, Phase};
use crate::store::view::{all_where, one_where};
use crate::store::{StoreError, View};

/// How many migrations are listed at most.
const LISTED: i64 = 200;

/// Finds a migration.
pub async fn find(view: &mut View, id: &str) -> Result<Option<Migration>, StoreError> {
    Ok(one_where!(view, Migration, "migration_id = $1", id))
}

/// Lists migrations, the newest first.
pub async fn listed(view: &mut View) -> Result<Vec<Migration>, StoreError> {
    Ok(all_where!(
        view,
        Migration,
        "version >= 1 ORDER BY opened_at_dt_utc DESC, migration_id DESC LIMIT $1",
        LISTED
    ))
}

/// Finds the migration that people look at first: what is under way, else what is prepared, else the newest.
pub async fn newest_open(view: &mut View) -> Result<Option<Migration>, StoreError> {
    Ok(one_where!(
        view,
        Migration,
        "version >= 1 ORDER BY CASE WHEN closed_at_dt_utc IS NOT NULL THEN 2 WHEN phase = 'prepare' THEN 1 ELSE 0 END, \
         opened_at_dt_utc DESC, migration_id DESC LIMIT 1"
    ))
}

/// Finds the one migration between dual write and its close.
pub async fn under_way(view: &mut View) -> Result<Option<Migration>, StoreError> {
    Ok(one_where!(
        view,
        Migration,
        "closed_at_dt_utc IS NULL AND phase IN ('dual_write', 'cutover')"
    ))
}

/// Lists the migrations, but one, that are under way or were closed and may still be watched.
pub(super) async fn others(view: &mut View, but: &str) -> Result<Vec<Migration>, StoreError> {
    Ok(all_where!(
        view,
        Migration,
        "migration_id <> $1 AND phase IN ('dual_write', 'cutover') ORDER BY opened_at_dt_utc DESC LIMIT 20",
        but
    ))
}

/// Lists the attempts at a way, the first first.
pub async fn attempts(view: &mut View, from: &str, to: &str) -> Result<Vec<Migration>, StoreError> {
    Ok(all_where!(
        view,
        Migration,
        "from_semver = $1 AND to_semver = $2 ORDER BY attempt_no",
        from,
        to
    ))
}

/// Lists the moves of a migration, the first first.
pub async fn events(view: &mut View, id: &str) -> Result<Vec<Event>, StoreError> {
    Ok(all_where!(
        view,
        Event,
        "migration_id = $1 ORDER BY event_no",
        id
    ))
}

/// Lists who answers for gates.
pub async fn gate_owners(view: &mut View) -> Result<Vec<GateOwner>, StoreError> {
    Ok(all_where!(view, GateOwner, "version >= 1 ORDER BY gate"))
}

/// Finds who answers for a gate.
pub async fn gate_owner(view: &mut View, gate: Gate) -> Result<Option<GateOwner>, StoreError> {
    Ok(one_where!(view, GateOwner, "gate = $1", gate))
}

/// Finds the newest evidence of a kind.
pub async fn evidence(
    view: &mut View,
    id: &str,
    kind: EvidenceKind,
) -> Result<Option<GateEvidence>, StoreError> {
    Ok(one_where!(
        view,
        GateEvidence,
        "migration_id = $1 AND gate = $2 ORDER BY observed_at_utc DESC, evidence_id DESC LIMIT 1",
        id,
        kind
    ))
}

/// Lists all evidence of a migration, the newest first.
pub async fn evidence_of(view: &mut View, id: &str) -> Result<Vec<GateEvidence>, StoreError> {
    Ok(all_where!(
        view,
        GateEvidence,
        "migration_id = $1 ORDER BY observed_at_utc DESC, evidence_id DESC LIMIT 500",
        id
    ))
}

/// Lists what two people let a migration pass, the newest first.
pub async fn overrides(view: &mut View, id: &str) -> Result<Vec<GateOverride>, StoreError> {
    Ok(all_where!(
        view,
        GateOverride,
        "migration_id = $1 ORDER BY granted_at_utc DESC, override_id",
        id
    ))
}

/// Finds the allow-list of a phase.
pub async fn allowlist(
    view: &mut View,
    id: &str,
    phase: Phase,
) -> Result<Option<Allowlist>, StoreError> {
    Ok(one_where!(
        view,
        Allowlist,
        "migration_id = $1 AND phase = $2",
        id,
        phase
    ))
}

/// Lists the allow-lists of a migration.
pub async fn allowlists(view: &mut View, id: &str) -> Result<Vec<Allowlist>, StoreError> {
    let mut lists: Vec<Allowlist> =
        all_where!(view, Allowlist, "migration_id = $1 ORDER BY phase", id);
    lists.sort_by_key(|list| list.phase);
    Ok(lists)
}

/// Lists who approved an allow-list, as it is now.
pub async fn approvals(
    view: &mut View,
    list: &Allowlist,
) -> Result<Vec<AllowlistApproval>, StoreError> {
    Ok(all_where!(
        view,
        AllowlistApproval,
        "migration_id = $1 AND phase = $2 AND allowlist_sha256 = $3 ORDER BY approved_at_utc, approver_id",
        &list.migration_id,
        list.phase,
        &list.allowlist_sha256
    ))
}

/// Lists the spans of the calendar that stand, in their order.
pub async fn calendar(view: &mut View) -> Result<Vec<CalendarWindow>, StoreError> {
    Ok(all_where!(
        view,
        CalendarWindow,
        "status = 'set' ORDER BY starts_at_utc, calendar_id"
    ))
}

/// Finds a span of the calendar.
pub async fn calendar_window(
    view: &mut View,
    id: &str,
) -> Result<Option<CalendarWindow>, StoreError> {
    Ok(one_where!(view, CalendarWindow, "calendar_id = $1", id))
}

/// Lists the pairs of a migration, those that were withdrawn too.
pub async fn pairs(view: &mut View, id: &str) -> Result<Vec<ColumnPair>, StoreError> {
    Ok(all_where!(
        view,
        ColumnPair,
        "migration_id = $1 ORDER BY legacy_column",
        id
    ))
}

/// Finds a pair.
pub async fn pair(
    view: &mut View,
    id: &str,
    legacy: &str,
) -> Result<Option<ColumnPair>, StoreError> {
    Ok(one_where!(
        view,
        ColumnPair,
        "migration_id = $1 AND legacy_column = $2",
        id,
        legacy
    ))
}

/// Lists the protected metrics of a migration.
pub async fn protected(view: &mut View, id: &str) -> Result<Vec<ProtectedMetric>, StoreError> {
    Ok(all_where!(
        view,
        ProtectedMetric,
        "migration_id = $1 ORDER BY metric_id",
        id
    ))
}

/// Lists the deficiencies of a migration, the open ones first.
pub async fn deficiencies(view: &mut View, id: &str) -> Result<Vec<Deficiency>, StoreError> {
    Ok(all_where!(
        view,
        Deficiency,
        "migration_id = $1 ORDER BY CASE WHEN closed_at_utc IS NULL THEN 0 ELSE 1 END, opened_at_utc DESC LIMIT 500",
        id
    ))
}

/// Lists so many of the open deficiencies that somebody has to see to, the oldest first.
pub async fn deficiencies_of(
    view: &mut View,
    who: &str,
    most: i64,
) -> Result<Vec<Deficiency>, StoreError> {
    Ok(all_where!(
        view,
        Deficiency,
        "owner_id = $1 AND closed_at_utc IS NULL ORDER BY opened_at_utc, deficiency_id LIMIT $2",
        who,
        most
    ))
}

/// Finds a deficiency.
pub async fn deficiency(view: &mut View, id: &str) -> Result<Option<Deficiency>, StoreError> {
    Ok(one_where!(view, Deficiency, "deficiency_id = $1", id))
}
