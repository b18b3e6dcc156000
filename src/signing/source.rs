//! Where a person's signatures come from, as the setting `signing_key` says.

use std::path::{Path, PathBuf};

use super::file::{KeyFile, shown};
use super::private::{public_half, sign_with_file};
use super::{Agent, Attempt, Passphrase, PublicKey};
use crate::rules::Refusal;

/// What makes the signatures of the person at the keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The ssh-agent, with the key whose public half was given.
    Agent {
        /// The key that it is asked for.
        key: PublicKey,
        /// The file that named the key.
        path: PathBuf,
    },
    /// A private key in a file.
    File {
        /// The public half of that key.
        key: PublicKey,
        /// The file.
        path: PathBuf,
    },
}

impl Source {
    /// Looks at the file: a public key means the agent, a private one signs by itself.
    pub fn at(path: &Path) -> Result<Self, Refusal> {
        let file = KeyFile::read(path)?;
        let owned = path.to_owned();
        if file.is_private() {
            let key = public_half(path, &file)?;
            return Ok(Self::File { key, path: owned });
        }
        let key = PublicKey::parse(file.text().unwrap_or_default()).map_err(|refusal| {
            Refusal::new(
                format!("{}: {}", shown(path), refusal.sentence),
                refusal.hint,
            )
        })?;
        Ok(Self::Agent { key, path: owned })
    }

    /// Gives the key that the signatures will be made with.
    #[must_use]
    pub fn key(&self) -> &PublicKey {
        match self {
            Self::Agent { key, .. } | Self::File { key, .. } => key,
        }
    }

    /// Signs; the agent keeps its own passphrases, and a file needs no agent.
    pub fn sign(
        &self,
        agent: &Agent,
        passphrase: Option<&Passphrase>,
        message: &[u8],
    ) -> Result<Attempt, Refusal> {
        match self {
            Self::Agent { key, path } => {
                let signature = agent.sign(key, &private_of(path), message)?;
                Ok(Attempt::Signed(Box::new(signature)))
            }
            Self::File { path, .. } => sign_with_file(path, passphrase, message),
        }
    }
}

/// Guesses where the private half of a public key's file lies: beside it, as `ssh-keygen` puts it.
fn private_of(path: &Path) -> PathBuf {
    if path.extension().is_some_and(|ending| ending == "pub") {
        return path.with_extension("");
    }
    path.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_private_half_lies_beside_the_public_one() {
        for (public, private) in [
            ("/k/id.pub", "/k/id"),
            ("a.b.pub", "a.b"),
            ("/k/id.key", "/k/id.key"),
        ] {
            assert_eq!(private_of(Path::new(public)), Path::new(private));
        }
    }
}
