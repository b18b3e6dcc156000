//! `govdeck block report`: how fast blocks were answered.

use chrono::TimeDelta;
use serde_json::json;

use super::page::{Exit, Failure, Page};
use crate::rules::block::{Responses, responses};
use crate::store::{Store, cadence};

pub(super) async fn run(store: &Store, days: i64) -> Result<Page, Failure> {
    let mut view = store.view().await?;
    let now = view.now();
    let since = now.plus_minutes(-days * 24 * 60);
    let all = responses(&cadence::answered(&mut view, since).await?, now);
    let mut lines = vec![format!("first responses since {since}")];
    lines.push(format!(
        "{:<22} {:>6} {:>8} {:>8} {:>9} {:>9}",
        "reason", "blocks", "answered", "breaches", "p50", "p95"
    ));
    lines.extend(all.iter().map(line));
    let json = json!({"since": since, "days": days, "reasons": all});
    Ok(Page::new(Exit::Done, lines, "block-report", json))
}

fn line(of: &Responses) -> String {
    let time = |seconds: Option<i64>| {
        seconds.map_or("none".to_owned(), |seconds| {
            let whole = TimeDelta::seconds(seconds);
            format!("{}:{:02}", whole.num_minutes(), seconds % 60)
        })
    };
    format!(
        "{:<22} {:>6} {:>8} {:>8} {:>9} {:>9}",
        of.reason.word(),
        of.blocks,
        of.answered,
        of.breaches,
        time(of.p50_seconds),
        time(of.p95_seconds)
    )
}
