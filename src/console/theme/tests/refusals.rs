//! Files that are no themes: each is refused with its place, and none is waited for.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use super::Own;

#[test]
fn every_complaint_has_its_place() {
    for (text, sentence, hint) in [
        (
            "nam = 1",
            "line 2, column 1: `nam` is no key",
            "did you mean `name`?",
        ),
        (
            "inherits = \"drak\"",
            "line 2, column 13: `drak` is no theme",
            "did you mean `dark`?",
        ),
        (
            "inherits = 7",
            "line 2, column 12: `inherits` must be a text",
            "put quotes around it",
        ),
        (
            "palette = \"red\"",
            "line 2, column 11: `palette` must be a table",
            "write [palette] on a line of its own",
        ),
        (
            "[palette]\nbold = \"red\"",
            "line 3, column 1: `bold` cannot be the name of a colour",
            "take lower-case letters, digits and `-`, and no word that styles have",
        ),
        (
            "[palette]\nred = \"rde\"",
            "line 3, column 8: `rde` is no colour",
            "did you mean `red`?",
        ),
        (
            "[palette]\nred = \"#ff000\"",
            "line 3, column 8: `#ff000` is no colour",
            "a number has six digits, as in #5fafd7",
        ),
        (
            "[tokens]\nstatus.ok = \"red\"",
            "line 3, column 1: `status` is a table",
            "quote the whole name, as in \"status.ok\" = \"green\"",
        ),
        (
            "[tokens]\n\"sttaus.ok\" = \"red\"",
            "line 3, column 1: `sttaus.ok` is no token",
            "did you mean `status.ok`?",
        ),
        (
            "[tokens]\n\"fg\" = \"red\"\n\"fg\" = \"red\"",
            "line 4, column 1: this is not TOML: duplicate key",
            "a line is a name, `=` and a text in quotes, as in \"status.ok\" = \"green bold\"",
        ),
        (
            "[tokens]\n\"fg\" = \"white\"",
            "the token `bg` is missing",
            "define it below [tokens], or inherit the rest, as in inherits = \"dark\"",
        ),
    ] {
        let (said, hinted) = Own::new(&[("t", text)]).refused("t");
        let said = said
            .trim_start_matches("t.toml")
            .trim_start_matches([',', ':', ' ']);
        assert_eq!((said, hinted.as_str()), (sentence, hint));
    }
}

#[test]
fn every_complaint_about_a_style_has_its_word() {
    let dark = "inherits = \"dark\"\n[tokens]\n";
    for (style, column, what, hint) in [
        (
            "\"\"",
            8,
            "the style is empty",
            "begin with a colour, as in \"green bold\"",
        ),
        (
            "\"gren\"",
            9,
            "`gren` is no colour",
            "did you mean `green`?",
        ),
        (
            "\"mrker bold\"",
            9,
            "`mrker` is no colour",
            "did you mean `marker`?",
        ),
        (
            "\"ok on  blak\"",
            16,
            "`blak` is no colour",
            "did you mean `black`?",
        ),
        (
            "\"ok on\"",
            12,
            "`on` wants a colour after it",
            "name the background, or leave `on` out",
        ),
        (
            "\"ok bald\"",
            12,
            "`bald` is no modifier",
            "did you mean `bold`?",
        ),
        (
            "'''\nok bald'''",
            4,
            "`bald` is no modifier",
            "did you mean `bold`?",
        ),
    ] {
        let (said, hinted) = Own::new(&[("t", &format!("{dark}\"fg\" = {style}"))]).refused("t");
        assert!(
            said.contains(&format!("column {column}: {what}")),
            "{style} {said}"
        );
        assert_eq!(hinted, hint);
    }
    let (said, hint) = Own::new(&[("t", &format!("{dark}\"bg\" = \"black bold\""))]).refused("t");
    assert_eq!(
        (said.as_str(), hint.as_str()),
        (
            "t.toml, line 4, column 15: `bg` is a background: one colour",
            "leave the rest out"
        )
    );
}

#[test]
fn a_name_is_that_of_the_file() {
    let own = Own::new(&[("a", ""), ("b", "inherits = \"dark\"")]);
    fs::copy(own.path("b"), own.path("c")).unwrap();
    fs::write(own.path("d"), "inherits = \"dark\"").unwrap();
    let wrong = (
        "c.toml, line 1, column 9: the name is not that of the file",
        "write name = \"c\"",
    );
    let none = (
        "d.toml, line 1, column 1: the theme has no name",
        "write name = \"d\"",
    );
    for (name, (said, hint)) in [("c", wrong), ("d", none)] {
        assert_eq!(own.refused(name), (said.to_owned(), hint.to_owned()));
    }
    for name in [
        "",
        "../b",
        "a/b",
        "B",
        "b.toml",
        "b\u{1b}[31m",
        &"b".repeat(41),
    ] {
        assert!(
            own.refused(name).0.starts_with("there is no theme "),
            "{name}"
        );
    }
}

#[test]
fn a_chain_without_an_end_is_refused() {
    let own = Own::new(&[
        ("a", "inherits = \"b\""),
        ("b", "inherits = \"c\""),
        ("c", "inherits = \"a\""),
        ("self", "inherits = \"self\""),
    ]);
    let said = "c.toml, line 2, column 13: `a` inherits from this theme itself";
    assert_eq!(own.refused("a").0, said);
    assert_eq!(
        own.refused("self").0,
        "self.toml, line 2, column 13: `self` inherits from this theme itself"
    );
}

#[test]
fn what_is_no_small_plain_file_is_refused() {
    let own = Own::new(&[("good", "inherits = \"dark\"")]);
    let made = Command::new("mkfifo")
        .arg(own.path("pipe"))
        .status()
        .unwrap();
    assert!(made.success());
    fs::create_dir(own.path("folder")).unwrap();
    symlink("/dev/zero", own.path("zero")).unwrap();
    symlink("loop.toml", own.path("loop")).unwrap();
    symlink("nowhere", own.path("gone")).unwrap();
    symlink(own.path("pipe"), own.path("dark")).unwrap();
    fs::write(own.path("huge"), "#".repeat(65 * 1024)).unwrap();
    fs::write(own.path("deep"), "a = ".to_owned() + &"[".repeat(60_000)).unwrap();
    fs::write(own.path("bytes"), b"name = \"\xff\"").unwrap();
    for (name, said) in [
        ("pipe", "is no plain file"),
        ("folder", "is no plain file"),
        ("zero", "is no plain file"),
        ("dark", "is no plain file"),
        ("loop", "cannot be read"),
        ("gone", "cannot be read"),
        ("huge", "is larger than 64 KB"),
        ("bytes", "is not UTF-8"),
        ("deep", "this is not TOML"),
        ("good", "is no plain file"),
    ] {
        assert!(
            own.refused(name).0.contains(said),
            "{name} {:?}",
            own.refused(name)
        );
    }
}
