//! `govdeck policy`: how far apart two sides may be, and what another pair of limits would have made of the weeks before.

use clap::{Args, Subcommand};
use serde_json::json;

use super::act::Act;
use super::dictionary::released;
use super::key::Answered;
use super::page::{Exit, Failure, Page};
use super::sign::Pen;
use super::window::named;
use crate::actions::Asked;
use crate::rules::dictionary::{Document, policy_document};
use crate::rules::permission;
use crate::rules::week::{Backtest, Pair, WEEKS, backtest, is_sound};
use crate::rules::{Refusal, Verdict};
use crate::store::tables::image_of;
use crate::store::week::{self, EpsilonPolicy};
use crate::store::{Access, Store, View, publish};

/// What to do with policies.
#[derive(Debug, Subcommand)]
pub(super) enum Policies {
    /// List the policies that were adopted, or show one.
    Show {
        /// The version.
        version: Option<String>,
    },
    /// Propose a policy, with what its pair would have made of the weeks before; a second person adopts it.
    Propose {
        /// The policy's new version.
        version: String,
        /// The release of the dictionary whose epsilons it repeats; the newest when left out.
        #[arg(long, value_name = "SEMVER")]
        release: Option<String>,
        /// The newest footer schema that can be read; the one in force when left out.
        #[arg(long, value_name = "SEMVER")]
        contract_max: Option<String>,
        #[command(flatten)]
        limits: Limits,
        #[command(flatten)]
        answer: Answered,
    },
    /// Replay the last four quarters under a pair: what would have turned amber, or been rolled back wrongly, or not.
    Backtest {
        #[command(flatten)]
        limits: Limits,
    },
}

/// A pair of limits, and the series whose weeks are replayed.
#[derive(Debug, Args)]
pub(super) struct Limits {
    /// The ratio above which a week is watched.
    #[arg(long, value_name = "DECIMAL")]
    soft: String,
    /// The ratio above which a cutover is rolled back.
    #[arg(long, value_name = "DECIMAL")]
    hard: String,
    /// What a ratio is taken of at least.
    #[arg(long, value_name = "DECIMAL")]
    floor: String,
    /// The series whose weeks are replayed; where there is one, it is that.
    #[arg(long, value_name = "ID")]
    series: Option<String>,
}

impl Policies {
    pub(super) fn access(&self) -> Access {
        match self {
            Self::Propose { answer, .. } => answer.access(),
            Self::Show { .. } | Self::Backtest { .. } => Access::Read,
        }
    }

    pub(super) async fn run(self, store: &Store, pen: &Pen) -> Result<Page, Failure> {
        match self {
            Self::Show { version } => show(store, version.as_deref()).await,
            Self::Backtest { limits } => Ok(page(&limits.replay(store).await?)),
            Self::Propose {
                version,
                release,
                contract_max,
                limits,
                answer,
            } => {
                let report = image_of(&limits.replay(store).await?)?;
                let mut view = store.view().await?;
                let (release, dictionary) = released(&mut view, release.as_deref()).await?;
                let contract_max = newest_footer(&mut view, contract_max).await?;
                drop(view);
                let document =
                    policy_document(&version, &contract_max, &Document::read(&dictionary)?)?;
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                let asked = Asked::of(version)
                    .with("document", text(&document))
                    .with("release", release.dictionary_semver)
                    .with("soft", limits.soft)
                    .with("hard", limits.hard)
                    .with("floor", limits.floor)
                    .with("backtest", text(&report));
                let act = Act {
                    verb: permission::ADOPT_POLICY.verb,
                    asked,
                    go: answer.go(),
                };
                act.run(store, pen).await
            }
        }
    }
}

/// Returns the newest footer schema that can be read: what was given, or the one in force.
async fn newest_footer(view: &mut View, given: Option<String>) -> Result<String, Failure> {
    if let Some(given) = given {
        return Ok(given);
    }
    let footer = publish::footer_schema(view).await?;
    footer.map(|footer| footer.current_semver).ok_or_else(|| {
        Failure::new(
            Exit::CannotTell,
            "no footer schema is registered",
            "name the newest one that can be read with --contract-max",
        )
    })
}

impl Limits {
    async fn replay(&self, store: &Store) -> Result<Backtest, Failure> {
        let pair = Pair {
            soft: self.soft.clone(),
            hard: self.hard.clone(),
            floor: self.floor.clone(),
        };
        let sound = is_sound(&pair);
        if sound.verdict != Verdict::Pass {
            return Err(Failure::new(Exit::BadInput, sound.evidence, sound.fix));
        }
        let active = week::active_series(&mut store.view().await?).await?;
        let series = match (&self.series, active.as_slice()) {
            // Of a series that is not there nothing was replayed, which must not look like weeks that were fine.
            (Some(series), _) => named(store, series).await?.series_id,
            (None, [only]) => only.series_id.clone(),
            (None, []) => return Ok(backtest(&pair, &[])),
            (None, _) => {
                return Err(Refusal::new(
                    "there are several series",
                    "name the one whose weeks are replayed with --series",
                )
                .into());
            }
        };
        let weeks = week::past(&mut store.view().await?, &series, WEEKS).await?;
        Ok(backtest(&pair, &weeks))
    }
}

fn page(report: &Backtest) -> Page {
    let list = |what: &str, runs: &[String]| {
        format!(
            "{what}: {}",
            if runs.is_empty() {
                "none".to_owned()
            } else {
                runs.join(", ")
            }
        )
    };
    let lines = vec![
        format!(
            "{} weeks replayed with soft {}, hard {}, floor {}",
            report.weeks.len(),
            report.pair.soft,
            report.pair.hard,
            report.pair.floor
        ),
        list("would turn amber", &report.ambers),
        list(
            "would roll back though they passed",
            &report.false_rollbacks,
        ),
        list("incidents that nothing would roll back", &report.missed),
        list("cannot tell", &report.cannot_tell),
    ];
    Page::new(
        Exit::Done,
        lines,
        "policy-backtest",
        json!({"backtest": report}),
    )
}

async fn show(store: &Store, version: Option<&str>) -> Result<Page, Failure> {
    let mut view = store.view().await?;
    let policies = match version {
        None => week::policies(&mut view).await?,
        Some(version) => {
            let found = week::policy(&mut view, version).await?;
            vec![found.ok_or_else(|| {
                Failure::new(
                    Exit::CannotTell,
                    format!("there is no policy {version:?}"),
                    "`govdeck policy show` lists them",
                )
            })?]
        }
    };
    let mut lines: Vec<String> = policies.iter().map(line).collect();
    if lines.is_empty() {
        lines.push("no policy was adopted yet: govdeck policy propose".to_owned());
    }
    let json = json!({"policies": policies});
    Ok(Page::new(Exit::Done, lines, "policy-show", json))
}

fn line(policy: &EpsilonPolicy) -> String {
    format!(
        "{}: soft {}, hard {}, floor {}, by {} and {} at {}; document sha256:{}, backtest sha256:{}",
        policy.epsilon_policy_version,
        policy.soft,
        policy.hard,
        policy.floor,
        policy.proposed_by,
        policy.approved_by,
        policy.adopted_at_utc,
        policy.document_sha256,
        policy.backtest_sha256
    )
}
