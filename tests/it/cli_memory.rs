//! The memory that `govdeck canon` and `govdeck hash` take: at most three times the input, whatever its shape.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::sys::resource::{UsageWho, getrusage};

use crate::support::command::{Home, run};
use crate::support::rounds;

/// Holds the words of the command that is measured.
const WORDS: &str = "GOVDECK_MEASURED_WORDS";

/// Runs one command; its peak is that of all children, so that it must be the only one of its process.
#[test]
#[ignore = "run by the test below, in a process of its own"]
fn peak_of_the_only_child() {
    let Ok(words) = env::var(WORDS) else { return };
    let mut command = Command::new(env!("CARGO_BIN_EXE_govdeck"));
    let ended = command
        .args(words.split(' '))
        .stdout(Stdio::null())
        .status();
    // Whether it says yes or no, it ran to its end.
    assert!(ended.expect("it starts").code().is_some());
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("Linux tells");
    println!("peak of {} KiB", usage.max_rss());
}

/// The most memory that a verb had of the system at one time, in bytes.
fn peak(verb: &str, input: &str) -> usize {
    let home = Home::new();
    fs::write(home.folder().join("input"), input).expect("the home is ours");
    peak_of(home.folder(), &format!("{verb} input"))
}

/// The most memory that some words had of the system at one time, in bytes, run in a folder.
pub fn peak_of(folder: &Path, words: &str) -> usize {
    let home = Home::new();
    let mut command = home.command(&env::current_exe().expect("this program"));
    let test = "cli_memory::peak_of_the_only_child";
    command.args(["--exact", test, "--ignored", "--nocapture"]);
    command.env(WORDS, words).current_dir(folder);
    let ran = run(command);
    let told = ran.stdout.split("peak of ").nth(1);
    let kibibytes = told.and_then(|told| told.split(' ').next()?.parse::<usize>().ok());
    kibibytes.unwrap_or_else(|| panic!("no peak: {ran:?}")) * 1024
}

/// What an allocator keeps for itself, whatever the input; it differs from run to run.
const KEPT: usize = 1024 * 1024;

/// Writes as many parts as it takes, each made from its number, with commas between them.
fn filled(open: &str, close: &str, part: impl Fn(u32) -> String) -> String {
    // Twenty megabytes show it as well as more would, also where nothing was optimised.
    let size = (rounds() as usize * 100_000).min(20_000_000);
    let mut text = open.to_owned();
    for number in 0.. {
        if text.len() >= size {
            break;
        }
        let comma = if number == 0 { "" } else { "," };
        let _ = write!(text, "{comma}{}", part(number));
    }
    text + close
}

/// Numbers in an order that is none, and no two alike.
fn mixed(number: u32) -> u32 {
    number.wrapping_mul(0x9E37_79B1)
}

/// A key of four letters, and no two alike.
fn short(number: u32) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let letter = |place: u32| LETTERS[(mixed(number) >> (6 * place) & 63) as usize];
    (0..4).map(|place| char::from(letter(place))).collect()
}

#[test]
fn no_shape_takes_more_than_three_times_its_size() {
    let key = |number| format!("\"k{:08x}\":1", mixed(number));
    let tiny = |number| format!("{{\"metric_id\":\"a{}\"}}", mixed(number) % 10);
    let filtered = |number| {
        let note = "n".repeat(150);
        let mixed = mixed(number);
        format!("{{\"note\":\"{note}\",\"metric_id\":\"m{mixed:x}\",\"dimension_filter_id\":null}}")
    };
    let named = |number| {
        format!(
            "{{\"metric_id\":\"{}{:x}\"}}",
            "a".repeat(200),
            mixed(number)
        )
    };
    let small = |number| format!("{{\"b\":{number},\"a\":null}}");
    let wide = filled("{", "}", key);
    let own = |number| {
        let mixed = mixed(number) >> 8;
        format!("{{\"a{mixed:06x}\":1,\"b{mixed:06x}\":2,\"c{mixed:06x}\":3,\"d{mixed:06x}\":4}}")
    };
    let nested = |number| {
        format!(
            "\"a{0:08x}\":{{\"b{0:06x}\":{{\"c\":1,\"d\":2}}}}",
            mixed(number)
        )
    };
    let prefixed = |number| format!("\"{}{:08x}\":1", "shared_".repeat(8), mixed(number));
    let escaped = |number| format!("\"\\u006b{:08x}\":1", mixed(number));
    let grows = |_| "1e20".to_owned();
    let leads_on = |number| format!("\"{}\":{{\"e\":1}}", short(number));
    let through_an_array = |number| format!("\"{}\":[{{}}]", short(number));
    let table = [
        ("canon", "numbers of 21 digits", filled("[", "]", grows)),
        (
            "canon",
            "members of 21 digits",
            filled("{", "}", |number| format!("\"{}\":1e20", short(number))),
        ),
        (
            "hash tuple",
            "a row of long numbers",
            filled("[{\"metric_id\":\"m\",\"values\":[", "]}]", grows),
        ),
        (
            "hash keyset",
            "short keys",
            filled("{", "}", |number| format!("\"{}\":1", short(number))),
        ),
        (
            "hash keyset",
            "short keys that lead on",
            filled("{", "}", leads_on),
        ),
        (
            "hash keyset",
            "short keys of arrays",
            filled("{", "}", through_an_array),
        ),
        ("hash tuple", "tiny rows", filled("[", "]", tiny)),
        ("hash tuple", "ordinary rows", filled("[", "]", filtered)),
        ("hash tuple", "long ids", filled("[", "]", named)),
        (
            "hash tuple",
            "one wide row",
            filled("[{\"metric_id\":\"m\",", "}]", key),
        ),
        ("canon", "tiny rows", filled("[", "]", tiny)),
        ("canon", "a wide object", wide.clone()),
        (
            "canon",
            "a wide object inside",
            filled("{\"z\":{", "},\"a\":1}", key),
        ),
        ("hash keyset", "small objects", filled("[", "]", small)),
        ("hash keyset", "a wide object", wide),
        (
            "hash keyset",
            "objects with keys of their own",
            filled("[", "]", own),
        ),
        ("hash keyset", "objects inside", filled("{", "}", nested)),
        ("hash keyset", "long names", filled("{", "}", prefixed)),
        ("hash keyset", "escaped names", filled("{", "}", escaped)),
    ];
    let mut found = String::new();
    for (verb, shape, input) in table {
        let nothing = peak(verb, "[{\"metric_id\":\"m\"}]");
        let taken = peak(verb, &input).saturating_sub(nothing);
        println!("{verb} of {shape}: {taken} for {} bytes", input.len());
        if taken > 3 * input.len() + KEPT {
            let _ = writeln!(
                found,
                "{verb} of {shape}: {taken} for {} bytes",
                input.len()
            );
        }
    }
    assert!(found.is_empty(), "{found}");
}
