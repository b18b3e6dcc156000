//! Protects a metric: it must be in both joins before a migration goes on.

use super::super::entry::{Action, Asked, Draft, Field, Required, Row, Stop};
use super::{MIGRATION, open, read, target, there};
use crate::clock::Moment;
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::rules::{Condition, Refusal};
use crate::store::dictionary;
use crate::store::migration::ProtectedMetric;
use crate::store::{StoreError, View};

pub(in crate::actions) struct ProtectMetric {
    id: String,
    metric: String,
}

pub(in crate::actions) struct Facts {
    read: super::Facts,
    is_metric: bool,
}

impl Action for ProtectMetric {
    const MAY: Permission = permission::PROTECT_METRIC;
    const KEY: char = 't';
    const SUMMARY: &'static str = "Protect a metric: it must be in both joins";
    const UNDO: &'static str = "cannot be undone: what was protected stays so for this migration";
    const KIND: &'static str = MIGRATION;
    const TARGET: &'static str = "The migration's id";
    const FIELDS: &'static [Field] = &[Field {
        name: "metric",
        help: "The metric",
        required: Required::Yes,
    }];
    type Facts = Option<Facts>;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            id: asked.target.clone(),
            metric: asked.required("metric")?.to_owned(),
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Option<Facts>, StoreError> {
        let is_metric = dictionary::metric(view, &self.metric).await?.is_some();
        let read = read(view, &self.id).await?;
        Ok(read.map(|read| Facts { read, is_metric }))
    }

    fn propose(&self, facts: &Option<Facts>, by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let is_metric = facts.as_ref().is_some_and(|facts| facts.is_metric);
        let facts = there(facts.as_ref().map(|facts| &facts.read), &self.id)?;
        let known = &facts.known;
        let is_new = !known.protected.iter().any(|it| it.metric_id == self.metric);
        let owner = "analytics_owner";
        let conditions = vec![
            open(known),
            Condition::holds(
                "metric",
                is_metric,
                owner,
                format!("{} must be in the dictionary", self.metric),
                "name a metric of the dictionary",
            ),
            Condition::holds(
                "not_protected",
                is_new,
                owner,
                if is_new {
                    "not protected yet"
                } else {
                    "protected already"
                },
                "nothing is left to do",
            ),
        ];
        let row = ProtectedMetric {
            migration_id: self.id.clone(),
            metric_id: self.metric.clone(),
            protected_by: by.id(),
            protected_at_utc: now,
            version: 1,
        };
        Ok(Draft::new(
            target(&known.migration),
            conditions,
            vec![Row::new(row)],
        ))
    }
}
