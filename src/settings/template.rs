//! A first config file, made from the table of settings.

use std::fmt::Write as _;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use super::error::SettingsError;
use super::keys::{KEYS, shown_path};

/// Makes a config file in which every setting is explained and commented out.
#[must_use]
pub fn template() -> String {
    let mut text = String::from(
        "# The settings of govdeck. A command-line flag wins over an environment variable,\n\
         # which wins over this file, which wins over the default.\n",
    );
    for key in KEYS {
        let flag = key.flag.map(|flag| format!(", flag {flag}"));
        let flag = flag.unwrap_or_default();
        // Writing to a string cannot fail, and the result has no other meaning.
        let _ = write!(
            text,
            "\n# {}\n# Takes {}. Default: {}.\n# Also: variable {}{flag}.\n#{} = {}\n",
            key.meaning, key.kind, key.default, key.env, key.name, key.example
        );
    }
    text
}

/// Writes the template to a new file that only its owner may read, and never over an existing one.
pub fn write_template(path: &Path) -> Result<(), SettingsError> {
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(|error| unwritable("the folder", folder, &error))?;
    }
    let opened = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    let mut file = opened.map_err(|error| unwritable("the config file", path, &error))?;
    file.write_all(template().as_bytes()).map_err(|error| {
        // Half a file would stand in the way of the next attempt; the first error is the one to tell.
        let _ = fs::remove_file(path);
        unwritable("the config file", path, &error)
    })
}

fn unwritable(what: &str, path: &Path, error: &io::Error) -> SettingsError {
    let path = shown_path(path);
    if error.kind() == io::ErrorKind::AlreadyExists {
        return SettingsError::new(
            format!("{what} {path} exists already and is left as it is"),
            "edit it, or move it away first",
        );
    }
    SettingsError::new(
        format!("{what} {path} cannot be written: {}", error.kind()),
        "check the path and who may write there",
    )
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn makes_the_file_and_its_folders_for_the_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/config.toml");
        write_template(&path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), template());
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(&folder.path().join("a/b")), 0o700);
        assert_eq!(mode(&folder.path().join("a")), 0o700);
    }

    #[test]
    fn never_writes_over_a_file_or_through_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        fs::write(&path, "pooled = true").unwrap();
        let error = write_template(&path).unwrap_err();
        let shown = path.display();
        assert_eq!(
            error.sentence,
            format!("the config file {shown} exists already and is left as it is")
        );
        assert_eq!(error.hint, "edit it, or move it away first");
        assert_eq!(fs::read_to_string(&path).unwrap(), "pooled = true");

        let link = folder.path().join("link.toml");
        std::os::unix::fs::symlink(folder.path().join("elsewhere"), &link).unwrap();
        assert!(write_template(&link).is_err());
        assert!(!folder.path().join("elsewhere").exists());
    }

    #[test]
    fn says_which_folder_cannot_be_made() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("file"), "").unwrap();
        let below = folder.path().join("file/deeper");
        let error = write_template(&below.join("config.toml")).unwrap_err();
        assert_eq!(
            error.sentence,
            format!(
                "the folder {} cannot be written: not a directory",
                below.display()
            )
        );
    }
}
