//! Who may write which entry, as the database itself sees it: made of the table of permissions.

use crate::rules::people::{Basis, Role};
use crate::rules::permission::MATRIX;

/// Returns what every new entry must meet: what each wall says, and what it requires.
pub(super) fn walls() -> [(&'static str, String); 3] {
    [
        (
            "a rule decides only what is decided by rule",
            format!("NEW.basis <> 'rule' OR NEW.action IN ({})", by_rule()),
        ),
        (
            "a person does only what their roles allow",
            format!(
                "NEW.basis <> 'person' OR CASE NEW.action {} ELSE FALSE END",
                by_person()
            ),
        ),
        (
            "what needs two persons has two who hold its roles, and nothing else has",
            format!(
                "CASE NEW.action {} ELSE NEW.approved_by IS NULL END",
                by_two()
            ),
        ),
    ]
}

fn by_rule() -> String {
    let verbs: Vec<_> = MATRIX
        .iter()
        .filter(|permission| permission.basis == Basis::Rule)
        .map(|permission| format!("'{}'", permission.verb))
        .collect();
    verbs.join(", ")
}

fn by_person() -> String {
    MATRIX
        .iter()
        .filter(|permission| permission.basis == Basis::Person)
        .map(|permission| {
            let requires = match permission.roles {
                [] => "TRUE".to_owned(),
                roles => holds("NEW.actor_id", roles),
            };
            format!("WHEN '{}' THEN {requires}", permission.verb)
        })
        .collect::<Vec<_>>()
        .join(" ")
}

fn by_two() -> String {
    MATRIX
        .iter()
        .filter(|permission| permission.needs_two())
        .map(|permission| {
            let mut all = vec![holds("NEW.approved_by", permission.two)];
            all.extend(
                permission
                    .two
                    .iter()
                    .map(|role| holds("NEW.actor_id, NEW.approved_by", &[*role])),
            );
            format!("WHEN '{}' THEN {}", permission.verb, all.join(" AND "))
        })
        .collect::<Vec<_>>()
        .join(" ")
}

fn holds(persons: &str, roles: &[Role]) -> String {
    let roles: Vec<_> = roles.iter().map(|role| format!("'{role}'")).collect();
    format!(
        "EXISTS (SELECT 1 FROM person_role r WHERE r.person_id IN ({persons}) AND r.active = TRUE AND r.role IN ({}))",
        roles.join(", ")
    )
}
