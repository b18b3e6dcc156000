//! Migrations that were cut over and are still watched: what lies too far apart is taken back.

use super::{Agenda, Deed};
use crate::actions::ByRule;
use crate::jobs::trigger;
use crate::store::{StoreError, View};

pub(super) async fn look(view: &mut View, agenda: &mut Agenda) -> Result<(), StoreError> {
    for found in trigger::look(view).await? {
        if found.fires() {
            let migration = found.migration_id;
            agenda.add(Deed::TakenBack, ByRule::TriggerRollback { migration });
        }
    }
    Ok(())
}
