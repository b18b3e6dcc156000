//! Whether a decision card tells of the decision that its entry records.

use serde::Deserialize;
use serde_json::Value;

use crate::canon::Digest;
use crate::rules::Verdict;
use crate::rules::people::{REASON_GIVEN, WHO_APPROVES};
use crate::store::approval::ApprovalRequest;
use crate::store::ledger::{Change, Entry};
use crate::store::tables::{WHEN_WRITTEN, image_of, table};

/// A decision card, as far as it must agree with its entry.
#[derive(Deserialize)]
struct Said {
    schema: String,
    action: String,
    basis: String,
    actor: String,
    target_kind: String,
    target_id: String,
    target_version: i64,
    ticket: String,
    reason: Option<String>,
    state_hash: String,
    changes: Vec<SaidChange>,
    gates: Vec<SaidGate>,
}

#[derive(Deserialize)]
struct SaidChange {
    table: String,
    key: String,
    version: i64,
    fields: Vec<SaidField>,
}

#[derive(Deserialize)]
struct SaidField {
    field: String,
    after: Value,
}

#[derive(Deserialize)]
struct SaidGate {
    id: String,
    verdict: String,
}

/// Tells whether a card says what its entry and its changes say, with every gate passed.
pub(in crate::store) fn agrees(entry: &Entry, changes: &[Change], card: &[u8]) -> bool {
    let Ok(said) = serde_json::from_slice::<Said>(card) else {
        return false;
    };
    let gates: Vec<_> = said
        .gates
        .iter()
        .map(|gate| (&gate.id, &gate.verdict))
        .collect();
    let state = image_of(&(
        &said.target_kind,
        &said.target_id,
        said.target_version,
        &gates,
    ));
    let state_hash = state
        .map(|state| Digest::of(&state).to_string())
        .unwrap_or_default();
    let same_head = said.schema == "govdeck.card.v1"
        && said.action == entry.action
        && said.basis == entry.basis.word()
        && said.actor == entry.actor_id
        && said.target_kind == entry.target_kind
        && said.target_id == entry.target_id
        && said.target_version == entry.target_version
        && said.ticket == entry.ticket
        && said.reason == entry.reason;
    // That the proposal was answered is said by no card: both saw one that was still open.
    let is_answer = |change: &&Change| {
        change.table_name == ApprovalRequest::TABLE && entry.approved_by.is_some()
    };
    let changes: Vec<_> = changes.iter().filter(|change| !is_answer(change)).collect();
    same_head
        && said.state_hash == entry.state_hash.to_string()
        && said.state_hash == state_hash
        && said
            .gates
            .iter()
            .all(|gate| gate.verdict == Verdict::Pass.word())
        && said.changes.len() == changes.len()
        && said.changes.iter().all(|said| {
            changes
                .iter()
                .any(|change| change_agrees(entry, said, change))
        })
}

/// Tells whether a change came out as its card said; time, reason and second person may be left open until it is written.
fn change_agrees(entry: &Entry, said: &SaidChange, change: &Change) -> bool {
    let image: Value = serde_json::from_str(&change.after_image).unwrap_or_default();
    let came_true = |field: &SaidField| {
        let is = image.get(&field.field);
        match field.after.as_str() {
            Some(WHEN_WRITTEN) => is.and_then(Value::as_str) == Some(&*entry.at_utc.to_string()),
            Some(REASON_GIVEN) => is.and_then(Value::as_str) == entry.reason.as_deref(),
            Some(WHO_APPROVES) => is.and_then(Value::as_str) == entry.approved_by.as_deref(),
            _ => is == Some(&field.after),
        }
    };
    // What a new row holds and its card is silent about was shown to nobody.
    let is_born_here = change.version == 1
        && table(&change.table_name).is_some_and(|table| table.feed_while.is_none());
    let is_said = |(name, value): (&String, &Value)| {
        name == "version" || value.is_null() || said.fields.iter().any(|field| field.field == *name)
    };
    let is_whole = !is_born_here
        || image
            .as_object()
            .is_some_and(|columns| columns.iter().all(is_said));
    is_whole
        && said.table == change.table_name
        && said.key == change.row_key
        && said.version == change.version
        && said.fields.iter().all(came_true)
}
