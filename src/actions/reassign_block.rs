//! Gives an open block to another owner; its clock goes on as if nothing had happened.

use super::entry::{Action, Asked, Draft, Field, Required, Row, Stop, Suggested};
use super::take_block::{no_such_block, target};
use crate::clock::Moment;
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::rules::{Refusal, block};
use crate::store::outbox::Notice;
use crate::store::person::{self, Person, is_active_human};
use crate::store::publish::{self, Audit};
use crate::store::{StoreError, View};

pub(super) struct ReassignBlock {
    run: String,
    to: String,
}

pub(super) struct Facts {
    block: Option<Audit>,
    to: Option<Person>,
}

impl Action for ReassignBlock {
    const MAY: Permission = permission::REASSIGN_BLOCK;
    const KEY: char = 'i';
    const SUMMARY: &'static str = "Give a publish block to another owner";
    const UNDO: &'static str = "reassign-block: to whoever had it, while nobody has taken it";
    const KIND: &'static str = "block";
    const TARGET: &'static str = "The blocked run";
    const FIELDS: &'static [Field] = &[Field {
        name: "to",
        help: "The new owner's id",
        required: Required::Yes,
    }];
    type Facts = Facts;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            run: asked.target.clone(),
            to: asked.required("to")?.to_owned(),
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Facts, StoreError> {
        Ok(Facts {
            block: publish::audit(view, &self.run).await?,
            to: person::find(view, &self.to).await?,
        })
    }

    async fn suggest(target: &str, view: &mut View) -> Result<Option<Suggested>, Stop> {
        let somebody = person::actor(view).await?.map(|actor| actor.person_id);
        Ok(somebody.map(|somebody| Suggested {
            asked: Asked::of(target).with("to", somebody),
            untold: &["can_own"],
            offers: None,
        }))
    }

    fn propose(&self, facts: &Facts, by: &Acting<'_>, _now: Moment) -> Result<Draft, Stop> {
        let before = facts
            .block
            .as_ref()
            .ok_or_else(|| no_such_block(&self.run))?;
        let to = facts.to.as_ref().ok_or_else(|| {
            Refusal::new(
                format!("there is no person {:?}", self.to),
                "add them first: govdeck act add-person",
            )
        })?;
        let after = Audit {
            owner_user_id: Some(self.to.clone()),
            version: before.version + 1,
            ..before.clone()
        };
        let is_active_human = is_active_human(Some(to));
        let conditions =
            block::may_reassign(&before.standing(), &self.to, is_active_human, by.actor);
        let told = Notice {
            event_class: "block_reassigned",
            about: self.run.clone(),
            recipient_id: self.to.clone(),
            subject: format!("publish block {} is yours now", self.run),
            body: format!(
                "{} gives you {}. First response due by {}, as before.\nTake it with: govdeck act take-block {}",
                by.actor.person_id,
                self.run,
                before
                    .respond_by_utc
                    .map_or("unknown".to_owned(), |due| due.to_string()),
                self.run
            ),
            drill: before.drill,
        };
        let draft = Draft::new(
            target(before),
            conditions,
            vec![Row::change(before, after)?],
        );
        Ok(draft.with_notices(vec![told]))
    }
}
