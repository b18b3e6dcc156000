//! Texts that open to be read: why something can or cannot be done, and what was said.

use crate::actions::Entry;
use crate::rules::Verdict;
use crate::rules::cadence::{Checkpoint, Standing, Week, cadence};

use super::list::Scroll;
use super::model::{Model, Said};
use super::overlay::Text;
use super::panes::{PaneId, cutover};
use super::theme::Token;
use super::topics::{Named, topic};
use super::ui::Parts;

/// Names a verdict, as every list of them does.
fn verdict(verdict: Verdict) -> (Token, &'static str) {
    match verdict {
        Verdict::Pass => (Token::GatePass, "PASS"),
        Verdict::Fail => (Token::GateFail, "FAIL"),
        Verdict::CannotTell => (Token::GateUnknown, "  ? "),
    }
}

/// Names a verdict in a sentence.
pub(super) fn spoken(verdict: Verdict) -> (Token, &'static str) {
    match verdict {
        Verdict::Pass => (Token::GatePass, "PASS"),
        Verdict::Fail => (Token::GateFail, "FAIL"),
        Verdict::CannotTell => (Token::GateUnknown, "cannot tell"),
    }
}

/// Says how the cert week stands: the sixth checkpoint in words, as it alone stops anything, and how each of the nine does.
pub(super) fn week_in_short(week: &Week, dot: &str) -> Parts {
    let all = cadence(week);
    let gate = all
        .iter()
        .find(|standing| standing.checkpoint == Checkpoint::PublishGate);
    let (token, word) = spoken(gate.map_or(Verdict::CannotTell, |gate| gate.verdict));
    let alike = all.chunk_by(|one, next| one.verdict == next.verdict);
    let steps: Vec<_> = alike.filter_map(steps).collect();
    vec![
        (Token::Muted, "cert week: publish gate ".to_owned()),
        (token, word.to_owned()),
        (Token::Muted, format!(" {dot} {}", steps.join(", "))),
    ]
}

/// Names checkpoints in a row that stand alike.
fn steps(alike: &[Standing]) -> Option<String> {
    let (first, last) = (alike.first()?, alike.last()?);
    let verdict = spoken(first.verdict).1.to_lowercase();
    Some(if first.step == last.step {
        format!("{} {verdict}", first.step)
    } else {
        format!("{}-{} {verdict}", first.step, last.step)
    })
}

impl Model {
    /// Writes what the verdict on the selected row rests on, and every condition of every action on it. In the hour of a
    /// cutover what holds the next step back comes first.
    pub(super) fn why(&self) -> Text {
        let mut parts = vec![super::proof::of(self)];
        let mut actions = self.here().actions();
        if self.pane == PaneId::Cutover {
            let next = cutover::sight(self).map_or("start_hour", cutover::next_deed);
            actions.sort_by_key(|entry| entry.verb != next);
            let first: Vec<_> = actions.drain(..1.min(actions.len())).collect();
            parts.insert(0, first.iter().flat_map(|it| self.why_of(it)).collect());
        }
        parts.push(actions.iter().flat_map(|it| self.why_of(it)).collect());
        parts.retain(|lines| !lines.is_empty());
        let title = self
            .about()
            .map_or("Why".to_owned(), |(_, id)| format!("Why: {id}"));
        Text {
            title,
            lines: parts.join(&(Token::Muted, String::new())),
            scroll: Scroll::default(),
        }
    }

    /// Writes every condition of an action; nothing for one on a row of another kind, as nobody asks about that.
    fn why_of(&self, entry: &'static Entry) -> Vec<(Token, String)> {
        let is_of_row = topic(entry.kind).is_some_and(|topic| topic.named == Named::Selected);
        if is_of_row && self.here().kind != Some(entry.kind) {
            return Vec::new();
        }
        let refusal = self.why_not(entry);
        let picture = self.picture.as_ref();
        let picture = picture.filter(|picture| picture.wanted.about == self.about());
        let mut possible = picture.iter().flat_map(|picture| &picture.possible);
        let possible = possible.find(|possible| possible.entry.verb == entry.verb);
        let (token, word) = match &refusal {
            None => (Token::GatePass, "possible now"),
            Some(_) => (Token::GateFail, "not now"),
        };
        let mut lines = vec![(
            token,
            format!("{} (guard {}): {word}", entry.name(), entry.level),
        )];
        for condition in possible.map_or(&[][..], |possible| &possible.conditions) {
            let (token, word) = verdict(condition.verdict);
            lines.push((
                token,
                format!("  [{word}] {}: {}", condition.id, condition.evidence),
            ));
            if condition.verdict != Verdict::Pass {
                lines.push((
                    Token::Muted,
                    format!("         {}: {}", condition.owner, condition.fix),
                ));
            }
        }
        if let Some(refusal) = refusal
            && possible.is_none_or(|possible| possible.conditions.is_empty())
        {
            lines.push((Token::Fg, format!("  {}", refusal.sentence)));
            lines.push((Token::Muted, format!("  {}", refusal.hint)));
        }
        lines
    }

    /// Writes the nine checkpoints of the cert week.
    pub(super) fn week(&self) -> Text {
        let week = self.picture.as_ref().map(|picture| picture.week);
        let lines = cadence(&week.unwrap_or_default()).into_iter().map(|of| {
            let (token, word) = verdict(of.verdict);
            let (step, checkpoint, evidence) = (of.step, of.checkpoint.word(), of.evidence);
            let says = format!(
                "[{word}] {step} {checkpoint:<20} {evidence} ({})",
                of.effect
            );
            (token, says)
        });
        Text {
            title: "Cert week".to_owned(),
            lines: lines.collect(),
            scroll: Scroll::default(),
        }
    }

    pub(super) fn said(&self) -> Text {
        let line = |said: &Said| {
            let at = said.at.map_or_else(|| " ".repeat(9), |at| self.clock(at));
            (said.token, format!("{at} {}", said.text))
        };
        let mut lines: Vec<_> = self.messages.iter().rev().map(line).collect();
        if lines.is_empty() {
            lines.push((Token::Muted, "nothing was said yet".to_owned()));
        }
        if let Some(outbox) = self.outbox_line() {
            lines.insert(0, outbox);
        }
        Text {
            title: "Messages, the newest first".to_owned(),
            lines,
            scroll: Scroll::default(),
        }
    }
}
