//! `govdeck artifact`: evidence by its hash.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use clap::Subcommand;
use serde_json::json;

use super::page::{Exit, Failure, Page};
use crate::canon::Digest;
use crate::store::{Store, artifact};

/// What to do with evidence.
#[derive(Debug, Subcommand)]
pub(super) enum Artifact {
    /// List the newest artefacts.
    List {
        /// How many.
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(i64).range(1..=10_000))]
        last: i64,
    },
    /// Write an artefact into a read-only file.
    Get {
        /// Its hash, with or without `sha256:`.
        sha256: String,
        /// The new file; named by the hash when left out.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

impl Artifact {
    pub(super) async fn run(self, store: &Store) -> Result<Page, Failure> {
        let mut view = store.view().await?;
        match self {
            Self::List { last } => {
                let listed = artifact::newest(&mut view, last).await?;
                let line = |a: &artifact::Listed| {
                    format!(
                        "{} {:>9} {} {}",
                        a.created_at_utc, a.size, a.sha256, a.media_type
                    )
                };
                Ok(Page::new(
                    Exit::Done,
                    listed.iter().map(line).collect(),
                    "artifact-list",
                    json!({"artifacts": listed}),
                ))
            }
            Self::Get { sha256, out } => {
                let hex = sha256.strip_prefix("sha256:").unwrap_or(&sha256);
                let digest: Digest = hex.parse().map_err(|_| {
                    Failure::new(
                        Exit::BadInput,
                        "this is no SHA-256",
                        "give 64 lower-case hexadecimal digits",
                    )
                })?;
                let bytes = artifact::bytes(&mut view, digest).await?;
                let bytes = bytes.ok_or_else(|| {
                    Failure::new(
                        Exit::CannotTell,
                        format!("there is no artefact {digest}"),
                        "`govdeck artifact list` shows them",
                    )
                })?;
                let path = out.unwrap_or_else(|| PathBuf::from(digest.to_string()));
                write_read_only(&path, &bytes).map_err(|error| Failure::of_file(&path, &error))?;
                let line = format!("{} bytes written to {}", bytes.len(), path.display());
                Ok(Page::new(
                    Exit::Done,
                    vec![line],
                    "artifact-get",
                    json!({"sha256": digest, "path": path.display().to_string(), "size": bytes.len()}),
                ))
            }
        }
    }
}

/// Writes bytes into a new file that nobody changes by accident.
pub(super) fn write_read_only(path: &std::path::Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o400)
        .open(path)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    if written.is_err() {
        // Half a piece of evidence is worse than none.
        std::fs::remove_file(path)?;
    }
    written
}
