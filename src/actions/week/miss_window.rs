//! Marks a window missed whose time went by, by rule.

use super::super::entry::{Action, Asked, Draft, Stop};
use super::ending::{self, Ending};
use super::{RUN, run_target};
use crate::clock::Moment;
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::rules::week::{self as rule, RunStatus};
use crate::rules::{Refusal, time};
use crate::store::week::Window;
use crate::store::{StoreError, View, ledger};

pub(in crate::actions) struct MissWindow {
    run: String,
}

pub(in crate::actions) struct Facts {
    ending: Ending,
    latest_entry_at: Option<Moment>,
}

impl Action for MissWindow {
    const MAY: Permission = permission::MISS_WINDOW;
    const KEY: char = ' ';
    const SUMMARY: &'static str = "Mark a window missed whose time went by";
    const UNDO: &'static str = "cannot be undone: a window ends once";
    const KIND: &'static str = RUN;
    const TARGET: &'static str = "The run";
    type Facts = Facts;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            run: asked.target.clone(),
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Facts, StoreError> {
        Ok(Facts {
            ending: ending::read(view, &self.run).await?,
            latest_entry_at: ledger::head(view).await?.latest_at_utc,
        })
    }

    fn propose(&self, facts: &Facts, _by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let there = facts.ending.there(&self.run)?;
        let standing = there.window.standing(there.series, there.earlier_open);
        let mut conditions = rule::may_miss(&standing, now);
        conditions.push(time::can_be_counted(facts.latest_entry_at, now));
        let after = Window {
            status: RunStatus::Missed,
            completed_at: Some(now),
            ..there.window.clone()
        };
        let (rows, notices) = facts.ending.rows(there.window, after, now)?;
        Ok(Draft::new(run_target(there.window), conditions, rows).with_notices(notices))
    }
}
