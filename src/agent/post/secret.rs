//! What a channel keeps to itself, read once from a file that nobody else reads.

use std::fmt;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use zeroize::Zeroize;

use crate::rules::Refusal;

/// The most bytes that a secret or a bundle of certificates has.
const MOST: u64 = 1024 * 1024;

/// A secret; it shows itself to nobody by accident.
pub(super) struct Secret(Vec<u8>);

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Secret(***)")
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl Secret {
    /// Reads one; a line's end after it does not belong to it.
    pub fn read(path: &Path) -> Result<Self, Refusal> {
        let mut bytes = file(path)?;
        let mode = fs::metadata(path).map(|found| found.permissions().mode());
        if mode.is_ok_and(|mode| mode & 0o007 != 0) {
            bytes.zeroize();
            return Err(Refusal::new(
                format!("everybody may read {}", path.display()),
                format!("chmod o= {}", path.display()),
            ));
        }
        while bytes
            .pop_if(|last| *last == b'\n' || *last == b'\r')
            .is_some()
        {}
        if bytes.is_empty() {
            return Err(Refusal::new(
                format!("{} is empty", path.display()),
                "write the secret into it",
            ));
        }
        Ok(Self(bytes))
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Gives it as text, for what takes passwords.
    pub fn text(&self) -> Result<String, Refusal> {
        String::from_utf8(self.0.clone())
            .map_err(|_| Refusal::new("the secret is no text", "write it as UTF-8"))
    }
}

/// Reads a plain file of ordinary size.
pub(super) fn file(path: &Path) -> Result<Vec<u8>, Refusal> {
    let unreadable = |why: String| {
        Refusal::new(
            format!("{} cannot be read: {why}", path.display()),
            "check the path in the agent's file, and who may read it",
        )
    };
    match fs::metadata(path) {
        Ok(found) if found.is_file() && found.len() <= MOST => {
            fs::read(path).map_err(|error| unreadable(error.to_string()))
        }
        Ok(_) => Err(unreadable("it is no plain file of at most 1 MB".to_owned())),
        Err(error) => Err(unreadable(error.to_string())),
    }
}
