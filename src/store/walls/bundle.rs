//! What the tables of governed bundles need beyond their CHECKs.

use super::single::{On, WRITE, Wall, wall};

pub(super) const WALLS: &[Wall] = &[
    wall(
        "bundle",
        &[On::Insert],
        "a bundle is registered by the newest entry, as a draft",
        "NEW.status = 'draft' AND EXISTS (SELECT 1 FROM governance_ledger l WHERE l.seq = (SELECT seq FROM ledger_head) \
         AND l.action = 'register_bundle' AND l.target_id = NEW.migration_id AND l.actor_id = NEW.registered_by)",
    ),
    wall(
        "bundle",
        &[On::Update],
        "a bundle goes on, and never back",
        "(NEW.status = OLD.status AND OLD.status = 'draft') OR OLD.status || '>' || NEW.status IN ('draft>approved', 'approved>merged', \
         'merged>executed_dev', 'executed_dev>executed_stage', 'executed_stage>executed_prod', \
         'executed_dev>rolled_back', 'executed_stage>rolled_back', 'executed_prod>rolled_back', \
         'draft>superseded', 'approved>superseded', 'merged>superseded', 'executed_dev>superseded', 'executed_stage>superseded', \
         'executed_prod>superseded', 'rolled_back>superseded')",
    ),
    wall(
        "bundle",
        &[On::Update],
        "a bundle moves with the receipt of a fitting run in the newest entry; superseded, with that of the merge which takes its place",
        "NEW.status = OLD.status OR EXISTS (SELECT 1 FROM bundle_run r, ledger_artifact e WHERE e.seq = (SELECT seq FROM ledger_head) \
         AND e.role = 'bundle_receipt' AND e.sha256 = r.receipt_sha256 AND r.migration_id = COALESCE(NEW.superseded_by, NEW.migration_id) \
         AND (NEW.status = 'superseded' OR EXISTS (SELECT 1 FROM ledger_change c WHERE c.seq = e.seq AND c.table_name = 'bundle_run' \
         AND c.row_key = r.run_id AND c.version = r.version)) AND CASE NEW.status \
         WHEN 'approved' THEN r.run_type = 'approval' WHEN 'merged' THEN r.run_type = 'merge' WHEN 'superseded' THEN r.run_type = 'merge' \
         WHEN 'rolled_back' THEN r.run_type = 'rollback' AND r.outcome = 'rolled_back' \
         ELSE r.run_type = 'migration' AND r.outcome = 'applied' AND NEW.status = 'executed_' || r.environment END)",
    ),
    wall(
        "bundle",
        &[On::Update],
        "what was registered stays, but of a draft that is registered anew",
        "EXISTS (SELECT 1 FROM governance_ledger l WHERE l.seq = (SELECT seq FROM ledger_head) AND CASE l.action \
         WHEN 'register_bundle' THEN OLD.status = 'draft' AND NEW.status = 'draft' AND l.target_id = NEW.migration_id AND l.actor_id = NEW.registered_by \
         ELSE NEW.kind = OLD.kind AND NEW.intent = OLD.intent AND NEW.change_class = OLD.change_class \
         AND NEW.requires_rollback = OLD.requires_rollback AND NEW.has_rollback = OLD.has_rollback \
         AND NEW.approval_reference IS NOT DISTINCT FROM OLD.approval_reference AND NEW.touches_dictionary = OLD.touches_dictionary \
         AND NEW.declaration_sha256 = OLD.declaration_sha256 AND NEW.scripts_sha256 = OLD.scripts_sha256 \
         AND NEW.registered_by = OLD.registered_by AND NEW.registered_at_utc = OLD.registered_at_utc END)",
    ),
    wall(
        "bundle_plan",
        WRITE,
        "a plan is registered by the newest entry, while nothing runs there",
        "EXISTS (SELECT 1 FROM governance_ledger l WHERE l.seq = (SELECT seq FROM ledger_head) AND l.action = 'register_bundle' \
         AND l.target_id = NEW.migration_id AND l.actor_id = NEW.planned_by) AND NOT EXISTS (SELECT 1 FROM bundle_run r \
         WHERE r.migration_id = NEW.migration_id AND r.environment = NEW.environment AND r.outcome = 'running')",
    ),
    wall(
        "bundle_run",
        &[On::Insert],
        "a run is what the newest entry does with its bundle",
        "EXISTS (SELECT 1 FROM governance_ledger l WHERE l.seq = (SELECT seq FROM ledger_head) AND l.target_id = NEW.migration_id \
         AND l.actor_id = NEW.claimed_by AND l.reason = NEW.reason AND NEW.approved_by IS NOT DISTINCT FROM l.approved_by AND CASE l.action \
         WHEN 'approve_bundle' THEN NEW.run_type = 'approval' WHEN 'merge_bundle' THEN NEW.run_type = 'merge' \
         WHEN 'claim_bundle_run' THEN NEW.run_type = 'migration' AND NEW.outcome = 'running' \
         WHEN 'roll_back_bundle' THEN NEW.run_type = 'rollback' AND NEW.outcome = 'running' ELSE FALSE END)",
    ),
    wall(
        "bundle_run",
        WRITE,
        "a run that has ended has its receipt in the entry that ends it",
        "NEW.outcome = 'running' OR EXISTS (SELECT 1 FROM ledger_artifact e WHERE e.seq = (SELECT seq FROM ledger_head) \
         AND e.role = 'bundle_receipt' AND e.sha256 = NEW.receipt_sha256)",
    ),
    wall(
        "bundle_run",
        &[On::Insert],
        "a run consumes an approval of the plan that is registered, which no other has",
        "NEW.run_type <> 'migration' OR (EXISTS (SELECT 1 FROM bundle_run a, bundle_plan p WHERE a.run_id = NEW.approval_id \
         AND a.run_type = 'approval' AND a.migration_id = NEW.migration_id AND a.environment = NEW.environment AND a.plan_hash = NEW.plan_hash \
         AND p.migration_id = NEW.migration_id AND p.environment = NEW.environment AND p.plan_hash = NEW.plan_hash) \
         AND NOT EXISTS (SELECT 1 FROM bundle_run o WHERE o.approval_id = NEW.approval_id))",
    ),
    wall(
        "bundle_run",
        &[On::Insert],
        "an approval is of the plan that is registered",
        "NEW.run_type <> 'approval' OR EXISTS (SELECT 1 FROM bundle_plan p WHERE p.migration_id = NEW.migration_id \
         AND p.environment = NEW.environment AND p.plan_hash = NEW.plan_hash)",
    ),
    wall(
        "bundle_run",
        &[On::Insert],
        "a bundle is made once merged, first in dev, then in stage, then in prod",
        "NEW.run_type <> 'migration' OR (SELECT b.status FROM bundle b WHERE b.migration_id = NEW.migration_id) \
         = CASE NEW.environment WHEN 'dev' THEN 'merged' WHEN 'stage' THEN 'executed_dev' ELSE 'executed_stage' END",
    ),
    wall(
        "bundle_run",
        &[On::Insert],
        "what changes the metric dictionary in prod names its approval",
        "NEW.environment IS DISTINCT FROM 'prod' OR EXISTS (SELECT 1 FROM bundle b WHERE b.migration_id = NEW.migration_id \
         AND (b.touches_dictionary = FALSE OR b.approval_reference IS NOT NULL))",
    ),
    wall(
        "bundle_run",
        &[On::Insert],
        "one run of a bundle at a time",
        "NEW.environment IS NULL OR NOT EXISTS (SELECT 1 FROM bundle_run o WHERE o.migration_id = NEW.migration_id \
         AND o.outcome = 'running')",
    ),
    wall(
        "bundle_run",
        &[On::Insert],
        "where a rollback has failed nothing more runs",
        "NEW.environment IS NULL OR NOT EXISTS (SELECT 1 FROM bundle_run o WHERE o.migration_id = NEW.migration_id \
         AND o.environment = NEW.environment AND o.outcome = 'rollback_failed')",
    ),
    wall(
        "bundle_run",
        &[On::Insert],
        "only what was made there, or was interrupted, is taken back, and once",
        "NEW.run_type <> 'rollback' OR (EXISTS (SELECT 1 FROM bundle_run u WHERE u.run_id = NEW.undoes_run_id AND u.run_type = 'migration' \
         AND u.migration_id = NEW.migration_id AND u.environment = NEW.environment AND u.outcome IN ('applied', 'interrupted')) \
         AND NOT EXISTS (SELECT 1 FROM bundle_run o WHERE o.undoes_run_id = NEW.undoes_run_id AND o.outcome = 'rolled_back') \
         AND (SELECT b.status FROM bundle b WHERE b.migration_id = NEW.migration_id) <> 'superseded')",
    ),
    wall(
        "bundle_run",
        &[On::Update],
        "a run ends once, and stays what it was claimed as",
        "OLD.outcome = 'running' AND NEW.outcome <> 'running' AND NEW.migration_id = OLD.migration_id AND NEW.run_type = OLD.run_type \
         AND NEW.environment IS NOT DISTINCT FROM OLD.environment AND NEW.plan_hash IS NOT DISTINCT FROM OLD.plan_hash \
         AND NEW.approval_id IS NOT DISTINCT FROM OLD.approval_id AND NEW.undoes_run_id IS NOT DISTINCT FROM OLD.undoes_run_id \
         AND NEW.claimed_by = OLD.claimed_by AND NEW.approved_by IS NOT DISTINCT FROM OLD.approved_by AND NEW.reason = OLD.reason \
         AND NEW.claimed_at_utc = OLD.claimed_at_utc",
    ),
    wall(
        "bundle_run",
        &[On::Update],
        "a run ends by the newest entry",
        "EXISTS (SELECT 1 FROM governance_ledger l WHERE l.seq = (SELECT seq FROM ledger_head) AND l.target_id = NEW.run_id \
         AND CASE l.action WHEN 'finish_bundle_run' THEN NEW.outcome <> 'interrupted' \
         WHEN 'interrupt_bundle_run' THEN NEW.outcome = 'interrupted' ELSE FALSE END)",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::bundle_run::BundleStatus;

    #[test]
    fn the_wall_knows_the_same_moves_as_the_rule() {
        let moves = WALLS.iter().find(|wall| wall.says.contains("goes on"));
        let moves = moves.expect("it stands").requires;
        for from in BundleStatus::ALL {
            for to in BundleStatus::ALL {
                let stands = moves.contains(&format!("'{from}>{to}'"));
                assert_eq!(stands, from.may_become(*to), "{from} {to}");
            }
        }
    }
}
