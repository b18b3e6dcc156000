//! What evidence is found of, hashed: when one of these changes, what was found before says nothing of now.

use serde::Serialize;

use crate::canon::{Digest, canonical_of};

/// Hashes a list of parts in canonical form; nothing else has the hash of what has none.
fn digest(of: &impl Serialize) -> String {
    canonical_of(of).map_or_else(
        |_| "none".to_owned(),
        |bytes| Digest::of(&bytes).to_string(),
    )
}

/// Hashes what a scan compares: the pairs, the allow-list of dual write, and the shape of the dictionary and its views.
#[must_use]
pub fn scan_inputs(pairs: &[(&str, &str)], allowlist: Option<&str>, shape: &str) -> String {
    digest(&("scan", pairs, allowlist, shape))
}

/// Hashes what the probe of questions asks: every active row, the pairs and the shape.
#[must_use]
pub fn faq_inputs(rows: &[(&str, &str)], pairs: &[(&str, &str)], shape: &str) -> String {
    digest(&("faq", rows, pairs, shape))
}

/// Hashes what is replayed: both releases, the pairs, and the shape of the dictionary and its views.
#[must_use]
pub fn replay_inputs(from: &str, to: &str, pairs: &[(&str, &str)], shape: &str) -> String {
    digest(&("replay", from, to, pairs, shape))
}

/// Hashes what is looked for in both joins.
#[must_use]
pub fn protected_inputs(from: &str, to: &str, metrics: &[&str], proof: Option<&str>) -> String {
    digest(&("protected", from, to, metrics, proof))
}

/// Hashes the plan of a cutover: the migration, the plan of its hour, the bundles as registered, the pairs, and the allow-list of the
/// target.
#[must_use]
pub fn plan_hash(
    migration: &str,
    plan: &str,
    bundles: &[String],
    pairs: &[(&str, &str)],
    allowlist: Option<&str>,
) -> String {
    digest(&("plan", migration, plan, bundles, pairs, allowlist))
}
