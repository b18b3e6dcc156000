-- Governed bundles: how far each has come, what was planned where, and every run with its receipt.

CREATE TABLE bundle (
    migration_id TEXT COLLATE "C" PRIMARY KEY CHECK (migration_id ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$'),
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('postgis', 'search', 'graph', 'other')),
    intent TEXT NOT NULL CHECK (intent <> ''),
    change_class TEXT NOT NULL CHECK (change_class <> ''),
    requires_rollback BOOLEAN NOT NULL,
    has_rollback BOOLEAN NOT NULL,
    approval_reference TEXT CHECK (approval_reference <> ''),
    touches_dictionary BOOLEAN NOT NULL,
    declaration_sha256 TEXT COLLATE "C" NOT NULL REFERENCES artifact (sha256),
    scripts_sha256 TEXT COLLATE "C" NOT NULL REFERENCES artifact (sha256),
    status TEXT COLLATE "C" NOT NULL CHECK (status IN ('draft', 'approved', 'merged', 'executed_dev', 'executed_stage', 'executed_prod', 'rolled_back', 'superseded')),
    superseded_by TEXT COLLATE "C" REFERENCES bundle (migration_id),
    registered_by TEXT COLLATE "C" NOT NULL REFERENCES person (person_id),
    registered_at_utc moment NOT NULL,
    version BIGINT NOT NULL CHECK (version >= 1),
    CONSTRAINT superseded_by_another CHECK ((status = 'superseded') = (superseded_by IS NOT NULL) AND COALESCE(superseded_by <> migration_id, TRUE)),
    CONSTRAINT irreversible_is_approved CHECK (requires_rollback = TRUE OR approval_reference IS NOT NULL),
    CONSTRAINT way_back_has_scripts CHECK (requires_rollback = FALSE OR has_rollback = TRUE)
);
CREATE INDEX bundle_by_status ON bundle (status, migration_id);

CREATE TABLE bundle_plan (
    migration_id TEXT COLLATE "C" NOT NULL REFERENCES bundle (migration_id),
    environment TEXT COLLATE "C" NOT NULL CHECK (environment IN ('dev', 'stage', 'prod')),
    plan_hash TEXT COLLATE "C" NOT NULL CHECK (plan_hash ~ '^[0-9a-f]{64}$'),
    schema_fingerprint TEXT COLLATE "C" NOT NULL CHECK (schema_fingerprint <> ''),
    pre_sha256 TEXT COLLATE "C" NOT NULL REFERENCES artifact (sha256),
    post_sha256 TEXT COLLATE "C" NOT NULL REFERENCES artifact (sha256),
    diff_sha256 TEXT COLLATE "C" NOT NULL REFERENCES artifact (sha256),
    tables_touched BIGINT NOT NULL CHECK (tables_touched >= 0),
    index_delta BIGINT NOT NULL,
    rows_touched BIGINT NOT NULL CHECK (rows_touched >= 0),
    milliseconds BIGINT CHECK (milliseconds >= 0),
    planned_by TEXT COLLATE "C" NOT NULL REFERENCES person (person_id),
    planned_at_utc moment NOT NULL,
    version BIGINT NOT NULL CHECK (version >= 1),
    PRIMARY KEY (migration_id, environment)
);

CREATE TABLE bundle_run (
    run_id TEXT COLLATE "C" PRIMARY KEY CHECK (run_id <> ''),
    migration_id TEXT COLLATE "C" NOT NULL REFERENCES bundle (migration_id),
    run_type TEXT COLLATE "C" NOT NULL CHECK (run_type IN ('migration', 'approval', 'merge', 'rollback')),
    environment TEXT COLLATE "C" CHECK (environment IN ('dev', 'stage', 'prod')),
    plan_hash TEXT COLLATE "C" CHECK (plan_hash ~ '^[0-9a-f]{64}$'),
    approval_id TEXT COLLATE "C" UNIQUE REFERENCES bundle_run (run_id),
    undoes_run_id TEXT COLLATE "C" REFERENCES bundle_run (run_id),
    claimed_by TEXT COLLATE "C" NOT NULL REFERENCES person (person_id),
    approved_by TEXT COLLATE "C" REFERENCES person (person_id),
    reason TEXT NOT NULL CHECK (reason <> ''),
    claimed_at_utc moment NOT NULL,
    ended_at_utc moment,
    outcome TEXT COLLATE "C" NOT NULL CHECK (outcome IN ('running', 'applied', 'refused', 'failed', 'rolled_back', 'rollback_failed', 'interrupted')),
    detail TEXT CHECK (detail <> ''),
    receipt_sha256 TEXT COLLATE "C" REFERENCES artifact (sha256),
    pre_sha256 TEXT COLLATE "C" REFERENCES artifact (sha256),
    post_sha256 TEXT COLLATE "C" REFERENCES artifact (sha256),
    diff_sha256 TEXT COLLATE "C" REFERENCES artifact (sha256),
    version BIGINT NOT NULL CHECK (version >= 1),
    CONSTRAINT ends_with_a_receipt CHECK ((outcome = 'running') = (ended_at_utc IS NULL) AND (outcome = 'running') = (receipt_sha256 IS NULL)),
    CONSTRAINT fits_its_kind CHECK (CASE run_type WHEN 'merge' THEN outcome = 'applied' AND environment IS NULL AND plan_hash IS NULL
        WHEN 'approval' THEN outcome = 'applied' AND environment IS NOT NULL AND plan_hash IS NOT NULL AND approved_by IS NOT NULL
        WHEN 'rollback' THEN outcome <> 'applied' AND environment IS NOT NULL AND undoes_run_id IS NOT NULL
        ELSE environment IS NOT NULL AND plan_hash IS NOT NULL AND approval_id IS NOT NULL END),
    CONSTRAINT consumes_and_undoes CHECK ((run_type = 'migration' OR approval_id IS NULL) AND (run_type = 'rollback' OR undoes_run_id IS NULL)),
    CONSTRAINT what_is_made_is_seen CHECK (NOT (run_type = 'migration' AND outcome = 'applied') OR (pre_sha256 IS NOT NULL AND post_sha256 IS NOT NULL AND diff_sha256 IS NOT NULL))
);
CREATE UNIQUE INDEX bundle_run_one_at_a_time ON bundle_run (migration_id, environment) WHERE outcome = 'running';
CREATE INDEX bundle_run_by_bundle ON bundle_run (migration_id, claimed_at_utc, run_id);
