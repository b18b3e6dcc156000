//! Decimals against an oracle that shares no code with them.

use std::str::FromStr;

use bigdecimal::BigDecimal;
use proptest::prelude::*;

use super::*;

fn decimal(text: &str) -> Decimal {
    Decimal::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn oracle(text: &str) -> BigDecimal {
    BigDecimal::from_str(text).expect("the oracle reads every plain decimal")
}

/// Decimals of every length: within a word, within a machine number, beyond both, and each with many zeros.
fn decimals() -> impl Strategy<Value = String> {
    prop_oneof![
        "-?(0|[1-9][0-9]{0,8})(\\.[0-9]{1,9})?",
        "-?(0|[1-9][0-9]{0,17})(\\.[0-9]{1,18})?",
        "-?(0|[1-9][0-9]{0,40})(\\.[0-9]{1,40})?",
        "-?(0|[1-9]0{15,40})(\\.0{0,40}[0-9])?",
        "-?(0|9{1,40})(\\.9{1,40})?",
    ]
}

#[test]
fn what_is_taken_is_json_without_an_exponent() {
    for text in [
        "0",
        "-0",
        "7",
        "-7",
        "10",
        "0.5",
        "-0.50",
        "0.000",
        "123456789012345678",
        "1234567890123456789012345678901234567890.5",
    ] {
        assert!(Decimal::parse(text).is_ok(), "{text}");
    }
    for (text, at, what) in [
        ("", 0, "it is empty"),
        ("-", 1, "a minus without a digit"),
        ("+1", 0, "a plus"),
        ("--1", 1, "it does not begin with a digit"),
        (".5", 0, "a point without a digit before it"),
        ("-.5", 1, "a point without a digit before it"),
        ("5.", 2, "a point without a digit behind it"),
        ("5.x", 2, "a point without a digit behind it"),
        ("007", 0, "a leading zero"),
        ("-00", 1, "a leading zero"),
        ("1e5", 1, "an exponent"),
        ("1.5E5", 3, "an exponent"),
        ("1,5", 1, "a comma"),
        ("1.5.5", 3, "a second point"),
        (" 1", 0, "it does not begin with a digit"),
        ("1 ", 1, "something that is no digit"),
        ("1\n", 1, "something that is no digit"),
        ("1_000", 1, "something that is no digit"),
        ("0x1F", 1, "something that is no digit"),
        ("١", 0, "it does not begin with a digit"),
        ("NaN", 0, "it does not begin with a digit"),
        ("inf", 0, "it does not begin with a digit"),
        ("null", 0, "it does not begin with a digit"),
    ] {
        assert_eq!(
            Decimal::parse(text).err(),
            Some(NotADecimal { at, what }),
            "{text:?}"
        );
    }
}

#[test]
fn the_plain_form_has_nothing_that_does_not_count() {
    for (text, plain) in [
        ("0", "0"),
        ("-0", "0"),
        ("-0.000", "0"),
        ("1.50", "1.5"),
        ("-1.0", "-1"),
        ("100", "100"),
        ("100.00", "100"),
        ("0.001", "0.001"),
        ("-0.0010", "-0.001"),
        (
            "0.0000000000000000000000000000000000000000000010",
            "0.000000000000000000000000000000000000000000001",
        ),
        (
            "12345678901234567890123456789012345678901234567890.10",
            "12345678901234567890123456789012345678901234567890.1",
        ),
        ("-0.00000000000000000000000000000000000000000000000", "0"),
    ] {
        assert_eq!(decimal(text).to_string(), plain, "{text}");
    }
}

#[test]
fn differences_are_exact_at_every_edge() {
    for (a, b, difference) in [
        ("0.3", "0.1", "0.2"),
        ("1", "-0", "1"),
        ("-0", "0", "0"),
        ("1.10", "1.1", "0"),
        (
            "999999999999999999",
            "-999999999999999999",
            "1999999999999999998",
        ),
        (
            "999999999999999999",
            "0.000000000000000001",
            "999999999999999998.999999999999999999",
        ),
        (
            "999999999999999999999999999999999999",
            "-999999999999999999999999999999999999",
            "1999999999999999999999999999999999998",
        ),
        (
            "999999999999999999999999999999999999",
            "0.999999999999999999999999999999999999",
            "999999999999999999999999999999999998.000000000000000000000000000000000001",
        ),
        (
            "1234567890123456789012345678901234567890",
            "1234567890123456789012345678901234567889.5",
            "0.5",
        ),
        (
            "10000000000000000000000000000000000000000",
            "1",
            "9999999999999999999999999999999999999999",
        ),
        (
            "1",
            "10000000000000000000000000000000000000000",
            "-9999999999999999999999999999999999999999",
        ),
    ] {
        let found = &decimal(a) - &decimal(b);
        assert_eq!(found.to_string(), difference, "{a} - {b}");
        assert_eq!(found, decimal(difference), "{a} - {b}");
    }
}

#[test]
fn ratios_rank_whatever_the_length() {
    let ratio = |a: &str, b: &str| decimal(a).ratio(&decimal(b));
    let near = |found: f64, wanted: f64| (found / wanted - 1.0).abs() < 1e-14;
    assert!(near(ratio("-1", "0.5"), 2.0));
    assert!(near(ratio("0.001", "1000"), 1e-6));
    let long = "1234567890".repeat(6);
    assert!(near(ratio(&long, &format!("0.{long}")), 1e60));
    assert!(near(ratio(&format!("0.{long}"), &long), 1e-60));
    assert_eq!((ratio("0", "0"), ratio("0", "1")), (0.0, 0.0));
    assert!(ratio("1", "0").is_infinite());
    let huge = "9".repeat(60_000);
    assert!(ratio(&huge, "1").is_infinite());
    assert_eq!(ratio("1", &huge).to_bits(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn arithmetic_is_that_of_the_oracle(a in decimals(), b in decimals()) {
        let (x, y) = (decimal(&a), decimal(&b));
        let (p, q) = (oracle(&a), oracle(&b));
        prop_assert_eq!(oracle(&(&x + &y).to_string()), &p + &q);
        prop_assert_eq!(oracle(&(&x - &y).to_string()), &p - &q);
        prop_assert_eq!(oracle(&(&x * &y).to_string()), &p * &q);
        prop_assert_eq!(oracle(&x.abs().to_string()), p.abs());
        prop_assert_eq!(x.cmp(&y), p.cmp(&q));
        prop_assert_eq!(x.cmp_abs(&y), p.abs().cmp(&q.abs()));
        prop_assert_eq!(x == y, p == q);
        prop_assert_eq!(x.is_negative(), p.sign() == bigdecimal::num_bigint::Sign::Minus);
        prop_assert_eq!(x.is_zero(), p.sign() == bigdecimal::num_bigint::Sign::NoSign);
    }

    #[test]
    fn sums_of_sums_stay_exact(texts in proptest::collection::vec(decimals(), 0..12)) {
        let sum = texts.iter().fold(Decimal::ZERO, |sum, text| &sum + &decimal(text));
        let wanted = texts.iter().fold(BigDecimal::from(0), |sum, text| sum + oracle(text));
        prop_assert_eq!(oracle(&sum.to_string()), wanted);
        let back = texts.iter().fold(sum, |sum, text| &sum - &decimal(text));
        prop_assert!(back.is_zero() && !back.is_negative());
        prop_assert_eq!(back.to_string(), "0");
    }

    #[test]
    fn the_plain_form_is_read_back_and_is_the_same_again(text in decimals()) {
        let plain = decimal(&text).to_string();
        prop_assert_eq!(decimal(&plain), decimal(&text));
        prop_assert_eq!(decimal(&plain).to_string(), plain.clone());
        let has_idle_zeros = plain.contains('.') && plain.ends_with('0');
        prop_assert!(!has_idle_zeros && plain != "-0", "{}", plain);
    }

    #[test]
    fn a_ratio_is_that_of_the_oracle(a in decimals(), b in decimals()) {
        let not_zero = |text: String| if decimal(&text).is_zero() { "7".to_owned() } else { text };
        let (a, b) = (not_zero(a), not_zero(b));
        let (x, y) = (decimal(&a), decimal(&b));
        let exact = (oracle(&a) / oracle(&b)).abs().to_string().parse::<f64>().expect("a double");
        let found = x.ratio(&y);
        prop_assert!((found / exact - 1.0).abs() < 1e-12, "{} {}", found, exact);
    }
}
