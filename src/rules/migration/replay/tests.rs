use super::*;
use crate::rules::Refusal;

fn cells(csv: &str) -> Cells {
    Cells::read(csv).expect("it is a CSV")
}

#[test]
fn the_first_difference_is_named_by_row_and_column() {
    let golden = cells("metric_id,value\nA,1\nB,\n");
    for (replayed, found) in [
        ("metric_id,value\nA,1\nB,\n", None),
        ("metric_id,value\r\nA,\"1\"\r\nB,", None),
        (
            "metric_id,value\nA,1\nB,0\n",
            Some("row 2, column \"value\" is \"0\", the golden has \"\""),
        ),
        (
            "metric_id,value\nB,\nA,1\n",
            Some("row 1, column \"metric_id\" is \"B\", the golden has \"A\""),
        ),
        ("metric_id,value\nA,1\n", Some("row 2 is missing")),
        (
            "metric_id,value\nA,1\nB,\nC,1\n",
            Some("row 3 is not in the golden"),
        ),
        (
            "metric_id,total\nA,1\nB,\n",
            Some("column 2 is \"total\", the golden has \"value\""),
        ),
        (
            "value,metric_id\n1,A\n,B\n",
            Some("column 1 is \"value\", the golden has \"metric_id\""),
        ),
        ("metric_id\nA\nB\n", Some("it has 1 columns, the golden 2")),
        ("metric_id,value\n", Some("it gave no row")),
    ] {
        let difference = first_difference(&golden, &cells(replayed));
        assert_eq!(difference.as_deref(), found, "{replayed:?}");
    }
    let difference = first_difference(&golden, &Cells::default());
    assert_eq!(difference.as_deref(), Some("it gave no row"));
    assert_eq!((golden.rows(), Cells::default().rows()), (2, 0));
}

fn played(dashboard: &str, semver: &str, verdict: Verdict) -> Played {
    Played {
        dashboard: dashboard.to_owned(),
        file: format!("{dashboard}.csv"),
        sha256: "g".to_owned(),
        semver: semver.to_owned(),
        source: ReplaySource::Sql("SELECT 1".to_owned()),
        source_sha256: None,
        result_sha256: None,
        verdict,
        rows: 1,
        detail: "told".to_owned(),
    }
}

const SEMVERS: [&str; 2] = ["2.4.0", "2.4.1"];

fn both(verdict: Verdict) -> Vec<Played> {
    let pass = Verdict::Pass;
    vec![
        played("leadership", "2.4.0", pass),
        played("leadership", "2.4.1", pass),
        played("partner_annex", "2.4.0", pass),
        played("partner_annex", "2.4.1", verdict),
    ]
}

#[test]
fn a_replay_is_green_when_both_surfaces_are_alike_under_both_releases() {
    let green = replayed(SEMVERS, &both(Verdict::Pass));
    assert_eq!(
        (green.verdict, green.looked_for, &*green.detail),
        (Verdict::Pass, 4, "4 of 4 replays are what was frozen")
    );
    for other in [Verdict::Fail, Verdict::CannotTell] {
        let found = replayed(SEMVERS, &both(other));
        assert_eq!(found.verdict, other);
        assert_eq!(found.missing, ["partner_annex.csv under 2.4.1"]);
        assert_eq!(
            found.detail,
            "3 of 4 replays are what was frozen; partner_annex.csv under 2.4.1: told"
        );
    }
    let mut two = both(Verdict::Fail);
    two[0].verdict = Verdict::CannotTell;
    assert_eq!(replayed(SEMVERS, &two).verdict, Verdict::Fail);
}

#[test]
fn what_was_not_compared_is_never_green() {
    assert_eq!(replayed(SEMVERS, &[]).verdict, Verdict::CannotTell);
    for gone in 0..4 {
        let mut some = both(Verdict::Pass);
        some.remove(gone);
        let found = replayed(SEMVERS, &some);
        assert_eq!(found.verdict, Verdict::CannotTell, "{gone}");
    }
}

fn manifest(goldens: &str) -> Result<Replay, Refusal> {
    let text = format!(
        r#"{{"schema":"govdeck.replay-manifest.v1","migration_id":"m","from_semver":"2.4.0","to_semver":"2.4.1","goldens":[{goldens}]}}"#
    );
    read_replay(text.as_bytes())
}

fn golden(dashboard: &str, file: &str, from: &str, to: &str) -> String {
    let sha256 = "ab".repeat(32);
    format!(
        r#"{{"dashboard":"{dashboard}","file":"{file}","sha256":"{sha256}","from":{from},"to":{to}}}"#
    )
}

#[test]
fn a_manifest_is_read_strictly() {
    const SQL: &str = r#"{"sql":"SELECT 1 AS a"}"#;
    let good = golden("leadership", "g/a.csv", SQL, r#"{"file":"g/b.csv"}"#);
    let read = manifest(&good).expect("it is well-formed");
    let [only] = &*read.goldens else {
        panic!("{read:?}")
    };
    assert_eq!(only.to, ReplaySource::File("g/b.csv".to_owned()));
    assert!(manifest("").expect("none is named").goldens.is_empty());
    for (goldens, why) in [
        (golden("sales", "a.csv", SQL, SQL), "is none of"),
        (
            golden("leadership", "../a.csv", SQL, SQL),
            "leaves its folder",
        ),
        (format!("{good},{good}"), "is there twice"),
        (
            golden("leadership", "a", r#"{"sql":" "}"#, SQL),
            "sql is empty",
        ),
        (
            golden("leadership", "a", r#"{"sql":"SELECT 1; DROP"}"#, SQL),
            "one query",
        ),
        (
            golden("leadership", "a", SQL, r#"{"file":"/etc/passwd"}"#),
            "leaves its folder",
        ),
        (
            golden("leadership", "a", SQL, r#"{"file":"a"}"#),
            "the golden itself",
        ),
        (
            golden("leadership", "a", r#"{"file":"b"}"#, r#"{"file":"b"}"#),
            "both releases name one file",
        ),
        (golden("leadership", "a", "{}", SQL), "malformed"),
        (
            golden("leadership", "a", r#"{"sql":"a","file":"b"}"#, SQL),
            "malformed",
        ),
        (
            r#"{"dashboard":"leadership","dashboard":"leadership"}"#.to_owned(),
            "malformed",
        ),
    ] {
        let refusal = manifest(&goldens).expect_err(&goldens);
        assert!(refusal.sentence.contains(why), "{}", refusal.sentence);
    }
    let refusal = read_replay(
        br#"{"schema":"other","migration_id":"m","from_semver":"1","to_semver":"2","goldens":[]}"#,
    );
    assert!(
        refusal
            .expect_err("another form")
            .sentence
            .contains("schema")
    );
}
