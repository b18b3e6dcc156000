//! Actions of governed bundles: registered, approved, merged, claimed, ended, taken back, superseded; each end with a receipt.

mod approve;
mod claim;
mod finish;
mod interrupt;
mod merge;
mod register;
mod roll_back;
mod supersede;
mod way_back;

pub(super) use approve::ApproveBundle;
pub(super) use claim::ClaimBundleRun;
pub use finish::BundleFinding;
pub(super) use finish::FinishBundleRun;
pub(super) use interrupt::InterruptBundleRun;
pub(super) use merge::MergeBundle;
pub(super) use register::RegisterBundle;
pub(super) use roll_back::RollBackBundle;
pub(super) use supersede::SupersedeBundle;

use std::time::Duration;

use super::entry::{Draft, Field, Required, Row, Stop};
use crate::canon::Digest;
use crate::clock::Moment;
use crate::rules::bundle::{Baseline, CheckStatus, FileDigest, Kind, Receipt, RunType};
use crate::rules::bundle_run::{
    self as rule, BundleStatus, Hold, RECEIPT_FILED, RunOutcome, Tier, Told, UNNOTICED,
};
use crate::rules::migration::Planned;
use crate::rules::people::{Acting, Actor};
use crate::rules::permission::Permission;
use crate::rules::{Condition, Refusal};
use crate::store::artifact::{Artifact, BUNDLE_PROV, BUNDLE_RECEIPT};
use crate::store::bundle::{self, Bundle, Known, Plan, Run};
use crate::store::migration::{self, CalendarWindow};
use crate::store::{StoreError, Target, View};

const BUNDLE: &str = "bundle";
const RUN: &str = "bundle_run";

const ENVIRONMENT: Field = Field {
    name: "environment",
    help: "Where the target stands: dev, stage or prod",
    required: Required::Yes,
};

fn no_such_bundle(id: &str) -> Refusal {
    Refusal::new(
        format!("there is no bundle {id:?}"),
        "`govdeck bundle list` shows them",
    )
}

fn no_such_run(id: &str) -> Refusal {
    Refusal::new(
        format!("there is no run {id:?} of a bundle"),
        "`govdeck bundle show BUNDLE` lists them",
    )
}

fn target(bundle: &Bundle) -> Target {
    Target {
        kind: BUNDLE,
        id: bundle.migration_id.clone(),
        version: bundle.version,
    }
}

fn run_target(run: &Run) -> Target {
    Target {
        kind: RUN,
        id: run.run_id.clone(),
        version: run.version,
    }
}

/// A bundle with the names of its files.
pub(super) struct Facts {
    known: Known,
    files: Vec<FileDigest>,
    /// How long the plan of each tier would keep others from writing.
    holds: Vec<(Tier, Hold)>,
    calendar: Vec<CalendarWindow>,
}

impl Facts {
    /// Hashes the plan of the registered files at a target that looks so; nothing has that hash where the declaration's is
    /// malformed.
    fn plan_hash(&self, fingerprint: &str) -> String {
        let declaration = self.known.bundle.declaration_sha256.parse::<Digest>();
        let scripts = self.files.get(1..).unwrap_or_default();
        declaration.map_or(String::new(), |declaration| {
            rule::plan_hash(declaration, scripts, fingerprint).to_string()
        })
    }

    /// Asks the calendar about the plan of a tier.
    fn window(
        &self,
        tier: Tier,
        rule: fn(Hold, &[Planned<'_>], Moment) -> Condition,
        now: Moment,
    ) -> Condition {
        let hold = self.holds.iter().find(|(of, _)| *of == tier);
        let calendar: Vec<_> = self.calendar.iter().map(migration::planned).collect();
        rule(hold.map_or(Hold::Nobody, |(_, hold)| *hold), &calendar, now)
    }

    /// Hashes the plan that is registered for a tier, with the files that are registered now.
    fn current_plan(&self, tier: Tier) -> String {
        let plan = self.known.plan(tier);
        plan.map_or(String::new(), |plan| {
            self.plan_hash(&plan.schema_fingerprint)
        })
    }
}

async fn read(view: &mut View, id: &str) -> Result<Option<Facts>, StoreError> {
    let Some(known) = bundle::known(view, id).await? else {
        return Ok(None);
    };
    let mut holds = Vec::new();
    for plan in &known.plans {
        holds.push((plan.environment, hold(view, &known.bundle, plan).await?));
    }
    Ok(Some(Facts {
        files: bundle::files(view, &known.bundle).await?,
        calendar: migration::calendar(view).await?,
        holds,
        known,
    }))
}

/// Tells how long a plan would keep others from writing. What took so short that nobody asks further is not read.
async fn hold(view: &mut View, bundle: &Bundle, plan: &Plan) -> Result<Hold, StoreError> {
    let took = plan.milliseconds.and_then(|it| u64::try_from(it).ok());
    let took = took.map(Duration::from_millis);
    if bundle.kind != Kind::Postgis || took.is_some_and(|took| took <= UNNOTICED) {
        return Ok(Hold::Nobody);
    }
    // An empty database has no objects before, a database that is emptied none after.
    for sha256 in [&plan.pre_sha256, &plan.post_sha256] {
        let side = bundle::named(view, sha256).await?;
        let side = side.and_then(|side| serde_json::from_slice::<Baseline>(&side).ok());
        if side.is_some_and(|side| side.is_of_sqlite()) {
            return Ok(Hold::Everybody(took));
        }
    }
    Ok(Hold::Nobody)
}

fn there<'a>(facts: Option<&'a Facts>, id: &str) -> Result<&'a Facts, Stop> {
    facts.ok_or_else(|| no_such_bundle(id).into())
}

/// Names the role that let somebody act.
fn role_of(actor: &Actor, may: &Permission) -> &'static str {
    let held = may.roles.iter().find(|role| actor.roles.contains(role));
    held.map_or("nobody", |role| role.word())
}

/// A run of a bundle that begins now, as whoever acts would begin it.
fn begun(
    known: &Known,
    run_type: RunType,
    tier: Option<Tier>,
    by: &Acting<'_>,
    now: Moment,
) -> Run {
    let same = known.runs.iter().filter(|run| run.run_type == run_type);
    let id = &known.bundle.migration_id;
    Run {
        run_id: rule::run_id(id, run_type, same.count()),
        migration_id: id.clone(),
        run_type,
        environment: tier,
        plan_hash: None,
        approval_id: None,
        undoes_run_id: None,
        claimed_by: by.id(),
        approved_by: None,
        reason: by.reason(),
        claimed_at_utc: now,
        ended_at_utc: None,
        outcome: RunOutcome::Running,
        detail: None,
        receipt_sha256: None,
        pre_sha256: None,
        post_sha256: None,
        diff_sha256: None,
        version: 1,
    }
}

/// Packs a receipt and where it came from as evidence.
fn filed(receipt: &Receipt) -> Vec<(&'static str, Artifact)> {
    let pack = |(role, media_type): (&'static str, &'static str), bytes| {
        (role, Artifact::new(media_type, bytes))
    };
    vec![
        pack(BUNDLE_RECEIPT, receipt.bytes()),
        pack(BUNDLE_PROV, receipt.prov()),
    ]
}

/// A decision of people about a bundle, which is made and ended in one entry.
struct Decided<'a> {
    facts: &'a Facts,
    /// The run, as begun.
    run: Run,
    /// Where the bundle comes to; none where it stays.
    status: Option<BundleStatus>,
    conditions: Vec<Condition>,
    may: &'a Permission,
}

impl Decided<'_> {
    fn draft(self, by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let bundle = &self.facts.known.bundle;
        let run = &self.run;
        let receipt = rule::receipt(Told {
            run_id: &run.run_id,
            run_type: run.run_type,
            migration_id: &run.migration_id,
            tier: run.environment,
            principal: &run.claimed_by,
            role: role_of(by.actor, self.may),
            plan_hash: run.plan_hash.as_deref(),
            decision: bundle
                .approval_reference
                .as_deref()
                .unwrap_or(self.may.verb),
            inputs: self.facts.files.clone(),
            outputs: Vec::new(),
            status: CheckStatus::Pass,
            checks: rule::checks(&self.conditions),
            started: now,
            finished: now,
        });
        let evidence = filed(&receipt);
        // It tells the time, so that nobody can name it before it is written.
        let named = match by.reason {
            None => RECEIPT_FILED.to_owned(),
            Some(_) => evidence[0].1.sha256.to_string(),
        };
        let mut rows = vec![Row::new(Run {
            outcome: RunOutcome::Applied,
            ended_at_utc: Some(now),
            receipt_sha256: Some(named),
            ..self.run
        })];
        if let Some(status) = self.status {
            let after = Bundle {
                status,
                version: bundle.version + 1,
                ..bundle.clone()
            };
            rows.push(Row::change(bundle, after)?);
        }
        Ok(Draft::new(target(bundle), self.conditions, rows).with_evidence(evidence))
    }
}
