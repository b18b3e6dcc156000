//! What never leaves the screen, however small it is and however much there would be to say; and how its cells look.

use std::time::Duration;

use govdeck::console::event::{Event, Sight};
use govdeck::console::panes::PaneId;
use govdeck::console::theme::{Theme, Token};
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Style};

use crate::support::desk::{drawn, text_of};
use crate::support::still::{self, at, picture};

#[test]
fn the_header_never_loses_environment_and_mode() {
    let crowded = || {
        let mut picture = picture();
        picture.skew_milliseconds = -3_600_000;
        picture.rate = 0;
        picture.deployment.environment = govdeck::rules::people::Environment::Staging;
        picture
    };
    let mut model = still::model(PaneId::Blocks, crowded);
    let mut link = model.link.clone();
    link.trouble = Some(("gone".to_owned(), "wait".to_owned()));
    let sight = Sight {
        picture: model.picture.clone(),
        link,
    };
    model.update(Event::Sight(sight), model.at + Duration::from_secs(9_999));
    for width in 40..160 {
        let screen = text_of(&drawn(&model, width, 24));
        let header = screen.lines().next().expect("a line");
        let kept = header.starts_with(" STAGING  READ-ONLY") && header.contains("LOST 9999s");
        assert!(kept, "{width}: {header}");
    }
    assert!(text_of(&drawn(&model, 160, 24)).contains("CLOCK OFF -3600s LOST 9999s stopped"));
    // Why it is lost stays in sight, but not over what was said last.
    model.status = None;
    assert!(text_of(&drawn(&model, 80, 24)).contains("gone; wait"));
    model.say_quietly("told".to_owned());
    assert!(!text_of(&drawn(&model, 80, 24)).contains("gone; wait"));
    // Where there is one sentence, it says how old it is.
    let small = text_of(&drawn(&model, 30, 6));
    assert!(
        small.contains("LOST 9999s") && small.contains("6 blocked"),
        "{small}"
    );
    let live = text_of(&drawn(&still::model(PaneId::Home, picture), 30, 6));
    assert!(!live.contains("live"), "{live}");
}

#[test]
fn beside_the_past_there_is_room_for_deployment_and_person() {
    let mut model = still::model(PaneId::Blocks, picture);
    model.as_of = Some(at("01:44:00"));
    for (width, said) in [
        (80, " AS OF 05-14 01:44Z "),
        (100, " AS OF 2026-05-14 01:44Z, history "),
    ] {
        let screen = text_of(&drawn(&model, width, 24));
        let header = screen.lines().next().expect("a line");
        for part in [" PROD  READ-ONLY ", said, "gov-deck", "maya", "live"] {
            assert!(header.contains(part), "{width}: no {part:?} in {header}");
        }
    }
}

#[test]
fn more_than_is_listed_is_said_to_be_more() {
    let many = || {
        let mut picture = picture();
        let one = picture.mine[0].clone();
        picture.mine = vec![one; 20];
        picture
    };
    let screen = text_of(&drawn(&still::model(PaneId::Home, many), 80, 60));
    assert!(screen.contains("Waits for you \u{b7} 22+"), "{screen}");
    let screen = text_of(&drawn(&still::model(PaneId::Home, picture), 80, 60));
    assert!(screen.contains("Waits for you \u{b7} 5 "), "{screen}");
}

#[test]
fn a_time_of_another_day_has_its_day() {
    let old = || {
        let mut picture = picture();
        picture.now = "2026-05-16T02:14:07Z".parse().expect("a moment");
        picture
    };
    for pane in [PaneId::Home, PaneId::Blocks] {
        let screen = text_of(&drawn(&still::model(pane, old), 100, 40));
        assert!(screen.contains("05-14 02:08:55Z"), "{screen}");
        let screen = text_of(&drawn(&still::model(pane, picture), 100, 40));
        assert!(!screen.contains("05-14 02:08:55Z"), "{screen}");
    }
    assert!(at("02:08:55") < picture().now);
}

/// Finds a text on a screen and returns its first cell.
fn cell_of<'a>(buffer: &'a Buffer, text: &str) -> &'a Cell {
    let lines = text_of(buffer);
    for (y, line) in lines.lines().enumerate() {
        if let Some(before) = line
            .split(text)
            .next()
            .filter(|before| before.len() < line.len())
        {
            let x = u16::try_from(before.chars().count()).expect("on the screen");
            return &buffer[(x, u16::try_from(y).expect("on the screen"))];
        }
    }
    panic!("no {text:?} on\n{lines}");
}

fn assert_looks(cell: &Cell, style: Style, what: &str) {
    if let Some(color) = style.fg {
        assert_eq!(cell.fg, color, "{what}");
    }
    if let Some(color) = style.bg {
        assert_eq!(cell.bg, color, "{what}");
    }
    assert!(cell.modifier.contains(style.add_modifier), "{what}");
}

/// What stands on the screen of Blocks, and what it means.
const MEANINGS: &[(&str, Token)] = &[
    (" PROD ", Token::EnvProd),
    (" READ-ONLY ", Token::ModeReadonly),
    (" armed: lee until 02:20Z ", Token::ModeArmed),
    ("live notify", Token::StatusOk),
    ("[4 Blocks 6!]", Token::Accent),
    ("8 Ledger", Token::Muted),
    ("┌", Token::BorderFocus),
    ("STATE", Token::Muted),
    ("SOON   06:53", Token::SlaSoon),
    ("ok     2h15m", Token::SlaOk),
    ("no limit", Token::StatusUnknown),
    ("ESCALATED", Token::StatusWarn),
    ("TAKEN", Token::StatusPending),
    ("pub-0415", Token::Fg),
    ("tuple_drift: what", Token::StatusDanger),
    ("BREACH +05:12  nobody", Token::SlaBreach),
    ("take-block (a t)", Token::KeyHint),
    ("? help", Token::KeyHint),
    ("help  q", Token::KeyLabel),
];

#[test]
fn everything_looks_as_its_theme_says() {
    for name in ["dark", "light", "mono"] {
        let mut model = still::model(PaneId::Blocks, picture);
        model.start.theme = Theme::built_in(name).expect("a theme");
        let theme = model.start.theme.clone();
        let buffer = drawn(&model, 160, 48);
        for (text, token) in MEANINGS {
            let style = theme.at(*token);
            assert_looks(cell_of(&buffer, text), style, &format!("{name}: {text}"));
        }
        assert_looks(
            cell_of(&buffer, "> pub-0412"),
            theme.at(Token::SelectionMarker),
            name,
        );
        assert_looks(cell_of(&buffer, "pub-0412   "), theme.selected(), name);
        let is_plain = |cell: &Cell| cell.fg == Color::Reset && cell.bg == Color::Reset;
        let plain = buffer.content.iter().all(is_plain);
        assert_eq!(plain, name == "mono", "only mono has no colour");
        let covered = buffer.content.iter().filter(|cell| cell.bg == Color::Reset);
        assert_eq!(
            covered.count() == 0,
            name != "mono",
            "{name}: every cell has its ground"
        );
    }
}

/// Without colours, what is dangerous is still told apart by words and weight.
#[test]
fn nothing_is_said_by_colour_alone() {
    let mut model = still::model(PaneId::Blocks, picture);
    model.start.theme = Theme::built_in("mono").expect("a theme");
    let text = text_of(&drawn(&model, 160, 48));
    for word in [
        "PROD",
        "READ-ONLY",
        "BREACH",
        "SOON",
        "ok ",
        "TAKEN",
        "ESCALATED",
        "OPEN",
        "> pub-0412",
        "[4 Blocks",
    ] {
        assert!(text.contains(word), "{word}");
    }
}
