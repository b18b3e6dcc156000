//! What a verdict on the screen rests on: the rule that gave it, the rows that the rule looked at, and their hashes.

mod looks;
mod moves;
mod records;

use crate::rules::release::Found;
use crate::store::block::OpenBlock;
use crate::store::ledger::Entry;

use super::detail::SeriesSight;
use super::list::Listing;
use super::model::Model;
use super::panes::{PaneId, blocks, home, ledger, weeks};
use super::picture::Picture;
use super::theme::Token;

/// How much of a long story is told.
const MOST: usize = 8;

/// A proof, line by line, each with its look.
pub(super) type Lines = Vec<(Token, String)>;

/// Writes what the verdict on the selected row rests on; nothing where nothing is judged, or nothing is selected.
pub(super) fn of(model: &Model) -> Lines {
    let Some(picture) = model.picture.as_ref().filter(|_| model.has_read()) else {
        return Vec::new();
    };
    let found = match model.pane {
        PaneId::Home => of_home(model, picture),
        PaneId::Migration => moves::of_migration(model, picture),
        PaneId::Mismatches => moves::of_mismatch(model, picture),
        PaneId::Blocks => {
            let at = model.blocks.position(&picture.blocks);
            let block = at.and_then(|at| picture.blocks.rows.get(at));
            block.and_then(|block| of_block(model, picture, block))
        }
        PaneId::Weeks => of_week(model, picture),
        PaneId::Cutover => moves::of_hour(model),
        PaneId::Bundles => moves::of_bundle(model, picture),
        PaneId::Ledger => {
            let at = model.entries.position(&picture.entries);
            let entry = at.and_then(|at| picture.entries.rows.get(at));
            entry.map(|entry| records::of_entry(model, picture, entry))
        }
        PaneId::People => records::of_person(model, picture),
        PaneId::Dictionary => records::of_metric(model, picture),
    };
    found.unwrap_or_default()
}

fn verdict(token: Token, says: impl Into<String>) -> (Token, String) {
    (token, says.into())
}

fn rule(says: impl AsRef<str>) -> (Token, String) {
    (Token::Fg, format!("  rule  {}", says.as_ref()))
}

fn row(says: impl AsRef<str>) -> (Token, String) {
    (Token::Muted, format!("  row   {}", says.as_ref()))
}

/// A hash, whole, so that it can be compared; what is missing is said to be.
fn hash(of: &str, value: Option<&str>) -> (Token, String) {
    match value.filter(|value| !value.is_empty()) {
        Some(value) => (Token::Muted, format!("  hash  {of} {value}")),
        None => (Token::StatusUnknown, format!("  hash  {of} MISSING")),
    }
}

fn of_home(model: &Model, picture: &Picture) -> Option<Lines> {
    let item = home::items(model).into_iter().nth(model.home)?;
    if item.id == home::CADENCE {
        return Some(model.week().lines);
    }
    if let Some(("block", id)) = item.subject() {
        let mut mine = picture.mine.iter();
        return of_block(
            model,
            picture,
            mine.find(|it| it.audit.publish_run_id == id)?,
        );
    }
    if let Some(("entry", id)) = item.subject() {
        let mut recent = picture.recent.iter();
        let entry = recent.find(|it| it.seq.to_string() == id)?;
        return Some(records::of_entry(model, picture, entry));
    }
    let mut series = picture.series.iter();
    let of_line = series.find(|sight| sight.look.series.series_id == item.id);
    of_line.map(of_series)
}

fn of_series(sight: &SeriesSight) -> Lines {
    let standing = &sight.look.standing;
    let word = standing.state.word().to_uppercase();
    let id = &sight.look.series.series_id;
    let mut lines = vec![
        verdict(
            weeks::of_state(standing.state),
            format!("series {id} is {word}"),
        ),
        rule(standing.because.meaning()),
    ];
    lines.extend(standing.runs.iter().map(|run| row(format!("run {run}"))));
    lines
}

fn of_week(model: &Model, picture: &Picture) -> Option<Lines> {
    let at = model.weeks.position(&picture.weeks)?;
    let window = &picture.weeks.rows.get(at)?.window;
    let mut lines = vec![verdict(
        weeks::of_status(window.status),
        format!("{} {}", window.status, window.job_run_id),
    )];
    lines.push(match (window.metrics_failed, window.metrics_total) {
        (Some(failed), Some(total)) => rule(format!(
            "it passes when no metric fails: {failed} of {total} failed"
        )),
        _ => rule(
            "it passes when both sides were compared and no metric fails: nothing was compared",
        ),
    });
    let detail = picture.run.as_ref();
    let detail = detail.filter(|it| it.job_run_id == window.job_run_id);
    for metric in detail.iter().flat_map(|it| &it.metrics).take(MOST) {
        let side = |value: &Option<String>| value.clone().unwrap_or_else(|| "missing".to_owned());
        lines.push(row(format!(
            "{} {}: leadership {}, partner {}, apart {}, allowed {}",
            metric.verdict,
            metric.metric_id,
            side(&metric.leadership),
            side(&metric.partner),
            side(&metric.delta),
            side(&metric.epsilon)
        )));
    }
    lines.extend(detail.and_then(|it| diff(&it.diff)));
    if window.metrics_total.is_some() {
        lines.extend([
            hash("leadership", window.leadership_ingest_hash.as_deref()),
            hash("partners", window.partner_ingest_hash.as_deref()),
            hash("tuple revision", window.tuple_revision_hash.as_deref()),
            hash("manifest", window.manifest_sha256.as_deref()),
        ]);
    }
    let series = picture.series.iter();
    let mut series = series.filter(|it| it.look.series.series_id == window.series_id);
    // How a series stood is not worked out for the past.
    if let Some(sight) = series.next().filter(|_| model.as_of.is_none()) {
        lines.extend(of_series(sight));
    }
    Some(lines)
}

/// Tells whether the diff is still what the run named; nothing where it named none.
fn diff(found: &Found) -> Option<(Token, String)> {
    match found {
        Found::Same(sha256) => Some(hash("diff", Some(&sha256.to_string()))),
        Found::Changed(why) => Some((Token::StatusDanger, format!("  hash  DIFF CHANGED: {why}"))),
        Found::Unreachable(why) => Some((
            Token::StatusUnknown,
            format!("  hash  cannot tell about the diff: {why}"),
        )),
        Found::NotNamed => None,
    }
}

fn of_block(model: &Model, picture: &Picture, block: &OpenBlock) -> Option<Lines> {
    let audit = &block.audit;
    let (token, left) = blocks::time_left(block, model.moment()?);
    let reason = audit.block_reason.map_or("unknown", blocks::meaning);
    let mut lines = vec![
        verdict(
            Token::StatusDanger,
            format!("{} is blocked", audit.publish_run_id),
        ),
        rule(reason),
        row(format!("publish_replay_audit, version {}", audit.version)),
        hash("publish", audit.publish_tuple_hash.as_deref()),
        hash("source", audit.source_tuple_hash.as_deref()),
        verdict(token, format!("the first answer: {}", words(&left))),
        rule(audit.sla_first_response_minutes.map_or(
            "no time was set for the first answer".to_owned(),
            |minutes| format!("{minutes} minutes from when it was blocked, half of them is SOON"),
        )),
        row(format!(
            "blocked {}",
            model.date_and_clock(audit.created_at_utc)
        )),
    ];
    let detail = picture.block.as_ref();
    let detail = detail.filter(|it| it.run == audit.publish_run_id);
    let entries = detail.iter().flat_map(|it| &it.entries).take(MOST);
    lines.extend(entries.flat_map(in_the_ledger));
    Some(lines)
}

/// Writes what stands in columns with single blanks.
pub(super) fn words(cell: &str) -> String {
    let words: Vec<_> = cell.split_whitespace().collect();
    words.join(" ")
}

/// An entry as a row with its hash.
fn in_the_ledger(entry: &Entry) -> [(Token, String); 2] {
    let said = format!(
        "entry {} {} by {}",
        entry.seq,
        entry.action,
        ledger::by(entry)
    );
    [row(said), hash("entry", Some(&entry.hash.to_string()))]
}
