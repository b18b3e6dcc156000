//! Which questions bind to no row of the view over the pairs.

use super::mismatch::views_stand;
use crate::store::view::{on, query_scalar};
use crate::store::{StoreError, View};

/// How many active questions there are, and which of them bind to no row.
pub type Questions = (i64, Vec<String>);

/// Reads the questions that bind to nothing; none where the views do not stand.
pub async fn questions(view: &mut View) -> Result<Option<Questions>, StoreError> {
    const ACTIVE: &str = "SELECT CAST(COUNT(*) AS BIGINT) FROM faq_rows WHERE status = 'active'";
    const MISSES: &str = "SELECT f.faq_id FROM faq_rows f WHERE f.status = 'active' AND NOT EXISTS (SELECT 1 FROM dictionary_column_dual_write d \
         WHERE d.dictionary_metric_id = f.dictionary_metric_id) ORDER BY f.faq_id";
    if !views_stand(view).await? {
        return Ok(None);
    }
    let active = on!(view, c => query_scalar(ACTIVE).fetch_one(c).await)?;
    let misses = on!(view, c => query_scalar(MISSES).fetch_all(c).await)?;
    Ok(Some((active, misses)))
}
