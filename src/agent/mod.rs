//! Unattended work without a timer: whoever leads does what is due when it is due, and sends messages on their ways.
//!
//! May import every floor before it. Any number of agents may run; one leads, by a [lease](crate::rules::lease) in the
//! database, and every write of it asks for the lease again. Whatever it does goes through the one door for writes, by
//! rules that say no the second time, so it does not matter how many agents look, or when one dies. It never decides what
//! a person decides, and it never prints.

mod duties;
mod lead;
pub mod metrics;
mod post;
mod turn;
mod work;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::sync::watch;

use crate::actions::{Stop, random_id};
use crate::rules::Refusal;
use crate::rules::lease::BEAT;
use crate::settings::{AgentSettings, Dsn};
use crate::store::lease::{self, Lease, Wish};
use crate::store::{Access, OsAccount, Store, StoreError};

pub use duties::Deed;
pub use lead::Led;
pub use post::Post;

/// Where an agent works, and as whom.
#[derive(Debug, Clone)]
pub struct Place {
    /// The database, past any pooler.
    pub dsn: Dsn,
    /// Whoever runs it.
    pub account: OsAccount,
    /// The folder that jobs read below.
    pub governance_root: PathBuf,
}

impl Place {
    async fn open(&self) -> Result<Store, StoreError> {
        Store::open(&self.dsn, self.account.clone(), Access::Write).await
    }

    async fn open_to_look(&self) -> Result<Store, StoreError> {
        Store::open(&self.dsn, self.account.clone(), Access::Read).await
    }
}

/// An agent.
#[derive(Debug, Clone)]
pub struct Agent {
    place: Place,
    settings: Arc<AgentSettings>,
    post: Arc<Post>,
    /// By what its lease is known.
    holder: String,
    host: String,
}

/// What one turn of an agent came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Once {
    /// It led, and did what was due.
    Led(Led),
    /// Another one leads.
    Followed {
        /// The other's lease.
        leader: Lease,
    },
}

/// Tells an agent to stop; it ends what it is at, and nothing else begins.
#[derive(Debug, Clone)]
pub struct Halt(watch::Receiver<bool>);

impl Halt {
    /// Makes one with the switch that sets it.
    #[must_use]
    pub fn new() -> (watch::Sender<bool>, Self) {
        let (set, is_set) = watch::channel(false);
        (set, Self(is_set))
    }

    fn is_set(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until it is set; a switch that is gone sets it too.
    async fn set(&mut self) {
        let _ = self.0.wait_for(|is_set| *is_set).await;
    }
}

impl Agent {
    /// Makes an agent; refuses where a channel cannot be used as it is described.
    pub fn new(place: Place, settings: AgentSettings, host: String) -> Result<Self, Refusal> {
        let post = Arc::new(Post::open(&settings)?);
        let holder = random_id().map_err(|_| {
            Refusal::new(
                "the operating system gives no random numbers",
                "see the system's log",
            )
        })?;
        Ok(Self {
            place,
            settings: Arc::new(settings),
            post,
            holder,
            host,
        })
    }

    /// Does what is due now and ends, as a timer would have it.
    pub async fn once(&self, halt: Halt) -> Result<Once, Stop> {
        let store = self.place.open().await?;
        let wish = lease::take(&store, &self.holder, &self.host).await;
        let ended = match wish {
            Ok(Wish::Granted(fence)) => {
                let led = self.lead_once(&store, fence, halt).await;
                give_up(&store, fence).await;
                led.map(Once::Led)
            }
            Ok(Wish::Held(leader)) => Ok(Once::Followed { leader }),
            Err(error) => Err(error.into()),
        };
        store.close().await;
        ended
    }

    /// Works until it is told to stop: leads when nobody else does, and waits for its turn otherwise.
    ///
    /// A database that is away is waited for; nothing is lost by that, since everything is due until it is done.
    pub async fn run(&self, halt: Halt) -> Result<(), Refusal> {
        let port = self.metrics_port().await?;
        tokio::join!(self.lead_or_follow(halt.clone()), self.measure(port, halt));
        Ok(())
    }

    async fn lead_or_follow(&self, mut halt: Halt) {
        let mut pause = FIRST_PAUSE;
        while !halt.is_set() {
            let wait = match self.try_to_lead(&halt).await {
                Ok(()) => {
                    pause = FIRST_PAUSE;
                    BEAT
                }
                Err(stop) => {
                    tracing::warn!(%stop, "the agent cannot work, and tries again");
                    pause = (pause * 2).min(BEAT);
                    pause
                }
            };
            tokio::select! {
                () = halt.set() => (),
                () = tokio::time::sleep(wait) => (),
            }
        }
    }

    async fn try_to_lead(&self, halt: &Halt) -> Result<(), Stop> {
        let store = self.place.open().await?;
        let wish = lease::take(&store, &self.holder, &self.host).await;
        let ended = match wish {
            Ok(Wish::Granted(fence)) => {
                tracing::info!(fence, "this agent leads");
                let ended = self.lead(&store, fence, halt.clone()).await;
                give_up(&store, fence).await;
                ended
            }
            Ok(Wish::Held(leader)) => {
                tracing::debug!(leader.host, leader.fence, "another agent leads");
                Ok(())
            }
            Err(error) => Err(error.into()),
        };
        // A connection that hangs is left to itself.
        let _ = tokio::time::timeout(GRACE, store.close()).await;
        ended
    }
}

/// Gives a lease up; one that cannot be given up ends by itself.
async fn give_up(store: &Store, fence: i64) {
    match tokio::time::timeout(GRACE, lease::give_up(store, fence)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "the lease was not given up"),
        Err(_) => tracing::warn!("the lease was not given up in time"),
    }
}

/// How long the end of a lease may take.
const GRACE: Duration = Duration::from_secs(5);
/// How long an agent waits after the first failure; each pause is twice the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
