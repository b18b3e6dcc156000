//! What comes from outside: pictures, answers, and time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::actions::Outcome;
use crate::clock::Moment;
use crate::readback::Chain;
use crate::rules::text::counted;
use crate::store::presence::Armed;
use crate::store::verify::Report;
use crate::store::{Sealed, StoreError};

use super::super::dialog::Dialog;
use super::super::event::{Effect, Sight};
use super::super::list::{Listing, Rows};
use super::super::overlay::{Overlay, Text};
use super::super::panes::{PaneId, home};
use super::super::picture::Picture;
use super::super::running::{Running, Work};
use super::super::theme::Token;
use super::{Model, Sent, Verified};

/// Asks for the run that an entry claims, if it claims one: whoever claimed a run makes it.
fn run_of(sent: &Sent, sealed: &Sealed) -> Option<Effect> {
    let work = Work::of(sent.verb).filter(|_| sent.waits.is_none())?;
    Some(Effect::Run {
        migration_id: sent.subject.clone(),
        work,
        claimed: sealed.at,
    })
}

impl Model {
    pub(super) fn done(&mut self, ticket: &str, outcome: Outcome, effects: &mut Vec<Effect>) {
        // The dialog that is open by now may be another one's.
        let sent = self.sent.get(ticket);
        let (verb, waits) = sent.map_or(("request", None), |sent| (sent.verb, sent.waits));
        if let Outcome::Done(sealed) = &outcome {
            effects.extend(sent.and_then(|sent| run_of(sent, sealed)));
        }
        if !matches!(outcome, Outcome::Unknown { .. }) {
            self.sent.remove(ticket);
        }
        match &outcome {
            Outcome::Done(sealed) => {
                if verb == super::super::ARM {
                    self.arming.arm(self.at);
                    self.armed_by = Some(sealed.seq);
                }
                let said = match waits {
                    None => (
                        Token::StatusOk,
                        format!("{verb}: ledger entry {}", sealed.seq),
                    ),
                    Some(until) => {
                        let until = self.date_and_clock(until);
                        (
                            Token::StatusPending,
                            format!("{verb} waits for a second person until {until}"),
                        )
                    }
                };
                self.say(said.0, said.1);
            }
            Outcome::Refused(refusal) => self.say(Token::StatusWarn, format!("{verb}: {refusal}")),
            Outcome::Failed(error) => self.say(Token::StatusDanger, format!("{verb}: {error}")),
            Outcome::Unknown { cause, .. } => self.say(
                Token::StatusUnknown,
                format!("{verb}: the outcome is unknown: {cause}; the ticket is being looked up"),
            ),
        }
        if let Some(dialog) = &mut self.dialog {
            dialog.settle(ticket, outcome);
        }
        effects.push(Effect::Refresh);
    }

    /// Takes what the ledger says about a request whose answer was lost.
    pub(super) fn resolved(
        &mut self,
        ticket: &str,
        found: Option<Sealed>,
        effects: &mut Vec<Effect>,
    ) {
        let sent = self.sent.remove(ticket);
        let verb = sent.as_ref().map(|sent| sent.verb);
        if let (Some(sent), Some(sealed)) = (&sent, &found) {
            effects.extend(run_of(sent, sealed));
        }
        let said = match &found {
            Some(sealed) => format!("the lost answer was yes: ledger entry {}", sealed.seq),
            None => "the lost answer was no: nothing was written".to_owned(),
        };
        self.say(Token::StatusInfo, said);
        if verb == Some(super::super::ARM) && found.is_some() {
            // A lost link ends the armed time, so this one ends before it has begun.
            self.say(
                Token::StatusWarn,
                "disarmed: the answer to arming was lost".to_owned(),
            );
            effects.push(Effect::Disarm);
        }
        if let Some(dialog) = &mut self.dialog {
            dialog.resolve(ticket, found);
        }
        effects.push(Effect::Refresh);
    }

    /// Takes how far the run of a bundle has come that this console makes; says when it begins and how it ended.
    pub(super) fn ran(&mut self, running: Box<Running>, effects: &mut Vec<Effect>) {
        let before = self
            .running
            .as_ref()
            .map(|run| (run.begun, run.is_under_way()));
        let now = (running.begun, running.is_under_way());
        if before != Some(now) {
            let (token, said) = running.said();
            self.say(token, said);
            effects.push(Effect::Refresh);
        }
        self.running = Some(running);
    }

    /// Says what is still waited for when the console is left.
    pub(in crate::console) fn say_farewell(&mut self) {
        self.overlay = None;
        let said = match (self.under_way(), self.sent.len()) {
            (Some(run), _) => {
                format!(
                    "leaving when {} has ended; ctrl-c leaves it",
                    run.migration_id
                )
            }
            (None, 0) => "leaving".to_owned(),
            (None, count) => format!("leaving: waiting a moment for the outcome of {count} sent"),
        };
        self.say(Token::StatusPending, said);
    }

    /// Shows where a number comes from.
    pub(super) fn cited(&mut self, result: Result<Chain, StoreError>) {
        match result {
            Ok(chain) => {
                let lines = chain.lines().into_iter().map(|line| (Token::Fg, line));
                self.overlay = Some(Overlay::Text(Text {
                    title: chain.cites.command(),
                    lines: lines.collect(),
                    ..Text::default()
                }));
            }
            Err(error) => self.say(
                Token::StatusWarn,
                format!("where it comes from cannot be read: {}", error.sentence),
            ),
        }
    }

    pub(super) fn verified(&mut self, result: Result<Report, StoreError>) {
        self.verified = Some(match result {
            Ok(report) => {
                let (token, said) = match report.findings.len() {
                    0 => (
                        Token::StatusOk,
                        format!(
                            "the ledger verifies: {}, {}",
                            counted(report.entries, "entry", "entries"),
                            counted(report.rows, "row", "rows")
                        ),
                    ),
                    count => (
                        Token::StatusDanger,
                        format!(
                            "the ledger does NOT verify: {}",
                            counted(count, "finding", "findings")
                        ),
                    ),
                };
                self.say(token, said);
                let at = self.now().unwrap_or(
                    self.picture
                        .as_ref()
                        .map_or_else(Moment::on_this_workstation, |picture| picture.now),
                );
                Verified::Report(Box::new(report), at)
            }
            Err(error) => {
                self.say(
                    Token::StatusDanger,
                    format!("the ledger could not be verified: {error}"),
                );
                Verified::Failed(error.sentence)
            }
        });
    }

    pub(super) fn see(&mut self, sight: Sight, effects: &mut Vec<Effect>) {
        let before = (self.liveness(), self.link.source);
        let was_lost = self.link.trouble.is_some();
        if let Some((why, hint)) = &sight.link.trouble
            && self.link.trouble.as_ref().map(|(why, _)| why) != Some(why)
        {
            self.say(Token::StatusDanger, format!("{why} ({hint})"));
        }
        self.link = sight.link;
        if was_lost && self.link.trouble.is_none() {
            self.say(Token::StatusOk, "the database is back".to_owned());
        }
        let is_new = match (&self.picture, &sight.picture) {
            (Some(old), Some(new)) => !Arc::ptr_eq(old, new),
            (None, Some(_)) => true,
            (_, None) => false,
        };
        if is_new {
            let line = home::items(self).into_iter().nth(self.home);
            self.picture = sight.picture;
            self.see_past();
            self.settle_lists();
            effects.extend(self.find_way_back());
            self.ring_for_breaches(effects);
            self.ring_for_news(effects);
            self.disarm_when_over(effects);
            self.keep_home(line.as_ref());
            if self.dialog.as_ref().is_some_and(Dialog::wants_comparison) {
                self.plan(effects);
            }
        }
        // A lost link ends the armed time: whatever it was armed on may be another world by now.
        if self.link.trouble.is_some() && self.arming.disarm() {
            self.say(
                Token::StatusWarn,
                "disarmed: the connection was lost".to_owned(),
            );
            effects.push(Effect::Disarm);
        }
        self.redraw |= is_new || before != (self.liveness(), self.link.source);
    }

    /// Takes notice that the database answered, without any news.
    pub fn hear(&mut self, heard: Option<Instant>) {
        let before = self.liveness();
        self.link.heard = heard;
        self.redraw |= before != self.liveness();
    }

    pub(super) fn settle_lists(&mut self) {
        let Some(picture) = self.picture.clone() else {
            return;
        };
        let read = &picture.wanted;
        if read.as_of != self.as_of {
            return;
        }
        match read.pane {
            PaneId::Blocks if read.blocks == self.blocks.look => {
                self.blocks.settle(&picture.blocks);
            }
            PaneId::Migration if read.migrations == self.migrations.look => {
                self.migrations.settle(&picture.migrations.rows);
            }
            PaneId::Mismatches if read.mismatches == self.mismatches.look => {
                self.mismatches.settle(&picture.migrations.mismatches);
            }
            PaneId::Bundles if read.bundles == self.bundles.look => {
                self.bundles.settle(&picture.bundles);
            }
            PaneId::Dictionary if read.dictionary == self.dictionary.look => {
                self.dictionary.settle(&picture.dictionary);
            }
            PaneId::Weeks if read.weeks == self.weeks.look => {
                // Whoever owes a name begins where it is waited for.
                if self.weeks.selected.is_none() {
                    let owed = picture.owed().into_iter();
                    let mut owed = owed.filter_map(|it| Some(&it.look.newest()?.job_run_id));
                    let there = owed.find(|id| picture.weeks.place_of(id).is_some());
                    self.weeks.selected = there.cloned();
                }
                self.weeks.settle(&picture.weeks);
            }
            PaneId::Ledger if read.entries == self.entries.look => {
                self.entries.settle(&picture.entries);
            }
            PaneId::People if read.people == self.people.look => {
                self.people.settle(&picture.people);
            }
            PaneId::Home
            | PaneId::Migration
            | PaneId::Mismatches
            | PaneId::Cutover
            | PaneId::Bundles
            | PaneId::Dictionary
            | PaneId::Blocks
            | PaneId::Weeks
            | PaneId::Ledger
            | PaneId::People => {}
        }
        if self.last_looked.is_none() {
            self.last_looked = Some(picture.head.seq);
        }
    }

    /// Keeps the selected line of Home; when it is gone, the first is selected, with which nothing can be done.
    fn keep_home(&mut self, line: Option<&home::Item>) {
        let Some(line) = line else {
            return;
        };
        let same = |item: &home::Item| item.section == line.section && item.id == line.id;
        let found = home::items(self).iter().position(same);
        // What was just said may be why it is gone, and says more.
        if found.is_none() && self.pane == PaneId::Home && self.status.is_none() {
            self.say_quietly("the selected line is gone".to_owned());
        }
        self.home = found.unwrap_or(0);
    }

    pub(super) fn tick(&mut self, effects: &mut Vec<Effect>) {
        self.redraw = true;
        if let Some(dialog) = &mut self.dialog {
            let step = dialog.tick(self.at);
            self.follow(step, effects);
        }
        if self.ring_for_breaches(effects) {
            // Whom a late block waits for is nobody's write: only looking again tells.
            effects.push(Effect::Refresh);
        }
        if self.arming.is_over(self.at) {
            self.end_armed_time(effects);
        }
    }

    /// Ends the armed time when the database says that it is over: this process's clock stands still while the machine
    /// sleeps.
    fn disarm_when_over(&mut self, effects: &mut Vec<Effect>) {
        let (Some(picture), Some(entry)) = (&self.picture, self.armed_by) else {
            return;
        };
        // A picture from before the entry knows nothing of it, and a demo's clock is not the one that counts here.
        let knows = picture.head.seq >= entry && picture.rate == 1;
        if knows && !self.is_armed_in(picture) && self.arming.left(self.at).is_some() {
            self.end_armed_time(effects);
        }
    }

    fn end_armed_time(&mut self, effects: &mut Vec<Effect>) {
        self.arming.disarm();
        self.say(
            Token::StatusWarn,
            "disarmed: the armed time is over".to_owned(),
        );
        effects.push(Effect::Disarm);
    }

    fn is_armed_in(&self, picture: &Picture) -> bool {
        let own = |armed: &Armed| armed.console_id == self.start.console_id;
        picture.armed.iter().any(own)
    }

    /// Ends the armed time because somebody wants it.
    pub(in crate::console) fn disarm(&mut self, effects: &mut Vec<Effect>) {
        let others_see_it = self
            .picture
            .as_ref()
            .is_some_and(|picture| self.is_armed_in(picture));
        if self.arming.disarm() || others_see_it {
            effects.push(Effect::Disarm);
            self.say(Token::StatusInfo, "disarmed".to_owned());
        } else {
            self.say_quietly("this console is read-only already".to_owned());
        }
    }

    /// Returns when something changes by itself; none when nothing does.
    #[must_use]
    pub fn wakes_at(&self) -> Option<Instant> {
        let second = Duration::from_secs(1);
        // In a demo a timer counts by as many seconds as pass in a real one: still one drawing a second.
        let counting = self
            .counts()
            .then(|| self.at + self.until_next(second * self.rate()));
        let minute = self
            .picture
            .is_some()
            .then(|| self.at + self.until_next(60 * second));
        let armed = self.arming.ends_at();
        let dialog = self
            .dialog
            .as_ref()
            .and_then(|dialog| dialog.wakes_at(self.at));
        [
            counting,
            minute,
            armed,
            dialog,
            self.link.changes_at(self.at),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    fn until_next(&self, step: Duration) -> Duration {
        let step = step.as_micros();
        let into = self.now().map_or(0, |now| {
            now.as_datetime()
                .timestamp_micros()
                .rem_euclid(i64::try_from(step).unwrap_or(1))
        });
        let rest = step - u128::try_from(into).unwrap_or(0);
        // A little late rather than a little early: the second must have changed.
        Duration::from_micros(u64::try_from(rest).unwrap_or(0)) / self.rate()
            + Duration::from_millis(1)
    }

    /// Returns how many seconds of the database's time a real second has; a clock that stands still is looked at as often.
    fn rate(&self) -> u32 {
        self.picture
            .as_ref()
            .map_or(1, |picture| picture.rate.max(1))
    }
}
