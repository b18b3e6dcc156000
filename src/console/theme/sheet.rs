//! The text of one theme file, taken apart before anything is inherited; every complaint has its line and column.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use ratatui::style::{Color, Modifier, Style};
use toml::de::{DeTable, DeValue};

use super::super::user_file::{Key, Value, first_letter, in_order, meant, quoted};
use super::ThemeError;
use super::colour::{self, ANSI, DEFAULT};
use super::file::{Origin, is_plain};
use super::token::{Kind, Token};

const KEYS: [&str; 4] = ["name", "inherits", "palette", "tokens"];

/// The words of a style that are no colours.
pub(super) const MODIFIERS: [(&str, Modifier); 5] = [
    ("bold", Modifier::BOLD),
    ("dim", Modifier::DIM),
    ("italic", Modifier::ITALIC),
    ("underline", Modifier::UNDERLINED),
    ("reverse", Modifier::REVERSED),
];

/// Spells a style as a theme file does.
pub(super) fn spelled(style: Style) -> String {
    let mut words = vec![colour::spelled(style.fg.or(style.bg).unwrap_or_default())];
    if let (Some(_), Some(ground)) = (style.fg, style.bg) {
        words.extend(["on".to_owned(), colour::spelled(ground)]);
    }
    let has = |modifier| style.add_modifier.contains(modifier);
    let modifiers = MODIFIERS.iter().filter(|(_, modifier)| has(*modifier));
    words.extend(modifiers.map(|(word, _)| (*word).to_owned()));
    words.join(" ")
}

/// One file.
pub(super) struct Sheet {
    pub origin: Origin,
    pub palette: BTreeMap<String, Color>,
    pub lines: Vec<Line>,
    text: Cow<'static, str>,
    inherits: Option<Said>,
}

/// A line below `[tokens]`.
pub(super) struct Line {
    pub token: Token,
    said: Said,
}

/// A text in quotes, and the place where its first letter stands.
struct Said {
    text: String,
    start: usize,
}

impl Sheet {
    pub fn read(origin: Origin) -> Result<Self, ThemeError> {
        let text = origin.text()?;
        let mut sheet = Self {
            text: text.clone(),
            origin,
            inherits: None,
            palette: BTreeMap::new(),
            lines: Vec::new(),
        };
        let table = DeTable::parse(&text).map_err(|error| {
            sheet.refuse(
                error.span().unwrap_or_default().start,
                format!("this is not TOML: {}", error.message()),
                "a line is a name, `=` and a text in quotes, as in \"status.ok\" = \"green bold\"",
            )
        })?;
        let mut name = None;
        for (key, value) in in_order(table.get_ref()) {
            match key.get_ref().as_ref() {
                "name" => name = Some(sheet.said(key, value)?),
                "inherits" => sheet.inherits = Some(sheet.said(key, value)?),
                "palette" => sheet.take_palette(sheet.below(key, value)?)?,
                "tokens" => sheet.take_tokens(sheet.below(key, value)?)?,
                other => return Err(sheet.unknown(key.span().start, other, "key", &KEYS)),
            }
        }
        let wanted = sheet.origin.name()?;
        let (start, what) = match name {
            Some(name) if name.text == wanted => return Ok(sheet),
            Some(name) => (name.start, "the name is not that of the file"),
            None => (0, "the theme has no name"),
        };
        Err(sheet.refuse(start, what, format!("write name = \"{wanted}\"")))
    }

    fn take_palette(&mut self, table: &DeTable<'_>) -> Result<(), ThemeError> {
        for (key, value) in in_order(table) {
            let name = key.get_ref().as_ref();
            let is_word = name == "on" || MODIFIERS.iter().any(|(word, _)| *word == name);
            if is_word || name == DEFAULT || !is_plain(name) {
                return Err(self.refuse(
                    key.span().start,
                    format!("{} cannot be the name of a colour", quoted(name)),
                    "take lower-case letters, digits and `-`, and no word that styles have",
                ));
            }
            let said = self.said(key, value)?;
            let color = colour::parse(&said.text)
                .ok_or_else(|| self.no_colour(said.start, &said.text, &BTreeMap::new()))?;
            self.palette.insert(name.to_owned(), color);
        }
        Ok(())
    }

    fn take_tokens(&mut self, table: &DeTable<'_>) -> Result<(), ThemeError> {
        for (key, value) in in_order(table) {
            let (name, start) = (key.get_ref().as_ref(), key.span().start);
            if matches!(value.get_ref(), DeValue::Table(_)) {
                let hint = "quote the whole name, as in \"status.ok\" = \"green\"";
                return Err(self.refuse(start, format!("{} is a table", quoted(name)), hint));
            }
            let token = Token::named(name).ok_or_else(|| {
                let names: Vec<_> = Token::ALL.iter().map(|token| token.name()).collect();
                self.unknown(start, name, "token", &names)
            })?;
            let said = self.said(key, value)?;
            self.lines.push(Line { token, said });
        }
        Ok(())
    }

    /// Finds what this sheet inherits, where it does.
    pub fn parent(
        &self,
        folder: Option<&Path>,
        chain: &[Self],
    ) -> Result<Option<Origin>, ThemeError> {
        let Some(Said { text: name, start }) = &self.inherits else {
            return Ok(None);
        };
        // What is built in stands on what is built in, whatever names the user's own themes have.
        let folder = folder.filter(|_| matches!(self.origin, Origin::File(_)));
        if let Some(found) = Origin::find(name, folder, chain) {
            return Ok(Some(found));
        }
        if Origin::find(name, folder, &[]).is_some() {
            return Err(self.refuse(
                *start,
                format!("{} inherits from this theme itself", quoted(name)),
                "a chain of themes has an end: inherit another one, or none",
            ));
        }
        let known = super::Theme::available(folder);
        let known: Vec<_> = known.iter().map(String::as_str).collect();
        Err(self.unknown(*start, name, "theme", &known))
    }

    /// Reads a style: a colour, perhaps `on` another, perhaps modifiers.
    pub fn style(&self, line: &Line, palette: &BTreeMap<&str, Color>) -> Result<Style, ThemeError> {
        let color = |(place, word): (usize, &str)| {
            let known = palette.get(word).copied().or_else(|| colour::parse(word));
            known.ok_or_else(|| self.no_colour(place, word, palette))
        };
        let mut words = line.said.words().peekable();
        let first = words.next().ok_or_else(|| {
            let hint = "begin with a colour, as in \"green bold\"";
            self.refuse(line.said.start, "the style is empty", hint)
        })?;
        let first = color(first)?;
        if line.token.kind() == Kind::Ground {
            return match words.next() {
                None => Ok(Style::new().bg(first)),
                Some((place, _)) => Err(self.refuse(
                    place,
                    format!("`{}` is a background: one colour", line.token.name()),
                    "leave the rest out",
                )),
            };
        }
        let mut style = Style::new().fg(first);
        if let Some((place, _)) = words.next_if(|(_, word)| *word == "on") {
            let ground = words.next().ok_or_else(|| {
                let hint = "name the background, or leave `on` out";
                self.refuse(place, "`on` wants a colour after it", hint)
            })?;
            style = style.bg(color(ground)?);
        }
        for (place, word) in words {
            let known = MODIFIERS.iter().find(|(name, _)| *name == word);
            let (_, modifier) = known.ok_or_else(|| {
                self.unknown(place, word, "modifier", &MODIFIERS.map(|(name, _)| name))
            })?;
            style = style.add_modifier(*modifier);
        }
        Ok(style)
    }

    fn said(&self, key: &Key<'_>, value: &Value<'_>) -> Result<Said, ThemeError> {
        let start = value.span().start;
        let DeValue::String(text) = value.get_ref() else {
            let what = format!("`{}` must be a text", key.get_ref());
            let hint = "put quotes around it";
            return Err(self.refuse(start, what, hint));
        };
        Ok(Said {
            text: text.to_string(),
            start: first_letter(&self.text, value, text),
        })
    }

    fn below<'a>(
        &self,
        key: &Key<'_>,
        value: &'a Value<'a>,
    ) -> Result<&'a DeTable<'a>, ThemeError> {
        match value.get_ref() {
            DeValue::Table(table) => Ok(table),
            _ => Err(self.refuse(
                value.span().start,
                format!("`{}` must be a table", key.get_ref()),
                format!("write [{}] on a line of its own", key.get_ref()),
            )),
        }
    }

    fn no_colour(&self, start: usize, word: &str, palette: &BTreeMap<&str, Color>) -> ThemeError {
        if word.starts_with('#') {
            let what = format!("{} is no colour", quoted(word));
            return self.refuse(start, what, "a number has six digits, as in #5fafd7");
        }
        let named = ANSI.iter().map(|(name, ..)| *name);
        let known: Vec<_> = palette
            .keys()
            .copied()
            .chain(named)
            .chain([DEFAULT])
            .collect();
        self.unknown(start, word, "colour", &known)
    }

    fn unknown(&self, start: usize, word: &str, what: &str, known: &[&str]) -> ThemeError {
        let sentence = format!("{} is no {what}", quoted(word));
        self.refuse(start, sentence, meant(word, what, known))
    }

    fn refuse(
        &self,
        start: usize,
        what: impl std::fmt::Display,
        hint: impl Into<String>,
    ) -> ThemeError {
        ThemeError::at(&self.origin.shown(), &self.text, start, what, hint)
    }
}

impl Said {
    fn words(&self) -> impl Iterator<Item = (usize, &str)> {
        let mut start = self.start;
        self.text.split([' ', '\t']).filter_map(move |word| {
            let place = start;
            start += word.len() + 1;
            (!word.is_empty()).then_some((place, word))
        })
    }
}
