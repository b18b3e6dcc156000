//! When a dictionary may be released: its version is newer, and no id comes to mean something else.

use super::{Change, ChangeKind};
use crate::rules::{Condition, Refusal, semver};

/// The most metrics that one release changes; more are several releases.
pub const MOST_CHANGES: usize = 5_000;

/// How many metrics a sentence names.
const NAMED: usize = 5;

/// A release's version: a `v` in front and the build at the end say nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version(::semver::Version);

/// Reads a release's version.
pub fn version(text: &str) -> Result<Version, Refusal> {
    let mut version = semver::parse(text)?;
    version.build = ::semver::BuildMetadata::EMPTY;
    let fits = |part: u64| i64::try_from(part).is_ok();
    if [version.major, version.minor, version.patch]
        .into_iter()
        .all(fits)
    {
        return Ok(Version(version));
    }
    Err(Refusal::new(
        "a part of the version is too large",
        "write it as 2.4.0 or v2.4.0",
    ))
}

impl Version {
    /// Writes it as it is stored.
    #[must_use]
    pub fn text(&self) -> String {
        self.0.to_string()
    }

    /// Returns its three numbers, and what stands after a hyphen.
    #[must_use]
    pub fn parts(&self) -> ([i64; 3], &str) {
        let part = |part: u64| i64::try_from(part).unwrap_or(i64::MAX);
        let it = &self.0;
        ([it.major, it.minor, it.patch].map(part), it.pre.as_str())
    }

    /// Tells whether it comes after another.
    #[must_use]
    pub fn is_after(&self, other: &Self) -> bool {
        self.0.cmp_precedence(&other.0).is_gt()
    }
}

/// Lists what must hold before a dictionary is released after the newest one.
#[must_use]
pub fn may_release(
    version: &Version,
    newest: Option<&Version>,
    changes: &[Change],
) -> Vec<Condition> {
    let touched = touched(changes);
    let owner = "analytics_owner";
    let before = newest.map_or("nothing".to_owned(), Version::text);
    vec![
        Condition::holds(
            "newer",
            newest.is_none_or(|newest| version.is_after(newest)),
            owner,
            format!("{} after {before}", version.text()),
            "choose a version after the newest release, by the rules of semver",
        ),
        unchanged(
            "ids_kept",
            changes,
            ChangeKind::Removed,
            "list it again, with a deprecated_after",
        ),
        unchanged(
            "same_meaning",
            changes,
            ChangeKind::Redefined,
            "a changed meaning takes a new id; deprecate this one",
        ),
        unchanged(
            "not_revived",
            changes,
            ChangeKind::Revived,
            "what was deprecated stays so; add a new id",
        ),
        Condition::holds(
            "says_something",
            touched > 0,
            owner,
            format!("{touched} metrics change"),
            "a release changes something",
        ),
        Condition::holds(
            "size",
            touched <= MOST_CHANGES,
            owner,
            format!("{touched} of at most {MOST_CHANGES} metrics change"),
            "release it in several steps",
        ),
    ]
}

/// Counts the metrics to which something happens.
fn touched(changes: &[Change]) -> usize {
    changes
        .chunk_by(|one, next| one.metric_id == next.metric_id)
        .count()
}

fn unchanged(id: &'static str, changes: &[Change], kind: ChangeKind, fix: &str) -> Condition {
    let found: Vec<String> = changes
        .iter()
        .filter(|change| change.kind == kind)
        .map(|change| match change.field {
            Some(field) => format!("{} {field}", change.metric_id),
            None => change.metric_id.clone(),
        })
        .collect();
    let evidence = match found.len() {
        0 => format!("none {kind}"),
        count if count <= NAMED => format!("{kind}: {}", found.join(", ")),
        count => format!(
            "{kind}: {} and {} more",
            found[..NAMED].join(", "),
            count - NAMED
        ),
    };
    Condition::holds(id, found.is_empty(), "analytics_owner", evidence, fix)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Verdict;

    fn change(id: &str, kind: ChangeKind) -> Change {
        Change {
            metric_id: id.into(),
            kind,
            field: None,
            before: None,
            after: None,
        }
    }

    fn unmet(next: &str, newest: Option<&str>, changes: &[Change]) -> Vec<&'static str> {
        let read = |text| version(text).expect("a version");
        let newest = newest.map(read);
        may_release(&read(next), newest.as_ref(), changes)
            .into_iter()
            .filter(|condition| condition.verdict != Verdict::Pass)
            .map(|condition| condition.id)
            .collect()
    }

    #[test]
    fn a_release_comes_after_the_newest_by_semver() {
        let added = [change("A", ChangeKind::Added)];
        for (next, newest, holds) in [
            ("0.1.0", None, true),
            ("v2.10.0", Some("2.9.0"), true),
            ("2.4.0", Some("2.4.0"), false),
            ("2.4.0+b", Some("2.4.0+a"), false),
            ("2.4.0", Some("2.4.0-rc.1"), true),
            ("2.4.0-rc.2", Some("2.4.0-rc.10"), false),
            ("2.3.9", Some("2.4.0"), false),
            ("3.0.0", Some("2.4.0"), true),
        ] {
            let open = unmet(next, newest, &added);
            assert_eq!(open.is_empty(), holds, "{next} after {newest:?}: {open:?}");
        }
        assert!(version("99999999999999999999.0.0").is_err());
        assert!(version("9999999999999999999.0.0").is_err(), "no i64");
    }

    #[test]
    fn every_kind_of_change_is_allowed_or_named() {
        for kind in ChangeKind::ALL {
            let open = unmet("1.1.0", Some("1.0.0"), &[change("A", *kind)]);
            assert_eq!(open.is_empty(), !kind.is_refused(), "{kind}: {open:?}");
        }
        assert_eq!(unmet("1.1.0", Some("1.0.0"), &[]), ["says_something"]);
    }

    #[test]
    fn metrics_are_counted_once_however_much_happens_to_them() {
        let ids: Vec<String> = (0..=MOST_CHANGES).map(|n| format!("{n:05}")).collect();
        let twice = |id: &String| {
            [
                change(id, ChangeKind::Relabelled),
                change(id, ChangeKind::Retoleranced),
            ]
        };
        let most: Vec<_> = ids[1..].iter().flat_map(twice).collect();
        assert!(unmet("1.1.0", None, &most).is_empty());
        let more: Vec<_> = ids.iter().flat_map(twice).collect();
        assert_eq!(unmet("1.1.0", None, &more), ["size"]);
    }
}
