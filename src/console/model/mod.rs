//! The whole state of the console, and the one function that changes it.

mod bell;
mod input;
mod news;
mod past;
mod place;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::actions::{Proposal, Signing};
use crate::clock::Moment;
use crate::rules::Refusal;
use crate::store::block::BlockSort;
use crate::store::bundle::BundleSort;
use crate::store::dictionary::MetricSort;
use crate::store::ledger::LedgerSort;
use crate::store::migration::{MigrationSort, MismatchSort};
use crate::store::people::PersonSort;
use crate::store::verify::Report;
use crate::store::week::WeekSort;

pub(super) use place::APPROVAL;

use super::arming::Arming;
use super::dialog::{Dialog, Stage};
use super::event::{Cause, Effect, Event, Mouse};
use super::guard_box;
use super::keymap::Keymap;
use super::list::{List, Scroll};
use super::live::{Link, Liveness};
use super::newcomer::Card;
use super::overlay::Overlay;
use super::panes::PaneId;
use super::picture::{Picture, Wanted, Way};
use super::running::Running;
use super::stroke::Stroke;
use super::theme::{Depth, Theme, Token};
use super::tour::Tour;
use super::way_back::WayBack;

/// How many messages are kept to be read again.
const MESSAGES: usize = 200;

/// What the console was started with.
#[derive(Debug)]
pub struct Start {
    /// The keys in force.
    pub keymap: Keymap,
    /// The theme.
    pub theme: Theme,
    /// How many colours the terminal has.
    pub depth: Depth,
    /// Where the user's own themes are.
    pub themes_folder: Option<std::path::PathBuf>,
    /// A random name for this console, under which it is armed.
    pub console_id: String,
    /// Whether line drawing goes beyond ASCII.
    pub glyphs: super::ui::Glyphs,
    /// Where the database is, without its password.
    pub place: String,
    /// Whether decision cards are signed here.
    pub signing: Signing,
    /// What leads to the database.
    pub way: Way,
    /// What a command in a shell has to be told of where the database is, since it would find another one.
    pub elsewhere: Option<String>,
}

/// The whole state of the console.
#[derive(Debug)]
pub struct Model {
    /// What the console was started with; the theme may change.
    pub start: Start,
    /// The time of the newest event, by this process's own clock.
    pub at: Instant,
    /// The terminal's size.
    pub size: (u16, u16),
    /// The pane that is open.
    pub pane: PaneId,
    /// The panes to go back to.
    pub before: Vec<PaneId>,
    /// The moment in the past that is looked at; none is now.
    pub as_of: Option<Moment>,
    /// The newest picture.
    pub picture: Option<Arc<Picture>>,
    /// How the link stands.
    pub link: Link,
    /// The selected line of Home; a new picture keeps the line, wherever it comes to stand.
    pub home: usize,
    /// The list of open blocks.
    pub blocks: List<BlockSort>,
    /// The list of migrations.
    pub migrations: List<MigrationSort>,
    /// The list of mismatches.
    pub mismatches: List<MismatchSort>,
    /// The list of bundles.
    pub bundles: List<BundleSort>,
    /// The list of metrics.
    pub dictionary: List<MetricSort>,
    /// The list of weekly runs.
    pub weeks: List<WeekSort>,
    /// The list of entries.
    pub entries: List<LedgerSort>,
    /// The list of people.
    pub people: List<PersonSort>,
    /// What is open over the pane.
    pub overlay: Option<Overlay>,
    /// The action on its way through the guard.
    pub dialog: Option<Dialog>,
    /// The strokes of a chord that is not complete.
    pub pending: Vec<Stroke>,
    /// Whether the card for a newcomer stands on Home.
    pub card: Card,
    /// The tour, while somebody is on it.
    pub tour: Option<Tour>,
    /// What was said last.
    pub status: Option<Said>,
    /// What was said, the newest last.
    pub messages: VecDeque<Said>,
    /// The run of a bundle that this console makes, or the last one.
    pub running: Option<Box<Running>>,
    /// Whether this console may write.
    pub arming: Arming,
    /// The entry by which it may.
    armed_by: Option<i64>,
    /// Whether the detail has the whole screen.
    pub zoomed: bool,
    /// How far the detail is scrolled while it has it.
    pub detail: Scroll,
    /// Whether times are shown in local time.
    pub local_time: bool,
    /// Who has the mouse.
    pub mouse: Mouse,
    /// The last verification of the ledger.
    pub verified: Option<Verified>,
    /// Whether the migration of the pane Cutover can be taken back.
    pub way_back: WayBack,
    /// The entry up to which this person had looked when they last left.
    pub last_looked: Option<i64>,
    pub(super) next_id: u64,
    /// The requests that are under way, by their tickets.
    sent: BTreeMap<String, Sent>,
    wanted: Wanted,
    asked_to_leave: Option<Instant>,
    /// What the bell was rung for, or would have been.
    heard: bell::Heard,
    redraw: bool,
}

/// A request that is under way.
#[derive(Debug)]
struct Sent {
    verb: &'static str,
    /// What it acts on.
    subject: String,
    /// Until when it will wait for a second person, where one is not enough.
    waits: Option<Moment>,
}

/// The last verification of the ledger.
#[derive(Debug)]
pub enum Verified {
    /// It is under way.
    Running,
    /// It ended.
    Report(Box<Report>, Moment),
    /// It could not be done.
    Failed(String),
}

/// Something that was said.
#[derive(Debug, Clone)]
pub struct Said {
    /// When, by the database's clock; none before the first picture.
    pub at: Option<Moment>,
    /// How it is meant.
    pub token: Token,
    /// The sentence.
    pub text: String,
}

impl Model {
    /// Makes the state that a console starts with.
    #[must_use]
    pub fn new(start: Start, size: (u16, u16), last_looked: Option<i64>, at: Instant) -> Self {
        let mut model = Self {
            start,
            at,
            size,
            pane: PaneId::Home,
            before: Vec::new(),
            as_of: None,
            picture: None,
            link: Link::default(),
            home: 0,
            blocks: List::new(),
            migrations: List::new(),
            mismatches: List::new(),
            bundles: List::new(),
            dictionary: List::new(),
            weeks: List::new(),
            entries: List::new(),
            people: List::new(),
            overlay: None,
            dialog: None,
            pending: Vec::new(),
            card: Card::default(),
            tour: None,
            status: None,
            messages: VecDeque::new(),
            running: None,
            arming: Arming::default(),
            armed_by: None,
            zoomed: false,
            detail: Scroll::default(),
            local_time: false,
            mouse: Mouse::default(),
            verified: None,
            way_back: WayBack::default(),
            last_looked,
            next_id: 0,
            sent: BTreeMap::new(),
            wanted: Wanted::default(),
            asked_to_leave: None,
            heard: bell::Heard::default(),
            redraw: true,
        };
        model.wanted = model.wants();
        model
    }

    /// Takes an event and says what is to be done.
    pub fn update(&mut self, event: Event, at: Instant) -> Vec<Effect> {
        self.at = at;
        self.bar_dialog();
        let mut effects = Vec::new();
        match event {
            Event::Tick => self.tick(&mut effects),
            Event::Sight(sight) => self.see(sight, &mut effects),
            event => {
                self.redraw = true;
                self.happen(event, &mut effects);
            }
        }
        self.bar_dialog();
        self.note_what_is_seen();
        self.tour = self.tour.and_then(|tour| tour.after(self));
        let wants = self.wants();
        if wants.selected != self.wanted.selected {
            self.detail = Scroll::default();
        }
        if wants != self.wanted {
            self.wanted = wants.clone();
            effects.push(Effect::Want(Box::new(wants)));
        }
        effects
    }

    /// Tells the open dialog how much of its evidence stands on the screen.
    fn note_what_is_seen(&mut self) {
        let Some(Stage::Asking(asking)) = self.dialog.as_ref().map(|dialog| &dialog.stage) else {
            return;
        };
        let seen = guard_box::seen(self, asking, self.size);
        if let Some(Stage::Asking(asking)) = self.dialog.as_mut().map(|dialog| &mut dialog.stage) {
            asking.shows(seen.page, seen.to_its_end);
        }
    }

    /// Returns what the reader is to look at.
    #[must_use]
    pub fn wanted(&self) -> Wanted {
        self.wanted.clone()
    }

    /// Tells whether the screen has to be drawn anew, once.
    pub fn take_redraw(&mut self) -> bool {
        std::mem::take(&mut self.redraw)
    }

    fn happen(&mut self, event: Event, effects: &mut Vec<Effect>) {
        match event {
            Event::Input(input) => self.input(input, effects),
            Event::TypedAhead(key) => {
                if let Some(dialog) = &mut self.dialog {
                    dialog.expect_typed_ahead();
                }
                self.input(crossterm::event::Event::Key(key), effects);
            }
            Event::Planned(id, planned) => {
                if let Some(dialog) = self.dialog.as_mut().filter(|dialog| dialog.id == id) {
                    let was_begun = matches!(dialog.stage, Stage::Planning);
                    let met = planned.as_ref().as_ref().ok();
                    let met = met.and_then(Proposal::meets_ended).map(str::to_owned);
                    dialog.planned(*planned, self.at);
                    self.lets_end(met, effects);
                    if was_begun {
                        self.say_why_not();
                    }
                }
            }
            Event::Done(ticket, outcome) => self.done(&ticket, *outcome, effects),
            Event::Resolved(ticket, sealed) => self.resolved(&ticket, sealed, effects),
            Event::Run(running) => self.ran(running, effects),
            Event::Disarmed => {
                self.arming.disarm();
                effects.push(Effect::Refresh);
            }
            Event::Verified(result) => self.verified(*result),
            Event::Cited(result) => self.cited(*result),
            Event::WayBack(migration, found) => self.way_back.found(migration, *found, self.at),
            Event::Edited(text) => {
                if let (Some(dialog), Some(text)) = (&mut self.dialog, text) {
                    dialog.edited(&text);
                }
            }
            Event::Trouble(text) => self.say(Token::StatusWarn, text),
            Event::Stop(Cause::Signal(_) | Cause::HungUp) => effects.push(Effect::Quit),
            Event::Awake | Event::Sight(_) | Event::Tick => {}
        }
    }

    /// Has a rule end a proposal that was met and that nobody can answer any more; only an armed console writes.
    fn lets_end(&self, met: Option<String>, effects: &mut Vec<Effect>) {
        if self.arming.left(self.at).is_some() {
            effects.extend(met.map(Effect::EndProposal));
        }
    }

    /// Lists the requests whose outcome nobody knows yet: action and ticket.
    #[must_use]
    pub fn unresolved(&self) -> Vec<(&'static str, String)> {
        let sent = self.sent.iter();
        sent.map(|(ticket, sent)| (sent.verb, ticket.clone()))
            .collect()
    }

    /// Returns the run of a bundle that this console makes now.
    #[must_use]
    pub fn under_way(&self) -> Option<&Running> {
        self.running.as_deref().filter(|run| run.is_under_way())
    }

    /// Tells whether seconds are shown: a timer is on the screen, this console is armed, or it makes a run.
    #[must_use]
    pub fn counts(&self) -> bool {
        self.arming.left(self.at).is_some()
            || self.under_way().is_some()
            || super::panes::counts(self)
    }

    /// Returns the database's time, counted on from the picture.
    #[must_use]
    pub fn now(&self) -> Option<Moment> {
        let picture = self.picture.as_ref()?;
        let since = self.at.saturating_duration_since(picture.at);
        Some(picture.now.plus(since * picture.rate))
    }

    /// Tells how fresh the picture is.
    #[must_use]
    pub fn liveness(&self) -> Liveness {
        self.link.liveness(self.at)
    }

    /// Says something, and keeps it to be read again.
    pub fn say(&mut self, token: Token, text: String) {
        let said = Said {
            at: self.now(),
            token,
            text,
        };
        if self.messages.len() == MESSAGES {
            self.messages.pop_front();
        }
        self.messages.push_back(said.clone());
        self.status = Some(said);
        self.redraw = true;
    }

    /// Says something that nobody needs to read again.
    pub fn say_quietly(&mut self, text: String) {
        self.status = Some(Said {
            at: None,
            token: Token::Muted,
            text,
        });
    }

    /// Says why something is not done, and what would help.
    pub fn refuse(&mut self, refusal: &Refusal) {
        let said = format!("{} ({})", refusal.sentence, refusal.hint);
        self.say(Token::StatusWarn, self.start.keymap.in_keys(&said));
    }

    /// Notes that somebody asked to leave; tells whether they did so a moment ago.
    pub(super) fn asks_to_leave_again(&mut self) -> bool {
        let again = self.asked_to_leave.is_some_and(|before| {
            self.at.saturating_duration_since(before) < Duration::from_secs(3)
        });
        self.asked_to_leave = Some(self.at);
        again
    }
}
