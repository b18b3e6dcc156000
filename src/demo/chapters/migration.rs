//! The dictionary's migration to its second release: opened, with its pairs and its allow-list, and held in prepare.

use std::ops::Range;

use serde_json::json;

use crate::actions::Asked;
use crate::rules::allowlist::allowlist_sha256;

use super::super::beat::{Beat, Deed, When};
use super::dictionary::{FIRST, FOLLOWS, SECOND};
use super::people::BACKUP;

/// The migration.
pub const ID: &str = "mig-dict-241";
/// What it renames: the legacy half of each pair, and the modern one.
pub const PAIRS: [(&str, &str); 2] = [
    ("breach_count", "breachCount"),
    ("owner_route_id", "route.ownerRouteId"),
];
/// Who looks after the numbers.
const ANALYTICS: &str = "ana";

const MINUTE: i64 = 60;

const MATRIX: &str = "dashboard,column_rename,nested_json,nullable_add,type_widen\n\
    leadership,green,green,green,green\n\
    partner_annex,amber,green,green,green\n\
    mock_audit_export,green,green,amber,green\n\
    reply_manifest_validator,green,green,green,green\n";

/// Tells how the migration is prepared; it is one, whatever the seed.
#[must_use]
pub fn beats(_seed: u32, _seconds: &Range<i64>) -> Vec<Beat> {
    let pair = |(legacy, modern): (&str, &str), rule: &str| {
        Asked::of(ID)
            .with("legacy", legacy)
            .with("modern", modern)
            .with("rule", rule)
    };
    let opening = Asked::of(ID)
        .with("from", FIRST)
        .with("to", SECOND)
        .with("matrix", MATRIX)
        .with("protected", "MET-0101");
    let list = allowlist();
    let approval = approval_of("dual_write", &list);
    let deeds = [
        (
            BACKUP,
            "open_migration",
            opening,
            "the exporter renames two fields in its next version",
        ),
        (
            BACKUP,
            "register_pair",
            pair(PAIRS[0], "the same number in both"),
            "renamed by the exporter, the meaning stays",
        ),
        (
            BACKUP,
            "register_pair",
            pair(PAIRS[1], "flattened, and mirrored into the old column"),
            "nested by the exporter, the meaning stays",
        ),
        (
            BACKUP,
            "register_allowlist",
            Asked::of(ID).with("document", list),
            "both halves of each pair, and nothing else",
        ),
        (
            ANALYTICS,
            "approve_allowlist",
            approval,
            "read key by key against the new export",
        ),
    ];
    (1..)
        .zip(deeds)
        .map(|(minute, (who, verb, asked, reason))| Beat {
            at: FOLLOWS + 10 * MINUTE + minute * MINUTE,
            deed: Deed::Act {
                who,
                verb,
                asked,
                reason,
                when: When::Always,
            },
        })
        .collect()
}

/// The allow-list of dual write.
fn allowlist() -> String {
    allowlist_of("dual_write", &[])
}

/// The allow-list of a phase, with the keys that nobody may write any more.
#[must_use]
pub fn allowlist_of(phase: &str, forbidden: &[&str]) -> String {
    json!({
        "migration_id": ID, "phase": phase, "from_semver": FIRST, "to_semver": SECOND,
        "allowed_top_level_keys": ["metric_id", "breach_count", "breachCount", "owner_route_id", "route"],
        "nested_paths_allowed": ["route.ownerRouteId"],
        "forbidden_exact_keys": forbidden, "protected_metric_ids": ["MET-0101"],
    })
    .to_string()
}

/// What is asked to say yes to an allow-list, by its hash.
#[must_use]
pub fn approval_of(phase: &str, list: &str) -> Asked {
    let hash = allowlist_sha256(list.as_bytes());
    let hash = hash.map_or(String::new(), |hash| hash.to_string());
    Asked::of(ID).with("phase", phase).with("hash", hash)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::allowlist::Policy;
    use crate::rules::migration::{matrix_verdict, read_matrix};

    #[test]
    fn its_papers_can_be_read() {
        let policy = Policy::read(allowlist().as_bytes()).expect("a policy");
        assert_eq!(policy.migration_id, ID);
        let cells = read_matrix(MATRIX).expect("a matrix");
        assert_eq!(matrix_verdict(&cells).1, "no cell is red, 2 are amber");
    }
}
