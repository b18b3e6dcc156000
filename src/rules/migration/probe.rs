//! What two probes found: whether every question binds, and whether every protected metric is in both joins.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::rules::Verdict;

/// How many ids a sentence names.
const NAMED: usize = 5;

/// What a probe found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Probed {
    /// Whether it holds.
    pub verdict: Verdict,
    /// How many were looked for.
    pub looked_for: usize,
    /// Those that were not found.
    pub missing: Vec<String>,
    /// What was found, in one line.
    pub detail: String,
}

impl AsRef<Self> for Probed {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl Probed {
    /// Says that nobody can tell, and why.
    #[must_use]
    pub fn cannot_tell(why: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::CannotTell,
            looked_for: 0,
            missing: Vec::new(),
            detail: why.into(),
        }
    }

    /// Judges what was looked for: nothing proves nothing.
    fn judged(what: &str, looked_for: usize, missing: Vec<String>) -> Self {
        let detail = match missing.as_slice() {
            [] => format!("{looked_for} of {looked_for} {what}"),
            some => {
                let named: Vec<&str> = some.iter().take(NAMED).map(String::as_str).collect();
                let found = looked_for.saturating_sub(some.len());
                format!("{found} of {looked_for} {what}; not {}", named.join(", "))
            }
        };
        Self {
            verdict: Verdict::of(missing.is_empty()),
            looked_for,
            missing,
            detail,
        }
    }
}

/// Judges the probe of questions: how many are active, and which of them bind to no row of the view.
#[must_use]
pub fn questions_bind(active: usize, misses: Vec<String>) -> Probed {
    if active == 0 {
        return Probed::cannot_tell("no question is active: nothing was probed");
    }
    Probed::judged("questions bind", active, misses)
}

/// The metrics that the joins of one surface give; or why one of them did not run.
pub type Joined<'a> = (&'a str, Result<BTreeSet<&'a str>, &'a str>);

/// Judges the search for protected metrics in the joins of both surfaces.
#[must_use]
pub fn protected_are_joined(protected: &[&str], surfaces: &[Joined<'_>]) -> Probed {
    if protected.is_empty() {
        return Probed::cannot_tell("no metric is protected: nothing was looked for");
    }
    let mut missing = BTreeSet::new();
    for (surface, joined) in surfaces {
        match joined {
            Err(why) => {
                return Probed::cannot_tell(format!("a join of {surface} did not run: {why}"));
            }
            Ok(metrics) if metrics.is_empty() => {
                return Probed::cannot_tell(format!("no join of {surface} gives a metric"));
            }
            Ok(metrics) => {
                let gone = protected.iter().filter(|id| !metrics.contains(**id));
                missing.extend(gone.map(|id| (*id).to_owned()));
            }
        }
    }
    if surfaces.len() < 2 {
        return Probed::cannot_tell("joins of both surfaces are needed");
    }
    let missing = missing.into_iter().collect();
    Probed::judged(
        "protected metrics are in both joins",
        protected.len(),
        missing,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(probed: &Probed) -> (Verdict, &str) {
        (probed.verdict, &probed.detail)
    }

    #[test]
    fn no_question_proves_nothing_and_one_that_misses_fails() {
        let none = questions_bind(0, Vec::new());
        assert_eq!(none.verdict, Verdict::CannotTell);
        let all = questions_bind(2, Vec::new());
        assert_eq!(told(&all), (Verdict::Pass, "2 of 2 questions bind"));
        let one = questions_bind(2, vec!["faq-1".to_owned()]);
        assert_eq!(
            told(&one),
            (Verdict::Fail, "1 of 2 questions bind; not faq-1")
        );
    }

    #[test]
    fn a_protected_metric_is_in_both_joins_or_the_search_fails() {
        let set = |ids: &[&'static str]| Ok(ids.iter().copied().collect());
        let found = |surfaces: &[Joined<'_>]| protected_are_joined(&["A", "B"], surfaces);
        let both = [
            ("leadership", set(&["A", "B", "C"])),
            ("partner_annex", set(&["B", "A"])),
        ];
        assert_eq!(found(&both).verdict, Verdict::Pass);
        let one = [
            ("leadership", set(&["A", "B"])),
            ("partner_annex", set(&["B"])),
        ];
        let said = "1 of 2 protected metrics are in both joins; not A";
        assert_eq!(told(&found(&one)), (Verdict::Fail, said));
        for broken in [
            vec![
                ("leadership", set(&["A", "B"])),
                ("partner_annex", Err("no such table")),
            ],
            vec![
                ("leadership", set(&["A", "B"])),
                ("partner_annex", set(&[])),
            ],
            vec![("leadership", set(&["A", "B"]))],
            vec![],
        ] {
            assert_eq!(found(&broken).verdict, Verdict::CannotTell, "{broken:?}");
        }
        assert_eq!(
            protected_are_joined(&[], &both).verdict,
            Verdict::CannotTell
        );
    }
}
