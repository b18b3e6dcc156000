//! A picture's hour of a cutover that never changes.

use govdeck::console::migration_sight::HourSight;
use govdeck::rules::migration::Phase;
use govdeck::rules::migration::hour::{HourStatus, Step, StepState, read_plan};
use govdeck::store::migration::{Hour, HourStep, KnownHour};
use serde_json::json;

use super::hour_story;
use super::still::{at, digest};
use super::still_migration::{ID, migration};

fn step(step: Step) -> HourStep {
    let (state, began, ended, attempt, detail) = match step {
        Step::Announce => (
            StepState::Done,
            Some("01:40:00"),
            Some("01:41:00"),
            1,
            Some("the banner is up"),
        ),
        Step::Golden => (
            StepState::DoneWithWarning,
            Some("01:56:30"),
            Some("01:57:40"),
            2,
            Some("2 exports frozen in migrations/mig-2026-05-14/golden_before"),
        ),
        Step::Flip => (
            StepState::Failed,
            Some("02:05:00"),
            Some("02:07:00"),
            1,
            Some("deploy-exporters ended with 7: profile quest-2 is not known"),
        ),
        _ => (StepState::NotStarted, None, None, 0, None),
    };
    HourStep {
        migration_id: ID.to_owned(),
        hour_no: 1,
        step,
        state,
        attempt,
        owner_id: began.map(|_| "maya".to_owned()),
        began_at_utc: began.map(at),
        ended_at_utc: ended.map(at),
        detail: detail.map(str::to_owned),
        evidence_sha256: ended.map(|_| digest(step.word()).to_string()),
        version: 1,
    }
}

/// The hour, with a step that has failed.
pub fn sight() -> HourSight {
    let mut plan = hour_story::plan();
    plan["migration_id"] = json!(ID);
    plan["deploy"] = json!({"command": "deploy-exporters", "minutes": 10});
    HourSight {
        migration: migration(ID, Phase::Cutover, 2),
        plan: read_plan(plan.to_string().as_bytes()).ok(),
        hour: Some(KnownHour {
            hour: Hour {
                migration_id: ID.to_owned(),
                hour_no: 1,
                status: HourStatus::Running,
                lead_id: "maya".to_owned(),
                plan_sha256: digest("plan").to_string(),
                begun_by: "maya".to_owned(),
                begun_at_utc: at("01:40:00"),
                ended_by: None,
                ended_at_utc: None,
                version: 7,
            },
            steps: Step::ALL.iter().map(|it| step(*it)).collect(),
        }),
    }
}

/// Puts one text into every column that holds text.
pub fn fill(sight: &mut HourSight, text: &str) {
    let HourSight {
        migration,
        plan: _,
        hour,
    } = sight;
    migration.migration_id = text.to_owned();
    let Some(KnownHour { hour, steps }) = hour else {
        return;
    };
    hour.lead_id = text.to_owned();
    for step in steps {
        step.owner_id = step.owner_id.as_ref().map(|_| text.to_owned());
        step.detail = Some(text.to_owned());
    }
}
