//! Declares the first pass of a series to be one, by two people: from then on it is green.

use super::super::entry::{Action, Asked, Draft, Row, Stop};
use super::{RUN, no_such_run, run_target};
use crate::clock::Moment;
use crate::rules::Refusal;
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::rules::week as rule;
use crate::store::week::{self, Bootstrap, Look, Window};
use crate::store::{StoreError, View};

pub(in crate::actions) struct DeclareBootstrap {
    run: String,
}

pub(in crate::actions) struct Facts {
    window: Option<Window>,
    look: Option<Look>,
}

/// Reads a run, and how its series stands.
pub(super) async fn run_and_look(
    view: &mut View,
    run: &str,
) -> Result<(Option<Window>, Option<Look>), StoreError> {
    let window = week::find(view, run).await?;
    let series = match &window {
        Some(window) => week::series(view, &window.series_id).await?,
        None => None,
    };
    let look = match series {
        Some(series) => Some(week::look(view, series).await?),
        None => None,
    };
    Ok((window, look))
}

impl Action for DeclareBootstrap {
    const MAY: Permission = permission::DECLARE_BOOTSTRAP;
    const KEY: char = 'b';
    const SUMMARY: &'static str = "Declare the first pass of a series to be one, once";
    const UNDO: &'static str = "cannot be undone: it is declared once for a series";
    const KIND: &'static str = RUN;
    const TARGET: &'static str = "The run";
    type Facts = Facts;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            run: asked.target.clone(),
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Facts, StoreError> {
        let (window, look) = run_and_look(view, &self.run).await?;
        Ok(Facts { window, look })
    }

    fn propose(&self, facts: &Facts, by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let window = facts
            .window
            .as_ref()
            .ok_or_else(|| no_such_run(&self.run))?;
        let look = facts.look.as_ref().ok_or_else(|| no_such_run(&self.run))?;
        let declared = look.bootstrap.as_ref().map(|it| &*it.job_run_id);
        let ended = i64::try_from(look.ended.len()).unwrap_or(i64::MAX);
        let row = Bootstrap {
            series_id: window.series_id.clone(),
            job_run_id: self.run.clone(),
            reason: by.reason(),
            declared_by: by.id(),
            approved_by: by.second(),
            declared_at_utc: now,
            version: 1,
        };
        Ok(Draft::new(
            run_target(window),
            rule::may_declare(window.run_kind, window.status, ended, declared),
            vec![Row::new(row)],
        ))
    }
}
