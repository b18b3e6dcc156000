//! Both halves of every pair, compared in the database: counts for a scan, and the rows themselves of one metric.

use sqlx::{AssertSqlSafe, FromRow};

use super::scan::Scan;
use super::walk::{Walk, end_walk};
use crate::rules::migration::{DICTIONARY, Dialect, LONG_VIEW, WIDE_VIEW, differing_in_view};
use crate::store::view::{Session, on, query, query_as, query_scalar};
use crate::store::{Store, StoreError, View};

/// How many metrics of a scan are kept at most, those with the most mismatches.
pub const KEPT: usize = 1_000;
/// How many rows one statement writes; each binds four values.
const AT_ONCE: usize = 200;

/// How often a metric did not match in the rows of a squad.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, FromRow)]
pub struct Mismatches {
    /// The metric.
    pub metric_id: String,
    /// The squad whose rows they are.
    pub owning_squad: String,
    /// How many rows.
    pub mismatches: i64,
}

/// The metrics whose rows are looked at: those after the one, up to and with the other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stretch {
    /// The metric before the first; none where they are looked at from the first on.
    pub after: Option<String>,
    /// The last; none where they are looked at to the last.
    pub until: Option<String>,
}

impl Stretch {
    /// Returns the condition for a column; [`Self::bounds`] are its values.
    fn of(&self, column: &str) -> String {
        let after = self.after.as_ref().map(|_| format!("{column} > $1"));
        let at = 1 + usize::from(after.is_some());
        let until = self.until.as_ref().map(|_| format!("{column} <= ${at}"));
        let both: Vec<String> = after.into_iter().chain(until).collect();
        if both.is_empty() {
            return "TRUE".to_owned();
        }
        both.join(" AND ")
    }

    fn bounds(&self) -> impl Iterator<Item = &str> {
        [&self.after, &self.until]
            .into_iter()
            .flatten()
            .map(|it| &**it)
    }
}

/// What a look at rows found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Compared {
    /// How many rows there are in the dictionary.
    pub there: i64,
    /// How many rows there are in the view.
    pub rows: i64,
    /// Of how many a pair does not match.
    pub mismatches: i64,
    /// By metric and squad, the worst first; at most [`KEPT`].
    pub worst: Vec<Mismatches>,
}

impl Compared {
    /// Adds what a look at other metrics found.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        self.there += others.there;
        self.rows += others.rows;
        self.mismatches += others.mismatches;
        self.worst.extend(others.worst);
        let key = |it: &Mismatches| {
            let (metric, squad) = (it.metric_id.clone(), it.owning_squad.clone());
            (std::cmp::Reverse(it.mismatches), metric, squad)
        };
        self.worst.sort_by_cached_key(key);
        self.worst.truncate(KEPT);
        self
    }
}

/// Tells which text the database of a view reads.
#[must_use]
pub fn dialect(view: &View) -> Dialect {
    if view.is_postgres() {
        Dialect::Postgres
    } else {
        Dialect::Sqlite
    }
}

/// Lets PostgreSQL read nothing but the index on what differs: it takes that for nearly every row.
const BY_INDEX: &str = "SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL max_parallel_workers_per_gather = 0";
const AS_BEFORE: &str = "SET LOCAL enable_seqscan TO DEFAULT; SET LOCAL enable_bitmapscan TO DEFAULT; \
     SET LOCAL max_parallel_workers_per_gather TO DEFAULT";

/// Compares both halves of pairs in the rows of some metrics, in the database.
pub async fn compare(
    view: &mut View,
    pairs: &[(&str, &str)],
    stretch: &Stretch,
) -> Result<Compared, StoreError> {
    let there = count(view, DICTIONARY, stretch).await?;
    let rows = count(view, WIDE_VIEW, stretch).await?;
    let (mismatches, worst) = differing(view, pairs, stretch).await?;
    Ok(Compared {
        there,
        rows,
        mismatches,
        worst,
    })
}

/// Counts the rows of the dictionary itself.
pub async fn rows_of_dictionary(view: &mut View) -> Result<i64, StoreError> {
    count(view, DICTIONARY, &Stretch::default()).await
}

async fn count(view: &mut View, of: &str, stretch: &Stretch) -> Result<i64, StoreError> {
    let sql = format!(
        "SELECT CAST(COUNT(*) AS BIGINT) FROM {of} v WHERE {}",
        stretch.of("v.dictionary_metric_id")
    );
    Ok(on!(view, c => {
        let mut count = query_scalar(AssertSqlSafe(sql));
        for bound in stretch.bounds() {
            count = count.bind(bound);
        }
        count.fetch_one(c).await
    })?)
}

/// Counts the rows of some metrics of which a pair does not match, all of them and by metric and squad.
///
/// The plus signs keep SQLite from walking a whole index to group by it.
pub async fn differing(
    view: &mut View,
    pairs: &[(&str, &str)],
    stretch: &Stretch,
) -> Result<(i64, Vec<Mismatches>), StoreError> {
    #[derive(FromRow)]
    struct Group {
        metric_id: String,
        owning_squad: String,
        mismatches: i64,
        all_of_them: i64,
    }
    let (plus, is_indexed) = match dialect(view) {
        Dialect::Sqlite => ("+", false),
        Dialect::Postgres => ("", is_indexed(view).await?),
    };
    let sql = format!(
        "SELECT v.dictionary_metric_id AS metric_id, v.owning_squad AS owning_squad, CAST(COUNT(*) AS BIGINT) AS mismatches, \
         CAST(SUM(COUNT(*)) OVER () AS BIGINT) AS all_of_them FROM {WIDE_VIEW} v WHERE ({}) AND {} \
         GROUP BY {plus}v.dictionary_metric_id, {plus}v.owning_squad ORDER BY 3 DESC, 1, 2 LIMIT {KEPT}",
        differing_in_view(pairs),
        stretch.of("v.dictionary_metric_id")
    );
    if is_indexed {
        set(view, BY_INDEX).await?;
    }
    let found: Vec<Group> = on!(view, c => {
        let mut groups = query_as(AssertSqlSafe(sql));
        for bound in stretch.bounds() {
            groups = groups.bind(bound);
        }
        groups.fetch_all(c).await
    })?;
    if is_indexed {
        set(view, AS_BEFORE).await?;
    }
    let all_of_them = found.first().map_or(0, |group| group.all_of_them);
    let worst = found.into_iter().map(|group| Mismatches {
        metric_id: group.metric_id,
        owning_squad: group.owning_squad,
        mismatches: group.mismatches,
    });
    Ok((all_of_them, worst.collect()))
}

async fn set(view: &mut View, settings: &'static str) -> Result<(), StoreError> {
    if let Session::Postgres(t) = &mut view.session {
        sqlx::raw_sql(settings).execute(&mut **t).await?;
    }
    Ok(())
}

/// Tells whether PostgreSQL has the index on what differs, and may use it.
async fn is_indexed(view: &mut View) -> Result<bool, StoreError> {
    const SQL: &str = "SELECT i.indisvalid FROM pg_catalog.pg_index i WHERE i.indexrelid = to_regclass('dual_write_mismatch') \
         AND i.indrelid = to_regclass('governance_metric_dictionary_current')";
    let Session::Postgres(t) = &mut view.session else {
        return Ok(false);
    };
    let found: Option<bool> = query_scalar(SQL).fetch_optional(&mut **t).await?;
    Ok(found.unwrap_or(false))
}

/// Tells whether both views stand.
pub async fn views_stand(view: &mut View) -> Result<bool, StoreError> {
    let (sqlite, postgres) = (
        format!(
            "SELECT COUNT(*) FROM sqlite_master WHERE type = 'view' AND name IN ('{WIDE_VIEW}', '{LONG_VIEW}')"
        ),
        format!("SELECT COUNT(to_regclass('{WIDE_VIEW}')) + COUNT(to_regclass('{LONG_VIEW}'))"),
    );
    let found: i64 = match &mut view.session {
        Session::Sqlite(t) => {
            query_scalar(AssertSqlSafe(sqlite))
                .fetch_one(&mut **t)
                .await?
        }
        Session::Postgres(t) => {
            query_scalar(AssertSqlSafe(postgres))
                .fetch_one(&mut **t)
                .await?
        }
    };
    Ok(found == 2)
}

/// Files a scan with its metrics, and ends what was found kept: a feed, written in one short transaction. Tells whether it did;
/// what somebody else has gone on with is left to them.
pub async fn file(
    store: &Store,
    scan: &Scan,
    worst: &[Mismatches],
    found: Option<&Walk>,
) -> Result<bool, StoreError> {
    const SQL: &str = "INSERT INTO dual_write_scan (scan_id, migration_id, scanned_at_utc, status, rows_total, mismatches, \
         inputs_sha256, detail, looked_until_utc) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    // Feeds are not in the ledger, so nothing queues up for its head.
    let mut view = store.view_for_writing("SELECT 1").await?;
    if let Some(found) = found
        && !end_walk(&mut view, found).await?
    {
        return Ok(false);
    }
    on!(view, c => query(SQL)
        .bind(&scan.scan_id).bind(&scan.migration_id).bind(scan.scanned_at_utc).bind(scan.status).bind(scan.rows_total)
        .bind(scan.mismatches).bind(&scan.inputs_sha256).bind(&scan.detail).bind(scan.looked_until_utc)
        .execute(c).await.map(drop))?;
    for some in worst.chunks(AT_ONCE) {
        let places: Vec<String> = (0..some.len())
            .map(|row| {
                let at = row * 4;
                format!("(${}, ${}, ${}, ${})", at + 1, at + 2, at + 3, at + 4)
            })
            .collect();
        let sql = format!(
            "INSERT INTO dual_write_scan_metric (scan_id, metric_id, owning_squad, mismatches) VALUES {}",
            places.join(", ")
        );
        on!(view, c => {
            let mut insert = query(AssertSqlSafe(sql));
            for it in some {
                insert = insert.bind(&scan.scan_id).bind(&it.metric_id).bind(&it.owning_squad).bind(it.mismatches);
            }
            insert.execute(c).await.map(drop)
        })?;
    }
    view.commit().await?;
    Ok(true)
}

/// Both values of a pair in one row of the dictionary that do not match, as text; what they hold may be hostile.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, FromRow)]
pub struct RowPair {
    /// The row's filter; empty where it has none.
    pub dimension_filter_id: String,
    /// The squad whose row it is.
    pub owning_squad: String,
    /// The column that goes.
    pub legacy_column: String,
    /// The column that comes.
    pub modern_column: String,
    /// What stands in the one.
    pub legacy_value: Option<String>,
    /// What stands in the other.
    pub modern_value: Option<String>,
}

/// Reads, as they are now, the pairs of a metric's rows that do not match; none where the views do not stand.
pub async fn row_pairs(
    view: &mut View,
    metric: &str,
    most: u16,
) -> Result<Option<Vec<RowPair>>, StoreError> {
    const SQL: &str = "SELECT p.dimension_filter_id, p.owning_squad, p.legacy_column, p.modern_column, p.legacy_value, p.modern_value \
         FROM dual_write_pair_health p WHERE p.dictionary_metric_id = $1 AND p.health = 'MISMATCH' \
         ORDER BY p.dimension_filter_id, p.legacy_column LIMIT $2";
    if !views_stand(view).await? {
        return Ok(None);
    }
    let rows = on!(view, c => query_as(SQL).bind(metric).bind(i64::from(most)).fetch_all(c).await)?;
    Ok(Some(rows))
}
