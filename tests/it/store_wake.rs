//! Poolers and wake-ups: reads through a pooler are never somebody else's, and changes are noticed.

use std::time::Duration;

use govdeck::actions::Asked;
use govdeck::settings::Dsn;
use govdeck::store::wake::{Source, Wake};
use govdeck::store::{Access, OsAccount, Store, ledger, person};

use crate::support::cluster::cluster;
use crate::support::pooler::Pooler;
use crate::support::{PEOPLE, World, act_on, on_both, rounds};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_clients_behind_a_pooler_get_their_own_answers() {
    let world = World::postgres().await;
    let pooler = Pooler::start(cluster());
    for n in 0..20 {
        world
            .act(
                "maya",
                "add_person",
                Asked::of(format!("p{n}")).with("name", format!("Person {n}")),
            )
            .await
            .expect("added");
    }
    let mut clients = Vec::new();
    for client in 0..8_usize {
        let login = PEOPLE[client % PEOPLE.len()];
        let dsn = Dsn::parse(&pooler.url(login, world.database())).expect("a DSN");
        clients.push(tokio::spawn(async move {
            let store = Store::open(&dsn, OsAccount::named(login), Access::Write)
                .await
                .expect("it opens");
            let mut wrong = 0;
            for round in 0..rounds() {
                let mut view = store.view().await.expect("a view");
                let n = (round as usize * 7 + client * 3) % 20;
                let asked = format!("p{n}");
                // Each answer says by itself whose it is: the login, the person asked for, the entry asked for.
                wrong += u32::from(view.login() != login);
                let found = person::find(&mut view, &asked)
                    .await
                    .expect("read")
                    .expect("there");
                wrong += u32::from(
                    found.person_id != asked || found.display_name != format!("Person {n}"),
                );
                let seq = i64::try_from(n).expect("small") + 1;
                let entry = ledger::entries(&mut view, seq, 1)
                    .await
                    .expect("read")
                    .remove(0);
                wrong += u32::from(entry.seq != seq);
            }
            store.close().await;
            wrong
        }));
    }
    let mut wrong = 0;
    for client in clients {
        wrong += client.await.expect("no panic");
    }
    assert_eq!(wrong, 0);
    let dsn = Dsn::parse(&pooler.url("maya", world.database())).expect("a DSN");
    let store = Store::open(&dsn, OsAccount::named("maya"), Access::Write)
        .await
        .expect("it opens");
    act_on(&store, "add_person", Asked::of("ann").with("name", "Ann"))
        .await
        .expect("guarded actions work behind it too");
    world.assert_sound().await;
}

async fn is_noticed(wake: &mut Wake) {
    tokio::time::timeout(Duration::from_secs(10), wake.changed())
        .await
        .expect("noticed in time")
        .expect("the counter is read");
}

on_both!(
    a_change_elsewhere_is_noticed_with_a_hint_and_without,
    |world| {
        let dsn = world.dsn("maya");
        let store = world.store("maya").await;
        let direct = world.is_postgres().then_some(&dsn);
        let mut wake = Wake::on(&store, &dsn, direct).await.expect("it waits");
        assert_eq!(
            wake.source(),
            if world.is_postgres() {
                Source::Notify
            } else {
                Source::FileWatch
            }
        );
        for n in 0..5 {
            world
                .act(
                    "maya",
                    "add_person",
                    Asked::of(format!("p{n}")).with("name", "P"),
                )
                .await
                .expect("added");
            is_noticed(&mut wake).await;
        }
        // A feed that moves is noticed as well.
        world.mint("pub-1", None, None).expect("minted");
        is_noticed(&mut wake).await;
        // And nothing is, when nothing happens.
        let quiet = tokio::time::timeout(Duration::from_millis(1500), wake.changed()).await;
        assert!(quiet.is_err(), "nothing changed");
        if world.is_postgres() {
            let mut polling = Wake::on(&store, &dsn, None).await.expect("it waits");
            assert_eq!(polling.source(), Source::Polling);
            world
                .act("maya", "add_person", Asked::of("ann").with("name", "Ann"))
                .await
                .expect("added");
            is_noticed(&mut polling).await;
            world.mint("pub-2", None, None).expect("minted");
            is_noticed(&mut polling).await;
        }
    }
);

on_both!(a_view_does_not_move_while_it_is_looked_at, |world| {
    let store = world.store("maya").await;
    let mut view = store.view().await.expect("a view");
    let before = ledger::head(&mut view).await.expect("a head");
    world
        .act("maya", "add_person", Asked::of("ann").with("name", "Ann"))
        .await
        .expect("added meanwhile");
    assert_eq!(ledger::head(&mut view).await.expect("a head"), before);
    drop(view);
    assert_ne!(
        ledger::head(&mut store.view().await.expect("a view"))
            .await
            .expect("a head"),
        before
    );
});

on_both!(each_turn_is_a_heartbeat, |world| {
    let dsn = world.dsn("maya");
    let store = world.store("maya").await;
    let mut wake = Wake::on(&store, &dsn, None).await.expect("it waits");
    let mut quiet = 0;
    let begun = std::time::Instant::now();
    while begun.elapsed() < Duration::from_millis(2_500) {
        let changed = wake.turn().await.expect("the counter is read");
        assert!(!changed, "nothing changed");
        quiet += 1;
    }
    assert!(quiet >= 2, "heard {quiet} times");
    world
        .act("maya", "add_person", Asked::of("ann").with("name", "Ann"))
        .await
        .expect("added");
    while !wake.turn().await.expect("the counter is read") {}
    assert!(
        !wake.turn().await.expect("the counter is read"),
        "told once"
    );
});

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listener_that_was_cut_off_polls_until_it_listens_again() {
    let world = World::postgres().await;
    let dsn = world.dsn("maya");
    let store = world.store("maya").await;
    let mut wake = Wake::on(&store, &dsn, Some(&dsn)).await.expect("it waits");
    assert_eq!(wake.source(), Source::Notify);
    let cut = world.owner_sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'",
    );
    assert_eq!(cut, "t");
    for awaited in [Source::Polling, Source::Notify] {
        tokio::time::timeout(Duration::from_secs(10), async {
            while wake.source() != awaited {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await
        .expect("noticed in time");
    }
    world
        .act("maya", "add_person", Asked::of("ann").with("name", "Ann"))
        .await
        .expect("added");
    is_noticed(&mut wake).await;
}
