//! `init --grants`: what each group may do on PostgreSQL, tried as a member of it, and what the others are told.

use std::fmt::Write as _;
use std::sync::OnceLock;

use govdeck::actions::Asked;
use govdeck::store::grants::{self, Group, rights};
use govdeck::store::tables::TABLES;
use govdeck::store::wake::{Source, Wake};
use govdeck::store::{Access, OsAccount, Store, ledger};

use crate::cli_kit::{at, contents, document, govdeck, refused, said, writes_nothing};
use crate::support::cluster::{Cluster, SUPERUSER, cluster};
use crate::support::command::Home;
use crate::support::{REASON, World};

/// A member of each group; `lee` is the backup of every block, and in a world of these stories works as an operator.
const MEMBERS: &[(Group, &str)] = &[
    (Group::Viewer, "in_viewer"),
    (Group::Operator, "lee"),
    (Group::Signer, "in_signer"),
    (Group::Agent, "in_agent"),
    (Group::Pipeline, "in_pipeline"),
    (Group::Bundler, "in_bundler"),
];

/// In no group.
const NOBODY: &str = "kim";

/// What grants `on_call` to kim.
const GRANT: [&str; 9] = [
    "act",
    "grant-role",
    "kim",
    "--role",
    "on_call",
    "--confirm",
    "kim/on_call",
    "--reason",
    REASON,
];

fn superuser(database: &str, sql: &str) -> String {
    cluster()
        .psql(SUPERUSER, database, sql)
        .unwrap_or_else(|error| panic!("{sql}: {error}"))
}

/// A world with the groups' rights, in which everybody's rule says yes, so that only their group may say no.
pub async fn world() -> World {
    static MEMBERS_ARE_IN: OnceLock<()> = OnceLock::new();
    let world = World::postgres().await;
    let direct = said(&as_superuser(&world, &["init", "--grants"]), 0).to_owned();
    assert!(direct.contains("past the groups: kim, lee"), "{direct}");
    MEMBERS_ARE_IN.get_or_init(|| {
        for (group, login) in MEMBERS {
            cluster().create_login(login);
            superuser(
                world.database(),
                &format!("GRANT {} TO {login}", group.role()),
            );
        }
    });
    world.owner_sql("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM lee, kim");
    for (group, login) in MEMBERS {
        let kind = if *group == Group::Agent {
            "service"
        } else {
            "human"
        };
        if *login != "lee" {
            let person = Asked::of(login.replace('_', "-"))
                .with("name", "Member")
                .with("login", *login)
                .with("kind", kind);
            world
                .act("maya", "add_person", person)
                .await
                .expect("added");
        }
        if *group != Group::Agent {
            let lead = Asked::of(login.replace('_', "-")).with("role", "governance_lead");
            world
                .act("maya", "grant_role", lead)
                .await
                .expect("granted");
        }
    }
    world
}

fn as_superuser(world: &World, words: &[&str]) -> crate::support::command::Run {
    govdeck(world, SUPERUSER, words)
}

fn mint(world: &World, login: &str, run: &str) -> Result<String, String> {
    world.sql_as(login, &format!(
        "INSERT INTO publish_snapshots (publish_run_id, publish_scope, freeze_id, lift_id, dry_run_id, created_at_utc) \
         VALUES ('{run}', 'sla/partners', 'fz-31', 'lf-31', 'dr-31', clock_timestamp())"
    ))
}

/// Everything that says who may do what.
fn all_rights(database: &str) -> String {
    superuser(
        database,
        "SELECT relname, relacl, relowner FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1; \
         SELECT proname, proacl, proowner FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY 1; \
         SELECT nspname, nspacl FROM pg_namespace WHERE nspname = 'public'; \
         SELECT typname, typowner FROM pg_type WHERE typname = 'moment'",
    )
}

/// Tries each statement on each table as a login, and says which the server lets them begin.
fn tried(world: &World, login: &str) -> String {
    let mut sql = String::from(
        "CREATE FUNCTION pg_temp.tried(sql text) RETURNS text LANGUAGE plpgsql AS $tried$ BEGIN \
         EXECUTE sql; RAISE EXCEPTION 'taken back'; EXCEPTION WHEN insufficient_privilege THEN RETURN 'no'; \
         WHEN OTHERS THEN RETURN 'yes'; END $tried$;\n",
    );
    for table in TABLES {
        let name = table.name;
        let column = superuser(
            world.database(),
            &format!(
                "SELECT attname FROM pg_attribute WHERE attrelid = '{name}'::regclass AND attnum = 1"
            ),
        );
        for (word, statement) in [
            ("SELECT", format!("SELECT {column} FROM {name}")),
            ("INSERT", format!("INSERT INTO {name} DEFAULT VALUES")),
            ("UPDATE", format!("UPDATE {name} SET {column} = {column}")),
            ("DELETE", format!("DELETE FROM {name}")),
            ("TRUNCATE", format!("TRUNCATE {name}")),
        ] {
            writeln!(
                sql,
                "SELECT '{name} {word} ' || pg_temp.tried('{statement}');"
            )
            .expect("text takes it");
        }
    }
    world.sql_as(login, &sql).expect("it is tried")
}

fn wanted(group: Option<Group>) -> String {
    let mut lines = Vec::new();
    for table in TABLES {
        let has = |word: &str| {
            group.is_some_and(|group| rights(group, table).iter().any(|r| r.sql() == word))
        };
        for word in ["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE"] {
            let answer = if has(word) { "yes" } else { "no" };
            lines.push(format!("{} {word} {answer}", table.name));
        }
    }
    lines.join("\n")
}

/// What the server's own catalogue says that a login may do.
fn known(world: &World, login: &str) -> String {
    let names: Vec<_> = TABLES.iter().map(|t| format!("'{}'", t.name)).collect();
    superuser(
        world.database(),
        &format!(
            "SELECT t || ' ' || p || CASE WHEN has_table_privilege('{login}', t, p) THEN ' yes' ELSE ' no' END \
             FROM unnest(ARRAY[{}]) WITH ORDINALITY AS t (t, i), \
             unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) WITH ORDINALITY AS p (p, j) ORDER BY i, j",
            names.join(", ")
        ),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn every_group_has_what_the_list_says_and_nothing_else() {
    let world = world().await;
    let members = MEMBERS.iter().map(|(group, login)| (Some(*group), *login));
    for (group, login) in members.chain([(None, NOBODY)]) {
        let wanted = wanted(group);
        assert_eq!(known(&world, login), wanted, "{login}");
        assert_eq!(tried(&world, login), wanted, "{login}");
        let more = "SELECT count(*) FROM pg_class c, unnest(ARRAY['TRIGGER', 'REFERENCES']) p \
             WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND has_table_privilege(c.oid, p)";
        assert_eq!(world.sql_as(login, more).as_deref(), Ok("0"), "{login}");
        for ddl in [
            "CREATE TABLE mine (v int)",
            "CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "ALTER TABLE person ADD COLUMN mine int",
            "ALTER TABLE person DISABLE TRIGGER USER",
            "DROP TRIGGER wall_person_update ON person",
            "CREATE TRIGGER mine BEFORE UPDATE ON person EXECUTE FUNCTION suppress_redundant_updates_trigger()",
            "DROP TABLE demo_clock",
            "SET ROLE govdeck_owner",
            "CREATE ROLE mine",
        ] {
            assert!(world.sql_as(login, ddl).is_err(), "{login}: {ddl}");
        }
    }
    let store = world.store("maya").await;
    let found = grants::differences(&store).await.expect("compared");
    assert_eq!(found, Vec::<String>::new());
    world.owner_sql(
        "GRANT DELETE ON person TO PUBLIC; REVOKE SELECT ON artifact FROM govdeck_agent",
    );
    let found = grants::differences(&store).await.expect("compared");
    assert!(found.contains(&"govdeck_agent lacks SELECT on artifact".to_owned()));
    assert!(found.contains(&"govdeck_viewer has DELETE on person".to_owned()));
    assert_eq!(found.len(), 7, "{found:?}");
    store.close().await;
    let sequences = "SELECT count(*) FROM pg_class WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace";
    assert_eq!(
        world.owner_sql(sequences),
        "0",
        "whoever adds one grants it"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_acts_and_the_walls_hold_against_them() {
    let world = world().await;
    mint(&world, "in_pipeline", "r-1").expect("minted");
    said(&govdeck(&world, "in_agent", &["gate", "publish", "r-1"]), 1);
    let take = [
        "act",
        "take-block",
        "r-1",
        "--confirm",
        "y",
        "--reason",
        REASON,
    ];
    said(&govdeck(&world, "lee", &take), 0);
    said(&govdeck(&world, "lee", &GRANT), 0);
    mint(&world, "in_pipeline", "r-2").expect("minted");
    said(&govdeck(&world, "lee", &["gate", "publish", "r-2"]), 1);
    let armed = world
        .act("lee", "arm_console", Asked::of("console-1"))
        .await;
    armed.expect("a console is armed");
    for past_the_ledger in [
        "UPDATE person SET active = FALSE WHERE person_id = 'maya'",
        "UPDATE ledger_head SET seq = seq + 1",
        "INSERT INTO governance_ledger SELECT seq + 1, repeat('0', 32), action, 'person', 'maya', 'maya', attestation, \
         target_kind, target_id, target_version, state_hash, card_sha256, reason, change_count, evidence_count, at_utc, \
         clock_anomaly, hash, repeat('1', 64) FROM governance_ledger ORDER BY seq DESC LIMIT 1",
    ] {
        let no = world.sql_as("lee", past_the_ledger).expect_err("a wall");
        assert!(no.contains("wall "), "{no}");
    }
    world.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_others_are_refused_with_the_group_that_is_missing() {
    let world = world().await;
    for (login, table, group) in [
        ("in_viewer", "ledger_head", "govdeck_operator"),
        ("in_bundler", "person_role", "govdeck_operator"),
        ("in_signer", "person_role", "govdeck_operator"),
        ("in_pipeline", "person", "govdeck_viewer"),
        (NOBODY, "govdeck_migrations", "govdeck_viewer"),
    ] {
        let (sentence, hint) = refused(&writes_nothing(&world, login, &GRANT), 3);
        assert!(sentence.contains(table), "{login}: {sentence}");
        assert!(hint.contains(group), "{login}: {hint}");
    }
    // A service decides nothing as a person, whatever its rights; what it writes past the program its rights refuse.
    let people = "INSERT INTO person_role VALUES ('kim', 'on_call', TRUE, 'maya', now(), 1)";
    let no = world.sql_as("in_agent", people).expect_err("no right");
    assert!(
        no.contains("permission denied for table person_role"),
        "{no}"
    );
    mint(&world, "in_pipeline", "r-1").expect("minted");
    for login in ["in_viewer", "in_signer", "in_pipeline"] {
        let (_, hint) = refused(
            &writes_nothing(&world, login, &["gate", "publish", "r-1"]),
            3,
        );
        assert!(hint.contains("govdeck_agent"), "{login}: {hint}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipeline_mints_and_amends_and_everybody_hears_of_it() {
    let world = world().await;
    let dsn = world.dsn("in_viewer");
    let account = OsAccount::named("anybody");
    let looking = Store::open(&dsn, account, Access::Read)
        .await
        .expect("open");
    let mut wake = Wake::on(&looking, &dsn, Some(&dsn)).await.expect("awake");
    assert_eq!(wake.source(), Source::Notify);
    mint(&world, "in_pipeline", "r-1").expect("minted");
    wake.changed().await.expect("it is heard");
    let observed = "UPDATE publish_snapshots SET source_observed_at_utc = clock_timestamp()";
    world.sql_as("in_pipeline", observed).expect("amended");
    wake.changed().await.expect("it is heard");
    let decided = "UPDATE publish_snapshots SET status = 'blocked', block_reason = 'tuple_drift', version = 1, decided_at_utc = now()";
    let no = world.sql_as("in_pipeline", decided).expect_err("a wall");
    assert!(no.contains("wall publish_snapshots"), "{no}");
    for unread in [
        "governance_ledger",
        "artifact",
        "person",
        "notification_outbox",
    ] {
        let sql = format!("SELECT 1 FROM {unread}");
        assert!(world.sql_as("in_pipeline", &sql).is_err(), "{unread}");
    }
    looking.close().await;
    // The same with the program: a run and its leaves, and nothing of them can be altered or taken away.
    let rows = world.home.folder().join("rows.json");
    std::fs::write(rows, r#"[{"metric_id":"MET-0144"}]"#).expect("the home is ours");
    let words = "publish mint --run r-2 --scope sla/partners --freeze f --lift l --dry-run-id d --rows rows.json \
         --source rows.json --footer v2.4.0";
    let words: Vec<_> = words.split_whitespace().collect();
    said(&govdeck(&world, "in_pipeline", &words), 0);
    let leaves = "SELECT count(*) FROM publish_leaf WHERE bytes IS NOT NULL";
    assert_eq!(world.owner_sql(leaves), "2");
    for sql in [
        "UPDATE publish_leaf SET bytes = NULL",
        "DELETE FROM publish_leaf",
    ] {
        let no = world.sql_as("in_pipeline", sql).expect_err(sql);
        assert!(no.contains("permission denied"), "{no}");
    }
    let again: Vec<_> = words
        .iter()
        .map(|word| word.replace("r-2", "r-3"))
        .collect();
    let again: Vec<_> = again.iter().map(String::as_str).collect();
    let (_, hint) = refused(&govdeck(&world, "in_viewer", &again), 3);
    assert!(hint.contains("govdeck_pipeline"), "{hint}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_sees_and_verifies_everything() {
    let world = world().await;
    for login in ["in_viewer", "in_bundler"] {
        for words in [
            &["status"][..],
            &["ledger", "verify"],
            &["ledger", "show"],
            &["artifact", "list"],
            &["snapshot", "blocks"],
            &["why", "grant-role", "kim", "--role", "on_call"],
        ] {
            said(&writes_nothing(&world, login, words), 0);
        }
        let report = govdeck(&world, login, &["doctor"]).stdout;
        assert!(report.contains("each has exactly the rights"), "{report}");
        let says = if login == "in_viewer" {
            "only looking works"
        } else {
            "guarded writes can begin"
        };
        assert!(report.contains(says), "{report}");
    }
    for words in [
        &["status"][..],
        &["ledger", "verify"],
        &["snapshot", "blocks"],
    ] {
        let (sentence, hint) = refused(&govdeck(&world, NOBODY, words), 3);
        assert!(sentence.contains("govdeck_migrations"), "{sentence}");
        assert!(hint.contains("govdeck_viewer"), "{hint}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_a_group_is_refused_in_the_next_transaction() {
    let world = world().await;
    cluster().create_login("leaves");
    superuser(world.database(), "GRANT govdeck_viewer TO leaves");
    let account = OsAccount::named("anybody");
    let store = Store::open(&world.dsn("leaves"), account, Access::Read)
        .await
        .expect("the store opens");
    let mut view = store.view().await.expect("a view");
    ledger::head(&mut view).await.expect("they may look");
    drop(view);
    superuser(world.database(), "REVOKE govdeck_viewer FROM leaves");
    let mut view = store.view().await.expect("a view");
    let no = ledger::head(&mut view).await.expect_err("no longer");
    assert!(no.hint.contains("govdeck_viewer"), "{}", no.hint);
    drop(view);
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_run_changes_nothing() {
    let world = world().await;
    let (before, rows) = (all_rights(world.database()), contents(&world));
    for login in ["maya", SUPERUSER] {
        let run = govdeck(&world, login, &["init", "--grants", "--json"]);
        let page = document(&run, 0, "init");
        assert_eq!(page["outcome"], "unchanged");
        assert_eq!(page["grants"]["ownership"], "unchanged");
        assert_eq!(page["grants"]["created"], serde_json::json!([]));
        assert_eq!(all_rights(world.database()), before, "{login}");
    }
    assert_eq!(contents(&world), rows);
    for login in ["lee", NOBODY] {
        let run = writes_nothing(&world, login, &["init", "--grants"]);
        let (sentence, _) = refused(&run, 3);
        assert!(!sentence.is_empty());
        assert_eq!(all_rights(world.database()), before, "{login}");
    }
    // What somebody gave past the list is taken back.
    world.owner_sql(
        "GRANT TRUNCATE ON person TO govdeck_agent; GRANT UPDATE (login) ON person TO PUBLIC",
    );
    said(&govdeck(&world, "maya", &["init", "--grants"]), 0);
    assert_eq!(all_rights(world.database()), before);
    let column = "SELECT count(*) FROM pg_attribute WHERE attrelid = 'person'::regclass AND array_length(attacl, 1) > 0";
    assert_eq!(world.owner_sql(column), "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_knows_no_groups() {
    let world = World::sqlite().await;
    for words in [&["init", "--grants"][..], &["init", "--grants", "--print"]] {
        let (sentence, hint) = refused(&writes_nothing(&world, "maya", words), 2);
        assert!(sentence.contains("SQLite") && hint.contains("PostgreSQL"));
    }
}

/// A server of one's own, without the groups, and databases with their owner.
fn server(options: &str, databases: &[&str]) -> Cluster {
    let server = Cluster::start_private();
    let made = server.psql(
        SUPERUSER,
        SUPERUSER,
        &format!("CREATE ROLE maya LOGIN {options}"),
    );
    made.expect("a login");
    for database in databases {
        server.create_database(database, None, "maya");
    }
    server
}

#[test]
fn who_may_create_roles_makes_the_groups_in_several_databases_at_once() {
    let databases = ["one", "two", "three"];
    let server = server("CREATEROLE", &databases);
    let home = Home::new();
    std::thread::scope(|scope| {
        for database in databases {
            let url = server.url("maya", database);
            let home = &home;
            scope.spawn(move || {
                let page = document(&at(home, &url, &["init", "--grants", "--json"]), 0, "init");
                assert_eq!(page["outcome"], "established");
                assert_eq!(page["ledger"]["seq"], 1, "the rights are in no entry");
                assert_eq!(page["grants"]["ownership"], "moved");
            });
        }
    });
    let url = server.url("maya", "one");
    let said_of_it = said(&at(&home, &url, &["init", "--grants"]), 0).to_owned();
    assert!(
        said_of_it.contains("all groups were there; govdeck_owner owns"),
        "{said_of_it}"
    );
    said(&at(&home, &url, &["ledger", "verify"]), 0);
    let logins = "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'govdeck%' AND NOT rolcanlogin AND NOT rolsuper";
    assert_eq!(server.psql("maya", "one", logins).as_deref(), Ok("7"));
    // Without the owners' group the founder is one of the people, and an upgrade is not theirs.
    let leave = "REVOKE govdeck_owner FROM maya; GRANT govdeck_operator TO maya; ALTER DATABASE one OWNER TO govdeck_owner";
    server.psql(SUPERUSER, "one", leave).expect("a DBA may");
    let add = [
        "act",
        "add-person",
        "kim",
        "--name",
        "Kim",
        "--confirm",
        "kim",
        "--reason",
        REASON,
    ];
    said(&at(&home, &url, &add), 0);
    assert!(server.psql("maya", "one", "DROP TABLE demo_clock").is_err());
    let (sentence, hint) = refused(&at(&home, &url, &["init", "--grants"]), 3);
    assert!(sentence.contains("which govdeck_owner owns"), "{sentence}");
    assert!(hint.contains("--print"), "{hint}");
}

#[test]
fn who_may_not_is_told_what_a_dba_must_run() {
    let server = server("", &["one"]);
    let home = Home::new();
    let url = server.url("maya", "one");
    said(&at(&home, &url, &["init"]), 0);
    let (sentence, hint) = refused(&at(&home, &url, &["init", "--grants"]), 3);
    assert!(
        sentence.contains("CREATEROLE") && sentence.contains("govdeck_signer"),
        "{sentence}"
    );
    assert!(hint.contains("init --grants --print"), "{hint}");
    let count = "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'govdeck%'";
    assert_eq!(server.psql("maya", "one", count).as_deref(), Ok("0"));
    let printed = said(&at(&home, &url, &["init", "--grants", "--print"]), 0).to_owned();
    assert_eq!(
        server.psql("maya", "one", count).as_deref(),
        Ok("0"),
        "only printed"
    );
    server
        .psql(SUPERUSER, "one", &printed)
        .expect("a DBA runs it");
    assert_eq!(server.psql("maya", "one", count).as_deref(), Ok("7"));
    let page = document(&at(&home, &url, &["init", "--grants", "--json"]), 0, "init");
    assert_eq!(page["grants"]["ownership"], "unchanged");
    assert_eq!(page["grants"]["direct"], serde_json::json!([]));
    said(&at(&home, &url, &["ledger", "verify"]), 0);
    // Rights may be granted by an owner who is in no position to give the tables away.
    let leave = server.psql(SUPERUSER, "one", "REVOKE govdeck_owner FROM maya");
    leave.expect("a DBA may");
    server.create_database("two", None, "maya");
    let other = server.url("maya", "two");
    let said_of_it = said(&at(&home, &other, &["init", "--grants"]), 0).to_owned();
    assert!(
        said_of_it.contains("the tables keep their owner"),
        "{said_of_it}"
    );
    let sees = "SELECT has_table_privilege('govdeck_viewer', 'person', 'SELECT')";
    assert_eq!(server.psql("maya", "two", sees).as_deref(), Ok("t"));
    server
        .psql(SUPERUSER, "one", "ALTER ROLE govdeck_agent LOGIN")
        .expect("a DBA may");
    let (sentence, hint) = refused(&at(&home, &other, &["init", "--grants"]), 3);
    assert!(sentence.contains("govdeck_agent may log in"), "{sentence}");
    assert!(hint.contains("NOLOGIN"), "{hint}");
}
