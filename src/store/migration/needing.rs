//! The migrations whose way back still needs the views over their pairs, and what the expansion of the dictionary left.

use super::looks;
use super::rows::{ColumnPair, Migration};
use crate::rules::bundle::{Baseline, Declaration, Declared, RunType};
use crate::rules::bundle_run::RunOutcome;
use crate::rules::migration::{LONG_VIEW, Needing, PairStatus, Site, Stand, WIDE_VIEW};
use crate::store::bundle::{self, Bundle, Run};
use crate::store::view::{all_where, on, query_scalar};
use crate::store::{Failure, StoreError, View};

/// A migration that was written twice or cut over, with what its way back needs.
#[derive(Debug, Clone)]
pub struct Needs {
    migration: Migration,
    pairs: Vec<ColumnPair>,
    window_minutes: Option<i64>,
}

/// Lists the migrations in dual write or cutover, closed ones too: rules say which of them still need the views.
pub async fn needing(view: &mut View) -> Result<Vec<Needs>, StoreError> {
    const WINDOW: &str = "SELECT COALESCE(MAX(CASE WHEN active = TRUE THEN every_minutes END), MAX(every_minutes)) FROM reconciliation_series";
    let all: Vec<Migration> = all_where!(
        view,
        Migration,
        "phase IN ('dual_write', 'cutover') ORDER BY opened_at_dt_utc DESC, migration_id LIMIT 20"
    );
    if all.is_empty() {
        return Ok(Vec::new());
    }
    let window_minutes: Option<i64> = on!(view, c => query_scalar(WINDOW).fetch_one(c).await)?;
    let mut found = Vec::new();
    for migration in all {
        found.push(Needs {
            pairs: looks::pairs(view, &migration.migration_id).await?,
            migration,
            window_minutes,
        });
    }
    Ok(found)
}

impl Needs {
    /// Returns it for the rules, beside the scripts of a bundle and where the dictionary lies.
    #[must_use]
    pub fn for_rules<'a>(&'a self, scripts: &str, site: &Site<'_>) -> Needing<'a> {
        let row = &self.migration;
        let active = self.pairs.iter();
        let active = active.filter(|pair| pair.status == PairStatus::Active);
        let pairs: Vec<(&str, &str)> = active
            .map(|pair| (&*pair.legacy_column, &*pair.modern_column))
            .collect();
        let made = [site.wide_view(&pairs), site.long_view(&pairs)];
        Needing {
            stand: Stand {
                migration_id: &row.migration_id,
                from_semver: &row.from_semver,
                to_semver: &row.to_semver,
                phase: row.phase,
                since: row.opened_at_dt_utc,
                closed: row.closed_at_dt_utc,
                watch_until: row.watch_until,
            },
            is_expanded_anew: !pairs.is_empty() && made.iter().all(|it| scripts.contains(it)),
            pairs,
            window_minutes: self.window_minutes,
        }
    }
}

/// The bundle whose run left both views as they are to stand.
#[derive(Debug, Clone)]
pub struct Expanded {
    /// The bundle.
    pub bundle: Bundle,
    /// The run.
    pub run: Run,
    /// What it declared.
    pub declaration: Declaration,
    /// What it left; none where that is not there as it was filed.
    pub left: Option<Baseline>,
    /// Its rollback scripts by path and hash, each with whether it is there as it was filed.
    pub rollback: Vec<(String, String, bool)>,
}

/// Finds what expanded the dictionary last and was not taken back.
pub async fn expanded(view: &mut View) -> Result<Option<Expanded>, StoreError> {
    const RUNS: &str = "SELECT r.run_id FROM bundle_run r JOIN bundle b ON b.migration_id = r.migration_id \
         WHERE b.kind = 'postgis' AND b.touches_dictionary = TRUE AND r.run_type = 'migration' AND r.outcome = 'applied' \
         AND NOT EXISTS (SELECT 1 FROM bundle_run u WHERE u.undoes_run_id = r.run_id AND u.outcome = 'rolled_back') \
         ORDER BY r.ended_at_utc DESC, r.run_id DESC LIMIT 200";
    let ran: Vec<String> = on!(view, c => query_scalar(RUNS).fetch_all(c).await)?;
    for run_id in ran {
        let Some(run) = bundle::run(view, &run_id).await? else {
            continue;
        };
        let Some(bundle) = bundle::find(view, &run.migration_id).await? else {
            continue;
        };
        let declared = bundle::named(view, &bundle.declaration_sha256).await?;
        let declared = declared.and_then(|bytes| Declared::read(&bytes).ok());
        let Some(declared) = declared.map(|it| it.declaration) else {
            continue;
        };
        if run.run_type != RunType::Migration
            || run.outcome != RunOutcome::Applied
            || !names_both(&declared)
        {
            continue;
        }
        let left = match &run.post_sha256 {
            Some(sha256) => as_filed(view, sha256).await?,
            None => None,
        };
        let left = left.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let rollback = scripts(view, &bundle, &declared).await?;
        return Ok(Some(Expanded {
            bundle,
            run,
            declaration: declared,
            left,
            rollback,
        }));
    }
    Ok(None)
}

/// Reads what was filed under a hash; none where it is gone, or no longer what was filed.
pub async fn as_filed(view: &mut View, sha256: &str) -> Result<Option<Vec<u8>>, StoreError> {
    match bundle::named(view, sha256).await {
        Err(error) if error.kind == Failure::Unusable => Ok(None),
        read => read,
    }
}

fn names_both(declared: &Declaration) -> bool {
    let tables = &declared.scope.allowed_tables;
    [WIDE_VIEW, LONG_VIEW].iter().all(|view| {
        let is_it = |table: &String| table.rsplit('.').next() == Some(*view);
        tables.iter().any(is_it)
    })
}

async fn scripts(
    view: &mut View,
    bundle: &Bundle,
    declared: &Declaration,
) -> Result<Vec<(String, String, bool)>, StoreError> {
    let files = bundle::files(view, bundle).await.unwrap_or_default();
    let mut found = Vec::new();
    for path in &declared.artifacts.rollback {
        let file = files.iter().find(|file| file.path == *path);
        let digest = file.map_or(String::new(), |file| file.digest.clone());
        let sha256 = digest.trim_start_matches("sha256:");
        let is_there = as_filed(view, sha256).await?.is_some();
        found.push((path.clone(), digest, is_there));
    }
    Ok(found)
}
