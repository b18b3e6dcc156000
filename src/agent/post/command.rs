//! A command: the message as JSON on its standard input, no shell, and nothing in its words or its environment.

use std::fs::File;
use std::io::{self, Seek, Write};
use std::process::{ExitStatus, Stdio};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::io::AsyncReadExt;
use tokio::process::{Child, Command};

use super::parcel::Parcel;
use crate::rules::delivery::NotTaken;
use crate::settings;

/// The folders that a command finds other programs in; it gets nothing else of our environment.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// How much of the error stream is read.
const ERRORS: u64 = 4 * 1024;
/// The exit codes that say that the message is no good: `EX_DATAERR` and `EX_NOUSER` of the system.
const NEVER: [i32; 2] = [65, 67];

/// A command that takes messages.
#[derive(Debug)]
pub(super) struct Run {
    words: Vec<String>,
}

/// A process and everything that it started and that did not leave the group; none of it outlives the message.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // The group may be empty already.
            let _ = killpg(group, Signal::SIGKILL);
        }
    }
}

impl Run {
    pub fn of(settings: &settings::Command) -> Self {
        Self {
            words: settings.command.clone(),
        }
    }

    /// Hands it one message; its end says whether it took it.
    pub async fn send(&self, parcel: &Parcel) -> Result<(), NotTaken> {
        let (program, words) = self
            .words
            .split_first()
            .ok_or_else(|| NotTaken::Later("no command is named".to_owned()))?;
        let message = whole(&parcel.json())
            .map_err(|error| NotTaken::Later(format!("no file for the message: {error}")))?;
        let mut child = Command::new(program)
            .args(words)
            .env_clear()
            .env("PATH", PATH)
            .stdin(message)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| NotTaken::Later(format!("{program} cannot be run: {error}")))?;
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        let _group = Group(id.map(Pid::from_raw));
        let (said, status) = hear(&mut child)
            .await
            .map_err(|error| NotTaken::Later(format!("{program} cannot be heard: {error}")))?;
        judge(program, status, &said)
    }
}

/// Puts the message into a file without a name: who reads it never finds half of it, though the agent dies meanwhile.
fn whole(message: &[u8]) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    file.write_all(message)?;
    file.rewind()?;
    Ok(file)
}

/// Reads what it says, and waits for the end of the process; what it starts and leaves behind is not waited for.
async fn hear(child: &mut Child) -> io::Result<(String, ExitStatus)> {
    let mut said = Vec::new();
    let stderr = child.stderr.take();
    let read = async {
        if let Some(stderr) = stderr {
            let _ = stderr.take(ERRORS).read_to_end(&mut said).await;
        }
    };
    let status = {
        tokio::pin!(read);
        tokio::select! {
            biased;
            () = &mut read => child.wait().await?,
            status = child.wait() => {
                // What it has said already is still in the pipe.
                let rest = std::time::Duration::from_millis(100);
                let _ = tokio::time::timeout(rest, &mut read).await;
                status?
            }
        }
    };
    Ok((String::from_utf8_lossy(&said).into_owned(), status))
}

fn judge(program: &str, status: ExitStatus, said: &str) -> Result<(), NotTaken> {
    if status.success() {
        return Ok(());
    }
    let said = said.lines().find(|line| !line.trim().is_empty());
    let said = said.map_or(String::new(), |line| format!(": {}", line.trim()));
    let why = format!("{program} ended with {status}{said}");
    match status.code() {
        Some(code) if NEVER.contains(&code) => Err(NotTaken::Never(why)),
        _ => Err(NotTaken::Later(why)),
    }
}
