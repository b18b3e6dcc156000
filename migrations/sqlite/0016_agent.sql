-- Who works unattended now, and under which number: whoever takes the lease counts it up, and writes of an older number are refused.
CREATE TABLE agent_lease (
    slot TEXT PRIMARY KEY CHECK (slot = 'agent'),
    fence INTEGER NOT NULL CHECK (fence > 0),
    holder TEXT NOT NULL CHECK (holder <> ''),
    host TEXT NOT NULL CHECK (host <> ''),
    taken_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(taken_at_utc, 1, 19), '+0 days') || substr(taken_at_utc, 20) IS taken_at_utc
        AND substr(taken_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    beat_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(beat_at_utc, 1, 19), '+0 days') || substr(beat_at_utc, 20) IS beat_at_utc
        AND substr(beat_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    until_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(until_utc, 1, 19), '+0 days') || substr(until_utc, 20) IS until_utc
        AND substr(until_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    routed_seq INTEGER NOT NULL CHECK (routed_seq >= 0),
    CONSTRAINT a_beat_lasts CHECK (until_utc >= beat_at_utc)
) STRICT;

-- When each job of the agent ran last, and what became of it.
CREATE TABLE agent_job (
    job TEXT PRIMARY KEY CHECK (job <> ''),
    fence INTEGER NOT NULL CHECK (fence > 0),
    started_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(started_at_utc, 1, 19), '+0 days') || substr(started_at_utc, 20) IS started_at_utc
        AND substr(started_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    ended_at_utc TEXT
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(ended_at_utc, 1, 19), '+0 days') || substr(ended_at_utc, 20) IS ended_at_utc
        AND substr(ended_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    outcome TEXT NOT NULL CHECK (outcome IN ('running', 'done', 'no', 'failed', 'timed_out')),
    detail TEXT NOT NULL,
    CONSTRAINT ended_means_at CHECK ((outcome = 'running') = (ended_at_utc IS NULL))
) STRICT;

-- What a rule found of the first response to a block, each once: half of the time gone, all of it gone, and no sign of work.
CREATE TABLE block_sla_mark (
    publish_run_id TEXT NOT NULL REFERENCES publish_replay_audit (publish_run_id),
    mark TEXT NOT NULL CHECK (mark IN ('soon', 'breach', 'stale')),
    mark_no INTEGER NOT NULL CHECK (mark_no > 0),
    since_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(since_utc, 1, 19), '+0 days') || substr(since_utc, 20) IS since_utc
        AND substr(since_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    due_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(due_at_utc, 1, 19), '+0 days') || substr(due_at_utc, 20) IS due_at_utc
        AND substr(due_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    marked_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(marked_at_utc, 1, 19), '+0 days') || substr(marked_at_utc, 20) IS marked_at_utc
        AND substr(marked_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    paged_id TEXT REFERENCES person (person_id),
    drill INTEGER NOT NULL CHECK (drill IN (0, 1)),
    version INTEGER NOT NULL CHECK (version = 1),
    PRIMARY KEY (publish_run_id, mark, mark_no),
    CONSTRAINT marked_when_due CHECK (since_utc < due_at_utc AND due_at_utc <= marked_at_utc),
    CONSTRAINT once_but_stale CHECK (mark = 'stale' OR mark_no = 1),
    CONSTRAINT once_for_each_sign UNIQUE (publish_run_id, mark, since_utc)
) STRICT;
CREATE INDEX block_sla_mark_by_time ON block_sla_mark (marked_at_utc, publish_run_id, mark, mark_no);
CREATE INDEX publish_replay_audit_open ON publish_replay_audit (publish_run_id) WHERE status = 'blocked';

-- How each message fares on each of its ways: no decision, so it stands beside the ledger.
CREATE TABLE notification_delivery (
    notification_id TEXT NOT NULL REFERENCES notification_outbox (notification_id),
    channel TEXT NOT NULL CHECK (channel <> ''),
    state TEXT NOT NULL CHECK (state IN ('waiting', 'delivered', 'dead', 'quiet')),
    attempts INTEGER NOT NULL CHECK (attempts >= 0),
    tries_left INTEGER NOT NULL CHECK (tries_left >= 0),
    routed_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(routed_at_utc, 1, 19), '+0 days') || substr(routed_at_utc, 20) IS routed_at_utc
        AND substr(routed_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    next_try_utc TEXT
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(next_try_utc, 1, 19), '+0 days') || substr(next_try_utc, 20) IS next_try_utc
        AND substr(next_try_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    tried_at_utc TEXT
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(tried_at_utc, 1, 19), '+0 days') || substr(tried_at_utc, 20) IS tried_at_utc
        AND substr(tried_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    settled_at_utc TEXT
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(settled_at_utc, 1, 19), '+0 days') || substr(settled_at_utc, 20) IS settled_at_utc
        AND substr(settled_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    last_error TEXT,
    PRIMARY KEY (notification_id, channel),
    CONSTRAINT waiting_has_a_next_try CHECK ((state = 'waiting') = (next_try_utc IS NOT NULL)),
    CONSTRAINT settled_has_a_time CHECK ((state = 'waiting') = (settled_at_utc IS NULL)),
    CONSTRAINT delivered_was_tried CHECK (state <> 'delivered' OR attempts > 0),
    CONSTRAINT dead_says_why CHECK (state <> 'dead' OR last_error IS NOT NULL)
) STRICT;
CREATE INDEX notification_delivery_due ON notification_delivery (channel, next_try_utc, notification_id) WHERE state = 'waiting';
CREATE INDEX notification_delivery_dead ON notification_delivery (settled_at_utc, notification_id, channel) WHERE state = 'dead';
CREATE INDEX notification_outbox_by_entry ON notification_outbox (ledger_seq, notification_id);
