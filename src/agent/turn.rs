//! One turn of whoever leads: look, do what is due, and send new messages on their ways.

use std::collections::BTreeMap;
use std::time::Duration;

use super::duties::{self, Deed};
use super::{Agent, Halt};
use crate::actions::{Request, Stop};
use crate::jobs;
use crate::rules::delivery::DeliveryState;
use crate::store::delivery::{self, Message, Way};
use crate::store::{Failure, Store, lease};

/// How many messages are sent on their ways in one transaction.
const ROUTED_AT_ONCE: i64 = 500;
/// How old a message may be that is sent when nobody ever sent one before.
const FIRST_DAY: Duration = Duration::from_hours(24);
/// The way of a message that no route leads anywhere.
const NOWHERE: &str = "(none)";

/// What a turn did.
#[derive(Debug, Default)]
pub(super) struct Turn {
    /// How many of each deed were done.
    pub done: BTreeMap<&'static str, u64>,
    /// How long the next look can wait, as far as anybody knows now.
    pub rests: Option<Duration>,
}

impl Agent {
    /// Does everything that is due; looks again until nothing is.
    pub(super) async fn do_what_is_due(&self, store: &Store, halt: &Halt) -> Result<Turn, Stop> {
        let mut turn = Turn::default();
        let mut refused = 0;
        loop {
            let agenda = duties::look(store, self.settings.planned_ahead()).await?;
            turn.rests = agenda.rests();
            let mut did_something = false;
            for (deed, rule) in agenda.due {
                if halt.is_set() {
                    return Ok(turn);
                }
                if do_one(store, deed, Request::by_rule(rule)?).await? {
                    *turn.done.entry(deed.word()).or_default() += 1;
                    did_something = true;
                } else {
                    refused += 1;
                }
            }
            // What a rule refuses stays due for a look; it is not asked again and again without a pause.
            if !did_something {
                if refused > 0 {
                    turn.rests = Some(turn.rests.map_or(REFUSED_REST, |it| it.min(REFUSED_REST)));
                }
                return Ok(turn);
            }
        }
    }

    /// Sends new messages on their ways; tells whether there were any.
    pub(super) async fn route(&self, store: &Store) -> Result<bool, Stop> {
        let mut any = false;
        loop {
            let mut view = store.view().await?;
            let lease = lease::find(&mut view).await?;
            let routed = lease.map_or(0, |lease| lease.routed_seq);
            let new = delivery::unrouted(&mut view, routed, ROUTED_AT_ONCE).await?;
            let now = view.now();
            drop(view);
            let Some(last) = new.last() else {
                return Ok(any);
            };
            any = true;
            let is_old =
                |message: &Message| routed == 0 && message.created_at_utc.plus(FIRST_DAY) < now;
            let ways: Vec<Way> = new
                .iter()
                .flat_map(|message| self.ways(message, is_old(message)))
                .collect();
            delivery::route(store, &ways, last.ledger_seq).await?;
        }
    }

    fn ways(&self, message: &Message, is_old: bool) -> Vec<Way> {
        let way = |channel: &str, is_sent: bool| Way {
            notification_id: message.notification_id.clone(),
            channel: channel.to_owned(),
            state: if is_sent && !is_old {
                DeliveryState::Waiting
            } else {
                DeliveryState::Quiet
            },
        };
        let ways = self.settings.ways(&message.event_class, message.drill);
        if ways.is_empty() {
            return vec![way(NOWHERE, false)];
        }
        ways.into_iter()
            .map(|(channel, is_sent)| way(channel, is_sent))
            .collect()
    }
}

/// How long a look rests after a rule refused something.
const REFUSED_REST: Duration = Duration::from_secs(5);

/// Does one thing; tells whether it was done, or the rule said no on fresh rows.
async fn do_one(store: &Store, deed: Deed, request: Request) -> Result<bool, Stop> {
    let subject = request.subject().to_owned();
    match jobs::done(store, request).await {
        Ok(sealed) => {
            tracing::info!(seq = sealed.seq, %deed, subject, "done by rule");
            Ok(true)
        }
        Err(Stop::Refused(refusal)) => {
            tracing::info!(%deed, subject, %refusal, "not done");
            Ok(false)
        }
        Err(stop) if ends_everything(&stop) => Err(stop),
        // One thing that cannot be done holds up no other.
        Err(stop) => {
            tracing::warn!(%deed, subject, %stop, "not done");
            Ok(false)
        }
    }
}

/// Tells whether nothing else can be done either: the database is away, or another agent leads.
pub(super) fn ends_everything(stop: &Stop) -> bool {
    matches!(stop, Stop::Store(error) if matches!(error.kind, Failure::Unreachable | Failure::Fenced))
}
