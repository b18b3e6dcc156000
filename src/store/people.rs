//! People as a long list: who they are, what they hold, and when they last acted.

use sqlx::FromRow;

use super::person::Person;
use super::window::{self, List, Look, Runs, Window};
use super::{StoreError, View};
use crate::clock::Moment;
use crate::rules::words;

words! {
    /// By what people are sorted.
    #[derive(Default)]
    pub enum PersonSort {
        /// By their id.
        #[default]
        Id = "id",
        /// Whoever acted last first, those who never did last.
        LastAction = "last action",
    }
}

/// A person with what a list says of them.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, FromRow)]
pub struct Listed {
    /// The person.
    #[sqlx(flatten)]
    #[serde(flatten)]
    pub person: Person,
    /// The roles that they hold now, with blanks between them.
    pub roles: String,
    /// How many of their keys are valid.
    pub valid_keys: i64,
    /// The newest entry that they made or agreed to; 0 where there is none.
    pub last_seq: i64,
    /// When that was.
    pub last_at_utc: Option<Moment>,
}

/// The fields that a filter of people may name.
pub const PERSON_FIELDS: &[&str] = &["id", "name", "kind", "state", "role", "login"];

const ROLES: &str = "COALESCE((SELECT STRING_AGG(r.role, ' ' ORDER BY r.role) FROM person_role r \
     WHERE r.person_id = p.person_id AND r.active = TRUE), '')";

const FIELDS: &[(&str, &str)] = &[
    ("id", "p.person_id"),
    ("name", "p.display_name"),
    ("kind", "p.kind"),
    (
        "state",
        "CASE WHEN p.active = TRUE THEN 'active' ELSE 'inactive' END",
    ),
    (
        "role",
        "(SELECT STRING_AGG(r.role, ' ' ORDER BY r.role) FROM person_role r \
         WHERE r.person_id = p.person_id AND r.active = TRUE)",
    ),
    ("login", "p.login"),
];

/// Everybody with the newest entry of theirs, which is found by an index for each.
macro_rules! everybody {
    ($which:literal) => {
        concat!(
            "(SELECT person_id, kind, display_name, login, active, created_at_utc, version, \
             COALESCE((SELECT MAX(t.seq) FROM (SELECT MAX(a.seq) AS seq FROM governance_ledger a \
             WHERE a.actor_id = person.person_id UNION ALL SELECT MAX(b.seq) AS seq FROM governance_ledger b \
             WHERE b.approved_by = person.person_id) AS t), 0) AS last_seq FROM person) AS p ",
            $which
        )
    };
}

impl PersonSort {
    const fn key(self) -> (&'static [&'static str], Runs) {
        match self {
            Self::Id => (&["person_id"], Runs::Up),
            Self::LastAction => (&["last_seq", "person_id"], Runs::Down),
        }
    }
}

/// Reads a window of all people.
pub async fn window(
    view: &mut View,
    look: &Look<PersonSort>,
) -> Result<Window<Listed>, StoreError> {
    let (key, runs) = look.sort.key();
    let list = List {
        select: format!(
            "SELECT p.person_id, p.kind, p.display_name, p.login, p.active, p.created_at_utc, p.version, {ROLES} AS roles, \
             (SELECT CAST(COUNT(*) AS BIGINT) FROM person_key k WHERE k.person_id = p.person_id AND k.revoked_at_utc IS NULL) \
             AS valid_keys, p.last_seq, (SELECT l.at_utc FROM governance_ledger l WHERE l.seq = p.last_seq) AS last_at_utc \
             FROM {}",
            everybody!("WHERE TRUE")
        ),
        prefix: "p.",
        key,
        runs,
        place: everybody!("WHERE p.person_id = $1"),
        fields: FIELDS,
        sought: None,
        now: None,
    };
    window::read(view, &list, look).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_that_a_filter_may_name_can_be_read() {
        let known: Vec<_> = FIELDS.iter().map(|(name, _)| *name).collect();
        assert_eq!(known, PERSON_FIELDS);
    }
}
