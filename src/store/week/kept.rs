//! The metrics of a run that the database keeps, written with the entry that ends it.

use sqlx::AssertSqlSafe;

use super::Metric;
use crate::store::view::{on, query};
use crate::store::{StoreError, View};

/// How many rows one statement writes; each binds thirteen values.
const ROWS: usize = 200;
const COLUMNS: usize = 13;

/// What is kept of a run.
#[derive(Debug, Clone, Default)]
pub struct Kept {
    /// The run.
    pub job_run_id: String,
    /// Its metrics, the worst first.
    pub metrics: Vec<Metric>,
}

impl Kept {
    pub(in crate::store) async fn insert(&self, view: &mut View) -> Result<(), StoreError> {
        for metrics in self.metrics.chunks(ROWS) {
            let sql = statement(metrics.len());
            on!(view, c => {
                let mut insert = query(AssertSqlSafe(sql));
                for it in metrics {
                    insert = insert.bind(&self.job_run_id).bind(&it.metric_id).bind(it.place).bind(it.protected)
                        .bind(&it.leadership).bind(&it.partner).bind(&it.epsilon).bind(&it.delta).bind(&it.ratio)
                        .bind(&it.verdict).bind(&it.reason).bind(&it.owner_id).bind(&it.backup_id);
                }
                insert.execute(c).await.map(drop)
            })?;
        }
        Ok(())
    }
}

fn statement(rows: usize) -> String {
    let places = |row: usize| {
        let numbers: Vec<_> = (1..=COLUMNS)
            .map(|column| format!("${}", row * COLUMNS + column))
            .collect();
        format!("({})", numbers.join(", "))
    };
    let all: Vec<_> = (0..rows).map(places).collect();
    format!(
        "INSERT INTO reconciliation_metric (job_run_id, metric_id, place, protected, leadership, partner, epsilon, delta, ratio, \
         verdict, reason, owner_id, backup_id) VALUES {}",
        all.join(", ")
    )
}
