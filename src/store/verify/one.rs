//! Whether single entries verify, for whoever takes some of them away and answers for just these.

use super::earlier::Earlier;
use super::{Finding, Report, card, check_entry, evidence, first_hash, rows, signature};
use crate::store::key::PersonKey;
use crate::store::ledger::{self, Change, Entry, Evidence, Head};
use crate::store::tables::table;
use crate::store::{StoreError, View, artifact};

impl Report {
    /// Begins with nothing looked at.
    pub(super) fn of(head: Head) -> Self {
        Self {
            head,
            entries: 0,
            rows: 0,
            artifacts: 0,
            definitions: 0,
            findings: Vec::new(),
        }
    }
}

/// Checks entries one by one, against the keys of everybody.
pub(in crate::store) struct Checker {
    head: Head,
    keys: signature::Keys,
}

impl Checker {
    /// Reads the head and the keys, and finds keys that are not as the ledger left them.
    pub async fn begin(view: &mut View) -> Result<(Self, Vec<Finding>), StoreError> {
        let head = ledger::head(view).await?;
        let mut report = Report::of(head.clone());
        if let Some(table) = table(PersonKey::TABLE) {
            rows(view, &mut report, table, PersonKey::images).await?;
        }
        let keys = signature::Keys::read(view).await?;
        Ok((Self { head, keys }, report.findings))
    }

    /// Returns the head as it was at the beginning.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// Finds what does not fit an entry: its hashes, its card, its evidence, its signature, the entry before it.
    pub async fn entry(
        &self,
        view: &mut View,
        entry: &Entry,
        changes: &[Change],
        filed: &[Evidence],
    ) -> Result<Vec<Finding>, StoreError> {
        let seq = entry.seq;
        let mut report = Report::of(self.head.clone());
        let before = if seq == 1 {
            Some(first_hash()?)
        } else {
            let before = ledger::entries(view, seq - 1, 1).await?;
            let before = before.first().filter(|before| before.seq == seq - 1);
            before.map(|before| before.hash)
        };
        if before != Some(entry.prev_hash) {
            report.add(
                format!("entry {seq}"),
                "does not follow the entry before it",
            );
        }
        let earlier = Earlier::read(view, seq, seq).await?;
        let cards = artifact::cards(view, seq, seq).await?;
        let rechecks = artifact::rechecks(view, seq, seq).await?;
        let signatures = artifact::signatures(view, seq, seq).await?;
        check_entry(&mut report, entry, changes, filed)?;
        let card = cards.get(&seq);
        card::check(&mut report, entry, changes, &earlier, filed, card);
        evidence::check(&mut report, entry, filed, rechecks.get(&seq));
        let signed = (cards.get(&seq), signatures.get(&seq));
        signature::check(&mut report, entry, filed, signed, &self.keys);
        Ok(report.findings)
    }
}
