//! Proofs of what jobs looked at: the exports that landed, the replay of what was frozen, and the questions.

use crate::rules::migration::Gate;
use crate::store::migration::ExporterFingerprint;

use super::super::migration_sight::{Looked, Looks};
use super::super::model::Model;
use super::super::reading::spoken;
use super::super::theme::Token;
use super::{Lines, MOST, hash, row, rule, verdict};

pub(super) fn of_exports(model: &Model, fingerprints: &[ExporterFingerprint]) -> Lines {
    let mut lines = Vec::new();
    for it in fingerprints.iter().take(MOST) {
        let (token, word) = spoken(it.verdict);
        lines.extend([
            verdict(token, format!("exports in {}: {word}", it.folder)),
            rule(
                "every key is allowed in the phase, and the halves of each pair that it wants are there",
            ),
            row(format!(
                "{}, in {} ({})",
                it.detail,
                it.phase,
                model.date_and_clock(it.observed_at_utc)
            )),
            hash("allow-list", it.allowlist_sha256.as_deref()),
            hash("key sets", it.keysets_sha256.as_deref()),
            hash("evidence", Some(&it.evidence_sha256)),
        ]);
    }
    lines
}

/// Proves what was looked at; what a gate before the next phase rests on is told as the gate's.
pub(super) fn of_looks(model: &Model, looks: &Looks, gates: &[Gate]) -> Lines {
    let mut lines = of_exports(model, &looks.fingerprints);
    lines.extend(
        looks
            .replay
            .iter()
            .flat_map(|it| of_replay(model, looks, it)),
    );
    let faq = looks.faq.iter().filter(|_| !gates.contains(&Gate::Faq));
    lines.extend(faq.flat_map(|it| {
        let (token, word) = spoken(it.report.verdict);
        let mut lines = vec![
            verdict(token, format!("the FAQ probe: {word}")),
            rule(Gate::Faq.meaning()),
        ];
        lines.extend(of_evidence(model, it));
        lines
    }));
    lines
}

fn of_replay(model: &Model, looks: &Looks, look: &Looked) -> Lines {
    let mut lines = Vec::new();
    let compared = looks.replayed.as_ref();
    for (semver, worst) in looks.of_each_release() {
        let (token, word) = spoken(worst);
        lines.push(verdict(token, format!("the replay under {semver}: {word}")));
        lines.push(rule("every golden comes out cell by cell as it was frozen"));
        let all = compared.iter().flat_map(|it| &it.replays);
        for golden in all.filter(|it| it.semver == semver).take(MOST) {
            let said = format!("{} {}: {}", golden.verdict, golden.file, golden.detail);
            lines.push(row(said));
            lines.push(hash("golden", Some(&golden.sha256)));
            let result = golden.result_sha256.as_deref();
            lines.push(hash("what came out", result));
        }
    }
    if compared.is_none() {
        let gone = "what the replay compared is not there as it was filed: cannot tell";
        lines.push(verdict(Token::StatusUnknown, gone));
    }
    let manifest = compared.map(|it| &*it.manifest_sha256);
    lines.push(hash("manifest", manifest));
    lines.extend(of_evidence(model, look));
    lines
}

fn of_evidence(model: &Model, look: &Looked) -> Lines {
    let evidence = &look.evidence;
    vec![
        row(format!(
            "{} ({})",
            look.report.found,
            model.date_and_clock(evidence.observed_at_utc)
        )),
        hash("evidence", Some(&evidence.evidence_sha256)),
    ]
}
