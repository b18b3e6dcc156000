//! JSON numbers: their grammar, their limits and their ECMAScript text.

#![expect(
    clippy::inline_always,
    reason = "a call costs as much as a short number: measured"
)]

use super::Integers;
use super::error::quoted;
use super::spelling::{Spelling, push_number};

/// The largest integer below which every integer has a double of its own: 2^53 − 1.
const MAX_EXACT: u64 = (1 << 53) - 1;

/// Decimals of up to this many digits each have a double of their own, which prints them back.
const FAITHFUL_DIGITS: usize = 15;

/// No number with fewer digits before its point, and no exponent, overflows a double.
const SAFE_WHOLE_DIGITS: usize = 308;

/// Holds a number token whose grammar has been checked.
#[derive(Debug, Clone, Copy)]
pub struct Number<'a> {
    text: &'a str,
    whole_digits: usize,
    fraction_digits: usize,
    scale: Scale,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scale {
    Plain,
    Exponent,
}

impl<'a> Number<'a> {
    /// Takes the number that a text starts with; a refusal names the offset and the reason.
    #[inline(always)]
    pub(super) fn scan(text: &'a str) -> Result<Self, (usize, &'static str)> {
        let bytes = text.as_bytes();
        let whole = usize::from(bytes.first() == Some(&b'-'));
        let whole_digits = digits(bytes, whole);
        if whole_digits == 0 {
            return Err((whole, "a minus sign without a digit after it"));
        }
        if whole_digits > 1 && bytes[whole] == b'0' {
            return Err((0, "a number with a leading zero"));
        }
        let mut end = whole + whole_digits;
        let mut fraction_digits = 0;
        if bytes.get(end) == Some(&b'.') {
            fraction_digits = digits(bytes, end + 1);
            end += 1 + fraction_digits;
            if fraction_digits == 0 {
                return Err((end, "a decimal point without a digit after it"));
            }
        }
        let mut scale = Scale::Plain;
        if let Some(b'e' | b'E') = bytes.get(end) {
            scale = Scale::Exponent;
            end += 1;
            end += usize::from(matches!(bytes.get(end), Some(b'+' | b'-')));
            let exponent_digits = digits(bytes, end);
            if exponent_digits == 0 {
                return Err((end, "an exponent without a digit"));
            }
            end += exponent_digits;
        }
        Ok(Self {
            text: &text[..end],
            whole_digits,
            fraction_digits,
            scale,
        })
    }

    /// Shows the token as it was written.
    #[must_use]
    #[inline]
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// Says why the number must be refused, if it must.
    #[inline(always)]
    pub(super) fn refusal(&self, integers: Integers) -> Option<String> {
        if self.scale == Scale::Plain && self.whole_digits <= FAITHFUL_DIGITS {
            return None;
        }
        self.refusal_of_large(integers)
    }

    #[cold]
    fn refusal_of_large(&self, integers: Integers) -> Option<String> {
        let may_overflow = self.scale == Scale::Exponent || self.whole_digits > SAFE_WHOLE_DIGITS;
        if may_overflow && !self.double().is_finite() {
            return Some(format!(
                "a number that overflows a double: {}",
                quoted(self.text)
            ));
        }
        let is_integer = self.scale == Scale::Plain && self.fraction_digits == 0;
        let magnitude = self.text.trim_start_matches('-').parse::<u64>();
        let is_exact = magnitude.is_ok_and(|magnitude| magnitude <= MAX_EXACT);
        (integers == Integers::Exact && is_integer && !is_exact).then(|| {
            let shown = quoted(self.text);
            format!("an integer beyond ±(2^53-1), write it as a string: {shown}")
        })
    }

    /// Appends the number as ECMAScript prints it, or a shorter form that is to be spelt out later.
    #[cold]
    pub(super) fn write(&self, out: &mut Vec<u8>) -> Spelling {
        push_number(self.double(), out)
    }

    /// Tells how much of the token is its ECMAScript text, where that is provable without a double.
    ///
    /// Two decimals of at most 15 digits never share a double, so the shortest text that reads back
    /// as this double is this decimal itself, trailing zeros aside. ECMAScript prints it without
    /// an exponent from 1e-6 up. Minus zero is left to [`Number::write`].
    #[inline(always)]
    pub(super) fn faithful_length(&self) -> Option<usize> {
        let digits = self.whole_digits + self.fraction_digits;
        if self.scale == Scale::Exponent || digits > FAITHFUL_DIGITS {
            return None;
        }
        let mut text = self.text.as_bytes();
        if self.fraction_digits > 0 {
            while let [rest @ .., b'0'] = text {
                text = rest;
            }
            if let [rest @ .., b'.'] = text {
                text = rest;
            }
            let magnitude = text.strip_prefix(b"-").unwrap_or(text);
            if magnitude.starts_with(b"0.000000") {
                return None;
            }
        }
        (text != b"-0").then_some(text.len())
    }

    fn double(&self) -> f64 {
        // A checked token always parses; a number nobody can print would be refused, not invented.
        self.text.parse().unwrap_or(f64::NAN)
    }
}

#[inline]
fn digits(bytes: &[u8], start: usize) -> usize {
    let mut end = start;
    while bytes.get(end).is_some_and(u8::is_ascii_digit) {
        end += 1;
    }
    end - start
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canon::Canonical;
    use proptest::prelude::*;

    fn written(text: &str) -> String {
        let number = Number::scan(text).unwrap();
        assert_eq!(number.text(), text);
        let mut short = Vec::new();
        let spelling = number.write(&mut short);
        let text_of_double = Canonical::new(short, spelling).into_bytes();
        let text_of_double = String::from_utf8(text_of_double).unwrap();
        number
            .faithful_length()
            .map_or(text_of_double, |length| text[..length].to_owned())
    }

    fn through_a_double(text: &str) -> String {
        ryu_js::Buffer::new()
            .format(text.parse::<f64>().unwrap())
            .to_owned()
    }

    #[test]
    fn edges_of_the_short_cut_print_like_the_double() {
        let edges = [
            "0",
            "-0",
            "0.0",
            "-0.000",
            "0e5",
            "-0E-5",
            "1",
            "-1",
            "10",
            "100",
            "1.0",
            "1.50",
            "-1.500",
            "100.00",
            "0.1",
            "0.000001",
            "0.0000010",
            "0.0000001",
            "-0.0000001",
            "0.00000012345",
            "0.0000012345",
            "-0.000001",
            "999999999999999",
            "9999999999999999",
            "0.99999999999999",
            "0.999999999999999",
            "0.9999999999999999",
            "12345678901234.5",
            "123456789012345.6",
            "1e-7",
            "1e21",
            "1e20",
            "100000000000000000000",
            "1000000000000000000000",
            "5e-324",
            "2e-324",
            "-1e-400",
            "1.7976931348623157e308",
            "9007199254740993",
            "0.30000000000000004",
            "4.35",
            "2.675",
            "1E30",
            "4.50",
            "2e-3",
            "0.000000000000000000000000001",
            "10.0000000000000",
        ];
        for text in edges {
            assert_eq!(written(text), through_a_double(text), "{text}");
        }
        assert_eq!(written("-0"), "0");
        assert_eq!(written("-0.000"), "0");
        assert_eq!(written("1.500"), "1.5");
        assert_eq!(written("0.0000001"), "1e-7");
    }

    #[test]
    fn the_grammar_names_the_offending_offset() {
        for (text, offset) in [
            ("-", 1),
            ("-x", 1),
            ("01", 0),
            ("-00", 0),
            ("1.", 2),
            ("1.e5", 2),
            ("1e", 2),
            ("1e+", 3),
            ("0.5E-x", 5),
        ] {
            assert_eq!(Number::scan(text).unwrap_err().0, offset, "{text}");
        }
        for (text, length) in [
            ("0", 1),
            ("0x", 1),
            ("1.5,", 3),
            ("-1e+5]", 5),
            ("12 3", 2),
            ("1.2.3", 3),
        ] {
            assert_eq!(Number::scan(text).unwrap().text().len(), length, "{text}");
        }
    }

    #[test]
    fn limits_are_exactly_the_double_and_its_integers() {
        let refused =
            |text: &str, integers| Number::scan(text).unwrap().refusal(integers).is_some();
        let overflow = ["1e309", "-1e400", "1.7976931348623159e308", "1e99999999999"];
        for text in overflow
            .map(str::to_owned)
            .into_iter()
            .chain(["9".repeat(309), "1".repeat(400)])
        {
            assert!(refused(&text, Integers::AsDouble), "{text}");
        }
        for text in [
            "1.7976931348623157e308",
            "1e-400",
            "0e999999",
            &"9".repeat(308),
            &format!("0.{}", "1".repeat(400)),
        ] {
            assert!(!refused(text, Integers::AsDouble), "{text}");
        }
        for text in [
            "9007199254740992",
            "-9007199254740992",
            "9999999999999999",
            "18446744073709551616",
            &"1".repeat(40),
        ] {
            assert!(refused(text, Integers::Exact), "{text}");
            assert!(!refused(text, Integers::AsDouble), "{text}");
        }
        for text in [
            "9007199254740991",
            "-9007199254740991",
            "9007199254740992.0",
            "9007199254740992e0",
            "1e30",
            "999999999999999",
            "0",
        ] {
            assert!(!refused(text, Integers::Exact), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn decimals_print_like_the_double(text in "-?(0|[1-9][0-9]{0,17})(\\.[0-9]{1,18})?") {
            prop_assert_eq!(written(&text), through_a_double(&text));
        }

        #[test]
        fn small_decimals_print_like_the_double(text in "-?0\\.0{0,8}[0-9]{0,9}0{0,3}[1-9]?0") {
            prop_assert_eq!(written(&text), through_a_double(&text));
        }

        #[test]
        fn exponents_print_like_the_double(text in "-?[1-9](\\.[0-9]{1,18})?[eE][+-]?[0-9]{1,2}") {
            prop_assert_eq!(written(&text), through_a_double(&text));
        }
    }
}
