//! How far a run has come, told to whoever watches; nobody has to.

use std::fmt;
use std::sync::Arc;

use crate::rules::text::scrub;

/// What a run is at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// It reaches for the target.
    Reach,
    /// It looks at the target before anything is done.
    Look,
    /// It runs a statement of a script.
    Statement {
        /// Which one, from 1 on.
        number: usize,
        /// Of how many.
        of: usize,
        /// Its file.
        file: String,
        /// Its line.
        line: usize,
    },
    /// A driver is at work.
    Drive,
    /// It looks again, and compares with what was declared.
    Judge,
    /// It keeps what was made.
    Commit,
    /// It ends the run in the ledger, with its receipt.
    File,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reach => "reaches for the target",
            Self::Look => "looks at the target",
            Self::Statement {
                number,
                of,
                file,
                line,
            } => return write!(f, "statement {number} of {of}, {}:{line}", scrub(file)),
            Self::Drive => "the driver is at work",
            Self::Judge => "looks again and judges",
            Self::Commit => "keeps what was made",
            Self::File => "ends the run in the ledger",
        })
    }
}

/// Where steps are told.
#[derive(Clone, Default)]
pub struct Progress(Option<Arc<dyn Fn(Step) + Send + Sync>>);

impl Progress {
    /// Tells each step to a listener, which must not wait for anything.
    #[must_use]
    pub fn to(listener: impl Fn(Step) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(listener)))
    }

    /// Tells a step.
    pub fn tell(&self, step: Step) {
        if let Some(listener) = &self.0 {
            listener(step);
        }
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let watched = self.0.as_ref().map_or("nobody", |_| "somebody");
        write!(f, "Progress({watched})")
    }
}
