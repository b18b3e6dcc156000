//! A policy repeats the epsilons of a release: they are written once, in the dictionary.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Document;
use crate::canon::{self, Digest};
use crate::rules::{Condition, Refusal, Verdict};

#[derive(Serialize)]
struct Policy<'a> {
    epsilon_policy_version: &'a str,
    contract_max_semver: &'a str,
    epsilon: BTreeMap<&'a str, &'a str>,
}

/// What of a policy's document is held against a release.
#[derive(Deserialize)]
struct Repeated {
    epsilon: BTreeMap<String, String>,
}

/// Makes the document of a policy from a release.
pub fn policy_document(
    version: &str,
    contract_max_semver: &str,
    dictionary: &Document,
) -> Result<Vec<u8>, Refusal> {
    canonical(&Policy {
        epsilon_policy_version: version,
        contract_max_semver,
        epsilon: dictionary.epsilons(),
    })
}

/// Hashes the epsilons of a dictionary by metric, so that a policy can be held against the release it was made of.
pub fn epsilons_hash(dictionary: &Document) -> Result<Digest, Refusal> {
    Ok(Digest::of(&canonical(&dictionary.epsilons())?))
}

/// Hashes the epsilons of a policy's document in the same way; none where it has none.
#[must_use]
pub fn epsilons_hash_of(document: &[u8]) -> Option<Digest> {
    let policy: Repeated = serde_json::from_slice(document).ok()?;
    Some(Digest::of(&canonical(&policy.epsilon).ok()?))
}

fn canonical(what: &impl Serialize) -> Result<Vec<u8>, Refusal> {
    canon::canonical_of(what).map_err(|error| {
        Refusal::new(
            format!("the epsilons have no canonical form: {error}"),
            "report this as a bug",
        )
    })
}

/// States that the epsilons of a policy are those of a release, to the letter.
#[must_use]
pub fn repeats_the_release(
    release: &str,
    of_release: Option<&str>,
    of_policy: Option<&str>,
) -> Condition {
    let (verdict, evidence) = match (of_release, of_policy) {
        (None, _) => (
            Verdict::CannotTell,
            format!("the dictionary was never released as {release}"),
        ),
        (_, None) => (Verdict::CannotTell, "it has no epsilons".to_owned()),
        (Some(theirs), Some(ours)) if theirs == ours => (
            Verdict::Pass,
            format!("the epsilons are those of {release}"),
        ),
        _ => (
            Verdict::Fail,
            format!("the epsilons are not those of {release}"),
        ),
    };
    Condition {
        id: "release",
        verdict,
        owner: "analytics_owner".to_owned(),
        evidence,
        fix: "let it be made of the release: govdeck policy propose --release".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{AggregationRule, EpsilonClass, Metric};
    use super::*;

    fn dictionary(epsilon: &str, label: &str) -> Document {
        let metric = Metric {
            metric_id: "MET-0144".into(),
            definition: "Breaches of the agreed time".into(),
            formula: "count(breach)".into(),
            unit: "count".into(),
            aggregation_rule: AggregationRule::Sum,
            epsilon_class: EpsilonClass::Count,
            epsilon_abs: epsilon.into(),
            display_label: label.into(),
            deprecated_after: None,
        };
        Document::of("2.4.0".into(), vec![metric])
    }

    #[test]
    fn a_policy_made_of_a_release_hashes_like_it() {
        let release = dictionary("0.5", "Breaches");
        let policy = policy_document("eps-8", "1.4.0", &release).expect("a document");
        let hash = epsilons_hash(&release).expect("a hash");
        assert_eq!(epsilons_hash_of(&policy), Some(hash));
        let checked = crate::rules::reconcile::Policy::read(&policy).checked("eps-8");
        assert_eq!(checked, Ok(1));
        let relabelled = epsilons_hash(&dictionary("0.5", "Late"));
        assert_eq!(relabelled.ok(), Some(hash), "labels say nothing");
        let other = epsilons_hash(&dictionary("0.50", "Breaches"));
        assert_ne!(other.ok(), Some(hash), "texts are compared");
    }

    #[test]
    fn what_has_no_epsilons_repeats_nothing() {
        use Verdict::{CannotTell, Fail, Pass};
        for text in ["", "{}", "[]", "{\"epsilon\":{\"A\":1}}", "{\"epsilon\":7}"] {
            assert_eq!(epsilons_hash_of(text.as_bytes()), None, "{text}");
        }
        for (release, policy, verdict) in [
            (None, None, CannotTell),
            (None, Some("a"), CannotTell),
            (Some("a"), None, CannotTell),
            (Some("a"), Some("b"), Fail),
            (Some("a"), Some("a"), Pass),
        ] {
            let found = repeats_the_release("2.4.0", release, policy);
            assert_eq!(found.verdict, verdict, "{release:?} {policy:?}");
        }
    }
}
