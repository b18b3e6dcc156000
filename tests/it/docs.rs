//! The documentation says what the program says: generated parts are current, links lead somewhere, cited tests exist,
//! shown commands are understood, and every dependency has its reason.
//!
//! To renew the generated parts: `GOVDECK_BLESS=1 cargo test --test it docs`.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use clap::builder::PossibleValue;
use clap::{Arg, Command};
use govdeck::actions::{ENTRIES, Entry, Required};
use govdeck::console::keymap::{Keymap, Preset, ROWS};
use govdeck::console::theme::check::{Numbers, check};
use govdeck::console::theme::{Theme, Token};
use govdeck::console::topics;
use govdeck::rules::people::Basis;
use govdeck::rules::permission::ACTING;
use govdeck::settings::{KEYS, OTHER_VARIABLES};
use govdeck::store::grants::{Group, Right, rights};
use govdeck::store::tables::{Kind, TABLES};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The pages for people, by their path from the project's folder.
pub fn pages() -> Vec<String> {
    let mut pages: Vec<String> = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md"]
        .map(str::to_owned)
        .into();
    for entry in fs::read_dir(root().join("docs")).expect("the folder is there") {
        let name = entry.expect("the entry is readable").file_name();
        let name = name.to_string_lossy();
        if name.ends_with(".md") {
            pages.push(format!("docs/{name}"));
        }
    }
    pages.sort();
    pages
}

/// Compares the generated part of a page with what the program says now, or renews it.
pub fn assert_current(page: &str, generated: &str) {
    const BEGIN: &str = "<!-- generated from the program; see CONTRIBUTING.md -->\n";
    const END: &str = "\n<!-- end of the generated part -->";
    let text = read(page);
    let (before, rest) = text.split_once(BEGIN).expect("the page has a begin mark");
    let (current, after) = rest.split_once(END).expect("the page has an end mark");
    let generated = format!("\n{}\n", generated.trim());
    if std::env::var_os("GOVDECK_BLESS").is_some() {
        let renewed = format!("{before}{BEGIN}{generated}{END}{after}");
        fs::write(root().join(page), renewed).expect("the page is writable");
        return;
    }
    assert!(
        current == generated,
        "{page} is not what the program says; GOVDECK_BLESS=1 cargo test --test it docs\n{generated}"
    );
}

/// Writes one row of a table; what would be read as a column's end or as HTML is escaped.
pub fn row(cells: &[&str]) -> String {
    let escaped = |(place, part): (usize, &str)| {
        let part = part.replace('|', "\\|");
        if place % 2 == 0 {
            part.replace('<', "\\<")
        } else {
            part
        }
    };
    let cell = |cell: &&str| {
        let parts: Vec<_> = cell.split('`').enumerate().map(escaped).collect();
        parts.join("`")
    };
    let cells: Vec<_> = cells.iter().map(cell).collect();
    format!("| {} |\n", cells.join(" | "))
}

/// Begins with a capital, as a sentence does.
fn sentence(text: &impl ToString) -> String {
    let text = text.to_string();
    let mut characters = text.chars();
    characters.next().map_or(String::new(), |first| {
        first.to_uppercase().chain(characters).collect()
    })
}

fn arguments(args: &[&Arg]) -> String {
    let mut table = row(&["argument", "meaning"]) + "|---|---|\n";
    for arg in args {
        let mut meaning = arg.get_help().map(sentence).unwrap_or_default();
        if arg.get_action().takes_values() {
            let allowed = arg.get_possible_values();
            let allowed: Vec<_> = allowed.iter().map(PossibleValue::get_name).collect();
            if !allowed.is_empty() {
                let _ = write!(meaning, " (one of {})", allowed.join(", "));
            }
            for default in arg.get_default_values() {
                let _ = write!(meaning, " (default: {})", default.to_string_lossy());
            }
        }
        table += &row(&[&format!("`{arg}`"), &meaning]);
    }
    table
}

fn describe(command: &mut Command, name: &str, reference: &mut String) {
    let about = command.get_about().map(sentence).unwrap_or_default();
    let usage = command.render_usage().to_string();
    let usage = usage.trim_start_matches("Usage:").trim();
    let _ = write!(
        reference,
        "\n## {name}\n\n{about}.\n\n```text\n{usage}\n```\n"
    );
    let told_once = |arg: &&Arg| {
        let id = arg.get_id().as_str();
        id == "help" || id == "version" || (name != "govdeck" && arg.is_global_set())
    };
    let args: Vec<_> = command
        .get_arguments()
        .filter(|arg| !told_once(arg))
        .collect();
    if !args.is_empty() {
        let _ = write!(reference, "\n{}", arguments(&args));
    }
    for below in command.get_subcommands_mut() {
        let name = format!("{name} {}", below.get_name());
        describe(below, &name, reference);
    }
}

#[test]
fn the_command_reference_is_current() {
    let mut command = govdeck::cli::command();
    command.build();
    let mut reference = String::new();
    describe(&mut command, "govdeck", &mut reference);
    assert_current("docs/commands.md", &reference);
}

fn action_row(entry: &Entry) -> String {
    let roles: Vec<_> = match entry.roles {
        ACTING => vec!["any but `viewer`".to_owned()],
        roles => roles.iter().map(|role| format!("`{role}`")).collect(),
    };
    let fields: Vec<_> = entry
        .fields
        .iter()
        .map(|field| match field.required {
            Required::Yes => format!("`{}`", field.name),
            Required::No => format!("`{}` (optional)", field.name),
        })
        .collect();
    let or_none = |words: Vec<String>| {
        if words.is_empty() {
            "none".to_owned()
        } else {
            words.join(", ")
        }
    };
    let (name, level, roles) = match entry.basis {
        Basis::Person if roles.is_empty() => {
            (entry.name(), entry.level.word(), "by condition".to_owned())
        }
        Basis::Person => (entry.name(), entry.level.word(), roles.join(" or ")),
        Basis::Rule => ("none".to_owned(), "none", "none".to_owned()),
    };
    row(&[
        &name,
        &format!("`{}`", entry.verb),
        entry.basis.word(),
        level,
        &roles,
        entry.target,
        &or_none(fields),
        entry.summary,
        entry.undo,
    ])
}

#[test]
fn the_table_of_actions_is_current() {
    let columns = [
        "`act` name",
        "ledger verb",
        "basis",
        "level",
        "roles",
        "target",
        "fields",
        "what it does",
        "how it is taken back",
    ];
    let mut table = row(&columns) + &"|---".repeat(columns.len()) + "|\n";
    for entry in ENTRIES {
        table += &action_row(entry);
    }
    assert_current("docs/actions.md", &table);
}

#[test]
fn the_table_of_settings_is_current() {
    let mut text = row(&["key", "variable", "flag", "takes", "default", "meaning"])
        + "|---|---|---|---|---|---|\n";
    for key in KEYS {
        let flag = key
            .flag
            .map_or("none".to_owned(), |flag| format!("`{flag}`"));
        text += &row(&[
            &format!("`{}`", key.name),
            &format!("`{}`", key.env),
            &flag,
            &key.kind.to_string(),
            key.default,
            key.meaning,
        ]);
    }
    text += "\n";
    text += &(row(&["other variable", "meaning"]) + "|---|---|\n");
    for (name, meaning) in OTHER_VARIABLES {
        text += &row(&[&format!("`{name}`"), meaning]);
    }
    assert_current("docs/configuration.md", &text);
}

#[test]
fn the_table_of_tables_is_current() {
    let mut text = row(&["table", "kind", "key", "written"]) + "|---|---|---|---|\n";
    for table in TABLES {
        let (kind, written) = match table.kind {
            Kind::Governed => ("governed", "through a sealed entry only"),
            Kind::Ledger => ("ledger", "appended by the seal, never changed"),
            Kind::Feed => (
                "feed",
                "by pipelines, consoles and delivery; not in the ledger",
            ),
            Kind::Bookkeeping => ("bookkeeping", "by govdeck itself"),
        };
        let written = table.feed.map_or(written.to_owned(), |feed| {
            format!(
                "by pipelines while `{}`, afterwards {written}",
                feed.while_sql
            )
        });
        let key = match table.key {
            [] => "one row".to_owned(),
            columns => format!("`{}`", columns.join("`, `")),
        };
        text += &row(&[&format!("`{}`", table.name), kind, &key, &written]);
    }
    assert_current("docs/ledger.md", &text);
}

#[test]
fn the_table_of_rights_is_current() {
    let mut text = row(&["group", "whom it is for"]) + "|---|---|\n";
    for group in Group::ALL {
        text += &row(&[&format!("`{}`", group.role()), group.meaning()]);
    }
    let mut columns = vec!["table"];
    let short = |group: &Group| group.role().trim_start_matches("govdeck_");
    columns.extend(Group::GRANTED.iter().map(short));
    text += "\n";
    text += &(row(&columns) + &"|---".repeat(columns.len()) + "|\n");
    for table in TABLES {
        let mut cells = vec![format!("`{}`", table.name)];
        for group in Group::GRANTED {
            let letters: Vec<_> = rights(*group, table)
                .iter()
                .map(|right| match right {
                    Right::Select => "S",
                    Right::Insert => "I",
                    Right::Update => "U",
                })
                .collect();
            cells.push(letters.join(" "));
        }
        let cells: Vec<_> = cells.iter().map(String::as_str).collect();
        text += &row(&cells);
    }
    assert_current("docs/postgresql.md", &text);
}

#[test]
fn the_tables_of_themes_are_current() {
    let told = |number: Option<f64>| {
        // Cut off, so that no number promises more than there is.
        number.map_or("none".to_owned(), |number| {
            format!("{:.2}", (number * 100.0).floor() / 100.0)
        })
    };
    let columns = [
        "theme",
        "least contrast",
        "in 256 colours",
        "states apart",
        "in 256 colours",
    ];
    let mut text = "### The numbers\n\n".to_owned() + &row(&columns) + "|---|---|---|---|---|\n";
    for name in Theme::NAMES {
        let theme = Theme::built_in(name).expect("it is built in");
        let report = check(&theme).expect("it can be checked");
        let (full, rounded): (Numbers, Numbers) = (report.full, report.rounded);
        let name = format!("`{name}`");
        let numbers = [full.contrast, rounded.contrast, full.apart, rounded.apart].map(told);
        text += &row(&[&name, &numbers[0], &numbers[1], &numbers[2], &numbers[3]]);
    }
    text += "\n## The tokens\n\n";
    text += &(row(&["token", "lies on", "what it is"]) + "|---|---|---|\n");
    for token in Token::ALL {
        let name = format!("`{}`", token.name());
        text += &row(&[&name, token.kind().word(), token.meaning()]);
    }
    assert_current("docs/themes.md", &text);
}

#[test]
fn the_tables_of_keys_are_current() {
    let keymaps = Preset::ALL.iter().map(|preset| Keymap::of(*preset));
    let keymaps: Vec<_> = keymaps.map(|keymap| keymap.expect("it is sound")).collect();
    let mut text = row(&["preset", "what it is"]) + "|---|---|\n";
    for preset in Preset::ALL {
        text += &row(&[&format!("`{preset}`"), preset.about()]);
    }
    let presets: Vec<_> = Preset::ALL.iter().map(|preset| preset.word()).collect();
    let columns = [&["name", "what it does"], presets.as_slice()].concat();
    text += "\n## The keys\n\n";
    text += &(row(&columns) + &"|---".repeat(columns.len()) + "|\n");
    for of in ROWS {
        let chords = |keymap: &Keymap| format!("`{}`", keymap.written(of.intent).join("`, `"));
        let pane = of.only.map(|pane| format!(" ({pane} only)"));
        let about = sentence(&of.about) + &pane.unwrap_or_default();
        let mut cells = vec![format!("`{}`", of.intent), about];
        cells.extend(keymaps.iter().map(chords));
        let cells: Vec<_> = cells.iter().map(String::as_str).collect();
        text += &row(&cells);
    }
    text += "\n## The keys of actions\n\n";
    text += &(row(&["keys", "in", "action", "guard", "what it does"]) + "|---|---|---|---|---|\n");
    for entry in ENTRIES.iter().filter(|entry| entry.basis == Basis::Person) {
        let [keys, name] = [keymaps[0].action(entry), entry.name()].map(|text| format!("`{text}`"));
        let panes = topics::places(entry);
        text += &row(&[&keys, &panes, &name, entry.level.word(), entry.summary]);
    }
    assert_current("docs/KEYS.md", &text);
}

/// Leaves out what stands between fences, where a bracket is no link.
fn prose(text: &str) -> String {
    let outside = |(place, part): (usize, &str)| (place % 2 == 0).then(|| part.to_owned());
    text.split("```").enumerate().filter_map(outside).collect()
}

/// Makes the anchor that a heading gets.
fn anchor(heading: &str) -> String {
    let kept = heading.trim_start_matches('#').trim().to_lowercase();
    kept.chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

#[test]
fn every_link_leads_somewhere() {
    let mut followed = 0;
    for page in pages() {
        let text = prose(&read(&page));
        for link in text.split("](").skip(1) {
            let (link, _) = link.split_once(')').expect("the link is closed");
            if link.starts_with("https://") {
                continue;
            }
            let (file, place) = link.split_once('#').unwrap_or((link, ""));
            let target: PathBuf = if file.is_empty() {
                root().join(&page)
            } else {
                root().join(&page).parent().expect("a folder").join(file)
            };
            assert!(
                target.exists(),
                "{page} links to {link}, which is not there"
            );
            if !place.is_empty() {
                let there = prose(&fs::read_to_string(&target).expect("the target is text"));
                let mut headings = there.lines().filter(|line| line.starts_with('#'));
                assert!(
                    headings.any(|heading| anchor(heading) == place),
                    "{page} links to {link}, and there is no such heading"
                );
            }
            followed += 1;
        }
    }
    assert!(followed > 20, "the links were found");
}

/// Lists what stands between single backticks.
pub fn code_spans(text: &str) -> Vec<String> {
    let prose = prose(text);
    let spans = prose.split('`').skip(1).step_by(2);
    spans.map(str::to_owned).collect()
}

#[test]
fn every_named_file_exists() {
    let folders = [
        "src/",
        "tests/",
        "migrations/",
        "scripts/",
        "packaging/",
        "docs/",
        "themes/",
    ];
    let mut gone = Vec::new();
    for page in pages() {
        for span in code_spans(&read(&page)) {
            let stands_for_many =
                span.contains(|c: char| c.is_ascii_uppercase() || "* ".contains(c));
            let is_path = folders.iter().any(|folder| span.starts_with(folder));
            if is_path && !stands_for_many && !root().join(&span).exists() {
                gone.push(format!("{page} names {span}, which is not there"));
            }
        }
    }
    assert!(gone.is_empty(), "{}", gone.join("\n"));
}

/// Tells whether a test of this path exists: `file::name` in `tests/it`, `floor::file::name` in `src`.
fn test_exists(path: &str) -> bool {
    let Some((file, name)) = path.rsplit_once("::") else {
        return false;
    };
    let file = file.replace("::", "/");
    let places = [
        format!("tests/it/{file}.rs"),
        format!("src/{file}.rs"),
        format!("src/{file}/mod.rs"),
    ];
    let declared = [
        format!("fn{name}("),
        format!("on_both!({name},"),
        format!("on_targets!({name},"),
    ];
    places.iter().any(|place| {
        let text = fs::read_to_string(root().join(place)).unwrap_or_default();
        let text: String = text.split_whitespace().collect();
        declared.iter().any(|declared| text.contains(declared))
    })
}

#[test]
fn every_cited_test_exists() {
    assert!(test_exists("docs::every_cited_test_exists"));
    assert!(!test_exists("docs::no_such_test"));
    let (mut cited, mut gone) = (0, Vec::new());
    for page in pages() {
        for span in code_spans(&read(&page)) {
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_:".contains(c);
            if span.contains("::") && span.chars().all(plain) {
                cited += 1;
                if !test_exists(&span) {
                    gone.push(format!("{page} cites the test {span}, which is not there"));
                }
            }
        }
    }
    assert!(gone.is_empty(), "{}", gone.join("\n"));
    assert!(cited > 20, "the citations were found");
}

/// Splits a shown command into words as a shell would, up to a pipe or a redirection.
fn shell_words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for character in line.chars() {
        match (quote, character) {
            (Some(open), _) if character == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (None, '|' | '>' | '<') => break,
            (None, ' ') => words.extend(word.take()),
            _ => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    words
}

#[test]
fn every_shown_command_is_understood() {
    let mut tried = 0;
    for page in pages() {
        for line in read(&page).lines() {
            let Some(command) = line.strip_prefix("$ govdeck ") else {
                continue;
            };
            let words = shell_words(&format!("govdeck {command}"));
            if let Err(error) = govdeck::cli::command().try_get_matches_from(words) {
                assert!(!error.use_stderr(), "{page}: {line}\n{error}");
            }
            tried += 1;
        }
    }
    assert!(tried > 10, "the commands were found");
}

/// Lists the names in the first column of the table below a heading.
fn names_below(page: &str, heading: &str) -> BTreeSet<String> {
    let section = page
        .split("\n## ")
        .find(|section| section.starts_with(heading))
        .unwrap_or_else(|| panic!("there is no heading {heading}"));
    let name = |line: &str| Some(line.strip_prefix("| `")?.split_once('`')?.0.to_owned());
    section.lines().filter_map(name).collect()
}

#[test]
fn every_dependency_has_its_reason() {
    let manifest: toml::Table = read("Cargo.toml").parse().expect("Cargo.toml is TOML");
    let page = read("docs/DEPENDENCIES.md");
    for (table, heading) in [
        ("dependencies", "What the program uses"),
        ("dev-dependencies", "What only the tests use"),
    ] {
        let wanted: BTreeSet<String> = manifest[table]
            .as_table()
            .expect("it is a table")
            .keys()
            .cloned()
            .collect();
        assert_eq!(names_below(&page, heading), wanted, "{heading}");
    }
}
