//! Whether an entry's evidence is there, and tells of the decision that the entry records.

use serde::Deserialize;

use super::Report;
use crate::canon::Digest;
use crate::rules::Verdict;
use crate::store::artifact::{self, Filed};
use crate::store::ledger::{Entry, Evidence};
use crate::store::tables::image_of;
use crate::store::view::{on, query_as};
use crate::store::{StoreError, View};

/// What was checked again, as far as it must agree with its entry.
#[derive(Deserialize)]
struct Rechecked {
    schema: String,
    ticket: String,
    observed_at: String,
    conditions: Vec<Met>,
}

#[derive(Deserialize)]
struct Met {
    id: String,
    verdict: String,
}

/// Checks that an entry has as much evidence as it says, and one recheck that tells of its decision.
pub(super) fn check(
    report: &mut Report,
    entry: &Entry,
    evidence: &[Evidence],
    recheck: Option<&Filed>,
) {
    let place = format!("entry {}", entry.seq);
    let (said, there) = (entry.evidence_count, evidence.len());
    if i64::try_from(there).unwrap_or(i64::MAX) != said {
        report.add(
            place.clone(),
            format!("says {said} pieces of evidence, {there} are recorded"),
        );
    }
    let is_recheck = |piece: &&Evidence| piece.role == artifact::RECHECK;
    let count = evidence.iter().filter(is_recheck).count();
    if count != 1 {
        report.add(place.clone(), format!("has {count} rechecks, not one"));
    }
    // That the artefact itself is gone is told with all others that are.
    let Some(recheck) = recheck else { return };
    if recheck.media_type != artifact::RECHECKED || recheck.created_at_utc != entry.at_utc {
        report.add(
            place.clone(),
            "its recheck was filed under another type or time",
        );
    }
    if !agrees(entry, &recheck.bytes) {
        report.add(place, "its recheck tells of another decision");
    }
}

/// Tells whether what was checked again, passed as a whole, is what the entry's state hash stands for.
fn agrees(entry: &Entry, recheck: &[u8]) -> bool {
    let Ok(said) = serde_json::from_slice::<Rechecked>(recheck) else {
        return false;
    };
    let verdicts: Vec<_> = said
        .conditions
        .iter()
        .map(|met| (&met.id, &met.verdict))
        .collect();
    let state = image_of(&(
        &entry.target_kind,
        &entry.target_id,
        entry.target_version,
        &verdicts,
    ));
    said.schema == "govdeck.recheck.v1"
        && said.ticket == entry.ticket
        && said.observed_at == entry.at_utc.to_string()
        && said
            .conditions
            .iter()
            .all(|met| met.verdict == Verdict::Pass.word())
        && state.is_ok_and(|state| Digest::of(&state) == entry.state_hash)
}

/// Finds evidence that is named and gone, and evidence whose entry is gone.
pub(super) async fn loose_ends(view: &mut View, report: &mut Report) -> Result<(), StoreError> {
    const GONE: &str = "SELECT e.seq, e.role, e.sha256 FROM ledger_artifact e \
         WHERE NOT EXISTS (SELECT 1 FROM artifact a WHERE a.sha256 = e.sha256) ORDER BY e.seq, e.role, e.sha256 LIMIT 100";
    const LEFT: &str = "SELECT e.seq, e.role, e.sha256 FROM ledger_artifact e \
         WHERE NOT EXISTS (SELECT 1 FROM governance_ledger l WHERE l.seq = e.seq) ORDER BY e.seq, e.role, e.sha256 LIMIT 1";
    let gone: Vec<Evidence> = on!(view, c => query_as(GONE).fetch_all(c).await)?;
    let left: Vec<Evidence> = on!(view, c => query_as(LEFT).fetch_all(c).await)?;
    for Evidence { seq, role, sha256 } in gone {
        report.add(
            format!("entry {seq}"),
            format!("its evidence {role} {sha256} is missing"),
        );
    }
    for Evidence { seq, role, .. } in left {
        report.add(
            format!("entry {seq}"),
            format!("is missing; its evidence {role} names it"),
        );
    }
    Ok(())
}

/// Finds a change whose entry is gone.
pub(super) async fn changes_without_entry(
    view: &mut View,
    report: &mut Report,
) -> Result<(), StoreError> {
    const SQL: &str = "SELECT c.seq, c.table_name, c.row_key FROM ledger_change c \
         WHERE NOT EXISTS (SELECT 1 FROM governance_ledger l WHERE l.seq = c.seq) ORDER BY c.seq, c.table_name, c.row_key LIMIT 1";
    let orphan: Option<(i64, String, String)> =
        on!(view, c => query_as(SQL).fetch_optional(c).await)?;
    if let Some((seq, table, key)) = orphan {
        report.add(
            format!("entry {seq}"),
            format!("is missing; a change of {table} {key} names it"),
        );
    }
    Ok(())
}
