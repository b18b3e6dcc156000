//! What a migration that is taken back takes along, whoever decided it: its move, the hour that runs, and after its cutover a
//! task to deploy exporters anew, and what partners are told.

use super::super::entry::{Row, Stop};
use super::{Facts, Moved, hour, read};
use crate::clock::Moment;
use crate::rules::migration::{Gate, Move, NoticeKind, Phase, RollbackReason};
use crate::rules::people::Acting;
use crate::rules::text::shorten;
use crate::store::migration::{self, Migration, MigrationNotice, RedeployTask};
use crate::store::outbox::Notice;
use crate::store::{StoreError, View};

/// How long what partners are told may be.
const MOST_TEXT: usize = 2_000;

/// A migration that may go back.
pub(in crate::actions) struct Back {
    pub(in crate::actions) moved: Facts,
    /// Who deploys exporters anew: whoever answers for their allow-list.
    owner: String,
}

/// Reads what a migration takes along when it goes back.
pub(super) async fn read_back(view: &mut View, id: &str) -> Result<Option<Back>, StoreError> {
    let Some(moved) = read(view, id).await? else {
        return Ok(None);
    };
    let owner = migration::answers_for(view, &moved.known.migration, Gate::Allowlist).await?;
    Ok(Some(Back { moved, owner }))
}

/// Makes the migration as it is once it went back.
pub(super) fn went_back(before: &Migration, reason: RollbackReason, now: Moment) -> Migration {
    Migration {
        phase: Phase::Rollback,
        closed_at_dt_utc: Some(now),
        rollback_reason: Some(reason),
        watch_until: None,
        version: before.version + 1,
        ..before.clone()
    }
}

/// Makes everything that goes back.
pub(super) fn taken_back(
    back: &Back,
    why: (RollbackReason, &str),
    by: &Acting<'_>,
    now: Moment,
) -> Result<(Vec<Row>, Vec<Notice>), Stop> {
    let known = &back.moved.known;
    let before = &known.migration;
    let after = went_back(before, why.0, now);
    let moved = Moved {
        kind: Move::Rollback,
        second: None,
        back: Some(why),
    };
    let mut rows = moved.rows(before, after, by, now)?;
    rows.extend(hour::given_up(known, why.1, by, now)?);
    let (further, notices) = follows(before, &back.owner, why, by, now);
    rows.extend(further);
    Ok((rows, notices))
}

/// Makes what follows; nothing does where exporters still wrote both halves.
fn follows(
    before: &Migration,
    owner: &str,
    (reason, why): (RollbackReason, &str),
    by: &Acting<'_>,
    now: Moment,
) -> (Vec<Row>, Vec<Notice>) {
    if before.phase != Phase::Cutover {
        return (Vec::new(), Vec::new());
    }
    let id = &before.migration_id;
    let (from, to) = (&before.to_semver, &before.from_semver);
    let task = RedeployTask {
        migration_id: id.clone(),
        from_semver: from.clone(),
        to_semver: to.clone(),
        owner_id: owner.to_owned(),
        opened_at_utc: now,
        done_by: None,
        done_reason: None,
        done_at_utc: None,
        version: 1,
    };
    let decided = if reason.is_measured() {
        "a rule found it in what was compared"
    } else {
        "a governance lead decided it"
    };
    let text = format!("{id} was rolled back from {from} to {to}: {reason}, {decided}. {why}");
    let told = MigrationNotice {
        migration_id: id.clone(),
        kind: NoticeKind::RolledBack,
        notice_text: shorten(&text, MOST_TEXT).into_owned(),
        published_at_utc: now,
        published_by: by.id(),
        version: 1,
    };
    let notice = Notice {
        event_class: "redeploy_opened",
        about: id.clone(),
        recipient_id: owner.to_owned(),
        subject: format!("{id}: deploy exporters anew, from {from} back to {to}"),
        body: format!(
            "The migration was taken back: {reason}. {why}\nDeploy the exporter profile of {to}, and say that it is done: \
             `govdeck act close-redeploy-task {id}`."
        ),
        drill: false,
    };
    (vec![Row::new(task), Row::new(told)], vec![notice])
}
