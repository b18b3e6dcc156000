//! Windows: the part of a long list that is looked at, read by key and never by position.

use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, ColumnIndex, Decode, FromRow, Type};

use super::view::{on, query_as};
use super::{StoreError, View};
use crate::clock::Moment;
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
    /// A statement that begins with `SELECT` and the columns of a row, and to which further conditions can be added.
    pub select: String,
    /// What stands before a column's name there.
    pub prefix: &'static str,
    /// The columns that it is sorted by, of which an index is made; the last one is unique.
    pub key: &'static [&'static str],
    /// Which way they run.
    pub runs: Runs,
    /// The table and the condition under which the row with the id `$1` is found, gone from the list or not.
    pub place: &'static str,
    /// The fields that a filter may name, each with its text, which may be NULL.
    pub fields: &'static [(&'static str, &'static str)],
    /// The column that holds all of them in lower case, where the table has one.
    pub sought: Option<&'static str>,
    /// The moment that `:now` in a field's text stands for, where one has it.
    pub now: Option<Moment>,
}

/// A row, and whether it stands before the anchor.
struct Placed<Row> {
    is_before: bool,
    row: Row,
}

impl<'r, R: sqlx::Row, Row: FromRow<'r, R>> FromRow<'r, R> for Placed<Row>
where
    &'static str: ColumnIndex<R>,
    bool: Decode<'r, R::Database> + Type<R::Database>,
{
    fn from_row(read: &'r R) -> Result<Self, sqlx::Error> {
        Ok(Self {
            is_before: read.try_get("is_before")?,
            row: Row::from_row(read)?,
        })
    }
}

/// A part of a window, on one side of where its anchor stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    /// The rows before the anchor, the nearest first.
    Before,
    /// The anchor's row and those after it.
    From,
}

impl List {
    /// Tells whether the keys rise from one row to the next.
    fn rises(&self, order: Order) -> bool {
        (self.runs == Runs::Up) == (order == Order::Natural)
    }

    /// Writes what stands before the parts: tables as they stood, where they are not those of today, and what finds the
    /// anchor's key.
    fn with(&self, tables: &str, anchor: &Anchor) -> String {
        let place = matches!(anchor, Anchor::Around(_)).then(|| {
            let key = self.key.join(", ");
            format!("place AS (SELECT {key} FROM {})", self.place)
        });
        let tables = (!tables.is_empty()).then(|| tables.to_owned());
        let all: Vec<_> = tables.into_iter().chain(place).collect();
        match all.as_slice() {
            [] => String::new(),
            all => format!("WITH {} ", all.join(", ")),
        }
    }

    /// Writes the part on one side, of one row more than `most`, so that it can be told whether there are more.
    ///
    /// Each part runs along the index by itself.
    fn part(&self, side: Side, anchor: &Anchor, order: Order, most: usize, terms: &str) -> String {
        let rises = self.rises(order);
        let bound = if matches!(anchor, Anchor::Around(_)) {
            let sign = match (side, rises) {
                (Side::Before, true) => "<",
                (Side::Before, false) => ">",
                (Side::From, true) => ">=",
                (Side::From, false) => "<=",
            };
            // SQLite compares whole keys in an index only with what is no bare column.
            let place = |column| format!("(SELECT COALESCE({column}, NULL) FROM place)");
            let places: Vec<_> = self.key.iter().map(place).collect();
            let key: Vec<_> = self
                .key
                .iter()
                .map(|column| format!("{}{column}", self.prefix))
                .collect();
            format!(" AND ({}) {sign} ({})", key.join(", "), places.join(", "))
        } else {
            String::new()
        };
        let way = if rises == (side == Side::From) {
            ""
        } else {
            " DESC"
        };
        let sorted: Vec<_> = self
            .key
            .iter()
            .map(|column| format!("{}{column}{way}", self.prefix))
            .collect();
        let is_before = if side == Side::Before {
            "TRUE"
        } else {
            "FALSE"
        };
        let read = format!("SELECT {is_before} AS is_before,");
        format!(
            "{}{bound}{terms} ORDER BY {} LIMIT {}",
            self.select.replacen("SELECT", &read, 1),
            sorted.join(", "),
            most + 1
        )
    }

    /// Writes the condition that a term is; `$n` is its pattern. The case of a to z does not matter, on either database.
    fn condition(&self, term: &Term, n: usize, is_postgres: bool) -> String {
        let not = if term.how == How::Lacks { "NOT " } else { "" };
        if let (Some(sought), None, How::Has | How::Lacks) = (self.sought, term.field, term.how) {
            return format!(" AND {not}{sought} LIKE ${n} ESCAPE '!'");
        }
        let bytes = if is_postgres { " COLLATE \"C\"" } else { "" };
        let named = |(name, _): &&(&str, &str)| term.field.is_none_or(|field| field == *name);
        let fields = self.fields.iter().filter(named);
        let now = match self.now {
            Some(now) if is_postgres => format!("TIMESTAMPTZ '{now}'"),
            Some(now) => format!("'{now}'"),
            None => String::new(),
        };
        let texts: Vec<_> = fields
            .map(|(_, text)| format!("COALESCE(({}){bytes}, '')", text.replace(":now", &now)))
            .collect();
        // One look at all of them is faster than one at each; nothing that is typed holds what stands between them.
        let texts = match term.how {
            _ if texts.is_empty() => texts,
            How::Fuzzy => texts,
            How::Has | How::Lacks => vec![texts.join(" || '\u{1f}' || ")],
        };
        let has = texts
            .iter()
            .map(|text| format!(" OR LOWER({text}) LIKE ${n} ESCAPE '!'"));
        format!(" AND {not}(FALSE{})", has.collect::<String>())
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
    read_of(view, list, look, "").await
}

/// Reads the window that a look asks for, of tables as they stood.
pub(in crate::store) async fn read_of<Row: Readable, Sort>(
    view: &mut View,
    list: &List,
    look: &Look<Sort>,
    tables: &str,
) -> Result<Window<Row>, StoreError> {
    let window = at(view, list, look, (tables, &look.anchor)).await?;
    let is_empty = window.rows.is_empty() && !window.more_before && !window.more_after;
    if is_empty && matches!(look.anchor, Anchor::Around(_)) {
        // An id that stands nowhere has nothing around it.
        return at(view, list, look, (tables, &Anchor::First)).await;
    }
    Ok(window)
}

async fn at<Row: Readable, Sort>(
    view: &mut View,
    list: &List,
    look: &Look<Sort>,
    (tables, anchor): (&str, &Anchor),
) -> Result<Window<Row>, StoreError> {
    let reach = usize::from(look.reach);
    let (sides, most, id): (&[Side], _, _) = match anchor {
        Anchor::First => (&[Side::From], 2 * reach, ""),
        Anchor::Last => (&[Side::Before], 2 * reach, ""),
        Anchor::Around(id) => (&[Side::Before, Side::From], reach, id.as_str()),
    };
    let terms = &look.filter.terms;
    let conditions: Vec<_> = terms
        .iter()
        .enumerate()
        .map(|(n, term)| list.condition(term, n + 2, view.is_postgres()))
        .collect();
    let conditions = conditions.concat();
    let parts = sides.iter();
    let parts = parts.map(|side| list.part(*side, anchor, look.order, most, &conditions));
    let parts: Vec<_> = parts.collect();
    // A statement more is a way more to a server. SQLite sorts what it joins of two, and reads both as fast one by one.
    let parts = match parts.as_slice() {
        [before, from] if view.is_postgres() => vec![format!("({before}) UNION ALL ({from})")],
        _ => parts,
    };
    let with = list.with(tables, anchor);
    let (mut before, mut from) = (Vec::new(), Vec::new());
    for part in parts {
        let sql = format!("{with}{part}");
        let rows: Vec<Placed<Row>> = on!(view, c => {
            let mut query = query_as(AssertSqlSafe(sql)).bind(id);
            for term in terms {
                query = query.bind(pattern(term));
            }
            query.fetch_all(c).await
        })?;
        for Placed { is_before, row } in rows {
            if is_before {
                before.push(row);
            } else {
                from.push(row);
            }
        }
    }
    let (more_before, more_after) = (before.len() > most, from.len() > most);
    before.truncate(most);
    before.reverse();
    from.truncate(most);
    before.append(&mut from);
    Ok(Window {
        rows: before,
        more_before,
        more_after,
    })
}
