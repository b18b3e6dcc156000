-- Weekly reconciliation: series and their windows, policies, acks, incidents, and what people do about runs that did not pass.

CREATE TABLE epsilon_policy (
    epsilon_policy_version TEXT COLLATE "C" PRIMARY KEY CHECK (epsilon_policy_version <> ''),
    document_sha256 TEXT COLLATE "C" NOT NULL REFERENCES artifact (sha256),
    soft TEXT NOT NULL CHECK (soft ~ '^[0-9]+([.][0-9]+)?$'),
    hard TEXT NOT NULL CHECK (hard ~ '^[0-9]+([.][0-9]+)?$'),
    floor TEXT NOT NULL CHECK (floor ~ '^[0-9]+([.][0-9]+)?$'),
    backtest_sha256 TEXT COLLATE "C" NOT NULL REFERENCES artifact (sha256),
    proposed_by TEXT COLLATE "C" NOT NULL REFERENCES person (person_id),
    approved_by TEXT COLLATE "C" NOT NULL REFERENCES person (person_id),
    adopted_at_utc moment NOT NULL,
    version BIGINT NOT NULL CHECK (version >= 1),
    CONSTRAINT two_persons CHECK (proposed_by <> approved_by),
    CONSTRAINT soft_below_hard CHECK (CAST(soft AS NUMERIC) < CAST(hard AS NUMERIC)),
    CONSTRAINT floor_above_nothing CHECK (CAST(floor AS NUMERIC) > 0)
);

CREATE TABLE reconciliation_series (
    series_id TEXT COLLATE "C" PRIMARY KEY CHECK (series_id ~ '^[a-z0-9][a-z0-9._-]{0,99}$'),
    active BOOLEAN NOT NULL,
    first_at_utc moment NOT NULL,
    every_minutes BIGINT NOT NULL CHECK (every_minutes BETWEEN 60 AND 525600),
    early_minutes BIGINT NOT NULL CHECK (early_minutes >= 0),
    grace_minutes BIGINT NOT NULL CHECK (grace_minutes >= 1),
    quorum BIGINT NOT NULL CHECK (quorum BETWEEN 1 AND 20),
    override_quorum BIGINT NOT NULL CHECK (override_quorum BETWEEN 2 AND 20),
    registered_by TEXT COLLATE "C" NOT NULL REFERENCES person (person_id),
    registered_at_utc moment NOT NULL,
    version BIGINT NOT NULL CHECK (version >= 1),
    CONSTRAINT windows_never_overlap CHECK (early_minutes + grace_minutes < every_minutes)
);

CREATE TABLE reconciliation_window (
    job_run_id TEXT COLLATE "C" PRIMARY KEY CHECK (job_run_id ~ '^[a-z0-9][a-z0-9._-]{0,99}$'),
    series_id TEXT COLLATE "C" NOT NULL REFERENCES reconciliation_series (series_id),
    run_kind TEXT NOT NULL CHECK (run_kind IN ('scheduled', 'immediate', 'manual', 'drill')),
    status TEXT NOT NULL CHECK (status IN ('SCHEDULED', 'RUNNING', 'PASS', 'FAIL', 'SKIP', 'MISSED', 'INCONCLUSIVE')),
    scheduled_at moment NOT NULL,
    started_at moment,
    completed_at moment,
    skip_reason TEXT CHECK (skip_reason IN ('maintenance', 'credential_rotation', 'manual_pause')),
    reject_reason TEXT CHECK (reject_reason <> ''),
    reject_detail TEXT,
    claim TEXT CHECK (claim ~ '^[0-9a-f]{32}$'),
    claim_until moment,
    triggered_by TEXT COLLATE "C" REFERENCES person (person_id),
    start_inclusive moment,
    end_exclusive moment,
    manifest_sha256 TEXT COLLATE "C" REFERENCES artifact (sha256),
    artifact_uri TEXT CHECK (artifact_uri <> ''),
    leadership_ingest_hash TEXT CHECK (leadership_ingest_hash ~ '^sha256:[0-9a-f]{64}$'),
    partner_ingest_hash TEXT CHECK (partner_ingest_hash ~ '^sha256:[0-9a-f]{64}$'),
    tuple_revision_hash TEXT CHECK (tuple_revision_hash ~ '^[0-9a-f]{64}$'),
    dictionary_semver TEXT,
    footer_schema_semver TEXT,
    epsilon_policy_version TEXT,
    metrics_total BIGINT CHECK (metrics_total >= 1),
    metrics_failed BIGINT CHECK (metrics_failed BETWEEN 0 AND metrics_total),
    worst_metric TEXT,
    worst_ratio TEXT,
    previous_run_id TEXT COLLATE "C" REFERENCES reconciliation_window (job_run_id),
    version BIGINT NOT NULL CHECK (version >= 1),
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
);
CREATE UNIQUE INDEX reconciliation_window_one_a_time ON reconciliation_window (series_id, scheduled_at) WHERE run_kind = 'scheduled';
CREATE INDEX reconciliation_window_by_time ON reconciliation_window (scheduled_at, job_run_id);
CREATE INDEX reconciliation_window_open ON reconciliation_window (scheduled_at, job_run_id) WHERE status IN ('SCHEDULED', 'RUNNING');

CREATE TABLE reconciliation_metric (
    job_run_id TEXT COLLATE "C" NOT NULL REFERENCES reconciliation_window (job_run_id),
    metric_id TEXT COLLATE "C" NOT NULL,
    place BIGINT NOT NULL CHECK (place >= 1),
    protected BOOLEAN NOT NULL,
    leadership TEXT,
    partner TEXT,
    epsilon TEXT,
    delta TEXT,
    ratio TEXT,
    verdict TEXT NOT NULL CHECK (verdict IN ('PASS', 'FAIL')),
    reason TEXT,
    owner_id TEXT COLLATE "C",
    backup_id TEXT COLLATE "C",
    PRIMARY KEY (job_run_id, metric_id),
    CONSTRAINT failed_means_why CHECK ((verdict = 'FAIL') = (reason IS NOT NULL))
);
CREATE INDEX reconciliation_metric_by_place ON reconciliation_metric (job_run_id, place);

CREATE TABLE reconciliation_incident (
    incident_id TEXT COLLATE "C" PRIMARY KEY CHECK (incident_id <> ''),
    series_id TEXT COLLATE "C" NOT NULL REFERENCES reconciliation_series (series_id),
    first_run_id TEXT COLLATE "C" NOT NULL REFERENCES reconciliation_window (job_run_id),
    second_run_id TEXT COLLATE "C" NOT NULL UNIQUE REFERENCES reconciliation_window (job_run_id),
    opened_at_utc moment NOT NULL,
    addendum_demanded BOOLEAN NOT NULL,
    acknowledged_by TEXT COLLATE "C" REFERENCES person (person_id),
    acknowledged_at_utc moment,
    left_by TEXT COLLATE "C" REFERENCES person (person_id),
    left_approved_by TEXT COLLATE "C" REFERENCES person (person_id),
    left_at_utc moment,
    left_at_run_id TEXT COLLATE "C" REFERENCES reconciliation_window (job_run_id),
    evidence TEXT,
    addendum_sha256 TEXT COLLATE "C" REFERENCES artifact (sha256),
    version BIGINT NOT NULL CHECK (version >= 1),
    CONSTRAINT two_runs CHECK (first_run_id <> second_run_id),
    CONSTRAINT acknowledged_means_by_somebody CHECK ((acknowledged_by IS NULL) = (acknowledged_at_utc IS NULL)),
    CONSTRAINT left_means_all_of_it CHECK ((left_at_utc IS NULL) = (left_by IS NULL) AND (left_at_utc IS NULL) = (left_approved_by IS NULL)
        AND (left_at_utc IS NULL) = (left_at_run_id IS NULL) AND (left_at_utc IS NULL) = (evidence IS NULL)),
    CONSTRAINT left_after_acknowledged CHECK (left_at_utc IS NULL OR acknowledged_at_utc IS NOT NULL),
    CONSTRAINT left_by_two CHECK (left_by <> left_approved_by),
    CONSTRAINT addendum_where_demanded CHECK (left_at_utc IS NULL OR addendum_demanded = FALSE OR addendum_sha256 IS NOT NULL)
);
CREATE UNIQUE INDEX reconciliation_incident_one_open ON reconciliation_incident (series_id) WHERE left_at_utc IS NULL;

CREATE TABLE bootstrap_declaration (
    series_id TEXT COLLATE "C" PRIMARY KEY REFERENCES reconciliation_series (series_id),
    job_run_id TEXT COLLATE "C" NOT NULL UNIQUE REFERENCES reconciliation_window (job_run_id),
    reason TEXT NOT NULL CHECK (length(reason) >= 20),
    declared_by TEXT COLLATE "C" NOT NULL REFERENCES person (person_id),
    approved_by TEXT COLLATE "C" NOT NULL REFERENCES person (person_id),
    declared_at_utc moment NOT NULL,
    version BIGINT NOT NULL CHECK (version >= 1),
    CONSTRAINT two_persons CHECK (declared_by <> approved_by)
);

CREATE TABLE remediation_evidence (
    remediation_id TEXT COLLATE "C" PRIMARY KEY CHECK (remediation_id <> ''),
    job_run_id TEXT COLLATE "C" NOT NULL REFERENCES reconciliation_window (job_run_id),
    evidence TEXT NOT NULL CHECK (evidence <> ''),
    attached_by TEXT COLLATE "C" NOT NULL REFERENCES person (person_id),
    attached_at_utc moment NOT NULL,
    version BIGINT NOT NULL CHECK (version >= 1)
);
CREATE INDEX remediation_evidence_by_run ON remediation_evidence (job_run_id, remediation_id);

CREATE TABLE override_packet (
    audit_id TEXT COLLATE "C" PRIMARY KEY CHECK (audit_id <> ''),
    job_run_id TEXT COLLATE "C" NOT NULL UNIQUE REFERENCES reconciliation_window (job_run_id),
    reason TEXT NOT NULL CHECK (length(reason) >= 20),
    requested_by TEXT COLLATE "C" NOT NULL REFERENCES person (person_id),
    approved_by TEXT COLLATE "C" NOT NULL REFERENCES person (person_id),
    created_at_utc moment NOT NULL,
    version BIGINT NOT NULL CHECK (version >= 1),
    CONSTRAINT two_persons CHECK (requested_by <> approved_by)
);

CREATE TABLE override_annex (
    annex_id TEXT COLLATE "C" PRIMARY KEY CHECK (annex_id <> ''),
    publish_run_id TEXT COLLATE "C" NOT NULL REFERENCES publish_snapshots (publish_run_id),
    incident_id TEXT COLLATE "C" NOT NULL REFERENCES reconciliation_incident (incident_id),
    reason TEXT NOT NULL CHECK (length(reason) >= 20),
    requested_by TEXT COLLATE "C" NOT NULL REFERENCES person (person_id),
    approved_by TEXT COLLATE "C" NOT NULL REFERENCES person (person_id),
    created_at_utc moment NOT NULL,
    expires_at_utc moment NOT NULL,
    version BIGINT NOT NULL CHECK (version >= 1),
    CONSTRAINT two_persons CHECK (requested_by <> approved_by),
    CONSTRAINT expires_later CHECK (expires_at_utc > created_at_utc)
);
CREATE INDEX override_annex_by_run ON override_annex (publish_run_id, expires_at_utc);

CREATE TABLE signer_ack (
    job_run_id TEXT COLLATE "C" NOT NULL REFERENCES reconciliation_window (job_run_id),
    signer_id TEXT COLLATE "C" NOT NULL REFERENCES person (person_id),
    ack_basis TEXT NOT NULL CHECK (ack_basis IN ('double_green', 'bootstrap', 'remediated', 'override')),
    previous_run_id TEXT COLLATE "C" REFERENCES reconciliation_window (job_run_id),
    bootstrap_series_id TEXT COLLATE "C" REFERENCES bootstrap_declaration (series_id),
    remediation_id TEXT COLLATE "C" REFERENCES remediation_evidence (remediation_id),
    override_audit_id TEXT COLLATE "C" REFERENCES override_packet (audit_id),
    inputs_sha256 TEXT NOT NULL CHECK (inputs_sha256 ~ '^[0-9a-f]{64}$'),
    acked_at_utc moment NOT NULL,
    version BIGINT NOT NULL CHECK (version >= 1),
    PRIMARY KEY (job_run_id, signer_id),
    CONSTRAINT its_basis_alone CHECK ((ack_basis IN ('double_green', 'remediated')) = (previous_run_id IS NOT NULL)
        AND (ack_basis = 'bootstrap') = (bootstrap_series_id IS NOT NULL) AND (ack_basis = 'remediated') = (remediation_id IS NOT NULL)
        AND (ack_basis = 'override') = (override_audit_id IS NOT NULL))
);

CREATE TABLE signer_ack_revocation (
    job_run_id TEXT COLLATE "C" NOT NULL REFERENCES reconciliation_window (job_run_id),
    signer_id TEXT COLLATE "C" NOT NULL REFERENCES person (person_id),
    reason TEXT NOT NULL CHECK (length(reason) >= 20),
    revoked_by TEXT COLLATE "C" NOT NULL REFERENCES person (person_id),
    revoked_at_utc moment NOT NULL,
    version BIGINT NOT NULL CHECK (version >= 1),
    PRIMARY KEY (job_run_id, signer_id),
    FOREIGN KEY (job_run_id, signer_id) REFERENCES signer_ack (job_run_id, signer_id)
);
