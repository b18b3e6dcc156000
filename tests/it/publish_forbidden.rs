//! Every move of a run, a block or a route that is not allowed, tried at the console, on the command line and by plain SQL.

use govdeck::actions::{self, ENTRIES};
use govdeck::console::dialog::Stage;
use govdeck::rules::people::Basis;

use crate::actions_endings::in_the_newest_entry;
use crate::cli_kit::{govdeck, refused};
use crate::support::desk::Desk;
use crate::support::{REASON, World, on_both};
use govdeck::actions::Asked;

/// A move that is not allowed.
struct Forbidden {
    verb: &'static str,
    target: &'static str,
    fields: Vec<(&'static str, String)>,
    /// The condition that refuses it.
    says: &'static str,
    /// What plain SQL would set.
    set: String,
}

const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
const ENDS: &str = "resolved_at_utc = created_at_utc";

/// What has become of a run: still open, and in each of the ways in which nothing more may happen to it.
async fn a_run_of_every_kind(world: &World) {
    world.register_footer().await;
    let pass = async |run: &str, change: &str| {
        world.mint(run, Some(A), Some(A)).expect("minted");
        let set = format!("UPDATE publish_snapshots SET {change} WHERE publish_run_id = '{run}'");
        world.sql(&set).expect("a pipeline may, while it waits");
        world.decide(run).await.expect("decided");
    };
    pass("earlier", "freeze_id = 'fz-30'").await;
    for run in ["open", "taken", "resolved", "withdrawn"] {
        world.block(run).await;
    }
    pass("footer", "footer_schema_semver = 'v2.3.9'").await;
    pass("passed", "freeze_id = 'fz-32'").await;
    pass("elsewhere", "publish_scope = 'uptime/customers'").await;
    pass("drill", "drill = TRUE").await;
    let by = Asked::of("resolved").with("by", "passed");
    let back = Asked::of("withdrawn").with("rehash", A);
    for (who, verb, asked) in [
        ("lee", "take_block", Asked::of("taken")),
        ("maya", "escalate_block", Asked::of("open")),
        ("maya", "resolve_block", by),
        ("maya", "withdraw_block", back),
    ] {
        world.act(who, verb, asked).await.expect(verb);
    }
}

fn forbidden(
    verb: &'static str,
    target: &'static str,
    field: Option<(&'static str, &str)>,
    says: &'static str,
    set: impl Into<String>,
) -> Forbidden {
    Forbidden {
        verb,
        target,
        fields: field
            .into_iter()
            .map(|(name, value)| (name, value.to_owned()))
            .collect(),
        says,
        set: set.into(),
    }
}

fn resolved_by(run: &str) -> String {
    format!("status = 'resolved', resolution_id = '{run}', {ENDS}")
}

fn withdrawn_with(hash: &str) -> String {
    format!(
        "status = 'withdrawn', rehash_sha256 = '{hash}', rehash_at_utc = created_at_utc, {ENDS}"
    )
}

/// The moves of open blocks that are not allowed.
fn of_open_blocks() -> Vec<Forbidden> {
    let take = "taken_by = 'maya', taken_at_utc = created_at_utc";
    let mut all = vec![
        forbidden(
            "withdraw_block",
            "open",
            Some(("rehash", B)),
            "source_restored",
            withdrawn_with(B),
        ),
        forbidden(
            "withdraw_block",
            "footer",
            Some(("rehash", A)),
            "can_be_withdrawn",
            withdrawn_with(A),
        ),
        forbidden("take_block", "taken", None, "not_taken", take),
        forbidden(
            "escalate_block",
            "open",
            None,
            "not_escalated",
            "escalated_by = 'maya', escalated_at_utc = created_at_utc",
        ),
        forbidden(
            "note_block",
            "open",
            Some(("note", "on it")),
            "taken",
            "last_note = 'on it', progress_at_utc = created_at_utc",
        ),
        forbidden(
            "reassign_block",
            "taken",
            Some(("to", "kim")),
            "not_taken",
            "owner_user_id = 'kim'",
        ),
    ];
    let wrong = [
        ("open", "another_run"),
        ("nowhere", "passed"),
        ("footer", "passed"),
        ("earlier", "later"),
        ("elsewhere", "same_scope"),
        ("drill", "same_scope"),
    ];
    all.extend(wrong.map(|(by, says)| {
        forbidden(
            "resolve_block",
            "open",
            Some(("by", by)),
            says,
            resolved_by(by),
        )
    }));
    all
}

/// Whatever can be done with an open block, tried on what is none any more, and on what never was one.
fn of_ended_runs() -> Vec<Forbidden> {
    let of = |target: &'static str| {
        [
            forbidden(
                "take_block",
                target,
                None,
                "block_open",
                "taken_by = 'maya', taken_at_utc = created_at_utc",
            ),
            forbidden(
                "escalate_block",
                target,
                None,
                "block_open",
                "escalated_by = 'maya', escalated_at_utc = created_at_utc",
            ),
            forbidden(
                "note_block",
                target,
                Some(("note", "x")),
                "block_open",
                "status = 'blocked', resolved_at_utc = NULL, resolution_id = NULL, rehash_sha256 = NULL, rehash_at_utc = NULL",
            ),
            forbidden(
                "reassign_block",
                target,
                Some(("to", "kim")),
                "block_open",
                "owner_user_id = 'kim'",
            ),
            forbidden(
                "resolve_block",
                target,
                Some(("by", "elsewhere")),
                "block_open",
                resolved_by("elsewhere"),
            ),
            forbidden(
                "withdraw_block",
                target,
                Some(("rehash", B)),
                "block_open",
                withdrawn_with(B),
            ),
        ]
    };
    ["resolved", "withdrawn", "passed"]
        .into_iter()
        .flat_map(of)
        .collect()
}

/// Tries a move on the command line with the very words that an allowed one takes; returns what refuses it.
fn on_the_command_line(world: &World, it: &Forbidden) -> String {
    let name = it.verb.replace('_', "-");
    let mut words = vec!["act", &name, it.target];
    let options: Vec<String> = it
        .fields
        .iter()
        .map(|(name, _)| format!("--{name}"))
        .collect();
    for (option, (_, value)) in options.iter().zip(&it.fields) {
        words.extend([option.as_str(), value]);
    }
    let level = actions::find(it.verb).expect("an action").level;
    let asks_y = level == govdeck::rules::guard::Level::Confirm;
    words.extend(["--confirm", if asks_y { "y" } else { it.target }]);
    words.extend(["--reason", REASON]);
    refused(&govdeck(world, "maya", &words), 1).0
}

/// Tries a move at an armed console: on the selected row where it is in the list, and by typing its id elsewhere.
async fn at_the_console(desk: &mut Desk, it: &Forbidden) -> String {
    let entry = actions::find(it.verb).expect("an action");
    desk.press("esc 4 esc /").await;
    desk.paste(&format!("run:{}", it.target)).await;
    desk.press("enter").await;
    let is_listed = desk.model.selected().is_some_and(|(_, id)| id == it.target);
    if !is_listed {
        desk.shows(&["0 rows pass the filter"]);
    }
    desk.press(&format!("a {}", entry.key)).await;
    if desk.model.dialog.is_none() {
        // Refused before anything could be typed.
        return desk.says().to_owned();
    }
    assert!(!it.fields.is_empty(), "{}", desk.screen(80, 24));
    let target = (!is_listed).then_some(it.target);
    let typed = target
        .into_iter()
        .chain(it.fields.iter().map(|(_, value)| value.as_str()));
    for word in typed {
        // What is offered is typed over.
        desk.press(&"backspace ".repeat(10)).await;
        desk.paste(word).await;
        desk.press("enter").await;
    }
    let Some(dialog) = &desk.model.dialog else {
        panic!("{} {}: {}", it.verb, it.target, desk.screen(80, 24));
    };
    let Stage::Filling(filling) = &dialog.stage else {
        panic!("{} {}: {}", it.verb, it.target, desk.screen(80, 24));
    };
    let said = filling.wrong.as_ref().expect("why not").sentence.clone();
    desk.press("esc").await;
    said
}

/// Tries a move by plain SQL, with an entry of the right action before it, so that more than the ledger link refuses it.
fn by_plain_sql(world: &World, it: &Forbidden) {
    let update = format!(
        "UPDATE publish_replay_audit SET {}, version = version + 1 WHERE publish_run_id = '{}'",
        it.set, it.target
    );
    let table = ("publish_replay_audit", "publish_run_id");
    let said = in_the_newest_entry(world, it.verb, it.target, table, &update);
    assert!(
        !said.is_empty(),
        "{} {} was taken: {}",
        it.verb,
        it.target,
        it.set
    );
    assert!(
        !said.contains("not in the newest ledger entry"),
        "{}: {said}",
        it.set
    );
    // And without any entry, as somebody would who knows nothing of the ledger.
    world.sql(&update).expect_err(&it.set);
}

/// Tells where every run stands, and how long the ledger is.
fn standing(world: &World) -> String {
    world.owner_sql(
        "SELECT COUNT(*) FROM governance_ledger; \
         SELECT publish_run_id, status, version, taken_by, resolution_id FROM publish_replay_audit ORDER BY publish_run_id; \
         SELECT publish_run_id, status, version FROM publish_snapshots ORDER BY publish_run_id",
    )
}

on_both!(no_block_moves_but_as_it_may, |world| {
    a_run_of_every_kind(&world).await;
    let mut desk = Desk::open(&world, "maya").await;
    desk.arm().await;
    let before = standing(&world);
    for it in of_open_blocks().iter().chain(&of_ended_runs()) {
        let names_it = |said: &str| said.split("; ").any(|said| said.starts_with(it.says));
        let said = on_the_command_line(&world, it);
        assert!(names_it(&said), "{} {}: {said}", it.verb, it.target);
        let said = at_the_console(&mut desk, it).await;
        // What is not in the list cannot be selected, which is what a key without words needs.
        let is_unlisted =
            it.fields.is_empty() && said.starts_with("no block is selected (select one in Blocks");
        let is_refused = names_it(&said) || (it.says == "block_open" && is_unlisted);
        assert!(
            is_refused,
            "{} {} at the console: {said}",
            it.verb, it.target
        );
        by_plain_sql(&world, it);
    }
    assert_eq!(standing(&world), before);
    world.assert_sound().await;
});

on_both!(no_run_is_decided_twice, |world| {
    a_run_of_every_kind(&world).await;
    let before = standing(&world);
    // No key decides, so that nothing at the console can be tried: a pipeline asks the gate.
    let decide = ENTRIES
        .iter()
        .find(|entry| entry.verb == "decide_run")
        .expect("listed");
    assert_eq!((decide.basis, decide.key), (Basis::Rule, ' '));
    for (run, stands) in [
        ("open", "blocked"),
        ("resolved", "blocked"),
        ("passed", "gate_passed"),
    ] {
        let (sentence, _) = refused(&govdeck(&world, "maya", &["gate", "publish", run]), 3);
        assert_eq!(sentence, format!("pending: the run is {stands}"));
    }
    let (sentence, _) = refused(&govdeck(&world, "maya", &["gate", "publish", "nowhere"]), 3);
    assert_eq!(sentence, "there is no run \"nowhere\"");
    let passes = format!(
        "status = 'gate_passed', block_reason = NULL, source_tuple_hash = '{A}', publish_tuple_hash = '{A}'"
    );
    let waits = "status = 'pending_gate', block_reason = NULL, decided_at_utc = NULL";
    let blocks = "status = 'blocked', block_reason = 'tuple_drift'";
    for (run, set) in [
        ("open", passes.as_str()),
        ("open", waits),
        ("open", "block_reason = 'footer_schema_drift'"),
        ("open", "publish_scope = 'uptime/customers'"),
        ("passed", blocks),
        ("passed", waits),
        ("passed", "artifact_ref = 'sha256:00'"),
    ] {
        let update = format!(
            "UPDATE publish_snapshots SET {set}, version = version + 1 WHERE publish_run_id = '{run}'"
        );
        let table = ("publish_snapshots", "publish_run_id");
        let said = in_the_newest_entry(&world, "decide_run", run, table, &update);
        assert!(!said.is_empty(), "{run}: {set} was taken");
        assert!(
            !said.contains("not in the newest ledger entry"),
            "{set}: {said}"
        );
        world.sql(&update).expect_err(set);
    }
    assert_eq!(standing(&world), before);
    world.assert_sound().await;
});

/// Three changes of route: acknowledged, declined, and one of maya's own that waits.
async fn a_route_of_every_kind(world: &World) {
    let role = |person: &str, role: &str| Asked::of(person).with("role", role);
    let change = |id: &str, reason: &str, minutes: &str| {
        let asked = Asked::of(id).with("for", reason).with("minutes", minutes);
        asked.with("owner", "maya").with("backup", "lee")
    };
    for (who, verb, asked) in [
        ("maya", "grant_role", role("kim", "signer")),
        ("maya", "grant_role", role("lee", "governance_lead")),
        ("lee", "grant_role", role("maya", "signer")),
        (
            "maya",
            "propose_route",
            change("acked", "tuple_drift", "45"),
        ),
        ("kim", "ack_route", Asked::of("acked")),
        (
            "maya",
            "propose_route",
            change("declined", "tuple_drift", "50"),
        ),
        ("kim", "decline_route", Asked::of("declined")),
        ("maya", "propose_route", change("own", "tuple_drift", "55")),
    ] {
        world.act(who, verb, asked).await.expect(verb);
    }
}

on_both!(no_route_changes_but_as_it_may, |world| {
    a_route_of_every_kind(&world).await;
    let mut desk = Desk::open(&world, "maya").await;
    desk.arm().await;
    let all = "SELECT route_change_id, status, acked_by FROM route_change ORDER BY 1; \
         SELECT block_reason, sla_first_response_minutes FROM block_reason_owner_route ORDER BY 1; SELECT COUNT(*) FROM governance_ledger";
    let before = world.owner_sql(all);
    let becomes = |status: &str, by: &str| {
        format!("status = '{status}', acked_by = '{by}', acked_at_utc = proposed_at_utc")
    };
    for (verb, id, says, set) in [
        (
            "ack_route",
            "own",
            "another_signer",
            becomes("acked", "maya"),
        ),
        ("ack_route", "acked", "pending", becomes("acked", "maya")),
        (
            "decline_route",
            "acked",
            "pending",
            becomes("declined", "maya"),
        ),
        ("ack_route", "declined", "pending", becomes("acked", "maya")),
        (
            "decline_route",
            "declined",
            "pending",
            becomes("declined", "maya"),
        ),
        (
            "ack_route",
            "nowhere",
            "there is no change",
            becomes("pending", "maya"),
        ),
    ] {
        let it = forbidden(verb, id, None, says, set.as_str());
        let said = on_the_command_line(&world, &it);
        assert!(said.contains(says), "{verb} {id}: {said}");
        let key = actions::find(verb).expect("an action").key;
        desk.press(&format!("esc esc 4 a {key}")).await;
        desk.paste(id).await;
        desk.press("enter").await;
        let Some(Stage::Filling(filling)) = desk.model.dialog.as_ref().map(|it| &it.stage) else {
            panic!("{verb} {id}: {}", desk.screen(80, 24));
        };
        let said = &filling.wrong.as_ref().expect("why not").sentence;
        assert!(said.contains(says), "{verb} {id} at the console: {said}");
        desk.press("esc").await;
        let update = format!(
            "UPDATE route_change SET {set}, version = version + 1 WHERE route_change_id = '{id}'"
        );
        if id != "nowhere" {
            let said = in_the_newest_entry(
                &world,
                verb,
                id,
                ("route_change", "route_change_id"),
                &update,
            );
            assert!(!said.is_empty(), "{verb} {id} was taken");
            assert!(
                !said.contains("not in the newest ledger entry"),
                "{set}: {said}"
            );
            world.sql(&update).expect_err(&set);
        }
    }
    assert_eq!(world.owner_sql(all), before);
    world.assert_sound().await;
});

on_both!(a_registry_with_two_rows_lets_nothing_pass, |world| {
    world.register_footer().await;
    // Only an owner who takes the schema itself apart gets there; the gate is the wall that is left.
    if world.is_postgres() {
        world.owner_sql(
            "ALTER TABLE footer_schema_registry DISABLE TRIGGER USER; \
             ALTER TABLE footer_schema_registry DROP CONSTRAINT footer_schema_registry_slot_check; \
             INSERT INTO footer_schema_registry SELECT 'second', current_semver, updated_at_utc, updated_by_user_id, version FROM footer_schema_registry",
        );
    } else {
        let away = world.walls_away("footer_schema_registry");
        world.owner_sql(&format!(
            "PRAGMA ignore_check_constraints = ON; {away} \
             INSERT INTO footer_schema_registry SELECT 'second', current_semver, updated_at_utc, updated_by_user_id, version FROM footer_schema_registry"
        ));
    }
    world.mint("two", Some(A), Some(A)).expect("minted");
    let run = govdeck(&world, "maya", &["gate", "publish", "two", "--json"]);
    let decided = crate::cli_kit::document(&run, 1, "gate-publish");
    assert_eq!(decided["block_reason"], "footer_schema_drift");
    assert!(!world.findings(None).await.is_empty(), "and it is found");
});
