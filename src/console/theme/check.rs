//! Computes whether a theme can be read, and whether its states can be told apart, whoever looks.
//!
//! - Text on every ground, a chip on its own: a contrast of 4.5 as WCAG 2 has it, also after rounding to 256 colours;
//!   7 for `high-contrast` and what is named after it.
//! - States of one group, in any two: 10 apart in `OKLab`, by text or background, for the usual eye and for the three
//!   kinds of colour blindness. Where the terminal decides the colours, a different modifier does as well.
//! - Default on default is the terminal's own and not judged. Whatever else cannot be computed is a finding.

use ratatui::style::{Color, Modifier, Style};

use super::colour::{self, rgb};
use super::token::{Kind, Token};
use super::vision::Vision;
use super::{Depth, Theme, ThemeError};
use crate::rules::words;

/// The contrast that text has at least.
pub const CONTRAST: f64 = 4.5;
/// The contrast that text has at least in a high-contrast theme.
pub const HIGH_CONTRAST: f64 = 7.0;
/// How far apart states are at least.
pub const APART: f64 = 10.0;

/// The grounds that text is drawn on.
const GROUNDS: [Token; 3] = [Token::Bg, Token::Surface, Token::Raised];

/// The groups whose tokens stand beside each other and mean different things.
const STATES: [&str; 9] = [
    "status", "env", "mode", "phase", "gate", "sla", "ack", "diff", "spark",
];

words! {
    /// What a theme can lack.
    pub enum Lack {
        /// Text is hard to read on a ground.
        Contrast = "contrast",
        /// A chip is hard to read, or no chip.
        Chip = "chip",
        /// Two states look alike.
        Distance = "distance",
        /// Nobody can tell, because the terminal decides half of it.
        CannotTell = "cannot-tell",
    }
}

/// Says what a theme lacks in one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What kind of thing is missing.
    pub lack: Lack,
    /// The tokens it is about.
    pub tokens: [Token; 2],
    /// The same for people.
    pub sentence: String,
}

/// Holds the smallest numbers of a theme at one depth; none where nothing could be computed.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Numbers {
    /// The smallest contrast of text on its grounds.
    pub contrast: Option<f64>,
    /// The smallest distance of two states of a group.
    pub apart: Option<f64>,
}

/// Says what was computed for a theme.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// In all its colours.
    pub full: Numbers,
    /// Rounded to 256 colours; there the distance is told, and not judged.
    pub rounded: Numbers,
    /// What is missing.
    pub findings: Vec<Finding>,
}

/// Checks a theme in all its colours, and rounded to 256.
pub fn check(theme: &Theme) -> Result<Report, ThemeError> {
    let mut findings = Vec::new();
    let rounded = theme.clone().fitted(Depth::Indexed256)?;
    let mut contrast = |theme: &Theme, note| {
        let (smallest, found) = contrasts(theme, note);
        // What cannot be told is the same at both depths.
        let new = |finding: &Finding| finding.lack != Lack::CannotTell || note.is_empty();
        findings.extend(found.into_iter().filter(new));
        smallest
    };
    let contrast = [contrast(theme, ""), contrast(&rounded, " in 256 colours")];
    let (apart, found) = distances(theme);
    findings.extend(found);
    Ok(Report {
        full: Numbers {
            contrast: contrast[0],
            apart,
        },
        rounded: Numbers {
            contrast: contrast[1],
            apart: distances(&rounded).0,
        },
        findings,
    })
}

fn contrasts(theme: &Theme, note: &str) -> (Option<f64>, Vec<Finding>) {
    let is_high = theme.name().starts_with("high-contrast");
    let wanted = if is_high { HIGH_CONTRAST } else { CONTRAST };
    let (mut smallest, mut findings) = (None, Vec::new());
    for token in Token::ALL.iter().copied() {
        let style = theme.at(token);
        let (lack, grounds) = match (token.kind(), style.bg) {
            (Kind::Ground | Kind::Line, _) => continue,
            (_, Some(_)) => (Lack::Chip, &[token][..]),
            (Kind::Selected, None) => (Lack::Contrast, &[Token::SelectionBg][..]),
            (Kind::Text, None) => (Lack::Contrast, &GROUNDS[..]),
        };
        if token.group() == Some("env") && style.bg.is_none() && style.fg != Some(Color::Reset) {
            findings.push(Finding {
                lack: Lack::Chip,
                tokens: [token; 2],
                sentence: format!("{} has no background of its own", token.name()),
            });
        }
        for ground in grounds.iter().copied() {
            let on = match lack {
                Lack::Chip => "its own background".to_owned(),
                _ => ground.name().to_owned(),
            };
            let mut find = |lack, what: &str| {
                findings.push(Finding {
                    lack,
                    tokens: [token, ground],
                    sentence: format!("{} on {on}{note}: {what}", token.name()),
                });
            };
            match (
                style.fg.unwrap_or_default(),
                theme.at(ground).bg.unwrap_or_default(),
            ) {
                (Color::Reset, Color::Reset) => {}
                _ if style.add_modifier.contains(Modifier::DIM) => {
                    find(Lack::CannotTell, "how dim is dim, only the terminal knows");
                }
                (text, below) => match (rgb(text), rgb(below)) {
                    (Some(text), Some(below)) => {
                        let contrast = colour::contrast(text, below);
                        keep_smaller(&mut smallest, contrast);
                        if contrast < wanted {
                            find(lack, &format!("contrast {contrast:.2}, wanted {wanted:.1}"));
                        }
                    }
                    _ => find(
                        Lack::CannotTell,
                        "what default looks like, only the terminal knows",
                    ),
                },
            }
        }
    }
    (smallest, findings)
}

fn distances(theme: &Theme) -> (Option<f64>, Vec<Finding>) {
    let (mut smallest, mut findings) = (None, Vec::new());
    for group in STATES {
        let tokens = Token::ALL.iter().copied();
        let tokens: Vec<_> = tokens
            .filter(|token| token.group() == Some(group))
            .collect();
        for (place, one) in tokens.iter().enumerate() {
            for other in &tokens[place + 1..] {
                let (left, right) = (theme.at(*one), theme.at(*other));
                if (is_terminals(left) || is_terminals(right))
                    && left.add_modifier != right.add_modifier
                {
                    continue;
                }
                let (apart, vision) = apart(theme, left, right);
                keep_smaller(&mut smallest, apart);
                if apart < APART {
                    findings.push(Finding {
                        lack: Lack::Distance,
                        tokens: [*one, *other],
                        sentence: format!(
                            "{} and {}: {apart:.2} apart for {vision}, wanted {APART:.0}",
                            one.name(),
                            other.name()
                        ),
                    });
                }
            }
        }
    }
    (smallest, findings)
}

/// Computes how far apart two states look to whom they look most alike, by text or by background.
fn apart(theme: &Theme, one: Style, other: Style) -> (f64, Vision) {
    let seen = |vision: Vision| {
        let between = |one: Option<Color>, other: Option<Color>| match (
            one.and_then(rgb),
            other.and_then(rgb),
        ) {
            (Some(one), Some(other)) => vision.apart(one, other),
            _ => 0.0,
        };
        // Without a background of its own a state stands on any ground.
        let below = GROUNDS.map(|ground| {
            let ground = theme.at(ground).bg;
            between(one.bg.or(ground), other.bg.or(ground))
        });
        let below = below.into_iter().fold(f64::INFINITY, f64::min);
        // On two chips it is the chip that is seen.
        if one.bg.is_some() && other.bg.is_some() {
            below
        } else {
            between(one.fg, other.fg).max(below)
        }
    };
    let all = Vision::ALL.iter().map(|vision| (seen(*vision), *vision));
    all.min_by(|one, other| one.0.total_cmp(&other.0))
        .unwrap_or((0.0, Vision::Usual))
}

/// Tells whether the terminal decides a colour of this style.
fn is_terminals(style: Style) -> bool {
    let decides = |color: Color| !matches!(color, Color::Rgb(..) | Color::Indexed(_));
    style.fg.is_some_and(decides) || style.bg.is_some_and(decides)
}

fn keep_smaller(smallest: &mut Option<f64>, found: f64) {
    *smallest = Some(smallest.map_or(found, |smallest: f64| smallest.min(found)));
}
