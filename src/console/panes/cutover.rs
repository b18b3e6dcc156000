//! The hour of a cutover: its clock, its seven steps, what comes now, and what that would do.
//!
//! ```text
//! ┌─ Cutover · mig-2026-05-14 · hour 1 led by maya · 41:12 of the hour left ─┐
//! │   1 announce   done               16:02  maya                            │
//! │ > 3 flip       running            02:10  maya                            │
//! ├─ step 3 of 7: replay again, flip, deploy the exporters' profile ─────────┤
//! │ what it does, how it ended and why, what you may do                      │
//! ```

use ratatui::layout::Rect;

use crate::clock::Moment;
use crate::rules::migration::Phase;
use crate::rules::migration::hour::{HOUR, HourClock, HourStatus, Step, StepState};
use crate::rules::time;
use crate::store::migration::{HourStep, KnownHour};

use super::super::chart;
use super::super::migration_sight::HourSight;
use super::super::model::Model;
use super::super::theme::Token;
use super::super::ui::{Glyphs, Parts, Pen, muted};

/// How many cells the clock of the hour has.
const CLOCK: usize = 30;
/// How many cells the sixty minutes have beside the steps, four minutes a cell or three.
const NARROW: usize = 15;
const WIDE: usize = 20;
/// How many lines the clock and the steps take in their frame.
const TIMELINE: u16 = 10;
/// How many letters of a hash are shown.
pub(super) const DIGITS: usize = 12;

pub(in crate::console) fn sight(model: &Model) -> Option<&HourSight> {
    model.picture.as_ref()?.migrations.hour.as_deref()
}

/// Tells whether the clock of an hour is on the screen.
#[must_use]
pub fn counts(model: &Model) -> bool {
    let hour = sight(model).and_then(|sight| sight.hour.as_ref());
    hour.is_some_and(|hour| hour.hour.status == HourStatus::Running)
}

/// Says in one line that an hour runs, and which step comes now.
#[must_use]
pub(super) fn in_a_line(hour: &KnownHour, now: Moment) -> Parts {
    let stand = hour.stand();
    let step = stand.at().map_or("every step is done".to_owned(), |at| {
        format!("step {} {} {}", at.step.number(), at.step, at.state)
    });
    vec![
        (Token::PhaseCurrent, "CUTOVER HOUR ".to_owned()),
        (Token::Fg, format!("{step}, {}", stand.clock(now).said())),
        muted(format!(
            "; {}, led by {}",
            hour.hour.migration_id, hour.hour.lead_id
        )),
    ]
}

/// Says to who leads an hour that it waits for them, and with which step.
pub(super) fn waits(hour: &KnownHour) -> Parts {
    let step = hour.stand().at().map_or("its end".to_owned(), |at| {
        format!("step {} {}", at.step.number(), at.step)
    });
    vec![
        (Token::PhaseCurrent, "lead ".to_owned()),
        (Token::Fg, format!("the hour of {}", hour.hour.migration_id)),
        muted(format!("  {step}")),
    ]
}

/// Draws the pane.
pub fn draw(model: &Model, pen: &mut Pen<'_>, area: Rect) {
    let Some(sight) = sight(model) else {
        let none = "no migration was opened yet; govdeck migration new";
        return super::say(pen, area, Token::Muted, none);
    };
    let (list, detail) = parts(model, area);
    if list.height > 0 {
        let dot = pen.glyphs.dot();
        let id = &sight.migration.migration_id;
        let title = match &sight.hour {
            None => format!("Cutover {dot} {id} {dot} no hour was begun"),
            Some(hour) => format!(
                "Cutover {dot} {id} {dot} hour {} {} {dot} led by {}",
                hour.hour.hour_no, hour.hour.status, hour.hour.lead_id
            ),
        };
        let inside = pen.frame(list, &title, Token::BorderFocus);
        let mut lines: Vec<Parts> = Vec::new();
        if let (Some(hour), Some(now)) = (&sight.hour, model.now()) {
            lines.push(clock(model, (sight, hour), now, pen));
        }
        let hour = sight.hour.as_ref();
        let chart = Chart::Drawn {
            opens: hour.and_then(|hour| hour.stand().opens()),
            cells: if inside.width < 80 { NARROW } else { WIDE },
            glyphs: pen.glyphs,
        };
        lines.extend(timeline(model, sight, chart));
        let inside = Rect {
            x: inside.x + 1,
            width: inside.width.saturating_sub(2),
            ..inside
        };
        pen.lines(inside, &lines);
    }
    if detail.height > 0 {
        let title = match comes_now(sight) {
            Some(step) => format!("step {} of 7: {}", step.number(), step.meaning()),
            None if sight.hour.is_some() => "how it ended".to_owned(),
            None => "what comes now".to_owned(),
        };
        pen.frame(detail, &title, Token::Border);
        super::detail(
            model,
            pen,
            detail,
            &super::hour_detail::explain(model, sight),
        );
    }
}

/// Splits the pane; where both parts stand one above the other, every step has its line.
fn parts(model: &Model, area: Rect) -> (Rect, Rect) {
    let (list, detail) = super::split(model, area, Step::ALL.len() + 1);
    if list.height == 0 || detail.height == 0 || list.y == detail.y {
        return (list, detail);
    }
    let height = TIMELINE.min(area.height);
    let below = Rect {
        y: area.y + height,
        height: area.height - height,
        ..area
    };
    (Rect { height, ..area }, below)
}

/// Says which step failed; nothing where none has.
#[must_use]
pub fn failed(model: &Model) -> Option<String> {
    let hour = sight(model)?.hour.as_ref()?;
    let is_failed = |row: &&HourStep| matches!(row.state, StepState::Failed | StepState::Aborted);
    let row = hour.steps.iter().find(is_failed)?;
    Some(format!(
        "step {} of 7, {}, {}",
        row.step.number(),
        row.step,
        row.state
    ))
}

/// Finds the step that comes now; none where no hour runs, or every step is done.
pub(in crate::console) fn comes_now(sight: &HourSight) -> Option<Step> {
    let hour = sight.hour.as_ref()?;
    if hour.hour.status != HourStatus::Running {
        return None;
    }
    hour.stand().at().map(|at| at.step)
}

/// Names the action by which the hour begins, or goes on.
pub(in crate::console) fn next_deed(sight: &HourSight) -> &'static str {
    let step = comes_now(sight);
    let row = step.and_then(|step| sight.hour.as_ref()?.step(step));
    let (Some(step), Some(row)) = (step, row) else {
        return "start_hour";
    };
    let by = sight.plan.as_ref().and_then(|plan| plan.outside(step));
    step.next_deed(row.state, sight.migration.phase == Phase::Cutover, by)
}

/// The clock as a bar and in words; what ran out is loud.
fn clock(
    model: &Model,
    (sight, hour): (&HourSight, &KnownHour),
    now: Moment,
    pen: &Pen<'_>,
) -> Parts {
    if hour.hour.status != HourStatus::Running {
        let at = hour.hour.ended_at_utc.map(|at| model.date_and_clock(at));
        let token = if hour.hour.status == HourStatus::Done {
            Token::StatusOk
        } else {
            Token::StatusDanger
        };
        let mut line = vec![
            (token, hour.hour.status.word().to_uppercase()),
            muted(format!(" at {}", at.unwrap_or_default())),
        ];
        if let Some(reason) = sight
            .migration
            .rollback_reason
            .filter(|_| hour.hour.status == HourStatus::Done)
        {
            line.push((Token::StatusDanger, format!("; TAKEN BACK since: {reason}")));
        }
        return line;
    }
    let stands = hour.stand().clock(now);
    let (token, gone) = match stands {
        HourClock::Announcing | HourClock::Notice(_) => (Token::StatusPending, 0),
        HourClock::Left(left) => {
            let gone = HOUR.saturating_sub(left).as_secs();
            let gone = chart::cells(gone, HOUR.as_secs(), CLOCK);
            let token = if left.as_secs() < 600 {
                Token::SlaSoon
            } else {
                Token::SlaOk
            };
            (token, gone)
        }
        HourClock::Over(_) => (Token::SlaBreach, CLOCK),
    };
    let mut line = chart::stretch((token, 0..gone), CLOCK, &[], pen.glyphs);
    line.push((token, format!(" {}", stands.said())));
    line
}

/// How the beginnings and lengths of steps are told: where there is no chart, by their times.
#[derive(Clone, Copy)]
enum Chart {
    Drawn {
        opens: Option<Moment>,
        cells: usize,
        glyphs: Glyphs,
    },
    Told,
}

/// Tells the steps in words alone.
pub(super) fn steps(model: &Model, sight: &HourSight) -> Vec<Parts> {
    timeline(model, sight, Chart::Told)
}

fn timeline(model: &Model, sight: &HourSight, chart: Chart) -> Vec<Parts> {
    let (Some(hour), Some(at)) = (&sight.hour, model.now()) else {
        return Step::ALL
            .iter()
            .map(|step| {
                vec![muted(format!(
                    "  {} {step:<9}  {}",
                    step.number(),
                    step.meaning()
                ))]
            })
            .collect();
    };
    let now = comes_now(sight);
    let line = |row: &HourStep| step_line(model, row, at, (now == Some(row.step), chart));
    hour.steps.iter().map(line).collect()
}

fn step_line(
    model: &Model,
    row: &HourStep,
    now: Moment,
    (comes_now, chart): (bool, Chart),
) -> Parts {
    let mark = if comes_now { ">" } else { " " };
    let token = token(row.state);
    let name = if comes_now { Token::Fg } else { Token::Muted };
    let mut line = vec![
        (
            name,
            format!("{mark} {} {:<9}  ", row.step.number(), row.step),
        ),
        (token, format!("{:<17}", row.state)),
    ];
    if let (Some(began), Some(owner)) = (row.began_at_utc, &row.owner_id) {
        let took = row.ended_at_utc.unwrap_or(now).since(began);
        let again = if row.attempt > 1 {
            format!(", attempt {}", row.attempt)
        } else {
            String::new()
        };
        let since = match chart {
            Chart::Told => format!(" from {}", model.clock(began)),
            Chart::Drawn {
                opens,
                cells,
                glyphs,
            } => {
                let end = row.ended_at_utc.unwrap_or(now);
                line.push(muted("  "));
                line.extend(on_the_hour((began, end), token, opens, (cells, glyphs)));
                String::new()
            }
        };
        let took = time::span(took);
        line.push(muted(format!("  {took:>7}{since}  {owner}{again}")));
    } else {
        line.push(muted(format!("  {}", row.step.meaning())));
    }
    line
}

/// Returns the look of how far a step is; its word stands beside it everywhere.
pub(in crate::console) const fn token(state: StepState) -> Token {
    match state {
        StepState::NotStarted => Token::PhaseNext,
        StepState::Running => Token::PhaseCurrent,
        StepState::Done => Token::PhaseDone,
        StepState::DoneWithWarning | StepState::Skipped => Token::StatusWarn,
        StepState::Failed | StepState::Aborted => Token::PhaseFailed,
    }
}

/// Draws from when to when a step ran, on the scale of the sixty minutes: `<` is before them, `>` after them.
fn on_the_hour(
    (began, ended): (Moment, Moment),
    token: Token,
    opens: Option<Moment>,
    (cells, glyphs): (usize, Glyphs),
) -> Parts {
    let Some(opens) = opens else {
        return chart::stretch((token, 0..0), cells, &[(0, '<')], glyphs);
    };
    let place = |at: Moment| {
        let gone = at.since(opens).to_std().unwrap_or_default();
        chart::cells(gone.as_secs(), HOUR.as_secs(), cells)
    };
    let from = place(began).min(cells.saturating_sub(1));
    // What took less than a cell has one all the same.
    let to = place(ended).max(from + 1);
    let filled = if ended <= opens { 0..0 } else { from..to };
    let closes = opens.plus(HOUR);
    let mut marks = Vec::new();
    if began < opens {
        marks.push((0, '<'));
    }
    if ended > closes {
        marks.push((cells.saturating_sub(1), '>'));
    }
    chart::stretch((token, filled), cells, &marks, glyphs)
}

/// Says what the bars beside the steps are measured by.
pub(super) fn scale(model: &Model, sight: &HourSight) -> Option<Parts> {
    let opens = sight.hour.as_ref()?.stand().opens()?;
    Some(vec![muted(format!(
        "the bars: the sixty minutes from {} to {}; < began before them, > went on after them",
        model.clock(opens),
        model.clock(opens.plus(HOUR))
    ))])
}

/// Writes the hour as JSON: itself, its steps and its plan.
#[must_use]
pub fn row_json(model: &Model) -> Option<String> {
    let sight = sight(model)?;
    let hour = sight.hour.as_ref();
    let json = serde_json::json!({
        "migration_id": sight.migration.migration_id,
        "hour": hour.map(|it| &it.hour),
        "steps": hour.map(|it| &it.steps),
        "plan": sight.plan,
    });
    serde_json::to_string_pretty(&json).ok()
}
