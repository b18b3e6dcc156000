//! `govdeck bundle`: check bundles as files, begin one, print the schemas; no database.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;

use super::bundle_report as report;
use super::page::{Exit, Failure, Page};
use crate::bundles::gather::{Found, check_folder};
use crate::bundles::scaffold::{self, NotMade};
use crate::rules::Verdict;
use crate::rules::bundle::{Finding, Kind, MigrationId, Schema};
use crate::settings::{Flags, Settings};

/// What to do with bundles.
#[derive(Debug, Subcommand)]
pub(super) enum Bundle {
    /// Check bundles as files: one, those of a type, or a whole governance root with its registry.
    Check(Check),
    /// Begin a bundle, and register it as a draft.
    New(New),
    /// List the schemas of a bundle's files, or print one.
    Schema {
        /// The schema's name, whole or the part that tells it from the others.
        name: Option<String>,
    },
}

/// What to check, and how to tell.
#[derive(Debug, Args)]
pub(super) struct Check {
    /// A bundle, a folder of one type, or a governance root.
    #[arg(required = true, value_name = "DIR")]
    folders: Vec<PathBuf>,
    /// How to tell what is found.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// How findings are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Lines for people.
    Text,
    /// The document that `--json` prints.
    Json,
    /// `path:line: reason: detail`, as compilers do.
    Plain,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
}

/// What to begin.
#[derive(Debug, Args)]
pub(super) struct New {
    /// The kind of store: `postgis`, `search`, `graph` or `other`.
    #[arg(value_name = "TYPE")]
    kind: String,
    /// The id, like `PG-MIG-2026-02-28-01`.
    id: String,
    /// The governance root; the setting `governance_root` when left out.
    #[arg(long, value_name = "ROOT")]
    dir: Option<PathBuf>,
}

impl Bundle {
    pub(super) fn run(self, flags: &Flags) -> Result<Page, Failure> {
        match self {
            Self::Check(check) => check.run(),
            Self::New(new) => new.run(flags),
            Self::Schema { name } => schema(name.as_deref()),
        }
    }
}

impl Check {
    fn run(self) -> Result<Page, Failure> {
        let mut all = Found::default();
        let mut places = Vec::new();
        for folder in &self.folders {
            let found = check_folder(folder).map_err(|error| Failure::of_file(folder, &error))?;
            all.bundles += found.bundles;
            for finding in found.findings {
                places.push(report::below(folder, &finding.path));
                all.findings.push(finding);
            }
        }
        let verdict = Verdict::of(all.findings.is_empty() && all.bundles > 0);
        let exit = Exit::from(verdict);
        // With several folders, only the whole path says which.
        if self.folders.len() > 1 {
            for (finding, place) in all.findings.iter_mut().zip(&places) {
                finding.path.clone_from(place);
            }
        }
        let page = |lines| {
            let json = json!({"verdict": verdict, "findings": all.findings});
            Page::new(exit, lines, "bundle-check", json)
        };
        Ok(match self.format {
            Format::Text => page(self.lines(&all, verdict)),
            Format::Json => page(Vec::new()).into_json(),
            Format::Plain => page(report::plain(&all.findings, &places)),
            Format::Sarif => Page::foreign(exit, &report::sarif(&all.findings, &places)),
        })
    }

    fn lines(&self, all: &Found, verdict: Verdict) -> Vec<String> {
        let folders: Vec<_> = self
            .folders
            .iter()
            .map(|folder| folder.display().to_string())
            .collect();
        let (bundles, count) = (all.bundles, all.findings.len());
        let bundles = if bundles == 1 {
            "1 bundle".to_owned()
        } else {
            format!("{bundles} bundles")
        };
        let word = if verdict == Verdict::Pass {
            "PASS"
        } else {
            "FAIL"
        };
        let what = match count {
            0 => String::new(),
            1 => ", 1 finding".to_owned(),
            count => format!(", {count} findings"),
        };
        let mut lines = vec![format!("{word} {}: {bundles}{what}", folders.join(" "))];
        let line = |finding: &Finding| {
            format!("  {} {}: {}", finding.reason, finding.path, finding.detail)
        };
        lines.extend(all.findings.iter().map(line));
        let mut reasons: Vec<_> = all.findings.iter().map(|finding| finding.reason).collect();
        reasons.sort_unstable();
        reasons.dedup();
        if !reasons.is_empty() {
            lines.push("what to do:".to_owned());
        }
        lines.extend(
            reasons
                .iter()
                .map(|reason| format!("  {reason}: {}", reason.remedy())),
        );
        lines
    }
}

impl New {
    fn run(self, flags: &Flags) -> Result<Page, Failure> {
        let kind: Kind = self
            .kind
            .parse()
            .map_err(|refusal: crate::rules::Refusal| {
                Failure::new(Exit::BadInput, refusal.sentence, refusal.hint)
            })?;
        if let Err(what) = self.id.parse::<MigrationId>() {
            let hint = "an id looks like PG-MIG-2026-02-28-01";
            return Err(Failure::new(Exit::BadInput, what, hint));
        }
        let root = match self.dir {
            Some(root) => root,
            None => {
                Settings::load(flags, std::env::vars_os())?
                    .governance_root
                    .value
            }
        };
        let written = scaffold::begin(&root, kind, &self.id).map_err(|error| match error {
            NotMade::Refused(refusal) => Failure::from(refusal),
            NotMade::Io(path, error) => Failure::of_file(&path, &error),
        })?;
        let mut lines: Vec<_> = written
            .iter()
            .map(|path| format!("wrote {}", report::below(&root, path)))
            .collect();
        lines.push(
            "fill in migration.yml and the scripts; `govdeck bundle check` says what is missing"
                .to_owned(),
        );
        let json = json!({"migration_id": self.id, "type": kind, "files": written});
        Ok(Page::new(Exit::Done, lines, "bundle-new", json))
    }
}

fn schema(name: Option<&str>) -> Result<Page, Failure> {
    let Some(name) = name else {
        let lines = Schema::ALL
            .iter()
            .map(|schema| schema.word().to_owned())
            .collect();
        return Ok(Page::new(
            Exit::Done,
            lines,
            "bundle-schemas",
            json!({"schemas": Schema::ALL}),
        ));
    };
    let fits = |schema: &&Schema| schema.word() == name || schema.word().contains(name);
    let exact = Schema::ALL.iter().find(|schema| schema.word() == name);
    let mut fitting = Schema::ALL.iter().filter(fits);
    match (exact, fitting.next(), fitting.next()) {
        (Some(schema), ..) | (None, Some(schema), None) => {
            Ok(Page::raw(schema.text().as_bytes().to_vec()))
        }
        _ => {
            let all: Vec<_> = Schema::ALL.iter().map(|schema| schema.word()).collect();
            let sentence = format!("{name:?} is the name of no schema, or of several");
            Err(Failure::new(
                Exit::BadInput,
                sentence,
                format!("one of: {}", all.join(", ")),
            ))
        }
    }
}
