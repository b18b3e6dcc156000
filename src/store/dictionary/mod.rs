//! The metric dictionary: its releases and metrics, what binds to them, what was proved, and what people read about them.

mod bound;
mod list;
mod looks;
mod rows;

pub use bound::bound_rows;
pub use list::{METRIC_FIELDS, MetricSort, listed};
pub use looks::{
    Use, annex_view, annex_view_of, bind_queries, bind_query, document, faq, faq_all, faq_of,
    labels_of, manifests_of, metric, metrics, newest, proof_of, release, releases, uses,
    variance_of,
};
pub use rows::{
    AnnexView, BindProof, BindQuery, DictionaryMetric, FaqRow, Release, RunManifest, VarianceCheck,
};
