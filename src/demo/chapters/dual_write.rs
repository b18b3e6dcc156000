//! A migration goes its way into dual write, and both halves of its pairs are compared from then on.
//!
//! Ten days are told before anybody sits down: a team is set up, the dictionary is expanded, weeks pass, and after seven days in
//! prepare both halves are written. The others go on comparing and looking.

use std::ops::{Range, RangeInclusive};

use crate::actions::Asked;

use super::super::beat::{Beat, Deed, When};
use super::super::dice::Dice;
use super::super::expansion::Making;
use super::super::files::REPLAY;
use super::migration::{ID, allowlist_of, approval_of};
use super::papers::{self, Profile};
use super::people::{BACKUP, LEAD, OPERATIONS, READY};
use super::weeks::{self, SERIES, SIGNER};
use super::{act, when};

pub(super) const MINUTE: i64 = 60;
pub(super) const HOUR: i64 = 60 * MINUTE;
pub(super) const DAY: i64 = 24 * HOUR;

/// When a story with this chapter opens.
pub const OPENS: i64 = 10 * DAY + 6 * HOUR;
/// When both halves are written: the migration was held in prepare for seven days.
pub(super) const BEGINS: i64 = 7 * DAY + 2 * HOUR;
/// When the first window of the series is.
const FIRST: i64 = 2 * DAY;
/// How many seconds lie between two windows.
const EVERY: i64 = 2 * DAY;
/// How long before its time a window is planned: two are always ahead, which a close takes.
const AHEAD: i64 = 5 * DAY;
/// After how many seconds nothing more happens to a window.
const LONGEST: i64 = HOUR;
/// When everything was looked at first, and how often it is looked at anew.
const PROBED: i64 = BEGINS - 30 * MINUTE;
const PROBES: i64 = 12 * HOUR;
/// When the keys of exports were looked at first, and when somebody had mended what was found.
const FINGERPRINTED: i64 = BEGINS + 3 * MINUTE;
const MENDED: i64 = BEGINS + 40 * MINUTE;
/// How often both halves are compared: an hour between two scans is too long, and a second more would be too.
const SCANS: i64 = 50 * MINUTE;
/// How often the others look whether something waits for them.
const LOOKS: i64 = 30;
/// How long a maintenance window is; there is one every day.
const MAINTENANCE: i64 = 14 * HOUR;

/// Who looks after the numbers.
pub(super) const ANALYTICS: &str = "ana";

/// Tells how both halves come to be written, and how they are compared.
#[must_use]
pub fn beats(seed: u32, seconds: &Range<i64>) -> Vec<Beat> {
    let mut beats = Vec::new();
    if seconds.start < OPENS {
        beats.extend(people());
        let reason = "a week of this story takes two days of its clock";
        beats.extend(weeks::beginning(FIRST, EVERY, reason));
        beats.extend(expansion());
        beats.extend(calendar());
        beats.extend(papers_of_dual_write(seed));
    }
    let windows = since(
        FIRST,
        EVERY,
        &(seconds.start - LONGEST..seconds.end + AHEAD),
    );
    beats.extend(windows.flat_map(|number| of_window(seed, number)));
    let beat = |at, deed| Beat { at, deed };
    let scans = since(BEGINS + MINUTE, SCANS, seconds);
    beats.extend(scans.map(|number| beat(BEGINS + MINUTE + number * SCANS, Deed::Scan)));
    let probes = since(PROBED, PROBES, seconds);
    beats.extend(probes.map(|number| beat(PROBED + number * PROBES, Deed::Probe)));
    let fingerprints = since(FINGERPRINTED, PROBES, seconds);
    beats.extend(fingerprints.map(|number| {
        let at = FINGERPRINTED + number * PROBES;
        beat(at, Deed::Fingerprint)
    }));
    beats.extend(looks(seconds).flat_map(looked));
    beats
}

/// When the others look whether something waits for them, once somebody has the seat.
pub(super) fn looks(seconds: &Range<i64>) -> impl Iterator<Item = i64> {
    let first = OPENS + LOOKS;
    since(first, LOOKS, seconds).map(move |number| first + number * LOOKS)
}

/// What the others look after: what the seat proposes, and what one lead took back alone.
fn looked(at: i64) -> [Beat; 2] {
    [
        Beat {
            at,
            deed: Deed::Agree {
                who: BACKUP,
                reason: "looked at it, and I would do the same",
            },
        },
        when(
            at,
            BACKUP,
            ("countersign_move", Asked::of(ID)),
            When::TakenBack,
            "called the lead, it was right to take it back",
        ),
    ]
}

/// Numbers what happens every so often from a second on, as far as it may lie in these seconds.
pub(super) fn since(first: i64, every: i64, seconds: &Range<i64>) -> RangeInclusive<i64> {
    let number = |second: i64| (second - first).div_euclid(every);
    number(seconds.start).max(0)..=number(seconds.end)
}

/// In the first minute everybody gets the roles that a cutover takes.
fn people() -> Vec<Beat> {
    let roles = [
        (BACKUP, "governance_lead"),
        (SIGNER, "exporter_maintainer"),
        (OPERATIONS, "ops_lead"),
        (ANALYTICS, "data_engineer"),
    ];
    let grant = |(who, role): (&str, &str)| {
        let asked = Asked::of(who).with("role", role);
        act(
            43,
            LEAD,
            "grant_role",
            asked,
            "the team is set up for the demo",
        )
    };
    roles.into_iter().map(grant).collect()
}

/// The dictionary gets its columns and views, then its rows, then the index on what differs.
fn expansion() -> Vec<Beat> {
    let expand = |at, who, bundle, making, reason| Beat {
        at,
        deed: Deed::Expand {
            who,
            bundle,
            making,
            reason,
        },
    };
    let begins = READY + HOUR;
    let mut beats = vec![expand(
        begins,
        BACKUP,
        0,
        Making::Write,
        "the columns, the views, the rows and the index",
    )];
    for (place, bundle) in (1..).zip([0, 1, 2]) {
        let at = begins + place * 40 * MINUTE;
        let steps = [
            (
                BACKUP,
                Making::Plan,
                "planned in place, it takes a fraction of a second",
            ),
            (
                ANALYTICS,
                Making::Propose,
                "read the plan, nothing that is written today is refused",
            ),
            (
                BACKUP,
                Making::Agree,
                "read it too, and the way back was tried",
            ),
            (
                BACKUP,
                Making::Merge,
                "reviewed and merged with the release branch",
            ),
            (
                OPERATIONS,
                Making::Run,
                "the window is agreed, nobody else works there",
            ),
        ];
        for (step, (who, making, reason)) in (0..).zip(steps) {
            beats.push(expand(at + step * 5 * MINUTE, who, bundle, making, reason));
        }
    }
    beats
}

/// A maintenance window for every day around the opening, and a cert week that is far off.
fn calendar() -> Vec<Beat> {
    let span = |id: String, kind: &str, title: &str, begins, ends| Beat {
        at: DAY,
        deed: Deed::Dated {
            who: OPERATIONS,
            verb: "set_calendar",
            asked: Asked::of(id).with("kind", kind).with("title", title),
            dates: vec![("starts", begins), ("ends", ends)],
            reason: "agreed with partners and with operations",
        },
    };
    let (far, week) = (40 * DAY, 7 * DAY);
    let mut beats = vec![span(
        "cert-next".to_owned(),
        "cert",
        "Partners certify",
        far,
        far + week,
    )];
    beats.extend((0..7).map(|day| {
        let begins = OPENS - HOUR + day * DAY;
        let title = "Maintenance, agreed with partners";
        span(
            format!("maintenance-{}", day + 1),
            "maintenance",
            title,
            begins,
            begins + MAINTENANCE,
        )
    }));
    beats
}

/// What it takes to begin: the allow-list is agreed on, and what dashboards showed is kept.
fn papers_of_dual_write(seed: u32) -> Vec<Beat> {
    let agreed = approval_of("dual_write", &allowlist_of("dual_write", &[]));
    vec![
        act(
            DAY + HOUR,
            SIGNER,
            "approve_allowlist",
            agreed,
            "read key by key, both halves and nothing else",
        ),
        land(6 * DAY, papers::LEADERSHIP, papers::leadership(seed)),
        land(6 * DAY, papers::PARTNERS, papers::partners(seed)),
        land(6 * DAY, REPLAY, papers::replay(seed)),
        act(
            BEGINS,
            BACKUP,
            "start_dual_write",
            Asked::of(ID),
            "seven days in prepare, and every consumer was seen",
        ),
        land(
            BEGINS + 2 * MINUTE,
            papers::ANNEX,
            papers::annex(seed, Profile::Undeclared),
        ),
        land(MENDED, papers::ANNEX, papers::annex(seed, Profile::Both)),
        Beat {
            at: MENDED + MINUTE,
            deed: Deed::Fingerprint,
        },
    ]
}

/// A file lands.
pub(super) fn land(at: i64, path: &'static str, text: String) -> Beat {
    Beat {
        at,
        deed: Deed::Land { path, text },
    }
}

/// A window of the series: planned well ahead, compared at its time, and signed.
fn of_window(seed: u32, number: i64) -> [Beat; 4] {
    let mut dice = Dice::of(seed, "cutover", number.unsigned_abs());
    let window = FIRST + number * EVERY;
    let compared = window + dice.between(20, 90);
    let signed = compared + dice.between(8 * MINUTE, 25 * MINUTE);
    let manifest = weeks::manifest(seed, number, false, &mut dice);
    let beat = |at, deed| Beat { at, deed };
    [
        beat(
            (window - AHEAD).max(READY + number),
            Deed::Plan {
                series: SERIES,
                window,
            },
        ),
        beat(
            compared - 10,
            Deed::Land {
                path: papers::WEEKLY,
                text: manifest.clone(),
            },
        ),
        beat(compared, Deed::Compare(manifest)),
        beat(
            signed,
            Deed::OnRun {
                who: SIGNER,
                verb: "ack_run",
                series: SERIES,
                window,
                asked: Asked::default(),
                reason: "read the report to its end, these are our numbers",
            },
        ),
    ]
}
