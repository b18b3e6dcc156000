//! Why a driver gave nothing that can be used.

use super::protocol::{Code, Said};
use crate::rules::text;
use crate::store::{Failure, StoreError};

/// The kinds of trouble with a driver that callers tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The command is none that can be run, or a secret that it needs is missing.
    NotConfigured,
    /// It did not end in time and was ended.
    TimedOut,
    /// It wrote more than is read.
    TooMuch,
    /// What it wrote is no answer to what it was asked.
    Malformed,
    /// It answered that it did not do it.
    Said(Code),
}

/// A driver's failure: never a pass; whether the store was changed, only a baseline tells.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{sentence}")]
pub struct DriverError {
    /// What kind of trouble it is.
    pub trouble: Trouble,
    /// What happened, in one sentence without secrets.
    pub sentence: String,
    /// What to do about it.
    pub hint: String,
}

impl From<DriverError> for StoreError {
    fn from(error: DriverError) -> Self {
        let kind = match error.trouble {
            Trouble::TimedOut | Trouble::Said(Code::Unreachable) => Failure::Unreachable,
            _ => Failure::Other,
        };
        Self::new(kind, error.sentence, error.hint)
    }
}

/// How much of what a driver says an error repeats.
const SHOWN: usize = 600;

impl DriverError {
    pub(super) fn new(
        trouble: Trouble,
        sentence: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        let sentence: String = sentence.into();
        Self {
            trouble,
            sentence: text::shorten(&text::scrub(&sentence), SHOWN).into_owned(),
            hint: hint.into(),
        }
    }

    pub(super) fn said(said: &Said) -> Self {
        let hint = match said.code {
            Code::UnsupportedProtocol | Code::UnknownRequest | Code::BadRequest => {
                "use a driver of this version; `govdeck bundle driver-test` tries one"
            }
            Code::Unreachable => "check that the store runs and that its address is right",
            Code::ScriptRefused => "change the script; nothing of it was run",
            Code::ScriptFailed => "see what the store says about the script",
            Code::Internal => "see what the driver says",
        };
        Self::new(
            Trouble::Said(said.code),
            format!("the driver says {}: {}", said.code, said.message),
            hint,
        )
    }
}
