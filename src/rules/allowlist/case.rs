//! The whole case: an allow-list, the hash that is filed of it, and two exports, in order of precedence.

use super::findings::{Finding, Judgement};
use super::{Differences, Pair, Phase, Policy, Rule, allowlist_sha256, judge_keys, lint};
use crate::canon::{Digest, ExportKeys, JsonError, NoKeys, Reason, Texts};
use crate::rules::reconcile::quoted;
use crate::rules::text;

/// How many characters of what is filed as a hash a finding shows.
const SHOWN: usize = 80;

/// How many keys a finding about a declaration names.
const NAMED: usize = 5;

/// An allow-list as it was read.
#[derive(Debug, Clone)]
pub struct Artifact {
    /// What it says.
    pub policy: Result<Policy, JsonError>,
    /// The hash of its canonical form; none when it has no such form.
    pub sha256: Option<Digest>,
}

impl Artifact {
    /// Reads the document of an allow-list.
    #[must_use]
    pub fn read(document: &[u8]) -> Self {
        match allowlist_sha256(document) {
            Ok(sha256) => Self {
                policy: Policy::read(document),
                sha256: Some(sha256),
            },
            Err(error) => Self {
                policy: Err(error),
                sha256: None,
            },
        }
    }
}

/// How the inputs are called in findings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// The allow-list.
    pub artifact: String,
    /// The hash that is filed of it.
    pub sha256: String,
    /// The export from before.
    pub golden: String,
    /// The export that is judged.
    pub sample: String,
}

/// Everything that a verdict rests on.
#[derive(Debug, Clone)]
pub struct Case {
    /// The names of the inputs.
    pub files: Files,
    /// The allow-list.
    pub artifact: Artifact,
    /// The hash that is filed of it, or what is filed instead.
    pub filed: Result<Digest, String>,
    /// The phase that is asked about.
    pub phase: Phase,
    /// The keys of the export from before.
    pub golden: Result<ExportKeys, NoKeys>,
    /// The keys of the export that is judged.
    pub sample: Result<ExportKeys, NoKeys>,
    /// The pairs that are known.
    pub pairs: Vec<Pair>,
}

/// Reads a filed hash: one line, whose first word is the hash, as `sha256sum` writes it.
pub fn filed_sha256(bytes: &[u8]) -> Result<Digest, String> {
    let told = |what: &str| format!("has no hash: {what}");
    let text = std::str::from_utf8(bytes).map_err(|_| told("it is not UTF-8"))?;
    let mut lines = text.lines();
    let line = lines.next().unwrap_or_default();
    if lines.next().is_some() {
        return Err(told("it has more than one line"));
    }
    let word = line.split([' ', '\t']).next().unwrap_or_default();
    word.parse().map_err(|error| {
        let found = format!("{:?}", text::shorten(word, SHOWN));
        told(&format!("{found} is {error}"))
    })
}

/// Judges a case. What can be established is; the keys are judged by the allow-list of the phase that was asked about only.
#[must_use]
pub fn judge(case: Case) -> Judgement {
    let Case {
        files,
        artifact,
        filed,
        phase,
        golden,
        sample,
        pairs,
    } = case;
    let mut whole = Vec::new();
    whole.extend(of_the_hash(&artifact, filed, &files));
    let exports = [
        (golden, Rule::GoldenInvalid, &files.golden),
        (sample, Rule::SampleInvalid, &files.sample),
    ];
    let [golden, sample] = exports.map(|(keys, rule, file)| match keys {
        Ok(keys) => Some(keys),
        Err(why) => {
            of_the_export(why, rule, file, &mut whole);
            None
        }
    });
    let differences = match (&golden, &sample) {
        (Some(golden), Some(sample)) => Some(Differences::between(golden, sample)),
        _ => None,
    };
    let mut judgement = Judgement::of(files, phase, golden, sample, differences, pairs);
    match artifact.policy {
        Err(error) => {
            let detail = format!("{}, {error}", judgement.files.artifact);
            whole.push(Finding::whole(Rule::ArtifactInvalid, None, detail));
        }
        Ok(policy) => {
            judgement.warnings = lint(&policy, &judgement.pairs);
            whole.extend(of_declarations(&policy, &judgement));
            if policy.phase == phase {
                judgement.judge_keys_by(&policy);
            } else {
                let (file, found) = (&judgement.files.artifact, policy.phase);
                let detail = format!(
                    "{file} is of {found}, and {phase} was asked about: no key was judged by it"
                );
                let key = Some("phase".to_owned());
                whole.push(Finding::whole(Rule::PhaseMismatch, key, detail));
            }
        }
    }
    whole.sort_by_key(|finding| finding.rule);
    judgement.whole = whole;
    judgement
}

fn of_the_hash(
    artifact: &Artifact,
    said: Result<Digest, String>,
    files: &Files,
) -> Option<Finding> {
    let detail = match (said, artifact.sha256) {
        (Err(why), _) => format!("{} {why}", files.sha256),
        (Ok(said), Some(found)) if said != found => format!(
            "the canonical form of {} hashes to {found}, and {} says {said}",
            files.artifact, files.sha256
        ),
        _ => return None,
    };
    Some(Finding::whole(Rule::AllowlistHashMismatch, None, detail))
}

fn of_the_export(why: NoKeys, rule: Rule, file: &str, whole: &mut Vec<Finding>) {
    let rule_of = |reason| match reason {
        Reason::DuplicateKey => Rule::DuplicateKey,
        Reason::DottedKey => Rule::AmbiguousDottedKey,
        Reason::Malformed => rule,
    };
    match why {
        NoKeys::NoExport(error) => {
            whole.push(Finding::whole(rule, None, format!("{file}, {error}")));
        }
        NoKeys::BadKeys { told, further } => {
            whole.extend(told.into_iter().map(|bad| {
                let detail = format!("{file}, {}", bad.error);
                Finding::whole(rule_of(bad.error.reason()), Some(bad.path), detail)
            }));
            for (reason, count) in further {
                if count > 0 {
                    let detail = format!("{file}: {count} more are not listed");
                    whole.push(Finding::whole(rule_of(reason), None, detail));
                }
            }
        }
    }
}

/// Compares what the allow-list declares with what there is, where that is known.
fn of_declarations(policy: &Policy, judgement: &Judgement) -> Vec<Finding> {
    let mut found = Vec::new();
    if judgement.differences.is_none() {
        return found;
    }
    found.extend(of_declaration(
        "added_keys",
        policy.added_keys.as_ref(),
        || judgement.added_keys(),
        judgement,
    ));
    found.extend(of_declaration(
        "removed_keys",
        policy.removed_keys.as_ref(),
        || judgement.removed_keys(),
        judgement,
    ));
    found.extend(of_declaration(
        "type_changed_keys",
        policy.type_changed_keys.as_ref(),
        || judgement.type_changed_keys(),
        judgement,
    ));
    found
}

fn of_declaration<'a, I: Iterator<Item = &'a str>>(
    field: &str,
    declared: Option<&'a Texts>,
    there: impl Fn() -> I,
    judgement: &Judgement,
) -> Option<Finding> {
    let declared = declared?;
    if declared.iter().eq(there()) {
        return None;
    }
    let ways = [
        named("declared and not so", only_first(declared.iter(), there())),
        named("so and not declared", only_first(there(), declared.iter())),
    ];
    let (file, ways) = (&judgement.files.artifact, ways.into_iter().flatten());
    let ways = ways.collect::<Vec<_>>().join("; ");
    let detail = format!("{file}, {field} is not what there is; {ways}");
    let key = Some(field.to_owned());
    Some(Finding::whole(Rule::ArtifactInvalid, key, detail))
}

/// Lists what only the first of two sorted lists has.
fn only_first<'a>(
    first: impl Iterator<Item = &'a str>,
    second: impl Iterator<Item = &'a str>,
) -> impl Iterator<Item = &'a str> {
    let mut second = second.peekable();
    first.filter(move |key| {
        while second.next_if(|other| other < key).is_some() {}
        second.peek() != Some(key)
    })
}

/// Names the first keys of a list, unless it is empty.
fn named<'a>(what: &str, mut keys: impl Iterator<Item = &'a str>) -> Option<String> {
    let named: Vec<_> = keys.by_ref().take(NAMED).map(quoted).collect();
    let further = match keys.count() {
        0 => String::new(),
        further => format!(" and {further} more"),
    };
    (!named.is_empty()).then(|| format!("{what}: {}{further}", named.join(", ")))
}

impl Judgement {
    fn judge_keys_by(&mut self, policy: &Policy) {
        let Some(sample) = &self.sample else { return };
        let golden = self.golden.as_ref().zip(self.differences.as_ref());
        self.keys = judge_keys(policy, golden, sample, &self.pairs);
    }
}
