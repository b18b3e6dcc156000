//! The bell: what it rings for, each time once, and that it is said in words too.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::clock::Moment;
use crate::rules::Verdict;
use crate::rules::cadence::{Checkpoint, cadence};
use crate::rules::week::State;

use super::super::event::Effect;
use super::super::panes::{blocks, weeks};
use super::super::picture::Picture;
use super::super::reading::spoken;
use super::super::theme::Token;
use super::Model;

/// How long what happens counts as one thing.
const A_MOMENT: Duration = Duration::from_secs(5);

/// What stood at the last look; nothing rings for what was there at the first one.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// How many blocks were past their time.
    breached: Option<i64>,
    /// When it was last rung for one.
    rung: Option<Instant>,
    /// The rest, which only a new picture changes.
    stood: Option<Stood>,
}

/// What a picture holds that the bell may ring for.
#[derive(Debug)]
struct Stood {
    /// The proposals that wait for this person.
    asked_of: BTreeSet<String>,
    /// The weekly runs that wait for their name.
    owed: BTreeSet<String>,
    /// How the publish gate stands, and what was looked at.
    gate: (Verdict, String),
    /// How weekly reconciliation lets governance stand.
    governance: Option<State>,
}

impl Stood {
    fn of(picture: &Picture) -> Self {
        let waits = picture.asked_of_me(picture.now);
        let owed = picture.owed().into_iter();
        let gate = cadence(&picture.week)
            .into_iter()
            .find(|standing| standing.checkpoint == Checkpoint::PublishGate);
        let series = picture.series.iter();
        Self {
            asked_of: waits.map(|request| request.ticket.clone()).collect(),
            owed: owed
                .filter_map(|sight| Some(sight.look.newest()?.job_run_id.clone()))
                .collect(),
            gate: gate.map_or((Verdict::CannotTell, String::new()), |gate| {
                (gate.verdict, gate.evidence)
            }),
            governance: series.map(|sight| sight.look.standing.state).max(),
        }
    }
}

impl Model {
    /// Rings when a block has run past its time since the last look; tells whether one has.
    pub(super) fn ring_for_breaches(&mut self, effects: &mut Vec<Effect>) -> bool {
        let (Some(picture), Some(now)) = (&self.picture, self.now()) else {
            return false;
        };
        // Whoever may have answered meanwhile, a lost link does not tell.
        if self.link.trouble.is_some() {
            return false;
        }
        let late: i64 = picture
            .reasons
            .iter()
            .map(|reason| {
                let since = reason.next_late_utc.is_some_and(|due| now > due);
                reason.late + i64::from(since)
            })
            .sum();
        let rings = self.heard.breached.is_some_and(|before| late > before);
        // Of several in one moment the clock knows of one, and the next picture of all: that is one ring.
        let was_rung = |rung: Instant| self.at.saturating_duration_since(rung) < A_MOMENT;
        if rings && !self.heard.rung.is_some_and(was_rung) {
            let said = match late_of_mine(picture, now) {
                Some(run) => format!("{run} has run past its time, and it is yours"),
                None => "a block has run past its time".to_owned(),
            };
            self.heard.rung = Some(self.at);
            effects.push(Effect::Bell(said.clone()));
            self.say(Token::SlaBreach, said);
        }
        self.heard.breached = Some(late);
        rings
    }

    /// Rings when it has become this person's turn, or a gate stands otherwise, since the last look.
    pub(super) fn ring_for_news(&mut self, effects: &mut Vec<Effect>) {
        let Some(picture) = self.picture.clone() else {
            return;
        };
        let now = Stood::of(&picture);
        if let Some(before) = self.heard.stood.take() {
            let news = news(&before, &now, &picture);
            // What waits for somebody comes last, and is what they would come back for.
            effects.extend(news.last().map(|(_, said)| Effect::Bell(said.clone())));
            for (token, text) in news {
                self.say(token, text);
            }
        }
        self.heard.stood = Some(now);
    }
}

/// Names the block of whoever is at the keys that ran past its time just now.
fn late_of_mine(picture: &Picture, now: Moment) -> Option<&str> {
    let late = picture.mine.iter().filter_map(|block| {
        let over = now.since(block.audit.respond_by_utc?).num_seconds();
        let is_new = (0..A_MOMENT.as_secs().cast_signed()).contains(&over);
        (is_new && blocks::needs_somebody(block, now)).then_some((over, block))
    });
    let newest = late.min_by_key(|(over, _)| *over);
    newest.map(|(_, block)| block.audit.publish_run_id.as_str())
}

/// Says what has changed that somebody should hear of; what waits for them comes last, where it stays to be read.
fn news(before: &Stood, now: &Stood, picture: &Picture) -> Vec<(Token, String)> {
    let mut news = Vec::new();
    if before.gate.0 != now.gate.0 {
        let (token, word) = spoken(now.gate.0);
        news.push((
            token,
            format!("the publish gate: {word} now, {}", now.gate.1),
        ));
    }
    if let Some(state) = now
        .governance
        .filter(|_| before.governance != now.governance)
    {
        let word = state.word().to_uppercase();
        news.push((weeks::of_state(state), format!("governance is {word} now")));
    }
    for run in now.owed.difference(&before.owed) {
        news.push((Token::AckWaiting, format!("{run} waits for your name")));
    }
    let is_new = |ticket: &String| !before.asked_of.contains(ticket);
    let asked = picture.asked_of_me(picture.now);
    if let Some(request) = asked.filter(|request| is_new(&request.ticket)).last() {
        let (who, what) = (&request.proposed_by, request.action.replace('_', "-"));
        let text = format!("{who} asks for your yes: {what} of {}", request.target_id);
        news.push((Token::StatusWarn, text));
    }
    news
}
