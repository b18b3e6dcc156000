//! What bundles may add to the dictionary's own table: columns without any rule. Its key and everything else stays as made.

use std::collections::BTreeMap;

use crate::rules::migration::DICTIONARY;
use crate::store::schema::Definition;

/// Where the rules of the table begin in its text, behind its columns: there SQLite puts those that are added.
const RULES: &str = ",\n    PRIMARY KEY";

/// Tells whether a definition differs from the built-in one by columns alone that were added to the dictionary's table.
pub(super) fn only_by_columns(wanted: &Definition, found: &Definition) -> bool {
    if wanted.kind != "table" || wanted.name != DICTIONARY {
        return false;
    }
    let Some(at) = wanted.text.rfind(RULES) else {
        return false;
    };
    let (columns, rules) = wanted.text.split_at(at);
    let rest = found.text.strip_prefix(columns);
    let added = rest.and_then(|rest| rest.strip_suffix(rules));
    added.is_some_and(are_columns)
}

/// Tells whether something that the built-in catalogue does not have is a column without any rule, added to the
/// dictionary's table on PostgreSQL.
pub(super) fn is_column(kind: &str, name: &str, text: &str) -> bool {
    let before = format!("{DICTIONARY}.");
    let rules = [" NOT NULL", " DEFAULT ", " GENERATED "];
    kind == "column" && name.starts_with(&before) && !rules.iter().any(|rule| text.contains(rule))
}

/// Tells whether a text is a list of columns, each of a name and at most one word for its type.
fn are_columns(text: &str) -> bool {
    let mut rest = text;
    while !rest.trim_start().is_empty() {
        let Some(column) = rest.trim_start().strip_prefix(',') else {
            return false;
        };
        let Some(behind) = name(column.trim_start()) else {
            return false;
        };
        rest = word(behind.trim_start());
    }
    true
}

/// Reads a name, in double quotes or bare, and returns what stands behind it.
fn name(text: &str) -> Option<&str> {
    let Some(mut inner) = text.strip_prefix('"') else {
        let behind = word(text);
        return (behind.len() < text.len()).then_some(behind);
    };
    loop {
        let (_, behind) = inner.split_once('"')?;
        match behind.strip_prefix('"') {
            Some(more) => inner = more,
            None => return Some(behind),
        }
    }
}

/// Returns what stands behind a word of letters, digits and underscores.
fn word(text: &str) -> &str {
    text.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_')
}

/// Drops from what was found what bundles may have added.
pub(super) fn forgive(found: &mut BTreeMap<(String, String), &Definition>) {
    found.retain(|(kind, name), there| !is_column(kind, name, &there.text));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::schema::built_in_catalogue;

    fn table() -> Definition {
        let all = built_in_catalogue(false);
        let mut tables = all.into_iter().filter(|it| it.kind == "table");
        tables
            .find(|it| it.name == DICTIONARY)
            .expect("it is there")
    }

    #[test]
    fn columns_without_rules_are_all_that_may_come() {
        let wanted = table();
        let with = |added: &str| Definition {
            text: wanted.text.replace(RULES, &format!("{added}{RULES}")),
            ..wanted.clone()
        };
        for good in [
            "",
            ", \"breachCount\" INTEGER",
            ", breach TEXT",
            ", \"say \"\"when\"\"\" TEXT, \"route.id\" TEXT, \"select\" ANY",
            ", bare",
            ", \") STRICT --\" TEXT",
        ] {
            assert!(only_by_columns(&wanted, &with(good)), "{good}");
        }
        for bad in [
            ", a TEXT NOT NULL",
            ", a TEXT CHECK (a <> '')",
            ", a TEXT REFERENCES person (person_id)",
            ", a INTEGER GENERATED ALWAYS AS (1)",
            ", a TEXT /* */",
            ", CHECK (1)",
            ", UNIQUE (a)",
            "x",
            ",",
            ", \"open",
        ] {
            assert!(!only_by_columns(&wanted, &with(bad)), "{bad}");
        }
        let without = |what: &str| Definition {
            text: wanted.text.replacen(what, "", 1),
            ..wanted.clone()
        };
        for gone in [
            "NOT NULL ",
            " CHECK (owning_squad <> '')",
            " REFERENCES metric_dictionary (metric_id)",
            " STRICT",
            ", dimension_filter_id)",
        ] {
            let there = without(gone);
            assert_ne!(there, wanted, "{gone}");
            assert!(!only_by_columns(&wanted, &there), "{gone}");
        }
        let other = Definition {
            name: "person".to_owned(),
            ..with(", a TEXT")
        };
        assert!(!only_by_columns(&other, &other));
    }

    #[test]
    fn a_column_with_a_rule_is_told_on_postgres_too() {
        let name = format!("{DICTIONARY}.breachCount");
        assert!(is_column("column", &name, "integer"));
        assert!(is_column("column", &name, "text COLLATE C"));
        for (kind, name, text) in [
            ("column", &*name, "integer NOT NULL"),
            ("column", &*name, "text DEFAULT 'x'::text"),
            ("column", "person.extra", "text"),
            ("constraint", &*name, "CHECK (true)"),
            ("trigger", &*name, "integer"),
        ] {
            assert!(!is_column(kind, name, text), "{kind} {name} {text}");
        }
    }
}
