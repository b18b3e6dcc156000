//! Ends a step of the hour with what its work found, by rule.

use serde::{Deserialize, Serialize};

use super::super::super::entry::{Action, Asked, Draft, Stop};
use super::{Ended, HOUR, ended, no_such_migration, read, target, there};
use crate::clock::Moment;
use crate::rules::Refusal;
use crate::rules::migration::hour::{Ending, Step, StepState, may_end_step};
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::store::artifact::{Artifact, CUTOVER_STEP, GOLDEN_BEFORE};
use crate::store::migration::{self, Aftermath, KnownHour};
use crate::store::outbox::Notice;
use crate::store::{StoreError, View};

/// What the work of a step found; the document comes along.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepFinding {
    /// The step.
    pub step: Step,
    /// Which attempt at it.
    pub attempt: i64,
    /// As what it ends.
    pub state: StepState,
    /// What was found, in one line.
    pub detail: String,
}

pub(in crate::actions) struct EndStep {
    id: String,
    finding: StepFinding,
    evidence: Vec<(&'static str, Artifact)>,
}

pub(in crate::actions) struct Facts {
    read: super::Facts,
    after: Aftermath,
}

impl Action for EndStep {
    const MAY: Permission = permission::END_STEP;
    const KEY: char = ' ';
    const SUMMARY: &'static str = "End a step of the hour with what was found";
    const UNDO: &'static str = "begin-step: what has failed is begun again";
    const KIND: &'static str = HOUR;
    const TARGET: &'static str = "The migration's id";
    type Facts = Option<Facts>;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            id: asked.target.clone(),
            finding: asked.finding()?,
            evidence: asked.filed(&[CUTOVER_STEP.0, GOLDEN_BEFORE.0]),
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Option<Facts>, StoreError> {
        let Some(read) = read(view, &self.id).await? else {
            return Ok(None);
        };
        let after = migration::aftermath(view, &read.known).await?;
        Ok(Some(Facts { read, after }))
    }

    fn propose(&self, facts: &Option<Facts>, by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let facts = facts.as_ref().ok_or_else(|| no_such_migration(&self.id))?;
        let read = there(Some(&facts.read), &self.id)?;
        let known = &read.known;
        let found = &self.finding;
        let hour = known.running_hour();
        let stand = hour.map(KnownHour::stand);
        let mut evidence = self.evidence.iter();
        let shown = evidence.find(|(role, _)| *role == CUTOVER_STEP.0);
        let ending = Ending {
            step: found.step,
            attempt: found.attempt,
            state: found.state,
            is_shown: shown.is_some(),
            open_series: (facts.after.series > 0).then_some(&facts.after.open_series),
        };
        let conditions = known.decide(now, |facts| may_end_step(facts, stand.as_ref(), ending));
        let how = Ended {
            state: found.state,
            detail: &found.detail,
            evidence_sha256: shown.map(|(_, document)| document.sha256.to_string()),
        };
        let rows = match hour {
            Some(hour) => ended(hour, found.step, &how, by, now)?,
            None => Vec::new(),
        };
        let page = hour.filter(|_| found.state == StepState::Failed);
        let page = page.map(|hour| self.page(hour));
        Ok(Draft::new(target(known), conditions, rows)
            .with_evidence(self.evidence.clone())
            .with_notices(page.into_iter().collect()))
    }
}

impl EndStep {
    fn page(&self, hour: &KnownHour) -> Notice {
        let found = &self.finding;
        Notice {
            event_class: "cutover_step_failed",
            about: format!("{}/{}/{}", hour.banner_id(), found.step, found.attempt),
            recipient_id: hour.hour.lead_id.clone(),
            subject: format!("{}: step {} failed", self.id, found.step),
            body: format!(
                "{}\nBegin it again, or give the hour up. See it with: govdeck hour show {}",
                found.detail, self.id
            ),
            drill: false,
        }
    }
}
