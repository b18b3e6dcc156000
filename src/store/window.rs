//! Windows: the part of a long list that is looked at, read by key and never by position.

use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, FromRow};

use super::view::{on, query_as};
use super::{StoreError, View};
use crate::rules::filter::{Filter, How, Term};

/// Where in the list a window lies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Anchor {
    /// At the first row.
    #[default]
    First,
    /// At the last row.
    Last,
    /// Around the row with this id, or around where it stood.
    Around(String),
}

/// Which way a list runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    /// As the sort is meant.
    #[default]
    Natural,
    /// The other way round.
    Reversed,
}

/// What is asked of a long list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Look<Sort> {
    /// Which rows.
    pub filter: Filter,
    /// By what they are sorted.
    pub sort: Sort,
    /// Which way.
    pub order: Order,
    /// Where.
    pub anchor: Anchor,
    /// How many rows on either side of the anchor.
    pub reach: u16,
}

/// The rows that a look found, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window<Row> {
    /// The rows.
    pub rows: Vec<Row>,
    /// Whether there are rows before them.
    pub more_before: bool,
    /// Whether there are rows after them.
    pub more_after: bool,
}

impl<Row> Default for Window<Row> {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            more_before: false,
            more_after: false,
        }
    }
}

/// A row that both databases give.
pub(in crate::store) trait Readable:
    for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin
{
}
impl<Row> Readable for Row where
    Row: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin
{
}

/// Which way a sort's key runs when it is not reversed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Runs {
    Up,
    Down,
}

/// A long list as SQL, made of constant names only.
#[derive(Debug)]
pub(in crate::store) struct List {
    /// `SELECT … FROM … WHERE …`, to which further conditions can be added.
    pub select: String,
    /// The columns that it is sorted by, of which an index is made; the last one is unique.
    pub key: &'static [&'static str],
    /// Which way they run.
    pub runs: Runs,
    /// The table and the condition under which the row with the id `$1` is found, gone from the list or not.
    pub place: &'static str,
    /// The fields that a filter may name, each with its text, which may be NULL.
    pub fields: &'static [(&'static str, &'static str)],
}

/// A part of a list, read in one statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// From the first row on.
    Head,
    /// Up to the last row.
    Tail,
    /// Up to the row before the anchor's.
    Before,
    /// From the anchor's row on.
    From,
}

impl List {
    /// Writes the statement that reads one row more than `most`, so that it can be told whether there are more.
    fn statement(&self, part: Part, order: Order, most: usize, terms: &str) -> String {
        let up = (self.runs == Runs::Up) == (order == Order::Natural);
        let bound = match (part, up) {
            (Part::Head | Part::Tail, _) => None,
            (Part::Before, true) => Some("<"),
            (Part::Before, false) => Some(">"),
            (Part::From, true) => Some(">="),
            (Part::From, false) => Some("<="),
        };
        let bound = bound.map_or(String::new(), |sign| {
            // SQLite compares whole keys in an index only with what is no bare column.
            let place = |column| format!("(SELECT COALESCE({column}, NULL) FROM {})", self.place);
            let places: Vec<_> = self.key.iter().map(place).collect();
            format!(
                " AND ({}) {sign} ({})",
                self.key.join(", "),
                places.join(", ")
            )
        });
        let way = if up == matches!(part, Part::Head | Part::From) {
            ""
        } else {
            " DESC"
        };
        let key: Vec<_> = self
            .key
            .iter()
            .map(|column| format!("{column}{way}"))
            .collect();
        format!(
            "{}{bound}{terms} ORDER BY {} LIMIT {}",
            self.select,
            key.join(", "),
            most + 1
        )
    }

    /// Writes the condition that a term is; `$n` is its pattern. The case of a to z does not matter, on either database.
    fn condition(&self, term: &Term, n: usize, is_postgres: bool) -> String {
        let bytes = if is_postgres { " COLLATE \"C\"" } else { "" };
        let has: Vec<_> = self
            .fields
            .iter()
            .filter(|(name, _)| term.field.is_none_or(|field| field == *name))
            .map(|(_, text)| {
                format!(" OR COALESCE(LOWER(({text}){bytes}), '') LIKE ${n} ESCAPE '!'")
            })
            .collect();
        let not = if term.how == How::Lacks { "NOT " } else { "" };
        format!(" AND {not}(FALSE{})", has.concat())
    }
}

/// Writes what a term looks for as a pattern of LIKE.
fn pattern(term: &Term) -> String {
    let between = if term.how == How::Fuzzy { "%" } else { "" };
    let mut pattern = "%".to_owned();
    for character in term.text.chars() {
        if matches!(character, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(character);
        pattern.push_str(between);
    }
    pattern + "%"
}

/// Reads the window that a look asks for.
pub(in crate::store) async fn read<Row: Readable, Sort>(
    view: &mut View,
    list: &List,
    look: &Look<Sort>,
) -> Result<Window<Row>, StoreError> {
    let reach = usize::from(look.reach);
    let mut window = Window::default();
    if matches!(look.anchor, Anchor::Around(_)) {
        (window.rows, window.more_before) = part(view, list, look, Part::Before, reach).await?;
        let (rows, more_after) = part(view, list, look, Part::From, reach).await?;
        window.rows.extend(rows);
        window.more_after = more_after;
        if window.more_before || window.more_after || !window.rows.is_empty() {
            return Ok(window);
        }
    }
    if look.anchor == Anchor::Last {
        (window.rows, window.more_before) = part(view, list, look, Part::Tail, 2 * reach).await?;
    } else {
        (window.rows, window.more_after) = part(view, list, look, Part::Head, 2 * reach).await?;
    }
    Ok(window)
}

/// Reads one part, in the list's order, and tells whether there is more of it.
async fn part<Row: Readable, Sort>(
    view: &mut View,
    list: &List,
    look: &Look<Sort>,
    part: Part,
    most: usize,
) -> Result<(Vec<Row>, bool), StoreError> {
    let anchor = match &look.anchor {
        Anchor::Around(id) => id.as_str(),
        Anchor::First | Anchor::Last => "",
    };
    let terms = &look.filter.terms;
    let conditions: Vec<_> = terms
        .iter()
        .enumerate()
        .map(|(n, term)| list.condition(term, n + 2, view.is_postgres()))
        .collect();
    let sql = list.statement(part, look.order, most, &conditions.concat());
    let mut rows: Vec<Row> = on!(view, c => {
        let mut query = query_as(AssertSqlSafe(sql)).bind(anchor);
        for term in terms {
            query = query.bind(pattern(term));
        }
        query.fetch_all(c).await
    })?;
    let more = rows.len() > most;
    rows.truncate(most);
    if matches!(part, Part::Tail | Part::Before) {
        rows.reverse();
    }
    Ok((rows, more))
}
