//! Rows as JSON: an array of `{"metric_id": …, "value": …}`, read strictly.
//!
//! A value is a text, or a number whose token is taken as it stands and never becomes a double.

use std::borrow::Cow;

use super::csv::{MOST_CELL_BYTES, Row};
use super::fault::Fault;
use super::fields::members_of;
use crate::canon::scan::{Scan, Scanner, Start};
use crate::canon::{Integers, Reason};

const MEMBERS: [&str; 2] = ["metric_id", "value"];

/// Reads the whole text and returns where each row begins.
pub(super) fn row_places(text: &str) -> Result<Vec<u32>, Fault> {
    let mut places = Vec::new();
    let mut read = || {
        let mut scanner = Scanner::new(text.as_bytes(), Integers::AsDouble)?;
        if scanner.peek()? != Start::Array {
            let what = "expected an array of rows";
            return Err(scanner.refusal(scanner.at(), Reason::Malformed, what));
        }
        scanner.elements(|scanner| {
            scanner.peek()?;
            // The reader takes no text whose offsets do not fit.
            places.push(u32::try_from(scanner.at()).unwrap_or(u32::MAX));
            take_row(scanner).map(|_| ())
        })?;
        scanner.finish()
    };
    match read() {
        Ok(()) => Ok(places),
        Err(fault) => Err(crate::canon::JsonError::from(fault).into()),
    }
}

/// Reads one row where one was found before.
pub(super) fn row_at<'a>(scanner: &Scanner<'a>, at: u32) -> Result<Row<'a>, Fault> {
    let mut scanner = scanner.back_at(at as usize);
    take_row(&mut scanner).map_err(|fault| crate::canon::JsonError::from(fault).into())
}

/// Takes the row that comes next.
fn take_row<'a>(scanner: &mut Scanner<'a>) -> Scan<Row<'a>> {
    scanner.peek()?;
    let at = scanner.at();
    let (mut metric_id, mut value) = (None, None);
    members_of(scanner, &MEMBERS, |scanner, place| {
        let start = scanner.peek()?;
        let at = scanner.at();
        let text = match start {
            Start::String => scanner.string()?.text,
            Start::Number if place == 1 => Cow::Borrowed(scanner.number()?.text()),
            _ => {
                let what = format!("{} is no text", MEMBERS[place]);
                return Err(scanner.refusal(at, Reason::Malformed, what));
            }
        };
        if text.len() > MOST_CELL_BYTES {
            let what = format!("{} takes more than {MOST_CELL_BYTES} bytes", MEMBERS[place]);
            return Err(scanner.refusal(at, Reason::Malformed, what));
        }
        if place == 0 {
            metric_id = Some(text);
        } else {
            value = Some((text, at + usize::from(start == Start::String)));
        }
        Ok(())
    })?;
    let missing = |name| {
        let what = format!("a row without {name}");
        scanner.refusal(at, Reason::Malformed, what)
    };
    let metric_id = metric_id.ok_or_else(|| missing("metric_id"))?;
    if metric_id.is_empty() {
        return Err(scanner.refusal(at, Reason::Malformed, "an empty metric_id"));
    }
    let (value, value_at) = value.ok_or_else(|| missing("value"))?;
    Ok(Row {
        metric_id,
        value,
        at,
        value_at,
    })
}

#[cfg(test)]
mod tests {
    use super::super::RejectReason;
    use super::*;

    fn read(text: &str) -> Result<Vec<(String, String)>, String> {
        let told = |fault: Fault| fault.rejects(RejectReason::CsvInvalid, "f").to_string();
        let places = row_places(text).map_err(told)?;
        let scanner = Scanner::new(text.as_bytes(), Integers::AsDouble).expect("it was read");
        let row = |at| {
            let row = row_at(&scanner, at).map_err(told)?;
            assert_eq!(row.at, at as usize);
            Ok((row.metric_id.into_owned(), row.value.into_owned()))
        };
        places.into_iter().map(row).collect()
    }

    #[test]
    fn values_are_texts_or_tokens_as_they_stand() {
        let rows = read(
            r#" [ {"metric_id":"a","value":"1.50"}, {"value": 0.10000000000000000000000001 , "metric_id":"b\n\"c"},
            {"metric_id":"d","value":-0},{"metric_id":"e","value":12345678901234567890123},{"metric_id":"f","value":1E5}]"#,
        );
        let owned = |(id, value): (&str, &str)| (id.to_owned(), value.to_owned());
        let wanted = [
            ("a", "1.50"),
            ("b\n\"c", "0.10000000000000000000000001"),
            ("d", "-0"),
            ("e", "12345678901234567890123"),
            ("f", "1E5"),
        ];
        assert_eq!(rows, Ok(wanted.map(owned).into()));
        assert_eq!(read("[]"), Ok(Vec::new()));
    }

    #[test]
    fn everything_else_is_refused_in_place() {
        let large = format!(r#"[{{"metric_id":"a","value":"{}"}}]"#, "9".repeat(70_000));
        for (text, said) in [
            ("", "f, line 1, column 1: no JSON text"),
            ("{}", "f, line 1, column 1: expected an array of rows"),
            ("[1]", "f, line 1, column 2: expected an object"),
            ("[{}]", "f, line 1, column 2: a row without metric_id"),
            (
                "[\n {\"metric_id\":\"a\"}]",
                "f, line 2, column 2: a row without value",
            ),
            (
                r#"[{"metric_id":1,"value":1}]"#,
                "f, line 1, column 15: metric_id is no text",
            ),
            (
                r#"[{"metric_id":"a","value":null}]"#,
                "f, line 1, column 27: value is no text",
            ),
            (
                r#"[{"metric_id":"","value":1}]"#,
                "f, line 1, column 2: an empty metric_id",
            ),
            (
                r#"[{"metric_id":"a","value":1,"v":2}]"#,
                "f, line 1, column 29: an unknown field \"v\"",
            ),
            (
                r#"[{"metric_id":"a","value":1,"value":1}]"#,
                "f, line 1, column 29: duplicate key",
            ),
            (
                r#"[{"metric_id":"a","value":1}],"#,
                "f, line 1, column 30: text after the end",
            ),
            (
                large.as_str(),
                "f, line 1, column 27: value takes more than",
            ),
        ] {
            let refused = read(text).expect_err(text);
            assert!(refused.starts_with(said), "{refused}");
        }
    }
}
