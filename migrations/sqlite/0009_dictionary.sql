-- The metric dictionary: releases and metrics, what binds to them, what was proved, and what people read about them.

CREATE TABLE dictionary_release (
    dictionary_semver TEXT PRIMARY KEY,
    major INTEGER NOT NULL CHECK (major >= 0),
    minor INTEGER NOT NULL CHECK (minor >= 0),
    patch INTEGER NOT NULL CHECK (patch >= 0),
    pre TEXT NOT NULL,
    previous_semver TEXT UNIQUE REFERENCES dictionary_release (dictionary_semver),
    document_sha256 TEXT NOT NULL UNIQUE REFERENCES artifact (sha256),
    epsilons_sha256 TEXT NOT NULL CHECK (length(epsilons_sha256) = 64 AND length(CAST(epsilons_sha256 AS BLOB)) = 64 AND epsilons_sha256 NOT GLOB '*[^0-9a-f]*'),
    metrics INTEGER NOT NULL CHECK (metrics >= 1),
    changed INTEGER NOT NULL CHECK (changed >= 1),
    released_by TEXT NOT NULL REFERENCES person (person_id),
    released_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(released_at_utc, 1, 19), '+0 days') || substr(released_at_utc, 20) IS released_at_utc
        AND substr(released_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    version INTEGER NOT NULL CHECK (version >= 1),
    UNIQUE (major, minor, patch, pre),
    CONSTRAINT written_as_semver CHECK (dictionary_semver = CAST(major AS TEXT) || '.' || CAST(minor AS TEXT) || '.' || CAST(patch AS TEXT)
        || CASE pre WHEN '' THEN '' ELSE '-' || pre END)
) STRICT;
CREATE UNIQUE INDEX dictionary_release_begins_once ON dictionary_release ((1)) WHERE previous_semver IS NULL;

CREATE TABLE metric_dictionary (
    metric_id TEXT PRIMARY KEY CHECK (length(metric_id) BETWEEN 1 AND 100 AND length(CAST(metric_id AS BLOB)) = length(metric_id)
        AND metric_id GLOB '[A-Za-z0-9]*' AND metric_id NOT GLOB '*[^A-Za-z0-9._-]*'),
    definition TEXT NOT NULL CHECK (definition <> ''),
    formula TEXT NOT NULL CHECK (formula <> ''),
    unit TEXT NOT NULL CHECK (unit <> ''),
    aggregation_rule TEXT NOT NULL CHECK (aggregation_rule IN ('sum', 'max', 'last_observed', 'weighted_average')),
    epsilon_class TEXT NOT NULL CHECK (epsilon_class IN ('count', 'rate_bp', 'latency_ms', 'money_minor', 'custom')),
    epsilon_abs TEXT NOT NULL CHECK (epsilon_abs GLOB '[0-9]*' AND epsilon_abs NOT GLOB '*[^0-9.]*' AND epsilon_abs NOT GLOB '*.*.*' AND epsilon_abs NOT GLOB '*.'),
    display_label TEXT NOT NULL CHECK (display_label <> ''),
    deprecated_after TEXT
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(deprecated_after, 1, 19), '+0 days') || substr(deprecated_after, 20) IS deprecated_after
        AND substr(deprecated_after, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    dictionary_semver TEXT NOT NULL REFERENCES dictionary_release (dictionary_semver),
    version INTEGER NOT NULL CHECK (version >= 1)
) STRICT;
CREATE INDEX metric_dictionary_by_class ON metric_dictionary (epsilon_class, metric_id);
CREATE INDEX metric_dictionary_by_label ON metric_dictionary (display_label, metric_id);

CREATE TABLE bind_query (
    bind_query_id TEXT NOT NULL CHECK (length(bind_query_id) BETWEEN 1 AND 100 AND length(CAST(bind_query_id AS BLOB)) = length(bind_query_id)
        AND bind_query_id GLOB '[A-Za-z0-9]*' AND bind_query_id NOT GLOB '*[^A-Za-z0-9._-]*'),
    dictionary_semver TEXT NOT NULL REFERENCES dictionary_release (dictionary_semver),
    surface TEXT NOT NULL CHECK (surface IN ('leadership', 'partner_annex')),
    sql_sha256 TEXT NOT NULL REFERENCES artifact (sha256),
    active INTEGER NOT NULL CHECK (active IN (0, 1)),
    registered_by TEXT NOT NULL REFERENCES person (person_id),
    registered_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(registered_at_utc, 1, 19), '+0 days') || substr(registered_at_utc, 20) IS registered_at_utc
        AND substr(registered_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    version INTEGER NOT NULL CHECK (version >= 1),
    PRIMARY KEY (bind_query_id, dictionary_semver)
) STRICT;
CREATE INDEX bind_query_by_release ON bind_query (dictionary_semver, surface, bind_query_id);

CREATE TABLE bind_proof (
    proof_id TEXT PRIMARY KEY CHECK (length(proof_id) = 32 AND length(CAST(proof_id AS BLOB)) = 32 AND proof_id NOT GLOB '*[^0-9a-f]*'),
    from_semver TEXT NOT NULL REFERENCES dictionary_release (dictionary_semver),
    to_semver TEXT NOT NULL REFERENCES dictionary_release (dictionary_semver),
    verdict TEXT NOT NULL CHECK (verdict IN ('pass', 'fail', 'cannot_tell')),
    metrics INTEGER NOT NULL CHECK (metrics >= 0),
    proof_sha256 TEXT NOT NULL REFERENCES artifact (sha256),
    picture_sha256 TEXT NOT NULL REFERENCES artifact (sha256),
    made_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(made_at_utc, 1, 19), '+0 days') || substr(made_at_utc, 20) IS made_at_utc
        AND substr(made_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    version INTEGER NOT NULL CHECK (version = 1),
    CONSTRAINT nothing_proves_nothing CHECK (verdict <> 'pass' OR metrics >= 1)
) STRICT;
CREATE INDEX bind_proof_by_release ON bind_proof (to_semver, made_at_utc, proof_id);

CREATE TABLE variance_check (
    variance_id TEXT PRIMARY KEY CHECK (length(variance_id) = 32 AND length(CAST(variance_id AS BLOB)) = 32 AND variance_id NOT GLOB '*[^0-9a-f]*'),
    tuple_revision_hash TEXT NOT NULL CHECK (length(tuple_revision_hash) = 64 AND length(CAST(tuple_revision_hash AS BLOB)) = 64 AND tuple_revision_hash NOT GLOB '*[^0-9a-f]*'),
    dictionary_semver TEXT NOT NULL REFERENCES dictionary_release (dictionary_semver),
    verdict TEXT NOT NULL CHECK (verdict IN ('PASS', 'FAIL')),
    metrics_total INTEGER NOT NULL CHECK (metrics_total >= 1),
    metrics_failed INTEGER NOT NULL CHECK (metrics_failed BETWEEN 0 AND metrics_total),
    owner_id TEXT NOT NULL REFERENCES person (person_id),
    backup_id TEXT NOT NULL REFERENCES person (person_id),
    artifact_uri TEXT NOT NULL CHECK (artifact_uri <> ''),
    checked_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(checked_at_utc, 1, 19), '+0 days') || substr(checked_at_utc, 20) IS checked_at_utc
        AND substr(checked_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    version INTEGER NOT NULL CHECK (version = 1),
    CONSTRAINT a_pass_has_no_failure CHECK (verdict <> 'PASS' OR metrics_failed = 0),
    CONSTRAINT another_backup CHECK (owner_id <> backup_id)
) STRICT;
CREATE INDEX variance_check_by_tuple ON variance_check (tuple_revision_hash, checked_at_utc, variance_id);

CREATE TABLE partner_annex_view (
    annex_view_version TEXT PRIMARY KEY CHECK (annex_view_version <> ''),
    dictionary_semver TEXT NOT NULL REFERENCES dictionary_release (dictionary_semver),
    footer_schema_semver TEXT NOT NULL CHECK (footer_schema_semver <> ''),
    sql_sha256 TEXT NOT NULL REFERENCES artifact (sha256),
    registered_by TEXT NOT NULL REFERENCES person (person_id),
    registered_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(registered_at_utc, 1, 19), '+0 days') || substr(registered_at_utc, 20) IS registered_at_utc
        AND substr(registered_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    version INTEGER NOT NULL CHECK (version = 1)
) STRICT;
CREATE INDEX partner_annex_view_by_release ON partner_annex_view (dictionary_semver, registered_at_utc, annex_view_version);

CREATE TABLE faq_rows (
    faq_id TEXT PRIMARY KEY CHECK (length(faq_id) BETWEEN 1 AND 100 AND length(CAST(faq_id AS BLOB)) = length(faq_id)
        AND faq_id GLOB '[A-Za-z0-9]*' AND faq_id NOT GLOB '*[^A-Za-z0-9._-]*'),
    dictionary_metric_id TEXT NOT NULL REFERENCES metric_dictionary (metric_id),
    question TEXT NOT NULL CHECK (question <> ''),
    annex_anchor TEXT NOT NULL CHECK (annex_anchor <> ''),
    status TEXT NOT NULL CHECK (status IN ('active', 'retired')),
    edited_by TEXT NOT NULL REFERENCES person (person_id),
    edited_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(edited_at_utc, 1, 19), '+0 days') || substr(edited_at_utc, 20) IS edited_at_utc
        AND substr(edited_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    version INTEGER NOT NULL CHECK (version >= 1)
) STRICT;
CREATE INDEX faq_rows_by_metric ON faq_rows (dictionary_metric_id, faq_id);

CREATE TABLE run_manifest (
    job_run_id TEXT NOT NULL REFERENCES reconciliation_window (job_run_id),
    side TEXT NOT NULL CHECK (side IN ('leadership', 'partner')),
    manifest_sha256 TEXT NOT NULL REFERENCES artifact (sha256),
    window_tz_policy TEXT NOT NULL CHECK (window_tz_policy = 'UTC'),
    start_inclusive TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(start_inclusive, 1, 19), '+0 days') || substr(start_inclusive, 20) IS start_inclusive
        AND substr(start_inclusive, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    end_exclusive TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(end_exclusive, 1, 19), '+0 days') || substr(end_exclusive, 20) IS end_exclusive
        AND substr(end_exclusive, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    tuple_revision_hash TEXT NOT NULL CHECK (length(tuple_revision_hash) = 64 AND length(CAST(tuple_revision_hash AS BLOB)) = 64 AND tuple_revision_hash NOT GLOB '*[^0-9a-f]*'),
    dictionary_semver TEXT NOT NULL CHECK (dictionary_semver <> ''),
    bypass_audit_id TEXT CHECK (bypass_audit_id <> ''),
    parent_freeze_id TEXT CHECK (parent_freeze_id <> ''),
    version INTEGER NOT NULL CHECK (version = 1),
    PRIMARY KEY (job_run_id, side),
    CONSTRAINT window_runs_on CHECK (start_inclusive < end_exclusive)
) STRICT;
CREATE INDEX run_manifest_by_tuple ON run_manifest (tuple_revision_hash, job_run_id, side);

-- Policies from before there were releases keep none.
ALTER TABLE epsilon_policy ADD COLUMN dictionary_semver TEXT CHECK (dictionary_semver <> '');
ALTER TABLE epsilon_policy ADD COLUMN epsilons_sha256 TEXT CHECK (length(epsilons_sha256) = 64 AND length(CAST(epsilons_sha256 AS BLOB)) = 64 AND epsilons_sha256 NOT GLOB '*[^0-9a-f]*');

-- What is cited is found at once.
CREATE INDEX reconciliation_window_by_tuple ON reconciliation_window (tuple_revision_hash, scheduled_at, job_run_id) WHERE tuple_revision_hash IS NOT NULL;
CREATE INDEX reconciliation_metric_by_id ON reconciliation_metric (metric_id, job_run_id);
CREATE INDEX publish_snapshots_by_tuple ON publish_snapshots (publish_tuple_hash, publish_run_id);
