//! What a change may touch, and what it may not.

use serde::{Deserialize, Serialize};

/// Tables that no bundle may ever have in its scope.
pub const LEDGER_TABLES: &[&str] = &["governance_ledger", "ledger_change"];

/// Tables that a bundle may have in its scope only with an approval that it names.
pub const DICTIONARY_TABLES: &[&str] = &[
    "metric_dictionary",
    "dictionary_release",
    "governance_metric_dictionary_current",
];

/// Names what a change may touch and what it may not.
///
/// An entry for a table is `table` or `schema.table`. In a search store a table is an index or an alias, in a graph a
/// label or a type of relationship.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// Schemas that allowed tables without a schema may lie in.
    pub allowed_schemas: Vec<String>,
    /// Everything that may be touched.
    pub allowed_tables: Vec<String>,
    /// Schemas of which nothing may be touched.
    pub forbidden_schemas: Vec<String>,
    /// What may not be touched, wherever it lies.
    pub forbidden_tables: Vec<String>,
    /// Tables whose rows belong to the protected domain.
    #[serde(default)]
    pub protected_reference_tables: Vec<String>,
}
