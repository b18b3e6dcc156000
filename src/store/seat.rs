//! Whether a transaction that was begun for other work may end as a guarded write, and where the ledger is for it.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::grants::{self, Group};
use super::view::{Session, query_as, query_scalar};
use super::{Pool, Store, StoreError, View, person};

/// Where the tables of the ledger are, for a transaction of their own database that may write them.
#[derive(Debug)]
pub(crate) struct Seat {
    /// Their schema, quoted where it must be; none on SQLite.
    schema: Option<String>,
}

impl Seat {
    /// Returns the schema that a session must look into first.
    pub(in crate::store) fn schema(&self) -> Option<&str> {
        self.schema.as_deref()
    }
}

/// Which database it is, and whose session. Copies of a database say of themselves what it says; no two servers start in the
/// same microsecond.
const WHERE: &str = "SELECT CAST(d.oid AS TEXT) || ' ' || CAST(EXTRACT(EPOCH FROM pg_postmaster_start_time()) AS TEXT), \
     CAST(session_user AS TEXT) FROM pg_database d WHERE d.datname = current_database()";
const SCHEMA: &str = "SELECT quote_ident(n.nspname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
     WHERE c.oid = CAST('ledger_head' AS regclass)";

impl Store {
    /// Finds the ledger for a transaction of this very database, under the login that writes here or under that of a service
    /// that may run bundles; no other may end as a guarded write.
    ///
    /// Of the transaction nothing is asked that could break it.
    pub(crate) async fn seat_for(&self, session: &mut Session) -> Result<Option<Seat>, StoreError> {
        match (&self.pool, session) {
            (Pool::Sqlite(pool), Session::Sqlite(t)) => {
                const FILE: &str = "SELECT file FROM pragma_database_list WHERE name = 'main'";
                let there: String = query_scalar(FILE).fetch_one(&mut **t).await?;
                let options = pool.connect_options();
                let is_same = is_one_file(options.get_filename(), Path::new(&there));
                Ok(is_same.then_some(Seat { schema: None }))
            }
            (Pool::Postgres(_), Session::Postgres(t)) => {
                let (there, login): (String, String) = query_as(WHERE).fetch_one(&mut **t).await?;
                let mut view = self.view().await?;
                let Session::Postgres(own) = &mut view.session else {
                    return Ok(None);
                };
                let (here, writes): (String, String) =
                    query_as(WHERE).fetch_one(&mut **own).await?;
                let schema: String = query_scalar(SCHEMA).fetch_one(&mut **own).await?;
                let may = here == there
                    && (login == writes || is_service_for_bundles(&mut view, &login).await?);
                Ok(may.then_some(Seat {
                    schema: Some(schema),
                }))
            }
            _ => Ok(None),
        }
    }
}

fn is_one_file(here: &Path, there: &Path) -> bool {
    let of = |path: &Path| path.metadata().ok().map(|it| (it.dev(), it.ino()));
    of(here).is_some() && of(here) == of(there)
}

/// Tells whether a login is that of an active service that may write what ends the run of a bundle.
async fn is_service_for_bundles(view: &mut View, login: &str) -> Result<bool, StoreError> {
    let person = person::find_by_login(view, login).await?;
    Ok(person::is_active_service(person.as_ref())
        && grants::has_all(view, Group::Bundler, login).await?)
}
