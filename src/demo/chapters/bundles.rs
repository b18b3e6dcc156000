//! Governed bundles: one is approved, merged and made, one goes too far and is refused, and one waits for whoever runs it.

use std::ops::Range;

use crate::actions::Asked;
use crate::canon::Digest;
use crate::rules::bundle::{Baseline, Object};
use crate::rules::bundle_run::{Registration, RunOutcome, Script, Tier};

use super::super::beat::{Beat, Deed, When};
use super::people::{BACKUP, LEAD, READY};

/// The bundle that is made.
const MADE: &str = "PG-MIG-2026-05-12-01";
/// The one that goes too far.
const REFUSED: &str = "PG-MIG-2026-05-13-01";
/// The one that waits.
const WAITING: &str = "PG-MIG-2026-05-14-01";

const MINUTE: i64 = 60;

/// What a bundle of the story adds: its id, what for, the table, and the index.
type Line = (&'static str, &'static str, &'static str, &'static str);

const BUNDLES: &[Line] = &[
    (
        MADE,
        "Find deliveries by their promised day without reading all of them",
        "deliveries",
        "deliveries_by_promised_day",
    ),
    (
        REFUSED,
        "Find tickets by their owner",
        "tickets",
        "tickets_by_owner",
    ),
    (
        WAITING,
        "Find sessions by their device",
        "sessions",
        "sessions_by_device",
    ),
];

/// Tells of the bundles of the story; it has three, whatever the seed.
#[must_use]
pub fn beats(_seed: u32, _seconds: &Range<i64>) -> Vec<Beat> {
    let mut beats = Vec::new();
    for (number, line) in (0..).zip(BUNDLES) {
        let at = READY + (8 + number * 40) * MINUTE;
        beats.extend(until_merged(at, line));
    }
    let run = |at, id: &'static str, ends| Beat {
        at,
        deed: Deed::RunBundle {
            who: BACKUP,
            asked: claim(id),
            ends,
            reason: "the window is agreed, nobody else works there",
        },
    };
    beats.push(run(READY + 30 * MINUTE, MADE, RunOutcome::Applied));
    beats.push(run(READY + 70 * MINUTE, REFUSED, RunOutcome::Refused));
    beats
}

/// Registers a bundle, lets two approve it, and merges it.
fn until_merged(at: i64, line: &Line) -> Vec<Beat> {
    let (id, ..) = *line;
    let plan = plan(line);
    let text = String::from_utf8_lossy(&plan.bytes()).into_owned();
    let approval = Asked::of(id)
        .with("environment", Tier::Dev.word())
        .with("plan", plan.plan_hash().to_string());
    let act = |at, verb, asked, reason| Beat {
        at,
        deed: Deed::Act {
            who: BACKUP,
            verb,
            asked,
            reason,
            when: When::Always,
        },
    };
    vec![
        act(
            at,
            "register_bundle",
            Asked::of(id).with("plan", text),
            "planned on the copy, takes a fraction of a second",
        ),
        act(
            at + MINUTE,
            "approve_bundle",
            approval,
            "one index more, and the way back was tried",
        ),
        Beat {
            at: at + 6 * MINUTE,
            deed: Deed::Answer {
                who: LEAD,
                verb: "approve",
                about: id.to_owned(),
                reason: "read the plan, one index more and nothing else",
            },
        },
        act(
            at + 9 * MINUTE,
            "merge_bundle",
            Asked::of(id),
            "reviewed and merged with the release branch",
        ),
    ]
}

fn claim(id: &str) -> Asked {
    let line = BUNDLES.iter().find(|(own, ..)| *own == id);
    let looks = line.map(|line| plan(line).pre.schema_fingerprint);
    Asked::of(id)
        .with("environment", Tier::Dev.word())
        .with("fingerprint", looks.unwrap_or_default())
}

fn hash(text: &str) -> String {
    format!("sha256:{}", Digest::of(text.as_bytes()))
}

/// What a target looks like, with the index of a bundle or without it.
fn baseline((_, _, table, index): &Line, is_there: bool) -> Baseline {
    let object = |kind: &str, name: &str, of: Option<&str>| Object {
        kind: kind.to_owned(),
        name: format!("public.{name}"),
        table: of.map(|of| format!("public.{of}")),
        definition: hash(name),
    };
    let mut objects = Vec::new();
    if is_there {
        objects.push(object("index", index, Some(table)));
    }
    objects.push(object("table", table, None));
    let mut baseline = Baseline {
        schema_fingerprint: hash(&format!("{table} {is_there}")),
        protected_domain_fingerprint: hash("protected"),
        objects,
        ..Baseline::default()
    };
    baseline.object_counts.tables = 1;
    baseline.object_counts.indexes = u64::from(is_there);
    baseline
}

fn plan(line: &Line) -> Registration {
    let (id, intent, table, index) = *line;
    let declaration = format!(
        r#"migration_id: "{id}"
type: postgis
intent: "{intent}"
scope:
  allowed_schemas: ["public"]
  allowed_tables: ["public.{table}"]
  forbidden_schemas: []
  forbidden_tables: []
limits:
  max_table_count_touched: 1
  max_index_count_delta: 1
  max_row_backfill: 0
requires_rollback: true
approvals:
  required_reviewers: ["data-platform"]
  change_class: "standard"
runner:
  tool: "govdeck"
  command: "govdeck bundle apply"
  environment: ["WAREHOUSE_DSN_REF"]
artifacts:
  forward: ["forward.sql"]
  rollback: ["rollback.sql"]
  baselines:
    pre: "baselines/pre.json"
    post: "baselines/post.json"
  diffs:
    summary: "diffs/summary.json"
"#
    );
    let column = index.rsplit_once("_by_").map_or("id", |(_, column)| column);
    let script = |path: &str, text: String| Script {
        path: path.to_owned(),
        text,
    };
    let scripts = vec![
        script(
            "forward.sql",
            format!("CREATE INDEX {index} ON public.{table} ({column});\n"),
        ),
        script("rollback.sql", format!("DROP INDEX public.{index};\n")),
    ];
    let mut plan = Registration::of(
        Tier::Dev,
        declaration,
        scripts,
        (baseline(line, false), baseline(line, true)),
    );
    plan.milliseconds = Some(140);
    plan.led_back = true;
    plan
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_plan_can_be_registered() {
        for line in BUNDLES {
            let read = Registration::read(&plan(line).bytes()).expect("read");
            assert_eq!(read.findings, [], "{}", line.0);
            assert_eq!(read.plan.diff(line.0).index_count_delta, 1);
        }
    }
}
