-- The migration of the dictionary: where it stands, what moved it, what must hold, and what both halves of each pair said.

CREATE TABLE dictionary_migration_state (
    migration_id TEXT PRIMARY KEY CHECK (length(migration_id) BETWEEN 1 AND 100 AND length(CAST(migration_id AS BLOB)) = length(migration_id)
        AND migration_id GLOB '[A-Za-z0-9]*' AND migration_id NOT GLOB '*[^A-Za-z0-9._-]*'),
    from_semver TEXT NOT NULL REFERENCES dictionary_release (dictionary_semver),
    to_semver TEXT NOT NULL REFERENCES dictionary_release (dictionary_semver),
    attempt_no INTEGER NOT NULL CHECK (attempt_no >= 1),
    chained_from TEXT REFERENCES dictionary_migration_state (migration_id),
    phase TEXT NOT NULL CHECK (phase IN ('prepare', 'dual_write', 'cutover', 'rollback')),
    opened_at_dt_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(opened_at_dt_utc, 1, 19), '+0 days') || substr(opened_at_dt_utc, 20) IS opened_at_dt_utc
        AND substr(opened_at_dt_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    closed_at_dt_utc TEXT
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(closed_at_dt_utc, 1, 19), '+0 days') || substr(closed_at_dt_utc, 20) IS closed_at_dt_utc
        AND substr(closed_at_dt_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    opened_by TEXT NOT NULL REFERENCES person (person_id),
    rollback_reason TEXT CHECK (rollback_reason IN ('epsilon_hard', 'epsilon_soft_x2', 'cutover_step_failed', 'operator_abort')),
    banner_id TEXT CHECK (banner_id <> ''),
    watch_until TEXT
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(watch_until, 1, 19), '+0 days') || substr(watch_until, 20) IS watch_until
        AND substr(watch_until, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    version INTEGER NOT NULL CHECK (version >= 1),
    UNIQUE (from_semver, to_semver, attempt_no),
    CONSTRAINT goes_somewhere CHECK (from_semver <> to_semver),
    CONSTRAINT not_chained_to_itself CHECK (chained_from <> migration_id),
    CONSTRAINT a_rollback_has_a_reason_and_is_final CHECK ((phase = 'rollback') = (rollback_reason IS NOT NULL) AND (phase <> 'rollback' OR closed_at_dt_utc IS NOT NULL)),
    CONSTRAINT closed_where_it_may_be CHECK (closed_at_dt_utc IS NULL OR phase IN ('cutover', 'rollback')),
    CONSTRAINT watched_once_closed CHECK ((watch_until IS NOT NULL) <= (closed_at_dt_utc IS NOT NULL) AND (phase <> 'cutover' OR (closed_at_dt_utc IS NULL) = (watch_until IS NULL))),
    CONSTRAINT closes_after_it_opens CHECK (closed_at_dt_utc >= opened_at_dt_utc AND watch_until >= closed_at_dt_utc)
) STRICT;
CREATE UNIQUE INDEX dictionary_migration_one_at_a_time ON dictionary_migration_state ((1)) WHERE closed_at_dt_utc IS NULL AND phase IN ('dual_write', 'cutover');
CREATE INDEX dictionary_migration_state_by_opening ON dictionary_migration_state (opened_at_dt_utc, migration_id);

CREATE TABLE dictionary_migration_event (
    migration_id TEXT NOT NULL REFERENCES dictionary_migration_state (migration_id),
    event_no INTEGER NOT NULL CHECK (event_no >= 1),
    kind TEXT NOT NULL CHECK (kind IN ('open', 'dual_write', 'cutover', 'close', 'rollback')),
    from_phase TEXT CHECK (from_phase IN ('prepare', 'dual_write', 'cutover', 'rollback')),
    phase TEXT NOT NULL CHECK (phase IN ('prepare', 'dual_write', 'cutover', 'rollback')),
    moved_by TEXT NOT NULL REFERENCES person (person_id),
    approved_by TEXT REFERENCES person (person_id),
    reason TEXT NOT NULL CHECK (reason <> ''),
    rollback_reason TEXT CHECK (rollback_reason IN ('epsilon_hard', 'epsilon_soft_x2', 'cutover_step_failed', 'operator_abort')),
    note TEXT CHECK (note <> ''),
    needs_countersign INTEGER NOT NULL CHECK (needs_countersign IN (0, 1)),
    countersigned_by TEXT REFERENCES person (person_id),
    countersigned_at_utc TEXT
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(countersigned_at_utc, 1, 19), '+0 days') || substr(countersigned_at_utc, 20) IS countersigned_at_utc
        AND substr(countersigned_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    happened_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(happened_at_utc, 1, 19), '+0 days') || substr(happened_at_utc, 20) IS happened_at_utc
        AND substr(happened_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    version INTEGER NOT NULL CHECK (version >= 1),
    PRIMARY KEY (migration_id, event_no),
    CONSTRAINT fits_its_move CHECK (CASE kind WHEN 'open' THEN from_phase IS NULL AND phase = 'prepare' WHEN 'dual_write' THEN from_phase = 'prepare' AND phase = 'dual_write'
        WHEN 'cutover' THEN from_phase = 'dual_write' AND phase = 'cutover' WHEN 'close' THEN from_phase = 'cutover' AND phase = 'cutover'
        ELSE from_phase IN ('dual_write', 'cutover') AND phase = 'rollback' END),
    CONSTRAINT a_rollback_says_why CHECK ((kind = 'rollback') = (rollback_reason IS NOT NULL) AND (kind = 'rollback') = (note IS NOT NULL)),
    CONSTRAINT countersigned_by_another CHECK ((countersigned_by IS NULL) = (countersigned_at_utc IS NULL) AND COALESCE(countersigned_by <> moved_by, TRUE) AND (needs_countersign = TRUE OR countersigned_by IS NULL))
) STRICT;
CREATE INDEX dictionary_migration_event_by_time ON dictionary_migration_event (migration_id, happened_at_utc);

CREATE TABLE gate_owner_route (
    gate TEXT NOT NULL CHECK (gate IN ('G0a', 'G0b', 'G1', 'G2', 'G3', 'G4', 'G5', 'D1', 'D2', 'D3', 'D4', 'D5', 'D6', 'D7', 'D8')),
    role TEXT NOT NULL CHECK (role <> ''),
    person_id TEXT NOT NULL REFERENCES person (person_id),
    backup_id TEXT NOT NULL REFERENCES person (person_id),
    set_by TEXT NOT NULL REFERENCES person (person_id),
    set_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(set_at_utc, 1, 19), '+0 days') || substr(set_at_utc, 20) IS set_at_utc
        AND substr(set_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    version INTEGER NOT NULL CHECK (version >= 1),
    PRIMARY KEY (gate),
    CONSTRAINT another_backup CHECK (person_id <> backup_id)
) STRICT;

CREATE TABLE migration_evidence (
    evidence_id TEXT PRIMARY KEY CHECK (length(evidence_id) = 32 AND length(CAST(evidence_id AS BLOB)) = 32 AND evidence_id NOT GLOB '*[^0-9a-f]*'),
    migration_id TEXT NOT NULL REFERENCES dictionary_migration_state (migration_id),
    gate TEXT NOT NULL CHECK (gate IN ('G0', 'G3', 'G4', 'D5', 'D7')),
    verdict TEXT NOT NULL CHECK (verdict IN ('pass', 'fail', 'cannot_tell')),
    inputs_sha256 TEXT NOT NULL CHECK (length(inputs_sha256) = 64 AND length(CAST(inputs_sha256 AS BLOB)) = 64 AND inputs_sha256 NOT GLOB '*[^0-9a-f]*'),
    evidence_sha256 TEXT NOT NULL REFERENCES artifact (sha256),
    detail TEXT NOT NULL CHECK (detail <> ''),
    observed_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(observed_at_utc, 1, 19), '+0 days') || substr(observed_at_utc, 20) IS observed_at_utc
        AND substr(observed_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    recorded_by TEXT NOT NULL REFERENCES person (person_id),
    version INTEGER NOT NULL CHECK (version = 1)
) STRICT;
CREATE INDEX migration_evidence_by_gate ON migration_evidence (migration_id, gate, observed_at_utc, evidence_id);

CREATE TABLE gate_override (
    override_id TEXT PRIMARY KEY CHECK (length(override_id) = 32 AND length(CAST(override_id AS BLOB)) = 32 AND override_id NOT GLOB '*[^0-9a-f]*'),
    migration_id TEXT NOT NULL REFERENCES dictionary_migration_state (migration_id),
    gate TEXT NOT NULL CHECK (gate IN ('G0a', 'G0b', 'G3', 'G4', 'G5', 'D2', 'D5', 'D6', 'D7', 'D8')),
    reason TEXT NOT NULL CHECK (reason <> ''),
    requested_by TEXT NOT NULL REFERENCES person (person_id),
    approved_by TEXT NOT NULL REFERENCES person (person_id),
    granted_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(granted_at_utc, 1, 19), '+0 days') || substr(granted_at_utc, 20) IS granted_at_utc
        AND substr(granted_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    expires_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(expires_at_utc, 1, 19), '+0 days') || substr(expires_at_utc, 20) IS expires_at_utc
        AND substr(expires_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    version INTEGER NOT NULL CHECK (version = 1),
    CONSTRAINT ends_later CHECK (expires_at_utc > granted_at_utc),
    CONSTRAINT by_two CHECK (requested_by <> approved_by)
) STRICT;
CREATE INDEX gate_override_by_migration ON gate_override (migration_id, gate, expires_at_utc);

CREATE TABLE exporter_allowlist (
    migration_id TEXT NOT NULL REFERENCES dictionary_migration_state (migration_id),
    phase TEXT NOT NULL CHECK (phase IN ('prepare', 'dual_write', 'cutover')),
    allowlist_sha256 TEXT NOT NULL CHECK (length(allowlist_sha256) = 64 AND length(CAST(allowlist_sha256 AS BLOB)) = 64 AND allowlist_sha256 NOT GLOB '*[^0-9a-f]*'),
    document_sha256 TEXT NOT NULL REFERENCES artifact (sha256),
    forbidden_grew INTEGER NOT NULL CHECK (forbidden_grew IN (0, 1)),
    author_id TEXT NOT NULL REFERENCES person (person_id),
    registered_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(registered_at_utc, 1, 19), '+0 days') || substr(registered_at_utc, 20) IS registered_at_utc
        AND substr(registered_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    version INTEGER NOT NULL CHECK (version >= 1),
    PRIMARY KEY (migration_id, phase)
) STRICT;
CREATE INDEX exporter_allowlist_by_hash ON exporter_allowlist (allowlist_sha256);

CREATE TABLE allowlist_approval (
    migration_id TEXT NOT NULL REFERENCES dictionary_migration_state (migration_id),
    phase TEXT NOT NULL CHECK (phase IN ('prepare', 'dual_write', 'cutover')),
    allowlist_sha256 TEXT NOT NULL CHECK (length(allowlist_sha256) = 64 AND length(CAST(allowlist_sha256 AS BLOB)) = 64 AND allowlist_sha256 NOT GLOB '*[^0-9a-f]*'),
    approver_id TEXT NOT NULL REFERENCES person (person_id),
    reason TEXT NOT NULL CHECK (reason <> ''),
    approved_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(approved_at_utc, 1, 19), '+0 days') || substr(approved_at_utc, 20) IS approved_at_utc
        AND substr(approved_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    version INTEGER NOT NULL CHECK (version = 1),
    PRIMARY KEY (migration_id, phase, allowlist_sha256, approver_id)
) STRICT;

CREATE TABLE calendar_window (
    calendar_id TEXT PRIMARY KEY CHECK (length(calendar_id) BETWEEN 1 AND 100 AND length(CAST(calendar_id AS BLOB)) = length(calendar_id)
        AND calendar_id GLOB '[A-Za-z0-9]*' AND calendar_id NOT GLOB '*[^A-Za-z0-9._-]*'),
    kind TEXT NOT NULL CHECK (kind IN ('maintenance', 'cert')),
    starts_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(starts_at_utc, 1, 19), '+0 days') || substr(starts_at_utc, 20) IS starts_at_utc
        AND substr(starts_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    ends_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(ends_at_utc, 1, 19), '+0 days') || substr(ends_at_utc, 20) IS ends_at_utc
        AND substr(ends_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    title TEXT NOT NULL CHECK (title <> ''),
    status TEXT NOT NULL CHECK (status IN ('set', 'cancelled')),
    set_by TEXT NOT NULL REFERENCES person (person_id),
    set_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(set_at_utc, 1, 19), '+0 days') || substr(set_at_utc, 20) IS set_at_utc
        AND substr(set_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    version INTEGER NOT NULL CHECK (version >= 1),
    CONSTRAINT ends_later CHECK (ends_at_utc > starts_at_utc)
) STRICT;
CREATE INDEX calendar_window_by_end ON calendar_window (ends_at_utc, calendar_id);

CREATE TABLE dictionary_column_pair (
    migration_id TEXT NOT NULL REFERENCES dictionary_migration_state (migration_id),
    legacy_column TEXT NOT NULL CHECK (length(CAST(legacy_column AS BLOB)) BETWEEN 1 AND 56),
    modern_column TEXT NOT NULL CHECK (length(CAST(modern_column AS BLOB)) BETWEEN 1 AND 56),
    population_rule TEXT NOT NULL CHECK (population_rule <> ''),
    status TEXT NOT NULL CHECK (status IN ('active', 'withdrawn')),
    registered_by TEXT NOT NULL REFERENCES person (person_id),
    registered_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(registered_at_utc, 1, 19), '+0 days') || substr(registered_at_utc, 20) IS registered_at_utc
        AND substr(registered_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    version INTEGER NOT NULL CHECK (version >= 1),
    PRIMARY KEY (migration_id, legacy_column),
    CONSTRAINT two_columns CHECK (lower(legacy_column) <> lower(modern_column))
) STRICT;
CREATE UNIQUE INDEX dictionary_column_pair_legacy_once ON dictionary_column_pair (migration_id, lower(legacy_column)) WHERE status = 'active';
CREATE UNIQUE INDEX dictionary_column_pair_modern_once ON dictionary_column_pair (migration_id, lower(modern_column)) WHERE status = 'active';

CREATE TABLE protected_metric (
    migration_id TEXT NOT NULL REFERENCES dictionary_migration_state (migration_id),
    metric_id TEXT NOT NULL REFERENCES metric_dictionary (metric_id),
    protected_by TEXT NOT NULL REFERENCES person (person_id),
    protected_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(protected_at_utc, 1, 19), '+0 days') || substr(protected_at_utc, 20) IS protected_at_utc
        AND substr(protected_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    version INTEGER NOT NULL CHECK (version = 1),
    PRIMARY KEY (migration_id, metric_id)
) STRICT;

CREATE TABLE deficiency (
    deficiency_id TEXT PRIMARY KEY CHECK (length(deficiency_id) = 32 AND length(CAST(deficiency_id AS BLOB)) = 32 AND deficiency_id NOT GLOB '*[^0-9a-f]*'),
    kind TEXT NOT NULL CHECK (kind IN ('mismatch', 'countersign')),
    migration_id TEXT NOT NULL REFERENCES dictionary_migration_state (migration_id),
    subject TEXT NOT NULL CHECK (subject <> ''),
    owner_id TEXT NOT NULL REFERENCES person (person_id),
    detail TEXT NOT NULL CHECK (detail <> ''),
    opened_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(opened_at_utc, 1, 19), '+0 days') || substr(opened_at_utc, 20) IS opened_at_utc
        AND substr(opened_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    closed_by TEXT REFERENCES person (person_id),
    closed_reason TEXT CHECK (closed_reason <> ''),
    closed_at_utc TEXT
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(closed_at_utc, 1, 19), '+0 days') || substr(closed_at_utc, 20) IS closed_at_utc
        AND substr(closed_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    version INTEGER NOT NULL CHECK (version >= 1),
    CONSTRAINT closed_by_somebody CHECK ((closed_at_utc IS NULL) = (closed_by IS NULL) AND (closed_at_utc IS NULL) = (closed_reason IS NULL))
) STRICT;
CREATE UNIQUE INDEX deficiency_open_once ON deficiency (kind, migration_id, subject) WHERE closed_at_utc IS NULL;

CREATE TABLE governance_metric_dictionary_current (
    dictionary_metric_id TEXT NOT NULL REFERENCES metric_dictionary (metric_id),
    dimension_filter_id TEXT NOT NULL DEFAULT '',
    owning_squad TEXT NOT NULL CHECK (owning_squad <> ''),
    PRIMARY KEY (dictionary_metric_id, dimension_filter_id)
) STRICT;

CREATE TABLE dual_write_scan (
    scan_id TEXT PRIMARY KEY CHECK (length(scan_id) = 32 AND length(CAST(scan_id AS BLOB)) = 32 AND scan_id NOT GLOB '*[^0-9a-f]*'),
    migration_id TEXT NOT NULL REFERENCES dictionary_migration_state (migration_id),
    scanned_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(scanned_at_utc, 1, 19), '+0 days') || substr(scanned_at_utc, 20) IS scanned_at_utc
        AND substr(scanned_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    status TEXT NOT NULL CHECK (status IN ('whole', 'short', 'failed')),
    rows_total INTEGER NOT NULL CHECK (rows_total >= 0),
    mismatches INTEGER NOT NULL CHECK (mismatches >= 0),
    inputs_sha256 TEXT NOT NULL CHECK (length(inputs_sha256) = 64 AND length(CAST(inputs_sha256 AS BLOB)) = 64 AND inputs_sha256 NOT GLOB '*[^0-9a-f]*'),
    detail TEXT NOT NULL CHECK (detail <> ''),
    CONSTRAINT no_more_than_there_are CHECK (mismatches <= rows_total)
) STRICT;
CREATE INDEX dual_write_scan_by_time ON dual_write_scan (migration_id, scanned_at_utc, scan_id);

CREATE TABLE dual_write_scan_metric (
    scan_id TEXT NOT NULL REFERENCES dual_write_scan (scan_id),
    metric_id TEXT NOT NULL CHECK (metric_id <> ''),
    owning_squad TEXT NOT NULL CHECK (owning_squad <> ''),
    mismatches INTEGER NOT NULL CHECK (mismatches >= 1),
    PRIMARY KEY (scan_id, metric_id, owning_squad)
) STRICT;
