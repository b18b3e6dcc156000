//! Proposals that wait for a second person, and that nobody can approve any more.

use super::{Agenda, Deed};
use crate::actions::ByRule;
use crate::store::{StoreError, View, approval};

/// How many proposals one look watches, those that expire first.
const MOST: i64 = 1_000;

pub(super) async fn look(view: &mut View, agenda: &mut Agenda) -> Result<(), StoreError> {
    for waiting in approval::waiting(view, MOST).await? {
        if waiting.expires_at_utc <= agenda.now {
            let ticket = waiting.ticket;
            agenda.add(Deed::Ended, ByRule::EndApproval { ticket });
        } else {
            agenda.look_at(waiting.expires_at_utc);
        }
    }
    Ok(())
}
