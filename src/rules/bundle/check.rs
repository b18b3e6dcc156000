//! Everything that must hold of a bundle's files, over the folder as it was read.

use std::collections::BTreeMap;

use super::names::escape;
use super::registry::Step;
use super::schemas::Schema;
use super::shown::quoted;
use super::{
    Baseline, DECLARATION_FILE, Declaration, Declared, DiffSummary, Finding, Kind, Reason,
    artefact, judge, receipts, secrets,
};

/// Where people write what a reviewer has to know.
pub const NOTES_FILE: &str = "notes.md";

/// What lies at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A file, its bytes.
    File(Vec<u8>),
    /// A symbolic link.
    Symlink,
    /// Something that is not read, and why.
    Unread(String),
}

/// A bundle's folder as it was read.
#[derive(Debug, Clone, Default)]
pub struct Bundle {
    /// The folder's name.
    pub name: String,
    /// The kind of store, by the folder that it lies in, when that says one.
    pub within: Option<Kind>,
    /// What lies in it, by the path from it; folders only where they were not read.
    pub entries: BTreeMap<String, Entry>,
}

/// Which files are due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// The declaration and the scripts: the change has not been run.
    Scripts,
    /// Baselines, diff and receipt too.
    Everything,
}

/// What was found of a bundle.
#[derive(Debug)]
pub struct Checked {
    /// What is wrong, sorted by path and place.
    pub findings: Vec<Finding>,
    /// The declaration, when its shape is right.
    pub declaration: Option<Declaration>,
    /// What its receipts say, for the registry.
    pub steps: Vec<Step>,
}

/// A file that is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Asked<'a> {
    /// It is there.
    Found(&'a [u8]),
    /// Something is at its path or on the way that is not read, and told already.
    Told,
    /// Nothing is there.
    Absent,
}

impl Bundle {
    pub(super) fn file(&self, path: &str) -> Asked<'_> {
        match self.entries.get(path) {
            Some(Entry::File(bytes)) => return Asked::Found(bytes),
            Some(_) => return Asked::Told,
            None => {}
        }
        let is_blocked = |(at, _): (usize, _)| self.entries.contains_key(&path[..at]);
        if path.match_indices('/').any(is_blocked) {
            return Asked::Told;
        }
        Asked::Absent
    }
}

/// Checks a bundle.
#[must_use]
pub fn check(bundle: &Bundle, due: Due) -> Checked {
    let mut findings = unread(bundle);
    findings.extend(leaks(bundle));
    let (declared, steps) = match declared(bundle) {
        Ok(declared) => {
            findings.extend(declared.faults());
            findings.extend(identity(bundle, &declared.declaration));
            findings.extend(scripts(bundle, &declared.declaration));
            let steps = match due {
                Due::Scripts => Vec::new(),
                Due::Everything => {
                    findings.extend(observed(bundle, &declared.declaration));
                    receipts::check(bundle, &declared.declaration, &mut findings)
                }
            };
            (Some(declared.declaration), steps)
        }
        Err(found) => {
            findings.extend(found);
            (None, Vec::new())
        }
    };
    findings.extend(other_json(bundle, declared.as_ref()));
    findings.sort_by(|a, b| {
        (&a.path, a.place, a.reason, &a.detail).cmp(&(&b.path, b.place, b.reason, &b.detail))
    });
    findings.dedup();
    Checked {
        findings,
        declaration: declared,
        steps,
    }
}

/// Tells of everything that was not read.
fn unread(bundle: &Bundle) -> Vec<Finding> {
    let told = bundle
        .entries
        .iter()
        .filter_map(|(path, entry)| match entry {
            Entry::File(_) => None,
            Entry::Symlink => {
                let what = "a symbolic link; a bundle holds its files itself";
                Some(Finding::new(Reason::Symlink, path, what))
            }
            Entry::Unread(why) => Some(Finding::new(Reason::ArtifactInvalid, path, why)),
        });
    told.collect()
}

/// Tells of everything that looks like a secret.
fn leaks(bundle: &Bundle) -> Vec<Finding> {
    let mut found = Vec::new();
    for (path, entry) in &bundle.entries {
        let Entry::File(bytes) = entry else { continue };
        for hit in secrets::scan(bytes) {
            let what = format!(
                "what looks like {}; name a reference to it instead",
                hit.what
            );
            found.push(match hit.place {
                Some(place) => Finding::at(Reason::SecretFound, path, place, &what),
                None => Finding::new(Reason::SecretFound, path, what),
            });
        }
    }
    found
}

fn declared(bundle: &Bundle) -> Result<Declared, Vec<Finding>> {
    match bundle.file(DECLARATION_FILE) {
        Asked::Found(bytes) => Declared::read(bytes),
        Asked::Told => Err(Vec::new()),
        Asked::Absent => {
            let what = "it is not there, so this is no bundle";
            Err(vec![Finding::new(
                Reason::DeclarationInvalid,
                DECLARATION_FILE,
                what,
            )])
        }
    }
}

/// The folder must be the one that the declaration speaks of.
fn identity(bundle: &Bundle, declaration: &Declaration) -> Vec<Finding> {
    let mut found = Vec::new();
    let id = &declaration.migration_id;
    if *id != bundle.name {
        let what = format!("{} lies in the folder {}", quoted(id), quoted(&bundle.name));
        found.push(Finding::new(
            Reason::MigrationIdMismatch,
            DECLARATION_FILE,
            what,
        ));
    }
    if bundle
        .within
        .is_some_and(|within| within != declaration.kind)
        && let Some(within) = bundle.within
    {
        let what = format!(
            "a bundle of the type {} lies in {within}/",
            declaration.kind
        );
        found.push(Finding::new(
            Reason::DeclarationInvalid,
            DECLARATION_FILE,
            what,
        ));
    }
    found
}

/// The scripts must be there, hold something, and read as what they are.
fn scripts(bundle: &Bundle, declaration: &Declaration) -> Vec<Finding> {
    let mut found = Vec::new();
    let artifacts = &declaration.artifacts;
    let lists = [
        (&artifacts.forward, Reason::ArtifactInvalid),
        (&artifacts.rollback, Reason::RollbackMissing),
    ];
    for (names, absent) in lists {
        for name in names.iter().filter(|name| escape(name).is_none()) {
            match bundle.file(name) {
                Asked::Found(bytes) if says_nothing(bytes) => {
                    found.push(Finding::new(absent, name, "the script does nothing"));
                }
                Asked::Found(bytes) => found.extend(unreadable(bytes, name)),
                Asked::Told => {}
                Asked::Absent => {
                    let what = "the declaration names this script, and it is not there";
                    found.push(Finding::new(absent, name, what));
                }
            }
        }
    }
    let notes = bundle.file(NOTES_FILE);
    if let Asked::Found(bytes) = notes {
        found.extend(unreadable(bytes, NOTES_FILE));
    }
    if declaration.requires_rollback {
        if artifacts.rollback.is_empty() {
            let what = "requires_rollback is true, and artifacts.rollback names no script";
            found.push(Finding::new(
                Reason::RollbackMissing,
                DECLARATION_FILE,
                what,
            ));
        }
        return found;
    }
    let reason = Reason::IrreversibleWithoutApproval;
    if declaration.approvals.reference.is_none() {
        let what = "requires_rollback is false, and approvals.reference names no approval of that";
        found.push(Finding::new(reason, DECLARATION_FILE, what));
    }
    let has_notes = match notes {
        Asked::Found(bytes) => !says_nothing(bytes),
        Asked::Told => true,
        Asked::Absent => false,
    };
    if !has_notes {
        let what = "requires_rollback is false, and nothing here says why and what makes up for it";
        found.push(Finding::new(reason, NOTES_FILE, what));
    }
    found
}

/// Tells whether a text is only blanks, headings and comments.
fn says_nothing(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let text = without(&without(&text, "/*", "*/"), "<!--", "-->");
    let says = |line: &str| {
        let line = line.trim();
        !line.is_empty() && !["--", "//", "#"].iter().any(|mark| line.starts_with(mark))
    };
    ["", "{}", "[]", "null"].contains(&text.trim()) || !text.lines().any(says)
}

/// Takes out of a text what stands between two marks.
fn without(text: &str, open: &str, close: &str) -> String {
    let (mut left, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, after)) = rest.split_once(open) {
        left.push_str(before);
        rest = after.split_once(close).map_or("", |(_, after)| after);
    }
    left.push_str(rest);
    left
}

/// A script or a note must be text that shows itself as it is.
fn unreadable(bytes: &[u8], path: &str) -> Option<Finding> {
    let at = |offset: usize, what: &str| {
        let place = super::yaml::place_of(bytes, offset);
        Some(Finding::at(Reason::ArtifactInvalid, path, place, what))
    };
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => return at(error.valid_up_to(), "not UTF-8"),
    };
    let is_wrong = |character: char| {
        (character.is_control() && !"\t\n\r\u{c}".contains(character))
            || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut characters = text
        .char_indices()
        .filter(|(_, character)| is_wrong(*character));
    let (offset, character) = characters.next()?;
    let code = u32::from(character);
    at(
        offset,
        &format!("the character U+{code:04X}, which hides or reorders text"),
    )
}

/// Baselines and diff must be there, be what their schemas ask for, and show a change that kept to its declaration.
fn observed(bundle: &Bundle, declaration: &Declaration) -> Vec<Finding> {
    let mut found = Vec::new();
    let artifacts = &declaration.artifacts;
    let pre = baseline(bundle, &artifacts.pre, &mut found);
    let post = baseline(bundle, &artifacts.post, &mut found);
    let path = &artifacts.summary;
    let Some(value) = due_json(bundle, path, Reason::DiffMissing, &mut found) else {
        return found;
    };
    let said = |name: &str| {
        let number = &value[name];
        number
            .as_u64()
            .or_else(|| number.as_i64().map(i64::unsigned_abs))
    };
    let magnitudes = ["table_count_touched", "index_count_delta", "row_backfill"].map(said);
    let id = value["migration_id"].as_str().map(str::to_owned);
    let diff =
        artefact::typed::<DiffSummary>(value, path, Schema::DiffSummary, Reason::ArtifactInvalid);
    if let Some(id) = id
        && id != declaration.migration_id
    {
        let what = format!("it is the diff of {}", quoted(&id));
        found.push(Finding::new(Reason::MigrationIdMismatch, path, what));
    }
    match (pre, post, diff) {
        (Some(pre), Some(post), Ok(diff)) => found.extend(judge(declaration, &pre, &post, &diff)),
        // What is told is compared with the limits all the same.
        (_, _, diff) => {
            let [tables, indexes, rows] = magnitudes;
            found.extend(declaration.limits.exceeded_by(tables, indexes, rows, path));
            found.extend(diff.err().into_iter().flatten());
        }
    }
    found
}

fn baseline(bundle: &Bundle, path: &str, found: &mut Vec<Finding>) -> Option<Baseline> {
    let value = due_json(bundle, path, Reason::BaselineMissing, found)?;
    let read = artefact::typed::<Baseline>(value, path, Schema::Baseline, Reason::ArtifactInvalid);
    let baseline = read.map_err(|faults| found.extend(faults)).ok()?;
    let mut names: Vec<_> = baseline
        .objects
        .iter()
        .map(|object| (&object.kind, &object.name, &object.table))
        .collect();
    names.sort_unstable();
    if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        let what = format!("the {} {} is listed twice", twice[0].0, quoted(twice[0].1));
        found.push(Finding::new(Reason::ArtifactInvalid, path, what));
        return None;
    }
    Some(baseline)
}

/// Reads a JSON file that is due, unless its name leads elsewhere.
fn due_json(
    bundle: &Bundle,
    path: &str,
    absent: Reason,
    found: &mut Vec<Finding>,
) -> Option<serde_json::Value> {
    if escape(path).is_some() {
        return None;
    }
    match bundle.file(path) {
        Asked::Found(bytes) => {
            let read = artefact::json(bytes, path, Reason::ArtifactInvalid);
            read.map_err(|finding| found.push(finding)).ok()
        }
        Asked::Told => None,
        Asked::Absent => {
            let what = "the declaration names this file, and it is not there";
            found.push(Finding::new(absent, path, what));
            None
        }
    }
}

/// Whatever else calls itself JSON must be some.
fn other_json(bundle: &Bundle, declaration: Option<&Declaration>) -> Vec<Finding> {
    let judged = |path: &str| {
        declaration.is_some_and(|declaration| {
            let artifacts = &declaration.artifacts;
            [&artifacts.pre, &artifacts.post, &artifacts.summary].contains(&&path.to_owned())
                || receipts::is_one(path)
        })
    };
    let found = bundle.entries.iter().filter_map(|(path, entry)| {
        let Entry::File(bytes) = entry else {
            return None;
        };
        let is_json = [".json", ".jsonld"]
            .iter()
            .any(|ending| path.ends_with(ending));
        if !is_json || judged(path) {
            return None;
        }
        artefact::json(bytes, path, Reason::ArtifactInvalid).err()
    });
    found.collect()
}
