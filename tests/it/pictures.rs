//! The pictures of the documentation are what the program draws.
//!
//! To renew them: `GOVDECK_BLESS=1 cargo test --test it pictures`.

use std::fs;
use std::path::Path;

use govdeck::console::drawn::svg;
use govdeck::console::event::Event;
use govdeck::console::model::Model;
use govdeck::console::overlay::Overlay;
use govdeck::console::panes::PaneId;
use govdeck::console::theme::Theme;

use crate::support::desk::drawn;
use crate::support::still::{self, picture};

fn in_theme(pane: PaneId, theme: &str) -> Model {
    let mut model = still::model(pane, picture);
    model.start.theme = Theme::built_in(theme).expect("a built-in theme");
    model
}

fn assert_current(name: &str, model: &Model) {
    let drawn = svg(&drawn(model, 100, 28), &format!("govdeck, {name}"));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("docs/pictures/{name}.svg"));
    if std::env::var_os("GOVDECK_BLESS").is_some() {
        fs::create_dir_all(path.parent().expect("a folder")).expect("the folder is there");
        fs::write(&path, drawn).expect("the picture is writable");
        return;
    }
    let stored = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        stored == drawn,
        "docs/pictures/{name}.svg is not what the program draws; GOVDECK_BLESS=1 cargo test --test it pictures"
    );
}

#[test]
fn they_are_current() {
    assert_current("home", &in_theme(PaneId::Home, "dark"));
    assert_current("blocks", &in_theme(PaneId::Blocks, "dark"));
    assert_current("ledger", &in_theme(PaneId::Ledger, "light"));
    assert_current("migration", &in_theme(PaneId::Migration, "dark"));
    assert_current("cutover", &in_theme(PaneId::Cutover, "dark"));
    assert_current("bundles", &in_theme(PaneId::Bundles, "dark"));
    assert_current("dictionary", &in_theme(PaneId::Dictionary, "light"));
    assert_current("weeks", &in_theme(PaneId::Weeks, "dark"));
    assert_current("people", &in_theme(PaneId::People, "dark"));
    let mut model = in_theme(PaneId::Blocks, "dark");
    model.overlay = Some(Overlay::Actions);
    model.update(Event::Tick, model.at);
    assert_current("actions", &model);
}
