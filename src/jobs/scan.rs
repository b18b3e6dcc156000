//! Compares both halves of every pair of the migration under way, and files what it found as one sample for the clock.
//!
//! It only looks while it counts, so that it keeps nobody waiting who writes; run again it makes another sample. What does
//! not match on three days running becomes a deficiency, by rule and once.

use serde::Serialize;

use crate::actions::{About, ByRule, Request, Stop, random_id};
use crate::rules::Refusal;
use crate::rules::migration::{Clean, Phase, ScanStatus};
use crate::rules::text::shorten;
use crate::store::migration::{self, Compared, Known, Mismatches, Scan};
use crate::store::{Failure, Store, StoreError, View};

/// What a scan found.
#[derive(Debug, Clone, Serialize)]
pub struct Scanned {
    /// The sample, as it was filed.
    #[serde(flatten)]
    pub scan: Scan,
    /// The metrics that did not match most often, with the squads whose rows they are; at most a thousand.
    pub worst: Vec<Mismatches>,
    /// Deficiencies that were opened.
    pub opened: Vec<Opened>,
    /// How the clock of clean hours stands with it.
    #[serde(skip)]
    pub clean: Clean,
}

/// A deficiency that was opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Opened {
    /// Its id.
    pub deficiency_id: String,
    /// The metric.
    pub metric_id: String,
}

/// Makes one scan.
pub async fn run(store: &Store) -> Result<Scanned, Stop> {
    // In a look of its own: whatever is taken away between here and there makes the scan short.
    let counted = migration::rows_of_dictionary(&mut store.view().await?).await?;
    let (scan, worst) = look(store, counted).await?;
    migration::file(store, &scan, &worst).await?;
    let opened = open_deficiencies(store, &scan.migration_id).await?;
    let mut view = store.view().await?;
    let known = migration::known(&mut view, &scan.migration_id).await?;
    let clean = known
        .ok_or_else(nothing_to_scan)?
        .clean(view.now().max(scan.scanned_at_utc));
    Ok(Scanned {
        scan,
        worst,
        opened,
        clean,
    })
}

fn nothing_to_scan() -> Refusal {
    Refusal::new(
        "nothing is to be scanned: no migration is written twice now",
        "scan once a migration is in dual write, until its views are gone",
    )
}

/// Looks at every row at one moment.
async fn look(store: &Store, counted: i64) -> Result<(Scan, Vec<Mismatches>), Stop> {
    let mut view = store.view().await?;
    let at = view.now();
    let found = migration::under_way(&mut view)
        .await?
        .ok_or_else(nothing_to_scan)?;
    let stand = migration::views_stand(&mut view).await?;
    let is_over = found.phase != Phase::DualWrite && !stand;
    let known = migration::known(&mut view, &found.migration_id).await?;
    let known = known.filter(|_| !is_over).ok_or_else(nothing_to_scan)?;
    let (status, compared, detail) = if stand {
        judged(compare(&mut view, &known).await?, counted)
    } else {
        failed(
            "the views over the pairs are not there; `govdeck migration expand` writes the bundle that makes them",
        )
    };
    let scan = Scan {
        scan_id: random_id()?,
        migration_id: found.migration_id,
        scanned_at_utc: at,
        status,
        rows_total: compared.rows,
        mismatches: compared.mismatches,
        inputs_sha256: known.inputs.scan.clone(),
        detail,
    };
    Ok((scan, compared.worst))
}

/// Compares, or says why that failed; a database that does not answer, or does not let us look, makes no sample at all.
async fn compare(view: &mut View, known: &Known) -> Result<Result<Compared, String>, StoreError> {
    let pairs = known.active_pairs();
    if pairs.is_empty() {
        return Ok(Err("no pair of columns is registered".to_owned()));
    }
    match migration::compare(view, &pairs).await {
        Ok(compared) => Ok(Ok(compared)),
        Err(error)
            if matches!(
                error.kind,
                Failure::Unreachable | Failure::Busy | Failure::Wall
            ) =>
        {
            Err(error)
        }
        Err(error) => Ok(Err(error.sentence)),
    }
}

fn failed(why: &str) -> (ScanStatus, Compared, String) {
    let nothing = Compared {
        rows: 0,
        mismatches: 0,
        worst: Vec::new(),
    };
    (ScanStatus::Failed, nothing, shorten(why, 500).into_owned())
}

fn judged(found: Result<Compared, String>, counted: i64) -> (ScanStatus, Compared, String) {
    match found {
        Err(why) => failed(&why),
        Ok(compared) if compared.rows < counted => {
            let detail = format!(
                "{} of {counted} rows, {} of them mismatch",
                compared.rows, compared.mismatches
            );
            (ScanStatus::Short, compared, detail)
        }
        Ok(compared) => {
            let detail = format!("{} of {} rows mismatch", compared.mismatches, compared.rows);
            (ScanStatus::Whole, compared, detail)
        }
    }
}

/// Opens a deficiency for each metric that needs one; what another scan opened meanwhile is open.
async fn open_deficiencies(store: &Store, migration: &str) -> Result<Vec<Opened>, Stop> {
    let seen = migration::seen(&mut store.view().await?, migration, None).await?;
    let due = seen.iter().filter(|it| it.is_stuck() && !it.is_open());
    let mut opened = Vec::new();
    for metric in due {
        let new = Opened {
            deficiency_id: random_id()?,
            metric_id: metric.metric_id.clone(),
        };
        let request = Request::by_rule(ByRule::OpenDeficiency {
            deficiency: new.deficiency_id.clone(),
            migration: migration.to_owned(),
            about: About::Metric(new.metric_id.clone()),
        })?;
        match super::done(store, request).await {
            Ok(_) => opened.push(new),
            Err(Stop::Refused(refusal)) => {
                tracing::info!(metric = new.metric_id, %refusal, "no deficiency was opened");
            }
            Err(stop) => return Err(stop),
        }
    }
    Ok(opened)
}
