-- Which keys exporters landed, held against the allow-list of the migration's phase.
CREATE TABLE exporter_fingerprint (
    fingerprint_id TEXT COLLATE "C" PRIMARY KEY CHECK (fingerprint_id ~ '^[0-9a-f]{32}$'),
    migration_id TEXT COLLATE "C" NOT NULL REFERENCES dictionary_migration_state (migration_id),
    phase TEXT COLLATE "C" NOT NULL CHECK (phase IN ('prepare', 'dual_write', 'cutover')),
    folder TEXT COLLATE "C" NOT NULL CHECK (folder <> ''),
    allowlist_sha256 TEXT COLLATE "C" CHECK (allowlist_sha256 ~ '^[0-9a-f]{64}$'),
    verdict TEXT COLLATE "C" NOT NULL CHECK (verdict IN ('pass', 'fail', 'cannot_tell')),
    exports BIGINT NOT NULL CHECK (exports >= 0),
    drifted BIGINT NOT NULL CHECK (drifted >= 0),
    keysets_sha256 TEXT COLLATE "C" CHECK (keysets_sha256 ~ '^[0-9a-f]{64}$'),
    evidence_sha256 TEXT COLLATE "C" NOT NULL REFERENCES artifact (sha256),
    detail TEXT NOT NULL CHECK (detail <> ''),
    observed_at_utc moment NOT NULL,
    recorded_by TEXT COLLATE "C" NOT NULL REFERENCES person (person_id),
    version BIGINT NOT NULL CHECK (version = 1),
    CONSTRAINT no_more_than_there_are CHECK (drifted <= exports),
    CONSTRAINT a_pass_looked_at_something CHECK (verdict <> 'pass' OR (exports > 0 AND drifted = 0 AND allowlist_sha256 IS NOT NULL AND keysets_sha256 IS NOT NULL)),
    CONSTRAINT a_failure_names_drift CHECK (verdict <> 'fail' OR drifted > 0)
);
CREATE INDEX exporter_fingerprint_by_time ON exporter_fingerprint (migration_id, observed_at_utc, fingerprint_id);
CREATE INDEX exporter_fingerprint_by_folder ON exporter_fingerprint (migration_id, folder, observed_at_utc, fingerprint_id);
