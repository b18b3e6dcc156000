//! `govdeck ledger`: look into it, export its head, verify it.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde::Deserialize;
use serde_json::{Value, json};

use super::page::{Exit, Failure, Page};
use crate::canon::{self, Digest};
use crate::console::panes::ledger::by;
use crate::store::verify::{ExportedHead, verify};
use crate::store::{Store, StoreError, View, artifact, deployment, ledger};

/// What to do with the ledger.
#[derive(Debug, Subcommand)]
pub(super) enum Ledger {
    /// Show the newest entries, or one of them whole.
    Show {
        /// The entry to show whole.
        seq: Option<i64>,
        /// Find an entry by its request's ticket.
        #[arg(long, conflicts_with = "seq")]
        ticket: Option<String>,
        /// How many of the newest entries to list.
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(i64).range(1..=10_000))]
        last: i64,
    },
    /// Print the head, to be kept where nobody who can write the database can write.
    Head,
    /// Hash everything again and name what does not fit.
    Verify {
        /// A head that `ledger head` printed earlier.
        #[arg(long, value_name = "FILE")]
        head: Option<PathBuf>,
    },
}

impl Ledger {
    pub(super) async fn run(self, store: &Store) -> Result<Page, Failure> {
        let mut view = store.view().await?;
        match self {
            Self::Show { seq: Some(seq), .. } => {
                let entry = ledger::entries(&mut view, seq, 1)
                    .await?
                    .into_iter()
                    .find(|entry| entry.seq == seq);
                show(&mut view, entry, &format!("entry {seq}")).await
            }
            Self::Show {
                ticket: Some(ticket),
                ..
            } => {
                let entry = ledger::by_ticket(&mut view, &ticket).await?;
                show(&mut view, entry, &format!("ticket {ticket}")).await
            }
            Self::Show { last, .. } => list(&mut view, last).await,
            Self::Head => print_head(&mut view).await,
            Self::Verify { .. } if store.newer_schema().is_some() => Err(Failure::new(
                Exit::CannotTell,
                "a newer schema cannot be verified by this program",
                "upgrade govdeck",
            )),
            Self::Verify { head } => verify_all(&mut view, head.as_deref()).await,
        }
    }
}

async fn list(view: &mut View, last: i64) -> Result<Page, Failure> {
    let entries = ledger::newest(view, last).await?;
    let line = |e: &ledger::Entry| {
        let reason = e
            .reason
            .as_deref()
            .map(|reason| format!(": {reason}"))
            .unwrap_or_default();
        format!(
            "{:>6} {} {} {} {} ({}, {}){reason}",
            e.seq,
            e.at_utc,
            e.action,
            e.target_id,
            by(e),
            e.basis,
            e.attestation
        )
    };
    let entries_json = entries.iter().map(as_json).collect::<Result<Vec<_>, _>>()?;
    Ok(Page::new(
        Exit::Done,
        entries.iter().map(line).collect(),
        "ledger-show",
        json!({"entries": entries_json}),
    ))
}

fn as_json(entry: &ledger::Entry) -> Result<Value, StoreError> {
    let mut json: Value =
        serde_json::from_slice(&entry.hashed_bytes(&[], &[])?).unwrap_or_default();
    json["hash"] = json!(entry.hash);
    // A list shows neither changes nor evidence; an empty list would read as "changed nothing".
    if let Some(members) = json.as_object_mut() {
        members.remove("changes");
        members.remove("evidence");
        members.insert("change_count".to_owned(), json!(entry.change_count));
        members.insert("evidence_count".to_owned(), json!(entry.evidence_count));
    }
    Ok(json)
}

async fn show(view: &mut View, entry: Option<ledger::Entry>, asked: &str) -> Result<Page, Failure> {
    let entry = entry.ok_or_else(|| {
        Failure::new(
            Exit::CannotTell,
            format!("the ledger has no {asked}"),
            "`govdeck ledger show` lists the newest entries",
        )
    })?;
    let changes = ledger::changes(view, entry.seq, entry.seq).await?;
    let evidence = ledger::evidence(view, entry.seq, entry.seq).await?;
    let card = artifact::bytes(view, entry.card_sha256)
        .await?
        .unwrap_or_default();
    let card: Value = serde_json::from_slice(&card).unwrap_or_default();
    let mut lines = vec![
        format!("entry {} of {}", entry.seq, entry.at_utc),
        format!(
            "  {} {} by {} ({}, {}, login {})",
            entry.action,
            entry.target_id,
            by(&entry),
            entry.basis,
            entry.attestation,
            entry.login
        ),
        format!(
            "  reason: {}",
            entry.reason.as_deref().unwrap_or("none given")
        ),
        format!("  ticket {}", entry.ticket),
        format!("  card   {}", entry.card_sha256),
        format!("  before {}", entry.prev_hash),
        format!("  hash   {}", entry.hash),
    ];
    let filed = |piece: &ledger::Evidence| format!("  evidence {} {}", piece.role, piece.sha256);
    lines.extend(evidence.iter().map(filed));
    let mut changes_json = Vec::new();
    for change in &changes {
        let before: Value = ledger::image_before(view, change)
            .await?
            .and_then(|image| serde_json::from_str(&image).ok())
            .unwrap_or_default();
        let after: Value = serde_json::from_str(&change.after_image).unwrap_or_default();
        lines.push(format!(
            "  {} {} version {}",
            change.table_name, change.row_key, change.version
        ));
        lines.extend(differences(&before, &after));
        changes_json.push(json!({"table": change.table_name, "key": change.row_key, "version": change.version, "row_sha256": change.row_sha256, "before": before, "after": after}));
    }
    let mut json = as_json(&entry)?;
    json["changes"] = Value::Array(changes_json);
    json["evidence"] = json!(evidence);
    json["card"] = card;
    Ok(Page::new(
        Exit::Done,
        lines,
        "ledger-show",
        json!({"entries": [json]}),
    ))
}

fn differences(before: &Value, after: &Value) -> Vec<String> {
    let Some(columns) = after.as_object() else {
        return Vec::new();
    };
    let differs = |(name, value): &(&String, &Value)| {
        name.as_str() != "version" && before.get(name.as_str()).unwrap_or(&Value::Null) != *value
    };
    columns
        .iter()
        .filter(differs)
        .map(|(name, value)| {
            format!(
                "    {name}: {} -> {value}",
                before.get(name).unwrap_or(&Value::Null)
            )
        })
        .collect()
}

/// A head as `ledger head` prints it.
#[derive(Debug, Deserialize)]
struct HeadFile {
    schema: String,
    deployment_id: String,
    seq: i64,
    hash: String,
}

async fn print_head(view: &mut View) -> Result<Page, Failure> {
    let head = ledger::head(view).await?;
    let deployment = deployment::read(view).await?;
    let json = json!({"schema": "govdeck.ledger-head.v1", "deployment_id": deployment.deployment_id, "seq": head.seq, "hash": head.hash, "at_utc": head.at_utc});
    // The same bytes in both shapes: what a person saves is what `verify --head` reads.
    Ok(Page::new(
        Exit::Done,
        vec![json.to_string()],
        "ledger-head",
        json,
    ))
}

fn read_head(path: &Path) -> Result<(HeadFile, ExportedHead), Failure> {
    let bytes = super::hash::read(Some(path))?;
    canon::canonical_exact(&bytes).map_err(|error| Failure::of_json(path, &error))?;
    let malformed = |what: String| {
        Failure::new(
            Exit::BadInput,
            format!("{}: {what}", path.display()),
            "give a file that `govdeck ledger head` printed",
        )
    };
    let file: HeadFile =
        serde_json::from_slice(&bytes).map_err(|error| malformed(error.to_string()))?;
    if file.schema != "govdeck.ledger-head.v1" || file.seq < 1 {
        return Err(malformed("this is no ledger head".to_owned()));
    }
    let hash: Digest = file
        .hash
        .parse()
        .map_err(|_| malformed("the hash is malformed".to_owned()))?;
    let seq = file.seq;
    Ok((file, ExportedHead { seq, hash }))
}

async fn verify_all(view: &mut View, head: Option<&Path>) -> Result<Page, Failure> {
    let exported = match head {
        None => None,
        Some(path) => {
            let (file, exported) = read_head(path)?;
            let deployment = deployment::read(view).await?;
            if file.deployment_id != deployment.deployment_id {
                return Err(Failure::new(
                    Exit::No,
                    format!("{} is the head of another deployment", path.display()),
                    "the database was replaced, or the file belongs elsewhere",
                ));
            }
            Some(exported)
        }
    };
    let report = verify(view, exported).await?;
    let counted = format!(
        "{} entries, {} governed rows, {} artefacts, {} definitions",
        report.entries, report.rows, report.artifacts, report.definitions
    );
    let mut lines: Vec<_> = report
        .findings
        .iter()
        .map(|finding| format!("BAD {}: {}", finding.place, finding.wrong))
        .collect();
    let nothing_checked = report.entries == 0;
    let exit = match (report.findings.is_empty(), nothing_checked) {
        (false, _) => Exit::No,
        (true, true) => Exit::CannotTell,
        (true, false) => Exit::Done,
    };
    lines.push(match exit {
        Exit::Done => format!(
            "the ledger verifies: {counted}, head {} {}",
            report.head.seq, report.head.hash
        ),
        Exit::CannotTell => "cannot tell: the ledger is empty".to_owned(),
        _ => format!("the ledger does not verify ({counted})"),
    });
    let verdict = match exit {
        Exit::Done => "pass",
        Exit::CannotTell => "cannot_tell",
        _ => "fail",
    };
    let mut json = serde_json::to_value(&report).unwrap_or_default();
    json["verdict"] = json!(verdict);
    Ok(Page::new(exit, lines, "ledger-verify", json))
}
