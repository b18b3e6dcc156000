//! What looks like a secret in a file: keys and tokens by their form, passwords by what stands around them.
//!
//! A finding never repeats the secret. Names of secrets, references, digests, placeholders and prose are none.

mod assigned;
mod forms;
#[cfg(test)]
mod tests;

use std::ops::Range;
use std::sync::LazyLock;

use regex::bytes::{Captures, Regex};

use super::Place;
use super::yaml::place_of;

/// How many secrets of one file are told.
const MOST_HITS: usize = 10;

/// Something that looks like a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// Where it begins; unknown where it was found behind escapes or in another encoding.
    pub place: Option<Place>,
    /// What it looks like.
    pub what: &'static str,
}

/// A way to see a secret; the function has the last word.
struct Form {
    what: &'static str,
    pattern: &'static str,
    is_one: fn(&Captures<'_>, &[u8]) -> bool,
}

/// Looks for secrets in the bytes of a file, also behind escapes and in wider encodings.
#[must_use]
pub fn scan(bytes: &[u8]) -> Vec<Hit> {
    let mut hits: Vec<_> = found_in(bytes)
        .into_iter()
        .map(|(range, what)| Hit {
            place: Some(place_of(bytes, range.start)),
            what,
        })
        .collect();
    for disguised in [narrowed(bytes), unescaped(bytes)].into_iter().flatten() {
        for (_, what) in found_in(&disguised) {
            if hits.iter().all(|hit| hit.what != what) {
                hits.push(Hit { place: None, what });
            }
        }
    }
    hits.truncate(MOST_HITS);
    hits
}

fn found_in(bytes: &[u8]) -> Vec<(Range<usize>, &'static str)> {
    static ALL: LazyLock<Option<Vec<(&'static Form, Regex)>>> = LazyLock::new(|| {
        let forms = forms::FORMS.iter().chain(assigned::FORMS);
        let compile = |form: &'static Form| Some((form, Regex::new(form.pattern).ok()?));
        forms.map(compile).collect()
    });
    let Some(all) = ALL.as_ref() else {
        // A scanner that cannot look finds something in every file.
        return vec![(0..0, "something that cannot be looked at")];
    };
    let mut found: Vec<(Range<usize>, &'static str)> = Vec::new();
    for (form, pattern) in all {
        let mut at = 0;
        let mut of_this_form = 0;
        while of_this_form < MOST_HITS
            && let Some(captures) = pattern.captures_at(bytes, at)
        {
            let Some(whole) = captures.get(0) else { break };
            at = whole.end().max(whole.start() + 1);
            let range = whole.range();
            let is_known = found
                .iter()
                .any(|(other, _)| other.start < range.end && range.start < other.end);
            if !is_known && (form.is_one)(&captures, bytes) {
                found.push((range, form.what));
                of_this_form += 1;
            }
            if at > bytes.len() {
                break;
            }
        }
    }
    found.sort_by_key(|(range, _)| range.start);
    found
}

/// Takes the zero bytes out of a text of two or four bytes a character.
fn narrowed(bytes: &[u8]) -> Option<Vec<u8>> {
    let is_wide = bytes.contains(&0);
    is_wide.then(|| bytes.iter().copied().filter(|byte| *byte != 0).collect())
}

/// Resolves the escapes of JSON, YAML and SQL that stand for characters of ASCII.
fn unescaped(bytes: &[u8]) -> Option<Vec<u8>> {
    if !bytes.contains(&b'\\') {
        return None;
    }
    let mut text = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let hex = |from: usize, to: usize| {
            let digits = std::str::from_utf8(rest.get(from..to)?).ok()?;
            let code = u32::from_str_radix(digits, 16).ok()?;
            u8::try_from(code).ok().filter(u8::is_ascii)
        };
        let (byte, length) = match rest {
            [b'\\', b'/', ..] => (b'/', 2),
            [b'\\', b'u', ..] => hex(2, 6).map_or((b'\\', 1), |byte| (byte, 6)),
            [b'\\', b'U', ..] => hex(2, 10).map_or((b'\\', 1), |byte| (byte, 10)),
            [b'\\', b'x', ..] => hex(2, 4).map_or((b'\\', 1), |byte| (byte, 4)),
            _ => (rest[0], 1),
        };
        text.push(byte);
        at += length;
    }
    (text != bytes).then_some(text)
}

/// Tells whether a value only stands for another one.
fn is_placeholder(value: &[u8]) -> bool {
    let value = value.trim_ascii();
    let (Some(first), Some(last)) = (value.first(), value.last()) else {
        return true;
    };
    let is_variable = match first {
        b'$' | b':' | b'@' | b'&' => value.len() > 1 || *first == b'$',
        b'?' => value.len() == 1,
        b'%' => value.len() > 1,
        b'{' | b'<' | b'[' | b'(' => true,
        _ => false,
    };
    let is_blotted =
        value.iter().all(|byte| b"*.xX_-#".contains(byte)) || value.starts_with("…".as_bytes());
    let is_reference =
        value.starts_with(b"sha256:") || value.starts_with(b"vault:") || value.starts_with(b"env:");
    let lower = value.to_ascii_lowercase();
    let is_word = BLANK_WORDS.iter().any(|word| word.as_bytes() == lower);
    is_variable
        || is_blotted
        || is_reference
        || is_word
        || (*first == b'`' && *last == b'`' && value.len() < 3)
}

/// Words that say that there is no value here.
const BLANK_WORDS: &[&str] = &[
    "redacted", "masked", "hidden", "removed", "withheld", "omitted", "none", "null", "nil",
    "true", "false", "unset", "empty", "default",
];
