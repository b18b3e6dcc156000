//! The canonical form against an independent implementation.

use proptest::prelude::*;
use serde_json::Value;

use super::super::{canonical, canonical_exact, canonical_of};
use super::{Dice, document, oracle_bytes, render, text};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn any_rendering_gives_the_bytes_of_the_oracle(value in document(), seed in 1_u64..) {
        let mut json = String::new();
        render(&value, &mut Dice(seed), &mut json);
        let expected = oracle_bytes(&value);
        prop_assert_eq!(&canonical(json.as_bytes()).unwrap(), &expected, "{}", json);
        prop_assert_eq!(&canonical(&expected).unwrap(), &expected, "not a fixed point");
        // Doubles beyond 2^53 print as integers, which the exact reader then refuses; so does it here.
        if let Ok(written) = canonical_exact(json.as_bytes()) {
            prop_assert_eq!(&written, &expected);
        }
        if let Ok(written) = canonical_of(&value) {
            prop_assert_eq!(&written, &expected);
        }
    }

    #[test]
    fn any_text_survives(text in text(), seed in 1_u64..) {
        let mut json = String::new();
        super::render_text(&text, &mut Dice(seed), &mut json);
        let written = canonical(json.as_bytes()).unwrap();
        prop_assert_eq!(serde_json::from_slice::<String>(&written).unwrap(), text.as_str());
        prop_assert_eq!(written, oracle_bytes(&Value::from(text)));
    }

    #[test]
    fn arbitrary_bytes_never_panic_and_agree_with_a_lenient_reader(bytes in prop::collection::vec(
        prop_oneof![prop::sample::select(b"{}[]\",:\\u0019aedf.-+ \n\xc3\xa9tru".to_vec()), any::<u8>()], 0..40,
    )) {
        // What is accepted here every reader accepts; the other way round it need not be so.
        if let Ok(written) = canonical(&bytes) {
            let value: Value = serde_json::from_slice(&bytes).unwrap();
            prop_assert_eq!(written, oracle_bytes(&value));
        }
    }

    #[test]
    fn damaged_documents_never_panic(value in document(), seed in 1_u64.., at in any::<usize>(), byte in any::<u8>()) {
        let mut json = String::new();
        render(&value, &mut Dice(seed), &mut json);
        let mut bytes = json.into_bytes();
        if !bytes.is_empty() {
            let at = at % bytes.len();
            bytes[at] = byte;
            if let Ok(written) = canonical(&bytes) {
                let read: Value = serde_json::from_slice(&bytes).unwrap();
                prop_assert_eq!(written, oracle_bytes(&read));
            }
            if let Err(error) = canonical(&bytes[..at]) {
                prop_assert!(error.line >= 1 && error.column >= 1);
            }
        }
    }
}

#[test]
fn any_double_survives() {
    let mut dice = Dice(0x5DEE_CE66);
    for round in 0..200_000 {
        dice.roll(2);
        let double = f64::from_bits(dice.0 ^ dice.0.rotate_left(round % 64));
        if !double.is_finite() {
            continue;
        }
        let written = canonical(format!("{double:e}").as_bytes()).unwrap();
        let text = std::str::from_utf8(&written).unwrap();
        let back: f64 = text.parse().unwrap();
        assert!(
            back.to_bits() == double.to_bits() || (back == 0.0 && double == 0.0),
            "{double:e}"
        );
        assert_eq!(text, ryu_js::Buffer::new().format(double));
    }
}

#[test]
fn money_like_decimals_round_as_the_standard_library_does() {
    let mut dice = Dice(42);
    for _ in 0..100_000 {
        let text = format!("{}.{:06}", dice.roll(100_000_000), dice.roll(1_000_000));
        let written = canonical(text.as_bytes()).unwrap();
        let expected = ryu_js::Buffer::new()
            .format(text.parse::<f64>().unwrap())
            .to_owned();
        assert_eq!(written, expected.as_bytes(), "{text}");
    }
}

#[test]
fn lone_tokens_are_documents_too() {
    for (json, expected) in [
        (" null ", "null"),
        ("-0", "0"),
        ("\"\"", "\"\""),
        ("1.0", "1"),
    ] {
        assert_eq!(super::canon(json), expected);
    }
}
