//! What the tables of the agent need: its lease, its jobs, what it marks, and how messages fare.

use super::single::{On, WRITE, Wall, wall};

pub(super) const WALLS: &[Wall] = &[
    wall(
        "block_sla_mark",
        WRITE,
        "a mark is made by the newest entry about a block that is open, and stays",
        "NEW.version = 1 AND EXISTS (SELECT 1 FROM governance_ledger l, publish_replay_audit a WHERE l.seq = (SELECT seq FROM ledger_head) \
         AND l.action = 'mark_sla' AND l.target_id = NEW.publish_run_id AND l.at_utc = NEW.marked_at_utc \
         AND a.publish_run_id = NEW.publish_run_id AND a.status = 'blocked' AND a.drill = NEW.drill)",
    ),
    wall(
        "block_sla_mark",
        &[On::Insert],
        "nobody has answered at half time and at the breach, and somebody has taken what is stale",
        "EXISTS (SELECT 1 FROM publish_replay_audit a WHERE a.publish_run_id = NEW.publish_run_id AND CASE NEW.mark \
         WHEN 'stale' THEN a.taken_at_utc IS NOT NULL AND NEW.since_utc = COALESCE(a.progress_at_utc, a.taken_at_utc) \
         WHEN 'breach' THEN a.taken_at_utc IS NULL AND NEW.since_utc = a.created_at_utc AND NEW.due_at_utc > a.respond_by_utc \
         ELSE a.taken_at_utc IS NULL AND NEW.since_utc = a.created_at_utc AND NEW.due_at_utc <= a.respond_by_utc END)",
    ),
    wall(
        "block_sla_mark",
        &[On::Insert],
        "marks of a kind are counted",
        "NEW.mark_no = 1 + (SELECT COUNT(*) FROM block_sla_mark m WHERE m.publish_run_id = NEW.publish_run_id AND m.mark = NEW.mark)",
    ),
    wall(
        "drill_record",
        WRITE,
        "what is practised is written by the newest entry, answered once by the newest entry, and stays",
        "EXISTS (SELECT 1 FROM governance_ledger l WHERE l.seq = (SELECT seq FROM ledger_head) AND l.target_id = NEW.drill_id \
         AND CASE l.action WHEN 'practise' THEN NEW.version = 1 AND NEW.answered_by IS NULL AND l.at_utc = NEW.practised_at_utc \
         WHEN 'answer_drill' THEN NEW.version = 2 AND NEW.answered_by = l.actor_id AND NEW.answered_at_utc = l.at_utc ELSE FALSE END)",
    ),
    wall(
        "drill_record",
        &[On::Update],
        "what was practised stays what it was",
        "NEW.kind = OLD.kind AND NEW.drill = OLD.drill AND NEW.given = OLD.given AND NEW.expected = OLD.expected AND NEW.found = OLD.found \
         AND NEW.passed = OLD.passed AND NEW.paged = OLD.paged AND NEW.practised_at_utc = OLD.practised_at_utc",
    ),
    wall(
        "agent_lease",
        &[On::Update],
        "a lease belongs to its holder under one number, and to the next one under the next",
        "NEW.routed_seq >= OLD.routed_seq AND CASE WHEN NEW.fence = OLD.fence \
         THEN NEW.holder = OLD.holder AND NEW.host = OLD.host AND NEW.taken_at_utc = OLD.taken_at_utc ELSE NEW.fence = OLD.fence + 1 END",
    ),
    wall("agent_lease", &[On::Delete], "the lease stays", "FALSE"),
    wall(
        "agent_job",
        &[On::Delete],
        "what a job did last stays",
        "FALSE",
    ),
    wall(
        "notification_delivery",
        &[On::Insert],
        "a way is new, or was never to be gone",
        "NEW.attempts = 0 AND NEW.state IN ('waiting', 'quiet')",
    ),
    wall(
        "notification_delivery",
        &[On::Update],
        "what was delivered stays so, and only what is dead is tried anew",
        "NEW.notification_id = OLD.notification_id AND NEW.channel = OLD.channel AND NEW.attempts >= OLD.attempts \
         AND CASE OLD.state WHEN 'waiting' THEN NEW.state <> 'quiet' WHEN 'dead' THEN NEW.state = 'waiting' ELSE FALSE END",
    ),
    wall(
        "notification_delivery",
        &[On::Delete],
        "how a message fared is never taken back",
        "FALSE",
    ),
];
