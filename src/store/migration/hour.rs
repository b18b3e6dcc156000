//! The hour of a cutover as it is kept: its plan, itself, its steps, and what was signed at its end.

use crate::clock::Moment;
use crate::rules::migration::hour::{
    CutoverPlan, HourStand, HourStatus, Step, StepStand, StepState, read_plan,
};
use crate::store::bundle::named;
use crate::store::tables::governed;
use crate::store::view::{all_where, on, one_where, query_scalar};
use crate::store::{StoreError, View};

governed! {
    /// The plan of a migration's hour.
    pub struct HourPlan in "cutover_plan" keyed by (migration_id) {
        /// The migration.
        pub migration_id: String,
        /// The plan in its canonical form.
        pub plan_sha256: String,
        /// Who registered it.
        pub registered_by: String,
        /// When.
        pub registered_at_utc: Moment,
        /// The row's version.
        pub version: i64,
    }
}

governed! {
    /// An hour of a cutover.
    pub struct Hour in "cutover_hour" keyed by (migration_id, hour_no) {
        /// The migration.
        pub migration_id: String,
        /// Which one of the migration it is.
        pub hour_no: i64,
        /// How far it is.
        pub status: HourStatus,
        /// Who leads it.
        pub lead_id: String,
        /// The plan that it follows.
        pub plan_sha256: String,
        /// Who began it.
        pub begun_by: String,
        /// When the lock was announced.
        pub begun_at_utc: Moment,
        /// Who ended it.
        pub ended_by: Option<String>,
        /// When.
        pub ended_at_utc: Option<Moment>,
        /// The row's version.
        pub version: i64,
    }
}

governed! {
    /// A step of an hour.
    pub struct HourStep in "cutover_step" keyed by (migration_id, hour_no, step) {
        /// The migration.
        pub migration_id: String,
        /// Which one of its hours.
        pub hour_no: i64,
        /// The step.
        pub step: Step,
        /// How far it is.
        pub state: StepState,
        /// How often it was begun.
        pub attempt: i64,
        /// Who began it last.
        pub owner_id: Option<String>,
        /// When.
        pub began_at_utc: Option<Moment>,
        /// When it ended.
        pub ended_at_utc: Option<Moment>,
        /// How, in one line.
        pub detail: Option<String>,
        /// What shows it.
        pub evidence_sha256: Option<String>,
        /// The row's version.
        pub version: i64,
    }
}

governed! {
    /// A run after the flip that another signed off.
    pub struct Signoff in "migration_signoff" keyed by (migration_id, job_run_id) {
        /// The migration.
        pub migration_id: String,
        /// The run.
        pub job_run_id: String,
        /// Who signed.
        pub signer_id: String,
        /// Who had flipped.
        pub flipped_by: String,
        /// When.
        pub signed_at_utc: Moment,
        /// The row's version.
        pub version: i64,
    }
}

governed! {
    /// That a migration is complete, and which versions belong together from then on.
    pub struct CompleteEvent in "migration_complete_event" keyed by (migration_id) {
        /// The migration.
        pub migration_id: String,
        /// The hour in which it was completed.
        pub hour_no: i64,
        /// The release of the dictionary.
        pub dictionary_semver: String,
        /// The footer schema that was in force.
        pub footer_schema_semver: String,
        /// The view that the partners' annex reads.
        pub annex_view_version: String,
        /// The allow-list of the cutover.
        pub allowlist_sha256: String,
        /// Who completed it.
        pub completed_by: String,
        /// When.
        pub completed_at_utc: Moment,
        /// The row's version.
        pub version: i64,
    }
}

/// An hour with its steps, in their order.
#[derive(Debug, Clone)]
pub struct KnownHour {
    /// The hour.
    pub hour: Hour,
    /// Its steps.
    pub steps: Vec<HourStep>,
}

impl KnownHour {
    /// Returns how far it is.
    #[must_use]
    pub fn stand(&self) -> HourStand<'_> {
        let steps = self.steps.iter().map(|row| StepStand {
            step: row.step,
            state: row.state,
            attempt: row.attempt,
            owner: row.owner_id.as_deref(),
            began: row.began_at_utc,
            ended: row.ended_at_utc,
        });
        HourStand {
            number: self.hour.hour_no,
            status: self.hour.status,
            lead: &self.hour.lead_id,
            steps: steps.collect(),
        }
    }

    /// Returns the banner that readers see while it runs.
    #[must_use]
    pub fn banner_id(&self) -> String {
        banner_of(&self.hour.migration_id, self.hour.hour_no)
    }

    /// Finds the row of a step.
    #[must_use]
    pub fn step(&self, step: Step) -> Option<&HourStep> {
        self.steps.iter().find(|row| row.step == step)
    }
}

/// A plan as it was registered, and what it says.
#[derive(Debug, Clone)]
pub struct KnownPlan {
    /// The row.
    pub row: HourPlan,
    /// The document.
    pub document: CutoverPlan,
}

/// Reads the plan of a migration's hour; none where the document is gone or says nothing.
pub async fn hour_plan(view: &mut View, id: &str) -> Result<Option<KnownPlan>, StoreError> {
    let row: Option<HourPlan> = one_where!(view, HourPlan, "migration_id = $1", id);
    let Some(row) = row else {
        return Ok(None);
    };
    let bytes = named(view, &row.plan_sha256).await?;
    let document = bytes.and_then(|bytes| read_plan(&bytes).ok());
    Ok(document.map(|document| KnownPlan { row, document }))
}

/// Reads the newest hour of a migration.
pub async fn newest_hour(view: &mut View, id: &str) -> Result<Option<KnownHour>, StoreError> {
    let hour: Option<Hour> = one_where!(
        view,
        Hour,
        "migration_id = $1 ORDER BY hour_no DESC LIMIT 1",
        id
    );
    with_steps(view, hour).await
}

/// Reads the one hour that runs.
pub async fn running_hour(view: &mut View) -> Result<Option<KnownHour>, StoreError> {
    let hour: Option<Hour> = one_where!(view, Hour, "status = 'running'");
    with_steps(view, hour).await
}

/// Reads the hour that people look at first: the one that runs, else the newest of the migration that they look at first.
pub async fn last_hour(view: &mut View) -> Result<Option<KnownHour>, StoreError> {
    if let Some(running) = running_hour(view).await? {
        return Ok(Some(running));
    }
    match super::newest_open(view).await? {
        Some(migration) => newest_hour(view, &migration.migration_id).await,
        None => Ok(None),
    }
}

/// Finds the banner that readers saw in some time: the newest hour's that ran in it.
pub async fn banner_between(
    view: &mut View,
    from: Moment,
    until: Moment,
) -> Result<Option<String>, StoreError> {
    let hour: Option<Hour> = one_where!(
        view,
        Hour,
        "begun_at_utc < $2 AND (ended_at_utc IS NULL OR ended_at_utc >= $1) ORDER BY begun_at_utc DESC, migration_id, hour_no DESC LIMIT 1",
        from,
        until
    );
    Ok(hour.map(|hour| banner_of(&hour.migration_id, hour.hour_no)))
}

fn banner_of(migration: &str, hour: i64) -> String {
    format!("{migration}/{hour}")
}

async fn with_steps(view: &mut View, hour: Option<Hour>) -> Result<Option<KnownHour>, StoreError> {
    let Some(hour) = hour else {
        return Ok(None);
    };
    let mut steps: Vec<HourStep> = all_where!(
        view,
        HourStep,
        "migration_id = $1 AND hour_no = $2 ORDER BY step",
        &hour.migration_id,
        hour.hour_no
    );
    steps.sort_by_key(|row| row.step);
    Ok(Some(KnownHour { hour, steps }))
}

/// Lists what was signed off.
pub async fn signoffs(view: &mut View, id: &str) -> Result<Vec<Signoff>, StoreError> {
    Ok(all_where!(
        view,
        Signoff,
        "migration_id = $1 ORDER BY job_run_id",
        id
    ))
}

/// Finds what says that a migration is complete.
pub async fn completed(view: &mut View, id: &str) -> Result<Option<CompleteEvent>, StoreError> {
    Ok(one_where!(view, CompleteEvent, "migration_id = $1", id))
}

/// Hashes the bundles that a plan names, as they are registered: what they declare, and their scripts.
pub(super) async fn bundle_digests(
    view: &mut View,
    plan: Option<&KnownPlan>,
) -> Result<Vec<String>, StoreError> {
    const SQL: &str =
        "SELECT declaration_sha256 || '/' || scripts_sha256 FROM bundle WHERE migration_id = $1";
    let mut digests = Vec::new();
    for id in plan.iter().flat_map(|plan| &plan.document.bundles) {
        let found: Option<String> =
            on!(view, c => query_scalar(SQL).bind(id).fetch_optional(c).await)?;
        digests.push(format!("{id}={}", found.as_deref().unwrap_or("none")));
    }
    Ok(digests)
}
