//! Whether anybody works unattended, and how messages fare: for the header and for what was said.

use std::time::{Duration, Instant};

use crate::rules::lease::TERM;
use crate::store::delivery::{self, Depth};
use crate::store::{StoreError, View, lease};

use super::model::Model;
use super::theme::Token;

/// What is known of the agent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AgentSight {
    /// How long ago its heart beat when the picture was taken; none where none does.
    pub beat_ago: Option<Duration>,
    /// How many messages stand where on their ways.
    pub depth: Depth,
}

/// Reads what is known of the agent.
pub(super) async fn read(view: &mut View) -> Result<AgentSight, StoreError> {
    let now = view.server_now();
    let lease = lease::find(view).await?;
    let held = lease.filter(|lease| lease.is_held(now));
    Ok(AgentSight {
        beat_ago: held.map(|lease| now.since(lease.beat_at_utc).to_std().unwrap_or_default()),
        depth: delivery::depth(view).await?,
    })
}

impl AgentSight {
    /// Says in words whether an agent is at work; `seen` is when the picture was taken.
    pub(super) fn in_a_word(&self, seen: Instant, at: Instant) -> (Token, String) {
        let Some(beat) = self.beat_ago else {
            return (Token::StatusWarn, "no agent".to_owned());
        };
        // Beats alone make no new picture; one is taken from time to time all the same.
        let age = beat + at.saturating_duration_since(seen);
        let said = match age.as_secs() / 60 {
            0 => "agent <1m".to_owned(),
            minutes => format!("agent {minutes}m"),
        };
        let token = if age > TERM * 3 {
            Token::StatusStale
        } else {
            Token::Muted
        };
        (token, said)
    }
}

impl Model {
    /// Says how messages to people fare, where there is anything to say.
    pub(super) fn outbox_line(&self) -> Option<(Token, String)> {
        let depth = self.picture.as_ref()?.agent.depth;
        let Depth {
            unrouted,
            waiting,
            dead,
        } = depth;
        if depth == Depth::default() {
            return None;
        }
        let token = if dead > 0 {
            Token::StatusDanger
        } else {
            Token::StatusPending
        };
        let said = format!(
            "outbox: {unrouted} wait for an agent, {waiting} are on their way, {dead} dead (govdeck outbox list)"
        );
        Some((token, said))
    }
}
