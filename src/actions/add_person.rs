//! Adds a person: a human who may act, or a service in whose name programs write.

use super::entry::{Action, Asked, Draft, Field, Required, Row, Stop, Subject};
use crate::clock::Moment;
use crate::rules::people::{Acting, PersonKind, check_person_id};
use crate::rules::permission::{self, Permission};
use crate::rules::{Condition, Refusal, text};
use crate::store::person::{self, Person};
use crate::store::{StoreError, Target, View};

pub(super) struct AddPerson {
    person_id: String,
    kind: PersonKind,
    display_name: String,
    login: Option<String>,
}

pub(super) struct Facts {
    same_id: Option<Person>,
    same_login: Option<Person>,
}

/// Refuses a line of text that is empty, too long, or holds what cannot be shown plainly.
pub(super) fn plain_line<'a>(what: &str, line: &'a str) -> Result<&'a str, Refusal> {
    let trimmed = line.trim();
    if trimmed.is_empty() || trimmed.chars().count() > 200 || trimmed.contains(text::is_hostile) {
        return Err(Refusal::new(
            format!("the {what} cannot be used"),
            "1 to 200 characters, without control or invisible ones",
        ));
    }
    Ok(trimmed)
}

impl Action for AddPerson {
    const MAY: Permission = permission::ADD_PERSON;
    const KEY: char = 'p';
    const SUMMARY: &'static str = "Add a person who may act, or a service";
    const UNDO: &'static str = "deactivate-person: the id and what was done under it stay";
    const KIND: &'static str = "person";
    const TARGET: &'static str = "The new person's id";
    const SUBJECT: Subject = Subject::New;
    const FIELDS: &'static [Field] = &[
        Field {
            name: "name",
            help: "The name people know them by",
            required: Required::Yes,
        },
        Field {
            name: "login",
            help: "Their database login (PostgreSQL) or account (SQLite); a human's is their id when left out",
            required: Required::No,
        },
        Field {
            name: "kind",
            help: "Human (the default) or service",
            required: Required::No,
        },
    ];
    type Facts = Facts;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        check_person_id(&asked.target)?;
        let kind: PersonKind = asked
            .optional("kind")
            .map_or(Ok(PersonKind::Human), str::parse)?;
        let login = match asked.optional("login") {
            Some(login) => Some(plain_line("login", login)?.to_owned()),
            None => (kind == PersonKind::Human).then(|| asked.target.clone()),
        };
        let display_name = plain_line("name", asked.required("name")?)?.to_owned();
        Ok(Self {
            person_id: asked.target.clone(),
            kind,
            display_name,
            login,
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Facts, StoreError> {
        let same_login = match &self.login {
            Some(login) => person::find_by_login(view, login).await?,
            None => None,
        };
        Ok(Facts {
            same_id: person::find(view, &self.person_id).await?,
            same_login,
        })
    }

    fn propose(&self, facts: &Facts, _by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let taken = |found: &Option<Person>| {
            found.as_ref().map_or("free".to_owned(), |person| {
                format!("belongs to {}", person.person_id)
            })
        };
        let person = Person {
            person_id: self.person_id.clone(),
            kind: self.kind,
            display_name: self.display_name.clone(),
            login: self.login.clone(),
            active: true,
            created_at_utc: now,
            version: 1,
        };
        Ok(Draft::new(
            Target {
                kind: Self::KIND,
                id: self.person_id.clone(),
                version: facts.same_id.as_ref().map_or(0, |person| person.version),
            },
            vec![
                Condition::holds(
                    "new_id",
                    facts.same_id.is_none(),
                    "governance_lead",
                    taken(&facts.same_id),
                    "choose another id; ids are never used again",
                ),
                Condition::holds(
                    "new_login",
                    facts.same_login.is_none(),
                    "governance_lead",
                    taken(&facts.same_login),
                    "a login is one person; give another",
                ),
            ],
            vec![Row::new(person)],
        ))
    }
}
