//! What has become due: a move that one lead made alone, and that nobody countersigned in time, becomes somebody's task; and
//! what lies too far apart since its flip is taken back.

use serde::Serialize;

use super::trigger::{self, Triggered};
use crate::actions::{About, ByRule, Request, Stop, random_id};
use crate::rules::migration::MadeAlone;
use crate::store::{Store, migration};

/// What was done.
#[derive(Debug, Clone, Serialize)]
pub struct Due {
    /// Deficiencies that were opened.
    pub opened: Vec<Opened>,
    /// What the trigger said of each migration that is watched.
    pub triggered: Vec<Triggered>,
}

/// A deficiency that was opened for a move.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Opened {
    /// Its id.
    pub deficiency_id: String,
    /// The migration.
    pub migration_id: String,
    /// The move's number.
    pub event_no: i64,
    /// Who made it.
    pub moved_by: String,
}

/// Does what is due; what somebody else does meanwhile is done.
pub async fn run(store: &Store) -> Result<Due, Stop> {
    let mut view = store.view().await?;
    let now = view.now();
    let waiting = migration::uncountersigned(&mut view).await?;
    drop(view);
    let is_due = |at| {
        let made = MadeAlone {
            at,
            waits: true,
            is_told: false,
        };
        made.is_overdue(now)
    };
    let mut opened = Vec::new();
    for event in waiting.into_iter().filter(|it| is_due(it.happened_at_utc)) {
        let new = Opened {
            deficiency_id: random_id()?,
            migration_id: event.migration_id,
            event_no: event.event_no,
            moved_by: event.moved_by,
        };
        let request = Request::by_rule(ByRule::OpenDeficiency {
            deficiency: new.deficiency_id.clone(),
            migration: new.migration_id.clone(),
            about: About::Move(new.event_no),
        })?;
        match super::done(store, request).await {
            Ok(_) => opened.push(new),
            Err(Stop::Refused(refusal)) => {
                tracing::info!(migration = new.migration_id, %refusal, "no deficiency was opened");
            }
            Err(stop) => return Err(stop),
        }
    }
    let triggered = trigger::run(store).await?;
    Ok(Due { opened, triggered })
}
