//! Actions of weekly reconciliation: series, windows, runs, incidents, and names under runs.

mod ack_run;
mod acknowledge_incident;
mod adopt_policy;
mod annex_run;
mod attach_remediation;
mod declare_bootstrap;
mod ending;
mod finish_run;
mod leave_red;
mod miss_window;
mod outside;
mod override_run;
mod plan_window;
mod register_series;
mod report;
mod retire_series;
mod revoke_ack;
mod skip_window;
mod start_run;

pub(super) use ack_run::AckRun;
pub(super) use acknowledge_incident::AcknowledgeIncident;
pub(super) use adopt_policy::AdoptPolicy;
pub(super) use annex_run::AnnexRun;
pub(super) use attach_remediation::AttachRemediation;
pub(super) use declare_bootstrap::DeclareBootstrap;
pub use finish_run::Finding;
pub(super) use finish_run::FinishRun;
pub(super) use leave_red::LeaveRed;
pub(super) use miss_window::MissWindow;
pub use outside::diff_seen;
pub(super) use override_run::OverrideRun;
pub(super) use plan_window::PlanWindow;
pub use plan_window::window_run_id;
pub(super) use register_series::RegisterSeries;
pub(super) use retire_series::RetireSeries;
pub(super) use revoke_ack::RevokeAck;
pub(super) use skip_window::SkipWindow;
pub(super) use start_run::StartRun;
pub use start_run::Unplanned;

use super::entry::Asked;
use crate::clock::Moment;
use crate::rules::Refusal;
use crate::store::Target;
use crate::store::week::{Incident, Window};

/// What the target of an action on a run is called.
const RUN: &str = "week";
const SERIES: &str = "series";
const INCIDENT: &str = "incident";

fn no_such_run(id: &str) -> Refusal {
    Refusal::new(
        format!("there is no weekly run {id:?}"),
        "`govdeck window list` shows them",
    )
}

fn no_such_series(id: &str) -> Refusal {
    Refusal::new(
        format!("there is no series {id:?}"),
        "register it first: govdeck act register-series",
    )
}

fn no_such_incident(id: &str) -> Refusal {
    Refusal::new(
        format!("there is no incident {id:?}"),
        "`govdeck week status` shows what is open",
    )
}

fn run_target(window: &Window) -> Target {
    Target {
        kind: RUN,
        id: window.job_run_id.clone(),
        version: window.version,
    }
}

fn incident_target(incident: &Incident) -> Target {
    Target {
        kind: INCIDENT,
        id: incident.incident_id.clone(),
        version: incident.version,
    }
}

fn moment(field: &str, text: &str) -> Result<Moment, Refusal> {
    text.parse().map_err(|error| {
        Refusal::new(
            format!("{field}: {error}"),
            "write it as RFC 3339 in UTC, with a Z at its end",
        )
    })
}

/// Reads a whole number, or takes what holds when none is given.
fn number(asked: &Asked, field: &str, left_out: i64) -> Result<i64, Refusal> {
    let Some(text) = asked.optional(field) else {
        return Ok(left_out);
    };
    text.parse().map_err(|_| {
        Refusal::new(
            format!("{field}: {text:?} is no whole number"),
            "write it in digits",
        )
    })
}
