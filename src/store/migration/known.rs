//! Everything that is known of a migration when something is decided about it.

use super::fingerprint::fingerprint_changes;
use super::hour::{KnownHour, KnownPlan, bundle_digests, hour_plan, newest_hour};
use super::looks;
use super::mismatch::views_stand;
use super::rows::{
    Allowlist, AllowlistApproval, CalendarWindow, ColumnPair, Event, GateEvidence, GateOverride,
    GateOwner, Migration, ProtectedMetric,
};
use super::scan::{Scan, scans};
use super::shape::shape;
use crate::clock::Moment;
use crate::rules::governance::{Governance, Hold};
use crate::rules::migration::hour::HourStatus;
use crate::rules::migration::{
    self as rule, Approval, Clean, Evidence, EvidenceKind, Facts, Override, Owner, PairStatus,
    Phase, Planned, Proof, Sample, Series, Stand, clean,
};
use crate::rules::people::{PersonKind, Role};
use crate::rules::time::is_turned_back;
use crate::store::dictionary::{self, BindProof, FaqRow};
use crate::store::view::{on, query_scalar};
use crate::store::week::{self, Ended};
use crate::store::{StoreError, View, governance, ledger, person};

/// Everything that is known of a migration.
#[derive(Debug, Clone)]
pub struct Known {
    /// The migration.
    pub migration: Migration,
    /// Its moves, the first first.
    pub events: Vec<Event>,
    /// Who answers for gates.
    pub owners: Vec<GateOwner>,
    /// The newest evidence of each kind.
    pub evidence: Vec<GateEvidence>,
    /// What two people let it pass.
    pub overrides: Vec<GateOverride>,
    /// The newest proof of its two releases.
    pub proof: Option<BindProof>,
    /// The allow-list of the next phase.
    pub allowlist: Option<Allowlist>,
    /// The pairs, also those that were withdrawn.
    pub pairs: Vec<ColumnPair>,
    /// The metrics that must not get lost.
    pub protected: Vec<ProtectedMetric>,
    /// Its scans, the oldest first.
    pub scans: Vec<Scan>,
    /// The calendar, as it stands.
    pub calendar: Vec<CalendarWindow>,
    /// The newest ended weeks of each active series.
    pub weeks: Vec<(String, Vec<Ended>)>,
    /// How many publish blocks are open.
    pub open_blocks: i64,
    /// What scans, probes and replays would be made of now.
    pub inputs: Inputs,
    /// The plan of its hour.
    pub plan: Option<KnownPlan>,
    /// Its newest hour.
    pub hour: Option<KnownHour>,
    approvals: Vec<Yes>,
    /// When exporters began to write other keys while both halves were written.
    changes: Vec<Moment>,
    others: Vec<Migration>,
    governance: Governance,
    newest_join: Option<Moment>,
    clock_is_behind: bool,
    views_stand: bool,
}

/// What evidence would be found of now, hashed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inputs {
    /// Of a scan.
    pub scan: String,
    /// Of the probe of questions.
    pub faq: String,
    /// Of a replay.
    pub replay: String,
    /// Of the search for protected metrics.
    pub protected: String,
    /// Of a rehearsal: the plan of the cutover.
    pub plan: String,
}

/// Reads everything that is known of a migration.
pub async fn known(view: &mut View, id: &str) -> Result<Option<Known>, StoreError> {
    let Some(migration) = looks::find(view, id).await? else {
        return Ok(None);
    };
    let (from, to) = (&migration.from_semver, &migration.to_semver);
    let mut evidence = Vec::new();
    for kind in EvidenceKind::ALL {
        evidence.extend(looks::evidence(view, id, *kind).await?);
    }
    let allowlist = match migration.phase.next() {
        Some(next) => looks::allowlist(view, id, next).await?,
        None => None,
    };
    let approvals = match &allowlist {
        Some(list) => yeses(view, list).await?,
        None => Vec::new(),
    };
    let mut weeks = Vec::new();
    for series in week::active_series(view).await? {
        let series_id = series.series_id.clone();
        weeks.push((series_id, week::look(view, series).await?.ended));
    }
    let proof = dictionary::proof_of(view, to).await?;
    let mut newest_join = None;
    for semver in [from, to] {
        for join in dictionary::bind_queries(view, semver).await? {
            newest_join = newest_join.max(Some(join.registered_at_utc));
        }
    }
    let pairs = looks::pairs(view, id).await?;
    let protected = looks::protected(view, id).await?;
    let proof = proof.filter(|proof| proof.from_semver == *from);
    let dual_write = looks::allowlist(view, id, Phase::DualWrite).await?;
    let faq = dictionary::faq_all(view).await?;
    let shape = shape(view).await?;
    let head = ledger::head(view).await?;
    let plan = hour_plan(view, id).await?;
    let bundles = bundle_digests(view, plan.as_ref()).await?;
    Ok(Some(Known {
        inputs: Inputs::of(&Of {
            migration: &migration,
            pairs: &pairs,
            protected: &protected,
            proof: proof.as_ref(),
            dual_write: dual_write.as_ref(),
            target: allowlist.as_ref(),
            faq: &faq,
            shape: &shape,
            plan: plan.as_ref(),
            bundles: &bundles,
        }),
        plan,
        hour: newest_hour(view, id).await?,
        events: looks::events(view, id).await?,
        owners: looks::gate_owners(view).await?,
        overrides: looks::overrides(view, id).await?,
        scans: scans(view, id).await?,
        changes: fingerprint_changes(view, id).await?,
        calendar: looks::calendar(view).await?,
        open_blocks: open_blocks(view).await?,
        others: looks::others(view, id).await?,
        governance: governance::hold(view).await?,
        views_stand: views_stand(view).await?,
        clock_is_behind: is_turned_back(head.latest_at_utc, view.now()),
        migration,
        evidence,
        proof,
        allowlist,
        pairs,
        protected,
        weeks,
        approvals,
        newest_join,
    }))
}

/// A yes to an allow-list, with what whoever said it holds, and whether it counts.
type Yes = (AllowlistApproval, Vec<Role>, bool);

/// Reads who agreed on an allow-list, as it is registered.
async fn yeses(view: &mut View, list: &Allowlist) -> Result<Vec<Yes>, StoreError> {
    let mut yeses = Vec::new();
    for approval in looks::approvals(view, list).await? {
        let who = person::find(view, &approval.approver_id).await?;
        let counts = who.is_some_and(|it| it.active && it.kind == PersonKind::Human);
        let roles = person::roles_of(view, &approval.approver_id).await?;
        let roles = roles.into_iter().filter(|held| held.active);
        yeses.push((approval, roles.map(|held| held.role).collect(), counts));
    }
    Ok(yeses)
}

/// Finds the allow-list of a phase, if two agreed on it as it is registered; else says what is missing.
pub async fn agreed_allowlist(
    view: &mut View,
    id: &str,
    phase: Phase,
) -> Result<Result<Allowlist, String>, StoreError> {
    let Some(list) = looks::allowlist(view, id, phase).await? else {
        return Ok(Err(format!("no allow-list for {phase} is registered")));
    };
    let yeses = yeses(view, &list).await?;
    let (is_agreed, said) = rule::agreed(&for_rules(&list, &yeses));
    Ok(if is_agreed {
        Ok(list)
    } else {
        Err(format!("the allow-list for {phase} is {said}"))
    })
}

fn for_rules<'a>(list: &'a Allowlist, yeses: &'a [Yes]) -> rule::Allowlist<'a> {
    rule::Allowlist {
        sha256: &list.allowlist_sha256,
        author: &list.author_id,
        forbidden_grew: list.forbidden_grew,
        approvals: yeses.iter().map(approval).collect(),
    }
}

async fn open_blocks(view: &mut View) -> Result<i64, StoreError> {
    const SQL: &str = "SELECT CAST(COUNT(*) AS BIGINT) FROM publish_replay_audit WHERE status = 'blocked' AND drill = FALSE";
    Ok(on!(view, c => query_scalar(SQL).fetch_one(c).await)?)
}

struct Of<'a> {
    migration: &'a Migration,
    pairs: &'a [ColumnPair],
    protected: &'a [ProtectedMetric],
    proof: Option<&'a BindProof>,
    dual_write: Option<&'a Allowlist>,
    target: Option<&'a Allowlist>,
    faq: &'a [FaqRow],
    shape: &'a str,
    plan: Option<&'a KnownPlan>,
    bundles: &'a [String],
}

impl Inputs {
    fn of(of: &Of<'_>) -> Self {
        let pairs = active(of.pairs);
        let hash = |list: Option<&Allowlist>| list.map(|it| it.allowlist_sha256.clone());
        let (dual_write, target) = (hash(of.dual_write), hash(of.target));
        let asked = of.faq.iter();
        let asked = asked.filter(|row| row.status == crate::rules::faq::FaqStatus::Active);
        let asked: Vec<(&str, &str)> = asked
            .map(|row| (&*row.faq_id, &*row.dictionary_metric_id))
            .collect();
        let metrics: Vec<&str> = of.protected.iter().map(|it| &*it.metric_id).collect();
        let (from, to) = (&of.migration.from_semver, &of.migration.to_semver);
        let proof = of.proof.map(|proof| &*proof.proof_sha256);
        Self {
            scan: rule::scan_inputs(&pairs, dual_write.as_deref(), of.shape),
            faq: rule::faq_inputs(&asked, &pairs, of.shape),
            replay: rule::replay_inputs(from, to, &pairs, of.shape),
            protected: rule::protected_inputs(from, to, &metrics, proof),
            plan: rule::plan_hash(
                &of.migration.migration_id,
                of.plan.map_or("none", |plan| &plan.row.plan_sha256),
                of.bundles,
                &pairs,
                target.as_deref(),
            ),
        }
    }
}

fn active(pairs: &[ColumnPair]) -> Vec<(&str, &str)> {
    let pairs = pairs
        .iter()
        .filter(|pair| pair.status == PairStatus::Active);
    pairs
        .map(|pair| (&*pair.legacy_column, &*pair.modern_column))
        .collect()
}

fn stand(migration: &Migration, since: Moment) -> Stand<'_> {
    Stand {
        migration_id: &migration.migration_id,
        from_semver: &migration.from_semver,
        to_semver: &migration.to_semver,
        phase: migration.phase,
        since,
        closed: migration.closed_at_dt_utc,
        watch_until: migration.watch_until,
    }
}

impl Known {
    /// Returns its hour while it runs.
    #[must_use]
    pub fn running_hour(&self) -> Option<&KnownHour> {
        let hour = self.hour.as_ref();
        hour.filter(|it| it.hour.status == HourStatus::Running)
    }

    /// Returns the pairs that are kept.
    #[must_use]
    pub fn active_pairs(&self) -> Vec<(&str, &str)> {
        active(&self.pairs)
    }

    /// Returns how the clock of clean hours stands.
    #[must_use]
    pub fn clean(&self, now: Moment) -> Clean {
        let samples: Vec<Sample<'_>> = self.scans.iter().map(Scan::sample).collect();
        clean(&samples, &self.changes, &self.inputs.scan, now)
    }

    /// Finds the move that brought it to its phase.
    #[must_use]
    pub fn entered(&self) -> Option<&Event> {
        let phase = self.migration.phase;
        self.events.iter().find(|event| event.phase == phase)
    }

    /// Lets a rule decide on it.
    pub fn decide<T>(&self, now: Moment, rule: impl FnOnce(&Facts<'_>) -> T) -> T {
        let opened = self.migration.opened_at_dt_utc;
        let since = self.entered().map_or(opened, |event| event.happened_at_utc);
        rule(&Facts {
            now,
            clock_is_behind: self.clock_is_behind,
            stand: stand(&self.migration, since),
            owners: self.owners.iter().map(owner).collect(),
            evidence: self.evidence.iter().map(|it| self.found(it)).collect(),
            proof: self.proof.as_ref().map(|proof| Proof {
                verdict: proof.verdict,
                made: proof.made_at_utc,
                sha256: &proof.proof_sha256,
                is_of_now: self
                    .newest_join
                    .is_none_or(|join| join <= proof.made_at_utc),
                metrics: proof.metrics,
            }),
            allowlist: self
                .allowlist
                .as_ref()
                .map(|list| for_rules(list, &self.approvals)),
            overrides: self.overrides.iter().map(overridden).collect(),
            series: self.weeks.iter().map(series).collect(),
            red: match self.governance {
                Governance::NotEstablished => {
                    rule::Known::CannotTell("nothing is compared every week")
                }
                _ => rule::Known::So(self.governance.hold() == Some(Hold::GovernanceRed)),
            },
            open_blocks: self.open_blocks,
            clean: self.clean(now),
            pairs: self.active_pairs().len(),
            views_stand: self.views_stand,
            calendar: self.calendar.iter().map(planned).collect(),
            others: self
                .others
                .iter()
                .map(|other| stand(other, other.opened_at_dt_utc))
                .collect(),
        })
    }

    fn found<'a>(&'a self, evidence: &'a GateEvidence) -> Evidence<'a> {
        let inputs = match evidence.gate {
            EvidenceKind::Matrix => &evidence.inputs_sha256,
            EvidenceKind::Faq => &self.inputs.faq,
            EvidenceKind::Replay => &self.inputs.replay,
            EvidenceKind::Protected => &self.inputs.protected,
            EvidenceKind::Rehearsal => &self.inputs.plan,
        };
        Evidence {
            kind: evidence.gate,
            verdict: evidence.verdict,
            observed: evidence.observed_at_utc,
            sha256: &evidence.evidence_sha256,
            is_of_now: *inputs == evidence.inputs_sha256,
            detail: &evidence.detail,
        }
    }

    /// Returns what evidence of a kind would be found of now.
    #[must_use]
    pub fn inputs_of(&self, kind: EvidenceKind) -> &str {
        match kind {
            EvidenceKind::Matrix => &self.migration.migration_id,
            EvidenceKind::Faq => &self.inputs.faq,
            EvidenceKind::Replay => &self.inputs.replay,
            EvidenceKind::Protected => &self.inputs.protected,
            EvidenceKind::Rehearsal => &self.inputs.plan,
        }
    }
}

fn owner(row: &GateOwner) -> Owner<'_> {
    Owner {
        gate: row.gate,
        person: &row.person_id,
    }
}

fn overridden(row: &GateOverride) -> Override<'_> {
    Override {
        gate: row.gate,
        expires: row.expires_at_utc,
        by: (&row.requested_by, &row.approved_by),
    }
}

fn approval((row, roles, counts): &Yes) -> Approval<'_> {
    Approval {
        person: &row.approver_id,
        roles: roles.clone(),
        counts: *counts,
    }
}

/// Returns a span of the calendar for the rules.
#[must_use]
pub fn planned(row: &CalendarWindow) -> Planned<'_> {
    Planned {
        title: &row.title,
        kind: row.kind,
        starts: row.starts_at_utc,
        ends: row.ends_at_utc,
    }
}

fn series((id, ended): &(String, Vec<Ended>)) -> Series<'_> {
    let passed = ended
        .iter()
        .map(|run| run.status == crate::rules::week::RunStatus::Pass);
    Series {
        id,
        passed: passed.collect(),
    }
}
