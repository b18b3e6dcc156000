//! Templates: objects in an array mostly have the same keys in the same order, white space and all.
//!
//! A template is such an object without its values. While the next object fits, only its values are
//! read, and each is written in its place: no key is read, compared or sorted again. What does not
//! fit is written the long way, and so is what must be refused, since a template refuses nothing.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::mem;
use std::ops::Range;

use super::Integers;
use super::scan::{Scan, Scanner, Start};
use super::write::{SHORT_TOKEN, Writer, append};

/// The longest object that a template is made of.
const LONGEST: usize = 1 << 12;

/// The longest array in such an object: arrays are read twice.
const LONGEST_ARRAY: usize = 1 << 6;

/// The most trust there is, and how many objects are written the long way before a template is made.
const MOST_TRUST: u32 = 64;

/// The trust in a new template.
const FIRST_TRUST: u32 = 8;

/// The trust that an object costs if it does not fit; one that fits earns 1.
const LOST_TRUST: u32 = 4;

/// Holds what objects at one depth were like, and how far that is to be trusted.
#[derive(Debug, Default)]
pub(super) struct Habit<'a> {
    template: Option<Box<Template<'a>>>,
    trust: u32,
}

impl<'a> Writer<'a> {
    /// Writes the object that comes next in an array; `look` sees each key before its value is taken.
    ///
    /// The key of a member that is an object may be seen once for all elements that are alike.
    #[inline]
    pub(super) fn element<F>(&mut self, scanner: &mut Scanner<'a>, mut look: F) -> Scan<()>
    where
        F: FnMut(&mut Scanner<'a>, &str) -> Scan<()>,
    {
        let depth = scanner.depth;
        if self.habits.len() <= depth {
            self.habits.resize_with(depth + 1, Habit::default);
        }
        let mut habit = mem::take(&mut self.habits[depth]);
        if !habit.repeat(self, scanner, &mut look) {
            let object = scanner.clone();
            self.object(scanner, look)?;
            habit.learn(object, scanner.at());
        }
        self.habits[depth] = habit;
        Ok(())
    }
}

impl<'a> Habit<'a> {
    /// Writes the object that comes next if it fits, and otherwise takes and writes nothing.
    #[inline]
    fn repeat<F>(&mut self, writer: &mut Writer<'a>, scanner: &mut Scanner<'a>, look: F) -> bool
    where
        F: FnMut(&mut Scanner<'a>, &str) -> Scan<()>,
    {
        let Some(template) = &mut self.template else {
            return false;
        };
        let (mut reader, start) = (scanner.clone(), writer.out.len());
        if template.read(&mut reader, look).is_some() && template.write(writer, scanner).is_ok() {
            *scanner = reader;
            self.trust = (self.trust + 1).min(MOST_TRUST);
            return true;
        }
        writer.out.truncate(start);
        self.trust = self.trust.saturating_sub(LOST_TRUST);
        if self.trust == 0 {
            self.template = None;
        }
        false
    }

    /// Learns from an object that was just written the long way.
    fn learn(&mut self, object: Scanner<'a>, end: usize) {
        if self.template.is_some() {
            return;
        }
        self.trust += 1;
        if self.trust < MOST_TRUST {
            return;
        }
        self.trust = 0;
        if end - object.at() <= LONGEST
            && let Some(template) = Template::of(object, end)
        {
            self.template = Some(Box::new(template));
            self.trust = FIRST_TRUST;
        }
    }
}

/// Holds an object without its values.
#[derive(Debug)]
struct Template<'a> {
    /// In the order of the text.
    slots: Vec<Slot<'a>>,
    /// What stands after the last value.
    end: &'a str,
    /// The canonical form, in which each value is the number of its slot.
    canonical: Vec<u8>,
    /// In canonical order.
    places: Vec<Place>,
}

/// Stands for a value; objects are none, since their keys are part of the template.
#[derive(Debug)]
struct Slot<'a> {
    /// What stands between the value before and this one.
    lead: &'a str,
    /// Its key, if it is a member of the object itself.
    name: Option<Cow<'a, str>>,
    depth: usize,
    /// Where the text has its canonical form; empty, and where it begins, if that is to be made.
    value: Range<usize>,
}

/// Says what is written: a piece of the canonical form, then the value of a slot.
#[derive(Debug)]
struct Place {
    piece: Range<usize>,
    slot: usize,
}

impl<'a> Template<'a> {
    /// Makes the template of an object that was found to be in order.
    fn of(mut object: Scanner<'a>, end: usize) -> Option<Self> {
        let text = object.text();
        let mut slots = Vec::new();
        take_values(&mut object, None, &mut slots).ok()?;
        let mut numbered = String::new();
        for (number, slot) in slots.iter().enumerate() {
            let value = &text[slot.value.clone()];
            if value.starts_with('[') && value.len() > LONGEST_ARRAY {
                return None;
            }
            let _ = write!(numbered, "{}{number}", slot.lead);
        }
        let end = &text[slots.last()?.value.end..end];
        let mut canonical = super::canonical(numbered + end).ok()?;
        let places = Place::all(&canonical)?;
        // A copy of fixed length may begin at the last byte.
        canonical.resize(canonical.len() + SHORT_TOKEN, 0);
        Some(Self {
            slots,
            end,
            canonical,
            places,
        })
    }

    /// Takes an object if it fits; otherwise the scanner stands somewhere in it.
    #[inline]
    fn read<F>(&mut self, scanner: &mut Scanner<'a>, mut look: F) -> Option<()>
    where
        F: FnMut(&mut Scanner<'a>, &str) -> Scan<()>,
    {
        for slot in &mut self.slots {
            scanner.pass(slot.lead)?;
            if let Some(name) = &slot.name {
                look(scanner, name).ok()?;
            }
            slot.value = if let Some(value) = scanner.verbatim() {
                value
            } else {
                let at = scanner.at();
                scanner.skip().ok()?;
                at..at
            };
        }
        scanner.pass(self.end)
    }

    /// Writes the object that was taken last.
    #[inline]
    fn write(&self, writer: &mut Writer<'a>, scanner: &Scanner<'a>) -> Scan<()> {
        for place in &self.places {
            append::<SHORT_TOKEN>(&mut writer.out, &self.canonical, place.piece.clone());
            let Some(slot) = self.slots.get(place.slot) else {
                break;
            };
            let value = slot.value.clone();
            if value.is_empty() {
                let mut reader = scanner.back_at(value.start);
                reader.depth = slot.depth;
                writer.value(&mut reader)?;
            } else {
                append::<SHORT_TOKEN>(&mut writer.out, scanner.text().as_bytes(), value);
            }
        }
        Ok(())
    }
}

impl Place {
    /// Finds the numbers of slots in a canonical form; after the last piece comes none.
    fn all(canonical: &[u8]) -> Option<Vec<Self>> {
        let mut scanner = Scanner::new(canonical, Integers::Exact).ok()?;
        let mut numbers = Vec::new();
        take_values(&mut scanner, None, &mut numbers).ok()?;
        let mut places = Vec::new();
        let mut begun = 0;
        for number in numbers {
            places.push(Self {
                piece: begun..number.value.start,
                slot: scanner.text()[number.value.clone()].parse().ok()?,
            });
            begun = number.value.end;
        }
        places.push(Self {
            piece: begun..canonical.len(),
            slot: places.len(),
        });
        Some(places)
    }
}

/// Takes the object that comes next, and lists its values and those of the objects in it.
///
/// An object in another one is told where the outermost one begins.
fn take_values<'a>(
    scanner: &mut Scanner<'a>,
    outer: Option<usize>,
    slots: &mut Vec<Slot<'a>>,
) -> Scan<()> {
    let text = scanner.text();
    let start = outer.unwrap_or(scanner.at());
    scanner.members(|scanner, key| {
        if scanner.peek()? == Start::Object {
            return take_values(scanner, Some(start), slots);
        }
        let at = scanner.at();
        scanner.skip()?;
        let before = slots.last().map_or(start, |slot| slot.value.end);
        slots.push(Slot {
            lead: &text[before..at],
            name: outer.is_none().then_some(key.text),
            depth: scanner.depth,
            value: at..scanner.at(),
        });
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes the elements of an array, and tells after each one how far its like is trusted.
    fn written(json: &str) -> (String, Vec<Option<u32>>) {
        let mut scanner = Scanner::new(json.as_bytes(), Integers::Exact).unwrap();
        let mut writer = Writer::with_room(0);
        let mut trust = Vec::new();
        scanner
            .elements(|scanner| {
                assert_eq!(scanner.peek()?, Start::Object);
                writer.comma();
                writer.element(scanner, |_, _| Ok(()))?;
                let habit = &writer.habits[1];
                trust.push(habit.template.is_some().then_some(habit.trust));
                Ok(())
            })
            .unwrap();
        let bytes = writer.finish().finish().into_bytes();
        (String::from_utf8(bytes).unwrap(), trust)
    }

    #[test]
    fn a_template_is_made_of_many_trusted_while_it_fits_and_given_up() {
        let like = r#"{"b": 1.50, "a": {"d": "x", "c": [2,1]}}"#;
        let rows = |count, row: &str| vec![row.to_owned(); count];
        let unlike: Vec<String> = (0..4).map(|n| format!(r#"{{"n{n}": 0}}"#)).collect();
        let all = [
            rows(72, like),
            unlike[..1].to_vec(),
            rows(1, like),
            unlike.clone(),
            rows(1, like),
        ];
        let (text, trust) = written(&format!("[{}]", all.concat().join(",")));
        let plain = r#","{"a":{"c":[2,1],"d":"x"},"b":1.5}"#.replacen('"', "", 1);
        assert_eq!(text.matches(&plain).count(), 74, "{text}");
        assert_eq!(text.len(), 74 * plain.len() + 5 * r#",{"n0":0}"#.len());
        assert_eq!(trust[62], None);
        assert_eq!(trust[63..66], [Some(8), Some(9), Some(10)]);
        assert_eq!(trust[71..75], [Some(16), Some(12), Some(13), Some(9)]);
        assert_eq!(trust[75..], [Some(5), Some(1), None, None]);
    }

    #[test]
    fn no_template_is_made_of_what_would_not_gain() {
        let array = format!(r#"{{"a": [{}0]}}"#, "0,".repeat(LONGEST_ARRAY));
        let long = format!(r#"{{"a": "{}"}}"#, "x".repeat(LONGEST));
        for row in [array, long, "{}".to_owned(), r#"{"a": {}}"#.to_owned()] {
            let (_, trust) = written(&format!("[{}]", vec![row; 140].join(",")));
            assert_eq!(trust, [None; 140]);
        }
    }
}
