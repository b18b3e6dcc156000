//! A week that passes, and ways to spoil it.

mod files;
mod metrics;
mod rejects;

use std::collections::BTreeMap;

use super::*;
use crate::canon::Digest;

/// One side as a test describes it.
#[derive(Clone)]
struct Half {
    csv: Vec<u8>,
    rows: Rows,
    fields: BTreeMap<&'static str, String>,
    /// Sidecars that are not what the fields say.
    sidecar: Option<Result<String, &'static str>>,
}

impl Half {
    fn of(party: Party, csv: &str) -> Self {
        let fields = [
            ("side", party.word()),
            ("window_tz_policy", "UTC"),
            ("start_inclusive", "2026-05-11T00:00:00Z"),
            ("end_exclusive", "2026-05-18T00:00:00Z"),
            ("tuple_revision_hash", "rev-17"),
            ("dictionary_semver", "v2.4.0"),
            ("footer_schema_semver", "1.10.0"),
            ("epsilon_policy_version", "eps-3"),
        ];
        Self {
            csv: csv.as_bytes().to_vec(),
            rows: Rows::Csv {
                further: Vec::new(),
            },
            fields: fields.map(|(name, said)| (name, said.to_owned())).into(),
            sidecar: None,
        }
    }

    fn set(&mut self, field: &'static str, said: &str) {
        self.fields.insert(field, said.to_owned());
    }

    fn add(&mut self, rows: &str) {
        self.csv.extend_from_slice(rows.as_bytes());
    }

    fn given(self, name: &str) -> Given {
        let mut fields = self.fields;
        let hash = sha256_text(Digest::of(&self.csv));
        fields.entry("ingest_hash").or_insert(hash);
        let own = || serde_json::to_string(&fields).expect("texts");
        let sidecar = match self.sidecar {
            Some(Err(why)) => Err(Fault::whole(why)),
            Some(Ok(text)) => Sidecar::read(text.as_bytes()),
            None => Sidecar::read(own().as_bytes()),
        };
        Given {
            file: format!("{name}.csv"),
            bytes: self.csv,
            hashed: None,
            rows: self.rows,
            sidecar_file: format!("{name}.sidecar.json"),
            sidecar,
        }
    }
}

/// A week as a test describes it.
#[derive(Clone)]
struct Week {
    leadership: Half,
    partner: Half,
    policy: String,
}

impl Week {
    /// A week of these rows, `metric,value` each, and these epsilons.
    fn of(leadership: &str, partner: &str, epsilons: &[(&str, &str)]) -> Self {
        let csv = |rows: &str| format!("metric_id,value\n{rows}");
        let epsilons: BTreeMap<_, _> = epsilons.iter().copied().collect();
        let policy = serde_json::json!({
            "epsilon_policy_version": "eps-3", "contract_max_semver": "v1.10.0", "epsilon": epsilons,
        });
        Self {
            leadership: Half::of(Party::Leadership, &csv(leadership)),
            partner: Half::of(Party::Partner, &csv(partner)),
            policy: policy.to_string(),
        }
    }

    /// A week that passes.
    fn green() -> Self {
        Self::of("a,1\nb,2.50\n", "a,1\nb,2\n", &[("a", "0"), ("b", "0.5")])
    }

    fn judge(self) -> Result<Comparison, Reject> {
        let policy = Policy::read(self.policy.as_bytes());
        judge(
            self.leadership.given("l"),
            self.partner.given("p"),
            policy,
            "policy.json",
            3,
        )
    }

    fn compared(self) -> Comparison {
        self.judge().unwrap_or_else(|reject| panic!("{reject}"))
    }

    fn rejected(self) -> Reject {
        self.judge().expect_err("it is rejected")
    }
}

/// Writes each metric in a line: id, both values, epsilon, delta, reason.
fn told(comparison: &Comparison) -> Vec<String> {
    let mut walk = comparison.walk().expect("it was walked before");
    let mut lines = Vec::new();
    while let Some(outcome) = walk.next_outcome().expect("it was walked before") {
        assert_eq!(outcome.verdict(), MetricReason::verdict(outcome.reason));
        let or_none = |text: Option<&str>| text.unwrap_or("-").to_owned();
        lines.push(format!(
            "{} {} {} {} {} {}",
            outcome.metric_id,
            or_none(outcome.leadership.as_deref()),
            or_none(outcome.partner.as_deref()),
            or_none(outcome.epsilon),
            or_none(outcome.delta.map(|delta| delta.to_string()).as_deref()),
            or_none(outcome.reason.map(MetricReason::word)),
        ));
    }
    lines
}
