//! The schema: what is built in is what `init` makes, and both databases mean the same.

use std::collections::BTreeSet;

use govdeck::store::schema;
use govdeck::store::tables::TABLES;

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

/// What must be written differently on SQLite, for any column `{c}`; everything else is the same text.
const DIALECT: &[(&str, &str, &str)] = &[
    (
        "length(CAST({c} AS BLOB)) BETWEEN 1 AND 56",
        "octet_length({c}) BETWEEN 1 AND 56",
        "older shells of SQLite do not know octet_length",
    ),
    (
        "{c} TEXT NOT NULL CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr({c}, 1, 19), '+0 days') || substr({c}, 20) IS {c} \
         AND substr({c}, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z')",
        "{c} moment NOT NULL",
        "SQLite has no type for times; PostgreSQL has a domain for those that a clock can show",
    ),
    (
        "{c} TEXT CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr({c}, 1, 19), '+0 days') || substr({c}, 20) IS {c} \
         AND substr({c}, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z')",
        "{c} moment",
        "the same for a time that may be absent",
    ),
    (
        "{c} INTEGER NOT NULL CHECK ({c} IN (0, 1))",
        "{c} BOOLEAN NOT NULL",
        "SQLite has no type for booleans",
    ),
    (
        "{c} INTEGER NOT NULL DEFAULT 0 CHECK ({c} IN (0, 1))",
        "{c} BOOLEAN NOT NULL DEFAULT FALSE",
        "the same for a boolean with a default",
    ),
    (
        "length({c}) = 64 AND length(CAST({c} AS BLOB)) = 64 AND {c} NOT GLOB '*[^0-9a-f]*'",
        "{c} ~ '^[0-9a-f]{64}$'",
        "SQLite has no regular expressions, and its length of a text ends at the first NUL",
    ),
    (
        "length({c}) = 32 AND length(CAST({c} AS BLOB)) = 32 AND {c} NOT GLOB '*[^0-9a-f]*'",
        "{c} ~ '^[0-9a-f]{32}$'",
        "the same for ids of 32 digits",
    ),
    (
        "length({c}) BETWEEN 1 AND 64 AND length(CAST({c} AS BLOB)) = length({c}) AND {c} GLOB '[a-z0-9]*' AND {c} NOT GLOB '*[^a-z0-9._-]*'",
        "{c} ~ '^[a-z0-9][a-z0-9._-]{0,63}$'",
        "the same for ids of persons",
    ),
    (
        "length({c}) BETWEEN 1 AND 100 AND length(CAST({c} AS BLOB)) = length({c}) AND {c} GLOB '[a-z0-9]*' AND {c} NOT GLOB '*[^a-z0-9._-]*'",
        "{c} ~ '^[a-z0-9][a-z0-9._-]{0,99}$'",
        "the same for ids of series and their runs",
    ),
    (
        "length({c}) BETWEEN 1 AND 100 AND length(CAST({c} AS BLOB)) = length({c}) AND {c} GLOB '[A-Za-z0-9]*' AND {c} NOT GLOB '*[^A-Za-z0-9._-]*'",
        "{c} ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$'",
        "the same for ids of metrics, and of what is said about them",
    ),
    (
        "length({c}) = 71 AND substr({c}, 1, 7) = 'sha256:' AND substr({c}, 8) NOT GLOB '*[^0-9a-f]*'",
        "{c} ~ '^sha256:[0-9a-f]{64}$'",
        "the same for references to bytes",
    ),
    (
        "{c} GLOB '[0-9]*' AND {c} NOT GLOB '*[^0-9.]*' AND {c} NOT GLOB '*.*.*' AND {c} NOT GLOB '*.'",
        "{c} ~ '^[0-9]+([.][0-9]+)?$'",
        "the same for plain decimals from zero up",
    ),
    (
        "CAST({c} AS REAL)",
        "CAST({c} AS NUMERIC)",
        "SQLite has no exact decimals: the program compares them exactly, the wall nearly",
    ),
    (
        "INTEGER NOT NULL GENERATED",
        "BOOLEAN NOT NULL GENERATED",
        "the same for a boolean that is computed",
    ),
    (
        " VIRTUAL",
        " STORED",
        "SQLite adds only columns that it computes when they are read",
    ),
    (
        "{c} IS CASE",
        "{c} IS NOT DISTINCT FROM CASE",
        "PostgreSQL's IS compares with constants only",
    ),
    (
        "strftime('%Y-%m-%dT%H:%M:%S', substr(created_at_utc, 1, 19), {c} || ' minutes') || substr(created_at_utc, 20)",
        "created_at_utc + {c} * INTERVAL '1 minute'",
        "SQLite adds minutes to the text of a time",
    ),
    (
        "strftime('%Y-%m-%dT%H:%M:%S', substr({c}, 1, 19), '15 minutes') || substr({c}, 20)",
        "{c} + INTERVAL '15 minutes'",
        "the same for a fixed number of minutes",
    ),
    (
        "strftime('%Y-%m-%dT%H:%M:%S', substr({c}, 1, 19), '10080 minutes') || substr({c}, 20)",
        "{c} + INTERVAL '10080 minutes'",
        "the same for seven days",
    ),
    (" INTEGER", " BIGINT", "an INTEGER of SQLite has 64 bits"),
    (" BLOB", " BYTEA", "another name for bytes"),
    (") STRICT", ")", "PostgreSQL always is"),
];

/// Tables that need not be on both: the migrator makes its own, and SQLite counts its own commits.
const ON_ONE: &str = "'govdeck_migrations', 'change_counter'";

/// SQLite's tables and indexes in the words of PostgreSQL.
fn sqlite_in_other_words(world: &World) -> String {
    let schema = world.owner_sql(&format!(
        "SELECT sql || ';' FROM sqlite_master WHERE type IN ('table', 'index') AND sql IS NOT NULL \
         AND tbl_name NOT IN ({ON_ONE}) AND name NOT LIKE 'sqlite_%' ORDER BY rowid"
    ));
    let columns = world.owner_sql(
        "SELECT DISTINCT c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' ORDER BY c.name",
    );
    assert!(columns.lines().count() > 50, "the columns were read");
    let mut text = schema.split_whitespace().collect::<Vec<_>>().join(" ");
    for (sqlite, postgres, _) in DIALECT {
        let before = text.clone();
        for column in columns.lines() {
            text = text.replace(
                &sqlite.replace("{c}", column),
                &postgres.replace("{c}", column),
            );
        }
        assert_ne!(text, before, "nothing needs {sqlite:?} any more");
    }
    text
}

/// What the tables of a schema mean, as PostgreSQL itself says it: columns, constraints and indexes, collations left out.
fn meaning(world: &World, prepare: &str, schema: &str) -> BTreeSet<String> {
    let sql = format!(
        "{prepare}; SET search_path = {schema}, public;
         WITH ours AS (SELECT oid, relname FROM pg_class WHERE relkind = 'r' AND relname NOT IN ({ON_ONE})
              AND relnamespace = CAST('{schema}' AS regnamespace))
         SELECT concat_ws(' ', o.relname || '.' || a.attname, format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 'NOT NULL' END,
                (SELECT 'DEFAULT ' || pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum))
           FROM ours o JOIN pg_attribute a ON a.attrelid = o.oid WHERE a.attnum > 0
         UNION ALL SELECT o.relname || '.' || c.conname || ' ' || pg_get_constraintdef(c.oid)
           FROM ours o JOIN pg_constraint c ON c.conrelid = o.oid WHERE c.contype <> 'n'
         UNION ALL SELECT replace(pg_get_indexdef(i.indexrelid), ' ' || '{schema}.', ' ')
           FROM ours o JOIN pg_index i ON i.indrelid = o.oid"
    );
    world.owner_sql(&sql).lines().map(str::to_owned).collect()
}

/// Puts a schema beside the real one and lists what only one of the two says.
fn differences(postgres: &World, schema: &str) -> Vec<String> {
    let fresh = "SET client_min_messages = error; DROP SCHEMA IF EXISTS other CASCADE; CREATE SCHEMA other; SET search_path = other, public";
    let other = meaning(postgres, &format!("{fresh}; {schema}"), "other");
    let real = meaning(postgres, "", "public");
    assert!(real.len() > 250, "the schema was read: {}", real.len());
    real.symmetric_difference(&other).cloned().collect()
}

/// What would change the meaning of one schema, and what the comparison then has to name.
const BAD_SAMPLES: &[(&str, &str, &str)] = &[
    (
        "length(reason) >= 20",
        "length(reason) > 20",
        "freeze_bypass.freeze_bypass_reason_check CHECK",
    ),
    (
        "CHECK (sla_first_response_minutes BETWEEN 1 AND 1440)",
        "CHECK (sla_first_response_minutes BETWEEN 1 AND 1441)",
        "route_change.route_change_sla_first_response_minutes_check CHECK",
    ),
    (
        ", CONSTRAINT two_persons CHECK (requested_by <> approved_by)",
        "",
        "freeze_bypass.two_persons CHECK",
    ),
    (
        "CONSTRAINT taken_by_routed CHECK (taken_by IS NULL OR",
        "CONSTRAINT taken_by_routed CHECK (taken_by IS NOT NULL OR",
        "publish_replay_audit.taken_by_routed CHECK",
    ),
    (
        "CONSTRAINT another_acks",
        "CONSTRAINT another_answers",
        "route_change.another_answers CHECK",
    ),
    (
        "'tuple_drift', 'footer_schema_drift')",
        "'footer_schema_drift')",
        "block_reason_owner_route.block_reason_owner_route_block_reason_check CHECK",
    ),
    (
        "login TEXT UNIQUE",
        "login TEXT",
        "person.person_login_key UNIQUE (login)",
    ),
    (
        "PRIMARY KEY (seq, role, sha256)",
        "PRIMARY KEY (seq, role)",
        "ledger_artifact.ledger_artifact_pkey PRIMARY KEY (seq, role)",
    ),
    (
        "sha256 TEXT NOT NULL REFERENCES artifact (sha256)",
        "sha256 TEXT NOT NULL REFERENCES governance_ledger (card_sha256)",
        "ledger_artifact.ledger_artifact_sha256_fkey FOREIGN KEY (sha256) REFERENCES artifact(sha256)",
    ),
    (
        " DEFERRABLE INITIALLY DEFERRED",
        "",
        "governance_ledger.governance_ledger_actor_id_fkey FOREIGN KEY",
    ),
    (
        "WHERE status = 'blocked'",
        "WHERE status = 'resolved'",
        "CREATE INDEX publish_replay_audit_by_time_left ON",
    ),
    (
        "ON deployment ((1))",
        "ON deployment (name)",
        "CREATE UNIQUE INDEX deployment_is_one ON",
    ),
    (
        "active BOOLEAN NOT NULL",
        "active BIGINT NOT NULL",
        "person.active boolean NOT NULL",
    ),
    (
        "granted_by TEXT NOT NULL REFERENCES person (person_id), granted_at_utc moment NOT NULL",
        "granted_by TEXT NOT NULL REFERENCES person (person_id), granted_at_utc TEXT NOT NULL",
        "person_role.granted_at_utc moment NOT NULL",
    ),
    (
        "also TEXT NOT NULL",
        "also TEXT",
        "publish_replay_audit.also text NOT NULL",
    ),
    (
        "DEFAULT 30",
        "DEFAULT 60",
        "block_reason_owner_route.sla_first_response_minutes bigint NOT NULL DEFAULT 30",
    ),
];

#[tokio::test]
async fn both_schemas_mean_the_same() {
    let (sqlite, postgres) = (World::sqlite().await, World::postgres().await);
    let schema = sqlite_in_other_words(&sqlite);
    assert_eq!(differences(&postgres, &schema), Vec::<String>::new());
    for (good, bad, named) in BAD_SAMPLES {
        assert!(schema.contains(good), "{good} is in the schema");
        let found = differences(&postgres, &schema.replace(good, bad));
        assert!(
            found.iter().any(|found| found.starts_with(named)),
            "{bad:?} was not noticed: {found:?}"
        );
    }
}

/// A rule that a wall keeps: the trigger, what it says, and what it requires.
type Rule = (String, String, String);

/// Rules that one database needs and the other does not, by a part of what they say.
const ON_ONE_ONLY: &[(&str, &str)] = &[
    (
        "a row is never replaced",
        "only SQLite has REPLACE, which would delete the row in its way unasked",
    ),
    (
        "must name a row of",
        "the sqlite3 shell does not look after foreign keys",
    ),
    (
        "nothing but a key of theirs attests a person in a file",
        "an SQLite file knows no logins",
    ),
    (
        "nothing but the login of the session and a key of theirs attests a person",
        "only PostgreSQL knows who is connected",
    ),
    (
        "the login must be that of the session",
        "only PostgreSQL knows who is connected",
    ),
];

/// Reads the rules out of the definitions, which are those of a fresh database (see above), and leaves out what only one needs.
fn rules(definitions: &[schema::Definition]) -> BTreeSet<Rule> {
    let is_called = |name: &str| {
        definitions
            .iter()
            .any(|d| d.kind == "trigger" && d.text.ends_with(&format!("EXECUTE FUNCTION {name}()")))
    };
    let mut rules = BTreeSet::new();
    for definition in definitions {
        let stands = match definition.kind.as_str() {
            "trigger" => true,
            "function" => is_called(&definition.name),
            _ => false,
        };
        if !stands {
            continue;
        }
        for line in definition.text.lines().map(str::trim) {
            // `SELECT RAISE(ABORT, 'says') WHERE (requires) IS NOT TRUE;`, or
            // `IF (requires) IS NOT TRUE THEN RAISE EXCEPTION 'says' USING …`
            let rule = match line.strip_prefix("SELECT RAISE(ABORT, '") {
                Some(rest) => rest.split_once("') WHERE ("),
                None => line
                    .strip_prefix("IF (")
                    .and_then(|rest| rest.split_once(") IS NOT TRUE THEN RAISE EXCEPTION '"))
                    .map(|(requires, rest)| (rest, requires)),
            };
            let Some((says, requires)) = rule else {
                continue;
            };
            let says = says.split('\'').next().unwrap_or_default();
            let requires = requires.trim_end_matches(") IS NOT TRUE;");
            if !ON_ONE_ONLY.iter().any(|(part, _)| says.contains(part)) {
                rules.insert((
                    definition.name.clone(),
                    says.to_owned(),
                    requires.to_owned(),
                ));
            }
        }
    }
    rules
}

#[test]
fn both_keep_the_same_rules() {
    let (sqlite, postgres) = (
        schema::built_in_catalogue(false),
        schema::built_in_catalogue(true),
    );
    assert!(rules(&sqlite).len() > 50, "the rules were read");
    assert_eq!(rules(&sqlite), rules(&postgres));
    for (part, _) in ON_ONE_ONLY {
        let says =
            |definitions: &[schema::Definition]| definitions.iter().any(|d| d.text.contains(part));
        assert_ne!(says(&sqlite), says(&postgres), "{part}");
    }
    // A rule that asks for less, one that is gone, and a function that no trigger calls.
    let altered = |kind: &str, name: &str, good: &str, bad: &str| {
        let mut altered = postgres.clone();
        let one = altered
            .iter_mut()
            .find(|d| d.kind == kind && d.name == name)
            .expect("it is there");
        assert!(one.text.contains(good), "{good} is in {name}");
        one.text = one.text.replace(good, bad);
        rules(&altered)
    };
    for bad in [
        altered("function", "wall_freeze_bypass_insert", ") = 2", ") = 1"),
        altered("function", "wall_person_delete", "IF (FALSE)", "IF (TRUE)"),
        altered("function", "wall_ledger_head_delete", "RAISE", "PERFORM"),
        altered(
            "trigger",
            "wall_person_update",
            "wall_person_update()",
            "quiet()",
        ),
    ] {
        assert_ne!(rules(&sqlite), bad);
    }
}
