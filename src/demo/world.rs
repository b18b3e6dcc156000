//! The world of a demo: makes it, takes it up again, and lets the story go on.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::actions::{self, Asked, ByRule, Founding, Request, Stop};
use crate::clock::Moment;
use crate::rules::Refusal;
use crate::rules::people::Environment;
use crate::settings::{Dsn, DsnKind};
use crate::store::approval::{self, ApprovalRequest};
use crate::store::{Access, OsAccount, Store, StoreError, demo_clock, deployment, ledger, schema};

use super::beat::{Beat, Deed};
use super::chapters;
use super::chapters::people::{BACKUP, LEAD, PIPELINE, READY, SEATS};
use super::deeds::{
    act, by_rule, compare, decide, is_called_for, mint, prove, run_bundle, settled,
};

/// The demo deployment's name.
const NAME: &str = "gov-demo";
/// How many seconds of the story have passed when a new demo opens.
const HISTORY: i64 = 3 * 3_600;
/// How often the world looks whether something is due.
const TICK: Duration = Duration::from_millis(250);
/// How many minutes of the story a proposal waits before anybody agrees to it.
const HESITATION: i64 = 4;
/// Among how many proposals that wait one is found.
const MOST_WAITING: i64 = 200;
/// How many seconds of the story are gone through again when it is taken up; what has happened does not happen twice.
const LOOK_BACK: i64 = 600;

/// A demo's database, with everybody in it but whoever has the seat.
#[derive(Debug)]
pub struct World {
    dsn: Dsn,
    /// Each account's own way in.
    stores: BTreeMap<String, Store>,
    /// Whoever is at the keys; nobody acts for them.
    seat: String,
    seed: u32,
    /// When the story began.
    start: Moment,
    /// The first second of which it is not certain that everything has happened.
    next: i64,
}

impl World {
    /// Makes a demo in a file that is not there yet, with some hours of history; its clock stands still.
    pub async fn make(dsn: Dsn, seat: &str, seed: u32) -> Result<Self, Stop> {
        check_seat(seat)?;
        if let DsnKind::Sqlite(path) = dsn.kind()
            && path.symlink_metadata().is_ok()
        {
            return Err(Stop::BadInput(Refusal::new(
                format!("there is something at {} already", path.display()),
                "name a file that is not there yet",
            )));
        }
        let (store, _) = schema::prepare(&dsn, OsAccount::named(LEAD)).await?;
        let founding = Founding {
            name: NAME.to_owned(),
            environment: Environment::Demo,
            founder: LEAD.to_owned(),
            login: LEAD.to_owned(),
            backup: Some(BACKUP.to_owned()),
        };
        let founded = Request::by_rule(ByRule::Establish(founding))?;
        let outcome = actions::carry_out(&store, founded).await;
        store.close().await;
        settled(outcome)?;
        let mut world = Self::over(dsn, seat, seed).await?;
        world.live_through(HISTORY).await?;
        Ok(world)
    }

    /// Takes up a demo where it was left; its clock stands still. A database that is no such demo is refused.
    pub async fn take_up(dsn: Dsn, seat: &str, seed: Option<u32>) -> Result<Self, Stop> {
        check_seat(seat)?;
        let store = Store::open(&dsn, OsAccount::named(seat), Access::Read).await?;
        let found = left(&store).await;
        store.close().await;
        let (told, at) = found?.ok_or_else(|| {
            Stop::BadInput(Refusal::new(
                format!("{dsn} is no demo"),
                "name a file that is not there yet, or one that `govdeck demo --keep` made",
            ))
        })?;
        if seed.is_some_and(|seed| seed != told) {
            return Err(Stop::BadInput(Refusal::new(
                format!("the demo there was begun with the seed {told}"),
                "leave --seed out to go on with it",
            )));
        }
        let mut world = Self::over(dsn, seat, told).await?;
        world.next = (world.second(at) - LOOK_BACK).max(0);
        world.set_clock(at, 0).await?;
        Ok(world)
    }

    async fn over(dsn: Dsn, seat: &str, seed: u32) -> Result<Self, StoreError> {
        let store = Store::open(&dsn, OsAccount::named(PIPELINE), Access::Write).await?;
        let deployment = deployment::read(&mut store.view().await?).await?;
        Ok(Self {
            dsn,
            stores: BTreeMap::from([(PIPELINE.to_owned(), store)]),
            seat: seat.to_owned(),
            seed,
            start: deployment.created_at_utc,
            next: 0,
        })
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
            self.happen(&beat, at).await?;
        }
        self.next = end;
        self.set_clock(self.moment(end), 0).await
    }

    /// Lets everything happen that is due by now.
    pub async fn step(&mut self) -> Result<(), StoreError> {
        let now = self.now().await?;
        let end = self.second(now) + 1;
        for beat in self.due(end) {
            self.happen(&beat, now).await?;
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

    fn moment(&self, second: i64) -> Moment {
        let second = u64::try_from(second).unwrap_or(0);
        self.start.plus(Duration::from_secs(second))
    }

    /// Lists what happens before a second, without the deeds of whoever has the seat.
    fn due(&self, end: i64) -> Vec<Beat> {
        let is_of_the_seat =
            |beat: &Beat| beat.at >= READY && beat.deed.who() == Some(self.seat.as_str());
        let mut beats = chapters::beats(self.seed, &(self.next..end));
        beats.retain(|beat| !is_of_the_seat(beat));
        beats
    }

    /// Returns an account's own way in.
    async fn store(&mut self, account: &str) -> Result<Store, StoreError> {
        if let Some(store) = self.stores.get(account) {
            return Ok(store.clone());
        }
        let store = Store::open(&self.dsn, OsAccount::named(account), Access::Write).await?;
        self.stores.insert(account.to_owned(), store.clone());
        Ok(store)
    }

    async fn happen(&mut self, beat: &Beat, now: Moment) -> Result<(), StoreError> {
        match &beat.deed {
            Deed::Mint(run) => mint(&self.store(PIPELINE).await?, run.clone(), now).await,
            Deed::Decide(run) => decide(&self.store(PIPELINE).await?, run).await,
            Deed::Act {
                who,
                verb,
                asked,
                reason,
                when,
            } => {
                let store = self.store(who).await?;
                if !is_called_for(&store, when).await? {
                    return Ok(());
                }
                act(&store, verb, asked.clone(), reason).await
            }
            Deed::Bypass {
                who,
                id,
                freeze,
                hours,
                reason,
            } => {
                let until = now.plus_minutes(hours * 60).to_string();
                let asked = Asked::of(id.as_str()).with("freeze", freeze.as_str());
                let asked = asked.with("expires", until);
                act(&self.store(who).await?, "bypass_freeze", asked, reason).await
            }
            Deed::Answer {
                who,
                verb,
                about,
                reason,
            } => {
                let is_it = |request: &ApprovalRequest| request.target_id == *about;
                self.answer(who, verb, is_it, reason).await
            }
            Deed::Register {
                who,
                series,
                first,
                every,
                reason,
            } => {
                let asked = Asked::of(*series)
                    .with("first", self.moment(*first).to_string())
                    .with("every", every.to_string())
                    .with("early", "5")
                    .with("grace", "20");
                act(&self.store(who).await?, "register_series", asked, reason).await
            }
            Deed::Plan { series, window } => {
                let rule = ByRule::PlanWindow {
                    series: (*series).to_owned(),
                    at: self.moment(*window),
                };
                by_rule(&self.store(PIPELINE).await?, rule).await
            }
            Deed::Compare(manifest) => compare(&self.store(PIPELINE).await?, manifest).await,
            Deed::Bind => prove(&self.store(PIPELINE).await?).await,
            Deed::OnRun {
                who,
                verb,
                series,
                window,
                asked,
                reason,
            } => {
                let target = actions::window_run_id(series, self.moment(*window));
                let asked = Asked {
                    target,
                    ..asked.clone()
                };
                act(&self.store(who).await?, verb, asked, reason).await
            }
            Deed::RunBundle {
                who,
                asked,
                ends,
                reason,
            } => run_bundle(&self.store(who).await?, asked.clone(), *ends, reason).await,
            Deed::Agree { who, reason } => {
                let (seat, before) = (self.seat.clone(), now.plus_minutes(-HESITATION));
                let is_theirs = |request: &ApprovalRequest| {
                    request.proposed_by == seat && request.proposed_at_utc <= before
                };
                self.answer(who, "approve", is_theirs, reason).await
            }
        }
    }

    /// Answers the first proposal that waits and is meant, if there is one.
    async fn answer(
        &mut self,
        who: &str,
        verb: &str,
        is_meant: impl Fn(&ApprovalRequest) -> bool,
        reason: &str,
    ) -> Result<(), StoreError> {
        let store = self.store(who).await?;
        let waiting = approval::waiting(&mut store.view().await?, MOST_WAITING).await?;
        match waiting.into_iter().find(is_meant) {
            Some(request) => act(&store, verb, Asked::of(request.ticket), reason).await,
            None => Ok(()),
        }
    }
}

fn check_seat(seat: &str) -> Result<(), Stop> {
    if SEATS.contains(&seat) {
        return Ok(());
    }
    Err(Stop::BadInput(Refusal::new(
        format!("nobody in the demo is called {seat:?}"),
        format!("one of: {}", SEATS.join(", ")),
    )))
}

/// Tells by which seed a demo's story is told and when it was left; none when the database is no such demo.
async fn left(store: &Store) -> Result<Option<(u32, Moment)>, StoreError> {
    let mut view = store.view().await?;
    let Some(clock) = demo_clock::find(&mut view).await? else {
        return Ok(None);
    };
    let was_stopped = clock.rate()? == 0;
    // A demo that was killed had no time to stop its clock; it goes on after what was written last.
    let latest = ledger::head(&mut view)
        .await?
        .latest_at_utc
        .filter(|_| !was_stopped);
    Ok(Some((clock.seed()?, latest.unwrap_or(view.now()))))
}
