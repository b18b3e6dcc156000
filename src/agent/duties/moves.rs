//! Moves of a migration that one lead made alone, and that nobody countersigned in time.

use std::time::Duration;

use super::{Agenda, Deed};
use crate::actions::Stop;
use crate::jobs::due;
use crate::store::View;

pub(super) async fn look(view: &mut View, agenda: &mut Agenda) -> Result<(), Stop> {
    for event in due::look(view).await? {
        if event.countersign_by < agenda.now {
            agenda.add(Deed::Opened, event.rule()?);
        } else {
            agenda.look_at(event.countersign_by.plus(Duration::from_micros(1)));
        }
    }
    Ok(())
}
