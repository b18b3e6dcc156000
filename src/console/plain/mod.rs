//! The console as lines of text, for screen readers: the state first, then only what changes, and what is asked for.
//!
//! Nothing moves a cursor, nothing is coloured, and nothing is written to the database: it names the command that would.

mod answers;
mod state;

use std::collections::BTreeMap;
use std::io::{self, BufRead, Read, Write};
use std::time::{Duration, Instant};

use tokio::runtime;
use tokio::sync::mpsc;

use super::event::{Effect, Event};
use super::link::{Address, Limits, Link};
use super::model::{Model, Start};
use super::panes::PaneId;
use crate::rules::text::scrub;
use state::{Line, Seen};

/// How often it is looked whether time alone has changed something.
const SECOND: Duration = Duration::from_secs(1);
/// How much of a line is read at once; no word is nearly as long.
const LONGEST: u64 = 4_096;
/// How many lines may wait that were typed ahead.
const AHEAD: usize = 16;
/// The size that lists are read for.
const SIZE: (u16, u16) = (80, 48);

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlainEnd {
    /// Somebody left, or nobody types any more.
    Left,
    /// The same, and nothing could ever be read: why, and what to do.
    NothingRead(String, String),
}

/// What was asked for and is being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// The rows of the open pane.
    Rows,
    /// What can be done with its selected row.
    Why,
}

/// Whether it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    GoesOn,
    Ends,
}

/// Tells everything to `out` until somebody leaves.
pub fn run(
    address: Address,
    start: Start,
    elsewhere: &runtime::Handle,
    out: &mut dyn Write,
) -> io::Result<PlainEnd> {
    let here = runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    here.block_on(run_here(address, start, elsewhere, out))
}

async fn run_here(
    address: Address,
    start: Start,
    elsewhere: &runtime::Handle,
    out: &mut dyn Write,
) -> io::Result<PlainEnd> {
    let mut model = Model::new(start, SIZE, None, Instant::now());
    model.go(PaneId::Home);
    let mut plain = Plain {
        link: Link::start(
            elsewhere,
            (address, None),
            model.wanted(),
            Limits::default(),
        ),
        model,
        out,
        seen: Seen::default(),
        told: None,
        asked: None,
        place: PaneId::Blocks,
        troubled: None,
    };
    let mut lines = listen();
    loop {
        tokio::select! {
            biased;
            Ok(()) = plain.link.sight.changed() => {
                let sight = plain.link.sight.borrow_and_update().clone();
                plain.happen(Event::Sight(sight))?;
            }
            line = lines.recv(), if plain.listens() => {
                let next = match line {
                    Some(line) => plain.hear(&line)?,
                    None => Next::Ends,
                };
                if next == Next::Ends {
                    return Ok(plain.end());
                }
            }
            () = tokio::time::sleep(SECOND) => {
                plain.model.hear(plain.link.heard());
                plain.happen(Event::Tick)?;
            }
        }
    }
}

/// Reads lines in a thread of its own, which ends with the program.
fn listen() -> mpsc::Receiver<String> {
    let (heard, lines) = mpsc::channel(AHEAD);
    std::thread::spawn(move || {
        let mut input = io::stdin().lock();
        loop {
            let mut line = Vec::new();
            let read = input.by_ref().take(LONGEST).read_until(b'\n', &mut line);
            if read.unwrap_or(0) == 0 {
                return;
            }
            let line = String::from_utf8_lossy(&line).trim().to_owned();
            if heard.blocking_send(line).is_err() {
                return;
            }
        }
    });
    lines
}

struct Plain<'a> {
    model: Model,
    link: Link,
    out: &'a mut dyn Write,
    seen: Seen,
    /// What every line said when it was last told; none before the first time.
    told: Option<BTreeMap<String, String>>,
    asked: Option<Asked>,
    /// The pane that was last asked for.
    place: PaneId,
    /// Why nothing could be read so far, as it was told.
    troubled: Option<String>,
}

impl Plain<'_> {
    /// Tells whether what is typed is taken now: one thing after the other, and nothing before the state.
    fn listens(&self) -> bool {
        self.asked.is_none() && (self.told.is_some() || self.model.link.trouble.is_some())
    }

    fn end(&self) -> PlainEnd {
        match (&self.told, &self.model.link.trouble) {
            (None, Some((why, hint))) => PlainEnd::NothingRead(why.clone(), hint.clone()),
            _ => PlainEnd::Left,
        }
    }

    fn say(&mut self, line: &str) -> io::Result<()> {
        writeln!(self.out, "{}", scrub(line))?;
        self.out.flush()
    }

    /// Lets something happen, and tells what it changed.
    fn happen(&mut self, event: Event) -> io::Result<()> {
        for effect in self.model.update(event, Instant::now()) {
            match effect {
                Effect::Want(wanted) => self.link.want(*wanted),
                Effect::Refresh => self.link.refresh(),
                // Nothing else is begun by looking.
                _ => {}
            }
        }
        self.seen.take(&self.model);
        if self.told.is_none() {
            self.tell_trouble()?;
        }
        self.tell_state()?;
        if self.asked.is_some() {
            self.answer()?;
        }
        if self.asked.is_none() {
            self.look_round();
        }
        Ok(())
    }

    /// Looks at what is not of the newest entry yet: one pane holds the phase, the other the blocks.
    fn look_round(&mut self) {
        if let Some(pane) = self.seen.missing(&self.model)
            && pane != self.model.pane
        {
            self.model.pane = pane;
            for effect in self.model.update(Event::Tick, Instant::now()) {
                if let Effect::Want(wanted) = effect {
                    self.link.want(*wanted);
                }
            }
        }
    }

    /// Says why nothing can be read yet, once for each reason.
    fn tell_trouble(&mut self) -> io::Result<()> {
        let trouble = self.model.link.trouble.clone();
        if let Some((why, hint)) = trouble
            && self.troubled.as_ref() != Some(&why)
        {
            self.say(&format!("cannot tell: {why} ({hint})"))?;
            self.troubled = Some(why);
        }
        Ok(())
    }

    fn tell_state(&mut self) -> io::Result<()> {
        let Some(lines) = state::lines(&self.model, &self.seen) else {
            return Ok(());
        };
        let Some(before) = self.told.take() else {
            let now = self
                .model
                .now()
                .map_or_else(String::new, |now| self.model.clock(now));
            self.say(&format!(
                "govdeck, as lines, at {now}; help lists what can be typed"
            ))?;
            return self.tell_all(lines);
        };
        let now = self
            .model
            .now()
            .map_or_else(String::new, |now| self.model.clock(now));
        let is_news = |line: &&Line| before.get(&line.key) != Some(&line.says);
        for line in lines.iter().filter(is_news) {
            self.say(&format!("{now} {}{}", line.says, line.aside))?;
        }
        let lines: BTreeMap<_, _> = lines.into_iter().map(|it| (it.key, it.says)).collect();
        for key in before.keys().filter(|key| !lines.contains_key(*key)) {
            self.say(&format!("{now} no longer: {key}"))?;
        }
        self.told = Some(lines);
        Ok(())
    }

    fn tell_all(&mut self, lines: Vec<Line>) -> io::Result<()> {
        for line in &lines {
            self.say(&format!("{}{}", line.says, line.aside))?;
        }
        self.told = Some(lines.into_iter().map(|it| (it.key, it.says)).collect());
        Ok(())
    }

    /// Does what a typed line asks for.
    fn hear(&mut self, line: &str) -> io::Result<Next> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let word = word.to_lowercase();
        let pane = PaneId::ALL
            .iter()
            .find(|pane| pane.word().to_lowercase() == word);
        match (word.as_str(), pane) {
            ("", _) => {}
            ("q" | "quit", _) => return Ok(Next::Ends),
            ("help", _) => {
                for line in answers::HELP {
                    self.say(line)?;
                }
            }
            ("state", _) => match state::lines(&self.model, &self.seen) {
                Some(lines) => self.tell_all(lines)?,
                None => self.say("nothing was read yet")?,
            },
            ("why", _) => self.ask_why(rest.trim())?,
            (_, Some(pane)) => {
                self.place = *pane;
                self.ask(Asked::Rows)?;
            }
            (_, None) => {
                let said = answers::no_word(&self.model, line);
                self.say(&said)?;
            }
        }
        Ok(Next::GoesOn)
    }

    fn ask_why(&mut self, id: &str) -> io::Result<()> {
        if !id.is_empty() {
            self.model.pane = self.place;
            match self.model.list_mut() {
                Some(list) => list.select(id),
                None => return self.say(&format!("{} has no rows to name", self.place)),
            }
        }
        self.ask(Asked::Why)
    }

    /// Goes to the pane that was asked for; what is read there is told when it has come.
    fn ask(&mut self, what: Asked) -> io::Result<()> {
        self.model.pane = self.place;
        self.asked = Some(what);
        self.happen(Event::Tick)
    }

    /// Tells what was asked for, if it has been read, or that it cannot be.
    fn answer(&mut self) -> io::Result<()> {
        let Some(picture) = self.model.picture.clone() else {
            return self.cannot();
        };
        if picture.wanted != self.model.wanted() {
            return self.cannot();
        }
        let lines = match self.asked.take() {
            Some(Asked::Rows) => answers::rows(&self.model),
            Some(Asked::Why) => answers::why(&self.model, &picture),
            None => Vec::new(),
        };
        lines.iter().try_for_each(|line| self.say(line))
    }

    /// Gives up what was asked for while the database cannot be read.
    fn cannot(&mut self) -> io::Result<()> {
        if let Some((why, hint)) = self.model.link.trouble.clone() {
            self.asked = None;
            self.say(&format!("cannot tell: {why} ({hint})"))?;
        }
        Ok(())
    }
}
