//! Home: which phase, what is blocked and why, what waits for me, what changed since I last looked.

use ratatui::layout::Rect;

use crate::clock::Moment;
use crate::rules::text::counted;
use crate::rules::words;
use crate::store::block::OpenBlock;
use crate::store::migration::Migration;

use super::super::model::Model;
use super::super::newcomer;
use super::super::picture::Picture;
use super::super::reading::week_in_short;
use super::super::screen::is_small;
use super::super::table::offset;
use super::super::theme::Token;
use super::super::ui::{Parts, Pen};
use super::{PaneId, cutover, inbox, ledger, migration, proposals, weeks};

words! {
    /// The four questions.
    pub enum Section {
        /// Which phase, and what comes next.
        Phase = "Phase",
        /// What is blocked, and why.
        Blocked = "Blocked",
        /// What waits for whoever is at the keys.
        Mine = "Waits for you",
        /// What changed since they last looked.
        News = "Since you last looked",
    }
}

/// The line that tells of the cert week: Enter opens its nine checkpoints.
pub const CADENCE: &str = "cadence";

/// A line of Home that can be selected.
#[derive(Debug, Clone)]
pub struct Item {
    /// The question that it answers.
    pub section: Section,
    /// What tells it from the other lines of its section, in every picture.
    pub id: String,
    /// What it says.
    pub says: Parts,
    /// Where Enter goes: a pane, and a row of it.
    pub goes: Option<(PaneId, Option<String>)>,
    /// What it is about, where that is not the row it leads to.
    pub(super) about: Option<(&'static str, String)>,
}

impl Item {
    /// Returns what the line is about, for the action box.
    #[must_use]
    pub fn subject(&self) -> Option<(&'static str, String)> {
        if self.about.is_some() {
            return self.about.clone();
        }
        match &self.goes {
            Some((PaneId::Blocks, Some(id))) => Some(("block", id.clone())),
            Some((PaneId::Weeks, Some(id))) => Some(("week", id.clone())),
            Some((PaneId::Ledger, Some(id))) => Some(("entry", id.clone())),
            _ => None,
        }
    }
}

pub(super) fn item(
    section: Section,
    id: &str,
    says: Parts,
    goes: Option<(PaneId, Option<String>)>,
) -> Item {
    Item {
        section,
        id: id.to_owned(),
        says,
        goes,
        about: None,
    }
}

/// Lists the lines of Home, section by section.
#[must_use]
pub fn items(model: &Model) -> Vec<Item> {
    let (Some(picture), Some(now)) = (&model.picture, model.now()) else {
        return Vec::new();
    };
    let muted = |text: String| (Token::Muted, text);
    let cadence = week_in_short(&picture.week, model.start.glyphs.dot());
    let cadence = item(Section::Phase, CADENCE, cadence, None);
    let mut items = vec![phase(picture, now), cadence];
    items.extend(weekly(picture));
    items.extend(blocked(model, picture, now));
    items.extend(inbox::items(picture, now));
    for entry in &picture.recent {
        items.push(item(
            Section::News,
            &entry.seq.to_string(),
            vec![
                muted(format!("{} ", model.date_and_clock(entry.at_utc))),
                (Token::Accent, format!("{:<18} ", entry.action)),
                (Token::Fg, entry.target_id.clone()),
                muted(format!("  by {}", ledger::by(entry))),
            ],
            Some((PaneId::Ledger, Some(entry.seq.to_string()))),
        ));
    }
    items
}

/// Says where the dictionary's migration stands, as long as it is open or watched; in its hour, which step comes now.
fn phase(picture: &Picture, now: Moment) -> Item {
    if let Some(hour) = &picture.migrations.running {
        let goes = Some((PaneId::Cutover, None));
        return item(Section::Phase, "phase", cutover::in_a_line(hour, now), goes);
    }
    let newest = picture.migrations.newest.as_ref();
    let counts = |it: &&Migration| {
        it.closed_at_dt_utc.is_none() || it.watch_until.is_some_and(|until| until > now)
    };
    let Some(found) = newest.filter(counts) else {
        let text = "no dictionary migration is open in this deployment".to_owned();
        let says = vec![(Token::Muted, text)];
        return item(Section::Phase, "phase", says, None);
    };
    let id = &found.migration_id;
    let (token, word) = migration::stands(found);
    let says = vec![
        (Token::Muted, "migration ".to_owned()),
        (Token::Fg, format!("{id} ")),
        (token, word.to_owned()),
        (
            Token::Muted,
            format!(": {} to {}", found.from_semver, found.to_semver),
        ),
    ];
    item(
        Section::Phase,
        "phase",
        says,
        Some((PaneId::Migration, Some(id.clone()))),
    )
}

/// Says how each weekly series stands, and by which rule.
fn weekly(picture: &Picture) -> impl Iterator<Item = Item> {
    picture.series.iter().map(|sight| {
        let (series, standing) = (&sight.look.series.series_id, &sight.look.standing);
        let word = standing.state.word().to_uppercase();
        let says = vec![
            (Token::Muted, "weekly ".to_owned()),
            (Token::Fg, format!("{series} ")),
            (weeks::of_state(standing.state), word),
            (Token::Muted, format!(": {}", standing.because.meaning())),
        ];
        let goes = Some((PaneId::Weeks, standing.runs.last().cloned()));
        item(Section::Phase, series, says, goes)
    })
}

/// Lists what is blocked, reason by reason, and what waits for the gate.
fn blocked(model: &Model, picture: &Picture, now: Moment) -> Vec<Item> {
    let muted = |text: String| (Token::Muted, text);
    let mut items = Vec::new();
    for reason in &picture.reasons {
        let name = reason.block_reason.word();
        let answer = match (reason.untaken, reason.respond_by_utc) {
            (0, _) | (_, None) => muted("all answered".into()),
            (count, Some(due)) if now > due => (
                Token::SlaBreach,
                format!("{count} unanswered, the first was due {}", model.when(due)),
            ),
            (count, Some(due)) => (
                Token::SlaOk,
                format!("{count} unanswered, the first is due {}", model.when(due)),
            ),
        };
        items.push(item(
            Section::Blocked,
            name,
            vec![
                (Token::StatusDanger, format!("{:>3} ", reason.open)),
                (Token::Fg, format!("{name:<22}")),
                answer,
            ],
            Some((PaneId::Blocks, None)),
        ));
    }
    if picture.reasons.is_empty() {
        let text = format!(
            "nothing is blocked; last checked {}",
            model.clock(picture.now)
        );
        items.push(item(
            Section::Blocked,
            "nothing",
            vec![(Token::StatusOk, text)],
            Some((PaneId::Blocks, None)),
        ));
    }
    if picture.counts.pending > 0 {
        let waiting = counted(picture.counts.pending, "run waits", "runs wait");
        let text = format!("{waiting:>13} for the gate");
        items.push(item(
            Section::Blocked,
            "pending",
            vec![(Token::StatusPending, text)],
            None,
        ));
    }
    items
}

/// Draws the pane: in two columns where it is wide, below the card for a newcomer.
pub fn draw(model: &Model, pen: &mut Pen<'_>, area: Rect) {
    let items = items(model);
    let card = newcomer::height(model);
    newcomer::draw(model, pen, area);
    let area = Rect {
        y: area.y + card,
        height: area.height - card,
        ..area
    };
    let all: &[Section] = Section::ALL;
    if area.width >= 120 {
        let left = Rect {
            width: area.width / 2,
            ..area
        };
        let right = Rect {
            x: area.x + left.width,
            width: area.width - left.width,
            ..area
        };
        column(model, pen, left, &items, &all[..3]);
        column(model, pen, right, &items, &all[3..]);
    } else {
        column(model, pen, area, &items, all);
    }
}

enum Row<'a> {
    Divider(Section),
    Item(usize, &'a Item),
}

fn rows<'a>(items: &'a [Item], sections: &[Section]) -> Vec<Row<'a>> {
    let mut rows = Vec::new();
    for section in sections {
        if !rows.is_empty() {
            rows.push(Row::Divider(*section));
        }
        let own = items
            .iter()
            .enumerate()
            .filter(|(_, item)| item.section == *section);
        rows.extend(own.map(|(at, item)| Row::Item(at, item)));
    }
    rows
}

fn column(model: &Model, pen: &mut Pen<'_>, area: Rect, items: &[Item], sections: &[Section]) {
    let Some(first) = sections.first() else {
        return;
    };
    let frame = pen.frame(area, &title(model, *first), Token::Border);
    let rows = rows(items, sections);
    let selected = rows
        .iter()
        .position(|row| matches!(row, Row::Item(at, _) if *at == model.home));
    let offset = offset(selected, rows.len(), frame.height);
    for (y, row) in (frame.top()..frame.bottom()).zip(rows.iter().skip(offset)) {
        match row {
            Row::Divider(section) => pen.divider(area, y, &title(model, *section), Token::Border),
            Row::Item(at, item) => {
                pen.parts(frame.x + 2, y, frame.width.saturating_sub(3), &item.says);
                if *at == model.home {
                    pen.select(frame, y);
                }
            }
        }
    }
    if offset + usize::from(frame.height) < rows.len() {
        pen.foot(area, "more below");
    }
}

fn title(model: &Model, section: Section) -> String {
    let Some(picture) = &model.picture else {
        return section.to_string();
    };
    let dot = model.start.glyphs.dot();
    match section {
        Section::Phase => "Phase".to_owned(),
        Section::Blocked => format!("Blocked {dot} {} open", picture.counts.open),
        Section::Mine => format!(
            "Waits for you {dot} {}",
            picture.how_many_wait(model.now().unwrap_or(picture.now))
        ),
        Section::News => match picture.new_entries {
            Some(0) => format!("Since you last looked {dot} nothing new"),
            Some(count) => format!("Since you last looked {dot} {count} new"),
            None => "Newest decisions".to_owned(),
        },
    }
}

/// Tells whether a countdown is on the screen.
#[must_use]
pub fn counts(model: &Model) -> bool {
    let Some(picture) = &model.picture else {
        return false;
    };
    let unanswered = |block: &OpenBlock| block.audit.taken_by.is_none();
    proposals::counts(model) || picture.mine.iter().any(unanswered)
}

/// Writes a proposal, a weekly run, a task or a block that waits for whoever is at the keys as JSON.
#[must_use]
pub fn row_json(model: &Model, id: &str) -> Option<String> {
    if let Some(json) = proposals::row_json(model, id) {
        return Some(json);
    }
    let picture = model.picture.as_ref()?;
    if let Some(json) = weeks::series_json(picture, id) {
        return Some(json);
    }
    if let Some(json) = inbox::task_json(picture, id) {
        return Some(json);
    }
    let block = picture
        .mine
        .iter()
        .find(|block| block.audit.publish_run_id == id)?;
    serde_json::to_string_pretty(block).ok()
}

/// Selects the line that was clicked.
pub fn click(model: &mut Model, line: u16) {
    let items = items(model);
    let rows = rows(&items, Section::ALL);
    let selected = rows
        .iter()
        .position(|row| matches!(row, Row::Item(at, _) if *at == model.home));
    // Above the frame's first line are the header and, where there is room for them, the tabs and the card.
    let top = if is_small(model.size) { 2 } else { 3 } + newcomer::height(model);
    let height = model.size.1.saturating_sub(top + 3);
    let offset = offset(selected, rows.len(), height);
    let at = line.checked_sub(top).filter(|at| *at < height);
    if model.size.0 < 120
        && let Some(at) = at
        && let Some(Row::Item(at, _)) = rows.get(usize::from(at) + offset)
    {
        model.home = *at;
    }
}
