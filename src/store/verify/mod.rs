//! Verification: hashes everything again and says what does not fit.

mod agreed;
pub(in crate::store) mod card;
pub(in crate::store) mod earlier;
mod evidence;
mod governed;
mod grown;
pub(in crate::store) mod one;
mod signature;

use std::collections::BTreeMap;

use serde::Serialize;

use super::ledger::{self, BEFORE_THE_FIRST, Change, Entry, Evidence, Head};
use super::tables::{Table, table};
use super::view::{Session, query_scalar};
use super::{StoreError, View, artifact, demo_clock, schema};
use crate::canon::Digest;
use crate::rules::time;
use earlier::Earlier;
pub use governed::GOVERNED;
use governed::Images;

/// How many entries, rows or artefacts are read at a time.
const PAGE: i64 = 1_000;
/// How many artefacts are read at a time: each may have 64 MB.
const ARTIFACT_PAGE: i64 = 16;
/// How many findings are told in full.
const MOST_FINDINGS: usize = 100;

/// One thing that does not fit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Where: an entry's position, a row, a definition.
    pub place: String,
    /// What is wrong there.
    pub wrong: String,
}

/// What a verification looked at and found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The head as it is now.
    pub head: Head,
    /// How many entries were hashed again.
    pub entries: i64,
    /// How many governed rows were hashed again.
    pub rows: i64,
    /// How many artefacts were hashed again.
    pub artifacts: i64,
    /// How many definitions were compared.
    pub definitions: i64,
    /// What does not fit, the first first; at most a hundred.
    pub findings: Vec<Finding>,
}

/// A head that was written down outside the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExportedHead {
    /// The position.
    pub seq: i64,
    /// The hash of the entry there.
    pub hash: Digest,
}

impl Report {
    fn add(&mut self, place: impl Into<String>, wrong: impl Into<String>) {
        if self.findings.len() < MOST_FINDINGS {
            self.findings.push(Finding {
                place: place.into(),
                wrong: wrong.into(),
            });
        }
    }
}

/// Verifies everything that can be verified from inside the database, and its head against an exported one.
pub async fn verify(view: &mut View, exported: Option<ExportedHead>) -> Result<Report, StoreError> {
    let head = ledger::head(view).await?;
    let mut report = Report::of(head);
    if !view.walls_stand() {
        report.add(
            "setting session_replication_role",
            "lets this session's triggers sleep: no wall stands",
        );
    }
    integrity(view, &mut report).await?;
    chain(view, &mut report, exported).await?;
    evidence::changes_without_entry(view, &mut report).await?;
    evidence::loose_ends(view, &mut report).await?;
    agreed::never_proposed(view, &mut report).await?;
    for (name, images) in GOVERNED {
        if let Some(table) = table(name) {
            rows(view, &mut report, table, *images).await?;
        }
    }
    artifacts(view, &mut report).await?;
    definitions(view, &mut report).await?;
    if demo_clock::is_misplaced(view).await? {
        report.add("demo_clock", "would bend the time, and this is no demo");
    }
    Ok(report)
}

/// Lets SQLite check its own file: an index that disagrees with its table would hide a row from every other check.
async fn integrity(view: &mut View, report: &mut Report) -> Result<(), StoreError> {
    if let Session::Sqlite(t) = &mut view.session {
        let said: Vec<String> = query_scalar("PRAGMA integrity_check(10)")
            .fetch_all(&mut **t)
            .await?;
        for wrong in said.into_iter().filter(|said| said != "ok") {
            report.add("database", wrong);
        }
    }
    Ok(())
}

async fn chain(
    view: &mut View,
    report: &mut Report,
    exported: Option<ExportedHead>,
) -> Result<(), StoreError> {
    let mut expected_seq = 1;
    let mut prev: Digest = first_hash()?;
    let (mut exported_hash, mut newest_at, mut latest_at) = (None, None, None);
    let keys = signature::Keys::read(view).await?;
    loop {
        let entries = ledger::entries(view, expected_seq, PAGE).await?;
        let Some(last) = entries.last() else { break };
        let mut changes: BTreeMap<i64, Vec<Change>> = BTreeMap::new();
        for change in ledger::changes(view, expected_seq, last.seq).await? {
            changes.entry(change.seq).or_default().push(change);
        }
        let mut evidence: BTreeMap<i64, Vec<Evidence>> = BTreeMap::new();
        for piece in ledger::evidence(view, expected_seq, last.seq).await? {
            evidence.entry(piece.seq).or_default().push(piece);
        }
        let earlier = Earlier::read(view, expected_seq, last.seq).await?;
        let cards = artifact::cards(view, expected_seq, last.seq).await?;
        let rechecks = artifact::rechecks(view, expected_seq, last.seq).await?;
        let signatures = artifact::signatures(view, expected_seq, last.seq).await?;
        let approvals = artifact::approvals(view, expected_seq, last.seq).await?;
        for entry in &entries {
            if entry.seq != expected_seq {
                report.add(
                    format!("entry {expected_seq}"),
                    format!("is missing; the next is {}", entry.seq),
                );
            }
            if entry.prev_hash != prev {
                report.add(
                    format!("entry {}", entry.seq),
                    "does not follow the entry before it",
                );
            }
            let changes = changes.get(&entry.seq).map_or(&[][..], Vec::as_slice);
            let evidence = evidence.get(&entry.seq).map_or(&[][..], Vec::as_slice);
            check_entry(report, entry, changes, evidence)?;
            let card = cards.get(&entry.seq);
            card::check(report, entry, changes, &earlier, evidence, card);
            evidence::check(report, entry, evidence, rechecks.get(&entry.seq));
            agreed::check(report, entry, changes, evidence, approvals.get(&entry.seq));
            if entry.clock_anomaly != time::is_turned_back(latest_at, entry.at_utc) {
                report.add(
                    format!("entry {}", entry.seq),
                    "does not say what its clock was against those before it",
                );
            }
            latest_at = latest_at.max(Some(entry.at_utc));
            let signed = (cards.get(&entry.seq), signatures.get(&entry.seq));
            signature::check(report, entry, evidence, signed, &keys);
            if exported.is_some_and(|exported| exported.seq == entry.seq) {
                exported_hash = Some(entry.hash);
            }
            (prev, expected_seq, newest_at) = (entry.hash, entry.seq + 1, Some(entry.at_utc));
            report.entries += 1;
        }
    }
    let newest = expected_seq - 1;
    if (report.head.seq, report.head.hash) != (newest, prev) {
        let wrong = format!(
            "names entry {}, the newest entry is {newest}",
            report.head.seq
        );
        report.add("ledger_head", wrong);
    } else if report.head.at_utc != newest_at {
        report.add("ledger_head", "does not have the newest entry's time");
    }
    match (exported, exported_hash) {
        (Some(exported), None) => report.add(
            format!("entry {}", exported.seq),
            format!("was exported as head and is gone: the ledger was cut at {newest}"),
        ),
        (Some(exported), Some(hash)) if hash != exported.hash => {
            report.add(
                format!("entry {}", exported.seq),
                "is not the one that was exported as head: the ledger was rebuilt",
            );
        }
        _ => {}
    }
    Ok(())
}

fn first_hash() -> Result<Digest, StoreError> {
    BEFORE_THE_FIRST.parse().map_err(|_| {
        StoreError::unusable(
            "the hash before the first entry is malformed",
            "report this as a bug",
        )
    })
}

fn check_entry(
    report: &mut Report,
    entry: &Entry,
    changes: &[Change],
    evidence: &[Evidence],
) -> Result<(), StoreError> {
    let place = format!("entry {}", entry.seq);
    if entry.computed_hash(changes, evidence)? != entry.hash {
        report.add(
            place.clone(),
            "its content, its list of changes or of evidence was altered: the hash does not match",
        );
    }
    if i64::try_from(changes.len()).unwrap_or(i64::MAX) != entry.change_count {
        report.add(
            place.clone(),
            format!(
                "says {} changed rows, {} are recorded",
                entry.change_count,
                changes.len()
            ),
        );
    }
    for change in changes {
        if Digest::of(change.after_image.as_bytes()) != change.row_sha256 {
            report.add(
                place.clone(),
                format!(
                    "the recorded image of {} {} was altered",
                    change.table_name, change.row_key
                ),
            );
        }
    }
    Ok(())
}

/// Compares every row of a table with its newest recorded change, page by page in key order.
async fn rows(
    view: &mut View,
    report: &mut Report,
    table: &Table,
    images: Images,
) -> Result<(), StoreError> {
    let mut after = String::new();
    loop {
        let page = images(view, &after, PAGE).await?;
        let last = page.last().map(|(key, ..)| key.clone());
        let full = i64::try_from(page.len()).unwrap_or(i64::MAX) == PAGE;
        let upto = if full { last.as_deref() } else { None };
        let mut recorded: BTreeMap<String, ledger::Newest> =
            ledger::newest_changes(view, table, &after, upto)
                .await?
                .into_iter()
                .map(|change| (change.row_key.clone(), change))
                .collect();
        for (key, version, image) in page {
            let place = format!("{} {key}", table.name);
            match recorded.remove(&key) {
                None => report.add(place, "is in no ledger entry"),
                Some(newest) if newest.version != version => {
                    report.add(
                        place,
                        format!(
                            "is at version {version}, entry {} left it at {}",
                            newest.seq, newest.version
                        ),
                    );
                }
                Some(newest) if newest.row_sha256 != Digest::of(&image) => {
                    report.add(place, format!("is not as entry {} left it", newest.seq));
                }
                Some(_) => {}
            }
            report.rows += 1;
        }
        for (key, newest) in recorded {
            report.add(
                format!("{} {key}", table.name),
                format!(
                    "is gone; entry {} left it at version {}",
                    newest.seq, newest.version
                ),
            );
        }
        match last {
            Some(last) if full => after = last,
            _ => return Ok(()),
        }
    }
}

async fn artifacts(view: &mut View, report: &mut Report) -> Result<(), StoreError> {
    let mut after = String::new();
    loop {
        let page = artifact::page(view, &after, ARTIFACT_PAGE).await?;
        let Some((last, _)) = page.last() else {
            return Ok(());
        };
        after.clone_from(last);
        for (sha256, bytes) in page {
            if Digest::of(&bytes).to_string() != sha256 {
                report.add(
                    format!("artifact {sha256}"),
                    "its bytes were altered: they no longer hash to its name",
                );
            }
            report.artifacts += 1;
        }
    }
}

/// Compares the database's definitions with the built-in ones.
async fn definitions(view: &mut View, report: &mut Report) -> Result<(), StoreError> {
    let built_in = schema::built_in_catalogue(view.is_postgres());
    let found = schema::catalogue(view).await?;
    let key = |d: &schema::Definition| (d.kind.clone(), d.name.clone());
    let mut found: BTreeMap<_, _> = found.iter().map(|d| (key(d), d)).collect();
    for wanted in &built_in {
        let place = format!("{} {}", wanted.kind, wanted.name);
        match found.remove(&key(wanted)) {
            None => report.add(place, "is missing from the schema"),
            Some(there) if there.text != wanted.text && !grown::only_by_columns(wanted, there) => {
                report.add(place, "is not as this program made it");
            }
            Some(_) => {}
        }
        report.definitions += 1;
    }
    grown::forgive(&mut found);
    // A further index changes no rule; anything else might.
    for ((kind, name), _) in found
        .into_iter()
        .filter(|((kind, _), there)| kind != "index" || there.text.contains("UNIQUE"))
    {
        report.add(format!("{kind} {name}"), "was added to the schema");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::tables::{Kind, TABLES};
    use super::*;

    #[test]
    fn every_governed_table_is_verified() {
        let listed: Vec<_> = TABLES
            .iter()
            .filter(|table| table.kind == Kind::Governed)
            .map(|table| table.name)
            .collect();
        let verified: Vec<_> = GOVERNED.iter().map(|(name, _)| *name).collect();
        assert_eq!(listed, verified);
    }
}
