//! What is told when it is asked for: rows, what can be done with one and by which command, and the words there are.

use super::super::list::Rows;
use super::super::model::Model;
use super::super::panes;
use super::super::picture::Picture;
use super::super::proof;
use super::super::reading::spoken;
use super::super::user_file::quoted;
use crate::actions::ENTRIES;
use crate::rules::Verdict;
use crate::rules::text::counted;

/// The words that can be typed.
pub(super) const HELP: &[&str] = &[
    "help: this list",
    "state: everything again",
    "home, migration, mismatches, blocks, weeks, cutover, bundles, ledger, people, dictionary: the rows there",
    "why: what the first row of what was last asked for rests on (rule, rows, hashes), what can be done with it, and what holds it back",
    "why ID: the same for the row of this id",
    "q: leave; the end of the input leaves too",
    "Nothing is written from here: why names the command that does it, to be typed in a shell.",
];

/// Tells the rows of the open pane.
pub(super) fn rows(model: &Model) -> Vec<String> {
    let lines = panes::spoken(model);
    let count = match lines.len() {
        0 => "no rows".to_owned(),
        some => counted(some, "row", "rows"),
    };
    let title = format!("{}: {count}", model.pane);
    std::iter::once(title).chain(lines).collect()
}

/// Tells what the selected row rests on, what can be done with it, every condition, and the command that does it.
pub(super) fn why(model: &Model, picture: &Picture) -> Vec<String> {
    let rests_on = proof::of(model).into_iter();
    let rests_on: Vec<_> = rests_on.map(|(_, line)| proof::words(&line)).collect();
    let Some((_, id)) = model.about() else {
        if rests_on.is_empty() {
            return vec![format!(
                "there is no such row in {}; its word lists them",
                model.pane
            )];
        }
        return rests_on;
    };
    let is_there = picture
        .rows(model.pane)
        .is_none_or(|rows: &dyn Rows| rows.place_of(&id).is_some());
    if !is_there {
        return vec![format!("there is no {} in {}", quoted(&id), model.pane)];
    }
    let mut lines = vec![format!("{id} in {}:", model.pane)];
    lines.extend(rests_on);
    if picture.actor.is_none() {
        lines.push(format!("the login {} may only look", picture.login));
        return lines;
    }
    for possible in &picture.possible {
        let name = possible.entry.name();
        let open = possible.conditions.iter();
        let open: Vec<_> = open.filter(|it| it.verdict != Verdict::Pass).collect();
        lines.push(match &possible.refusal {
            None => format!(
                "{name}: possible now; in a shell: {}",
                model.command(possible, &id)
            ),
            Some(refusal) if open.is_empty() => {
                format!("{name}: not now: {}; {}", refusal.sentence, refusal.hint)
            }
            Some(_) => {
                let hindrances = counted(open.len(), "hindrance", "hindrances");
                format!("{name}: not now: {hindrances}")
            }
        });
        lines.extend(open.into_iter().map(|it| {
            let word = spoken(it.verdict).1;
            format!("{name}: {word}, {}: {}; {}", it.id, it.evidence, it.fix)
        }));
    }
    if picture.possible.is_empty() {
        lines.push("there is no action on it".to_owned());
    }
    lines
}

/// Says that a word means nothing here, or by which command it is done where it is an action.
pub(super) fn no_word(model: &Model, line: &str) -> String {
    let mut words = line.split_whitespace();
    let word = words.next().unwrap_or_default().to_lowercase();
    let action = word.replace('_', "-");
    if ENTRIES.iter().any(|entry| entry.name() == action) {
        let id = words.next().unwrap_or("ID");
        let command = model.act_by_command(&action, id, "");
        return format!("nothing is written from here; in a shell: {command}");
    }
    format!("{} is no word here; help lists them", quoted(&word))
}
