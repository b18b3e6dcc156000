//! The words that a script may begin with, may not hold, or may set.

pub(super) const STARTS_POSTGRES: &[&str] = &[
    "alter", "analyze", "call", "cluster", "comment", "create", "delete", "do", "drop", "grant",
    "insert", "lock", "merge", "refresh", "reindex", "revoke", "select", "set", "table",
    "truncate", "update", "values", "with", "(",
];
pub(super) const STARTS_SQLITE: &[&str] = &[
    "alter", "analyze", "create", "delete", "drop", "insert", "reindex", "replace", "select",
    "update", "values", "with",
];

/// First words with what to say of them; others that are not allowed are named as such.
pub(super) const STARTS_REFUSED: &[(&[&str], &str)] = &[
    (
        &[
            "begin",
            "commit",
            "rollback",
            "savepoint",
            "release",
            "start",
            "end",
            "abort",
        ],
        "the runner holds the transaction; take this statement out",
    ),
    (
        &["prepare", "execute", "deallocate"],
        "prepared statements and prepared transactions outlive the runner's; write the statement itself",
    ),
    (
        &["attach", "detach"],
        "another database would be changed unseen; give it a bundle of its own",
    ),
    (
        &["pragma"],
        "it changes how the database keeps its promises; the runner sets what is needed",
    ),
    (
        &["vacuum", "checkpoint"],
        "it does not run in a transaction and is no change of the schema; run it by hand",
    ),
    (
        &["copy", "load"],
        "it reads or writes files; write the rows as INSERT",
    ),
    (
        &["listen", "unlisten", "notify"],
        "it reaches other sessions; leave it out",
    ),
    (
        &["reset", "discard"],
        "the runner's own limits would go; use SET LOCAL for a setting of your own",
    ),
    (
        &["explain", "show", "declare", "fetch", "move", "close"],
        "it changes nothing; take it out",
    ),
];

/// Nouns after CREATE, ALTER and DROP: what the baseline shows.
pub(super) const NOUNS: &[&str] = &[
    "aggregate",
    "cast",
    "collation",
    "default",
    "domain",
    "extension",
    "function",
    "index",
    "materialized",
    "operator",
    "policy",
    "procedure",
    "routine",
    "rule",
    "schema",
    "sequence",
    "statistics",
    "table",
    "text",
    "trigger",
    "type",
    "view",
];
/// What rights may be given on.
pub(super) const RIGHTS_ON: &[&str] = &[
    "all",
    "domain",
    "function",
    "procedure",
    "routine",
    "schema",
    "sequence",
    "table",
    "type",
];
/// Words that may stand between CREATE and its noun.
pub(super) const BEFORE_NOUN: &[&str] = &[
    "or",
    "replace",
    "temp",
    "temporary",
    "global",
    "local",
    "unlogged",
    "unique",
    "recursive",
    "constraint",
];

/// Settings that a script may change: none of them weakens the runner's limits or changes how SQL is read.
pub(super) const SETTINGS: &[&str] = &[
    "check_function_bodies",
    "client_min_messages",
    "constraints",
    "datestyle",
    "default_table_access_method",
    "extra_float_digits",
    "intervalstyle",
    "jit",
    "maintenance_work_mem",
    "search_path",
    "time",
    "timezone",
    "work_mem",
    "xmloption",
];

/// Functions that reach files, other sessions, other databases, or what no rollback brings back.
pub(super) const FUNCTIONS: &[&str] = &[
    "dblink*",
    "load_extension",
    "lo_export",
    "lo_import",
    "pg_cancel_backend",
    "pg_create_restore_point",
    "pg_drop_replication_slot",
    "pg_file_*",
    "pg_logical_*",
    "pg_ls_*",
    "pg_notify",
    "pg_promote",
    "pg_read_binary_file",
    "pg_read_file",
    "pg_reload_conf",
    "pg_replication_*",
    "pg_rotate_logfile",
    "pg_stat_file",
    "pg_stat_reset*",
    "pg_switch_wal",
    "pg_terminate_backend",
    "set_config",
    "setval",
    "fts3_tokenizer",
];
pub(super) const SETVAL: &str = "setval";

/// Names that have no business in a bundle, as settings, modules or languages.
pub(super) const NAMES: &[&str] = &[
    "session_replication_role",
    "session_authorization",
    "writable_schema",
    "allow_system_table_mods",
    "standard_conforming_strings",
    "lock_timeout",
    "statement_timeout",
    "idle_in_transaction_session_timeout",
    "transaction_timeout",
    "client_connection_check_interval",
    "row_security",
];
pub(super) const EXTENSIONS: &[&str] = &[
    "dblink",
    "postgres_fdw",
    "file_fdw",
    "adminpack",
    "pg_cron",
    "pg_net",
    "http",
];
