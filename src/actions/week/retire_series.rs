//! Retires a series, by two people and never while it is red: a red series that nobody counts would hold nothing.

use super::super::entry::{Action, Asked, Draft, Row, Stop};
use super::{SERIES, no_such_series};
use crate::clock::Moment;
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::rules::week::State;
use crate::rules::{Condition, Refusal};
use crate::store::week::{self, Look, Series};
use crate::store::{StoreError, Target, View};

pub(in crate::actions) struct RetireSeries {
    id: String,
}

impl Action for RetireSeries {
    const MAY: Permission = permission::RETIRE_SERIES;
    const KEY: char = 'd';
    const SUMMARY: &'static str = "Retire a series: it counts no more";
    const UNDO: &'static str = "register-series: it counts again from then on";
    const KIND: &'static str = SERIES;
    const TARGET: &'static str = "The series' id";
    type Facts = Option<Look>;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            id: asked.target.clone(),
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Option<Look>, StoreError> {
        match week::series(view, &self.id).await? {
            Some(series) => week::look(view, series).await.map(Some),
            None => Ok(None),
        }
    }

    fn propose(&self, facts: &Option<Look>, _by: &Acting<'_>, _now: Moment) -> Result<Draft, Stop> {
        let look = facts.as_ref().ok_or_else(|| no_such_series(&self.id))?;
        let before = &look.series;
        let conditions = vec![
            Condition::holds(
                "active",
                before.active,
                "governance_lead",
                if before.active {
                    "the series is active"
                } else {
                    "the series was retired"
                },
                "nothing is left to do",
            ),
            Condition::holds(
                "not_red",
                look.standing.state != State::Red,
                "governance_lead",
                format!(
                    "the series is {}: {}",
                    look.standing.state,
                    look.standing.because.meaning()
                ),
                "red is left, not retired: leave-red",
            ),
        ];
        let after = Series {
            active: false,
            version: before.version + 1,
            ..before.clone()
        };
        let target = Target {
            kind: SERIES,
            id: self.id.clone(),
            version: before.version,
        };
        Ok(Draft::new(
            target,
            conditions,
            vec![Row::change(before, after)?],
        ))
    }
}
