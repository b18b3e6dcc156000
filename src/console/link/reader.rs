//! The reader: keeps one picture fresh, and answers what the loop asks about it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use tokio::sync::{Notify, mpsc, watch};

use crate::actions::{self, Signing, Stop};
use crate::clock::Moment;
use crate::jobs::outside;
use crate::jobs::reversible::{self, WayBack};
use crate::readback;
use crate::rules::migration::Reversible;
use crate::store::migration;
use crate::store::verify;
use crate::store::wake::{Source, Wake};
use crate::store::{Store, StoreError};

use super::super::event::{Event, Sight};
use super::super::picture::{self, Picture, Wanted};
use super::{Address, FirstLook, Limits, Question, close, in_time};

/// The pauses between attempts to reach a lost database.
const BACKOFF: [Duration; 4] = [
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(3),
];

/// Keeps one picture fresh.
pub(super) struct Reader {
    pub(super) address: Address,
    pub(super) first_look: Option<FirstLook>,
    pub(super) limits: Limits,
    pub(super) sight: watch::Sender<Sight>,
    pub(super) answer: mpsc::UnboundedSender<Event>,
    pub(super) wanted: watch::Receiver<Wanted>,
    pub(super) refresh: Arc<Notify>,
    pub(super) questions: mpsc::UnboundedReceiver<Question>,
}

/// Tells whether a picture has to be taken anew although nothing was written, for time is part of it.
///
/// The clock of the process stands still while a laptop sleeps, so the workstation's is looked at too.
fn is_old((at, here): (Instant, Moment), renewal: Duration) -> bool {
    let passed = at.elapsed();
    let by_the_wall = Moment::on_this_workstation().since(here);
    passed >= renewal || jumped(passed, by_the_wall)
}

/// Tells whether two clocks disagree on how much time has passed.
fn jumped(passed: Duration, by_the_wall: TimeDelta) -> bool {
    let passed = TimeDelta::from_std(passed).unwrap_or(TimeDelta::MAX);
    (by_the_wall - passed).abs() > TimeDelta::seconds(2)
}

fn word(source: Source) -> &'static str {
    match source {
        Source::Notify => "notify",
        Source::FileWatch => "watch",
        Source::Polling => "polling",
    }
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
    /// Reads until the loop is gone.
    pub(super) async fn run(mut self) {
        let mut failed = 0;
        loop {
            let opened = match self.first_look.take() {
                Some(first_look) => first_look.at().await,
                None => self.address.open_to_look(self.limits.answer).await,
            };
            let end = match opened {
                Ok(store) => {
                    let end = self.read(&store, &mut failed).await;
                    close(store);
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
        let mut wake = match in_time(self.limits.answer, patient).await {
            Ok(wake) => wake,
            Err(error) => return error.into(),
        };
        loop {
            let wanted = self.wanted.borrow_and_update().clone();
            let renewal;
            match in_time(self.limits.answer, Box::pin(picture::take(store, &wanted))).await {
                Ok(picture) => {
                    renewal = picture.good_for(self.limits.renewal);
                    self.show(picture, wake.source());
                }
                // A row that cannot be read is no reason to connect anew, but the picture is not fresh.
                Err(error) => return error.into(),
            }
            *failed = 0;
            let taken = (Instant::now(), Moment::on_this_workstation());
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
                    turn = in_time(self.limits.answer, wake.turn()) => match turn {
                        Ok(true) => break,
                        Ok(false) if is_old(taken, renewal) => break,
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
            sight.link.hear(word(source));
        });
    }

    /// Notes that the database answers; nobody is woken for it, who looks when time counts sees it.
    fn heard(&self, source: Source) {
        self.sight.send_if_modified(|sight| {
            let before = sight.link.source;
            sight.link.hear(word(source));
            sight.link.source != before
        });
    }

    /// Answers a question; what may take long has a store of its own, lest the picture waits for it.
    async fn answer(&self, store: &Store, question: Question) -> Result<(), StoreError> {
        match question {
            Question::Plan(id, verb, asked) => {
                let signing = Signing::with(self.address.signer.as_ref());
                let mut asked = asked.with_signing(signing);
                let root = &self.address.governance_root;
                let plan = async {
                    let seen = outside::seen(store, root, verb, &asked.target).await?;
                    asked.prepared.extend(seen);
                    let mut view = store.view().await?;
                    Ok(actions::propose(&mut view, verb, asked).await)
                };
                let (planned, trouble) = match in_time(self.limits.answer, plan).await {
                    Ok(planned) => (planned, None),
                    // Whoever asked is told too, for nobody asks again for them.
                    Err(error) => {
                        let told = StoreError::new(error.kind, &error.sentence, &error.hint);
                        (Err(Stop::Store(told)), Some(error))
                    }
                };
                let _ = self.answer.send(Event::Planned(id, Box::new(planned)));
                if let Some(error) = trouble {
                    return Err(error);
                }
            }
            Question::Cite(cites) => {
                let (address, answer) = (self.address.clone(), self.answer.clone());
                let patience = self.limits.answer;
                tokio::spawn(async move {
                    let root = &address.governance_root;
                    let followed = async {
                        let store = address.open_to_look(patience).await?;
                        let followed = readback::chain(&mut store.view().await?, root, cites).await;
                        close(store);
                        followed
                    };
                    let _ = answer.send(Event::Cited(Box::new(followed.await)));
                });
            }
            Question::WayBack(migration_id) => {
                let (address, answer) = (self.address.clone(), self.answer.clone());
                let patience = self.limits.answer;
                tokio::spawn(async move {
                    let looked = way_back(&address, patience, &migration_id).await;
                    let _ = answer.send(Event::WayBack(migration_id, Box::new(looked)));
                });
            }
            Question::Verify => {
                let (address, answer) = (self.address.clone(), self.answer.clone());
                let patience = self.limits.answer;
                tokio::spawn(async move {
                    let verified = async {
                        let store = address.open_to_look(patience).await?;
                        let verified = verify::verify(&mut store.view().await?, None).await;
                        close(store);
                        verified
                    };
                    let _ = answer.send(Event::Verified(Box::new(verified.await)));
                });
            }
        }
        Ok(())
    }
}

/// Looks whether a migration can be taken back; none where nobody can tell, since it is gone.
async fn way_back(
    address: &Address,
    patience: Duration,
    migration_id: &str,
) -> Result<Option<Reversible>, StoreError> {
    let store = address.open_to_look(patience).await?;
    let looked = async {
        let known = migration::known(&mut store.view().await?, migration_id).await?;
        let Some(known) = known else { return Ok(None) };
        let workshop = address.workshop.as_ref();
        let target = match workshop.map(|workshop| &workshop.dictionary) {
            Ok(Ok(target)) => Ok(target),
            Ok(Err(why)) | Err(why) => Err(why.sentence.clone()),
        };
        let root = &address.governance_root;
        let rests_on = WayBack { root, target };
        reversible::look(&store, &rests_on, &known).await.map(Some)
    };
    let looked = looked.await;
    close(store);
    looked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_stood_still_is_noticed() {
        let seconds = Duration::from_secs;
        assert!(!jumped(seconds(1), TimeDelta::milliseconds(1_200)));
        assert!(jumped(seconds(1), TimeDelta::seconds(3_600)), "it slept");
        assert!(jumped(seconds(1), TimeDelta::seconds(-60)), "it was set");
        let now = (Instant::now(), Moment::on_this_workstation());
        assert!(!is_old(now, seconds(30)));
        assert!(is_old(now, Duration::ZERO));
    }
}
