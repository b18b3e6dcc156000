//! Looks into the bodies of DO blocks and functions, and into the strings that these execute.

use super::super::tokens::{Dialect, Kind, Token, tokens};
use super::{Refused, by_noun, hidden, of_catalogue, of_psql, refused};

/// Words after which a statement begins in a plpgsql body.
const OPENERS: &[&str] = &["begin", "then", "else", "loop"];
/// What must not begin a statement in a body, with the words that must follow it, if any.
const IN_BODIES: &[(&str, &[&str])] = &[
    ("commit", &[]),
    ("rollback", &[]),
    ("abort", &[]),
    ("savepoint", &[]),
    ("release", &[]),
    ("copy", &[]),
    ("load", &[]),
    ("start", &["transaction"]),
    ("prepare", &["transaction"]),
    ("begin", &["transaction", "work", "isolation"]),
    ("vacuum", &[]),
    ("checkpoint", &[]),
    ("listen", &[]),
    ("unlisten", &[]),
    ("notify", &[]),
    ("reset", &[]),
    ("discard", &[]),
    ("attach", &[]),
    ("detach", &[]),
    ("pragma", &[]),
];

/// Looks into the bodies of DO blocks and functions.
pub(super) fn in_bodies(words: &[Token<'_>]) -> Vec<Refused> {
    let holds_body = words.first().is_some_and(|first| first.is("do"))
        || (words.first().is_some_and(|first| first.is("create"))
            && words
                .iter()
                .take(5)
                .any(|token| token.is("function") || token.is("procedure")));
    if !holds_body {
        return Vec::new();
    }
    let bodies = words
        .iter()
        .filter(|token| matches!(token.kind, Kind::Dollar | Kind::Text));
    bodies.flat_map(|body| in_body(body, Depth::Body)).collect()
}

/// How deep a text lies: a body, or a string that a body executes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Depth {
    Body,
    Executed(u8),
}

const DEEPEST: u8 = 8;

/// Looks into one body; everything found is said to stand where the body begins.
fn in_body(body: &Token<'_>, depth: Depth) -> Vec<Refused> {
    let text = body.content();
    let here = |what: String| (body.at, what);
    let Ok(all) = tokens(&text, Dialect::Postgres) else {
        // A string that is no SQL, such as a default or a message, is none; a body has to be read.
        let unread = depth == Depth::Body && body.kind == Kind::Dollar;
        let what = "the body cannot be read as SQL".to_owned();
        return if unread { vec![here(what)] } else { Vec::new() };
    };
    let words: Vec<Token<'_>> = all
        .iter()
        .filter(|token| token.kind != Kind::Blank)
        .copied()
        .collect();
    let mut found: Vec<Refused> = hidden(&words)
        .into_iter()
        .map(|(_, what)| here(what))
        .collect();
    found.extend(
        of_psql(&all)
            .into_iter()
            .filter(|(at, _)| text[*at..].starts_with('&'))
            .map(|(_, what)| here(what)),
    );
    let deeper = match depth {
        Depth::Body => 1,
        Depth::Executed(deep) => deep + 1,
    };
    let (mut starts, mut executes) = (true, false);
    for (at, token) in words.iter().enumerate() {
        if starts {
            found.extend(begins_badly(&words[at..], depth).map(here));
            executes = token.is("do") || token.is("create");
        }
        executes |= token.is("execute");
        if executes && matches!(token.kind, Kind::Text | Kind::Dollar) {
            if token.spells_by_numbers() || deeper > DEEPEST {
                found.push(here(
                    "a string that is executed cannot be read; write it out".to_owned(),
                ));
            } else {
                let inner = in_body(token, Depth::Executed(deeper));
                found.extend(inner.into_iter().map(|(_, what)| here(what)));
            }
        }
        starts = token.is_sign(";")
            || (depth == Depth::Body && OPENERS.iter().any(|word| token.is(word)));
    }
    found
}

fn begins_badly(words: &[Token<'_>], depth: Depth) -> Option<String> {
    let first = words.first()?;
    let second = words.get(1);
    let is_bad = |(word, follow): &(&str, &[&str])| {
        first.is(word)
            && (follow.is_empty()
                || second.is_some_and(|next| follow.iter().any(|word| next.is(word))))
    };
    // `commit := 1` and `commit.x` are a variable's.
    let is_variable =
        second.is_some_and(|next| next.is_sign(":") || next.is_sign("=") || next.is_sign("."));
    if !is_variable && IN_BODIES.iter().any(is_bad) {
        return Some(refused(first, "the runner keeps this to itself, also in a body").1);
    }
    if depth != Depth::Body && (first.is("begin") || first.is("end")) {
        return Some(
            refused(
                first,
                "the runner holds the transaction, also in a string that is executed",
            )
            .1,
        );
    }
    let words = statement(words);
    let refusal = by_noun(words).or_else(|| of_catalogue(words));
    refusal.map(|(_, what)| what)
}

/// Cuts what belongs to the first statement.
fn statement<'t, 'a>(words: &'t [Token<'a>]) -> &'t [Token<'a>] {
    let end = words.iter().position(|token| token.is_sign(";"));
    &words[..end.unwrap_or(words.len())]
}
