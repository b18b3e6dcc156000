//! What governance calls: a rehearsal, and a run that is taken back when it did what it may not.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::error::{DriverError, Trouble};
use super::{Change, Driver};
use crate::bundles::Observed;
use crate::rules::bundle::{Baseline, Declaration, DiffSummary, judge};

/// What a rehearsal showed; the store is as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// What the forward scripts did.
    pub observed: Observed,
    /// Whether the way back leads to where it began; `Not` when there is none.
    pub way_back: RolledBack,
    /// What reviewers should know.
    pub notes: Vec<String>,
}

/// Whether a change was taken back, and whether that worked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RolledBack {
    /// There was no reason to, or there is no way back.
    Not,
    /// The change had failed and the store was found as before.
    Untouched,
    /// It was taken back, and the store is as before.
    Proven,
    /// It was to be taken back, and that failed: red, and final.
    Failed(String),
}

/// What a run did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// The store before.
    pub pre: Baseline,
    /// What was seen of the change; none when it failed or could not be looked at.
    pub observed: Option<Box<Observed>>,
    /// Why the change or the look at it failed.
    pub trouble: Option<DriverError>,
    /// Whether it was taken back.
    pub rolled_back: RolledBack,
    /// What reviewers should know.
    pub notes: Vec<String>,
}

impl Ran {
    /// Tells whether the change was made, kept to its declaration, and stays.
    #[must_use]
    pub fn passed(&self) -> bool {
        let kept = |observed: &Observed| observed.findings.is_empty();
        self.trouble.is_none() && self.observed.as_deref().is_some_and(kept)
    }
}

impl Driver {
    /// Rehearses a change and its way back, and makes sure that nothing of it is left.
    pub async fn plan(
        &self,
        declaration: &Declaration,
        change: &Change,
    ) -> Result<Planned, DriverError> {
        let before = self.baseline(change).await?;
        let begun = Instant::now();
        let plan = self.rehearse(change).await?;
        let took = begun.elapsed();
        let after = self.baseline(change).await?;
        if let Some(what) = apart(&before, &plan.pre).or_else(|| apart(&before, &after)) {
            return Err(DriverError::new(
                Trouble::Malformed,
                format!(
                    "the rehearsal left something behind, or somebody else was at work: {what}"
                ),
                "see what was left, then rehearse again while nobody else changes the store",
            ));
        }
        let way_back = match &plan.back {
            None => RolledBack::Not,
            Some(back) => apart(&plan.pre, back).map_or(RolledBack::Proven, RolledBack::Failed),
        };
        Ok(Planned {
            observed: weigh(declaration, plan.pre, plan.post, &plan.rows, took),
            way_back,
            notes: plan.notes,
        })
    }

    /// Makes a change; takes it back at once when it failed or did what it may not, and compares.
    pub async fn run(
        &self,
        declaration: &Declaration,
        change: &Change,
    ) -> Result<Ran, DriverError> {
        let mut ran = Ran {
            pre: self.baseline(change).await?,
            observed: None,
            trouble: None,
            rolled_back: RolledBack::Not,
            notes: Vec::new(),
        };
        let begun = Instant::now();
        match self.forward(change).await {
            Ok(changed) => {
                let took = begun.elapsed();
                ran.notes = changed.notes;
                match self.baseline(change).await {
                    Ok(post) => {
                        let pre = ran.pre.clone();
                        let observed = weigh(declaration, pre, post, &changed.rows, took);
                        ran.observed = Some(Box::new(observed));
                    }
                    Err(error) => ran.trouble = Some(error),
                }
            }
            Err(error) => {
                ran.trouble = Some(error);
                let found = self.baseline(change).await;
                if found.is_ok_and(|found| apart(&ran.pre, &found).is_none()) {
                    ran.rolled_back = RolledBack::Untouched;
                    return Ok(ran);
                }
            }
        }
        if !ran.passed() {
            ran.rolled_back = self.take_back(change, &ran.pre).await;
        }
        Ok(ran)
    }

    /// Takes a change back and compares with the store before.
    pub async fn take_back(&self, change: &Change, pre: &Baseline) -> RolledBack {
        if change.rollback.is_empty() {
            return RolledBack::Failed("there are no scripts that lead back".to_owned());
        }
        if let Err(error) = self.rollback(change).await {
            return RolledBack::Failed(error.sentence);
        }
        match self.baseline(change).await {
            Ok(back) => apart(pre, &back).map_or(RolledBack::Proven, RolledBack::Failed),
            Err(error) => RolledBack::Failed(error.sentence),
        }
    }
}

/// Sums up what was observed and judges it.
fn weigh(
    declaration: &Declaration,
    pre: Baseline,
    post: Baseline,
    said: &BTreeMap<String, u64>,
    took: Duration,
) -> Observed {
    let rows = at_least(&pre, &post, said);
    let diff = DiffSummary::between(&declaration.migration_id, &pre, &post, &rows);
    let findings = judge(declaration, &pre, &post, &diff);
    Observed {
        pre,
        post,
        diff,
        rows,
        findings,
        took,
    }
}

/// Corrects the rows that a driver counted: never fewer than the numbers of rows lie apart.
fn at_least(
    pre: &Baseline,
    post: &Baseline,
    said: &BTreeMap<String, u64>,
) -> BTreeMap<String, u64> {
    let mut rows = said.clone();
    for table in pre.row_counts.keys().chain(post.row_counts.keys()) {
        let count = |side: &Baseline| side.row_counts.get(table).copied().unwrap_or(0);
        let apart = count(pre).abs_diff(count(post));
        if apart > 0 {
            let counted = rows.entry(table.clone()).or_default();
            *counted = (*counted).max(apart);
        }
    }
    rows
}

/// Says in what two baselines differ; numbers of rows are informational.
pub(super) fn apart(one: &Baseline, other: &Baseline) -> Option<String> {
    let differing = DiffSummary::between("", one, other, &BTreeMap::new()).touched_tables;
    let named = |what: &str| {
        let first = differing.iter().take(5).cloned().collect::<Vec<_>>();
        if first.is_empty() {
            what.to_owned()
        } else {
            format!("{what}: {}", first.join(", "))
        }
    };
    if one.protected_domain_fingerprint != other.protected_domain_fingerprint {
        return Some(named("what is protected is not the same"));
    }
    let same = one.schema_fingerprint == other.schema_fingerprint
        && one.object_counts == other.object_counts
        && differing.is_empty();
    (!same).then(|| named("the definitions are not the same"))
}
