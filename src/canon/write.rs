//! The one-pass canonical writer: tokens in, RFC 8785 bytes out, no tree in between.
//!
//! Members are written in the order they come. Only an object whose keys came out of order is
//! rearranged afterwards, by moving its finished members. Of the many members of a large object
//! no more is kept meanwhile than where each starts.

#![expect(
    clippy::inline_always,
    reason = "most tokens are so short that a call costs as much as the work: measured"
)]

use std::borrow::Cow;
use std::cmp::Ordering;
use std::ops::Range;

use super::error::{Reason, duplicate_key};
use super::rearrange::{Rearrangement, Written, name_order, refuse_member, utf16_order};
use super::scan::{Scan, Scanner, Start, Text};
use super::spelling::Spelling;
use super::string::write_text;
use super::template::Habit;

/// The longest token that is copied with a fixed length.
pub(super) const SHORT_TOKEN: usize = 32;

/// The longest finished member that is moved with a fixed length.
const SHORT_MEMBER: usize = 64;

/// The most members whose order is worth keeping for the next object like it.
const LONGEST_KEPT_ORDER: usize = 64;

/// The longest object that is rearranged while the input is still held, since that takes a copy.
const LONGEST_REARRANGED_AT_ONCE: usize = 1 << 20;

/// Holds the output so far and what is known of the objects still open.
#[derive(Debug, Default)]
pub(super) struct Writer<'a> {
    pub(super) out: Vec<u8>,
    /// The first members of each open object.
    members: Vec<Member<'a>>,
    scratch: Vec<u8>,
    /// The last order found for each number of members: objects of one text resemble each other.
    orders: Vec<Vec<usize>>,
    /// The long objects still to be rearranged, inner ones first.
    later: Vec<Rearrangement>,
    /// Whether numbers are still to be spelt out.
    spelling: Spelling,
    /// What objects in arrays were like, for each depth.
    pub(super) habits: Vec<Habit<'a>>,
}

/// Remembers a written member of an open object.
#[derive(Debug)]
struct Member<'a> {
    name: Cow<'a, str>,
    at: usize,
    /// Where its comma is written; it ends where the next member begins.
    start: usize,
}

/// Tells whether the keys of an object came in canonical order.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keys {
    Ascending,
    Jumbled,
}

impl<'a> Writer<'a> {
    /// Starts with room for the usual case, in which the output is no longer than the input.
    ///
    /// Copies of fixed length may overshoot it for a moment.
    pub(super) fn with_room(bytes: usize) -> Self {
        Self {
            out: Vec::with_capacity(bytes + SHORT_MEMBER),
            ..Self::default()
        }
    }

    /// Ends the writing.
    pub(super) fn finish(self) -> Written {
        Written::new(self.out, self.later, self.spelling)
    }

    /// Writes a comma.
    pub(super) fn comma(&mut self) {
        self.out.push(b',');
    }

    /// Tells how many bytes are written.
    pub(super) fn written(&self) -> usize {
        self.out.len()
    }

    /// Writes the value that comes next; only one that nests costs a call.
    #[inline(always)]
    pub(super) fn value(&mut self, scanner: &mut Scanner<'a>) -> Scan<()> {
        if let Some(piece) = scanner.verbatim() {
            append::<SHORT_TOKEN>(&mut self.out, scanner.text().as_bytes(), piece);
            return Ok(());
        }
        match scanner.peek()? {
            Start::String => self.string(&scanner.unescape()?),
            Start::Number => {
                if scanner.number()?.write(&mut self.out) == Spelling::Short {
                    self.spelling = Spelling::Short;
                }
            }
            Start::Array => self.array(scanner)?,
            _ => self.plain_object(scanner)?,
        }
        Ok(())
    }

    fn plain_object(&mut self, scanner: &mut Scanner<'a>) -> Scan<()> {
        self.object(scanner, |_, _| Ok(()))
    }

    fn array(&mut self, scanner: &mut Scanner<'a>) -> Scan<()> {
        let start = self.out.len();
        scanner.elements(|scanner| {
            self.out.push(b',');
            match scanner.peek()? {
                Start::Object => self.element(scanner, |_, _| Ok(())),
                _ => self.value(scanner),
            }
        })?;
        self.enclose(start, [b'[', b']']);
        Ok(())
    }

    /// Writes the object that comes next; `look` sees each key before its value is taken.
    #[inline]
    pub(super) fn object<F>(&mut self, scanner: &mut Scanner<'a>, mut look: F) -> Scan<()>
    where
        F: FnMut(&mut Scanner<'a>, &str) -> Scan<()>,
    {
        let (at, start) = (scanner.at(), self.out.len());
        let base = self.members.len();
        let mut more = Vec::new();
        let mut keys = Keys::Ascending;
        scanner.members(|scanner, key| {
            look(scanner, &key.text)?;
            let start = self.out.len();
            let is_further = self.members.len() - base == LONGEST_KEPT_ORDER;
            if !is_further
                && keys == Keys::Ascending
                && let Some(previous) = self.members[base..].last()
                && utf16_order(&previous.name, &key.text) != Ordering::Less
            {
                keys = Keys::Jumbled;
            }
            self.open_member(scanner, &key);
            let Text { text: name, at } = key;
            if !is_further {
                self.members.push(Member { name, at, start });
            } else if self.note_further(scanner, at, start, &mut more)? == Keys::Jumbled {
                keys = Keys::Jumbled;
            }
            self.value(scanner)
        })?;
        if keys == Keys::Jumbled {
            self.rearrange(scanner, at, start, base, more)?;
        }
        self.members.truncate(base);
        self.enclose(start, [b'{', b'}']);
        Ok(())
    }

    /// Puts brackets around parts that were each written after a comma of their own.
    ///
    /// The first comma makes way for the opening bracket; so parts can be moved, comma and all.
    #[inline]
    fn enclose(&mut self, start: usize, [open, close]: [u8; 2]) {
        match self.out.get_mut(start) {
            Some(first_comma) => *first_comma = open,
            None => self.out.push(open),
        }
        self.out.push(close);
    }

    /// Writes a comma, the key and a colon.
    #[inline(always)]
    fn open_member(&mut self, scanner: &Scanner<'a>, key: &Text<'a>) {
        let start = self.out.len();
        match &key.text {
            // Borrowed from the input means: nothing in it was or needs to be escaped. It comes in
            // one piece with a byte on either side, for the comma and the colon.
            Cow::Borrowed(plain) => {
                let piece = key.at - 1..key.at + plain.len() + 3;
                append::<SHORT_TOKEN>(&mut self.out, scanner.text().as_bytes(), piece);
                self.out[start] = b',';
            }
            Cow::Owned(text) => {
                self.out.push(b',');
                self.string(text);
                self.out.push(b' ');
            }
        }
        if let Some(last) = self.out.last_mut() {
            *last = b':';
        }
    }

    /// Notes the member opened last in an object that has many, and says how it follows the one before.
    #[inline(never)]
    fn note_further(
        &self,
        scanner: &Scanner<'a>,
        at: usize,
        start: usize,
        more: &mut Vec<u32>,
    ) -> Scan<Keys> {
        let start = narrow(scanner, at, start)?;
        let previous = match (more.last(), self.members.last()) {
            (None, Some(member)) => narrow(scanner, at, member.start)?,
            (previous, _) => previous.copied().unwrap_or(start),
        };
        more.push(start);
        Ok(match name_order(&self.out, previous, start) {
            Ordering::Less => Keys::Ascending,
            _ => Keys::Jumbled,
        })
    }

    /// Writes a string in quotes.
    #[cold]
    fn string(&mut self, text: &str) {
        write_text(text, &mut self.out);
    }

    /// Puts the members of the object just written into order, or sees to it that it is done later.
    fn rearrange(
        &mut self,
        scanner: &Scanner<'a>,
        at: usize,
        start: usize,
        base: usize,
        more: Vec<u32>,
    ) -> Scan<()> {
        let is_long = self.out.len() - start > LONGEST_REARRANGED_AT_ONCE;
        if more.is_empty() && !is_long {
            return self.rearrange_few(scanner, start, base);
        }
        let mut members = more;
        for member in &self.members[base..] {
            members.push(narrow(scanner, at, member.start)?);
        }
        members.sort_unstable_by(|&a, &b| name_order(&self.out, a, b).then(a.cmp(&b)));
        let repeated = members
            .windows(2)
            .filter(|pair| name_order(&self.out, pair[0], pair[1]).is_eq());
        if let Some(second) = repeated.map(|pair| pair[1]).min() {
            let before = members.iter().filter(|&&member| member < second).count();
            return Err(refuse_member(scanner.back_at(at), before));
        }
        let rearrangement = Rearrangement::new(&mut self.out, start, members);
        if is_long {
            self.later.push(rearrangement);
        } else {
            rearrangement.apply(&mut self.out, &mut self.scratch);
        }
        Ok(())
    }

    fn rearrange_few(&mut self, scanner: &Scanner<'a>, start: usize, base: usize) -> Scan<()> {
        let members = &self.members[base..];
        if self.orders.len() <= members.len() {
            self.orders.resize_with(members.len() + 1, Vec::new);
        }
        let order = &mut self.orders[members.len()];
        if !is_ascending(members, order) {
            order.clear();
            order.extend(0..members.len());
            order.sort_unstable_by(|&a, &b| {
                utf16_order(&members[a].name, &members[b].name).then(a.cmp(&b))
            });
            let repeated = order
                .windows(2)
                .filter(|pair| members[pair[0]].name == members[pair[1]].name);
            if let Some(second) = repeated.map(|pair| pair[1]).min() {
                let member = &members[second];
                return Err(duplicate_key(scanner, &member.name, member.at));
            }
        }
        self.scratch.clear();
        self.scratch.extend_from_slice(&self.out[start..]);
        self.out.truncate(start);
        for &member in &*order {
            let end = members
                .get(member + 1)
                .map_or(self.scratch.len(), |next| next.start - start);
            let piece = members[member].start - start..end;
            append::<SHORT_MEMBER>(&mut self.out, &self.scratch, piece);
        }
        Ok(())
    }
}

/// Narrows where a member starts, to fit the lists of large objects.
fn narrow(scanner: &Scanner<'_>, at: usize, start: usize) -> Scan<u32> {
    u32::try_from(start).map_err(|_| {
        let what = "an object beyond 4 GiB in canonical form";
        scanner.refusal(at, Reason::Malformed, what)
    })
}

/// Tells whether an order, kept from an earlier object, puts these members into strict order too.
fn is_ascending(members: &[Member<'_>], order: &[usize]) -> bool {
    let names = order.iter().map(|&member| &*members[member].name);
    order.len() == members.len() && names.is_sorted_by(|a, b| utf16_order(a, b).is_lt())
}

/// Appends a piece of a longer text.
///
/// Most pieces are short, and a copy of fixed length costs less than a call that first has to look
/// at the length; so `SHORT` bytes are copied if that is enough, then what is too much is cut off.
#[inline(always)]
pub(super) fn append<const SHORT: usize>(out: &mut Vec<u8>, text: &[u8], piece: Range<usize>) {
    let end = out.len() + (piece.end - piece.start);
    match text[piece.start..].first_chunk::<SHORT>() {
        Some(chunk) if piece.end - piece.start <= SHORT => {
            out.extend_from_slice(chunk);
            out.truncate(end);
        }
        _ => append_long(out, &text[piece]),
    }
}

/// Stands apart, since the compiler would else make one copy of the two.
#[inline(never)]
fn append_long(out: &mut Vec<u8>, piece: &[u8]) {
    out.extend_from_slice(piece);
}

#[cfg(test)]
mod tests {

    fn written(json: &str) -> String {
        String::from_utf8(crate::canon::canonical(json).unwrap()).unwrap()
    }

    #[test]
    fn objects_are_rearranged_at_every_level() {
        let cases = [
            ("{}", "{}"),
            ("[ ]", "[]"),
            (r#"{"b":1,"a":2}"#, r#"{"a":2,"b":1}"#),
            (
                r#"{"b":{"d":[{"z":0,"y":{}}],"c":""},"a":[]}"#,
                r#"{"a":[],"b":{"c":"","d":[{"y":{},"z":0}]}}"#,
            ),
            (r#"{"ab":1,"a":2,"":3}"#, r#"{"":3,"a":2,"ab":1}"#),
            (
                r#"{"a":{"b":1,"a":2},"b":{"b":1,"a":2}}"#,
                r#"{"a":{"a":2,"b":1},"b":{"a":2,"b":1}}"#,
            ),
            ("[[],[[]],{},[{},{}]]", "[[],[[]],{},[{},{}]]"),
            ("\t[ null , true,\r\nfalse ] ", "[null,true,false]"),
        ];
        for (json, expected) in cases {
            assert_eq!(written(json), expected);
        }
    }

    #[test]
    fn strings_are_escaped_in_one_way_only() {
        let cases = [
            (r#""\u0041\/\u002f""#, r#""A//""#),
            (r#""\u0022\u005C\u005c""#, r#""\"\\\\""#),
            (r#""\u0008\u0009\u000a\u000C\u000D""#, r#""\b\t\n\f\r""#),
            (
                r#""\u0000\u000b\u000F\u0010\u001F""#,
                r#""\u0000\u000b\u000f\u0010\u001f""#,
            ),
            (
                r#""\u007f\u0080\u2028\ud83d\uDE00""#,
                "\"\u{7f}\u{80}\u{2028}😀\"",
            ),
            ("\"\u{7f}é€😀\u{ffff}\"", "\"\u{7f}é€😀\u{ffff}\""),
        ];
        for (json, expected) in cases {
            assert_eq!(written(json), expected);
        }
    }

    #[test]
    fn keys_beyond_the_bmp_come_before_the_end_of_it() {
        let json = "{\"\u{ffff}\":1,\"\u{e000}\":2,\"\u{10000}\":3,\"\u{10ffff}\":4,\"\u{d7ff}\":5,\"z\":6}";
        let expected = "{\"z\":6,\"\u{d7ff}\":5,\"\u{10000}\":3,\"\u{10ffff}\":4,\"\u{e000}\":2,\"\u{ffff}\":1}";
        assert_eq!(written(json), expected);
        let escaped =
            r#"{"\uffff":1,"\ue000":2,"\ud800\udc00":3,"\udbff\udfff":4,"\ud7ff":5,"\u007a":6}"#;
        assert_eq!(written(escaped), expected);
        assert_eq!(written(expected), expected);
    }
}
