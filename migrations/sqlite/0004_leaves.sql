-- Leaves: a digest of each row that a run was minted of, a side at a time, so that a drift can be explained.

CREATE TABLE publish_leaf (
    publish_run_id TEXT NOT NULL REFERENCES publish_snapshots (publish_run_id),
    side TEXT NOT NULL CHECK (side IN ('publish', 'source')),
    row_count INTEGER NOT NULL CHECK (row_count >= 1),
    sha256 TEXT CHECK (length(sha256) = 64 AND length(CAST(sha256 AS BLOB)) = 64 AND sha256 NOT GLOB '*[^0-9a-f]*'),
    bytes BLOB CHECK (length(bytes) <= 67108864),
    minted_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(minted_at_utc, 1, 19), '+0 days') || substr(minted_at_utc, 20) IS minted_at_utc
        AND substr(minted_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    keep_until_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(keep_until_utc, 1, 19), '+0 days') || substr(keep_until_utc, 20) IS keep_until_utc
        AND substr(keep_until_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    PRIMARY KEY (publish_run_id, side),
    CONSTRAINT kept_has_a_hash CHECK (bytes IS NULL OR sha256 IS NOT NULL),
    CONSTRAINT kept_seven_days CHECK (keep_until_utc = strftime('%Y-%m-%dT%H:%M:%S', substr(minted_at_utc, 1, 19), '10080 minutes') || substr(minted_at_utc, 20))
) STRICT;
