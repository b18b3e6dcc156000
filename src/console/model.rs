//! The whole state of the console, and the one function that changes it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossterm::event::{Event as Input, KeyEvent, KeyEventKind};

use crate::actions::{Asked, Entry, Outcome};
use crate::clock::Moment;
use crate::rules::Refusal;
use crate::rules::guard::Level;
use crate::store::block::{BLOCK_FIELDS, BlockSort};
use crate::store::ledger::{LEDGER_FIELDS, LedgerSort};
use crate::store::verify::Report;

use super::arming::Arming;
use super::dialog::{Dialog, Stage, Step as DialogStep};
use super::event::{Cause, Effect, Event, Mouse, Sight};
use super::keymap::{Keymap, Meaning};
use super::list::List;
use super::live::{Link, Liveness};
use super::overlay::Overlay;
use super::panes::{PaneId, home};
use super::picture::{Picture, Wanted};
use super::stroke::Stroke;
use super::theme::{Depth, Theme, Token};

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
    /// The newest picture.
    pub picture: Option<Arc<Picture>>,
    /// How the link stands.
    pub link: Link,
    /// The list of Home, by position in its sections.
    pub home: usize,
    /// The list of open blocks.
    pub blocks: List<BlockSort>,
    /// The list of entries.
    pub entries: List<LedgerSort>,
    /// What is open over the pane.
    pub overlay: Option<Overlay>,
    /// The action on its way through the guard.
    pub dialog: Option<Dialog>,
    /// The strokes of a chord that is not complete.
    pub pending: Vec<Stroke>,
    /// What was said last.
    pub status: Option<Said>,
    /// What was said, the newest last.
    pub messages: VecDeque<Said>,
    /// Whether this console may write.
    pub arming: Arming,
    /// Whether the detail has the whole screen.
    pub zoomed: bool,
    /// Whether times are shown in local time.
    pub local_time: bool,
    /// Who has the mouse.
    pub mouse: Mouse,
    /// The last verification of the ledger.
    pub verified: Option<Verified>,
    /// The entry up to which this person had looked when they last left.
    pub last_looked: Option<i64>,
    pub(super) next_id: u64,
    /// When the picture came, to count on from its time.
    picture_at: Instant,
    wanted: Wanted,
    asked_to_leave: Option<Instant>,
    redraw: bool,
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
            picture: None,
            link: Link::default(),
            home: 0,
            blocks: List::new(),
            entries: List::new(),
            overlay: None,
            dialog: None,
            pending: Vec::new(),
            status: None,
            messages: VecDeque::new(),
            arming: Arming::default(),
            zoomed: false,
            local_time: false,
            mouse: Mouse::default(),
            verified: None,
            last_looked,
            next_id: 0,
            picture_at: at,
            wanted: Wanted::default(),
            asked_to_leave: None,
            redraw: true,
        };
        model.wanted = model.wants();
        model
    }

    /// Takes an event and says what is to be done.
    pub fn update(&mut self, event: Event, at: Instant) -> Vec<Effect> {
        self.at = at;
        let mut effects = Vec::new();
        match event {
            Event::Tick => self.tick(&mut effects),
            Event::Sight(sight) => self.see(sight, &mut effects),
            event => {
                self.redraw = true;
                self.happen(event, &mut effects);
            }
        }
        let wants = self.wants();
        if wants != self.wanted {
            self.wanted = wants.clone();
            effects.push(Effect::Want(Box::new(wants)));
        }
        effects
    }

    /// Returns what the reader is to look at first.
    #[must_use]
    pub fn first_wanted(&self) -> Wanted {
        self.wanted.clone()
    }

    /// Tells whether the screen has to be drawn anew, once.
    pub fn take_redraw(&mut self) -> bool {
        std::mem::take(&mut self.redraw)
    }

    fn happen(&mut self, event: Event, effects: &mut Vec<Effect>) {
        match event {
            Event::Input(input) => self.input(input, effects),
            Event::Planned(id, planned) => {
                if let Some(dialog) = self.dialog.as_mut().filter(|dialog| dialog.id == id) {
                    dialog.planned(*planned, self.at);
                    self.say_why_not();
                }
            }
            Event::Done(ticket, outcome) => self.done(&ticket, *outcome, effects),
            Event::Resolved(ticket, sealed) => {
                let said = match &sealed {
                    Some(sealed) => format!("the lost answer was yes: ledger entry {}", sealed.seq),
                    None => "the lost answer was no: nothing was written".to_owned(),
                };
                self.say(Token::StatusInfo, said);
                if let Some(dialog) = &mut self.dialog {
                    dialog.resolve(&ticket, sealed);
                }
                effects.push(Effect::Refresh);
            }
            Event::Disarmed => {
                self.arming.disarm();
            }
            Event::Verified(result) => self.verified(*result),
            Event::Edited(text) => {
                if let (Some(dialog), Some(text)) = (&mut self.dialog, text) {
                    dialog.edited(&text);
                }
            }
            Event::Trouble(text) => self.say(Token::StatusWarn, text),
            Event::Awake => {}
            Event::Stop(Cause::Signal(_) | Cause::HungUp) => effects.push(Effect::Quit),
            Event::Sight(_) | Event::Tick => {}
        }
    }

    fn input(&mut self, input: Input, effects: &mut Vec<Effect>) {
        match input {
            Input::Key(key) if key.kind == KeyEventKind::Press => {
                self.arming.touch(self.at);
                self.key(&key, effects);
            }
            Input::Paste(text) => self.paste(&text),
            Input::Resize(width, height) => self.size = (width, height),
            Input::Mouse(mouse) => self.mouse_event(mouse),
            _ => self.redraw = false,
        }
    }

    fn key(&mut self, key: &KeyEvent, effects: &mut Vec<Effect>) {
        let Some(stroke) = Stroke::of(key) else {
            return;
        };
        if let Some(dialog) = &mut self.dialog {
            let step = dialog.press(key, self.at);
            return self.follow(step, effects);
        }
        if self.overlay.is_some() {
            return self.press_overlay(stroke, effects);
        }
        if self.typing().is_some() {
            return self.press_filter(stroke);
        }
        self.pending.push(stroke);
        match self.start.keymap.meaning(&self.pending, self.pane) {
            Meaning::Begins => {}
            Meaning::Is(intent) => {
                self.pending.clear();
                self.status = None;
                self.intend(intent, effects);
            }
            Meaning::Nothing => {
                let typed = super::stroke::written(&self.pending);
                self.pending.clear();
                let help = self.start.keymap.hint(super::keymap::Intent::Help);
                self.say_quietly(format!("{typed} means nothing here; {help} lists the keys"));
            }
        }
    }

    fn paste(&mut self, text: &str) {
        if let Some(dialog) = &mut self.dialog {
            let step = dialog.paste(text, self.at);
            return self.follow(step, &mut Vec::new());
        }
        let no_overlay = self.overlay.is_none();
        if let Some(Overlay::Palette(palette)) = &mut self.overlay {
            palette.line.insert(text.trim_end());
        } else if let (Some(line), true) = (self.typing_mut(), no_overlay) {
            line.insert(text.trim_end());
        } else {
            self.say(
                Token::StatusWarn,
                "a paste outside a text field was dropped".to_owned(),
            );
        }
    }

    /// Does what the dialog's last step asks for.
    pub(super) fn follow(&mut self, step: DialogStep, effects: &mut Vec<Effect>) {
        match step {
            DialogStep::Stay => {}
            DialogStep::Close => {
                if let Some(Dialog {
                    stage: Stage::Waiting { .. } | Stage::Unknown { .. },
                    ..
                }) = &self.dialog
                {
                    self.say(
                        Token::StatusPending,
                        "the request goes on; ! shows what became of it".to_owned(),
                    );
                }
                self.dialog = None;
            }
            DialogStep::Plan => self.plan(effects),
            DialogStep::Submit(request) => effects.push(Effect::Submit(request)),
            DialogStep::Edit(text) => effects.push(Effect::Edit(text)),
            DialogStep::Say(text) => self.say_quietly(text),
        }
    }

    pub(super) fn plan(&mut self, effects: &mut Vec<Effect>) {
        if let Some(dialog) = &self.dialog {
            effects.push(Effect::Plan {
                id: dialog.id,
                verb: dialog.entry.verb,
                asked: dialog.asked.clone(),
            });
        }
    }

    /// Opens an action's dialog, unless it is plain that it cannot be done.
    pub(super) fn act(&mut self, entry: &'static Entry, effects: &mut Vec<Effect>) {
        if let Some(refusal) = self.why_not(entry) {
            return self.refuse(&refusal);
        }
        let target = match entry.kind {
            "console" => Some(self.start.console_id.clone()),
            kind => self
                .selected()
                .filter(|(selected, _)| *selected == kind)
                .map(|(_, id)| id),
        };
        self.next_id += 1;
        let dialog = Dialog::open(entry, self.next_id, target, self.at);
        let complete = matches!(dialog.stage, Stage::Planning);
        self.dialog = Some(dialog);
        self.overlay = None;
        if complete {
            self.plan(effects);
        }
    }

    /// Says why an action cannot be begun here and now; none when it can.
    #[must_use]
    pub fn why_not(&self, entry: &Entry) -> Option<Refusal> {
        let picture = match (&self.picture, self.liveness()) {
            (Some(picture), Liveness::Live) => picture,
            _ => {
                return Some(Refusal::new(
                    "the picture is not fresh, so nothing is decided on it",
                    "wait until the header says live",
                ));
            }
        };
        if let Some(found) = picture.newer_schema {
            return Some(Refusal::new(
                format!("the database has schema {found}, newer than this program knows"),
                "use the newer govdeck",
            ));
        }
        if picture.actor.is_none() {
            return Some(Refusal::new(
                format!("the login {:?} belongs to no active person", picture.login),
                "a governance_lead can add you",
            ));
        }
        if entry.level >= Level::Review && self.arming.left(self.at).is_none() {
            return Some(Refusal::new(
                "this console is read-only",
                "arm it first: a a",
            ));
        }
        if PaneId::KINDS.contains(&entry.kind) && entry.fields.is_empty() {
            let selected = self.selected().filter(|(kind, _)| *kind == entry.kind);
            if selected.is_none() {
                return Some(Refusal::new(
                    format!("no {} is selected", entry.kind),
                    "select one in its pane",
                ));
            }
            if picture.wanted.selected != selected {
                return Some(Refusal::new("the row is being looked at", "a moment"));
            }
            let possible = picture
                .possible
                .iter()
                .find(|possible| possible.entry.verb == entry.verb);
            return possible.and_then(|possible| possible.refusal.clone());
        }
        None
    }

    fn say_why_not(&mut self) {
        if let Some(Dialog {
            stage: Stage::Refused(refusal),
            ..
        }) = &self.dialog
        {
            let refusal = refusal.clone();
            self.refuse(&refusal);
            self.dialog = None;
        }
    }

    fn done(&mut self, ticket: &str, outcome: Outcome, effects: &mut Vec<Effect>) {
        let verb = self
            .dialog
            .as_ref()
            .map_or("request", |dialog| dialog.entry.verb);
        match &outcome {
            Outcome::Done(sealed) => {
                if verb == super::ARM {
                    self.arming.arm(self.at);
                }
                self.say(
                    Token::StatusOk,
                    format!("{verb}: ledger entry {}", sealed.seq),
                );
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

    fn verified(&mut self, result: Result<Report, crate::store::StoreError>) {
        self.verified = Some(match result {
            Ok(report) => {
                let (token, said) = match report.findings.len() {
                    0 => (
                        Token::StatusOk,
                        format!(
                            "the ledger verifies: {} entries, {} rows",
                            report.entries, report.rows
                        ),
                    ),
                    count => (
                        Token::StatusDanger,
                        format!("the ledger does NOT verify: {count} findings"),
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

    fn see(&mut self, sight: Sight, effects: &mut Vec<Effect>) {
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
            self.picture = sight.picture;
            self.picture_at = self.link.heard.unwrap_or(self.at).min(self.at);
            self.settle_lists();
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

    fn settle_lists(&mut self) {
        let Some(picture) = self.picture.clone() else {
            return;
        };
        if picture.wanted.pane == PaneId::Blocks && picture.wanted.blocks == self.blocks.look {
            self.blocks.settle(&picture.blocks);
        }
        if picture.wanted.pane == PaneId::Ledger && picture.wanted.entries == self.entries.look {
            self.entries.settle(&picture.entries);
        }
        self.home = self.home.min(home::items(self).len().saturating_sub(1));
        if self.last_looked.is_none() {
            self.last_looked = Some(picture.head.seq);
        }
    }

    fn tick(&mut self, effects: &mut Vec<Effect>) {
        self.redraw = true;
        if let Some(dialog) = &mut self.dialog {
            let step = dialog.tick(self.at);
            self.follow(step, effects);
        }
        if self.arming.is_over(self.at) {
            self.arming.disarm();
            self.say(
                Token::StatusWarn,
                "disarmed: the armed time is over".to_owned(),
            );
            effects.push(Effect::Disarm);
        }
    }

    /// Returns when something changes by itself; none when nothing does.
    #[must_use]
    pub fn wakes_at(&self) -> Option<Instant> {
        let second = Duration::from_secs(1);
        let counting = self.counts().then(|| self.at + self.until_next(second));
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
        Duration::from_micros(u64::try_from(rest).unwrap_or(0) + 1_000)
    }

    /// Tells whether seconds are shown: a timer is on the screen, or this console is armed.
    #[must_use]
    pub fn counts(&self) -> bool {
        self.arming.left(self.at).is_some() || super::panes::counts(self)
    }

    /// Returns the database's time, counted on from the picture.
    #[must_use]
    pub fn now(&self) -> Option<Moment> {
        let picture = self.picture.as_ref()?;
        let since = self.at.saturating_duration_since(self.picture_at);
        Some(picture.now.plus(since))
    }

    /// Tells how fresh the picture is.
    #[must_use]
    pub fn liveness(&self) -> Liveness {
        self.link.liveness(self.at)
    }

    /// Returns the row whose detail is shown: its kind and its id.
    #[must_use]
    pub fn selected(&self) -> Option<(&'static str, String)> {
        match self.pane {
            PaneId::Home => home::items(self)
                .get(self.home)
                .and_then(home::Item::subject),
            PaneId::Blocks => {
                let picture = self.picture.as_ref()?;
                // A row that is gone can be seen, but nothing is done with it.
                self.blocks.position(&picture.blocks)?;
                self.blocks.selected.clone().map(|id| ("block", id))
            }
            PaneId::Ledger => self.entries.selected.clone().map(|id| ("entry", id)),
        }
    }

    fn wants(&self) -> Wanted {
        Wanted {
            pane: self.pane,
            blocks: self.blocks.look.clone(),
            entries: self.entries.look.clone(),
            selected: self.selected(),
            last_looked: self.last_looked,
        }
    }

    /// Returns the filter line that is being typed.
    #[must_use]
    pub fn typing(&self) -> Option<&super::form::Line> {
        match self.pane {
            PaneId::Home => None,
            PaneId::Blocks => self.blocks.typing.as_ref(),
            PaneId::Ledger => self.entries.typing.as_ref(),
        }
    }

    pub(super) fn typing_mut(&mut self) -> Option<&mut super::form::Line> {
        match self.pane {
            PaneId::Home => None,
            PaneId::Blocks => self.blocks.typing.as_mut(),
            PaneId::Ledger => self.entries.typing.as_mut(),
        }
    }

    /// Returns the fields that a filter of the open pane may name.
    #[must_use]
    pub fn filter_fields(&self) -> &'static [&'static str] {
        match self.pane {
            PaneId::Home => &[],
            PaneId::Blocks => BLOCK_FIELDS,
            PaneId::Ledger => LEDGER_FIELDS,
        }
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
        self.say(
            Token::StatusWarn,
            format!("{} ({})", refusal.sentence, refusal.hint),
        );
    }

    /// Notes that somebody asked to leave; tells whether they did so a moment ago.
    pub(super) fn asks_to_leave_again(&mut self) -> bool {
        let again = self.asked_to_leave.is_some_and(|before| {
            self.at.saturating_duration_since(before) < Duration::from_secs(3)
        });
        self.asked_to_leave = Some(self.at);
        again
    }

    /// Asks an action on behalf of the palette or the action box.
    #[must_use]
    pub fn asked_of(&self, entry: &Entry) -> Option<Asked> {
        self.selected()
            .filter(|(kind, _)| *kind == entry.kind)
            .map(|(_, id)| Asked::of(id))
    }
}
