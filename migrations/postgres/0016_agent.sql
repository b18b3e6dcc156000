-- Who works unattended now, and under which number: whoever takes the lease counts it up, and writes of an older number are refused.
CREATE TABLE agent_lease (
    slot TEXT COLLATE "C" PRIMARY KEY CHECK (slot = 'agent'),
    fence BIGINT NOT NULL CHECK (fence > 0),
    holder TEXT COLLATE "C" NOT NULL CHECK (holder <> ''),
    host TEXT NOT NULL CHECK (host <> ''),
    taken_at_utc moment NOT NULL,
    beat_at_utc moment NOT NULL,
    until_utc moment NOT NULL,
    routed_seq BIGINT NOT NULL CHECK (routed_seq >= 0),
    CONSTRAINT a_beat_lasts CHECK (until_utc >= beat_at_utc)
);

-- When each job of the agent ran last, and what became of it.
CREATE TABLE agent_job (
    job TEXT COLLATE "C" PRIMARY KEY CHECK (job <> ''),
    fence BIGINT NOT NULL CHECK (fence > 0),
    started_at_utc moment NOT NULL,
    ended_at_utc moment,
    outcome TEXT COLLATE "C" NOT NULL CHECK (outcome IN ('running', 'done', 'no', 'failed', 'timed_out')),
    detail TEXT NOT NULL,
    CONSTRAINT ended_means_at CHECK ((outcome = 'running') = (ended_at_utc IS NULL))
);

-- What a rule found of the first response to a block, each once: half of the time gone, all of it gone, and no sign of work.
CREATE TABLE block_sla_mark (
    publish_run_id TEXT COLLATE "C" NOT NULL REFERENCES publish_replay_audit (publish_run_id),
    mark TEXT COLLATE "C" NOT NULL CHECK (mark IN ('soon', 'breach', 'stale')),
    mark_no BIGINT NOT NULL CHECK (mark_no > 0),
    since_utc moment NOT NULL,
    due_at_utc moment NOT NULL,
    marked_at_utc moment NOT NULL,
    paged_id TEXT COLLATE "C" REFERENCES person (person_id),
    drill BOOLEAN NOT NULL,
    version BIGINT NOT NULL CHECK (version = 1),
    PRIMARY KEY (publish_run_id, mark, mark_no),
    CONSTRAINT marked_when_due CHECK (since_utc < due_at_utc AND due_at_utc <= marked_at_utc),
    CONSTRAINT once_but_stale CHECK (mark = 'stale' OR mark_no = 1),
    CONSTRAINT once_for_each_sign UNIQUE (publish_run_id, mark, since_utc)
);
CREATE INDEX block_sla_mark_by_time ON block_sla_mark (marked_at_utc, publish_run_id, mark, mark_no);
CREATE INDEX publish_replay_audit_open ON publish_replay_audit (publish_run_id) WHERE status = 'blocked';

-- How each message fares on each of its ways: no decision, so it stands beside the ledger.
CREATE TABLE notification_delivery (
    notification_id TEXT COLLATE "C" NOT NULL REFERENCES notification_outbox (notification_id),
    channel TEXT COLLATE "C" NOT NULL CHECK (channel <> ''),
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('waiting', 'delivered', 'dead', 'quiet')),
    attempts BIGINT NOT NULL CHECK (attempts >= 0),
    tries_left BIGINT NOT NULL CHECK (tries_left >= 0),
    routed_at_utc moment NOT NULL,
    next_try_utc moment,
    tried_at_utc moment,
    settled_at_utc moment,
    last_error TEXT,
    PRIMARY KEY (notification_id, channel),
    CONSTRAINT waiting_has_a_next_try CHECK ((state = 'waiting') = (next_try_utc IS NOT NULL)),
    CONSTRAINT settled_has_a_time CHECK ((state = 'waiting') = (settled_at_utc IS NULL)),
    CONSTRAINT delivered_was_tried CHECK (state <> 'delivered' OR attempts > 0),
    CONSTRAINT dead_says_why CHECK (state <> 'dead' OR last_error IS NOT NULL)
);
CREATE INDEX notification_delivery_due ON notification_delivery (channel, next_try_utc, notification_id) WHERE state = 'waiting';
CREATE INDEX notification_delivery_dead ON notification_delivery (settled_at_utc, notification_id, channel) WHERE state = 'dead';
CREATE INDEX notification_outbox_by_entry ON notification_outbox (ledger_seq, notification_id);
