//! The story of a cutover: it opens ready, its hour is led by whoever has the seat, and the others do their part.

use std::path::Path;

use govdeck::actions::{self, Asked, Outcome};
use govdeck::demo::chapters::migration::ID;
use govdeck::demo::chapters::people::{BACKUP, LEAD, OPERATIONS, READY, SEATS};
use govdeck::demo::{Story, World, root_of};
use govdeck::jobs::hour::{self, Commands, Reach};
use govdeck::rules::guard::Answer;
use govdeck::rules::migration::hour::{HourStatus, Step, StepState};
use govdeck::rules::migration::{Phase, reports};
use govdeck::settings::Dsn;
use govdeck::store::migration::{self, Known};
use govdeck::store::{Access, OsAccount, Store, delivery, ledger, verify};

use crate::support::command::Home;

const MINUTE: i64 = 60;

/// A newcomer with maya's seat.
struct Seat {
    home: Home,
    world: World,
    store: Store,
}

impl Seat {
    async fn taken() -> Self {
        let home = Home::new();
        let dsn = Dsn::of_file(&home.folder().join("demo.db")).expect("a path");
        let world = World::make(dsn.clone(), Story::Cutover, LEAD, 1).await;
        let world = world.unwrap_or_else(|stop| panic!("{stop}"));
        let store = Store::open(&dsn, OsAccount::named(LEAD), Access::Write).await;
        Self {
            home,
            world,
            store: store.expect("it opens"),
        }
    }

    fn path(&self) -> std::path::PathBuf {
        self.home.folder().join("demo.db")
    }

    async fn act(&self, verb: &str, fields: &[(&str, &str)]) {
        let asked = Asked::of(ID);
        let asked = fields
            .iter()
            .fold(asked, |asked, (field, value)| asked.with(field, *value));
        let mut view = self.store.view().await.expect("a view");
        let proposal = actions::propose(&mut view, verb, asked).await;
        drop(view);
        let proposal = proposal.unwrap_or_else(|stop| panic!("{verb}: {stop}"));
        let answer = Answer {
            typed: proposal.phrase(),
            reason: Some("the newcomer does what the card says".to_owned()),
        };
        let request = proposal.confirm(&answer);
        let request = request.unwrap_or_else(|stop| panic!("{verb}: {stop}"));
        let outcome = actions::carry_out(&self.store, request).await;
        assert!(matches!(outcome, Outcome::Done(_)), "{verb}: {outcome:?}");
    }

    async fn begin(&self, step: Step, becomes: StepState) {
        self.act("begin_step", &[("step", step.word())]).await;
        let reach = Reach {
            root: root_of(&self.path()),
            commands: Commands::default(),
        };
        let done = hour::perform(&self.store, &reach, ID).await;
        let done = done.unwrap_or_else(|stop| panic!("{step}: {stop}"));
        assert_eq!((done.step, done.state), (step, becomes), "{done:?}");
    }

    async fn attest(&self, step: Step) {
        self.act("attest_step", &[("step", step.word()), ("as", "done")])
            .await;
    }

    async fn minutes(&mut self, minutes: i64) {
        let lived = self.world.live_through(minutes * MINUTE).await;
        lived.expect("it goes on");
    }

    /// Each look at the keys of exports: phase and verdict, the first first.
    async fn fingerprints(&self) -> Vec<String> {
        let mut view = self.store.view().await.expect("a view");
        let entries = ledger::entries(&mut view, 1, 100_000).await;
        let entries = entries.expect("they are read").into_iter();
        let looks = entries.filter(|entry| entry.action == "record_fingerprint");
        let mut found = Vec::new();
        for entry in looks {
            let changes = ledger::changes(&mut view, entry.seq, entry.seq).await;
            let image = &changes.expect("they are read")[0].after_image;
            let row: serde_json::Value = serde_json::from_str(image).expect("JSON");
            let word = |key: &str| row[key].as_str().expect("a word").to_owned();
            found.push(format!("{} {}", word("phase"), word("verdict")));
        }
        found
    }

    async fn known(&self) -> Known {
        let mut view = self.store.view().await.expect("a view");
        let known = migration::known(&mut view, ID).await.expect("read");
        known.expect("it is there")
    }

    /// Goes through the hour until exporters write the modern half alone.
    async fn flipped(&mut self) {
        self.act("start_hour", &[]).await;
        self.attest(Step::Announce).await;
        self.minutes(15).await;
        self.begin(Step::Golden, StepState::Done).await;
        self.begin(Step::Flip, StepState::Running).await;
        self.act("cutover", &[]).await;
        self.attest(Step::Flip).await;
    }

    async fn ends_sound(self) {
        let path = self.path();
        let mut view = self.store.view().await.expect("a view");
        let report = verify::verify(&mut view, None).await.expect("a report");
        assert_eq!(report.findings, []);
        drop(view);
        self.store.close().await;
        self.world.end().await;
        let taken = World::take_up(Dsn::of_file(&path).expect("a path"), None, LEAD, None).await;
        let taken = taken.unwrap_or_else(|stop| panic!("{stop}"));
        assert_eq!(taken.story(), Story::Cutover);
        taken.end().await;
    }
}

#[tokio::test]
async fn it_opens_with_every_gate_open_and_its_hour_is_done_to_its_end() {
    let mut seat = Seat::taken().await;
    let known = seat.known().await;
    assert_eq!(known.migration.phase, Phase::DualWrite);
    let view = seat.store.view().await.expect("a view");
    let now = view.now();
    drop(view);
    let found = known.decide(now, |facts| reports(facts, Phase::Cutover));
    let closed: Vec<_> = found.iter().filter(|report| !report.lets_pass()).collect();
    assert!(closed.is_empty(), "{closed:#?}");
    let overridden = found.iter().any(|report| report.overridden_until.is_some());
    assert!(!overridden, "everything was really done");
    let entries = ledger::entries(&mut seat.store.view().await.expect("a view"), 1, 100_000).await;
    let entries = entries.expect("they are read");
    let start = entries[0].at_utc;
    for entry in &entries {
        let is_later = entry.at_utc.since(start).num_seconds() >= READY;
        assert!(!is_later || entry.login != LEAD, "{entry:?}");
    }
    for person in [BACKUP, OPERATIONS, "kim", "ana"] {
        assert!(
            entries.iter().any(|entry| entry.login == person),
            "{person}"
        );
    }

    // A key that nobody had allowed was found at once, and mended within the hour.
    let looks = seat.fingerprints().await;
    assert_eq!(looks[..2], ["dual_write fail", "dual_write pass"]);
    assert!(looks.len() > 6, "{looks:?}");
    assert!(looks[1..].iter().all(|it| it == "dual_write pass"));
    let mut view = seat.store.view().await.expect("a view");
    let told = delivery::newest(&mut view, None, 1_000).await;
    drop(view);
    let told = told.expect("read").into_iter();
    let drifts = told.filter(|it| it.event_class == "exporter_drift");
    assert_eq!(
        drifts.map(|it| it.recipient_id).collect::<Vec<_>>(),
        ["kim"]
    );

    seat.flipped().await;
    seat.minutes(1).await;
    let looks = seat.fingerprints().await;
    assert_eq!(looks.last().expect("one"), "cutover pass");
    seat.begin(Step::Purge, StepState::Running).await;
    seat.attest(Step::Purge).await;
    seat.begin(Step::Reconcile, StepState::Done).await;
    seat.minutes(3).await;
    let known = seat.known().await;
    let closed = known.events.last().expect("moved");
    assert_eq!(closed.moved_by, BACKUP);
    assert!(known.migration.closed_at_dt_utc.is_some());
    let note =
        "Two columns have another name since today, and no total moved by more than was agreed on.";
    seat.act("note_post_mortem", &[("note", note)]).await;
    let known = seat.known().await;
    let hour = known.hour.as_ref().expect("there was one");
    assert_eq!(hour.hour.status, HourStatus::Done);
    seat.ends_sound().await;
}

#[tokio::test]
async fn what_the_seat_takes_back_is_countersigned_and_leaves_the_world_sound() {
    let mut seat = Seat::taken().await;
    seat.flipped().await;
    seat.act("abort_hour", &[]).await;
    seat.minutes(3).await;
    let known = seat.known().await;
    assert_eq!(known.migration.phase, Phase::Rollback);
    let hour = known.hour.as_ref().expect("there was one");
    assert_eq!(hour.hour.status, HourStatus::Aborted);
    let back = known.events.last().expect("moved");
    assert_eq!(back.countersigned_by.as_deref(), Some(BACKUP));
    seat.minutes(90).await;
    seat.ends_sound().await;
}

#[tokio::test]
async fn it_is_for_whoever_leads_and_its_files_are_nobody_else_s() {
    let home = Home::new();
    let path = home.folder().join("demo.db");
    let dsn = || Dsn::of_file(&path).expect("a path");
    let refused =
        |made: Result<World, actions::Stop>| made.map(drop).expect_err("refused").to_string();
    for seat in SEATS.iter().filter(|seat| **seat != LEAD) {
        let said = refused(World::make(dsn(), Story::Cutover, seat, 1).await);
        assert!(said.contains("is not for"), "{said}");
    }
    let root = root_of(&path);
    std::fs::create_dir(&root).expect("ours");
    let said = refused(World::make(dsn(), Story::Cutover, LEAD, 1).await);
    assert!(said.contains("there is something at"), "{said}");
    assert!(!Path::new(&path).exists());
    World::make(dsn(), Story::Everyday, LEAD, 1)
        .await
        .expect("it has no files")
        .end()
        .await;
    let said = refused(World::take_up(dsn(), Some(Story::Cutover), LEAD, None).await);
    assert!(said.contains("tells the story everyday"), "{said}");
}
