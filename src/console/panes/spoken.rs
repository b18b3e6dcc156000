//! The rows of panes as sentences, for whoever hears them: each cell by its column's name, and nothing by its place.

use crate::store::window::Window;

use super::super::model::Model;
use super::super::table::{Cell, Column};
use super::super::ui::Parts;
use super::{
    PaneId, blocks, bundles, cutover, dictionary, home, ledger, migration, mismatches, people,
    weeks,
};

/// Tells the rows of the open pane, a sentence each; nothing while they are not read.
#[must_use]
pub fn spoken(model: &Model) -> Vec<String> {
    let Some((picture, now)) = model.picture.as_ref().zip(model.moment()) else {
        return Vec::new();
    };
    match model.pane {
        PaneId::Home => {
            let items = home::items(model).into_iter();
            let line = |item: home::Item| format!("{}: {}", item.section, text(&item.says));
            items.map(line).collect()
        }
        PaneId::Cutover => cutover::sight(model).map_or_else(Vec::new, |sight| {
            let steps = cutover::steps(model, sight).into_iter();
            steps.map(|step| text(&step)).collect()
        }),
        PaneId::Migration => all(migration::COLUMNS, &picture.migrations.rows, |row| {
            migration::cells(model, row)
        }),
        PaneId::Mismatches => all(
            mismatches::COLUMNS,
            &picture.migrations.mismatches,
            mismatches::cells,
        ),
        PaneId::Blocks => all(blocks::COLUMNS, &picture.blocks, |row| {
            blocks::cells(row, now)
        }),
        PaneId::Weeks => all(weeks::COLUMNS, &picture.weeks, weeks::cells),
        PaneId::Bundles => all(bundles::COLUMNS, &picture.bundles, |row| {
            bundles::cells(row, now)
        }),
        PaneId::Ledger => all(ledger::COLUMNS, &picture.entries, |row| {
            ledger::cells(model, row)
        }),
        PaneId::People => all(people::COLUMNS, &picture.people, |row| {
            people::cells(model, row)
        }),
        PaneId::Dictionary => all(dictionary::COLUMNS, &picture.dictionary, dictionary::cells),
    }
}

fn all<Row>(
    columns: &[Column],
    window: &Window<Row>,
    cells: impl Fn(&Row) -> Vec<Cell>,
) -> Vec<String> {
    let mut lines: Vec<_> = window
        .rows
        .iter()
        .map(|row| sentence(columns, &cells(row)))
        .collect();
    if window.more_after {
        lines.push("and more that are not told here".to_owned());
    }
    lines
}

/// Names each cell that holds something by its column.
fn sentence(columns: &[Column], cells: &[Cell]) -> String {
    let named = columns.iter().zip(cells);
    let named = named.filter_map(|(column, (_, text))| {
        let words: Vec<_> = text.split_whitespace().collect();
        let title = column.title.to_lowercase();
        (!words.is_empty()).then(|| format!("{title} {}", words.join(" ")))
    });
    named.collect::<Vec<_>>().join("; ")
}

/// Writes what stands in a line without its looks, and with single blanks.
fn text(parts: &Parts) -> String {
    let text: String = parts.iter().map(|(_, text)| text.as_str()).collect();
    let words: Vec<_> = text.split_whitespace().collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::super::super::theme::Token;
    use super::*;

    #[test]
    fn a_row_names_its_cells_and_leaves_empty_ones_out() {
        let columns = [
            Column::new("RUN", 9, 0),
            Column::new("SLA", 9, 0),
            Column::new("OWNER", 9, 0),
        ];
        let cells = ["pub-1", "ok     21:10", ""].map(|text| (Token::Fg, text.to_owned()));
        assert_eq!(sentence(&columns, &cells), "run pub-1; sla ok 21:10");
    }
}
