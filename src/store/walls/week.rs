//! What the tables of weekly reconciliation need beyond their CHECKs.

use super::single::{On, WRITE, Wall, wall};

pub(super) const WALLS: &[Wall] = &[
    wall(
        "epsilon_policy",
        WRITE,
        "a policy is what two humans agreed on in the newest entry, and stays",
        "NEW.version = 1 AND EXISTS (SELECT 1 FROM governance_ledger l WHERE l.seq = (SELECT seq FROM ledger_head) AND l.action = 'adopt_policy' \
         AND l.target_id = NEW.epsilon_policy_version AND l.actor_id = NEW.proposed_by AND l.approved_by = NEW.approved_by)",
    ),
    wall(
        "reconciliation_series",
        WRITE,
        "a series is registered or retired by the newest entry, and retired by two while it is not red",
        "EXISTS (SELECT 1 FROM governance_ledger l WHERE l.seq = (SELECT seq FROM ledger_head) AND l.target_id = NEW.series_id \
         AND CASE l.action WHEN 'register_series' THEN NEW.active = TRUE AND l.actor_id = NEW.registered_by \
         WHEN 'retire_series' THEN NEW.active = FALSE ELSE FALSE END) \
         AND (NEW.active = TRUE OR NOT EXISTS (SELECT 1 FROM reconciliation_incident i WHERE i.series_id = NEW.series_id AND i.left_at_utc IS NULL))",
    ),
    wall(
        "reconciliation_window",
        &[On::Insert],
        "a window starts planned, or running where it was not to be planned",
        "(NEW.run_kind = 'scheduled') = (NEW.status = 'SCHEDULED') AND NEW.status IN ('SCHEDULED', 'RUNNING') \
         AND EXISTS (SELECT 1 FROM governance_ledger l WHERE l.seq = (SELECT seq FROM ledger_head) AND l.target_id = NEW.job_run_id \
         AND l.action = CASE NEW.status WHEN 'SCHEDULED' THEN 'plan_window' ELSE 'start_run' END)",
    ),
    wall(
        "reconciliation_window",
        &[On::Insert],
        "a series has one scheduled window at a time",
        "NEW.run_kind <> 'scheduled' OR NOT EXISTS (SELECT 1 FROM reconciliation_window o WHERE o.series_id = NEW.series_id \
         AND o.run_kind = 'scheduled' AND o.scheduled_at >= NEW.scheduled_at)",
    ),
    wall(
        "reconciliation_window",
        &[On::Update],
        "a window ends once, and stays what it was planned as",
        "OLD.status IN ('SCHEDULED', 'RUNNING') AND NEW.series_id = OLD.series_id AND NEW.run_kind = OLD.run_kind AND NEW.scheduled_at = OLD.scheduled_at",
    ),
    wall(
        "reconciliation_window",
        &[On::Update],
        "a window moves by what the newest entry does with it",
        "EXISTS (SELECT 1 FROM governance_ledger l WHERE l.seq = (SELECT seq FROM ledger_head) AND l.target_id = NEW.job_run_id \
         AND CASE l.action WHEN 'start_run' THEN NEW.status = 'RUNNING' AND NEW.claim IS DISTINCT FROM OLD.claim \
         WHEN 'finish_run' THEN OLD.status = 'RUNNING' AND NEW.status IN ('PASS', 'FAIL', 'INCONCLUSIVE') AND NEW.claim = OLD.claim \
         WHEN 'skip_window' THEN OLD.status = 'SCHEDULED' AND NEW.status = 'SKIP' \
         WHEN 'miss_window' THEN NEW.status = 'MISSED' ELSE FALSE END)",
    ),
    wall(
        "reconciliation_window",
        &[On::Update],
        "scheduled windows end in their order",
        "NEW.run_kind <> 'scheduled' OR NOT EXISTS (SELECT 1 FROM reconciliation_window o WHERE o.series_id = NEW.series_id \
         AND o.run_kind = 'scheduled' AND o.status IN ('SCHEDULED', 'RUNNING') AND o.scheduled_at < NEW.scheduled_at)",
    ),
    wall(
        "reconciliation_metric",
        &[On::Insert],
        "what was found belongs to the run that the newest entry ends, and comes before its end",
        "EXISTS (SELECT 1 FROM governance_ledger l WHERE l.seq = (SELECT seq FROM ledger_head) AND l.action = 'finish_run' AND l.target_id = NEW.job_run_id) \
         AND EXISTS (SELECT 1 FROM reconciliation_window w WHERE w.job_run_id = NEW.job_run_id AND w.status = 'RUNNING')",
    ),
    wall(
        "reconciliation_metric",
        &[On::Update, On::Delete],
        "what was found stays",
        "FALSE",
    ),
    wall(
        "reconciliation_incident",
        &[On::Insert],
        "an incident opens with the second window in a row that did not pass, one a series",
        "NEW.acknowledged_at_utc IS NULL AND NEW.left_at_utc IS NULL \
         AND NOT EXISTS (SELECT 1 FROM reconciliation_incident o WHERE o.series_id = NEW.series_id AND o.left_at_utc IS NULL) \
         AND (SELECT COUNT(*) FROM reconciliation_window w WHERE w.job_run_id IN (NEW.first_run_id, NEW.second_run_id) \
         AND w.series_id = NEW.series_id AND w.run_kind = 'scheduled') = 2 \
         AND EXISTS (SELECT 1 FROM governance_ledger l WHERE l.seq = (SELECT seq FROM ledger_head) AND l.target_id = NEW.second_run_id \
         AND l.action IN ('finish_run', 'skip_window', 'miss_window'))",
    ),
    wall(
        "reconciliation_incident",
        &[On::Update],
        "an incident is acknowledged once, left once by two, and stays what it was",
        "OLD.left_at_utc IS NULL AND NEW.series_id = OLD.series_id AND NEW.first_run_id = OLD.first_run_id AND NEW.second_run_id = OLD.second_run_id \
         AND NEW.opened_at_utc = OLD.opened_at_utc AND NEW.addendum_demanded = OLD.addendum_demanded \
         AND EXISTS (SELECT 1 FROM governance_ledger l WHERE l.seq = (SELECT seq FROM ledger_head) AND l.target_id = NEW.incident_id \
         AND CASE l.action WHEN 'acknowledge_incident' THEN OLD.acknowledged_at_utc IS NULL AND NEW.acknowledged_by = l.actor_id AND NEW.left_at_utc IS NULL \
         WHEN 'leave_red' THEN NEW.acknowledged_by = OLD.acknowledged_by AND NEW.left_by = l.actor_id AND NEW.left_approved_by = l.approved_by \
         ELSE FALSE END)",
    ),
    wall(
        "reconciliation_incident",
        &[On::Update],
        "red is left at the newest window that ended, and it passed",
        "NEW.left_at_run_id IS NULL OR ((SELECT w.status FROM reconciliation_window w WHERE w.job_run_id = NEW.left_at_run_id) = 'PASS' \
         AND NEW.left_at_run_id = (SELECT w.job_run_id FROM reconciliation_window w WHERE w.series_id = NEW.series_id AND w.run_kind = 'scheduled' \
         AND w.status IN ('PASS', 'FAIL', 'SKIP', 'MISSED', 'INCONCLUSIVE') ORDER BY w.scheduled_at DESC LIMIT 1))",
    ),
    wall(
        "bootstrap_declaration",
        WRITE,
        "a bootstrap is what two humans agreed on in the newest entry, about a pass of its series",
        "NEW.version = 1 AND EXISTS (SELECT 1 FROM governance_ledger l WHERE l.seq = (SELECT seq FROM ledger_head) AND l.action = 'declare_bootstrap' \
         AND l.target_id = NEW.job_run_id AND l.actor_id = NEW.declared_by AND l.approved_by = NEW.approved_by) \
         AND EXISTS (SELECT 1 FROM reconciliation_window w WHERE w.job_run_id = NEW.job_run_id AND w.series_id = NEW.series_id \
         AND w.run_kind = 'scheduled' AND w.status = 'PASS')",
    ),
    wall(
        "remediation_evidence",
        WRITE,
        "evidence is attached in the newest entry to a window that ended without a pass, and stays",
        "NEW.version = 1 AND EXISTS (SELECT 1 FROM governance_ledger l WHERE l.seq = (SELECT seq FROM ledger_head) AND l.action = 'attach_remediation' \
         AND l.target_id = NEW.job_run_id AND l.actor_id = NEW.attached_by) \
         AND (SELECT w.status FROM reconciliation_window w WHERE w.job_run_id = NEW.job_run_id AND w.run_kind = 'scheduled') \
         IN ('FAIL', 'SKIP', 'MISSED', 'INCONCLUSIVE')",
    ),
    wall(
        "override_packet",
        WRITE,
        "a packet is what two humans agreed on in the newest entry, about a run that compared, and stays",
        "NEW.version = 1 AND EXISTS (SELECT 1 FROM governance_ledger l WHERE l.seq = (SELECT seq FROM ledger_head) AND l.action = 'override_run' \
         AND l.target_id = NEW.job_run_id AND l.actor_id = NEW.requested_by AND l.approved_by = NEW.approved_by) \
         AND (SELECT w.status FROM reconciliation_window w WHERE w.job_run_id = NEW.job_run_id AND w.run_kind = 'scheduled') IN ('PASS', 'FAIL')",
    ),
    wall(
        "override_annex",
        WRITE,
        "an annex is what two humans agreed on in the newest entry, about a run that had passed before red began, and stays",
        "NEW.version = 1 AND EXISTS (SELECT 1 FROM governance_ledger l WHERE l.seq = (SELECT seq FROM ledger_head) AND l.action = 'annex_run' \
         AND l.target_id = NEW.publish_run_id AND l.actor_id = NEW.requested_by AND l.approved_by = NEW.approved_by) \
         AND EXISTS (SELECT 1 FROM publish_snapshots s, reconciliation_incident i WHERE s.publish_run_id = NEW.publish_run_id \
         AND i.incident_id = NEW.incident_id AND i.left_at_utc IS NULL AND s.status = 'gate_passed' AND s.drill = FALSE AND s.decided_at_utc < i.opened_at_utc)",
    ),
    wall(
        "signer_ack",
        WRITE,
        "a signer signs in the newest entry, for themselves, and what is signed stays signed",
        "NEW.version = 1 AND EXISTS (SELECT 1 FROM governance_ledger l WHERE l.seq = (SELECT seq FROM ledger_head) AND l.action = 'ack_run' \
         AND l.target_id = NEW.job_run_id AND l.actor_id = NEW.signer_id)",
    ),
    wall(
        "signer_ack",
        WRITE,
        "only the newest scheduled run that compared is signed, and not by whoever ran it",
        "EXISTS (SELECT 1 FROM reconciliation_window w WHERE w.job_run_id = NEW.job_run_id AND w.run_kind = 'scheduled' AND w.status IN ('PASS', 'FAIL') \
         AND w.triggered_by IS DISTINCT FROM NEW.signer_id AND NOT EXISTS (SELECT 1 FROM reconciliation_window o WHERE o.series_id = w.series_id \
         AND o.run_kind = 'scheduled' AND o.status IN ('PASS', 'FAIL', 'SKIP', 'MISSED', 'INCONCLUSIVE') AND o.scheduled_at > w.scheduled_at))",
    ),
    wall(
        "signer_ack",
        WRITE,
        "an ack has the grounds that it names",
        "CASE NEW.ack_basis WHEN 'override' THEN EXISTS (SELECT 1 FROM override_packet p WHERE p.audit_id = NEW.override_audit_id \
         AND p.job_run_id = NEW.job_run_id AND p.requested_by <> NEW.signer_id AND p.approved_by <> NEW.signer_id) \
         ELSE EXISTS (SELECT 1 FROM reconciliation_window w WHERE w.job_run_id = NEW.job_run_id AND w.status = 'PASS' \
         AND NOT EXISTS (SELECT 1 FROM reconciliation_incident i WHERE i.series_id = w.series_id AND (i.left_at_utc IS NULL OR i.left_at_run_id = w.job_run_id)) \
         AND CASE NEW.ack_basis \
         WHEN 'double_green' THEN (SELECT b.status FROM reconciliation_window b WHERE b.job_run_id = NEW.previous_run_id AND b.job_run_id = w.previous_run_id) = 'PASS' \
         WHEN 'bootstrap' THEN EXISTS (SELECT 1 FROM bootstrap_declaration d WHERE d.series_id = NEW.bootstrap_series_id AND d.job_run_id = w.job_run_id) \
         WHEN 'remediated' THEN NEW.previous_run_id = w.previous_run_id AND EXISTS (SELECT 1 FROM remediation_evidence e \
         WHERE e.remediation_id = NEW.remediation_id AND e.job_run_id = NEW.previous_run_id) ELSE FALSE END) END",
    ),
    wall(
        "signer_ack_revocation",
        WRITE,
        "an ack is taken back in the newest entry, by its signer or a governance lead, and stays so",
        "NEW.version = 1 AND EXISTS (SELECT 1 FROM governance_ledger l WHERE l.seq = (SELECT seq FROM ledger_head) AND l.action = 'revoke_ack' \
         AND l.target_id = NEW.job_run_id || '/' || NEW.signer_id AND l.actor_id = NEW.revoked_by AND (NEW.revoked_by = NEW.signer_id OR EXISTS \
         (SELECT 1 FROM person_role r WHERE r.person_id = NEW.revoked_by AND r.role = 'governance_lead' AND r.active = TRUE)))",
    ),
];
