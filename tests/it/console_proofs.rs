//! What every pane answers alike: which row needs somebody next, why a verdict stands, the row as JSON, the action as a
//! command.

use crossterm::event::{Event as Input, KeyEvent, KeyModifiers};
use govdeck::actions;
use govdeck::console::event::{Effect, Event};
use govdeck::console::model::Model;
use govdeck::console::overlay::Overlay;
use govdeck::console::panes::{PaneId, home, spoken};
use govdeck::console::picture::{Picture, Possible};
use govdeck::console::stroke::chord;
use govdeck::console::ui::Glyphs;
use govdeck::rules::migration::RollbackReason;
use govdeck::rules::migration::hour::{HourStatus, StepState};
use govdeck::rules::week::RunStatus;
use govdeck::rules::{Condition, Verdict, condition};

use crate::support::desk::{Desk, drawn, text_of};
use crate::support::still::{self, at, picture};
use crate::support::week_files::world_with_policy;
use crate::support::{on_both, weeks};

/// Presses keys, and shows a picture of whatever is wanted then.
fn press(model: &mut Model, keys: &str, picture: impl Fn() -> Picture) -> Vec<Effect> {
    let mut told = Vec::new();
    for stroke in chord(keys).expect("keys") {
        let key = KeyEvent::new(stroke.code, KeyModifiers::NONE);
        told.extend(model.update(Event::Input(Input::Key(key)), model.at));
        still::show(model, picture());
    }
    told
}

fn says(model: &Model) -> &str {
    model.status.as_ref().map_or("", |said| said.text.as_str())
}

/// The lines of the text that is open.
fn read(model: &Model) -> Vec<String> {
    match &model.overlay {
        Some(Overlay::Text(text)) => text.lines.iter().map(|(_, line)| line.clone()).collect(),
        other => panic!("no text is open: {other:?}"),
    }
}

/// The rows that `n` goes to, until one comes again.
fn problems(model: &mut Model, picture: impl Fn() -> Picture) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    loop {
        press(model, "n", &picture);
        let selected = model.selected().map(|(_, id)| id).unwrap_or_default();
        if found.contains(&selected) {
            return found;
        }
        found.push(selected);
    }
}

#[test]
fn the_next_problem_of_weeks_is_a_run_that_did_not_pass_or_waits_for_a_name() {
    let mut model = still::model(PaneId::Weeks, picture);
    let rows = picture().weeks.rows;
    let bad = |status| {
        !matches!(
            status,
            RunStatus::Pass | RunStatus::Scheduled | RunStatus::Running
        )
    };
    let not_passed = rows.iter().filter(|row| bad(row.window.status));
    let mut wanted: Vec<_> = not_passed
        .map(|row| row.window.job_run_id.clone())
        .collect();
    assert!(wanted.len() >= 4, "{wanted:?}");
    assert_eq!(problems(&mut model, picture), wanted);
    // For a signer who has not signed it, the newest green run is one too.
    let signer = || {
        let mut picture = picture();
        let actor = picture.actor.as_mut().expect("an actor");
        actor.roles.insert(govdeck::rules::people::Role::Signer);
        picture
    };
    let newest = signer().series[0]
        .look
        .newest()
        .expect("a run")
        .job_run_id
        .clone();
    wanted.push(newest);
    let mut found = problems(&mut still::model(PaneId::Weeks, signer), signer);
    found.sort();
    wanted.sort();
    assert_eq!(found, wanted);
}

#[test]
fn where_nobody_is_needed_each_pane_says_so_and_stays_where_it_is() {
    let calm = || {
        let mut picture = picture();
        picture
            .weeks
            .rows
            .retain(|row| row.window.status == RunStatus::Running);
        picture.migrations.mismatches.rows.clear();
        for row in &mut picture.migrations.rows.rows {
            row.closed_at_dt_utc = Some(at("01:00:00"));
        }
        for row in &mut picture.bundles.rows {
            (row.newest, row.runs_since, row.dead_end) = (String::new(), None, 0);
        }
        for row in &mut picture.entries.rows {
            row.clock_anomaly = false;
        }
        picture.approvals.clear();
        for row in &mut picture.people.rows {
            "on_call".clone_into(&mut row.roles);
        }
        for row in &mut picture.dictionary.rows {
            row.deprecated_after = None;
        }
        let hour = picture
            .migrations
            .hour
            .as_mut()
            .and_then(|it| it.hour.as_mut());
        for step in &mut hour.expect("an hour").steps {
            step.state = StepState::Done;
        }
        picture
    };
    for (pane, said) in [
        (PaneId::Migration, "no migration here is open"),
        (PaneId::Mismatches, "nothing here mismatches"),
        (
            PaneId::Weeks,
            "no run here did not pass or waits for your name",
        ),
        (PaneId::Cutover, "no step of the hour has failed"),
        (PaneId::Bundles, "no bundle here failed or takes too long"),
        (
            PaneId::Ledger,
            "no entry near here waits for a second person or has a wrong clock",
        ),
        (
            PaneId::People,
            "nobody here lacks a role or a key to sign with",
        ),
        (PaneId::Dictionary, "no metric here is deprecated"),
    ] {
        let mut model = still::model(pane, calm);
        let before = model.selected();
        press(&mut model, "n", calm);
        assert_eq!(
            says(&model).replace("near here", "here"),
            said.replace("near here", "here")
        );
        assert_eq!((model.pane, model.selected()), (pane, before), "{pane}");
        // And in the still life as it is, somebody is needed in each.
        let mut model = still::model(pane, picture);
        press(&mut model, "n", picture);
        assert!(!says(&model).starts_with("no "), "{pane}: {}", says(&model));
    }
    let mut model = still::model(PaneId::Cutover, picture);
    press(&mut model, "n", picture);
    assert_eq!(says(&model), "step 3 of 7, flip, failed");
    assert!(model.zoomed);
}

#[test]
fn on_home_the_next_line_that_needs_somebody_is_selected() {
    let mut model = still::model(PaneId::Home, picture);
    let mut lines = Vec::new();
    while !lines.contains(&model.home) {
        lines.push(model.home);
        press(&mut model, "n", picture);
        assert_eq!(model.pane, PaneId::Home);
    }
    assert!(lines.len() > 4, "{lines:?}");
}

#[test]
fn every_pane_says_by_which_rule_which_rows_and_which_hashes_a_verdict_stands() {
    for (pane, verdict) in [
        (PaneId::Migration, "mig-2026-05-14 is in"),
        (PaneId::Mismatches, "do not match"),
        (PaneId::Blocks, "pub-0412 is blocked"),
        (PaneId::Weeks, "SCHEDULED sla.20260518t0600z"),
        (PaneId::Cutover, "step 3 of 7, flip: failed"),
        (PaneId::Bundles, "by"),
        (PaneId::Ledger, "known as"),
        (PaneId::People, "is active"),
        (PaneId::Dictionary, "is in use"),
    ] {
        let mut model = still::model(pane, picture);
        press(&mut model, "w", picture);
        let lines = read(&model);
        assert!(
            lines.iter().any(|line| line.contains(verdict)),
            "{pane}: {lines:#?}"
        );
        for part in ["  rule  ", "  row   ", "  hash  "] {
            assert!(
                lines.iter().any(|line| line.starts_with(part)),
                "{pane}: {part}\n{lines:#?}"
            );
        }
    }
}

/// On Home a line is proved as its row is in the pane that it leads to.
#[test]
fn a_line_of_home_is_proved_too() {
    let mut found = Vec::new();
    let mut model = still::model(PaneId::Home, picture);
    for _ in 0..home::items(&model).len() {
        press(&mut model, "w", picture);
        found.extend(read(&model));
        press(&mut model, "esc", picture);
        press(&mut model, "j", picture);
    }
    for text in [
        "series sla is GREEN",
        "pub-0412 is blocked",
        "  hash  source MISSING",
        "known as",
        "  hash  after ",
    ] {
        assert!(
            found.iter().any(|line| line.contains(text)),
            "{text}\n{found:#?}"
        );
    }
}

#[test]
fn a_hash_is_told_whole_and_one_that_is_missing_is_said_to_be() {
    let mut model = still::model(PaneId::Blocks, picture);
    press(&mut model, "w", picture);
    let lines = read(&model);
    let publish = picture().blocks.rows[0].audit.publish_tuple_hash.clone();
    let whole = format!("  hash  publish {}", publish.expect("a hash"));
    assert!(lines.contains(&whole), "{lines:#?}");
    assert!(
        lines.contains(&"  hash  source MISSING".to_owned()),
        "{lines:#?}"
    );
    // Nobody has hashed the ledger again here, so that is no proof.
    let mut model = still::model(PaneId::Ledger, picture);
    press(&mut model, "w", picture);
    let is_untold = |line: &String| line.contains("cannot tell whether the hashes hold");
    assert!(read(&model).iter().any(is_untold));
}

#[test]
fn what_jobs_found_last_is_told_in_short_and_proved_to_its_hashes() {
    let mut model = still::model(PaneId::Migration, picture);
    let short = "exports FAIL 4 min · replay PASS/PASS 1 h 14 min · FAQ ? 2 h 04 min";
    let screen = text_of(&drawn(&model, 80, 24));
    assert!(screen.contains(short), "{screen}");
    press(&mut model, "w", picture);
    let lines = read(&model);
    for part in [
        "exports in landed: FAIL",
        "  hash  key sets ",
        "the replay under 2.4.0: PASS",
        "the replay under 2.4.1: PASS",
        "  row   pass migrations/mig-2026-05-14/goldens/leadership.csv: 214 rows alike",
        "  hash  golden ",
        "  hash  what came out ",
        "  hash  manifest ",
    ] {
        assert!(
            lines.iter().any(|line| line.starts_with(part)),
            "{part}\n{lines:#?}"
        );
    }
    // What proves nothing of now passes under neither release.
    let open = || {
        let mut picture = picture();
        let detail = picture.migrations.selected.as_mut().expect("selected");
        let replay = detail.looks.replay.as_mut().expect("replayed");
        replay.report.verdict = Verdict::CannotTell;
        detail.looks.fingerprints.clear();
        picture
    };
    let model = still::model(PaneId::Migration, open);
    let screen = text_of(&drawn(&model, 80, 24));
    assert!(screen.contains("exports ? · replay ?/? "), "{screen}");
}

#[test]
fn in_the_hour_what_holds_the_next_step_back_comes_first() {
    let held = || {
        let mut picture = picture();
        let failed = Condition::holds(
            "lead",
            false,
            "maya",
            "lee leads the hour",
            "ask lee to begin it",
        );
        picture.possible = vec![Possible {
            entry: actions::find("begin_step").expect("an action"),
            refusal: condition::unmet(std::slice::from_ref(&failed)),
            conditions: vec![failed],
            offer: None,
        }];
        picture
    };
    let mut model = still::model(PaneId::Cutover, held);
    press(&mut model, "w", held);
    let lines = read(&model);
    assert_eq!(lines[0], "begin-step (guard 2): not now");
    assert_eq!(lines[1], "  [FAIL] lead: lee leads the hour");
    assert_eq!(lines[2], "         maya: ask lee to begin it");
    let again = lines.iter().filter(|line| line.starts_with("begin-step"));
    assert_eq!(again.count(), 1, "{lines:#?}");
}

on_both!(
    both_limits_come_from_the_policy_and_judge_each_week,
    |world| {
        let world = world_with_policy(world).await;
        weeks::week(&world, 0, RunStatus::Pass).await;
        weeks::week(&world, 1, RunStatus::Fail).await;
        let mut desk = Desk::open(&world, "maya").await;
        desk.press("5 n z").await;
        assert_eq!(desk.model.selected().map(|(_, id)| id), Some(weeks::run(1)));
        desk.shows(&[
            "below soft: 0.016129, MET-0144",
            "s soft 0.05, h hard 0.1, by policy eps-7",
            "2 weeks: 0 above soft, 0 would roll back, 0 cannot tell",
        ]);
        desk.press("w").await;
        desk.shows(&[
            "FAIL sla.",
            "no metric fails: 1 of 2 failed",
            "row   FAIL MET-0144: leadership 94.5, partner 93",
            "hash  diff",
        ]);
        world.assert_sound().await;
    }
);

#[test]
fn of_the_past_no_gate_and_no_colour_is_proved() {
    for pane in [PaneId::Migration, PaneId::Weeks] {
        let mut model = still::model(pane, picture);
        model.as_of = Some(at("01:44:00"));
        still::show(&mut model, picture());
        press(&mut model, "w", picture);
        let lines = read(&model);
        let today = |line: &String| line.contains("series sla is") || line.contains("evidence");
        assert!(!lines.iter().any(today), "{lines:#?}");
    }
}

#[test]
fn a_weekly_run_on_home_is_shown_as_json_too() {
    let mut model = still::model(PaneId::Home, picture);
    for _ in 0..30 {
        if model.selected().is_some_and(|(kind, _)| kind == "week") {
            break;
        }
        press(&mut model, "j", picture);
    }
    press(&mut model, "J", picture);
    assert!(
        read(&model)
            .iter()
            .any(|line| line.contains("\"series_id\": \"sla\""))
    );
}

#[test]
fn a_command_names_what_somebody_still_has_to_say() {
    let with = |offer: Option<&'static str>| {
        let mut picture = picture();
        picture.possible = vec![Possible {
            entry: actions::find("resolve_block").expect("an action"),
            conditions: Vec::new(),
            refusal: None,
            offer: offer.map(|word| ("by", word.to_owned())),
        }];
        picture
    };
    for (offer, command) in [
        (None, "govdeck act resolve-block pub-0412 --by BY --dry-run"),
        (
            Some("pub-9"),
            "govdeck act resolve-block pub-0412 --by pub-9 --dry-run",
        ),
        (
            Some("$(id)"),
            "govdeck act resolve-block pub-0412 --by '$(id)' --dry-run",
        ),
        (
            Some("hid\u{202e}den"),
            "govdeck act resolve-block pub-0412 --by BY --dry-run",
        ),
    ] {
        let shown = || with(offer);
        let mut model = still::model(PaneId::Blocks, shown);
        let told = press(&mut model, "C", shown);
        let copied = told.iter().find_map(|effect| match effect {
            Effect::Copy(text) => Some(text.as_str()),
            _ => None,
        });
        assert_eq!(copied, Some(command));
    }
}

#[test]
fn the_hour_is_drawn_on_the_scale_of_sixty_minutes_and_told_in_words() {
    for (glyphs, bar) in [(Glyphs::Lines, '\u{2588}'), (Glyphs::Ascii, '#')] {
        let mut model = still::model(PaneId::Cutover, picture);
        model.start.glyphs = glyphs;
        let screen = text_of(&drawn(&model, 80, 24));
        let line = |word: &str| {
            let mut found = screen.lines().filter(|line| line.contains(word));
            found.next().unwrap_or_default().to_owned()
        };
        // Announced before the hour; flipped nine minutes into it, for less than a cell of four.
        assert!(
            line("1 announce").contains("  <..............  "),
            "{screen}"
        );
        let flip = format!("  ..{bar}............  ");
        assert!(line("3 flip").contains(&flip), "{screen}");
        assert!(
            screen.contains("the bars: the sixty minutes from 01:56:00Z"),
            "{screen}"
        );
    }
    let told = spoken(&still::model(PaneId::Cutover, picture));
    assert!(
        told.contains(&"> 3 flip failed 2 min from 02:05:00Z maya".to_owned()),
        "{told:?}"
    );
    assert!(told.iter().all(|line| !line.contains("..")), "{told:?}");
}

#[test]
fn an_hour_that_overran_is_marked_at_the_end_of_its_scale() {
    let late = || {
        let mut picture = picture();
        let hour = picture
            .migrations
            .hour
            .as_mut()
            .and_then(|it| it.hour.as_mut());
        let step = &mut hour.expect("an hour").steps[2];
        (step.began_at_utc, step.ended_at_utc) = (Some(at("02:50:00")), Some(at("03:10:00")));
        picture
    };
    let screen = text_of(&drawn(&still::model(PaneId::Cutover, late), 80, 24));
    assert!(screen.contains("  .............\u{2588}>  "), "{screen}");
}

#[test]
fn an_hour_whose_migration_was_taken_back_since_says_so() {
    let ended = |reason: Option<RollbackReason>| {
        let mut picture = picture();
        let sight = picture.migrations.hour.as_mut().expect("a sight");
        sight.migration.rollback_reason = reason;
        let hour = &mut sight.hour.as_mut().expect("an hour").hour;
        (hour.status, hour.ended_at_utc) = (HourStatus::Done, Some(at("02:40:00")));
        picture
    };
    let kept = still::model(PaneId::Cutover, || ended(None));
    assert!(!text_of(&drawn(&kept, 80, 24)).contains("TAKEN BACK"));
    let back = still::model(PaneId::Cutover, || ended(Some(RollbackReason::EpsilonHard)));
    let screen = text_of(&drawn(&back, 80, 24));
    assert!(
        screen.contains("; TAKEN BACK since: epsilon_hard"),
        "{screen}"
    );
}

#[test]
fn the_worst_ratio_stands_between_soft_and_hard_in_both_spellings() {
    for (glyphs, chart) in [
        (
            Glyphs::Lines,
            "\u{2588}\u{2588}\u{2588}\u{2588}\u{2588}s\u{2588}\u{2588}\u{2588}\u{2588}",
        ),
        (Glyphs::Ascii, "#####s####"),
    ] {
        let mut model = still::model(PaneId::Weeks, picture);
        model.start.glyphs = glyphs;
        let screen = text_of(&drawn(&model, 160, 48));
        for text in [
            chart,
            "h.... ABOVE SOFT",
            "s soft 0.01, h hard 0.05, by policy eps-7",
        ] {
            assert!(screen.contains(text), "no {text:?} in\n{screen}");
        }
        assert!(
            screen.contains("5 weeks: 2 above soft, 1 would roll"),
            "{screen}"
        );
    }
    let unknown = || {
        let mut picture = picture();
        let spread = picture.run.as_mut().and_then(|run| run.spread.as_mut());
        let spread = spread.expect("a spread");
        (spread.run, spread.cannot_tell) = (None, true);
        picture
    };
    let screen = text_of(&drawn(&still::model(PaneId::Weeks, unknown), 160, 48));
    assert!(screen.contains("protected: cannot tell"), "{screen}");
}
