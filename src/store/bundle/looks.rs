//! What is read about bundles.

use serde::Serialize;
use sqlx::FromRow;

use super::rows::{Bundle, Plan, Run};
use crate::canon::Digest;
use crate::rules::bundle::{DECLARATION_FILE, FileDigest, Registry, RunType};
use crate::rules::bundle_run::{
    BundleStatus, Facts, Moved, Planned, Ran, RunOutcome, Tier, entry, registry,
};
use crate::store::tables::row_key_sql;
use crate::store::view::{all_where, on, one_where, query_as, query_scalar};
use crate::store::{StoreError, View, artifact};

/// Finds a bundle.
pub async fn find(view: &mut View, id: &str) -> Result<Option<Bundle>, StoreError> {
    Ok(one_where!(view, Bundle, "migration_id = $1", id))
}

/// Lists the plans of a bundle.
pub async fn plans(view: &mut View, id: &str) -> Result<Vec<Plan>, StoreError> {
    let mut plans: Vec<Plan> = all_where!(view, Plan, "migration_id = $1 ORDER BY environment", id);
    plans.sort_by_key(|plan| plan.environment);
    Ok(plans)
}

/// Lists where the plan that is registered was made with its way back: it was run, and led back.
pub async fn led_back(view: &mut View, id: &str) -> Result<Vec<Tier>, StoreError> {
    let sql = format!(
        "SELECT p.environment FROM bundle_plan p JOIN ledger_change c ON c.table_name = 'bundle_plan' AND c.row_key = {} \
         AND c.version = p.version JOIN ledger_artifact a ON a.seq = c.seq AND a.role = $2 WHERE p.migration_id = $1 \
         ORDER BY p.environment",
        row_key_sql(&["migration_id", "environment"], "p.")
    );
    let role = artifact::BUNDLE_WAY_BACK.0;
    Ok(
        on!(view, c => query_scalar(sqlx::AssertSqlSafe(sql)).bind(id).bind(role).fetch_all(c).await)?,
    )
}

/// Lists the runs of a bundle, in the order in which they began.
pub async fn runs(view: &mut View, id: &str) -> Result<Vec<Run>, StoreError> {
    Ok(all_where!(
        view,
        Run,
        "migration_id = $1 ORDER BY claimed_at_utc, run_id",
        id
    ))
}

/// Finds a run.
pub async fn run(view: &mut View, id: &str) -> Result<Option<Run>, StoreError> {
    Ok(one_where!(view, Run, "run_id = $1", id))
}

/// Lists the runs of a bundle in a tier that were claimed and have not ended.
pub async fn running(view: &mut View, id: &str, tier: Tier) -> Result<Vec<Run>, StoreError> {
    Ok(all_where!(
        view,
        Run,
        "migration_id = $1 AND environment = $2 AND outcome = 'running' ORDER BY run_id",
        id,
        tier
    ))
}

/// How many bundles have come so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct Count {
    /// How far.
    pub status: BundleStatus,
    /// How many.
    pub bundles: i64,
}

/// Counts the bundles by how far they have come.
pub async fn counts(view: &mut View) -> Result<Vec<Count>, StoreError> {
    const SQL: &str = "SELECT status, CAST(COUNT(*) AS BIGINT) AS bundles FROM bundle GROUP BY status ORDER BY status";
    let mut counts: Vec<Count> = on!(view, c => query_as(SQL).fetch_all(c).await)?;
    counts.sort_by_key(|count| count.status);
    Ok(counts)
}

/// Everything that is known of a bundle when something is decided about it.
#[derive(Debug, Clone)]
pub struct Known {
    /// The bundle.
    pub bundle: Bundle,
    /// Its plans.
    pub plans: Vec<Plan>,
    /// Where they were made with their way back.
    pub led_back: Vec<Tier>,
    /// Its runs, in the order in which they began.
    pub runs: Vec<Run>,
}

impl Known {
    /// Lets a rule decide on it.
    pub fn decide<T>(&self, rule: impl FnOnce(&Facts<'_>) -> T) -> T {
        let planned = |plan| Plan::planned(plan, self.has_led_back(plan));
        let plans: Vec<Planned<'_>> = self.plans.iter().map(planned).collect();
        let runs: Vec<Ran<'_>> = self.runs.iter().map(Run::ran).collect();
        let bundle = &self.bundle;
        rule(&Facts {
            status: bundle.status,
            plans: &plans,
            runs: &runs,
            requires_rollback: bundle.requires_rollback,
            has_rollback: bundle.has_rollback,
            reference: bundle.approval_reference.as_deref(),
            touches_dictionary: bundle.touches_dictionary,
        })
    }

    /// Tells whether a plan's way back was run, and led back.
    #[must_use]
    pub fn has_led_back(&self, plan: &Plan) -> bool {
        self.led_back.contains(&plan.environment)
    }

    /// Finds the plan of a tier.
    #[must_use]
    pub fn plan(&self, tier: Tier) -> Option<&Plan> {
        self.plans.iter().find(|plan| plan.environment == tier)
    }
}

/// Reads everything that is known of a bundle.
pub async fn known(view: &mut View, id: &str) -> Result<Option<Known>, StoreError> {
    let Some(bundle) = find(view, id).await? else {
        return Ok(None);
    };
    Ok(Some(Known {
        bundle,
        plans: plans(view, id).await?,
        led_back: led_back(view, id).await?,
        runs: runs(view, id).await?,
    }))
}

/// A file of a bundle as it was registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Its path from the bundle's folder.
    pub path: String,
    /// What it holds.
    pub bytes: Vec<u8>,
}

/// Names what was registered by its hash: the declaration first, then each script.
pub async fn files(view: &mut View, bundle: &Bundle) -> Result<Vec<FileDigest>, StoreError> {
    let list = named(view, &bundle.scripts_sha256).await?;
    let scripts = list.and_then(|list| serde_json::from_slice::<Vec<FileDigest>>(&list).ok());
    let mut files = vec![FileDigest {
        path: DECLARATION_FILE.to_owned(),
        digest: format!("sha256:{}", bundle.declaration_sha256),
    }];
    files.extend(scripts.ok_or_else(|| gone(bundle, "the list of scripts"))?);
    Ok(files)
}

/// Reads what was registered, in the order of [`files`].
pub async fn pieces(view: &mut View, bundle: &Bundle) -> Result<Vec<Piece>, StoreError> {
    let mut pieces = Vec::new();
    for file in files(view, bundle).await? {
        let bytes = named(view, file.digest.trim_start_matches("sha256:")).await?;
        pieces.push(Piece {
            bytes: bytes.ok_or_else(|| gone(bundle, &file.path))?,
            path: file.path,
        });
    }
    Ok(pieces)
}

fn gone(bundle: &Bundle, what: &str) -> StoreError {
    StoreError::unusable(
        format!("{what} of {} is gone", bundle.migration_id),
        "run `govdeck ledger verify`",
    )
}

/// Reads what an artefact holds that a row names.
pub async fn named(view: &mut View, sha256: &str) -> Result<Option<Vec<u8>>, StoreError> {
    match sha256.parse::<Digest>() {
        Ok(sha256) => artifact::bytes(view, sha256).await,
        Err(_) => Ok(None),
    }
}

/// Makes the registry of all bundles, of the receipts that moved them.
pub async fn registered(view: &mut View) -> Result<Registry, StoreError> {
    let bundles: Vec<Bundle> = all_where!(view, Bundle, "TRUE ORDER BY migration_id");
    let runs: Vec<Run> = all_where!(
        view,
        Run,
        "receipt_sha256 IS NOT NULL ORDER BY ended_at_utc, claimed_at_utc, run_id"
    );
    let of = |bundle: &Bundle| {
        let own = |run: &&Run| run.migration_id == bundle.migration_id;
        let moved: Vec<Moved> = runs
            .iter()
            .filter(own)
            .map(|run| moved(run, &runs))
            .collect();
        let other = bundle.superseded_by.as_deref().and_then(|by| {
            let is_its = |run: &&Run| run.migration_id == by && run.run_type == RunType::Merge;
            let merge = runs.iter().find(is_its)?;
            Some((by, merge.receipt_sha256.as_deref()?))
        });
        entry(
            &bundle.migration_id,
            bundle.kind,
            &bundle.registered_by,
            &moved,
            other,
        )
    };
    Ok(registry(bundles.iter().map(of).collect()))
}

fn moved(run: &Run, all: &[Run]) -> Moved {
    let undone = all
        .iter()
        .find(|it| Some(&it.run_id) == run.undoes_run_id.as_ref());
    Moved {
        run_type: run.run_type,
        tier: run.environment,
        outcome: run.outcome,
        is_sure: undone.is_none_or(|it| it.outcome == RunOutcome::Applied),
        receipt: run.receipt_sha256.clone().unwrap_or_default(),
    }
}

/// Names the bundles, each with the tier, of which a run was claimed and has not ended.
pub async fn all_running(view: &mut View) -> Result<Vec<(String, Tier)>, StoreError> {
    const SQL: &str = "SELECT DISTINCT migration_id, environment FROM bundle_run WHERE outcome = 'running' ORDER BY migration_id, environment";
    Ok(on!(view, c => query_as(SQL).fetch_all(c).await)?)
}
