//! A week's two sides as files below the governance root, and a policy to judge them by.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use govdeck::actions::Asked;
use govdeck::canon::Digest;
use serde_json::{Value, json};

use super::command::{Run, run as run_command};
use super::weeks::{SERIES, world as weekly};
use super::{REASON, World};

/// A week's files below the governance root.
pub struct Files<'a> {
    world: &'a World,
    /// The governance root.
    pub root: PathBuf,
}

/// Leadership's rows.
pub const ROWS: &str = "metric_id,value\nMET-0144,94.5\nMET-0171,12\n";

impl<'a> Files<'a> {
    /// A week that passes.
    pub fn of(world: &'a World) -> Self {
        let root = world.home.folder().join("gov");
        fs::create_dir_all(root.join("annex")).expect("made");
        let files = Self { world, root };
        files.side("lead", ROWS);
        files.side("annex/partner", &ROWS.replace("94.5", "94.496"));
        files
    }

    /// Writes a side with its sidecar.
    pub fn side(&self, stem: &str, rows: &str) {
        let side = if stem == "lead" {
            "leadership"
        } else {
            "partner"
        };
        let sidecar = json!({
            "side": side, "window_tz_policy": "UTC", "start_inclusive": "2098-04-28T00:00:00Z",
            "end_exclusive": "2098-05-05T00:00:00Z", "tuple_revision_hash": "ab".repeat(32),
            "dictionary_semver": "2.4.0", "footer_schema_semver": "1.3.0", "epsilon_policy_version": "eps-7",
            "ingest_hash": format!("sha256:{}", Digest::of(rows.as_bytes())),
            "bypass_audit_id": "no bypass", "parent_freeze_id": "no bypass",
        });
        fs::write(self.root.join(format!("{stem}.csv")), rows).expect("written");
        let beside = self.root.join(format!("{stem}.sidecar.json"));
        fs::write(beside, sidecar.to_string()).expect("written");
    }

    /// Writes the manifest, with something else in it.
    pub fn manifest(&self, change: impl Fn(&mut Value)) -> PathBuf {
        let mut manifest = json!({
            "schema": "govdeck.reconcile-manifest.v1", "series": SERIES,
            "leadership": {"id": "q-lead", "file": "lead.csv"},
            "partner": {"id": "exp-partner", "file": "annex/partner.csv"},
            "window": {"window_tz_policy": "UTC", "start_inclusive": "2098-04-28T00:00:00Z", "end_exclusive": "2098-05-05T00:00:00Z"},
            "tuple_revision_hash": "ab".repeat(32), "dictionary_semver": "2.4.0", "epsilon_policy_version": "eps-7",
            "contract_max_semver": "1.4.0", "footer_schema_semver": "1.3.0",
            "owners": {"default": {"owner": "maya", "backup": "lee"}}, "protected": ["MET-0171"],
        });
        change(&mut manifest);
        let path = self.root.join("manifest.json");
        fs::write(&path, manifest.to_string()).expect("written");
        path
    }

    /// Makes a run of a manifest.
    pub fn reconcile(&self, manifest: &Path, kind: &str) -> Run {
        run_command(self.reconciling(manifest, kind))
    }

    /// Prepares to make a run of a manifest.
    pub fn reconciling(&self, manifest: &Path, kind: &str) -> Command {
        let manifest = manifest.display().to_string();
        let words = ["job", "reconcile", "--manifest", &manifest, "--kind", kind];
        let mut command = self.world.govdeck("maya", &words);
        command.env("GOVDECK_GOVERNANCE_ROOT", &self.root);
        command
    }
}

/// A demo with a policy that two adopted.
pub async fn world_with_policy(world: World) -> World {
    let world = weekly(world).await;
    super::dictionary::released(&world).await;
    adopt_policy(&world).await;
    world
}

/// Adopts the policy of the week, which takes two.
pub async fn adopt_policy(world: &World) {
    let words = [
        "policy",
        "propose",
        "eps-7",
        "--contract-max",
        "1.4.0",
        "--soft",
        "0.05",
        "--hard",
        "0.1",
        "--floor",
        "1",
    ];
    let dry = run_command(world.govdeck("maya", &words));
    assert_eq!(dry.code, Some(0), "{}{}", dry.stdout, dry.stderr);
    let phrase = dry
        .stdout
        .split('"')
        .rev()
        .nth(1)
        .expect("a phrase")
        .to_owned();
    let mut words = words.to_vec();
    words.extend(["--confirm", &phrase, "--reason", REASON]);
    let proposed = run_command(world.govdeck("maya", &words));
    assert_eq!(proposed.code, Some(0), "{}", proposed.stderr);
    let ticket = world
        .rows("SELECT ticket FROM approval_request WHERE status = 'waiting'")
        .remove(0);
    world
        .act("lee", "approve", Asked::of(ticket))
        .await
        .expect("adopted");
}
