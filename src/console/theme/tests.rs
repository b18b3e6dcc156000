//! Themes as a whole: built in and of the user, and what becomes of them at every depth.

mod checks;
mod refusals;

use std::fs;

use ratatui::style::Modifier;

use super::*;

/// A folder of a user's own themes.
struct Own(tempfile::TempDir);

impl Own {
    fn new(files: &[(&str, &str)]) -> Self {
        let own = Self(tempfile::tempdir().unwrap());
        for (name, text) in files {
            let text = format!("name = \"{name}\"\n{text}");
            fs::write(own.path(name), text).unwrap();
        }
        own
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(format!("{name}.toml"))
    }

    fn load(&self, name: &str) -> Result<Theme, ThemeError> {
        Theme::load(name, Some(self.0.path()), Depth::True)
    }

    /// Reads a theme that is refused, and returns what is said without the folder.
    fn refused(&self, name: &str) -> (String, String) {
        let error = self.load(name).unwrap_err();
        let folder = format!("{}/", self.0.path().display());
        (error.sentence.replace(&folder, ""), error.hint)
    }
}

fn rgb(value: u32) -> Color {
    Color::from_u32(value)
}

#[test]
fn every_built_in_theme_is_whole_and_survives_being_spelled_out() {
    let own = Own::new(&[]);
    for name in Theme::NAMES {
        let theme = Theme::built_in(name).unwrap();
        assert_eq!(theme.name(), *name);
        fs::write(own.path(name), theme.to_toml()).unwrap();
        assert_eq!(own.load(name).unwrap().styles, theme.styles, "{name}");
    }
    assert!(Theme::built_in("no-such-theme").is_none());
}

#[test]
fn production_looks_like_nothing_else() {
    for name in Theme::NAMES {
        let theme = Theme::built_in(name).unwrap();
        for depth in [Depth::True, Depth::Indexed256, Depth::Ansi16, Depth::Mono] {
            let theme = theme.clone().fitted(depth).unwrap();
            for other in [Token::EnvStaging, Token::EnvDev, Token::EnvDemo] {
                let (prod, other) = (theme.at(Token::EnvProd), theme.at(other));
                let apart = prod.bg != other.bg || prod.add_modifier != other.add_modifier;
                assert!(apart, "{name} {depth:?}");
            }
        }
    }
}

#[test]
fn what_is_inherited_can_be_changed_by_palette_and_by_token() {
    let own = Own::new(&[
        ("dark", "inherits = \"dark\"\n[palette]\nok = \"#00ff88\"\n"),
        (
            "dusk",
            "inherits = \"dark\"\n[palette]\nmine = \"#010203\"\n[tokens]\n\"fg\" = \"ok on mine bold italic\"\n",
        ),
    ]);
    let (dark, dusk) = (own.load("dark").unwrap(), own.load("dusk").unwrap());
    assert_eq!(dark.at(Token::StatusOk).fg, Some(rgb(0x00_ff88)));
    assert_eq!(dusk.at(Token::GatePass).fg, Some(rgb(0x00_ff88)));
    let wanted = Style::new().fg(rgb(0x00_ff88)).bg(rgb(0x01_0203));
    assert_eq!(
        dusk.at(Token::Fg),
        wanted.add_modifier(Modifier::BOLD | Modifier::ITALIC)
    );
    assert_eq!(dusk.name(), "dusk");
    assert_eq!(
        dark.at(Token::Bg),
        Theme::built_in("dark").unwrap().at(Token::Bg)
    );
    let light = own.load("high-contrast").unwrap();
    assert_eq!(
        light.at(Token::StatusOk),
        Theme::built_in("high-contrast")
            .unwrap()
            .at(Token::StatusOk)
    );
    let names = Theme::available(Some(own.0.path()));
    assert_eq!((names.len(), names[7].as_str()), (8, "dusk"));
}

#[test]
fn a_selected_row_is_bold_on_its_own_ground() {
    let dark = Theme::built_in("dark").unwrap();
    let selected = dark.selected();
    assert_eq!(selected.bg, dark.at(Token::SelectionBg).bg);
    assert_eq!(selected.fg, dark.at(Token::SelectionFg).fg);
    assert!(selected.add_modifier.contains(Modifier::BOLD));
    let mono = Theme::built_in("mono").unwrap().selected();
    assert!(mono.add_modifier.contains(Modifier::REVERSED));
}

#[test]
fn colours_are_fitted_to_the_terminal() {
    let dark = |depth| Theme::load("dark", None, depth).unwrap();
    assert_eq!(dark(Depth::True).at(Token::Bg).bg, Some(rgb(0x11_151d)));
    let rounded = dark(Depth::Indexed256);
    let is_indexed =
        |color: Option<Color>| color.is_none_or(|color| matches!(color, Color::Indexed(16..)));
    assert!(
        rounded
            .styles
            .iter()
            .all(|style| is_indexed(style.fg) && is_indexed(style.bg))
    );
    assert_eq!(
        dark(Depth::Ansi16).styles,
        Theme::built_in("ansi16").unwrap().styles
    );
    assert_eq!(dark(Depth::Ansi16).name(), "dark");

    let own = Own::new(&[
        (
            "named",
            "inherits = \"ansi16\"\n[tokens]\n\"accent\" = \"green\"\n",
        ),
        ("mono", "inherits = \"dark\"\n"),
    ]);
    let load = |name, depth| Theme::load(name, Some(own.0.path()), depth).unwrap();
    assert_eq!(
        load("named", Depth::Ansi16).at(Token::Accent).fg,
        Some(Color::Green)
    );
    for name in ["named", "mono", "light"] {
        assert_eq!(
            load(name, Depth::Mono).styles,
            Theme::built_in("mono").unwrap().styles
        );
    }
    assert!(
        load("mono", Depth::True)
            .at(Token::Fg)
            .fg
            .is_some_and(|color| color != Color::Reset)
    );
}

#[test]
fn the_depth_follows_from_the_environment() {
    for (variables, depth) in [
        (&[][..], Depth::Ansi16),
        (&[("TERM", "xterm")], Depth::Ansi16),
        (&[("TERM", "xterm-256color")], Depth::Indexed256),
        (&[("TERM", "tmux")], Depth::Indexed256),
        (&[("TERM", "screen.xterm-new")], Depth::Indexed256),
        (
            &[("TERM", "screen"), ("COLORTERM", "truecolor")],
            Depth::True,
        ),
        (&[("TERM", "xterm"), ("COLORTERM", "24bit")], Depth::True),
        (&[("TERM", "xterm"), ("COLORTERM", "yes")], Depth::Ansi16),
        (&[("TERM", "dumb")], Depth::Mono),
        (&[("TERM", "dumb"), ("COLORTERM", "truecolor")], Depth::Mono),
        (
            &[("NO_COLOR", "1"), ("COLORTERM", "truecolor")],
            Depth::Mono,
        ),
        (&[("NO_COLOR", ""), ("COLORTERM", "truecolor")], Depth::True),
    ] {
        let find = |name: &str| variables.iter().find(|(known, _)| *known == name);
        let env = |name: &str| find(name).map(|(_, value)| (*value).to_owned());
        assert_eq!(depth_of(env), depth, "{variables:?}");
    }
}
