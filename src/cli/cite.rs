//! `govdeck cite`: the way back from a number to its meaning, its rows and its hashes.

use clap::Args;
use serde_json::json;

use super::page::{Exit, Failure, Page};
use crate::readback::{Chain, Link, Row, chain};
use crate::rules::readback::{Citation, Cited};
use crate::settings::Settings;
use crate::store::Store;

/// Follow a number to its source.
#[derive(Debug, Args)]
pub(super) struct Cite {
    /// The tuple revision, as the number cites it.
    hash: String,
    /// The metric.
    metric: String,
}

impl Cite {
    pub(super) async fn run(self, store: &Store, settings: &Settings) -> Result<Page, Failure> {
        let cites = Citation::new(&self.metric, &self.hash)
            .map_err(|refusal| Failure::new(Exit::BadInput, refusal.sentence, refusal.hint))?;
        let mut view = store.view().await?;
        let chain = chain(&mut view, &settings.governance_root, cites).await?;
        let exit = if chain.is_whole() {
            Exit::Done
        } else {
            Exit::CannotTell
        };
        Ok(Page::new(
            exit,
            lines(&chain),
            "cite",
            json!({"chain": chain}),
        ))
    }
}

fn lines(chain: &Chain) -> Vec<String> {
    let mut lines = Vec::new();
    match (&chain.metric, &chain.release) {
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
            chain.cites.metric_id()
        )),
    }
    if chain.links.is_empty() {
        lines.push("CANNOT TELL where it was compared: no run of this tuple has it".to_owned());
    }
    for link in &chain.links {
        of_run(link, &mut lines);
    }
    for published in &chain.published {
        let (run, status) = (&published.publish_run_id, published.status);
        lines.push(format!("published as {run}: {status}"));
    }
    lines
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
