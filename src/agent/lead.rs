//! Leading: the heart beats, duties are looked at, jobs run, and every channel has somebody who sends.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::work::Works;
use super::{Agent, Halt};
use crate::actions::Stop;
use crate::rules::lease::{BEAT, TERM};
use crate::store::lease;
use crate::store::wake::Wake;
use crate::store::{Failure, Store, StoreError};

/// How long a look rests while everything changes.
const LOOK_REST: Duration = Duration::from_secs(5);
/// How long a look rests when nothing is known to become due.
const LONGEST_REST: Duration = Duration::from_mins(1);
/// How long a beat may take: a network that swallows everything must not be waited for.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long those who send may end what they are at.
const GRACE: Duration = Duration::from_secs(5);

/// What a leader did in one turn.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Led {
    /// How many of each deed were done.
    pub done: BTreeMap<&'static str, u64>,
    /// What became of each job that was due.
    pub jobs: BTreeMap<String, &'static str>,
    /// How many messages were taken by the other side.
    pub delivered: u64,
    /// How many tries failed.
    pub failed: u64,
}

impl Agent {
    /// Does what is due, once.
    pub(super) async fn lead_once(
        &self,
        store: &Store,
        fence: i64,
        halt: Halt,
    ) -> Result<Led, Stop> {
        let mut heart = Heart::of(store, fence);
        let ours = store.fenced(fence);
        let led = async {
            let mut works = Works::new(&self.place, &self.settings, fence);
            works.start(&ours).await?;
            let mut led = Led::default();
            // Nobody waits for a page because a job takes long, and what jobs find is told as well.
            let mut patience = Duration::ZERO;
            loop {
                let is_last = works.ended_within(patience, &ours, &mut led.jobs).await?;
                self.turn_once(&ours, &halt, &mut led).await?;
                if is_last || halt.is_set() {
                    return Ok(led);
                }
                patience = LOOK_REST;
            }
        };
        tokio::select! {
            led = led => led,
            lost = heart.stopped() => Err(lost.into()),
        }
    }

    /// Does what is due, and sends what there is to say.
    async fn turn_once(&self, ours: &Store, halt: &Halt, led: &mut Led) -> Result<(), Stop> {
        for (deed, times) in self.do_what_is_due(ours, halt).await?.done {
            *led.done.entry(deed).or_default() += times;
        }
        self.route(ours).await?;
        let sent = self.post.send_all(ours, halt).await?;
        led.delivered += sent.delivered;
        led.failed += sent.failed;
        Ok(())
    }

    /// Leads until it is told to stop, or another one leads.
    pub(super) async fn lead(&self, store: &Store, fence: i64, halt: Halt) -> Result<(), Stop> {
        let mut heart = Heart::of(store, fence);
        let ours = store.fenced(fence);
        let (stop_sending, sending_stops) = Halt::new();
        let mut senders = JoinSet::new();
        self.post.keep_sending(&mut senders, &ours, &sending_stops);
        let ended = tokio::select! {
            ended = self.turns(&ours, fence, halt) => ended,
            lost = heart.stopped() => Err(lost.into()),
        };
        stop_sending.send_replace(true);
        // What is sent and not written down is sent again, under the same key.
        let _ = tokio::time::timeout(GRACE, async {
            while senders.join_next().await.is_some() {}
        })
        .await;
        ended
    }

    async fn turns(&self, ours: &Store, fence: i64, mut halt: Halt) -> Result<(), Stop> {
        let mut wake = Wake::on(ours, &self.place.dsn, Some(&self.place.dsn)).await?;
        let mut works = Works::new(&self.place, &self.settings, fence);
        let mut looked: Option<Instant> = None;
        let mut rests = Duration::ZERO;
        let mut is_changed = true;
        let mut has_news = true;
        loop {
            let since = looked.map(|at| at.elapsed());
            let is_time = since.is_none_or(|since| since >= rests);
            let is_news = is_changed && since.is_none_or(|since| since >= LOOK_REST);
            if is_time || is_news {
                is_changed = false;
                looked = Some(Instant::now());
                let turn = self.do_what_is_due(ours, &halt).await?;
                rests = turn.rests.unwrap_or(LONGEST_REST).min(LONGEST_REST);
                has_news |= !turn.done.is_empty();
                works.start(ours).await?;
            }
            works.end(ours).await?;
            // What was written meanwhile, also by this one, is news.
            if std::mem::take(&mut has_news) && self.route(ours).await? {
                self.post.ring();
            }
            let elapsed = looked.map_or(Duration::ZERO, |at| at.elapsed());
            let until_look = if is_changed {
                rests.min(LOOK_REST)
            } else {
                rests
            };
            tokio::select! {
                () = halt.set() => return Ok(()),
                news = wake.turn() => {
                    has_news = news?;
                    is_changed |= has_news;
                }
                () = tokio::time::sleep(until_look.saturating_sub(elapsed)) => (),
            }
            if halt.is_set() {
                return Ok(());
            }
        }
    }
}

fn silent() -> StoreError {
    StoreError::new(
        Failure::Unreachable,
        "the database has not answered for 10 seconds",
        "check that the server runs and that the network lets you through",
    )
}

/// The heart of a lease.
struct Heart {
    hears: watch::Receiver<Option<&'static str>>,
    beating: tokio::task::JoinHandle<()>,
}

impl Heart {
    /// Lets the heart of a lease beat in a task of its own until this is dropped.
    fn of(store: &Store, fence: i64) -> Self {
        let (told, hears) = watch::channel(None);
        let store = store.clone();
        let beating = tokio::spawn(async move {
            let mut last = Instant::now();
            loop {
                tokio::time::sleep(BEAT).await;
                let beat = tokio::time::timeout(PATIENCE, lease::beat(&store, fence)).await;
                match beat.unwrap_or_else(|_| Err(silent())) {
                    Ok(true) => last = Instant::now(),
                    Ok(false) => {
                        told.send_replace(Some("another agent leads by now"));
                        return;
                    }
                    Err(error) if last.elapsed() > TERM => {
                        tracing::warn!(%error, "the lease could not be kept");
                        told.send_replace(Some("the lease could not be kept in time"));
                        return;
                    }
                    Err(error) => tracing::warn!(%error, "a beat was lost"),
                }
            }
        });
        Self { hears, beating }
    }

    /// Waits until it beats no more, and says why.
    async fn stopped(&mut self) -> StoreError {
        let why = match self.hears.wait_for(Option::is_some).await {
            Ok(why) => why.unwrap_or("the lease was lost"),
            Err(_) => "the heart of the lease stopped",
        };
        StoreError::new(
            Failure::Fenced,
            why,
            "nothing is to be done: it waits for its turn",
        )
    }
}

impl Drop for Heart {
    fn drop(&mut self) {
        self.beating.abort();
    }
}
