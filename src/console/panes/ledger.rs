//! Ledger: who decided what, on which evidence, and what it changed.

use ratatui::layout::Rect;
use serde_json::{Map, Value};

use crate::clock::Moment;
use crate::rules::people::{Attestation, Basis};
use crate::rules::text::counted;
use crate::store::approval::ApprovalRequest;
use crate::store::ledger::{Entry, LEDGER_FIELDS, LedgerSort};

use super::super::detail::EntryDetail;
use super::super::list::{Identified, Listing, Sorts};
use super::super::model::{APPROVAL, Model, Verified};
use super::super::picture::Picture;
use super::super::table::{Cell, Column, Table};
use super::super::theme::Token;
use super::super::ui::{Parts, Pen};
use super::filed::{self, gates, said};

impl Identified for Entry {
    fn id(&self) -> String {
        self.seq.to_string()
    }
}

impl Sorts for LedgerSort {
    const SORTS: &'static [Self] = Self::ALL;
    const FIELDS: &'static [&'static str] = LEDGER_FIELDS;
}

pub(super) const COLUMNS: &[Column] = &[
    Column::new("SEQ", 4, 0),
    Column::new("AT", 15, 1),
    Column::new("ACTION", 20, 0),
    Column::new("TARGET", 19, 2),
    Column::new("KNOWN AS", 10, 3),
    Column::new("BY", 10, 0),
];

/// Names who decided: both, where there were two.
#[must_use]
pub fn by(entry: &Entry) -> String {
    entry.approved_by.as_ref().map_or_else(
        || entry.actor_id.clone(),
        |second| format!("{} + {second}", entry.actor_id),
    )
}

/// Tells whether an entry's clock was wrong, or what it proposes waits for whoever is at the keys.
#[must_use]
pub fn needs_somebody(picture: &Picture, entry: &Entry, now: Moment) -> bool {
    let waits = |request: &ApprovalRequest| request.ticket == entry.target_id;
    let proposes = entry.target_kind == APPROVAL;
    entry.clock_anomaly || (proposes && picture.asked_of_me(now).any(waits))
}

pub(super) fn cells(model: &Model, entry: &Entry) -> Vec<Cell> {
    let by = match entry.basis {
        Basis::Person => (Token::Fg, by(entry)),
        Basis::Rule => (Token::Muted, "by rule".to_owned()),
    };
    let known = match entry.attestation {
        Attestation::Signed => Token::StatusOk,
        Attestation::Login | Attestation::Unattested => Token::Muted,
    };
    let at = if entry.clock_anomaly {
        Token::StatusWarn
    } else {
        Token::Muted
    };
    vec![
        (Token::Fg, entry.seq.to_string()),
        (at, model.date_and_clock(entry.at_utc)),
        (Token::Accent, entry.action.clone()),
        (Token::Fg, entry.target_id.clone()),
        (known, entry.attestation.to_string()),
        by,
    ]
}

/// Draws the pane.
pub fn draw(model: &Model, pen: &mut Pen<'_>, area: Rect) {
    let Some(picture) = &model.picture else {
        return;
    };
    let rows = &picture.entries.rows;
    let selected = model.entries.position(&picture.entries);
    let (list, detail) = super::split(model, area, rows.len());
    if list.height > 0 {
        let dot = pen.glyphs.dot();
        let title = format!(
            "Ledger{} {dot} {}{} {dot} {}",
            model.as_of_words(dot),
            counted(
                model.past().map_or(picture.head.seq, |past| past.past.seq),
                "entry",
                "entries"
            ),
            super::filter_word(&model.entries.filter_text),
            match model.entries.look.order {
                crate::store::window::Order::Natural => "newest first",
                crate::store::window::Order::Reversed => "oldest first",
            },
        );
        let inside = pen.frame(list, &title, Token::BorderFocus);
        let verdict = verdict(model);
        let (table_area, line) = super::above_a_line(inside);
        let table = Table {
            columns: COLUMNS,
            rows,
            selected,
            cells: &|entry| cells(model, entry),
        };
        super::rows(
            pen,
            (list, table_area),
            &model.entries,
            &picture.entries,
            &table,
            (Token::Muted, &super::nothing_passes(model)),
        );
        if let Some(y) = line {
            pen.parts(inside.x + 2, y, inside.width.saturating_sub(2), &verdict);
        }
    }
    if detail.height > 0 {
        let entry = selected.and_then(|at| rows.get(at));
        let title = entry.map_or_else(
            || "no entry selected".to_owned(),
            |entry| {
                format!("Entry {} · {}", entry.seq, entry.action).replace('·', pen.glyphs.dot())
            },
        );
        pen.frame(detail, &title, Token::Border);
        let mut lines = findings(model);
        if let Some(entry) = entry {
            lines.extend(explain(model, entry, pen));
        }
        super::detail(model, pen, detail, &lines);
    }
}

/// Says what the last verification found.
fn verdict(model: &Model) -> Parts {
    let key = model
        .start
        .keymap
        .hint(super::super::keymap::Intent::Verify);
    match &model.verified {
        None => vec![(
            Token::Muted,
            format!("not verified yet; {key} hashes everything again"),
        )],
        Some(Verified::Running) => vec![(
            Token::StatusPending,
            "verifying: hashing every entry and every governed row".to_owned(),
        )],
        Some(Verified::Failed(why)) => vec![(Token::StatusDanger, format!("cannot tell: {why}"))],
        Some(Verified::Report(report, at)) => match report.findings.len() {
            0 => vec![(
                Token::StatusOk,
                format!(
                    "verified at {}: {}, {}, {}, nothing wrong",
                    model.clock(*at),
                    counted(report.entries, "entry", "entries"),
                    counted(report.rows, "row", "rows"),
                    counted(report.artifacts, "artefact", "artefacts")
                ),
            )],
            count => vec![(
                Token::StatusDanger,
                format!(
                    "NOT VERIFIED at {}: {}",
                    model.clock(*at),
                    counted(count, "finding", "findings")
                ),
            )],
        },
    }
}

fn findings(model: &Model) -> Vec<Parts> {
    match &model.verified {
        Some(Verified::Report(report, _)) => report
            .findings
            .iter()
            .map(|finding| {
                vec![(
                    Token::StatusDanger,
                    format!("{}: {}", finding.place, finding.wrong),
                )]
            })
            .collect(),
        _ => Vec::new(),
    }
}

fn explain(model: &Model, entry: &Entry, pen: &Pen<'_>) -> Vec<Parts> {
    let muted = |text: &str| (Token::Muted, text.to_owned());
    let plain = |text: String| (Token::Fg, text);
    let dot = pen.glyphs.dot();
    let mut lines = vec![
        vec![
            plain(by(entry)),
            muted(&format!(
                " ({}, login {}, {}) at ",
                entry.basis, entry.login, entry.attestation
            )),
            plain(model.date_and_clock(entry.at_utc)),
        ],
        vec![
            muted("target "),
            plain(format!("{} {}", entry.target_kind, entry.target_id)),
            muted(&format!(" seen at version {}", entry.target_version)),
        ],
    ];
    if let Some(reason) = &entry.reason {
        lines.push(vec![muted("reason "), plain(reason.clone())]);
    }
    if entry.clock_anomaly {
        lines.push(vec![(
            Token::StatusWarn,
            "the clock lay before an earlier entry".to_owned(),
        )]);
    }
    let detail = model
        .picture
        .as_ref()
        .and_then(|picture| picture.entry.as_ref())
        .filter(|detail| detail.seq == entry.seq);
    match detail {
        Some(detail) => {
            lines.extend(filed::lines(detail, pen.glyphs.arrow()));
            lines.extend(changes(detail, pen.glyphs.arrow()));
            lines.extend(gates(&detail.card));
        }
        None => lines.push(vec![muted("reading its changes")]),
    }
    lines.push(vec![muted(&format!(
        "ticket {} {dot} card {}",
        entry.ticket, entry.card_sha256
    ))]);
    lines.push(vec![muted(&format!("hash {}", entry.hash))]);
    lines.push(vec![muted(&format!("after {}", entry.prev_hash))]);
    lines
}

/// Lists what held when an entry was written, each in a line with its look.
pub(in crate::console) fn held(detail: &EntryDetail) -> Vec<(Token, String)> {
    let told = gates(&detail.card).into_iter();
    told.filter_map(|line| {
        let text: String = line.iter().map(|(_, text)| text.as_str()).collect();
        Some((line.first()?.0, format!("  {text}")))
    })
    .collect()
}

/// Writes what an entry changed, column by column, before → after.
fn changes(detail: &EntryDetail, arrow: &str) -> Vec<Parts> {
    let columns =
        |image: &str| serde_json::from_str::<Map<String, Value>>(image).unwrap_or_default();
    let mut lines = Vec::new();
    for (change, before) in &detail.changes {
        let old = before.as_deref().map(columns).unwrap_or_default();
        let word = if before.is_some() {
            "version"
        } else {
            "new, version"
        };
        lines.push(vec![
            (
                Token::Accent,
                format!("{} {}", change.table_name, change.row_key),
            ),
            (Token::Muted, format!(" {word} {}", change.version)),
        ]);
        for (column, after) in columns(&change.after_image) {
            let was = old.get(&column).unwrap_or(&Value::Null);
            if column != "version" && *was != after {
                lines.push(vec![
                    (Token::Muted, format!("  {column} ")),
                    (Token::DiffOld, said(was)),
                    (Token::Muted, format!(" {arrow} ")),
                    (Token::DiffNew, said(&after)),
                ]);
            }
        }
    }
    lines
}

/// Writes an entry's card as JSON; nothing while the picture still holds another one's.
#[must_use]
pub fn card_json(model: &Model, id: &str) -> Option<String> {
    let picture = model.picture.as_ref()?;
    let detail = picture.entry.as_ref()?;
    if detail.seq.to_string() != id {
        return None;
    }
    let card: Value = serde_json::from_str(detail.card.as_ref().ok()?).ok()?;
    serde_json::to_string_pretty(&card).ok()
}
