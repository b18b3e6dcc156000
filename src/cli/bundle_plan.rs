//! `govdeck bundle plan`: tries a bundle and its way back, shows what it would change, and registers that.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::act::Act;
use super::bundle_run::{reach, reach_at};
use super::key::Answered;
use super::page::{Exit, Failure, Page};
use super::sign::Pen;
use crate::actions::Asked;
use crate::bundles::Progress;
use crate::bundles::folder::Folder;
use crate::bundles::sql::Place;
use crate::jobs::bundle::{self as job, AtStore, Back, Files, Planned};
use crate::rules::bundle::{DECLARATION_FILE, Declared, Finding};
use crate::rules::bundle_run::{Tier, UNNOTICED, radius};
use crate::rules::{Verdict, permission};
use crate::settings::Settings;
use crate::store::Store;

/// What to plan, and where.
#[derive(Debug, Args)]
pub(super) struct Plan {
    /// The bundle's folder.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Where the target stands that the plan is for.
    #[arg(long)]
    environment: Tier,
    /// Try it on the target itself, in a transaction that is taken back; locks are waited for two seconds.
    #[arg(long)]
    in_place: bool,
    /// Write the baselines and the summary of the differences into the folder.
    #[arg(long)]
    write: bool,
    /// Register the plan, by the ledger: shows the phrase, or does it with `--confirm` and `--reason`.
    #[arg(long)]
    register: bool,
    #[command(flatten)]
    pub(super) answer: Answered,
}

impl Plan {
    pub(super) async fn run(
        self,
        store: &Store,
        settings: &Settings,
        pen: &Pen,
    ) -> Result<Page, Failure> {
        let folder =
            Folder::open(&self.folder).map_err(|error| Failure::of_file(&self.folder, &error))?;
        let text = folder.text(DECLARATION_FILE).map_err(unreadable)?;
        let declared = Declared::read(text.as_bytes()).map_err(|found| rejected(&found))?;
        let faults = declared.faults();
        if !faults.is_empty() {
            return Err(rejected(&faults));
        }
        let declaration = declared.declaration;
        let scripts = folder.scripts(&declaration).map_err(unreadable)?;
        let rehearsal = settings.rehearsal_dsn.as_ref().filter(|_| !self.in_place);
        let place = if self.in_place || rehearsal.is_some() {
            Place::InPlace
        } else {
            Place::Copy
        };
        let reach = match rehearsal {
            Some(dsn) => reach_at(settings, dsn),
            None => reach(settings)?,
        };
        let worker = AtStore::open(declaration, &reach, Progress::default()).await?;
        let files = Files {
            declaration: text,
            scripts,
        };
        let planned = job::plan(&worker, files, self.environment, place).await?;
        if self.write {
            write(&folder, &planned)?;
        }
        let registration = &planned.registration;
        let page = shown(&planned);
        if !self.register || !planned.passes() {
            return Ok(page);
        }
        let plan = String::from_utf8_lossy(&registration.bytes()).into_owned();
        let act = Act {
            verb: permission::REGISTER_BUNDLE.verb,
            asked: Asked::of(planned.declared.migration_id.clone()).with("plan", plan),
            go: self.answer.go(),
        };
        act.run(store, pen).await
    }
}

fn unreadable(why: String) -> Failure {
    Failure::new(
        Exit::BadInput,
        why,
        "`govdeck bundle check` tells what a bundle has to be",
    )
}

pub(super) fn rejected(found: &[Finding]) -> Failure {
    let all: Vec<String> = found
        .iter()
        .map(|finding| format!("{} {}: {}", finding.reason, finding.path, finding.detail))
        .collect();
    Failure::new(
        Exit::BadInput,
        all.join("; "),
        "`govdeck bundle check` tells what to do",
    )
}

/// Writes what a plan saw where the declaration says.
fn write(folder: &Folder, planned: &Planned) -> Result<(), Failure> {
    let registration = &planned.registration;
    let artifacts = &planned.declared.artifacts;
    for (path, bytes) in [
        (&artifacts.pre, registration.pre.bytes()),
        (&artifacts.post, registration.post.bytes()),
        (
            &artifacts.summary,
            registration.diff(&planned.declared.migration_id).bytes(),
        ),
    ] {
        let put = || match path.rsplit_once('/') {
            None => folder.replace(path, &bytes),
            Some((above, name)) => {
                let mut steps = above.split('/');
                let first = folder.make(steps.next().unwrap_or_default())?;
                let below = steps.try_fold(first, |folder, step| folder.make(step))?;
                below.replace(name, &bytes)
            }
        };
        put().map_err(|error| Failure::of_file(Path::new(path), &error))?;
    }
    Ok(())
}

fn shown(planned: &Planned) -> Page {
    let registration = &planned.registration;
    let diff = registration.diff(&planned.declared.migration_id);
    let verdict = Verdict::of(planned.passes());
    let mut lines = vec![format!(
        "plan of {} for {}: {} tables, {:+} indexes, {} rows, {} ms; plan {}",
        planned.declared.migration_id,
        registration.environment,
        diff.table_count_touched,
        diff.index_count_delta,
        diff.row_backfill,
        registration.milliseconds.unwrap_or_default(),
        registration.plan_hash(),
    )];
    let touched = radius(&registration.pre, &registration.post);
    lines.extend(touched.iter().map(|touched| {
        let side = |side: &Option<String>| {
            side.as_deref()
                .map_or("-", |it| it.get(..19).unwrap_or(it))
                .to_owned()
        };
        let (before, after) = (side(&touched.before), side(&touched.after));
        format!("  {} {}: {before} -> {after}", touched.kind, touched.name)
    }));
    lines.push(match &planned.back {
        Back::None => "way back: there is none".to_owned(),
        Back::Proven => "way back: run, and everything was as before".to_owned(),
        Back::RollbackFailed(why) => format!("way back: rollback_failed: {why}"),
    });
    lines.extend(planned.notes.iter().map(|note| format!("note: {note}")));
    let took = Duration::from_millis(registration.milliseconds.unwrap_or_default());
    let sides = [&registration.pre, &registration.post];
    if took > UNNOTICED && sides.iter().any(|side| side.is_of_sqlite()) {
        lines.push("note: nobody else can write that long, so it runs in a maintenance window; govdeck act set-calendar sets one".to_owned());
    }
    lines.extend(
        planned
            .findings
            .iter()
            .map(|finding| format!("{} {}: {}", finding.reason, finding.path, finding.detail)),
    );
    let json = json!({
        "verdict": verdict,
        "migration_id": planned.declared.migration_id,
        "environment": registration.environment,
        "plan_hash": registration.plan_hash(),
        "pre": registration.pre,
        "post": registration.post,
        "diff": serde_json::from_slice::<serde_json::Value>(&diff.bytes()).unwrap_or_default(),
        "milliseconds": registration.milliseconds,
        "findings": planned.findings,
        "way_back": planned.back,
        "notes": planned.notes,
    });
    Page::new(Exit::from(verdict), lines, "bundle-plan", json)
}
