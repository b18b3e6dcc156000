//! Approves one run of a plan, by two people; bound to what the plan hashes to.

use super::super::entry::{Action, Asked, Draft, Field, Required, Stop, Suggested};
use super::{BUNDLE, Decided, ENVIRONMENT, Facts, begun, read, there};
use crate::clock::Moment;
use crate::rules::Refusal;
use crate::rules::bundle::RunType;
use crate::rules::bundle_run::{self as rule, RunOutcome, Tier};
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::store::bundle::Run;
use crate::store::{StoreError, View};

pub(in crate::actions) struct ApproveBundle {
    id: String,
    tier: Tier,
    plan: String,
}

impl Action for ApproveBundle {
    const MAY: Permission = permission::APPROVE_BUNDLE;
    const KEY: char = 'p';
    const SUMMARY: &'static str = "Approve one run of a bundle as it is planned";
    const UNDO: &'static str =
        "register-bundle: with another plan the approval is bound to what is no more";
    const KIND: &'static str = BUNDLE;
    const TARGET: &'static str = "The bundle's migration id";
    const FIELDS: &'static [Field] = &[
        ENVIRONMENT,
        Field {
            name: "plan",
            help: "What the plan hashes to, as `bundle show` says it",
            required: Required::Yes,
        },
    ];
    type Facts = Option<Facts>;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            id: asked.target.clone(),
            tier: asked.required("environment")?.parse()?,
            plan: asked.required("plan")?.to_owned(),
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Option<Facts>, StoreError> {
        read(view, &self.id).await
    }

    async fn suggest(target: &str, view: &mut View) -> Result<Option<Suggested>, Stop> {
        let Some(facts) = read(view, target).await? else {
            return Ok(None);
        };
        let known = &facts.known;
        let waits = |tier: Tier| {
            let plan = known.plan(tier).map(|plan| plan.plan_hash.clone());
            let current = facts.current_plan(tier);
            let is_open = |hash: &String| {
                let asked = rule::may_approve;
                let conditions = known.decide(|facts| asked(facts, tier, hash, &current));
                crate::rules::condition::unmet(&conditions).is_none()
            };
            plan.filter(is_open)
        };
        let tiers = Tier::ALL.iter();
        let next = tiers.copied().find(|tier| waits(*tier).is_some());
        let tier = next
            .or(known.bundle.status.next_tier())
            .unwrap_or(Tier::Dev);
        let plan = known.plan(tier).map_or("none", |plan| &plan.plan_hash);
        Ok(Some(Suggested {
            asked: Asked::of(target)
                .with("environment", tier.word())
                .with("plan", plan),
            untold: &[],
            offers: Some("plan"),
        }))
    }

    fn propose(&self, facts: &Option<Facts>, by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let facts = there(facts.as_ref(), &self.id)?;
        let known = &facts.known;
        let run = Run {
            plan_hash: Some(self.plan.clone()),
            approved_by: Some(by.second()),
            ..begun(known, RunType::Approval, Some(self.tier), by, now)
        };
        let status = known.bundle.status;
        let current = facts.current_plan(self.tier);
        let mut conditions =
            known.decide(|facts| rule::may_approve(facts, self.tier, &self.plan, &current));
        conditions.push(facts.window(self.tier, rule::writers_may_wait_ever, now));
        Decided {
            facts,
            status: status.moved_by(RunType::Approval, Some(self.tier), RunOutcome::Applied),
            conditions,
            may: &Self::MAY,
            run,
        }
        .draft(by, now)
    }
}
