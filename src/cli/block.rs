//! `govdeck block`: what the publish gate stopped, and why.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::{Value, json};

use super::page::{Exit, Failure, Page};
use super::values::Values;
use crate::clock::Moment;
use crate::rules::Refusal;
use crate::rules::block::{BlockReason, sla};
use crate::rules::drift::Drift;
use crate::store::block::OpenBlock;
use crate::store::ledger::Entry;
use crate::store::publish::Audit;
use crate::store::route::{self, Route, RouteChange};
use crate::store::{Store, block, leaf, ledger, publish};

/// How many cells are written out for people; the document names all that were kept.
const SHOWN: usize = 20;

/// The table whose changes are a block's story.
const TABLE: &str = Audit::TABLE;

/// What to see of blocks.
#[derive(Debug, Subcommand)]
pub(super) enum Block {
    /// List the open blocks, the longest blocked first.
    List {
        /// How many.
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(i64).range(1..=10_000))]
        last: i64,
    },
    /// Show a decided run: hashes, times, the cells that differ, owner, response, and what happened to it.
    Show {
        /// The run's id.
        run: String,
        /// The rows that it was minted of, to show the values of the cells that differ; the hash must be the run's.
        #[arg(long, value_name = "FILE", requires = "source")]
        rows: Option<PathBuf>,
        /// The same rows as the source had them.
        #[arg(long, value_name = "FILE", requires = "rows")]
        source: Option<PathBuf>,
    },
    /// Sum up how fast blocks were answered, reason by reason.
    Report {
        /// Over how many days until now.
        #[arg(long, default_value_t = 28, value_parser = clap::value_parser!(i64).range(1..=366))]
        days: i64,
    },
    /// List who owns the blocks of each reason, and the changes that wait for a signer.
    Routes,
}

impl Block {
    pub(super) async fn run(self, store: &Store) -> Result<Page, Failure> {
        match self {
            Self::List { last } => list(store, last).await,
            Self::Show { run, rows, source } => {
                let both = rows.as_deref().zip(source.as_deref());
                show(store, &run, both).await
            }
            Self::Report { days } => super::report::run(store, days).await,
            Self::Routes => routes(store).await,
        }
    }
}

/// Writes an open block in one line.
pub(super) fn line(block: &Audit) -> String {
    format!(
        "{} {:<21} {} owner {}, {}",
        block.created_at_utc,
        block.block_reason.map_or("unknown", BlockReason::word),
        block.publish_run_id,
        block.owner_user_id.as_deref().unwrap_or("nobody"),
        taken(block)
    )
}

/// Says until when a block is to be answered, and how that stands.
fn answer(audit: &Audit, now: Moment) -> String {
    let Some(by) = audit.respond_by_utc else {
        return String::new();
    };
    let stands = sla(audit.created_at_utc, by, audit.taken_at_utc, now);
    format!(", {stands}, answer by {by}")
}

async fn routes(store: &Store) -> Result<Page, Failure> {
    let mut view = store.view().await?;
    let routes = route::routes(&mut view).await?;
    let waiting = route::pending(&mut view).await?;
    let held = |route: &Route| {
        format!(
            "{:<22} owner {}, backup {}, {} minutes",
            route.block_reason.word(),
            route.owner_user_id,
            route.backup_owner_user_id,
            route.sla_first_response_minutes
        )
    };
    let waits = |change: &RouteChange| {
        format!(
            "{} waits for a signer: {} to owner {}, backup {}, {} minutes, by {} at {}",
            change.route_change_id,
            change.block_reason,
            change.owner_user_id,
            change.backup_owner_user_id,
            change.sla_first_response_minutes,
            change.proposed_by,
            change.proposed_at_utc
        )
    };
    let mut lines: Vec<_> = routes.iter().map(held).collect();
    lines.extend(waiting.iter().map(waits));
    Ok(Page::new(
        Exit::Done,
        lines,
        "block-routes",
        json!({"routes": routes, "waiting": waiting}),
    ))
}

async fn list(store: &Store, last: i64) -> Result<Page, Failure> {
    let mut view = store.view().await?;
    let open = publish::counts(&mut view).await?.open;
    let blocks = publish::open_blocks(&mut view, last).await?;
    let mut lines = vec![format!("{open} open")];
    let now = view.now();
    lines.extend(blocks.iter().map(|block| line(block) + &answer(block, now)));
    Ok(Page::new(
        Exit::Done,
        lines,
        "block-list",
        json!({"open": open, "blocks": blocks}),
    ))
}

async fn show(store: &Store, run: &str, both: Option<(&Path, &Path)>) -> Result<Page, Failure> {
    let mut view = store.view().await?;
    let block = block::find(&mut view, run).await?.ok_or_else(|| {
        Failure::new(
            Exit::CannotTell,
            format!("the gate has decided no run {run:?}"),
            "`govdeck block list` shows what is open",
        )
    })?;
    let filed = leaf::drift(&mut view, run).await?;
    let entries = ledger::entries_of(&mut view, TABLE, run).await?;
    let now = view.now();
    let audit = &block.audit;
    let response = audit
        .respond_by_utc
        .map(|by| sla(audit.created_at_utc, by, audit.taken_at_utc, now));
    let (sha256, drift) = match filed {
        None => (None, None),
        Some(filed) => (Some(filed.sha256), Some(filed.drift)),
    };
    // Nothing is held open while files are read.
    drop(view);
    let explained = drift.as_ref().and_then(|drift| drift.as_ref().ok());
    let values = both.map(|both| values(run, explained, both)).transpose()?;
    let mut lines = facts(&block);
    if let Some(response) = response {
        lines.push(format!(
            "answer   {response}, by {}",
            moment(audit.respond_by_utc)
        ));
    }
    match &drift {
        Some(Ok(drift)) => lines.extend(cells(drift, values.as_ref())),
        Some(Err(why)) => lines.push(format!("drift    {why}")),
        None => {}
    }
    lines.extend(entries.iter().map(line_of));
    let timeline: Vec<_> = entries.iter().map(json_of).collect();
    let values = explained
        .zip(values)
        .map(|(drift, values)| values.json(drift));
    let drift = drift.map(|drift| match drift {
        Ok(drift) => json!(drift),
        Err(why) => json!({"unexplained": why}),
    });
    let json = json!({
        "run": run, "block": block, "response": response, "drift_sha256": sha256, "drift": drift, "values": values, "timeline": timeline,
    });
    Ok(Page::new(Exit::Done, lines, "block-show", json))
}

/// Reads the values of the cells that differ, where something explains why they do.
fn values(run: &str, drift: Option<&Drift>, both: (&Path, &Path)) -> Result<Values, Failure> {
    let drift = drift.ok_or_else(|| {
        Refusal::new(
            format!("nothing explains a drift of {run}, so there are no values to show"),
            "leave --rows and --source out",
        )
    })?;
    Values::read(drift, both.0, both.1)
}

fn line_of(entry: &Entry) -> String {
    let (at, by) = (entry.at_utc, entry.written_by());
    format!("{at} {} {} by {by}", entry.seq, entry.action)
}

fn json_of(entry: &Entry) -> Value {
    json!({
        "seq": entry.seq, "at_utc": entry.at_utc, "action": entry.action, "actor": entry.actor_id,
        "approved_by": entry.approved_by, "reason": entry.reason, "hash": entry.hash,
    })
}

fn moment(at: Option<Moment>) -> String {
    at.map_or("never".to_owned(), |at| at.to_string())
}

/// Says what else the gate found.
fn also(audit: &Audit) -> String {
    let also: Vec<String> = serde_json::from_str(&audit.also).unwrap_or_default();
    if also.is_empty() {
        return String::new();
    }
    format!(", also {}", also.join(", "))
}

fn taken(audit: &Audit) -> String {
    audit
        .taken_by
        .as_ref()
        .map_or("not taken".to_owned(), |by| format!("taken by {by}"))
}

fn facts(block: &OpenBlock) -> Vec<String> {
    let audit = &block.audit;
    let word = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".to_owned());
    vec![
        format!(
            "{} is {}: {}{}",
            audit.publish_run_id,
            audit.status,
            audit.block_reason.map_or("no reason", BlockReason::word),
            also(audit)
        ),
        format!("scope    {}", block.publish_scope),
        format!("publish  {}", word(&audit.publish_tuple_hash)),
        format!("source   {}", word(&audit.source_tuple_hash)),
        format!("footer   {}", word(&block.footer_schema_semver)),
        format!(
            "minted   {}, source read {}, decided {}",
            block.minted_at_utc,
            moment(block.source_observed_at_utc),
            audit.created_at_utc
        ),
        format!(
            "owner    {}, backup {}, {}",
            word(&audit.owner_user_id),
            word(&audit.backup_owner_user_id),
            taken(audit)
        ),
    ]
}

fn cells(drift: &Drift, values: Option<&Values>) -> Vec<String> {
    let mut lines = vec![format!("drift    {}", drift.in_a_line(0))];
    for cell in drift.named.iter().take(SHOWN) {
        lines.push(format!(
            "  {:<8} {} ({} to publish, {} in the source)",
            cell.change,
            cell.name(),
            cell.publish_rows,
            cell.source_rows
        ));
        lines.extend(values.into_iter().flat_map(|values| values.lines(cell)));
    }
    let more = drift.named.len().saturating_sub(SHOWN);
    if more > 0 {
        lines.push(format!("  and {more} more, which --json names"));
    }
    lines
}
