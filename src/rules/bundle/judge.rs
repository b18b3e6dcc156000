//! What a change did beyond what was declared.

use std::collections::BTreeSet;

use super::scope::{Names, is_dictionary, is_ledger};
use super::shown::quoted;
use super::{Baseline, Declaration, DiffSummary, Finding, Reason, diff};

/// How many names of one kind are told one by one.
const MOST_NAMED: usize = 20;

/// Judges what was observed of a change by its declaration; nothing is found when it kept to it.
///
/// One function for the files of a bundle and for a run: the diff must say what the baselines say, and both together must
/// stay within the scope and the limits.
#[must_use]
pub fn judge(
    declaration: &Declaration,
    pre: &Baseline,
    post: &Baseline,
    diff: &DiffSummary,
) -> Vec<Finding> {
    let path = &declaration.artifacts.summary;
    let seen = Seen::of(pre, post, diff);
    let mut found = seen.contradictions(pre, post, diff, path);
    found.extend(out_of_scope(declaration, &seen));
    if pre.protected_domain_fingerprint != post.protected_domain_fingerprint {
        found.push(Finding::new(
            Reason::ProtectedDomainChanged,
            &declaration.artifacts.post,
            "protected_domain_fingerprint is another one than before",
        ));
    }
    let claimed = diff.index_count_delta.unsigned_abs();
    let tables = (seen.names.len() as u64).max(diff.table_count_touched);
    let indexes = seen.index_count_delta.unsigned_abs().max(claimed);
    let rows = seen.rows.max(diff.row_backfill);
    let limits = &declaration.limits;
    found.extend(limits.exceeded_by(Some(tables), Some(indexes), Some(rows), path));
    found
}

/// Names in the findings what was touched and may not be.
fn out_of_scope(declaration: &Declaration, seen: &Seen<'_>) -> Vec<Finding> {
    let path = &declaration.artifacts.summary;
    let scope = &declaration.scope;
    let why = |name: &&str| {
        let shown = quoted(name);
        if is_ledger(name) {
            let what = format!("{shown} is the ledger, which no bundle may touch");
            return Some((Reason::ScopeViolation, what));
        }
        if is_dictionary(name) && declaration.approvals.reference.is_none() {
            let what = format!("{shown} is the dictionary, and no approval is named");
            return Some((Reason::ProtectedDomainChanged, what));
        }
        if let Some(by) = scope.forbidden_by(name) {
            let what = format!("{shown} was touched and stands in {by}");
            return Some((Reason::ScopeViolation, what));
        }
        let what = format!("{shown} was touched and is not among allowed_tables");
        (!scope.allows(name)).then_some((Reason::ScopeViolation, what))
    };
    let mut all = seen.names.iter().filter_map(why);
    let named = all.by_ref().take(MOST_NAMED);
    let mut found: Vec<_> = named
        .map(|(reason, what)| Finding::new(reason, path, what))
        .collect();
    if all.next().is_some() {
        let what = "more were touched that are not allowed";
        found.push(Finding::new(Reason::ScopeViolation, path, what));
    }
    found
}

/// What baselines and diff together show.
struct Seen<'a> {
    /// Everything that was touched.
    names: BTreeSet<&'a str>,
    /// What only the baselines show of it.
    unsaid: BTreeSet<&'a str>,
    index_count_delta: i64,
    /// How many rows the tables have more or less, at least.
    rows: u64,
}

impl<'a> Seen<'a> {
    fn of(pre: &'a Baseline, post: &'a Baseline, diff: &'a DiffSummary) -> Self {
        let mut changed = diff::changed_if_told(pre, post);
        let mut rows: u64 = 0;
        for (table, before) in &pre.row_counts {
            let after = post.row_counts.get(table).unwrap_or(before);
            if before != after {
                changed.insert(table);
                rows = rows.saturating_add(before.abs_diff(*after));
            }
        }
        let said: BTreeSet<_> = diff.touched_tables.iter().map(String::as_str).collect();
        let known = Names::of(&said);
        changed.retain(|name| !known.may_hold(name));
        let unsaid = changed;
        Self {
            names: said.union(&unsaid).copied().collect(),
            unsaid,
            index_count_delta: diff::index_count_delta(pre, post),
            rows,
        }
    }

    /// Finds where the diff says something else than the baselines, or contradicts itself.
    fn contradictions(
        &self,
        pre: &Baseline,
        post: &Baseline,
        diff: &DiffSummary,
        path: &str,
    ) -> Vec<Finding> {
        let mut found = Vec::new();
        let mut contradicts = |what: String| {
            found.push(Finding::new(Reason::DiffInconsistent, path, what));
        };
        let said: BTreeSet<_> = diff.touched_tables.iter().collect();
        if said.len() as u64 != diff.table_count_touched {
            let (named, counted) = (said.len(), diff.table_count_touched);
            contradicts(format!(
                "touched.tables names {named}, table_count_touched is {counted}"
            ));
        }
        if self.index_count_delta != diff.index_count_delta {
            let (seen, said) = (self.index_count_delta, diff.index_count_delta);
            contradicts(format!(
                "by the baselines there are {seen} indexes more, index_count_delta is {said}"
            ));
        }
        for name in self.unsaid.iter().take(MOST_NAMED) {
            let shown = quoted(name);
            contradicts(format!(
                "by the baselines {shown} was touched, touched.tables does not name it"
            ));
        }
        if self.rows > diff.row_backfill {
            let (seen, said) = (self.rows, diff.row_backfill);
            contradicts(format!(
                "by the baselines at least {seen} rows came or went, row_backfill is {said}"
            ));
        }
        let (before, after) = (&pre.object_counts, &post.object_counts);
        let tables = before.tables.abs_diff(after.tables);
        if tables > diff.table_count_touched {
            let said = diff.table_count_touched;
            contradicts(format!(
                "by the baselines {tables} tables came or went, table_count_touched is {said}"
            ));
        }
        let is_same = pre.schema_fingerprint == post.schema_fingerprint;
        let is_different = before != after || !diff::changed_if_told(pre, post).is_empty();
        if is_same && is_different {
            contradicts(
                "the baselines differ in their objects and have one schema_fingerprint".to_owned(),
            );
        }
        if (!is_same || is_different || diff.row_backfill > 0) && diff.table_count_touched == 0 {
            contradicts("something has changed, and table_count_touched is 0".to_owned());
        }
        found
    }
}
