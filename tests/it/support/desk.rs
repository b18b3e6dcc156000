//! A desk: a whole console over a real world, without a terminal and without a clock of its own. Whoever sits there
//! presses keys, waits, and looks at the screen; what the console asks for is done before the next key.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossterm::event::{Event as Input, KeyEvent, KeyModifiers};
use govdeck::actions::{self, ByRule, Outcome, Request};
use govdeck::console::event::{Effect, Event, Sight};
use govdeck::console::keymap::Keymap;
use govdeck::console::live::Link;
use govdeck::console::model::{Model, Start};
use govdeck::console::picture::{self, Picture, Wanted};
use govdeck::console::screen;
use govdeck::console::stroke::{Stroke, chord};
use govdeck::console::theme::{Depth, Theme};
use govdeck::console::ui::Glyphs;
use govdeck::settings::Dsn;
use govdeck::store::{Access, Failure, OsAccount, Sealed, Store, StoreError, verify};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::World;

/// How long people take from one key to the next.
const BETWEEN_KEYS: u64 = 200;

/// How the link to the database stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cable {
    /// The database answers.
    Whole,
    /// It says nothing.
    Silent,
}

/// Where answers stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answers {
    /// They come at once.
    Come,
    /// Requests wait until they are let go.
    Wait,
}

/// A whole console over a world.
pub struct Desk {
    /// The console.
    pub model: Model,
    /// What it asked of the terminal, in order.
    pub told: Vec<Effect>,
    /// What it wants to see.
    pub wanted: Wanted,
    /// Whether requests are carried out at once.
    pub answers: Answers,
    /// Whether the database is heard.
    pub cable: Cable,
    /// How often the database was looked at.
    pub looks: u32,
    /// Requests that wait.
    pub waiting: Vec<Request>,
    at: Instant,
    sight: Sight,
    store: Store,
    armed: Option<Store>,
    dsn: Dsn,
    account: OsAccount,
}

/// What consoles in stories start with.
pub fn start(console_id: &str) -> Start {
    Start {
        keymap: Keymap::standard().expect("the table holds"),
        theme: Theme::built_in("dark").expect("a theme"),
        depth: Depth::True,
        themes_folder: None,
        console_id: console_id.to_owned(),
        glyphs: Glyphs::Lines,
        place: "sqlite:world.db".to_owned(),
        signing: govdeck::actions::Signing::Without,
        way: picture::Way::Direct,
        elsewhere: None,
    }
}

impl Desk {
    /// Sits a person down, with the first picture on the screen.
    pub async fn open(world: &World, person: &str) -> Self {
        let mut desk = Self::loading(world, person).await;
        desk.see().await;
        desk
    }

    /// Sits a person down before the first picture has come.
    pub async fn loading(world: &World, person: &str) -> Self {
        let (dsn, account) = (world.dsn(person), World::account(person));
        let store = Store::open(&dsn, account.clone(), Access::Read)
            .await
            .expect("the store opens");
        let at = Instant::now();
        let start = start(&format!("{person:0<16}"));
        let model = Model::new(start, (80, 24), None, at);
        Self {
            wanted: model.wanted(),
            model,
            told: Vec::new(),
            answers: Answers::Come,
            cable: Cable::Whole,
            looks: 0,
            waiting: Vec::new(),
            at,
            sight: Sight::default(),
            store,
            armed: None,
            dsn,
            account,
        }
    }

    /// Looks at the database and shows what is there now.
    pub async fn see(&mut self) {
        if let Some(event) = self.look().await {
            self.happen(event).await;
        }
    }

    /// Breaks the link, for a reason.
    pub async fn lose(&mut self, why: &str) {
        self.cable = Cable::Silent;
        self.sight.link.trouble = Some((why.to_owned(), "wait".to_owned()));
        self.happen(Event::Sight(self.sight.clone())).await;
    }

    /// Brings the link back.
    pub async fn mend(&mut self) {
        self.cable = Cable::Whole;
        self.see().await;
    }

    async fn look(&mut self) -> Option<Event> {
        if self.cable == Cable::Silent {
            return None;
        }
        let picture = self.picture().await;
        // What took real time must not leave the desk's clock behind: it would stand still until it has caught up.
        self.at = self.at.max(picture.at);
        self.looks += 1;
        self.sight.picture = Some(Arc::new(picture));
        Some(self.heartbeat())
    }

    /// Takes a picture of what the console wants to see.
    pub async fn picture(&self) -> Picture {
        let picture = Box::pin(picture::take(&self.store, &self.wanted)).await;
        picture.expect("a picture")
    }

    fn heartbeat(&mut self) -> Event {
        self.sight.link = Link {
            heard: Some(self.at),
            trouble: None,
            source: "notify",
        };
        Event::Sight(self.sight.clone())
    }

    /// Lets time go by: the console wakes when it asked for it, the database is heard every second.
    pub async fn wait(&mut self, milliseconds: u64) {
        let end = self.at + Duration::from_millis(milliseconds);
        loop {
            let beat = self.sight.link.heard.filter(|_| self.cable == Cable::Whole);
            let beat = beat.map(|heard| heard + Duration::from_secs(1));
            let tick = self.model.wakes_at();
            let Some(next) = [beat, tick].into_iter().flatten().min() else {
                break;
            };
            if next > end {
                break;
            }
            // A console that asks to be woken in the past would spin.
            self.at = next.max(self.at + Duration::from_micros(100)).min(end);
            let event = if beat == Some(next) {
                self.heartbeat()
            } else {
                Event::Tick
            };
            let stuck = self.at == end;
            self.happen(event).await;
            if stuck {
                break;
            }
        }
        self.at = end;
        // Whoever reads the model now reads it at this moment.
        self.happen(Event::Tick).await;
    }

    /// Presses keys as people do, one after the other: `4 j a t`.
    pub async fn press(&mut self, keys: &str) {
        for stroke in chord(keys).expect("keys") {
            self.wait(BETWEEN_KEYS).await;
            self.strike(stroke).await;
        }
    }

    /// Types a text as people do, a letter after the other.
    pub async fn write(&mut self, text: &str) {
        self.letters(text, BETWEEN_KEYS).await;
    }

    /// Types a text faster than people do, as a paste without brackets and a key that is held down arrive.
    pub async fn burst(&mut self, text: &str, milliseconds: u64) {
        self.letters(text, milliseconds).await;
    }

    async fn letters(&mut self, text: &str, milliseconds: u64) {
        for letter in text.chars() {
            self.wait(milliseconds).await;
            let stroke = Stroke {
                code: match letter {
                    '\n' => crossterm::event::KeyCode::Enter,
                    letter => crossterm::event::KeyCode::Char(letter),
                },
                control: false,
            };
            self.strike(stroke).await;
        }
    }

    async fn strike(&mut self, stroke: Stroke) {
        let modifiers = if stroke.control {
            KeyModifiers::CONTROL
        } else {
            KeyModifiers::NONE
        };
        let key = KeyEvent::new(stroke.code, modifiers);
        self.happen(Event::Input(Input::Key(key))).await;
    }

    /// Pastes a text.
    pub async fn paste(&mut self, text: &str) {
        self.happen(Event::Input(Input::Paste(text.to_owned())))
            .await;
    }

    /// Says yes to a plain dialog: waits until keys count, presses, and lets the key stand alone.
    pub async fn say_yes(&mut self) {
        self.wait(500).await;
        self.press("y").await;
        self.wait(100).await;
    }

    /// Begins an action through the palette, wherever it belongs.
    pub async fn choose(&mut self, verb: &str) {
        self.press(":").await;
        self.write(verb).await;
        self.press("enter").await;
    }

    /// Arms this console.
    pub async fn arm(&mut self) {
        self.press("a a").await;
        self.say_yes().await;
        self.press("esc").await;
        assert!(
            self.model.arming.left(self.at).is_some(),
            "{}",
            self.screen(80, 24)
        );
    }

    /// Lets an event happen, and does all that the console asks for.
    pub async fn happen(&mut self, event: Event) {
        let mut events = VecDeque::from([event]);
        let mut count = 0;
        while let Some(event) = events.pop_front() {
            for effect in self.model.update(event, self.at) {
                let answer = self.perform(effect).await;
                events.extend(answer);
            }
            count += 1;
            assert!(count < 100, "the console never comes to rest");
        }
    }

    async fn perform(&mut self, effect: Effect) -> Option<Event> {
        match effect {
            Effect::Want(wanted) => {
                self.wanted = *wanted;
                self.look().await
            }
            Effect::Refresh => self.look().await,
            Effect::Plan { id, verb, asked } => {
                let mut view = self.store.view().await.expect("a view");
                let planned = actions::propose(&mut view, verb, asked).await;
                Some(Event::Planned(id, Box::new(planned)))
            }
            Effect::Submit(request) if self.answers == Answers::Wait => {
                self.waiting.push(*request);
                None
            }
            Effect::Submit(request) => {
                let ticket = request.ticket().to_owned();
                let outcome = self.carry_out(*request).await;
                Some(Event::Done(ticket, Box::new(outcome)))
            }
            Effect::Disarm => {
                let store = self.armed.take()?;
                let console = self.model.start.console_id.clone();
                let request = Request::by_rule(ByRule::Disarm { console }).expect("a request");
                let outcome = actions::carry_out(&store, request).await;
                // There is nothing to be disarmed when the armed time is over in the database too.
                let ended = matches!(outcome, Outcome::Done(_) | Outcome::Refused(_));
                assert!(ended, "{outcome:?}");
                store.close().await;
                Some(Event::Disarmed)
            }
            Effect::EndProposal(ticket) => {
                let store = self
                    .armed
                    .as_ref()
                    .expect("only an armed console asks for it");
                actions::end_if_over(store, ticket).await;
                self.look().await
            }
            Effect::Verify => {
                let mut view = self.store.view().await.expect("a view");
                let verified = verify::verify(&mut view, None).await;
                Some(Event::Verified(Box::new(verified)))
            }
            told => {
                self.told.push(told);
                None
            }
        }
    }

    async fn carry_out(&mut self, request: Request) -> Outcome {
        let arms = request.verb() == "arm_console";
        let store = match &self.armed {
            Some(store) => store.clone(),
            None => self.writing_store().await,
        };
        let outcome = actions::carry_out(&store, request).await;
        if arms && matches!(outcome, Outcome::Done(_)) {
            self.armed = Some(store);
        } else if self.armed.is_none() {
            store.close().await;
        }
        outcome
    }

    async fn writing_store(&self) -> Store {
        Store::open(&self.dsn, self.account.clone(), Access::Write)
            .await
            .expect("the store opens for writing")
    }

    /// Carries out the request that waits, and brings its answer.
    pub async fn answer(&mut self) {
        let request = self.waiting.remove(0);
        let ticket = request.ticket().to_owned();
        let outcome = self.carry_out(request).await;
        self.happen(Event::Done(ticket, Box::new(outcome))).await;
    }

    /// Lets the request that waits come to an end of which the console hears nothing; returns its ticket.
    pub async fn lose_answer(&mut self, written: Written) -> String {
        let request = self.waiting.remove(0);
        let ticket = request.ticket().to_owned();
        if written == Written::Yes {
            super::sealed(self.carry_out(request).await);
        }
        let cause = StoreError::new(Failure::Unreachable, "the wire broke", "look the ticket up");
        let outcome = Outcome::Unknown {
            ticket: ticket.clone(),
            cause,
        };
        self.happen(Event::Done(ticket.clone(), Box::new(outcome)))
            .await;
        ticket
    }

    /// Asks the ledger what became of a ticket.
    pub async fn resolve(&mut self, ticket: &str) {
        let store = self.writing_store().await;
        let found = store.resolve(ticket).await.expect("the ledger answers");
        store.close().await;
        let event = Event::Resolved(ticket.to_owned(), found.map(Sealed::from));
        self.happen(event).await;
    }

    /// Returns the time at this desk.
    pub fn at(&self) -> Instant {
        self.at
    }

    /// Returns what was put into the clipboard last.
    pub fn copied(&self) -> Option<&str> {
        self.told.iter().rev().find_map(|effect| match effect {
            Effect::Copy(text) => Some(text.as_str()),
            _ => None,
        })
    }

    /// Tells whether the console was left.
    pub fn has_left(&self) -> bool {
        self.told
            .iter()
            .any(|effect| matches!(effect, Effect::Quit))
    }

    /// Returns what the status line says.
    pub fn says(&self) -> &str {
        self.model
            .status
            .as_ref()
            .map_or("", |said| said.text.as_str())
    }

    /// Draws the screen.
    pub fn screen(&self, width: u16, height: u16) -> String {
        text_of(&drawn(&self.model, width, height))
    }

    /// Asserts that the screen holds all of the texts.
    #[track_caller]
    pub fn shows(&self, texts: &[&str]) {
        let screen = self.screen(100, 40);
        for text in texts {
            assert!(screen.contains(text), "no {text:?} in\n{screen}");
        }
    }

    /// Asserts that the screen holds none of the texts.
    #[track_caller]
    pub fn hides(&self, texts: &[&str]) {
        let screen = self.screen(100, 40);
        for text in texts {
            assert!(!screen.contains(text), "{text:?} in\n{screen}");
        }
    }
}

/// Whether a request whose answer is lost was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    Yes,
    No,
}

/// Draws a console.
pub fn drawn(model: &Model, width: u16, height: u16) -> Buffer {
    let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
    screen::draw(model, &mut buffer);
    buffer
}

/// Writes what a screen shows as text, without the blanks at the ends of lines.
pub fn text_of(buffer: &Buffer) -> String {
    govdeck::console::drawn::text(buffer).join("\n") + "\n"
}
