//! What never leaves the screen, however small it is and however much there would be to say.

use std::time::Duration;

use govdeck::console::event::{Event, Sight};
use govdeck::console::panes::PaneId;

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
