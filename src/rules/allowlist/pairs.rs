//! Pairs: a legacy column and the modern one that takes its place.

use std::collections::BTreeSet;

use super::policy::take_text;
use super::{Phase, words};
use crate::canon::scan::{Scanner, Start};
use crate::canon::{Integers, JsonError, Reason};
use crate::rules::reconcile::fields::members_of;
use crate::rules::reconcile::quoted;

const FIELDS: [&str; 2] = ["legacy_column", "modern_column"];

words! {
    /// The two halves of a pair.
    pub enum Half {
        /// What was there before.
        Legacy = "legacy",
        /// What takes its place.
        Modern = "modern",
    }
}

impl Half {
    /// Tells whether an export must have the half in a phase.
    #[must_use]
    pub fn is_due(self, phase: Phase) -> bool {
        self == Self::Modern || phase != Phase::Cutover
    }
}

/// Names two columns by their dotted paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The legacy column.
    pub legacy: String,
    /// The modern column.
    pub modern: String,
}

impl Pair {
    /// Returns the column of a half.
    #[must_use]
    pub fn column(&self, half: Half) -> &str {
        match half {
            Half::Legacy => &self.legacy,
            Half::Modern => &self.modern,
        }
    }
}

/// Reads pairs: one strict JSON array of objects, each with its two columns; no column stands twice, and there is one pair.
pub fn read_pairs(bytes: &[u8]) -> Result<Vec<Pair>, JsonError> {
    let mut scanner = Scanner::new(bytes, Integers::Exact)?;
    let begin = scanner.at();
    if scanner.peek()? != Start::Array {
        let what = "expected an array of pairs";
        return Err(scanner.refusal(begin, Reason::Malformed, what).into());
    }
    let mut pairs = Vec::new();
    let mut columns = BTreeSet::new();
    scanner.elements(|scanner| {
        scanner.peek()?;
        let begin = scanner.at();
        let mut halves = [const { None }; FIELDS.len()];
        members_of(scanner, &FIELDS, |scanner, place| {
            scanner.peek()?;
            let at = scanner.at();
            let column = take_text(scanner, FIELDS[place])?;
            let refuse = |what| Err(scanner.refusal(at, Reason::Malformed, what));
            if column.is_empty() {
                return refuse(format!("{} is empty", FIELDS[place]));
            }
            if !columns.insert(column.clone()) {
                return refuse(format!("the column {} stands twice", quoted(&column)));
            }
            halves[place] = Some(column);
            Ok(())
        })?;
        match halves {
            [Some(legacy), Some(modern)] => {
                pairs.push(Pair { legacy, modern });
                Ok(())
            }
            [legacy, _] => {
                let missing = FIELDS[usize::from(legacy.is_some())];
                let what = format!("{missing} is missing");
                Err(scanner.refusal(begin, Reason::Malformed, what))
            }
        }
    })?;
    if pairs.is_empty() {
        let what = "an empty list of pairs";
        return Err(scanner.refusal(begin, Reason::Malformed, what).into());
    }
    scanner.finish()?;
    Ok(pairs)
}
