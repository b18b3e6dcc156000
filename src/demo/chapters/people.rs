//! Who is there: the founder adds the others before anybody takes a seat.

use std::ops::Range;

use crate::actions::Asked;

use super::super::beat::{Beat, Deed, When};

/// The governance lead, who founds the deployment and owns every block.
pub const LEAD: &str = "maya";
/// On call, the backup of every block, and the engineering lead: the other one of two.
pub const BACKUP: &str = "lee";
/// On call in operations, who looks after blocks that nobody answers.
pub const OPERATIONS: &str = "ops.kim";
/// The service that mints runs and asks the gate.
pub const PIPELINE: &str = "pipeline";

/// Everybody whose seat can be taken.
pub const SEATS: &[&str] = &[LEAD, BACKUP, "kim", OPERATIONS, "ana"];

/// Says who somebody is, and what waits for them in the story.
#[must_use]
pub fn task(seat: &str) -> &'static str {
    match seat {
        LEAD => "governance lead: your blocks wait for you",
        BACKUP => "on call: what is escalated waits for you",
        OPERATIONS => "on call: escalate what nobody answers",
        "kim" => "a signer: weekly numbers wait for your name",
        _ => "an analytics owner: weekly policies are yours; look around",
    }
}

/// Says which keys to try first from a seat.
#[must_use]
pub fn tries(seat: &str) -> &'static str {
    match seat {
        "kim" | "ana" => "Try: 5 the weekly numbers, a what can be done and why not, * a tour.",
        _ => "Try: 4 the stopped runs, a what can be done and why not, * a tour.",
    }
}

/// When everybody is there; before that, the founder acts even though somebody has their seat.
pub const READY: i64 = 60;

const REASON: &str = "the team is set up for the demo";

/// Adds people and roles, and registers the footer schema.
#[must_use]
pub fn beats(_seed: u32, _seconds: &Range<i64>) -> Vec<Beat> {
    let person = |id: &str, name: &str| ("add_person", Asked::of(id).with("name", name));
    let role = |id: &str, role: &str| ("grant_role", Asked::of(id).with("role", role));
    let service = person(PIPELINE, "Publish pipelines");
    let deeds = [
        person("kim", "Kim Osei"),
        role("kim", "signer"),
        person(OPERATIONS, "Kim Adeyemi"),
        role(OPERATIONS, "on_call"),
        person("ana", "Ana Duarte"),
        role("ana", "analytics_owner"),
        (
            service.0,
            service.1.with("kind", "service").with("login", PIPELINE),
        ),
        ("register_footer", Asked::of("v2.4.0")),
        role(BACKUP, "engineering_lead"),
    ];
    (0..)
        .zip(deeds)
        .map(|(place, (verb, asked))| Beat {
            at: place * 5,
            deed: Deed::Act {
                who: LEAD,
                verb,
                asked,
                reason: REASON,
                when: When::Always,
            },
        })
        .collect()
}
