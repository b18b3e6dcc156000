//! The keys of whatever is open over a pane: the filter line, the action box, the palette, texts, the theme picker.

use crossterm::event::{KeyCode, MouseEvent, MouseEventKind};

use crate::actions::ENTRIES;
use crate::rules::filter::Filter;
use crate::rules::people::Basis;

use super::event::Effect;
use super::form::Line;
use super::list::Step;
use super::model::Model;
use super::overlay::{Choice, Overlay, Text};
use super::panes::PaneId;
use super::stroke::Stroke;

impl Model {
    pub(super) fn press_filter(&mut self, stroke: Stroke) {
        let text = self.typing().map(Line::text).unwrap_or_default();
        match stroke.code {
            KeyCode::Esc => self.stop_typing(),
            KeyCode::Char('c') if stroke.control => self.stop_typing(),
            KeyCode::Enter => {
                self.stop_typing();
                self.filter(&text);
            }
            _ => {
                if let Some(line) = self.typing_mut() {
                    line.press(stroke);
                }
            }
        }
    }

    fn stop_typing(&mut self) {
        self.blocks.typing = None;
        self.entries.typing = None;
    }

    pub(super) fn filter(&mut self, text: &str) {
        match Filter::parse(text, self.filter_fields()) {
            Ok(filter) => match self.pane {
                PaneId::Home => {}
                PaneId::Blocks => self.blocks.filter_by(text, filter),
                PaneId::Ledger => self.entries.filter_by(text, filter),
            },
            Err(refusal) => self.refuse(&refusal),
        }
    }

    pub(super) fn press_overlay(&mut self, stroke: Stroke, effects: &mut Vec<Effect>) {
        let closes =
            stroke.code == KeyCode::Esc || (stroke.control && stroke.code == KeyCode::Char('c'));
        let Some(mut overlay) = self.overlay.take() else {
            return;
        };
        let stays = match &mut overlay {
            Overlay::Leave => {
                if stroke.character() == Some('y')
                    || (stroke.control && stroke.code == KeyCode::Char('c'))
                {
                    effects.push(Effect::Quit);
                }
                false
            }
            Overlay::Actions => return self.press_action(stroke, effects),
            Overlay::Text(text) => !closes && text.press(stroke, self.size.1),
            Overlay::Clipboard(_) => !closes && stroke.code != KeyCode::Enter,
            Overlay::Palette(palette) => {
                let found = palette.found(self.pane);
                match stroke.code {
                    _ if closes => false,
                    KeyCode::Enter => {
                        if let Some(command) = found.get(palette.at) {
                            match command.choice {
                                Choice::Intent(intent) => self.intend(intent, effects),
                                Choice::Act(entry) => self.act(entry, effects),
                            }
                        }
                        return;
                    }
                    KeyCode::Down | KeyCode::Tab => {
                        palette.at = (palette.at + 1).min(found.len().saturating_sub(1));
                        true
                    }
                    KeyCode::Up | KeyCode::BackTab => {
                        palette.at = palette.at.saturating_sub(1);
                        true
                    }
                    _ => {
                        palette.line.press(stroke);
                        palette.at = 0;
                        true
                    }
                }
            }
            Overlay::Themes(themes) => {
                match stroke.code {
                    KeyCode::Down | KeyCode::Char('j') => {
                        themes.at = (themes.at + 1).min(themes.names.len().saturating_sub(1));
                    }
                    KeyCode::Up | KeyCode::Char('k') => themes.at = themes.at.saturating_sub(1),
                    _ => {}
                }
                let picked = themes.names.get(themes.at).cloned();
                let name = if closes {
                    Some(themes.before.clone())
                } else {
                    picked
                };
                if let Some(name) = name {
                    self.show_theme(&name);
                }
                !closes && stroke.code != KeyCode::Enter
            }
        };
        if stays {
            self.overlay = Some(overlay);
        }
    }

    fn press_action(&mut self, stroke: Stroke, effects: &mut Vec<Effect>) {
        let Some(key) = stroke.character() else {
            return;
        };
        let entry = ENTRIES
            .iter()
            .find(|entry| entry.basis == Basis::Person && entry.key == key);
        match entry {
            Some(entry) => self.act(entry, effects),
            None => self.say_quietly(format!("a {key} is no action; a lists them")),
        }
    }

    pub(super) fn mouse_event(&mut self, mouse: MouseEvent) {
        match mouse.kind {
            MouseEventKind::ScrollDown => self.step(Step::By(1)),
            MouseEventKind::ScrollUp => self.step(Step::By(-1)),
            MouseEventKind::Down(_) if self.dialog.is_none() && self.overlay.is_none() => {
                super::panes::click(self, mouse.row);
            }
            _ => {}
        }
    }
}

impl Text {
    fn press(&mut self, stroke: Stroke, height: u16) -> bool {
        let page = usize::from(height.saturating_sub(8)).max(1);
        let last = self.lines.len().saturating_sub(1);
        self.scroll = match stroke.code {
            KeyCode::Down | KeyCode::Char('j') => self.scroll + 1,
            KeyCode::Up | KeyCode::Char('k') => self.scroll.saturating_sub(1),
            KeyCode::PageDown | KeyCode::Char(' ') => self.scroll + page,
            KeyCode::PageUp => self.scroll.saturating_sub(page),
            KeyCode::Home | KeyCode::Char('g') => 0,
            KeyCode::End | KeyCode::Char('G') => last,
            KeyCode::Char('q') | KeyCode::Enter => return false,
            _ => self.scroll,
        }
        .min(last);
        true
    }
}
