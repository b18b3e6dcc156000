//! The closed list of what has a look: names by meaning, never by colour.

use crate::rules::words;

words! {
    /// What a token's colours lie on, and so what they are checked against.
    pub enum Kind {
        /// A background; only a background.
        Ground = "itself",
        /// Something to read: text, a sign, a figure.
        Text = "any ground",
        /// Something to read in the selected row.
        Selected = "selection.bg",
        /// A line around things; it tells nothing that words do not tell.
        Line = "any ground, unchecked",
    }
}

/// Declares the tokens with name, kind and meaning, so that each stands in one place.
macro_rules! tokens {
    ($($variant:ident = $name:literal, $kind:ident, $meaning:literal;)+) => {
        /// What can be given a look.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Token { $(#[doc = $meaning] $variant,)+ }

        impl Token {
            /// All tokens, in their fixed order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Returns the name that theme files use.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// Says in one sentence what the token is for.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning),+ }
            }

            /// Says what its colours lie on.
            #[must_use]
            pub const fn kind(self) -> Kind {
                match self { $(Self::$variant => Kind::$kind),+ }
            }
        }
    };
}

tokens! {
    Bg = "bg", Ground, "What lies behind everything.";
    Surface = "surface", Ground, "What lies behind a pane, a bar or a header.";
    Raised = "raised", Ground, "What lies behind a dialog, a menu or a field.";
    Fg = "fg", Text, "Ordinary text.";
    Muted = "muted", Text, "Text that may be skipped.";
    Border = "border", Line, "The line around a pane.";
    BorderFocus = "border.focus", Text, "The line and the title of the pane that has the keys.";
    Accent = "accent", Text, "What leads the eye: a title, a link, the current place.";
    Match = "match", Text, "The letters that a filter or search has found.";
    SelectionFg = "selection.fg", Selected, "The text of the selected row.";
    SelectionBg = "selection.bg", Ground, "What lies behind the selected row.";
    SelectionMarker = "selection.marker", Selected, "The sign before the selected row.";
    StatusOk = "status.ok", Text, "As it should be.";
    StatusWarn = "status.warn", Text, "Needs a look soon.";
    StatusDanger = "status.danger", Text, "Wrong, and needs a hand.";
    StatusInfo = "status.info", Text, "Worth knowing.";
    StatusPending = "status.pending", Text, "Not decided yet.";
    StatusBlocked = "status.blocked", Text, "Held back until somebody answers.";
    StatusStale = "status.stale", Text, "Was true when it was last looked at.";
    StatusUnknown = "status.unknown", Text, "Cannot tell.";
    EnvProd = "env.prod", Text, "The chip of a production deployment.";
    EnvStaging = "env.staging", Text, "The chip of a staging deployment.";
    EnvDev = "env.dev", Text, "The chip of a development deployment.";
    EnvDemo = "env.demo", Text, "The chip of the demo.";
    ModeReadonly = "mode.readonly", Text, "Nothing can be written here.";
    ModeArmed = "mode.armed", Text, "The next key may write.";
    PhaseDone = "phase.done", Text, "A phase that lies behind.";
    PhaseCurrent = "phase.current", Text, "The phase that runs.";
    PhaseNext = "phase.next", Text, "A phase that lies ahead.";
    PhaseFailed = "phase.failed", Text, "A phase that went wrong.";
    GatePass = "gate.pass", Text, "The gate lets it through.";
    GateFail = "gate.fail", Text, "The gate holds it back.";
    GateUnknown = "gate.unknown", Text, "The gate cannot tell.";
    GateOverridden = "gate.overridden", Text, "A person went past the gate, with a reason.";
    SlaOk = "sla.ok", Text, "Time enough.";
    SlaSoon = "sla.soon", Text, "Not much time left.";
    SlaBreach = "sla.breach", Text, "Too late.";
    AckSigned = "ack.signed", Text, "Somebody has signed.";
    AckWaiting = "ack.waiting", Text, "A signature is asked for.";
    AckStale = "ack.stale", Text, "What was signed has changed since.";
    DiffOld = "diff.old", Text, "The value before.";
    DiffNew = "diff.new", Text, "The value after.";
    DiffSame = "diff.same", Text, "A value that stays.";
    KeyHint = "key.hint", Text, "A key that does something here.";
    KeyLabel = "key.label", Text, "What that key does.";
    KeyDisabled = "key.disabled", Text, "A key that does nothing now, and what it would do.";
    DialogBorder = "dialog.border", Text, "The line and the title of a dialog.";
    DialogDanger = "dialog.danger", Text, "The line and the title of a dialog that cannot be undone.";
    InputFg = "input.fg", Text, "What is typed.";
    InputCursor = "input.cursor", Text, "The place where the next letter goes.";
    InputError = "input.error", Text, "What is wrong with what is typed.";
    Spark1 = "spark.1", Text, "A small value in a row of little bars.";
    Spark2 = "spark.2", Text, "A middling value in a row of little bars.";
    Spark3 = "spark.3", Text, "A large value in a row of little bars.";
}

impl Token {
    /// Finds a token by its name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|token| token.name() == name)
    }

    /// Returns the part of the name before its dot: tokens that share it stand beside each other.
    #[must_use]
    pub fn group(self) -> Option<&'static str> {
        self.name().split_once('.').map(|(group, _)| group)
    }

    pub(super) const fn place(self) -> usize {
        self as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_token_is_found_by_its_name_and_at_its_place() {
        for (place, token) in Token::ALL.iter().enumerate() {
            assert_eq!(Token::named(token.name()), Some(*token));
            assert_eq!(token.place(), place);
            assert!(token.meaning().ends_with('.'), "{}", token.name());
        }
        assert_eq!(Token::named("status"), None);
        assert_eq!(Token::StatusOk.group(), Some("status"));
        assert_eq!(Token::Bg.group(), None);
    }
}
