//! Closes a migration after its cutover; it is watched for two scheduled windows more.

use super::super::entry::{Action, Asked, Draft, Row, Stop};
use super::{HOUR, Moved, hour, in_the_hour, read, there};
use crate::clock::Moment;
use crate::rules::Refusal;
use crate::rules::migration::hour::Step;
use crate::rules::migration::{self as rule, Closing, Move, Phase};
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::store::dictionary::AnnexView;
use crate::store::migration::{
    self, Aftermath, Allowlist, CompleteEvent, KnownHour, Migration, Signoff,
};
use crate::store::publish::FooterSchema;
use crate::store::{StoreError, View, dictionary, publish};

pub(in crate::actions) struct CloseMigration {
    id: String,
}

pub(in crate::actions) struct Facts {
    moved: super::Facts,
    after: Aftermath,
    annex: Option<AnnexView>,
    footer: Option<FooterSchema>,
    /// The allow-list of the cutover.
    allowlist: Option<Allowlist>,
}

impl Facts {
    /// Makes the rows of what is signed off: each run after the flip, and the versions that belong together from now on.
    fn signed_off(
        &self,
        hour: &KnownHour,
        flipped_by: &str,
        by: &Acting<'_>,
        now: Moment,
    ) -> Vec<Row> {
        let id = &self.moved.known.migration.migration_id;
        let signed = self.after.passed_runs.iter().map(|run| {
            Row::new(Signoff {
                migration_id: id.clone(),
                job_run_id: run.clone(),
                signer_id: by.id(),
                flipped_by: flipped_by.to_owned(),
                signed_at_utc: now,
                version: 1,
            })
        });
        let mut rows: Vec<Row> = signed.collect();
        if let (Some(annex), Some(footer), Some(list)) =
            (&self.annex, &self.footer, &self.allowlist)
        {
            rows.push(Row::new(CompleteEvent {
                migration_id: id.clone(),
                hour_no: hour.hour.hour_no,
                dictionary_semver: self.moved.known.migration.to_semver.clone(),
                footer_schema_semver: footer.current_semver.clone(),
                annex_view_version: annex.annex_view_version.clone(),
                allowlist_sha256: list.allowlist_sha256.clone(),
                completed_by: by.id(),
                completed_at_utc: now,
                version: 1,
            }));
        }
        rows
    }
}

impl Action for CloseMigration {
    const MAY: Permission = permission::CLOSE_MIGRATION;
    const KEY: char = 'c';
    const SUMMARY: &'static str =
        "Sign the runs off and close a migration; it is watched for two scheduled windows more";
    const UNDO: &'static str = "roll-back-migration: while it is watched";
    const KIND: &'static str = HOUR;
    const TARGET: &'static str = "The migration's id";
    type Facts = Option<Facts>;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            id: asked.target.clone(),
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Option<Facts>, StoreError> {
        let Some(moved) = read(view, &self.id).await? else {
            return Ok(None);
        };
        let to = &moved.known.migration.to_semver;
        Ok(Some(Facts {
            after: migration::aftermath(view, &moved.known).await?,
            annex: dictionary::annex_view_of(view, to).await?,
            footer: publish::footer_schema(view).await?,
            allowlist: migration::allowlist(view, &self.id, Phase::Cutover).await?,
            moved,
        }))
    }

    fn propose(&self, facts: &Option<Facts>, by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let read = facts.as_ref();
        let moved = there(read.map(|facts| &facts.moved), &self.id)?;
        let before = &moved.known.migration;
        let none = Aftermath::default();
        let after = read.map_or(&none, |facts| &facts.after);
        let hour = moved.known.running_hour();
        let stand = hour.map(KnownHour::stand);
        let annex = read.and_then(|facts| facts.annex.as_ref());
        let footer = read.and_then(|facts| facts.footer.as_ref());
        let open: Vec<&str> = after.open_series.iter().map(String::as_str).collect();
        let flipped = moved
            .known
            .entered()
            .map_or("nobody", |event| &event.moved_by);
        let closing = Closing {
            open_series: &open,
            series: after.series,
            watch_until: after.watch_until,
            flipped_by: flipped,
            closes: &by.actor.person_id,
            hour: stand.as_ref(),
            annex: annex.map(|row| (&*row.annex_view_version, &*row.footer_schema_semver)),
            footer: footer.map(|row| &*row.current_semver),
            allowlist: read
                .and_then(|facts| facts.allowlist.as_ref())
                .map(|list| &*list.allowlist_sha256),
        };
        let conditions = moved
            .known
            .decide(now, |facts| rule::may_close(facts, &closing));
        let row = Migration {
            closed_at_dt_utc: Some(now),
            watch_until: Some(after.watch_until.unwrap_or(now)),
            version: before.version + 1,
            ..before.clone()
        };
        let done = Moved {
            kind: Move::Close,
            second: None,
            back: None,
        };
        let mut rows = done.rows(before, row, by, now)?;
        if let (Some(hour), Some(facts)) = (hour, read) {
            rows.extend(hour::done_by_deed(
                &moved.known,
                Step::Complete,
                &by.reason(),
                by,
                now,
            )?);
            rows.extend(facts.signed_off(hour, flipped, by, now));
        }
        let draft = Draft::new(in_the_hour(before), conditions, rows);
        Ok(draft.with_notices(moved.tell(by, "closed", &by.reason())))
    }
}
