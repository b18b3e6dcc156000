//! Conditions: what must hold before something is done, each with its verdict, evidence and fix.

use serde::Serialize;

use super::Refusal;
use super::words;

words! {
    /// The three answers; the third blocks like the second and says what is missing.
    pub enum Verdict {
        /// It holds, and something was looked at that shows it.
        Pass = "pass",
        /// It does not hold.
        Fail = "fail",
        /// Nothing was there to establish it.
        CannotTell = "cannot_tell",
    }
}

impl Verdict {
    /// Judges a fact that is known.
    #[must_use]
    pub fn of(holds: bool) -> Self {
        if holds { Self::Pass } else { Self::Fail }
    }

    /// Combines the verdicts of several conditions: any fail fails, else any unknown is unknown.
    ///
    /// No verdict at all is *cannot tell*: a gate that found nothing to check has not passed.
    pub fn all(verdicts: impl IntoIterator<Item = Verdict>) -> Self {
        verdicts
            .into_iter()
            .max_by_key(|verdict| match verdict {
                Self::Pass => 0,
                Self::CannotTell => 1,
                Self::Fail => 2,
            })
            .unwrap_or(Self::CannotTell)
    }
}

/// One thing that must hold, as it was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Condition {
    /// The condition's fixed name.
    pub id: &'static str,
    /// What was found.
    pub verdict: Verdict,
    /// Who can change it: a role or a person.
    pub owner: String,
    /// What was looked at.
    pub evidence: String,
    /// What to do when it does not hold.
    pub fix: String,
}

impl Condition {
    /// Makes a condition about a known fact.
    #[must_use]
    pub fn holds(
        id: &'static str,
        holds: bool,
        owner: impl Into<String>,
        evidence: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self {
            id,
            verdict: Verdict::of(holds),
            owner: owner.into(),
            evidence: evidence.into(),
            fix: fix.into(),
        }
    }
}

/// Sums up all conditions that do not pass, in one refusal; none when all pass.
#[must_use]
pub fn unmet(conditions: &[Condition]) -> Option<Refusal> {
    let open: Vec<&Condition> = conditions
        .iter()
        .filter(|c| c.verdict != Verdict::Pass)
        .collect();
    let sentence = open
        .iter()
        .map(|c| format!("{}: {}", c.id, c.evidence))
        .collect::<Vec<_>>()
        .join("; ");
    let hint = open
        .iter()
        .map(|c| c.fix.as_str())
        .collect::<Vec<_>>()
        .join("; ");
    (!open.is_empty()).then(|| Refusal::new(sentence, hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_combine_fail_closed() {
        use Verdict::{CannotTell, Fail, Pass};
        assert_eq!(Verdict::all([]), CannotTell);
        for a in Verdict::ALL {
            for b in Verdict::ALL {
                let expected = match (a, b) {
                    (Fail, _) | (_, Fail) => Fail,
                    (CannotTell, _) | (_, CannotTell) => CannotTell,
                    (Pass, Pass) => Pass,
                };
                assert_eq!(Verdict::all([*a, *b]), expected);
            }
        }
    }

    #[test]
    fn unmet_names_every_open_condition() {
        let pass = Condition::holds("one", true, "x", "fine", "nothing");
        let fail = Condition::holds("two", false, "x", "it is closed", "open it");
        let unknown = Condition {
            verdict: Verdict::CannotTell,
            id: "three",
            ..fail.clone()
        };
        assert_eq!(unmet(std::slice::from_ref(&pass)), None);
        let refusal = unmet(&[pass, fail, unknown]).expect("refused");
        assert_eq!(refusal.sentence, "two: it is closed; three: it is closed");
        assert_eq!(refusal.hint, "open it; open it");
    }
}
