//! The guarded dialog, as it is drawn: what would change, how to undo it, what holds, and what is asked.

use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::widgets::Widget;
use unicode_width::UnicodeWidthStr;

use crate::rules::guard::{Level, REASON_AT_LEAST};
use crate::rules::people::Environment;
use crate::rules::text::counted;

use super::boxes::window;
use super::dialog::{Asking, Dialog, Filling, Focus, Stage};
use super::guard_text::{evidence, told};
use super::model::Model;
use super::prose::wrap;
use super::screen::key_parts;
use super::theme::Token;
use super::ui::{Parts, Pen};

/// How many lines of evidence are on the screen at least, the one that says that there are more included.
const LEAST_EVIDENCE: u16 = 3;
/// How many lines of the screen are none of a dialog's: header, status and footer.
const BESIDE: u16 = 3;
/// How many columns of a dialog are none of its text's.
const FRAME: u16 = 4;

/// Draws the dialog.
pub fn draw(model: &Model, dialog: &Dialog, pen: &mut Pen<'_>, area: Rect) {
    let width = width_in(area.width);
    let border = if dialog.entry.level >= Level::Phrase || is_production(model) {
        Token::DialogDanger
    } else {
        Token::DialogBorder
    };
    let title = title(model, dialog);
    match &dialog.stage {
        Stage::Filling(filling) => {
            let height = u16::try_from(filling.fields.len() * 2 + 6).unwrap_or(u16::MAX);
            let inside = window(pen, area, (width, height), &title, border);
            draw_fields(filling, pen, inside);
        }
        Stage::Asking(asking) => {
            let least = least_height(asking, width);
            if area.height < least {
                return too_small(pen, area, &title, border, least + BESIDE);
            }
            let lines = evidence_of(model, asking, width);
            let height = u16::try_from(lines.len())
                .unwrap_or(u16::MAX)
                .saturating_add(asked_rows(asking, width) + 2);
            let inside = window(pen, area, (width, height), &title, border);
            draw_asking(model, asking, pen, inside, &lines);
        }
        _ => {
            let lines = told(model, dialog, usize::from(width.saturating_sub(FRAME)));
            let height = u16::try_from(lines.len())
                .unwrap_or(u16::MAX)
                .saturating_add(4);
            let inside = window(pen, area, (width, height), &title, border);
            pen.lines(inside, &lines);
            pen.parts(
                inside.x,
                inside.bottom().saturating_sub(1),
                inside.width,
                &key_parts(&[("esc", "close")]),
            );
        }
    }
}

fn width_in(columns: u16) -> u16 {
    columns.saturating_sub(4).min(96)
}

fn evidence_of(model: &Model, asking: &Asking, width: u16) -> Vec<Parts> {
    let room = usize::from(width.saturating_sub(FRAME));
    evidence(asking, &model.start.keymap, model.start.glyphs, room)
}

/// How much of the evidence is seen at once, and whether the end is.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    /// How many lines.
    pub page: usize,
    /// Whether the last line is among them.
    pub to_its_end: bool,
}

/// Tells how much of a dialog's evidence stands on a screen of this size.
#[must_use]
pub fn seen(model: &Model, asking: &Asking, (columns, lines): (u16, u16)) -> Seen {
    let evidence = evidence_of(model, asking, width_in(columns)).len();
    // As high as the screen, between header, status and footer, without its own frame and what is asked.
    let room = lines.saturating_sub(BESIDE + asked_rows(asking, width_in(columns)) + 2);
    let room = usize::from(room);
    if evidence <= room {
        return Seen {
            page: room,
            to_its_end: true,
        };
    }
    let page = room.saturating_sub(1);
    let first = asking.scroll.first(evidence, page);
    Seen {
        page,
        to_its_end: page > 0 && first + page == evidence,
    }
}

/// Tells whether a dialog's evidence can be seen on a screen of this size: nobody confirms what is not shown.
#[must_use]
pub fn has_room(dialog: &Dialog, (columns, lines): (u16, u16)) -> bool {
    match &dialog.stage {
        Stage::Asking(asking) => lines >= least_height(asking, width_in(columns)) + BESIDE,
        _ => true,
    }
}

/// The lines that a dialog that asks takes at least, with its frame.
fn least_height(asking: &Asking, width: u16) -> u16 {
    asked_rows(asking, width) + LEAST_EVIDENCE + 2
}

fn too_small(pen: &mut Pen<'_>, area: Rect, title: &str, border: Token, lines: u16) {
    let inside = window(pen, area, (area.width.saturating_sub(4), 5), title, border);
    let text = format!("enlarge the window to {lines} lines to decide this; esc cancels");
    let lines: Vec<Parts> = wrap(&text, usize::from(inside.width))
        .into_iter()
        .map(|line| vec![(Token::StatusWarn, line)])
        .collect();
    pen.lines(inside, &lines);
}

fn is_production(model: &Model) -> bool {
    model
        .picture
        .as_ref()
        .is_some_and(|picture| picture.deployment.environment == Environment::Prod)
}

fn title(model: &Model, dialog: &Dialog) -> String {
    let place = model.picture.as_ref().map_or_else(String::new, |picture| {
        format!(
            " on {} {}",
            picture.deployment.environment.word().to_uppercase(),
            picture.deployment.name
        )
    });
    let name = dialog.entry.name().to_uppercase();
    let target = match &dialog.stage {
        Stage::Asking(asking) => asking.proposal.target().id.clone(),
        _ => dialog.asked.target.clone(),
    };
    let target = if dialog.entry.kind == "console" {
        "this console".to_owned()
    } else {
        target
    };
    if target.is_empty() {
        return format!("{name}{place}");
    }
    let dot = model.start.glyphs.dot();
    format!("{name} {dot} {target}{place}")
}

fn draw_fields(filling: &Filling, pen: &mut Pen<'_>, inside: Rect) {
    let mut y = inside.y;
    for (at, (name, help, line)) in filling.fields.iter().enumerate() {
        if y + 2 >= inside.bottom() {
            break;
        }
        let focused = at == filling.focus;
        let token = if focused { Token::Accent } else { Token::Muted };
        pen.parts(
            inside.x,
            y,
            inside.width,
            &[
                (token, format!("{name}  ")),
                (Token::Muted, (*help).to_owned()),
            ],
        );
        let style = pen.style(token);
        pen.write(inside.x, y + 1, 2, style, if focused { "> " } else { "  " });
        pen.input(
            inside.x + 2,
            y + 1,
            inside.width.saturating_sub(2),
            line,
            focused,
        );
        y += 2;
    }
    if let Some(wrong) = &filling.wrong {
        let text = format!("{} ({})", wrong.sentence, wrong.hint);
        let lines: Vec<Parts> = wrap(&text, usize::from(inside.width))
            .into_iter()
            .map(|line| vec![(Token::InputError, line)])
            .collect();
        pen.lines(
            Rect {
                y,
                height: inside.bottom().saturating_sub(y + 1),
                ..inside
            },
            &lines,
        );
    }
    let keys = key_parts(&[
        ("tab", "next"),
        ("enter", "show what would happen"),
        ("esc", "cancel"),
    ]);
    pen.parts(
        inside.x,
        inside.bottom().saturating_sub(1),
        inside.width,
        &keys,
    );
}

/// How many lines are needed below the evidence in a dialog of this width.
fn asked_rows(asking: &Asking, width: u16) -> u16 {
    if asking.level() < Level::Review {
        return 4;
    }
    let inside = width.saturating_sub(FRAME);
    9 + u16::from(!fits_beside(&asking.proposal.phrase(), inside))
}

fn draw_asking(model: &Model, asking: &Asking, pen: &mut Pen<'_>, inside: Rect, lines: &[Parts]) {
    let simple = asking.level() < Level::Review;
    let asked = asked_rows(asking, inside.width + FRAME);
    let room = inside.height.saturating_sub(asked);
    let mut y = inside.y + room;
    let evidence = Rect {
        height: room,
        ..inside
    };
    if lines.len() <= usize::from(room) {
        pen.lines(evidence, lines);
    } else if room > 0 {
        // The last line of the room says that there is more.
        let height = room - 1;
        let first = asking.scroll.first(lines.len(), usize::from(height));
        pen.lines(Rect { height, ..evidence }, &lines[first..]);
        let said = match lines.len() - usize::from(height) - first {
            0 => "the end: pgup".to_owned(),
            hidden => format!("{}: pgdn", counted(hidden, "more line", "more lines")),
        };
        pen.parts(inside.x, y - 1, inside.width, &[(Token::StatusInfo, said)]);
    }
    if !simple {
        y = draw_reason(
            asking,
            pen,
            Rect {
                y,
                height: inside.bottom() - y,
                ..inside
            },
        );
    }
    let (token, said) = match (&asking.locked, asking.ahead_at, asking.missing()) {
        (Some(why), _, _) => (
            Token::StatusDanger,
            format!("LOCKED: {why}. Close it and look again."),
        ),
        (None, Some(ahead), _) => {
            let left = ahead.saturating_duration_since(model.at).as_secs() + 1;
            (
                Token::StatusWarn,
                format!("goes ahead in {left}; any key stops it"),
            )
        }
        (None, None, Some(missing)) => (Token::Muted, missing),
        (None, None, None) => (Token::StatusOk, asking.ready().to_owned()),
    };
    pen.parts(inside.x, y, inside.width, &[(token, said)]);
    buttons(asking, pen, inside, inside.bottom().saturating_sub(2));
    let keys: &[(&str, &str)] = if asking.locked.is_some() {
        &[("esc", "close, and look again")]
    } else if simple {
        &[
            ("y", "do it"),
            ("n", "no"),
            ("esc", "cancel"),
            ("enter", "does not do it"),
        ]
    } else {
        &[
            ("tab", "next"),
            ("space", "press"),
            ("ctrl-x", "editor"),
            ("esc", "cancel"),
            ("enter", "does nothing"),
        ]
    };
    pen.parts(
        inside.x,
        inside.bottom().saturating_sub(1),
        inside.width,
        &key_parts(keys),
    );
}

fn draw_reason(asking: &Asking, pen: &mut Pen<'_>, area: Rect) -> u16 {
    let focused = |focus: Focus| {
        if asking.focus == focus {
            Token::Accent
        } else {
            Token::Muted
        }
    };
    let label = format!("Reason ({REASON_AT_LEAST}+ characters, it goes into the ledger)");
    pen.parts(
        area.x,
        area.y,
        area.width,
        &[(focused(Focus::Reason), label)],
    );
    let field = Rect {
        y: area.y + 1,
        height: 3.min(area.height.saturating_sub(1)),
        ..area
    }
    .intersection(pen.buffer().area);
    let mut text = asking.reason.clone();
    text.set_style(pen.style(Token::InputFg));
    text.set_cursor_line_style(pen.style(Token::InputFg));
    let cursor = if asking.focus == Focus::Reason {
        pen.style(Token::InputCursor)
    } else {
        pen.style(Token::InputFg)
    };
    text.set_cursor_style(cursor);
    text.set_wrap_mode(tui_textarea::WrapMode::WordOrGlyph);
    text.render(field, pen.buffer());
    let y = area.y + 4;
    let phrase = asking.proposal.phrase();
    let label = format!("Type  {phrase}  to allow: ");
    let label = pen.parts(area.x, y, area.width, &[(focused(Focus::Phrase), label)]);
    let (used, y) = if fits_beside(&phrase, area.width) {
        (label, y)
    } else {
        // Under its pattern, sign below sign.
        (BEFORE_PHRASE, y + 1)
    };
    let (x, width) = (area.x + used, area.width.saturating_sub(used));
    let has_focus = asking.focus == Focus::Phrase;
    pen.input(x, y, width, &asking.typed, has_focus);
    let typed = asking.typed.text();
    if !phrase.starts_with(&typed) {
        let style = pen.style(Token::InputError);
        pen.write(x, y, width, style, &typed);
    }
    y + 1
}

/// How wide the word before a phrase is.
const BEFORE_PHRASE: u16 = 6;

/// Tells whether a phrase can be typed beside itself, with a cursor behind it.
fn fits_beside(phrase: &str, width: u16) -> bool {
    let needed = "Type    to allow: ".len() + 2 * phrase.width() + 1;
    needed <= usize::from(width)
}

fn buttons(asking: &Asking, pen: &mut Pen<'_>, inside: Rect, y: u16) {
    let open = asking.missing().is_none();
    let mut x = inside.x;
    for (focus, label, token) in [
        (Focus::Cancel, "Cancel".to_owned(), Token::Fg),
        (
            Focus::Confirm,
            asking.proposal.entry().name(),
            if open {
                Token::StatusWarn
            } else {
                Token::KeyDisabled
            },
        ),
    ] {
        let mut style = pen.style(token);
        let text = if asking.focus == focus {
            style = style.add_modifier(Modifier::BOLD | Modifier::REVERSED);
            format!("[ {label} ]")
        } else {
            format!("( {label} )")
        };
        x += pen.write(x, y, inside.right().saturating_sub(x), style, &text) + 3;
    }
}
