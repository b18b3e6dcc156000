//! The one table of settings. Parser, help, template and tests read it; a new setting is a row here
//! and a field in [`Settings`].

use std::fmt;
use std::path::{Path, PathBuf};

use super::drivers;
use super::dsn::Dsn;
use super::dsn_fault::DsnFault;
use super::error::Fault;
use super::notices;
use super::{Settings, Source};

/// Says what a setting takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The address of a database.
    Dsn,
    /// `true` or `false`.
    Switch,
    /// The path of a folder.
    Folder,
    /// The path of a file.
    File,
    /// A plain name.
    Name,
    /// Commands, parted by commas.
    Commands,
    /// One of these words.
    Choice(&'static [&'static str]),
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dsn => out.write_str("the address of a database"),
            Self::Switch => out.write_str("true or false"),
            Self::Folder => out.write_str("the path of a folder"),
            Self::File => out.write_str("the path of a file"),
            Self::Name => out.write_str("a name"),
            Self::Commands => out.write_str("commands, parted by commas"),
            Self::Choice(words) => write!(out, "one of {}", words.join(", ")),
        }
    }
}

/// Describes one setting.
#[derive(Debug)]
pub struct Key {
    /// Its name in the config file.
    pub name: &'static str,
    /// The environment variable that sets it.
    pub env: &'static str,
    /// The command-line flag that sets it, where there is one.
    pub flag: Option<&'static str>,
    /// What it means, in one sentence.
    pub meaning: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// What holds when nobody sets it.
    pub default: &'static str,
    /// A value as the config file spells it.
    pub example: &'static str,
    pub(super) show: fn(&Settings) -> (String, &Source),
}

/// Every setting, in the order in which people read them.
pub static KEYS: &[Key] = &[
    Key {
        name: "dsn",
        env: "GOVDECK_DSN",
        flag: Some("--dsn"),
        meaning: "The database that holds the governance state: sqlite:<path> or postgres://user@host/database.",
        kind: Kind::Dsn,
        default: "the file govdeck.db in the data folder",
        example: "\"sqlite:govdeck.db\"",
        show: |settings| (settings.dsn.to_string(), &settings.dsn.source),
    },
    Key {
        name: "direct_dsn",
        env: "GOVDECK_DIRECT_DSN",
        flag: None,
        meaning: "A connection to the same database that goes past the pooler.",
        kind: Kind::Dsn,
        default: "none",
        example: "\"postgres://user@host:5432/govdeck\"",
        show: |settings| {
            let shown = settings.direct_dsn.as_ref().map(Dsn::to_string);
            (
                shown.unwrap_or_else(|| NONE.to_owned()),
                &settings.direct_dsn.source,
            )
        },
    },
    Key {
        name: "viewer_dsn",
        env: "GOVDECK_VIEWER_DSN",
        flag: None,
        meaning: "A login for the same database that may only look: the console reads with it until it writes.",
        kind: Kind::Dsn,
        default: "none",
        example: "\"postgres://viewer@host:5432/govdeck\"",
        show: |settings| {
            let shown = settings.viewer_dsn.as_ref().map(Dsn::to_string);
            (
                shown.unwrap_or_else(|| NONE.to_owned()),
                &settings.viewer_dsn.source,
            )
        },
    },
    Key {
        name: "pooled",
        env: "GOVDECK_POOLED",
        flag: None,
        meaning: "Whether dsn leads through a pooler, so that some commands need direct_dsn.",
        kind: Kind::Switch,
        default: "false",
        example: "false",
        show: |settings| (settings.pooled.to_string(), &settings.pooled.source),
    },
    Key {
        name: "governance_root",
        env: "GOVDECK_GOVERNANCE_ROOT",
        flag: None,
        meaning: "The folder that migrations, bundles and registry are looked up in.",
        kind: Kind::Folder,
        default: "the current folder",
        example: "\".\"",
        show: |settings| {
            let root = &settings.governance_root;
            (shown_path(root), &root.source)
        },
    },
    Key {
        name: "bundle_dsn",
        env: "GOVDECK_BUNDLE_DSN",
        flag: None,
        meaning: "The database that SQL bundles change, past any pooler.",
        kind: Kind::Dsn,
        default: "dsn, or direct_dsn behind a pooler",
        example: "\"postgres://bundler@host/metrics\"",
        show: |settings| {
            let shown = settings.bundle_dsn.as_ref().map(Dsn::to_string);
            (
                shown.unwrap_or_else(|| NONE.to_owned()),
                &settings.bundle_dsn.source,
            )
        },
    },
    Key {
        name: "rehearsal_dsn",
        env: "GOVDECK_REHEARSAL_DSN",
        flag: None,
        meaning: "A database like that, on which SQL bundles are planned; an empty one on a server, into which a cutover is forked to be rehearsed.",
        kind: Kind::Dsn,
        default: "a copy that is thrown away",
        example: "\"postgres://bundler@host/rehearsal\"",
        show: |settings| {
            let shown = settings.rehearsal_dsn.as_ref().map(Dsn::to_string);
            (
                shown.unwrap_or_else(|| NONE.to_owned()),
                &settings.rehearsal_dsn.source,
            )
        },
    },
    drivers::DRIVERS,
    drivers::HOUR,
    drivers::REHEARSAL,
    Key {
        name: "signing_key",
        env: "GOVDECK_SIGNING_KEY",
        flag: None,
        meaning: "The key that signs for you: a public key that the ssh-agent holds, or a private one.",
        kind: Kind::File,
        default: "none",
        example: "\"/home/maya/.ssh/id_ed25519.pub\"",
        show: |settings| {
            let shown = settings.signing_key.as_deref().map(shown_path);
            (
                shown.unwrap_or_else(|| NONE.to_owned()),
                &settings.signing_key.source,
            )
        },
    },
    Key {
        name: "log_level",
        env: "GOVDECK_LOG_LEVEL",
        flag: None,
        meaning: "How much is written to the log.",
        kind: Kind::Choice(LogLevel::WORDS),
        default: "info",
        example: "\"info\"",
        show: |settings| (settings.log_level.to_string(), &settings.log_level.source),
    },
    Key {
        name: "log_file",
        env: "GOVDECK_LOG_FILE",
        flag: None,
        meaning: "The file the log is written to.",
        kind: Kind::File,
        default: "the file govdeck.log in the state folder",
        example: "\"govdeck.log\"",
        show: |settings| {
            let shown = settings.log_file.as_deref().map(shown_path);
            (
                shown.unwrap_or_else(|| NONE.to_owned()),
                &settings.log_file.source,
            )
        },
    },
    Key {
        name: "theme",
        env: "GOVDECK_THEME",
        flag: Some("--theme"),
        meaning: "What the console looks like; auto is dark or light, as the terminal is.",
        kind: Kind::Name,
        default: "auto",
        example: "\"auto\"",
        show: |settings| (settings.theme.to_string(), &settings.theme.source),
    },
    notices::NOTIFICATIONS,
];

pub(super) const NONE: &str = "(none)";

/// Variables with our prefix that are no settings; a name that ends in `*` stands for all that begin so.
pub static OTHER_VARIABLES: &[(&str, &str)] = &[
    (CONFIG_VARIABLE, "The config file to read, as --config."),
    ("GOVDECK_ROUNDS", "How many rounds long tests run."),
    (
        "GOVDECK_BLESS",
        "Set, tests renew the files they compare with.",
    ),
    ("GOVDECK_BENCH_*", "What benchmarks are run with."),
];

pub(super) const CONFIG_VARIABLE: &str = "GOVDECK_CONFIG";

/// Says how much is written to the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// Nothing.
    Off,
    /// What went wrong.
    Error,
    /// Also what may go wrong.
    Warn,
    /// Also what happened.
    Info,
    /// Also how it happened.
    Debug,
}

impl LogLevel {
    const WORDS: &'static [&'static str] = &["off", "error", "warn", "info", "debug"];
    const ALL: [Self; 5] = [Self::Off, Self::Error, Self::Warn, Self::Info, Self::Debug];

    /// Gives the word the config file uses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
        }
    }
}

impl fmt::Display for LogLevel {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.as_str())
    }
}

/// Reads a value from the text of any layer; errors never repeat the text, which may be a secret gone astray.
pub(super) trait Readable: Sized {
    fn read(text: &str) -> Result<Self, Fault>;
}

impl Readable for Dsn {
    fn read(text: &str) -> Result<Self, Fault> {
        Self::parse(text).map_err(|fault: DsnFault| Fault::new(fault.to_string(), fault.hint()))
    }
}

impl Readable for bool {
    fn read(text: &str) -> Result<Self, Fault> {
        text.parse()
            .map_err(|_| Fault::new("is neither true nor false", "write true or false"))
    }
}

impl Readable for PathBuf {
    fn read(text: &str) -> Result<Self, Fault> {
        if text.trim().is_empty() {
            return Err(Fault::new(
                "is empty",
                "write a path, or leave the setting out",
            ));
        }
        if text.chars().any(char::is_control) {
            return Err(Fault::new(
                "holds a control character",
                "write a path without control characters",
            ));
        }
        Ok(Self::from(text))
    }
}

impl Readable for String {
    fn read(text: &str) -> Result<Self, Fault> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if !text.is_empty() && text.chars().all(plain) {
            return Ok(text.to_owned());
        }
        Err(Fault::new(
            "is not a plain name",
            "write lower-case letters, digits and `-`, as in dark",
        ))
    }
}

impl Readable for LogLevel {
    fn read(text: &str) -> Result<Self, Fault> {
        let found = Self::ALL.into_iter().find(|level| level.as_str() == text);
        found.ok_or_else(|| none_of(Self::WORDS, text))
    }
}

/// Says that a text is none of the words that may be chosen.
pub(super) fn none_of(words: &[&str], text: &str) -> Fault {
    let all = words.join(", ");
    let hint = match nearest(text, words.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("choose one of {all}"),
    };
    Fault::new(format!("is none of {all}"), hint)
}

/// Finds the candidate a person probably meant.
pub(crate) fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let word = word.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (strsim::osa_distance(&word, candidate), candidate))
        .filter(|(distance, candidate)| distance * 3 <= word.chars().count().max(candidate.len()))
        .min()
        .map(|(_, candidate)| candidate)
}

/// Shows a path in one line, whatever its name is.
pub(crate) fn shown_path(path: &Path) -> String {
    let text = path.to_string_lossy();
    // An address that got into the wrong place may hold a password.
    if text.contains("://") {
        return "(an address)".to_owned();
    }
    text.replace(char::is_control, "\u{FFFD}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_complete_and_named_by_one_rule() {
        for key in KEYS {
            assert_eq!(key.env, format!("GOVDECK_{}", key.name.to_uppercase()));
            assert!(key.meaning.ends_with('.'), "{}", key.name);
            assert!(!key.default.is_empty() && !key.example.is_empty());
            let same = KEYS.iter().filter(|other| other.name == key.name);
            assert_eq!(same.count(), 1, "{}", key.name);
            let flag = format!("--{}", key.name.replace('_', "-"));
            assert!(key.flag.is_none_or(|given| given == flag));
        }
    }

    #[test]
    fn words_and_levels_are_the_same_list() {
        let words: Vec<&str> = LogLevel::ALL.iter().map(|level| level.as_str()).collect();
        assert_eq!(words, LogLevel::WORDS);
        assert!(LogLevel::Off < LogLevel::Debug);
    }

    #[test]
    fn nearest_wants_a_likeness() {
        let names = || KEYS.iter().map(|key| key.name);
        assert_eq!(nearest("dns", names()), Some("dsn"));
        assert_eq!(nearest("DSN", names()), Some("dsn"));
        assert_eq!(nearest("pool", names()), Some("pooled"));
        assert_eq!(nearest("loglevel", names()), Some("log_level"));
        assert_eq!(nearest("url", names()), None);
        assert_eq!(nearest("", names()), None);
    }

    #[test]
    fn a_path_is_shown_in_one_line() {
        assert_eq!(shown_path(Path::new("/a\n\u{1b}b")), "/a\u{FFFD}\u{FFFD}b");
    }
}
