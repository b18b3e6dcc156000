//! Registers the plan of a migration's hour; another plan is another hash, and rehearsals of the one before do not count.

use super::super::super::entry::{Action, Asked, Draft, Field, Required, Row, Stop};
use super::super::{in_the_hour, open};
use super::{Facts, HOUR, read, there};
use crate::canon::canonical_exact;
use crate::clock::Moment;
use crate::rules::migration::hour::{CutoverPlan, read_plan};
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::rules::{Condition, Refusal};
use crate::store::artifact::{Artifact, CUTOVER_PLAN};
use crate::store::migration::HourPlan;
use crate::store::{StoreError, View};

pub(in crate::actions) struct RegisterHourPlan {
    id: String,
    plan: CutoverPlan,
    canonical: Vec<u8>,
}

impl Action for RegisterHourPlan {
    const MAY: Permission = permission::REGISTER_HOUR_PLAN;
    const KEY: char = 'q';
    const SUMMARY: &'static str = "Register the plan of the hour of a cutover";
    const UNDO: &'static str = "register-hour-plan: the one from before; it is rehearsed anew";
    const KIND: &'static str = HOUR;
    const TARGET: &'static str = "The migration's id";
    const FIELDS: &'static [Field] = &[Field {
        name: "document",
        help: "The plan as JSON; `hour plan ID FILE` reads it from a file",
        required: Required::Yes,
    }];
    type Facts = Option<Facts>;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        let document = asked.required("document")?.as_bytes();
        let plan = read_plan(document)?;
        let canonical = canonical_exact(document).map_err(|error| {
            Refusal::new(
                format!("the plan cannot be read: {error}"),
                "write numbers as they are, and each key once",
            )
        })?;
        Ok(Self {
            id: asked.target.clone(),
            plan,
            canonical,
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Option<Facts>, StoreError> {
        read(view, &self.id).await
    }

    fn propose(&self, facts: &Option<Facts>, by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let known = &there(facts.as_ref(), &self.id)?.known;
        let before = known.plan.as_ref().map(|plan| &plan.row);
        let file = Artifact::new(CUTOVER_PLAN.1, self.canonical.clone());
        let sha256 = file.sha256.to_string();
        let row = HourPlan {
            migration_id: self.id.clone(),
            plan_sha256: sha256.clone(),
            registered_by: by.id(),
            registered_at_utc: now,
            version: before.map_or(1, |before| before.version + 1),
        };
        let runs = known.running_hour().is_some();
        let conditions = vec![
            open(known),
            Condition::holds(
                "of_this_migration",
                self.plan.migration_id == self.id,
                "governance_lead",
                format!("it is of {}", self.plan.migration_id),
                "name this migration in it",
            ),
            Condition::holds(
                "no_hour_runs",
                !runs,
                "governance_lead",
                if runs {
                    "its hour runs"
                } else {
                    "no hour runs"
                },
                "an hour is ended as it was planned",
            ),
            Condition::holds(
                "says_something",
                before.is_none_or(|before| before.plan_sha256 != sha256),
                "governance_lead",
                "the plan of the hour",
                "it is registered already",
            ),
        ];
        let rows = vec![match before {
            Some(before) => Row::change(before, row)?,
            None => Row::new(row),
        }];
        let draft = Draft::new(in_the_hour(&known.migration), conditions, rows);
        Ok(draft.with_evidence(vec![(CUTOVER_PLAN.0, file)]))
    }
}
