//! Blocks: runs that the publish gate stopped, by the time that is left to answer.

use ratatui::layout::Rect;

use crate::clock::Moment;
use crate::rules::block::{BlockReason, Sla, sla};
use crate::store::block::{BLOCK_FIELDS, BlockSort, OpenBlock};

use super::super::list::{Identified, Listing, Sorts};
use super::super::model::Model;
use super::super::table::{Cell, Column, Table};
use super::super::theme::Token;
use super::super::ui::{Parts, Pen};

impl Identified for OpenBlock {
    fn id(&self) -> String {
        self.audit.publish_run_id.clone()
    }
}

impl Sorts for BlockSort {
    const SORTS: &'static [Self] = Self::ALL;
    const FIELDS: &'static [&'static str] = BLOCK_FIELDS;
}

const COLUMNS: &[Column] = &[
    Column {
        title: "RUN",
        width: 9,
        rank: 0,
    },
    Column {
        title: "REASON",
        width: 20,
        rank: 2,
    },
    Column {
        title: "SLA",
        width: 13,
        rank: 0,
    },
    Column {
        title: "OWNER",
        width: 8,
        rank: 1,
    },
    Column {
        title: "BACKUP",
        width: 7,
        rank: 3,
    },
    Column {
        title: "STATE",
        width: 9,
        rank: 0,
    },
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

/// Writes the time that is left, or that is over.
#[must_use]
pub fn time_left(block: &OpenBlock, now: Moment) -> Cell {
    let Some(respond_by) = block.audit.respond_by_utc else {
        return (Token::StatusUnknown, "no limit".to_owned());
    };
    let left = respond_by.since(now).num_seconds();
    let clock = |seconds: i64| match seconds.abs() {
        seconds if seconds >= 6_000 => format!("{}h{:02}m", seconds / 3_600, seconds / 60 % 60),
        seconds => format!("{:02}:{:02}", seconds / 60, seconds % 60),
    };
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

fn cells(block: &OpenBlock, now: Moment) -> Vec<Cell> {
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
    let (Some(picture), Some(now)) = (&model.picture, model.now()) else {
        return;
    };
    let rows = &picture.blocks.rows;
    let selected = model.blocks.position(&picture.blocks);
    let (list, detail) = super::split(model, area, rows.len());
    if list.height > 0 {
        let order = super::order_word(model.blocks.look.order);
        let dot = pen.glyphs.dot();
        let title = format!(
            "Open publish blocks {dot} {}{} {dot} sort {}{order}",
            picture.counts.open,
            super::filter_word(&model.blocks.filter_text),
            model.blocks.look.sort,
        );
        let inside = pen.frame(list, &title, Token::BorderFocus);
        let nothing = if model.blocks.filter_text.is_empty() {
            format!(
                "0 rows: nothing is blocked; last checked {}",
                model.clock(picture.now)
            )
        } else {
            super::nothing_passes(model)
        };
        let table = Table {
            columns: COLUMNS,
            rows,
            selected,
            cells: &|row| cells(row, now),
        };
        if rows.is_empty() {
            super::say(pen, inside, Token::StatusOk, &nothing);
            model.blocks.drawn.set(super::super::list::Drawn::default());
        } else {
            model.blocks.drawn.set(table.draw(pen, inside));
            super::place(
                pen,
                list,
                &picture.blocks,
                selected,
                model.blocks.drawn.get(),
            );
        }
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
    let drift = model.picture.as_ref().and_then(|it| it.drift.as_ref());
    let drift = drift.filter(|drift| drift.run == audit.publish_run_id);
    let drift = drift.map_or(Vec::new(), |drift| vec![plain(drift.says.clone())]);
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
    ];
    lines.retain(|line| !line.is_empty());
    lines.extend(super::you_may(model, "block"));
    lines
}

/// Says what a reason means, for whoever meets it at night.
fn meaning(reason: BlockReason) -> &'static str {
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
