//! The unexpected: what went wrong between us and the database, as one sentence and a hint.

use std::fmt;

use super::grants;
use crate::settings::Dsn;

/// An unexpected failure of the store; never an expected "no", which is a [`crate::rules::Refusal`].
#[derive(Debug, thiserror::Error)]
#[error("{sentence}")]
pub struct StoreError {
    /// What kind of failure it is; callers decide by this, never by the text.
    pub kind: Failure,
    /// What happened, in one sentence without secrets.
    pub sentence: String,
    /// What to do about it.
    pub hint: String,
}

/// The kinds of failure that callers tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The database cannot be reached, or the connection broke.
    Unreachable,
    /// The file or database is not govdeck's, is damaged, or has another schema version.
    Unusable,
    /// Somebody else holds the lock; trying again may help.
    Busy,
    /// The database's own walls refused a write.
    Wall,
    /// The lease that it would be written under is another's by now.
    Fenced,
    /// Anything else.
    Other,
}

impl StoreError {
    /// Makes an error of its kind, a sentence and a hint.
    pub fn new(kind: Failure, sentence: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            kind,
            sentence: sentence.into(),
            hint: hint.into(),
        }
    }

    /// Says which database the error is about, without its password.
    #[must_use]
    pub fn about(self, dsn: &Dsn) -> Self {
        Self {
            sentence: format!("{dsn}: {}", self.sentence),
            ..self
        }
    }

    /// Makes an error about a database that is not what it should be.
    pub fn unusable(sentence: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(Failure::Unusable, sentence, hint)
    }
}

/// SQLSTATEs and SQLite codes that mean "somebody else is at it": the whole request is tried again.
const TRY_AGAIN: &[&str] = &["40001", "40P01", "55P03", "5", "6"];

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(said) => from_database(&**said),
            sqlx::Error::Io(cause) => Self::new(
                Failure::Unreachable,
                format!("the database cannot be reached: {cause}"),
                "check that the server runs and that the network lets you through",
            ),
            sqlx::Error::Tls(_) => Self::new(
                Failure::Unreachable,
                format!("no secure connection to the database: {error}"),
                "check the server's certificate and `sslmode`",
            ),
            sqlx::Error::PoolTimedOut => Self::new(
                Failure::Unreachable,
                "the database did not answer within 10 seconds",
                "check that the server runs and is not overloaded",
            ),
            sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed | sqlx::Error::Protocol(_) => {
                Self::new(
                    Failure::Unreachable,
                    format!("the connection to the database broke: {error}"),
                    "try again; if it repeats, look at the server's log",
                )
            }
            sqlx::Error::ColumnDecode { index, source } => Self::unusable(
                format!("column {index} holds a value that govdeck cannot have written: {source}"),
                "run `govdeck ledger verify`",
            ),
            _ => Self::new(
                Failure::Other,
                format!("the database call failed: {error}"),
                "if it repeats, report it with this sentence",
            ),
        }
    }
}

/// Reduces SQLite's extended codes to the primary one in their low byte; a SQLSTATE has five characters and stays.
fn primary_code(code: &str) -> String {
    match code.parse::<u32>() {
        Ok(number) if code.len() < 5 => (number & 0xff).to_string(),
        _ => code.to_owned(),
    }
}

fn read_only() -> StoreError {
    StoreError::new(
        Failure::Unreachable,
        "the database is read-only",
        "check the file's permissions, or connect to the primary server",
    )
}

fn from_database(said: &dyn sqlx::error::DatabaseError) -> StoreError {
    let code = primary_code(&said.code().unwrap_or_default());
    let message = said.message();
    if TRY_AGAIN.contains(&code.as_str()) {
        return StoreError::new(
            Failure::Busy,
            "the database is busy: somebody else is writing",
            "try again in a moment",
        );
    }
    if let Some(wall) = message.find("wall ") {
        return StoreError::new(
            Failure::Wall,
            message[wall..].to_owned(),
            "this rule is kept by the database itself",
        );
    }
    let constraint =
        said.is_check_violation() || said.is_foreign_key_violation() || said.is_unique_violation();
    if constraint || code == "23502" {
        return StoreError::new(
            Failure::Wall,
            format!("the database refused the row: {message}"),
            "this rule is kept by the database itself",
        );
    }
    // A standby says so in one of two ways, by what was asked of it.
    let is_standby = code == "0A000" && message.ends_with("during recovery");
    match code.as_str() {
        "26" => StoreError::unusable(
            "the file is no SQLite database",
            "point `dsn` at another file, or move this one away",
        ),
        "11" => StoreError::unusable(
            "the database file is damaged",
            "restore it from a backup; keep the damaged file for study",
        ),
        "14" => StoreError::new(
            Failure::Unreachable,
            "the database file cannot be opened",
            "check the path and its permissions; `govdeck init` makes a new one",
        ),
        "8" | "25006" => read_only(),
        _ if is_standby => read_only(),
        "10" | "58030" => StoreError::new(
            Failure::Unreachable,
            format!("the disk failed: {message}"),
            "look at the system's log; nothing half written is kept",
        ),
        "13" | "53100" => StoreError::new(
            Failure::Other,
            "the disk is full, nothing was written",
            "free some space and try again",
        ),
        "28P01" | "28000" => StoreError::new(
            Failure::Unreachable,
            format!("the server refused the login: {message}"),
            "check the user and password in `dsn`",
        ),
        "3D000" => StoreError::new(
            Failure::Unreachable,
            message.to_owned(),
            "create the database, or correct its name in `dsn`",
        ),
        "42501" => StoreError::new(
            Failure::Wall,
            format!("the database does not let this login do that: {message}"),
            grants::hint(message),
        ),
        // Class 57: shutdown, crash, cannot connect now; class 08: connection; 53300: too many connections.
        code if code.starts_with("57") || code.starts_with("08") || code == "53300" => {
            StoreError::new(
                Failure::Unreachable,
                format!("the database went away: {message}"),
                "try again when the server is back",
            )
        }
        _ => StoreError::new(
            Failure::Other,
            format!("the database call failed: {message} ({code})"),
            "if it repeats, report it with this sentence",
        ),
    }
}

/// What became of a write that was sent.
#[derive(Debug)]
pub enum SealError {
    /// It was not written.
    NotWritten(StoreError),
    /// The connection broke while committing: nobody knows yet; look the ticket up.
    Unknown(StoreError),
}

impl From<StoreError> for SealError {
    fn from(error: StoreError) -> Self {
        Self::NotWritten(error)
    }
}

impl From<sqlx::Error> for SealError {
    fn from(error: sqlx::Error) -> Self {
        Self::NotWritten(error.into())
    }
}

impl fmt::Display for SealError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotWritten(error) => write!(out, "nothing was written: {error}"),
            Self::Unknown(error) => write!(out, "the outcome is unknown: {error}"),
        }
    }
}
