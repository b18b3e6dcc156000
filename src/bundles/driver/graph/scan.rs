//! A whole graph, read once: what there is by label and by relationship type, and digests of it.

use std::collections::{BTreeMap, HashMap};

use sha2::{Digest as _, Sha256};

use super::super::protocol::{Code, Said};
use super::super::speak::{Described, assemble, sha256};
use super::Graph;
use super::value;
use crate::rules::bundle::{Baseline, Scope};

/// What nodes without a label are counted under.
const NO_LABEL: &str = "(no label)";

/// How many node ids one question covers.
const WINDOW: i64 = 4_000;

/// What a graph holds.
#[derive(Default)]
pub(super) struct Scan {
    groups: BTreeMap<Subject, Group>,
    schema: Vec<Described>,
    /// Nodes of protected labels with everything that hangs on them.
    protected: BTreeMap<String, Vec<[u8; 32]>>,
}

/// A label or a relationship type.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    Label(String),
    Type(String),
}

/// What there is of a label or a type.
#[derive(Default)]
struct Group {
    /// One digest each, sorted once all are there.
    elements: Vec<[u8; 32]>,
    /// How many nodes have so many relationships towards and away from them.
    degrees: BTreeMap<(u64, u64), u64>,
}

impl Subject {
    fn name(&self) -> &str {
        match self {
            Self::Label(name) | Self::Type(name) => name,
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Label(_) => "label",
            Self::Type(_) => "relationship",
        }
    }
}

/// What is remembered of a node while its relationships are read.
struct Node {
    labels: Vec<String>,
    /// Its digest and those of its relationships, when it is protected.
    guarded: Option<Vec<[u8; 32]>>,
}

/// Reads the whole graph.
pub(super) fn scan(graph: &mut Graph, scope: &Scope) -> Result<Scan, Said> {
    let mut scan = Scan::default();
    if !graph.is_there()? {
        return Ok(scan);
    }
    let mut nodes = HashMap::new();
    let last = one(graph, "MATCH (n) RETURN max(id(n))")?;
    let last = value::integer(last)?.unwrap_or(-1);
    let mut from = 0;
    while from <= last {
        read_nodes(graph, scope, from, &mut scan, &mut nodes)?;
        from += WINDOW;
    }
    let mut relationships = 0;
    from = 0;
    while from <= last {
        relationships += read_relationships(graph, from, &mut scan, &mut nodes)?;
        from += WINDOW;
    }
    let counted = value::count(one(graph, "MATCH (n) RETURN count(n)")?)?;
    let related = value::count(one(graph, "MATCH ()-[r]->() RETURN count(r)")?)?;
    if counted != nodes.len() as u64 || related != relationships {
        return Err(changed());
    }
    for node in nodes.into_values() {
        let Some(mut whole) = node.guarded else {
            continue;
        };
        whole.sort_unstable();
        let digest = digest(&whole.concat());
        for label in node
            .labels
            .iter()
            .filter(|label| is_guarded(label, graph, scope))
        {
            scan.protected
                .entry(label.clone())
                .or_default()
                .push(digest);
        }
    }
    for group in scan.groups.values_mut() {
        group.elements.sort_unstable();
    }
    scan.schema = super::schema::read(graph)?;
    Ok(scan)
}

fn changed() -> Said {
    let what = "the graph was changed by somebody while it was read";
    Said::new(Code::Unreachable, what)
}

fn one(graph: &mut Graph, query: &str) -> Result<super::resp::Reply, Said> {
    let mut rows = graph.look(query)?.rows;
    let row = rows.pop().and_then(|mut row| row.pop());
    row.ok_or_else(value::unreadable)
}

fn read_nodes(
    graph: &mut Graph,
    scope: &Scope,
    from: i64,
    scan: &mut Scan,
    nodes: &mut HashMap<i64, Node>,
) -> Result<(), Said> {
    let query = format!(
        "MATCH (n) WHERE id(n) >= {from} AND id(n) < {} \
         RETURN id(n), labels(n), properties(n), indegree(n), outdegree(n)",
        from + WINDOW
    );
    for row in graph.look(&query)?.rows {
        let [id, labels, properties, towards, away] =
            <[_; 5]>::try_from(row).map_err(|_| value::unreadable())?;
        let id = value::integer(id)?.ok_or_else(value::unreadable)?;
        let mut labels = value::texts(labels)?;
        labels.sort();
        if labels.is_empty() {
            labels.push(NO_LABEL.to_owned());
        }
        let mut bytes = Vec::new();
        encode_labels(&labels, &mut bytes);
        value::encode(properties, &mut bytes)?;
        let digest = digest(&bytes);
        let degree = (value::count(towards)?, value::count(away)?);
        for label in &labels {
            let group = scan
                .groups
                .entry(Subject::Label(label.clone()))
                .or_default();
            group.elements.push(digest);
            *group.degrees.entry(degree).or_default() += 1;
        }
        let guarded = labels.iter().any(|label| is_guarded(label, graph, scope));
        let node = Node {
            labels,
            guarded: guarded.then(|| vec![digest]),
        };
        if nodes.insert(id, node).is_some() {
            return Err(changed());
        }
    }
    Ok(())
}

fn read_relationships(
    graph: &mut Graph,
    from: i64,
    scan: &mut Scan,
    nodes: &mut HashMap<i64, Node>,
) -> Result<u64, Said> {
    let query = format!(
        "MATCH (a) WHERE id(a) >= {from} AND id(a) < {} MATCH (a)-[r]->(b) \
         RETURN id(a), id(b), type(r), properties(r)",
        from + WINDOW
    );
    let rows = graph.look(&query)?.rows;
    let count = rows.len() as u64;
    for row in rows {
        let [begin, end, kind, properties] =
            <[_; 4]>::try_from(row).map_err(|_| value::unreadable())?;
        let begin = value::integer(begin)?.ok_or_else(value::unreadable)?;
        let end = value::integer(end)?.ok_or_else(value::unreadable)?;
        let kind = value::text(kind)?;
        let mut bytes = Vec::new();
        value::bytes(kind.as_bytes(), &mut bytes);
        value::encode(properties, &mut bytes)?;
        for id in [begin, end] {
            let node = nodes.get(&id).ok_or_else(changed)?;
            encode_labels(&node.labels, &mut bytes);
        }
        let whole = digest(&bytes);
        for (id, side) in [(begin, b'>'), (end, b'<')] {
            if let Some(Node {
                guarded: Some(all), ..
            }) = nodes.get_mut(&id)
            {
                bytes.push(side);
                all.push(digest(&bytes));
                bytes.pop();
            }
        }
        scan.groups
            .entry(Subject::Type(kind))
            .or_default()
            .elements
            .push(whole);
    }
    Ok(count)
}

fn encode_labels(labels: &[String], bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(&(labels.len() as u64).to_be_bytes());
    for label in labels {
        value::bytes(label.as_bytes(), bytes);
    }
}

fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Tells whether a label is forbidden or a protected reference.
fn is_guarded(label: &str, graph: &Graph, scope: &Scope) -> bool {
    let entries = scope.forbidden_tables.iter();
    let mut entries = entries.chain(&scope.protected_reference_tables);
    scope
        .forbidden_schemas
        .iter()
        .any(|schema| schema == graph.shown())
        || entries.any(|entry| is_named(entry, label, graph))
}

fn is_named(entry: &str, name: &str, graph: &Graph) -> bool {
    let within = entry
        .strip_prefix(graph.shown())
        .and_then(|rest| rest.strip_prefix('.'));
    entry == name || within == Some(name)
}

impl Scan {
    /// Makes the baseline; a protected label or type that is nowhere is refused, for it would protect nothing.
    pub fn baseline(&self, graph: &Graph, scope: &Scope) -> Result<Baseline, Said> {
        for entry in &scope.protected_reference_tables {
            if !self
                .groups
                .keys()
                .any(|subject| is_named(entry, subject.name(), graph))
            {
                let what = format!("the protected label or type {entry:?} is not there");
                return Err(Said::new(Code::BadRequest, what));
            }
        }
        let mut described = self.schema.clone();
        let (mut row_counts, mut stats) = (BTreeMap::new(), BTreeMap::new());
        for (subject, group) in &self.groups {
            let name = format!("{}.{}", graph.shown(), subject.name());
            *row_counts.entry(name.clone()).or_default() += group.elements.len() as u64;
            group.sum_up(subject.name(), &mut stats);
            described.push(Described {
                kind: subject.kind().to_owned(),
                name,
                table: None,
                definition: group.definition(),
            });
        }
        let nodes = |(label, nodes): (&String, &Vec<[u8; 32]>)| {
            let mut nodes = nodes.clone();
            nodes.sort_unstable();
            (label.clone(), sha256(&nodes.concat()))
        };
        let protected = self.protected.iter().map(nodes).collect();
        assemble(described, scope, &protected, row_counts, stats)
    }

    /// Counts what differs, by label and type: a changed element once, and never less than the engine says.
    pub fn rows_to(&self, after: &Self, shown: &str, engine: u64) -> BTreeMap<String, u64> {
        let none = Group::default();
        let mut rows = BTreeMap::new();
        for subject in self.groups.keys().chain(after.groups.keys()) {
            let before = self.groups.get(subject).unwrap_or(&none);
            let after = after.groups.get(subject).unwrap_or(&none);
            let count = differing(&before.elements, &after.elements);
            if count > 0 {
                let name = match subject {
                    Subject::Label(name) | Subject::Type(name) => format!("{shown}.{name}"),
                };
                let counted: &mut u64 = rows.entry(name).or_default();
                *counted = (*counted).max(count);
            }
        }
        let counted: u64 = rows.values().sum();
        if let Some(most) = rows.values_mut().max() {
            *most += engine.saturating_sub(counted);
        }
        rows
    }
}

/// Counts how many must have been inserted, changed or deleted to get from one sorted list to the other.
fn differing(before: &[[u8; 32]], after: &[[u8; 32]]) -> u64 {
    let (mut one, mut other) = (before.iter().peekable(), after.iter().peekable());
    let (mut gone, mut new) = (0_u64, 0_u64);
    loop {
        match (one.peek(), other.peek()) {
            (Some(a), Some(b)) if a == b => {
                one.next();
                other.next();
            }
            (Some(a), Some(b)) if a < b => {
                gone += 1;
                one.next();
            }
            (_, Some(_)) => {
                new += 1;
                other.next();
            }
            (Some(_), None) => {
                gone += 1;
                one.next();
            }
            (None, None) => return gone.max(new),
        }
    }
}

impl Group {
    fn definition(&self) -> String {
        let degrees: Vec<_> = self
            .degrees
            .iter()
            .map(|((i, o), n)| format!("{i}/{o}:{n}"))
            .collect();
        format!(
            "count {}; degrees {}; content {}",
            self.elements.len(),
            degrees.join(" "),
            sha256(&self.elements.concat())
        )
    }

    /// Sums up the degrees in powers of two, for people.
    fn sum_up(&self, name: &str, stats: &mut BTreeMap<String, u64>) {
        for ((towards, away), nodes) in &self.degrees {
            for (side, degree) in [("in", towards), ("out", away)] {
                let range = match degree {
                    0 | 1 => degree.to_string(),
                    more => {
                        let begin = 1_u64 << more.ilog2();
                        format!("{begin}..{}", begin.saturating_mul(2) - 1)
                    }
                };
                *stats.entry(format!("{name} {side} {range}")).or_default() += nodes;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_counted_once() {
        let of = |bytes: &[u8]| bytes.iter().map(|byte| [*byte; 32]).collect::<Vec<_>>();
        for (before, after, count) in [
            (&b""[..], &b""[..], 0),
            (b"abc", b"abc", 0),
            (b"abc", b"abd", 1),
            (b"abc", b"", 3),
            (b"", b"ab", 2),
            (b"aab", b"abb", 1),
            (b"abc", b"cdefg", 4),
        ] {
            assert_eq!(
                differing(&of(before), &of(after)),
                count,
                "{before:?} {after:?}"
            );
        }
    }
}
