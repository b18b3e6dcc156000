//! SSH signatures in their armor, read strictly and checked over bytes.

use std::fmt;

use serde::{Serialize, Serializer};
use ssh_key::{Error, HashAlg, LineEnding, SshSig};

use super::{NAMESPACE, PublicKey, key};
use crate::rules::{Refusal, text};

const LONGEST: usize = 16 * 1024;
const FIRST_LINE: &str = "-----BEGIN SSH SIGNATURE-----";
const LAST_LINE: &str = "-----END SSH SIGNATURE-----";
const LINE_WIDTH: usize = 70;

/// The bit by which a security key says that it was touched.
const USER_PRESENT: u8 = 1;

/// A signature as `ssh-keygen -Y sign` writes it, over bytes that it does not contain.
#[derive(Clone, PartialEq, Eq)]
pub struct Signature {
    inner: SshSig,
    key: PublicKey,
    armor: String,
}

impl Signature {
    /// Reads an armored signature; whether it holds is for [`verify`](Self::verify) to say.
    ///
    /// There is one text for each signature: trailing data, reserved fields, other versions and another base64 of the
    /// same bytes are refused. Only where its lines break is free.
    pub fn parse(armor: &str) -> Result<Self, Refusal> {
        let given = armor.trim();
        if given.len() > LONGEST {
            return Err(Refusal::new(
                "this is larger than any SSH signature",
                "give the file that ssh-keygen -Y sign wrote",
            ));
        }
        if !given.starts_with(FIRST_LINE) {
            return Err(Refusal::new(
                "this is not an SSH signature",
                format!("give the file that ssh-keygen -Y sign wrote; it begins with {FIRST_LINE}"),
            ));
        }
        let given = wrapped(given).ok_or_else(damaged)?;
        let signature = SshSig::from_pem(&given).map_err(|error| match error {
            // Without their curves the library knows the name of these keys, and nothing else of them.
            Error::AlgorithmUnknown => key::unsupported("the signing key", "an ecdsa key"),
            _ => damaged(),
        })?;
        let signature = Self::of(signature)?;
        if signature.armor == given {
            Ok(signature)
        } else {
            Err(damaged())
        }
    }

    pub(super) fn of(signature: SshSig) -> Result<Self, Refusal> {
        let key = PublicKey::of(signature.public_key(), "the signing key")?;
        let plain = signature.version() == SshSig::VERSION
            && signature.reserved().is_empty()
            && signature.algorithm() == key.data().algorithm();
        match signature.to_pem(LineEnding::LF) {
            Ok(armor) if plain => Ok(Self {
                inner: signature,
                key,
                armor,
            }),
            _ => Err(damaged()),
        }
    }

    /// Gives the text as `ssh-keygen` writes it.
    #[must_use]
    pub fn to_armor(&self) -> &str {
        &self.armor
    }

    /// Checks that the signature is made for this program, over exactly these bytes, and returns the key that made it.
    ///
    /// A security key must also have been touched for it: what a program can make alone is no person's word. Whether
    /// the key is somebody's who may sign is not asked here.
    pub fn verify(&self, message: &[u8]) -> Result<&PublicKey, Refusal> {
        let namespace = self.inner.namespace();
        if namespace != NAMESPACE {
            return Err(Refusal::new(
                format!(
                    "the signature is made for {:?}, not for {NAMESPACE:?}",
                    text::shorten(namespace, 40)
                ),
                format!("sign again, with ssh-keygen -Y sign -n {NAMESPACE}"),
            ));
        }
        let known_hash = matches!(self.inner.hash_alg(), HashAlg::Sha256 | HashAlg::Sha512);
        let key = ssh_key::PublicKey::from(self.key.data().clone());
        let holds = key.verify(NAMESPACE, message, &self.inner).is_ok();
        if !(known_hash && holds) {
            return Err(Refusal::new(
                "the signature does not fit: other bytes were signed, or it was altered",
                "sign again what is shown now",
            ));
        }
        if self.key.is_on_a_security_key() && !self.was_touched() {
            return Err(Refusal::new(
                "the security key signed without being touched",
                "make a key without no-touch-required, and touch it to sign",
            ));
        }
        Ok(&self.key)
    }

    fn was_touched(&self) -> bool {
        // At the end stand the flags, one byte, and a counter of four.
        let flags = self.inner.signature_bytes().iter().rev().nth(4);
        flags.is_some_and(|flags| flags & USER_PRESENT != 0)
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.armor)
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Signature(by {})", self.key)
    }
}

impl Serialize for Signature {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.armor)
    }
}

/// Breaks the lines where `ssh-keygen` does; other tools have other widths.
fn wrapped(armor: &str) -> Option<String> {
    let body = armor.strip_prefix(FIRST_LINE)?.strip_suffix(LAST_LINE)?;
    let body: Vec<char> = body.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
    let mut wrapped = String::with_capacity(armor.len() + armor.len() / LINE_WIDTH);
    wrapped.push_str(FIRST_LINE);
    for line in body.chunks(LINE_WIDTH) {
        wrapped.push('\n');
        wrapped.extend(line);
    }
    wrapped.push('\n');
    wrapped.push_str(LAST_LINE);
    wrapped.push('\n');
    Some(wrapped)
}

fn damaged() -> Refusal {
    Refusal::new(
        "the SSH signature is damaged",
        "give the file as ssh-keygen -Y sign wrote it, or sign again",
    )
}

#[cfg(test)]
mod tests;
