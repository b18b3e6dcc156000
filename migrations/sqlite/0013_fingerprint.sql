-- Which keys exporters landed, held against the allow-list of the migration's phase.
CREATE TABLE exporter_fingerprint (
    fingerprint_id TEXT PRIMARY KEY CHECK (length(fingerprint_id) = 32 AND length(CAST(fingerprint_id AS BLOB)) = 32 AND fingerprint_id NOT GLOB '*[^0-9a-f]*'),
    migration_id TEXT NOT NULL REFERENCES dictionary_migration_state (migration_id),
    phase TEXT NOT NULL CHECK (phase IN ('prepare', 'dual_write', 'cutover')),
    folder TEXT NOT NULL CHECK (folder <> ''),
    allowlist_sha256 TEXT CHECK (length(allowlist_sha256) = 64 AND length(CAST(allowlist_sha256 AS BLOB)) = 64 AND allowlist_sha256 NOT GLOB '*[^0-9a-f]*'),
    verdict TEXT NOT NULL CHECK (verdict IN ('pass', 'fail', 'cannot_tell')),
    exports INTEGER NOT NULL CHECK (exports >= 0),
    drifted INTEGER NOT NULL CHECK (drifted >= 0),
    keysets_sha256 TEXT CHECK (length(keysets_sha256) = 64 AND length(CAST(keysets_sha256 AS BLOB)) = 64 AND keysets_sha256 NOT GLOB '*[^0-9a-f]*'),
    evidence_sha256 TEXT NOT NULL REFERENCES artifact (sha256),
    detail TEXT NOT NULL CHECK (detail <> ''),
    observed_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(observed_at_utc, 1, 19), '+0 days') || substr(observed_at_utc, 20) IS observed_at_utc
        AND substr(observed_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    recorded_by TEXT NOT NULL REFERENCES person (person_id),
    version INTEGER NOT NULL CHECK (version = 1),
    CONSTRAINT no_more_than_there_are CHECK (drifted <= exports),
    CONSTRAINT a_pass_looked_at_something CHECK (verdict <> 'pass' OR (exports > 0 AND drifted = 0 AND allowlist_sha256 IS NOT NULL AND keysets_sha256 IS NOT NULL)),
    CONSTRAINT a_failure_names_drift CHECK (verdict <> 'fail' OR drifted > 0)
) STRICT;
CREATE INDEX exporter_fingerprint_by_time ON exporter_fingerprint (migration_id, observed_at_utc, fingerprint_id);
CREATE INDEX exporter_fingerprint_by_folder ON exporter_fingerprint (migration_id, folder, observed_at_utc, fingerprint_id);
