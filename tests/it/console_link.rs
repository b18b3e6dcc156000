//! The link between the console and its database, without a terminal: silence, lost answers, and a picture that ages.

use std::sync::Arc;
use std::time::Duration;

use govdeck::actions::{self, Asked, Outcome, Request, Stop};
use govdeck::console::event::Event;
use govdeck::console::link::{Address, Limits, Link};
use govdeck::console::picture::{Picture, Wanted};
use govdeck::rules::Refusal;
use govdeck::rules::guard::Answer;
use govdeck::settings::Dsn;
use govdeck::store::{OsAccount, Store};

use crate::support::cluster::cluster;
use crate::support::proxy::Proxy;
use crate::support::{REASON, World};

const CONSOLE: &str = "0123456789abcdef";
/// How long anything may take before a story gives up; less than what the program waits when nobody limits it.
const PATIENCE: Duration = Duration::from_secs(8);
/// Limits that a story can wait for.
const SHORT: Limits = Limits {
    answer: Duration::from_millis(700),
    write: Duration::from_millis(700),
    farewell: Duration::from_secs(1),
    renewal: Duration::from_secs(30),
};

/// Opens a link to a database as the founder.
fn linked(dsn: &str, limits: Limits) -> Link {
    let dsn = Dsn::parse(dsn).expect("a DSN");
    let address = Address {
        governance_root: std::path::PathBuf::from("/nonexistent"),
        viewer: None,
        direct: None,
        account: OsAccount::of_this_process().expect("an account"),
        console_id: CONSOLE.to_owned(),
        dsn,
        signer: None,
        workshop: Err(Refusal::new("nothing is made here", "look on")),
    };
    Link::start(
        &tokio::runtime::Handle::current(),
        (address, None),
        Wanted::default(),
        limits,
    )
}

fn behind(world: &World, limits: Limits) -> (Proxy, Link) {
    let proxy = Proxy::start(&cluster().socket());
    let link = linked(&proxy.url("maya", world.database()), limits);
    (proxy, link)
}

/// Waits for the next answer.
async fn answer(link: &mut Link) -> Event {
    let answer = tokio::time::timeout(PATIENCE, link.answers.recv()).await;
    answer.expect("it answers in time").expect("it answers")
}

/// Waits for a picture other than the last one.
async fn picture(link: &mut Link, last: Option<&Arc<Picture>>) -> Arc<Picture> {
    let is_new = |found: &Arc<Picture>| last.is_none_or(|last| !Arc::ptr_eq(last, found));
    let sight = link
        .sight
        .wait_for(|sight| sight.picture.as_ref().is_some_and(is_new));
    let sight = tokio::time::timeout(PATIENCE, sight).await;
    let sight = sight.expect("a picture comes").expect("the reader lives");
    sight.picture.clone().expect("a picture")
}

/// Makes a request that was confirmed as it is asked for.
async fn request(store: &Store, verb: &str, target: &str) -> Box<Request> {
    let mut view = store.view().await.expect("a view");
    let proposal = actions::propose(&mut view, verb, Asked::of(target)).await;
    let proposal = proposal.expect("a proposal");
    let answer = Answer {
        typed: proposal.phrase(),
        reason: Some(REASON.to_owned()),
    };
    Box::new(proposal.confirm(&answer).expect("it is confirmed"))
}

fn entries(world: &World) -> u32 {
    let count = world.owner_sql("SELECT COUNT(*) FROM governance_ledger");
    count.trim().parse().expect("a number")
}

/// An attempt whose words are still on their way may be written later, whatever the ledger says until then.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_written_is_said_only_when_nothing_can_be_written_any_more() {
    let world = World::postgres().await;
    world.block("r-1").await;
    let store = world.store("maya").await;
    let (proxy, mut link) = behind(&world, SHORT);
    link.submit(request(&store, "arm_console", CONSOLE).await);
    let Event::Done(_, armed) = answer(&mut link).await else {
        panic!("it is armed")
    };
    assert!(matches!(*armed, Outcome::Done(_)), "{armed:?}");
    let before = entries(&world);
    let taking = request(&store, "take_block", "r-1").await;
    let ticket = taking.ticket().to_owned();
    proxy.hold_those_open();
    link.submit(taking);
    let Event::Done(_, outcome) = answer(&mut link).await else {
        panic!("its time is over")
    };
    assert!(matches!(*outcome, Outcome::Unknown { .. }), "{outcome:?}");
    // The ledger is asked over new connections, more than once, and does not know the ticket.
    let said = tokio::time::timeout(Duration::from_secs(3), link.answers.recv()).await;
    assert!(said.is_err(), "too early: {said:?}");
    assert_eq!(entries(&world), before);
    proxy.pass();
    let Event::Resolved(resolved, found) = answer(&mut link).await else {
        panic!("it is resolved")
    };
    assert_eq!(resolved, ticket);
    assert!(found.is_some(), "it was written after all");
    assert_eq!(entries(&world), before + 1);
    store.close().await;
    world.assert_sound().await;
}

/// What time alone changes is seen too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_picture_is_renewed_though_nothing_is_written() {
    let world = World::sqlite().await;
    let limits = Limits {
        renewal: Duration::from_secs(1),
        ..Limits::default()
    };
    let mut link = linked(&world.dsn_text("maya"), limits);
    let first = picture(&mut link, None).await;
    let second = picture(&mut link, Some(&first)).await;
    assert!(second.now > first.now && second.head.seq == first.head.seq);
}

/// A connection reads on in a file that has lost its name.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_replaced_is_not_read_on() {
    let world = World::sqlite().await;
    let mut link = linked(&world.dsn_text("maya"), Limits::default());
    let first = picture(&mut link, None).await;
    let (file, copy) = (world.file(), world.file().with_extension("copy"));
    world.owner_sql(&format!("VACUUM INTO '{}'", copy.display()));
    std::fs::rename(&copy, file).expect("the folder is ours");
    world
        .act("maya", "add_person", Asked::of("ann").with("name", "Ann"))
        .await
        .expect("added");
    let lost = async |link: &mut Link| {
        let trouble = link.sight.wait_for(|sight| sight.link.trouble.is_some());
        tokio::time::timeout(PATIENCE, trouble).await.is_ok()
    };
    assert!(lost(&mut link).await, "nobody noticed");
    let mut seen = picture(&mut link, Some(&first)).await;
    while seen.head.seq == first.head.seq {
        seen = picture(&mut link, Some(&seen)).await;
    }
    assert_eq!(seen.head.seq, first.head.seq + 1);
}

/// A server that takes a connection and then says nothing holds up neither the reader nor the writer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_silent_from_the_start_is_said() {
    let world = World::postgres().await;
    world.block("r-1").await;
    let store = world.store("maya").await;
    let (proxy, mut link) = behind(&world, SHORT);
    picture(&mut link, None).await;
    proxy.black_hole();
    let taking = request(&store, "take_block", "r-1").await;
    let before = entries(&world);
    link.submit(taking);
    let Event::Done(_, outcome) = answer(&mut link).await else {
        panic!("it is answered")
    };
    assert!(matches!(*outcome, Outcome::Failed(_)), "{outcome:?}");
    assert_eq!(entries(&world), before);
    drop(link);
    let (proxy, mut link) = {
        proxy.black_hole();
        let link = linked(&proxy.url("maya", world.database()), SHORT);
        (proxy, link)
    };
    let trouble = link.sight.wait_for(|sight| sight.link.trouble.is_some());
    let trouble = tokio::time::timeout(PATIENCE, trouble).await;
    assert!(trouble.is_ok(), "nobody says so");
    drop(trouble);
    proxy.pass();
    picture(&mut link, None).await;
    store.close().await;
}

/// A question that meets a broken connection is answered, and not forgotten.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_that_cannot_be_made_is_answered() {
    let world = World::postgres().await;
    world.block("r-1").await;
    let (proxy, mut link) = behind(&world, SHORT);
    picture(&mut link, None).await;
    proxy.black_hole();
    link.plan(7, "take_block", Asked::of("r-1"));
    let Event::Planned(7, planned) = answer(&mut link).await else {
        panic!("it is answered")
    };
    assert!(matches!(*planned, Err(Stop::Store(_))), "{planned:?}");
    proxy.pass();
}

/// Disarming needs no connection that was kept from arming.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_armed_by_a_lost_answer_is_disarmed() {
    let world = World::postgres().await;
    world
        .act("maya", "arm_console", Asked::of(CONSOLE))
        .await
        .expect("armed");
    let (_proxy, mut link) = behind(&world, Limits::default());
    link.disarm();
    let Event::Disarmed = answer(&mut link).await else {
        panic!("it is disarmed")
    };
    let armed = "SELECT COUNT(*) FROM presence WHERE armed_until_utc IS NOT NULL";
    assert_eq!(world.owner_sql(armed).trim(), "0");
}
