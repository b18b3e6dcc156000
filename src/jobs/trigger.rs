//! The rollback trigger: looks at every migration that was cut over and is still watched, and takes back what lies too far
//! apart since the flip. The action decides by the same rule again, of fresh facts, so that two timers at once take it back
//! once.

use serde::Serialize;

use crate::actions::{ByRule, Request, Stop};
use crate::rules::migration::{Trigger, TriggerState};
use crate::store::{Store, migration};

/// What the trigger said of a migration, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Triggered {
    /// The migration.
    pub migration_id: String,
    /// Whether it was taken back just now, by this.
    pub rolled_back: bool,
    /// Why it was not, though the trigger said so: somebody else was faster.
    pub refused: Option<String>,
    /// What the trigger said.
    #[serde(flatten)]
    pub trigger: Trigger,
}

/// Looks at what is watched, and takes back what the trigger says.
pub async fn run(store: &Store) -> Result<Vec<Triggered>, Stop> {
    let mut view = store.view().await?;
    let now = view.now();
    let mut looked = Vec::new();
    for row in migration::under_watch(&mut view).await? {
        let known = migration::known(&mut view, &row.migration_id).await?;
        let Some(known) = known else { continue };
        let watched = migration::watched(&mut view, &known).await?;
        looked.push(Triggered {
            migration_id: row.migration_id,
            rolled_back: false,
            refused: None,
            trigger: watched.trigger(&known, now),
        });
    }
    drop(view);
    for it in &mut looked {
        if it.trigger.state != TriggerState::RollBack {
            continue;
        }
        let migration = it.migration_id.clone();
        let request = Request::by_rule(ByRule::TriggerRollback { migration })?;
        match super::done(store, request).await {
            Ok(_) => it.rolled_back = true,
            Err(Stop::Refused(refusal)) => {
                tracing::info!(migration = it.migration_id, %refusal, "it was not taken back here");
                it.refused = Some(refusal.sentence);
            }
            Err(stop) => return Err(stop),
        }
    }
    Ok(looked)
}
