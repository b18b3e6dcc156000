//! What is said where the command line makes no sense.

use super::page::{Exit, Failure};

/// Says what is wrong with the command line, without repeating an address that may hold a password.
pub(super) fn said(error: &clap::Error) -> Failure {
    let mut text = error.render().to_string();
    for word in std::env::args_os().filter_map(|word| word.into_string().ok()) {
        if word.contains("://") || word.contains('@') || word.to_lowercase().contains("password") {
            text = text.replace(&word, "(not shown)");
        }
    }
    let mut parts = text
        .split("\n\n")
        .map(|part| part.split_whitespace().collect::<Vec<_>>().join(" "));
    let sentence = parts.next().unwrap_or_default();
    let hint = parts
        .find(|part| part.starts_with("Usage:"))
        .unwrap_or_default();
    let hint = if hint.is_empty() {
        "`govdeck --help` lists the verbs".to_owned()
    } else {
        hint
    };
    Failure::new(
        Exit::BadInput,
        sentence.strip_prefix("error: ").unwrap_or(&sentence),
        hint,
    )
}
