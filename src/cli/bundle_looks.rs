//! `govdeck bundle list`, `show` and `registry`: how far bundles have come, what they would touch, and how their runs ended.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::json;

use super::hash;
use super::page::{Exit, Failure, Page};
use crate::clock::Moment;
use crate::rules::Verdict;
use crate::rules::bundle::{REGISTRY_FILE, Registry};
use crate::rules::bundle_run::{self as rule, BundleStatus, RunOutcome, radius};
use crate::rules::filter::Filter;
use crate::store::bundle::{self, BUNDLE_FIELDS, BundleSort, Known, Listed, Plan, Run};
use crate::store::window::Look;
use crate::store::{Store, View};

/// How many bundles are listed when nobody says otherwise.
const LISTED: u16 = 100;
/// How large a registry is read at most.
const MOST_BYTES: u64 = 16 * 1024 * 1024;

/// What to look at.
#[derive(Debug, Subcommand)]
pub(super) enum Looks {
    /// List the bundles by how far they have come.
    List {
        /// Only those that have come so far.
        #[arg(long, value_name = "STATUS")]
        status: Option<BundleStatus>,
    },
    /// Show a bundle: its plans with what they touch, its approvals, its runs and their receipts.
    Show {
        /// The bundle's migration id.
        id: String,
    },
    /// Write the registry of all bundles, or compare it with the file of the repository.
    Registry {
        /// Compare with this file, and write nothing.
        #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "")]
        compare: Option<PathBuf>,
    },
}

impl Looks {
    pub(super) async fn run(self, store: &Store, root: &Path) -> Result<Page, Failure> {
        let mut view = store.view().await?;
        match self {
            Self::List { status } => list(&mut view, status).await,
            Self::Show { id } => show(&mut view, &id).await,
            Self::Registry { compare: None } => {
                let registry = bundle::registered(&mut view).await?;
                Ok(Page::raw(registry.text().into_bytes()))
            }
            Self::Registry {
                compare: Some(file),
            } => {
                let file = if file.as_os_str().is_empty() {
                    root.join(REGISTRY_FILE)
                } else {
                    file
                };
                compare(&mut view, &file).await
            }
        }
    }
}

pub(super) fn no_bundle(id: &str) -> Failure {
    Failure::new(
        Exit::CannotTell,
        format!("there is no bundle {id:?}"),
        "`govdeck bundle list` shows them",
    )
}

async fn list(view: &mut View, status: Option<BundleStatus>) -> Result<Page, Failure> {
    let counts = bundle::counts(view).await?;
    let filter = match status {
        Some(status) => Filter::parse(&format!("status:{status}"), BUNDLE_FIELDS)?,
        None => Filter::default(),
    };
    let look = Look {
        sort: BundleSort::Status,
        reach: LISTED,
        filter,
        ..Look::default()
    };
    let window = bundle::listed(view, &look).await?;
    let now = view.now();
    let mut lines: Vec<String> = window.rows.iter().map(|row| line(row, now)).collect();
    if counts.is_empty() {
        lines.push("no bundle is registered: govdeck act register-bundle".to_owned());
    }
    if window.more_after {
        lines.push(format!("and more: only {LISTED} are listed"));
    }
    let json = json!({"counts": counts, "bundles": window.rows, "more": window.more_after});
    Ok(Page::new(Exit::Done, lines, "bundle-list", json))
}

fn line(row: &Listed, now: Moment) -> String {
    let bundle = &row.bundle;
    let newest = match (row.dead_end, row.newest.as_str()) {
        (1.., _) => "ROLLBACK FAILED".to_owned(),
        (_, "") => "no run".to_owned(),
        (_, newest) => rule::newest(newest, row.runs_since, now),
    };
    format!(
        "{:<14} {} {} {newest}: {}",
        bundle.status, bundle.migration_id, bundle.kind, bundle.intent
    )
}

async fn show(view: &mut View, id: &str) -> Result<Page, Failure> {
    let known = bundle::known(view, id)
        .await?
        .ok_or_else(|| no_bundle(id))?;
    let mut lines = head(&known);
    let mut touched = Vec::new();
    for plan in &known.plans {
        lines.extend(planned(&known, plan));
        let mut sides = Vec::new();
        for sha256 in [&plan.pre_sha256, &plan.post_sha256] {
            let bytes = bundle::named(view, sha256).await?.unwrap_or_default();
            sides.extend(serde_json::from_slice(&bytes).ok());
        }
        if let [pre, post] = sides.as_slice() {
            for it in radius(pre, post) {
                let side =
                    |side: &Option<String>| side.clone().unwrap_or_else(|| "none".to_owned());
                lines.push(format!(
                    "    {} {}: {} -> {}",
                    it.kind,
                    it.name,
                    side(&it.before),
                    side(&it.after)
                ));
                touched.push(json!({"environment": plan.environment, "object": it}));
            }
        }
    }
    let now = view.now();
    lines.extend(known.runs.iter().flat_map(|run| ran(run, now)));
    let has_failed = |run: &Run| run.outcome == RunOutcome::RollbackFailed;
    let exit = if known.runs.iter().any(has_failed) {
        Exit::No
    } else {
        Exit::Done
    };
    let json = json!({
        "bundle": known.bundle, "plans": known.plans, "runs": known.runs, "touched": touched,
        "led_back": known.led_back,
        "files": bundle::files(view, &known.bundle).await?,
    });
    Ok(Page::new(exit, lines, "bundle-show", json))
}

fn head(known: &Known) -> Vec<String> {
    let bundle = &known.bundle;
    let back = match (bundle.requires_rollback, &bundle.approval_reference) {
        (true, _) => "can be taken back".to_owned(),
        (false, reference) => format!(
            "CANNOT BE TAKEN BACK ({})",
            reference.as_deref().unwrap_or("nobody approved that")
        ),
    };
    let by = bundle.superseded_by.as_ref();
    let by = by.map_or(String::new(), |by| format!(" by {by}"));
    vec![
        format!(
            "{} {}{by}: {}",
            bundle.migration_id, bundle.status, bundle.intent
        ),
        format!(
            "  {}, {}, {back}, registered by {} at {}",
            bundle.kind, bundle.change_class, bundle.registered_by, bundle.registered_at_utc
        ),
        format!(
            "  declaration sha256:{}, scripts sha256:{}",
            bundle.declaration_sha256, bundle.scripts_sha256
        ),
    ]
}

fn planned(known: &Known, plan: &Plan) -> Vec<String> {
    let approval = known.decide(|facts| {
        let approval = facts.approval(plan.environment);
        approval.map(|run| {
            (
                run.run_id.to_owned(),
                run.plan_hash == Some(&*plan.plan_hash),
            )
        })
    });
    let approval = match approval {
        None => "no approval waits to be used".to_owned(),
        Some((run, true)) => format!("{run} waits to be used"),
        Some((run, false)) => format!("{run} LAPSED: the plan changed since"),
    };
    let back = match (known.has_led_back(plan), known.bundle.requires_rollback) {
        (true, _) => "its way back was run, and led back",
        (false, true) => "ITS WAY BACK WAS NEVER RUN: govdeck bundle plan FOLDER --register",
        (false, false) => "it needs no way back",
    };
    vec![
        format!(
            "  plan {} {}: {} tables, {:+} indexes, {} rows",
            plan.environment,
            plan.plan_hash,
            plan.tables_touched,
            plan.index_delta,
            plan.rows_touched
        ),
        format!("    {back}"),
        format!("    {approval}"),
    ]
}

fn ran(run: &Run, now: Moment) -> Vec<String> {
    let at = run.ended_at_utc.unwrap_or(run.claimed_at_utc);
    let second = run.approved_by.as_ref();
    let second = second.map_or(String::new(), |by| format!(" and {by}"));
    let place = run
        .environment
        .map_or(String::new(), |tier| format!(" in {tier}"));
    let receipt = run.receipt_sha256.as_deref();
    let line = format!(
        "  {} {}{place} by {}{second} at {at}{}{}",
        run.run_id,
        run.outcome.word().to_uppercase(),
        run.claimed_by,
        receipt.map_or(", no receipt yet".to_owned(), |hash| format!(
            ", receipt sha256:{hash}"
        )),
        run.detail
            .as_ref()
            .map_or(String::new(), |said| format!(": {said}")),
    );
    let late = rule::given_up(&run.run_id, run.outcome, run.claimed_at_utc, now);
    let late = late.map(|said| format!("    {said}"));
    [line].into_iter().chain(late).collect()
}

/// Compares the file with what the database knows, bundle by bundle.
async fn compare(view: &mut View, file: &Path) -> Result<Page, Failure> {
    let bytes = hash::read_at_most(MOST_BYTES, Some(file))?;
    let written = Registry::read(&bytes).map_err(|found| {
        let first = found.first().map_or(String::new(), |it| it.detail.clone());
        Failure::new(
            Exit::BadInput,
            format!("{} is no registry: {first}", file.display()),
            "`govdeck bundle registry` writes what the database knows",
        )
    })?;
    let known = bundle::registered(view).await?;
    let mut lines = Vec::new();
    for entry in &known.migrations {
        let same =
            |it: &&crate::rules::bundle::RegistryEntry| it.migration_id == entry.migration_id;
        match written.migrations.iter().find(same) {
            None => lines.push(format!("{} is missing in the file", entry.migration_id)),
            Some(other) if other != entry => lines.push(format!(
                "{} is {} in the file, with {} receipts, and {} here, with {}",
                entry.migration_id,
                other.status,
                other.receipts.len(),
                entry.status,
                entry.receipts.len()
            )),
            Some(_) => {}
        }
    }
    for other in &written.migrations {
        let is_known = known
            .migrations
            .iter()
            .any(|it| it.migration_id == other.migration_id);
        // A draft may wait for its registration.
        if !is_known && other.status != BundleStatus::Draft {
            lines.push(format!("{} is not known here", other.migration_id));
        }
    }
    let verdict = Verdict::of(lines.is_empty());
    let json = json!({"verdict": verdict, "differences": lines});
    if lines.is_empty() {
        lines.push(format!(
            "PASS {}: {} bundles",
            file.display(),
            known.migrations.len()
        ));
    }
    Ok(Page::new(
        Exit::from(verdict),
        lines,
        "bundle-registry",
        json,
    ))
}
