//! The loop: wait for something, let the model take it, do what it asks for, draw. No frame rate.

use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crossterm::event::Event as Input;
use nix::sys::signal::{Signal, raise};
use tokio::runtime;
use tokio::sync::mpsc;

use super::editor::{self, Draft};
use super::event::{Cause, Effect, Event};
use super::kept::{keep, remembered};
use super::keys::{Came, Keys};
use super::link::{Address, FirstLook, Limits, Link, newest};
use super::model::{Model, Start};
use super::newcomer::Card;
use super::overlay::{Overlay, Text};
use super::panes::PaneId;
use super::screen;
use super::signals::{Signals, end_when_stuck, leads_session, watch_for_hang_up};
use super::stroke::Stroke;
use super::terminal::{self, Screen, Taken};
use crate::settings::Notices;

/// What a console is opened with.
#[derive(Debug)]
pub struct Opening {
    /// Where the database is and who asks.
    pub address: Address,
    /// The database on its way, where it is opened already.
    pub first_look: Option<FirstLook>,
    /// What the model starts with.
    pub start: Start,
    /// The file that keeps which entry was seen last; none when there is no place for it.
    pub last_looked: Option<PathBuf>,
    /// The file that says that the card for a newcomer was read; none where nobody is taken for one.
    pub card_read: Option<PathBuf>,
    /// The editor for long reasons, from the environment.
    pub editor: Option<String>,
    /// Whether this runs inside tmux.
    pub inside_tmux: bool,
    /// Whether the terminal shows what the bell rings for.
    pub notices: Notices,
    /// What is said to a newcomer before anything else.
    pub welcome: Option<Text>,
    /// The pane that is shown first.
    pub first: PaneId,
}

/// How the console ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Somebody left.
    Left,
    /// There is no terminal to draw on.
    NoTerminal,
    /// The terminal went away or a signal came.
    Stopped(Cause),
}

/// What is left when the console has ended.
#[derive(Debug)]
pub struct Ended {
    /// How it ended.
    pub ending: Ending,
    /// The requests whose outcome nobody knows: action and ticket.
    pub unresolved: Vec<(&'static str, String)>,
    /// The bundle whose run was left under way.
    pub left: Option<String>,
}

impl From<Ending> for Ended {
    fn from(ending: Ending) -> Self {
        Self {
            ending,
            unresolved: Vec::new(),
            left: None,
        }
    }
}

/// How long the last words may take when the system wants an end.
const SHORT_FAREWELL: Duration = Duration::from_secs(2);

/// How often a run is looked at when the console waits for nothing else.
const SECOND: Duration = Duration::from_secs(1);

/// How long the loop may take to hear that the system wants an end; more than its last words take.
const STUCK: Duration = Duration::from_secs(3);

/// Opens the console and runs it to its end.
///
/// The loop has this thread for itself and waits here for keys; everything behind the link runs elsewhere.
pub fn run(opening: Opening, elsewhere: &runtime::Handle) -> io::Result<Ended> {
    if !terminal::is_there() {
        return Ok(Ending::NoTerminal.into());
    }
    let here = runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    here.block_on(run_here(opening, elsewhere))
}

async fn run_here(opening: Opening, elsewhere: &runtime::Handle) -> io::Result<Ended> {
    let _taken = Taken::take("govdeck")?;
    let mut shell = Shell::start(opening, elsewhere)?;
    let ending = match shell.run().await {
        Err(error) if terminal::is_gone(&error) => Ok(Ending::Stopped(Cause::HungUp)),
        ending => ending,
    };
    shell.remember();
    shell.take_leave(ending.as_ref().ok().copied()).await;
    let unresolved = shell.model.unresolved();
    let under_way = shell.model.under_way();
    let left = under_way.map(|run| run.migration_id.clone()).or(shell.left);
    ending.map(|ending| Ended {
        ending,
        unresolved,
        left,
    })
}

/// Waits for a key; tells whether it leaves a run under way to itself.
async fn leaves_it(keys: Option<&mut Keys>) -> bool {
    let Some(keys) = keys else {
        return std::future::pending().await;
    };
    match keys.next().await {
        Ok(Some((Input::Key(key), _))) => Stroke::of(&key) == Some(Stroke::CTRL_C),
        Ok(Some(_)) => false,
        // Without keys nobody can leave any more.
        Ok(None) | Err(_) => true,
    }
}

struct Shell {
    model: Model,
    link: Link,
    screen: Screen,
    keys: Option<Keys>,
    signals: Signals,
    stops: mpsc::UnboundedReceiver<Cause>,
    ended: Option<Ending>,
    /// The bundle whose run was claimed while the console was left.
    left: Option<String>,
    last_looked: Option<PathBuf>,
    card_read: Option<PathBuf>,
    editor: Option<String>,
    inside_tmux: bool,
    notices: Notices,
}

impl Shell {
    fn start(opening: Opening, elsewhere: &runtime::Handle) -> io::Result<Self> {
        let mut screen = terminal::screen()?;
        terminal::clear(&mut screen)?;
        let size = screen.size()?;
        let last_looked = opening.last_looked.as_deref().and_then(remembered);
        let mut model = Model::new(
            opening.start,
            (size.width, size.height),
            last_looked,
            Instant::now(),
        );
        model.go(opening.first);
        model.overlay = opening.welcome.map(Overlay::Text);
        if opening.card_read.as_ref().is_some_and(|it| !it.exists()) {
            model.card = Card::Shown;
        }
        let (stop, stops) = mpsc::unbounded_channel();
        watch_for_hang_up(stop, STUCK);
        elsewhere.spawn(end_when_stuck(STUCK));
        let address = (opening.address, opening.first_look);
        let mut shell = Self {
            link: Link::start(elsewhere, address, model.wanted(), Limits::default()),
            model,
            screen,
            keys: None,
            signals: Signals::listen()?,
            stops,
            ended: None,
            left: None,
            last_looked: opening.last_looked,
            card_read: opening.card_read,
            editor: opening.editor,
            inside_tmux: opening.inside_tmux,
            notices: opening.notices,
        };
        shell.draw()?;
        terminal::forget_typed();
        shell.keys = Some(Keys::listen()?);
        Ok(shell)
    }

    async fn run(&mut self) -> io::Result<Ending> {
        loop {
            if self.model.take_redraw() {
                self.draw()?;
            }
            let next = self.next().await;
            self.model.hear(self.link.heard());
            let is_early = self.model.wakes_at().is_none_or(|at| Instant::now() < at);
            let mut happened = match next {
                Event::Tick if is_early => continue,
                next => Some(next),
            };
            while let Some(event) = happened.take() {
                match event {
                    Event::Stop(cause) => return Ok(Ending::Stopped(cause)),
                    Event::Input(Input::Resize(..)) => terminal::clear(&mut self.screen)?,
                    _ => {}
                }
                let effects = self.model.update(event, Instant::now());
                // Whoever reads or writes the database needs a core too: what a key changes is shown before they wake.
                if effects.iter().all(Effect::is_for_the_link) && self.model.take_redraw() {
                    self.draw()?;
                }
                for effect in effects {
                    if let Some(event) = self.perform(effect).await? {
                        happened = Some(event);
                    }
                }
            }
            if let Some(ending) = self.ended {
                return Ok(ending);
            }
        }
    }

    /// Waits for whatever comes first; nothing here waits for the database.
    async fn next(&mut self) -> Event {
        let wakes_at = self.model.wakes_at();
        let tick = async {
            match wakes_at {
                Some(at) => tokio::time::sleep_until(at.into()).await,
                None => std::future::pending().await,
            }
        };
        let key = async {
            match &mut self.keys {
                Some(keys) => keys.next().await,
                None => Ok(None),
            }
        };
        tokio::select! {
            biased;
            cause = self.stops.recv() => Event::Stop(cause.unwrap_or(Cause::HungUp)),
            cause = Signals::ending(&mut self.signals.ends) => Event::Stop(cause),
            _ = self.signals.sleep.recv() => { self.sleep().await; Event::Awake }
            _ = self.signals.wake.recv() => { self.awake(); Event::Awake }
            input = key => match input {
                Ok(Some((Input::Key(key), Came::Before))) => Event::TypedAhead(key),
                Ok(Some((input, _))) => Event::Input(input),
                // Without keys nobody can leave any more.
                Ok(None) | Err(_) => Event::Stop(Cause::HungUp),
            },
            Some(answer) = self.link.answers.recv() => {
                self.keys.iter_mut().for_each(Keys::shown_anew);
                answer
            }
            Some(running) = newest(&mut self.link.running) => Event::Run(Box::new(running)),
            Ok(()) = self.link.sight.changed() => Event::Sight(self.link.sight.borrow_and_update().clone()),
            () = tick => Event::Tick,
        }
    }

    /// Does what the model asks for; returns what happened by it.
    async fn perform(&mut self, effect: Effect) -> io::Result<Option<Event>> {
        match effect {
            Effect::Want(wanted) => self.link.want(*wanted),
            Effect::Refresh => self.link.refresh(),
            Effect::Plan { id, verb, asked } => self.link.plan(id, verb, asked),
            Effect::Submit(request) => self.link.submit(request),
            Effect::Run {
                migration_id,
                work,
                claimed,
            } => self.link.run(migration_id, work, claimed),
            Effect::Disarm => self.link.disarm(),
            Effect::EndProposal(ticket) => self.link.end_proposal(ticket),
            Effect::Verify => self.link.verify(),
            Effect::Cite(cites) => self.link.cite(cites),
            Effect::FindWayBack(migration) => self.link.find_way_back(migration),
            Effect::Copy(text) => self.copy(&text),
            Effect::Edit(text) => return self.edit(&text).await,
            Effect::Mouse(mouse) => terminal::set_mouse(mouse)?,
            Effect::Bell(said) => terminal::ring(&said, self.notices, self.inside_tmux)?,
            Effect::KeepCardRead => keep(self.card_read.as_deref(), b""),
            Effect::Suspend if leads_session() => {
                let said = "there is no shell here that could wake the console".to_owned();
                return Ok(Some(Event::Trouble(said)));
            }
            Effect::Suspend => self.sleep().await,
            Effect::Quit => self.ended = Some(Ending::Left),
        }
        Ok(None)
    }

    /// Waits a moment for the outcome of what was sent, and for disarming; for a run of a bundle until it has ended, unless
    /// somebody or the system wants to leave it.
    async fn take_leave(&mut self, ending: Option<Ending>) {
        let patience = match ending {
            Some(Ending::Left) => Limits::default().farewell,
            _ => SHORT_FAREWELL,
        };
        let mut silence = std::pin::pin!(tokio::time::sleep(patience));
        let mut end = self.link.end();
        let mut has_ended = false;
        loop {
            let runs = ending == Some(Ending::Left) && self.model.under_way().is_some();
            if has_ended && !runs && self.model.unresolved().is_empty() {
                return;
            }
            self.model.say_farewell();
            if ending == Some(Ending::Left) && self.draw().is_err() {
                return;
            }
            tokio::select! {
                biased;
                _ = self.stops.recv() => return,
                _ = Signals::ending(&mut self.signals.ends) => return,
                leaves = leaves_it(self.keys.as_mut()), if runs => if leaves {
                    return;
                },
                Some(running) = newest(&mut self.link.running) => {
                    self.model.update(Event::Run(Box::new(running)), Instant::now());
                }
                () = tokio::time::sleep(SECOND), if runs => {
                    self.model.update(Event::Tick, Instant::now());
                }
                Some(answer) = self.link.answers.recv() => {
                    // Nothing that it would lead to is begun any more.
                    for effect in self.model.update(answer, Instant::now()) {
                        if let Effect::Run { migration_id, .. } = effect {
                            self.left = Some(migration_id);
                        }
                    }
                }
                _ = &mut end, if !has_ended => has_ended = true,
                () = &mut silence, if !runs => return,
            }
        }
    }

    fn draw(&mut self) -> io::Result<()> {
        let model = &self.model;
        self.screen
            .draw(|frame| screen::draw(model, frame.buffer_mut()))?;
        Ok(())
    }

    fn copy(&mut self, text: &str) {
        match terminal::copy(text, self.inside_tmux) {
            Ok(()) => self.model.say_quietly(format!("copied: {text}")),
            Err(_) => self.model.overlay = Some(Overlay::Clipboard(text.to_owned())),
        }
    }

    /// Gives the terminal back, sleeps until woken, and takes it again.
    async fn sleep(&mut self) {
        self.keys = None;
        let _ = terminal::give_back();
        // Stopping cannot be caught, so this returns when somebody continues us; that is a signal too, and is taken here,
        // lest it take the terminal a second time and the first keys with it.
        if raise(Signal::SIGSTOP).is_ok() {
            self.signals.wake.recv().await;
        }
        self.awake();
    }

    fn awake(&mut self) {
        self.keys = None;
        let _ = terminal::enter("govdeck");
        if self.model.mouse == super::event::Mouse::Console {
            let _ = terminal::set_mouse(self.model.mouse);
        }
        let _ = terminal::clear(&mut self.screen);
        self.keys = Keys::listen().ok();
    }

    /// Lets the person write a text in their editor, which has the terminal meanwhile.
    async fn edit(&mut self, text: &str) -> io::Result<Option<Event>> {
        let Some(editor) = &self.editor else {
            self.model
                .say_quietly("neither VISUAL nor EDITOR names an editor".to_owned());
            return Ok(None);
        };
        let file = match Draft::with(text) {
            Ok(file) => file,
            Err(error) => {
                let said = format!("the text cannot be given to an editor: {error}");
                return Ok(Some(Event::Trouble(said)));
            }
        };
        self.keys = None;
        terminal::give_back()?;
        let ran = editor::run(editor, file.path());
        // What the terminal's keys sent while the editor had them was meant for the editor.
        self.signals.forget_keys().await?;
        self.awake();
        Ok(Some(match ran {
            Ok(true) => Event::Edited(std::fs::read_to_string(file.path()).ok()),
            Ok(false) => Event::Trouble("the editor gave up; the reason is as before".to_owned()),
            Err(error) => Event::Trouble(format!("the editor cannot be started: {error}")),
        }))
    }

    /// Keeps which entry was seen last, for "since you last looked".
    fn remember(&self) {
        if let Some(picture) = &self.model.picture {
            let seq = picture.head.seq.to_string();
            keep(self.last_looked.as_deref(), seq.as_bytes());
        }
    }
}
