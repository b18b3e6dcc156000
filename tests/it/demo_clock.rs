//! Nobody bends the time of a deployment that is no demo.

use govdeck::clock::Moment;
use govdeck::demo::World as Demo;
use govdeck::store::{Failure, demo_clock};

use crate::support::on_both;

/// A row that would put a deployment a century ahead.
const CLOCK: &str = "INSERT INTO demo_clock VALUES ('demo', '2026-05-14T02:00:00.000000Z', '2126-05-14T02:00:00.000000Z', 10, 1)";

on_both!(no_clock_is_set_where_there_is_no_demo, |world| {
    let store = world.store("maya").await;
    let now = store.view().await.expect("a view").now();
    let refused = demo_clock::set(&store, now.plus_minutes(60), 10, 1)
        .await
        .expect_err("the wall stands");
    assert_eq!(refused.kind, Failure::Wall, "{refused}");
    assert!(
        refused.sentence.contains("only the time of a demo"),
        "{refused}"
    );
    store.close().await;
    let replace = CLOCK.replace("INSERT", "INSERT OR REPLACE");
    let attempts = [CLOCK, &replace];
    for attempt in &attempts[..if world.is_postgres() { 1 } else { 2 }] {
        let refused = world.sql(attempt).expect_err("the wall stands");
        assert!(refused.contains("only the time of a demo"), "{refused}");
    }
    let refused = world
        .sql("UPDATE deployment SET environment = 'demo', version = version + 1")
        .expect_err("the wall stands");
    assert!(refused.contains("wall deployment"), "{refused}");
    let refused = Demo::take_up(world.dsn("maya"), None, "maya", None)
        .await
        .map(drop)
        .expect_err("it is no demo");
    assert!(refused.to_string().ends_with("is no demo"), "{refused}");
    world.assert_sound().await;
});

on_both!(a_clock_that_got_in_is_found_and_bends_nothing, |world| {
    world.tamper("demo_clock", CLOCK);
    let store = world.store("maya").await;
    let view = store.view().await.expect("a view");
    assert_eq!((view.now(), view.rate()), (view.server_now(), 1));
    let off = view.now().since(Moment::on_this_workstation());
    assert!(off.abs() < chrono::TimeDelta::hours(1), "{off}");
    drop(view);
    store.close().await;
    assert_eq!(
        world.findings(None).await,
        ["demo_clock: would bend the time, and this is no demo"]
    );
});

on_both!(a_demo_never_becomes_anything_else, |world| {
    // Even with the first wall away, as an owner may have it, the finding remains.
    world.tamper("deployment", "UPDATE deployment SET environment = 'demo'");
    world.sql(CLOCK).expect("now it looks like a demo");
    assert!(
        world
            .findings(None)
            .await
            .iter()
            .any(|finding| finding.starts_with("deployment ")),
        "the deployment is not as its entry left it"
    );
    let store = world.store("maya").await;
    assert_eq!(store.view().await.expect("a view").rate(), 10);
    store.close().await;
});
