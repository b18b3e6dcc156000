//! The receipts of a bundle: one of its run, or a pointer to it, and whatever moved its status.

use std::collections::BTreeMap;

use super::check::{Asked, Bundle, Entry};
use super::registry::Step;
use super::shown::quoted;
use super::{CheckStatus, Declaration, Finding, Reason, Receipt, ReceiptRef, RunType};
use crate::canon::Digest;

/// The folder of receipts.
const FOLDER: &str = "receipts/";

/// The receipt of the run.
pub const RECEIPT_FILE: &str = "receipts/run_receipt.json";

/// The pointer to it.
pub const RECEIPT_REF_FILE: &str = "receipts/receipt_ref.json";

/// Tells whether a path is that of a receipt or of a pointer to one.
pub(super) fn is_one(path: &str) -> bool {
    path == RECEIPT_FILE || path == RECEIPT_REF_FILE || content_address(path).is_some()
}

/// Returns the digest that a receipt is named by.
fn content_address(path: &str) -> Option<Digest> {
    path.strip_prefix(FOLDER)?
        .strip_suffix(".json")?
        .parse()
        .ok()
}

/// Checks all receipts, and returns what they say for the registry.
pub(super) fn check(
    bundle: &Bundle,
    declaration: &Declaration,
    found: &mut Vec<Finding>,
) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut kept = None;
    let receipt = bundle.file(RECEIPT_FILE);
    if let Asked::Found(bytes) = receipt {
        match Receipt::read(bytes, RECEIPT_FILE) {
            Ok(receipt) => {
                of_the_run(bundle, declaration, &receipt, found);
                steps.push(Step::of(&receipt, bytes));
                kept = Some((receipt.run_id, Digest::of(bytes)));
            }
            Err(faults) => found.extend(faults),
        }
    }
    let pointer = bundle.file(RECEIPT_REF_FILE);
    if let Asked::Found(bytes) = pointer {
        match ReceiptRef::read(bytes, RECEIPT_REF_FILE) {
            Ok(pointer) => of_the_pointer(declaration, &pointer, kept.as_ref(), found),
            Err(faults) => found.extend(faults),
        }
    }
    if matches!((receipt, pointer), (Asked::Absent, Asked::Absent)) {
        let what = format!("neither this receipt nor {RECEIPT_REF_FILE} is there");
        found.push(Finding::new(Reason::ReceiptMissing, RECEIPT_FILE, what));
    }
    for (path, entry) in &bundle.entries {
        let (Entry::File(bytes), Some(name)) = (entry, content_address(path)) else {
            continue;
        };
        if Digest::of(bytes) != name {
            let what = "its name is not the digest of its bytes";
            found.push(Finding::new(Reason::DigestMismatch, path, what));
            continue;
        }
        match Receipt::read(bytes, path) {
            Ok(receipt) => {
                belongs(declaration, &receipt.migration_id, path, found);
                steps.push(Step::of(&receipt, bytes));
            }
            Err(faults) => found.extend(faults),
        }
    }
    steps
}

fn belongs(declaration: &Declaration, migration_id: &str, path: &str, found: &mut Vec<Finding>) {
    if migration_id != declaration.migration_id {
        let what = format!("it is of {}", quoted(migration_id));
        found.push(Finding::new(Reason::MigrationIdMismatch, path, what));
    }
}

fn of_the_run(
    bundle: &Bundle,
    declaration: &Declaration,
    receipt: &Receipt,
    found: &mut Vec<Finding>,
) {
    let mut tell = |reason, what: String| found.push(Finding::new(reason, RECEIPT_FILE, what));
    if receipt.run_type != RunType::Migration {
        let what = format!(
            "run_type is {}, and this is the receipt of the run",
            receipt.run_type
        );
        tell(Reason::ReceiptInvalid, what);
    }
    if let Some(why) = receipt.not_pass() {
        tell(Reason::ValidationNotPass, why);
    }
    let files = receipt.inputs.iter().chain(&receipt.outputs);
    let mut listed = BTreeMap::new();
    for file in files {
        if let Some(other) = listed.insert(file.path.as_str(), file.digest.as_str())
            && other != file.digest
        {
            let what = format!("{} is listed with two digests", quoted(&file.path));
            tell(Reason::ReceiptInvalid, what);
        }
    }
    for (path, digest) in &listed {
        let differs = match bundle.file(path) {
            Asked::Found(bytes) => *digest != format!("sha256:{}", Digest::of(bytes)),
            Asked::Told => continue,
            Asked::Absent => {
                let what = format!("{} is listed and not in the bundle", quoted(path));
                tell(Reason::DigestMismatch, what);
                continue;
            }
        };
        if differs {
            let what = format!("{} is not the file that the digest is of", quoted(path));
            tell(Reason::DigestMismatch, what);
        }
    }
    for path in declaration.artifacts.files() {
        if !listed.contains_key(path) {
            let what = format!("{} is not listed with its digest", quoted(path));
            tell(Reason::ReceiptInvalid, what);
        }
    }
    belongs(declaration, &receipt.migration_id, RECEIPT_FILE, found);
}

fn of_the_pointer(
    declaration: &Declaration,
    pointer: &ReceiptRef,
    kept: Option<&(String, Digest)>,
    found: &mut Vec<Finding>,
) {
    belongs(declaration, &pointer.migration_id, RECEIPT_REF_FILE, found);
    let mut tell = |reason, what: &str| found.push(Finding::new(reason, RECEIPT_REF_FILE, what));
    if pointer.validation_status != CheckStatus::Pass {
        tell(Reason::ValidationNotPass, "validation_status is fail");
    }
    let is_artefact = pointer.receipt_uri.starts_with("sha256:");
    if is_artefact && pointer.receipt_uri != pointer.receipt_digest {
        tell(
            Reason::DigestMismatch,
            "receipt_uri and receipt_digest name two artefacts",
        );
    }
    if let Some((run_id, digest)) = kept
        && *run_id == pointer.run_id
        && pointer.receipt_digest != format!("sha256:{digest}")
    {
        tell(
            Reason::DigestMismatch,
            "receipt_digest is not that of receipts/run_receipt.json",
        );
    }
}
