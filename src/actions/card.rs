//! The decision card: what was seen and decided, in canonical JSON, for people and for signatures.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Map, Value};

use super::entry::{Draft, Row};
use crate::canon::Digest;
use crate::clock::Moment;
use crate::rules::people::Basis;
use crate::rules::{Condition, condition};
use crate::store::StoreError;
use crate::store::tables::{WHEN_WRITTEN, image_of};

/// One column of a row that would change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChangedField {
    /// The column.
    pub field: String,
    /// Its value now.
    pub before: Value,
    /// Its value afterwards.
    pub after: Value,
}

/// A row that would change, column by column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChangedRow {
    /// The table.
    pub table: &'static str,
    /// The row's key.
    pub key: String,
    /// Its version afterwards.
    pub version: i64,
    /// The columns that differ.
    pub fields: Vec<ChangedField>,
}

#[derive(Serialize)]
struct Gate<'a> {
    id: &'a str,
    verdict: condition::Verdict,
    evidence: &'a str,
    evidence_sha256: Digest,
    observed_at: Moment,
}

#[derive(Serialize)]
struct Card<'a> {
    schema: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    deployment_id: Option<&'a str>,
    action: &'a str,
    basis: Basis,
    actor: &'a str,
    target_kind: &'a str,
    target_id: &'a str,
    target_version: i64,
    ticket: &'a str,
    reason: Option<&'a str>,
    state_hash: Digest,
    changes: Vec<ChangedRow>,
    gates: Vec<Gate<'a>>,
}

/// Whoever decides, and why: the part of a card that the draft does not hold.
pub(super) struct Decider<'a> {
    /// Where: what somebody signs for one deployment is no word in another.
    pub deployment_id: Option<&'a str>,
    pub verb: &'a str,
    pub basis: Basis,
    pub actor_id: &'a str,
    pub ticket: &'a str,
    pub reason: Option<&'a str>,
}

/// Writes the canonical decision card.
pub(super) fn card(
    decider: &Decider<'_>,
    draft: &Draft,
    state_hash: Digest,
    seen_at: Moment,
) -> Result<Vec<u8>, StoreError> {
    image_of(&Card {
        schema: "govdeck.card.v1",
        deployment_id: decider.deployment_id,
        action: decider.verb,
        basis: decider.basis,
        actor: decider.actor_id,
        target_kind: draft.target.kind,
        target_id: &draft.target.id,
        target_version: draft.target.version,
        ticket: decider.ticket,
        reason: decider.reason,
        state_hash,
        changes: draft.changes(seen_at)?,
        gates: draft
            .conditions
            .iter()
            .map(|condition| gate(condition, seen_at))
            .collect(),
    })
}

fn gate(condition: &Condition, observed_at: Moment) -> Gate<'_> {
    Gate {
        id: condition.id,
        verdict: condition.verdict,
        evidence: &condition.evidence,
        evidence_sha256: Digest::of(condition.evidence.as_bytes()),
        observed_at,
    }
}

impl Draft {
    /// Lists what would change, column by column.
    pub fn changes(&self, seen_at: Moment) -> Result<Vec<ChangedRow>, StoreError> {
        self.rows
            .iter()
            .map(|row| changed_row(row, seen_at))
            .collect()
    }
}

fn changed_row(row: &Row, seen_at: Moment) -> Result<ChangedRow, StoreError> {
    let columns =
        |image: &[u8]| serde_json::from_slice::<Map<String, Value>>(image).unwrap_or_default();
    let before = row.before.as_deref().map(columns).unwrap_or_default();
    let after = columns(&row.after.image()?);
    let now = Value::String(seen_at.to_string());
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let mut fields = Vec::new();
    for field in names.into_iter().filter(|field| *field != "version") {
        // An image may leave out what is NULL.
        let value = |of: &Map<String, Value>| of.get(field).cloned().unwrap_or(Value::Null);
        let (before, after) = (value(&before), value(&after));
        if before != after {
            let after = if after == now {
                Value::String(WHEN_WRITTEN.to_owned())
            } else {
                after
            };
            fields.push(ChangedField {
                field: field.clone(),
                before,
                after,
            });
        }
    }
    Ok(ChangedRow {
        table: row.after.table(),
        key: row.after.key(),
        version: row.after.version(),
        fields,
    })
}
