//! `govdeck theme`: what the console can look like, and whether everybody can read it.

use std::path::Path;

use clap::Subcommand;
use serde_json::{Value, json};

use super::page::{Exit, Failure, Page};
use crate::console::theme::check::{Numbers, Report, check};
use crate::console::theme::{Depth, Theme as Look, Token};
use crate::settings::{Flags, Settings};

/// What to do with the themes.
#[derive(Debug, Subcommand)]
pub(super) enum Theme {
    /// List the themes there are, and where they come from.
    List,
    /// Print a theme with all it inherits, as a file of its own.
    Show {
        /// The theme.
        name: String,
    },
    /// Compute whether text can be read and states can be told apart.
    Check {
        /// A theme, or the path of a theme file; all themes when left out.
        #[arg(value_name = "NAME|FILE")]
        which: Option<String>,
    },
}

impl Theme {
    pub(super) fn run(self, flags: &Flags) -> Result<Page, Failure> {
        let folder = Settings::load(flags, std::env::vars_os())?
            .paths()
            .themes_dir;
        let folder = folder.as_deref();
        match self {
            Self::List => Ok(list(folder)),
            Self::Show { name } => Ok(show(&Look::load(&name, folder, Depth::True)?)),
            Self::Check { which } => {
                let names = which.map_or_else(|| Look::available(folder), |which| vec![which]);
                let looks = names.iter().map(|name| find(name, folder));
                let looks: Vec<_> = looks.collect::<Result<_, _>>()?;
                judge(&looks)
            }
        }
    }
}

/// Reads a theme by its name, or from a file where the word is a path.
fn find(which: &str, folder: Option<&Path>) -> Result<Look, Failure> {
    let path = Path::new(which);
    let is_path = which.contains('/') || path.extension().is_some();
    if is_path {
        Ok(Look::read(path, folder)?)
    } else {
        Ok(Look::load(which, folder, Depth::True)?)
    }
}

fn list(folder: Option<&Path>) -> Page {
    let from = |name: &str| {
        let path = folder.map(|folder| folder.join(format!("{name}.toml")));
        let path = path.filter(|path| path.symlink_metadata().is_ok());
        path.map_or("built in".to_owned(), |path| path.display().to_string())
    };
    let rows = Look::available(folder).into_iter();
    let rows: Vec<_> = rows.map(|name| (from(&name), name)).collect();
    Page::new(
        Exit::Done,
        rows.iter()
            .map(|(from, name)| format!("{name}  ({from})"))
            .collect(),
        "theme-list",
        json!({"themes": rows.iter().map(|(from, name)| json!({"name": name, "from": from})).collect::<Vec<_>>()}),
    )
}

fn show(look: &Look) -> Page {
    let tokens = Token::ALL.iter();
    let tokens = tokens.map(|token| (token.name().to_owned(), json!(look.spelled(*token))));
    Page::new(
        Exit::Done,
        look.to_toml().lines().map(str::to_owned).collect(),
        "theme-show",
        json!({"name": look.name(), "tokens": tokens.collect::<serde_json::Map<_, _>>()}),
    )
}

fn judge(looks: &[Look]) -> Result<Page, Failure> {
    let (mut lines, mut documents, mut exit) = (Vec::new(), Vec::new(), Exit::Done);
    for look in looks {
        let report = check(look)?;
        let name = look.name();
        if !report.findings.is_empty() {
            exit = Exit::No;
        }
        lines.push(format!("{name}: {}", summary(&report)));
        let findings = report.findings.iter();
        lines.extend(findings.map(|finding| format!("{name}: {}", finding.sentence)));
        documents.push(document(name, &report));
    }
    Ok(Page::new(
        exit,
        lines,
        "theme-check",
        json!({"themes": documents}),
    ))
}

/// Says in one line what was computed; a number is cut off, so that it never promises more than there is.
fn summary(report: &Report) -> String {
    let told = |number: Option<f64>| {
        number.map_or("none".to_owned(), |number| format!("{:.2}", cut(number)))
    };
    let numbers = |of: Numbers| {
        format!(
            "contrast {}, states {} apart",
            told(of.contrast),
            told(of.apart)
        )
    };
    let verdict = match report.findings.len() {
        0 => "passes".to_owned(),
        1 => "1 finding".to_owned(),
        many => format!("{many} findings"),
    };
    if report.full == Numbers::default() {
        return format!("{verdict}; the terminal decides all colours");
    }
    format!(
        "{verdict}; {}; in 256 colours {}",
        numbers(report.full),
        numbers(report.rounded)
    )
}

fn cut(number: f64) -> f64 {
    (number * 100.0).floor() / 100.0
}

fn document(name: &str, report: &Report) -> Value {
    let numbers =
        |of: Numbers| json!({"contrast": of.contrast.map(cut), "apart": of.apart.map(cut)});
    let findings = report.findings.iter().map(|finding| {
        let tokens = finding.tokens.map(Token::name);
        json!({"kind": finding.lack, "tokens": tokens, "sentence": finding.sentence})
    });
    json!({
        "name": name,
        "passes": report.findings.is_empty(),
        "full": numbers(report.full),
        "in_256_colours": numbers(report.rounded),
        "findings": findings.collect::<Vec<_>>(),
    })
}
