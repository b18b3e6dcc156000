//! The database's own walls: triggers that refuse what no rule allows, whoever asks.
//!
//! Each wall is one SQL condition over `NEW` and `OLD` that must be true, written once for both databases; a
//! condition that is NULL has not been met. What every table of a kind needs (the link to the ledger, no deletion, no
//! way round through REPLACE) is generated from the list of tables; what one table needs stands in `single`,
//! and what the tables of the publish gate need in `publish`.
//! `govdeck ledger verify` compares what is installed with what this module makes.

mod agent;
mod bundle;
mod dialects;
mod dictionary;
mod hour;
mod migration;
pub(in crate::store) mod permission;
mod publish;
mod single;
mod week;

use std::collections::BTreeMap;

use sqlx::{AssertSqlSafe, Row};

use dialects::{postgres_triggers, sqlite_triggers};
use single::{On, WRITE, Wall, Where};

use super::tables::{Kind, TABLES, Table, row_key_sql};
use super::view::{Session, query, query_scalar};
use super::{StoreError, View};

/// A foreign key, whose twin stands as a wall where a shell does not enforce foreign keys.
struct ForeignKey {
    table: String,
    column: String,
    parent: String,
    parent_column: String,
    deferred: bool,
}

/// Replaces all walls by those of this program, inside the caller's transaction.
pub(in crate::store) async fn install(view: &mut View) -> Result<(), StoreError> {
    match &mut view.session {
        Session::Sqlite(t) => {
            let keys = sqlite_foreign_keys(t).await?;
            for row in query("SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'wall\\_%' ESCAPE '\\'").fetch_all(&mut **t).await? {
                let name: String = row.try_get("name")?;
                sqlx::raw_sql(AssertSqlSafe(format!("DROP TRIGGER \"{name}\""))).execute(&mut **t).await?;
            }
            for statement in sqlite_triggers(&keys) {
                sqlx::raw_sql(AssertSqlSafe(statement))
                    .execute(&mut **t)
                    .await?;
            }
        }
        Session::Postgres(t) => {
            let schema: String = query_scalar("SELECT quote_ident(current_schema())")
                .fetch_one(&mut **t)
                .await?;
            for statement in postgres_triggers(&schema) {
                sqlx::raw_sql(AssertSqlSafe(statement))
                    .execute(&mut **t)
                    .await?;
            }
        }
    }
    Ok(())
}

/// Lists what takes the walls of a PostgreSQL schema away: triggers first, as they need their functions.
const OLD_WALLS: &str = "SELECT gone FROM ( \
     SELECT 1 AS step, 'DROP TRIGGER ' || quote_ident(t.tgname) || ' ON ' || quote_ident(c.relname) AS gone \
       FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace \
      WHERE n.nspname = current_schema() AND NOT t.tgisinternal AND (t.tgname LIKE 'wall\\_%' OR t.tgname LIKE 'feed\\_%') \
     UNION ALL SELECT 2, 'DROP FUNCTION ' || quote_ident(p.proname) || '()' \
       FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace \
      WHERE n.nspname = current_schema() AND p.proname LIKE 'wall\\_%') AS walls ORDER BY step, gone";

async fn sqlite_foreign_keys(
    connection: &mut sqlx::SqliteConnection,
) -> Result<Vec<ForeignKey>, StoreError> {
    const SQL: &str = "SELECT m.name AS child, f.\"from\" AS child_column, f.\"table\" AS parent, f.\"to\" AS parent_column, \
         m.sql LIKE '%DEFERRABLE INITIALLY DEFERRED%' AS deferred \
         FROM sqlite_master m, pragma_foreign_key_list(m.name) f WHERE m.type = 'table' ORDER BY m.name, f.id, f.seq";
    let rows = query(SQL).fetch_all(connection).await?;
    rows.iter()
        .map(|row| {
            let column: String = row.try_get("child_column")?;
            Ok(ForeignKey {
                table: row.try_get("child")?,
                // Only the entry's actor is deferred: the very first entry comes before the person that it adds.
                deferred: row.try_get::<bool, _>("deferred")? && column == "actor_id",
                column,
                parent: row.try_get("parent")?,
                parent_column: row.try_get("parent_column")?,
            })
        })
        .collect()
}

/// Takes away the walls of an older program, so that none of them stays that this one no longer has.
pub(in crate::store) async fn take_away(view: &mut View) -> Result<(), StoreError> {
    if let Session::Postgres(t) = &mut view.session {
        for row in query(OLD_WALLS).fetch_all(&mut **t).await? {
            let gone: String = row.try_get("gone")?;
            sqlx::raw_sql(AssertSqlSafe(gone)).execute(&mut **t).await?;
        }
    }
    Ok(())
}

/// The walls that single tables need, whatever file they stand in.
fn of_single_tables() -> impl Iterator<Item = &'static Wall> {
    let all = single::WALLS.iter().chain(publish::WALLS);
    let all = all.chain(week::WALLS).chain(dictionary::WALLS);
    let all = all.chain(bundle::WALLS).chain(migration::WALLS);
    all.chain(hour::WALLS).chain(agent::WALLS)
}

type Walls = BTreeMap<(&'static str, On), Vec<(String, String)>>;

/// Collects every wall of one database: by table and statement, what it says and what it requires.
fn collect(here: Where, foreign_keys: &[ForeignKey]) -> Walls {
    let mut walls = Walls::new();
    for table in TABLES {
        let mut add = |on: On, says: &str, requires: String| {
            walls
                .entry((table.name, on))
                .or_default()
                .push((says.to_owned(), requires));
        };
        match table.kind {
            Kind::Governed => {
                add(
                    On::Insert,
                    "not in the newest ledger entry",
                    first_version(table),
                );
                add(
                    On::Update,
                    "not in the newest ledger entry",
                    next_version(table),
                );
                add(
                    On::Delete,
                    "nothing governed is ever deleted",
                    "FALSE".to_owned(),
                );
            }
            Kind::Ledger => {
                add(On::Update, "the ledger is append-only", "FALSE".to_owned());
                add(On::Delete, "the ledger is append-only", "FALSE".to_owned());
            }
            Kind::Feed | Kind::Bookkeeping => {}
        }
        if here == Where::Sqlite && matches!(table.kind, Kind::Governed | Kind::Ledger) {
            add(
                On::Insert,
                "a row is never replaced",
                no_other(table, table.key, None),
            );
            for unique in table.unique {
                add(
                    On::Insert,
                    "a row is never replaced",
                    no_other(table, unique, None),
                );
                if table.kind == Kind::Governed {
                    add(
                        On::Update,
                        "a row is never replaced",
                        no_other(table, unique, Some(table.key)),
                    );
                }
            }
        }
        match table.name {
            "governance_ledger" => {
                for (says, requires) in permission::entry_walls() {
                    add(On::Insert, says, requires);
                }
            }
            "ledger_change" => {
                let (says, requires) = permission::change_wall();
                add(On::Insert, says, requires);
            }
            "approval_request" => {
                for (says, requires) in permission::proposal_walls() {
                    add(On::Insert, says, requires);
                }
            }
            _ => {}
        }
        for wall in of_single_tables().filter(|wall| {
            wall.table == table.name && (wall.only == Where::Both || wall.only == here)
        }) {
            wall.on
                .iter()
                .for_each(|on| add(*on, wall.says, wall.requires.to_owned()));
        }
        for key in foreign_keys
            .iter()
            .filter(|key| key.table == table.name && !key.deferred)
        {
            let ForeignKey {
                column,
                parent,
                parent_column,
                ..
            } = key;
            let says = format!("{column} must name a row of {parent}");
            let requires = format!(
                "NEW.{column} IS NULL OR EXISTS (SELECT 1 FROM {parent} WHERE {parent_column} = NEW.{column})"
            );
            for on in WRITE {
                add(*on, &says, requires.clone());
            }
        }
    }
    walls
}

fn linked(table: &Table) -> String {
    format!(
        "EXISTS (SELECT 1 FROM ledger_change c WHERE c.table_name = '{}' AND c.row_key = {} AND c.version = NEW.version \
         AND c.seq = (SELECT seq FROM ledger_head))",
        table.name,
        row_key_sql(table.key, "NEW.")
    )
}

fn first_version(table: &Table) -> String {
    match table.feed {
        Some(feed) => format!("NEW.{} AND NEW.version = 0", feed.while_sql),
        None => format!("NEW.version = 1 AND {}", linked(table)),
    }
}

fn next_version(table: &Table) -> String {
    let same_key = table
        .key
        .iter()
        .map(|column| format!("NEW.{column} = OLD.{column}"))
        .collect::<Vec<_>>()
        .join(" AND ");
    let step = format!("NEW.version = OLD.version + 1 AND {}", linked(table));
    match table.feed.map(|feed| feed.while_sql) {
        Some(feed) => format!(
            "{same_key} AND ((OLD.{feed} AND NEW.{feed} AND NEW.version = OLD.version) OR ({step}))"
        ),
        None => format!("{same_key} AND {step}"),
    }
}

fn no_other(table: &Table, columns: &[&str], except: Option<&[&str]>) -> String {
    let same = columns
        .iter()
        .map(|column| format!("o.{column} = NEW.{column}"))
        .collect::<Vec<_>>()
        .join(" AND ");
    let not_itself = except.map_or(String::new(), |key| {
        let itself = key
            .iter()
            .map(|column| format!("o.{column} = OLD.{column}"))
            .collect::<Vec<_>>()
            .join(" AND ");
        format!(" AND NOT ({itself})")
    });
    format!(
        "NOT EXISTS (SELECT 1 FROM {} o WHERE {same}{not_itself})",
        table.name
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wall_names_a_table_of_the_list() {
        for wall in of_single_tables() {
            assert!(
                TABLES.iter().any(|table| table.name == wall.table),
                "{}",
                wall.table
            );
            assert!(!wall.says.contains('\''), "{}", wall.says);
        }
    }

    #[test]
    fn governed_and_ledger_tables_have_their_walls_on_both() {
        for here in [Where::Sqlite, Where::Postgres] {
            let walls = collect(here, &[]);
            for table in TABLES {
                for on in [On::Insert, On::Update, On::Delete] {
                    let wanted = match table.kind {
                        Kind::Governed => true,
                        Kind::Ledger => on != On::Insert,
                        Kind::Feed | Kind::Bookkeeping => false,
                    };
                    assert!(
                        !wanted || walls.contains_key(&(table.name, on)),
                        "{} {on:?}",
                        table.name
                    );
                }
            }
        }
    }
}
