//! The receipts of runs that the governance database keeps: made of what was decided, and compared with it.

use super::registry::EVERYWHERE;
use super::{RunOutcome, Tier};
use crate::clock::Moment;
use crate::rules::Condition;
use crate::rules::bundle::{
    Actor, Check, CheckStatus, Environment, FileDigest, PolicyNote, RECEIPT_VERSION, Receipt,
    RunType, Validation,
};

/// How openly receipts may be shown: they name ids, digests and verdicts, and nothing that is stored.
const LABEL: &str = "internal";

/// What a receipt tells of a run.
#[derive(Debug, Clone)]
pub struct Told<'a> {
    /// The run.
    pub run_id: &'a str,
    /// What it was of.
    pub run_type: RunType,
    /// The migration.
    pub migration_id: &'a str,
    /// Where it ran.
    pub tier: Option<Tier>,
    /// Who answers for it.
    pub principal: &'a str,
    /// The role that let them.
    pub role: &'a str,
    /// What the plan hashes to, where it follows one.
    pub plan_hash: Option<&'a str>,
    /// Which decision let it run.
    pub decision: &'a str,
    /// What it was made of.
    pub inputs: Vec<FileDigest>,
    /// What it made.
    pub outputs: Vec<FileDigest>,
    /// Whether it did what it was made for.
    pub status: CheckStatus,
    /// What was checked.
    pub checks: Vec<Check>,
    /// When it began.
    pub started: Moment,
    /// When it ended.
    pub finished: Moment,
}

/// Names a run in its receipt.
#[must_use]
pub fn receipt_run_id(run_id: &str) -> String {
    format!("govdeck://run/{run_id}")
}

/// Writes a receipt.
#[must_use]
pub fn receipt(told: Told<'_>) -> Receipt {
    Receipt {
        receipt_version: RECEIPT_VERSION.to_owned(),
        run_id: receipt_run_id(told.run_id),
        run_type: told.run_type,
        migration_id: told.migration_id.to_owned(),
        actor: Actor {
            principal: told.principal.to_owned(),
            role: told.role.to_owned(),
        },
        environment: Environment {
            name: told.tier.map_or(EVERYWHERE, Tier::word).to_owned(),
            git_commit: None,
            container_digest: None,
            params_digest: told.plan_hash.map(|hash| format!("sha256:{hash}")),
        },
        inputs: told.inputs,
        outputs: told.outputs,
        validation: Validation {
            status: told.status,
            checks: told.checks,
        },
        policy: PolicyNote {
            decision_id: format!("govdeck://decision/{}", told.decision),
            policy_label: LABEL.to_owned(),
        },
        attestation: None,
        signature: None,
        started_at: told.started.to_string(),
        finished_at: told.finished.to_string(),
    }
}

/// Writes conditions that hold as checks.
#[must_use]
pub fn checks(conditions: &[Condition]) -> Vec<Check> {
    let check = |condition: &Condition| Check {
        name: condition.id.to_owned(),
        status: CheckStatus::Pass,
        detail: Some(condition.evidence.clone()),
    };
    conditions.iter().map(check).collect()
}

/// Says where a receipt does not tell of the run that it is filed with; nothing where it does.
#[must_use]
pub fn agrees(
    receipt: &Receipt,
    run: &super::Ran<'_>,
    migration_id: &str,
    outcome: RunOutcome,
    outputs: &[&str],
) -> Option<&'static str> {
    let passes = receipt.validation.status == CheckStatus::Pass;
    let has_failed = |check: &Check| check.status == CheckStatus::Fail;
    let lists = |hash: &&str| {
        let digest = format!("sha256:{hash}");
        receipt.outputs.iter().any(|file| file.digest == digest)
    };
    if receipt.run_id != receipt_run_id(run.run_id)
        || receipt.run_type != run.run_type
        || receipt.migration_id != migration_id
        || Some(&*receipt.environment.name) != run.tier.map(Tier::word)
    {
        Some("tells of another run")
    } else if passes != outcome.is_success(run.run_type) {
        Some("tells of another end")
    } else if passes && receipt.validation.checks.iter().any(has_failed) {
        Some("passes although a check failed")
    } else if !outputs.iter().all(lists) {
        Some("does not list what was found")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::bundle_run::Ran;

    fn told() -> Told<'static> {
        let at: Moment = "2026-05-14T02:00:00Z".parse().expect("a moment");
        Told {
            run_id: "A.migration.1",
            run_type: RunType::Migration,
            migration_id: "A",
            tier: Some(Tier::Dev),
            principal: "lee",
            role: "data_engineer",
            plan_hash: None,
            decision: "A.approval.1",
            inputs: Vec::new(),
            outputs: vec![FileDigest {
                path: "diffs/summary.json".to_owned(),
                digest: "sha256:d".to_owned(),
            }],
            status: CheckStatus::Pass,
            checks: Vec::new(),
            started: at,
            finished: at,
        }
    }

    fn run() -> Ran<'static> {
        Ran {
            run_id: "A.migration.1",
            run_type: RunType::Migration,
            tier: Some(Tier::Dev),
            outcome: RunOutcome::Running,
            plan_hash: Some("p"),
            approval_id: Some("A.approval.1"),
            undoes: None,
        }
    }

    #[test]
    fn a_receipt_tells_of_its_own_run_and_end() {
        let whole = receipt(told());
        let said = |receipt: &Receipt, outcome| agrees(receipt, &run(), "A", outcome, &["d"]);
        assert_eq!(said(&whole, RunOutcome::Applied), None);
        for outcome in RunOutcome::ALL
            .iter()
            .filter(|it| **it != RunOutcome::Applied)
        {
            assert_eq!(said(&whole, *outcome), Some("tells of another end"));
        }
        let failed = receipt(Told {
            status: CheckStatus::Fail,
            ..told()
        });
        assert_eq!(said(&failed, RunOutcome::Failed), None);
        assert_eq!(
            said(&failed, RunOutcome::Applied),
            Some("tells of another end")
        );
        for change in [
            (|it: &mut Receipt| it.run_id = "x".to_owned()) as fn(&mut Receipt),
            |it| it.migration_id = "B".to_owned(),
            |it| it.run_type = RunType::Rollback,
            |it| it.environment.name = "prod".to_owned(),
        ] {
            let mut other = whole.clone();
            change(&mut other);
            assert_eq!(
                said(&other, RunOutcome::Applied),
                Some("tells of another run")
            );
        }
        let mut other = whole.clone();
        other.validation.checks.push(Check {
            name: "scope".to_owned(),
            status: CheckStatus::Fail,
            detail: None,
        });
        assert_eq!(
            said(&other, RunOutcome::Applied),
            Some("passes although a check failed")
        );
        assert_eq!(
            agrees(&whole, &run(), "A", RunOutcome::Applied, &["d", "e"]),
            Some("does not list what was found")
        );
    }
}
