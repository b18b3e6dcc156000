//! The driver's side of the protocol, for the drivers that govdeck ships: reads one request, answers it.

use std::collections::BTreeMap;
use std::env;
use std::io::{self, Read, Write};

use serde::Serialize;
use zeroize::Zeroizing;

use super::protocol::{Answer, Ask, Changed, Code, Hello, Plan, Request, Said, Work};
use crate::canon::{Digest, canonical_of};
use crate::rules::bundle::{Baseline, Kind, Object, ObjectCounts, Scope};

/// The largest request that is read.
const MOST_BYTES: u64 = 64 * 1024 * 1024;

/// What a driver can do with its store.
pub trait Engine {
    /// The driver's name.
    fn name(&self) -> &'static str;
    /// The kind of store.
    fn kind(&self) -> Kind;
    /// Looks at the store.
    fn baseline(&self, work: &Work) -> Result<Baseline, Said>;
    /// Rehearses and leaves nothing behind.
    fn plan(&self, work: &Work) -> Result<Plan, Said>;
    /// Makes the change.
    fn apply(&self, work: &Work) -> Result<Changed, Said>;
    /// Takes the change back.
    fn rollback(&self, work: &Work) -> Result<Changed, Said>;
}

/// Reads one request, does it, and writes the answer; an error means that there is nobody to answer to.
pub fn speak(engine: &impl Engine, input: impl Read, mut output: impl Write) -> io::Result<()> {
    let mut bytes = Vec::new();
    input.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    let (id, answer) = if bytes.len() as u64 > MOST_BYTES {
        let said = Said::new(Code::BadRequest, "the request is too large");
        (String::new(), Answer::Error(said))
    } else {
        match Request::read(&bytes) {
            Ok(request) => {
                let answer = answer(engine, &request);
                (request.id, answer.unwrap_or_else(Answer::Error))
            }
            Err((id, said)) => (id, Answer::Error(said)),
        }
    };
    output.write_all(&answer.bytes(&id).map_err(io::Error::other)?)?;
    output.flush()
}

fn answer(engine: &impl Engine, request: &Request) -> Result<Answer, Said> {
    let Some(work) = &request.work else {
        return Ok(Answer::Hello(Hello {
            name: engine.name().to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            kinds: vec![engine.kind()],
        }));
    };
    if work.kind != engine.kind() {
        let what = format!("this driver knows {} stores only", engine.kind());
        return Err(Said::new(Code::BadRequest, what));
    }
    match request.ask {
        Ask::Hello => Err(Said::new(Code::BadRequest, "`hello` holds no work")),
        Ask::Baseline => engine.baseline(work).map(Answer::Baseline),
        Ask::Plan => engine.plan(work).map(|plan| Answer::Plan(Box::new(plan))),
        Ask::Apply => engine.apply(work).map(Answer::Apply),
        Ask::Rollback => engine.rollback(work).map(Answer::Rollback),
    }
}

/// Reads the store's address from the one environment variable that the request names.
pub(super) fn address(work: &Work) -> Result<Zeroizing<String>, Said> {
    let [name] = work.secrets.as_slice() else {
        return Err(Said::new(
            Code::BadRequest,
            "exactly one secret is needed: the one that holds the store's address",
        ));
    };
    let value = env::var(name).ok().filter(|value| !value.is_empty());
    value.map(Zeroizing::new).ok_or_else(|| {
        let what = format!("the environment variable {name:?} is not set");
        Said::new(Code::BadRequest, what)
    })
}

/// An object with the text of its definition.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) struct Described {
    pub kind: String,
    pub name: String,
    pub table: Option<String>,
    pub definition: String,
}

/// Makes a baseline of described objects; `protected` are digests by what they were made of.
pub(super) fn assemble(
    mut described: Vec<Described>,
    scope: &Scope,
    protected: &BTreeMap<String, String>,
    row_counts: BTreeMap<String, u64>,
    stats: BTreeMap<String, u64>,
) -> Result<Baseline, Said> {
    described.sort();
    let mut counts = ObjectCounts::default();
    for object in &described {
        match object.kind.as_str() {
            "table" | "label" | "relationship" => counts.tables += 1,
            "index" => counts.indexes += 1,
            "constraint" => counts.constraints += 1,
            _ => {}
        }
    }
    let guarded: Vec<_> = described
        .iter()
        .filter(|o| is_protected(o, scope))
        .collect();
    let protected_domain_fingerprint = fingerprint(&(guarded, protected))?;
    let schema_fingerprint = fingerprint(&described)?;
    let object = |described: Described| Object {
        kind: described.kind,
        name: described.name,
        table: described.table,
        definition: sha256(described.definition.as_bytes()),
    };
    let mut objects: Vec<Object> = described.into_iter().map(object).collect();
    objects.sort();
    Ok(Baseline {
        object_counts: counts,
        schema_fingerprint,
        protected_domain_fingerprint,
        objects,
        row_counts,
        stats,
    })
}

/// Tells whether an object, or what it belongs to, is forbidden or a protected reference.
fn is_protected(object: &Described, scope: &Scope) -> bool {
    let subject = object.table.as_deref().unwrap_or(&object.name);
    let (schema, table) = subject.split_once('.').unwrap_or(("", subject));
    let named = |entry: &String| entry == subject || entry == table;
    scope.forbidden_schemas.iter().any(|entry| entry == schema)
        || scope.forbidden_tables.iter().any(named)
        || scope.protected_reference_tables.iter().any(named)
}

fn fingerprint(value: &impl Serialize) -> Result<String, Said> {
    let bytes = canonical_of(value)
        .map_err(|_| Said::new(Code::Internal, "a definition cannot be written as JSON"))?;
    Ok(sha256(&bytes))
}

/// Writes a digest as baselines do.
pub(super) fn sha256(bytes: &[u8]) -> String {
    format!("sha256:{}", Digest::of(bytes))
}
