//! What file, environment and flags say, in rising order of precedence.

use super::environment::Environment;
use super::error::{Fault, SettingsError};
use super::file::{self, ConfigFile};
use super::keys::{KEYS, Key, Kind, Readable};
use super::{Dsn, Flags, Setting, Source};

/// One value as one layer gives it; has no `Debug`, because the text may hold a password.
pub(super) struct Entry {
    pub key: &'static Key,
    pub text: String,
    pub source: Source,
    pub column: Option<usize>,
}

impl Entry {
    fn refuse(&self, fault: Fault) -> SettingsError {
        let place = match (&self.source, self.column) {
            (Source::Default, _) => "the default".to_owned(),
            (Source::File { path, line }, column) => file::place(path, *line, column.unwrap_or(1)),
            (Source::Env(name), _) => format!("the environment variable `{name}`"),
            (Source::Flag(name), _) => format!("the flag `{name}`"),
        };
        let what = format!("`{}` {}", self.key.name, fault.what);
        SettingsError::at(&place, Fault::new(what, fault.hint))
    }

    fn holds_password(&self) -> bool {
        let is_dsn = self.key.kind == Kind::Dsn;
        is_dsn && Dsn::parse(&self.text).is_ok_and(|dsn| dsn.holds_password())
    }
}

/// All entries, the one that wins last.
pub(super) struct Layers {
    entries: Vec<Entry>,
}

impl Layers {
    pub fn collect(
        config: Option<&ConfigFile>,
        environment: &Environment,
        flags: &Flags,
    ) -> Result<Self, SettingsError> {
        let mut entries = config.map_or(Ok(Vec::new()), ConfigFile::entries)?;
        for key in KEYS {
            if let Some(text) = environment.text(key.env)? {
                entries.push(Entry {
                    key,
                    text: text.to_owned(),
                    source: Source::Env(key.env),
                    column: None,
                });
            }
        }
        for key in KEYS {
            if let Some((flag, text)) = key.flag.and_then(|flag| Some((flag, flags.text(flag)?))) {
                entries.push(Entry {
                    key,
                    text: text.to_owned(),
                    source: Source::Flag(flag),
                    column: None,
                });
            }
        }
        Ok(Self { entries })
    }

    /// Reads a setting from every layer that gives it, so that a hidden mistake is one too.
    pub fn read<T: Readable>(&self, name: &str) -> Result<Option<Setting<T>>, SettingsError> {
        let mut winner = None;
        for entry in self.entries.iter().filter(|entry| entry.key.name == name) {
            let value = T::read(&entry.text).map_err(|fault| entry.refuse(fault))?;
            winner = Some(Setting {
                value,
                source: entry.source.clone(),
            });
        }
        Ok(winner)
    }

    /// Refuses the winning value of a setting for a reason that only the whole shows.
    pub fn refuse(&self, name: &str, fault: Fault) -> SettingsError {
        let mut entries = self.entries.iter().rev();
        match entries.find(|entry| entry.key.name == name) {
            Some(entry) => entry.refuse(fault),
            None => SettingsError::at(&format!("`{name}`"), fault),
        }
    }

    /// Finds the sources that hold a password in plain text, whether they win or not.
    pub fn passwords(&self) -> Vec<Source> {
        let holding = self.entries.iter().filter(|entry| entry.holds_password());
        holding.map(|entry| entry.source.clone()).collect()
    }
}
