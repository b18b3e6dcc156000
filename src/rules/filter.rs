//! Filters: what a person types behind `/` to see fewer rows.
//!
//! Words with blanks between them, all of which must hold. A word looks into every field of a row, `field:word` into
//! one. `word` is somewhere inside, `!word` nowhere inside, and of `~word` all letters are there in their order. A sign
//! stands before the field: `!owner:lee`. A word of which nothing is left to look for asks nothing. Upper and lower
//! case of a to z are the same; other letters are taken as typed, since the databases do not fold them alike.

use super::Refusal;

/// What one word of a filter asks of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// Where to look; none looks everywhere.
    pub field: Option<&'static str>,
    /// What must be there, with a to z in lower case.
    pub text: String,
    /// How it is looked for.
    pub how: How,
}

/// How a term looks for its text.
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

/// The most characters that a filter may have.
pub const AT_MOST: usize = 200;

impl Filter {
    /// Reads a filter; `field:text` may name one of `fields`.
    pub fn parse(text: &str, fields: &'static [&'static str]) -> Result<Self, Refusal> {
        if text.chars().count() > AT_MOST || text.contains(char::is_control) {
            return Err(Refusal::new(
                "the filter cannot be used",
                format!("at most {AT_MOST} characters, without control ones"),
            ));
        }
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
                    text: text.to_ascii_lowercase(),
                    how,
                });
            }
        }
        Ok(Self { terms })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: &[&str] = &["run", "owner"];

    fn terms(text: &str) -> Vec<(Option<&'static str>, String, How)> {
        let filter = Filter::parse(text, FIELDS).expect("a filter");
        let parts = |term: Term| (term.field, term.text, term.how);
        filter.terms.into_iter().map(parts).collect()
    }

    #[test]
    fn each_word_is_a_term() {
        let term = |field, text: &str, how| (field, text.to_owned(), how);
        for (text, expected) in [
            ("", vec![]),
            ("   ", vec![]),
            ("Pub-1", vec![term(None, "pub-1", How::Has)]),
            (
                "  a   !b ~c ",
                vec![
                    term(None, "a", How::Has),
                    term(None, "b", How::Lacks),
                    term(None, "c", How::Fuzzy),
                ],
            ),
            ("owner:LEE", vec![term(Some("owner"), "lee", How::Has)]),
            ("!owner:lee", vec![term(Some("owner"), "lee", How::Lacks)]),
            ("~run:pb1", vec![term(Some("run"), "pb1", How::Fuzzy)]),
            // Only the first colon and the first sign mean something.
            ("run:a:b", vec![term(Some("run"), "a:b", How::Has)]),
            ("!~a", vec![term(None, "~a", How::Lacks)]),
            ("a!b~c", vec![term(None, "a!b~c", How::Has)]),
            ("run:!a", vec![term(Some("run"), "!a", How::Has)]),
            // Nothing to look for yet, while it is typed.
            ("! ~ owner: !run:", vec![]),
            ("%_\\'\"", vec![term(None, "%_\\'\"", How::Has)]),
            ("\u{c4}R", vec![term(None, "\u{c4}r", How::Has)]),
        ] {
            assert_eq!(terms(text), expected, "{text:?}");
        }
    }

    #[test]
    fn what_cannot_be_looked_for_is_refused() {
        let refusal = Filter::parse("a who:lee", FIELDS).expect_err("no such field");
        assert_eq!(refusal.sentence, "\"who\" is no field of this list");
        assert_eq!(refusal.hint, "one of: run, owner");
        let (longest, longer) = ("x".repeat(AT_MOST), "x".repeat(AT_MOST + 1));
        assert_eq!(terms(&longest).len(), 1);
        for bad in [":a", "Owner:lee", "a\0b", "a\nb", &longer] {
            assert!(Filter::parse(bad, FIELDS).is_err(), "{bad:?} was taken");
        }
    }
}
