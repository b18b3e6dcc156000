//! A place that holds no usable database: one sentence, one hint, an exit code that no script takes for a pass, and
//! nothing written there.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use govdeck::actions::Asked;
use govdeck::store::tables::{Kind, TABLES};
use govdeck::store::{OsAccount, schema};
use nix::unistd::{User, geteuid};

use crate::cli_kit::{
    LOOKS, WRITES, all_verbs, at, contents, fifo, files, govdeck, refused, said, writes_nothing,
};
use crate::support::cluster::cluster;
use crate::support::command::{Home, run};
use crate::support::{World, on_both, rounds, sqlite_shell};

/// A file in a folder of its own, so that anything left beside it shows.
fn place(home: &Home) -> std::path::PathBuf {
    let folder = home.folder().join("place");
    fs::create_dir(&folder).expect("the home is ours");
    folder.join("x.db")
}

/// Every verb refuses the file, and leaves it and its folder as they are.
fn refused_by_all(home: &Home, file: &Path, verbs: &[&[&str]], what: &str) {
    let folder = file.parent().expect("a folder");
    let before = files(folder);
    let dsn = format!("sqlite:{}", file.display());
    for words in verbs {
        let (sentence, _) = refused(&at(home, &dsn, words), 3);
        assert!(sentence.contains(what), "{words:?}: {sentence}");
        assert_eq!(files(folder), before, "{words:?}");
    }
}

/// Bytes that look like nothing, the same each time.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 7_u64;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        state.to_be_bytes()[0]
    };
    (0..length).map(|_| next()).collect()
}

#[test]
fn garbage_is_no_database() {
    let home = Home::new();
    let file = place(&home);
    let text = b"publish_run_id,status\nr-1,gate_passed\n".repeat(40);
    for bytes in [noise(20_000), noise(3), text, vec![0; 8_192]] {
        fs::write(&file, bytes).expect("the home is ours");
        refused_by_all(&home, &file, &all_verbs(), "no SQLite database");
    }
}

#[test]
fn a_database_of_another_program_is_left_alone() {
    let home = Home::new();
    let file = place(&home);
    sqlite_shell(
        &file,
        "CREATE TABLE person (name TEXT); INSERT INTO person VALUES ('x')",
    )
    .expect("made");
    refused_by_all(&home, &file, &all_verbs(), "another program");
    sqlite_shell(
        &file,
        "PRAGMA application_id = 77; DROP TABLE person; VACUUM",
    )
    .expect("made");
    refused_by_all(&home, &file, &all_verbs(), "another program");
}

#[test]
fn an_empty_file_is_no_pass() {
    let home = Home::new();
    let file = place(&home);
    fs::write(&file, "").expect("the home is ours");
    let verbs: Vec<_> = LOOKS.into_iter().chain(WRITES).collect();
    refused_by_all(&home, &file, &verbs, "holds no deployment");
}

#[test]
fn what_is_no_file_is_refused_by_name() {
    let home = Home::new();
    let file = place(&home);
    let name = file.display().to_string();
    fs::create_dir(&file).expect("the home is ours");
    refused_by_all(&home, &file, &all_verbs(), &name);
    fs::remove_dir(&file).expect("it is empty");
    fifo(&file);
    refused_by_all(&home, &file, &all_verbs(), &name);
    fs::remove_file(&file).expect("the home is ours");
    symlink(&file, &file).expect("the home is ours");
    refused_by_all(&home, &file, &all_verbs(), &name);
}

#[test]
fn a_missing_file_is_not_made_by_looking() {
    let home = Home::new();
    let file = place(&home);
    let verbs: Vec<_> = LOOKS.into_iter().chain(WRITES).collect();
    let name = file.display().to_string();
    refused_by_all(&home, &file, &verbs, &name);
    symlink("nowhere.db", &file).expect("the home is ours");
    refused_by_all(&home, &file, &verbs, &name);
}

#[test]
fn a_path_below_a_file_is_refused_by_name() {
    let home = Home::new();
    let file = place(&home);
    fs::write(&file, "").expect("the home is ours");
    let below = file.join("y.db");
    for words in all_verbs() {
        let (sentence, _) = refused(&at(&home, &format!("sqlite:{}", below.display()), words), 3);
        assert!(
            sentence.contains(&below.display().to_string()),
            "{sentence}"
        );
    }
    assert_eq!(fs::read(&file).expect("readable"), b"");
}

/// A copy of a world's whole database as one file.
fn copied(world: &World) -> Vec<u8> {
    world.owner_sql("PRAGMA wal_checkpoint(TRUNCATE)");
    fs::read(world.file()).expect("readable")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_truncated_database_is_never_green() {
    let world = World::sqlite().await;
    world.block("r-1").await;
    let whole = copied(&world);
    let home = Home::new();
    let file = place(&home);
    let dsn = format!("sqlite:{}", file.display());
    for length in [
        2,
        99,
        100,
        4_095,
        4_096,
        20_480,
        whole.len() / 2,
        whole.len() - 4_096,
        whole.len() - 1,
    ] {
        fs::write(&file, &whole[..length]).expect("the home is ours");
        for words in [
            &["ledger", "verify"][..],
            &["gate", "publish", "r-1"],
            &["status"],
            &["init"],
        ] {
            let run = at(&home, &dsn, words);
            // Where a few bytes of the last page are missing, there is enough left to look, but not to verify.
            let looked = whole.len() - length < 4_096 && matches!(words, ["status" | "init"]);
            assert!(
                matches!(run.code, Some(1 | 3)) || looked,
                "{length} {words:?}: {run:?}"
            );
            let found = run.stdout.starts_with("BAD ");
            assert!(found || looked || refused(&run, 3).1.len() > 1);
            assert!(
                fs::read(&file).expect("readable") == whole[..length],
                "{words:?} wrote"
            );
        }
    }
}

/// The tables that the ledger answers for whole, as the `sqlite3` shell reads them.
fn governed(file: &Path) -> Result<String, String> {
    let kinds = [Kind::Governed, Kind::Ledger];
    let tables = TABLES
        .iter()
        .filter(|table| kinds.contains(&table.kind) && table.name != "artifact");
    let dump: Vec<String> = tables
        .map(|table| format!(".dump {}", table.name))
        .collect();
    sqlite_shell(file, &dump.join("\n"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_byte_in_governed_content_is_found() {
    let world = World::sqlite().await;
    world.block("r-1").await;
    let whole = copied(&world);
    let home = Home::new();
    let file = place(&home);
    let dsn = format!("sqlite:{}", file.display());
    fs::write(&file, &whole).expect("the home is ours");
    said(&at(&home, &dsn, &["ledger", "verify"]), 0);
    let untouched = governed(&file).expect("readable");
    let filled: Vec<usize> = (100..whole.len())
        .filter(|place| whole[*place] != 0)
        .collect();
    let rounds = usize::try_from(rounds()).expect("few").min(filled.len());
    let mut found = 0;
    for round in 0..rounds {
        let place = filled[round * filled.len() / rounds];
        let mut flipped = whole.clone();
        flipped[place] ^= 1 << (round % 8);
        fs::write(&file, &flipped).expect("the home is ours");
        let run = at(&home, &dsn, &["ledger", "verify"]);
        match run.code {
            // A key that its index still holds intact is read from there: the shell's own check tells these.
            Some(0) => assert!(
                governed(&file).as_ref() == Ok(&untouched)
                    || sqlite_shell(&file, "PRAGMA integrity_check").as_deref() != Ok("ok"),
                "green after byte {place} was changed: {}",
                run.stdout
            ),
            Some(1) => assert!(run.stdout.starts_with("BAD "), "{run:?}"),
            _ => drop(refused(&run, 3)),
        }
        found += usize::from(run.code != Some(0));
        for suffix in ["-wal", "-shm"] {
            fs::remove_file(format!("{}{suffix}", file.display())).ok();
        }
    }
    assert!(found > rounds / 4, "only {found} of {rounds} were found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_byte_in_a_name_or_a_card_is_named() {
    let world = World::sqlite().await;
    let whole = copied(&world);
    let home = Home::new();
    let file = place(&home);
    let dsn = format!("sqlite:{}", file.display());
    let mut hits = 0;
    // A display name, its after-image, the deployment's name and the word in a decision card.
    for needle in [
        &b"Kim"[..],
        b"\"display_name\":\"Kim\"",
        b"gov-test",
        b"govdeck.card.v1",
        b"establish",
    ] {
        for place in
            (0..whole.len() - needle.len()).filter(|place| whole[*place..].starts_with(needle))
        {
            let mut flipped = whole.clone();
            flipped[place + needle.len() / 2] ^= 2;
            fs::write(&file, &flipped).expect("the home is ours");
            let run = at(&home, &dsn, &["ledger", "verify"]);
            assert!(matches!(run.code, Some(1 | 3)), "byte {place}: {run:?}");
            hits += 1;
        }
    }
    assert!(hits >= 8, "only {hits} places");
}

on_both!(
    a_schema_of_the_future_is_looked_at_and_never_written,
    |world| {
        world.block("r-1").await;
        world.mint("r-2", None, None).expect("minted");
        world.owner_sql(
        "INSERT INTO govdeck_migrations (version, description, installed_on, success, checksum, execution_time) \
         SELECT 4711, 'from the future', installed_on, success, checksum, execution_time FROM govdeck_migrations WHERE version = 1",
    );
        for words in [
            &["status"][..],
            &["ledger", "head"],
            &["ledger", "show"],
            &["artifact", "list"],
            &["why", "take-block", "r-1"],
            &["act", "take-block", "r-1", "--dry-run"],
        ] {
            let run = writes_nothing(&world, "maya", words);
            assert_eq!(run.code, Some(0), "{run:?}");
            assert_eq!(
                run.stderr,
                format!(
                    "warning: the database has schema 4711, this program knows only {}: it may only look\n",
                    schema::latest()
                )
            );
        }
        for words in [
            &["act", "take-block", "r-1", "--confirm", "y"][..],
            &["gate", "publish", "r-2"],
            &["init"],
        ] {
            let (sentence, hint) = refused(&writes_nothing(&world, "maya", words), 3);
            assert!(sentence.contains("schema 4711"), "{sentence}");
            assert!(hint.contains("upgrade govdeck"), "{hint}");
        }
    }
);

on_both!(an_older_schema_asks_for_init, |world| {
    world.owner_sql("UPDATE govdeck_migrations SET version = version - 4711");
    for words in [
        &["status"][..],
        &["ledger", "verify"],
        &["gate", "publish", "r-1"],
    ] {
        let (sentence, hint) = refused(&writes_nothing(&world, "maya", words), 3);
        assert!(sentence.contains("this program needs"), "{sentence}");
        assert!(hint.contains("govdeck init"), "{hint}");
    }
});

/// What undoes every migration after the first, so that the first schema is left as it was.
const BACK_TO_THE_FIRST: &str = "DROP TABLE dual_write_walk; DROP TABLE drill_record; DROP TABLE notification_delivery; DROP TABLE block_sla_mark; DROP TABLE agent_job; DROP TABLE agent_lease; DROP INDEX publish_replay_audit_open; \
     DROP INDEX notification_outbox_by_entry; DROP TABLE migration_complete_event; DROP TABLE migration_signoff; DROP TABLE cutover_step; DROP TABLE cutover_hour; DROP TABLE cutover_plan; DROP TABLE migration_notice; DROP TABLE redeploy_task; DROP TABLE exporter_fingerprint; DROP TABLE dual_write_scan_metric; DROP TABLE dual_write_scan; DROP TABLE governance_metric_dictionary_current; DROP TABLE deficiency; \
     DROP TABLE protected_metric; DROP TABLE dictionary_column_pair; DROP TABLE calendar_window; DROP TABLE allowlist_approval; DROP TABLE exporter_allowlist; DROP TABLE gate_override; \
     DROP TABLE migration_evidence; DROP TABLE gate_owner_route; DROP TABLE dictionary_migration_event; DROP TABLE dictionary_migration_state; \
     DROP TABLE bundle_run; DROP TABLE bundle_plan; DROP TABLE bundle; DROP TABLE run_manifest; DROP TABLE faq_rows; DROP TABLE partner_annex_view; DROP TABLE variance_check; \
     DROP TABLE bind_proof; DROP TABLE bind_query; DROP TABLE metric_dictionary; DROP TABLE dictionary_release; \
     DROP INDEX publish_snapshots_by_tuple; DROP TABLE signer_ack_revocation; DROP TABLE signer_ack; DROP TABLE override_annex; DROP TABLE override_packet; \
     DROP TABLE remediation_evidence; DROP TABLE bootstrap_declaration; DROP TABLE reconciliation_incident; DROP TABLE reconciliation_metric; \
     DROP TABLE reconciliation_window; DROP TABLE reconciliation_series; DROP TABLE epsilon_policy; DROP TABLE publish_leaf; DROP INDEX governance_ledger_by_actor; DROP INDEX governance_ledger_by_approver; DROP INDEX route_change_one_pends; DROP INDEX publish_replay_audit_by_time; \
     DROP INDEX publish_snapshots_pending; DROP INDEX publish_snapshots_passed; DROP INDEX publish_replay_audit_passed; \
     ALTER TABLE publish_replay_audit DROP COLUMN last_note; ALTER TABLE publish_replay_audit DROP COLUMN progress_at_utc; \
     DROP TABLE approval_request; DROP TABLE attestation_policy; DROP TABLE person_key; \
     ALTER TABLE governance_ledger DROP COLUMN approved_by; DELETE FROM govdeck_migrations WHERE version > 1";

on_both!(
    an_older_database_is_upgraded_and_keeps_its_ledger,
    |world| {
        world.block("r-1").await;
        let before = world.rows("SELECT hash FROM governance_ledger ORDER BY seq");
        let away = if world.is_postgres() {
            "DO $$ DECLARE t record; BEGIN FOR t IN SELECT tgname, tgrelid::regclass AS of_table FROM pg_trigger \
         WHERE NOT tgisinternal LOOP EXECUTE format('DROP TRIGGER %I ON %s', t.tgname, t.of_table); END LOOP; END $$;"
            .to_owned()
        } else {
            world.owner_sql(
                "SELECT 'DROP TRIGGER ' || name || ';' FROM sqlite_master WHERE type = 'trigger'",
            )
        };
        world.owner_sql(&format!("{away} {BACK_TO_THE_FIRST}"));
        let (sentence, hint) = refused(&govdeck(&world, "maya", &["status"]), 3);
        assert!(
            sentence.contains("has schema 1, this program needs"),
            "{sentence}"
        );
        assert!(hint.contains("govdeck init"), "{hint}");
        let upgraded = govdeck(&world, "maya", &["init"]);
        let upgraded = said(&upgraded, 0);
        assert!(upgraded.starts_with("upgraded:"), "{upgraded}");
        assert_eq!(
            world.rows("SELECT hash FROM governance_ledger ORDER BY seq"),
            before
        );
        world
            .act(
                "maya",
                "grant_role",
                Asked::of("kim").with("role", "signer"),
            )
            .await
            .expect("it goes on");
        world.assert_sound().await;
    }
);

on_both!(a_lost_history_is_not_made_up, |world| {
    world.owner_sql("DELETE FROM govdeck_migrations");
    for words in [&["status"][..], &["ledger", "verify"], &["init"]] {
        let (sentence, _) = refused(&writes_nothing(&world, "maya", words), 3);
        assert!(sentence.contains("has lost its history"), "{sentence}");
    }
});

async fn half_made(dsn: &str) -> Home {
    let dsn = govdeck::settings::Dsn::parse(dsn).expect("a DSN");
    let account = OsAccount::of_this_process().expect("an account");
    let (store, _) = schema::prepare(&dsn, account).await.expect("prepared");
    store.close().await;
    let home = Home::new();
    for words in LOOKS.into_iter().chain(WRITES) {
        let (sentence, hint) = refused(&at(&home, dsn.expose(), words), 3);
        assert!(sentence.contains("never finished"), "{sentence}");
        assert!(hint.contains("govdeck init"), "{hint}");
    }
    said(&at(&home, dsn.expose(), &["init"]), 0);
    said(&at(&home, dsn.expose(), &["ledger", "verify"]), 0);
    home
}

#[tokio::test(flavor = "multi_thread")]
async fn a_half_made_file_is_no_pass_and_init_finishes_it() {
    let home = Home::new();
    half_made(&format!("sqlite:{}", place(&home).display())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_half_made_server_database_is_no_pass_and_init_finishes_it() {
    cluster().create_login("maya");
    cluster().create_database("half_made", None, "maya");
    half_made(&cluster().url("maya", "half_made")).await;
}

/// Runs as somebody whom permission bits hold: root is nobody for this.
fn unprivileged(home: &Home, words: &[&str]) -> Command {
    let program = home.govdeck(words);
    if !geteuid().is_root() {
        return program;
    }
    let nobody = User::from_name("nobody")
        .expect("a password database")
        .expect("nobody");
    let mut command = home.command(Path::new("setpriv"));
    command
        .arg(format!("--reuid={}", nobody.uid))
        .arg(format!("--regid={}", nobody.gid))
        .arg("--clear-groups")
        .arg(program.get_program())
        .args(program.get_args());
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn permission_bits_are_respected() {
    let world = World::sqlite().await;
    world.mint("r-1", None, None).expect("minted");
    let whole = copied(&world);
    let home = Home::new();
    fs::set_permissions(home.folder(), Permissions::from_mode(0o755)).expect("ours");
    let file = place(&home);
    let folder = file.parent().expect("a folder");
    fs::write(&file, whole).expect("the home is ours");
    for (mode, verbs) in [(0o000, all_verbs()), (0o444, WRITES.to_vec())] {
        fs::set_permissions(&file, Permissions::from_mode(mode)).expect("ours");
        fs::set_permissions(folder, Permissions::from_mode(0o555)).expect("ours");
        let before = fs::metadata(&file)
            .expect("there")
            .modified()
            .expect("a time");
        for words in verbs {
            let mut command = unprivileged(&home, words);
            command.env("GOVDECK_DSN", format!("sqlite:{}", file.display()));
            command.env("GOVDECK_LOG_LEVEL", "off");
            let run = run(command);
            assert!(
                matches!(run.code, Some(1 | 3)),
                "{mode:o} {words:?}: {run:?}"
            );
            refused(&run, run.code.expect("a code"));
        }
        assert_eq!(
            fs::metadata(&file)
                .expect("there")
                .modified()
                .expect("a time"),
            before
        );
        assert_eq!(fs::read_dir(folder).expect("a folder").count(), 1);
        fs::set_permissions(folder, Permissions::from_mode(0o755)).expect("ours");
    }
}

#[test]
fn a_malformed_address_is_bad_input() {
    let home = Home::new();
    for dsn in [
        "x.db",
        "mysql://u@h/d",
        "sqlite:",
        "sqlite::memory:",
        "sqlite:x?mode=ro",
        "postgres:u@h/d",
        "postgres://u@h:0/d",
        "postgres://u@h/d?sslmode=on",
        " ",
    ] {
        for words in [&["status"][..], &["gate", "publish", "r-1"], &["init"]] {
            let (sentence, _) = refused(&at(&home, dsn, words), 2);
            assert!(sentence.contains("GOVDECK_DSN"), "{sentence}");
            let mut words = words.to_vec();
            words.extend(["--dsn", dsn]);
            let (sentence, _) = refused(&run(home.govdeck(words)), 2);
            assert!(sentence.contains("--dsn"), "{sentence}");
        }
    }
}

on_both!(init_a_second_time_changes_nothing, |world| {
    world.block("r-1").await;
    let before = contents(&world);
    let printed = said(
        &govdeck(
            &world,
            "maya",
            &["init", "--name", "other", "--founder", "eve"],
        ),
        0,
    )
    .to_owned();
    assert!(printed.starts_with("unchanged: "), "{printed}");
    assert_eq!(contents(&world), before);
});
