//! What the database itself says of the way back of a migration: the key of the dictionary, and who may alter what.

use std::fs;

use crate::rules::migration::DICTIONARY;
use crate::settings::Dsn;
use crate::store::view::{Session, query_as, query_scalar};
use crate::store::{StoreError, View, postgres_options, presence};

/// What a login may not alter; or why nobody can tell.
pub type Alterable = Result<Vec<String>, String>;

/// Reads the columns of the dictionary's primary key, in their order.
pub async fn dictionary_key(view: &mut View) -> Result<Vec<String>, StoreError> {
    const SQLITE: &str = "SELECT name FROM pragma_table_info('governance_metric_dictionary_current') WHERE pk > 0 ORDER BY pk";
    const POSTGRES: &str = "SELECT CAST(a.attname AS TEXT) FROM pg_catalog.pg_index i CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k (attnum, place) \
         JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum \
         WHERE i.indrelid = to_regclass('governance_metric_dictionary_current') AND i.indisprimary AND i.indisvalid ORDER BY k.place";
    Ok(match &mut view.session {
        Session::Sqlite(t) => query_scalar(SQLITE).fetch_all(&mut **t).await?,
        Session::Postgres(t) => query_scalar(POSTGRES).fetch_all(&mut **t).await?,
    })
}

/// Names the login that a DSN leads to; none on SQLite.
#[must_use]
pub fn login_of(dsn: &Dsn) -> Option<String> {
    dsn.is_postgres()
        .then(|| postgres_options(dsn, presence::APPLICATION).ok())
        .flatten()
        .map(|options| options.get_username().to_owned())
}

/// Reads what a login may not alter of the dictionary and its views; on SQLite whoever may write the file may alter all of it.
pub async fn not_alterable(view: &mut View, login: Option<&str>) -> Result<Alterable, StoreError> {
    const FILE: &str = "SELECT file FROM pragma_database_list WHERE name = 'main'";
    const OWNED: &str = "SELECT CAST(c.relname AS TEXT), pg_has_role(r.oid, c.relowner, 'USAGE') FROM pg_catalog.pg_class c, pg_catalog.pg_roles r \
         WHERE r.rolname = $1 AND c.oid IN (to_regclass('governance_metric_dictionary_current'), to_regclass('dictionary_column_dual_write'), \
         to_regclass('dual_write_pair_health')) ORDER BY 1";
    Ok(match &mut view.session {
        Session::Sqlite(t) => {
            let path: String = query_scalar(FILE).fetch_one(&mut **t).await?;
            match fs::metadata(&path) {
                Err(error) => Err(format!("the database file cannot be looked at: {error}")),
                Ok(it) if it.permissions().readonly() => Ok(vec!["the database file".to_owned()]),
                Ok(_) => Ok(Vec::new()),
            }
        }
        Session::Postgres(t) => {
            let Some(login) = login else {
                return Ok(Err("bundles have no login at a server".to_owned()));
            };
            let owned: Vec<(String, bool)> =
                query_as(OWNED).bind(login).fetch_all(&mut **t).await?;
            if !owned.iter().any(|(name, _)| name == DICTIONARY) {
                return Ok(Err(format!(
                    "there is no login {login}, or no {DICTIONARY}"
                )));
            }
            let may_not = owned.into_iter().filter(|(_, may)| !may);
            Ok(may_not
                .map(|(name, _)| format!("{name} as {login}"))
                .collect())
        }
    })
}
