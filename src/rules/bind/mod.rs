//! The bind contract: every metric that leadership's or the partners' queries join to the dictionary is still joined,
//! as often as before, when the dictionary is released anew.

mod page;
mod picture;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::words;
use super::{Refusal, Verdict};

pub use page::page;
pub use picture::picture;

/// The form of proofs that this program writes.
const SCHEMA: &str = "govdeck.bind-proof.v1";

words! {
    /// Who sees what a join gives.
    pub enum Surface {
        /// Leadership's rollup.
        Leadership = "leadership",
        /// The partners' annex.
        PartnerAnnex = "partner_annex",
    }
}

words! {
    /// Why the contract does not hold, or cannot be shown to hold.
    pub enum BindFault {
        /// No join is registered for a surface.
        QueryMissing = "query_missing",
        /// A join does not run.
        QueryFailed = "query_failed",
        /// A join gives nothing.
        NoRows = "no_rows",
        /// A row without a metric.
        MetricNull = "metric_null",
        /// A metric that is not in the dictionary.
        MetricUnknown = "metric_unknown",
        /// A metric was joined before and no longer is.
        MetricVanished = "metric_vanished",
        /// A metric is joined that was not before.
        MetricAppeared = "metric_appeared",
        /// A metric has more rows than before, or fewer.
        RowCountDiffers = "row_count_differs",
        /// Only leadership's joins have the metric.
        OnlyLeadership = "only_leadership",
        /// Only the partners' joins have it.
        OnlyPartnerAnnex = "only_partner_annex",
    }
}

impl BindFault {
    /// Returns the verdict that it makes: what did not run shows nothing.
    #[must_use]
    pub const fn verdict(self) -> Verdict {
        match self {
            Self::QueryMissing | Self::QueryFailed => Verdict::CannotTell,
            _ => Verdict::Fail,
        }
    }
}

/// A join that was run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ran {
    /// The join's id.
    pub bind_query_id: String,
    /// Its text, hashed.
    pub sql_sha256: String,
    /// How many rows it gave for each metric, or why it did not run.
    #[serde(serialize_with = "rows_or_why")]
    pub rows: Result<BTreeMap<String, i64>, String>,
}

fn rows_or_why<S: serde::Serializer>(
    rows: &Result<BTreeMap<String, i64>, String>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match rows {
        Ok(rows) => rows.serialize(serializer),
        Err(why) => serde_json::json!({"failed": why}).serialize(serializer),
    }
}

/// The joins of one surface, before a release and after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Bound {
    /// The surface.
    pub surface: Surface,
    /// Its joins over the release before.
    pub before: Vec<Ran>,
    /// Its joins over the release after.
    pub after: Vec<Ran>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Found {
    /// What.
    pub reason: BindFault,
    /// Where.
    pub surface: Surface,
    /// The metric, where it is about one.
    pub metric_id: Option<String>,
    /// In words.
    pub detail: String,
}

/// What was found when the joins of two releases were run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Proof {
    /// Its form.
    pub schema: String,
    /// The release before.
    pub from_semver: String,
    /// The release after.
    pub to_semver: String,
    /// Whether nothing was lost.
    pub verdict: Verdict,
    /// What is wrong.
    pub findings: Vec<Found>,
    /// The joins and what they gave.
    pub surfaces: Vec<Bound>,
    /// Every metric that any of them has.
    pub metrics: BTreeSet<String>,
}

type Rows<'a> = BTreeMap<&'a str, i64>;

/// Adds up what the joins of a surface gave; nothing where one did not run.
fn sum(joins: &[Ran]) -> Option<Rows<'_>> {
    let mut all = Rows::new();
    for join in joins {
        for (metric, rows) in join.rows.as_ref().ok()? {
            *all.entry(metric).or_default() += rows;
        }
    }
    (!joins.is_empty()).then_some(all)
}

/// Judges the joins of two releases against each other and against the ids of the dictionary.
#[must_use]
pub fn prove(
    from_semver: &str,
    to_semver: &str,
    surfaces: Vec<Bound>,
    known: &BTreeSet<String>,
) -> Proof {
    let mut findings = Vec::new();
    for bound in &surfaces {
        judge_surface(bound, known, &mut findings);
    }
    judge_both(&surfaces, &mut findings);
    let joins = surfaces
        .iter()
        .flat_map(|bound| bound.before.iter().chain(&bound.after));
    let metrics: BTreeSet<String> = joins
        .filter_map(|join| join.rows.as_ref().ok())
        .flat_map(BTreeMap::keys)
        .filter(|metric| !metric.is_empty())
        .cloned()
        .collect();
    let all_surfaces = Surface::ALL
        .iter()
        .all(|surface| surfaces.iter().any(|bound| bound.surface == *surface));
    let shown = if all_surfaces && !metrics.is_empty() {
        Verdict::Pass
    } else {
        Verdict::CannotTell
    };
    let verdicts = findings.iter().map(|found| found.reason.verdict());
    Proof {
        schema: SCHEMA.to_owned(),
        from_semver: from_semver.to_owned(),
        to_semver: to_semver.to_owned(),
        verdict: Verdict::all(verdicts.chain([shown])),
        findings,
        surfaces,
        metrics,
    }
}

fn judge_surface(bound: &Bound, known: &BTreeSet<String>, findings: &mut Vec<Found>) {
    let mut add = |reason, metric: Option<&str>, detail: String| {
        findings.push(Found {
            reason,
            surface: bound.surface,
            metric_id: metric.map(str::to_owned),
            detail,
        });
    };
    for (when, joins) in [("before", &bound.before), ("after", &bound.after)] {
        if joins.is_empty() {
            let detail = format!("no join is registered for {when}");
            add(BindFault::QueryMissing, None, detail);
        }
        for join in joins {
            let id = &join.bind_query_id;
            match &join.rows {
                Err(why) => add(BindFault::QueryFailed, None, format!("{id}: {why}")),
                Ok(rows) if rows.is_empty() => {
                    add(BindFault::NoRows, None, format!("{id} gives no row"));
                }
                Ok(rows) => {
                    for (metric, count) in rows {
                        if metric.is_empty() {
                            let detail = format!("{id}: {count} rows without a metric");
                            add(BindFault::MetricNull, None, detail);
                        } else if !known.contains(metric) {
                            let detail = format!("{id}: {metric} is not in the dictionary");
                            add(BindFault::MetricUnknown, Some(metric), detail);
                        }
                    }
                }
            }
        }
    }
    let (Some(before), Some(after)) = (sum(&bound.before), sum(&bound.after)) else {
        return;
    };
    let ids: BTreeSet<&str> = before.keys().chain(after.keys()).copied().collect();
    for id in ids.into_iter().filter(|id| !id.is_empty()) {
        let (reason, detail) = match (before.get(id), after.get(id)) {
            (Some(was), None) => (BindFault::MetricVanished, format!("{was} rows before")),
            (None, Some(is)) => (BindFault::MetricAppeared, format!("{is} rows after")),
            (Some(was), Some(is)) if was != is => (
                BindFault::RowCountDiffers,
                format!("{was} rows before, {is} after"),
            ),
            _ => continue,
        };
        add(reason, Some(id), detail);
    }
}

/// The same word for leaders and partners: what one side joins the other joins too.
fn judge_both(surfaces: &[Bound], findings: &mut Vec<Found>) {
    let of = |wanted: Surface| {
        let bound = surfaces.iter().find(|bound| bound.surface == wanted)?;
        sum(&bound.after)
    };
    let (Some(ours), Some(theirs)) = (of(Surface::Leadership), of(Surface::PartnerAnnex)) else {
        return;
    };
    for (reason, surface, here, there) in [
        (
            BindFault::OnlyLeadership,
            Surface::Leadership,
            &ours,
            &theirs,
        ),
        (
            BindFault::OnlyPartnerAnnex,
            Surface::PartnerAnnex,
            &theirs,
            &ours,
        ),
    ] {
        let alone = here.keys().filter(|id| !there.contains_key(*id));
        for id in alone.filter(|id| !id.is_empty()) {
            findings.push(Found {
                reason,
                surface,
                metric_id: Some((*id).to_owned()),
                detail: "the other surface does not have it".to_owned(),
            });
        }
    }
}

/// Checks the text of a join: one query that gives a column `metric_id`.
pub fn query(sql: &str) -> Result<&str, Refusal> {
    let sql = sql.trim().trim_end_matches(';').trim_end();
    if sql.is_empty() || sql.len() > 64 * 1024 {
        return Err(Refusal::new(
            "the join is empty or longer than 64 kB",
            "write one SELECT that gives a column metric_id",
        ));
    }
    if sql.contains(';') {
        return Err(Refusal::new(
            "the join holds a semicolon: it is one query",
            "register each query by itself",
        ));
    }
    Ok(sql)
}

#[cfg(test)]
mod tests;
