//! The rollback trigger: looks at every migration that was cut over and is still watched, and takes back what lies too far
//! apart since the flip. The action decides by the same rule again, of fresh facts, so that two timers at once take it back
//! once.

use serde::Serialize;

use crate::actions::{ByRule, Request, Stop};
use crate::rules::migration::{Trigger, TriggerState};
use crate::store::{Store, StoreError, View, migration};

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

impl Triggered {
    /// Tells whether it is to be taken back.
    #[must_use]
    pub fn fires(&self) -> bool {
        self.trigger.state == TriggerState::RollBack
    }
}

/// Looks at what is watched, and says what the trigger says of it.
pub async fn look(view: &mut View) -> Result<Vec<Triggered>, StoreError> {
    let now = view.now();
    let mut looked = Vec::new();
    for row in migration::under_watch(view).await? {
        let known = migration::known(view, &row.migration_id).await?;
        let Some(known) = known else { continue };
        let watched = migration::watched(view, &known).await?;
        looked.push(Triggered {
            migration_id: row.migration_id,
            rolled_back: false,
            refused: None,
            trigger: watched.trigger(&known, now),
        });
    }
    Ok(looked)
}

/// Looks at what is watched, and takes back what the trigger says.
pub async fn run(store: &Store) -> Result<Vec<Triggered>, Stop> {
    let mut looked = look(&mut store.view().await?).await?;
    for it in looked.iter_mut().filter(|it| it.fires()) {
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
