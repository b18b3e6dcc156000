//! The schema: what a database holds, making and upgrading it, and its catalogue of definitions.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{AssertSqlSafe, Row};

use super::tables::TABLES;
use super::view::{Session, View, query, query_as, query_scalar};
use super::{Access, Failure, OsAccount, Pool, Store, StoreError, walls};
use crate::settings::{Dsn, DsnKind};

/// Marks an SQLite file as govdeck's: "govd" in ASCII.
const APPLICATION_ID: i64 = 0x676f_7664;
const MIGRATIONS_TABLE: &str = "govdeck_migrations";

fn migrator(postgres: bool) -> Migrator {
    let mut migrator = if postgres {
        sqlx::migrate!("migrations/postgres")
    } else {
        sqlx::migrate!("migrations/sqlite")
    };
    migrator.table_name = MIGRATIONS_TABLE.into();
    // The whole upgrade runs in one transaction under a lock of its own.
    migrator.set_locking(false);
    migrator
}

/// Returns the newest schema version that this program knows.
#[must_use]
pub fn latest() -> i64 {
    migrator(false)
        .iter()
        .map(|migration| migration.version)
        .max()
        .unwrap_or(0)
}

/// What a database turns out to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// This program's schema, established.
    Current,
    /// Nothing at all.
    Empty,
    /// Tables that are not govdeck's, in an SQLite file of their own.
    Foreign,
    /// A schema that was begun and never established.
    HalfMade,
    /// An older schema.
    Older {
        /// Its version.
        found: i64,
    },
    /// A newer schema than this program knows.
    Newer {
        /// Its version.
        found: i64,
    },
}

impl State {
    /// Says why a database in this state cannot be used.
    #[must_use]
    pub fn into_error(self) -> StoreError {
        let known = latest();
        match self {
            Self::Empty => StoreError::unusable("the database is empty", "run `govdeck init`"),
            Self::Foreign => StoreError::unusable(
                "the database belongs to another program",
                "point `dsn` at a database of govdeck's",
            ),
            Self::HalfMade => StoreError::unusable(
                "the database was never finished",
                "run `govdeck init` again",
            ),
            Self::Older { found } => StoreError::unusable(
                format!("the database has schema {found}, this program needs {known}"),
                "run `govdeck init` to upgrade it",
            ),
            Self::Newer { found } => StoreError::unusable(
                format!("the database has schema {found}, this program knows only {known}"),
                "upgrade govdeck; until then it only looks",
            ),
            Self::Current => StoreError::new(
                Failure::Other,
                "the database is as it should be",
                "nothing to do",
            ),
        }
    }
}

/// Finds out what a database holds, without changing anything.
pub async fn state(store: &Store) -> Result<State, StoreError> {
    const SQLITE_COUNT: &str = "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name IN ('govdeck_migrations', 'governance_ledger')";
    const POSTGRES_COUNT: &str = "SELECT COUNT(*) FROM pg_class WHERE relkind = 'r' AND relnamespace = CAST(current_schema() AS regnamespace) \
         AND relname IN ('govdeck_migrations', 'governance_ledger')";
    const READ: &str = "SELECT (SELECT CAST(COALESCE(MAX(version), 0) AS BIGINT) FROM govdeck_migrations) AS found, \
         (SELECT CAST(COUNT(*) AS BIGINT) FROM deployment) AS established";
    let mut view = store.view().await?;
    let ours: i64 = match &mut view.session {
        Session::Sqlite(t) => {
            let id: i64 = query_scalar("PRAGMA application_id")
                .fetch_one(&mut **t)
                .await?;
            let tables: i64 = query_scalar("SELECT COUNT(*) FROM sqlite_master")
                .fetch_one(&mut **t)
                .await?;
            if id != APPLICATION_ID {
                return Ok(if tables == 0 && id == 0 {
                    State::Empty
                } else {
                    State::Foreign
                });
            }
            query_scalar(SQLITE_COUNT).fetch_one(&mut **t).await?
        }
        Session::Postgres(t) => {
            let ours = query_scalar(POSTGRES_COUNT).fetch_one(&mut **t).await?;
            if ours == 0 {
                return Ok(State::Empty);
            }
            ours
        }
    };
    if ours < 2 {
        return Ok(State::Foreign);
    }
    let row: (i64, i64) = super::view::on!(view, c => query_as(READ).fetch_one(c).await)?;
    Ok(match row {
        (found, _) if found > latest() => State::Newer { found },
        (found, _) if found < latest() => State::Older { found },
        (_, 0) => State::HalfMade,
        _ => State::Current,
    })
}

/// What `prepare` did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prepared {
    /// The schema was made or upgraded; nothing is established yet unless it was before.
    Changed,
    /// It was current already.
    Unchanged,
}

/// Makes or upgrades the schema and its walls, in one transaction, and returns the store.
pub async fn prepare(dsn: &Dsn, account: OsAccount) -> Result<(Store, Prepared), StoreError> {
    if let DsnKind::Sqlite(path) = dsn.kind() {
        create_private_file(&path)?;
    }
    let made = async {
        let store = Store::connect(dsn, account, Access::Write).await?;
        let prepared = match state(&store).await? {
            State::Current => Prepared::Unchanged,
            found @ (State::Foreign | State::Newer { .. }) => return Err(found.into_error()),
            State::Empty | State::HalfMade | State::Older { .. } => migrate(&store).await?,
        };
        Ok((store, prepared))
    };
    made.await.map_err(|error: StoreError| error.about(dsn))
}

async fn migrate(store: &Store) -> Result<Prepared, StoreError> {
    if let Pool::Sqlite(pool) = &store.pool {
        sqlx::raw_sql("PRAGMA journal_mode = WAL")
            .execute(pool)
            .await?;
    }
    let mut view = store
        .view_for_writing("SELECT pg_advisory_xact_lock(7382150)")
        .await?;
    let migrated = match &mut view.session {
        Session::Sqlite(t) => {
            sqlx::raw_sql(AssertSqlSafe(format!(
                "PRAGMA application_id = {APPLICATION_ID}"
            )))
            .execute(&mut **t)
            .await?;
            migrator(false).run(&mut **t).await
        }
        Session::Postgres(t) => migrator(true).run(&mut **t).await,
    };
    migrated.map_err(migration_failed)?;
    walls::install(&mut view).await?;
    match view.session {
        Session::Sqlite(t) => t.commit().await?,
        Session::Postgres(t) => t.commit().await?,
    }
    Ok(Prepared::Changed)
}

fn migration_failed(error: MigrateError) -> StoreError {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error.into(),
        other => StoreError::unusable(
            format!("the schema's history does not match this program: {other}"),
            "restore the database from a backup, or use the program that made it",
        ),
    }
}

fn create_private_file(path: &Path) -> Result<(), StoreError> {
    let failed = |what: &Path, error: std::io::Error| {
        StoreError::new(
            Failure::Unreachable,
            format!("{} cannot be made: {error}", what.display()),
            "check the path and its permissions",
        )
    };
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty() && !folder.exists())
    {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(|error| failed(folder, error))?;
    }
    match OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
    {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            super::refuse_what_is_no_file(path)
        }
        Err(error) => Err(failed(path, error)),
    }
}

/// One definition in a database's catalogue.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Definition {
    /// `trigger`, `table`, `index`, `column`, `constraint` or `function`.
    pub kind: String,
    /// Its name, with its table's before it where it has one.
    pub name: String,
    /// Its text, as the database gives it.
    pub text: String,
}

/// Reads the definitions of govdeck's tables and their walls, as the database has them now.
pub async fn catalogue(view: &mut View) -> Result<Vec<Definition>, StoreError> {
    let rows = match &mut view.session {
        Session::Sqlite(t) => {
            let sql = format!(
                "SELECT type AS kind, name, sql AS text FROM sqlite_master WHERE sql IS NOT NULL AND tbl_name IN ({})",
                names()
            );
            read_definitions(&query(AssertSqlSafe(sql)).fetch_all(&mut **t).await?)?
        }
        Session::Postgres(t) => {
            let sql = POSTGRES_CATALOGUE.replace("{names}", &names());
            read_definitions(&query(AssertSqlSafe(sql)).fetch_all(&mut **t).await?)?
        }
    };
    let mut rows: Vec<Definition> = rows;
    rows.sort();
    Ok(rows)
}

fn names() -> String {
    let governed = TABLES.iter().filter(|table| table.name != MIGRATIONS_TABLE);
    governed
        .map(|table| format!("'{}'", table.name))
        .collect::<Vec<_>>()
        .join(", ")
}

fn read_definitions<R: Row>(rows: &[R]) -> Result<Vec<Definition>, StoreError>
where
    for<'r> String: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
    for<'i> &'i str: sqlx::ColumnIndex<R>,
{
    let read = |row: &R| {
        Ok(Definition {
            kind: row.try_get("kind")?,
            name: row.try_get("name")?,
            text: row
                .try_get::<String, _>("text")?
                .trim_end_matches('\n')
                .to_owned(),
        })
    };
    rows.iter().map(read).collect()
}

const POSTGRES_CATALOGUE: &str = "
    WITH ours AS (SELECT oid, relname FROM pg_class WHERE relkind = 'r'
                  AND relnamespace = CAST(current_schema() AS regnamespace) AND relname IN ({names})),
    found AS (
        SELECT 'column' AS kind, o.relname || '.' || a.attname AS name,
               concat_ws(' ', format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 'NOT NULL' END,
                         (SELECT 'COLLATE ' || l.collname FROM pg_collation l WHERE l.oid = a.attcollation AND l.collname <> 'default'),
                         (SELECT 'DEFAULT ' || pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum)) AS text
          FROM ours o JOIN pg_attribute a ON a.attrelid = o.oid WHERE a.attnum > 0 AND NOT a.attisdropped
        UNION ALL
        SELECT 'constraint', o.relname || '.' || c.conname, pg_get_constraintdef(c.oid) || CASE WHEN c.convalidated THEN '' ELSE ' NOT VALID' END
          FROM ours o JOIN pg_constraint c ON c.conrelid = o.oid WHERE c.contype <> 'n'
        UNION ALL
        SELECT 'index', CAST(c.relname AS TEXT), pg_get_indexdef(i.indexrelid) || CASE WHEN i.indisvalid THEN '' ELSE ' INVALID' END
          FROM ours o JOIN pg_index i ON i.indrelid = o.oid JOIN pg_class c ON c.oid = i.indexrelid
        UNION ALL
        SELECT 'trigger', CAST(t.tgname AS TEXT), pg_get_triggerdef(t.oid) || CASE t.tgenabled WHEN 'O' THEN '' ELSE ' DISABLED' END
          FROM ours o JOIN pg_trigger t ON t.tgrelid = o.oid WHERE NOT t.tgisinternal
        UNION ALL
        SELECT 'function', CAST(p.proname AS TEXT), concat_ws(' ', array_to_string(p.proconfig, ' '), p.prosrc)
          FROM pg_proc p WHERE p.pronamespace = CAST(current_schema() AS regnamespace)
           AND (p.proname LIKE 'wall\\_%' OR p.proname = 'feed_moved'))
    SELECT CAST(kind AS TEXT) AS kind, CAST(name AS TEXT) AS name,
           replace(replace(text, quote_ident(current_schema()) || '.', ''), 'search_path=' || quote_ident(current_schema()) || ',', 'search_path=public,') AS text
      FROM found";

/// Returns the catalogue that a fresh database of this program has.
#[must_use]
pub fn built_in_catalogue(postgres: bool) -> Vec<Definition> {
    let text = if postgres {
        include_str!("../../migrations/catalogue/postgres.txt")
    } else {
        include_str!("../../migrations/catalogue/sqlite.txt")
    };
    text.split("\n== ")
        .filter_map(|part| {
            let (heading, text) = part.strip_prefix("== ").unwrap_or(part).split_once('\n')?;
            let (kind, name) = heading.split_once(' ')?;
            Some(Definition {
                kind: kind.to_owned(),
                name: name.to_owned(),
                text: text.trim_end_matches('\n').to_owned(),
            })
        })
        .collect()
}

/// Writes a catalogue in the form of the built-in one.
#[must_use]
pub fn catalogue_text(definitions: &[Definition]) -> String {
    let mut text = String::new();
    for definition in definitions {
        let Definition {
            kind,
            name,
            text: body,
        } = definition;
        let _ = writeln!(text, "== {kind} {name}\n{body}");
    }
    text
}
