//! Skips a window that nobody has begun, with the reason; it counts like one that did not pass.

use super::super::entry::{Action, Asked, Draft, Field, Required, Stop};
use super::ending::{self, Ending};
use super::{RUN, run_target};
use crate::clock::Moment;
use crate::rules::Refusal;
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::rules::week::{self as rule, RunStatus, SkipReason};
use crate::store::week::Window;
use crate::store::{StoreError, View};

pub(in crate::actions) struct SkipWindow {
    run: String,
    why: SkipReason,
}

impl Action for SkipWindow {
    const MAY: Permission = permission::SKIP_WINDOW;
    const KEY: char = 'k';
    const SUMMARY: &'static str = "Skip a window with a reason; it counts as one that did not pass";
    const UNDO: &'static str = "cannot be undone: it stays a week that did not pass";
    const KIND: &'static str = RUN;
    const TARGET: &'static str = "The run";
    const FIELDS: &'static [Field] = &[Field {
        name: "because",
        help: "maintenance, credential_rotation or manual_pause",
        required: Required::Yes,
    }];
    type Facts = Ending;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            run: asked.target.clone(),
            why: asked.required("because")?.parse()?,
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Ending, StoreError> {
        ending::read(view, &self.run).await
    }

    fn propose(&self, facts: &Ending, by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let there = facts.there(&self.run)?;
        let standing = there.window.standing(there.series, there.earlier_open);
        let conditions = rule::may_skip(&standing, by.actor, now);
        let after = Window {
            status: RunStatus::Skip,
            skip_reason: Some(self.why),
            completed_at: Some(now),
            ..there.window.clone()
        };
        let (rows, notices) = facts.rows(there.window, after, now)?;
        Ok(Draft::new(run_target(there.window), conditions, rows).with_notices(notices))
    }
}
