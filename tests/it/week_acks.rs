//! Names under weekly runs: on which grounds, by whom, how they are taken back, and when they stop counting.

use std::fs;

use govdeck::actions::{self, Asked, Outcome};
use govdeck::canon::Digest;
use govdeck::jobs::outside;
use govdeck::rules::guard::Answer;
use govdeck::rules::week::RunStatus::{Fail, Pass};

use crate::support::command::run as run_command;
use crate::support::desk::Desk;
use crate::support::dictionary;
use crate::support::terminal::Terminal;
use crate::support::weeks::{both, run, week, week_with_diff_outside, world as weekly};
use crate::support::{REASON, World, on_both};

async fn ack(world: &World, person: &str, week: usize) -> Result<(), String> {
    let asked = Asked::of(run(week));
    world.act(person, "ack_run", asked).await.map(drop)
}

async fn signs_too(world: &World, person: &str) {
    let asked = Asked::of(person).with("role", "signer");
    let granted_by = if person == "maya" { "lee" } else { "maya" };
    world
        .act(granted_by, "grant_role", asked)
        .await
        .expect("granted");
}

on_both!(green_is_signed_once_by_each_signer, |world| {
    let world = weekly(world).await;
    week(&world, 0, Pass).await;
    let amber = ack(&world, "kim", 0).await.expect_err("refused");
    assert!(amber.contains("grounds: the series is amber"), "{amber}");
    week(&world, 1, Pass).await;
    let older = ack(&world, "kim", 0).await.expect_err("refused");
    assert!(older.contains("newest_run"), "{older}");
    let no_signer = ack(&world, "maya", 1).await.expect_err("refused");
    assert!(no_signer.contains("role"), "{no_signer}");
    ack(&world, "kim", 1).await.expect("signed");
    let twice = ack(&world, "kim", 1).await.expect_err("refused");
    assert!(twice.contains("not_signed: you have signed it"), "{twice}");
    assert_eq!(
        world
            .rows("SELECT signer_id || ' ' || ack_basis || ' ' || previous_run_id FROM signer_ack"),
        [format!("kim double_green {}", run(0))]
    );
    world.assert_sound().await;
});

on_both!(home_counts_the_names_that_are_owed, |world| {
    let world = weekly(world).await;
    week(&world, 0, Pass).await;
    week(&world, 1, Pass).await;
    let mut kim = Desk::open(&world, "kim").await;
    kim.shows(&["Waits for you · 1", &format!("sign {}", run(1))]);
    ack(&world, "kim", 1).await.expect("signed");
    kim.see().await;
    kim.shows(&["Waits for you · 0", "nothing waits for kim"]);
});

on_both!(whoever_ran_it_does_not_sign_it, |world| {
    let world = weekly(world).await;
    signs_too(&world, "lee").await;
    week(&world, 0, Pass).await;
    week(&world, 1, Pass).await;
    let ran = ack(&world, "lee", 1).await.expect_err("refused");
    assert!(ran.contains("another_person: lee ran it"), "{ran}");
    world.assert_sound().await;
});

on_both!(
    a_remediated_and_a_first_pass_are_signed_on_their_evidence,
    |world| {
        let world = weekly(world).await;
        week(&world, 0, Pass).await;
        both(&world, "declare_bootstrap", Asked::of(run(0)))
            .await
            .expect("declared");
        ack(&world, "kim", 0).await.expect("signed");
        week(&world, 1, Fail).await;
        week(&world, 2, Pass).await;
        let amber = ack(&world, "kim", 2).await.expect_err("refused");
        assert!(amber.contains("not attached"), "{amber}");
        let evidence = Asked::of(run(1))
            .with("id", "rem-1")
            .with("evidence", "ETL-77 fixed");
        world
            .act("lee", "attach_remediation", evidence)
            .await
            .expect("attached");
        ack(&world, "kim", 2).await.expect("signed");
        assert_eq!(
        world.rows("SELECT ack_basis || ' ' || COALESCE(bootstrap_series_id, '-') || ' ' || COALESCE(remediation_id, '-') FROM signer_ack ORDER BY job_run_id"),
        ["bootstrap sla -", "remediated - rem-1"]
    );
        world.assert_sound().await;
    }
);

on_both!(
    an_overridden_run_asks_for_others_than_those_who_overrode_it,
    |world| {
        let world = weekly(world).await;
        week(&world, 0, Fail).await;
        let packet = Asked::of(run(0)).with("audit", "aud-7");
        both(&world, "override_run", packet.clone())
            .await
            .expect("filed");
        let twice = both(&world, "override_run", packet)
            .await
            .expect_err("refused");
        assert!(twice.contains("none_yet"), "{twice}");
        ack(&world, "kim", 0).await.expect("signed");
        assert_eq!(
            world.rows("SELECT ack_basis || ' ' || override_audit_id FROM signer_ack"),
            ["override aud-7"]
        );
        let command = world.govdeck("maya", &["week", "show", &run(0)]);
        let shown = run_command(command);
        assert!(
            shown.stdout.contains("1 of 2 names count"),
            "{}",
            shown.stdout
        );
        world.assert_sound().await;
    }
);

on_both!(an_ack_is_taken_back_and_stays_known, |world| {
    let world = weekly(world).await;
    week(&world, 0, Pass).await;
    week(&world, 1, Pass).await;
    ack(&world, "kim", 1).await.expect("signed");
    let named = format!("{}/kim", run(1));
    let other = world
        .act("lee", "revoke_ack", Asked::of(&*named))
        .await
        .expect_err("refused");
    assert!(other.contains("may_revoke"), "{other}");
    world
        .act("kim", "revoke_ack", Asked::of(&*named))
        .await
        .expect("taken back");
    let again = world
        .act("maya", "revoke_ack", Asked::of(&*named))
        .await
        .expect_err("refused");
    assert!(again.contains("was revoked"), "{again}");
    let shown = run_command(world.govdeck("maya", &["week", "show", &run(1)]));
    assert!(shown.stdout.contains("REVOKED at"), "{}", shown.stdout);
    assert!(
        shown.stdout.contains("0 of 1 names count"),
        "{}",
        shown.stdout
    );
    world.assert_sound().await;
});

on_both!(a_name_over_an_altered_diff_is_on_older_evidence, |world| {
    let world = weekly(world).await;
    week(&world, 0, Pass).await;
    week(&world, 1, Pass).await;
    ack(&world, "kim", 1).await.expect("signed");
    let uri = world.rows(&format!(
        "SELECT artifact_uri FROM reconciliation_window WHERE job_run_id = '{}'",
        run(1)
    ));
    let sha256 = uri[0].trim_start_matches("sha256:").to_owned();
    let bytes = if world.is_postgres() { "BYTEA" } else { "BLOB" };
    world.tamper(
        "artifact",
        &format!("UPDATE artifact SET bytes = CAST('{{}}' AS {bytes}) WHERE sha256 = '{sha256}'"),
    );
    let shown = run_command(world.govdeck("maya", &["week", "show", &run(1)]));
    for said in [
        "DIFF CHANGED",
        "SIGNED ON OLDER EVIDENCE",
        "0 of 1 names count",
    ] {
        assert!(shown.stdout.contains(said), "{}", shown.stdout);
    }
    signs_too(&world, "lee").await;
    let refused = ack(&world, "kim", 1).await.expect_err("refused");
    assert!(refused.contains("diff_same"), "{refused}");
});

on_both!(
    a_diff_outside_the_database_is_hashed_before_it_is_signed,
    |world| {
        let world = weekly(world).await;
        // On SQLite the built program acts as the founder.
        let signer = if world.is_postgres() { "kim" } else { "maya" };
        if signer == "maya" {
            let asked = Asked::of("lee").with("role", "governance_lead");
            world
                .act("maya", "grant_role", asked)
                .await
                .expect("granted");
            signs_too(&world, "maya").await;
        }
        let root = world.home.folder().join("gov");
        let file = root.join("diff.json");
        fs::create_dir(&root).expect("made");
        fs::write(&file, "the diff").expect("written");
        week(&world, 0, Pass).await;
        let uri = format!("file:diff.json#sha256:{}", Digest::of(b"the diff"));
        week_with_diff_outside(&world, 1, &uri).await;
        let govdeck = |words: &[&str]| {
            let mut command = world.govdeck(signer, words);
            command.env("GOVDECK_GOVERNANCE_ROOT", &root);
            run_command(command)
        };
        let run = run(1);
        let why = || govdeck(&["why", "ack-run", &run]);
        let unseen = ack(&world, "kim", 1).await.expect_err("refused");
        assert!(
            unseen.contains("diff_same: diff.json was not hashed"),
            "{unseen}"
        );
        assert_eq!(why().code, Some(0), "{}", why().stdout);
        fs::write(&file, "another").expect("written");
        assert_eq!(why().code, Some(1), "{}", why().stdout);
        fs::remove_file(&file).expect("there");
        assert_eq!(why().code, Some(3), "{}", why().stdout);
        // What changes between the look and the signature is refused too.
        fs::write(&file, "the diff").expect("written");
        let store = world.store("kim").await;
        let verb = "ack_run";
        let seen = outside::seen(&store, &root, verb, &run).await;
        let mut asked = Asked::of(&*run);
        asked.prepared.extend(seen.expect("read"));
        let mut view = store.view().await.expect("a view");
        let proposal = actions::propose(&mut view, verb, asked).await;
        let proposal = proposal.expect("a proposal");
        drop(view);
        let answer = Answer {
            typed: proposal.phrase(),
            reason: Some(REASON.to_owned()),
        };
        let request = proposal.confirm(&answer).expect("confirmed");
        fs::write(&file, "another").expect("written");
        let request = outside::seen_again(&store, &root, request).await;
        let outcome = actions::carry_out(&store, request.expect("read")).await;
        store.close().await;
        let Outcome::Refused(refusal) = outcome else {
            panic!("{outcome:?}")
        };
        assert!(refusal.sentence.contains("diff_same"), "{refusal}");
        fs::write(&file, "the diff").expect("written");
        let confirmed = govdeck(&[
            "act",
            "ack-run",
            &run,
            "--confirm",
            &run,
            "--reason",
            REASON,
        ]);
        assert_eq!(
            confirmed.code,
            Some(0),
            "{}{}",
            confirmed.stdout,
            confirmed.stderr
        );
        assert_eq!(
            world.rows("SELECT COUNT(*) FROM ledger_artifact WHERE role = 'diff_seen'"),
            ["1"]
        );
        for (bytes, said) in [
            (Some("the diff"), ": counts"),
            (Some("another"), "SIGNED ON OLDER EVIDENCE"),
            (None, "CANNOT TELL, its diff was not read"),
        ] {
            match bytes {
                Some(bytes) => fs::write(&file, bytes).expect("written"),
                None => fs::remove_file(&file).expect("there"),
            }
            let shown = govdeck(&["week", "show", &run]);
            assert!(shown.stdout.contains(said), "{said}: {}", shown.stdout);
        }
        world.assert_sound().await;
    }
);

on_both!(evidence_attached_later_makes_a_name_older, |world| {
    let world = weekly(world).await;
    week(&world, 0, Fail).await;
    week(&world, 1, Pass).await;
    for id in ["rem-1", "rem-2"] {
        let evidence = Asked::of(run(0))
            .with("id", id)
            .with("evidence", "ETL-77 fixed");
        world
            .act("lee", "attach_remediation", evidence)
            .await
            .expect("attached");
        if id == "rem-1" {
            ack(&world, "kim", 1).await.expect("signed");
        }
    }
    let shown = run_command(world.govdeck("maya", &["week", "show", &run(1)]));
    assert!(
        shown.stdout.contains("SIGNED ON OLDER EVIDENCE"),
        "{}",
        shown.stdout
    );
    world.assert_sound().await;
});

/// What a session looks like on paper; time and hash of the entry are others each time.
fn transcript(raw: &[u8]) -> String {
    let text = String::from_utf8_lossy(raw).replace("\r\n", "\n");
    assert!(!text.contains(['\r', '\x1b']), "plain lines: {text:?}");
    let line = |line: &str| match line.split_once(". Ledger entry ") {
        Some((signed, entry)) => {
            let (seq, rest) = entry.split_once(" at ").expect("its time");
            assert!(rest.contains("Z, hash "), "{rest}");
            format!("{signed}. Ledger entry {seq} at 2098-05-12T06:…Z, hash …")
        }
        None => line.to_owned(),
    };
    let lines: Vec<String> = text.trim().lines().map(line).collect();
    format!("```text\n$ govdeck sign\n{}\n```", lines.join("\n"))
}

/// A signer's session, question by question, at a terminal.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signer_answers_plain_questions() {
    let world = weekly(World::sqlite().await).await;
    // On SQLite the built program acts as the founder, who signs here and runs nothing.
    let asked = Asked::of("lee").with("role", "governance_lead");
    world
        .act("maya", "grant_role", asked)
        .await
        .expect("granted");
    signs_too(&world, "maya").await;
    dictionary::released(&world).await;
    week(&world, 0, Pass).await;
    week(&world, 1, Pass).await;
    let other = &["sign", "--series", "slo"];
    let mut other = Terminal::start(&world.govdeck("maya", other), (120, 40));
    other.wait_for("there is no series \"slo\"");
    assert_eq!(other.exit_code(), 3);
    let begin = || Terminal::start(&world.govdeck("maya", &["sign"]), (120, 40));
    let mut no = begin();
    no.wait_for("Type yes or no:");
    no.send_raw(b"y\r");
    no.wait_for("Please type the whole word, yes or no:");
    no.send_raw(b"no\r");
    no.wait_for("Not signed");
    assert_eq!(no.exit_code(), 1);
    let mut left = begin();
    left.wait_for("Type yes or no:");
    left.send_raw(&[3]);
    left.wait_for("Left. A name is written after the last answer alone");
    assert_eq!(left.exit_code(), 3);
    let mut yes = begin();
    yes.wait_for("All of them are as close to each other as was agreed.");
    yes.wait_for("Breaches (MET-0144): leadership 94.5, partners 94.496; 0.004 apart");
    yes.wait_for("this week passed, and so did the one before");
    yes.wait_for("Type yes or no:");
    yes.send_raw(b"yes\r");
    yes.wait_for("why do you sign?");
    yes.send_raw(b"looks good\r");
    yes.wait_for("That has 10 characters");
    yes.send_raw(b"I compared both reports this morning\r");
    yes.wait_for("To put your name under it, type");
    yes.send_raw(b"another\r");
    yes.wait_for("type it as it stands here");
    yes.send_raw(format!("{}\r", run(1)).as_bytes());
    yes.wait_for("Signed: ");
    assert_eq!(yes.exit_code(), 0);
    crate::docs::assert_current("docs/weekly.md", &transcript(&yes.raw()));
    assert_eq!(world.rows("SELECT signer_id FROM signer_ack"), ["maya"]);
    let mut again = begin();
    again.wait_for("Nothing waits for your signature.");
    assert_eq!(again.exit_code(), 1);
    world.assert_sound().await;
}

/// What is not green says so, with whoever let it pass and whoever answers for its numbers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signer_is_told_what_is_not_green() {
    let world = weekly(World::postgres().await).await;
    week(&world, 0, Pass).await;
    week(&world, 1, Fail).await;
    let packet = Asked::of(run(1)).with("audit", "aud-7");
    both(&world, "override_run", packet).await.expect("filed");
    let mut sign = Terminal::start(&world.govdeck("kim", &["sign"]), (120, 40));
    sign.wait_for("1 of them are NOT as close to each other as was agreed.");
    sign.wait_for("1.5 apart, up to 1 was agreed: NOT FINE, maya answers for it");
    sign.wait_for("sla is AMBER: this week did not pass.");
    sign.wait_for("THIS WEEK IS NOT GREEN. lee and maya let it be signed all the same (aud-7):");
    sign.wait_for("You are kim, by your login to the database; no key signs.");
    sign.wait_for("Type yes or no:");
    sign.send_raw(b"yes\r");
    sign.wait_for("why do you sign?");
    // An empty answer is always a no.
    sign.send_raw(b"\r");
    sign.wait_for("Not signed");
    assert_eq!(sign.exit_code(), 1);
    assert_eq!(world.rows("SELECT COUNT(*) FROM signer_ack"), ["0"]);
}

/// Fifty signers at once: every one of them signs, each once, and the ledger holds.
mod fifty_signers_at_once {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn sqlite() {
        sign_all(World::sqlite().await).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn postgres() {
        sign_all(World::postgres().await).await;
    }

    async fn sign_all(world: World) {
        let world = std::sync::Arc::new(weekly(world).await);
        let signers: Vec<String> = (0..50).map(|number| format!("signer{number}")).collect();
        for signer in &signers {
            if world.is_postgres() {
                crate::support::cluster::cluster().create_login(signer);
                let grant = format!(
                    "GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO {signer}"
                );
                world.owner_sql(&grant);
            }
            let asked = Asked::of(&**signer).with("name", "Signer");
            world.act("maya", "add_person", asked).await.expect("added");
            signs_too(&world, signer).await;
        }
        week(&world, 0, Pass).await;
        week(&world, 1, Pass).await;
        let mut all = tokio::task::JoinSet::new();
        for signer in signers {
            let world = world.clone();
            all.spawn(async move { ack(&world, &signer, 1).await });
        }
        while let Some(signed) = all.join_next().await {
            signed.expect("it ends").expect("signed");
        }
        assert_eq!(world.rows("SELECT COUNT(*) FROM signer_ack"), ["50"]);
        world.assert_sound().await;
    }
}
