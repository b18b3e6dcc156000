//! What is written by rule, without a person's yes: a closed list.

use super::bundle::BundleFinding;
use super::dictionary::{BindFinding, VarianceFinding};
use super::entry::{Asked, Stop};
use super::establish::Founding;
use super::migration::{About, FingerprintFinding, GateFinding, StepFinding};
use super::week::{Finding, Unplanned};
use crate::clock::Moment;
use crate::rules::block::SlaMark;
use crate::rules::drill::DrillKind;
use crate::rules::migration::Move;
use crate::store::tables::image_of;

/// The closed list of what is written by rule, without a person's yes.
#[derive(Debug, Clone)]
pub enum ByRule {
    /// The publish gate decides a pending run.
    DecideRun {
        /// The run's id.
        run: String,
    },
    /// The first response to a block is due, late, or followed by nothing.
    MarkSla {
        /// The blocked run.
        run: String,
        /// What is marked.
        mark: SlaMark,
    },
    /// Something is practised.
    Practise {
        /// The drill's new id.
        drill: String,
        /// What is practised.
        kind: DrillKind,
    },
    /// Whoever sits at a console stops acting there.
    Disarm {
        /// The console's id.
        console: String,
    },
    /// A proposal that nobody can approve any more ends.
    EndApproval {
        /// The proposal's ticket.
        ticket: String,
    },
    /// The next window of a series is planned.
    PlanWindow {
        /// The series.
        series: String,
        /// The window's time.
        at: Moment,
    },
    /// Somebody begins to compare.
    StartRun {
        /// The run's id.
        run: String,
        /// A claim that nobody else knows.
        claim: String,
        /// How many minutes the claim holds.
        minutes: i64,
        /// What to make where the run was not planned.
        unplanned: Option<Unplanned>,
    },
    /// A run ends with what was found.
    FinishRun {
        /// The run's id.
        run: String,
        /// The claim it was begun with.
        claim: String,
        /// What was found.
        finding: Box<Finding>,
    },
    /// A window's time went by.
    MissWindow {
        /// The run's id.
        run: String,
    },
    /// The joins of two releases were run.
    RecordBindProof {
        /// The proof's id.
        proof: String,
        /// What was found.
        finding: BindFinding,
    },
    /// Two sides were held against each other before a publish.
    RecordVariance {
        /// The check's id.
        check: String,
        /// What was found.
        finding: VarianceFinding,
    },
    /// The run of a bundle ended.
    FinishBundleRun {
        /// The run's id.
        run: String,
        /// What was found.
        finding: Box<BundleFinding>,
    },
    /// The run of a bundle was claimed, and nobody ends it.
    InterruptBundleRun {
        /// The run's id.
        run: String,
    },
    /// Something was found for a gate of a migration.
    RecordGateEvidence {
        /// The migration.
        migration: String,
        /// What was found.
        finding: GateFinding,
    },
    /// The hour of a migration was rehearsed; the receipt that comes along says what it came to.
    RecordRehearsal {
        /// The migration.
        migration: String,
    },
    /// A rehearsal moves the migration on its fork.
    RehearseMove {
        /// The migration.
        migration: String,
        /// What moves it.
        to: Move,
    },
    /// The keys of what exporters landed were looked at.
    RecordFingerprint {
        /// The migration.
        migration: String,
        /// What was found.
        finding: FingerprintFinding,
    },
    /// The work of a step of the hour came to its end.
    EndStep {
        /// The migration.
        migration: String,
        /// What was found.
        finding: StepFinding,
    },
    /// A metric did not match on three days running, or nobody countersigned a move in time.
    OpenDeficiency {
        /// The deficiency's new id.
        deficiency: String,
        /// The migration.
        migration: String,
        /// What it is about.
        about: About,
    },
    /// What was compared since a migration's flip lies too far apart.
    TriggerRollback {
        /// The migration.
        migration: String,
    },
    /// The first entry of a new deployment.
    Establish(Founding),
}

impl ByRule {
    /// Writes it as what is asked of an action: the verb, and its words.
    pub(super) fn asked(self) -> Result<(&'static str, Asked), Stop> {
        Ok(match self {
            ByRule::DecideRun { run } => ("decide_run", Asked::of(run)),
            ByRule::MarkSla { run, mark } => ("mark_sla", Asked::of(run).with("mark", mark.word())),
            ByRule::Practise { drill, kind } => {
                ("practise", Asked::of(drill).with("kind", kind.word()))
            }
            ByRule::Disarm { console } => ("disarm_console", Asked::of(console)),
            ByRule::EndApproval { ticket } => ("end_approval", Asked::of(ticket)),
            ByRule::PlanWindow { series, at } => {
                ("plan_window", Asked::of(series).with("at", at.to_string()))
            }
            ByRule::StartRun {
                run,
                claim,
                minutes,
                unplanned,
            } => ("start_run", start_asked(run, claim, minutes, unplanned)),
            ByRule::FinishRun {
                run,
                claim,
                finding,
            } => {
                let asked = Asked::of(run).with("claim", claim);
                ("finish_run", with_finding(asked, &finding)?)
            }
            ByRule::RecordBindProof { proof, finding } => (
                "record_bind_proof",
                with_finding(Asked::of(proof), &finding)?,
            ),
            ByRule::RecordVariance { check, finding } => {
                ("record_variance", with_finding(Asked::of(check), &finding)?)
            }
            ByRule::MissWindow { run } => ("miss_window", Asked::of(run)),
            ByRule::FinishBundleRun { run, finding } => (
                "finish_bundle_run",
                with_finding(Asked::of(run), &*finding)?,
            ),
            ByRule::InterruptBundleRun { run } => ("interrupt_bundle_run", Asked::of(run)),
            ByRule::RecordGateEvidence { migration, finding } => (
                "record_gate_evidence",
                with_finding(Asked::of(migration), &finding)?,
            ),
            ByRule::RecordRehearsal { migration } => ("record_rehearsal", Asked::of(migration)),
            ByRule::RehearseMove { migration, to } => {
                ("rehearse_move", Asked::of(migration).with("to", to.word()))
            }
            ByRule::RecordFingerprint { migration, finding } => (
                "record_fingerprint",
                with_finding(Asked::of(migration), &finding)?,
            ),
            ByRule::EndStep { migration, finding } => {
                ("end_step", with_finding(Asked::of(migration), &finding)?)
            }
            ByRule::OpenDeficiency {
                deficiency,
                migration,
                about,
            } => {
                let asked = Asked::of(deficiency).with("migration", migration);
                ("open_deficiency", about.asked(asked))
            }
            ByRule::TriggerRollback { migration } => ("trigger_rollback", Asked::of(migration)),
            ByRule::Establish(founding) => ("establish", founding.asked()?),
        })
    }
}

fn with_finding(asked: Asked, finding: &impl serde::Serialize) -> Result<Asked, Stop> {
    let finding = image_of(finding)?;
    Ok(asked.with("finding", String::from_utf8_lossy(&finding)))
}

fn start_asked(run: String, claim: String, minutes: i64, unplanned: Option<Unplanned>) -> Asked {
    let asked = Asked::of(run)
        .with("claim", claim)
        .with("minutes", minutes.to_string());
    match unplanned {
        None => asked,
        Some(it) => asked
            .with("kind", it.kind.word())
            .with("series", it.series)
            .with("at", it.at.to_string()),
    }
}
