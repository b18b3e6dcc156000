//! The layers together, on real files.

mod layers;
mod refusals;

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use super::{Flags, Settings, SettingsError};

/// A home folder of its own, and what is said there.
struct Home {
    folder: tempfile::TempDir,
    flags: Flags,
    variables: Vec<(OsString, OsString)>,
}

impl Home {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = ("HOME".into(), folder.path().into());
        Self {
            folder,
            flags: Flags::default(),
            variables: vec![home],
        }
    }

    fn with_file(self, text: &str) -> Self {
        let path = self.config();
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        self
    }

    fn with_variable(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.variables.push((name.into(), value.into()));
        self
    }

    fn with_flag(mut self, dsn: &str) -> Self {
        self.flags.dsn = Some(dsn.to_owned());
        self
    }

    fn with_config(mut self, path: impl Into<PathBuf>) -> Self {
        self.flags.config = Some(path.into());
        self
    }

    fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    fn config(&self) -> PathBuf {
        self.path(".config/govdeck/config.toml")
    }

    fn load(&self) -> Result<Settings, SettingsError> {
        Settings::load(&self.flags, self.variables.clone())
    }

    fn refused(&self) -> (String, String) {
        let error = self.load().unwrap_err();
        (error.sentence, error.hint)
    }
}

fn pair(sentence: impl Into<String>, hint: &str) -> (String, String) {
    (sentence.into(), hint.to_owned())
}
