//! The registry as the database knows it: every bundle with how far it has come, and the receipts that moved it there.

use super::{BundleStatus, RunOutcome, Tier};
use crate::rules::bundle::{
    CheckStatus, Kind, MigrationId, Registry, RegistryEntry, RunType, Step,
};

/// What stands for a run that belongs to no environment.
pub(super) const EVERYWHERE: &str = "repository";

/// A run that has ended, with its receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// What it was of.
    pub run_type: RunType,
    /// Where it ran.
    pub tier: Option<Tier>,
    /// How it ended.
    pub outcome: RunOutcome,
    /// Whether it took back what had surely been made.
    pub is_sure: bool,
    /// What its receipt hashes to.
    pub receipt: String,
}

/// Lists a bundle with those of its runs that moved it; `merge_of_other` is the receipt of the merge that took its place.
#[must_use]
pub fn entry(
    migration_id: &str,
    kind: Kind,
    owner: &str,
    runs: &[Moved],
    merge_of_other: Option<(&str, &str)>,
) -> RegistryEntry {
    let mut status = BundleStatus::Draft;
    let mut receipts = Vec::new();
    let step = |of: &str, run: RunType, tier: Option<Tier>, receipt: &str| Step {
        digest: format!("sha256:{receipt}"),
        migration_id: of.to_owned(),
        run_type: run,
        environment: tier.map_or(EVERYWHERE, Tier::word).to_owned(),
        status: CheckStatus::Pass,
    };
    for run in runs.iter().filter(|run| run.is_sure) {
        if let Some(next) = status.moved_by(run.run_type, run.tier, run.outcome) {
            receipts.push(step(migration_id, run.run_type, run.tier, &run.receipt));
            status = next;
        }
    }
    if let Some((other, receipt)) = merge_of_other {
        receipts.push(step(other, RunType::Merge, None, receipt));
        status = BundleStatus::Superseded;
    }
    RegistryEntry {
        migration_id: migration_id.to_owned(),
        kind,
        path: format!("{kind}/{migration_id}"),
        owners: vec![owner.to_owned()],
        status,
        receipts,
    }
}

/// Makes the registry of all bundles, the earlier first within their type.
#[must_use]
pub fn registry(mut entries: Vec<RegistryEntry>) -> Registry {
    let id = |entry: &RegistryEntry| entry.migration_id.parse::<MigrationId>().ok();
    entries.sort_by_cached_key(|it| (it.kind, id(it), it.migration_id.clone()));
    Registry {
        migrations: entries,
        ..Registry::empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moved(run_type: RunType, tier: Option<Tier>, outcome: RunOutcome) -> Moved {
        Moved {
            run_type,
            tier,
            outcome,
            is_sure: true,
            receipt: format!("{run_type} {outcome}"),
        }
    }

    #[test]
    fn the_receipts_that_are_listed_lead_to_the_status() {
        use RunOutcome::{Applied, Failed, RolledBack};
        let (dev, stage) = (Some(Tier::Dev), Some(Tier::Stage));
        let runs = [
            moved(RunType::Approval, dev, Applied),
            moved(RunType::Merge, None, Applied),
            moved(RunType::Migration, dev, Failed),
            moved(RunType::Approval, dev, Applied),
            moved(RunType::Migration, dev, Applied),
            moved(RunType::Approval, stage, Applied),
            moved(RunType::Migration, stage, Applied),
            moved(RunType::Rollback, stage, RolledBack),
            moved(RunType::Rollback, dev, RolledBack),
        ];
        for (count, status) in [
            (0, BundleStatus::Draft),
            (1, BundleStatus::Approved),
            (4, BundleStatus::Merged),
            (5, BundleStatus::ExecutedDev),
            (7, BundleStatus::ExecutedStage),
            (8, BundleStatus::RolledBack),
            (9, BundleStatus::RolledBack),
        ] {
            let listed = entry("A", Kind::Graph, "lee", &runs[..count], None);
            assert_eq!(listed.status, status);
            let led = listed
                .receipts
                .iter()
                .try_fold(BundleStatus::Draft, |status, step| status.after("A", step));
            assert_eq!(led, Ok(status));
        }
        let by = Some(("PG-MIG-2026-03-02-01", "m"));
        let listed = entry("PG-MIG-2026-03-01-01", Kind::Postgis, "lee", &runs[..5], by);
        assert_eq!(listed.status, BundleStatus::Superseded);
        let led = listed
            .receipts
            .iter()
            .try_fold(BundleStatus::Draft, |status, step| {
                status.after("PG-MIG-2026-03-01-01", step)
            });
        assert_eq!(led, Ok(BundleStatus::Superseded));
        assert_eq!(listed.path, "postgis/PG-MIG-2026-03-01-01");
    }

    #[test]
    fn the_earlier_stands_first_within_its_type() {
        let one = |id: &str, kind| entry(id, kind, "lee", &[], None);
        let all = registry(vec![
            one("SEARCH-MIG-2026-01-01-01", Kind::Search),
            one("PG-MIG-2026-03-02-01", Kind::Postgis),
            one("PG-MIG-2026-03-01-02", Kind::Postgis),
        ]);
        let ids: Vec<_> = all.migrations.iter().map(|it| &*it.migration_id).collect();
        assert_eq!(
            ids,
            [
                "PG-MIG-2026-03-01-02",
                "PG-MIG-2026-03-02-01",
                "SEARCH-MIG-2026-01-01-01"
            ]
        );
        assert_eq!(Registry::read(all.text().as_bytes()), Ok(all));
    }
}
