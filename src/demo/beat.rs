//! What a chapter is made of: at some second of the story, somebody does something.

use crate::actions::Asked;
use crate::clock::Moment;
use crate::rules::block::{BlockReason, SnapshotStatus};
use crate::rules::bundle_run::RunOutcome;
use crate::store::migration::Half;
use crate::store::publish::Snapshot;

use super::expansion::Making;

/// Something that happens at its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beat {
    /// How many seconds after the story's beginning.
    pub at: i64,
    /// What happens.
    pub deed: Deed,
}

/// What happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// A pipeline mints a run.
    Mint(Run),
    /// The gate decides a run.
    Decide(String),
    /// A person acts, if they may and it is still called for.
    Act {
        /// Who.
        who: &'static str,
        /// The action's verb.
        verb: &'static str,
        /// On what.
        asked: Asked,
        /// Why, as they write it.
        reason: &'static str,
        /// When it is called for.
        when: When,
    },
    /// A person answers the proposal about something, if it waits.
    Answer {
        /// Who; the proposer takes it back.
        who: &'static str,
        /// `approve` or `decline`.
        verb: &'static str,
        /// What was proposed, by its id.
        about: String,
        /// Why, as they write it.
        reason: &'static str,
    },
    /// A person acts, and names seconds of the story.
    Dated {
        /// Who.
        who: &'static str,
        /// The action's verb.
        verb: &'static str,
        /// On what, but for the seconds.
        asked: Asked,
        /// What is asked besides, each with its second.
        dates: Vec<(&'static str, i64)>,
        /// Why, as they write it.
        reason: &'static str,
    },
    /// The window of a series at a second of the story is planned.
    Plan {
        /// The series.
        series: &'static str,
        /// The second.
        window: i64,
    },
    /// Both sides that a manifest names are compared.
    Compare(String),
    /// The joins of the newest release of the dictionary, and of the one before, are run.
    Bind,
    /// A file lands below the governance root.
    Land {
        /// Where.
        path: &'static str,
        /// What is in it.
        text: String,
    },
    /// A pipeline writes the modern half of a pair, or forgets it.
    Fill(Half),
    /// Both halves of every pair are compared.
    Scan,
    /// Everything is looked at anew that gates rest on: joins, questions, protected metrics, the replay.
    Probe,
    /// The keys of the exports that landed are held against the allow-list of the phase.
    Fingerprint,
    /// Once exporters write the modern half alone, this is what they land, and its keys are looked at.
    Export(String),
    /// A person does something about a bundle that expands the dictionary.
    Expand {
        /// Who.
        who: &'static str,
        /// Which of the bundles, counted from none.
        bundle: usize,
        /// What.
        making: Making,
        /// Why, as they write it.
        reason: &'static str,
    },
    /// A person registers the plan of an hour, with every bundle that was made.
    PlanHour {
        /// Who.
        who: &'static str,
        /// The plan without its bundles.
        plan: String,
        /// Why, as they write it.
        reason: &'static str,
    },
    /// A person rehearses the hour on a fork.
    Rehearse {
        /// Who.
        who: &'static str,
    },
    /// A person acts on the run of a window.
    OnRun {
        /// Who.
        who: &'static str,
        /// The action's verb.
        verb: &'static str,
        /// The series.
        series: &'static str,
        /// The second of the window.
        window: i64,
        /// What is asked besides the run.
        asked: Asked,
        /// Why, as they write it.
        reason: &'static str,
    },
    /// A person claims the run of a bundle, which ends at once.
    RunBundle {
        /// Who.
        who: &'static str,
        /// What is asked of the claim.
        asked: Asked,
        /// How it ends.
        ends: RunOutcome,
        /// Why, as they write it.
        reason: &'static str,
    },
    /// A person agrees to what whoever has the seat proposed, once it has waited a little.
    Agree {
        /// Who.
        who: &'static str,
        /// Why, as they write it.
        reason: &'static str,
    },
}

impl Deed {
    /// Returns the person who does it; nobody where a pipeline or a rule does.
    #[must_use]
    pub fn who(&self) -> Option<&'static str> {
        match self {
            Self::Mint(_)
            | Self::Decide(_)
            | Self::Plan { .. }
            | Self::Compare(_)
            | Self::Bind
            | Self::Land { .. }
            | Self::Fill(_)
            | Self::Scan
            | Self::Fingerprint
            | Self::Export(_)
            | Self::Probe => None,
            Self::Act { who, .. }
            | Self::Answer { who, .. }
            | Self::Dated { who, .. }
            | Self::Expand { who, .. }
            | Self::PlanHour { who, .. }
            | Self::Rehearse { who }
            | Self::OnRun { who, .. }
            | Self::RunBundle { who, .. }
            | Self::Agree { who, .. } => Some(who),
        }
    }
}

/// When a person acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum When {
    /// Whatever happened.
    Always,
    /// While nobody has taken the block of this run.
    Untaken(String),
    /// Once every series was compared in the hour, a little later.
    Compared,
    /// Once one lead has taken a migration back alone, a little later.
    TakenBack,
}

/// A run as its pipeline mints it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Its id.
    pub id: String,
    /// Dashboard and audience.
    pub scope: &'static str,
    /// What is wrong with it, if anything is.
    pub flaw: Option<BlockReason>,
    /// Which rows its source has: the same number, the same rows.
    pub rows: u32,
}

/// A footer schema that is no longer the current one.
const OLD_FOOTER: &str = "v2.3.9";

impl Run {
    /// Writes the row that the pipeline would; `footer` is the current footer schema, `hashes` are those of the two sides.
    #[must_use]
    pub fn minted(
        &self,
        footer: Option<String>,
        hashes: [Option<String>; 2],
        now: Moment,
    ) -> Snapshot {
        let seconds = |count| now.as_datetime() - chrono::TimeDelta::seconds(count);
        let is = |flaw| self.flaw == Some(flaw);
        let [publish, source] = hashes;
        let number = self.id.split('-').nth(1).unwrap_or_default();
        Snapshot {
            publish_run_id: self.id.clone(),
            publish_scope: self.scope.to_owned(),
            freeze_id: format!("fz-{number}"),
            lift_id: format!("lf-{number}"),
            dry_run_id: format!("dr-{number}"),
            publish_tuple_hash: publish,
            source_tuple_hash: source,
            footer_schema_semver: if is(BlockReason::FooterSchemaDrift) {
                Some(OLD_FOOTER.to_owned())
            } else {
                footer
            },
            replay_parser_contract: Some("parser-3".to_owned()),
            epsilon_policy_version: Some("epsilon-1".to_owned()),
            source_ref: Some(format!("warehouse/{}", self.scope)),
            artifact_ref: Some(format!("exports/{}", self.id)),
            source_observed_at_utc: Some(seconds(1).into()),
            freeze_bypass_id: None,
            drill: false,
            status: SnapshotStatus::PendingGate,
            block_reason: None,
            created_at_utc: seconds(5).into(),
            decided_at_utc: None,
            version: 0,
        }
    }
}
