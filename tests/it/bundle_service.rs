//! Bundles at the ledger's own database under a login of their own: a service makes the change and ends its run in one
//! transaction; of every other login the change is kept first.

use std::fs;
use std::process::Command;
use std::sync::OnceLock;

use govdeck::actions::{self, Asked, ByRule, Outcome, Request};
use govdeck::rules::bundle_run::{RunOutcome, Tier};
use govdeck::store::{Access, OsAccount, Store};

use crate::bundle_runs::receipt;
use crate::cli_kit::{document, refused, said, writes_nothing};
use crate::support::bundle_story::{ID, approve, people};
use crate::support::cluster::{SUPERUSER, cluster};
use crate::support::command::{Run, kill_at_every, run, wait_for};
use crate::support::ground::allowing;
use crate::support::{REASON, World};

/// A member of `govdeck_bundler`.
const BUNDLER: &str = "packer";
/// Owns its target, and is in no group.
const OUTSIDER: &str = "mover";

const FORWARD: &str =
    "ALTER TABLE rebuilt.roads ADD COLUMN owner TEXT;\nUPDATE rebuilt.roads SET owner = 'ana';\n";
const ROLLBACK: &str = "ALTER TABLE rebuilt.roads DROP COLUMN owner;\n";
const RUN: &str = "PG-MIG-2026-03-01-01.migration.1";

fn superuser(world: &World, sql: &str) -> String {
    cluster()
        .psql(SUPERUSER, world.database(), sql)
        .unwrap_or_else(|error| panic!("{sql}: {error}"))
}

/// Prepares the program for lee, an operator, with bundles under another login.
fn as_lee(world: &World, login: &str, words: &[&str]) -> Command {
    let mut command = world.govdeck("lee", words);
    command.env("GOVDECK_BUNDLE_DSN", world.dsn_text(login));
    command
}

fn confirmed(world: &World, login: &str, words: &[&str]) -> Run {
    let shown = run(as_lee(world, login, &[words, &["--json"]].concat()));
    let phrase = document(&shown, 0, "act")["phrase"].clone();
    let phrase = phrase.as_str().expect("a phrase").to_owned();
    let answer = ["--confirm", &*phrase, "--reason", REASON];
    run(as_lee(world, login, &[words, &answer].concat()))
}

/// A deployment with the groups' rights that holds a table of another login, and a bundle for that which was merged; the
/// login is a person of this kind, or nobody.
async fn merged(login: &str, kind: Option<&str>, before: &str) -> World {
    static IS_MEMBER: OnceLock<()> = OnceLock::new();
    let world = crate::grants::world().await;
    people(&world).await;
    for login in [BUNDLER, OUTSIDER] {
        cluster().create_login(login);
    }
    IS_MEMBER.get_or_init(|| {
        superuser(&world, &format!("GRANT govdeck_bundler TO {BUNDLER}"));
    });
    superuser(
        &world,
        &format!(
            "CREATE SCHEMA rebuilt AUTHORIZATION {login}; SET ROLE {login}; \
             CREATE TABLE rebuilt.roads (id INTEGER PRIMARY KEY); INSERT INTO rebuilt.roads VALUES (1)"
        ),
    );
    superuser(&world, before);
    if let Some(kind) = kind {
        let asked = Asked::of(login)
            .with("name", "Packer")
            .with("login", login)
            .with("kind", kind);
        world.act("maya", "add_person", asked).await.expect("added");
    }
    let mut declaration = allowing(&["rebuilt.roads"], 1);
    declaration.scope.allowed_schemas = vec!["rebuilt".to_owned()];
    declaration.scope.protected_reference_tables.clear();
    declaration.approvals.reference = Some("ADR-7".to_owned());
    let folder = world.home.folder().join("postgis").join(ID);
    fs::create_dir_all(&folder).expect("the home is ours");
    let declaration = serde_json::to_string(&declaration).expect("JSON");
    for (name, text) in [
        ("migration.yml", &*declaration),
        ("forward.sql", FORWARD),
        ("rollback.sql", ROLLBACK),
        ("notes.md", "After the rollback the column is gone.\n"),
    ] {
        fs::write(folder.join(name), text).expect("the home is ours");
    }
    let folder = folder.to_str().expect("text");
    let words = "bundle plan FOLDER --environment dev --in-place --register";
    let words: Vec<_> = words.split(' ').collect();
    let words = words
        .into_iter()
        .map(|it| if it == "FOLDER" { folder } else { it });
    let registered = confirmed(&world, login, &words.collect::<Vec<_>>());
    assert!(
        said(&registered, 0).contains("register-bundle"),
        "{registered:?}"
    );
    approve(&world, ID, Tier::Dev).await.expect("approved");
    let merged = world.act("lee", "merge_bundle", Asked::of(ID)).await;
    merged.expect("merged");
    world
}

/// Lets lee claim the run, as a console does that dies then.
async fn claimed(world: &World) {
    let planned = world.rows("SELECT schema_fingerprint FROM bundle_plan");
    let asked = Asked::of(ID)
        .with("environment", "dev")
        .with("fingerprint", &*planned[0]);
    let claim = world.act("lee", "claim_bundle_run", asked).await;
    claim.expect("claimed");
}

/// Tells whether the column is there, how the run stands, and how far the bundle has come.
fn stands(world: &World) -> String {
    world.owner_sql(
        "SELECT (SELECT COUNT(*) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE c.relname = 'roads' AND a.attname = 'owner') \
         || ' ' || (SELECT outcome FROM bundle_run WHERE run_type = 'migration') || ' ' || (SELECT status FROM bundle)",
    )
}

/// Tells in whose name and under which login the newest run was ended, and whether one transaction made its change too.
fn ended(world: &World) -> String {
    superuser(
        world,
        "SELECT l.actor_id || ' ' || l.login || ' ' || CASE WHEN l.xmin = a.xmin THEN 'together' ELSE 'apart' END \
         FROM governance_ledger l, pg_attribute a JOIN pg_class c ON c.oid = a.attrelid \
         WHERE l.action = 'finish_bundle_run' AND c.relname = 'roads' AND a.attnum = 2 ORDER BY l.seq DESC LIMIT 1",
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_makes_a_change_and_ends_its_run_in_one_transaction() {
    let shadow = "CREATE TABLE rebuilt.bundle_run (run_id TEXT)";
    let world = merged(BUNDLER, Some("service"), shadow).await;
    // A table by the name of the ledger's comes first for this login.
    let shadows = format!(
        "ALTER ROLE {BUNDLER} IN DATABASE {} SET search_path = rebuilt, public",
        world.database()
    );
    superuser(&world, &shadows);
    let made = confirmed(
        &world,
        BUNDLER,
        &["bundle", "apply", ID, "--environment", "dev"],
    );
    let text = said(&made, 0);
    assert!(text.contains(": applied"), "{text}");
    assert!(text.contains("are one transaction"), "{text}");
    assert_eq!(stands(&world), "1 applied executed_dev");
    assert_eq!(ended(&world), format!("govdeck {BUNDLER} together"));
    let claims = "SELECT login FROM governance_ledger WHERE action = 'claim_bundle_run'";
    assert_eq!(world.rows(claims), ["lee"]);
    world.assert_sound().await;
    let back = confirmed(
        &world,
        BUNDLER,
        &["bundle", "rollback", ID, "--environment", "dev"],
    );
    assert!(said(&back, 0).contains("are one transaction"), "{back:?}");
    assert_eq!(stands(&world), "0 applied rolled_back");
    assert_eq!(ended(&world), format!("govdeck {BUNDLER} together"));
    world.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_killed_at_any_call_leaves_its_change_and_its_end_or_neither() {
    const CALLS: &str = "sendto";
    let first = merged(BUNDLER, Some("service"), "SELECT 1").await;
    claimed(&first).await;
    let (mut absent, mut whole) = (0, 0);
    let prepare = || {
        let world = wait_for(first.again());
        let command = as_lee(&world, BUNDLER, &["bundle", "run", RUN]);
        (world, command)
    };
    let points = kill_at_every(CALLS, prepare, |point, world, killed| {
        wait_for(world.assert_sound());
        match stands(&world).as_str() {
            "0 running merged" => absent += 1,
            "1 applied executed_dev" => {
                assert_eq!(ended(&world), format!("govdeck {BUNDLER} together"));
                whole += 1;
            }
            other => panic!("{point:?} left {other}"),
        }
        assert!(whole > 0 || killed.code != Some(0), "{point:?} said done");
    });
    println!("{points} points of {CALLS}: {absent} absent, {whole} whole");
    assert!(absent > 0 && whole > 0, "the commit was hit on both sides");
}

/// What cannot be sealed takes the change back with it, and whoever claimed the run ends it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_service_cannot_seal_leaves_nothing_but_a_receipt() {
    const STRAY: &str = "CREATE FUNCTION not_today() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not today'; END $$; \
         CREATE TRIGGER stray BEFORE UPDATE ON bundle_run FOR EACH ROW WHEN (NEW.outcome = 'applied') EXECUTE FUNCTION not_today()";
    let world = merged(BUNDLER, Some("service"), STRAY).await;
    claimed(&world).await;
    let made = run(as_lee(&world, BUNDLER, &["bundle", "run", RUN]));
    let text = said(&made, 1);
    assert!(text.contains(": failed"), "{text}");
    assert!(!text.contains("one transaction"), "{text}");
    assert_eq!(stands(&world), "0 failed merged");
    let ends = "SELECT login FROM governance_ledger WHERE action = 'finish_bundle_run'";
    assert_eq!(world.rows(ends), ["lee"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_that_may_not_end_runs_makes_the_change_and_the_claimant_ends_it() {
    for (login, kind) in [
        (BUNDLER, None),
        (BUNDLER, Some("human")),
        (OUTSIDER, Some("service")),
    ] {
        let world = merged(login, kind, "SELECT 1").await;
        claimed(&world).await;
        if kind == Some("human") {
            let no = ends_by_hand(&world, login).await;
            assert!(no.contains("lee claimed it"), "{no}");
        }
        let made = run(as_lee(&world, login, &["bundle", "run", RUN]));
        let text = said(&made, 0);
        assert!(text.contains("the change was kept first"), "{text}");
        assert_eq!(stands(&world), "1 applied executed_dev");
        assert_eq!(ended(&world), "govdeck lee apart", "{login} {kind:?}");
        world.assert_sound().await;
    }
}

/// Lets a login end lee's run past the command line, and returns what the rule says.
async fn ends_by_hand(world: &World, login: &str) -> String {
    let finding = actions::BundleFinding {
        outcome: RunOutcome::Failed,
        detail: None,
        receipt: receipt(world, &format!("{ID}.approval.1")).await,
        pre_sha256: None,
        post_sha256: None,
        diff_sha256: None,
    };
    let request = Request::by_rule(ByRule::FinishBundleRun {
        run: RUN.to_owned(),
        finding: Box::new(finding),
    });
    let account = OsAccount::named(login);
    let store = Store::open(&world.dsn(login), account, Access::Write).await;
    let store = store.expect("the store opens");
    let outcome = actions::carry_out(&store, request.expect("a request")).await;
    store.close().await;
    match outcome {
        Outcome::Refused(refusal) => refusal.sentence,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_login_of_a_service_ends_runs_and_does_nothing_else() {
    let world = merged(BUNDLER, Some("service"), "SELECT 1").await;
    claimed(&world).await;
    let (sentence, _) = refused(&writes_nothing(&world, BUNDLER, &["bundle", "run", RUN]), 1);
    assert!(sentence.contains("lee claimed"), "{sentence}");
    for words in [
        &["act", "roll-back-bundle", ID, "--environment", "dev"][..],
        &["act", "supersede-bundle", ID, "--by", ID],
        &["act", "grant-role", "kim", "--role", "on_call"],
        &["act", "register-footer", "v9.9.9"],
    ] {
        let answer = ["--confirm", "y", "--reason", REASON];
        let tried = writes_nothing(&world, BUNDLER, &[words, &answer].concat());
        assert_eq!(tried.code, Some(1), "{words:?}: {tried:?}");
    }
    let entry = |basis: &str, action: &str, actor: &str, login: &str| {
        format!(
            "INSERT INTO governance_ledger SELECT seq + 1, repeat('0', 32), '{action}', '{basis}', '{actor}', '{login}', attestation, \
             target_kind, target_id, target_version, state_hash, card_sha256, reason, change_count, evidence_count, at_utc, \
             clock_anomaly, hash, repeat('1', 64) FROM governance_ledger ORDER BY seq DESC LIMIT 1"
        )
    };
    for (sql, says) in [
        (
            "UPDATE bundle SET status = 'executed_dev'".to_owned(),
            "wall bundle",
        ),
        (
            format!("UPDATE bundle_run SET outcome = 'applied' WHERE run_id = '{RUN}'"),
            "wall bundle_run",
        ),
        (
            "UPDATE ledger_head SET seq = seq + 1".to_owned(),
            "wall ledger_head",
        ),
        (
            entry("person", "merge_bundle", "lee", "lee"),
            "wall governance_ledger",
        ),
        (
            entry("person", "merge_bundle", BUNDLER, BUNDLER),
            "wall governance_ledger",
        ),
        (
            entry("rule", "finish_bundle_run", "govdeck", "lee"),
            "wall governance_ledger",
        ),
        (
            "UPDATE person SET active = FALSE".to_owned(),
            "permission denied for table person",
        ),
        (
            "UPDATE bundle_plan SET version = version + 1".to_owned(),
            "permission denied for table bundle_plan",
        ),
        (
            "UPDATE governance_ledger SET reason = 'another'".to_owned(),
            "permission denied for table governance_ledger",
        ),
        (
            "INSERT INTO notification_outbox DEFAULT VALUES".to_owned(),
            "permission denied for table notification_outbox",
        ),
    ] {
        let no = world.sql_as(BUNDLER, &sql).expect_err("it is refused");
        assert!(no.contains(says), "{sql}: {no}");
    }
    assert_eq!(stands(&world), "0 running merged");
    world.assert_sound().await;
}
