//! The judgement of two sides under a policy.

use super::epsilons::Epsilons;
use super::fault::{Fault, Reject};
use super::order::at_once;
use super::policy::Policy;
use super::side::{Rows, Side};
use super::sidecar::Sidecar;
use super::terms::{Described, Terms, agree};
use super::walk::{Totals, Walk};
use super::worst::{Metric, Worst};
use super::{Party, RejectReason, RunVerdict};
use crate::canon::Digest;

/// One side as it is handed in; the names are for messages.
#[derive(Debug)]
pub struct Given {
    /// The name of the file with the rows.
    pub file: String,
    /// The bytes of the rows.
    pub bytes: Vec<u8>,
    /// What they hash to, where they were hashed as they came.
    pub hashed: Option<Digest>,
    /// How the rows are written.
    pub rows: Rows,
    /// The name of the sidecar's file.
    pub sidecar_file: String,
    /// The sidecar, or why there is none.
    pub sidecar: Result<Sidecar, Fault>,
}

/// Two sides that were compared. The rows are kept, so that the walk can be made again.
#[derive(Debug)]
pub struct Comparison {
    terms: Terms,
    totals: Totals,
    worst: Vec<Metric>,
    leadership: Side,
    partner: Side,
    epsilons: Epsilons,
    silence: Silence,
}

/// What it means when neither side says anything of a bypass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Silence {
    /// They agree.
    Agrees,
    /// Nothing: there may have been one.
    SaysNothing,
}

impl Comparison {
    /// Returns the run's verdict: passed when every metric is, and both sides agree on their bypass.
    #[must_use]
    pub fn verdict(&self) -> RunVerdict {
        if self.totals.failed == 0 && self.totals.passed > 0 && self.lineage_fault().is_none() {
            RunVerdict::Pass
        } else {
            RunVerdict::Fail
        }
    }

    /// Says how the sides differ in their bypass, if they do.
    #[must_use]
    pub fn lineage_fault(&self) -> Option<String> {
        match self.silence {
            Silence::Agrees => self.terms.lineage.fault(),
            Silence::SaysNothing => self.terms.lineage.fault_where_it_is_told(),
        }
    }

    /// Asks both sides to say whether there was a bypass: silence does not pass.
    #[must_use]
    pub fn where_bypasses_are_told(self) -> Self {
        Self {
            silence: Silence::SaysNothing,
            ..self
        }
    }

    /// Returns what both sides agree on.
    #[must_use]
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Returns how many metrics there are, and how they were found.
    #[must_use]
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// Returns the worst metrics, the worst first.
    #[must_use]
    pub fn worst(&self) -> &[Metric] {
        &self.worst
    }

    /// Walks along all metrics again, in the order of their ids as UTF-8 bytes.
    pub fn walk(&self) -> Result<Walk<'_>, Fault> {
        Walk::begin(&self.leadership, &self.partner, &self.epsilons)
    }
}

/// Compares two sides under a policy and keeps the worst metrics, as many as asked for.
///
/// Of several reasons for a rejection the first in order of precedence is told; of two sides leadership's.
pub fn judge(
    leadership: Given,
    partner: Given,
    policy: Policy,
    policy_file: &str,
    keep: usize,
) -> Result<Comparison, Reject> {
    let (ours, theirs) = at_once(
        || described(Party::Leadership, &leadership),
        || described(Party::Partner, &partner),
    );
    let terms = agree([&ours, &theirs], &policy, policy_file)?;
    let epsilons = policy
        .epsilons
        .map_err(|fault| fault.rejects(RejectReason::EpsilonInvalid, policy_file))?;
    let files = [leadership.file, partner.file];
    let malformed = |fault: Fault, file: &str| fault.rejects(RejectReason::CsvInvalid, file);
    let ours = Side::open(leadership.bytes, &leadership.rows);
    let mut ours = ours.map_err(|fault| malformed(fault, &files[0]))?;
    let theirs = Side::open(partner.bytes, &partner.rows);
    if theirs.is_err() {
        // What is malformed further down on leadership's side is told before it.
        let found = ours.find_order();
        found.map_err(|fault| malformed(fault, &files[0]))?;
    }
    let theirs = theirs.map_err(|fault| malformed(fault, &files[1]))?;
    let mut sides = [ours, theirs];
    let (totals, worst) = compare(&mut sides, &epsilons, keep, &files)?;
    if totals.metrics == 0 {
        let fault = Fault::whole("there is no metric, neither here nor on the other side");
        return Err(fault.rejects(RejectReason::NoMetrics, &files[0]));
    }
    let [leadership, partner] = sides;
    Ok(Comparison {
        terms,
        totals,
        worst,
        leadership,
        partner,
        epsilons,
        silence: Silence::Agrees,
    })
}

fn described(party: Party, given: &Given) -> Described<'_> {
    Described {
        party,
        file: &given.sidecar_file,
        sidecar: &given.sidecar,
        digest: given.hashed.unwrap_or_else(|| Digest::of(&given.bytes)),
    }
}

/// Walks along both sides and counts.
fn settle(
    sides: &[Side; 2],
    epsilons: &Epsilons,
    keep: usize,
) -> Result<(Totals, Vec<Metric>), Fault> {
    let [ours, theirs] = sides;
    let (totals, worst) = match Walk::begin_both(ours, theirs, epsilons)? {
        None => settle_along(Walk::begin(ours, theirs, epsilons)?, None, keep)?,
        Some((first, middle, second)) => {
            let (first, second) = at_once(
                || settle_along(first, Some(&middle), keep),
                || settle_along(second, None, keep),
            );
            let ((mut totals, worst), (more, further)) = (first?, second?);
            totals.add(&more);
            (totals, worst.joined(further))
        }
    };
    Ok((totals, worst.into_list()))
}

/// Walks along the metrics before an id, or to the end, and counts.
fn settle_along(
    mut walk: Walk<'_>,
    before: Option<&str>,
    keep: usize,
) -> Result<(Totals, Worst), Fault> {
    let (mut totals, mut worst) = (Totals::default(), Worst::of(keep));
    while let Some(outcome) = walk.next_outcome()? {
        totals.count(outcome.reason);
        worst.look_at(&outcome);
    }
    totals.on_neither_side = walk.finish(before);
    Ok((totals, worst))
}

/// Counts with as little work as the files allow; whatever is wrong with the rows is told in the order of precedence.
///
/// Files that are sound and in order are read once. Others are put in order, and only when they are not sound either
/// is it looked for what it is that is wrong.
fn compare(
    sides: &mut [Side; 2],
    epsilons: &Epsilons,
    keep: usize,
    files: &[String; 2],
) -> Result<(Totals, Vec<Metric>), Reject> {
    if let Ok(found) = settle(sides, epsilons, keep) {
        return Ok(found);
    }
    let rejects = |found: Result<(), Fault>, reason, file: &String| {
        found.map_err(|fault| fault.rejects(reason, file))
    };
    let [ours, theirs] = sides;
    let (our_order, their_order) = at_once(|| ours.find_order(), || theirs.find_order());
    for (found, file) in [our_order, their_order].into_iter().zip(files) {
        rejects(found, RejectReason::CsvInvalid, file)?;
    }
    // One after the other: each takes both threads, and no more memory than one.
    for (side, file) in sides.iter_mut().zip(files) {
        rejects(side.sort(), RejectReason::CsvInvalid, file)?;
    }
    if let Ok(found) = settle(sides, epsilons, keep) {
        return Ok(found);
    }
    for (side, file) in sides.iter().zip(files) {
        rejects(side.find_repeated(), RejectReason::DuplicateMetric, file)?;
    }
    for (side, file) in sides.iter().zip(files) {
        rejects(side.check_values(), RejectReason::ValueInvalid, file)?;
    }
    let found = settle(sides, epsilons, keep);
    found.map_err(|fault| fault.rejects(RejectReason::CsvInvalid, &files[0]))
}
