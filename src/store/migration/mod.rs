//! The migration of the dictionary: where it stands, what moved it, and what its gates rest on.

mod aftermath;
mod alone;
mod fingerprint;
mod frozen;
mod half;
mod hour;
mod known;
mod list;
mod looks;
mod mismatch;
mod needing;
mod probe;
mod replay;
mod rows;
mod scan;
mod shape;
mod stuck;
mod undone;
mod walk;
mod watch;
mod way_back;

pub use aftermath::{Aftermath, aftermath};
pub use alone::{Alone, made_alone, uncountersigned};
pub use fingerprint::{ExporterFingerprint, fingerprint, fingerprints};
pub use frozen::Frozen;
pub use half::{Half, fill};
pub use hour::{
    CompleteEvent, Hour, HourPlan, HourStep, KnownHour, KnownPlan, Signoff, banner_between,
    completed, hour_plan, last_hour, newest_hour, running_hour, signoffs,
};
pub use known::{Known, agreed_allowlist, known, planned};
pub use list::{
    MIGRATION_FIELDS, MISMATCH_FIELDS, MigrationSort, Mismatch, MismatchSort, events_at,
    mismatches, window, window_at,
};
pub use looks::{
    allowlist, allowlists, approvals, attempts, calendar, calendar_window, deficiencies,
    deficiencies_of, deficiency, events, evidence, evidence_of, find, gate_owner, gate_owners,
    listed, newest_open, overrides, pair, pairs, protected, under_way,
};
pub use mismatch::{
    Compared, KEPT, Mismatches, RowPair, Stretch, compare, dialect, differing, file, row_pairs,
    rows_of_dictionary, views_stand,
};
pub use needing::{Expanded, Needs, as_filed, expanded, needing};
pub use probe::{Questions, questions};
pub use replay::{ReplayedGolden, Replays, replayed_cells, replays};
pub use rows::{
    Allowlist, AllowlistApproval, CalendarWindow, ColumnPair, Deficiency, Event, GateEvidence,
    GateOverride, GateOwner, Migration, ProtectedMetric,
};
pub use scan::{Scan, scans};
pub use shape::{Built, built};
pub use stuck::{Seen, answers_for, seen};
pub use undone::{MigrationNotice, RedeployTask, notices, notices_of, redeploy_task, redeploys_of};
pub use walk::{Walk, keep_walk, next_stretch, walk};
pub use watch::{Watched, under_watch, watched};
pub use way_back::{Alterable, dictionary_key, login_of, not_alterable};
