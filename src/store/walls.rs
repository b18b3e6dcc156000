//! The database's own walls: triggers that refuse what no rule allows, whoever asks.
//!
//! Each wall is one SQL condition over `NEW` and `OLD` that must be true, written once for both databases; a
//! condition that is NULL has not been met. What every table of a kind needs (the link to the ledger, no deletion, no
//! way round through REPLACE) is generated from the list of tables; what one table needs stands in [`WALLS`].
//! `govdeck ledger verify` compares what is installed with what this file makes.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use sqlx::{AssertSqlSafe, Row};

use super::tables::{Kind, TABLES, Table, row_key_sql};
use super::view::{Session, query, query_scalar};
use super::{StoreError, View};

/// The statement that a wall stands before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum On {
    Insert,
    Update,
    Delete,
}

impl On {
    const fn sql(self) -> &'static str {
        match self {
            Self::Insert => "INSERT",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
        }
    }
}

/// Which databases need a wall.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Where {
    Both,
    Sqlite,
    Postgres,
}

struct Wall {
    table: &'static str,
    on: &'static [On],
    only: Where,
    says: &'static str,
    requires: &'static str,
}

const fn wall(
    table: &'static str,
    on: &'static [On],
    says: &'static str,
    requires: &'static str,
) -> Wall {
    Wall {
        table,
        on,
        only: Where::Both,
        says,
        requires,
    }
}

const WRITE: &[On] = &[On::Insert, On::Update];

/// What single tables need beyond their CHECKs; the messages are what a person reads when they try.
const WALLS: &[Wall] = &[
    wall(
        "governance_ledger",
        &[On::Insert],
        "the entry must follow the head",
        "NEW.seq = (SELECT seq + 1 FROM ledger_head) AND NEW.prev_hash = (SELECT hash FROM ledger_head)",
    ),
    wall(
        "governance_ledger",
        &[On::Insert],
        "the actor must be known and active",
        "NEW.seq = 1 OR EXISTS (SELECT 1 FROM person WHERE person_id = NEW.actor_id AND active = TRUE)",
    ),
    wall(
        "governance_ledger",
        &[On::Insert],
        "a service decides by rule, a human by person",
        "NEW.seq = 1 OR (SELECT kind FROM person WHERE person_id = NEW.actor_id) = CASE NEW.basis WHEN 'rule' THEN 'service' ELSE 'human' END",
    ),
    Wall {
        table: "governance_ledger",
        on: &[On::Insert],
        only: Where::Postgres,
        says: "the login must be that of the session",
        requires: "NEW.login = session_user",
    },
    wall(
        "ledger_change",
        &[On::Insert],
        "changes belong to the newest entry, and to no more rows than it says",
        "NEW.seq = (SELECT seq FROM ledger_head) AND (SELECT COUNT(*) FROM ledger_change WHERE seq = NEW.seq) \
         < (SELECT change_count FROM governance_ledger WHERE seq = NEW.seq)",
    ),
    wall("ledger_head", &[On::Insert], "there is one head", "FALSE"),
    wall(
        "ledger_head",
        &[On::Update],
        "the head moves to the newest entry only",
        "NEW.seq = OLD.seq + 1 AND EXISTS (SELECT 1 FROM governance_ledger l WHERE l.seq = NEW.seq AND l.hash = NEW.hash AND l.at_utc = NEW.at_utc)",
    ),
    wall("ledger_head", &[On::Delete], "the head stays", "FALSE"),
    wall(
        "person_role",
        WRITE,
        "a service never holds signer",
        "NEW.role <> 'signer' OR (SELECT kind FROM person WHERE person_id = NEW.person_id) = 'human'",
    ),
    wall(
        "person",
        &[On::Update],
        "a person stays of their kind",
        "NEW.kind = OLD.kind",
    ),
    wall(
        "block_reason_owner_route",
        WRITE,
        "the owner must be an active human",
        "EXISTS (SELECT 1 FROM person WHERE person_id = NEW.owner_user_id AND kind = 'human' AND active = TRUE)",
    ),
    wall(
        "route_change",
        &[On::Insert],
        "a change of route starts pending",
        "NEW.status = 'pending'",
    ),
    wall(
        "route_change",
        &[On::Update],
        "a change of route is answered once",
        "OLD.status = 'pending' AND NEW.status <> 'pending' AND NEW.proposed_by = OLD.proposed_by AND NEW.block_reason = OLD.block_reason \
         AND NEW.owner_user_id = OLD.owner_user_id AND NEW.backup_owner_user_id = OLD.backup_owner_user_id",
    ),
    wall(
        "freeze_bypass",
        WRITE,
        "a bypass needs two humans",
        "(SELECT COUNT(*) FROM person WHERE kind = 'human' AND person_id IN (NEW.requested_by, NEW.approved_by)) = 2",
    ),
    wall(
        "publish_snapshots",
        &[On::Update],
        "a decided snapshot is final",
        "OLD.status = 'pending_gate' OR (NEW.status = OLD.status AND NEW.block_reason IS NOT DISTINCT FROM OLD.block_reason \
         AND NEW.publish_tuple_hash IS NOT DISTINCT FROM OLD.publish_tuple_hash AND NEW.source_tuple_hash IS NOT DISTINCT FROM OLD.source_tuple_hash \
         AND NEW.footer_schema_semver IS NOT DISTINCT FROM OLD.footer_schema_semver AND NEW.publish_scope = OLD.publish_scope \
         AND NEW.artifact_ref IS NOT DISTINCT FROM OLD.artifact_ref AND NEW.drill = OLD.drill AND NEW.created_at_utc = OLD.created_at_utc)",
    ),
    wall(
        "publish_snapshots",
        &[On::Update],
        "only the current footer schema passes",
        "NEW.status <> 'gate_passed' OR OLD.status = 'gate_passed' \
         OR NEW.footer_schema_semver = (SELECT current_semver FROM footer_schema_registry)",
    ),
    wall(
        "publish_replay_audit",
        &[On::Insert],
        "an audit row starts decided, as its snapshot was",
        "NEW.status = (SELECT s.status FROM publish_snapshots s WHERE s.publish_run_id = NEW.publish_run_id) \
         AND NEW.block_reason IS NOT DISTINCT FROM (SELECT s.block_reason FROM publish_snapshots s WHERE s.publish_run_id = NEW.publish_run_id)",
    ),
    wall(
        "publish_replay_audit",
        &[On::Update],
        "a block ends resolved or withdrawn, never passed",
        "NEW.status = OLD.status OR (OLD.status = 'blocked' AND NEW.status IN ('resolved', 'withdrawn'))",
    ),
    wall(
        "publish_replay_audit",
        &[On::Update],
        "what the gate found is final",
        "NEW.block_reason IS NOT DISTINCT FROM OLD.block_reason AND NEW.created_at_utc = OLD.created_at_utc AND NEW.drill = OLD.drill \
         AND NEW.also = OLD.also AND NEW.publish_tuple_hash IS NOT DISTINCT FROM OLD.publish_tuple_hash \
         AND NEW.source_tuple_hash IS NOT DISTINCT FROM OLD.source_tuple_hash \
         AND NEW.sla_first_response_minutes IS NOT DISTINCT FROM OLD.sla_first_response_minutes",
    ),
    wall(
        "publish_replay_audit",
        &[On::Update],
        "a block is taken once",
        "OLD.taken_by IS NULL OR (NEW.taken_by = OLD.taken_by AND NEW.taken_at_utc = OLD.taken_at_utc)",
    ),
    wall(
        "publish_replay_audit",
        &[On::Update],
        "a later passing run of the same scope resolves",
        "NEW.status <> 'resolved' OR EXISTS (SELECT 1 FROM publish_snapshots r, publish_snapshots b \
         WHERE r.publish_run_id = NEW.resolution_id AND b.publish_run_id = NEW.publish_run_id AND r.status = 'gate_passed' \
         AND r.publish_scope = b.publish_scope AND r.drill = b.drill AND r.created_at_utc > b.created_at_utc)",
    ),
];

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
            let keys = sqlite_foreign_keys(&mut **t).await?;
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

type Walls = BTreeMap<(&'static str, On), Vec<(String, String)>>;

/// Collects every wall of one database: by table and statement, what it says and what it requires.
fn collect(here: Where, foreign_keys: &[ForeignKey]) -> Walls {
    let mut walls = Walls::new();
    for table in TABLES {
        let mut add = |on: On, says: &str, requires: String| {
            walls
                .entry((table.name, on))
                .or_default()
                .push((says.to_owned(), requires))
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
        for wall in WALLS.iter().filter(|wall| {
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
            WRITE
                .iter()
                .for_each(|on| add(*on, &says, requires.clone()));
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
    match table.feed_while {
        Some(feed) => format!("NEW.{feed} AND NEW.version = 0"),
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
    match table.feed_while {
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

fn message(table: &str, says: &str) -> String {
    format!("wall {table}: {says}")
}

fn sqlite_triggers(foreign_keys: &[ForeignKey]) -> Vec<String> {
    let walls = collect(Where::Sqlite, foreign_keys);
    let mut statements: Vec<String> = walls
        .iter()
        .map(|((table, on), rules)| {
            let mut body = String::new();
            for (says, requires) in rules {
                let _ = writeln!(
                    body,
                    "  SELECT RAISE(ABORT, '{}') WHERE ({requires}) IS NOT TRUE;",
                    message(table, says)
                );
            }
            let name = format!("wall_{table}_{}", on.sql().to_lowercase());
            format!(
                "CREATE TRIGGER {name} BEFORE {} ON {table} FOR EACH ROW BEGIN\n{body}END",
                on.sql()
            )
        })
        .collect();
    statements.push(
        "CREATE TRIGGER wall_ledger_head_moves AFTER INSERT ON governance_ledger FOR EACH ROW BEGIN\n  \
         UPDATE ledger_head SET seq = NEW.seq, hash = NEW.hash, at_utc = NEW.at_utc;\nEND"
            .to_owned(),
    );
    statements
}

/// Writes the functions and triggers for PostgreSQL.
///
/// Each function pins its search path: without that, a temporary table named like the ledger would be asked instead.
fn postgres_triggers(schema: &str) -> Vec<String> {
    let function = |name: &str, body: &str| {
        format!(
            "CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SET search_path = {schema}, pg_temp AS $wall$\nBEGIN\n{body}END\n$wall$"
        )
    };
    let mut statements = Vec::new();
    for ((table, on), rules) in collect(Where::Postgres, &[]) {
        let mut body = String::new();
        for (says, requires) in &rules {
            let _ = writeln!(
                body,
                "  IF ({requires}) IS NOT TRUE THEN RAISE EXCEPTION '{}' USING ERRCODE = 'GD001'; END IF;",
                message(table, says)
            );
        }
        let _ = writeln!(
            body,
            "  RETURN {};",
            if on == On::Delete { "OLD" } else { "NEW" }
        );
        let name = format!("wall_{table}_{}", on.sql().to_lowercase());
        statements.push(function(&name, &body));
        statements.push(format!("CREATE OR REPLACE TRIGGER {name} BEFORE {} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()", on.sql()));
    }
    statements.push(function(
        "wall_truncate",
        "  RAISE EXCEPTION 'wall %: never truncated', TG_TABLE_NAME USING ERRCODE = 'GD001';\n",
    ));
    for table in TABLES.iter().filter(|table| {
        matches!(table.kind, Kind::Governed | Kind::Ledger) || table.name == "ledger_head"
    }) {
        let name = table.name;
        statements.push(format!("CREATE OR REPLACE TRIGGER wall_{name}_truncate BEFORE TRUNCATE ON {name} FOR EACH STATEMENT EXECUTE FUNCTION wall_truncate()"));
    }
    statements.push(function(
        "wall_ledger_head_moves",
        "  UPDATE ledger_head SET seq = NEW.seq, hash = NEW.hash, at_utc = NEW.at_utc;\n  PERFORM pg_notify('govdeck', '');\n  RETURN NULL;\n",
    ));
    statements.push("CREATE OR REPLACE TRIGGER wall_ledger_head_moves AFTER INSERT ON governance_ledger FOR EACH ROW EXECUTE FUNCTION wall_ledger_head_moves()".to_owned());
    statements.push(function(
        "feed_moved",
        "  INSERT INTO change_counter AS c (slot, changes) VALUES (pg_backend_pid() % 256, 1) ON CONFLICT (slot) DO UPDATE SET changes = c.changes + 1;\n  \
         PERFORM pg_notify('govdeck', '');\n  RETURN NULL;\n",
    ));
    for table in TABLES
        .iter()
        .filter(|table| table.kind == Kind::Feed || table.feed_while.is_some())
    {
        let name = table.name;
        statements.push(format!("CREATE OR REPLACE TRIGGER feed_{name}_moved AFTER INSERT OR UPDATE OR DELETE ON {name} FOR EACH STATEMENT EXECUTE FUNCTION feed_moved()"));
    }
    statements
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wall_names_a_table_of_the_list() {
        for wall in WALLS {
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
