//! `govdeck gate allowlist`: an allow-list and two exports in, a verdict out; of a database no more than a migration's
//! pairs, and only where it is named.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::hash;
use super::page::{Exit, Failure, Page};
use crate::canon::{ExportKeys, NoKeys};
use crate::rules::Refusal;
use crate::rules::allowlist::{
    Artifact, Case, Files, Judgement, Pair, Phase, filed_sha256, judge, read_pairs,
};
use crate::rules::migration::{PairStatus, no_such_migration};
use crate::rules::text;
use crate::store::{Store, migration};

/// The document's form.
const SCHEMA: &str = "govdeck.gate-allowlist.v1";

/// The largest allow-list that is read, and the largest list of pairs.
const MOST_BYTES: u64 = 64 * 1024 * 1024;

/// The largest file that a hash is read from.
const MOST_HASH_BYTES: u64 = 64 * 1024;

/// How many findings and warnings the lines name.
const NAMED: usize = 50;

/// How many characters of a key a line shows.
const SHOWN: usize = 120;

/// Judge the keys of an export by the allow-list of a phase.
#[derive(Debug, Args)]
pub(super) struct Allowlist {
    /// The allow-list: `exporter_allowlist_diff.json` of the phase.
    #[arg(long, value_name = "F.json")]
    artifact: PathBuf,
    /// The file with the SHA-256 of its canonical form: `allowlist.sha256`.
    #[arg(long, value_name = "F")]
    sha256: PathBuf,
    /// The export from before the migration.
    #[arg(long, value_name = "F.json")]
    golden: PathBuf,
    /// The export to judge.
    #[arg(long, value_name = "F.json")]
    sample: PathBuf,
    /// The phase: prepare, `dual_write` or cutover.
    #[arg(long, value_name = "PHASE", value_parser = phase)]
    phase: Phase,
    /// The pairs of legacy and modern columns.
    #[arg(long, value_name = "F.json", conflicts_with = "migration")]
    pairs: Option<PathBuf>,
    /// The migration whose pairs are read from the database instead of from a file.
    #[arg(long, value_name = "ID")]
    migration: Option<String>,
}

fn phase(word: &str) -> Result<Phase, String> {
    word.parse()
        .map_err(|refusal: Refusal| format!("{}; {}", refusal.sentence, refusal.hint))
}

impl Allowlist {
    /// Tells whether it reads files alone.
    pub(super) fn is_local(&self) -> bool {
        self.migration.is_none()
    }

    pub(super) fn run(self) -> Result<Page, Failure> {
        let pairs = self.pairs.as_deref().map_or(Ok(Vec::new()), pairs)?;
        self.judged(pairs)
    }

    /// Judges by the pairs that the database knows of the migration.
    pub(super) async fn run_on_store(self, store: &Store) -> Result<Page, Failure> {
        let Some(id) = &self.migration else {
            return self.run();
        };
        let pairs = registered(store, id).await?;
        self.judged(pairs)
    }

    fn judged(self, pairs: Vec<Pair>) -> Result<Page, Failure> {
        // What takes the most memory comes first.
        let (golden, sample) = (keys(&self.golden)?, keys(&self.sample)?);
        let artifact = Artifact::read(&hash::read_at_most(MOST_BYTES, Some(&self.artifact))?);
        let filed = filed_sha256(&hash::read_at_most(MOST_HASH_BYTES, Some(&self.sha256))?);
        if let (Some(asked), Ok(policy)) = (&self.migration, &artifact.policy)
            && policy.migration_id != *asked
        {
            return Err(Failure::new(
                Exit::No,
                format!(
                    "the allow-list is of {:?}, not of {asked:?}",
                    policy.migration_id
                ),
                "name the migration that the allow-list is of",
            ));
        }
        let name = |path: &Path| path.display().to_string();
        Ok(page(judge(Case {
            files: Files {
                artifact: name(&self.artifact),
                sha256: name(&self.sha256),
                golden: name(&self.golden),
                sample: name(&self.sample),
            },
            artifact,
            filed,
            phase: self.phase,
            golden,
            sample,
            pairs,
        })))
    }
}

/// Reads the keys of an export; its text is let go of.
fn keys(path: &Path) -> Result<Result<ExportKeys, NoKeys>, Failure> {
    Ok(ExportKeys::of(&hash::read(Some(path))?))
}

fn pairs(path: &Path) -> Result<Vec<Pair>, Failure> {
    let bytes = hash::read_at_most(MOST_BYTES, Some(path))?;
    read_pairs(&bytes).map_err(|error| {
        Failure::new(
            Exit::BadInput,
            format!("{}, {error}", path.display()),
            "pairs are [{\"legacy_column\": \"…\", \"modern_column\": \"…\"}]; without any leave --pairs out",
        )
    })
}

/// Reads the pairs of a migration that are kept; one without any tells nothing.
async fn registered(store: &Store, id: &str) -> Result<Vec<Pair>, Failure> {
    let mut view = store.view().await?;
    let unknown = |sentence: String, hint: &str| Failure::new(Exit::CannotTell, sentence, hint);
    if migration::find(&mut view, id).await?.is_none() {
        let refusal = no_such_migration(id);
        return Err(unknown(refusal.sentence, &refusal.hint));
    }
    let registered = migration::pairs(&mut view, id).await?;
    let kept = registered.into_iter();
    let kept = kept.filter(|pair| pair.status == PairStatus::Active);
    let pairs: Vec<Pair> = kept
        .map(|pair| Pair {
            legacy: pair.legacy_column,
            modern: pair.modern_column,
        })
        .collect();
    if pairs.is_empty() {
        let sentence = format!("no pair of columns is registered for {id}");
        let hint = "register what is renamed: govdeck act register-pair";
        return Err(unknown(sentence, hint));
    }
    Ok(pairs)
}

fn page(judgement: Judgement) -> Page {
    let exit = Exit::from(judgement.verdict());
    let lines = lines(&judgement);
    let warnings = named(judgement.warnings.iter().cloned(), judgement.warnings.len());
    Page::streamed(exit, lines, move |out| write_document(out, &judgement)).warning(warnings)
}

fn lines(judgement: &Judgement) -> Vec<String> {
    let (count, phase) = (judgement.count(), judgement.phase());
    let sample = &judgement.files().sample;
    let mut lines = vec![match count {
        0 => format!(
            "PASS {sample} in {phase}: {} keys, all of them allowed",
            judgement.sample_keys()
        ),
        1 => format!("FAIL {sample} in {phase}: 1 finding"),
        _ => format!("FAIL {sample} in {phase}: {count} findings"),
    }];
    let findings = judgement.findings().map(|finding| {
        let key = finding.key.map_or(String::new(), |key| {
            format!(" {}", text::shorten(&key, SHOWN))
        });
        format!("  {}{key}: {}", finding.rule, finding.detail)
    });
    lines.extend(named(findings, count));
    lines.push(format!(
        "added {}, removed {}, of another type {}; keyset {}",
        judgement.added_keys().count(),
        judgement.removed_keys().count(),
        judgement.type_changed_keys().count(),
        judgement
            .keyset_sha256()
            .map_or("none".to_owned(), |hash| hash.to_string()),
    ));
    lines
}

/// Takes the first of many lines, and says how many more there are.
fn named(lines: impl Iterator<Item = String>, count: usize) -> Vec<String> {
    let mut lines: Vec<_> = lines.take(NAMED).collect();
    if count > NAMED {
        lines.push(format!("  and {} more", count - NAMED));
    }
    lines
}

/// Writes the document piece by piece: a sample may have millions of keys that nobody allowed.
fn write_document(out: &mut dyn Write, judgement: &Judgement) -> io::Result<()> {
    let mut out = io::BufWriter::new(out);
    write!(out, "{{\"schema\":")?;
    write_value(&mut out, &SCHEMA)?;
    write!(out, ",\"verdict\":")?;
    write_value(&mut out, &judgement.verdict())?;
    write_list(&mut out, "findings", judgement.findings())?;
    write_list(&mut out, "added_keys", judgement.added_keys())?;
    write_list(&mut out, "removed_keys", judgement.removed_keys())?;
    write_list(&mut out, "type_changed_keys", judgement.type_changed_keys())?;
    write!(out, ",\"keyset_sha256\":")?;
    write_value(&mut out, &judgement.keyset_sha256())?;
    write!(out, "}}")?;
    out.flush()
}

fn write_list<T: Serialize>(
    out: &mut impl Write,
    name: &str,
    elements: impl Iterator<Item = T>,
) -> io::Result<()> {
    write!(out, ",\"{name}\":[")?;
    for (place, element) in elements.enumerate() {
        if place > 0 {
            out.write_all(b",")?;
        }
        write_value(out, &element)?;
    }
    out.write_all(b"]")
}

fn write_value(out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(out, value).map_err(io::Error::from)
}
