//! A new bundle: everything that a person writes, with words that say what is due, and its entry in the registry.

use std::io;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;

use super::folder::{Folder, MOST_FILE_BYTES, Opened};
use crate::rules::Refusal;
use crate::rules::bundle::{
    Entry, Finding, Kind, MigrationId, NOTES_FILE, REGISTRY_FILE, Registry, RegistryEntry, Status,
};

/// Why no bundle was begun.
#[derive(Debug)]
pub enum NotMade {
    /// Something stands against it.
    Refused(Refusal),
    /// A file or folder cannot be read or written.
    Io(PathBuf, io::Error),
}

impl From<Refusal> for NotMade {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// Begins a bundle below a governance root and registers it as a draft; returns the files that were written.
///
/// Nothing that is there is written over, but for the registry, which gets one entry more.
pub fn begin(root: &Path, kind: Kind, id: &str) -> Result<Vec<String>, NotMade> {
    put(root, kind, id, &files(kind, id))
}

/// Writes a bundle with these files below a governance root and registers it as a draft; returns the files that were
/// written.
pub fn put(
    root: &Path,
    kind: Kind,
    id: &str,
    files: &[(String, String)],
) -> Result<Vec<String>, NotMade> {
    let parsed: MigrationId = id
        .parse()
        .map_err(|what: String| Refusal::new(what, "an id looks like PG-MIG-2026-02-28-01"))?;
    let about = |path: &str| {
        let path = root.join(path);
        move |error| NotMade::Io(path, error)
    };
    let above = Folder::open(root).map_err(about(""))?;
    let registry_folder = above.make("registry").map_err(about("registry"))?;
    let held = registry_folder.lock().map_err(about("registry"))?;
    let mut registry = registry_of(&above)?;
    is_new(&above, &registry, kind, id, &parsed)?;
    let of_kind = above.make(kind.word()).map_err(about(kind.word()))?;
    let path = format!("{kind}/{id}");
    let bundle = of_kind.make_new(id).map_err(about(&path))?;
    let mut written = Vec::new();
    for (name, text) in files {
        let file = format!("{path}/{name}");
        bundle.create(name, text.as_bytes()).map_err(about(&file))?;
        written.push(file);
    }
    registry.migrations.push(RegistryEntry {
        migration_id: id.to_owned(),
        kind,
        path,
        owners: Vec::new(),
        status: Status::Draft,
        receipts: Vec::new(),
    });
    let name = REGISTRY_FILE.rsplit('/').next().unwrap_or(REGISTRY_FILE);
    let text = registry.text();
    registry_folder
        .replace(name, text.as_bytes())
        .map_err(about(REGISTRY_FILE))?;
    drop(held);
    written.push(REGISTRY_FILE.to_owned());
    Ok(written)
}

/// Finds the next ids of a series that are free on a day, or behind the last one of the type.
pub fn next_ids<const MANY: usize>(
    root: &Path,
    kind: Kind,
    series: &str,
    day: NaiveDate,
) -> Result<[String; MANY], NotMade> {
    let above = Folder::open(root).map_err(|error| NotMade::Io(root.to_owned(), error))?;
    let registry = registry_of(&above)?;
    let ids = registry.migrations.iter();
    let ids = ids.filter(|entry| entry.kind == kind);
    let last = ids
        .filter_map(|entry| entry.migration_id.parse::<MigrationId>().ok())
        .max();
    let (day, first) = match last {
        Some(last) if last.date >= day => (last.date, last.number.saturating_add(1)),
        _ => (day, 1),
    };
    let mut number = first;
    Ok(std::array::from_fn(|_| {
        let id = format!("{series}-MIG-{day}-{number:02}");
        number = number.saturating_add(1);
        id
    }))
}

fn registry_of(root: &Folder) -> Result<Registry, Refusal> {
    let hint = "mend the registry first: `govdeck bundle check` says where";
    let unread = |why: &str| Refusal::new(format!("{REGISTRY_FILE} cannot be used: {why}"), hint);
    match root.file(REGISTRY_FILE, MOST_FILE_BYTES) {
        None => Ok(Registry::empty()),
        Some(Entry::File(bytes)) => Registry::read(&bytes).map_err(|faults| {
            let first = faults
                .first()
                .map(|finding: &Finding| finding.detail.as_str());
            unread(first.unwrap_or("it is invalid"))
        }),
        Some(Entry::Symlink) => Err(unread("it is a symbolic link")),
        Some(Entry::Unread(why)) => Err(unread(&why)),
    }
}

/// Refuses an id that was ever used, and one that would stand before an earlier one of its type.
fn is_new(
    root: &Folder,
    registry: &Registry,
    kind: Kind,
    id: &str,
    parsed: &MigrationId,
) -> Result<(), Refusal> {
    let hint = "ids are never used again; take the next number of the day";
    let mut last: Option<MigrationId> = None;
    for entry in &registry.migrations {
        let other = entry.migration_id.parse::<MigrationId>().ok();
        if entry.migration_id == id || other.as_ref() == Some(parsed) {
            return Err(Refusal::new(format!("{id} is registered already"), hint));
        }
        if entry.kind == kind {
            last = last.max(other);
        }
    }
    if let Some(last) = last
        && (parsed.date, parsed.number) < (last.date, last.number)
    {
        let sentence = format!(
            "{id} would come before {}-MIG-{}-{:02}, the last one of its type",
            last.series, last.date, last.number
        );
        return Err(Refusal::new(
            sentence,
            "take today's date and the next number",
        ));
    }
    for kind in Kind::ALL {
        if let Opened::Folder(folder) = root.enter(kind.word())
            && !matches!(folder.enter(id), Opened::Absent)
        {
            return Err(Refusal::new(format!("{kind}/{id} is there already"), hint));
        }
    }
    Ok(())
}

/// Writes what a bundle begins with.
fn files(kind: Kind, id: &str) -> Vec<(String, String)> {
    let (ending, tool) = match kind {
        Kind::Postgis => ("sql", "govdeck"),
        Kind::Graph => ("cypher", "govdeck"),
        Kind::Search | Kind::Other => ("json", "govdeck"),
    };
    let things = match kind {
        Kind::Search => "indexes and aliases",
        Kind::Graph => "labels and types of relationships",
        Kind::Postgis | Kind::Other => {
            "tables, and views, functions and types that are changed by themselves"
        }
    };
    let declaration = include_str!("templates/migration.yml")
        .replace("{id}", id)
        .replace("{kind}", kind.word())
        .replace("{things}", things)
        .replace("{tool}", tool)
        .replace("{ending}", ending);
    let script = |what: &str| match ending {
        "sql" => format!("-- {what}\n"),
        "cypher" => format!("// {what}\n"),
        _ => "{}\n".to_owned(),
    };
    let notes = include_str!("templates/notes.md").replace("{id}", id);
    vec![
        ("migration.yml".to_owned(), declaration),
        (
            format!("forward.{ending}"),
            script("What the change does, one statement after the other."),
        ),
        (
            format!("rollback.{ending}"),
            script("What takes all of it back; it is executed when the change is planned."),
        ),
        (NOTES_FILE.to_owned(), notes),
    ]
}
