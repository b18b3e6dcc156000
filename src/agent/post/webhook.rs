//! A server on the web: the message as JSON, signed, to an address that was looked at before anything is sent there.
//!
//! No redirect is followed, and a name that leads into a private network is refused unless the settings say so: whoever
//! owns a name could otherwise lead the agent to servers that only it reaches.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HOST, USER_AGENT};
use hyper::{Method, Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use sha2::Sha256;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::parcel::Parcel;
use super::secret::{self, Secret};
use crate::clock::Moment;
use crate::rules::Refusal;
use crate::rules::delivery::NotTaken;
use crate::settings::Hook;

/// The answers by which a server says that this message will never be taken.
const NEVER: [StatusCode; 5] = [
    StatusCode::BAD_REQUEST,
    StatusCode::GONE,
    StatusCode::PAYLOAD_TOO_LARGE,
    StatusCode::UNSUPPORTED_MEDIA_TYPE,
    StatusCode::UNPROCESSABLE_ENTITY,
];

/// A server that takes messages.
#[derive(Debug)]
pub(super) struct Hooked {
    host: String,
    port: u16,
    /// The host as a request names it.
    authority: String,
    path: String,
    secret: Secret,
    private: bool,
    tls: Option<(Connector, ServerName<'static>)>,
}

/// A connector that says nothing of itself.
struct Connector(TlsConnector);

impl std::fmt::Debug for Connector {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("TlsConnector")
    }
}

impl Hooked {
    pub fn open(settings: &Hook) -> Result<Self, Refusal> {
        let no = |what: &str| Refusal::new(what.to_owned(), "write it as https://host/path");
        let uri: Uri = settings
            .url
            .parse()
            .map_err(|_| no("`url` is no address"))?;
        let host = uri.host().ok_or_else(|| no("`url` names no host"))?;
        let is_secure = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(if is_secure { 443 } else { 80 });
        let bare = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned();
        let tls = if is_secure {
            let name = ServerName::try_from(bare.clone())
                .map_err(|_| no("no certificate can be for the host of `url`"))?;
            Some((Connector(connector(settings)?), name))
        } else {
            None
        };
        Ok(Self {
            host: bare,
            port,
            authority: uri.authority().map_or(host, |it| it.as_str()).to_owned(),
            path: uri
                .path_and_query()
                .map_or("/", |it| it.as_str())
                .to_owned(),
            secret: Secret::read(&settings.secret_file)?,
            private: settings.private,
            tls,
        })
    }

    /// Sends one message.
    pub async fn send(&self, parcel: &Parcel) -> Result<(), NotTaken> {
        let address = self.address().await?;
        let later = |what: &str, error: &dyn std::fmt::Display| {
            NotTaken::Later(format!("{}: {what}: {error}", self.host))
        };
        let stream = TcpStream::connect(address)
            .await
            .map_err(|error| later("no connection", &error))?;
        match &self.tls {
            None => self.post(stream, parcel).await,
            Some((connector, name)) => {
                let secured = connector.0.connect(name.clone(), stream).await;
                let stream = secured.map_err(|error| later("no secure connection", &error))?;
                self.post(stream, parcel).await
            }
        }
    }

    /// Finds the address that is then spoken to, so that no other answer to the same question takes its place.
    async fn address(&self) -> Result<SocketAddr, NotTaken> {
        let found = lookup_host((self.host.as_str(), self.port)).await;
        let found: Vec<SocketAddr> = match found {
            Ok(found) => found.collect(),
            Err(error) => {
                let why = format!("{} is not found: {error}", self.host);
                return Err(NotTaken::Later(why));
            }
        };
        if !self.private
            && let Some(inside) = found.iter().find(|address| is_private(address.ip()))
        {
            return Err(NotTaken::Later(format!(
                "{} leads to {}, which is no public address: set `private = true` if it is meant",
                self.host,
                inside.ip()
            )));
        }
        let first = found.first().copied();
        first.ok_or_else(|| NotTaken::Later(format!("{} has no address", self.host)))
    }

    async fn post<S>(&self, stream: S, parcel: &Parcel) -> Result<(), NotTaken>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let broken = |error: hyper::Error| {
            NotTaken::Later(format!("{}: the connection broke: {error}", self.host))
        };
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(broken)?;
        let request = self.request(parcel)?;
        // Driven in a task that ends with this: an answer that came just before a hang-up counts.
        let mut driven = JoinSet::new();
        driven.spawn(connection);
        let answer = sender.send_request(request).await.map_err(broken)?;
        // Nothing of the answer's body matters; it is not even read.
        let status = answer.status();
        let why = format!("{} answered {status}", self.host);
        if status.is_success() {
            Ok(())
        } else if NEVER.contains(&status) {
            Err(NotTaken::Never(why))
        } else {
            Err(NotTaken::Later(why))
        }
    }

    fn request(&self, parcel: &Parcel) -> Result<Request<Full<Bytes>>, NotTaken> {
        let body = parcel.json();
        // The time is signed too, so that whoever listens cannot play it again another day.
        let at = Moment::on_this_workstation().to_string();
        let signature = self.signature(&at, &body);
        Request::builder()
            .method(Method::POST)
            .uri(&self.path)
            .header(HOST, &self.authority)
            .header(USER_AGENT, concat!("govdeck/", env!("CARGO_PKG_VERSION")))
            .header(CONTENT_TYPE, "application/json")
            .header("Idempotency-Key", &parcel.idempotency_key)
            .header("X-Govdeck-Time", at)
            .header("X-Govdeck-Signature", format!("sha256={signature}"))
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| NotTaken::Never(format!("no request can be made of it: {error}")))
    }

    /// Signs the time, a dot and the body.
    fn signature(&self, at: &str, body: &[u8]) -> String {
        use std::fmt::Write as _;
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.secret.bytes()) else {
            return String::new();
        };
        mac.update(at.as_bytes());
        mac.update(b".");
        mac.update(body);
        let mut hex = String::with_capacity(64);
        for byte in mac.finalize().into_bytes() {
            let _ = write!(hex, "{byte:02x}");
        }
        hex
    }
}

fn connector(settings: &Hook) -> Result<TlsConnector, Refusal> {
    let mut roots = RootCertStore::empty();
    let system = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(system.certs);
    if let Some(path) = &settings.ca_file {
        let pem = secret::file(path)?;
        for certificate in CertificateDer::pem_slice_iter(&pem).flatten() {
            roots.add_parsable_certificates([certificate]);
        }
    }
    if roots.is_empty() {
        return Err(Refusal::new(
            "this machine trusts no certificate at all",
            "install its ca-certificates, or name a `ca_file`",
        ));
    }
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| {
            Refusal::new(
                format!("no secure connection can be made: {error}"),
                "report this as a bug",
            )
        })?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

/// Tells whether an address is one that not everybody reaches, or that means another.
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_broadcast()
                || v4.is_documentation()
                || v4.is_multicast()
                || a == 0
                || (a == 100 && (64..128).contains(&b))
                || (a == 192 && b == 0)
                || (a == 198 && (18..20).contains(&b))
                || a >= 240
        }
        IpAddr::V6(v6) => {
            let first = v6.segments()[0];
            let means_v4 = v6.to_ipv4_mapped().or_else(|| {
                // NAT64 and 6to4 carry an older address inside.
                let s = v6.segments();
                let of = |a: u16, b: u16| {
                    let ([a, b], [c, d]) = (a.to_be_bytes(), b.to_be_bytes());
                    std::net::Ipv4Addr::new(a, b, c, d)
                };
                match s {
                    [0x64, 0xff9b, .., a, b] => Some(of(a, b)),
                    [0x2002, a, b, ..] => Some(of(a, b)),
                    _ => None,
                }
            });
            match means_v4 {
                Some(v4) => is_private(IpAddr::V4(v4)),
                None => {
                    v6.is_loopback()
                        || v6.is_unspecified()
                        || v6.is_multicast()
                        || v6.is_unique_local()
                        || v6.is_unicast_link_local()
                        || first & 0xffc0 == 0xfec0
                        || (first == 0x2001 && v6.segments()[1] == 0xdb8)
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_not_everybody_reaches_is_private_however_it_is_written() {
        for inside in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "255.255.255.255",
            "224.0.0.1",
            "198.18.0.1",
            "240.0.0.1",
            "192.0.2.1",
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
            "fec0::1",
            "ff02::1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2002:a00:1::",
            "2001:db8::1",
        ] {
            assert!(is_private(inside.parse().expect("an address")), "{inside}");
        }
        for outside in [
            "1.1.1.1",
            "172.32.0.1",
            "100.128.0.1",
            "198.20.0.1",
            "2606:4700::1111",
            "::ffff:1.1.1.1",
            "64:ff9b::101:101",
        ] {
            assert!(
                !is_private(outside.parse().expect("an address")),
                "{outside}"
            );
        }
    }
}
