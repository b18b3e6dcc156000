//! Decimals that no machine number holds, digit by digit: the time is that of walking along the digits.

use std::cmp::Ordering;

use super::plain;

/// The digits that a double tells apart.
const DOUBLE_DIGITS: usize = 17;

/// A decimal as its digits.
#[derive(Debug, Clone)]
pub(super) struct Long {
    negative: bool,
    /// The figures `0` to `9`, the highest first; zeros may lead.
    digits: Vec<u8>,
    /// How many of the digits stand behind the point; may be more than there are.
    scale: usize,
}

impl Long {
    pub(super) fn new(negative: bool, digits: Vec<u8>, scale: usize) -> Self {
        let negative = negative && digits.iter().any(|digit| *digit != b'0');
        Self {
            negative,
            digits,
            scale,
        }
    }

    pub(super) fn is_negative(&self) -> bool {
        self.negative
    }

    pub(super) fn is_zero(&self) -> bool {
        self.digits.iter().all(|digit| *digit == b'0')
    }

    pub(super) fn abs(&self) -> Self {
        Self {
            negative: false,
            ..self.clone()
        }
    }

    pub(super) fn negated(self) -> Self {
        Self::new(!self.negative, self.digits, self.scale)
    }

    pub(super) fn cmp_abs(&self, other: &Self) -> Ordering {
        let (a, b, _) = aligned(self, other);
        a.cmp(&b)
    }

    pub(super) fn cmp(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (false, false) => self.cmp_abs(other),
            (true, true) => other.cmp_abs(self),
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
        }
    }

    pub(super) fn plus(&self, other: &Self) -> Self {
        let (a, b, scale) = aligned(self, other);
        if self.negative == other.negative {
            return Self::new(self.negative, sum(&a, &b), scale);
        }
        if a < b {
            Self::new(other.negative, difference(&b, &a), scale)
        } else {
            Self::new(self.negative, difference(&a, &b), scale)
        }
    }

    pub(super) fn times(&self, other: &Self) -> Self {
        let value = |digit: &u8| u64::from(digit - b'0');
        let mut columns = vec![0_u64; self.digits.len() + other.digits.len()];
        for (at, a) in self.digits.iter().rev().map(value).enumerate() {
            for (by, b) in other.digits.iter().rev().map(value).enumerate() {
                columns[at + by] += a * b;
            }
        }
        let mut carry = 0;
        let mut digits = Vec::with_capacity(columns.len());
        for column in columns {
            carry += column;
            digits.push(b'0' + u8::try_from(carry % 10).unwrap_or(0));
            carry /= 10;
        }
        digits.reverse();
        Self::new(
            self.negative != other.negative,
            digits,
            self.scale + other.scale,
        )
    }

    /// Returns the first digits as a double, and the power of ten that they are to be multiplied with.
    #[expect(clippy::cast_precision_loss, reason = "as near as a double comes")]
    pub(super) fn nearly(&self) -> (f64, i64) {
        let zeros = self.digits.iter().take_while(|digit| **digit == b'0');
        let significant = &self.digits[zeros.count()..];
        let first = &significant[..significant.len().min(DOUBLE_DIGITS)];
        let units = first
            .iter()
            .fold(0_u64, |units, digit| units * 10 + u64::from(digit - b'0'));
        let left_out = i64::try_from(significant.len() - first.len()).unwrap_or(i64::MAX);
        let scale = i64::try_from(self.scale).unwrap_or(i64::MAX);
        (units as f64, left_out.saturating_sub(scale))
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        plain(self.negative, &self.digits, self.scale, out);
    }
}

/// Gives the digits of two with as many before the point and as many behind it.
fn aligned(a: &Long, b: &Long) -> (Vec<u8>, Vec<u8>, usize) {
    let whole = |long: &Long| long.digits.len().saturating_sub(long.scale);
    let (most, scale) = (whole(a).max(whole(b)), a.scale.max(b.scale));
    let padded = |long: &Long| {
        let behind = scale - long.scale;
        let before = (most + scale).saturating_sub(long.digits.len() + behind);
        let mut digits = vec![b'0'; before];
        digits.extend_from_slice(&long.digits);
        digits.resize(digits.len() + behind, b'0');
        digits
    };
    (padded(a), padded(b), scale)
}

/// Adds digits of equal number.
fn sum(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut digits = vec![b'0'; a.len() + 1];
    let mut carry = 0;
    for at in (0..a.len()).rev() {
        let both = (a[at] - b'0') + (b[at] - b'0') + carry;
        carry = both / 10;
        digits[at + 1] = b'0' + both % 10;
    }
    digits[0] = b'0' + carry;
    digits
}

/// Subtracts digits of equal number, the second the smaller.
fn difference(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut digits = vec![b'0'; a.len()];
    let mut borrowed = 0;
    for at in (0..a.len()).rev() {
        let (from, take) = (a[at] - b'0', b[at] - b'0' + borrowed);
        borrowed = u8::from(from < take);
        digits[at] = b'0' + (from + borrowed * 10 - take);
    }
    digits
}
