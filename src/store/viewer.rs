//! Looking under a login that may do nothing else, in the name of whoever has proven who they are under their own.

use sqlx::AssertSqlSafe;

use super::grants::Group;
use super::tables::TABLES;
use super::view::{Session, query_scalar};
use super::{Access, Store, StoreError, deployment, ledger};
use crate::settings::Dsn;

impl Store {
    /// Opens the same deployment under the viewer's login; views of it have the login that this store has.
    ///
    /// Who looks is what the server says under their own login, and never what the viewer's says.
    pub async fn seen_by(&self, viewer: &Dsn) -> Result<Self, StoreError> {
        let seen = Self::open(viewer, self.account.clone(), Access::Read).await?;
        match self.lends_its_login(&seen).await {
            Ok(login) => Ok(Self {
                seen_for: Some(login),
                ..seen
            }),
            Err(error) => {
                seen.close().await;
                Err(error.about(viewer))
            }
        }
    }

    /// Returns the login of this store, if the other one holds the same deployment with the same entries.
    async fn lends_its_login(&self, other: &Self) -> Result<String, StoreError> {
        let mut theirs = other.view().await?;
        let seen = deployment::read(&mut theirs).await?;
        let head = ledger::head(&mut theirs).await?;
        drop(theirs);
        // Opened later than theirs, so that whatever stands in the ledger there must stand in it here.
        let mut own = self.view().await?;
        let is_same = deployment::read(&mut own).await?.deployment_id == seen.deployment_id;
        let entries = ledger::entries(&mut own, head.seq, 1).await?;
        let has_head = entries.first().is_some_and(|entry| entry.hash == head.hash);
        if is_same && has_head {
            return Ok(own.login().to_owned());
        }
        Err(StoreError::unusable(
            "`viewer_dsn` leads to another deployment than `dsn`, or to a copy of it",
            "let both lead to the same database, or leave `viewer_dsn` out",
        ))
    }

    /// Lists by what the login of this store could write: groups that it belongs to, and tables that it has rights on.
    pub async fn ways_to_write(&self) -> Result<Vec<String>, StoreError> {
        match &mut self.view().await?.session {
            Session::Postgres(t) => Ok(query_scalar(AssertSqlSafe(ways_sql()))
                .fetch_all(&mut **t)
                .await?),
            Session::Sqlite(_) => Err(super::grants::no_roles()),
        }
    }
}

fn ways_sql() -> String {
    let quoted = |words: Vec<&str>| format!("'{}'", words.join("', '"));
    let writing = Group::ALL.iter().filter(|group| **group != Group::Viewer);
    format!(
        "SELECT CAST(rolname AS TEXT) AS way FROM pg_roles WHERE rolname IN ({}) AND pg_has_role(oid, 'MEMBER') \
         UNION ALL SELECT CAST(relname AS TEXT) FROM pg_class WHERE relkind = 'r' \
         AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema()) AND relname IN ({}) \
         AND (has_table_privilege(oid, 'INSERT, UPDATE, DELETE, TRUNCATE') OR has_any_column_privilege(oid, 'INSERT, UPDATE')) \
         ORDER BY 1",
        quoted(writing.map(|group| group.role()).collect()),
        quoted(TABLES.iter().map(|table| table.name).collect()),
    )
}
