//! Databases that bundles run on, each of its own, with an independent way to look at them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use govdeck::bundles::Observed;
use govdeck::bundles::sql::{Applied, Change, Dialect, Ready, Script, Target};
use govdeck::rules::bundle::{
    Approvals, Artifacts, Declaration, Kind, Limits, Reason, Runner, Scope,
};
use govdeck::settings::Dsn;

use super::cluster::{SUPERUSER, cluster};
use super::sqlite_shell;

/// Runs one story on a target on SQLite and on one on PostgreSQL.
macro_rules! on_targets {
    ($name:ident, |$ground:ident| $story:block) => {
        mod $name {
            #[allow(unused_imports, reason = "not every story needs everything around it")]
            use super::*;

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                let $ground = $crate::support::ground::Ground::sqlite();
                $story
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                let $ground = $crate::support::ground::Ground::postgres();
                $story
            }
        }
    };
}
pub(crate) use on_targets;

/// A database to run bundles on, and a way to look at it that shares nothing with the runner.
pub struct Ground {
    place: Where,
    _folder: tempfile::TempDir,
}

enum Where {
    File(PathBuf),
    Database(String),
}

/// What there is at first: two tables that refer to each other, an index, a view, and a table that nobody may touch.
const FIRST: &str = "
    CREATE TABLE squad (squad_id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
    CREATE TABLE metric (metric_id INTEGER PRIMARY KEY, squad_id INTEGER REFERENCES squad (squad_id), label TEXT DEFAULT 'x', CHECK (label <> ''));
    CREATE INDEX metric_label ON metric (label);
    CREATE VIEW labels AS SELECT label FROM metric;
    CREATE TABLE treasure (coin INTEGER PRIMARY KEY);
    CREATE TABLE standard (code TEXT PRIMARY KEY, meaning TEXT);
    INSERT INTO squad VALUES (1, 'a'), (2, 'b');
    INSERT INTO metric VALUES (1, 1, 'p'), (2, 1, 'q'), (3, 2, 'r');
    INSERT INTO treasure VALUES (1), (2);
    INSERT INTO standard VALUES ('m', 'metre'), ('s', NULL);
";

impl Ground {
    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("target.db");
        let ground = Self {
            place: Where::File(path),
            _folder: folder,
        };
        ground.sql(FIRST);
        ground
    }

    pub fn postgres() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("target_{}", NUMBER.fetch_add(1, Ordering::SeqCst));
        cluster().create_database(&name, None, SUPERUSER);
        let ground = Self {
            place: Where::Database(name),
            _folder: tempfile::tempdir().expect("a folder"),
        };
        ground.sql(FIRST);
        ground
    }

    pub fn is_postgres(&self) -> bool {
        matches!(self.place, Where::Database(_))
    }

    pub fn dialect(&self) -> Dialect {
        if self.is_postgres() {
            Dialect::Postgres
        } else {
            Dialect::Sqlite
        }
    }

    /// Runs SQL with the database's own shell.
    pub fn sql(&self, sql: &str) -> String {
        self.try_sql(sql)
            .unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    pub fn try_sql(&self, sql: &str) -> Result<String, String> {
        match &self.place {
            Where::File(path) => sqlite_shell(path, sql),
            Where::Database(name) => cluster().psql(SUPERUSER, name, sql),
        }
    }

    pub fn dsn(&self) -> Dsn {
        let text = match &self.place {
            Where::File(path) => format!("sqlite:{}", path.display()),
            Where::Database(name) => cluster().url(SUPERUSER, name),
        };
        Dsn::parse(&text).expect("a DSN")
    }

    pub async fn target(&self) -> Target {
        Target::open(&self.dsn()).await.expect("the target opens")
    }

    pub fn script(&self, text: &str) -> Script {
        Script::read(self.dialect(), &[("forward.sql", text)])
            .unwrap_or_else(|findings| panic!("{text}: {findings:?}"))
    }

    /// Everything that a plan may not change: all bytes of the file, or all rows of the catalogue with their versions.
    pub fn everything(&self) -> String {
        match &self.place {
            Where::File(path) => {
                govdeck::canon::Digest::of(&std::fs::read(path).expect("the file is there"))
                    .to_string()
            }
            Where::Database(_) => {
                let tables = [
                    "pg_class",
                    "pg_attribute",
                    "pg_attrdef",
                    "pg_constraint",
                    "pg_index",
                    "pg_proc",
                    "pg_type",
                    "pg_trigger",
                    "pg_depend",
                    "pg_rewrite",
                    "pg_namespace",
                    "pg_policy",
                    "metric",
                    "squad",
                ];
                let sums = tables.map(|table| {
                    // An index that is built writes these estimates at once and for good, whatever becomes of it, and so does
                    // a server that vacuums by itself.
                    let row = "(to_jsonb(t) - 'reltuples' - 'relpages' - 'relallvisible' - 'relfrozenxid' - 'relminmxid')::text";
                    format!("SELECT '{table}', md5(string_agg(t.xmin || {row}, '|' ORDER BY t.xmin::text, {row})) FROM {table} t;")
                });
                self.sql(&sums.concat())
            }
        }
    }

    /// Makes a change, and returns what waits for its commit.
    pub async fn ready(&self, declaration: &Declaration, forward: &str) -> (Target, Box<Ready>) {
        let target = self.target().await;
        let script = self.script(forward);
        match apply(&target, declaration, &script).await {
            Applied::Ready(ready) => (target, ready),
            other => panic!("{forward}: {other:?}"),
        }
    }

    /// Makes a change that goes beyond its declaration.
    pub async fn refused(&self, declaration: &Declaration, forward: &str) -> Vec<Reason> {
        let before = self.everything();
        let target = self.target().await;
        let script = self.script(forward);
        let applied = apply(&target, declaration, &script).await;
        target.close().await;
        assert_eq!(self.everything(), before, "{forward}: nothing is left");
        match applied {
            Applied::Refused { findings, .. } => {
                findings.iter().map(|finding| finding.reason).collect()
            }
            other => panic!("{forward}: {other:?}"),
        }
    }

    /// Makes a change and commits it, and returns the rows that were counted, by bare table.
    pub async fn rows(&self, declaration: &Declaration, forward: &str) -> BTreeMap<String, u64> {
        let (target, ready) = self.ready(declaration, forward).await;
        let observed = ready.commit().await.expect("committed");
        target.close().await;
        bare(&observed)
    }
}

pub fn bare(observed: &Observed) -> BTreeMap<String, u64> {
    let bare = |table: &String| {
        table
            .split_once('.')
            .map_or(table.clone(), |(_, bare)| bare.to_owned())
    };
    observed
        .rows
        .iter()
        .map(|(table, rows)| (bare(table), *rows))
        .collect()
}

pub async fn apply(target: &Target, declaration: &Declaration, forward: &Script) -> Applied {
    let change = Change {
        declaration,
        forward,
        rollback: None,
    };
    target.apply(change).await.expect("the database answers")
}

/// A declaration that allows these tables and so many rows.
pub fn allowing(tables: &[&str], rows: u64) -> Declaration {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Declaration {
        migration_id: "PG-MIG-2026-03-01-01".to_owned(),
        kind: Kind::Postgis,
        intent: "a story".to_owned(),
        scope: Scope {
            allowed_schemas: owned(&["main", "public"]),
            allowed_tables: owned(tables),
            forbidden_schemas: owned(&["secret"]),
            forbidden_tables: owned(&["treasure"]),
            protected_reference_tables: owned(&["standard"]),
        },
        limits: Limits {
            max_table_count_touched: 5,
            max_index_count_delta: 3,
            max_row_backfill: rows,
        },
        requires_rollback: true,
        approvals: Approvals {
            required_reviewers: owned(&["maya"]),
            change_class: "ordinary".to_owned(),
            reference: None,
        },
        runner: Runner {
            tool: "govdeck".to_owned(),
            command: "govdeck bundle apply".to_owned(),
            environment: Vec::new(),
        },
        artifacts: Artifacts {
            forward: owned(&["forward.sql"]),
            rollback: owned(&["rollback.sql"]),
            pre: "baselines/pre.json".to_owned(),
            post: "baselines/post.json".to_owned(),
            summary: "diffs/summary.json".to_owned(),
        },
    }
}
