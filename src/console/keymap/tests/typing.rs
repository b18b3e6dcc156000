use std::time::Instant;

use crossterm::event::{Event as Input, KeyEvent, KeyModifiers};

use super::super::super::event::Event;
use super::super::super::model::{Model, Start};
use super::super::super::overlay::Overlay;
use super::super::super::panes::PaneId;
use super::super::super::stroke::Stroke;
use super::super::super::theme::{Depth, Theme};
use super::super::super::ui::Glyphs;
use super::super::{Keymap, Preset};
use super::preset;

fn model(keymap: Keymap) -> Model {
    let start = Start {
        keymap,
        theme: Theme::built_in("dark").expect("it is built in"),
        depth: Depth::True,
        themes_folder: None,
        console_id: "c-1".to_owned(),
        glyphs: Glyphs::Ascii,
        place: "sqlite:x".to_owned(),
        signing: crate::actions::Signing::Without,
        way: crate::console::picture::Way::Direct,
        elsewhere: None,
    };
    Model::new(start, (80, 24), None, Instant::now())
}

fn typed(model: &mut Model, keys: &str) {
    for stroke in keys.split_whitespace() {
        let stroke: Stroke = stroke.parse().expect("a key");
        let modifiers = if stroke.control {
            KeyModifiers::CONTROL
        } else {
            KeyModifiers::NONE
        };
        let key = KeyEvent::new(stroke.code, modifiers);
        model.update(Event::Input(Input::Key(key)), Instant::now());
    }
}

#[test]
fn what_was_begun_is_forgotten() {
    for (name, keys) in [(Preset::Default, "g esc"), (Preset::Emacs, "ctrl-x ctrl-g")] {
        let mut model = model(preset(name));
        typed(&mut model, keys);
        assert!(model.pending.is_empty() && model.status.is_none() && model.overlay.is_none());
        typed(&mut model, "4");
        assert_eq!(model.pane, PaneId::Blocks);
    }
    let mut model = model(preset(Preset::Default));
    typed(&mut model, "g ctrl-c");
    assert!(matches!(model.overlay, Some(Overlay::Leave)));
}

#[test]
fn boxes_are_walked_and_closed_with_the_keymaps_keys() {
    let scroll = |model: &Model| match &model.overlay {
        Some(Overlay::Text(text)) => text.scroll.at(),
        other => panic!("{other:?}"),
    };
    for (name, keys, at) in [
        (Preset::Default, "j j j k", 2),
        (Preset::Default, "G g g j", 1),
        (Preset::Default, "pgdn down home", 0),
        (Preset::Emacs, "ctrl-n ctrl-n ctrl-p", 1),
        (Preset::Arrows, "down down j", 2),
    ] {
        let mut model = model(preset(name));
        typed(&mut model, "?");
        typed(&mut model, keys);
        assert_eq!(scroll(&model), at, "{name}: {keys}");
        typed(&mut model, "esc");
        assert!(model.overlay.is_none());
    }
    for (name, open, close) in [
        (Preset::Emacs, "?", "ctrl-g"),
        (Preset::Emacs, ":", "ctrl-g"),
        (Preset::Emacs, "T", "ctrl-g"),
        (Preset::Emacs, "a", "ctrl-g"),
        (Preset::Default, "?", "q"),
        (Preset::Default, "?", "ctrl-c"),
        (Preset::Default, "T", "enter"),
    ] {
        let mut model = model(preset(name));
        typed(&mut model, open);
        assert!(model.overlay.is_some(), "{open}");
        typed(&mut model, close);
        assert!(model.overlay.is_none(), "{name}: {open} {close}");
    }
    let mut model = model(preset(Preset::Default));
    typed(&mut model, "? j g esc");
    assert_eq!(scroll(&model), 1, "esc forgot the g and closed nothing");
}
