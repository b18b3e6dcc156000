//! The keys of whatever is open over a pane: the filter line, the action box, the palette, texts, the theme picker.

use crossterm::event::{KeyCode, MouseEvent, MouseEventKind};

use crate::rules::filter::Filter;

use super::event::Effect;
use super::form::Line;
use super::keymap::Intent;
use super::list::Step;
use super::model::Model;
use super::overlay::{Choice, Overlay};
use super::panes::PaneId;
use super::stroke::Stroke;

/// What a stroke means in a box that is read.
#[derive(Clone, Copy)]
enum InBox {
    /// To walk through its lines.
    Walk(Step),
    /// To take what is selected.
    Take,
    /// To close it.
    Close,
    /// To go elsewhere, which closes a text.
    Leave(Intent),
    /// Nothing.
    Nothing,
}

/// Tells whether a key goes to another pane or opens something else; none of these writes.
fn leads_elsewhere(intent: Intent) -> bool {
    PaneId::opened_by(intent).is_some()
        || matches!(
            intent,
            Intent::Act
                | Intent::Why
                | Intent::Filter
                | Intent::Palette
                | Intent::Help
                | Intent::Theme
                | Intent::Tour
                | Intent::Messages
        )
}

impl Model {
    pub(super) fn press_filter(&mut self, stroke: Stroke) {
        let text = self.typing().map(Line::text).unwrap_or_default();
        match stroke.code {
            _ if self.closes(stroke) => self.stop_typing(),
            // One that is refused stays, to be put right.
            KeyCode::Enter => {
                if self.filter(&text) {
                    self.stop_typing();
                }
            }
            _ => {
                self.status = None;
                if let Some(line) = self.list_mut().and_then(|list| list.typing_mut()) {
                    line.press(stroke);
                }
            }
        }
    }

    /// Tells whether a stroke, typed where letters are text, closes what is open.
    fn closes(&self, stroke: Stroke) -> bool {
        stroke == Stroke::CTRL_C || self.means(stroke, Intent::Escape)
    }

    /// Tells whether a stroke means an intent where letters are text.
    fn means(&self, stroke: Stroke, intent: Intent) -> bool {
        stroke.character().is_none() && self.start.keymap.is_alone(intent, stroke)
    }

    /// Tells what a stroke means in a box that is read: the keymap's keys, and some that are the same in every keymap.
    fn in_box(&mut self, stroke: Stroke) -> InBox {
        let fixed = match stroke.code {
            _ if stroke.control || !self.pending.is_empty() => None,
            KeyCode::Down => Some(Step::By(1)),
            KeyCode::Up => Some(Step::By(-1)),
            KeyCode::PageDown | KeyCode::Char(' ') => Some(Step::Pages(1)),
            KeyCode::PageUp => Some(Step::Pages(-1)),
            KeyCode::Home => Some(Step::First),
            KeyCode::End => Some(Step::Last),
            KeyCode::Enter => return InBox::Take,
            _ => None,
        };
        if let Some(step) = fixed {
            return InBox::Walk(step);
        }
        match self.chord(stroke) {
            Some(Intent::Down) => InBox::Walk(Step::By(1)),
            Some(Intent::Up) => InBox::Walk(Step::By(-1)),
            Some(Intent::PageDown) => InBox::Walk(Step::Pages(1)),
            Some(Intent::PageUp) => InBox::Walk(Step::Pages(-1)),
            Some(Intent::First) => InBox::Walk(Step::First),
            Some(Intent::Last) => InBox::Walk(Step::Last),
            Some(Intent::Escape | Intent::Back | Intent::Interrupt) => InBox::Close,
            Some(intent) if leads_elsewhere(intent) => InBox::Leave(intent),
            _ => InBox::Nothing,
        }
    }

    fn stop_typing(&mut self) {
        if let Some(list) = self.list_mut() {
            list.stop_typing();
        }
    }

    /// Filters the open pane's list; tells whether the filter makes sense.
    pub(super) fn filter(&mut self, text: &str) -> bool {
        match Filter::parse(text, self.filter_fields()) {
            Ok(filter) => {
                if let Some(list) = self.list_mut() {
                    list.filter_by(text, filter);
                }
                true
            }
            Err(refusal) => {
                self.refuse(&refusal);
                false
            }
        }
    }

    pub(super) fn press_overlay(&mut self, stroke: Stroke, effects: &mut Vec<Effect>) {
        let (closes, here) = (self.closes(stroke), self.here());
        let Some(mut overlay) = self.overlay.take() else {
            return;
        };
        let stays = match &mut overlay {
            Overlay::Leave => {
                if stroke.character() == Some('y') || stroke == Stroke::CTRL_C {
                    effects.push(Effect::Quit);
                }
                false
            }
            Overlay::Actions => return self.press_action(stroke, effects),
            Overlay::Text(text) => match self.in_box(stroke) {
                InBox::Walk(step) => {
                    let page = self.size.1.saturating_sub(8);
                    text.scroll.walk(step, usize::from(page));
                    true
                }
                InBox::Nothing => true,
                InBox::Leave(intent) => {
                    self.status = None;
                    return self.intend(intent, effects);
                }
                InBox::Take | InBox::Close => false,
            },
            Overlay::Clipboard(_) => !closes && stroke.code != KeyCode::Enter,
            Overlay::Palette(palette) => {
                let found = palette.found(here);
                let next = self.means(stroke, Intent::Down);
                let previous = self.means(stroke, Intent::Up);
                match stroke.code {
                    _ if closes => false,
                    KeyCode::Enter if palette.moment().is_some() => {
                        let typed = palette.moment().unwrap_or_default();
                        // One that is refused stays, to be put right.
                        !self.look_back(&typed)
                    }
                    KeyCode::Enter => {
                        if let Some(command) = found.get(palette.at) {
                            match command.choice {
                                Choice::Intent(intent) => self.intend(intent, effects),
                                Choice::Act(entry) => self.act(entry, effects),
                            }
                        }
                        return;
                    }
                    code if next || matches!(code, KeyCode::Down | KeyCode::Tab) => {
                        palette.at = (palette.at + 1).min(found.len().saturating_sub(1));
                        true
                    }
                    code if previous || matches!(code, KeyCode::Up | KeyCode::BackTab) => {
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
            Overlay::Numbers(numbers) => match self.in_box(stroke) {
                InBox::Walk(step) => {
                    let last = numbers.numbers.len().saturating_sub(1);
                    numbers.at = step.from(numbers.at, last, numbers.numbers.len());
                    true
                }
                InBox::Take => {
                    let taken = numbers.numbers.get(numbers.at);
                    effects.extend(taken.map(|number| Effect::Cite(number.cites.clone())));
                    true
                }
                InBox::Nothing => true,
                InBox::Leave(_) | InBox::Close => false,
            },
            Overlay::Themes(themes) => {
                let meant = self.in_box(stroke);
                if let InBox::Walk(step) = meant {
                    let last = themes.names.len().saturating_sub(1);
                    themes.at = step.from(themes.at, last, themes.names.len());
                }
                let picked = match meant {
                    InBox::Close => Some(&themes.before),
                    _ => themes.names.get(themes.at),
                };
                if let Some(name) = picked {
                    self.show_theme(name);
                }
                matches!(meant, InBox::Walk(_) | InBox::Leave(_) | InBox::Nothing)
            }
        };
        if stays {
            self.overlay = Some(overlay);
        }
    }

    /// A key that is no action's leaves the box open: the next one must not act on the pane below.
    fn press_action(&mut self, stroke: Stroke, effects: &mut Vec<Effect>) {
        if self.closes(stroke) {
            return;
        }
        let key = stroke.character();
        if let Some(entry) = key.and_then(|key| self.here().action_of(key)) {
            return self.act(entry, effects);
        }
        if self.start.keymap.is_alone(Intent::Palette, stroke) {
            return self.intend(Intent::Palette, effects);
        }
        let palette = self.start.keymap.hint(Intent::Palette);
        self.say_quietly(format!("{stroke} is no action here; {palette} finds all"));
        self.overlay = Some(Overlay::Actions);
    }

    pub(super) fn mouse_event(&mut self, mouse: MouseEvent) {
        match mouse.kind {
            MouseEventKind::ScrollDown => self.wheel(1),
            MouseEventKind::ScrollUp => self.wheel(-1),
            MouseEventKind::Down(_) if self.dialog.is_none() && self.overlay.is_none() => {
                super::panes::click(self, mouse.column, mouse.row);
            }
            _ => {}
        }
    }

    /// Scrolls what is on top: a text, or the pane when nothing is open over it.
    fn wheel(&mut self, lines: isize) {
        match (&self.dialog, &mut self.overlay) {
            (None, Some(Overlay::Text(text))) => text.scroll.walk(Step::By(lines), 1),
            (None, None) => self.step(Step::By(lines)),
            _ => {}
        }
    }
}
