//! Which bundles a folder holds, and everything that is wrong with them.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use super::folder::{Folder, MOST_FILE_BYTES, Name, Opened, real_names};
use crate::rules::bundle::{
    Bundle, DECLARATION_FILE, Due, Entry, Finding, Kind, Known, MigrationId, REGISTRY_FILE, Reason,
    Registry, check,
};

/// What was found in a folder.
#[derive(Debug, Default)]
pub struct Found {
    /// How many bundles were looked at.
    pub bundles: usize,
    /// What is wrong, each with its path from the folder.
    pub findings: Vec<Finding>,
    known: Vec<Known>,
}

impl Found {
    fn tell(&mut self, reason: Reason, path: &str, what: impl Into<String>) {
        self.findings.push(Finding::new(reason, path, what));
    }
}

/// Checks a bundle, the bundles of a folder of one type, or all of a governance root together with its registry.
pub fn check_folder(path: &Path) -> io::Result<Found> {
    let folder = Folder::open(path)?;
    let names = folder.names()?;
    let has = |wanted: &str| names.iter().any(|name| name.text == wanted);
    let (name, above) = real_names(path);
    let mut found = Found::default();
    if has(DECLARATION_FILE) {
        if path.symlink_metadata()?.is_symlink() {
            found.tell(
                Reason::Symlink,
                ".",
                "the bundle's folder is a symbolic link",
            );
        }
        one(&folder, name, above.parse().ok(), "", &mut found);
    } else if folder.file(REGISTRY_FILE, 0).is_some()
        || Kind::ALL.iter().any(|kind| has(kind.word()))
    {
        root(&folder, &mut found);
    } else if names.iter().any(|name| holds_bundle(&folder, name)) {
        all_of(&folder, &names, name.parse().ok(), "", &mut found);
    } else {
        // Whatever it is, it is no bundle, and is told what it lacks.
        one(&folder, name, above.parse().ok(), "", &mut found);
    }
    Ok(found)
}

/// Tells whether a name is of a folder that is a bundle, or is called like one.
fn holds_bundle(folder: &Folder, name: &Name) -> bool {
    name.may_be_folder()
        && (name.text.parse::<MigrationId>().is_ok()
            || matches!(folder.enter(&name.text), Opened::Folder(below)
                if !matches!(below.enter(DECLARATION_FILE), Opened::Absent)))
}

fn one(folder: &Folder, name: String, within: Option<Kind>, before: &str, found: &mut Found) {
    let bundle = Bundle {
        name,
        within,
        entries: folder.read_whole(),
    };
    let checked = check(&bundle, Due::Everything);
    found.bundles += 1;
    found
        .findings
        .extend(checked.findings.into_iter().map(|finding| Finding {
            path: format!("{before}{}", finding.path),
            ..finding
        }));
    if let Some(kind) = within {
        found.known.push(Known {
            path: before.trim_end_matches('/').to_owned(),
            name: bundle.name,
            kind,
            receipts: checked.steps,
        });
    }
}

/// Checks every folder in a folder of one type; files beside them are none of its business.
fn all_of(folder: &Folder, names: &[Name], within: Option<Kind>, before: &str, found: &mut Found) {
    for name in names
        .iter()
        .filter(|name| name.may_be_folder() && !name.text.starts_with('.'))
    {
        let path = format!("{before}{}", name.text);
        match folder.enter(&name.text) {
            Opened::Folder(below) => one(
                &below,
                name.text.clone(),
                within,
                &format!("{path}/"),
                found,
            ),
            Opened::Symlink => found.tell(
                Reason::Symlink,
                &path,
                "a symbolic link in the place of a bundle",
            ),
            Opened::Absent => found.tell(
                Reason::ArtifactInvalid,
                &path,
                "it went away while it was read",
            ),
            Opened::Other(why) => found.tell(Reason::ArtifactInvalid, &path, why),
            Opened::File(_) => {}
        }
    }
}

fn root(folder: &Folder, found: &mut Found) {
    for kind in Kind::ALL {
        match folder.enter(kind.word()) {
            Opened::Folder(below) => match below.names() {
                Ok(names) => all_of(&below, &names, Some(*kind), &format!("{kind}/"), found),
                Err(error) => found.tell(Reason::ArtifactInvalid, kind.word(), error.to_string()),
            },
            Opened::Symlink => found.tell(
                Reason::Symlink,
                kind.word(),
                "a symbolic link in the place of a folder",
            ),
            Opened::Other(why) => found.tell(Reason::ArtifactInvalid, kind.word(), why),
            Opened::File(_) => found.tell(
                Reason::ArtifactInvalid,
                kind.word(),
                "a file in the place of a folder",
            ),
            Opened::Absent => {}
        }
    }
    let mut by_name: BTreeMap<String, String> = BTreeMap::new();
    let twice = found.known.iter().filter_map(|known| {
        let other = by_name.insert(known.name.clone(), known.path.clone())?;
        let what = format!("the id is that of {other} too; ids are never used again");
        Some(Finding::new(Reason::MigrationIdMismatch, &known.path, what))
    });
    let twice: Vec<_> = twice.collect();
    found.findings.extend(twice);
    let registry = match folder.file(REGISTRY_FILE, MOST_FILE_BYTES) {
        Some(Entry::File(bytes)) => Registry::read(&bytes),
        Some(Entry::Symlink) => {
            let what = "a symbolic link in the place of the registry";
            Err(vec![Finding::new(Reason::Symlink, REGISTRY_FILE, what)])
        }
        Some(Entry::Unread(why)) => Err(vec![Finding::new(
            Reason::ArtifactInvalid,
            REGISTRY_FILE,
            why,
        )]),
        None => {
            let what = "the registry is not there";
            Err(vec![Finding::new(
                Reason::ArtifactInvalid,
                REGISTRY_FILE,
                what,
            )])
        }
    };
    let faults = match registry {
        Ok(registry) => registry.faults(&found.known),
        Err(faults) => faults,
    };
    found.findings.extend(faults);
    if found.bundles == 0 {
        found.tell(Reason::DeclarationInvalid, ".", "there is no bundle");
    }
}
