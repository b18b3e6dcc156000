//! What the dictionary and its views look like: their columns, types and definitions, hashed.

use super::super::view::{Session, query_as, query_scalar};
use crate::canon::{Digest, canonical_of};
use crate::rules::migration::{Dialect, LONG_VIEW, MISMATCH_INDEX, WIDE_VIEW};
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

/// What there is of the dictionary's table, its views and its index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// The database.
    pub dialect: Dialect,
    /// The schema that all of it lies in.
    pub schema: String,
    /// The table's columns in their order, each with its type.
    pub columns: Vec<(String, String)>,
    /// The statement that made the view with a row for each row of the dictionary.
    pub wide: Option<String>,
    /// The statement that made the view with a row for each row and pair.
    pub long: Option<String>,
    /// The statement that made the index on what differs.
    pub index: Option<String>,
    /// Who may read the table beside its owner, as a statement names them.
    pub readers: Vec<String>,
}

/// Reads what there is of the dictionary's table, its views and its index.
pub async fn built(view: &mut View) -> Result<Built, StoreError> {
    match &mut view.session {
        Session::Sqlite(t) => {
            const COLUMNS: &str = "SELECT name, type FROM pragma_table_info('governance_metric_dictionary_current') ORDER BY cid";
            const MADE: &str = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND \
                 name IN ('dictionary_column_dual_write', 'dual_write_pair_health', 'dual_write_mismatch')";
            let columns = query_as(COLUMNS).fetch_all(&mut **t).await?;
            let made: Vec<(String, String)> = query_as(MADE).fetch_all(&mut **t).await?;
            Ok(Built::of(
                Dialect::Sqlite,
                "main".to_owned(),
                columns,
                &made,
                Vec::new(),
            ))
        }
        Session::Postgres(t) => {
            const SCHEMA: &str = "SELECT CAST(n.nspname AS TEXT) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
                 WHERE c.oid = to_regclass('governance_metric_dictionary_current')";
            const COLUMNS: &str = "SELECT CAST(a.attname AS TEXT), format_type(a.atttypid, a.atttypmod) FROM pg_catalog.pg_attribute a \
                 WHERE a.attrelid = to_regclass('governance_metric_dictionary_current') AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum";
            const MADE: &str = "SELECT CAST(c.relname AS TEXT), format('CREATE VIEW %I.%I AS %s', n.nspname, c.relname, rtrim(pg_get_viewdef(c.oid), ';')) \
                 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
                 WHERE c.oid IN (to_regclass('dictionary_column_dual_write'), to_regclass('dual_write_pair_health')) \
                 UNION ALL SELECT CAST(c.relname AS TEXT), pg_get_indexdef(c.oid) FROM pg_catalog.pg_class c WHERE c.oid = to_regclass('dual_write_mismatch')";
            const READERS: &str = "SELECT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END FROM pg_catalog.pg_class c, \
                 aclexplode(c.relacl) a WHERE c.oid = to_regclass('governance_metric_dictionary_current') AND a.privilege_type = 'SELECT' \
                 AND a.grantee <> c.relowner ORDER BY 1";
            let schema: String = query_scalar(SCHEMA).fetch_one(&mut **t).await?;
            let columns = query_as(COLUMNS).fetch_all(&mut **t).await?;
            let made: Vec<(String, String)> = query_as(MADE).fetch_all(&mut **t).await?;
            let readers = query_scalar(READERS).fetch_all(&mut **t).await?;
            Ok(Built::of(
                Dialect::Postgres,
                schema,
                columns,
                &made,
                readers,
            ))
        }
    }
}

impl Built {
    fn of(
        dialect: Dialect,
        schema: String,
        columns: Vec<(String, String)>,
        made: &[(String, String)],
        readers: Vec<String>,
    ) -> Self {
        let find = |name: &str| {
            let mut made = made.iter();
            made.find(|it| it.0 == name).map(|it| it.1.clone())
        };
        Self {
            dialect,
            schema,
            columns,
            wide: find(WIDE_VIEW),
            long: find(LONG_VIEW),
            index: find(MISMATCH_INDEX),
            readers,
        }
    }
}
