//! The ledger as a long list, as far as it goes, or as far as it went at a moment in the past.

use super::{ENTRY_COLUMNS, Entry};
use crate::rules::words;
use crate::store::past::Past;
use crate::store::window::{self, Anchor, List, Look, Runs, Window};
use crate::store::{StoreError, View};

words! {
    /// By what entries are sorted.
    #[derive(Default)]
    pub enum LedgerSort {
        /// The newest first.
        #[default]
        Newest = "newest",
    }
}

/// The fields that a filter of entries may name.
pub const LEDGER_FIELDS: &[&str] = &[
    "action",
    "actor",
    "approved",
    "attestation",
    "target",
    "kind",
    "basis",
    "reason",
];

const FIELDS: &[(&str, &str)] = &[
    ("action", "action"),
    ("actor", "actor_id"),
    ("approved", "approved_by"),
    ("attestation", "attestation"),
    ("target", "target_id"),
    ("kind", "target_kind"),
    ("basis", "basis"),
    ("reason", "reason"),
];

/// Reads a window of the ledger; an entry's id is its position, as text.
pub async fn window(view: &mut View, look: &Look<LedgerSort>) -> Result<Window<Entry>, StoreError> {
    window_at(view, look, None).await
}

/// Reads a window of the ledger as far as it went at a moment in the past, where one is given.
pub async fn window_at(
    view: &mut View,
    look: &Look<LedgerSort>,
    past: Option<Past>,
) -> Result<Window<Entry>, StoreError> {
    let end = past.map_or_else(|| "TRUE".to_owned(), |past| format!("seq <= {}", past.seq));
    let list = List {
        select: format!("SELECT {ENTRY_COLUMNS} FROM governance_ledger WHERE {end}"),
        prefix: "",
        key: &["seq"],
        runs: match look.sort {
            LedgerSort::Newest => Runs::Down,
        },
        place: "governance_ledger WHERE seq = CAST($1 AS BIGINT)",
        fields: FIELDS,
        sought: None,
        now: None,
    };
    match &look.anchor {
        Anchor::Around(id) if id.parse::<i64>().is_err() => {
            let anchor = Anchor::First;
            window::read(
                view,
                &list,
                &Look {
                    anchor,
                    ..look.clone()
                },
            )
            .await
        }
        _ => window::read(view, &list, look).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_that_a_filter_may_name_can_be_read() {
        let known: Vec<_> = FIELDS.iter().map(|(name, _)| *name).collect();
        assert_eq!(known, LEDGER_FIELDS);
    }
}
