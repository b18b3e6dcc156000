//! The people of the still life: one of every kind, with keys, roles, and proposals that wait.

use govdeck::console::detail::{Asks, EntryDetail, PersonDetail};
use govdeck::console::picture::{Approval, Picture};
use govdeck::rules::approval::{ApprovalStatus, Part};
use govdeck::rules::attestation::ActionClass;
use govdeck::rules::people::{Attestation, Basis, PersonKind, Role};
use govdeck::store::approval::{ApprovalRequest, Waiting};
use govdeck::store::key::PersonKey;
use govdeck::store::people::Listed;
use govdeck::store::person::{Person, PersonRole};
use govdeck::store::policy::AttestationPolicy;
use govdeck::store::window::Window;

use super::still::{at, digest, entry, fill_entry};

/// A proposal of lee's, or of maya's own, that waits until a time of the day.
pub fn approval(target: &str, part: Part, expires: &str) -> Approval {
    let proposed_by = match part {
        Part::Second => "lee",
        Part::Proposer => "maya",
    };
    let request = ApprovalRequest {
        ticket: digest(target).to_string()[..32].to_owned(),
        action: "bypass_freeze".to_owned(),
        target_kind: "bypass".to_owned(),
        target_id: target.to_owned(),
        target_version: 0,
        asked: format!("[\"{target}\",{{}}]"),
        reason: "partners wait for the corrected figures".to_owned(),
        state_hash: digest("state"),
        card_sha256: digest(&format!("card of {target}")),
        proposed_by: proposed_by.to_owned(),
        attestation: Attestation::Login,
        proposed_at_utc: at("00:30:00"),
        expires_at_utc: at(expires),
        status: ApprovalStatus::Waiting,
        ended_by: None,
        ended_at_utc: None,
        ended_because: None,
        version: 1,
        roles_needed: Some(r#"["engineering_lead","governance_lead"]"#.to_owned()),
    };
    Approval {
        waiting: Waiting {
            request,
            asked_in: 211,
        },
        part,
    }
}

/// One that is over, two that wait for maya, and one of her own.
pub fn approvals() -> Vec<Approval> {
    vec![
        approval("chg-2280", Part::Second, "01:00:00"),
        approval("chg-2290", Part::Second, "03:01:30"),
        approval("chg-2295", Part::Second, "22:10:00"),
        approval("chg-2298", Part::Proposer, "23:00:00"),
    ]
}

fn listed(id: &str, name: &str, roles: &str, keys: i64, last: Option<&str>) -> Listed {
    Listed {
        person: Person {
            person_id: id.to_owned(),
            kind: PersonKind::Human,
            display_name: name.to_owned(),
            login: Some(id.to_owned()),
            active: true,
            created_at_utc: at("00:00:01"),
            version: 1,
        },
        roles: roles.to_owned(),
        valid_keys: keys,
        last_seq: last.map_or(0, |_| 213),
        last_at_utc: last.map(at),
    }
}

/// The list of people.
pub fn people() -> Window<Listed> {
    let mut gone = listed("ana", "Ana Duarte", "", 0, None);
    gone.person.active = false;
    gone.person.login = None;
    let mut service = listed("govdeck", "Rules", "", 0, Some("02:10:00"));
    service.person.kind = PersonKind::Service;
    let maya = "governance_lead on_call";
    Window {
        rows: vec![
            listed("maya", "Maya Ito", maya, 1, Some("01:55:00")),
            gone,
            service,
            listed("kim", "Kim Osei", "signer", 0, Some("01:40:00")),
            listed("lee", "Lee Park", "engineering_lead on_call", 2, None),
        ],
        more_before: false,
        more_after: false,
    }
}

/// Maya, with all that she holds.
pub fn person() -> PersonDetail {
    let role = |role, active| PersonRole {
        person_id: "maya".to_owned(),
        role,
        active,
        granted_by: "govdeck".to_owned(),
        granted_at_utc: at("00:00:01"),
        version: 1,
    };
    let key = |name: &str, revoked: Option<&str>| PersonKey {
        fingerprint: format!("SHA256:{name}HBSa+TImW+5JCeuQeRkm5NMpJWZG3hSuFU"),
        person_id: "maya".to_owned(),
        public_key: "ssh-ed25519 AAAA".to_owned(),
        added_at_utc: at("00:10:00"),
        revoked_at_utc: revoked.map(at),
        revoked_by: revoked.map(|_| "lee".to_owned()),
        version: 1,
    };
    PersonDetail {
        person_id: "maya".to_owned(),
        roles: vec![
            role(Role::GovernanceLead, true),
            role(Role::OnCall, true),
            role(Role::Signer, false),
        ],
        keys: vec![key("47DEQpj8", None), key("9fKlQq2x", Some("01:00:00"))],
        entries: vec![
            entry(
                213,
                "bypass_freeze",
                ("bypass", "chg-2291"),
                Basis::Person,
                "01:55:00",
            ),
            entry(
                211,
                "grant_role",
                ("person", "kim/on_call"),
                Basis::Person,
                "01:40:00",
            ),
        ],
    }
}

/// A policy that was decided, and three that are built in.
pub fn policies() -> Vec<Asks> {
    let decided = |class| AttestationPolicy {
        action_class: class,
        minimum: Attestation::Signed,
        set_by: "maya".to_owned(),
        approved_by: "lee".to_owned(),
        set_at_utc: at("00:20:00"),
        version: 1,
    };
    let asks = |class: &ActionClass| {
        let decided = (*class == ActionClass::Review).then(|| decided(*class));
        Asks {
            class: *class,
            minimum: decided
                .as_ref()
                .map_or(Attestation::Login, |policy| policy.minimum),
            decided,
        }
    };
    ActionClass::ALL.iter().map(asks).collect()
}

/// Puts one text into every column of the people of a picture that holds text.
pub fn fill(picture: &mut Picture, text: &str) {
    for (number, approval) in picture.approvals.iter_mut().enumerate() {
        let Waiting {
            request,
            asked_in: _,
        } = &mut approval.waiting;
        fill_request(request, number, text);
    }
    for (number, row) in picture.people.rows.iter_mut().enumerate() {
        fill_listed(row, number, text);
    }
    if let Some(detail) = &mut picture.person {
        let PersonDetail {
            person_id,
            roles,
            keys,
            entries,
        } = detail;
        // The first in the list, which is the one that is selected.
        *person_id = format!("0{text}");
        for role in roles {
            text.clone_into(&mut role.person_id);
            text.clone_into(&mut role.granted_by);
        }
        for key in keys {
            for place in [
                &mut key.fingerprint,
                &mut key.person_id,
                &mut key.public_key,
            ] {
                text.clone_into(place);
            }
            key.revoked_by = key.revoked_by.as_ref().map(|_| text.to_owned());
        }
        for entry in entries {
            fill_entry(entry, text);
        }
    }
    for policy in &mut picture.policies {
        if let Some(decided) = &mut policy.decided {
            text.clone_into(&mut decided.set_by);
            text.clone_into(&mut decided.approved_by);
        }
    }
}

fn fill_request(request: &mut ApprovalRequest, number: usize, text: &str) {
    let ApprovalRequest {
        ticket,
        action,
        target_kind,
        target_id,
        target_version: _,
        asked,
        reason,
        state_hash: _,
        card_sha256: _,
        proposed_by,
        attestation: _,
        proposed_at_utc: _,
        expires_at_utc: _,
        status: _,
        ended_by,
        ended_at_utc: _,
        ended_because,
        version: _,
        roles_needed,
    } = request;
    *ticket = format!("{number}{text}");
    for place in [action, target_kind, target_id, asked, reason, proposed_by] {
        text.clone_into(place);
    }
    *ended_by = Some(text.to_owned());
    *ended_because = Some(text.to_owned());
    *roles_needed = Some(text.to_owned());
}

fn fill_listed(row: &mut Listed, number: usize, text: &str) {
    let Listed {
        person,
        roles,
        valid_keys: _,
        last_seq: _,
        last_at_utc: _,
    } = row;
    let Person {
        person_id,
        kind: _,
        display_name,
        login,
        active: _,
        created_at_utc: _,
        version: _,
    } = person;
    *person_id = format!("{number}{text}");
    text.clone_into(roles);
    text.clone_into(display_name);
    *login = Some(text.to_owned());
}

/// Puts one text into what is filed with an entry.
pub fn fill_filed(detail: &mut EntryDetail, text: &str) {
    let json = serde_json::to_string(text).expect("JSON");
    detail.proposed = Some(Ok(format!(
        "{{\"action\":{json},\"target_kind\":{json},\"target_id\":{json},\"changes\":\
         [{{\"fields\":[{{\"field\":{json},\"before\":{json},\"after\":{json}}}]}}]}}"
    )));
    detail.approval = Some(Ok(format!(
        "{{\"approved_by\":{json},\"attestation\":{json},\"reason\":{json}}}"
    )));
    detail.signature = Some(Err(text.to_owned()));
}
