//! The runner of SQL bundles, on targets of its own: what it sees, tries, makes, takes back and verifies.

use std::time::Duration;

use govdeck::bundles::sql::{
    Applied, Change, Difference, Patience, Place, Planned, RolledBack, Target, WayBack,
};
use govdeck::rules::bundle::{Baseline, Reason};

use crate::support::ground::{Ground, allowing, apply, bare, on_targets};

const ADD_COLUMN: &str = "ALTER TABLE metric ADD COLUMN modern TEXT;\n\nUPDATE metric SET modern = label WHERE metric_id < 3;\nCREATE INDEX metric_modern ON metric (modern);";
const DROP_COLUMN: &str = "DROP INDEX metric_modern;\nALTER TABLE metric DROP COLUMN modern;";

on_targets!(a_plan_tries_both_ways_and_leaves_nothing, |ground| {
    let before = ground.everything();
    let target = ground.target().await;
    let declaration = allowing(&["metric"], 2);
    let (forward, rollback) = (ground.script(ADD_COLUMN), ground.script(DROP_COLUMN));
    let change = Change {
        declaration: &declaration,
        forward: &forward,
        rollback: Some(&rollback),
    };
    for place in [Place::InPlace, Place::Copy] {
        let planned = target.plan(change, place).await.expect("planned");
        let Planned::Tried { observed, way_back } = planned else {
            panic!("{place:?}: {planned:?}");
        };
        assert_eq!(observed.findings, []);
        assert_eq!(bare(&observed)["metric"], 2);
        assert_eq!(observed.diff.index_count_delta, 1);
        assert_eq!(observed.diff.table_count_touched, 1);
        assert!(matches!(way_back, WayBack::Same { .. }), "{way_back:?}");
        assert_ne!(
            observed.pre.schema_fingerprint,
            observed.post.schema_fingerprint
        );
    }
    target.close().await;
    assert_eq!(ground.everything(), before, "nothing is left");
    if ground.is_postgres() {
        let left =
            ground.sql("SELECT count(*) FROM pg_database WHERE datname LIKE 'govdeck\\_plan\\_%'");
        assert_eq!(left, "0");
    }
});

on_targets!(a_way_back_that_leads_elsewhere_is_named, |ground| {
    let target = ground.target().await;
    let declaration = allowing(&["metric"], 9);
    let forward = ground
        .script("ALTER TABLE metric DROP COLUMN label_2; CREATE INDEX a ON metric (squad_id)");
    let rollback = ground.script("ALTER TABLE metric ADD COLUMN label_2 TEXT; DROP INDEX a");
    ground.sql(
        "ALTER TABLE metric ADD COLUMN label_2 TEXT; ALTER TABLE metric ADD COLUMN last_one TEXT",
    );
    let change = Change {
        declaration: &declaration,
        forward: &forward,
        rollback: Some(&rollback),
    };
    let planned = target.plan(change, Place::InPlace).await.expect("planned");
    let Planned::Tried {
        way_back: WayBack::Differs(found),
        ..
    } = planned
    else {
        panic!("{planned:?}");
    };
    let shown: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown.len(),
        1,
        "the order of columns is part of a table: {shown:?}"
    );
    assert!(
        shown[0].ends_with(".metric has another definition"),
        "{shown:?}"
    );
    let broken = ground.script("DROP INDEX a;\n\nDROP TABLE nowhere");
    let change = Change {
        rollback: Some(&broken),
        ..change
    };
    let planned = target.plan(change, Place::InPlace).await.expect("planned");
    let Planned::Tried {
        way_back: WayBack::Failed(failed),
        ..
    } = planned
    else {
        panic!("{planned:?}");
    };
    assert_eq!((failed.file.as_str(), failed.line), ("forward.sql", 3));
    target.close().await;
});

on_targets!(a_change_is_made_verified_and_taken_back, |ground| {
    let declaration = allowing(&["metric"], 3);
    let (target, ready) = ground.ready(&declaration, ADD_COLUMN).await;
    let seen = ready.commit().await.expect("committed");
    assert_eq!(ground.sql("SELECT count(modern) FROM metric"), "2");
    let scope = &declaration.scope;
    assert_eq!(
        target.verify(scope, &seen.post).await.expect("verified"),
        []
    );
    let drifted = target.verify(scope, &seen.pre).await.expect("verified");
    assert!(
        matches!(&drifted[..], [Difference::Changed(table), Difference::Added(index)]
        if table.name.ends_with(".metric") && index.name.ends_with(".metric_modern")),
        "{drifted:?}"
    );
    ground.sql("CREATE TABLE surprise (a INTEGER)");
    let drifted = target.verify(scope, &seen.post).await.expect("verified");
    assert!(
        matches!(&drifted[..], [Difference::Added(table)] if table.name.ends_with(".surprise")),
        "{drifted:?}"
    );
    let bare = Baseline {
        objects: Vec::new(),
        ..seen.post.clone()
    };
    assert_eq!(
        target.verify(scope, &bare).await.expect("verified"),
        [Difference::Schema]
    );
    let script = ground.script(DROP_COLUMN);
    let back = target
        .roll_back(&declaration, &script, &seen.pre)
        .await
        .expect("it answers");
    let RolledBack::Differs { differences, .. } = back else {
        panic!("{back:?}");
    };
    assert_eq!(differences.len(), 1);
    assert_eq!(
        ground.sql("SELECT count(modern) FROM metric"),
        "2",
        "a rollback that differs is taken back"
    );
    ground.sql("DROP TABLE surprise");
    let back = target
        .roll_back(&declaration, &script, &seen.pre)
        .await
        .expect("it answers");
    let RolledBack::Ready(ready) = back else {
        panic!("{back:?}");
    };
    ready.commit().await.expect("committed");
    assert_eq!(target.verify(scope, &seen.pre).await.expect("verified"), []);
    target.close().await;
});

on_targets!(a_rollback_that_fails_says_where, |ground| {
    let declaration = allowing(&["metric"], 3);
    let (target, ready) = ground.ready(&declaration, ADD_COLUMN).await;
    let seen = ready.commit().await.expect("committed");
    let script = ground.script("DROP INDEX metric_modern;\nDROP INDEX metric_modern;");
    let back = target
        .roll_back(&declaration, &script, &seen.pre)
        .await
        .expect("it answers");
    let RolledBack::Failed(failed) = back else {
        panic!("{back:?}");
    };
    assert_eq!(failed.line, 2);
    assert_eq!(
        target
            .verify(&declaration.scope, &seen.post)
            .await
            .expect("verified"),
        []
    );
    target.close().await;
});

on_targets!(what_is_ready_and_not_committed_never_was, |ground| {
    let before = ground.everything();
    let (target, ready) = ground.ready(&allowing(&["metric"], 3), ADD_COLUMN).await;
    drop(ready);
    target.close().await;
    assert_eq!(ground.everything(), before);
    let (target, ready) = ground.ready(&allowing(&["metric"], 3), ADD_COLUMN).await;
    ready.give_up().await.expect("taken back");
    target.close().await;
    assert_eq!(ground.everything(), before);
});

on_targets!(
    what_goes_beyond_the_declaration_is_refused_and_taken_back,
    |ground| {
        let metric = allowing(&["metric"], 2);
        for (forward, reason) in [
            ("CREATE TABLE extra (a INTEGER)", Reason::ScopeViolation),
            (
                "CREATE INDEX a ON squad (name, squad_id)",
                Reason::ScopeViolation,
            ),
            (
                "UPDATE squad SET name = name || 'x'",
                Reason::ScopeViolation,
            ),
            (
                "DELETE FROM treasure WHERE coin = 1",
                Reason::ScopeViolation,
            ),
            ("DROP TABLE treasure", Reason::ScopeViolation),
            (
                "ALTER TABLE treasure ADD COLUMN a INTEGER",
                Reason::ProtectedDomainChanged,
            ),
            (
                "UPDATE standard SET meaning = 'mile' WHERE code = 'm'",
                Reason::ProtectedDomainChanged,
            ),
            ("UPDATE metric SET label = 'z'", Reason::LimitExceeded),
            (
                "DELETE FROM metric WHERE metric_id > 0",
                Reason::LimitExceeded,
            ),
            (
                "CREATE INDEX a ON metric (squad_id); CREATE INDEX b ON metric (label, squad_id); CREATE INDEX c ON metric (label, metric_id); CREATE INDEX d ON metric (metric_id, label)",
                Reason::LimitExceeded,
            ),
            (
                "CREATE VIEW extra AS SELECT 1 AS one",
                Reason::ScopeViolation,
            ),
        ] {
            let found = ground.refused(&metric, forward).await;
            assert!(found.contains(&reason), "{forward}: {found:?}");
        }
        ground.sql("CREATE TABLE governance_ledger (seq INTEGER)");
        let ledger = allowing(&["governance_ledger"], 9);
        for forward in [
            "INSERT INTO governance_ledger VALUES (1)",
            "ALTER TABLE governance_ledger ADD COLUMN b INTEGER",
        ] {
            let found = ground.refused(&ledger, forward).await;
            assert!(
                found.contains(&Reason::ScopeViolation),
                "{forward}: {found:?}"
            );
        }
    }
);

on_targets!(
    a_statement_that_fails_says_where_and_leaves_nothing,
    |ground| {
        let before = ground.everything();
        let target = ground.target().await;
        let script = ground.script("ALTER TABLE metric ADD COLUMN a TEXT;\n-- next\nINSERT INTO squad VALUES (1, 'again');");
        let applied = apply(&target, &allowing(&["metric"], 3), &script).await;
        let Applied::Failed(failed) = applied else {
            panic!("{applied:?}");
        };
        assert_eq!((failed.file.as_str(), failed.line), ("forward.sql", 3));
        assert!(
            failed.sentence.to_lowercase().contains("unique"),
            "{failed:?}"
        );
        assert!(!failed.sentence.contains("again"), "{failed:?}");
        target.close().await;
        assert_eq!(ground.everything(), before);
    }
);

on_targets!(the_shape_alone_decides_a_fingerprint, |ground| {
    let other = if ground.is_postgres() {
        Ground::postgres()
    } else {
        Ground::sqlite()
    };
    // Other identifiers, sequence values and rows in the same shape.
    other.sql("CREATE TABLE a (b INTEGER); DROP TABLE a; INSERT INTO squad VALUES (9, 'z'); DROP VIEW labels; CREATE VIEW labels AS SELECT label FROM metric");
    let scope = allowing(&["metric"], 1).scope;
    let (one, two) = (ground.target().await, other.target().await);
    let (first, second) = (
        one.baseline(&scope).await.expect("a look"),
        two.baseline(&scope).await.expect("a look"),
    );
    assert_eq!(first.objects, second.objects);
    assert_eq!(first, second);
    assert_eq!(first.object_counts.tables, 4);
    let expected_indexes = if ground.is_postgres() { 6 } else { 3 };
    assert_eq!(first.object_counts.indexes, expected_indexes);
    other.sql("UPDATE standard SET meaning = 'second' WHERE code = 's'");
    let third = two.baseline(&scope).await.expect("a look");
    assert_eq!(third.schema_fingerprint, first.schema_fingerprint);
    assert_ne!(
        third.protected_domain_fingerprint,
        first.protected_domain_fingerprint
    );
    for target in [one, two] {
        target.close().await;
    }
});

on_targets!(a_slow_statement_is_stopped, |ground| {
    let before = ground.everything();
    let patience = Patience {
        statement: Duration::from_millis(300),
        ..Patience::default()
    };
    let target = Target::open_with(&ground.dsn(), patience)
        .await
        .expect("it opens");
    let endless = if ground.is_postgres() {
        "SELECT pg_sleep(60)"
    } else {
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) INSERT INTO metric (label) SELECT i FROM n"
    };
    let script = ground.script(&format!("SELECT 1;\n{endless}"));
    let applied = apply(&target, &allowing(&["metric"], 3), &script).await;
    let Applied::Failed(failed) = applied else {
        panic!("{applied:?}");
    };
    assert_eq!(failed.line, 2);
    assert!(failed.sentence.starts_with("it was stopped"), "{failed:?}");
    target.close().await;
    assert_eq!(ground.everything(), before);
});

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_virtual_table_counts_what_is_put_into_it() {
    let ground = Ground::sqlite();
    let allowed = [
        "words",
        "words_content",
        "words_data",
        "words_docsize",
        "words_idx",
        "words_config",
    ];
    let mut declaration = allowing(&allowed, 100);
    declaration.limits.max_table_count_touched = 6;
    let counted = ground
        .rows(&declaration, "CREATE VIRTUAL TABLE words USING fts5(word)")
        .await;
    assert!(
        counted
            .keys()
            .all(|table| allowed.contains(&table.as_str())),
        "{counted:?}"
    );
    let counted = ground
        .rows(&declaration, "INSERT INTO words SELECT label FROM metric")
        .await;
    assert!(counted["words_content"] >= 3, "{counted:?}");
}
