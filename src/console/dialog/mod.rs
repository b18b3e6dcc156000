//! The one dialog of all guarded actions: filling → asking → waiting → done, refused, failed or unknown.
//!
//! The default is no. Enter alone never writes; a key that confirms counts only when it stands alone in time, so that
//! neither a paste nor a key that is held down can confirm.

mod asking;
mod filling;

use std::time::{Duration, Instant};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use tui_textarea::TextArea;

use crate::actions::{Asked, Entry, Outcome, Proposal, Request, Stop};
use crate::clock::Moment;
use crate::rules::Refusal;
use crate::rules::guard::counts_down;
use crate::rules::text::scrub;
use crate::store::Sealed;

use super::form::Line;
use super::stroke::Stroke;
pub use asking::{Asking, Focus};
use asking::{COUNTDOWN, QUIET_AFTER, Rhythm};
pub use filling::Filling;

/// Keys in this time after the dialog opened do not count.
const BLIND: Duration = Duration::from_millis(400);
/// A confirming key counts when no other came for this long before it.
const QUIET_BEFORE: Duration = Duration::from_millis(150);

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
    /// The proposal that waits for a second person from then on, and until when; none where one is enough.
    pub waits: Option<(String, Moment)>,
    opened: Instant,
    last_key: Option<Instant>,
    /// Whether the next key was typed before the newest screen was shown, or right behind another.
    typed_ahead: bool,
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
            waits: None,
            opened: at,
            last_key: None,
            typed_ahead: false,
            filled: None,
        }
    }

    /// Writes a word into its field, to be taken or typed over.
    pub fn offer(&mut self, field: &str, word: &str) {
        if let Stage::Filling(filling) = &mut self.stage
            && let Some((.., line)) = filling.fields.iter_mut().find(|(name, ..)| *name == field)
        {
            *line = Line::holding(word);
        }
    }

    /// Begins to be blind again, for the window has another size; whatever was about to be confirmed is not.
    pub fn shown_anew(&mut self, at: Instant) {
        self.opened = at;
        if let Stage::Asking(asking) = &mut self.stage {
            asking.take_back();
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

    /// Lets the next key count as one of many, whenever it is taken: it stands in no time of its own.
    pub fn expect_typed_ahead(&mut self) {
        self.typed_ahead = true;
    }

    /// Takes a key.
    pub fn press(&mut self, key: &KeyEvent, at: Instant) -> Step {
        let stroke = match Stroke::of(key) {
            // The way out of everything is one out of a dialog too.
            Some(Stroke::CTRL_C) => Stroke::ESC,
            Some(stroke) => stroke,
            None => return Step::Stay,
        };
        let pause = self.last_key.map(|last| at.saturating_duration_since(last));
        let typed_ahead = std::mem::take(&mut self.typed_ahead);
        let quiet = !typed_ahead && pause.is_none_or(|pause| pause >= QUIET_BEFORE);
        self.last_key = Some(at);
        let blind = matches!(self.stage, Stage::Asking(_))
            && at.saturating_duration_since(self.opened) < BLIND;
        if blind && stroke.code != KeyCode::Esc {
            return Step::Stay;
        }
        match &mut self.stage {
            Stage::Filling(filling) => match filling.press(stroke, self.entry) {
                Some(words) => {
                    // A word that was taken away since the last refusal is asked no more.
                    self.asked.fields.clear();
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
                _ => Step::Say("esc closes this first".to_owned()),
            },
        }
    }

    /// Takes a key that is none of the console's: it takes back what a key of its own would.
    ///
    /// Escape and a character behind it arrive together as one key with alt: the escape is what counts.
    pub fn press_foreign(&mut self, key: &KeyEvent, at: Instant) -> Step {
        if key.modifiers.contains(KeyModifiers::ALT) {
            return self.press(&KeyEvent::new(KeyCode::Esc, KeyModifiers::NONE), at);
        }
        self.last_key = Some(at);
        match &mut self.stage {
            Stage::Asking(asking) => asking.stop(),
            _ => Step::Stay,
        }
    }

    /// Takes a pasted text: into words and the reason, never into the phrase.
    pub fn paste(&mut self, text: &str, at: Instant) -> Step {
        self.last_key = Some(at);
        // A yes in whose wake something is pasted was part of a paste itself.
        if let Stage::Asking(asking) = &mut self.stage {
            asking.take_back();
        }
        match &mut self.stage {
            Stage::Filling(filling) => {
                if let Some((_, _, line)) = filling.fields.get_mut(filling.focus) {
                    line.insert(text.trim_end());
                }
                Step::Stay
            }
            Stage::Asking(asking) if asking.focus == Focus::Reason => {
                asking.reason.insert_str(plain_lines(text).join("\n"));
                Step::Stay
            }
            _ => Step::Say("a paste is not taken here".to_owned()),
        }
    }

    /// Keeps the proposal on the screen from being confirmed, for as long as there is a reason.
    pub fn bar(&mut self, why: Option<String>) {
        if let Stage::Asking(asking) = &mut self.stage {
            if why.is_some() {
                asking.take_back();
            }
            asking.barred = why;
        }
    }

    /// Takes the reason that was written in an editor.
    pub fn edited(&mut self, text: &str) {
        if let Stage::Asking(asking) = &mut self.stage {
            asking.reason = TextArea::new(plain_lines(text));
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
            if counts_down(asking.level(), self.entry.verb) && asking.missing().is_none() {
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
                let ticket = request.proposes().map(str::to_owned);
                self.waits = ticket.zip(request.waits_until());
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

/// Writes a text as lines that are fit to be shown.
fn plain_lines(text: &str) -> Vec<String> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let lines = text.trim_end().lines();
    lines.map(|line| scrub(line).into_owned()).collect()
}

fn refused(stop: Stop) -> Stage {
    match stop {
        Stop::Refused(refusal) | Stop::BadInput(refusal) => Stage::Refused(refusal),
        Stop::Store(error) => Stage::Failed(Refusal::new(error.sentence, error.hint)),
    }
}
