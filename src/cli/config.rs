//! `govdeck config`: where the settings come from.

use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::page::{Exit, Failure, Page};
use crate::console::{keymap, theme};
use crate::settings::{self, Flags, Settings, config_path, write_template};

/// What to do with the settings.
#[derive(Debug, Subcommand)]
pub(super) enum Config {
    /// Write a config file with every setting, commented out.
    Init,
    /// Show each setting's value and where it comes from.
    Print,
    /// Show where the files are.
    Path,
    /// Read everything and warn about what is risky.
    Check,
    /// Print a JSON Schema (draft 2020-12) of a file that you may write.
    Schema {
        /// Which file: the settings, a theme, or the keys.
        #[arg(value_enum, default_value_t = File::Config)]
        of: File,
    },
}

/// A file that a user may write.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum File {
    /// The settings.
    Config,
    /// A theme.
    Theme,
    /// The keys of the console.
    Keymap,
}

impl File {
    fn schema(self) -> Value {
        match self {
            Self::Config => settings::schema(),
            Self::Theme => theme::schema(),
            Self::Keymap => keymap::schema(),
        }
    }
}

impl Config {
    pub(super) fn run(self, flags: &Flags) -> Result<Page, Failure> {
        let load = || Settings::load(flags, std::env::vars_os());
        match self {
            Self::Init => {
                let path = config_path(flags, std::env::vars_os())?;
                write_template(&path)?;
                let shown = path.display().to_string();
                Ok(Page::new(
                    Exit::Done,
                    vec![format!("written: {shown}")],
                    "config-init",
                    json!({"path": shown}),
                ))
            }
            Self::Print => {
                let rows = load()?.rows();
                let lines = rows
                    .iter()
                    .map(|(key, value, source)| format!("{key} = {value}  ({source})"))
                    .collect();
                let json: Vec<_> = rows.iter().map(|(key, value, source)| json!({"key": key, "value": value, "source": source})).collect();
                Ok(Page::new(
                    Exit::Done,
                    lines,
                    "config-print",
                    json!({"settings": json}),
                ))
            }
            Self::Path => {
                let paths = load()?.paths();
                let rows = [
                    ("config_file", paths.config_file),
                    ("keys_file", paths.keys_file),
                    ("agent_file", paths.agent_file),
                    ("themes_dir", paths.themes_dir),
                    ("data_dir", paths.data_dir),
                    ("state_dir", paths.state_dir),
                    ("log_file", paths.log_file),
                ];
                let rows =
                    rows.map(|(name, path)| (name, path.map(|path| path.display().to_string())));
                let lines = rows
                    .iter()
                    .map(|(name, path)| format!("{name} = {}", path.as_deref().unwrap_or("none")))
                    .collect();
                let json = rows
                    .iter()
                    .map(|(name, path)| ((*name).to_owned(), json!(path)))
                    .collect();
                Ok(Page::new(
                    Exit::Done,
                    lines,
                    "config-path",
                    serde_json::Value::Object(json),
                ))
            }
            Self::Check => {
                let warnings = load()?.warnings();
                let mut lines: Vec<_> = warnings
                    .iter()
                    .map(|warning| format!("warning: {warning}"))
                    .collect();
                lines.push(if warnings.is_empty() {
                    "the settings are sound".to_owned()
                } else {
                    format!("{} warnings", warnings.len())
                });
                let exit = if warnings.is_empty() {
                    Exit::Done
                } else {
                    Exit::No
                };
                Ok(Page::new(
                    exit,
                    lines,
                    "config-check",
                    json!({"warnings": warnings}),
                ))
            }
            Self::Schema { of } => Ok(Page::raw(format!("{:#}\n", of.schema()).into_bytes())),
        }
    }
}
