//! What the keys do: one arm for each intent.

use std::fmt::Write as _;

use crate::actions::Required;
use crate::rules::text::is_hostile;

use super::event::{Effect, Mouse};
use super::keymap::Intent;
use super::list::{Listing, Step};
use super::model::{Model, Verified};
use super::newcomer::{self, Card};
use super::overlay::{self, Number, Numbers, Overlay, Palette, Text, Themes};
use super::panes::{PaneId, dictionary, home, weeks};
use super::picture::Possible;
use super::theme::{Theme, Token};
use super::tour::Tour;

/// Writes an id so that a shell takes it for one word; ids come from outside.
pub(super) fn shell_word(id: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
    if !id.is_empty() && id.chars().all(plain) {
        id.to_owned()
    } else {
        format!("'{}'", id.replace('\'', "'\\''"))
    }
}

impl Model {
    /// Writes the command that shows what an action would do; what somebody still has to say stands there in capitals.
    pub(super) fn command(&self, possible: &Possible, id: &str) -> String {
        let needed = possible.entry.fields.iter();
        let needed = needed.filter(|field| field.required == Required::Yes);
        let said = |name: &'static str| {
            let offered = possible.offer.as_ref().filter(|(of, _)| *of == name);
            match offered {
                Some((_, value)) if !value.contains(is_hostile) => shell_word(value),
                _ => name.to_uppercase(),
            }
        };
        let mut fields = String::new();
        for field in needed {
            let _ = write!(fields, " --{} {}", field.name, said(field.name));
        }
        self.act_by_command(&possible.entry.name(), id, &fields)
    }

    /// Writes the command of an action on something, with its fields, and where the database is when a shell has to be told.
    pub(super) fn act_by_command(&self, name: &str, id: &str, fields: &str) -> String {
        let mut at = String::new();
        if let Some(dsn) = &self.start.elsewhere {
            let _ = write!(at, " --dsn {}", shell_word(dsn));
        }
        let word = shell_word(id);
        if word.starts_with('-') {
            format!("govdeck act {name}{at}{fields} --dry-run -- {word}")
        } else {
            format!("govdeck act {name} {word}{at}{fields} --dry-run")
        }
    }

    pub(super) fn intend(&mut self, intent: Intent, effects: &mut Vec<Effect>) {
        match intent {
            Intent::Down => self.step(Step::By(1)),
            Intent::Up => self.step(Step::By(-1)),
            Intent::PageDown => self.page(Step::Pages(1)),
            Intent::PageUp => self.page(Step::Pages(-1)),
            Intent::First => self.step(Step::First),
            Intent::Last => self.step(Step::Last),
            Intent::NextProblem => self.next_problem(),
            Intent::Open => self.open(),
            Intent::Act => self.overlay = Some(Overlay::Actions),
            Intent::Why => self.overlay = Some(Overlay::Text(self.why())),
            Intent::Filter => self.begin_filter(),
            Intent::Sort => self.sort(),
            Intent::Reverse => match self.list_mut() {
                None => self.say_quietly(format!("{} has one order", self.pane)),
                Some(list) => list.reverse(),
            },
            Intent::Home
            | Intent::Migration
            | Intent::Mismatches
            | Intent::Cutover
            | Intent::Bundles
            | Intent::Dictionary
            | Intent::Blocks
            | Intent::Weeks
            | Intent::Ledger
            | Intent::People => {
                if let Some(pane) = PaneId::opened_by(intent) {
                    self.go(pane);
                }
            }
            Intent::NextPane => self.go(self.pane.neighbour(1)),
            Intent::PreviousPane => self.go(self.pane.neighbour(-1)),
            Intent::CopyId => match self.selected() {
                Some((_, id)) if id.contains(is_hostile) => self.say_hidden(),
                Some((_, id)) => effects.push(Effect::Copy(id)),
                None => self.say_quietly("no row is selected".to_owned()),
            },
            Intent::CopyCommand => self.copy_command(effects),
            Intent::RowJson => self.show_json(),
            Intent::Zoom => self.zoomed = !self.zoomed,
            Intent::Clock => {
                self.local_time = !self.local_time;
                let which = if self.local_time { "local time" } else { "UTC" };
                self.say_quietly(format!("times are shown in {which}"));
            }
            Intent::Refresh => {
                effects.push(Effect::Refresh);
                self.say_quietly("reading everything anew".to_owned());
            }
            Intent::Verify => {
                if !matches!(self.verified, Some(Verified::Running)) {
                    self.verified = Some(Verified::Running);
                    effects.push(Effect::Verify);
                }
            }
            Intent::Disarm => self.disarm(effects),
            Intent::Theme => self.pick_theme(),
            Intent::Tour => {
                self.tour = match self.tour {
                    None => {
                        self.go(PaneId::Home);
                        self.card = Card::Shown;
                        Some(Tour::default())
                    }
                    Some(_) => None,
                };
            }
            Intent::AsOf => self.ask_moment(),
            Intent::Now => self.come_back(),
            Intent::Messages => self.overlay = Some(Overlay::Text(self.said())),
            Intent::Mouse => {
                self.mouse = match self.mouse {
                    Mouse::Terminal => Mouse::Console,
                    Mouse::Console => Mouse::Terminal,
                };
                effects.push(Effect::Mouse(self.mouse));
                let key = self.start.keymap.hint(Intent::Mouse);
                self.say_quietly(match self.mouse {
                    Mouse::Console => format!("the mouse selects rows; {key} gives it back"),
                    Mouse::Terminal => "the mouse belongs to the terminal".to_owned(),
                });
            }
            Intent::Palette => self.overlay = Some(Overlay::Palette(Palette::default())),
            Intent::Help => {
                self.overlay = Some(Overlay::Text(overlay::help(&self.start.keymap, self.pane)));
            }
            Intent::Escape => self.escape(effects),
            Intent::Back => self.back(),
            Intent::Suspend => effects.push(Effect::Suspend),
            Intent::Interrupt => self.interrupt(effects),
        }
    }

    /// Says why an id is not copied that would paste more than it shows.
    fn say_hidden(&mut self) {
        let key = self.start.keymap.hint(Intent::RowJson);
        self.say_quietly(format!(
            "the id holds characters that do not show, so it is not copied; {key} shows them"
        ));
    }

    fn interrupt(&mut self, effects: &mut Vec<Effect>) {
        if self.asks_to_leave_again() {
            effects.push(Effect::Quit);
        } else {
            self.overlay = Some(Overlay::Leave);
        }
    }

    fn escape(&mut self, effects: &mut Vec<Effect>) {
        let filter = self.list().map_or("", |list| list.filter_text());
        if self.zoomed {
            self.zoomed = false;
        } else if !filter.is_empty() {
            self.filter("");
        } else if newcomer::height(self) > 0 && self.pane == PaneId::Home {
            self.card = Card::Away;
            effects.push(Effect::KeepCardRead);
        } else if self.as_of.is_some() {
            self.come_back();
        }
    }

    fn back(&mut self) {
        if self.zoomed {
            self.zoomed = false;
        } else if self.pane == PaneId::Home {
            self.overlay = Some(Overlay::Leave);
        } else {
            self.pane = self.before.pop().unwrap_or(PaneId::Home);
        }
    }

    pub(super) fn go(&mut self, pane: PaneId) {
        if pane != self.pane {
            self.before
                .retain(|before| *before != self.pane && *before != pane);
            if pane == PaneId::Home {
                // Home is where going back ends.
                self.before.clear();
            } else {
                self.before.push(self.pane);
            }
            self.pane = pane;
            self.zoomed = false;
        }
    }

    pub(super) fn step(&mut self, step: Step) {
        let Some(picture) = self.picture.clone().filter(|_| self.has_read()) else {
            return;
        };
        if let (Some(rows), Some(list)) = (picture.rows(self.pane), self.list_mut()) {
            list.step(rows, step);
        } else {
            let last = home::items(self).len().saturating_sub(1);
            self.home = step.from(self.home, last, 10);
        }
    }

    /// Pages through the list, or through the detail while that has the whole screen.
    fn page(&mut self, step: Step) {
        if self.zoomed && self.pane != PaneId::Home {
            let page = self.size.1.saturating_sub(8);
            self.detail.walk(step, usize::from(page));
        } else {
            self.step(step);
        }
    }

    fn open(&mut self) {
        if self.as_of.is_some() && !self.pane.keeps_history() {
            return self.say_quietly(format!("{} keeps no history", self.pane));
        }
        if self.pane == PaneId::Home {
            let item = home::items(self).into_iter().nth(self.home);
            if item.as_ref().is_some_and(|item| item.id == home::CADENCE) {
                self.overlay = Some(Overlay::Text(self.week()));
                return;
            }
            match item.and_then(|item| item.goes) {
                Some((pane, id)) => {
                    self.go(pane);
                    if let (Some(list), Some(id)) = (self.list_mut(), id) {
                        list.select(&id);
                    }
                }
                None => self.say_quietly("this line leads nowhere".to_owned()),
            }
        } else {
            match self.numbers() {
                numbers if self.zoomed && !numbers.is_empty() => {
                    self.overlay = Some(Overlay::Numbers(Numbers { numbers, at: 0 }));
                }
                _ => self.zoomed = !self.zoomed,
            }
        }
    }

    /// Lists the numbers of the selected row that can be followed to where they come from.
    fn numbers(&self) -> Vec<Number> {
        match self.pane {
            PaneId::Weeks => weeks::numbers(self),
            PaneId::Dictionary => dictionary::numbers(self),
            _ => Vec::new(),
        }
    }

    fn sort(&mut self) {
        let sorted = self.list_mut().and_then(Listing::sort_on);
        let key = self.start.keymap.hint(Intent::Reverse);
        self.say_quietly(sorted.map_or_else(
            || format!("this list has one order; {key} turns it round"),
            |by| format!("sorted by {by}"),
        ));
    }

    fn begin_filter(&mut self) {
        match self.list_mut() {
            Some(list) => list.begin_typing(),
            None => self.say_quietly(format!(
                "{} shows everything; filter one of the lists",
                self.pane
            )),
        }
    }

    fn copy_command(&mut self, effects: &mut Vec<Effect>) {
        let Some(picture) = &self.picture else {
            return;
        };
        // What was asked about another row says nothing of this one.
        let is_of_row = picture.wanted.about == self.about();
        let all = picture.possible.iter().filter(|_| is_of_row);
        let mut possible = all.filter(|possible| possible.refusal.is_none());
        // What needs no more words comes first.
        let plain = possible.clone().find(|it| it.entry.fields.is_empty());
        let first = plain.or_else(|| possible.next());
        match (first, self.about()) {
            (Some(_), Some((_, id))) if id.contains(is_hostile) => {
                self.say_hidden();
            }
            (Some(possible), Some((_, id))) => {
                effects.push(Effect::Copy(self.command(possible, &id)));
            }
            _ => self.say_quietly("nothing can be done with this row now".to_owned()),
        }
    }

    fn show_json(&mut self) {
        match super::panes::row_json(self) {
            Some((title, json)) => {
                let lines = json.lines().map(|line| (Token::Fg, line.to_owned()));
                self.overlay = Some(Overlay::Text(Text {
                    title,
                    lines: lines.collect(),
                    ..Text::default()
                }));
            }
            None if self.selected().is_some() => {
                self.say_quietly("the row is being looked at; a moment".to_owned());
            }
            None if self.pane == PaneId::Home => {
                let key = self.start.keymap.hint(Intent::Open);
                self.say_quietly(format!(
                    "this line is no row; {key} goes to what it tells of"
                ));
            }
            None => self.say_quietly("no row is selected".to_owned()),
        }
    }

    fn pick_theme(&mut self) {
        let names = Theme::available(self.start.themes_folder.as_deref());
        let before = self.start.theme.name().to_owned();
        let at = names.iter().position(|name| *name == before).unwrap_or(0);
        self.overlay = Some(Overlay::Themes(Themes { names, at, before }));
    }

    pub(super) fn show_theme(&mut self, name: &str) {
        match Theme::load(name, self.start.themes_folder.as_deref(), self.start.depth) {
            Ok(theme) => self.start.theme = theme,
            Err(error) => self.say(Token::StatusWarn, error.to_string()),
        }
    }
}
