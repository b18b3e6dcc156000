use super::super::Keymap;
use super::read;

/// A file, its complaint, and the hint.
type Case = (&'static str, &'static str, &'static str);

const WORDS: &[Case] = &[
    (
        "down = [\"j\"]\n",
        "line 1, column 1: `down` is not known here",
        "write it below a line [keys]",
    ),
    (
        "\npresets = \"vim\"\n",
        "line 2, column 1: `presets` is not known here",
        "did you mean `preset`?",
    ),
    (
        "preset = \"emcas\"\n",
        "line 1, column 11: `emcas` is no preset",
        "did you mean `emacs`?",
    ),
    (
        "preset = 7\n",
        "line 1, column 10: `preset` must be a text",
        "known presets: default, vim, emacs, arrows",
    ),
    (
        "keys = 7\n",
        "line 1, column 8: `keys` must be a table",
        "write [keys] on a line of its own",
    ),
    (
        "[keys]\ndonw = [\"j\"]\n",
        "line 2, column 1: `donw` is nothing that a key can mean",
        "did you mean `down`?",
    ),
    (
        "[keys]\ndown = \"j\"\n",
        "line 2, column 8: `down` must be a list of keys",
        "write down = [\"j\", \"down\"]",
    ),
    (
        "[keys]\ndown = [\"j\", 1]\n",
        "line 2, column 14: a key must be a text",
        "put quotes around it, as in \"1\"",
    ),
    (
        "[keys]\ndown = [\"j\", \"jj\"]\n",
        "line 2, column 15: `jj` is no key",
        "did you mean `j j`?",
    ),
    (
        "[keys]\ndown = [\"pagedown\"]\n",
        "line 2, column 10: `pagedown` is no key",
        "did you mean `pgdn`?",
    ),
    (
        "[keys]\ndown = [\" \"]\n",
        "line 2, column 10: there is no key in it",
        "name one, as in `j`, `ctrl-n` or `g g`; the long one is `space`",
    ),
    (
        "[keys]\ndown = [\"g d o w\"]\n",
        "line 2, column 10: 4 keys in a row are too many",
        "at most 3, as in `g g`",
    ),
    (
        "[keys]\ndown = [\"ctrl-i\"]\n",
        "line 2, column 10: `ctrl-i` cannot be typed in every terminal",
        "ctrl- goes with a letter except i and m, with space, the arrows, pgup, pgdn, home, end",
    ),
    (
        "[keys]\ndown = [\"j\"]\ndown = [\"n\"]\n",
        "line 3, column 1: `down` is given twice",
        "keep one of the two lines",
    ),
];

const CONFLICTS: &[Case] = &[
    (
        "[keys]\nhelp = []\n",
        "line 2, column 1: `help` must have a key",
        "leave the line out, or name a key",
    ),
    (
        "[keys]\nescape = []\n",
        "line 2, column 1: `escape` must have a key",
        "leave the line out, or name a key",
    ),
    (
        "[keys]\nescape = [\"ctrl-g\"]\n",
        "line 2, column 1: `escape` must keep `esc`",
        "name it too, as in escape = [\"esc\", …]",
    ),
    (
        "[keys]\ninterrupt = [\"ctrl-q\"]\n",
        "line 2, column 1: `interrupt` must keep `ctrl-c`",
        "name it too, as in interrupt = [\"ctrl-c\", …]",
    ),
    (
        "[keys]\nact = [\"x\", \"enter\"]\nopen = [\"o\"]\n",
        "line 2, column 14: `enter` opens or means nothing, so that it never writes",
        "choose another key for act",
    ),
    (
        "[keys]\ndown = [\"j\", \"n\"]\n",
        "line 2, column 15: `n` means down here, and next-problem too",
        "choose another key, or take it from next-problem, as in next-problem = []",
    ),
    (
        "[keys]\nzoom = [\"f\"]\nmouse = [\"f\"]\n",
        "line 3, column 11: `f` means mouse here, and zoom too",
        "leave one of the two out",
    ),
    (
        "[keys]\nmouse = [\"f\", \"f\"]\n",
        "line 2, column 16: `f` is given to mouse twice",
        "leave one of the two out",
    ),
    (
        "[keys]\nmouse = [\"?\"]\n",
        "line 2, column 11: `?` means mouse here, and help too",
        "choose another key, or give help one too",
    ),
    (
        "[keys]\nmouse = [\"V\"]\n",
        "line 2, column 11: `V` means mouse here, and verify too",
        "choose another key, or take it from verify, as in verify = []",
    ),
    (
        "preset = \"vim\"\n[keys]\nmouse = [\"Z\"]\nmessages = [\"ctrl-o\"]\n",
        "line 3, column 11: `Z` means mouse, so that `Z Z` for interrupt cannot be typed; line 3, column 11: `Z` means mouse, so that `Z Q` for interrupt cannot be typed; line 4, column 14: `ctrl-o` means messages here, and back too",
        "choose another key, or take it from interrupt, as in interrupt = [\"ctrl-c\", \"Z Q\"]",
    ),
    (
        "[keys]\nmouse = [\"n x\"]\n",
        "line 2, column 11: `n` means next-problem, so that `n x` for mouse cannot be typed",
        "choose another key, or take it from next-problem, as in next-problem = []",
    ),
];

#[test]
fn every_complaint_names_line_and_column() {
    for (text, sentence, hint) in [WORDS, CONFLICTS].concat() {
        let refused = read(text).expect_err(text);
        assert_eq!(refused, (format!("keys.toml, {sentence}"), hint.to_owned()));
    }
    let (sentence, hint) = read("[keys]\ndown = j\n").expect_err("no TOML");
    assert!(
        sentence.starts_with("keys.toml, line 2, column 8: this is not TOML: "),
        "{sentence}"
    );
    assert!(!sentence.contains('\n') && hint.contains("list of keys"));
}

#[test]
fn many_conflicts_are_told_and_counted() {
    let mut text = "[keys]\n".to_owned();
    for intent in [
        "up", "down", "first", "last", "zoom", "mouse", "sort", "why",
    ] {
        text.extend([intent, " = [\"x\"]\n"]);
    }
    let (sentence, _) = read(&text).expect_err("conflicts");
    assert_eq!(sentence.matches("`x` means").count(), 5, "{sentence}");
    assert!(sentence.ends_with("; and 23 more"), "{sentence}");
}

#[test]
fn only_a_plain_and_small_file_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("keys.toml");
    let load = || Keymap::load(Some(&path)).map_err(|error| error.sentence);
    assert_eq!(load().expect("the default").file(), None);
    assert!(Keymap::load(None).is_ok() && Keymap::read(&path).is_err());
    std::fs::create_dir(&path).expect("ours");
    assert!(load().expect_err("a folder").ends_with("is no plain file"));
    std::fs::remove_dir(&path).expect("ours");
    std::os::unix::fs::symlink("nowhere", &path).expect("ours");
    assert!(load().expect_err("a link").contains("cannot be read"));
    std::fs::remove_file(&path).expect("ours");
    std::fs::write(&path, "#".repeat(64 * 1024 + 1)).expect("ours");
    assert!(load().expect_err("large").ends_with("is larger than 64 KB"));
    std::fs::write(&path, b"\xff").expect("ours");
    assert!(load().expect_err("bytes").ends_with("is not UTF-8"));
    std::fs::write(&path, "#".repeat(64 * 1024)).expect("ours");
    assert_eq!(
        load().expect("it fits together").file(),
        Some(path.as_path())
    );
}
