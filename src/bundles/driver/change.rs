//! What a change consists of, for a driver.

use super::protocol::Script;
use crate::bundles::folder::Folder;
use crate::rules::bundle::{Declaration, Entry, Scope};

/// The largest script that is handed to a driver.
const MOST_SCRIPT_BYTES: u64 = 16 * 1024 * 1024;

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
        let scripts = |paths: &[String]| paths.iter().map(|path| script(folder, path)).collect();
        let artifacts = &declaration.artifacts;
        let rollback: Result<_, String> = scripts(&artifacts.rollback);
        Ok(Self {
            scope: declaration.scope.clone(),
            forward: scripts(&artifacts.forward)?,
            rollback: rollback?,
        })
    }
}

fn script(folder: &Folder, path: &str) -> Result<Script, String> {
    let bytes = match folder.file(path, MOST_SCRIPT_BYTES) {
        Some(Entry::File(bytes)) => bytes,
        Some(Entry::Symlink) => {
            return Err(format!("{path}: a symbolic link, which is not followed"));
        }
        Some(Entry::Unread(why)) => return Err(format!("{path}: {why}")),
        None => return Err(format!("{path}: there is no such file")),
    };
    let text = String::from_utf8(bytes).map_err(|_| format!("{path}: it is no UTF-8 text"))?;
    let path = path.to_owned();
    Ok(Script { path, text })
}
