//! What comes from the person: keys, pastes, and actions that begin.

use crossterm::event::{Event as Input, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use crate::actions::{ENTRIES, Entry, Subject};
use crate::rules::guard::Level;
use crate::rules::people::Actor;
use crate::rules::{Refusal, approval};

use super::super::dialog::{Dialog, Stage, Step};
use super::super::event::Effect;
use super::super::guard_box;
use super::super::keymap::{Intent, Meaning};
use super::super::live::Liveness;
use super::super::overlay::Overlay;
use super::super::picture::{Picture, Possible};
use super::super::screen::has_room;
use super::super::stroke::{Stroke, written};
use super::super::theme::Token;
use super::super::topics::{Named, topic};
use super::{APPROVAL, Model, Sent};

/// Tells whether somebody holds a role for an action.
fn is_open_to(entry: &Entry, actor: &Actor) -> bool {
    entry.roles.is_empty() || actor.holds_one_of(entry.roles)
}

impl Model {
    /// Tells whether whoever is at the keys holds a role for an action, armed or not.
    #[must_use]
    pub fn is_open(&self, entry: &Entry) -> bool {
        let actor = self.picture.as_ref().and_then(|it| it.actor.as_ref());
        actor.is_some_and(|actor| is_open_to(entry, actor))
    }

    pub(in crate::console) fn input(&mut self, input: Input, effects: &mut Vec<Effect>) {
        match input {
            Input::Key(key) if key.kind == KeyEventKind::Press => {
                self.arming.touch(self.at);
                self.key(&key, effects);
            }
            Input::Paste(text) => self.paste(&text),
            Input::Resize(width, height) => {
                self.size = (width, height);
                if let Some(dialog) = &mut self.dialog {
                    dialog.shown_anew(self.at);
                }
            }
            Input::Mouse(mouse) => self.mouse_event(mouse),
            _ => self.redraw = false,
        }
    }

    fn key(&mut self, key: &KeyEvent, effects: &mut Vec<Effect>) {
        let Some(stroke) = Stroke::of(key) else {
            return self.foreign_key(key, effects);
        };
        if let Some(dialog) = &mut self.dialog {
            // Nobody confirms what the window is too small to show.
            let leaves = stroke.code == KeyCode::Esc || stroke == Stroke::CTRL_C;
            let is_seen = has_room(self.size) && guard_box::has_room(dialog, self.size);
            if !is_seen && !leaves {
                return;
            }
            let step = dialog.press(key, self.at);
            return self.follow(step, effects);
        }
        if self.overlay.is_some() {
            return self.press_overlay(stroke, effects);
        }
        if self.typing().is_some() {
            return self.press_filter(stroke);
        }
        if let Some(intent) = self.chord(stroke) {
            self.status = None;
            self.intend(intent, effects);
        }
    }

    /// Takes a key that is none of the console's.
    fn foreign_key(&mut self, key: &KeyEvent, effects: &mut Vec<Effect>) {
        if let Some(dialog) = &mut self.dialog {
            let step = dialog.press_foreign(key, self.at);
            return self.follow(step, effects);
        }
        let is_open = self.overlay.is_some() || self.typing().is_some() || !self.pending.is_empty();
        if is_open && key.modifiers.contains(KeyModifiers::ALT) {
            // Escape and a character behind it arrive together as one key with alt: the escape is what counts.
            return self.key(&KeyEvent::new(KeyCode::Esc, KeyModifiers::NONE), effects);
        }
        let help = self.start.keymap.hint(Intent::Help);
        self.say_quietly(format!(
            "keys with alt mean nothing here; {help} lists the keys"
        ));
    }

    /// Takes one more stroke; says what was meant as soon as that is plain.
    pub(in crate::console) fn chord(&mut self, stroke: Stroke) -> Option<Intent> {
        self.pending.push(stroke);
        let meaning = self.start.keymap.meaning(&self.pending, self.pane);
        if meaning == Meaning::Begins {
            return None;
        }
        let typed = std::mem::take(&mut self.pending);
        match meaning {
            Meaning::Is(intent) => return Some(intent),
            Meaning::Nothing => {
                let (typed, help) = (written(&typed), self.start.keymap.hint(Intent::Help));
                self.say_quietly(format!("{typed} means nothing here; {help} lists the keys"));
            }
            Meaning::Begins | Meaning::Forgets => {}
        }
        None
    }

    fn paste(&mut self, text: &str) {
        if let Some(dialog) = &mut self.dialog {
            let step = dialog.paste(text, self.at);
            return self.follow(step, &mut Vec::new());
        }
        let no_overlay = self.overlay.is_none();
        if let Some(Overlay::Palette(palette)) = &mut self.overlay {
            palette.line.insert(text.trim_end());
        } else if let (Some(line), true) = (
            self.list_mut().and_then(|list| list.typing_mut()),
            no_overlay,
        ) {
            line.insert(text.trim_end());
        } else {
            self.say(
                Token::StatusWarn,
                "a paste outside a text field was dropped".to_owned(),
            );
        }
    }

    /// Does what the dialog's last step asks for.
    pub(in crate::console) fn follow(&mut self, step: Step, effects: &mut Vec<Effect>) {
        match step {
            Step::Stay => {}
            Step::Close => {
                if let Some(Dialog {
                    stage: Stage::Waiting { .. } | Stage::Unknown { .. },
                    ..
                }) = &self.dialog
                {
                    let messages = self.start.keymap.hint(Intent::Messages);
                    self.say(
                        Token::StatusPending,
                        format!("the request goes on; {messages} shows what became of it"),
                    );
                }
                self.dialog = None;
            }
            Step::Plan => self.plan(effects),
            Step::Submit(request) => {
                let sent = Sent {
                    verb: request.verb(),
                    subject: request.subject().to_owned(),
                    waits: request.waits_until(),
                };
                self.sent.insert(request.ticket().to_owned(), sent);
                effects.push(Effect::Submit(request));
            }
            Step::Edit(text) => effects.push(Effect::Edit(text)),
            Step::Say(text) => self.say_quietly(text),
        }
    }

    pub(in crate::console) fn plan(&mut self, effects: &mut Vec<Effect>) {
        if let Some(dialog) = &self.dialog {
            effects.push(Effect::Plan {
                id: dialog.id,
                verb: dialog.entry.verb,
                asked: dialog.asked.clone(),
            });
        }
    }

    /// Opens an action's dialog, unless it is plain that it cannot be done.
    pub(in crate::console) fn act(&mut self, entry: &'static Entry, effects: &mut Vec<Effect>) {
        if let Some(refusal) = self.why_not(entry) {
            self.lets_end(self.meets_ended(entry), effects);
            return self.refuse(&refusal);
        }
        let target = match entry.kind {
            "console" => Some(self.start.console_id.clone()),
            _ if entry.subject == Subject::New => None,
            kind => self
                .about()
                .filter(|(about, _)| *about == kind)
                .map(|(_, id)| id),
        };
        self.next_id += 1;
        let offer = self.offered(entry).filter(|_| target.is_some());
        let mut dialog = Dialog::open(entry, self.next_id, target, self.at);
        if let Some((field, word)) = offer {
            dialog.offer(field, &word);
        }
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
        let picture = match self.not_now(entry) {
            Ok(picture) => picture,
            Err(refusal) => return Some(refusal),
        };
        self.not_here(entry, picture)
            .or_else(|| self.not_armed(entry))
    }

    /// Says why an action cannot be begun on what is selected.
    fn not_here(&self, entry: &Entry, picture: &Picture) -> Option<Refusal> {
        let topic = topic(entry.kind).filter(|topic| topic.named == Named::Selected);
        if let Some(topic) = topic {
            let about = self.about().filter(|(kind, _)| *kind == entry.kind);
            if about.is_none() && !entry.fields.is_empty() {
                // Its id is typed, like its other words.
                return None;
            }
            if about.is_none() {
                let pane = topic.panes.last().copied().unwrap_or_default();
                let keys = self.start.keymap.hint(pane.intent());
                return Some(Refusal::new(
                    format!("no {} is selected", entry.kind),
                    format!("select one in {pane}: {keys}"),
                ));
            }
            if picture.wanted.about != about {
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

    /// Returns the ticket of the selected proposal, if an action would answer it and nobody can any more.
    fn meets_ended(&self, entry: &Entry) -> Option<String> {
        let picture = self.picture.as_ref()?;
        let (_, ticket) = self.about().filter(|(kind, _)| *kind == APPROVAL)?;
        let mut possible = picture.possible.iter();
        let answer = possible.find(|possible| possible.entry.verb == entry.verb)?;
        approval::is_over(&answer.conditions).then_some(ticket)
    }

    /// Returns the field of an action on the selected row, and the word that is offered for it.
    fn offered(&self, entry: &Entry) -> Option<(&'static str, String)> {
        let picture = self.picture.as_ref()?;
        let of_entry = |possible: &&Possible| possible.entry.verb == entry.verb;
        picture.possible.iter().find(of_entry)?.offer.clone()
    }

    /// Returns the picture that an action may be decided on, whatever it is about, or says why there is none.
    fn not_now(&self, entry: &Entry) -> Result<&Picture, Refusal> {
        if let Some(refusal) = self.not_in_the_past() {
            return Err(refusal);
        }
        let (Some(picture), Liveness::Live) = (&self.picture, self.liveness()) else {
            return Err(Refusal::new(
                "the picture is not fresh, so nothing is decided on it",
                "wait until the header says live",
            ));
        };
        if let Some(found) = picture.newer_schema {
            return Err(Refusal::new(
                format!("the database has schema {found}, newer than this program knows"),
                "use the newer govdeck",
            ));
        }
        let Some(actor) = &picture.actor else {
            return Err(Refusal::new(
                format!("the login {:?} belongs to no active person", picture.login),
                "a governance_lead can add you",
            ));
        };
        if !is_open_to(entry, actor) {
            let wanted: Vec<_> = entry.roles.iter().map(|role| role.word()).collect();
            return Err(Refusal::new(
                format!("{} does not hold {}", actor.person_id, wanted.join(" or ")),
                "ask somebody who does",
            ));
        }
        Ok(picture)
    }

    /// Says that an action asks for an armed console. It comes last: nobody is told to arm for what stays closed to them.
    pub(in crate::console) fn not_armed(&self, entry: &Entry) -> Option<Refusal> {
        if entry.level < Level::Review || self.arming.left(self.at).is_some() {
            return None;
        }
        let arm = ENTRIES.iter().find(|entry| entry.verb == super::super::ARM);
        let keys = arm.map_or_else(String::new, |arm| self.start.keymap.action(arm));
        Some(Refusal::new(
            "this console is read-only",
            format!("arm it first: {keys}"),
        ))
    }

    /// Keeps the open dialog from confirming what could not be begun now.
    pub(super) fn bar_dialog(&mut self) {
        let Some(entry) = self.dialog.as_ref().map(|dialog| dialog.entry) else {
            return;
        };
        let refusal = self.not_now(entry).err().or_else(|| self.not_armed(entry));
        let why = refusal.map(|refusal| format!("{} ({})", refusal.sentence, refusal.hint));
        if let Some(dialog) = &mut self.dialog {
            dialog.bar(why);
        }
    }

    pub(in crate::console) fn say_why_not(&mut self) {
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
}
