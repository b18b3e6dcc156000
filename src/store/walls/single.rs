//! What single tables need beyond their CHECKs and beyond what every table of their kind has.

/// The statement that a wall stands before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum On {
    Insert,
    Update,
    Delete,
}

impl On {
    pub(super) const fn sql(self) -> &'static str {
        match self {
            Self::Insert => "INSERT",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
        }
    }
}

/// Which databases need a wall.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Where {
    Both,
    Sqlite,
    Postgres,
}

pub(super) struct Wall {
    pub(super) table: &'static str,
    pub(super) on: &'static [On],
    pub(super) only: Where,
    pub(super) says: &'static str,
    pub(super) requires: &'static str,
}

pub(super) const fn wall(
    table: &'static str,
    on: &'static [On],
    says: &'static str,
    requires: &'static str,
) -> Wall {
    Wall {
        table,
        on,
        only: Where::Both,
        says,
        requires,
    }
}

pub(super) const WRITE: &[On] = &[On::Insert, On::Update];
/// The walls; what each says is what a person reads when they try.
pub(super) const WALLS: &[Wall] = &[
    wall(
        "governance_ledger",
        &[On::Insert],
        "the entry must follow the head",
        "NEW.seq = (SELECT seq + 1 FROM ledger_head) AND NEW.prev_hash = (SELECT hash FROM ledger_head)",
    ),
    wall(
        "governance_ledger",
        &[On::Insert],
        "a deployment is established once",
        "NEW.action <> 'establish' OR NEW.seq = 1",
    ),
    wall(
        "governance_ledger",
        &[On::Insert],
        "whoever writes is known and active, also where a rule decides",
        "NEW.seq = 1 OR EXISTS (SELECT 1 FROM person WHERE login = NEW.login AND active = TRUE)",
    ),
    wall(
        "governance_ledger",
        &[On::Insert],
        "the actor must be known and active",
        "NEW.seq = 1 OR EXISTS (SELECT 1 FROM person WHERE person_id = NEW.actor_id AND active = TRUE)",
    ),
    wall(
        "governance_ledger",
        &[On::Insert],
        "a service decides by rule, a human by person",
        "NEW.seq = 1 OR (SELECT kind FROM person WHERE person_id = NEW.actor_id) = CASE NEW.basis WHEN 'rule' THEN 'service' ELSE 'human' END",
    ),
    wall(
        "governance_ledger",
        &[On::Insert],
        "a person acts under their own login",
        "NEW.basis = 'rule' OR (SELECT login FROM person WHERE person_id = COALESCE(NEW.approved_by, NEW.actor_id)) = NEW.login",
    ),
    wall(
        "governance_ledger",
        &[On::Insert],
        "the second person is another active human, and never unattested but in a demo",
        "NEW.approved_by IS NULL OR (NEW.approved_by <> NEW.actor_id AND NEW.basis = 'person' \
         AND EXISTS (SELECT 1 FROM person WHERE person_id = NEW.approved_by AND kind = 'human' AND active = TRUE) \
         AND (NEW.attestation <> 'unattested' OR (SELECT environment FROM deployment) = 'demo'))",
    ),
    wall(
        "governance_ledger",
        &[On::Insert],
        "the second person says yes to what waits for it, in time and as it was proposed",
        "NEW.approved_by IS NULL OR EXISTS (SELECT 1 FROM approval_request a WHERE a.ticket = NEW.ticket AND a.status = 'waiting' \
         AND a.action = NEW.action AND a.proposed_by = NEW.actor_id AND a.target_kind = NEW.target_kind AND a.target_id = NEW.target_id \
         AND a.target_version = NEW.target_version AND a.state_hash = NEW.state_hash AND a.card_sha256 = NEW.card_sha256 \
         AND a.reason = NEW.reason AND a.proposed_at_utc <= NEW.at_utc AND NEW.at_utc < a.expires_at_utc \
         AND (SELECT MAX(at_utc) FROM governance_ledger) < a.expires_at_utc)",
    ),
    Wall {
        table: "governance_ledger",
        on: &[On::Insert],
        only: Where::Sqlite,
        says: "nothing but a key of theirs attests a person in a file",
        requires: "NEW.attestation = 'unattested' OR (NEW.attestation = 'signed' AND EXISTS (SELECT 1 FROM person_key k \
         WHERE k.person_id = COALESCE(NEW.approved_by, NEW.actor_id) AND k.revoked_at_utc IS NULL))",
    },
    Wall {
        table: "governance_ledger",
        on: &[On::Insert],
        only: Where::Postgres,
        says: "nothing but the login of the session and a key of theirs attests a person",
        requires: "NEW.attestation = 'login' OR (NEW.attestation = 'signed' AND EXISTS (SELECT 1 FROM person_key k \
         WHERE k.person_id = COALESCE(NEW.approved_by, NEW.actor_id) AND k.revoked_at_utc IS NULL))",
    },
    Wall {
        table: "governance_ledger",
        on: &[On::Insert],
        only: Where::Postgres,
        says: "the login must be that of the session",
        requires: "NEW.login = session_user",
    },
    wall(
        "ledger_change",
        &[On::Insert],
        "changes belong to the newest entry, and to no more rows than it says",
        "NEW.seq = (SELECT seq FROM ledger_head) AND (SELECT COUNT(*) FROM ledger_change WHERE seq = NEW.seq) \
         < (SELECT change_count FROM governance_ledger WHERE seq = NEW.seq)",
    ),
    wall(
        "ledger_artifact",
        &[On::Insert],
        "evidence belongs to the newest entry, and no more of it than it says",
        "NEW.seq = (SELECT seq FROM ledger_head) AND (SELECT COUNT(*) FROM ledger_artifact WHERE seq = NEW.seq) \
         < (SELECT evidence_count FROM governance_ledger WHERE seq = NEW.seq)",
    ),
    wall("ledger_head", &[On::Insert], "there is one head", "FALSE"),
    wall(
        "ledger_head",
        &[On::Update],
        "the head moves to the newest entry only",
        "NEW.seq = OLD.seq + 1 AND EXISTS (SELECT 1 FROM governance_ledger l WHERE l.seq = NEW.seq AND l.hash = NEW.hash AND l.at_utc = NEW.at_utc)",
    ),
    wall("ledger_head", &[On::Delete], "the head stays", "FALSE"),
    wall(
        "deployment",
        &[On::Update],
        "a demo stays a demo, and nothing else becomes one",
        "(NEW.environment = 'demo') = (OLD.environment = 'demo')",
    ),
    wall(
        "deployment",
        WRITE,
        "no entry makes a fork of a deployment",
        "NEW.environment <> 'rehearsal'",
    ),
    wall(
        "demo_clock",
        WRITE,
        "only the time of a demo can be bent",
        "(SELECT environment FROM deployment) = 'demo'",
    ),
    wall(
        "notification_outbox",
        &[On::Insert],
        "a message belongs to the newest entry",
        "NEW.ledger_seq = (SELECT seq FROM ledger_head)",
    ),
    wall(
        "notification_outbox",
        &[On::Update],
        "a message stays as it was written",
        "NEW.notification_id = OLD.notification_id AND NEW.idempotency_key = OLD.idempotency_key AND NEW.ledger_seq = OLD.ledger_seq \
         AND NEW.recipient_id = OLD.recipient_id AND NEW.subject = OLD.subject AND NEW.body = OLD.body",
    ),
    wall(
        "notification_outbox",
        &[On::Delete],
        "a message is never taken back",
        "FALSE",
    ),
    wall(
        "presence",
        WRITE,
        "the newest entry arms and disarms a console",
        "(NEW.armed_until_utc IS NOT DISTINCT FROM (SELECT o.armed_until_utc FROM presence o WHERE o.console_id = NEW.console_id) \
         AND (NEW.armed_until_utc IS NULL OR NEW.person_id = (SELECT o.person_id FROM presence o WHERE o.console_id = NEW.console_id))) \
         OR EXISTS (SELECT 1 FROM governance_ledger l WHERE l.seq = (SELECT seq FROM ledger_head) AND l.target_kind = 'console' \
         AND l.target_id = NEW.console_id AND l.login = NEW.login AND l.at_utc = NEW.seen_at_utc \
         AND l.action = CASE WHEN NEW.armed_until_utc IS NULL THEN 'disarm_console' ELSE 'arm_console' END)",
    ),
    wall(
        "presence",
        WRITE,
        "a person sits there under their own login",
        "NEW.login = (SELECT login FROM person WHERE person_id = NEW.person_id)",
    ),
    Wall {
        table: "presence",
        on: WRITE,
        only: Where::Postgres,
        says: "the login must be that of the session",
        requires: "NEW.login = session_user",
    },
    wall(
        "presence",
        &[On::Update],
        "a console keeps its id",
        "NEW.console_id = OLD.console_id",
    ),
    wall(
        "presence",
        &[On::Delete],
        "an armed console is not forgotten",
        "OLD.armed_until_utc IS NULL",
    ),
    wall(
        "person_role",
        WRITE,
        "a role is held by what a governance lead grants in the newest entry",
        "NEW.active = FALSE OR EXISTS (SELECT 1 FROM governance_ledger l WHERE l.seq = (SELECT seq FROM ledger_head) \
         AND (l.action = 'establish' OR (l.action = 'grant_role' AND l.actor_id = NEW.granted_by AND NEW.granted_by <> NEW.person_id)))",
    ),
    wall(
        "person_role",
        WRITE,
        "a service never holds signer",
        "NEW.role <> 'signer' OR (SELECT kind FROM person WHERE person_id = NEW.person_id) = 'human'",
    ),
    wall(
        "person",
        &[On::Update],
        "a person stays of their kind",
        "NEW.kind = OLD.kind",
    ),
    wall(
        "person_key",
        &[On::Insert],
        "a key starts valid, and belongs to a human",
        "NEW.revoked_at_utc IS NULL AND (SELECT kind FROM person WHERE person_id = NEW.person_id) = 'human' \
         AND EXISTS (SELECT 1 FROM governance_ledger l WHERE l.seq = (SELECT seq FROM ledger_head) AND l.action = 'add_key' \
         AND l.actor_id = NEW.person_id AND l.target_id = NEW.fingerprint)",
    ),
    wall(
        "person_key",
        &[On::Update],
        "a key is revoked once, and stays whose it is",
        "OLD.revoked_at_utc IS NULL AND NEW.revoked_at_utc IS NOT NULL AND NEW.person_id = OLD.person_id \
         AND NEW.public_key = OLD.public_key AND NEW.added_at_utc = OLD.added_at_utc \
         AND EXISTS (SELECT 1 FROM governance_ledger l WHERE l.seq = (SELECT seq FROM ledger_head) AND l.action = 'revoke_key' \
         AND l.actor_id = NEW.revoked_by AND l.target_id = NEW.fingerprint)",
    ),
    wall(
        "attestation_policy",
        WRITE,
        "a policy is what two humans agreed on in the newest entry",
        "EXISTS (SELECT 1 FROM governance_ledger l WHERE l.seq = (SELECT seq FROM ledger_head) AND l.action = 'set_attestation' \
         AND l.target_id = NEW.action_class AND l.actor_id = NEW.set_by AND l.approved_by = NEW.approved_by)",
    ),
    wall(
        "approval_request",
        &[On::Insert],
        "a proposal starts waiting, in the name of whoever asks in the newest entry",
        "NEW.status = 'waiting' AND EXISTS (SELECT 1 FROM governance_ledger l WHERE l.seq = (SELECT seq FROM ledger_head) \
         AND l.action = 'ask_approval' AND l.target_id = NEW.ticket AND l.actor_id = NEW.proposed_by AND l.attestation = NEW.attestation AND l.at_utc = NEW.proposed_at_utc)",
    ),
    wall(
        "approval_request",
        &[On::Update],
        "a proposal is answered once, and stays what it was",
        "OLD.status = 'waiting' AND NEW.status <> 'waiting' AND NEW.action = OLD.action AND NEW.target_kind = OLD.target_kind \
         AND NEW.target_id = OLD.target_id AND NEW.target_version = OLD.target_version AND NEW.asked = OLD.asked AND NEW.reason = OLD.reason \
         AND NEW.state_hash = OLD.state_hash AND NEW.card_sha256 = OLD.card_sha256 AND NEW.proposed_by = OLD.proposed_by \
         AND NEW.attestation = OLD.attestation AND NEW.proposed_at_utc = OLD.proposed_at_utc AND NEW.expires_at_utc = OLD.expires_at_utc AND NEW.roles_needed IS NOT DISTINCT FROM OLD.roles_needed",
    ),
    wall(
        "approval_request",
        &[On::Update],
        "whoever answers a proposal writes the newest entry",
        "EXISTS (SELECT 1 FROM governance_ledger l WHERE l.seq = (SELECT seq FROM ledger_head) AND CASE NEW.status \
         WHEN 'approved' THEN l.ticket = NEW.ticket AND l.approved_by = NEW.ended_by \
         WHEN 'declined' THEN l.action = 'decline' AND l.target_id = NEW.ticket AND l.actor_id = NEW.ended_by \
         WHEN 'withdrawn' THEN l.action = 'decline' AND l.target_id = NEW.ticket AND l.actor_id = NEW.ended_by \
         ELSE l.action = 'end_approval' AND l.target_id = NEW.ticket AND l.basis = 'rule' END)",
    ),
    wall(
        "block_reason_owner_route",
        WRITE,
        "a backup that is changed must be an active human",
        "(SELECT seq FROM ledger_head) = 1 OR EXISTS (SELECT 1 FROM person WHERE person_id = NEW.backup_owner_user_id AND kind = 'human' AND active = TRUE)",
    ),
    wall(
        "block_reason_owner_route",
        WRITE,
        "the owner must be an active human",
        "EXISTS (SELECT 1 FROM person WHERE person_id = NEW.owner_user_id AND kind = 'human' AND active = TRUE)",
    ),
    wall(
        "block_reason_owner_route",
        &[On::Update],
        "a route changes by what a signer acknowledges in the newest entry",
        "EXISTS (SELECT 1 FROM governance_ledger l JOIN route_change r ON r.route_change_id = l.target_id \
         WHERE l.seq = (SELECT seq FROM ledger_head) AND l.action = 'ack_route' AND r.status = 'acked' AND r.acked_by = l.actor_id \
         AND r.block_reason = NEW.block_reason AND r.owner_user_id = NEW.owner_user_id \
         AND r.backup_owner_user_id = NEW.backup_owner_user_id AND r.sla_first_response_minutes = NEW.sla_first_response_minutes)",
    ),
    wall(
        "route_change",
        &[On::Insert],
        "a change of route starts pending, in the name of whoever proposes it in the newest entry",
        "NEW.status = 'pending' AND EXISTS (SELECT 1 FROM governance_ledger l WHERE l.seq = (SELECT seq FROM ledger_head) \
         AND l.action = 'propose_route' AND l.target_id = NEW.route_change_id AND l.actor_id = NEW.proposed_by)",
    ),
    wall(
        "route_change",
        &[On::Update],
        "a change of route is answered once",
        "OLD.status = 'pending' AND NEW.status <> 'pending' AND NEW.proposed_by = OLD.proposed_by AND NEW.block_reason = OLD.block_reason \
         AND NEW.owner_user_id = OLD.owner_user_id AND NEW.backup_owner_user_id = OLD.backup_owner_user_id \
         AND NEW.owner_role = OLD.owner_role AND NEW.sla_first_response_minutes = OLD.sla_first_response_minutes \
         AND NEW.proposed_at_utc = OLD.proposed_at_utc AND EXISTS (SELECT 1 FROM governance_ledger l WHERE l.seq = (SELECT seq FROM ledger_head) \
         AND l.action = CASE NEW.status WHEN 'acked' THEN 'ack_route' ELSE 'decline_route' END \
         AND l.target_id = NEW.route_change_id AND l.actor_id = NEW.acked_by)",
    ),
    wall(
        "freeze_bypass",
        WRITE,
        "a bypass is what two humans agreed on in the newest entry",
        "(SELECT COUNT(*) FROM person WHERE kind = 'human' AND person_id IN (NEW.requested_by, NEW.approved_by)) = 2 \
         AND EXISTS (SELECT 1 FROM governance_ledger l WHERE l.seq = (SELECT seq FROM ledger_head) AND l.action = 'bypass_freeze' \
         AND l.target_id = NEW.freeze_bypass_id AND l.actor_id = NEW.requested_by AND l.approved_by = NEW.approved_by)",
    ),
];
