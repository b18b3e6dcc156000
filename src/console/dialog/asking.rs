//! A proposal that is shown, and what is asked for it.

use std::time::{Duration, Instant};

use crossterm::event::{KeyCode, KeyEvent};
use tui_textarea::TextArea;

use crate::actions::{ChangedRow, Proposal, Stop};
use crate::canon::Digest;
use crate::rules::guard::{Answer, Level, REASON_AT_LEAST, REASON_AT_MOST};
use crate::rules::text::is_hostile;
use crate::store::Target;

use super::super::form::Line;
use super::super::list::{Scroll, Step as ListStep};
use super::super::stroke::Stroke;
use super::Step;

/// A confirming key counts when no other came for this long after it.
pub(super) const QUIET_AFTER: Duration = Duration::from_millis(80);
/// How long the last level waits before it goes ahead.
pub(super) const COUNTDOWN: Duration = Duration::from_secs(5);
/// Characters of the phrase that come faster than people type are a paste.
const FASTER_THAN_HANDS: Duration = Duration::from_millis(8);

/// A proposal that is shown.
#[derive(Debug)]
pub struct Asking {
    /// The proposal; gone once it was confirmed.
    pub proposal: Proposal,
    /// What would change.
    pub changes: Vec<ChangedRow>,
    /// Why, as the ledger will say.
    pub reason: TextArea<'static>,
    /// The phrase as typed.
    pub typed: Line,
    /// What has the cursor.
    pub focus: Focus,
    /// Why it can no longer be confirmed.
    pub locked: Option<String>,
    /// Why it cannot be confirmed now.
    pub barred: Option<String>,
    /// How far the evidence is scrolled.
    pub scroll: Scroll,
    /// How many lines of it are seen at once.
    page: usize,
    /// Whether its end was seen.
    is_read: bool,
    /// The confirming key that still has to stand alone.
    pub(super) pressed: Option<Instant>,
    /// When it goes ahead.
    pub ahead_at: Option<Instant>,
    quick: u32,
    pinned: (Target, Digest),
}

/// What has the cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Focus {
    /// The way out; always the first.
    Cancel,
    /// The reason.
    Reason,
    /// The phrase.
    Phrase,
    /// The way on.
    Confirm,
}

/// When a key came, and how it stands in time.
#[derive(Clone, Copy)]
pub(super) struct Rhythm {
    pub at: Instant,
    pub quiet: bool,
    pub pause: Option<Duration>,
}

impl Asking {
    pub(super) fn about(proposal: Proposal) -> Result<Self, Stop> {
        if let Some(refusal) = proposal.refusal() {
            return Err(refusal.into());
        }
        Ok(Self {
            changes: proposal.changes()?,
            pinned: (proposal.target().clone(), proposal.state_hash()),
            reason: TextArea::default(),
            typed: Line::default(),
            focus: if proposal.entry().level >= Level::Review {
                Focus::Reason
            } else {
                Focus::Cancel
            },
            locked: None,
            barred: None,
            scroll: Scroll::default(),
            page: 1,
            is_read: false,
            pressed: None,
            ahead_at: None,
            quick: 0,
            proposal,
        })
    }

    /// Returns how much is asked.
    #[must_use]
    pub fn level(&self) -> Level {
        self.proposal.entry().level
    }

    pub(super) fn compare(&mut self, fresh: &Proposal) {
        if self.pinned != (fresh.target().clone(), fresh.state_hash()) {
            self.lock(
                fresh
                    .refusal()
                    .map_or("what this rests on has changed".to_owned(), |refusal| {
                        refusal.sentence
                    }),
            );
        }
    }

    /// Takes note of how much of the evidence is seen.
    pub(in crate::console) fn shows(&mut self, page: usize, to_its_end: bool) {
        self.page = page.max(1);
        self.is_read |= to_its_end;
    }

    /// Takes back a confirmation that has not counted yet.
    pub(super) fn take_back(&mut self) {
        self.pressed = None;
        self.ahead_at = None;
    }

    /// Takes back a confirmation that has not counted yet, as any further key does, and says so when it was counted down.
    pub(super) fn stop(&mut self) -> Step {
        let goes_ahead = self.ahead_at.is_some();
        self.take_back();
        if goes_ahead {
            Step::Say("stopped: nothing was written".to_owned())
        } else {
            Step::Stay
        }
    }

    pub(super) fn lock(&mut self, why: String) {
        self.take_back();
        self.locked = Some(why);
    }

    pub(super) fn answer(&self) -> Answer {
        let reason = self.reason.lines().join("\n").trim().to_owned();
        Answer {
            typed: if self.level() >= Level::Review {
                self.typed.text()
            } else {
                // The key itself was the yes.
                self.proposal.phrase()
            },
            reason: (!reason.is_empty()).then_some(reason),
        }
    }

    /// Says what is still missing before the way on opens; none when nothing is.
    #[must_use]
    pub fn missing(&self) -> Option<String> {
        if let Some(why) = &self.locked {
            return Some(format!("locked: {why}"));
        }
        if let Some(why) = &self.barred {
            return Some(why.clone());
        }
        if self.level() < Level::Review {
            return None;
        }
        if !self.is_read && !self.proposal.report().is_empty() {
            return Some("read it to its end: pgdn".to_owned());
        }
        let reason = self.reason.lines().join("\n").trim().chars().count();
        if reason < REASON_AT_LEAST {
            return Some(format!("reason: {reason} of {REASON_AT_LEAST} characters"));
        }
        if reason > REASON_AT_MOST {
            return Some(format!(
                "reason: {reason} characters, at most {REASON_AT_MOST} are kept"
            ));
        }
        (self.typed.text() != self.proposal.phrase())
            .then(|| "locked until the text matches".to_owned())
    }

    /// Says which keys are next when nothing is missing.
    #[must_use]
    pub fn ready(&self) -> &'static str {
        match self.focus {
            _ if self.level() < Level::Review => "y does it",
            Focus::Confirm => "ready: space presses",
            _ => "ready: tab goes to the button, space presses it",
        }
    }

    pub(super) fn press(&mut self, key: &KeyEvent, stroke: Stroke, rhythm: Rhythm) -> Step {
        if let said @ Step::Say(_) = self.stop() {
            return said;
        }
        match (stroke.control, stroke.code) {
            (_, KeyCode::Esc) => return Step::Close,
            (false, KeyCode::Tab) => self.focus = self.next_focus(1),
            (false, KeyCode::BackTab) => self.focus = self.next_focus(-1),
            (false, KeyCode::PageDown) => self.scroll.walk(ListStep::Pages(1), self.page),
            (false, KeyCode::PageUp) => self.scroll.walk(ListStep::Pages(-1), self.page),
            (true, KeyCode::Char('x')) if self.level() >= Level::Review => {
                return Step::Edit(self.reason.lines().join("\n"));
            }
            _ => match self.focus {
                // What could reorder or hide the reason's text is not typed by hand.
                Focus::Reason if stroke.character().is_some_and(is_hostile) => {}
                Focus::Reason => {
                    self.reason.input(*key);
                }
                Focus::Phrase => return self.type_phrase(stroke, rhythm),
                Focus::Cancel | Focus::Confirm => return self.press_button(stroke, rhythm),
            },
        }
        Step::Stay
    }

    fn press_button(&mut self, stroke: Stroke, rhythm: Rhythm) -> Step {
        let simple = self.level() < Level::Review;
        match (self.focus, stroke.character()) {
            (_, Some('y')) if simple => self.begin(rhythm),
            (_, Some('n' | 'q')) if simple => Step::Close,
            (Focus::Cancel, Some(' ')) => Step::Close,
            (Focus::Confirm, Some(' ')) => self.begin(rhythm),
            (_, _) if stroke.code == KeyCode::Enter => Step::Say(if self.locked.is_some() {
                "it is locked: esc closes it, then look again".to_owned()
            } else if simple {
                "enter does nothing here; y does it, n or esc leaves it".to_owned()
            } else {
                "enter does nothing here; space presses".to_owned()
            }),
            _ => Step::Stay,
        }
    }

    fn begin(&mut self, rhythm: Rhythm) -> Step {
        if let Some(missing) = self.missing() {
            return Step::Say(missing);
        }
        if rhythm.quiet {
            self.pressed = Some(rhythm.at);
            Step::Stay
        } else {
            Step::Say("too fast: that was a held key or a paste; press it once".to_owned())
        }
    }

    fn type_phrase(&mut self, stroke: Stroke, rhythm: Rhythm) -> Step {
        if stroke.code == KeyCode::Enter {
            return Step::Say("enter does nothing here; tab goes on".to_owned());
        }
        let fast = rhythm.pause.is_some_and(|pause| pause < FASTER_THAN_HANDS);
        self.quick = if fast { self.quick + 1 } else { 0 };
        if self.quick >= 3 {
            self.typed.clear();
            return Step::Say("the phrase is typed, not pasted".to_owned());
        }
        self.typed.press(stroke);
        Step::Stay
    }

    fn next_focus(&self, by: isize) -> Focus {
        let order: &[Focus] = if self.level() >= Level::Review {
            &[Focus::Cancel, Focus::Reason, Focus::Phrase, Focus::Confirm]
        } else {
            &[Focus::Cancel, Focus::Confirm]
        };
        let here = order
            .iter()
            .position(|focus| *focus == self.focus)
            .unwrap_or(0);
        let length = order.len();
        order[(here + length).saturating_add_signed(by) % length]
    }
}
