//! What somebody asks an action to do: a target, words, and files that were made before the write.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;

use crate::canon::Digest;
use crate::rules::Refusal;
use crate::signing::Signer;
use crate::store::artifact::Artifact;

/// What somebody asks an action to do, in words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// The id of what is acted on.
    pub target: String,
    /// The action's fields by name.
    pub fields: BTreeMap<String, String>,
    /// Whether whoever asks will sign the decision card.
    pub signing: Signing,
    /// Evidence that was made before the write, as it takes too long inside one.
    pub prepared: Vec<Prepared>,
}

/// A piece of evidence that was made before a write, and what it was made of.
///
/// An action files it only when it finds the same there inside the writing transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    /// The role it would play in the entry.
    pub role: &'static str,
    /// The evidence.
    pub artifact: Artifact,
    /// The digests of what it was made of.
    pub made_of: Vec<Digest>,
    /// What it says, in one line.
    pub says: String,
}

impl Prepared {
    /// Packs a file that a rule hands over; it is what it is, and nothing has to be found again.
    #[must_use]
    pub fn of((role, media_type): (&'static str, &'static str), bytes: Vec<u8>) -> Self {
        Self {
            role,
            artifact: Artifact::new(media_type, bytes),
            made_of: Vec::new(),
            says: String::new(),
        }
    }
}

/// Whether a decision card will be signed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Signing {
    /// The session alone says who it is.
    #[default]
    Without,
    /// A key of theirs says it; without a signature nothing is written.
    With,
}

impl Signing {
    /// Promises a signature where there is something to sign with.
    #[must_use]
    pub fn with(signer: Option<&Signer>) -> Self {
        if signer.is_some() {
            Self::With
        } else {
            Self::Without
        }
    }
}

impl Asked {
    /// Asks for a target without fields.
    #[must_use]
    pub fn of(target: impl Into<String>) -> Self {
        Self {
            target: target.into(),
            ..Self::default()
        }
    }

    /// Says whether the decision card will be signed.
    #[must_use]
    pub fn with_signing(mut self, signing: Signing) -> Self {
        self.signing = signing;
        self
    }

    /// Adds a field.
    #[must_use]
    pub fn with(mut self, field: &str, value: impl Into<String>) -> Self {
        self.fields.insert(field.to_owned(), value.into());
        self
    }

    /// Returns a field that must be there.
    pub(super) fn required(&self, field: &str) -> Result<&str, Refusal> {
        self.optional(field).ok_or_else(|| {
            Refusal::new(
                format!("the field {field} is missing"),
                format!("give it with --{field}"),
            )
        })
    }

    /// Returns a field that may be left out; an empty one counts as left out.
    pub(super) fn optional(&self, field: &str) -> Option<&str> {
        self.fields
            .get(field)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// Reads what a rule hands over.
    pub(super) fn finding<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        serde_json::from_str(self.required("finding")?).map_err(|error| {
            Refusal::new(
                format!("the finding is malformed: {error}"),
                "report this as a bug",
            )
        })
    }

    /// Returns the files of these roles that were handed over.
    pub(super) fn filed(&self, roles: &[&'static str]) -> Vec<(&'static str, Artifact)> {
        let pieces = self.prepared.iter();
        pieces
            .filter(|piece| roles.contains(&piece.role))
            .map(|piece| (piece.role, piece.artifact.clone()))
            .collect()
    }
}
