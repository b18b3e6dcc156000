//! Evidence by its hash: insert-only, written in the same transaction as what it proves.

use std::collections::BTreeMap;

use serde::Serialize;
use sqlx::FromRow;

use super::view::{on, query, query_as, query_scalar};
use super::{Failure, StoreError, View};
use crate::canon::Digest;
use crate::clock::Moment;

/// The media type of decision cards.
pub const CARD: &str = "application/vnd.govdeck.card+json";

/// The media type of what a write found when it checked everything again.
pub const RECHECKED: &str = "application/vnd.govdeck.recheck+json";

/// The role of that: every entry has one such piece of evidence.
pub const RECHECK: &str = "recheck";

/// The media type of signatures over decision cards.
pub const SSH_SIGNATURE: &str = "application/vnd.govdeck.sshsig";

/// The role of the signature over an entry's card by whoever wrote the entry.
pub const SIGNATURE: &str = "signature";

/// The role of the card that waits for a second person, in the entry that asked for one.
pub const PROPOSED: &str = "proposed";

/// The media type of what the second person saw, said and found.
pub const APPROVAL: &str = "application/vnd.govdeck.approval+json";

/// The role of that, in the entry of what was approved.
pub const APPROVED: &str = "approval";

/// The media type of what a drift was explained by.
pub const DRIFT_JSON: &str = "application/vnd.govdeck.drift+json";

/// The role of that, in the entry of the decision that found the drift.
pub const DRIFT: &str = "drift";

/// The role and the media type of what a weekly comparison found, metric by metric.
pub const RECONCILE_DIFF: (&str, &str) = (
    "reconcile_diff",
    "application/vnd.govdeck.reconcile-diff+json",
);

/// The role and the media type of the manifest that it followed.
pub const RECONCILE_MANIFEST: (&str, &str) = (
    "reconcile_manifest",
    "application/vnd.govdeck.reconcile-manifest+json",
);

/// The role and the media type of what a diff outside the database hashed to, just before somebody signed it.
pub const DIFF_SEEN: (&str, &str) = ("diff_seen", "application/vnd.govdeck.diff-seen+json");

/// The role and the media type of a policy's document.
pub const EPSILON_POLICY: (&str, &str) = (
    "epsilon_policy",
    "application/vnd.govdeck.epsilon-policy+json",
);

/// The role and the media type of what a policy would have made of the weeks before.
pub const POLICY_BACKTEST: (&str, &str) = (
    "policy_backtest",
    "application/vnd.govdeck.policy-backtest+json",
);

/// The role and the media type of a release of the dictionary.
pub const DICTIONARY: (&str, &str) = ("dictionary", "application/vnd.govdeck.dictionary+json");

/// The role and the media type of a join over the dictionary.
pub const BIND_QUERY: (&str, &str) = ("bind_query", "application/sql");

/// The role and the media type of the view that the partners' annex reads.
pub const ANNEX_VIEW: (&str, &str) = ("annex_view", "application/sql");

/// The role and the media type of what was found when the joins of two releases were run.
pub const BIND_PROOF: (&str, &str) = ("bind_proof", "application/vnd.govdeck.bind-proof+json");

/// The role and the media type of the picture of that.
pub const BIND_PICTURE: (&str, &str) = ("bind_picture", "image/svg+xml");

/// The role and the media type of what was found when two sides were held against each other before a publish.
pub const VARIANCE: (&str, &str) = ("variance", "application/vnd.govdeck.reconcile-diff+json");

/// The role and the media type of what one side of a weekly run said of itself.
pub const RUN_MANIFEST: (&str, &str) =
    ("run_manifest", "application/vnd.govdeck.run-manifest+json");

/// The role and the media type of a bundle's declaration.
pub const BUNDLE_DECLARATION: (&str, &str) = ("bundle_declaration", "application/yaml");

/// The role and the media type of the list of a bundle's scripts.
pub const BUNDLE_SCRIPTS: (&str, &str) = (
    "bundle_scripts",
    "application/vnd.govdeck.bundle-scripts+json",
);

/// The role and the media type of one of them.
pub const BUNDLE_SCRIPT: (&str, &str) = ("bundle_script", "text/plain");

/// The role and the media type of what a bundle's target looked like.
pub const BUNDLE_BASELINE: (&str, &str) = (
    "bundle_baseline",
    "application/vnd.govdeck.bundle-baseline+json",
);

/// The role and the media type of the summary of what differs between two of them.
pub const BUNDLE_DIFF: (&str, &str) = ("bundle_diff", "application/vnd.govdeck.bundle-diff+json");

/// The role and the media type of what a plan says of its way back, once that was run and led back.
pub const BUNDLE_WAY_BACK: (&str, &str) = (
    "bundle_way_back",
    "application/vnd.govdeck.bundle-way-back+json",
);

/// The role and the media type of a run's receipt: every entry that moves a bundle, or ends a run of it, has one.
pub const BUNDLE_RECEIPT: (&str, &str) = (
    "bundle_receipt",
    "application/vnd.govdeck.bundle-receipt+json",
);

/// The role and the media type of where a run's outputs came from.
pub const BUNDLE_PROV: (&str, &str) = ("bundle_prov", "application/ld+json");

/// An impact matrix: its role, and what it is.
pub const IMPACT_MATRIX: (&str, &str) = ("impact_matrix", "text/csv");

/// What was found for a gate.
pub const GATE_EVIDENCE: (&str, &str) = (
    "gate_evidence",
    "application/vnd.govdeck.gate-evidence+json",
);

/// What a replay followed.
pub const REPLAY_MANIFEST: (&str, &str) = (
    "replay_manifest",
    "application/vnd.govdeck.replay-manifest+json",
);

/// A frozen export that a replay compared.
pub const REPLAY_GOLDEN: (&str, &str) = ("replay_golden", "text/csv");

/// What the replay of one gave under a release.
pub const REPLAY_RESULT: (&str, &str) = ("replay_result", "text/csv");

/// The scans that a cutover read: a feed, which is frozen with the entry that rests on it.
pub const DUAL_WRITE_SCANS: (&str, &str) = (
    "dual_write_scans",
    "application/vnd.govdeck.dual-write-scans+json",
);

/// What exporters landed, held against an allow-list.
pub const EXPORTER_FINGERPRINT: (&str, &str) = (
    "exporter_fingerprint",
    "application/vnd.govdeck.exporter-fingerprint+json",
);

/// The plan of the hour of a cutover.
pub const CUTOVER_PLAN: (&str, &str) =
    ("cutover_plan", "application/vnd.govdeck.cutover-plan+json");

/// What the work of one of its steps found.
pub const CUTOVER_STEP: (&str, &str) =
    ("cutover_step", "application/vnd.govdeck.cutover-step+json");

/// What a rehearsal of the hour did and found.
pub const REHEARSAL_RECEIPT: (&str, &str) = (
    "rehearsal_receipt",
    "application/vnd.govdeck.rehearsal-receipt+json",
);

/// What a pipeline exported before the flip.
pub const GOLDEN_BEFORE: (&str, &str) = ("golden_before", "application/octet-stream");

/// What the trigger took a migration back for.
pub const ROLLBACK_TRIGGER: (&str, &str) = (
    "rollback_trigger",
    "application/vnd.govdeck.rollback-trigger+json",
);

/// An allow-list of exporters.
pub const EXPORTER_ALLOWLIST: (&str, &str) = (
    "exporter_allowlist",
    "application/vnd.govdeck.allowlist+json",
);

/// The most bytes one artefact may have; larger inputs stay outside as URI and digest.
pub const MOST_BYTES: usize = 64 * 1024 * 1024;

/// A piece of evidence, about to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// The hash of its bytes, and its name.
    pub sha256: Digest,
    media_type: &'static str,
    bytes: Vec<u8>,
}

/// What the list of artefacts shows of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct Listed {
    /// The hash of its bytes, and its name.
    pub sha256: Digest,
    /// What kind of bytes they are.
    pub media_type: String,
    /// How many.
    pub size: i64,
    /// When they were written.
    pub created_at_utc: Moment,
}

impl Artifact {
    /// Names bytes by their hash.
    #[must_use]
    pub fn new(media_type: &'static str, bytes: Vec<u8>) -> Self {
        Self {
            sha256: Digest::of(&bytes),
            media_type,
            bytes,
        }
    }

    /// Returns its bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Writes it, unless the same bytes are there already.
    pub(in crate::store) async fn insert(
        &self,
        view: &mut View,
        now: Moment,
    ) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO artifact (sha256, media_type, bytes, created_at_utc) SELECT $1, $2, $3, $4 \
             WHERE NOT EXISTS (SELECT 1 FROM artifact WHERE sha256 = $1)";
        if self.bytes.len() > MOST_BYTES {
            return Err(StoreError::new(
                Failure::Other,
                "the artefact is larger than 64 MB",
                "keep it outside and name it by URI and digest",
            ));
        }
        on!(view, c => query(SQL).bind(self.sha256).bind(self.media_type).bind(&self.bytes).bind(now).execute(c).await.map(drop))?;
        Ok(())
    }
}

/// Reads the bytes of an artefact, and refuses them when they no longer hash to their name.
pub async fn bytes(view: &mut View, sha256: Digest) -> Result<Option<Vec<u8>>, StoreError> {
    const SQL: &str = "SELECT bytes FROM artifact WHERE sha256 = $1";
    let bytes: Option<Vec<u8>> =
        on!(view, c => query_scalar(SQL).bind(sha256).fetch_optional(c).await)?;
    match bytes {
        Some(bytes) if Digest::of(&bytes) != sha256 => Err(StoreError::unusable(
            format!("the artefact {sha256} no longer has the bytes it is named by"),
            "run `govdeck ledger verify`",
        )),
        other => Ok(other),
    }
}

/// Lists the newest artefacts.
pub async fn newest(view: &mut View, most: i64) -> Result<Vec<Listed>, StoreError> {
    const SQL: &str = "SELECT sha256, media_type, CAST(length(bytes) AS BIGINT) AS size, created_at_utc FROM artifact \
         ORDER BY created_at_utc DESC, sha256 LIMIT $1";
    Ok(on!(view, c => query_as(SQL).bind(most).fetch_all(c).await)?)
}

/// A document about an entry, as it is filed.
#[derive(Debug, FromRow)]
pub(in crate::store) struct Filed {
    seq: i64,
    pub media_type: String,
    pub created_at_utc: Moment,
    pub bytes: Vec<u8>,
}

/// Reads the decision cards of the entries `from` to `to`, by their positions.
pub(in crate::store) async fn cards(
    view: &mut View,
    from: i64,
    to: i64,
) -> Result<BTreeMap<i64, Filed>, StoreError> {
    const SQL: &str = "SELECT l.seq, a.media_type, a.created_at_utc, a.bytes FROM governance_ledger l \
         JOIN artifact a ON a.sha256 = l.card_sha256 WHERE l.seq BETWEEN $1 AND $2 ORDER BY l.seq";
    filed(view, SQL, from, to).await
}

/// Reads what was checked again for the entries `from` to `to`, by their positions.
pub(in crate::store) async fn rechecks(
    view: &mut View,
    from: i64,
    to: i64,
) -> Result<BTreeMap<i64, Filed>, StoreError> {
    const SQL: &str = "SELECT e.seq, a.media_type, a.created_at_utc, a.bytes FROM ledger_artifact e \
         JOIN artifact a ON a.sha256 = e.sha256 WHERE e.role = 'recheck' AND e.seq BETWEEN $1 AND $2 ORDER BY e.seq, e.sha256";
    filed(view, SQL, from, to).await
}

/// Reads the signatures over the cards of the entries `from` to `to`, by their positions.
pub(in crate::store) async fn signatures(
    view: &mut View,
    from: i64,
    to: i64,
) -> Result<BTreeMap<i64, Filed>, StoreError> {
    const SQL: &str = "SELECT e.seq, a.media_type, a.created_at_utc, a.bytes FROM ledger_artifact e \
         JOIN artifact a ON a.sha256 = e.sha256 WHERE e.role = 'signature' AND e.seq BETWEEN $1 AND $2 ORDER BY e.seq, e.sha256";
    filed(view, SQL, from, to).await
}

/// Reads what second persons saw, said and found, for the entries `from` to `to`, by their positions.
pub(in crate::store) async fn approvals(
    view: &mut View,
    from: i64,
    to: i64,
) -> Result<BTreeMap<i64, Filed>, StoreError> {
    const SQL: &str = "SELECT e.seq, a.media_type, a.created_at_utc, a.bytes FROM ledger_artifact e \
         JOIN artifact a ON a.sha256 = e.sha256 WHERE e.role = 'approval' AND e.seq BETWEEN $1 AND $2 ORDER BY e.seq, e.sha256";
    filed(view, SQL, from, to).await
}

async fn filed(
    view: &mut View,
    sql: &'static str,
    from: i64,
    to: i64,
) -> Result<BTreeMap<i64, Filed>, StoreError> {
    let all: Vec<Filed> = on!(view, c => query_as(sql).bind(from).bind(to).fetch_all(c).await)?;
    Ok(all.into_iter().map(|one| (one.seq, one)).collect())
}

/// Reads a page of artefacts in the order of their names, for verification.
pub(in crate::store) async fn page(
    view: &mut View,
    after: &str,
    most: i64,
) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
    const SQL: &str =
        "SELECT sha256, bytes FROM artifact WHERE sha256 > $1 ORDER BY sha256 LIMIT $2";
    Ok(on!(view, c => query_as(SQL).bind(after).bind(most).fetch_all(c).await)?)
}
