//! `govdeck readback`: a week's numbers on one page, each with where it comes from.

use clap::Args;

use super::page::{Exit, Failure, Page};
use crate::clock::Moment;
use crate::readback::gather;
use crate::rules::readback::{Form, html, markdown};
use crate::settings::Settings;
use crate::store::Store;

/// Write a week's readback.
#[derive(Debug, Args)]
pub(super) struct Read {
    /// The week of the calendar, like 2026-W21; the one before this when left out.
    #[arg(long, value_name = "WEEK")]
    week: Option<String>,
    /// How it is written.
    #[arg(long, value_name = "md|html|json", default_value = "md")]
    format: Form,
}

impl Read {
    pub(super) async fn run(self, store: &Store, settings: &Settings) -> Result<Page, Failure> {
        let monday = match &self.week {
            Some(week) => Moment::of_iso_week(week).ok_or_else(|| {
                Failure::new(
                    Exit::BadInput,
                    format!("{week:?} is no week of the calendar"),
                    "write it as 2026-W21",
                )
            })?,
            None => store
                .view()
                .await?
                .now()
                .start_of_week()
                .plus_minutes(-7 * 24 * 60),
        };
        let readback = gather(store, &settings.governance_root, monday).await?;
        let exit = Exit::from(readback.verdict());
        let json = serde_json::to_value(&readback).map_err(|error| {
            Failure::new(
                Exit::CannotTell,
                format!("the readback cannot be written: {error}"),
                "report this as a bug",
            )
        })?;
        let page = |text: &str| Page::document(exit, text, "readback", json.clone());
        Ok(match self.format {
            Form::Markdown => page(&markdown(&readback)),
            Form::Html => page(&html(&readback)),
            Form::Json => Page::new(exit, Vec::new(), "readback", json).into_json(),
        })
    }
}
