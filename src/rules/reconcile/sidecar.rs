//! The sidecar: what a side says about its rows.

use super::fault::Fault;
use super::fields::{read_object, text_or_null};
use crate::rules::words;

words! {
    /// What a sidecar may say; the last two need not be there.
    pub enum Field {
        /// Which side it is.
        Side = "side",
        /// The time zone of the window, `UTC`.
        WindowTzPolicy = "window_tz_policy",
        /// When the window begins.
        StartInclusive = "start_inclusive",
        /// When the window has ended.
        EndExclusive = "end_exclusive",
        /// The revision of the tuple that the rows belong to.
        TupleRevisionHash = "tuple_revision_hash",
        /// The dictionary that the ids are of.
        DictionarySemver = "dictionary_semver",
        /// The schema of the footer.
        FooterSchemaSemver = "footer_schema_semver",
        /// The policy that the side expects.
        EpsilonPolicyVersion = "epsilon_policy_version",
        /// The digest of the rows' bytes.
        IngestHash = "ingest_hash",
        /// The bypass that the week was published under.
        BypassAuditId = "bypass_audit_id",
        /// The freeze that the bypass goes round.
        ParentFreezeId = "parent_freeze_id",
    }
}

/// Holds what a sidecar says, each field as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sidecar {
    said: [Option<String>; Field::ALL.len()],
}

impl Sidecar {
    /// Reads a sidecar: one strict JSON object of texts, no other fields.
    ///
    /// A missing field, and one that is `null`, says nothing; what that means is for the terms to judge.
    pub fn read(bytes: &[u8]) -> Result<Self, Fault> {
        let names: Vec<_> = Field::ALL.iter().map(|field| field.word()).collect();
        let mut said = [const { None }; Field::ALL.len()];
        read_object(bytes, &names, |scanner, place| {
            said[place] = text_or_null(scanner, names[place])?;
            Ok(())
        })?;
        Ok(Self { said })
    }

    /// Writes what it says as canonical JSON, fields of which it is silent left out.
    pub fn canonical(&self) -> Result<Vec<u8>, crate::canon::ValueError> {
        let said = Field::ALL.iter().zip(&self.said);
        let said = said.filter_map(|(field, said)| Some((field.word(), said.as_deref()?)));
        crate::canon::canonical_of(&said.collect::<std::collections::BTreeMap<_, _>>())
    }

    /// Returns what a field says.
    #[must_use]
    pub fn get(&self, field: Field) -> Option<&str> {
        self.said[field as usize].as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        let fault = Sidecar::read(text.as_bytes()).expect_err("it is no sidecar");
        fault
            .rejects(crate::rules::reconcile::RejectReason::SidecarMissing, "s")
            .to_string()
    }

    #[test]
    fn fields_stand_for_themselves() {
        for (place, field) in Field::ALL.iter().enumerate() {
            assert_eq!(*field as usize, place);
            let text = format!(r#"{{"{field}": "x\u0021"}}"#);
            let sidecar = Sidecar::read(text.as_bytes()).expect("a sidecar");
            for other in Field::ALL {
                let said = (other == field).then_some("x!");
                assert_eq!(sidecar.get(*other), said, "{field} {other}");
            }
        }
        let silent = Sidecar::read(br#"{"parent_freeze_id": null}"#).expect("a sidecar");
        assert_eq!(silent.get(Field::ParentFreezeId), None);
    }

    #[test]
    fn what_is_not_strict_is_refused_in_place() {
        for (text, said) in [
            ("", "s, line 1, column 1: no JSON text"),
            ("[]", "s, line 1, column 1: expected an object"),
            ("{\n \"side\": 1}", "s, line 2, column 10: side is no text"),
            (
                "{\"side\": [\"a\"]}",
                "s, line 1, column 10: side is no text",
            ),
            (
                "{\"Side\": \"a\"}",
                "s, line 1, column 2: an unknown field \"Side\"",
            ),
            (
                "{\"side\":\"a\",\"s\\u0069de\":\"a\"}",
                "s, line 1, column 13: duplicate key \"side\"",
            ),
            ("{} {}", "s, line 1, column 4: text after the end"),
            ("\u{feff}{}", "s, line 1, column 1: a byte order mark"),
            (
                "{\"a\u{202e}\": 1}",
                "s, line 1, column 2: an unknown field \"a\\u{202e}\"",
            ),
        ] {
            let found = refusal(text);
            assert!(found.starts_with(said), "{text:?}: {found}");
        }
        let latin = Sidecar::read(b"{\"side\":\"\xff\"}").expect_err("not UTF-8");
        assert_eq!(latin.what, "invalid UTF-8");
    }
}
