//! The dictionary of the still life: metrics in use and on their way out, joins, questions, and where numbers were seen.

use govdeck::console::detail::{MetricDetail, ReleaseSight};
use govdeck::console::picture::Picture;
use govdeck::rules::Verdict;
use govdeck::rules::bind::Surface;
use govdeck::rules::dictionary::{AggregationRule, EpsilonClass};
use govdeck::rules::faq::FaqStatus;
use govdeck::store::dictionary::{BindProof, BindQuery, DictionaryMetric, FaqRow, Release, Use};
use govdeck::store::window::Window;

use super::still::{at, digest};

fn metric(id: &str, label: &str, class: EpsilonClass, epsilon: &str) -> DictionaryMetric {
    DictionaryMetric {
        metric_id: id.to_owned(),
        definition: "Breaches of the agreed response time, counted once a ticket".to_owned(),
        formula: "count(breach)".to_owned(),
        unit: "breaches".to_owned(),
        aggregation_rule: AggregationRule::Sum,
        epsilon_class: class,
        epsilon_abs: epsilon.to_owned(),
        display_label: label.to_owned(),
        deprecated_after: None,
        dictionary_semver: "2.4.1".to_owned(),
        version: 2,
    }
}

/// The list, in the order of the ids.
pub fn metrics() -> Window<DictionaryMetric> {
    let mut old = metric("MET-0009", "Open tickets", EpsilonClass::Count, "0");
    old.deprecated_after = Some(at("12:00:00"));
    Window {
        rows: vec![
            metric("MET-0144", "Late responses", EpsilonClass::Count, "0"),
            old,
            metric("MET-0171", "Smooth sessions", EpsilonClass::RateBp, "0.5"),
            metric("MET-0202", "Slow latency", EpsilonClass::LatencyMs, "5"),
            metric("MET-0302", "Cost per hour", EpsilonClass::MoneyMinor, "1"),
        ],
        more_before: false,
        more_after: true,
    }
}

/// What the list does not say of the selected one.
pub fn detail() -> MetricDetail {
    let join = |id: &str, surface| BindQuery {
        bind_query_id: id.to_owned(),
        dictionary_semver: "2.4.1".to_owned(),
        surface,
        sql_sha256: digest(id).to_string(),
        active: true,
        registered_by: "lee".to_owned(),
        registered_at_utc: at("01:00:00"),
        version: 1,
    };
    let used = |run: &str, verdict: &str, partner: Option<&str>| Use {
        job_run_id: run.to_owned(),
        tuple_revision_hash: digest(run).to_string(),
        leadership: Some("94".to_owned()),
        partner: partner.map(str::to_owned),
        delta: Some("0".to_owned()),
        verdict: verdict.to_owned(),
    };
    MetricDetail {
        metric_id: "MET-0144".to_owned(),
        joins: vec![
            join("leadership-rollup", Surface::Leadership),
            join("annex-totals", Surface::PartnerAnnex),
        ],
        faq: vec![FaqRow {
            faq_id: "faq-1".to_owned(),
            dictionary_metric_id: "MET-0144".to_owned(),
            question: "When does a response count as late?".to_owned(),
            annex_anchor: "annex.html#met-0144".to_owned(),
            status: FaqStatus::Active,
            edited_by: "ana".to_owned(),
            edited_at_utc: at("01:00:00"),
            version: 1,
        }],
        uses: vec![
            used("sla.20260511t0600z", "PASS", Some("94")),
            used("sla.20260427t0600z", "FAIL", None),
        ],
    }
}

/// The release that holds.
pub fn released() -> ReleaseSight {
    ReleaseSight {
        release: Release {
            dictionary_semver: "2.4.1".to_owned(),
            major: 2,
            minor: 4,
            patch: 1,
            pre: String::new(),
            previous_semver: Some("2.4.0".to_owned()),
            document_sha256: digest("document").to_string(),
            epsilons_sha256: digest("epsilons").to_string(),
            metrics: 22,
            changed: 3,
            released_by: "ana".to_owned(),
            released_at_utc: at("01:00:00"),
            version: 1,
        },
        proof: Some(BindProof {
            proof_id: "p".repeat(32),
            from_semver: "2.4.0".to_owned(),
            to_semver: "2.4.1".to_owned(),
            verdict: Verdict::Pass,
            metrics: 22,
            proof_sha256: digest("proof").to_string(),
            picture_sha256: digest("picture").to_string(),
            made_at_utc: at("01:10:00"),
            version: 1,
        }),
        annex_view: Some("annex-12".to_owned()),
    }
}

/// Puts one text into every column that holds text.
pub fn fill(picture: &mut Picture, text: &str) {
    let set = |place: &mut String| text.clone_into(place);
    for (number, row) in picture.dictionary.rows.iter_mut().enumerate() {
        let DictionaryMetric {
            metric_id,
            definition,
            formula,
            unit,
            aggregation_rule: _,
            epsilon_class: _,
            epsilon_abs,
            display_label,
            deprecated_after: _,
            dictionary_semver,
            version: _,
        } = row;
        *metric_id = format!("{number}{text}");
        for place in [
            definition,
            formula,
            unit,
            epsilon_abs,
            display_label,
            dictionary_semver,
        ] {
            set(place);
        }
    }
    if let Some(MetricDetail {
        metric_id,
        joins,
        faq,
        uses,
    }) = &mut picture.metric
    {
        // The first in the list, which is the one that is selected.
        *metric_id = format!("0{text}");
        for join in joins {
            set(&mut join.bind_query_id);
            set(&mut join.sql_sha256);
        }
        for question in faq {
            set(&mut question.question);
            set(&mut question.annex_anchor);
        }
        for it in uses {
            set(&mut it.job_run_id);
            set(&mut it.verdict);
            it.leadership = Some(text.to_owned());
            it.partner = Some(text.to_owned());
        }
    }
    if let Some(ReleaseSight {
        release,
        proof,
        annex_view,
    }) = &mut picture.released
    {
        set(&mut release.dictionary_semver);
        set(&mut release.released_by);
        if let Some(proof) = proof {
            set(&mut proof.from_semver);
        }
        *annex_view = Some(text.to_owned());
    }
}
