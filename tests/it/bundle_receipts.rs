//! Receipts, the provenance that other tools read from them, and the registry that only they move.

use std::collections::BTreeSet;

use govdeck::canon::Digest;
use govdeck::rules::bundle::{
    CheckStatus, Kind, Known, Reason, Receipt, ReceiptRef, Registry, RunType, Schema, Status, Step,
};
use oxjsonld::JsonLdParser;
use serde_json::{Value, json};

use crate::support::bundles::{Draft, ID, digest};

fn receipt() -> (Receipt, Vec<u8>) {
    let bytes = Draft::valid().files["receipts/run_receipt.json"].clone();
    (Receipt::read(&bytes, "r").expect("a receipt"), bytes)
}

#[test]
fn a_receipt_is_written_as_it_is_read_and_named_by_its_content() {
    let (receipt, _) = receipt();
    let bytes = receipt.bytes();
    let value: Value = serde_json::from_slice(&bytes).expect("JSON");
    assert_eq!(Schema::RunReceipt.faults(&value), []);
    assert_eq!(value["receipt_version"], "v1");
    assert_eq!(Receipt::read(&bytes, "r").expect("it reads"), receipt);
    assert_eq!(receipt.file_name(), format!("{}.json", Digest::of(&bytes)));
    assert!(!receipt.file_name().contains(':'));
    let pointer = ReceiptRef::to(&receipt);
    assert_eq!(
        ReceiptRef::read(&pointer.bytes(), "p").expect("it reads"),
        pointer
    );
    assert_eq!(pointer.receipt_digest, digest(&bytes));
}

#[test]
fn a_receipt_keeps_no_secret() {
    let (mut receipt, _) = receipt();
    let detail = "could not connect to postgres://kfm:hunter2@db/kfm".to_owned();
    receipt.validation.checks[0].detail = Some(detail);
    receipt.validation.checks[1].detail = Some("2 tables, none of them forbidden".to_owned());
    let text = String::from_utf8(receipt.bytes()).expect("text");
    assert!(
        !text.contains("hunter2") && text.contains("withheld"),
        "{text}"
    );
    assert!(text.contains("2 tables"));
}

/// The triples of a receipt's provenance, as text, read by a library that knows nothing of us.
fn triples(receipt: &Receipt) -> BTreeSet<String> {
    let bytes = receipt.prov();
    let parser = JsonLdParser::new().for_slice(&bytes);
    let quads = parser.map(|quad| quad.expect("a quad").to_string());
    quads.filter(|quad| !quad.contains("_:")).collect()
}

#[test]
fn provenance_is_read_by_a_stock_library() {
    let (receipt, _) = receipt();
    let draft = Draft::valid();
    let urn = |path: &str| format!("<urn:govdeck:sha256:{}>", Digest::of(&draft.files[path]));
    let prov = |term: &str| format!("<http://www.w3.org/ns/prov#{term}>");
    let kind = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>";
    let run = format!("<{}>", receipt.run_id);
    let agent = "<urn:govdeck:agent:svc:migrations-runner>";
    let time = |time: &str| format!("\"{time}\"^^<http://www.w3.org/2001/XMLSchema#dateTime>");
    let found = triples(&receipt);
    for expected in [
        format!("{run} {kind} {}", prov("Activity")),
        format!("{agent} {kind} {}", prov("Agent")),
        format!("{run} {} {agent}", prov("wasAssociatedWith")),
        format!(
            "{run} {} {}",
            prov("startedAtTime"),
            time("2026-03-01T18:30:00Z")
        ),
        format!(
            "{run} {} {}",
            prov("endedAtTime"),
            time("2026-03-01T18:31:12Z")
        ),
        format!("{run} {} {}", prov("used"), urn("forward.sql")),
        format!("{run} {} {}", prov("used"), urn("rollback.sql")),
        format!("{run} {} {}", prov("generated"), urn("diffs/summary.json")),
        format!(
            "{} {} {run}",
            urn("baselines/pre.json"),
            prov("wasGeneratedBy")
        ),
        format!("{} {kind} {}", urn("baselines/post.json"), prov("Entity")),
        format!("<urn:govdeck:migration:{ID}> {kind} {}", prov("Plan")),
        format!(
            "{} <urn:govdeck:term:path> \"forward.sql\"",
            urn("forward.sql")
        ),
    ] {
        assert!(found.contains(&expected), "{expected}\n{found:#?}");
    }
    let bytes = receipt.prov();
    let all = JsonLdParser::new().for_slice(&bytes).count();
    assert!(all > found.len(), "the association has a plan");
}

#[test]
fn provenance_stays_readable_whatever_things_are_called() {
    let (mut receipt, _) = receipt();
    for name in [
        "a b",
        "<x>",
        "urn:x",
        "kfm://run/{1}",
        "größe",
        "http://a/b?c=d#e",
        "%",
        "://",
        "a://",
    ] {
        receipt.run_id = name.to_owned();
        receipt.actor.principal = name.to_owned();
        receipt.migration_id = name.to_owned();
        assert!(triples(&receipt).len() > 20, "{name}");
    }
}

fn step(run_type: RunType, environment: &str, status: CheckStatus) -> Step {
    Step {
        digest: digest("x"),
        migration_id: ID.to_owned(),
        run_type,
        environment: environment.to_owned(),
        status,
    }
}

#[test]
fn a_status_is_moved_by_receipts_only_as_the_table_says() {
    use RunType::{Approval, Merge, Migration, Rollback};
    // The answers for draft, approved, merged, executed_dev, executed_stage, executed_prod, rolled_back, superseded.
    let table: &[(RunType, &str, &str)] = &[
        (Approval, "dev", "approved no no no no no no no"),
        (Approval, "prod", "approved no no no no no no no"),
        (Merge, "dev", "no merged no no no no no no"),
        (Merge, "prod", "no merged no no no no no no"),
        (
            Migration,
            "dev",
            "draft approved executed_dev executed_dev executed_stage executed_prod no no",
        ),
        (
            Migration,
            "stage",
            "draft approved executed_stage executed_stage executed_stage executed_prod no no",
        ),
        (
            Migration,
            "prod",
            "no no executed_prod executed_prod executed_prod executed_prod no no",
        ),
        (
            Migration,
            "demo",
            "draft approved merged executed_dev executed_stage executed_prod no no",
        ),
        (
            Rollback,
            "dev",
            "draft approved no rolled_back executed_stage executed_prod no no",
        ),
        (
            Rollback,
            "stage",
            "draft approved no no rolled_back executed_prod no no",
        ),
        (Rollback, "prod", "no no no no no rolled_back no no"),
        (
            Rollback,
            "demo",
            "draft approved merged executed_dev executed_stage executed_prod no no",
        ),
    ];
    for (run_type, environment, answers) in table {
        for (status, answer) in Status::ALL.iter().zip(answers.split(' ')) {
            let after = status.after(ID, &step(*run_type, environment, CheckStatus::Pass));
            let after = after.map_or("no", Status::word);
            assert_eq!(after, answer, "{run_type} in {environment} after {status}");
            let failed = status.after(ID, &step(*run_type, environment, CheckStatus::Fail));
            let expected = (*status < Status::RolledBack).then_some(*status);
            assert_eq!(failed.ok(), expected, "a failed {run_type} after {status}");
        }
    }
}

#[test]
fn only_the_merge_of_a_later_migration_supersedes() {
    for (other, run_type, status, supersedes) in [
        (
            "PG-MIG-2026-02-28-02",
            RunType::Merge,
            CheckStatus::Pass,
            true,
        ),
        (
            "SEARCH-MIG-2026-03-01-01",
            RunType::Merge,
            CheckStatus::Pass,
            true,
        ),
        (
            "PG-MIG-2026-02-28-02",
            RunType::Merge,
            CheckStatus::Fail,
            false,
        ),
        (
            "PG-MIG-2026-02-28-02",
            RunType::Migration,
            CheckStatus::Pass,
            false,
        ),
        (
            "PG-MIG-2026-02-27-01",
            RunType::Merge,
            CheckStatus::Pass,
            false,
        ),
        ("no id", RunType::Merge, CheckStatus::Pass, false),
    ] {
        let step = Step {
            migration_id: other.to_owned(),
            ..step(run_type, "dev", status)
        };
        for before in Status::ALL {
            let expected = supersedes && *before != Status::Superseded;
            assert_eq!(
                before.after(ID, &step).is_ok(),
                expected,
                "{other} {run_type} after {before}"
            );
        }
    }
}

fn known(draft: &Draft, receipts: &[Step]) -> Known {
    Known {
        path: format!("{}/{}", draft.kind, draft.id),
        name: draft.id.clone(),
        kind: draft.kind,
        receipts: receipts.to_vec(),
    }
}

/// What is found of a registry, as reasons.
fn faults(entries: &[Value], bundles: &[Known]) -> Vec<Reason> {
    let registry = json!({"registry_version": "v1", "migrations": entries});
    let found = match Registry::read(registry.to_string().as_bytes()) {
        Ok(registry) => registry.faults(bundles),
        Err(found) => found,
    };
    found.into_iter().map(|finding| finding.reason).collect()
}

#[test]
fn the_registry_agrees_with_itself_and_with_the_bundles() {
    let one = Draft::valid();
    let two = Draft::of("PG-MIG-2026-03-01-01", Kind::Postgis);
    let third = Draft::of("SEARCH-MIG-2026-01-01-01", Kind::Search);
    let all = [known(&one, &[]), known(&two, &[]), known(&third, &[])];
    let changed = |draft: &Draft, name: &str, value: Value| {
        let mut entry = draft.entry();
        entry[name] = value;
        entry
    };
    let entries = [one.entry(), two.entry(), third.entry()];
    assert_eq!(faults(&entries, &all), []);
    for (entries, expected) in [
        (vec![one.entry(), two.entry()], Reason::ArtifactInvalid),
        (
            vec![
                one.entry(),
                two.entry(),
                third.entry(),
                Draft::of("PG-MIG-2026-04-01-01", Kind::Postgis).entry(),
            ],
            Reason::ArtifactInvalid,
        ),
        (
            vec![two.entry(), one.entry(), third.entry()],
            Reason::MigrationIdMismatch,
        ),
        (
            vec![one.entry(), one.entry(), two.entry(), third.entry()],
            Reason::MigrationIdMismatch,
        ),
        (
            vec![
                changed(&one, "path", json!("postgis/PG-MIG-2026-03-01-01")),
                two.entry(),
                third.entry(),
            ],
            Reason::MigrationIdMismatch,
        ),
        (
            vec![
                changed(&one, "path", json!("../x")),
                two.entry(),
                third.entry(),
            ],
            Reason::PathEscape,
        ),
        (
            vec![
                changed(&one, "type", json!("graph")),
                two.entry(),
                third.entry(),
            ],
            Reason::ArtifactInvalid,
        ),
        (
            vec![
                changed(&one, "status", json!("done")),
                two.entry(),
                third.entry(),
            ],
            Reason::ArtifactInvalid,
        ),
        (
            vec![
                changed(&one, "owner", json!("me")),
                two.entry(),
                third.entry(),
            ],
            Reason::ArtifactInvalid,
        ),
        (
            vec![
                changed(&one, "status", json!("approved")),
                two.entry(),
                third.entry(),
            ],
            Reason::ReceiptInvalid,
        ),
    ] {
        let found = faults(&entries, &all);
        assert!(
            found.contains(&expected),
            "{expected}: {found:?} of {entries:?}"
        );
    }
}

#[test]
fn a_status_needs_the_receipts_that_lead_to_it() {
    let draft = Draft::valid();
    let steps = [
        (RunType::Approval, "stage"),
        (RunType::Merge, "stage"),
        (RunType::Migration, "stage"),
    ];
    let steps: Vec<_> = steps
        .iter()
        .map(|(run_type, environment)| Step {
            digest: digest(run_type.word()),
            ..step(*run_type, environment, CheckStatus::Pass)
        })
        .collect();
    let entry = |status: &str, receipts: &[Step]| {
        let mut entry = draft.entry();
        entry["status"] = json!(status);
        entry["receipts"] = json!(receipts);
        entry
    };
    let bundles = [known(&draft, &steps)];
    for (status, count) in [
        ("draft", 0),
        ("approved", 1),
        ("merged", 2),
        ("executed_stage", 3),
    ] {
        assert_eq!(
            faults(&[entry(status, &steps[..count])], &bundles),
            [],
            "{status}"
        );
        if count < 3 {
            let found = faults(&[entry(status, &steps[..=count])], &bundles);
            assert_eq!(found, [Reason::ReceiptInvalid], "{status}");
        }
    }
    let skipped = faults(&[entry("merged", &steps[1..2])], &bundles);
    assert_eq!(skipped, [Reason::ReceiptInvalid]);
    let absent = faults(&[entry("approved", &steps[..1])], &[known(&draft, &[])]);
    assert_eq!(absent, [Reason::ReceiptMissing]);
    let mut other = steps.clone();
    other[0].environment = "prod".to_owned();
    assert_eq!(
        faults(&[entry("approved", &other[..1])], &bundles),
        [Reason::ReceiptInvalid]
    );
}
