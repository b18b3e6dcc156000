//! What the tables of the publish gate need: runs, their leaves, and what became of blocks.

use super::single::{On, Wall, wall};

/// The walls; what each says is what a person reads when they try.
pub(super) const WALLS: &[Wall] = &[
    wall(
        "publish_snapshots",
        &[On::Update],
        "a decided snapshot is final",
        "OLD.status = 'pending_gate'",
    ),
    wall(
        "publish_snapshots",
        &[On::Update],
        "a run that is a drill stays one",
        "OLD.drill = FALSE OR NEW.drill = TRUE",
    ),
    wall(
        "publish_snapshots",
        &[On::Update],
        "only the current footer schema passes",
        "NEW.status <> 'gate_passed' OR OLD.status = 'gate_passed' \
         OR NEW.footer_schema_semver = (SELECT current_semver FROM footer_schema_registry)",
    ),
    wall(
        "publish_leaf",
        &[On::Insert],
        "leaves are filed while their run waits for the gate, under its time",
        "EXISTS (SELECT 1 FROM publish_snapshots s WHERE s.publish_run_id = NEW.publish_run_id AND s.status = 'pending_gate' \
         AND s.created_at_utc = NEW.minted_at_utc)",
    ),
    wall(
        "publish_leaf",
        &[On::Update],
        "leaves stay as they are; those of a run that passed are dropped after seven days",
        "NEW.publish_run_id = OLD.publish_run_id AND NEW.side = OLD.side AND NEW.row_count = OLD.row_count \
         AND NEW.sha256 IS NOT DISTINCT FROM OLD.sha256 AND NEW.minted_at_utc = OLD.minted_at_utc AND NEW.keep_until_utc = OLD.keep_until_utc \
         AND NEW.bytes IS NULL AND OLD.keep_until_utc <= (SELECT at_utc FROM ledger_head) \
         AND (SELECT status FROM publish_snapshots WHERE publish_run_id = OLD.publish_run_id) = 'gate_passed'",
    ),
    wall(
        "publish_leaf",
        &[On::Delete],
        "leaves are dropped, and that they were there stays known",
        "FALSE",
    ),
    wall(
        "publish_replay_audit",
        &[On::Insert],
        "an audit row starts decided, as its snapshot was",
        "NEW.status = (SELECT s.status FROM publish_snapshots s WHERE s.publish_run_id = NEW.publish_run_id) \
         AND NEW.block_reason IS NOT DISTINCT FROM (SELECT s.block_reason FROM publish_snapshots s WHERE s.publish_run_id = NEW.publish_run_id)",
    ),
    wall(
        "publish_replay_audit",
        &[On::Update],
        "what passed and what ended stays as it is",
        "OLD.status = 'blocked'",
    ),
    wall(
        "publish_replay_audit",
        &[On::Update],
        "a block ends resolved or withdrawn, never passed",
        "NEW.status = OLD.status OR (OLD.status = 'blocked' AND NEW.status IN ('resolved', 'withdrawn'))",
    ),
    wall(
        "publish_replay_audit",
        &[On::Update],
        "a block changes by what the newest entry does with it",
        "EXISTS (SELECT 1 FROM governance_ledger l WHERE l.seq = (SELECT seq FROM ledger_head) AND l.target_id = NEW.publish_run_id \
         AND CASE l.action WHEN 'resolve_block' THEN NEW.status = 'resolved' WHEN 'withdraw_block' THEN NEW.status = 'withdrawn' \
         WHEN 'take_block' THEN NEW.status = OLD.status AND NEW.taken_by = l.actor_id \
         WHEN 'escalate_block' THEN NEW.status = OLD.status AND NEW.escalated_by = l.actor_id \
         ELSE NEW.status = OLD.status AND l.action IN ('note_block', 'reassign_block') END)",
    ),
    wall(
        "publish_replay_audit",
        &[On::Update],
        "what the gate found is final",
        "NEW.block_reason IS NOT DISTINCT FROM OLD.block_reason AND NEW.created_at_utc = OLD.created_at_utc AND NEW.drill = OLD.drill \
         AND NEW.also = OLD.also AND NEW.publish_tuple_hash IS NOT DISTINCT FROM OLD.publish_tuple_hash \
         AND NEW.source_tuple_hash IS NOT DISTINCT FROM OLD.source_tuple_hash \
         AND NEW.sla_first_response_minutes IS NOT DISTINCT FROM OLD.sla_first_response_minutes",
    ),
    wall(
        "publish_replay_audit",
        &[On::Update],
        "a block is taken once",
        "OLD.taken_by IS NULL OR (NEW.taken_by = OLD.taken_by AND NEW.taken_at_utc = OLD.taken_at_utc)",
    ),
    wall(
        "publish_replay_audit",
        &[On::Update],
        "a block is escalated once",
        "OLD.escalated_by IS NULL OR (NEW.escalated_by = OLD.escalated_by AND NEW.escalated_at_utc = OLD.escalated_at_utc)",
    ),
    wall(
        "publish_replay_audit",
        &[On::Update],
        "how work goes is told of what is taken",
        "NEW.progress_at_utc IS NOT DISTINCT FROM OLD.progress_at_utc OR OLD.taken_by IS NOT NULL",
    ),
    wall(
        "publish_replay_audit",
        &[On::Update],
        "a block keeps its route; an untaken one is given to another owner in the newest entry",
        "NEW.backup_owner_user_id IS NOT DISTINCT FROM OLD.backup_owner_user_id \
         AND (NEW.owner_user_id IS NOT DISTINCT FROM OLD.owner_user_id OR (OLD.taken_by IS NULL AND EXISTS (SELECT 1 FROM governance_ledger l \
         WHERE l.seq = (SELECT seq FROM ledger_head) AND l.action = 'reassign_block' AND l.target_id = NEW.publish_run_id)))",
    ),
    wall(
        "publish_replay_audit",
        &[On::Update],
        "a later passing run of the same scope resolves",
        "NEW.status <> 'resolved' OR EXISTS (SELECT 1 FROM publish_snapshots r, publish_snapshots b \
         WHERE r.publish_run_id = NEW.resolution_id AND b.publish_run_id = NEW.publish_run_id AND r.status = 'gate_passed' \
         AND r.publish_scope = b.publish_scope AND r.drill = b.drill AND r.created_at_utc > b.created_at_utc)",
    ),
];
