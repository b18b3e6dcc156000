//! Whether the console has the terminal show a notification beside the bell, and in which of the two spellings.

use std::fmt;

use super::error::Fault;
use super::keys::{Key, Kind, Readable, none_of};

/// How the terminal is told to show a notification.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Notices {
    /// Not at all: the bell and the status line are enough.
    #[default]
    Off,
    /// As OSC 9, which iTerm2 brought.
    Osc9,
    /// As OSC 777, which urxvt brought.
    Osc777,
}

impl Notices {
    const WORDS: &'static [&'static str] = &["off", "osc9", "osc777"];
    const ALL: [Self; 3] = [Self::Off, Self::Osc9, Self::Osc777];

    /// Gives the word the config file uses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Osc9 => "osc9",
            Self::Osc777 => "osc777",
        }
    }
}

impl fmt::Display for Notices {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.as_str())
    }
}

impl Readable for Notices {
    fn read(text: &str) -> Result<Self, Fault> {
        let found = Self::ALL.into_iter().find(|it| it.as_str() == text);
        found.ok_or_else(|| none_of(Self::WORDS, text))
    }
}

/// Whether the bell comes with a notification.
pub(super) const NOTIFICATIONS: Key = Key {
    name: "notifications",
    env: "GOVDECK_NOTIFICATIONS",
    flag: None,
    meaning: "Whether the terminal shows what the bell rings for, and in which spelling it is told.",
    kind: Kind::Choice(Notices::WORDS),
    default: "off",
    example: "\"off\"",
    show: |settings| {
        (
            settings.notifications.to_string(),
            &settings.notifications.source,
        )
    },
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_spellings_are_the_same_list() {
        let words: Vec<&str> = Notices::ALL.iter().map(|it| it.as_str()).collect();
        assert_eq!(words, Notices::WORDS);
        for it in Notices::ALL {
            assert_eq!(Notices::read(it.as_str()).map_err(|_| ()), Ok(it));
        }
        assert!(Notices::read("osc8").is_err());
    }
}
