//! Where config, data and state lie when nobody says otherwise.

use std::path::PathBuf;

use directories::ProjectDirs;

use super::environment::Environment;
use super::error::SettingsError;

const PROJECT: &str = "govdeck";

/// The folders of this program; one that cannot be known is missing until somebody needs it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Folders {
    pub config: Option<PathBuf>,
    pub data: Option<PathBuf>,
    pub state: Option<PathBuf>,
}

impl Folders {
    /// Finds the folders for the given environment.
    ///
    /// Where folders follow from variables alone, the given ones count and not those of the running
    /// process, so that the same environment always leads to the same settings.
    pub fn locate(environment: &Environment) -> Self {
        if cfg!(any(windows, target_os = "macos")) {
            Self::of_the_platform()
        } else {
            Self::from_variables(environment)
        }
    }

    fn of_the_platform() -> Self {
        let Some(project) = ProjectDirs::from("", "", PROJECT) else {
            return Self::default();
        };
        let state = project.state_dir().unwrap_or(project.data_local_dir());
        Self {
            config: Some(project.config_dir().to_owned()),
            data: Some(project.data_dir().to_owned()),
            state: Some(state.to_owned()),
        }
    }

    fn from_variables(environment: &Environment) -> Self {
        let absolute = |name: &str| {
            let path = PathBuf::from(environment.get(name)?);
            path.is_absolute().then_some(path)
        };
        let home = absolute("HOME");
        let folder = |variable: &str, below_home: &str| {
            let base = absolute(variable).or_else(|| Some(home.as_ref()?.join(below_home)))?;
            Some(base.join(PROJECT))
        };
        Self {
            config: folder("XDG_CONFIG_HOME", ".config"),
            data: folder("XDG_DATA_HOME", ".local/share"),
            state: folder("XDG_STATE_HOME", ".local/state"),
        }
    }

    pub fn config_file(&self) -> Result<PathBuf, SettingsError> {
        let folder = self.config.as_ref();
        let file = folder.map(|folder| folder.join("config.toml"));
        file.ok_or_else(|| homeless("the config file", "--config"))
    }

    pub fn database(&self) -> Result<PathBuf, SettingsError> {
        let file = self.data.as_ref().map(|folder| folder.join("govdeck.db"));
        file.ok_or_else(|| homeless("the database", "`dsn`"))
    }

    pub fn log_file(&self) -> Result<PathBuf, SettingsError> {
        let file = self.state.as_ref().map(|folder| folder.join("govdeck.log"));
        file.ok_or_else(|| homeless("the log", "`log_file`"))
    }
}

fn homeless(what: &str, instead: &str) -> SettingsError {
    SettingsError::new(
        format!("cannot tell where {what} belongs, because HOME is not set to an absolute path"),
        format!("set HOME, or give {instead}"),
    )
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn located(variables: &[(&str, &str)]) -> Folders {
        let pairs = variables
            .iter()
            .map(|(name, value)| (name.into(), value.into()));
        Folders::from_variables(&Environment::collect(pairs).unwrap())
    }

    #[test]
    fn own_variables_win_over_home() {
        let folders = located(&[("HOME", "/h"), ("XDG_DATA_HOME", "/d")]);
        assert_eq!(
            folders.config.as_deref(),
            Some(Path::new("/h/.config/govdeck"))
        );
        assert_eq!(folders.data.as_deref(), Some(Path::new("/d/govdeck")));
        assert_eq!(
            folders.state.as_deref(),
            Some(Path::new("/h/.local/state/govdeck"))
        );
    }

    #[test]
    fn relative_and_empty_folders_do_not_count() {
        assert_eq!(located(&[("HOME", "here")]), Folders::default());
        assert_eq!(
            located(&[("HOME", ""), ("XDG_DATA_HOME", "")]),
            Folders::default()
        );
        assert_eq!(
            located(&[("HOME", "/h"), ("XDG_STATE_HOME", "here")]).state,
            Some(PathBuf::from("/h/.local/state/govdeck"))
        );
    }

    #[test]
    fn agrees_with_the_platform_on_the_environment_of_this_process() {
        let ours =
            Environment::collect(std::env::vars_os().filter(|(name, _)| {
                name == "HOME" || name.as_encoded_bytes().starts_with(b"XDG_")
            }))
            .unwrap();
        if ours.get("HOME").is_some() {
            assert_eq!(Folders::locate(&ours), Folders::of_the_platform());
        }
    }
}
