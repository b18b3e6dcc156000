//! The ledger: an append-only chain of entries, each hashed over its canonical JSON.

mod list;

use serde::Serialize;
use sqlx::FromRow;

pub use list::{LEDGER_FIELDS, LedgerSort, window, window_at};

use super::tables::Table;
use super::view::{on, query_as, query_scalar};
use super::{Failure, Store, StoreError, View};
use crate::canon::{self, Digest};
use crate::clock::Moment;
use crate::rules::people::{Attestation, Basis};

/// The schema name inside every entry's hashed bytes.
pub const ENTRY_SCHEMA: &str = "govdeck.ledger-entry.v1";

/// The hash that the first entry follows.
pub const BEFORE_THE_FIRST: &str =
    "0000000000000000000000000000000000000000000000000000000000000000";

/// One sealed entry.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Entry {
    /// The position in the chain, from 1.
    pub seq: i64,
    /// The request's ticket, by which its outcome is found.
    pub ticket: String,
    /// The action's verb.
    pub action: String,
    /// Whether a person or a rule decided.
    pub basis: Basis,
    /// Who acted.
    pub actor_id: String,
    /// The login that wrote it.
    pub login: String,
    /// How the actor is known.
    pub attestation: Attestation,
    /// What kind of thing was acted on.
    pub target_kind: String,
    /// Which one.
    pub target_id: String,
    /// The version of it that was seen.
    pub target_version: i64,
    /// The hash of what the decision rests on.
    pub state_hash: Digest,
    /// The hash of the decision card.
    pub card_sha256: Digest,
    /// The reason given.
    pub reason: Option<String>,
    /// How many rows the entry changed.
    pub change_count: i64,
    /// How many pieces of evidence were filed with it, its card left out.
    pub evidence_count: i64,
    /// When it was written, by the database's clock.
    pub at_utc: Moment,
    /// Whether that clock lay before the entry before.
    pub clock_anomaly: bool,
    /// The hash of the entry before.
    pub prev_hash: Digest,
    /// The hash of this entry's canonical JSON.
    pub hash: Digest,
    /// Who said yes as the second person; the actor is the one who proposed.
    pub approved_by: Option<String>,
}

/// One row that an entry changed.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Change {
    /// The table.
    pub table_name: String,
    /// The row's key.
    pub row_key: String,
    /// The row's new version.
    pub version: i64,
    /// The entry.
    pub seq: i64,
    /// The hash of the after-image.
    pub row_sha256: Digest,
    /// The row as it became, in canonical JSON.
    pub after_image: String,
}

/// A piece of evidence that was filed with an entry, by the role it plays there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, FromRow, Serialize)]
pub struct Evidence {
    /// The entry.
    #[serde(skip)]
    pub seq: i64,
    /// The role: [`super::artifact::RECHECK`] is what every entry has.
    pub role: String,
    /// The artefact.
    pub sha256: Digest,
}

/// The newest entry, as every guarded write locks it.
#[derive(Debug, Clone, PartialEq, Eq, FromRow, Serialize)]
pub struct Head {
    /// The newest entry's position; 0 before the first.
    pub seq: i64,
    /// Its hash.
    pub hash: Digest,
    /// Its time; none before the first.
    pub at_utc: Option<Moment>,
    /// The latest time of any entry: later than the newest one's while the clock is turned back.
    pub latest_at_utc: Option<Moment>,
}

#[derive(Serialize)]
struct HashedChange<'a> {
    table: &'a str,
    key: &'a str,
    version: i64,
    row_sha256: Digest,
}

#[derive(Serialize)]
struct HashedTarget<'a> {
    kind: &'a str,
    id: &'a str,
    version: i64,
}

#[derive(Serialize)]
struct HashedEntry<'a> {
    schema: &'static str,
    seq: i64,
    ticket: &'a str,
    action: &'a str,
    basis: Basis,
    actor: &'a str,
    login: &'a str,
    attestation: Attestation,
    target: HashedTarget<'a>,
    state_hash: Digest,
    card_sha256: Digest,
    reason: Option<&'a str>,
    changes: Vec<HashedChange<'a>>,
    evidence: Vec<&'a Evidence>,
    at: Moment,
    clock_anomaly: bool,
    prev_hash: Digest,
    // Entries of old knew no second person: their bytes stay what they were.
    #[serde(skip_serializing_if = "Option::is_none")]
    approved_by: Option<&'a str>,
}

impl Entry {
    /// Returns whoever wrote the entry: the second person where there is one.
    #[must_use]
    pub fn written_by(&self) -> &str {
        self.approved_by.as_deref().unwrap_or(&self.actor_id)
    }

    /// Returns the exact bytes that the entry's hash is taken over.
    pub fn hashed_bytes(
        &self,
        changes: &[Change],
        evidence: &[Evidence],
    ) -> Result<Vec<u8>, StoreError> {
        let mut changes: Vec<_> = changes
            .iter()
            .map(|change| HashedChange {
                table: &change.table_name,
                key: &change.row_key,
                version: change.version,
                row_sha256: change.row_sha256,
            })
            .collect();
        changes.sort_by_key(|change| (change.table, change.key, change.version));
        let mut evidence: Vec<_> = evidence.iter().collect();
        evidence.sort();
        super::tables::image_of(&HashedEntry {
            schema: ENTRY_SCHEMA,
            seq: self.seq,
            ticket: &self.ticket,
            action: &self.action,
            basis: self.basis,
            actor: &self.actor_id,
            login: &self.login,
            attestation: self.attestation,
            target: HashedTarget {
                kind: &self.target_kind,
                id: &self.target_id,
                version: self.target_version,
            },
            state_hash: self.state_hash,
            card_sha256: self.card_sha256,
            reason: self.reason.as_deref(),
            changes,
            evidence,
            at: self.at_utc,
            clock_anomaly: self.clock_anomaly,
            prev_hash: self.prev_hash,
            approved_by: self.approved_by.as_deref(),
        })
    }

    /// Computes the hash that the entry must have.
    pub fn computed_hash(
        &self,
        changes: &[Change],
        evidence: &[Evidence],
    ) -> Result<Digest, StoreError> {
        Ok(canon::Digest::of(&self.hashed_bytes(changes, evidence)?))
    }
}

pub(in crate::store) const ENTRY_COLUMNS: &str = "seq, ticket, action, basis, actor_id, login, attestation, target_kind, target_id, \
     target_version, state_hash, card_sha256, reason, change_count, evidence_count, at_utc, clock_anomaly, prev_hash, hash, approved_by";

/// Reads the newest position and hash.
pub async fn head(view: &mut View) -> Result<Head, StoreError> {
    const SQL: &str = "SELECT seq, hash, at_utc, (SELECT MAX(at_utc) FROM governance_ledger) AS latest_at_utc FROM ledger_head";
    let head: Option<Head> = on!(view, c => query_as(SQL).fetch_optional(c).await)?;
    head.ok_or_else(|| {
        StoreError::new(
            Failure::Unusable,
            "the ledger has no head",
            "run `govdeck ledger verify`",
        )
    })
}

/// Reads up to `most` entries from `from` on, oldest first.
pub async fn entries(view: &mut View, from: i64, most: i64) -> Result<Vec<Entry>, StoreError> {
    let sql = format!(
        "SELECT {ENTRY_COLUMNS} FROM governance_ledger WHERE seq >= $1 ORDER BY seq LIMIT $2"
    );
    Ok(on!(view, c => query_as(sqlx::AssertSqlSafe(sql)).bind(from).bind(most).fetch_all(c).await)?)
}

/// Reads up to `most` of the newest entries, newest first.
pub async fn newest(view: &mut View, most: i64) -> Result<Vec<Entry>, StoreError> {
    let sql = format!("SELECT {ENTRY_COLUMNS} FROM governance_ledger ORDER BY seq DESC LIMIT $1");
    Ok(on!(view, c => query_as(sqlx::AssertSqlSafe(sql)).bind(most).fetch_all(c).await)?)
}

/// Reads up to `most` of the newest entries that a person made, or agreed to as the second, newest first.
pub async fn of_person(view: &mut View, person: &str, most: i64) -> Result<Vec<Entry>, StoreError> {
    let one = |column: &str| {
        format!(
            "SELECT {ENTRY_COLUMNS} FROM (SELECT {ENTRY_COLUMNS} FROM governance_ledger WHERE {column} = $1 \
             ORDER BY seq DESC LIMIT $2) AS {column}_only"
        )
    };
    let sql = format!(
        "{} UNION ALL {} ORDER BY seq DESC LIMIT $2",
        one("actor_id"),
        one("approved_by")
    );
    Ok(on!(view, c => {
        query_as(sqlx::AssertSqlSafe(sql)).bind(person).bind(most).fetch_all(c).await
    })?)
}

/// Tells how many entries came after a position.
pub async fn after(view: &mut View, seq: i64) -> Result<i64, StoreError> {
    Ok((head(view).await?.seq - seq).max(0))
}

/// Finds the entry of a ticket.
pub async fn by_ticket(view: &mut View, ticket: &str) -> Result<Option<Entry>, StoreError> {
    let sql = format!("SELECT {ENTRY_COLUMNS} FROM governance_ledger WHERE ticket = $1");
    Ok(on!(view, c => query_as(sqlx::AssertSqlSafe(sql)).bind(ticket).fetch_optional(c).await)?)
}

/// Finds the entry that last changed a row.
pub async fn last_change_of(
    view: &mut View,
    table: &str,
    key: &str,
) -> Result<Option<Entry>, StoreError> {
    let sql = format!(
        "SELECT {ENTRY_COLUMNS} FROM governance_ledger WHERE seq = \
         (SELECT MAX(seq) FROM ledger_change WHERE table_name = $1 AND row_key = $2)"
    );
    Ok(
        on!(view, c => query_as(sqlx::AssertSqlSafe(sql)).bind(table).bind(key).fetch_optional(c).await)?,
    )
}

/// Reads every entry that changed a row, oldest first; a row has few versions.
pub async fn entries_of(view: &mut View, table: &str, key: &str) -> Result<Vec<Entry>, StoreError> {
    let sql = format!(
        "SELECT {ENTRY_COLUMNS} FROM governance_ledger WHERE seq IN \
         (SELECT seq FROM ledger_change WHERE table_name = $1 AND row_key = $2) ORDER BY seq"
    );
    Ok(on!(view, c => query_as(sqlx::AssertSqlSafe(sql)).bind(table).bind(key).fetch_all(c).await)?)
}

/// Reads the changes of the entries `from` to `to`, in a fixed order.
pub async fn changes(view: &mut View, from: i64, to: i64) -> Result<Vec<Change>, StoreError> {
    const SQL: &str = "SELECT table_name, row_key, version, seq, row_sha256, after_image FROM ledger_change \
         WHERE seq BETWEEN $1 AND $2 ORDER BY seq, table_name, row_key, version";
    Ok(on!(view, c => query_as(SQL).bind(from).bind(to).fetch_all(c).await)?)
}

/// Reads what was filed with the entries `from` to `to`, in a fixed order.
pub async fn evidence(view: &mut View, from: i64, to: i64) -> Result<Vec<Evidence>, StoreError> {
    const SQL: &str = "SELECT seq, role, sha256 FROM ledger_artifact WHERE seq BETWEEN $1 AND $2 ORDER BY seq, role, sha256";
    Ok(on!(view, c => query_as(SQL).bind(from).bind(to).fetch_all(c).await)?)
}

/// Reads the image of a row before a version; none when the row was new.
pub async fn image_before(view: &mut View, change: &Change) -> Result<Option<String>, StoreError> {
    const SQL: &str = "SELECT after_image FROM ledger_change WHERE table_name = $1 AND row_key = $2 AND version = $3 - 1";
    Ok(on!(view, c => {
        query_scalar(SQL).bind(&change.table_name).bind(&change.row_key).bind(change.version).fetch_optional(c).await
    })?)
}

/// The newest recorded version of a row, and the hash it must have.
#[derive(Debug, FromRow)]
pub(in crate::store) struct Newest {
    pub row_key: String,
    pub version: i64,
    pub row_sha256: Digest,
    pub seq: i64,
}

/// Reads the newest change of every row of a table whose key lies after `after` and not after `upto`.
pub(in crate::store) async fn newest_changes(
    view: &mut View,
    table: &Table,
    after: &str,
    upto: Option<&str>,
) -> Result<Vec<Newest>, StoreError> {
    const SQL: &str = "SELECT c.row_key, c.version, c.row_sha256, c.seq FROM ledger_change c \
         WHERE c.table_name = $1 AND c.row_key > $2 AND ($3 IS NULL OR c.row_key <= $3) AND NOT EXISTS \
         (SELECT 1 FROM ledger_change d WHERE d.table_name = c.table_name AND d.row_key = c.row_key AND d.version > c.version) \
         ORDER BY c.row_key";
    Ok(on!(view, c => query_as(SQL).bind(table.name).bind(after).bind(upto).fetch_all(c).await)?)
}

impl Store {
    /// Finds out what became of a ticket whose answer was lost.
    ///
    /// Taking the head's lock first waits for a lost writer that holds it already. "Not found" means that the ticket will
    /// never appear, provided that whoever carried it out has ended: one that still waits to begin holds no lock.
    pub async fn resolve(&self, ticket: &str) -> Result<Option<Entry>, StoreError> {
        let mut tx = self.begin().await?;
        by_ticket(tx.view(), ticket).await
    }
}
