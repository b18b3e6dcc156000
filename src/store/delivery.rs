//! How messages fare on their ways: which channel each goes, how often it was tried, and what became of it.
//!
//! None of this is a decision, and nothing that is decided rests on it, so it stands beside the ledger: a relay that
//! refuses for an hour would otherwise write hundreds of entries that nobody reads. What was to be said, to whom and
//! because of which entry stands in the outbox, which only the entry itself writes.

use sqlx::FromRow;

use super::view::{on, query, query_as, query_scalar};
use super::{Store, StoreError, View};
use crate::clock::Moment;
use crate::rules::delivery::{DeliveryState, NotTaken, TRIES, pause};

/// A message that waits to be sent on its ways.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Message {
    /// Its id.
    pub notification_id: String,
    /// What the other side may tell repetitions by.
    pub idempotency_key: String,
    /// The entry that caused it.
    pub ledger_seq: i64,
    /// What kind of event it tells of.
    pub event_class: String,
    /// Who gets it.
    pub recipient_id: String,
    /// One line.
    pub subject: String,
    /// The text.
    pub body: String,
    /// Whether it belongs to a drill.
    pub drill: bool,
    /// When it was written.
    pub created_at_utc: Moment,
}

/// A way of a message that is to be tried now.
#[derive(Debug, Clone, FromRow)]
pub struct Due {
    /// The message.
    #[sqlx(flatten)]
    pub message: Message,
    /// How often it was tried.
    pub attempts: i64,
    /// How often it will be.
    pub tries_left: i64,
}

/// Where a message is to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// The message.
    pub notification_id: String,
    /// The channel.
    pub channel: String,
    /// Whether it is sent there, or only written down that it was not.
    pub state: DeliveryState,
}

const MESSAGE: &str = "o.notification_id, o.idempotency_key, o.ledger_seq, o.event_class, o.recipient_id, o.subject, o.body, o.drill, o.created_at_utc";

/// Lists the messages of entries after one, in the order of their entries; those of one entry are never parted.
pub async fn unrouted(
    view: &mut View,
    after_seq: i64,
    most: i64,
) -> Result<Vec<Message>, StoreError> {
    let sql = format!(
        "SELECT {MESSAGE} FROM notification_outbox o WHERE o.ledger_seq > $1 AND o.ledger_seq <= COALESCE( \
         (SELECT MAX(n.ledger_seq) FROM (SELECT ledger_seq FROM notification_outbox WHERE ledger_seq > $1 ORDER BY ledger_seq, notification_id LIMIT $2) AS n), 0) \
         ORDER BY o.ledger_seq, o.notification_id"
    );
    Ok(on!(view, c => {
        query_as(sqlx::AssertSqlSafe(sql)).bind(after_seq).bind(most).fetch_all(c).await
    })?)
}

/// Sends messages on their ways, and remembers up to which entry all are.
pub async fn route(store: &Store, ways: &[Way], up_to: i64) -> Result<(), StoreError> {
    const WAY: &str = "INSERT INTO notification_delivery (notification_id, channel, state, attempts, tries_left, routed_at_utc, next_try_utc, settled_at_utc) \
         VALUES ($1, $2, $3, 0, $4, $5, $6, $7) ON CONFLICT (notification_id, channel) DO NOTHING";
    const DONE: &str = "UPDATE agent_lease SET routed_seq = $1 WHERE routed_seq < $1";
    let mut view = store.view_for_writing("SELECT 1").await?;
    let (now, server_now) = (view.now(), view.server_now());
    for way in ways {
        let is_sent = way.state == DeliveryState::Waiting;
        let (next, settled) = if is_sent {
            (Some(server_now), None)
        } else {
            (None, Some(now))
        };
        on!(view, c => query(WAY)
            .bind(&way.notification_id).bind(&way.channel).bind(way.state).bind(TRIES).bind(now).bind(next).bind(settled)
            .execute(c).await.map(drop))?;
    }
    on!(view, c => query(DONE).bind(up_to).execute(c).await.map(drop))?;
    view.commit().await
}

/// Lists what is to be tried on a channel now, the longest waiting first.
pub async fn due(view: &mut View, channel: &str, most: i64) -> Result<Vec<Due>, StoreError> {
    let sql = format!(
        "SELECT {MESSAGE}, d.attempts, d.tries_left FROM notification_delivery d JOIN notification_outbox o ON o.notification_id = d.notification_id \
         WHERE d.channel = $1 AND d.state = 'waiting' AND d.next_try_utc <= $2 ORDER BY d.next_try_utc, d.notification_id LIMIT $3"
    );
    let now = view.server_now();
    Ok(on!(view, c => {
        query_as(sqlx::AssertSqlSafe(sql)).bind(channel).bind(now).bind(most).fetch_all(c).await
    })?)
}

/// Tells when something is to be tried on a channel next.
pub async fn next_try(view: &mut View, channel: &str) -> Result<Option<Moment>, StoreError> {
    const SQL: &str = "SELECT next_try_utc FROM notification_delivery WHERE channel = $1 AND state = 'waiting' \
         ORDER BY next_try_utc, notification_id LIMIT 1";
    Ok(on!(view, c => query_scalar(SQL).bind(channel).fetch_optional(c).await)?)
}

/// Writes down how a try ended, and says where the message stands.
pub async fn tried(
    store: &Store,
    due: &Due,
    channel: &str,
    ended: &Result<(), NotTaken>,
) -> Result<DeliveryState, StoreError> {
    const SQL: &str = "UPDATE notification_delivery SET state = $1, attempts = attempts + 1, tries_left = $2, next_try_utc = $3, tried_at_utc = $4, \
         settled_at_utc = $5, last_error = $6 WHERE notification_id = $7 AND channel = $8 AND state = 'waiting'";
    const ALL: &str = "UPDATE notification_outbox SET attempts = attempts + 1, last_error = $1, delivered_at_utc = CASE WHEN NOT EXISTS ( \
         SELECT 1 FROM notification_delivery d WHERE d.notification_id = $2 AND d.state IN ('waiting', 'dead')) THEN CAST($3 AS {moment}) END WHERE notification_id = $2";
    let mut view = store.view_for_writing("SELECT 1").await?;
    let (now, server_now) = (view.now(), view.server_now());
    let left = (due.tries_left - 1).max(0);
    let (state, next) = match ended {
        Ok(()) => (DeliveryState::Delivered, None),
        Err(why) => match pause(why, left) {
            Some(pause) => (DeliveryState::Waiting, Some(server_now.plus(pause))),
            None => (DeliveryState::Dead, None),
        },
    };
    let why = ended.as_ref().err().map(NotTaken::why);
    let settled = (state != DeliveryState::Waiting).then_some(now);
    let id = &due.message.notification_id;
    on!(view, c => query(SQL)
        .bind(state).bind(left).bind(next).bind(now).bind(settled).bind(why).bind(id).bind(channel)
        .execute(c).await.map(drop))?;
    let moment = if view.is_postgres() {
        "TIMESTAMPTZ"
    } else {
        "TEXT"
    };
    let all = ALL.replace("{moment}", moment);
    on!(view, c => query(sqlx::AssertSqlSafe(all)).bind(why).bind(id).bind(now).execute(c).await.map(drop))?;
    view.commit().await?;
    Ok(state)
}

/// A message with one of its ways, as people see it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, FromRow)]
pub struct Shown {
    /// The message's id.
    pub notification_id: String,
    /// The entry that caused it.
    pub ledger_seq: i64,
    /// What kind of event it tells of.
    pub event_class: String,
    /// Who gets it.
    pub recipient_id: String,
    /// One line.
    pub subject: String,
    /// Whether it belongs to a drill.
    pub drill: bool,
    /// When it was written.
    pub created_at_utc: Moment,
    /// The channel; none where it was sent on no way.
    pub channel: Option<String>,
    /// Where it stands there.
    pub state: Option<DeliveryState>,
    /// How often it was tried.
    pub attempts: Option<i64>,
    /// When it is tried next.
    pub next_try_utc: Option<Moment>,
    /// When it was tried last.
    pub tried_at_utc: Option<Moment>,
    /// When it came to rest.
    pub settled_at_utc: Option<Moment>,
    /// What was said when it was refused last.
    pub last_error: Option<String>,
}

const SHOWN: &str = "SELECT o.notification_id, o.ledger_seq, o.event_class, o.recipient_id, o.subject, o.drill, o.created_at_utc, d.channel, d.state, \
     d.attempts, d.next_try_utc, d.tried_at_utc, d.settled_at_utc, d.last_error FROM notification_outbox o \
     LEFT JOIN notification_delivery d ON d.notification_id = o.notification_id";

/// Lists the newest messages with their ways; only those that stand somewhere, where that is asked for.
pub async fn newest(
    view: &mut View,
    state: Option<DeliveryState>,
    most: i64,
) -> Result<Vec<Shown>, StoreError> {
    let only = match state {
        Some(_) => "WHERE d.state = $2",
        None => "WHERE CAST($2 AS TEXT) IS NULL",
    };
    let sql =
        format!("{SHOWN} {only} ORDER BY o.ledger_seq DESC, o.notification_id, d.channel LIMIT $1");
    Ok(
        on!(view, c => query_as(sqlx::AssertSqlSafe(sql)).bind(most).bind(state).fetch_all(c).await)?,
    )
}

/// Finds a message by its id, or by how that begins, with its ways.
pub async fn find(view: &mut View, id: &str) -> Result<Vec<Shown>, StoreError> {
    let sql = format!(
        "{SHOWN} WHERE o.notification_id >= $1 AND o.notification_id < $2 ORDER BY o.notification_id, d.channel LIMIT 100"
    );
    // Ids are hexadecimal digits.
    let after = format!("{id}g");
    Ok(on!(view, c => query_as(sqlx::AssertSqlSafe(sql)).bind(id).bind(after).fetch_all(c).await)?)
}

/// Reads what a message says.
pub async fn message(view: &mut View, id: &str) -> Result<Option<Message>, StoreError> {
    let sql = format!("SELECT {MESSAGE} FROM notification_outbox o WHERE o.notification_id = $1");
    Ok(on!(view, c => query_as(sqlx::AssertSqlSafe(sql)).bind(id).fetch_optional(c).await)?)
}

/// Lets what is dead be tried anew: of one message, or of all; says how many ways that are.
pub async fn retry(store: &Store, id: Option<&str>) -> Result<u64, StoreError> {
    const SQL: &str = "UPDATE notification_delivery SET state = 'waiting', tries_left = $1, next_try_utc = $2, settled_at_utc = NULL \
         WHERE state = 'dead' AND (CAST($3 AS TEXT) IS NULL OR notification_id = $3)";
    let mut view = store.view_for_writing("SELECT 1").await?;
    let now = view.server_now();
    let hit = on!(view, c => {
        query(SQL).bind(TRIES).bind(now).bind(id).execute(c).await.map(|done| done.rows_affected())
    })?;
    view.commit().await?;
    Ok(hit)
}

/// How many ways stand where.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, FromRow)]
pub struct Depth {
    /// Messages of entries that nobody has sent on their ways.
    pub unrouted: i64,
    /// Ways that will be tried.
    pub waiting: i64,
    /// Ways that nobody tries any more.
    pub dead: i64,
}

/// Counts the ways by where they stand; what has come to rest well is not counted.
pub async fn depth(view: &mut View) -> Result<Depth, StoreError> {
    const SQL: &str = "SELECT \
         (SELECT CAST(COUNT(*) AS BIGINT) FROM notification_outbox WHERE ledger_seq > COALESCE((SELECT routed_seq FROM agent_lease), 0)) AS unrouted, \
         (SELECT CAST(COUNT(*) AS BIGINT) FROM notification_delivery WHERE state = 'waiting') AS waiting, \
         (SELECT CAST(COUNT(*) AS BIGINT) FROM notification_delivery WHERE state = 'dead') AS dead";
    Ok(on!(view, c => query_as(SQL).fetch_one(c).await)?)
}
