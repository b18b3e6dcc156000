//! A comparison as one JSON document, written in one pass: head, totals and every metric.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::{Value, json};

use super::judge::Comparison;
use super::walk::Outcome;
use crate::canon::{self, canonical_of};

/// The schema of the diff that goes into the artefact table.
pub const DIFF_SCHEMA: &str = "govdeck.reconcile-diff.v1";

/// How many bytes are gathered before they are written.
const GATHERED: usize = 64 * 1024;

/// Who answers for a failing metric.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// Who is asked first.
    pub owner: String,
    /// Who is asked next.
    pub backup: Option<String>,
}

/// Says who answers for a metric, if anybody does.
pub type Owners<'a> = dyn FnMut(&str) -> Option<Owner> + 'a;

impl Comparison {
    /// Writes the diff: canonical JSON, the same bytes for the same inputs and owners. A failing metric names its owner.
    pub fn write_diff(&self, out: &mut dyn Write, owner_of: &mut Owners<'_>) -> io::Result<()> {
        self.write_document(out, self.head(DIFF_SCHEMA), Some(owner_of))
    }

    /// Writes the document of the head-less verb: the same without owners.
    pub fn write_page(&self, out: &mut dyn Write, schema: &str) -> io::Result<()> {
        self.write_document(out, self.head(schema), None)
    }

    /// Makes everything of the document but the metrics.
    fn head(&self, schema: &str) -> BTreeMap<&'static str, Value> {
        BTreeMap::from([
            ("schema", json!(schema)),
            ("run_verdict", json!(self.verdict())),
            ("reason", Value::Null),
            ("detail", json!(self.lineage_fault())),
            ("terms", json!(self.terms())),
            ("totals", json!(self.totals())),
        ])
    }

    fn write_document(
        &self,
        out: &mut dyn Write,
        mut members: BTreeMap<&'static str, Value>,
        mut owner_of: Option<&mut Owners<'_>>,
    ) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(GATHERED + GATHERED / 4);
        members.insert("metrics", Value::Null);
        for (place, (name, value)) in members.into_iter().enumerate() {
            bytes.push(if place == 0 { b'{' } else { b',' });
            canon::write_text(name, &mut bytes);
            bytes.push(b':');
            if name == "metrics" {
                self.write_metrics(out, &mut bytes, owner_of.as_deref_mut())?;
            } else {
                bytes.extend(canonical_of(&value).map_err(io::Error::other)?);
            }
        }
        bytes.push(b'}');
        out.write_all(&bytes)
    }

    fn write_metrics(
        &self,
        out: &mut dyn Write,
        bytes: &mut Vec<u8>,
        mut owner_of: Option<&mut Owners<'_>>,
    ) -> io::Result<()> {
        let torn = |fault: super::Fault| io::Error::other(fault.what);
        let mut walk = self.walk().map_err(torn)?;
        let mut comma = b'[';
        while let Some(outcome) = walk.next_outcome().map_err(torn)? {
            bytes.push(comma);
            comma = b',';
            let owner = match (&mut owner_of, outcome.reason) {
                (Some(owner_of), Some(_)) => Some(owner_of(&outcome.metric_id)),
                _ => None,
            };
            write_metric(bytes, &outcome, owner.as_ref());
            if bytes.len() > GATHERED {
                out.write_all(bytes)?;
                bytes.clear();
            }
        }
        if comma == b'[' {
            bytes.push(b'[');
        }
        bytes.push(b']');
        Ok(())
    }
}

/// Appends one metric with its members in canonical order; owner and backup only where an owner was asked for.
fn write_metric(out: &mut Vec<u8>, outcome: &Outcome<'_>, owner: Option<&Option<Owner>>) {
    out.push(b'{');
    if let Some(owner) = owner {
        let backup = owner.as_ref().and_then(|owner| owner.backup.as_deref());
        member(out, "\"backup\":", backup);
        out.push(b',');
    }
    out.extend_from_slice(b"\"delta\":");
    match &outcome.delta {
        None => out.extend_from_slice(b"null"),
        Some(delta) => {
            out.push(b'"');
            delta.write(out);
            out.push(b'"');
        }
    }
    member(out, ",\"epsilon\":", outcome.epsilon);
    member(out, ",\"leadership\":", outcome.leadership.as_deref());
    member(out, ",\"metric_id\":", Some(&outcome.metric_id));
    if let Some(owner) = owner {
        let owner = owner.as_ref().map(|owner| owner.owner.as_str());
        member(out, ",\"owner\":", owner);
    }
    member(out, ",\"partner\":", outcome.partner.as_deref());
    let reason = outcome.reason.map(super::MetricReason::word);
    member(out, ",\"reason\":", reason);
    member(out, ",\"verdict\":", Some(outcome.verdict().word()));
    out.push(b'}');
}

fn member(out: &mut Vec<u8>, name: &str, text: Option<&str>) {
    out.extend_from_slice(name.as_bytes());
    match text {
        None => out.extend_from_slice(b"null"),
        Some(text) => canon::write_text(text, out),
    }
}
