//! Closes the task that a rollback opened: exporters are deployed as they were before the migration.

use super::super::entry::{Action, Asked, Draft, Row, Stop};
use super::{MIGRATION, no_such_migration, target};
use crate::clock::Moment;
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::rules::{Condition, Refusal};
use crate::store::migration::{self, Migration, RedeployTask};
use crate::store::{StoreError, View};

pub(in crate::actions) struct CloseRedeployTask {
    id: String,
}

impl Action for CloseRedeployTask {
    const MAY: Permission = permission::CLOSE_REDEPLOY_TASK;
    const KEY: char = 'e';
    const SUMMARY: &'static str =
        "Say that exporters are deployed as before a migration; the reason says how";
    const UNDO: &'static str = "cannot be undone: a task is done once";
    const KIND: &'static str = MIGRATION;
    const TARGET: &'static str = "The migration's id";
    type Facts = (Option<Migration>, Option<RedeployTask>);

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            id: asked.target.clone(),
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Self::Facts, StoreError> {
        Ok((
            migration::find(view, &self.id).await?,
            migration::redeploy_task(view, &self.id).await?,
        ))
    }

    fn propose(&self, facts: &Self::Facts, by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let (found, task) = facts;
        let found = found.as_ref().ok_or_else(|| no_such_migration(&self.id))?;
        let open = |holds: bool, owner: &str, evidence: String| {
            let fix = "only what was taken back after its cutover has such a task, once";
            vec![Condition::holds("open", holds, owner, evidence, fix)]
        };
        let Some(before) = task else {
            let conditions = open(false, "govdeck", "nothing is to be deployed".to_owned());
            return Ok(Draft::new(target(found), conditions, Vec::new()));
        };
        let evidence = match (&before.done_by, before.done_at_utc) {
            (Some(by), Some(at)) => format!("{by} did it at {at}"),
            _ => format!("open since {}", before.opened_at_utc),
        };
        let conditions = open(before.done_by.is_none(), &before.owner_id, evidence);
        let after = RedeployTask {
            done_by: Some(by.id()),
            done_reason: Some(by.reason()),
            done_at_utc: Some(now),
            version: before.version + 1,
            ..before.clone()
        };
        let rows = vec![Row::change(before, after)?];
        Ok(Draft::new(target(found), conditions, rows))
    }
}
