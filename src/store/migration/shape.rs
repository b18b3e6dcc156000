//! What the dictionary and its views look like: their columns, types and definitions, hashed.

use super::super::view::{Session, query_as};
use crate::canon::{Digest, canonical_of};
use crate::store::{StoreError, View};

const SQLITE: &str = "SELECT m.type || ' ' || m.name, COALESCE(m.sql, '') FROM sqlite_master m \
     WHERE m.name IN ('governance_metric_dictionary_current', 'dictionary_column_dual_write', 'dual_write_pair_health') ORDER BY 1";

const POSTGRES: &str = "SELECT c.relname || '.' || a.attname, format_type(a.atttypid, a.atttypmod) || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END \
     FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
     WHERE c.oid IN (to_regclass('governance_metric_dictionary_current'), to_regclass('dictionary_column_dual_write'), to_regclass('dual_write_pair_health')) \
     UNION ALL SELECT 'view ' || c.relname, pg_get_viewdef(c.oid) FROM pg_catalog.pg_class c \
     WHERE c.oid IN (to_regclass('dictionary_column_dual_write'), to_regclass('dual_write_pair_health')) ORDER BY 1";

/// Hashes the definitions of the dictionary and of the views over it, as the database tells them.
pub(super) async fn shape(view: &mut View) -> Result<String, StoreError> {
    let parts: Vec<(String, String)> = match &mut view.session {
        Session::Sqlite(t) => query_as(SQLITE).fetch_all(&mut **t).await?,
        Session::Postgres(t) => query_as(POSTGRES).fetch_all(&mut **t).await?,
    };
    let bytes = canonical_of(&parts).unwrap_or_default();
    Ok(Digest::of(&bytes).to_string())
}
