//! Makes the database's rights what the list says, in one transaction; or only says how.

use sqlx::error::DatabaseError;
use sqlx::{AssertSqlSafe, PgConnection};

use super::script::{Facts, Object, Script, facts, group_names, table_names};
use super::{Group, Right, rights};
use crate::settings::Dsn;
use crate::store::schema::MIGRATION_LOCK;
use crate::store::tables::{TABLES, Table};
use crate::store::view::{Session, query_scalar};
use crate::store::{Access, Failure, OsAccount, Store, StoreError, View};

/// The rights that nobody gets, beside those of [`Right`].
const NEVER: [&str; 4] = ["DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"];

/// How often all of it is tried when the same roles are being made from another database of the server.
const ATTEMPTS: u32 = 5;

/// What became of the tables' owner.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ownership {
    /// The owners' group owned everything before.
    Unchanged,
    /// It does now.
    Moved,
    /// It could not be given them: why.
    Left(String),
}

/// What was granted.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Granted {
    /// The groups that were made.
    pub created: Vec<&'static str>,
    /// Who owns the tables.
    pub ownership: Ownership,
    /// Logins that have rights of their own beside those of their groups.
    pub direct: Vec<String>,
}

/// Makes what groups are missing and gives all of them exactly the rights of the list; a second time changes nothing.
pub async fn apply(dsn: &Dsn, account: OsAccount) -> Result<Granted, StoreError> {
    let store = Store::open(dsn, account, Access::Write).await?;
    let mut attempt = 1;
    let granted = loop {
        match apply_once(&store).await {
            Err(error) if error.kind == Failure::Busy && attempt < ATTEMPTS => attempt += 1,
            ended => break ended,
        }
    };
    store.close().await;
    granted
}

/// Writes the statements that would make this database's rights what the list says, for somebody who may run them.
pub async fn script(dsn: &Dsn, account: OsAccount) -> Result<Vec<String>, StoreError> {
    let store = Store::open(dsn, account, Access::Read).await?;
    let facts = match &mut store.view().await?.session {
        Session::Postgres(t) => facts(t).await,
        Session::Sqlite(_) => Err(no_roles()),
    };
    store.close().await;
    let facts = facts?;
    refuse_logins(&facts)?;
    let Script {
        roles,
        ownership,
        rights,
    } = facts.script();
    let mut all = vec!["BEGIN".to_owned()];
    all.extend(roles.into_iter().chain(ownership).chain(rights));
    all.push("COMMIT".to_owned());
    Ok(all)
}

/// Lists where the groups, or the rights that they have, are not those of the list.
pub async fn differences(store: &Store) -> Result<Vec<String>, StoreError> {
    match &mut store.view().await?.session {
        Session::Postgres(t) => match &facts(t).await?.missing()[..] {
            [] => differences_of(t).await,
            missing => Ok(missing
                .iter()
                .map(|role| format!("there is no {role}"))
                .collect()),
        },
        Session::Sqlite(_) => Err(no_roles()),
    }
}

/// Says why there is nothing to grant on SQLite.
#[must_use]
pub fn no_roles() -> StoreError {
    StoreError::new(
        Failure::Other,
        "an SQLite file knows no roles: whoever may write the file may do everything",
        "point `dsn` at PostgreSQL, or leave out `--grants`",
    )
}

async fn apply_once(store: &Store) -> Result<Granted, StoreError> {
    if !store.is_postgres() {
        return Err(no_roles());
    }
    let mut view = store.view_for_writing(MIGRATION_LOCK).await?;
    let Session::Postgres(t) = &mut view.session else {
        return Err(no_roles());
    };
    let facts = facts(t).await?;
    refuse_logins(&facts)?;
    refuse_without_rights(&facts)?;
    let script = facts.script();
    run(t, &script.roles).await.map_err(same_roles_elsewhere)?;
    let ownership = take_over(t, &script.ownership).await?;
    run(t, &script.rights).await.map_err(same_roles_elsewhere)?;
    let differences = differences_of(t).await?;
    if let Some(first) = differences.first() {
        return Err(StoreError::new(
            Failure::Wall,
            format!("the rights did not become what they should be: {first}"),
            "let a DBA run what `govdeck init --grants --print` prints",
        ));
    }
    let direct = direct_rights(t).await?;
    view.commit().await?;
    Ok(Granted {
        created: facts.missing(),
        ownership,
        direct,
    })
}

async fn run(connection: &mut PgConnection, statements: &[String]) -> Result<(), sqlx::Error> {
    for statement in statements {
        sqlx::raw_sql(AssertSqlSafe(statement.clone()))
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Gives the tables to the owners' group; who may grant rights may not always do that, and rights come first.
async fn take_over(t: &mut PgConnection, statements: &[String]) -> Result<Ownership, StoreError> {
    if statements.is_empty() {
        return Ok(Ownership::Unchanged);
    }
    run(t, &["SAVEPOINT ownership".to_owned()]).await?;
    match run(t, statements).await {
        Ok(()) => Ok(Ownership::Moved),
        Err(sqlx::Error::Database(said)) if said.code().as_deref() == Some("42501") => {
            run(t, &["ROLLBACK TO SAVEPOINT ownership".to_owned()]).await?;
            Ok(Ownership::Left(said.message().to_owned()))
        }
        Err(other) => Err(same_roles_elsewhere(other)),
    }
}

/// Roles belong to the server, so another database's `init --grants` may be making the same ones.
fn same_roles_elsewhere(error: sqlx::Error) -> StoreError {
    let said = error.as_database_error();
    let is_taken = |said: &dyn DatabaseError| {
        said.code()
            .is_some_and(|code| ["23505", "42710"].contains(&code.as_ref()))
    };
    if said.is_some_and(is_taken) {
        return StoreError::new(
            Failure::Busy,
            "somebody else is making the same roles",
            "try again in a moment",
        );
    }
    error.into()
}

fn refuse_logins(facts: &Facts) -> Result<(), StoreError> {
    let Some(found) = facts.roles.iter().find(|found| found.may_log_in) else {
        return Ok(());
    };
    Err(StoreError::unusable(
        format!("the role {} may log in, but a group may not", found.name),
        format!("rename that login, or: ALTER ROLE {} NOLOGIN", found.name),
    ))
}

fn refuse_without_rights(facts: &Facts) -> Result<(), StoreError> {
    const HINT: &str = "let a DBA run what `govdeck init --grants --print` prints";
    let missing = facts.missing();
    let login = &facts.login;
    if !missing.is_empty() && !facts.may_create_roles {
        return Err(StoreError::new(
            Failure::Wall,
            format!(
                "the login {login} may not create roles (CREATEROLE), and these are missing: {}",
                missing.join(", ")
            ),
            HINT,
        ));
    }
    match facts.objects.iter().find(|object| !object.is_mine) {
        Some(Object { name, owner, .. }) => Err(StoreError::new(
            Failure::Wall,
            format!("the login {login} may not grant rights on {name}, which {owner} owns"),
            HINT,
        )),
        None => Ok(()),
    }
}

async fn differences_of(t: &mut PgConnection) -> Result<Vec<String>, StoreError> {
    let mut wanted = Vec::new();
    for group in Group::GRANTED {
        let role = group.role();
        for table in TABLES {
            let (name, rights) = (table.name, rights(*group, table));
            for right in Right::ALL {
                let has = rights.contains(right);
                wanted.push(format!("('{role}', '{name}', '{}', {has})", right.sql()));
            }
            let never = NEVER.map(|right| format!("('{role}', '{name}', '{right}', FALSE)"));
            wanted.extend(never);
        }
    }
    let schema_rights: Vec<_> = Group::GRANTED
        .iter()
        .flat_map(|group| {
            let role = group.role();
            [
                format!("('{role}', 'USAGE', TRUE)"),
                format!("('{role}', 'CREATE', FALSE)"),
            ]
        })
        .collect();
    let sql = format!(
        "SELECT w.role || CASE WHEN w.has THEN ' lacks ' ELSE ' has ' END || w.priv || ' on ' || w.place AS difference FROM ( \
         SELECT role, place, priv, has, has_table_privilege(role, quote_ident(current_schema()) || '.' || place, priv) AS found \
           FROM (VALUES {}) AS v (role, place, priv, has) \
         UNION ALL SELECT role, 'schema ' || current_schema(), priv, has, has_schema_privilege(role, current_schema(), priv) \
           FROM (VALUES {}) AS s (role, priv, has)) w WHERE w.found <> w.has ORDER BY 1",
        wanted.join(", "),
        schema_rights.join(", ")
    );
    Ok(query_scalar(AssertSqlSafe(sql)).fetch_all(t).await?)
}

/// Tells whether a login may do all that a group may, by whatever way it came to that.
pub(in crate::store) async fn has_all(
    view: &mut View,
    group: Group,
    login: &str,
) -> Result<bool, StoreError> {
    let Session::Postgres(t) = &mut view.session else {
        return Err(no_roles());
    };
    let one = |table: &Table| {
        let of_table = rights(group, table).iter();
        let of_table = of_table.map(|right| format!("('{}', '{}')", table.name, right.sql()));
        of_table.collect::<Vec<_>>()
    };
    let wanted: Vec<_> = TABLES.iter().flat_map(one).collect();
    let sql = format!(
        "SELECT bool_and(has_table_privilege(CAST($1 AS name), place, priv)) FROM (VALUES {}) AS w (place, priv)",
        wanted.join(", ")
    );
    let found = query_scalar(AssertSqlSafe(sql)).bind(login);
    Ok(found.fetch_one(&mut **t).await?)
}

/// Names the logins that were given rights past the groups.
async fn direct_rights(t: &mut PgConnection) -> Result<Vec<String>, StoreError> {
    let sql = format!(
        "SELECT DISTINCT CAST(pg_get_userbyid(a.grantee) AS TEXT) AS name FROM pg_class c, aclexplode(c.relacl) a \
         WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema()) AND c.relname IN ({}) \
           AND a.grantee NOT IN (0, c.relowner) AND pg_get_userbyid(a.grantee) NOT IN ({}) ORDER BY 1",
        table_names(),
        group_names()
    );
    Ok(query_scalar(AssertSqlSafe(sql)).fetch_all(t).await?)
}
