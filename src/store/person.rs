//! Persons and their roles.

use super::tables::governed;
use super::view::{on, query_as, query_scalar};
use super::{StoreError, View};
use crate::clock::Moment;
use crate::rules::people::{Actor, Attestation, PersonKind, Role};

governed! {
    /// A human or a service.
    pub struct Person in "person" keyed by (person_id) {
        /// The person's id.
        pub person_id: String,
        /// Human or service.
        pub kind: PersonKind,
        /// The name people know them by.
        pub display_name: String,
        /// The database login (PostgreSQL) or account (SQLite) that is them.
        pub login: Option<String>,
        /// Whether they may act.
        pub active: bool,
        /// When they were added.
        pub created_at_utc: Moment,
        /// The row's version.
        pub version: i64,
    }
}

governed! {
    /// A role that a person holds, or held.
    pub struct PersonRole in "person_role" keyed by (person_id, role) {
        /// The person's id.
        pub person_id: String,
        /// The role.
        pub role: Role,
        /// Whether they hold it now.
        pub active: bool,
        /// Who granted it.
        pub granted_by: String,
        /// When.
        pub granted_at_utc: Moment,
        /// The row's version.
        pub version: i64,
    }
}

/// Tells whether somebody is there, may act, and can answer for it.
#[must_use]
pub fn is_active_human(person: Option<&Person>) -> bool {
    person.is_some_and(|person| person.active && person.kind == PersonKind::Human)
}

/// Tells whether a program is there, and may act.
#[must_use]
pub fn is_active_service(person: Option<&Person>) -> bool {
    person.is_some_and(|person| person.active && person.kind == PersonKind::Service)
}

/// Lists the roles that a person holds, or held.
pub async fn roles_of(view: &mut View, person_id: &str) -> Result<Vec<PersonRole>, StoreError> {
    const SQL: &str = "SELECT person_id, role, active, granted_by, granted_at_utc, version FROM person_role \
         WHERE person_id = $1 ORDER BY active DESC, role";
    Ok(on!(view, c => query_as(SQL).bind(person_id).fetch_all(c).await)?)
}

/// Finds a person by id.
pub async fn find(view: &mut View, person_id: &str) -> Result<Option<Person>, StoreError> {
    const SQL: &str = "SELECT person_id, kind, display_name, login, active, created_at_utc, version FROM person WHERE person_id = $1";
    Ok(on!(view, c => query_as(SQL).bind(person_id).fetch_optional(c).await)?)
}

/// Lists the ids of all active people and services.
pub async fn active(view: &mut View) -> Result<Vec<String>, StoreError> {
    const SQL: &str = "SELECT person_id FROM person WHERE active = TRUE ORDER BY person_id";
    Ok(on!(view, c => query_scalar(SQL).fetch_all(c).await)?)
}

/// Finds a person by login.
pub async fn find_by_login(view: &mut View, login: &str) -> Result<Option<Person>, StoreError> {
    const SQL: &str = "SELECT person_id, kind, display_name, login, active, created_at_utc, version FROM person WHERE login = $1";
    Ok(on!(view, c => query_as(SQL).bind(login).fetch_optional(c).await)?)
}

/// Finds a role of a person, whether they hold it now or not.
pub async fn find_role(
    view: &mut View,
    person_id: &str,
    role: Role,
) -> Result<Option<PersonRole>, StoreError> {
    const SQL: &str = "SELECT person_id, role, active, granted_by, granted_at_utc, version FROM person_role \
         WHERE person_id = $1 AND role = $2";
    Ok(on!(view, c => query_as(SQL).bind(person_id).bind(role).fetch_optional(c).await)?)
}

/// Tells who is at the keys: the active person whose login this session has, or nobody.
pub async fn actor(view: &mut View) -> Result<Option<Actor>, StoreError> {
    let login = view.login().to_owned();
    let Some(person) = find_by_login(view, &login)
        .await?
        .filter(|person| person.active)
    else {
        return Ok(None);
    };
    let attestation = attestation(view);
    as_actor(view, person, attestation).await.map(Some)
}

/// Tells how this session's login is known: by the server, or by the operating system alone.
#[must_use]
pub fn attestation(view: &View) -> Attestation {
    if view.is_postgres() {
        Attestation::Login
    } else {
        Attestation::Unattested
    }
}

/// Returns an active person as an actor, with the roles that they hold now; none when they may not act.
pub async fn acting_as(
    view: &mut View,
    person_id: &str,
    attestation: Attestation,
) -> Result<Option<Actor>, StoreError> {
    match find(view, person_id).await?.filter(|person| person.active) {
        Some(person) => as_actor(view, person, attestation).await.map(Some),
        None => Ok(None),
    }
}

/// Lists the active humans who hold one of the roles.
pub async fn holders(view: &mut View, roles: &[Role]) -> Result<Vec<String>, StoreError> {
    const SQL: &str = "SELECT p.person_id, r.role FROM person p JOIN person_role r ON r.person_id = p.person_id \
         WHERE p.kind = 'human' AND p.active = TRUE AND r.active = TRUE ORDER BY p.person_id, r.role";
    let held: Vec<(String, Role)> = on!(view, c => query_as(SQL).fetch_all(c).await)?;
    let mut holders: Vec<String> = held
        .into_iter()
        .filter(|(_, role)| roles.contains(role))
        .map(|(id, _)| id)
        .collect();
    holders.dedup();
    Ok(holders)
}

/// The service person in whose name rules write.
pub const RULES: &str = "govdeck";

/// Returns the actor of by-rule writes.
pub async fn rules_actor(view: &mut View) -> Result<Option<Actor>, StoreError> {
    let attestation = attestation(view);
    match find(view, RULES).await? {
        Some(person) => as_actor(view, person, attestation).await.map(Some),
        None => Ok(None),
    }
}

async fn as_actor(
    view: &mut View,
    person: Person,
    attestation: Attestation,
) -> Result<Actor, StoreError> {
    const SQL: &str =
        "SELECT role FROM person_role WHERE person_id = $1 AND active = TRUE ORDER BY role";
    let roles: Vec<Role> =
        on!(view, c => query_scalar(SQL).bind(&person.person_id).fetch_all(c).await)?;
    Ok(Actor {
        person_id: person.person_id,
        kind: person.kind,
        roles: roles.into_iter().collect(),
        attestation,
    })
}
