//! Lets a deed of a story happen: each as the person who does it, through their own way in.

use super::beat::{Beat, Deed};
use super::chapters::migration::ID;
use super::chapters::papers::NO_BUNDLES;
use super::chapters::people::PIPELINE;
use super::deeds::{
    act, by_rule, compare, decide, exported, fingerprint, is_called_for, look, mint, probe, prove,
    run_bundle,
};
use super::expansion::Site;
use super::files;
use super::world::World;
use crate::actions::{self, Asked, ByRule};
use crate::clock::Moment;
use crate::store::StoreError;
use crate::store::approval::{self, ApprovalRequest};
use crate::store::migration;

/// How many minutes of the story a proposal waits before anybody agrees to it.
const HESITATION: i64 = 4;
/// Among how many proposals that wait one is found.
const MOST_WAITING: i64 = 200;

impl World {
    pub(super) async fn happen(&mut self, beat: &Beat, now: Moment) -> Result<(), StoreError> {
        match &beat.deed {
            Deed::Mint(run) => mint(&self.store(PIPELINE).await?, run.clone(), now).await,
            Deed::Decide(run) => decide(&self.store(PIPELINE).await?, run).await,
            Deed::Act {
                who,
                verb,
                asked,
                reason,
                when,
            } => {
                let store = self.store(who).await?;
                if !is_called_for(&store, when).await? {
                    return Ok(());
                }
                act(&store, verb, asked.clone(), reason).await
            }
            Deed::Answer {
                who,
                verb,
                about,
                reason,
            } => {
                let is_it = |request: &ApprovalRequest| request.target_id == *about;
                self.answer(who, verb, is_it, reason).await
            }
            Deed::Dated {
                who,
                verb,
                asked,
                dates,
                reason,
            } => {
                let dated = self.dated(asked, dates);
                act(&self.store(who).await?, verb, dated, reason).await
            }
            Deed::Land { path, text } => files::land(&self.root, path, text),
            Deed::Fill(half) => migration::fill(&self.store(PIPELINE).await?, half).await,
            Deed::Scan => look(&self.store(PIPELINE).await?).await,
            Deed::Probe => probe(&self.store(PIPELINE).await?, &self.root).await,
            Deed::Fingerprint => fingerprint(&self.store(PIPELINE).await?, &self.root).await,
            Deed::Export(text) => exported(&self.store(PIPELINE).await?, &self.root, text).await,
            Deed::Compare(manifest) => compare(&self.store(PIPELINE).await?, manifest).await,
            Deed::Bind => prove(&self.store(PIPELINE).await?).await,
            Deed::Expand {
                who,
                bundle,
                making,
                reason,
            } => {
                let store = self.store(who).await?;
                self.site().make(&store, *bundle, *making, reason).await
            }
            Deed::Rehearse { who } => {
                let store = self.store(who).await?;
                self.site().rehearse(&store).await
            }
            Deed::PlanHour { who, plan, reason } => self.plan_hour(who, plan, reason).await,
            Deed::Plan { series, window } => {
                let rule = ByRule::PlanWindow {
                    series: (*series).to_owned(),
                    at: self.moment(*window),
                };
                by_rule(&self.store(PIPELINE).await?, rule).await
            }
            Deed::OnRun {
                who,
                verb,
                series,
                window,
                asked,
                reason,
            } => {
                let target = actions::window_run_id(series, self.moment(*window));
                let asked = Asked {
                    target,
                    ..asked.clone()
                };
                act(&self.store(who).await?, verb, asked, reason).await
            }
            Deed::RunBundle {
                who,
                asked,
                ends,
                reason,
            } => run_bundle(&self.store(who).await?, asked.clone(), *ends, reason).await,
            Deed::Agree { who, reason } => {
                let (seat, before) = (self.seat.clone(), now.plus_minutes(-HESITATION));
                let is_theirs = |request: &ApprovalRequest| {
                    request.proposed_by == seat && request.proposed_at_utc <= before
                };
                self.answer(who, "approve", is_theirs, reason).await
            }
        }
    }

    /// Registers the plan of an hour with the ids of the bundles that were made.
    async fn plan_hour(&mut self, who: &str, plan: &str, reason: &str) -> Result<(), StoreError> {
        let bundles = format!("\"bundles\":{}", serde_json::json!(self.site().ids()?));
        let plan = plan.replacen(NO_BUNDLES, &bundles, 1);
        let asked = Asked::of(ID).with("document", plan);
        act(&self.store(who).await?, "register_hour_plan", asked, reason).await
    }

    /// Puts the seconds of the story into what is asked.
    fn dated(&self, asked: &Asked, dates: &[(&str, i64)]) -> Asked {
        dates.iter().fold(asked.clone(), |asked, (field, second)| {
            asked.with(field, self.moment(*second).to_string())
        })
    }

    /// Where the bundles of the story lie.
    fn site(&self) -> Site<'_> {
        Site {
            root: &self.root,
            dsn: &self.dsn,
            seed: self.seed,
        }
    }

    /// Answers the first proposal that waits and is meant, if there is one.
    async fn answer(
        &mut self,
        who: &str,
        verb: &str,
        is_meant: impl Fn(&ApprovalRequest) -> bool,
        reason: &str,
    ) -> Result<(), StoreError> {
        let store = self.store(who).await?;
        let waiting = approval::waiting(&mut store.view().await?, MOST_WAITING).await?;
        match waiting.into_iter().find(is_meant) {
            Some(request) => act(&store, verb, Asked::of(request.ticket), reason).await,
            None => Ok(()),
        }
    }
}
