//! Themes: what each thing on the screen looks like, named by meaning and read from a file.
//!
//! A [`Token`] names a meaning, a theme file gives it a style, and [`Theme::at`] hands that to whoever draws. Nothing
//! else in the console names a colour.

pub mod check;
mod colour;
mod file;
mod schema;
mod sheet;
mod token;
mod vision;

use std::path::Path;

use ratatui::style::{Color, Style};

pub use super::user_file::FileError as ThemeError;
pub use schema::schema;
pub use token::{Kind, Token};
pub use vision::Vision;

use file::Origin;

/// The themes that need no file, with their text.
const BUILT_IN: [(&str, &str); 7] = [
    ("dark", include_str!("../../../themes/dark.toml")),
    ("light", include_str!("../../../themes/light.toml")),
    (
        "high-contrast",
        include_str!("../../../themes/high-contrast.toml"),
    ),
    (
        "colour-blind-dark",
        include_str!("../../../themes/colour-blind-dark.toml"),
    ),
    (
        "colour-blind-light",
        include_str!("../../../themes/colour-blind-light.toml"),
    ),
    ("ansi16", include_str!("../../../themes/ansi16.toml")),
    ("mono", include_str!("../../../themes/mono.toml")),
];

type Styles = Box<[Style; Token::ALL.len()]>;

/// Says how many colours a terminal can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// All of sRGB.
    True,
    /// The 240 fixed ones of the 256.
    Indexed256,
    /// The 16 that the terminal's own settings decide.
    Ansi16,
    /// None.
    Mono,
}

/// Finds out from the environment how many colours the terminal can show.
#[must_use]
pub fn depth_of(env: impl Fn(&str) -> Option<String>) -> Depth {
    let is_set = env("NO_COLOR").is_some_and(|value| !value.is_empty());
    let term = env("TERM").unwrap_or_default();
    // A dumb terminal may have the COLORTERM of the one it was started from.
    if is_set || term == "dumb" {
        return Depth::Mono;
    }
    match env("COLORTERM").as_deref() {
        Some("truecolor" | "24bit") => Depth::True,
        _ if term.ends_with("256color") => Depth::Indexed256,
        _ if term.starts_with("tmux") || term.starts_with("screen") => Depth::Indexed256,
        _ => Depth::Ansi16,
    }
}

/// Gives the parts of a colour as a terminal's usual palette has it; none for the terminal's own.
#[must_use]
pub fn rgb(color: ratatui::style::Color) -> Option<[u8; 3]> {
    colour::rgb(color)
}

/// Holds a style for every token.
#[derive(Debug, Clone)]
pub struct Theme {
    name: String,
    styles: Styles,
}

impl Theme {
    /// The names of the built-in themes.
    pub const NAMES: &[&str] = &{
        let mut names = [""; BUILT_IN.len()];
        let mut at = 0;
        while at < names.len() {
            names[at] = BUILT_IN[at].0;
            at += 1;
        }
        names
    };

    /// Gives a built-in theme in all its colours.
    #[must_use]
    pub fn built_in(name: &str) -> Option<Self> {
        Self::load(name, None, Depth::True).ok()
    }

    /// Reads a theme by its name and fits it to what the terminal can show.
    ///
    /// A file `NAME.toml` in the user's folder wins over the built-in theme of that name. On a terminal with 16 colours a
    /// theme that asks for others would lose its shades, so `ansi16` stands in for it; without colours, `mono` does.
    pub fn load(name: &str, user_folder: Option<&Path>, depth: Depth) -> Result<Self, ThemeError> {
        Self::of(name, file::by_name(name, user_folder)?).fitted(depth)
    }

    /// Reads a theme from any file; what it inherits is looked for in the user's folder first.
    pub fn read(path: &Path, user_folder: Option<&Path>) -> Result<Self, ThemeError> {
        let origin = Origin::File(path.to_owned());
        let name = origin.name()?.to_owned();
        Ok(Self::of(&name, file::resolve(origin, user_folder)?))
    }

    /// Lists the names of all themes: the built-in ones, then those in the user's folder.
    #[must_use]
    pub fn available(user_folder: Option<&Path>) -> Vec<String> {
        let mut names: Vec<_> = Self::NAMES.iter().copied().map(str::to_owned).collect();
        let own = user_folder.map(file::names_in).unwrap_or_default();
        names.extend(
            own.into_iter()
                .filter(|name| !Self::NAMES.contains(&name.as_str())),
        );
        names
    }

    /// Returns the name it was asked for by.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the style of a token: of a ground its background, of anything else all that was said about it.
    #[must_use]
    pub fn at(&self, token: Token) -> Style {
        self.styles[token.place()]
    }

    /// Returns the style of a selected row.
    #[must_use]
    pub fn selected(&self) -> Style {
        let ground = self.at(Token::SelectionBg);
        ground.patch(self.at(Token::SelectionFg)).bold()
    }

    /// Spells the style of a token as a theme file does.
    #[must_use]
    pub fn spelled(&self, token: Token) -> String {
        sheet::spelled(self.at(token))
    }

    /// Spells the theme as a file that inherits nothing.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let tokens = Token::ALL.iter().map(|token| {
            let style = self.spelled(*token);
            format!("\"{}\" = \"{style}\"\n", token.name())
        });
        let tokens: String = tokens.collect();
        format!("name = \"{}\"\n\n[tokens]\n{tokens}", self.name)
    }

    fn of(name: &str, styles: Styles) -> Self {
        Self {
            name: name.to_owned(),
            styles,
        }
    }

    /// Fits the theme to what a terminal can show.
    fn fitted(mut self, depth: Depth) -> Result<Self, ThemeError> {
        let is_exact = |color: Option<Color>| matches!(color, Some(Color::Rgb(..)));
        let is_exact = |style: &Style| is_exact(style.fg) || is_exact(style.bg);
        match depth {
            Depth::Indexed256 => {
                for style in self.styles.iter_mut() {
                    style.fg = style.fg.map(colour::rounded);
                    style.bg = style.bg.map(colour::rounded);
                }
            }
            Depth::Ansi16 if self.styles.iter().any(is_exact) => {
                self.styles = file::by_name("ansi16", None)?;
            }
            Depth::Mono => self.styles = file::by_name("mono", None)?,
            Depth::True | Depth::Ansi16 => {}
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests;
