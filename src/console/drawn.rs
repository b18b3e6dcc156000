//! A finished screen as text or as a picture: for reports, for docs, and for whoever is not at a terminal.

use std::fmt::Write as _;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr;

use super::theme::rgb;

/// The size of a cell in the picture.
const CELL: (usize, usize) = (9, 19);
/// What stands for the terminal's own colours, which nobody can know.
const OWN: ([u8; 3], [u8; 3]) = ([0xd6, 0xd6, 0xd6], [0x16, 0x16, 0x16]);

/// Writes a screen as lines of text.
#[must_use]
pub fn text(buffer: &Buffer) -> Vec<String> {
    rows(buffer)
        .map(|row| {
            let line: String = row.iter().map(|(_, cell)| cell.symbol()).collect();
            line.trim_end().to_owned()
        })
        .collect()
}

/// The cells of each line that are shown; the second half of a wide character is not one of them.
fn rows(buffer: &Buffer) -> impl Iterator<Item = Vec<(u16, &Cell)>> {
    let area = buffer.area;
    (area.top()..area.bottom()).map(move |y| {
        let mut cells = Vec::new();
        let mut x = area.left();
        while x < area.right() {
            let Some(cell) = buffer.cell((x, y)) else {
                break;
            };
            cells.push((x, cell));
            x += u16::try_from(cell.symbol().width().max(1)).unwrap_or(1);
        }
        cells
    })
}

/// How a run of cells looks: text, ground, and whether it is bold, underlined, italic.
#[derive(PartialEq, Eq, Clone, Copy)]
struct Look {
    text: [u8; 3],
    ground: [u8; 3],
    modifiers: Modifier,
}

fn look(cell: &Cell) -> Look {
    let known = |color: Color, own| rgb(color).unwrap_or(own);
    let (mut text, mut ground) = (known(cell.fg, OWN.0), known(cell.bg, OWN.1));
    if cell.modifier.contains(Modifier::REVERSED) {
        std::mem::swap(&mut text, &mut ground);
    }
    if cell.modifier.contains(Modifier::DIM) {
        for (text, ground) in text.iter_mut().zip(ground) {
            *text = u8::midpoint(*text, ground);
        }
    }
    Look {
        text,
        ground,
        modifiers: cell.modifier & (Modifier::BOLD | Modifier::UNDERLINED | Modifier::ITALIC),
    }
}

/// Draws a screen as a picture that every browser shows.
#[must_use]
pub fn svg(buffer: &Buffer, title: &str) -> String {
    let (width, height) = (
        usize::from(buffer.area.width) * CELL.0,
        usize::from(buffer.area.height) * CELL.1,
    );
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         font-family=\"ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace\" font-size=\"15\" role=\"img\">\n\
         <title>{}</title>\n",
        escaped(title)
    );
    for (row, cells) in rows(buffer).enumerate() {
        for run in cells.chunk_by(|(_, one), (_, other)| look(one) == look(other)) {
            run_of(&mut out, row, run);
        }
    }
    out.push_str("</svg>\n");
    out
}

fn run_of(out: &mut String, row: usize, run: &[(u16, &Cell)]) {
    let [(first, cell), ..] = run else { return };
    let look = look(cell);
    let text: String = run.iter().map(|(_, cell)| cell.symbol()).collect();
    let (x, y) = (usize::from(*first) * CELL.0, row * CELL.1);
    let width = text.width() * CELL.0;
    // Writing into a string cannot fail.
    let _ = writeln!(
        out,
        "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{}\" fill=\"{}\"/>",
        CELL.1,
        hex(look.ground)
    );
    if text.trim().is_empty() {
        return;
    }
    let mut style = String::new();
    for (modifier, words) in [
        (Modifier::BOLD, " font-weight=\"bold\""),
        (Modifier::ITALIC, " font-style=\"italic\""),
        (Modifier::UNDERLINED, " text-decoration=\"underline\""),
    ] {
        if look.modifiers.contains(modifier) {
            style.push_str(words);
        }
    }
    let _ = writeln!(
        out,
        "<text x=\"{x}\" y=\"{}\" textLength=\"{width}\" xml:space=\"preserve\" fill=\"{}\"{style}>{}</text>",
        y + 14,
        hex(look.text),
        escaped(&text)
    );
}

fn hex([red, green, blue]: [u8; 3]) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::style::Style;

    #[test]
    fn a_picture_holds_every_text_once_and_nothing_unescaped() {
        let mut buffer = Buffer::empty(ratatui::layout::Rect::new(0, 0, 12, 2));
        buffer.set_string(0, 0, "a<b> 漢字 &", Style::new().fg(Color::Rgb(1, 2, 3)));
        buffer.set_string(0, 1, "bold", Style::new().add_modifier(Modifier::BOLD));
        assert_eq!(text(&buffer), ["a<b> 漢字 &", "bold"]);
        let svg = svg(&buffer, "x & y");
        assert!(svg.contains("a&lt;b&gt; 漢字 &amp;") && svg.contains("<title>x &amp; y</title>"));
        assert!(svg.contains("fill=\"#010203\"") && svg.contains("font-weight=\"bold\">bold<"));
    }
}
