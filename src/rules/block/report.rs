//! How fast blocks were answered: per reason, over a time.

use serde::Serialize;

use super::BlockReason;
use crate::clock::Moment;

/// When a block came, was due and was answered.
#[derive(Debug, Clone, Copy)]
pub struct Answered {
    /// Why the run was stopped.
    pub reason: BlockReason,
    /// When.
    pub blocked_at: Moment,
    /// Until when somebody had to answer.
    pub respond_by: Moment,
    /// When somebody did.
    pub taken_at: Option<Moment>,
}

/// The responses to the blocks of one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Responses {
    /// The reason.
    pub reason: BlockReason,
    /// How many blocks came.
    pub blocks: usize,
    /// How many of them were answered.
    pub answered: usize,
    /// How many were answered too late, or are not answered and late by now.
    pub breaches: usize,
    /// The seconds in which half of the answers came; none without an answer.
    pub p50_seconds: Option<i64>,
    /// The seconds in which 95 of 100 answers came; none without an answer.
    pub p95_seconds: Option<i64>,
}

/// Sums up the responses, reason by reason, those without blocks too.
#[must_use]
pub fn responses(blocks: &[Answered], now: Moment) -> Vec<Responses> {
    let of = |reason: &BlockReason| {
        let of_reason: Vec<_> = blocks
            .iter()
            .filter(|block| block.reason == *reason)
            .collect();
        let mut seconds: Vec<i64> = of_reason
            .iter()
            .filter_map(|block| Some(block.taken_at?.since(block.blocked_at).num_seconds()))
            .collect();
        seconds.sort_unstable();
        let late =
            |block: &&&Answered| super::was_late(block.respond_by, block.taken_at.unwrap_or(now));
        Responses {
            reason: *reason,
            blocks: of_reason.len(),
            answered: seconds.len(),
            breaches: of_reason.iter().filter(late).count(),
            p50_seconds: nearest_rank(&seconds, 50),
            p95_seconds: nearest_rank(&seconds, 95),
        }
    };
    BlockReason::ALL.iter().map(of).collect()
}

/// Returns the value that at least `percent` of all values do not exceed: one that was really measured.
fn nearest_rank(sorted: &[i64], percent: usize) -> Option<i64> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_values_that_were_measured() {
        let hundred: Vec<i64> = (1..=100).collect();
        assert_eq!(nearest_rank(&hundred, 50), Some(50));
        assert_eq!(nearest_rank(&hundred, 95), Some(95));
        assert_eq!(nearest_rank(&[7], 50), Some(7));
        assert_eq!(nearest_rank(&[7], 95), Some(7));
        assert_eq!(nearest_rank(&[1, 2, 3], 50), Some(2));
        assert_eq!(nearest_rank(&[1, 2, 3, 4], 50), Some(2));
        assert_eq!(nearest_rank(&[], 50), None);
    }

    #[test]
    fn a_breach_is_an_answer_too_late_or_none_in_time() {
        let at =
            |text: &str| -> Moment { format!("2026-05-14T{text}Z").parse().expect("a moment") };
        let block = |taken: Option<&str>| Answered {
            reason: BlockReason::TupleDrift,
            blocked_at: at("02:00:00"),
            respond_by: at("02:30:00"),
            taken_at: taken.map(at),
        };
        let blocks = [
            block(Some("02:10:00")),
            block(Some("02:30:00")),
            block(Some("02:30:00.000001")),
            block(None),
        ];
        for (now, breaches) in [("02:30:00", 1), ("02:30:01", 2)] {
            let all = responses(&blocks, at(now));
            assert_eq!(all.len(), BlockReason::ALL.len());
            let drift = all
                .iter()
                .find(|r| r.reason == BlockReason::TupleDrift)
                .expect("listed");
            assert_eq!(
                (drift.blocks, drift.answered, drift.breaches),
                (4, 3, breaches),
                "{now}"
            );
            assert_eq!(
                (drift.p50_seconds, drift.p95_seconds),
                (Some(1_800), Some(1_800))
            );
            let other = all
                .iter()
                .find(|r| r.reason == BlockReason::FooterSchemaDrift)
                .expect("listed");
            assert_eq!(
                (other.blocks, other.breaches, other.p50_seconds),
                (0, 0, None)
            );
        }
    }
}
