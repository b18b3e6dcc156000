//! Who may do what: one table of actions, with the roles that each asks for.
//!
//! The registry of actions, the walls in the database and the documentation all read this table, so that a rule about
//! who may act is written once.

use super::guard::Level;
use super::people::{Basis, Role};

/// What one action asks of whoever does it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permission {
    /// The verb, as the ledger writes it.
    pub verb: &'static str,
    /// Whether a person or a rule decides it.
    pub basis: Basis,
    /// How much is asked of whoever does it.
    pub level: Level,
    /// The roles of which the actor must hold one; none where it is not a role that decides.
    pub roles: &'static [Role],
    /// What decides besides the roles, in words; empty where nothing does.
    pub besides: &'static str,
    /// The roles that the actor and a second person must hold between them; none where one person is enough.
    pub two: &'static [Role],
}

impl Permission {
    const fn person(verb: &'static str, level: Level, roles: &'static [Role]) -> Self {
        Self {
            verb,
            basis: Basis::Person,
            level,
            roles,
            besides: "",
            two: &[],
        }
    }

    const fn rule(verb: &'static str) -> Self {
        Self {
            basis: Basis::Rule,
            ..Self::person(verb, Level::Look, &[])
        }
    }

    const fn besides(self, besides: &'static str) -> Self {
        Self { besides, ..self }
    }

    const fn of_two(self, two: &'static [Role]) -> Self {
        Self { two, ..self }
    }

    /// Tells whether one person is not enough.
    #[must_use]
    pub const fn needs_two(&self) -> bool {
        !self.two.is_empty()
    }
}

/// Every role but `viewer`.
pub const ACTING: &[Role] = &[
    Role::GovernanceLead,
    Role::EngineeringLead,
    Role::OpsLead,
    Role::AnalyticsOwner,
    Role::DataEngineer,
    Role::ExporterMaintainer,
    Role::FaqEditor,
    Role::OnCall,
    Role::Signer,
];

/// Who sees to it that a run that did not pass is remedied.
const REMEDIATORS: &[Role] = &[
    Role::GovernanceLead,
    Role::OpsLead,
    Role::AnalyticsOwner,
    Role::DataEngineer,
    Role::OnCall,
];

/// Who builds what changes rebuildable stores, and answers for it in the code.
const BUILDERS: &[Role] = &[Role::GovernanceLead, Role::OpsLead, Role::DataEngineer];

/// Who runs such a change.
const RUNNERS: &[Role] = &[Role::OpsLead, Role::DataEngineer];

/// Who looks after the fact at what one lead did alone.
const COUNTERSIGNERS: &[Role] = &[Role::GovernanceLead, Role::EngineeringLead, Role::OpsLead];

/// Who writes what leaves an exporter.
const EXPORTERS: &[Role] = &[Role::DataEngineer, Role::ExporterMaintainer];
/// Who says that exporters were deployed anew.
const DEPLOYERS: &[Role] = &[Role::GovernanceLead, Role::ExporterMaintainer];
/// Who says that something amiss was seen to.
const MENDERS: &[Role] = &[Role::GovernanceLead, Role::DataEngineer];

const LEAD: &[Role] = &[Role::GovernanceLead];

macro_rules! permissions {
    ($($name:ident = $permission:expr;)+) => {
        $(
            #[doc = concat!("What `", stringify!($name), "` asks, in lower case.")]
            pub const $name: Permission = $permission;
        )+
        /// Every action, once.
        pub const MATRIX: &[Permission] = &[$($name),+];
    };
}

permissions! {
    TAKE_BLOCK = Permission::person("take_block", Level::Confirm, &[])
        .besides("the block's owner or backup");
    ESCALATE_BLOCK = Permission::person("escalate_block", Level::Confirm, &[])
        .besides("the block's owner, an on_call or a governance_lead");
    NOTE_BLOCK = Permission::person("note_block", Level::Confirm, &[])
        .besides("whoever took the block, its owner or backup");
    REASSIGN_BLOCK = Permission::person("reassign_block", Level::Review, &[])
        .besides("the block's owner, or a governance_lead; nobody has taken it");
    RESOLVE_BLOCK = Permission::person("resolve_block", Level::Review, &[])
        .besides("the block's owner or backup, or a governance_lead");
    WITHDRAW_BLOCK = Permission::person("withdraw_block", Level::Review, &[])
        .besides("the block's owner or backup, or a governance_lead");
    PROPOSE_ROUTE = Permission::person("propose_route", Level::Review, LEAD)
        .besides("one change waits for each reason");
    ACK_ROUTE = Permission::person("ack_route", Level::Review, &[Role::Signer])
        .besides("another than who proposed the change");
    DECLINE_ROUTE = Permission::person("decline_route", Level::Review, &[Role::Signer])
        .besides("another than who proposed the change");
    ADD_PERSON = Permission::person("add_person", Level::Review, LEAD);
    DEACTIVATE_PERSON = Permission::person("deactivate_person", Level::Review, LEAD)
        .besides("nobody deactivates themselves");
    GRANT_ROLE = Permission::person("grant_role", Level::Review, LEAD)
        .besides("nobody grants a role to themselves");
    REVOKE_ROLE = Permission::person("revoke_role", Level::Review, LEAD)
        .besides("the last active governance lead stays");
    ADD_KEY = Permission::person("add_key", Level::Review, &[])
        .besides("everybody for themselves");
    REVOKE_KEY = Permission::person("revoke_key", Level::Review, &[])
        .besides("the key's person, or a governance_lead");
    SET_ATTESTATION = Permission::person("set_attestation", Level::Phrase, LEAD)
        .of_two(&[Role::GovernanceLead]);
    REGISTER_FOOTER = Permission::person("register_footer", Level::Review, LEAD);
    BYPASS_FREEZE = Permission::person("bypass_freeze", Level::Phrase, ACTING)
        .of_two(&[Role::GovernanceLead, Role::EngineeringLead]);
    REGISTER_SERIES = Permission::person("register_series", Level::Review, LEAD)
        .besides("windows that were planned stay");
    RETIRE_SERIES = Permission::person("retire_series", Level::Phrase, ACTING)
        .of_two(&[Role::GovernanceLead, Role::AnalyticsOwner]);
    SKIP_WINDOW = Permission::person("skip_window", Level::Review, &[])
        .besides("a governance_lead, ops_lead, data_engineer or on_call, before anybody begins");
    DECLARE_BOOTSTRAP = Permission::person("declare_bootstrap", Level::Phrase, ACTING)
        .of_two(&[Role::GovernanceLead]);
    ATTACH_REMEDIATION = Permission::person("attach_remediation", Level::Review, REMEDIATORS);
    ACKNOWLEDGE_INCIDENT = Permission::person("acknowledge_incident", Level::Confirm, REMEDIATORS);
    LEAVE_RED = Permission::person("leave_red", Level::Phrase, ACTING)
        .of_two(&[Role::GovernanceLead, Role::AnalyticsOwner]);
    OVERRIDE_RUN = Permission::person("override_run", Level::Phrase, ACTING)
        .of_two(&[Role::GovernanceLead, Role::AnalyticsOwner]);
    ANNEX_RUN = Permission::person("annex_run", Level::Phrase, ACTING)
        .of_two(&[Role::GovernanceLead, Role::EngineeringLead]);
    ACK_RUN = Permission::person("ack_run", Level::Review, &[Role::Signer])
        .besides("another than who ran or overrode it");
    REVOKE_ACK = Permission::person("revoke_ack", Level::Review, &[])
        .besides("the signer, or a governance_lead");
    ADOPT_POLICY = Permission::person("adopt_policy", Level::Phrase, ACTING)
        .of_two(&[Role::GovernanceLead, Role::AnalyticsOwner]);
    RELEASE_DICTIONARY = Permission::person("release_dictionary", Level::Review, &[Role::AnalyticsOwner])
        .besides("an id never comes to mean something else");
    REGISTER_BIND_QUERY = Permission::person("register_bind_query", Level::Review, &[Role::DataEngineer])
        .besides("about a release that is there");
    REGISTER_ANNEX_VIEW = Permission::person("register_annex_view", Level::Review, &[Role::DataEngineer])
        .besides("a version is registered once");
    PUT_FAQ = Permission::person("put_faq", Level::Review, &[Role::FaqEditor])
        .besides("about a metric of the dictionary");
    RETIRE_FAQ = Permission::person("retire_faq", Level::Review, &[Role::FaqEditor])
        .besides("while it is shown");
    REGISTER_BUNDLE = Permission::person("register_bundle", Level::Review, BUILDERS)
        .besides("what was approved is registered no other way");
    APPROVE_BUNDLE = Permission::person("approve_bundle", Level::Phrase, ACTING)
        .besides("the plan that is registered, once for each run")
        .of_two(&[Role::GovernanceLead, Role::DataEngineer]);
    MERGE_BUNDLE = Permission::person("merge_bundle", Level::Review, BUILDERS)
        .besides("after two people agreed on it");
    CLAIM_BUNDLE_RUN = Permission::person("claim_bundle_run", Level::Phrase, RUNNERS)
        .besides("an approval of the very plan, which it consumes");
    ROLL_BACK_BUNDLE = Permission::person("roll_back_bundle", Level::Phrase, RUNNERS)
        .besides("what was made there, the last environment first");
    SUPERSEDE_BUNDLE = Permission::person("supersede_bundle", Level::Review, &[Role::GovernanceLead])
        .besides("a later bundle that was merged takes its place");
    OPEN_MIGRATION = Permission::person("open_migration", Level::Review, &[Role::GovernanceLead, Role::DataEngineer])
        .besides("two releases of one major version, and an impact matrix");
    START_DUAL_WRITE = Permission::person("start_dual_write", Level::Phrase, LEAD)
        .besides("every gate before it holds");
    CUT_OVER = Permission::person("cutover", Level::Phrase, LEAD)
        .besides("every gate before it holds");
    CLOSE_MIGRATION = Permission::person("close_migration", Level::Phrase, LEAD)
        .besides("another than whoever flipped it");
    ROLL_BACK_MIGRATION = Permission::person("roll_back_migration", Level::Phrase, LEAD)
        .besides("alone, and a second person countersigns");
    COUNTERSIGN_MOVE = Permission::person("countersign_move", Level::Review, COUNTERSIGNERS)
        .besides("another than whoever did it");
    REGISTER_HOUR_PLAN = Permission::person("register_hour_plan", Level::Review, &[Role::GovernanceLead, Role::DataEngineer])
        .besides("while no hour runs");
    START_HOUR = Permission::person("start_hour", Level::Phrase, LEAD)
        .besides("every gate before the cutover holds, but what only the hour brings");
    BEGIN_STEP = Permission::person("begin_step", Level::Review, LEAD)
        .besides("whoever leads the hour; steps follow each other");
    ATTEST_STEP = Permission::person("attest_step", Level::Review, LEAD)
        .besides("whoever leads the hour; what the plan leaves to people");
    HAND_OVER_HOUR = Permission::person("hand_over_hour", Level::Review, LEAD)
        .besides("whoever leads the hour, or whoever takes it");
    NOTE_POST_MORTEM = Permission::person("note_post_mortem", Level::Review, LEAD)
        .besides("any lead, once it is closed");
    ABORT_HOUR = Permission::person("abort_hour", Level::Phrase, LEAD)
        .besides("any lead, alone; a second person countersigns what went back");
    ATTACH_MATRIX = Permission::person("attach_matrix", Level::Review, &[Role::GovernanceLead, Role::AnalyticsOwner]);
    OVERRIDE_GATE = Permission::person("override_gate", Level::Phrase, ACTING)
        .besides("never G1, G2, D1, D3 or D4")
        .of_two(&[Role::GovernanceLead, Role::EngineeringLead]);
    ROUTE_GATE = Permission::person("route_gate", Level::Review, LEAD);
    REGISTER_ALLOWLIST = Permission::person("register_allowlist", Level::Review, EXPORTERS)
        .besides("of a phase of this migration");
    APPROVE_ALLOWLIST = Permission::person("approve_allowlist", Level::Review, ACTING)
        .besides("another human than its author, who holds any role that acts");
    REGISTER_PAIR = Permission::person("register_pair", Level::Review, EXPORTERS)
        .besides("before the cutover");
    WITHDRAW_PAIR = Permission::person("withdraw_pair", Level::Review, EXPORTERS)
        .besides("before the cutover");
    PROTECT_METRIC = Permission::person("protect_metric", Level::Review, &[Role::GovernanceLead, Role::AnalyticsOwner]);
    SET_CALENDAR = Permission::person("set_calendar", Level::Review, &[Role::GovernanceLead, Role::OpsLead]);
    CANCEL_CALENDAR = Permission::person("cancel_calendar", Level::Review, &[Role::GovernanceLead, Role::OpsLead]);
    CLOSE_DEFICIENCY = Permission::person("close_deficiency", Level::Review, MENDERS)
        .besides("while it is open");
    CLOSE_REDEPLOY_TASK = Permission::person("close_redeploy_task", Level::Review, DEPLOYERS)
        .besides("after a rollback, once");
    ASK_APPROVAL = Permission::person("ask_approval", Level::Phrase, ACTING)
        .besides("whoever proposes what needs two");
    APPROVE = Permission::person("approve", Level::Phrase, ACTING)
        .besides("another human than the proposer, who holds one of the roles asked for");
    DECLINE = Permission::person("decline", Level::Review, ACTING)
        .besides("whoever could approve; the proposer takes it back");
    ARM_CONSOLE = Permission::person("arm_console", Level::Confirm, ACTING)
        .besides("a console that nobody else has armed");
    ANSWER_DRILL = Permission::person("answer_drill", Level::Confirm, ACTING)
        .besides("a drill that nobody has answered");
    DECIDE_RUN = Permission::rule("decide_run");
    MARK_SLA = Permission::rule("mark_sla");
    PRACTISE = Permission::rule("practise");
    DISARM_CONSOLE = Permission::rule("disarm_console");
    END_APPROVAL = Permission::rule("end_approval");
    PLAN_WINDOW = Permission::rule("plan_window");
    START_RUN = Permission::rule("start_run");
    FINISH_RUN = Permission::rule("finish_run");
    MISS_WINDOW = Permission::rule("miss_window");
    RECORD_BIND_PROOF = Permission::rule("record_bind_proof");
    RECORD_VARIANCE = Permission::rule("record_variance");
    FINISH_BUNDLE_RUN = Permission::rule("finish_bundle_run");
    INTERRUPT_BUNDLE_RUN = Permission::rule("interrupt_bundle_run");
    RECORD_GATE_EVIDENCE = Permission::rule("record_gate_evidence");
    RECORD_REHEARSAL = Permission::rule("record_rehearsal");
    REHEARSE_MOVE = Permission::rule("rehearse_move");
    END_STEP = Permission::rule("end_step");
    RECORD_FINGERPRINT = Permission::rule("record_fingerprint");
    OPEN_DEFICIENCY = Permission::rule("open_deficiency");
    TRIGGER_ROLLBACK = Permission::rule("trigger_rollback");
    ESTABLISH = Permission::rule("establish");
}

/// How much of an action somebody can do by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// All of it.
    Alone,
    /// They propose it; another one agrees.
    Proposes,
    /// They propose it, or agree to what another one proposed.
    ProposesOrAgrees,
}

/// Tells how much of an action a human with these roles can do; nothing where another role is asked for.
#[must_use]
pub fn share_of(permission: &Permission, held: &[Role]) -> Option<Share> {
    let one_of = |roles: &[Role]| roles.iter().any(|role| held.contains(role));
    let is_open = permission.roles.is_empty() || one_of(permission.roles);
    if permission.basis == Basis::Rule || !is_open {
        None
    } else if !permission.needs_two() {
        Some(Share::Alone)
    } else if one_of(permission.two) {
        Some(Share::ProposesOrAgrees)
    } else {
        Some(Share::Proposes)
    }
}

/// Finds what an action asks.
#[must_use]
pub fn of(verb: &str) -> Option<&'static Permission> {
    MATRIX.iter().find(|permission| permission.verb == verb)
}

/// Tells whether two persons hold all roles between them, and the second at least one of them.
#[must_use]
pub fn cover(needed: &[Role], first: &[Role], second: &[Role]) -> bool {
    let holds = |roles: &[Role], role: &Role| roles.contains(role);
    needed
        .iter()
        .all(|role| holds(first, role) || holds(second, role))
        && needed.iter().any(|role| holds(second, role))
}

/// Writes roles as the canonical JSON list of their words, in the order of the words.
#[must_use]
pub fn list_of(roles: &[Role]) -> String {
    let mut words: Vec<_> = roles
        .iter()
        .map(|role| format!("\"{}\"", role.word()))
        .collect();
    words.sort_unstable();
    words.dedup();
    format!("[{}]", words.join(","))
}

/// Reads such a list, in the order in which roles are named everywhere; none where it is written otherwise, or names a role
/// that there is not.
#[must_use]
pub fn roles_in(list: &str) -> Option<Vec<Role>> {
    let words: Vec<String> = serde_json::from_str(list).ok()?;
    let roles: Option<Vec<Role>> = words.iter().map(|word| word.parse().ok()).collect();
    let mut roles = roles.filter(|roles| list_of(roles) == list)?;
    roles.sort_unstable();
    Some(roles)
}

#[cfg(test)]
mod tests;
