-- The hour of a cutover: its plan, its steps, who leads it, and what was signed at its end.

CREATE TABLE cutover_plan (
    migration_id TEXT COLLATE "C" PRIMARY KEY REFERENCES dictionary_migration_state (migration_id),
    plan_sha256 TEXT COLLATE "C" NOT NULL REFERENCES artifact (sha256),
    registered_by TEXT COLLATE "C" NOT NULL REFERENCES person (person_id),
    registered_at_utc moment NOT NULL,
    version BIGINT NOT NULL CHECK (version >= 1)
);

CREATE TABLE cutover_hour (
    migration_id TEXT COLLATE "C" NOT NULL REFERENCES dictionary_migration_state (migration_id),
    hour_no BIGINT NOT NULL CHECK (hour_no >= 1),
    status TEXT COLLATE "C" NOT NULL CHECK (status IN ('running', 'done', 'aborted')),
    lead_id TEXT COLLATE "C" NOT NULL REFERENCES person (person_id),
    plan_sha256 TEXT COLLATE "C" NOT NULL REFERENCES artifact (sha256),
    begun_by TEXT COLLATE "C" NOT NULL REFERENCES person (person_id),
    begun_at_utc moment NOT NULL,
    ended_by TEXT COLLATE "C" REFERENCES person (person_id),
    ended_at_utc moment,
    version BIGINT NOT NULL CHECK (version >= 1),
    PRIMARY KEY (migration_id, hour_no),
    CONSTRAINT ends_once CHECK ((status = 'running') = (ended_at_utc IS NULL) AND (ended_at_utc IS NULL) = (ended_by IS NULL)),
    CONSTRAINT ends_after_it_begins CHECK (ended_at_utc >= begun_at_utc)
);
CREATE UNIQUE INDEX cutover_hour_one_at_a_time ON cutover_hour ((1)) WHERE status = 'running';

CREATE TABLE cutover_step (
    migration_id TEXT COLLATE "C" NOT NULL,
    hour_no BIGINT NOT NULL,
    step TEXT COLLATE "C" NOT NULL CHECK (step IN ('announce', 'golden', 'flip', 'purge', 'reconcile', 'complete', 'note')),
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('not_started', 'running', 'done', 'done_with_warning', 'skipped', 'failed', 'aborted')),
    attempt BIGINT NOT NULL CHECK (attempt >= 0),
    owner_id TEXT COLLATE "C" REFERENCES person (person_id),
    began_at_utc moment,
    ended_at_utc moment,
    detail TEXT COLLATE "C" CHECK (detail <> ''),
    evidence_sha256 TEXT COLLATE "C" REFERENCES artifact (sha256),
    version BIGINT NOT NULL CHECK (version >= 1),
    PRIMARY KEY (migration_id, hour_no, step),
    FOREIGN KEY (migration_id, hour_no) REFERENCES cutover_hour (migration_id, hour_no),
    CONSTRAINT begun_by_somebody CHECK ((state = 'not_started') = (attempt = 0) AND (attempt = 0) = (began_at_utc IS NULL) AND (attempt = 0) = (owner_id IS NULL)),
    CONSTRAINT ended_as_something CHECK ((state IN ('not_started', 'running')) = (ended_at_utc IS NULL) AND (ended_at_utc IS NULL) = (detail IS NULL)),
    CONSTRAINT ends_after_it_begins CHECK (ended_at_utc >= began_at_utc),
    CONSTRAINT a_flip_is_not_skipped CHECK (state <> 'skipped' OR step = 'purge')
);

CREATE TABLE migration_signoff (
    migration_id TEXT COLLATE "C" NOT NULL REFERENCES dictionary_migration_state (migration_id),
    job_run_id TEXT COLLATE "C" NOT NULL REFERENCES reconciliation_window (job_run_id),
    signer_id TEXT COLLATE "C" NOT NULL REFERENCES person (person_id),
    flipped_by TEXT COLLATE "C" NOT NULL REFERENCES person (person_id),
    signed_at_utc moment NOT NULL,
    version BIGINT NOT NULL CHECK (version = 1),
    PRIMARY KEY (migration_id, job_run_id),
    CONSTRAINT signed_by_another CHECK (signer_id <> flipped_by)
);

CREATE TABLE migration_complete_event (
    migration_id TEXT COLLATE "C" PRIMARY KEY,
    hour_no BIGINT NOT NULL,
    dictionary_semver TEXT COLLATE "C" NOT NULL REFERENCES dictionary_release (dictionary_semver),
    footer_schema_semver TEXT COLLATE "C" NOT NULL CHECK (footer_schema_semver <> ''),
    annex_view_version TEXT COLLATE "C" NOT NULL REFERENCES partner_annex_view (annex_view_version),
    allowlist_sha256 TEXT COLLATE "C" NOT NULL CHECK (allowlist_sha256 ~ '^[0-9a-f]{64}$'),
    completed_by TEXT COLLATE "C" NOT NULL REFERENCES person (person_id),
    completed_at_utc moment NOT NULL,
    version BIGINT NOT NULL CHECK (version = 1),
    FOREIGN KEY (migration_id, hour_no) REFERENCES cutover_hour (migration_id, hour_no)
);
