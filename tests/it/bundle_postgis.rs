//! Bundles where PostGIS is: what it brings is its own, what is made with it is seen, and rows of its tables count.

use govdeck::bundles::sql::{Applied, Change, Place, Planned, WayBack};
use govdeck::rules::bundle::Reason;

use crate::support::ground::{Ground, allowing, apply};

/// A table of places, with an index as maps need it.
const PLACES: &str = "CREATE TABLE place (place_id INTEGER PRIMARY KEY, spot geometry(Point, 4326)); \
     CREATE INDEX place_spot ON place USING gist (spot);";

fn with_postgis() -> Ground {
    let ground = Ground::postgres();
    ground.sql("CREATE EXTENSION postgis");
    ground.sql(PLACES);
    ground
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgis_belongs_to_itself() {
    let ground = Ground::postgres();
    let declaration = allowing(&["postgis"], 0);
    let target = ground.target().await;
    let (forward, rollback) = (
        ground.script("CREATE EXTENSION postgis"),
        ground.script("DROP EXTENSION postgis"),
    );
    let change = Change {
        declaration: &declaration,
        forward: &forward,
        rollback: Some(&rollback),
    };
    let planned = target.plan(change, Place::InPlace).await.expect("planned");
    let Planned::Tried { observed, way_back } = planned else {
        panic!("{planned:?}");
    };
    let fresh: Vec<_> = observed
        .post
        .objects
        .iter()
        .filter(|object| !observed.pre.objects.contains(object))
        .collect();
    assert!(
        matches!(&fresh[..], [one] if one.kind == "extension"),
        "{fresh:?}"
    );
    assert!(observed.rows.is_empty(), "{:?}", observed.rows);
    assert!(matches!(way_back, WayBack::Same { .. }), "{way_back:?}");
    target.close().await;
}

/// What is done to places, and the object that is seen to have come or changed.
const SEEN: &[(&str, &str, &str)] = &[
    (
        "ALTER TABLE place ALTER COLUMN spot TYPE geometry(PointZ, 4326) USING ST_Force3D(spot)",
        "table",
        "public.place",
    ),
    (
        "SELECT UpdateGeometrySRID('public', 'place', 'spot', 3857)",
        "table",
        "public.place",
    ),
    (
        "SELECT AddGeometryColumn('public', 'place', 'area', 4326, 'POLYGON', 2, false)",
        "constraint",
        "public.place.enforce_srid_area",
    ),
    (
        "ALTER TABLE place ADD COLUMN globe geography(Point, 4326)",
        "table",
        "public.place",
    ),
    (
        "CREATE INDEX place_globe ON place USING gist ((ST_Transform(spot, 3857)))",
        "index",
        "public.place_globe",
    ),
    (
        "ALTER TABLE place ADD CONSTRAINT place_is_valid CHECK (ST_IsValid(spot))",
        "constraint",
        "public.place.place_is_valid",
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_made_with_postgis_is_seen_and_judged() {
    let ground = with_postgis();
    let target = ground.target().await;
    for (sql, kind, name) in SEEN {
        let script = ground.script(sql);
        let applied = apply(&target, &allowing(&["place"], 0), &script).await;
        let Applied::Ready(ready) = applied else {
            panic!("{sql}: {applied:?}");
        };
        let observed = ready.give_up().await.expect("taken back");
        let fresh = observed
            .post
            .objects
            .iter()
            .filter(|object| !observed.pre.objects.contains(object));
        let fresh: Vec<_> = fresh.map(|it| (&*it.kind, &*it.name)).collect();
        assert!(fresh.contains(&(*kind, *name)), "{sql}: {fresh:?}");
        // The same where nobody allowed it, though it is a function that changes the table.
        let found = ground.refused(&allowing(&["metric"], 0), sql).await;
        assert!(found.contains(&Reason::ScopeViolation), "{sql}: {found:?}");
    }
    target.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_with_places_count_and_lead_back() {
    let ground = with_postgis();
    let forward = "INSERT INTO place SELECT i, ST_SetSRID(ST_MakePoint(i, 2), 4326) FROM generate_series(1, 3) i;\n\
         ALTER TABLE place ADD COLUMN area geometry(Polygon, 4326);\n\
         UPDATE place SET area = ST_Buffer(spot, 1) WHERE place_id = 1;";
    let found = ground.refused(&allowing(&["place"], 3), forward).await;
    assert_eq!(found, [Reason::LimitExceeded]);
    let declaration = allowing(&["place"], 4);
    let (forward, rollback) = (
        ground.script(forward),
        ground.script("DELETE FROM place; ALTER TABLE place DROP COLUMN area;"),
    );
    let change = Change {
        declaration: &declaration,
        forward: &forward,
        rollback: Some(&rollback),
    };
    let target = ground.target().await;
    let before = ground.everything();
    for place in [Place::InPlace, Place::Copy] {
        let planned = target.plan(change, place).await.expect("planned");
        let Planned::Tried { observed, way_back } = planned else {
            panic!("{planned:?}");
        };
        assert_eq!(observed.rows.values().collect::<Vec<_>>(), [&4]);
        assert!(matches!(way_back, WayBack::Same { .. }), "{way_back:?}");
    }
    assert_eq!(ground.everything(), before, "a plan leaves nothing");
    target.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_of_an_extensions_own_table_count_and_can_be_protected() {
    let ground = with_postgis();
    for shape in [
        "ALTER TABLE spatial_ref_sys ADD COLUMN mine TEXT",
        "CREATE UNIQUE INDEX mine ON spatial_ref_sys (srid, auth_srid)",
        "ALTER TABLE spatial_ref_sys DROP CONSTRAINT spatial_ref_sys_srid_check",
    ] {
        let found = ground.refused(&allowing(&["place"], 9), shape).await;
        assert_eq!(found, [Reason::ScopeViolation], "{shape}");
    }
    let sql = "UPDATE spatial_ref_sys SET auth_name = 'mine' WHERE srid = 4326";
    let found = ground.refused(&allowing(&["place"], 9), sql).await;
    assert_eq!(found, [Reason::ScopeViolation]);
    let anew = "DROP EXTENSION postgis CASCADE; CREATE EXTENSION postgis;";
    let found = ground
        .refused(&allowing(&["place", "postgis"], 9), anew)
        .await;
    assert!(found.contains(&Reason::ScopeViolation), "{found:?}");
    let declared = allowing(&["spatial_ref_sys"], 1);
    let rows = ground.rows(&declared, sql).await;
    assert_eq!(
        rows.into_iter().collect::<Vec<_>>(),
        [("spatial_ref_sys".to_owned(), 1)]
    );
    let mut protecting = allowing(&["spatial_ref_sys"], 1);
    protecting.scope.protected_reference_tables = vec!["spatial_ref_sys".to_owned()];
    let back = "UPDATE spatial_ref_sys SET auth_name = 'EPSG' WHERE srid = 4326";
    let found = ground.refused(&protecting, back).await;
    assert!(found.contains(&Reason::ProtectedDomainChanged), "{found:?}");
}
