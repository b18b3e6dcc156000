//! What `govdeck doctor` says of the agent.

use super::doctor::{Finding, ok, warn};
use crate::store::{StoreError, View, delivery, lease, outbox};

/// Looks whether an agent's heart beats, and whether messages get through.
pub(super) async fn look(view: &mut View) -> Result<Finding, StoreError> {
    let now = view.server_now();
    let waiting = outbox::waiting(view).await?;
    let depth = delivery::depth(view).await?;
    let lease = lease::find(view).await?;
    let Some(lease) = lease.filter(|lease| lease.is_held(now)) else {
        return Ok(warn(
            "agent",
            format!("none runs here: {waiting} messages wait, nobody is paged by itself"),
            "let a service run `govdeck agent`, or a timer `govdeck agent --once`",
        ));
    };
    let beat = now.since(lease.beat_at_utc).num_seconds();
    let runs = format!("{} leads, and its heart beat {beat} s ago", lease.host);
    Ok(if depth.dead > 0 {
        warn(
            "agent",
            format!("{runs}, but {} messages got stuck on their way", depth.dead),
            "`govdeck outbox list --state dead` says why",
        )
    } else {
        ok("agent", runs)
    })
}
