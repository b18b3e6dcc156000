//! Screens of the console, stored as text in `tests/it/screens` and compared to the letter.
//!
//! To renew them: `GOVDECK_BLESS=1 cargo test --test it console_screens`.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crossterm::event::{Event as Input, KeyEvent, KeyModifiers};
use govdeck::actions::{self, Asked};
use govdeck::console::dialog::{Dialog, Stage};
use govdeck::console::event::{Event, Sight};
use govdeck::console::list::Listing;
use govdeck::console::model::Model;
use govdeck::console::overlay::Overlay;
use govdeck::console::panes::PaneId;
use govdeck::console::past_sight::PastSight;
use govdeck::console::picture::Picture;
use govdeck::console::stroke::chord;
use govdeck::console::ui::Glyphs;
use govdeck::rules::Refusal;
use govdeck::store::Sealed;
use govdeck::store::past::Past;
use govdeck::store::verify::{Finding, Report};

use crate::support::desk::{drawn, start, text_of};
use crate::support::still::{self, at, digest, picture};
use crate::support::still_bundle;
use crate::support::{REASON, World};

const SMALL: &[(u16, u16)] = &[(80, 24)];
const BOTH: &[(u16, u16)] = &[(80, 24), (160, 48)];

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/screens")
}

/// Compares a screen, in its sizes, with the stored one, or stores it.
fn assert_stored(name: &str, model: &Model, sizes: &[(u16, u16)]) {
    let mut text = String::new();
    for (width, height) in sizes {
        let _ = writeln!(text, "{name} at {width}×{height}");
        text += &text_of(&drawn(model, *width, *height));
    }
    let path = folder().join(format!("{name}.txt"));
    if std::env::var_os("GOVDECK_BLESS").is_some() {
        fs::write(&path, text).expect("the screen is writable");
        return;
    }
    let stored = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        stored == text,
        "{name} looks different; GOVDECK_BLESS=1 cargo test --test it console_screens\n{text}\nwas\n{stored}"
    );
}

/// Presses keys, all at the same moment.
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

fn pressed(pane: PaneId, keys: &str) -> Model {
    let mut model = still::model(pane, picture);
    press(&mut model, keys);
    if !model.has_read() {
        still::show(&mut model, picture());
    }
    model
}

/// Makes the link old, or broken.
fn aged(mut model: Model, seconds: u64, trouble: Option<&str>) -> Model {
    let mut link = model.link.clone();
    link.trouble = trouble.map(|why| (why.to_owned(), "govdeck tries again by itself".to_owned()));
    let sight = Sight {
        picture: model.picture.clone(),
        link,
    };
    model.update(Event::Sight(sight), model.at + Duration::from_secs(seconds));
    model
}

fn with_dialog(dialog: Dialog) -> Model {
    let mut model = still::model(PaneId::Blocks, picture);
    model.dialog = Some(dialog);
    model
}

fn dialog_at(verb: &str, stage: Stage) -> Dialog {
    let entry = actions::find(verb).expect("an action");
    let target = Some("pub-0412".to_owned());
    let mut dialog = Dialog::open(entry, 1, target, Instant::now());
    dialog.stage = stage;
    dialog
}

/// A screen: its name, what it shows, and its sizes.
type Screen = (&'static str, Model, &'static [(u16, u16)]);

/// The panes, each as it opens.
const PANES: [(&str, PaneId); 10] = [
    ("home", PaneId::Home),
    ("migration", PaneId::Migration),
    ("mismatches", PaneId::Mismatches),
    ("cutover", PaneId::Cutover),
    ("bundles", PaneId::Bundles),
    ("dictionary", PaneId::Dictionary),
    ("blocks", PaneId::Blocks),
    ("weeks", PaneId::Weeks),
    ("ledger", PaneId::Ledger),
    ("people", PaneId::People),
];

/// The picture of a deployment in which there is nothing, for somebody it does not know.
fn nothing() -> Picture {
    let mut picture = picture();
    picture.actor = None;
    (picture.mine, picture.reasons, picture.recent) = Default::default();
    (picture.blocks, picture.entries) = Default::default();
    (picture.counts.open, picture.counts.pending) = (0, 0);
    (picture.possible, picture.armed, picture.entry) = Default::default();
    (picture.approvals, picture.people) = Default::default();
    (picture.series, picture.weeks, picture.run) = Default::default();
    (picture.migrations, picture.bundles) = Default::default();
    (picture.progress, picture.bundle) = Default::default();
    (picture.dictionary, picture.metric, picture.released) = Default::default();
    picture.new_entries = Some(0);
    picture.skew_milliseconds = -61_000;
    picture
}

/// A pane after some keys: its name, the pane, the keys, and the sizes.
type Pressed = (&'static str, PaneId, &'static str, &'static [(u16, u16)]);

/// Panes after some keys.
const PRESSED: &[Pressed] = &[
    ("home-waiting", PaneId::Home, "j j j j j j", BOTH),
    ("weeks-zoomed", PaneId::Weeks, "z", SMALL),
    ("migration-zoomed", PaneId::Migration, "z", SMALL),
    ("migration-actions", PaneId::Migration, "a", SMALL),
    ("cutover-zoomed", PaneId::Cutover, "z", SMALL),
    ("cutover-why", PaneId::Cutover, "w", SMALL),
    ("weeks-why", PaneId::Weeks, "w", BOTH),
    ("mismatches-zoomed", PaneId::Mismatches, "z", SMALL),
    ("cutover-actions", PaneId::Cutover, "a", SMALL),
    ("bundles-zoomed", PaneId::Bundles, "z", SMALL),
    ("bundles-actions", PaneId::Bundles, "a", SMALL),
    ("dictionary-zoomed", PaneId::Dictionary, "z", SMALL),
    (
        "dictionary-numbers",
        PaneId::Dictionary,
        "enter enter j",
        SMALL,
    ),
    ("week", PaneId::Home, "j enter", SMALL),
    ("people-zoomed", PaneId::People, "z", SMALL),
    ("people-json", PaneId::People, "J", SMALL),
    ("blocks-zoomed", PaneId::Blocks, "z", SMALL),
    ("blocks-responses", PaneId::Blocks, "z pgdn", SMALL),
    (
        "blocks-typing",
        PaneId::Blocks,
        "/ o w n e r : l e e",
        SMALL,
    ),
    (
        "blocks-filtered",
        PaneId::Blocks,
        "/ l e e enter s S",
        SMALL,
    ),
    ("ledger-card", PaneId::Ledger, "J", SMALL),
    ("actions", PaneId::Blocks, "a", BOTH),
    ("why", PaneId::Blocks, "w", SMALL),
    ("json", PaneId::Blocks, "J", SMALL),
    ("help", PaneId::Ledger, "?", BOTH),
    ("palette", PaneId::Blocks, ": t a", SMALL),
    ("palette-empty", PaneId::Blocks, ": z z z", SMALL),
    ("themes", PaneId::Home, "T j", SMALL),
    ("leave", PaneId::Home, "q", SMALL),
    ("chord", PaneId::Home, "g", SMALL),
    ("messages", PaneId::Home, "4 a f !", SMALL),
];

/// Every screen that needs no database.
fn screens() -> Vec<Screen> {
    let mut found: Vec<Screen> = Vec::new();
    for (name, pane) in PANES {
        found.push((name, still::model(pane, picture), BOTH));
    }
    for (name, pane, keys, sizes) in PRESSED {
        found.push((name, pressed(*pane, keys), sizes));
    }
    let blocks = || still::model(PaneId::Blocks, picture);
    found.push(("late", aged(blocks(), 5, None), SMALL));
    found.push((
        "lost",
        aged(blocks(), 75, Some("the server is gone")),
        SMALL,
    ));
    let mut stale = aged(blocks(), 5, None);
    press(&mut stale, "a");
    found.push(("actions-stale", stale, SMALL));
    let loading = || Model::new(start("c0ffee"), (80, 24), None, Instant::now());
    found.push(("loading", loading(), SMALL));
    found.push((
        "unreadable",
        aged(loading(), 0, Some("the server is gone")),
        SMALL,
    ));
    found.push(("narrow", blocks(), &[(59, 15), (39, 9)]));
    let mut ascii = blocks();
    ascii.start.glyphs = Glyphs::Ascii;
    found.push(("ascii", ascii, BOTH));
    let mut armed = blocks();
    let now = armed.at;
    armed.arming.arm(now);
    press(&mut armed, "a");
    found.push(("armed", armed, SMALL));
    for (name, pane) in [
        ("home-nobody", PaneId::Home),
        ("blocks-none", PaneId::Blocks),
        ("migration-none", PaneId::Migration),
        ("mismatches-none", PaneId::Mismatches),
        ("bundles-none", PaneId::Bundles),
        ("dictionary-none", PaneId::Dictionary),
    ] {
        found.push((name, still::model(pane, nothing), SMALL));
    }
    for (name, run) in [
        (
            "bundles-running",
            still_bundle::running as fn(&str, Instant) -> _,
        ),
        ("bundles-ended", still_bundle::ended),
    ] {
        let mut model = still::model(PaneId::Bundles, picture);
        model.running = Some(Box::new(run("forward.sql", model.at)));
        found.push((name, model, BOTH));
    }
    found.push(("blocks-past", past(), SMALL));
    let mut gone = blocks();
    gone.blocks.select("pub-0400");
    still::show(&mut gone, picture());
    found.push(("blocks-gone", gone, SMALL));
    found.push(("ledger-verified", verified(0), SMALL));
    found.push(("ledger-tampered", verified(2), SMALL));
    found.push(("ledger-second", agreed(), BOTH));
    let mut clipboard = blocks();
    clipboard.overlay = Some(Overlay::Clipboard(
        "govdeck act take-block pub-0412 --dry-run".to_owned(),
    ));
    found.push(("clipboard", clipboard, SMALL));
    found.extend(
        dialogs()
            .into_iter()
            .map(|(name, model)| (name, model, SMALL)),
    );
    found
}

/// The blocks as they stood half an hour before.
fn past() -> Model {
    let then = || {
        let mut picture = picture();
        picture.past = Some(Ok(PastSight {
            past: Past {
                at: at("01:44:00"),
                seq: 198,
            },
            open_blocks: 6,
            moves: Vec::new(),
        }));
        picture
    };
    let mut model = still::model(PaneId::Blocks, picture);
    model.as_of = Some(at("01:44:00"));
    still::show(&mut model, then());
    still::show(&mut model, then());
    model
}

/// The ledger with the entry selected that two persons made.
fn agreed() -> Model {
    let agreed = || {
        let mut picture = picture();
        let mut detail = still::detail();
        let reason = "read it, the window is agreed with ops";
        detail.seq = 213;
        detail.changes.clear();
        detail.approval = Some(Ok(format!(
            "{{\"approved_by\":\"lee\",\"attestation\":\"login\",\"reason\":\"{reason}\"}}"
        )));
        detail.signature = Some(Ok("SHA256:47DEQpj8HBSa".to_owned()));
        picture.entry = Some(detail);
        picture
    };
    let mut model = still::model(PaneId::Ledger, agreed);
    press(&mut model, "j");
    still::show(&mut model, agreed());
    model
}

fn verified(findings: usize) -> Model {
    let mut model = still::model(PaneId::Ledger, picture);
    let found = Finding {
        place: "publish_replay_audit pub-0409".to_owned(),
        wrong: "the row is not what entry 214 made of it".to_owned(),
    };
    let report = Report {
        head: picture().head,
        entries: 214,
        rows: 96,
        artifacts: 430,
        definitions: 61,
        findings: vec![found; findings],
    };
    model.update(Event::Verified(Box::new(Ok(report))), model.at);
    model
}

fn dialogs() -> Vec<(&'static str, Model)> {
    let refusal = || {
        Refusal::new(
            "pub-0412 was changed meanwhile: lee did take_block at 02:13:00 (entry 215)",
            "look again and decide anew",
        )
    };
    let ticket = "0123456789abcdef0123456789abcdef".to_owned();
    let sealed = Sealed {
        seq: 215,
        hash: digest("entry 215"),
        at: at("02:14:08"),
    };
    let filed = Sealed {
        seq: 216,
        hash: digest("entry 216"),
        at: at("02:14:08"),
    };
    let filling = Dialog::open(
        actions::find("add_person").expect("an action"),
        1,
        None,
        Instant::now(),
    );
    let mut typed = with_dialog(filling);
    press(&mut typed, "a n n tab A n n left");
    let filling = Dialog::open(
        actions::find("grant_role").expect("an action"),
        1,
        None,
        Instant::now(),
    );
    let mut wrong = with_dialog(filling);
    press(&mut wrong, "enter enter");
    let mut waiting = with_dialog(dialog_at("take_block", Stage::Planning));
    let since = waiting.at;
    waiting.dialog = Some(dialog_at(
        "take_block",
        Stage::Waiting {
            ticket: ticket.clone(),
            since,
        },
    ));
    let cause = "the connection broke while committing".to_owned();
    let stages = [
        ("dialog-planning", Stage::Planning),
        ("dialog-done", Stage::Done(sealed)),
        ("dialog-refused", Stage::Refused(refusal())),
        ("dialog-failed", Stage::Failed(refusal())),
        ("dialog-unknown", Stage::Unknown { ticket, cause }),
    ];
    let mut found = vec![
        ("dialog-filling", typed),
        ("dialog-wrong", wrong),
        ("dialog-waiting", aged(waiting, 3, None)),
    ];
    found.extend(stages.map(|(name, stage)| (name, with_dialog(dialog_at("take_block", stage)))));
    let mut proposed = dialog_at("bypass_freeze", Stage::Done(filed));
    proposed.waits = Some((
        "0123456789abcdef0123456789abcdef".to_owned(),
        at("23:14:08"),
    ));
    found.push(("dialog-proposed", with_dialog(proposed)));
    found
}

/// The dialogs that show a proposal, which only a database can make.
async fn proposals() -> Vec<(&'static str, Model)> {
    let world = World::sqlite().await;
    world.register_footer().await;
    world.block("pub-0412").await;
    let store = world.store("maya").await;
    let mut found = Vec::new();
    for (name, verb, asked, keys) in [
        ("dialog-confirm", "take_block", Asked::of("pub-0412"), ""),
        (
            "dialog-confirm-tab",
            "take_block",
            Asked::of("pub-0412"),
            "tab",
        ),
        (
            "dialog-review",
            "grant_role",
            Asked::of("kim").with("role", "on_call"),
            "",
        ),
        (
            "dialog-review-wrong",
            "grant_role",
            Asked::of("kim").with("role", "on_call"),
            "tab x",
        ),
        (
            "dialog-review-open",
            "grant_role",
            Asked::of("kim").with("role", "on_call"),
            "tab k i m / o n _ c a l l tab",
        ),
        ("dialog-locked", "take_block", Asked::of("pub-0412"), ""),
    ] {
        let mut view = store.view().await.expect("a view");
        let proposal = actions::propose(&mut view, verb, asked.clone())
            .await
            .expect("a proposal");
        let entry = proposal.entry();
        let mut model = still::model(PaneId::Blocks, picture);
        model.arming.arm(model.at);
        let target = Some(asked.target);
        let mut dialog = Dialog::open(entry, 1, target, model.at);
        dialog.stage = Stage::Planning;
        dialog.planned(Ok(proposal), model.at);
        if let Stage::Asking(asking) = &mut dialog.stage {
            asking.locked = (name == "dialog-locked").then(|| "taken by lee".to_owned());
        }
        model.dialog = Some(dialog);
        // Later, when keys count.
        let later = model.at + Duration::from_secs(1);
        model.update(Event::Tick, later);
        if name == "dialog-review-open" {
            model.update(Event::Input(Input::Paste(REASON.to_owned())), later);
        }
        for key in keys.split_whitespace() {
            let at = model.at + Duration::from_millis(20);
            model.update(Event::Tick, at);
            press(&mut model, key);
        }
        found.push((name, model));
    }
    store.close().await;
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn screens_look_as_stored() {
    let mut names = BTreeSet::new();
    for (name, model, sizes) in screens() {
        assert_stored(name, &model, sizes);
        assert!(names.insert(name), "{name} is there twice");
    }
    for (name, model) in proposals().await {
        let sizes = if name == "dialog-review" { BOTH } else { SMALL };
        assert_stored(name, &model, sizes);
        assert!(names.insert(name), "{name} is there twice");
    }
    for file in fs::read_dir(folder()).expect("the folder is there") {
        let file = file.expect("readable").file_name();
        let file = file.to_string_lossy();
        let name = file.strip_suffix(".txt").expect("a screen");
        assert!(names.contains(name), "{file} is a screen of nothing");
    }
}
