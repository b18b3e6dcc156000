//! Blocks as a test puts them there, past every wall, and windows on them.

use std::fmt::Write as _;

use govdeck::clock::Moment;
use govdeck::rules::filter::Filter;
use govdeck::store::View;
use govdeck::store::block::{self, BlockSort, OpenBlock};
use govdeck::store::window::{Anchor, Look, Order, Window};

use super::World;

/// A block as a test puts it there, past every wall.
#[derive(Debug, Clone)]
pub struct Made {
    pub run: &'static str,
    pub scope: &'static str,
    pub people: (&'static str, &'static str),
    pub reason: &'static str,
    /// How many minutes ago it was blocked; there are thirty to answer.
    pub ago: i64,
    /// Who took it at once, and has not been heard of since.
    pub taken_by: Option<&'static str>,
    pub escalated: bool,
    pub drill: bool,
}

pub const PLAIN: Made = Made {
    run: "",
    scope: "sla/partners",
    people: ("maya", "lee"),
    reason: "tuple_drift",
    ago: 10,
    taken_by: None,
    escalated: false,
    drill: false,
};

pub fn put(world: &World, blocks: &[Made]) {
    let now = Moment::on_this_workstation();
    let mut sql = world.walls_away("publish_snapshots") + &world.walls_away("publish_replay_audit");
    for made in blocks {
        let (run, scope) = (made.run.replace('\'', "''"), made.scope.replace('\'', "''"));
        let (blocked, due) = (now.plus_minutes(-made.ago), now.plus_minutes(30 - made.ago));
        let (owner, backup) = made.people;
        let by = |who: Option<&str>, at| {
            who.map_or("NULL, NULL".to_owned(), |who| format!("'{who}', '{at}'"))
        };
        let taken = by(made.taken_by, blocked);
        let escalated = by(made.escalated.then_some(owner), now);
        let (reason, drill) = (made.reason, if made.drill { "TRUE" } else { "FALSE" });
        let _ = write!(
 sql,
            "INSERT INTO publish_snapshots (publish_run_id, publish_scope, freeze_id, lift_id, dry_run_id, drill, status, block_reason, \
             created_at_utc, decided_at_utc, version) VALUES ('{run}', '{scope}', 'f', 'l', 'd', {drill}, 'blocked', '{reason}', '{blocked}', '{blocked}', 1);
             INSERT INTO publish_replay_audit (publish_run_id, freeze_id, lift_id, dry_run_id, publish_tuple_hash, status, block_reason, also, \
             owner_user_id, backup_owner_user_id, sla_first_response_minutes, respond_by_utc, taken_by, taken_at_utc, escalated_by, \
             escalated_at_utc, drill, created_at_utc, version) VALUES ('{run}', 'f', 'l', 'd', 'h', 'blocked', '{reason}', '[]', \
             '{owner}', '{backup}', 30, '{due}', {taken}, {escalated}, {drill}, '{blocked}', 1);"
        );
    }
    world.owner_sql(&sql);
}

/// Puts thousands of blocks there, many of one moment, some taken, with drills between them.
pub fn put_many(world: &World, count: u32) {
    let at = |minutes: &str| {
        if world.is_postgres() {
            format!(
                "CAST('2026-05-14T00:00:00Z' AS TIMESTAMPTZ) + ({minutes}) * INTERVAL '1 minute'"
            )
        } else {
            format!(
                "strftime('%Y-%m-%dT%H:%M:%S', '2026-05-14T00:00:00', ({minutes}) || ' minutes') || '.000000Z'"
            )
        }
    };
    let (blocked, due) = (at("i / 7"), at("i / 7 + 1 + i % 5"));
    let numbers = format!(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})"
    );
    world.owner_sql(&format!(
        "{}{} {numbers} INSERT INTO publish_snapshots (publish_run_id, publish_scope, freeze_id, lift_id, dry_run_id, drill, status, block_reason, \
         created_at_utc, decided_at_utc, version) SELECT 'pub-' || i, 's', 'f', 'l', 'd', i % 10 = 0, 'blocked', 'tuple_drift', {blocked}, {blocked}, 1 FROM n; \
         {numbers} INSERT INTO publish_replay_audit (publish_run_id, freeze_id, lift_id, dry_run_id, status, block_reason, also, owner_user_id, \
         backup_owner_user_id, sla_first_response_minutes, respond_by_utc, taken_by, taken_at_utc, drill, created_at_utc, version) \
         SELECT 'pub-' || i, 'f', 'l', 'd', 'blocked', 'tuple_drift', '[]', 'maya', 'lee', 1 + i % 5, {due}, CASE WHEN i % 3 = 0 THEN 'lee' END, \
         CASE WHEN i % 3 = 0 THEN {due} END, i % 10 = 0, {blocked}, 1 FROM n",
        world.walls_away("publish_snapshots"),
        world.walls_away("publish_replay_audit"),
    ));
}

pub fn look(sort: BlockSort, order: Order, anchor: Anchor, reach: u16) -> Look<BlockSort> {
    Look {
        filter: Filter::default(),
        sort,
        order,
        anchor,
        reach,
    }
}

pub async fn blocks(view: &mut View, look: &Look<BlockSort>) -> Window<OpenBlock> {
    block::window(view, look).await.expect("a window")
}

pub fn around(run: &str) -> Anchor {
    Anchor::Around(run.to_owned())
}

pub fn ids(window: &Window<OpenBlock>) -> Vec<&str> {
    window
        .rows
        .iter()
        .map(|block| block.audit.publish_run_id.as_str())
        .collect()
}

pub fn runs(window: &Window<OpenBlock>) -> Vec<String> {
    ids(window).into_iter().map(str::to_owned).collect()
}
