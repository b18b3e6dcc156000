//! The expected "no": a sentence for the reader and a hint that says what to do.

/// Says why something is not done, and what would help.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{sentence}")]
pub struct Refusal {
    /// What is refused and why, in one sentence without a full stop.
    pub sentence: String,
    /// What to do about it.
    pub hint: String,
}

impl Refusal {
    /// Makes a refusal of a sentence and a hint.
    #[must_use]
    pub fn new(sentence: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            sentence: sentence.into(),
            hint: hint.into(),
        }
    }
}
