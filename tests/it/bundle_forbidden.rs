//! Every move of bundles that is not allowed, tried by plain SQL behind an entry of the right action, so that more than the
//! link to the ledger refuses it; and the moves of people on the command line and at the console.

use govdeck::actions::{self, Asked};
use govdeck::rules::bundle_run::{RunOutcome, Tier};
use govdeck::rules::guard::Level;

use crate::cli_kit::{govdeck, refused};
use crate::support::bundle_story::{
    ID, LATER, apply, approval, approve, asked, claim, made_up_to, merged, people, plan, register,
    take_back,
};
use crate::support::desk::Desk;
use crate::support::{REASON, World, on_both};
use crate::week_forbidden::{By, Tried, all_are_refused, tried};

const AT: &str = "2098-06-30T06:00:00.000000Z";

/// Two that were merged, one of them made in dev; a draft, and one that was approved.
const MADE: &str = ID;
const MERGED: &str = LATER;
const DRAFT: &str = "PG-MIG-2026-03-03-01";
const APPROVED: &str = "PG-MIG-2026-03-04-01";

async fn bundles_of_every_kind(world: World) -> World {
    let world = world.where_two_can_agree().await;
    made_up_to(&world, MADE, Tier::Dev).await;
    merged(&world, MERGED).await;
    for id in [DRAFT, APPROVED] {
        register(&world, &plan(id, Tier::Dev))
            .await
            .expect("registered");
    }
    approve(&world, APPROVED, Tier::Dev)
        .await
        .expect("approved");
    world
}

fn row(table: &'static str, key: impl Into<String>, version: i64) -> (&'static str, String, i64) {
    (table, key.into(), version)
}

/// Files the receipt that some artefact is taken for, in the entry that was just written.
fn with_receipt(sql: &str) -> String {
    format!(
        "INSERT INTO ledger_artifact SELECT h.seq, 'bundle_receipt', r.receipt_sha256 FROM ledger_head h, bundle_run r \
         WHERE r.run_id = '{MADE}.merge.1'; {sql}"
    )
}

fn of_bundles() -> Vec<Tried> {
    let update = |id: &str, set: &str| {
        format!("UPDATE bundle SET {set}, version = version + 1 WHERE migration_id = '{id}'")
    };
    let finished = ("finish_bundle_run", By::Rule);
    let registered = ("register_bundle", By::One("lee"));
    let merging = ("merge_bundle", By::One("lee"));
    let superseding = ("supersede_bundle", By::One("maya"));
    let insert = |status: &str| {
        format!(
            "INSERT INTO bundle SELECT 'PG-MIG-X', kind, intent, change_class, requires_rollback, has_rollback, approval_reference, \
             touches_dictionary, declaration_sha256, scripts_sha256, '{status}', NULL, 'lee', registered_at_utc, 1 FROM bundle WHERE migration_id = '{MADE}'"
        )
    };
    vec![
        tried(
            "as a draft",
            registered,
            "PG-MIG-X",
            row("bundle", "PG-MIG-X", 1),
            insert("merged"),
        ),
        tried(
            "as a draft",
            merging,
            "PG-MIG-X",
            row("bundle", "PG-MIG-X", 1),
            insert("draft"),
        ),
        tried(
            "goes on, and never back",
            finished,
            format!("{MADE}.migration.1"),
            row("bundle", MADE, 5),
            update(MADE, "status = 'merged'"),
        ),
        tried(
            "goes on, and never back",
            merging,
            DRAFT,
            row("bundle", DRAFT, 2),
            update(DRAFT, "status = 'merged'"),
        ),
        tried(
            "goes on, and never back",
            finished,
            format!("{MERGED}.migration.1"),
            row("bundle", MERGED, 4),
            update(MERGED, "status = 'executed_prod'"),
        ),
        tried(
            "with the receipt of a fitting run",
            finished,
            format!("{MERGED}.migration.1"),
            row("bundle", MERGED, 4),
            update(MERGED, "status = 'executed_dev'"),
        ),
        // The receipt of another run moves nothing.
        tried(
            "with the receipt of a fitting run",
            finished,
            format!("{MADE}.migration.2"),
            row("bundle", MADE, 5),
            with_receipt(&update(MADE, "status = 'executed_stage'")),
        ),
        tried(
            "with the receipt of a fitting run",
            superseding,
            MADE,
            row("bundle", MADE, 5),
            update(
                MADE,
                &format!("status = 'superseded', superseded_by = '{MERGED}'"),
            ),
        ),
        tried(
            "goes on, and never back",
            registered,
            MERGED,
            row("bundle", MERGED, 4),
            update(MERGED, "intent = 'another'"),
        ),
        tried(
            "what was registered stays",
            merging,
            DRAFT,
            row("bundle", DRAFT, 2),
            update(DRAFT, "intent = 'another'"),
        ),
        tried(
            "nothing governed is ever deleted",
            finished,
            MADE,
            row("bundle", MADE, 5),
            format!("DELETE FROM bundle WHERE migration_id = '{DRAFT}'"),
        ),
    ]
}

/// Writes the SQL of a run.
fn begun(id: &str, run: &str, kind: &str, tier: &str, set: &[(&str, &str)]) -> String {
    let value = |column: &str, otherwise: &str| {
        let found = set.iter().find(|(name, _)| *name == column);
        found.map_or(otherwise.to_owned(), |(_, value)| (*value).to_owned())
    };
    format!(
        "INSERT INTO bundle_run (run_id, migration_id, run_type, environment, plan_hash, approval_id, undoes_run_id, claimed_by, approved_by, \
         reason, claimed_at_utc, outcome, version) SELECT '{run}', '{id}', '{kind}', '{tier}', {}, {}, {}, '{}', NULL, '{REASON}', '{AT}', '{}', 1 \
         FROM bundle_plan p WHERE p.migration_id = '{id}' AND p.environment = 'dev'",
        value("plan_hash", "p.plan_hash"),
        value("approval_id", "NULL"),
        value("undoes_run_id", "NULL"),
        value("claimed_by", "lee"),
        value("outcome", "running"),
    )
}

fn of_runs() -> Vec<Tried> {
    let lee = By::One("lee");
    let (claims, backs) = (("claim_bundle_run", lee), ("roll_back_bundle", lee));
    let run = |id: &str| format!("{id}.migration.9");
    let used = format!("'{MADE}.approval.1'");
    let fresh = format!("'{MERGED}.approval.1'");
    let early = format!("'{APPROVED}.approval.1'");
    let claim = |wall, id: &str, tier: &str, set: &[(&str, &str)]| {
        let sql = begun(id, &run(id), "migration", tier, set);
        tried(wall, claims, id, row("bundle_run", run(id), 1), sql)
    };
    let approval = |hash: &str| {
        [
            ("approval_id", fresh.clone()),
            ("plan_hash", hash.to_owned()),
        ]
    };
    let other = format!("'{}'", "a".repeat(64));
    let with = |set: &[(&'static str, String)]| -> Vec<(&'static str, String)> { set.to_vec() };
    let set = with(&approval(&other));
    let set: Vec<(&str, &str)> = set
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    vec![
        claim(
            "wall bundle_run: a r",
            MERGED,
            "dev",
            &[("approval_id", &used)],
        ),
        claim("consumes an approval", MERGED, "dev", &set),
        claim(
            "consumes an approval",
            MADE,
            "stage",
            &[("approval_id", &fresh)],
        ),
        claim(
            "made once merged",
            APPROVED,
            "dev",
            &[("approval_id", &early)],
        ),
        claim(
            "what the newest entry does",
            MERGED,
            "dev",
            &[("approval_id", &fresh), ("claimed_by", "kim")],
        ),
        tried(
            "what the newest entry does",
            ("merge_bundle", lee),
            MERGED,
            row("bundle_run", run(MERGED), 1),
            begun(
                MERGED,
                &run(MERGED),
                "migration",
                "dev",
                &[("approval_id", &fresh)],
            ),
        ),
        tried(
            "or was interrupted, is taken back",
            backs,
            MERGED,
            row("bundle_run", run(MERGED), 1),
            begun(
                MERGED,
                &run(MERGED),
                "rollback",
                "dev",
                &[("undoes_run_id", &format!("'{MERGED}.merge.1'"))],
            ),
        ),
        tried(
            "or was interrupted, is taken back",
            backs,
            MADE,
            row("bundle_run", run(MADE), 1),
            begun(
                MADE,
                &run(MADE),
                "rollback",
                "stage",
                &[("undoes_run_id", &format!("'{MADE}.migration.1'"))],
            ),
        ),
        tried(
            "a run ends once",
            ("finish_bundle_run", By::Rule),
            format!("{MADE}.migration.1"),
            row("bundle_run", format!("{MADE}.migration.1"), 3),
            with_receipt(&format!(
                "UPDATE bundle_run SET outcome = 'failed', version = version + 1, receipt_sha256 = (SELECT m.receipt_sha256 FROM bundle_run m \
                 WHERE m.run_id = '{MADE}.merge.1') WHERE run_id = '{MADE}.migration.1'"
            )),
        ),
    ]
}

/// While one run is under way.
fn of_running() -> Vec<Tried> {
    let run = format!("{MERGED}.migration.1");
    let ends = |wall, action: &'static str, set: &str, files: bool| {
        let sql =
            format!("UPDATE bundle_run SET {set}, version = version + 1 WHERE run_id = '{run}'");
        let sql = if files { with_receipt(&sql) } else { sql };
        tried(
            wall,
            (action, By::Rule),
            &*run,
            row("bundle_run", &*run, 2),
            sql,
        )
    };
    let receipt =
        format!("(SELECT receipt_sha256 FROM bundle_run WHERE run_id = '{MADE}.merge.1')");
    let ended = |outcome: &str| {
        format!("outcome = '{outcome}', ended_at_utc = '{AT}', receipt_sha256 = {receipt}")
    };
    let other = format!("{MERGED}.migration.2");
    vec![
        ends(
            "has its receipt in the entry",
            "finish_bundle_run",
            &ended("failed"),
            false,
        ),
        ends(
            "a run ends by the newest entry",
            "finish_bundle_run",
            &ended("interrupted"),
            true,
        ),
        ends(
            "a run ends by the newest entry",
            "interrupt_bundle_run",
            &ended("failed"),
            true,
        ),
        ends(
            "stays what it was claimed as",
            "finish_bundle_run",
            &format!("{}, reason = 'another reason than it had'", ended("failed")),
            true,
        ),
        // Its approval is used up too, and the databases do not ask in the same order.
        tried(
            "wall bundle_run",
            ("claim_bundle_run", By::One("lee")),
            MERGED,
            row("bundle_run", &*other, 1),
            begun(
                MERGED,
                &other,
                "migration",
                "dev",
                &[("approval_id", &format!("'{MERGED}.approval.1'"))],
            ),
        ),
        tried(
            "while nothing runs there",
            ("register_bundle", By::One("lee")),
            MERGED,
            row("bundle_plan", format!("{MERGED}/dev"), 2),
            format!(
                "UPDATE bundle_plan SET rows_touched = 9, planned_by = 'lee', version = version + 1 WHERE migration_id = '{MERGED}'"
            ),
        ),
    ]
}

/// Once a rollback has failed.
fn of_the_end() -> Vec<Tried> {
    let run = format!("{MADE}.rollback.2");
    vec![tried(
        "where a rollback has failed nothing more runs",
        ("roll_back_bundle", By::One("lee")),
        MADE,
        row("bundle_run", &*run, 1),
        begun(
            MADE,
            &run,
            "rollback",
            "dev",
            &[("undoes_run_id", &format!("'{MADE}.migration.1'"))],
        ),
    )]
}

on_both!(no_bundle_moves_but_as_it_may, |world| {
    let world = bundles_of_every_kind(world).await;
    all_are_refused(&world, &of_bundles());
    all_are_refused(&world, &of_runs());
    world
        .act("kim", "claim_bundle_run", claim(MERGED, Tier::Dev))
        .await
        .expect("claimed");
    all_are_refused(&world, &of_running());
    take_back(&world, MADE, Tier::Dev, RunOutcome::RollbackFailed)
        .await
        .expect("ended");
    all_are_refused(&world, &of_the_end());
    world.assert_sound().await;
});

/// A verb, a target, the fields, and the condition that refuses it.
type Move = (
    &'static str,
    &'static str,
    Vec<(&'static str, String)>,
    &'static str,
);

/// What maya tries.
fn moves(world: &World) -> Vec<Move> {
    let dev = || ("environment", "dev".to_owned());
    let hash = approval(world, MADE, Tier::Dev).fields["plan"].clone();
    let looks = claim(MADE, Tier::Dev).fields["fingerprint"].clone();
    let document = |id: &str| asked(&plan(id, Tier::Dev)).fields["plan"].clone();
    vec![
        ("merge_bundle", DRAFT, Vec::new(), "approved"),
        ("merge_bundle", MADE, Vec::new(), "approved"),
        (
            "register_bundle",
            MADE,
            vec![("plan", document(MADE))],
            "not_made_there",
        ),
        (
            "approve_bundle",
            MADE,
            vec![dev(), ("plan", hash)],
            "not_made_there",
        ),
        (
            "claim_bundle_run",
            MADE,
            vec![dev(), ("fingerprint", looks.clone())],
            "its_turn",
        ),
        (
            "claim_bundle_run",
            DRAFT,
            vec![dev(), ("fingerprint", looks)],
            "approval",
        ),
        ("roll_back_bundle", MERGED, vec![dev()], "made_there"),
        (
            "supersede_bundle",
            MERGED,
            vec![("by", DRAFT.to_owned())],
            "successor",
        ),
    ]
}

on_both!(nobody_moves_a_bundle_that_may_not_be_moved, |world| {
    let world = bundles_of_every_kind(world).await;
    people(&world).await;
    let lead = Asked::of("lee").with("role", "governance_lead");
    world
        .act("maya", "grant_role", lead)
        .await
        .expect("granted");
    for role in ["data_engineer", "ops_lead"] {
        let asked = Asked::of("maya").with("role", role);
        world
            .act("lee", "grant_role", asked)
            .await
            .expect("granted");
    }
    let mut desk = Desk::open(&world, "maya").await;
    desk.arm().await;
    let before = world.owner_sql("SELECT COUNT(*) FROM governance_ledger");
    for (verb, target, fields, says) in moves(&world) {
        let entry = actions::find(verb).expect("an action");
        let name = entry.name();
        let mut words = vec!["act", &*name, target];
        let options: Vec<String> = fields.iter().map(|(name, _)| format!("--{name}")).collect();
        for (option, (_, value)) in options.iter().zip(&fields) {
            words.extend([option.as_str(), value]);
        }
        assert!(entry.level >= Level::Review);
        words.extend(["--confirm", target, "--reason", REASON]);
        let (said, _) = refused(&govdeck(&world, "maya", &words), 1);
        assert!(said.contains(says), "{verb} {target}: {said}");
        // At the console what takes no words is refused before anything opens.
        if fields.is_empty() {
            desk.press("esc 7 esc /").await;
            desk.paste(&format!("id:{target}")).await;
            desk.press(&format!("enter a {}", entry.key)).await;
            assert!(desk.model.dialog.is_none(), "{}", desk.screen(80, 24));
            assert!(
                desk.says().contains(says),
                "{verb} {target}: {}",
                desk.says()
            );
        }
    }
    assert_eq!(
        world.owner_sql("SELECT COUNT(*) FROM governance_ledger"),
        before
    );
    world.assert_sound().await;
});

on_both!(who_has_no_part_in_bundles_moves_none, |world| {
    let world = world.where_two_can_agree().await;
    merged(&world, ID).await;
    for (role, who) in [("data_engineer", "lee"), ("ops_lead", "kim")] {
        let asked = Asked::of(who).with("role", role);
        world
            .act("maya", "revoke_role", asked)
            .await
            .expect("revoked");
    }
    let claimed = apply(&world, ID, Tier::Dev, RunOutcome::Applied).await;
    assert!(claimed.expect_err("refused").contains("role"));
    let merged = world.act("kim", "merge_bundle", Asked::of(ID)).await;
    assert!(merged.expect_err("refused").contains("role"));
    // One of the two must be somebody who builds.
    let two = approve(&world, ID, Tier::Dev).await;
    two.expect_err("refused");
    world.assert_sound().await;
});
