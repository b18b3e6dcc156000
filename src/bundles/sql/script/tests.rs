use proptest::prelude::*;

use super::super::tokens::Dialect::{Postgres, Sqlite};
use super::*;

fn texts(dialect: Dialect, text: &str) -> Vec<String> {
    let script = Script::read(dialect, &[("a.sql", text)])
        .unwrap_or_else(|found| panic!("{text}: {found:?}"));
    script
        .statements
        .into_iter()
        .map(|statement| statement.text)
        .collect()
}

fn refusals(dialect: Dialect, text: &str) -> Vec<String> {
    let found = Script::read(dialect, &[("a.sql", text)])
        .err()
        .unwrap_or_default();
    found.into_iter().map(|finding| finding.detail).collect()
}

#[test]
fn a_script_is_cut_where_statements_end() {
    let table: &[(Dialect, &str, &[&str])] = &[
        (
            Postgres,
            "-- x\nSELECT 1; ;/* a */ SELECT ';' ",
            &["SELECT 1", "SELECT ';'"],
        ),
        (
            Postgres,
            "CREATE RULE r AS ON INSERT TO t DO (DELETE FROM a; DELETE FROM b); SELECT 1",
            &[
                "CREATE RULE r AS ON INSERT TO t DO (DELETE FROM a; DELETE FROM b)",
                "SELECT 1",
            ],
        ),
        (
            Postgres,
            "CREATE OR REPLACE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE 1 WHEN 1 THEN 2 END; SELECT 1; END; SELECT 2;",
            &[
                "CREATE OR REPLACE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE 1 WHEN 1 THEN 2 END; SELECT 1; END",
                "SELECT 2",
            ],
        ),
        (
            Postgres,
            "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN; END $$; SELECT 2",
            &[
                "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN; END $$",
                "SELECT 2",
            ],
        ),
        (
            Sqlite,
            "create temp trigger x after insert on t begin select case 1 when 1 then 2 end; delete from t; end; select 1",
            &[
                "create temp trigger x after insert on t begin select case 1 when 1 then 2 end; delete from t; end",
                "select 1",
            ],
        ),
        (
            Sqlite,
            "SELECT (1;\nSELECT 2);",
            &["SELECT (1", "SELECT 2)"],
        ),
    ];
    for (dialect, text, expected) in table {
        assert_eq!(texts(*dialect, text), *expected, "{text}");
    }
}

#[test]
fn a_statement_knows_its_line() {
    let script = Script::read(
        Sqlite,
        &[
            ("a.sql", "\n-- x\nSELECT 1;\n\n\n SELECT\n2"),
            ("b.sql", "SELECT 3"),
        ],
    )
    .unwrap();
    let places: Vec<_> = script
        .statements()
        .iter()
        .map(|one| (one.file.as_str(), one.line))
        .collect();
    assert_eq!(places, [("a.sql", 3), ("a.sql", 6), ("b.sql", 1)]);
}

const REFUSED_BY_BOTH: &[&str] = &[
    "BEGIN",
    "begin;",
    "COMMIT",
    "/* x */ cOmMiT",
    "SELECT 1; -- a\nROLLBACK;",
    "SAVEPOINT a",
    "RELEASE a",
    "END",
    "ABORT",
    "START TRANSACTION",
    "ATTACH 'x' AS y",
    "DETACH y",
    "PRAGMA user_version = 3",
    "VACUUM",
    "EXPLAIN SELECT 1",
    "SELECT load_extension('x')",
    "SELECT \"load_extension\" ('x')",
    "",
    "  -- nothing\n",
];
const REFUSED_ON_POSTGRES: &[&str] = &[
    "PREPARE TRANSACTION 'x'",
    "PREPARE a AS SELECT 1",
    "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
    "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
    "COPY t FROM PROGRAM 'id'",
    "COPY t TO '/tmp/x'",
    "COPY t FROM STDIN",
    "SET ROLE x",
    "SET LOCAL ROLE x",
    "SET SESSION AUTHORIZATION x",
    "RESET ROLE",
    "SET session_replication_role = replica",
    "SET LOCAL \"session_replication_role\" = replica",
    "SELECT set_config('session_replication_role', 'replica', true)",
    "SELECT pg_catalog.set_config('a', 'b', true)",
    "SET lock_timeout = 0",
    "SET LOCAL statement_timeout TO 0",
    "SET standard_conforming_strings = off",
    "SET my.thing = 1",
    "ALTER SYSTEM SET work_mem = '1GB'",
    "CREATE DATABASE x",
    "DROP DATABASE x",
    "ALTER DATABASE x SET a = 1",
    "CREATE ROLE x",
    "CREATE USER x",
    "ALTER ROLE x SUPERUSER",
    "GRANT a TO b",
    "GRANT CREATE ON DATABASE d TO b",
    "GRANT USAGE ON FOREIGN SERVER s TO b",
    "REVOKE SET ON PARAMETER work_mem FROM b",
    "GRANT SELECT ON LARGE OBJECT 7 TO b",
    "COMMENT ON DATABASE d IS 'x'",
    "COMMENT ON LARGE OBJECT 7 IS 'x'",
    "COMMENT ON PUBLICATION p IS 'x'",
    "DROP OWNED BY x",
    "LISTEN a",
    "NOTIFY a",
    "SELECT pg_notify('a', 'b')",
    "SELECT * FROM dblink('x', 'COMMIT') AS t(a int)",
    "SELECT dblink_exec('x', 'y')",
    "CREATE EXTENSION dblink",
    "CREATE EXTENSION IF NOT EXISTS \"postgres_fdw\"",
    "CREATE EXTENSION plpython3u",
    "ALTER EXTENSION postgis ADD TABLE t",
    "ALTER EXTENSION postgis DROP FUNCTION f()",
    "CREATE SERVER s FOREIGN DATA WRAPPER w",
    "CREATE FOREIGN TABLE t () SERVER s",
    "CREATE SUBSCRIPTION x",
    "SELECT setval('s', 1)",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT lo_import('x')",
    "LOAD 'x'",
    "\\i other.sql",
    "SELECT 1 \\gexec",
    "SELECT :name",
    "SELECT :'name'",
    "DELETE FROM :\"t\"",
    "SELECT U&\"\\0063\"(1)",
    "DO $$ BEGIN COMMIT; END $$",
    "DO $$ BEGIN IF true THEN ROLLBACK; END IF; END $$",
    "do 'begin commit; end'",
    "DO $$ BEGIN EXECUTE 'SET ROLE x'; END $$",
    "DO $$ BEGIN EXECUTE format('COPY %I TO PROGRAM ''id''', 't'); END $$",
    "DO $$ BEGIN EXECUTE $q$DO $r$ BEGIN EXECUTE 'COMMIT'; END $r$ $q$; END $$",
    "DO $$ BEGIN PERFORM set_config('a', 'b', true); END $$",
    "DO $$ BEGIN EXECUTE E'COM\\x4dIT'; END $$",
    "DO LANGUAGE plpython3u $$ pass $$",
    "DO $$ BEGIN SET LOCAL lock_timeout = 0; END $$",
    "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN ALTER SYSTEM SET a = 1; END $$",
    "CREATE FUNCTION f() RETURNS void LANGUAGE c AS 'x', 'y'",
    "CREATE FUNCTION f() RETURNS void LANGUAGE 'plpython3u' AS $$ $$",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql SET role = 'x' AS $$ SELECT 1 $$",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql SET session_replication_role = replica AS $$ SELECT 1 $$",
    "UPDATE pg_class SET relname = 'x'",
    "WITH a AS (DELETE FROM pg_catalog.pg_trigger RETURNING 1) SELECT 1",
    "DO $$ BEGIN DELETE FROM pg_trigger; END $$",
    "REINDEX DATABASE x",
    "CREATE INDEX a ON b (c); CREATE INDEX CONCURRENTLY d ON e (f)",
    "ALTER TABLE a DETACH PARTITION b CONCURRENTLY",
    "CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION f()",
    "SELECT (1",
    "SELECT 1)",
    "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1;",
    "SELECT 'a",
    "SELECT 1; SELECT $$a",
];
const REFUSED_ON_SQLITE: &[&str] = &[
    "SELECT ?",
    "SELECT :a",
    "SELECT @a",
    "SELECT $a(;COMMIT)",
    "CREATE TRIGGER a AFTER INSERT ON t BEGIN SELECT 1;",
    "SELECT [a",
];

#[test]
fn what_the_runner_keeps_to_itself_is_refused_wherever_it_hides() {
    let table = REFUSED_BY_BOTH
        .iter()
        .flat_map(|text| [(Postgres, text), (Sqlite, text)]);
    let table = table.chain(REFUSED_ON_POSTGRES.iter().map(|text| (Postgres, text)));
    for (dialect, text) in table.chain(REFUSED_ON_SQLITE.iter().map(|text| (Sqlite, text))) {
        assert!(!refusals(dialect, text).is_empty(), "{dialect:?}: {text}");
    }
}

#[test]
fn what_only_looks_like_it_passes() {
    let both = [
        "SELECT 'COMMIT; ROLLBACK'",
        "UPDATE t SET role = 'commit'",
        "CREATE TABLE release (start int, \"end\" int)",
        "INSERT INTO t (copy) VALUES ('\\d')",
        "SELECT a /* ; COMMIT */ FROM t -- ; ROLLBACK",
        "WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a",
        "CREATE UNIQUE INDEX i ON t (a) WHERE a > 1",
        "ALTER TABLE t ADD COLUMN setval int",
    ];
    let postgres = [
        "SELECT a[1:2], a::int, b::text FROM t",
        "SET LOCAL search_path = a, public",
        "SET TIME ZONE 'UTC'",
        "SET CONSTRAINTS ALL DEFERRED",
        "DO $$ DECLARE a int := 1; BEGIN a := 2; RAISE NOTICE 'commit failed'; EXECUTE 'UPDATE t SET a = 1'; END $$",
        "DO $$ BEGIN EXECUTE 'INSERT INTO t VALUES (''commit'')'; END $$",
        "DO $$ BEGIN BEGIN NULL; EXCEPTION WHEN others THEN NULL; END; END $$",
        "CREATE FUNCTION f(a int DEFAULT 1) RETURNS int LANGUAGE sql SET search_path = '' AS $$ SELECT $1 $$",
        "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC UPDATE t SET role = 1; SELECT 1; END",
        "CREATE CONSTRAINT TRIGGER a AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
        "GRANT SELECT ON t TO PUBLIC",
        "GRANT SELECT (a) ON geo.t, u TO PUBLIC",
        "GRANT SELECT ON ALL TABLES IN SCHEMA geo TO reader",
        "REVOKE EXECUTE ON FUNCTION f(integer) FROM reader",
        "COMMENT ON COLUMN t.a IS 'x'",
        "CREATE EXTENSION IF NOT EXISTS postgis",
        "ALTER EXTENSION postgis UPDATE",
        "ALTER TABLE t ALTER a SET DEFAULT 'session'",
        "REFRESH MATERIALIZED VIEW CONCURRENTLY v",
        "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
        "COMMENT ON TABLE t IS 'BEGIN'",
        "ALTER TYPE mood ADD VALUE 'x'",
        "(SELECT 1)",
        "CREATE TEMP TABLE x AS SELECT 1",
        "ALTER SEQUENCE s RESTART WITH 7",
    ];
    let sqlite = [
        "CREATE TRIGGER t AFTER UPDATE ON a BEGIN UPDATE b SET c = CASE WHEN 1 THEN 2 END; END",
        "REPLACE INTO t VALUES (1)",
        "CREATE VIRTUAL TABLE f USING fts5(a)",
        "SELECT a AS [x;y]",
    ];
    let table = both
        .iter()
        .flat_map(|text| [(Postgres, text), (Sqlite, text)]);
    let table = table.chain(postgres.iter().map(|text| (Postgres, text)));
    for (dialect, text) in table.chain(sqlite.iter().map(|text| (Sqlite, text))) {
        assert_eq!(refusals(dialect, text), [""; 0], "{dialect:?}: {text}");
    }
}

#[test]
fn concurrently_is_a_script_of_its_own() {
    for text in [
        "CREATE INDEX CONCURRENTLY a ON b (c); DROP INDEX CONCURRENTLY d",
        "REINDEX (CONCURRENTLY) INDEX a",
        "create unique index concurrently a on b (c)",
    ] {
        assert_eq!(
            Script::read(Postgres, &[("a.sql", text)]).unwrap().mode(),
            Mode::Outside,
            "{text}"
        );
    }
    let mixed = refusals(Postgres, "SELECT 1;\n CREATE INDEX CONCURRENTLY a ON b (c)");
    assert_eq!(mixed.len(), 1);
    assert!(
        mixed[0].starts_with("line 2, column 2: CONCURRENTLY does not run in a transaction"),
        "{mixed:?}"
    );
}

#[test]
fn a_refusal_says_where_and_what_to_do() {
    let found = refusals(Postgres, "SELECT 1;\n  COMMIT;");
    assert_eq!(
        found,
        ["line 2, column 3: COMMIT: the runner holds the transaction; take this statement out"]
    );
}

proptest! {
    #[test]
    fn cutting_loses_nothing_and_cutting_again_changes_nothing(
        text in r#"(begin|atomic|end|case|create |trigger |function |f|commit|[ ;'"()\n\[\]]|\$\$|--|/\*|\*/|E'){0,40}"#,
    ) {
        for dialect in [Postgres, Sqlite] {
            let Ok(pieces) = split(&text, dialect) else { continue };
            let whole: String = pieces.iter().flat_map(|piece| piece.tokens.iter().map(|token| token.text)).collect();
            prop_assert_eq!(&whole, &text);
            for piece in &pieces {
                let again = split(piece.statement(), dialect).unwrap();
                prop_assert!(again.len() <= 1, "{:?}", piece.statement());
            }
        }
    }

    #[test]
    fn a_commit_that_the_database_would_see_is_never_passed_on(
        before in r"(SELECT 1|SELECT ';'|/\* ; \*/|-- a|\n| |;|\$\$a\$\$|E'\\''){0,12}",
    ) {
        let text = format!("{before}\n;COMMIT;");
        for dialect in [Postgres, Sqlite] {
            prop_assert!(Script::read(dialect, &[("a.sql", &text)]).is_err(), "{}", text);
        }
    }
}
