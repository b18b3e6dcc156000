//! The rollback trigger: what lies too far apart since the flip is taken back by rule, exactly once, with everything that
//! follows; and what a person takes back leaves the same behind.

use govdeck::actions::{Asked, ByRule, Finding, Unplanned};
use govdeck::jobs::trigger;
use govdeck::rules::week::{RunKind, RunStatus};
use serde_json::Value;

use crate::agent;
use crate::cli_kit::{document, govdeck, said};
use crate::support::command::{kill_at_every, wait_for};
use crate::support::desk::Desk;
use crate::support::migration_story::{ID, cut_over, dual_writing, world};
use crate::support::week_files::{Files, adopt_policy};
use crate::support::weeks::{self, MONDAYS, SERIES, by_rule, by_rule_with, claim, plan};
use crate::support::{World, hour_story, on_both};
use crate::week_forbidden::{By, Tried, all_are_refused, tried};

/// The partners' value of every run; soft is 0.05, hard 0.1.
const PARTNER: &str = "100";
const WITHIN: &str = "104.9";
const SOFT: &str = "106";
const HARD: &str = "89.9";

const STANDS: &str = "SELECT phase || ' ' || version || ' ' || COALESCE(rollback_reason, '-') FROM dictionary_migration_state";
const FOLLOWS: &str = "SELECT (SELECT COUNT(*) FROM redeploy_task) + 10 * (SELECT COUNT(*) FROM migration_notice) \
     + 100 * (SELECT COUNT(*) FROM dictionary_migration_event WHERE kind = 'rollback') \
     + 1000 * (SELECT COUNT(*) FROM notification_outbox WHERE event_class = 'migration_rolled_back')";

/// A migration that was cut over under a policy that two adopted, with somebody on call.
async fn flipped(w: World) -> World {
    let world = world(w).await;
    adopt_policy(&world).await;
    let on_call = Asked::of("kim").with("role", "on_call");
    let granted = world.act("maya", "grant_role", on_call).await;
    granted.expect("granted");
    cut_over(&world).await;
    world
}

/// Ends a run in which the protected metric lies so far apart.
async fn ended(world: &World, run: &str, week: usize, leadership: &str) {
    let (mut finding, evidence) = weeks::found(week, RunStatus::Pass);
    let kept = &mut finding.kept[0];
    kept.leadership = Some(leadership.to_owned());
    kept.partner = Some(PARTNER.to_owned());
    let rule = ByRule::FinishRun {
        run: run.to_owned(),
        claim: claim(),
        finding: Box::new(Finding { ..finding }),
    };
    let ended = by_rule_with(world, "lee", rule, evidence).await;
    ended.expect("ended");
}

/// Compares at a time, though no window is.
async fn at_once(world: &World, at: &str, kind: RunKind, leadership: &str) {
    world.set_time(at).await;
    let unplanned = Unplanned {
        kind,
        series: SERIES.to_owned(),
        at: at.parse().expect("a moment"),
    };
    let run = unplanned.run_id();
    let rule = ByRule::StartRun {
        run: run.clone(),
        claim: claim(),
        minutes: 15,
        unplanned: Some(unplanned),
    };
    by_rule(world, "lee", rule).await.expect("begun");
    ended(world, &run, 3, leadership).await;
}

/// Lets a planned week end.
async fn week(world: &World, week: usize, leadership: &str) {
    world.set_time(MONDAYS[week]).await;
    weeks::start(world, week).await.expect("begun");
    ended(world, &weeks::run(week), week, leadership).await;
}

fn due(world: &World) -> Value {
    let run = govdeck(world, "maya", &["job", "due", "--json"]);
    document(&run, 0, "job-due")["triggered"].clone()
}

/// What the trigger says of the one migration that is watched.
fn says(world: &World) -> String {
    let found = due(world);
    let one = found[0]["state"].as_str().unwrap_or("nothing is watched");
    let by = if found[0]["rolled_back"] == true {
        ", rolled back"
    } else {
        ""
    };
    format!("{one}{by}")
}

on_both!(above_hard_once_is_taken_back_exactly_once, |w| {
    let world = flipped(w).await;
    assert_eq!(says(&world), "inconclusive");
    // Neither a drill nor what people make by hand counts.
    at_once(&world, "2098-05-22T06:20:00Z", RunKind::Drill, HARD).await;
    at_once(&world, "2098-05-22T06:25:00Z", RunKind::Manual, HARD).await;
    assert_eq!(says(&world), "inconclusive");
    at_once(&world, "2098-05-22T06:30:00Z", RunKind::Immediate, HARD).await;
    let found = due(&world);
    assert_eq!(
        (&found[0]["rolled_back"], &found[0]["reason"]),
        (&true.into(), &"epsilon_hard".into())
    );
    assert_eq!(world.rows(STANDS), ["rollback 4 epsilon_hard"]);
    assert_eq!(
        world.rows("SELECT kind || ' ' || moved_by || ' ' || rollback_reason FROM dictionary_migration_event WHERE kind = 'rollback' AND needs_countersign = FALSE"),
        ["rollback govdeck epsilon_hard"]
    );
    let note = world.rows("SELECT note FROM dictionary_migration_event WHERE kind = 'rollback'");
    let grounds = "sla.immediate.20980522t063000000z (immediate): MET-0144 lies about 0.101000 apart, above hard 0.1 \
                   (policy eps-7, soft 0.05, hard 0.1)";
    assert_eq!(note, [grounds]);
    assert_eq!(
        world.rows("SELECT recipient_id FROM notification_outbox WHERE event_class = 'migration_rolled_back' ORDER BY 1"),
        ["kim", "lee", "maya"]
    );
    assert_eq!(
        world.rows("SELECT from_semver || ' ' || to_semver || ' ' || owner_id FROM redeploy_task WHERE done_by IS NULL"),
        ["2.4.1 2.4.0 kim"]
    );
    let told = world
        .rows("SELECT kind || ': ' || notice_text FROM migration_notice")
        .concat();
    assert!(
        told.starts_with(&format!(
            "rolled_back: {ID} was rolled back from 2.4.1 to 2.4.0: epsilon_hard, a rule found it"
        )),
        "{told}"
    );
    let filed = "SELECT COUNT(*) FROM ledger_artifact a JOIN governance_ledger l ON l.seq = a.seq \
                 WHERE l.action = 'trigger_rollback' AND l.basis = 'rule' AND a.role = 'rollback_trigger'";
    assert_eq!(world.rows(filed), ["1"]);
    // Asked again, nothing happens again.
    assert_eq!(says(&world), "nothing is watched");
    let again = by_rule(&world, "lee", rollback()).await;
    let again = again.expect_err("it was taken back");
    assert!(again.contains("triggered: not watched"), "{again}");
    assert_eq!(world.rows(FOLLOWS), ["3111"]);
    let sign = world.act("maya", "countersign_move", Asked::of(ID)).await;
    let sign = sign.map(drop).expect_err("a rule decided it");
    assert!(sign.contains("waits"), "{sign}");
    world.assert_sound().await;
    told_to_everybody(&world).await;
    world.assert_sound().await;
});

fn rollback() -> ByRule {
    ByRule::TriggerRollback {
        migration: ID.to_owned(),
    }
}

/// The task is done once, by whoever deploys; partners and leads read what happened.
async fn told_to_everybody(world: &World) {
    let shown = govdeck(world, "maya", &["migration", "show"]);
    let text = said(&shown, 0);
    for part in [
        "taken back: epsilon_hard",
        "sla.immediate.20980522t063000000z (immediate): MET-0144 lies about 0.101000 apart, above hard 0.1 [policy eps-7, soft 0.05, hard 0.1]",
        "OPEN: kim deploys exporters from 2.4.1 back to 2.4.0",
        "partners are told (rolled_back)",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let no = world
        .act("lee", "close_redeploy_task", Asked::of("mig-none"))
        .await;
    assert!(no.map(drop).expect_err("none").contains("no migration"));
    let mut desk = Desk::open(world, "kim").await;
    let task = Some(("migration", ID.to_owned()));
    for _ in 0..8 {
        if desk.model.about() != task {
            desk.press("j").await;
        }
    }
    assert_eq!(desk.model.about(), task);
    desk.press("a").await;
    desk.shows(&["close-redeploy-task"]);
    for (who, waits) in [("kim", true), ("lee", false)] {
        let home = Desk::open(world, who).await.screen(120, 40);
        assert_eq!(home.contains(&format!("deploy back {ID}")), waits, "{home}");
    }
    let done = world.act("kim", "close_redeploy_task", Asked::of(ID)).await;
    done.expect("done");
    let home = Desk::open(world, "kim").await.screen(120, 40);
    assert!(!home.contains("deploy back"), "{home}");
    let twice = world
        .act("maya", "close_redeploy_task", Asked::of(ID))
        .await;
    let twice = twice.map(drop).expect_err("done");
    assert!(twice.contains("open: kim did it"), "{twice}");
    let faq = govdeck(world, "maya", &["dictionary", "show", "--json"]);
    let faq = document(&faq, 0, "dictionary-show");
    let text = faq["notices"][0]["notice_text"].as_str().expect("a text");
    assert!(text.contains("epsilon_hard"), "{text}");
    let week = ["readback", "--week", "2098-W21"];
    let page = govdeck(world, "maya", &week);
    assert!(
        page.stdout.contains("was rolled back from 2.4.1 to 2.4.0"),
        "{page:?}"
    );
    let before = ["readback", "--week", "2098-W18"];
    let page = govdeck(world, "maya", &before);
    assert!(!page.stdout.contains("was rolled back"), "{page:?}");
}

on_both!(an_agent_takes_back_what_lies_too_far_apart, |w| {
    let world = flipped(w).await;
    at_once(&world, "2098-05-22T06:30:00Z", RunKind::Immediate, WITHIN).await;
    agent::once(&world, None);
    assert_eq!(world.rows(STANDS), ["cutover 3 -"]);
    at_once(&world, "2098-05-22T06:40:00Z", RunKind::Immediate, HARD).await;
    agent::once(&world, None);
    let taken_back = ["rollback 4 epsilon_hard"];
    assert_eq!(world.rows(STANDS), taken_back);
    agent::once(&world, None);
    assert_eq!(world.rows(STANDS), taken_back, "once");
    world.assert_sound().await;
});

on_both!(above_soft_in_two_weeks_in_a_row_is_taken_back, |w| {
    let world = flipped(w).await;
    // At once after the flip it stays open, and is none of the two weeks.
    at_once(&world, "2098-05-22T06:30:00Z", RunKind::Immediate, SOFT).await;
    assert_eq!(says(&world), "amber");
    hour_story::flipped(&world).await;
    hour_story::compared(&world).await;
    for at in [3, 4] {
        plan(&world, at).await;
    }
    let moved = world.act("lee", "close_migration", Asked::of(ID)).await;
    moved.expect("closed");
    let watched = "SELECT COUNT(*) FROM dictionary_migration_state WHERE watch_until = (SELECT MAX(at_utc) FROM governance_ledger)";
    assert_eq!(world.rows(watched), ["0"]);
    week(&world, 3, SOFT).await;
    assert_eq!(says(&world), "amber");
    let shown = govdeck(&world, "maya", &["migration", "show"]);
    let text = said(&shown, 0);
    assert!(text.contains("trigger: AMBER, stays:"), "{text}");
    // The second scheduled window is still watched when it has ended.
    week(&world, 4, SOFT).await;
    assert_eq!(says(&world), "roll_back, rolled back");
    assert_eq!(world.rows(STANDS), ["rollback 5 epsilon_soft_x2"]);
    assert_eq!(world.rows(FOLLOWS), ["3111"]);
    world.assert_sound().await;
});

on_both!(a_good_week_in_between_lets_it_stay, |w| {
    let world = flipped(w).await;
    for at in [3, 4] {
        plan(&world, at).await;
    }
    week(&world, 3, SOFT).await;
    assert_eq!(says(&world), "amber");
    week(&world, 4, WITHIN).await;
    assert_eq!(says(&world), "stays");
    let no = by_rule(&world, "lee", rollback()).await.expect_err("stays");
    assert!(
        no.contains("triggered: stays: every series lies within its limits"),
        "{no}"
    );
    assert_eq!(world.rows(STANDS), ["cutover 3 -"]);
    world.assert_sound().await;
});

on_both!(of_two_timers_at_once_one_takes_it_back, |w| {
    let world = flipped(w).await;
    at_once(&world, "2098-05-22T06:30:00Z", RunKind::Immediate, HARD).await;
    let (first, second) = tokio::join!(
        by_rule(&world, "maya", rollback()),
        by_rule(&world, "lee", rollback()),
    );
    let lost = match (first, second) {
        (Ok(()), Err(lost)) | (Err(lost), Ok(())) => lost,
        other => panic!("one wins: {other:?}"),
    };
    assert!(
        lost.contains("triggered: not watched") || lost.contains("changed"),
        "{lost}"
    );
    assert_eq!(world.rows(FOLLOWS), ["3111"]);
    world.assert_sound().await;
});

on_both!(of_two_jobs_at_once_one_takes_it_back, |w| {
    let world = flipped(w).await;
    at_once(&world, "2098-05-22T06:30:00Z", RunKind::Immediate, HARD).await;
    let (one, two) = (world.store("maya").await, world.store("lee").await);
    let (first, second) = tokio::join!(trigger::run(&one), trigger::run(&two));
    let did = [first, second].map(|it| {
        let looked = it.expect("done");
        looked.iter().filter(|it| it.rolled_back).count()
    });
    assert_eq!(did.iter().sum::<usize>(), 1, "{did:?}");
    assert_eq!(world.rows(FOLLOWS), ["3111"]);
    one.close().await;
    two.close().await;
});

on_both!(the_run_that_finds_it_takes_it_back, |w| {
    let world = flipped(w).await;
    world.set_time("2098-05-22T06:30:00Z").await;
    let files = Files::of(&world);
    let apart = "metric_id,value\nMET-0144,94.5\nMET-0171,14\n";
    files.side("lead", apart);
    let run = files.reconcile(&files.manifest(|_| {}), "immediate");
    let told = said(&run, 1);
    assert!(
        told.contains(&format!(
            "{ID} was rolled back just now: ROLL BACK, epsilon_hard"
        )),
        "{told}"
    );
    assert_eq!(world.rows(FOLLOWS), ["3111"]);
    world.assert_sound().await;
});

on_both!(what_a_person_takes_back_is_followed_by_the_same, |w| {
    let world = world(w).await;
    dual_writing(&world).await;
    let dual = world.again().await;
    let back = || {
        Asked::of(ID)
            .with("because", "operator_abort")
            .with("note", "totals moved")
    };
    let done = dual.act("maya", "roll_back_migration", back()).await;
    done.expect("taken back");
    assert_eq!(dual.rows(FOLLOWS), ["100"], "exporters wrote both halves");
    dual.assert_sound().await;
});

on_both!(a_person_is_no_rule_and_leaves_the_same_behind, |w| {
    let world = flipped(w).await;
    let back = Asked::of(ID).with("note", "totals moved");
    let measured = back.clone().with("because", "epsilon_hard");
    let no = world.act("maya", "roll_back_migration", measured).await;
    assert!(no.map(drop).expect_err("measured").contains("reason"));
    let aborted = back.with("because", "operator_abort");
    let done = world.act("maya", "roll_back_migration", aborted).await;
    done.expect("taken back");
    assert_eq!(world.rows(FOLLOWS), ["111"]);
    let told = world.rows("SELECT notice_text FROM migration_notice");
    assert_eq!(
        told,
        [format!(
            "{ID} was rolled back from 2.4.1 to 2.4.0: operator_abort, a governance lead decided it. totals moved"
        )]
    );
    world.assert_sound().await;
});

on_both!(
    killed_at_any_call_it_is_taken_back_whole_or_not_at_all,
    |w| {
        let first = flipped(w).await;
        at_once(&first, "2098-05-22T06:30:00Z", RunKind::Immediate, HARD).await;
        let calls = if first.is_postgres() {
            "sendto"
        } else {
            "pwrite64,fsync,fdatasync,ftruncate,unlink"
        };
        let (mut whole, mut absent) = (0, 0);
        let prepare = || {
            let world = wait_for(first.again());
            let command = world.govdeck("maya", &["job", "due"]);
            (world, command)
        };
        let points = kill_at_every(calls, prepare, |point, world, _| {
            wait_for(async {
                world.assert_sound().await;
                let stands = world.rows(STANDS).concat();
                match (&*stands, &*world.rows(FOLLOWS).concat()) {
                    ("rollback 4 epsilon_hard", "3111") => whole += 1,
                    ("cutover 3 -", "0") => absent += 1,
                    other => panic!("{point:?} left {other:?}"),
                }
                // The next timer finds it done, or does it.
                due(&world);
                assert_eq!(world.rows(FOLLOWS), ["3111"], "{point:?}");
            });
        });
        println!("{points} points of {calls}: {whole} whole, {absent} absent");
        assert!(whole > 0 && absent > 0, "both sides of the commit were hit");
    }
);

fn row(table: &'static str, key: impl Into<String>, version: i64) -> (&'static str, String, i64) {
    (table, key.into(), version)
}

const AT: &str = "2098-06-30T06:00:00.000000Z";

/// Adds the change of the move to the entry that was just written.
fn with_event(sql: &str) -> String {
    format!(
        "INSERT INTO ledger_change SELECT 'dictionary_migration_event', '{ID}/4', 1, seq, '{}', '{{}}' FROM ledger_head; {sql}",
        "f".repeat(64)
    )
}

fn forbidden() -> Vec<Tried> {
    let rule = ("trigger_rollback", By::Rule);
    let person = ("roll_back_migration", By::One("maya"));
    let state = || row("dictionary_migration_state", ID, 4);
    let update = |set: &str| {
        format!(
            "UPDATE dictionary_migration_state SET {set}, version = 4 WHERE migration_id = '{ID}'"
        )
    };
    let back = format!("phase = 'rollback', closed_at_dt_utc = '{AT}'");
    let task = |from: &str, to: &str| {
        format!(
            "INSERT INTO redeploy_task VALUES ('{ID}', '{from}', '{to}', 'kim', '{AT}', NULL, NULL, NULL, 1)"
        )
    };
    let notice = |kind: &str, by: &str| {
        format!("INSERT INTO migration_notice VALUES ('{ID}', '{kind}', 'x', '{AT}', '{by}', 1)")
    };
    vec![
        // A rollback without its reason, and one whose move is not told.
        tried(
            "a_rollback_has_a_reason",
            rule,
            ID,
            state(),
            with_event(&update(&back)),
        ),
        tried(
            "and with its next move",
            rule,
            ID,
            state(),
            update(&format!("{back}, rollback_reason = 'epsilon_hard'")),
        ),
        tried(
            "the way back",
            rule,
            ID,
            row("redeploy_task", ID, 1),
            task("2.4.1", "2.4.0"),
        ),
        tried(
            "that it was rolled back is told of what was",
            person,
            ID,
            row("migration_notice", format!("{ID}/rolled_back"), 1),
            notice("rolled_back", "maya"),
        ),
        tried(
            "what partners are told is published",
            person,
            "another",
            row("migration_notice", format!("{ID}/post_mortem"), 1),
            notice("post_mortem", "maya"),
        ),
    ]
}

on_both!(plain_sql_takes_nothing_back, |w| {
    let world = flipped(w).await;
    all_are_refused(&world, &forbidden());
    at_once(&world, "2098-05-22T06:30:00Z", RunKind::Immediate, HARD).await;
    due(&world);
    let done = |by: &str, set: &str| {
        tried(
            "a task to deploy anew is done once",
            ("close_redeploy_task", By::One("kim")),
            ID,
            row("redeploy_task", ID, 2),
            format!(
                "UPDATE redeploy_task SET done_by = '{by}', done_reason = 'x', done_at_utc = '{AT}', {set} version = 2"
            ),
        )
    };
    all_are_refused(&world, &[done("kim", "owner_id = 'lee',"), done("lee", "")]);
    for sql in [
        "DELETE FROM redeploy_task",
        "DELETE FROM migration_notice",
        "UPDATE migration_notice SET notice_text = 'nothing happened'",
        "UPDATE dictionary_migration_state SET rollback_reason = 'operator_abort'",
        "UPDATE dictionary_migration_event SET rollback_reason = 'operator_abort' WHERE kind = 'rollback'",
    ] {
        world.sql(sql).expect_err(sql);
    }
    world.assert_sound().await;
});
