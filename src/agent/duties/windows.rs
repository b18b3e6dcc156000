//! Windows of weekly reconciliation: planned before their time, and marked missed after it.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Agenda, Deed};
use crate::actions::ByRule;
use crate::rules::week::is_missed;
use crate::store::week::{self, Series};
use crate::store::{StoreError, View};

/// How many open windows one look watches.
const MOST: i64 = 10_000;
/// How many windows of a series one look plans at most; the next one goes on.
const PLANNED_AT_ONCE: usize = 60;

/// The smallest step of a database's clock.
const STEP: Duration = Duration::from_micros(1);

pub(super) async fn look(
    view: &mut View,
    agenda: &mut Agenda,
    planned_ahead: Duration,
) -> Result<(), StoreError> {
    let series = week::series_all(view).await?;
    miss(view, agenda, &series).await?;
    for series in series.iter().filter(|it| it.active) {
        plan(view, agenda, series, planned_ahead).await?;
    }
    Ok(())
}

/// The earliest first, since windows end in their order.
async fn miss(view: &mut View, agenda: &mut Agenda, all: &[Series]) -> Result<(), StoreError> {
    let all: BTreeMap<&str, &Series> = all.iter().map(|it| (&*it.series_id, it)).collect();
    for window in week::open_windows(view, MOST).await? {
        let Some(series) = all.get(&*window.series_id) else {
            continue;
        };
        if is_missed(&window.standing(series, None), agenda.now) {
            let run = window.job_run_id;
            agenda.add(Deed::Missed, ByRule::MissWindow { run });
        } else {
            let closes = series.schedule().closes(window.scheduled_at);
            agenda.look_at(closes.plus(STEP));
        }
    }
    Ok(())
}

/// None is left out, however long nobody planned any: what was never planned was missed all the same.
async fn plan(
    view: &mut View,
    agenda: &mut Agenda,
    series: &Series,
    ahead: Duration,
) -> Result<(), StoreError> {
    let schedule = series.schedule();
    let until = agenda.now.plus(ahead);
    let mut last = week::planned(view, &series.series_id).await?;
    for _ in 0..PLANNED_AT_ONCE {
        let at = schedule.next(last);
        if at > until {
            let wait = at.since(until).to_std().unwrap_or_default();
            agenda.look_at(agenda.now.plus(wait));
            return Ok(());
        }
        let series = series.series_id.clone();
        agenda.add(Deed::Planned, ByRule::PlanWindow { series, at });
        last = Some(at);
    }
    agenda.look_at(agenda.now.plus(STEP));
    Ok(())
}
