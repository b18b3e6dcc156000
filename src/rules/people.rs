//! Who may act: persons, roles, and how sure we are of them.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{Refusal, words};

words! {
    /// What acts: somebody who can answer for it, or a program.
    pub enum PersonKind {
        /// A human, who may confirm, approve and sign.
        Human = "human",
        /// A program, which writes by rule only and never approves, signs, acks or overrides.
        Service = "service",
    }
}

words! {
    /// The closed list of roles.
    pub enum Role {
        /// Leads the cutover hour and owns the rules.
        GovernanceLead = "governance_lead",
        /// Leads the engineers whose pipelines publish.
        EngineeringLead = "engineering_lead",
        /// Leads operations.
        OpsLead = "ops_lead",
        /// Owns what the metrics mean.
        AnalyticsOwner = "analytics_owner",
        /// Builds and runs the ETL.
        DataEngineer = "data_engineer",
        /// Maintains the exporter and its allow-list.
        ExporterMaintainer = "exporter_maintainer",
        /// Edits the FAQ rows that partners read.
        FaqEditor = "faq_editor",
        /// Triages publish blocks.
        OnCall = "on_call",
        /// Puts a name under the weekly numbers.
        Signer = "signer",
        /// May look at everything and change nothing.
        Viewer = "viewer",
    }
}

words! {
    /// How an entry's actor is known.
    pub enum Attestation {
        /// By a signature over the decision card.
        Signed = "signed",
        /// By the database's own login.
        Login = "login",
        /// By the operating system's account alone.
        Unattested = "unattested",
    }
}

words! {
    /// Who decided.
    pub enum Basis {
        /// A person confirmed it.
        Person = "person",
        /// A rule found it.
        Rule = "rule",
    }
}

words! {
    /// Where a deployment stands; production looks and guards differently.
    pub enum Environment {
        /// Partners read what is published here.
        Prod = "prod",
        /// A rehearsal of production.
        Staging = "staging",
        /// A playground.
        Dev = "dev",
        /// A story with a simulated world.
        Demo = "demo",
        /// The fork of a database on which a cutover is rehearsed; it is thrown away.
        Rehearsal = "rehearsal",
    }
}

impl Environment {
    /// Where a deployment can be established; a fork is made by a rehearsal, and in no other way.
    pub const ESTABLISHED: &'static [Self] = &[Self::Prod, Self::Staging, Self::Dev, Self::Demo];
}

/// Whoever is at the keys: a registered, active person, as the database knows them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Actor {
    /// The person's id.
    pub person_id: String,
    /// Human or service.
    pub kind: PersonKind,
    /// The roles they hold now.
    pub roles: BTreeSet<Role>,
    /// How we know it is them.
    pub attestation: Attestation,
}

impl Actor {
    /// Tells whether the actor is a human who holds one of the roles.
    #[must_use]
    pub fn holds_one_of(&self, roles: &[Role]) -> bool {
        self.kind == PersonKind::Human && roles.iter().any(|role| self.roles.contains(role))
    }
}

/// Whoever acts, with what they bring along; while they only look, what will be given later stands open.
#[derive(Debug, Clone, Copy)]
pub struct Acting<'a> {
    /// Whoever is at the keys, or whose proposal it was.
    pub actor: &'a Actor,
    /// The reason they gave.
    pub reason: Option<&'a str>,
    /// The second person who said yes.
    pub second: Option<&'a str>,
}

/// What stands in a row for the reason, until it is given.
pub const REASON_GIVEN: &str = "(the reason given)";

/// What stands in a row for the second person, until somebody said yes.
pub const WHO_APPROVES: &str = "(who approves)";

impl<'a> Acting<'a> {
    /// Only looks: nothing was given yet.
    #[must_use]
    pub fn looking(actor: &'a Actor) -> Self {
        Self {
            actor,
            reason: None,
            second: None,
        }
    }

    /// Returns the actor's id, as rows keep it.
    #[must_use]
    pub fn id(&self) -> String {
        self.actor.person_id.clone()
    }

    /// Returns the reason given, or what stands for it.
    #[must_use]
    pub fn reason(&self) -> String {
        self.reason.unwrap_or(REASON_GIVEN).to_owned()
    }

    /// Returns the second person's id, or what stands for it.
    #[must_use]
    pub fn second(&self) -> String {
        self.second.unwrap_or(WHO_APPROVES).to_owned()
    }
}

/// Checks the shape of a person's id: lower-case letters, digits, `.`, `_`, `-`, at most 64, not starting with a sign.
pub fn check_person_id(id: &str) -> Result<(), Refusal> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let well_formed = (1..=64).contains(&id.len())
        && id.bytes().next().is_some_and(plain)
        && id.bytes().all(|byte| plain(byte) || b"._-".contains(&byte));
    if well_formed {
        return Ok(());
    }
    Err(Refusal::new(
        format!("{:?} cannot be a person's id", super::text::shorten(id, 80)),
        "use 1 to 64 of a-z 0-9 . _ - and begin with a letter or digit",
    ))
}

/// Checks that a role suits the kind of person: a service never holds `signer`.
pub fn check_role_for(kind: PersonKind, role: Role) -> Result<(), Refusal> {
    if kind == PersonKind::Service && role == Role::Signer {
        return Err(Refusal::new(
            "a service never holds the role signer",
            "grant signer to a human",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn person_ids_have_a_closed_shape() {
        for good in ["a", "7", "maya", "ops.kim", "a_b-c.d", &"x".repeat(64)] {
            assert!(check_person_id(good).is_ok(), "{good:?} was refused");
        }
        for bad in [
            "",
            ".a",
            "-a",
            "_a",
            "Maya",
            "a b",
            "a/b",
            "ä",
            "a\n",
            "a\0",
            &"x".repeat(65),
        ] {
            assert!(check_person_id(bad).is_err(), "{bad:?} was taken");
        }
    }

    #[test]
    fn only_a_service_with_signer_is_refused() {
        for kind in PersonKind::ALL {
            for role in Role::ALL {
                let refused = check_role_for(*kind, *role).is_err();
                assert_eq!(
                    refused,
                    (*kind, *role) == (PersonKind::Service, Role::Signer)
                );
            }
        }
    }

    #[test]
    fn a_service_never_acts_by_a_role() {
        let actor = |kind| Actor {
            person_id: "x".into(),
            kind,
            roles: Role::ALL.iter().copied().collect(),
            attestation: Attestation::Login,
        };
        assert!(actor(PersonKind::Human).holds_one_of(&[Role::OnCall]));
        assert!(!actor(PersonKind::Human).holds_one_of(&[]));
        assert!(!actor(PersonKind::Service).holds_one_of(Role::ALL));
    }

    #[test]
    fn words_read_back_and_others_are_refused() {
        for role in Role::ALL {
            assert_eq!(role.word().parse::<Role>().as_ref(), Ok(role));
        }
        let refusal = "admin".parse::<Role>().expect_err("no such role");
        assert_eq!(refusal.sentence, "\"admin\" is no role");
        assert!(refusal.hint.contains("governance_lead"));
    }
}
