//! One JSON object whose members are known by name: no other, none twice.

use super::fault::quoted;
use crate::canon::scan::{Scan, Scanner, Start};
use crate::canon::{Integers, JsonError, Reason};

/// Reads an object; each member's value is to be peeked at and taken.
pub(super) fn read_object<'a, F>(
    bytes: &'a [u8],
    names: &[&str],
    mut each: F,
) -> Result<(), JsonError>
where
    F: FnMut(&mut Scanner<'a>, usize) -> Scan<()>,
{
    let mut scanner = Scanner::new(bytes, Integers::AsDouble)?;
    members_of(&mut scanner, names, &mut each)?;
    scanner.finish()?;
    Ok(())
}

/// Reads the object that comes next in the same way.
pub(in crate::rules) fn members_of<'a, F>(
    scanner: &mut Scanner<'a>,
    names: &[&str],
    mut each: F,
) -> Scan<()>
where
    F: FnMut(&mut Scanner<'a>, usize) -> Scan<()>,
{
    let at = scanner.at();
    if scanner.peek()? != Start::Object {
        return Err(scanner.refusal(at, Reason::Malformed, "expected an object"));
    }
    let mut seen = 0_u32;
    scanner.members(|scanner, key| {
        let Some(place) = names.iter().position(|name| *name == key.text) else {
            let what = format!("an unknown field {}", quoted(&key.text));
            return Err(scanner.refusal(key.at, Reason::Malformed, what));
        };
        if seen & (1 << place) != 0 {
            let what = format!("duplicate key {}", quoted(&key.text));
            return Err(scanner.refusal(key.at, Reason::DuplicateKey, what));
        }
        seen |= 1 << place;
        each(scanner, place)
    })
}

/// Takes a text, or a `null`, which says nothing.
pub(super) fn text_or_null(scanner: &mut Scanner<'_>, name: &str) -> Scan<Option<String>> {
    match scanner.peek()? {
        Start::String => Ok(Some(scanner.string()?.text.into_owned())),
        Start::Null => {
            scanner.word(Start::Null);
            Ok(None)
        }
        _ => {
            let what = format!("{name} is no text");
            Err(scanner.refusal(scanner.at(), Reason::Malformed, what))
        }
    }
}
