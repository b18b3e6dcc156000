//! The executive readback: a projection of what a week's runs found, in which no number stands without its citation.
//!
//! A [`Cited`] number is made of a value and a [`Citation`], and there is no other way to put a number on the page.

mod cited;
mod html;
mod markdown;

use serde::Serialize;

use crate::clock::Moment;
use crate::rules::Verdict;
use crate::rules::week::RunStatus;
use crate::rules::words;

pub use cited::{Citation, Cited};
pub use html::html;
pub use markdown::markdown;

/// The form of readbacks that this program writes.
pub const SCHEMA: &str = "govdeck.readback.v1";

/// What a footer says where nothing is established.
pub const NOT_ESTABLISHED: &str = "not established";

words! {
    /// How a readback is written.
    pub enum Form {
        /// For a text.
        Markdown = "md",
        /// One page that needs nothing else.
        Html = "html",
        /// For programs.
        Json = "json",
    }
}

/// A week's readback.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Readback {
    /// Its form.
    pub schema: &'static str,
    /// The week, like `2026-W21`.
    pub week: String,
    /// When it was made.
    pub made_at_utc: Moment,
    /// The runs that it rests on.
    pub runs: Vec<RunLine>,
    /// The series of which there is no window of the week, though there should be.
    pub without_window: Vec<String>,
    /// The numbers.
    pub headlines: Vec<Headline>,
    /// What was published under a bypass.
    pub carve_outs: Vec<CarveOut>,
    /// What was let out while everything was held.
    pub annexes: Vec<AnnexLine>,
    /// What has to be said because numbers had reached partners before governance turned red.
    pub addenda: Vec<String>,
    /// What partners are told of migrations.
    pub notices: Vec<String>,
    /// Questions, and where the annex answers them.
    pub faq: Vec<FaqStub>,
    /// The versions that it was made under.
    pub footer: Footer,
}

/// A run that a readback rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunLine {
    /// The series.
    pub series: String,
    /// The run.
    pub job_run_id: String,
    /// How it ended.
    pub status: RunStatus,
    /// Where its diff is.
    pub artifact_uri: Option<String>,
    /// Who has signed it, each with how they are known, and whether that still counts.
    pub signers: Vec<String>,
}

/// A number that people will repeat, as both sides show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Headline {
    /// What people call it.
    pub label: String,
    /// What it says.
    pub definition: String,
    /// What it is counted in.
    pub unit: String,
    /// What leadership sees.
    pub leadership: Option<Cited>,
    /// What the partners get.
    pub partner: Option<Cited>,
    /// Whether both are near enough; *cannot tell* where one is missing or the metric is in no dictionary.
    pub agree: Verdict,
}

/// What was published under a bypass of a freeze.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CarveOut {
    /// The bypass.
    pub bypass_audit_id: String,
    /// The freeze that it goes round.
    pub parent_freeze_id: String,
    /// The run whose numbers it touches.
    pub job_run_id: String,
    /// How far it reaches, in a line; nothing where the bypass is not recorded.
    pub blast_radius: Option<String>,
}

impl CarveOut {
    /// Says how far it reaches.
    #[must_use]
    pub fn reach(&self) -> &str {
        let unknown = "NOT RECORDED HERE: how far it reaches is not established";
        self.blast_radius.as_deref().unwrap_or(unknown)
    }
}

/// A publish run that was let out while everything was held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AnnexLine {
    /// The annex, by its audit id.
    pub annex_id: String,
    /// The publish run.
    pub publish_run_id: String,
    /// Why.
    pub reason: String,
    /// Who asked for it, and who agreed.
    pub by: String,
    /// Until when it holds.
    pub expires_at_utc: Moment,
}

/// A question, and where the annex answers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FaqStub {
    /// The question.
    pub question: String,
    /// The metric.
    pub metric_id: String,
    /// The section of the annex.
    pub annex_anchor: String,
}

/// The versions that a readback was made under.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Footer {
    /// The footer schema in force.
    pub footer_schema_semver: Option<String>,
    /// The dictionary's release.
    pub dictionary_semver: Option<String>,
    /// The view that the partners' annex reads.
    pub annex_view_version: Option<String>,
    /// The banner of a migration that is under way; none outside of one.
    pub migration_banner_id: Option<String>,
}

impl Footer {
    /// Tells whether every version is established; outside of a migration there is no banner.
    #[must_use]
    pub const fn is_established(&self) -> bool {
        self.footer_schema_semver.is_some()
            && self.dictionary_semver.is_some()
            && self.annex_view_version.is_some()
    }

    /// Returns each line of the footer: its name and what it says.
    #[must_use]
    pub fn lines(&self) -> Vec<(&'static str, String)> {
        let said = |version: &Option<String>| {
            version
                .clone()
                .unwrap_or_else(|| NOT_ESTABLISHED.to_owned())
        };
        let mut lines = vec![
            ("footer_schema_semver", said(&self.footer_schema_semver)),
            ("dictionary_semver", said(&self.dictionary_semver)),
            ("annex_view_version", said(&self.annex_view_version)),
        ];
        lines.extend(
            self.migration_banner_id
                .clone()
                .map(|banner| ("migration_banner_id", banner)),
        );
        lines
    }
}

impl Readback {
    /// Tells whether what is read back passed: a run is there, each passed, and every headline has both its numbers.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let of_run = |run: &RunLine| match run.status {
            RunStatus::Pass => Verdict::Pass,
            RunStatus::Scheduled | RunStatus::Running => Verdict::CannotTell,
            _ => Verdict::Fail,
        };
        let runs = Verdict::all(self.runs.iter().map(of_run));
        let numbers = Verdict::all(self.headlines.iter().map(|headline| headline.agree));
        let known = |is_known: bool| {
            if is_known {
                Verdict::Pass
            } else {
                Verdict::CannotTell
            }
        };
        let bypasses = self.carve_outs.iter().all(|it| it.blast_radius.is_some());
        Verdict::all([
            runs,
            numbers,
            known(self.without_window.is_empty()),
            known(bypasses),
            known(self.footer.is_established()),
        ])
    }

    /// Says in a sentence how far the numbers can be relied on.
    #[must_use]
    pub fn standing(&self) -> String {
        match self.verdict() {
            Verdict::Pass => {
                "reconciled: leadership and partners agree within the epsilons of the dictionary"
                    .to_owned()
            }
            Verdict::Fail => {
                "NOT RECONCILED: leadership and partners do not agree; do not quote these numbers"
                    .to_owned()
            }
            Verdict::CannotTell if self.runs.is_empty() => {
                "CANNOT TELL: no run of this week was found".to_owned()
            }
            Verdict::CannotTell => {
                "CANNOT TELL: something that these numbers rest on is missing".to_owned()
            }
        }
    }
}

#[cfg(test)]
mod tests;
