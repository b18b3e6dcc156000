//! The words of an action, while they are typed.

use crossterm::event::KeyCode;

use crate::actions::{Entry, Required};
use crate::rules::Refusal;

use super::super::form::Line;
use super::super::stroke::Stroke;

/// The words of an action, while they are typed.
#[derive(Debug)]
pub struct Filling {
    /// The fields: label, help, and what was typed.
    pub fields: Vec<(&'static str, &'static str, Line)>,
    /// Which one has the cursor.
    pub focus: usize,
    /// What is wrong with them.
    pub wrong: Option<Refusal>,
}

impl Filling {
    /// Takes a key; returns the words when they are complete.
    pub(super) fn press(
        &mut self,
        stroke: Stroke,
        entry: &Entry,
    ) -> Option<Vec<(&'static str, String)>> {
        let count = self.fields.len();
        match stroke.code {
            KeyCode::Tab | KeyCode::Down => self.focus = (self.focus + 1) % count,
            KeyCode::BackTab | KeyCode::Up => self.focus = (self.focus + count - 1) % count,
            KeyCode::Enter if self.focus + 1 < count => self.focus += 1,
            // Going on from the last field writes nothing: it only shows what would happen.
            KeyCode::Enter => return self.complete(entry),
            _ => {
                let (_, _, line) = self.fields.get_mut(self.focus)?;
                line.press(stroke);
            }
        }
        None
    }

    fn complete(&mut self, entry: &Entry) -> Option<Vec<(&'static str, String)>> {
        let needed = |name: &str| {
            name == "id"
                || entry
                    .fields
                    .iter()
                    .any(|field| field.name == name && field.required == Required::Yes)
        };
        let missing = self
            .fields
            .iter()
            .position(|(name, _, line)| line.text().trim().is_empty() && needed(name));
        if let Some(missing) = missing {
            self.focus = missing;
            self.wrong = Some(Refusal::new(
                format!("{} is missing", self.fields[missing].0),
                "type it here",
            ));
            return None;
        }
        let typed = self
            .fields
            .iter()
            .map(|(name, _, line)| (*name, line.text().trim().to_owned()));
        Some(typed.filter(|(_, text)| !text.is_empty()).collect())
    }
}
