//! What a run may be called when it is minted.

use super::{Refusal, text};

/// How long a name may be, in characters.
const MOST_CHARACTERS: usize = 200;

/// Checks a name that a pipeline gives: of a run, a freeze, a footer.
pub fn check_name(what: &str, name: &str) -> Result<(), Refusal> {
    let is_plain = !name.chars().any(|c| c.is_control() || text::is_hostile(c));
    let fits = (1..=MOST_CHARACTERS).contains(&name.chars().count());
    if is_plain && fits && name.trim() == name {
        return Ok(());
    }
    Err(Refusal::new(
        format!("{what} {:?} is no name", text::shorten(name, 40)),
        format!("give 1 to {MOST_CHARACTERS} visible characters, without blanks around them"),
    ))
}

/// Checks where a run would be published: a dashboard and its audience.
pub fn check_scope(scope: &str) -> Result<(), Refusal> {
    check_name("the scope", scope)?;
    let parts: Vec<_> = scope.split('/').collect();
    match parts[..] {
        [dashboard, audience] if !dashboard.is_empty() && !audience.is_empty() => Ok(()),
        _ => Err(Refusal::new(
            format!(
                "the scope {:?} is not DASHBOARD/AUDIENCE",
                text::shorten(scope, 40)
            ),
            "name both, with one slash between them: sla/partners",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_visible_and_scopes_have_two_parts() {
        for good in ["pub-7", "ünï", "2026-W20 a", &"x".repeat(200)] {
            assert_eq!(check_name("the run", good), Ok(()), "{good}");
        }
        for bad in ["", " a", "a\n", "a\u{202e}b", "\u{1b}[2J", &"x".repeat(201)] {
            assert!(check_name("the run", bad).is_err(), "{bad:?}");
            assert!(check_scope(bad).is_err(), "{bad:?}");
        }
        assert_eq!(check_scope("sla/partners"), Ok(()));
        for bad in ["sla", "/partners", "sla/", "a/b/c", "/"] {
            assert!(check_scope(bad).is_err(), "{bad:?}");
        }
    }
}
