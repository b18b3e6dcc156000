//! What RFC 4180 writes is read; everything else is refused in its place.

use super::*;
use crate::rules::reconcile::RejectReason;

fn read(text: &str, further: &[&str]) -> Result<Vec<(String, String)>, String> {
    let told = |fault: Fault| fault.rejects(RejectReason::CsvInvalid, "f").to_string();
    let further: Vec<_> = further.iter().map(|name| (*name).to_owned()).collect();
    let mut table = Table::begin(text, &further).map_err(told)?;
    let mut rows = Vec::new();
    while let Some(row) = table.next_row().map_err(told)? {
        assert!(text[row.value_at..].starts_with(row.value.split('"').next().expect("a part")));
        let again = table.row_at(row.at).expect("it was read");
        assert_eq!(
            (&again.metric_id, again.value),
            (&row.metric_id, row.value.clone())
        );
        assert_eq!(table.id_at(row.at), row.metric_id);
        rows.push((row.metric_id.into_owned(), row.value.into_owned()));
    }
    assert_eq!(table.at(), text.len());
    Ok(rows)
}

fn pairs(rows: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(id, value): &(&str, &str)| ((*id).to_owned(), (*value).to_owned());
    rows.iter().map(owned).collect()
}

#[test]
fn what_rfc_4180_writes_is_read() {
    for (text, rows) in [
        ("metric_id,value", &[][..]),
        ("metric_id,value\r\n", &[]),
        ("metric_id,value\na,1", &[("a", "1")]),
        ("metric_id,value\r\na,1\r\nb,2\n", &[("a", "1"), ("b", "2")]),
        ("\"metric_id\",\"value\"\n\"a\",\"1\"", &[("a", "1")]),
        (
            "metric_id,value\n\"a,\"\"b\"\"\r\nc\",1",
            &[("a,\"b\"\r\nc", "1")],
        ),
        ("metric_id,value\n\"\"\"\",\"\"\"\"", &[("\"", "\"")]),
        ("metric_id,value\n a ,\n", &[(" a ", "")]),
        (
            "metric_id,value\nmét 漢\u{202e},1",
            &[("mét 漢\u{202e}", "1")],
        ),
    ] {
        assert_eq!(read(text, &[]), Ok(pairs(rows)), "{text:?}");
    }
}

#[test]
fn further_columns_are_read_past_where_a_manifest_allows_them() {
    let text = "metric_id,value,squad,note\na,1,s,\"x,\ny\"\nb,2,,\n";
    let rows = Ok(pairs(&[("a", "1"), ("b", "2")]));
    assert_eq!(read(text, &["note", "squad"]), rows);
    let refused = read(text, &["squad"]);
    assert_eq!(
        refused,
        Err("f, line 1, column 23: no manifest allows the column \"note\"".into())
    );
    let twice = read("metric_id,value,squad,squad\n", &["squad"]);
    assert_eq!(
        twice,
        Err("f, line 1, column 23: the column \"squad\" stands twice".into())
    );
}

/// Texts that are no table, and where they are refused.
const REFUSED: &[(&str, &str)] = &[
    ("", "line 1, column 1: no header: the file is empty"),
    (
        "\u{feff}metric_id,value\n",
        "line 1, column 1: a byte order mark",
    ),
    (
        "metric_id",
        "line 1, column 1: the header ends before the column value",
    ),
    (
        "metric_id;value\n",
        "line 1, column 1: the header has \"metric_id;value\"",
    ),
    (
        "value,metric_id\n",
        "line 1, column 1: the header has \"value\" for metric_id",
    ),
    (
        "metric_id, value\n",
        "line 1, column 11: the header has \" value\" for value",
    ),
    (
        "Metric_id,value\n",
        "line 1, column 1: the header has \"Metric_id\"",
    ),
    (
        "metric_id,value,\n",
        "line 1, column 17: no manifest allows the column \"\"",
    ),
    (
        "metric_id,value\n\n",
        "line 2, column 1: a line of 1 cell, the header has 2",
    ),
    (
        "metric_id,value\na,1\n\n",
        "line 3, column 1: a line of 1 cell",
    ),
    ("metric_id,value\na", "line 2, column 2: a line of 1 cell"),
    (
        "metric_id,value\na,1,2\n",
        "line 2, column 4: more cells than the 2",
    ),
    (
        "metric_id,value\n,1\n",
        "line 2, column 1: an empty metric_id",
    ),
    (
        "metric_id,value\n\"\",1\n",
        "line 2, column 1: an empty metric_id",
    ),
    (
        "metric_id,value\na\"b,1\n",
        "line 2, column 2: a quote inside a cell",
    ),
    (
        "metric_id,value\n\"a\"b,1\n",
        "line 2, column 4: text behind a closing quote",
    ),
    (
        "metric_id,value\n\"a\" ,1\n",
        "line 2, column 4: text behind a closing quote",
    ),
    (
        "metric_id,value\na,\"1\n2",
        "line 2, column 3: a quoted cell without an end",
    ),
    (
        "metric_id,value\na,1\rb,2\n",
        "line 2, column 4: a carriage return without",
    ),
    (
        "metric_id,value\ra,1\n",
        "line 1, column 16: a carriage return without",
    ),
    (
        "metric_id,value\na\0b,1\n",
        "line 2, column 2: a control character U+0000",
    ),
    (
        "metric_id,value\né\"\"\u{1b},1\n",
        "line 2, column 2: a quote inside a cell",
    ),
    (
        "metric_id,value\n\"é\u{1b}[2J\",1\n",
        "line 2, column 3: a control character U+001B",
    ),
    (
        "metric_id,value\na\tb,1\n",
        "line 2, column 2: a control character U+0009",
    ),
    (
        "metric_id,value\na\u{7f},1\n",
        "line 2, column 2: a control character U+007F",
    ),
];

#[test]
fn everything_else_is_refused_in_place() {
    for (text, said) in REFUSED {
        let refused = read(text, &[]).expect_err(text);
        assert!(
            refused.starts_with(&format!("f, {said}")),
            "{text:?}: {refused}"
        );
    }
}

#[test]
fn a_cell_is_bounded() {
    let most = "9".repeat(MOST_CELL_BYTES);
    for (quote, rows) in [("", 1), ("\"", 1)] {
        let sound = format!("metric_id,value\na,{quote}{most}{quote}\n");
        assert_eq!(read(&sound, &[]).map(|rows| rows.len()), Ok(rows));
        let larger = format!("metric_id,value\na,{quote}{most}9{quote}\n");
        let said = "f, line 2, column 3: a cell of more than 65536 bytes";
        assert_eq!(read(&larger, &[]), Err(said.into()));
    }
}
