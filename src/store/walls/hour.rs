//! What the tables of a cutover's hour need beyond their CHECKs.

use super::single::{On, WRITE, Wall, wall};

pub(super) const WALLS: &[Wall] = &[
    wall(
        "cutover_plan",
        WRITE,
        "the plan of an hour is registered by the newest entry, while no hour of its migration runs",
        "EXISTS (SELECT 1 FROM governance_ledger l WHERE l.seq = (SELECT seq FROM ledger_head) AND l.action = 'register_hour_plan' \
         AND l.target_id = NEW.migration_id AND l.actor_id = NEW.registered_by) \
         AND NOT EXISTS (SELECT 1 FROM cutover_hour h WHERE h.migration_id = NEW.migration_id AND h.status = 'running')",
    ),
    wall(
        "cutover_hour",
        &[On::Insert],
        "an hour is begun by the newest entry, in dual write, by its plan, one after the other",
        "NEW.status = 'running' AND NEW.lead_id = NEW.begun_by AND EXISTS (SELECT 1 FROM governance_ledger l, dictionary_migration_state s, cutover_plan p \
         WHERE l.seq = (SELECT seq FROM ledger_head) AND l.action = 'start_hour' AND l.target_id = NEW.migration_id AND l.actor_id = NEW.begun_by \
         AND s.migration_id = NEW.migration_id AND s.phase = 'dual_write' AND s.closed_at_dt_utc IS NULL \
         AND p.migration_id = NEW.migration_id AND p.plan_sha256 = NEW.plan_sha256) \
         AND NEW.hour_no = 1 + (SELECT COUNT(*) FROM cutover_hour o WHERE o.migration_id = NEW.migration_id)",
    ),
    wall(
        "cutover_hour",
        &[On::Update],
        "an hour goes on, is handed over, or ends once by what the newest entry does in it",
        "OLD.status = 'running' AND NEW.plan_sha256 = OLD.plan_sha256 AND NEW.begun_by = OLD.begun_by AND NEW.begun_at_utc = OLD.begun_at_utc \
         AND EXISTS (SELECT 1 FROM governance_ledger l WHERE l.seq = (SELECT seq FROM ledger_head) AND l.target_id = NEW.migration_id \
         AND (NEW.lead_id = OLD.lead_id OR l.action = 'hand_over_hour') AND CASE l.action \
         WHEN 'begin_step' THEN NEW.status = 'running' WHEN 'end_step' THEN NEW.status = 'running' WHEN 'attest_step' THEN NEW.status = 'running' \
         WHEN 'close_migration' THEN NEW.status = 'running' \
         WHEN 'hand_over_hour' THEN NEW.status = 'running' AND l.actor_id IN (OLD.lead_id, NEW.lead_id) \
         WHEN 'note_post_mortem' THEN NEW.status = 'done' AND NEW.ended_by = l.actor_id \
         WHEN 'abort_hour' THEN NEW.status = 'aborted' AND NEW.ended_by = l.actor_id \
         WHEN 'roll_back_migration' THEN NEW.status = 'aborted' AND NEW.ended_by = l.actor_id \
         WHEN 'trigger_rollback' THEN NEW.status = 'aborted' AND NEW.ended_by = l.actor_id ELSE FALSE END)",
    ),
    wall(
        "cutover_hour",
        &[On::Update],
        "another governance lead leads an hour, and nobody else",
        "NEW.lead_id = OLD.lead_id OR EXISTS (SELECT 1 FROM person p JOIN person_role r ON r.person_id = p.person_id WHERE p.person_id = NEW.lead_id \
         AND p.active = TRUE AND p.kind = 'human' AND r.role = 'governance_lead' AND r.active = TRUE)",
    ),
    wall(
        "cutover_step",
        &[On::Insert],
        "the steps of an hour are there from its beginning",
        "NEW.state = CASE NEW.step WHEN 'announce' THEN 'running' ELSE 'not_started' END AND NEW.attempt <= 1 \
         AND EXISTS (SELECT 1 FROM governance_ledger l, cutover_hour h WHERE l.seq = (SELECT seq FROM ledger_head) AND l.action = 'start_hour' \
         AND l.target_id = NEW.migration_id AND h.migration_id = NEW.migration_id AND h.hour_no = NEW.hour_no AND h.status = 'running')",
    ),
    wall(
        "cutover_step",
        &[On::Update],
        "a step begins, ends or is given up by what the newest entry does in its hour",
        "OLD.state NOT IN ('done', 'done_with_warning', 'skipped', 'aborted') AND EXISTS (SELECT 1 FROM governance_ledger l, cutover_hour h \
         WHERE l.seq = (SELECT seq FROM ledger_head) AND l.target_id = NEW.migration_id AND h.migration_id = NEW.migration_id AND h.hour_no = NEW.hour_no \
         AND CASE l.action WHEN 'begin_step' THEN NEW.state = 'running' AND NEW.attempt = OLD.attempt + 1 AND NEW.owner_id = l.actor_id AND h.lead_id = l.actor_id \
         AND NEW.step NOT IN ('complete', 'note') \
         WHEN 'end_step' THEN OLD.state = 'running' AND NEW.attempt = OLD.attempt AND NEW.owner_id = OLD.owner_id AND NEW.state IN ('done', 'done_with_warning', 'failed') \
         AND NEW.step NOT IN ('complete', 'note') AND (NEW.state = 'failed' OR NEW.evidence_sha256 IS NOT NULL) \
         WHEN 'attest_step' THEN h.lead_id = l.actor_id AND NEW.state IN ('done', 'done_with_warning', 'failed', 'skipped') AND NEW.step IN ('announce', 'flip', 'purge') \
         WHEN 'close_migration' THEN NEW.step = 'complete' AND NEW.state = 'done' \
         WHEN 'note_post_mortem' THEN NEW.step = 'note' AND NEW.state = 'done' \
         ELSE l.action IN ('abort_hour', 'roll_back_migration', 'trigger_rollback') AND OLD.state = 'running' AND NEW.state = 'aborted' END)",
    ),
    wall(
        "cutover_step",
        &[On::Update],
        "steps follow each other",
        "NEW.state = 'aborted' OR NOT EXISTS (SELECT 1 FROM cutover_step o WHERE o.migration_id = NEW.migration_id AND o.hour_no = NEW.hour_no \
         AND o.state NOT IN ('done', 'done_with_warning', 'skipped') AND CASE o.step WHEN 'announce' THEN 1 WHEN 'golden' THEN 2 WHEN 'flip' THEN 3 \
         WHEN 'purge' THEN 4 WHEN 'reconcile' THEN 5 WHEN 'complete' THEN 6 ELSE 7 END < CASE NEW.step WHEN 'announce' THEN 1 WHEN 'golden' THEN 2 \
         WHEN 'flip' THEN 3 WHEN 'purge' THEN 4 WHEN 'reconcile' THEN 5 WHEN 'complete' THEN 6 ELSE 7 END)",
    ),
    wall(
        "cutover_step",
        &[On::Update],
        "the flip is done once the migration is cut over",
        "NEW.step <> 'flip' OR NEW.state NOT IN ('done', 'done_with_warning') OR EXISTS (SELECT 1 FROM dictionary_migration_state s \
         WHERE s.migration_id = NEW.migration_id AND s.phase = 'cutover')",
    ),
    wall(
        "dictionary_migration_state",
        &[On::Update],
        "a migration is cut over and closed in its hour, at that step",
        "NEW.phase <> 'cutover' OR (SELECT environment FROM deployment) = 'rehearsal' OR EXISTS (SELECT 1 FROM cutover_hour h JOIN cutover_step c ON c.migration_id = h.migration_id AND c.hour_no = h.hour_no \
         WHERE h.migration_id = NEW.migration_id AND h.status = 'running' AND (CASE WHEN NEW.closed_at_dt_utc IS NULL \
         THEN c.step = 'flip' AND c.state = 'running' ELSE c.step = 'reconcile' AND c.state IN ('done', 'done_with_warning') END))",
    ),
    wall(
        "migration_signoff",
        WRITE,
        "a run is signed off by whoever closes the migration, another than who flipped it, after it passed since the flip",
        "NEW.version = 1 AND EXISTS (SELECT 1 FROM governance_ledger l, dictionary_migration_event e, reconciliation_window w \
         WHERE l.seq = (SELECT seq FROM ledger_head) AND l.action = 'close_migration' AND l.target_id = NEW.migration_id AND l.actor_id = NEW.signer_id \
         AND e.migration_id = NEW.migration_id AND e.kind = 'cutover' AND e.moved_by = NEW.flipped_by \
         AND w.job_run_id = NEW.job_run_id AND w.run_kind = 'immediate' AND w.status = 'PASS' AND w.started_at >= e.happened_at_utc)",
    ),
    wall(
        "migration_complete_event",
        WRITE,
        "a migration is complete by the newest entry, which closes it, and that stays",
        "NEW.version = 1 AND EXISTS (SELECT 1 FROM governance_ledger l, dictionary_migration_state s WHERE l.seq = (SELECT seq FROM ledger_head) \
         AND l.action = 'close_migration' AND l.target_id = NEW.migration_id AND l.actor_id = NEW.completed_by \
         AND s.migration_id = NEW.migration_id AND s.to_semver = NEW.dictionary_semver AND s.phase = 'cutover') \
         AND EXISTS (SELECT 1 FROM partner_annex_view a WHERE a.annex_view_version = NEW.annex_view_version AND a.dictionary_semver = NEW.dictionary_semver)",
    ),
    frozen("dictionary_release"),
    frozen("metric_dictionary"),
    frozen("bind_query"),
    frozen("partner_annex_view"),
    frozen("faq_rows"),
    frozen("dictionary_column_pair"),
    wall(
        "protected_metric",
        WRITE,
        "a migration protects no other metric while its hour runs",
        "NOT EXISTS (SELECT 1 FROM cutover_hour h WHERE h.status = 'running' AND h.migration_id = NEW.migration_id)",
    ),
    frozen("exporter_allowlist"),
    frozen("footer_schema_registry"),
];

const fn frozen(table: &'static str) -> Wall {
    wall(
        table,
        WRITE,
        "edits are frozen while the hour of a cutover runs",
        "NOT EXISTS (SELECT 1 FROM cutover_hour h WHERE h.status = 'running')",
    )
}
