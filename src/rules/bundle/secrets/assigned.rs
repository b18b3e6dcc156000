//! Secrets that are known by the name that they are assigned to.

use regex::bytes::Captures;

use super::forms::part;
use super::{Form, is_placeholder};

/// The fewest characters of a value that only chance could have made.
const FEWEST_OF_CHANCE: usize = 16;

/// The least bits a character of such a value.
const LEAST_BITS: f64 = 3.0;

/// Assignments to names that speak of a password or of another secret.
pub(super) const FORMS: &[Form] = &[
    Form {
        what: "a password",
        pattern: r#"(?i-u)([a-z0-9_.-]*(?:passw(?:or)?d|passphrase|passwort|pwd)[a-z0-9_.-]*)["'`]?(\s?)(:=|=>|==|=|:)([ \t]*)(?:"((?:[^"\\\n]|\\.)*)"|'((?:[^'\n]|'')*)'|([^\s"',;&\])}]+))"#,
        is_one: is_password,
    },
    Form {
        what: "a secret value",
        pattern: r#"(?i-u)([a-z0-9_.-]*(?:secret|token|api[_-]?key|access[_-]?key|private[_-]?key|account[_-]?key|signing[_-]?key|encryption[_-]?key|credential)[a-z0-9_.-]*)["'`]?(\s?)(:=|=>|=|:)([ \t]*)(?:"((?:[^"\\\n]|\\.)*)"|'((?:[^'\n]|'')*)'|([^\s"',;&\])}]+))"#,
        is_one: is_secret,
    },
];

/// How names end that hold something about a secret and not the secret.
const HARMLESS_ENDINGS: &[&str] = &[
    "ref", "refs", "_name", "_names", "_id", "_ids", "hash", "digest", "sha256", "_path", "_file",
    "_type", "_count", "_column", "_columns", "_field", "_policy", "_length", "_at", "_version",
    "_url", "_uri", "_index", "_table",
];

/// Words that a line ends with which speaks of a password and tells none.
const HARMLESS_WORDS: &[&str] = &[
    "required",
    "optional",
    "unchanged",
    "changed",
    "rotated",
    "renamed",
    "removed",
    "dropped",
    "added",
    "text",
    "string",
    "varchar",
    "char",
    "bytea",
    "bytes",
    "hashed",
    "encrypted",
    "nullable",
    "column",
    "field",
    "yes",
    "no",
    "see",
    "below",
    "above",
    "vault",
    "reset",
    "expired",
    "varchar(255)",
];

fn is_harmless_name(name: &[u8]) -> bool {
    let name = name.to_ascii_lowercase();
    HARMLESS_ENDINGS
        .iter()
        .any(|ending| name.ends_with(ending.as_bytes()))
}

fn is_harmless_word(value: &[u8]) -> bool {
    let value = value.to_ascii_lowercase();
    HARMLESS_WORDS.iter().any(|word| word.as_bytes() == value)
}

/// Tells whether a value is the name of a column, with or without its table.
fn is_identifier(value: &[u8]) -> bool {
    let mut steps = value.split(|byte| *byte == b'.');
    steps.all(|step| {
        let begins = step
            .first()
            .is_some_and(|first| first.is_ascii_alphabetic() || *first == b'_');
        begins
            && step
                .iter()
                .all(|byte| byte.is_ascii_alphabetic() || *byte == b'_')
    })
}

fn speaks_of_a_password(value: &[u8]) -> bool {
    let value = value.to_ascii_lowercase();
    let words: [&[u8]; 3] = [b"password", b"passwd", b"pwd"];
    words
        .iter()
        .any(|word| value.windows(word.len()).any(|window| window == *word))
}

/// Tells whether a shell says in which folder it is.
fn is_folder(name: &[u8], value: &[u8]) -> bool {
    matches!(name, b"PWD" | b"OLDPWD") && value.starts_with(b"/")
}

fn is_password(captures: &Captures<'_>, bytes: &[u8]) -> bool {
    let (name, sign) = (part(captures, 1), part(captures, 3));
    let quoted = captures.get(5).or_else(|| captures.get(6));
    let value = quoted.map_or_else(|| part(captures, 7), |value| value.as_bytes());
    if is_harmless_name(name) || is_placeholder(value) || is_folder(name, value) || value.len() < 2
    {
        return false;
    }
    let is_spaced = !part(captures, 4).is_empty();
    // A colon before a quote, and a blank before that, is a variable of psql.
    if sign == b":" && !is_spaced && !part(captures, 2).is_empty() {
        return false;
    }
    if sign == b":" {
        return match quoted {
            // Three words are prose, but where a phrase is what is asked for.
            Some(_) => {
                let words = value
                    .split(|byte| *byte == b' ')
                    .filter(|word| !word.is_empty());
                let is_phrase = name.to_ascii_lowercase().ends_with(b"passphrase");
                (is_phrase || words.count() < 3) && !is_harmless_word(value)
            }
            None => is_spaced && is_whole_line(captures, bytes) && !is_harmless_word(value),
        };
    }
    if quoted.is_some() {
        return true;
    }
    let is_call = value.contains(&b'(');
    if sign == b"==" || is_call || is_harmless_word(value) {
        return false;
    }
    // With a blank before it, a bare name is a column.
    if is_spaced || !part(captures, 2).is_empty() {
        return !is_identifier(value);
    }
    let is_column = value.contains(&b'.') && is_identifier(value) && speaks_of_a_password(value);
    !is_column
}

/// Tells whether a line holds nothing but a name and its value.
///
/// It looks only as far as there are blanks, so that a long line costs no more than a short one.
fn is_whole_line(captures: &Captures<'_>, bytes: &[u8]) -> bool {
    let Some(whole) = captures.get(0) else {
        return true;
    };
    let before = bytes[..whole.start()].iter().rev();
    let mut before = before.skip_while(|byte| b" \t-{\"'`*|>".contains(byte));
    let after = bytes[whole.end()..].iter();
    let mut after = after.skip_while(|byte| b" \t\r".contains(byte));
    let begins = before.next().is_none_or(|byte| *byte == b'\n');
    begins && after.next().is_none_or(|byte| b"\n#,}|`".contains(byte))
}

fn is_secret(captures: &Captures<'_>, _: &[u8]) -> bool {
    let quoted = captures.get(5).or_else(|| captures.get(6));
    let value = quoted.map_or_else(|| part(captures, 7), |value| value.as_bytes());
    !is_harmless_name(part(captures, 1)) && !is_placeholder(value) && is_of_chance(value)
}

/// Tells whether a value looks as if chance had made it, and not a person who names something.
fn is_of_chance(value: &[u8]) -> bool {
    let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=_.~-".contains(byte);
    if value.len() < FEWEST_OF_CHANCE || !value.iter().all(is_token) {
        return false;
    }
    let has_digit = value.iter().any(u8::is_ascii_digit);
    let has_letter = value.iter().any(u8::is_ascii_alphabetic);
    let is_word = |step: &[u8]| {
        step.iter().all(u8::is_ascii_alphabetic)
            || (step.len() <= 4 && step.iter().all(u8::is_ascii_alphanumeric))
    };
    let is_name = value.split(|byte| b"_.-/".contains(byte)).all(is_word);
    has_digit && has_letter && !is_name && bits_a_character(value) >= LEAST_BITS
}

/// Measures the entropy of a text in bits a character.
fn bits_a_character(value: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in value {
        counts[usize::from(*byte)] += 1;
    }
    let Ok(length) = u32::try_from(value.len()) else {
        return 0.0;
    };
    let share = |count: &u32| {
        let share = f64::from(*count) / f64::from(length);
        -share * share.log2()
    };
    counts.iter().filter(|count| **count > 0).map(share).sum()
}
