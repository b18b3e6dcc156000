//! Acknowledges an incident: somebody has seen that governance is red.

use super::super::entry::{Action, Asked, Draft, Row, Stop};
use super::{INCIDENT, incident_target, no_such_incident};
use crate::clock::Moment;
use crate::rules::Refusal;
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::rules::week as rule;
use crate::store::week::{self, Incident};
use crate::store::{StoreError, View};

pub(in crate::actions) struct AcknowledgeIncident {
    id: String,
}

/// Returns an incident for the rules.
pub(super) fn for_rules(incident: &Incident) -> rule::Incident<'_> {
    rule::Incident {
        incident_id: &incident.incident_id,
        acknowledged_by: incident.acknowledged_by.as_deref(),
        is_closed: incident.left_at_utc.is_some(),
        addendum_demanded: incident.addendum_demanded,
    }
}

impl Action for AcknowledgeIncident {
    const MAY: Permission = permission::ACKNOWLEDGE_INCIDENT;
    const KEY: char = 'c';
    const SUMMARY: &'static str = "Acknowledge an incident: you have seen that governance is red";
    const UNDO: &'static str = "cannot be undone: you have seen it";
    const KIND: &'static str = INCIDENT;
    const TARGET: &'static str = "The incident's id";
    type Facts = Option<Incident>;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            id: asked.target.clone(),
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Option<Incident>, StoreError> {
        week::incident(view, &self.id).await
    }

    fn propose(
        &self,
        facts: &Option<Incident>,
        by: &Acting<'_>,
        now: Moment,
    ) -> Result<Draft, Stop> {
        let before = facts.as_ref().ok_or_else(|| no_such_incident(&self.id))?;
        let after = Incident {
            acknowledged_by: Some(by.id()),
            acknowledged_at_utc: Some(now),
            version: before.version + 1,
            ..before.clone()
        };
        Ok(Draft::new(
            incident_target(before),
            rule::may_acknowledge(&for_rules(before)),
            vec![Row::change(before, after)?],
        ))
    }
}
