//! What every ending of a window has in common: the run before it, and the incident that it may open.

use super::super::entry::{Row, Stop};
use super::{no_such_run, no_such_series};
use crate::clock::Moment;
use crate::rules::Refusal;
use crate::rules::week::{RunKind, TOLD_OF_RED, opens_incident};
use crate::store::outbox::Notice;
use crate::store::week::{self, Ended, Incident, Series, Window};
use crate::store::{StoreError, View, person, publish};

/// A window that would end, and what stands around it.
pub(in crate::actions) struct Ending {
    window: Option<Window>,
    series: Option<Series>,
    earlier_open: Option<String>,
    before: Option<Ended>,
    is_red: bool,
    had_reached_partners: bool,
    /// Whoever is told of an incident.
    leads: Vec<String>,
}

/// The window and its series, which are there.
pub(super) struct There<'a> {
    pub window: &'a Window,
    pub series: &'a Series,
    pub earlier_open: Option<&'a str>,
}

/// Reads a window that would end.
pub(super) async fn read(view: &mut View, run: &str) -> Result<Ending, StoreError> {
    let window = week::find(view, run).await?;
    let Some(found) = &window else {
        return Ok(Ending {
            window,
            series: None,
            earlier_open: None,
            before: None,
            is_red: false,
            had_reached_partners: false,
            leads: Vec::new(),
        });
    };
    let (series, at) = (found.series_id.clone(), found.scheduled_at);
    let before = week::ended_before(view, &series, at).await?;
    let since = match &before {
        Some(before) => week::find(view, &before.job_run_id).await?,
        None => None,
    };
    let row = week::series(view, &series).await?;
    let had_reached_partners = match (&since, &row) {
        (Some(since), Some(row)) => {
            let from = since.scheduled_at.plus_minutes(-row.every_minutes);
            publish::passed_since(view, from).await?
        }
        _ => false,
    };
    let open = week::open_incidents(view).await?;
    Ok(Ending {
        earlier_open: week::open_before(view, &series, at).await?,
        before,
        is_red: open.iter().any(|incident| incident.series_id == series),
        had_reached_partners,
        leads: person::holders(view, TOLD_OF_RED).await?,
        window,
        series: row,
    })
}

impl Ending {
    /// Returns the window and its series, or says what is missing.
    pub(super) fn there(&self, run: &str) -> Result<There<'_>, Refusal> {
        let window = self.window.as_ref().ok_or_else(|| no_such_run(run))?;
        let series = self.series.as_ref();
        Ok(There {
            window,
            series: series.ok_or_else(|| no_such_series(&window.series_id))?,
            earlier_open: self.earlier_open.as_deref(),
        })
    }

    /// Returns the rows and messages of the ending: the window itself, and the incident that it opens.
    pub(super) fn rows(
        &self,
        before: &Window,
        after: Window,
        now: Moment,
    ) -> Result<(Vec<Row>, Vec<Notice>), Stop> {
        let is_scheduled = after.run_kind == RunKind::Scheduled;
        let after = Window {
            previous_run_id: self
                .before
                .as_ref()
                .filter(|_| is_scheduled)
                .map(|run| run.job_run_id.clone()),
            version: before.version + 1,
            ..after
        };
        let mut rows = vec![Row::change(before, after.clone())?];
        let mut notices = Vec::new();
        let earlier = self.before.as_ref().map(Ended::run);
        if is_scheduled && opens_incident(earlier, after.status, self.is_red) {
            let incident = self.incident(&after, now);
            notices.extend(self.leads.iter().map(|lead| tell(lead, &incident)));
            rows.push(Row::new(incident));
        }
        Ok((rows, notices))
    }

    fn incident(&self, second: &Window, now: Moment) -> Incident {
        let first = self.before.as_ref().map(|run| run.job_run_id.clone());
        Incident {
            incident_id: format!("inc.{}", second.job_run_id),
            series_id: second.series_id.clone(),
            first_run_id: first.unwrap_or_default(),
            second_run_id: second.job_run_id.clone(),
            opened_at_utc: now,
            addendum_demanded: self.had_reached_partners,
            acknowledged_by: None,
            acknowledged_at_utc: None,
            left_by: None,
            left_approved_by: None,
            left_at_utc: None,
            left_at_run_id: None,
            evidence: None,
            addendum_sha256: None,
            version: 1,
        }
    }
}

fn tell(lead: &str, incident: &Incident) -> Notice {
    let addendum = if incident.addendum_demanded {
        "\nNumbers had reached partners: the readback owes them an addendum."
    } else {
        ""
    };
    Notice {
        event_class: "governance_red",
        about: incident.incident_id.clone(),
        recipient_id: lead.to_owned(),
        subject: format!("governance is RED: {}", incident.series_id),
        body: format!(
            "{} and {} did not pass. Nothing is decided, distributed or promoted until red is left.{addendum}\n\
             See why with: govdeck week status",
            incident.first_run_id, incident.second_run_id
        ),
        drill: false,
    }
}
