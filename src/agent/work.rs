//! Jobs that are due, each in a task and on a connection of its own, and for no longer than it may take.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use tokio::task::JoinSet;

use super::Place;
use crate::actions::Stop;
use crate::jobs::reconcile::Order;
use crate::jobs::{bundle, drop_leaves, fingerprint, probe, reconcile, replay, scan};
use crate::rules::migration::ScanStatus;
use crate::rules::text::{scrub, shorten};
use crate::rules::week::{RunKind, RunStatus};
use crate::rules::{Refusal, Verdict};
use crate::settings::{AgentSettings, Job, Work};
use crate::store::job::{self, JobOutcome, JobRun};
use crate::store::{Store, bundle as runs};

/// For how many minutes a weekly run claims its window.
const CLAIM_MINUTES: i64 = 15;
/// How old a claim must be before a run of a bundle of which nothing is heard counts as given up.
const GIVEN_UP: Duration = Duration::from_hours(1);
/// How long the end of its connection may take.
const GRACE: Duration = Duration::from_secs(5);
/// How much is kept of what a job says.
const KEPT: usize = 400;

type Ended = (String, JobOutcome, String);

/// The jobs of whoever leads.
#[derive(Debug)]
pub(super) struct Works {
    place: Place,
    jobs: Vec<Job>,
    fence: i64,
    running: JoinSet<Ended>,
    begun: Vec<String>,
}

impl Works {
    pub fn new(place: &Place, settings: &AgentSettings, fence: i64) -> Self {
        Self {
            place: place.clone(),
            jobs: settings.jobs(),
            fence,
            running: JoinSet::new(),
            begun: Vec::new(),
        }
    }

    /// Starts the jobs that are due.
    pub async fn start(&mut self, ours: &Store) -> Result<(), Stop> {
        let mut view = ours.view().await?;
        let known = job::all(&mut view).await?;
        let now = view.server_now();
        drop(view);
        let is_due = |job: &Job| {
            let last = known.iter().find(|run| run.job == job.name());
            last.is_none_or(|run: &JobRun| {
                let was_left = run.outcome == JobOutcome::Running && run.fence != self.fence;
                was_left || run.started_at_utc.plus(job.every()) <= now || run.started_at_utc > now
            })
        };
        let due: Vec<Job> = self.jobs.iter().filter(|it| is_due(it)).cloned().collect();
        for job in due {
            let name = job.name();
            if self.begun.contains(&name) {
                continue;
            }
            job::begin(ours, &name, self.fence).await?;
            self.begun.push(name);
            let (place, fence) = (self.place.clone(), self.fence);
            // In a thread of its own: it may compute for long, and a heart beats in this one.
            self.running
                .spawn_blocking(move || apart(place, fence, job));
        }
        Ok(())
    }

    /// Writes down what has ended, and waits for nothing.
    pub async fn end(&mut self, ours: &Store) -> Result<(), Stop> {
        while let Some(ended) = self.running.try_join_next() {
            self.written(ours, ended).await?;
        }
        Ok(())
    }

    /// Waits for all that was begun, and says what became of each.
    pub async fn ended(&mut self, ours: &Store) -> Result<BTreeMap<String, &'static str>, Stop> {
        let mut all = BTreeMap::new();
        while let Some(ended) = self.running.join_next().await {
            if let Some((name, outcome)) = self.written(ours, ended).await? {
                all.insert(name, outcome.word());
            }
        }
        Ok(all)
    }

    async fn written(
        &mut self,
        ours: &Store,
        ended: Result<Ended, tokio::task::JoinError>,
    ) -> Result<Option<(String, JobOutcome)>, Stop> {
        let Ok((name, outcome, detail)) = ended else {
            return Ok(None);
        };
        self.begun.retain(|it| *it != name);
        tracing::info!(job = name, %outcome, detail, "a job ended");
        job::end(ours, &name, self.fence, outcome, &detail).await?;
        Ok(Some((name, outcome)))
    }
}

fn apart(place: Place, fence: i64, job: Job) -> Ended {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    match runtime {
        Ok(runtime) => runtime.block_on(in_time(place, fence, job)),
        Err(error) => (job.name(), JobOutcome::Failed, error.to_string()),
    }
}

/// Does a job on a connection of its own: one that is cut off takes its connection with it.
async fn in_time(place: Place, fence: i64, job: Job) -> Ended {
    let name = job.name();
    let store = match place.open().await {
        Ok(store) => store.fenced(fence),
        Err(error) => return (name, JobOutcome::Failed, error.sentence),
    };
    let limit = job.timeout();
    let done = tokio::time::timeout(limit, run(&store, &place.governance_root, &job)).await;
    let (outcome, detail) = match done {
        Ok(Ok((outcome, detail))) => (outcome, detail),
        Ok(Err(Stop::Refused(refusal))) => (JobOutcome::No, refusal.sentence),
        Ok(Err(Stop::BadInput(refusal))) => (JobOutcome::Failed, refusal.sentence),
        Ok(Err(Stop::Store(error))) => (JobOutcome::Failed, error.sentence),
        Err(_) => {
            let minutes = limit.as_secs() / 60;
            let detail = format!("it took longer than {minutes} minutes and was cut off");
            (JobOutcome::TimedOut, detail)
        }
    };
    let _ = tokio::time::timeout(GRACE, store.close()).await;
    let detail = shorten(&scrub(&detail), KEPT).into_owned();
    (name, outcome, detail)
}

async fn run(store: &Store, root: &Path, job: &Job) -> Result<(JobOutcome, String), Stop> {
    Ok(match job.run {
        Work::Scan => {
            let scan = scan::run(store).await?.scan;
            let is_well = scan.status == ScanStatus::Whole && scan.mismatches == 0;
            (well(is_well), scan.detail)
        }
        Work::FaqProbe => judged(probe::questions(store).await?.probed),
        Work::Protected => judged(probe::protected(store).await?.probed),
        Work::Fingerprint => {
            let folder = job.folder.as_deref().unwrap_or_default();
            judged(fingerprint::run(store, root, folder).await?.0.probed)
        }
        Work::Replay => judged(replay::run(store, root, &read(job)?).await?.probed.probed),
        Work::Reconcile => {
            let order = Order {
                kind: RunKind::Scheduled,
                minutes: CLAIM_MINUTES,
            };
            let ended = reconcile::run(store, root, read(job)?, order).await?;
            let said = format!("{} {}", ended.status, ended.job_run_id);
            (well(ended.status == RunStatus::Pass), said)
        }
        Work::DropLeaves => {
            let dropped = drop_leaves::run(store).await?.dropped;
            (
                JobOutcome::Done,
                format!("dropped the leaves of {dropped} sides"),
            )
        }
        Work::SweepBundles => sweep(store).await?,
    })
}

const fn well(is_well: bool) -> JobOutcome {
    if is_well {
        JobOutcome::Done
    } else {
        JobOutcome::No
    }
}

fn judged(probed: crate::rules::migration::Probed) -> (JobOutcome, String) {
    (well(probed.verdict == Verdict::Pass), probed.detail)
}

/// The manifest is named by whoever set the agent up, like the words of a timer's command.
fn read(job: &Job) -> Result<Vec<u8>, Stop> {
    let path = job.manifest.as_deref().unwrap_or(Path::new(""));
    std::fs::read(path).map_err(|error| {
        Stop::BadInput(Refusal::new(
            format!("{} cannot be read: {error}", path.display()),
            "correct the manifest's path in the agent's file",
        ))
    })
}

/// Marks the runs of bundles as interrupted that were claimed long ago and are nobody's work now.
async fn sweep(store: &Store) -> Result<(JobOutcome, String), Stop> {
    let mut view = store.view().await?;
    let left = runs::all_running(&mut view).await?;
    drop(view);
    let mut swept = Vec::new();
    for (migration, tier) in left {
        swept.extend(bundle::sweep(store, &migration, tier, GIVEN_UP).await?);
    }
    let said = match swept.as_slice() {
        [] => "no run was left behind".to_owned(),
        runs => format!("interrupted {}", runs.join(", ")),
    };
    Ok((JobOutcome::Done, said))
}
