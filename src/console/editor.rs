//! The person's own editor, for a text that is longer than a line.

use std::io;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill, raise};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::keys;

/// Runs an editor on a file; tells whether it ended well.
///
/// An editor that is put to sleep puts the console to sleep: the shell in front of both waits for the console only.
pub(super) fn run(editor: &str, file: &Path) -> io::Result<bool> {
    let mut words = editor.split_whitespace();
    let child = std::process::Command::new(words.next().unwrap_or_default())
        .args(words)
        .arg(file)
        .stdin(keys::for_another_program()?)
        .spawn()?;
    let pid = Pid::from_raw(i32::try_from(child.id()).map_err(io::Error::other)?);
    loop {
        match waitpid(pid, Some(WaitPidFlag::WUNTRACED)) {
            Ok(WaitStatus::Exited(_, code)) => return Ok(code == 0),
            Ok(WaitStatus::Signaled(..)) => return Ok(false),
            Ok(WaitStatus::Stopped(..)) => {
                raise(Signal::SIGSTOP)?;
                kill(pid, Signal::SIGCONT)?;
            }
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// A text on its way through an editor; nobody else may read it, and it goes away.
pub(super) struct Draft(PathBuf);

impl Draft {
    /// Writes the text into a new file.
    pub(super) fn with(text: &str) -> io::Result<Self> {
        use std::os::unix::fs::OpenOptionsExt;
        let mut random = [0_u8; 8];
        getrandom::fill(&mut random).map_err(io::Error::other)?;
        let name = format!("govdeck-reason-{:016x}.txt", u64::from_be_bytes(random));
        let path = std::env::temp_dir().join(name);
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        io::Write::write_all(&mut file, text.as_bytes())?;
        Ok(Self(path))
    }

    /// Returns the file.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
