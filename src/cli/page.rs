//! What a verb gives back, and the one place that prints.

use std::fmt::{self, Write as _};
use std::io::{self, Write};
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

impl Exit {
    /// All of them, in their order.
    pub(super) const ALL: [Self; 4] = [Self::Done, Self::No, Self::BadInput, Self::CannotTell];

    /// Says what a script may take it for.
    pub(super) fn meaning(self) -> &'static str {
        match self {
            Self::Done => "pass, or done",
            Self::No => "a gate or a rule says no, or what was looked at has a fault",
            Self::BadInput => "the words or the input make no sense",
            Self::CannotTell => "cannot tell: unreachable, unusable, missing, or not decided",
        }
    }
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
    /// What warns and decides nothing; the error stream gets it, whatever shape was asked for.
    warnings: Vec<String>,
}

#[derive(Debug)]
enum Body {
    /// Lines and the same as JSON.
    Said { lines: Vec<String>, json: Value },
    /// Lines, and a JSON document that says the same and is too large to be held.
    Streamed { lines: Vec<String>, json: Stream },
    /// Exactly these bytes, whatever shape was asked for.
    Raw(Vec<u8>),
    /// Exact bytes too, which are too many to be held.
    Written(Stream),
}

/// Writes a document piece by piece.
type Streaming = dyn FnOnce(&mut dyn Write) -> io::Result<()>;

struct Stream(Box<Streaming>);

impl fmt::Debug for Stream {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Stream")
    }
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
        Self::of(exit, Body::Said { lines, json })
    }

    /// Makes a page of lines and of a JSON document that is written when it is asked for; the document names its schema.
    pub(super) fn streamed(
        exit: Exit,
        lines: Vec<String>,
        json: impl FnOnce(&mut dyn Write) -> io::Result<()> + 'static,
    ) -> Self {
        let json = Stream(Box::new(json));
        Self::of(exit, Body::Streamed { lines, json })
    }

    /// Makes a page of a text that is whole as it stands, and of the JSON document that says the same.
    pub(super) fn document(exit: Exit, text: &str, schema: &str, json: Value) -> Self {
        Self::new(
            exit,
            text.lines().map(str::to_owned).collect(),
            schema,
            json,
        )
    }

    /// Makes a page of a document whose shape somebody else has fixed, whatever shape was asked for.
    pub(super) fn foreign(exit: Exit, json: &Value) -> Self {
        Self::of(exit, Body::Raw(document(json)))
    }

    /// Makes a page of exact bytes.
    pub(super) fn raw(bytes: Vec<u8>) -> Self {
        Self::of(Exit::Done, Body::Raw(bytes))
    }

    /// Makes a page of exact bytes that are written when they are asked for.
    pub(super) fn written(write: impl FnOnce(&mut dyn Write) -> io::Result<()> + 'static) -> Self {
        Self::of(Exit::Done, Body::Written(Stream(Box::new(write))))
    }

    /// Makes it print its document, whatever shape was asked for.
    pub(super) fn into_json(self) -> Self {
        match self.body {
            Body::Said { json, .. } => Self {
                body: Body::Raw(document(&json)),
                ..self
            },
            Body::Streamed { .. } | Body::Raw(_) | Body::Written(_) => self,
        }
    }

    /// Adds warnings, which go to the error stream.
    pub(super) fn warning(self, warnings: Vec<String>) -> Self {
        Self { warnings, ..self }
    }

    fn of(exit: Exit, body: Body) -> Self {
        Self {
            exit,
            body,
            warnings: Vec::new(),
        }
    }

    /// Prints the page and returns its exit code; output that cannot be written is never a pass.
    pub(super) fn print(self, shape: Shape) -> ExitCode {
        for warning in &self.warnings {
            // Nothing is left to tell anyone when the error stream is closed.
            let _ = writeln!(io::stderr(), "warning: {}", text::scrub(warning));
        }
        let mut out = io::stdout().lock();
        let written = match (self.body, shape) {
            (Body::Raw(bytes), _) => out.write_all(&bytes),
            (Body::Written(stream), _) => (stream.0)(&mut out),
            (Body::Said { lines, .. } | Body::Streamed { lines, .. }, Shape::Text) => {
                let add = |page: String, line: &String| page + &text::scrub(line) + "\n";
                out.write_all(lines.iter().fold(String::new(), add).as_bytes())
            }
            (Body::Said { json, .. }, Shape::Json) => out.write_all(&document(&json)),
            (Body::Streamed { json, .. }, Shape::Json) => Harmless::write_through(&mut out, json),
        };
        match written.and_then(|()| out.flush()) {
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

/// Makes the bytes of a document with a line's end.
fn document(json: &Value) -> Vec<u8> {
    let mut text = escape_hostile(&json.to_string());
    text.push('\n');
    text.into_bytes()
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
    escaped
}

/// Escapes a JSON text in the same way while it passes through.
struct Harmless<'a> {
    out: &'a mut dyn Write,
    /// The begin of a character that was cut between two pieces.
    cut: Vec<u8>,
}

impl Harmless<'_> {
    fn write_through(out: &mut dyn Write, stream: Stream) -> io::Result<()> {
        let cut = Vec::new();
        let mut harmless = Harmless { out, cut };
        (stream.0)(&mut harmless)?;
        if harmless.cut.is_empty() {
            return harmless.out.write_all(b"\n");
        }
        Err(io::Error::from(io::ErrorKind::InvalidData))
    }
}

impl Write for Harmless<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let is_plain = |byte: &u8| (b' '..=b'~').contains(byte);
        if self.cut.is_empty() && bytes.iter().all(is_plain) {
            self.out.write_all(bytes)?;
            return Ok(bytes.len());
        }
        self.cut.extend_from_slice(bytes);
        let (text, rest) = match std::str::from_utf8(&self.cut) {
            Ok(text) => (text, Vec::new()),
            Err(error) if error.error_len().is_none() => {
                let (whole, rest) = self.cut.split_at(error.valid_up_to());
                let whole = std::str::from_utf8(whole).map_err(io::Error::other)?;
                (whole, rest.to_vec())
            }
            Err(error) => return Err(io::Error::other(error)),
        };
        self.out.write_all(escape_hostile(text).as_bytes())?;
        self.cut = rest;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
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
        assert!(!escaped.contains(text::is_hostile));
        assert_eq!(
            serde_json::from_str::<Value>(&escaped).expect("still JSON"),
            serde_json::from_str::<Value>(&raw).expect("JSON")
        );
    }
    #[test]
    fn a_stream_is_escaped_however_it_is_cut() {
        let raw = serde_json::json!({"a": "x\u{202e}é\u{e0041}z\n", "b": [1, "plain"]}).to_string();
        for length in 1..raw.len() {
            let pieces = raw.clone().into_bytes();
            let mut out = Vec::new();
            let write = move |out: &mut dyn Write| {
                let mut pieces = pieces.chunks(length);
                pieces.try_for_each(|piece| out.write_all(piece))
            };
            Harmless::write_through(&mut out, Stream(Box::new(write))).expect("it is JSON");
            assert_eq!(out, (escape_hostile(&raw) + "\n").into_bytes());
        }
        let cut = Stream(Box::new(|out: &mut dyn Write| out.write_all(b"\xc3")));
        assert!(Harmless::write_through(&mut Vec::new(), cut).is_err());
    }
}
