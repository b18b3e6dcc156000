//! The governance of bundles: how one moves from draft to executed, and who may move it on what grounds.
//!
//! What a change may touch is decided in `bundle`; here is decided when it may be made, once, by whom, and what of it stays.

mod claim;
mod facts;
mod may;
mod radius;
mod receipt;
mod registration;
mod registry;
mod writers;

pub use claim::{GIVEN_UP, given_up, is_given_up, newest};
pub use facts::{Facts, Planned, Ran};
pub use may::{
    Successor, may_approve, may_claim, may_finish, may_interrupt, may_merge, may_register,
    may_roll_back, may_supersede,
};
pub use radius::{Touched, radius};
pub use receipt::{Told, agrees, checks, receipt, receipt_run_id};
pub use registration::{Reading, Registration, Script};
pub use registry::{Moved, entry, registry};
pub use writers::{Hold, UNNOTICED, writers_may_wait_ever, writers_may_wait_now};

pub use super::bundle::Status as BundleStatus;

use super::bundle::{FileDigest, MigrationId, RunType};
use super::words;
use crate::canon::{Digest, canonical_of};

words! {
    /// Where a bundle's target stands.
    pub enum Tier {
        /// Development.
        Dev = "dev",
        /// Staging.
        Stage = "stage",
        /// Production.
        Prod = "prod",
    }
}

words! {
    /// How a run stands, or ended.
    pub enum RunOutcome {
        /// It was claimed and has not ended.
        Running = "running",
        /// What was to be done is done.
        Applied = "applied",
        /// It did more than was declared, and nothing of it stayed.
        Refused = "refused",
        /// It broke, and nothing of it stayed.
        Failed = "failed",
        /// What had been done was taken back, and the target is as it was.
        RolledBack = "rolled_back",
        /// What had been done could not be taken back.
        RollbackFailed = "rollback_failed",
        /// Whoever ran it never came back.
        Interrupted = "interrupted",
    }
}

impl BundleStatus {
    /// Tells whether a status may follow another.
    #[must_use]
    pub const fn may_become(self, next: Self) -> bool {
        use BundleStatus::{
            Approved, Draft, ExecutedDev, ExecutedProd, ExecutedStage, Merged, RolledBack,
            Superseded,
        };
        matches!(
            (self, next),
            (Draft, Approved)
                | (Approved, Merged)
                | (Merged, ExecutedDev)
                | (ExecutedDev, ExecutedStage)
                | (ExecutedStage, ExecutedProd)
                | (ExecutedDev | ExecutedStage | ExecutedProd, RolledBack)
                | (
                    Draft
                        | Approved
                        | Merged
                        | ExecutedDev
                        | ExecutedStage
                        | ExecutedProd
                        | RolledBack,
                    Superseded
                )
        )
    }

    /// Returns the tier that the bundle may be made in next; none where it is not its turn in any.
    #[must_use]
    pub const fn next_tier(self) -> Option<Tier> {
        match self {
            Self::Merged => Some(Tier::Dev),
            Self::ExecutedDev => Some(Tier::Stage),
            Self::ExecutedStage => Some(Tier::Prod),
            _ => None,
        }
    }

    /// Tells whether runs of the bundle may still be approved.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(
            self,
            Self::Draft | Self::Approved | Self::Merged | Self::ExecutedDev | Self::ExecutedStage
        )
    }

    /// Returns where a bundle comes to when a run of it ends; none where it stays.
    #[must_use]
    pub const fn moved_by(
        self,
        run: RunType,
        tier: Option<Tier>,
        outcome: RunOutcome,
    ) -> Option<Self> {
        let next = match (run, tier, outcome) {
            (RunType::Approval, Some(_), RunOutcome::Applied) => Self::Approved,
            (RunType::Merge, None, RunOutcome::Applied) => Self::Merged,
            (RunType::Migration, Some(Tier::Dev), RunOutcome::Applied) => Self::ExecutedDev,
            (RunType::Migration, Some(Tier::Stage), RunOutcome::Applied) => Self::ExecutedStage,
            (RunType::Migration, Some(Tier::Prod), RunOutcome::Applied) => Self::ExecutedProd,
            (RunType::Rollback, Some(_), RunOutcome::RolledBack) => Self::RolledBack,
            _ => return None,
        };
        if self.may_become(next) {
            Some(next)
        } else {
            None
        }
    }
}

impl Tier {
    /// Returns what a bundle is that was made there last.
    #[must_use]
    pub const fn made(self) -> BundleStatus {
        match self {
            Self::Dev => BundleStatus::ExecutedDev,
            Self::Stage => BundleStatus::ExecutedStage,
            Self::Prod => BundleStatus::ExecutedProd,
        }
    }
}

impl RunOutcome {
    /// Tells whether a run of this kind can end so.
    #[must_use]
    pub const fn ends(self, run: RunType) -> bool {
        match run {
            RunType::Approval | RunType::Merge => matches!(self, Self::Applied),
            RunType::Migration => !matches!(self, Self::Running),
            RunType::Rollback => !matches!(self, Self::Running | Self::Applied),
        }
    }

    /// Tells whether a run of this kind did what it was made for.
    #[must_use]
    pub const fn is_success(self, run: RunType) -> bool {
        match run {
            RunType::Rollback => matches!(self, Self::RolledBack),
            _ => matches!(self, Self::Applied),
        }
    }
}

/// What stands in a row for the receipt of what somebody confirms, until it is written: it tells the time.
pub const RECEIPT_FILED: &str = "(the receipt filed)";

/// Hashes what an approval is bound to: the declaration, the scripts, and what the target looks like.
#[must_use]
pub fn plan_hash(declaration: Digest, scripts: &[FileDigest], schema_fingerprint: &str) -> Digest {
    let bound = (declaration.to_string(), scripts, schema_fingerprint);
    Digest::of(&canonical_of(&bound).unwrap_or_default())
}

/// Names the next run of a kind.
#[must_use]
pub fn run_id(migration_id: &str, run: RunType, there: usize) -> String {
    format!("{migration_id}.{run}.{}", there + 1)
}

/// Tells whether a bundle was made after another, by their ids.
#[must_use]
pub fn is_later(migration_id: &str, other: &str) -> bool {
    let ids = [migration_id, other].map(str::parse::<MigrationId>);
    matches!(ids, [Ok(own), Ok(other)] if own < other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::bundle::{CheckStatus, Step};

    #[test]
    fn a_status_never_goes_back_and_ends_superseded() {
        for from in BundleStatus::ALL {
            assert!(!from.may_become(*from), "{from}");
            assert!(!from.may_become(BundleStatus::Draft), "{from}");
            assert_eq!(
                from.may_become(BundleStatus::Superseded),
                *from != BundleStatus::Superseded
            );
            for to in BundleStatus::ALL {
                assert!(!from.may_become(*to) || from < to, "{from} {to}");
            }
        }
    }

    /// Every status, kind of run, tier and outcome.
    #[test]
    fn a_bundle_moves_by_a_run_that_did_what_it_was_made_for() {
        use BundleStatus::{
            Approved, Draft, ExecutedDev, ExecutedProd, ExecutedStage, Merged, RolledBack,
        };
        let tiers = [None, Some(Tier::Dev), Some(Tier::Stage), Some(Tier::Prod)];
        let mut moves = Vec::new();
        for status in BundleStatus::ALL {
            for run in RunType::ALL {
                for tier in tiers {
                    for outcome in RunOutcome::ALL {
                        let Some(next) = status.moved_by(*run, tier, *outcome) else {
                            continue;
                        };
                        assert!(outcome.is_success(*run) && status.may_become(next));
                        moves.push((*status, *run, tier, next));
                    }
                }
            }
        }
        let all = [Tier::Dev, Tier::Stage, Tier::Prod].map(Some);
        let mut wanted = Vec::new();
        wanted.extend(all.map(|tier| (Draft, RunType::Approval, tier, Approved)));
        wanted.push((Approved, RunType::Merge, None, Merged));
        for (status, tier, next) in [
            (Merged, Tier::Dev, ExecutedDev),
            (ExecutedDev, Tier::Stage, ExecutedStage),
            (ExecutedStage, Tier::Prod, ExecutedProd),
        ] {
            assert_eq!(status.next_tier(), Some(tier));
            wanted.push((status, RunType::Migration, Some(tier), next));
        }
        for status in [ExecutedDev, ExecutedStage, ExecutedProd] {
            wanted.extend(all.map(|tier| (status, RunType::Rollback, tier, RolledBack)));
        }
        moves.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(moves, wanted);
    }

    #[test]
    fn a_success_is_an_end() {
        for run in RunType::ALL {
            let ends = RunOutcome::ALL.iter().filter(|it| it.ends(*run));
            assert_eq!(ends.filter(|it| it.is_success(*run)).count(), 1, "{run}");
            assert!(!RunOutcome::Running.ends(*run));
        }
    }

    #[test]
    fn a_plan_is_bound_to_each_of_its_parts() {
        let file = |path: &str, text: &str| FileDigest {
            path: path.to_owned(),
            digest: format!("sha256:{}", Digest::of(text.as_bytes())),
        };
        let (one, other) = (Digest::of(b"one"), Digest::of(b"other"));
        let scripts = [file("forward.sql", "a"), file("rollback.sql", "b")];
        let hash = plan_hash(one, &scripts, "sha256:x");
        assert_eq!(hash, plan_hash(one, &scripts, "sha256:x"));
        for differs in [
            plan_hash(other, &scripts, "sha256:x"),
            plan_hash(one, &scripts[..1], "sha256:x"),
            plan_hash(
                one,
                &[file("forward.sql", "c"), scripts[1].clone()],
                "sha256:x",
            ),
            plan_hash(one, &[scripts[1].clone(), scripts[0].clone()], "sha256:x"),
            plan_hash(one, &scripts, "sha256:y"),
        ] {
            assert_ne!(hash, differs);
        }
    }

    #[test]
    fn a_later_bundle_has_a_later_date_or_number() {
        let early = "PG-MIG-2026-03-01-02";
        for (other, later) in [
            ("PG-MIG-2026-03-02-01", true),
            ("SEARCH-MIG-2026-03-02-01", true),
            ("PG-MIG-2026-03-01-03", true),
            ("PG-MIG-2026-03-01-01", false),
            (early, false),
            ("x", false),
        ] {
            assert_eq!(is_later(early, other), later, "{other}");
        }
        assert_eq!(run_id("A-1", RunType::Migration, 0), "A-1.migration.1");
    }

    /// What moves a bundle here moves it in the registry's file to the same place.
    #[test]
    fn the_file_of_the_registry_moves_alike() {
        for status in BundleStatus::ALL {
            for run in RunType::ALL {
                for tier in [None, Some(Tier::Dev), Some(Tier::Stage), Some(Tier::Prod)] {
                    let success = match run {
                        RunType::Rollback => RunOutcome::RolledBack,
                        _ => RunOutcome::Applied,
                    };
                    let Some(next) = status.moved_by(*run, tier, success) else {
                        continue;
                    };
                    let step = Step {
                        digest: String::new(),
                        migration_id: "A".to_owned(),
                        run_type: *run,
                        environment: tier.map_or("repository", Tier::word).to_owned(),
                        status: CheckStatus::Pass,
                    };
                    // A rollback comes after it was made in every later tier, the last first.
                    let is_last =
                        *run != RunType::Rollback || tier.map(Tier::made) == Some(*status);
                    if is_last {
                        assert_eq!(
                            status.after("A", &step),
                            Ok(next),
                            "{status} {run} {tier:?}"
                        );
                    }
                }
            }
        }
    }
}
