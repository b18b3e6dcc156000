//! `govdeck drill sla`: a block that nobody is to answer, so that the agent warns and pages.

use serde_json::json;

use super::drill::{STOPPED, cannot_practise, practise};
use super::page::{Exit, Failure, Page};
use crate::rules::Refusal;
use crate::rules::block::half_time;
use crate::store::{Store, lease, publish};

pub(super) async fn run(store: &Store) -> Result<Page, Failure> {
    let went = practise(store, &STOPPED).await?;
    let mut view = store.view().await?;
    let audit = publish::audit(&mut view, &went.run).await?;
    let is_led = lease::find(&mut view).await?;
    let is_led = is_led.is_some_and(|lease| lease.is_held(view.server_now()));
    let block = audit.and_then(|block| {
        let owner = block.owner_user_id.clone()?;
        let backup = block.backup_owner_user_id.clone()?;
        Some((owner, backup, block.created_at_utc, block.respond_by_utc?))
    });
    let (owner, backup, began, respond_by) = block.ok_or_else(|| {
        let gone = format!(
            "{} was not stopped with an owner, a backup and a time",
            went.run
        );
        cannot_practise(Refusal::new(gone, "see it with: govdeck block show"))
    })?;
    let warned_at = half_time(began, respond_by);
    let mut lines = vec![
        went.line(),
        format!(
            "       then {owner} is warned at {warned_at}, and {backup} paged after {respond_by}"
        ),
        "       nobody is to take it before; whether both were told: govdeck drill report"
            .to_owned(),
    ];
    if !is_led {
        lines.push(
            "       no agent leads now: only one that a timer starts would tell them".to_owned(),
        );
    }
    let json = json!({
        "verdict": went.verdict, "agent_leads": is_led, "warned": owner, "warned_at_utc": warned_at,
        "paged": backup, "paged_after_utc": respond_by, "run": went,
    });
    let verdict = went.verdict;
    Ok(Page::new(Exit::from(verdict), lines, "drill-sla", json))
}
