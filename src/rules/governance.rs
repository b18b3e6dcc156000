//! Whether governance holds everything back: red, after a week whose reconciliation did not pass.

use serde::Serialize;

use super::{Condition, words};

words! {
    /// What holds a run back, whatever the run itself is like.
    pub enum Hold {
        /// The latest weekly reconciliation did not pass.
        GovernanceRed = "governance_red",
    }
}

/// How governance stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Governance {
    /// Nobody reconciles weekly here yet: there is nothing that could be red, and nothing is held.
    NotEstablished,
    /// The latest weekly reconciliation passed.
    Green,
    /// It did not.
    Red,
}

impl Governance {
    /// Returns what is held back, if anything is.
    #[must_use]
    pub fn hold(self) -> Option<Hold> {
        match self {
            Self::NotEstablished | Self::Green => None,
            Self::Red => Some(Hold::GovernanceRed),
        }
    }

    /// Says whether runs may be decided and distributed.
    #[must_use]
    pub fn not_red(self) -> Condition {
        let evidence = match self {
            Self::NotEstablished => "weekly reconciliation is not established and holds nothing",
            Self::Green => "the latest weekly reconciliation passed",
            Self::Red => "governance is red",
        };
        Condition::holds(
            "not_red",
            self.hold().is_none(),
            "governance_lead",
            evidence,
            "clear the week's reconciliation first; nothing overrides it",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Verdict;

    #[test]
    fn only_red_holds() {
        for (governance, held) in [
            (Governance::NotEstablished, None),
            (Governance::Green, None),
            (Governance::Red, Some(Hold::GovernanceRed)),
        ] {
            assert_eq!(governance.hold(), held);
            assert_eq!(governance.not_red().verdict, Verdict::of(held.is_none()));
        }
    }
}
