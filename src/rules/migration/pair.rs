//! Names of columns that are kept in pairs: what may be one, and which of them would be taken for the same.

use std::collections::BTreeSet;
use std::fmt;

/// How many bytes a name may have, so that every name made of it still fits into 63.
pub const MOST_BYTES: usize = 56;

/// What is wrong with a pair of names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairFault {
    /// The name.
    pub name: String,
    /// What is wrong with it.
    pub what: &'static str,
}

impl fmt::Display for PairFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{:?} {}",
            crate::rules::text::shorten(&self.name, 60),
            self.what
        )
    }
}

/// Says what is wrong with a name; names are always quoted, so that quotes, dots and keywords are no fault.
#[must_use]
pub fn identifier_fault(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        Some("is empty")
    } else if name.len() > MOST_BYTES {
        Some("has more than 56 bytes")
    } else if name.chars().any(char::is_control) {
        Some("has a control character in it")
    } else {
        None
    }
}

/// Lists what is wrong with pairs that are kept at the same time: each name is there once, ignoring ASCII case, among the
/// columns and among the names that the views make of them.
#[must_use]
pub fn faults_of_pairs(pairs: &[(&str, &str)], others: &[&str]) -> Vec<PairFault> {
    let mut faults = Vec::new();
    let mut seen: BTreeSet<String> = others
        .iter()
        .map(|name| name.to_ascii_lowercase())
        .collect();
    let mut made: BTreeSet<String> = BTreeSet::new();
    for name in [
        "dictionary_metric_id",
        "dimension_filter_id",
        "owning_squad",
        "dual_write_health",
    ] {
        made.insert(name.to_owned());
    }
    for (legacy, modern) in pairs {
        for name in [legacy, modern] {
            let fault = identifier_fault(name);
            let twice = !seen.insert(name.to_ascii_lowercase());
            let what = fault.or(twice.then_some("is there twice, ignoring case"));
            faults.extend(what.map(|what| PairFault {
                name: (*name).to_owned(),
                what,
            }));
        }
        for name in [format!("{legacy}_legacy"), format!("{legacy}_modern")] {
            if !made.insert(name.to_ascii_lowercase()) {
                let what = "is the name of two columns of the view, ignoring case";
                faults.push(PairFault { name, what });
            }
        }
    }
    faults
}
