//! The state as lines: what each says, apart from times that run by themselves, so that it is news only when it changes.

use std::sync::Arc;

use super::super::live::Liveness;
use super::super::model::Model;
use super::super::panes::{PaneId, blocks, ledger};
use super::super::picture::{Approval, Picture};
use crate::clock::Moment;
use crate::rules::approval::Part;
use crate::rules::block::{BlockReason, Sla};
use crate::rules::people::Role;
use crate::store::block::OpenBlock;

/// A line of the state.
pub(super) struct Line {
    /// What tells it from the others.
    pub key: String,
    /// What it says.
    pub says: String,
    /// What it says besides when it is told, and what alone is no news.
    pub aside: String,
}

impl Line {
    fn new(key: impl Into<String>, says: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            says: says.into(),
            aside: String::new(),
        }
    }
}

/// The newest pictures of the two panes that hold what others do not.
#[derive(Default)]
pub(super) struct Seen {
    home: Option<Arc<Picture>>,
    blocks: Option<Arc<Picture>>,
}

impl Seen {
    /// Keeps the newest picture, where it is one of them.
    pub fn take(&mut self, model: &Model) {
        let Some(picture) = &model.picture else {
            return;
        };
        match picture.wanted.pane {
            PaneId::Home => self.home = Some(Arc::clone(picture)),
            PaneId::Blocks => self.blocks = Some(Arc::clone(picture)),
            _ => {}
        }
    }

    /// Names the pane whose picture is older than the newest entry; none where both are of it.
    pub fn missing(&self, model: &Model) -> Option<PaneId> {
        let newest = model.picture.as_ref()?.head.seq;
        let is_old = |seen: &Option<Arc<Picture>>| {
            seen.as_ref()
                .is_none_or(|picture| picture.head.seq < newest)
        };
        [(PaneId::Home, &self.home), (PaneId::Blocks, &self.blocks)]
            .into_iter()
            .find(|(_, seen)| is_old(seen))
            .map(|(pane, _)| pane)
    }
}

/// Lists the whole state; none while a part of it was never read.
pub(super) fn lines(model: &Model, seen: &Seen) -> Option<Vec<Line>> {
    let (home, blocks) = (seen.home.as_ref()?, seen.blocks.as_ref()?);
    let (picture, now) = (model.picture.as_ref()?, model.now()?);
    let environment = picture.deployment.environment.word().to_uppercase();
    let mut lines = vec![
        Line::new(
            "environment",
            format!(
                "environment {environment}, {}, {}",
                picture.deployment.name, model.start.place
            ),
        ),
        Line::new("you", you(picture)),
        Line::new("mode", "mode read-only: nothing is written from here"),
        Line::new("link", link(model)),
        Line::new("phase", phase(home)),
    ];
    lines.extend(picture.series.iter().map(|sight| {
        let (series, standing) = (&sight.look.series.series_id, &sight.look.standing);
        let word = standing.state.word().to_uppercase();
        Line::new(
            format!("weekly {series}"),
            format!("weekly {series} {word}: {}", standing.because.meaning()),
        )
    }));
    let counts = picture.counts;
    lines.push(Line::new(
        "gate",
        format!(
            "blocked {}, waiting for the gate {}",
            counts.open, counts.pending
        ),
    ));
    lines.extend(blocks.blocks.rows.iter().map(|row| block(model, row, now)));
    if blocks.blocks.more_after {
        lines.push(Line::new(
            "more blocks",
            "and more blocks that are not told here",
        ));
    }
    lines.extend(mine(model, picture, now));
    lines.extend(picture.recent.first().map(|entry| {
        Line::new(
            "newest decision",
            format!(
                "newest decision: {} {} {} by {}",
                entry.seq,
                entry.action,
                entry.target_id,
                ledger::by(entry)
            ),
        )
    }));
    Some(lines)
}

fn you(picture: &Picture) -> String {
    match &picture.actor {
        None => format!(
            "you are nobody here: the login {} may only look",
            picture.login
        ),
        Some(actor) => {
            let roles: Vec<_> = actor.roles.iter().copied().map(Role::word).collect();
            let roles = if roles.is_empty() {
                "no role".to_owned()
            } else {
                roles.join(", ").replace('_', " ")
            };
            format!("you are {}, {roles}", actor.person_id)
        }
    }
}

fn link(model: &Model) -> String {
    match (model.liveness(), &model.link.trouble) {
        (_, Some((why, hint))) => format!("link LOST: {why}; {hint}; what was told is old"),
        (Liveness::Live, _) => "link live".to_owned(),
        (Liveness::Loading, _) => "link loading".to_owned(),
        (Liveness::Late(_), _) => "link LATE: nothing was heard for some seconds".to_owned(),
        (Liveness::Lost(_), _) => "link LOST: nothing is heard; what was told is old".to_owned(),
    }
}

/// Says which phase the dictionary's migration is in, and what comes next.
fn phase(home: &Picture) -> String {
    if let Some(hour) = &home.migrations.running {
        let id = &hour.hour.migration_id;
        return match hour.stand().at() {
            Some(at) => format!(
                "phase: the hour of {id} runs; next step {} of 7, {}",
                at.step.number(),
                at.step.meaning()
            ),
            None => format!("phase: the hour of {id} runs"),
        };
    }
    match &home.migrations.newest {
        None => "phase: no migration is open".to_owned(),
        Some(found) => {
            let next = found
                .phase
                .next()
                .map_or_else(|| "nothing".to_owned(), |next| next.to_string());
            format!(
                "phase: {} is in {}, {} to {}; next {next}",
                found.migration_id, found.phase, found.from_semver, found.to_semver
            )
        }
    }
}

fn block(model: &Model, row: &OpenBlock, now: Moment) -> Line {
    let audit = &row.audit;
    let who = |person: &Option<String>| person.clone().unwrap_or_else(|| "nobody".to_owned());
    let due = audit.respond_by_utc.map(|due| model.when(due));
    let due = due.unwrap_or_else(|| "no limit".to_owned());
    let (class, runs) = match blocks::clock_of(row, now) {
        Some(Sla::Answered) => ("answered", false),
        Some(Sla::InTime) => ("time enough", true),
        Some(Sla::Soon) => ("SOON", true),
        Some(Sla::Breach) => ("BREACH", true),
        None => ("no time limit", false),
    };
    let left = audit.respond_by_utc.filter(|_| runs).map(|due| {
        let seconds = due.since(now).num_seconds();
        let word = if seconds < 0 { "over" } else { "left" };
        format!(", {} {word}", blocks::clock(seconds))
    });
    Line {
        key: format!("block {}", audit.publish_run_id),
        says: format!(
            "block {}: {}, {}, {class}, answer by {due}, owner {}, backup {}",
            audit.publish_run_id,
            audit.block_reason.map_or("unknown", BlockReason::word),
            blocks::state(row, now).1,
            who(&audit.owner_user_id),
            who(&audit.backup_owner_user_id),
        ),
        aside: left.unwrap_or_default(),
    }
}

/// Lists what waits for whoever reads this.
fn mine(model: &Model, picture: &Picture, now: Moment) -> Vec<Line> {
    let mut lines: Vec<Line> = picture
        .approvals
        .iter()
        .map(|approval| proposal(model, approval, now))
        .collect();
    lines.extend(picture.owed().into_iter().filter_map(|sight| {
        let run = &sight.look.newest()?.job_run_id;
        let (have, need) = sight.quorum;
        Some(Line::new(
            format!("sign {run}"),
            format!("for you: sign {run}, {have} of {need} names count"),
        ))
    }));
    lines.extend(picture.mine.iter().map(|row| {
        let run = &row.audit.publish_run_id;
        Line::new(format!("answer {run}"), format!("for you: block {run}"))
    }));
    let waiting = picture.how_many_wait(now);
    let said = match waiting.as_str() {
        "0" => "nothing waits for you".to_owned(),
        count => format!("waiting for you: {count}"),
    };
    lines.insert(0, Line::new("waiting", said));
    lines
}

fn proposal(model: &Model, approval: &Approval, now: Moment) -> Line {
    let request = &approval.waiting.request;
    let what = format!("{} {}", request.action.replace('_', "-"), request.target_id);
    let until = model.date_and_clock(request.expires_at_utc);
    let is_over = now >= request.expires_at_utc;
    let says = match approval.part {
        _ if is_over => format!("EXPIRED: {what}, proposed by {}", request.proposed_by),
        Part::Second => format!(
            "for you: {} asks for your yes to {what}, until {until}",
            request.proposed_by
        ),
        Part::Proposer => format!("yours: {what} waits for a second person until {until}"),
    };
    Line::new(format!("proposal {}", request.ticket), says)
}
