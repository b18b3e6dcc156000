//! `govdeck keys`: which key means what in the console, and whether a file of keys fits together.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use super::page::{Exit, Failure, Page};
use crate::actions::ENTRIES;
use crate::console::keymap::{GivenBy, Intent, Keymap, ROWS, Row};
use crate::console::topics;
use crate::rules::people::Basis;
use crate::settings::{Flags, Settings};

/// Lists the keys of the console, as they are in force.
#[derive(Debug, Args)]
pub(super) struct Keys {
    #[command(subcommand)]
    what: Option<What>,
}

/// What to do with the keys.
#[derive(Debug, Subcommand)]
enum What {
    /// Say whether a file of keys fits together.
    Check {
        /// The file; your own one when left out.
        file: Option<PathBuf>,
    },
}

impl Keys {
    pub(super) fn run(self, flags: &Flags) -> Result<Page, Failure> {
        let own = Settings::load(flags, std::env::vars_os())?
            .paths()
            .keys_file;
        match self.what {
            None => Ok(list(&Keymap::load(own.as_deref())?)),
            Some(What::Check { file: None }) => Ok(sound(&Keymap::load(own.as_deref())?)),
            Some(What::Check { file: Some(file) }) => Ok(sound(&Keymap::read(&file)?)),
        }
    }
}

fn file_of(keymap: &Keymap) -> Option<String> {
    keymap.file().map(|file| file.display().to_string())
}

fn list(keymap: &Keymap) -> Page {
    let preset = keymap.preset();
    let mut lines = vec![match file_of(keymap) {
        Some(file) => format!("preset {preset}, changed by {file}"),
        None => format!("preset {preset}"),
    }];
    let chords = |row: &Row| keymap.written(row.intent).join(", ");
    let width = |texts: &mut dyn Iterator<Item = usize>| texts.max().unwrap_or(0);
    let intents = width(&mut ROWS.iter().map(|row| row.intent.word().len()));
    let keys = width(&mut ROWS.iter().map(|row| chords(row).chars().count()));
    for row in ROWS {
        let pane = row.only.map(|pane| format!(" ({pane} only)"));
        lines.push(format!(
            "{:<intents$}  {:<keys$}  {}{}",
            row.intent,
            chords(row),
            row.about,
            pane.unwrap_or_default()
        ));
    }
    let acting = || ENTRIES.iter().filter(|entry| entry.basis == Basis::Person);
    lines.extend(acting().map(|entry| {
        let (name, keys, panes) = (entry.name(), keymap.action(entry), topics::places(entry));
        format!(
            "{keys}  {name} (guard {}): {} ({panes})",
            entry.level, entry.summary
        )
    }));
    let rows = ROWS.iter().map(|row| {
        json!({
            "intent": row.intent,
            "chords": keymap.written(row.intent),
            "about": row.about,
            "pane": row.only,
            "from": keymap.given_by(row.intent),
        })
    });
    let actions = acting().map(|entry| {
        json!({
            "keys": keymap.action(entry),
            "action": entry.name(),
            "guard": entry.level,
            "about": entry.summary,
            "panes": topics::panes_of(entry),
        })
    });
    Page::new(
        Exit::Done,
        lines,
        "keys",
        json!({
            "preset": preset,
            "file": file_of(keymap),
            "keys": rows.collect::<Vec<_>>(),
            "actions": actions.collect::<Vec<_>>(),
        }),
    )
}

fn sound(keymap: &Keymap) -> Page {
    let all = Intent::ALL.iter().copied();
    let changed: Vec<_> = all
        .clone()
        .filter(|intent| keymap.given_by(*intent) == GivenBy::File)
        .collect();
    let without: Vec<_> = all
        .filter(|intent| keymap.chords(*intent).is_empty())
        .collect();
    let named = |intents: &[Intent]| match intents {
        [] => "none".to_owned(),
        some => {
            let words: Vec<_> = some.iter().map(|intent| intent.word()).collect();
            words.join(", ")
        }
    };
    let (file, preset) = (file_of(keymap), keymap.preset());
    let lines = vec![
        match &file {
            Some(file) => format!("{file}: the keys fit together, on the preset {preset}"),
            None => format!("there is no file of keys; the preset {preset} holds"),
        },
        format!("otherwise than there: {}", named(&changed)),
        format!("without a key: {}", named(&without)),
    ];
    Page::new(
        Exit::Done,
        lines,
        "keys-check",
        json!({"file": file, "preset": preset, "changed": changed, "without_a_key": without}),
    )
}
