//! The card for a newcomer: five lines on Home, until they say that they have read them.

use ratatui::layout::Rect;

use super::keymap::{Intent, Keymap};
use super::model::Model;
use super::theme::Token;
use super::ui::{Parts, Pen};

/// How many lines the card has.
const LINES: u16 = 5;
/// From how many lines on a screen has room for the card and for what Home is about.
const ROOM: u16 = 20;

/// Whether the card is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Card {
    /// It was put away, or nobody is a newcomer.
    #[default]
    Away,
    /// It stands on Home.
    Shown,
}

/// Returns how many lines of Home the card takes: its own and the edge above them; the edge below is Home's own.
#[must_use]
pub fn height(model: &Model) -> u16 {
    let is_shown = model.card == Card::Shown && model.size.1 >= ROOM;
    if is_shown { LINES + 1 } else { 0 }
}

/// Draws the card at the top of an area, where it is shown.
pub fn draw(model: &Model, pen: &mut Pen<'_>, area: Rect) {
    let height = height(model);
    if height == 0 {
        return;
    }
    let keymap = &model.start.keymap;
    let frame = Rect {
        height: height + 1,
        ..area
    };
    let inside = pen.frame(frame, &title(keymap), Token::Accent);
    let lines: Vec<Parts> = lines(keymap)
        .into_iter()
        .map(|line| vec![(Token::Fg, line)])
        .collect();
    let inside = Rect {
        x: inside.x + 2,
        width: inside.width.saturating_sub(2),
        ..inside
    };
    pen.lines(inside, &lines);
}

/// Says what the card is, and how it goes and comes back.
fn title(keymap: &Keymap) -> String {
    let [escape, palette] = [Intent::Escape, Intent::Palette].map(|intent| keymap.hint(intent));
    format!("New here? {escape} puts this away for good, {palette} tour shows it again")
}

/// Writes the card with the keys as they are in force.
fn lines(keymap: &Keymap) -> [String; LINES as usize] {
    let key = |intent| keymap.hint(intent);
    [
        "Home says what comes next, what is blocked, what waits for you, what is new.".to_owned(),
        format!(
            "{} goes there. It never writes, and {} is always safe.",
            key(Intent::Open),
            key(Intent::Escape)
        ),
        format!(
            "{} lists what can be done, and why not: nothing else writes.",
            key(Intent::Act)
        ),
        format!(
            "{} lists the keys, {} finds a command by a word, {} says why.",
            key(Intent::Help),
            key(Intent::Palette),
            key(Intent::Why)
        ),
        format!(
            "{} leads you through all of it in eight steps that write nothing.",
            key(Intent::Tour)
        ),
    ]
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr;

    use super::super::keymap::Preset;
    use super::*;

    #[test]
    fn the_card_fits_eighty_columns_in_every_preset() {
        for preset in Preset::ALL {
            let keymap = Keymap::of(*preset).expect("it is sound");
            assert!(title(&keymap).width() <= 74, "{preset}");
            for line in lines(&keymap) {
                assert!(line.width() <= 76, "{preset}: {line}");
            }
        }
    }
}
