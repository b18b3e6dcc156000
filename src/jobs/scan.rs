//! Compares both halves of every pair of the migration under way, and files what it found as one sample for the clock.
//!
//! It only looks while it counts, so that it keeps nobody waiting who writes. A large dictionary is gone through in looks of a
//! million rows, and what they found is kept after each: a scan that was ended in between is gone on with. What does not match
//! on three days running becomes a deficiency, by rule and once.

use serde::Serialize;

use crate::actions::{About, ByRule, Request, Stop, random_id};
use crate::clock::Moment;
use crate::rules::Refusal;
use crate::rules::migration::{Clean, Phase, ScanStatus, may_take_up};
use crate::rules::text::shorten;
use crate::store::migration::{self, Compared, Known, Mismatches, Scan, Stretch, Walk};
use crate::store::{Failure, Store, StoreError, View};

/// How many rows are looked at in one look, about: it ends with all rows of a metric.
pub const ROWS_AT_ONCE: u32 = 1_000_000;

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

/// Makes one scan, or goes on with the one that was ended, in looks of about so many rows.
pub async fn run(store: &Store, rows_at_once: u32) -> Result<Scanned, Stop> {
    let mut kept = None;
    let (scan, worst) = loop {
        match look(store, kept.as_ref(), rows_at_once).await? {
            Looked::Onward(walk) => kept = Some(walk),
            Looked::Ended { scan, worst, found } => {
                if !migration::file(store, &scan, &worst, found.as_ref()).await? {
                    return Err(others_scan().into());
                }
                break (scan, worst);
            }
        }
    };
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

fn others_scan() -> Refusal {
    Refusal::new(
        "another scan is on its way",
        "that one files the sample; there is nothing to do",
    )
}

/// Where a scan is after a look.
enum Looked {
    /// It has come so far, which was kept.
    Onward(Walk),
    /// It is at its end; what was found kept before its last look ends with it.
    Ended {
        scan: Scan,
        worst: Vec<Mismatches>,
        found: Option<Walk>,
    },
}

/// Looks at the next stretch at one moment: the one after what this run has kept, or one that was ended.
async fn look(store: &Store, ours: Option<&Walk>, rows_at_once: u32) -> Result<Looked, Stop> {
    let mut view = store.view().await?;
    let now = view.now();
    let under_way = migration::under_way(&mut view)
        .await?
        .ok_or_else(nothing_to_scan)?;
    let id = under_way.migration_id;
    let stand = migration::views_stand(&mut view).await?;
    let is_over = under_way.phase != Phase::DualWrite && !stand;
    let known = migration::known(&mut view, &id).await?;
    let known = known.filter(|_| !is_over).ok_or_else(nothing_to_scan)?;
    let found = migration::walk(&mut view, &id).await?;
    if ours.is_some() && found.as_ref() != ours {
        return Err(others_scan().into());
    }
    let still_holds = |it: &&Walk| {
        let is_taken_up = ours.is_some() || may_take_up(it.begun_at_utc, now);
        it.inputs_sha256 == known.inputs.scan && is_taken_up
    };
    let walk = match found.as_ref().filter(still_holds) {
        Some(walk) => walk.clone(),
        None => Walk {
            scan_id: random_id()?,
            migration_id: id,
            begun_at_utc: now,
            inputs_sha256: known.inputs.scan.clone(),
            reached: None,
            counted: migration::rows_of_dictionary(&mut view).await?,
            found: Compared::default(),
        },
    };
    let after = walk.reached.as_deref();
    let stretch = migration::next_stretch(&mut view, after, rows_at_once).await?;
    let compared = if stand {
        compare(&mut view, &known, &stretch).await?
    } else {
        Err("the views over the pairs are not there; `govdeck migration expand` writes the bundle that makes them".to_owned())
    };
    drop(view);
    let compared = compared.map(|compared| walk.found.clone().and(compared));
    match (compared, stretch.until) {
        (Ok(compared), Some(reached)) => {
            let walk = Walk {
                reached: Some(reached),
                found: compared,
                ..walk
            };
            if !migration::keep_walk(store, found.as_ref(), &walk).await? {
                return Err(others_scan().into());
            }
            Ok(Looked::Onward(walk))
        }
        (compared, _) => {
            let (scan, worst) = ended(walk, compared, now);
            Ok(Looked::Ended { scan, worst, found })
        }
    }
}

fn ended(walk: Walk, all: Result<Compared, String>, now: Moment) -> (Scan, Vec<Mismatches>) {
    let (status, found, detail) = judged(all, walk.counted);
    let scan = Scan {
        scan_id: walk.scan_id,
        migration_id: walk.migration_id,
        scanned_at_utc: walk.begun_at_utc,
        status,
        rows_total: found.rows,
        mismatches: found.mismatches,
        inputs_sha256: walk.inputs_sha256,
        detail,
        looked_until_utc: walk.reached.map(|_| now),
    };
    (scan, found.worst)
}

/// Compares, or says why that failed; a database that does not answer, or does not let us look, makes no sample at all.
async fn compare(
    view: &mut View,
    known: &Known,
    stretch: &Stretch,
) -> Result<Result<Compared, String>, StoreError> {
    let pairs = known.active_pairs();
    if pairs.is_empty() {
        return Ok(Err("no pair of columns is registered".to_owned()));
    }
    match migration::compare(view, &pairs, stretch).await {
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

/// What is missing of the rows that were counted first, or of those that there are, was not looked at.
fn judged(found: Result<Compared, String>, counted: i64) -> (ScanStatus, Compared, String) {
    match found {
        Err(why) => {
            let why = shorten(&why, 500).into_owned();
            (ScanStatus::Failed, Compared::default(), why)
        }
        Ok(compared) if compared.rows < counted.max(compared.there) => {
            let detail = format!(
                "{} of {} rows, {} of them mismatch",
                compared.rows,
                counted.max(compared.there),
                compared.mismatches
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
