//! What does not fit together in a keymap: keys with two meanings, and keys that have their one meaning always.

use crossterm::event::KeyCode;

use super::super::stroke::{Stroke, written};
use super::force::{Bound, Chord, Draft};
use super::{Intent, ROWS, Row};

/// One thing that does not fit, and where it stands in the user's file.
#[derive(Debug)]
pub(super) struct Conflict {
    pub start: Option<usize>,
    pub what: String,
    pub hint: String,
}

/// Intents that always have a key.
const NEEDED: [Intent; 3] = [Intent::Escape, Intent::Interrupt, Intent::Help];

/// Finds everything that does not fit together, in the order of the user's file.
pub(super) fn conflicts(draft: &Draft) -> Vec<Conflict> {
    let mut all: Vec<(&Row, &Bound, &Chord)> = Vec::new();
    let mut found = Vec::new();
    for row in ROWS {
        let Some(bound) = draft.get(&row.intent) else {
            continue;
        };
        found.extend(kept(row.intent, bound));
        for chord in &bound.chords {
            found.extend(fixed(row.intent, chord));
            let before = all.iter().filter(|(other, ..)| row.meets(other));
            found.extend(before.filter_map(|other| clash(*other, (row, bound, chord))));
            all.push((row, bound, chord));
        }
    }
    found.sort_by_key(|conflict| conflict.start);
    found
}

/// Finds what an intent lacks that it must have.
fn kept(intent: Intent, bound: &Bound) -> Option<Conflict> {
    let must = match intent {
        Intent::Escape => Some(Stroke::ESC),
        Intent::Interrupt => Some(Stroke::CTRL_C),
        _ => None,
    };
    let lacks = must.filter(|must| {
        let mut chords = bound.chords.iter();
        !chords.any(|chord| chord.strokes == [*must])
    });
    let (what, hint) = match lacks {
        _ if bound.chords.is_empty() && NEEDED.contains(&intent) => (
            format!("`{intent}` must have a key"),
            "leave the line out, or name a key".to_owned(),
        ),
        Some(must) => (
            format!("`{intent}` must keep `{must}`"),
            format!("name it too, as in {intent} = [\"{must}\", …]"),
        ),
        None => return None,
    };
    Some(Conflict {
        start: bound.start,
        what,
        hint,
    })
}

/// Finds a key in a chord that has another meaning always.
fn fixed(intent: Intent, chord: &Chord) -> Option<Conflict> {
    let strokes = chord.strokes.as_slice();
    let has = |stroke: Stroke| strokes.contains(&stroke);
    let before_last = strokes.split_last().map_or(strokes, |(_, before)| before);
    let (key, what) = if has(Stroke::ESC) && (intent != Intent::Escape || strokes.len() > 1) {
        ("esc", "means escape, always and alone")
    } else if has(Stroke::CTRL_C)
        && (intent != Intent::Interrupt || before_last.contains(&Stroke::CTRL_C))
    {
        ("ctrl-c", "asks whether to leave, always and at once")
    } else if intent != Intent::Open && strokes.iter().any(|key| key.code == KeyCode::Enter) {
        ("enter", "opens or means nothing, so that it never writes")
    } else {
        return None;
    };
    Some(Conflict {
        start: chord.start,
        what: format!("`{key}` {what}"),
        hint: format!("choose another key for {intent}"),
    })
}

/// Finds out whether two chords cannot both be typed.
fn clash(one: (&Row, &Bound, &Chord), two: (&Row, &Bound, &Chord)) -> Option<Conflict> {
    let (mine, other) = if one.2.start > two.2.start {
        (one, two)
    } else {
        (two, one)
    };
    let (short, long) = if one.2.strokes.len() <= two.2.strokes.len() {
        (one, two)
    } else {
        (two, one)
    };
    if !long.2.strokes.starts_with(&short.2.strokes) {
        return None;
    }
    let (key, intent) = (written(&short.2.strokes), short.0.intent);
    let (longer, another) = (written(&long.2.strokes), long.0.intent);
    let what = if key != longer {
        format!("`{key}` means {intent}, so that `{longer}` for {another} cannot be typed")
    } else if intent == another {
        format!("`{key}` is given to {intent} twice")
    } else {
        let (mine, other) = (mine.0.intent, other.0.intent);
        format!("`{key}` means {mine} here, and {other} too")
    };
    let (from_file, intent) = (other.2.start.is_some(), other.0.intent);
    let rest = other.1.chords.iter().filter(|chord| *chord != other.2);
    let rest: Vec<_> = rest
        .map(|chord| toml::Value::String(written(&chord.strokes)).to_string())
        .collect();
    let hint = if from_file || mine.0.intent == intent {
        "leave one of the two out".to_owned()
    } else if rest.is_empty() && NEEDED.contains(&intent) {
        format!("choose another key, or give {intent} one too")
    } else {
        format!(
            "choose another key, or take it from {intent}, as in {intent} = [{}]",
            rest.join(", ")
        )
    };
    Some(Conflict {
        start: mine.2.start,
        what,
        hint,
    })
}
