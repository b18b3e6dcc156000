//! `govdeck rehearse`: the whole hour of a cutover on a fork, with its real way back.

use clap::Args;
use serde_json::json;

use super::migration::one;
use super::page::{Exit, Failure, Page};
use super::signals::stopped;
use crate::jobs::hour::Commands;
use crate::jobs::rehearsal::{self as job, Done, Faults, Reach};
use crate::rules::migration::{DeedState, Fault, Rehearsed, Struck};
use crate::settings::Settings;
use crate::store::Store;

/// Rehearse the hour of a cutover on a fork that is thrown away, take its bundles back, and record what came of it.
#[derive(Debug, Args)]
pub(super) struct Rehearse {
    /// The migration; the one under way when left out.
    migration: Option<String>,
    /// Do each deed once, instead of breaking it first to see that it can be begun again.
    #[arg(long)]
    without_faults: bool,
}

impl Rehearse {
    pub(super) async fn run(self, store: &Store, settings: &Settings) -> Result<Page, Failure> {
        let known = one(&mut store.view().await?, self.migration).await?;
        let reach = Reach {
            root: settings.governance_root.value.clone(),
            commands: Commands(settings.rehearsal_commands.value.clone()),
            ledger: settings.direct()?.clone(),
            rehearsal: settings.rehearsal_dsn.value.clone(),
            bundles: settings.bundle_target()?.clone(),
        };
        let faults = if self.without_faults {
            Faults::LeftOut
        } else {
            Faults::Injected
        };
        let id = &known.migration.migration_id;
        let done = job::run(store, &reach, id, faults, stopped()).await?;
        Ok(told(&done))
    }
}

fn told(done: &Done) -> Page {
    let receipt = &done.receipt;
    let mut lines = vec![format!(
        "rehearsal of {}: {}; {}",
        receipt.migration_id, receipt.verdict, done.said
    )];
    lines.push(format!(
        "plan {}, on a fork ({})",
        receipt.plan_hash, receipt.fork
    ));
    for deed in receipt.deeds.iter().chain([&receipt.moved_back]) {
        lines.push(line(deed));
        lines.extend(deed.fault.as_ref().map(broken));
    }
    for back in &receipt.taken_back {
        lines.push(format!(
            "  back: {} {}{}: {}",
            back.bundle,
            back.state,
            took(back.state, back.milliseconds),
            back.detail
        ));
        if let (Some(before), Some(after)) = (&back.before, &back.after) {
            lines.push(format!("    before it was made {before}"));
            lines.push(format!("    taken back         {after}"));
        }
        lines.extend(back.fault.as_ref().map(broken));
    }
    lines.push("gates as they were found, which held nobody back:".to_owned());
    let gates = receipt.gates.iter();
    lines.extend(gates.map(|it| format!("  {} {}: {}", it.gate, it.verdict, it.said)));
    lines.push(format!(
        "receipt: govdeck artifact get {}",
        done.evidence_sha256
    ));
    let json = json!({
        "verdict": receipt.verdict, "said": done.said, "receipt": receipt, "evidence_sha256": done.evidence_sha256,
    });
    Page::new(Exit::from(receipt.verdict), lines, "rehearse", json)
}

fn line(deed: &Rehearsed) -> String {
    let step = deed.step.map_or("back", |step| step.word());
    format!(
        "  {step}: {} {}{}: {}",
        deed.deed,
        deed.state,
        took(deed.state, deed.milliseconds),
        deed.detail
    )
}

fn took(state: DeedState, milliseconds: u64) -> String {
    if state == DeedState::NotRehearsed {
        return String::new();
    }
    format!(" in {}.{:03} s", milliseconds / 1000, milliseconds % 1000)
}

fn broken(fault: &Fault) -> String {
    let then = match fault.then {
        Struck::Failed => "it failed, and was begun again",
        Struck::EndedBefore => "it had ended before",
    };
    format!("    fault: {}; {then}: {}", fault.injected, fault.said)
}
