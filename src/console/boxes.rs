//! What opens over a pane, as it is drawn.

use ratatui::layout::Rect;

use crate::actions::Entry;
use crate::rules::Refusal;
use crate::rules::guard::{Level, counts_down};
use crate::rules::people::Environment;
use crate::rules::text::counted;

use super::keymap::Intent;
use super::model::Model;
use super::overlay::{Numbers, Overlay, Palette, Text, Themes};
use super::panes::{self, PaneId};
use super::prose::{flow, wrap};
use super::screen::key_parts;
use super::table::offset;
use super::theme::Token;
use super::ui::{Parts, Pen};

/// Draws what is open.
pub fn draw(model: &Model, overlay: &Overlay, pen: &mut Pen<'_>, area: Rect) {
    match overlay {
        Overlay::Actions => actions(model, pen, area),
        Overlay::Text(text) => reading(model, text, pen, area),
        Overlay::Palette(palette) => commands(model, palette, pen, area),
        Overlay::Themes(picker) => themes(model, picker, pen, area),
        Overlay::Numbers(list) => numbers(model, list, pen, area),
        Overlay::Leave => leave(model, pen, area),
        Overlay::Clipboard(text) => {
            let width = area.width.saturating_sub(8).min(90);
            let lines = wrap(text, usize::from(width.saturating_sub(4)));
            let height = u16::try_from(lines.len())
                .unwrap_or(u16::MAX)
                .saturating_add(4);
            let inside = window(
                pen,
                area,
                (width, height),
                "No clipboard here: select it with the terminal",
                Token::DialogBorder,
            );
            let lines: Vec<Parts> = lines
                .into_iter()
                .map(|line| vec![(Token::Fg, line)])
                .collect();
            pen.lines(inside, &lines);
        }
    }
}

fn leave(model: &Model, pen: &mut Pen<'_>, area: Rect) {
    let mut said: Vec<Parts> = match (model.under_way(), model.unresolved().len()) {
        (Some(run), _) => vec![
            vec![(Token::StatusWarn, run.said().1)],
            vec![(
                Token::Fg,
                "Leaving waits for its end; then ctrl-c".to_owned(),
            )],
            vec![(Token::Fg, "gives it up, and it is interrupted.".to_owned())],
        ],
        (None, 0) => vec![vec![(Token::Fg, lost_by_leaving(model).to_owned())]],
        (None, count) => vec![vec![(
            Token::StatusWarn,
            format!("{count} sent without an outcome: it may be lost."),
        )]],
    };
    said.push(Vec::new());
    said.push(key_parts(&[("y", "leave"), ("any other key", "stay")]));
    let height = u16::try_from(said.len()).unwrap_or(u16::MAX) + 2;
    let inside = window(
        pen,
        area,
        (48, height),
        "Leave govdeck?",
        Token::DialogBorder,
    );
    pen.lines(inside, &said);
}

/// Says what is lost by leaving: a demo that is not kept.
fn lost_by_leaving(model: &Model) -> &'static str {
    let environment = model
        .picture
        .as_ref()
        .map(|picture| picture.deployment.environment);
    match environment {
        Some(Environment::Demo) => "Unless --keep keeps it, a demo is gone.",
        _ => "Nothing is lost by leaving.",
    }
}

/// Opens a box in the middle of the screen and returns what is inside.
pub fn window(pen: &mut Pen<'_>, area: Rect, size: (u16, u16), title: &str, border: Token) -> Rect {
    let width = size.0.min(area.width);
    let height = size.1.min(area.height);
    let place = Rect {
        x: area.x + (area.width - width) / 2,
        y: area.y + (area.height - height) / 2,
        width,
        height,
    };
    pen.cover(place, Token::Raised);
    let inside = pen.frame(place, title, border);
    Rect {
        x: inside.x + 1,
        width: inside.width.saturating_sub(2),
        ..inside
    }
}

fn escape(model: &Model) -> String {
    model.start.keymap.hint(Intent::Escape)
}

/// Says in words how much an action asks for.
#[must_use]
pub fn guard_words(entry: &Entry) -> &'static str {
    match entry.level {
        Level::Look => "asks nothing",
        Level::Confirm => "asks y",
        Level::Review => "armed, reason, type the id",
        Level::Phrase if !counts_down(entry.level, entry.verb) => "armed, reason, a phrase",
        Level::Phrase => "armed, reason, a phrase, 5 seconds",
    }
}

/// How much the action box says of each action.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    /// Its guard, what it does, and why not.
    Whole,
    /// One line, on which the reason why not takes the place of guard and meaning.
    Brief,
}

/// The actions that belong here, each with why not: what comes next in an hour first, then what can be done.
fn in_order(model: &Model) -> Vec<(&'static Entry, Option<Refusal>)> {
    let next = Some(model.pane).filter(|pane| *pane == PaneId::Cutover);
    let next = next.and(panes::cutover::sight(model));
    let next = next.map(panes::cutover::next_deed);
    let actions = model.here().actions().into_iter();
    let mut actions: Vec<_> = actions.map(|entry| (entry, model.why_not(entry))).collect();
    actions.sort_by_key(|(entry, why_not)| (Some(entry.verb) != next, why_not.is_some()));
    actions
}

/// Lists the actions that belong here.
fn action_lines(model: &Model, room: usize, told: Told) -> Vec<Parts> {
    let mut lines: Vec<Parts> = Vec::new();
    let actions = in_order(model);
    let names = actions.iter().map(|(entry, _)| entry.name().len());
    let widest = names.max().unwrap_or(0);
    for (entry, refusal) in actions {
        let keymap = &model.start.keymap;
        let refusal = refusal.map(|it| keymap.in_keys(&format!("{} ({})", it.sentence, it.hint)));
        let (key, label) = match refusal {
            None => (Token::KeyHint, Token::Fg),
            Some(_) => (Token::KeyDisabled, Token::KeyDisabled),
        };
        let mut line = vec![
            (key, format!("{}  ", entry.key)),
            (label, format!("{:<widest$} ", entry.name())),
        ];
        match refusal {
            Some(why) if told == Told::Brief => {
                line.push((Token::Muted, why));
                lines.push(line);
            }
            refusal => {
                line.push((Token::Muted, format!("({})  ", guard_words(entry))));
                line.push((label, entry.summary.to_owned()));
                lines.push(line);
                let why = refusal.map(|why| wrap(&why, room.saturating_sub(6)));
                let why = why.into_iter().flatten().take(2);
                lines.extend(why.map(|line| vec![(Token::Muted, format!("     {line}"))]));
            }
        }
    }
    lines
}

fn actions(model: &Model, pen: &mut Pen<'_>, area: Rect) {
    // Where this is, what was said, and what may happen, stays in sight.
    let area = Rect {
        y: area.y + 1,
        height: area.height.saturating_sub(3),
        ..area
    };
    let room = usize::from(area.width.saturating_sub(4).min(96)).saturating_sub(4);
    let about = model
        .about()
        .map_or("no row is selected".to_owned(), |(kind, id)| {
            format!("{kind} {id}")
        });
    let mut lines = vec![vec![(Token::Muted, about)]];
    let full = action_lines(model, room, Told::Whole);
    // Two borders, the line above and the keys below: where not all fits, every action keeps one line.
    let fitting = usize::from(area.height).saturating_sub(4);
    if full.len() > fitting {
        let brief = action_lines(model, room, Told::Brief);
        let shown = if brief.len() > fitting {
            fitting.saturating_sub(1)
        } else {
            brief.len()
        };
        let left = brief.len() - shown;
        lines.extend(brief.into_iter().take(shown));
        if left > 0 {
            lines.push(vec![(Token::Muted, format!("{left} more"))]);
        }
    } else {
        lines.extend(full);
    }
    let height = u16::try_from(lines.len())
        .unwrap_or(u16::MAX)
        .saturating_add(3);
    let inside = window(
        pen,
        area,
        (area.width.saturating_sub(4).min(96), height),
        "What you can do here",
        Token::DialogBorder,
    );
    let shown = pen.lines(inside, &lines);
    let palette = model.start.keymap.hint(Intent::Palette);
    pen.parts(
        inside.x,
        (inside.y + shown).min(inside.bottom().saturating_sub(1)),
        inside.width,
        &key_parts(&[
            ("key", "opens its dialog"),
            (&palette, "finds all others by a word"),
            (&escape(model), "close"),
        ]),
    );
}

fn reading(model: &Model, text: &Text, pen: &mut Pen<'_>, area: Rect) {
    let width = area.width.saturating_sub(4).min(110);
    let flowing = text
        .lines
        .iter()
        .flat_map(|line| flow(std::slice::from_ref(line), width.saturating_sub(4)));
    let lines: Vec<Parts> = flowing.collect();
    let height = u16::try_from(lines.len())
        .unwrap_or(u16::MAX)
        .saturating_add(4);
    let size = (width, height.min(area.height.saturating_sub(4)));
    let inside = window(pen, area, size, &text.title, Token::DialogBorder);
    let room = usize::from(inside.height.saturating_sub(2));
    let first = text.scroll.first(lines.len(), room);
    let shown = &lines[first..lines.len().min(first + room)];
    pen.lines(inside, shown);
    let rest = lines.len() - first - shown.len();
    let foot = if rest > 0 {
        counted(rest, "more line", "more lines")
    } else {
        "the end".to_owned()
    };
    let keymap = &model.start.keymap;
    let walk = format!("{} {}", keymap.hint(Intent::Down), keymap.hint(Intent::Up));
    let mut parts = key_parts(&[(&walk, "scroll"), (&escape(model), "close")]);
    parts.push((Token::Muted, foot));
    pen.parts(
        inside.x,
        inside.bottom().saturating_sub(1),
        inside.width,
        &parts,
    );
}

fn commands(model: &Model, palette: &Palette, pen: &mut Pen<'_>, area: Rect) {
    let size = (
        area.width.saturating_sub(8).min(84),
        area.height.saturating_sub(4).min(20),
    );
    let inside = window(pen, area, size, "Commands", Token::DialogBorder);
    if inside.height < 3 {
        return;
    }
    let style = pen.style(Token::Accent);
    pen.write(inside.x, inside.y, 1, style, ":");
    pen.input(
        inside.x + 1,
        inside.y,
        inside.width.saturating_sub(1),
        &palette.line,
        true,
    );
    let keymap = &model.start.keymap;
    let (here, found) = (model.here(), palette.found(model.here()));
    let room = inside.height - 2;
    let from = offset(Some(palette.at), found.len(), room);
    for (line, command) in found.iter().enumerate().skip(from).take(usize::from(room)) {
        let y = inside.y + 2 + u16::try_from(line - from).unwrap_or(0);
        let parts = vec![
            (
                Token::Fg,
                format!("{:<18} ", command.name.replace('_', "-")),
            ),
            (
                Token::KeyHint,
                format!("{:<9} ", command.choice.keys(keymap, here)),
            ),
            (Token::Muted, command.about.to_owned()),
        ];
        pen.parts(inside.x + 2, y, inside.width.saturating_sub(2), &parts);
        if line == palette.at {
            pen.select(inside, y);
        }
    }
    if found.is_empty() {
        pen.parts(
            inside.x + 2,
            inside.y + 2,
            inside.width.saturating_sub(2),
            &[(Token::Muted, "nothing is called that".to_owned())],
        );
    }
}

fn themes(model: &Model, picker: &Themes, pen: &mut Pen<'_>, area: Rect) {
    let names: Vec<&str> = picker.names.iter().map(String::as_str).collect();
    let keys = [("enter", "keep"), (&*escape(model), "as before")];
    pick(pen, area, (40, "Theme"), (&names, picker.at), &keys);
}

fn numbers(model: &Model, list: &Numbers, pen: &mut Pen<'_>, area: Rect) {
    let names: Vec<&str> = list.numbers.iter().map(|it| &*it.says).collect();
    let keys = [("enter", "where it comes from"), (&*escape(model), "back")];
    pick(pen, area, (78, "Numbers"), (&names, list.at), &keys);
}

/// Draws a list of which one line is selected; it runs on where there is no room for all.
fn pick(
    pen: &mut Pen<'_>,
    area: Rect,
    (width, title): (u16, &str),
    (names, at): (&[&str], usize),
    keys: &[(&str, &str)],
) {
    let height = u16::try_from(names.len()).unwrap_or(u16::MAX);
    let size = (width, height.saturating_add(3));
    let inside = window(pen, area, size, title, Token::DialogBorder);
    let room = inside.height.saturating_sub(1);
    let from = offset(Some(at), names.len(), room);
    let shown = names.iter().enumerate().skip(from);
    for (line, name) in shown.take(usize::from(room)) {
        let y = inside.y + u16::try_from(line - from).unwrap_or(0);
        let text = [(Token::Fg, (*name).to_owned())];
        pen.parts(inside.x + 2, y, inside.width.saturating_sub(2), &text);
        if line == at {
            pen.select(inside, y);
        }
    }
    let y = inside.bottom().saturating_sub(1);
    pen.parts(inside.x, y, inside.width, &key_parts(keys));
}
