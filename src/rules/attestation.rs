//! How sure we must be of who acts: what a deployment's policy asks for each class of action.

use super::guard::Level;
use super::people::{Attestation, Environment};
use super::permission::Permission;
use super::{Condition, words};

words! {
    /// The classes of actions that a policy speaks about.
    pub enum ActionClass {
        /// Small and reversible.
        Confirm = "confirm",
        /// Puts a name under something.
        Review = "review",
        /// Moves what partners read.
        Phrase = "phrase",
        /// Is the second person's yes.
        Approval = "approval",
    }
}

impl ActionClass {
    /// Tells the class of an action.
    #[must_use]
    pub fn of(permission: &Permission) -> Self {
        match permission.level {
            _ if permission.verb == super::permission::APPROVE.verb => Self::Approval,
            Level::Look | Level::Confirm => Self::Confirm,
            Level::Review => Self::Review,
            Level::Phrase => Self::Phrase,
        }
    }
}

impl Attestation {
    /// Tells whether this is at least as sure as `wanted`.
    #[must_use]
    pub fn suffices_for(self, wanted: Self) -> bool {
        let sureness = |attestation| match attestation {
            Self::Unattested => 0,
            Self::Login => 1,
            Self::Signed => 2,
        };
        sureness(self) >= sureness(wanted)
    }
}

/// What is enough where nobody has decided otherwise: what a session has without a signature.
///
/// The second person's yes is worth nothing unattested, except in a demo, where everybody is one and the same.
#[must_use]
pub fn enough(
    class: ActionClass,
    decided: Option<Attestation>,
    of_session: Attestation,
    environment: Environment,
) -> Attestation {
    let wanted = decided.unwrap_or(of_session);
    let is_second = class == ActionClass::Approval && environment != Environment::Demo;
    if is_second && !wanted.suffices_for(Attestation::Login) {
        Attestation::Login
    } else {
        wanted
    }
}

/// Tells whether an actor is known well enough.
#[must_use]
pub fn is_attested(who: &str, known_by: Attestation, wanted: Attestation) -> Condition {
    Condition::holds(
        "attested",
        known_by.suffices_for(wanted),
        who,
        format!("{who} is known by {known_by}; {wanted} is asked"),
        if wanted == Attestation::Signed {
            "sign it: govdeck key add, then name the key in `signing_key`"
        } else {
            "sign it, or work on PostgreSQL, whose login attests"
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Verdict;
    use crate::rules::permission::{self, MATRIX};

    #[test]
    fn sureness_is_an_order() {
        use Attestation::{Login, Signed, Unattested};
        for (known, wanted, suffices) in [
            (Unattested, Unattested, true),
            (Unattested, Login, false),
            (Unattested, Signed, false),
            (Login, Unattested, true),
            (Login, Login, true),
            (Login, Signed, false),
            (Signed, Unattested, true),
            (Signed, Login, true),
            (Signed, Signed, true),
        ] {
            assert_eq!(known.suffices_for(wanted), suffices, "{known} {wanted}");
            let verdict = is_attested("maya", known, wanted).verdict;
            assert_eq!(verdict, Verdict::of(suffices));
        }
    }

    #[test]
    fn an_unattested_yes_counts_in_a_demo_alone() {
        for environment in Environment::ALL {
            for class in ActionClass::ALL {
                for of_session in [Attestation::Unattested, Attestation::Login] {
                    for decided in [
                        None,
                        Some(Attestation::Unattested),
                        Some(Attestation::Signed),
                    ] {
                        let wanted = enough(*class, decided, of_session, *environment);
                        let asked = decided.unwrap_or(of_session);
                        let raised = *class == ActionClass::Approval
                            && *environment != Environment::Demo
                            && asked == Attestation::Unattested;
                        let expected = if raised { Attestation::Login } else { asked };
                        assert_eq!(
                            wanted, expected,
                            "{class} {decided:?} {of_session} {environment}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn every_action_has_the_class_of_its_level_but_the_second_yes() {
        for permission in MATRIX {
            let expected = match permission.level {
                _ if *permission == permission::APPROVE => ActionClass::Approval,
                Level::Look | Level::Confirm => ActionClass::Confirm,
                Level::Review => ActionClass::Review,
                Level::Phrase => ActionClass::Phrase,
            };
            assert_eq!(ActionClass::of(permission), expected);
        }
    }
}
