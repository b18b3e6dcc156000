//! One half of a pair, written as a pipeline writes it: the dictionary is a feed, and none of it is in the ledger.

use crate::rules::migration::DICTIONARY;
use crate::store::view::{on, query};
use crate::store::{Store, StoreError};

/// What a pipeline writes into the modern half of a pair, in one row of the dictionary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Half {
    /// The metric of the row.
    pub metric: &'static str,
    /// How it is cut.
    pub filter: &'static str,
    /// The column that the value stands in.
    pub legacy: &'static str,
    /// The column that is written.
    pub modern: &'static str,
    /// Whether the pipeline writes nothing there, instead of the same value.
    pub is_left_out: bool,
}

/// Writes it.
pub async fn fill(store: &Store, half: &Half) -> Result<(), StoreError> {
    let sql = format!(
        "UPDATE {DICTIONARY} SET \"{}\" = CASE WHEN $1 THEN NULL ELSE \"{}\" END \
         WHERE dictionary_metric_id = $2 AND dimension_filter_id = $3",
        half.modern, half.legacy
    );
    let mut view = store.view_for_writing("SELECT 1").await?;
    on!(view, c => query(sqlx::AssertSqlSafe(sql))
        .bind(half.is_left_out).bind(half.metric).bind(half.filter)
        .execute(c).await.map(drop))?;
    view.commit().await
}
