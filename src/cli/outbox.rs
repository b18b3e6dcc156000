//! `govdeck outbox`: the messages to people, and how they fared on their ways.

use clap::Subcommand;
use serde_json::json;

use super::page::{Exit, Failure, Page};
use crate::rules::delivery::DeliveryState;
use crate::store::delivery::{self, Shown};
use crate::store::{Access, Store};

/// How many ways are listed when nobody says otherwise.
const LISTED: i64 = 50;
/// How many digits of a message's id are shown in lists.
const DIGITS: usize = 12;

/// What to do with messages.
#[derive(Debug, Subcommand)]
pub(super) enum Outbox {
    /// List the newest messages, with each of their ways.
    List {
        /// Only ways that stand there: `dead` are those that nobody tries any more.
        #[arg(long, value_name = "waiting|delivered|dead|quiet")]
        state: Option<DeliveryState>,
        /// How many.
        #[arg(
            long,
            value_name = "N",
            default_value_t = LISTED,
            value_parser = clap::value_parser!(i64).range(1..=10_000)
        )]
        most: i64,
    },
    /// Show what a message says, and how it fared.
    Show {
        /// The message's id, or how it begins.
        message: String,
    },
    /// Let dead ways be tried anew; it is no decision, and the ledger does not tell of it.
    Retry {
        /// The message's id, or how it begins.
        #[arg(required_unless_present = "all")]
        message: Option<String>,
        /// All of them.
        #[arg(long, conflicts_with = "message")]
        all: bool,
    },
}

impl Outbox {
    pub(super) fn access(&self) -> Access {
        match self {
            Self::Retry { .. } => Access::Write,
            _ => Access::Read,
        }
    }

    pub(super) async fn run(self, store: &Store) -> Result<Page, Failure> {
        match self {
            Self::List { state, most } => list(store, state, most).await,
            Self::Show { message } => show(store, &message).await,
            Self::Retry { message, .. } => retry(store, message.as_deref()).await,
        }
    }
}

async fn list(store: &Store, state: Option<DeliveryState>, most: i64) -> Result<Page, Failure> {
    let mut view = store.view().await?;
    let depth = delivery::depth(&mut view).await?;
    let shown = delivery::newest(&mut view, state, most).await?;
    let mut lines = vec![format!(
        "{} ways are tried, {} are dead, {} messages wait for an agent",
        depth.waiting, depth.dead, depth.unrouted
    )];
    lines.extend(shown.iter().map(line));
    let json = json!({"depth": depth, "messages": shown});
    Ok(Page::new(Exit::Done, lines, "outbox-list", json))
}

fn line(shown: &Shown) -> String {
    let id = shown.notification_id.get(..DIGITS).unwrap_or_default();
    let drill = if shown.drill { " DRILL" } else { "" };
    format!(
        "{id} {:<9} {:<10} to {}: {}{drill}",
        shown.state.map_or("new", DeliveryState::word),
        shown.channel.as_deref().unwrap_or("-"),
        shown.recipient_id,
        shown.subject
    )
}

/// Finds one message with its ways.
async fn named(store: &Store, id: &str) -> Result<Vec<Shown>, Failure> {
    let is_hex = |c: char| c.is_ascii_hexdigit() && !c.is_ascii_uppercase();
    let no = |sentence: String, hint: &str| Err(Failure::new(Exit::CannotTell, sentence, hint));
    if id.is_empty() || !id.chars().all(is_hex) {
        return no(
            format!("{id:?} is no message"),
            "`govdeck outbox list` shows their ids",
        );
    }
    let found = delivery::find(&mut store.view().await?, id).await?;
    match found.first() {
        None => no(
            format!("there is no message {id}"),
            "`govdeck outbox list` shows their ids",
        ),
        Some(first)
            if found
                .iter()
                .any(|it| it.notification_id != first.notification_id) =>
        {
            no(
                format!("several messages begin with {id}"),
                "write more of the id",
            )
        }
        Some(_) => Ok(found),
    }
}

async fn show(store: &Store, id: &str) -> Result<Page, Failure> {
    let ways = named(store, id).await?;
    let id = ways.first().map_or(id, |it| it.notification_id.as_str());
    let message = delivery::message(&mut store.view().await?, id).await?;
    let message = message.ok_or_else(|| {
        Failure::new(
            Exit::CannotTell,
            format!("there is no message {id}"),
            "`govdeck outbox list` shows their ids",
        )
    })?;
    let drill = if message.drill { "DRILL " } else { "" };
    let mut lines = vec![
        format!("{drill}{}", message.subject),
        format!(
            "to {} because of entry {} ({}) at {}",
            message.recipient_id, message.ledger_seq, message.event_class, message.created_at_utc
        ),
    ];
    lines.extend(message.body.lines().map(|line| format!("  {line}")));
    for way in &ways {
        let (Some(channel), Some(state)) = (&way.channel, way.state) else {
            lines.push("no agent has sent it on its way yet".to_owned());
            continue;
        };
        let next = way.next_try_utc.map(|at| format!(", next try at {at}"));
        let error = way.last_error.as_ref().map(|why| format!(": {why}"));
        lines.push(format!(
            "{channel}: {state} after {} tries{}{}",
            way.attempts.unwrap_or(0),
            next.unwrap_or_default(),
            error.unwrap_or_default()
        ));
    }
    let json = json!({
        "notification_id": message.notification_id, "idempotency_key": message.idempotency_key, "subject": message.subject,
        "text": message.body, "ways": ways,
    });
    Ok(Page::new(Exit::Done, lines, "outbox-show", json))
}

async fn retry(store: &Store, id: Option<&str>) -> Result<Page, Failure> {
    let id = match id {
        Some(id) => {
            let ways = named(store, id).await?;
            ways.first().map(|it| it.notification_id.clone())
        }
        None => None,
    };
    let revived = delivery::retry(store, id.as_deref()).await?;
    let exit = if revived > 0 { Exit::Done } else { Exit::No };
    let line = match revived {
        0 => "nothing there is dead".to_owned(),
        ways => format!("{ways} ways are tried anew"),
    };
    Ok(Page::new(
        exit,
        vec![line],
        "outbox-retry",
        json!({"ways": revived}),
    ))
}
