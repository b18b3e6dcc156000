//! Every way in which runs since a flip can lie to the limits, by table.

use std::time::Duration;

use super::*;

mod random;

const SERIES: [&str; 2] = ["sla", "money"];
const IDS: [&str; 8] = ["r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7"];

fn at(day: u64) -> Moment {
    let start: Moment = "2026-05-01T00:00:00Z".parse().expect("a moment");
    start.plus(Duration::from_hours(24 * day))
}

fn pair() -> Pair {
    Pair {
        soft: "0.05".into(),
        hard: "0.1".into(),
        floor: "1".into(),
    }
}

fn stand(phase: Phase, closed: Option<u64>, watch_until: Option<u64>) -> Stand<'static> {
    Stand {
        migration_id: "mig",
        from_semver: "2.4.0",
        to_semver: "2.4.1",
        phase,
        since: at(1),
        closed: closed.map(at),
        watch_until: watch_until.map(at),
    }
}

fn kept(metric_id: &'static str, leadership: Option<&'static str>) -> KeptMetric<'static> {
    KeptMetric {
        metric_id,
        protected: false,
        leadership,
        partner: Some("100"),
    }
}

/// A run on a day as a letter tells it: w within, s above soft, h above hard, e exactly soft, x exactly hard; M missed,
/// K skipped, I inconclusive, g a protected metric is missing, n no policy.
fn run(place: usize, letter: char, kind: RunKind) -> EndedRun<'static> {
    let leadership = match letter {
        's' => Some("106"),
        'h' => Some("89.99"),
        'e' => Some("95"),
        'x' => Some("110"),
        'g' => None,
        _ => Some("101"),
    };
    let status = match letter {
        'M' => RunStatus::Missed,
        'K' => RunStatus::Skip,
        'I' => RunStatus::Inconclusive,
        'h' | 's' => RunStatus::Fail,
        _ => RunStatus::Pass,
    };
    let day = u64::try_from(place).expect("few") + 2;
    EndedRun {
        job_run_id: IDS[place],
        series: SERIES[0],
        kind,
        status,
        scheduled_at: at(day),
        began: at(day),
        policy: (letter != 'n').then(|| ("eps-7", pair())),
        kept: if status.has_compared() {
            vec![kept("MET-1", leadership), kept("OTHER", Some("500"))]
        } else {
            Vec::new()
        },
    }
}

fn watch(runs: Vec<EndedRun<'static>>) -> Watch<'static> {
    Watch {
        now: at(20),
        clock_is_behind: false,
        stand: stand(Phase::Cutover, None, None),
        flipped: Some(at(1)),
        protected: vec!["MET-1"],
        series: vec![SERIES[0]],
        runs,
    }
}

/// Capital kinds stand before the letter: `!s` is an immediate run, `?s` a manual one, `~s` a drill.
fn story(text: &str) -> Vec<EndedRun<'static>> {
    let mut kind = RunKind::Scheduled;
    let mut runs = Vec::new();
    for letter in text.chars() {
        match letter {
            '!' => kind = RunKind::Immediate,
            '?' => kind = RunKind::Manual,
            '~' => kind = RunKind::Drill,
            letter => {
                runs.push(run(runs.len(), letter, kind));
                kind = RunKind::Scheduled;
            }
        }
    }
    runs
}

fn said(found: &Trigger) -> String {
    let ids: Vec<&str> = found.rests_on.iter().map(|it| &*it.job_run_id).collect();
    let why = found.reason.map(RollbackReason::word);
    let why = why.or(found.untold.map(Untold::word)).unwrap_or("-");
    format!("{} {why} {}", found.state, ids.join(","))
}

#[test]
fn every_story_has_its_end() {
    for (text, wanted) in [
        ("", "inconclusive no_run "),
        ("w", "stays - "),
        ("e", "stays - "),
        ("s", "amber - r0"),
        // Exactly hard is above soft alone.
        ("x", "amber - r0"),
        ("h", "roll_back epsilon_hard r0"),
        ("sw", "stays - "),
        ("ss", "roll_back epsilon_soft_x2 r0,r1"),
        ("sx", "roll_back epsilon_soft_x2 r0,r1"),
        ("sws", "amber - r2"),
        ("swss", "roll_back epsilon_soft_x2 r2,r3"),
        ("wwww", "stays - "),
        // Once it says so, nothing that comes later takes it back.
        ("hwww", "roll_back epsilon_hard r0"),
        ("ssww", "roll_back epsilon_soft_x2 r0,r1"),
        ("ssh", "roll_back epsilon_hard r2"),
        // Leaving a week out parts nothing, and is nothing itself.
        ("sMs", "roll_back epsilon_soft_x2 r0,r2"),
        ("sKs", "roll_back epsilon_soft_x2 r0,r2"),
        ("sIs", "roll_back epsilon_soft_x2 r0,r2"),
        ("sgs", "roll_back epsilon_soft_x2 r0,r2"),
        ("sns", "roll_back epsilon_soft_x2 r0,r2"),
        ("sMKIgns", "roll_back epsilon_soft_x2 r0,r6"),
        ("sMw", "stays - "),
        ("sM", "amber - r0"),
        ("wM", "inconclusive not_compared r1"),
        ("wK", "inconclusive not_compared r1"),
        ("wI", "inconclusive not_compared r1"),
        ("M", "inconclusive not_compared r0"),
        ("Mw", "stays - "),
        ("wg", "inconclusive metric_missing r1"),
        ("wn", "inconclusive no_policy r1"),
        // The run made at once after the flip.
        ("!w", "stays - "),
        ("!s", "amber - r0"),
        ("!h", "roll_back epsilon_hard r0"),
        ("!ss", "amber - r0,r1"),
        ("s!s", "amber - r1,r0"),
        ("!s!s", "amber - r0,r1"),
        ("!sw", "stays - "),
        ("!s!w", "stays - "),
        ("!sss", "roll_back epsilon_soft_x2 r1,r2"),
        // A good one in between is no week, and parts no two.
        ("s!ws", "roll_back epsilon_soft_x2 r0,r2"),
        ("s!w", "amber - r0"),
        ("!I", "inconclusive not_compared r0"),
        // What people make by hand or to practise never counts.
        ("?h", "inconclusive no_run "),
        ("~h", "inconclusive no_run "),
        ("w?h~h", "stays - "),
        ("s~ws", "roll_back epsilon_soft_x2 r0,r2"),
        ("s~s", "amber - r0"),
    ] {
        assert_eq!(said(&trigger(&watch(story(text)))), wanted, "{text:?}");
    }
}

#[test]
fn it_watches_from_the_flip_until_the_watch_is_over() {
    for (phase, closed, watch_until, now, is_watched) in [
        (Phase::Prepare, None, None, 20, false),
        (Phase::DualWrite, None, None, 20, false),
        (Phase::Rollback, Some(3), None, 20, false),
        (Phase::Cutover, None, None, 20, true),
        (Phase::Cutover, Some(3), Some(21), 20, true),
        (Phase::Cutover, Some(3), Some(20), 20, true),
        (Phase::Cutover, Some(3), Some(19), 20, false),
        (Phase::Cutover, Some(3), None, 20, false),
    ] {
        let found = trigger(&Watch {
            stand: stand(phase, closed, watch_until),
            now: at(now),
            ..watch(story("h"))
        });
        let wanted = if is_watched {
            TriggerState::RollBack
        } else {
            TriggerState::NotWatched
        };
        assert_eq!(found.state, wanted, "{phase} {closed:?} {watch_until:?}");
        assert_eq!(found.reason.is_some(), is_watched);
    }
    let never = Watch {
        flipped: None,
        ..watch(story("h"))
    };
    assert_eq!(trigger(&never).state, TriggerState::NotWatched);
}

#[test]
fn what_was_begun_before_the_flip_is_of_before() {
    let mut before = story("h");
    before[0].began = at(0);
    assert_eq!(
        said(&trigger(&watch(before.clone()))),
        "inconclusive no_run "
    );
    // A window of before that was begun late shows what exporters write now.
    before[0].scheduled_at = at(0);
    before[0].began = at(1);
    assert_eq!(said(&trigger(&watch(before))), "roll_back epsilon_hard r0");
}

#[test]
fn a_clock_that_was_turned_back_decides_nothing() {
    for text in ["", "w", "s", "ss", "h"] {
        let found = trigger(&Watch {
            clock_is_behind: true,
            ..watch(story(text))
        });
        assert_eq!(said(&found), "inconclusive clock_behind ", "{text}");
    }
}

#[test]
fn each_series_is_judged_by_itself_and_none_is_left_out() {
    let both = |of_sla: &str, of_money: &str| {
        let mut runs = story(of_sla);
        let mut others = story(of_money);
        for (at, run) in others.iter_mut().enumerate() {
            run.series = SERIES[1];
            run.job_run_id = ["m0", "m1", "m2"][at];
        }
        runs.extend(others);
        said(&trigger(&Watch {
            series: SERIES.to_vec(),
            ..watch(runs)
        }))
    };
    assert_eq!(both("w", "w"), "stays - ");
    assert_eq!(both("w", ""), "inconclusive no_run ");
    assert_eq!(both("s", "s"), "amber - m0,r0");
    assert_eq!(both("sw", "ws"), "amber - m1");
    assert_eq!(both("w", "ss"), "roll_back epsilon_soft_x2 m0,m1");
    assert_eq!(both("w", "h"), "roll_back epsilon_hard m0");
    assert_eq!(both("ww", "wM"), "inconclusive not_compared m1");
    // Whoever retires a series changes nothing of what it showed.
    let retired = Watch {
        series: Vec::new(),
        ..watch(story("ss"))
    };
    assert_eq!(said(&trigger(&retired)), "roll_back epsilon_soft_x2 r0,r1");
}

#[test]
fn a_protected_metric_is_in_its_series_or_nobody_can_tell() {
    let with = |metrics: Vec<KeptMetric<'static>>, protected: &[&'static str]| {
        let mut runs = story("w");
        runs[0].kept = metrics;
        said(&trigger(&Watch {
            protected: protected.to_vec(),
            ..watch(runs)
        }))
    };
    let fine = || kept("MET-1", Some("101"));
    assert_eq!(with(vec![fine()], &["MET-1"]), "stays - ");
    let missing = "inconclusive metric_missing r0";
    assert_eq!(with(vec![fine()], &["MET-1", "MET-2"]), missing);
    assert_eq!(with(vec![kept("MET-1", None)], &["MET-1"]), missing);
    let gone = KeptMetric {
        partner: None,
        ..fine()
    };
    assert_eq!(with(vec![gone], &["MET-1"]), missing);
    let odd = kept("MET-1", Some("1e3"));
    assert_eq!(with(vec![odd], &["MET-1"]), missing);
    // One that lies far apart does not make up for one that is missing.
    let far = kept("MET-2", Some("300"));
    assert_eq!(
        with(vec![kept("MET-1", None), far], &["MET-1", "MET-2"]),
        missing
    );
    let none = "inconclusive no_protected_metrics r0";
    assert_eq!(with(vec![far], &[]), none);
    let by_manifest = KeptMetric {
        protected: true,
        ..far
    };
    assert_eq!(with(vec![by_manifest], &[]), "roll_back epsilon_hard r0");
    // Another series that has it is enough for one that never did, but not for one that had it before.
    let mut runs = story("www");
    runs[1].series = SERIES[1];
    runs[1].kept = vec![kept("MET-2", Some("100"))];
    let found = |runs: &[EndedRun<'static>]| {
        said(&trigger(&Watch {
            series: SERIES.to_vec(),
            protected: vec!["MET-1", "MET-2"],
            ..watch(runs.to_vec())
        }))
    };
    assert_eq!(found(&runs), "stays - ");
    runs[2].kept = vec![kept("OTHER", Some("100"))];
    assert_eq!(found(&runs), "inconclusive metric_missing r2");
}

#[test]
fn the_worst_protected_metric_decides_exactly() {
    let judged = |leadership: &'static str, partner: &'static str| {
        let mut runs = story("w");
        runs[0].kept = vec![
            kept("MET-0", Some("100")),
            KeptMetric {
                partner: Some(partner),
                ..kept("MET-1", Some(leadership))
            },
        ];
        let found = trigger(&Watch {
            protected: vec!["MET-0", "MET-1"],
            ..watch(runs)
        });
        found.runs[0].clone()
    };
    for (leadership, partner, against) in [
        ("0.05", "0", Against::Within),
        ("0.0500000000000000000000000000001", "0", Against::AboveSoft),
        ("0.1", "0", Against::AboveSoft),
        ("-0.1000000000000000000000000001", "0", Against::AboveHard),
        ("3.15", "3", Against::Within),
        ("3.3", "3", Against::AboveSoft),
        ("-3.30000000000000000000000001", "-3", Against::AboveHard),
        ("2", "-2", Against::AboveHard),
    ] {
        let run = judged(leadership, partner);
        assert_eq!(run.against, against, "{leadership} {partner}");
        assert_eq!(run.metric_id.as_deref(), Some("MET-1"));
    }
}

#[test]
fn an_unsound_policy_is_none() {
    for (soft, hard, floor) in [
        ("0.1", "0.1", "1"),
        ("0.2", "0.1", "1"),
        ("0", "0.1", "0"),
        ("", "0.1", "1"),
        ("-1", "0.1", "1"),
    ] {
        let mut runs = story("h");
        let (soft, hard, floor) = (soft.into(), hard.into(), floor.into());
        runs[0].policy = Some(("eps-7", Pair { soft, hard, floor }));
        assert_eq!(said(&trigger(&watch(runs))), "inconclusive no_policy r0");
    }
}

#[test]
fn a_week_is_shown_beside_the_one_before_and_that_decides_nothing() {
    // From far below to just within: a jump that is larger than either limit.
    let mut runs = story("ww");
    runs[0].kept[0].leadership = Some("95");
    runs[1].kept[0].leadership = Some("105");
    let found = trigger(&watch(runs));
    assert_eq!(said(&found), "stays - ");
    assert_eq!(found.runs[0].ratio_before, None);
    assert_eq!(found.runs[1].ratio_before.as_deref(), Some("0.050000"));
    assert!(found.runs[1].said().ends_with("; 0.050000 the week before"));
}

#[test]
fn what_is_said_names_run_metric_ratio_and_policy() {
    let found = trigger(&watch(story("h")));
    assert_eq!(
        found.grounds(),
        "r0 (scheduled): MET-1 lies about 0.100100 apart, above hard 0.1 (policy eps-7, soft 0.05, hard 0.1)"
    );
    let found = trigger(&watch(story("wg")));
    assert_eq!(
        found.said(),
        "cannot tell: r1 (scheduled): cannot tell: a protected metric is missing on a side (MET-1)"
    );
}
