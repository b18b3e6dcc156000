//! What panes say while the past is looked at: which moment, what the ledger kept of it, and what nobody kept.

use ratatui::layout::Rect;

use crate::store::migration::Migration;
use crate::store::week::Listed;

use super::super::model::Model;
use super::super::past_sight::PastSight;
use super::super::theme::Token;
use super::super::ui::{Parts, Pen, muted};
use super::migration;

/// Says that a pane keeps no history.
pub(super) fn none_kept(model: &Model, pen: &mut Pen<'_>, area: Rect) {
    let title = format!("{}{}", model.pane, model.as_of_words(pen.glyphs.dot()));
    let inside = pen.frame(area, &title, Token::Border);
    let back = model.not_in_the_past().map_or(String::new(), |it| it.hint);
    let said = format!(
        "{} keeps no history: Migration, Blocks, Weeks and Ledger do; {back}",
        model.pane
    );
    super::say(pen, inside, Token::StatusStale, &said);
}

/// Says why a selected row is not in the list.
pub(super) fn why_hidden(model: &Model, kind: &str) -> String {
    match model.as_of {
        Some(_) => format!("this {kind} was not there yet, or the filter hides it"),
        None => format!("this {kind} is not in the list: the filter hides it"),
    }
}

/// Tells what was known of a migration; what its gates rest on is partly a feed, so they are left out.
pub(super) fn of_migration(model: &Model, row: &Migration, past: &PastSight) -> Vec<Parts> {
    let unknown = "gates, scans and the clock of clean hours: unknown, as they rest on feeds, which keep no history";
    let mut lines = vec![vec![muted(unknown)]];
    let moves = past.moves.iter();
    let moves: Vec<_> = moves
        .filter(|it| it.migration_id == row.migration_id)
        .cloned()
        .collect();
    lines.extend(migration::moves(model, &moves));
    lines.extend(super::you_may(model, "migration"));
    lines
}

/// Tells whose names stood under a run; its metrics are a feed, so they are left out.
pub(super) fn of_week(model: &Model, listed: &Listed) -> Vec<Parts> {
    let signed = match listed.signers.as_str() {
        "" => (Token::Muted, "nobody".to_owned()),
        signers => (Token::AckSigned, signers.replace(' ', ", ")),
    };
    let mut lines = vec![
        vec![muted("signed by then: "), signed],
        vec![muted(
            "metrics and how governance stood: unknown, as metrics are a feed, which keeps no history",
        )],
    ];
    lines.extend(super::you_may(model, "week"));
    lines
}
