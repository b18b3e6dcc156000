//! Key files, opened with care: nothing here waits for a pipe, and nothing is read beyond what a key needs.

use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use nix::libc;
use zeroize::Zeroizing;

use crate::rules::{Refusal, text};

const LARGEST: usize = 64 * 1024;

/// What a key file holds, wiped when it is let go of.
pub(super) struct KeyFile {
    pub bytes: Zeroizing<Vec<u8>>,
    pub mode: u32,
}

impl KeyFile {
    /// Reads a plain file, or what a link to one leads to.
    pub fn read(path: &Path) -> Result<Self, Refusal> {
        let unreadable = |error: io::Error| unreadable(path, &error);
        let file = OpenOptions::new()
            .read(true)
            // A named pipe would wait for its writer.
            .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
            .open(path)
            .map_err(unreadable)?;
        let metadata = file.metadata().map_err(unreadable)?;
        if !metadata.is_file() {
            let what = if metadata.is_dir() {
                "a folder"
            } else {
                "a pipe or a device"
            };
            return Err(Refusal::new(
                format!("the key file {} is {what}", shown(path)),
                "give the path of a key file",
            ));
        }
        // Room for all of it at once: a buffer that grows leaves copies behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(LARGEST + 2));
        file.take(LARGEST as u64 + 1)
            .read_to_end(&mut bytes)
            .map_err(unreadable)?;
        if bytes.len() > LARGEST {
            return Err(Refusal::new(
                format!("the key file {} is larger than 64 KB", shown(path)),
                "is this the right file? a key has a few lines",
            ));
        }
        Ok(Self {
            bytes,
            mode: metadata.mode(),
        })
    }

    /// Gives the text, if it is text.
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.bytes).ok()
    }

    /// Tells whether it is a private key, as far as its first line says.
    pub fn is_private(&self) -> bool {
        self.bytes.trim_ascii_start().starts_with(b"-----BEGIN ")
    }
}

/// Shows a path in one line, whatever its name is.
pub(super) fn shown(path: &Path) -> String {
    let text = path.to_string_lossy();
    // An address that got into the wrong place may hold a password.
    if text.contains("://") {
        return "(an address)".to_owned();
    }
    text::scrub(&text).into_owned()
}

fn unreadable(path: &Path, error: &io::Error) -> Refusal {
    let hint = if path.starts_with("~") {
        "write the whole path: only a shell knows what ~ stands for"
    } else {
        "check signing_key, and who may read the file"
    };
    let why = match error.kind() {
        io::ErrorKind::NotFound => "does not exist".to_owned(),
        kind => format!("cannot be read: {kind}"),
    };
    Refusal::new(format!("the key file {} {why}", shown(path)), hint)
}
