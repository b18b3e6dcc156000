//! The graph driver on a real `FalkorDB`, where that engine is installed; where not, each test says that it was not run.

use std::time::Duration;

use govdeck::bundles::driver::protocol::Code;
use govdeck::bundles::driver::{Bounds, Change, Driver, RolledBack, Trouble, conformance};
use govdeck::rules::bundle::{Kind, Reason, Scope};

use crate::bundle_drivers::{assert_all_pass, declaration, script, shipped};
use crate::support::redis::Redis;

const STORY: [&str; 3] = [
    "CREATE (n:Authority {name: 'north'}), (s:Authority {name: 'south'}), (:Place {name: 'mill', size: 1.5}), \
     (:Place:Old {name: 'ford', tags: ['a', 'b']}), (n)-[:GOVERNS {since: 1900}]->(s)",
    "MATCH (a:Place {name: 'mill'}), (b:Place {name: 'ford'}) CREATE (a)-[:NEAR {km: 2}]->(b)",
    "CREATE INDEX FOR (p:Place) ON (p.name)",
];

const FORWARD: &str = "
// Every place gets a code; none may have another's.
CREATE INDEX FOR (p:Place) ON (p.code);
MATCH (p:Place) SET p.code = 'P;' + p.name;
GRAPH.CONSTRAINT CREATE UNIQUE NODE Place PROPERTIES 1 code;
";

const ROLLBACK: &str = "
GRAPH.CONSTRAINT DROP UNIQUE NODE Place PROPERTIES 1 code;
DROP INDEX FOR (p:Place) ON (p.code); /* and the texts */
MATCH (p:Place) SET p.code = NULL;
";

fn world(test: &str) -> Option<(Redis, Driver)> {
    let redis = Redis::with_graphs(test)?;
    for query in STORY {
        let said = redis.command(&["GRAPH.QUERY", "map", query]);
        assert!(said.contains("Query internal execution time"), "{said}");
    }
    let driver = shipped(Kind::Graph, &redis.address("", "map"));
    Some((redis, driver))
}

fn scope() -> Scope {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Scope {
        allowed_schemas: names(&["map"]),
        allowed_tables: names(&["Place", "map.Old"]),
        forbidden_schemas: names(&[]),
        forbidden_tables: names(&["GOVERNS"]),
        protected_reference_tables: names(&["Authority"]),
    }
}

fn change(forward: &str, rollback: &str) -> Change {
    Change {
        scope: scope(),
        forward: script("forward.cypher", forward),
        rollback: script("rollback.cypher", rollback),
    }
}

#[tokio::test]
async fn the_shipped_driver_passes_the_whole_suite() {
    let Some((redis, driver)) = world("graph: the conformance suite") else {
        return;
    };
    assert_all_pass(&conformance(&driver, Some(&change(FORWARD, ROLLBACK))).await);
    assert_eq!(redis.command(&["GRAPH.LIST"]), "map", "no copy is left");
}

#[tokio::test]
async fn a_change_is_rehearsed_on_a_copy_then_made() {
    let Some((redis, driver)) = world("graph: a change is made") else {
        return;
    };
    let (change, declaration) = (
        change(FORWARD, ROLLBACK),
        declaration(Kind::Graph, scope(), [2, 2, 4]),
    );
    let plan = driver.plan(&declaration, &change).await.expect("rehearsed");
    assert_eq!(plan.observed.findings, []);
    assert_eq!(plan.way_back, RolledBack::Proven);
    assert!(
        plan.notes
            .iter()
            .any(|note| note.contains("cannot undo a script")),
        "{:?}",
        plan.notes
    );
    let pre = &plan.observed.pre;
    assert_eq!(
        (
            pre.object_counts.tables,
            pre.object_counts.indexes,
            pre.object_counts.constraints
        ),
        (5, 1, 0)
    );
    assert_eq!(pre.row_counts["map.Authority"], 2);
    assert_eq!(pre.stats["Place in 1"], 1);
    assert_eq!(plan.observed.diff.touched_tables, ["map.Old", "map.Place"]);
    assert_eq!(plan.observed.rows["map.Place"], 2);
    assert_eq!(plan.observed.diff.index_count_delta, 1);
    assert_eq!(redis.command(&["GRAPH.LIST"]), "map");

    let ran = driver.run(&declaration, &change).await.expect("it runs");
    assert!(ran.passed(), "{ran:?}");
    let code = redis.command(&[
        "GRAPH.RO_QUERY",
        "map",
        "MATCH (p:Place) RETURN p.code ORDER BY p.code LIMIT 1",
    ]);
    assert!(code.contains("P;ford"), "{code}");
    assert_eq!(
        driver.take_back(&change, &ran.pre).await,
        RolledBack::Proven
    );
}

#[tokio::test]
async fn what_touches_more_than_it_may_is_found_and_taken_back() {
    let Some((_redis, driver)) = world("graph: what touches too much") else {
        return;
    };
    let declaration = declaration(Kind::Graph, scope(), [2, 2, 4]);
    for (forward, rollback, reason) in [
        (
            "MATCH (a:Authority {name: 'north'}) SET a.name = 'west'",
            "MATCH (a:Authority {name: 'west'}) SET a.name = 'north'",
            Reason::ProtectedDomainChanged,
        ),
        (
            "MATCH ()-[g:GOVERNS]->() SET g.since = '1900'",
            "MATCH ()-[g:GOVERNS]->() SET g.since = 1900",
            Reason::ProtectedDomainChanged,
        ),
        (
            "MATCH ()-[n:NEAR]->() SET n.km = 3",
            "MATCH ()-[n:NEAR]->() SET n.km = 2",
            Reason::ScopeViolation,
        ),
        (
            "MATCH (p:Place {name: 'mill'}) CREATE (p)-[:NEAR]->(:Village)",
            "MATCH (v:Village) DELETE v",
            Reason::ScopeViolation,
        ),
        (
            "UNWIND range(1, 5) AS i CREATE (:Place {name: 'p' + i, temporary: true})",
            "MATCH (p:Place {temporary: true}) DELETE p",
            Reason::LimitExceeded,
        ),
        (
            "MATCH (p:Place {name: 'mill'}), (a:Authority {name: 'north'}) CREATE (a)-[:NEAR]->(p)",
            "MATCH (:Authority)-[n:NEAR]->() DELETE n",
            Reason::ProtectedDomainChanged,
        ),
    ] {
        let ran = driver
            .run(&declaration, &change(forward, rollback))
            .await
            .expect("it runs");
        let findings = &ran
            .observed
            .as_ref()
            .unwrap_or_else(|| panic!("{ran:?}"))
            .findings;
        assert!(
            findings.iter().any(|finding| finding.reason == reason),
            "{forward}: {findings:?}"
        );
        assert_eq!(ran.rolled_back, RolledBack::Proven, "{forward}");
    }
}

#[tokio::test]
async fn a_script_that_fails_half_way_is_taken_back_by_its_rollback() {
    let Some((_redis, driver)) = world("graph: a script that fails half-way") else {
        return;
    };
    let declaration = declaration(Kind::Graph, scope(), [2, 2, 4]);
    let half = "MATCH (p:Place) SET p.half = 1; MATCH (p:Place) SET p.bad = 1 / 'x'";
    let ran = driver
        .run(
            &declaration,
            &change(half, "MATCH (p:Place) SET p.half = NULL"),
        )
        .await
        .expect("a look");
    assert_eq!(
        ran.trouble.as_ref().map(|error| error.trouble),
        Some(Trouble::Said(Code::ScriptFailed)),
        "{ran:?}"
    );
    assert_eq!(ran.rolled_back, RolledBack::Proven, "{ran:?}");

    let twice = "CREATE INDEX FOR (p:Place) ON (p.half); MATCH (p:Place) SET p.half = 1; GRAPH.CONSTRAINT CREATE UNIQUE NODE Place PROPERTIES 1 half";
    let back = "GRAPH.CONSTRAINT DROP UNIQUE NODE Place PROPERTIES 1 half; DROP INDEX FOR (p:Place) ON (p.half); MATCH (p:Place) SET p.half = NULL";
    let ran = driver
        .run(&declaration, &change(twice, back))
        .await
        .expect("a look");
    assert!(
        ran.trouble
            .as_ref()
            .is_some_and(|error| error.sentence.contains("does not hold")),
        "{ran:?}"
    );
    assert_eq!(ran.rolled_back, RolledBack::Proven, "{ran:?}");

    let worse = driver
        .run(&declaration, &change(half, "MATCH (p:Nobody) RETURN p"))
        .await
        .expect("a look");
    assert!(
        matches!(worse.rolled_back, RolledBack::Failed(_)),
        "{worse:?}"
    );
}

#[tokio::test]
async fn refused_scripts_and_absent_graphs_change_nothing() {
    let Some((redis, driver)) = world("graph: refused scripts") else {
        return;
    };
    let declaration = declaration(Kind::Graph, scope(), [2, 2, 4]);
    for text in [
        "CREATE (:Place); LOAD CSV FROM 'file://x' AS r RETURN r",
        "CREATE (:Place); CALL dbms.procedures()",
    ] {
        let ran = driver
            .run(&declaration, &change(text, ROLLBACK))
            .await
            .expect("a look");
        assert_eq!(
            ran.trouble.map(|error| error.trouble),
            Some(Trouble::Said(Code::ScriptRefused))
        );
        assert_eq!(ran.rolled_back, RolledBack::Untouched);
    }
    let elsewhere = shipped(Kind::Graph, &redis.address("", "new"));
    let nothing = Change {
        scope: Scope::default(),
        ..change("CREATE (:A)", "MATCH (a:A) DELETE a")
    };
    let empty = elsewhere
        .baseline(&nothing)
        .await
        .expect("an absent graph is an empty one");
    assert_eq!((empty.object_counts.tables, empty.objects.len()), (0, 0));
    let plan = elsewhere
        .plan(&declaration, &nothing)
        .await
        .expect("rehearsed");
    assert_eq!(plan.way_back, RolledBack::Proven);
    assert_eq!(
        redis.command(&["GRAPH.LIST"]),
        "map",
        "a rehearsal makes no graph"
    );
    let typo = Change {
        scope: Scope {
            protected_reference_tables: vec!["Authorty".to_owned()],
            ..scope()
        },
        ..nothing
    };
    assert!(
        driver.baseline(&typo).await.is_err(),
        "what is nowhere protects nothing"
    );
}

#[tokio::test]
async fn a_statement_that_outlives_its_driver_is_waited_for_and_taken_back() {
    let Some((_redis, driver)) = world("graph: a statement outlives its driver") else {
        return;
    };
    let driver = driver.within(Bounds {
        time: Duration::from_secs(3),
        bytes: 1024 * 1024,
    });
    let declaration = declaration(Kind::Graph, scope(), [2, 2, 4]);
    let slow = "UNWIND range(1, 25000000) AS x WITH x WHERE x % 25000000 = 0 CREATE (:Village {late: true})";
    let change = change(slow, "MATCH (v:Village) DELETE v");
    let ran = driver.run(&declaration, &change).await.expect("a look");
    assert!(!ran.passed(), "{ran:?}");
    assert_eq!(ran.rolled_back, RolledBack::Proven, "{ran:?}");
}
