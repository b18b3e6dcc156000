//! Where themes lie: found by name, read with care, resolved along what they inherit.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use ratatui::style::Style;

use super::super::user_file::{meant, quoted, read};
use super::sheet::Sheet;
use super::token::Token;
use super::{BUILT_IN, Styles, ThemeError};
use crate::settings::shown_path;

/// Says where a theme's text lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    BuiltIn(&'static str),
    File(PathBuf),
}

impl Origin {
    /// Finds a theme by its name: the user's file first, the built-in one second, and none that was passed already.
    pub fn find(name: &str, folder: Option<&Path>, passed: &[Sheet]) -> Option<Self> {
        let file = folder.filter(|_| is_plain(name));
        let file = file.map(|folder| folder.join(format!("{name}.toml")));
        // A link that leads nowhere is found too, and refused by its name.
        let file = file.filter(|path| fs::symlink_metadata(path).is_ok());
        let built_in = BUILT_IN.iter().find(|(known, _)| *known == name);
        let built_in = built_in.map(|(known, _)| Self::BuiltIn(known));
        let mut found = file.map(Self::File).into_iter().chain(built_in);
        found.find(|origin| passed.iter().all(|sheet| sheet.origin != *origin))
    }

    pub fn shown(&self) -> String {
        match self {
            Self::BuiltIn(name) => format!("the built-in theme {name}"),
            Self::File(path) => shown_path(path),
        }
    }

    /// Gives the only name that the theme may have.
    pub fn name(&self) -> Result<&str, ThemeError> {
        let name = match self {
            Self::BuiltIn(name) => Some(*name),
            Self::File(path) => path.file_stem().and_then(|stem| stem.to_str()),
        };
        name.filter(|name| is_plain(name)).ok_or_else(|| {
            ThemeError::new(
                format!("{} is not named as a theme can be", self.shown()),
                "take lower-case letters, digits and `-`, as in dusk.toml",
            )
        })
    }

    pub fn text(&self) -> Result<Cow<'static, str>, ThemeError> {
        match self {
            Self::BuiltIn(name) => {
                let known = BUILT_IN.iter().find(|(known, _)| known == name);
                Ok(known.map_or("", |(_, text)| text).into())
            }
            Self::File(path) => read(path, "theme").map(Cow::from),
        }
    }
}

/// Tells whether a text can be the name of a theme or a colour.
pub(super) fn is_plain(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=40).contains(&name.len()) && name.chars().all(plain)
}

/// Resolves a theme by its name.
pub(super) fn by_name(name: &str, folder: Option<&Path>) -> Result<Styles, ThemeError> {
    let origin = Origin::find(name, folder, &[]).ok_or_else(|| {
        let known = super::Theme::available(folder);
        let known: Vec<_> = known.iter().map(String::as_str).collect();
        ThemeError::new(
            format!("there is no theme {}", quoted(name)),
            meant(name, "theme", &known),
        )
    })?;
    resolve(origin, folder)
}

/// Resolves a theme along its chain of parents.
pub(super) fn resolve(origin: Origin, folder: Option<&Path>) -> Result<Styles, ThemeError> {
    let mut chain = vec![Sheet::read(origin)?];
    while let Some(parent) = chain[chain.len() - 1].parent(folder, &chain)? {
        chain.push(Sheet::read(parent)?);
    }
    let mut palette = BTreeMap::new();
    for (name, color) in chain.iter().flat_map(|sheet| &sheet.palette) {
        palette.entry(name.as_str()).or_insert(*color);
    }
    let mut found: [Option<Style>; Token::ALL.len()] = [None; _];
    for sheet in &chain {
        for line in &sheet.lines {
            let style = sheet.style(line, &palette)?;
            found[line.token.place()].get_or_insert(style);
        }
    }
    let mut styles = Box::new([Style::new(); Token::ALL.len()]);
    for ((style, found), token) in styles.iter_mut().zip(found).zip(Token::ALL) {
        *style = found.ok_or_else(|| {
            let (whole, token) = (chain[0].origin.shown(), token.name());
            ThemeError::new(
                format!("{whole}: the token `{token}` is missing"),
                "define it below [tokens], or inherit the rest, as in inherits = \"dark\"",
            )
        })?;
    }
    Ok(styles)
}

/// Lists the names of the files in the user's folder that could be themes.
pub(super) fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        let name = name.strip_suffix(".toml")?;
        is_plain(name).then(|| name.to_owned())
    });
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}
