-- The ground floor: the ledger, people, and the publish gate's tables.
-- Times are text of one fixed width (27 characters, UTC), so that text order is time order. What a CHECK
-- cannot say stands in the walls, the triggers that `govdeck init` installs from src/store/walls on both databases.

CREATE TABLE artifact (
    sha256 TEXT PRIMARY KEY CHECK (length(sha256) = 64 AND length(CAST(sha256 AS BLOB)) = 64 AND sha256 NOT GLOB '*[^0-9a-f]*'),
    media_type TEXT NOT NULL CHECK (media_type <> ''),
    bytes BLOB NOT NULL CHECK (length(bytes) <= 67108864),
    created_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(created_at_utc, 1, 19), '+0 days') || substr(created_at_utc, 20) IS created_at_utc
        AND substr(created_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z')
) STRICT;

CREATE TABLE person (
    person_id TEXT PRIMARY KEY CHECK (length(person_id) BETWEEN 1 AND 64 AND length(CAST(person_id AS BLOB)) = length(person_id)
        AND person_id GLOB '[a-z0-9]*' AND person_id NOT GLOB '*[^a-z0-9._-]*'),
    kind TEXT NOT NULL CHECK (kind IN ('human', 'service')),
    display_name TEXT NOT NULL CHECK (display_name <> ''),
    login TEXT UNIQUE CHECK (login <> ''),
    active INTEGER NOT NULL CHECK (active IN (0, 1)),
    created_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(created_at_utc, 1, 19), '+0 days') || substr(created_at_utc, 20) IS created_at_utc
        AND substr(created_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    version INTEGER NOT NULL CHECK (version >= 1)
) STRICT;

CREATE TABLE governance_ledger (
    seq INTEGER PRIMARY KEY CHECK (seq >= 1),
    ticket TEXT NOT NULL UNIQUE CHECK (length(ticket) = 32 AND length(CAST(ticket AS BLOB)) = 32 AND ticket NOT GLOB '*[^0-9a-f]*'),
    action TEXT NOT NULL CHECK (action <> ''),
    basis TEXT NOT NULL CHECK (basis IN ('person', 'rule')),
    actor_id TEXT NOT NULL REFERENCES person (person_id) DEFERRABLE INITIALLY DEFERRED,
    login TEXT NOT NULL,
    attestation TEXT NOT NULL CHECK (attestation IN ('signed', 'login', 'unattested')),
    target_kind TEXT NOT NULL,
    target_id TEXT NOT NULL,
    target_version INTEGER NOT NULL CHECK (target_version >= 0),
    state_hash TEXT NOT NULL CHECK (length(state_hash) = 64 AND length(CAST(state_hash AS BLOB)) = 64 AND state_hash NOT GLOB '*[^0-9a-f]*'),
    card_sha256 TEXT NOT NULL UNIQUE REFERENCES artifact (sha256),
    reason TEXT,
    change_count INTEGER NOT NULL CHECK (change_count >= 0),
    evidence_count INTEGER NOT NULL CHECK (evidence_count >= 0),
    at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(at_utc, 1, 19), '+0 days') || substr(at_utc, 20) IS at_utc
        AND substr(at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    clock_anomaly INTEGER NOT NULL CHECK (clock_anomaly IN (0, 1)),
    prev_hash TEXT NOT NULL UNIQUE CHECK (length(prev_hash) = 64 AND length(CAST(prev_hash AS BLOB)) = 64 AND prev_hash NOT GLOB '*[^0-9a-f]*'),
    hash TEXT NOT NULL UNIQUE CHECK (length(hash) = 64 AND length(CAST(hash AS BLOB)) = 64 AND hash NOT GLOB '*[^0-9a-f]*')
) STRICT;

CREATE INDEX governance_ledger_by_time ON governance_ledger (at_utc);

CREATE TABLE ledger_head (
    seq INTEGER NOT NULL CHECK (seq >= 0),
    hash TEXT NOT NULL CHECK (length(hash) = 64 AND length(CAST(hash AS BLOB)) = 64 AND hash NOT GLOB '*[^0-9a-f]*'),
    at_utc TEXT
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(at_utc, 1, 19), '+0 days') || substr(at_utc, 20) IS at_utc
        AND substr(at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z')
) STRICT;
CREATE UNIQUE INDEX ledger_head_is_one ON ledger_head ((1));
INSERT INTO ledger_head (seq, hash, at_utc) VALUES (0, '0000000000000000000000000000000000000000000000000000000000000000', NULL);

CREATE TABLE ledger_change (
    table_name TEXT NOT NULL,
    row_key TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version >= 1),
    seq INTEGER NOT NULL REFERENCES governance_ledger (seq),
    row_sha256 TEXT NOT NULL CHECK (length(row_sha256) = 64 AND length(CAST(row_sha256 AS BLOB)) = 64 AND row_sha256 NOT GLOB '*[^0-9a-f]*'),
    after_image TEXT NOT NULL,
    PRIMARY KEY (table_name, row_key, version)
) STRICT;
CREATE INDEX ledger_change_by_seq ON ledger_change (seq);

CREATE TABLE ledger_artifact (
    seq INTEGER NOT NULL REFERENCES governance_ledger (seq),
    role TEXT NOT NULL CHECK (role <> ''),
    sha256 TEXT NOT NULL REFERENCES artifact (sha256),
    PRIMARY KEY (seq, role, sha256)
) STRICT;

CREATE TABLE deployment (
    deployment_id TEXT PRIMARY KEY CHECK (length(deployment_id) = 32 AND length(CAST(deployment_id AS BLOB)) = 32 AND deployment_id NOT GLOB '*[^0-9a-f]*'),
    name TEXT NOT NULL CHECK (name <> ''),
    environment TEXT NOT NULL CHECK (environment IN ('prod', 'staging', 'dev', 'demo')),
    created_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(created_at_utc, 1, 19), '+0 days') || substr(created_at_utc, 20) IS created_at_utc
        AND substr(created_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    version INTEGER NOT NULL CHECK (version >= 1)
) STRICT;
CREATE UNIQUE INDEX deployment_is_one ON deployment ((1));

CREATE TABLE person_role (
    person_id TEXT NOT NULL REFERENCES person (person_id),
    role TEXT NOT NULL CHECK (role IN ('governance_lead', 'engineering_lead', 'ops_lead', 'analytics_owner',
        'data_engineer', 'exporter_maintainer', 'faq_editor', 'on_call', 'signer', 'viewer')),
    active INTEGER NOT NULL CHECK (active IN (0, 1)),
    granted_by TEXT NOT NULL REFERENCES person (person_id),
    granted_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(granted_at_utc, 1, 19), '+0 days') || substr(granted_at_utc, 20) IS granted_at_utc
        AND substr(granted_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    version INTEGER NOT NULL CHECK (version >= 1),
    PRIMARY KEY (person_id, role)
) STRICT;

CREATE TABLE footer_schema_registry (
    slot TEXT PRIMARY KEY CHECK (slot = 'current'),
    current_semver TEXT NOT NULL CHECK (current_semver <> ''),
    updated_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(updated_at_utc, 1, 19), '+0 days') || substr(updated_at_utc, 20) IS updated_at_utc
        AND substr(updated_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    updated_by_user_id TEXT NOT NULL REFERENCES person (person_id),
    version INTEGER NOT NULL CHECK (version >= 1)
) STRICT;

CREATE TABLE block_reason_owner_route (
    block_reason TEXT PRIMARY KEY CHECK (block_reason IN ('missing_publish_hash', 'missing_source_hash',
        'tuple_drift', 'footer_schema_drift')),
    owner_role TEXT NOT NULL CHECK (owner_role IN ('governance_lead', 'engineering_lead', 'ops_lead', 'analytics_owner',
        'data_engineer', 'exporter_maintainer', 'faq_editor', 'on_call', 'signer', 'viewer')),
    owner_user_id TEXT NOT NULL REFERENCES person (person_id),
    backup_owner_user_id TEXT NOT NULL REFERENCES person (person_id),
    sla_first_response_minutes INTEGER NOT NULL DEFAULT 30 CHECK (sla_first_response_minutes BETWEEN 1 AND 1440),
    updated_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(updated_at_utc, 1, 19), '+0 days') || substr(updated_at_utc, 20) IS updated_at_utc
        AND substr(updated_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    updated_by_user_id TEXT NOT NULL REFERENCES person (person_id),
    version INTEGER NOT NULL CHECK (version >= 1),
    CONSTRAINT another_backup CHECK (owner_user_id <> backup_owner_user_id)
) STRICT;

CREATE TABLE route_change (
    route_change_id TEXT PRIMARY KEY CHECK (route_change_id <> ''),
    block_reason TEXT NOT NULL REFERENCES block_reason_owner_route (block_reason),
    owner_role TEXT NOT NULL CHECK (owner_role IN ('governance_lead', 'engineering_lead', 'ops_lead', 'analytics_owner',
        'data_engineer', 'exporter_maintainer', 'faq_editor', 'on_call', 'signer', 'viewer')),
    owner_user_id TEXT NOT NULL REFERENCES person (person_id),
    backup_owner_user_id TEXT NOT NULL REFERENCES person (person_id),
    sla_first_response_minutes INTEGER NOT NULL CHECK (sla_first_response_minutes BETWEEN 1 AND 1440),
    proposed_by TEXT NOT NULL REFERENCES person (person_id),
    proposed_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(proposed_at_utc, 1, 19), '+0 days') || substr(proposed_at_utc, 20) IS proposed_at_utc
        AND substr(proposed_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    status TEXT NOT NULL CHECK (status IN ('pending', 'acked', 'declined')),
    acked_by TEXT REFERENCES person (person_id),
    acked_at_utc TEXT
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(acked_at_utc, 1, 19), '+0 days') || substr(acked_at_utc, 20) IS acked_at_utc
        AND substr(acked_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    version INTEGER NOT NULL CHECK (version >= 1),
    CONSTRAINT another_backup CHECK (owner_user_id <> backup_owner_user_id),
    CONSTRAINT another_acks CHECK (acked_by <> proposed_by),
    CONSTRAINT acked_means_by_somebody CHECK ((status = 'pending') = (acked_by IS NULL)),
    CONSTRAINT acked_means_at_some_time CHECK ((acked_by IS NULL) = (acked_at_utc IS NULL))
) STRICT;

CREATE TABLE freeze_bypass (
    freeze_bypass_id TEXT PRIMARY KEY CHECK (freeze_bypass_id <> ''),
    freeze_id TEXT NOT NULL CHECK (freeze_id <> ''),
    reason TEXT NOT NULL CHECK (length(reason) >= 20),
    requested_by TEXT NOT NULL REFERENCES person (person_id),
    approved_by TEXT NOT NULL REFERENCES person (person_id),
    created_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(created_at_utc, 1, 19), '+0 days') || substr(created_at_utc, 20) IS created_at_utc
        AND substr(created_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    expires_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(expires_at_utc, 1, 19), '+0 days') || substr(expires_at_utc, 20) IS expires_at_utc
        AND substr(expires_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    version INTEGER NOT NULL CHECK (version >= 1),
    CONSTRAINT two_persons CHECK (requested_by <> approved_by),
    CONSTRAINT expires_later CHECK (expires_at_utc > created_at_utc)
) STRICT;

CREATE TABLE publish_snapshots (
    publish_run_id TEXT PRIMARY KEY CHECK (publish_run_id <> ''),
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
    source_observed_at_utc TEXT
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(source_observed_at_utc, 1, 19), '+0 days') || substr(source_observed_at_utc, 20) IS source_observed_at_utc
        AND substr(source_observed_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    freeze_bypass_id TEXT REFERENCES freeze_bypass (freeze_bypass_id),
    drill INTEGER NOT NULL DEFAULT 0 CHECK (drill IN (0, 1)),
    status TEXT NOT NULL DEFAULT 'pending_gate' CHECK (status IN ('pending_gate', 'gate_passed', 'blocked')),
    block_reason TEXT CHECK (block_reason IN ('missing_publish_hash', 'missing_source_hash', 'tuple_drift',
        'footer_schema_drift')),
    created_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(created_at_utc, 1, 19), '+0 days') || substr(created_at_utc, 20) IS created_at_utc
        AND substr(created_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    decided_at_utc TEXT
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(decided_at_utc, 1, 19), '+0 days') || substr(decided_at_utc, 20) IS decided_at_utc
        AND substr(decided_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    version INTEGER NOT NULL DEFAULT 0 CHECK (version >= 0),
    CONSTRAINT pending_is_undecided CHECK ((status = 'pending_gate') = (decided_at_utc IS NULL)),
    CONSTRAINT pending_is_a_feed CHECK ((status = 'pending_gate') = (version = 0)),
    CONSTRAINT blocked_has_a_reason CHECK ((status = 'blocked') = (block_reason IS NOT NULL)),
    CONSTRAINT passed_has_equal_hashes CHECK (status <> 'gate_passed' OR COALESCE(
        (length(publish_tuple_hash) = 64 AND length(CAST(publish_tuple_hash AS BLOB)) = 64 AND publish_tuple_hash NOT GLOB '*[^0-9a-f]*') AND publish_tuple_hash = source_tuple_hash
        AND footer_schema_semver <> '' AND source_observed_at_utc > created_at_utc, FALSE))
) STRICT;
CREATE INDEX publish_snapshots_by_scope ON publish_snapshots (publish_scope, created_at_utc);

CREATE TABLE publish_replay_audit (
    publish_run_id TEXT PRIMARY KEY REFERENCES publish_snapshots (publish_run_id),
    freeze_id TEXT NOT NULL,
    lift_id TEXT NOT NULL,
    dry_run_id TEXT NOT NULL,
    publish_tuple_hash TEXT,
    source_tuple_hash TEXT,
    status TEXT NOT NULL CHECK (status IN ('gate_passed', 'blocked', 'resolved', 'withdrawn')),
    block_reason TEXT CHECK (block_reason IN ('missing_publish_hash', 'missing_source_hash', 'tuple_drift',
        'footer_schema_drift')),
    also TEXT NOT NULL,
    owner_user_id TEXT REFERENCES person (person_id),
    backup_owner_user_id TEXT REFERENCES person (person_id),
    sla_first_response_minutes INTEGER CHECK (sla_first_response_minutes BETWEEN 1 AND 1440),
    respond_by_utc TEXT
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(respond_by_utc, 1, 19), '+0 days') || substr(respond_by_utc, 20) IS respond_by_utc
        AND substr(respond_by_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    taken_by TEXT REFERENCES person (person_id),
    taken_at_utc TEXT
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(taken_at_utc, 1, 19), '+0 days') || substr(taken_at_utc, 20) IS taken_at_utc
        AND substr(taken_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    escalated_by TEXT REFERENCES person (person_id),
    escalated_at_utc TEXT
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(escalated_at_utc, 1, 19), '+0 days') || substr(escalated_at_utc, 20) IS escalated_at_utc
        AND substr(escalated_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    resolution_id TEXT REFERENCES publish_replay_audit (publish_run_id),
    rehash_sha256 TEXT,
    rehash_at_utc TEXT
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(rehash_at_utc, 1, 19), '+0 days') || substr(rehash_at_utc, 20) IS rehash_at_utc
        AND substr(rehash_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    drill INTEGER NOT NULL CHECK (drill IN (0, 1)),
    created_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(created_at_utc, 1, 19), '+0 days') || substr(created_at_utc, 20) IS created_at_utc
        AND substr(created_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    resolved_at_utc TEXT
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(resolved_at_utc, 1, 19), '+0 days') || substr(resolved_at_utc, 20) IS resolved_at_utc
        AND substr(resolved_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    version INTEGER NOT NULL CHECK (version >= 1),
    is_taken INTEGER NOT NULL GENERATED ALWAYS AS (taken_by IS NOT NULL) STORED,
    CONSTRAINT passed_has_equal_hashes CHECK (status <> 'gate_passed' OR COALESCE(
        (length(publish_tuple_hash) = 64 AND length(CAST(publish_tuple_hash AS BLOB)) = 64 AND publish_tuple_hash NOT GLOB '*[^0-9a-f]*') AND publish_tuple_hash = source_tuple_hash, FALSE)),
    CONSTRAINT blocked_has_a_reason CHECK ((status = 'gate_passed') = (block_reason IS NULL)),
    CONSTRAINT blocked_has_a_route CHECK (status = 'gate_passed' OR COALESCE(
        owner_user_id <> backup_owner_user_id AND sla_first_response_minutes > 0, FALSE)),
    CONSTRAINT respond_by_is_counted CHECK (respond_by_utc IS CASE WHEN block_reason IS NOT NULL
        THEN strftime('%Y-%m-%dT%H:%M:%S', substr(created_at_utc, 1, 19), sla_first_response_minutes || ' minutes')
        || substr(created_at_utc, 20) END),
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
) STRICT;
-- One index for each way in which open blocks are sorted: a window anywhere in the list is as near as its first.
CREATE INDEX publish_replay_audit_by_time_left ON publish_replay_audit (is_taken, respond_by_utc, publish_run_id)
    WHERE status = 'blocked' AND drill = FALSE;
CREATE INDEX publish_replay_audit_by_blocked_at ON publish_replay_audit (created_at_utc, publish_run_id)
    WHERE status = 'blocked' AND drill = FALSE;
CREATE INDEX publish_replay_audit_by_run ON publish_replay_audit (publish_run_id)
    WHERE status = 'blocked' AND drill = FALSE;

-- Who sits at which console; the ledger says who armed it, this row until when.
CREATE TABLE presence (
    console_id TEXT PRIMARY KEY CHECK (console_id <> ''),
    person_id TEXT NOT NULL REFERENCES person (person_id),
    login TEXT NOT NULL CHECK (login <> ''),
    armed_until_utc TEXT
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(armed_until_utc, 1, 19), '+0 days') || substr(armed_until_utc, 20) IS armed_until_utc
        AND substr(armed_until_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    seen_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(seen_at_utc, 1, 19), '+0 days') || substr(seen_at_utc, 20) IS seen_at_utc
        AND substr(seen_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    CONSTRAINT armed_for_minutes CHECK (armed_until_utc IS NULL OR armed_until_utc
        <= strftime('%Y-%m-%dT%H:%M:%S', substr(seen_at_utc, 1, 19), '15 minutes') || substr(seen_at_utc, 20))
) STRICT;

CREATE TABLE notification_outbox (
    notification_id TEXT PRIMARY KEY CHECK (notification_id <> ''),
    idempotency_key TEXT NOT NULL UNIQUE CHECK (idempotency_key <> ''),
    ledger_seq INTEGER NOT NULL REFERENCES governance_ledger (seq),
    event_class TEXT NOT NULL CHECK (event_class <> ''),
    recipient_id TEXT NOT NULL REFERENCES person (person_id),
    subject TEXT NOT NULL CHECK (subject <> ''),
    body TEXT NOT NULL,
    drill INTEGER NOT NULL CHECK (drill IN (0, 1)),
    created_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(created_at_utc, 1, 19), '+0 days') || substr(created_at_utc, 20) IS created_at_utc
        AND substr(created_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    last_error TEXT,
    delivered_at_utc TEXT
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(delivered_at_utc, 1, 19), '+0 days') || substr(delivered_at_utc, 20) IS delivered_at_utc
        AND substr(delivered_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z')
) STRICT;
CREATE INDEX notification_outbox_due ON notification_outbox (created_at_utc, notification_id) WHERE delivered_at_utc IS NULL;

-- What time it is in a demo, and which story it tells; in any other deployment there is no row, and none counts.
CREATE TABLE demo_clock (
    slot TEXT PRIMARY KEY CHECK (slot = 'demo'),
    anchor_real_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(anchor_real_utc, 1, 19), '+0 days') || substr(anchor_real_utc, 20) IS anchor_real_utc
        AND substr(anchor_real_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    anchor_demo_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(anchor_demo_utc, 1, 19), '+0 days') || substr(anchor_demo_utc, 20) IS anchor_demo_utc
        AND substr(anchor_demo_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    rate INTEGER NOT NULL CHECK (rate BETWEEN 0 AND 1000),
    seed INTEGER NOT NULL CHECK (seed BETWEEN 0 AND 4294967295)
) STRICT;
