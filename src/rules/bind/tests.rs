use super::*;

fn ran(id: &str, rows: &[(&str, i64)]) -> Ran {
    let rows = rows.iter().map(|(metric, rows)| ((*metric).into(), *rows));
    Ran {
        bind_query_id: id.into(),
        sql_sha256: "ab".repeat(32),
        rows: Ok(rows.collect()),
    }
}

fn failed(id: &str) -> Ran {
    Ran {
        rows: Err("no such column".into()),
        ..ran(id, &[])
    }
}

fn bound(surface: Surface, before: Vec<Ran>, after: Vec<Ran>) -> Bound {
    Bound {
        surface,
        before,
        after,
    }
}

/// Two surfaces of which the partners' are sound.
fn proof_of(before: Vec<Ran>, after: Vec<Ran>) -> Proof {
    let sound = || vec![ran("annex", &[("A", 1), ("B", 2)])];
    prove(
        "2.4.0",
        "2.4.1",
        vec![
            bound(Surface::Leadership, before, after),
            bound(Surface::PartnerAnnex, sound(), sound()),
        ],
        &["A", "B", "C"].map(str::to_owned).into(),
    )
}

fn reasons(proof: &Proof) -> Vec<&'static str> {
    let found = proof.findings.iter();
    found.map(|found| found.reason.word()).collect()
}

#[test]
fn the_same_metrics_as_often_as_before_pass() {
    let rows = [("A", 3), ("B", 1)];
    let proof = proof_of(vec![ran("lead", &rows)], vec![ran("lead", &rows)]);
    assert_eq!((proof.verdict, reasons(&proof)), (Verdict::Pass, vec![]));
    let metrics: Vec<_> = proof.metrics.iter().map(String::as_str).collect();
    assert_eq!(metrics, ["A", "B"]);
}

#[test]
fn joins_of_one_surface_count_together() {
    let halves = vec![ran("one", &[("A", 2)]), ran("two", &[("A", 1), ("B", 1)])];
    let proof = proof_of(halves, vec![ran("lead", &[("A", 3), ("B", 1)])]);
    assert_eq!(proof.verdict, Verdict::Pass);
}

#[test]
fn every_fault_is_found() {
    type Case = (Vec<Ran>, Vec<Ran>, &'static [&'static str], Verdict);
    use Verdict::{CannotTell, Fail};
    let sound = || vec![ran("lead", &[("A", 1), ("B", 1)])];
    let cases: [Case; 9] = [
        (vec![], sound(), &["query_missing"], CannotTell),
        (sound(), vec![], &["query_missing"], CannotTell),
        (sound(), vec![failed("lead")], &["query_failed"], CannotTell),
        (
            sound(),
            vec![ran("lead", &[])],
            &[
                "no_rows",
                "metric_vanished",
                "metric_vanished",
                "only_partner_annex",
                "only_partner_annex",
            ],
            Fail,
        ),
        (
            sound(),
            vec![ran("lead", &[("A", 1)])],
            &["metric_vanished", "only_partner_annex"],
            Fail,
        ),
        (
            sound(),
            vec![ran("lead", &[("A", 1), ("B", 1), ("C", 1)])],
            &["metric_appeared", "only_leadership"],
            Fail,
        ),
        (
            sound(),
            vec![ran("lead", &[("A", 1), ("B", 2)])],
            &["row_count_differs"],
            Fail,
        ),
        (
            vec![ran("lead", &[("A", 1), ("B", 1), ("X", 1)])],
            vec![ran("lead", &[("A", 1), ("B", 1), ("X", 1)])],
            &["metric_unknown", "metric_unknown", "only_leadership"],
            Fail,
        ),
        (
            sound(),
            vec![ran("lead", &[("A", 1), ("B", 1), ("", 4)])],
            &["metric_null"],
            Fail,
        ),
    ];
    for (before, after, expected, verdict) in cases {
        let proof = proof_of(before, after);
        assert_eq!(reasons(&proof), expected);
        assert_eq!(proof.verdict, verdict, "{expected:?}");
    }
}

#[test]
fn nothing_is_proved_without_both_surfaces_or_without_a_metric() {
    let known = BTreeSet::from(["A".to_owned()]);
    let rows = || vec![ran("lead", &[("A", 1)])];
    let one = bound(Surface::Leadership, rows(), rows());
    for surfaces in [vec![], vec![one]] {
        assert_eq!(
            prove("1.0.0", "1.1.0", surfaces, &known).verdict,
            Verdict::CannotTell
        );
    }
}

#[test]
fn a_join_is_one_query() {
    assert_eq!(
        query(" SELECT metric_id FROM a; ").ok(),
        Some("SELECT metric_id FROM a")
    );
    for bad in ["", " ; ", "SELECT 1; DROP TABLE x", &"x".repeat(65_537)] {
        assert!(query(bad).is_err(), "{bad:.20}");
    }
}

#[test]
fn picture_and_page_show_hostile_names_as_text() {
    let hostile = "<script>\u{202e}\"&";
    let rows = [("A", 3), (hostile, 1)];
    let proof = proof_of(vec![ran(hostile, &rows)], vec![ran(hostile, &rows)]);
    for shown in [picture(&proof), page(&proof)] {
        assert!(!shown.contains("<script>") && !shown.contains('\u{202e}'));
        assert!(shown.contains("&lt;script&gt;") && shown.contains(">A<"));
    }
    assert!(page(&proof).contains("<svg"), "the picture is in the page");
}

#[test]
fn a_picture_of_many_metrics_stays_on_one_page_and_shows_what_is_wrong() {
    let many: Vec<(String, i64)> = (0..500).map(|n| (format!("MET-{n:04}"), 1)).collect();
    let all: Vec<(&str, i64)> = many.iter().map(|(id, n)| (&**id, *n)).collect();
    let mut changed = all.clone();
    changed[499].1 = 2;
    let annex = || vec![ran("annex", &all)];
    let proof = prove(
        "2.4.0",
        "2.4.1",
        vec![
            bound(
                Surface::Leadership,
                vec![ran("lead", &all)],
                vec![ran("lead", &changed)],
            ),
            bound(Surface::PartnerAnnex, annex(), annex()),
        ],
        &many.iter().map(|(id, _)| id.clone()).collect(),
    );
    let drawn = picture(&proof);
    assert!(drawn.contains("MET-0499"), "what is wrong comes first");
    assert!(drawn.contains("more metrics"));
    assert!(drawn.len() < 60_000, "{}", drawn.len());
}
