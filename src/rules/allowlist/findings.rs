//! A verdict with its findings, which are put into words only when somebody asks for them: there may be millions.

use std::fmt::Write as _;

use serde::Serialize;

use super::{Differences, Files, Half, KeyFindings, Pair, Phase, Rule};
use crate::canon::{Digest, ExportKeys, Types};
use crate::rules::Verdict;

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The rule, a fixed word.
    pub rule: Rule,
    /// The dotted path, or the field of the allow-list; nothing when it is about a whole file.
    pub key: Option<String>,
    /// What is wrong, in words.
    pub detail: String,
}

impl Finding {
    pub(super) fn whole(rule: Rule, key: Option<String>, detail: String) -> Self {
        Self { rule, key, detail }
    }
}

/// How a case was judged.
#[derive(Debug)]
pub struct Judgement {
    pub(super) files: Files,
    phase: Phase,
    /// What is wrong with the inputs themselves, in order of precedence.
    pub(super) whole: Vec<Finding>,
    pub(super) golden: Option<ExportKeys>,
    pub(super) sample: Option<ExportKeys>,
    pub(super) differences: Option<Differences>,
    pub(super) keys: KeyFindings,
    pub(super) pairs: Vec<Pair>,
    /// What warns and decides nothing.
    pub warnings: Vec<String>,
}

impl Judgement {
    pub(super) fn of(
        files: Files,
        phase: Phase,
        golden: Option<ExportKeys>,
        sample: Option<ExportKeys>,
        differences: Option<Differences>,
        pairs: Vec<Pair>,
    ) -> Self {
        Self {
            files,
            phase,
            whole: Vec::new(),
            golden,
            sample,
            differences,
            keys: KeyFindings::default(),
            pairs,
            warnings: Vec::new(),
        }
    }

    /// Passes when there is no finding.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        Verdict::of(self.whole.is_empty() && self.keys.is_empty())
    }

    /// Returns how the inputs are called.
    #[must_use]
    pub fn files(&self) -> &Files {
        &self.files
    }

    /// Returns the phase that was asked about.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Counts the findings.
    #[must_use]
    pub fn count(&self) -> usize {
        let keys = &self.keys;
        let lists = [
            &keys.forbidden,
            &keys.not_allowed,
            &keys.removed,
            &keys.type_changed,
        ];
        self.whole.len() + lists.map(Vec::len).iter().sum::<usize>() + keys.halves.len()
    }

    /// Hashes the key set of the sample, when it has one.
    #[must_use]
    pub fn keyset_sha256(&self) -> Option<Digest> {
        self.sample.as_ref().map(ExportKeys::hash)
    }

    /// Counts the keys of the sample.
    #[must_use]
    pub fn sample_keys(&self) -> usize {
        self.sample.as_ref().map_or(0, ExportKeys::count)
    }

    /// Lists what only the sample has.
    pub fn added_keys(&self) -> impl Iterator<Item = &str> {
        paths(self.sample.as_ref(), self.of_differences(|all| &all.added))
    }

    /// Lists what only the golden export has.
    pub fn removed_keys(&self) -> impl Iterator<Item = &str> {
        paths(
            self.golden.as_ref(),
            self.of_differences(|all| &all.removed),
        )
    }

    /// Lists what is of another type in the sample.
    pub fn type_changed_keys(&self) -> impl Iterator<Item = &str> {
        let changed = self.of_differences(|all| &all.type_changed);
        paths(self.sample.as_ref(), changed)
    }

    fn of_differences(&self, which: impl Fn(&Differences) -> &Vec<u32>) -> &[u32] {
        self.differences
            .as_ref()
            .map_or(&[], |all| which(all).as_slice())
    }

    /// Lists the findings in order of precedence, those of one rule in the order of the text or of the keys.
    pub fn findings(&self) -> impl Iterator<Item = Finding> + '_ {
        let (golden, sample) = (self.golden.as_ref(), self.sample.as_ref());
        let keys = &self.keys;
        let about = |rule, detail: String| {
            move |path: &str| Finding {
                rule,
                key: Some(path.to_owned()),
                detail: detail.clone(),
            }
        };
        let (is, phase) = (&self.files, self.phase);
        let forbidden = format!("{} has it, and forbidden_exact_keys names it", is.sample);
        let removed = format!("{} has it, {} has not, ", is.golden, is.sample)
            + match phase {
                Phase::Cutover => "and forbidden_exact_keys does not name it",
                _ => "and nothing may go in this phase",
            };
        let not_allowed = paths(sample, &keys.not_allowed).map(|path| self.not_allowed(path));
        let changed = paths(sample, &keys.type_changed).map(|path| self.type_changed(path));
        let halves = keys.halves.iter().map(|half| self.half(*half));
        let whole = self.whole.iter().cloned();
        whole
            .chain(paths(sample, &keys.forbidden).map(about(Rule::ForbiddenKey, forbidden)))
            .chain(not_allowed)
            .chain(paths(golden, &keys.removed).map(about(Rule::RemovedKey, removed)))
            .chain(changed)
            .chain(halves.flatten())
    }

    fn not_allowed(&self, path: &str) -> Finding {
        let wanted = if path.contains('.') {
            "it is not in nested_paths_allowed, or its first segment not in allowed_top_level_keys"
        } else {
            "it is not in allowed_top_level_keys"
        };
        let detail = format!("{} has it, and {wanted}", self.files.sample);
        Finding::whole(Rule::KeyNotAllowed, Some(path.to_owned()), detail)
    }

    fn type_changed(&self, path: &str) -> Finding {
        let types = |keys: &Option<ExportKeys>| {
            let keys = keys.as_ref()?;
            Some(words(keys.types(keys.find(path)?)))
        };
        let mut detail = String::new();
        if let Some(before) = types(&self.golden) {
            let _ = write!(detail, "{before} in {}, ", self.files.golden);
        }
        let now = types(&self.sample).unwrap_or_default();
        let _ = write!(detail, "{now} in {}", self.files.sample);
        Finding::whole(Rule::TypeChangedKey, Some(path.to_owned()), detail)
    }

    fn half(&self, (place, half): (u32, Half)) -> Option<Finding> {
        let pair = self.pairs.get(place as usize)?;
        let due = match self.phase {
            Phase::Cutover => "the modern half is due",
            _ => "both halves are due",
        };
        let detail = format!(
            "the {half} half of {:?} and {:?} is not in {}; in {} {due}",
            shown(&pair.legacy),
            shown(&pair.modern),
            self.files.sample,
            self.phase
        );
        let key = Some(pair.column(half).to_owned());
        Some(Finding::whole(Rule::PairHalfMissing, key, detail))
    }
}

fn paths<'a>(keys: Option<&'a ExportKeys>, places: &'a [u32]) -> impl Iterator<Item = &'a str> {
    let listed = keys.map(|keys| places.iter().map(move |place| keys.path(*place as usize)));
    listed.into_iter().flatten()
}

fn words(types: Types) -> String {
    let names: Vec<_> = types.each().map(crate::canon::JsonType::name).collect();
    names.join(" and ")
}

fn shown(column: &str) -> std::borrow::Cow<'_, str> {
    crate::rules::text::shorten(column, 60)
}
