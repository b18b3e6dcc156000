//! Closed vocabularies: an enum whose variants are the words that databases, JSON and people see.

/// Declares an enum together with its words, so that no word is spelled twice.
macro_rules! words {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$variant_meta])* $variant,)+ }

        impl $name {
            /// All values, in their fixed order.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// Returns the word that stands for the value everywhere outside the code.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $($name::$variant => $word),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                out.pad(self.word())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::rules::Refusal;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                $name::ALL.iter().copied().find(|value| value.word() == text).ok_or_else(|| {
                    let all: Vec<_> = $name::ALL.iter().map(|value| value.word()).collect();
                    $crate::rules::Refusal::new(
                        format!("{text:?} is no {}", $crate::rules::text::spaced(stringify!($name))),
                        format!("one of: {}", all.join(", ")),
                    )
                })
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.word())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let word = <String as serde::Deserialize>::deserialize(deserializer)?;
                word.parse().map_err(|refusal: $crate::rules::Refusal| serde::de::Error::custom(refusal.sentence))
            }
        }
    };
}

pub(crate) use words;
