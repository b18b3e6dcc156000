//! SHA-256 digests, of bytes in hand and of streams.

use std::fmt;
use std::io::{self, Read, Write};
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

/// How much of a stream is read at once.
const STREAM_BLOCK: usize = 64 * 1024;

/// Holds a SHA-256 digest; written and read as exactly 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest([u8; 32]);

/// Says that a text is not a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not a SHA-256 digest: exactly 64 lower-case hex digits are needed")]
pub struct DigestError;

impl Digest {
    /// Hashes bytes that are already in memory.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Takes the 32 raw bytes of a digest.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Shows the 32 raw bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut hex = String::with_capacity(64);
        for byte in self.0 {
            for nibble in [byte >> 4, byte & 15] {
                hex.push(char::from(b"0123456789abcdef"[usize::from(nibble)]));
            }
        }
        out.pad(&hex)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        if pairs.len() != 32 || !rest.is_empty() {
            return Err(DigestError);
        }
        let mut bytes = [0; 32];
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            *byte = nibble(*high)? << 4 | nibble(*low)?;
        }
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for Digest {
    type Error = DigestError;

    fn try_from(text: String) -> Result<Self, DigestError> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

fn nibble(digit: u8) -> Result<u8, DigestError> {
    match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        _ => Err(DigestError),
    }
}

/// Hashes bytes as they come; also a [`Write`], so that text can be formatted into it.
#[derive(Debug, Clone, Default)]
pub struct Hasher(Sha256);

impl Hasher {
    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Gives the digest of everything added.
    #[must_use]
    pub fn finish(self) -> Digest {
        Digest(self.0.finalize().into())
    }
}

impl Write for Hasher {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Hashes a stream to its end without holding it in memory.
pub fn hash_file(mut reader: impl Read) -> io::Result<Digest> {
    let mut hasher = Hasher::default();
    let mut block = vec![0; STREAM_BLOCK];
    loop {
        match reader.read(&mut block) {
            Ok(0) => return Ok(hasher.finish()),
            Ok(length) => hasher.update(&block[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn known_digests_are_written_in_lower_case_hex() {
        assert_eq!(Digest::of(b"").to_string(), EMPTY);
        assert_eq!(format!("{:?}", Digest::of(b"abc")), ABC);
        assert_eq!(format!("{:>66}", Digest::of(b"abc")), format!("  {ABC}"));
        assert_eq!(Digest::of(b"abc").as_bytes()[..2], [0xba, 0x78]);
    }

    #[test]
    fn only_64_lower_case_hex_digits_are_read() {
        assert_eq!(ABC.parse(), Ok(Digest::of(b"abc")));
        assert_eq!(Digest::try_from(EMPTY.to_owned()), Ok(Digest::of(b"")));
        let refused = [
            String::new(),
            ABC.to_uppercase(),
            ABC.replace('b', "B"),
            ABC[1..].to_owned(),
            format!("{ABC}0"),
            format!("{ABC}00"),
            format!(" {}", &ABC[1..]),
            format!("{}\n", &ABC[1..]),
            format!("sha256:{ABC}"),
            ABC.replace('f', "g"),
            format!("+{}", &ABC[1..]),
            format!("{}é", &ABC[2..]),
        ];
        for text in refused {
            assert_eq!(text.parse::<Digest>(), Err(DigestError), "{text:?}");
        }
        assert!(DigestError.to_string().contains("64 lower-case hex"));
    }

    #[test]
    fn serde_uses_the_string() {
        let digest = Digest::of(b"abc");
        let json = serde_json::to_string(&digest).unwrap();
        assert_eq!(json, format!("\"{ABC}\""));
        assert_eq!(serde_json::from_str::<Digest>(&json).unwrap(), digest);
        assert!(serde_json::from_str::<Digest>("\"00\"").is_err());
        assert!(serde_json::from_str::<Digest>(&json.to_uppercase()).is_err());
    }

    #[test]
    fn digests_order_by_their_bytes() {
        let low = Digest([0; 32]);
        let high: Digest = "f".repeat(64).parse().unwrap();
        assert!(low < high && low.to_string() < high.to_string());
    }

    /// Gives one byte at a time, with an interruption before each.
    struct Dripping<'a>(&'a [u8], bool);

    impl Read for Dripping<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.1 = !self.1;
            if self.1 {
                return Err(io::ErrorKind::Interrupted.into());
            }
            self.0.read(&mut buffer[..1])
        }
    }

    struct Broken;

    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::TimedOut.into())
        }
    }

    #[test]
    fn streams_hash_like_slices() {
        let bytes: Vec<u8> = (0..200_000_u32).map(|i| i.to_le_bytes()[0]).collect();
        assert_eq!(hash_file(&bytes[..]).unwrap(), Digest::of(&bytes));
        assert_eq!(
            hash_file(Dripping(b"abc", false)).unwrap(),
            Digest::of(b"abc")
        );
        assert_eq!(
            hash_file(Broken).unwrap_err().kind(),
            io::ErrorKind::TimedOut
        );
    }

    #[test]
    fn the_hasher_takes_pieces_and_formatted_text() {
        let mut hasher = Hasher::default();
        hasher.update(b"a");
        write!(hasher, "bc").unwrap();
        hasher.flush().unwrap();
        assert_eq!(hasher.finish(), Digest::of(b"abc"));
    }
}
