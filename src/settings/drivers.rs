//! The commands that bundles may have run as drivers.

use super::error::Fault;
use super::keys::{NONE, Readable};
use super::{Settings, Source};

impl Readable for Vec<String> {
    fn read(text: &str) -> Result<Self, Fault> {
        let commands = text.split(',').map(|command| {
            let words: Vec<&str> = command.split_whitespace().collect();
            words.join(" ")
        });
        let commands: Self = commands.collect();
        if commands.iter().any(String::is_empty) || text.chars().any(char::is_control) {
            return Err(Fault::new(
                "names a command that is empty, or holds a control character",
                "write commands parted by commas, or leave the setting out",
            ));
        }
        if commands.iter().any(|command| command.contains("://")) {
            return Err(Fault::new(
                "has an address in a command, where its password would be seen by everybody",
                "have the driver read the address from a file or from its environment",
            ));
        }
        Ok(commands)
    }
}

/// Shows them in one line.
pub(super) fn shown(settings: &Settings) -> (String, &Source) {
    let drivers = &settings.bundle_drivers;
    let shown = match drivers.as_slice() {
        [] => NONE.to_owned(),
        commands => commands.join(", "),
    };
    (shown, &drivers.source)
}
