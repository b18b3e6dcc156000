//! `govdeck --plain`: the console as lines of text.

use std::io;
use std::process::ExitCode;

use super::console::{Shown, opening, runtime, seat};
use super::page::{Exit, Failure};
use crate::console::{PlainEnd, plain};
use crate::settings::Settings;

/// Tells the state and what changes until somebody leaves, and returns the program's exit code.
pub(super) fn open(settings: &Settings) -> Result<ExitCode, Failure> {
    let opening = opening(settings, seat(settings)?, Shown::AsLines)?;
    let runtime = runtime()?;
    let ended = plain(
        opening.address,
        opening.start,
        runtime.handle(),
        &mut io::stdout().lock(),
    );
    // A task that still waits for a silent server must not keep the program.
    runtime.shutdown_background();
    match ended {
        Ok(PlainEnd::Left) => Ok(ExitCode::SUCCESS),
        Ok(PlainEnd::NothingRead(why, hint)) => Err(Failure::new(Exit::CannotTell, why, hint)),
        Err(error) => Err(Failure::new(
            Exit::CannotTell,
            format!("the lines cannot be written: {error}"),
            "nothing reads them any more",
        )),
    }
}
