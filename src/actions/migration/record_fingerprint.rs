//! Records which keys exporters landed, by rule; drift pages whoever answers for the allow-list, in the same entry.

use serde::{Deserialize, Serialize};

use super::super::entry::{Action, Asked, Draft, Row, Stop};
use super::{MIGRATION, id_of, no_such_migration, open, read, target, there};
use crate::clock::Moment;
use crate::rules::migration::{Gate, Phase};
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::rules::{Condition, Refusal, Verdict};
use crate::store::artifact::{Artifact, EXPORTER_FINGERPRINT};
use crate::store::migration::{self, ExporterFingerprint};
use crate::store::outbox::Notice;
use crate::store::{StoreError, View};

/// What was found, as far as the database keeps it; the document comes along.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FingerprintFinding {
    /// The phase that the migration was in.
    pub phase: Phase,
    /// The folder below the governance root.
    pub folder: String,
    /// The allow-list that the exports were held against.
    pub allowlist_sha256: Option<String>,
    /// What was found.
    pub verdict: Verdict,
    /// How many exports had landed.
    pub exports: usize,
    /// How many of them are not as the allow-list wants them.
    pub drifted: usize,
    /// All key sets, hashed.
    pub keysets_sha256: Option<String>,
    /// What was found, in one line.
    pub detail: String,
}

pub(in crate::actions) struct RecordFingerprint {
    id: String,
    finding: FingerprintFinding,
    evidence: Vec<(&'static str, Artifact)>,
}

pub(in crate::actions) struct Facts {
    read: super::Facts,
    /// The allow-list of the phase, as it is registered.
    allowlist: Option<String>,
    before: Option<ExporterFingerprint>,
    /// Who answers for the allow-list.
    owner: String,
}

impl Action for RecordFingerprint {
    const MAY: Permission = permission::RECORD_FINGERPRINT;
    const KEY: char = ' ';
    const SUMMARY: &'static str = "Record which keys exporters landed";
    const UNDO: &'static str =
        "cannot be undone: what was found stays, and what is found next counts";
    const KIND: &'static str = MIGRATION;
    const TARGET: &'static str = "The migration's id";
    type Facts = Option<Facts>;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            id: asked.target.clone(),
            finding: asked.finding()?,
            evidence: asked.filed(&[EXPORTER_FINGERPRINT.0]),
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Option<Facts>, StoreError> {
        let Some(read) = read(view, &self.id).await? else {
            return Ok(None);
        };
        let (phase, folder) = (self.finding.phase, &self.finding.folder);
        let allowlist = migration::allowlist(view, &self.id, phase).await?;
        Ok(Some(Facts {
            allowlist: allowlist.map(|list| list.allowlist_sha256),
            before: migration::fingerprint(view, &self.id, folder).await?,
            owner: migration::answers_for(view, &read.known.migration, Gate::Allowlist).await?,
            read,
        }))
    }

    fn propose(&self, facts: &Option<Facts>, by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let facts = facts.as_ref().ok_or_else(|| no_such_migration(&self.id))?;
        let known = &there(Some(&facts.read), &self.id)?.known;
        let found = &self.finding;
        let [(_, document)] = self.evidence.as_slice() else {
            let what = "the document of what was found does not come along";
            return Err(Refusal::new(what, "report this as a bug").into());
        };
        let sha256 = document.sha256.to_string();
        let before = facts.before.as_ref();
        let previous = before.map_or("first", |it| &it.fingerprint_id);
        let row = ExporterFingerprint {
            fingerprint_id: id_of(&format!("{}/{}/{sha256}/{previous}", self.id, found.folder)),
            migration_id: self.id.clone(),
            phase: found.phase,
            folder: found.folder.clone(),
            allowlist_sha256: found.allowlist_sha256.clone(),
            verdict: found.verdict,
            exports: i64::try_from(found.exports).unwrap_or(i64::MAX),
            drifted: i64::try_from(found.drifted).unwrap_or(i64::MAX),
            keysets_sha256: found.keysets_sha256.clone(),
            evidence_sha256: sha256.clone(),
            detail: found.detail.clone(),
            observed_at_utc: now,
            recorded_by: by.id(),
            version: 1,
        };
        // The very same drift is told once, however often it is found.
        let is_told = before.is_some_and(|it| it.evidence_sha256 == sha256);
        let page = (found.verdict == Verdict::Fail && !is_told).then(|| self.page(facts, &sha256));
        let conditions = self.conditions(known, facts);
        let draft = Draft::new(target(&known.migration), conditions, vec![Row::new(row)]);
        Ok(draft
            .with_evidence(self.evidence.clone())
            .with_notices(page.into_iter().collect()))
    }
}

impl RecordFingerprint {
    fn conditions(&self, known: &migration::Known, facts: &Facts) -> Vec<Condition> {
        let found = &self.finding;
        let is_current = found.phase == known.migration.phase
            && found
                .allowlist_sha256
                .as_ref()
                .is_none_or(|sha256| facts.allowlist.as_ref() == Some(sha256));
        vec![
            open(known),
            Condition::holds(
                "inputs",
                is_current,
                Gate::Allowlist.role().word(),
                if is_current {
                    "it was held against what is registered now"
                } else {
                    "the phase or its allow-list is another meanwhile"
                },
                "run it again",
            ),
        ]
    }

    fn page(&self, facts: &Facts, sha256: &str) -> Notice {
        let found = &self.finding;
        Notice {
            event_class: "exporter_drift",
            about: format!("{}/{}", self.id, found.folder),
            recipient_id: facts.owner.clone(),
            subject: format!(
                "{}: {} of {} exports in {} drift",
                self.id, found.drifted, found.exports, found.folder
            ),
            body: format!(
                "{}. Exporters write other keys than the allow-list of {} allows: mend the exporter, or have the list agreed on \
                 anew.\nSee all of it with: govdeck artifact get {sha256}",
                found.detail, found.phase
            ),
            drill: false,
        }
    }
}
