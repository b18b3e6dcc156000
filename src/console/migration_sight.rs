//! What is read of migrations for their panes: the gates of the selected one, its clock, and what mismatches.

use serde::Serialize;

use crate::rules::Verdict;
use crate::rules::migration::hour::CutoverPlan;
use crate::rules::migration::{
    self as rule, Clean, DeficiencyKind, Earliest, EvidenceKind, Gate, Phase, Report,
};
use crate::store::migration::{
    self, Allowlist, ColumnPair, Deficiency, Event, ExporterFingerprint, GateEvidence,
    GateOverride, Known, KnownHour, Migration, Mismatch, RedeployTask, Replays, RowPair, Scan,
};
use crate::store::window::Window;
use crate::store::{StoreError, View};

use super::panes::PaneId;
use super::picture::{LISTED, Wanted};

/// A migration with what the list does not say of it.
#[derive(Debug)]
pub struct MigrationDetail {
    /// The migration.
    pub migration: Migration,
    /// Its moves, the first first.
    pub events: Vec<Event>,
    /// What two people let it pass.
    pub overrides: Vec<GateOverride>,
    /// Its pairs, also those that were withdrawn.
    pub pairs: Vec<ColumnPair>,
    /// Its scans, the oldest first.
    pub scans: Vec<Scan>,
    /// Every gate before its next phase.
    pub reports: Vec<Report>,
    /// When it may go on at the earliest.
    pub earliest: Option<Earliest>,
    /// The clock of clean hours.
    pub clean: Clean,
    /// Its allow-lists.
    pub allowlists: Vec<Allowlist>,
    /// What somebody has to see to.
    pub deficiencies: Vec<Deficiency>,
    /// What exporters have to be deployed back to, where it was taken back after its cutover.
    pub redeploy: Option<RedeployTask>,
    /// What jobs found last.
    pub looks: Looks,
}

/// What jobs found last of a migration.
#[derive(Debug, Serialize)]
pub struct Looks {
    /// The newest look at each folder that exports land in.
    pub fingerprints: Vec<ExporterFingerprint>,
    /// The newest replay of what was frozen.
    pub replay: Option<Looked>,
    /// What it compared; none where its document is not there as it was filed.
    pub replayed: Option<Replays>,
    /// The newest probe of questions.
    pub faq: Option<Looked>,
}

/// What was found, and what it is worth now.
#[derive(Debug, Serialize)]
pub struct Looked {
    /// The evidence.
    pub evidence: GateEvidence,
    /// What its gate makes of it now, whatever the phase.
    pub report: Report,
}

impl Looks {
    /// Says how the newest replay came out under each release, the one before first; nothing passes that proves nothing of now.
    #[must_use]
    pub fn of_each_release(&self) -> Vec<(&str, Verdict)> {
        let all = self.replayed.iter().flat_map(|it| &it.replays);
        let gate = self.replay.as_ref().map(|it| it.report.verdict);
        let is_open = gate != Some(Verdict::Pass) && gate != Some(Verdict::Fail);
        let mut found: Vec<(&str, Verdict)> = Vec::new();
        for one in all {
            let verdict = match one.verdict {
                Verdict::Pass if is_open => Verdict::CannotTell,
                told => told,
            };
            match found.iter_mut().find(|(semver, _)| *semver == one.semver) {
                Some((_, worst)) => *worst = Verdict::all([*worst, verdict]),
                None => found.push((&one.semver, verdict)),
            }
        }
        found
    }
}

/// The newest scan, and those before it.
#[derive(Debug)]
pub struct Scanned {
    /// The migration that is looked at.
    pub migration_id: String,
    /// Its scans, the oldest first.
    pub scans: Vec<Scan>,
    /// The clock of clean hours.
    pub clean: Clean,
    /// What did not match for too long, and nobody has seen to.
    pub deficiencies: Vec<Deficiency>,
    /// The newest look at each folder that exports land in.
    pub fingerprints: Vec<ExporterFingerprint>,
    /// The metric of the selected row, and its pairs that do not match now; none where the views do not stand.
    pub rows: Option<(String, Vec<RowPair>)>,
}

/// The hour of the migration that people look at first.
#[derive(Debug)]
pub struct HourSight {
    /// The migration.
    pub migration: Migration,
    /// The plan of its hour.
    pub plan: Option<CutoverPlan>,
    /// Its newest hour.
    pub hour: Option<KnownHour>,
}

/// What the panes of migrations show besides the selected row.
#[derive(Debug, Default)]
pub struct Migrations {
    /// The migration that people look at first; read for Home alone.
    pub newest: Option<Migration>,
    /// The hour that runs; read for Home alone.
    pub running: Option<KnownHour>,
    /// What whoever is at the keys has to deploy back.
    pub redeploys: Vec<RedeployTask>,
    /// What they have to see to.
    pub deficiencies: Vec<Deficiency>,
    /// The window of migrations; read for the pane Migration alone.
    pub rows: Window<Migration>,
    /// What did not match; read for the pane Mismatches alone.
    pub mismatches: Window<Mismatch>,
    /// The newest scan; read for the pane Mismatches alone.
    pub scanned: Option<Scanned>,
    /// The hour of a cutover; read for the pane Cutover alone.
    pub hour: Option<Box<HourSight>>,
    /// The selected migration.
    pub selected: Option<Box<MigrationDetail>>,
}

/// Reads what the panes of migrations show, and what of it waits for somebody.
pub(super) async fn read(
    view: &mut View,
    wanted: &Wanted,
    who: Option<&str>,
) -> Result<Migrations, StoreError> {
    let mut found = Migrations::default();
    if let Some(who) = who {
        found.redeploys = migration::redeploys_of(view, who, LISTED).await?;
        found.deficiencies = migration::deficiencies_of(view, who, LISTED).await?;
    }
    match wanted.pane {
        PaneId::Home => {
            found.newest = migration::newest_open(view).await?;
            found.running = migration::running_hour(view).await?;
        }
        PaneId::Migration => found.rows = migration::window(view, &wanted.migrations).await?,
        PaneId::Mismatches => {
            found.mismatches = migration::mismatches(view, &wanted.mismatches).await?;
            found.scanned = scanned(view, wanted).await?;
        }
        PaneId::Cutover => {
            found.hour = hour(view).await?.map(Box::new);
            return Ok(found);
        }
        _ => return Ok(found),
    }
    if let Some(("migration", id)) = &wanted.selected.as_ref().map(|(kind, id)| (*kind, id)) {
        found.selected = detail(view, id).await?.map(Box::new);
    }
    Ok(found)
}

async fn hour(view: &mut View) -> Result<Option<HourSight>, StoreError> {
    let hour = migration::last_hour(view).await?;
    let migration = match &hour {
        Some(hour) => migration::find(view, &hour.hour.migration_id).await?,
        None => migration::newest_open(view).await?,
    };
    let Some(migration) = migration else {
        return Ok(None);
    };
    let plan = migration::hour_plan(view, &migration.migration_id).await?;
    Ok(Some(HourSight {
        plan: plan.map(|plan| plan.document),
        migration,
        hour,
    }))
}

/// How many pairs of rows are shown.
const ROWS: u16 = 50;

async fn scanned(view: &mut View, wanted: &Wanted) -> Result<Option<Scanned>, StoreError> {
    let Some(newest) = migration::newest_open(view).await? else {
        return Ok(None);
    };
    let known = migration::known(view, &newest.migration_id).await?;
    let now = view.now();
    let rows = match &wanted.selected {
        Some(("mismatch", id)) => {
            let metric = id.rsplit_once('/').map_or(&**id, |(metric, _)| metric);
            let rows = migration::row_pairs(view, metric, ROWS).await?;
            rows.map(|rows| (metric.to_owned(), rows))
        }
        _ => None,
    };
    let id = &newest.migration_id;
    let mut deficiencies = migration::deficiencies(view, id).await?;
    deficiencies.retain(|it| it.closed_at_utc.is_none() && it.kind == DeficiencyKind::Mismatch);
    let fingerprints = migration::fingerprints(view, id).await?;
    Ok(known.map(|known| Scanned {
        rows,
        deficiencies,
        fingerprints,
        clean: known.clean(now),
        migration_id: newest.migration_id,
        scans: known.scans,
    }))
}

async fn detail(view: &mut View, id: &str) -> Result<Option<MigrationDetail>, StoreError> {
    let Some(known) = migration::known(view, id).await? else {
        return Ok(None);
    };
    let now = view.now();
    let next = known.migration.phase.next();
    let (reports, earliest) = known.decide(now, |facts| {
        let reports = next.map(|next| rule::reports(facts, next));
        (reports.unwrap_or_default(), rule::earliest(facts))
    });
    Ok(Some(MigrationDetail {
        reports,
        earliest,
        clean: known.clean(now),
        allowlists: migration::allowlists(view, id).await?,
        deficiencies: migration::deficiencies(view, id).await?,
        redeploy: migration::redeploy_task(view, id).await?,
        looks: looks(view, &known).await?,
        migration: known.migration,
        events: known.events,
        overrides: known.overrides,
        pairs: known.pairs,
        scans: known.scans,
    }))
}

async fn looks(view: &mut View, known: &Known) -> Result<Looks, StoreError> {
    let now = view.now();
    let newest = |kind: EvidenceKind, gate: Gate| {
        let evidence = known.evidence.iter().find(|it| it.gate == kind)?;
        Some(Looked {
            evidence: evidence.clone(),
            report: known.decide(now, |facts| rule::judge(gate, facts, Phase::Cutover)),
        })
    };
    let replay = newest(EvidenceKind::Replay, Gate::Replay);
    let replayed = match &replay {
        Some(look) => migration::replays(view, &look.evidence).await?.ok(),
        None => None,
    };
    let id = &known.migration.migration_id;
    Ok(Looks {
        fingerprints: migration::fingerprints(view, id).await?,
        replay,
        replayed,
        faq: newest(EvidenceKind::Faq, Gate::Faq),
    })
}
