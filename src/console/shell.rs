//! The loop: wait for something, let the model take it, do what it asks for, draw. No frame rate.

use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::Instant;

use crossterm::event::EventStream;
use futures_util::StreamExt;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill, raise};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use tokio::signal::unix::{Signal as SignalStream, SignalKind, signal};
use tokio::sync::mpsc;

use super::event::{Cause, Effect, Event};
use super::link::{Address, Limits, Link};
use super::model::{Model, Start};
use super::overlay::{Overlay, Text};
use super::screen;
use super::terminal::{self, Screen, Taken};

/// What a console is opened with.
#[derive(Debug)]
pub struct Opening {
    /// Where the database is and who asks.
    pub address: Address,
    /// What the model starts with.
    pub start: Start,
    /// The file that keeps which entry was seen last; none when there is no place for it.
    pub last_looked: Option<PathBuf>,
    /// The editor for long reasons, from the environment.
    pub editor: Option<String>,
    /// Whether this runs inside tmux.
    pub inside_tmux: bool,
    /// What is said to a newcomer before anything else.
    pub welcome: Option<Text>,
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

/// Opens the console and runs it to its end.
pub async fn run(opening: Opening) -> io::Result<Ending> {
    if !terminal::is_there() {
        return Ok(Ending::NoTerminal);
    }
    let _taken = Taken::take("govdeck")?;
    let mut shell = Shell::start(opening)?;
    let ending = match shell.run().await {
        Err(error) if terminal::is_gone(&error) => Ok(Ending::Stopped(Cause::HungUp)),
        ending => ending,
    };
    shell.remember();
    let _ = tokio::time::timeout(Limits::default().farewell, shell.link.end()).await;
    ending
}

struct Shell {
    model: Model,
    link: Link,
    screen: Screen,
    keys: Option<EventStream>,
    signals: Signals,
    stops: mpsc::UnboundedReceiver<Cause>,
    ended: Option<Ending>,
    last_looked: Option<PathBuf>,
    editor: Option<String>,
    inside_tmux: bool,
}

struct Signals {
    ends: Vec<(i32, SignalStream)>,
    sleep: SignalStream,
    wake: SignalStream,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        let ends = [
            Signal::SIGTERM,
            Signal::SIGINT,
            Signal::SIGHUP,
            Signal::SIGQUIT,
        ]
        .map(|kind| {
            let number = kind as i32;
            signal(SignalKind::from_raw(number)).map(|stream| (number, stream))
        });
        Ok(Self {
            ends: ends.into_iter().collect::<io::Result<_>>()?,
            sleep: signal(SignalKind::from_raw(Signal::SIGTSTP as i32))?,
            wake: signal(SignalKind::from_raw(Signal::SIGCONT as i32))?,
        })
    }

    /// Forgets the signals that keys send, and what wakes from them.
    fn forget_keys(&mut self) -> io::Result<()> {
        for (number, stream) in &mut self.ends {
            if [Signal::SIGINT as i32, Signal::SIGQUIT as i32].contains(number) {
                *stream = signal(SignalKind::from_raw(*number))?;
            }
        }
        self.sleep = signal(SignalKind::from_raw(Signal::SIGTSTP as i32))?;
        self.wake = signal(SignalKind::from_raw(Signal::SIGCONT as i32))?;
        Ok(())
    }

    async fn ending(ends: &mut [(i32, SignalStream)]) -> Cause {
        let all = ends.iter_mut().map(|(number, stream)| {
            Box::pin(async move {
                stream.recv().await;
                Cause::Signal(*number)
            })
        });
        futures_util::future::select_all(all).await.0
    }
}

impl Shell {
    fn start(opening: Opening) -> io::Result<Self> {
        let mut screen = terminal::screen()?;
        let size = screen.size()?;
        let last_looked = opening.last_looked.as_deref().and_then(remembered);
        let mut model = Model::new(
            opening.start,
            (size.width, size.height),
            last_looked,
            Instant::now(),
        );
        model.overlay = opening.welcome.map(Overlay::Text);
        let (stop, stops) = mpsc::unbounded_channel();
        watch_for_hang_up(stop);
        let mut shell = Self {
            link: Link::start(opening.address, model.wanted(), Limits::default()),
            model,
            screen: {
                terminal::clear(&mut screen)?;
                screen
            },
            keys: None,
            signals: Signals::listen()?,
            stops,
            ended: None,
            last_looked: opening.last_looked,
            editor: opening.editor,
            inside_tmux: opening.inside_tmux,
        };
        shell.draw()?;
        terminal::forget_typed();
        shell.keys = Some(EventStream::new());
        Ok(shell)
    }

    async fn run(&mut self) -> io::Result<Ending> {
        loop {
            if self.model.take_redraw() {
                self.draw()?;
            }
            let mut happened = Some(self.next().await);
            while let Some(event) = happened.take() {
                if let Event::Stop(cause) = event {
                    return Ok(Ending::Stopped(cause));
                }
                for effect in self.model.update(event, Instant::now()) {
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
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            cause = self.stops.recv() => Event::Stop(cause.unwrap_or(Cause::HungUp)),
            cause = Signals::ending(&mut self.signals.ends) => Event::Stop(cause),
            _ = self.signals.sleep.recv() => { self.sleep().await; Event::Awake }
            _ = self.signals.wake.recv() => { self.awake(); Event::Awake }
            input = key => match input {
                Some(Ok(input)) => Event::Input(input),
                // Without keys nobody can leave any more.
                Some(Err(_)) | None => Event::Stop(Cause::HungUp),
            },
            Some(answer) = self.link.answers.recv() => answer,
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
            Effect::Disarm => self.link.disarm(),
            Effect::Verify => self.link.verify(),
            Effect::Copy(text) => self.copy(&text),
            Effect::Edit(text) => return self.edit(&text),
            Effect::Mouse(mouse) => terminal::set_mouse(mouse)?,
            Effect::Bell => terminal::ring()?,
            Effect::Suspend => self.sleep().await,
            Effect::Quit => self.ended = Some(Ending::Left),
        }
        Ok(None)
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
        self.keys = Some(EventStream::new());
    }

    /// Lets the person write a text in their editor, which has the terminal meanwhile.
    fn edit(&mut self, text: &str) -> io::Result<Option<Event>> {
        let Some(editor) = &self.editor else {
            self.model
                .say_quietly("neither VISUAL nor EDITOR names an editor".to_owned());
            return Ok(None);
        };
        let file = Draft::with(text)?;
        self.keys = None;
        terminal::give_back()?;
        let ran = run_editor(editor, &file.0);
        // What the terminal's keys sent while the editor had them was meant for the editor.
        self.signals.forget_keys()?;
        self.awake();
        Ok(Some(match ran {
            Ok(true) => Event::Edited(std::fs::read_to_string(&file.0).ok()),
            Ok(false) => Event::Trouble("the editor gave up; the reason is as before".to_owned()),
            Err(error) => Event::Trouble(format!("the editor cannot be started: {error}")),
        }))
    }

    /// Keeps which entry was seen last, for "since you last looked".
    fn remember(&self) {
        use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
        let (Some(path), Some(picture)) = (&self.last_looked, &self.model.picture) else {
            return;
        };
        let write = || -> io::Result<()> {
            if let Some(folder) = path.parent() {
                std::fs::DirBuilder::new()
                    .recursive(true)
                    .mode(0o700)
                    .create(folder)?;
            }
            let mut options = std::fs::OpenOptions::new();
            let mut file = options
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(path)?;
            io::Write::write_all(&mut file, picture.head.seq.to_string().as_bytes())
        };
        if let Err(error) = write() {
            tracing::warn!(%error, "what was seen last cannot be kept");
        }
    }
}

/// Runs an editor on a file; tells whether it ended well.
///
/// An editor that is put to sleep puts the console to sleep: the shell in front of both waits for the console only.
fn run_editor(editor: &str, file: &Path) -> io::Result<bool> {
    let mut words = editor.split_whitespace();
    let child = std::process::Command::new(words.next().unwrap_or_default())
        .args(words)
        .arg(file)
        .spawn()?;
    let pid = Pid::from_raw(i32::try_from(child.id()).map_err(io::Error::other)?);
    loop {
        match waitpid(pid, Some(WaitPidFlag::WUNTRACED)) {
            Ok(WaitStatus::Exited(_, code)) => return Ok(code == 0),
            Ok(WaitStatus::Signaled(..)) => return Ok(false),
            Ok(WaitStatus::Stopped(..)) => {
                raise(Signal::SIGSTOP)?;
                kill(pid, Signal::SIGCONT)?;
            }
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// A text on its way through an editor; nobody else may read it, and it goes away.
struct Draft(PathBuf);

impl Draft {
    fn with(text: &str) -> io::Result<Self> {
        use std::os::unix::fs::OpenOptionsExt;
        let mut random = [0_u8; 8];
        getrandom::fill(&mut random).map_err(io::Error::other)?;
        let name = format!("govdeck-reason-{:016x}.txt", u64::from_be_bytes(random));
        let path = std::env::temp_dir().join(name);
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        io::Write::write_all(&mut file, text.as_bytes())?;
        Ok(Self(path))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn remembered(path: &Path) -> Option<i64> {
    std::fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// Waits in a thread of its own until the terminal hangs up: with that signal ignored, reading keys would spin for ever.
fn watch_for_hang_up(stop: mpsc::UnboundedSender<Cause>) {
    std::thread::spawn(move || {
        let stdin = io::stdin();
        loop {
            let mut watched = [PollFd::new(stdin.as_fd(), PollFlags::empty())];
            match poll(&mut watched, PollTimeout::NONE) {
                Err(Errno::EINTR) => {}
                _ => break,
            }
        }
        let _ = stop.send(Cause::HungUp);
    });
}
