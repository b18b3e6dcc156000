//! `govdeck publish`: what a pipeline writes before it asks the gate.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::hash::read;
use super::page::{Exit, Failure, Page};
use crate::canon::{self, Digest};
use crate::clock::Moment;
use crate::jobs::below_root;
use crate::rules::Refusal;
use crate::rules::block::SnapshotStatus;
use crate::rules::drift::Side;
use crate::rules::mint::{check_name, check_scope};
use crate::rules::release::ArtifactRef;
use crate::settings::Settings;
use crate::store::Store;
use crate::store::leaf::{self, Minted, NewLeaves};
use crate::store::publish::Snapshot;

/// How long a clock may take to tick; SQLite's shows milliseconds.
const TICK: Duration = Duration::from_millis(2);
const MOST_TICKS: u32 = 500;

/// What a pipeline may do.
#[derive(Debug, Subcommand)]
pub(super) enum Publish {
    /// Mint a run: hash what would be published and what the source says, and let it wait for the gate.
    Mint(Mint),
}

/// A run to mint.
#[derive(Debug, Args)]
pub(super) struct Mint {
    /// The run's new id.
    #[arg(long, value_name = "ID")]
    run: String,
    /// Where it would be published: dashboard and audience.
    #[arg(long, value_name = "DASHBOARD/AUDIENCE")]
    scope: String,
    /// The freeze it belongs to.
    #[arg(long, value_name = "ID")]
    freeze: String,
    /// The lift it waits for.
    #[arg(long, value_name = "ID")]
    lift: String,
    /// The rehearsal it follows.
    #[arg(long, value_name = "ID")]
    dry_run_id: String,
    /// The rows that would be published, a JSON array of objects.
    #[arg(long, value_name = "FILE")]
    rows: PathBuf,
    /// The same rows as the source has them; without them the gate blocks the run.
    #[arg(long, value_name = "FILE")]
    source: Option<PathBuf>,
    /// Where the source is, in words.
    #[arg(long, value_name = "TEXT")]
    source_ref: Option<String>,
    /// The footer schema that the artefact carries.
    #[arg(long, value_name = "SEMVER")]
    footer: Option<String>,
    /// The contract of the replay parser.
    #[arg(long, value_name = "TEXT")]
    parser: Option<String>,
    /// The epsilon policy it is minted under.
    #[arg(long, value_name = "VERSION")]
    epsilon_policy: Option<String>,
    /// What would be distributed: a file below the governance root, or `sha256:` and the hash of filed evidence.
    #[arg(long, value_name = "FILE|sha256:HEX")]
    artifact: Option<String>,
    /// The freeze bypass recorded for it; it never makes a run pass.
    #[arg(long, value_name = "ID")]
    bypass: Option<String>,
}

/// One side, hashed; or why there is no hash of it.
enum Hashed {
    Rows { digest: Digest, leaves: NewLeaves },
    Malformed(String),
    NotGiven,
}

impl Publish {
    pub(super) async fn run(self, store: &Store, settings: &Settings) -> Result<Page, Failure> {
        let Self::Mint(mint) = self;
        mint.run(store, &settings.governance_root).await
    }
}

impl Mint {
    async fn run(self, store: &Store, root: &Path) -> Result<Page, Failure> {
        self.check()
            .map_err(|refusal| Failure::new(Exit::BadInput, refusal.sentence, refusal.hint))?;
        let publish = hashed(Side::Publish, Some(&self.rows))?;
        let artifact = self.artifact.as_deref();
        let artifact = artifact.map(|named| reference(root, named)).transpose()?;
        // The snapshot is taken; what the source says is read after that, at a later time of the same clock.
        let minted_at = store.view().await?.now();
        let observed_at = match &self.source {
            Some(_) => Some(later(store, minted_at).await?),
            None => None,
        };
        let source = hashed(Side::Source, self.source.as_deref())?;
        let run = Snapshot {
            publish_run_id: self.run,
            publish_scope: self.scope,
            freeze_id: self.freeze,
            lift_id: self.lift,
            dry_run_id: self.dry_run_id,
            publish_tuple_hash: publish.digest(),
            source_tuple_hash: source.digest(),
            footer_schema_semver: self.footer,
            replay_parser_contract: self.parser,
            epsilon_policy_version: self.epsilon_policy,
            source_ref: self.source_ref,
            artifact_ref: artifact.as_ref().map(ToString::to_string),
            source_observed_at_utc: observed_at,
            freeze_bypass_id: self.bypass,
            drill: false,
            status: SnapshotStatus::PendingGate,
            block_reason: None,
            created_at_utc: minted_at,
            decided_at_utc: None,
            version: 0,
        };
        let (publish, ours) = publish.told("publish");
        let (source, theirs) = source.told("source ");
        let leaves: Vec<_> = ours.into_iter().chain(theirs).collect();
        match leaf::mint(store, &run, &leaves).await? {
            Minted::Pending => Ok(page(&run, publish, source)),
            Minted::ThereAlready => Err(Refusal::new(
                format!(
                    "there is a run {:?} already, and it was left alone",
                    run.publish_run_id
                ),
                "mint under another id; a run is minted once",
            )
            .into()),
        }
    }

    fn check(&self) -> Result<(), Refusal> {
        check_scope(&self.scope)?;
        let optional = [
            ("the source", &self.source_ref),
            ("the footer", &self.footer),
            ("the parser", &self.parser),
            ("the epsilon policy", &self.epsilon_policy),
            ("the bypass", &self.bypass),
        ];
        let given = optional
            .iter()
            .filter_map(|(what, name)| Some((*what, name.as_ref()?)));
        [
            ("the run", &self.run),
            ("the freeze", &self.freeze),
            ("the lift", &self.lift),
            ("the rehearsal", &self.dry_run_id),
        ]
        .into_iter()
        .chain(given)
        .try_for_each(|(what, name)| check_name(what, name))
    }
}

/// Waits until the database's clock shows a later time; one that stands still proves no order.
async fn later(store: &Store, than: Moment) -> Result<Moment, Failure> {
    for _ in 0..MOST_TICKS {
        let now = store.view().await?.now();
        if now > than {
            return Ok(now);
        }
        tokio::time::sleep(TICK).await;
    }
    Err(Failure::new(
        Exit::CannotTell,
        "the database's clock stands still, so the source cannot be read after the snapshot",
        "nothing was minted; set the clock going, or mint without --source",
    ))
}

/// Reads and hashes one side; a file that cannot be read is no input, while one that is malformed has no hash.
fn hashed(side: Side, path: Option<&Path>) -> Result<Hashed, Failure> {
    let Some(path) = path else {
        return Ok(Hashed::NotGiven);
    };
    Ok(match canon::tuple_leaves(read(Some(path))?) {
        Ok(rows) => Hashed::Rows {
            digest: rows.digest,
            leaves: NewLeaves::new(side, rows.leaves),
        },
        Err(error) => Hashed::Malformed(format!("{}, {error}", path.display())),
    })
}

/// Hashes what would be distributed, and names it in a way that can be hashed again.
fn reference(root: &Path, named: &str) -> Result<ArtifactRef, Failure> {
    let bad = |sentence: String| {
        Failure::new(
            Exit::BadInput,
            sentence,
            "name a plain file by its path from `governance_root`, or filed evidence by sha256:HEX",
        )
    };
    if named.starts_with("sha256:") {
        return named
            .parse()
            .map_err(|_| bad(format!("{named:?} is no SHA-256")));
    }
    let sha256 = below_root::hash(root, named).map_err(bad)?;
    Ok(ArtifactRef::File {
        path: named.to_owned(),
        sha256,
    })
}

/// What is said about one side: a line, a document, and whether the gate will miss its hash.
struct Told {
    line: String,
    json: Value,
}

impl Hashed {
    fn digest(&self) -> Option<String> {
        match self {
            Self::Rows { digest, .. } => Some(digest.to_string()),
            Self::Malformed(_) | Self::NotGiven => None,
        }
    }

    fn told(self, side: &str) -> (Told, Option<NewLeaves>) {
        match self {
            Self::Rows { digest, leaves } => {
                let rows = leaves.rows();
                let kept = if leaves.sha256().is_some() {
                    ""
                } else {
                    "; its leaves take more than 64 MB and are not kept, so a drift will not be explained"
                };
                let told = Told {
                    line: format!("{side} {digest}, {rows} rows{kept}"),
                    json: json!({"sha256": digest, "rows": rows, "leaves_sha256": leaves.sha256(), "refused": null}),
                };
                (told, Some(leaves))
            }
            Self::Malformed(why) => {
                let told = Told {
                    line: format!("{side} NO HASH, the gate will block this run: {why}"),
                    json: json!({"sha256": null, "rows": null, "leaves_sha256": null, "refused": why}),
                };
                (told, None)
            }
            Self::NotGiven => {
                let told = Told {
                    line: format!(
                        "{side} NO HASH, the gate will block this run: no file was given"
                    ),
                    json: json!({"sha256": null, "rows": null, "leaves_sha256": null, "refused": "no file was given"}),
                };
                (told, None)
            }
        }
    }
}

fn page(run: &Snapshot, publish: Told, source: Told) -> Page {
    let id = &run.publish_run_id;
    let observed = run
        .source_observed_at_utc
        .map_or("never".to_owned(), |at| at.to_string());
    let mut lines = vec![
        format!(
            "minted {id} for {}, snapshot {}, source read {observed}",
            run.publish_scope, run.created_at_utc
        ),
        publish.line,
        source.line,
    ];
    if let Some(bypass) = &run.freeze_bypass_id {
        lines.push(format!(
            "FREEZE BYPASS {bypass} is recorded; it makes no run pass"
        ));
    }
    lines.push(format!("it waits for the gate: govdeck gate publish {id}"));
    let json = json!({
        "run": id, "status": run.status, "scope": run.publish_scope, "publish": publish.json, "source": source.json,
        "artifact_ref": run.artifact_ref, "freeze_bypass_id": run.freeze_bypass_id,
        "minted_at_utc": run.created_at_utc, "source_observed_at_utc": run.source_observed_at_utc,
    });
    Page::new(Exit::Done, lines, "publish-mint", json)
}
