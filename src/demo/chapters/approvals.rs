//! What takes two: now and then somebody proposes to go round a freeze, and another one agrees, declines, or is not there.

use std::ops::Range;

use crate::actions::Asked;

use super::super::beat::{Beat, Deed};
use super::super::dice::Dice;
use super::people::{BACKUP, LEAD, READY};

/// How many seconds lie between two proposals.
const EVERY: i64 = 75 * MINUTE;
/// After how many seconds nothing more happens to one.
const LONGEST: i64 = 3 * 3_600;
/// How often people look whether the newcomer has proposed something.
const LOOKS: i64 = 5 * MINUTE;

const MINUTE: i64 = 60;

const REASONS: &[&str] = &[
    "partners wait for the corrected figures of last week",
    "the board meets at noon and needs one more publish",
    "a legal request has to be answered today, agreed with ops",
];

/// Tells of the proposals whose time lies in these seconds, and of those who look after the newcomer's own.
#[must_use]
pub fn beats(seed: u32, seconds: &Range<i64>) -> Vec<Beat> {
    let number = |second: i64| (second - READY).div_euclid(EVERY).max(0);
    let proposals = (number(seconds.start - LONGEST)..=number(seconds.end))
        .flat_map(|number| of_proposal(seed, number));
    let first = seconds.start.max(READY).div_euclid(LOOKS);
    let looks = (first..=seconds.end.div_euclid(LOOKS)).flat_map(|number| {
        [LEAD, BACKUP].map(|who| Beat {
            at: number * LOOKS,
            deed: Deed::Agree {
                who,
                reason: "looked at it, and I would do the same",
            },
        })
    });
    let looks = looks.filter(|beat| beat.at >= READY);
    proposals.chain(looks).collect()
}

fn of_proposal(seed: u32, number: i64) -> Vec<Beat> {
    let mut dice = Dice::of(seed, "approvals", number.unsigned_abs());
    let id = format!("chg-{}", 2_201 + number * 7);
    let at = READY + number * EVERY + dice.between(0, 10 * MINUTE);
    // In turns, so that there is always something to answer in either seat.
    let (who, other) = if number % 2 == 0 {
        (BACKUP, LEAD)
    } else {
        (LEAD, BACKUP)
    };
    let reason = dice.pick(REASONS).copied().unwrap_or_default();
    let freeze = format!("fz-{:04}", number * 12 + 1);
    let bypass = Deed::Dated {
        who,
        verb: "bypass_freeze",
        asked: Asked::of(id.as_str()).with("freeze", freeze),
        dates: vec![("expires", at + dice.between(2, 48) * 3_600)],
        reason,
    };
    let answer = |who, verb, reason| Deed::Answer {
        who,
        verb,
        about: id.clone(),
        reason,
    };
    let answered = if dice.happens(75) {
        answer(other, "approve", "read it, the window is agreed with ops")
    } else {
        answer(
            other,
            "decline",
            "the freeze ends tonight, that is soon enough",
        )
    };
    let taken_back = answer(who, "decline", "nobody answered, so it goes the usual way");
    vec![
        Beat { at, deed: bypass },
        Beat {
            at: at + dice.between(20 * MINUTE, 50 * MINUTE),
            deed: answered,
        },
        Beat {
            at: at + dice.between(130 * MINUTE, 150 * MINUTE),
            deed: taken_back,
        },
    ]
}
