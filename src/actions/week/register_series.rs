//! Registers a series of weekly runs, or changes its schedule.

use super::super::entry::{Action, Asked, Draft, Field, Required, Row, Stop, Subject};
use super::{SERIES, moment, number};
use crate::clock::Moment;
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::rules::{Condition, Refusal};
use crate::store::week::{self, Series};
use crate::store::{StoreError, Target, View};

const WEEK: i64 = 7 * 24 * 60;
const EARLY: i64 = 60;
const GRACE: i64 = 6 * 60;

pub(in crate::actions) struct RegisterSeries {
    series: Series,
}

impl Action for RegisterSeries {
    const MAY: Permission = permission::REGISTER_SERIES;
    const KEY: char = 'r';
    const SUMMARY: &'static str = "Register a series of weekly runs, or change its schedule";
    const UNDO: &'static str =
        "register-series: the schedule from before; windows that were planned stay";
    const KIND: &'static str = SERIES;
    const TARGET: &'static str = "The series' id, which its manifests name";
    const SUBJECT: Subject = Subject::New;
    const FIELDS: &'static [Field] = &[
        Field {
            name: "first",
            help: "The time of its first window, like 2026-05-25T06:00:00Z",
            required: Required::Yes,
        },
        Field {
            name: "every",
            help: "Minutes from one window to the next (10080, a week)",
            required: Required::No,
        },
        Field {
            name: "early",
            help: "Minutes before its time from which a window may be run (60)",
            required: Required::No,
        },
        Field {
            name: "grace",
            help: "Minutes after its time until which a window must have ended (360)",
            required: Required::No,
        },
        Field {
            name: "quorum",
            help: "How many names a green run asks for (1)",
            required: Required::No,
        },
        Field {
            name: "override-quorum",
            help: "How many names an overridden run asks for (2)",
            required: Required::No,
        },
    ];
    type Facts = Option<Series>;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        let first = moment("first", asked.required("first")?)?;
        Ok(Self {
            series: Series {
                series_id: week_id(&asked.target)?,
                active: true,
                first_at_utc: first,
                every_minutes: number(asked, "every", WEEK)?,
                early_minutes: number(asked, "early", EARLY)?,
                grace_minutes: number(asked, "grace", GRACE)?,
                quorum: number(asked, "quorum", 1)?,
                override_quorum: number(asked, "override-quorum", 2)?,
                registered_by: String::new(),
                registered_at_utc: first,
                version: 1,
            },
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Option<Series>, StoreError> {
        week::series(view, &self.series.series_id).await
    }

    fn propose(&self, facts: &Option<Series>, by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let version = facts.as_ref().map_or(0, |there| there.version);
        let after = Series {
            // Windows that were planned stay where they are, so the schedule goes on from its beginning.
            first_at_utc: facts
                .as_ref()
                .map_or(self.series.first_at_utc, |there| there.first_at_utc),
            registered_by: by.id(),
            registered_at_utc: now,
            version: version + 1,
            ..self.series.clone()
        };
        let target = Target {
            kind: SERIES,
            id: after.series_id.clone(),
            version,
        };
        let conditions = shape(&after);
        let row = match facts {
            Some(before) => Row::change(before, after)?,
            None => Row::new(after),
        };
        Ok(Draft::new(target, conditions, vec![row]))
    }
}

/// Checks the id of a series, of which its runs' ids are made.
fn week_id(id: &str) -> Result<String, Refusal> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let fits = (1..=64).contains(&id.len())
        && id.bytes().next().is_some_and(plain)
        && id.bytes().all(|byte| plain(byte) || b"._-".contains(&byte));
    if fits {
        Ok(id.to_owned())
    } else {
        Err(Refusal::new(
            "this cannot be the id of a series",
            "use 1 to 64 of a-z 0-9 . _ - and begin with a letter or digit",
        ))
    }
}

fn shape(series: &Series) -> Vec<Condition> {
    let Series {
        every_minutes: every,
        early_minutes: early,
        grace_minutes: grace,
        ..
    } = *series;
    vec![
        Condition::holds(
            "schedule",
            (60..=525_600).contains(&every) && early >= 0 && grace >= 1 && early + grace < every,
            "governance_lead",
            format!("every {every} minutes, {early} early, {grace} of grace"),
            "an hour to a year apart, and early and grace together shorter than that",
        ),
        Condition::holds(
            "quorum",
            (1..=20).contains(&series.quorum) && (2..=20).contains(&series.override_quorum),
            "governance_lead",
            format!(
                "{} names, {} where it is overridden",
                series.quorum, series.override_quorum
            ),
            "1 to 20 names, and 2 to 20 where a run is overridden",
        ),
    ]
}
