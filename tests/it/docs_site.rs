//! The pages as a whole: a site that names each of them once, what each begins with, and the exit codes.

use std::collections::BTreeSet;

use clap::Command;
use govdeck::actions::ENTRIES;
use govdeck::console::keymap::{Keymap, Preset};

use crate::docs::{assert_current, code_spans, pages, read, row};

/// The pages of the site, by their names in `docs/`.
fn site() -> BTreeSet<String> {
    let below = |page: String| page.strip_prefix("docs/").map(str::to_owned);
    let mut site: BTreeSet<_> = pages().into_iter().filter_map(below).collect();
    assert!(site.remove("SUMMARY.md"));
    site
}

#[test]
fn the_summary_names_every_page_once() {
    let summary = read("docs/SUMMARY.md");
    let (mut parts, mut named) = (Vec::new(), Vec::new());
    for line in summary.lines().skip(1).filter(|line| !line.is_empty()) {
        if let Some(part) = line.strip_prefix("# ") {
            parts.push(part);
            continue;
        }
        let link = line.strip_prefix("- [").and_then(|it| it.split_once("]("));
        let (title, page) = link.unwrap_or_else(|| panic!("{line:?} is no chapter"));
        assert!(!title.is_empty() && !parts.is_empty(), "{line}");
        named.push(page.strip_suffix(')').expect("the link is closed"));
    }
    let wanted = [
        "First five minutes",
        "For three roles",
        "Systems",
        "Operating",
        "Reference",
        "Background",
    ];
    assert_eq!(parts, wanted);
    named.sort_unstable();
    let site = site();
    assert_eq!(named, Vec::from_iter(&site));
    let book: toml::Table = read("docs/book.toml").parse().expect("it is TOML");
    assert_eq!(book["book"]["src"].as_str(), Some("."));
}

#[test]
fn no_page_of_the_site_leads_out_of_it() {
    for page in site() {
        let text = read(&format!("docs/{page}"));
        assert!(
            !text.contains("](../"),
            "{page}: in a site it leads nowhere"
        );
    }
}

#[test]
fn the_readme_lists_every_page() {
    let readme = read("README.md");
    let (_, table) = readme.split_once("\n| page | for |\n").expect("the table");
    for page in site() {
        let link = format!("](docs/{page})");
        assert_eq!(table.matches(&link).count(), 1, "README.md: {page}");
    }
}

/// Returns the first sentence of a page, unless it begins with something else than words.
fn opening(text: &str) -> Option<&str> {
    let (heading, rest) = text.split_once("\n\n")?;
    let (paragraph, _) = rest.split_once("\n\n")?;
    let is_prose = paragraph.starts_with(|c: char| c.is_alphabetic() || c == '`');
    let is_page = heading.starts_with("# ") && is_prose && !paragraph.starts_with("```");
    let (sentence, _) = paragraph
        .split_once(". ")
        .or_else(|| paragraph.split_once(".\n"))
        .or_else(|| paragraph.split_once(':'))
        .unwrap_or((paragraph, ""));
    (is_page && sentence.len() < 250).then_some(sentence)
}

#[test]
fn every_page_begins_with_a_sentence_about_it() {
    assert_eq!(
        opening("# Keys\n\nWhat a key does. More.\n\nRest"),
        Some("What a key does")
    );
    assert_eq!(opening("# Keys\n\n```sh\nls\n```\n\nWhat"), None);
    assert_eq!(opening("# Keys\n\n| a | b |\n\nWhat"), None);
    assert_eq!(opening("Keys\n\nWhat a key does.\n\nRest"), None);
    let site = site();
    let silent = site
        .iter()
        .filter(|page| opening(&read(&format!("docs/{page}"))).is_none());
    assert_eq!(silent.collect::<Vec<_>>(), Vec::<&String>::new());
}

#[test]
fn the_keys_of_the_role_pages_are_those_of_the_keymap() {
    let keymap = Keymap::of(Preset::Default).expect("it is sound");
    let mut told = 0;
    for line in read("docs/for-governance-leads.md").lines() {
        let cells: Vec<_> = line.split('|').map(code_spans).collect();
        let [_, _, keys, named, _] = &cells[..] else {
            continue;
        };
        let name = named.first().and_then(|name| name.strip_prefix("act "));
        let Some(name) = name else { continue };
        let entry = ENTRIES.iter().find(|entry| entry.name() == name);
        let entry = entry.unwrap_or_else(|| panic!("there is no action {name}"));
        assert_eq!(keys[1..].join(" "), keymap.action(entry), "{line}");
        told += 1;
    }
    assert!(told > 4, "the rows were found");
}

/// Lists the verbs below a command that have none below them, such as `gate publish`.
fn leaves(command: &Command, path: &str, found: &mut BTreeSet<String>) {
    for below in command.get_subcommands() {
        let path = format!("{path}{}", below.get_name());
        if below.has_subcommands() {
            leaves(below, &format!("{path} "), found);
        }
        // A verb may be one by itself, and have others below it.
        found.insert(path);
    }
}

#[test]
fn the_exit_codes_are_current() {
    let mut table = row(&["code", "meaning"]) + "|---|---|\n";
    for (code, meaning) in govdeck::cli::exit_codes() {
        table += &row(&[&format!("`{code}`"), meaning]);
    }
    assert_current("docs/exit-codes.md", &table);
}

#[test]
fn every_verb_that_decides_something_has_its_exit_codes() {
    let mut verbs = BTreeSet::new();
    leaves(&govdeck::cli::command(), "", &mut verbs);
    let page = read("docs/exit-codes.md");
    let (_, table) = page.split_once("\n| verb |").expect("the table");
    let (table, _) = table.split_once("\n\n").expect("its end");
    let mut told = BTreeSet::new();
    for line in table.lines().skip(2) {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        assert_eq!(cells.len(), 7, "{line}");
        assert!(!cells[2].is_empty(), "{line}");
        let spans = code_spans(cells[1]);
        for verb in spans.iter().filter(|span| !span.starts_with('-')) {
            assert!(verbs.contains(verb), "there is no {verb}");
            told.insert(verb.clone());
        }
    }
    let decides = |verb: &&String| {
        let (first, last) = verb.split_once(' ').unwrap_or(("", verb));
        ["gate", "job", "drill"].contains(&first) || ["check", "verify"].contains(&last)
    };
    let deciding = verbs.iter().filter(decides);
    let untold = deciding.filter(|verb| !told.contains(*verb));
    assert_eq!(untold.collect::<Vec<_>>(), Vec::<&String>::new());
}
