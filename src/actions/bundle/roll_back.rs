//! Claims a run that takes back what a bundle made at a target.

use super::super::entry::{Action, Asked, Draft, Field, Row, Stop, Suggested};
use super::{BUNDLE, ENVIRONMENT, begun, no_such_bundle, target};
use crate::clock::Moment;
use crate::rules::Refusal;
use crate::rules::bundle::RunType;
use crate::rules::bundle_run::{self as rule, Tier};
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::store::bundle::{self, Known, Run};
use crate::store::{StoreError, View};

pub(in crate::actions) struct RollBackBundle {
    id: String,
    tier: Tier,
}

impl Action for RollBackBundle {
    const MAY: Permission = permission::ROLL_BACK_BUNDLE;
    const KEY: char = 'b';
    const SUMMARY: &'static str = "Claim the run that takes back what a bundle made";
    const UNDO: &'static str = "cannot be undone: what is to be made again is a further bundle";
    const KIND: &'static str = BUNDLE;
    const TARGET: &'static str = "The bundle's migration id";
    const FIELDS: &'static [Field] = &[ENVIRONMENT];
    type Facts = Option<Known>;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            id: asked.target.clone(),
            tier: asked.required("environment")?.parse()?,
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Option<Known>, StoreError> {
        bundle::known(view, &self.id).await
    }

    async fn suggest(target: &str, view: &mut View) -> Result<Option<Suggested>, Stop> {
        let Some(known) = bundle::known(view, target).await? else {
            return Ok(None);
        };
        let last = known.decide(|facts| {
            let mut tiers = Tier::ALL.iter().rev().copied();
            tiers.find(|tier| facts.undone_by(*tier).is_some())
        });
        let tier = last.unwrap_or(Tier::Dev);
        Ok(Some(Suggested {
            asked: Asked::of(target).with("environment", tier.word()),
            untold: &[],
            offers: Some("environment"),
        }))
    }

    fn propose(&self, facts: &Option<Known>, by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let known = facts.as_ref().ok_or_else(|| no_such_bundle(&self.id))?;
        let undone =
            known.decide(|facts| facts.undone_by(self.tier).map(|run| run.run_id.to_owned()));
        let of = known
            .runs
            .iter()
            .find(|run| Some(&run.run_id) == undone.as_ref());
        let row = Run {
            plan_hash: of.and_then(|run| run.plan_hash.clone()),
            undoes_run_id: undone.clone(),
            ..begun(known, RunType::Rollback, Some(self.tier), by, now)
        };
        Ok(Draft::new(
            target(&known.bundle),
            known.decide(|facts| rule::may_roll_back(facts, self.tier)),
            vec![Row::new(row)],
        ))
    }
}
