//! What the tables of a migration of the dictionary need beyond their CHECKs.

use super::single::{On, WRITE, Wall, wall};

pub(super) const WALLS: &[Wall] = &[
    wall(
        "dictionary_migration_state",
        &[On::Insert],
        "a migration is opened by the newest entry, in prepare, with its first move",
        "NEW.phase = 'prepare' AND NEW.closed_at_dt_utc IS NULL AND EXISTS (SELECT 1 FROM governance_ledger l, ledger_change c \
         WHERE l.seq = (SELECT seq FROM ledger_head) AND l.action = 'open_migration' AND l.target_id = NEW.migration_id AND l.actor_id = NEW.opened_by \
         AND c.seq = l.seq AND c.table_name = 'dictionary_migration_event' AND c.row_key = NEW.migration_id || '/1')",
    ),
    wall(
        "dictionary_migration_state",
        &[On::Insert],
        "a migration raises the minor or the patch of one major version",
        "EXISTS (SELECT 1 FROM dictionary_release f, dictionary_release t WHERE f.dictionary_semver = NEW.from_semver \
         AND t.dictionary_semver = NEW.to_semver AND t.major = f.major AND (t.minor > f.minor OR (t.minor = f.minor AND t.patch > f.patch)))",
    ),
    wall(
        "dictionary_migration_state",
        &[On::Insert],
        "an attempt follows those before it, which were taken back",
        "NEW.attempt_no = 1 + (SELECT COUNT(*) FROM dictionary_migration_state o WHERE o.from_semver = NEW.from_semver AND o.to_semver = NEW.to_semver) \
         AND NOT EXISTS (SELECT 1 FROM dictionary_migration_state o WHERE o.from_semver = NEW.from_semver AND o.to_semver = NEW.to_semver AND o.phase <> 'rollback')",
    ),
    wall(
        "dictionary_migration_state",
        &[On::Insert],
        "what is opened while another is under way is chained to that one, and nothing else is",
        "NEW.chained_from IS NOT DISTINCT FROM (SELECT o.migration_id FROM dictionary_migration_state o \
         WHERE o.closed_at_dt_utc IS NULL AND o.phase IN ('dual_write', 'cutover'))",
    ),
    wall(
        "dictionary_migration_state",
        &[On::Update],
        "a migration goes from phase to phase, or back for good, and stays what it was opened as",
        "(OLD.phase || '>' || NEW.phase IN ('prepare>dual_write', 'dual_write>cutover', 'dual_write>rollback', 'cutover>rollback') \
         OR (OLD.phase = 'cutover' AND NEW.phase = 'cutover' AND OLD.closed_at_dt_utc IS NULL AND NEW.closed_at_dt_utc IS NOT NULL)) \
         AND NEW.from_semver = OLD.from_semver AND NEW.to_semver = OLD.to_semver AND NEW.attempt_no = OLD.attempt_no \
         AND NEW.chained_from IS NOT DISTINCT FROM OLD.chained_from AND NEW.opened_at_dt_utc = OLD.opened_at_dt_utc AND NEW.opened_by = OLD.opened_by",
    ),
    wall(
        "dictionary_migration_state",
        &[On::Update],
        "a migration moves by what the newest entry does with it, and with its next move",
        "EXISTS (SELECT 1 FROM governance_ledger l, ledger_change c WHERE l.seq = (SELECT seq FROM ledger_head) AND l.target_id = NEW.migration_id \
         AND CASE l.action WHEN 'start_dual_write' THEN NEW.phase = 'dual_write' WHEN 'cutover' THEN OLD.phase = 'dual_write' AND NEW.phase = 'cutover' \
         WHEN 'close_migration' THEN OLD.phase = 'cutover' AND NEW.phase = 'cutover' WHEN 'roll_back_migration' THEN NEW.phase = 'rollback' \
         WHEN 'abort_hour' THEN OLD.phase = 'cutover' AND NEW.phase = 'rollback' \
         WHEN 'trigger_rollback' THEN OLD.phase = 'cutover' AND NEW.phase = 'rollback' \
         WHEN 'rehearse_move' THEN OLD.phase <> 'prepare' AND (SELECT environment FROM deployment) = 'rehearsal' ELSE FALSE END \
         AND c.seq = l.seq AND c.table_name = 'dictionary_migration_event' AND c.row_key = NEW.migration_id || '/' || CAST(NEW.version AS TEXT))",
    ),
    wall(
        "dictionary_migration_state",
        &[On::Update],
        "what follows another waits in prepare until that one has ended",
        "NEW.phase <> 'dual_write' OR NOT EXISTS (SELECT 1 FROM dictionary_migration_state o WHERE o.migration_id <> NEW.migration_id \
         AND o.closed_at_dt_utc IS NULL AND o.phase IN ('dual_write', 'cutover'))",
    ),
    wall(
        "dictionary_migration_event",
        &[On::Insert],
        "a move is what the newest entry does, and where the migration stands now",
        "NEW.version = 1 AND NEW.countersigned_by IS NULL AND EXISTS (SELECT 1 FROM governance_ledger l, dictionary_migration_state s \
         WHERE l.seq = (SELECT seq FROM ledger_head) AND l.target_id = NEW.migration_id AND l.actor_id = NEW.moved_by \
         AND l.approved_by IS NOT DISTINCT FROM NEW.approved_by AND s.migration_id = NEW.migration_id AND s.version = NEW.event_no AND s.phase = NEW.phase \
         AND s.rollback_reason IS NOT DISTINCT FROM NEW.rollback_reason AND CASE l.action WHEN 'open_migration' THEN NEW.kind = 'open' \
         WHEN 'start_dual_write' THEN NEW.kind = 'dual_write' WHEN 'cutover' THEN NEW.kind = 'cutover' WHEN 'close_migration' THEN NEW.kind = 'close' \
         WHEN 'roll_back_migration' THEN NEW.kind = 'rollback' WHEN 'abort_hour' THEN NEW.kind = 'rollback' AND NEW.from_phase = 'cutover' \
         WHEN 'trigger_rollback' THEN NEW.kind = 'rollback' AND NEW.from_phase = 'cutover' \
         WHEN 'rehearse_move' THEN NEW.kind IN ('cutover', 'close', 'rollback') AND (SELECT environment FROM deployment) = 'rehearsal' ELSE FALSE END)",
    ),
    wall(
        "dictionary_migration_event",
        &[On::Insert],
        "what was measured is the reason of a rule alone, and of no person",
        "COALESCE(NEW.rollback_reason IN ('epsilon_hard', 'epsilon_soft_x2'), FALSE) = EXISTS (SELECT 1 FROM governance_ledger l \
         WHERE l.seq = (SELECT seq FROM ledger_head) AND l.action = 'trigger_rollback') \
         AND (NEW.needs_countersign = FALSE OR COALESCE(NEW.rollback_reason NOT IN ('epsilon_hard', 'epsilon_soft_x2'), FALSE))",
    ),
    wall(
        "dictionary_migration_event",
        &[On::Update],
        "a move stays, and is countersigned once, by another in the newest entry",
        "OLD.countersigned_by IS NULL AND EXISTS (SELECT 1 FROM governance_ledger l WHERE l.seq = (SELECT seq FROM ledger_head) \
         AND l.action = 'countersign_move' AND l.target_id = NEW.migration_id AND l.actor_id = NEW.countersigned_by) \
         AND NEW.kind = OLD.kind AND NEW.from_phase IS NOT DISTINCT FROM OLD.from_phase AND NEW.phase = OLD.phase AND NEW.moved_by = OLD.moved_by \
         AND NEW.approved_by IS NOT DISTINCT FROM OLD.approved_by AND NEW.reason = OLD.reason AND NEW.note IS NOT DISTINCT FROM OLD.note \
         AND NEW.rollback_reason IS NOT DISTINCT FROM OLD.rollback_reason AND NEW.needs_countersign = OLD.needs_countersign \
         AND NEW.happened_at_utc = OLD.happened_at_utc",
    ),
    wall(
        "gate_owner_route",
        WRITE,
        "who answers for a gate is said by the newest entry",
        "EXISTS (SELECT 1 FROM governance_ledger l WHERE l.seq = (SELECT seq FROM ledger_head) AND l.action = 'route_gate' \
         AND l.target_id = NEW.gate AND l.actor_id = NEW.set_by)",
    ),
    wall(
        "migration_evidence",
        WRITE,
        "evidence is recorded by the newest entry, and stays",
        "NEW.version = 1 AND EXISTS (SELECT 1 FROM governance_ledger l WHERE l.seq = (SELECT seq FROM ledger_head) AND l.actor_id = NEW.recorded_by \
         AND CASE l.action WHEN 'record_gate_evidence' THEN l.target_id = NEW.migration_id AND NEW.gate NOT IN ('G0', 'D7') \
         WHEN 'record_rehearsal' THEN l.target_id = NEW.migration_id AND NEW.gate = 'D7' \
         WHEN 'open_migration' THEN l.target_id = NEW.migration_id AND NEW.gate = 'G0' \
         WHEN 'attach_matrix' THEN l.target_id = NEW.migration_id AND NEW.gate = 'G0' ELSE FALSE END)",
    ),
    wall(
        "exporter_fingerprint",
        WRITE,
        "a fingerprint is recorded by the newest entry, in the phase that its migration is in, and stays",
        "NEW.version = 1 AND EXISTS (SELECT 1 FROM governance_ledger l, dictionary_migration_state s WHERE l.seq = (SELECT seq FROM ledger_head) \
         AND l.action = 'record_fingerprint' AND l.target_id = NEW.migration_id AND l.actor_id = NEW.recorded_by \
         AND s.migration_id = NEW.migration_id AND s.phase = NEW.phase AND s.closed_at_dt_utc IS NULL)",
    ),
    wall(
        "gate_override",
        WRITE,
        "an override is what two humans agreed on in the newest entry, and stays",
        "NEW.version = 1 AND EXISTS (SELECT 1 FROM governance_ledger l WHERE l.seq = (SELECT seq FROM ledger_head) AND l.action = 'override_gate' \
         AND l.target_id = NEW.migration_id AND l.actor_id = NEW.requested_by AND l.approved_by = NEW.approved_by)",
    ),
    wall(
        "exporter_allowlist",
        WRITE,
        "an allow-list is registered by the newest entry, for a migration that has not ended",
        "EXISTS (SELECT 1 FROM governance_ledger l, dictionary_migration_state s WHERE l.seq = (SELECT seq FROM ledger_head) \
         AND l.action = 'register_allowlist' AND l.target_id = NEW.migration_id AND l.actor_id = NEW.author_id \
         AND s.migration_id = NEW.migration_id AND s.closed_at_dt_utc IS NULL)",
    ),
    wall(
        "allowlist_approval",
        WRITE,
        "an approval is of the allow-list that is registered, by another human than its author, in the newest entry, and stays",
        "NEW.version = 1 AND EXISTS (SELECT 1 FROM governance_ledger l WHERE l.seq = (SELECT seq FROM ledger_head) AND l.action = 'approve_allowlist' \
         AND l.target_id = NEW.migration_id AND l.actor_id = NEW.approver_id) AND EXISTS (SELECT 1 FROM exporter_allowlist a \
         WHERE a.migration_id = NEW.migration_id AND a.phase = NEW.phase AND a.allowlist_sha256 = NEW.allowlist_sha256 AND a.author_id <> NEW.approver_id) \
         AND EXISTS (SELECT 1 FROM person p WHERE p.person_id = NEW.approver_id AND p.kind = 'human' AND p.active = TRUE)",
    ),
    wall(
        "calendar_window",
        WRITE,
        "a span of the calendar is set or called off by the newest entry, and otherwise stays",
        "EXISTS (SELECT 1 FROM governance_ledger l WHERE l.seq = (SELECT seq FROM ledger_head) AND l.target_id = NEW.calendar_id AND l.actor_id = NEW.set_by \
         AND CASE l.action WHEN 'set_calendar' THEN NEW.version = 1 AND NEW.status = 'set' WHEN 'cancel_calendar' THEN NEW.status = 'cancelled' ELSE FALSE END)",
    ),
    wall(
        "calendar_window",
        &[On::Update],
        "a span that is called off stays called off",
        "OLD.status = 'set' AND NEW.kind = OLD.kind AND NEW.starts_at_utc = OLD.starts_at_utc AND NEW.ends_at_utc = OLD.ends_at_utc AND NEW.title = OLD.title",
    ),
    wall(
        "dictionary_column_pair",
        WRITE,
        "a pair is registered or withdrawn by the newest entry, before the cutover",
        "EXISTS (SELECT 1 FROM governance_ledger l, dictionary_migration_state s WHERE l.seq = (SELECT seq FROM ledger_head) \
         AND l.target_id = NEW.migration_id AND l.actor_id = NEW.registered_by AND s.migration_id = NEW.migration_id AND s.phase IN ('prepare', 'dual_write') \
         AND s.closed_at_dt_utc IS NULL AND CASE l.action WHEN 'register_pair' THEN NEW.status = 'active' WHEN 'withdraw_pair' THEN NEW.status = 'withdrawn' ELSE FALSE END)",
    ),
    wall(
        "dictionary_column_pair",
        WRITE,
        "a column is in one pair of a migration, ignoring case",
        "NEW.status <> 'active' OR NOT EXISTS (SELECT 1 FROM dictionary_column_pair o WHERE o.migration_id = NEW.migration_id AND o.status = 'active' \
         AND o.legacy_column <> NEW.legacy_column AND (lower(o.legacy_column) IN (lower(NEW.legacy_column), lower(NEW.modern_column)) \
         OR lower(o.modern_column) IN (lower(NEW.legacy_column), lower(NEW.modern_column))))",
    ),
    wall(
        "protected_metric",
        WRITE,
        "a metric is protected by the newest entry, and stays protected",
        "NEW.version = 1 AND EXISTS (SELECT 1 FROM governance_ledger l WHERE l.seq = (SELECT seq FROM ledger_head) \
         AND l.action IN ('open_migration', 'protect_metric') AND l.target_id = NEW.migration_id AND l.actor_id = NEW.protected_by)",
    ),
    wall(
        "deficiency",
        &[On::Insert],
        "a deficiency is opened by the newest entry",
        "NEW.closed_at_utc IS NULL AND EXISTS (SELECT 1 FROM governance_ledger l WHERE l.seq = (SELECT seq FROM ledger_head) \
         AND l.action = 'open_deficiency' AND l.target_id = NEW.deficiency_id)",
    ),
    wall(
        "deficiency",
        &[On::Update],
        "a deficiency is closed once, by the newest entry, and otherwise stays",
        "OLD.closed_at_utc IS NULL AND NEW.closed_at_utc IS NOT NULL AND EXISTS (SELECT 1 FROM governance_ledger l WHERE l.seq = (SELECT seq FROM ledger_head) \
         AND l.action = 'close_deficiency' AND l.target_id = NEW.deficiency_id AND l.actor_id = NEW.closed_by) \
         AND NEW.kind = OLD.kind AND NEW.migration_id = OLD.migration_id AND NEW.subject = OLD.subject AND NEW.owner_id = OLD.owner_id \
         AND NEW.detail = OLD.detail AND NEW.opened_at_utc = OLD.opened_at_utc",
    ),
    wall(
        "redeploy_task",
        &[On::Insert],
        "a task to deploy anew is opened by what takes its migration back in the newest entry, the way back",
        "NEW.done_by IS NULL AND EXISTS (SELECT 1 FROM governance_ledger l, dictionary_migration_state s WHERE l.seq = (SELECT seq FROM ledger_head) \
         AND l.target_id = NEW.migration_id AND s.migration_id = NEW.migration_id AND s.phase = 'rollback' \
         AND s.to_semver = NEW.from_semver AND s.from_semver = NEW.to_semver)",
    ),
    wall(
        "redeploy_task",
        &[On::Update],
        "a task to deploy anew is done once, by the newest entry, and otherwise stays",
        "OLD.done_by IS NULL AND EXISTS (SELECT 1 FROM governance_ledger l WHERE l.seq = (SELECT seq FROM ledger_head) \
         AND l.action = 'close_redeploy_task' AND l.target_id = NEW.migration_id AND l.actor_id = NEW.done_by) \
         AND NEW.from_semver = OLD.from_semver AND NEW.to_semver = OLD.to_semver AND NEW.owner_id = OLD.owner_id \
         AND NEW.opened_at_utc = OLD.opened_at_utc",
    ),
    wall(
        "migration_notice",
        WRITE,
        "what partners are told is published by the newest entry, and stays; that it was rolled back is told of what was",
        "NEW.version = 1 AND EXISTS (SELECT 1 FROM governance_ledger l, dictionary_migration_state s WHERE l.seq = (SELECT seq FROM ledger_head) \
         AND l.target_id = NEW.migration_id AND l.actor_id = NEW.published_by AND s.migration_id = NEW.migration_id \
         AND (NEW.kind <> 'rolled_back' OR s.phase = 'rollback'))",
    ),
    wall(
        "dual_write_scan",
        &[On::Update, On::Delete],
        "what a scan found stays",
        "FALSE",
    ),
    wall(
        "dual_write_scan_metric",
        &[On::Update, On::Delete],
        "what a scan found stays",
        "FALSE",
    ),
];
