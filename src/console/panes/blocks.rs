//! Blocks: runs that the publish gate stopped, by the time that is left to answer.

use ratatui::layout::Rect;

use crate::clock::Moment;
use crate::rules::block::{BlockReason, Sla, sla};
use crate::rules::drift::CellChange;
use crate::store::block::{BLOCK_FIELDS, BlockSort, OpenBlock};

use super::super::detail::BlockDetail;
use super::super::list::{Identified, Listing, Sorts};
use super::super::model::Model;
use super::super::table::{Cell, Column, Table};
use super::super::theme::Token;
use super::super::ui::{Parts, Pen};
use super::responses;

/// How many cells of a drift one line names.
const CELLS: usize = 6;
/// How many cells are listed where there are more.
const MOST_CELLS: usize = 24;

impl Identified for OpenBlock {
    fn id(&self) -> String {
        self.audit.publish_run_id.clone()
    }
}

impl Sorts for BlockSort {
    const SORTS: &'static [Self] = Self::ALL;
    const FIELDS: &'static [&'static str] = BLOCK_FIELDS;
}

pub(super) const COLUMNS: &[Column] = &[
    Column::new("RUN", 9, 0),
    Column::new("REASON", 20, 2),
    Column::new("SLA", 13, 0),
    Column::new("OWNER", 8, 1),
    Column::new("BACKUP", 7, 3),
    Column::new("STATE", 9, 0),
];

/// Tells how a block stands with its clock.
#[must_use]
pub fn clock_of(block: &OpenBlock, now: Moment) -> Option<Sla> {
    let respond_by = block.audit.respond_by_utc?;
    Some(sla(
        block.audit.created_at_utc,
        respond_by,
        block.audit.taken_at_utc,
        now,
    ))
}

/// Tells whether a block still waits for its first answer.
#[must_use]
pub fn needs_somebody(block: &OpenBlock, now: Moment) -> bool {
    !matches!(clock_of(block, now), Some(Sla::Answered))
}

/// Writes a number of seconds as minutes and seconds, and from an hour on as hours and minutes.
#[must_use]
pub fn clock(seconds: i64) -> String {
    match seconds.abs() {
        seconds if seconds >= 3_600 => format!("{}h{:02}m", seconds / 3_600, seconds / 60 % 60),
        seconds => format!("{:02}:{:02}", seconds / 60, seconds % 60),
    }
}

/// Writes the time that is left, or that is over.
#[must_use]
pub fn time_left(block: &OpenBlock, now: Moment) -> Cell {
    let Some(respond_by) = block.audit.respond_by_utc else {
        return (Token::StatusUnknown, "no limit".to_owned());
    };
    let left = respond_by.since(now).num_seconds();
    match clock_of(block, now) {
        Some(Sla::Breach) => (Token::SlaBreach, format!("BREACH +{}", clock(left))),
        Some(Sla::Soon) => (Token::SlaSoon, format!("SOON   {}", clock(left))),
        Some(Sla::InTime) => (Token::SlaOk, format!("ok     {}", clock(left))),
        Some(Sla::Answered) | None => (Token::Muted, "answered".to_owned()),
    }
}

/// Names a block's state by a word.
#[must_use]
pub fn state(block: &OpenBlock, now: Moment) -> Cell {
    match (&block.audit.taken_by, &block.audit.escalated_by) {
        (Some(_), _) if block.audit.is_stale(now) => (Token::StatusStale, "STALE".to_owned()),
        (Some(_), _) => (Token::StatusPending, "TAKEN".to_owned()),
        (None, Some(_)) => (Token::StatusWarn, "ESCALATED".to_owned()),
        (None, None) => (Token::StatusDanger, "OPEN".to_owned()),
    }
}

pub(super) fn cells(block: &OpenBlock, now: Moment) -> Vec<Cell> {
    let audit = &block.audit;
    let text = |text: Option<&str>| (Token::Fg, text.unwrap_or("nobody").to_owned());
    vec![
        text(Some(&audit.publish_run_id)),
        text(Some(
            audit.block_reason.map_or("unknown", BlockReason::word),
        )),
        time_left(block, now),
        text(audit.owner_user_id.as_deref()),
        text(audit.backup_owner_user_id.as_deref()),
        state(block, now),
    ]
}

/// Draws the pane.
pub fn draw(model: &Model, pen: &mut Pen<'_>, area: Rect) {
    let (Some(picture), Some(now)) = (&model.picture, model.moment()) else {
        return;
    };
    let open = model
        .past()
        .map_or(picture.counts.open, |past| past.open_blocks);
    let rows = &picture.blocks.rows;
    let selected = model.blocks.position(&picture.blocks);
    let (list, detail) = super::split(model, area, rows.len());
    if list.height > 0 {
        let order = super::order_word(model.blocks.look.order);
        let dot = pen.glyphs.dot();
        let title = format!(
            "Open publish blocks{} {dot} {open}{} {dot} sort {}{order}",
            model.as_of_words(dot),
            super::filter_word(&model.blocks.filter_text),
            model.blocks.look.sort,
        );
        let inside = pen.frame(list, &title, Token::BorderFocus);
        let checked = model.clock(picture.now);
        let none = match model.as_of {
            Some(_) => "0 rows: nothing was blocked then".to_owned(),
            None => format!("0 rows: nothing is blocked; last checked {checked}"),
        };
        let nothing = super::nothing(model, &model.blocks, &none);
        let table = Table {
            columns: COLUMNS,
            rows,
            selected,
            cells: &|row| cells(row, now),
        };
        super::rows(
            pen,
            (list, inside),
            &model.blocks,
            &picture.blocks,
            &table,
            (Token::StatusOk, &nothing),
        );
    }
    if detail.height > 0 {
        let title = model
            .blocks
            .selected
            .clone()
            .unwrap_or_else(|| "no block selected".to_owned());
        pen.frame(detail, &title, Token::Border);
        let lines = match selected.and_then(|at| rows.get(at)) {
            Some(block) => explain(model, block, now, pen),
            None if model.blocks.selected.is_some() => vec![vec![(
                Token::StatusStale,
                "this run is no longer in the list: it ended, or the filter hides it".to_owned(),
            )]],
            None => Vec::new(),
        };
        let chart = responses::lines(model, pen.glyphs, detail.width);
        let blank = (!lines.is_empty() && !chart.is_empty()).then(Vec::new);
        let lines: Vec<Parts> = lines.into_iter().chain(blank).chain(chart).collect();
        super::detail(model, pen, detail, &lines);
    }
}

/// Explains a block: what is wrong, since when, whose it is, and what can be done.
fn explain(model: &Model, block: &OpenBlock, now: Moment, pen: &Pen<'_>) -> Vec<Parts> {
    let audit = &block.audit;
    let dot = pen.glyphs.dot();
    let muted = |text: String| (Token::Muted, text);
    let plain = |text: String| (Token::Fg, text);
    let time =
        |moment: Option<Moment>| moment.map_or("never".to_owned(), |moment| model.when(moment));
    let hash = |hash: &Option<String>| match hash.as_deref() {
        None | Some("") => "missing".to_owned(),
        Some(hash) => crate::rules::text::shorten(hash, 12).into_owned(),
    };
    let reason = audit.block_reason.map_or("", meaning);
    let also: Vec<String> = serde_json::from_str(&audit.also).unwrap_or_default();
    let also = if also.is_empty() {
        "none".to_owned()
    } else {
        also.join(", ")
    };
    let who = |person: &Option<String>| person.clone().unwrap_or_else(|| "nobody".to_owned());
    let answered = match (&audit.taken_by, &audit.taken_at_utc) {
        (Some(by), at) => format!("taken by {by} at {}", time(*at)),
        (None, _) => "nobody has taken it".to_owned(),
    };
    let escalated = match (&audit.escalated_by, &audit.escalated_at_utc) {
        (Some(by), at) => format!("escalated by {by} at {}", time(*at)),
        (None, _) => "not escalated".to_owned(),
    };
    let detail = model.picture.as_ref().and_then(|it| it.block.as_ref());
    let detail = detail.filter(|detail| detail.run == audit.publish_run_id);
    let drift = detail.and_then(|detail| detail.drift.as_ref());
    let drift = match drift {
        Some(Ok(drift)) => vec![plain(drift.in_a_line(CELLS))],
        Some(Err(why)) => vec![plain(why.clone())],
        None => Vec::new(),
    };
    let note = audit.last_note.as_ref().map(|note| {
        let at = time(audit.progress_at_utc);
        vec![muted(format!("last word {at}: ")), plain(note.clone())]
    });
    let mut lines = vec![
        vec![
            (Token::StatusDanger, reason.to_owned()),
            muted(format!("  also: {also}")),
        ],
        drift,
        vec![
            muted("scope ".into()),
            plain(block.publish_scope.clone()),
            muted(format!(
                "  freeze {} {dot} lift {} {dot} rehearsal {}",
                audit.freeze_id, audit.lift_id, audit.dry_run_id
            )),
        ],
        vec![
            muted("publish ".into()),
            plain(hash(&audit.publish_tuple_hash)),
            muted("  source ".into()),
            plain(hash(&audit.source_tuple_hash)),
            muted("  footer ".into()),
            plain(
                block
                    .footer_schema_semver
                    .clone()
                    .unwrap_or_else(|| "missing".to_owned()),
            ),
        ],
        vec![muted(format!(
            "minted {} {dot} source read {} {dot} blocked {}",
            time(Some(block.minted_at_utc)),
            time(block.source_observed_at_utc),
            time(Some(audit.created_at_utc)),
        ))],
        vec![
            muted("answer by ".into()),
            plain(time(audit.respond_by_utc)),
            plain("  ".into()),
            time_left(block, now),
            muted(format!("  {answered} {dot} {escalated}")),
        ],
        vec![
            muted("owner ".into()),
            plain(who(&audit.owner_user_id)),
            muted("  backup ".into()),
            plain(who(&audit.backup_owner_user_id)),
        ],
        note.unwrap_or_default(),
    ];
    lines.retain(|line| !line.is_empty());
    lines.extend(super::you_may(model, "block"));
    lines.extend(detail.into_iter().flat_map(|detail| story(model, detail)));
    lines
}

/// Tells what happened to a block, and names all the cells that differ where one line could not.
fn story(model: &Model, detail: &BlockDetail) -> Vec<Parts> {
    let muted = |text: String| (Token::Muted, text);
    let mut lines = vec![Vec::new(), vec![muted("what happened".to_owned())]];
    lines.extend(detail.entries.iter().map(|entry| {
        let reason = entry.reason.as_ref();
        vec![
            muted(format!("  {} ", model.date_and_clock(entry.at_utc))),
            (Token::Accent, entry.action.clone()),
            (Token::Fg, format!(" by {}", super::ledger::by(entry))),
            muted(reason.map_or(String::new(), |reason| format!(": {reason}"))),
        ]
    }));
    let Some(Ok(drift)) = &detail.drift else {
        return lines;
    };
    if drift.named.len() > CELLS {
        lines.extend([Vec::new(), vec![muted("the cells that differ".to_owned())]]);
        lines.extend(drift.named.iter().take(MOST_CELLS).map(|cell| {
            let token = match cell.change {
                CellChange::Changed => Token::Accent,
                CellChange::Added => Token::DiffNew,
                CellChange::Vanished => Token::DiffOld,
            };
            vec![
                (token, format!("  {:<8} ", cell.change)),
                (Token::Fg, cell.name()),
            ]
        }));
        let more = drift.named.len().saturating_sub(MOST_CELLS);
        if more > 0 {
            let show = "`govdeck block show` with --json names them";
            lines.push(vec![muted(format!("  and {more} more: {show}"))]);
        }
    }
    lines
}

/// Says what a reason means, for whoever meets it at night.
pub(in crate::console) fn meaning(reason: BlockReason) -> &'static str {
    match reason {
        BlockReason::MissingPublishHash => {
            "missing_publish_hash: no usable hash of what would be published"
        }
        BlockReason::MissingSourceHash => {
            "missing_source_hash: the source was not read, not hashed, or read at the wrong time"
        }
        BlockReason::TupleDrift => {
            "tuple_drift: what would be published is not what the source says"
        }
        BlockReason::FooterSchemaDrift => {
            "footer_schema_drift: the footer is not the registered one"
        }
    }
}

/// Tells whether a countdown is on the screen.
#[must_use]
pub fn counts(model: &Model) -> bool {
    let Some(picture) = &model.picture else {
        return false;
    };
    picture
        .blocks
        .rows
        .iter()
        .any(|block| block.audit.taken_by.is_none())
}

/// Writes the selected block as JSON.
#[must_use]
pub fn row_json(model: &Model) -> Option<String> {
    let picture = model.picture.as_ref()?;
    let at = model.blocks.position(&picture.blocks)?;
    serde_json::to_string_pretty(picture.blocks.rows.get(at)?).ok()
}
