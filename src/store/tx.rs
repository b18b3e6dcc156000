//! The one door for writes: `begin` locks the head of the ledger and reads the time, `seal` appends and commits.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::artifact::{self, Artifact};
use super::ledger::{self, Change, Entry, Evidence, Head};
use super::outbox::Notice;
use super::presence::Arming;
use super::seat::Seat;
use super::tables::GovernedRow;
use super::verify::earlier::Earlier;
use super::view::{Session, on, query, query_scalar};
use super::week::Kept;
use super::{Failure, SealError, Store, StoreError, View, verify};
use crate::canon::Digest;
use crate::clock::Moment;
use crate::rules::people::{Attestation, Basis};
use crate::rules::time;

/// How long the head may be held before it is worth a line in the log.
const HELD_LONG: Duration = Duration::from_millis(200);

const LOCK_HEAD: &str = "SELECT seq FROM ledger_head FOR UPDATE";

/// A guarded write under way. It has no plain commit: it is sealed, or it never happened.
#[derive(Debug)]
pub struct Tx {
    view: View,
    head: Head,
    began: Instant,
}

/// What was acted on, at the version that was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// What kind of thing it is: the noun of its table.
    pub kind: &'static str,
    /// Its id.
    pub id: String,
    /// The version that was seen; 0 when it did not exist.
    pub version: i64,
}

/// Who decided what, and on which grounds: the head of an entry.
#[derive(Debug, Clone)]
pub(crate) struct Decision {
    /// The request's ticket.
    pub ticket: String,
    /// The action's verb.
    pub action: &'static str,
    /// Whether a person or a rule decided.
    pub basis: Basis,
    /// Who acts.
    pub actor_id: String,
    /// The second person, who said yes and writes.
    pub approved_by: Option<String>,
    /// How whoever writes is known.
    pub attestation: Attestation,
    /// What is acted on.
    pub target: Target,
    /// The hash of what the decision rests on, checked again inside the transaction.
    pub state_hash: Digest,
    /// The canonical decision card.
    pub card: Vec<u8>,
    /// The reason given.
    pub reason: Option<String>,
}

/// What a sealed entry writes besides itself.
#[derive(Debug, Default)]
pub(crate) struct Work {
    /// Governed rows at their new versions.
    pub rows: Vec<Arc<dyn GovernedRow>>,
    /// Evidence, each piece by the role it plays.
    pub artifacts: Vec<(&'static str, Artifact)>,
    /// Messages to people, delivered later.
    pub notices: Vec<Notice>,
    /// The console that it arms or disarms.
    pub arming: Option<Arming>,
    /// The metrics that are kept of the run that it ends.
    pub kept: Option<Kept>,
}

/// The proof that a write happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The entry's position.
    pub seq: i64,
    /// The entry's hash.
    pub hash: Digest,
    /// When it was written.
    pub at: Moment,
}

impl From<Entry> for Sealed {
    fn from(entry: Entry) -> Self {
        Self {
            seq: entry.seq,
            hash: entry.hash,
            at: entry.at_utc,
        }
    }
}

impl Store {
    /// Begins a guarded write: takes the head's lock, so that all guarded writes queue up, and then reads the time.
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        match self.view_for_writing(LOCK_HEAD).await {
            Ok(mut view) => {
                let began = Instant::now();
                let head = ledger::head(&mut view).await?;
                Ok(Tx { view, head, began })
            }
            Err(busy) if busy.kind == Failure::Busy => {
                Err(self.name_who_holds_the_head(busy).await)
            }
            Err(error) => Err(error),
        }
    }

    /// Goes on in a transaction that was begun for other work, as the guarded write that ends it: what both wrote is committed
    /// together, or not at all.
    pub(crate) async fn take_over(&self, session: Session, seat: &Seat) -> Result<Tx, StoreError> {
        let mut view = self.view_taken_over(session, seat, LOCK_HEAD).await?;
        let began = Instant::now();
        let head = ledger::head(&mut view).await?;
        Ok(Tx { view, head, began })
    }

    async fn name_who_holds_the_head(&self, busy: StoreError) -> StoreError {
        const SQL: &str = "SELECT CAST(a.usename AS TEXT) || COALESCE(' since ' || to_char(a.xact_start AT TIME ZONE 'UTC', 'HH24:MI:SS') || 'Z', '') \
             FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid \
             WHERE l.relation = CAST('ledger_head' AS regclass) AND l.granted AND l.mode = 'RowShareLock' \
             ORDER BY a.xact_start, a.pid LIMIT 1";
        let Ok(mut view) = self.view().await else {
            return busy;
        };
        let holder: Option<String> = match &mut view.session {
            Session::Sqlite(_) => None,
            Session::Postgres(t) => query_scalar(SQL)
                .fetch_optional(&mut **t)
                .await
                .unwrap_or_default(),
        };
        let who = holder.unwrap_or_else(|| "another process".to_owned());
        StoreError {
            sentence: format!("the ledger is busy: {who} has been writing for 5 seconds or longer"),
            ..busy
        }
    }
}

impl Tx {
    /// Returns the one time of this transaction.
    #[must_use]
    pub fn now(&self) -> Moment {
        self.view.now()
    }

    /// Gives the fresh rows to decide on.
    pub fn view(&mut self) -> &mut View {
        &mut self.view
    }

    /// Appends the entry with its changes, writes the rows, and commits: all of it or nothing.
    pub(crate) async fn seal(
        mut self,
        decision: Decision,
        work: Work,
    ) -> Result<Sealed, SealError> {
        let now = self.now();
        let card = Artifact::new(artifact::CARD, decision.card.clone());
        let changes = changes_of(&work, self.head.seq + 1)?;
        let evidence = evidence_of(&work, self.head.seq + 1);
        let entry = self.entry(decision, &card, &changes, &evidence)?;
        // What the ledger left, not what stands in the row: nobody signs for what was changed behind its back.
        let earlier = Earlier::of(&mut self.view, &changes).await?;
        let wrong = verify::card::differences(&entry, &changes, &earlier, &evidence, card.bytes());
        if let Some(wrong) = wrong.first() {
            return Err(another_decision(&entry, wrong).into());
        }
        card.insert(&mut self.view, now).await?;
        for (_, artifact) in &work.artifacts {
            artifact.insert(&mut self.view, now).await?;
        }
        insert_entry(&mut self.view, &entry).await?;
        for change in &changes {
            insert_change(&mut self.view, change).await?;
        }
        for piece in &evidence {
            insert_evidence(&mut self.view, piece).await?;
        }
        // Before the run ends, for nothing is added to one that has ended.
        if let Some(kept) = &work.kept {
            kept.insert(&mut self.view).await?;
        }
        for row in &work.rows {
            let hit = row.write(&mut self.view).await?;
            if hit != 1 {
                return Err(lost_race(row.as_ref()).into());
            }
        }
        for notice in &work.notices {
            notice.insert(&mut self.view, &entry).await?;
        }
        if let Some(arming) = &work.arming {
            arming.write(&mut self.view, &entry).await?;
        }
        self.view.commit().await.map_err(not_committed)?;
        let held = self.began.elapsed();
        if held > HELD_LONG {
            tracing::warn!(
                seq = entry.seq,
                action = entry.action,
                held_ms = held.as_millis(),
                "the ledger's head was held long"
            );
        }
        Ok(entry.into())
    }

    fn entry(
        &self,
        decision: Decision,
        card: &Artifact,
        changes: &[Change],
        evidence: &[Evidence],
    ) -> Result<Entry, StoreError> {
        let now = self.now();
        let clock_anomaly = time::is_turned_back(self.head.latest_at_utc, now);
        let mut entry = Entry {
            seq: self.head.seq + 1,
            ticket: decision.ticket,
            action: decision.action.to_owned(),
            basis: decision.basis,
            actor_id: decision.actor_id,
            login: self.view.login().to_owned(),
            attestation: decision.attestation,
            target_kind: decision.target.kind.to_owned(),
            target_id: decision.target.id,
            target_version: decision.target.version,
            state_hash: decision.state_hash,
            card_sha256: card.sha256,
            reason: decision.reason,
            change_count: i64::try_from(changes.len()).unwrap_or(i64::MAX),
            evidence_count: i64::try_from(evidence.len()).unwrap_or(i64::MAX),
            at_utc: now,
            clock_anomaly,
            prev_hash: self.head.hash,
            hash: self.head.hash,
            approved_by: decision.approved_by,
        };
        entry.hash = entry.computed_hash(changes, evidence)?;
        Ok(entry)
    }
}

fn changes_of(work: &Work, seq: i64) -> Result<Vec<Change>, StoreError> {
    let one = |row: &dyn GovernedRow| {
        let image = row.image()?;
        Ok(Change {
            table_name: row.table().to_owned(),
            row_key: row.key(),
            version: row.version(),
            seq,
            row_sha256: Digest::of(&image),
            after_image: String::from_utf8_lossy(&image).into_owned(),
        })
    };
    work.rows.iter().map(|row| one(row.as_ref())).collect()
}

fn evidence_of(work: &Work, seq: i64) -> Vec<Evidence> {
    let one = |(role, artifact): &(&str, Artifact)| Evidence {
        seq,
        role: (*role).to_owned(),
        sha256: artifact.sha256,
    };
    work.artifacts.iter().map(one).collect()
}

/// Says that a card tells of something else than what would be written: what was signed or shown was not this.
fn another_decision(entry: &Entry, wrong: &str) -> StoreError {
    let what = if wrong == verify::card::ANOTHER {
        String::new()
    } else {
        format!(": {wrong}")
    };
    StoreError::new(
        Failure::Other,
        format!(
            "the decision card of {} {} tells of another decision{what}",
            entry.action, entry.target_id
        ),
        "nothing was written; look again and decide anew, and run `govdeck ledger verify`",
    )
}

fn lost_race(row: &dyn GovernedRow) -> StoreError {
    StoreError::new(
        Failure::Busy,
        format!(
            "{} {} is no longer at version {}",
            row.table(),
            row.key(),
            row.version() - 1
        ),
        "look again and decide anew",
    )
}

async fn insert_entry(view: &mut View, entry: &Entry) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO governance_ledger (seq, ticket, action, basis, actor_id, login, attestation, target_kind, \
         target_id, target_version, state_hash, card_sha256, reason, change_count, evidence_count, at_utc, clock_anomaly, prev_hash, hash, approved_by) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)";
    on!(view, c => query(SQL)
        .bind(entry.seq).bind(&entry.ticket).bind(&entry.action).bind(entry.basis).bind(&entry.actor_id)
        .bind(&entry.login).bind(entry.attestation).bind(&entry.target_kind).bind(&entry.target_id)
        .bind(entry.target_version).bind(entry.state_hash).bind(entry.card_sha256).bind(&entry.reason)
        .bind(entry.change_count).bind(entry.evidence_count).bind(entry.at_utc).bind(entry.clock_anomaly).bind(entry.prev_hash).bind(entry.hash).bind(&entry.approved_by)
        .execute(c).await.map(drop))?;
    Ok(())
}

async fn insert_change(view: &mut View, change: &Change) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO ledger_change (table_name, row_key, version, seq, row_sha256, after_image) \
         VALUES ($1, $2, $3, $4, $5, $6)";
    on!(view, c => query(SQL)
        .bind(&change.table_name).bind(&change.row_key).bind(change.version).bind(change.seq)
        .bind(change.row_sha256).bind(&change.after_image)
        .execute(c).await.map(drop))?;
    Ok(())
}

async fn insert_evidence(view: &mut View, piece: &Evidence) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO ledger_artifact (seq, role, sha256) VALUES ($1, $2, $3)";
    on!(view, c => query(SQL).bind(piece.seq).bind(&piece.role).bind(piece.sha256).execute(c).await.map(drop))?;
    Ok(())
}

/// Tells an error that leaves open whether the database committed apart from one that does not.
fn not_committed(error: StoreError) -> SealError {
    // A server that shuts down may say so after it has committed, and a failing disk may have kept what it was given.
    if error.kind == Failure::Unreachable {
        SealError::Unknown(error)
    } else {
        SealError::NotWritten(error)
    }
}
