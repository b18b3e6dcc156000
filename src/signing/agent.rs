//! Signing by an ssh-agent: two questions over its socket, each answered in time or not at all.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use socket2::{Domain, SockAddr, Socket, Type};
use ssh_key::{HashAlg, SshSig};

use super::file::shown;
use super::{NAMESPACE, PublicKey, Signature};
use crate::rules::Refusal;

const LARGEST_ANSWER: usize = 256 * 1024;

const REQUEST_IDENTITIES: u8 = 11;
const IDENTITIES_ANSWER: u8 = 12;
const SIGN_REQUEST: u8 = 13;
const SIGN_RESPONSE: u8 = 14;
const FAILURES: [u8; 3] = [5, 28, 102];

/// An ssh-agent, by the path of its socket, which is what `SSH_AUTH_SOCK` holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    socket: Option<PathBuf>,
    for_an_answer: Duration,
    for_a_person: Duration,
}

/// Why an agent gave no answer that can be used.
enum Fault {
    Silent(Duration),
    Broken(io::Error),
    Garbled,
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Broken(error)
    }
}

impl Agent {
    /// Names the agent; none or an empty path when there is no agent.
    ///
    /// It gets 10 seconds to answer, and 60 to sign, because a person may have to confirm that or touch a key.
    #[must_use]
    pub fn at(socket: Option<PathBuf>) -> Self {
        Self {
            socket: socket.filter(|path| !path.as_os_str().is_empty()),
            for_an_answer: Duration::from_secs(10),
            for_a_person: Duration::from_mins(1),
        }
    }

    /// Waits no longer than this, neither for an answer nor for a person.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self {
            for_an_answer: patience,
            for_a_person: patience,
            ..self
        }
    }

    /// Lets the agent sign with this key; `private` is the file of its private half, for the hint to `ssh-add` it.
    pub fn sign(
        &self,
        key: &PublicKey,
        private: &Path,
        message: &[u8],
    ) -> Result<Signature, Refusal> {
        let add = format!("ssh-add {}", shown(private));
        let Some(socket) = &self.socket else {
            return Err(Refusal::new(
                "there is no ssh-agent: SSH_AUTH_SOCK is not set",
                format!("start one with eval \"$(ssh-agent)\", then {add}"),
            ));
        };
        let failed = |fault: Fault| fault.worded(socket);
        let mut line = connect(socket, self.for_an_answer).map_err(|error| {
            Refusal::new(
                format!(
                    "the ssh-agent at {} cannot be reached: {}",
                    shown(socket),
                    error.kind()
                ),
                format!("start one with eval \"$(ssh-agent)\", then {add}"),
            )
        })?;
        let blob = blob_of(key).ok_or_else(unsignable)?;
        let answer = ask(&mut line, &[REQUEST_IDENTITIES], self.for_an_answer).map_err(failed)?;
        let held = match answer.split_first() {
            Some((&IDENTITIES_ANSWER, list)) => holds(list, &blob),
            Some((kind, _)) if FAILURES.contains(kind) => Some(false),
            _ => None,
        };
        if !held.ok_or(Fault::Garbled).map_err(failed)? {
            return Err(Refusal::new(
                format!("the ssh-agent does not hold the key {}", key.fingerprint()),
                add,
            ));
        }
        let bytes =
            SshSig::signed_data(NAMESPACE, HashAlg::Sha512, message).map_err(|_| unsignable())?;
        let request = sign_request(&blob, &bytes).ok_or_else(unsignable)?;
        let answer = ask(&mut line, &request, self.for_a_person).map_err(failed)?;
        let made = match answer.split_first() {
            Some((&SIGN_RESPONSE, rest)) => signature_of(key, rest),
            Some((kind, _)) if FAILURES.contains(kind) => {
                return Err(Refusal::new(
                    format!("the ssh-agent refuses to sign with {}", key.fingerprint()),
                    "confirm it or touch the key when asked; ssh-add -T tries a key",
                ));
            }
            _ => None,
        };
        let signature = made.ok_or(Fault::Garbled).map_err(failed)?;
        signature.verify(message)?;
        Ok(signature)
    }
}

impl Fault {
    fn worded(self, socket: &Path) -> Refusal {
        let socket = shown(socket);
        let sentence = match self {
            Self::Silent(patience) => {
                format!("the ssh-agent at {socket} did not answer within {patience:?}")
            }
            Self::Broken(error) => {
                format!("the ssh-agent at {socket} hung up: {}", error.kind())
            }
            Self::Garbled => format!("what answers at {socket} is not an ssh-agent"),
        };
        Refusal::new(sentence, "check SSH_AUTH_SOCK with ssh-add -l")
    }
}

/// Connects without waiting for an agent that has stopped to take calls.
fn connect(path: &Path, patience: Duration) -> io::Result<UnixStream> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.connect_timeout(&SockAddr::unix(path)?, patience)?;
    socket.set_write_timeout(Some(patience))?;
    Ok(UnixStream::from(std::os::fd::OwnedFd::from(socket)))
}

/// Sends one message and returns the answer's, whose first byte is its kind.
fn ask(line: &mut UnixStream, message: &[u8], patience: Duration) -> Result<Vec<u8>, Fault> {
    let until = Instant::now() + patience;
    let worded = |error: io::Error| match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Fault::Silent(patience),
        _ => Fault::Broken(error),
    };
    let mut framed = Vec::new();
    put(&mut framed, message).ok_or(Fault::Garbled)?;
    line.write_all(&framed).map_err(worded)?;
    let mut length = [0; 4];
    fill(line, &mut length, until).map_err(worded)?;
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if length == 0 || length > LARGEST_ANSWER {
        return Err(Fault::Garbled);
    }
    let mut answer = vec![0; length];
    fill(line, &mut answer, until).map_err(worded)?;
    Ok(answer)
}

/// Reads as `read_exact` does, but until a moment, however slowly the bytes drip.
fn fill(line: &mut UnixStream, mut room: &mut [u8], until: Instant) -> io::Result<()> {
    while !room.is_empty() {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        line.set_read_timeout(Some(left))?;
        match line.read(room) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => room = room.get_mut(read..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn blob_of(key: &PublicKey) -> Option<Vec<u8>> {
    ssh_key::PublicKey::from(key.data().clone()).to_bytes().ok()
}

/// Tells whether a list of identities holds the key; none when the list is malformed.
fn holds(list: &[u8], blob: &[u8]) -> Option<bool> {
    let (count, mut rest) = list.split_first_chunk()?;
    let mut found = false;
    for _ in 0..u32::from_be_bytes(*count) {
        let (key, after) = take(rest)?;
        let (_comment, after) = take(after)?;
        found |= key == blob;
        rest = after;
    }
    rest.is_empty().then_some(found)
}

fn sign_request(blob: &[u8], bytes: &[u8]) -> Option<Vec<u8>> {
    let mut request = vec![SIGN_REQUEST];
    put(&mut request, blob)?;
    put(&mut request, bytes)?;
    let no_flags = 0_u32;
    request.extend(no_flags.to_be_bytes());
    Some(request)
}

fn signature_of(key: &PublicKey, answer: &[u8]) -> Option<Signature> {
    let (signature, rest) = take(answer)?;
    let signature = ssh_key::Signature::try_from(signature).ok()?;
    let signature = SshSig::new(key.data().clone(), NAMESPACE, HashAlg::Sha512, signature).ok()?;
    rest.is_empty().then(|| Signature::of(signature).ok())?
}

/// Takes a string with its length before it, and what comes after.
fn take(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)
}

fn put(out: &mut Vec<u8>, bytes: &[u8]) -> Option<()> {
    out.extend(u32::try_from(bytes.len()).ok()?.to_be_bytes());
    out.extend(bytes);
    Some(())
}

fn unsignable() -> Refusal {
    Refusal::new(
        "this key cannot be asked for",
        "make a new key with ssh-keygen -t ed25519",
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::key::tests::{MAYA, OTHER};
    use super::*;

    fn list(lines: &[&str]) -> Vec<u8> {
        let count = u32::try_from(lines.len()).expect("few");
        let mut list = count.to_be_bytes().to_vec();
        for line in lines {
            put(&mut list, &blob(line)).expect("short");
            put(&mut list, b"a comment").expect("short");
        }
        list
    }

    fn blob(line: &str) -> Vec<u8> {
        blob_of(&PublicKey::parse(line).expect("a key")).expect("a blob")
    }

    #[test]
    fn a_key_is_found_by_its_bytes_alone() {
        for (keys, found) in [
            (&[][..], false),
            (&[OTHER], false),
            (&[MAYA], true),
            (&[OTHER, MAYA], true),
            (&[MAYA, OTHER], true),
        ] {
            assert_eq!(holds(&list(keys), &blob(MAYA)), Some(found));
        }
    }

    #[test]
    fn a_malformed_list_is_no_list() {
        let whole = list(&[MAYA, OTHER]);
        for end in 0..whole.len() {
            assert_eq!(holds(&whole[..end], &blob(MAYA)), None, "{end}");
        }
        let longer = [&whole[..], &[0]].concat();
        assert_eq!(holds(&longer, &blob(MAYA)), None);
        assert_eq!(holds(&[0xff; 64], &blob(MAYA)), None);
    }

    proptest! {
        #[test]
        fn garbage_is_no_answer_and_never_panics(bytes in any::<Vec<u8>>()) {
            let key = PublicKey::parse(MAYA).expect("a key");
            prop_assert_ne!(holds(&bytes, &blob(MAYA)), Some(true));
            prop_assert!(signature_of(&key, &bytes).is_none());
        }
    }
}
