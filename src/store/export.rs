//! What is taken out of the ledger for somebody else: entries with everything filed with them, verified one by one.

use std::collections::VecDeque;

use sqlx::FromRow;

use super::ledger::{self, ENTRY_COLUMNS, Entry, Evidence, Head};
use super::verify::Finding;
use super::verify::one::Checker;
use super::view::{on, query_as};
use super::{StoreError, View};
use crate::canon::Digest;

/// How many entries are read at a time.
const PAGE: i64 = 200;

/// Which entries are taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// The first position.
    pub from: i64,
    /// The last position; none where it goes on to the newest.
    pub upto: Option<i64>,
    /// The target or person that they are about; none where it does not matter.
    pub subject: Option<String>,
}

/// One entry, with its card and the exact bytes that its hash is taken over.
#[derive(Debug)]
pub struct Taken {
    /// The entry.
    pub entry: Entry,
    /// What its hash is taken over.
    pub hashed: Vec<u8>,
    /// Its decision card.
    pub card: Vec<u8>,
    /// What else was filed with it, by role.
    pub evidence: Vec<Evidence>,
}

/// An artefact as it is stored.
#[derive(Debug, FromRow)]
pub struct Stored {
    /// What kind of bytes they are.
    pub media_type: String,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// Something came out of the database, or it does not verify.
pub type Verified<T> = Result<T, Finding>;

/// Reads the entries of a scope in their order, a page at a time.
pub struct Export {
    scope: Scope,
    checker: Checker,
    after: i64,
    page: VecDeque<Entry>,
    newest: Option<(i64, Digest)>,
}

impl Export {
    /// Begins at the scope's first entry, unless the keys of the deployment do not verify.
    pub async fn begin(view: &mut View, scope: Scope) -> Result<Verified<Self>, StoreError> {
        let (checker, findings) = Checker::begin(view).await?;
        Ok(match findings.into_iter().next() {
            Some(finding) => Err(finding),
            None => Ok(Self {
                after: scope.from.saturating_sub(1),
                scope,
                checker,
                page: VecDeque::new(),
                newest: None,
            }),
        })
    }

    /// Returns the ledger's head.
    #[must_use]
    pub fn head(&self) -> &Head {
        self.checker.head()
    }

    /// Reads the next entry, verified; none after the last.
    pub async fn next_entry(
        &mut self,
        view: &mut View,
    ) -> Result<Option<Verified<Taken>>, StoreError> {
        if self.page.is_empty() {
            self.page = self.read_page(view).await?.into();
        }
        let Some(entry) = self.page.pop_front() else {
            return Ok(self.cut_off().map(Err));
        };
        let seq = entry.seq;
        self.after = seq;
        self.newest = Some((seq, entry.hash));
        let changes = ledger::changes(view, seq, seq).await?;
        let evidence = ledger::evidence(view, seq, seq).await?;
        let findings = self.checker.entry(view, &entry, &changes, &evidence);
        if let Some(finding) = findings.await?.into_iter().next() {
            return Ok(Some(Err(finding)));
        }
        let card = match stored(view, seq, "decision card", entry.card_sha256).await? {
            Ok(card) => card.bytes,
            Err(finding) => return Ok(Some(Err(finding))),
        };
        Ok(Some(Ok(Taken {
            hashed: entry.hashed_bytes(&changes, &evidence)?,
            entry,
            card,
            evidence,
        })))
    }

    /// Finds that the head names another entry than the last one, where the scope goes on to the newest.
    fn cut_off(&self) -> Option<Finding> {
        let to_the_end = self.scope.upto.is_none() && self.scope.subject.is_none();
        let (newest, hash) = self.newest.filter(|_| to_the_end)?;
        let head = self.head();
        ((head.seq, head.hash) != (newest, hash)).then(|| Finding {
            place: "ledger_head".to_owned(),
            wrong: format!("names entry {}, the newest entry is {newest}", head.seq),
        })
    }

    async fn read_page(&self, view: &mut View) -> Result<Vec<Entry>, StoreError> {
        let sql = format!(
            "SELECT {ENTRY_COLUMNS} FROM governance_ledger WHERE seq > $1 AND ($2 IS NULL OR seq <= $2) AND ($3 IS NULL \
             OR target_id = $3 OR actor_id = $3 OR approved_by = $3 \
             OR EXISTS (SELECT 1 FROM ledger_change c WHERE c.seq = governance_ledger.seq \
             AND (c.row_key = $3 OR substr(c.row_key, 1, length($3) + 1) = $3 || '/'))) ORDER BY seq LIMIT $4"
        );
        let Scope { upto, subject, .. } = &self.scope;
        Ok(on!(view, c => {
            query_as(sqlx::AssertSqlSafe(sql)).bind(self.after).bind(upto).bind(subject.as_deref()).bind(PAGE).fetch_all(c).await
        })?)
    }
}

/// Reads an artefact that an entry names, if it still has the bytes that it is named by.
pub async fn stored(
    view: &mut View,
    seq: i64,
    what: &str,
    sha256: Digest,
) -> Result<Verified<Stored>, StoreError> {
    const SQL: &str = "SELECT media_type, bytes FROM artifact WHERE sha256 = $1";
    let found: Option<Stored> = on!(view, c => query_as(SQL).bind(sha256).fetch_optional(c).await)?;
    let wrong = |wrong: String| Finding {
        place: format!("entry {seq}"),
        wrong,
    };
    Ok(match found {
        None => Err(wrong(format!("its {what} {sha256} is missing"))),
        Some(found) if Digest::of(&found.bytes) != sha256 => Err(wrong(format!(
            "the bytes of its {what} {sha256} were altered"
        ))),
        Some(found) => Ok(found),
    })
}
