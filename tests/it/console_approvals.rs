//! The second person at a console: what waits for them and how it is told, what confirms, and two consoles that agree.

use std::time::Duration;

use govdeck::actions::Asked;
use govdeck::console::dialog::{Dialog, Focus, Stage};
use govdeck::console::event::{Effect, Event};
use govdeck::console::panes::PaneId;
use govdeck::rules::approval::Part;

use crate::actions_approvals::{in_days, propose, with_two};
use crate::console_dialog::{entries, is_asking, is_done, stage};
use crate::support::desk::{Desk, drawn, text_of};
use crate::support::folk::approval;
use crate::support::still::{self, picture};
use crate::support::{REASON, World, on_both};

/// Opens the dialog about a bypass of `fz-31` and types its words.
async fn asked_to_bypass(desk: &mut Desk, id: &str) {
    desk.choose("bypass_freeze").await;
    for word in [id.to_owned(), "fz-31".to_owned(), in_days(2)] {
        desk.write(&word).await;
        desk.press("enter").await;
    }
    assert!(is_asking(desk), "{}", desk.screen(80, 24));
}

fn phrase(desk: &Desk) -> String {
    match stage(desk) {
        Stage::Asking(asking) => asking.proposal.phrase(),
        other => panic!("{other:?}"),
    }
}

/// Types reason and phrase, and leaves the cursor on the way on.
pub async fn fill(desk: &mut Desk) {
    desk.wait(500).await;
    desk.paste(REASON).await;
    desk.press("tab").await;
    let phrase = phrase(desk);
    desk.write(&phrase).await;
    desk.press("tab").await;
}

/// Presses the button and waits until the countdown is over.
pub async fn go_ahead(desk: &mut Desk) {
    desk.press("space").await;
    desk.wait(100).await;
    assert!(is_asking(desk), "it counts down");
    desk.wait(5_100).await;
}

/// Selects the first line of Home that is a proposal.
async fn select_proposal(desk: &mut Desk) {
    desk.press("1 g g").await;
    for _ in 0..20 {
        let selected = desk.model.selected();
        if selected.is_some_and(|(kind, _)| kind == "approval") {
            return;
        }
        desk.press("j").await;
    }
    panic!("no proposal\n{}", desk.screen(80, 24));
}

fn rang(desk: &Desk) -> usize {
    let is_bell = |told: &&Effect| matches!(told, Effect::Bell(_));
    desk.told.iter().filter(is_bell).count()
}

on_both!(two_consoles_agree, |world| {
    let world = world.where_two_can_agree().await;
    with_two(&world).await;
    let mut maya = Desk::open(&world, "maya").await;
    let mut lee = Desk::open(&world, "lee").await;
    maya.choose("bypass_freeze").await;
    assert!(maya.says().contains("arm it first"), "{}", maya.says());
    maya.arm().await;
    asked_to_bypass(&mut maya, "chg-1").await;
    maya.shows(&[
        "BYPASS-FREEZE",
        "a second person; nothing changes before",
        "Undo     decline (a n): as long as it waits; after their yes cannot be undone",
    ]);
    fill(&mut maya).await;
    let before = entries(&world);
    go_ahead(&mut maya).await;
    assert!(is_done(&maya), "{}", maya.screen(80, 24));
    assert_eq!(entries(&world), before + 1);
    let ticket = world.owner_sql("SELECT ticket FROM approval_request");
    maya.shows(&[
        "PROPOSED, not done: it waits for a second person until",
        &ticket,
    ]);
    maya.hides(&["DONE:"]);
    assert!(
        maya.says().contains("bypass_freeze waits for a second"),
        "{}",
        maya.says()
    );
    assert_eq!(world.rows("SELECT COUNT(*) FROM freeze_bypass"), ["0"]);
    maya.press("esc 1").await;
    maya.see().await;
    maya.shows(&[
        "bypass-freeze chg-1  waits for a second person",
        "Waits for you · 0",
    ]);
    // The other console rings once, and shows the same.
    assert_eq!(rang(&lee), 0);
    lee.see().await;
    lee.see().await;
    assert_eq!(rang(&lee), 1);
    assert!(
        lee.says()
            .contains("maya asks for your yes: bypass-freeze of chg-1"),
        "{}",
        lee.says()
    );
    lee.shows(&["23h59m left", "maya asks for your yes", "Waits for you · 1"]);
    // Enter goes to the entry that asked, and what can be answered there is the same.
    select_proposal(&mut lee).await;
    lee.press("enter").await;
    assert_eq!(lee.model.pane, PaneId::Ledger);
    lee.shows(&[
        "ask_approval",
        "proposes bypass_freeze bypass chg-1",
        "fz-31",
    ]);
    assert_eq!(lee.model.about(), Some(("approval", ticket.clone())));
    lee.press("a").await;
    lee.shows(&["y  approve", "n  decline", "arm it first"]);
    lee.press("esc").await;
    lee.arm().await;
    lee.press("a y").await;
    assert!(is_asking(&lee), "{}", lee.screen(80, 24));
    // In the first 0.4 seconds no key counts.
    lee.press("tab").await;
    assert!(matches!(stage(&lee), Stage::Asking(asking) if asking.focus == Focus::Reason));
    lee.shows(&[
        "maya proposes bypass-freeze of chg-1",
        REASON,
        "freeze_bypass chg-1",
    ]);
    let whole = lee.screen(100, 60);
    assert!(whole.contains("Rests on 4 of 4 pass"), "{whole}");
    assert!(
        whole.contains("Undo     cannot be undone: it ends"),
        "{whole}"
    );
    assert!(phrase(&lee).ends_with(" chg-1") && phrase(&lee).len() == 10);
    fill(&mut lee).await;
    go_ahead(&mut lee).await;
    assert!(is_done(&lee), "{}", lee.screen(80, 24));
    lee.shows(&["DONE: ledger entry"]);
    lee.press("esc g g").await;
    lee.see().await;
    lee.shows(&["maya + lee", "second yes lee"]);
    maya.see().await;
    maya.hides(&["waits for a second person"]);
    assert_eq!(
        world.rows("SELECT requested_by || ' ' || approved_by FROM freeze_bypass"),
        ["maya lee"]
    );
    world.assert_sound().await;
});

on_both!(any_key_stops_the_countdown, |world| {
    let world = world.where_two_can_agree().await;
    with_two(&world).await;
    let mut maya = Desk::open(&world, "maya").await;
    maya.arm().await;
    asked_to_bypass(&mut maya, "chg-1").await;
    fill(&mut maya).await;
    let before = entries(&world);
    for key in ["j", "space", "enter", "tab", "x"] {
        maya.press("space").await;
        maya.wait(100).await;
        maya.shows(&["goes ahead in 5; any key stops it"]);
        maya.wait(4_000).await;
        maya.shows(&["goes ahead in 1"]);
        maya.press(key).await;
        assert!(maya.says().contains("stopped: nothing"), "{key}");
        maya.wait(6_000).await;
        assert!(is_asking(&maya), "{key}");
    }
    // A phrase that is pasted is none, and without it the button is closed.
    maya.press("backtab ctrl-u").await;
    let phrase = phrase(&maya);
    maya.burst(&phrase, 1).await;
    maya.wait(500).await;
    maya.press("tab space").await;
    maya.wait(6_000).await;
    assert!(is_asking(&maya));
    assert_eq!(entries(&world), before);
});

on_both!(a_no_is_said_and_an_own_proposal_taken_back, |world| {
    let world = world.where_two_can_agree().await;
    with_two(&world).await;
    let mut told = Vec::new();
    for (who, id) in [("lee", "chg-1"), ("maya", "chg-2")] {
        let ticket = propose(&world, id).await;
        let mut desk = Desk::open(&world, who).await;
        desk.arm().await;
        select_proposal(&mut desk).await;
        desk.press("a n").await;
        assert!(is_asking(&desk), "{}", desk.screen(80, 24));
        desk.shows(&["maya proposes bypass-freeze of", REASON]);
        assert_eq!(phrase(&desk), ticket);
        fill(&mut desk).await;
        desk.press("space").await;
        desk.wait(100).await;
        assert!(is_done(&desk), "{}", desk.screen(80, 24));
        desk.press("esc").await;
        desk.see().await;
        desk.hides(&[id]);
        told.extend(world.rows(&format!(
            "SELECT status FROM approval_request WHERE ticket = '{ticket}'"
        )));
    }
    assert_eq!(told, ["declined", "withdrawn"]);
    world.assert_sound().await;
});

on_both!(who_cannot_answer_is_asked_nothing, |world| {
    let world = world.where_two_can_agree().await;
    with_two(&world).await;
    propose(&world, "chg-1").await;
    let kim = Desk::open(&world, "kim").await;
    kim.hides(&["chg-1  maya asks", "Waits for you · 1"]);
    kim.shows(&["nothing waits for kim"]);
    // What lee's dialog shows locks as soon as somebody else has answered.
    let mut lee = Desk::open(&world, "lee").await;
    lee.arm().await;
    select_proposal(&mut lee).await;
    lee.press("a y").await;
    assert!(is_asking(&lee));
    let ticket = world.owner_sql("SELECT ticket FROM approval_request");
    world
        .act("maya", "decline", Asked::of(ticket.trim()))
        .await
        .expect("taken back");
    lee.see().await;
    lee.shows(&["LOCKED"]);
});

/// What a proposal rests on changes: before the second looks, or while their dialog is open.
#[derive(Clone, Copy, PartialEq)]
enum Changes {
    Before,
    Meanwhile,
}

async fn lapses(world: &World, changes: Changes) {
    with_two(world).await;
    let ticket = propose(world, "chg-1").await;
    let change = async || {
        for role in ["governance_lead", "on_call"] {
            let asked = Asked::of("maya").with("role", role);
            world.act("lee", "revoke_role", asked).await.expect("taken");
        }
    };
    let asked = Asked::of("lee").with("role", "governance_lead");
    world
        .act("maya", "grant_role", asked)
        .await
        .expect("granted");
    let mut lee = Desk::open(world, "lee").await;
    lee.arm().await;
    select_proposal(&mut lee).await;
    let ended = format!(
        "SELECT status || ': ' || ended_because FROM approval_request WHERE ticket = '{ticket}' AND status <> 'waiting'"
    );
    if changes == Changes::Meanwhile {
        lee.press("a y").await;
        assert!(is_asking(&lee));
        change().await;
        lee.see().await;
        lee.shows(&["LOCKED"]);
    } else {
        change().await;
        lee.see().await;
        assert_eq!(world.rows(&ended), [""; 0], "nobody has met it yet");
        lee.press("a y").await;
        assert!(lee.says().contains("unchanged: role"), "{}", lee.says());
    }
    let because = world.rows(&ended);
    assert!(
        because[0].starts_with("lapsed: role: maya holds no role"),
        "{because:?}"
    );
    lee.press("esc 1").await;
    lee.see().await;
    lee.hides(&["asks for your yes"]);
    lee.shows(&["end_approval"]);
    world.assert_sound().await;
}

on_both!(a_yes_that_comes_too_late_lets_the_proposal_lapse, |world| {
    let world = world.where_two_can_agree().await;
    lapses(&world, Changes::Before).await;
});

on_both!(a_dialog_that_locks_lets_the_proposal_lapse, |world| {
    let world = world.where_two_can_agree().await;
    lapses(&world, Changes::Meanwhile).await;
});

/// Without being armed a console writes nothing, so it ends nothing either.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_console_that_is_not_armed_ends_no_proposal() {
    let world = World::sqlite().await.where_two_can_agree().await;
    with_two(&world).await;
    propose(&world, "chg-1").await;
    let mut lee = Desk::open(&world, "lee").await;
    select_proposal(&mut lee).await;
    let asked = Asked::of("kim").with("role", "governance_lead");
    world
        .act("maya", "grant_role", asked)
        .await
        .expect("granted");
    let asked = Asked::of("maya").with("role", "governance_lead");
    world.act("kim", "revoke_role", asked).await.expect("taken");
    lee.see().await;
    lee.press("a y").await;
    // What stays closed comes before what arming would open.
    assert!(lee.says().contains("roles_of_two"), "{}", lee.says());
    let waits = "SELECT status FROM approval_request";
    assert_eq!(world.rows(waits), ["waiting"]);
}

/// Time alone makes it expired, by word, and nothing waits any more.
#[test]
fn what_is_over_says_so() {
    let mut model = still::model(PaneId::Home, picture);
    let screen = text_of(&drawn(&model, 80, 24));
    assert!(screen.contains("47:23 left   bypass-freeze chg-2290"));
    assert!(screen.contains("Waits for you · 5"), "{screen}");
    let later = model.at + Duration::from_secs(47 * 60 + 23);
    model.update(Event::Tick, later);
    let screen = text_of(&drawn(&model, 80, 24));
    assert!(
        screen.contains("EXPIRED      bypass-freeze chg-2290"),
        "{screen}"
    );
    assert!(screen.contains("Waits for you · 4"), "{screen}");
}

#[test]
fn a_refresh_keeps_the_line_that_is_selected() {
    let only = |targets: &'static [&'static str]| {
        move || {
            let mut picture = picture();
            let all = targets.iter();
            picture.approvals = all
                .map(|target| approval(target, Part::Second, "03:00:00"))
                .collect();
            picture
        }
    };
    let mut model = still::model(PaneId::Home, only(&["chg-1", "chg-2"]));
    let at = govdeck::console::panes::home::items(&model)
        .iter()
        .position(|item| item.subject().is_some_and(|(kind, _)| kind == "approval"));
    model.home = at.expect("a proposal") + 1;
    let selected = model.selected();
    still::show(&mut model, only(&["chg-0", "chg-1", "chg-2", "chg-3"])());
    assert_eq!(model.selected(), selected);
    still::show(&mut model, only(&["chg-1"])());
    assert_ne!(model.selected(), selected, "it is gone");
    assert!(model.selected().is_none_or(|(kind, _)| kind != "approval"));
}

/// A dialog that was opened for something else says nothing of a second person.
#[test]
fn only_what_needs_two_waits() {
    let entry = govdeck::actions::find("take_block").expect("an action");
    let at = still::model(PaneId::Home, picture).at;
    assert!(Dialog::open(entry, 1, None, at).waits.is_none());
}
