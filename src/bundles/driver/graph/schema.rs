//! Indexes and constraints, and waiting until they are what they will be: the engine makes them in the background.

use std::thread;

use super::super::hex;
use super::super::protocol::{Code, Said};
use super::super::speak::Described;
use super::resp::Reply;
use super::value;
use super::{AGAIN, Graph};

const INDEXES: &str = "CALL db.indexes() YIELD label, properties, types, options, language, stopwords, entitytype, status \
                       RETURN label, entitytype, status, properties, types, options, language, stopwords";
const CONSTRAINTS: &str = "CALL db.constraints() YIELD type, label, properties, entitytype, status \
                           RETURN label, entitytype, status, type, properties";

/// An index or a constraint as it stands.
struct Found {
    described: Described,
    status: String,
}

/// Describes the indexes and constraints.
pub(super) fn read(graph: &mut Graph) -> Result<Vec<Described>, Said> {
    let found = found(graph)?;
    Ok(found.into_iter().map(|found| found.described).collect())
}

/// Waits until the engine has made what it was asked for; a constraint that does not hold has failed.
pub(super) fn settle(graph: &mut Graph) -> Result<(), Said> {
    while graph.is_there()? {
        let found = found(graph)?;
        if let Some(failed) = found.iter().find(|found| found.status == "FAILED") {
            let what = format!("{} does not hold", failed.described.name);
            return Err(Said::new(Code::ScriptFailed, what));
        }
        if found.iter().all(|found| found.status == "OPERATIONAL") {
            return Ok(());
        }
        if graph.left() < AGAIN {
            let what = "the store had not built its indexes and constraints in time";
            return Err(Said::new(Code::Unreachable, what));
        }
        thread::sleep(AGAIN);
    }
    Ok(())
}

fn found(graph: &mut Graph) -> Result<Vec<Found>, Said> {
    let mut all = Vec::new();
    for (kind, query) in [("index", INDEXES), ("constraint", CONSTRAINTS)] {
        for row in graph.look(query)?.rows {
            all.push(describe(kind, row, graph.shown())?);
        }
    }
    Ok(all)
}

fn describe(kind: &str, row: Vec<Reply>, graph: &str) -> Result<Found, Said> {
    let mut cells = row.into_iter();
    let mut text = || value::text(cells.next().ok_or_else(value::unreadable)?);
    let (label, entity, status) = (text()?, text()?, text()?);
    let mut bytes = Vec::new();
    let mut name = format!("{graph}.{label}.{}", entity.to_lowercase());
    if kind == "constraint" {
        let cells: Vec<Reply> = cells.collect();
        let [what, properties] = <[_; 2]>::try_from(cells).map_err(|_| value::unreadable())?;
        let (what, properties) = (value::text(what)?, value::texts(properties)?);
        name = format!("{name}.{}.{}", what.to_lowercase(), properties.join("."));
    } else {
        cells.try_for_each(|cell| value::encode(cell, &mut bytes))?;
    }
    let status = match status.split_whitespace().next() {
        Some(first) => first
            .trim_matches(|c: char| !c.is_ascii_alphabetic())
            .to_owned(),
        None => String::new(),
    };
    Ok(Found {
        described: Described {
            kind: kind.to_owned(),
            definition: format!("{kind} {name} {}", hex(&bytes)),
            name,
            table: Some(format!("{graph}.{label}")),
        },
        status,
    })
}
