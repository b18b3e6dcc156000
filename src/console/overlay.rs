//! What opens over a pane and closes with Esc: the action box, the palette, texts, the theme picker.

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher};
use unicode_width::UnicodeWidthStr;

use crate::actions::{ENTRIES, Entry};
use crate::rules::people::Basis;
use crate::rules::readback::Citation;

use super::form::Line;
use super::keymap::{Intent, Keymap, ROWS, Row};
use super::list::Scroll;
use super::panes::PaneId;
use super::theme::Token;
use super::topics::Here;

/// What is open over a pane.
#[derive(Debug)]
pub enum Overlay {
    /// The actions that belong here, each with its key, its guard, and why not.
    Actions,
    /// A text to read.
    Text(Text),
    /// Commands by name.
    Palette(Palette),
    /// Numbers that can be followed to where they come from.
    Numbers(Numbers),
    /// The themes, each shown as soon as it is walked over.
    Themes(Themes),
    /// Whether to leave.
    Leave,
    /// A text to select with the terminal, because no clipboard took it.
    Clipboard(String),
}

/// A text to read.
#[derive(Debug, Default)]
pub struct Text {
    /// Its title.
    pub title: String,
    /// Its lines, each with its meaning.
    pub lines: Vec<(Token, String)>,
    /// How far it is scrolled.
    pub scroll: Scroll,
}

/// Numbers that can be followed to where they come from.
#[derive(Debug)]
pub struct Numbers {
    /// The numbers.
    pub numbers: Vec<Number>,
    /// Which one is selected.
    pub at: usize,
}

/// A number, and where it says that it comes from.
#[derive(Debug, Clone)]
pub struct Number {
    /// The number, and whose it is.
    pub says: String,
    /// Where it comes from.
    pub cites: Citation,
}

/// Commands by name.
#[derive(Debug, Default)]
pub struct Palette {
    /// What was typed.
    pub line: Line,
    /// Which of the found ones is selected.
    pub at: usize,
}

impl Choice {
    /// Says what to type for it here without the palette; nothing where there is no such key.
    #[must_use]
    pub fn keys(self, keymap: &Keymap, here: Here) -> String {
        match self {
            Self::Intent(intent) => keymap.key(intent),
            Self::Act(entry) if here.offers(entry) => keymap
                .key(Intent::Act)
                .map(|act| format!("{act} {}", entry.key)),
            Self::Act(_) => None,
        }
        .unwrap_or_default()
    }
}

/// A command of the palette.
#[derive(Debug, Clone, Copy)]
pub struct Command {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub about: &'static str,
    /// What it leads to.
    pub choice: Choice,
}

/// What a command leads to.
#[derive(Debug, Clone, Copy)]
pub enum Choice {
    /// As if a key had been pressed.
    Intent(Intent),
    /// An action.
    Act(&'static Entry),
}

/// The theme picker.
#[derive(Debug)]
pub struct Themes {
    /// Their names.
    pub names: Vec<String>,
    /// Which one is shown.
    pub at: usize,
    /// Which one comes back with Esc.
    pub before: String,
}

impl Palette {
    /// Makes a palette in which a moment in the past is typed.
    #[must_use]
    pub fn asking_moment() -> Self {
        Self {
            line: Line::holding(&format!("{} ", Intent::AsOf)),
            at: 0,
        }
    }

    /// Returns what was typed as a moment in the past, where that is what is typed.
    #[must_use]
    pub fn moment(&self) -> Option<String> {
        let typed = self.line.text();
        let moment = typed.trim_start().strip_prefix(Intent::AsOf.word())?;
        moment.starts_with(' ').then(|| moment.trim().to_owned())
    }

    /// Lists the commands that fit what was typed, the best first; where nothing was, the actions that belong here first.
    #[must_use]
    pub fn found(&self, here: Here) -> Vec<Command> {
        let keys = ROWS.iter().filter(|row| row.is_in(here.pane));
        let keys = keys.map(|row| Command {
            name: row.intent.word(),
            about: row.about,
            choice: Choice::Intent(row.intent),
        });
        let by_person = |entry: &&Entry| entry.basis == Basis::Person;
        let elsewhere = ENTRIES.iter().filter(by_person);
        let elsewhere = elsewhere.filter(|entry| !here.offers(entry));
        let actions = here.actions().into_iter().chain(elsewhere);
        let actions = actions.map(|entry| Command {
            name: entry.verb,
            about: entry.summary,
            choice: Choice::Act(entry),
        });
        let mut all: Vec<Command> = actions.chain(keys).collect();
        if self.moment().is_some() {
            all.retain(|command| command.name == Intent::AsOf.word());
            return all;
        }
        let typed = self.line.text();
        if typed.trim().is_empty() {
            return all;
        }
        let mut matcher = Matcher::new(Config::DEFAULT);
        let pattern = Pattern::parse(&typed, CaseMatching::Ignore, Normalization::Smart);
        let mut buffer = Vec::new();
        let mut score = |text: &str| {
            let text = nucleo_matcher::Utf32Str::new(text, &mut buffer);
            pattern.score(text, &mut matcher)
        };
        let mut ranked: Vec<(u32, Command)> = all
            .into_iter()
            .filter_map(|command| {
                // An action has two spellings: the ledger's, and that of the command line.
                let other = command.name.replace('_', "-");
                let spelled = [command.name, &other].map(|name| {
                    let whole = score(&format!("{name} {}", command.about))?;
                    // What is called so comes before what only speaks of it.
                    Some(whole + score(name).unwrap_or(0))
                });
                Some((spelled.into_iter().max().flatten()?, command))
            })
            .collect();
        // What is called as it was typed comes first, then what begins so.
        let typed = typed.trim().to_lowercase();
        let called = typed.replace('-', "_");
        let nearness = |command: &Command| {
            let about = command.about.to_lowercase();
            let begins = command.name.starts_with(&called) || about.starts_with(&typed);
            (command.name == called, begins)
        };
        ranked.sort_by_key(|(score, command)| std::cmp::Reverse((nearness(command), *score)));
        ranked.into_iter().map(|(_, command)| command).collect()
    }
}

/// Writes the help: every key of the table, as it is in force.
#[must_use]
pub fn help(keymap: &Keymap, pane: PaneId) -> Text {
    let mut lines = vec![(
        Token::Muted,
        "Enter opens, it never writes. Writes live behind the action key. Esc is always safe."
            .to_owned(),
    )];
    let keys = |row: &Row| keymap.written(row.intent).join("  ");
    let width = ROWS.iter().map(|row| keys(row).width()).max().unwrap_or(0);
    for row in ROWS {
        let keys = keys(row);
        let token = match row.only {
            Some(only) if only != pane => Token::KeyDisabled,
            _ => Token::Fg,
        };
        let place = row
            .only
            .map_or(String::new(), |only| format!(" ({only} only)"));
        lines.push((token, format!("{keys:<width$} {}{place}", row.about)));
    }
    Text {
        title: "Keys".to_owned(),
        lines,
        scroll: Scroll::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(typed: &str) -> Vec<&'static str> {
        let palette = Palette {
            line: Line::holding(typed),
            at: 0,
        };
        palette
            .found(Here {
                pane: PaneId::Blocks,
                kind: None,
            })
            .iter()
            .map(|command| command.name)
            .collect()
    }

    #[test]
    fn the_palette_finds_by_name_and_by_meaning() {
        assert_eq!(found("take")[0], "take_block");
        assert_eq!(found("tkblk")[0], "take_block");
        assert_eq!(found("take_block")[0], "take_block");
        assert_eq!(found("take-block")[0], "take_block");
        assert_eq!(found("quit")[0], "interrupt");
        assert_eq!(found("q")[0], "interrupt");
        assert!(found("clipboard nonsense zzz").is_empty());
        assert!(found("").len() > 20);
        for entry in ENTRIES.iter().filter(|entry| entry.basis == Basis::Person) {
            for spelling in [entry.verb.to_owned(), entry.name()] {
                assert_eq!(found(&spelling)[0], entry.verb, "{spelling}");
            }
        }
        assert!(
            !found("").contains(&"verify"),
            "it belongs to the ledger alone"
        );
    }
}
