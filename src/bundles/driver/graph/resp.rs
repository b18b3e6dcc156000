//! The Redis protocol, version 2: requests written, replies read within bounds, whatever the other side sends.

use std::io::{self, BufRead, Read};

/// What a server replied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// A word such as `OK`.
    Simple(String),
    /// A refusal.
    Error(String),
    /// A whole number.
    Integer(i64),
    /// Bytes; none is null.
    Bulk(Option<Vec<u8>>),
    /// Further replies; none is null.
    Array(Option<Vec<Reply>>),
}

/// Why a reply cannot be used; the connection is then of no use either.
#[derive(Debug, thiserror::Error)]
pub enum RespFault {
    /// The stream ended or broke, or the time was up.
    #[error("the connection broke: {0}")]
    Broken(#[from] io::Error),
    /// It is not what the protocol asks for.
    #[error("the reply breaks the protocol: {0}")]
    Malformed(&'static str),
    /// It is larger or deeper than is read.
    #[error("the reply is larger than is read")]
    TooLarge,
}

/// How much a reply may cost, in bytes of memory and in levels.
#[derive(Debug, Clone, Copy)]
pub struct ReplyBounds {
    /// Bytes, each reply inside of it counted as some more.
    pub bytes: usize,
    /// How deep arrays may lie in arrays.
    pub depth: usize,
}

impl Default for ReplyBounds {
    fn default() -> Self {
        Self {
            bytes: 128 * 1024 * 1024,
            depth: 16,
        }
    }
}

/// The longest line: an error's sentence or a number.
const LONGEST_LINE: usize = 64 * 1024;

/// What a reply costs besides its bytes.
const COST: usize = size_of::<Reply>();

/// Writes a request: an array of byte strings, so that no word can become two.
#[must_use]
pub fn request(words: &[&[u8]]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        bytes.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        bytes.extend_from_slice(word);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

/// Reads one reply.
pub fn read(stream: &mut impl BufRead, bounds: ReplyBounds) -> Result<Reply, RespFault> {
    let mut left = bounds.bytes;
    reply(stream, &mut left, bounds.depth)
}

fn reply(stream: &mut impl BufRead, left: &mut usize, depth: usize) -> Result<Reply, RespFault> {
    spend(left, COST)?;
    let line = line(stream, left)?;
    let (kind, rest) = line
        .split_first()
        .ok_or(RespFault::Malformed("an empty line"))?;
    match kind {
        b'+' => text(rest).map(Reply::Simple),
        b'-' => text(rest).map(Reply::Error),
        b':' => number(rest).map(Reply::Integer),
        b'$' => match length(rest)? {
            None => Ok(Reply::Bulk(None)),
            Some(length) => bulk(stream, length, left).map(|bytes| Reply::Bulk(Some(bytes))),
        },
        b'*' => match length(rest)? {
            None => Ok(Reply::Array(None)),
            Some(_) if depth == 0 => Err(RespFault::TooLarge),
            Some(length) => {
                // What is announced is checked before, and room is made only for what comes.
                if length.checked_mul(COST).is_none_or(|cost| cost > *left) {
                    return Err(RespFault::TooLarge);
                }
                let mut items = Vec::new();
                for _ in 0..length {
                    items.push(reply(stream, left, depth - 1)?);
                }
                Ok(Reply::Array(Some(items)))
            }
        },
        _ => Err(RespFault::Malformed("an unknown kind of reply")),
    }
}

fn spend(left: &mut usize, cost: usize) -> Result<(), RespFault> {
    *left = left.checked_sub(cost).ok_or(RespFault::TooLarge)?;
    Ok(())
}

/// Reads up to and without a carriage return and a line feed.
fn line(stream: &mut impl BufRead, left: &mut usize) -> Result<Vec<u8>, RespFault> {
    let mut line = Vec::new();
    let most = LONGEST_LINE.min(*left) as u64;
    stream.by_ref().take(most).read_until(b'\n', &mut line)?;
    spend(left, line.len())?;
    if line.last() != Some(&b'\n') {
        let cut = line.len() as u64 == most;
        return Err(if cut { RespFault::TooLarge } else { ended() });
    }
    line.pop();
    if line.pop() != Some(b'\r') || line.contains(&b'\r') {
        return Err(RespFault::Malformed(
            "a line that does not end as it should",
        ));
    }
    Ok(line)
}

fn bulk(stream: &mut impl BufRead, length: usize, left: &mut usize) -> Result<Vec<u8>, RespFault> {
    let with_end = length.checked_add(2).ok_or(RespFault::TooLarge)?;
    spend(left, with_end)?;
    let mut bytes = Vec::new();
    stream
        .by_ref()
        .take(with_end as u64)
        .read_to_end(&mut bytes)?;
    if bytes.len() < with_end {
        return Err(ended());
    }
    if !bytes.ends_with(b"\r\n") {
        return Err(RespFault::Malformed(
            "bytes that do not end where they should",
        ));
    }
    bytes.truncate(length);
    Ok(bytes)
}

fn ended() -> RespFault {
    RespFault::Broken(io::ErrorKind::UnexpectedEof.into())
}

fn text(bytes: &[u8]) -> Result<String, RespFault> {
    let text =
        std::str::from_utf8(bytes).map_err(|_| RespFault::Malformed("a line that is no text"))?;
    Ok(text.to_owned())
}

/// Reads digits with at most a minus before them; no plus, no blank, no leading zero.
fn number(bytes: &[u8]) -> Result<i64, RespFault> {
    let bad = || RespFault::Malformed("a number that is none");
    let text = std::str::from_utf8(bytes).map_err(|_| bad())?;
    let number: i64 = text.parse().map_err(|_| bad())?;
    if number.to_string() == text {
        Ok(number)
    } else {
        Err(bad())
    }
}

/// Reads a length; minus one is null.
fn length(bytes: &[u8]) -> Result<Option<usize>, RespFault> {
    match number(bytes)? {
        -1 => Ok(None),
        length => usize::try_from(length)
            .map(Some)
            .map_err(|_| RespFault::Malformed("a negative length")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SMALL: ReplyBounds = ReplyBounds {
        bytes: 64 * 1024,
        depth: 4,
    };

    fn read_all(bytes: &[u8]) -> Result<Reply, RespFault> {
        let mut stream = bytes;
        let reply = read(&mut stream, SMALL)?;
        assert!(stream.is_empty(), "nothing is left over");
        Ok(reply)
    }

    fn written(reply: &Reply) -> Vec<u8> {
        match reply {
            Reply::Simple(text) => format!("+{text}\r\n").into_bytes(),
            Reply::Error(text) => format!("-{text}\r\n").into_bytes(),
            Reply::Integer(number) => format!(":{number}\r\n").into_bytes(),
            Reply::Bulk(None) => b"$-1\r\n".to_vec(),
            Reply::Array(None) => b"*-1\r\n".to_vec(),
            Reply::Bulk(Some(bytes)) => {
                let mut out = format!("${}\r\n", bytes.len()).into_bytes();
                out.extend_from_slice(bytes);
                out.extend_from_slice(b"\r\n");
                out
            }
            Reply::Array(Some(items)) => {
                let mut out = format!("*{}\r\n", items.len()).into_bytes();
                out.extend(items.iter().flat_map(written));
                out
            }
        }
    }

    fn replies() -> impl Strategy<Value = Reply> {
        let leaf = prop_oneof![
            "[^\r\n]{0,12}".prop_map(Reply::Simple),
            "[^\r\n]{0,12}".prop_map(Reply::Error),
            any::<i64>().prop_map(Reply::Integer),
            any::<Option<Vec<u8>>>().prop_map(Reply::Bulk),
            Just(Reply::Array(None)),
        ];
        leaf.prop_recursive(3, 24, 6, |inner| {
            prop::collection::vec(inner, 0..6).prop_map(|items| Reply::Array(Some(items)))
        })
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_and_every_cut_is_noticed(reply in replies()) {
            let bytes = written(&reply);
            prop_assert_eq!(read_all(&bytes).expect("whole"), reply);
            for end in 0..bytes.len() {
                prop_assert!(read(&mut &bytes[..end], SMALL).is_err());
            }
        }

        #[test]
        fn noise_never_does_harm(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&mut bytes.as_slice(), SMALL);
        }

        #[test]
        fn noise_that_looks_like_replies_never_does_harm(text in "([*$:+-][0-9-]{0,12}\r?\n?){0,40}") {
            let _ = read(&mut text.as_bytes(), SMALL);
        }
    }

    #[test]
    fn hostile_lengths_and_depths_cost_nothing() {
        for huge in [
            "$9223372036854775807\r\n".to_owned(),
            "$99999999\r\nx".to_owned(),
            "*9223372036854775807\r\n".to_owned(),
            "*99999\r\n".to_owned(),
            "*1\r\n".repeat(5),
            "*1\r\n".repeat(100_000),
            format!("+{}", "x".repeat(70_000)),
            format!(
                "*60\r\n{}",
                format!("$2000\r\n{}\r\n", "x".repeat(2000)).repeat(60)
            ),
        ] {
            let fault = read(&mut huge.as_bytes(), SMALL).unwrap_err();
            assert!(matches!(fault, RespFault::TooLarge), "{fault}");
        }
    }

    #[test]
    fn what_breaks_the_protocol_is_refused() {
        for bad in [
            "\r\n",
            "x\r\n",
            "+a\n",
            "+a\rb\r\n",
            ":\r\n",
            ":+1\r\n",
            ": 1\r\n",
            ":01\r\n",
            ":1.5\r\n",
            ":-0\r\n",
            "$-2\r\n",
            "*-2\r\n",
            "$1\r\nab\r\n",
            "$1\r\na\n\n",
            ":9223372036854775808\r\n",
        ] {
            let fault = read(&mut bad.as_bytes(), SMALL).unwrap_err();
            assert!(matches!(fault, RespFault::Malformed(_)), "{bad:?} {fault}");
        }
        let ended = read(&mut "$3\r\nab".as_bytes(), SMALL).unwrap_err();
        assert!(matches!(ended, RespFault::Broken(_)));
    }

    #[test]
    fn a_request_keeps_its_words_apart() {
        let bytes = request(&[b"GRAPH.QUERY", b"g\r\n*1\r\n", b""]);
        assert_eq!(
            String::from_utf8(bytes).expect("text"),
            "*3\r\n$11\r\nGRAPH.QUERY\r\n$7\r\ng\r\n*1\r\n\r\n$0\r\n\r\n"
        );
    }
}
