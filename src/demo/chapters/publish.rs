//! Pipelines publish, the gate stops what is not right, and people answer, or do not.

use std::ops::Range;

use crate::actions::Asked;
use crate::rules::block::BlockReason;

use super::super::beat::{Beat, Deed, Run, When};
use super::super::dice::Dice;
use super::people::{BACKUP, LEAD, OPERATIONS, READY};

/// How many seconds lie between two runs.
const EVERY: i64 = 360;
/// After how many seconds nothing more happens to a run.
const LONGEST: i64 = 2 * 3_600;
/// How many of a hundred runs are stopped.
const STOPPED: i64 = 22;

/// How many of a hundred stopped runs are published anew, and their blocks resolved.
const PUT_RIGHT: i64 = 30;

const MINUTE: i64 = 60;

const SCOPES: &[&str] = &[
    "sla/partners",
    "uptime/customers",
    "latency/partners",
    "adoption/board",
    "cost/internal",
];

/// What goes wrong, the usual more often.
const FLAWS: &[BlockReason] = &[
    BlockReason::TupleDrift,
    BlockReason::TupleDrift,
    BlockReason::TupleDrift,
    BlockReason::FooterSchemaDrift,
    BlockReason::FooterSchemaDrift,
    BlockReason::MissingSourceHash,
    BlockReason::MissingPublishHash,
];

/// Tells of the runs whose time lies in these seconds.
#[must_use]
pub fn beats(seed: u32, seconds: &Range<i64>) -> Vec<Beat> {
    let number = |second: i64| (second - READY).div_euclid(EVERY).max(0);
    (number(seconds.start - LONGEST)..=number(seconds.end))
        .flat_map(|number| of_run(seed, number))
        .collect()
}

fn of_run(seed: u32, number: i64) -> Vec<Beat> {
    let mut dice = Dice::of(seed, "publish", number.unsigned_abs());
    let id = format!("pub-{:04}-{:04x}", number + 1, dice.roll() & 0xffff);
    let minted = READY + number * EVERY + dice.between(0, EVERY / 2);
    let decided = minted + dice.between(20, 50);
    let scope = dice.pick(SCOPES).copied().unwrap_or("sla/partners");
    let stopped = dice.happens(STOPPED);
    let flaw = dice.pick(FLAWS).copied().filter(|_| stopped);
    // Rolled apart, so that what is in the rows changes nothing of what happens.
    let rows = Dice::of(seed, "rows", number.unsigned_abs()).roll();
    let run = Run {
        id: id.clone(),
        scope,
        flaw,
        rows: u32::try_from(rows >> 32).unwrap_or(0),
    };
    let beat = |at, deed| Beat { at, deed };
    let mut beats = vec![
        beat(minted, Deed::Mint(run.clone())),
        beat(decided, Deed::Decide(id.clone())),
    ];
    if flaw.is_none() {
        return beats;
    }
    let act = |who, verb, reason| Deed::Act {
        who,
        verb,
        asked: Asked::of(id.as_str()),
        reason,
        when: When::Untaken(id.clone()),
    };
    if dice.happens(50) {
        let at = decided + dice.between(3 * MINUTE, 25 * MINUTE);
        beats.push(beat(
            at,
            act(LEAD, "take_block", "comparing both sides now"),
        ));
    }
    if dice.happens(75) {
        let at = decided + dice.between(18 * MINUTE, 40 * MINUTE);
        beats.push(beat(
            at,
            act(OPERATIONS, "escalate_block", "nobody has answered yet"),
        ));
        if dice.happens(65) {
            let at = at + dice.between(3 * MINUTE, 15 * MINUTE);
            beats.push(beat(
                at,
                act(BACKUP, "take_block", "paged, looking at the source"),
            ));
        }
    }
    if dice.happens(PUT_RIGHT) {
        beats.extend(put_right(&mut dice, &run, decided));
    }
    beats
}

/// Publishes what the source says anew, and resolves the block by that.
fn put_right(dice: &mut Dice, stopped: &Run, decided: i64) -> [Beat; 3] {
    let id = format!("{}-b", stopped.id);
    let minted = decided + dice.between(42 * MINUTE, 75 * MINUTE);
    let passed = minted + dice.between(20, 50);
    let who = if dice.happens(50) { LEAD } else { BACKUP };
    let beat = |at, deed| Beat { at, deed };
    [
        beat(
            minted,
            Deed::Mint(Run {
                id: id.clone(),
                flaw: None,
                ..stopped.clone()
            }),
        ),
        beat(passed, Deed::Decide(id.clone())),
        beat(
            passed + dice.between(3 * MINUTE, 12 * MINUTE),
            Deed::Act {
                who,
                verb: "resolve_block",
                asked: Asked::of(stopped.id.as_str()).with("by", id),
                reason: "published anew, and the new run has passed the gate",
                when: When::Always,
            },
        ),
    ]
}
