//! The keymap in force: the table as a preset and the user's file changed it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::super::panes::PaneId;
use super::super::stroke::{Stroke, chord, written};
use super::conflict::conflicts;
use super::{Intent, KeysError, Meaning, Preset, ROWS, Row};
use crate::actions::{Entry, find};
use crate::rules::words;

words! {
    /// Says who gave an intent its keys.
    pub enum GivenBy {
        /// The table.
        Table = "table",
        /// The preset.
        Preset = "preset",
        /// The user's file.
        File = "file",
    }
}

/// A chord, and where it stands in the user's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chord {
    pub strokes: Vec<Stroke>,
    pub start: Option<usize>,
}

/// What an intent has, before it is known whether all fits together.
#[derive(Debug, Clone)]
pub(super) struct Bound {
    pub chords: Vec<Chord>,
    pub by: GivenBy,
    /// Where the intent stands in the user's file.
    pub start: Option<usize>,
}

pub(super) type Draft = BTreeMap<Intent, Bound>;

/// Writes down what a preset has.
pub(super) fn draft(preset: Preset) -> Result<Draft, KeysError> {
    let bound = |row: &Row| {
        let keys = preset.keys(row).iter();
        let chords = keys.map(|text| {
            let start = None;
            chord(text).map(|strokes| Chord { strokes, start })
        });
        let bound = Bound {
            chords: chords
                .collect::<Result<_, _>>()
                .map_err(|refusal| KeysError::new(refusal.sentence, refusal.hint))?,
            by: if preset.keys(row) == row.keys {
                GivenBy::Table
            } else {
                GivenBy::Preset
            },
            start: None,
        };
        Ok((row.intent, bound))
    };
    ROWS.iter().map(bound).collect()
}

/// The keys in force.
#[derive(Debug, Clone)]
pub struct Keymap {
    preset: Preset,
    file: Option<PathBuf>,
    keys: BTreeMap<Intent, (GivenBy, Vec<Vec<Stroke>>)>,
}

impl Keymap {
    /// Makes a keymap of the table alone.
    pub fn standard() -> Result<Self, KeysError> {
        Self::of(Preset::default())
    }

    /// Makes a keymap of a preset alone.
    pub fn of(preset: Preset) -> Result<Self, KeysError> {
        let draft = draft(preset)?;
        match conflicts(&draft).into_iter().next() {
            Some(conflict) => Err(KeysError::new(conflict.what, conflict.hint)),
            None => Ok(Self::put(preset, None, draft)),
        }
    }

    pub(super) fn put(preset: Preset, file: Option<&Path>, draft: Draft) -> Self {
        let strokes = |chords: Vec<Chord>| chords.into_iter().map(|chord| chord.strokes).collect();
        Self {
            preset,
            file: file.map(Path::to_owned),
            keys: draft
                .into_iter()
                .map(|(intent, bound)| (intent, (bound.by, strokes(bound.chords))))
                .collect(),
        }
    }

    /// Returns the preset it was made from.
    #[must_use]
    pub const fn preset(&self) -> Preset {
        self.preset
    }

    /// Returns the user's file, where there is one.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// Tells who gave an intent its keys.
    #[must_use]
    pub fn given_by(&self, intent: Intent) -> GivenBy {
        self.keys.get(&intent).map_or(GivenBy::Table, |(by, _)| *by)
    }

    /// Returns the chords that mean an intent.
    #[must_use]
    pub fn chords(&self, intent: Intent) -> &[Vec<Stroke>] {
        self.keys
            .get(&intent)
            .map_or(&[], |(_, chords)| chords.as_slice())
    }

    /// Returns the chords that mean an intent, as people read them.
    #[must_use]
    pub fn written(&self, intent: Intent) -> Vec<String> {
        let chords = self.chords(intent).iter();
        chords.map(|chord| written(chord)).collect()
    }

    /// Returns the first chord of an intent as people read it, where it has one.
    #[must_use]
    pub fn key(&self, intent: Intent) -> Option<String> {
        self.chords(intent).first().map(|chord| written(chord))
    }

    /// Says what to type for an intent: its first chord, or the way through the palette.
    #[must_use]
    pub fn hint(&self, intent: Intent) -> String {
        self.key(intent)
            .unwrap_or_else(|| match self.key(Intent::Palette) {
                Some(palette) => format!("{palette} {intent}"),
                None => intent.word().to_owned(),
            })
    }

    /// Says what to type for an action: its key behind the one that lists actions, or the way through the palette.
    #[must_use]
    pub fn action(&self, entry: &Entry) -> String {
        match (self.key(Intent::Act), self.key(Intent::Palette)) {
            (Some(act), _) => format!("{act} {}", entry.key),
            (None, Some(palette)) => format!("{palette} {}", entry.verb),
            (None, None) => entry.name(),
        }
    }

    /// Writes a text with keys in place of commands of a shell that would do the same, up to where the sentence goes on.
    #[must_use]
    pub fn in_keys(&self, text: &str) -> String {
        const SHELL: &str = "govdeck act ";
        let text = text.replace("govdeck hour begin ", "govdeck act begin-step ");
        let mut said = String::new();
        let mut rest = &*text;
        while let Some((before, after)) = rest.split_once(SHELL) {
            let end = after.find([',', ';', ')', '`']).unwrap_or(after.len());
            let (command, behind) = after.split_at(end);
            let verb = command.split_whitespace().next().unwrap_or_default();
            said += before;
            said += &find(&verb.replace('-', "_")).map_or_else(
                |_| format!("{SHELL}{command}"),
                |entry| format!("{} ({})", entry.name(), self.action(entry)),
            );
            rest = behind;
        }
        said + rest
    }

    /// Tells what the strokes typed so far mean in a pane.
    #[must_use]
    pub fn meaning(&self, typed: &[Stroke], pane: PaneId) -> Meaning {
        let mut begins = false;
        for row in ROWS.iter().filter(|row| row.is_in(pane)) {
            for chord in self.chords(row.intent) {
                if chord == typed {
                    return Meaning::Is(row.intent);
                }
                begins |= chord.starts_with(typed);
            }
        }
        match typed {
            _ if begins => Meaning::Begins,
            [_, .., last] if *last == Stroke::CTRL_C => Meaning::Is(Intent::Interrupt),
            [_, .., last] if self.is_alone(Intent::Escape, *last) => Meaning::Forgets,
            _ => Meaning::Nothing,
        }
    }

    /// Tells whether a stroke by itself means an intent.
    #[must_use]
    pub fn is_alone(&self, intent: Intent, stroke: Stroke) -> bool {
        self.chords(intent)
            .iter()
            .any(|chord| chord.as_slice() == [stroke])
    }
}
