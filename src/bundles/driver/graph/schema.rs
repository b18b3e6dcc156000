//! Indexes and constraints, and waiting until they are what they will be: the engine makes them in the background.

use std::thread;

use super::super::hex;
use super::super::protocol::{Code, Said};
use super::super::speak::Described;
use super::resp::Reply;
use super::value;
use super::{AGAIN, Graph};

const INDEXES: &str = "CALL db.indexes() YIELD label, types, options, language, stopwords, entitytype, status \
                       RETURN label, entitytype, status, types, options, language, stopwords";
const CONSTRAINTS: &str = "CALL db.constraints() YIELD type, label, properties, entitytype, status \
                           RETURN label, entitytype, status, type, properties";

/// What the engine says of what it has made, and of what it could not.
const DONE: &str = "OPERATIONAL";
const FAILED: &str = "FAILED";

/// An index or a constraint as it stands.
struct Found {
    described: Described,
    status: String,
}

/// Describes the indexes and constraints, once the engine has made them.
pub(super) fn read(graph: &mut Graph) -> Result<Vec<Described>, Said> {
    let described = |found: Found| match found.status.as_str() {
        FAILED => Described {
            definition: found.described.definition + " failed",
            ..found.described
        },
        _ => found.described,
    };
    Ok(settled(graph)?.into_iter().map(described).collect())
}

/// Waits until the engine has made what it was asked for; a constraint that does not hold has failed.
pub(super) fn settle(graph: &mut Graph) -> Result<(), Said> {
    if !graph.is_there()? {
        return Ok(());
    }
    match settled(graph)?.iter().find(|found| found.status == FAILED) {
        Some(failed) => {
            let what = format!("{} does not hold", failed.described.name);
            Err(Said::new(Code::ScriptFailed, what))
        }
        None => Ok(()),
    }
}

fn settled(graph: &mut Graph) -> Result<Vec<Found>, Said> {
    loop {
        let found = found(graph)?;
        if found
            .iter()
            .all(|found| [DONE, FAILED].contains(&found.status.as_str()))
        {
            return Ok(found);
        }
        if graph.left() < AGAIN {
            let what = "the store had not built its indexes and constraints in time";
            return Err(Said::new(Code::Unreachable, what));
        }
        thread::sleep(AGAIN);
    }
}

fn found(graph: &mut Graph) -> Result<Vec<Found>, Said> {
    let mut all = Vec::new();
    for row in graph.look(INDEXES)?.rows {
        indexes(row, graph.shown(), &mut all)?;
    }
    for row in graph.look(CONSTRAINTS)?.rows {
        all.push(constraint(row, graph.shown())?);
    }
    Ok(all)
}

/// Describes the indexes that a label or a type has: one for each property and way of indexing it.
fn indexes(row: Vec<Reply>, graph: &str, all: &mut Vec<Found>) -> Result<(), Said> {
    let [label, entity, status, types, options, language, stopwords] =
        <[_; 7]>::try_from(row).map_err(|_| value::unreadable())?;
    let (label, entity, status) = (
        value::text(label)?,
        value::text(entity)?,
        value::text(status)?,
    );
    let mut common = Vec::new();
    for cell in [options, language, stopwords] {
        value::encode(cell, &mut common)?;
    }
    for (property, kinds) in value::map(types)? {
        for kind in value::texts(kinds)? {
            let parts = [label.as_str(), &entity, &property, &kind];
            all.push(Found::new("index", graph, parts, &hex(&common), &status));
        }
    }
    Ok(())
}

fn constraint(row: Vec<Reply>, graph: &str) -> Result<Found, Said> {
    let [label, entity, status, kind, properties] =
        <[_; 5]>::try_from(row).map_err(|_| value::unreadable())?;
    let (label, entity, status) = (
        value::text(label)?,
        value::text(entity)?,
        value::text(status)?,
    );
    let (kind, properties) = (value::text(kind)?, value::texts(properties)?.join("."));
    let parts = [label.as_str(), &entity, &properties, &kind];
    Ok(Found::new("constraint", graph, parts, "", &status))
}

impl Found {
    fn new(what: &str, graph: &str, parts: [&str; 4], more: &str, status: &str) -> Self {
        let [label, entity, property, kind] = parts;
        let name = format!("{graph}.{label}.{entity}.{property}.{kind}");
        // `[Indexing] 3/7: UNDER CONSTRUCTION` and the like.
        let status = status.trim_matches(|c: char| !c.is_ascii_alphabetic());
        Self {
            described: Described {
                kind: what.to_owned(),
                definition: format!("{what} {name} {more}"),
                name,
                table: Some(format!("{graph}.{label}")),
            },
            status: status.to_owned(),
        }
    }
}
