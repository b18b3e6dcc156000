-- The metric dictionary: releases and metrics, what binds to them, what was proved, and what people read about them.

CREATE TABLE dictionary_release (
    dictionary_semver TEXT COLLATE "C" PRIMARY KEY,
    major BIGINT NOT NULL CHECK (major >= 0),
    minor BIGINT NOT NULL CHECK (minor >= 0),
    patch BIGINT NOT NULL CHECK (patch >= 0),
    pre TEXT COLLATE "C" NOT NULL,
    previous_semver TEXT COLLATE "C" UNIQUE REFERENCES dictionary_release (dictionary_semver),
    document_sha256 TEXT COLLATE "C" NOT NULL UNIQUE REFERENCES artifact (sha256),
    epsilons_sha256 TEXT COLLATE "C" NOT NULL CHECK (epsilons_sha256 ~ '^[0-9a-f]{64}$'),
    metrics BIGINT NOT NULL CHECK (metrics >= 1),
    changed BIGINT NOT NULL CHECK (changed >= 1),
    released_by TEXT COLLATE "C" NOT NULL REFERENCES person (person_id),
    released_at_utc moment NOT NULL,
    version BIGINT NOT NULL CHECK (version >= 1),
    UNIQUE (major, minor, patch, pre),
    CONSTRAINT written_as_semver CHECK (dictionary_semver = CAST(major AS TEXT) || '.' || CAST(minor AS TEXT) || '.' || CAST(patch AS TEXT)
        || CASE pre WHEN '' THEN '' ELSE '-' || pre END)
);
CREATE UNIQUE INDEX dictionary_release_begins_once ON dictionary_release ((1)) WHERE previous_semver IS NULL;

CREATE TABLE metric_dictionary (
    metric_id TEXT COLLATE "C" PRIMARY KEY CHECK (metric_id ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$'),
    definition TEXT NOT NULL CHECK (definition <> ''),
    formula TEXT NOT NULL CHECK (formula <> ''),
    unit TEXT NOT NULL CHECK (unit <> ''),
    aggregation_rule TEXT COLLATE "C" NOT NULL CHECK (aggregation_rule IN ('sum', 'max', 'last_observed', 'weighted_average')),
    epsilon_class TEXT COLLATE "C" NOT NULL CHECK (epsilon_class IN ('count', 'rate_bp', 'latency_ms', 'money_minor', 'custom')),
    epsilon_abs TEXT NOT NULL CHECK (epsilon_abs ~ '^[0-9]+([.][0-9]+)?$'),
    display_label TEXT COLLATE "C" NOT NULL CHECK (display_label <> ''),
    deprecated_after moment,
    dictionary_semver TEXT COLLATE "C" NOT NULL REFERENCES dictionary_release (dictionary_semver),
    version BIGINT NOT NULL CHECK (version >= 1)
);
CREATE INDEX metric_dictionary_by_class ON metric_dictionary (epsilon_class, metric_id);
CREATE INDEX metric_dictionary_by_label ON metric_dictionary (display_label, metric_id);

CREATE TABLE bind_query (
    bind_query_id TEXT COLLATE "C" NOT NULL CHECK (bind_query_id ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$'),
    dictionary_semver TEXT COLLATE "C" NOT NULL REFERENCES dictionary_release (dictionary_semver),
    surface TEXT COLLATE "C" NOT NULL CHECK (surface IN ('leadership', 'partner_annex')),
    sql_sha256 TEXT COLLATE "C" NOT NULL REFERENCES artifact (sha256),
    active BOOLEAN NOT NULL,
    registered_by TEXT COLLATE "C" NOT NULL REFERENCES person (person_id),
    registered_at_utc moment NOT NULL,
    version BIGINT NOT NULL CHECK (version >= 1),
    PRIMARY KEY (bind_query_id, dictionary_semver)
);
CREATE INDEX bind_query_by_release ON bind_query (dictionary_semver, surface, bind_query_id);

CREATE TABLE bind_proof (
    proof_id TEXT COLLATE "C" PRIMARY KEY CHECK (proof_id ~ '^[0-9a-f]{32}$'),
    from_semver TEXT COLLATE "C" NOT NULL REFERENCES dictionary_release (dictionary_semver),
    to_semver TEXT COLLATE "C" NOT NULL REFERENCES dictionary_release (dictionary_semver),
    verdict TEXT COLLATE "C" NOT NULL CHECK (verdict IN ('pass', 'fail', 'cannot_tell')),
    metrics BIGINT NOT NULL CHECK (metrics >= 0),
    proof_sha256 TEXT COLLATE "C" NOT NULL REFERENCES artifact (sha256),
    picture_sha256 TEXT COLLATE "C" NOT NULL REFERENCES artifact (sha256),
    made_at_utc moment NOT NULL,
    version BIGINT NOT NULL CHECK (version = 1),
    CONSTRAINT nothing_proves_nothing CHECK (verdict <> 'pass' OR metrics >= 1)
);
CREATE INDEX bind_proof_by_release ON bind_proof (to_semver, made_at_utc, proof_id);

CREATE TABLE variance_check (
    variance_id TEXT COLLATE "C" PRIMARY KEY CHECK (variance_id ~ '^[0-9a-f]{32}$'),
    tuple_revision_hash TEXT COLLATE "C" NOT NULL CHECK (tuple_revision_hash ~ '^[0-9a-f]{64}$'),
    dictionary_semver TEXT COLLATE "C" NOT NULL REFERENCES dictionary_release (dictionary_semver),
    verdict TEXT COLLATE "C" NOT NULL CHECK (verdict IN ('PASS', 'FAIL')),
    metrics_total BIGINT NOT NULL CHECK (metrics_total >= 1),
    metrics_failed BIGINT NOT NULL CHECK (metrics_failed BETWEEN 0 AND metrics_total),
    owner_id TEXT COLLATE "C" NOT NULL REFERENCES person (person_id),
    backup_id TEXT COLLATE "C" NOT NULL REFERENCES person (person_id),
    artifact_uri TEXT COLLATE "C" NOT NULL CHECK (artifact_uri <> ''),
    checked_at_utc moment NOT NULL,
    version BIGINT NOT NULL CHECK (version = 1),
    CONSTRAINT a_pass_has_no_failure CHECK (verdict <> 'PASS' OR metrics_failed = 0),
    CONSTRAINT another_backup CHECK (owner_id <> backup_id)
);
CREATE INDEX variance_check_by_tuple ON variance_check (tuple_revision_hash, checked_at_utc, variance_id);

CREATE TABLE partner_annex_view (
    annex_view_version TEXT COLLATE "C" PRIMARY KEY CHECK (annex_view_version <> ''),
    dictionary_semver TEXT COLLATE "C" NOT NULL REFERENCES dictionary_release (dictionary_semver),
    footer_schema_semver TEXT COLLATE "C" NOT NULL CHECK (footer_schema_semver <> ''),
    sql_sha256 TEXT COLLATE "C" NOT NULL REFERENCES artifact (sha256),
    registered_by TEXT COLLATE "C" NOT NULL REFERENCES person (person_id),
    registered_at_utc moment NOT NULL,
    version BIGINT NOT NULL CHECK (version = 1)
);
CREATE INDEX partner_annex_view_by_release ON partner_annex_view (dictionary_semver, registered_at_utc, annex_view_version);

CREATE TABLE faq_rows (
    faq_id TEXT COLLATE "C" PRIMARY KEY CHECK (faq_id ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$'),
    dictionary_metric_id TEXT COLLATE "C" NOT NULL REFERENCES metric_dictionary (metric_id),
    question TEXT NOT NULL CHECK (question <> ''),
    annex_anchor TEXT COLLATE "C" NOT NULL CHECK (annex_anchor <> ''),
    status TEXT COLLATE "C" NOT NULL CHECK (status IN ('active', 'retired')),
    edited_by TEXT COLLATE "C" NOT NULL REFERENCES person (person_id),
    edited_at_utc moment NOT NULL,
    version BIGINT NOT NULL CHECK (version >= 1)
);
CREATE INDEX faq_rows_by_metric ON faq_rows (dictionary_metric_id, faq_id);

CREATE TABLE run_manifest (
    job_run_id TEXT COLLATE "C" NOT NULL REFERENCES reconciliation_window (job_run_id),
    side TEXT COLLATE "C" NOT NULL CHECK (side IN ('leadership', 'partner')),
    manifest_sha256 TEXT COLLATE "C" NOT NULL REFERENCES artifact (sha256),
    window_tz_policy TEXT COLLATE "C" NOT NULL CHECK (window_tz_policy = 'UTC'),
    start_inclusive moment NOT NULL,
    end_exclusive moment NOT NULL,
    tuple_revision_hash TEXT COLLATE "C" NOT NULL CHECK (tuple_revision_hash ~ '^[0-9a-f]{64}$'),
    dictionary_semver TEXT COLLATE "C" NOT NULL CHECK (dictionary_semver <> ''),
    bypass_audit_id TEXT COLLATE "C" CHECK (bypass_audit_id <> ''),
    parent_freeze_id TEXT COLLATE "C" CHECK (parent_freeze_id <> ''),
    version BIGINT NOT NULL CHECK (version = 1),
    PRIMARY KEY (job_run_id, side),
    CONSTRAINT window_runs_on CHECK (start_inclusive < end_exclusive)
);
CREATE INDEX run_manifest_by_tuple ON run_manifest (tuple_revision_hash, job_run_id, side);

-- Policies from before there were releases keep none.
ALTER TABLE epsilon_policy ADD COLUMN dictionary_semver TEXT COLLATE "C" CHECK (dictionary_semver <> '');
ALTER TABLE epsilon_policy ADD COLUMN epsilons_sha256 TEXT COLLATE "C" CHECK (epsilons_sha256 ~ '^[0-9a-f]{64}$');

-- What is cited is found at once.
CREATE INDEX reconciliation_window_by_tuple ON reconciliation_window (tuple_revision_hash, scheduled_at, job_run_id) WHERE tuple_revision_hash IS NOT NULL;
CREATE INDEX reconciliation_metric_by_id ON reconciliation_metric (metric_id, job_run_id);
CREATE INDEX publish_snapshots_by_tuple ON publish_snapshots (publish_tuple_hash, publish_run_id);
