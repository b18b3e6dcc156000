//! All stories and contracts, in one binary that shares one private PostgreSQL.

mod support;

mod actions_blocks;
mod actions_people;
mod cli_act;
mod cli_config;
mod cli_database;
mod cli_hash;
mod cli_kit;
mod cli_ledger;
mod cli_memory;
mod cli_refusals;
mod cli_secrets;
mod cli_servers;
mod docs;
mod house;
mod sql_style;
mod store_faults;
mod store_ledger;
mod store_schema;
mod store_trust;
mod store_wake;
mod store_walls;
