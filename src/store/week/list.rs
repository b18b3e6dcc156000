//! Weekly runs as a long list, the newest first, and the last year as a strip.

use sqlx::FromRow;

use super::{Ack, AckRevocation, Window};
use crate::rules::week::RunStatus;
use crate::rules::words;
use crate::store::past::{Past, Stood};
use crate::store::view::{on, query_scalar};
use crate::store::window::{self, List, Look, Runs};
use crate::store::{StoreError, View};

words! {
    /// By what weekly runs are sorted.
    #[derive(Default)]
    pub enum WeekSort {
        /// The newest first.
        #[default]
        Time = "time",
        /// By the run's id.
        Run = "run",
    }
}

/// A run with what a list says of it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, FromRow)]
pub struct Listed {
    /// The run.
    #[sqlx(flatten)]
    #[serde(flatten)]
    pub window: Window,
    /// Who has signed it and not taken it back, with blanks between them.
    pub signers: String,
}

/// The fields that a filter of weekly runs may name.
pub const WEEK_FIELDS: &[&str] = &["run", "series", "status", "kind", "metric", "signer"];

const SIGNERS: &str = "(SELECT STRING_AGG(a.signer_id, ' ' ORDER BY a.signer_id) FROM signer_ack a WHERE a.job_run_id = w.job_run_id \
     AND NOT EXISTS (SELECT 1 FROM signer_ack_revocation r WHERE r.job_run_id = a.job_run_id AND r.signer_id = a.signer_id))";

const FIELDS: &[(&str, &str)] = &[
    ("run", "w.job_run_id"),
    ("series", "w.series_id"),
    ("status", "w.status"),
    ("kind", "w.run_kind"),
    ("metric", "w.worst_metric"),
    ("signer", SIGNERS),
];

impl WeekSort {
    const fn key(self) -> (&'static [&'static str], Runs) {
        match self {
            Self::Time => (&["scheduled_at", "job_run_id"], Runs::Down),
            Self::Run => (&["job_run_id"], Runs::Up),
        }
    }
}

/// Reads a window of all weekly runs.
pub async fn listed(
    view: &mut View,
    look: &Look<WeekSort>,
) -> Result<window::Window<Listed>, StoreError> {
    window::read(view, &list(look.sort), look).await
}

/// Reads a window of the weekly runs that there were at a moment in the past, as they stood then.
pub async fn listed_at(
    view: &mut View,
    look: &Look<WeekSort>,
    past: Past,
) -> Result<window::Window<Listed>, StoreError> {
    let stood = |table, columns| Stood {
        table,
        columns,
        set_with: None,
    };
    let tables = past.tables(
        view,
        &[
            stood(Window::TABLE, Window::COLUMNS),
            stood(Ack::TABLE, Ack::COLUMNS),
            stood(AckRevocation::TABLE, AckRevocation::COLUMNS),
        ],
    );
    window::read_of(view, &list(look.sort), look, &tables).await
}

fn list(sort: WeekSort) -> List {
    let (key, runs) = sort.key();
    List {
        select: format!(
            "SELECT w.{}, COALESCE({SIGNERS}, '') AS signers FROM reconciliation_window w WHERE TRUE",
            Window::COLUMNS.join(", w.")
        ),
        prefix: "w.",
        key,
        runs,
        place: "reconciliation_window w WHERE w.job_run_id = $1",
        fields: FIELDS,
        sought: None,
        now: None,
    }
}

/// Reads how the newest scheduled windows of a series stand, the oldest first; those that are to come are left out.
pub async fn strip(view: &mut View, series: &str, most: i64) -> Result<Vec<RunStatus>, StoreError> {
    const SQL: &str = "SELECT status FROM reconciliation_window WHERE series_id = $1 AND run_kind = 'scheduled' \
         AND status <> 'SCHEDULED' ORDER BY scheduled_at DESC, job_run_id DESC LIMIT $2";
    let mut found: Vec<RunStatus> =
        on!(view, c => query_scalar(SQL).bind(series).bind(most).fetch_all(c).await)?;
    found.reverse();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_that_a_filter_may_name_can_be_read() {
        let known: Vec<_> = FIELDS.iter().map(|(name, _)| *name).collect();
        assert_eq!(known, WEEK_FIELDS);
    }
}
