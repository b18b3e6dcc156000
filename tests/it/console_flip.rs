//! Two consoles that flip a migration at once.

use govdeck::actions::{self, Asked, Outcome, Request};
use govdeck::console::dialog::Stage;
use govdeck::rules::guard::Answer;
use govdeck::store::{Store, demo_clock};

use crate::console_approvals::{fill, go_ahead};
use crate::console_dialog::{is_asking, is_done, stage};
use crate::support::desk::{Answers, Desk};
use crate::support::hour_story::at_the_flip;
use crate::support::migration_story::{ID, ready, world};
use crate::support::{REASON, World, on_both, rounds};

/// Two consoles of whoever leads the hour.
const CONSOLES: [&str; 2] = ["one0000000000000", "two0000000000000"];

/// A terminal of whoever leads the hour, at which the flip was confirmed and is about to be carried out.
async fn about_to_flip(world: &World, console_id: &str) -> Desk {
    let mut desk = Desk::open(world, "maya").await;
    console_id.clone_into(&mut desk.model.start.console_id);
    desk.arm().await;
    desk.press("6 a x").await;
    assert!(is_asking(&desk), "{}", desk.screen(80, 24));
    desk.answers = Answers::Wait;
    fill(&mut desk).await;
    go_ahead(&mut desk).await;
    assert_eq!(desk.waiting.len(), 1, "{}", desk.screen(80, 24));
    desk
}

on_both!(of_two_consoles_that_flip_at_once_one_wins, |w| {
    let world = world(w).await;
    ready(&world).await;
    at_the_flip(&world).await;
    let mut one = about_to_flip(&world, CONSOLES[0]).await;
    let mut two = about_to_flip(&world, CONSOLES[1]).await;
    tokio::join!(one.answer(), two.answer());
    let (won, lost) = if is_done(&one) {
        (one, two)
    } else {
        (two, one)
    };
    assert!(is_done(&won), "{}", won.screen(80, 24));
    let Stage::Refused(refusal) = stage(&lost) else {
        panic!("{}", lost.screen(80, 24));
    };
    let why = refusal.to_string();
    assert!(why.contains("phase") || why.contains("changed"), "{why}");
    let flips = "SELECT COUNT(*) FROM dictionary_migration_event WHERE phase = 'cutover'";
    assert_eq!(world.rows(flips), ["1"]);
    world.assert_sound().await;
});

/// A world at the flip, with both consoles armed and a clock that stands still: however many copies are made of it, and
/// however long that takes, the hour is never over.
async fn armed_at_the_flip(w: World) -> World {
    let world = world(w).await;
    ready(&world).await;
    at_the_flip(&world).await;
    for console in CONSOLES {
        let armed = world.act("maya", "arm_console", Asked::of(console)).await;
        armed.expect("armed");
    }
    let store = world.store("maya").await;
    let at = "2098-05-22T06:25:00Z".parse().expect("a moment");
    demo_clock::set(&store, at, 0, 1).await.expect("set");
    store.close().await;
    world
}

/// What a console holds once the flip was confirmed there: a connection of its own, and the request.
async fn confirmed(world: &World) -> (Store, Request) {
    let store = world.store("maya").await;
    let mut view = store.view().await.expect("a view");
    let proposal = actions::propose(&mut view, "cutover", Asked::of(ID)).await;
    drop(view);
    let proposal = proposal.expect("a proposal");
    let answer = Answer {
        typed: proposal.phrase(),
        reason: Some(REASON.to_owned()),
    };
    (store, proposal.confirm(&answer).expect("confirmed"))
}

/// Lets both consoles flip at once, in a world of which nobody else knows; returns which of them won.
async fn race(world: &World, entry: i64) -> usize {
    let ((one, first), (two, second)) = tokio::join!(confirmed(world), confirmed(world));
    let tickets = [first.ticket().to_owned(), second.ticket().to_owned()];
    let outcomes: [Outcome; 2] = tokio::join!(
        actions::carry_out(&one, first),
        actions::carry_out(&two, second)
    )
    .into();
    one.close().await;
    two.close().await;
    let (winner, sealed, refusal) = match outcomes {
        [Outcome::Done(sealed), Outcome::Refused(refusal)] => (0, sealed, refusal),
        [Outcome::Refused(refusal), Outcome::Done(sealed)] => (1, sealed, refusal),
        other => panic!("one wins and the other is refused: {other:?}"),
    };
    assert_eq!(sealed.seq, entry);
    let at = sealed.at;
    assert_eq!(
        refusal.sentence,
        format!("{ID} was changed meanwhile: maya did cutover at {at} (entry {entry})")
    );
    assert_eq!(refusal.hint, "look again and decide anew");
    let stands = "SELECT s.phase, s.version, e.kind, e.phase, e.event_no, \
         (SELECT COUNT(*) FROM dictionary_migration_event WHERE kind = 'cutover'), \
         (SELECT COUNT(*) FROM governance_ledger WHERE action = 'cutover'), l.seq, l.ticket \
         FROM dictionary_migration_state s, dictionary_migration_event e, governance_ledger l \
         WHERE e.event_no = (SELECT MAX(event_no) FROM dictionary_migration_event) \
         AND l.seq = (SELECT MAX(seq) FROM governance_ledger)";
    let ticket = &tickets[winner];
    assert_eq!(
        world.rows(stands),
        [format!("cutover|3|cutover|cutover|3|1|1|{entry}|{ticket}")]
    );
    winner
}

on_both!(of_two_consoles_that_race_the_flip_exactly_one_wins, |w| {
    let first = armed_at_the_flip(w).await;
    let head = first.rows("SELECT seq FROM ledger_head").concat();
    let entry = head.parse::<i64>().expect("a number") + 1;
    let mut won = [0, 0];
    for round in 0..rounds() {
        let world = first.again().await;
        won[race(&world, entry).await] += 1;
        if round % 100 == 0 || round + 1 == rounds() {
            world.assert_sound().await;
        }
    }
    let [one, two] = won;
    println!("{} rounds, one won {one}, two won {two}", rounds());
});
