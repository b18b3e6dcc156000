//! The line of panes: each with its key and with what waits there; names are cut where the screen is too narrow for all.

use ratatui::layout::Rect;
use ratatui::style::Modifier;
use unicode_width::UnicodeWidthStr;

use super::model::Model;
use super::panes::PaneId;
use super::theme::Token;
use super::ui::Pen;

/// A pane in the line.
struct Tab {
    key: String,
    name: &'static str,
    count: String,
    is_open: bool,
}

/// How far apart the tabs stand, and how many letters of a name are shown where it is not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Fit {
    gap: u16,
    letters: usize,
}

impl Tab {
    fn text(&self, letters: usize) -> String {
        let letters = if self.is_open { usize::MAX } else { letters };
        let name: String = self.name.chars().take(letters).collect();
        let key = match (self.key.as_str(), name.as_str()) {
            ("", _) | (_, "") => self.key.clone(),
            (key, _) => format!("{key} "),
        };
        format!("{key}{name}{}", self.count)
    }
}

/// Finds out how much of the names there is room for; the open one's is always whole.
fn fitting(tabs: &[Tab], width: u16) -> Fit {
    let longest = tabs.iter().map(|tab| tab.name.len()).max().unwrap_or(0);
    let apart = Fit {
        gap: 3,
        letters: longest,
    };
    let close = (0..=longest).rev().map(|letters| Fit { gap: 1, letters });
    // Before the first there is one blank, and on either side of each the place of a bracket.
    let takes = |fit: &Fit| {
        let texts = tabs.iter().map(|tab| tab.text(fit.letters).width());
        let gaps = tabs.len().saturating_sub(1) * usize::from(fit.gap);
        texts.sum::<usize>() + gaps + 3
    };
    let mut fits = [apart].into_iter().chain(close);
    let found = fits.find(|fit| takes(fit) <= usize::from(width));
    found.unwrap_or(Fit { gap: 1, letters: 0 })
}

/// Draws the line; what is open stands in brackets.
pub fn draw(model: &Model, pen: &mut Pen<'_>, area: Rect) {
    let tabs: Vec<Tab> = PaneId::ALL.iter().map(|pane| tab(model, *pane)).collect();
    let fit = fitting(&tabs, area.width);
    let mut x = area.x + 1;
    for tab in tabs {
        let text = tab.text(fit.letters);
        let (at, text, style) = if tab.is_open {
            let style = pen.style(Token::Accent).add_modifier(Modifier::BOLD);
            (x, format!("[{text}]"), style)
        } else {
            (x + 1, text, pen.style(Token::Muted))
        };
        let room = area.right().saturating_sub(at);
        let end = at + pen.write(at, area.y + 1, room, style, &text);
        x = end - u16::from(tab.is_open) + fit.gap - 1;
    }
}

fn tab(model: &Model, pane: PaneId) -> Tab {
    let count = match (pane, &model.picture) {
        // Beside rows of the past, a count of today would mislead.
        _ if model.as_of.is_some() => String::new(),
        (PaneId::Blocks, Some(picture)) if picture.counts.open > 0 => {
            let urgent = picture.reasons.iter().any(|reason| reason.untaken > 0);
            format!(" {}{}", picture.counts.open, if urgent { "!" } else { "" })
        }
        _ => String::new(),
    };
    Tab {
        key: model.start.keymap.key(pane.intent()).unwrap_or_default(),
        name: pane.word(),
        count,
        is_open: pane == model.pane,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The line of nine panes, with `open` as the one that is open.
    fn nine(open: usize) -> Vec<Tab> {
        let names = [
            ("Home", ""),
            ("Migration", ""),
            ("Mismatches", " 12"),
            ("Blocks", " 3!"),
            ("Weeks", ""),
            ("Cutover", ""),
            ("Bundles", ""),
            ("Ledger", ""),
            ("People", ""),
        ];
        let tab = |(at, (name, count)): (usize, (&'static str, &str))| Tab {
            key: (at + 1).to_string(),
            name,
            count: count.to_owned(),
            is_open: at == open,
        };
        names.into_iter().enumerate().map(tab).collect()
    }

    #[test]
    fn nine_panes_have_room_in_eighty_columns_and_keep_digit_and_count() {
        for open in 0..9 {
            let tabs = nine(open);
            let fit = fitting(&tabs, 80);
            assert!(fit.gap == 1 && fit.letters >= 4, "{open}: {fit:?}");
            let texts: Vec<_> = tabs.iter().map(|tab| tab.text(fit.letters)).collect();
            assert!(texts[open].contains(tabs[open].name));
            assert!(texts.concat().len() + 8 + 3 <= 80);
            assert!(texts[3].starts_with("4 Bloc") && texts[3].ends_with(" 3!"));
        }
        assert_eq!(fitting(&nine(0), 160).gap, 3, "nothing is cut there");
        let narrow = fitting(&nine(3), 60);
        assert_eq!(nine(3)[1].text(narrow.letters), "2 Mi");
        assert_eq!(nine(3)[1].text(0), "2");
    }
}
