//! `govdeck drill report`: who answered in how long when it was only practice.

use serde_json::json;

use super::page::{Exit, Failure, Page};
use crate::clock::Moment;
use crate::rules::block::{Sla, sla};
use crate::rules::time;
use crate::store::Store;
use crate::store::sla::{self as marks, Drilled};

/// How many blocks are listed.
const LISTED: i64 = 200;

pub(super) async fn run(store: &Store, days: i64) -> Result<Page, Failure> {
    let mut view = store.view().await?;
    let now = view.now();
    let since = now.plus_minutes(-days * 24 * 60);
    let drilled = marks::drilled(&mut view, since, LISTED).await?;
    let mut lines: Vec<String> = drilled.iter().map(|it| line(it, now)).collect();
    if lines.is_empty() {
        lines.push(format!(
            "nobody practised in {days} days: govdeck drill premint"
        ));
    }
    let json = json!({"since": since, "blocks": drilled});
    Ok(Page::new(Exit::Done, lines, "drill-report", json))
}

fn line(drilled: &Drilled, now: Moment) -> String {
    let owner = drilled.owner_user_id.as_deref().unwrap_or("nobody");
    let began = drilled.created_at_utc;
    let response = match (
        &drilled.taken_by,
        drilled.taken_at_utc,
        drilled.respond_by_utc,
    ) {
        (Some(who), Some(at), Some(due)) => format!(
            "{who} answered in {}, {}",
            time::span(at.since(began)),
            if at > due { "too late" } else { "in time" }
        ),
        (None, _, Some(due)) if sla(began, due, None, now) == Sla::Breach => {
            format!("nobody answered in {}", time::span(due.since(began)))
        }
        (_, _, Some(due)) => format!("nobody has answered yet; due by {due}"),
        _ => "nobody was asked".to_owned(),
    };
    let mark = |what: &str, at: Option<Moment>| {
        at.map_or(String::new(), |at| {
            format!(", {what} after {}", time::span(at.since(began)))
        })
    };
    format!(
        "DRILL {} ({}): owner {owner}: {response}{}{}",
        drilled.publish_run_id,
        drilled.block_reason,
        mark("warned", drilled.warned_at_utc),
        mark("backup paged", drilled.breached_at_utc)
    )
}
