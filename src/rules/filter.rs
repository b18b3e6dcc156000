//! Filters: what a person types behind `/` to see fewer rows.

use super::Refusal;

/// What one word of a filter asks of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// Where to look; none looks everywhere.
    pub field: Option<&'static str>,
    /// What must be there.
    pub text: String,
    /// How it is looked for.
    pub how: How,
}

/// How a term looks for its text; the case of letters never matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// Somewhere inside: `text`.
    Has,
    /// Nowhere inside: `!text`.
    Lacks,
    /// Its letters in this order, with anything between them: `~text`.
    Fuzzy,
}

/// All terms must hold; no term lets every row through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// The terms.
    pub terms: Vec<Term>,
}

impl Filter {
    /// Reads a filter: words with blanks between them; `field:text` looks into one of `fields` only.
    pub fn parse(text: &str, fields: &'static [&'static str]) -> Result<Self, Refusal> {
        let mut terms = Vec::new();
        for word in text.split_whitespace() {
            let (how, word) = match (word.strip_prefix('!'), word.strip_prefix('~')) {
                (Some(rest), _) => (How::Lacks, rest),
                (_, Some(rest)) => (How::Fuzzy, rest),
                _ => (How::Has, word),
            };
            let (field, text) = match word.split_once(':') {
                None => (None, word),
                Some((name, text)) => {
                    let field = fields.iter().copied().find(|field| *field == name);
                    let unknown = || {
                        Refusal::new(
                            format!("{name:?} is no field of this list"),
                            format!("one of: {}", fields.join(", ")),
                        )
                    };
                    (Some(field.ok_or_else(unknown)?), text)
                }
            };
            if !text.is_empty() {
                terms.push(Term {
                    field,
                    text: text.to_lowercase(),
                    how,
                });
            }
        }
        Ok(Self { terms })
    }
}
