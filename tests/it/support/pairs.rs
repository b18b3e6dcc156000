//! A migration of the dictionary with pairs of columns, rows in the dictionary's table, and the views over them.

use govdeck::rules::migration::{DICTIONARY, Dialect, Site};

use super::World;
use super::dictionary;

/// The migration of the stories.
pub const MIGRATION: &str = "mig-2026-05-14-dict";
/// Its pairs.
pub const PAIRS: [(&str, &str); 2] = [
    ("breach_count", "breachCount"),
    ("owner_route_id", "route.ownerRouteId"),
];

/// Writes a text as a constant of SQL.
pub fn text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Quotes a name.
pub fn name(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Where the world's dictionary lies.
pub fn site(world: &World) -> Site<'static> {
    if world.is_postgres() {
        Site {
            dialect: Dialect::Postgres,
            schema: "public",
        }
    } else {
        Site {
            dialect: Dialect::Sqlite,
            schema: "main",
        }
    }
}

/// Puts a migration with pairs there, in a phase, as only an owner can: what opens one is told elsewhere.
pub async fn in_phase(world: &World, phase: &str, pairs: &[(&str, &str)]) {
    dictionary::released(world).await;
    let mut later = dictionary::document("2.4.1");
    dictionary::with_metric(&mut later, "MET-0200");
    dictionary::release(world, &later).await.expect("released");
    world.tamper(
        "dictionary_migration_state",
        &format!(
            "INSERT INTO dictionary_migration_state (migration_id, from_semver, to_semver, attempt_no, phase, opened_at_dt_utc, opened_by, version) \
             VALUES ('{MIGRATION}', '2.4.0', '2.4.1', 1, '{phase}', '2026-05-01T00:00:00.000000Z', 'maya', 1)"
        ),
    );
    for (legacy, modern) in pairs {
        register(world, legacy, modern).expect("registered");
    }
}

/// Registers a pair, as only an owner can past the walls.
pub fn register(world: &World, legacy: &str, modern: &str) -> Result<String, String> {
    let insert = format!(
        "INSERT INTO dictionary_column_pair (migration_id, legacy_column, modern_column, population_rule, status, registered_by, registered_at_utc, version) \
         VALUES ('{MIGRATION}', {}, {}, 'the same number', 'active', 'maya', '2026-05-01T00:00:00.000000Z', 1)",
        text(legacy),
        text(modern)
    );
    if world.is_postgres() {
        let away = world.walls_away("dictionary_column_pair");
        let back = "ALTER TABLE dictionary_column_pair ENABLE TRIGGER USER";
        return world.sql_as("maya", &format!("BEGIN; {away} {insert}; {back}; COMMIT;"));
    }
    let away = world.walls_away("dictionary_column_pair");
    let saved = world.owner_sql(
        "SELECT sql || ';' FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'dictionary_column_pair'",
    );
    world.sql_as("maya", &format!("BEGIN; {away} {insert}; {saved} COMMIT;"))
}

/// Adds columns to the dictionary's table, each with its type.
pub fn with_columns(world: &World, columns: &[(&str, &str)]) {
    for (column, kind) in columns {
        world.owner_sql(&format!(
            "ALTER TABLE {DICTIONARY} ADD COLUMN {} {kind}",
            name(column)
        ));
    }
}

/// Makes the views over pairs anew.
pub fn with_views(world: &World, pairs: &[(&str, &str)]) {
    let site = site(world);
    world.owner_sql(&format!(
        "DROP VIEW IF EXISTS dual_write_pair_health; DROP VIEW IF EXISTS dictionary_column_dual_write; {}; {}",
        site.wide_view(pairs),
        site.long_view(pairs)
    ));
}

/// Lets the wide view show only the rows that a condition holds for.
pub fn hide_rows_but(world: &World, condition: &str) {
    let wide = world.owner_sql(if world.is_postgres() {
        "SELECT pg_get_viewdef('dictionary_column_dual_write')"
    } else {
        "SELECT substr(sql, instr(sql, 'SELECT')) FROM sqlite_master WHERE name = 'dictionary_column_dual_write'"
    });
    let wide = wide.trim_end_matches(';');
    world.owner_sql(&format!(
        "DROP VIEW dictionary_column_dual_write; CREATE VIEW dictionary_column_dual_write AS {wide} WHERE {condition}"
    ));
}

/// A migration in dual write, with its columns and views, and no row.
pub async fn in_dual_write(world: &World) {
    in_phase(world, "dual_write", &PAIRS).await;
    with_columns(
        world,
        &[
            ("breach_count", "INTEGER"),
            ("breachCount", "INTEGER"),
            ("owner_route_id", "TEXT"),
            ("route.ownerRouteId", "TEXT"),
        ],
    );
    with_views(world, &PAIRS);
}

/// Writes a row with both halves of the first pair, as an ETL does.
pub fn row(world: &World, metric: &str, filter: &str, squad: &str, halves: [Option<i64>; 2]) {
    let number = |half: Option<i64>| half.map_or("NULL".to_owned(), |half| half.to_string());
    let [legacy, modern] = halves.map(number);
    world.owner_sql(&format!(
        "INSERT INTO {DICTIONARY} (dictionary_metric_id, dimension_filter_id, owning_squad, breach_count, \"breachCount\") \
         VALUES ({}, {}, {}, {legacy}, {modern})",
        text(metric),
        text(filter),
        text(squad)
    ));
}

/// Makes every row's halves alike.
pub fn mend(world: &World) {
    world.owner_sql(&format!(
        "UPDATE {DICTIONARY} SET \"breachCount\" = breach_count, \"route.ownerRouteId\" = owner_route_id"
    ));
}
