//! Measures the runner of SQL bundles: a baseline of many tables against a plain read of the catalogue, and a script whose rows
//! are counted against the same script without.
//!
//! Every number is a ratio of two sides measured in one run. SQLite works in a file of the temp folder; PostgreSQL is
//! measured where `GOVDECK_BENCH_DSN` names a database that may be filled, as `scripts/bench` does.

use std::error::Error;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use govdeck::bundles::sql::{Applied, Change, Script, Target};
use govdeck::rules::bundle::{Approvals, Artifacts, Declaration, Kind, Limits, Runner, Scope};
use govdeck::settings::Dsn;
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};

type Done<T> = Result<T, Box<dyn Error>>;

fn main() -> Done<()> {
    let is_trial = !std::env::args().any(|word| word == "--bench");
    let size = if is_trial {
        Size {
            tables: 20,
            rows: 1_000,
            rounds: 1,
        }
    } else {
        Size {
            tables: 5_000,
            rows: 1_000_000,
            rounds: 3,
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("bench.db");
        std::fs::File::create(&path)?;
        measure("SQLite", &format!("sqlite:{}", path.display()), size).await?;
        if let Ok(dsn) = std::env::var("GOVDECK_BENCH_DSN") {
            measure("PostgreSQL", &dsn, size).await
        } else {
            println!("PostgreSQL: not measured, GOVDECK_BENCH_DSN is not set");
            Ok(())
        }
    })
}

#[derive(Clone, Copy)]
struct Size {
    tables: u32,
    rows: u32,
    rounds: u32,
}

/// A plain connection, for what is compared with.
enum Plain {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Plain {
    async fn open(dsn: &str) -> Done<Self> {
        Ok(if dsn.starts_with("sqlite:") {
            Self::Sqlite(SqliteConnection::connect(dsn).await?)
        } else {
            Self::Postgres(PgConnection::connect(dsn).await?)
        })
    }

    /// Runs a text in one transaction.
    async fn run(&mut self, sql: &str) -> Done<()> {
        let sql = AssertSqlSafe(format!("BEGIN; {sql}; COMMIT;"));
        match self {
            Self::Sqlite(c) => sqlx::raw_sql(sql).execute(c).await.map(drop)?,
            Self::Postgres(c) => sqlx::raw_sql(sql).execute(c).await.map(drop)?,
        }
        Ok(())
    }

    /// Runs a statement in a transaction, and tells how long it took by itself, as for one that is counted.
    async fn took(&mut self, sql: &str) -> Done<Duration> {
        let mut took = Duration::ZERO;
        for (at, sql) in ["BEGIN", sql, "COMMIT"].into_iter().enumerate() {
            let begun = Instant::now();
            let sql = AssertSqlSafe(sql.to_owned());
            match self {
                Self::Sqlite(c) => sqlx::raw_sql(sql).execute(c).await.map(drop)?,
                Self::Postgres(c) => sqlx::raw_sql(sql).execute(c).await.map(drop)?,
            }
            if at == 1 {
                took = begun.elapsed();
            }
        }
        Ok(took)
    }

    /// Reads all rows of the catalogue's table of tables.
    async fn catalogue(&mut self) -> Done<usize> {
        Ok(match self {
            Self::Sqlite(c) => {
                const ALL: &str = "SELECT type, name, tbl_name, sql FROM sqlite_schema";
                sqlx::query(ALL).fetch_all(c).await?.len()
            }
            Self::Postgres(c) => {
                const ALL: &str =
                    "SELECT CAST(relname AS TEXT), CAST(relkind AS TEXT), relnatts FROM pg_class";
                sqlx::query(ALL).fetch_all(c).await?.len()
            }
        })
    }
}

async fn measure(name: &str, dsn: &str, size: Size) -> Done<()> {
    let mut plain = Plain::open(dsn).await?;
    let Size {
        tables,
        rows,
        rounds,
    } = size;
    for begin in (0..tables).step_by(100) {
        let mut sql = String::new();
        for n in begin..tables.min(begin + 100) {
            write!(
                sql,
                "CREATE TABLE bench_{n} (a INTEGER PRIMARY KEY, b TEXT NOT NULL DEFAULT 'x', c INTEGER CHECK (c > 0), d REAL, e TEXT); \
                 CREATE INDEX bench_{n}_b ON bench_{n} (b);"
            )?;
        }
        plain.run(&sql).await?;
    }
    plain
        .run("CREATE TABLE counted (a INTEGER PRIMARY KEY, b INTEGER)")
        .await?;
    let target = Target::open(&Dsn::parse(dsn)?).await?;
    let declaration = allowing_counted();
    let (mut looked, mut read, mut objects) = (Duration::ZERO, Duration::ZERO, 0);
    for _ in 0..rounds {
        let begun = Instant::now();
        objects = target.baseline(&declaration.scope).await?.objects.len();
        looked += begun.elapsed();
        let begun = Instant::now();
        std::hint::black_box(plain.catalogue().await?);
        read += begun.elapsed();
    }
    println!(
        "{name}: a baseline of {tables} tables ({objects} objects) takes {:.2} s; {:.1} x a plain read of the catalogue",
        looked.as_secs_f64() / f64::from(rounds),
        looked.as_secs_f64() / read.as_secs_f64()
    );
    let fill = format!(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows}) INSERT INTO counted SELECT i, i FROM n"
    );
    let steps = [
        fill.as_str(),
        "UPDATE counted SET b = b + 1",
        "DELETE FROM counted WHERE b > 0",
    ];
    let (mut counted, mut uncounted) = ([Duration::ZERO; 3], [Duration::ZERO; 3]);
    for _ in 0..rounds {
        for (at, step) in steps.iter().enumerate() {
            counted[at] += took(&target, &declaration, step).await?;
        }
        for (at, step) in steps.iter().enumerate() {
            uncounted[at] += plain.took(step).await?;
        }
    }
    for (at, verb) in ["INSERT", "UPDATE", "DELETE"].iter().enumerate() {
        println!(
            "{name}: {verb} of {rows} rows takes {:.2} x the time of the same statement that nobody counts",
            counted[at].as_secs_f64() / uncounted[at].as_secs_f64()
        );
    }
    target.close().await;
    Ok(())
}

/// Runs a statement under its declaration, and tells how long it took by itself.
async fn took(target: &Target, declaration: &Declaration, statement: &str) -> Done<Duration> {
    let script = Script::read(target.dialect(), &[("forward.sql", statement)]);
    let script = script.map_err(|findings| format!("{findings:?}"))?;
    let change = Change {
        declaration,
        forward: &script,
        rollback: None,
    };
    match target.apply(change).await? {
        Applied::Ready(ready) => Ok(ready.commit().await?.took),
        other => Err(format!("not applied: {other:?}").into()),
    }
}

fn allowing_counted() -> Declaration {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Declaration {
        migration_id: "PG-MIG-2026-03-01-01".to_owned(),
        kind: Kind::Postgis,
        intent: "a bench".to_owned(),
        scope: Scope {
            allowed_schemas: owned(&["main", "public"]),
            allowed_tables: owned(&["counted"]),
            ..Scope::default()
        },
        limits: Limits {
            max_table_count_touched: 1,
            max_index_count_delta: 0,
            max_row_backfill: 10_000_000,
        },
        requires_rollback: false,
        approvals: Approvals {
            required_reviewers: Vec::new(),
            change_class: "ordinary".to_owned(),
            reference: None,
        },
        runner: Runner {
            tool: "govdeck".to_owned(),
            command: "govdeck bundle apply".to_owned(),
            environment: Vec::new(),
        },
        artifacts: Artifacts {
            forward: Vec::new(),
            rollback: Vec::new(),
            pre: String::new(),
            post: String::new(),
            summary: String::new(),
        },
    }
}
