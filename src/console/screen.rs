//! The whole screen: header, tabs, the open pane, what was said, the keys, and what is open over them.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::rules::people::{Environment, Role};
use crate::rules::time;

use super::keymap::{Intent, ROWS};
use super::list::Listing;
use super::live::Liveness;
use super::model::Model;
use super::panes;
use super::picture::Picture;
use super::theme::Token;
use super::ui::{Parts, Pen};
use super::{boxes, guard_box, tabs};

/// Below this there is one sentence.
const SENTENCE: (u16, u16) = (40, 10);
/// Below this there is one list without tabs.
const LIST: (u16, u16) = (60, 16);

/// Tells whether a screen of this size shows more than one sentence: panes, boxes, dialogs.
#[must_use]
pub fn has_room(size: (u16, u16)) -> bool {
    size.0 >= SENTENCE.0 && size.1 >= SENTENCE.1
}

/// Tells whether a screen of this size has no room for tabs.
#[must_use]
pub fn is_small(size: (u16, u16)) -> bool {
    size.0 < LIST.0 || size.1 < LIST.1
}

/// Draws everything.
pub fn draw(model: &Model, buffer: &mut Buffer) {
    let area = buffer.area;
    if area.is_empty() {
        return;
    }
    let mut pen = Pen::new(buffer, &model.start.theme, model.start.glyphs);
    pen.cover(area, Token::Bg);
    if !has_room((area.width, area.height)) {
        return sentence(model, &mut pen, area);
    }
    let small = is_small((area.width, area.height));
    header(model, &mut pen, area);
    let top = if small { 1 } else { 2 };
    if !small {
        tabs::draw(model, &mut pen, area);
    }
    let body = Rect {
        y: area.y + top,
        height: area.height - top - 2,
        ..area
    };
    body_of(model, &mut pen, body);
    status(model, &mut pen, area);
    footer(model, &mut pen, area);
    if let Some(overlay) = &model.overlay {
        boxes::draw(model, overlay, &mut pen, area);
    }
    if let Some(dialog) = &model.dialog {
        // What a dialog says is said in the status line, so that stays in sight.
        let between = Rect {
            y: area.y + 1,
            height: area.height - 3,
            ..area
        };
        guard_box::draw(model, dialog, &mut pen, between);
    }
}

/// Says what is waited for: the pane's rows, or those that a filter lets through.
fn reading(model: &Model) -> String {
    match model.list().map(Listing::filter_text) {
        Some(filter) if !filter.is_empty() && model.picture.is_some() => {
            format!("searching for {filter}")
        }
        _ => format!("loading {}", model.start.place),
    }
}

fn body_of(model: &Model, pen: &mut Pen<'_>, area: Rect) {
    if !model.has_read() {
        let inside = pen.frame(area, model.pane.word(), Token::Border);
        return match &model.link.trouble {
            Some((why, hint)) => {
                panes::say(
                    pen,
                    inside,
                    Token::StatusDanger,
                    &format!("cannot read: {why}"),
                );
                let below = Rect {
                    y: inside.y + 2,
                    height: inside.height.saturating_sub(2),
                    ..inside
                };
                panes::say(pen, below, Token::Fg, hint);
            }
            None => panes::say(pen, inside, Token::Muted, &reading(model)),
        };
    }
    panes::draw(model, pen, area);
}

fn environment(model: &Model) -> (Token, String) {
    let Some(picture) = &model.picture else {
        return (Token::StatusUnknown, " ? ".to_owned());
    };
    let token = match picture.deployment.environment {
        Environment::Prod => Token::EnvProd,
        Environment::Staging => Token::EnvStaging,
        Environment::Dev => Token::EnvDev,
        // No console opens the fork of a rehearsal.
        Environment::Demo | Environment::Rehearsal => Token::EnvDemo,
    };
    let word = picture.deployment.environment.word().to_uppercase();
    (token, format!(" {word} "))
}

fn mode(model: &Model) -> (Token, String) {
    match model.arming.left(model.at) {
        Some(left) => (Token::ModeArmed, format!(" ARMED {} ", time::minutes(left))),
        None => (Token::ModeReadonly, " READ-ONLY ".to_owned()),
    }
}

/// Says who is at the keys, with their roles where there is room.
fn who(picture: &Picture, with_roles: bool) -> (Token, String) {
    let Some(actor) = &picture.actor else {
        let text = format!(" {} (nobody: look only)", picture.login);
        return (Token::StatusWarn, text);
    };
    let roles: Vec<_> = actor.roles.iter().copied().map(Role::word).collect();
    let roles = if roles.is_empty() {
        "no role".to_owned()
    } else {
        roles.join(", ").replace('_', " ")
    };
    let text = if with_roles {
        format!(" {} ({roles}) ", actor.person_id)
    } else {
        format!(" {} ", actor.person_id)
    };
    (Token::Fg, text)
}

/// Names who else is armed, and where there is room until when.
fn armed_elsewhere(model: &Model, picture: &Picture, width: u16, bar: &str) -> Parts {
    let others = picture.armed.iter();
    let others: Vec<_> = others
        .filter(|armed| armed.console_id != model.start.console_id)
        .filter(|armed| model.now().is_some_and(|now| armed.armed_until_utc > now))
        .map(|armed| {
            if width < 120 {
                return armed.person_id.clone();
            }
            let until = without_seconds(&model.clock(armed.armed_until_utc));
            format!("{} until {until}", armed.person_id)
        })
        .collect();
    if others.is_empty() {
        return Vec::new();
    }
    vec![
        (Token::Border, bar.to_owned()),
        (Token::ModeArmed, format!(" armed: {} ", others.join(", "))),
    ]
}

fn header(model: &Model, pen: &mut Pen<'_>, area: Rect) {
    let bar = pen.glyphs.bar();
    let between = || (Token::Border, bar.to_owned());
    let mut left: Parts = vec![environment(model), mode(model)];
    left.extend(model.as_of_chip(area.width));
    // Where this is and what may happen is never cut; of the rest, what matters least goes first.
    let right = clock_and_link(model, area.width.saturating_sub(width_of(&left) + 1));
    let right_width = width_of(&right);
    if let Some(picture) = &model.picture {
        left.push(between());
        left.push((Token::Fg, format!(" {} ", picture.deployment.name)));
        left.push(between());
        let others = armed_elsewhere(model, picture, area.width, bar);
        let room = area
            .width
            .saturating_sub(right_width + 1)
            .saturating_sub(width_of(&left))
            .saturating_sub(width_of(&others));
        let whole = vec![who(picture, true)];
        // Roles make room for who is armed.
        let fits = others.is_empty() || width_of(&whole) <= room;
        left.push(who(picture, fits));
        left.extend(others);
    }
    let room = area.width.saturating_sub(right_width + 1);
    pen.parts(area.x, area.y, room, &left);
    pen.parts(
        area.right().saturating_sub(right_width),
        area.y,
        right_width,
        &right,
    );
}

fn width_of(parts: &Parts) -> u16 {
    use unicode_width::UnicodeWidthStr;
    let width: usize = parts.iter().map(|(_, text)| text.width()).sum();
    u16::try_from(width).unwrap_or(u16::MAX)
}

/// Says how fresh the picture is and what time it is, in as many cells as there are.
fn clock_and_link(model: &Model, width: u16) -> Parts {
    let mut ranked = ranked_clock_and_link(model);
    if width < ROOM_FOR_A_BEAT {
        ranked.retain(|(rank, _)| *rank != BEAT);
    }
    let taken = |ranked: &[(u8, (Token, String))]| {
        width_of(&ranked.iter().map(|(_, part)| part.clone()).collect())
    };
    while taken(&ranked) > width {
        match ranked.iter().map(|(rank, _)| *rank).max() {
            Some(worst) if worst > 0 => ranked.retain(|(rank, _)| *rank != worst),
            _ => break,
        }
    }
    ranked.into_iter().map(|(_, part)| part).collect()
}

/// The parts from left to right, each with its rank: what has the highest goes first, how fresh the picture is stays.
fn ranked_clock_and_link(model: &Model) -> Vec<(u8, (Token, String))> {
    let mut parts = Vec::new();
    if let Some(picture) = &model.picture {
        let (token, said) = picture.agent.in_a_word(picture.at, model.at);
        let rank = if picture.agent.beat_ago.is_some() {
            BEAT
        } else {
            2
        };
        parts.push((rank, (token, format!("{said} "))));
    }
    if let Some(picture) = &model.picture
        && picture.skew_milliseconds.abs() > SKEW_MILLISECONDS
    {
        let text = format!("CLOCK OFF {}s ", picture.skew_milliseconds / 1_000);
        parts.push((1, (Token::StatusDanger, text)));
    }
    parts.push((0, freshness(model)));
    if let Some(now) = model.now() {
        let seconds = model.counts();
        let text = model.clock(now);
        let text = if seconds {
            text
        } else {
            without_seconds(&text)
        };
        match model.picture.as_ref().map_or(1, |picture| picture.rate) {
            1 => {}
            0 => parts.push((2, (Token::StatusWarn, "stopped ".to_owned()))),
            rate => parts.push((2, (Token::Muted, format!("x{rate} ")))),
        }
        parts.push((3, (Token::Fg, format!("{text} "))));
    }
    parts
}

fn freshness(model: &Model) -> (Token, String) {
    match model.liveness() {
        Liveness::Loading => (Token::StatusPending, "loading ".to_owned()),
        Liveness::Live => (Token::StatusOk, format!("live {} ", model.link.source)),
        Liveness::Late(age) => (Token::StatusStale, format!("LATE {}s ", age.as_secs())),
        Liveness::Lost(age) => (Token::StatusDanger, format!("LOST {}s ", age.as_secs())),
    }
}

/// The rank of a heart that beats: on a narrow screen it is worth less than who sits there.
const BEAT: u8 = 4;
/// How many cells there must be for it.
const ROOM_FOR_A_BEAT: u16 = 100;

/// How far the workstation's clock may be off before it is shown.
const SKEW_MILLISECONDS: i64 = 2_000;

/// Drops the seconds of `02:14:07Z`: a clock that shows none does not have to be drawn every second.
fn without_seconds(clock: &str) -> String {
    match (clock.get(..5), clock.get(8..)) {
        (Some(minutes), Some(zone)) => format!("{minutes}{zone}"),
        _ => clock.to_owned(),
    }
}

fn status(model: &Model, pen: &mut Pen<'_>, area: Rect) {
    let y = area.bottom() - 2;
    let width = area.width.saturating_sub(2);
    if let Some(line) = model.typing() {
        let style = pen.style(Token::Accent);
        pen.write(area.x + 1, y, 1, style, "/");
        return pen.input(area.x + 2, y, width, line, true);
    }
    if let Some(said) = &model.status {
        let at = said
            .at
            .map_or_else(String::new, |at| format!("{} ", model.clock(at)));
        let parts = vec![(Token::Muted, at), (said.token, said.text.clone())];
        let mut room = width;
        if width_of(&parts) > width && said.at.is_some() && model.dialog.is_none() {
            // What is cut here stands whole among the messages.
            let whole = format!(" {} all of it", model.start.keymap.hint(Intent::Messages));
            let whole = vec![(Token::Muted, whole)];
            room = width.saturating_sub(width_of(&whole));
            pen.parts(area.x + 1 + room, y, width - room, &whole);
        }
        pen.parts(area.x + 1, y, room, &parts);
    } else if let (Liveness::Lost(_), Some((why, hint))) = (model.liveness(), &model.link.trouble)
        && model.picture.is_some()
    {
        let parts = vec![
            (Token::StatusDanger, why.clone()),
            (Token::Muted, format!("; {hint}")),
        ];
        pen.parts(area.x + 1, y, width, &parts);
    }
}

fn footer(model: &Model, pen: &mut Pen<'_>, area: Rect) {
    let y = area.bottom() - 1;
    let keymap = &model.start.keymap;
    let escape = keymap.hint(Intent::Escape);
    let mut parts: Parts = Vec::new();
    if model.typing().is_some() {
        parts = key_parts(&[("enter", "filter"), (&escape, "leave it")]);
        // The line of what was said is the one that is typed in.
        parts.push(model.status.as_ref().map_or_else(
            || {
                let fields = model.filter_fields().join(" ");
                (Token::Muted, format!("fields {fields}"))
            },
            |said| (said.token, said.text.clone()),
        ));
    } else if !model.pending.is_empty() {
        let typed = super::stroke::written(&model.pending);
        parts.push((Token::KeyHint, typed));
        parts.push((Token::Muted, format!(" goes on; {escape} forgets it")));
    } else if let Some(tour) = model.tour {
        parts.push((Token::Accent, tour.says(keymap)));
    } else {
        let labelled = ROWS.iter().filter(|row| !row.label.is_empty());
        for row in labelled.filter(|row| row.is_in(model.pane)) {
            if let Some(key) = keymap.key(row.intent) {
                parts.push((Token::KeyHint, key));
                let token = match row.intent {
                    Intent::Act if !model.liveness().is_good() || model.as_of.is_some() => {
                        Token::KeyDisabled
                    }
                    _ => Token::KeyLabel,
                };
                parts.push((token, format!(" {}  ", row.label)));
            }
        }
    }
    pen.parts(area.x + 1, y, area.width.saturating_sub(2), &parts);
}

/// Writes keys with what they do.
#[must_use]
pub fn key_parts(keys: &[(&str, &str)]) -> Parts {
    keys.iter()
        .flat_map(|(key, label)| {
            [
                (Token::KeyHint, (*key).to_owned()),
                (Token::KeyLabel, format!(" {label}  ")),
            ]
        })
        .collect()
}

/// What still fits when nothing else does: where this is, whether it may write, and what is blocked.
fn sentence(model: &Model, pen: &mut Pen<'_>, area: Rect) {
    let mut parts: Parts = vec![environment(model), mode(model)];
    pen.parts(area.x, area.y, area.width, &parts);
    parts.clear();
    let text = match &model.picture {
        Some(picture) => format!(
            "{} blocked, {} wait for you; enlarge the window",
            picture.counts.open,
            picture.how_many_wait(model.now().unwrap_or(picture.now))
        ),
        None => "loading".to_owned(),
    };
    let lines = |token: Token, text: &str| -> Vec<Parts> {
        let lines = super::prose::wrap(text, usize::from(area.width));
        lines.into_iter().map(|line| vec![(token, line)]).collect()
    };
    let (token, fresh) = freshness(model);
    let mut below_it = if model.liveness().is_good() {
        Vec::new()
    } else {
        lines(token, fresh.trim_end())
    };
    below_it.extend(lines(Token::Fg, &text));
    let lines = below_it;
    let below = Rect {
        y: area.y + 1,
        height: area.height - 1,
        ..area
    };
    pen.lines(below, &lines);
}
