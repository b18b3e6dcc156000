//! The command that is a driver: words, without a shell.

use std::env;
use std::path::{Path, PathBuf};

use super::error::{DriverError, Trouble};
use crate::rules::text::scrub;

/// The word that stands for this program itself.
const OURSELVES: &str = "govdeck";

/// The drivers that govdeck ships.
const SHIPPED: &[&str] = &[
    "govdeck bundle driver search",
    "govdeck bundle driver graph",
];

/// A driver's program and its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DriverCommand {
    program: PathBuf,
    arguments: Vec<String>,
}

impl DriverCommand {
    /// Takes words; the first one is `govdeck` for this program, a path, or a name that is looked up on `PATH`.
    pub fn of_words(words: &[String]) -> Result<Self, DriverError> {
        let (first, arguments) = words
            .split_first()
            .filter(|(first, _)| !first.is_empty())
            .ok_or_else(|| unusable("no command is given"))?;
        if words.iter().any(|word| word.contains(char::is_control)) {
            return Err(unusable("the command holds a control character"));
        }
        Ok(Self {
            program: find(first)?,
            arguments: arguments.to_vec(),
        })
    }

    /// Takes the line of a declaration, if it is a driver that govdeck ships, or one of the commands that the settings name: a
    /// bundle comes from anybody, and decides by itself of no program.
    pub fn of_bundle(line: &str, allowed: &[String]) -> Result<Self, DriverError> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let command = words.join(" ");
        let is_shipped = SHIPPED.contains(&command.as_str());
        if is_shipped || allowed.contains(&command) {
            return Self::parse(&command);
        }
        Err(DriverError::new(
            Trouble::NotConfigured,
            format!("the settings do not name the driver {:?}", scrub(&command)),
            "whoever runs bundles here names it, word for word, in the setting bundle_drivers",
        ))
    }

    /// Takes a line as a declaration has it: words parted by spaces, nothing that a shell would understand.
    pub fn parse(line: &str) -> Result<Self, DriverError> {
        const SHELL: &str = "|&;<>()$`\\\"'*?[]#~{}!";
        if line.contains(|c| SHELL.contains(c)) {
            return Err(DriverError::new(
                Trouble::NotConfigured,
                "the command holds a sign that a shell would understand, and no shell runs it",
                "write the program and its words parted by spaces; put more into a script",
            ));
        }
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Self::of_words(&words)
    }

    pub(super) fn program(&self) -> &Path {
        &self.program
    }

    pub(super) fn arguments(&self) -> &[String] {
        &self.arguments
    }

    /// Says which program it is.
    #[must_use]
    pub fn shown(&self) -> String {
        self.program.display().to_string()
    }
}

fn unusable(sentence: &str) -> DriverError {
    DriverError::new(
        Trouble::NotConfigured,
        sentence,
        "name a program that speaks govdeck.bundle-driver.v1, such as `govdeck bundle driver search`",
    )
}

/// The child's environment is cleared, so the look-up on `PATH` happens here.
fn find(first: &str) -> Result<PathBuf, DriverError> {
    if first == OURSELVES {
        return env::current_exe().map_err(|_| unusable("this program cannot be found"));
    }
    let missing = || unusable(&format!("there is no program {first:?}"));
    if first.contains('/') {
        // A link is not resolved: some programs go by the name that they are called by.
        let program = std::path::absolute(first).map_err(|_| missing())?;
        return if program.is_file() {
            Ok(program)
        } else {
            Err(missing())
        };
    }
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(first))
        .find(|program| program.is_file())
        .ok_or_else(missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_names_no_program_that_the_settings_do_not() {
        let allowed = ["sh one two".to_owned()];
        for line in ["sh one two", " sh  one two ", "govdeck bundle driver graph"] {
            let command = DriverCommand::of_bundle(line, &allowed);
            assert_eq!(command, DriverCommand::parse(line), "{line}");
        }
        for line in [
            "",
            "sh",
            "sh one",
            "sh one two three",
            "/bin/sh one two",
            "govdeck",
            "govdeck bundle driver search --more",
            "govdeck init",
            "./govdeck bundle driver search",
        ] {
            let refused = DriverCommand::of_bundle(line, &allowed).unwrap_err();
            assert_eq!(refused.trouble, Trouble::NotConfigured, "{line}");
            assert!(refused.hint.contains("bundle_drivers"), "{line}");
        }
        assert!(DriverCommand::of_bundle("sh one two", &[]).is_err());
    }

    #[test]
    fn a_command_is_words_and_never_for_a_shell() {
        let sh = DriverCommand::parse("sh  one two").expect("there is a sh");
        assert!(sh.program().is_absolute());
        assert_eq!(sh.arguments(), ["one", "two"]);
        let ours = DriverCommand::parse("govdeck bundle driver search").expect("ours");
        assert_eq!(ours.program(), env::current_exe().expect("it has a path"));
        for line in [
            "",
            "  ",
            "sh -c 'x'",
            "a;b",
            "a $(b)",
            "no-such-program",
            "/no/such",
            "a\u{1b}",
        ] {
            let refused = DriverCommand::parse(line).unwrap_err();
            assert_eq!(refused.trouble, Trouble::NotConfigured, "{line}");
        }
    }
}
