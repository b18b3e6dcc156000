//! Public keys: one line of OpenSSH, of the two types that sign.

use std::fmt;

use ed25519_dalek::VerifyingKey;
use serde::{Serialize, Serializer};
use ssh_key::HashAlg;
use ssh_key::public::KeyData;

use crate::rules::Refusal;

const LONGEST_LINE: usize = 8 * 1024;

/// A public key that may sign: ed25519, or ed25519 on a security key.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey {
    line: String,
    key: ssh_key::PublicKey,
}

impl PublicKey {
    /// Reads one line as it stands in a `.pub` file; a comment is left out.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let line = text.trim();
        if line.len() > LONGEST_LINE || line.contains(char::is_control) {
            return Err(no_key());
        }
        let mut words = line.split(' ').filter(|word| !word.is_empty());
        let (Some(kind), Some(body)) = (words.next(), words.next()) else {
            return Err(no_key());
        };
        if let Some(other) = type_that_does_not_sign(kind) {
            return Err(unsupported("this", other));
        }
        let plain = format!("{kind} {body}");
        let key = ssh_key::PublicKey::from_openssh(&plain).map_err(|_| no_key())?;
        let key = Self::of(key.key_data(), "this")?;
        if key.line == plain {
            Ok(key)
        } else {
            Err(no_key())
        }
    }

    /// Takes a decoded key if it may sign; `what` names it in a refusal.
    pub(super) fn of(key: &KeyData, what: &str) -> Result<Self, Refusal> {
        let point = match key {
            KeyData::Ed25519(key) => key,
            KeyData::SkEd25519(key) => key.public_key(),
            other => {
                let algorithm = other.algorithm();
                let named = type_that_does_not_sign(algorithm.as_str());
                return Err(unsupported(what, named.unwrap_or("a key of another type")));
            }
        };
        // Under a key of small order one signature fits many messages.
        let sound = VerifyingKey::from_bytes(point.as_ref()).is_ok_and(|point| !point.is_weak());
        let key = ssh_key::PublicKey::from(key.clone());
        match key.to_openssh() {
            Ok(line) if sound => Ok(Self { line, key }),
            _ => Err(Refusal::new(
                format!("{what} is not a sound ed25519 key"),
                "make a new key with ssh-keygen -t ed25519",
            )),
        }
    }

    /// Gives the canonical text: type and key, without a comment.
    #[must_use]
    pub fn to_line(&self) -> &str {
        &self.line
    }

    /// Gives the fingerprint as `ssh-keygen -l` prints it: `SHA256:…`.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.key.fingerprint(HashAlg::Sha256).to_string()
    }

    /// Tells whether the private half lives on a security key, which has to be touched.
    #[must_use]
    pub fn is_on_a_security_key(&self) -> bool {
        matches!(self.key.key_data(), KeyData::SkEd25519(_))
    }

    pub(super) fn data(&self) -> &KeyData {
        self.key.key_data()
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(&self.line)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "PublicKey({})", self.line)
    }
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.line)
    }
}

/// Words a key's type, with its article, when it is a known one that does not sign here.
fn type_that_does_not_sign(kind: &str) -> Option<&'static str> {
    match kind {
        kind if kind.ends_with("-cert-v01@openssh.com") => Some("a certificate"),
        kind if kind.starts_with("ecdsa-sha2-") => Some("an ecdsa key"),
        kind if kind.starts_with("sk-ecdsa-sha2-") => Some("an sk-ecdsa key"),
        "ssh-rsa" | "rsa-sha2-256" | "rsa-sha2-512" => Some("an rsa key"),
        "ssh-dss" => Some("a dsa key"),
        _ => None,
    }
}

pub(super) fn unsupported(what: &str, kind: &str) -> Refusal {
    Refusal::new(
        format!("{what} is {kind}; only ed25519 and sk-ed25519 sign"),
        "make one with ssh-keygen -t ed25519, or -t ed25519-sk for a security key",
    )
}

fn no_key() -> Refusal {
    Refusal::new(
        "this is not one OpenSSH public key",
        "give the one line of a .pub file, as in ssh-ed25519 AAAA…",
    )
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Keys and signatures here were made by OpenSSH 9.2.
    pub const MAYA: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGkxbZJ6tX8W5C0A6bSFICI0YeBHv7xs1/cBsdKNwa3E";
    pub const OTHER: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFhR9MQ++XspqoiqdL4SQPGSdphv8HypcWZAHnPigY72";
    const ECDSA: &str = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBC/7RpeMjEH95iNneUWDe/lZe5IW47aeu3HfuxHI/j8M58I3re1GEG8yDcP5lfPXajFkq4BKEIllK2W7pt/kBV8=";

    #[test]
    fn a_line_reads_back_without_its_comment() {
        for text in [
            MAYA.to_owned(),
            format!("{MAYA} maya@desk"),
            format!("  {MAYA}   two words \r\n"),
        ] {
            let key = PublicKey::parse(&text).expect("a key");
            assert_eq!(key.to_line(), MAYA);
            assert_eq!(key.to_string(), MAYA);
            assert_eq!(PublicKey::parse(key.to_line()).as_ref(), Ok(&key));
            assert_eq!(
                key.fingerprint(),
                "SHA256:TVj789PTR1DFPVfPMio/kKSdI4ydMPbrqzVuxQUE7uA"
            );
            assert_eq!(
                serde_json::to_string(&key).expect("text"),
                format!("{MAYA:?}")
            );
            assert!(!key.is_on_a_security_key());
        }
    }

    #[test]
    fn other_types_are_named() {
        for (line, kind) in [
            ("ssh-rsa AAAAB3NzaC1yc2EAAAADAQAB r", "an rsa key"),
            (ECDSA, "an ecdsa key"),
            ("ssh-dss AAAA", "a dsa key"),
            ("sk-ecdsa-sha2-nistp256@openssh.com AAAA", "an sk-ecdsa key"),
            ("ssh-ed25519-cert-v01@openssh.com AAAA", "a certificate"),
        ] {
            let refusal = PublicKey::parse(line).expect_err("it does not sign");
            assert_eq!(
                refusal.sentence,
                format!("this is {kind}; only ed25519 and sk-ed25519 sign")
            );
        }
    }

    #[test]
    fn whatever_is_not_one_plain_line_is_refused() {
        let body = MAYA.trim_start_matches("ssh-ed25519 ");
        for text in [
            String::new(),
            "ssh-ed25519".to_owned(),
            "ssh-ed25519 AAAA".to_owned(),
            body.to_owned(),
            format!("{MAYA}\n{OTHER}"),
            format!("restrict {MAYA}"),
            format!("ssh-ed25519\t{body}"),
            format!("sk-ssh-ed25519@openssh.com {body}"),
            format!("{MAYA}AAAA"),
            format!("{MAYA}="),
            MAYA.trim_end_matches('E').to_owned(),
            format!("{MAYA} {}", "x".repeat(LONGEST_LINE)),
            format!("{MAYA} \u{1b}[2J"),
        ] {
            assert_eq!(PublicKey::parse(&text), Err(no_key()), "{text:?}");
        }
    }

    #[test]
    fn a_key_that_fits_every_signature_is_refused() {
        let weak = ssh_key::public::Ed25519PublicKey([0; 32]);
        let line = ssh_key::PublicKey::from(KeyData::from(weak))
            .to_openssh()
            .expect("a line");
        let refusal = PublicKey::parse(&line).expect_err("it is weak");
        assert_eq!(refusal.sentence, "this is not a sound ed25519 key");
    }
}
