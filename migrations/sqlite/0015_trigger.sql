-- What follows when a migration is taken back after its cutover: exporters are deployed anew, and partners are told.
CREATE TABLE redeploy_task (
    migration_id TEXT PRIMARY KEY REFERENCES dictionary_migration_state (migration_id),
    from_semver TEXT NOT NULL REFERENCES dictionary_release (dictionary_semver),
    to_semver TEXT NOT NULL REFERENCES dictionary_release (dictionary_semver),
    owner_id TEXT NOT NULL REFERENCES person (person_id),
    opened_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(opened_at_utc, 1, 19), '+0 days') || substr(opened_at_utc, 20) IS opened_at_utc
        AND substr(opened_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    done_by TEXT REFERENCES person (person_id),
    done_reason TEXT CHECK (done_reason <> ''),
    done_at_utc TEXT
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(done_at_utc, 1, 19), '+0 days') || substr(done_at_utc, 20) IS done_at_utc
        AND substr(done_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    version INTEGER NOT NULL CHECK (version >= 1),
    CONSTRAINT goes_back_somewhere CHECK (from_semver <> to_semver),
    CONSTRAINT done_whole CHECK ((done_by IS NULL) = (done_reason IS NULL) AND (done_by IS NULL) = (done_at_utc IS NULL)),
    CONSTRAINT done_after_it_was_opened CHECK (done_at_utc >= opened_at_utc)
) STRICT;

CREATE TABLE migration_notice (
    migration_id TEXT NOT NULL REFERENCES dictionary_migration_state (migration_id),
    kind TEXT NOT NULL CHECK (kind IN ('rolled_back', 'post_mortem')),
    notice_text TEXT NOT NULL CHECK (notice_text <> ''),
    published_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(published_at_utc, 1, 19), '+0 days') || substr(published_at_utc, 20) IS published_at_utc
        AND substr(published_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    published_by TEXT NOT NULL REFERENCES person (person_id),
    version INTEGER NOT NULL CHECK (version = 1),
    PRIMARY KEY (migration_id, kind)
) STRICT;
