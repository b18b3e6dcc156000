-- How far a scan of a large dictionary has come: all rows up to a metric were looked at. None is on its way where that is NULL.
CREATE TABLE dual_write_walk (
    migration_id TEXT PRIMARY KEY REFERENCES dictionary_migration_state (migration_id),
    scan_id TEXT NOT NULL CHECK (length(scan_id) = 32 AND length(CAST(scan_id AS BLOB)) = 32 AND scan_id NOT GLOB '*[^0-9a-f]*'),
    begun_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(begun_at_utc, 1, 19), '+0 days') || substr(begun_at_utc, 20) IS begun_at_utc
        AND substr(begun_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    inputs_sha256 TEXT NOT NULL CHECK (length(inputs_sha256) = 64 AND length(CAST(inputs_sha256 AS BLOB)) = 64 AND inputs_sha256 NOT GLOB '*[^0-9a-f]*'),
    reached TEXT CHECK (reached <> ''),
    rows_counted INTEGER NOT NULL CHECK (rows_counted >= 0),
    rows_there INTEGER NOT NULL CHECK (rows_there >= 0),
    rows_seen INTEGER NOT NULL CHECK (rows_seen >= 0),
    mismatches INTEGER NOT NULL CHECK (mismatches >= 0),
    worst TEXT NOT NULL CHECK (worst <> ''),
    CONSTRAINT no_more_than_were_seen CHECK (mismatches <= rows_seen)
) STRICT;

-- When the last rows were looked at, where that took more than one look.
ALTER TABLE dual_write_scan ADD COLUMN looked_until_utc TEXT
    CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(looked_until_utc, 1, 19), '+0 days') || substr(looked_until_utc, 20) IS looked_until_utc
    AND substr(looked_until_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z')
    CHECK (looked_until_utc >= scanned_at_utc);
