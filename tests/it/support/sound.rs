//! What must hold in every database, asked by SQL that shares nothing with the program.

/// What must return no row, ever.
pub const INVARIANTS: &[(&str, &str)] = &[
    (
        "the head is the newest entry",
        "SELECT h.seq FROM ledger_head h WHERE h.seq <> (SELECT MAX(seq) FROM governance_ledger) OR h.hash <> (SELECT hash FROM governance_ledger ORDER BY seq DESC LIMIT 1)",
    ),
    (
        "one migration at most is under way",
        "SELECT n FROM (SELECT COUNT(*) AS n FROM dictionary_migration_state WHERE closed_at_dt_utc IS NULL AND phase IN ('dual_write', 'cutover')) t WHERE n > 1",
    ),
    (
        "a migration stands where its last move left it",
        "SELECT s.migration_id FROM dictionary_migration_state s LEFT JOIN dictionary_migration_event e ON e.migration_id = s.migration_id AND e.event_no = s.version WHERE e.phase IS NULL OR e.phase <> s.phase OR EXISTS (SELECT 1 FROM dictionary_migration_event l WHERE l.migration_id = s.migration_id AND l.event_no > s.version)",
    ),
    (
        "positions have no gap",
        "SELECT 1 FROM (SELECT COUNT(*) AS n, MAX(seq) AS top FROM governance_ledger) t WHERE n <> top",
    ),
    (
        "every entry follows the one before",
        "SELECT b.seq FROM governance_ledger a, governance_ledger b WHERE b.seq = a.seq + 1 AND b.prev_hash <> a.hash",
    ),
    (
        "an entry has as many changes as it says",
        "SELECT l.seq FROM governance_ledger l WHERE l.change_count <> (SELECT COUNT(*) FROM ledger_change c WHERE c.seq = l.seq)",
    ),
    (
        "an entry has as much evidence as it says, and one recheck",
        "SELECT l.seq FROM governance_ledger l WHERE l.evidence_count <> (SELECT COUNT(*) FROM ledger_artifact e WHERE e.seq = l.seq) OR 1 <> (SELECT COUNT(*) FROM ledger_artifact e WHERE e.seq = l.seq AND e.role = 'recheck')",
    ),
    (
        "all evidence is there",
        "SELECT e.seq FROM ledger_artifact e WHERE NOT EXISTS (SELECT 1 FROM artifact a WHERE a.sha256 = e.sha256)",
    ),
    (
        "every entry has its card",
        "SELECT l.seq FROM governance_ledger l WHERE NOT EXISTS (SELECT 1 FROM artifact a WHERE a.sha256 = l.card_sha256)",
    ),
    (
        "every audit row is at its newest change",
        "SELECT p.publish_run_id FROM publish_replay_audit p WHERE p.version <> COALESCE((SELECT MAX(c.version) FROM ledger_change c WHERE c.table_name = 'publish_replay_audit' AND c.row_key = p.publish_run_id), -1)",
    ),
    (
        "passed means two equal hashes",
        "SELECT publish_run_id FROM publish_snapshots WHERE status = 'gate_passed' AND (length(publish_tuple_hash) <> 64 OR publish_tuple_hash <> source_tuple_hash OR publish_tuple_hash IS NULL OR source_tuple_hash IS NULL)",
    ),
    (
        "snapshot and audit agree",
        "SELECT s.publish_run_id FROM publish_snapshots s LEFT JOIN publish_replay_audit p ON p.publish_run_id = s.publish_run_id WHERE (s.status = 'pending_gate') <> (p.publish_run_id IS NULL) OR s.block_reason <> p.block_reason",
    ),
    (
        "each reason has one route",
        "SELECT n FROM (SELECT COUNT(*) AS n FROM block_reason_owner_route) t WHERE n <> 4",
    ),
    (
        "a message names its entry",
        "SELECT notification_id FROM notification_outbox o WHERE NOT EXISTS (SELECT 1 FROM governance_ledger l WHERE l.seq = o.ledger_seq)",
    ),
    (
        "an ack has a run that had ended, one a signer and run",
        "SELECT a.job_run_id FROM signer_ack a LEFT JOIN reconciliation_window w ON w.job_run_id = a.job_run_id WHERE w.status IS NULL OR w.status NOT IN ('PASS', 'FAIL') OR w.completed_at > a.acked_at_utc",
    ),
    (
        "a series has one open incident at most",
        "SELECT series_id FROM reconciliation_incident WHERE left_at_utc IS NULL GROUP BY series_id HAVING COUNT(*) > 1",
    ),
    (
        "no pass compared nothing",
        "SELECT job_run_id FROM reconciliation_window WHERE status = 'PASS' AND (metrics_total IS NULL OR metrics_total < 1 OR metrics_failed <> 0 OR artifact_uri IS NULL)",
    ),
    (
        "two persons are two",
        "SELECT seq FROM governance_ledger WHERE approved_by = actor_id OR (action IN ('bypass_freeze', 'set_attestation') AND approved_by IS NULL)",
    ),
    (
        "an approved proposal stands in the ledger, and no other does",
        "SELECT a.ticket FROM approval_request a LEFT JOIN governance_ledger l ON l.ticket = a.ticket WHERE (a.status = 'approved') <> (l.seq IS NOT NULL)",
    ),
];
