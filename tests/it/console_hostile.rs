//! Hostile text in every column that holds text, on every screen, at every size: none of it reaches the terminal, nothing
//! panics, and the frames stay where they are.

use std::time::Duration;

use crossterm::event::{Event as Input, KeyCode, KeyEvent, KeyModifiers};
use govdeck::actions::{self, Asked, Proposal};
use govdeck::console::dialog::{Dialog, Filling, Stage};
use govdeck::console::event::{Event, Sight};
use govdeck::console::form::Line;
use govdeck::console::list::Listing;
use govdeck::console::model::{Model, Verified};
use govdeck::console::overlay::{Overlay, Themes};
use govdeck::console::panes::PaneId;
use govdeck::console::stroke::chord;
use govdeck::rules::Refusal;
use govdeck::rules::text::is_hostile;
use govdeck::store::Sealed;
use govdeck::store::verify::{Finding, Report};
use ratatui::buffer::Buffer;

use crate::support::desk::{drawn, text_of};
use crate::support::still::{self, at, digest};
use crate::support::still_bundle;
use crate::support::{World, is_long};

/// What pipelines, logins and editors could bring.
const TEXTS: &[(&str, &str)] = &[
    (
        "escapes",
        "\u{1b}[2J\u{1b}]0;title\u{7}\u{1b}[31mred\u{1b}Pq\u{1b}\\",
    ),
    ("C1", "a\u{9b}31mb\u{90}c\u{9d}d\u{85}e"),
    ("C0", "a\u{0}b\u{1}c\u{8}\u{8}\u{8}d\u{7f}e\tf"),
    (
        "ends of lines",
        "a\nb\rc\r\nd\u{b}e\u{c}f\u{2028}g\u{2029}h",
    ),
    (
        "bidi",
        "\u{202e}cod.exe\u{202c} \u{2066}x\u{2069}\u{61c}\u{200f}",
    ),
    (
        "nothing to see",
        "a\u{200b}b\u{200d}c\u{feff}d\u{ad}e\u{2060}f\u{3164}g\u{115f}h",
    ),
    ("tags", "a\u{e0001}\u{e0041}\u{e007f}b\u{fe0f}\u{e0100}"),
    (
        "wide",
        "漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字",
    ),
    (
        "emoji",
        "🦀👩\u{200d}👩\u{200d}👧🏳\u{fe0f}\u{200d}🌈🇩🇪1\u{fe0f}\u{20e3}🦀",
    ),
    (
        "combining",
        "a\u{301}\u{301}\u{301}\u{489}o\u{308}\u{20dd}\u{301}",
    ),
    ("only combining", "\u{301}\u{302}\u{303}"),
    (
        "markup",
        "</b>'\"; DROP TABLE person; -- %s {} {{}} \\u001b[2J",
    ),
    ("nothing", ""),
    ("blanks", "      "),
];

/// All of it at once.
fn everything() -> String {
    TEXTS.iter().map(|(_, text)| *text).collect()
}

fn press(model: &mut Model, keys: &str) {
    for stroke in chord(keys).expect("keys") {
        let modifiers = if stroke.control {
            KeyModifiers::CONTROL
        } else {
            KeyModifiers::NONE
        };
        let key = KeyEvent::new(stroke.code, modifiers);
        model.update(Event::Input(Input::Key(key)), model.at);
    }
}

/// A console whose picture, link and memory are full of a text.
fn full_of(pane: PaneId, text: &str) -> Model {
    let mut model = still::model(pane, || {
        let mut picture = still::picture();
        still::fill(&mut picture, text);
        picture
    });
    text.clone_into(&mut model.start.place);
    model.link.source = "notify";
    model.update(Event::Trouble(text.to_owned()), model.at);
    model
}

/// Every state in which a text from outside may be on the screen.
fn states(text: &str) -> Vec<(String, Model)> {
    let mut found = Vec::new();
    for pane in PaneId::ALL {
        for keys in [
            "",
            "z",
            "j j j j j j j",
            "a",
            "w",
            "J",
            "!",
            "?",
            ": t",
            "T",
            "q",
            "t",
            "y",
            "C",
            "enter enter",
        ] {
            let mut model = full_of(*pane, text);
            press(&mut model, keys);
            found.push((format!("{pane} {keys}"), model));
        }
        let mut typing = full_of(*pane, text);
        press(&mut typing, "/");
        typing.update(Event::Input(Input::Paste(text.to_owned())), typing.at);
        for letter in text.chars().take(40) {
            let key = KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE);
            typing.update(Event::Input(Input::Key(key)), typing.at);
        }
        press(&mut typing, "home right right");
        found.push((format!("{pane} typing"), typing));
        let mut lost = full_of(*pane, text);
        let mut link = lost.link.clone();
        link.trouble = Some((text.to_owned(), text.to_owned()));
        let sight = Sight {
            picture: lost.picture.clone(),
            link,
        };
        lost.update(Event::Sight(sight), lost.at + Duration::from_secs(20));
        text.clone_into(&mut lost.blocks.filter_text);
        text.clone_into(&mut lost.entries.filter_text);
        text.clone_into(&mut lost.people.filter_text);
        text.clone_into(&mut lost.weeks.filter_text);
        text.clone_into(&mut lost.bundles.filter_text);
        text.clone_into(&mut lost.dictionary.filter_text);
        found.push((format!("{pane} lost"), lost));
    }
    for run in [still_bundle::running, still_bundle::ended] {
        let mut running = full_of(PaneId::Bundles, text);
        let selected = running.selected().map(|(_, id)| id);
        let mut run = run(text, running.at);
        run.migration_id = selected.unwrap_or_default();
        running.running = Some(Box::new(run));
        found.push(("a run".to_owned(), running));
    }
    let mut gone = full_of(PaneId::Blocks, text);
    gone.blocks.select(&format!("gone {text}"));
    found.push(("gone".to_owned(), gone));
    let at = found[0].1.at;
    let mut unreadable = Model::new(crate::support::desk::start(text), (80, 24), None, at);
    text.clone_into(&mut unreadable.start.place);
    unreadable.link.trouble = Some((text.to_owned(), text.to_owned()));
    found.push(("unreadable".to_owned(), unreadable));
    for findings in [0, 3] {
        found.push((format!("verified {findings}"), verified(text, findings)));
    }
    let mut failed = full_of(PaneId::Ledger, text);
    failed.verified = Some(Verified::Failed(text.to_owned()));
    found.push(("not verified".to_owned(), failed));
    for overlay in [
        Overlay::Clipboard(text.to_owned()),
        Overlay::Themes(Themes {
            names: vec![text.to_owned(); 30],
            at: 3,
            before: text.to_owned(),
        }),
    ] {
        let mut model = full_of(PaneId::Blocks, text);
        let name = format!("{overlay:.20?}");
        model.overlay = Some(overlay);
        found.push((name, model));
    }
    found.extend(stages(text));
    found
}

fn verified(text: &str, findings: usize) -> Model {
    let mut model = full_of(PaneId::Ledger, text);
    let finding = Finding {
        place: text.to_owned(),
        wrong: text.to_owned(),
    };
    let report = Report {
        head: still::picture().head,
        entries: 1,
        rows: 1,
        artifacts: 1,
        definitions: 1,
        findings: vec![finding; findings],
    };
    model.update(Event::Verified(Box::new(Ok(report))), model.at);
    model
}

/// Every stage of a dialog that shows a text from outside, those that need a proposal left out.
fn stages(text: &str) -> Vec<(String, Model)> {
    let one = |(name, dialog): (String, Dialog)| {
        let mut model = full_of(PaneId::Blocks, text);
        model.dialog = Some(dialog);
        (name, model)
    };
    dialogs(text).into_iter().map(one).collect()
}

fn dialogs(text: &str) -> Vec<(String, Dialog)> {
    let refusal = || Refusal::new(text, text);
    let sealed = Sealed {
        seq: i64::MAX,
        hash: digest("entry"),
        at: at("02:14:08"),
    };
    let line = || Line::holding(text);
    let ticket = text.to_owned();
    let since = full_of(PaneId::Home, "").at;
    let stages = [
        ("planning", Stage::Planning),
        (
            "waiting",
            Stage::Waiting {
                ticket: ticket.clone(),
                since,
            },
        ),
        ("done", Stage::Done(sealed)),
        ("refused", Stage::Refused(refusal())),
        ("failed", Stage::Failed(refusal())),
        (
            "unknown",
            Stage::Unknown {
                ticket,
                cause: text.to_owned(),
            },
        ),
        (
            "filling",
            Stage::Filling(Filling {
                fields: vec![("id", "its id", line()), ("name", "its name", line())],
                focus: 1,
                wrong: Some(refusal()),
            }),
        ),
    ];
    let one = |(name, stage): (&str, Stage)| {
        let entry = actions::find("take_block").expect("an action");
        let mut dialog = Dialog::open(entry, 1, Some(text.to_owned()), since);
        dialog.stage = stage;
        (name.to_owned(), dialog)
    };
    stages.into_iter().map(one).collect()
}

/// What is asked of a bypass whose id and freeze are a text of one line.
fn bypass(text: &str) -> Asked {
    let line = text.replace(|c: char| c.is_control() || is_hostile(c), "?");
    let expires = govdeck::clock::Moment::on_this_workstation().plus_minutes(60);
    let asked = Asked::of(line.trim()).with("freeze", line.trim());
    asked.with("expires", expires.to_string())
}

/// A dialog that asks about a proposal, with a text typed, pasted and edited into whatever takes one.
fn asking(proposal: Proposal, text: &str) -> Vec<(String, Model)> {
    let mut model = full_of(PaneId::Blocks, text);
    model.arming.arm(model.at);
    let name = proposal.entry().name();
    let mut dialog = Dialog::open(proposal.entry(), 1, Some(text.to_owned()), model.at);
    dialog.stage = Stage::Planning;
    dialog.planned(Ok(proposal), model.at);
    model.dialog = Some(dialog);
    let later = model.at + Duration::from_secs(1);
    let input = |model: &mut Model, input| {
        model.update(Event::Input(input), later);
    };
    let letters = |model: &mut Model| {
        for letter in text.chars().take(60).filter(|letter| *letter != ' ') {
            input(
                model,
                Input::Key(KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE)),
            );
        }
    };
    input(&mut model, Input::Paste(text.to_owned()));
    letters(&mut model);
    model.update(Event::Edited(Some(format!("{text}\n{text}"))), later);
    input(&mut model, Input::Paste(text.to_owned()));
    letters(&mut model);
    if let Some(Dialog {
        stage: Stage::Asking(asking),
        ..
    }) = &mut model.dialog
    {
        asking.typed = Line::holding(text);
        asking.locked = Some(text.to_owned());
    }
    vec![(format!("asking {name}"), model)]
}

/// Asserts that nothing hostile is in any cell.
fn assert_harmless(buffer: &Buffer, what: &dyn Fn() -> String) {
    for (place, cell) in buffer.content.iter().enumerate() {
        let symbol = cell.symbol();
        assert!(
            !symbol.contains(is_hostile),
            "{}: cell {place}: {symbol:?}",
            what()
        );
    }
}

/// Asserts that both edges of the pane, and of the dialog over it, are where they must be.
fn assert_framed(buffer: &Buffer, model: &Model, what: &str) {
    let symbol = |x: u16, y: u16| buffer[(x, y)].symbol();
    for y in 2..=21 {
        assert!(
            "┌│├└".contains(symbol(0, y)),
            "{what}: left edge, line {y}\n{}",
            text_of(buffer)
        );
        assert!(
            "┐│┤┘".contains(symbol(79, y)),
            "{what}: right edge, line {y}\n{}",
            text_of(buffer)
        );
    }
    if model.dialog.is_some() {
        let lines: Vec<u16> = (0..24).filter(|y| symbol(2, *y) == "│").collect();
        assert!(!lines.is_empty(), "{what}: no dialog");
        for y in lines {
            assert_eq!(
                symbol(77, y),
                "│",
                "{what}: dialog, line {y}\n{}",
                text_of(buffer)
            );
        }
    }
}

fn sweep(name: &str, states: &[(String, Model)], sizes: &[(u16, u16)]) {
    for (state, model) in states {
        for (width, height) in sizes {
            let what = || format!("{name}: {state} at {width}×{height}");
            let buffer = drawn(model, *width, *height);
            assert_harmless(&buffer, &what);
            if (*width, *height) == (80, 24) {
                assert_framed(&buffer, model, &what());
            }
        }
    }
}

const SIZES: &[(u16, u16)] = &[(160, 48), (80, 24), (40, 10), (20, 5), (1, 1)];

#[test]
fn no_hostile_text_reaches_the_screen() {
    for (name, text) in TEXTS {
        sweep(name, &states(text), SIZES);
    }
}

#[test]
fn no_size_is_too_small_or_odd() {
    let text = everything();
    let tiny = (1..=30).flat_map(|width| (1..=12).map(move |height| (width, height)));
    // Around the sizes at which the screen changes its shape.
    let edges = (38..=62)
        .step_by(3)
        .flat_map(|width| (8..=18).map(move |height| (width, height)));
    let wide = [
        (59, 40),
        (60, 11),
        (119, 12),
        (120, 12),
        (121, 9),
        (300, 10),
        (41, 100),
    ];
    let sizes: Vec<(u16, u16)> = tiny.chain(edges).chain(wide).collect();
    // Each screen has its own third of them, and all of them in the long run.
    let share = if is_long() { 1 } else { 3 };
    for (nth, state) in states(&text).into_iter().enumerate() {
        let mine = sizes.iter().skip(nth % share).step_by(share);
        let mine: Vec<_> = mine.copied().collect();
        sweep("everything", &[state], &mine);
    }
}

/// A cell of a megabyte is cut before it is worked on, so a screen of them is drawn like any other.
#[test]
fn a_megabyte_in_every_cell_is_drawn() {
    let text = everything().repeat(1_000_000 / everything().len());
    let sizes = &[(160, 48), (80, 24)];
    let mut dialogs = dialogs(&text);
    for pane in PaneId::ALL {
        let mut model = still::model(*pane, still::picture);
        let mut picture = still::picture();
        still::fill(&mut picture, &text);
        model
            .blocks
            .select(&picture.blocks.rows[0].audit.publish_run_id);
        still::show(&mut model, picture);
        for keys in ["", "z", "a", "w", "J", "!"] {
            press(&mut model, keys);
            let state = [(format!("{pane} {keys}"), model)];
            sweep("a megabyte", &state, sizes);
            [(_, model)] = state;
            press(&mut model, "esc esc");
        }
        for (name, dialog) in dialogs.drain(..) {
            model.dialog = Some(dialog);
            let state = [(name, model)];
            sweep("a megabyte", &state, sizes);
            [(_, model)] = state;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_hostile_text_reaches_a_dialog_that_asks() {
    let world = World::sqlite().await;
    world.register_footer().await;
    // The shell that mints takes no quote, no return and no end of a text as part of it.
    let texts = TEXTS
        .iter()
        .map(|(name, text)| (*name, text.replace(['\0', '\'', '\r'], "?")));
    let texts: Vec<_> = texts.filter(|(_, text)| !text.trim().is_empty()).collect();
    let store = world.store("maya").await;
    for (name, text) in &texts {
        world.block(text).await;
        let mut found = Vec::new();
        for (verb, asked) in [
            ("take_block", Asked::of(text)),
            ("grant_role", Asked::of("kim").with("role", "on_call")),
            ("bypass_freeze", bypass(text)),
        ] {
            let mut view = store.view().await.expect("a view");
            let proposal = actions::propose(&mut view, verb, asked).await;
            // What cannot be an id is no proposal.
            let is_refused = verb == "bypass_freeze" && proposal.is_err();
            if !is_refused {
                found.extend(asking(proposal.expect("a proposal"), text));
            }
        }
        sweep(name, &found, SIZES);
        let sizes = (40..=62)
            .step_by(2)
            .flat_map(|width| (10..=18).map(move |height| (width, height)));
        sweep(name, &found, &sizes.collect::<Vec<_>>());
    }
    store.close().await;
}
