//! Whether governance holds everything back: red, after two weekly windows in a row that did not pass.

use serde::{Serialize, Serializer};

use super::week::State;
use super::{Condition, words};
use crate::clock::Moment;

words! {
    /// What holds a run back, whatever the run itself is like.
    pub enum Hold {
        /// Two weekly windows in a row did not pass, and nobody has left red since.
        GovernanceRed = "governance_red",
    }
}

/// How governance stands: as the worst of the active series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Governance {
    /// Nobody reconciles weekly here yet: there is nothing that could be red, and nothing is held.
    NotEstablished,
    /// Every series is green.
    Green,
    /// Some series has something still to show; nothing is held.
    Amber,
    /// Some series is red.
    Red {
        /// The runs that made it so.
        runs: Vec<String>,
    },
}

/// A run that two people let out while red holds the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Annex<'a> {
    /// The annex's audit id.
    pub annex_id: &'a str,
    /// Who asked for it.
    pub requested_by: &'a str,
    /// Who else agreed.
    pub approved_by: &'a str,
    /// Until when.
    pub expires_at: Moment,
}

impl Governance {
    /// Returns the worst of how the active series stand; each with the runs that its state rests on.
    pub fn worst_of<'a>(series: impl IntoIterator<Item = (State, &'a [String])>) -> Self {
        let mut worst = Self::NotEstablished;
        for (state, runs) in series {
            worst = match (state, worst) {
                (State::Red, Self::Red { runs: mut before }) => {
                    before.extend_from_slice(runs);
                    Self::Red { runs: before }
                }
                (State::Red, _) => Self::Red {
                    runs: runs.to_vec(),
                },
                (_, red @ Self::Red { .. }) => red,
                (State::Amber, _) | (_, Self::Amber) => Self::Amber,
                (State::Green, _) => Self::Green,
            };
        }
        worst
    }

    /// Returns the word for it.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::NotEstablished => "not_established",
            Self::Green => "green",
            Self::Amber => "amber",
            Self::Red { .. } => "red",
        }
    }

    /// Returns what is held back, if anything is.
    #[must_use]
    pub const fn hold(&self) -> Option<Hold> {
        match self {
            Self::NotEstablished | Self::Green | Self::Amber => None,
            Self::Red { .. } => Some(Hold::GovernanceRed),
        }
    }

    /// Says whether runs may be decided and distributed.
    #[must_use]
    pub fn not_red(&self) -> Condition {
        let evidence = match self {
            Self::NotEstablished => {
                "weekly reconciliation is not established and holds nothing".to_owned()
            }
            Self::Green => "every weekly series is green".to_owned(),
            Self::Amber => "a weekly series is amber, which holds nothing".to_owned(),
            Self::Red { runs } => format!("governance is red: {}", runs.join(", ")),
        };
        Condition::holds(
            "not_red",
            self.hold().is_none(),
            "governance_lead",
            evidence,
            "the week's series leaves red first: leave-red",
        )
    }

    /// Says whether a run may be distributed: red lets out only what an annex names that has not expired.
    #[must_use]
    pub fn lets_out(&self, annex: Option<&Annex<'_>>, now: Moment) -> Condition {
        let held = self.not_red();
        match annex {
            Some(annex) if self.hold().is_some() && now < annex.expires_at => Condition::holds(
                held.id,
                true,
                held.owner,
                format!(
                    "{}; OVERRIDE ANNEX {} of {} and {} lets this run out until {}",
                    held.evidence,
                    annex.annex_id,
                    annex.requested_by,
                    annex.approved_by,
                    annex.expires_at
                ),
                held.fix,
            ),
            _ => held,
        }
    }
}

impl Serialize for Governance {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Verdict;

    fn red(run: &str) -> Governance {
        Governance::Red {
            runs: vec![run.to_owned()],
        }
    }

    #[test]
    fn only_red_holds() {
        for (governance, held) in [
            (Governance::NotEstablished, None),
            (Governance::Green, None),
            (Governance::Amber, None),
            (red("jr-1"), Some(Hold::GovernanceRed)),
        ] {
            assert_eq!(governance.hold(), held);
            assert_eq!(governance.not_red().verdict, Verdict::of(held.is_none()));
        }
        let evidence = red("jr-1").not_red().evidence;
        assert!(evidence.contains("jr-1"), "{evidence}");
    }

    /// Every multiset of up to three series.
    #[test]
    fn the_deployment_is_the_worst_of_its_series() {
        let one = vec!["jr-1".to_owned()];
        let states =
            |of: &[State]| Governance::worst_of(of.iter().map(|state| (*state, one.as_slice())));
        assert_eq!(states(&[]), Governance::NotEstablished);
        for a in State::ALL {
            for b in State::ALL {
                for c in State::ALL {
                    let worst = [a, b, c].into_iter().max();
                    assert_eq!(Some(states(&[*a, *b, *c]).word()), worst.map(|w| w.word()));
                }
            }
        }
        let both = states(&[State::Red, State::Amber, State::Red]);
        assert!(matches!(both, Governance::Red { runs } if runs.len() == 2));
    }

    #[test]
    fn red_lets_out_only_what_an_unexpired_annex_names() {
        let moment = |text: &str| text.parse::<Moment>().expect("a moment");
        let annex = Annex {
            annex_id: "aud-1",
            requested_by: "kim",
            approved_by: "lee",
            expires_at: moment("2026-05-20T12:00:00Z"),
        };
        for (now, verdict) in [
            ("2026-05-20T11:59:59.999999Z", Verdict::Pass),
            ("2026-05-20T12:00:00Z", Verdict::Fail),
        ] {
            let found = red("jr-1").lets_out(Some(&annex), moment(now));
            assert_eq!(found.verdict, verdict, "{now}");
        }
        let without = red("jr-1").lets_out(None, moment("2026-05-20T11:00:00Z"));
        assert_eq!(without.verdict, Verdict::Fail);
        let green = Governance::Green.lets_out(Some(&annex), moment("2026-05-20T11:00:00Z"));
        assert!(!green.evidence.contains("ANNEX"), "{}", green.evidence);
    }
}
