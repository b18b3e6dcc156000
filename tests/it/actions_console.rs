//! Consoles: armed by people for some minutes, seen by all, disarmed by whoever armed them.

use govdeck::actions::{self, Asked, ByRule, Outcome, Request};
use govdeck::clock::Moment;
use govdeck::rules::guard::ARMED_MINUTES;
use govdeck::store::presence::{self, Armed};
use govdeck::store::{Sealed, ledger};

use crate::support::{World, on_both};

async fn arm(world: &World, person: &str, console: &str) -> Result<Sealed, String> {
    world.act(person, "arm_console", Asked::of(console)).await
}

async fn disarm(world: &World, person: &str, console: &str) -> Result<Sealed, String> {
    let store = world.store(person).await;
    let console = console.to_owned();
    let request = Request::by_rule(ByRule::Disarm { console }).expect("a request");
    let outcome = actions::carry_out(&store, request).await;
    store.close().await;
    match outcome {
        Outcome::Done(sealed) => Ok(sealed),
        Outcome::Refused(refusal) => Err(refusal.sentence),
        other => panic!("{other:?}"),
    }
}

async fn armed(world: &World) -> Vec<Armed> {
    let store = world.store("lee").await;
    let armed = presence::armed(&mut store.view().await.expect("a view"))
        .await
        .expect("read");
    store.close().await;
    armed
}

fn who(armed: &[Armed]) -> Vec<(&str, &str)> {
    armed
        .iter()
        .map(|armed| (armed.person_id.as_str(), armed.console_id.as_str()))
        .collect()
}

/// Moves a console's times, as only an owner can, past every wall.
fn move_back(world: &World, console: &str, minutes: i64) {
    let moved = |column: &str| {
        if world.is_postgres() {
            format!("{column} = {column} - INTERVAL '{minutes} minutes'")
        } else {
            format!(
                "{column} = strftime('%Y-%m-%dT%H:%M:%S', substr({column}, 1, 19), '-{minutes} minutes') || substr({column}, 20)"
            )
        }
    };
    world.tamper(
        "presence",
        &format!(
            "UPDATE presence SET {}, {} WHERE console_id = '{console}'",
            moved("armed_until_utc"),
            moved("seen_at_utc")
        ),
    );
}

on_both!(who_is_armed_is_an_entry_and_seen_by_all, |world| {
    assert_eq!(armed(&world).await, []);
    let one = arm(&world, "maya", "c-2").await.expect("armed");
    arm(&world, "maya", "c-1").await.expect("armed");
    arm(&world, "lee", "c-3").await.expect("armed");
    let seen = armed(&world).await;
    assert_eq!(
        who(&seen),
        [("lee", "c-3"), ("maya", "c-1"), ("maya", "c-2")]
    );
    assert_eq!(seen[2].armed_until_utc, one.at.plus_minutes(ARMED_MINUTES));

    let store = world.store("lee").await;
    let mut view = store.view().await.expect("a view");
    let entry = ledger::entries(&mut view, one.seq, 1)
        .await
        .expect("read")
        .remove(0);
    drop(view);
    store.close().await;
    assert_eq!(
        (
            entry.action.as_str(),
            entry.actor_id.as_str(),
            entry.change_count
        ),
        ("arm_console", "maya", 0)
    );
    assert_eq!(
        (
            entry.target_kind.as_str(),
            entry.target_id.as_str(),
            entry.target_version
        ),
        ("console", "c-2", 0)
    );
    world.assert_sound().await;
});

on_both!(arming_again_renews_and_is_a_new_entry, |world| {
    let first = arm(&world, "maya", "c-1").await.expect("armed");
    move_back(&world, "c-1", 5);
    let before = armed(&world).await.remove(0).armed_until_utc;
    assert_eq!(before, first.at.plus_minutes(ARMED_MINUTES - 5));
    let second = arm(&world, "maya", "c-1").await.expect("renewed");
    assert_eq!(second.seq, first.seq + 1);
    let after = armed(&world).await;
    assert_eq!(who(&after), [("maya", "c-1")]);
    assert_eq!(
        after[0].armed_until_utc,
        second.at.plus_minutes(ARMED_MINUTES)
    );
    world.assert_sound().await;
});

on_both!(arming_expires_by_itself_and_frees_the_console, |world| {
    arm(&world, "maya", "c-1").await.expect("armed");
    assert_eq!(
        arm(&world, "lee", "c-1").await,
        Err("not_anothers: armed by maya".to_owned())
    );
    move_back(&world, "c-1", ARMED_MINUTES);
    assert_eq!(armed(&world).await, []);
    let too_late = disarm(&world, "maya", "c-1").await;
    assert!(too_late.is_err_and(|no| no.starts_with("armed: armed by nobody")));
    arm(&world, "lee", "c-1").await.expect("it is free again");
    assert_eq!(who(&armed(&world).await), [("lee", "c-1")]);
    world.assert_sound().await;
});

on_both!(whoever_armed_it_disarms_it, |world| {
    let never = disarm(&world, "maya", "c-1").await;
    assert!(never.is_err_and(|no| no.starts_with("armed: armed by nobody")));
    arm(&world, "lee", "c-1").await.expect("armed");
    arm(&world, "lee", "c-2").await.expect("armed");
    let another = disarm(&world, "maya", "c-1").await.expect_err("refused");
    assert!(
        another.starts_with("same_login: armed by lee; you are "),
        "{another}"
    );
    let sealed = disarm(&world, "lee", "c-1").await.expect("disarmed");
    assert_eq!(who(&armed(&world).await), [("lee", "c-2")]);
    assert_eq!(
        world.owner_sql("SELECT action, basis, actor_id, login, target_kind, target_id, change_count FROM governance_ledger ORDER BY seq DESC LIMIT 1"),
        "disarm_console|rule|govdeck|lee|console|c-1|0"
    );
    assert_eq!(
        world.owner_sql(
            "SELECT person_id FROM presence WHERE console_id = 'c-1' AND armed_until_utc IS NULL"
        ),
        "lee"
    );
    let again = disarm(&world, "lee", "c-1").await;
    assert!(again.is_err_and(|no| no.starts_with("armed: armed by nobody")));
    let next = arm(&world, "lee", "c-1").await.expect("armed again");
    assert_eq!(next.seq, sealed.seq + 1);
    world.assert_sound().await;
});

on_both!(arming_needs_a_role_that_acts, |world| {
    let no_role = arm(&world, "kim", "c-1").await;
    assert_eq!(no_role, Err("role: kim holds no role".to_owned()));
    for (role, may) in [("viewer", false), ("faq_editor", true)] {
        world
            .act("maya", "grant_role", Asked::of("kim").with("role", role))
            .await
            .expect("granted");
        assert_eq!(arm(&world, "kim", "c-1").await.is_ok(), may, "{role}");
    }
    for bad in ["", "  ", "c\u{202e}1", "c\n1"] {
        assert!(arm(&world, "maya", bad).await.is_err(), "{bad:?} was taken");
    }
    world.assert_sound().await;
});

on_both!(nobody_is_armed_past_the_ledger, |world| {
    arm(&world, "lee", "c-1").await.expect("armed");
    world
        .act(
            "maya",
            "grant_role",
            Asked::of("kim").with("role", "on_call"),
        )
        .await
        .expect("granted");
    // The newest entry arms kim's console; what stands in its row is as good as fixed.
    let sealed = arm(&world, "kim", "c-2").await.expect("armed");
    let (at, much_later) = (sealed.at, sealed.at.plus_minutes(ARMED_MINUTES + 1));
    let until = sealed.at.plus_minutes(ARMED_MINUTES);
    let row = |console: &str, person: &str, until: Option<Moment>, seen: Moment| {
        let until = until.map_or("NULL".to_owned(), |until| format!("'{until}'"));
        format!("('{console}', '{person}', '{person}', {until}, '{seen}')")
    };
    for statement in [
        // A console of one's own that nothing armed, and another person's.
        format!(
            "INSERT INTO presence VALUES {}",
            row("c-3", "kim", Some(until), at)
        ),
        format!(
            "INSERT INTO presence VALUES {}",
            row("c-3", "lee", Some(until), at)
        ),
        "UPDATE presence SET armed_until_utc = NULL WHERE console_id = 'c-1'".to_owned(),
        "UPDATE presence SET person_id = 'kim', login = 'kim' WHERE console_id = 'c-1'".to_owned(),
        "UPDATE presence SET console_id = 'c-9' WHERE console_id = 'c-1'".to_owned(),
        "UPDATE presence SET console_id = 'c-9' WHERE console_id = 'c-2'".to_owned(),
        "UPDATE presence SET armed_until_utc = NULL WHERE console_id = 'c-2'".to_owned(),
        "UPDATE presence SET login = 'eve' WHERE console_id = 'c-2'".to_owned(),
        "DELETE FROM presence WHERE console_id = 'c-1'".to_owned(),
        "DELETE FROM presence".to_owned(),
        // Longer than the entry allows, by either of its times.
        format!("UPDATE presence SET armed_until_utc = '{much_later}' WHERE console_id = 'c-2'"),
        format!(
            "UPDATE presence SET armed_until_utc = '{much_later}', seen_at_utc = '{until}' WHERE console_id = 'c-2'"
        ),
    ] {
        let refused = world.sql(&statement);
        assert!(refused.is_err(), "was let through: {statement}");
    }
    if !world.is_postgres() {
        let replaced = world.sql(&format!(
            "REPLACE INTO presence VALUES {}",
            row("c-1", "kim", None, at)
        ));
        assert!(replaced.expect_err("refused").contains("wall presence"));
    }
    assert_eq!(who(&armed(&world).await), [("kim", "c-2"), ("lee", "c-1")]);
    // A console that is not armed is a plain feed: it says that it is there, and goes.
    for statement in [
        format!(
            "INSERT INTO presence VALUES {}",
            row("c-4", "kim", None, at)
        ),
        format!("UPDATE presence SET seen_at_utc = '{until}' WHERE console_id = 'c-4'"),
        "DELETE FROM presence WHERE console_id = 'c-4'".to_owned(),
        format!("UPDATE presence SET seen_at_utc = '{until}' WHERE console_id = 'c-2'"),
    ] {
        world.sql(&statement).expect(&statement);
    }
    world.assert_sound().await;
});

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_console_is_somebodys_own_on_postgres() {
    let world = World::postgres().await;
    let at = Moment::on_this_workstation();
    let row = format!("INSERT INTO presence VALUES ('c-1', 'lee', 'lee', NULL, '{at}')");
    let refused = world.sql_as("kim", &row).expect_err("refused");
    assert!(
        refused.contains("the login must be that of the session"),
        "{refused}"
    );
    world.sql_as("lee", &row).expect("their own");
}
