//! The config file: opened with care, read strictly, every complaint with its line and column.

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Source;
use super::error::{Fault, SettingsError, named};
use super::keys::{KEYS, Key, Kind, nearest, shown_path};
use super::layers::Entry;

const LARGEST: u64 = 1_000_000;

/// Says what it means when the file is not there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    Required,
    Optional,
}

/// A config file that was read.
pub(super) struct ConfigFile {
    pub path: PathBuf,
    pub text: String,
    pub mode: u32,
}

impl ConfigFile {
    /// Reads the file, or finds that an optional one is not there.
    pub fn read(path: &Path, presence: Presence) -> Result<Option<Self>, SettingsError> {
        match fs::metadata(path) {
            // Opening a named pipe waits for a writer, so nothing is opened before this check.
            Ok(metadata) => check_type(path, &metadata)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let is_link = fs::symlink_metadata(path).is_ok();
                return match presence {
                    Presence::Optional if !is_link => Ok(None),
                    _ => Err(missing(path)),
                };
            }
            Err(error) => return Err(unreadable(path, &error)),
        }
        let (bytes, metadata) = take_bytes(path).map_err(|error| unreadable(path, &error))?;
        check_type(path, &metadata)?;
        if bytes.len() as u64 > LARGEST {
            return Err(SettingsError::new(
                format!("the config file {} is larger than 1 MB", shown_path(path)),
                "is this the right file? a config file has a line for each setting",
            ));
        }
        let text = String::from_utf8(bytes).map_err(|error| {
            let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = valid.split(|byte| *byte == b'\n').count();
            SettingsError::new(
                format!("{}, line {line}: the text is not UTF-8", shown_path(path)),
                "save the file as UTF-8",
            )
        })?;
        Ok(Some(Self {
            path: path.to_owned(),
            text,
            mode: metadata.mode(),
        }))
    }

    /// Takes the file apart into entries, in the order of its lines.
    pub fn entries(&self) -> Result<Vec<Entry>, SettingsError> {
        let table = DeTable::parse(&self.text).map_err(|error| self.syntax(&error))?;
        let mut pairs: Vec<_> = table.get_ref().iter().collect();
        pairs.sort_by_key(|(name, _)| name.span().start);
        pairs
            .into_iter()
            .map(|(name, value)| self.entry(name.get_ref(), name.span().start, value))
            .collect()
    }

    fn entry(
        &self,
        name: &str,
        start: usize,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<Entry, SettingsError> {
        let Some(key) = KEYS.iter().find(|key| key.name == name) else {
            return Err(SettingsError::at(&self.place(start), unknown(name)));
        };
        let (line, column) = position(&self.text, value.span().start);
        let text = text_of(key, value.get_ref())
            .map_err(|fault| SettingsError::at(&self.place(value.span().start), fault))?;
        Ok(Entry {
            key,
            text,
            source: Source::File {
                path: self.path.clone(),
                line,
            },
            column: Some(column),
        })
    }

    fn syntax(&self, error: &toml::de::Error) -> SettingsError {
        let span = error.span().unwrap_or_default();
        let place = self.place(span.start);
        let key = self.text.get(span).unwrap_or_default();
        let fault = if error.message() == "duplicate key" {
            Fault::new(
                format!("{} is given twice", named(key)),
                "keep one of the two lines",
            )
        } else {
            // Never the parser's own display: it quotes the line, and the line may hold a password.
            Fault::new(
                format!("this is not TOML: {}", error.message()),
                "a line is a name, `=` and a value; text stands in quotes, as in log_level = \"info\"",
            )
        };
        SettingsError::at(&place, fault)
    }

    fn place(&self, offset: usize) -> String {
        let (line, column) = position(&self.text, offset);
        place(&self.path, line, column)
    }
}

/// Words a place in a file.
pub(super) fn place(path: &Path, line: usize, column: usize) -> String {
    format!("{}, line {line}, column {column}", shown_path(path))
}

fn take_bytes(path: &Path) -> io::Result<(Vec<u8>, Metadata)> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes)?;
    Ok((bytes, metadata))
}

fn check_type(path: &Path, metadata: &Metadata) -> Result<(), SettingsError> {
    if metadata.is_file() {
        return Ok(());
    }
    let what = if metadata.is_dir() {
        "a folder"
    } else {
        "a pipe, a socket or a device"
    };
    Err(SettingsError::new(
        format!("the config file {} is {what}", shown_path(path)),
        "give the path of a plain file",
    ))
}

fn missing(path: &Path) -> SettingsError {
    SettingsError::new(
        format!("the config file {} does not exist", shown_path(path)),
        "correct the path, or write a file with `govdeck config init`",
    )
}

fn unreadable(path: &Path, error: &io::Error) -> SettingsError {
    SettingsError::new(
        format!(
            "the config file {} cannot be read: {}",
            shown_path(path),
            error.kind()
        ),
        "check the path and who may read it",
    )
}

fn unknown(name: &str) -> Fault {
    let names = || KEYS.iter().map(|key| key.name);
    let hint = match nearest(name, names()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known settings: {}", names().collect::<Vec<_>>().join(", ")),
    };
    Fault::new(format!("{} is not a setting", named(name)), hint)
}

fn text_of(key: &Key, value: &DeValue<'_>) -> Result<String, Fault> {
    let wanted = match (key.kind, value) {
        (Kind::Switch, DeValue::Boolean(switch)) => return Ok(switch.to_string()),
        (Kind::Switch, _) => "true or false",
        (_, DeValue::String(text)) => return Ok(text.clone().into_owned()),
        _ => "a string",
    };
    let given = match value.type_str() {
        given @ ("array" | "integer") => format!("an {given}"),
        given => format!("a {given}"),
    };
    Err(Fault::new(
        format!("`{}` must be {wanted}, not {given}", key.name),
        format!("write {} = {}", key.name, key.example),
    ))
}

/// Counts lines and characters from one.
pub(crate) fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = 1 + before.matches('\n').count();
    let column = 1 + before.chars().rev().take_while(|c| *c != '\n').count();
    (line, column)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> (String, String) {
        let file = ConfigFile {
            path: PathBuf::from("/c.toml"),
            text: text.to_owned(),
            mode: 0o600,
        };
        let error = file.entries().err().unwrap();
        (error.sentence, error.hint)
    }

    #[test]
    fn every_complaint_names_line_and_column() {
        let table = [
            (
                "# hello\n\ndns = \"sqlite:x\"\n",
                "/c.toml, line 3, column 1: `dns` is not a setting",
                "did you mean `dsn`?",
            ),
            (
                "[database]\nurl = \"x\"\n",
                "/c.toml, line 1, column 2: `database` is not a setting",
                "known settings: dsn, direct_dsn, viewer_dsn, pooled, governance_root, bundle_dsn, rehearsal_dsn, bundle_drivers, hour_commands, rehearsal_commands, signing_key, log_level, log_file, theme, notifications",
            ),
            (
                "pooled = false\ndsn = 7\n",
                "/c.toml, line 2, column 7: `dsn` must be a string, not an integer",
                "write dsn = \"sqlite:govdeck.db\"",
            ),
            (
                "pooled = \"true\"",
                "/c.toml, line 1, column 10: `pooled` must be true or false, not a string",
                "write pooled = false",
            ),
            (
                "dsn.path = \"x\"",
                "/c.toml, line 1, column 1: `dsn` must be a string, not a table",
                "write dsn = \"sqlite:govdeck.db\"",
            ),
            (
                "dsn = \"sqlite:a\"\nlog_level = \"info\"\ndsn = \"sqlite:b\"\n",
                "/c.toml, line 3, column 1: `dsn` is given twice",
                "keep one of the two lines",
            ),
            (
                "\"a \\u001b[31m\" = 1",
                "/c.toml, line 1, column 1: (a name with unusual characters) is not a setting",
                "known settings: dsn, direct_dsn, viewer_dsn, pooled, governance_root, bundle_dsn, rehearsal_dsn, bundle_drivers, hour_commands, rehearsal_commands, signing_key, log_level, log_file, theme, notifications",
            ),
        ];
        for (text, sentence, hint) in table {
            assert_eq!(refused(text), (sentence.to_owned(), hint.to_owned()));
        }
    }

    #[test]
    fn what_is_not_toml_is_named_without_quoting_it() {
        let table = [
            ("dsn = sqlite:x\n", "line 1, column 7"),
            ("\n\ndsn \"x\"\n", "line 3, column 5"),
            ("dsn = \"sqlite:x\n", "line 1, column"),
            ("[[\n", "line 1, column"),
            ("log_file = \"a\\qb\"", "line 1, column"),
        ];
        for (text, place) in table {
            let (sentence, hint) = refused(text);
            assert!(
                sentence.starts_with(&format!("/c.toml, {place}")),
                "{sentence}"
            );
            assert!(sentence.contains(": this is not TOML: "), "{sentence}");
            assert!(!sentence.contains('\n') && hint.contains("quotes"));
        }
        for text in [
            "dsn = postgres://u:canary@h/d",
            "dsn = \"postgres://u:canary@h/d",
            "dsn = \"postgres://u:canary\\q@h/d\"",
            "dsn = 'postgres://u:canary@h/d' canary",
            "dsn = \"x\"\ndsn = \"postgres://u:canary@h/d\"",
            "canary",
            "dsn = {canary = 1, canary = 2}",
            "\"postgres://u:canary@h/d\" = 1",
            "dsn = [\"canary\"]",
        ] {
            let (sentence, hint) = refused(text);
            let quoted = sentence.contains("canary") || hint.contains("canary");
            // A bare word is a name; a name may be repeated where it is one of a pair.
            assert!(!quoted || text.contains("{canary"), "{sentence}");
        }
    }

    #[test]
    fn columns_count_characters() {
        assert_eq!(position("ä = 1\nöü x", "ä = 1\nöü ".len()), (2, 4));
        assert_eq!(position("", 0), (1, 1));
        assert_eq!(position("a", 99), (1, 2));
    }
}
