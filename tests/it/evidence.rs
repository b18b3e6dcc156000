//! Evidence for strangers: what an export holds, that it checks itself with the distribution's own tools, and that no
//! tampering with it goes unseen.

use std::fs;
use std::path::{Path, PathBuf};

use govdeck::actions::{self, Asked, Outcome};
use govdeck::clock::Moment;
use govdeck::rules::guard::Answer;

use crate::cli_kit::{document, govdeck, mode, refused, said, sha256, with};
use crate::support::command::{Home, Run, run};
use crate::support::{World, on_both, sealed};

fn bypass(id: &str) -> Asked {
    let expires = Moment::on_this_workstation().plus_minutes(2 * 24 * 60);
    Asked::of(id)
        .with("freeze", "fz-31")
        .with("expires", expires.to_string())
}

/// A signed grant, a bypass that two signed, a revoked key, and unsigned entries around them.
async fn story(world: World) -> World {
    let world = world.where_two_can_agree().await;
    let old = world.with_key("maya", "old").await;
    let mayas = world.with_key("maya", "mayas").await;
    let lees = world.with_key("lee", "lees").await;
    let role = |person: &str, role: &str| Asked::of(person).with("role", role);
    world
        .act("maya", "grant_role", role("lee", "engineering_lead"))
        .await
        .expect("granted");
    world
        .act_signed("maya", "grant_role", role("kim", "signer"), &old)
        .await
        .expect("granted");
    let fingerprint = world.public("old").fingerprint();
    world
        .act("maya", "revoke_key", Asked::of(fingerprint))
        .await
        .expect("revoked");
    world
        .act_signed("maya", "bypass_freeze", bypass("chg-1"), &mayas)
        .await
        .expect("proposed");
    let ticket = world.rows("SELECT ticket FROM approval_request").remove(0);
    world
        .act_signed("lee", "approve", Asked::of(ticket), &lees)
        .await
        .expect("approved");
    world
}

/// Runs a script where the home is.
pub fn shell(home: &Home, script: &str) -> Run {
    let mut command = home.command(Path::new("sh"));
    command.args(["-c", script]);
    run(command)
}

/// Exports, unpacks with `tar`, and returns the folder.
pub fn exported(world: &World, name: &str, more: &[&str]) -> PathBuf {
    let file = format!("{name}.tar");
    let words = [&["evidence", "export", "--to", file.as_str()], more].concat();
    said(&govdeck(world, "maya", &words), 0);
    let unpacked = shell(
        &world.home,
        &format!("mkdir {name} && tar -x -f {name}.tar -C {name}"),
    );
    assert_eq!((unpacked.code, &*unpacked.stderr), (Some(0), ""));
    world.home.folder().join(name)
}

/// Finds an entry's name in the archive.
fn name_of(world: &World, condition: &str) -> String {
    let found = world.rows(&format!(
        "SELECT MIN(seq) FROM governance_ledger WHERE {condition}"
    ));
    format!("{:0>8}", found[0])
}

on_both!(a_stranger_verifies_an_export, |world| {
    let world = story(world).await;
    let words = [
        "evidence", "export", "--to", "all.tar", "--json", "--from", "1",
    ];
    let run = govdeck(&world, "maya", &words);
    let page = document(&run, 0, "evidence-export");
    let archive = fs::read(world.home.folder().join("all.tar")).expect("there");
    assert_eq!(page["path"], "all.tar");
    assert_eq!(page["sha256"], sha256(&archive));
    assert_eq!(page["size"], archive.len());
    let count = |sql: &str| world.rows(sql)[0].parse::<u64>().expect("a number");
    assert_eq!(
        page["entries"],
        count("SELECT COUNT(*) FROM governance_ledger")
    );
    assert_eq!((&page["signatures"], &page["keys"]), (&3.into(), &3.into()));
    assert_eq!(mode(&world.home.folder().join("all.tar")), 0o600);

    let folder = exported(&world, "there", &[]);
    let read = |name: &str| fs::read(folder.join(name)).expect("there");
    for seq in 1..=count("SELECT COUNT(*) FROM governance_ledger") {
        let row = |column: &str| {
            world
                .rows(&format!(
                    "SELECT {column} FROM governance_ledger WHERE seq = {seq}"
                ))
                .remove(0)
        };
        assert_eq!(
            sha256(&read(&format!("entries/{seq:08}.json"))),
            row("hash")
        );
        assert_eq!(
            sha256(&read(&format!("cards/{seq:08}.json"))),
            row("card_sha256")
        );
    }
    let verified = shell(&world.home, "sh there/verify.sh");
    assert_eq!(
        (verified.code, &*verified.stderr),
        (Some(0), ""),
        "{verified:?}"
    );
    assert!(verified.stdout.contains("\n3 signatures verified\n"));

    // The recipe of the README, by hand.
    let signed = name_of(&world, "action = 'bypass_freeze'");
    let by_hand = shell(
        &world.home,
        &format!(
            "cd there && time=$(grep -P '\\tlee\\t' signers.tsv | tail -n 1 | cut -f 3) && ssh-keygen -Y verify \
             -f allowed_signers -I lee -n govdeck -s signatures/{signed}.sig -O verify-time=$time < cards/{signed}.json"
        ),
    );
    assert!(
        by_hand
            .stdout
            .starts_with("Good \"govdeck\" signature for lee with ED25519 key SHA256:"),
        "{by_hand:?}"
    );
    assert!(
        folder
            .join(format!("evidence/{signed}.approval.json"))
            .exists()
    );
    let asked = name_of(&world, "action = 'ask_approval'");
    assert!(
        folder
            .join(format!("evidence/{asked}.proposed.json"))
            .exists()
    );
});

on_both!(two_exports_of_the_same_are_the_same_bytes, |world| {
    let world = story(world).await;
    let one = fs::read(exported(&world, "one", &[]).with_extension("tar")).expect("there");
    let again = Home::new();
    let path = again.folder().join("two.tar");
    // Whoever else may look gets the same.
    let other = if world.is_postgres() { "kim" } else { "maya" };
    let words = ["evidence", "export", "--to", path.to_str().expect("text")];
    said(&govdeck(&world, other, &words), 0);
    assert_eq!(fs::read(&path).expect("there"), one);
    assert_eq!(fs::read_dir(again.folder()).expect("listed").count(), 2);
});

/// What is done to an unpacked export, and what `verify.sh` says of it though SHA256SUMS was made anew.
const TAMPERED: &[(&str, &str)] = &[
    (
        "sed -i s/signer/on_call/ cards/$G.json",
        "names another card",
    ),
    (
        "sed -i s/signer/on_call/ cards/$G.json",
        "its signature is not good",
    ),
    (
        "sed -i s/establish/Establish/ cards/00000001.json",
        "entry 1: names another card",
    ),
    (
        "sed -i 's/\"at\":\"20/\"at\":\"19/' entries/00000002.json",
        "entry 2: does not have the hash",
    ),
    (
        "old=$(hash entries/00000002.json); sed -i s/because/cause/ entries/00000002.json; \
         sed -i s/$old/$(hash entries/00000002.json)/ entries.tsv",
        "entry 3: does not follow",
    ),
    ("sign govdeck lees $A", "its signature is not good"),
    ("sign file mayas $A", "its signature is not good"),
    ("sign file mayas $A", "entry $a: does not name signatures/"),
    (
        "sed -i 's/valid-before=\"[0-9]*Z\"/valid-before=\"20200101000000Z\"/' allowed_signers",
        "its signature is not good",
    ),
    (
        "cp signatures/$A.sig signatures/$G.sig",
        "its signature is not good",
    ),
    ("rm signatures/$G.sig", "its signature is missing"),
    ("rm cards/00000001.json", "entry 1: its card is missing"),
    ("rm entries/00000001.json", "entry 1: is missing"),
    (
        "rm evidence/00000002.recheck.json",
        "entry 2: names 1 pieces of evidence, 0 are here",
    ),
    (
        "sed -i 2d entries.tsv; sed -i 2d signers.tsv; sed -i 2d entries.tsv",
        "signers.tsv does not say who wrote it",
    ),
    (
        "sed -i 's/\\tlee\\t\\(.*signed\\)$/\\tmaya\\t\\1/' signers.tsv",
        "was written by lee, not by maya",
    ),
    (
        "rm signatures/$G.sig; sed -i 's/signed$/login/' signers.tsv",
        "not known by login",
    ),
    (
        "sed -i 's/^1\\t\\([a-z-]*\\)\\t20/1\\t\\1\\t19/' signers.tsv",
        "entry 1: was written at",
    ),
    (
        "sed -i 's/\\t-\\tchg-1$/\\tkim\\tchg-1/; s/\\tlee\\tchg-1$/\\t-\\tchg-1/' entries.tsv",
        "was approved by somebody",
    ),
];

on_both!(verify_refuses_whatever_was_tampered_with, |world| {
    let world = story(world).await;
    exported(&world, "there", &[]);
    let grant = name_of(&world, "action = 'grant_role' AND attestation = 'signed'");
    let asked = name_of(&world, "action = 'ask_approval'");
    let short = asked.trim_start_matches('0');
    for (tamper, says) in TAMPERED {
        let script = format!(
            "G={grant} A={asked}; rm -rf bad; cp -r there bad; cd bad; \
             hash() {{ sha256sum < $1 | cut -d ' ' -f 1; }}; \
             sign() {{ ssh-keygen -q -Y sign -n $1 -f ../$2 cards/$3.json && mv cards/$3.json.sig signatures/$3.sig; }}; \
             {tamper} || exit 9; sha256sum -c SHA256SUMS >/dev/null 2>&1 && exit 8; \
             sha256sum $(cut -c 67- SHA256SUMS) 2>/dev/null >sums; mv sums SHA256SUMS; sh verify.sh"
        );
        let run = shell(&world.home, &script);
        assert_eq!(run.code, Some(1), "{tamper}: {run:?}");
        let says = says.replace("$a", short);
        assert!(run.stderr.contains(&says), "{tamper}: {run:?}");
        assert!(run.stderr.contains("does NOT verify"), "{run:?}");
    }
    let plain = shell(
        &world.home,
        "rm -rf bad; cp -r there bad; echo >>bad/README.txt; sh bad/verify.sh",
    );
    assert_eq!(plain.code, Some(1));
    assert!(
        plain.stderr.contains("SHA256SUMS lists other files"),
        "{plain:?}"
    );
});

on_both!(an_export_is_of_a_part_or_of_nothing, |world| {
    let world = story(world).await;
    let seqs = |folder: &Path| -> Vec<String> {
        let table = fs::read_to_string(folder.join("entries.tsv")).expect("there");
        let first = |line: &str| line.split('\t').next().map(str::to_owned);
        table.lines().skip(1).filter_map(first).collect()
    };
    let few = exported(&world, "few", &["--from", "2", "--upto", "3"]);
    assert_eq!(seqs(&few), ["2", "3"]);
    let verified = shell(&world.home, "sh few/verify.sh");
    assert_eq!(verified.code, Some(0), "{verified:?}");
    assert!(verified.stdout.contains("no signature verified"));
    let bypass = exported(&world, "bypass", &["--subject", "chg-1"]);
    let expected = world.rows("SELECT seq FROM governance_ledger WHERE target_id = 'chg-1'");
    assert_eq!(seqs(&bypass), expected);
    let kim = exported(&world, "kim", &["--subject", "kim"]);
    let expected = world.rows(
        "SELECT seq FROM governance_ledger WHERE target_id = 'kim' OR target_id LIKE 'kim/%' ORDER BY seq",
    );
    assert_eq!(seqs(&kim), expected);
    assert_eq!(shell(&world.home, "sh kim/verify.sh").code, Some(0));

    for (more, code) in [
        (&["--from", "1000"][..], 3),
        (&["--subject", "nobody"], 3),
        (&["--from", "3", "--upto", "2"], 3),
    ] {
        let words = [&["evidence", "export", "--to", "none.tar"], more].concat();
        refused(&govdeck(&world, "maya", &words), code);
    }
    let there = ["evidence", "export", "--to", "few.tar"];
    let (sentence, _) = refused(&govdeck(&world, "maya", &there), 2);
    assert_eq!(sentence, "few.tar is there already");
    let nowhere = ["evidence", "export", "--to", "no/such/folder/a.tar"];
    refused(&govdeck(&world, "maya", &nowhere), 2);
    assert_no_leftovers(&world);
});

fn assert_no_leftovers(world: &World) {
    let listed = fs::read_dir(world.home.folder()).expect("listed");
    let names = listed.map(|entry| entry.expect("an entry").file_name());
    let left: Vec<_> = names
        .filter(|name| {
            let name = name.to_string_lossy();
            name.ends_with(".part") || name == "none.tar"
        })
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

on_both!(what_does_not_verify_is_not_exported, |world| {
    let world = story(world).await;
    let signed = name_of(&world, "action = 'grant_role' AND attestation = 'signed'");
    let seq = signed.trim_start_matches('0');
    let last = world.rows("SELECT seq FROM ledger_head").remove(0);
    let bytes = if world.is_postgres() { "BYTEA" } else { "BLOB" };
    world.tamper(
        "artifact",
        &format!("UPDATE artifact SET bytes = CAST('{{}}' AS {bytes}) WHERE sha256 = (SELECT card_sha256 FROM governance_ledger WHERE seq = {seq})"),
    );
    let none = ["evidence", "export", "--to", "none.tar"];
    let (sentence, _) = refused(&govdeck(&world, "maya", &none), 1);
    assert!(
        sentence.starts_with(&format!("entry {seq}: ")),
        "{sentence}"
    );
    assert_no_leftovers(&world);
    // What is sound is still exported.
    exported(&world, "sound", &["--upto", "2"]);
    let head = world.rows("SELECT hash FROM ledger_head").remove(0);
    let set = |hash: &str| {
        world.tamper(
            "ledger_head",
            &format!("UPDATE ledger_head SET hash = '{hash}'"),
        );
    };
    set(&"a".repeat(64));
    let tail = ["evidence", "export", "--to", "none.tar", "--from", &last];
    let (sentence, _) = refused(&govdeck(&world, "maya", &tail), 1);
    assert!(
        sentence.starts_with("ledger_head: names entry "),
        "{sentence}"
    );
    set(&head);
    world.tamper(
        "person_key",
        "UPDATE person_key SET revoked_at_utc = NULL, revoked_by = NULL",
    );
    let words = ["evidence", "export", "--to", "none.tar", "--upto", "2"];
    let (sentence, _) = refused(&govdeck(&world, "maya", &words), 1);
    assert!(sentence.starts_with("person_key SHA256:"), "{sentence}");
    assert_no_leftovers(&world);
});

on_both!(hostile_text_chooses_no_name_and_no_line, |world| {
    let world = world.where_two_can_agree().await;
    let key = world.with_key("maya", "mayas").await;
    let id = "../../etc/$(touch owned)";
    let store = world.store("maya").await;
    let mut view = store.view().await.expect("a view");
    let asked = bypass(id).with_signing(actions::Signing::With);
    let proposal = actions::propose(&mut view, "bypass_freeze", asked).await;
    drop(view);
    let proposal = proposal.expect("proposed");
    let answer = Answer {
        typed: proposal.phrase(),
        reason: Some(
            "because\t1\n2\t\u{202e}\"card_sha256\":\"x\" '; touch owned; `touch owned`".to_owned(),
        ),
    };
    let request = proposal.confirm(&answer).expect("confirmed");
    let request = crate::support::keys::signed(request, &key);
    match actions::carry_out(&store, request).await {
        outcome @ Outcome::Done(_) => drop(sealed(outcome)),
        other => panic!("{other:?}"),
    }
    let folder = exported(&world, "there", &[]);
    let verified = shell(&world.home, "sh there/verify.sh");
    assert_eq!(verified.code, Some(0), "{verified:?}");
    let listed = shell(&world.home, "tar -t -f there.tar; find . -name owned");
    let plain = |name: &str| {
        name.chars()
            .all(|c| c.is_ascii_alphanumeric() || "./_-".contains(c))
            && !name.contains("..")
    };
    assert!(listed.stdout.lines().all(plain), "{}", listed.stdout);
    assert!(!listed.stdout.contains("owned"));
    let entries = world.rows("SELECT COUNT(*) FROM governance_ledger");
    for (table, cells) in [("entries.tsv", 8), ("signers.tsv", 4)] {
        let text = fs::read_to_string(folder.join(table)).expect("there");
        assert_eq!((text.lines().count() - 1).to_string(), entries[0]);
        for line in text.lines() {
            assert_eq!(line.split('\t').count(), cells, "{line}");
        }
    }
    let nothing = with(&world.home, &[], &["evidence", "export"]);
    assert_eq!(nothing.code, Some(2));
});
