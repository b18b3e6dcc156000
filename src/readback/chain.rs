//! The way back from a number: its meaning, the runs that compared it, and the rows and hashes that they rest on.

use std::path::Path;

use serde::Serialize;

use super::source::{Row, Source, source};
use crate::canon::Digest;
use crate::rules::Refusal;
use crate::rules::block::SnapshotStatus;
use crate::rules::readback::{Citation, Cited};
use crate::rules::reconcile::Party;
use crate::rules::release::ArtifactRef;
use crate::rules::week::{Manifest, RunStatus, read_manifest};
use crate::store::dictionary::{self, DictionaryMetric, Release};
use crate::store::week::{self, Window};
use crate::store::{StoreError, View, artifact, ledger, publish};

/// How many runs of one tuple are followed.
const RUNS: i64 = 10;

/// The way back from a number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Chain {
    /// Where the number says that it comes from.
    pub cites: Citation,
    /// What the metric means; none where no dictionary has it.
    pub metric: Option<DictionaryMetric>,
    /// The release that says so.
    pub release: Option<Release>,
    /// The runs that compared it in this tuple revision, the newest first.
    pub links: Vec<Link>,
    /// The publish runs of this tuple revision.
    pub published: Vec<Published>,
}

/// A run that compared the number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Link {
    /// The run.
    pub job_run_id: String,
    /// How it ended.
    pub status: RunStatus,
    /// What leadership saw.
    pub leadership: Option<Cited>,
    /// What the partners got.
    pub partner: Option<Cited>,
    /// Whether both were near enough.
    pub verdict: String,
    /// The diff, metric by metric.
    pub artifact_uri: Option<String>,
    /// The manifest that it followed.
    pub manifest_sha256: Option<String>,
    /// Where both sides came from, leadership first.
    pub sources: Vec<Source>,
    /// The entry of the ledger that recorded it: its position and its hash.
    pub recorded: Option<(i64, Digest)>,
}

/// A publish run of the tuple revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Published {
    /// The run.
    pub publish_run_id: String,
    /// How it stands.
    pub status: SnapshotStatus,
}

impl Chain {
    /// Tells whether the number leads back to a meaning, and by a run that the ledger recorded to the rows of both sides.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let leads_back = |link: &Link| {
            let shown = |source: &Source| matches!(source.row, Row::Found(_));
            link.recorded.is_some() && link.sources.iter().all(shown)
        };
        self.metric.is_some() && self.links.iter().any(leads_back)
    }

    /// Tells it in lines, from the meaning to the hashes.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        match (&self.metric, &self.release) {
            (Some(metric), release) => {
                let (semver, document) = match release {
                    Some(release) => (&*release.dictionary_semver, &*release.document_sha256),
                    None => ("?", "?"),
                };
                lines.push(format!(
                    "{} {}: {}",
                    metric.metric_id, metric.display_label, metric.definition
                ));
                lines.push(format!(
                "  {} in {}, {}, epsilon {} ({}); dictionary {semver}, document sha256:{document}",
                metric.formula,
                metric.unit,
                metric.aggregation_rule,
                metric.epsilon_abs,
                metric.epsilon_class
            ));
            }
            (None, _) => lines.push(format!(
                "CANNOT TELL what {} means: it is not in the dictionary",
                self.cites.metric_id()
            )),
        }
        if self.links.is_empty() {
            lines.push("CANNOT TELL where it was compared: no run of this tuple has it".to_owned());
        }
        for link in &self.links {
            of_run(link, &mut lines);
        }
        for published in &self.published {
            let (run, status) = (&published.publish_run_id, published.status);
            lines.push(format!("published as {run}: {status}"));
        }
        lines
    }
}

fn of_run(link: &Link, lines: &mut Vec<String>) {
    let shown = |number: &Option<Cited>| {
        let value = number.as_ref().map(Cited::value);
        value.unwrap_or("missing").to_owned()
    };
    lines.push(format!(
        "run {} {}: leadership {}, partner {}: {}",
        link.job_run_id,
        link.status,
        shown(&link.leadership),
        shown(&link.partner),
        link.verdict
    ));
    for source in &link.sources {
        let hash = source.ingest_hash.as_deref().unwrap_or("no hash");
        lines.push(format!("  {} from {}, {hash}", source.side, source.from));
        lines.push(match &source.row {
            Row::Found(row) => format!("    {row}"),
            Row::NotShown(why) => format!("    the row is not shown: {why}"),
        });
    }
    let sha256 = |hash: &Option<String>| match hash {
        Some(hash) => format!("sha256:{hash}"),
        None => "none".to_owned(),
    };
    lines.push(format!(
        "  diff {}, manifest {}",
        link.artifact_uri.as_deref().unwrap_or("none"),
        sha256(&link.manifest_sha256)
    ));
    lines.push(match &link.recorded {
        Some((seq, hash)) => format!("  ledger entry {seq}, hash {hash}"),
        None => "  CANNOT TELL by which entry of the ledger it was recorded".to_owned(),
    });
}

/// Follows a citation to its sources; files are read below the governance root.
pub async fn chain(view: &mut View, root: &Path, cites: Citation) -> Result<Chain, StoreError> {
    let metric = dictionary::metric(view, cites.metric_id()).await?;
    let release = match &metric {
        Some(metric) => dictionary::release(view, &metric.dictionary_semver).await?,
        None => None,
    };
    let mut links: Vec<Link> = Vec::new();
    for window in week::runs_of_tuple(view, cites.tuple_revision_hash(), RUNS).await? {
        links.extend(link(view, root, &window, &cites).await?);
    }
    let published = publish::runs_of_tuple(view, cites.tuple_revision_hash(), RUNS).await?;
    // At the end: a query that fails takes the view with it.
    for source in links.iter_mut().flat_map(|link| &mut link.sources) {
        source.ask_again(view, cites.metric_id()).await;
    }
    let published = published
        .into_iter()
        .map(|(publish_run_id, status)| Published {
            publish_run_id,
            status,
        });
    Ok(Chain {
        published: published.collect(),
        cites,
        metric,
        release,
        links,
    })
}

/// What a run found of the metric.
struct Compared {
    leadership: Option<String>,
    partner: Option<String>,
    verdict: String,
}

async fn link(
    view: &mut View,
    root: &Path,
    window: &Window,
    cites: &Citation,
) -> Result<Option<Link>, StoreError> {
    let Some(found) = compared(view, window, cites.metric_id()).await? else {
        return Ok(None);
    };
    let manifest = manifest(view, window).await?;
    let ingest = [
        (Party::Leadership, window.leadership_ingest_hash.as_deref()),
        (Party::Partner, window.partner_ingest_hash.as_deref()),
    ];
    let sources = ingest.map(|(side, hash)| {
        let manifest = manifest.as_ref();
        source(root, manifest, side, hash, cites.metric_id())
    });
    let entries = ledger::entries_of(view, Window::TABLE, &window.job_run_id).await?;
    let recorded = entries.iter().find(|entry| entry.action == "finish_run");
    let number = |value: Option<String>| Cited::new(&value?, cites.clone()).ok();
    Ok(Some(Link {
        job_run_id: window.job_run_id.clone(),
        status: window.status,
        leadership: number(found.leadership),
        partner: number(found.partner),
        verdict: found.verdict,
        artifact_uri: window.artifact_uri.clone(),
        manifest_sha256: window.manifest_sha256.clone(),
        sources: sources.into(),
        recorded: recorded.map(|entry| (entry.seq, entry.hash)),
    }))
}

/// Finds what a run found of a metric: among what the database keeps, else in the whole diff.
async fn compared(
    view: &mut View,
    window: &Window,
    metric: &str,
) -> Result<Option<Compared>, StoreError> {
    if let Some(kept) = week::metric_of(view, &window.job_run_id, metric).await? {
        return Ok(Some(Compared {
            leadership: kept.leadership,
            partner: kept.partner,
            verdict: kept.verdict,
        }));
    }
    let named = window
        .artifact_uri
        .as_deref()
        .map(str::parse::<ArtifactRef>);
    let Some(Ok(ArtifactRef::Filed(sha256))) = named else {
        return Ok(None);
    };
    let Some(bytes) = artifact::bytes(view, sha256).await? else {
        return Ok(None);
    };
    let Ok(diff) = serde_json::from_slice::<serde_json::Value>(&bytes) else {
        return Ok(None);
    };
    let metrics = diff["metrics"].as_array().map_or(&[][..], Vec::as_slice);
    let found = metrics.iter().find(|row| row["metric_id"] == metric);
    let text = |row: &serde_json::Value, field: &str| row[field].as_str().map(str::to_owned);
    Ok(found.map(|row| Compared {
        leadership: text(row, "leadership"),
        partner: text(row, "partner"),
        verdict: text(row, "verdict").unwrap_or_default(),
    }))
}

/// Reads the manifest that a run followed; one that is gone or cannot be read shows no sources.
async fn manifest(view: &mut View, window: &Window) -> Result<Option<Manifest>, StoreError> {
    let named = window.manifest_sha256.as_deref();
    let Some(Ok(sha256)) = named.map(str::parse::<Digest>) else {
        return Ok(None);
    };
    let bytes = artifact::bytes(view, sha256).await?;
    let read = bytes.map(|bytes| read_manifest(&bytes));
    Ok(read.and_then(|read: Result<Manifest, Refusal>| read.ok()))
}
