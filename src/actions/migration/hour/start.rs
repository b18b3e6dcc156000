//! Begins the hour of a cutover: edits are frozen from then on, and everybody hears of it.

use super::super::super::entry::{Action, Asked, Draft, Row, Stop};
use super::super::in_the_hour;
use super::{HOUR, read, there};
use crate::clock::Moment;
use crate::rules::Refusal;
use crate::rules::migration::hour::{HourStatus, Starting, Step, StepState, may_start_hour};
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::store::dictionary::AnnexView;
use crate::store::migration::{self, Hour, HourStep};
use crate::store::publish::{self, FooterSchema};
use crate::store::{StoreError, View, dictionary};

pub(in crate::actions) struct StartHour {
    id: String,
}

pub(in crate::actions) struct Facts {
    read: super::Facts,
    running: Option<String>,
    footer: Option<FooterSchema>,
    annex: Option<AnnexView>,
}

impl Action for StartHour {
    const MAY: Permission = permission::START_HOUR;
    const KEY: char = 'h';
    const SUMMARY: &'static str =
        "Begin the hour of a cutover: announce the lock, and freeze edits";
    const UNDO: &'static str = "abort-hour: before the flip nothing has changed";
    const KIND: &'static str = HOUR;
    const TARGET: &'static str = "The migration's id";
    type Facts = Option<Facts>;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            id: asked.target.clone(),
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Option<Facts>, StoreError> {
        let Some(read) = read(view, &self.id).await? else {
            return Ok(None);
        };
        let running = migration::running_hour(view).await?;
        let to = &read.known.migration.to_semver;
        Ok(Some(Facts {
            annex: dictionary::annex_view_of(view, to).await?,
            read,
            running: running.map(|it| it.hour.migration_id),
            footer: publish::footer_schema(view).await?,
        }))
    }

    fn propose(&self, facts: &Option<Facts>, by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let read = there(facts.as_ref().map(|facts| &facts.read), &self.id)?;
        let known = &read.known;
        let besides = facts.as_ref();
        let footer = besides.and_then(|facts| facts.footer.as_ref());
        let annex = besides.and_then(|facts| facts.annex.as_ref());
        let starting = Starting {
            is_planned: known.plan.is_some(),
            running: besides.and_then(|facts| facts.running.as_deref()),
            annex: annex.map(|row| (&*row.annex_view_version, &*row.footer_schema_semver)),
            footer: footer.map(|schema| &*schema.current_semver),
        };
        let conditions = known.decide(now, |facts| may_start_hour(facts, starting));
        let plan = known.plan.as_ref();
        let hour = Hour {
            migration_id: self.id.clone(),
            hour_no: known.hour.as_ref().map_or(1, |it| it.hour.hour_no + 1),
            status: HourStatus::Running,
            lead_id: by.id(),
            plan_sha256: plan.map_or_else(|| "-".to_owned(), |plan| plan.row.plan_sha256.clone()),
            begun_by: by.id(),
            begun_at_utc: now,
            ended_by: None,
            ended_at_utc: None,
            version: 1,
        };
        let step = |step: &Step| {
            let is_begun = *step == Step::Announce;
            Row::new(HourStep {
                migration_id: hour.migration_id.clone(),
                hour_no: hour.hour_no,
                step: *step,
                state: if is_begun {
                    StepState::Running
                } else {
                    StepState::NotStarted
                },
                attempt: i64::from(is_begun),
                owner_id: is_begun.then(|| by.id()),
                began_at_utc: is_begun.then_some(now),
                ended_at_utc: None,
                detail: None,
                evidence_sha256: None,
                version: 1,
            })
        };
        let mut rows = vec![Row::new(hour.clone())];
        rows.extend(Step::ALL.iter().map(step));
        let notices = read.tell(by, "its hour begins, edits are frozen", &by.reason());
        Ok(Draft::new(in_the_hour(&known.migration), conditions, rows).with_notices(notices))
    }
}
