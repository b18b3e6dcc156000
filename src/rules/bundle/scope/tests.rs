//! Tables of what a scope allows, forbids, and cannot be held to.

use super::*;

fn list(words: &str) -> Vec<String> {
    words.split_whitespace().map(str::to_owned).collect()
}

fn scope(schemas: &str, tables: &str, no_schemas: &str, no_tables: &str) -> Scope {
    Scope {
        allowed_schemas: list(schemas),
        allowed_tables: list(tables),
        forbidden_schemas: list(no_schemas),
        forbidden_tables: list(no_tables),
        protected_reference_tables: Vec::new(),
    }
}

#[test]
fn what_is_allowed_is_named() {
    let scope = scope("public geo", "parcels geo.roads", "", "");
    for (name, allowed) in [
        ("public.parcels", true),
        ("geo.parcels", true),
        ("parcels", true),
        ("geo.roads", true),
        ("roads", false),
        ("public.roads", false),
        ("audit.parcels", false),
        ("public.Parcels", false),
        ("public.parcels_2", false),
        ("parcels.x", false),
        ("", false),
        ("a.public.parcels", false),
    ] {
        assert_eq!(scope.allows(name), allowed, "{name}");
    }
    let one = super::Scope {
        allowed_tables: list("geo.roads"),
        allowed_schemas: list("geo"),
        ..Scope::default()
    };
    assert!(one.allows("roads"));
}

#[test]
fn what_is_forbidden_is_forbidden_in_any_case() {
    let mut scope = scope(
        "public",
        "parcels",
        "governance audit",
        "authority_sites geo.keep",
    );
    scope.protected_reference_tables = list("public.country");
    for (name, forbidden) in [
        ("governance.x", true),
        ("Governance.X", true),
        ("audit.log", true),
        ("auditor.log", false),
        ("authority_sites", true),
        ("public.AUTHORITY_SITES", true),
        ("geo.keep", true),
        ("keep", true),
        ("public.keep", false),
        ("country", true),
        ("geo.country", false),
        ("public.parcels", false),
        ("audit", false),
    ] {
        assert_eq!(scope.forbidden_by(name).is_some(), forbidden, "{name}");
    }
}

type Expected = Vec<(Reason, &'static str)>;

/// Scopes, and what each is told of.
fn table() -> Vec<(Scope, Kind, Expected)> {
    let vague = |list| vec![(Reason::ScopeNotEnforceable, list)];
    let wrong = |list| vec![(Reason::ScopeContradiction, list)];
    let (tables, schemas) = ("allowed_tables", "allowed_schemas");
    vec![
        (
            scope("public", "parcels", "audit", "sites"),
            Kind::Postgis,
            vec![],
        ),
        (
            scope("", "public.parcels", "audit", "sites"),
            Kind::Postgis,
            vec![],
        ),
        (scope("", "logs.2026", "", ""), Kind::Search, vec![]),
        (
            scope("public", "parcels", "", "audit.parcels"),
            Kind::Postgis,
            vec![],
        ),
        (scope("public", "", "", ""), Kind::Postgis, vague(tables)),
        (scope("", "parcels", "", ""), Kind::Postgis, vague(tables)),
        (scope("public", "*", "", ""), Kind::Postgis, vague(tables)),
        (scope("public", "par%", "", ""), Kind::Graph, vague(tables)),
        (scope("*", "parcels", "", ""), Kind::Postgis, vague(schemas)),
        (
            scope("public", "parcels", "pg_*", ""),
            Kind::Postgis,
            vague("forbidden_schemas"),
        ),
        (
            scope("public", "parcels", "", "x?"),
            Kind::Postgis,
            vague("forbidden_tables"),
        ),
        (
            scope("public", "\"parcels\"", "", ""),
            Kind::Postgis,
            vague(tables),
        ),
        (scope("public", "a,b", "", ""), Kind::Postgis, vague(tables)),
        (
            scope("public", "public..x", "", ""),
            Kind::Postgis,
            vague(tables),
        ),
        (scope("public", "x X", "", ""), Kind::Postgis, vague(tables)),
        (
            scope("public", "parcels", "PUBLIC", ""),
            Kind::Postgis,
            vec![
                (Reason::ScopeContradiction, schemas),
                (Reason::ScopeContradiction, tables),
            ],
        ),
        (
            scope("public", "parcels", "", "Parcels"),
            Kind::Postgis,
            wrong(tables),
        ),
        (
            scope("public", "parcels", "", "public.parcels"),
            Kind::Postgis,
            wrong(tables),
        ),
        (
            scope("public", "public.parcels", "", "parcels"),
            Kind::Postgis,
            wrong(tables),
        ),
        (
            scope("public", "audit.log", "", ""),
            Kind::Postgis,
            wrong(tables),
        ),
        (
            scope("", "parcels", "", "PARCELS"),
            Kind::Search,
            wrong(tables),
        ),
        (
            scope("public", "governance_ledger", "", ""),
            Kind::Postgis,
            wrong(tables),
        ),
        (
            scope("public", "public.Ledger_Change", "", ""),
            Kind::Postgis,
            wrong(tables),
        ),
        (
            scope("public", "metric_dictionary", "", ""),
            Kind::Postgis,
            wrong(tables),
        ),
    ]
}

#[test]
fn scopes_that_cannot_be_held_to_are_told() {
    let reasons = |scope: &Scope, kind, approved| {
        let found = scope.complaints(kind, approved);
        found
            .into_iter()
            .map(|(reason, list, ..)| (reason, list))
            .collect::<Vec<_>>()
    };
    let wrong = |list| vec![(Reason::ScopeContradiction, list)];
    let tables = "allowed_tables";
    for (scope, kind, expected) in table() {
        assert_eq!(reasons(&scope, kind, false), expected, "{scope:?}");
    }
    let dictionary = scope("public", "governance_metric_dictionary_current", "", "");
    assert_eq!(reasons(&dictionary, Kind::Postgis, true), []);
    let ledger = scope("public", "governance_ledger", "", "");
    assert_eq!(reasons(&ledger, Kind::Postgis, true), wrong(tables));
    let mut protected = scope("public", "parcels", "", "");
    protected.protected_reference_tables = list("parcels");
    assert_eq!(reasons(&protected, Kind::Postgis, true), wrong(tables));
}
