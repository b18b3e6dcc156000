//! `govdeck cadence`: the nine checkpoints of this cert week.

use serde_json::json;

use super::page::{Exit, Failure, Page};
use crate::rules::Verdict;
use crate::rules::cadence::{Checkpoint, Standing, cadence};
use crate::store::{Store, cadence as weeks};

pub(super) async fn run(store: &Store) -> Result<Page, Failure> {
    let mut view = store.view().await?;
    let since = view.now().start_of_week();
    let all = cadence(&weeks::week(&mut view, since).await?);
    let line = |standing: &Standing| {
        let word = match standing.verdict {
            Verdict::Pass => "PASS",
            Verdict::Fail => "FAIL",
            Verdict::CannotTell => "  ? ",
        };
        format!(
            "[{word}] {} {:<20} {} ({})",
            standing.step, standing.checkpoint, standing.evidence, standing.effect
        )
    };
    let mut lines = vec![format!("cert week since {since}")];
    lines.extend(all.iter().map(line));
    // Only the sixth stops anything; whatever it says is what a pipeline may go on by.
    let gate = all
        .iter()
        .find(|standing| standing.checkpoint == Checkpoint::PublishGate);
    let exit = Exit::from(gate.map_or(Verdict::CannotTell, |gate| gate.verdict));
    Ok(Page::new(
        exit,
        lines,
        "cadence",
        json!({"since": since, "checkpoints": all}),
    ))
}
