//! Questions that people ask about a metric: each leads to the place in the partners' annex that answers it.

use super::words;
use super::{Condition, Refusal, text};

words! {
    /// Whether a question is shown.
    pub enum FaqStatus {
        /// It is.
        Active = "active",
        /// It was.
        Retired = "retired",
    }
}

/// The longest question and anchor.
const MOST_TEXT: usize = 500;

/// Checks the anchor of a section: what stands after `#` in a link.
pub fn anchor(text: &str) -> Result<&str, Refusal> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/#".contains(&byte);
    // What begins with a slash, or has two, leads to another host.
    let stays = !text.starts_with('/') && !text.contains("//");
    if (1..=MOST_TEXT).contains(&text.len()) && stays && text.bytes().all(plain) {
        return Ok(text);
    }
    Err(Refusal::new(
        "this is no anchor of a section",
        "use letters, digits and . _ - / #, as in annex.html#met-0144",
    ))
}

/// Checks a question: one line of plain text.
pub fn question(asked: &str) -> Result<&str, Refusal> {
    let asked = asked.trim();
    if asked.is_empty() || asked.len() > MOST_TEXT || asked.contains(text::is_hostile) {
        return Err(Refusal::new(
            "the question is empty, too long, or holds what cannot be shown",
            format!("ask in one line of at most {MOST_TEXT} characters"),
        ));
    }
    Ok(asked)
}

/// States that the metric which a question is about is in the dictionary.
#[must_use]
pub fn metric_is_there(metric_id: &str, is_there: bool) -> Condition {
    Condition::holds(
        "metric",
        is_there,
        "analytics_owner",
        if is_there {
            format!("{metric_id} is in the dictionary")
        } else {
            format!("{metric_id} is not in the dictionary")
        },
        "ask about a metric of the dictionary: govdeck dictionary show",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_anchor_is_part_of_a_link_and_nothing_else() {
        for good in ["met-0144", "annex.html#met-0144", "a/b#c"] {
            assert_eq!(anchor(good).ok(), Some(good));
        }
        for bad in [
            "",
            "a b",
            "javascript:alert(1)",
            "\"onclick=",
            "<a>",
            "é",
            "//evil.example/annex",
            "/annex",
            "a//b",
        ] {
            assert!(anchor(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_question_is_one_plain_line() {
        assert_eq!(question(" Why 94 %? ").ok(), Some("Why 94 %?"));
        for bad in ["", "  ", "a\nb", "a\u{202e}b", &"x".repeat(501)] {
            assert!(question(bad).is_err(), "{bad:?}");
        }
    }
}
