//! Whether who decided could decide it, and whether two did where it takes two.

use serde::Deserialize;

use super::Report;
use crate::rules::people::Basis;
use crate::rules::{Verdict, permission};
use crate::store::artifact::{self, Filed};
use crate::store::ledger::{Change, Entry, Evidence};
use crate::store::view::{on, query_scalar};
use crate::store::walls::permission::touches;
use crate::store::{StoreError, View};

/// What the second person saw, said and found, as far as it must agree with its entry.
#[derive(Deserialize)]
struct SecondYes {
    schema: String,
    ticket: String,
    approved_by: String,
    attestation: String,
    observed_at: String,
    conditions: Vec<Met>,
}

#[derive(Deserialize)]
struct Met {
    verdict: String,
}

/// Checks an entry against the table of permissions, and the second yes against its entry.
pub(super) fn check(
    report: &mut Report,
    entry: &Entry,
    changes: &[Change],
    evidence: &[Evidence],
    approval: Option<&Filed>,
) {
    let place = format!("entry {}", entry.seq);
    let Some(may) = permission::of(&entry.action) else {
        return report.add(place, format!("{} is no action", entry.action));
    };
    if may.basis != entry.basis {
        report.add(
            place.clone(),
            format!("{} is decided by {}", entry.action, may.basis),
        );
    }
    if may.needs_two() != entry.approved_by.is_some() {
        let wrong = if may.needs_two() {
            "needs two persons and has one"
        } else {
            "has a second person and needs none"
        };
        report.add(place.clone(), wrong);
    }
    for change in changes {
        if !touches(&entry.action, &change.table_name) {
            let wrong = format!("{} does not change {}", entry.action, change.table_name);
            report.add(place.clone(), wrong);
        }
    }
    let named = evidence
        .iter()
        .filter(|piece| piece.role == artifact::APPROVED)
        .count();
    if named != usize::from(entry.approved_by.is_some()) {
        return report.add(place, format!("has {named} second yeses filed"));
    }
    // That the artefact itself is gone is told with all others that are.
    if let Some(approval) = approval
        && !agrees(entry, approval)
    {
        report.add(place, "its second yes tells of another decision");
    }
}

fn agrees(entry: &Entry, approval: &Filed) -> bool {
    let Ok(said) = serde_json::from_slice::<SecondYes>(&approval.bytes) else {
        return false;
    };
    let all_met = said
        .conditions
        .iter()
        .all(|met| met.verdict == Verdict::Pass.word());
    approval.media_type == artifact::APPROVAL
        && entry.basis == Basis::Person
        && said.schema == "govdeck.approval.v1"
        && said.ticket == entry.ticket
        && Some(said.approved_by.as_str()) == entry.approved_by.as_deref()
        && said.attestation == entry.attestation.word()
        && said.observed_at == entry.at_utc.to_string()
        && !said.conditions.is_empty()
        && all_met
}

/// Finds what two are said to have agreed on and nobody had proposed, with this very card.
pub(super) async fn never_proposed(view: &mut View, report: &mut Report) -> Result<(), StoreError> {
    const SQL: &str = "SELECT f.seq FROM governance_ledger f WHERE f.approved_by IS NOT NULL AND NOT EXISTS \
         (SELECT 1 FROM ledger_artifact e JOIN governance_ledger a ON a.seq = e.seq WHERE e.role = 'proposed' AND e.sha256 = f.card_sha256 \
         AND a.action = 'ask_approval' AND a.actor_id = f.actor_id AND a.seq < f.seq) ORDER BY f.seq LIMIT 100";
    let found: Vec<i64> = on!(view, c => query_scalar(SQL).fetch_all(c).await)?;
    for seq in found {
        report.add(
            format!("entry {seq}"),
            "was never proposed by its actor with this card",
        );
    }
    Ok(())
}
