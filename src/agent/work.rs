//! Jobs that are due, each in a task and on a connection of its own, and for no longer than it may take.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use tokio::task::{Id, JoinError, JoinSet};

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
    running: Running,
}

impl Works {
    pub fn new(place: &Place, settings: &AgentSettings, fence: i64) -> Self {
        Self {
            place: place.clone(),
            jobs: settings.jobs(),
            fence,
            running: Running::default(),
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
            if self.running.has(&name) {
                continue;
            }
            job::begin(ours, &name, self.fence).await?;
            let (place, fence) = (self.place.clone(), self.fence);
            self.running.begin(name, move || apart(place, fence, job));
        }
        Ok(())
    }

    /// Writes down what has ended, and waits for nothing.
    pub async fn end(&mut self, ours: &Store) -> Result<(), Stop> {
        while let Some(ended) = self.running.ended_by_now() {
            self.written(ours, ended).await?;
        }
        Ok(())
    }

    /// Waits so long for what was begun, and adds what became of each; tells whether all of it has ended.
    pub async fn ended_within(
        &mut self,
        patience: Duration,
        ours: &Store,
        all: &mut BTreeMap<String, &'static str>,
    ) -> Result<bool, Stop> {
        let until = tokio::time::Instant::now() + patience;
        loop {
            match tokio::time::timeout_at(until, self.running.ended()).await {
                Ok(Some(ended)) => {
                    let (name, outcome) = self.written(ours, ended).await?;
                    all.insert(name, outcome.word());
                }
                Ok(None) => return Ok(true),
                Err(_) => return Ok(false),
            }
        }
    }

    async fn written(&self, ours: &Store, ended: Ended) -> Result<(String, JobOutcome), Stop> {
        let (name, outcome, detail) = ended;
        tracing::info!(job = name, %outcome, detail, "a job ended");
        job::end(ours, &name, self.fence, outcome, &detail).await?;
        Ok((name, outcome))
    }
}

/// What runs now, each under its job's name, so that one that breaks is known by it.
#[derive(Debug, Default)]
struct Running {
    tasks: JoinSet<Ended>,
    names: BTreeMap<Id, String>,
}

impl Running {
    fn has(&self, name: &str) -> bool {
        self.names.values().any(|it| it == name)
    }

    /// Begins in a thread of its own: it may compute for long, and a heart beats in this one.
    fn begin(&mut self, name: String, work: impl FnOnce() -> Ended + Send + 'static) {
        let task = self.tasks.spawn_blocking(work);
        self.names.insert(task.id(), name);
    }

    fn ended_by_now(&mut self) -> Option<Ended> {
        let ended = self.tasks.try_join_next_with_id()?;
        Some(self.named(ended))
    }

    async fn ended(&mut self) -> Option<Ended> {
        let ended = self.tasks.join_next_with_id().await?;
        Some(self.named(ended))
    }

    fn named(&mut self, ended: Result<(Id, Ended), JoinError>) -> Ended {
        let id = match &ended {
            Ok((id, _)) => *id,
            Err(error) => error.id(),
        };
        let name = self.names.remove(&id).unwrap_or_default();
        match ended {
            Ok((_, ended)) => ended,
            Err(error) => {
                tracing::error!(job = name, %error, "a job broke down");
                let detail = "it broke down: a fault of the program; see the log".to_owned();
                (name, JobOutcome::Failed, detail)
            }
        }
    }
}

fn apart(place: Place, fence: i64, job: Job) -> Ended {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    match runtime {
        Ok(runtime) => {
            let ended = runtime.block_on(in_time(place, fence, job));
            // What was cut off may still wait for a file in a thread of its own; nobody waits for that.
            runtime.shutdown_background();
            ended
        }
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
    let done = run(&store, &place.governance_root, &job);
    let (outcome, detail) = limited(job.timeout(), done).await;
    let _ = tokio::time::timeout(GRACE, store.close()).await;
    let detail = shorten(&scrub(&detail), KEPT).into_owned();
    (name, outcome, detail)
}

/// Does it for no longer than it may take, and says what became of it.
async fn limited(
    limit: Duration,
    work: impl Future<Output = Result<(JobOutcome, String), Stop>>,
) -> (JobOutcome, String) {
    match tokio::time::timeout(limit, work).await {
        Ok(Ok((outcome, detail))) => (outcome, detail),
        Ok(Err(Stop::Refused(refusal))) => (JobOutcome::No, refusal.sentence),
        Ok(Err(Stop::BadInput(refusal))) => (JobOutcome::Failed, refusal.sentence),
        Ok(Err(Stop::Store(error))) => (JobOutcome::Failed, error.sentence),
        Err(_) => {
            let minutes = limit.as_secs() / 60;
            let detail = format!("it took longer than {minutes} minutes and was cut off");
            (JobOutcome::TimedOut, detail)
        }
    }
}

async fn run(store: &Store, root: &Path, job: &Job) -> Result<(JobOutcome, String), Stop> {
    Ok(match job.run {
        Work::Scan => {
            let scan = scan::run(store, scan::ROWS_AT_ONCE).await?.scan;
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
    let unread = |why: String| {
        Stop::BadInput(Refusal::new(
            format!("{} cannot be read: {why}", path.display()),
            "correct the manifest's path in the agent's file",
        ))
    };
    // A pipe could keep us waiting, and nothing cuts that off.
    let is_file = std::fs::metadata(path).map(|it| it.is_file());
    if !is_file.map_err(|error| unread(error.to_string()))? {
        return Err(unread("it is no plain file".to_owned()));
    }
    std::fs::read(path).map_err(|error| unread(error.to_string()))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_job_that_takes_too_long_is_cut_off() {
        let limit = Duration::from_millis(1);
        let (outcome, detail) = limited(limit, std::future::pending()).await;
        assert_eq!(outcome, JobOutcome::TimedOut);
        assert!(detail.ends_with("and was cut off"), "{detail}");
        let limit = Duration::from_hours(1);
        let done = || (JobOutcome::Done, "all is well".to_owned());
        assert_eq!(limited(limit, async { Ok(done()) }).await, done());
    }

    #[tokio::test]
    async fn a_job_that_breaks_down_is_named_and_may_begin_again() {
        let mut running = Running::default();
        running.begin("scan".to_owned(), || panic!("a fault"));
        assert!(running.has("scan"));
        let (name, outcome, detail) = running.ended().await.expect("it was begun");
        assert_eq!((&*name, outcome), ("scan", JobOutcome::Failed));
        assert!(detail.contains("broke down"), "{detail}");
        assert!(!running.has("scan"));
        let done = || ("scan".to_owned(), JobOutcome::Done, String::new());
        running.begin("scan".to_owned(), done);
        assert_eq!(running.ended().await, Some(done()));
        assert_eq!(running.ended().await, None);
    }
}
