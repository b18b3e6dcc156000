use super::*;

const TUPLE: &str = "abababababababababababababababababababababababababababababababab";

fn cited(value: &str) -> Cited {
    let cites = Citation::new("MET-0144", TUPLE).expect("a citation");
    Cited::new(value, cites).expect("a number")
}

fn sample() -> Readback {
    Readback {
        schema: SCHEMA,
        week: "2026-W21".into(),
        made_at_utc: "2026-05-25T07:00:00Z".parse().expect("a moment"),
        runs: vec![RunLine {
            series: "sla".into(),
            job_run_id: "sla.20260525t0600z".into(),
            status: RunStatus::Pass,
            artifact_uri: Some(format!("sha256:{TUPLE}")),
            signers: vec!["maya (signed)".into()],
        }],
        without_window: Vec::new(),
        headlines: vec![Headline {
            label: "Breaches".into(),
            definition: "Breaches of the agreed time".into(),
            unit: "count".into(),
            leadership: Some(cited("94")),
            partner: Some(cited("94")),
            agree: Verdict::Pass,
        }],
        carve_outs: vec![CarveOut {
            bypass_audit_id: "BYP-9".into(),
            parent_freeze_id: "FZ-31".into(),
            job_run_id: "sla.20260525t0600z".into(),
            blast_radius: Some("one hotfix week".into()),
        }],
        annexes: vec![AnnexLine {
            annex_id: "AX-1".into(),
            publish_run_id: "pub-7".into(),
            reason: "a partner's deadline".into(),
            by: "maya and lee".into(),
            expires_at_utc: "2026-05-26T07:00:00Z".parse().expect("a moment"),
        }],
        addenda: vec!["numbers had reached partners".into()],
        notices: vec!["mig-2026-05-14 was rolled back from 2.4.1 to 2.4.0".into()],
        faq: vec![FaqStub {
            question: "Why 94?".into(),
            metric_id: "MET-0144".into(),
            annex_anchor: "annex.html#met-0144".into(),
        }],
        footer: Footer {
            footer_schema_semver: Some("1.3.0".into()),
            dictionary_semver: Some("2.4.0".into()),
            annex_view_version: Some("annex-12".into()),
            migration_banner_id: Some("mig-2026-05-14".into()),
        },
    }
}

#[test]
fn a_number_is_only_had_with_its_citation() {
    assert!(Citation::new("", TUPLE).is_err());
    for hash in ["", "ab", &TUPLE.to_uppercase(), &TUPLE[1..]] {
        assert!(Citation::new("MET-0144", hash).is_err(), "{hash}");
    }
    for value in ["", "94 %", "1e3", "NaN", "<b>"] {
        let cites = Citation::new("MET-0144", TUPLE).expect("a citation");
        assert!(Cited::new(value, cites).is_err(), "{value}");
    }
    let command = format!("govdeck cite {TUPLE} MET-0144");
    assert_eq!(cited("94").cites().command(), command);
}

#[test]
fn both_forms_carry_everything_that_is_demanded() {
    let readback = sample();
    for page in [markdown(&readback), html(&readback)] {
        let page = page.replace('\\', "");
        for said in [
            "2026-W21",
            "mig-2026-05-14 was rolled back from 2.4.1 to 2.4.0",
            "Breaches",
            "94",
            &format!("(MET-0144, {TUPLE})"),
            "BYP-9",
            "FZ-31",
            "one hotfix week",
            "AX-1",
            "numbers had reached partners",
            "annex.html#met-0144",
            "footer_schema_semver",
            "1.3.0",
            "dictionary_semver",
            "2.4.0",
            "annex_view_version",
            "annex-12",
            "mig-2026-05-14",
            "maya (signed)",
        ] {
            assert!(page.contains(said), "{said} is missing in {page}");
        }
    }
    let outside = html(&readback);
    assert!(!outside.contains("src=") && !outside.contains("http"));
}

#[test]
fn how_far_numbers_can_be_relied_on_is_said_fail_closed() {
    type Edit = fn(&mut Readback);
    let cases: [(Edit, Verdict); 10] = [
        (|_| {}, Verdict::Pass),
        (|it| it.runs.clear(), Verdict::CannotTell),
        (|it| it.headlines.clear(), Verdict::CannotTell),
        (
            |it| it.carve_outs[0].blast_radius = None,
            Verdict::CannotTell,
        ),
        (
            |it| it.footer.annex_view_version = None,
            Verdict::CannotTell,
        ),
        (
            |it| it.without_window.push("sla".into()),
            Verdict::CannotTell,
        ),
        (
            |it| it.headlines[0].agree = Verdict::CannotTell,
            Verdict::CannotTell,
        ),
        (|it| it.headlines[0].agree = Verdict::Fail, Verdict::Fail),
        (|it| it.runs[0].status = RunStatus::Missed, Verdict::Fail),
        (
            |it| it.runs[0].status = RunStatus::Running,
            Verdict::CannotTell,
        ),
    ];
    for (edit, verdict) in cases {
        let mut readback = sample();
        edit(&mut readback);
        assert_eq!(readback.verdict(), verdict);
        let said = readback.standing();
        assert_eq!(said.starts_with("reconciled"), verdict == Verdict::Pass);
        assert!(markdown(&readback).contains(&said));
    }
}

#[test]
fn hostile_text_is_text_on_every_page() {
    let hostile = "</style><script>alert(1)</script>[x](javascript:y) https://evil.example www.evil.example\u{202e}\n# h";
    let mut readback = sample();
    readback.week = hostile.into();
    readback.runs[0].series = hostile.into();
    readback.runs[0].signers = vec![hostile.into()];
    readback.headlines[0].label = hostile.into();
    readback.headlines[0].unit = hostile.into();
    readback.headlines[0].definition = hostile.into();
    readback.carve_outs[0].blast_radius = Some(hostile.into());
    readback.without_window = vec![hostile.into()];
    readback.annexes[0].by = hostile.into();
    readback.annexes[0].reason = hostile.into();
    readback.addenda[0] = hostile.into();
    readback.notices[0] = hostile.into();
    readback.faq[0].question = hostile.into();
    readback.faq[0].annex_anchor = hostile.into();
    readback.footer.dictionary_semver = Some(hostile.into());
    let page = html(&readback);
    assert!(!page.contains("<script") && !page.contains("href=\"javascript"));
    let text = markdown(&readback);
    assert!(
        !text.contains("](javascript") && !text.contains("<script"),
        "{text}"
    );
    for page in [page, text] {
        assert!(!page.contains('\u{202e}') && !page.contains("\n# h"));
    }
}
