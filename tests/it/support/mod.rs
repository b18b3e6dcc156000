//! What the stories stand on: a world with a deployment in it, on either database, and an independent way to look at it.

pub mod blocks;
pub mod bundle_story;
pub mod bundles;
pub mod cluster;
pub mod command;
pub mod desk;
pub mod dictionary;
pub mod folk;
pub mod forge;
pub mod ground;
pub mod hook;
pub mod hour_story;
pub mod keys;
pub mod mail;
pub mod migration_story;
pub mod pairs;
pub mod pooler;
pub mod proxy;
pub mod redis;
pub mod rehearsal_story;
mod sound;
pub mod still;
pub mod still_block;
pub mod still_bundle;
pub mod still_dictionary;
pub mod still_hour;
pub mod still_migration;
pub mod still_week;
pub mod terminal;
pub mod week_files;
pub mod weeks;

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use govdeck::actions::{self, Asked, ByRule, Founding, Outcome, Request, Stop};
use govdeck::canon::Digest;
use govdeck::clock::Moment;
use govdeck::rules::guard::Answer;
use govdeck::rules::people::Environment;
use govdeck::settings::Dsn;
use govdeck::store::{Access, Failure, OsAccount, Sealed, Store, demo_clock, schema, verify};

use cluster::cluster;
use command::Home;

/// Runs one story on SQLite and on PostgreSQL.
macro_rules! on_both {
    ($name:ident, |$world:ident| $story:block) => {
        mod $name {
            #[allow(unused_imports, reason = "not every story needs everything around it")]
            use super::*;

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                let $world = $crate::support::World::sqlite().await;
                $story
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                let $world = $crate::support::World::postgres().await;
                $story
            }
        }
    };
}
pub(crate) use on_both;

/// How often races and faults are repeated: 50 in CI, 1000 with `scripts/test --long`.
pub fn rounds() -> u32 {
    std::env::var("GOVDECK_ROUNDS").map_or(50, |rounds| {
        rounds.parse().expect("GOVDECK_ROUNDS is a number")
    })
}

/// Tells whether this is the long run, in which nothing is left out.
pub fn is_long() -> bool {
    rounds() >= 1_000
}

/// The founder, owner of every block; their backup, on call; and a third person without a role.
pub const PEOPLE: [&str; 3] = ["maya", "lee", "kim"];

/// A long enough reason.
pub const REASON: &str = "because the story needs it to go on";

/// A deployment on one database, with three people in it.
pub struct World {
    pub home: Home,
    place: Place,
    /// What is taken away with it.
    _copy: Option<Copied>,
}

/// A database that was copied for one round of many, and its number. The first ones stay until the server goes, as the worlds
/// of all other stories do; those of a longer race are dropped, lest they fill the disk. That is slow where a file system does
/// not take the places of files that have just gone.
struct Copied(String, u32);

const KEPT: u32 = 500;

impl Drop for Copied {
    fn drop(&mut self) {
        let Self(name, number) = self;
        if *number >= KEPT {
            let drop = format!("DROP DATABASE {name} WITH (FORCE)");
            let (login, database) = (cluster::SUPERUSER, cluster::SUPERUSER);
            // Where that fails, the server takes it along.
            cluster().psql(login, database, &drop).ok();
        }
    }
}

enum Place {
    Sqlite(PathBuf),
    Postgres(String),
}

impl World {
    /// An established deployment in a file of its own.
    pub async fn sqlite() -> Self {
        let home = Home::new();
        let world = Self {
            place: Place::Sqlite(home.folder().join("world.db")),
            _copy: None,
            home,
        };
        world.establish(Environment::Prod).await;
        world
    }

    /// An established deployment in a database of its own.
    pub async fn postgres() -> Self {
        Self::postgres_in(Environment::Prod).await
    }

    async fn postgres_in(environment: Environment) -> Self {
        let world = Self {
            home: Home::new(),
            place: Place::Postgres(database_like(None).await),
            _copy: None,
        };
        world.establish(environment).await;
        world
    }

    /// A copy of this world as it stands, in a home of its own, while nobody is connected to it.
    pub async fn again(&self) -> Self {
        let home = Home::new();
        let (place, copy) = match &self.place {
            Place::Sqlite(path) => {
                self.owner_sql("PRAGMA wal_checkpoint(TRUNCATE)");
                let copy = home.folder().join("world.db");
                std::fs::copy(path, &copy).expect("the file is ours");
                (Place::Sqlite(copy), None)
            }
            Place::Postgres(name) => {
                static NUMBER: AtomicU32 = AtomicU32::new(0);
                let name = database_like(Some(name.clone())).await;
                let number = NUMBER.fetch_add(1, Ordering::Relaxed);
                (Place::Postgres(name.clone()), Some(Copied(name, number)))
            }
        };
        Self {
            home,
            place,
            _copy: copy,
        }
    }

    /// A demo on either database, whose time the story sets.
    pub async fn where_time_is_set(self) -> Self {
        if self.is_postgres() {
            Self::postgres_in(Environment::Demo).await
        } else {
            self.where_two_can_agree().await
        }
    }

    /// Lets the database's clock show a time; only a demo's does.
    pub async fn set_time(&self, shown: &str) {
        let shown = shown.parse().expect("a moment");
        let store = self.store("maya").await;
        demo_clock::set(&store, shown, 1, 1).await.expect("set");
        store.close().await;
    }

    /// A world where an unattested second yes counts: on SQLite a demo, as nothing in a file attests anybody.
    pub async fn where_two_can_agree(self) -> Self {
        if self.is_postgres() {
            return self;
        }
        let world = Self {
            place: Place::Sqlite(self.home.folder().join("demo.db")),
            _copy: None,
            home: self.home,
        };
        world.establish(Environment::Demo).await;
        world
    }

    async fn establish(&self, environment: Environment) {
        let (store, _) = schema::prepare(&self.dsn("maya"), Self::account("maya"))
            .await
            .expect("prepared");
        let founding = Founding {
            name: "gov-test".to_owned(),
            environment,
            founder: "maya".to_owned(),
            login: self.login_of("maya"),
            backup: Some("lee".to_owned()),
        };
        let request = Request::by_rule(ByRule::Establish(founding)).expect("a request");
        sealed(actions::carry_out(&store, request).await);
        store.close().await;
        if let Place::Postgres(name) = &self.place {
            // The people work as non-owners with plain rights on the tables: the walls must hold against them.
            let grant =
                "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO lee, kim";
            cluster().psql("maya", name, grant).expect("granted");
        }
        self.act("maya", "add_person", Asked::of("kim").with("name", "Kim"))
            .await
            .expect("kim is added");
    }

    /// On SQLite the founder is whoever runs the tests, so that the built program acts as them.
    fn account(person: &str) -> OsAccount {
        if person == "maya" {
            OsAccount::of_this_process().expect("an account")
        } else {
            OsAccount::named(person)
        }
    }

    /// The login that a person has in this world.
    pub fn login_of(&self, person: &str) -> String {
        if self.is_postgres() {
            person.to_owned()
        } else {
            Self::account(person).name().to_owned()
        }
    }

    pub fn is_postgres(&self) -> bool {
        matches!(self.place, Place::Postgres(_))
    }

    /// The database as a person connects to it.
    pub fn dsn(&self, person: &str) -> Dsn {
        Dsn::parse(&self.dsn_text(person)).expect("a DSN")
    }

    pub fn dsn_text(&self, person: &str) -> String {
        match &self.place {
            Place::Sqlite(path) => format!("sqlite:{}", path.display()),
            Place::Postgres(name) => cluster().url(person, name),
        }
    }

    /// The file of an SQLite world.
    pub fn file(&self) -> &std::path::Path {
        match &self.place {
            Place::Sqlite(path) => path,
            Place::Postgres(_) => panic!("this world has no file"),
        }
    }

    /// The name of a PostgreSQL world's database.
    pub fn database(&self) -> &str {
        match &self.place {
            Place::Sqlite(_) => panic!("this world has no database name"),
            Place::Postgres(name) => name,
        }
    }

    /// The store as a person opens it for writing.
    pub async fn store(&self, person: &str) -> Store {
        Store::open(&self.dsn(person), Self::account(person), Access::Write)
            .await
            .expect("the store opens")
    }

    /// The built program on this world's database, as a person on PostgreSQL, as the founder on SQLite.
    pub fn govdeck(&self, person: &str, words: &[&str]) -> Command {
        let mut command = self.home.govdeck(words);
        command.env("GOVDECK_DSN", self.dsn_text(person));
        command
    }

    /// Runs plain SQL past the store: the `sqlite3` shell with its defaults, or `psql` as a login.
    pub fn sql_as(&self, login: &str, sql: &str) -> Result<String, String> {
        match &self.place {
            Place::Sqlite(path) => sqlite_shell(path, sql),
            Place::Postgres(name) => cluster().psql(login, name, sql),
        }
    }

    /// Runs plain SQL as somebody who does not own the tables.
    pub fn sql(&self, sql: &str) -> Result<String, String> {
        self.sql_as("kim", sql)
    }

    /// Reads one column past the store, row by row.
    pub fn rows(&self, sql: &str) -> Vec<String> {
        self.owner_sql(sql).lines().map(str::to_owned).collect()
    }

    /// Runs plain SQL as the owner of the tables.
    pub fn owner_sql(&self, sql: &str) -> String {
        self.sql_as("maya", sql)
            .unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// Takes a trigger away for the length of one statement, as only an owner can, to tamper behind the walls.
    pub fn tamper(&self, table: &str, sql: &str) {
        if self.is_postgres() {
            self.owner_sql(&format!("ALTER TABLE {table} DISABLE TRIGGER USER; {sql}; ALTER TABLE {table} ENABLE TRIGGER USER"));
            return;
        }
        let restore = format!(
            "SELECT sql || ';' FROM sqlite_master WHERE type = 'trigger' AND tbl_name = '{table}'"
        );
        let saved = self.owner_sql(&restore);
        self.owner_sql(&format!("{} {sql}; {saved}", self.walls_away(table)));
    }

    /// Writes the SQL that takes a table's triggers away.
    pub fn walls_away(&self, table: &str) -> String {
        if self.is_postgres() {
            return format!("ALTER TABLE {table} DISABLE TRIGGER USER;");
        }
        let drops = self.owner_sql(&format!(
            "SELECT 'DROP TRIGGER ' || name || ';' FROM sqlite_master WHERE type = 'trigger' AND tbl_name = '{table}'"
        ));
        assert!(!drops.is_empty(), "{table} has walls");
        drops
    }

    /// Tampers as somebody whom nothing in the database can stop, foreign keys included.
    pub fn tamper_as_superuser(&self, table: &str, sql: &str) {
        match &self.place {
            Place::Sqlite(_) => self.tamper(table, sql),
            Place::Postgres(name) => {
                let unstoppable = format!("SET session_replication_role = replica; {sql}");
                cluster()
                    .psql(cluster::SUPERUSER, name, &unstoppable)
                    .expect("a superuser may do anything");
            }
        }
    }

    /// Adds a piece of evidence by plain SQL, which anybody may, and returns its hash.
    pub fn add_evidence(&self) -> Digest {
        let sha256 = Digest::of(b"{}");
        let bytes = if self.is_postgres() { "BYTEA" } else { "BLOB" };
        self.sql(&format!(
            "INSERT INTO artifact VALUES ('{sha256}', 'text/plain', CAST('{{}}' AS {bytes}), '2026-05-14T02:14:07.000000Z')"
        ))
        .expect("evidence may be added");
        sha256
    }

    /// Does a guarded action as a person, confirming whatever it asks.
    pub async fn act(&self, person: &str, verb: &str, asked: Asked) -> Result<Sealed, String> {
        let store = self.store(person).await;
        let mut outcome = act_on(&store, verb, asked.clone()).await;
        // Told that others are writing, people try again; fifty at once on a slow machine have to.
        for _ in 0..5 {
            let Ok(Outcome::Failed(error)) = &outcome else {
                break;
            };
            if error.kind != Failure::Busy {
                break;
            }
            outcome = act_on(&store, verb, asked.clone()).await;
        }
        store.close().await;
        match outcome {
            Ok(Outcome::Done(sealed)) => Ok(sealed),
            Ok(Outcome::Refused(refusal)) => Err(refusal.sentence),
            Ok(other) => panic!("{verb}: {other:?}"),
            Err(stop) => Err(stop.to_string()),
        }
    }

    /// Registers the footer schema that good runs carry.
    pub async fn register_footer(&self) {
        self.act("maya", "register_footer", Asked::of("v2.4.0"))
            .await
            .expect("registered");
    }

    /// Mints a pending run as a pipeline does, by plain SQL; `source` is the hash that the source had.
    pub fn mint(
        &self,
        run: &str,
        publish: Option<&str>,
        source: Option<&str>,
    ) -> Result<String, String> {
        let now = Moment::on_this_workstation().as_datetime();
        let created = Moment::from(now - chrono::TimeDelta::seconds(10));
        let observed = Moment::from(now - chrono::TimeDelta::seconds(1));
        let text =
            |value: Option<&str>| value.map_or("NULL".to_owned(), |value| format!("'{value}'"));
        self.sql(&format!(
            "INSERT INTO publish_snapshots (publish_run_id, publish_scope, freeze_id, lift_id, dry_run_id, publish_tuple_hash, \
             source_tuple_hash, footer_schema_semver, source_observed_at_utc, created_at_utc) VALUES \
             ('{run}', 'sla/partners', 'fz-31', 'lf-31', 'dr-31', {}, {}, 'v2.4.0', '{observed}', '{created}')",
            text(publish),
            text(source)
        ))
    }

    /// Mints a run whose two hashes differ and lets the gate block it.
    pub async fn block(&self, run: &str) {
        self.mint(run, Some(&"a".repeat(64)), Some(&"b".repeat(64)))
            .expect("minted");
        self.decide(run).await.expect("decided");
    }

    /// Lets the gate decide a run.
    pub async fn decide(&self, run: &str) -> Result<Sealed, String> {
        let store = self.store("maya").await;
        let request = Request::by_rule(ByRule::DecideRun {
            run: run.to_owned(),
        })
        .expect("a request");
        let outcome = actions::carry_out(&store, request).await;
        store.close().await;
        match outcome {
            Outcome::Done(sealed) => Ok(sealed),
            Outcome::Refused(refusal) => Err(refusal.sentence),
            other => panic!("{other:?}"),
        }
    }

    /// Verifies the ledger and returns what does not fit.
    pub async fn findings(&self, head: Option<verify::ExportedHead>) -> Vec<String> {
        let store = Store::open(&self.dsn("maya"), Self::account("maya"), Access::Read)
            .await
            .expect("the store opens");
        let report = verify::verify(&mut store.view().await.expect("a view"), head)
            .await
            .expect("a report");
        store.close().await;
        report
            .findings
            .iter()
            .map(|finding| format!("{}: {}", finding.place, finding.wrong))
            .collect()
    }

    /// Asserts everything that must hold whatever happened, by SQL that shares nothing with the store.
    pub async fn assert_sound(&self) {
        // One call asks all of it: to start a shell costs more than what it asks.
        let all = sound::INVARIANTS.iter();
        let all: Vec<_> = all
            .map(|(rule, query)| format!("SELECT '# {rule}'; {query};"))
            .collect();
        let found = self.owner_sql(&all.join("\n"));
        let rules: Vec<_> = sound::INVARIANTS
            .iter()
            .map(|(rule, _)| format!("# {rule}"))
            .collect();
        assert_eq!(found, rules.join("\n"), "a row below a rule breaks it");
        if !self.is_postgres() {
            assert_eq!(
                self.owner_sql("PRAGMA integrity_check; PRAGMA foreign_key_check"),
                "ok"
            );
        }
        assert_eq!(self.findings(None).await, Vec::<String>::new());
    }
}

/// Makes a database on the cluster, empty or like another one.
async fn database_like(other: Option<String>) -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let name = format!("world_{}", NUMBER.fetch_add(1, Ordering::SeqCst));
    let created = name.clone();
    tokio::task::spawn_blocking(move || {
        // Logins belong to the cluster: whoever has a database to copy has them.
        let logins = if other.is_none() { &PEOPLE[..] } else { &[] };
        for person in logins {
            cluster().create_login(person);
        }
        cluster().create_database(&created, other.as_deref(), "maya");
    })
    .await
    .expect("the database is made");
    name
}

/// Proposes, confirms with whatever is asked, and carries out.
pub async fn act_on(store: &Store, verb: &str, asked: Asked) -> Result<Outcome, Stop> {
    let proposal = actions::propose(&mut store.view().await?, verb, asked).await?;
    let answer = Answer {
        typed: proposal.phrase(),
        reason: Some(REASON.to_owned()),
    };
    let request = proposal.confirm(&answer)?;
    Ok(actions::carry_out(store, request).await)
}

/// Unwraps an outcome that must be done.
pub fn sealed(outcome: Outcome) -> Sealed {
    match outcome {
        Outcome::Done(sealed) => sealed,
        other => panic!("not done: {other:?}"),
    }
}

/// Runs SQL in the `sqlite3` shell with the shell's own defaults: foreign keys and recursive triggers are off there.
pub fn sqlite_shell(path: &std::path::Path, sql: &str) -> Result<String, String> {
    use std::io::Write;
    let mut child = Command::new("sqlite3")
        .args(["-batch", "-bail", "-cmd", ".timeout 5000"])
        .arg(path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("sqlite3, a package of the distribution, is installed");
    child
        .stdin
        .take()
        .expect("piped")
        .write_all(sql.as_bytes())
        .expect("written");
    let output = child.wait_with_output().expect("it ends");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() {
        Ok(text(&output.stdout))
    } else {
        Err(text(&output.stderr))
    }
}
