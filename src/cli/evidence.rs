//! `govdeck evidence`: entries of the ledger for somebody who has no govdeck.

use std::io::ErrorKind;
use std::path::PathBuf;

use clap::Subcommand;
use serde_json::json;

use super::page::{Exit, Failure, Page};
use crate::evidence::{NotExported, export};
use crate::store::Store;
use crate::store::export::Scope;

/// What to do with evidence.
#[derive(Debug, Subcommand)]
pub(super) enum Evidence {
    /// Write entries with their cards, evidence and signatures into an archive that checks itself.
    Export {
        /// The new archive.
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
        /// The first entry.
        #[arg(long, value_name = "SEQ", default_value_t = 1, value_parser = clap::value_parser!(i64).range(1..))]
        from: i64,
        /// The last entry; the newest when left out.
        #[arg(long, value_name = "SEQ", value_parser = clap::value_parser!(i64).range(1..))]
        upto: Option<i64>,
        /// Only what was done to this target or person, or by this person.
        #[arg(long, value_name = "ID")]
        subject: Option<String>,
    },
}

impl Evidence {
    pub(super) async fn run(self, store: &Store) -> Result<Page, Failure> {
        let Self::Export {
            to,
            from,
            upto,
            subject,
        } = self;
        let scope = Scope {
            from,
            upto,
            subject,
        };
        let mut view = store.view().await?;
        let ended = export(&mut view, scope, &to).await;
        let done = ended.map_err(|no| match no {
            NotExported::Nothing => Failure::new(
                Exit::CannotTell,
                "no entry of the ledger fits, there is nothing to export",
                "`govdeck ledger show` lists the newest entries",
            ),
            NotExported::Refused(refusal) => refusal.into(),
            NotExported::Store(error) => error.into(),
            NotExported::File(error) if error.kind() == ErrorKind::AlreadyExists => Failure::new(
                Exit::BadInput,
                format!("{} is there already", to.display()),
                "nothing is overwritten: give another name",
            ),
            NotExported::File(error) => Failure::of_file(&to, &error),
        })?;
        let path = to.display().to_string();
        let lines = vec![
            format!(
                "{} entries, {} further pieces of evidence, {} signatures and {} keys written to {path}",
                done.entries, done.evidence, done.signatures, done.keys
            ),
            format!("sha256 {}", done.sha256),
            "whoever gets it unpacks it and runs: sh verify.sh".to_owned(),
        ];
        let json = json!({
            "path": path, "sha256": done.sha256, "size": done.size, "entries": done.entries,
            "evidence": done.evidence, "signatures": done.signatures, "keys": done.keys,
        });
        Ok(Page::new(Exit::Done, lines, "evidence-export", json))
    }
}
