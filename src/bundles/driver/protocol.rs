//! What govdeck and a driver say to each other: one JSON document each way, then the process ends.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::canon;
use crate::rules::bundle::{Baseline, Kind, Scope};
use crate::rules::bundle_run::Script;
use crate::rules::words;

/// The protocol's name and version; a driver that knows another one refuses it.
pub const PROTOCOL: &str = "govdeck.bundle-driver.v1";

words! {
    /// What a driver is asked for.
    pub enum Ask {
        /// Who it is and which stores it knows.
        Hello = "hello",
        /// What the store looks like.
        Baseline = "baseline",
        /// What the change would do; the store is afterwards as before.
        Plan = "plan",
        /// To make the change.
        Apply = "apply",
        /// To take the change back.
        Rollback = "rollback",
    }
}

words! {
    /// Why a driver did not do what it was asked for.
    pub enum Code {
        /// It speaks no such version of the protocol.
        UnsupportedProtocol = "unsupported_protocol",
        /// It knows no such request.
        UnknownRequest = "unknown_request",
        /// The document is none, or has another shape.
        BadRequest = "bad_request",
        /// The store cannot be reached or did not answer in time.
        Unreachable = "unreachable",
        /// A script asks for what is not allowed; nothing of it was done.
        ScriptRefused = "script_refused",
        /// The store refused a script; what of it was done, only a baseline tells.
        ScriptFailed = "script_failed",
        /// Anything else.
        Internal = "internal",
    }
}

/// What a driver works on; every request but `hello` holds all of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Work {
    /// The kind of store.
    pub kind: Kind,
    /// The names of the environment variables that hold what the driver needs to reach the store.
    pub secrets: Vec<String>,
    /// What the change may touch, and what is protected.
    pub scope: Scope,
    /// Scripts that make the change, in their order.
    pub forward: Vec<Script>,
    /// Scripts that take it back, in their order.
    pub rollback: Vec<Script>,
    /// How long the driver has before it is ended.
    pub time_limit_ms: u64,
}

/// A request as a driver reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Repeated in the answer.
    pub id: String,
    /// What is asked for.
    pub ask: Ask,
    /// What to work on; none for `hello`.
    pub work: Option<Work>,
}

/// Who a driver is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hello {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The kinds of stores it knows.
    pub kinds: Vec<Kind>,
}

/// What a rehearsal showed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The store before.
    pub pre: Baseline,
    /// The store with the change made.
    pub post: Baseline,
    /// The store with the change taken back; none when there are no scripts for that.
    pub back: Option<Baseline>,
    /// Rows that the change inserted, changed and deleted, by `schema.table`.
    pub rows: BTreeMap<String, u64>,
    /// What reviewers should know.
    pub notes: Vec<String>,
}

/// What a change or its way back did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Changed {
    /// Rows inserted, changed and deleted, by `schema.table`.
    pub rows: BTreeMap<String, u64>,
    /// What reviewers should know.
    pub notes: Vec<String>,
}

/// A refusal of a driver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Said {
    /// Why, as a fixed word.
    pub code: Code,
    /// Why, in one sentence.
    pub message: String,
}

impl Said {
    /// Makes a refusal.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { code, message }
    }
}

/// What a driver answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// To `hello`.
    Hello(Hello),
    /// To `baseline`.
    Baseline(Baseline),
    /// To `plan`.
    Plan(Box<Plan>),
    /// To `apply`.
    Apply(Changed),
    /// To `rollback`.
    Rollback(Changed),
    /// To anything: it was not done.
    Error(Said),
}

impl Request {
    /// Writes the document with a line's end.
    pub fn bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut document = Map::new();
        document.insert("protocol".to_owned(), json!(PROTOCOL));
        document.insert("id".to_owned(), json!(self.id));
        document.insert("request".to_owned(), json!(self.ask));
        if let Some(work) = &self.work {
            document.insert("work".to_owned(), serde_json::to_value(work)?);
        }
        line(&Value::Object(document))
    }

    /// Reads a request strictly; a refusal comes with the id, when there is one, so that it can be answered.
    pub fn read(bytes: &[u8]) -> Result<Self, (String, Said)> {
        let mut document =
            object(bytes).map_err(|what| (String::new(), Said::new(Code::BadRequest, what)))?;
        let mut id = String::new();
        Self::take(&mut document, &mut id).map_err(|said| (id, said))
    }

    fn take(document: &mut Map<String, Value>, id: &mut String) -> Result<Self, Said> {
        let bad = |what| Said::new(Code::BadRequest, what);
        *id = text(document, "id").map_err(bad)?;
        let protocol = text(document, "protocol").map_err(bad)?;
        if protocol != PROTOCOL {
            let what = format!("this driver speaks {PROTOCOL} only");
            return Err(Said::new(Code::UnsupportedProtocol, what));
        }
        let ask = text(document, "request").map_err(bad)?;
        let ask: Ask = ask
            .parse()
            .map_err(|_| Said::new(Code::UnknownRequest, "there is no such request"))?;
        let work = document.remove("work").map(serde_json::from_value::<Work>);
        let work = work
            .transpose()
            .map_err(|error| bad(format!("work: {error}")))?;
        if (ask == Ask::Hello) != work.is_none() {
            return Err(bad(
                "`hello` holds no work, every other request does".to_owned()
            ));
        }
        nothing_else(document).map_err(bad)?;
        let id = id.clone();
        Ok(Self { id, ask, work })
    }
}

impl Answer {
    /// Writes the document that answers the request with this id, with a line's end.
    pub fn bytes(&self, id: &str) -> Result<Vec<u8>, serde_json::Error> {
        let (word, body) = match self {
            Self::Hello(hello) => ("hello", serde_json::to_value(hello)?),
            Self::Baseline(baseline) => ("baseline", serde_json::to_value(baseline)?),
            Self::Plan(plan) => ("plan", serde_json::to_value(plan)?),
            Self::Apply(changed) => ("apply", serde_json::to_value(changed)?),
            Self::Rollback(changed) => ("rollback", serde_json::to_value(changed)?),
            Self::Error(said) => ("error", serde_json::to_value(said)?),
        };
        line(&json!({"protocol": PROTOCOL, "id": id, "answer": word, "body": body}))
    }

    /// Reads an answer strictly: of this version, to this id, to what was asked for.
    pub fn read(bytes: &[u8], id: &str, ask: Ask) -> Result<Self, String> {
        let mut document = object(bytes)?;
        let protocol = text(&mut document, "protocol")?;
        if protocol != PROTOCOL {
            return Err("it is of another version of the protocol".to_owned());
        }
        let Some(Value::String(answered)) = document.remove("id") else {
            return Err("it has no text `id`".to_owned());
        };
        let word = text(&mut document, "answer")?;
        let body = document.remove("body").ok_or("it has no `body`")?;
        nothing_else(&document)?;
        if word == "error" {
            // What a driver could not read has no id that it could repeat.
            if answered != id && !answered.is_empty() {
                return Err("it answers another request".to_owned());
            }
            return typed(body).map(Self::Error);
        }
        if answered != id {
            return Err("it answers another request".to_owned());
        }
        if word != ask.word() {
            return Err(format!("it does not answer `{ask}`"));
        }
        Ok(match ask {
            Ask::Hello => Self::Hello(typed(body)?),
            Ask::Baseline => Self::Baseline(typed(body)?),
            Ask::Plan => Self::Plan(typed(body)?),
            Ask::Apply => Self::Apply(typed(body)?),
            Ask::Rollback => Self::Rollback(typed(body)?),
        })
    }
}

fn line(document: &Value) -> Result<Vec<u8>, serde_json::Error> {
    let mut bytes = serde_json::to_vec(document)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Reads one JSON object: no equal keys, no second document, no depth without an end.
fn object(bytes: &[u8]) -> Result<Map<String, Value>, String> {
    let canonical = canon::canonical_exact(bytes).map_err(|error| format!("{error}"))?;
    match serde_json::from_slice(&canonical) {
        Ok(Value::Object(document)) => Ok(document),
        _ => Err("it is no JSON object".to_owned()),
    }
}

fn text(document: &mut Map<String, Value>, name: &str) -> Result<String, String> {
    match document.remove(name) {
        Some(Value::String(text)) if !text.is_empty() => Ok(text),
        _ => Err(format!("it has no text `{name}`")),
    }
}

fn nothing_else(document: &Map<String, Value>) -> Result<(), String> {
    match document.keys().next() {
        None => Ok(()),
        Some(name) => Err(format!("it has an unknown field {name:?}")),
    }
}

fn typed<T: serde::de::DeserializeOwned>(body: Value) -> Result<T, String> {
    serde_json::from_value(body).map_err(|error| format!("its body cannot be read: {error}"))
}

#[cfg(test)]
mod tests;
