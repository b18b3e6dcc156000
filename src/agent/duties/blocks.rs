//! First responses to open blocks: half time, the breach, and what was taken and goes on no more.

use super::{Agenda, Deed};
use crate::actions::ByRule;
use crate::store::{StoreError, View, sla};

/// How many blocks one look watches.
const MOST: i64 = 100_000;

pub(super) async fn look(view: &mut View, agenda: &mut Agenda) -> Result<(), StoreError> {
    for block in sla::open(view, MOST).await? {
        let Some(next) = block.watched().next(agenda.now) else {
            continue;
        };
        if next.due_at > agenda.now {
            agenda.look_at(next.due_at);
            continue;
        }
        let rule = ByRule::MarkSla {
            run: block.publish_run_id,
            mark: next.mark,
        };
        agenda.add(Deed::Marked, rule);
    }
    Ok(())
}
