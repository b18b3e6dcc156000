//! Claims a window for whoever compares now, or makes one that nobody planned.

use super::super::entry::{Action, Asked, Draft, Row, Stop};
use super::plan_window::empty;
use super::{RUN, no_such_run, no_such_series, number, run_target};
use crate::clock::Moment;
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::rules::week::{self as rule, RunKind, RunStatus};
use crate::rules::{Refusal, time};
use crate::store::week::{self, Series, Window};
use crate::store::{StoreError, Target, View, ledger, person};

/// How long a claim holds when nobody says otherwise.
const CLAIM_MINUTES: i64 = 15;

/// A run that nobody planned.
#[derive(Debug, Clone)]
pub struct Unplanned {
    /// Why it is made.
    pub kind: RunKind,
    /// Its series.
    pub series: String,
    /// Its time, which names it.
    pub at: Moment,
}

impl Unplanned {
    /// Returns the id that the run will have.
    #[must_use]
    pub fn run_id(&self) -> String {
        super::plan_window::run_id(&self.series, self.kind, self.at)
    }
}

pub(in crate::actions) struct StartRun {
    run: String,
    claim: String,
    minutes: i64,
    unplanned: Option<Unplanned>,
}

pub(in crate::actions) struct Facts {
    window: Option<Window>,
    series: Option<Series>,
    earlier_open: Option<String>,
    triggered_by: Option<String>,
    latest_entry_at: Option<Moment>,
}

impl Action for StartRun {
    const MAY: Permission = permission::START_RUN;
    const KEY: char = ' ';
    const SUMMARY: &'static str = "Claim a window for whoever compares now";
    const UNDO: &'static str = "by itself: when the claim is over, somebody else takes it up";
    const KIND: &'static str = RUN;
    const TARGET: &'static str = "The run";
    type Facts = Facts;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        let unplanned = match asked.optional("kind") {
            Some(kind) => Some(Unplanned {
                kind: kind.parse()?,
                series: asked.required("series")?.to_owned(),
                at: super::moment("at", asked.required("at")?)?,
            }),
            None => None,
        };
        Ok(Self {
            run: asked.target.clone(),
            claim: asked.required("claim")?.to_owned(),
            minutes: number(asked, "minutes", CLAIM_MINUTES)?,
            unplanned,
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Facts, StoreError> {
        let window = week::find(view, &self.run).await?;
        let series = match (&window, &self.unplanned) {
            (Some(window), _) => Some(window.series_id.clone()),
            (None, unplanned) => unplanned.as_ref().map(|run| run.series.clone()),
        };
        let earlier_open = match &window {
            Some(window) => week::open_before(view, &window.series_id, window.scheduled_at).await?,
            None => None,
        };
        Ok(Facts {
            series: match series {
                Some(series) => week::series(view, &series).await?,
                None => None,
            },
            window,
            earlier_open,
            triggered_by: person::actor(view).await?.map(|actor| actor.person_id),
            latest_entry_at: ledger::head(view).await?.latest_at_utc,
        })
    }

    fn propose(&self, facts: &Facts, _by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let running = |before: &Window, version: i64| Window {
            status: RunStatus::Running,
            started_at: Some(now),
            claim: Some(self.claim.clone()),
            claim_until: Some(now.plus_minutes(self.minutes)),
            triggered_by: facts.triggered_by.clone(),
            version,
            ..before.clone()
        };
        let clock = time::can_be_counted(facts.latest_entry_at, now);
        if let (None, Some(unplanned)) = (&facts.window, &self.unplanned) {
            let series = facts
                .series
                .as_ref()
                .ok_or_else(|| no_such_series(&unplanned.series))?;
            let planned = empty(&unplanned.series, unplanned.kind, unplanned.at);
            let window = running(&planned, 1);
            let target = Target {
                version: 0,
                ..run_target(&window)
            };
            let mut conditions = rule::may_start(&planned.standing(series, None), now);
            conditions.push(clock);
            return Ok(Draft::new(target, conditions, vec![Row::new(window)]));
        }
        let before = facts
            .window
            .as_ref()
            .ok_or_else(|| no_such_run(&self.run))?;
        let series = facts
            .series
            .as_ref()
            .ok_or_else(|| no_such_series(&before.series_id))?;
        let standing = before.standing(series, facts.earlier_open.as_deref());
        let mut conditions = rule::may_start(&standing, now);
        conditions.push(clock);
        let after = running(before, before.version + 1);
        Ok(Draft::new(
            run_target(before),
            conditions,
            vec![Row::change(before, after)?],
        ))
    }
}
