-- What follows when a migration is taken back after its cutover: exporters are deployed anew, and partners are told.
CREATE TABLE redeploy_task (
    migration_id TEXT COLLATE "C" PRIMARY KEY REFERENCES dictionary_migration_state (migration_id),
    from_semver TEXT COLLATE "C" NOT NULL REFERENCES dictionary_release (dictionary_semver),
    to_semver TEXT COLLATE "C" NOT NULL REFERENCES dictionary_release (dictionary_semver),
    owner_id TEXT COLLATE "C" NOT NULL REFERENCES person (person_id),
    opened_at_utc moment NOT NULL,
    done_by TEXT COLLATE "C" REFERENCES person (person_id),
    done_reason TEXT CHECK (done_reason <> ''),
    done_at_utc moment,
    version BIGINT NOT NULL CHECK (version >= 1),
    CONSTRAINT goes_back_somewhere CHECK (from_semver <> to_semver),
    CONSTRAINT done_whole CHECK ((done_by IS NULL) = (done_reason IS NULL) AND (done_by IS NULL) = (done_at_utc IS NULL)),
    CONSTRAINT done_after_it_was_opened CHECK (done_at_utc >= opened_at_utc)
);

CREATE TABLE migration_notice (
    migration_id TEXT COLLATE "C" NOT NULL REFERENCES dictionary_migration_state (migration_id),
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('rolled_back', 'post_mortem')),
    notice_text TEXT NOT NULL CHECK (notice_text <> ''),
    published_at_utc moment NOT NULL,
    published_by TEXT COLLATE "C" NOT NULL REFERENCES person (person_id),
    version BIGINT NOT NULL CHECK (version = 1),
    PRIMARY KEY (migration_id, kind)
);
