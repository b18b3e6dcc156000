-- Weekly reconciliation: series and their windows, policies, acks, incidents, and what people do about runs that did not pass.

CREATE TABLE epsilon_policy (
    epsilon_policy_version TEXT PRIMARY KEY CHECK (epsilon_policy_version <> ''),
    document_sha256 TEXT NOT NULL REFERENCES artifact (sha256),
    soft TEXT NOT NULL CHECK (soft GLOB '[0-9]*' AND soft NOT GLOB '*[^0-9.]*' AND soft NOT GLOB '*.*.*' AND soft NOT GLOB '*.'),
    hard TEXT NOT NULL CHECK (hard GLOB '[0-9]*' AND hard NOT GLOB '*[^0-9.]*' AND hard NOT GLOB '*.*.*' AND hard NOT GLOB '*.'),
    floor TEXT NOT NULL CHECK (floor GLOB '[0-9]*' AND floor NOT GLOB '*[^0-9.]*' AND floor NOT GLOB '*.*.*' AND floor NOT GLOB '*.'),
    backtest_sha256 TEXT NOT NULL REFERENCES artifact (sha256),
    proposed_by TEXT NOT NULL REFERENCES person (person_id),
    approved_by TEXT NOT NULL REFERENCES person (person_id),
    adopted_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(adopted_at_utc, 1, 19), '+0 days') || substr(adopted_at_utc, 20) IS adopted_at_utc
        AND substr(adopted_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    version INTEGER NOT NULL CHECK (version >= 1),
    CONSTRAINT two_persons CHECK (proposed_by <> approved_by),
    CONSTRAINT soft_below_hard CHECK (CAST(soft AS REAL) < CAST(hard AS REAL)),
    CONSTRAINT floor_above_nothing CHECK (CAST(floor AS REAL) > 0)
) STRICT;

CREATE TABLE reconciliation_series (
    series_id TEXT PRIMARY KEY CHECK (length(series_id) BETWEEN 1 AND 100 AND length(CAST(series_id AS BLOB)) = length(series_id)
        AND series_id GLOB '[a-z0-9]*' AND series_id NOT GLOB '*[^a-z0-9._-]*'),
    active INTEGER NOT NULL CHECK (active IN (0, 1)),
    first_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(first_at_utc, 1, 19), '+0 days') || substr(first_at_utc, 20) IS first_at_utc
        AND substr(first_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    every_minutes INTEGER NOT NULL CHECK (every_minutes BETWEEN 60 AND 525600),
    early_minutes INTEGER NOT NULL CHECK (early_minutes >= 0),
    grace_minutes INTEGER NOT NULL CHECK (grace_minutes >= 1),
    quorum INTEGER NOT NULL CHECK (quorum BETWEEN 1 AND 20),
    override_quorum INTEGER NOT NULL CHECK (override_quorum BETWEEN 2 AND 20),
    registered_by TEXT NOT NULL REFERENCES person (person_id),
    registered_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(registered_at_utc, 1, 19), '+0 days') || substr(registered_at_utc, 20) IS registered_at_utc
        AND substr(registered_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    version INTEGER NOT NULL CHECK (version >= 1),
    CONSTRAINT windows_never_overlap CHECK (early_minutes + grace_minutes < every_minutes)
) STRICT;

CREATE TABLE reconciliation_window (
    job_run_id TEXT PRIMARY KEY CHECK (length(job_run_id) BETWEEN 1 AND 100 AND length(CAST(job_run_id AS BLOB)) = length(job_run_id)
        AND job_run_id GLOB '[a-z0-9]*' AND job_run_id NOT GLOB '*[^a-z0-9._-]*'),
    series_id TEXT NOT NULL REFERENCES reconciliation_series (series_id),
    run_kind TEXT NOT NULL CHECK (run_kind IN ('scheduled', 'immediate', 'manual', 'drill')),
    status TEXT NOT NULL CHECK (status IN ('SCHEDULED', 'RUNNING', 'PASS', 'FAIL', 'SKIP', 'MISSED', 'INCONCLUSIVE')),
    scheduled_at TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(scheduled_at, 1, 19), '+0 days') || substr(scheduled_at, 20) IS scheduled_at
        AND substr(scheduled_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    started_at TEXT
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(started_at, 1, 19), '+0 days') || substr(started_at, 20) IS started_at
        AND substr(started_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    completed_at TEXT
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(completed_at, 1, 19), '+0 days') || substr(completed_at, 20) IS completed_at
        AND substr(completed_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    skip_reason TEXT CHECK (skip_reason IN ('maintenance', 'credential_rotation', 'manual_pause')),
    reject_reason TEXT CHECK (reject_reason <> ''),
    reject_detail TEXT,
    claim TEXT CHECK (length(claim) = 32 AND length(CAST(claim AS BLOB)) = 32 AND claim NOT GLOB '*[^0-9a-f]*'),
    claim_until TEXT
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(claim_until, 1, 19), '+0 days') || substr(claim_until, 20) IS claim_until
        AND substr(claim_until, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    triggered_by TEXT REFERENCES person (person_id),
    start_inclusive TEXT
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(start_inclusive, 1, 19), '+0 days') || substr(start_inclusive, 20) IS start_inclusive
        AND substr(start_inclusive, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    end_exclusive TEXT
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(end_exclusive, 1, 19), '+0 days') || substr(end_exclusive, 20) IS end_exclusive
        AND substr(end_exclusive, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    manifest_sha256 TEXT REFERENCES artifact (sha256),
    artifact_uri TEXT CHECK (artifact_uri <> ''),
    leadership_ingest_hash TEXT CHECK (length(leadership_ingest_hash) = 71 AND substr(leadership_ingest_hash, 1, 7) = 'sha256:' AND substr(leadership_ingest_hash, 8) NOT GLOB '*[^0-9a-f]*'),
    partner_ingest_hash TEXT CHECK (length(partner_ingest_hash) = 71 AND substr(partner_ingest_hash, 1, 7) = 'sha256:' AND substr(partner_ingest_hash, 8) NOT GLOB '*[^0-9a-f]*'),
    tuple_revision_hash TEXT CHECK (length(tuple_revision_hash) = 64 AND length(CAST(tuple_revision_hash AS BLOB)) = 64 AND tuple_revision_hash NOT GLOB '*[^0-9a-f]*'),
    dictionary_semver TEXT,
    footer_schema_semver TEXT,
    epsilon_policy_version TEXT,
    metrics_total INTEGER CHECK (metrics_total >= 1),
    metrics_failed INTEGER CHECK (metrics_failed BETWEEN 0 AND metrics_total),
    worst_metric TEXT,
    worst_ratio TEXT,
    previous_run_id TEXT REFERENCES reconciliation_window (job_run_id),
    version INTEGER NOT NULL CHECK (version >= 1),
    CONSTRAINT ended_means_at_some_time CHECK ((status IN ('PASS', 'FAIL', 'SKIP', 'MISSED', 'INCONCLUSIVE')) = (completed_at IS NOT NULL)),
    CONSTRAINT skipped_means_why CHECK ((status = 'SKIP') = (skip_reason IS NOT NULL)),
    CONSTRAINT inconclusive_means_why CHECK ((status = 'INCONCLUSIVE') = (reject_reason IS NOT NULL)),
    CONSTRAINT running_means_claimed CHECK (status <> 'RUNNING' OR (claim IS NOT NULL AND claim_until IS NOT NULL AND started_at IS NOT NULL)),
    CONSTRAINT claim_has_an_end CHECK ((claim IS NULL) = (claim_until IS NULL)),
    CONSTRAINT compared_means_evidence CHECK (status NOT IN ('PASS', 'FAIL') OR (started_at IS NOT NULL AND artifact_uri IS NOT NULL
        AND manifest_sha256 IS NOT NULL AND leadership_ingest_hash IS NOT NULL AND partner_ingest_hash IS NOT NULL
        AND tuple_revision_hash IS NOT NULL AND epsilon_policy_version IS NOT NULL AND start_inclusive IS NOT NULL
        AND end_exclusive IS NOT NULL AND metrics_total IS NOT NULL AND metrics_failed IS NOT NULL)),
    CONSTRAINT pass_means_none_failed CHECK (status <> 'PASS' OR metrics_failed = 0),
    CONSTRAINT fail_means_something CHECK (status <> 'FAIL' OR metrics_failed > 0 OR reject_detail IS NOT NULL),
    CONSTRAINT only_scheduled_is_skipped CHECK (run_kind = 'scheduled' OR status NOT IN ('SCHEDULED', 'SKIP'))
) STRICT;
CREATE UNIQUE INDEX reconciliation_window_one_a_time ON reconciliation_window (series_id, scheduled_at) WHERE run_kind = 'scheduled';
CREATE INDEX reconciliation_window_by_time ON reconciliation_window (scheduled_at, job_run_id);
CREATE INDEX reconciliation_window_open ON reconciliation_window (scheduled_at, job_run_id) WHERE status IN ('SCHEDULED', 'RUNNING');

CREATE TABLE reconciliation_metric (
    job_run_id TEXT NOT NULL REFERENCES reconciliation_window (job_run_id),
    metric_id TEXT NOT NULL,
    place INTEGER NOT NULL CHECK (place >= 1),
    protected INTEGER NOT NULL CHECK (protected IN (0, 1)),
    leadership TEXT,
    partner TEXT,
    epsilon TEXT,
    delta TEXT,
    ratio TEXT,
    verdict TEXT NOT NULL CHECK (verdict IN ('PASS', 'FAIL')),
    reason TEXT,
    owner_id TEXT,
    backup_id TEXT,
    PRIMARY KEY (job_run_id, metric_id),
    CONSTRAINT failed_means_why CHECK ((verdict = 'FAIL') = (reason IS NOT NULL))
) STRICT;
CREATE INDEX reconciliation_metric_by_place ON reconciliation_metric (job_run_id, place);

CREATE TABLE reconciliation_incident (
    incident_id TEXT PRIMARY KEY CHECK (incident_id <> ''),
    series_id TEXT NOT NULL REFERENCES reconciliation_series (series_id),
    first_run_id TEXT NOT NULL REFERENCES reconciliation_window (job_run_id),
    second_run_id TEXT NOT NULL UNIQUE REFERENCES reconciliation_window (job_run_id),
    opened_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(opened_at_utc, 1, 19), '+0 days') || substr(opened_at_utc, 20) IS opened_at_utc
        AND substr(opened_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    addendum_demanded INTEGER NOT NULL CHECK (addendum_demanded IN (0, 1)),
    acknowledged_by TEXT REFERENCES person (person_id),
    acknowledged_at_utc TEXT
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(acknowledged_at_utc, 1, 19), '+0 days') || substr(acknowledged_at_utc, 20) IS acknowledged_at_utc
        AND substr(acknowledged_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    left_by TEXT REFERENCES person (person_id),
    left_approved_by TEXT REFERENCES person (person_id),
    left_at_utc TEXT
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(left_at_utc, 1, 19), '+0 days') || substr(left_at_utc, 20) IS left_at_utc
        AND substr(left_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    left_at_run_id TEXT REFERENCES reconciliation_window (job_run_id),
    evidence TEXT,
    addendum_sha256 TEXT REFERENCES artifact (sha256),
    version INTEGER NOT NULL CHECK (version >= 1),
    CONSTRAINT two_runs CHECK (first_run_id <> second_run_id),
    CONSTRAINT acknowledged_means_by_somebody CHECK ((acknowledged_by IS NULL) = (acknowledged_at_utc IS NULL)),
    CONSTRAINT left_means_all_of_it CHECK ((left_at_utc IS NULL) = (left_by IS NULL) AND (left_at_utc IS NULL) = (left_approved_by IS NULL)
        AND (left_at_utc IS NULL) = (left_at_run_id IS NULL) AND (left_at_utc IS NULL) = (evidence IS NULL)),
    CONSTRAINT left_after_acknowledged CHECK (left_at_utc IS NULL OR acknowledged_at_utc IS NOT NULL),
    CONSTRAINT left_by_two CHECK (left_by <> left_approved_by),
    CONSTRAINT addendum_where_demanded CHECK (left_at_utc IS NULL OR addendum_demanded = FALSE OR addendum_sha256 IS NOT NULL)
) STRICT;
CREATE UNIQUE INDEX reconciliation_incident_one_open ON reconciliation_incident (series_id) WHERE left_at_utc IS NULL;

CREATE TABLE bootstrap_declaration (
    series_id TEXT PRIMARY KEY REFERENCES reconciliation_series (series_id),
    job_run_id TEXT NOT NULL UNIQUE REFERENCES reconciliation_window (job_run_id),
    reason TEXT NOT NULL CHECK (length(reason) >= 20),
    declared_by TEXT NOT NULL REFERENCES person (person_id),
    approved_by TEXT NOT NULL REFERENCES person (person_id),
    declared_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(declared_at_utc, 1, 19), '+0 days') || substr(declared_at_utc, 20) IS declared_at_utc
        AND substr(declared_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    version INTEGER NOT NULL CHECK (version >= 1),
    CONSTRAINT two_persons CHECK (declared_by <> approved_by)
) STRICT;

CREATE TABLE remediation_evidence (
    remediation_id TEXT PRIMARY KEY CHECK (remediation_id <> ''),
    job_run_id TEXT NOT NULL REFERENCES reconciliation_window (job_run_id),
    evidence TEXT NOT NULL CHECK (evidence <> ''),
    attached_by TEXT NOT NULL REFERENCES person (person_id),
    attached_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(attached_at_utc, 1, 19), '+0 days') || substr(attached_at_utc, 20) IS attached_at_utc
        AND substr(attached_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    version INTEGER NOT NULL CHECK (version >= 1)
) STRICT;
CREATE INDEX remediation_evidence_by_run ON remediation_evidence (job_run_id, remediation_id);

CREATE TABLE override_packet (
    audit_id TEXT PRIMARY KEY CHECK (audit_id <> ''),
    job_run_id TEXT NOT NULL UNIQUE REFERENCES reconciliation_window (job_run_id),
    reason TEXT NOT NULL CHECK (length(reason) >= 20),
    requested_by TEXT NOT NULL REFERENCES person (person_id),
    approved_by TEXT NOT NULL REFERENCES person (person_id),
    created_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(created_at_utc, 1, 19), '+0 days') || substr(created_at_utc, 20) IS created_at_utc
        AND substr(created_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    version INTEGER NOT NULL CHECK (version >= 1),
    CONSTRAINT two_persons CHECK (requested_by <> approved_by)
) STRICT;

CREATE TABLE override_annex (
    annex_id TEXT PRIMARY KEY CHECK (annex_id <> ''),
    publish_run_id TEXT NOT NULL REFERENCES publish_snapshots (publish_run_id),
    incident_id TEXT NOT NULL REFERENCES reconciliation_incident (incident_id),
    reason TEXT NOT NULL CHECK (length(reason) >= 20),
    requested_by TEXT NOT NULL REFERENCES person (person_id),
    approved_by TEXT NOT NULL REFERENCES person (person_id),
    created_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(created_at_utc, 1, 19), '+0 days') || substr(created_at_utc, 20) IS created_at_utc
        AND substr(created_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    expires_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(expires_at_utc, 1, 19), '+0 days') || substr(expires_at_utc, 20) IS expires_at_utc
        AND substr(expires_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    version INTEGER NOT NULL CHECK (version >= 1),
    CONSTRAINT two_persons CHECK (requested_by <> approved_by),
    CONSTRAINT expires_later CHECK (expires_at_utc > created_at_utc)
) STRICT;
CREATE INDEX override_annex_by_run ON override_annex (publish_run_id, expires_at_utc);

CREATE TABLE signer_ack (
    job_run_id TEXT NOT NULL REFERENCES reconciliation_window (job_run_id),
    signer_id TEXT NOT NULL REFERENCES person (person_id),
    ack_basis TEXT NOT NULL CHECK (ack_basis IN ('double_green', 'bootstrap', 'remediated', 'override')),
    previous_run_id TEXT REFERENCES reconciliation_window (job_run_id),
    bootstrap_series_id TEXT REFERENCES bootstrap_declaration (series_id),
    remediation_id TEXT REFERENCES remediation_evidence (remediation_id),
    override_audit_id TEXT REFERENCES override_packet (audit_id),
    inputs_sha256 TEXT NOT NULL CHECK (length(inputs_sha256) = 64 AND length(CAST(inputs_sha256 AS BLOB)) = 64 AND inputs_sha256 NOT GLOB '*[^0-9a-f]*'),
    acked_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(acked_at_utc, 1, 19), '+0 days') || substr(acked_at_utc, 20) IS acked_at_utc
        AND substr(acked_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    version INTEGER NOT NULL CHECK (version >= 1),
    PRIMARY KEY (job_run_id, signer_id),
    CONSTRAINT its_basis_alone CHECK ((ack_basis IN ('double_green', 'remediated')) = (previous_run_id IS NOT NULL)
        AND (ack_basis = 'bootstrap') = (bootstrap_series_id IS NOT NULL) AND (ack_basis = 'remediated') = (remediation_id IS NOT NULL)
        AND (ack_basis = 'override') = (override_audit_id IS NOT NULL))
) STRICT;

CREATE TABLE signer_ack_revocation (
    job_run_id TEXT NOT NULL REFERENCES reconciliation_window (job_run_id),
    signer_id TEXT NOT NULL REFERENCES person (person_id),
    reason TEXT NOT NULL CHECK (length(reason) >= 20),
    revoked_by TEXT NOT NULL REFERENCES person (person_id),
    revoked_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(revoked_at_utc, 1, 19), '+0 days') || substr(revoked_at_utc, 20) IS revoked_at_utc
        AND substr(revoked_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    version INTEGER NOT NULL CHECK (version >= 1),
    PRIMARY KEY (job_run_id, signer_id),
    FOREIGN KEY (job_run_id, signer_id) REFERENCES signer_ack (job_run_id, signer_id)
) STRICT;
