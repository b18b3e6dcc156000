//! The house rules that a compiler cannot check, read off the source files; and a bad sample for each, so that this guard
//! is known to be able to fail.

use std::fs;
use std::path::{Path, PathBuf};

/// The floors in their order, each with what the ground floors may use; the others may use everything before them.
const FLOORS: &[(&str, Uses)] = &[
    ("canon", Uses::Only(&[])),
    ("clock", Uses::Only(&[])),
    ("settings", Uses::Only(&[])),
    ("rules", Uses::Only(&["canon", "clock"])),
    ("signing", Uses::Only(&["canon", "clock", "rules"])),
    ("store", Uses::EverythingBefore),
    ("bundles", Uses::EverythingBefore),
    ("actions", Uses::EverythingBefore),
    ("evidence", Uses::EverythingBefore),
    ("jobs", Uses::EverythingBefore),
    ("readback", Uses::EverythingBefore),
    ("agent", Uses::EverythingBefore),
    ("demo", Uses::EverythingBefore),
    ("console", Uses::EverythingBefore),
    ("cli", Uses::EverythingBefore),
    ("main", Uses::EverythingBefore),
];

enum Uses {
    Only(&'static [&'static str]),
    EverythingBefore,
}

/// How long a file may be before it should become two.
const MOST_LINES_OF_SOURCE: usize = 420;
const MOST_LINES_OF_TESTS: usize = 560;

/// A file of `src` or `tests`, by its path from the project's folder.
struct SourceFile {
    path: String,
    text: String,
}

impl SourceFile {
    fn is_source(&self) -> bool {
        self.path.starts_with("src/")
    }

    /// The part of the path below `src/`, without `.rs` and `/mod`, as modules: `["store", "tx"]`.
    fn modules(&self) -> Vec<&str> {
        let below = self
            .path
            .strip_prefix("src/")
            .unwrap_or(&self.path)
            .trim_end_matches(".rs");
        let mut modules: Vec<_> = below.split('/').collect();
        modules.pop_if(|last| *last == "mod");
        modules
    }
}

fn read_all(folder: &str) -> Vec<SourceFile> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut folders = vec![root.join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the folder is there") {
            let path: PathBuf = entry.expect("the entry is readable").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let name = path.strip_prefix(root).expect("it lies below");
                found.push(SourceFile {
                    path: name.to_string_lossy().replace('\\', "/"),
                    text: fs::read_to_string(&path).expect("the file is text"),
                });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// Blanks comments, strings and characters, so that only code is left, line by line where it was.
fn code_of(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    while at < characters.len() {
        let end = end_of_blank(&characters, at);
        if end == at {
            code.push(characters[at]);
            at += 1;
        } else {
            code.extend(
                characters[at..end]
                    .iter()
                    .map(|c| if *c == '\n' { '\n' } else { ' ' }),
            );
            at = end;
        }
    }
    code
}

/// Finds where the comment, string or character that begins at `at` ends; `at` itself when none begins there.
fn end_of_blank(text: &[char], at: usize) -> usize {
    let rest = &text[at..];
    let find = |from: usize, wanted: &str| {
        let wanted: Vec<char> = wanted.chars().collect();
        (from..text.len())
            .find(|place| text[*place..].starts_with(&wanted))
            .map_or(text.len(), |place| place + wanted.len())
    };
    let part_of_a_name = at > 0 && (text[at - 1].is_alphanumeric() || text[at - 1] == '_');
    match rest {
        ['/', '/', ..] => rest
            .iter()
            .position(|c| *c == '\n')
            .map_or(text.len(), |line| at + line),
        ['/', '*', ..] => find(at + 2, "*/"),
        ['r', '"' | '#', ..] if !part_of_a_name => {
            let signs = rest[1..].iter().take_while(|c| **c == '#').count();
            if rest.get(1 + signs) == Some(&'"') {
                find(at + signs + 2, &format!("\"{}", "#".repeat(signs)))
            } else {
                at
            }
        }
        ['"', ..] => end_of_quoted(text, at, '"'),
        ['\'', '\\', ..] | ['\'', _, '\'', ..] => end_of_quoted(text, at, '\''),
        _ => at,
    }
}

fn end_of_quoted(text: &[char], at: usize, quote: char) -> usize {
    let mut place = at + 1;
    while place < text.len() && text[place] != quote {
        place += if text[place] == '\\' { 2 } else { 1 };
    }
    (place + 1).min(text.len())
}

/// Blanks every item under `#[cfg(test)]`.
fn without_tests(code: &str) -> String {
    let mut left = code.to_owned();
    while let Some(start) = left.find("#[cfg(test)]") {
        let end = end_of_item(&left, start + "#[cfg(test)]".len());
        let blank: String = left[start..end]
            .chars()
            .map(|c| if c == '\n' { '\n' } else { ' ' })
            .collect();
        left.replace_range(start..end, &blank);
    }
    left
}

fn end_of_item(code: &str, from: usize) -> usize {
    let mut depth = 0;
    for (offset, character) in code[from..].char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 1 => return from + offset + 1,
            '}' => depth -= 1,
            ';' if depth == 0 => return from + offset + 1,
            _ => {}
        }
    }
    code.len()
}

/// Lists the files that are declared as `#[cfg(test)] mod name;`, and those below them.
fn test_only(files: &[SourceFile]) -> Vec<String> {
    let mut prefixes = Vec::new();
    for file in files {
        let code = code_of(&file.text);
        let folder = match file.path.strip_suffix("/mod.rs") {
            Some(folder) => folder.to_owned(),
            None => file
                .path
                .trim_end_matches(".rs")
                .trim_end_matches("/lib")
                .to_owned(),
        };
        for after in code.split("#[cfg(test)]").skip(1) {
            if let Some(name) = after.trim_start().strip_prefix("mod ")
                && let Some((name, _)) = name.split_once(';')
                && !name.contains('{')
            {
                prefixes.push(format!("{folder}/{}", name.trim()));
            }
        }
    }
    prefixes
}

/// Splits code into names and single signs, each with its line.
fn tokens(code: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    for (number, line) in code.lines().enumerate() {
        let mut rest = line.trim_start();
        while let Some(first) = rest.chars().next() {
            let is_name = |c: char| c.is_alphanumeric() || c == '_';
            let length = if is_name(first) {
                rest.find(|c| !is_name(c)).unwrap_or(rest.len())
            } else if rest.starts_with("::") {
                2
            } else {
                first.len_utf8()
            };
            found.push((number + 1, &rest[..length]));
            rest = rest[length..].trim_start();
        }
    }
    found
}

/// Lists what the code names directly below the crate's root: `store` in `crate::store::Tx`, in `use crate::{store, …}`,
/// and in `super::super::store` where that leads to the root.
fn named_floors<'a>(file: &SourceFile, tokens: &[(usize, &'a str)]) -> Vec<(usize, &'a str)> {
    let depth = file.modules().len();
    let word = |at: usize| tokens.get(at).map_or("", |(_, word)| *word);
    let mut named = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let path_goes_on = word(at + 1) == "::";
        let mut next = at + 1;
        let from_root = match word(at) {
            "crate" | "govdeck" => true,
            "super" => {
                let mut climbed = 1;
                while word(next) == "::" && word(next + 1) == "super" {
                    climbed += 1;
                    next += 2;
                }
                // A module inside the file climbs one step to reach the file's own.
                climbed >= depth && FLOORS.iter().any(|(floor, _)| *floor == word(next + 1))
            }
            _ => false,
        };
        if from_root && path_goes_on {
            named.extend(first_names(tokens, next + 1));
        } else if from_root && word(at + 1) == "as" {
            named.push((tokens[at].0, "as"));
        }
        at = next;
    }
    named
}

/// Lists the first name of the path at `at`, or of every path of the group there.
fn first_names<'a>(tokens: &[(usize, &'a str)], at: usize) -> Vec<(usize, &'a str)> {
    if tokens.get(at).is_none_or(|(_, word)| *word != "{") {
        return tokens.get(at).copied().into_iter().collect();
    }
    let mut names = Vec::new();
    let (mut depth, mut first) = (0, true);
    for (line, word) in &tokens[at..] {
        match *word {
            "{" => depth += 1,
            "}" if depth == 1 => break,
            "}" => depth -= 1,
            "," if depth == 1 => first = true,
            word if depth == 1 && first => {
                names.push((*line, word));
                first = false;
            }
            _ => {}
        }
    }
    names
}

fn may_use(floor: &str, other: &str) -> bool {
    let place = |name: &str| FLOORS.iter().position(|(floor, _)| *floor == name);
    match (place(floor), place(other)) {
        (Some(here), Some(there)) if here == there => true,
        (Some(here), Some(there)) => match FLOORS[here].1 {
            Uses::Only(few) => few.contains(&other),
            Uses::EverythingBefore => there < here,
        },
        _ => false,
    }
}

/// Finds floors that a file names and may not.
fn wrong_floors(file: &SourceFile) -> Vec<String> {
    let modules = file.modules();
    let floor = modules.first().copied().unwrap_or_default();
    if floor == "lib" {
        return Vec::new();
    }
    if !FLOORS.iter().any(|(known, _)| *known == floor) {
        return vec![format!("{}: {floor} is no floor of the house", file.path)];
    }
    let code = code_of(&file.text);
    named_floors(file, &tokens(&code))
        .into_iter()
        .filter(|(_, other)| !may_use(floor, other))
        .map(|(line, other)| format!("{}:{line}: {floor} may not name {other}", file.path))
        .collect()
}

/// A sequence of words that may stand in one place only.
struct Confined {
    words: &'static str,
    /// Paths that begin like this may hold it; several are parted by blanks.
    only_in: &'static str,
    /// Whether what is compiled for tests only may hold it.
    in_tests: bool,
    why: &'static str,
}

const NOWHERE: &str = "(nowhere)";

const fn never(words: &'static str, only_in: &'static str, why: &'static str) -> Confined {
    Confined {
        words,
        only_in,
        in_tests: false,
        why,
    }
}

const fn in_tests(words: &'static str, only_in: &'static str, why: &'static str) -> Confined {
    Confined {
        in_tests: true,
        ..never(words, only_in, why)
    }
}

const CONFINED: &[Confined] = &[
    never(
        "sqlx",
        "src/store/ src/bundles/sql/ src/bundles/driver/search/",
        "only the store and what runs bundles know sqlx",
    ),
    never("Utc :: now", "src/clock.rs", "only the clock tells time"),
    never("Local :: now", "src/clock.rs", "only the clock tells time"),
    never(
        "SystemTime :: now",
        "src/clock.rs",
        "only the clock tells time",
    ),
    never("# [ allow (", NOWHERE, "use expect, with a reason"),
    never("# ! [ allow (", NOWHERE, "use expect, with a reason"),
    in_tests(". unwrap ( )", NOWHERE, "an error is handed on"),
    in_tests(". expect (", NOWHERE, "an error is handed on"),
    in_tests("panic !", NOWHERE, "nothing panics on purpose"),
    in_tests("unreachable !", NOWHERE, "nothing panics on purpose"),
    in_tests("todo !", NOWHERE, "nothing is left undone"),
    in_tests("unimplemented !", NOWHERE, "nothing is left undone"),
    in_tests("println !", "src/cli/", "only the front door prints"),
    in_tests("eprintln !", "src/cli/", "only the front door prints"),
    in_tests("print !", "src/cli/", "only the front door prints"),
    in_tests("eprint !", "src/cli/", "only the front door prints"),
    in_tests("dbg !", NOWHERE, "only the front door prints"),
];

/// Finds words that stand where they may not; `test_file` tells whether the whole file is compiled for tests only.
fn misplaced(file: &SourceFile, test_file: bool) -> Vec<String> {
    let code = code_of(&file.text);
    let bare = if test_file {
        String::new()
    } else {
        without_tests(&code)
    };
    let (all, bare) = (tokens(&code), tokens(&bare));
    let mut found = Vec::new();
    for confined in CONFINED {
        let mut places = confined.only_in.split(' ');
        if places.any(|place| file.path.starts_with(place)) {
            continue;
        }
        let words: Vec<&str> = confined.words.split(' ').collect();
        let tokens = if confined.in_tests { &bare } else { &all };
        for window in tokens.windows(words.len()) {
            if window.iter().map(|(_, word)| word).eq(words.iter()) {
                let place = format!("{}:{}", file.path, window[0].0);
                found.push(format!("{place}: {}: {}", words.concat(), confined.why));
            }
        }
    }
    found
}

fn too_long(file: &SourceFile) -> Option<String> {
    let most = if file.is_source() {
        MOST_LINES_OF_SOURCE
    } else {
        MOST_LINES_OF_TESTS
    };
    let lines = file.text.lines().count();
    (lines > most).then(|| format!("{}: {lines} lines, at most {most} are kept", file.path))
}

#[test]
fn no_floor_names_a_higher_one() {
    let files = read_all("src");
    assert!(files.len() > 40, "the sources were read");
    let found: Vec<_> = files.iter().flat_map(wrong_floors).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn everything_stands_where_it_may() {
    let files = read_all("src");
    let tests = test_only(&files);
    assert!(tests.iter().any(|path| path == "src/canon/tests"));
    let is_test = |path: &str| {
        tests.iter().any(|prefix| {
            path.strip_prefix(prefix.as_str())
                .is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
        })
    };
    let found: Vec<_> = files
        .iter()
        .flat_map(|file| misplaced(file, is_test(&file.path)))
        .collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn no_file_is_too_long() {
    let found: Vec<_> = read_all("src")
        .iter()
        .chain(&read_all("tests"))
        .filter_map(too_long)
        .collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

fn sample(path: &str, text: &str) -> SourceFile {
    SourceFile {
        path: path.to_owned(),
        text: text.to_owned(),
    }
}

/// Reads one sample a line, as `path below src | text`; a `¶` stands for a line's end.
fn samples(table: &str) -> Vec<SourceFile> {
    let one = |line: &str| {
        let (path, text) = line.split_once('|').expect("a bar");
        sample(&format!("src/{}", path.trim()), &text.replace('¶', "\n"))
    };
    let found: Vec<_> = table.trim().lines().map(one).collect();
    assert!(!found.is_empty());
    found
}

#[test]
fn a_wrong_floor_is_found_however_it_is_spelled() {
    let wrong = r"
        canon/tree.rs    | use crate::clock::Moment;
        clock.rs         | use crate::rules;
        rules/block.rs   | fn f() { crate::store::open(); }
        rules/block.rs   | use super::super::settings::Dsn;
        settings/mod.rs  | use super::canon;
        signing/key.rs   | use crate::settings::Settings;
        signing/file.rs  | use crate::store::View;
        store/mod.rs     | use crate::{canon, rules::{block, text}, actions::Request};
        store/mod.rs     | use crate::{¶    canon,¶    cli,¶};
        actions/mod.rs   | pub use govdeck::console::Model;
        agent/mod.rs     | macro_rules! m { () => { $crate::demo::go() } }
        cli/mod.rs       | use crate::*;
        cli/mod.rs       | use crate as everything;
        cli/mod.rs       | use crate::helpers;
        helpers.rs       |
    ";
    for file in samples(wrong) {
        assert_eq!(wrong_floors(&file).len(), 1, "{} {}", file.path, file.text);
    }
    let right = r#"
        main.rs               | fn main() { govdeck::cli::main() }
        lib.rs                | pub mod store; pub mod cli;
        rules/block.rs        | use crate::{canon::Digest, clock::Moment};
        rules/block.rs        | // crate::store¶const A: &str = "crate::store"; use super::words;
        store/tx.rs           | use super::ledger::{self, Change}; use crate::store::View;
        canon/tests/oracle.rs | use super::super::{canonical, keyset};
    "#;
    for file in samples(right) {
        assert_eq!(wrong_floors(&file), [""; 0], "{} {}", file.path, file.text);
    }
}

#[test]
fn a_misplaced_word_is_found_and_an_innocent_one_is_not() {
    let wrong = r##"
        cli/act.rs     | use sqlx::Row;
        bundles/dir.rs | use sqlx::Row;
        rules/block.rs | fn f() { chrono::Utc::now(); }
        rules/block.rs | fn f() { Local::now(); }
        store/tx.rs    | fn f() { SystemTime :: now(); }
        store/tx.rs    | #[cfg(test)] mod tests { fn f() { Utc::now(); } }
        store/tx.rs    | fn f() { x¶    .unwrap(); }
        store/tx.rs    | fn f() { x.expect("it"); }
        store/tx.rs    | #[cfg(test)] mod tests { fn g() {} }¶fn f() { panic!("no"); }
        store/tx.rs    | #[cfg(test)]¶use x::y;¶fn f() { todo!() }
        store/tx.rs    | fn f() { let q = '"'; unimplemented!() }
        store/tx.rs    | fn f<'a>() { let r = r#"""#; unreachable!() }
        store/tx.rs    | #![allow(dead_code)]
        cli/act.rs     | #[allow(dead_code)] fn f() {}
        actions/mod.rs | fn f() { println!("{}", 1); }
        actions/mod.rs | fn f() { print!("{}", 1); }
        main.rs        | fn f() { eprintln!(); }
        main.rs        | fn f() { eprint!("x"); }
        cli/act.rs     | fn f() { dbg!(1); }
    "##;
    for file in samples(wrong) {
        let found = misplaced(&file, false);
        assert_eq!(found.len(), 1, "{} {}: {found:?}", file.path, file.text);
    }
    let tried = samples(wrong).len();
    assert!(tried > CONFINED.len(), "a new rule needs its bad sample");
    let right = r#"
        bundles/sql/run.rs | use sqlx::Row;
        store/tx.rs    | use sqlx::Row; fn f() { std::time::Instant::now(); }
        clock.rs       | fn f() { Utc::now(); }
        cli/act.rs     | /* sqlx */ // x.unwrap()¶fn f() { eprintln!("panic! {}", x.unwrap_or(1)); }
        rules/block.rs | #[expect(dead_code, reason = "shown")] fn f() { let s = "a\"x.unwrap()"; }
        rules/block.rs | #[cfg(test)]¶mod tests {¶ fn f() { if true { x.unwrap(); } panic!() }¶}
    "#;
    for file in samples(right) {
        let found = misplaced(&file, false);
        assert_eq!(found, [""; 0], "{} {}", file.path, file.text);
    }
}

#[test]
fn what_is_compiled_for_tests_only_is_known() {
    let test_file = sample("src/canon/tests/oracle.rs", "fn f() { x.unwrap(); }");
    assert_eq!(misplaced(&test_file, true), [""; 0]);
    assert_eq!(misplaced(&test_file, false).len(), 1);
    let declaring = samples(
        "canon/mod.rs    | #[cfg(test)]¶mod tests;¶mod tree;
         settings/dsn.rs | #[cfg(test)] mod more; #[cfg(test)] mod inline { mod deeper; }",
    );
    let found = test_only(&declaring);
    assert_eq!(found, ["src/canon/tests", "src/settings/dsn/more"]);
}

#[test]
fn a_long_file_is_found() {
    let lines = |count: usize| "x\n".repeat(count);
    for (path, most) in [
        ("src/a.rs", MOST_LINES_OF_SOURCE),
        ("tests/it/a.rs", MOST_LINES_OF_TESTS),
    ] {
        assert_eq!(too_long(&sample(path, &lines(most))), None);
        assert!(too_long(&sample(path, &lines(most + 1))).is_some());
    }
}
