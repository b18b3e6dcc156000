//! The schema: what a database holds, making and upgrading it, and its catalogue of definitions.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{AssertSqlSafe, Row, SqlitePool};

use super::tables::TABLES;
use super::view::{Session, View, query, query_as, query_scalar};
use super::{Access, Failure, LOCK_PATIENCE, OsAccount, Pool, Store, StoreError, file, walls};
use crate::settings::{Dsn, DsnKind};

const MIGRATIONS_TABLE: &str = "govdeck_migrations";

/// What `init` holds on PostgreSQL while it changes tables or rights.
pub(in crate::store) const MIGRATION_LOCK: &str = "SELECT pg_advisory_xact_lock(7382150)";

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
    /// Tables that are not govdeck's, or no longer whole.
    Foreign,
    /// A schema that was begun and never established.
    HalfMade,
    /// The fork of another database, on which a cutover is rehearsed.
    Fork,
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
            Self::Empty => {
                StoreError::unusable("the database holds no deployment", "run `govdeck init`")
            }
            Self::Foreign => StoreError::unusable(
                "the database holds tables of another program, or has lost its history",
                "point `dsn` at a database of govdeck's, or restore this one from a backup",
            ),
            Self::HalfMade => StoreError::unusable(
                "the database was never finished",
                "run `govdeck init` again",
            ),
            Self::Fork => StoreError::unusable(
                "the database is the fork of a rehearsal, and nothing but the rehearsal works on it",
                "point `dsn` at the deployment itself; the next `govdeck rehearse` takes what was left away",
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
    look(store).await.map(|(state, _)| state)
}

/// Finds out what a database holds, and whether it is a demo.
pub(in crate::store) async fn look(store: &Store) -> Result<(State, bool), StoreError> {
    look_in(&mut store.view().await?).await
}

async fn look_in(view: &mut View) -> Result<(State, bool), StoreError> {
    const READ: &str = "SELECT (SELECT CAST(COALESCE(MAX(version), 0) AS BIGINT) FROM govdeck_migrations) AS found, \
         (SELECT CAST(COUNT(*) AS BIGINT) FROM deployment) AS established, \
         (SELECT CAST(COUNT(*) AS BIGINT) FROM deployment WHERE environment = 'demo') AS demos, \
         (SELECT CAST(COUNT(*) AS BIGINT) FROM deployment WHERE environment = 'rehearsal') AS forks";
    let names = tables_of_our_names(view).await?;
    if names.is_empty() {
        return Ok((State::Empty, false));
    }
    if !["govdeck_migrations", "governance_ledger", "deployment"]
        .iter()
        .all(|ours| names.iter().any(|name| name == ours))
    {
        return Ok((State::Foreign, false));
    }
    let (found, established, demos, forks): (i64, i64, i64, i64) =
        super::view::on!(view, c => query_as(READ).fetch_one(c).await)?;
    let state = match (found, established) {
        (0, _) => State::Foreign,
        _ if forks > 0 => State::Fork,
        (found, _) if found > latest() => State::Newer { found },
        (found, _) if found < latest() => State::Older { found },
        (_, 0) => State::HalfMade,
        _ => State::Current,
    };
    // A fork may be one of a demo, and goes on by its clock.
    Ok((state, demos + forks > 0))
}

/// Lists the tables that have names of ours; an SQLite file that holds only others belongs to another program.
async fn tables_of_our_names(view: &mut View) -> Result<Vec<String>, StoreError> {
    match &mut view.session {
        Session::Sqlite(t) => {
            let all: Vec<String> =
                query_scalar("SELECT name FROM sqlite_master WHERE type = 'table'")
                    .fetch_all(&mut **t)
                    .await?;
            let id: i64 = query_scalar("PRAGMA application_id")
                .fetch_one(&mut **t)
                .await?;
            if id != i64::from(file::APPLICATION_ID) && !all.is_empty() {
                return Err(State::Foreign.into_error());
            }
            Ok(all)
        }
        Session::Postgres(t) => {
            let sql = format!(
                "SELECT CAST(relname AS TEXT) FROM pg_class WHERE relkind = 'r' \
                 AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema()) AND relname IN ('{MIGRATIONS_TABLE}', {})",
                names()
            );
            Ok(query_scalar(AssertSqlSafe(sql)).fetch_all(&mut **t).await?)
        }
    }
}

/// What `prepare` did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prepared {
    /// The schema was made; nothing was established.
    Made,
    /// It was an older one.
    Upgraded,
    /// It was current already.
    Unchanged,
}

/// Makes or upgrades the schema and its walls, in one transaction, and returns the store.
pub async fn prepare(dsn: &Dsn, account: OsAccount) -> Result<(Store, Prepared), StoreError> {
    if let DsnKind::Sqlite(path) = dsn.kind() {
        file::create_private(&path)?;
    }
    let about = |error: StoreError| error.about(dsn);
    let store = Store::connect(dsn, account, Access::Write)
        .await
        .map_err(about)?;
    let prepared = match state(&store).await {
        Ok(State::Current) => Ok(Prepared::Unchanged),
        Ok(found @ (State::Foreign | State::Fork | State::Newer { .. })) => Err(found.into_error()),
        Ok(State::Empty | State::HalfMade | State::Older { .. }) => migrate(&store).await,
        Err(error) => Err(error),
    };
    match prepared {
        Ok(prepared) => Ok((store, prepared)),
        Err(error) => {
            store.close().await;
            Err(about(error))
        }
    }
}

async fn migrate(store: &Store) -> Result<Prepared, StoreError> {
    if let Pool::Sqlite(pool) = &store.pool {
        claim(pool).await?;
    }
    let mut view = store.view_for_writing(MIGRATION_LOCK).await?;
    // Somebody else may have been at it while the lock was waited for.
    let prepared = match look_in(&mut view).await?.0 {
        State::Current => return Ok(Prepared::Unchanged),
        State::Empty | State::HalfMade => Prepared::Made,
        State::Older { .. } => Prepared::Upgraded,
        unfit @ (State::Foreign | State::Fork | State::Newer { .. }) => {
            return Err(unfit.into_error());
        }
    };
    let migrated = match &mut view.session {
        Session::Sqlite(t) => migrator(false).run(&mut **t).await,
        Session::Postgres(t) => migrator(true).run(&mut **t).await,
    };
    migrated.map_err(migration_failed)?;
    if prepared == Prepared::Upgraded {
        walls::take_away(&mut view).await?;
    }
    walls::install(&mut view).await?;
    match view.session {
        Session::Sqlite(t) => t.commit().await?,
        Session::Postgres(t) => t.commit().await?,
    }
    Ok(prepared)
}

/// First of all the file says whose it is, so that a start that is cut short can be taken up again.
///
/// SQLite does not wait by itself when two change a file's journal at once, so this does.
async fn claim(pool: &SqlitePool) -> Result<(), StoreError> {
    const PAUSE: Duration = Duration::from_millis(10);
    let begun = Instant::now();
    loop {
        let own = format!(
            "PRAGMA application_id = {}; PRAGMA journal_mode = WAL",
            file::APPLICATION_ID
        );
        let claimed = sqlx::raw_sql(AssertSqlSafe(own)).execute(pool).await;
        match claimed.map_err(StoreError::from) {
            Err(busy) if busy.kind == Failure::Busy && begun.elapsed() < LOCK_PATIENCE => {
                tokio::time::sleep(PAUSE).await;
            }
            other => return other.map(drop),
        }
    }
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

/// What a table's definition is, and what could put it to sleep: rules, policies, switched-off triggers.
const POSTGRES_CATALOGUE: &str = "
    WITH place AS (SELECT oid, quote_ident(nspname) AS name FROM pg_namespace WHERE nspname = current_schema()),
    ours AS (SELECT c.oid, c.relname, c.relrowsecurity, c.relforcerowsecurity FROM pg_class c JOIN place p ON c.relnamespace = p.oid
              WHERE c.relkind = 'r' AND c.relname IN ({names})),
    found AS (
        SELECT 'column' AS kind, o.relname || '.' || a.attname AS name,
               concat_ws(' ', format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 'NOT NULL' END,
                         (SELECT 'COLLATE ' || l.collname FROM pg_collation l WHERE l.oid = a.attcollation AND l.collname <> 'default'),
                         (SELECT CASE WHEN a.attgenerated = '' THEN 'DEFAULT ' ELSE 'GENERATED ' END || pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum)) AS text
          FROM ours o JOIN pg_attribute a ON a.attrelid = o.oid WHERE a.attnum > 0 AND NOT a.attisdropped
        UNION ALL
        SELECT 'constraint', o.relname || '.' || c.conname, pg_get_constraintdef(c.oid) || CASE WHEN c.convalidated THEN '' ELSE ' NOT VALID' END
          FROM ours o JOIN pg_constraint c ON c.conrelid = o.oid WHERE c.contype <> 'n'
        UNION ALL
        SELECT 'domain', t.typname || '.' || c.conname, pg_get_constraintdef(c.oid)
          FROM pg_type t JOIN place p ON t.typnamespace = p.oid JOIN pg_constraint c ON c.contypid = t.oid WHERE t.typname = 'moment'
        UNION ALL
        SELECT 'index', CAST(c.relname AS TEXT), pg_get_indexdef(i.indexrelid) || CASE WHEN i.indisvalid THEN '' ELSE ' INVALID' END
          FROM ours o JOIN pg_index i ON i.indrelid = o.oid JOIN pg_class c ON c.oid = i.indexrelid
        UNION ALL
        SELECT 'trigger', CAST(t.tgname AS TEXT), pg_get_triggerdef(t.oid) || CASE t.tgenabled WHEN 'O' THEN '' ELSE ' DISABLED' END
          FROM ours o JOIN pg_trigger t ON t.tgrelid = o.oid WHERE NOT t.tgisinternal
        UNION ALL
        SELECT 'foreign key', o.relname || '.' || c.conname, 'is not enforced: its triggers are switched off'
          FROM ours o JOIN pg_trigger t ON t.tgrelid = o.oid JOIN pg_constraint c ON c.oid = t.tgconstraint
         WHERE t.tgisinternal AND t.tgenabled <> 'O'
        UNION ALL
        SELECT 'rule', o.relname || '.' || r.rulename, pg_get_ruledef(r.oid) FROM ours o JOIN pg_rewrite r ON r.ev_class = o.oid
        UNION ALL
        SELECT 'row security', CAST(o.relname AS TEXT), 'is on' FROM ours o WHERE o.relrowsecurity OR o.relforcerowsecurity
        UNION ALL
        SELECT 'inheritance', CAST(o.relname AS TEXT), 'has a parent or a child'
          FROM ours o WHERE EXISTS (SELECT 1 FROM pg_inherits i WHERE o.oid IN (i.inhrelid, i.inhparent))
        UNION ALL
        SELECT 'setting', 'session_replication_role', setting FROM pg_db_role_setting, unnest(setconfig) AS setting
         WHERE setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
           AND setting LIKE 'session_replication_role=%' AND setting <> 'session_replication_role=origin')
    SELECT DISTINCT CAST(kind AS TEXT) AS kind, CAST(f.name AS TEXT) AS name,
           CASE WHEN kind IN ('index', 'trigger', 'constraint', 'column') THEN replace(text, ' ' || p.name || '.', ' ') ELSE text END AS text
      FROM found f, place p
    UNION ALL
    SELECT 'function', CAST(f.proname AS TEXT), concat_ws(' ', CASE WHEN f.prosecdef THEN 'SECURITY DEFINER' END,
           replace(array_to_string(f.proconfig, ' '), 'search_path=' || p.name || ',', 'search_path=public,'), f.prosrc)
      FROM pg_proc f JOIN place p ON f.pronamespace = p.oid
     WHERE f.proname LIKE 'wall\\_%' OR f.proname = 'feed_moved'";

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
