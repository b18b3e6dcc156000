//! What a change consists of, for a driver.

use crate::bundles::folder::Folder;
use crate::rules::bundle::{Declaration, Scope};
use crate::rules::bundle_run::Script;

/// A scope and the scripts that keep to it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// What it may touch, and what is protected.
    pub scope: Scope,
    /// Scripts that make it.
    pub forward: Vec<Script>,
    /// Scripts that take it back.
    pub rollback: Vec<Script>,
}

impl Change {
    /// Reads the scripts that a declaration names from the bundle's folder; says which one cannot be read.
    pub fn read(declaration: &Declaration, folder: &Folder) -> Result<Self, String> {
        let scripts = folder.scripts(declaration)?;
        Ok(Self::of(declaration, &scripts))
    }

    /// Sorts scripts by the way that they lead, in the declaration's order.
    #[must_use]
    pub fn of(declaration: &Declaration, scripts: &[Script]) -> Self {
        let named = |paths: &[String]| {
            let find = |path: &String| scripts.iter().find(|script| script.path == *path);
            paths.iter().filter_map(find).cloned().collect()
        };
        Self {
            scope: declaration.scope.clone(),
            forward: named(&declaration.artifacts.forward),
            rollback: named(&declaration.artifacts.rollback),
        }
    }
}
