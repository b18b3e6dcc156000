use proptest::prelude::*;

use super::*;

fn kinds(text: &str, dialect: Dialect) -> Vec<(Kind, &str)> {
    let found = tokens(text, dialect).unwrap();
    found
        .into_iter()
        .filter(|token| token.kind != Kind::Blank)
        .map(|token| (token.kind, token.text))
        .collect()
}

#[test]
fn what_looks_like_an_end_inside_a_token_is_none() {
    use Dialect::{Postgres, Sqlite};
    use Kind::{Dollar, Name, Sign, Text, Word};
    type Expected = [(Kind, &'static str)];
    let table: &[(&str, Dialect, &Expected)] = &[
        ("'a''b;'", Postgres, &[(Text, "'a''b;'")]),
        (r"'a\'", Postgres, &[(Text, r"'a\'")]),
        (r"E'a\'b;'", Postgres, &[(Text, r"E'a\'b;'")]),
        (
            "e'a'\n -- x\n'b\\'c'",
            Postgres,
            &[(Text, "e'a'\n -- x\n'b\\'c'")],
        ),
        ("e'a' 'b'", Postgres, &[(Text, "e'a'"), (Text, "'b'")]),
        (r"fe'a\'", Postgres, &[(Word, "fe"), (Text, r"'a\'")]),
        ("\"a\"\";\"", Postgres, &[(Name, "\"a\"\";\"")]),
        ("$$;$$", Postgres, &[(Dollar, "$$;$$")]),
        (
            "$a$ $$ $b$ ; $a$",
            Postgres,
            &[(Dollar, "$a$ $$ $b$ ; $a$")],
        ),
        ("a$b$c", Postgres, &[(Word, "a$b$c")]),
        ("/* a /* ; */ ; */ x", Postgres, &[(Word, "x")]),
        ("/* a /* */ x", Sqlite, &[(Word, "x")]),
        ("-- a\rx", Postgres, &[(Word, "x")]),
        ("-- a\rx", Sqlite, &[]),
        ("[a;]`b;`", Sqlite, &[(Name, "[a;]"), (Name, "`b;`")]),
        (
            "a[1]",
            Postgres,
            &[(Word, "a"), (Sign, "["), (Kind::Number, "1"), (Sign, "]")],
        ),
        (
            "1e'\\''",
            Postgres,
            &[(Kind::Number, "1"), (Text, "e'\\''")],
        ),
    ];
    for (text, dialect, expected) in table {
        assert_eq!(kinds(text, *dialect), *expected, "{text}");
    }
}

#[test]
fn what_does_not_end_is_said_with_its_place() {
    for (text, dialect, at) in [
        ("a 'b", Dialect::Postgres, 2),
        ("a \"b", Dialect::Sqlite, 2),
        ("/* /* */", Dialect::Postgres, 0),
        ("x /*", Dialect::Sqlite, 2),
        ("$a$ $b$", Dialect::Postgres, 0),
        ("E'a\\'", Dialect::Postgres, 1),
        ("[a", Dialect::Sqlite, 0),
        ("a\0b", Dialect::Sqlite, 1),
        ("\u{feff}SELECT", Dialect::Sqlite, 0),
    ] {
        assert_eq!(tokens(text, dialect).unwrap_err().at, at, "{text}");
    }
}

#[test]
fn a_string_is_read_without_its_quotes() {
    for (text, content) in [
        ("'a''b'", "a'b"),
        ("E'a\\'b'", "a'b"),
        ("$x$a'b$x$", "a'b"),
        ("$$$$", ""),
        ("''", ""),
        ("\"A\"\"b\"", "A\"b"),
    ] {
        assert_eq!(
            tokens(text, Dialect::Postgres).unwrap()[0].content(),
            content,
            "{text}"
        );
    }
}

proptest! {
    #[test]
    fn no_byte_is_lost(text in r#"([a-zé ;'"$\\\[\]`()/*\-\n\r:eE]|\$\$|\$a\$|--|/\*|\*/){0,60}"#) {
        for dialect in [Dialect::Postgres, Dialect::Sqlite] {
            if let Ok(found) = tokens(&text, dialect) {
                let whole: String = found.iter().map(|token| token.text).collect();
                prop_assert_eq!(&whole, &text);
            }
        }
    }
}
