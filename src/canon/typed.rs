//! Canonical JSON of typed values.

use serde::Serialize;
use serde::ser::{self, Error as _, Serializer};
use thiserror::Error;

use super::error::JsonError;

/// Says why a value has no canonical form.
#[derive(Debug, Error)]
pub enum ValueError {
    /// The value refused to be serialised, or holds a NaN or an infinite number.
    #[error("the value has no JSON form: {0}")]
    Serialise(#[from] serde_json::Error),
    /// The value's JSON is outside the strict subset: equal keys, too deep, an inexact integer.
    #[error("the value has no canonical JSON form: {}", .0.what)]
    Refused(#[from] JsonError),
}

/// Gives the canonical form of a typed value.
///
/// It is as strict as [`canonical_exact`](super::canonical_exact), since cards and other
/// artefacts are made this way: integers beyond ±(2^53−1) are refused, and so is a NaN or an
/// infinite number, which plain JSON writers turn into `null` without a word.
pub fn canonical_of<T>(value: &T) -> Result<Vec<u8>, ValueError>
where
    T: Serialize + ?Sized,
{
    value.serialize(Finite)?;
    Ok(super::canonical_exact(&serde_json::to_vec(value)?)?)
}

/// Walks a value only to find numbers that are not finite.
struct Finite;

type Done = Result<(), serde_json::Error>;

fn finite(number: f64) -> Done {
    if number.is_finite() {
        return Ok(());
    }
    Err(serde_json::Error::custom(format!(
        "{number} is not a finite number"
    )))
}

/// Accepts the listed leaves without a look.
macro_rules! accept {
    ($($method:ident($($argument:ty),*))*) => {
        $(fn $method(self, $(_: $argument),*) -> Done { Ok(()) })*
    };
}

/// Opens the listed compounds.
macro_rules! open {
    ($($method:ident($($argument:ty),*))*) => {
        $(fn $method(self, $(_: $argument),*) -> Result<Self, serde_json::Error> { Ok(self) })*
    };
}

impl Serializer for Finite {
    type Ok = ();
    type Error = serde_json::Error;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    accept! {
        serialize_bool(bool) serialize_char(char) serialize_str(&str) serialize_bytes(&[u8])
        serialize_i8(i8) serialize_i16(i16) serialize_i32(i32) serialize_i64(i64) serialize_i128(i128)
        serialize_u8(u8) serialize_u16(u16) serialize_u32(u32) serialize_u64(u64) serialize_u128(u128)
        serialize_none() serialize_unit() serialize_unit_struct(&'static str)
        serialize_unit_variant(&'static str, u32, &'static str)
    }

    open! {
        serialize_seq(Option<usize>) serialize_tuple(usize) serialize_map(Option<usize>)
        serialize_tuple_struct(&'static str, usize) serialize_struct(&'static str, usize)
        serialize_tuple_variant(&'static str, u32, &'static str, usize)
        serialize_struct_variant(&'static str, u32, &'static str, usize)
    }

    fn serialize_f32(self, number: f32) -> Done {
        finite(f64::from(number))
    }

    fn serialize_f64(self, number: f64) -> Done {
        finite(number)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Done {
        value.serialize(Self)
    }

    fn serialize_newtype_struct<T>(self, _: &'static str, value: &T) -> Done
    where
        T: Serialize + ?Sized,
    {
        value.serialize(Self)
    }

    fn serialize_newtype_variant<T>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &T,
    ) -> Done
    where
        T: Serialize + ?Sized,
    {
        value.serialize(Self)
    }
}

/// Looks into the parts of the listed compounds.
macro_rules! look_into {
    ($($compound:ident { $($method:ident($($name:ty)?))* })*) => {
        $(impl ser::$compound for Finite {
            type Ok = ();
            type Error = serde_json::Error;

            $(fn $method<T: Serialize + ?Sized>(&mut self, $(_: $name,)? value: &T) -> Done {
                value.serialize(Finite)
            })*

            fn end(self) -> Done {
                Ok(())
            }
        })*
    };
}

look_into! {
    SerializeSeq { serialize_element() }
    SerializeTuple { serialize_element() }
    SerializeTupleStruct { serialize_field() }
    SerializeTupleVariant { serialize_field() }
    SerializeMap { serialize_key() serialize_value() }
    SerializeStruct { serialize_field(&'static str) }
    SerializeStructVariant { serialize_field(&'static str) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[derive(Serialize)]
    struct Unit;

    #[derive(Serialize)]
    struct Newtype(f64);

    #[derive(Serialize)]
    struct Pair(u8, f64);

    #[derive(Serialize)]
    enum Choice {
        Unit,
        One(f64),
        Two(u8, f64),
        Named { value: f64 },
    }

    #[derive(Serialize)]
    struct Card<'a> {
        title: &'a str,
        amount: f64,
        tags: Vec<Option<char>>,
        choice: Choice,
    }

    #[derive(Serialize)]
    struct Inner {
        name: u8,
    }

    #[derive(Serialize)]
    struct Outer {
        name: u8,
        #[serde(flatten)]
        inner: Inner,
    }

    fn written<T: Serialize + ?Sized>(value: &T) -> String {
        String::from_utf8(canonical_of(value).unwrap()).unwrap()
    }

    #[test]
    fn typed_values_are_written_canonically() {
        let card = Card {
            title: "a\u{7}\"",
            amount: 1e21,
            tags: vec![Some('x'), None],
            choice: Choice::Named { value: -0.0 },
        };
        assert_eq!(
            written(&card),
            r#"{"amount":1e+21,"choice":{"Named":{"value":0}},"tags":["x",null],"title":"a\u0007\""}"#
        );
        let everything = (
            (true, 'c', "s", Unit, ()),
            (
                i8::MIN,
                i16::MIN,
                i32::MIN,
                -9_007_199_254_740_991_i64,
                7_i128,
            ),
            (
                u8::MAX,
                u16::MAX,
                u32::MAX,
                9_007_199_254_740_991_u64,
                7_u128,
            ),
            (1.5_f32, Newtype(2.0), Pair(1, 3.25), Some(0.1)),
            (Choice::Unit, Choice::One(1.0), Choice::Two(2, 2.0)),
            BTreeMap::from([("b", 1), ("a", 2)]),
        );
        assert_eq!(
            written(&everything),
            concat!(
                r#"[[true,"c","s",null,null],[-128,-32768,-2147483648,-9007199254740991,7],"#,
                r#"[255,65535,4294967295,9007199254740991,7],[1.5,2,[1,3.25],0.1],"#,
                r#"["Unit",{"One":1},{"Two":[2,2]}],{"a":2,"b":1}]"#
            )
        );
        assert_eq!(written("text"), "\"text\"");
    }

    #[test]
    fn numbers_that_are_not_finite_are_refused_wherever_they_hide() {
        fn refused<T: Serialize>(value: T) {
            let error = canonical_of(&value).unwrap_err();
            assert!(matches!(error, ValueError::Serialise(_)), "{error}");
            assert!(error.to_string().contains("not a finite number"), "{error}");
        }
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            refused(bad);
            refused(vec![0.0, bad]);
            refused((1, bad));
            refused(Some(bad));
            refused(BTreeMap::from([("a", bad)]));
            refused(Newtype(bad));
            refused(Pair(1, bad));
            refused(Choice::One(bad));
            refused(Choice::Two(1, bad));
            refused(Choice::Named { value: bad });
            refused(Card {
                title: "",
                amount: bad,
                tags: vec![],
                choice: Choice::Unit,
            });
        }
        refused(f32::NAN);
        assert_eq!(
            written(&[f64::MAX, f64::MIN_POSITIVE, f64::from(f32::MAX)])
                .matches('e')
                .count(),
            3
        );
    }

    #[test]
    fn what_two_values_would_share_is_refused() {
        for integer in [9_007_199_254_740_992_i64, i64::MAX, i64::MIN] {
            let error = canonical_of(&[integer]).unwrap_err();
            assert!(matches!(error, ValueError::Refused(_)), "{error}");
            assert!(error.to_string().contains("2^53-1"), "{error}");
        }
        assert!(canonical_of(&u128::MAX).is_err());
        let error = canonical_of(&Outer {
            name: 1,
            inner: Inner { name: 2 },
        })
        .unwrap_err();
        assert!(
            error.to_string().contains("duplicate key \"name\""),
            "{error}"
        );
    }

    #[test]
    fn a_value_that_refuses_is_passed_on() {
        let keys = BTreeMap::from([(vec![1], 1)]);
        assert!(matches!(canonical_of(&keys), Err(ValueError::Serialise(_))));
    }
}
