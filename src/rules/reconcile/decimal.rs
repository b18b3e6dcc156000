//! Exact decimals of any length: read, added, subtracted, multiplied and compared without a rounding.
//!
//! What is taken is a number as JSON writes it, without an exponent: an optional minus, digits without a leading zero,
//! and optionally a point with digits behind it. A plus, a bare point, spaces, separators, `1e5` and `NaN` are refused,
//! since each is read in two ways by somebody. `-0` is 0.

mod long;

use std::cmp::Ordering;
use std::fmt;
use std::ops::{Add, Mul, Sub};

use thiserror::Error;

use long::Long;

/// The most digits that are gathered in one machine word.
const WORD_DIGITS: usize = 18;

/// The most digits that stay a machine number; a sum or a difference of two still is one.
const SHORT_DIGITS: usize = 36;

/// The powers of ten that a machine number holds.
const POWERS: [i128; 39] = {
    let mut powers = [1; 39];
    let mut at = 1;
    while at < powers.len() {
        powers[at] = powers[at - 1] * 10;
        at += 1;
    }
    powers
};

/// The powers of ten that a double holds exactly.
const EXACT_POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/// A decimal number, exactly as it was written, but for zeros that do not count.
#[derive(Debug, Clone)]
pub struct Decimal(Form);

#[derive(Debug, Clone)]
enum Form {
    /// `units` divided by ten to the power of `scale`.
    Short { units: i128, scale: u32 },
    /// What does not fit a machine number.
    Long(Box<Long>),
}

/// Says why a text is no plain decimal, and at which byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{what}")]
pub struct NotADecimal {
    /// The byte offset in the text.
    pub at: usize,
    /// The refusal in words.
    pub what: &'static str,
}

impl Decimal {
    /// Zero.
    pub const ZERO: Self = Self(Form::Short { units: 0, scale: 0 });

    /// Reads a plain decimal; up to 36 digits cost no allocation.
    pub fn parse(text: &str) -> Result<Self, NotADecimal> {
        let bytes = text.as_bytes();
        let negative = bytes.first() == Some(&b'-');
        let start = usize::from(negative);
        let (whole, at) = gather(bytes, start, 0);
        let whole_digits = at - start;
        let refused = |at, what| Err(NotADecimal { at, what });
        if whole_digits == 0 {
            return refused(at, misses_digit(bytes, at));
        }
        if whole_digits > 1 && bytes[start] == b'0' {
            return refused(start, "a leading zero");
        }
        if at == bytes.len() {
            return Ok(Self::of_digits(text, start, 0, whole));
        }
        if bytes[at] != b'.' {
            return refused(at, after_digits(bytes[at]));
        }
        let (units, end) = gather(bytes, at + 1, whole);
        if end == at + 1 {
            return refused(end, "a point without a digit behind it");
        }
        if end != bytes.len() {
            return refused(end, after_digits(bytes[end]));
        }
        Ok(Self::of_digits(text, start, end - at - 1, units))
    }

    /// Makes the number of a checked text, whose units are known while they fit a word.
    #[inline]
    fn of_digits(text: &str, start: usize, scale: usize, units: u64) -> Self {
        let digits = text.len() - start - usize::from(scale > 0);
        if digits > WORD_DIGITS {
            return Self::of_many_digits(text, scale, digits);
        }
        let units = i128::from(units);
        let units = if start == 1 { -units } else { units };
        // At most 18 digits: the scale always fits.
        let scale = u32::try_from(scale).unwrap_or(u32::MAX);
        Self(Form::Short { units, scale })
    }

    #[cold]
    fn of_many_digits(text: &str, scale: usize, digits: usize) -> Self {
        let negative = text.starts_with('-');
        let figures = text.bytes().filter(u8::is_ascii_digit);
        match u32::try_from(scale) {
            Ok(scale) if digits <= SHORT_DIGITS => {
                let units = figures.fold(0, |units, digit| units * 10 + i128::from(digit - b'0'));
                let units = if negative { -units } else { units };
                Self(Form::Short { units, scale })
            }
            _ => Self(Form::Long(Box::new(Long::new(
                negative,
                figures.collect(),
                scale,
            )))),
        }
    }

    /// Tells whether it is below zero.
    #[must_use]
    pub fn is_negative(&self) -> bool {
        match &self.0 {
            Form::Short { units, .. } => *units < 0,
            Form::Long(long) => long.is_negative(),
        }
    }

    /// Tells whether it is zero.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        match &self.0 {
            Form::Short { units, .. } => *units == 0,
            Form::Long(long) => long.is_zero(),
        }
    }

    /// Returns it without its sign.
    #[must_use]
    pub fn abs(&self) -> Self {
        match &self.0 {
            Form::Short { units, scale } => match units.checked_abs() {
                Some(units) => Self(Form::Short {
                    units,
                    scale: *scale,
                }),
                None => Self(Form::Long(Box::new(self.long().abs()))),
            },
            Form::Long(long) => Self(Form::Long(Box::new(long.abs()))),
        }
    }

    /// Compares two without their signs.
    #[must_use]
    pub fn cmp_abs(&self, other: &Self) -> Ordering {
        match aligned(self, other) {
            Some((a, b, _)) => a.unsigned_abs().cmp(&b.unsigned_abs()),
            None => self.long().cmp_abs(&other.long()),
        }
    }

    /// Divides two without their signs, as nearly as a double can; only for ranking, never for a verdict.
    ///
    /// Anything but zero divided by zero is infinite, zero divided by zero is 0.
    #[must_use]
    pub fn ratio(&self, other: &Self) -> f64 {
        if self.is_zero() {
            return 0.0;
        }
        let ((a, a_exponent), (b, b_exponent)) = (self.nearly(), other.nearly());
        times_power(a / b, a_exponent.saturating_sub(b_exponent))
    }

    /// Returns a double and a power of ten that make about this number, without its sign.
    #[expect(clippy::cast_precision_loss, reason = "as near as a double comes")]
    fn nearly(&self) -> (f64, i64) {
        match &self.0 {
            Form::Short { units, scale } => {
                let units = units.unsigned_abs();
                // One instruction for a word, a call for two.
                let nearest = u64::try_from(units).map_or(units as f64, |word| word as f64);
                (nearest, -i64::from(*scale))
            }
            Form::Long(long) => long.nearly(),
        }
    }

    /// Appends the number in its plain form: no exponent, no zeros that do not count, no minus before a zero.
    pub fn write(&self, out: &mut Vec<u8>) {
        match &self.0 {
            Form::Short { units, scale } => {
                let mut room = [0; 40];
                let digits = digits_of(units.unsigned_abs(), &mut room);
                plain(*units < 0, digits, *scale as usize, out);
            }
            Form::Long(long) => long.write(out),
        }
    }

    fn long(&self) -> Long {
        match &self.0 {
            Form::Short { units, scale } => {
                let digits = units.unsigned_abs().to_string().into_bytes();
                Long::new(*units < 0, digits, *scale as usize)
            }
            Form::Long(long) => Long::clone(long),
        }
    }
}

/// Adds the digits from a place to what was gathered before; past a word's digits the sum means nothing.
#[inline]
fn gather(bytes: &[u8], from: usize, before: u64) -> (u64, usize) {
    let (mut sum, mut at) = (before, from);
    while let Some(digit) = bytes.get(at).map(|byte| byte.wrapping_sub(b'0'))
        && digit < 10
    {
        sum = sum.wrapping_mul(10).wrapping_add(u64::from(digit));
        at += 1;
    }
    (sum, at)
}

fn misses_digit(bytes: &[u8], at: usize) -> &'static str {
    match bytes.get(at) {
        None if at == 0 => "it is empty",
        None => "a minus without a digit",
        Some(b'+') => "a plus",
        Some(b'.') => "a point without a digit before it",
        Some(_) => "it does not begin with a digit",
    }
}

fn after_digits(byte: u8) -> &'static str {
    match byte {
        b'e' | b'E' => "an exponent",
        b',' => "a comma",
        b'.' => "a second point",
        _ => "something that is no digit",
    }
}

/// Brings two to one scale, where machine numbers hold that.
#[inline]
fn aligned(a: &Decimal, b: &Decimal) -> Option<(i128, i128, u32)> {
    let (
        Form::Short {
            units: a,
            scale: a_scale,
        },
        Form::Short {
            units: b,
            scale: b_scale,
        },
    ) = (&a.0, &b.0)
    else {
        return None;
    };
    let raised = |units: &i128, by: u32| units.checked_mul(*POWERS.get(by as usize)?);
    match a_scale.cmp(b_scale) {
        Ordering::Equal => Some((*a, *b, *a_scale)),
        Ordering::Less => Some((raised(a, b_scale - a_scale)?, *b, *b_scale)),
        Ordering::Greater => Some((*a, raised(b, a_scale - b_scale)?, *a_scale)),
    }
}

/// Multiplies a double with a power of ten, in the same steps on every machine.
fn times_power(mut number: f64, mut exponent: i64) -> f64 {
    let most = EXACT_POWERS.len() - 1;
    while exponent != 0 && number.is_finite() && number != 0.0 {
        let step = usize::try_from(exponent.unsigned_abs()).map_or(most, |step| step.min(most));
        if exponent > 0 {
            number *= EXACT_POWERS[step];
            exponent -= i64::try_from(step).unwrap_or(exponent);
        } else {
            number /= EXACT_POWERS[step];
            exponent += i64::try_from(step).unwrap_or(-exponent);
        }
    }
    number
}

/// Writes digits into the end of the room and returns them.
#[expect(clippy::cast_possible_truncation, reason = "a digit fits a byte")]
fn digits_of(mut units: u128, room: &mut [u8; 40]) -> &[u8] {
    let mut start = room.len();
    while units > u128::from(u64::MAX) {
        start -= 1;
        room[start] = b'0' + (units % 10) as u8;
        units /= 10;
    }
    let mut word = units as u64;
    loop {
        start -= 1;
        room[start] = b'0' + (word % 10) as u8;
        word /= 10;
        if word == 0 {
            return &room[start..];
        }
    }
}

/// Appends digits with their point, without the zeros that do not count.
fn plain(negative: bool, digits: &[u8], scale: usize, out: &mut Vec<u8>) {
    let (whole, fraction) = digits.split_at(digits.len().saturating_sub(scale));
    let zeros = |digits: &[u8]| digits.iter().take_while(|digit| **digit == b'0').count();
    let whole = &whole[zeros(whole)..];
    let kept = fraction.iter().rposition(|digit| *digit != b'0');
    let fraction = &fraction[..kept.map_or(0, |last| last + 1)];
    if negative && !(whole.is_empty() && fraction.is_empty()) {
        out.push(b'-');
    }
    out.extend_from_slice(if whole.is_empty() { b"0" } else { whole });
    if !fraction.is_empty() {
        out.push(b'.');
        let before = scale.saturating_sub(digits.len());
        out.resize(out.len() + before, b'0');
        out.extend_from_slice(fraction);
    }
}

impl Add for &Decimal {
    type Output = Decimal;

    fn add(self, other: &Decimal) -> Decimal {
        let sum = aligned(self, other).and_then(|(a, b, scale)| {
            let units = a.checked_add(b)?;
            Some(Form::Short { units, scale })
        });
        Decimal(sum.unwrap_or_else(|| Form::Long(Box::new(self.long().plus(&other.long())))))
    }
}

impl Sub for &Decimal {
    type Output = Decimal;

    fn sub(self, other: &Decimal) -> Decimal {
        let difference = aligned(self, other).and_then(|(a, b, scale)| {
            let units = a.checked_sub(b)?;
            Some(Form::Short { units, scale })
        });
        Decimal(
            difference
                .unwrap_or_else(|| Form::Long(Box::new(self.long().plus(&other.long().negated())))),
        )
    }
}

impl Mul for &Decimal {
    type Output = Decimal;

    fn mul(self, other: &Decimal) -> Decimal {
        let short = match (&self.0, &other.0) {
            (Form::Short { units: a, scale: x }, Form::Short { units: b, scale: y }) => {
                a.checked_mul(*b).zip(x.checked_add(*y))
            }
            _ => None,
        };
        Decimal(short.map_or_else(
            || Form::Long(Box::new(self.long().times(&other.long()))),
            |(units, scale)| Form::Short { units, scale },
        ))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        match aligned(self, other) {
            Some((a, b, _)) => a.cmp(&b),
            None => self.long().cmp(&other.long()),
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Decimal {}

impl fmt::Display for Decimal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::new();
        self.write(&mut text);
        out.pad(&String::from_utf8_lossy(&text))
    }
}

#[cfg(test)]
mod tests;
