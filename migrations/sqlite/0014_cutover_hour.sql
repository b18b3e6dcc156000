-- The hour of a cutover: its plan, its steps, who leads it, and what was signed at its end.

CREATE TABLE cutover_plan (
    migration_id TEXT PRIMARY KEY REFERENCES dictionary_migration_state (migration_id),
    plan_sha256 TEXT NOT NULL REFERENCES artifact (sha256),
    registered_by TEXT NOT NULL REFERENCES person (person_id),
    registered_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(registered_at_utc, 1, 19), '+0 days') || substr(registered_at_utc, 20) IS registered_at_utc
        AND substr(registered_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    version INTEGER NOT NULL CHECK (version >= 1)
) STRICT;

CREATE TABLE cutover_hour (
    migration_id TEXT NOT NULL REFERENCES dictionary_migration_state (migration_id),
    hour_no INTEGER NOT NULL CHECK (hour_no >= 1),
    status TEXT NOT NULL CHECK (status IN ('running', 'done', 'aborted')),
    lead_id TEXT NOT NULL REFERENCES person (person_id),
    plan_sha256 TEXT NOT NULL REFERENCES artifact (sha256),
    begun_by TEXT NOT NULL REFERENCES person (person_id),
    begun_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(begun_at_utc, 1, 19), '+0 days') || substr(begun_at_utc, 20) IS begun_at_utc
        AND substr(begun_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    ended_by TEXT REFERENCES person (person_id),
    ended_at_utc TEXT
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(ended_at_utc, 1, 19), '+0 days') || substr(ended_at_utc, 20) IS ended_at_utc
        AND substr(ended_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    version INTEGER NOT NULL CHECK (version >= 1),
    PRIMARY KEY (migration_id, hour_no),
    CONSTRAINT ends_once CHECK ((status = 'running') = (ended_at_utc IS NULL) AND (ended_at_utc IS NULL) = (ended_by IS NULL)),
    CONSTRAINT ends_after_it_begins CHECK (ended_at_utc >= begun_at_utc)
) STRICT;
CREATE UNIQUE INDEX cutover_hour_one_at_a_time ON cutover_hour ((1)) WHERE status = 'running';

CREATE TABLE cutover_step (
    migration_id TEXT NOT NULL,
    hour_no INTEGER NOT NULL,
    step TEXT NOT NULL CHECK (step IN ('announce', 'golden', 'flip', 'purge', 'reconcile', 'complete', 'note')),
    state TEXT NOT NULL CHECK (state IN ('not_started', 'running', 'done', 'done_with_warning', 'skipped', 'failed', 'aborted')),
    attempt INTEGER NOT NULL CHECK (attempt >= 0),
    owner_id TEXT REFERENCES person (person_id),
    began_at_utc TEXT
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(began_at_utc, 1, 19), '+0 days') || substr(began_at_utc, 20) IS began_at_utc
        AND substr(began_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    ended_at_utc TEXT
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(ended_at_utc, 1, 19), '+0 days') || substr(ended_at_utc, 20) IS ended_at_utc
        AND substr(ended_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    detail TEXT CHECK (detail <> ''),
    evidence_sha256 TEXT REFERENCES artifact (sha256),
    version INTEGER NOT NULL CHECK (version >= 1),
    PRIMARY KEY (migration_id, hour_no, step),
    FOREIGN KEY (migration_id, hour_no) REFERENCES cutover_hour (migration_id, hour_no),
    CONSTRAINT begun_by_somebody CHECK ((state = 'not_started') = (attempt = 0) AND (attempt = 0) = (began_at_utc IS NULL) AND (attempt = 0) = (owner_id IS NULL)),
    CONSTRAINT ended_as_something CHECK ((state IN ('not_started', 'running')) = (ended_at_utc IS NULL) AND (ended_at_utc IS NULL) = (detail IS NULL)),
    CONSTRAINT ends_after_it_begins CHECK (ended_at_utc >= began_at_utc),
    CONSTRAINT a_flip_is_not_skipped CHECK (state <> 'skipped' OR step = 'purge')
) STRICT;

CREATE TABLE migration_signoff (
    migration_id TEXT NOT NULL REFERENCES dictionary_migration_state (migration_id),
    job_run_id TEXT NOT NULL REFERENCES reconciliation_window (job_run_id),
    signer_id TEXT NOT NULL REFERENCES person (person_id),
    flipped_by TEXT NOT NULL REFERENCES person (person_id),
    signed_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(signed_at_utc, 1, 19), '+0 days') || substr(signed_at_utc, 20) IS signed_at_utc
        AND substr(signed_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    version INTEGER NOT NULL CHECK (version = 1),
    PRIMARY KEY (migration_id, job_run_id),
    CONSTRAINT signed_by_another CHECK (signer_id <> flipped_by)
) STRICT;

CREATE TABLE migration_complete_event (
    migration_id TEXT PRIMARY KEY,
    hour_no INTEGER NOT NULL,
    dictionary_semver TEXT NOT NULL REFERENCES dictionary_release (dictionary_semver),
    footer_schema_semver TEXT NOT NULL CHECK (footer_schema_semver <> ''),
    annex_view_version TEXT NOT NULL REFERENCES partner_annex_view (annex_view_version),
    allowlist_sha256 TEXT NOT NULL CHECK (length(allowlist_sha256) = 64 AND length(CAST(allowlist_sha256 AS BLOB)) = 64 AND allowlist_sha256 NOT GLOB '*[^0-9a-f]*'),
    completed_by TEXT NOT NULL REFERENCES person (person_id),
    completed_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(completed_at_utc, 1, 19), '+0 days') || substr(completed_at_utc, 20) IS completed_at_utc
        AND substr(completed_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    version INTEGER NOT NULL CHECK (version = 1),
    FOREIGN KEY (migration_id, hour_no) REFERENCES cutover_hour (migration_id, hour_no)
) STRICT;
