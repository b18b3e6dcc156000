//! A migration in dual write becomes ready for the hour of its cutover, which is for whoever has the seat.
//!
//! Every gate is seen to before anybody sits down. Then it waits. The others do their part of the hour when it comes to them.

use std::ops::Range;

use crate::actions::Asked;

use super::super::beat::{Beat, Deed, When};
use super::dual_write::{ANALYTICS, DAY, HOUR, OPENS, land, looks};
use super::migration::{ID, allowlist_of, approval_of};
use super::papers::{self, Profile};
use super::people::BACKUP;
use super::weeks::SIGNER;
use super::{act, when};

/// Tells how the migration becomes ready, and what the others do around its hour.
#[must_use]
pub fn beats(seed: u32, seconds: &Range<i64>) -> Vec<Beat> {
    let mut beats = Vec::new();
    if seconds.start < OPENS {
        beats.extend(papers_of_the_cutover(seed));
    }
    let modern = papers::annex(seed, Profile::Modern);
    beats.extend(looks(seconds).flat_map(|at| looked(at, &modern)));
    beats
}

/// What the others look after: what exporters write, and a close.
fn looked(at: i64, modern: &str) -> [Beat; 2] {
    let deed = Deed::Export(modern.to_owned());
    let close = ("close_migration", Asked::of(ID));
    let reason = "read every run that was made since the flip";
    [
        Beat { at, deed },
        when(at, BACKUP, close, When::Compared, reason),
    ]
}

/// Everything that is agreed on: the allow-list of the cutover, the plan of the hour, and its rehearsal.
fn papers_of_the_cutover(seed: u32) -> Vec<Beat> {
    let list = allowlist_of("cutover", &["breach_count", "owner_route_id"]);
    let agreed = approval_of("cutover", &list);
    vec![
        act(
            9 * DAY,
            SIGNER,
            "register_allowlist",
            Asked::of(ID).with("document", list),
            "the modern half alone from the cutover on",
        ),
        act(
            9 * DAY + HOUR,
            BACKUP,
            "approve_allowlist",
            agreed.clone(),
            "read key by key, the old halves are forbidden",
        ),
        act(
            9 * DAY + 2 * HOUR,
            ANALYTICS,
            "approve_allowlist",
            agreed,
            "no dashboard reads the old halves any more",
        ),
        Beat {
            at: OPENS - 4 * HOUR,
            deed: Deed::PlanHour {
                who: BACKUP,
                plan: papers::plan(),
                reason: "walked through with everybody whom the hour takes",
            },
        },
        land(
            OPENS - 3 * HOUR,
            papers::ANNEX,
            papers::annex(seed, Profile::Both),
        ),
        Beat {
            at: OPENS - 2 * HOUR,
            deed: Deed::Rehearse { who: BACKUP },
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::chapters::papers::NO_BUNDLES;
    use crate::demo::story::Story;
    use crate::rules::migration::hour::read_plan;
    use crate::rules::migration::read_replay;

    #[test]
    fn its_papers_can_be_read() {
        let plan = read_plan(papers::plan().as_bytes()).expect("a plan");
        assert_eq!(plan.migration_id, ID);
        assert!(papers::plan().contains(NO_BUNDLES));
        let replay = read_replay(papers::replay(1).as_bytes()).expect("a manifest");
        assert_eq!(replay.goldens.len(), 2);
    }

    #[test]
    fn once_it_is_open_nothing_of_its_history_comes_again() {
        let later = OPENS..OPENS + HOUR;
        let later = super::super::beats(Story::Cutover, 1, &later);
        let kinds = |wanted: &str| {
            let told = later.iter().map(|beat| format!("{:?}", beat.deed));
            told.filter(|deed| deed.starts_with(wanted)).count()
        };
        assert_eq!((kinds("Dated"), kinds("Expand"), kinds("Scan")), (0, 0, 1));
        assert!(kinds("Agree") > 100);
    }
}
