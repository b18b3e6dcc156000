//! What this console does that takes its time, the run of a bundle or a step of a cutover's hour: how far it has come, and
//! how it ended.

use std::time::Instant;

use crate::bundles::Step;
use crate::jobs::bundle::{Ended, claims};
use crate::jobs::hour::Performed;
use crate::rules::bundle::RunType;
use crate::rules::migration::hour::StepState;
use crate::rules::text::shorten;
use crate::rules::time::minutes;
use crate::rules::{Refusal, permission};

use super::theme::Token;
use super::ui::Parts;

/// How many digits of a receipt's hash are shown.
const DIGITS: usize = 12;

/// What is done here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// The run of a bundle.
    Bundle(RunType),
    /// The step of an hour that was begun.
    Step,
}

impl Work {
    /// Tells what somebody who did an action here has done here.
    #[must_use]
    pub fn of(verb: &str) -> Option<Self> {
        if verb == permission::BEGIN_STEP.verb {
            return Some(Self::Step);
        }
        claims(verb).map(Self::Bundle)
    }
}

/// How it ended.
#[derive(Debug, Clone)]
pub enum Came {
    /// The run of a bundle has.
    Bundle(Ended),
    /// The work of a step has.
    Step(Performed),
}

/// A run under way, or the last one.
#[derive(Debug, Clone)]
pub struct Running {
    /// The bundle, or the migration.
    pub migration_id: String,
    /// What is done.
    pub work: Work,
    /// The run, as soon as it is known.
    pub run_id: Option<String>,
    /// When this console began.
    pub begun: Instant,
    /// What it was at, and since when; statements follow each other in one line.
    pub log: Vec<(Instant, Step)>,
    /// How it ended, or why this console could not bring it to its end.
    pub end: Option<(Instant, Result<Came, Refusal>)>,
}

impl Running {
    /// Begins.
    #[must_use]
    pub fn new(migration_id: &str, work: Work, at: Instant) -> Self {
        Self {
            migration_id: migration_id.to_owned(),
            work,
            run_id: None,
            begun: at,
            log: Vec::new(),
            end: None,
        }
    }

    /// Notes what it is at now.
    pub fn take(&mut self, step: Step, at: Instant) {
        let is_next = |last: &Step| {
            let both = (last, &step);
            last == &step || matches!(both, (Step::Statement { .. }, Step::Statement { .. }))
        };
        match self.log.last_mut() {
            Some((_, last)) if is_next(last) => *last = step,
            _ => self.log.push((at, step)),
        }
    }

    /// Tells whether it is still at work.
    #[must_use]
    pub fn is_under_way(&self) -> bool {
        self.end.is_none()
    }

    /// Says in one line what it is, or how it ended.
    #[must_use]
    pub fn said(&self) -> (Token, String) {
        let id = &self.migration_id;
        let verb = self.verb();
        match &self.end {
            None => (Token::StatusPending, format!("{id} is being {verb}")),
            Some((_, Ok(Came::Bundle(ended)))) => {
                let receipt = shorten(&ended.receipt_sha256, DIGITS);
                let said = format!("{id}: {}, receipt {receipt}", ended.outcome);
                let is_success = match self.work {
                    Work::Bundle(run_type) => ended.is_success(run_type),
                    Work::Step => false,
                };
                let token = if is_success {
                    Token::StatusOk
                } else {
                    Token::StatusDanger
                };
                (token, said)
            }
            Some((_, Ok(Came::Step(performed)))) => {
                let token = match performed.state {
                    StepState::Done => Token::StatusOk,
                    StepState::Running => Token::StatusPending,
                    StepState::DoneWithWarning => Token::StatusWarn,
                    _ => Token::StatusDanger,
                };
                let (step, state) = (performed.step, performed.state);
                (token, format!("{id}: {step} {state}"))
            }
            Some((_, Err(why))) => (
                Token::StatusDanger,
                format!("{id} was not {verb}: {}", why.sentence),
            ),
        }
    }

    fn verb(&self) -> &'static str {
        match self.work {
            Work::Bundle(RunType::Rollback) => "taken back",
            Work::Bundle(_) => "made",
            Work::Step => "brought on by a step",
        }
    }

    /// Says everything, line by line.
    #[must_use]
    pub fn lines(&self, at: Instant) -> Vec<Parts> {
        let since = |moment: Instant| minutes(moment.saturating_duration_since(self.begun));
        let until = self.end.as_ref().map_or(at, |(end, _)| *end);
        let (token, said) = self.said();
        let mut lines = vec![vec![
            (token, said),
            (Token::Muted, format!(" after {}", since(until))),
        ]];
        if self.is_under_way() {
            lines[0][1].1 = format!(" here since {}", since(until));
        }
        for (number, (begun, step)) in (1..).zip(&self.log) {
            let is_now = self.is_under_way() && number == self.log.len();
            let look = if is_now { Token::Fg } else { Token::Muted };
            lines.push(vec![
                (Token::Muted, format!("  {} ", since(*begun))),
                (look, step.to_string()),
            ]);
        }
        match &self.end {
            Some((_, Ok(came))) => {
                let said = match came {
                    Came::Bundle(ended) => [ended.detail.as_deref(), None],
                    Came::Step(done) => [Some(&*done.detail), done.then.as_deref()],
                };
                let said = said.into_iter().flatten();
                lines.extend(said.map(|said| vec![(Token::Fg, format!("  {said}"))]));
            }
            Some((_, Err(why))) => lines.push(vec![(Token::Fg, format!("  {}", why.hint))]),
            None => {}
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn statement(number: usize) -> Step {
        Step::Statement {
            number,
            of: 2,
            file: "forward.sql".to_owned(),
            line: 7,
        }
    }

    fn text(running: &Running, at: Instant) -> String {
        let line = |parts: &Parts| parts.iter().map(|(_, text)| &**text).collect::<String>();
        let lines: Vec<String> = running.lines(at).iter().map(line).collect();
        lines.join("\n")
    }

    #[test]
    fn statements_share_a_line_and_every_other_step_has_its_own() {
        let begun = Instant::now();
        let after = |seconds| begun + Duration::from_secs(seconds);
        let mut running = Running::new("PG-1", Work::Bundle(RunType::Migration), begun);
        running.take(Step::Look, begun);
        running.take(Step::Look, after(1));
        running.take(statement(1), after(2));
        running.take(statement(2), after(63));
        assert_eq!(
            text(&running, after(65)),
            "PG-1 is being made here since 01:05\n  00:00 looks at the target\n  00:02 statement 2 of 2, forward.sql:7"
        );
        running.take(Step::Judge, after(70));
        let refusal = Refusal::new("the database is gone", "look at it");
        running.end = Some((after(71), Err(refusal)));
        let said = text(&running, after(99));
        assert!(said.starts_with("PG-1 was not made: the database is gone after 01:11\n"));
        assert!(
            said.ends_with("  01:10 looks again and judges\n  look at it"),
            "{said}"
        );
    }
}
