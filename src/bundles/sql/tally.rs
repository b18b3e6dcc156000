//! Attributes changed rows to tables of SQLite, through renames and rebuilds.
//!
//! SQLite tells of each changed row through a hook, but for rows of tables without a rowid and for a whole table emptied at
//! once. Its own sum of changes has these too: what the hook did not see belongs to the statement's own table, unless that
//! has triggers that may have changed others. Then nobody can tell.

use std::collections::BTreeMap;
use std::sync::Arc;

use sqlx::sqlite::SqliteConnection;

use super::catalog::{Held, own};
use super::rows::Touched;
use super::script::Statement;
use super::sqlite::quoted;
use super::tokens::{Dialect, Kind, Token, tokens};
use super::watch::{Changes, Watch};
use crate::store::StoreError;

/// Follows tables through a script: what was counted under which name, and what became of the table.
#[derive(Debug)]
pub(super) struct Tally {
    watch: Arc<Watch>,
    /// Present tables by their names, with the id that lasts: the root page that the table had at first.
    tables: BTreeMap<String, Known>,
    /// What SQLite's sum of changes is ahead of the rows that were seen.
    offset: u64,
    next_id: i64,
}

#[derive(Debug, Clone)]
struct Known {
    id: i64,
    root: i64,
    /// The full name that it had at first, where it was there.
    at_first: Option<String>,
}

/// Says that rows changed which cannot be told of any table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CannotTell(pub String);

impl Tally {
    /// Begins with the tables as they are; the ids of tables to come begin behind theirs.
    pub async fn begin(
        watch: Arc<Watch>,
        connection: &mut SqliteConnection,
        held: &[Held],
    ) -> Result<Self, StoreError> {
        let name = |table: &Held| table.name.trim_start_matches("main.").to_owned();
        let known = |table: &Held| Known {
            id: table.id,
            root: table.id.max(0),
            at_first: Some(table.name.clone()),
        };
        let tables = held.iter().map(|table| (name(table), known(table)));
        let next_id = held.iter().map(|table| table.id).max().unwrap_or(0) + 1_000_000_000;
        let offset = total_changes(connection).await?;
        *watch.changes() = Changes::default();
        Ok(Self {
            watch,
            tables: tables.collect(),
            offset,
            next_id,
        })
    }

    /// Accounts for a statement that has just run.
    pub async fn after(
        &mut self,
        connection: &mut SqliteConnection,
        statement: &Statement,
    ) -> Result<Result<(), CannotTell>, StoreError> {
        let words = significant(&statement.text);
        let total = total_changes(connection).await?;
        let (by_sum, seen) = (total.saturating_sub(self.offset), self.watch.seen());
        if seen > by_sum {
            let what = format!("SQLite told of {seen} changed rows, and counts {by_sum}");
            return Ok(Err(CannotTell(what)));
        }
        let unseen = by_sum - seen;
        if unseen > 0
            && let Err(why) = self.attribute(connection, &words, unseen).await?
        {
            return Ok(Err(why));
        }
        if words.first().is_some_and(|first| {
            ["create", "alter", "drop"]
                .iter()
                .any(|word| first.is(word))
        }) {
            self.follow(connection).await?;
            self.rewritten(connection, &words).await?;
        }
        Ok(Ok(()))
    }

    /// Gives rows that no hook saw to the table that the statement names.
    async fn attribute(
        &self,
        connection: &mut SqliteConnection,
        words: &[Token<'_>],
        unseen: u64,
    ) -> Result<Result<(), CannotTell>, StoreError> {
        const TRIGGERS: &str = "SELECT COUNT(*) FROM (SELECT tbl_name FROM main.sqlite_schema WHERE type = 'trigger' \
             UNION ALL SELECT tbl_name FROM temp.sqlite_schema WHERE type = 'trigger') WHERE tbl_name = $1 COLLATE NOCASE";
        let cannot = |what: &str| {
            CannotTell(format!(
                "{unseen} rows changed that SQLite told of no table: {what}"
            ))
        };
        // Whatever a new virtual table writes into is new too, and counts the rows that it holds in the end.
        if words.first().is_some_and(|first| first.is("create"))
            && words.get(1).is_some_and(|second| second.is("virtual"))
        {
            self.watch.changes().elsewhere += unseen;
            return Ok(Ok(()));
        }
        let Some((verb, name)) = target(words) else {
            return Ok(Err(cannot("the statement names no table that it changes")));
        };
        let triggers: i64 = sqlx::query_scalar(TRIGGERS)
            .bind(&name)
            .fetch_one(connection)
            .await?;
        if triggers > 0 {
            return Ok(Err(cannot(
                "the table has triggers, which may have changed others; write DELETE with a WHERE, row by row",
            )));
        }
        let found = self
            .tables
            .keys()
            .find(|table| table.eq_ignore_ascii_case(&name));
        let mut changes = self.watch.changes();
        let Some(table) = found else {
            changes.elsewhere += unseen;
            return Ok(Ok(()));
        };
        let change = changes.tables.entry(table.clone()).or_default();
        match verb {
            "delete" => change.deleted += unseen,
            "update" => change.updated += unseen,
            _ => change.inserted += unseen,
        }
        Ok(Ok(()))
    }

    /// Finds out which tables have other names now, are gone, or are new.
    async fn follow(&mut self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        let now = roots(connection).await?;
        self.rename(&now);
        // What a dropped table counted went with it; the sums have to be equal again.
        let total = total_changes(connection).await?;
        self.offset = total.saturating_sub(self.watch.seen());
        Ok(())
    }

    fn rename(&mut self, now: &BTreeMap<String, i64>) {
        let is_gone = |name: &String, _: &mut Known| !now.contains_key(name);
        let gone: Vec<(String, Known)> = self.tables.extract_if(.., is_gone).collect();
        let mut changes = self.watch.changes();
        let mut moved = Vec::new();
        for (name, root) in now {
            if let Some(known) = self.tables.get_mut(name) {
                known.root = *root;
                continue;
            }
            let is_same = |known: &Known| known.root == *root && *root != 0;
            let known =
                if let Some((earlier, known)) = gone.iter().find(|(_, known)| is_same(known)) {
                    let counted = changes.tables.remove(earlier);
                    moved.extend(counted.map(|change| (name.clone(), change)));
                    known.clone()
                } else {
                    self.next_id += 1;
                    Known {
                        id: self.next_id,
                        root: *root,
                        at_first: None,
                    }
                };
            self.tables.insert(name.clone(), known);
        }
        for (name, _) in &gone {
            changes.tables.remove(name);
        }
        changes.tables.extend(moved);
    }

    /// `ALTER TABLE … DROP` writes every row anew and tells nobody.
    async fn rewritten(
        &mut self,
        connection: &mut SqliteConnection,
        words: &[Token<'_>],
    ) -> Result<(), StoreError> {
        let is_drop = words.first().is_some_and(|first| first.is("alter"))
            && words.iter().skip(3).any(|word| word.is("drop"));
        let Some(name) = is_drop.then(|| named(words, 2)).flatten() else {
            return Ok(());
        };
        let Some(table) = self
            .tables
            .keys()
            .find(|table| table.eq_ignore_ascii_case(&name))
            .cloned()
        else {
            return Ok(());
        };
        let sql = format!("SELECT COUNT(*) FROM {}", quoted(&table));
        let rows: i64 = sqlx::query_scalar(own(sql))
            .persistent(false)
            .fetch_one(connection)
            .await?;
        let mut changes = self.watch.changes();
        changes.tables.entry(table).or_default().rewritten += u64::try_from(rows).unwrap_or(0);
        Ok(())
    }

    /// Gives the tables that lie there now their lasting ids, and says what was observed of each.
    ///
    /// Rows that REPLACE removed are told by nobody; a table that has fewer rows than were put in and taken out lost them so.
    pub fn finish(
        &self,
        post: &mut [Held],
        rows: impl Fn(&str, &str) -> Option<(u64, u64)>,
    ) -> BTreeMap<i64, Touched> {
        let changes = self.watch.changes();
        let mut observed = BTreeMap::new();
        for table in post {
            let bare = table.name.trim_start_matches("main.").to_owned();
            let Some(known) = self.tables.get(&bare) else {
                continue;
            };
            table.id = known.id;
            let change = changes.tables.get(&bare).copied().unwrap_or_default();
            let mut counted = change.sum() + change.rewritten;
            let at_first = known.at_first.as_deref();
            if let Some((before, after)) = at_first.and_then(|earlier| rows(earlier, &table.name)) {
                let expected = (before + change.inserted).saturating_sub(change.deleted);
                counted += expected.saturating_sub(after);
            }
            observed.insert(
                known.id,
                Touched {
                    counted,
                    more: None,
                },
            );
        }
        observed
    }
}

async fn total_changes(connection: &mut SqliteConnection) -> Result<u64, StoreError> {
    let total: i64 = sqlx::query_scalar("SELECT total_changes()")
        .fetch_one(connection)
        .await?;
    Ok(u64::try_from(total).unwrap_or(0))
}

async fn roots(connection: &mut SqliteConnection) -> Result<BTreeMap<String, i64>, StoreError> {
    const SQL: &str = "SELECT name, rootpage FROM main.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
    let found: Vec<(String, i64)> = sqlx::query_as(SQL).fetch_all(connection).await?;
    Ok(found.into_iter().collect())
}

fn significant(text: &str) -> Vec<Token<'_>> {
    let mut found = tokens(text, Dialect::Sqlite).unwrap_or_default();
    found.retain(|token| token.kind != Kind::Blank);
    found
}

/// Finds the verb that changes rows, outside brackets, and the table after it.
fn target(words: &[Token<'_>]) -> Option<(&'static str, String)> {
    let mut depth = 0_i32;
    for (at, token) in words.iter().enumerate() {
        depth += i32::from(token.is_sign("(")) - i32::from(token.is_sign(")"));
        let verb = ["insert", "replace", "update", "delete"]
            .into_iter()
            .find(|verb| token.is(verb));
        if let (0, Some(verb)) = (depth, verb) {
            let mut next = at + 1;
            while let Some(word) = words.get(next) {
                let skipped = [
                    "or", "rollback", "abort", "replace", "fail", "ignore", "into", "from",
                ];
                if !skipped.iter().any(|skipped| word.is(skipped)) {
                    break;
                }
                next += 1;
            }
            return named(words, next).map(|name| (verb, name));
        }
    }
    None
}

/// Reads `name` or `schema.name`.
fn named(words: &[Token<'_>], at: usize) -> Option<String> {
    let qualified = words.get(at + 1).is_some_and(|next| next.is_sign("."));
    let token = words.get(if qualified { at + 2 } else { at })?;
    let is_text = token.kind == Kind::Text;
    token.name().or_else(|| is_text.then(|| token.content()))
}
