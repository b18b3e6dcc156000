//! The fingerprint of what exporters landed: the key sets of all exports of a folder, against the allow-list of the phase.
//!
//! A key that nobody allowed, one that is forbidden, and a half of a pair that is missing are drift. Nothing to look at, or
//! nothing to hold it against, is no pass.

use serde::Serialize;

use super::Probed;
use crate::canon::{Digest, ExportKeys, NoKeys, canonical_of};
use crate::clock::Moment;
use crate::rules::Verdict;
use crate::rules::allowlist::{Pair, Policy, Rule, judge_keys};
use crate::rules::reconcile::quoted;

/// How many findings are kept of one export.
const KEPT: usize = 100;
/// How many findings a sentence names.
const NAMED: usize = 3;

/// What an allow-list holds against one key of an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Drift {
    /// What is wrong.
    pub rule: Rule,
    /// The key; none where the export as a whole is.
    pub key: Option<String>,
}

/// An export that landed, as far as its keys tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Landed {
    /// Its name in the folder.
    pub file: String,
    /// The hash of its key set; none where it has none.
    pub keyset_sha256: Option<String>,
    /// Why nobody could read it.
    pub unread: Option<String>,
    /// The first of what the allow-list holds against it.
    pub drift: Vec<Drift>,
    /// How many more there are.
    pub further: usize,
}

impl Landed {
    fn new(file: &str) -> Self {
        Self {
            file: file.to_owned(),
            keyset_sha256: None,
            unread: None,
            drift: Vec::new(),
            further: 0,
        }
    }

    /// States that an export could not be read, and why.
    #[must_use]
    pub fn unread(file: &str, why: String) -> Self {
        Self {
            unread: Some(why),
            ..Self::new(file)
        }
    }

    /// Judges the keys of an export by an allow-list; by none where there is none, which tells no more than its key set.
    #[must_use]
    pub fn judged(
        file: &str,
        keys: Result<ExportKeys, NoKeys>,
        by: Option<(&Policy, &[Pair])>,
    ) -> Self {
        let mut landed = Self::new(file);
        match keys {
            Err(NoKeys::NoExport(_)) => landed.add(Rule::SampleInvalid, None),
            Err(NoKeys::BadKeys { told, further }) => {
                for bad in told {
                    let rule = match bad.error.reason() {
                        crate::canon::Reason::DottedKey => Rule::AmbiguousDottedKey,
                        _ => Rule::DuplicateKey,
                    };
                    landed.add(rule, Some(&bad.path));
                }
                landed.further += further.iter().map(|(_, count)| count).sum::<usize>();
            }
            Ok(keys) => {
                landed.keyset_sha256 = Some(keys.hash().to_string());
                if let Some((policy, pairs)) = by {
                    landed.judge(&keys, policy, pairs);
                }
            }
        }
        landed
    }

    fn judge(&mut self, keys: &ExportKeys, policy: &Policy, pairs: &[Pair]) {
        let found = judge_keys(policy, None, keys, pairs);
        for (rule, places) in [
            (Rule::ForbiddenKey, &found.forbidden),
            (Rule::KeyNotAllowed, &found.not_allowed),
        ] {
            for place in places {
                self.add(rule, Some(keys.path(*place as usize)));
            }
        }
        for (place, half) in &found.halves {
            let pair = pairs.get(*place as usize);
            self.add(Rule::PairHalfMissing, pair.map(|pair| pair.column(*half)));
        }
    }

    fn add(&mut self, rule: Rule, key: Option<&str>) {
        if self.drift.len() == KEPT {
            self.further += 1;
            return;
        }
        let key = key.map(str::to_owned);
        self.drift.push(Drift { rule, key });
    }

    /// Tells whether it is not as the allow-list wants it.
    #[must_use]
    pub fn drifts(&self) -> bool {
        !self.drift.is_empty() || self.further > 0
    }

    /// Says in one line what is wrong with it.
    #[must_use]
    pub fn told(&self) -> String {
        if let Some(why) = &self.unread {
            return why.clone();
        }
        let named = self.drift.iter().take(NAMED).map(|drift| match &drift.key {
            None => drift.rule.to_string(),
            Some(key) => format!("{} {}", drift.rule, quoted(key)),
        });
        let named: Vec<String> = named.collect();
        let further = self.further + self.drift.len().saturating_sub(NAMED);
        let further = match further {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        format!("{}{further}", named.join(", "))
    }
}

/// Hashes the key sets of a folder: the same however many exports have each; none where no export has one.
#[must_use]
pub fn keysets_sha256(landed: &[Landed]) -> Option<String> {
    let sets = landed.iter().filter_map(|it| it.keyset_sha256.as_deref());
    let sets: std::collections::BTreeSet<&str> = sets.collect();
    if sets.is_empty() {
        return None;
    }
    let bytes = canonical_of(&("keysets", sets)).ok()?;
    Some(Digest::of(&bytes).to_string())
}

/// Judges what landed: by an allow-list that two agreed on, else says what is missing.
#[must_use]
pub fn fingerprinted(allowlist: Result<(), &str>, landed: &[Landed]) -> Probed {
    if landed.is_empty() {
        return Probed::cannot_tell("no export has landed: nothing was looked at");
    }
    if let Err(why) = allowlist {
        return Probed::cannot_tell(why);
    }
    let drifted: Vec<&Landed> = landed.iter().filter(|it| it.drifts()).collect();
    let unread: Vec<&Landed> = landed.iter().filter(|it| it.unread.is_some()).collect();
    let verdict = match (drifted.as_slice(), unread.as_slice()) {
        ([_, ..], _) => Verdict::Fail,
        ([], [_, ..]) => Verdict::CannotTell,
        ([], []) => Verdict::Pass,
    };
    let total = landed.len();
    let good = total - drifted.len() - unread.len();
    let mut detail = format!("{good} of {total} exports are as the allow-list wants them");
    if let Some(worst) = drifted.first().or(unread.first()) {
        detail = format!("{detail}; {}: {}", worst.file, worst.told());
    }
    let missing = drifted.iter().chain(&unread);
    Probed {
        verdict,
        looked_for: total,
        missing: missing.map(|it| it.file.clone()).collect(),
        detail,
    }
}

/// A fingerprint that was taken of a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint<'a> {
    /// The folder.
    pub folder: &'a str,
    /// The hash of its key sets.
    pub sha256: &'a str,
    /// When it was taken.
    pub at: Moment,
}

/// Lists when a folder's fingerprint was another than the one before it, of fingerprints in their order; the first of a
/// folder changes nothing.
#[must_use]
pub fn changes(taken: &[Fingerprint<'_>]) -> Vec<Moment> {
    let mut newest = std::collections::BTreeMap::new();
    let mut changes = Vec::new();
    for it in taken {
        let before = newest.insert(it.folder, it.sha256);
        if before.is_some_and(|before| before != it.sha256) {
            changes.push(it.at);
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> Policy {
        let document = br#"{"migration_id":"m","phase":"dual_write","from_semver":"2.4.0","to_semver":"2.4.1",
            "allowed_top_level_keys":["old","new"],"nested_paths_allowed":[],"forbidden_exact_keys":["dead"],
            "protected_metric_ids":[]}"#;
        Policy::read(document).expect("a policy")
    }

    fn landed(file: &str, json: &str) -> Landed {
        let pairs = [Pair {
            legacy: "old".to_owned(),
            modern: "new".to_owned(),
        }];
        let keys = ExportKeys::of(json.as_bytes());
        Landed::judged(file, keys, Some((&policy(), &pairs)))
    }

    #[test]
    fn drift_is_named_by_its_keys() {
        for (json, told) in [
            (r#"{"old":1,"new":2}"#, ""),
            (r#"[{"old":1},{"new":2}]"#, ""),
            (r#"{"old":1}"#, "pair_half_missing \"new\""),
            (
                r#"{"old":1,"new":2,"dead":3,"x":{"y":1}}"#,
                "forbidden_key \"dead\", key_not_allowed \"x.y\"",
            ),
            (r#"{"old":1,"new":2,"old":3}"#, "duplicate_key \"old\""),
            (r#"{"old.a":1}"#, "ambiguous_dotted_key \"old.a\""),
            ("[]", "sample_invalid"),
            ("{", "sample_invalid"),
            ("", "sample_invalid"),
        ] {
            let export = landed("a.json", json);
            assert_eq!(export.told(), told, "{json}");
            assert_eq!(export.drifts(), !told.is_empty(), "{json}");
        }
    }

    #[test]
    fn many_findings_are_counted_and_some_are_kept() {
        let keys: Vec<String> = (0..250).map(|at| format!("\"k{at}\":1")).collect();
        let json = format!("{{\"old\":1,\"new\":1,{}}}", keys.join(","));
        let export = landed("a.json", &json);
        assert_eq!((export.drift.len(), export.further), (KEPT, 150));
        assert!(
            export.told().ends_with(" and 247 more"),
            "{}",
            export.told()
        );
    }

    #[test]
    fn nothing_to_look_at_or_to_hold_it_against_is_no_pass() {
        let good = landed("a.json", r#"{"old":1,"new":2}"#);
        let bad = landed("b.json", r#"{"old":1}"#);
        let unread = Landed::unread("c.json", "it is gone".to_owned());
        let judge = |all: &[&Landed]| {
            let all: Vec<Landed> = all.iter().map(|it| (*it).clone()).collect();
            fingerprinted(Ok(()), &all)
        };
        assert_eq!(judge(&[]).verdict, Verdict::CannotTell);
        assert_eq!(judge(&[&good]).verdict, Verdict::Pass);
        assert_eq!(judge(&[&good, &unread]).verdict, Verdict::CannotTell);
        assert_eq!(judge(&[&unread]).verdict, Verdict::CannotTell);
        let found = judge(&[&good, &unread, &bad]);
        assert_eq!(found.verdict, Verdict::Fail);
        assert_eq!(found.missing, ["b.json", "c.json"]);
        assert_eq!(
            found.detail,
            "1 of 3 exports are as the allow-list wants them; b.json: pair_half_missing \"new\""
        );
        let without = fingerprinted(Err("no allow-list"), &[good]);
        assert_eq!(without.verdict, Verdict::CannotTell);
    }

    #[test]
    fn a_fingerprint_tells_key_sets_apart_and_not_how_many_have_each() {
        let one = landed("a.json", r#"{"old":1,"new":2}"#);
        let same = landed("b.json", r#"{"old":3,"new":4}"#);
        let other = landed("c.json", r#"{"old":1}"#);
        let of = |all: &[&Landed]| {
            let all: Vec<Landed> = all.iter().map(|it| (*it).clone()).collect();
            keysets_sha256(&all)
        };
        assert_eq!(of(&[&one]), of(&[&same, &one]));
        assert_ne!(of(&[&one]), of(&[&one, &other]));
        assert_eq!(of(&[&one, &other]), of(&[&other, &one]));
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[&landed("d.json", "{")]), None);
    }

    #[test]
    fn a_change_is_one_of_the_same_folder() {
        let at = |minute: u32| -> Moment {
            let text = format!("2026-05-14T00:{minute:02}:00Z");
            text.parse().expect("a moment")
        };
        let taken: Vec<Fingerprint<'_>> =
            [("a", "1"), ("b", "2"), ("a", "1"), ("b", "1"), ("b", "2")]
                .iter()
                .zip(0..)
                .map(|((folder, sha256), minute)| Fingerprint {
                    folder,
                    sha256,
                    at: at(minute),
                })
                .collect();
        assert_eq!(changes(&taken), [at(3), at(4)]);
        assert!(changes(&taken[..3]).is_empty());
        assert!(changes(&[]).is_empty());
    }
}
