//! The secrets that a driver is given, and everything that must not show them.

use std::env;
use std::fmt;

use zeroize::Zeroizing;

use super::error::{DriverError, Trouble};

/// What is written where a secret stood.
const HIDDEN: &str = "***";

/// Passwords shorter than this are words that may stand anywhere by chance; the whole address is looked for all the same.
const SHORTEST_PASSWORD: usize = 4;

/// Named values from govdeck's own environment, for one child's environment and nothing else.
pub struct Secrets {
    values: Vec<(String, Zeroizing<String>)>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_list().entries(self.names()).finish()
    }
}

impl Secrets {
    /// Looks up each name in govdeck's own environment.
    pub fn from_environment(names: &[String]) -> Result<Self, DriverError> {
        Self::resolve(names, |name| env::var_os(name)?.into_string().ok())
    }

    /// Looks up each name; a missing or empty one is refused, and so are names that are govdeck's own.
    pub fn resolve(
        names: &[String],
        look_up: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, DriverError> {
        let refuse = |sentence: String, hint: &str| {
            Err(DriverError::new(Trouble::NotConfigured, sentence, hint))
        };
        let mut values: Vec<(String, Zeroizing<String>)> = Vec::new();
        for name in names {
            if !is_name(name) {
                return refuse(
                    format!("{name:?} is no name of a secret reference"),
                    "write upper-case letters, digits and `_`, beginning with a letter",
                );
            }
            if is_reserved(name) {
                return refuse(
                    format!("`{name}` may not be handed to a driver"),
                    "give the driver's secret a name of its own",
                );
            }
            if values.iter().any(|(known, _)| known == name) {
                return refuse(format!("`{name}` is named twice"), "name it once");
            }
            match look_up(name) {
                Some(value) if !value.is_empty() && !value.contains('\0') => {
                    values.push((name.clone(), Zeroizing::new(value)));
                }
                _ => {
                    return refuse(
                        format!("the secret `{name}` is not in the environment"),
                        "set it where govdeck runs, from where secrets are kept",
                    );
                }
            }
        }
        Ok(Self { values })
    }

    /// Lists the names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.values.iter().map(|(name, _)| name.as_str())
    }

    pub(super) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Tells whether a text shows one of them.
    #[must_use]
    pub fn shown_in(&self, text: &str) -> bool {
        self.forms().iter().any(|form| text.contains(form.as_str()))
    }

    /// Writes a text without them, and without anything else that looks like an address with a password.
    #[must_use]
    pub fn scrub(&self, text: &str) -> String {
        let mut clean = text.to_owned();
        for form in self.forms() {
            clean = clean.replace(form.as_str(), HIDDEN);
        }
        without_passwords(&clean)
    }

    /// Lists what would give a secret away, the longest first: values, as they are and as JSON writes them, and the
    /// passwords in them.
    fn forms(&self) -> Vec<Zeroizing<String>> {
        let mut forms = Vec::new();
        for (_, value) in &self.values {
            forms.push(value.clone());
            let written = serde_json::Value::from(value.as_str()).to_string();
            forms.push(Zeroizing::new(written.trim_matches('"').to_owned()));
            if let Some(password) = password_of(value)
                && password.len() >= SHORTEST_PASSWORD
            {
                forms.push(Zeroizing::new(decoded(password)));
                forms.push(Zeroizing::new(password.to_owned()));
            }
        }
        forms.retain(|form| !form.is_empty());
        forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
        forms
    }
}

fn is_name(name: &str) -> bool {
    let begins = name.starts_with(|first: char| first.is_ascii_uppercase());
    let rest = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    begins && name.len() <= 128 && name.chars().all(rest)
}

/// Names that steer programs or reach govdeck's own database; a bundle's file must not hand them on.
fn is_reserved(name: &str) -> bool {
    const BEGINS: &[&str] = &["GOVDECK_", "LD_", "DYLD_"];
    const WHOLE: &[&str] = &["PATH", "HOME", "IFS", "ENV", "SHELL", "BASH_ENV"];
    BEGINS.iter().any(|begin| name.starts_with(begin)) || WHOLE.contains(&name)
}

/// Finds the password between `user:` and the last `@` of an address's authority, or the value of `password=`.
fn password_of(value: &str) -> Option<&str> {
    let Some((_, rest)) = value.split_once("://") else {
        let (_, rest) = value.split_once("password=")?;
        return rest.split([' ', '&', ';']).next();
    };
    if let Some((before, _)) = rest.rsplit_once('@')
        && let Some((_, password)) = before.split_once(':')
    {
        return Some(password);
    }
    let (_, rest) = rest.split_once("password=")?;
    rest.split('&').next()
}

/// Decodes `%` escapes; what is no escape stays.
pub(super) fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escape = bytes
            .get(at + 1..at + 3)
            .filter(|_| bytes[at] == b'%')
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        out.push(escape.unwrap_or(bytes[at]));
        at += if escape.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Blanks words that look like addresses with a password in them.
fn without_passwords(text: &str) -> String {
    let is_end = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '`');
    let mut clean = String::with_capacity(text.len());
    for word in text.split_inclusive(is_end) {
        let bare = word.trim_end_matches(is_end);
        let address = bare
            .split_once("://")
            .is_some_and(|(_, rest)| rest.contains('@') || rest.contains("password="));
        let named = bare.to_ascii_lowercase().contains("password=");
        if address || named {
            clean.push_str("(address not shown)");
            clean.push_str(&word[bare.len()..]);
        } else {
            clean.push_str(word);
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(value: &str) -> Secrets {
        let names = ["SEARCH_DSN".to_owned()];
        Secrets::resolve(&names, |_| Some(value.to_owned())).expect("a name and a value")
    }

    #[test]
    fn neither_address_nor_password_is_shown_in_any_form() {
        let secrets = secrets("postgres://u:p%40ss\"word@h/d");
        assert!(!format!("{secrets:?}").contains("word"));
        for text in [
            "cannot reach postgres://u:p%40ss\"word@h/d",
            "{\"dsn\": \"postgres://u:p%40ss\\\"word@h/d\"}",
            "wrong password p@ss\"word",
            "wrong password p%40ss\"word!",
        ] {
            assert!(secrets.shown_in(text), "{text}");
            let clean = secrets.scrub(text);
            assert!(
                !clean.contains("ss\"word") && !clean.contains("word@"),
                "{clean}"
            );
        }
        let other = secrets.scrub("and postgres://x:y@z/d, mysql://a:b@c 'user=a password=b'");
        assert_eq!(
            other,
            "and (address not shown) (address not shown) 'user=a (address not shown)'"
        );
        assert!(!secrets.shown_in("a word, and u at h"));
    }

    #[test]
    fn names_that_steer_programs_or_are_ours_are_refused() {
        for name in [
            "",
            "a",
            "A B",
            "1A",
            "GOVDECK_DSN",
            "LD_PRELOAD",
            "PATH",
            "A=B",
        ] {
            let refused = Secrets::resolve(&[name.to_owned()], |_| Some("x".to_owned()));
            assert!(refused.is_err(), "{name}");
        }
        for value in [None, Some(String::new())] {
            let missing = Secrets::resolve(&["A_DSN".to_owned()], |_| value.clone());
            assert_eq!(missing.unwrap_err().trouble, Trouble::NotConfigured);
        }
        let twice = ["A".to_owned(), "A".to_owned()];
        assert!(Secrets::resolve(&twice, |_| Some("x".to_owned())).is_err());
    }
}
