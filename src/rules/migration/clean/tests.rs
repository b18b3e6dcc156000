use super::*;

const NOW: &str = "now";
const SHORT: Duration = Duration::from_secs(72 * 3_600 - 1);

fn at(minutes: u64) -> Moment {
    let start: Moment = "2026-05-14T00:00:00Z".parse().expect("a moment");
    start.plus(Duration::from_mins(minutes))
}

fn good(minutes: u64) -> Sample<'static> {
    Sample {
        at: at(minutes),
        until: at(minutes),
        status: ScanStatus::Whole,
        rows: 10,
        mismatches: 0,
        inputs: NOW,
    }
}

fn hourly(hours: u64) -> Vec<Sample<'static>> {
    (0..=hours).map(|hour| good(hour * 60)).collect()
}

fn whys(clock: &Clean) -> Vec<Why> {
    clock.log.iter().map(|it| it.why).collect()
}

#[test]
fn seventy_two_hours_and_not_a_second_less() {
    let mut samples = hourly(71);
    samples.push(Sample {
        at: at(72 * 60),
        ..good(0)
    });
    let whole = clean(&samples, &[], NOW, at(72 * 60));
    assert_eq!(whole.counted, CLEAN_HOURS);
    assert!(whole.runs && whole.log.is_empty());
    let start: Moment = "2026-05-14T00:00:00Z".parse().expect("a moment");
    samples.pop();
    samples.push(Sample {
        at: start.plus(SHORT),
        ..good(0)
    });
    let short = clean(&samples, &[], NOW, at(72 * 60));
    assert_eq!(short.counted, SHORT);
    // What nobody looked at since the newest scan does not count.
    assert!(short.counted < CLEAN_HOURS);
}

#[test]
fn a_gap_pauses_and_a_long_one_begins_anew() {
    let after = |minutes: u64| {
        let mut samples = hourly(10);
        samples.push(good(600 + minutes));
        samples.push(good(660 + minutes));
        clean(&samples, &[], NOW, at(660 + minutes))
    };
    for (minutes, hours, log) in [
        (60, 12, vec![]),
        (61, 11, vec![Why::Gap]),
        (720, 11, vec![Why::Gap]),
        (721, 1, vec![Why::Lost]),
    ] {
        let clock = after(minutes);
        assert_eq!(clock.counted, Duration::from_hours(hours), "{minutes}");
        assert_eq!(whys(&clock), log, "{minutes}");
        assert!(clock.runs, "{minutes}");
    }
}

#[test]
fn whatever_is_not_clean_begins_anew() {
    let faults = [
        (
            Sample {
                mismatches: 1,
                ..good(0)
            },
            Why::Mismatch,
        ),
        (
            Sample {
                status: ScanStatus::Failed,
                ..good(0)
            },
            Why::NotWhole,
        ),
        (
            Sample {
                status: ScanStatus::Short,
                ..good(0)
            },
            Why::NotWhole,
        ),
        (Sample { rows: 0, ..good(0) }, Why::Empty),
        (
            Sample {
                inputs: "other",
                ..good(0)
            },
            Why::Changed,
        ),
    ];
    for (fault, why) in faults {
        let mut samples = hourly(5);
        samples.push(Sample {
            at: at(360),
            ..fault
        });
        let stopped = clean(&samples, &[], NOW, at(360));
        assert_eq!(stopped.counted, Duration::ZERO, "{why}");
        assert!(!stopped.runs, "{why}");
        assert_eq!(stopped.log[0].why, why);
        assert_eq!(stopped.log[0].counted_micros, 5 * 3_600 * 1_000_000);
        samples.extend([good(420), good(480)]);
        let again = clean(&samples, &[], NOW, at(480));
        assert_eq!(again.counted, Duration::from_hours(1), "{why}");
        assert!(again.runs, "{why}");
    }
}

#[test]
fn time_without_a_scan_stops_it_whatever_was_counted() {
    let samples = hourly(80);
    for (minutes, runs, counted) in [(60, true, 80), (61, false, 80), (721, false, 0)] {
        let clock = clean(&samples, &[], NOW, at(80 * 60 + minutes));
        assert_eq!(clock.runs, runs, "{minutes}");
        assert_eq!(clock.counted, Duration::from_hours(counted), "{minutes}");
    }
    let other = clean(&samples, &[], "other", at(80 * 60));
    assert_eq!((other.counted, other.runs), (Duration::ZERO, false));
    let nothing = clean(&[], &[], NOW, at(0));
    assert_eq!(
        (nothing.counted, nothing.runs, nothing.newest),
        (Duration::ZERO, false, None)
    );
}

#[test]
fn a_clock_that_is_turned_back_counts_nothing() {
    let samples = [good(60), good(0), good(30)];
    let clock = clean(&samples, &[], NOW, at(30));
    assert_eq!(clock.counted, Duration::from_mins(30));
}

#[test]
fn the_same_fault_is_noted_once() {
    let bad = |minutes| Sample {
        mismatches: 3,
        ..good(minutes)
    };
    let samples = [
        good(0),
        good(30),
        bad(60),
        bad(90),
        bad(120),
        good(150),
        good(180),
        bad(210),
    ];
    let clock = clean(&samples, &[], NOW, at(210));
    assert_eq!(whys(&clock), [Why::Mismatch, Why::Mismatch]);
}

#[test]
fn other_keys_of_exporters_begin_anew_and_what_was_before_the_first_scan_does_not_matter() {
    let clock = |changes: &[u64], until: u64| {
        let changes: Vec<Moment> = changes.iter().map(|minutes| at(*minutes)).collect();
        clean(&hourly(10), &changes, NOW, at(until))
    };
    let hours = |clock: &Clean| clock.counted.as_secs() / 3_600;
    for before in [&[][..], &[0]] {
        let whole = clock(before, 600);
        assert_eq!((hours(&whole), whole.runs), (10, true), "{before:?}");
    }
    let within = clock(&[1], 600);
    assert_eq!((hours(&within), whys(&within)), (9, vec![Why::Changed]));
    let at_a_scan = clock(&[300], 600);
    assert_eq!(hours(&at_a_scan), 5);
    let twice = clock(&[290, 310], 600);
    assert_eq!(hours(&twice), 4);
    // Since the newest scan: it counts no longer, before another scan says so.
    let since = clock(&[610], 620);
    assert_eq!((hours(&since), since.runs), (0, false));
    let later = clock(&[610], 605);
    assert_eq!((hours(&later), later.runs), (10, true));
}

#[test]
fn a_scan_is_taken_up_for_ten_minutes() {
    let micro = Duration::from_micros(1);
    for (now, may) in [
        (at(0), true),
        (at(10), true),
        (at(10).plus(micro), false),
        (at(60 * 24), false),
    ] {
        assert_eq!(may_take_up(at(0), now), may, "{now}");
    }
    let turned_back = may_take_up(at(0).plus(micro), at(0));
    assert!(!turned_back);
}

#[test]
fn what_took_long_counts_from_its_end_and_to_its_beginning() {
    let long = |from: u64, until: u64| Sample {
        until: at(until),
        ..good(from)
    };
    let counted = |samples: &[Sample<'_>]| {
        let clock = clean(samples, &[], NOW, at(240));
        clock.counted.as_secs() / 60
    };
    // The first begins the time when all of it was looked at; those that follow end it when they begin.
    assert_eq!(counted(&[long(0, 10), long(40, 50)]), 30);
    assert_eq!(counted(&[long(0, 10), long(40, 50), long(80, 90)]), 70);
    // After a mismatch, and after a gap, it is as at the first.
    let bad = Sample {
        mismatches: 1,
        ..long(0, 10)
    };
    assert_eq!(counted(&[bad, long(40, 50), long(80, 90)]), 30);
    assert_eq!(counted(&[long(0, 10), long(51, 61), long(100, 105)]), 39);
    // A row that was looked at first of all, and last of all the next time.
    assert_eq!(counted(&[long(0, 10), long(50, 60)]), 40);
    assert_eq!(counted(&[long(0, 10), long(50, 61)]), 0);
}
