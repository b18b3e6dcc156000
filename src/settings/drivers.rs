//! Commands that may be run: as drivers of bundles, and as what the steps of a cutover's hour do outside of govdeck.

use super::error::Fault;
use super::keys::{Key, Kind, NONE, Readable};
use super::{Setting, Source};

/// What bundles may have run.
pub(super) const DRIVERS: Key = Key {
    name: "bundle_drivers",
    env: "GOVDECK_BUNDLE_DRIVERS",
    flag: None,
    meaning: "The drivers that bundles may have run, besides govdeck's own: whole commands.",
    kind: Kind::Commands,
    default: "govdeck's own alone",
    example: "\"/usr/local/bin/parcels-driver --fast\"",
    show: |settings| shown(&settings.bundle_drivers),
};

/// What the steps of an hour may have run.
pub(super) const HOUR: Key = Key {
    name: "hour_commands",
    env: "GOVDECK_HOUR_COMMANDS",
    flag: None,
    meaning: "What plans of a cutover's hour may have run, each as NAME=COMMAND.",
    kind: Kind::Commands,
    default: "none",
    example: "\"purge-annex=/usr/local/bin/purge --annex\"",
    show: |settings| shown(&settings.hour_commands),
};

/// What a rehearsal runs instead.
pub(super) const REHEARSAL: Key = Key {
    name: "rehearsal_commands",
    env: "GOVDECK_REHEARSAL_COMMANDS",
    flag: None,
    meaning: "What a rehearsal of the hour runs instead, each as NAME=COMMAND.",
    kind: Kind::Commands,
    default: "none: such a step is not rehearsed",
    example: "\"purge-annex=/usr/local/bin/purge --annex --dry-run\"",
    show: |settings| shown(&settings.rehearsal_commands),
};

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
        // An address may hold a password, and this setting is shown.
        if text.contains("://") {
            return Err(Fault::new(
                "names an address",
                "write commands alone; what is secret, a bundle names in runner.environment",
            ));
        }
        Ok(commands)
    }
}

/// Shows them in one line.
pub(super) fn shown(commands: &Setting<Vec<String>>) -> (String, &Source) {
    let shown = match commands.as_slice() {
        [] => NONE.to_owned(),
        commands => commands.join(", "),
    };
    (shown, &commands.source)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_words_parted_by_single_blanks() {
        let read = |text| Vec::<String>::read(text).map_err(|_| ());
        let two = vec!["/opt/one --fast".to_owned(), "two".to_owned()];
        assert_eq!(read(" /opt/one  --fast ,two"), Ok(two));
        for text in [
            "",
            " ",
            "one,",
            ",one",
            "a\u{1b}b",
            "one postgres://u:p@h/d",
        ] {
            assert_eq!(read(text), Err(()), "{text:?}");
        }
    }
}
