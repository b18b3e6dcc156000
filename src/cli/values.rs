//! The values of the cells that drifted: of both files again, and only while they are what the run was minted of.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};
use serde_json::{Map, Value, json};

use super::hash::read;
use super::page::{Exit, Failure};
use crate::canon;
use crate::rules::drift::{Cell, Drift, Side, Told};

/// A row of a file.
type Row = Map<String, Value>;
/// The rows of each cell that is looked for.
type Found = BTreeMap<(String, Option<String>), Vec<Row>>;

/// The rows of the cells that differ, side by side.
pub(super) struct Values {
    publish: Found,
    source: Found,
}

impl Values {
    /// Reads both files; refuses them unless they hash to what the run has.
    pub(super) fn read(drift: &Drift, publish: &Path, source: &Path) -> Result<Self, Failure> {
        Ok(Self {
            publish: side(Side::Publish, drift, &drift.publish, publish)?,
            source: side(Side::Source, drift, &drift.source, source)?,
        })
    }

    /// Writes what a cell has on both sides: the columns that differ where it has one row on each, else the rows.
    pub(super) fn lines(&self, cell: &Cell) -> Vec<String> {
        let (ours, theirs) = self.of(cell);
        if let ([ours], [theirs]) = (ours, theirs) {
            return differing(ours, theirs);
        }
        let all = |side: Side, rows: &[Row]| {
            let one = |row: &Row| format!("    {side:<8} {}", json!(row));
            rows.iter().map(one).collect::<Vec<_>>()
        };
        [all(Side::Publish, ours), all(Side::Source, theirs)].concat()
    }

    /// Writes the rows of every cell that is named as a document.
    pub(super) fn json(&self, drift: &Drift) -> Value {
        let one = |cell: &Cell| {
            let (ours, theirs) = self.of(cell);
            json!({
                "metric_id": cell.metric_id, "dimension_filter_id": cell.dimension_filter_id, "publish": ours, "source": theirs,
            })
        };
        drift.named.iter().map(one).collect()
    }

    fn of(&self, cell: &Cell) -> (&[Row], &[Row]) {
        let key = key(cell);
        (
            self.publish.get(&key).map_or(&[], Vec::as_slice),
            self.source.get(&key).map_or(&[], Vec::as_slice),
        )
    }
}

fn key(cell: &Cell) -> (String, Option<String>) {
    (cell.metric_id.clone(), cell.dimension_filter_id.clone())
}

/// Names each column that differs, with both values.
fn differing(ours: &Row, theirs: &Row) -> Vec<String> {
    let mut columns: Vec<_> = ours.keys().chain(theirs.keys()).collect();
    columns.sort_unstable();
    columns.dedup();
    let value =
        |row: &Row, column: &str| row.get(column).map_or("none".to_owned(), Value::to_string);
    columns
        .into_iter()
        .filter(|column| !is_same(ours.get(*column), theirs.get(*column)))
        .map(|column| {
            let (ours, theirs) = (value(ours, column), value(theirs, column));
            format!("    {column}: {ours} to publish, {theirs} in the source")
        })
        .collect()
}

/// Tells whether two values hash alike: a number may be written in several ways.
fn is_same(ours: Option<&Value>, theirs: Option<&Value>) -> bool {
    let numbers = ours
        .and_then(Value::as_f64)
        .zip(theirs.and_then(Value::as_f64));
    ours == theirs || numbers.is_some_and(|(ours, theirs)| ours.to_bits() == theirs.to_bits())
}

fn side(side: Side, drift: &Drift, told: &Told, path: &Path) -> Result<Found, Failure> {
    let bytes = read(Some(path))?;
    let hashed = canon::tuple_leaves(&bytes);
    let hashed = hashed.map_err(|error| Failure::of_json(path, &error))?;
    if hashed.digest != told.tuple_hash {
        return Err(Failure::new(
            Exit::No,
            format!(
                "{} is not what the run was minted of: its rows hash to {}, the run's {side} side has {}",
                path.display(),
                hashed.digest,
                told.tuple_hash
            ),
            "values are shown of the very rows that were compared, and of no others",
        ));
    }
    let mut found: Found = drift
        .named
        .iter()
        .map(|cell| (key(cell), Vec::new()))
        .collect();
    let mut reader = serde_json::Deserializer::from_slice(&bytes);
    let kept = Keep(&mut found).deserialize(&mut reader);
    kept.map_err(|error| {
        Failure::new(
            Exit::BadInput,
            format!("{}: {error}", path.display()),
            "report this as a bug: it was hashed a moment ago",
        )
    })?;
    Ok(found)
}

/// Reads an array of rows one by one, and keeps those of the cells that are looked for.
struct Keep<'a>(&'a mut Found);

impl<'de> DeserializeSeed<'de> for Keep<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Keep<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of row objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<(), A::Error> {
        let text =
            |row: &Row, column: &str| row.get(column).and_then(Value::as_str).map(str::to_owned);
        while let Some(row) = rows.next_element::<Row>()? {
            let key = (
                text(&row, "metric_id").unwrap_or_default(),
                text(&row, "dimension_filter_id"),
            );
            if let Some(kept) = self.0.get_mut(&key) {
                kept.push(row);
            }
        }
        Ok(())
    }
}
