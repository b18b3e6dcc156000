//! What waits for whoever is at the keys: a yes, a name, an answer, a task, an hour to lead.

use crate::clock::Moment;
use crate::rules::block::BlockReason;
use crate::store::block::OpenBlock;
use crate::store::migration::{Deficiency, RedeployTask};

use super::super::detail::SeriesSight;
use super::super::model::APPROVAL;
use super::super::picture::{Approval, Picture};
use super::super::theme::Token;
use super::home::{Item, Section, item};
use super::{PaneId, blocks, cutover, proposals};

fn muted(text: String) -> (Token, String) {
    (Token::Muted, text)
}

/// Lists all of it; where nothing waits, says so.
pub(super) fn items(picture: &Picture, now: Moment) -> Vec<Item> {
    let tasks = &picture.migrations;
    let mut items: Vec<Item> = picture
        .approvals
        .iter()
        .map(|it| approval(it, now))
        .collect();
    items.extend(picture.owed().into_iter().map(signature));
    items.extend(picture.hour_to_lead().map(|hour| {
        let at = Some((PaneId::Cutover, None));
        item(Section::Mine, "hour", cutover::waits(hour), at)
    }));
    items.extend(tasks.redeploys.iter().map(redeploy));
    items.extend(tasks.deficiencies.iter().map(deficiency));
    items.extend(picture.mine.iter().map(|it| block(it, now)));
    if items.is_empty() {
        let text = match &picture.actor {
            Some(actor) => format!("nothing waits for {}", actor.person_id),
            None => format!(
                "the login {} belongs to nobody: you may only look",
                picture.login
            ),
        };
        items.push(item(Section::Mine, "nothing", vec![muted(text)], None));
    }
    items
}

/// A proposal that waits for a yes, or that waits with its proposer.
fn approval(approval: &Approval, now: Moment) -> Item {
    let ticket = &approval.waiting.request.ticket;
    let entry = approval.waiting.asked_in.to_string();
    Item {
        about: Some((APPROVAL, ticket.clone())),
        ..item(
            Section::Mine,
            ticket,
            proposals::says(approval, now),
            Some((PaneId::Ledger, Some(entry))),
        )
    }
}

/// A weekly run that waits for a signature.
fn signature(sight: &SeriesSight) -> Item {
    let run = sight.look.newest().map(|run| run.job_run_id.clone());
    let run = run.unwrap_or_default();
    let (have, need) = sight.quorum;
    let says = vec![
        (Token::AckWaiting, "sign ".to_owned()),
        (Token::Fg, run.clone()),
        muted(format!("  {have} of {need} names count")),
    ];
    item(
        Section::Mine,
        &run.clone(),
        says,
        Some((PaneId::Weeks, Some(run))),
    )
}

/// Exporters that are to be deployed back.
fn redeploy(task: &RedeployTask) -> Item {
    let says = vec![
        (Token::StatusDanger, "deploy back ".to_owned()),
        (Token::Fg, task.migration_id.clone()),
        muted(format!(
            "  exporters from {} to {}",
            task.from_semver, task.to_semver
        )),
    ];
    let id = format!("redeploy {}", task.migration_id);
    let goes = Some((PaneId::Migration, Some(task.migration_id.clone())));
    Item {
        about: Some(("migration", task.migration_id.clone())),
        ..item(Section::Mine, &id, says, goes)
    }
}

/// Writes a task as JSON: what is to be deployed back, by its migration, or what is to be seen to, by its own id.
pub(super) fn task_json(picture: &Picture, id: &str) -> Option<String> {
    let mut redeploys = picture.migrations.redeploys.iter();
    let mut deficiencies = picture.migrations.deficiencies.iter();
    if let Some(task) = redeploys.find(|it| it.migration_id == id) {
        return serde_json::to_string_pretty(task).ok();
    }
    let it = deficiencies.find(|it| it.deficiency_id == id)?;
    serde_json::to_string_pretty(it).ok()
}

/// Something that did not go away by itself.
fn deficiency(it: &Deficiency) -> Item {
    let says = vec![
        (Token::StatusDanger, "deficiency ".to_owned()),
        (Token::Fg, it.subject.clone()),
        muted(format!("  {}: {}", it.migration_id, it.detail)),
    ];
    let goes = Some((PaneId::Migration, Some(it.migration_id.clone())));
    Item {
        about: Some(("deficiency", it.deficiency_id.clone())),
        ..item(Section::Mine, &it.deficiency_id, says, goes)
    }
}

/// A block that waits for an answer.
fn block(block: &OpenBlock, now: Moment) -> Item {
    let reason = block.audit.block_reason.map_or("", BlockReason::word);
    let run = &block.audit.publish_run_id;
    item(
        Section::Mine,
        run,
        vec![
            (Token::Fg, format!("{run:<12} ")),
            blocks::time_left(block, now),
            (Token::Fg, "  ".into()),
            blocks::state(block, now),
            muted(format!("  {reason}")),
        ],
        Some((PaneId::Blocks, Some(run.clone()))),
    )
}
