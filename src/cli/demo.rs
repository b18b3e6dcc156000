//! `govdeck demo`: opens the console on a story that goes on by itself.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use clap::builder::PossibleValuesParser;
use tokio::sync::oneshot;

use super::console::{self, Seat, Shown};
use super::page::{Exit, Failure};
use crate::console::link::{Address, Workshop};
use crate::console::overlay::Text;
use crate::console::panes::PaneId;
use crate::console::theme::Token;
use crate::demo::chapters::people::{LEAD, SEATS, task, tries};
use crate::demo::{Story, World, root_of};
use crate::jobs::hour::{Commands, Reach};
use crate::rules::Refusal;
use crate::settings::{Dsn, Settings, Source};
use crate::store::OsAccount;

/// How long the world may take to end.
const FAREWELL: Duration = Duration::from_secs(5);

/// Opens the console on a story that goes on by itself.
#[derive(Debug, Args)]
pub(super) struct Demo {
    /// Whose seat to take; nobody acts for them.
    #[arg(long = "as", value_name = "PERSON", default_value = LEAD, value_parser = PossibleValuesParser::new(SEATS))]
    seat: String,
    /// Which story: everyday; dual-write, whose pipelines forget one half of a pair; cutover, the hour of a migration. A new demo's
    /// is everyday.
    #[arg(long, value_name = "STORY")]
    story: Option<Story>,
    /// How many times as fast as real time the story goes, 1 to 120; 10 when left out, 30 in a story of a migration.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=120))]
    speed: Option<u32>,
    /// Which story is told; the same number tells the same one. A new demo's is 1.
    #[arg(long, value_name = "N")]
    seed: Option<u32>,
    /// Keep the demo in this file, or go on with the one there.
    #[arg(long, value_name = "PATH")]
    keep: Option<PathBuf>,
}

impl Demo {
    /// Opens the console and returns the program's exit code when it ends.
    pub(super) fn open(&self, settings: &Settings) -> Result<ExitCode, Failure> {
        console::refuse_without_screen()?;
        if matches!(settings.dsn.source, Source::Flag(_)) {
            return Err(Failure::new(
                Exit::BadInput,
                "a demo never opens the database that --dsn names",
                "leave --dsn out; --keep PATH keeps the demo in a file of its own",
            ));
        }
        if !crate::console::has_terminal() {
            return Err(console::no_terminal());
        }
        // Dropped last, when nothing is open in it any more.
        let folder = match self.keep {
            Some(_) => None,
            None => Some(Folder::make()?),
        };
        let path = match (&self.keep, &folder) {
            (Some(path), _) => path.clone(),
            (None, Some(folder)) => folder.0.join("demo.db"),
            (None, None) => PathBuf::new(),
        };
        let dsn = Dsn::of_file(&path).map_err(|fault| {
            Failure::new(Exit::BadInput, format!("--keep: {fault}"), fault.hint())
        })?;
        let is_new = path.symlink_metadata().is_err();
        let story = self.story.unwrap_or(Story::Everyday);
        let seat = Seat {
            last_looked: self
                .keep
                .as_ref()
                .and_then(|_| console::last_looked(settings, &dsn)),
            // The demo has a card of its own.
            card_read: None,
            welcome: is_new.then(|| self.welcome(story)),
            address: self.address(settings, &dsn, &path)?,
        };
        let mut opening = console::opening(settings, seat, Shown::OnAScreen)?;
        if is_new {
            // It takes some seconds on a slow machine, and a blank terminal says nothing.
            eprintln!("telling the story of a team that publishes metrics …");
        }
        let runtime = console::runtime()?;
        let world = runtime.block_on(async {
            if is_new {
                World::make(dsn, story, &self.seat, self.seed.unwrap_or(1)).await
            } else {
                World::take_up(dsn, self.story, &self.seat, self.seed).await
            }
        })?;
        let story = world.story();
        match story {
            Story::Everyday => {}
            Story::DualWrite => opening.first = PaneId::Mismatches,
            Story::Cutover => opening.first = PaneId::Cutover,
        }
        let speed = self.speed.unwrap_or(story.speed());
        let (stop, stopped) = oneshot::channel();
        let going = runtime.spawn(world.run(speed, stopped));
        let ending = crate::console::run(opening, runtime.handle());
        drop(stop);
        let _ = runtime.block_on(async { tokio::time::timeout(FAREWELL, going).await });
        runtime.shutdown_background();
        console::ended(ending)
    }

    fn address(&self, settings: &Settings, dsn: &Dsn, path: &Path) -> Result<Address, Failure> {
        Ok(Address {
            dsn: dsn.clone(),
            viewer: None,
            direct: Some(dsn.clone()),
            account: OsAccount::named(&self.seat),
            console_id: console::random_name()?,
            governance_root: root_of(path),
            signer: super::sign::signer(settings),
            workshop: Ok(Workshop {
                ledger: dsn.clone(),
                bundles: Err(Refusal::new(
                    "the demo has no store that a bundle could change",
                    "see how the others of the story ended; yours run in a deployment of your own",
                )),
                dictionary: Ok(dsn.clone()),
                hour: Reach {
                    root: root_of(path),
                    commands: Commands::default(),
                },
            }),
        })
    }

    fn welcome(&self, story: Story) -> Text {
        let hour = 60.0 / f64::from(self.speed.unwrap_or(story.speed()));
        let passes =
            format!("An hour passes in {hour:.1} minutes, and all of it goes into a real ledger.");
        let mut lines = match story {
            Story::Everyday => self.everyday(passes),
            Story::DualWrite => dual_write(passes),
            Story::Cutover => cutover(passes),
        };
        lines.push((
            Token::Muted,
            "These keys work from here; ? lists all. To leave: esc, then ctrl-c.".to_owned(),
        ));
        Text {
            title: "The demo".to_owned(),
            lines,
            ..Text::default()
        }
    }

    fn everyday(&self, passes: String) -> Vec<(Token, String)> {
        let seat = &self.seat;
        let fg = |line: &str| (Token::Fg, line.to_owned());
        vec![
            fg("A team publishes shared metrics; a gate stops what is not right."),
            fg(&format!("You are {seat}, {}.", task(seat))),
            fg("The others are simulated, and nobody acts for you."),
            (Token::Fg, passes),
            (Token::Accent, tries(seat).to_owned()),
        ]
    }
}

/// Leads to what differs, and to what waits for it.
fn dual_write(passes: String) -> Vec<(Token, String)> {
    let fg = |line: &str| (Token::Fg, line.to_owned());
    let key = |line: &str| (Token::Accent, line.to_owned());
    vec![
        fg("You are maya, governance lead: a migration is in dual write."),
        fg("Two columns are written twice, and scans compare them; some differ."),
        (Token::Fg, passes),
        key("3  what differs, by metric and squad    enter its rows, old and new"),
        key("2  the clock of 72 hours, and every gate    w why it stands where it is"),
        key("Wait some minutes: one fix lands, and something else is forgotten."),
    ]
}

/// Leads through the hour, key by key.
fn cutover(passes: String) -> Vec<(Token, String)> {
    let fg = |line: &str| (Token::Fg, line.to_owned());
    let key = |line: &str| (Token::Accent, line.to_owned());
    vec![
        fg("You are maya, governance lead: a cutover waits, and you lead it."),
        fg("Every gate holds; the others are simulated. Pane 6 says what comes."),
        (Token::Fg, passes),
        key("1  a a arm    a h begin the hour    a z announced: say done"),
        key("2  a s golden, once fifteen minutes have passed: half a minute"),
        key("3  a s flip replays    a x cutover    a z exporters: done"),
        key("4  a s purge, a z done    5  a s reconcile"),
        key("6  lee signs off and closes, in seconds    7  a n the note"),
        key("Back at any time: a v gives the hour up, a u on 2 takes it back"),
    ]
}

/// A folder that only its owner may look into, and that goes away with everything in it.
struct Folder(PathBuf);

impl Folder {
    fn make() -> Result<Self, Failure> {
        let name = format!("govdeck-demo-{}", console::random_name()?);
        let path = std::env::temp_dir().join(name);
        DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .map_err(|error| Failure::of_file(&path, &error))?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_card_fits_eighty_columns_in_every_seat() {
        for seat in SEATS {
            let demo = Demo {
                seat: (*seat).to_owned(),
                story: None,
                speed: Some(1),
                seed: None,
                keep: None,
            };
            for story in Story::ALL {
                for (_, line) in demo.welcome(*story).lines {
                    assert!(line.chars().count() <= 72, "{seat}: {line}");
                }
            }
        }
    }
}
