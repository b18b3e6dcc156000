//! Findings of bundles in the forms that other programs read.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use crate::rules::bundle::{Finding, Reason};

/// Joins the folder that was named and a path from it.
pub(super) fn below(folder: &Path, path: &str) -> String {
    match path {
        "." => folder.display().to_string(),
        path => folder.join(path).display().to_string(),
    }
}

/// Writes a line for each finding, as compilers do.
pub(super) fn plain(findings: &[Finding], places: &[String]) -> Vec<String> {
    let line = |(finding, path): (&Finding, &String)| {
        let line = finding.place.map_or(1, |place| place.line);
        format!("{path}:{line}: {}: {}", finding.reason, finding.detail)
    };
    findings.iter().zip(places).map(line).collect()
}

/// Writes a SARIF log of one run.
pub(super) fn sarif(findings: &[Finding], places: &[String]) -> Value {
    let rule = |reason: &Reason| {
        json!({
            "id": reason.word(),
            "shortDescription": {"text": reason.meaning()},
            "help": {"text": reason.remedy()},
            "defaultConfiguration": {"level": "error"},
        })
    };
    let result = |(finding, path): (&Finding, &String)| {
        let mut location = json!({"artifactLocation": {"uri": uri(path)}});
        if let Some(place) = finding.place {
            location["region"] = json!({"startLine": place.line, "startColumn": place.column});
        }
        json!({
            "ruleId": finding.reason.word(),
            "ruleIndex": finding.reason as usize,
            "level": "error",
            "message": {"text": finding.detail},
            "locations": [{"physicalLocation": location}],
        })
    };
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "govdeck",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": Reason::ALL.iter().map(rule).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "results": findings.iter().zip(places).map(result).collect::<Vec<_>>(),
        }],
    })
}

/// Writes a path as a reference of a URI.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}
