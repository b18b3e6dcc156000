//! The schema: what is built in is what `init` makes, and both databases mean the same.

use std::collections::BTreeSet;

use govdeck::store::schema;
use govdeck::store::tables::{Kind, TABLES};

use crate::support::{World, on_both};

on_both!(the_built_in_catalogue_is_what_init_makes, |world| {
    let store = world.store("maya").await;
    let found = schema::catalogue(&mut store.view().await.expect("a view"))
        .await
        .expect("a catalogue");
    let name = if world.is_postgres() {
        "postgres"
    } else {
        "sqlite"
    };
    // To renew the files after a change of the schema: GOVDECK_BLESS=1 cargo test built_in_catalogue
    if std::env::var_os("GOVDECK_BLESS").is_some() {
        let path = format!(
            "{}/migrations/catalogue/{name}.txt",
            env!("CARGO_MANIFEST_DIR")
        );
        std::fs::write(path, schema::catalogue_text(&found)).expect("written");
        return;
    }
    let built_in = schema::built_in_catalogue(world.is_postgres());
    assert!(built_in.len() > 50, "the catalogue was read");
    assert_eq!(found, built_in);
});

on_both!(every_table_is_listed_once, |world| {
    let all = if world.is_postgres() {
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = CAST('public' AS regnamespace)"
    } else {
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    };
    let found: BTreeSet<String> = world.owner_sql(all).lines().map(str::to_owned).collect();
    // Only PostgreSQL needs a counter: SQLite counts its own commits.
    let listed = TABLES
        .iter()
        .filter(|table| world.is_postgres() || table.name != "change_counter");
    assert_eq!(found, listed.map(|table| table.name.to_owned()).collect());
});

/// A column as both databases see it: table, name, kind of value, nullability.
fn columns(world: &World) -> BTreeSet<String> {
    let sql = if world.is_postgres() {
        "SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable FROM information_schema.columns \
         WHERE table_schema = 'public'"
    } else {
        "SELECT m.name || '.' || c.name || ' ' || c.type || ' ' || CASE WHEN c.\"notnull\" OR c.pk THEN 'NO' ELSE 'YES' END \
         FROM sqlite_master m, pragma_table_xinfo(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'"
    };
    let one_name = |line: &str| {
        let line = line
            .replace(" timestamp with time zone ", " TEXT ")
            .replace(" text ", " TEXT ");
        line.replace(" boolean ", " INTEGER ")
            .replace(" bigint ", " INTEGER ")
            .replace(" bytea ", " BLOB ")
    };
    let ours = |line: &&str| {
        !line.starts_with("govdeck_migrations.") && !line.starts_with("change_counter.")
    };
    world
        .owner_sql(sql)
        .lines()
        .filter(ours)
        .map(one_name)
        .collect()
}

/// Foreign keys as `child.column -> parent`.
fn foreign_keys(world: &World) -> BTreeSet<String> {
    let sql = if world.is_postgres() {
        "SELECT CAST(c.conrelid AS regclass) || '.' || a.attname || ' -> ' || CAST(c.confrelid AS regclass) FROM pg_constraint c \
         JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1] WHERE c.contype = 'f'"
    } else {
        "SELECT m.name || '.' || f.\"from\" || ' -> ' || f.\"table\" FROM sqlite_master m, pragma_foreign_key_list(m.name) f WHERE m.type = 'table'"
    };
    world.owner_sql(sql).lines().map(str::to_owned).collect()
}

/// The number of unique rules (keys, constraints, indexes) by table.
fn unique_rules(world: &World) -> BTreeSet<String> {
    let sql = if world.is_postgres() {
        "SELECT CAST(indrelid AS regclass) || ' ' || COUNT(*) FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid \
         WHERE indisunique AND c.relnamespace = CAST('public' AS regnamespace) GROUP BY indrelid"
    } else {
        // A table keyed by one integer has no index for its key.
        "SELECT m.name || ' ' || ((SELECT COUNT(*) FROM pragma_index_list(m.name) WHERE \"unique\") + (SELECT COUNT(*) FROM pragma_table_info(m.name) \
         WHERE pk AND type = 'INTEGER' AND (SELECT SUM(pk > 0) FROM pragma_table_info(m.name)) = 1)) FROM sqlite_master m WHERE m.type = 'table'"
    };
    let ours = |line: &&str| {
        TABLES.iter().any(|table| {
            table.kind != Kind::Bookkeeping && line.split(' ').next() == Some(table.name)
        })
    };
    world
        .owner_sql(sql)
        .lines()
        .filter(ours)
        .map(str::to_owned)
        .collect()
}

/// The walls by name.
fn walls(world: &World) -> BTreeSet<String> {
    let sql = if world.is_postgres() {
        "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgname LIKE 'wall%' AND tgname NOT LIKE '%truncate'"
    } else {
        "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    };
    world.owner_sql(sql).lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn both_schemas_mean_the_same() {
    let (sqlite, postgres) = (World::sqlite().await, World::postgres().await);
    assert!(columns(&sqlite).len() > 100, "the columns were read");
    assert_eq!(columns(&sqlite), columns(&postgres));
    assert_eq!(foreign_keys(&sqlite), foreign_keys(&postgres));
    assert_eq!(unique_rules(&sqlite), unique_rules(&postgres));
    // Where the sqlite3 shell does not look after foreign keys and REPLACE, SQLite has walls that PostgreSQL does not need.
    let more = walls(&sqlite)
        .difference(&walls(&postgres))
        .cloned()
        .collect::<BTreeSet<_>>();
    assert!(
        walls(&postgres).is_subset(&walls(&sqlite)),
        "{:?}",
        walls(&postgres).difference(&walls(&sqlite))
    );
    assert_eq!(more, ["wall_artifact_insert".to_owned()].into());
}
