//! Policies: how far apart two sides may be, what the pair of limits would have made of the weeks before, and who adopts it.

use serde::{Deserialize, Serialize};

use super::RunStatus;
use super::spread::{Limits, worst};
use crate::rules::Condition;
use crate::rules::reconcile::Decimal;

/// The form of backtests that this program writes and reads.
pub const BACKTEST_SCHEMA: &str = "govdeck.policy-backtest.v1";

/// How many weeks a backtest looks back: four quarters.
pub const WEEKS: usize = 52;

/// The two limits of a policy, and what a ratio is taken of at least; as texts, since they are compared exactly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pair {
    /// Above it a week is watched.
    pub soft: String,
    /// Above it a cutover is rolled back.
    pub hard: String,
    /// What a ratio is taken of at least.
    pub floor: String,
}

/// How the pair stands to each other: 0 ≤ soft < hard, and a floor above nothing.
#[must_use]
pub fn is_sound(pair: &Pair) -> Condition {
    let read = |text: &str| Decimal::parse(text).ok();
    let sound = match (read(&pair.soft), read(&pair.hard), read(&pair.floor)) {
        (Some(soft), Some(hard), Some(floor)) => {
            !soft.is_negative()
                && (&hard - &soft).cmp_abs(&Decimal::ZERO).is_gt()
                && !(&hard - &soft).is_negative()
                && !floor.is_negative()
                && !floor.is_zero()
        }
        _ => false,
    };
    Condition::holds(
        "pair",
        sound,
        "analytics_owner",
        format!(
            "soft {}, hard {}, floor {}",
            pair.soft, pair.hard, pair.floor
        ),
        "plain decimals with 0 <= soft < hard, and a floor above 0; nothing is taken for granted",
    )
}

/// A protected metric of a week, as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The metric.
    pub metric_id: String,
    /// How far apart its sides were; none where one was missing.
    pub delta: Option<String>,
    /// The partners' value.
    pub partner: Option<String>,
}

/// A week that has ended, as far as a backtest looks at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastWeek {
    /// The run.
    pub job_run_id: String,
    /// How it ended.
    pub status: RunStatus,
    /// Whether an incident began with it.
    pub was_incident: bool,
    /// Its protected metrics.
    pub protected: Vec<Seen>,
}

/// What a pair would have made of one week.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// The run.
    pub job_run_id: String,
    /// How it ended.
    pub status: RunStatus,
    /// The protected metric that lay farthest apart.
    pub worst_metric: Option<String>,
    /// How far, nearly.
    pub worst_ratio: Option<String>,
    /// Whether it would have turned amber.
    pub amber: bool,
    /// Whether it would have rolled back.
    pub rollback: bool,
    /// Whether it really was an incident.
    pub real: bool,
}

/// What a pair would have made of the weeks before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Backtest {
    /// Its form.
    pub schema: String,
    /// The pair.
    pub pair: Pair,
    /// The weeks, the oldest first.
    pub weeks: Vec<Judged>,
    /// The runs that would have turned amber.
    pub ambers: Vec<String>,
    /// The runs that would have rolled back though they passed.
    pub false_rollbacks: Vec<String>,
    /// The incidents at which nothing would have been rolled back.
    pub missed: Vec<String>,
    /// The weeks of which nothing can be said: no protected metric was kept, or one was missing on a side.
    pub cannot_tell: Vec<String>,
}

/// Replays the weeks, the oldest first: above soft is amber, above hard or twice above soft rolls back.
#[must_use]
pub fn backtest(pair: &Pair, weeks: &[PastWeek]) -> Backtest {
    let mut report = Backtest {
        schema: BACKTEST_SCHEMA.to_owned(),
        pair: pair.clone(),
        weeks: Vec::new(),
        ambers: Vec::new(),
        false_rollbacks: Vec::new(),
        missed: Vec::new(),
        cannot_tell: Vec::new(),
    };
    let limits = Limits::of(pair);
    let mut was_soft = false;
    for week in weeks {
        let worst = limits
            .as_ref()
            .and_then(|limits| worst(limits, &week.protected));
        let id = week.job_run_id.clone();
        let is_soft = worst.as_ref().is_some_and(|worst| worst.above_soft);
        let rollback =
            worst.as_ref().is_some_and(|worst| worst.above_hard) || (is_soft && was_soft);
        if worst.is_none() {
            report.cannot_tell.push(id.clone());
        }
        if is_soft {
            report.ambers.push(id.clone());
        }
        if rollback && week.status == RunStatus::Pass {
            report.false_rollbacks.push(id.clone());
        }
        if !rollback && week.was_incident {
            report.missed.push(id.clone());
        }
        was_soft = is_soft;
        report.weeks.push(Judged {
            job_run_id: id,
            status: week.status,
            worst_ratio: worst.as_ref().map(|worst| format!("{:.6}", worst.ratio)),
            worst_metric: worst.map(|worst| worst.metric_id),
            amber: is_soft,
            rollback,
            real: week.was_incident,
        });
    }
    report
}

/// Lists what must hold before two people adopt a policy.
#[must_use]
pub fn may_adopt(
    is_new: bool,
    document: &Result<u64, String>,
    pair: &Pair,
    report: &Backtest,
    weeks: &[PastWeek],
) -> Vec<Condition> {
    let replayed = backtest(pair, weeks);
    vec![
        Condition::holds(
            "new_version",
            is_new,
            "analytics_owner",
            if is_new {
                "free"
            } else {
                "this version was adopted"
            },
            "a version is adopted once: choose the next",
        ),
        Condition::holds(
            "document",
            document.as_ref().is_ok_and(|metrics| *metrics > 0),
            "analytics_owner",
            match document {
                Ok(metrics) => format!("{metrics} metrics"),
                Err(why) => why.clone(),
            },
            "the document names this version, and an epsilon for each metric",
        ),
        is_sound(pair),
        Condition::holds(
            "backtest",
            *report == replayed,
            "analytics_owner",
            if report.pair != *pair {
                "a backtest of another pair".to_owned()
            } else if *report == replayed {
                format!(
                    "{} weeks: {} amber, {} false rollbacks, {} missed, {} cannot tell",
                    report.weeks.len(),
                    report.ambers.len(),
                    report.false_rollbacks.len(),
                    report.missed.len(),
                    report.cannot_tell.len()
                )
            } else {
                "replaying the weeks says something else".to_owned()
            },
            "replay the weeks before under this very pair: govdeck policy backtest",
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Verdict;

    fn pair(soft: &str, hard: &str, floor: &str) -> Pair {
        Pair {
            soft: soft.into(),
            hard: hard.into(),
            floor: floor.into(),
        }
    }

    #[test]
    fn a_pair_has_no_silent_default() {
        for (soft, hard, floor, sound) in [
            ("0", "0.1", "1", true),
            ("0.05", "0.1", "0.000000000000000000000000000001", true),
            ("0.1", "0.1", "1", false),
            ("0.2", "0.1", "1", false),
            ("-0.1", "0.1", "1", false),
            ("0.05", "0.1", "0", false),
            ("0.05", "0.1", "-1", false),
            ("", "0.1", "1", false),
            ("0.05", "1e3", "1", false),
        ] {
            let found = is_sound(&pair(soft, hard, floor));
            assert_eq!(found.verdict, Verdict::of(sound), "{soft} {hard} {floor}");
        }
    }

    fn week(id: &str, status: RunStatus, delta: Option<&str>, incident: bool) -> PastWeek {
        PastWeek {
            job_run_id: id.into(),
            status,
            was_incident: incident,
            protected: vec![Seen {
                metric_id: "MET-1".into(),
                delta: delta.map(str::to_owned),
                partner: Some("100".into()),
            }],
        }
    }

    #[test]
    fn weeks_are_replayed_in_their_order() {
        use RunStatus::{Fail, Pass};
        let weeks = [
            week("w1", Pass, Some("1"), false),
            week("w2", Pass, Some("6"), false),
            week("w3", Pass, Some("-7"), false),
            week("w4", Fail, Some("2"), true),
            week("w5", Fail, Some("20"), true),
            week("w6", Fail, None, false),
        ];
        let report = backtest(&pair("0.05", "0.1", "1"), &weeks);
        assert_eq!(report.ambers, ["w2", "w3", "w5"]);
        assert_eq!(
            report.false_rollbacks,
            ["w3"],
            "twice above soft, though it passed"
        );
        assert_eq!(report.missed, ["w4"]);
        assert_eq!(report.cannot_tell, ["w6"]);
        assert_eq!(report.weeks.len(), 6);
    }

    #[test]
    fn only_what_the_weeks_say_under_this_pair_counts() {
        let of = pair("0.05", "0.1", "1");
        let weeks = [week("w1", RunStatus::Pass, Some("6"), false)];
        let report = backtest(&of, &weeks);
        let verdict = |pair: &Pair, report: &Backtest, weeks: &[PastWeek]| {
            let found = may_adopt(true, &Ok(3), pair, report, weeks);
            Verdict::all(found.iter().map(|condition| condition.verdict))
        };
        assert_eq!(verdict(&of, &report, &weeks), Verdict::Pass);
        assert_eq!(
            verdict(&pair("0.04", "0.1", "1"), &report, &weeks),
            Verdict::Fail
        );
        assert_eq!(verdict(&of, &report, &[]), Verdict::Fail, "made up");
        assert_eq!(
            verdict(&of, &backtest(&of, &[]), &weeks),
            Verdict::Fail,
            "weeks left out"
        );
        let mut milder = report.clone();
        milder.ambers.clear();
        assert_eq!(verdict(&of, &milder, &weeks), Verdict::Fail);
        let none = may_adopt(false, &Err("no policy".into()), &of, &milder, &weeks);
        let open = none.iter().filter(|it| it.verdict != Verdict::Pass).count();
        assert_eq!(open, 3);
    }
}
