//! `govdeck demo`: opens the console on a story that goes on by itself.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use clap::builder::PossibleValuesParser;
use tokio::sync::oneshot;

use super::console::{self, Seat};
use super::page::{Exit, Failure};
use crate::console::link::Workshop;
use crate::console::overlay::Text;
use crate::console::theme::Token;
use crate::demo::World;
use crate::demo::chapters::people::{LEAD, SEATS, task};
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
    /// How many times as fast as real time the story goes, 1 to 120.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=120))]
    speed: u32,
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
        let seat = Seat {
            dsn: dsn.clone(),
            viewer: None,
            direct: Some(dsn.clone()),
            account: OsAccount::named(&self.seat),
            last_looked: self
                .keep
                .as_ref()
                .and_then(|_| console::last_looked(settings, &dsn)),
            // The demo has a card of its own.
            card_read: None,
            welcome: is_new.then(|| self.welcome()),
            workshop: Ok(Workshop {
                ledger: dsn.clone(),
                bundles: Err(Refusal::new(
                    "the demo has no store that a bundle could change",
                    "see how the others of the story ended; yours run in a deployment of your own",
                )),
                hour: Reach {
                    root: path.with_extension("files"),
                    commands: Commands::default(),
                },
            }),
        };
        let opening = console::opening(settings, seat)?;
        let runtime = console::runtime()?;
        let world = runtime.block_on(async {
            if is_new {
                World::make(dsn, &self.seat, self.seed.unwrap_or(1)).await
            } else {
                World::take_up(dsn, &self.seat, self.seed).await
            }
        })?;
        let (stop, stopped) = oneshot::channel();
        let going = runtime.spawn(world.run(self.speed, stopped));
        let ending = crate::console::run(opening, runtime.handle());
        drop(stop);
        let _ = runtime.block_on(async { tokio::time::timeout(FAREWELL, going).await });
        runtime.shutdown_background();
        console::ended(ending)
    }

    fn welcome(&self) -> Text {
        let seat = &self.seat;
        let hour = 60.0 / f64::from(self.speed);
        let lines = [
            (
                Token::Fg,
                "A team publishes shared metrics; a gate stops what is not right.".to_owned(),
            ),
            (Token::Fg, format!("You are {seat}, {}.", task(seat))),
            (
                Token::Fg,
                "The others are simulated, and nobody acts for you.".to_owned(),
            ),
            (
                Token::Fg,
                format!(
                    "An hour passes in {hour:.1} minutes, and all of it goes into a real ledger."
                ),
            ),
            (
                Token::Accent,
                "Try: 4 the stopped runs, a what can be done and why not, * a tour.".to_owned(),
            ),
            (
                Token::Muted,
                "These keys work from here; ? lists all. To leave: esc, then ctrl-c.".to_owned(),
            ),
        ];
        Text {
            title: "The demo".to_owned(),
            lines: lines.to_vec(),
            ..Text::default()
        }
    }
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
                speed: 1,
                seed: None,
                keep: None,
            };
            for (_, line) in demo.welcome().lines {
                assert!(line.chars().count() <= 72, "{seat}: {line}");
            }
        }
    }
}
