//! A tar archive that says the same whoever makes it: fixed owners, times and modes, names in the order of their bytes.
//!
//! What comes first in the archive is known last. Hence every room of it is put aside in a file without a name, beside
//! the archive, and the archive is put together at the end; memory holds one piece of evidence at a time.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use tar::{EntryType, Header};

use crate::canon::{Digest, Hasher};

/// 2000-01-01T00:00:00Z: a file's time says nothing here, and tools complain about earlier ones.
const WHEN: u64 = 946_684_800;
const BLOCK: usize = 512;
const PLAIN: u32 = 0o644;
/// The mode of what is run.
pub(super) const PROGRAM: u32 = 0o755;

/// What lies in a folder of the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    Cards,
    Entries,
    Evidence,
    Signatures,
}

/// A short text of the archive, known as a whole.
pub(super) struct Text<'a> {
    pub name: &'static str,
    pub mode: u32,
    pub bytes: &'a [u8],
}

impl<'a> Text<'a> {
    pub fn plain(name: &'static str, text: &'a str) -> Self {
        Self {
            name,
            mode: PLAIN,
            bytes: text.as_bytes(),
        }
    }
}

/// Counts and hashes what goes through it.
struct Hashing<W> {
    inner: W,
    hasher: Hasher,
    size: u64,
}

impl<W: Write> Hashing<W> {
    fn new(inner: W) -> Self {
        Self {
            inner,
            hasher: Hasher::default(),
            size: 0,
        }
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hasher.update(bytes.get(..written).unwrap_or_default());
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Bytes put aside in a file that has no name: whatever happens, nothing is left of it.
struct Spool(Hashing<BufWriter<File>>);

impl Spool {
    fn in_folder(folder: &Path) -> io::Result<Self> {
        let (path, file) = new_file(folder)?;
        fs::remove_file(path)?;
        Ok(Self(Hashing::new(BufWriter::new(file))))
    }

    fn pour(self, out: &mut impl Write) -> io::Result<()> {
        let mut file = self.0.inner.into_inner()?;
        file.rewind()?;
        io::copy(&mut file, out).map(drop)
    }

    /// Pours it out as one file of the archive.
    fn pour_as(self, name: &str, out: &mut impl Write) -> io::Result<()> {
        let size = self.0.size;
        out.write_all(header(name, PLAIN, size)?.as_bytes())?;
        self.pour(out)?;
        pad(size, out)
    }
}

/// Makes a file for its owner alone, under a name that nobody has.
fn new_file(folder: &Path) -> io::Result<(PathBuf, File)> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let path = folder.join(format!(".govdeck-{:016x}.part", u64::from_be_bytes(random)));
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)?;
    Ok((path, file))
}

fn header(name: &str, mode: u32, size: u64) -> io::Result<Header> {
    let mut header = Header::new_ustar();
    header.set_path(name)?;
    header.set_entry_type(EntryType::Regular);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(WHEN);
    header.set_size(size);
    header.set_cksum();
    Ok(header)
}

fn pad(size: u64, out: &mut impl Write) -> io::Result<()> {
    let over = usize::try_from(size % BLOCK as u64).unwrap_or(0);
    let zeros = [0; BLOCK];
    out.write_all(zeros.get(over..).filter(|_| over > 0).unwrap_or_default())
}

fn member(name: &str, mode: u32, bytes: &[u8], out: &mut impl Write) -> io::Result<()> {
    let size = bytes.len() as u64;
    out.write_all(header(name, mode, size)?.as_bytes())?;
    out.write_all(bytes)?;
    pad(size, out)
}

/// An archive under way.
pub(super) struct Archive {
    folder: PathBuf,
    cards: Spool,
    entries: Spool,
    evidence: Spool,
    signatures: Spool,
    entries_tsv: Spool,
    signers_tsv: Spool,
    sums: Spool,
}

/// What was made.
pub(super) struct Made {
    pub sha256: Digest,
    pub size: u64,
}

impl Archive {
    /// Begins an archive that will lie at a path where nothing lies yet.
    pub fn begin(path: &Path) -> io::Result<Self> {
        if fs::symlink_metadata(path).is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        Ok(Self {
            cards: Spool::in_folder(folder)?,
            entries: Spool::in_folder(folder)?,
            evidence: Spool::in_folder(folder)?,
            signatures: Spool::in_folder(folder)?,
            entries_tsv: Spool::in_folder(folder)?,
            signers_tsv: Spool::in_folder(folder)?,
            sums: Spool::in_folder(folder)?,
            folder: folder.to_owned(),
        })
    }

    /// Puts a file into a room; names come in order.
    pub fn put(&mut self, room: Room, name: &str, bytes: &[u8]) -> io::Result<()> {
        let (spool, folder) = match room {
            Room::Cards => (&mut self.cards, "cards"),
            Room::Entries => (&mut self.entries, "entries"),
            Room::Evidence => (&mut self.evidence, "evidence"),
            Room::Signatures => (&mut self.signatures, "signatures"),
        };
        let name = format!("{folder}/{name}");
        member(&name, PLAIN, bytes, &mut spool.0)?;
        self.sum(Digest::of(bytes), &name)
    }

    /// Adds a line to the table of entries.
    pub fn tell_entry(&mut self, line: &str) -> io::Result<()> {
        writeln!(self.entries_tsv.0, "{line}")
    }

    /// Adds a line to the table of those who wrote them.
    pub fn tell_signer(&mut self, line: &str) -> io::Result<()> {
        writeln!(self.signers_tsv.0, "{line}")
    }

    fn sum(&mut self, sha256: Digest, name: &str) -> io::Result<()> {
        writeln!(self.sums.0, "{sha256}  {name}")
    }

    /// Puts the archive together and gives it its name, unless somebody else took that meanwhile.
    pub fn finish(
        mut self,
        path: &Path,
        [readme, allowed_signers, verify]: [Text<'_>; 3],
    ) -> io::Result<Made> {
        let tables = [
            (self.entries_tsv.0.hasher.clone().finish(), "entries.tsv"),
            (self.signers_tsv.0.hasher.clone().finish(), "signers.tsv"),
        ];
        for (sha256, name) in tables {
            self.sum(sha256, name)?;
        }
        for text in [&readme, &allowed_signers, &verify] {
            self.sum(Digest::of(text.bytes), text.name)?;
        }
        let (partial, file) = new_file(&self.folder)?;
        let partial = Partial(partial);
        let mut out = Hashing::new(BufWriter::new(file));
        member(readme.name, readme.mode, readme.bytes, &mut out)?;
        self.sums.pour_as("SHA256SUMS", &mut out)?;
        let Text { name, mode, bytes } = allowed_signers;
        member(name, mode, bytes, &mut out)?;
        self.cards.pour(&mut out)?;
        self.entries_tsv.pour_as("entries.tsv", &mut out)?;
        self.entries.pour(&mut out)?;
        self.evidence.pour(&mut out)?;
        self.signatures.pour(&mut out)?;
        self.signers_tsv.pour_as("signers.tsv", &mut out)?;
        member(verify.name, verify.mode, verify.bytes, &mut out)?;
        out.write_all(&[0; 2 * BLOCK])?;
        let made = Made {
            sha256: out.hasher.finish(),
            size: out.size,
        };
        out.inner.into_inner()?.sync_all()?;
        partial.name_it(path)?;
        Ok(made)
    }
}

/// A file that goes away again unless it gets its name.
struct Partial(PathBuf);

impl Partial {
    fn name_it(&self, path: &Path) -> io::Result<()> {
        // A rename would replace what somebody else put there meanwhile.
        match fs::hard_link(&self.0, path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
            Err(_) if fs::symlink_metadata(path).is_ok() => {
                Err(io::ErrorKind::AlreadyExists.into())
            }
            // Not every file system knows a second name.
            Err(_) => fs::rename(&self.0, path),
            Ok(()) => Ok(()),
        }
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(path: &Path) -> Vec<u8> {
        let mut archive = Archive::begin(path).expect("begun");
        archive
            .put(Room::Cards, "00000001.json", &[b'x'; 512])
            .expect("put");
        archive
            .put(Room::Entries, "00000001.json", b"{}")
            .expect("put");
        archive.tell_entry("seq\thash").expect("told");
        let texts = [
            Text::plain("README.txt", "a"),
            Text::plain("allowed_signers", ""),
            Text::plain("verify.sh", "b\n"),
        ];
        let made = archive.finish(path, texts).expect("made");
        let bytes = fs::read(path).expect("there");
        assert_eq!(made.sha256, Digest::of(&bytes));
        assert_eq!(made.size, bytes.len() as u64);
        bytes
    }

    #[test]
    fn the_same_content_is_the_same_archive_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().expect("writable");
        let [one, two] = ["one", "two"].map(|name| made(&folder.path().join(name)));
        assert_eq!(one, two);
        assert_eq!(fs::read_dir(folder.path()).expect("listed").count(), 2);
        let names: Vec<_> = tar::Archive::new(&one[..])
            .entries()
            .expect("an archive")
            .map(|entry| {
                let entry = entry.expect("an entry");
                String::from_utf8_lossy(&entry.path_bytes()).into_owned()
            })
            .collect();
        let mut sorted = names.clone();
        sorted.sort();
        assert_eq!(names, sorted);
        assert_eq!(names.len(), 8);
    }

    #[test]
    fn nothing_is_overwritten_and_nothing_is_left_of_a_failure() {
        let folder = tempfile::tempdir().expect("writable");
        let path = folder.path().join("there");
        fs::write(&path, "mine").expect("written");
        assert!(Archive::begin(&path).is_err());
        let late = folder.path().join("late");
        let archive = Archive::begin(&late).expect("begun");
        fs::write(&late, "theirs").expect("written");
        let texts = ["README.txt", "allowed_signers", "verify.sh"];
        let ended = archive.finish(&late, texts.map(|name| Text::plain(name, "")));
        assert!(ended.is_err());
        assert_eq!(fs::read(&late).expect("there"), b"theirs");
        assert_eq!(fs::read_dir(folder.path()).expect("listed").count(), 2);
    }
}
