//! Messages to people: written with their cause, delivered later.

use super::ledger::Entry;
use super::view::{on, query, query_scalar};
use super::{StoreError, View};
use crate::canon::Digest;

/// A message to one person about something that a sealed entry did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// What kind of event it tells of.
    pub event_class: &'static str,
    /// What it is about; together with class and recipient it makes the message unique.
    pub about: String,
    /// Who gets it.
    pub recipient_id: String,
    /// One line.
    pub subject: String,
    /// The text.
    pub body: String,
    /// Whether it belongs to a drill.
    pub drill: bool,
}

impl Notice {
    /// Returns the key under which the message exists at most once; nobody can guess it before its cause is written.
    fn idempotency_key(&self, cause: Digest) -> String {
        let Self {
            event_class,
            about,
            recipient_id,
            ..
        } = self;
        format!("{event_class}/{about}/{recipient_id}/{cause}")
    }

    pub(in crate::store) async fn insert(
        &self,
        view: &mut View,
        entry: &Entry,
    ) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO notification_outbox (notification_id, idempotency_key, ledger_seq, event_class, \
             recipient_id, subject, body, drill, created_at_utc) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
        let key = self.idempotency_key(entry.hash);
        let id = Digest::of(key.as_bytes()).to_string();
        on!(view, c => query(SQL)
            .bind(&id).bind(&key).bind(entry.seq).bind(self.event_class).bind(&self.recipient_id).bind(&self.subject)
            .bind(&self.body).bind(self.drill).bind(entry.at_utc)
            .execute(c).await.map(drop))?;
        Ok(())
    }
}

/// Counts the messages that wait for delivery: those that no agent has sent on their ways, and those that have not got
/// through on one of them.
pub async fn waiting(view: &mut View) -> Result<i64, StoreError> {
    const SQL: &str = "SELECT CAST((SELECT COUNT(*) FROM notification_outbox WHERE ledger_seq > COALESCE((SELECT routed_seq FROM agent_lease), 0)) \
         + (SELECT COUNT(*) FROM (SELECT notification_id FROM notification_delivery WHERE state = 'waiting' \
         UNION SELECT notification_id FROM notification_delivery WHERE state = 'dead') AS stuck) AS BIGINT)";
    Ok(on!(view, c => query_scalar(SQL).fetch_one(c).await)?)
}

/// Counts the messages that entries about a thing sent.
pub async fn about(view: &mut View, kind: &str, id: &str) -> Result<i64, StoreError> {
    const SQL: &str = "SELECT CAST(COUNT(*) AS BIGINT) FROM notification_outbox o JOIN governance_ledger l ON l.seq = o.ledger_seq \
         WHERE l.target_kind = $1 AND l.target_id = $2";
    Ok(on!(view, c => query_scalar(SQL).bind(kind).bind(id).fetch_one(c).await)?)
}
