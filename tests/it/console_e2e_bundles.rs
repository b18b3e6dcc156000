//! A bundle from the keys of a console to the rows of its target, in a pseudo-terminal.

use std::thread::sleep;
use std::time::Duration;

use crate::bundle_targets::Site;
use crate::cli_kit::said;
use crate::console_kit::{arm, console, look, opened};
use crate::support::REASON;
use crate::support::bundle_story::ID;
use crate::support::ground::Ground;
use crate::support::terminal::Terminal;

/// How long the second statement takes is written in the target, so that a plan is quick and a run as long as a story needs.
const FORWARD: &str = "ALTER TABLE metric ADD COLUMN owner TEXT;
UPDATE metric SET owner = (WITH RECURSIVE step (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM step WHERE x < (SELECT turns FROM pace))
    SELECT CASE WHEN max(x) > 0 THEN 'ana' END FROM step);
";
const ROLLBACK: &str = "ALTER TABLE metric DROP COLUMN owner;\n";

/// A bundle that was merged, whose run takes so many turns.
async fn merged(turns: u32) -> Site {
    let ground = Ground::sqlite();
    ground.sql("CREATE TABLE pace (turns INTEGER); INSERT INTO pace VALUES (1);");
    let site = Site::new(ground, FORWARD, ROLLBACK).await;
    site.merged().await;
    site.ground
        .sql(&format!("UPDATE pace SET turns = {turns};"));
    site
}

fn open(site: &Site) -> Terminal {
    let mut command = console(&site.world, "maya");
    command.env("GOVDECK_BUNDLE_DSN", site.ground.dsn().expose());
    let terminal = opened(&command);
    arm(&terminal);
    terminal.type_keys("7");
    terminal.wait_for("[7 Bundles");
    terminal
}

/// Claims a run of the selected bundle.
fn claim(terminal: &Terminal, key: &str, title: &str) {
    confirm(terminal, key, title);
    terminal.wait_for("DONE: ledger entry");
}

/// Goes through the guard of an action on the selected bundle.
fn confirm(terminal: &Terminal, key: &str, title: &str) {
    terminal.type_keys("a");
    terminal.wait_for("What you can do here");
    terminal.wait_gone("being looked at");
    terminal.wait_gone("is not fresh");
    terminal.type_keys(key);
    terminal.wait_for(title);
    terminal.wait_for("environment");
    // Taking back offers where it stands.
    let typed = terminal.screen().contains("> dev");
    if !typed {
        terminal.type_text("> ", "dev");
    }
    terminal.type_keys("enter");
    if !terminal.screen().contains("to allow: ") {
        terminal.type_keys("enter");
    }
    let asked = terminal.wait_for("to allow: ");
    look();
    terminal.type_text("", REASON);
    terminal.type_keys("tab");
    let (_, rest) = asked.split_once("Type  ").expect("a phrase");
    let (phrase, _) = rest.split_once("  to allow: ").expect("its end");
    // It is longer than its field, which shows the end of it.
    for letter in phrase.chars() {
        terminal.send_raw(letter.to_string().as_bytes());
        sleep(Duration::from_millis(60));
    }
    terminal.wait_gone("locked until the text matches");
    terminal.type_keys("tab");
    look();
    terminal.type_keys("space");
}

fn outcomes(site: &Site) -> Vec<String> {
    site.world.rows(
        "SELECT outcome FROM bundle_run WHERE run_type IN ('migration', 'rollback') ORDER BY claimed_at_utc",
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bundle_is_made_and_taken_back_by_keys() {
    let site = merged(3_000_000).await;
    let mut terminal = open(&site);
    claim(&terminal, "x", "CLAIM-BUNDLE-RUN");
    terminal.wait_for("is being made here since");
    // The run goes on while the keys do what they always do.
    terminal.type_keys("esc 4");
    terminal.wait_for("[4 Blocks");
    terminal.type_keys("7");
    terminal.wait_for("applied, receipt ");
    let receipt = site.world.owner_sql(
        "SELECT substr(receipt_sha256, 1, 12) FROM bundle_run WHERE run_type = 'migration'",
    );
    let screen = terminal.wait_for(&format!("applied, receipt {}", receipt.trim()));
    assert!(
        screen.contains("statement 2 of 2, forward.sql:2"),
        "{screen}"
    );
    assert_eq!(
        site.ground.sql("SELECT DISTINCT owner FROM metric").trim(),
        "ana"
    );
    assert_eq!(outcomes(&site), ["applied"]);
    let status = "SELECT status FROM bundle";
    assert_eq!(site.world.rows(status), ["executed_dev"]);

    terminal.wait_for("roll-back-bundle");
    claim(&terminal, "b", "ROLL-BACK-BUNDLE");
    terminal.wait_for("rolled_back, receipt ");
    site.ground
        .try_sql("SELECT owner FROM metric")
        .expect_err("the column is gone");
    assert_eq!(outcomes(&site), ["applied", "rolled_back"]);
    terminal.type_keys("esc ctrl-c");
    terminal.wait_for("Leave govdeck?");
    terminal.type_keys("y");
    assert_eq!(terminal.exit_code(), 0);
    site.world.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leaving_waits_for_the_end_of_a_run() {
    let site = merged(12_000_000).await;
    let mut terminal = open(&site);
    claim(&terminal, "x", "CLAIM-BUNDLE-RUN");
    terminal.type_keys("esc ctrl-c");
    terminal.wait_for("Leaving waits for its end");
    terminal.type_keys("y");
    terminal.wait_for("leaving when");
    assert_eq!(terminal.exit_code(), 0);
    assert_eq!(outcomes(&site), ["applied"]);
    assert_eq!(
        site.ground.sql("SELECT DISTINCT owner FROM metric").trim(),
        "ana"
    );
    site.world.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_is_left_changes_nothing_and_can_be_taken_up() {
    let site = merged(2_000_000_000).await;
    let before = site.ground.sql("SELECT sql FROM sqlite_schema ORDER BY 1");
    let mut terminal = open(&site);
    claim(&terminal, "x", "CLAIM-BUNDLE-RUN");
    terminal.wait_for("statement 2 of 2");
    terminal.type_keys("esc ctrl-c");
    terminal.wait_for("Leaving waits for its end");
    terminal.type_keys("y");
    terminal.wait_for("leaving when");
    terminal.type_keys("ctrl-c");
    assert_eq!(terminal.exit_code(), 3);
    assert_eq!(
        site.ground.sql("SELECT sql FROM sqlite_schema ORDER BY 1"),
        before
    );
    assert_eq!(outcomes(&site), ["running"]);
    site.ground.sql("UPDATE pace SET turns = 1;");
    let taken_up = site.govdeck("maya", &["bundle", "run", &format!("{ID}.migration.1")]);
    assert!(said(&taken_up, 0).contains(": applied"), "{taken_up:?}");
    site.world.assert_sound().await;
}

/// What is not as it was planned uses up no approval.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_that_is_another_by_now_is_not_claimed() {
    let site = merged(1).await;
    site.ground.sql("CREATE TABLE stray (id INTEGER);");
    let terminal = open(&site);
    confirm(&terminal, "x", "CLAIM-BUNDLE-RUN");
    terminal.wait_for("REFUSED: the target does not look as the claim says");
    assert_eq!(outcomes(&site), [""; 0]);
    site.ground.sql("DROP TABLE stray;");
    terminal.type_keys("esc");
    claim(&terminal, "x", "CLAIM-BUNDLE-RUN");
    terminal.wait_for("applied, receipt ");
    assert_eq!(outcomes(&site), ["applied"]);
}
