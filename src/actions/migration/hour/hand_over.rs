//! Hands the hour of a cutover over to another lead, in one write: somebody always leads it.

use super::super::super::entry::{Action, Asked, Draft, Field, Required, Stop};
use super::{HOUR, hour_row, no_such_migration, read, target, there};
use crate::clock::Moment;
use crate::rules::Refusal;
use crate::rules::migration::hour::may_hand_over;
use crate::rules::people::{Acting, Role};
use crate::rules::permission::{self, Permission};
use crate::store::migration::{Hour, KnownHour};
use crate::store::outbox::Notice;
use crate::store::{StoreError, View, person};

pub(in crate::actions) struct HandOverHour {
    id: String,
    to: String,
}

pub(in crate::actions) struct Facts {
    read: super::Facts,
    leads: Vec<String>,
}

impl Action for HandOverHour {
    const MAY: Permission = permission::HAND_OVER_HOUR;
    const KEY: char = 'y';
    const SUMMARY: &'static str = "Hand the hour of a cutover over to another lead, or take it";
    const UNDO: &'static str = "hand-over-hour: whoever led it before leads it again";
    const KIND: &'static str = HOUR;
    const TARGET: &'static str = "The migration's id";
    const FIELDS: &'static [Field] = &[Field {
        name: "to",
        help: "Who leads it from now on",
        required: Required::Yes,
    }];
    type Facts = Option<Facts>;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            id: asked.target.clone(),
            to: asked.required("to")?.to_owned(),
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Option<Facts>, StoreError> {
        let Some(read) = read(view, &self.id).await? else {
            return Ok(None);
        };
        Ok(Some(Facts {
            read,
            leads: person::holders(view, &[Role::GovernanceLead]).await?,
        }))
    }

    fn propose(&self, facts: &Option<Facts>, by: &Acting<'_>, _now: Moment) -> Result<Draft, Stop> {
        let facts = facts.as_ref().ok_or_else(|| no_such_migration(&self.id))?;
        let known = &there(Some(&facts.read), &self.id)?.known;
        let hour = known.running_hour();
        let stand = hour.map(KnownHour::stand);
        let is_lead = facts.leads.contains(&self.to);
        let conditions = may_hand_over(stand.as_ref(), &by.actor.person_id, &self.to, is_lead);
        let mut rows = Vec::new();
        let mut notices = Vec::new();
        // A row about nobody could not be written.
        if let Some(hour) = hour.filter(|_| is_lead) {
            rows.push(hour_row(&hour.hour, |hour| Hour {
                lead_id: self.to.clone(),
                ..hour
            })?);
            let other = if by.id() == self.to {
                &hour.hour.lead_id
            } else {
                &self.to
            };
            notices.push(Notice {
                event_class: "migration_moved",
                about: format!("{}/{}", hour.banner_id(), hour.hour.version + 1),
                recipient_id: other.clone(),
                subject: format!("{}: {} leads the hour", self.id, self.to),
                body: format!(
                    "{}\nSee it with: govdeck hour show {}",
                    by.reason(),
                    self.id
                ),
                drill: false,
            });
        }
        Ok(Draft::new(target(known), conditions, rows).with_notices(notices))
    }
}
