//! What this program was told: the database, the folders, the log.
//!
//! Each setting comes from its default, the config file, the environment or a command-line flag, the
//! later winning over the earlier, and remembers which of them it was. One table, [`KEYS`], describes
//! them all. Everything unknown, empty or malformed is refused with one sentence and a hint.
//!
//! May import: nothing of this project.
//!
//! Never does: ask the running process for its variables, open a database, write anything but a new
//! config file, or show a password.

mod agent;
mod drivers;
mod dsn;
mod dsn_fault;
mod environment;
mod error;
mod file;
mod folders;
mod keys;
mod layers;
mod notices;
mod postgres;
mod schema;
mod template;
#[cfg(test)]
mod tests;
mod warnings;

use std::ffi::OsString;
use std::fmt;
use std::ops::Deref;
use std::path::PathBuf;

pub use agent::{AgentSettings, Channel, Command, Hook, Job, Mail, Safety, Work};
pub use dsn::{Dsn, DsnKind};
pub use dsn_fault::DsnFault;
pub use error::SettingsError;
pub use keys::{KEYS, Key, Kind, LogLevel, OTHER_VARIABLES};
pub use notices::Notices;
pub use schema::{DIALECT, schema};
pub use template::{template, write_template};

pub(crate) use file::position;
pub(crate) use keys::{nearest, shown_path};
pub(crate) use schema::CONTROLS;

use environment::Environment;
use error::Fault;
use file::{ConfigFile, Presence};
use folders::Folders;
use keys::CONFIG_VARIABLE;
use layers::Layers;

/// Says where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Nobody set it.
    Default,
    /// A line of the config file.
    File {
        /// The file as it was found.
        path: PathBuf,
        /// The line of the value, from one.
        line: usize,
    },
    /// The environment variable of this name.
    Env(&'static str),
    /// The command-line flag of this name.
    Flag(&'static str),
}

impl fmt::Display for Source {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => out.write_str("default"),
            Self::File { path, line } => write!(out, "{}, line {line}", shown_path(path)),
            Self::Env(name) => write!(out, "variable {name}"),
            Self::Flag(name) => write!(out, "flag {name}"),
        }
    }
}

/// Holds a value and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting<T> {
    /// What holds.
    pub value: T,
    /// Who said so.
    pub source: Source,
}

impl<T> Setting<T> {
    fn default_of(value: T) -> Self {
        Self {
            value,
            source: Source::Default,
        }
    }

    fn map<U>(self, change: impl FnOnce(T) -> U) -> Setting<U> {
        Setting {
            value: change(self.value),
            source: self.source,
        }
    }
}

impl<T> Deref for Setting<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// What the command line says about settings.
#[derive(Clone, Default)]
pub struct Flags {
    /// `--config`: the config file to read, which must exist.
    pub config: Option<PathBuf>,
    /// `--dsn`: the database.
    pub dsn: Option<String>,
    /// `--theme`: what the console looks like.
    pub theme: Option<String>,
}

impl Flags {
    fn text(&self, flag: &str) -> Option<&str> {
        match flag {
            "--dsn" => self.dsn.as_deref(),
            "--theme" => self.theme.as_deref(),
            _ => None,
        }
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dsn = self.dsn.as_ref().map(|_| "***");
        out.debug_struct("Flags")
            .field("config", &self.config)
            .field("dsn", &dsn)
            .field("theme", &self.theme)
            .finish()
    }
}

/// Names the files and folders this program uses; a folder is missing when HOME does not tell it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    /// The config file that is read, or would be if it existed.
    pub config_file: Option<PathBuf>,
    /// The user's own keys, where there is such a file.
    pub keys_file: Option<PathBuf>,
    /// What the agent is told, where there is such a file.
    pub agent_file: Option<PathBuf>,
    /// Where the user's own themes lie.
    pub themes_dir: Option<PathBuf>,
    /// Where the embedded database lies by default.
    pub data_dir: Option<PathBuf>,
    /// Where the log lies by default.
    pub state_dir: Option<PathBuf>,
    /// The log; missing only while nothing is logged.
    pub log_file: Option<PathBuf>,
}

/// Holds every setting with its source.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The database.
    pub dsn: Setting<Dsn>,
    /// The way to the same database past a pooler.
    pub direct_dsn: Setting<Option<Dsn>>,
    /// A login for the same database that may only look.
    pub viewer_dsn: Setting<Option<Dsn>>,
    /// Whether `dsn` leads through a pooler.
    pub pooled: Setting<bool>,
    /// The folder that user-side paths are relative to.
    pub governance_root: Setting<PathBuf>,
    /// The database that SQL bundles change.
    pub bundle_dsn: Setting<Option<Dsn>>,
    /// The database on which SQL bundles are planned.
    pub rehearsal_dsn: Setting<Option<Dsn>>,
    /// The commands that bundles may have run as drivers, besides govdeck's own; words parted by single blanks.
    pub bundle_drivers: Setting<Vec<String>>,
    /// What the steps of a cutover's hour may have run, each as `NAME=COMMAND`.
    pub hour_commands: Setting<Vec<String>>,
    /// What a rehearsal runs instead.
    pub rehearsal_commands: Setting<Vec<String>>,
    /// The key file that signs, or that names the ssh-agent's key.
    pub signing_key: Setting<Option<PathBuf>>,
    /// How much is logged.
    pub log_level: Setting<LogLevel>,
    /// Where the log goes; missing only when nothing is logged and no default is known.
    pub log_file: Setting<Option<PathBuf>>,
    /// What the console looks like: the name of a theme, or `auto`.
    pub theme: Setting<String>,
    /// Whether the terminal shows what the bell rings for.
    pub notifications: Setting<Notices>,
    paths: Paths,
    config_mode: Option<u32>,
    passwords: Vec<Source>,
}

impl Settings {
    /// Reads all layers of the given flags and environment.
    pub fn load(
        flags: &Flags,
        env: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, SettingsError> {
        let environment = Environment::collect(env)?;
        let folders = Folders::locate(&environment);
        let config_file = match choose_config(flags, &environment)? {
            Some(path) => Some((path, Presence::Required)),
            None => folders
                .config_file()
                .ok()
                .map(|path| (path, Presence::Optional)),
        };
        let config = match &config_file {
            Some((path, presence)) => ConfigFile::read(path, *presence)?,
            None => None,
        };
        let layers = Layers::collect(config.as_ref(), &environment, flags)?;
        let paths = Paths {
            config_file: config_file.map(|(path, _)| path),
            keys_file: folders
                .config
                .as_ref()
                .map(|folder| folder.join("keys.toml")),
            agent_file: folders
                .config
                .as_ref()
                .map(|folder| folder.join("agent.toml")),
            themes_dir: folders.config.as_ref().map(|folder| folder.join("themes")),
            data_dir: folders.data.clone(),
            state_dir: folders.state.clone(),
            log_file: None,
        };
        let mut settings = Self::build(&layers, &folders, paths)?;
        settings.config_mode = config.map(|config| config.mode);
        Ok(settings)
    }

    fn build(layers: &Layers, folders: &Folders, paths: Paths) -> Result<Self, SettingsError> {
        let dsn = match layers.read("dsn")? {
            Some(dsn) => dsn,
            None => Setting::default_of(default_dsn(folders)?),
        };
        let server = |name: &str, what: &'static str| match layers.read::<Dsn>(name)? {
            Some(dsn) if !dsn.is_postgres() => {
                let hint = "write postgres://user@host/database, or leave it out";
                Err(layers.refuse(name, Fault::new(what, hint)))
            }
            Some(dsn) => Ok(dsn.map(Some)),
            None => Ok(Setting::default_of(None)),
        };
        let direct_dsn = server(
            "direct_dsn",
            "is a file, and only a server has a pooler to go past",
        )?;
        let viewer_dsn = server(
            "viewer_dsn",
            "is a file, and only a server has logins that may only look",
        )?;
        let log_level = layers.read("log_level")?;
        let log_level = log_level.unwrap_or(Setting::default_of(LogLevel::Info));
        let log_file = match layers.read::<PathBuf>("log_file")? {
            Some(file) => file.map(Some),
            None if *log_level == LogLevel::Off => Setting::default_of(folders.log_file().ok()),
            None => Setting::default_of(Some(folders.log_file()?)),
        };
        let root = layers.read("governance_root")?;
        let optional = |name: &str| -> Result<Setting<Option<Dsn>>, SettingsError> {
            let read = layers.read::<Dsn>(name)?;
            Ok(read.map_or(Setting::default_of(None), |dsn| dsn.map(Some)))
        };
        let (bundle_dsn, rehearsal_dsn) = (optional("bundle_dsn")?, optional("rehearsal_dsn")?);
        let commands = |name: &str| -> Result<Setting<Vec<String>>, SettingsError> {
            let read = layers.read(name)?;
            Ok(read.unwrap_or(Setting::default_of(Vec::new())))
        };
        let signing_key = layers.read::<PathBuf>("signing_key")?;
        let theme = layers.read("theme")?;
        Ok(Self {
            dsn,
            direct_dsn,
            viewer_dsn,
            pooled: layers.read("pooled")?.unwrap_or(Setting::default_of(false)),
            governance_root: root.unwrap_or_else(|| Setting::default_of(PathBuf::from("."))),
            bundle_dsn,
            rehearsal_dsn,
            bundle_drivers: commands("bundle_drivers")?,
            hour_commands: commands("hour_commands")?,
            rehearsal_commands: commands("rehearsal_commands")?,
            signing_key: signing_key.map_or(Setting::default_of(None), |file| file.map(Some)),
            log_level,
            log_file,
            theme: theme.unwrap_or_else(|| Setting::default_of("auto".to_owned())),
            notifications: layers
                .read("notifications")?
                .unwrap_or(Setting::default_of(Notices::Off)),
            paths,
            config_mode: None,
            passwords: layers.passwords(),
        })
    }

    /// Gives a connection that does not go through a pooler.
    pub fn direct(&self) -> Result<&Dsn, SettingsError> {
        if !*self.pooled || !self.dsn.is_postgres() {
            return Ok(&self.dsn);
        }
        self.direct_dsn.as_ref().ok_or_else(|| {
            SettingsError::new(
                "this needs a connection past the pooler, and `direct_dsn` is not set",
                "set `direct_dsn` or GOVDECK_DIRECT_DSN, or set `pooled` to false if `dsn` is direct",
            )
        })
    }

    /// Gives the database that SQL bundles change.
    pub fn bundle_target(&self) -> Result<&Dsn, SettingsError> {
        match &*self.bundle_dsn {
            Some(dsn) => Ok(dsn),
            None => self.direct(),
        }
    }

    /// Lists every setting as its name, its value without secrets, and where the value came from.
    #[must_use]
    pub fn rows(&self) -> Vec<(&'static str, String, String)> {
        let row = |key: &Key| {
            let (shown, source) = (key.show)(self);
            (key.name, shown, source.to_string())
        };
        KEYS.iter().map(row).collect()
    }

    /// Names the files and folders these settings lead to.
    #[must_use]
    pub fn paths(&self) -> Paths {
        Paths {
            log_file: self.log_file.value.clone(),
            ..self.paths.clone()
        }
    }
}

/// Finds the config file that would be read, without reading it.
pub fn config_path(
    flags: &Flags,
    env: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<PathBuf, SettingsError> {
    let environment = Environment::collect(env)?;
    match choose_config(flags, &environment)? {
        Some(path) => Ok(path),
        None => Folders::locate(&environment).config_file(),
    }
}

fn choose_config(
    flags: &Flags,
    environment: &Environment,
) -> Result<Option<PathBuf>, SettingsError> {
    let from_variable = environment.text(CONFIG_VARIABLE)?.map(PathBuf::from);
    match &flags.config {
        Some(path) if path.as_os_str().is_empty() => Err(SettingsError::new(
            "the flag `--config` is empty",
            "give the path of a file, or leave the flag out",
        )),
        Some(path) => Ok(Some(path.clone())),
        None => Ok(from_variable),
    }
}

fn default_dsn(folders: &Folders) -> Result<Dsn, SettingsError> {
    let path = folders.database()?;
    Dsn::of_file(&path).map_err(|fault| {
        SettingsError::new(
            format!("the path of the default database {fault}"),
            "give `dsn` yourself, as in sqlite:govdeck.db",
        )
    })
}
