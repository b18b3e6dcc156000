//! What has become due: a move that one lead made alone, and that nobody countersigned in time, becomes somebody's task; and
//! what lies too far apart since its flip is taken back.

use serde::Serialize;

use super::trigger::{self, Triggered};
use crate::actions::{About, ByRule, Request, Stop, random_id};
use crate::clock::Moment;
use crate::rules::migration::MadeAlone;
use crate::store::{Store, StoreError, View, migration};

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

/// A move that nobody has countersigned yet.
#[derive(Debug, Clone)]
pub struct Uncountersigned {
    /// The migration.
    pub migration_id: String,
    /// The move's number.
    pub event_no: i64,
    /// Who made it.
    pub moved_by: String,
    /// Until when somebody countersigns it in time.
    pub countersign_by: Moment,
}

impl Uncountersigned {
    /// Makes it somebody's task.
    pub fn rule(&self) -> Result<ByRule, Stop> {
        Ok(ByRule::OpenDeficiency {
            deficiency: random_id()?,
            migration: self.migration_id.clone(),
            about: About::Move(self.event_no),
        })
    }
}

/// Lists the moves that one lead made alone and nobody has countersigned, the earliest first.
pub async fn look(view: &mut View) -> Result<Vec<Uncountersigned>, StoreError> {
    let waiting = migration::uncountersigned(view).await?;
    let read = |event: migration::Event| {
        let made = MadeAlone {
            at: event.happened_at_utc,
            waits: true,
            is_told: false,
        };
        Uncountersigned {
            migration_id: event.migration_id,
            event_no: event.event_no,
            moved_by: event.moved_by,
            countersign_by: made.countersign_by(),
        }
    };
    Ok(waiting.into_iter().map(read).collect())
}

/// Does what is due; what somebody else does meanwhile is done.
pub async fn run(store: &Store) -> Result<Due, Stop> {
    let mut view = store.view().await?;
    let now = view.now();
    let waiting = look(&mut view).await?;
    drop(view);
    let mut opened = Vec::new();
    for event in waiting.iter().filter(|it| it.countersign_by < now) {
        let rule = event.rule()?;
        let ByRule::OpenDeficiency { deficiency, .. } = &rule else {
            continue;
        };
        let new = Opened {
            deficiency_id: deficiency.clone(),
            migration_id: event.migration_id.clone(),
            event_no: event.event_no,
            moved_by: event.moved_by.clone(),
        };
        match super::done(store, Request::by_rule(rule)?).await {
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
