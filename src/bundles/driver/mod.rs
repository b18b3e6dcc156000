//! Drivers: commands that reach a store which is no plain SQL database, for bundles of the kinds `search`, `graph`, `other`.
//!
//! A driver is asked one thing a process, in the protocol `govdeck.bundle-driver.v1` (docs/bundle-drivers.md). It looks and
//! changes; what it may and what it did is judged here, by baselines and by `rules::bundle`, never by its word. Whatever a
//! driver writes that is not exactly an answer is a failure, and a failure is never a pass.

mod change;
mod command;
mod conformance;
mod error;
pub mod graph;
mod process;
pub mod protocol;
mod run;
pub mod search;
mod secrets;
pub mod speak;

use std::sync::Arc;
use std::time::Duration;

pub use change::Change;
pub use command::DriverCommand;
pub use conformance::{Check, conformance};
pub use error::{DriverError, Trouble};
pub use process::{Beyond, Bounds, Ended, Fault, Leash, run_in};
pub use run::{Planned, Ran, RolledBack};
pub use secrets::Secrets;

use protocol::{Answer, Ask, Changed, Hello, Plan, Request, Work};

use crate::rules::bundle::{Baseline, Kind};
use crate::rules::text;

/// How long a driver may take and how much it may say, unless somebody asks for less or more.
const BOUNDS: Bounds = Bounds {
    time: Duration::from_mins(10),
    bytes: 64 * 1024 * 1024,
};

/// How much of a driver's error stream an error repeats.
const SHOWN_ERRORS: usize = 300;

/// A driver that can be asked.
#[derive(Debug, Clone)]
pub struct Driver {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    command: DriverCommand,
    kind: Kind,
    secrets: Secrets,
    bounds: Bounds,
}

impl Driver {
    /// Makes a driver of its command, the kind of store and the secrets that it is given.
    #[must_use]
    pub fn new(command: DriverCommand, kind: Kind, secrets: Secrets) -> Self {
        let bounds = BOUNDS;
        let inner = Arc::new(Inner {
            command,
            kind,
            secrets,
            bounds,
        });
        Self { inner }
    }

    /// Gives it other bounds.
    #[must_use]
    pub fn within(self, bounds: Bounds) -> Self {
        let inner = match Arc::try_unwrap(self.inner) {
            Ok(inner) => inner,
            // Others hold it: this cannot happen while it is being made.
            Err(shared) => return Self { inner: shared },
        };
        let inner = Arc::new(Inner { bounds, ..inner });
        Self { inner }
    }

    /// Asks who it is, and refuses one that does not know the kind of store.
    pub async fn hello(&self) -> Result<Hello, DriverError> {
        let Answer::Hello(hello) = self.ask(Ask::Hello, None).await? else {
            return Err(unexpected());
        };
        if !hello.kinds.contains(&self.inner.kind) {
            return Err(DriverError::new(
                Trouble::NotConfigured,
                format!(
                    "the driver {:?} knows no {} stores",
                    hello.name, self.inner.kind
                ),
                "configure a driver for this kind of store",
            ));
        }
        Ok(hello)
    }

    /// Looks at the store.
    pub async fn baseline(&self, change: &Change) -> Result<Baseline, DriverError> {
        match self.ask(Ask::Baseline, Some(change)).await? {
            Answer::Baseline(baseline) => Ok(baseline),
            _ => Err(unexpected()),
        }
    }

    /// Makes the change.
    pub async fn forward(&self, change: &Change) -> Result<Changed, DriverError> {
        match self.ask(Ask::Apply, Some(change)).await? {
            Answer::Apply(changed) => Ok(changed),
            _ => Err(unexpected()),
        }
    }

    /// Takes the change back.
    pub async fn rollback(&self, change: &Change) -> Result<Changed, DriverError> {
        match self.ask(Ask::Rollback, Some(change)).await? {
            Answer::Rollback(changed) => Ok(changed),
            _ => Err(unexpected()),
        }
    }

    async fn rehearse(&self, change: &Change) -> Result<Plan, DriverError> {
        match self.ask(Ask::Plan, Some(change)).await? {
            Answer::Plan(plan) => Ok(*plan),
            _ => Err(unexpected()),
        }
    }

    /// Hands the driver exactly these bytes and returns what it wrote.
    async fn send(&self, bytes: Vec<u8>) -> Result<Vec<u8>, DriverError> {
        let inner = Arc::clone(&self.inner);
        let exchange = move || inner.exchange(bytes).map(|heard| heard.bytes);
        tokio::task::spawn_blocking(exchange)
            .await
            .map_err(|_| unexpected())?
    }

    /// Asks in a thread of its own; a caller that goes away does not cut the driver off in the middle.
    async fn ask(&self, ask: Ask, change: Option<&Change>) -> Result<Answer, DriverError> {
        let inner = Arc::clone(&self.inner);
        let change = change.cloned();
        tokio::task::spawn_blocking(move || inner.ask(ask, change))
            .await
            .map_err(|_| unexpected())?
    }
}

impl Inner {
    fn ask(&self, ask: Ask, change: Option<Change>) -> Result<Answer, DriverError> {
        let id = new_id()?;
        let work = change.map(|change| self.work(change));
        let request = Request { id, ask, work };
        let bytes = request.bytes().map_err(|_| unexpected())?;
        let heard = self.exchange(bytes)?;
        let answer = Answer::read(&heard.bytes, &request.id, ask).map_err(|what| {
            self.malformed(
                &format!("what it wrote is no answer: {what}"),
                &heard.errors,
            )
        })?;
        match answer {
            Answer::Error(said) => {
                let message = self.secrets.scrub(&said.message);
                Err(DriverError::said(&protocol::Said { message, ..said }))
            }
            answer => Ok(answer),
        }
    }

    fn work(&self, change: Change) -> Work {
        Work {
            kind: self.kind,
            secrets: self.secrets.names().map(str::to_owned).collect(),
            scope: change.scope,
            forward: change.forward,
            rollback: change.rollback,
            time_limit_ms: u64::try_from(self.bounds.time.as_millis()).unwrap_or(u64::MAX),
        }
    }

    /// Runs the process once with these bytes and returns what it wrote, if it ended well and shows no secret.
    fn exchange(&self, bytes: Vec<u8>) -> Result<Heard, DriverError> {
        let shown = self.command.shown();
        let ended = process::run(&self.command, &self.secrets, bytes, self.bounds);
        let ended = ended.map_err(|fault| match fault {
            Fault::Start(error) => DriverError::new(
                Trouble::NotConfigured,
                format!("the driver {shown} does not start: {error}"),
                "check the command and its permissions",
            ),
            Fault::TimedOut => DriverError::new(
                Trouble::TimedOut,
                format!(
                    "the driver {shown} had not ended after {} seconds and was killed",
                    self.bounds.time.as_secs()
                ),
                "a baseline tells what it had done by then",
            ),
            Fault::TooMuch => DriverError::new(
                Trouble::TooMuch,
                format!(
                    "the driver {shown} wrote more than {} bytes",
                    self.bounds.bytes
                ),
                "it was killed; a driver writes one document and nothing else",
            ),
            Fault::LeftOpen => self.malformed("a process that it left behind holds its output", ""),
            Fault::LetGo => self.malformed("it was ended before it answered", ""),
            Fault::Broken(error) => self.malformed(&format!("it cannot be read: {error}"), ""),
        })?;
        let errors = self.secrets.scrub(&String::from_utf8_lossy(&ended.stderr));
        if !ended.status.success() {
            return Err(self.malformed(&format!("it ended with {}", ended.status), &errors));
        }
        if self
            .secrets
            .shown_in(&String::from_utf8_lossy(&ended.stdout))
        {
            return Err(self.malformed("its answer shows a secret, so nothing of it is used", ""));
        }
        Ok(Heard {
            bytes: ended.stdout,
            errors,
        })
    }

    fn malformed(&self, what: &str, errors: &str) -> DriverError {
        let mut sentence = format!("the driver {}: {what}", self.command.shown());
        if !errors.trim().is_empty() {
            sentence += "; it complained: ";
            sentence += &text::shorten(errors.trim(), SHOWN_ERRORS);
        }
        DriverError::new(
            Trouble::Malformed,
            self.secrets.scrub(&sentence),
            "`govdeck bundle driver-test` says what a driver must do",
        )
    }
}

/// What a process wrote that ended well.
struct Heard {
    bytes: Vec<u8>,
    errors: String,
}

fn unexpected() -> DriverError {
    DriverError::new(
        Trouble::Malformed,
        "the request could not be made or its answer not be read",
        "try again",
    )
}

/// Makes an id that no answer can know before it has read the request.
fn new_id() -> Result<String, DriverError> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|_| unexpected())?;
    Ok(hex(&random))
}

fn hex(bytes: &[u8]) -> String {
    let digits = |text: String, byte: &u8| text + &format!("{byte:02x}");
    bytes.iter().fold(String::new(), digits)
}
