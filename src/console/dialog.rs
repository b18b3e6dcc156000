//! The one dialog of all guarded actions: filling → asking → waiting → done, refused, failed or unknown.
//!
//! The default is no. Enter alone never writes; a key that confirms counts only when it stands alone in time, so that
//! neither a paste nor a key that is held down can confirm.

use std::time::{Duration, Instant};

use crossterm::event::{KeyCode, KeyEvent};
use tui_textarea::TextArea;

use crate::actions::{Asked, ChangedRow, Entry, Outcome, Proposal, Request, Required, Stop};
use crate::canon::Digest;
use crate::rules::Refusal;
use crate::rules::guard::{Answer, Level, REASON_AT_LEAST};
use crate::store::{Sealed, Target};

use super::form::Line;
use super::stroke::Stroke;

/// Keys in this time after the dialog opened do not count.
const BLIND: Duration = Duration::from_millis(400);
/// A confirming key counts when no other came for this long before it,
const QUIET_BEFORE: Duration = Duration::from_millis(150);
/// and none for this long after it.
const QUIET_AFTER: Duration = Duration::from_millis(80);
/// How long the last level waits before it goes ahead.
const COUNTDOWN: Duration = Duration::from_secs(5);
/// Characters of the phrase that come faster than people type are a paste.
const FASTER_THAN_HANDS: Duration = Duration::from_millis(8);

/// An action on its way through the guard.
#[derive(Debug)]
pub struct Dialog {
    /// The action.
    pub entry: &'static Entry,
    /// By which number its proposal comes.
    pub id: u64,
    /// What it is asked to do.
    pub asked: Asked,
    /// Where it stands.
    pub stage: Stage,
    opened: Instant,
    last_key: Option<Instant>,
    /// The words as they were typed, to come back to when they are refused.
    filled: Option<Filling>,
}

/// Where an action stands.
#[derive(Debug)]
pub enum Stage {
    /// Its words are being typed.
    Filling(Filling),
    /// Its proposal is being made.
    Planning,
    /// The proposal is shown, and somebody is asked.
    Asking(Box<Asking>),
    /// The request is under way.
    Waiting {
        /// The request's ticket.
        ticket: String,
        /// Since when.
        since: Instant,
    },
    /// It is in the ledger.
    Done(Sealed),
    /// A rule says no.
    Refused(Refusal),
    /// It failed, and nothing was written.
    Failed(Refusal),
    /// Nobody knows yet; the ticket is being looked up.
    Unknown {
        /// The request's ticket.
        ticket: String,
        /// What broke.
        cause: String,
    },
}

/// The words of an action, while they are typed.
#[derive(Debug)]
pub struct Filling {
    /// The fields: label, help, and what was typed.
    pub fields: Vec<(&'static str, &'static str, Line)>,
    /// Which one has the cursor.
    pub focus: usize,
    /// What is wrong with them.
    pub wrong: Option<Refusal>,
}

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
    /// How far the text is scrolled.
    pub scroll: u16,
    /// The confirming key that still has to stand alone.
    pressed: Option<Instant>,
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

/// What a key did to the dialog.
#[derive(Debug)]
pub enum Step {
    /// The dialog stays.
    Stay,
    /// The dialog closes.
    Close,
    /// The words are complete: make a proposal.
    Plan,
    /// It was confirmed.
    Submit(Box<Request>),
    /// The reason is to be written in an editor.
    Edit(String),
    /// Something to say.
    Say(String),
}

impl Dialog {
    /// Opens the dialog: asks for the words that the selected row does not give.
    #[must_use]
    pub fn open(entry: &'static Entry, id: u64, target: Option<String>, at: Instant) -> Self {
        let mut fields = Vec::new();
        if target.is_none() {
            fields.push(("id", entry.target, Line::default()));
        }
        for field in entry.fields {
            fields.push((field.name, field.help, Line::default()));
        }
        let stage = if fields.is_empty() {
            Stage::Planning
        } else {
            Stage::Filling(Filling {
                fields,
                focus: 0,
                wrong: None,
            })
        };
        Self {
            entry,
            id,
            asked: Asked::of(target.unwrap_or_default()),
            stage,
            opened: at,
            last_key: None,
            filled: None,
        }
    }

    /// Shows the proposal, or why there is none.
    pub fn planned(&mut self, planned: Result<Proposal, Stop>, at: Instant) {
        match (&mut self.stage, planned) {
            (Stage::Planning, Ok(proposal)) => match Asking::about(proposal) {
                Ok(asking) => {
                    self.stage = Stage::Asking(Box::new(asking));
                    self.opened = at;
                }
                Err(stop) => self.send_back(stop),
            },
            (Stage::Planning, Err(stop)) => self.send_back(stop),
            // The same question asked again because the picture changed.
            (Stage::Asking(asking), Ok(fresh)) => asking.compare(&fresh),
            (Stage::Asking(asking), Err(Stop::Refused(refusal) | Stop::BadInput(refusal))) => {
                asking.lock(refusal.sentence);
            }
            _ => {}
        }
    }

    /// Shows why there is no proposal: beside the words, where they were typed.
    fn send_back(&mut self, stop: Stop) {
        self.stage = match (self.filled.take(), stop) {
            (Some(filled), Stop::Refused(refusal) | Stop::BadInput(refusal)) => {
                Stage::Filling(Filling {
                    wrong: Some(refusal),
                    ..filled
                })
            }
            (_, stop) => refused(stop),
        };
    }

    /// Tells whether the proposal on the screen is to be compared with a fresh one.
    #[must_use]
    pub fn wants_comparison(&self) -> bool {
        matches!(&self.stage, Stage::Asking(asking) if asking.locked.is_none())
    }

    /// Shows what became of the request.
    pub fn settle(&mut self, ticket: &str, outcome: Outcome) {
        if self.ticket() != Some(ticket) {
            return;
        }
        self.stage = match outcome {
            Outcome::Done(sealed) => Stage::Done(sealed),
            Outcome::Refused(refusal) => Stage::Refused(refusal),
            Outcome::Failed(error) => Stage::Failed(Refusal::new(error.sentence, error.hint)),
            Outcome::Unknown { ticket, cause } => Stage::Unknown {
                ticket,
                cause: cause.sentence,
            },
        };
    }

    /// Shows what the ledger says about a ticket whose answer was lost.
    pub fn resolve(&mut self, ticket: &str, found: Option<Sealed>) {
        if self.ticket() == Some(ticket) {
            self.stage = found.map_or_else(
                || {
                    Stage::Failed(Refusal::new(
                        "nothing was written: the connection broke before the commit",
                        "do it again",
                    ))
                },
                Stage::Done,
            );
        }
    }

    fn ticket(&self) -> Option<&str> {
        match &self.stage {
            Stage::Waiting { ticket, .. } | Stage::Unknown { ticket, .. } => Some(ticket),
            _ => None,
        }
    }

    /// Takes a key.
    pub fn press(&mut self, key: &KeyEvent, at: Instant) -> Step {
        let Some(stroke) = Stroke::of(key) else {
            return Step::Stay;
        };
        let quiet = self
            .last_key
            .is_none_or(|last| at.saturating_duration_since(last) >= QUIET_BEFORE);
        let pause = self.last_key.map(|last| at.saturating_duration_since(last));
        self.last_key = Some(at);
        let blind = matches!(self.stage, Stage::Asking(_))
            && at.saturating_duration_since(self.opened) < BLIND;
        if blind && stroke.code != KeyCode::Esc {
            return Step::Stay;
        }
        match &mut self.stage {
            Stage::Filling(filling) => match filling.press(stroke, self.entry) {
                Some(words) => {
                    for (name, value) in words {
                        if name == "id" {
                            self.asked.target = value;
                        } else {
                            self.asked.fields.insert(name.to_owned(), value);
                        }
                    }
                    let Stage::Filling(filled) =
                        std::mem::replace(&mut self.stage, Stage::Planning)
                    else {
                        return Step::Stay;
                    };
                    self.filled = Some(filled);
                    Step::Plan
                }
                None if stroke.code == KeyCode::Esc => Step::Close,
                None => Step::Stay,
            },
            Stage::Asking(asking) => asking.press(key, stroke, Rhythm { at, quiet, pause }),
            // A request under way cannot be taken back, but nobody has to watch it.
            _ => match stroke.code {
                KeyCode::Esc | KeyCode::Enter | KeyCode::Char('q') => Step::Close,
                _ => Step::Stay,
            },
        }
    }

    /// Takes a pasted text: into words and the reason, never into the phrase.
    pub fn paste(&mut self, text: &str, at: Instant) -> Step {
        self.last_key = Some(at);
        match &mut self.stage {
            Stage::Filling(filling) => {
                if let Some((_, _, line)) = filling.fields.get_mut(filling.focus) {
                    line.insert(text.trim_end());
                }
                Step::Stay
            }
            Stage::Asking(asking) if asking.focus == Focus::Reason => {
                asking
                    .reason
                    .insert_str(crate::rules::text::scrub(text.trim_end()));
                Step::Stay
            }
            _ => Step::Say("a paste is not taken here".to_owned()),
        }
    }

    /// Takes the reason that was written in an editor.
    pub fn edited(&mut self, text: &str) {
        if let Stage::Asking(asking) = &mut self.stage {
            asking.reason = TextArea::new(text.trim_end().lines().map(str::to_owned).collect());
        }
    }

    /// Lets time go by: a confirming key that stood alone counts, and the countdown ends.
    pub fn tick(&mut self, at: Instant) -> Step {
        let Stage::Asking(asking) = &mut self.stage else {
            return Step::Stay;
        };
        if asking
            .pressed
            .is_some_and(|pressed| at >= pressed + QUIET_AFTER)
        {
            asking.pressed = None;
            if asking.level() == Level::Phrase && asking.missing().is_none() {
                asking.ahead_at = Some(at + COUNTDOWN);
                return Step::Stay;
            }
            return self.confirm(at);
        }
        if asking.ahead_at.is_some_and(|ahead| at >= ahead) {
            return self.confirm(at);
        }
        Step::Stay
    }

    /// Returns when [`Dialog::tick`] has something to do.
    #[must_use]
    pub fn wakes_at(&self, at: Instant) -> Option<Instant> {
        match &self.stage {
            Stage::Asking(asking) => {
                asking
                    .pressed
                    .map(|pressed| pressed + QUIET_AFTER)
                    .or_else(|| {
                        asking
                            .ahead_at
                            .map(|ahead| ahead.min(at + Duration::from_secs(1)))
                    })
            }
            Stage::Waiting { .. } | Stage::Unknown { .. } => Some(at + Duration::from_secs(1)),
            _ => None,
        }
    }

    fn confirm(&mut self, at: Instant) -> Step {
        let stage = std::mem::replace(&mut self.stage, Stage::Planning);
        let Stage::Asking(asking) = stage else {
            self.stage = stage;
            return Step::Stay;
        };
        if let Some(missing) = asking.missing() {
            self.stage = Stage::Asking(asking);
            return Step::Say(missing);
        }
        let answer = asking.answer();
        match asking.proposal.confirm(&answer) {
            Ok(request) => {
                self.stage = Stage::Waiting {
                    ticket: request.ticket().to_owned(),
                    since: at,
                };
                Step::Submit(Box::new(request))
            }
            Err(stop) => {
                self.stage = refused(stop);
                Step::Stay
            }
        }
    }
}

fn refused(stop: Stop) -> Stage {
    match stop {
        Stop::Refused(refusal) | Stop::BadInput(refusal) => Stage::Refused(refusal),
        Stop::Store(error) => Stage::Failed(Refusal::new(error.sentence, error.hint)),
    }
}

impl Filling {
    /// Takes a key; returns the words when they are complete.
    fn press(&mut self, stroke: Stroke, entry: &Entry) -> Option<Vec<(&'static str, String)>> {
        let count = self.fields.len();
        match stroke.code {
            KeyCode::Tab | KeyCode::Down => self.focus = (self.focus + 1) % count,
            KeyCode::BackTab | KeyCode::Up => self.focus = (self.focus + count - 1) % count,
            KeyCode::Enter if self.focus + 1 < count => self.focus += 1,
            // Going on from the last field writes nothing: it only shows what would happen.
            KeyCode::Enter => return self.complete(entry),
            _ => {
                let (_, _, line) = self.fields.get_mut(self.focus)?;
                line.press(stroke);
            }
        }
        None
    }

    fn complete(&mut self, entry: &Entry) -> Option<Vec<(&'static str, String)>> {
        let needed = |name: &str| {
            name == "id"
                || entry
                    .fields
                    .iter()
                    .any(|field| field.name == name && field.required == Required::Yes)
        };
        let missing = self
            .fields
            .iter()
            .position(|(name, _, line)| line.text().trim().is_empty() && needed(name));
        if let Some(missing) = missing {
            self.focus = missing;
            self.wrong = Some(Refusal::new(
                format!("{} is missing", self.fields[missing].0),
                "type it here",
            ));
            return None;
        }
        let typed = self
            .fields
            .iter()
            .map(|(name, _, line)| (*name, line.text().trim().to_owned()));
        Some(typed.filter(|(_, text)| !text.is_empty()).collect())
    }
}

/// When a key came, and how it stands in time.
#[derive(Clone, Copy)]
struct Rhythm {
    at: Instant,
    quiet: bool,
    pause: Option<Duration>,
}

impl Asking {
    fn about(proposal: Proposal) -> Result<Self, Stop> {
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
            scroll: 0,
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

    fn compare(&mut self, fresh: &Proposal) {
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

    fn lock(&mut self, why: String) {
        self.pressed = None;
        self.ahead_at = None;
        self.locked = Some(why);
    }

    fn answer(&self) -> Answer {
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
        if self.level() < Level::Review {
            return None;
        }
        let reason = self.reason.lines().join("\n").trim().chars().count();
        if reason < REASON_AT_LEAST {
            return Some(format!("reason: {reason} of {REASON_AT_LEAST} characters"));
        }
        (self.typed.text() != self.proposal.phrase())
            .then(|| "locked until the text matches".to_owned())
    }

    fn press(&mut self, key: &KeyEvent, stroke: Stroke, rhythm: Rhythm) -> Step {
        // Any further key takes back a confirmation that has not counted yet.
        self.pressed = None;
        if self.ahead_at.take().is_some() {
            return Step::Say("stopped: nothing was written".to_owned());
        }
        match (stroke.control, stroke.code) {
            (_, KeyCode::Esc) => return Step::Close,
            (false, KeyCode::Tab) => self.focus = self.next_focus(1),
            (false, KeyCode::BackTab) => self.focus = self.next_focus(-1),
            (false, KeyCode::PageDown) => self.scroll = self.scroll.saturating_add(4),
            (false, KeyCode::PageUp) => self.scroll = self.scroll.saturating_sub(4),
            (true, KeyCode::Char('x')) if self.level() >= Level::Review => {
                return Step::Edit(self.reason.lines().join("\n"));
            }
            _ => match self.focus {
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
            (Focus::Cancel, _) if stroke.code == KeyCode::Enter => Step::Close,
            (Focus::Confirm, _) if stroke.code == KeyCode::Enter => {
                Step::Say("enter does nothing here; space presses".to_owned())
            }
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
