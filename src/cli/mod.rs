//! Head-less verbs, one file a noun: words in, one page of text or one JSON document out.
//!
//! May import every floor above. A verb reads or acts and returns a `Page`; it never prints, so that hostile text is
//! scrubbed and closed pipes are noticed in one place.

mod act;
mod agent;
mod approval;
mod artifact;
mod block;
mod bundle;
mod bundle_driver;
mod bundle_looks;
mod bundle_plan;
mod bundle_report;
mod bundle_run;
mod cadence;
mod card;
mod cite;
mod config;
mod console;
mod demo;
mod dictionary;
mod doctor;
mod doctor_agent;
mod drill;
mod drill_report;
mod drill_rule;
mod drill_sla;
mod evidence;
mod gate;
mod gate_allowlist;
mod gate_bind;
mod gate_reconcile;
mod gate_variance;
mod hash;
mod hour;
mod init;
mod job;
mod key;
mod keys;
mod later;
mod ledger;
mod log;
mod manual;
mod migration;
mod migration_expand;
mod migration_report;
mod migration_watch;
mod on_store;
mod outbox;
mod page;
mod plain;
mod policy;
mod publish;
mod readback;
mod rehearse;
mod report;
mod sign;
mod sign_week;
mod signals;
mod snapshot;
mod status;
mod terminal;
mod theme;
mod usage;
mod values;
mod waiting;
mod week;
mod why;
mod window;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};

use crate::settings::{Flags, Settings};

use later::Later;
use page::{Exit, Failure, Page, Shape};

/// Behind the words of the verb itself stand those that every verb knows.
const LAST: usize = 1_000;

/// A console for teams that govern shared metrics: without a verb it opens; with one it works head-less.
#[derive(Debug, Parser)]
#[command(name = "govdeck", version, disable_help_subcommand = true)]
struct Cli {
    /// Read this config file instead of the one in the config folder.
    #[arg(long, global = true, value_name = "FILE", display_order = LAST)]
    config: Option<PathBuf>,
    /// Use this database: `sqlite:PATH` or `postgres://USER@HOST/DATABASE`.
    #[arg(long, global = true, value_name = "DSN", display_order = LAST)]
    dsn: Option<String>,
    /// Use this theme; `theme list` names them.
    #[arg(long, global = true, value_name = "NAME", display_order = LAST)]
    theme: Option<String>,
    /// Print one JSON document.
    #[arg(long, global = true, display_order = LAST)]
    json: bool,
    /// Open the console as lines of text, for screen readers: the state, and then what changes.
    #[arg(long)]
    plain: bool,
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Open the console on a story that goes on by itself; nothing of yours is touched.
    Demo(Later<demo::Demo>),
    /// Make the database, or upgrade it.
    Init(Later<init::Init>),
    /// Show what waits: blocks, runs, messages.
    Status,
    /// Draw a pane of the console without a terminal.
    Snapshot(Later<snapshot::Snapshot>),
    /// Do something that goes into the ledger.
    #[command(subcommand)]
    Act(Later<act::Act>),
    /// List everything that must hold before an action, met or not.
    #[command(subcommand)]
    Why(Later<why::Why>),
    /// Say the second yes to what somebody else proposed, or no.
    #[command(subcommand)]
    Approval(Later<approval::Approval>),
    /// Add, list or revoke the keys that people sign with.
    #[command(subcommand)]
    Key(Later<key::Key>),
    /// Mint a run for the publish gate.
    #[command(subcommand)]
    Publish(Later<publish::Publish>),
    /// List what the publish gate stopped, or show why.
    #[command(subcommand)]
    Block(Later<block::Block>),
    /// Check, rehearse and make governed migrations.
    #[command(subcommand)]
    Bundle(Later<bundle::Bundle>),
    /// Ask a gate for its verdict.
    #[command(subcommand)]
    Gate(Later<gate::Gate>),
    /// Sign the weekly numbers that wait for you, in plain questions.
    Sign(Later<sign_week::SignWeek>),
    /// Say how weekly reconciliation stands, or show one of its runs.
    #[command(subcommand)]
    Week(Later<week::Week>),
    /// Open a migration of the dictionary, or show how it stands.
    #[command(subcommand)]
    Migration(Later<migration::Migrations>),
    /// Go through the hour of a cutover step by step, or show how far it is.
    #[command(subcommand)]
    Hour(Later<hour::Hours>),
    /// Rehearse the hour of a cutover on a fork that is thrown away, take its bundles back, and record what came of it.
    Rehearse(Later<rehearse::Rehearse>),
    /// List maintenance windows and cert weeks.
    Calendar,
    /// Release the metric dictionary, or look into it.
    #[command(subcommand)]
    Dictionary(Later<dictionary::Dictionary>),
    /// Write the readback of a week: every number with where it comes from.
    Readback(Later<readback::Read>),
    /// Follow a number of a readback to its rows and hashes.
    Cite(Later<cite::Cite>),
    /// Show, propose or replay how far apart two sides may be.
    #[command(subcommand)]
    Policy(Later<policy::Policies>),
    /// Plan, list, skip or sweep the windows of weekly reconciliation.
    #[command(subcommand)]
    Window(Later<window::Windows>),
    /// Show the nine checkpoints of this cert week.
    Cadence,
    /// Practise, with runs that nothing takes for real ones.
    #[command(subcommand)]
    Drill(Later<drill::Drill>),
    /// Do unattended work once, as a timer would.
    #[command(subcommand)]
    Job(Later<job::Job>),
    /// Do what is due when it is due: page, plan, mark, run jobs, and deliver messages.
    Agent(Later<agent::Agent>),
    /// List the messages to people and how they fared, or let dead ones be tried anew.
    #[command(subcommand)]
    Outbox(Later<outbox::Outbox>),
    /// Look into the ledger, or verify it.
    #[command(subcommand)]
    Ledger(Later<ledger::Ledger>),
    /// List evidence, or write it into a file.
    #[command(subcommand)]
    Artifact(Later<artifact::Artifact>),
    /// Hand entries to somebody who has no govdeck.
    #[command(subcommand)]
    Evidence(Later<evidence::Evidence>),
    /// Sign decision cards elsewhere: what waits for that, and how it goes on.
    #[command(subcommand)]
    Card(Later<card::Card>),
    /// Print the RFC 8785 form of one JSON text.
    Canon(Later<hash::Canon>),
    /// Hash rows, a key set, or a file.
    #[command(subcommand)]
    Hash(Later<hash::Hash>),
    /// Make, show or check the config file.
    #[command(subcommand)]
    Config(Later<config::Config>),
    /// List, show or check what the console can look like.
    #[command(subcommand)]
    Theme(Later<theme::Theme>),
    /// List the keys of the console, or check a file of keys.
    Keys(Later<keys::Keys>),
    /// Look at everything around govdeck: each thing OK, WARN or FAIL, with one fix.
    Doctor,
    /// Print completions for a shell.
    Completions(Later<manual::Completions>),
    /// Write the man pages into a folder.
    Man(Later<manual::Man>),
}

/// Returns what each exit code of a verb means.
#[must_use]
pub fn exit_codes() -> [(u8, &'static str); 4] {
    Exit::ALL.map(|exit| (exit as u8, exit.meaning()))
}

/// Runs the program and returns its exit code.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(help) if help.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            help.exit()
        }
        Err(error) if error.use_stderr() => return usage::said(&error).print(),
        Err(help) => return Page::raw(help.render().to_string().into_bytes()).print(Shape::Text),
    };
    let shape = if cli.json { Shape::Json } else { Shape::Text };
    let flags = Flags {
        config: cli.config,
        dsn: cli.dsn,
        theme: cli.theme,
    };
    let ended = match cli.verb {
        Some(_) if cli.plain => Err(Failure::new(
            Exit::BadInput,
            "--plain belongs to the console, and this is another verb",
            "leave one of the two out; every verb prints plain lines",
        )),
        None if cli.plain => open_plain(&flags),
        Some(Verb::Demo(verb)) => open_demo(&verb, &flags),
        Some(verb) => run(verb, &flags).map(|page| page.print(shape)),
        None => open_console(&flags),
    };
    ended.unwrap_or_else(Failure::print)
}

fn open_console(flags: &Flags) -> Result<ExitCode, Failure> {
    let settings = Settings::load(flags, std::env::vars_os())?;
    log::start(&settings);
    console::open(&settings)
}

fn open_plain(flags: &Flags) -> Result<ExitCode, Failure> {
    let settings = Settings::load(flags, std::env::vars_os())?;
    log::start(&settings);
    plain::open(&settings)
}

fn open_demo(verb: &demo::Demo, flags: &Flags) -> Result<ExitCode, Failure> {
    let settings = Settings::load(flags, std::env::vars_os())?;
    log::start(&settings);
    verb.open(&settings)
}

/// Returns the whole command line, for completions, man pages and the reference.
#[must_use]
pub fn command() -> clap::Command {
    let mut command = Cli::command();
    command.build();
    command
}

fn run(verb: Verb, flags: &Flags) -> Result<Page, Failure> {
    match verb {
        Verb::Canon(Later(verb)) => verb.run(),
        Verb::Hash(Later(verb)) => verb.run(),
        Verb::Gate(Later(gate::Gate::Allowlist(verb))) if verb.is_local() => verb.run(),
        Verb::Gate(Later(gate::Gate::Reconcile(verb))) => verb.run(),
        Verb::Gate(Later(gate::Gate::Parity(verb))) => verb.run(),
        Verb::Dictionary(Later(verb)) if verb.is_local() => verb.run_without_store(),
        Verb::Bundle(Later(verb)) if verb.is_local() => verb.run_without_store(flags),
        Verb::Completions(Later(verb)) => Ok(verb.run()),
        Verb::Man(Later(verb)) => verb.run(),
        Verb::Doctor => doctor::page(flags),
        Verb::Config(Later(verb)) => verb.run(flags),
        Verb::Theme(Later(verb)) => verb.run(flags),
        Verb::Keys(Later(verb)) => verb.run(flags),
        Verb::Agent(Later(verb)) => {
            let settings = Settings::load(flags, std::env::vars_os())?;
            log::start(&settings);
            verb.run(&settings)
        }
        Verb::Card(Later(verb)) if verb.is_local() => {
            let settings = Settings::load(flags, std::env::vars_os())?;
            verb.run_without_store(&waiting::Waiting::of(&settings))
        }
        verb => {
            let settings = Settings::load(flags, std::env::vars_os())?;
            log::start(&settings);
            let runtime = runtime()?;
            runtime.block_on(on_store::within_patience(verb, &settings))
        }
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| {
            Failure::new(
                Exit::CannotTell,
                format!("the program cannot start: {error}"),
                "see the system's limits",
            )
        })
}
