//! Files that are none: sidecars, policies and rows, each refused in its place.

use super::*;

#[test]
fn what_is_no_sidecar_or_no_policy_rejects() {
    let mut week = Week::green();
    week.leadership.sidecar = Some(Ok("{\"side\": \"leadership\",\n \"note\": \"x\"}".into()));
    let wanted = "l.sidecar.json, line 2, column 2: an unknown field \"note\"";
    assert_eq!(week.rejected().to_string(), wanted);

    let policy = |text: &str| {
        let mut week = Week::green();
        week.policy = text.to_owned();
        let reject = week.rejected();
        format!("{}: {reject}", reject.reason)
    };
    for (text, said) in [
        (
            "",
            "epsilon_invalid: policy.json, line 1, column 1: no JSON text",
        ),
        ("{\"epsilon\": ", "epsilon_invalid: policy.json, line 1"),
        (
            "{}",
            "semver_invalid: policy.json, contract_max_semver: is missing",
        ),
        (
            r#"{"contract_max_semver":"1.10","epsilon":{"a":"x"}}"#,
            "semver_invalid: policy.json, contract_max_semver: \"1.10\" is no version",
        ),
        (
            r#"{"contract_max_semver":"2.0.0","epsilon":{"a":"1"}}"#,
            "epsilon_policy_mismatch: policy.json, epsilon_policy_version: is missing",
        ),
        (
            r#"{"contract_max_semver":"2.0.0","epsilon_policy_version":"eps-3"}"#,
            "epsilon_invalid: policy.json, epsilon: is missing",
        ),
        (
            r#"{"contract_max_semver":"2.0.0","epsilon_policy_version":"eps-3","epsilon":{"a":"1","b":0.5}}"#,
            "epsilon_invalid: policy.json, line 1, column 88: an epsilon is a text",
        ),
    ] {
        let found = policy(text);
        assert!(found.starts_with(said), "{text}: {found}");
    }
}

#[test]
fn faults_in_rows_are_found_wherever_they_stand() {
    let large = format!("z,{}\n", "9".repeat(1_000_000));
    for (leadership, partner, said) in [
        (
            "a,1\nb,x\n",
            "c,1\nc,2\n",
            "duplicate_metric: p.csv, line 3, column 1: the metric \"c\" stands twice",
        ),
        (
            "b,1\na,1\nb,1\na,1\n",
            "a,1\n",
            "duplicate_metric: l.csv, line 4, column 1: the metric \"b\" stands twice",
        ),
        (
            "a,1\n\"a\",1\n",
            "a,1\n",
            "duplicate_metric: l.csv, line 3, column 1: the metric \"a\" stands twice",
        ),
        (
            "b,0x1\na,+1\n",
            "a,1\n",
            "value_invalid: l.csv, line 2, column 4: the value \"0x1\" is no plain decimal: something that is no digit",
        ),
        (
            "a,1\n",
            "b,\"1e5\"\na,1\n",
            "value_invalid: p.csv, line 2, column 5: the value \"1e5\" is no plain decimal: an exponent",
        ),
        (
            "a,\n",
            "a,1\n",
            "value_invalid: l.csv, line 2, column 3: the value \"\" is no plain decimal: it is empty",
        ),
        // Nobody else has the metric, and its value counts all the same.
        (
            "a,1\n",
            "a,1\nz,NaN\n",
            "value_invalid: p.csv, line 3, column 3: the value \"NaN\"",
        ),
        (
            "a,1\n",
            "a,1\nb\n",
            "csv_invalid: p.csv, line 3, column 2: a line of 1 cell",
        ),
        (
            "a,1\n",
            &large,
            "csv_invalid: p.csv, line 2, column 3: a cell of more than 65536 bytes",
        ),
        (
            "a\0,1\n",
            "a,1\n",
            "csv_invalid: l.csv, line 2, column 2: a control character U+0000",
        ),
    ] {
        let week = Week::of(leadership, partner, &[("a", "1")]);
        let reject = week.rejected();
        let found = format!("{}: {reject}", reject.reason);
        assert!(
            found.starts_with(said),
            "{leadership:?} {partner:?}: {found}"
        );
    }
    let mut week = Week::green();
    week.leadership.add("c\n");
    week.partner.csv = b"value\n".to_vec();
    assert_eq!(week.rejected().file, "l.csv");
    for (csv, said) in [
        (&b""[..], "line 1, column 1: no header: the file is empty"),
        (
            b"\xef\xbb\xbfmetric_id,value\na,1\n",
            "line 1, column 1: a byte order mark",
        ),
        (
            b"metric_id,value\na,\xff\n",
            "line 2, column 3: invalid UTF-8",
        ),
        (b"\xff\xfem\0e\0", "line 1, column 1: invalid UTF-8"),
    ] {
        let mut week = Week::green();
        week.partner.csv = csv.to_vec();
        let reject = week.rejected();
        assert_eq!(reject.reason, RejectReason::CsvInvalid);
        assert!(
            reject.to_string().starts_with(&format!("p.csv, {said}")),
            "{reject}"
        );
    }
}
