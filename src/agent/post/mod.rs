//! Messages on their ways out: each channel has somebody of its own who sends, so that one that hangs holds up no other.
//!
//! At least once: what was sent and not written down, because somebody died in between, is sent again under the same key.

mod command;
mod mail;
mod parcel;
mod secret;
mod webhook;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::Halt;
use crate::actions::Stop;
use crate::rules::Refusal;
use crate::rules::delivery::{DeliveryState, NotTaken};
use crate::rules::text::{scrub, shorten};
use crate::settings::{AgentSettings, Channel};
use crate::store::{Failure, Store, StoreError, delivery, deployment};

use parcel::Parcel;

/// How many messages are read at a time.
const AT_ONCE: i64 = 50;
/// After how many failures in a row a channel rests.
const FAILURES: u32 = 3;
/// How long it rests then, and how often it looks when nothing rings.
const REST: Duration = Duration::from_secs(5);
/// How much is kept of what the other side said.
const KEPT: usize = 300;

/// All channels.
#[derive(Debug)]
pub struct Post {
    lines: Vec<Arc<Line>>,
}

/// A channel, ready to be sent on.
#[derive(Debug)]
struct Line {
    name: String,
    way: Way,
    timeout: Duration,
    bell: Notify,
}

#[derive(Debug)]
enum Way {
    Mail(Box<mail::Mailer>),
    Webhook(Box<webhook::Hooked>),
    Command(command::Run),
}

/// What was sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sent {
    /// Messages that the other side took.
    pub delivered: u64,
    /// Tries that failed.
    pub failed: u64,
}

impl Post {
    /// Makes every channel ready; refuses where one cannot be used as it is described.
    pub fn open(settings: &AgentSettings) -> Result<Self, Refusal> {
        let ready = |(name, channel): (&String, &Channel)| {
            let way = match channel {
                Channel::Mail(it) => mail::Mailer::open(it).map(|it| Way::Mail(Box::new(it))),
                Channel::Webhook(it) => {
                    webhook::Hooked::open(it).map(|it| Way::Webhook(Box::new(it)))
                }
                Channel::Command(it) => Ok(Way::Command(command::Run::of(it))),
            };
            let way = way.map_err(|refusal| Refusal {
                sentence: format!("the channel {name:?}: {}", refusal.sentence),
                ..refusal
            })?;
            Ok(Arc::new(Line {
                name: name.clone(),
                way,
                timeout: channel.timeout(),
                bell: Notify::new(),
            }))
        };
        let lines: Result<Vec<_>, Refusal> = settings.channels.iter().map(ready).collect();
        Ok(Self { lines: lines? })
    }

    /// Tells every channel that there may be something to send.
    pub(super) fn ring(&self) {
        for line in &self.lines {
            line.bell.notify_one();
        }
    }

    /// Sends what is due on every channel, all channels at once.
    pub(super) async fn send_all(&self, ours: &Store, halt: &Halt) -> Result<Sent, Stop> {
        let mut sending = JoinSet::new();
        for line in &self.lines {
            let (line, ours, halt) = (Arc::clone(line), ours.clone(), halt.clone());
            sending.spawn(async move { line.send_due(&ours, &halt).await });
        }
        let mut all = Sent::default();
        while let Some(sent) = sending.join_next().await {
            let sent = match sent {
                Ok(sent) => sent?,
                Err(error) => {
                    tracing::error!(%error, "whoever sends broke down");
                    all.failed += 1;
                    continue;
                }
            };
            all.delivered += sent.delivered;
            all.failed += sent.failed;
        }
        Ok(all)
    }

    /// Gives each channel somebody who sends until told to stop.
    pub(super) fn keep_sending(&self, senders: &mut JoinSet<()>, ours: &Store, halt: &Halt) {
        for line in &self.lines {
            let (line, ours, halt) = (Arc::clone(line), ours.clone(), halt.clone());
            senders.spawn(async move {
                let send = || {
                    let (line, ours, halt) = (Arc::clone(&line), ours.clone(), halt.clone());
                    async move { line.keep_sending(&ours, halt).await }
                };
                kept_up(&line.name, halt.clone(), REST, send).await;
            });
        }
    }
}

/// Does something until it ends; where it breaks down, it is done again after a rest.
async fn kept_up<F>(name: &str, mut halt: Halt, rest: Duration, mut work: impl FnMut() -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    while !halt.is_set() {
        // Whoever is dropped takes along what is in the set.
        let mut one = JoinSet::new();
        one.spawn(work());
        let Some(Err(error)) = one.join_next().await else {
            return;
        };
        tracing::error!(channel = name, %error, "whoever sends broke down, and begins again");
        tokio::select! {
            () = halt.set() => return,
            () = tokio::time::sleep(rest) => (),
        }
    }
}

impl Line {
    async fn keep_sending(&self, ours: &Store, mut halt: Halt) {
        while !halt.is_set() {
            match self.send_due(ours, &halt).await {
                Ok(_) => {}
                Err(error) if error.kind == Failure::Fenced => return,
                Err(error) => {
                    tracing::warn!(channel = self.name, %error, "nothing can be sent now");
                }
            }
            tokio::select! {
                () = halt.set() => return,
                () = self.bell.notified() => (),
                () = tokio::time::sleep(REST) => (),
            }
        }
    }

    /// Sends what is due, the longest waiting first, until nothing is or nothing gets through.
    async fn send_due(&self, ours: &Store, halt: &Halt) -> Result<Sent, StoreError> {
        let mut sent = Sent::default();
        let mut failures = 0;
        loop {
            let mut view = ours.view().await?;
            let due = delivery::due(&mut view, &self.name, AT_ONCE).await?;
            if due.is_empty() {
                return Ok(sent);
            }
            let deployment = deployment::read(&mut view).await?;
            drop(view);
            for due in due {
                if halt.is_set() || failures >= FAILURES {
                    return Ok(sent);
                }
                let parcel = Parcel::of(&due.message, &deployment);
                let ended = self.send(&parcel).await;
                let state = delivery::tried(ours, &due, &self.name, &ended).await?;
                match &ended {
                    Ok(()) => {
                        sent.delivered += 1;
                        failures = 0;
                    }
                    Err(why) => {
                        sent.failed += 1;
                        failures += u32::from(matches!(why, NotTaken::Later(_)));
                        let (id, why) = (&due.message.notification_id, why.why());
                        let is_dead = state == DeliveryState::Dead;
                        tracing::warn!(channel = self.name, id, why, is_dead, "not taken");
                    }
                }
            }
        }
    }

    /// Sends one message, in the time that it may take.
    async fn send(&self, parcel: &Parcel) -> Result<(), NotTaken> {
        let sending = async {
            match &self.way {
                Way::Mail(mailer) => mailer.send(parcel).await,
                Way::Webhook(hook) => hook.send(parcel).await,
                Way::Command(run) => run.send(parcel).await,
            }
        };
        let ended = tokio::time::timeout(self.timeout, sending).await;
        let ended = ended.unwrap_or_else(|_| {
            let seconds = self.timeout.as_secs();
            Err(NotTaken::Later(format!(
                "no answer within {seconds} seconds"
            )))
        });
        let kept = |why: String| shorten(&scrub(&why), KEPT).into_owned();
        ended.map_err(|why| match why {
            NotTaken::Later(why) => NotTaken::Later(kept(why)),
            NotTaken::Never(why) => NotTaken::Never(kept(why)),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test]
    async fn whoever_breaks_down_while_sending_begins_again() {
        let begun = Arc::new(AtomicU32::new(0));
        let (_set, halt) = Halt::new();
        kept_up("pager", halt, Duration::ZERO, || {
            let begun = begun.fetch_add(1, Ordering::SeqCst);
            async move { assert!(begun > 1, "it breaks down twice") }
        })
        .await;
        assert_eq!(begun.load(Ordering::SeqCst), 3);
    }

    #[tokio::test]
    async fn nobody_begins_again_once_told_to_stop() {
        let (set, halt) = Halt::new();
        let begun = AtomicU32::new(0);
        let work = || {
            begun.fetch_add(1, Ordering::SeqCst);
            set.send_replace(true);
            async { panic!("a fault") }
        };
        kept_up("pager", halt, Duration::from_hours(1), work).await;
        assert_eq!(begun.load(Ordering::SeqCst), 1);
    }
}
