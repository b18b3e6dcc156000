//! The driver for graphs in a Cypher store that is reached over the Redis protocol (`FalkorDB`), as
//! `govdeck bundle driver graph` speaks it.
//!
//! Such a store keeps or loses one statement, never several: there is no way to undo a script but its rollback script. So
//! a rehearsal runs on a copy of the graph that is thrown away, and a change that fails is followed at once by the rollback
//! scripts and a comparison with the baseline before.

mod address;
mod client;
mod cypher;
pub mod resp;
mod scan;
mod schema;
mod value;

use std::thread;
use std::time::{Duration, Instant};

use super::hex;
use super::protocol::{Changed, Code, Plan, Said, Work};
use super::speak::{self, Engine};
use crate::rules::bundle::{Baseline, Kind};
use crate::rules::bundle_run::Script;

use address::Address;
use client::Client;
use cypher::Statement;
use resp::Reply;
use scan::scan;
use value::Table;

/// After how many seconds the store itself removes a copy that nobody removed.
const COPY_LIVES: &[u8] = b"3600";

/// How often it is looked whether the engine has finished.
const AGAIN: Duration = Duration::from_millis(20);

/// What reviewers of every change of a graph should know.
const NO_UNDO: &str = "the store cannot undo a script: when the change fails, the rollback scripts run at once and the \
                       graph is compared with the baseline before";

/// The graph driver.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cypher;

impl Engine for Cypher {
    fn name(&self) -> &'static str {
        "govdeck-graph-falkordb"
    }

    fn kind(&self) -> Kind {
        Kind::Graph
    }

    fn baseline(&self, work: &Work) -> Result<Baseline, Said> {
        let mut graph = Graph::open(work)?;
        scan(&mut graph, &work.scope)?.baseline(&graph, &work.scope)
    }

    fn plan(&self, work: &Work) -> Result<Plan, Said> {
        let forward = cypher::read(&work.forward)?;
        let rollback = cypher::read(&work.rollback)?;
        let mut graph = Graph::open(work)?;
        graph.copy()?;
        let rehearsed = rehearse(&mut graph, work, &forward, &rollback);
        let removed = graph.remove_copy();
        let plan = rehearsed?;
        removed?;
        Ok(plan)
    }

    fn apply(&self, work: &Work) -> Result<Changed, Said> {
        make(work, &work.forward)
    }

    fn rollback(&self, work: &Work) -> Result<Changed, Said> {
        make(work, &work.rollback)
    }
}

fn rehearse(
    graph: &mut Graph,
    work: &Work,
    forward: &[Statement],
    rollback: &[Statement],
) -> Result<Plan, Said> {
    let before = scan(graph, &work.scope)?;
    let counted = graph.run(forward)?;
    let after = scan(graph, &work.scope)?;
    let mut back = None;
    if !rollback.is_empty() {
        graph.run(rollback)?;
        back = Some(scan(graph, &work.scope)?.baseline(graph, &work.scope)?);
    }
    Ok(Plan {
        pre: before.baseline(graph, &work.scope)?,
        post: after.baseline(graph, &work.scope)?,
        back,
        rows: before.rows_to(&after, graph.shown(), counted),
        notes: vec![
            "rehearsed on a copy of the graph, which was removed".to_owned(),
            NO_UNDO.to_owned(),
        ],
    })
}

fn make(work: &Work, scripts: &[Script]) -> Result<Changed, Said> {
    let statements = cypher::read(scripts)?;
    if statements.is_empty() {
        return Err(Said::new(
            Code::ScriptRefused,
            "there are no statements to run",
        ));
    }
    let mut graph = Graph::open(work)?;
    let before = scan(&mut graph, &work.scope)?;
    let counted = graph.run(&statements)?;
    let after = scan(&mut graph, &work.scope)?;
    Ok(Changed {
        rows: before.rows_to(&after, graph.shown(), counted),
        notes: vec![
            format!("{} statements were run", statements.len()),
            NO_UNDO.to_owned(),
        ],
    })
}

/// A graph and the connection that leads to it.
struct Graph {
    client: Client,
    /// The graph that bundles name.
    shown: String,
    /// The graph that is worked on: that one, or its copy.
    key: String,
}

impl Graph {
    fn open(work: &Work) -> Result<Self, Said> {
        let text = speak::address(work)?;
        let address = Address::parse(&text).map_err(|what| Said::new(Code::BadRequest, what))?;
        // A little before the driver itself is ended, so that it can still say why.
        let patience = Duration::from_millis(work.time_limit_ms / 10 * 9);
        let deadline = Instant::now()
            .checked_add(patience)
            .unwrap_or_else(Instant::now);
        let client = Client::connect(&address, deadline)?;
        let mut graph = Self {
            client,
            shown: address.graph.clone(),
            key: address.graph,
        };
        // A server without the engine knows no such graph either, which must not pass for an empty one.
        graph.done(&[b"GRAPH.LIST"])?;
        graph.wait_for_others()?;
        Ok(graph)
    }

    /// Marks a statement of a change, so that it is known while it runs.
    fn mark(&self) -> String {
        format!("/* govdeck changes {} */ ", self.key)
    }

    /// Waits for a change that still runs: the store goes on with a statement whose driver was ended.
    fn wait_for_others(&mut self) -> Result<(), Said> {
        let mark = self.mark();
        loop {
            let info = self
                .client
                .call(&[b"GRAPH.INFO", b"RunningQueries", b"WaitingQueries"])?;
            if let Reply::Error(what) = info {
                let what = format!("the store does not say what it is doing: {what}");
                return Err(Said::new(Code::Unreachable, what));
            }
            if !holds(&info, mark.as_bytes()) {
                return Ok(());
            }
            if self.left() < AGAIN {
                let what = "a change of this graph still runs in the store";
                return Err(Said::new(Code::Unreachable, what));
            }
            thread::sleep(AGAIN);
        }
    }

    /// The name of the graph in scopes and baselines.
    fn shown(&self) -> &str {
        &self.shown
    }

    fn left(&self) -> Duration {
        self.client.left()
    }

    fn is_there(&mut self) -> Result<bool, Said> {
        match self.client.call(&[b"EXISTS", self.key.as_bytes()])? {
            Reply::Integer(count) => Ok(count > 0),
            Reply::Error(what) => Err(Said::new(
                Code::Unreachable,
                format!("the store says: {what}"),
            )),
            _ => Err(value::unreadable()),
        }
    }

    /// Asks a question that cannot change anything.
    fn look(&mut self, query: &str) -> Result<Table, Said> {
        self.ask(b"GRAPH.RO_QUERY", query)
            .map_err(|said| match said.code {
                // A question of ours is not a script of the bundle's.
                Code::ScriptFailed => Said::new(
                    Code::Unreachable,
                    format!("the store says: {}", said.message),
                ),
                _ => said,
            })
    }

    fn ask(&mut self, command: &[u8], query: &str) -> Result<Table, Said> {
        let words: [&[u8]; 4] = [command, self.key.as_bytes(), query.as_bytes(), b"--compact"];
        value::table(self.client.call(&words)?)
    }

    /// Runs statements and waits for what they began; returns how many elements the engine says it made and removed.
    fn run(&mut self, statements: &[Statement]) -> Result<u64, Said> {
        let mut counted = 0_u64;
        for (place, statement) in statements.iter().enumerate() {
            let failed = |said: Said| Said {
                message: format!(
                    "statement {} of {}: {}",
                    place + 1,
                    statements.len(),
                    said.message
                ),
                ..said
            };
            match statement {
                Statement::Query(text) => {
                    let marked = self.mark() + text;
                    let table = self.ask(b"GRAPH.QUERY", &marked).map_err(failed)?;
                    counted = counted.saturating_add(elements(&table.counters));
                }
                Statement::Constraint { verb, words } => {
                    self.constrain(verb, words).map_err(failed)?;
                }
            }
            schema::settle(self).map_err(failed)?;
        }
        Ok(counted)
    }

    fn constrain(&mut self, verb: &str, words: &[String]) -> Result<(), Said> {
        let key = self.key.clone();
        let mut request: Vec<&[u8]> = vec![b"GRAPH.CONSTRAINT", verb.as_bytes(), key.as_bytes()];
        request.extend(words.iter().map(String::as_bytes));
        match self.client.call(&request)? {
            Reply::Error(what) => Err(Said::new(Code::ScriptFailed, what)),
            Reply::Simple(_) | Reply::Integer(_) | Reply::Bulk(Some(_)) => Ok(()),
            _ => Err(value::unreadable()),
        }
    }

    /// Goes on with a copy of the graph, which the store removes by itself should this process be ended.
    fn copy(&mut self) -> Result<(), Said> {
        let mut random = [0; 8];
        getrandom::fill(&mut random)
            .map_err(|_| Said::new(Code::Internal, "the system gives no random numbers"))?;
        let copy = format!("govdeck:rehearsal:{}:{}", self.shown, hex(&random));
        if self.is_there()? {
            let key = self.key.clone();
            self.done(&[b"GRAPH.COPY", key.as_bytes(), copy.as_bytes()])?;
            self.done(&[b"EXPIRE", copy.as_bytes(), COPY_LIVES])?;
        }
        self.key = copy;
        Ok(())
    }

    fn remove_copy(&mut self) -> Result<(), Said> {
        if self.key == self.shown || !self.is_there()? {
            return Ok(());
        }
        let key = self.key.clone();
        self.done(&[b"GRAPH.DELETE", key.as_bytes()])
    }

    fn done(&mut self, words: &[&[u8]]) -> Result<(), Said> {
        match self.client.call(words)? {
            Reply::Error(what) => Err(Said::new(
                Code::Unreachable,
                format!("the store says: {what}"),
            )),
            _ => Ok(()),
        }
    }
}

/// Tells whether a text that begins like this is anywhere in a reply.
fn holds(reply: &Reply, begin: &[u8]) -> bool {
    match reply {
        Reply::Array(Some(items)) => items.iter().any(|item| holds(item, begin)),
        Reply::Bulk(Some(bytes)) => bytes.starts_with(begin),
        Reply::Simple(text) => text.as_bytes().starts_with(begin),
        _ => false,
    }
}

/// Adds up what the engine says it made and removed, from lines such as `Nodes created: 2`.
fn elements(counters: &[String]) -> u64 {
    const COUNTED: [&str; 4] = [
        "Nodes created",
        "Nodes deleted",
        "Relationships created",
        "Relationships deleted",
    ];
    let count = |line: &String| {
        let (what, number) = line.split_once(':')?;
        COUNTED
            .contains(&what)
            .then(|| number.trim().parse::<u64>().ok())?
    };
    counters.iter().filter_map(count).sum()
}
