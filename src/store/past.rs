//! The past: governed rows as they stood at a moment, rebuilt from the after-images that the ledger keeps.
//!
//! A statement reads the past by naming the tables that it needs: each becomes part of its WITH under the table's own name,
//! so the statement is the one that reads the present.

use super::tables::table;
use super::view::{on, query_as, query_scalar};
use super::{StoreError, View};
use crate::clock::Moment;
use crate::rules::Refusal;

/// A moment in the past, and the entry after which the rows stood as they did then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Past {
    /// The moment.
    pub at: Moment,
    /// The newest entry of that moment.
    pub seq: i64,
}

/// Why there is nothing to be seen at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoPast {
    /// It has not come yet.
    Ahead {
        /// What time it is.
        now: Moment,
    },
    /// The ledger begins later, or not at all yet.
    BeforeTheFirst(Option<Moment>),
    /// The clock was set back across it, so nobody can tell what came before and what after.
    Disordered,
}

impl NoPast {
    /// Says so in a sentence.
    #[must_use]
    pub fn refusal(self) -> Refusal {
        match self {
            Self::Ahead { now } => Refusal::new(
                "that moment has not come yet",
                format!("it is {now}; name an earlier one"),
            ),
            Self::BeforeTheFirst(Some(first)) => Refusal::new(
                "that moment lies before the first entry of the ledger",
                format!("the first entry was written at {first}"),
            ),
            Self::BeforeTheFirst(None) => Refusal::new(
                "the ledger has no entry yet, so there is no past",
                "wait for the first one",
            ),
            Self::Disordered => Refusal::new(
                "the database's clock was set back across that moment, so nobody can tell what stood then",
                "name a moment before or after it; the ledger marks such entries",
            ),
        }
    }
}

/// Finds the entry that a moment stands at.
pub async fn find(view: &mut View, at: Moment) -> Result<Result<Past, NoPast>, StoreError> {
    const LAST: &str =
        "SELECT seq FROM governance_ledger WHERE at_utc <= $1 ORDER BY seq DESC LIMIT 1";
    const LATER: &str =
        "SELECT seq FROM governance_ledger WHERE seq < $1 AND at_utc > $2 ORDER BY seq LIMIT 1";
    const FIRST: &str = "SELECT seq, at_utc FROM governance_ledger ORDER BY seq LIMIT 1";
    let now = view.now();
    if at > now {
        return Ok(Err(NoPast::Ahead { now }));
    }
    let last: Option<i64> = on!(view, c => query_scalar(LAST).bind(at).fetch_optional(c).await)?;
    let Some(seq) = last else {
        let first: Option<(i64, Moment)> = on!(view, c => query_as(FIRST).fetch_optional(c).await)?;
        return Ok(Err(NoPast::BeforeTheFirst(first.map(|(_, at)| at))));
    };
    let later: Option<i64> =
        on!(view, c => query_scalar(LATER).bind(seq).bind(at).fetch_optional(c).await)?;
    Ok(match later {
        Some(_) => Err(NoPast::Disordered),
        None => Ok(Past { at, seq }),
    })
}

/// A table that can be read as it stood.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) struct Stood {
    /// Its name.
    pub table: &'static str,
    /// The columns that its images hold.
    pub columns: &'static [&'static str],
    /// A column that the database makes of another one: its name, and the one that it is set with.
    pub set_with: Option<(&'static str, &'static str)>,
}

impl Past {
    /// Writes tables as they stood, for a WITH.
    pub(in crate::store) fn tables(self, view: &View, tables: &[Stood]) -> String {
        let is_postgres = view.is_postgres();
        let all = tables.iter().map(|table| self.table(is_postgres, *table));
        all.collect::<Vec<_>>().join(", ")
    }

    /// Writes a table as it stood. Where one column is its key, the table is sought by it along the ledger's index; else its
    /// rows are made once a statement, lest they be made anew for each row of another table.
    fn table(self, is_postgres: bool, stood: Stood) -> String {
        let (name, seq) = (stood.table, self.seq);
        let key = table(name).map_or(&[][..], |table| table.key);
        let column = |column: &str| {
            if key == [column] {
                "c.row_key".to_owned()
            } else if is_postgres {
                format!("r.{column}")
            } else {
                format!("json_extract(c.after_image, '$.{column}')")
            }
        };
        let columns = stood.columns.iter();
        let columns = columns.map(|name| format!("{} AS {name}", column(name)));
        let made = stood.set_with.iter();
        let made = made.map(|(name, of)| format!("{} IS NOT NULL AS {name}", column(of)));
        let row = if is_postgres {
            format!(
                " CROSS JOIN LATERAL json_populate_record(CAST(NULL AS {name}), CAST(c.after_image AS JSON)) AS r"
            )
        } else {
            String::new()
        };
        let not = if key.len() == 1 { "NOT " } else { "" };
        format!(
            "{name} AS {not}MATERIALIZED (SELECT {} FROM ledger_change c{row} WHERE c.table_name = '{name}' AND c.seq <= {seq} \
             AND NOT EXISTS (SELECT 1 FROM ledger_change d WHERE d.table_name = c.table_name AND d.row_key = c.row_key \
             AND d.version > c.version AND d.seq <= {seq}))",
            columns.chain(made).collect::<Vec<_>>().join(", ")
        )
    }
}
