//! Values as the engine writes them in its compact form: a number for the type, then the value.

use super::super::protocol::{Code, Said};
use super::resp::Reply;

const TEXT: i64 = 2;
const INTEGER: i64 = 3;
const ARRAY: i64 = 6;
const MAP: i64 = 10;

/// The rows and the counters of an answered query.
pub(super) struct Table {
    pub rows: Vec<Vec<Reply>>,
    pub counters: Vec<String>,
}

pub(super) fn unreadable() -> Said {
    Said::new(
        Code::Internal,
        "the store's answer has another shape than this driver knows",
    )
}

/// Reads the answer of a query, which is an error also when it ends in one.
pub(super) fn table(reply: Reply) -> Result<Table, Said> {
    let failed = |what: &str| Err(Said::new(Code::ScriptFailed, what.to_owned()));
    let parts = match reply {
        Reply::Error(what) => return failed(&what),
        Reply::Array(Some(parts)) => parts,
        _ => return Err(unreadable()),
    };
    for part in &parts {
        if let Reply::Error(what) = part {
            return failed(what);
        }
    }
    let mut parts = parts.into_iter().rev();
    let counters = items(parts.next().ok_or_else(unreadable)?)?;
    let counters = counters
        .into_iter()
        .map(text_of)
        .collect::<Result<_, _>>()?;
    let rows = match parts.next() {
        None => Vec::new(),
        Some(rows) => items(rows)?
            .into_iter()
            .map(items)
            .collect::<Result<_, _>>()?,
    };
    Ok(Table { rows, counters })
}

/// Takes an array apart.
pub(super) fn items(reply: Reply) -> Result<Vec<Reply>, Said> {
    match reply {
        Reply::Array(Some(items)) => Ok(items),
        _ => Err(unreadable()),
    }
}

fn text_of(reply: Reply) -> Result<String, Said> {
    match reply {
        Reply::Simple(text) => Ok(text),
        Reply::Bulk(Some(bytes)) => String::from_utf8(bytes).map_err(|_| unreadable()),
        _ => Err(unreadable()),
    }
}

/// Takes a cell apart: its type and its value.
fn typed(cell: Reply) -> Result<(i64, Reply), Said> {
    let mut both = items(cell)?.into_iter();
    match (both.next(), both.next(), both.next()) {
        (Some(Reply::Integer(kind)), Some(value), None) => Ok((kind, value)),
        _ => Err(unreadable()),
    }
}

/// Reads a cell that holds a whole number; null counts as none.
pub(super) fn integer(cell: Reply) -> Result<Option<i64>, Said> {
    match typed(cell)? {
        (INTEGER, Reply::Integer(number)) => Ok(Some(number)),
        (_, Reply::Bulk(None)) => Ok(None),
        _ => Err(unreadable()),
    }
}

/// Reads a cell that holds a number from zero up.
pub(super) fn count(cell: Reply) -> Result<u64, Said> {
    let number = integer(cell)?.ok_or_else(unreadable)?;
    u64::try_from(number).map_err(|_| unreadable())
}

/// Reads a cell that holds a text.
pub(super) fn text(cell: Reply) -> Result<String, Said> {
    match typed(cell)? {
        (TEXT, value) => text_of(value),
        _ => Err(unreadable()),
    }
}

/// Reads a cell that holds texts.
pub(super) fn texts(cell: Reply) -> Result<Vec<String>, Said> {
    match typed(cell)? {
        (ARRAY, value) => items(value)?.into_iter().map(text).collect(),
        _ => Err(unreadable()),
    }
}

/// Reads a cell that holds a map, in its own order.
pub(super) fn map(cell: Reply) -> Result<Vec<(String, Reply)>, Said> {
    match typed(cell)? {
        (MAP, value) => pairs(value),
        _ => Err(unreadable()),
    }
}

fn pairs(value: Reply) -> Result<Vec<(String, Reply)>, Said> {
    let mut pairs = Vec::new();
    let mut flat = items(value)?.into_iter();
    while let Some(key) = flat.next() {
        pairs.push((text_of(key)?, flat.next().ok_or_else(unreadable)?));
    }
    Ok(pairs)
}

/// Appends a cell so that two cells get the same bytes only when they are the same; a map's order does not matter.
pub(super) fn encode(cell: Reply, out: &mut Vec<u8>) -> Result<(), Said> {
    let (kind, value) = typed(cell)?;
    out.extend_from_slice(&kind.to_be_bytes());
    match (kind, value) {
        (ARRAY, value) => {
            let cells = items(value)?;
            length(cells.len(), out);
            cells.into_iter().try_for_each(|cell| encode(cell, out))
        }
        (MAP, value) => {
            let mut written = Vec::new();
            for (key, cell) in pairs(value)? {
                let mut pair = Vec::new();
                bytes(key.as_bytes(), &mut pair);
                encode(cell, &mut pair)?;
                written.push(pair);
            }
            written.sort();
            length(written.len(), out);
            out.extend(written.concat());
            Ok(())
        }
        (_, value) => plain(value, out),
    }
}

fn plain(value: Reply, out: &mut Vec<u8>) -> Result<(), Said> {
    match value {
        Reply::Simple(text) => bytes(text.as_bytes(), out),
        Reply::Bulk(Some(text)) => bytes(&text, out),
        Reply::Integer(number) => out.extend_from_slice(&number.to_be_bytes()),
        Reply::Bulk(None) | Reply::Array(None) => out.push(0),
        Reply::Array(Some(items)) => {
            length(items.len(), out);
            return items.into_iter().try_for_each(|item| plain(item, out));
        }
        Reply::Error(_) => return Err(unreadable()),
    }
    Ok(())
}

fn length(length: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(&(length as u64).to_be_bytes());
}

/// Appends a text with its length before it.
pub(super) fn bytes(text: &[u8], out: &mut Vec<u8>) {
    length(text.len(), out);
    out.extend_from_slice(text);
}
