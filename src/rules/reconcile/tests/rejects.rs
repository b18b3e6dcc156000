//! Every reason for a rejection, where it is found, and which of two is told.

use super::*;

/// Spoils a week in one way.
type Spoil = fn(&mut Week);

/// One way for each reason, none of which undoes another.
const SPOILT: [(RejectReason, Spoil); 15] = [
    (RejectReason::SidecarMissing, |week| {
        week.partner.sidecar = Some(Err("No such file"));
    }),
    (RejectReason::IngestHashMismatch, |week| {
        let other = sha256_text(Digest::of(b"other"));
        week.leadership.set("ingest_hash", &other);
    }),
    (RejectReason::SemverInvalid, |week| {
        week.partner.set("footer_schema_semver", "1.10");
    }),
    (RejectReason::WindowTzPolicy, |week| {
        week.partner.set("window_tz_policy", "Europe/Berlin");
    }),
    (RejectReason::WindowInvalid, |week| {
        week.leadership.set("end_exclusive", "2026-05-11T00:00:00Z");
    }),
    (RejectReason::WindowMismatch, |week| {
        week.partner.set("start_inclusive", "2026-05-10T00:00:00Z");
    }),
    (RejectReason::TupleRevisionMismatch, |week| {
        week.partner.set("tuple_revision_hash", "rev-18");
    }),
    (RejectReason::DictionarySemverMismatch, |week| {
        week.partner.set("dictionary_semver", "v2.5.0");
    }),
    (RejectReason::EpsilonPolicyMismatch, |week| {
        week.policy = week.policy.replace("eps-3", "eps-4");
    }),
    (RejectReason::FooterSchemaTooNew, |week| {
        week.leadership.set("footer_schema_semver", "1.11.0");
    }),
    (RejectReason::EpsilonInvalid, |week| {
        week.policy = week.policy.replace("\"0.5\"", "\"-0.5\"");
    }),
    (RejectReason::CsvInvalid, |week| {
        week.leadership.add("\"z,1\n");
    }),
    (RejectReason::DuplicateMetric, |week| {
        week.partner.add("y,1\nx,1\ny,1\n");
    }),
    (RejectReason::ValueInvalid, |week| {
        week.partner.csv = b"metric_id,value\nw,1e5\n".to_vec();
    }),
    (RejectReason::NoMetrics, |week| {
        week.leadership.csv = b"metric_id,value\n".to_vec();
        week.partner.csv = b"metric_id,value\r\n".to_vec();
    }),
];

#[test]
fn every_reason_is_hit_and_they_stand_in_their_order() {
    let told: Vec<_> = SPOILT.iter().map(|(reason, _)| *reason).collect();
    assert_eq!(told, RejectReason::ALL);
    assert_eq!(Week::green().compared().verdict(), RunVerdict::Pass);
    for (reason, spoil) in SPOILT {
        let mut week = Week::green();
        spoil(&mut week);
        assert_eq!(week.rejected().reason, reason);
    }
}

#[test]
fn of_two_faults_the_earlier_reason_is_told() {
    for (place, (later, spoil)) in SPOILT.iter().enumerate() {
        for (earlier, spoil_first) in &SPOILT[..place] {
            let mut week = Week::green();
            spoil(&mut week);
            spoil_first(&mut week);
            assert_eq!(week.rejected().reason, *earlier, "{earlier} before {later}");
        }
    }
}

/// Spoils a field of leadership or the partner and returns the rejection.
fn with(party: Party, field: &'static str, said: &str) -> String {
    let mut week = Week::green();
    let half = match party {
        Party::Leadership => &mut week.leadership,
        Party::Partner => &mut week.partner,
    };
    half.set(field, said);
    let reject = week.rejected();
    format!("{}: {reject}", reject.reason)
}

/// A field, what the partner says in it, and the rejection's beginning.
const SPOILT_FIELDS: &[(&str, &str, &str)] = &[
    (
        "side",
        "leadership",
        "sidecar_missing: p.sidecar.json, side: is \"leadership\", not partner",
    ),
    (
        "side",
        "",
        "sidecar_missing: p.sidecar.json, side: is missing",
    ),
    (
        "bypass_audit_id",
        "",
        "sidecar_missing: p.sidecar.json, bypass_audit_id: is empty",
    ),
    (
        "ingest_hash",
        "",
        "ingest_hash_mismatch: p.sidecar.json, ingest_hash: is missing",
    ),
    (
        "dictionary_semver",
        "2.4",
        "semver_invalid: p.sidecar.json, dictionary_semver: \"2.4\" is no version",
    ),
    (
        "dictionary_semver",
        "vv2.4.0",
        "semver_invalid: p.sidecar.json, dictionary_semver: \"vv2.4.0\"",
    ),
    (
        "footer_schema_semver",
        "",
        "semver_invalid: p.sidecar.json, footer_schema_semver: is missing",
    ),
    (
        "window_tz_policy",
        "utc",
        "window_tz_policy: p.sidecar.json, window_tz_policy: is \"utc\", not \"UTC\"",
    ),
    (
        "window_tz_policy",
        "",
        "window_tz_policy: p.sidecar.json, window_tz_policy: is missing",
    ),
    (
        "start_inclusive",
        "",
        "window_invalid: p.sidecar.json, start_inclusive: is missing",
    ),
    (
        "start_inclusive",
        "2026-05-11",
        "window_invalid: p.sidecar.json, start_inclusive: is not an RFC 3339 time",
    ),
    (
        "start_inclusive",
        "2026-05-11T00:00:00+00:00",
        "window_invalid: p.sidecar.json, start_inclusive: is not",
    ),
    (
        "start_inclusive",
        "2026-05-11 00:00:00Z",
        "window_invalid: p.sidecar.json, start_inclusive: is not",
    ),
    (
        "start_inclusive",
        "2026-05-11T 0:00:00Z",
        "window_invalid: p.sidecar.json, start_inclusive: is not",
    ),
    (
        "end_exclusive",
        "2026-02-30T00:00:00Z",
        "window_invalid: p.sidecar.json, end_exclusive: is not",
    ),
    (
        "end_exclusive",
        "2026-05-10T00:00:00Z",
        "window_invalid: p.sidecar.json, end_exclusive: is 2026-05-10T00:00:00.000000Z, not after",
    ),
    // The same moment in other bytes is another window.
    (
        "start_inclusive",
        "2026-05-11T00:00:00.0Z",
        "window_mismatch: p.sidecar.json, start_inclusive: is \"2026-05-11T00:00:00.0Z\", and \"2026-05-11T00:00:00Z\" for leadership",
    ),
    (
        "end_exclusive",
        "2026-05-19T00:00:00Z",
        "window_mismatch: p.sidecar.json, end_exclusive: is",
    ),
    (
        "tuple_revision_hash",
        "",
        "tuple_revision_mismatch: p.sidecar.json, tuple_revision_hash: is missing",
    ),
    (
        "tuple_revision_hash",
        "REV-17",
        "tuple_revision_mismatch: p.sidecar.json, tuple_revision_hash: is \"REV-17\", and \"rev-17\" for leadership",
    ),
    (
        "dictionary_semver",
        "2.4.1",
        "dictionary_semver_mismatch: p.sidecar.json, dictionary_semver: is 2.4.1, and leadership follows 2.4.0",
    ),
    (
        "epsilon_policy_version",
        "",
        "epsilon_policy_mismatch: p.sidecar.json, epsilon_policy_version: is missing",
    ),
    (
        "epsilon_policy_version",
        "eps-2",
        "epsilon_policy_mismatch: p.sidecar.json, epsilon_policy_version: is \"eps-2\", and \"eps-3\" for leadership",
    ),
    (
        "footer_schema_semver",
        "1.11.0-rc.1",
        "footer_schema_too_new: p.sidecar.json, footer_schema_semver: is 1.11.0-rc.1, newer than 1.10.0",
    ),
    (
        "footer_schema_semver",
        "v1.100.0",
        "footer_schema_too_new: p.sidecar.json, footer_schema_semver: is 1.100.0",
    ),
];

#[test]
fn a_fault_in_a_field_names_file_and_field() {
    for (field, said, wanted) in SPOILT_FIELDS {
        let rejected = with(Party::Partner, field, said);
        let (reason, _) = wanted.split_once(':').expect("a reason");
        assert!(rejected.starts_with(wanted), "{field} {said:?}: {rejected}");
        let said = said.replace("leadership", "partner");
        let of_leadership = with(Party::Leadership, field, &said);
        assert!(
            of_leadership.starts_with(reason),
            "{field} {said:?}: {of_leadership}"
        );
    }
}

#[test]
fn rows_that_hash_otherwise_are_rejected_with_both_hashes() {
    let zeros = format!("sha256:{}", "0".repeat(64));
    let found = sha256_text(Digest::of(b"metric_id,value\na,1\nb,2\n"));
    let wanted = "ingest_hash_mismatch: p.sidecar.json, ingest_hash: is";
    for said in [
        zeros.as_str(),
        &found[7..],
        &found.to_uppercase(),
        "sha256:",
    ] {
        let rejected = with(Party::Partner, "ingest_hash", said);
        assert!(rejected.starts_with(wanted), "{rejected}");
        assert!(rejected.ends_with(&found), "{rejected}");
    }
    let rejected = with(Party::Partner, "ingest_hash", &zeros);
    assert!(rejected.contains(&zeros), "{rejected}");
}

#[test]
fn versions_are_compared_as_versions() {
    for (field, said) in [
        ("dictionary_semver", "2.4.0"),
        ("dictionary_semver", "2.4.0+build.7"),
        ("footer_schema_semver", "v1.9.9"),
        ("footer_schema_semver", "1.10.0+later"),
        ("footer_schema_semver", "1.10.0-rc.1"),
    ] {
        let mut week = Week::green();
        week.partner.set(field, said);
        assert_eq!(
            week.compared().verdict(),
            RunVerdict::Pass,
            "{field} {said}"
        );
    }
}

#[test]
fn a_silent_field_is_a_missing_one() {
    for (field, reason) in [
        ("side", RejectReason::SidecarMissing),
        ("window_tz_policy", RejectReason::WindowTzPolicy),
        ("start_inclusive", RejectReason::WindowInvalid),
        ("end_exclusive", RejectReason::WindowInvalid),
        ("tuple_revision_hash", RejectReason::TupleRevisionMismatch),
        ("dictionary_semver", RejectReason::SemverInvalid),
        ("footer_schema_semver", RejectReason::SemverInvalid),
        (
            "epsilon_policy_version",
            RejectReason::EpsilonPolicyMismatch,
        ),
    ] {
        // On both sides, so that they would agree.
        let mut week = Week::green();
        week.leadership.fields.remove(field);
        week.partner.fields.remove(field);
        let reject = week.rejected();
        assert_eq!(
            (reject.reason, reject.file.as_str()),
            (reason, "l.sidecar.json")
        );
        assert_eq!(reject.fault, Fault::of_field(field, "is missing"));
    }
    let mut week = Week::green();
    week.leadership.sidecar = Some(Ok("{}".into()));
    assert_eq!(week.rejected().reason, RejectReason::SidecarMissing);
}
