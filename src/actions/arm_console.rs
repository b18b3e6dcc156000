//! Arms a console: its person acts there for some minutes, and everybody sees it.

use super::add_person::plain_line;
use super::entry::{Action, Asked, Draft, Stop};
use crate::clock::Moment;
use crate::rules::Refusal;
use crate::rules::guard::{self, ARMED_MINUTES};
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::store::presence::{self, Armed, Arming};
use crate::store::{StoreError, Target, View};

pub(super) struct ArmConsole {
    console: String,
}

/// Names a console as the target of an action; it has no versions.
pub(super) fn target(console: &str) -> Target {
    Target {
        kind: ArmConsole::KIND,
        id: console.to_owned(),
        version: 0,
    }
}

impl Action for ArmConsole {
    const MAY: Permission = permission::ARM_CONSOLE;
    const KEY: char = 'a';
    const SUMMARY: &'static str = "Arm a console for fifteen minutes, or go on with it";
    const UNDO: &'static str = "by itself: after fifteen minutes, or five without a key; leaving or disarming ends it at once";
    const KIND: &'static str = "console";
    const TARGET: &'static str = "The console's id";
    type Facts = Option<Armed>;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            console: plain_line("console's id", &asked.target)?.to_owned(),
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Option<Armed>, StoreError> {
        presence::find(view, &self.console).await
    }

    fn propose(&self, facts: &Option<Armed>, by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let armed_by = facts.as_ref().map(|armed| armed.person_id.as_str());
        Ok(Draft::new(
            target(&self.console),
            guard::may_arm(by.actor, armed_by),
            Vec::new(),
        )
        .with_arming(Some(Arming {
            console_id: self.console.clone(),
            person_id: by.id(),
            armed_until_utc: Some(now.plus_minutes(ARMED_MINUTES)),
        })))
    }
}
