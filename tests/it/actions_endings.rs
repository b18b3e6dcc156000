//! How blocks end and change hands, and how routes change: what is allowed, and everything that is not, past the program too.

use govdeck::actions::Asked;

use crate::support::{REASON, World, on_both};

fn of(run: &str) -> Asked {
    Asked::of(run)
}

/// A world with a blocked run, a later one that passed, and a signer.
async fn with_a_block(world: &World) {
    world.register_footer().await;
    world.block("pub-1").await;
    pass(world, "pub-2").await;
    let signer = Asked::of("kim").with("role", "signer");
    world
        .act("maya", "grant_role", signer)
        .await
        .expect("granted");
}

async fn pass(world: &World, run: &str) {
    let hash = "a".repeat(64);
    world.mint(run, Some(&hash), Some(&hash)).expect("minted");
    world.decide(run).await.expect("decided");
}

fn standing(world: &World, run: &str) -> String {
    world.owner_sql(&format!(
        "SELECT status FROM publish_replay_audit WHERE publish_run_id = '{run}'"
    ))
}

on_both!(a_later_passing_run_resolves_a_block_for_good, |world| {
    with_a_block(&world).await;
    for (by, says) in [
        (
            "pub-1",
            "another_run: pub-1 for pub-1; passed: pub-1 is blocked; later:",
        ),
        (
            "pub-9",
            "passed: pub-9 is unknown; later: no such run; same_scope: unknown for sla/partners; would_pass_now: no such run",
        ),
    ] {
        let no = world
            .act("lee", "resolve_block", of("pub-1").with("by", by))
            .await
            .expect_err("refused");
        assert!(no.starts_with(says), "{no}");
    }
    let no = world
        .act("kim", "resolve_block", of("pub-1").with("by", "pub-2"))
        .await;
    assert_eq!(
        no,
        Err("may_end: owner maya, backup lee; you are kim".to_owned())
    );
    world
        .act("lee", "resolve_block", of("pub-1").with("by", "pub-2"))
        .await
        .expect("resolved");
    assert_eq!(
        world.rows("SELECT status || ' ' || resolution_id FROM publish_replay_audit WHERE publish_run_id = 'pub-1'"),
        ["resolved pub-2"]
    );
    let again = world
        .act("lee", "resolve_block", of("pub-1").with("by", "pub-2"))
        .await;
    assert_eq!(again, Err("block_open: the run is resolved".to_owned()));
    assert_eq!(
        world.owner_sql("SELECT status FROM publish_snapshots WHERE publish_run_id = 'pub-1'"),
        "blocked"
    );
    world.assert_sound().await;
});

on_both!(what_would_no_longer_pass_resolves_nothing, |world| {
    with_a_block(&world).await;
    world
        .act("maya", "register_footer", of("v2.5.0"))
        .await
        .expect("registered");
    let no = world
        .act("lee", "resolve_block", of("pub-1").with("by", "pub-2"))
        .await;
    assert_eq!(
        no,
        Err("would_pass_now: the gate would stop it now: footer_schema_drift".to_owned())
    );
    world.assert_sound().await;
});

on_both!(
    a_block_is_withdrawn_when_the_source_is_as_it_was_to_be_published,
    |world| {
        with_a_block(&world).await;
        let (published, edited) = ("a".repeat(64), "b".repeat(64));
        for (bad, says) in [
            (
                edited.as_str(),
                "source_restored: the source hashes to bbbb",
            ),
            ("AAAA", "the rehash is no hash"),
            ("", "the field rehash is missing"),
        ] {
            let no = world
                .act("maya", "withdraw_block", of("pub-1").with("rehash", bad))
                .await
                .expect_err("refused");
            assert!(no.starts_with(says), "{no}");
        }
        world
            .act(
                "maya",
                "withdraw_block",
                of("pub-1").with("rehash", published.clone()),
            )
            .await
            .expect("withdrawn");
        assert_eq!(standing(&world, "pub-1"), "withdrawn");
        // No hash was to be published here, so none can be restored; and its reason is none of the two.
        world.mint("pub-3", None, Some(&published)).expect("minted");
        world.decide("pub-3").await.expect("decided");
        let no = world
            .act(
                "maya",
                "withdraw_block",
                of("pub-3").with("rehash", published),
            )
            .await
            .expect_err("refused");
        assert!(
            no.starts_with("can_be_withdrawn: missing_publish_hash; source_restored:"),
            "{no}"
        );
        world.assert_sound().await;
    }
);

on_both!(whoever_took_a_block_says_how_it_goes, |world| {
    with_a_block(&world).await;
    let note = |text: &str| of("pub-1").with("note", text);
    let no = world.act("lee", "note_block", note("looking")).await;
    assert_eq!(no, Err("taken: taken by nobody".to_owned()));
    world
        .act("lee", "take_block", of("pub-1"))
        .await
        .expect("taken");
    let no = world.act("kim", "note_block", note("looking")).await;
    assert_eq!(no, Err("on_it: taken by lee; you are kim".to_owned()));
    for bad in ["", " ", "a\nb", "a\u{1b}[2J", "a\u{202e}b"] {
        assert!(
            world.act("lee", "note_block", note(bad)).await.is_err(),
            "{bad:?}"
        );
    }
    world
        .act("lee", "note_block", note("the sheet was edited at 02:14Z"))
        .await
        .expect("noted");
    assert_eq!(
        world.rows("SELECT last_note FROM publish_replay_audit WHERE progress_at_utc IS NOT NULL"),
        ["the sheet was edited at 02:14Z"]
    );
    world.assert_sound().await;
});

on_both!(a_block_changes_hands_and_its_clock_goes_on, |world| {
    with_a_block(&world).await;
    let due = || {
        world.owner_sql(
            "SELECT respond_by_utc FROM publish_replay_audit WHERE publish_run_id = 'pub-1'",
        )
    };
    let before = due();
    let to = |person: &str| of("pub-1").with("to", person);
    for (person, asked, says) in [
        ("kim", to("kim"), "may_reassign: owner maya; you are kim"),
        ("maya", to("maya"), "can_own: maya; owner maya, backup lee"),
        ("maya", to("lee"), "can_own: lee; owner maya, backup lee"),
        (
            "maya",
            to("govdeck"),
            "can_own: govdeck; owner maya, backup lee",
        ),
        ("maya", to("nobody"), "there is no person \"nobody\""),
    ] {
        assert_eq!(
            world.act(person, "reassign_block", asked).await,
            Err(says.to_owned())
        );
    }
    world
        .act("maya", "reassign_block", to("kim"))
        .await
        .expect("given");
    assert_eq!(due(), before);
    assert_eq!(
        world.rows(
            "SELECT recipient_id FROM notification_outbox WHERE event_class = 'block_reassigned'"
        ),
        ["kim"]
    );
    world
        .act("kim", "take_block", of("pub-1"))
        .await
        .expect("the new owner takes it");
    let no = world
        .act("maya", "reassign_block", to("maya"))
        .await
        .expect_err("refused");
    assert!(no.starts_with("not_taken: taken by kim"), "{no}");
    assert_eq!(due(), before);
    world.assert_sound().await;
});

fn route(owner: &str, backup: &str) -> Asked {
    of("rc-1")
        .with("for", "tuple_drift")
        .with("owner", owner)
        .with("backup", backup)
        .with("minutes", "45")
}

fn routed(world: &World) -> String {
    world.owner_sql(
        "SELECT owner_user_id || ' ' || backup_owner_user_id || ' ' || sla_first_response_minutes \
         FROM block_reason_owner_route WHERE block_reason = 'tuple_drift'",
    )
}

on_both!(a_route_changes_when_a_signer_acknowledges_it, |world| {
    with_a_block(&world).await;
    let no = world
        .act("lee", "propose_route", route("lee", "kim"))
        .await
        .expect_err("refused");
    assert!(no.starts_with("role:"), "{no}");
    for (owner, backup, says) in [
        ("lee", "lee", "another_backup"),
        ("nobody", "lee", "two_humans"),
        ("lee", "govdeck", "two_humans"),
    ] {
        let no = world
            .act("maya", "propose_route", route(owner, backup))
            .await
            .expect_err("refused");
        assert!(no.starts_with(says), "{no}");
    }
    world
        .act("maya", "propose_route", route("lee", "kim"))
        .await
        .expect("proposed");
    assert_eq!(routed(&world), "maya lee 30", "the old one holds");
    let twice = route("kim", "lee");
    let twice = Asked {
        target: "rc-2".to_owned(),
        ..twice
    };
    let no = world.act("maya", "propose_route", twice).await;
    assert_eq!(no, Err("none_waits: rc-1 waits for a signer".to_owned()));
    let no = world
        .act("lee", "ack_route", of("rc-1"))
        .await
        .expect_err("refused");
    assert!(no.starts_with("role:"), "{no}");
    world
        .act("kim", "ack_route", of("rc-1"))
        .await
        .expect("acknowledged");
    assert_eq!(routed(&world), "lee kim 45");
    assert_eq!(
        world.owner_sql("SELECT owner_user_id || ' ' || sla_first_response_minutes FROM publish_replay_audit WHERE publish_run_id = 'pub-1'"),
        "maya 30",
        "an open block keeps the route it was born with"
    );
    world.block("pub-5").await;
    assert_eq!(
        world.owner_sql("SELECT owner_user_id || ' ' || sla_first_response_minutes FROM publish_replay_audit WHERE publish_run_id = 'pub-5'"),
        "lee 45"
    );
    let no = world.act("kim", "decline_route", of("rc-1")).await;
    assert_eq!(no, Err("pending: the change is acked".to_owned()));
    world.assert_sound().await;
});

on_both!(
    nobody_acknowledges_a_route_of_their_own_and_a_declined_one_never_holds,
    |world| {
        with_a_block(&world).await;
        let lead = Asked::of("kim").with("role", "governance_lead");
        world
            .act("maya", "grant_role", lead)
            .await
            .expect("granted");
        world
            .act("kim", "propose_route", route("lee", "kim"))
            .await
            .expect("proposed");
        let no = world.act("kim", "ack_route", of("rc-1")).await;
        assert_eq!(
            no,
            Err("another_signer: kim proposed it; you are kim".to_owned())
        );
        let signer = Asked::of("lee").with("role", "signer");
        world
            .act("maya", "grant_role", signer)
            .await
            .expect("granted");
        world
            .act("lee", "decline_route", of("rc-1"))
            .await
            .expect("declined");
        assert_eq!(routed(&world), "maya lee 30");
        let no = world.act("lee", "ack_route", of("rc-1")).await;
        assert_eq!(no, Err("pending: the change is declined".to_owned()));
        world.assert_sound().await;
    }
);

// Tried by plain SQL with a well-formed entry and change before it, so that the link to the ledger is not what refuses.
on_both!(the_database_refuses_what_no_rule_allows, |world| {
    with_a_block(&world).await;
    let audit = |run: &str| {
        format!(
            "UPDATE publish_replay_audit SET {{set}}, version = version + 1 WHERE publish_run_id = '{run}'"
        )
    };
    let times = "resolved_at_utc = created_at_utc";
    for (statement, set) in [
        (audit("pub-1"), "status = 'gate_passed', block_reason = NULL".to_owned()),
        (audit("pub-1"), format!("status = 'resolved', {times}")),
        (audit("pub-1"), format!("status = 'resolved', resolution_id = 'pub-1', {times}")),
        (audit("pub-1"), format!("status = 'resolved', resolution_id = 'pub-9', {times}")),
        (audit("pub-1"), format!("status = 'withdrawn', {times}")),
        (audit("pub-1"), format!("status = 'withdrawn', rehash_sha256 = source_tuple_hash, rehash_at_utc = created_at_utc, {times}")),
        (audit("pub-1"), "respond_by_utc = created_at_utc".to_owned()),
        (audit("pub-1"), "taken_by = 'kim', taken_at_utc = created_at_utc".to_owned()),
        (audit("pub-1"), "last_note = 'x'".to_owned()),
        (audit("pub-2"), format!("status = 'blocked', {times}")),
        (audit("pub-2"), format!("status = 'resolved', resolution_id = 'pub-1', {times}")),
        ("UPDATE publish_snapshots SET {set}, version = version + 1 WHERE publish_run_id = 'pub-1'".to_owned(), "status = 'gate_passed', block_reason = NULL".to_owned()),
        ("UPDATE block_reason_owner_route SET {set}, version = version + 1 WHERE block_reason = 'tuple_drift'".to_owned(), "owner_user_id = 'lee', backup_owner_user_id = 'kim'".to_owned()),
        ("UPDATE block_reason_owner_route SET {set}, version = version + 1 WHERE block_reason = 'tuple_drift'".to_owned(), "sla_first_response_minutes = 0".to_owned()),
    ] {
        let said = past_the_ledger_link(&world, &statement.replace("{set}", &set));
        assert!(!said.is_empty(), "{set} was taken");
        assert!(!said.contains("not in the newest ledger entry"), "{set}: only the link refused it");
    }
    assert_eq!(standing(&world, "pub-1"), "blocked");
    world.assert_sound().await;
});

/// Runs a statement whose row is in the newest entry, as its wall asks, and returns what refuses it all the same.
fn past_the_ledger_link(world: &World, statement: &str) -> String {
    let table = if statement.contains("publish_snapshots") {
        ("publish_snapshots", "publish_run_id")
    } else if statement.contains("block_reason_owner_route") {
        ("block_reason_owner_route", "block_reason")
    } else {
        ("publish_replay_audit", "publish_run_id")
    };
    let action = match table.0 {
        "publish_snapshots" => "decide_run",
        "block_reason_owner_route" => "ack_route",
        _ if statement.contains("'resolved'") => "resolve_block",
        _ if statement.contains("'withdrawn'") => "withdraw_block",
        _ if statement.contains("taken_by") => "take_block",
        _ => "note_block",
    };
    let target = if statement.contains("'pub-2'") {
        "pub-2"
    } else {
        "pub-1"
    };
    in_the_newest_entry(world, action, target, table, statement)
}

/// Runs a statement behind an entry of an action on a target, whose one change is the row that the statement is about;
/// returns what refuses it all the same.
pub fn in_the_newest_entry(
    world: &World,
    action: &str,
    target: &str,
    (table, key): (&str, &str),
    statement: &str,
) -> String {
    let basis = if action == "decide_run" {
        "rule"
    } else {
        "person"
    };
    let actor = if basis == "rule" { "govdeck" } else { "maya" };
    let row = statement.split(" WHERE ").nth(1).expect("a condition");
    let card = format!("'{REASON_CARD}'");
    let attestation = if world.is_postgres() {
        "login"
    } else {
        "unattested"
    };
    let login = world.login_of("maya");
    let artifact = if world.is_postgres() {
        "CAST('{}' AS BYTEA)"
    } else {
        "CAST('{}' AS BLOB)"
    };
    let entry = format!(
        "INSERT INTO artifact SELECT {card}, 'text/plain', {artifact}, at_utc FROM ledger_head; \
         INSERT INTO governance_ledger (seq, ticket, action, basis, actor_id, login, attestation, target_kind, target_id, target_version, \
         state_hash, card_sha256, reason, change_count, evidence_count, at_utc, clock_anomaly, prev_hash, hash) \
         SELECT seq + 1, '{}', '{action}', '{basis}', '{actor}', '{login}', '{attestation}', 'block', '{target}', 1, hash, {card}, '{REASON}', 1, 0, at_utc, FALSE, hash, '{}' FROM ledger_head; \
         INSERT INTO ledger_change SELECT '{table}', {key}, version + 1, (SELECT seq FROM ledger_head), '{}', '{{}}' FROM {table} WHERE {row};",
        "c".repeat(32),
        "d".repeat(64),
        "e".repeat(64),
    );
    match world.sql_as("maya", &format!("BEGIN; {entry} {statement}; ROLLBACK;")) {
        Ok(_) => String::new(),
        Err(said) => said,
    }
}

/// The name of a card that no entry has.
const REASON_CARD: &str = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
