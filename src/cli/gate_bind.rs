//! `govdeck gate bind`: whether every metric that people's queries join to the dictionary is still joined.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::artifact::write_read_only;
use super::page::{Exit, Failure, Page};
use crate::jobs::bind::{self, Proved};
use crate::rules::Verdict;
use crate::rules::bind::{page, picture};
use crate::store::Store;

/// How many findings the lines name.
const NAMED: usize = 20;

/// Run the joins of two releases of the dictionary.
#[derive(Debug, Args)]
pub(super) struct Bind {
    /// The release before; the one before `--to` when left out.
    #[arg(long, value_name = "SEMVER")]
    from: Option<String>,
    /// The release after; the newest when left out.
    #[arg(long, value_name = "SEMVER")]
    to: Option<String>,
    /// Write the picture there, as SVG.
    #[arg(long, value_name = "F.svg")]
    picture: Option<PathBuf>,
    /// Write the page there, as HTML that prints as one page.
    #[arg(long, value_name = "F.html")]
    page: Option<PathBuf>,
}

impl Bind {
    pub(super) async fn run(self, store: &Store) -> Result<Page, Failure> {
        let proved = bind::run(store, self.from.as_deref(), self.to.as_deref()).await?;
        let mut lines = lines(&proved);
        for (path, text) in [
            (&self.picture, picture(&proved.proof)),
            (&self.page, page(&proved.proof)),
        ] {
            if let Some(path) = path {
                let written = write_read_only(path, text.as_bytes());
                written.map_err(|error| Failure::of_file(path, &error))?;
                lines.push(format!("written to {}", path.display()));
            }
        }
        let proof = &proved.proof;
        let json = json!({
            "verdict": proof.verdict, "proof_id": proved.proof_id, "from_semver": proof.from_semver,
            "to_semver": proof.to_semver, "metrics": proof.metrics.len(), "findings": proof.findings,
            "proof_sha256": proved.proof_sha256, "picture_sha256": proved.picture_sha256,
        });
        Ok(Page::new(
            Exit::from(proof.verdict),
            lines,
            "gate-bind",
            json,
        ))
    }
}

fn lines(proved: &Proved) -> Vec<String> {
    let proof = &proved.proof;
    let word = match proof.verdict {
        Verdict::Pass => "PASS",
        Verdict::Fail => "FAIL",
        Verdict::CannotTell => "CANNOT TELL",
    };
    let mut lines = vec![format!(
        "{word} bind {} to {}: {} metrics, {} findings",
        proof.from_semver,
        proof.to_semver,
        proof.metrics.len(),
        proof.findings.len()
    )];
    for found in proof.findings.iter().take(NAMED) {
        let metric = found.metric_id.as_deref().unwrap_or("-");
        lines.push(format!(
            "  {} {} {metric}: {}",
            found.reason, found.surface, found.detail
        ));
    }
    if proof.findings.len() > NAMED {
        lines.push(format!("  and {} more", proof.findings.len() - NAMED));
    }
    lines.push(format!(
        "proof sha256:{}, picture sha256:{}",
        proved.proof_sha256, proved.picture_sha256
    ));
    lines
}
