//! Guarded writes, one file an action: propose → confirm → carry out.
//!
//! May import `canon`, `rules`, `clock`, `settings`, `signing` and `store`. Every action is one row of [`ENTRIES`], which the
//! command line, the console and the docs read. A [`Request`] can be made in three ways only: by confirming a
//! [`Proposal`], by rule, from the closed list [`ByRule`], or of a confirmed one that was [`PutAside`], with a signature
//! over its card; and [`carry_out`] is the only way to have it written.

mod ack_route;
mod add_key;
mod add_person;
mod answer_drill;
mod approve;
mod arm_console;
mod ask_approval;
mod asked;
mod bundle;
mod by_rule;
mod bypass_freeze;
mod card;
mod carry_out;
mod deactivate_person;
mod decide_run;
mod decline;
mod decline_route;
mod dictionary;
mod disarm_console;
mod drift;
mod end_approval;
mod entry;
mod escalate_block;
mod establish;
mod grant_role;
mod mark_sla;
mod migration;
mod note_block;
mod practise;
mod proposal;
mod propose_route;
mod put_aside;
mod reassign_block;
mod register_footer;
mod resolve_block;
mod revoke_key;
mod revoke_role;
mod set_attestation;
mod shared;
mod take_block;
mod week;
mod withdraw_block;
mod writing;

pub use bundle::BundleFinding;
pub use by_rule::ByRule;
pub use card::{ChangedField, ChangedRow};
pub use carry_out::{Outcome, carry_out, carry_out_in, check_sender, end_if_over};
pub use dictionary::{BindFinding, VarianceFinding};
pub use drift::explained;
pub use entry::{
    Asked, Draft, Entry, Field, Prepared, Required, Row, Second, Signing, Stop, Subject, Suggested,
};
pub use establish::Founding;
pub use migration::{About, FingerprintFinding, GateFinding, StepFinding};
pub use proposal::{Proposal, Request, propose, random_id};
pub use put_aside::PutAside;
pub use week::{Finding, Unplanned, diff_seen, window_run_id};

use crate::rules::Refusal;

/// Every action, once, in the order in which people read about them.
pub const ENTRIES: &[Entry] = &[
    entry::entry::<take_block::TakeBlock>(),
    entry::entry::<escalate_block::EscalateBlock>(),
    entry::entry::<note_block::NoteBlock>(),
    entry::entry::<reassign_block::ReassignBlock>(),
    entry::entry::<resolve_block::ResolveBlock>(),
    entry::entry::<withdraw_block::WithdrawBlock>(),
    entry::entry::<propose_route::ProposeRoute>(),
    entry::entry::<ack_route::AckRoute>(),
    entry::entry::<decline_route::DeclineRoute>(),
    entry::entry::<add_person::AddPerson>(),
    entry::entry::<deactivate_person::DeactivatePerson>(),
    entry::entry::<grant_role::GrantRole>(),
    entry::entry::<revoke_role::RevokeRole>(),
    entry::entry::<add_key::AddKey>(),
    entry::entry::<revoke_key::RevokeKey>(),
    entry::entry::<set_attestation::SetAttestation>(),
    entry::entry::<register_footer::RegisterFooter>(),
    entry::entry::<bypass_freeze::BypassFreeze>(),
    entry::entry::<week::RegisterSeries>(),
    entry::entry::<week::RetireSeries>(),
    entry::entry::<week::SkipWindow>(),
    entry::entry::<week::AckRun>(),
    entry::entry::<week::RevokeAck>(),
    entry::entry::<week::DeclareBootstrap>(),
    entry::entry::<week::AttachRemediation>(),
    entry::entry::<week::OverrideRun>(),
    entry::entry::<week::AcknowledgeIncident>(),
    entry::entry::<week::LeaveRed>(),
    entry::entry::<week::AnnexRun>(),
    entry::entry::<week::AdoptPolicy>(),
    entry::entry::<dictionary::ReleaseDictionary>(),
    entry::entry::<dictionary::RegisterBindQuery>(),
    entry::entry::<dictionary::RegisterAnnexView>(),
    entry::entry::<dictionary::PutFaq>(),
    entry::entry::<dictionary::RetireFaq>(),
    entry::entry::<bundle::RegisterBundle>(),
    entry::entry::<bundle::ApproveBundle>(),
    entry::entry::<bundle::MergeBundle>(),
    entry::entry::<bundle::ClaimBundleRun>(),
    entry::entry::<bundle::RollBackBundle>(),
    entry::entry::<bundle::SupersedeBundle>(),
    entry::entry::<migration::OpenMigration>(),
    entry::entry::<migration::StartDualWrite>(),
    entry::entry::<migration::CutOver>(),
    entry::entry::<migration::CloseMigration>(),
    entry::entry::<migration::RollBackMigration>(),
    entry::entry::<migration::CountersignMove>(),
    entry::entry::<migration::RegisterHourPlan>(),
    entry::entry::<migration::StartHour>(),
    entry::entry::<migration::BeginStep>(),
    entry::entry::<migration::AttestStep>(),
    entry::entry::<migration::HandOverHour>(),
    entry::entry::<migration::NotePostMortem>(),
    entry::entry::<migration::AbortHour>(),
    entry::entry::<migration::AttachMatrix>(),
    entry::entry::<migration::OverrideGate>(),
    entry::entry::<migration::RouteGate>(),
    entry::entry::<migration::RegisterAllowlist>(),
    entry::entry::<migration::ApproveAllowlist>(),
    entry::entry::<migration::RegisterPair>(),
    entry::entry::<migration::WithdrawPair>(),
    entry::entry::<migration::ProtectMetric>(),
    entry::entry::<migration::SetCalendar>(),
    entry::entry::<migration::CancelCalendar>(),
    entry::entry::<migration::CloseDeficiency>(),
    entry::entry::<migration::CloseRedeployTask>(),
    entry::entry::<approve::Approve>(),
    entry::entry::<decline::Decline>(),
    entry::entry::<arm_console::ArmConsole>(),
    entry::entry::<answer_drill::AnswerDrill>(),
    entry::entry::<decide_run::DecideRun>(),
    entry::entry::<mark_sla::MarkSla>(),
    entry::entry::<practise::Practise>(),
    entry::entry::<disarm_console::DisarmConsole>(),
    entry::entry::<end_approval::EndApproval>(),
    entry::entry::<week::PlanWindow>(),
    entry::entry::<week::StartRun>(),
    entry::entry::<week::FinishRun>(),
    entry::entry::<week::MissWindow>(),
    entry::entry::<dictionary::RecordBindProof>(),
    entry::entry::<dictionary::RecordVariance>(),
    entry::entry::<bundle::FinishBundleRun>(),
    entry::entry::<bundle::InterruptBundleRun>(),
    entry::entry::<migration::RecordGateEvidence>(),
    entry::entry::<migration::RecordFingerprint>(),
    entry::entry::<migration::OpenDeficiency>(),
    entry::entry::<migration::EndStep>(),
    entry::entry::<migration::TriggerRollback>(),
    entry::entry::<migration::RecordRehearsal>(),
    entry::entry::<migration::RehearseMove>(),
    entry::entry::<establish::Establish>(),
];

/// Finds an action by its verb, written with `_` or `-`.
pub fn find(verb: &str) -> Result<&'static Entry, Refusal> {
    let wanted = verb.replace('-', "_");
    ENTRIES
        .iter()
        .find(|entry| entry.verb == wanted)
        .ok_or_else(|| {
            let all: Vec<_> = ENTRIES.iter().map(Entry::name).collect();
            Refusal::new(
                format!("{verb:?} is no action"),
                format!("one of: {}", all.join(", ")),
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::people::Basis;
    use crate::rules::permission::{self, MATRIX};

    #[test]
    fn every_action_of_a_person_has_a_key_and_no_other_has_one() {
        for entry in ENTRIES {
            match entry.basis {
                Basis::Person => assert!(entry.key.is_ascii_lowercase(), "{}", entry.verb),
                Basis::Rule => assert_eq!(entry.key, ' ', "{}", entry.verb),
            }
        }
    }

    #[test]
    fn every_action_says_how_it_is_taken_back() {
        for entry in ENTRIES {
            let (way, rest) = entry
                .undo
                .split_once(": ")
                .expect("a way, and what to know");
            let is_action =
                find(way).is_ok_and(|other| other.basis == Basis::Person && other.name() == way);
            let is_said = ["cannot be undone", "by itself"].contains(&way);
            assert!(is_action || is_said, "{}: {way}", entry.verb);
            assert!(!rest.is_empty() && !rest.ends_with('.'), "{}", entry.verb);
        }
    }

    #[test]
    fn every_permission_is_an_action_but_the_asking_that_comes_by_itself() {
        let mut verbs: Vec<_> = ENTRIES.iter().map(|entry| entry.verb).collect();
        verbs.push(permission::ASK_APPROVAL.verb);
        verbs.sort_unstable();
        let mut listed: Vec<_> = MATRIX.iter().map(|permission| permission.verb).collect();
        listed.sort_unstable();
        assert_eq!(verbs, listed);
    }
}
