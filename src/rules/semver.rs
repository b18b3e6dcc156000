//! Versions of schemas, dictionaries and contracts: parsed and compared as semver, never as text.

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_leading_v_is_accepted() {
        assert_eq!(parse("v2.4.0"), parse("2.4.0"));
        assert!(parse("2.9.0").ok() < parse("2.10.0").ok(), "not text order");
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
