//! Parity of two run manifests: both sides were pulled for the same window, tuple and bypass, before any row is compared.

use serde::Serialize;

use super::fault::quoted;
use super::lineage::{Bypass, Lineage};
use super::sidecar::{Field, Sidecar};
use crate::canon::Digest;
use crate::clock::Moment;
use crate::rules::semver;

/// What every manifest has to say, in the order in which it is compared.
const REQUIRED: [Field; 7] = [
    Field::WindowTzPolicy,
    Field::StartInclusive,
    Field::EndExclusive,
    Field::TupleRevisionHash,
    Field::DictionarySemver,
    Field::BypassAuditId,
    Field::ParentFreezeId,
];

/// What may be said too, and is then the same on both sides; the side itself and the hash of its rows differ by nature.
const FURTHER: [Field; 2] = [Field::FooterSchemaSemver, Field::EpsilonPolicyVersion];

/// The first thing in which two manifests do not agree, or one of them is not sound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Disparity {
    /// The field.
    pub field: Field,
    /// In words.
    pub detail: String,
}

/// Finds the first field that is missing, malformed or different; nothing when both say the same.
#[must_use]
pub fn disparity(leadership: &Sidecar, partner: &Sidecar) -> Option<Disparity> {
    let sides = [("leadership", leadership), ("partner", partner)];
    let wrong = |field, detail: String| Some(Disparity { field, detail });
    for (name, manifest) in sides {
        if manifest.get(Field::Side) != Some(name) {
            return wrong(
                Field::Side,
                format!("it is not {name:?} in what is {name}'s"),
            );
        }
    }
    for field in REQUIRED {
        for (name, manifest) in sides {
            match manifest.get(field).filter(|said| !said.is_empty()) {
                None => {
                    let hint = match field {
                        Field::BypassAuditId | Field::ParentFreezeId => {
                            "; without a bypass it is \"no bypass\""
                        }
                        _ => "",
                    };
                    return wrong(field, format!("{name} does not say it{hint}"));
                }
                Some(said) => {
                    if let Err(why) = is_sound(field, said) {
                        return wrong(field, format!("{name}: {why}"));
                    }
                }
            }
        }
        if let Some(found) = differs(field, leadership, partner) {
            return Some(found);
        }
    }
    for (name, manifest) in sides {
        let moment = |field| manifest.get(field)?.parse::<Moment>().ok();
        let window = moment(Field::StartInclusive).zip(moment(Field::EndExclusive));
        if window.is_none_or(|(start, end)| start >= end) {
            let detail = format!("{name}: it is not after start_inclusive");
            return wrong(Field::EndExclusive, detail);
        }
    }
    let lineage = Lineage {
        leadership: Bypass::of(leadership),
        partner: Bypass::of(partner),
    };
    if let Some(fault) = lineage.fault_where_it_is_told() {
        return wrong(Field::ParentFreezeId, fault);
    }
    let mut further = FURTHER.into_iter();
    further.find_map(|field| differs(field, leadership, partner))
}

fn differs(field: Field, leadership: &Sidecar, partner: &Sidecar) -> Option<Disparity> {
    let (ours, theirs) = (leadership.get(field), partner.get(field));
    let shown = |said: Option<&str>| said.map_or("not said".to_owned(), quoted);
    (ours != theirs).then(|| Disparity {
        field,
        detail: format!(
            "it is {} for leadership and {} for the partner",
            shown(ours),
            shown(theirs)
        ),
    })
}

fn is_sound(field: Field, said: &str) -> Result<(), String> {
    match field {
        Field::WindowTzPolicy if said != "UTC" => {
            Err(format!("it is {}, not \"UTC\"", quoted(said)))
        }
        Field::StartInclusive | Field::EndExclusive => {
            let read = said.parse::<Moment>();
            read.map(drop).map_err(|error| error.to_string())
        }
        Field::TupleRevisionHash => {
            let read = said.parse::<Digest>();
            read.map(drop).map_err(|_| "it is no SHA-256".to_owned())
        }
        Field::DictionarySemver => {
            let read = semver::parse(said);
            read.map(drop).map_err(|refusal| refusal.sentence)
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn sample() -> Value {
        json!({
            "window_tz_policy": "UTC", "start_inclusive": "2026-05-04T00:00:00Z", "end_exclusive": "2026-05-11T00:00:00Z",
            "tuple_revision_hash": "ab".repeat(32), "dictionary_semver": "2.4.0",
            "bypass_audit_id": "no bypass", "parent_freeze_id": "no bypass",
        })
    }

    fn found(edit: impl Fn(&mut Value, &mut Value)) -> Option<String> {
        let (mut ours, mut theirs) = (sample(), sample());
        ours["side"] = json!("leadership");
        theirs["side"] = json!("partner");
        ours["ingest_hash"] = json!("sha256:aa");
        edit(&mut ours, &mut theirs);
        let read = |value: &Value| Sidecar::read(value.to_string().as_bytes()).expect("a manifest");
        disparity(&read(&ours), &read(&theirs)).map(|found| found.field.word().to_owned())
    }

    #[test]
    fn the_same_pull_on_both_sides_has_no_disparity() {
        assert_eq!(found(|_, _| {}), None);
        let bypass = |side: &mut Value| {
            side["bypass_audit_id"] = json!("BYP-9");
            side["parent_freeze_id"] = json!("FZ-31");
            side["footer_schema_semver"] = json!("1.3.0");
        };
        assert_eq!(
            found(|ours, theirs| [ours, theirs].into_iter().for_each(bypass)),
            None
        );
    }

    #[test]
    fn the_first_field_that_differs_is_named() {
        for field in REQUIRED.into_iter().chain(FURTHER) {
            let name = field.word();
            let other = match field {
                Field::StartInclusive => json!("2026-05-04T00:00:00.000000Z"),
                Field::EndExclusive => json!("2026-05-12T00:00:00Z"),
                Field::TupleRevisionHash => json!("cd".repeat(32)),
                Field::DictionarySemver => json!("v2.4.0"),
                Field::WindowTzPolicy => json!("Europe/Berlin"),
                Field::BypassAuditId => json!("BYP-8"),
                _ => json!("x-1"),
            };
            let differs = found(|_, theirs| theirs[name] = other.clone());
            assert_eq!(differs.as_deref(), Some(name), "byte for byte");
        }
        let two = found(|ours, theirs| {
            ours["parent_freeze_id"] = json!("FZ-1");
            theirs["end_exclusive"] = json!("2026-05-12T00:00:00Z");
        });
        assert_eq!(two.as_deref(), Some("end_exclusive"), "the first one");
    }

    #[test]
    fn each_side_is_its_own_and_a_bypass_has_its_freeze() {
        let mixed = found(std::mem::swap);
        assert_eq!(mixed.as_deref(), Some("side"));
        let same = found(|ours, theirs| theirs["side"] = ours["side"].clone());
        assert_eq!(same.as_deref(), Some("side"), "one file is no two sides");
        let half = found(|ours, theirs| {
            ours["bypass_audit_id"] = json!("BYP-9");
            theirs["bypass_audit_id"] = json!("BYP-9");
        });
        assert_eq!(half.as_deref(), Some("parent_freeze_id"));
    }

    #[test]
    fn what_is_missing_or_malformed_on_both_sides_is_named_too() {
        for (field, value) in [
            ("window_tz_policy", json!(null)),
            ("window_tz_policy", json!("utc")),
            ("start_inclusive", json!("2026-05-04T00:00:00+02:00")),
            ("start_inclusive", json!("2026-05-04")),
            ("end_exclusive", json!("2026-05-04T00:00:00Z")),
            ("end_exclusive", json!("2026-05-03T00:00:00Z")),
            ("tuple_revision_hash", json!("AB")),
            ("dictionary_semver", json!("2.4")),
            ("bypass_audit_id", json!("")),
            ("bypass_audit_id", json!(null)),
            ("parent_freeze_id", json!(null)),
        ] {
            let named = found(|ours, theirs| {
                ours[field] = value.clone();
                theirs[field] = value.clone();
            });
            assert_eq!(named.as_deref(), Some(field), "{value}");
        }
    }
}
