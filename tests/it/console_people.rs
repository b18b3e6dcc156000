//! The pane People: who is listed, in windows that cost the same anywhere, and what can be done about them.

use std::collections::BTreeSet;

use govdeck::actions::Asked;
use govdeck::console::dialog::Stage;
use govdeck::console::list::Listing;
use govdeck::console::panes::PaneId;
use govdeck::console::picture::Way;
use govdeck::rules::filter::Filter;
use govdeck::store::View;
use govdeck::store::people::{self, Listed, PERSON_FIELDS, PersonSort};
use govdeck::store::window::{Anchor, Look, Order, Window};

use crate::actions_approvals::{propose, with_two};
use crate::console_dialog::{is_asking, stage};
use crate::support::command::run;
use crate::support::desk::{Desk, drawn};
use crate::support::still::{self, picture};
use crate::support::{World, on_both};

/// Puts many people past the walls.
fn put_people(world: &World, count: u32) {
    let moment = if world.is_postgres() {
        "TIMESTAMPTZ"
    } else {
        "TEXT"
    };
    let away = world.walls_away("person");
    world.owner_sql(&format!(
        "{away} WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < {count}) \
         INSERT INTO person (person_id, kind, display_name, login, active, created_at_utc, version) \
         SELECT 'p' || n, 'human', 'P', NULL, TRUE, CAST('2026-05-14T02:14:07.000000Z' AS {moment}), 1 FROM t"
    ));
}

async fn see(view: &mut View, look: &Look<PersonSort>) -> Window<Listed> {
    people::window(view, look).await.expect("a window")
}

fn ids(window: &Window<Listed>) -> Vec<String> {
    let rows = window.rows.iter();
    rows.map(|row| row.person.person_id.clone()).collect()
}

on_both!(people_are_read_in_windows, |world| {
    put_people(&world, 1_000);
    let expected: BTreeSet<String> = world
        .rows("SELECT person_id FROM person")
        .into_iter()
        .collect();
    let store = world.store("lee").await;
    let mut view = store.view().await.expect("a view");
    for sort in PersonSort::ALL {
        for order in [Order::Natural, Order::Reversed] {
            let mut look = Look {
                sort: *sort,
                order,
                reach: 150,
                ..Look::default()
            };
            let first = see(&mut view, &look).await;
            let (mut all, mut more) = (ids(&first), first.more_after);
            while more {
                let last = all.last().expect("a row").clone();
                look.anchor = Anchor::Around(last.clone());
                let window = see(&mut view, &look).await;
                let found = ids(&window);
                let at = found.iter().position(|id| *id == last).expect("there");
                all.extend_from_slice(&found[at + 1..]);
                more = window.more_after;
            }
            let seen: BTreeSet<String> = all.iter().cloned().collect();
            assert_eq!((seen.len(), all.len()), (expected.len(), expected.len()));
            assert_eq!(seen, expected);
            if *sort == PersonSort::Id {
                let rises = all.is_sorted();
                assert_eq!(rises, order == Order::Natural);
            } else {
                // Rules and maya acted, nobody else did.
                let acted = if order == Order::Natural {
                    0
                } else {
                    all.len() - 1
                };
                assert_eq!(all[acted], "maya");
            }
        }
    }
});

on_both!(filters_and_counts_tell_who_holds_what, |world| {
    let world = world.where_two_can_agree().await;
    with_two(&world).await;
    let ticket = propose(&world, "chg-1").await;
    world
        .act("lee", "approve", Asked::of(&*ticket))
        .await
        .expect("approved");
    world
        .act("maya", "deactivate_person", Asked::of("kim"))
        .await
        .expect("deactivated");
    let store = world.store("lee").await;
    let mut view = store.view().await.expect("a view");
    for (filter, expected) in [
        ("role:governance_lead", &["maya"][..]),
        ("role:on_call", &["lee", "maya"]),
        ("state:inactive", &["kim"]),
        ("kind:service", &["govdeck"]),
        ("!kind:service !role:lead", &[]),
        ("id:le", &["lee"]),
        ("zzz", &[]),
    ] {
        let look = Look {
            filter: Filter::parse(filter, PERSON_FIELDS).expect("a filter"),
            reach: 50,
            ..Look::default()
        };
        assert_eq!(ids(&see(&mut view, &look).await), expected, "{filter}");
    }
    let look = Look {
        sort: PersonSort::LastAction,
        reach: 50,
        ..Look::default()
    };
    let window = see(&mut view, &look).await;
    let lee = window.rows.iter().find(|row| row.person.person_id == "lee");
    let lee = lee.expect("listed");
    assert_eq!(lee.roles, "engineering_lead on_call");
    assert!(lee.last_at_utc.is_some(), "to agree is to act");
    assert_eq!(window.rows[0].person.person_id, "maya");
    drop(view);
    let mut desk = Desk::open(&world, "maya").await;
    desk.press("9").await;
    desk.press("/").await;
    desk.write("id:lee").await;
    desk.press("enter").await;
    desk.shows(&[
        "engineering lead, on call",
        "role engineering lead granted by maya",
        "no key: signs nothing",
        "bypass_freeze chg-1 as the second of maya",
        "bypass-freeze (proposes or agrees)",
    ]);
});

on_both!(what_can_be_done_about_a_person_is_behind_a, |world| {
    let mut desk = Desk::open(&world, "maya").await;
    desk.press("9").await;
    desk.press("/").await;
    desk.write("id:kim").await;
    desk.press("enter").await;
    assert_eq!(desk.model.selected(), Some(("person", "kim".to_owned())));
    desk.shows(&[
        "no role",
        "once armed: deactivate-person (a d)",
        "grant-role (a g)",
    ]);
    desk.press("J").await;
    desk.shows(&["\"person_id\": \"kim\""]);
    desk.press("esc a").await;
    desk.shows(&["person kim", "arm it first"]);
    desk.press("esc").await;
    desk.arm().await;
    // Whoever is selected is the one; only the role is asked for.
    desk.press("a g").await;
    desk.write("on_call").await;
    desk.press("enter").await;
    assert!(is_asking(&desk), "{}", desk.screen(80, 24));
    desk.shows(&["GRANT-ROLE · kim/on_call"]);
    desk.press("esc").await;
    // A new person is not the selected one.
    desk.press("a p").await;
    assert!(matches!(stage(&desk), Stage::Filling(filling) if filling.fields[0].0 == "id"));
    desk.press("esc a d").await;
    assert!(is_asking(&desk), "{}", desk.screen(80, 24));
    desk.press("esc s").await;
    assert_eq!(desk.model.people.look.sort, PersonSort::LastAction);
    assert_eq!(desk.model.selected(), Some(("person", "kim".to_owned())));
});

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_deactivated_elsewhere() {
    let world = World::sqlite().await;
    let mut desk = Desk::open(&world, "maya").await;
    desk.arm().await;
    for (verb, said) in [
        (
            "deactivate_person",
            "no person is selected (select one in People: 9)",
        ),
        ("approve", "no approval is selected (select one in Home: 1)"),
    ] {
        desk.choose(verb).await;
        assert_eq!(desk.says(), said);
    }
    desk.press("a d").await;
    assert!(
        desk.says().starts_with("d is no action here;"),
        "{}",
        desk.says()
    );
}

#[test]
fn a_refresh_keeps_the_person_who_is_selected() {
    let mut model = still::model(PaneId::People, picture);
    model.people.select("kim");
    let mut turned = picture();
    turned.people.rows.reverse();
    still::show(&mut model, turned);
    assert_eq!(model.selected(), Some(("person", "kim".to_owned())));
    let mut without = picture();
    without
        .people
        .rows
        .retain(|row| row.person.person_id != "kim");
    still::show(&mut model, without);
    assert_eq!(model.people.selected.as_deref(), Some("kim"));
    for size in [(1, 1), (20, 5), (40, 10), (59, 15), (300, 100)] {
        drawn(&model, size.0, size.1);
    }
}

on_both!(who_is_connected_is_said_where_a_server_knows, |world| {
    let mut desk = Desk::open(&world, "maya").await;
    desk.press("9").await;
    let looks = |desk: &Desk, who: &str| {
        let screen = desk.screen(160, 48);
        let is_row = |line: &&str| line.contains(&format!(" {who} ")) && line.contains(" active ");
        let row = screen.lines().find(is_row);
        row.unwrap_or_else(|| panic!("{screen}"))
            .contains(" looks ")
    };
    assert_eq!(looks(&desk, "maya"), world.is_postgres());
    assert!(!looks(&desk, "lee"));
    let lees = world.store("lee").await;
    desk.see().await;
    assert_eq!(looks(&desk, "lee"), world.is_postgres());
    assert!(!looks(&desk, "kim"));
    if world.is_postgres() {
        desk.shows(&["connected"]);
        let told = run(world.govdeck("maya", &["status"])).stdout;
        assert!(told.contains("connected now: lee, maya\n"), "{told}");
    } else {
        desk.hides(&["connected"]);
    }
    lees.close().await;
    // Behind a pooler a server knows its pooler alone, so nothing is said.
    desk.model.start.way = Way::Pooler;
    desk.press("1 9").await;
    assert!(!looks(&desk, "maya"));
    desk.hides(&["connected"]);
    desk.arm().await;
    assert!(desk.screen(160, 48).contains(" ARMED "));
});
