//! What has become of a migration since it was cut over: each run against both limits, what follows a rollback; and whether
//! it can still be taken back.

use serde_json::{Value, json};

use super::page::{Exit, Page};
use crate::rules::Verdict;
use crate::rules::migration::{Reversible, Trigger, TriggerState};
use crate::store::migration::{self, Known, MigrationNotice, RedeployTask};
use crate::store::{StoreError, View};

/// What the trigger says, and what followed.
pub(super) struct Since {
    trigger: Option<Trigger>,
    task: Option<RedeployTask>,
    notices: Vec<MigrationNotice>,
}

pub(super) async fn since(view: &mut View, known: &Known) -> Result<Since, StoreError> {
    let id = &known.migration.migration_id;
    let now = view.now();
    let trigger = match known.flipped() {
        Some(_) => Some(migration::watched(view, known).await?.trigger(known, now)),
        None => None,
    };
    Ok(Since {
        trigger,
        task: migration::redeploy_task(view, id).await?,
        notices: migration::notices_of(view, id).await?,
    })
}

impl Since {
    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(trigger) = &self.trigger {
            if trigger.state != TriggerState::NotWatched {
                lines.push(format!("trigger: {}", trigger.said()));
            }
            lines.extend(
                trigger
                    .runs
                    .iter()
                    .map(|run| format!("  {} [{}]", run.said(), run.policy())),
            );
        }
        lines.extend(self.task.iter().map(|it| {
            let (from, to, owner) = (&it.from_semver, &it.to_semver, &it.owner_id);
            match (&it.done_by, &it.done_reason) {
                (Some(by), Some(how)) => {
                    format!("exporters deployed from {from} back to {to} by {by}: {how}")
                }
                _ => format!("OPEN: {owner} deploys exporters from {from} back to {to}"),
            }
        }));
        lines.extend(
            self.notices
                .iter()
                .map(|it| format!("partners are told ({}): {}", it.kind, it.notice_text)),
        );
        lines
    }

    /// Adds it to a document.
    pub(super) fn put(&self, document: &mut Value) {
        document["trigger"] = json!(self.trigger);
        document["redeploy_task"] = json!(self.task);
        document["notices"] = json!(self.notices);
    }
}

/// Says whether a migration can be taken back, and each thing that does not hold.
pub(super) fn reversible_lines(found: &Reversible) -> Vec<String> {
    let mut lines = vec![found.said()];
    let open = found.conditions.iter();
    let open = open.filter(|it| it.verdict != Verdict::Pass);
    lines.extend(open.map(|it| format!("  {} {}: {}; {}", it.id, it.verdict, it.evidence, it.fix)));
    lines
}

/// The same with everything that holds; done only when it is proven.
pub(super) fn reversible_page(migration: &str, found: &Reversible) -> Page {
    let mut lines = vec![format!("{migration}: {}", found.said())];
    lines.extend(found.conditions.iter().map(|it| {
        let fix = match it.verdict {
            Verdict::Pass => String::new(),
            _ => format!("; {}", it.fix),
        };
        format!(
            "  {} {}: {}{fix} ({})",
            it.id, it.verdict, it.evidence, it.owner
        )
    }));
    let mut document = json!(found);
    document["migration_id"] = json!(migration);
    let exit = Exit::from(found.verdict);
    Page::new(exit, lines, "migration-reversible", document)
}
