//! A verb whose words are put together only when it is asked for: those of all verbs take a megabyte and milliseconds.

use std::ops::Deref;

use clap::builder::Resettable;
use clap::{ArgMatches, Args, Command, Error, FromArgMatches, Subcommand};

/// What stands behind a verb.
#[derive(Debug)]
pub(super) struct Later<T>(pub(super) T);

impl<T> Deref for Later<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: FromArgMatches> FromArgMatches for Later<T> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        T::from_arg_matches(matches).map(Self)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        self.0.update_from_arg_matches(matches)
    }
}

impl<T: Args> Args for Later<T> {
    fn augment_args(verb: Command) -> Command {
        verb.defer(|verb| as_it_is_told(verb, T::augment_args))
    }

    fn augment_args_for_update(verb: Command) -> Command {
        verb.defer(|verb| as_it_is_told(verb, T::augment_args_for_update))
    }
}

impl<T: Subcommand> Subcommand for Later<T> {
    fn augment_subcommands(verb: Command) -> Command {
        verb.defer(|verb| as_it_is_told(verb, T::augment_subcommands))
    }

    fn augment_subcommands_for_update(verb: Command) -> Command {
        verb.defer(|verb| as_it_is_told(verb, T::augment_subcommands_for_update))
    }

    fn has_subcommand(name: &str) -> bool {
        T::has_subcommand(name)
    }
}

/// Adds words to a verb, and leaves what the list of verbs says of it.
fn as_it_is_told(verb: Command, words: fn(Command) -> Command) -> Command {
    let about = verb.get_about().cloned();
    let long = verb.get_long_about().cloned();
    let verb = words(verb);
    match about {
        Some(about) => verb.about(about).long_about(Resettable::from(long)),
        None => verb,
    }
}
