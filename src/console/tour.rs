//! The tour: a few steps on the live console, each done as soon as its key was pressed; it writes nothing by itself.

use super::dialog::Stage;
use super::keymap::{Intent, Keymap};
use super::model::Model;
use super::overlay::Overlay;
use super::panes::PaneId;

/// A step: the keys that do it, what they are for, and how to tell that it was done.
struct Step {
    keys: &'static [Intent],
    says: &'static str,
    done: fn(&Model) -> bool,
}

const STEPS: &[Step] = &[
    Step {
        keys: &[Intent::Blocks],
        says: "the runs that the gate stopped, and the time left for each",
        done: |model| model.pane == PaneId::Blocks,
    },
    Step {
        keys: &[Intent::Why],
        says: "every condition of every action on this row",
        done: |model| matches!(model.overlay, Some(Overlay::Text(_))),
    },
    Step {
        keys: &[Intent::Escape],
        says: "closes what is open, always",
        done: |model| model.overlay.is_none() && model.dialog.is_none(),
    },
    Step {
        keys: &[Intent::Act],
        says: "the only door for writes: what can be done, and why not",
        done: |model| matches!(model.overlay, Some(Overlay::Actions)) || model.dialog.is_some(),
    },
    Step {
        keys: &[],
        says: "press an action's letter: its dialog; looking writes nothing",
        done: |model| {
            let asked = |stage: &Stage| !matches!(stage, Stage::Planning);
            model
                .dialog
                .as_ref()
                .is_some_and(|dialog| asked(&dialog.stage))
        },
    },
    Step {
        keys: &[Intent::Escape, Intent::Ledger],
        says: "who decided what, and what it changed",
        done: |model| model.pane == PaneId::Ledger && model.dialog.is_none(),
    },
    Step {
        keys: &[Intent::Verify],
        says: "hashes the whole ledger again",
        done: |model| model.verified.is_some(),
    },
    Step {
        keys: &[Intent::Help],
        says: "all keys; that was the tour",
        done: |model| matches!(model.overlay, Some(Overlay::Text(_))),
    },
];

/// Where somebody is on the tour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tour {
    at: usize,
}

impl Tour {
    /// Goes on past the step that was done; none when the tour is over.
    #[must_use]
    pub fn after(self, model: &Model) -> Option<Self> {
        let step = STEPS.get(self.at)?;
        let at = self.at + usize::from((step.done)(model));
        (at < STEPS.len()).then_some(Self { at })
    }

    /// Says what to press now, and what for.
    #[must_use]
    pub fn says(self, keymap: &Keymap) -> String {
        let Some(step) = STEPS.get(self.at) else {
            return String::new();
        };
        let keys: Vec<String> = step.keys.iter().map(|key| keymap.hint(*key)).collect();
        let keys = keys.join(" ");
        let lead = if keys.is_empty() {
            String::new()
        } else {
            format!("press {keys}: ")
        };
        format!("tour {}/{}  {lead}{}", self.at + 1, STEPS.len(), step.says)
    }
}

#[cfg(test)]
mod tests {
    use super::super::keymap::Preset;
    use super::*;

    #[test]
    fn every_step_fits_eighty_columns_in_every_preset() {
        for preset in Preset::ALL {
            let keymap = Keymap::of(*preset).expect("it is sound");
            for at in 0..STEPS.len() {
                let said = Tour { at }.says(&keymap);
                assert!(said.chars().count() <= 78, "{preset}: {said}");
            }
        }
    }
}
