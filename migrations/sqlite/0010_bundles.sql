-- Governed bundles: how far each has come, what was planned where, and every run with its receipt.

CREATE TABLE bundle (
    migration_id TEXT PRIMARY KEY CHECK (length(migration_id) BETWEEN 1 AND 100 AND length(CAST(migration_id AS BLOB)) = length(migration_id)
        AND migration_id GLOB '[A-Za-z0-9]*' AND migration_id NOT GLOB '*[^A-Za-z0-9._-]*'),
    kind TEXT NOT NULL CHECK (kind IN ('postgis', 'search', 'graph', 'other')),
    intent TEXT NOT NULL CHECK (intent <> ''),
    change_class TEXT NOT NULL CHECK (change_class <> ''),
    requires_rollback INTEGER NOT NULL CHECK (requires_rollback IN (0, 1)),
    has_rollback INTEGER NOT NULL CHECK (has_rollback IN (0, 1)),
    approval_reference TEXT CHECK (approval_reference <> ''),
    touches_dictionary INTEGER NOT NULL CHECK (touches_dictionary IN (0, 1)),
    declaration_sha256 TEXT NOT NULL REFERENCES artifact (sha256),
    scripts_sha256 TEXT NOT NULL REFERENCES artifact (sha256),
    status TEXT NOT NULL CHECK (status IN ('draft', 'approved', 'merged', 'executed_dev', 'executed_stage', 'executed_prod', 'rolled_back', 'superseded')),
    superseded_by TEXT REFERENCES bundle (migration_id),
    registered_by TEXT NOT NULL REFERENCES person (person_id),
    registered_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(registered_at_utc, 1, 19), '+0 days') || substr(registered_at_utc, 20) IS registered_at_utc
        AND substr(registered_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    version INTEGER NOT NULL CHECK (version >= 1),
    CONSTRAINT superseded_by_another CHECK ((status = 'superseded') = (superseded_by IS NOT NULL) AND COALESCE(superseded_by <> migration_id, TRUE)),
    CONSTRAINT irreversible_is_approved CHECK (requires_rollback = TRUE OR approval_reference IS NOT NULL),
    CONSTRAINT way_back_has_scripts CHECK (requires_rollback = FALSE OR has_rollback = TRUE)
) STRICT;
CREATE INDEX bundle_by_status ON bundle (status, migration_id);

CREATE TABLE bundle_plan (
    migration_id TEXT NOT NULL REFERENCES bundle (migration_id),
    environment TEXT NOT NULL CHECK (environment IN ('dev', 'stage', 'prod')),
    plan_hash TEXT NOT NULL CHECK (length(plan_hash) = 64 AND length(CAST(plan_hash AS BLOB)) = 64 AND plan_hash NOT GLOB '*[^0-9a-f]*'),
    schema_fingerprint TEXT NOT NULL CHECK (schema_fingerprint <> ''),
    pre_sha256 TEXT NOT NULL REFERENCES artifact (sha256),
    post_sha256 TEXT NOT NULL REFERENCES artifact (sha256),
    diff_sha256 TEXT NOT NULL REFERENCES artifact (sha256),
    tables_touched INTEGER NOT NULL CHECK (tables_touched >= 0),
    index_delta INTEGER NOT NULL,
    rows_touched INTEGER NOT NULL CHECK (rows_touched >= 0),
    milliseconds INTEGER CHECK (milliseconds >= 0),
    planned_by TEXT NOT NULL REFERENCES person (person_id),
    planned_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(planned_at_utc, 1, 19), '+0 days') || substr(planned_at_utc, 20) IS planned_at_utc
        AND substr(planned_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    version INTEGER NOT NULL CHECK (version >= 1),
    PRIMARY KEY (migration_id, environment)
) STRICT;

CREATE TABLE bundle_run (
    run_id TEXT PRIMARY KEY CHECK (run_id <> ''),
    migration_id TEXT NOT NULL REFERENCES bundle (migration_id),
    run_type TEXT NOT NULL CHECK (run_type IN ('migration', 'approval', 'merge', 'rollback')),
    environment TEXT CHECK (environment IN ('dev', 'stage', 'prod')),
    plan_hash TEXT CHECK (length(plan_hash) = 64 AND length(CAST(plan_hash AS BLOB)) = 64 AND plan_hash NOT GLOB '*[^0-9a-f]*'),
    approval_id TEXT UNIQUE REFERENCES bundle_run (run_id),
    undoes_run_id TEXT REFERENCES bundle_run (run_id),
    claimed_by TEXT NOT NULL REFERENCES person (person_id),
    approved_by TEXT REFERENCES person (person_id),
    reason TEXT NOT NULL CHECK (reason <> ''),
    claimed_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(claimed_at_utc, 1, 19), '+0 days') || substr(claimed_at_utc, 20) IS claimed_at_utc
        AND substr(claimed_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    ended_at_utc TEXT
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(ended_at_utc, 1, 19), '+0 days') || substr(ended_at_utc, 20) IS ended_at_utc
        AND substr(ended_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    outcome TEXT NOT NULL CHECK (outcome IN ('running', 'applied', 'refused', 'failed', 'rolled_back', 'rollback_failed', 'interrupted')),
    detail TEXT CHECK (detail <> ''),
    receipt_sha256 TEXT REFERENCES artifact (sha256),
    pre_sha256 TEXT REFERENCES artifact (sha256),
    post_sha256 TEXT REFERENCES artifact (sha256),
    diff_sha256 TEXT REFERENCES artifact (sha256),
    version INTEGER NOT NULL CHECK (version >= 1),
    CONSTRAINT ends_with_a_receipt CHECK ((outcome = 'running') = (ended_at_utc IS NULL) AND (outcome = 'running') = (receipt_sha256 IS NULL)),
    CONSTRAINT fits_its_kind CHECK (CASE run_type WHEN 'merge' THEN outcome = 'applied' AND environment IS NULL AND plan_hash IS NULL
        WHEN 'approval' THEN outcome = 'applied' AND environment IS NOT NULL AND plan_hash IS NOT NULL AND approved_by IS NOT NULL
        WHEN 'rollback' THEN outcome <> 'applied' AND environment IS NOT NULL AND undoes_run_id IS NOT NULL
        ELSE environment IS NOT NULL AND plan_hash IS NOT NULL AND approval_id IS NOT NULL END),
    CONSTRAINT consumes_and_undoes CHECK ((run_type = 'migration' OR approval_id IS NULL) AND (run_type = 'rollback' OR undoes_run_id IS NULL)),
    CONSTRAINT what_is_made_is_seen CHECK (NOT (run_type = 'migration' AND outcome = 'applied') OR (pre_sha256 IS NOT NULL AND post_sha256 IS NOT NULL AND diff_sha256 IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX bundle_run_one_at_a_time ON bundle_run (migration_id, environment) WHERE outcome = 'running';
CREATE INDEX bundle_run_by_bundle ON bundle_run (migration_id, claimed_at_utc, run_id);
