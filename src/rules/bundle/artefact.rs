//! Artefacts as JSON: strict, of bounded memory, and as their schema says.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::schemas::{Fault, Schema};
use super::{Finding, Place, Reason};
use crate::canon;

/// How many members and items a document may have, so that one of a few megabytes cannot fill the memory.
const MOST_VALUES: usize = 500_000;

/// How many objects it may have, which take the most room.
const MOST_OBJECTS: usize = 60_000;

/// Reads a strict JSON text; what is wrong with it is a finding with this reason.
pub(super) fn json(bytes: &[u8], path: &str, reason: Reason) -> Result<Value, Finding> {
    let count = |wanted: u8| bytes.split(|byte| *byte == wanted).count() - 1;
    if count(b',') > MOST_VALUES || count(b'{') > MOST_OBJECTS {
        let what = format!("more than {MOST_VALUES} values or {MOST_OBJECTS} objects");
        return Err(Finding::new(reason, path, what));
    }
    let canonical = canon::canonical_exact(bytes).map_err(|error| {
        let (line, column) = (error.line, error.column);
        Finding::at(reason, path, Place { line, column }, &error.what)
    })?;
    let value = serde_json::from_slice(&canonical);
    value.map_err(|error| Finding::new(reason, path, error.to_string()))
}

/// Compares a value with its schema and takes it for what it is.
pub(super) fn typed<T: DeserializeOwned>(
    value: Value,
    path: &str,
    schema: Schema,
    reason: Reason,
) -> Result<T, Vec<Finding>> {
    let faults = schema.faults(&value);
    if !faults.is_empty() {
        let finding = |fault: &Fault| {
            let reason = if fault.is_digest {
                Reason::DigestInvalid
            } else {
                reason
            };
            Finding::new(reason, path, fault.sentence())
        };
        return Err(faults.iter().map(finding).collect());
    }
    serde_json::from_value(value).map_err(|error| {
        let what = crate::rules::text::scrub(&error.to_string()).into_owned();
        vec![Finding::new(reason, path, what)]
    })
}

/// Reads a strict JSON text of a schema.
pub(super) fn read<T: DeserializeOwned>(
    bytes: &[u8],
    path: &str,
    schema: Schema,
    reason: Reason,
) -> Result<T, Vec<Finding>> {
    let value = json(bytes, path, reason).map_err(|finding| vec![finding])?;
    typed(value, path, schema, reason)
}
