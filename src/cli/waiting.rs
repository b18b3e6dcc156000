//! The folder of requests that were put aside, one file each, for their owner alone.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::libc;

use super::page::{Exit, Failure};
use crate::actions::PutAside;
use crate::settings::Settings;

/// The most bytes of one request: its cards hold what people typed, and that is short.
const MOST_BYTES: u64 = 4 * 1024 * 1024;

/// Where requests wait.
#[derive(Debug)]
pub(super) struct Waiting(Option<PathBuf>);

impl Waiting {
    pub(super) fn of(settings: &Settings) -> Self {
        let state = settings.paths().state_dir;
        Self(state.map(|folder| folder.join("waiting")))
    }

    fn folder(&self) -> Result<&Path, Failure> {
        self.0.as_deref().ok_or_else(|| {
            Failure::new(
                Exit::BadInput,
                "there is no folder for what waits: HOME is not set",
                "set HOME or XDG_STATE_HOME",
            )
        })
    }

    /// Finds where the request of a ticket lies, or would.
    fn place(&self, ticket: &str) -> Result<PathBuf, Failure> {
        if !is_ticket(ticket) {
            return Err(Failure::new(
                Exit::BadInput,
                format!("{ticket:?} is no ticket"),
                "a ticket has 32 hexadecimal digits; `govdeck card list` shows them",
            ));
        }
        Ok(self.folder()?.join(format!("{ticket}.json")))
    }

    /// Puts a request aside.
    pub(super) fn put(&self, request: &PutAside) -> Result<(), Failure> {
        let (folder, path) = (self.folder()?, self.place(request.ticket())?);
        let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(|error| Failure::of_file(folder, &error))?;
        let found = fs::metadata(folder).map_err(|error| Failure::of_file(folder, &error))?;
        refuse_for_others(folder, found.mode(), "700")?;
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path);
        let mut file = file.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => Failure::new(
                Exit::No,
                format!("{} waits for its signature already", request.ticket()),
                format!("govdeck card drop {}", request.ticket()),
            ),
            _ => Failure::of_file(&path, &error),
        })?;
        let written = file
            .write_all(&request.to_bytes()?)
            .and_then(|()| file.sync_all());
        written.map_err(|error| {
            let _ = fs::remove_file(&path);
            Failure::of_file(&path, &error)
        })
    }

    /// Reads the request of a ticket.
    pub(super) fn read(&self, ticket: &str) -> Result<PutAside, Failure> {
        let path = self.place(ticket)?;
        let bytes = match read_plain(&path, MOST_BYTES) {
            Ok(bytes) => bytes,
            Err(Unread::Mode(mode)) => {
                refuse_for_others(&path, mode, "600")?;
                Vec::new()
            }
            Err(Unread::Io(error)) if error.kind() == io::ErrorKind::NotFound => {
                return Err(Failure::new(
                    Exit::CannotTell,
                    format!("nothing waits under the ticket {ticket}"),
                    "`govdeck card list` shows what does",
                ));
            }
            Err(Unread::Io(error)) => return Err(Failure::of_file(&path, &error)),
        };
        let request = PutAside::read(&bytes)?;
        if request.ticket() == ticket {
            return Ok(request);
        }
        Err(Failure::new(
            Exit::No,
            format!("what waits as {ticket} has another ticket"),
            format!("somebody edited the file: govdeck card drop {ticket}"),
        ))
    }

    /// Lists the tickets of all that waits.
    pub(super) fn tickets(&self) -> Result<Vec<String>, Failure> {
        let folder = self.folder()?;
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(Failure::of_file(folder, &error)),
        };
        let ticket = |entry: fs::DirEntry| {
            let name = entry.file_name().into_string().ok()?;
            let ticket = name.strip_suffix(".json")?;
            is_ticket(ticket).then(|| ticket.to_owned())
        };
        let mut tickets: Vec<_> = entries.filter_map(Result::ok).filter_map(ticket).collect();
        tickets.sort();
        Ok(tickets)
    }

    /// Forgets the request of a ticket.
    pub(super) fn remove(&self, ticket: &str) -> Result<(), Failure> {
        let path = self.place(ticket)?;
        fs::remove_file(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Failure::new(
                Exit::CannotTell,
                format!("nothing waits under the ticket {ticket}"),
                "`govdeck card list` shows what does",
            ),
            _ => Failure::of_file(&path, &error),
        })
    }
}

fn is_ticket(text: &str) -> bool {
    text.len() == 32
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

fn is_for_others(mode: u32) -> bool {
    mode & 0o077 != 0
}

fn refuse_for_others(path: &Path, mode: u32, wanted: &str) -> Result<(), Failure> {
    if !is_for_others(mode) {
        return Ok(());
    }
    Err(Failure::new(
        Exit::No,
        format!("others than its owner may use {}", path.display()),
        format!("chmod {wanted} {}", path.display()),
    ))
}

/// Why a file was not read.
enum Unread {
    /// Others may use it.
    Mode(u32),
    Io(io::Error),
}

fn read_plain(path: &Path, most: u64) -> Result<Vec<u8>, Unread> {
    let file = OpenOptions::new()
        .read(true)
        // A named pipe would wait for its writer, and a link would lead elsewhere.
        .custom_flags(libc::O_NONBLOCK | libc::O_NOFOLLOW)
        .open(path)
        .map_err(Unread::Io)?;
    let found = file.metadata().map_err(Unread::Io)?;
    if is_for_others(found.mode()) {
        return Err(Unread::Mode(found.mode()));
    }
    limited(file, most).map_err(Unread::Io)
}

/// Reads a plain file that is not larger than it may be.
pub(super) fn limited(file: File, most: u64) -> io::Result<Vec<u8>> {
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("is no plain file"));
    }
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::other(format!("is larger than {most} bytes")));
    }
    Ok(bytes)
}
