//! What a proposal needs of the two: the roles are kept with it, never change, and must be those of today when the second
//! person says yes.

use govdeck::actions::{self, Asked};
use govdeck::signing::{Agent, Attempt, Signer};
use serde_json::json;

use crate::actions_approvals::{in_days, propose, with_two};
use crate::cli_kit::{document, govdeck, said};
use crate::console_dialog::is_asking;
use crate::support::desk::Desk;
use crate::support::keys::signed;
use crate::support::{World, on_both, sealed};

const BOTH: &str = r#"["engineering_lead","governance_lead"]"#;

/// The position of the entry that asked for a second person.
fn asked_in(world: &World) -> i64 {
    let asked = "SELECT MAX(seq) FROM governance_ledger WHERE action = 'ask_approval'";
    world.rows(asked).remove(0).parse().expect("a number")
}

/// Rebuilds the proposal that waits as if other roles, or none at all, had been kept with it.
async fn forge_roles(world: &World, roles: Option<&str>) {
    world
        .forge(asked_in(world), |forged| {
            let image = forged.image("approval_request");
            let columns = image.as_object_mut().expect("a row");
            if let Some(roles) = roles {
                columns.insert("roles_needed".to_owned(), json!(roles));
                forged.said("roles_needed")["after"] = json!(roles);
            } else {
                columns.remove("roles_needed");
                forged.hide("roles_needed");
            }
        })
        .await;
    if roles.is_none() {
        let none = "UPDATE approval_request SET roles_needed = NULL WHERE status = 'waiting'";
        world.tamper("approval_request", none);
    }
}

on_both!(a_proposal_keeps_the_roles_that_it_needs, |world| {
    let world = world.where_two_can_agree().await;
    with_two(&world).await;
    let ticket = propose(&world, "chg-1").await;
    assert_eq!(
        world.rows("SELECT roles_needed FROM approval_request"),
        [BOTH]
    );
    let list = govdeck(&world, "maya", &["approval", "list"]);
    let needs = "governance_lead and engineering_lead";
    let line = format!("by maya ({}), needs {needs}, until ", attestation(&world));
    assert!(said(&list, 0).contains(&line), "{list:?}");
    let list = govdeck(&world, "maya", &["approval", "list", "--json"]);
    let list = document(&list, 0, "approval-list");
    assert_eq!(list["proposals"][0]["roles_needed"], BOTH);
    let show = ["approval", "show", &ticket];
    let shown = govdeck(&world, "maya", &show);
    let line = format!("\n  needs {needs} between the two\n");
    assert!(said(&shown, 0).contains(&line), "{shown:?}");
    let shown = govdeck(&world, "maya", &[&show[..], &["--json"]].concat());
    let shown = document(&shown, 0, "approval-show");
    assert_eq!(shown["proposal"]["roles_needed"], BOTH);
    // At the console: where it is answered, and in the entry that asked.
    let mut lee = Desk::open(&world, "lee").await;
    lee.arm().await;
    while lee
        .model
        .selected()
        .is_none_or(|(kind, _)| kind != "approval")
    {
        lee.press("j").await;
    }
    lee.press("J").await;
    lee.shows(&["roles_needed", "engineering_lead"]);
    lee.press("esc a y").await;
    assert!(is_asking(&lee), "{}", lee.screen(80, 24));
    lee.shows(&["Needs    governance_lead and engineering_lead between the two"]);
    lee.press("esc enter").await;
    lee.shows(&["roles_needed"]);
    world
        .act("lee", "approve", Asked::of(&*ticket))
        .await
        .expect("approved");
    assert_eq!(
        world.rows("SELECT roles_needed FROM approval_request"),
        [BOTH]
    );
    // The entry names both, and how the second was known.
    let both = format!("maya + lee (person, {}", attestation(&world));
    for words in [
        &["ledger", "show"][..],
        &["ledger", "show", "--ticket", &ticket],
    ] {
        let shown = govdeck(&world, "maya", words);
        assert!(said(&shown, 0).contains(&both), "{shown:?}");
    }
    let status = govdeck(&world, "maya", &["status"]);
    let known = format!("), known by {}\n", attestation(&world));
    assert!(said(&status, 0).contains(&known), "{status:?}");
    world.assert_sound().await;
});

fn attestation(world: &World) -> &'static str {
    if world.is_postgres() {
        "login"
    } else {
        "unattested"
    }
}

on_both!(a_proposal_with_other_roles_than_today_lapses, |world| {
    let world = world.where_two_can_agree().await;
    with_two(&world).await;
    for (id, kept, says) in [
        (
            "chg-1",
            Some(r#"["ops_lead"]"#),
            "it was proposed to need ops_lead; governance_lead and engineering_lead needed now",
        ),
        (
            "chg-2",
            Some(r#"["governance_lead"]"#),
            "it was proposed to need governance_lead; governance_lead and engineering_lead needed now",
        ),
        (
            "chg-3",
            Some(r#"["emperor"]"#),
            "the roles that it needs were not kept with it; governance_lead and engineering_lead needed now",
        ),
        (
            "chg-4",
            None,
            "the roles that it needs were not kept with it; governance_lead and engineering_lead needed now",
        ),
    ] {
        let ticket = propose(&world, id).await;
        forge_roles(&world, kept).await;
        assert_eq!(world.findings(None).await, Vec::<String>::new(), "{id}");
        let looked = govdeck(&world, "maya", &["approval", "approve", &ticket]);
        assert!(looked.stdout.contains(says), "{looked:?}");
        let no = world.act("lee", "approve", Asked::of(&*ticket)).await;
        let no = no.expect_err("refused");
        assert!(no.contains(&format!("unchanged: {says}")), "{no}");
        assert_ended(&world, &ticket, says).await;
    }
    assert_eq!(world.rows("SELECT COUNT(*) FROM freeze_bypass"), ["0"]);
    world.assert_sound().await;
});

/// Asks the rule whether the proposal is over, as the command line does after a refusal, and reads how it ended.
async fn assert_ended(world: &World, ticket: &str, because: &str) {
    let store = world.store("lee").await;
    actions::end_if_over(&store, ticket.to_owned()).await;
    store.close().await;
    let sql = format!(
        "SELECT status || ': ' || ended_because FROM approval_request WHERE ticket = '{ticket}'"
    );
    assert_eq!(world.rows(&sql), [format!("lapsed: {because}")]);
}

on_both!(a_proposal_of_what_one_may_do_by_now_lapses, |world| {
    let world = world.where_two_can_agree().await;
    with_two(&world).await;
    let ticket = propose(&world, "chg-1").await;
    world
        .forge(asked_in(&world), |forged| {
            for (field, to) in [("action", "register_footer"), ("asked", r#"["v2.4.0",{}]"#)] {
                forged.image("approval_request")[field] = json!(to);
                forged.said(field)["after"] = json!(to);
            }
        })
        .await;
    let says =
        "it was proposed to need governance_lead and engineering_lead; one person is enough now";
    let no = world.act("lee", "approve", Asked::of(&*ticket)).await;
    let no = no.expect_err("refused");
    assert!(no.contains(&format!("unchanged: {says}")), "{no}");
    assert_ended(&world, &ticket, says).await;
    world.assert_sound().await;
});

/// Begins an entry by hand that changes one proposal.
fn by_hand(world: &World, action: &str, person: &str, ticket: &str, version: i64) -> String {
    let bytes = if world.is_postgres() { "BYTEA" } else { "BLOB" };
    let card = govdeck::canon::Digest::of(b"{}");
    format!(
        "INSERT INTO artifact SELECT '{card}', 'text/plain', CAST('{{}}' AS {bytes}), at_utc FROM ledger_head; \
         INSERT INTO governance_ledger (seq, ticket, action, basis, actor_id, login, attestation, target_kind, target_id, target_version, \
         state_hash, card_sha256, reason, change_count, evidence_count, at_utc, clock_anomaly, prev_hash, hash) \
         SELECT seq + 1, '{}', '{action}', 'person', '{person}', '{}', '{}', 'approval', '{ticket}', {version} - 1, hash, '{card}', 'x', 1, 0, \
         at_utc, FALSE, hash, '{}' FROM ledger_head; \
         INSERT INTO ledger_change SELECT 'approval_request', '{ticket}', {version}, seq, '{}', '{{}}' FROM ledger_head;",
        "c".repeat(32),
        world.login_of(person),
        attestation(world),
        "d".repeat(64),
        "e".repeat(64),
    )
}

fn refusal(world: &World, person: &str, sql: &str) -> String {
    let tried = world.sql_as(person, &format!("BEGIN; {sql}; ROLLBACK;"));
    tried.err().unwrap_or_default()
}

on_both!(the_database_takes_no_proposal_with_other_roles, |world| {
    let ticket = "a".repeat(32);
    let card = world.add_evidence();
    for (action, roles, taken) in [
        ("bypass_freeze", format!("'{BOTH}'"), true),
        (
            "set_attestation",
            r#"'["governance_lead"]'"#.to_owned(),
            true,
        ),
        ("bypass_freeze", "NULL".to_owned(), false),
        ("bypass_freeze", "'[]'".to_owned(), false),
        (
            "bypass_freeze",
            r#"'["governance_lead"]'"#.to_owned(),
            false,
        ),
        (
            "bypass_freeze",
            r#"'["governance_lead","engineering_lead"]'"#.to_owned(),
            false,
        ),
        ("set_attestation", format!("'{BOTH}'"), false),
    ] {
        let entry = by_hand(&world, "ask_approval", "maya", &ticket, 1);
        // Its own card lies there already: evidence that anybody may add.
        let entry = entry.split_once(';').expect("two statements").1;
        let later = if world.is_postgres() {
            "at_utc + INTERVAL '1 hour'"
        } else {
            "'2099-01-01T00:00:00.000000Z'"
        };
        let sql = format!(
            "{entry} INSERT INTO approval_request (ticket, action, target_kind, target_id, target_version, asked, reason, state_hash, \
             card_sha256, proposed_by, attestation, proposed_at_utc, expires_at_utc, status, version, roles_needed) \
             SELECT '{ticket}', '{action}', 'x', 'x', 0, '[]', 'because somebody wants it so', hash, '{card}', 'maya', '{}', at_utc, {later}, \
             'waiting', 1, {roles} FROM ledger_head",
            attestation(&world)
        );
        let said = refusal(&world, "maya", &sql);
        let by_wall = said.contains("a proposal keeps the roles that its action asks of the two");
        assert_eq!(
            (said.is_empty(), by_wall),
            (taken, !taken),
            "{action} {roles}: {said}"
        );
    }
});

on_both!(the_database_lets_no_proposal_change_its_roles, |world| {
    let world = world.where_two_can_agree().await;
    with_two(&world).await;
    let ticket = propose(&world, "chg-1").await;
    let decline = |further: &str| {
        format!(
            "{} UPDATE approval_request SET status = 'declined', ended_by = 'lee', ended_at_utc = proposed_at_utc, \
             ended_because = 'x', version = 2{further}",
            by_hand(&world, "decline", "lee", &ticket, 2)
        )
    };
    assert_eq!(refusal(&world, "lee", &decline("")), "");
    for roles in [r#"'["engineering_lead"]'"#, "NULL"] {
        let said = refusal(
            &world,
            "lee",
            &decline(&format!(", roles_needed = {roles}")),
        );
        assert!(
            said.contains("answered once, and stays what it was"),
            "{roles}: {said}"
        );
    }
});

/// A second yes of lee's by hand, to the proposal `a`, with one column taken from another place.
fn second_yes(world: &World, column: &str, from: &str, places: &str) -> String {
    let columns = [
        "ticket",
        "action",
        "target_kind",
        "target_id",
        "target_version",
        "state_hash",
        "card_sha256",
        "reason",
    ];
    assert!(column.is_empty() || columns.contains(&column));
    let taken: Vec<_> = columns
        .iter()
        .map(|name| {
            let of = if *name == column { from } else { "a" };
            format!("{of}.{name}")
        })
        .collect();
    format!(
        "INSERT INTO governance_ledger (ticket, action, target_kind, target_id, target_version, state_hash, card_sha256, reason, seq, basis, \
         actor_id, login, attestation, change_count, evidence_count, at_utc, clock_anomaly, prev_hash, hash, approved_by) \
         SELECT {}, h.seq + 1, 'person', a.proposed_by, '{}', '{}', 0, 0, h.at_utc, FALSE, h.hash, '{}', 'lee' FROM ledger_head h, {places}",
        taken.join(", "),
        world.login_of("lee"),
        attestation(world),
        "d".repeat(64)
    )
}

on_both!(the_database_takes_no_second_yes_to_other_roles, |world| {
    let world = world.where_two_can_agree().await;
    with_two(&world).await;
    propose(&world, "chg-1").await;
    let second_yes = second_yes(&world, "", "a", "approval_request a");
    assert_eq!(refusal(&world, "lee", &second_yes), "");
    for roles in [Some(r#"["ops_lead"]"#), None] {
        forge_roles(&world, roles).await;
        let said = refusal(&world, "lee", &second_yes);
        let wall = "the second person says yes to the roles that are asked for today";
        assert!(said.contains(wall), "{roles:?}: {said}");
    }
});

on_both!(a_second_yes_is_to_one_proposal_alone, |world| {
    let world = world.where_two_can_agree().await;
    with_two(&world).await;
    let one = propose(&world, "chg-1").await;
    let other = propose(&world, "chg-2").await;
    let both = "approval_request a, approval_request b WHERE a.target_id = 'chg-1' AND b.target_id = 'chg-2'";
    assert_eq!(
        refusal(&world, "lee", &second_yes(&world, "", "a", both)),
        ""
    );
    for column in ["ticket", "target_id", "card_sha256"] {
        let said = refusal(&world, "lee", &second_yes(&world, column, "b", both));
        let wall = "the second person says yes to what waits for it";
        assert!(said.contains(wall), "{column}: {said}");
    }
    // Nor does a signature under the one count under the other; and a yes that is sent twice is one.
    let key = world.with_key("lee", "lees").await;
    let confirmed = |ticket: &str| world.confirm_signed("lee", "approve", Asked::of(ticket));
    let (first, second) = (confirmed(&one).await, confirmed(&other).await);
    let (first, second) = (first.expect("confirmed"), second.expect("confirmed"));
    let signer = Signer::with(key.clone(), Agent::at(None));
    let signature = signer.sign(None, first.card().expect("a card"));
    let signature = signature.and_then(Attempt::done).expect("signed");
    assert!(second.signed(&signature).is_err());
    let store = world.store("lee").await;
    let first = signed(first, &key);
    let done = sealed(actions::carry_out(&store, first.clone()).await);
    assert_eq!(sealed(actions::carry_out(&store, first).await), done);
    store.close().await;
    assert_eq!(
        world.rows("SELECT freeze_bypass_id FROM freeze_bypass"),
        ["chg-1"]
    );
    world.assert_sound().await;
});

on_both!(two_keys_of_one_person_are_one_person, |world| {
    let world = world.where_two_can_agree().await;
    with_two(&world).await;
    let granted = Asked::of("lee").with("role", "governance_lead");
    world
        .act("maya", "grant_role", granted)
        .await
        .expect("granted");
    let first = world.with_key("lee", "first").await;
    let second = world.make_key("second");
    let key = world.public("second");
    let asked = Asked::of(key.fingerprint()).with("key", key.to_line());
    let added = world.act_signed("lee", "add_key", asked, &first).await;
    added.expect("added");
    let bypass = Asked::of("chg-1")
        .with("freeze", "fz-31")
        .with("expires", in_days(2));
    let proposed = world
        .act_signed("lee", "bypass_freeze", bypass, &first)
        .await;
    proposed.expect("proposed");
    let ticket = world.rows("SELECT ticket FROM approval_request").remove(0);
    // Lee holds both roles, and signs with another key than before.
    let yes = world.act_signed("lee", "approve", Asked::of(&*ticket), &second);
    let no = yes.await.expect_err("refused");
    assert_eq!(no, "another_human: lee proposed it; you are lee");
    assert_eq!(world.rows("SELECT COUNT(*) FROM freeze_bypass"), ["0"]);
    world.assert_sound().await;
});
