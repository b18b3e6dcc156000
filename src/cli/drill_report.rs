//! `govdeck drill report`: who answered in how long when it was only practice, and whether the agent told them in time.

use serde_json::{Value, json};

use super::page::{Exit, Failure, Page};
use crate::clock::Moment;
use crate::rules::block::{Promptness, Sla, half_time, promptness, sla};
use crate::rules::time;
use crate::store::Store;
use crate::store::drill::{self, DrillRecord};
use crate::store::sla::{self as marks, Drilled};

/// How many of each kind are listed.
const LISTED: i64 = 200;

pub(super) async fn run(store: &Store, days: i64) -> Result<Page, Failure> {
    let mut view = store.view().await?;
    let now = view.now();
    let since = now.plus_minutes(-days * 24 * 60);
    let blocks = marks::drilled(&mut view, since, LISTED).await?;
    let drills = drill::since(&mut view, since, LISTED).await?;
    let mut lines: Vec<String> = blocks.iter().map(|it| block_line(it, now)).collect();
    lines.extend(drills.iter().map(drill_line));
    if lines.is_empty() {
        lines.push(format!(
            "nobody practised in {days} days: govdeck drill premint"
        ));
    }
    let blocks = blocks.iter().map(|it| block_json(it, now));
    let blocks: Vec<Value> = blocks.collect();
    let json = json!({"since": since, "blocks": blocks, "drills": drills});
    Ok(Page::new(Exit::Done, lines, "drill-report", json))
}

fn block_json(drilled: &Drilled, now: Moment) -> Value {
    let [warned, paged] = told(drilled, now);
    let mut json = json!(drilled);
    json["warned"] = json!(warned);
    json["paged"] = json!(paged);
    json
}

/// Whether the owner was warned and the backup paged; nothing where nobody was asked.
fn told(drilled: &Drilled, now: Moment) -> [Option<Promptness>; 2] {
    let Some(due) = drilled.respond_by_utc else {
        return [None, None];
    };
    let half = half_time(drilled.created_at_utc, due);
    let told = |due, marked| Some(promptness(due, drilled.taken_at_utc, marked, now));
    [
        told(half, drilled.warned_at_utc),
        told(due, drilled.breached_at_utc),
    ]
}

fn block_line(drilled: &Drilled, now: Moment) -> String {
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
    let mark = |what: &str, at: Option<Moment>, how: Option<Promptness>| {
        let after = at.map_or(String::new(), |at| {
            format!(", {what} after {}", time::span(at.since(began)))
        });
        match how {
            Some(Promptness::Late) => format!("{after}, too late"),
            Some(Promptness::Missing) => format!(", not {what}: no agent was at work"),
            _ => after,
        }
    };
    let [warned, paged] = told(drilled, now);
    format!(
        "DRILL {} ({}): owner {owner}: {response}{}{}",
        drilled.publish_run_id,
        drilled.block_reason,
        mark("warned", drilled.warned_at_utc, warned),
        mark("backup paged", drilled.breached_at_utc, paged)
    )
}

fn drill_line(drill: &DrillRecord) -> String {
    let went = if drill.passed {
        "as expected"
    } else {
        "NOT as expected"
    };
    let response = match (&drill.answered_by, drill.answered_at_utc) {
        (Some(who), Some(at)) => {
            let span = time::span(at.since(drill.practised_at_utc));
            format!("{who} answered in {span}")
        }
        _ => "nobody has answered yet".to_owned(),
    };
    format!(
        "DRILL {}: {went}, {}; would page {}: {response}",
        drill.drill_id, drill.found, drill.paged
    )
}
