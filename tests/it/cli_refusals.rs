//! What went wrong once: damaged indexes, files of others, addresses in wrong places, results that nobody can read.

use std::fs;
use std::path::Path;

use crate::cli_kit::{at, files, govdeck, refused, said, writes_nothing};
use crate::support::cluster::{SUPERUSER, cluster};
use crate::support::command::{Home, Run, run};
use crate::support::{World, on_both, sqlite_shell};

#[test]
fn every_refusal_names_the_database() {
    let home = Home::new();
    let file = home.folder().join("x.db");
    let dsn = format!("sqlite:{}", file.display());
    let made: [fn(&Path); 3] = [
        |file| fs::write(file, "text, and not a database").expect("ours"),
        |file| fs::write(file, "").expect("ours"),
        |file| {
            fs::remove_file(file).expect("ours");
            sqlite_shell(file, "CREATE TABLE t (x)").expect("made");
        },
    ];
    for make in made {
        make(&file);
        let (sentence, _) = refused(&at(&home, &dsn, &["status"]), 3);
        assert!(sentence.contains("x.db"), "{sentence}");
    }
}

#[test]
fn an_unreachable_server_is_named() {
    let home = Home::new();
    let (sentence, _) = refused(&at(&home, "postgres://u@127.0.0.1:1/d", &["status"]), 3);
    assert!(sentence.contains("127.0.0.1:1"), "{sentence}");
}

#[test]
fn a_json_refusal_names_the_file() {
    let home = Home::new();
    fs::write(home.folder().join("input.json"), "{\"a\":1,\n\"a\":2}").expect("ours");
    for verb in [&["canon"][..], &["hash", "tuple"], &["hash", "keyset"]] {
        let (sentence, _) = refused(&run(home.govdeck(verb.iter().chain(&["input.json"]))), 2);
        assert!(
            sentence.starts_with("input.json") && sentence.contains("line "),
            "{sentence}"
        );
    }
}

on_both!(a_malformed_head_is_named, |world| {
    fs::write(world.home.folder().join("head.json"), "x").expect("ours");
    let run = govdeck(&world, "maya", &["ledger", "verify", "--head", "head.json"]);
    let (sentence, _) = refused(&run, 2);
    assert!(sentence.starts_with("head.json"), "{sentence}");
});

#[test]
fn nothing_is_left_beside_a_foreign_file() {
    let home = Home::new();
    let folder = home.folder().join("place");
    fs::create_dir(&folder).expect("ours");
    let file = folder.join("x.db");
    sqlite_shell(&file, "PRAGMA journal_mode = WAL; CREATE TABLE t (x)").expect("made");
    let before = files(&folder);
    for words in [
        &["status"][..],
        &["ledger", "verify"],
        &["gate", "publish", "r"],
        &["init"],
    ] {
        for _ in 0..5 {
            refused(&at(&home, &format!("sqlite:{}", file.display()), words), 3);
            assert_eq!(files(&folder), before, "{words:?}");
        }
    }
}

#[test]
fn a_file_of_one_byte_is_not_made_into_a_database() {
    let home = Home::new();
    fs::write(home.folder().join("x.db"), "x").expect("ours");
    refused(&at(&home, "sqlite:x.db", &["init"]), 3);
    assert_eq!(
        fs::read(home.folder().join("x.db")).expect("readable"),
        b"x"
    );
}

#[test]
fn an_address_in_the_wrong_place_is_not_repeated() {
    let home = Home::new();
    let dsn = "postgres://u:Kanarienvogel@127.0.0.1:1/d";
    for words in [
        &["status", dsn][..],
        &[dsn],
        &["init", dsn],
        &["init", "--environment", dsn],
        &["--config", dsn, "status"],
        &["config", dsn],
        &["--dsn", "sqlite:a.db", "gate", dsn, "r-1"],
    ] {
        let run = run(home.govdeck(words));
        assert_eq!(run.code, Some(2));
        assert!(
            !(run.stdout + &run.stderr).contains("Kanarienvogel"),
            "{words:?}"
        );
    }
}

#[test]
fn a_misused_command_line_gets_one_sentence_and_a_hint() {
    let home = Home::new();
    for words in [
        &["act", "add-person", "bob"][..],
        &["no-such-verb"],
        &["gate", "publish"],
        &["ledger", "show", "x"],
    ] {
        refused(&run(home.govdeck(words)), 2);
    }
}

on_both!(an_action_may_be_written_with_underscores, |world| {
    for name in ["add-person", "add_person"] {
        said(
            &govdeck(
                &world,
                "maya",
                &["act", name, "bob", "--name", "Bob", "--dry-run"],
            ),
            0,
        );
        said(
            &govdeck(&world, "maya", &["why", name, "bob", "--name", "Bob"]),
            0,
        );
    }
});

#[test]
fn a_server_database_of_another_program_is_not_called_empty() {
    let home = Home::new();
    cluster().create_database("cli_foreign", None, SUPERUSER);
    cluster()
        .psql(
            SUPERUSER,
            "cli_foreign",
            "CREATE TABLE person (x text); CREATE TABLE invoices (x text)",
        )
        .expect("made");
    let (sentence, _) = refused(
        &at(&home, &cluster().url(SUPERUSER, "cli_foreign"), &["status"]),
        3,
    );
    assert!(!sentence.contains("empty"), "{sentence}");
}

on_both!(a_newer_schema_is_said_to_whoever_looks, |world| {
    world.owner_sql(
        "INSERT INTO govdeck_migrations (version, description, installed_on, success, checksum, execution_time) \
         SELECT 4711, 'x', installed_on, success, checksum, execution_time FROM govdeck_migrations WHERE version = 1",
    );
    let run = govdeck(&world, "maya", &["status"]);
    assert!((run.stdout + &run.stderr).contains("4711"));
});

#[test]
fn a_file_that_was_there_becomes_private() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new();
    let path = home.folder().join("x.db");
    fs::write(&path, "").expect("ours");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("ours");
    said(&at(&home, "sqlite:x.db", &["init"]), 0);
    assert_eq!(
        fs::metadata(&path).expect("there").permissions().mode() & 0o777,
        0o600
    );
}

on_both!(a_full_disk_for_the_output_is_no_pass, |world| {
    let mut command = world.govdeck("maya", &["ledger", "head"]);
    let full = fs::File::options()
        .write(true)
        .open("/dev/full")
        .expect("there is one");
    let ended = Run::from(command.stdout(full).output().expect("it starts"));
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(!ended.stderr.is_empty(), "nothing says why");
});

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_differs_from_its_index_is_found() {
    let world = World::sqlite().await;
    world.owner_sql("PRAGMA wal_checkpoint(TRUNCATE)");
    let whole = fs::read(world.file()).expect("readable");
    let home = Home::new();
    let file = home.folder().join("x.db");
    for sql in [
        "SELECT sha256 FROM artifact",
        "SELECT deployment_id FROM deployment",
    ] {
        let keys = world.owner_sql(sql);
        for key in keys.lines().map(str::as_bytes) {
            for place in
                (0..whole.len() - key.len()).filter(|place| whole[*place..].starts_with(key))
            {
                let mut flipped = whole.clone();
                flipped[place + 20] ^= 1;
                fs::write(&file, &flipped).expect("ours");
                let run = at(
                    &home,
                    &format!("sqlite:{}", file.display()),
                    &["ledger", "verify"],
                );
                assert!(
                    matches!(run.code, Some(1 | 3)),
                    "{sql}, byte {place}: {run:?}"
                );
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_no_text_is_named_and_decides_nothing() {
    // STRICT looks at types, not at bytes. PostgreSQL takes no such text.
    let world = World::sqlite().await;
    world.register_footer().await;
    let hash = "a".repeat(64);
    for run in ["r-1", "r-2"] {
        world.mint(run, Some(&hash), Some(&hash)).expect("minted");
    }
    for column in [
        "publish_scope",
        "source_tuple_hash",
        "footer_schema_semver",
        "source_ref",
    ] {
        let set = |value: &str| {
            let sql = format!(
                "UPDATE publish_snapshots SET {column} = {value} WHERE publish_run_id = 'r-1'"
            );
            world.sql(&sql).expect("a pipeline may write while pending");
        };
        let good = world.owner_sql(&format!(
            "SELECT quote({column}) FROM publish_snapshots WHERE publish_run_id = 'r-1'"
        ));
        set("CAST(x'61ff62' AS TEXT)");
        let run = writes_nothing(&world, "maya", &["gate", "publish", "r-1"]);
        let (sentence, hint) = refused(&run, 3);
        assert!(
            sentence.starts_with(&format!(
                "publish_snapshots r-1: column {column} cannot be read: invalid utf-8"
            )),
            "{sentence}"
        );
        assert!(hint.starts_with("mint the run anew"), "{hint}");
        said(&govdeck(&world, "maya", &["status"]), 0);
        set(&good);
    }
    // Nobody else is held up, and a run that was put right is decided.
    for run in ["r-2", "r-1"] {
        let decided = govdeck(&world, "maya", &["gate", "publish", run]);
        assert_eq!(said(&decided, 0), format!("PASS {run}\n"));
    }
    world.assert_sound().await;
}

on_both!(an_artifact_of_another_type_or_time_is_found, |world| {
    world.tamper("artifact", "UPDATE artifact SET media_type = 'text/html'");
    said(&govdeck(&world, "maya", &["ledger", "verify"]), 1);
});
