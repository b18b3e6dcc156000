//! Whether a decision card tells of the decision that its entry records, and of all that the entry changed.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::Report;
use super::earlier::Earlier;
use crate::canon::Digest;
use crate::rules::Verdict;
use crate::rules::approval::ApprovalStatus;
use crate::rules::bundle_run::RECEIPT_FILED;
use crate::rules::people::{REASON_GIVEN, WHO_APPROVES};
use crate::store::approval::ApprovalRequest;
use crate::store::artifact::{self, BUNDLE_RECEIPT, Filed};
use crate::store::ledger::{Change, Entry, Evidence};
use crate::store::tables::{Feed, WHEN_WRITTEN, image_of, table};

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
    before: Value,
    after: Value,
}

#[derive(Deserialize)]
struct SaidGate {
    id: String,
    verdict: String,
}

/// What is said of a card that is not that of its entry at all.
pub(in crate::store) const ANOTHER: &str = "its decision card tells of another decision";

type Columns = Map<String, Value>;

/// What a row was before a change, as far as the ledger knows it.
enum Before {
    /// All of it; nothing where the row is new.
    Whole(Columns),
    /// What a feed's row is until its first entry; its other columns are in none.
    Feed(&'static Feed),
}

impl Before {
    /// Returns a column as it was; none where no entry tells.
    fn column(&self, name: &str) -> Option<Value> {
        match self {
            Self::Whole(columns) => Some(value_of(columns, name).clone()),
            Self::Feed(feed) => {
                let found = feed.undecided.iter().find(|(column, _)| *column == name);
                found.map(|(_, was)| was.map_or(Value::Null, Value::from))
            }
        }
    }

    fn names(&self) -> Vec<&str> {
        match self {
            Self::Whole(columns) => columns.keys().map(String::as_str).collect(),
            Self::Feed(feed) => feed.undecided.iter().map(|(name, _)| *name).collect(),
        }
    }
}

/// A column that an image leaves out is NULL: images of old do not know the columns that were added since.
fn value_of<'a>(columns: &'a Columns, name: &str) -> &'a Value {
    columns.get(name).unwrap_or(&Value::Null)
}

/// Compares an entry with the decision card it names: what was decided must be what is recorded.
pub(super) fn check(
    report: &mut Report,
    entry: &Entry,
    changes: &[Change],
    earlier: &Earlier,
    evidence: &[Evidence],
    card: Option<&Filed>,
) {
    let place = format!("entry {}", entry.seq);
    let Some(card) = card else {
        return report.add(place, "its decision card is missing");
    };
    // What needed two was filed when it was proposed.
    let in_time = match entry.approved_by {
        Some(_) => card.created_at_utc <= entry.at_utc || entry.clock_anomaly,
        None => card.created_at_utc == entry.at_utc,
    };
    if card.media_type != artifact::CARD || !in_time {
        report.add(
            place.clone(),
            "its decision card was filed under another type or time",
        );
    }
    for wrong in differences(entry, changes, earlier, evidence, &card.bytes) {
        report.add(place.clone(), wrong);
    }
}

/// Lists where a card does not say what its entry and its changes say, with every gate passed; nothing where it does.
pub(in crate::store) fn differences(
    entry: &Entry,
    changes: &[Change],
    earlier: &Earlier,
    evidence: &[Evidence],
    card: &[u8],
) -> Vec<String> {
    let another = || vec![ANOTHER.to_owned()];
    let Ok(mut said) = serde_json::from_slice::<Said>(card) else {
        return another();
    };
    // That the proposal was answered is said by no card: both saw one that was still open.
    said.changes.extend(answer(entry));
    if !is_of(entry, &said) || said.changes.len() != changes.len() {
        return another();
    }
    let mut wrong = Vec::new();
    for change in changes {
        let mut same = said.changes.iter().filter(|said| {
            said.table == change.table_name
                && said.key == change.row_key
                && said.version == change.version
        });
        let Some(said) = same.next() else {
            return another();
        };
        wrong.extend(compared((entry, evidence), said, change, changes, earlier));
    }
    wrong
}

/// Tells whether a card is that of an entry, its changes left out.
fn is_of(entry: &Entry, said: &Said) -> bool {
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
    said.schema == "govdeck.card.v1"
        && said.action == entry.action
        && said.basis == entry.basis.word()
        && said.actor == entry.actor_id
        && said.target_kind == entry.target_kind
        && said.target_id == entry.target_id
        && said.target_version == entry.target_version
        && said.ticket == entry.ticket
        && said.reason == entry.reason
        && said.state_hash == entry.state_hash.to_string()
        && said.state_hash == state_hash
        && said
            .gates
            .iter()
            .all(|gate| gate.verdict == Verdict::Pass.word())
}

/// Says what a second yes does to the proposal that it answers: this and nothing else.
fn answer(entry: &Entry) -> Option<SaidChange> {
    let approved_by = entry.approved_by.as_deref()?;
    let field = |field: &str, before: Value, after: &str| SaidField {
        field: field.to_owned(),
        before,
        after: Value::from(after),
    };
    let (waiting, approved) = (ApprovalStatus::Waiting, ApprovalStatus::Approved);
    Some(SaidChange {
        table: ApprovalRequest::TABLE.to_owned(),
        key: entry.ticket.clone(),
        version: 2,
        fields: vec![
            field("status", waiting.word().into(), approved.word()),
            field("ended_by", Value::Null, approved_by),
            field("ended_at_utc", Value::Null, WHEN_WRITTEN),
        ],
    })
}

/// Compares a change with the version before it, column by column, and both with what the card says of it.
fn compared(
    entry: (&Entry, &[Evidence]),
    said: &SaidChange,
    change: &Change,
    changes: &[Change],
    earlier: &Earlier,
) -> Vec<String> {
    let row = format!("{} {}", change.table_name, change.row_key);
    let before = match before(change, earlier) {
        Ok(before) => before,
        Err(wrong) => return vec![wrong],
    };
    let Ok(after) = serde_json::from_str::<Columns>(&change.after_image) else {
        return vec![format!("the recorded image of {row} is none of a row")];
    };
    let mut wrong = Vec::new();
    if value_of(&after, "version").as_i64() != Some(change.version) {
        wrong.push(format!("the recorded image of {row} has another version"));
    }
    for name in names(&before, &after) {
        let is = value_of(&after, name);
        let differs = before.column(name).is_some_and(|was| was != *is);
        if differs && !said.fields.iter().any(|field| field.field == name) {
            wrong.push(format!(
                "changes {name} of {row}, which its card leaves out"
            ));
        }
    }
    for field in &said.fields {
        let name = &field.field;
        let is = value_of(&after, name);
        let was = before.column(name);
        let open = when_open(entry, &field.after);
        if *is != open.clone().unwrap_or_else(|| field.after.clone()) {
            wrong.push(format!(
                "its card says that {name} of {row} becomes another"
            ));
        }
        match was {
            None => wrong.push(format!(
                "its card names {name} of {row}, which is decided before its first entry"
            )),
            Some(was) if was != field.before => {
                wrong.push(format!("its card says that {name} of {row} was another"));
            }
            Some(_) => {}
        }
        // What is left open until it is written may turn out to be what was there: the same reason, the same second person.
        if open.is_none() && field.before == field.after {
            wrong.push(format!(
                "its card names {name} of {row}, which did not change"
            ));
        }
    }
    if let Before::Feed(feed) = before {
        wrong.extend(told_otherwise(feed, change, &after, changes));
    }
    wrong
}

/// Finds what a row was before a change.
fn before(change: &Change, earlier: &Earlier) -> Result<Before, String> {
    if change.version == 1 {
        let feed = table(&change.table_name).and_then(|table| table.feed.as_ref());
        return Ok(feed.map_or(Before::Whole(Columns::new()), Before::Feed));
    }
    let (table, key, version) = (&change.table_name, &change.row_key, change.version);
    let image = earlier.image(change).ok_or_else(|| {
        format!("writes version {version} of {table} {key}, and no entry before it the one before")
    })?;
    serde_json::from_str(image)
        .map(Before::Whole)
        .map_err(|_| format!("the recorded image of {table} {key} before it is none of a row"))
}

/// Lists the columns of a row before and after, each once; the version says itself that it moves.
fn names<'a>(before: &'a Before, after: &'a Columns) -> Vec<&'a str> {
    let mut names = before.names();
    names.extend(after.keys().map(String::as_str));
    names.retain(|name| *name != "version");
    names.sort_unstable();
    names.dedup();
    names
}

/// Returns what stands for a value that the card leaves open until it is written; none where it leaves nothing open.
fn when_open((entry, evidence): (&Entry, &[Evidence]), after: &Value) -> Option<Value> {
    match after.as_str()? {
        RECEIPT_FILED => {
            let mut filed = evidence.iter().filter(|it| it.role == BUNDLE_RECEIPT.0);
            let receipt = filed.next().map(|it| it.sha256.to_string());
            Some(receipt.filter(|_| filed.next().is_none()).into())
        }
        WHEN_WRITTEN => Some(entry.at_utc.to_string().into()),
        REASON_GIVEN => Some(entry.reason.clone().into()),
        WHO_APPROVES => Some(entry.approved_by.clone().into()),
        _ => None,
    }
}

/// Lists what a feed's row holds otherwise than the new row that tells of it, which the card names whole.
fn told_otherwise(
    feed: &Feed,
    change: &Change,
    after: &Columns,
    changes: &[Change],
) -> Vec<String> {
    let (table, shared) = feed.told_by;
    let row = format!("{} {}", change.table_name, change.row_key);
    let told = changes.iter().find(|told| {
        told.table_name == table && told.row_key == change.row_key && told.version == 1
    });
    let told = told.and_then(|told| serde_json::from_str::<Columns>(&told.after_image).ok());
    let Some(told) = told else {
        return vec![format!("decides {row}, and {table} tells nothing of it")];
    };
    shared
        .iter()
        .filter(|name| value_of(after, name) != value_of(&told, name))
        .map(|name| format!("{name} of {row} is not as {table} tells it"))
        .collect()
}
