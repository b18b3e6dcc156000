//! Releases the dictionary: every metric of a document, of which no id comes to mean something else.

use super::super::entry::{Action, Asked, Draft, Field, Required, Row, Stop, Subject};
use super::semver;
use crate::clock::Moment;
use crate::rules::dictionary::{self as rule, Document};
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::rules::{Condition, Refusal};
use crate::store::artifact::{Artifact, DICTIONARY};
use crate::store::dictionary::{self, DictionaryMetric, Release};
use crate::store::{StoreError, Target, View};

pub(in crate::actions) struct ReleaseDictionary {
    document: Document,
    canonical: Vec<u8>,
    epsilons_sha256: String,
}

pub(in crate::actions) struct Facts {
    newest: Option<Release>,
    same: Option<Release>,
    metrics: Vec<DictionaryMetric>,
}

impl Action for ReleaseDictionary {
    const MAY: Permission = permission::RELEASE_DICTIONARY;
    const KEY: char = 'r';
    const SUMMARY: &'static str = "Release the dictionary anew, from a document";
    const UNDO: &'static str =
        "cannot be undone: a release stays; release-dictionary releases the next one";
    const KIND: &'static str = "release";
    const TARGET: &'static str = "The release's version, as the document names it";
    const SUBJECT: Subject = Subject::New;
    const FIELDS: &'static [Field] = &[Field {
        name: "document",
        help: "The whole dictionary, as JSON",
        required: Required::Yes,
    }];
    type Facts = Facts;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        let version = semver(&asked.target)?;
        let document = Document::read(asked.required("document")?.as_bytes())?;
        if document.dictionary_semver != version {
            return Err(Refusal::new(
                format!(
                    "the document is of {}, not of {version}",
                    document.dictionary_semver
                ),
                "name the version that the document names",
            ));
        }
        Ok(Self {
            canonical: document.canonical()?,
            epsilons_sha256: rule::epsilons_hash(&document)?.to_string(),
            document,
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Facts, StoreError> {
        Ok(Facts {
            newest: dictionary::newest(view).await?,
            same: dictionary::release(view, &self.document.dictionary_semver).await?,
            metrics: dictionary::metrics(view).await?,
        })
    }

    fn propose(&self, facts: &Facts, by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let version = rule::version(&self.document.dictionary_semver)?;
        let newest = facts.newest.as_ref().map(|it| &*it.dictionary_semver);
        let newest = newest.map(rule::version).transpose()?;
        let before: Vec<_> = facts.metrics.iter().map(DictionaryMetric::metric).collect();
        let changes = rule::diff(&before, &self.document.metrics);
        let mut conditions = rule::may_release(&version, newest.as_ref(), &changes);
        conditions.push(Condition::holds(
            "new_version",
            facts.same.is_none(),
            "analytics_owner",
            if facts.same.is_none() {
                "free"
            } else {
                "this version was released"
            },
            "a version is released once: choose the next",
        ));
        let document = Artifact::new(DICTIONARY.1, self.canonical.clone());
        let rows = self.rows(&facts.metrics)?;
        let ([major, minor, patch], pre) = version.parts();
        let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let release = Release {
            dictionary_semver: version.text(),
            major,
            minor,
            patch,
            pre: pre.to_owned(),
            previous_semver: facts.newest.as_ref().map(|it| it.dictionary_semver.clone()),
            document_sha256: document.sha256.to_string(),
            epsilons_sha256: self.epsilons_sha256.clone(),
            metrics: count(self.document.metrics.len()),
            changed: count(rows.len()),
            released_by: by.id(),
            released_at_utc: now,
            version: 1,
        };
        let target = Target {
            kind: Self::KIND,
            id: version.text(),
            version: facts.same.as_ref().map_or(0, |it| it.version),
        };
        let mut all = vec![Row::new(release)];
        all.extend(rows);
        Ok(Draft::new(target, conditions, all).with_evidence(vec![(DICTIONARY.0, document)]))
    }
}

impl ReleaseDictionary {
    /// Returns the metrics that are new or change; both lists are in the order of their ids.
    fn rows(&self, there: &[DictionaryMetric]) -> Result<Vec<Row>, Stop> {
        let release = &self.document.dictionary_semver;
        let mut rows = Vec::new();
        for metric in &self.document.metrics {
            let found = there.binary_search_by(|row| row.metric_id.cmp(&metric.metric_id));
            match found.ok().map(|at| &there[at]) {
                None => rows.push(Row::new(DictionaryMetric::of(metric, release, 1))),
                Some(before) if before.metric() == *metric => {}
                Some(before) => {
                    let after = DictionaryMetric::of(metric, release, before.version + 1);
                    rows.push(Row::change(before, after)?);
                }
            }
        }
        Ok(rows)
    }
}
