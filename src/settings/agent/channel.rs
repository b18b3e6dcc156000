//! A way out: by e-mail, to a server on the web, or to a command.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

/// How long one message may take when nobody says otherwise.
const SECONDS: u64 = 30;

/// A way out.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Channel {
    /// E-mail over SMTP.
    Mail(Mail),
    /// A signed JSON document to a server on the web.
    Webhook(Hook),
    /// A JSON document on the standard input of a command.
    Command(Command),
}

/// How a connection to a relay is kept from others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Safety {
    /// It is secure from the first byte on.
    Tls,
    /// It is made secure before anything is said.
    #[default]
    Starttls,
    /// It is not; only to this very machine.
    None,
}

/// E-mail over SMTP.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    /// The relay.
    pub host: String,
    /// Its port; none is the usual one of its safety.
    #[serde(default)]
    pub port: Option<u16>,
    /// How the connection is kept from others.
    #[serde(default)]
    pub safety: Safety,
    /// Further certificates to trust, as PEM.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// As whom to log in.
    #[serde(default)]
    pub user: Option<String>,
    /// The file that holds the password.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
    /// Whom messages come from.
    pub from: String,
    /// The addresses of people.
    #[serde(default)]
    pub to: BTreeMap<String, String>,
    /// The domain in which everybody else has an address.
    #[serde(default)]
    pub domain: Option<String>,
    /// How long one message may take.
    #[serde(default)]
    timeout_seconds: Option<u64>,
}

/// A server on the web.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hook {
    /// Where.
    pub url: String,
    /// The file that holds the key of the signature.
    pub secret_file: PathBuf,
    /// Whether the server may stand in a private network, and be spoken to without TLS.
    #[serde(default)]
    pub private: bool,
    /// Further certificates to trust, as PEM.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// How long one message may take.
    #[serde(default)]
    timeout_seconds: Option<u64>,
}

/// A command.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Command {
    /// The program, by its whole path, and its words.
    pub command: Vec<String>,
    /// How long one message may take.
    #[serde(default)]
    timeout_seconds: Option<u64>,
}

impl Channel {
    /// Returns how long one message may take.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        let seconds = match self {
            Self::Mail(mail) => mail.timeout_seconds,
            Self::Webhook(hook) => hook.timeout_seconds,
            Self::Command(command) => command.timeout_seconds,
        };
        Duration::from_secs(seconds.unwrap_or(SECONDS))
    }
}

impl Mail {
    /// Finds the address of a person.
    #[must_use]
    pub fn address_of(&self, person: &str) -> Option<String> {
        let given = self.to.get(person).cloned();
        given.or_else(|| Some(format!("{person}@{}", self.domain.as_ref()?)))
    }
}
