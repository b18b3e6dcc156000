//! The walls as each database's triggers: what differs is only how a refusal is written.

use std::fmt::Write as _;

use super::single::{On, Where};
use super::{ForeignKey, collect};
use crate::store::tables::{Kind, TABLES};

fn message(table: &str, says: &str) -> String {
    format!("wall {table}: {says}")
}

pub(super) fn sqlite_triggers(foreign_keys: &[ForeignKey]) -> Vec<String> {
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
pub(super) fn postgres_triggers(schema: &str) -> Vec<String> {
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
        "  INSERT INTO change_counter AS c (slot, changes) VALUES (pg_backend_pid(), 1) ON CONFLICT (slot) DO UPDATE SET changes = c.changes + 1;\n  \
         PERFORM pg_notify('govdeck', '');\n  RETURN NULL;\n",
    ));
    for table in TABLES
        .iter()
        .filter(|table| table.kind == Kind::Feed || table.feed.is_some())
    {
        let name = table.name;
        statements.push(format!("CREATE OR REPLACE TRIGGER feed_{name}_moved AFTER INSERT OR UPDATE OR DELETE ON {name} FOR EACH STATEMENT EXECUTE FUNCTION feed_moved()"));
    }
    statements
}
