//! The blast radius: what a change touches, object by object, before and after.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::rules::bundle::Baseline;

/// An object that a change makes, takes away or alters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Touched {
    /// What it is.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// What its definition hashes to before; nothing where it is new.
    pub before: Option<String>,
    /// What it hashes to after; nothing where it is gone.
    pub after: Option<String>,
}

/// Lists the objects that are not the same in two baselines, and the tables whose rows are more or fewer.
#[must_use]
pub fn radius(pre: &Baseline, post: &Baseline) -> Vec<Touched> {
    type Sides<'a> = (Option<&'a str>, Option<&'a str>);
    let mut sides: BTreeMap<(&str, &str), Sides<'_>> = BTreeMap::new();
    for object in &pre.objects {
        let side = sides.entry((&object.kind, &object.name)).or_default();
        side.0 = Some(&object.definition);
    }
    for object in &post.objects {
        let side = sides.entry((&object.kind, &object.name)).or_default();
        side.1 = Some(&object.definition);
    }
    let differs = sides
        .into_iter()
        .filter(|(_, (before, after))| before != after);
    let mut touched: Vec<Touched> = differs
        .map(|((kind, name), (before, after))| Touched {
            kind: kind.to_owned(),
            name: name.to_owned(),
            before: before.map(str::to_owned),
            after: after.map(str::to_owned),
        })
        .collect();
    let rows = |baseline: &Baseline, table: &str| baseline.row_counts.get(table).copied();
    let mut tables: Vec<&String> = pre
        .row_counts
        .keys()
        .chain(post.row_counts.keys())
        .collect();
    tables.sort_unstable();
    tables.dedup();
    touched.extend(tables.into_iter().filter_map(|table| {
        let (before, after) = (rows(pre, table), rows(post, table));
        (before != after).then(|| Touched {
            kind: "rows".to_owned(),
            name: table.clone(),
            before: before.map(|count| count.to_string()),
            after: after.map(|count| count.to_string()),
        })
    }));
    touched
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::bundle::Object;

    #[test]
    fn what_is_new_gone_or_altered_is_named_with_both_sides() {
        let object = |kind: &str, name: &str, definition: &str| Object {
            kind: kind.to_owned(),
            name: name.to_owned(),
            table: None,
            definition: definition.to_owned(),
        };
        let baseline = |objects: Vec<Object>, rows: u64| Baseline {
            objects,
            row_counts: BTreeMap::from([("roads".to_owned(), rows)]),
            ..Baseline::default()
        };
        let same = object("table", "same", "s");
        let pre = baseline(
            vec![
                object("index", "old", "a"),
                object("table", "roads", "b"),
                same.clone(),
            ],
            3,
        );
        let post = baseline(
            vec![
                object("index", "new", "c"),
                object("table", "roads", "d"),
                same,
            ],
            5,
        );
        let said: Vec<String> = radius(&pre, &post)
            .into_iter()
            .map(|it| format!("{} {} {:?} {:?}", it.kind, it.name, it.before, it.after))
            .collect();
        assert_eq!(
            said,
            [
                "index new None Some(\"c\")",
                "index old Some(\"a\") None",
                "table roads Some(\"b\") Some(\"d\")",
                "rows roads Some(\"3\") Some(\"5\")",
            ]
        );
        assert_eq!(radius(&pre, &pre), []);
    }
}
