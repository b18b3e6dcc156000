//! One connection to the store, with one deadline for everything that is said over it.

use std::io::{self, BufReader, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use socket2::{Domain, SockAddr, Socket, Type};

use super::super::protocol::{Code, Said};
use super::address::{Address, Place};
use super::resp::{self, Reply, ReplyBounds, RespFault};

/// How long a server has to take a connection.
const CONNECT_PATIENCE: Duration = Duration::from_secs(10);

/// A connection that has introduced itself.
pub(super) struct Client {
    stream: BufReader<Timed>,
    bounds: ReplyBounds,
}

/// A stream on which nothing takes longer than until the deadline, however slowly it drips.
struct Timed {
    stream: Stream,
    deadline: Instant,
}

enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Client {
    pub fn connect(address: &Address, deadline: Instant) -> Result<Self, Said> {
        let stream = Stream::connect(&address.place, deadline).map_err(|error| {
            Said::new(
                Code::Unreachable,
                format!("the store cannot be reached: {error}"),
            )
        })?;
        let mut client = Self {
            stream: BufReader::new(Timed { stream, deadline }),
            bounds: ReplyBounds::default(),
        };
        if let Some(password) = &address.password {
            let user = address.user.as_ref().map(String::as_bytes);
            let mut words: Vec<&[u8]> = vec![b"AUTH"];
            words.extend(user);
            words.push(password.as_bytes());
            let reply = client.call(&words)?;
            // The server's own sentence may repeat the user's name.
            if reply != Reply::Simple("OK".to_owned()) {
                return Err(Said::new(
                    Code::Unreachable,
                    "the store does not take the password",
                ));
            }
        }
        match client.call(&[b"PING"])? {
            Reply::Simple(word) if word == "PONG" => Ok(client),
            Reply::Error(what) => Err(Said::new(
                Code::Unreachable,
                format!("the store says: {what}"),
            )),
            _ => Err(Said::new(
                Code::Unreachable,
                "what answers is no Redis server",
            )),
        }
    }

    /// Sends one request and reads its reply, which may be an error.
    pub fn call(&mut self, words: &[&[u8]]) -> Result<Reply, Said> {
        let unreachable = |fault: RespFault| Said::new(Code::Unreachable, fault.to_string());
        let request = resp::request(words);
        let sent = self.stream.get_mut().write_all(&request);
        sent.map_err(|error| unreachable(error.into()))?;
        resp::read(&mut self.stream, self.bounds).map_err(unreachable)
    }

    /// How long is left.
    pub fn left(&self) -> Duration {
        let deadline = self.stream.get_ref().deadline;
        deadline.saturating_duration_since(Instant::now())
    }
}

impl Stream {
    fn connect(place: &Place, deadline: Instant) -> io::Result<Self> {
        let left = deadline.saturating_duration_since(Instant::now());
        let patience = left.min(CONNECT_PATIENCE).max(Duration::from_millis(1));
        match place {
            Place::Socket(path) => {
                let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
                socket.connect_timeout(&SockAddr::unix(path)?, patience)?;
                Ok(Self::Unix(socket.into()))
            }
            Place::Host(host, port) => {
                let mut last = io::ErrorKind::NotFound.into();
                for address in (host.as_str(), *port).to_socket_addrs()? {
                    match TcpStream::connect_timeout(&address, patience) {
                        Ok(stream) => {
                            stream.set_nodelay(true)?;
                            return Ok(Self::Tcp(stream));
                        }
                        Err(error) => last = error,
                    }
                }
                Err(last)
            }
        }
    }
}

impl Timed {
    fn left(&self) -> io::Result<Duration> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        Ok(left)
    }
}

/// A stream says "would block" when its time is up.
fn in_time(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::WouldBlock {
        return io::ErrorKind::TimedOut.into();
    }
    error
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = Some(self.left()?);
        let read = match &mut self.stream {
            Stream::Tcp(stream) => stream
                .set_read_timeout(left)
                .and_then(|()| stream.read(buffer)),
            Stream::Unix(stream) => stream
                .set_read_timeout(left)
                .and_then(|()| stream.read(buffer)),
        };
        read.map_err(in_time)
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let left = Some(self.left()?);
        let written = match &mut self.stream {
            Stream::Tcp(stream) => stream
                .set_write_timeout(left)
                .and_then(|()| stream.write(bytes)),
            Stream::Unix(stream) => stream
                .set_write_timeout(left)
                .and_then(|()| stream.write(bytes)),
        };
        written.map_err(in_time)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
