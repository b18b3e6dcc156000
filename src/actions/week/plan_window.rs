//! Plans the next window of a series, by rule: a window that nobody planned could not be missed.

use super::super::entry::{Action, Asked, Draft, Row, Stop, Subject};
use super::{RUN, moment, no_such_series};
use crate::clock::Moment;
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::rules::week::{self as rule, RunKind, RunStatus};
use crate::rules::{Condition, Refusal};
use crate::store::week::{self, Series, Window};
use crate::store::{StoreError, Target, View};

pub(in crate::actions) struct PlanWindow {
    series: String,
    scheduled_at: Moment,
}

pub(in crate::actions) struct Facts {
    series: Option<Series>,
    planned: Option<Moment>,
}

/// Names the run of a window by its series and its time.
pub(super) fn run_id(series: &str, kind: RunKind, scheduled_at: Moment) -> String {
    let at = scheduled_at.as_datetime();
    match kind {
        RunKind::Scheduled => format!("{series}.{}", at.format("%Y%m%dt%H%Mz")),
        other => format!("{series}.{other}.{}", at.format("%Y%m%dt%H%M%S%3fz")),
    }
}

/// Names the run of a scheduled window.
#[must_use]
pub fn window_run_id(series: &str, scheduled_at: Moment) -> String {
    run_id(series, RunKind::Scheduled, scheduled_at)
}

/// Returns a window of which nothing is known yet.
pub(super) fn empty(series: &str, kind: RunKind, scheduled_at: Moment) -> Window {
    Window {
        job_run_id: run_id(series, kind, scheduled_at),
        series_id: series.to_owned(),
        run_kind: kind,
        status: RunStatus::Scheduled,
        scheduled_at,
        started_at: None,
        completed_at: None,
        skip_reason: None,
        reject_reason: None,
        reject_detail: None,
        claim: None,
        claim_until: None,
        triggered_by: None,
        start_inclusive: None,
        end_exclusive: None,
        manifest_sha256: None,
        artifact_uri: None,
        leadership_ingest_hash: None,
        partner_ingest_hash: None,
        tuple_revision_hash: None,
        dictionary_semver: None,
        footer_schema_semver: None,
        epsilon_policy_version: None,
        metrics_total: None,
        metrics_failed: None,
        worst_metric: None,
        worst_ratio: None,
        previous_run_id: None,
        version: 1,
    }
}

impl Action for PlanWindow {
    const MAY: Permission = permission::PLAN_WINDOW;
    const KEY: char = ' ';
    const SUMMARY: &'static str = "Plan the next window of a series";
    const UNDO: &'static str = "skip-window: with a reason, before anybody begins";
    const KIND: &'static str = RUN;
    const TARGET: &'static str = "The series";
    const SUBJECT: Subject = Subject::New;
    type Facts = Facts;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            series: asked.target.clone(),
            scheduled_at: moment("at", asked.required("at")?)?,
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Facts, StoreError> {
        Ok(Facts {
            series: week::series(view, &self.series).await?,
            planned: week::planned(view, &self.series).await?,
        })
    }

    fn propose(&self, facts: &Facts, _by: &Acting<'_>, _now: Moment) -> Result<Draft, Stop> {
        let series = facts
            .series
            .as_ref()
            .ok_or_else(|| no_such_series(&self.series))?;
        let next = series.schedule().next(facts.planned);
        let conditions: Vec<Condition> = rule::may_plan(series.active, next, self.scheduled_at);
        let window = empty(&self.series, RunKind::Scheduled, self.scheduled_at);
        let target = Target {
            kind: RUN,
            id: window.job_run_id.clone(),
            version: 0,
        };
        Ok(Draft::new(target, conditions, vec![Row::new(window)]))
    }
}
