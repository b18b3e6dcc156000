//! The user's file of keys: a preset, and what is otherwise than there.

use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::super::stroke::{LONGEST, Stroke, chord, written};
use super::super::user_file::{Key, Value, first_letter, in_order, meant, quoted, read};
use super::conflict::{Conflict, conflicts};
use super::force::{Bound, Chord, Draft, GivenBy, Keymap, draft};
use super::{Intent, KeysError, Preset};
use crate::rules::Refusal;
use crate::settings::{position, shown_path};

const KEYS: [&str; 2] = ["preset", "keys"];

/// So many conflicts are told at once.
const TOLD: usize = 5;

impl Keymap {
    /// Reads the keymap in force: the user's file where there is one, the default otherwise.
    pub fn load(path: Option<&Path>) -> Result<Self, KeysError> {
        // A link that leads nowhere is there too, and refused by its name.
        match path.filter(|path| path.symlink_metadata().is_ok()) {
            Some(path) => Self::read(path),
            None => Self::standard(),
        }
    }

    /// Reads a keymap from a file, which must exist.
    pub fn read(path: &Path) -> Result<Self, KeysError> {
        let text = read(path, "keymap")?;
        let sheet = Sheet {
            shown: shown_path(path),
            text: &text,
        };
        let (preset, draft) = sheet.take()?;
        Ok(Self::put(preset, Some(path), draft))
    }
}

/// Reads a chord that can be typed, of at least one stroke and not too many.
fn bounded(text: &str) -> Result<Vec<Stroke>, Refusal> {
    let strokes = chord(text)?;
    if let Some(stroke) = strokes.iter().find(|stroke| !stroke.arrives()) {
        return Err(Refusal::new(
            format!("`{stroke}` cannot be typed in every terminal"),
            "ctrl- goes with a letter except i and m, with space, the arrows, pgup, pgdn, home, end",
        ));
    }
    match strokes.len() {
        0 => Err(Refusal::new(
            "there is no key in it",
            "name one, as in `j`, `ctrl-n` or `g g`; the long one is `space`",
        )),
        1..=LONGEST => Ok(strokes),
        many => Err(Refusal::new(
            format!("{many} keys in a row are too many"),
            format!("at most {LONGEST}, as in `g g`"),
        )),
    }
}

/// The text of a file, and what it is called.
struct Sheet<'a> {
    shown: String,
    text: &'a str,
}

impl Sheet<'_> {
    fn take(&self) -> Result<(Preset, Draft), KeysError> {
        let table = DeTable::parse(self.text).map_err(|error| self.no_toml(&error))?;
        let (mut preset, mut keys) = (Preset::default(), None);
        for (key, value) in in_order(table.get_ref()) {
            match (key.get_ref().as_ref(), value.get_ref()) {
                ("preset", _) => preset = self.preset(value)?,
                ("keys", DeValue::Table(table)) => keys = Some(table),
                ("keys", _) => {
                    let hint = "write [keys] on a line of its own";
                    return Err(self.refuse(value.span().start, "`keys` must be a table", hint));
                }
                (other, _) => return Err(self.unknown(key.span().start, other)),
            }
        }
        let mut draft = draft(preset)?;
        for (key, value) in keys.map(in_order).unwrap_or_default() {
            let intent = self.intent(key)?;
            let bound = self.bound(intent, key.span().start, value, &draft)?;
            draft.insert(intent, bound);
        }
        self.check(&draft)?;
        Ok((preset, draft))
    }

    fn preset(&self, value: &Value<'_>) -> Result<Preset, KeysError> {
        let names: Vec<_> = Preset::ALL.iter().map(|preset| preset.word()).collect();
        let DeValue::String(name) = value.get_ref() else {
            let hint = format!("known presets: {}", names.join(", "));
            return Err(self.refuse(value.span().start, "`preset` must be a text", hint));
        };
        name.parse().map_err(|_: Refusal| {
            self.refuse(
                first_letter(self.text, value, name),
                format!("{} is no preset", quoted(name)),
                meant(name, "preset", &names),
            )
        })
    }

    fn intent(&self, key: &Key<'_>) -> Result<Intent, KeysError> {
        let name = key.get_ref();
        name.parse().map_err(|_: Refusal| {
            let names: Vec<_> = Intent::ALL.iter().map(|intent| intent.word()).collect();
            self.refuse(
                key.span().start,
                format!("{} is nothing that a key can mean", quoted(name)),
                meant(name, "meaning", &names),
            )
        })
    }

    /// Reads the list of an intent's chords.
    fn bound(
        &self,
        intent: Intent,
        start: usize,
        value: &Value<'_>,
        before: &Draft,
    ) -> Result<Bound, KeysError> {
        let DeValue::Array(items) = value.get_ref() else {
            let chords = before.get(&intent).map_or(&[][..], |bound| &bound.chords);
            let chords: Vec<_> = chords
                .iter()
                .map(|chord| toml::Value::String(written(&chord.strokes)).to_string())
                .collect();
            return Err(self.refuse(
                value.span().start,
                format!("`{intent}` must be a list of keys"),
                format!("write {intent} = [{}]", chords.join(", ")),
            ));
        };
        let chords = items.iter().map(|item| self.chord(item));
        Ok(Bound {
            chords: chords.collect::<Result<_, _>>()?,
            by: GivenBy::File,
            start: Some(start),
        })
    }

    fn chord(&self, item: &Value<'_>) -> Result<Chord, KeysError> {
        let DeValue::String(text) = item.get_ref() else {
            let hint = "put quotes around it, as in \"1\"";
            return Err(self.refuse(item.span().start, "a key must be a text", hint));
        };
        let start = first_letter(self.text, item, text);
        let strokes =
            bounded(text).map_err(|refusal| self.refuse(start, refusal.sentence, refusal.hint))?;
        Ok(Chord {
            strokes,
            start: Some(start),
        })
    }

    /// Complains about everything that does not fit together, at once.
    fn check(&self, draft: &Draft) -> Result<(), KeysError> {
        let found = conflicts(draft);
        let Some(first) = found.first() else {
            return Ok(());
        };
        let told = |conflict: &Conflict| {
            let (line, column) = position(self.text, conflict.start.unwrap_or(0));
            format!("line {line}, column {column}: {}", conflict.what)
        };
        let mut all: Vec<_> = found.iter().take(TOLD).map(told).collect();
        if found.len() > TOLD {
            all.push(format!("and {} more", found.len() - TOLD));
        }
        let sentence = format!("{}, {}", self.shown, all.join("; "));
        Err(KeysError::new(sentence, first.hint.clone()))
    }

    fn unknown(&self, start: usize, word: &str) -> KeysError {
        let hint = if word.parse::<Intent>().is_ok() {
            "write it below a line [keys]".to_owned()
        } else {
            meant(word, "key", &KEYS)
        };
        self.refuse(start, format!("{} is not known here", quoted(word)), hint)
    }

    fn no_toml(&self, error: &toml::de::Error) -> KeysError {
        let span = error.span().unwrap_or_default();
        let word = self.text.get(span.clone()).unwrap_or_default();
        if error.message() == "duplicate key" {
            let what = format!("{} is given twice", quoted(word));
            return self.refuse(span.start, what, "keep one of the two lines");
        }
        self.refuse(
            span.start,
            format!("this is not TOML: {}", error.message()),
            "a line is a name, `=` and a list of keys in quotes, as in down = [\"j\", \"down\"]",
        )
    }

    fn refuse(
        &self,
        start: usize,
        what: impl std::fmt::Display,
        hint: impl Into<String>,
    ) -> KeysError {
        KeysError::at(&self.shown, self.text, start, what, hint)
    }
}
