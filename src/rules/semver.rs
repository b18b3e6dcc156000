//! Versions of schemas, dictionaries and contracts: parsed and compared as semver, never as text.

use std::cmp::Ordering;

use super::{Refusal, text};

/// Reads a version, with or without one leading `v`.
pub fn parse(version: &str) -> Result<semver::Version, Refusal> {
    let bare = version.strip_prefix('v').unwrap_or(version);
    semver::Version::parse(bare).map_err(|error| {
        Refusal::new(
            format!("{:?} is no version: {error}", text::shorten(version, 40)),
            "write it as 2.4.0 or v2.4.0",
        )
    })
}

/// Compares two versions by precedence; build metadata does not count.
pub fn compare(left: &str, right: &str) -> Result<Ordering, Refusal> {
    Ok(parse(left)?.cmp_precedence(&parse(right)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn precedence_is_not_text_order() {
        for (left, right, order) in [
            ("2.9.0", "2.10.0", Ordering::Less),
            ("v2.4.0", "2.4.0", Ordering::Equal),
            ("2.4.0+one", "2.4.0+two", Ordering::Equal),
            ("2.4.0-rc.1", "2.4.0", Ordering::Less),
            ("10.0.0", "9.9.9", Ordering::Greater),
        ] {
            assert_eq!(compare(left, right), Ok(order), "{left} {right}");
        }
    }

    #[test]
    fn what_is_no_version_is_refused() {
        for text in [
            "", "v", "vv1.0.0", "1", "1.0", "01.0.0", "1.0.0 ", "V1.0.0", "1.0.x",
        ] {
            assert!(parse(text).is_err(), "{text:?} was taken");
        }
    }
}
