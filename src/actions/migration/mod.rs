//! Actions of a migration of the dictionary: its moves, and everything that its gates rest on.

mod advance;
mod approve_allowlist;
mod attach_matrix;
mod calendar;
mod close;
mod close_deficiency;
mod close_redeploy_task;
mod countersign;
mod hour;
mod open;
mod open_deficiency;
mod override_gate;
mod pair;
mod protect_metric;
mod record_evidence;
mod record_fingerprint;
mod record_rehearsal;
mod register_allowlist;
mod rehearse_move;
mod roll_back;
mod route_gate;
mod taken_back;
mod trigger_rollback;

pub(super) use advance::{CutOver, StartDualWrite};
pub(super) use approve_allowlist::ApproveAllowlist;
pub(super) use attach_matrix::AttachMatrix;
pub(super) use calendar::{CancelCalendar, SetCalendar};
pub(super) use close::CloseMigration;
pub(super) use close_deficiency::CloseDeficiency;
pub(super) use close_redeploy_task::CloseRedeployTask;
pub(super) use countersign::CountersignMove;
pub use hour::StepFinding;
pub(super) use hour::{
    AbortHour, AttestStep, BeginStep, EndStep, HandOverHour, NotePostMortem, RegisterHourPlan,
    StartHour,
};
pub(super) use open::OpenMigration;
pub use open_deficiency::About;
pub(super) use open_deficiency::OpenDeficiency;
pub(super) use override_gate::OverrideGate;
pub(super) use pair::{RegisterPair, WithdrawPair};
pub(super) use protect_metric::ProtectMetric;
pub use record_evidence::GateFinding;
pub(super) use record_evidence::RecordGateEvidence;
pub use record_fingerprint::FingerprintFinding;
pub(super) use record_fingerprint::RecordFingerprint;
pub(super) use record_rehearsal::RecordRehearsal;
pub(super) use register_allowlist::RegisterAllowlist;
pub(super) use rehearse_move::RehearseMove;
pub(super) use roll_back::RollBackMigration;
pub(super) use route_gate::RouteGate;
pub(super) use trigger_rollback::TriggerRollback;

use super::entry::{Row, Stop};
use crate::canon::Digest;
use crate::clock::Moment;
use crate::rules::migration::{
    EvidenceKind, Move, RollbackReason, matrix_verdict, no_such_migration, read_matrix,
};
use crate::rules::people::{Acting, Role};
use crate::rules::{Condition, Refusal};
use crate::store::artifact::{Artifact, IMPACT_MATRIX};
use crate::store::migration::{self, Event, GateEvidence, Known, Migration};
use crate::store::outbox::Notice;
use crate::store::{StoreError, Target, View, person};

const MIGRATION: &str = "migration";
/// What is done with a migration in the hour of its cutover, and nowhere else.
const HOUR: &str = "hour";

fn target(migration: &Migration) -> Target {
    Target {
        kind: MIGRATION,
        id: migration.migration_id.clone(),
        version: migration.version,
    }
}

/// Names a migration as what is moved in its hour.
fn in_the_hour(migration: &Migration) -> Target {
    Target {
        kind: HOUR,
        ..target(migration)
    }
}

/// A migration, and who hears of its moves.
pub(super) struct Facts {
    known: Known,
    leads: Vec<String>,
}

async fn read(view: &mut View, id: &str) -> Result<Option<Facts>, StoreError> {
    let Some(known) = migration::known(view, id).await? else {
        return Ok(None);
    };
    Ok(Some(Facts {
        known,
        leads: person::holders(view, &[Role::GovernanceLead]).await?,
    }))
}

fn there<'a>(facts: Option<&'a Facts>, id: &str) -> Result<&'a Facts, Stop> {
    facts.ok_or_else(|| no_such_migration(id).into())
}

/// What moves, besides the migration itself.
struct Moved<'a> {
    kind: Move,
    second: Option<String>,
    back: Option<(RollbackReason, &'a str)>,
}

impl Moved<'_> {
    /// Makes the rows of a move: the migration as it is from then on, and the move.
    fn rows(
        &self,
        before: &Migration,
        after: Migration,
        by: &Acting<'_>,
        now: Moment,
    ) -> Result<Vec<Row>, Stop> {
        let event = Event {
            migration_id: before.migration_id.clone(),
            event_no: after.version,
            kind: self.kind,
            from_phase: Some(before.phase),
            phase: after.phase,
            moved_by: by.id(),
            approved_by: self.second.clone(),
            // A rule gives no reason but what it found.
            reason: match self.back {
                Some((reason, found)) if reason.is_measured() => found.to_owned(),
                _ => by.reason(),
            },
            rollback_reason: self.back.map(|(reason, _)| reason),
            note: self.back.map(|(_, note)| note.to_owned()),
            needs_countersign: self.second.is_none()
                && self.back.is_some_and(|(reason, _)| !reason.is_measured()),
            countersigned_by: None,
            countersigned_at_utc: None,
            happened_at_utc: now,
            version: 1,
        };
        Ok(vec![Row::change(before, after)?, Row::new(event)])
    }
}

impl Facts {
    /// Tells the leads, but whoever moves it, what moves.
    fn tell(&self, by: &Acting<'_>, what: &str, body: &str) -> Vec<Notice> {
        let id = &self.known.migration.migration_id;
        let others = self.leads.iter().filter(|lead| **lead != by.id());
        others
            .map(|lead| Notice {
                event_class: "migration_moved",
                about: format!("{id}/{}", self.known.migration.version + 1),
                recipient_id: lead.clone(),
                subject: format!("{id}: {what}"),
                body: format!("{body}\nSee it with: govdeck migration show {id}"),
                drill: false,
            })
            .collect()
    }
}

/// Makes the evidence row of an impact matrix.
fn matrix_evidence(
    id: &str,
    csv: &str,
    before: Option<&Known>,
    by: &Acting<'_>,
    now: Moment,
) -> Result<(GateEvidence, Artifact), Refusal> {
    let cells = read_matrix(csv).map_err(|fault| {
        Refusal::new(
            format!("the impact matrix cannot be read: {fault}"),
            "docs/migration.md shows its form",
        )
    })?;
    let (verdict, detail) = matrix_verdict(&cells);
    let file = Artifact::new(IMPACT_MATRIX.1, csv.as_bytes().to_vec());
    let row = GateEvidence {
        evidence_id: evidence_id(id, EvidenceKind::Matrix, &file.sha256, before),
        migration_id: id.to_owned(),
        gate: EvidenceKind::Matrix,
        verdict,
        inputs_sha256: file.sha256.to_string(),
        evidence_sha256: file.sha256.to_string(),
        detail,
        observed_at_utc: now,
        recorded_by: by.id(),
        version: 1,
    };
    Ok((row, file))
}

/// Names a piece of evidence by what it is and what was found before; a card cannot tell when it is found.
fn evidence_id(id: &str, kind: EvidenceKind, sha256: &Digest, known: Option<&Known>) -> String {
    let all = known.map(|known| &*known.evidence).unwrap_or_default();
    let newest = all.iter().find(|it| it.gate == kind);
    let newest = newest.map_or("first", |it| &it.evidence_id);
    id_of(&format!("{id}/{kind}/{sha256}/{newest}"))
}

/// Makes the id of a row of what it is about.
fn id_of(name: &str) -> String {
    let digest = Digest::of(name.as_bytes()).to_string();
    digest.chars().take(32).collect()
}

/// States that a migration has not ended.
fn open(known: &Known) -> Condition {
    let migration = &known.migration;
    Condition::holds(
        "open",
        migration.closed_at_dt_utc.is_none(),
        Role::GovernanceLead.word(),
        match migration.closed_at_dt_utc {
            None => format!("it is in {}", migration.phase),
            Some(at) => format!("it ended at {at}"),
        },
        "what has ended stays as it was: a further attempt is a further migration",
    )
}
