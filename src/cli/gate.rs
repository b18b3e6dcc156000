//! `govdeck gate`: verdicts for pipelines.

use std::path::Path;

use clap::Subcommand;
use serde_json::{Value, json};

use super::act::{condition_line, settle};
use super::page::{Exit, Failure, Page};
use super::{gate_allowlist, gate_bind, gate_reconcile, gate_variance};
use crate::actions::{self, ByRule, Outcome, Request};
use crate::jobs::below_root;
use crate::rules::Verdict;
use crate::rules::block::AuditStatus;
use crate::rules::governance::{Governance, Hold};
use crate::rules::release::{ArtifactRef, Found, Release, may_distribute};
use crate::settings::Settings;
use crate::store::publish::{Audit, FreezeBypass, Snapshot};
use crate::store::{self, Access, Store, artifact, dictionary, governance, publish, week};

/// How many open blocks a rehearsal lists.
const LISTED: i64 = 1_000;

/// What a rehearsal that fails is stopped by.
const OPEN_PUBLISH_BLOCK: &str = "open_publish_block";

/// A gate to ask.
#[derive(Debug, Subcommand)]
pub(super) enum Gate {
    /// Decide a pending publish run, once.
    Publish {
        /// The run's id.
        run: String,
    },
    /// Say whether a run may be distributed now: it passed, nothing holds it, no comparison of its tuple failed, and its artefact still hashes the same.
    Distribute {
        /// The run's id.
        run: String,
    },
    /// Say whether a rehearsal may begin: no publish block is open.
    Rehearsal,
    /// Say whether an export has the keys that its migration's phase allows, from files, and pairs from the database if asked.
    Allowlist(gate_allowlist::Allowlist),
    /// Compare what leadership sees with what the partner gets, from files alone.
    Reconcile(gate_reconcile::Reconcile),
    /// Say whether two run manifests are of the same window, tuple and bypass, from files alone.
    Parity(gate_variance::Parity),
    /// Compare both sides before a publish, under the epsilons of the dictionary, and record it.
    Variance(gate_variance::Variance),
    /// Run the joins of two releases of the dictionary, and record whether a metric was lost.
    Bind(gate_bind::Bind),
}

impl Gate {
    /// Returns what the store is opened for: only a decision writes.
    pub(super) fn access(&self) -> Access {
        match self {
            Self::Publish { .. } | Self::Variance(_) | Self::Bind(_) => Access::Write,
            Self::Distribute { .. }
            | Self::Rehearsal
            | Self::Allowlist(_)
            | Self::Reconcile(_)
            | Self::Parity(_) => Access::Read,
        }
    }

    /// Tells whether it works on more than the database's answers on the way.
    pub(super) fn takes_its_time(&self) -> bool {
        !matches!(self, Self::Publish { .. } | Self::Rehearsal)
    }

    pub(super) async fn run(self, store: &Store, settings: &Settings) -> Result<Page, Failure> {
        if !matches!(self, Self::Reconcile(_) | Self::Parity(_)) {
            of_a_primary(store).await?;
        }
        match self {
            Self::Publish { run } => publish(store, run).await,
            Self::Distribute { run } => distribute(store, &settings.governance_root, &run).await,
            Self::Rehearsal => rehearsal(store).await,
            Self::Allowlist(verb) => verb.run_on_store(store).await,
            Self::Reconcile(verb) => verb.run(),
            Self::Parity(verb) => verb.run(),
            Self::Variance(verb) => verb.run(store).await,
            Self::Bind(verb) => verb.run(store).await,
        }
    }
}

/// Refuses to judge by a standby: what stops something may have come to its primary alone.
async fn of_a_primary(store: &Store) -> Result<(), Failure> {
    if store.view().await?.is_of_a_standby().await? {
        return Err(Failure::new(
            Exit::CannotTell,
            "this server is a standby, and may not know of the newest blocks yet",
            "ask the primary server",
        ));
    }
    Ok(())
}

async fn publish(store: &Store, run: String) -> Result<Page, Failure> {
    let drift = actions::explained(store, &run).await?;
    let request = Request::by_rule(ByRule::DecideRun { run: run.clone() })?.with_prepared(drift);
    match actions::carry_out(store, request).await {
        // An unknown run, a decided one, or one without a route: the gate cannot tell.
        Outcome::Refused(refusal) => {
            let stands = governance_now(store).await?;
            return match stands.hold() {
                Some(hold) => Ok(held(&run, hold, &stands)),
                None => Err(Failure::new(
                    Exit::CannotTell,
                    refusal.sentence,
                    refusal.hint,
                )),
            };
        }
        outcome => settle(store, outcome).await?,
    };
    let mut view = store.view().await?;
    let audit = publish::audit(&mut view, &run).await?;
    let audit = audit.ok_or_else(|| {
        Failure::new(
            Exit::CannotTell,
            format!("the decision on {run} cannot be read"),
            "run `govdeck ledger verify`",
        )
    })?;
    let drift = store::leaf::drift(&mut view, &run).await?;
    let verdict = Verdict::of(audit.status == AuditStatus::GatePassed);
    let also = also(&audit);
    let mut lines = vec![match audit.block_reason {
        None => format!("PASS {run}"),
        Some(reason) => format!(
            "BLOCKED {run}: {reason}, also {also}, owner {}",
            audit.owner_user_id.as_deref().unwrap_or("nobody")
        ),
    }];
    let explained = drift.as_ref().and_then(|filed| filed.drift.as_ref().ok());
    lines.extend(explained.map(|drift| drift.in_a_line(10)));
    let json = json!({
        "run": run, "verdict": verdict, "block_reason": audit.block_reason, "also": also,
        "owner": audit.owner_user_id, "backup": audit.backup_owner_user_id, "hold": null,
    });
    Ok(Page::new(Exit::from(verdict), lines, "gate-publish", json))
}

async fn governance_now(store: &Store) -> Result<Governance, Failure> {
    let mut view = store.view().await?;
    Ok(governance::hold(&mut view).await?)
}

/// Says that nothing was decided, since everything is held, and by which windows.
fn held(run: &str, hold: Hold, stands: &Governance) -> Page {
    let because = stands.not_red().evidence;
    let line = format!("HELD {run}: {hold}; nothing was decided; {because}");
    let json = json!({
        "run": run, "verdict": Verdict::Fail, "block_reason": null, "also": [], "owner": "governance_lead",
        "backup": null, "hold": hold, "because": because,
    });
    Page::new(Exit::No, vec![line], "gate-publish", json)
}

fn also(audit: &Audit) -> Value {
    serde_json::from_str(&audit.also).unwrap_or_default()
}

async fn distribute(store: &Store, root: &Path, run: &str) -> Result<Page, Failure> {
    let run_now = snapshot(store, run).await?;
    let found = look(store, root, run_now.artifact_ref.as_deref()).await?;
    // Everything else is read after the bytes were hashed, which may have taken long.
    let snapshot = snapshot(store, run).await?;
    let mut view = store.view().await?;
    let audit = publish::audit(&mut view, run).await?;
    let governance = governance::hold(&mut view).await?;
    let bypass = match &snapshot.freeze_bypass_id {
        Some(id) => publish::bypass(&mut view, id).await?,
        None => None,
    };
    let annex = week::annex_for(&mut view, run).await?;
    let variance = match &snapshot.publish_tuple_hash {
        Some(tuple) => dictionary::variance_of(&mut view, tuple).await?,
        None => None,
    };
    let variance = variance.map(|check| check.verdict);
    let conditions = may_distribute(&Release {
        status: snapshot.status,
        audit_passed: audit
            .as_ref()
            .map(|audit| audit.status == AuditStatus::GatePassed),
        drill: snapshot.drill,
        governance: &governance,
        annex: annex.as_ref().map(week::Annex::for_rules),
        now: view.now(),
        artifact: &found,
        variance,
    });
    let verdict = Verdict::all(conditions.iter().map(|condition| condition.verdict));
    let word = match verdict {
        Verdict::Pass => "PASS",
        Verdict::Fail => "NOT TO BE DISTRIBUTED",
        Verdict::CannotTell => "CANNOT TELL",
    };
    let mut lines = vec![format!("{word} {run}")];
    lines.extend(bypass.as_ref().map(|bypass| loudly(bypass, &view)));
    lines.extend(conditions.iter().map(condition_line));
    let json = json!({
        "run": run, "verdict": verdict, "block_reason": snapshot.block_reason,
        "also": audit.as_ref().map_or(json!([]), also),
        "owner": audit.as_ref().and_then(|audit| audit.owner_user_id.clone()),
        "backup": audit.as_ref().and_then(|audit| audit.backup_owner_user_id.clone()),
        "hold": governance.hold(), "governance": governance, "override_annex": annex, "artifact_ref": snapshot.artifact_ref,
        "freeze_bypass": bypass, "conditions": conditions,
    });
    Ok(Page::new(
        Exit::from(verdict),
        lines,
        "gate-distribute",
        json,
    ))
}

async fn snapshot(store: &Store, run: &str) -> Result<Snapshot, Failure> {
    let found = publish::snapshot(&mut store.view().await?, run).await?;
    found.ok_or_else(|| {
        Failure::new(
            Exit::CannotTell,
            format!("there is no run {run:?}"),
            "mint it, and ask `govdeck gate publish`",
        )
    })
}

/// Says that the run goes round a freeze; it decides nothing.
fn loudly(bypass: &FreezeBypass, view: &store::View) -> String {
    let until = if bypass.expires_at_utc <= view.now() {
        "EXPIRED"
    } else {
        "until"
    };
    format!(
        "FREEZE BYPASS {} of {} by {} and {}, {until} {}: {}; it passes nothing",
        bypass.freeze_bypass_id,
        bypass.freeze_id,
        bypass.requested_by,
        bypass.approved_by,
        bypass.expires_at_utc,
        bypass.reason
    )
}

/// Looks at the artefact that a run names and hashes it anew.
async fn look(store: &Store, root: &Path, named: Option<&str>) -> Result<Found, Failure> {
    let Some(named) = named.filter(|named| !named.is_empty()) else {
        return Ok(Found::NotNamed);
    };
    Ok(match named.parse::<ArtifactRef>() {
        Err(error) => Found::Unreachable(format!("{named:?}: {error}")),
        Ok(ArtifactRef::File { path, sha256 }) => match below_root::hash(root, &path) {
            Err(why) => Found::Unreachable(why),
            Ok(found) if found == sha256 => Found::Same(sha256),
            Ok(found) => Found::Changed(format!("{path} hashes to {found}, not to {sha256}")),
        },
        Ok(ArtifactRef::Filed(sha256)) => {
            match artifact::bytes(&mut store.view().await?, sha256).await {
                Ok(Some(_)) => Found::Same(sha256),
                Ok(None) => Found::Unreachable(format!("there is no artefact {sha256}")),
                Err(error) if error.kind == store::Failure::Unusable => {
                    Found::Changed(error.sentence)
                }
                Err(error) => return Err(error.into()),
            }
        }
    })
}

async fn rehearsal(store: &Store) -> Result<Page, Failure> {
    let mut view = store.view().await?;
    let open = publish::counts(&mut view).await?.open;
    let blocks = publish::open_blocks(&mut view, LISTED).await?;
    let verdict = Verdict::of(open == 0);
    let reason = (open > 0).then_some(OPEN_PUBLISH_BLOCK);
    let mut lines = vec![match reason {
        None => "PASS rehearsal: no publish block is open".to_owned(),
        Some(reason) => format!("FAIL rehearsal: {reason}, {open} open"),
    }];
    lines.extend(blocks.iter().map(super::block::line));
    let listed: Vec<_> = blocks
        .iter()
        .map(|block| {
            json!({
                "run": block.publish_run_id, "block_reason": block.block_reason, "owner": block.owner_user_id,
                "backup": block.backup_owner_user_id, "blocked_at_utc": block.created_at_utc, "taken_by": block.taken_by,
            })
        })
        .collect();
    let owner = blocks
        .first()
        .and_then(|block| block.owner_user_id.as_deref());
    let json = json!({
        "verdict": verdict, "block_reason": reason, "also": [], "owner": owner, "hold": null,
        "open": open, "blocks": listed,
    });
    Ok(Page::new(
        Exit::from(verdict),
        lines,
        "gate-rehearsal",
        json,
    ))
}
