//! What the server holds now, and the statements that make of it what the list says.

use sqlx::{AssertSqlSafe, FromRow, PgConnection};

use super::{Group, rights};
use crate::store::StoreError;
use crate::store::tables::TABLES;
use crate::store::view::query_as;

/// A table, a function or a domain of govdeck's, with its owner; names are quoted where they must be.
#[derive(Debug, FromRow)]
pub(super) struct Object {
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) owner: String,
    pub(super) is_moved: bool,
    pub(super) is_mine: bool,
    pub(super) owner_is_member: bool,
}

/// A role with the name of a group.
#[derive(Debug, FromRow)]
pub(super) struct Found {
    pub(super) name: String,
    pub(super) may_log_in: bool,
}

/// What the server holds now.
pub(super) struct Facts {
    pub(super) login: String,
    pub(super) may_create_roles: bool,
    pub(super) schema: String,
    pub(super) roles: Vec<Found>,
    pub(super) objects: Vec<Object>,
}

/// What is to be done, in the order in which it must be.
pub(super) struct Script {
    pub(super) roles: Vec<String>,
    pub(super) ownership: Vec<String>,
    pub(super) rights: Vec<String>,
}

impl Facts {
    /// Names the groups that are not there.
    pub(super) fn missing(&self) -> Vec<&'static str> {
        let roles = Group::ALL.iter().map(|group| group.role());
        roles
            .filter(|role| !self.roles.iter().any(|found| found.name == *role))
            .collect()
    }

    /// Writes all statements.
    pub(super) fn script(&self) -> Script {
        let create = |role: &&str| format!("CREATE ROLE {role} NOLOGIN");
        Script {
            roles: self.missing().iter().map(create).collect(),
            ownership: self.ownership(),
            rights: self.rights(),
        }
    }

    fn ownership(&self) -> Vec<String> {
        let owner = Group::Owner.role();
        let unmoved = || self.objects.iter().filter(|object| !object.is_moved);
        if unmoved().next().is_none() {
            return Vec::new();
        }
        // Whoever owned the tables goes on running `init`, as a member, until somebody takes that away.
        let mut owners: Vec<_> = unmoved()
            .filter(|object| !object.owner_is_member)
            .map(|object| object.owner.as_str())
            .collect();
        owners.sort_unstable();
        owners.dedup();
        let join = owners.iter().map(|old| format!("GRANT {owner} TO {old}"));
        let mut statements: Vec<_> = join.collect();
        statements.push(format!(
            "GRANT USAGE, CREATE ON SCHEMA {} TO {owner}",
            self.schema
        ));
        statements.extend(
            unmoved()
                .map(|Object { kind, name, .. }| format!("ALTER {kind} {name} OWNER TO {owner}")),
        );
        statements
    }

    fn rights(&self) -> Vec<String> {
        let schema = &self.schema;
        let roles: Vec<_> = Group::GRANTED.iter().map(|group| group.role()).collect();
        let (roles, everybody) = (roles.join(", "), format!("PUBLIC, {}", roles.join(", ")));
        let all = |wanted: &str| {
            let of_kind = self.objects.iter().filter(|object| object.kind == wanted);
            let names: Vec<_> = of_kind.map(|object| object.name.as_str()).collect();
            format!(
                "REVOKE ALL ON {wanted} {} FROM {everybody}",
                names.join(", ")
            )
        };
        let mut statements = vec![
            all("TABLE"),
            all("FUNCTION"),
            format!("REVOKE CREATE ON SCHEMA {schema} FROM {everybody}"),
            format!("GRANT USAGE ON SCHEMA {schema} TO {roles}"),
        ];
        for table in TABLES {
            for group in Group::GRANTED {
                let rights: Vec<_> = rights(*group, table).iter().map(|r| r.sql()).collect();
                if !rights.is_empty() {
                    let (rights, role) = (rights.join(", "), group.role());
                    let name = table.name;
                    statements.push(format!("GRANT {rights} ON TABLE {schema}.{name} TO {role}"));
                }
            }
        }
        statements
    }
}

pub(super) fn group_names() -> String {
    let names: Vec<_> = Group::ALL
        .iter()
        .map(|group| format!("'{}'", group.role()))
        .collect();
    names.join(", ")
}

pub(super) fn table_names() -> String {
    let names: Vec<_> = TABLES.iter().map(|t| format!("'{}'", t.name)).collect();
    names.join(", ")
}

/// Reads what the server holds.
pub(super) async fn facts(t: &mut PgConnection) -> Result<Facts, StoreError> {
    const WHO: &str = "SELECT quote_ident(session_user), rolsuper OR rolcreaterole, quote_ident(current_schema()) \
         FROM pg_roles WHERE rolname = session_user";
    const OBJECTS: &str = "
        WITH place AS (SELECT oid, quote_ident(nspname) AS name FROM pg_namespace WHERE nspname = current_schema()),
        found AS (
            SELECT 'TABLE' AS kind, p.name || '.' || c.relname AS name, c.relowner AS owner
              FROM pg_class c JOIN place p ON p.oid = c.relnamespace WHERE c.relkind = 'r' AND c.relname IN ({names})
            UNION ALL
            SELECT 'FUNCTION', p.name || '.' || f.proname || '()', f.proowner FROM pg_proc f JOIN place p ON p.oid = f.pronamespace
             WHERE f.pronargs = 0 AND (f.proname LIKE 'wall\\_%' OR f.proname = 'feed_moved')
            UNION ALL
            SELECT 'DOMAIN', p.name || '.' || y.typname, y.typowner FROM pg_type y JOIN place p ON p.oid = y.typnamespace WHERE y.typname = 'moment')
        SELECT kind, name, quote_ident(pg_get_userbyid(owner)) AS owner,
               pg_get_userbyid(owner) = '{group}' AS is_moved, pg_has_role(owner, 'USAGE') AS is_mine,
               COALESCE((SELECT pg_has_role(owner, r.oid, 'USAGE') FROM pg_roles r WHERE r.rolname = '{group}'), 
                        (SELECT r.rolsuper FROM pg_roles r WHERE r.oid = owner)) AS owner_is_member
          FROM found ORDER BY kind DESC, name";
    let (login, may_create_roles, schema) = query_as(WHO).fetch_one(&mut *t).await?;
    let roles = format!(
        "SELECT CAST(rolname AS TEXT) AS name, rolcanlogin AS may_log_in FROM pg_roles WHERE rolname IN ({})",
        group_names()
    );
    let roles = query_as(AssertSqlSafe(roles)).fetch_all(&mut *t).await?;
    let objects = OBJECTS
        .replace("{names}", &table_names())
        .replace("{group}", Group::Owner.role());
    let objects = query_as(AssertSqlSafe(objects)).fetch_all(t).await?;
    Ok(Facts {
        login,
        may_create_roles,
        schema,
        roles,
        objects,
    })
}
