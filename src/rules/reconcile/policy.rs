//! The policy: how far each metric's sides may lie apart, and the newest footer that the contract knows.

use std::borrow::Cow;

use super::RejectReason;
use super::decimal::Decimal;
use super::epsilons::Epsilons;
use super::fault::{Fault, quoted};
use super::fields::{read_object, text_or_null};
use super::order::{Ids, MOST_RUNS, SOON, at_once, sort_by_id};
use crate::canon::scan::{Scan, Scanner, Start, Text};
use crate::rules::semver;

const FIELDS: [&str; 3] = ["epsilon_policy_version", "contract_max_semver", EPSILON];

const EPSILON: &str = "epsilon";

/// Holds a policy; what cannot be read of it is a fault that rejects.
#[derive(Debug, Clone)]
pub struct Policy {
    /// What it says besides the epsilons; nothing when it is no policy at all.
    pub(super) said: Option<Said>,
    pub(super) epsilons: Result<Epsilons, Fault>,
}

/// The texts of a policy.
#[derive(Debug, Clone)]
pub(super) struct Said {
    pub(super) epsilon_policy_version: Option<String>,
    pub(super) contract_max_semver: Option<String>,
}

impl Policy {
    /// Reads a policy: one strict JSON object, no other fields, each epsilon a text. The text is not needed any more.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Self {
        let mut texts = [None, None];
        let mut found = None;
        let read = read_object(bytes, &FIELDS, |scanner, place| {
            if let Some(text) = texts.get_mut(place) {
                *text = text_or_null(scanner, FIELDS[place])?;
            } else if scanner.peek()? == Start::Object {
                found = Some(read_epsilons(scanner)?);
            } else {
                let what = "is no object of decimals by metric";
                found = Some(Err(Fault::of_field(EPSILON, what)));
                scanner.skip()?;
            }
            Ok(())
        });
        if let Err(error) = read {
            return Self {
                said: None,
                epsilons: Err(error.into()),
            };
        }
        let [epsilon_policy_version, contract_max_semver] = texts;
        let missing = || Err(Fault::of_field(EPSILON, "is missing"));
        Self {
            said: Some(Said {
                epsilon_policy_version,
                contract_max_semver,
            }),
            epsilons: found.unwrap_or_else(missing),
        }
    }

    /// Returns how many metrics have an epsilon.
    #[must_use]
    pub fn metrics(&self) -> u64 {
        self.epsilons.as_ref().map_or(0, Epsilons::metrics)
    }

    /// Checks that it is a whole policy of a version, and returns for how many metrics it has an epsilon.
    pub fn checked(&self, version: &str) -> Result<u64, String> {
        let about = |fault: &Fault| fault.clone().rejects(RejectReason::EpsilonInvalid, "it");
        let epsilons = self.epsilons.as_ref();
        let epsilons = epsilons.map_err(|fault| about(fault).to_string())?;
        let said = self.said.as_ref();
        match said.and_then(|said| said.epsilon_policy_version.as_deref()) {
            Some(named) if named == version => {}
            Some(named) => return Err(format!("it is of the version {}", quoted(named))),
            None => return Err("it names no version".to_owned()),
        }
        let newest = said.and_then(|said| said.contract_max_semver.as_deref());
        semver::parse(newest.unwrap_or_default())
            .map_err(|refusal| format!("contract_max_semver: {}", refusal.sentence))?;
        Ok(epsilons.metrics())
    }
}

/// Reads the epsilons that come next. Ids in order, or in some stretches that are, are taken as they come.
fn read_epsilons(scanner: &mut Scanner<'_>) -> Scan<Result<Epsilons, Fault>> {
    let (mut runs, mut fault) = (vec![Epsilons::default()], None);
    let mut places = Vec::new();
    scanner.members(|scanner, id| {
        // The reader takes no text whose offsets do not fit.
        places.push(u32::try_from(id.at).unwrap_or(u32::MAX));
        match take_epsilon(scanner)? {
            Ok(text) => add_to_runs(&mut runs, &id.text, &text),
            Err(wrong) => fault = fault.take().or(Some(wrong)),
        }
        Ok(())
    })?;
    if let Some(fault) = fault {
        return Ok(Err(fault));
    }
    match Epsilons::joined(runs) {
        Some(epsilons) => Ok(Ok(epsilons)),
        None => in_order_of_ids(scanner, places),
    }
}

/// Adds a metric to the last stretch, or begins another; of too many none is kept.
fn add_to_runs(runs: &mut Vec<Epsilons>, id: &str, text: &str) {
    if runs.last().is_some_and(|last| !last.may_follow(id)) {
        if runs.len() == MOST_RUNS {
            runs.clear();
        } else {
            runs.push(Epsilons::default());
        }
    }
    if let Some(last) = runs.last_mut() {
        last.push(id, text);
    }
}

/// Takes one epsilon's text, or says why it is none.
fn take_epsilon<'a>(scanner: &mut Scanner<'a>) -> Scan<Result<Cow<'a, str>, Fault>> {
    let text = scanner.text().as_bytes();
    if scanner.peek()? != Start::String {
        let what = "an epsilon is a text, like \"0.005\"";
        let fault = Fault::at(text, scanner.at(), what);
        scanner.skip()?;
        return Ok(Err(fault));
    }
    let taken = scanner.string()?;
    let wrong = match Decimal::parse(&taken.text) {
        Ok(value) if !value.is_negative() => return Ok(Ok(taken.text)),
        Ok(_) => format!("the epsilon {} is below zero", quoted(&taken.text)),
        Err(error) => format!(
            "the epsilon {} is no plain decimal: {error}",
            quoted(&taken.text)
        ),
    };
    Ok(Err(Fault::at(text, taken.at, wrong)))
}

/// The members of an object by the places of their keys.
struct Members<'a>(&'a Scanner<'a>);

impl<'a> Members<'a> {
    /// Reads a member that was read before.
    fn at(&self, at: u32) -> Scan<(Text<'a>, Text<'a>)> {
        let mut scanner = self.0.back_at(at as usize);
        let id = scanner.key()?;
        scanner.peek()?;
        Ok((id, scanner.string()?))
    }

    /// Takes epsilons from places in the order of their ids.
    fn taken(&self, places: &[u32]) -> Scan<Result<Epsilons, Fault>> {
        let mut epsilons = Epsilons::default();
        for near in places.chunks(SOON) {
            self.bring_near(near);
            for at in near {
                let (id, epsilon) = self.at(*at)?;
                if !epsilons.may_follow(&id.text) {
                    return Ok(Err(self.twice(&id)));
                }
                epsilons.push(&id.text, &epsilon.text);
            }
        }
        Ok(Ok(epsilons))
    }

    fn twice(&self, id: &Text<'_>) -> Fault {
        let what = format!("the metric {} stands twice", quoted(&id.text));
        Fault::at(self.0.text().as_bytes(), id.at, what)
    }
}

impl Ids for Members<'_> {
    fn id(&self, at: u32) -> Cow<'_, str> {
        let id = self.0.back_at(at as usize).string();
        id.map(|id| id.text).unwrap_or_default()
    }

    fn byte(&self, at: u32) -> u8 {
        let text = self.0.text().as_bytes();
        text.get(at as usize).copied().unwrap_or(0)
    }
}

/// Reads epsilons that come in any order; every text was checked before.
fn in_order_of_ids(scanner: &Scanner<'_>, mut places: Vec<u32>) -> Scan<Result<Epsilons, Fault>> {
    let members = Members(scanner);
    sort_by_id(&mut places, &members);
    let (first, second) = places.split_at(places.len() / 2);
    let (epsilons, further) = at_once(|| members.taken(first), || members.taken(second));
    let mut epsilons = match epsilons? {
        Ok(epsilons) => epsilons,
        Err(fault) => return Ok(Err(fault)),
    };
    let further = further?;
    // What stands twice on both sides of the middle comes before what stands twice behind it.
    if let (Some(last), Some(next)) = (first.last(), second.first())
        && members.id(*last) == members.id(*next)
    {
        return Ok(Err(members.twice(&members.at(*next)?.0)));
    }
    Ok(further.map(|further| {
        epsilons.append(&further);
        epsilons.shrink();
        epsilons
    }))
}

#[cfg(test)]
mod tests {
    use super::super::RejectReason;
    use super::*;

    fn epsilons(text: &str) -> Result<Vec<(String, String)>, String> {
        let policy = Policy::read(text.as_bytes());
        let told = |fault: Fault| fault.rejects(RejectReason::EpsilonInvalid, "p").to_string();
        let found = policy.epsilons.map_err(told)?;
        let mut cursor = found.walk();
        let ids = ["", "\"", "a", "b", "c", "é"];
        let mut all = Vec::new();
        for id in ids {
            all.extend(
                cursor
                    .seek(id)
                    .map(|(text, _)| (id.to_owned(), text.to_owned())),
            );
        }
        assert_eq!(cursor.finish(), 0);
        Ok(all)
    }

    #[test]
    fn epsilons_are_read_in_any_order() {
        let owned = |(id, text): (&str, &str)| (id.to_owned(), text.to_owned());
        let wanted = Ok([("\"", "0"), ("a", "1.50"), ("b", "1.50"), ("é", "-0")]
            .map(owned)
            .to_vec());
        for text in [
            r#"{"epsilon": {"\"":"0","a":"1.50","b":"1.50","é":"-0"}}"#,
            r#"{"epsilon": {"é":"-0","b":"1.5\u0030","a":"1.50","\u0022":"0"}}"#,
        ] {
            assert_eq!(epsilons(text), wanted, "{text}");
        }
        assert_eq!(epsilons(r#"{"epsilon":{}}"#), Ok(Vec::new()));
        let policy = Policy::read(
            br#"{"epsilon":{"b":"1","a":"2"},"contract_max_semver":"v2.4.0","epsilon_policy_version":null}"#,
        );
        assert_eq!(policy.metrics(), 2);
        let said = policy.said.expect("it says something");
        assert_eq!(said.contract_max_semver.as_deref(), Some("v2.4.0"));
        assert_eq!(said.epsilon_policy_version, None);
    }

    #[test]
    fn what_is_no_policy_is_refused_in_place() {
        for (text, said) in [
            ("", "p, line 1, column 1: no JSON text"),
            ("[]", "p, line 1, column 1: expected an object"),
            ("{}", "p, epsilon: is missing"),
            (r#"{"epsilon":null}"#, "p, epsilon: is no object"),
            (r#"{"epsilon":[{"a":"1"}]}"#, "p, epsilon: is no object"),
            (
                r#"{"epsilon":{"a":0.5}}"#,
                "p, line 1, column 17: an epsilon is a text",
            ),
            (
                r#"{"epsilon":{"a":{"b":"1"}}}"#,
                "p, line 1, column 17: an epsilon is a text",
            ),
            (
                r#"{"epsilon":{"a":"1e-3"}}"#,
                "p, line 1, column 17: the epsilon \"1e-3\" is no plain decimal: an exponent",
            ),
            (
                r#"{"epsilon":{"a":""}}"#,
                "p, line 1, column 17: the epsilon \"\" is no plain decimal: it is empty",
            ),
            (
                r#"{"epsilon":{"a":"-0.1"}}"#,
                "p, line 1, column 17: the epsilon \"-0.1\" is below zero",
            ),
            (
                "{\"epsilon\":{\"a\":\"1\",\n\"\\u0061\":\"1\"}}",
                "p, line 2, column 1: the metric \"a\" stands twice",
            ),
            (
                r#"{"epsilon":{"b":"1","a":"1","b":"x"}}"#,
                "p, line 1, column 33: the epsilon \"x\"",
            ),
            (
                r#"{"epsilon":{},"epsilon":{}}"#,
                "p, line 1, column 15: duplicate key",
            ),
            (
                r#"{"epsilon":{},"default":"1"}"#,
                "p, line 1, column 15: an unknown field \"default\"",
            ),
            (
                r#"{"epsilon":{},"contract_max_semver":2}"#,
                "p, line 1, column 37: contract_max_semver is no text",
            ),
        ] {
            let found = epsilons(text).expect_err(text);
            assert!(found.starts_with(said), "{text}: {found}");
        }
    }
}
