//! Provenance as W3C PROV in JSON-LD.
//!
//! The run is an activity, whoever ran it an agent, and each file that it used or made an entity that is named by its
//! digest. The context stands in the document, so that tools for RDF read it without a network.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{FileDigest, Receipt, canonical};

/// Writes a receipt as a document.
pub(super) fn document(receipt: &Receipt) -> Vec<u8> {
    let run = iri(&receipt.run_id, "run");
    let agent = iri(&receipt.actor.principal, "agent");
    let migration = urn("migration", &receipt.migration_id);
    let context = json!({
        "prov": "http://www.w3.org/ns/prov#",
        "xsd": "http://www.w3.org/2001/XMLSchema#",
        "govdeck": "urn:govdeck:term:",
    });
    let time = |time: &str| json!({"@type": "xsd:dateTime", "@value": time});
    let ids = |files: &[FileDigest]| -> Value {
        let id = |file: &FileDigest| json!({"@id": entity(file)});
        files.iter().map(id).collect()
    };
    let mut graph = vec![
        json!({
            "@id": run,
            "@type": ["prov:Activity", format!("govdeck:{}", receipt.run_type)],
            "prov:startedAtTime": time(&receipt.started_at),
            "prov:endedAtTime": time(&receipt.finished_at),
            "prov:used": ids(&receipt.inputs),
            "prov:generated": ids(&receipt.outputs),
            "prov:wasAssociatedWith": {"@id": agent},
            "prov:qualifiedAssociation": {
                "@type": "prov:Association",
                "prov:agent": {"@id": agent},
                "prov:hadPlan": {"@id": migration},
            },
            "govdeck:environment": receipt.environment.name,
            "govdeck:validation": receipt.validation.status,
        }),
        json!({"@id": agent, "@type": "prov:Agent", "govdeck:role": receipt.actor.role}),
        json!({
            "@id": migration,
            "@type": ["prov:Entity", "prov:Plan"],
            "govdeck:migrationId": receipt.migration_id,
        }),
    ];
    for file in &receipt.inputs {
        graph.push(described(file, None));
    }
    for file in &receipt.outputs {
        graph.push(described(file, Some(&run)));
    }
    canonical(&json!({"@context": context, "@graph": graph}))
}

fn described(file: &FileDigest, made_by: Option<&str>) -> Value {
    let mut entity = json!({
        "@id": entity(file),
        "@type": "prov:Entity",
        "govdeck:path": file.path,
        "govdeck:digest": file.digest,
    });
    if let (Some(run), Some(members)) = (made_by, entity.as_object_mut()) {
        members.insert("prov:wasGeneratedBy".to_owned(), json!({"@id": run}));
    }
    entity
}

/// Names a file by the digest of its bytes.
fn entity(file: &FileDigest) -> String {
    let digits = file.digest.strip_prefix("sha256:").unwrap_or(&file.digest);
    urn("sha256", digits)
}

/// Takes a name for an IRI where it is one, and makes one of it where it is not.
fn iri(name: &str, kind: &str) -> String {
    let is_scheme = |scheme: &str| {
        scheme.starts_with(|first: char| first.is_ascii_lowercase())
            && scheme
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"+.-".contains(&byte))
    };
    let is_plain =
        |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#@!$&'()*+,;=".contains(&byte);
    match name.split_once("://") {
        Some((scheme, rest))
            if is_scheme(scheme) && !rest.is_empty() && rest.bytes().all(is_plain) =>
        {
            name.to_owned()
        }
        _ => urn(kind, name),
    }
}

/// Makes an IRI of any text; what may not stand in one is written as its bytes.
fn urn(kind: &str, name: &str) -> String {
    let mut iri = format!("urn:govdeck:{kind}:");
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._:".contains(&byte) {
            iri.push(char::from(byte));
        } else {
            let _ = write!(iri, "%{byte:02X}");
        }
    }
    iri
}
