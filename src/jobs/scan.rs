//! Compares both halves of every pair of the migration under way, and files what it found as one sample for the clock.
//!
//! It only looks while it counts, so that it keeps nobody waiting who writes. A large dictionary is gone through in looks of a
//! million rows, and what they found is kept after each: a scan that was ended in between is gone on with. What does not match
//! on three days running becomes a deficiency, by rule and once.

use serde::Serialize;

use crate::actions::{About, ByRule, Request, Stop, random_id};
use crate::rules::Refusal;
use crate::rules::migration::{Clean, LONGEST_SCAN, Phase, ScanStatus, may_go_on};
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
            Looked::Ended { scan, worst, walk } => {
                if !migration::file(store, &scan, &worst, walk.as_ref()).await? {
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
        "another scan went on with this one",
        "that one files the sample; there is nothing to do",
    )
}

/// Where a scan is after a look.
enum Looked {
    /// It has come so far, which was kept.
    Onward(Walk),
    /// It is at its end, and the walk that was kept of it too, if any was.
    Ended {
        scan: Scan,
        worst: Vec<Mismatches>,
        walk: Option<Walk>,
    },
}

/// Looks at the next stretch at one moment: the one after what was kept, by this run or by one that was ended.
async fn look(store: &Store, ours: Option<&Walk>, rows_at_once: u32) -> Result<Looked, Stop> {
    let mut view = store.view().await?;
    let now = view.now();
    let found = migration::under_way(&mut view)
        .await?
        .ok_or_else(nothing_to_scan)?;
    let stand = migration::views_stand(&mut view).await?;
    let is_over = found.phase != Phase::DualWrite && !stand;
    let known = migration::known(&mut view, &found.migration_id).await?;
    let known = known.filter(|_| !is_over).ok_or_else(nothing_to_scan)?;
    let kept = migration::walk(&mut view, &found.migration_id).await?;
    if ours.is_some_and(|ours| kept.as_ref() != Some(ours)) {
        return Err(others_scan().into());
    }
    let still_holds =
        |it: &Walk| it.inputs_sha256 == known.inputs.scan && may_go_on(it.begun_at_utc, now);
    let (before, is_broken) = match kept {
        Some(walk) if still_holds(&walk) => (walk, false),
        Some(walk) if ours.is_some() => (walk, true),
        _ => (
            Walk {
                scan_id: random_id()?,
                migration_id: found.migration_id,
                begun_at_utc: now,
                inputs_sha256: known.inputs.scan.clone(),
                reached: None,
                found: Compared::default(),
            },
            false,
        ),
    };
    let after = before.reached.as_deref();
    let stretch = migration::next_stretch(&mut view, after, rows_at_once).await?;
    let compared = if is_broken {
        Err(format!(
            "what is compared has changed while it was looked at, or that took over {} minutes",
            LONGEST_SCAN.as_secs() / 60
        ))
    } else if stand {
        compare(&mut view, &known, &stretch).await?
    } else {
        Err("the views over the pairs are not there; `govdeck migration expand` writes the bundle that makes them".to_owned())
    };
    drop(view);
    match (compared, stretch.until) {
        (Ok(compared), Some(reached)) => {
            let walk = Walk {
                reached: Some(reached),
                found: before.found.clone().and(compared),
                ..before.clone()
            };
            if !migration::keep_walk(store, &before, &walk).await? {
                return Err(others_scan().into());
            }
            Ok(Looked::Onward(walk))
        }
        (compared, _) => Ok(ended(before, compared)),
    }
}

fn ended(walk: Walk, last: Result<Compared, String>) -> Looked {
    let (status, found, detail) = judged(last.map(|last| walk.found.clone().and(last)));
    Looked::Ended {
        scan: Scan {
            scan_id: walk.scan_id.clone(),
            migration_id: walk.migration_id.clone(),
            scanned_at_utc: walk.begun_at_utc,
            status,
            rows_total: found.rows,
            mismatches: found.mismatches,
            inputs_sha256: walk.inputs_sha256.clone(),
            detail,
        },
        worst: found.worst,
        walk: walk.reached.is_some().then_some(walk),
    }
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

fn judged(found: Result<Compared, String>) -> (ScanStatus, Compared, String) {
    match found {
        Err(why) => {
            let why = shorten(&why, 500).into_owned();
            (ScanStatus::Failed, Compared::default(), why)
        }
        Ok(compared) if compared.rows < compared.there => {
            let detail = format!(
                "{} of {} rows, {} of them mismatch",
                compared.rows, compared.there, compared.mismatches
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
