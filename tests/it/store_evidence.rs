//! Evidence: an entry binds what was filed with it, and what was checked again in the writing transaction is filed.

use govdeck::actions::Asked;
use govdeck::canon::Digest;
use govdeck::store::{artifact, ledger};
use serde_json::{Value, json};

use crate::cli_kit::{govdeck, said};
use crate::support::{World, on_both};

/// The recheck of an entry: its hash and what it says.
async fn recheck(world: &World, seq: i64) -> (Digest, Value) {
    let store = world.store("maya").await;
    let mut view = store.view().await.expect("a view");
    let evidence = ledger::evidence(&mut view, seq, seq).await.expect("read");
    let is_recheck = |piece: &&ledger::Evidence| piece.role == artifact::RECHECK;
    let rechecks: Vec<_> = evidence.iter().filter(is_recheck).collect();
    let [piece] = rechecks.as_slice() else {
        panic!("{evidence:?}")
    };
    let bytes = artifact::bytes(&mut view, piece.sha256)
        .await
        .expect("read")
        .expect("there");
    drop(view);
    store.close().await;
    (piece.sha256, serde_json::from_slice(&bytes).expect("JSON"))
}

/// Writes a literal of bytes.
fn bytes(world: &World, text: &str) -> String {
    let kind = if world.is_postgres() { "BYTEA" } else { "BLOB" };
    format!("CAST('{text}' AS {kind})")
}

const ALTERED: &str =
    "entry 2: its content, its list of changes or of evidence was altered: the hash does not match";

on_both!(what_was_checked_again_is_filed, |world| {
    world.register_footer().await;
    world.block("pub-1").await;
    let by_rule = world.owner_sql("SELECT seq FROM ledger_head");
    let (_, found) = recheck(&world, by_rule.parse().expect("a number")).await;
    let id = |condition: &Value| condition["id"].clone();
    let conditions = found["conditions"].as_array().expect("conditions");
    let ids: Vec<_> = conditions.iter().map(id).collect();
    assert_eq!(ids, ["pending", "not_red", "clock", "routed"]);

    let sealed = world
        .act("lee", "take_block", Asked::of("pub-1"))
        .await
        .expect("taken");
    let (_, found) = recheck(&world, sealed.seq).await;
    let ticket = world.owner_sql(&format!(
        "SELECT ticket FROM governance_ledger WHERE seq = {}",
        sealed.seq
    ));
    assert_eq!(
        (&found["schema"], &found["ticket"], &found["observed_at"]),
        (
            &json!("govdeck.recheck.v1"),
            &json!(ticket),
            &json!(sealed.at.to_string())
        )
    );
    for condition in found["conditions"].as_array().expect("conditions") {
        assert_eq!(condition["verdict"], "pass");
        for field in ["id", "owner", "evidence"] {
            let text = condition[field].as_str().expect("text");
            assert!(!text.is_empty(), "{field} of {condition}");
        }
    }
    world.assert_sound().await;
});

on_both!(evidence_is_what_was_found_and_not_what_was_seen, |world| {
    // Between looking and writing the evidence changes and the verdict does not: the card has the one, the recheck the other.
    use govdeck::actions::{self, Outcome};
    use govdeck::rules::guard::Answer;
    let grant = |to: &str, role: &str| Asked::of(to).with("role", role);
    world
        .act("maya", "grant_role", grant("lee", "governance_lead"))
        .await
        .expect("granted");
    let store = world.store("maya").await;
    let asked = Asked::of("ann").with("name", "Ann");
    let proposal = actions::propose(
        &mut store.view().await.expect("a view"),
        "add_person",
        asked,
    )
    .await
    .expect("a proposal");
    let answer = Answer {
        typed: proposal.phrase(),
        reason: Some(crate::support::REASON.to_owned()),
    };
    let request = proposal.confirm(&answer).expect("confirmed");
    world
        .act("lee", "grant_role", grant("maya", "ops_lead"))
        .await
        .expect("granted meanwhile");
    let Outcome::Done(sealed) = actions::carry_out(&store, request).await else {
        panic!("not done")
    };
    let mut view = store.view().await.expect("a view");
    let entry = ledger::entries(&mut view, sealed.seq, 1)
        .await
        .expect("read")
        .remove(0);
    let card = artifact::bytes(&mut view, entry.card_sha256)
        .await
        .expect("read")
        .expect("there");
    let card: Value = serde_json::from_slice(&card).expect("JSON");
    let (_, found) = recheck(&world, sealed.seq).await;
    assert_eq!(
        (
            &card["gates"][0]["evidence"],
            &found["conditions"][0]["evidence"]
        ),
        (
            &json!("maya holds governance_lead, on_call"),
            &json!("maya holds governance_lead, ops_lead, on_call")
        )
    );
    drop(view);
    store.close().await;
    world.assert_sound().await;
});

on_both!(evidence_that_is_taken_away_is_found, |world| {
    world.tamper(
        "ledger_artifact",
        "DELETE FROM ledger_artifact WHERE seq = 2",
    );
    assert_eq!(
        world.findings(None).await,
        [
            ALTERED,
            "entry 2: says 1 pieces of evidence, 0 are recorded",
            "entry 2: has 0 rechecks, not one"
        ]
    );
});

on_both!(evidence_that_is_added_is_found, |world| {
    world.tamper(
        "ledger_artifact",
        "INSERT INTO ledger_artifact SELECT 2, 'opinion', sha256 FROM ledger_artifact WHERE seq = 1",
    );
    assert_eq!(
        world.findings(None).await,
        [
            ALTERED,
            "entry 2: says 1 pieces of evidence, 2 are recorded"
        ]
    );
});

on_both!(evidence_that_is_altered_is_found, |world| {
    let role = |role: &str| format!("UPDATE ledger_artifact SET role = '{role}' WHERE seq = 2");
    world.tamper("ledger_artifact", &role("opinion"));
    assert_eq!(
        world.findings(None).await,
        [ALTERED, "entry 2: has 0 rechecks, not one"]
    );
    world.tamper("ledger_artifact", &role("recheck"));
    assert_eq!(world.findings(None).await, Vec::<String>::new());
    // Another entry's recheck in its place.
    world.tamper(
        "ledger_artifact",
        "UPDATE ledger_artifact SET sha256 = (SELECT e.sha256 FROM ledger_artifact e WHERE e.seq = 1) WHERE seq = 2",
    );
    assert_eq!(
        world.findings(None).await,
        [
            ALTERED,
            "entry 2: its recheck was filed under another type or time",
            "entry 2: its recheck tells of another decision"
        ]
    );
});

on_both!(a_count_of_evidence_that_is_altered_is_found, |world| {
    world.tamper(
        "governance_ledger",
        "UPDATE governance_ledger SET evidence_count = 2 WHERE seq = 2",
    );
    assert_eq!(
        world.findings(None).await,
        ["entry 2: says 2 pieces of evidence, 1 are recorded"]
    );
});

on_both!(an_artefact_that_is_altered_or_gone_is_found, |world| {
    let (sha256, _) = recheck(&world, 2).await;
    let forged = bytes(&world, "{}");
    world.tamper(
        "artifact",
        &format!("UPDATE artifact SET bytes = {forged} WHERE sha256 = '{sha256}'"),
    );
    assert_eq!(
        world.findings(None).await,
        [
            "entry 2: its recheck tells of another decision".to_owned(),
            format!("artifact {sha256}: its bytes were altered: they no longer hash to its name")
        ]
    );
    world.tamper_as_superuser(
        "artifact",
        &format!("DELETE FROM artifact WHERE sha256 = '{sha256}'"),
    );
    assert_eq!(
        world.findings(None).await,
        [format!("entry 2: its evidence recheck {sha256} is missing")]
    );
});

on_both!(evidence_whose_entry_is_gone_is_found, |world| {
    for table in ["governance_ledger", "ledger_change"] {
        world.tamper_as_superuser(table, &format!("DELETE FROM {table} WHERE seq = 2"));
    }
    let findings = world.findings(None).await;
    assert!(
        findings.contains(&"entry 2: is missing; its evidence recheck names it".to_owned()),
        "{findings:?}"
    );
});

on_both!(a_recheck_of_another_decision_is_found, |world| {
    // All hashes are right, and the recheck says that a condition was not met.
    let (_, mut found) = recheck(&world, 2).await;
    found["conditions"][0]["verdict"] = json!("fail");
    let forged = found.to_string();
    let sha256 = Digest::of(forged.as_bytes());
    world.tamper_as_superuser(
        "artifact",
        &format!(
            "INSERT INTO artifact SELECT '{sha256}', '{}', {}, at_utc FROM governance_ledger WHERE seq = 2",
            artifact::RECHECKED,
            bytes(&world, &forged)
        ),
    );
    world.tamper(
        "ledger_artifact",
        &format!("UPDATE ledger_artifact SET sha256 = '{sha256}' WHERE seq = 2"),
    );
    let store = world.store("maya").await;
    let mut view = store.view().await.expect("a view");
    let entry = ledger::entries(&mut view, 2, 1)
        .await
        .expect("read")
        .remove(0);
    let changes = ledger::changes(&mut view, 2, 2).await.expect("read");
    let evidence = ledger::evidence(&mut view, 2, 2).await.expect("read");
    let hash = entry.computed_hash(&changes, &evidence).expect("a hash");
    drop(view);
    store.close().await;
    for (table, and) in [("governance_ledger", "WHERE seq = 2"), ("ledger_head", "")] {
        world.tamper_as_superuser(table, &format!("UPDATE {table} SET hash = '{hash}' {and}"));
    }
    assert_eq!(
        world.findings(None).await,
        ["entry 2: its recheck tells of another decision"]
    );
});

on_both!(evidence_is_filed_with_the_newest_entry_only, |world| {
    // A well-formed entry by hand, which says that it has one piece of evidence.
    let card = world.add_evidence();
    let attestation = if world.is_postgres() {
        "login"
    } else {
        "unattested"
    };
    world
        .sql(&format!(
            "INSERT INTO governance_ledger SELECT seq + 1, '00000000000000000000000000000009', 'add_key', 'person', 'kim', 'kim', '{attestation}', 'x', 'x', 0, \
             state_hash, '{card}', NULL, 0, 1, at_utc, clock_anomaly, hash, state_hash, NULL FROM governance_ledger ORDER BY seq DESC LIMIT 1"
        ))
        .expect("shape and order are right");
    let file = |seq: i64, role: &str, sha256: &str| {
        world.sql(&format!(
            "INSERT INTO ledger_artifact VALUES ({seq}, '{role}', '{sha256}')"
        ))
    };
    let known = card.to_string();
    let refused = |filed: Result<String, String>, says: &str| {
        let refused = filed.expect_err(says);
        assert!(refused.contains(says), "{refused}");
    };
    let by_wall = "evidence belongs to the newest entry";
    refused(file(2, "other", &known), by_wall);
    refused(file(4, "other", &known), by_wall);
    let unknown = if world.is_postgres() {
        "violates foreign key constraint"
    } else {
        "sha256 must name a row of artifact"
    };
    refused(file(3, "other", &"0".repeat(64)), unknown);
    refused(file(3, "", &known), "onstraint");
    file(3, "other", &known).expect("the newest entry has room for one");
    refused(file(3, "another", &known), by_wall);
});

on_both!(an_entry_is_shown_with_its_evidence, |world| {
    let (sha256, _) = recheck(&world, 2).await;
    let text = govdeck(&world, "maya", &["ledger", "show", "2"]);
    assert!(
        said(&text, 0).contains(&format!("\n  evidence recheck {sha256}\n")),
        "{text:?}"
    );
    let get = [
        "artifact",
        "get",
        &sha256.to_string(),
        "--out",
        "recheck.json",
    ];
    said(&govdeck(&world, "maya", &get), 0);
    let file = std::fs::read(world.home.folder().join("recheck.json")).expect("written");
    assert_eq!(Digest::of(&file), sha256);
});
