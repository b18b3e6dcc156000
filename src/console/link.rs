//! The link between the loop and the store: a reader that keeps one picture fresh, and a writer that carries requests out.
//!
//! Channels say what they mean: `watch` for the picture, of which only the last matters; `mpsc` for answers, of which
//! each matters; `Notify` for "look again now", which coalesces.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Notify, mpsc, watch};

use crate::actions::{self, Asked, ByRule, Outcome, Request, Signing};
use crate::settings::Dsn;
use crate::signing::Signer;
use crate::store::verify;
use crate::store::wake::{Source, Wake};
use crate::store::{Access, Failure, OsAccount, Sealed, Store, StoreError};

use super::event::{Event, Sight};
use super::picture::{self, Picture, Wanted};
use super::sign::sign;

/// How long a picture may take before the database counts as silent.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a write may take before its outcome counts as unknown.
const WRITE_PATIENCE: Duration = Duration::from_secs(30);
/// The pauses between attempts to reach a lost database.
const BACKOFF: [Duration; 4] = [
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(3),
];

/// Where the database is and who asks.
#[derive(Debug, Clone)]
pub struct Address {
    /// The database.
    pub dsn: Dsn,
    /// A way past the pooler, for being told of changes.
    pub direct: Option<Dsn>,
    /// The operating system's account.
    pub account: OsAccount,
    /// The name under which this console is armed.
    pub console_id: String,
    /// What decision cards are signed with, if anything.
    pub signer: Option<Signer>,
}

/// The loop's end of the link.
#[derive(Debug)]
pub struct Link {
    /// What the newest picture shows.
    pub sight: watch::Receiver<Sight>,
    /// Answers, each of which matters.
    pub answers: mpsc::UnboundedReceiver<Event>,
    wanted: watch::Sender<Wanted>,
    refresh: Arc<Notify>,
    questions: mpsc::UnboundedSender<Question>,
    writes: mpsc::UnboundedSender<Write>,
}

enum Question {
    Plan(u64, &'static str, Asked),
    Verify,
}

enum Write {
    Submit(Box<Request>),
    Disarm,
    End(tokio::sync::oneshot::Sender<()>),
}

impl Link {
    /// Starts reader and writer.
    #[must_use]
    pub fn start(address: Address, wanted: Wanted) -> Self {
        let (sight_in, sight) = watch::channel(Sight::default());
        let (answer, answers) = mpsc::unbounded_channel();
        let (wanted, wanted_out) = watch::channel(wanted);
        let (questions, asked) = mpsc::unbounded_channel();
        let (writes, to_write) = mpsc::unbounded_channel();
        let refresh = Arc::new(Notify::new());
        let reader = Reader {
            address: address.clone(),
            sight: sight_in,
            answer: answer.clone(),
            wanted: wanted_out,
            refresh: Arc::clone(&refresh),
            questions: asked,
        };
        tokio::spawn(reader.run());
        tokio::spawn(
            Writer {
                address,
                answer,
                armed: None,
            }
            .run(to_write),
        );
        Self {
            sight,
            answers,
            wanted,
            refresh,
            questions,
            writes,
        }
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

    /// Has a request carried out.
    pub fn submit(&self, request: Box<Request>) {
        let _ = self.writes.send(Write::Submit(request));
    }

    /// Gives the writing connection back.
    pub fn disarm(&self) {
        let _ = self.writes.send(Write::Disarm);
    }

    /// Ends the link: disarms, and waits a moment for it.
    pub async fn end(self) {
        let (ended, end) = tokio::sync::oneshot::channel();
        let _ = self.writes.send(Write::End(ended));
        let _ = tokio::time::timeout(Duration::from_secs(1), end).await;
    }
}

struct Reader {
    address: Address,
    sight: watch::Sender<Sight>,
    answer: mpsc::UnboundedSender<Event>,
    wanted: watch::Receiver<Wanted>,
    refresh: Arc<Notify>,
    questions: mpsc::UnboundedReceiver<Question>,
}

/// Why the reader stops reading.
enum End {
    /// The loop is gone.
    Nobody,
    /// The database cannot be read.
    Trouble(StoreError),
}

impl From<StoreError> for End {
    fn from(error: StoreError) -> Self {
        Self::Trouble(error)
    }
}

impl Reader {
    async fn run(mut self) {
        let mut failed = 0;
        loop {
            let opened = Store::open(
                &self.address.dsn,
                self.address.account.clone(),
                Access::Read,
            )
            .await;
            let end = match opened {
                Ok(store) => {
                    let end = self.read(&store, &mut failed).await;
                    // A silent server may not answer the farewell either; nobody waits for it.
                    tokio::spawn(async move { store.close().await });
                    end
                }
                Err(error) => End::Trouble(error),
            };
            let End::Trouble(error) = end else { return };
            tracing::warn!(kind = ?error.kind, "the picture cannot be taken");
            self.sight.send_modify(|sight| {
                sight.link.trouble = Some((error.sentence, error.hint));
            });
            let pause = BACKOFF[usize::min(failed, BACKOFF.len() - 1)];
            failed += 1;
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.refresh.notified() => {}
                () = self.sight.closed() => return,
            }
        }
    }

    /// Keeps the picture fresh until the database cannot be read.
    async fn read(&mut self, store: &Store, failed: &mut usize) -> End {
        let patient = Wake::on(store, &self.address.dsn, self.address.direct.as_ref());
        let mut wake = match in_time(patient).await {
            Ok(wake) => wake,
            Err(error) => return error.into(),
        };
        loop {
            let wanted = self.wanted.borrow_and_update().clone();
            match in_time(picture::take(store, &wanted)).await {
                Ok(picture) => self.show(picture, wake.source()),
                // A row that cannot be read is no reason to connect anew, but the picture is not fresh.
                Err(error) => return error.into(),
            }
            *failed = 0;
            loop {
                tokio::select! {
                    changed = self.wanted.changed() => match changed {
                        Ok(()) => break,
                        Err(_) => return End::Nobody,
                    },
                    () = self.refresh.notified() => break,
                    question = self.questions.recv() => match question {
                        Some(question) => {
                            if let Err(error) = self.answer(store, question).await {
                                return error.into();
                            }
                        }
                        None => return End::Nobody,
                    },
                    turn = in_time(wake.turn()) => match turn {
                        Ok(true) => break,
                        Ok(false) => self.heard(wake.source()),
                        Err(error) => return error.into(),
                    },
                }
            }
        }
    }

    fn show(&self, picture: Picture, source: Source) {
        self.sight.send_modify(|sight| {
            sight.picture = Some(Arc::new(picture));
            sight.link.trouble = None;
        });
        self.heard(source);
    }

    fn heard(&self, source: Source) {
        self.sight.send_modify(|sight| {
            sight.link.heard = Some(Instant::now());
            sight.link.source = match source {
                Source::Notify => "notify",
                Source::FileWatch => "watch",
                Source::Polling => "polling",
            };
        });
    }

    async fn answer(&self, store: &Store, question: Question) -> Result<(), StoreError> {
        match question {
            Question::Plan(id, verb, asked) => {
                let signing = Signing::with(self.address.signer.as_ref());
                let asked = asked.with_signing(signing);
                let plan = async {
                    let mut view = store.view().await?;
                    Ok(actions::propose(&mut view, verb, asked).await)
                };
                let planned = in_time(plan).await?;
                let _ = self.answer.send(Event::Planned(id, Box::new(planned)));
            }
            Question::Verify => {
                let (store, answer) = (store.clone(), self.answer.clone());
                tokio::spawn(async move {
                    let verified = match store.view().await {
                        Ok(mut view) => verify::verify(&mut view, None).await,
                        Err(error) => Err(error),
                    };
                    let _ = answer.send(Event::Verified(Box::new(verified)));
                });
            }
        }
        Ok(())
    }
}

async fn in_time<T>(work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    let silent = |_| {
        StoreError::new(
            Failure::Unreachable,
            format!(
                "the database has not answered for {} seconds",
                PATIENCE.as_secs()
            ),
            "the last picture stays; govdeck tries again by itself",
        )
    };
    tokio::time::timeout(PATIENCE, work).await.map_err(silent)?
}

struct Writer {
    address: Address,
    answer: mpsc::UnboundedSender<Event>,
    /// The writing connection, while armed.
    armed: Option<Store>,
}

impl Writer {
    async fn run(mut self, mut writes: mpsc::UnboundedReceiver<Write>) {
        while let Some(write) = writes.recv().await {
            match write {
                Write::Submit(request) => self.submit(*request).await,
                Write::Disarm => self.disarm().await,
                Write::End(ended) => {
                    self.disarm().await;
                    let _ = ended.send(());
                    return;
                }
            }
        }
    }

    async fn submit(&mut self, request: Request) {
        let ticket = request.ticket().to_owned();
        let request = match sign(self.address.signer.clone(), request).await {
            Ok(request) => request,
            Err(refusal) => return self.tell(ticket, Outcome::Refused(refusal)),
        };
        let arms = request.verb() == super::ARM;
        let store = match &self.armed {
            Some(store) => Ok(store.clone()),
            None => {
                Store::open(
                    &self.address.dsn,
                    self.address.account.clone(),
                    Access::Write,
                )
                .await
            }
        };
        let store = match store {
            Ok(store) => store,
            Err(error) => return self.tell(ticket, Outcome::Failed(error)),
        };
        let outcome = tokio::time::timeout(WRITE_PATIENCE, actions::carry_out(&store, request))
            .await
            .unwrap_or_else(|_| Outcome::Unknown {
                ticket: ticket.clone(),
                cause: StoreError::new(
                    Failure::Unreachable,
                    "the database fell silent",
                    "its ticket is looked up",
                ),
            });
        let unknown = matches!(outcome, Outcome::Unknown { .. });
        if arms && matches!(outcome, Outcome::Done(_)) {
            self.armed = Some(store);
        } else if self.armed.is_none() {
            tokio::spawn(async move { store.close().await });
        }
        self.tell(ticket.clone(), outcome);
        if unknown {
            self.resolve(ticket);
        }
    }

    fn tell(&self, ticket: String, outcome: Outcome) {
        let _ = self.answer.send(Event::Done(ticket, Box::new(outcome)));
    }

    /// Asks the ledger what became of a ticket until it answers.
    fn resolve(&self, ticket: String) {
        let (address, answer) = (self.address.clone(), self.answer.clone());
        tokio::spawn(async move {
            while !answer.is_closed() {
                if let Ok(found) = ask(&address, &ticket).await {
                    let _ = answer.send(Event::Resolved(ticket, found));
                    return;
                }
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        });
    }

    async fn disarm(&mut self) {
        let Some(store) = self.armed.take() else {
            return;
        };
        let console = self.address.console_id.clone();
        if let Ok(request) = Request::by_rule(ByRule::Disarm { console }) {
            // When the database is gone, the armed time expires by itself.
            let _ = tokio::time::timeout(
                Duration::from_millis(800),
                actions::carry_out(&store, request),
            )
            .await;
        }
        tokio::spawn(async move { store.close().await });
        let _ = self.answer.send(Event::Disarmed);
    }
}

async fn ask(address: &Address, ticket: &str) -> Result<Option<Sealed>, StoreError> {
    let store = Store::open(&address.dsn, address.account.clone(), Access::Write).await?;
    let found = in_time(store.resolve(ticket)).await;
    store.close().await;
    Ok(found?.map(Sealed::from))
}
