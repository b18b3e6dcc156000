-- Leaves: a digest of each row that a run was minted of, a side at a time, so that a drift can be explained.

CREATE TABLE publish_leaf (
    publish_run_id TEXT COLLATE "C" NOT NULL REFERENCES publish_snapshots (publish_run_id),
    side TEXT COLLATE "C" NOT NULL CHECK (side IN ('publish', 'source')),
    row_count BIGINT NOT NULL CHECK (row_count >= 1),
    sha256 TEXT CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    bytes BYTEA CHECK (length(bytes) <= 67108864),
    minted_at_utc moment NOT NULL,
    keep_until_utc moment NOT NULL,
    PRIMARY KEY (publish_run_id, side),
    CONSTRAINT kept_has_a_hash CHECK (bytes IS NULL OR sha256 IS NOT NULL),
    CONSTRAINT kept_seven_days CHECK (keep_until_utc = minted_at_utc + INTERVAL '10080 minutes')
);
