//! Looking at the past: which moment, and the way back.

use super::super::keymap::Intent;
use super::super::overlay::{Overlay, Palette};
use super::super::past_sight::{self, PastSight};
use super::super::theme::Token;
use super::Model;
use crate::clock::Moment;
use crate::rules::Refusal;

impl Model {
    /// Opens the palette where a moment is typed.
    pub(in crate::console) fn ask_moment(&mut self) {
        self.overlay = Some(Overlay::Palette(Palette::asking_moment()));
    }

    /// Looks at a moment in the past from now on; tells whether what was typed is a moment.
    pub(in crate::console) fn look_back(&mut self, typed: &str) -> bool {
        match past_sight::parse(typed) {
            Ok(at) => {
                self.as_of = Some(at);
                self.status = None;
                true
            }
            Err(error) => {
                self.refuse(&Refusal::new(
                    error.to_string(),
                    "the seconds may be left out",
                ));
                false
            }
        }
    }

    /// Comes back from the past.
    pub(in crate::console) fn come_back(&mut self) {
        let said = match self.as_of.take() {
            Some(_) => "back in the present",
            None => "this is the present",
        };
        self.say_quietly(said.to_owned());
    }

    /// Takes what the picture found of the past; where there is none, it says why and comes back.
    pub(super) fn see_past(&mut self) {
        let Some(picture) = self.picture.clone() else {
            return;
        };
        if let (Some(Err(none)), true) = (&picture.past, picture.wanted.as_of == self.as_of) {
            self.as_of = None;
            self.refuse(&none.refusal());
        }
    }

    /// Returns what is known of the moment in the past that is looked at.
    #[must_use]
    pub fn past(&self) -> Option<&PastSight> {
        let picture = self.picture.as_ref()?;
        self.as_of.filter(|_| picture.wanted.as_of == self.as_of)?;
        picture.past.as_ref()?.as_ref().ok()
    }

    /// Returns the moment that the rows are of: now, or one in the past.
    #[must_use]
    pub fn moment(&self) -> Option<Moment> {
        self.as_of.or_else(|| self.now())
    }

    /// Says in a title that the rows are of the past.
    #[must_use]
    pub fn as_of_words(&self, dot: &str) -> String {
        self.as_of.map_or_else(String::new, |at| {
            format!(" {dot} AS OF {}, history", past_sight::short(at))
        })
    }

    /// Says in the header that the rows are of the past.
    pub(in crate::console) fn as_of_chip(&self, width: u16) -> Option<(Token, String)> {
        let at = past_sight::short(self.as_of?);
        // Where there is little room, deployment and person need it more: the title says the year, and that it is history.
        let said = match at.split_once('-') {
            Some((_, day)) if width < 100 => format!(" AS OF {day} "),
            _ => format!(" AS OF {at}, history "),
        };
        Some((Token::StatusStale, said))
    }

    /// Says why nothing is done while the past is looked at; nothing in the present.
    pub(in crate::console) fn not_in_the_past(&self) -> Option<Refusal> {
        self.as_of.map(|_| {
            Refusal::new(
                "you look at the past",
                format!("{} comes back", self.start.keymap.hint(Intent::Now)),
            )
        })
    }
}
