//! Claims the run of a bundle at a target, and consumes the approval of its plan.

use super::super::entry::{Action, Asked, Draft, Field, Required, Row, Stop, Suggested};
use super::way_back::{Way, WayBack};
use super::{BUNDLE, ENVIRONMENT, begun, read, target, there};
use crate::clock::Moment;
use crate::rules::Refusal;
use crate::rules::bundle::RunType;
use crate::rules::bundle_run::{self as rule, Tier};
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::store::bundle::{self, Run};
use crate::store::{StoreError, View};

pub(in crate::actions) struct ClaimBundleRun {
    id: String,
    tier: Tier,
    fingerprint: String,
}

pub(in crate::actions) struct Facts {
    of_bundle: super::Facts,
    way_back: WayBack,
}

impl Action for ClaimBundleRun {
    const MAY: Permission = permission::CLAIM_BUNDLE_RUN;
    const KEY: char = 'x';
    const SUMMARY: &'static str = "Claim the run of a bundle, which uses up its approval";
    const UNDO: &'static str =
        "roll-back-bundle: what was made is taken back; the approval stays used";
    const KIND: &'static str = BUNDLE;
    const TARGET: &'static str = "The bundle's migration id";
    const FIELDS: &'static [Field] = &[
        ENVIRONMENT,
        Field {
            name: "fingerprint",
            help: "What the target looks like now, as `bundle plan` and `bundle apply` find it",
            required: Required::Yes,
        },
    ];
    type Facts = Option<Facts>;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            id: asked.target.clone(),
            tier: asked.required("environment")?.parse()?,
            fingerprint: asked.required("fingerprint")?.to_owned(),
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Option<Facts>, StoreError> {
        let Some(of_bundle) = read(view, &self.id).await? else {
            return Ok(None);
        };
        let way = Way::Forward(self.tier);
        Ok(Some(Facts {
            way_back: WayBack::read(view, &of_bundle.known, way).await?,
            of_bundle,
        }))
    }

    async fn suggest(target: &str, view: &mut View) -> Result<Option<Suggested>, Stop> {
        let Some(known) = bundle::known(view, target).await? else {
            return Ok(None);
        };
        let tier = known.bundle.status.next_tier().unwrap_or(Tier::Dev);
        let planned = known.plan(tier).map(|plan| plan.schema_fingerprint.clone());
        Ok(Some(Suggested {
            asked: Asked::of(target)
                .with("environment", tier.word())
                .with("fingerprint", planned.unwrap_or_else(|| "none".to_owned())),
            untold: &[],
            offers: Some("fingerprint"),
        }))
    }

    fn propose(&self, facts: &Option<Facts>, by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let read = facts.as_ref();
        let facts = there(read.map(|facts| &facts.of_bundle), &self.id)?;
        let known = &facts.known;
        let found = facts.plan_hash(&self.fingerprint);
        let approval =
            known.decide(|facts| facts.approval(self.tier).map(|run| run.run_id.to_owned()));
        let row = Run {
            plan_hash: Some(found.clone()),
            approval_id: approval,
            ..begun(known, RunType::Migration, Some(self.tier), by, now)
        };
        let mut conditions = known.decide(|facts| rule::may_claim(facts, self.tier, &found));
        conditions.push(facts.window(self.tier, rule::writers_may_wait_now, now));
        conditions.extend(read.map(|facts| facts.way_back.kept(now)));
        Ok(Draft::new(
            target(&known.bundle),
            conditions,
            vec![Row::new(row)],
        ))
    }
}
