//! What is filed of a run: its receipt, where it came from, and the files that it names.

use super::{Order, Ran};
use crate::actions::{BundleFinding, Prepared};
use crate::clock::Moment;
use crate::rules::bundle::{
    Artifacts, Check, CheckStatus, Declared, DiffSummary, FileDigest, Receipt, scan,
};
use crate::rules::bundle_run::{Told, receipt};
use crate::rules::text;
use crate::store::artifact::{BUNDLE_BASELINE, BUNDLE_DIFF, BUNDLE_PROV, BUNDLE_RECEIPT};
use crate::store::bundle::{Known, Run};

/// How many characters of what a worker says are kept; it may say anything.
const SAID: usize = 300;

/// Packs what was found with its receipt and the files that it names.
pub(super) fn found(
    run: &Run,
    known: &Known,
    order: &Order,
    ran: &Ran,
    finished: Moment,
) -> (BundleFinding, Vec<Prepared>) {
    let mut evidence: Vec<Prepared> = Vec::new();
    let mut outputs = Vec::new();
    let mut file = |kind: (&'static str, &'static str), path: &str, bytes: Vec<u8>| {
        let piece = Prepared::of(kind, bytes);
        let sha256 = piece.artifact.sha256.to_string();
        outputs.push(FileDigest {
            path: path.to_owned(),
            digest: format!("sha256:{sha256}"),
        });
        if !evidence.contains(&piece) {
            evidence.push(piece);
        }
        sha256
    };
    let pre = ran.pre.as_ref();
    let named = order.files.first().map(|file| Declared::read(&file.bytes));
    let artifacts = named.and_then(Result::ok);
    let artifacts = artifacts.map(|declared| declared.declaration.artifacts);
    let path = |of: fn(&Artifacts) -> &str, otherwise| artifacts.as_ref().map_or(otherwise, of);
    let pre_path = path(|it| &it.pre, "baselines/pre.json");
    let post_path = path(|it| &it.post, "baselines/post.json");
    let summary = path(|it| &it.summary, "diffs/summary.json");
    let pre_sha256 = pre.map(|it| file(BUNDLE_BASELINE, pre_path, it.bytes()));
    let post = ran.post.as_ref();
    let post_sha256 = post.map(|it| file(BUNDLE_BASELINE, post_path, it.bytes()));
    let diff = pre.zip(post).map(|(pre, post)| {
        let diff = DiffSummary::between(&run.migration_id, pre, post, &ran.rows);
        file(BUNDLE_DIFF, summary, diff.bytes())
    });
    let detail = ran.detail.as_deref().map(safe);
    let receipt = told(run, known, order, ran, outputs, finished);
    evidence.push(Prepared::of(BUNDLE_RECEIPT, receipt.bytes()));
    evidence.push(Prepared::of(BUNDLE_PROV, receipt.prov()));
    let finding = BundleFinding {
        outcome: ran.outcome,
        detail,
        receipt,
        pre_sha256,
        post_sha256,
        diff_sha256: diff,
    };
    (finding, evidence)
}

fn told(
    run: &Run,
    known: &Known,
    order: &Order,
    ran: &Ran,
    outputs: Vec<FileDigest>,
    finished: Moment,
) -> Receipt {
    let passes = ran.outcome.is_success(run.run_type);
    let status = |passes| {
        if passes {
            CheckStatus::Pass
        } else {
            CheckStatus::Fail
        }
    };
    let mut checks: Vec<Check> = ran.checks.iter().map(safe_check).collect();
    checks.push(Check {
        name: "outcome".to_owned(),
        status: status(passes),
        detail: Some(ran.outcome.to_string()),
    });
    let inputs = order.files.iter().map(|file| FileDigest {
        path: file.path.clone(),
        digest: format!("sha256:{}", crate::canon::Digest::of(&file.bytes)),
    });
    let reference = known.bundle.approval_reference.as_deref();
    let decided = run.approval_id.as_deref().or(run.undoes_run_id.as_deref());
    receipt(Told {
        run_id: &run.run_id,
        run_type: run.run_type,
        migration_id: &run.migration_id,
        tier: run.environment,
        principal: &run.claimed_by,
        role: "claimant",
        plan_hash: run.plan_hash.as_deref(),
        decision: decided.or(reference).unwrap_or("none"),
        inputs: inputs.collect(),
        outputs,
        status: status(passes),
        checks,
        started: run.claimed_at_utc,
        finished,
    })
}

fn safe_check(check: &Check) -> Check {
    Check {
        name: safe(&check.name),
        status: check.status,
        detail: check.detail.as_deref().map(safe),
    }
}

/// Makes one short line of what a worker or a store says.
fn safe(said: &str) -> String {
    let line: Vec<&str> = said.split_whitespace().collect();
    let line = line.join(" ");
    if scan(line.as_bytes()).is_empty() {
        text::shorten(&text::scrub(&line), SAID).into_owned()
    } else {
        "withheld: it looks like a secret".to_owned()
    }
}
