//! Every move of weekly reconciliation that is not allowed, tried by plain SQL behind an entry of the right action, so that
//! more than the link to the ledger refuses it; and the moves of people on the command line and at the console.

use govdeck::actions::{self, Asked};
use govdeck::rules::guard::Level;
use govdeck::rules::week::RunStatus::{Fail, Pass};

use crate::cli_kit::{govdeck, refused};
use crate::support::desk::Desk;
use crate::support::weeks::{both, plan, run, week, world as weekly};
use crate::support::{REASON, World, on_both};

/// Who writes an entry: a rule, one person, or a second person for a first.
#[derive(Clone, Copy)]
pub enum By {
    Rule,
    One(&'static str),
    Two(&'static str, &'static str),
}

/// A write that a wall refuses.
pub struct Tried {
    /// What the wall says.
    wall: &'static str,
    by: By,
    action: &'static str,
    target: String,
    /// The row that the entry changes: its table, its key and its next version.
    row: (&'static str, String, i64),
    sql: String,
}

const AT: &str = "2098-06-30T06:00:00.000000Z";

/// Runs the write behind an entry that says that it may be, and returns what refuses it all the same.
fn behind_an_entry(world: &World, it: &Tried) -> String {
    let (basis, actor, approved, writer) = match it.by {
        By::Rule => ("rule", "govdeck", "NULL".to_owned(), "maya"),
        By::One(who) => ("person", who, "NULL".to_owned(), who),
        By::Two(first, second) => ("person", first, format!("'{second}'"), second),
    };
    let (card, login) = (
        "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
        world.login_of(writer),
    );
    let (attestation, bytes) = if world.is_postgres() {
        ("login", "BYTEA")
    } else {
        ("unattested", "BLOB")
    };
    let (table, key, version) = &it.row;
    let (action, target, sql) = (it.action, &it.target, &it.sql);
    let ticket = "c".repeat(32);
    let evidence = u8::from(sql.contains("INTO ledger_artifact"));
    let changes = 1 + u8::from(sql.contains("INTO ledger_change"));
    let (hash, image) = ("d".repeat(64), "e".repeat(64));
    world
        .sql_as(
            writer,
            &format!(
                "BEGIN; INSERT INTO artifact SELECT '{card}', 'text/plain', CAST('{{}}' AS {bytes}), at_utc FROM ledger_head; \
                 INSERT INTO governance_ledger (seq, ticket, action, basis, actor_id, approved_by, login, attestation, target_kind, \
                 target_id, target_version, state_hash, card_sha256, reason, change_count, evidence_count, at_utc, clock_anomaly, \
                 prev_hash, hash) SELECT seq + 1, '{ticket}', '{action}', '{basis}', '{actor}', {approved}, '{login}', '{attestation}', \
                 'week', '{target}', 1, hash, '{card}', '{REASON}', {changes}, {evidence}, at_utc, FALSE, hash, '{hash}' FROM ledger_head; \
                 INSERT INTO ledger_change SELECT '{table}', '{key}', {version}, seq, '{image}', '{{}}' FROM ledger_head; \
                 {sql}; ROLLBACK;"
            ),
        )
        .err()
        .unwrap_or_default()
}

pub fn tried(
    wall: &'static str,
    (action, by): (&'static str, By),
    target: impl Into<String>,
    row: (&'static str, String, i64),
    sql: impl Into<String>,
) -> Tried {
    Tried {
        wall,
        by,
        action,
        target: target.into(),
        row,
        sql: sql.into(),
    }
}

/// A failed week, a pass that is remediated, and two that are to come.
async fn a_week_of_every_kind(world: World) -> World {
    let world = weekly(world).await;
    week(&world, 0, Fail).await;
    week(&world, 1, Pass).await;
    let evidence = Asked::of(run(0))
        .with("id", "rem-1")
        .with("evidence", "fixed");
    let signs = Asked::of("lee").with("role", "signer");
    for (who, verb, asked) in [
        ("lee", "attach_remediation", evidence),
        ("maya", "grant_role", signs),
    ] {
        world.act(who, verb, asked).await.expect(verb);
    }
    plan(&world, 2).await;
    plan(&world, 3).await;
    world
}

fn window(run: &str, version: i64) -> (&'static str, String, i64) {
    ("reconciliation_window", run.to_owned(), version)
}

fn ack(run: &str, signer: &str) -> (&'static str, String, i64) {
    ("signer_ack", format!("{run}/{signer}"), 1)
}

/// Writes the SQL of an ack on some grounds.
fn acked(run: &str, signer: &str, basis: &str, previous: &str, remediation: &str) -> String {
    format!(
        "INSERT INTO signer_ack (job_run_id, signer_id, ack_basis, previous_run_id, remediation_id, inputs_sha256, acked_at_utc, version) \
         VALUES ('{run}', '{signer}', '{basis}', {previous}, {remediation}, '{}', '{AT}', 1)",
        "a".repeat(64)
    )
}

fn of_windows() -> Vec<Tried> {
    let insert = |id: &str, status: &str, at: &str| {
        let skip = status == "SKIP";
        let (ended, why) = if skip {
            ("'2098-06-30T06:00:00.000000Z'", "'maintenance'")
        } else {
            ("NULL", "NULL")
        };
        format!(
            "INSERT INTO reconciliation_window (job_run_id, series_id, run_kind, status, scheduled_at, completed_at, skip_reason, version) \
             VALUES ('{id}', 'sla', 'scheduled', '{status}', '{at}', {ended}, {why}, 1)"
        )
    };
    let update = |run: &str, set: &str| {
        format!(
            "UPDATE reconciliation_window SET {set}, version = version + 1 WHERE job_run_id = '{run}'"
        )
    };
    let missed = format!("status = 'MISSED', completed_at = '{AT}'");
    let skipped = format!("status = 'SKIP', skip_reason = 'maintenance', completed_at = '{AT}'");
    let (planned, finished) = (("plan_window", By::Rule), ("finish_run", By::Rule));
    let missing = ("miss_window", By::Rule);
    let metric = |run: &str| {
        format!(
            "INSERT INTO reconciliation_metric (job_run_id, metric_id, place, protected, verdict) VALUES ('{run}', 'MET-9', 1, TRUE, 'PASS')"
        )
    };
    vec![
        tried(
            "a window starts planned",
            planned,
            "sla.x",
            window("sla.x", 1),
            insert("sla.x", "SKIP", AT),
        ),
        tried(
            "one scheduled window at a time",
            planned,
            "sla.y",
            window("sla.y", 1),
            insert("sla.y", "SCHEDULED", "2098-05-06T06:00:00.000000Z"),
        ),
        tried(
            "a window ends once",
            finished,
            run(1),
            window(&run(1), 4),
            update(&run(1), "status = 'FAIL', reject_detail = 'x'"),
        ),
        tried(
            "a window moves by what",
            missing,
            run(2),
            window(&run(2), 2),
            update(&run(2), &skipped),
        ),
        tried(
            "a window moves by what",
            finished,
            run(2),
            window(&run(2), 2),
            update(&run(2), &missed),
        ),
        tried(
            "windows end in their order",
            missing,
            run(3),
            window(&run(3), 2),
            update(&run(3), &missed),
        ),
        // The newest entry that ends a run lets nothing in behind it.
        tried(
            "comes before its end",
            finished,
            run(1),
            window(&run(1), 4),
            metric(&run(1)),
        ),
        tried(
            "comes before its end",
            finished,
            run(1),
            window(&run(1), 4),
            metric(&run(0)),
        ),
        tried(
            "what was found stays",
            finished,
            run(1),
            window(&run(1), 4),
            "UPDATE reconciliation_metric SET place = 7",
        ),
        tried(
            "what was found stays",
            finished,
            run(1),
            window(&run(1), 4),
            "DELETE FROM reconciliation_metric",
        ),
    ]
}

fn of_people() -> Vec<Tried> {
    let two = By::Two("lee", "maya");
    let (one, newest) = (run(0), run(1));
    let quoted = |text: &str| format!("'{text}'");
    let kim = ("ack_run", By::One("kim"));
    vec![
        tried(
            "a bootstrap is what two humans",
            ("declare_bootstrap", two),
            &*one,
            ("bootstrap_declaration", "sla".into(), 1),
            format!(
                "INSERT INTO bootstrap_declaration VALUES ('sla', '{one}', '{REASON}', 'lee', 'maya', '{AT}', 1)"
            ),
        ),
        tried(
            "evidence is attached in the newest entry",
            ("attach_remediation", By::One("lee")),
            &*newest,
            ("remediation_evidence", "rem-9".into(), 1),
            format!(
                "INSERT INTO remediation_evidence VALUES ('rem-9', '{newest}', 'fine', 'lee', '{AT}', 1)"
            ),
        ),
        tried(
            "a packet is what two humans",
            ("override_run", two),
            run(2),
            ("override_packet", "aud-9".into(), 1),
            format!(
                "INSERT INTO override_packet VALUES ('aud-9', '{}', '{REASON}', 'lee', 'maya', '{AT}', 1)",
                run(2)
            ),
        ),
        tried(
            "a packet is what two humans",
            ("override_run", two),
            &*newest,
            ("override_packet", "aud-9".into(), 1),
            format!(
                "INSERT INTO override_packet VALUES ('aud-9', '{newest}', '{REASON}', 'lee', 'kim', '{AT}', 1)"
            ),
        ),
        tried(
            "a series is registered or retired",
            ("retire_series", two),
            "sla",
            ("reconciliation_series", "sla".into(), 2),
            "UPDATE reconciliation_series SET quorum = 9, version = version + 1 WHERE series_id = 'sla'",
        ),
        tried(
            "an incident opens with the second",
            ("finish_run", By::Rule),
            &*newest,
            ("reconciliation_incident", "inc.x".into(), 1),
            format!(
                "INSERT INTO reconciliation_incident (incident_id, series_id, first_run_id, second_run_id, opened_at_utc, addendum_demanded, version) \
                 VALUES ('inc.x', 'sla', '{newest}', '{newest}', '{AT}', FALSE, 1)"
            ),
        ),
        tried(
            "for themselves",
            kim,
            &*newest,
            ack(&newest, "lee"),
            acked(&newest, "lee", "remediated", &quoted(&one), "'rem-1'"),
        ),
        tried(
            "only the newest scheduled run",
            kim,
            &*one,
            ack(&one, "kim"),
            acked(&one, "kim", "double_green", &quoted(&one), "NULL"),
        ),
        tried(
            "not by whoever ran it",
            ("ack_run", By::One("lee")),
            &*newest,
            ack(&newest, "lee"),
            acked(&newest, "lee", "remediated", &quoted(&one), "'rem-1'"),
        ),
        tried(
            "the grounds that it names",
            kim,
            &*newest,
            ack(&newest, "kim"),
            acked(&newest, "kim", "double_green", &quoted(&one), "NULL"),
        ),
    ]
}

fn of_acks() -> Vec<Tried> {
    let newest = run(1);
    vec![tried(
        "an ack is taken back in the newest entry",
        ("revoke_ack", By::One("lee")),
        format!("{newest}/kim"),
        ("signer_ack_revocation", format!("{newest}/kim"), 1),
        format!(
            "INSERT INTO signer_ack_revocation VALUES ('{newest}', 'kim', '{REASON}', 'lee', '{AT}', 1)"
        ),
    )]
}

fn of_red() -> Vec<Tried> {
    let two = By::Two("lee", "maya");
    let incident = format!("inc.{}", run(1));
    let row = |version| ("reconciliation_incident", incident.clone(), version);
    let update = |set: &str| {
        format!(
            "UPDATE reconciliation_incident SET {set}, version = version + 1 WHERE incident_id = '{incident}'"
        )
    };
    let left = format!(
        "left_by = 'lee', left_approved_by = 'maya', left_at_utc = '{AT}', left_at_run_id = '{}', evidence = '[\"rem-1\"]'",
        run(1)
    );
    vec![
        tried(
            "red is left at the newest window",
            ("leave_red", two),
            &*incident,
            row(3),
            update(&left),
        ),
        tried(
            "an incident is acknowledged once",
            ("acknowledge_incident", By::One("maya")),
            &*incident,
            row(3),
            update(&format!(
                "acknowledged_by = 'maya', acknowledged_at_utc = '{AT}'"
            )),
        ),
        tried(
            "an incident is acknowledged once",
            ("leave_red", two),
            &*incident,
            row(3),
            update("addendum_demanded = TRUE"),
        ),
        tried(
            "one a series",
            ("finish_run", By::Rule),
            run(2),
            ("reconciliation_incident", "inc.x".into(), 1),
            format!(
                "INSERT INTO reconciliation_incident (incident_id, series_id, first_run_id, second_run_id, opened_at_utc, addendum_demanded, version) \
                 VALUES ('inc.x', 'sla', '{}', '{}', '{AT}', FALSE, 1)",
                run(1),
                run(2)
            ),
        ),
        tried(
            "while it is not red",
            ("retire_series", two),
            "sla",
            ("reconciliation_series", "sla".into(), 2),
            "UPDATE reconciliation_series SET active = FALSE, version = version + 1 WHERE series_id = 'sla'",
        ),
        tried(
            "an annex is what two humans",
            ("annex_run", two),
            "pub-9",
            ("override_annex", "aud-9".into(), 1),
            format!(
                "INSERT INTO override_annex VALUES ('aud-9', 'pub-9', '{incident}', '{REASON}', 'lee', 'maya', '{AT}', '2098-07-01T06:00:00.000000Z', 1)"
            ),
        ),
        tried(
            "a policy is what two humans",
            ("adopt_policy", two),
            "eps-9",
            ("epsilon_policy", "eps-9".into(), 1),
            format!(
                "INSERT INTO epsilon_policy (epsilon_policy_version, document_sha256, soft, hard, floor, backtest_sha256, proposed_by, approved_by, \
                 adopted_at_utc, version) VALUES ('eps-9', '{0}', '0.1', '0.2', '1', '{0}', 'lee', 'kim', '{AT}', 1)",
                "a".repeat(64)
            ),
        ),
    ]
}

pub fn all_are_refused(world: &World, all: &[Tried]) {
    for it in all {
        let said = behind_an_entry(world, it);
        // A second yes that nobody was asked for is refused before the row is.
        let unasked = "the second person says yes to what waits for it";
        if matches!(it.by, By::Two(..)) && said.contains(unasked) {
            world.sql(&it.sql).expect_err(&it.sql);
            continue;
        }
        assert!(
            said.contains(it.wall),
            "{}: {} said {said:?}",
            it.wall,
            it.sql
        );
        // And without any entry, as somebody would who knows nothing of the ledger.
        world.sql(&it.sql).expect_err(&it.sql);
    }
}

on_both!(no_week_moves_but_as_it_may, |world| {
    let world = a_week_of_every_kind(world).await;
    all_are_refused(&world, &of_windows());
    all_are_refused(&world, &of_people());
    let asked = Asked::of(run(1));
    world.act("kim", "ack_run", asked).await.expect("signed");
    all_are_refused(&world, &of_acks());
    world.assert_sound().await;
});

on_both!(red_is_left_only_as_it_may, |world| {
    let world = weekly(world).await;
    week(&world, 0, Fail).await;
    week(&world, 1, Fail).await;
    week(&world, 2, Fail).await;
    let incident = Asked::of(format!("inc.{}", run(1)));
    world
        .act("lee", "acknowledge_incident", incident)
        .await
        .expect("acknowledged");
    all_are_refused(&world, &of_red());
    world.assert_sound().await;
});

/// A verb, a target, the fields, and the condition that refuses it.
type Move = (
    &'static str,
    String,
    Vec<(&'static str, String)>,
    &'static str,
);

/// What maya tries.
fn moves() -> Vec<Move> {
    let none = Vec::new;
    vec![
        ("ack_run", run(0), none(), "newest_run"),
        ("ack_run", run(2), none(), "compared"),
        ("declare_bootstrap", run(1), none(), "first_pass"),
        (
            "skip_window",
            run(1),
            vec![("because", "maintenance".to_owned())],
            "scheduled",
        ),
        (
            "attach_remediation",
            run(1),
            vec![("id", "rem-9".to_owned()), ("evidence", "fixed".to_owned())],
            "did_not_pass",
        ),
        (
            "attach_remediation",
            run(0),
            vec![("id", "rem-1".to_owned()), ("evidence", "fixed".to_owned())],
            "new_id",
        ),
        (
            "override_run",
            run(1),
            vec![("audit", "aud-9".to_owned())],
            "not_green",
        ),
        (
            "override_run",
            run(2),
            vec![("audit", "aud-9".to_owned())],
            "compared",
        ),
    ]
}

on_both!(nobody_moves_a_week_that_may_not_be_moved, |world| {
    let world = a_week_of_every_kind(world).await;
    let role = |person: &str, role: &str| Asked::of(person).with("role", role);
    for (who, asked) in [
        ("maya", role("lee", "governance_lead")),
        ("lee", role("maya", "signer")),
    ] {
        world.act(who, "grant_role", asked).await.expect("granted");
    }
    let mut desk = Desk::open(&world, "maya").await;
    desk.arm().await;
    let before = world.owner_sql("SELECT COUNT(*) FROM governance_ledger");
    for (verb, target, fields, says) in moves() {
        let entry = actions::find(verb).expect("an action");
        let name = entry.name();
        let mut words = vec!["act", &*name, &*target];
        let options: Vec<String> = fields.iter().map(|(name, _)| format!("--{name}")).collect();
        for (option, (_, value)) in options.iter().zip(&fields) {
            words.extend([option.as_str(), value]);
        }
        assert!(entry.level >= Level::Review);
        words.extend(["--confirm", &*target, "--reason", REASON]);
        let (said, _) = refused(&govdeck(&world, "maya", &words), 1);
        assert!(said.contains(says), "{verb} {target}: {said}");
        // At the console what takes no words is refused before anything opens.
        if fields.is_empty() {
            desk.press("esc 5 esc /").await;
            desk.paste(&format!("run:{target}")).await;
            desk.press(&format!("enter a {}", entry.key)).await;
            assert!(desk.model.dialog.is_none(), "{}", desk.screen(80, 24));
            assert!(
                desk.says().contains(says),
                "{verb} {target}: {}",
                desk.says()
            );
        }
    }
    // Two who agree change nothing about it: what is wrong is wrong before the second is asked.
    let again = both(&world, "declare_bootstrap", Asked::of(run(1))).await;
    assert!(again.expect_err("refused").contains("first_pass"));
    assert_eq!(
        world.owner_sql("SELECT COUNT(*) FROM governance_ledger"),
        before
    );
    world.assert_sound().await;
});
