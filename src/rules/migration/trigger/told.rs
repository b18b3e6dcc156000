//! What the trigger says, in words; and what must hold before it takes a migration back.

use super::{Against, Trigger, TriggerState, Untold, WatchedRun};
use crate::rules::Condition;
use crate::rules::Verdict;

impl WatchedRun {
    /// Says how the run lies to the limits.
    #[must_use]
    pub fn said(&self) -> String {
        let (id, kind) = (&self.job_run_id, self.kind);
        let metric = self.metric_id.as_deref().unwrap_or("nothing");
        if let Some(why) = self.untold {
            let which = match why {
                Untold::MetricMissing => format!(" ({metric})"),
                Untold::NotCompared => format!(" ({})", self.status),
                _ => String::new(),
            };
            return format!("{id} ({kind}): cannot tell: {}{which}", why.meaning());
        }
        let none = || "?".to_owned();
        let [ratio, soft, hard] =
            [&self.ratio, &self.soft, &self.hard].map(|it| it.clone().unwrap_or_else(none));
        let lies = match self.against {
            Against::AboveHard => format!("above hard {hard}"),
            Against::AboveSoft => format!("above soft {soft}, not above hard {hard}"),
            Against::Within | Against::Untold => format!("not above soft {soft}"),
        };
        let before = self.ratio_before.as_ref();
        let before = before.map_or(String::new(), |it| format!("; {it} the week before"));
        format!("{id} ({kind}): {metric} lies about {ratio} apart, {lies}{before}")
    }

    /// Names the policy with both its limits.
    #[must_use]
    pub fn policy(&self) -> String {
        match (&self.epsilon_policy_version, &self.soft, &self.hard) {
            (Some(policy), Some(soft), Some(hard)) => {
                format!("policy {policy}, soft {soft}, hard {hard}")
            }
            _ => "no policy".to_owned(),
        }
    }
}

impl Trigger {
    /// Says what becomes of it, and why.
    #[must_use]
    pub fn said(&self) -> String {
        let runs: Vec<String> = self.rests_on.iter().map(WatchedRun::said).collect();
        let runs = runs.join("; ");
        match (self.state, self.reason, self.untold) {
            (TriggerState::NotWatched, ..) => {
                "not watched: only what was cut over is, until its watch is over".to_owned()
            }
            (TriggerState::Stays, ..) => "stays: every series lies within its limits".to_owned(),
            (TriggerState::Amber, ..) => format!("AMBER, stays: {runs}"),
            (TriggerState::RollBack, Some(reason), _) => format!("ROLL BACK, {reason}: {runs}"),
            (_, _, Some(why)) if runs.is_empty() => format!("cannot tell: {}", why.meaning()),
            _ => format!("cannot tell: {runs}"),
        }
    }

    /// Says in one line what a rollback rests on: each run with its metric, and the policies' limits.
    #[must_use]
    pub fn grounds(&self) -> String {
        let of = |run: &WatchedRun| format!("{} ({})", run.said(), run.policy());
        let runs: Vec<String> = self.rests_on.iter().map(of).collect();
        runs.join("; ")
    }

    /// Tells whether the migration may stay as it is.
    #[must_use]
    pub const fn verdict(&self) -> Verdict {
        match self.state {
            TriggerState::Stays | TriggerState::Amber => Verdict::Pass,
            TriggerState::RollBack => Verdict::Fail,
            TriggerState::NotWatched | TriggerState::Inconclusive => Verdict::CannotTell,
        }
    }
}

/// States that the trigger says so, before a rule takes a migration back.
#[must_use]
pub fn may_trigger(trigger: &Trigger) -> Condition {
    Condition::holds(
        "triggered",
        trigger.state == TriggerState::RollBack,
        "govdeck",
        trigger.said(),
        "a rule takes back what lies above hard once, or above soft in two scheduled weeks in a row; people take back with \
         roll-back-migration",
    )
}
