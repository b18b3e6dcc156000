-- How far a scan of a large dictionary has come: all rows up to a metric were looked at. None is on its way where that is NULL.
CREATE TABLE dual_write_walk (
    migration_id TEXT COLLATE "C" PRIMARY KEY REFERENCES dictionary_migration_state (migration_id),
    scan_id TEXT COLLATE "C" NOT NULL CHECK (scan_id ~ '^[0-9a-f]{32}$'),
    begun_at_utc moment NOT NULL,
    inputs_sha256 TEXT COLLATE "C" NOT NULL CHECK (inputs_sha256 ~ '^[0-9a-f]{64}$'),
    reached TEXT COLLATE "C" CHECK (reached <> ''),
    rows_counted BIGINT NOT NULL CHECK (rows_counted >= 0),
    rows_there BIGINT NOT NULL CHECK (rows_there >= 0),
    rows_seen BIGINT NOT NULL CHECK (rows_seen >= 0),
    mismatches BIGINT NOT NULL CHECK (mismatches >= 0),
    worst TEXT NOT NULL CHECK (worst <> ''),
    CONSTRAINT no_more_than_were_seen CHECK (mismatches <= rows_seen)
);

-- When the last rows were looked at, where that took more than one look.
ALTER TABLE dual_write_scan ADD COLUMN looked_until_utc moment CHECK (looked_until_utc >= scanned_at_utc);
