//! The pen: every text that reaches the screen goes through it, scrubbed, cut to its place, and styled by meaning.

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::prose::shown;
use super::theme::{Theme, Token};

/// The characters that lines are drawn with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Glyphs {
    /// Box drawing characters.
    #[default]
    Lines,
    /// ASCII alone, for terminals and fonts that know no more.
    Ascii,
}

/// The six characters of a frame, the two joints of its dividers, and three small signs.
struct Set {
    corners: [&'static str; 4],
    across: &'static str,
    down: &'static str,
    joints: [&'static str; 2],
    more: char,
    bar: &'static str,
    cursor: &'static str,
}

impl Glyphs {
    const fn set(self) -> Set {
        match self {
            Self::Lines => Set {
                corners: ["┌", "┐", "└", "┘"],
                across: "─",
                down: "│",
                joints: ["├", "┤"],
                more: '…',
                bar: "│",
                cursor: "▏",
            },
            Self::Ascii => Set {
                corners: ["+", "+", "+", "+"],
                across: "-",
                down: "|",
                joints: ["+", "+"],
                more: '~',
                bar: "|",
                cursor: "_",
            },
        }
    }

    /// Returns what stands between two things of a line.
    #[must_use]
    pub const fn bar(self) -> &'static str {
        self.set().bar
    }

    /// Returns what stands between the members of a list.
    #[must_use]
    pub const fn dot(self) -> &'static str {
        match self {
            Self::Lines => "·",
            Self::Ascii => "-",
        }
    }

    /// Returns what bars are made of.
    #[must_use]
    pub const fn block(self) -> char {
        match self {
            Self::Lines => '\u{2588}',
            Self::Ascii => '#',
        }
    }

    /// Spells a text with what the terminal can show: a plain locale may make a mess of everything else.
    fn spell(self, text: String) -> String {
        let letter = |letter: char| match letter {
            plain if plain.is_ascii() => plain,
            '\u{2026}' => self.set().more,
            '\u{b7}' => '-',
            '\u{2192}' => '>',
            _ => '?',
        };
        match self {
            Self::Lines => text,
            Self::Ascii => text.chars().map(letter).collect(),
        }
    }

    /// Returns what leads from before to after.
    #[must_use]
    pub const fn arrow(self) -> &'static str {
        match self {
            Self::Lines => "→",
            Self::Ascii => "->",
        }
    }
}

/// Draws into a part of the screen.
#[derive(Debug)]
pub struct Pen<'a> {
    buffer: &'a mut Buffer,
    /// How things look.
    pub theme: &'a Theme,
    /// What lines are drawn with.
    pub glyphs: Glyphs,
    on: Style,
}

/// Parts of a line, each with its meaning.
pub type Parts = Vec<(Token, String)>;

/// What is said quietly.
pub fn muted(text: impl Into<String>) -> (Token, String) {
    (Token::Muted, text.into())
}

impl<'a> Pen<'a> {
    /// Takes up the pen.
    pub fn new(buffer: &'a mut Buffer, theme: &'a Theme, glyphs: Glyphs) -> Self {
        Self {
            buffer,
            theme,
            glyphs,
            on: theme.at(Token::Bg),
        }
    }

    /// Covers an area with a background.
    pub fn cover(&mut self, area: Rect, token: Token) {
        let area = area.intersection(self.buffer.area);
        self.on = self.theme.at(token);
        let mut blank = Cell::default();
        blank.set_style(self.theme.at(Token::Fg).patch(self.on));
        for position in area.positions() {
            if let Some(cell) = self.buffer.cell_mut(position) {
                cell.clone_from(&blank);
            }
        }
    }

    /// Returns the style of a text here.
    #[must_use]
    pub fn style(&self, token: Token) -> Style {
        self.on.patch(self.theme.at(token))
    }

    /// Writes a text into at most `width` cells and returns how many it took.
    pub fn write(&mut self, x: u16, y: u16, width: u16, style: Style, raw: &str) -> u16 {
        let area = self.buffer.area;
        if y < area.top() || y >= area.bottom() || x >= area.right() || x < area.left() {
            return 0;
        }
        let width = width.min(area.right() - x);
        if let Some(written) = self.write_plain((x, y), width, style, raw) {
            return written;
        }
        let text = self.cut(&self.glyphs.spell(shown(raw)), width);
        let (end, _) = self
            .buffer
            .set_stringn(x, y, &text, usize::from(width), style);
        end - x
    }

    /// Writes a text that needs neither scrubbing nor cutting, as nearly all do, letter by letter; none where it may.
    fn write_plain(&mut self, at: (u16, u16), width: u16, style: Style, raw: &str) -> Option<u16> {
        let length = u16::try_from(raw.len()).ok().filter(|it| *it <= width)?;
        let is_plain = raw.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        for (x, letter) in (at.0..).zip(raw.bytes().filter(|_| is_plain)) {
            if let Some(cell) = self.buffer.cell_mut((x, at.1)) {
                cell.set_char(char::from(letter)).set_style(style);
            }
        }
        is_plain.then_some(length)
    }

    /// Writes parts one after the other and returns how many cells they took.
    pub fn parts(&mut self, x: u16, y: u16, width: u16, parts: &[(Token, String)]) -> u16 {
        let mut used = 0;
        for (token, text) in parts {
            let style = self.style(*token);
            used += self.write(x + used, y, width.saturating_sub(used), style, text);
        }
        used
    }

    /// Cuts a text to a width, and marks the cut.
    fn cut(&self, text: &str, width: u16) -> String {
        let width = usize::from(width);
        if text.width() <= width {
            return text.to_owned();
        }
        let mut kept = String::new();
        let mut used = 0;
        for character in text.chars() {
            used += character.width().unwrap_or(0);
            if used + 1 > width {
                break;
            }
            kept.push(character);
        }
        if width > 0 {
            kept.push(self.glyphs.set().more);
        }
        kept
    }

    /// Draws a frame with a title and returns what is inside.
    pub fn frame(&mut self, area: Rect, title: &str, token: Token) -> Rect {
        if area.width < 2 || area.height < 2 {
            return Rect::ZERO;
        }
        let set = self.glyphs.set();
        let style = self.style(token);
        let [top_left, top_right, bottom_left, bottom_right] = set.corners;
        self.across(area, area.top(), [top_left, top_right], style);
        self.across(area, area.bottom() - 1, [bottom_left, bottom_right], style);
        for y in area.top() + 1..area.bottom() - 1 {
            self.put(area.x, y, set.down, style);
            self.put(area.right() - 1, y, set.down, style);
        }
        self.title(area, area.top(), title);
        Rect::new(area.x + 1, area.y + 1, area.width - 2, area.height - 2)
    }

    /// Draws a line across a frame with a title on it.
    pub fn divider(&mut self, frame: Rect, y: u16, title: &str, token: Token) {
        if frame.width < 2 || y >= frame.bottom() {
            return;
        }
        let style = self.style(token);
        self.across(frame, y, self.glyphs.set().joints, style);
        self.title(frame, y, title);
    }

    /// Draws a line from one edge of a frame to the other.
    fn across(&mut self, frame: Rect, y: u16, [left, right]: [&'static str; 2], style: Style) {
        let across = self.glyphs.set().across;
        self.put(frame.x, y, left, style);
        for x in frame.x + 1..frame.right() - 1 {
            self.put(x, y, across, style);
        }
        self.put(frame.right() - 1, y, right, style);
    }

    /// Puts a sign of this house into a cell.
    fn put(&mut self, x: u16, y: u16, sign: &'static str, style: Style) {
        if let Some(cell) = self.buffer.cell_mut((x, y)) {
            cell.set_symbol(sign).set_style(style);
        }
    }

    fn title(&mut self, frame: Rect, y: u16, title: &str) {
        if !title.is_empty() && frame.width > 8 {
            let style = self.style(Token::Fg).add_modifier(Modifier::BOLD);
            self.write(
                frame.x + 2,
                y,
                frame.width - 4,
                style,
                &format!(" {title} "),
            );
        }
    }

    /// Writes onto the lower edge of a frame.
    pub fn foot(&mut self, frame: Rect, text: &str) {
        if frame.width > 8 && frame.height > 1 {
            let style = self.style(Token::Muted);
            self.write(
                frame.x + 2,
                frame.bottom() - 1,
                frame.width - 4,
                style,
                &format!(" {text} "),
            );
        }
    }

    /// Writes lines of parts from the top of an area, as many as fit; tells how many.
    pub fn lines(&mut self, area: Rect, lines: &[Parts]) -> u16 {
        let mut count = 0;
        for (y, line) in (area.top()..area.bottom()).zip(lines) {
            self.parts(area.x, y, area.width, line);
            count += 1;
        }
        count
    }

    /// Marks a line as the selected one: a sign before it, and the selection's colours over it.
    pub fn select(&mut self, area: Rect, y: u16) {
        let style = self.theme.selected();
        self.buffer.set_style(
            Rect::new(area.x, y, area.width, 1).intersection(self.buffer.area),
            style,
        );
        let marker = style.patch(self.theme.at(Token::SelectionMarker));
        self.write(area.x, y, 1, marker, ">");
    }

    /// Shows a line of text that is being typed.
    pub fn input(&mut self, x: u16, y: u16, width: u16, line: &super::form::Line, focused: bool) {
        let (before, after) = line.halves();
        let style = self.style(Token::InputFg);
        // What no longer fits disappears at the left, where it was typed longest ago.
        let mut before = shown(&before);
        while before.width() + 1 > usize::from(width) && !before.is_empty() {
            before.remove(0);
        }
        let used = self.write(x, y, width, style, &before);
        let rest = width.saturating_sub(used);
        if focused {
            let cursor = self.style(Token::InputCursor);
            let at = after
                .chars()
                .next()
                .map_or_else(|| self.glyphs.set().cursor.to_owned(), String::from);
            let taken = self.write(x + used, y, rest, cursor, &at);
            let after: String = after.chars().skip(1).collect();
            self.write(
                x + used + taken,
                y,
                rest.saturating_sub(taken),
                style,
                &after,
            );
        } else {
            self.write(x + used, y, rest, style, &after);
        }
    }

    /// Gives the buffer to a widget of another house.
    pub fn buffer(&mut self) -> &mut Buffer {
        self.buffer
    }
}
