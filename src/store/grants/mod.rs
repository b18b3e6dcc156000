//! Who may do what with which table on PostgreSQL: seven groups, and the least rights that each can work with.
//!
//! The list stands here once. `init --grants` makes the database's rights of it, the docs print it, and a refusal by
//! the server is told with the group that is missing. A new table gets its rights by its kind; a feed, a table of
//! bookkeeping, and a table that more than operators write needs its row in `EXCEPTIONS`.

mod apply;
mod script;

pub(in crate::store) use apply::has_all;
pub use apply::{Granted, Ownership, apply, differences, no_roles, script};

use super::tables::{Kind, TABLES, Table};

/// A group of logins: a role of the server that nobody logs in as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Owns the tables; upgrades them.
    Owner,
    /// Looks at everything.
    Viewer,
    /// Does guarded actions.
    Operator,
    /// Signs: like an operator, but only on what a signature is about.
    Signer,
    /// Lets rules decide and delivers messages; touches neither people nor roles.
    Agent,
    /// Mints runs; never writes the ledger, and reads little.
    Pipeline,
    /// Makes the changes of bundles and ends their runs; looks at everything, to pack it.
    Bundler,
}

impl Group {
    /// All groups.
    pub const ALL: &'static [Self] = &[
        Self::Owner,
        Self::Viewer,
        Self::Operator,
        Self::Signer,
        Self::Agent,
        Self::Pipeline,
        Self::Bundler,
    ];

    /// Those that get rights; the owner has them anyway.
    pub const GRANTED: &'static [Self] = Self::ALL.split_at(1).1;

    /// Returns the name of its role.
    #[must_use]
    pub const fn role(self) -> &'static str {
        match self {
            Self::Owner => "govdeck_owner",
            Self::Viewer => "govdeck_viewer",
            Self::Operator => "govdeck_operator",
            Self::Signer => "govdeck_signer",
            Self::Agent => "govdeck_agent",
            Self::Pipeline => "govdeck_pipeline",
            Self::Bundler => "govdeck_bundler",
        }
    }

    /// Says whom it is for.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Owner => "owns the tables; for upgrades by `init`, and for nothing else",
            Self::Viewer => "looks at everything, `ledger verify` included",
            Self::Operator => "does guarded actions",
            Self::Signer => "does the guarded actions that sign something",
            Self::Agent => {
                "lets rules decide (`gate publish`), does unattended work (`job`) and delivers messages"
            }
            Self::Pipeline => "mints runs and amends pending ones; never writes the ledger",
            Self::Bundler => {
                "makes the changes of bundles and ends their runs (`bundle_dsn`); looks at everything, to pack it"
            }
        }
    }
}

/// A right on a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// SELECT.
    Select,
    /// INSERT.
    Insert,
    /// UPDATE.
    Update,
}

impl Right {
    /// All rights that somebody has.
    pub const ALL: &'static [Self] = &[Self::Select, Self::Insert, Self::Update];

    /// Returns the word for it in SQL.
    #[must_use]
    pub const fn sql(self) -> &'static str {
        match self {
            Self::Select => "SELECT",
            Self::Insert => "INSERT",
            Self::Update => "UPDATE",
        }
    }
}

const NONE: &[Right] = &[];
const READ: &[Right] = &[Right::Select];
const APPEND: &[Right] = &[Right::Select, Right::Insert];
const AMEND: &[Right] = &[Right::Select, Right::Update];
const WRITE: &[Right] = &[Right::Select, Right::Insert, Right::Update];

/// What groups have on one table instead of what its kind gives them; groups that it does not name keep that.
struct Exception {
    table: &'static str,
    rights: &'static [(Group, &'static [Right])],
}

const fn on(table: &'static str, rights: &'static [(Group, &'static [Right])]) -> Exception {
    Exception { table, rights }
}

/// What the kinds do not say. A new governed table that signers or rules write gets a row like `route_change` here.
const EXCEPTIONS: &[Exception] = &[
    // Every entry moves the head, and takes its lock before that.
    on(
        "ledger_head",
        &[
            (Group::Operator, AMEND),
            (Group::Signer, AMEND),
            (Group::Agent, AMEND),
            (Group::Pipeline, READ),
            (Group::Bundler, AMEND),
        ],
    ),
    // The walls on a run ask it whether a row is in the newest entry, also where the answer does not matter.
    on("ledger_change", &[(Group::Pipeline, READ)]),
    on("govdeck_migrations", &[(Group::Pipeline, READ)]),
    // Whoever writes a feed counts up.
    on(
        "change_counter",
        &[
            (Group::Operator, WRITE),
            (Group::Signer, WRITE),
            (Group::Agent, WRITE),
            (Group::Pipeline, WRITE),
        ],
    ),
    on("demo_clock", &[(Group::Pipeline, READ)]),
    on(
        "deployment",
        &[(Group::Operator, READ), (Group::Pipeline, READ)],
    ),
    on("footer_schema_registry", &[(Group::Pipeline, READ)]),
    on("route_change", &[(Group::Signer, WRITE)]),
    on("block_reason_owner_route", &[(Group::Signer, AMEND)]),
    on("person_key", &[(Group::Signer, WRITE)]),
    on(
        "approval_request",
        &[(Group::Signer, WRITE), (Group::Agent, AMEND)],
    ),
    on("publish_snapshots", &[(Group::Agent, AMEND)]),
    on(
        "publish_leaf",
        &[(Group::Agent, AMEND), (Group::Pipeline, APPEND)],
    ),
    on(
        "publish_replay_audit",
        &[(Group::Agent, APPEND), (Group::Pipeline, READ)],
    ),
    on(
        "presence",
        &[(Group::Operator, WRITE), (Group::Signer, WRITE)],
    ),
    on("signer_ack", &[(Group::Signer, APPEND)]),
    on("signer_ack_revocation", &[(Group::Signer, APPEND)]),
    on("reconciliation_window", &[(Group::Agent, WRITE)]),
    on("reconciliation_incident", &[(Group::Agent, APPEND)]),
    on("run_manifest", &[(Group::Agent, APPEND)]),
    on("bind_proof", &[(Group::Agent, APPEND)]),
    on("variance_check", &[(Group::Agent, APPEND)]),
    on("migration_evidence", &[(Group::Agent, APPEND)]),
    on("exporter_fingerprint", &[(Group::Agent, APPEND)]),
    on("deficiency", &[(Group::Agent, APPEND)]),
    on("cutover_hour", &[(Group::Agent, AMEND)]),
    on("cutover_step", &[(Group::Agent, AMEND)]),
    on("block_sla_mark", &[(Group::Agent, APPEND)]),
    // A signer is among those who are told of red, and answers.
    on(
        "drill_record",
        &[(Group::Signer, AMEND), (Group::Agent, APPEND)],
    ),
    // A run that nobody ends is marked as interrupted.
    on(
        "bundle_run",
        &[(Group::Agent, AMEND), (Group::Bundler, AMEND)],
    ),
    // A run that did what it was made for moves its bundle.
    on("bundle", &[(Group::Bundler, AMEND)]),
    on("agent_lease", &[(Group::Agent, WRITE)]),
    on("agent_job", &[(Group::Agent, WRITE)]),
    // A person may say that a dead message is tried again.
    on(
        "notification_delivery",
        &[(Group::Operator, AMEND), (Group::Agent, WRITE)],
    ),
    on("dictionary_migration_state", &[(Group::Agent, AMEND)]),
    on("dictionary_migration_event", &[(Group::Agent, APPEND)]),
    on("redeploy_task", &[(Group::Agent, APPEND)]),
    on("migration_notice", &[(Group::Agent, APPEND)]),
    on("allowlist_approval", &[(Group::Signer, APPEND)]),
    on(
        "governance_metric_dictionary_current",
        &[(Group::Pipeline, WRITE)],
    ),
    on("dual_write_scan", &[(Group::Agent, APPEND)]),
    on("dual_write_scan_metric", &[(Group::Agent, APPEND)]),
    on("dual_write_walk", &[(Group::Agent, WRITE)]),
    on(
        "reconciliation_metric",
        &[(Group::Operator, APPEND), (Group::Agent, APPEND)],
    ),
    on(
        "notification_outbox",
        &[
            (Group::Operator, APPEND),
            (Group::Signer, APPEND),
            (Group::Agent, WRITE),
        ],
    ),
];

/// Returns what a group may do with a table; nobody deletes, truncates, refers to one or hangs a trigger on it.
#[must_use]
pub fn rights(group: Group, table: &Table) -> &'static [Right] {
    let exception = EXCEPTIONS
        .iter()
        .filter(|exception| exception.table == table.name)
        .flat_map(|exception| exception.rights)
        .find(|(excepted, _)| *excepted == group);
    exception.map_or_else(|| by_kind(group, table), |(_, rights)| rights)
}

fn by_kind(group: Group, table: &Table) -> &'static [Right] {
    let is_born_as_feed = table.feed.is_some();
    match (group, table.kind) {
        (Group::Operator | Group::Signer | Group::Agent | Group::Bundler, Kind::Ledger) => APPEND,
        (Group::Operator, Kind::Governed) if is_born_as_feed => AMEND,
        (Group::Operator, Kind::Governed) => WRITE,
        (Group::Pipeline, Kind::Governed) if is_born_as_feed => WRITE,
        (Group::Owner | Group::Pipeline, _) => NONE,
        _ => READ,
    }
}

/// Names the groups that have one of the rights on a table.
fn groups_with(table: &Table, wanted: &[Right]) -> Vec<&'static str> {
    let has = |group: &&Group| {
        rights(**group, table)
            .iter()
            .any(|right| wanted.contains(right))
    };
    Group::GRANTED
        .iter()
        .filter(has)
        .map(|group| group.role())
        .collect()
}

/// Says which group is missing, from the server's own words about what it refused.
///
/// The words come in the server's language, but they name the table.
pub(in crate::store) fn hint(said: &str) -> String {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut words = said.split(|c| !is_name(c));
    let named = words.find_map(|word| TABLES.iter().find(|table| table.name == word));
    let Some(table) = named else {
        return "ask whoever owns the database; what changes tables is for members of govdeck_owner"
            .to_owned();
    };
    let writers = groups_with(table, &[Right::Insert, Right::Update]);
    let looks = Group::Viewer.role();
    let needed = if writers.is_empty() {
        format!("looking takes a membership in {looks}, and nobody writes there")
    } else {
        format!(
            "looking takes a membership in {looks}, writing there one in {}",
            writers.join(" or ")
        )
    };
    format!("{needed}; ask whoever owns the database")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_is_covered() {
        for table in TABLES {
            let says = EXCEPTIONS
                .iter()
                .filter(|exception| exception.table == table.name)
                .count();
            let needs_one = matches!(table.kind, Kind::Feed | Kind::Bookkeeping);
            assert!(says <= 1, "{} has two rows", table.name);
            assert!(
                says == 1 || !needs_one,
                "{} is written past the ledger: say by whom in EXCEPTIONS",
                table.name
            );
            assert_eq!(rights(Group::Viewer, table), READ, "{}", table.name);
        }
        for exception in EXCEPTIONS {
            let listed = TABLES.iter().any(|table| table.name == exception.table);
            assert!(listed, "{} is no table", exception.table);
        }
    }

    #[test]
    fn nothing_of_the_ledger_is_amended_and_only_pipelines_may_not_look() {
        for table in TABLES {
            for group in Group::GRANTED {
                let rights = rights(*group, table);
                assert!(table.kind != Kind::Ledger || !rights.contains(&Right::Update));
                assert!(*group == Group::Pipeline || rights.contains(&Right::Select));
                let people = ["person", "person_role"].contains(&table.name);
                assert!(!people || *group == Group::Operator || !rights.contains(&Right::Insert));
            }
        }
    }

    #[test]
    fn whoever_runs_bundles_writes_what_ends_a_run_and_nothing_else() {
        for table in TABLES {
            let wanted = match table.name {
                "governance_ledger" | "ledger_change" | "ledger_artifact" | "artifact" => APPEND,
                "ledger_head" | "bundle" | "bundle_run" => AMEND,
                _ => READ,
            };
            assert_eq!(rights(Group::Bundler, table), wanted, "{}", table.name);
        }
    }

    #[test]
    fn an_exception_says_something() {
        for exception in EXCEPTIONS {
            let table = TABLES.iter().find(|table| table.name == exception.table);
            let table = table.expect("it is listed");
            for (group, rights) in exception.rights {
                assert_ne!(*rights, by_kind(*group, table), "{} {group:?}", table.name);
            }
        }
    }

    #[test]
    fn a_refusal_names_the_group_in_any_language() {
        for said in [
            "permission denied for table person_role",
            "keine Berechtigung für Tabelle »person_role«",
        ] {
            let hint = hint(said);
            assert!(
                hint.contains("writing there one in govdeck_operator;"),
                "{hint}"
            );
        }
        let unread = hint("permission denied for table govdeck_migrations");
        assert!(
            unread.contains("govdeck_viewer, and nobody writes"),
            "{unread}"
        );
        assert!(hint("permission denied for schema public").contains("govdeck_owner"));
    }
}
