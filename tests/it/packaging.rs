//! What is handed out: licences of all that is built in, the oldest Rust that builds it, and the files of the package.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use semver::Version;
use serde_json::Value;
use toml::Table;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn table(name: &str) -> Table {
    let text = read(name);
    text.parse()
        .unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn words(value: &toml::Value) -> Vec<&str> {
    let all = value.as_array().expect("it is a list").iter();
    all.map(|word| word.as_str().expect("it is a text"))
        .collect()
}

/// What cargo knows of the packages that this machine builds from.
fn packages() -> &'static [Value] {
    static PACKAGES: OnceLock<Vec<Value>> = OnceLock::new();
    PACKAGES.get_or_init(|| {
        let cargo = |words: &[&str]| {
            let said = Command::new(env!("CARGO"))
                .args(words)
                .current_dir(root())
                .output();
            let said = said.expect("cargo runs");
            let complaint = String::from_utf8_lossy(&said.stderr).into_owned();
            assert!(said.status.success(), "{complaint}");
            String::from_utf8(said.stdout).expect("cargo writes text")
        };
        let version = cargo(&["-vV"]);
        let host = version.lines().find_map(|line| line.strip_prefix("host: "));
        let host = host.expect("cargo names its platform");
        let said = cargo(&[
            "metadata",
            "--offline",
            "--locked",
            "--format-version=1",
            "--filter-platform",
            host,
        ]);
        let said: Value = serde_json::from_str(&said).expect("it is JSON");
        let packages = said["packages"].as_array().expect("it lists packages");
        assert!(packages.len() > 100, "the packages were found");
        packages.clone()
    })
}

fn text<'a>(package: &'a Value, field: &str) -> &'a str {
    let value = package[field].as_str();
    value.unwrap_or_else(|| panic!("{} says no {field}", package["name"]))
}

/// Tells whether an SPDX expression can be met with the licences that `allowed` knows; a slash is an old way to say OR.
fn may_be_used(expression: &str, allowed: &mut dyn FnMut(&str) -> bool) -> bool {
    let spaced = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ");
    let mut tokens = spaced.split_whitespace().peekable();
    let met = either(&mut tokens, allowed);
    assert!(tokens.next().is_none(), "{expression} is not understood");
    met
}

type Tokens<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

fn either(tokens: &mut Tokens, allowed: &mut dyn FnMut(&str) -> bool) -> bool {
    let mut met = all(tokens, allowed);
    while tokens.next_if_eq(&"OR").is_some() {
        met |= all(tokens, allowed);
    }
    met
}

fn all(tokens: &mut Tokens, allowed: &mut dyn FnMut(&str) -> bool) -> bool {
    let mut met = one(tokens, allowed);
    while tokens.next_if_eq(&"AND").is_some() {
        met &= one(tokens, allowed);
    }
    met
}

fn one(tokens: &mut Tokens, allowed: &mut dyn FnMut(&str) -> bool) -> bool {
    let licence = tokens.next().expect("a licence is named");
    if licence == "(" {
        let met = either(tokens, allowed);
        assert_eq!(tokens.next(), Some(")"));
        return met;
    }
    match tokens.next_if_eq(&"WITH") {
        Some(_) => {
            let exception = tokens.next().expect("an exception is named");
            allowed(&format!("{licence} WITH {exception}"))
        }
        None => allowed(licence),
    }
}

#[test]
fn licences_are_understood_as_they_are_meant() {
    let mut mit = |licence: &str| licence == "MIT";
    for good in [
        "MIT",
        "MIT/Apache-2.0",
        "GPL-3.0 OR MIT",
        "(GPL-3.0 OR MIT) AND MIT",
        "MIT AND (MIT OR GPL-3.0)",
        "Apache-2.0 WITH LLVM-exception OR MIT",
    ] {
        assert!(may_be_used(good, &mut mit), "{good}");
    }
    for bad in [
        "GPL-3.0",
        "MIT AND GPL-3.0",
        "(MIT OR GPL-3.0) AND ISC",
        "MIT WITH GPL-3.0-linking-exception",
        "GPL-3.0 OR MIT AND ISC",
    ] {
        assert!(!may_be_used(bad, &mut mit), "{bad}");
    }
}

#[test]
fn no_dependency_has_a_licence_that_is_not_allowed() {
    let deny = table("deny.toml");
    let always: BTreeSet<_> = words(&deny["licenses"]["allow"]).into_iter().collect();
    let mut exceptions = BTreeMap::new();
    for exception in deny["licenses"]["exceptions"]
        .as_array()
        .expect("it is a list")
    {
        let name = exception["crate"].as_str().expect("it names a crate");
        exceptions.insert(name, words(&exception["allow"]));
    }
    let (mut used, mut refused) = (BTreeSet::new(), Vec::new());
    for package in packages() {
        let name = text(package, "name");
        let besides = exceptions.get(name).cloned().unwrap_or_default();
        let mut allowed = |licence: &str| {
            let kept = always.get(licence).copied();
            used.extend(kept.map(str::to_owned));
            kept.is_some() || besides.contains(&licence)
        };
        let expression = text(package, "license");
        if !may_be_used(expression, &mut allowed) {
            refused.push(format!("{name}: {expression} is not allowed by deny.toml"));
        }
        if let Some(besides) = exceptions.remove(name) {
            assert_eq!(besides, [expression], "the exception for {name} is of use");
        }
    }
    assert!(refused.is_empty(), "{}", refused.join("\n"));
    assert_eq!(used, always.into_iter().map(str::to_owned).collect());
    let gone: Vec<_> = exceptions.into_keys().collect();
    assert!(gone.is_empty(), "nothing needs these exceptions: {gone:?}");
}

#[test]
fn two_versions_of_a_crate_have_a_reason() {
    let lock = table("Cargo.lock");
    let mut versions: BTreeMap<&str, Vec<Version>> = BTreeMap::new();
    for package in lock["package"].as_array().expect("it is a list") {
        let said = |field: &str| package.get(field).and_then(toml::Value::as_str);
        let name = said("name").expect("it has a name");
        let version = said("version").expect("it has a version");
        let version = Version::parse(version).expect("it is a version");
        versions.entry(name).or_default().push(version);
        let crates_io = "registry+https://github.com/rust-lang/crates.io-index";
        let source = said("source").unwrap_or("none");
        assert!(name == "govdeck" || source == crates_io, "{name}: {source}");
    }
    let mut older = BTreeSet::new();
    for (name, mut versions) in versions {
        versions.sort();
        versions.pop();
        older.extend(versions.into_iter().map(|version| (name, version)));
    }
    assert!(!older.is_empty(), "the versions were found");
    let deny = table("deny.toml");
    for skipped in deny["bans"]["skip"].as_array().expect("it is a list") {
        let [of, reason] = ["crate", "reason"].map(|field| skipped[field].as_str().expect(field));
        assert!(!reason.is_empty(), "{of}");
        let (name, begin) = of.split_once('@').expect("it names a version");
        let before = older.len();
        older.retain(|(other, version)| {
            *other != name || !format!("{version}.").starts_with(&format!("{begin}."))
        });
        assert_eq!(older.len() + 1, before, "{of} is there as the older one");
    }
    assert!(older.is_empty(), "deny.toml gives no reason for {older:?}");
}

/// Reads a version of Rust, of which the last number is often left out.
fn rust(written: &str) -> Version {
    let dots = written.matches('.').count();
    let whole = format!("{written}{}", ".0".repeat(2 - dots));
    Version::parse(&whole).expect("it is a version of Rust")
}

#[test]
fn the_oldest_rust_that_is_named_is_no_older_than_what_dependencies_ask_for() {
    let manifest = table("Cargo.toml");
    let named = manifest["package"]["rust-version"]
        .as_str()
        .expect("it is named");
    let (mut newest, mut stated) = (rust("1.0"), 0);
    for package in packages() {
        if let Some(asked) = package["rust_version"].as_str() {
            let asked = rust(asked);
            assert!(asked <= rust(named), "{} asks for {asked}", package["name"]);
            stated += 1;
            if package["name"] != "govdeck" {
                newest = newest.max(asked);
            }
        }
    }
    assert!(stated > 100, "the versions were found");
    for (page, sentence) in [
        ("README.md", format!("Rust toolchain ({named} or newer)")),
        (
            "docs/DEPENDENCIES.md",
            format!("Rust {named} is the oldest that builds govdeck"),
        ),
        (
            "docs/DEPENDENCIES.md",
            format!("{}.{} is the newest", newest.major, newest.minor),
        ),
    ] {
        assert!(read(page).contains(&sentence), "{page}: {sentence}");
    }
}

#[test]
fn the_package_holds_what_is_there_or_what_the_script_makes() {
    let manifest = table("Cargo.toml");
    let deb = &manifest["package"]["metadata"]["deb"];
    let script = read("scripts/package");
    let shells = "for shell in bash zsh fish; do";
    assert!(script.contains("made=target/package-files ") && script.contains(shells));
    let mut made = BTreeSet::new();
    for asset in deb["assets"].as_array().expect("it is a list") {
        let [source, place, rights] = words(asset)[..] else {
            panic!("{asset} has three parts");
        };
        assert!(["644", "755"].contains(&rights) && place.starts_with("usr/"));
        if let Some(file) = source.strip_prefix("target/") {
            made.insert(file);
            continue;
        }
        let (folder, ending) = source.split_once('*').unwrap_or((source, ""));
        let found = if ending.is_empty() {
            root().join(folder).is_file()
        } else {
            let mut entries = fs::read_dir(root().join(folder)).expect("the folder is there");
            entries.any(|entry| {
                let name = entry.expect("the entry is readable").file_name();
                name.to_string_lossy().ends_with(ending)
            })
        };
        assert!(found, "{source} is there");
    }
    let expected = [
        "package-files/completions/bash",
        "package-files/completions/fish",
        "package-files/completions/zsh",
        "package-files/man/*.1",
        "release/govdeck",
    ];
    assert_eq!(made, expected.into());
    let folder = deb["maintainer-scripts"].as_str().expect("it is a text");
    let unit = deb["systemd-units"]["unit-name"].as_str();
    let unit = format!("{folder}/{}.service", unit.expect("it is a text"));
    assert!(read(&unit).contains("ExecStart=/usr/bin/govdeck agent "));
    // Where the packager puts in what handles the unit.
    assert!(read(&format!("{folder}/postinst")).contains("\n#DEBHELPER#\n"));
    assert!(read("docs/agent.md").contains(&read(&unit)));
}

#[test]
fn without_cargo_deb_the_script_says_so_and_makes_nothing() {
    let nowhere = tempfile::tempdir().expect("a folder");
    let said = Command::new("/bin/bash")
        .arg(root().join("scripts/package"))
        .env("PATH", nowhere.path())
        .output()
        .expect("bash runs");
    let complaint = String::from_utf8(said.stderr).expect("it is text");
    assert_eq!(said.status.code(), Some(1), "{complaint}");
    assert_eq!(complaint.lines().count(), 1, "{complaint}");
    assert!(complaint.contains("there is no cargo-deb"), "{complaint}");
    assert!(said.stdout.is_empty());
}
