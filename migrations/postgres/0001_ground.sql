-- The ground floor: the ledger, people, and the publish gate's tables.
-- Ids are compared byte by byte (COLLATE "C"), as SQLite does. What a CHECK cannot say stands in the walls,
-- the triggers that `govdeck init` installs from src/store/walls on both databases.

-- A time that can be written with a year of four digits; neither infinity nor what no clock shows.
CREATE DOMAIN moment AS TIMESTAMPTZ
    CHECK (VALUE BETWEEN '0001-01-01T00:00:00Z' AND '9999-12-31T23:59:59.999999Z');

CREATE TABLE artifact (
    sha256 TEXT COLLATE "C" PRIMARY KEY CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    media_type TEXT NOT NULL CHECK (media_type <> ''),
    bytes BYTEA NOT NULL CHECK (length(bytes) <= 67108864),
    created_at_utc moment NOT NULL
);

CREATE TABLE person (
    person_id TEXT COLLATE "C" PRIMARY KEY CHECK (person_id ~ '^[a-z0-9][a-z0-9._-]{0,63}$'),
    kind TEXT NOT NULL CHECK (kind IN ('human', 'service')),
    display_name TEXT NOT NULL CHECK (display_name <> ''),
    login TEXT COLLATE "C" UNIQUE CHECK (login <> ''),
    active BOOLEAN NOT NULL,
    created_at_utc moment NOT NULL,
    version BIGINT NOT NULL CHECK (version >= 1)
);

CREATE TABLE governance_ledger (
    seq BIGINT PRIMARY KEY CHECK (seq >= 1),
    ticket TEXT COLLATE "C" NOT NULL UNIQUE CHECK (ticket ~ '^[0-9a-f]{32}$'),
    action TEXT NOT NULL CHECK (action <> ''),
    basis TEXT NOT NULL CHECK (basis IN ('person', 'rule')),
    actor_id TEXT COLLATE "C" NOT NULL REFERENCES person (person_id) DEFERRABLE INITIALLY DEFERRED,
    login TEXT NOT NULL,
    attestation TEXT NOT NULL CHECK (attestation IN ('signed', 'login', 'unattested')),
    target_kind TEXT NOT NULL,
    target_id TEXT NOT NULL,
    target_version BIGINT NOT NULL CHECK (target_version >= 0),
    state_hash TEXT NOT NULL CHECK (state_hash ~ '^[0-9a-f]{64}$'),
    card_sha256 TEXT COLLATE "C" NOT NULL UNIQUE REFERENCES artifact (sha256),
    reason TEXT,
    change_count BIGINT NOT NULL CHECK (change_count >= 0),
    evidence_count BIGINT NOT NULL CHECK (evidence_count >= 0),
    at_utc moment NOT NULL,
    clock_anomaly BOOLEAN NOT NULL,
    prev_hash TEXT COLLATE "C" NOT NULL UNIQUE CHECK (prev_hash ~ '^[0-9a-f]{64}$'),
    hash TEXT COLLATE "C" NOT NULL UNIQUE CHECK (hash ~ '^[0-9a-f]{64}$')
);

CREATE INDEX governance_ledger_by_time ON governance_ledger (at_utc);

CREATE TABLE ledger_head (
    seq BIGINT NOT NULL CHECK (seq >= 0),
    hash TEXT NOT NULL CHECK (hash ~ '^[0-9a-f]{64}$'),
    at_utc moment
);
CREATE UNIQUE INDEX ledger_head_is_one ON ledger_head ((1));
INSERT INTO ledger_head (seq, hash, at_utc) VALUES (0, repeat('0', 64), NULL);

CREATE TABLE ledger_change (
    table_name TEXT COLLATE "C" NOT NULL,
    row_key TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL CHECK (version >= 1),
    seq BIGINT NOT NULL REFERENCES governance_ledger (seq),
    row_sha256 TEXT NOT NULL CHECK (row_sha256 ~ '^[0-9a-f]{64}$'),
    after_image TEXT NOT NULL,
    PRIMARY KEY (table_name, row_key, version)
);
CREATE INDEX ledger_change_by_seq ON ledger_change (seq);

CREATE TABLE ledger_artifact (
    seq BIGINT NOT NULL REFERENCES governance_ledger (seq),
    role TEXT COLLATE "C" NOT NULL CHECK (role <> ''),
    sha256 TEXT COLLATE "C" NOT NULL REFERENCES artifact (sha256),
    PRIMARY KEY (seq, role, sha256)
);

CREATE TABLE deployment (
    deployment_id TEXT COLLATE "C" PRIMARY KEY CHECK (deployment_id ~ '^[0-9a-f]{32}$'),
    name TEXT NOT NULL CHECK (name <> ''),
    environment TEXT NOT NULL CHECK (environment IN ('prod', 'staging', 'dev', 'demo')),
    created_at_utc moment NOT NULL,
    version BIGINT NOT NULL CHECK (version >= 1)
);
CREATE UNIQUE INDEX deployment_is_one ON deployment ((1));

CREATE TABLE person_role (
    person_id TEXT COLLATE "C" NOT NULL REFERENCES person (person_id),
    role TEXT COLLATE "C" NOT NULL CHECK (role IN ('governance_lead', 'engineering_lead', 'ops_lead', 'analytics_owner',
        'data_engineer', 'exporter_maintainer', 'faq_editor', 'on_call', 'signer', 'viewer')),
    active BOOLEAN NOT NULL,
    granted_by TEXT COLLATE "C" NOT NULL REFERENCES person (person_id),
    granted_at_utc moment NOT NULL,
    version BIGINT NOT NULL CHECK (version >= 1),
    PRIMARY KEY (person_id, role)
);

CREATE TABLE footer_schema_registry (
    slot TEXT COLLATE "C" PRIMARY KEY CHECK (slot = 'current'),
    current_semver TEXT NOT NULL CHECK (current_semver <> ''),
    updated_at_utc moment NOT NULL,
    updated_by_user_id TEXT COLLATE "C" NOT NULL REFERENCES person (person_id),
    version BIGINT NOT NULL CHECK (version >= 1)
);

CREATE TABLE block_reason_owner_route (
    block_reason TEXT COLLATE "C" PRIMARY KEY CHECK (block_reason IN ('missing_publish_hash', 'missing_source_hash',
        'tuple_drift', 'footer_schema_drift')),
    owner_role TEXT NOT NULL CHECK (owner_role IN ('governance_lead', 'engineering_lead', 'ops_lead', 'analytics_owner',
        'data_engineer', 'exporter_maintainer', 'faq_editor', 'on_call', 'signer', 'viewer')),
    owner_user_id TEXT COLLATE "C" NOT NULL REFERENCES person (person_id),
    backup_owner_user_id TEXT COLLATE "C" NOT NULL REFERENCES person (person_id),
    sla_first_response_minutes BIGINT NOT NULL DEFAULT 30 CHECK (sla_first_response_minutes BETWEEN 1 AND 1440),
    updated_at_utc moment NOT NULL,
    updated_by_user_id TEXT COLLATE "C" NOT NULL REFERENCES person (person_id),
    version BIGINT NOT NULL CHECK (version >= 1),
    CONSTRAINT another_backup CHECK (owner_user_id <> backup_owner_user_id)
);

CREATE TABLE route_change (
    route_change_id TEXT COLLATE "C" PRIMARY KEY CHECK (route_change_id <> ''),
    block_reason TEXT COLLATE "C" NOT NULL REFERENCES block_reason_owner_route (block_reason),
    owner_role TEXT NOT NULL CHECK (owner_role IN ('governance_lead', 'engineering_lead', 'ops_lead', 'analytics_owner',
        'data_engineer', 'exporter_maintainer', 'faq_editor', 'on_call', 'signer', 'viewer')),
    owner_user_id TEXT COLLATE "C" NOT NULL REFERENCES person (person_id),
    backup_owner_user_id TEXT COLLATE "C" NOT NULL REFERENCES person (person_id),
    sla_first_response_minutes BIGINT NOT NULL CHECK (sla_first_response_minutes BETWEEN 1 AND 1440),
    proposed_by TEXT COLLATE "C" NOT NULL REFERENCES person (person_id),
    proposed_at_utc moment NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'acked', 'declined')),
    acked_by TEXT COLLATE "C" REFERENCES person (person_id),
    acked_at_utc moment,
    version BIGINT NOT NULL CHECK (version >= 1),
    CONSTRAINT another_backup CHECK (owner_user_id <> backup_owner_user_id),
    CONSTRAINT another_acks CHECK (acked_by <> proposed_by),
    CONSTRAINT acked_means_by_somebody CHECK ((status = 'pending') = (acked_by IS NULL)),
    CONSTRAINT acked_means_at_some_time CHECK ((acked_by IS NULL) = (acked_at_utc IS NULL))
);

CREATE TABLE freeze_bypass (
    freeze_bypass_id TEXT COLLATE "C" PRIMARY KEY CHECK (freeze_bypass_id <> ''),
    freeze_id TEXT NOT NULL CHECK (freeze_id <> ''),
    reason TEXT NOT NULL CHECK (length(reason) >= 20),
    requested_by TEXT COLLATE "C" NOT NULL REFERENCES person (person_id),
    approved_by TEXT COLLATE "C" NOT NULL REFERENCES person (person_id),
    created_at_utc moment NOT NULL,
    expires_at_utc moment NOT NULL,
    version BIGINT NOT NULL CHECK (version >= 1),
    CONSTRAINT two_persons CHECK (requested_by <> approved_by),
    CONSTRAINT expires_later CHECK (expires_at_utc > created_at_utc)
);

CREATE TABLE publish_snapshots (
    publish_run_id TEXT COLLATE "C" PRIMARY KEY CHECK (publish_run_id <> ''),
    publish_scope TEXT NOT NULL CHECK (publish_scope <> ''),
    freeze_id TEXT NOT NULL CHECK (freeze_id <> ''),
    lift_id TEXT NOT NULL CHECK (lift_id <> ''),
    dry_run_id TEXT NOT NULL CHECK (dry_run_id <> ''),
    publish_tuple_hash TEXT,
    source_tuple_hash TEXT,
    footer_schema_semver TEXT,
    replay_parser_contract TEXT,
    epsilon_policy_version TEXT,
    source_ref TEXT,
    artifact_ref TEXT,
    source_observed_at_utc moment,
    freeze_bypass_id TEXT COLLATE "C" REFERENCES freeze_bypass (freeze_bypass_id),
    drill BOOLEAN NOT NULL DEFAULT FALSE,
    status TEXT NOT NULL DEFAULT 'pending_gate' CHECK (status IN ('pending_gate', 'gate_passed', 'blocked')),
    block_reason TEXT CHECK (block_reason IN ('missing_publish_hash', 'missing_source_hash', 'tuple_drift',
        'footer_schema_drift')),
    created_at_utc moment NOT NULL,
    decided_at_utc moment,
    version BIGINT NOT NULL DEFAULT 0 CHECK (version >= 0),
    CONSTRAINT pending_is_undecided CHECK ((status = 'pending_gate') = (decided_at_utc IS NULL)),
    CONSTRAINT pending_is_a_feed CHECK ((status = 'pending_gate') = (version = 0)),
    CONSTRAINT blocked_has_a_reason CHECK ((status = 'blocked') = (block_reason IS NOT NULL)),
    CONSTRAINT passed_has_equal_hashes CHECK (status <> 'gate_passed' OR COALESCE(
        publish_tuple_hash ~ '^[0-9a-f]{64}$' AND publish_tuple_hash = source_tuple_hash
        AND footer_schema_semver <> '' AND source_observed_at_utc > created_at_utc, FALSE))
);
CREATE INDEX publish_snapshots_by_scope ON publish_snapshots (publish_scope, created_at_utc);

CREATE TABLE publish_replay_audit (
    publish_run_id TEXT COLLATE "C" PRIMARY KEY REFERENCES publish_snapshots (publish_run_id),
    freeze_id TEXT NOT NULL,
    lift_id TEXT NOT NULL,
    dry_run_id TEXT NOT NULL,
    publish_tuple_hash TEXT,
    source_tuple_hash TEXT,
    status TEXT NOT NULL CHECK (status IN ('gate_passed', 'blocked', 'resolved', 'withdrawn')),
    block_reason TEXT CHECK (block_reason IN ('missing_publish_hash', 'missing_source_hash', 'tuple_drift',
        'footer_schema_drift')),
    also TEXT NOT NULL,
    owner_user_id TEXT COLLATE "C" REFERENCES person (person_id),
    backup_owner_user_id TEXT COLLATE "C" REFERENCES person (person_id),
    sla_first_response_minutes BIGINT CHECK (sla_first_response_minutes BETWEEN 1 AND 1440),
    respond_by_utc moment,
    taken_by TEXT COLLATE "C" REFERENCES person (person_id),
    taken_at_utc moment,
    escalated_by TEXT COLLATE "C" REFERENCES person (person_id),
    escalated_at_utc moment,
    resolution_id TEXT COLLATE "C" REFERENCES publish_replay_audit (publish_run_id),
    rehash_sha256 TEXT,
    rehash_at_utc moment,
    drill BOOLEAN NOT NULL,
    created_at_utc moment NOT NULL,
    resolved_at_utc moment,
    version BIGINT NOT NULL CHECK (version >= 1),
    is_taken BOOLEAN NOT NULL GENERATED ALWAYS AS (taken_by IS NOT NULL) STORED,
    CONSTRAINT passed_has_equal_hashes CHECK (status <> 'gate_passed' OR COALESCE(
        publish_tuple_hash ~ '^[0-9a-f]{64}$' AND publish_tuple_hash = source_tuple_hash, FALSE)),
    CONSTRAINT blocked_has_a_reason CHECK ((status = 'gate_passed') = (block_reason IS NULL)),
    CONSTRAINT blocked_has_a_route CHECK (status = 'gate_passed' OR COALESCE(
        owner_user_id <> backup_owner_user_id AND sla_first_response_minutes > 0, FALSE)),
    CONSTRAINT respond_by_is_counted CHECK (respond_by_utc IS NOT DISTINCT FROM CASE WHEN block_reason IS NOT NULL
        THEN created_at_utc + sla_first_response_minutes * INTERVAL '1 minute' END),
    CONSTRAINT ended_has_a_time CHECK ((status IN ('resolved', 'withdrawn')) = (resolved_at_utc IS NOT NULL)),
    CONSTRAINT resolved_by_another CHECK ((status = 'resolved') = (resolution_id IS NOT NULL)
        AND COALESCE(resolution_id <> publish_run_id, TRUE)),
    CONSTRAINT withdrawn_was_hashed_again CHECK (status <> 'withdrawn' OR COALESCE(
        block_reason IN ('tuple_drift', 'missing_source_hash') AND rehash_sha256 = publish_tuple_hash
        AND rehash_at_utc > created_at_utc, FALSE)),
    CONSTRAINT taken_by_means_at CHECK ((taken_by IS NULL) = (taken_at_utc IS NULL)),
    CONSTRAINT taken_by_routed CHECK (taken_by IS NULL OR COALESCE(
        taken_by IN (owner_user_id, backup_owner_user_id) AND taken_at_utc >= created_at_utc, FALSE)),
    CONSTRAINT escalated_by_means_at CHECK ((escalated_by IS NULL) = (escalated_at_utc IS NULL))
);
-- One index for each way in which open blocks are sorted: a window anywhere in the list is as near as its first.
CREATE INDEX publish_replay_audit_by_time_left ON publish_replay_audit (is_taken, respond_by_utc, publish_run_id)
    WHERE status = 'blocked' AND drill = FALSE;
CREATE INDEX publish_replay_audit_by_blocked_at ON publish_replay_audit (created_at_utc, publish_run_id)
    WHERE status = 'blocked' AND drill = FALSE;
CREATE INDEX publish_replay_audit_by_run ON publish_replay_audit (publish_run_id)
    WHERE status = 'blocked' AND drill = FALSE;

-- Who sits at which console; the ledger says who armed it, this row until when.
CREATE TABLE presence (
    console_id TEXT COLLATE "C" PRIMARY KEY CHECK (console_id <> ''),
    person_id TEXT COLLATE "C" NOT NULL REFERENCES person (person_id),
    login TEXT NOT NULL CHECK (login <> ''),
    armed_until_utc moment,
    seen_at_utc moment NOT NULL,
    CONSTRAINT armed_for_minutes CHECK (armed_until_utc IS NULL OR armed_until_utc <= seen_at_utc + INTERVAL '15 minutes')
);

CREATE TABLE notification_outbox (
    notification_id TEXT COLLATE "C" PRIMARY KEY CHECK (notification_id <> ''),
    idempotency_key TEXT COLLATE "C" NOT NULL UNIQUE CHECK (idempotency_key <> ''),
    ledger_seq BIGINT NOT NULL REFERENCES governance_ledger (seq),
    event_class TEXT NOT NULL CHECK (event_class <> ''),
    recipient_id TEXT COLLATE "C" NOT NULL REFERENCES person (person_id),
    subject TEXT NOT NULL CHECK (subject <> ''),
    body TEXT NOT NULL,
    drill BOOLEAN NOT NULL,
    created_at_utc moment NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    last_error TEXT,
    delivered_at_utc moment
);
CREATE INDEX notification_outbox_due ON notification_outbox (created_at_utc, notification_id) WHERE delivered_at_utc IS NULL;

-- What tells an idle console that a feed moved: one row for each writing session's process, so that no two sessions
-- that live at the same time write one row, and writers never wait for each other.
CREATE TABLE change_counter (
    slot BIGINT PRIMARY KEY,
    changes BIGINT NOT NULL
);

-- What time it is in a demo, and which story it tells; in any other deployment there is no row, and none counts.
CREATE TABLE demo_clock (
    slot TEXT COLLATE "C" PRIMARY KEY CHECK (slot = 'demo'),
    anchor_real_utc moment NOT NULL,
    anchor_demo_utc moment NOT NULL,
    rate BIGINT NOT NULL CHECK (rate BETWEEN 0 AND 1000),
    seed BIGINT NOT NULL CHECK (seed BETWEEN 0 AND 4294967295)
);
