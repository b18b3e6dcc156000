use super::*;

fn built(dialect: Dialect) -> Built {
    let column = |name: &str, kind: &str| (name.to_owned(), kind.to_owned());
    Built {
        dialect,
        schema: "main".to_owned(),
        columns: vec![
            column("dictionary_metric_id", "TEXT"),
            column("dimension_filter_id", "TEXT"),
            column("owning_squad", "TEXT"),
            column("breach_count", "INTEGER"),
        ],
        wide: None,
        long: None,
        index: None,
        readers: Vec::new(),
    }
}

fn made(
    built: &Built,
    pairs: &[(&str, &str)],
    types: &[(&str, &str)],
) -> Result<[BTreeMap<String, String>; 2], String> {
    let types = types.iter();
    let types = types.map(|(name, kind)| ((*name).to_owned(), (*kind).to_owned()));
    let expansion = Expansion {
        migration: "mig-1",
        pairs,
        built,
        types: &types.collect(),
        reference: "decision 17",
    };
    let bundles = expansion.bundles("DICT-MIG-2026-05-14-01", "DICT-MIG-2026-05-14-02");
    let bundles = bundles.map_err(|refusal| refusal.sentence)?;
    Ok(bundles.map(|files| files.into_iter().collect()))
}

#[test]
fn a_column_takes_the_type_of_the_one_that_goes_unless_another_is_given() {
    let built = built(Dialect::Sqlite);
    let pairs = [("breach_count", "breachCount")];
    let [columns, index] = made(&built, &pairs, &[]).expect("made");
    let forward = &columns["forward.sql"];
    assert!(
        forward.contains("ADD COLUMN \"breachCount\" INTEGER;\n"),
        "{forward}"
    );
    assert_eq!(forward.matches("ALTER TABLE").count(), 1);
    assert_eq!(forward.matches("CREATE VIEW").count(), 2);
    let rollback = &columns["rollback.sql"];
    assert!(
        rollback.ends_with("DROP COLUMN \"breachCount\";\n"),
        "{rollback}"
    );
    assert!(index["forward.sql"].contains("CREATE INDEX \"main\".\"dual_write_mismatch\""));
    let [columns, _] = made(&built, &pairs, &[("breachCount", "TEXT")]).expect("made");
    assert!(columns["forward.sql"].contains("ADD COLUMN \"breachCount\" TEXT;\n"));
}

#[test]
fn what_stands_is_replaced_and_put_back() {
    let built = Built {
        wide: Some("CREATE VIEW w AS SELECT 1".to_owned()),
        long: Some("CREATE VIEW l AS SELECT 2".to_owned()),
        index: Some("CREATE INDEX dual_write_mismatch ON public.t (a)".to_owned()),
        readers: vec!["govdeck_viewer".to_owned(), "\"of kim\"".to_owned()],
        schema: "public".to_owned(),
        ..built(Dialect::Postgres)
    };
    let [columns, index] = made(&built, &[("breach_count", "breachCount")], &[]).expect("made");
    let forward = &columns["forward.sql"];
    assert_eq!(forward.matches("DROP VIEW").count(), 2);
    assert_eq!(forward.matches("TO govdeck_viewer, \"of kim\";").count(), 2);
    let rollback = &columns["rollback.sql"];
    assert!(
        rollback.contains("CREATE VIEW w AS SELECT 1;\n"),
        "{rollback}"
    );
    assert!(index["forward.sql"].contains("DROP INDEX CONCURRENTLY"));
    let back = "CREATE INDEX CONCURRENTLY dual_write_mismatch ON public.t (a);\n";
    assert!(index["rollback.sql"].ends_with(back));
}

#[test]
fn names_and_types_that_cannot_be_are_refused() {
    let lite = built(Dialect::Sqlite);
    let long = "x".repeat(57);
    for (pairs, types, said) in [
        (&[][..], &[][..], "no pair"),
        (&[("breach_count", &*long)], &[], "more than 56 bytes"),
        (&[("breach_count", "Breach_Count")], &[], "ignoring case"),
        (&[("breach_count", "OWNING_SQUAD")], &[], "ignoring case"),
        (&[("nowhere", "b")], &[], "no column \"nowhere\""),
        (&[("breach_count", "b")], &[("c", "TEXT")], "in no pair"),
        (&[("breach_count", "b")], &[("b", "VARCHAR(3)")], "no type"),
    ] {
        let refused = made(&lite, pairs, types).expect_err(said);
        assert!(refused.contains(said), "{refused}");
    }
    let post = built(Dialect::Postgres);
    for kind in [
        "text NOT NULL",
        "text DEFAULT 1",
        "int); DROP TABLE person; --",
        "\"odd\"",
        "",
    ] {
        let refused = made(&post, &[("breach_count", "b")], &[("b", kind)]);
        assert!(refused.is_err(), "{kind}");
    }
    for kind in ["numeric(12, 2)", "timestamp with time zone", "integer[]"] {
        let fits = made(&post, &[("breach_count", "b")], &[("b", kind)]);
        assert!(fits.is_ok(), "{kind}");
    }
}

#[test]
fn the_files_are_bundles() {
    use crate::rules::bundle::{Bundle, Due, Entry, Kind, check};
    for (dialect, schema) in [(Dialect::Sqlite, "main"), (Dialect::Postgres, "public")] {
        let built = Built {
            schema: schema.to_owned(),
            ..built(dialect)
        };
        let bundles = made(&built, &[("breach_count", "say \"when\"")], &[]).expect("made");
        for (files, id) in bundles
            .into_iter()
            .zip(["DICT-MIG-2026-05-14-01", "DICT-MIG-2026-05-14-02"])
        {
            let entries = files
                .into_iter()
                .map(|(name, text)| (name, Entry::File(text.into_bytes())));
            let bundle = Bundle {
                name: id.to_owned(),
                within: Some(Kind::Postgis),
                entries: entries.collect(),
            };
            assert_eq!(check(&bundle, Due::Scripts).findings, []);
        }
    }
}
