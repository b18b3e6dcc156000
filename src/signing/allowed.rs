//! The line by which OpenSSH itself checks our signatures.

use chrono::{DateTime, Datelike, SubsecRound, TimeDelta, Utc};

use super::{NAMESPACE, PublicKey};
use crate::clock::Moment;
use crate::rules::{Refusal, people};

/// Writes one line of an `allowed_signers` file: this person signs with this key from then to then.
///
/// Times are whole seconds in UTC, with the `Z` that OpenSSH 9.1 and later understand. Releases before it would read a
/// time without `Z` in the reader's own zone, and so say yes or no by where somebody sits; with it they refuse the
/// line, and nothing is accepted wrongly. Both ends count as valid there, so the period is rounded outward: what was
/// signed in it is accepted, whichever way the time of signing was rounded.
pub fn allowed_signer(
    person_id: &str,
    key: &PublicKey,
    from: Moment,
    to: Option<Moment>,
) -> Result<String, Refusal> {
    people::check_person_id(person_id)?;
    let begin = timestamp(second_of(from))?;
    let end = match to {
        // Where a clock was turned back in between, the moment of its beginning is all that is left of a period.
        Some(to) => format!(
            ",valid-before=\"{}\"",
            timestamp(second_from(to.max(from)))?
        ),
        None => String::new(),
    };
    Ok(format!(
        "{person_id} namespaces=\"{NAMESPACE}\",valid-after=\"{begin}\"{end} {key}"
    ))
}

fn second_of(moment: Moment) -> DateTime<Utc> {
    moment.as_datetime().trunc_subsecs(0)
}

fn second_from(moment: Moment) -> DateTime<Utc> {
    let whole = second_of(moment);
    if whole == moment.as_datetime() {
        return whole;
    }
    whole
        .checked_add_signed(TimeDelta::seconds(1))
        .unwrap_or(whole)
}

fn timestamp(second: DateTime<Utc>) -> Result<String, Refusal> {
    if (1971..=9999).contains(&second.year()) {
        return Ok(second.format("%Y%m%d%H%M%SZ").to_string());
    }
    Err(Refusal::new(
        format!("OpenSSH has no way to write the year {}", second.year()),
        "give a time between 1971 and 9999",
    ))
}

#[cfg(test)]
mod tests {
    use super::super::key::tests::MAYA;
    use super::*;

    fn line(person: &str, from: &str, to: Option<&str>) -> Result<String, Refusal> {
        let moment = |text: &str| text.parse::<Moment>().expect("a moment");
        let key = PublicKey::parse(MAYA).expect("a key");
        allowed_signer(person, &key, moment(from), to.map(moment))
    }

    #[test]
    fn a_period_is_rounded_outward() {
        assert_eq!(
            line("maya", "2026-05-14T02:14:07.9Z", None),
            Ok(format!(
                "maya namespaces=\"govdeck\",valid-after=\"20260514021407Z\" {MAYA}"
            ))
        );
        for (to, end) in [
            ("2026-05-14T02:14:09Z", "20260514021409Z"),
            ("2026-05-14T02:14:09.000001Z", "20260514021410Z"),
            ("2026-05-14T02:14:07.1Z", "20260514021408Z"),
            ("2026-12-31T23:59:59.5Z", "20270101000000Z"),
        ] {
            assert_eq!(
                line("maya", "2026-05-14T02:14:07Z", Some(to)),
                Ok(format!(
                    "maya namespaces=\"govdeck\",valid-after=\"20260514021407Z\",valid-before=\"{end}\" {MAYA}"
                ))
            );
        }
    }

    #[test]
    fn a_period_that_a_clock_turned_round_is_its_first_second() {
        let from = "2026-05-14T02:14:07Z";
        let second = "valid-after=\"20260514021407Z\",valid-before=\"20260514021407Z\"";
        for to in [from, "2026-05-14T02:14:06Z", "2020-01-01T00:00:00Z"] {
            let line = line("maya", from, Some(to)).expect("a line");
            assert!(line.contains(second), "{line}");
        }
    }

    #[test]
    fn what_openssh_would_read_otherwise_is_refused() {
        let from = "2026-05-14T02:14:07Z";
        for person in ["*", "a,b", "!maya", "a b", "", "#", "cert-authority ssh"] {
            assert!(line(person, from, None).is_err(), "{person:?} was taken");
        }
        assert!(line("maya", "1970-01-01T00:00:00Z", None).is_err());
        assert!(line("maya", from, Some("9999-12-31T23:59:59.5Z")).is_err());
    }
}
