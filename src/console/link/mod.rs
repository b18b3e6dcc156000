//! The link between the loop and the store: a reader that keeps one picture fresh, and a writer that carries requests out.
//!
//! Channels say what they mean: `watch` for the picture, of which only the last matters; `mpsc` for answers, of which
//! each matters; `Notify` for "look again now", which coalesces.

mod reader;
mod runs;
mod writer;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use crate::actions::{Asked, Request};
use crate::clock::Moment;
use crate::rules::Refusal;
use crate::rules::readback::Citation;
use crate::settings::Dsn;
use crate::signing::Signer;
use crate::store::{Access, Failure, OsAccount, Store, StoreError};

use super::event::{Event, Sight};
use super::picture::Wanted;
use super::running::{Running, Work};
use reader::Reader;
use runs::Runs;
pub use runs::Workshop;
use writer::Writer;

/// Where the database is and who asks.
#[derive(Debug, Clone)]
pub struct Address {
    /// The database.
    pub dsn: Dsn,
    /// A login for the same database that may only look; the picture is taken with it.
    pub viewer: Option<Dsn>,
    /// A way past the pooler, for being told of changes.
    pub direct: Option<Dsn>,
    /// The operating system's account.
    pub account: OsAccount,
    /// The name under which this console is armed.
    pub console_id: String,
    /// Where the files lie that runs were made of, and that decisions rest on.
    pub governance_root: PathBuf,
    /// What decision cards are signed with, if anything.
    pub signer: Option<Signer>,
    /// Where runs of bundles and steps of an hour are made, or why nothing is made here.
    pub workshop: Result<Workshop, Refusal>,
}

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How long the database may take for an answer before it counts as silent.
    pub answer: Duration,
    /// How long a write may take before its outcome counts as unknown.
    pub write: Duration,
    /// How long the last words may take when the console is left.
    pub farewell: Duration,
    /// How old a picture may become while nothing is written.
    pub renewal: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            answer: Duration::from_secs(10),
            write: Duration::from_secs(30),
            farewell: Duration::from_secs(5),
            renewal: Duration::from_secs(30),
        }
    }
}

/// The loop's end of the link.
#[derive(Debug)]
pub struct Link {
    /// What the newest picture shows.
    pub sight: watch::Receiver<Sight>,
    /// Answers, each of which matters.
    pub answers: mpsc::UnboundedReceiver<Event>,
    /// The run of a bundle that is made here, or the last one.
    pub running: watch::Receiver<Option<Running>>,
    wanted: watch::Sender<Wanted>,
    refresh: Arc<Notify>,
    questions: mpsc::UnboundedSender<Question>,
    writes: mpsc::UnboundedSender<Write>,
}

enum Question {
    Plan(u64, &'static str, Asked),
    Verify,
    Cite(Citation),
    WayBack(String),
}

enum Write {
    Submit(Box<Request>),
    Run(String, Work, Moment),
    Disarm,
    EndProposal(String),
    End(oneshot::Sender<()>),
}

impl Link {
    /// Starts reader and writer.
    #[must_use]
    pub fn start(
        on: &Handle,
        (address, first_look): (Address, Option<FirstLook>),
        wanted: Wanted,
        limits: Limits,
    ) -> Self {
        let (sight_in, sight) = watch::channel(Sight::default());
        let (answer, answers) = mpsc::unbounded_channel();
        let (wanted, wanted_out) = watch::channel(wanted);
        let (questions, asked) = mpsc::unbounded_channel();
        let (writes, to_write) = mpsc::unbounded_channel();
        let (running_in, running) = watch::channel(None);
        let refresh = Arc::new(Notify::new());
        let reader = Reader {
            address: address.clone(),
            first_look,
            limits,
            sight: sight_in,
            answer: answer.clone(),
            wanted: wanted_out,
            refresh: Arc::clone(&refresh),
            questions: asked,
        };
        on.spawn(reader.run());
        let runs = Runs {
            address: address.clone(),
            sight: Arc::new(running_in),
        };
        on.spawn(
            Writer {
                address,
                runs,
                limits,
                answer,
                armed: None,
            }
            .run(to_write),
        );
        Self {
            sight,
            answers,
            running,
            wanted,
            refresh,
            questions,
            writes,
        }
    }

    /// Tells when the database was last heard; that alone wakes nobody.
    #[must_use]
    pub fn heard(&self) -> Option<Instant> {
        self.sight.borrow().link.heard
    }

    /// Says what is to be looked at from now on.
    pub fn want(&self, wanted: Wanted) {
        self.wanted.send_replace(wanted);
    }

    /// Looks again now.
    pub fn refresh(&self) {
        self.refresh.notify_one();
    }

    /// Asks what an action would do.
    pub fn plan(&self, id: u64, verb: &'static str, asked: Asked) {
        // A reader that is gone is said by the picture growing old.
        let _ = self.questions.send(Question::Plan(id, verb, asked));
    }

    /// Asks for a verification of the ledger.
    pub fn verify(&self) {
        let _ = self.questions.send(Question::Verify);
    }

    /// Asks where a number comes from.
    pub fn cite(&self, cites: Citation) {
        let _ = self.questions.send(Question::Cite(cites));
    }

    /// Asks whether a migration can be taken back.
    pub fn find_way_back(&self, migration_id: String) {
        let _ = self.questions.send(Question::WayBack(migration_id));
    }

    /// Has a request carried out.
    pub fn submit(&self, request: Box<Request>) {
        let _ = self.writes.send(Write::Submit(request));
    }

    /// Has made what was claimed or begun at a moment.
    pub fn run(&self, migration_id: String, work: Work, claimed: Moment) {
        let _ = self.writes.send(Write::Run(migration_id, work, claimed));
    }

    /// Gives the writing connection back.
    pub fn disarm(&self) {
        let _ = self.writes.send(Write::Disarm);
    }

    /// Has a rule end a proposal that nobody can answer any more.
    pub fn end_proposal(&self, ticket: String) {
        let _ = self.writes.send(Write::EndProposal(ticket));
    }

    /// Ends the link: what was sent before is waited for, then it disarms, and then the receiver hears of it.
    #[must_use]
    pub fn end(&self) -> oneshot::Receiver<()> {
        let (ended, end) = oneshot::channel();
        let _ = self.writes.send(Write::End(ended));
        end
    }
}

/// Returns the next news of a run; nothing where none will be made any more.
pub async fn newest(running: &mut watch::Receiver<Option<Running>>) -> Option<Running> {
    running.changed().await.ok()?;
    running.borrow_and_update().clone()
}

/// The database on its way, for whoever looks at it first.
#[derive(Debug)]
pub struct FirstLook(JoinHandle<Result<Store, StoreError>>);

impl FirstLook {
    async fn at(self) -> Result<Store, StoreError> {
        let opened = self.0.await;
        opened.unwrap_or_else(|_| {
            Err(StoreError::new(
                Failure::Other,
                "opening the database broke off",
                "govdeck tries again by itself",
            ))
        })
    }
}

impl Address {
    /// Begins to open the database, which takes longer than anything else that a console begins with.
    #[must_use]
    pub fn begin_to_look(&self, on: &Handle) -> FirstLook {
        let address = self.clone();
        let opening = async move { address.open_to_look(Limits::default().answer).await };
        FirstLook(on.spawn(opening))
    }

    /// Opens the database, unless it is silent for too long.
    async fn open(&self, access: Access, patience: Duration) -> Result<Store, StoreError> {
        // What is half open when the time is over is dropped as a whole.
        let opening = Store::open(&self.dsn, self.account.clone(), access);
        in_time(patience, opening).await
    }

    /// Opens the database to look at it: as its viewer where there is one, as soon as it is known who looks.
    async fn open_to_look(&self, patience: Duration) -> Result<Store, StoreError> {
        let opening = Store::open_narrow(&self.dsn, self.account.clone());
        let own = in_time(patience, opening).await?;
        let Some(viewer) = &self.viewer else {
            return Ok(own);
        };
        let seen = in_time(patience, own.seen_by(viewer)).await;
        close(own);
        seen
    }
}

/// Lets nothing wait for the farewell of a database that may be silent.
fn close(store: Store) {
    tokio::spawn(async move { store.close().await });
}

async fn in_time<T>(
    patience: Duration,
    work: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    let silent = |_| {
        StoreError::new(
            Failure::Unreachable,
            format!(
                "the database has not answered for {} seconds",
                patience.as_secs()
            ),
            "the last picture stays; govdeck tries again by itself",
        )
    };
    tokio::time::timeout(patience, work).await.map_err(silent)?
}
