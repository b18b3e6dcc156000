//! What is read of a moment in the past: the open pane's governed rows as they stood then. What is a feed has no after-images
//! and is left out.

use crate::clock::{Moment, NotAMoment};
use crate::store::migration::{self, Event};
use crate::store::past::{self, Past};
use crate::store::{StoreError, View, block, ledger, week};

use super::detail;
use super::panes::PaneId;
use super::picture::{Picture, Wanted};

/// What a pane says of a moment in the past besides its rows.
#[derive(Debug, Clone)]
pub struct PastSight {
    /// The moment.
    pub past: Past,
    /// How many blocks were open; counted for the pane Blocks alone.
    pub open_blocks: i64,
    /// The moves of the selected migration by then.
    pub moves: Vec<Event>,
}

/// Writes a moment as short as it can be told: `2026-05-14 02:14Z`.
#[must_use]
pub fn short(at: Moment) -> String {
    let text = at.to_string();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let fraction = fraction.trim_end_matches('Z').trim_end_matches('0');
    let time = if fraction.is_empty() {
        whole.strip_suffix(":00").unwrap_or(whole).to_owned()
    } else {
        format!("{whole}.{fraction}")
    };
    format!("{}Z", time.replacen('T', " ", 1))
}

/// Reads a moment as people type it: RFC 3339 with a `Z`, with or without seconds.
pub fn parse(text: &str) -> Result<Moment, NotAMoment> {
    let text = text.trim();
    match text.strip_suffix('Z') {
        Some(minutes) if minutes.len() == 16 && minutes.is_ascii() => {
            format!("{minutes}:00Z").parse()
        }
        _ => text.parse(),
    }
}

/// Puts into a picture what the open pane shows of a moment in the past.
pub(super) async fn put(
    view: &mut View,
    wanted: &Wanted,
    at: Moment,
    picture: &mut Picture,
) -> Result<(), StoreError> {
    picture.wanted = wanted.clone();
    let past = match past::find(view, at).await? {
        Ok(past) => past,
        Err(none) => {
            picture.past = Some(Err(none));
            return Ok(());
        }
    };
    let mut sight = PastSight {
        past,
        open_blocks: 0,
        moves: Vec::new(),
    };
    match wanted.pane {
        PaneId::Blocks => {
            picture.blocks = block::window_at(view, &wanted.blocks, past).await?;
            sight.open_blocks = block::open_at(view, past).await?;
            picture.block = detail::block(view, wanted).await?;
            if let Some(block) = &mut picture.block {
                block.entries.retain(|entry| entry.seq <= past.seq);
            }
        }
        PaneId::Migration => {
            let rows = migration::window_at(view, &wanted.migrations, past).await?;
            picture.migrations.rows = rows;
            if let Some(("migration", id)) = &wanted.selected {
                sight.moves = migration::events_at(view, id, past).await?;
            }
        }
        PaneId::Weeks => picture.weeks = week::listed_at(view, &wanted.weeks, past).await?,
        PaneId::Ledger => {
            picture.entries = ledger::window_at(view, &wanted.entries, Some(past)).await?;
            let entry = detail::entry(view, wanted).await?;
            picture.entry = entry.filter(|entry| entry.seq <= past.seq);
        }
        PaneId::Home
        | PaneId::Mismatches
        | PaneId::Cutover
        | PaneId::Bundles
        | PaneId::Dictionary
        | PaneId::People => {}
    }
    picture.past = Some(Ok(sight));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_with_and_without_seconds_and_told_as_short_as_they_are() {
        for (typed, told) in [
            ("2026-05-14T02:14Z", "2026-05-14 02:14Z"),
            (" 2026-05-14T02:14:00Z ", "2026-05-14 02:14Z"),
            ("2026-05-14T00:00:00Z", "2026-05-14 00:00Z"),
            ("2026-05-14T02:10:00Z", "2026-05-14 02:10Z"),
            ("2026-05-14T02:14:07Z", "2026-05-14 02:14:07Z"),
            ("2026-05-14T02:14:10Z", "2026-05-14 02:14:10Z"),
            ("2026-05-14T02:14:07.25Z", "2026-05-14 02:14:07.25Z"),
        ] {
            assert_eq!(short(parse(typed).expect(typed)), told, "{typed}");
        }
        for typed in [
            "",
            "now",
            "2026-05-14",
            "2026-05-14 02:14Z",
            "2026-05-14T02:14",
            "02:14Z",
            "2026-05-14T2:140Z",
        ] {
            assert!(parse(typed).is_err(), "{typed:?} was taken");
        }
    }
}
