//! What the settings allow, and probably nobody meant.

use super::keys::shown_path;
use super::{Settings, Source};

impl Settings {
    /// Lists what is allowed but probably not meant, one sentence each.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let mut found = Vec::new();
        let in_file = |source: &Source| matches!(source, Source::File { .. });
        let open = self.config_mode.is_some_and(|mode| mode & 0o077 != 0);
        if let (true, Some(path)) = (open, &self.paths.config_file)
            && self.passwords.iter().any(in_file)
        {
            let path = shown_path(path);
            found.push(format!(
                "{path} holds a password and others may use the file: chmod 600 it"
            ));
        }
        for source in &self.passwords {
            if let Source::Flag(flag) = source {
                found.push(format!(
                    "the password in {flag} can be seen in the list of processes: use the config file"
                ));
            }
        }
        match (*self.pooled, self.dsn.is_postgres(), &*self.direct_dsn) {
            (true, false, _) => {
                found.push("`pooled` means nothing for an embedded database".to_owned());
            }
            (true, true, None) => found.push(
                "`pooled` is true without `direct_dsn`: init, agent and bundles will refuse"
                    .to_owned(),
            ),
            (false, _, Some(_)) => {
                found.push("`direct_dsn` is not used, because `pooled` is false".to_owned());
            }
            _ => {}
        }
        match &*self.viewer_dsn {
            Some(_) if !self.dsn.is_postgres() => {
                found.push("`viewer_dsn` means nothing for an embedded database".to_owned());
            }
            Some(viewer) if *viewer == *self.dsn => found.push(
                "`viewer_dsn` is `dsn` itself, so looking is done with the rights to write"
                    .to_owned(),
            ),
            _ => {}
        }
        if !self.governance_root.is_dir() {
            let root = shown_path(&self.governance_root);
            found.push(format!("`governance_root` {root} is not a folder"));
        }
        found
    }
}
