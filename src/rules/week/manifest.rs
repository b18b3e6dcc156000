//! The manifest of a weekly run: what is compared with what, for which window, under which policy.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::canon::{self, Digest};
use crate::clock::Moment;
use crate::rules::{Refusal, semver, text};

/// The form of manifests that this program reads.
const SCHEMA: &str = "govdeck.reconcile-manifest.v1";

/// What is compared with what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The series that the run belongs to.
    pub series: String,
    /// The leadership's query and where its rows are.
    pub leadership: Source,
    /// The partners' export and where its rows are.
    pub partner: Source,
    /// The beginning of the window whose numbers are compared.
    pub start_inclusive: Moment,
    /// The end of it.
    pub end_exclusive: Moment,
    /// Both as they are written; the windows of two sides are compared byte for byte.
    pub window_text: [String; 2],
    /// The tuple revision that both sides show.
    pub tuple_revision_hash: Digest,
    /// The dictionary that both sides use.
    pub dictionary_semver: String,
    /// The policy that says how far apart they may be.
    pub epsilon_policy_version: String,
    /// The newest footer schema that can be read.
    pub contract_max_semver: String,
    /// The footer schema of a side that has no sidecar.
    pub footer_schema_semver: String,
    /// The bypass and freeze that a side without a sidecar carries.
    pub bypass: Option<(String, String)>,
    /// Who owns a metric that fails.
    pub owners: Owners,
    /// The metrics whose numbers the database always keeps.
    pub protected: BTreeSet<String>,
}

/// Where one side's rows are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A query on the governance database.
    Sql {
        /// The query's or export's id.
        id: String,
        /// The query: two columns, `metric_id` and `value`.
        sql: String,
    },
    /// A file below the governance root, with a sidecar beside it.
    File {
        /// The query's or export's id.
        id: String,
        /// Its path from there.
        path: String,
    },
}

/// Whom a failing metric is routed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The owner.
    pub owner: String,
    /// Another person.
    pub backup: String,
}

/// The routes of failing metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owners {
    default: Owner,
    metrics: BTreeMap<String, Owner>,
}

impl Owners {
    /// Returns whom a metric is routed to.
    #[must_use]
    pub fn of(&self, metric_id: &str) -> &Owner {
        self.metrics.get(metric_id).unwrap_or(&self.default)
    }

    /// Lists everybody named.
    pub fn everybody(&self) -> impl Iterator<Item = &str> {
        let all = std::iter::once(&self.default).chain(self.metrics.values());
        all.flat_map(|owner| [owner.owner.as_str(), owner.backup.as_str()])
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    schema: String,
    series: String,
    leadership: WrittenSource,
    partner: WrittenSource,
    window: WrittenWindow,
    tuple_revision_hash: String,
    dictionary_semver: String,
    epsilon_policy_version: String,
    contract_max_semver: String,
    footer_schema_semver: String,
    bypass: Option<WrittenBypass>,
    owners: WrittenOwners,
    #[serde(default)]
    protected: BTreeSet<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenSource {
    id: String,
    sql: Option<String>,
    file: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenWindow {
    window_tz_policy: String,
    start_inclusive: String,
    end_exclusive: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenBypass {
    bypass_audit_id: String,
    parent_freeze_id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenOwners {
    default: WrittenOwner,
    #[serde(default)]
    metrics: BTreeMap<String, WrittenOwner>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenOwner {
    owner: String,
    backup: String,
}

/// Reads a manifest strictly: every field is known, and each has the form that it must have.
pub fn read(bytes: &[u8]) -> Result<Manifest, Refusal> {
    let refused = |why: String| {
        Refusal::new(
            format!("the manifest is malformed: {why}"),
            "its fields are listed in docs/weekly.md",
        )
    };
    // What two readers could understand differently is refused before it is read.
    canon::canonical_exact(bytes).map_err(|error| refused(error.to_string()))?;
    let written: Written =
        serde_json::from_slice(bytes).map_err(|error| refused(error.to_string()))?;
    written.checked().map_err(refused)
}

impl Written {
    fn checked(self) -> Result<Manifest, String> {
        if self.schema != SCHEMA {
            return Err(format!(
                "schema is {:?}, not {SCHEMA:?}",
                short(&self.schema)
            ));
        }
        for (field, value) in [
            ("series", &self.series),
            ("epsilon_policy_version", &self.epsilon_policy_version),
            ("leadership.id", &self.leadership.id),
            ("partner.id", &self.partner.id),
        ] {
            plain(field, value)?;
        }
        for (field, version) in [
            ("dictionary_semver", &self.dictionary_semver),
            ("contract_max_semver", &self.contract_max_semver),
            ("footer_schema_semver", &self.footer_schema_semver),
        ] {
            semver::parse(version).map_err(|refusal| format!("{field}: {}", refusal.sentence))?;
        }
        let (start, end) = self.window.checked()?;
        let tuple = self.tuple_revision_hash.parse();
        Ok(Manifest {
            leadership: self.leadership.checked("leadership")?,
            partner: self.partner.checked("partner")?,
            start_inclusive: start,
            end_exclusive: end,
            window_text: [self.window.start_inclusive, self.window.end_exclusive],
            tuple_revision_hash: tuple.map_err(|_| "tuple_revision_hash is no SHA-256")?,
            dictionary_semver: self.dictionary_semver,
            epsilon_policy_version: self.epsilon_policy_version,
            contract_max_semver: self.contract_max_semver,
            footer_schema_semver: self.footer_schema_semver,
            bypass: self
                .bypass
                .map(|bypass| (bypass.bypass_audit_id, bypass.parent_freeze_id)),
            owners: self.owners.checked()?,
            protected: self.protected,
            series: self.series,
        })
    }
}

impl WrittenWindow {
    fn checked(&self) -> Result<(Moment, Moment), String> {
        if self.window_tz_policy != "UTC" {
            return Err("window.window_tz_policy is not \"UTC\"".to_owned());
        }
        let moment = |field: &str, text: &str| {
            text.parse::<Moment>()
                .map_err(|error| format!("window.{field}: {error}"))
        };
        let start = moment("start_inclusive", &self.start_inclusive)?;
        let end = moment("end_exclusive", &self.end_exclusive)?;
        if start >= end {
            return Err("window.start_inclusive is not before window.end_exclusive".to_owned());
        }
        Ok((start, end))
    }
}

impl WrittenSource {
    fn checked(self, side: &str) -> Result<Source, String> {
        match (self.sql, self.file) {
            (Some(sql), None) if sql.contains(';') => {
                Err(format!("{side}.sql holds a semicolon: it is one query"))
            }
            (Some(sql), None) if !sql.trim().is_empty() => Ok(Source::Sql { id: self.id, sql }),
            (None, Some(path)) if is_pdf(&path) => Err(format!(
                "{side}.file is a PDF: what only people can read is no evidence; ask for a CSV or JSON export with its sidecar"
            )),
            (None, Some(path)) if crate::rules::release::stays_below(&path) => {
                Ok(Source::File { id: self.id, path })
            }
            (None, Some(_)) => Err(format!("{side}.file leaves its folder")),
            _ => Err(format!("{side} takes either sql or file")),
        }
    }
}

impl WrittenOwners {
    fn checked(self) -> Result<Owners, String> {
        let one = |who: &str, written: WrittenOwner| {
            if written.owner == written.backup {
                return Err(format!("owners.{who}: the backup is the owner"));
            }
            plain("owners", &written.owner)?;
            plain("owners", &written.backup)?;
            Ok(Owner {
                owner: written.owner,
                backup: written.backup,
            })
        };
        let metrics = self
            .metrics
            .into_iter()
            .map(|(metric, written)| Ok((metric.clone(), one(&metric, written)?)));
        Ok(Owners {
            metrics: metrics.collect::<Result<_, String>>()?,
            default: one("default", self.default)?,
        })
    }
}

fn is_pdf(path: &str) -> bool {
    path.rsplit_once('.')
        .is_some_and(|(_, extension)| extension.eq_ignore_ascii_case("pdf"))
}

fn plain(field: &str, value: &str) -> Result<(), String> {
    if value.is_empty() || value.len() > 200 || value.contains(text::is_hostile) {
        return Err(format!(
            "{field} is empty, too long, or holds what cannot be shown"
        ));
    }
    Ok(())
}

fn short(value: &str) -> std::borrow::Cow<'_, str> {
    text::shorten(value, 40)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn sample() -> Value {
        json!({
            "schema": SCHEMA, "series": "sla-weekly",
            "leadership": {"id": "q-lead", "sql": "SELECT metric_id, value FROM rollup"},
            "partner": {"id": "exp-partner", "file": "annex/w20.csv"},
            "window": {"window_tz_policy": "UTC", "start_inclusive": "2026-05-04T00:00:00Z", "end_exclusive": "2026-05-11T00:00:00Z"},
            "tuple_revision_hash": "ab".repeat(32), "dictionary_semver": "2.4.0",
            "epsilon_policy_version": "eps-7", "contract_max_semver": "v1.4.0", "footer_schema_semver": "1.3.0",
            "owners": {"default": {"owner": "maya", "backup": "lee"}, "metrics": {"MET-0144": {"owner": "lee", "backup": "maya"}}},
            "protected": ["MET-0144"],
        })
    }

    fn read_value(value: &Value) -> Result<Manifest, Refusal> {
        read(value.to_string().as_bytes())
    }

    #[test]
    fn a_manifest_reads_whole() {
        let manifest = read_value(&sample()).expect("reads");
        assert_eq!(manifest.series, "sla-weekly");
        assert_eq!(manifest.owners.of("MET-0144").owner, "lee");
        assert_eq!(manifest.owners.of("MET-0001").owner, "maya");
        assert!(matches!(manifest.leadership, Source::Sql { .. }));
        assert!(matches!(manifest.partner, Source::File { .. }));
    }

    #[test]
    fn every_malformed_field_is_named() {
        for (pointer, value, named) in [
            ("/schema", json!("v2"), "schema"),
            ("/series", json!(""), "series"),
            ("/series", json!("a\u{202e}b"), "series"),
            ("/leadership", json!({"id": "q"}), "leadership"),
            (
                "/leadership",
                json!({"id": "q", "sql": "SELECT 1; DROP TABLE x"}),
                "semicolon",
            ),
            (
                "/leadership",
                json!({"id": "q", "sql": "SELECT 1", "file": "a.csv"}),
                "leadership",
            ),
            ("/partner/file", json!("annex/week.PDF"), "PDF"),
            ("/partner/file", json!("../annex.csv"), "leaves its folder"),
            (
                "/window/window_tz_policy",
                json!("Europe/Berlin"),
                "window_tz_policy",
            ),
            (
                "/window/start_inclusive",
                json!("2026-05-04T00:00:00+02:00"),
                "start_inclusive",
            ),
            (
                "/window/end_exclusive",
                json!("2026-05-04T00:00:00Z"),
                "not before",
            ),
            ("/tuple_revision_hash", json!("AB"), "tuple_revision_hash"),
            ("/dictionary_semver", json!("2.4"), "dictionary_semver"),
            (
                "/contract_max_semver",
                json!("newest"),
                "contract_max_semver",
            ),
            ("/owners/default/backup", json!("maya"), "backup"),
            ("/protected", json!("MET-1"), "protected"),
        ] {
            let mut manifest = sample();
            if let Some(place) = manifest.pointer_mut(pointer) {
                *place = value;
            }
            let refusal = read_value(&manifest).expect_err(pointer);
            let tells = refusal.sentence.contains(named) || refusal.sentence.contains("sequence");
            assert!(tells, "{pointer}: {}", refusal.sentence);
        }
    }

    #[test]
    fn unknown_missing_and_double_fields_are_refused() {
        let mut unknown = sample();
        unknown["extra"] = json!(1);
        assert!(read_value(&unknown).is_err());
        for field in ["series", "window", "owners", "contract_max_semver"] {
            let mut missing = sample();
            missing.as_object_mut().expect("an object").remove(field);
            let refusal = read_value(&missing).expect_err(field);
            assert!(refusal.sentence.contains(field), "{}", refusal.sentence);
        }
        let twice = sample().to_string().replacen('{', "{\"series\":\"a\",", 1);
        let refusal = read(twice.as_bytes()).expect_err("twice");
        assert!(refusal.sentence.contains("line 1"), "{}", refusal.sentence);
    }
}
