//! Claims a run that takes back what a bundle made at a target.

use super::super::entry::{Action, Asked, Draft, Field, Row, Stop, Suggested};
use super::way_back::{Way, WayBack};
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

pub(in crate::actions) struct Facts {
    known: Known,
    way_back: WayBack,
}

impl Action for RollBackBundle {
    const MAY: Permission = permission::ROLL_BACK_BUNDLE;
    const KEY: char = 'b';
    const SUMMARY: &'static str = "Claim the run that takes back what a bundle made";
    const UNDO: &'static str = "cannot be undone: what is to be made again is a further bundle";
    const KIND: &'static str = BUNDLE;
    const TARGET: &'static str = "The bundle's migration id";
    const FIELDS: &'static [Field] = &[ENVIRONMENT];
    type Facts = Option<Facts>;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            id: asked.target.clone(),
            tier: asked.required("environment")?.parse()?,
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Option<Facts>, StoreError> {
        let Some(known) = bundle::known(view, &self.id).await? else {
            return Ok(None);
        };
        let undone = undone(&known, self.tier);
        let way_back = WayBack::read(view, &known, Way::Back(self.tier, undone)).await?;
        Ok(Some(Facts { known, way_back }))
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

    fn propose(&self, facts: &Option<Facts>, by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let facts = facts.as_ref().ok_or_else(|| no_such_bundle(&self.id))?;
        let known = &facts.known;
        let of = undone(known, self.tier);
        let row = Run {
            plan_hash: of.and_then(|run| run.plan_hash.clone()),
            undoes_run_id: of.map(|run| run.run_id.clone()),
            ..begun(known, RunType::Rollback, Some(self.tier), by, now)
        };
        let mut conditions = known.decide(|facts| rule::may_roll_back(facts, self.tier));
        conditions.push(facts.way_back.kept(now));
        Ok(Draft::new(
            target(&known.bundle),
            conditions,
            vec![Row::new(row)],
        ))
    }
}

/// Finds the run that is to be taken back in a tier.
fn undone(known: &Known, tier: Tier) -> Option<&Run> {
    let undone = known.decide(|facts| facts.undone_by(tier).map(|run| run.run_id.to_owned()));
    known
        .runs
        .iter()
        .find(|run| Some(&run.run_id) == undone.as_ref())
}
