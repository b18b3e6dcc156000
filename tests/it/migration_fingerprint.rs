//! The fingerprint of exports: what drifts pages somebody once, what cannot be told never passes, and a change of keys sets
//! the clock back.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use govdeck::actions::Asked;
use govdeck::rules::migration::Why;
use serde_json::Value;

use crate::cli_kit::{document, fifo, refused, said};
use crate::support::command::{Run, run};
use crate::support::migration_story::{
    BEGINS, ID, agreed, allowlist, dual_writing, known, opened, scanned, world,
};
use crate::support::{World, on_both};

const GOOD: &str = r#"[{"breach_count": 3, "breachCount": 3}]"#;
const PAGES: &str = "SELECT recipient_id || ': ' || subject FROM notification_outbox WHERE event_class = 'exporter_drift' ORDER BY ledger_seq";

/// A world with a folder that exports land in.
struct Landing {
    world: World,
    root: PathBuf,
}

impl Landing {
    fn of(world: World) -> Self {
        let root = world.home.folder().join("root");
        fs::create_dir_all(root.join("landed")).expect("the home is ours");
        Self { world, root }
    }

    fn land(&self, name: &str, text: &str) {
        fs::write(self.root.join("landed").join(name), text).expect("the folder is ours");
    }

    fn take_away(&self, name: &str) {
        fs::remove_file(self.root.join("landed").join(name)).expect("it is there");
    }

    fn look(&self, words: &[&str]) -> Run {
        let words = [&["job", "fingerprint", "--folder", "landed"], words].concat();
        let mut command = self.world.govdeck("maya", &words);
        command.env("GOVDECK_GOVERNANCE_ROOT", &self.root);
        run(command)
    }

    fn json(&self, code: i32) -> Value {
        document(&self.look(&["--json"]), code, "job-fingerprint")
    }
}

on_both!(drift_pages_once_in_the_entry_that_records_it, |w| {
    let world = world(w).await;
    dual_writing(&world).await;
    let landing = Landing::of(world);
    landing.land("unity.json", GOOD);
    landing.land("unity.sidecar.json", "{}");
    landing.land("notes.txt", "no export");
    let clean = landing.json(0);
    assert_eq!(
        (
            &clean["migration_id"],
            &clean["phase"],
            &clean["looked_for"]
        ),
        (&ID.into(), &"dual_write".into(), &1.into())
    );
    assert!(landing.world.rows(PAGES).is_empty());
    landing.land("bi.JSON", r#"{"breach_count": 3, "queueDepth": 1}"#);
    let told = landing.look(&[]);
    let told = said(&told, 1);
    let why = "key_not_allowed \"queueDepth\", pair_half_missing \"breachCount\"";
    assert!(
        told.starts_with(&format!(
            "fail {ID} in dual_write, landed: 1 of 2 exports are as the allow-list wants them; bi.JSON: {why}\n  bi.JSON: {why}\nevidence sha256:"
        )),
        "{told}"
    );
    // Found again it is the same, and nobody is paged anew; other drift is another page.
    landing.json(1);
    let subject = format!("kim: {ID}: 1 of 2 exports in landed drift");
    assert_eq!(landing.world.rows(PAGES), [&*subject]);
    landing.land("bi.JSON", r#"{"breach_count": 3}"#);
    landing.json(1);
    assert_eq!(landing.world.rows(PAGES), [&*subject, &*subject]);
    let beside = "SELECT COUNT(*) FROM notification_outbox o JOIN ledger_change c ON c.seq = o.ledger_seq \
                  WHERE o.event_class = 'exporter_drift' AND c.table_name = 'exporter_fingerprint'";
    assert_eq!(landing.world.rows(beside), ["2"]);
    landing.take_away("bi.JSON");
    landing.json(0);
    let shown = crate::cli_kit::govdeck(&landing.world, "maya", &["migration", "show"]);
    assert!(
        said(&shown, 0).contains("exports in landed: pass, 1 of 1 exports"),
        "{shown:?}"
    );
    landing.world.assert_sound().await;
});

on_both!(nothing_to_check_is_never_a_pass, |w| {
    let world = world(w).await;
    let landing = Landing::of(world);
    let (sentence, _) = refused(&landing.look(&[]), 1);
    assert!(sentence.contains("no migration was opened"), "{sentence}");
    opened(&landing.world).await;
    let told = |code| landing.json(code)["detail"].as_str().map(str::to_owned);
    let why = |what: &str| {
        let told = told(3).expect("it is said why");
        assert!(told.contains(what), "{told:?} for {what:?}");
    };
    why("no export has landed");
    landing.land("unity.json", GOOD);
    why("no allow-list for prepare is registered");
    let asked = Asked::of(ID).with("document", allowlist("prepare", &[]));
    let registered = landing.world.act("kim", "register_allowlist", asked).await;
    registered.expect("registered");
    why("approved by nobody");
    for who in ["maya", "lee"] {
        let yes = crate::support::migration_story::approve(&landing.world, who, "prepare");
        yes.await.expect("approved");
    }
    assert_eq!(landing.json(0)["verdict"], "pass");
    // Words that nobody approved.
    let asked = Asked::of(ID).with("document", allowlist("prepare", &["x"]));
    let registered = landing.world.act("kim", "register_allowlist", asked).await;
    registered.expect("registered");
    why("approved by nobody");
    agreed_again(&landing.world).await;
    assert_eq!(landing.json(0)["verdict"], "pass");
    // What cannot be read may be anything.
    landing.land("elsewhere", GOOD);
    let link = landing.root.join("landed/link.json");
    symlink(landing.root.join("landed/elsewhere"), &link).expect("the folder is ours");
    why("symbolic link");
    landing.take_away("link.json");
    fifo(&landing.root.join("landed/pipe.json"));
    why("is not a file");
    landing.take_away("pipe.json");
    landing.land("half.json", "[{\"breach_count\": 3");
    assert_eq!(landing.json(1)["missing"], serde_json::json!(["half.json"]));
    landing.take_away("half.json");
    for folder in ["nowhere", "../root/landed", "landed/unity.json"] {
        let words = ["job", "fingerprint", "--folder", folder, "--json"];
        let mut command = landing.world.govdeck("maya", &words);
        command.env("GOVDECK_GOVERNANCE_ROOT", &landing.root);
        document(&run(command), 3, "job-fingerprint");
    }
    let pages = landing.world.rows(PAGES);
    assert_eq!(pages.len(), 1, "only drift pages: {pages:?}");
});

async fn agreed_again(world: &World) {
    for who in ["maya", "lee"] {
        let yes = crate::support::migration_story::approve(world, who, "prepare");
        yes.await.expect("approved");
    }
}

on_both!(other_keys_set_the_clock_back, |w| {
    let world = world(w).await;
    dual_writing(&world).await;
    let landing = Landing::of(world);
    landing.land("unity.json", GOOD);
    let at = |hour: u32| format!("2098-05-19T{:02}:00:00Z", hour + 7);
    let clock = async |hour: u32| {
        let clock = known(&landing.world)
            .await
            .clean(at(hour).parse().expect("a moment"));
        (
            clock.counted.as_secs() / 3600,
            clock.log.last().map(|it| it.why),
        )
    };
    assert!(BEGINS < &*at(1), "it is in dual write by then");
    for hour in 1..=2 {
        scanned(&landing.world, &at(hour), 0).await;
    }
    // The first look at a folder changes nothing, and neither does the same again.
    landing.world.set_time("2098-05-19T09:10:00Z").await;
    landing.json(0);
    landing.land("second.json", GOOD);
    landing.json(0);
    scanned(&landing.world, &at(3), 0).await;
    assert_eq!(clock(3).await, (2, None));
    landing.world.set_time("2098-05-19T10:10:00Z").await;
    landing.land("second.json", r#"[{"breach_count": 3}]"#);
    landing.json(1);
    assert_eq!(clock(3).await, (2, None), "that was later");
    assert_eq!(clock(4).await, (0, Some(Why::Changed)));
    scanned(&landing.world, &at(4), 0).await;
    scanned(&landing.world, &at(5), 0).await;
    assert_eq!(clock(5).await, (1, Some(Why::Changed)));
    // Back to what it was is a change too.
    landing.world.set_time("2098-05-19T12:10:00Z").await;
    landing.land("second.json", GOOD);
    landing.json(0);
    scanned(&landing.world, &at(6), 0).await;
    assert_eq!(clock(6).await, (0, Some(Why::Changed)));
    landing.world.assert_sound().await;
});

on_both!(a_fingerprint_is_written_by_its_rule_alone, |w| {
    let world = world(w).await;
    dual_writing(&world).await;
    agreed(&world, "cutover", &["breach_count"]).await;
    let landing = Landing::of(world);
    landing.land("unity.json", GOOD);
    landing.json(0);
    let world = &landing.world;
    let again = "INSERT INTO exporter_fingerprint SELECT 'ffffffffffffffffffffffffffffffff', migration_id, phase, folder, allowlist_sha256, \
                 'pass', exports, drifted, keysets_sha256, evidence_sha256, detail, observed_at_utc, recorded_by, 1 FROM exporter_fingerprint";
    for (what, word) in [
        (again, "newest"),
        (
            "UPDATE exporter_fingerprint SET verdict = 'fail', drifted = 1",
            "newest",
        ),
        ("DELETE FROM exporter_fingerprint", "deleted"),
    ] {
        let no = world.sql(what).expect_err(what);
        assert!(no.contains(word), "{no} for {what}");
    }
    // A pass that looked at nothing is none, whoever writes it.
    for column in [
        "exports = 0",
        "drifted = 1",
        "keysets_sha256 = NULL",
        "allowlist_sha256 = NULL",
    ] {
        let away = world.walls_away("exporter_fingerprint");
        let update = format!("BEGIN; {away} UPDATE exporter_fingerprint SET {column}; ROLLBACK;");
        let no = world.sql_as("maya", &update).expect_err(column);
        let no = no.to_lowercase();
        assert!(no.contains("check"), "{no} for {column}");
    }
});
