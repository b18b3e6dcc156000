//! The world of a demo: makes it, takes it up again, and lets the story go on.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::actions::{self, ByRule, Founding, Request, Stop};
use crate::clock::Moment;
use crate::rules::Refusal;
use crate::rules::people::Environment;
use crate::settings::{Dsn, DsnKind};
use crate::store::{Access, OsAccount, Store, StoreError, demo_clock, deployment, ledger, schema};

use super::beat::{Beat, Deed};
use super::chapters;
use super::chapters::people::{BACKUP, LEAD, PIPELINE, READY, SEATS};
use super::deeds::settled;
use super::files;
use super::story::Story;

/// How often the world looks whether something is due.
const TICK: Duration = Duration::from_millis(250);
/// How many seconds of the story are gone through again when it is taken up; what has happened does not happen twice.
const LOOK_BACK: i64 = 600;

/// A demo's database, with everybody in it but whoever has the seat.
#[derive(Debug)]
pub struct World {
    pub(super) dsn: Dsn,
    /// The governance root, for a story that has files.
    pub(super) root: PathBuf,
    story: Story,
    /// Each account's own way in.
    stores: BTreeMap<String, Store>,
    /// Whoever is at the keys; nobody acts for them.
    pub(super) seat: String,
    pub(super) seed: u32,
    /// When the story began.
    start: Moment,
    /// The first second of which it is not certain that everything has happened.
    next: i64,
}

impl World {
    /// Makes a demo in a file that is not there yet, with the history of its story; its clock stands still.
    pub async fn make(dsn: Dsn, story: Story, seat: &str, seed: u32) -> Result<Self, Stop> {
        check_seat(story, seat)?;
        let root = root(&dsn);
        if let DsnKind::Sqlite(path) = dsn.kind() {
            is_free(&path)?;
        }
        if story.has_files() {
            is_free(&root)?;
            files::make(&root)?;
        }
        let (owned, _) = schema::prepare(&dsn, OsAccount::named(LEAD)).await?;
        let founding = Founding {
            name: story.deployment().to_owned(),
            environment: Environment::Demo,
            founder: LEAD.to_owned(),
            login: LEAD.to_owned(),
            backup: Some(BACKUP.to_owned()),
        };
        let founded = Request::by_rule(ByRule::Establish(founding))?;
        let outcome = actions::carry_out(&owned, founded).await;
        owned.close().await;
        settled(outcome)?;
        let mut world = Self::over(dsn, story, seat, seed).await?;
        world.live_through(story.history()).await?;
        Ok(world)
    }

    /// Takes up a demo where it was left; its clock stands still. A database that is no such demo is refused.
    pub async fn take_up(
        dsn: Dsn,
        story: Option<Story>,
        seat: &str,
        seed: Option<u32>,
    ) -> Result<Self, Stop> {
        check_seat(story.unwrap_or(Story::Everyday), seat)?;
        let looked = Store::open(&dsn, OsAccount::named(seat), Access::Read).await?;
        let found = left(&looked).await;
        looked.close().await;
        let (of, told, at) = found?.ok_or_else(|| {
            Stop::BadInput(Refusal::new(
                format!("{dsn} is no demo"),
                "name a file that is not there yet, or one that `govdeck demo --keep` made",
            ))
        })?;
        if story.is_some_and(|story| story != of) {
            return Err(Stop::BadInput(Refusal::new(
                format!("the demo there tells the story {of}"),
                "leave --story out to go on with it",
            )));
        }
        check_seat(of, seat)?;
        if seed.is_some_and(|seed| seed != told) {
            return Err(Stop::BadInput(Refusal::new(
                format!("the demo there was begun with the seed {told}"),
                "leave --seed out to go on with it",
            )));
        }
        let mut world = Self::over(dsn, of, seat, told).await?;
        world.next = (world.second(at) - LOOK_BACK).max(0);
        world.set_clock(at, 0).await?;
        Ok(world)
    }

    async fn over(dsn: Dsn, story: Story, seat: &str, seed: u32) -> Result<Self, StoreError> {
        let pipeline = Store::open(&dsn, OsAccount::named(PIPELINE), Access::Write).await?;
        let deployment = deployment::read(&mut pipeline.view().await?).await?;
        Ok(Self {
            root: root(&dsn),
            story,
            dsn,
            stores: BTreeMap::from([(PIPELINE.to_owned(), pipeline)]),
            seat: seat.to_owned(),
            seed,
            start: deployment.created_at_utc,
            next: 0,
        })
    }

    /// Tells which story is told.
    #[must_use]
    pub fn story(&self) -> Story {
        self.story
    }

    /// Lets some more seconds of the story pass, each deed at its very time, and stops the clock after them.
    pub async fn live_through(&mut self, seconds: i64) -> Result<(), StoreError> {
        let end = self.next + seconds;
        for beat in self.due(end) {
            let at = self.moment(beat.at);
            // A pipeline writes its own times; whatever is governed takes the database's.
            if !matches!(beat.deed, Deed::Mint(_)) {
                self.set_clock(at, 0).await?;
            }
            Box::pin(self.happen(&beat, at)).await?;
        }
        self.next = end;
        self.set_clock(self.moment(end), 0).await
    }

    /// Lets everything happen that is due by now.
    pub async fn step(&mut self) -> Result<(), StoreError> {
        let now = self.now().await?;
        let end = self.second(now) + 1;
        for beat in self.due(end) {
            Box::pin(self.happen(&beat, now)).await?;
            self.next = beat.at;
        }
        self.next = self.next.max(end);
        Ok(())
    }

    /// Lets the story go on until `stop` comes or is dropped; then the clock stands still and the database is closed.
    pub async fn run(mut self, speed: u32, mut stop: oneshot::Receiver<()>) {
        let (mut runs, mut fails) = (false, false);
        loop {
            let going = if runs {
                self.step().await
            } else {
                self.start_clock(speed).await
            };
            runs |= going.is_ok();
            // Four times a second: an error that lasts is told once.
            if let Err(error) = &going
                && !fails
            {
                tracing::warn!(kind = ?error.kind, "the story does not go on");
            }
            fails = going.is_err();
            tokio::select! {
                _ = &mut stop => break,
                () = tokio::time::sleep(TICK) => {}
            }
        }
        self.end().await;
    }

    /// Lets the clock go on from where it stands.
    async fn start_clock(&mut self, speed: u32) -> Result<(), StoreError> {
        let now = self.now().await?;
        self.set_clock(now, speed).await
    }

    /// Stops the clock and closes the database.
    pub async fn end(mut self) {
        if let Ok(now) = self.now().await {
            let stopped = self.set_clock(now, 0).await;
            if let Err(error) = stopped {
                tracing::warn!(kind = ?error.kind, "the demo's clock goes on");
            }
        }
        for store in self.stores.values() {
            store.close().await;
        }
    }

    /// Sets the clock: it shows `at` now, and goes on at `rate`.
    pub async fn set_clock(&mut self, at: Moment, rate: u32) -> Result<(), StoreError> {
        demo_clock::set(&self.store(PIPELINE).await?, at, rate, self.seed).await
    }

    async fn now(&mut self) -> Result<Moment, StoreError> {
        Ok(self.store(PIPELINE).await?.view().await?.now())
    }

    fn second(&self, at: Moment) -> i64 {
        at.since(self.start).num_seconds()
    }

    pub(super) fn moment(&self, second: i64) -> Moment {
        let second = u64::try_from(second).unwrap_or(0);
        self.start.plus(Duration::from_secs(second))
    }

    /// Lists what happens before a second, without the deeds of whoever has the seat.
    fn due(&self, end: i64) -> Vec<Beat> {
        let is_of_the_seat =
            |beat: &Beat| beat.at >= READY && beat.deed.who() == Some(self.seat.as_str());
        let mut beats = chapters::beats(self.story, self.seed, &(self.next..end));
        beats.retain(|beat| !is_of_the_seat(beat));
        beats
    }

    /// Returns an account's own way in.
    pub(super) async fn store(&mut self, account: &str) -> Result<Store, StoreError> {
        if let Some(store) = self.stores.get(account) {
            return Ok(store.clone());
        }
        let store = Store::open(&self.dsn, OsAccount::named(account), Access::Write).await?;
        self.stores.insert(account.to_owned(), store.clone());
        Ok(store)
    }
}

fn check_seat(story: Story, seat: &str) -> Result<(), Stop> {
    if story.seats().contains(&seat) {
        return Ok(());
    }
    let sentence = if SEATS.contains(&seat) {
        format!("the story {story} is not for {seat}")
    } else {
        format!("nobody in the demo is called {seat:?}")
    };
    let hint = format!("one of: {}", story.seats().join(", "));
    Err(Stop::BadInput(Refusal::new(sentence, hint)))
}

fn is_free(path: &Path) -> Result<(), Stop> {
    if path.symlink_metadata().is_err() {
        return Ok(());
    }
    Err(Stop::BadInput(Refusal::new(
        format!("there is something at {} already", path.display()),
        "name a file that is not there yet",
    )))
}

fn root(dsn: &Dsn) -> PathBuf {
    match dsn.kind() {
        DsnKind::Sqlite(path) => files::root_of(&path),
        DsnKind::Postgres => PathBuf::new(),
    }
}

/// Tells which demo's story is told, by which seed, and when it was left; none when the database is no such demo.
async fn left(store: &Store) -> Result<Option<(Story, u32, Moment)>, StoreError> {
    let mut view = store.view().await?;
    let Some(clock) = demo_clock::find(&mut view).await? else {
        return Ok(None);
    };
    let name = deployment::read(&mut view).await?.name;
    let mut stories = Story::ALL.iter();
    let Some(told) = stories.find(|told| told.deployment() == name) else {
        return Ok(None);
    };
    let was_stopped = clock.rate()? == 0;
    // A demo that was killed had no time to stop its clock; it goes on after what was written last.
    let latest = ledger::head(&mut view)
        .await?
        .latest_at_utc
        .filter(|_| !was_stopped);
    Ok(Some((*told, clock.seed()?, latest.unwrap_or(view.now()))))
}
