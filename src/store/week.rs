//! Weekly reconciliation: series, their windows, what was found, and what people did about it.

mod kept;
mod list;
mod looks;
mod names;
mod query;
mod rows;

pub use kept::Kept;
pub use list::{Listed, WEEK_FIELDS, WeekSort, listed, listed_at, strip};
pub use looks::{
    Ended, Look, ack, active_series, annex, annex_for, annexes_of, bootstrap, ended_before,
    evidence_of, find, incident, incidents_in, look, metric_of, metrics, open_before,
    open_incidents, open_windows, packet, packet_of, past, planned, policies, policy, remediation,
    revocation, runs_of_tuple, scheduled_in, series, series_all, windows,
};
pub use names::{Name, acks, found_diff, inputs, names};
pub use query::rows_as_csv;
pub use rows::{
    Ack, AckRevocation, Annex, Bootstrap, EpsilonPolicy, Incident, Metric, OverridePacket,
    Remediation, Series, Window,
};
