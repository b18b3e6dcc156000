//! A long list as a table: columns drop out when it gets narrow, the selected row stays in sight.

use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr;

use super::list::Drawn;
use super::theme::Token;
use super::ui::{Parts, Pen};

/// How much of an id is shown at most.
const LONGEST_ID: u16 = 28;

/// A column.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Its title.
    pub title: &'static str,
    /// How many cells it takes at least.
    pub width: u16,
    /// Which columns go first when it gets narrow: the highest; those with 0 stay.
    pub rank: u8,
}

impl Column {
    /// A column of a title, a width and a rank.
    #[must_use]
    pub const fn new(title: &'static str, width: u16, rank: u8) -> Self {
        Self { title, width, rank }
    }
}

/// What stands in a cell.
pub type Cell = (Token, String);

/// What a table shows.
pub struct Table<'a, Row> {
    /// The columns.
    pub columns: &'a [Column],
    /// The rows of the window.
    pub rows: &'a [Row],
    /// Which one is selected, if it is there.
    pub selected: Option<usize>,
    /// Writes a row's cells.
    pub cells: &'a dyn Fn(&Row) -> Vec<Cell>,
}

impl<Row> Table<'_, Row> {
    /// Draws the table and tells where its rows went.
    pub fn draw(&self, pen: &mut Pen<'_>, area: Rect) -> Drawn {
        if area.height < 2 || area.width < 4 {
            return Drawn::default();
        }
        let height = area.height - 1;
        let offset = offset(self.selected, self.rows.len(), height);
        let rows = self.rows.iter().skip(offset).take(usize::from(height));
        let rows: Vec<Vec<Cell>> = rows.map(|row| (self.cells)(row)).collect();
        let columns = self.fitted(&rows);
        let kept = kept(&columns, area.width - 2);
        let widths = widths(&columns, &kept, area.width - 2);
        let heads = kept
            .iter()
            .map(|at| (Token::Muted, columns[*at].title.to_owned()));
        write_row(pen, area, area.y, &heads.collect(), &widths);
        for (line, cells) in rows.iter().enumerate() {
            let y = area.y + 1 + u16::try_from(line).unwrap_or(0);
            let cells = kept.iter().filter_map(|at| cells.get(*at).cloned());
            write_row(pen, area, y, &cells.collect(), &widths);
            if self.selected == Some(offset + line) {
                pen.select(area, y);
            }
        }
        Drawn {
            left: area.x,
            width: area.width,
            top: area.y + 1,
            height,
            offset,
        }
    }

    /// Widens the first column to the longest id on the screen: an id that is cut names nothing.
    fn fitted(&self, rows: &[Vec<Cell>]) -> Vec<Column> {
        let mut columns = self.columns.to_vec();
        let ids = rows.iter().filter_map(|cells| cells.first());
        let longest = ids.map(|(_, id)| id.width()).max().unwrap_or(0);
        if let Some(first) = columns.first_mut() {
            let longest = u16::try_from(longest).unwrap_or(u16::MAX);
            first.width = first.width.max(longest.min(LONGEST_ID));
        }
        columns
    }
}

/// Tells which columns there is room for.
fn kept(columns: &[Column], width: u16) -> Vec<usize> {
    let mut kept: Vec<usize> = (0..columns.len()).collect();
    let takes = |kept: &[usize]| kept.iter().map(|at| columns[*at].width + 2).sum::<u16>();
    while takes(&kept) > width + 2 {
        let worst = kept.iter().copied().max_by_key(|at| columns[*at].rank);
        match worst {
            Some(worst) if columns[worst].rank > 0 => kept.retain(|at| *at != worst),
            _ => break,
        }
    }
    kept
}

/// Gives what is left over to the first and the last column.
fn widths(columns: &[Column], kept: &[usize], width: u16) -> Vec<u16> {
    let mut widths: Vec<u16> = kept.iter().map(|at| columns[*at].width).collect();
    let taken = widths.iter().map(|width| width + 2).sum::<u16>();
    let spare = (width + 2).saturating_sub(taken);
    let first = (spare / 3).min(4);
    if let Some(width) = widths.first_mut() {
        *width += first;
    }
    if let Some(width) = widths.last_mut() {
        *width += spare - first;
    }
    widths
}

fn write_row(pen: &mut Pen<'_>, area: Rect, y: u16, cells: &Parts, widths: &[u16]) {
    let mut x = area.x + 2;
    for ((token, text), width) in cells.iter().zip(widths) {
        let style = pen.style(*token);
        let room = area.right().saturating_sub(x).min(*width);
        pen.write(x, y, room, style, text);
        x += width + 2;
    }
}

/// Tells which row comes first on the screen: the selected one stays near the middle, the ends are filled.
#[must_use]
pub fn offset(selected: Option<usize>, rows: usize, height: u16) -> usize {
    let height = usize::from(height);
    let last = rows.saturating_sub(height);
    selected.map_or(0, |at| at.saturating_sub(height / 2).min(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_selected_row_is_always_on_the_screen() {
        for rows in 0..30 {
            for height in 1..12_u16 {
                for selected in 0..rows {
                    let offset = offset(Some(selected), rows, height);
                    assert!(offset <= selected && selected < offset + usize::from(height));
                    assert!(
                        offset == 0 || offset + usize::from(height) <= rows,
                        "no gap at the end"
                    );
                }
            }
        }
        assert_eq!(offset(None, 100, 10), 0);
    }

    #[test]
    fn columns_drop_by_rank_and_the_first_ones_stay() {
        let columns = [
            Column::new("RUN", 8, 0),
            Column::new("REASON", 20, 2),
            Column::new("LEFT", 6, 0),
            Column::new("OWNER", 8, 1),
        ];
        assert_eq!(kept(&columns, 60), [0, 1, 2, 3]);
        assert_eq!(kept(&columns, 30), [0, 2, 3]);
        assert_eq!(kept(&columns, 18), [0, 2]);
        assert_eq!(kept(&columns, 1), [0, 2]);
    }
}
