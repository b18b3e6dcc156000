//! What rows were before the changes of some entries: the images of the versions that these follow.

use std::collections::BTreeMap;

use sqlx::FromRow;

use crate::store::ledger::{self, Change};
use crate::store::view::{on, query_as};
use crate::store::{StoreError, View};

/// A change, and the image that it follows.
#[derive(FromRow)]
struct Step {
    table_name: String,
    row_key: String,
    version: i64,
    image: String,
}

/// The images before changes, each by the table, key and version of what follows it.
pub(in crate::store) struct Earlier(BTreeMap<(String, String, i64), String>);

impl Earlier {
    /// Reads the images before all changes of the entries `from` to `to`, as older entries recorded them.
    pub(super) async fn read(view: &mut View, from: i64, to: i64) -> Result<Self, StoreError> {
        const SQL: &str = "SELECT c.table_name, c.row_key, c.version, p.after_image AS image FROM ledger_change c \
             JOIN ledger_change p ON p.table_name = c.table_name AND p.row_key = c.row_key AND p.version = c.version - 1 AND p.seq < c.seq \
             WHERE c.seq BETWEEN $1 AND $2 AND c.version > 1 ORDER BY c.seq, c.table_name, c.row_key, c.version";
        let steps: Vec<Step> =
            on!(view, c => query_as(SQL).bind(from).bind(to).fetch_all(c).await)?;
        let by_change = |step: Step| ((step.table_name, step.row_key, step.version), step.image);
        Ok(Self(steps.into_iter().map(by_change).collect()))
    }

    /// Reads the images before changes that are still to be written.
    pub(in crate::store) async fn of(
        view: &mut View,
        changes: &[Change],
    ) -> Result<Self, StoreError> {
        let mut images = BTreeMap::new();
        for change in changes.iter().filter(|change| change.version > 1) {
            if let Some(image) = ledger::image_before(view, change).await? {
                images.insert(place(change), image);
            }
        }
        Ok(Self(images))
    }

    /// Returns the image that a change follows; none where no older entry recorded one.
    pub(super) fn image(&self, change: &Change) -> Option<&str> {
        self.0.get(&place(change)).map(String::as_str)
    }
}

fn place(change: &Change) -> (String, String, i64) {
    let Change {
        table_name,
        row_key,
        version,
        ..
    } = change;
    (table_name.clone(), row_key.clone(), *version)
}
