//! The writer: carries requests out one after the other, and finds out what became of those whose answer is lost.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::actions::{self, ByRule, Outcome, Request, Stop};
use crate::jobs::outside;
use crate::store::{Access, Failure, Sealed, Store, StoreError};

use super::super::event::Event;
use super::super::sign::sign;
use super::runs::Runs;
use super::{Address, Limits, Write, close, in_time};

/// The pause between two questions for a ticket.
const BETWEEN_QUESTIONS: Duration = Duration::from_secs(1);

/// Carries requests out.
pub(super) struct Writer {
    pub(super) address: Address,
    pub(super) limits: Limits,
    pub(super) answer: mpsc::UnboundedSender<Event>,
    pub(super) runs: Runs,
    /// The writing connection, while armed.
    pub(super) armed: Option<Store>,
}

impl Writer {
    /// Writes until the loop is gone.
    pub(super) async fn run(mut self, mut writes: mpsc::UnboundedReceiver<Write>) {
        while let Some(write) = writes.recv().await {
            match write {
                Write::Submit(request) => self.submit(*request).await,
                Write::Run(id, work, claimed) => self.runs.begin(id, work, claimed),
                Write::Disarm => {
                    // Armed by an answer that was lost: then no connection was kept.
                    if self.armed.is_none() {
                        let opened = self.address.open(Access::Write, self.limits.answer);
                        self.armed = opened.await.ok();
                    }
                    self.disarm().await;
                }
                // Its entry is news like any other; disarmed meanwhile, somebody else will meet it.
                Write::EndProposal(ticket) => {
                    if let Some(store) = &self.armed {
                        let ending = actions::end_if_over(store, ticket);
                        let _ = tokio::time::timeout(self.limits.write, ending).await;
                    }
                }
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
        let arms = request.verb() == super::super::ARM;
        let store = match &self.armed {
            Some(store) => Ok(store.clone()),
            None => self.address.open(Access::Write, self.limits.answer).await,
        };
        let store = match store {
            Ok(store) => store,
            Err(error) => return self.tell(ticket, Outcome::Failed(error)),
        };
        let mut attempt = {
            let (store, root) = (store.clone(), self.address.governance_root.clone());
            let runs = self.runs.clone();
            tokio::spawn(async move {
                match runs.look_ahead(&store, &request).await {
                    Ok(()) => {}
                    Err(Stop::Store(error)) => return Outcome::Failed(error),
                    Err(Stop::Refused(refusal) | Stop::BadInput(refusal)) => {
                        return Outcome::Refused(refusal);
                    }
                }
                match outside::seen_again(&store, &root, request).await {
                    Ok(request) => actions::carry_out(&store, request).await,
                    Err(error) => Outcome::Failed(error),
                }
            })
        };
        let waited = tokio::time::timeout(self.limits.write, &mut attempt).await;
        let (outcome, attempt) = match waited {
            Ok(ended) => (ended.unwrap_or_else(|_| broken(&ticket)), None),
            // Nobody may cut a write in the middle, so it goes on, and may still be written.
            Err(_) => (silent(&ticket), Some(attempt)),
        };
        let unknown = matches!(outcome, Outcome::Unknown { .. });
        if arms && matches!(outcome, Outcome::Done(_)) {
            self.armed = Some(store);
        } else if self.armed.is_none() {
            close(store);
        }
        self.tell(ticket.clone(), outcome);
        if unknown {
            let resolver = Resolver {
                address: self.address.clone(),
                limits: self.limits,
                answer: self.answer.clone(),
                ticket,
            };
            tokio::spawn(resolver.run(attempt));
        }
    }

    fn tell(&self, ticket: String, outcome: Outcome) {
        let _ = self.answer.send(Event::Done(ticket, Box::new(outcome)));
    }

    async fn disarm(&mut self) {
        let Some(store) = self.armed.take() else {
            return;
        };
        let console = self.address.console_id.clone();
        if let Ok(request) = Request::by_rule(ByRule::Disarm { console }) {
            // When the database is gone, the armed time expires by itself.
            let disarmed = actions::carry_out(&store, request);
            let _ = tokio::time::timeout(self.limits.farewell, disarmed).await;
        }
        close(store);
        let _ = self.answer.send(Event::Disarmed);
    }
}

fn broken(ticket: &str) -> Outcome {
    Outcome::Unknown {
        ticket: ticket.to_owned(),
        cause: StoreError::new(
            Failure::Other,
            "the writing task ended early",
            "its ticket is looked up",
        ),
    }
}

fn silent(ticket: &str) -> Outcome {
    Outcome::Unknown {
        ticket: ticket.to_owned(),
        cause: StoreError::new(
            Failure::Unreachable,
            "the database fell silent",
            "its ticket is looked up",
        ),
    }
}

/// Finds out what became of a request whose outcome is unknown.
struct Resolver {
    address: Address,
    limits: Limits,
    answer: mpsc::UnboundedSender<Event>,
    ticket: String,
}

impl Resolver {
    /// Asks the ledger until its answer is final.
    ///
    /// That a ticket is not there is final only when the attempt that may still write it has ended.
    async fn run(self, mut attempt: Option<JoinHandle<Outcome>>) {
        while !self.answer.is_closed() {
            // Asked before the ledger is: what ends in between may have been written behind the question.
            let ended = match &mut attempt {
                Some(running) if !running.is_finished() => false,
                Some(finished) => {
                    let outcome = finished.await;
                    attempt = None;
                    match outcome {
                        Ok(Outcome::Done(sealed)) => return self.tell(Some(sealed)),
                        Ok(Outcome::Refused(_) | Outcome::Failed(_)) => return self.tell(None),
                        Ok(Outcome::Unknown { .. }) | Err(_) => true,
                    }
                }
                None => true,
            };
            match self.ask().await {
                Ok(Some(sealed)) => return self.tell(Some(sealed)),
                Ok(None) if ended => return self.tell(None),
                Ok(None) | Err(_) => {}
            }
            tokio::time::sleep(BETWEEN_QUESTIONS).await;
        }
    }

    fn tell(self, found: Option<Sealed>) {
        let _ = self.answer.send(Event::Resolved(self.ticket, found));
    }

    async fn ask(&self) -> Result<Option<Sealed>, StoreError> {
        let store = self.address.open(Access::Write, self.limits.answer).await?;
        let found = in_time(self.limits.answer, store.resolve(&self.ticket)).await;
        close(store);
        Ok(found?.map(Sealed::from))
    }
}
