//! The strict subset of YAML that declarations are written in, read event by event.
//!
//! What two readers could understand differently is refused: equal keys, anchors, aliases, merge keys, tags, directives,
//! several documents, other encodings. A scalar without quotes that any version of YAML takes for something else than a
//! text is no text here.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use granit_parser::{Event, Parser, ScalarStyle, ScanError, Span};
use regex::bytes::Regex;
use serde_json::{Map, Number, Value};

use super::Place;
use super::shown::quoted;

/// How many collections may stand inside each other.
const MOST_DEPTH: usize = 16;

/// How many values a document may have.
const MOST_NODES: usize = 10_000;

/// A value, and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where it begins.
    pub place: Place,
    /// What it is.
    pub held: Held,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq)]
pub enum Held {
    /// A text.
    Text(String),
    /// A scalar without quotes that is no text for every reader: a number, a word like `NO` or `~`, a time.
    Bare(String),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, its keys in their order.
    Map(Vec<(Key, Node)>),
}

/// The name of a member, and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    /// The name.
    pub name: String,
    /// Where it begins.
    pub place: Place,
}

/// Says why a text is refused, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Where.
    pub place: Place,
    /// Why, in words that are safe to show.
    pub what: String,
}

type Read<T> = Result<T, Refused>;

fn refuse<T>(place: Place, what: impl Into<String>) -> Read<T> {
    let what = what.into();
    Err(Refused { place, what })
}

/// Reads the one document of a text.
pub fn read(bytes: &[u8]) -> Read<Node> {
    let text = decode(bytes)?;
    let options = granit_parser::options! {
        strict_indentation: true,
        disallow_directives: true,
        flow_nesting_limit: MOST_DEPTH,
        block_nesting_limit: MOST_DEPTH,
    };
    let mut reader = Reader {
        events: Parser::new_from_str_with_options(text, options),
        nodes: 0,
    };
    let mut document = None;
    loop {
        let (event, span) = reader.next()?;
        match event {
            Event::StreamStart | Event::DocumentEnd => {}
            Event::DocumentStart(..) if document.is_none() => {
                let next = reader.next()?;
                document = Some(reader.value(next, 0)?);
            }
            Event::StreamEnd => break,
            _ => return refuse(place(&span), "a second document"),
        }
    }
    let first = Place { line: 1, column: 1 };
    document.map_or_else(|| refuse(first, "the file is empty"), Ok)
}

/// Takes bytes for text; only UTF-8 without a byte order mark, of characters that YAML takes for printable.
fn decode(bytes: &[u8]) -> Read<&str> {
    let at = |offset: usize| place_of(bytes, offset);
    if bytes.starts_with(b"\xef\xbb\xbf") {
        return refuse(at(0), "a byte order mark; save the file as UTF-8 without");
    }
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return refuse(at(0), "the file is UTF-16; save it as UTF-8");
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => return refuse(at(error.valid_up_to()), "not UTF-8"),
    };
    // The last two of the first line end lines for readers of version 1.1 only.
    let is_unprintable = |character: char| {
        matches!(
            character,
            '\u{feff}' | '\u{fffe}' | '\u{ffff}' | '\u{2028}' | '\u{2029}'
        ) || (character.is_control() && !matches!(character, '\t' | '\n' | '\r'))
    };
    match text
        .char_indices()
        .find(|(_, character)| is_unprintable(*character))
    {
        Some((offset, character)) => {
            let what = format!(
                "the character U+{:04X}, which is none of YAML's",
                u32::from(character)
            );
            refuse(at(offset), what)
        }
        None => Ok(text),
    }
}

/// Finds the line and the column of a byte.
pub(super) fn place_of(bytes: &[u8], offset: usize) -> Place {
    let before = &bytes[..offset.min(bytes.len())];
    let line_start = before.iter().rposition(|byte| *byte == b'\n');
    let begun = &before[line_start.map_or(0, |newline| newline + 1)..];
    Place {
        line: before.split(|byte| *byte == b'\n').count(),
        column: 1 + begun.iter().filter(|byte| **byte & 0xC0 != 0x80).count(),
    }
}

fn place(span: &Span) -> Place {
    Place {
        line: span.start.line(),
        column: span.start.col() + 1,
    }
}

fn malformed(error: &ScanError) -> Refused {
    let marker = error.marker();
    let what = error.info();
    Refused {
        place: Place {
            line: marker.line(),
            column: marker.col() + 1,
        },
        what: crate::rules::text::scrub(&what).into_owned(),
    }
}

/// Reads values off a parser's events.
struct Reader<E> {
    events: E,
    nodes: usize,
}

impl<'a, E> Reader<E>
where
    E: Iterator<Item = Result<(Event<'a>, Span), ScanError>>,
{
    fn next(&mut self) -> Read<(Event<'a>, Span)> {
        match self.events.next() {
            Some(Ok(next)) => Ok(next),
            Some(Err(error)) => Err(malformed(&error)),
            None => refuse(Place { line: 1, column: 1 }, "the document ends early"),
        }
    }

    /// Reads the value that an event begins.
    fn value(&mut self, (event, span): (Event<'a>, Span), depth: usize) -> Read<Node> {
        let place = place(&span);
        if event.is_alias() {
            return refuse(place, "an alias; write the value out");
        }
        if event.anchor_id().is_some_and(|anchor| anchor != 0) {
            return refuse(place, "an anchor; write values out where they are due");
        }
        if event.tag().is_some() {
            return refuse(place, "a tag; a value's type is not for the file to say");
        }
        self.nodes += 1;
        if self.nodes > MOST_NODES {
            return refuse(place, format!("more than {MOST_NODES} values"));
        }
        if depth > MOST_DEPTH {
            return refuse(place, format!("more than {MOST_DEPTH} levels"));
        }
        let held = match event {
            Event::Scalar(text, ScalarStyle::Plain, ..) if !is_text_for_all(&text) => {
                Held::Bare(text.into_owned())
            }
            Event::Scalar(text, ..) => Held::Text(text.into_owned()),
            Event::SequenceStart(..) => Held::List(self.list(depth)?),
            Event::MappingStart(..) => Held::Map(self.map(depth)?),
            _ => return refuse(place, "expected a value"),
        };
        Ok(Node { place, held })
    }

    fn list(&mut self, depth: usize) -> Read<Vec<Node>> {
        let mut items = Vec::new();
        loop {
            let next = self.next()?;
            if next.0 == Event::SequenceEnd {
                return Ok(items);
            }
            items.push(self.value(next, depth + 1)?);
        }
    }

    fn map(&mut self, depth: usize) -> Read<Vec<(Key, Node)>> {
        let mut members = Vec::new();
        let mut names = BTreeSet::new();
        loop {
            let next = self.next()?;
            if next.0 == Event::MappingEnd {
                return Ok(members);
            }
            let Node { place, held } = self.value(next, depth + 1)?;
            let name = match held {
                Held::Text(name) => name,
                Held::Bare(word) if word == "<<" => {
                    return refuse(place, "a merge key; write the members out");
                }
                _ => return refuse(place, "a key that is no text"),
            };
            if !names.insert(name.clone()) {
                return refuse(place, format!("duplicate key {}", quoted(&name)));
            }
            let next = self.next()?;
            members.push((Key { name, place }, self.value(next, depth + 1)?));
        }
    }
}

/// Tells whether a scalar without quotes is a text for every reader of YAML 1.1 and 1.2.
fn is_text_for_all(plain: &str) -> bool {
    static OTHER: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r"(?x-u)^(?: | ~ | = | <<
            | (?i: null | true | false | yes | no | on | off | y | n )
            | [-+]? (?: 0b[01_]+ | 0o?[0-7_]+ | 0x[0-9a-fA-F_]+ | [0-9][0-9_,]* )
            | [-+]? (?: \.[0-9_]+ | [0-9][0-9_]* (?: \.[0-9_]* )? ) (?: [eE][-+]?[0-9]+ )?
            | [-+]? \.(?i:inf) | \.(?i:nan)
            | [-+]? [0-9][0-9_]* (?: :[0-5]?[0-9] )+ (?: \.[0-9_]* )?
            | [0-9]{4}-[0-9]{1,2}-[0-9]{1,2} (?: [Tt\ \t].* )?
            )$",
        )
        .ok()
    });
    // Without the pattern nothing is a text.
    let other = OTHER.as_ref();
    other.is_some_and(|other| !other.is_match(plain.as_bytes()))
}

impl Node {
    /// Gives the value as JSON; a scalar that readers understand differently becomes a `null`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        match &self.held {
            Held::Text(text) => Value::String(text.clone()),
            Held::Bare(word) => match word.as_str() {
                "true" => Value::Bool(true),
                "false" => Value::Bool(false),
                word => number(word).map_or(Value::Null, Value::Number),
            },
            Held::List(items) => items.iter().map(Self::to_json).collect(),
            Held::Map(members) => {
                let member = |(key, value): &(Key, Self)| (key.name.clone(), value.to_json());
                Value::Object(members.iter().map(member).collect::<Map<_, _>>())
            }
        }
    }

    /// Finds the value that a path of names and numbers leads to, or the last one on the way.
    #[must_use]
    pub fn at(&self, path: &[String]) -> &Self {
        let Some((step, rest)) = path.split_first() else {
            return self;
        };
        let next = match &self.held {
            Held::Map(members) => {
                let found = members.iter().find(|(key, _)| key.name == *step);
                found.map(|(_, value)| value)
            }
            Held::List(items) => step.parse().ok().and_then(|place: usize| items.get(place)),
            _ => None,
        };
        next.map_or(self, |next| next.at(rest))
    }

    /// Finds where the name of a member stands.
    #[must_use]
    pub fn key_place(&self, name: &str) -> Option<Place> {
        let Held::Map(members) = &self.held else {
            return None;
        };
        let found = members.iter().find(|(key, _)| key.name == name);
        found.map(|(key, _)| key.place)
    }

    /// Calls back with every text but those of one member, names included, and where each stands.
    pub fn texts_but<'a>(&'a self, member: &str, each: &mut impl FnMut(&'a str, Place)) {
        let Held::Map(members) = &self.held else {
            return self.texts(each);
        };
        for (key, value) in members {
            each(&key.name, key.place);
            if key.name != member {
                value.texts(each);
            }
        }
    }

    fn texts<'a>(&'a self, each: &mut impl FnMut(&'a str, Place)) {
        match &self.held {
            Held::Text(text) | Held::Bare(text) => each(text, self.place),
            Held::List(items) => items.iter().for_each(|item| item.texts(each)),
            Held::Map(members) => {
                for (key, value) in members {
                    each(&key.name, key.place);
                    value.texts(each);
                }
            }
        }
    }
}

/// Reads a number that is one for every reader.
fn number(word: &str) -> Option<Number> {
    let digits = word.strip_prefix('-').unwrap_or(word);
    let is_octal = digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0.");
    if is_octal || !digits.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    word.parse().ok()
}
