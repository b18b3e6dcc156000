//! The environment as it was given, with a refusal for every variable of ours that means nothing.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use super::error::{SettingsError, named};
use super::keys::{KEYS, OTHER_VARIABLES, nearest};

const PREFIX: &str = "GOVDECK_";

/// The given variables: ours are known and given once, others are only kept.
#[derive(Default)]
pub(super) struct Environment {
    variables: BTreeMap<OsString, OsString>,
}

impl Environment {
    pub fn collect(
        given: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, SettingsError> {
        let mut variables = BTreeMap::new();
        for (name, value) in given {
            let is_ours = name.as_encoded_bytes().starts_with(PREFIX.as_bytes());
            if is_ours {
                check_name(&name)?;
            }
            let shown = is_ours.then(|| named(&name.to_string_lossy()));
            if let (Some(_), Some(shown)) = (variables.insert(name, value), shown) {
                return Err(SettingsError::new(
                    format!("the environment variable {shown} is given twice"),
                    "unset it and set it once",
                ));
            }
        }
        Ok(Self { variables })
    }

    /// Gives a variable as it is.
    pub fn get(&self, name: &str) -> Option<&OsStr> {
        self.variables
            .get(OsStr::new(name))
            .map(OsString::as_os_str)
    }

    /// Gives a variable of ours, which has to be text and to say something.
    pub fn text(&self, name: &str) -> Result<Option<&str>, SettingsError> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        let problem = match value.to_str() {
            None => "is not UTF-8 text",
            Some("") => "is empty",
            Some(text) => return Ok(Some(text)),
        };
        Err(SettingsError::new(
            format!("the environment variable `{name}` {problem}"),
            format!("give it a value, or unset {name}"),
        ))
    }
}

fn check_name(name: &OsStr) -> Result<(), SettingsError> {
    let name = name.to_string_lossy();
    let is_other = |other: &str| match other.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => name == other,
    };
    let known = KEYS.iter().any(|key| key.env == name)
        || OTHER_VARIABLES.iter().any(|(other, _)| is_other(other));
    if known {
        return Ok(());
    }
    Err(SettingsError::new(
        format!(
            "the environment variable {} means nothing here",
            named(&name)
        ),
        match meant(&name) {
            Some(near) => format!("did you mean `{PREFIX}{}`?", near.to_uppercase()),
            None => "unset it; `govdeck config print` lists the settings".to_owned(),
        },
    ))
}

/// Compares without the common prefix, which would make any two names look alike.
fn meant(name: &str) -> Option<&'static str> {
    let rest = name.strip_prefix(PREFIX)?;
    nearest(rest, KEYS.iter().map(|key| key.name))
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt;

    use super::*;

    fn collect(pairs: &[(&str, &str)]) -> Result<Environment, SettingsError> {
        Environment::collect(
            pairs
                .iter()
                .map(|(name, value)| (name.into(), value.into())),
        )
    }

    fn refused(pairs: &[(&str, &str)]) -> (String, String) {
        let error = collect(pairs).err().unwrap();
        (error.sentence, error.hint)
    }

    #[test]
    fn unknown_variables_of_ours_are_refused() {
        assert_eq!(
            refused(&[("GOVDECK_DNS", "x")]),
            (
                "the environment variable `GOVDECK_DNS` means nothing here".to_owned(),
                "did you mean `GOVDECK_DSN`?".to_owned()
            )
        );
        assert_eq!(
            refused(&[("GOVDECK_TELEPORT", "x")]),
            (
                "the environment variable `GOVDECK_TELEPORT` means nothing here".to_owned(),
                "unset it; `govdeck config print` lists the settings".to_owned()
            )
        );
        for name in [
            "GOVDECK_",
            "GOVDECK_BENCH",
            "GOVDECK_ROUNDS_X",
            "GOVDECK_dsn",
        ] {
            assert!(collect(&[(name, "x")]).is_err(), "{name}");
        }
        for name in [
            "GOVDECK_BENCH_",
            "GOVDECK_BENCH_X",
            "GOVDECK_ROUNDS",
            "GOVDECK",
        ] {
            assert!(collect(&[(name, "")]).is_ok(), "{name}");
        }
    }

    #[test]
    fn a_name_that_is_no_text_is_refused_without_repeating_it() {
        let name = OsString::from_vec(b"GOVDECK_\xff".to_vec());
        let error = Environment::collect([(name, "x".into())]).err().unwrap();
        assert_eq!(
            error.sentence,
            "the environment variable (a name with unusual characters) means nothing here"
        );
    }

    #[test]
    fn empty_twofold_and_undecodable_values_are_refused() {
        let empty = collect(&[("GOVDECK_DSN", "")]).unwrap();
        let error = empty.text("GOVDECK_DSN").unwrap_err();
        assert_eq!(
            error.sentence,
            "the environment variable `GOVDECK_DSN` is empty"
        );
        assert_eq!(error.hint, "give it a value, or unset GOVDECK_DSN");

        let twice = [("GOVDECK_DSN", "sqlite:a"), ("GOVDECK_DSN", "sqlite:b")];
        assert_eq!(
            refused(&twice).0,
            "the environment variable `GOVDECK_DSN` is given twice"
        );
        assert!(collect(&[("PATH", "a"), ("PATH", "b")]).is_ok());

        let value = OsString::from_vec(b"sqlite:\xff".to_vec());
        let broken = Environment::collect([("GOVDECK_DSN".into(), value)]).unwrap();
        let error = broken.text("GOVDECK_DSN").unwrap_err();
        assert_eq!(
            error.sentence,
            "the environment variable `GOVDECK_DSN` is not UTF-8 text"
        );
    }
}
