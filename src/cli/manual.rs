//! Completions and man pages, made of the same command line that is parsed.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;
use serde_json::json;

use super::page::{Exit, Failure, Page};

/// Prints completions for a shell.
#[derive(Debug, Args)]
pub(super) struct Completions {
    /// The shell.
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self) -> Page {
        let mut bytes = Vec::new();
        clap_complete::generate(self.shell, &mut super::command(), "govdeck", &mut bytes);
        Page::raw(bytes)
    }
}

/// Writes the man pages into a folder.
#[derive(Debug, Args)]
pub(super) struct Man {
    /// The folder, which must exist.
    folder: PathBuf,
}

impl Man {
    pub(super) fn run(self) -> Result<Page, Failure> {
        clap_mangen::generate_to(super::command(), &self.folder)
            .map_err(|error| Failure::of_file(&self.folder, &error))?;
        let shown = self.folder.display().to_string();
        Ok(Page::new(
            Exit::Done,
            vec![format!("man pages written to {shown}")],
            "man",
            json!({"folder": shown}),
        ))
    }
}
