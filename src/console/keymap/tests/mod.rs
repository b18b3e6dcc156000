mod refusals;
mod typing;

use crossterm::event::KeyCode;
use proptest::prelude::*;

use super::super::stroke::{Stroke, chord};
use super::*;
use crate::actions::ENTRIES;

fn preset(preset: Preset) -> Keymap {
    Keymap::of(preset).expect("a preset fits together")
}

fn strokes(text: &str) -> Vec<Stroke> {
    chord(text).expect("a chord")
}

/// Reads a keymap from a file `keys.toml` of this text; an error names the file without its folder.
fn read(text: &str) -> Result<Keymap, (String, String)> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("keys.toml");
    std::fs::write(&path, text).expect("the folder is ours");
    let shown = format!("{}/", folder.path().display());
    Keymap::read(&path).map_err(|error| (error.sentence.replace(&shown, ""), error.hint))
}

/// Asserts what holds for every keymap, whoever made it.
fn assert_sound(keymap: &Keymap) {
    for pane in PaneId::ALL {
        let meaning = |typed: &[Stroke]| keymap.meaning(typed, *pane);
        assert_eq!(meaning(&[Stroke::ESC]), Meaning::Is(Intent::Escape));
        assert_eq!(meaning(&[Stroke::CTRL_C]), Meaning::Is(Intent::Interrupt));
        for row in ROWS {
            for chord in keymap.chords(row.intent) {
                let is = meaning(chord) == Meaning::Is(row.intent);
                assert_eq!(is, row.is_in(*pane), "{} in {pane}", row.intent);
                let enter = chord.iter().any(|stroke| stroke.code == KeyCode::Enter);
                assert!(!enter || row.intent == Intent::Open, "{}", row.intent);
                for length in 1..chord.len() {
                    let begun = &chord[..length];
                    assert!(!row.is_in(*pane) || meaning(begun) == Meaning::Begins);
                    let then = |last: Stroke| meaning(&[begun, &[last]].concat());
                    assert_eq!(then(Stroke::ESC), Meaning::Forgets);
                    assert_eq!(then(Stroke::CTRL_C), Meaning::Is(Intent::Interrupt));
                }
            }
        }
    }
    assert!(!keymap.chords(Intent::Help).is_empty());
}

#[test]
fn every_intent_has_one_row() {
    for intent in Intent::ALL {
        let rows = ROWS.iter().filter(|row| row.intent == *intent);
        assert_eq!(rows.count(), 1, "{intent}");
    }
    for row in ROWS {
        assert!(!row.keys.is_empty() && !row.about.is_empty());
    }
}

#[test]
fn every_preset_fits_together_and_binds_every_intent() {
    for name in Preset::ALL {
        let keymap = preset(*name);
        assert_sound(&keymap);
        for intent in Intent::ALL {
            assert!(!keymap.chords(*intent).is_empty(), "{name}: {intent}");
        }
        for (place, (intent, keys)) in name.changes().iter().enumerate() {
            let row = ROWS.iter().find(|row| row.intent == *intent);
            assert_ne!(row.expect("a row").keys, *keys, "{name}: {intent}");
            let before = &name.changes()[..place];
            assert!(before.iter().all(|(other, _)| other != intent), "{name}");
        }
    }
}

#[test]
fn no_letter_moves_in_arrows() {
    let moves = |row: &&Row| {
        row.intent <= Intent::NextProblem
            || PaneId::opened_by(row.intent).is_some()
            || [Intent::NextPane, Intent::PreviousPane].contains(&row.intent)
    };
    let keymap = preset(Preset::Arrows);
    let mut tried = 0;
    for row in ROWS.iter().filter(moves) {
        for stroke in keymap.chords(row.intent).iter().flatten() {
            let character = stroke.character();
            assert!(!character.is_some_and(char::is_alphabetic), "{stroke}");
            tried += 1;
        }
    }
    assert!(tried > 10);
}

#[test]
fn a_file_changes_a_preset() {
    let keymap = read(
        "preset = \"vim\"\n[keys]\ndown = [\"j\", \"ctrl-N\"]\nmouse = []\nescape = [\"ctrl-g\", \"esc\"]\n",
    )
    .expect("it fits together");
    assert_sound(&keymap);
    assert_eq!(keymap.preset(), Preset::Vim);
    assert_eq!(keymap.written(Intent::Down), ["j", "ctrl-n"]);
    assert_eq!(keymap.written(Intent::CopyId), ["y y"]);
    let by = |intent| keymap.given_by(intent);
    assert_eq!(
        (by(Intent::Down), by(Intent::CopyId), by(Intent::Up)),
        (GivenBy::File, GivenBy::Preset, GivenBy::Table)
    );
    assert_eq!(keymap.key(Intent::Mouse), None);
    assert_eq!(keymap.hint(Intent::Mouse), ": mouse");
    let typed = [strokes("g"), strokes("ctrl-g")].concat();
    assert_eq!(keymap.meaning(&typed, PaneId::Home), Meaning::Forgets);

    let empty = read("# nothing\n").expect("it fits together");
    assert_eq!(
        (empty.preset(), empty.written(Intent::Act)),
        (Preset::Default, vec!["a".to_owned()])
    );
}

#[test]
fn what_to_type_follows_the_keymap() {
    let arm = ENTRIES.iter().find(|entry| entry.verb == super::super::ARM);
    let arm = arm.expect("the action");
    assert_eq!(preset(Preset::Default).action(arm), "a a");
    let moved = read("[keys]\nact = [\"space\"]\n").expect("it fits together");
    assert_eq!(moved.action(arm), "space a");
    let gone = read("[keys]\nact = []\n").expect("it fits together");
    assert_eq!(gone.action(arm), ": arm_console");
    let none = read("[keys]\nact = []\npalette = []\nmouse = []\n").expect("it fits together");
    assert_eq!(
        (none.action(arm), none.hint(Intent::Mouse)),
        ("arm-console".into(), "mouse".into())
    );
}

#[test]
fn the_safe_keys_can_be_given_to_nothing_else() {
    for intent in Intent::ALL {
        for key in [
            "esc", "x esc", "ctrl-c", "x ctrl-c", "ctrl-c x", "enter", "x enter",
        ] {
            let own: &[&str] = match intent {
                Intent::Escape => &["esc"],
                Intent::Interrupt => &["ctrl-c"],
                Intent::Open => &["enter", "x enter"],
                _ => &[],
            };
            let taken = read(&format!("[keys]\n{intent} = [\"{key}\"]\n"));
            assert_eq!(taken.is_ok(), own.contains(&key), "{intent} = {key}");
        }
    }
}

/// Chords that meet often, and the keys that are safe.
const SOME: &[&str] = &[
    "a", "b", "g", "j", "n", "V", "a a", "a b", "g g", "b b b", "b b", "esc", "ctrl-c", "enter",
    "b ctrl-c", "a enter", "a esc",
];

proptest! {
    #[test]
    fn whatever_is_taken_is_sound(
        lists in prop::collection::btree_map(
            prop::sample::select(Intent::ALL),
            prop::collection::vec(prop::sample::select(SOME), 0..3),
            0..5,
        ),
        name in prop::sample::select(Preset::ALL),
    ) {
        let lines = lists.iter().map(|(intent, keys)| format!("{intent} = {keys:?}\n"));
        let text = format!("preset = \"{name}\"\n[keys]\n{}", lines.collect::<String>());
        match read(&text) {
            Ok(keymap) => assert_sound(&keymap),
            Err((sentence, hint)) => {
                prop_assert!(sentence.starts_with("keys.toml, line "), "{}", sentence);
                prop_assert!(!hint.is_empty());
                prop_assert!(!lists.is_empty());
            }
        }
    }
}

#[test]
fn commands_of_a_shell_become_keys() {
    let keymap = preset(Preset::Default);
    for (text, said) in [
        ("no hour runs", "no hour runs"),
        (
            "begin one: govdeck act start-hour",
            "begin one: start-hour (a h)",
        ),
        (
            "govdeck act cutover m-1, then govdeck hour begin flip m-1; or wait",
            "cutover (a x), then begin-step (a s); or wait",
        ),
        (
            "(ask: `govdeck act take-block r-1`)",
            "(ask: `take-block (a t)`)",
        ),
        ("govdeck act no-such m-1", "govdeck act no-such m-1"),
        ("govdeck migration new", "govdeck migration new"),
    ] {
        assert_eq!(keymap.in_keys(text), said);
    }
}
