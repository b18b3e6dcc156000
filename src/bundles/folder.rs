//! A folder by its open handle: whatever is renamed or replaced meanwhile, nothing outside of it is ever read.
//!
//! Each step opens one name below the handle before, never through a symbolic link, and looks at what was opened.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use nix::dir::{Dir, Type};
use nix::errno::Errno;
use nix::fcntl::{OFlag, open, openat, renameat};
use nix::sys::stat::{Mode, mkdirat};

use crate::rules::bundle::{Declaration, Entry, NOTES_FILE};
use crate::rules::bundle_run::Script;

/// The largest file that is read.
pub const MOST_FILE_BYTES: u64 = 8 * 1024 * 1024;
/// How much of a bundle is read.
pub const MOST_BUNDLE_BYTES: u64 = 16 * 1024 * 1024;
/// How many files and folders a bundle may have.
pub const MOST_ENTRIES: usize = 500;
/// How many folders may stand inside each other.
pub const MOST_DEPTH: usize = 8;
/// How many names of one folder are listed.
const MOST_NAMES: usize = 100_000;

/// What is asked of everything that is opened.
const SAFE: OFlag = OFlag::O_CLOEXEC
    .union(OFlag::O_NOFOLLOW)
    .union(OFlag::O_NONBLOCK)
    .union(OFlag::O_NOCTTY);

/// An open folder.
#[derive(Debug)]
pub struct Folder(OwnedFd);

/// What a name of a folder stands for.
#[derive(Debug)]
pub enum Opened {
    /// A folder.
    Folder(Folder),
    /// A plain file.
    File(File),
    /// A symbolic link.
    Symlink,
    /// Nothing; it may be gone since it was listed.
    Absent,
    /// Something else, or something that cannot be opened, and why.
    Other(String),
}

impl Folder {
    /// Opens a folder by a path that somebody has given; only that path may lead through symbolic links.
    pub fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        Ok(Self(open(path, flags, Mode::empty())?))
    }

    /// Lists the names, sorted, with what they were when they were listed.
    pub fn names(&self) -> io::Result<Vec<Name>> {
        let again = openat(
            &self.0,
            ".",
            OFlag::O_DIRECTORY | OFlag::O_CLOEXEC,
            Mode::empty(),
        )?;
        let mut names = Vec::new();
        for entry in Dir::from_fd(again)? {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if name == b"." || name == b".." {
                continue;
            }
            if names.len() == MOST_NAMES {
                return Err(io::Error::other(format!("more than {MOST_NAMES} names")));
            }
            names.push(Name {
                text: String::from_utf8_lossy(name).into_owned(),
                is_utf8: std::str::from_utf8(name).is_ok(),
                kind: entry.file_type(),
            });
        }
        names.sort_unstable_by(|a, b| a.text.cmp(&b.text));
        Ok(names)
    }

    /// Opens what a name stands for.
    #[must_use]
    pub fn enter(&self, name: &str) -> Opened {
        match openat(&self.0, name, OFlag::O_RDONLY | SAFE, Mode::empty()) {
            Ok(opened) => sort_out(opened),
            Err(Errno::ELOOP | Errno::EMLINK) => Opened::Symlink,
            Err(Errno::ENOENT) => Opened::Absent,
            Err(Errno::ENXIO) => Opened::Other("neither a file nor a folder".to_owned()),
            Err(error) => Opened::Other(format!("it cannot be opened: {}", error.desc())),
        }
    }

    /// Reads a file of at most so many bytes below it, by its path of plain names.
    #[must_use]
    pub fn file(&self, path: &str, most: u64) -> Option<Entry> {
        let (first, rest) = match path.split_once('/') {
            Some((first, rest)) => (first, Some(rest)),
            None => (path, None),
        };
        match (self.enter(first), rest) {
            (Opened::Folder(folder), Some(rest)) => folder.file(rest, most),
            (Opened::File(file), None) => Some(whole(file, most)),
            (Opened::Absent | Opened::File(_), _) => None,
            (Opened::Symlink, _) => Some(Entry::Symlink),
            (Opened::Folder(_), None) => Some(Entry::Unread("a folder and no file".to_owned())),
            (Opened::Other(why), _) => Some(Entry::Unread(why)),
        }
    }

    /// Reads a text by its path of plain names; says why where it cannot.
    pub fn text(&self, path: &str) -> Result<String, String> {
        match self.file(path, MOST_FILE_BYTES) {
            Some(Entry::File(bytes)) => {
                String::from_utf8(bytes).map_err(|_| format!("{path}: it is no UTF-8 text"))
            }
            Some(Entry::Symlink) => Err(format!("{path}: a symbolic link, which is not followed")),
            Some(Entry::Unread(why)) => Err(format!("{path}: {why}")),
            None => Err(format!("{path}: there is no such file")),
        }
    }

    /// Reads the scripts that a declaration names, those that make the change first; where there is no way back, the notes
    /// that say so come last.
    pub fn scripts(&self, declaration: &Declaration) -> Result<Vec<Script>, String> {
        let artifacts = &declaration.artifacts;
        let notes = (!declaration.requires_rollback).then(|| NOTES_FILE.to_owned());
        let paths = artifacts.forward.iter().chain(&artifacts.rollback);
        let paths = paths.chain(&notes);
        let script = |path: &String| {
            let text = self.text(path)?;
            let path = path.clone();
            Ok(Script { path, text })
        };
        paths.map(script).collect()
    }

    /// Reads everything in it, within bounds; what is not read stands there with the reason.
    #[must_use]
    pub fn read_whole(&self) -> BTreeMap<String, Entry> {
        let mut walk = Walk {
            entries: BTreeMap::new(),
            seen: 0,
            bytes_left: MOST_BUNDLE_BYTES,
        };
        walk.folder(self, "", 1);
        walk.entries
    }

    /// Makes a folder in it, or opens the one that is there.
    pub fn make(&self, name: &str) -> io::Result<Self> {
        match self.make_new(name) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => match self.enter(name) {
                Opened::Folder(folder) => Ok(folder),
                _ => Err(error),
            },
            made => made,
        }
    }

    /// Makes a folder in it that was not there.
    pub fn make_new(&self, name: &str) -> io::Result<Self> {
        mkdirat(&self.0, name, Mode::from_bits_truncate(0o755))?;
        match self.enter(name) {
            Opened::Folder(folder) => Ok(folder),
            _ => Err(io::Error::other(format!("{name} was replaced at once"))),
        }
    }

    /// Writes a file that was not there.
    pub fn create(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | SAFE;
        let mut file = File::from(openat(
            &self.0,
            name,
            flags,
            Mode::from_bits_truncate(0o644),
        )?);
        file.write_all(bytes)?;
        file.sync_all()
    }

    /// Writes a file, whole or not at all, in the place of what was there.
    pub fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let half = format!(".{name}.{}.part", std::process::id());
        self.create(&half, bytes)?;
        renameat(&self.0, half.as_str(), &self.0, name)?;
        File::from(self.0.try_clone()?).sync_all()
    }

    /// Waits until nobody else holds it, and holds it until the answer is dropped.
    pub fn lock(&self) -> io::Result<File> {
        let held = openat(
            &self.0,
            ".",
            OFlag::O_DIRECTORY | OFlag::O_CLOEXEC,
            Mode::empty(),
        )?;
        let held = File::from(held);
        held.lock()?;
        Ok(held)
    }
}

/// A name of a folder.
#[derive(Debug, Clone)]
pub struct Name {
    /// The name; what is not UTF-8 in it is replaced.
    pub text: String,
    /// Whether it is UTF-8, so that the name can be opened.
    pub is_utf8: bool,
    kind: Option<Type>,
}

impl Name {
    /// Tells whether it may be a folder; what is opened has the last word.
    #[must_use]
    pub fn may_be_folder(&self) -> bool {
        matches!(self.kind, Some(Type::Directory | Type::Symlink) | None)
    }
}

fn sort_out(opened: OwnedFd) -> Opened {
    let file = File::from(opened);
    match file.metadata() {
        Ok(found) if found.is_file() => Opened::File(file),
        Ok(found) if found.is_dir() => Opened::Folder(Folder(file.into())),
        Ok(found) => {
            let kind = found.file_type();
            let what = if kind.is_fifo() {
                "a named pipe"
            } else if kind.is_socket() {
                "a socket"
            } else {
                "a device"
            };
            Opened::Other(format!("{what}, where only files are read"))
        }
        Err(error) => Opened::Other(format!("it cannot be looked at: {error}")),
    }
}

fn whole(file: File, most: u64) -> Entry {
    let mut bytes = Vec::new();
    match file.take(most + 1).read_to_end(&mut bytes) {
        Ok(read) if read as u64 > most => Entry::Unread(format!("larger than {most} bytes")),
        Ok(_) => Entry::File(bytes),
        Err(error) => Entry::Unread(format!("it cannot be read: {error}")),
    }
}

struct Walk {
    entries: BTreeMap<String, Entry>,
    seen: usize,
    bytes_left: u64,
}

impl Walk {
    fn folder(&mut self, folder: &Folder, before: &str, depth: usize) {
        let unread = |why: String| Entry::Unread(why);
        let here = if before.is_empty() {
            "."
        } else {
            before.trim_end_matches('/')
        };
        let names = match folder.names() {
            Ok(names) => names,
            Err(error) => {
                let why = format!("the folder cannot be read: {error}");
                self.entries.insert(here.to_owned(), unread(why));
                return;
            }
        };
        for name in names {
            self.seen += 1;
            let path = format!("{before}{}", name.text);
            if self.seen > MOST_ENTRIES {
                let why =
                    format!("more than {MOST_ENTRIES} files and folders; the rest is not read");
                self.entries.insert(path, unread(why));
                return;
            }
            if !name.is_utf8 {
                self.entries
                    .insert(path, unread("its name is not UTF-8".to_owned()));
                continue;
            }
            // A device is not even opened when the folder says what it is.
            if matches!(
                name.kind,
                Some(Type::Fifo | Type::Socket | Type::CharacterDevice | Type::BlockDevice)
            ) {
                let why = "a pipe, a socket or a device, where only files are read";
                self.entries.insert(path, unread(why.to_owned()));
                continue;
            }
            let entry = match folder.enter(&name.text) {
                Opened::Folder(_) if depth == MOST_DEPTH => {
                    unread(format!("more than {MOST_DEPTH} folders inside each other"))
                }
                Opened::Folder(below) => {
                    self.folder(&below, &format!("{path}/"), depth + 1);
                    if self.seen > MOST_ENTRIES {
                        return;
                    }
                    continue;
                }
                Opened::File(file) => self.file(file),
                Opened::Symlink => Entry::Symlink,
                Opened::Absent => unread("it went away while the folder was read".to_owned()),
                Opened::Other(why) => unread(why),
            };
            self.entries.insert(path, entry);
        }
    }

    fn file(&mut self, file: File) -> Entry {
        let most = MOST_FILE_BYTES.min(self.bytes_left);
        let entry = whole(file, most);
        match &entry {
            Entry::File(bytes) => {
                self.bytes_left -= bytes.len() as u64;
                entry
            }
            _ if most < MOST_FILE_BYTES => Entry::Unread(format!(
                "the bundle is larger than {MOST_BUNDLE_BYTES} bytes"
            )),
            _ => entry,
        }
    }
}

/// Returns the last name of a path as it really is, and that of the folder above it.
#[must_use]
pub fn real_names(path: &Path) -> (String, String) {
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let text = |name: Option<&OsStr>| {
        let name = name.map(OsStr::as_bytes).unwrap_or_default();
        String::from_utf8_lossy(name).into_owned()
    };
    let above = real.parent().and_then(Path::file_name);
    (text(real.file_name()), text(above))
}
