//! The next row that needs somebody: which rows do, pane by pane, and how the next one is found.

use crate::clock::Moment;

use super::model::Model;
use super::panes::home::{self, Item, Section};
use super::panes::{
    PaneId, blocks, bundles, cutover, dictionary, ledger, migration, people, weeks,
};
use super::picture::Picture;
use super::theme::Token;

impl Model {
    /// Goes to the next row that needs somebody, round and round.
    pub(super) fn next_problem(&mut self) {
        let (Some(picture), Some(now)) = (self.picture.clone(), self.moment()) else {
            return;
        };
        if self.as_of.is_some() && !self.pane.keeps_history() {
            return self.say_quietly(format!("{} keeps no history", self.pane));
        }
        if !self.has_read() {
            return self.say_quietly(format!("{} is being read", self.pane));
        }
        match self.pane {
            PaneId::Home => self.next_line(),
            PaneId::Cutover => self.next_step(),
            _ => self.next_row(&picture, now),
        }
    }

    fn next_row(&mut self, picture: &Picture, now: Moment) {
        let needs = in_need(self.pane, picture, now);
        let none = none_in_need(self.pane);
        let (Some(rows), Some(list)) = (picture.rows(self.pane), self.list_mut()) else {
            return;
        };
        let after = list.position(rows).map_or(0, |at| at + 1);
        let found = next(&needs, after).and_then(|at| rows.id_at(at));
        if let Some(id) = found {
            return list.select(&id);
        }
        let place = if rows.more_before() || rows.more_after() {
            "near here"
        } else {
            "here"
        };
        self.say_quietly(none.replace("here", place));
    }

    fn next_line(&mut self) {
        let needs: Vec<bool> = home::items(self).iter().map(line_needs_somebody).collect();
        match next(&needs, self.home + 1) {
            Some(at) => self.home = at,
            None => self.say_quietly("no line here needs somebody".to_owned()),
        }
    }

    /// The hour has no list: what failed is shown with how it ended.
    fn next_step(&mut self) {
        match cutover::failed(self) {
            Some(said) => {
                self.zoomed = true;
                self.say_quietly(said);
            }
            None => self.say_quietly("no step of the hour has failed".to_owned()),
        }
    }
}

/// Tells whether a line of Home tells of something that somebody has to see to, and leads there.
fn line_needs_somebody(item: &Item) -> bool {
    let loud = |(token, _): &(Token, String)| {
        matches!(
            token,
            Token::StatusDanger | Token::StatusWarn | Token::SlaBreach | Token::PhaseFailed
        )
    };
    let is_loud = item.section != Section::News && item.says.iter().any(loud);
    item.goes.is_some() && (item.section == Section::Mine || is_loud)
}

/// Finds the first place from one on, and then from the beginning.
fn next(needs: &[bool], from: usize) -> Option<usize> {
    let from = from.min(needs.len());
    let mut order = (from..needs.len()).chain(0..from);
    order.find(|at| needs[*at])
}

/// Tells of each row of a pane's list whether it needs somebody.
fn in_need(pane: PaneId, picture: &Picture, now: Moment) -> Vec<bool> {
    match pane {
        PaneId::Home | PaneId::Cutover => Vec::new(),
        PaneId::Migration => each(&picture.migrations.rows.rows, |row| {
            migration::needs_somebody(row)
        }),
        // Whatever is listed does not match.
        PaneId::Mismatches => each(&picture.migrations.mismatches.rows, |_| true),
        PaneId::Blocks => each(&picture.blocks.rows, |row| blocks::needs_somebody(row, now)),
        PaneId::Weeks => each(&picture.weeks.rows, |row| {
            weeks::needs_somebody(picture, row)
        }),
        PaneId::Bundles => each(&picture.bundles.rows, |row| {
            bundles::needs_somebody(row, now)
        }),
        PaneId::Ledger => each(&picture.entries.rows, |row| {
            ledger::needs_somebody(picture, row, now)
        }),
        PaneId::People => each(&picture.people.rows, people::needs_somebody),
        PaneId::Dictionary => each(&picture.dictionary.rows, dictionary::needs_somebody),
    }
}

fn each<Row>(rows: &[Row], needs: impl Fn(&Row) -> bool) -> Vec<bool> {
    rows.iter().map(needs).collect()
}

/// Says that no row needs anybody, and in what way it might.
const fn none_in_need(pane: PaneId) -> &'static str {
    match pane {
        PaneId::Home | PaneId::Cutover => "nothing here needs somebody",
        PaneId::Migration => "no migration here is open",
        PaneId::Mismatches => "nothing here mismatches",
        PaneId::Blocks => "no block here waits for an answer",
        PaneId::Weeks => "no run here did not pass or waits for your name",
        PaneId::Bundles => "no bundle here failed or takes too long",
        PaneId::Ledger => "no entry here waits for a second person or has a wrong clock",
        PaneId::People => "nobody here lacks a role or a key to sign with",
        PaneId::Dictionary => "no metric here is deprecated",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_one_is_found_round_and_round() {
        let needs = [false, true, false, true];
        assert_eq!(next(&needs, 0), Some(1));
        assert_eq!(next(&needs, 2), Some(3));
        assert_eq!(next(&needs, 4), Some(1));
        assert_eq!(next(&needs, 9), Some(1));
        assert_eq!(next(&[false], 0), None);
        assert_eq!(next(&[], 3), None);
    }
}
