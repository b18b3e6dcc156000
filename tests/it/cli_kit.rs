//! What the stories about the command line share: how a refusal reads, what a document holds, and a copy of everything
//! that is stored, to show that nothing was written.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use govdeck::store::tables::TABLES;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::support::World;
use crate::support::command::{Home, Run, run};

/// Hashes bytes without any code of the program.
pub fn sha256(bytes: &[u8]) -> String {
    let digit = |four: u8| char::from_digit(u32::from(four), 16).expect("four bits");
    let digest = Sha256::digest(bytes);
    let digits = digest.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(digit).collect()
}

/// Lets a command read these bytes from its standard input.
pub fn fed(home: &Home, mut command: Command, bytes: &[u8]) -> Command {
    let path = home.folder().join("fed");
    fs::write(&path, bytes).expect("the home is ours");
    command.stdin(Stdio::from(File::open(path).expect("just written")));
    command
}

/// Makes a named pipe that nobody writes to.
pub fn fifo(path: &Path) {
    let made = Command::new("mkfifo").arg(path).status();
    assert!(made.expect("there is a mkfifo").success());
}

/// Asserts that a run ended with the code and without a word on the error stream.
pub fn said(run: &Run, code: i32) -> &str {
    assert_eq!(
        (run.code, run.stderr.as_str()),
        (Some(code), ""),
        "{}",
        run.stdout
    );
    &run.stdout
}

/// Asserts that a run printed one document of a schema, and reads it.
pub fn document(run: &Run, code: i32, schema: &str) -> Value {
    let text = said(run, code);
    assert!(
        text.ends_with('\n') && text.lines().count() == 1,
        "{text:?}"
    );
    let document: Value = serde_json::from_str(text).expect("one JSON document");
    assert_eq!(document["schema"], format!("govdeck.{schema}.v1"));
    document
}

/// Asserts that a run ended with the code, said nothing but one sentence and one hint, and returns these.
pub fn refused(run: &Run, code: i32) -> (String, String) {
    assert_eq!((run.code, run.stdout.as_str()), (Some(code), ""), "{run:?}");
    let lines: Vec<&str> = run.stderr.lines().collect();
    let [sentence, hint] = lines[..] else {
        panic!("not one sentence and one hint: {:?}", run.stderr);
    };
    let sentence = sentence.strip_prefix("error: ").expect("a sentence");
    let hint = hint.strip_prefix("hint: ").expect("a hint");
    assert!(!sentence.is_empty() && !hint.is_empty(), "{run:?}");
    (sentence.to_owned(), hint.to_owned())
}

/// Asserts that the command line itself was refused: exit 2, an explanation, and no result.
pub fn misused(run: &Run) -> &str {
    assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{run:?}");
    assert!(!run.stderr.is_empty(), "{run:?}");
    assert!(!run.stderr.contains("panicked"), "{run:?}");
    &run.stderr
}

/// Runs the program on a world as a person.
pub fn govdeck(world: &World, person: &str, words: &[&str]) -> Run {
    run(world.govdeck(person, words))
}

/// Everything that a world's database holds, by SQL that shares nothing with the program.
pub fn contents(world: &World) -> String {
    if !world.is_postgres() {
        return world.owner_sql(".dump");
    }
    let all = TABLES.iter().map(|table| {
        let name = table.name;
        format!("SELECT '{name}', CAST(t AS TEXT) FROM {name} t ORDER BY 2")
    });
    world.owner_sql(&all.collect::<Vec<_>>().join(";\n"))
}

/// Asserts that the program leaves every byte that is stored as it was, whatever else it does.
pub fn writes_nothing(world: &World, person: &str, words: &[&str]) -> Run {
    let before = contents(world);
    let run = govdeck(world, person, words);
    assert_eq!(contents(world), before, "{words:?} wrote something");
    run
}

/// What lies in a folder: names, permission bits, and hashes of the plain files.
pub fn files(folder: &Path) -> BTreeMap<String, (u32, String)> {
    let listed = fs::read_dir(folder).expect("a folder");
    let describe = |entry: std::io::Result<fs::DirEntry>| {
        let path = entry.expect("an entry").path();
        let found = fs::symlink_metadata(&path).expect("it exists");
        let hash = if found.is_file() {
            sha256(&fs::read(&path).expect("readable"))
        } else {
            format!("{:?}", found.file_type())
        };
        let name = path.file_name().expect("a name").to_string_lossy();
        (name.into_owned(), (found.permissions().mode(), hash))
    };
    listed.map(describe).collect()
}

/// Verbs that look.
pub const LOOKS: [&[&str]; 10] = [
    &["status"],
    &["ledger", "verify"],
    &["ledger", "head"],
    &["ledger", "show", "--json"],
    &["artifact", "list"],
    &["why", "take-block", "r-1"],
    &["block", "list"],
    &["block", "show", "r-1"],
    &["gate", "distribute", "r-1"],
    &["gate", "rehearsal"],
];

/// Verbs that may write.
pub const WRITES: [&[&str]; 3] = [
    &["act", "take-block", "r-1", "--dry-run"],
    &["act", "take-block", "r-1", "--confirm", "y"],
    &["gate", "publish", "r-1"],
];

/// All of these.
pub fn all_verbs() -> Vec<&'static [&'static str]> {
    let init: &[&str] = &["init"];
    LOOKS.into_iter().chain(WRITES).chain([init]).collect()
}

/// Runs the program on a database by its address.
pub fn at(home: &Home, dsn: &str, words: &[&str]) -> Run {
    let mut command = home.govdeck(words);
    command.env("GOVDECK_DSN", dsn);
    run(command)
}

/// Writes the config file that is read when nobody names another.
pub fn configured(home: &Home, text: &str) {
    let folder = home.folder().join("config/govdeck");
    fs::create_dir_all(&folder).expect("the home is ours");
    fs::write(folder.join("config.toml"), text).expect("the home is ours");
}

/// Runs the program with variables set.
pub fn with(home: &Home, variables: &[(&str, &str)], words: &[&str]) -> Run {
    let mut command = home.govdeck(words);
    command.envs(variables.iter().copied());
    run(command)
}

/// The permission bits of a file.
pub fn mode(path: &Path) -> u32 {
    let found =
        fs::symlink_metadata(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    found.permissions().mode() & 0o777
}
