//! Who may write which entry, and what an entry may change, as the database itself sees it: made of the table of
//! permissions and of the list of what each action touches.

use crate::rules::attestation::ActionClass;
use crate::rules::people::{Basis, Role};
use crate::rules::permission::{self, MATRIX, Permission};

/// What a move of a migration changes.
const MOVES: &[&str] = &["dictionary_migration_state", "dictionary_migration_event"];
/// What a step of the hour changes.
const STEPS: &[&str] = &["cutover_hour", "cutover_step"];

/// What taking a migration back changes, its hour too where one runs.
const BACK: &[&str] = &[
    "dictionary_migration_state",
    "dictionary_migration_event",
    "cutover_hour",
    "cutover_step",
    "redeploy_task",
    "migration_notice",
];

/// The governed tables that an action changes; the answer to a proposal is changed by what was approved.
const TOUCHES: &[(&str, &[&str])] = &[
    ("take_block", &["publish_replay_audit"]),
    ("escalate_block", &["publish_replay_audit"]),
    ("note_block", &["publish_replay_audit"]),
    ("reassign_block", &["publish_replay_audit"]),
    ("resolve_block", &["publish_replay_audit"]),
    ("withdraw_block", &["publish_replay_audit"]),
    ("propose_route", &["route_change"]),
    ("ack_route", &["route_change", "block_reason_owner_route"]),
    ("decline_route", &["route_change"]),
    ("add_person", &["person"]),
    ("deactivate_person", &["person"]),
    ("grant_role", &["person_role"]),
    ("revoke_role", &["person_role"]),
    ("add_key", &["person_key"]),
    ("revoke_key", &["person_key"]),
    (
        "set_attestation",
        &["attestation_policy", "approval_request"],
    ),
    ("register_footer", &["footer_schema_registry"]),
    ("bypass_freeze", &["freeze_bypass", "approval_request"]),
    ("register_series", &["reconciliation_series"]),
    (
        "retire_series",
        &["reconciliation_series", "approval_request"],
    ),
    (
        "skip_window",
        &["reconciliation_window", "reconciliation_incident"],
    ),
    (
        "declare_bootstrap",
        &["bootstrap_declaration", "approval_request"],
    ),
    ("attach_remediation", &["remediation_evidence"]),
    ("acknowledge_incident", &["reconciliation_incident"]),
    (
        "leave_red",
        &["reconciliation_incident", "approval_request"],
    ),
    ("override_run", &["override_packet", "approval_request"]),
    ("annex_run", &["override_annex", "approval_request"]),
    ("ack_run", &["signer_ack"]),
    ("revoke_ack", &["signer_ack_revocation"]),
    ("adopt_policy", &["epsilon_policy", "approval_request"]),
    (
        "release_dictionary",
        &["dictionary_release", "metric_dictionary"],
    ),
    ("register_bind_query", &["bind_query"]),
    ("register_annex_view", &["partner_annex_view"]),
    ("put_faq", &["faq_rows"]),
    ("retire_faq", &["faq_rows"]),
    ("record_bind_proof", &["bind_proof"]),
    ("record_variance", &["variance_check"]),
    ("register_bundle", &["bundle", "bundle_plan"]),
    (
        "approve_bundle",
        &["bundle", "bundle_run", "approval_request"],
    ),
    ("merge_bundle", &["bundle", "bundle_run"]),
    ("claim_bundle_run", &["bundle_run"]),
    ("roll_back_bundle", &["bundle_run"]),
    ("supersede_bundle", &["bundle"]),
    ("finish_bundle_run", &["bundle", "bundle_run"]),
    ("interrupt_bundle_run", &["bundle_run"]),
    (
        "open_migration",
        &[
            "dictionary_migration_state",
            "dictionary_migration_event",
            "migration_evidence",
            "protected_metric",
        ],
    ),
    ("start_dual_write", MOVES),
    ("cutover", MOVES),
    (
        "close_migration",
        &[
            "dictionary_migration_state",
            "dictionary_migration_event",
            "cutover_hour",
            "cutover_step",
            "migration_signoff",
            "migration_complete_event",
        ],
    ),
    ("roll_back_migration", BACK),
    ("register_hour_plan", &["cutover_plan"]),
    ("start_hour", STEPS),
    ("begin_step", STEPS),
    ("attest_step", STEPS),
    ("end_step", STEPS),
    ("hand_over_hour", &["cutover_hour"]),
    (
        "note_post_mortem",
        &["cutover_hour", "cutover_step", "migration_notice"],
    ),
    ("abort_hour", BACK),
    ("trigger_rollback", BACK),
    ("countersign_move", &["dictionary_migration_event"]),
    ("attach_matrix", &["migration_evidence"]),
    ("override_gate", &["gate_override", "approval_request"]),
    ("route_gate", &["gate_owner_route"]),
    ("register_allowlist", &["exporter_allowlist"]),
    ("approve_allowlist", &["allowlist_approval"]),
    ("register_pair", &["dictionary_column_pair"]),
    ("withdraw_pair", &["dictionary_column_pair"]),
    ("protect_metric", &["protected_metric"]),
    ("set_calendar", &["calendar_window"]),
    ("cancel_calendar", &["calendar_window"]),
    ("record_gate_evidence", &["migration_evidence"]),
    ("record_rehearsal", &["migration_evidence"]),
    ("rehearse_move", MOVES),
    ("record_fingerprint", &["exporter_fingerprint"]),
    ("open_deficiency", &["deficiency"]),
    ("close_deficiency", &["deficiency"]),
    ("close_redeploy_task", &["redeploy_task"]),
    ("plan_window", &["reconciliation_window"]),
    ("start_run", &["reconciliation_window"]),
    (
        "finish_run",
        &[
            "reconciliation_window",
            "reconciliation_incident",
            "run_manifest",
        ],
    ),
    (
        "miss_window",
        &["reconciliation_window", "reconciliation_incident"],
    ),
    ("ask_approval", &["approval_request"]),
    ("approve", &[]),
    ("decline", &["approval_request"]),
    ("arm_console", &[]),
    ("decide_run", &["publish_snapshots", "publish_replay_audit"]),
    ("mark_sla", &["block_sla_mark"]),
    ("practise", &["drill_record"]),
    ("answer_drill", &["drill_record"]),
    ("disarm_console", &[]),
    ("end_approval", &["approval_request"]),
    (
        "establish",
        &[
            "deployment",
            "person",
            "person_role",
            "block_reason_owner_route",
        ],
    ),
];

/// Tells whether an action changes rows of a table at all.
pub(in crate::store) fn touches(verb: &str, table: &str) -> bool {
    TOUCHES
        .iter()
        .any(|(listed, tables)| *listed == verb && tables.contains(&table))
}

/// Returns what every new entry must meet: what each wall says, and what it requires.
pub(super) fn entry_walls() -> [(&'static str, String); 5] {
    [
        (
            "a rule decides only what is decided by rule",
            format!("NEW.basis <> 'rule' OR NEW.action IN ({})", by_rule()),
        ),
        (
            "a person does only what their roles allow",
            format!(
                "NEW.basis <> 'person' OR CASE NEW.action {} ELSE FALSE END",
                by_person()
            ),
        ),
        (
            "what needs two persons has two who hold its roles, and nothing else has",
            format!(
                "CASE NEW.action {} ELSE NEW.approved_by IS NULL END",
                by_two()
            ),
        ),
        (
            "the second person says yes to the roles that are asked for today",
            format!(
                "NEW.approved_by IS NULL OR NOT EXISTS (SELECT 1 FROM approval_request a WHERE a.ticket = NEW.ticket \
                 AND a.roles_needed IS DISTINCT FROM CASE a.action {} END)",
                lists_of_two()
            ),
        ),
        (
            "where the policy asks for a signature nothing less is enough",
            format!(
                "NEW.basis = 'rule' OR NEW.attestation = 'signed' OR (NEW.action = '{}' AND NOT EXISTS (SELECT 1 FROM person_key k \
                 WHERE k.person_id = NEW.actor_id AND k.revoked_at_utc IS NULL)) OR NOT EXISTS (SELECT 1 FROM attestation_policy p \
                 WHERE p.minimum = 'signed' AND p.action_class = CASE WHEN NEW.approved_by IS NOT NULL THEN '{}' ELSE CASE NEW.action {} END END)",
                permission::ADD_KEY.verb,
                ActionClass::Approval,
                classes()
            ),
        ),
    ]
}

/// Returns what every change must meet.
pub(super) fn change_wall() -> (&'static str, String) {
    let cases: Vec<_> = TOUCHES
        .iter()
        .filter(|(_, tables)| !tables.is_empty())
        .map(|(verb, tables)| format!("WHEN '{verb}' THEN NEW.table_name IN ({})", quoted(tables)))
        .collect();
    (
        "an action changes only its own tables",
        format!(
            "CASE (SELECT action FROM governance_ledger WHERE seq = NEW.seq) {} ELSE FALSE END",
            cases.join(" ")
        ),
    )
}

/// Returns what every new proposal must meet.
pub(super) fn proposal_walls() -> [(&'static str, String); 2] {
    let verbs: Vec<_> = needing_two().map(|permission| permission.verb).collect();
    [
        (
            "only what needs two persons waits for a second",
            format!("NEW.action IN ({})", quoted(&verbs)),
        ),
        (
            "a proposal keeps the roles that its action asks of the two",
            format!("NEW.roles_needed = CASE NEW.action {} END", lists_of_two()),
        ),
    ]
}

fn quoted(words: &[&str]) -> String {
    let words: Vec<_> = words.iter().map(|word| format!("'{word}'")).collect();
    words.join(", ")
}

fn needing_two() -> impl Iterator<Item = &'static Permission> {
    MATRIX.iter().filter(|permission| permission.needs_two())
}

fn of_basis(basis: Basis) -> impl Iterator<Item = &'static Permission> {
    MATRIX
        .iter()
        .filter(move |permission| permission.basis == basis)
}

fn by_rule() -> String {
    let verbs: Vec<_> = of_basis(Basis::Rule)
        .map(|permission| permission.verb)
        .collect();
    quoted(&verbs)
}

fn by_person() -> String {
    let cases: Vec<_> = of_basis(Basis::Person)
        .map(|permission| {
            let requires = match permission.roles {
                [] => "TRUE".to_owned(),
                roles => holds("NEW.actor_id", roles),
            };
            format!("WHEN '{}' THEN {requires}", permission.verb)
        })
        .collect();
    cases.join(" ")
}

fn by_two() -> String {
    let cases: Vec<_> = needing_two()
        .map(|permission| {
            let mut all = vec![holds("NEW.approved_by", permission.two)];
            all.extend(
                permission
                    .two
                    .iter()
                    .map(|role| holds("NEW.actor_id, NEW.approved_by", &[*role])),
            );
            format!("WHEN '{}' THEN {}", permission.verb, all.join(" AND "))
        })
        .collect();
    cases.join(" ")
}

fn lists_of_two() -> String {
    let cases: Vec<_> = needing_two()
        .map(|permission| {
            let list = permission::list_of(permission.two);
            format!("WHEN '{}' THEN '{list}'", permission.verb)
        })
        .collect();
    cases.join(" ")
}

fn classes() -> String {
    let cases: Vec<_> = of_basis(Basis::Person)
        .map(|permission| {
            format!(
                "WHEN '{}' THEN '{}'",
                permission.verb,
                ActionClass::of(permission)
            )
        })
        .collect();
    cases.join(" ")
}

fn holds(persons: &str, roles: &[Role]) -> String {
    let roles: Vec<_> = roles.iter().map(|role| role.word()).collect();
    format!(
        "EXISTS (SELECT 1 FROM person_role r WHERE r.person_id IN ({persons}) AND r.active = TRUE AND r.role IN ({}))",
        quoted(&roles)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tables::{Kind, table};

    #[test]
    fn what_every_action_touches_is_listed_once_and_governed() {
        let mut listed: Vec<_> = TOUCHES.iter().map(|(verb, _)| *verb).collect();
        let mut verbs: Vec<_> = MATRIX.iter().map(|permission| permission.verb).collect();
        listed.sort_unstable();
        verbs.sort_unstable();
        assert_eq!(listed, verbs);
        for name in TOUCHES.iter().flat_map(|(_, tables)| *tables) {
            let kind = table(name).map(|table| table.kind);
            assert_eq!(kind, Some(Kind::Governed), "{name}");
        }
        for permission in needing_two() {
            assert!(touches(permission.verb, "approval_request"));
        }
        assert!(!touches("take_block", "person_role"));
        assert!(!touches("made_up", "person"));
    }
}
