//! Marks what is due about the first response to a block, by rule and each once, and tells whoever has to know.

use super::entry::{Action, Asked, Draft, Field, Required, Row, Stop};
use super::take_block::{no_such_block, target};
use crate::clock::Moment;
use crate::rules::block::{self, DueMark, SlaMark};
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::rules::{Refusal, time};
use crate::store::outbox::Notice;
use crate::store::publish::{self, Audit};
use crate::store::sla::{self, BlockMark, Open};
use crate::store::{StoreError, View, leaf, ledger};

/// How many cells of a drift are named.
const CELLS: usize = 3;

pub(super) struct MarkSla {
    run: String,
    mark: SlaMark,
}

pub(super) struct Facts {
    block: Option<Audit>,
    open: Option<Open>,
    marks: Vec<BlockMark>,
    /// What differs, in a line, where that was explained.
    drift: Option<String>,
    latest_entry_at: Option<Moment>,
}

impl Action for MarkSla {
    const MAY: Permission = permission::MARK_SLA;
    const KEY: char = ' ';
    const SUMMARY: &'static str =
        "Mark that the first response to a block is due soon, late, or was followed by nothing";
    const UNDO: &'static str = "cannot be undone: somebody was told";
    const KIND: &'static str = "block";
    const TARGET: &'static str = "The blocked run";
    const FIELDS: &'static [Field] = &[Field {
        name: "mark",
        help: "What is marked: soon, breach or stale",
        required: Required::Yes,
    }];
    type Facts = Facts;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            run: asked.target.clone(),
            mark: asked.required("mark")?.parse()?,
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Facts, StoreError> {
        let drift = leaf::drift(view, &self.run).await?;
        Ok(Facts {
            block: publish::audit(view, &self.run).await?,
            open: sla::find(view, &self.run).await?,
            marks: sla::marks(view, &self.run).await?,
            drift: drift
                .and_then(|filed| filed.drift.ok())
                .map(|drift| drift.in_a_line(CELLS)),
            latest_entry_at: ledger::head(view).await?.latest_at_utc,
        })
    }

    fn propose(&self, facts: &Facts, _by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let block = facts
            .block
            .as_ref()
            .ok_or_else(|| no_such_block(&self.run))?;
        let watched = facts.open.as_ref().map(Open::watched).ok_or_else(|| {
            Refusal::new(
                format!("{} is no open block: it is {}", self.run, block.status),
                "only a blocked run is watched",
            )
        })?;
        let mut conditions = block::may_mark(&block.standing(), &watched, self.mark, now);
        conditions.push(time::can_be_counted(facts.latest_entry_at, now));
        let due = watched.next(now).filter(|next| next.mark == self.mark);
        // Where nothing is due the conditions say so, and nothing of this is written.
        let due = due.unwrap_or(DueMark {
            mark: self.mark,
            since: block.created_at_utc,
            due_at: now,
        });
        let before = facts.marks.iter().filter(|it| it.mark == self.mark);
        let told = told(block, self.mark);
        let row = BlockMark {
            publish_run_id: self.run.clone(),
            mark: self.mark,
            mark_no: i64::try_from(before.count()).unwrap_or(i64::MAX) + 1,
            since_utc: due.since,
            due_at_utc: due.due_at,
            marked_at_utc: now,
            paged_id: told.map(str::to_owned),
            drill: block.drill,
            version: 1,
        };
        let notices = told.map(|recipient| Notice {
            event_class: event_class(self.mark),
            about: self.run.clone(),
            recipient_id: recipient.to_owned(),
            subject: subject(block, self.mark),
            body: body(block, due, facts.drift.as_deref(), now),
            drill: block.drill,
        });
        let draft = Draft::new(target(block), conditions, vec![Row::new(row)]);
        Ok(draft.with_notices(notices.into_iter().collect()))
    }
}

const fn event_class(mark: SlaMark) -> &'static str {
    match mark {
        SlaMark::Soon => "block_soon",
        SlaMark::Breach => "block_breached",
        SlaMark::Stale => "block_stale",
    }
}

/// Names who has to know: the owner of a block that nobody has answered, the backup at the breach, and of a block that
/// goes on no more the one of the two who did not take it.
fn told(block: &Audit, mark: SlaMark) -> Option<&str> {
    let (owner, backup) = (&block.owner_user_id, &block.backup_owner_user_id);
    match mark {
        SlaMark::Soon => owner.as_deref(),
        SlaMark::Breach => backup.as_deref(),
        SlaMark::Stale if block.taken_by == *backup => owner.as_deref(),
        SlaMark::Stale => backup.as_deref(),
    }
}

fn subject(block: &Audit, mark: SlaMark) -> String {
    let run = &block.publish_run_id;
    match mark {
        SlaMark::Soon => format!("publish block {run}: half of the time to answer is gone"),
        SlaMark::Breach => format!("publish block {run}: nobody answered in time"),
        SlaMark::Stale => format!("publish block {run}: taken, and no sign of work"),
    }
}

fn body(block: &Audit, due: DueMark, drift: Option<&str>, now: Moment) -> String {
    let run = &block.publish_run_id;
    let reason = block.block_reason.map_or("unknown", |reason| reason.word());
    let owner = block.owner_user_id.as_deref().unwrap_or("nobody");
    let respond_by = block
        .respond_by_utc
        .map_or_else(|| "unknown".to_owned(), |at| at.to_string());
    let what = match due.mark {
        SlaMark::Soon => format!(
            "{run} is blocked ({reason}) since {}, and you own it. The first response is due by {respond_by}.",
            block.created_at_utc
        ),
        SlaMark::Breach => format!(
            "{run} is blocked ({reason}). Its owner is {owner}, and nobody answered by {respond_by}: you are its backup."
        ),
        SlaMark::Stale => format!(
            "{run} is blocked ({reason}). {} took it, and has shown no sign of work since {}.",
            block.taken_by.as_deref().unwrap_or("somebody"),
            due.since
        ),
    };
    let late = due.lateness(now).map_or(String::new(), |late| {
        format!(
            "\nThis comes {} late: nobody was at work when it was due.",
            time::span(late)
        )
    });
    let drift = drift.map_or(String::new(), |says| format!("\n{says}."));
    let verb = if due.mark == SlaMark::Stale {
        "Look at it with: govdeck block show"
    } else {
        "Take it with: govdeck act take-block"
    };
    format!("{what}{late}{drift}\n{verb} {run}")
}
