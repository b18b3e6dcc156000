//! A still life: a picture made by hand, with a block in every state and every kind of entry, at a moment that never
//! passes. The same picture can be filled with one text in every column that holds text.

use std::sync::Arc;
use std::time::{Duration, Instant};

use govdeck::actions;
use govdeck::canon::Digest;
use govdeck::clock::Moment;
use govdeck::console::agent_sight::AgentSight;
use govdeck::console::detail::EntryDetail;
use govdeck::console::event::{Event, Sight};
use govdeck::console::live::Link;
use govdeck::console::model::Model;
use govdeck::console::panes::PaneId;
use govdeck::console::picture::{Picture, Possible, Wanted};
use govdeck::rules::block::{AuditStatus, BlockReason};
use govdeck::rules::cadence::Week;
use govdeck::rules::people::{Actor, Attestation, Basis, Environment, PersonKind, Role};
use govdeck::rules::{Condition, Refusal};
use govdeck::store::block::{OpenBlock, ReasonCount};
use govdeck::store::delivery::Depth;
use govdeck::store::deployment::Deployment;
use govdeck::store::ledger::{Change, Entry, Head};
use govdeck::store::presence::Armed;
use govdeck::store::publish::{Audit, Counts};
use govdeck::store::window::Window;

use super::{folk, still_block, still_bundle, still_dictionary, still_migration, still_week};

/// A time on the day of the still life.
pub fn at(time: &str) -> Moment {
    format!("2026-05-14T{time}Z").parse().expect("a moment")
}

/// A hash that looks like one.
pub fn digest(of: &str) -> Digest {
    Digest::of(of.as_bytes())
}

fn audit(run: &str, reason: BlockReason, blocked: &str, due: Option<&str>) -> Audit {
    Audit {
        publish_run_id: run.to_owned(),
        freeze_id: "fz-31".to_owned(),
        lift_id: "lf-31".to_owned(),
        dry_run_id: "dr-31".to_owned(),
        publish_tuple_hash: Some(digest("publish").to_string()),
        source_tuple_hash: None,
        status: AuditStatus::Blocked,
        block_reason: Some(reason),
        also: "[\"footer_schema_drift\"]".to_owned(),
        owner_user_id: Some("maya".to_owned()),
        backup_owner_user_id: Some("lee".to_owned()),
        sla_first_response_minutes: Some(30),
        respond_by_utc: due.map(at),
        taken_by: None,
        taken_at_utc: None,
        escalated_by: None,
        escalated_at_utc: None,
        resolution_id: None,
        rehash_sha256: None,
        rehash_at_utc: None,
        drill: false,
        created_at_utc: at(blocked),
        resolved_at_utc: None,
        version: 1,
        progress_at_utc: None,
        last_note: None,
    }
}

fn block(audit: Audit) -> OpenBlock {
    OpenBlock {
        publish_scope: "sla/partners".to_owned(),
        footer_schema_semver: Some("v2.4.0".to_owned()),
        minted_at_utc: at("01:30:00"),
        source_observed_at_utc: Some(at("01:31:00")),
        audit,
    }
}

fn blocks() -> Vec<OpenBlock> {
    use BlockReason as Why;
    let late = audit("pub-0412", Why::TupleDrift, "01:38:55", Some("02:08:55"));
    let soon = audit(
        "pub-0415",
        Why::MissingSourceHash,
        "01:51:00",
        Some("02:21:00"),
    );
    let calm = audit(
        "pub-0417",
        Why::MissingPublishHash,
        "02:10:00",
        Some("04:30:00"),
    );
    let escalated = Audit {
        escalated_by: Some("kim".to_owned()),
        escalated_at_utc: Some(at("02:12:00")),
        owner_user_id: None,
        ..audit(
            "pub-0418",
            Why::FooterSchemaDrift,
            "02:11:00",
            Some("02:41:00"),
        )
    };
    let endless = audit("pub-0419", Why::TupleDrift, "02:13:00", None);
    let taken = Audit {
        taken_by: Some("lee".to_owned()),
        taken_at_utc: Some(at("02:01:00")),
        version: 2,
        ..audit("pub-0409", Why::TupleDrift, "01:20:00", Some("01:50:00"))
    };
    [late, soon, calm, escalated, endless, taken]
        .map(block)
        .into()
}

pub fn entry(seq: i64, action: &str, target: (&str, &str), basis: Basis, time: &str) -> Entry {
    let by_rule = basis == Basis::Rule;
    Entry {
        seq,
        ticket: digest(&format!("ticket {seq}")).to_string()[..32].to_owned(),
        action: action.to_owned(),
        basis,
        actor_id: if by_rule { "govdeck" } else { "maya" }.to_owned(),
        login: "maya".to_owned(),
        attestation: if by_rule {
            Attestation::Unattested
        } else {
            Attestation::Login
        },
        target_kind: target.0.to_owned(),
        target_id: target.1.to_owned(),
        target_version: 1,
        state_hash: digest("state"),
        card_sha256: digest(&format!("card {seq}")),
        reason: (!by_rule).then(|| "the runbook of the week says so".to_owned()),
        change_count: 1,
        evidence_count: 1,
        at_utc: at(time),
        clock_anomaly: seq == 210,
        prev_hash: digest(&format!("entry {}", seq - 1)),
        hash: digest(&format!("entry {seq}")),
        approved_by: (action == "bypass_freeze").then(|| "lee".to_owned()),
    }
}

fn entries() -> Vec<Entry> {
    vec![
        entry(
            214,
            "take_block",
            ("block", "pub-0409"),
            Basis::Person,
            "02:01:00",
        ),
        Entry {
            attestation: Attestation::Signed,
            ..entry(
                213,
                "bypass_freeze",
                ("bypass", "chg-2291"),
                Basis::Person,
                "01:55:00",
            )
        },
        entry(
            212,
            "decide_run",
            ("block", "pub-0415"),
            Basis::Rule,
            "01:51:00",
        ),
        entry(
            211,
            "grant_role",
            ("person", "kim/on_call"),
            Basis::Person,
            "01:40:00",
        ),
        entry(
            210,
            "register_footer",
            ("footer", "v2.4.0"),
            Basis::Person,
            "01:20:00",
        ),
        entry(
            209,
            "establish",
            ("deployment", "gov-deck"),
            Basis::Rule,
            "00:00:01",
        ),
    ]
}

pub fn detail() -> EntryDetail {
    let image = |version: i64, by: &str| {
        format!("{{\"publish_run_id\":\"pub-0409\",\"taken_by\":{by},\"version\":{version}}}")
    };
    let change = Change {
        table_name: "publish_replay_audit".to_owned(),
        row_key: "pub-0409".to_owned(),
        version: 2,
        seq: 214,
        row_sha256: digest("row"),
        after_image: image(2, "\"lee\""),
    };
    let gate = |id: &str, verdict: &str, evidence: &str| {
        format!("{{\"id\":\"{id}\",\"verdict\":\"{verdict}\",\"evidence\":\"{evidence}\"}}")
    };
    let gates = [
        gate("block_open", "pass", "the run is blocked"),
        gate("not_taken", "fail", "taken by lee"),
        gate("owner_or_backup", "cannot_tell", "nobody is routed"),
    ];
    EntryDetail {
        seq: 214,
        changes: vec![(change, Some(image(1, "null")))],
        card: Ok(format!(
            "{{\"action\":\"take_block\",\"gates\":[{}]}}",
            gates.join(",")
        )),
        proposed: None,
        approval: None,
        signature: None,
    }
}

fn possible() -> Vec<Possible> {
    let condition = |id, holds, evidence: &str| {
        Condition::holds(id, holds, "maya", evidence, "ask maya to take it")
    };
    let may = vec![
        condition("block_open", true, "the run is blocked"),
        condition("not_taken", true, "nobody has taken it"),
    ];
    let may_not = vec![condition("not_escalated", false, "escalated by kim")];
    vec![
        Possible {
            entry: actions::find("take_block").expect("an action"),
            conditions: may,
            refusal: None,
            offer: None,
        },
        Possible {
            entry: actions::find("escalate_block").expect("an action"),
            conditions: may_not,
            refusal: Some(Refusal::new(
                "escalated by kim",
                "a page is queued already; call them",
            )),
            offer: None,
        },
    ]
}

fn deployment() -> Deployment {
    Deployment {
        deployment_id: "d".repeat(32),
        name: "gov-deck".to_owned(),
        environment: Environment::Prod,
        created_at_utc: at("00:00:01"),
        version: 1,
    }
}

/// The picture.
pub fn picture() -> Picture {
    let now = at("02:14:07");
    let count = |block_reason, open, untaken, due: Option<&str>| ReasonCount {
        block_reason,
        open,
        untaken,
        late: due.map_or(0, |due| i64::from(at(due) < now)),
        respond_by_utc: due.map(at),
        next_late_utc: due.map(at).filter(|due| *due >= now),
    };
    let all = blocks();
    Picture {
        now,
        at: Instant::now(),
        skew_milliseconds: 12,
        rate: 1,
        deployment: deployment(),
        actor: Some(Actor {
            person_id: "maya".to_owned(),
            kind: PersonKind::Human,
            roles: [Role::GovernanceLead, Role::OnCall].into(),
            attestation: Attestation::Login,
        }),
        login: "maya".to_owned(),
        newer_schema: None,
        head: Head {
            seq: 214,
            hash: digest("entry 214"),
            at_utc: Some(at("02:01:00")),
            latest_at_utc: Some(at("02:01:00")),
        },
        counts: Counts {
            pending: 2,
            open: 6,
        },
        week: Week {
            rehearsed: None,
            passed: 4,
            pending: 2,
            open_blocks: 6,
            windows_ended: 1,
            windows_passed: 1,
        },
        waiting_messages: 1,
        agent: AgentSight {
            beat_ago: Some(Duration::from_secs(7)),
            depth: Depth {
                unrouted: 0,
                waiting: 1,
                dead: 0,
            },
        },
        reasons: vec![
            count(BlockReason::MissingPublishHash, 1, 1, Some("04:30:00")),
            count(BlockReason::MissingSourceHash, 1, 1, Some("02:21:00")),
            count(BlockReason::TupleDrift, 3, 2, Some("02:08:55")),
            count(BlockReason::FooterSchemaDrift, 1, 0, None),
        ],
        mine: all[..3].to_vec(),
        approvals: folk::approvals(),
        new_entries: Some(3),
        recent: entries(),
        armed: vec![Armed {
            console_id: "0123456789abcdef".to_owned(),
            person_id: "lee".to_owned(),
            login: "lee".to_owned(),
            armed_until_utc: at("02:20:00"),
        }],
        connected: Some(["lee", "maya", "stranger"].map(str::to_owned).into()),
        blocks: Window {
            rows: all,
            more_before: false,
            more_after: false,
        },
        entries: Window {
            rows: entries(),
            more_before: false,
            more_after: true,
        },
        series: still_week::series(),
        weeks: still_week::weeks(),
        run: Some(still_week::detail()),
        migrations: Box::new(still_migration::migrations()),
        bundles: still_bundle::bundles(),
        progress: still_bundle::progress(),
        bundle: Some(still_bundle::detail()),
        dictionary: still_dictionary::metrics(),
        metric: Some(still_dictionary::detail()),
        released: Some(still_dictionary::released()),
        people: folk::people(),
        person: Some(folk::person()),
        policies: folk::policies(),
        entry: Some(detail()),
        block: Some(still_block::detail()),
        lately: Some(still_block::lately()),
        possible: possible(),
        past: None,
        wanted: Wanted::default(),
    }
}

/// A console that shows a picture, in a pane.
pub fn model(pane: PaneId, picture: impl Fn() -> Picture) -> Model {
    let at = Instant::now();
    let mut model = Model::new(super::desk::start("c0ffee"), (80, 24), Some(211), at);
    model.pane = pane;
    for _ in 0..3 {
        show(&mut model, picture());
    }
    model
}

/// Shows a console a picture of what it wants.
pub fn show(model: &mut Model, mut picture: Picture) {
    picture.wanted = model.wanted();
    picture.at = model.at;
    let sight = Sight {
        picture: Some(Arc::new(picture)),
        link: Link {
            heard: Some(model.at),
            trouble: None,
            source: "notify",
        },
    };
    model.update(Event::Sight(sight), model.at);
}

/// Puts one text into every column of a picture that holds text. The patterns name every column, so that a new one is
/// not forgotten here.
pub fn fill(picture: &mut Picture, text: &str) {
    let set = |place: &mut String| text.clone_into(place);
    set(&mut picture.deployment.name);
    set(&mut picture.login);
    if let Some(actor) = &mut picture.actor {
        set(&mut actor.person_id);
    }
    for armed in &mut picture.armed {
        set(&mut armed.console_id);
        set(&mut armed.person_id);
        set(&mut armed.login);
    }
    picture.connected = Some(vec![text.to_owned()]);
    let shown = picture.mine.iter_mut().enumerate();
    for (number, row) in shown.chain(picture.blocks.rows.iter_mut().enumerate()) {
        fill_block(row, number, text);
    }
    folk::fill(picture, text);
    still_week::fill(picture, text);
    still_migration::fill(picture, text);
    still_bundle::fill(picture, text);
    still_dictionary::fill(picture, text);
    let entries = picture.recent.iter_mut();
    entries
        .chain(&mut picture.entries.rows)
        .for_each(|entry| fill_entry(entry, text));
    if let Some(detail) = &mut picture.entry {
        let json = serde_json::to_string(text).expect("JSON");
        for (change, before) in &mut detail.changes {
            set(&mut change.table_name);
            set(&mut change.row_key);
            change.after_image = format!("{{{json}:{json},\"b\":[{json}]}}");
            *before = Some(format!("{{{json}:null,\"b\":{{{json}:1}}}}"));
        }
        detail.card = Ok(format!(
            "{{{json}:{json},\"gates\":[{{\"id\":{json},\"verdict\":{json},\"evidence\":{json}}}]}}"
        ));
        folk::fill_filed(detail, text);
    }
    still_block::fill(picture, text);
    for possible in &mut picture.possible {
        for condition in &mut possible.conditions {
            set(&mut condition.owner);
            set(&mut condition.evidence);
            set(&mut condition.fix);
        }
        if possible.refusal.is_some() {
            possible.refusal = Some(Refusal::new(text, text));
        }
    }
}

fn fill_audit(audit: &mut Audit, number: usize, text: &str) {
    let set = |place: &mut String| text.clone_into(place);
    let put = |place: &mut Option<String>| *place = Some(text.to_owned());
    let Audit {
        publish_run_id,
        freeze_id,
        lift_id,
        dry_run_id,
        publish_tuple_hash,
        source_tuple_hash,
        status: _,
        block_reason: _,
        also,
        owner_user_id,
        backup_owner_user_id,
        sla_first_response_minutes: _,
        respond_by_utc: _,
        taken_by,
        taken_at_utc: _,
        escalated_by,
        escalated_at_utc: _,
        resolution_id,
        rehash_sha256,
        rehash_at_utc: _,
        drill: _,
        created_at_utc: _,
        resolved_at_utc: _,
        version: _,
        progress_at_utc: _,
        last_note,
    } = audit;
    *publish_run_id = format!("{number}{text}");
    for place in [freeze_id, lift_id, dry_run_id] {
        set(place);
    }
    *also = serde_json::to_string(&[text, text]).expect("JSON");
    for place in [
        publish_tuple_hash,
        source_tuple_hash,
        owner_user_id,
        backup_owner_user_id,
        resolution_id,
        rehash_sha256,
        last_note,
    ] {
        put(place);
    }
    for place in [taken_by, escalated_by] {
        if place.is_some() {
            put(place);
        }
    }
}

fn fill_block(block: &mut OpenBlock, number: usize, text: &str) {
    let set = |place: &mut String| text.clone_into(place);
    let put = |place: &mut Option<String>| *place = Some(text.to_owned());
    let OpenBlock {
        audit,
        publish_scope,
        footer_schema_semver,
        minted_at_utc: _,
        source_observed_at_utc: _,
    } = block;
    fill_audit(audit, number, text);
    set(publish_scope);
    put(footer_schema_semver);
}

pub fn fill_entry(entry: &mut Entry, text: &str) {
    let set = |place: &mut String| text.clone_into(place);
    let put = |place: &mut Option<String>| *place = Some(text.to_owned());
    let Entry {
        seq: _,
        ticket,
        action,
        basis: _,
        actor_id,
        login,
        attestation: _,
        target_kind,
        target_id,
        target_version: _,
        state_hash: _,
        card_sha256: _,
        reason,
        change_count: _,
        evidence_count: _,
        at_utc: _,
        clock_anomaly: _,
        prev_hash: _,
        hash: _,
        approved_by,
    } = entry;
    for place in [ticket, action, actor_id, login, target_kind, target_id] {
        set(place);
    }
    put(reason);
    put(approved_by);
}
