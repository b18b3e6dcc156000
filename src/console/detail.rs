//! What is read of the selected row alone: a block with what explains it, an entry with all that was filed, a person with
//! all that they hold.

use serde::Serialize;

use crate::clock::Moment;
use crate::rules::attestation::{ActionClass, enough};
use crate::rules::block::{Responses, responses};
use crate::rules::drift::Drift;
use crate::rules::people::Attestation;
use crate::rules::release::Found;
use crate::rules::week::{RunStatus, Signed, counts};
use crate::signing::Signature;
use crate::store::dictionary::{self, BindProof, BindQuery, FaqRow, Release, Use};
use crate::store::key::{self, PersonKey};
use crate::store::ledger::{self, Change, Entry};
use crate::store::person::{self, PersonRole};
use crate::store::policy::{self, AttestationPolicy};
use crate::store::publish::Audit;
use crate::store::week::{self, Metric, Name, OverridePacket, Remediation};
use crate::store::{Failure, StoreError, View, artifact, cadence, deployment, leaf};

use super::panes::PaneId;
use super::picture::Wanted;
use super::spread_sight::{self, SpreadSight};

/// How many metrics of a weekly run are shown.
const METRICS: i64 = 12;
/// How many numbers of a metric are listed.
const USES: i64 = 20;
/// How many weeks the strip has.
const WEEKS: i64 = 52;
/// How many entries of a person are listed.
const LAST_ENTRIES: i64 = 5;

/// How many days back, and how many blocks, it is told how fast they were answered.
const LATELY_DAYS: i64 = 28;
const LATELY: u16 = 500;

/// How fast blocks were answered lately.
#[derive(Debug, Clone, Serialize)]
pub struct Lately {
    /// Every block from then on is in it.
    pub since: Moment,
    /// The responses, reason by reason.
    pub responses: Vec<Responses>,
}

/// A block with what the list does not say of it.
#[derive(Debug)]
pub struct BlockDetail {
    /// The run's id.
    pub run: String,
    /// What explains its drift, or why that cannot be read; none where nothing was filed. As hostile as the names of
    /// metrics.
    pub drift: Option<Result<Drift, String>>,
    /// The entries that made it what it is, the oldest first.
    pub entries: Vec<Entry>,
}

/// An entry with its changes, its card, and what was filed with it.
#[derive(Debug)]
pub struct EntryDetail {
    /// The entry's position.
    pub seq: i64,
    /// What it changed, each with the image before.
    pub changes: Vec<(Change, Option<String>)>,
    /// The decision card, as canonical JSON, or why it cannot be shown.
    pub card: Result<String, String>,
    /// What was proposed, where the entry asked for a second person: its card.
    pub proposed: Option<Result<String, String>>,
    /// The second person's own words and findings, where there is one.
    pub approval: Option<Result<String, String>>,
    /// The fingerprint of the key that signed the card, where one did, or why the signature is none.
    pub signature: Option<Result<String, String>>,
}

/// A person with everything that the list does not say.
#[derive(Debug)]
pub struct PersonDetail {
    /// Their id.
    pub person_id: String,
    /// The roles that they hold, and held.
    pub roles: Vec<PersonRole>,
    /// Their keys, the newest first.
    pub keys: Vec<PersonKey>,
    /// The newest entries that they made or agreed to.
    pub entries: Vec<Entry>,
}

/// A weekly run with what the list does not say of it.
#[derive(Debug)]
pub struct WeekDetail {
    /// The run's id.
    pub job_run_id: String,
    /// The worst metrics, the worst first.
    pub metrics: Vec<Metric>,
    /// The names under it, each with whether it counts.
    pub names: Vec<(Name, bool)>,
    /// What was found where its diff should be.
    pub diff: Found,
    /// What was done about it.
    pub remediations: Vec<Remediation>,
    /// The packet that lets it be signed though it is not green.
    pub packet: Option<OverridePacket>,
    /// How far apart its protected metrics lie against both limits; read for the pane Weeks alone.
    pub spread: Option<SpreadSight>,
}

/// A metric with what the list does not say of it.
#[derive(Debug)]
pub struct MetricDetail {
    /// Its id.
    pub metric_id: String,
    /// The joins of the newest release.
    pub joins: Vec<BindQuery>,
    /// The questions about it.
    pub faq: Vec<FaqRow>,
    /// The newest weekly runs that kept a number of it.
    pub uses: Vec<Use>,
}

/// The release of the dictionary that holds, and what was proved of it.
#[derive(Debug)]
pub struct ReleaseSight {
    /// The release.
    pub release: Release,
    /// The newest proof that its joins lost nothing, or that they did.
    pub proof: Option<BindProof>,
    /// The view that the partners' annex reads.
    pub annex_view: Option<String>,
}

/// How a series stands, and its last year.
#[derive(Debug)]
pub struct SeriesSight {
    /// Everything that its state rests on.
    pub look: week::Look,
    /// How its newest windows ended, the oldest first.
    pub strip: Vec<RunStatus>,
    /// Who has signed its newest run and not taken it back.
    pub signers: Vec<String>,
    /// How many names count under its newest run, and how many are asked for.
    pub quorum: (i64, i64),
}

/// How well people must be known for one class of actions.
#[derive(Debug)]
pub struct Asks {
    /// The class.
    pub class: ActionClass,
    /// The least that is enough.
    pub minimum: Attestation,
    /// Who decided so, and when; nobody where it is built in.
    pub decided: Option<AttestationPolicy>,
}

/// Reads how fast the newest blocks were answered; however many there ever were, no more than some are read.
pub(super) async fn lately(view: &mut View) -> Result<Lately, StoreError> {
    let now = view.now();
    let earliest = now.plus_minutes(-LATELY_DAYS * 24 * 60);
    let newest = cadence::newest_answered(view, earliest, LATELY).await?;
    Ok(Lately {
        since: newest.since,
        responses: responses(&newest.answered, now),
    })
}

/// Reads the selected block.
pub(super) async fn block(
    view: &mut View,
    wanted: &Wanted,
) -> Result<Option<BlockDetail>, StoreError> {
    let Some(("block", run)) = &wanted.selected.as_ref().map(|(kind, id)| (*kind, id)) else {
        return Ok(None);
    };
    let filed = leaf::drift(view, run).await?;
    Ok(Some(BlockDetail {
        run: (*run).clone(),
        drift: filed.map(|filed| filed.drift),
        entries: ledger::entries_of(view, Audit::TABLE, run).await?,
    }))
}

/// Reads the selected weekly run.
pub(super) async fn week(
    view: &mut View,
    wanted: &Wanted,
) -> Result<Option<WeekDetail>, StoreError> {
    let Some(("week", run)) = &wanted.selected.as_ref().map(|(kind, id)| (*kind, id)) else {
        return Ok(None);
    };
    let Some(window) = week::find(view, run).await? else {
        return Ok(None);
    };
    let diff = week::found_diff(view, &window).await?;
    let metrics = week::metrics(view, run, METRICS).await?;
    let are_all = i64::try_from(metrics.len()).is_ok_and(|count| count < METRICS);
    let spread = match wanted.pane {
        PaneId::Weeks => {
            spread_sight::read(view, &window, are_all.then_some(metrics.as_slice())).await?
        }
        _ => None,
    };
    Ok(Some(WeekDetail {
        job_run_id: (*run).clone(),
        metrics,
        spread,
        names: week::names(view, &window, &diff).await?,
        diff,
        remediations: week::evidence_of(view, run).await?,
        packet: week::packet_of(view, run).await?,
    }))
}

/// Reads the selected metric.
pub(super) async fn metric(
    view: &mut View,
    wanted: &Wanted,
) -> Result<Option<MetricDetail>, StoreError> {
    let Some(("metric", id)) = &wanted.selected.as_ref().map(|(kind, id)| (*kind, id)) else {
        return Ok(None);
    };
    let joins = match dictionary::newest(view).await? {
        Some(release) => dictionary::bind_queries(view, &release.dictionary_semver).await?,
        None => Vec::new(),
    };
    Ok(Some(MetricDetail {
        metric_id: (*id).clone(),
        joins,
        faq: dictionary::faq_of(view, id).await?,
        uses: dictionary::uses(view, id, USES).await?,
    }))
}

/// Reads which release of the dictionary holds.
pub(super) async fn released(view: &mut View) -> Result<Option<ReleaseSight>, StoreError> {
    let Some(release) = dictionary::newest(view).await? else {
        return Ok(None);
    };
    let semver = &release.dictionary_semver;
    let annex_view = dictionary::annex_view_of(view, semver).await?;
    Ok(Some(ReleaseSight {
        proof: dictionary::proof_of(view, semver).await?,
        annex_view: annex_view.map(|view| view.annex_view_version),
        release,
    }))
}

/// Reads how each active series stands.
pub(super) async fn series(view: &mut View) -> Result<Vec<SeriesSight>, StoreError> {
    let mut all = Vec::new();
    for row in week::active_series(view).await? {
        let look = week::look(view, row).await?;
        let strip = week::strip(view, &look.series.series_id, WEEKS).await?;
        let newest = match look.newest() {
            Some(run) => week::find(view, &run.job_run_id).await?,
            None => None,
        };
        let names = match &newest {
            Some(window) => {
                let diff = week::found_diff(view, window).await?;
                week::names(view, window, &diff).await?
            }
            None => Vec::new(),
        };
        let signed: Vec<Signed> = names
            .iter()
            .map(|(name, is_current)| name.signed(*is_current))
            .collect();
        let quorum = counts(&signed, look.series.quorum, look.series.override_quorum);
        let valid = names
            .iter()
            .filter(|(name, _)| name.revoked_at_utc.is_none());
        let signers = valid.map(|(name, _)| name.signer_id.clone()).collect();
        all.push(SeriesSight {
            look,
            strip,
            signers,
            quorum,
        });
    }
    Ok(all)
}

/// Reads the selected entry.
pub(super) async fn entry(
    view: &mut View,
    wanted: &Wanted,
) -> Result<Option<EntryDetail>, StoreError> {
    let Some(("entry", id)) = &wanted.selected.as_ref().map(|(kind, id)| (*kind, id)) else {
        return Ok(None);
    };
    let Ok(seq) = id.parse::<i64>() else {
        return Ok(None);
    };
    let mut changes = Vec::new();
    for change in ledger::changes(view, seq, seq).await? {
        let before = ledger::image_before(view, &change).await?;
        changes.push((change, before));
    }
    let card = match ledger::entries(view, seq, 1).await?.first() {
        Some(entry) if entry.seq == seq => filed(view, entry.card_sha256).await?,
        _ => Err("the entry is gone".to_owned()),
    };
    let (mut proposed, mut approval, mut signature) = (None, None, None);
    for evidence in ledger::evidence(view, seq, seq).await? {
        let place = match evidence.role.as_str() {
            artifact::PROPOSED => &mut proposed,
            artifact::APPROVED => &mut approval,
            artifact::SIGNATURE => &mut signature,
            _ => continue,
        };
        *place = Some(filed(view, evidence.sha256).await?);
    }
    let signature = signature.map(|armored| signer(&armored?, card.as_ref().ok()));
    Ok(Some(EntryDetail {
        seq,
        changes,
        card,
        proposed,
        approval,
        signature,
    }))
}

/// Names the key that signed a card; whether it was valid then, verifying the ledger says.
fn signer(armored: &str, card: Option<&String>) -> Result<String, String> {
    let card = card.ok_or("what was signed cannot be read")?;
    let signature = Signature::parse(armored).map_err(|refusal| refusal.sentence)?;
    let key = signature.verify(card.as_bytes());
    key.map(crate::signing::PublicKey::fingerprint)
        .map_err(|refusal| refusal.sentence)
}

/// Reads what was filed; what was tampered with is said, and takes no picture away.
async fn filed(
    view: &mut View,
    sha256: crate::canon::Digest,
) -> Result<Result<String, String>, StoreError> {
    match artifact::bytes(view, sha256).await {
        Ok(Some(bytes)) => Ok(Ok(String::from_utf8_lossy(&bytes).into_owned())),
        Ok(None) => Ok(Err(
            "the decision card is gone; verify the ledger".to_owned()
        )),
        Err(error) if error.kind == Failure::Unusable => Ok(Err(error.sentence)),
        Err(error) => Err(error),
    }
}

/// Reads the selected person.
pub(super) async fn person(
    view: &mut View,
    wanted: &Wanted,
) -> Result<Option<PersonDetail>, StoreError> {
    let Some(("person", id)) = &wanted.selected.as_ref().map(|(kind, id)| (*kind, id)) else {
        return Ok(None);
    };
    Ok(Some(PersonDetail {
        person_id: (*id).clone(),
        roles: person::roles_of(view, id).await?,
        keys: key::of_person(view, id).await?,
        entries: ledger::of_person(view, id, LAST_ENTRIES).await?,
    }))
}

/// Reads how well people must be known, class by class.
pub(super) async fn policies(view: &mut View) -> Result<Vec<Asks>, StoreError> {
    let environment = deployment::read(view).await?.environment;
    let of_session = person::attestation(view);
    let mut decided = policy::all(view).await?;
    let asks = |class: &ActionClass| {
        let at = decided
            .iter()
            .position(|policy| policy.action_class == *class);
        let decided = at.map(|at| decided.swap_remove(at));
        let minimum = decided.as_ref().map(|policy| policy.minimum);
        Asks {
            class: *class,
            minimum: enough(*class, minimum, of_session, environment),
            decided,
        }
    };
    Ok(ActionClass::ALL.iter().map(asks).collect())
}
