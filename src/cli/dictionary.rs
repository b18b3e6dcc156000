//! `govdeck dictionary`: the vocabulary that leadership and partners share.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::json;

use super::act::Act;
use super::hash;
use super::key::Answered;
use super::page::{Exit, Failure, Page};
use super::sign::Pen;
use crate::actions::Asked;
use crate::rules::Verdict;
use crate::rules::dictionary::{self as rule, Change, Document, MOST_BYTES};
use crate::rules::permission;
use crate::store::dictionary::{self, DictionaryMetric, Release, Use};
use crate::store::migration;
use crate::store::{Access, Store, View};

/// How many uses of a metric are listed.
const USES: i64 = 10;

/// How many differences the lines name.
const NAMED: usize = 100;

/// What to do with the dictionary.
#[derive(Debug, Subcommand)]
pub(super) enum Dictionary {
    /// Release the dictionary anew, from a document in TOML or JSON.
    Import {
        /// The whole dictionary.
        file: PathBuf,
        #[command(flatten)]
        answer: Answered,
    },
    /// Print a release as canonical JSON.
    Export {
        /// The release; the newest when left out.
        release: Option<String>,
    },
    /// Say what one dictionary would do to another: each a document or a release.
    Diff {
        /// The one before.
        before: String,
        /// The one after.
        after: String,
    },
    /// Look through a document for what is malformed or looks like a mistake.
    Lint {
        /// The whole dictionary.
        file: PathBuf,
    },
    /// List the releases, or show a metric: its meaning, what binds to it, where it was used.
    Show {
        /// The metric.
        metric: Option<String>,
    },
}

impl Dictionary {
    /// Tells whether it reads files alone.
    pub(super) fn is_local(&self) -> bool {
        match self {
            Self::Lint { .. } => true,
            Self::Diff { before, after } => {
                [before, after].map(Path::new).iter().all(|p| p.is_file())
            }
            Self::Import { .. } | Self::Export { .. } | Self::Show { .. } => false,
        }
    }

    pub(super) fn access(&self) -> Access {
        match self {
            Self::Import { answer, .. } => answer.access(),
            _ => Access::Read,
        }
    }

    pub(super) fn run_without_store(self) -> Result<Page, Failure> {
        match self {
            Self::Diff { before, after } => {
                let (before, after) = (read(Path::new(&before))?, read(Path::new(&after))?);
                Ok(compared(&before, &after))
            }
            Self::Lint { file } => Ok(linted(&read(&file)?)),
            Self::Import { .. } | Self::Export { .. } | Self::Show { .. } => Err(Failure::new(
                Exit::BadInput,
                "this verb needs a database",
                "report this as a bug",
            )),
        }
    }

    pub(super) async fn run(self, store: &Store, pen: &Pen) -> Result<Page, Failure> {
        let mut view = store.view().await?;
        match self {
            Self::Import { file, answer } => {
                drop(view);
                let document = read(&file)?;
                let text = document.canonical()?;
                let asked = Asked::of(document.dictionary_semver)
                    .with("document", String::from_utf8_lossy(&text));
                let act = Act {
                    verb: permission::RELEASE_DICTIONARY.verb,
                    asked,
                    go: answer.go(),
                };
                act.run(store, pen).await
            }
            Self::Export { release } => {
                let (_, bytes) = released(&mut view, release.as_deref()).await?;
                Ok(Page::raw(bytes))
            }
            Self::Diff { before, after } => {
                let before = either(&mut view, &before).await?;
                let after = either(&mut view, &after).await?;
                Ok(compared(&before, &after))
            }
            Self::Show { metric: None } => releases(&mut view).await,
            Self::Show { metric: Some(id) } => show(&mut view, &id).await,
            Self::Lint { file } => Ok(linted(&read(&file)?)),
        }
    }
}

/// Reads a document in TOML, by its name, or in JSON.
fn read(path: &Path) -> Result<Document, Failure> {
    let bytes = hash::read_at_most(MOST_BYTES as u64, Some(path))?;
    let refused = |sentence: String, hint: String| {
        let sentence = format!("{}: {sentence}", path.display());
        Failure::new(Exit::BadInput, sentence, hint)
    };
    let is_toml = path
        .extension()
        .is_some_and(|it| it.eq_ignore_ascii_case("toml"));
    let json = if is_toml {
        let text = String::from_utf8(bytes)
            .map_err(|_| refused("it is not UTF-8".to_owned(), "save it as UTF-8".to_owned()))?;
        let value: serde_json::Value = toml::from_str(&text).map_err(|error| {
            let said = error.to_string();
            let said: Vec<_> = said.split_whitespace().collect();
            refused(said.join(" "), "mend the TOML there".to_owned())
        })?;
        value.to_string().into_bytes()
    } else {
        bytes
    };
    Document::read(&json).map_err(|refusal| refused(refusal.sentence, refusal.hint))
}

/// Reads a document, or that of a release.
async fn either(view: &mut View, named: &str) -> Result<Document, Failure> {
    if Path::new(named).is_file() {
        return read(Path::new(named));
    }
    let (_, bytes) = released(view, Some(named)).await?;
    Document::read(&bytes)
        .map_err(|refusal| Failure::new(Exit::CannotTell, refusal.sentence, refusal.hint))
}

pub(super) async fn released(
    view: &mut View,
    named: Option<&str>,
) -> Result<(Release, Vec<u8>), Failure> {
    let missing = |what: String| {
        Failure::new(
            Exit::CannotTell,
            what,
            "`govdeck dictionary show` lists the releases",
        )
    };
    let release = match named {
        None => dictionary::newest(view).await?,
        Some(named) => {
            let version = rule::version(named)
                .map_err(|refusal| Failure::new(Exit::BadInput, refusal.sentence, refusal.hint))?;
            dictionary::release(view, &version.text()).await?
        }
    };
    let release = release.ok_or_else(|| match named {
        None => missing("the dictionary was never released".to_owned()),
        Some(named) => missing(format!("the dictionary was never released as {named:?}")),
    })?;
    let bytes = dictionary::document(view, &release).await?;
    let gone = || {
        missing(format!(
            "the document of {} is gone",
            release.dictionary_semver
        ))
    };
    let bytes = bytes.ok_or_else(gone)?;
    Ok((release, bytes))
}

fn compared(before: &Document, after: &Document) -> Page {
    let changes = rule::diff(&before.metrics, &after.metrics);
    let is_refused = changes.iter().any(|change| change.kind.is_refused());
    let mut lines = vec![format!(
        "{} to {}: {} differences{}",
        before.dictionary_semver,
        after.dictionary_semver,
        changes.len(),
        if is_refused {
            ", some of which are REFUSED"
        } else {
            ""
        }
    )];
    lines.extend(changes.iter().take(NAMED).map(line));
    if changes.len() > NAMED {
        lines.push(format!("  and {} more", changes.len() - NAMED));
    }
    let exit = if is_refused { Exit::No } else { Exit::Done };
    let json = json!({
        "verdict": Verdict::of(!is_refused), "before": before.dictionary_semver, "after": after.dictionary_semver,
        "changes": changes,
    });
    Page::new(exit, lines, "dictionary-diff", json)
}

fn line(change: &Change) -> String {
    let kind = if change.kind.is_refused() {
        format!("REFUSED {}", change.kind)
    } else {
        change.kind.to_string()
    };
    let said = |text: &Option<String>| match text {
        Some(text) => format!("{text:?}"),
        None => "nothing".to_owned(),
    };
    match change.field {
        None => format!("  {} {kind}", change.metric_id),
        Some(field) => format!(
            "  {} {kind}: {field} {} -> {}",
            change.metric_id,
            said(&change.before),
            said(&change.after)
        ),
    }
}

fn linted(document: &Document) -> Page {
    let findings = rule::lint(document);
    let mut lines = vec![format!(
        "{}: {} metrics, {} findings",
        document.dictionary_semver,
        document.metrics.len(),
        findings.len()
    )];
    let line = |it: &rule::Finding| format!("  {} {}: {}", it.rule, it.metric_id, it.detail);
    lines.extend(findings.iter().map(line));
    let exit = if findings.is_empty() {
        Exit::Done
    } else {
        Exit::No
    };
    let json = json!({
        "verdict": Verdict::of(findings.is_empty()), "dictionary_semver": document.dictionary_semver,
        "metrics": document.metrics.len(), "findings": findings,
    });
    Page::new(exit, lines, "dictionary-lint", json)
}

async fn releases(view: &mut View) -> Result<Page, Failure> {
    let releases = dictionary::releases(view).await?;
    let line = |it: &Release| {
        format!(
            "{}: {} metrics, {} changed, by {} at {}, sha256:{}",
            it.dictionary_semver,
            it.metrics,
            it.changed,
            it.released_by,
            it.released_at_utc,
            it.document_sha256
        )
    };
    let mut lines: Vec<_> = releases.iter().map(line).collect();
    if lines.is_empty() {
        lines.push("the dictionary was never released: govdeck dictionary import FILE".to_owned());
    }
    let faq = dictionary::faq_all(view).await?;
    let notices = migration::notices(view).await?;
    let told = notices.iter();
    lines.extend(told.map(|it| {
        format!(
            "partners are told of {}: {}",
            it.migration_id, it.notice_text
        )
    }));
    let json = json!({"releases": releases, "faq": faq, "notices": notices});
    Ok(Page::new(Exit::Done, lines, "dictionary-show", json))
}

async fn show(view: &mut View, id: &str) -> Result<Page, Failure> {
    let metric = dictionary::metric(view, id).await?.ok_or_else(|| {
        Failure::new(
            Exit::CannotTell,
            format!("{id:?} is not in the dictionary"),
            "`govdeck dictionary export` lists every metric",
        )
    })?;
    let uses = dictionary::uses(view, id, USES).await?;
    let faq = dictionary::faq_of(view, id).await?;
    let newest = dictionary::newest(view).await?;
    let joins = match &newest {
        Some(release) => dictionary::bind_queries(view, &release.dictionary_semver).await?,
        None => Vec::new(),
    };
    let mut lines = meaning(&metric);
    for join in &joins {
        lines.push(format!(
            "  {} join {} of {}",
            join.surface, join.bind_query_id, join.dictionary_semver
        ));
    }
    let asked = faq.iter();
    lines.extend(asked.map(|it| format!("  asked: {} ({})", it.question, it.annex_anchor)));
    lines.extend(uses.iter().map(used));
    let json = json!({"metric": metric, "uses": uses, "faq": faq, "joins": joins});
    Ok(Page::new(Exit::Done, lines, "dictionary-metric", json))
}

fn meaning(metric: &DictionaryMetric) -> Vec<String> {
    let until = match metric.deprecated_after {
        Some(at) => format!("DEPRECATED after {at}"),
        None => "in use".to_owned(),
    };
    vec![
        format!("{} {}: {until}", metric.metric_id, metric.display_label),
        format!("  {}", metric.definition),
        format!(
            "  {} in {}, {}, epsilon {} ({}), last changed by {}",
            metric.formula,
            metric.unit,
            metric.aggregation_rule,
            metric.epsilon_abs,
            metric.epsilon_class,
            metric.dictionary_semver
        ),
    ]
}

fn used(it: &Use) -> String {
    let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "missing".to_owned());
    format!(
        "  {}: leadership {}, partner {}, {}; govdeck cite {} ...",
        it.job_run_id,
        shown(&it.leadership),
        shown(&it.partner),
        it.verdict,
        it.tuple_revision_hash
    )
}
