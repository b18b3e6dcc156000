//! `govdeck bundle apply|rollback|run|verify`: bundles at their targets.

use clap::{Args, Subcommand};
use serde_json::json;

use super::act::Act;
use super::bundle_looks::no_bundle;
use super::bundle_plan;
use super::key::Answered;
use super::page::{Exit, Failure, Page};
use super::sign::Pen;
use crate::actions::Asked;
use crate::bundles::Progress;
use crate::bundles::sql::{Difference, differences};
use crate::jobs::bundle::{self as job, AtStore, Ended, Reach};
use crate::rules::bundle::RunType;
use crate::rules::bundle_run::{GIVEN_UP, Tier};
use crate::rules::{Verdict, permission};
use crate::settings::{Dsn, Settings, SettingsError};
use crate::store::bundle::{self, Known};
use crate::store::{Access, Store};

/// What to do with a bundle at its target.
#[derive(Debug, Subcommand)]
pub(super) enum Run {
    /// Try a bundle and its way back, where nothing of it stays, and show what it would change.
    Plan(bundle_plan::Plan),
    /// Claim the approved run of a bundle and make the change; it ends with a receipt.
    Apply(At),
    /// Claim the run that takes a bundle back, and take it back by its scripts; it ends with a receipt.
    Rollback(At),
    /// Run what was claimed elsewhere: at a console, or with a signature that came later.
    #[command(name = "run")]
    TakeUp {
        /// The run, as `bundle show` lists it.
        run: String,
    },
    /// Hash every file and receipt again, and compare the target with what the last run left.
    Verify {
        /// The bundle's migration id.
        id: String,
        /// Where the target stands.
        #[arg(long)]
        environment: Tier,
    },
}

/// Which bundle, and where.
#[derive(Debug, Args)]
pub(super) struct At {
    /// The bundle's migration id.
    id: String,
    /// Where the target stands.
    #[arg(long)]
    environment: Tier,
    #[command(flatten)]
    answer: Answered,
}

impl Run {
    pub(super) fn access(&self) -> Access {
        match self {
            Self::Plan(plan) => plan.answer.access(),
            Self::Apply(at) | Self::Rollback(at) => at.answer.access(),
            Self::TakeUp { .. } => Access::Write,
            Self::Verify { .. } => Access::Read,
        }
    }

    pub(super) async fn run(
        self,
        store: &Store,
        settings: &Settings,
        pen: &Pen,
    ) -> Result<Page, Failure> {
        match self {
            Self::Plan(plan) => plan.run(store, settings, pen).await,
            Self::Apply(at) => at.run(store, settings, pen, RunType::Migration).await,
            Self::Rollback(at) => at.run(store, settings, pen, RunType::Rollback).await,
            Self::TakeUp { run } => take_up(store, settings, &run).await,
            Self::Verify { id, environment } => verify(store, settings, &id, environment).await,
        }
    }
}

impl At {
    async fn run(
        self,
        store: &Store,
        settings: &Settings,
        pen: &Pen,
        run_type: RunType,
    ) -> Result<Page, Failure> {
        let tier = self.environment;
        let known = known(store, &self.id).await?;
        let worker = worker_of(store, settings, &known).await?;
        let confirms = self.answer.access() == Access::Write;
        if confirms {
            job::sweep(store, &self.id, tier, GIVEN_UP).await?;
        }
        let (verb, asked) = if run_type == RunType::Rollback {
            let asked = Asked::of(self.id.clone()).with("environment", tier.word());
            (permission::ROLL_BACK_BUNDLE.verb, asked)
        } else {
            let asked = job::asked(&worker, &self.id, tier).await?;
            (permission::CLAIM_BUNDLE_RUN.verb, asked)
        };
        let act = Act {
            verb,
            asked,
            go: self.answer.go(),
        };
        let page = act.run(store, pen).await?;
        if !confirms {
            return Ok(page);
        }
        let Some(run) = job::under_way(store, &self.id, tier).await?.pop() else {
            // A second person is asked first; whoever says yes runs it.
            return Ok(page);
        };
        let ended = job::take_up(store, &worker, &run.run_id).await?;
        Ok(told(&ended, run_type))
    }
}

async fn take_up(store: &Store, settings: &Settings, id: &str) -> Result<Page, Failure> {
    let run = bundle::run(&mut store.view().await?, id).await?;
    let run = run.ok_or_else(|| {
        Failure::new(
            Exit::CannotTell,
            format!("there is no run {id:?} of a bundle"),
            "`govdeck bundle show BUNDLE` lists them",
        )
    })?;
    let known = known(store, &run.migration_id).await?;
    let worker = worker_of(store, settings, &known).await?;
    let ended = job::take_up(store, &worker, id).await?;
    Ok(told(&ended, run.run_type))
}

fn told(ended: &Ended, run_type: RunType) -> Page {
    let exit = if ended.is_success(run_type) {
        Exit::Done
    } else {
        Exit::No
    };
    let mut lines = vec![format!(
        "{} {}: {}",
        ended.migration_id, ended.run_id, ended.outcome
    )];
    lines.extend(ended.detail.iter().map(|detail| format!("  {detail}")));
    lines.extend(ended.written.iter().map(|written| format!("  {written}")));
    lines.push(format!("receipt sha256:{}", ended.receipt_sha256));
    Page::new(exit, lines, "bundle-run", json!({"run": ended}))
}

async fn verify(store: &Store, settings: &Settings, id: &str, tier: Tier) -> Result<Page, Failure> {
    let known = known(store, id).await?;
    let files = job::verify_files(store, &known).await?;
    let files = files.ok_or_else(|| missing("a file, a receipt or a baseline"))?;
    let recorded = job::left(store, &known, tier).await?;
    let recorded = recorded.ok_or_else(|| missing("a baseline of the target"))?;
    let now = worker_of(store, settings, &known).await?.baseline().await?;
    let differences: Vec<String> = differences(&recorded, &now)
        .iter()
        .map(Difference::to_string)
        .collect();
    let verdict = Verdict::of(differences.is_empty());
    let stands = if verdict == Verdict::Pass {
        "is"
    } else {
        "is not"
    };
    let mut lines = vec![format!(
        "{id} in {tier}: {files} files hash as recorded; the target {stands} as it was left"
    )];
    lines.extend(
        differences
            .iter()
            .map(|difference| format!("  {difference}")),
    );
    let json = json!({"verdict": verdict, "migration_id": id, "environment": tier, "files": files, "differences": differences});
    Ok(Page::new(Exit::from(verdict), lines, "bundle-verify", json))
}

fn missing(what: &str) -> Failure {
    Failure::new(
        Exit::CannotTell,
        format!("{what} is not there, or is not what was recorded"),
        "`govdeck ledger verify` tells more",
    )
}

async fn known(store: &Store, id: &str) -> Result<Known, Failure> {
    let known = bundle::known(&mut store.view().await?, id).await?;
    known.ok_or_else(|| no_bundle(id))
}

/// Opens what a registered bundle changes.
async fn worker_of(store: &Store, settings: &Settings, known: &Known) -> Result<AtStore, Failure> {
    let reach = reach(settings)?;
    Ok(AtStore::of_known(store, known, &reach, Progress::default()).await?)
}

/// Returns what the settings say of the stores that bundles change.
pub(super) fn reach(settings: &Settings) -> Result<Reach, SettingsError> {
    Ok(reach_at(settings, settings.bundle_target()?))
}

/// Returns the same with another database.
pub(super) fn reach_at(settings: &Settings, target: &Dsn) -> Reach {
    Reach {
        target: target.clone(),
        drivers: settings.bundle_drivers.value.clone(),
    }
}
