//! `govdeck migration expand`: writes the two bundles of a migration below the governance root.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::bundle_report::below;
use super::page::{Exit, Failure, Page};
use crate::bundles::expand::{Expansion, SERIES};
use crate::bundles::scaffold::{self, NotMade};
use crate::rules::Refusal;
use crate::rules::bundle::Kind;
use crate::rules::migration::Phase;
use crate::store::Store;
use crate::store::migration;

/// Which migration to expand the dictionary for, and how.
#[derive(Debug, Args)]
pub(super) struct Expand {
    /// The migration's id.
    migration: String,
    /// The governance root; the setting `governance_root` when left out.
    #[arg(long, value_name = "ROOT")]
    dir: Option<PathBuf>,
    /// The type of a column, where it is not that of the column that goes; may be given several times.
    #[arg(long = "type", value_name = "COLUMN=TYPE", value_parser = column_type)]
    types: Vec<(String, String)>,
    /// The decision that approves the change of the dictionary; the migration itself when left out.
    #[arg(long)]
    reference: Option<String>,
}

/// Reads a column and its type; a column may have a sign of equality in its name, a type has none.
fn column_type(word: &str) -> Result<(String, String), String> {
    match word.rsplit_once('=') {
        Some((column, kind)) if !column.is_empty() && !kind.is_empty() => {
            Ok((column.to_owned(), kind.to_owned()))
        }
        _ => Err("write it as COLUMN=TYPE".to_owned()),
    }
}

impl Expand {
    pub(super) async fn run(self, store: &Store, root: &Path) -> Result<Page, Failure> {
        let root = self.dir.as_deref().unwrap_or(root);
        let mut view = store.view().await?;
        let found = migration::find(&mut view, &self.migration).await?;
        let found = found.ok_or_else(|| {
            let sentence = format!("there is no migration {:?}", self.migration);
            Refusal::new(sentence, "open it first: govdeck act open-migration")
        })?;
        let is_open = found.closed_at_dt_utc.is_none();
        if !is_open || !matches!(found.phase, Phase::Prepare | Phase::DualWrite) {
            let sentence = format!("{} is past dual write: {}", self.migration, found.phase);
            return Err(
                Refusal::new(sentence, "the dictionary is expanded before the cutover").into(),
            );
        }
        let known = migration::known(&mut view, &self.migration).await?;
        let pairs = known.as_ref().map(migration::Known::active_pairs);
        let built = migration::built(&mut view).await?;
        let day = view.now().as_datetime().date_naive();
        drop(view);
        let types: BTreeMap<String, String> = self.types.into_iter().collect();
        let reference = self
            .reference
            .unwrap_or_else(|| format!("migration {}", self.migration));
        let expansion = Expansion {
            migration: &self.migration,
            pairs: &pairs.unwrap_or_default(),
            built: &built,
            types: &types,
            reference: &reference,
        };
        let kind = Kind::Postgis;
        let ids: [String; 2] = scaffold::next_ids(root, kind, SERIES, day).map_err(not_made)?;
        let bundles = expansion.bundles(&ids[0], &ids[1])?;
        let mut written = Vec::new();
        for (id, files) in ids.iter().zip(&bundles) {
            let files = scaffold::put(root, kind, id, files).map_err(not_made)?;
            written.extend(files.iter().map(|path| below(root, path)));
        }
        written.sort();
        written.dedup();
        let mut lines: Vec<String> = written.iter().map(|path| format!("wrote {path}")).collect();
        lines.push(format!(
            "plan, approve and apply {} first; then let the new columns be filled, and do the same with {}",
            ids[0], ids[1]
        ));
        let json = json!({
            "migration_id": self.migration,
            "expansion": ids[0],
            "index": ids[1],
            "written": written,
        });
        Ok(Page::new(Exit::Done, lines, "migration-expand", json))
    }
}

fn not_made(error: NotMade) -> Failure {
    match error {
        NotMade::Refused(refusal) => Failure::from(refusal),
        NotMade::Io(path, error) => Failure::of_file(&path, &error),
    }
}
