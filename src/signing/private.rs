//! Signing with a private key in a file.

use std::fmt;
use std::path::Path;

use ssh_key::{HashAlg, Kdf, PrivateKey};
use zeroize::Zeroizing;

use super::file::{KeyFile, shown};
use super::{NAMESPACE, PublicKey, Signature, key};
use crate::rules::Refusal;

const FIRST_LINE: &str = "-----BEGIN OPENSSH PRIVATE KEY-----";

/// OpenSSH takes 24 rounds unless told otherwise; whoever asks for more than this many wants us to hang.
const MOST_ROUNDS: u32 = 4096;

/// What unlocks a private key; wiped when it is let go of, and never shown.
#[derive(Clone)]
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// Takes what was typed.
    #[must_use]
    pub fn new(typed: String) -> Self {
        Self(Zeroizing::new(typed))
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Passphrase(***)")
    }
}

/// What came of signing: done, or to be tried again with a passphrase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attempt {
    /// Signed, and verified with the key's public half.
    Signed(Box<Signature>),
    /// The file is encrypted and no passphrase was given.
    PassphraseMissing(Refusal),
    /// The file is encrypted with another passphrase.
    PassphraseWrong(Refusal),
}

impl Attempt {
    /// Takes a missing or wrong passphrase as the end, where nobody can be asked.
    pub fn done(self) -> Result<Signature, Refusal> {
        match self {
            Self::Signed(signature) => Ok(*signature),
            Self::PassphraseMissing(refusal) | Self::PassphraseWrong(refusal) => Err(refusal),
        }
    }
}

/// Signs with the private key in a file, which nobody but its owner may read.
pub fn sign_with_file(
    path: &Path,
    passphrase: Option<&Passphrase>,
    message: &[u8],
) -> Result<Attempt, Refusal> {
    let file = KeyFile::read(path)?;
    check_mode(path, file.mode)?;
    let (key, public) = decode(path, &file)?;
    if public.is_on_a_security_key() {
        return Err(Refusal::new(
            format!("{} is only the handle of a security key", shown(path)),
            format!(
                "let the agent sign: ssh-add {0}, and set signing_key to {0}.pub",
                shown(path)
            ),
        ));
    }
    let key = match (key.is_encrypted(), passphrase) {
        (false, _) => key,
        (true, None) => {
            return Ok(Attempt::PassphraseMissing(Refusal::new(
                format!("the key file {} needs its passphrase", shown(path)),
                format!(
                    "give it, or let the agent sign: ssh-add {0}, and set signing_key to {0}.pub",
                    shown(path)
                ),
            )));
        }
        (true, Some(passphrase)) => match key.decrypt(passphrase.0.as_bytes()) {
            Ok(key) => key,
            Err(_) => {
                return Ok(Attempt::PassphraseWrong(Refusal::new(
                    format!("this is not the passphrase of {}", shown(path)),
                    "type it again",
                )));
            }
        },
    };
    let failed = || {
        Refusal::new(
            format!("the key in {} does not sign", shown(path)),
            "try it with ssh-keygen -Y sign, or make a new key",
        )
    };
    let signature = key
        .sign(NAMESPACE, HashAlg::Sha512, message)
        .map_err(|_| failed())?;
    let signature = Signature::of(signature)?;
    if signature.verify(message)? != &public {
        return Err(failed());
    }
    Ok(Attempt::Signed(Box::new(signature)))
}

/// Reads the public half, which stands in the open also where the private one is encrypted.
pub(super) fn public_half(path: &Path, file: &KeyFile) -> Result<PublicKey, Refusal> {
    check_mode(path, file.mode)?;
    decode(path, file).map(|(_, public)| public)
}

fn decode(path: &Path, file: &KeyFile) -> Result<(PrivateKey, PublicKey), Refusal> {
    let other = || {
        Refusal::new(
            format!("{} is not an OpenSSH private key", shown(path)),
            "make one with ssh-keygen -t ed25519",
        )
    };
    let text = file.text().ok_or_else(other)?.trim();
    if !text.starts_with(FIRST_LINE) {
        return Err(other());
    }
    let what = format!("the key in {}", shown(path));
    let key = PrivateKey::from_openssh(text).map_err(|error| match error {
        ssh_key::Error::AlgorithmUnknown => key::unsupported(&what, "an ecdsa key"),
        _ => Refusal::new(
            format!("the key file {} is damaged", shown(path)),
            "take it from a backup, or make a new key with ssh-keygen -t ed25519",
        ),
    })?;
    let public = PublicKey::of(key.public_key().key_data(), &what)?;
    if let Kdf::Bcrypt { rounds, .. } = key.kdf()
        && *rounds > MOST_ROUNDS
    {
        return Err(Refusal::new(
            format!("{what} asks for {rounds} rounds, more than {MOST_ROUNDS}"),
            format!(
                "let the agent sign, or change it: ssh-keygen -p -a 100 -f {}",
                shown(path)
            ),
        ));
    }
    Ok((key, public))
}

fn check_mode(path: &Path, mode: u32) -> Result<(), Refusal> {
    let for_others = mode & 0o077;
    if for_others == 0 {
        return Ok(());
    }
    let path = shown(path);
    Err(Refusal::new(
        format!("others than its owner may use the private key {path}"),
        format!("chmod 600 {path}"),
    ))
}

#[cfg(test)]
mod tests;
