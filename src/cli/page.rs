//! What a verb gives back, and the one place that prints.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;

use serde_json::Value;

use crate::actions::Stop;
use crate::canon::JsonError;
use crate::console::FileError;
use crate::rules::{Refusal, Verdict, text};
use crate::settings::SettingsError;
use crate::store::StoreError;

/// The exit codes, which scripts rely on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    /// Pass, or done.
    Done = 0,
    /// The gate or a rule says no.
    No = 1,
    /// The words or the input make no sense.
    BadInput = 2,
    /// Unreachable, stale, or evidence missing.
    CannotTell = 3,
}

impl From<Verdict> for Exit {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Pass => Self::Done,
            Verdict::Fail => Self::No,
            Verdict::CannotTell => Self::CannotTell,
        }
    }
}

/// How a page is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Lines for people.
    Text,
    /// One JSON document.
    Json,
}

/// What a verb has to say.
#[derive(Debug)]
pub(super) struct Page {
    exit: Exit,
    body: Body,
}

#[derive(Debug)]
enum Body {
    /// Lines and the same as JSON.
    Said { lines: Vec<String>, json: Value },
    /// Exactly these bytes, whatever shape was asked for.
    Raw(Vec<u8>),
}

impl Page {
    /// Makes a page of lines and the JSON document that says the same; the document names its schema.
    pub(super) fn new(exit: Exit, lines: Vec<String>, schema: &str, mut json: Value) -> Self {
        if let Value::Object(members) = &mut json {
            members.insert(
                "schema".to_owned(),
                Value::String(format!("govdeck.{schema}.v1")),
            );
        }
        Self {
            exit,
            body: Body::Said { lines, json },
        }
    }

    /// Makes a page of exact bytes.
    pub(super) fn raw(bytes: Vec<u8>) -> Self {
        Self {
            exit: Exit::Done,
            body: Body::Raw(bytes),
        }
    }

    /// Makes it print its document, whatever shape was asked for.
    pub(super) fn into_json(self) -> Self {
        match self.body {
            Body::Said { json, .. } => Self {
                exit: self.exit,
                body: Body::Raw(escape_hostile(&json.to_string()).into_bytes()),
            },
            Body::Raw(_) => self,
        }
    }

    /// Prints the page and returns its exit code; output that cannot be written is never a pass.
    pub(super) fn print(self, shape: Shape) -> ExitCode {
        let bytes = match (self.body, shape) {
            (Body::Raw(bytes), _) => bytes,
            (Body::Said { lines, .. }, Shape::Text) => lines
                .iter()
                .fold(String::new(), |page, line| page + &text::scrub(line) + "\n")
                .into_bytes(),
            (Body::Said { json, .. }, Shape::Json) => {
                escape_hostile(&json.to_string()).into_bytes()
            }
        };
        let mut out = std::io::stdout().lock();
        match out.write_all(&bytes).and_then(|()| out.flush()) {
            Ok(()) => ExitCode::from(self.exit as u8),
            Err(error) => Failure::new(
                Exit::CannotTell,
                format!("the result cannot be written: {error}"),
                "nothing read it, so nothing may count on it",
            )
            .print(),
        }
    }
}

/// Escapes invisible and reordering characters inside a JSON text, which keeps its meaning.
fn escape_hostile(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len() + 1);
    for character in json.chars() {
        if text::is_hostile(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        } else {
            escaped.push(character);
        }
    }
    escaped.push('\n');
    escaped
}

/// Why a verb has nothing to say: one sentence and a hint, on the error stream.
#[derive(Debug)]
pub(super) struct Failure {
    exit: Exit,
    sentence: String,
    hint: String,
}

impl Failure {
    /// Makes a failure.
    pub(super) fn new(exit: Exit, sentence: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            exit,
            sentence: sentence.into(),
            hint: hint.into(),
        }
    }

    /// Makes a failure about a file.
    pub(super) fn of_file(path: &std::path::Path, error: &std::io::Error) -> Self {
        Self::new(
            Exit::BadInput,
            format!("{}: {error}", path.display()),
            "check the path and its permissions",
        )
    }

    /// Makes a failure about a JSON text that is not what it should be.
    pub(super) fn of_json(path: &std::path::Path, error: &JsonError) -> Self {
        Self::new(
            Exit::BadInput,
            format!("{}, {error}", path.display()),
            "mend the JSON text there",
        )
    }

    /// Returns what failed, for a list of such things.
    pub(super) fn sentence(&self) -> &str {
        &self.sentence
    }

    /// Prints the failure and returns its exit code.
    pub(super) fn print(self) -> ExitCode {
        let mut err = std::io::stderr().lock();
        // Nothing is left to tell anyone when the error stream is closed too.
        let _ = writeln!(
            err,
            "error: {}\nhint: {}",
            text::scrub(&self.sentence),
            text::scrub(&self.hint)
        );
        ExitCode::from(self.exit as u8)
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::new(Exit::No, refusal.sentence, refusal.hint)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        tracing::error!(kind = ?error.kind, "the store failed");
        Self::new(Exit::CannotTell, error.sentence, error.hint)
    }
}

impl From<SettingsError> for Failure {
    fn from(error: SettingsError) -> Self {
        Self::new(Exit::BadInput, error.sentence, error.hint)
    }
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        Self::new(Exit::BadInput, error.sentence, error.hint)
    }
}

impl From<Stop> for Failure {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::BadInput(refusal) => Self::new(Exit::BadInput, refusal.sentence, refusal.hint),
            Stop::Refused(refusal) => refusal.into(),
            Stop::Store(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_keeps_its_meaning_and_loses_its_tricks() {
        let raw = serde_json::json!({"a": "x\u{202e}y\u{e0041}z\n"}).to_string();
        let escaped = escape_hostile(&raw);
        assert!(!escaped.trim_end().contains(text::is_hostile));
        assert_eq!(
            serde_json::from_str::<Value>(&escaped).expect("still JSON"),
            serde_json::from_str::<Value>(&raw).expect("JSON")
        );
    }
}
