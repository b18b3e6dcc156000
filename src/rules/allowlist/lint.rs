//! What a policy says that cannot be meant, which warns and decides nothing.

use super::{Half, Pair, Policy};
use crate::rules::reconcile::quoted;

/// Lists where a policy contradicts the pairs of its migration, or itself.
#[must_use]
pub fn lint(policy: &Policy, pairs: &[Pair]) -> Vec<String> {
    let mut warnings = Vec::new();
    for pair in pairs {
        for half in Half::ALL.iter().copied() {
            warnings.extend(about(policy, pair, half));
        }
    }
    for key in policy.allowed_top_level_keys.iter() {
        if key.contains('.') {
            let key = quoted(key);
            warnings.push(format!(
                "allowed_top_level_keys has {key}, which is no top-level key: nothing has it"
            ));
        }
    }
    for path in policy.nested_paths_allowed.iter() {
        let why = match path.split_once('.') {
            None => "it is not nested".to_owned(),
            Some((first, _)) if !policy.allowed_top_level_keys.contains(first) => {
                format!("{} is not in allowed_top_level_keys", quoted(first))
            }
            Some(_) => continue,
        };
        let path = quoted(path);
        warnings.push(format!(
            "nested_paths_allowed has {path}, which allows nothing: {why}"
        ));
    }
    warnings
}

fn about(policy: &Policy, pair: &Pair, half: Half) -> Option<String> {
    let (column, phase) = (pair.column(half), policy.phase);
    let is_forbidden = policy.forbids(column);
    let what = if half.is_due(phase) {
        let where_to = if column.contains('.') {
            "nested_paths_allowed, or its first segment in allowed_top_level_keys"
        } else {
            "allowed_top_level_keys"
        };
        if is_forbidden {
            "is due and in forbidden_exact_keys: no export passes".to_owned()
        } else if policy.allows(column) {
            return None;
        } else {
            format!("is due and not in {where_to}: no export passes")
        }
    } else if is_forbidden {
        return None;
    } else {
        "is not in forbidden_exact_keys, so it may not go".to_owned()
    };
    let column = quoted(column);
    Some(format!("the {half} half {column} {what} in {phase}"))
}
