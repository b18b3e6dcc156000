//! Fields that people type into.

use crossterm::event::KeyCode;

use super::stroke::Stroke;

/// One line of text with a cursor.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line {
    text: Vec<char>,
    cursor: usize,
}

/// The most characters that a line takes.
const MOST: usize = 400;

impl Line {
    /// Makes a line that holds a text, with the cursor at its end.
    #[must_use]
    pub fn holding(text: &str) -> Self {
        let text: Vec<char> = text.chars().take(MOST).collect();
        Self {
            cursor: text.len(),
            text,
        }
    }

    /// Returns what was typed.
    #[must_use]
    pub fn text(&self) -> String {
        self.text.iter().collect()
    }

    /// Returns what stands before and after the cursor.
    #[must_use]
    pub fn halves(&self) -> (String, String) {
        let (before, after) = self.text.split_at(self.cursor);
        (before.iter().collect(), after.iter().collect())
    }

    /// Tells whether nothing was typed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Forgets what was typed.
    pub fn clear(&mut self) {
        self.text.clear();
        self.cursor = 0;
    }

    /// Takes a text at the cursor; line ends become blanks, other controls are left out.
    pub fn insert(&mut self, text: &str) {
        for character in text.chars() {
            let character = if character == '\n' { ' ' } else { character };
            if !character.is_control() && self.text.len() < MOST {
                self.text.insert(self.cursor, character);
                self.cursor += 1;
            }
        }
    }

    /// Takes a stroke; tells whether it meant something to the line.
    pub fn press(&mut self, stroke: Stroke) -> bool {
        match (stroke.control, stroke.code) {
            (false, KeyCode::Char(character)) => self.insert(character.encode_utf8(&mut [0; 4])),
            (false, KeyCode::Backspace) if self.cursor > 0 => {
                self.cursor -= 1;
                self.text.remove(self.cursor);
            }
            (false, KeyCode::Backspace) => {}
            (false, KeyCode::Delete) if self.cursor < self.text.len() => {
                self.text.remove(self.cursor);
            }
            (false, KeyCode::Left) => self.cursor = self.cursor.saturating_sub(1),
            (false, KeyCode::Right) => self.cursor = (self.cursor + 1).min(self.text.len()),
            (false, KeyCode::Home) | (true, KeyCode::Char('a')) => self.cursor = 0,
            (false, KeyCode::End) | (true, KeyCode::Char('e')) => self.cursor = self.text.len(),
            (true, KeyCode::Char('u')) => {
                self.text.drain(..self.cursor);
                self.cursor = 0;
            }
            (true, KeyCode::Char('w')) => self.forget_word(),
            _ => return false,
        }
        true
    }

    fn forget_word(&mut self) {
        let before = &self.text[..self.cursor];
        let kept = before
            .iter()
            .rposition(|character| *character != ' ')
            .and_then(|end| {
                before[..end]
                    .iter()
                    .rposition(|character| *character == ' ')
            })
            .map_or(0, |blank| blank + 1);
        self.text.drain(kept..self.cursor);
        self.cursor = kept;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(keys: &str) -> Line {
        let mut line = Line::default();
        for key in keys.split_whitespace() {
            line.press(key.parse().expect("a key"));
        }
        line
    }

    #[test]
    fn a_line_edits_at_its_cursor() {
        assert_eq!(typed("a b c left left X").text(), "aXbc");
        assert_eq!(typed("a b backspace c").text(), "ac");
        assert_eq!(typed("a b space c d ctrl-w").text(), "ab ");
        assert_eq!(typed("a b space ctrl-w").text(), "");
        assert_eq!(typed("a b left ctrl-u").text(), "b");
        assert_eq!(typed("backspace left ctrl-u ctrl-w").text(), "");
        assert_eq!(typed("ä ö home ü").halves(), ("ü".into(), "äö".into()));
    }

    #[test]
    fn what_is_inserted_stays_on_the_line() {
        let mut line = Line::default();
        line.insert("a\nb\u{1b}[2J\tc");
        assert_eq!(line.text(), "a b[2Jc");
        line.insert(&"x".repeat(MOST * 2));
        assert_eq!(line.text().chars().count(), MOST);
    }
}
