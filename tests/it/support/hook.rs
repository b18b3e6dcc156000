//! A server on the web for the tests: keeps what it gets, and answers as it is told; on loopback only.

use std::convert::Infallible;
use std::path::Path;
use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::mail::certificate;

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Got {
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Got {
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(found, _)| found == name);
        found.map_or("", |(_, value)| value)
    }
}

/// A server.
pub struct Hook {
    pub port: u16,
    got: Arc<Mutex<Vec<Got>>>,
    serving: AbortHandle,
}

impl Hook {
    /// Starts one that answers with a code; 0 never answers.
    pub async fn start(code: u16) -> Self {
        Self::with(code, None).await
    }

    /// Starts one that is secured by a certificate that it puts into a folder as `cert.pem`.
    pub async fn secured(code: u16, folder: &Path) -> Self {
        let (certificate, key) = certificate(folder);
        let read = |path| CertificateDer::from_pem_file(path).expect("a certificate");
        let key = PrivateKeyDer::from_pem_file(key).expect("a key");
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![read(certificate)], key)
            .expect("they fit");
        Self::with(code, Some(TlsAcceptor::from(Arc::new(config)))).await
    }

    async fn with(code: u16, tls: Option<TlsAcceptor>) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let number = port.local_addr().expect("it is bound").port();
        let got = Arc::new(Mutex::new(Vec::new()));
        let keeps = Arc::clone(&got);
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = port.accept().await {
                tokio::spawn(serve(stream, tls.clone(), code, Arc::clone(&keeps)));
            }
        });
        Self {
            port: number,
            got,
            serving: serving.abort_handle(),
        }
    }

    /// What it got until now.
    pub fn got(&self) -> Vec<Got> {
        self.got.lock().expect("nobody panicked").clone()
    }
}

impl Drop for Hook {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(stream: TcpStream, tls: Option<TlsAcceptor>, code: u16, got: Arc<Mutex<Vec<Got>>>) {
    let answer = service_fn(|request| answer(request, code, &got));
    let http = hyper::server::conn::http1::Builder::new();
    match tls {
        None => drop(http.serve_connection(TokioIo::new(stream), answer).await),
        Some(tls) => {
            if let Ok(stream) = tls.accept(stream).await {
                drop(http.serve_connection(TokioIo::new(stream), answer).await);
            }
        }
    }
}

async fn answer(
    request: Request<Incoming>,
    code: u16,
    got: &Mutex<Vec<Got>>,
) -> Result<Response<Empty<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map(|it| it.to_bytes().to_vec());
    let text =
        |value: &hyper::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    got.lock().expect("nobody panicked").push(Got {
        method: parts.method.to_string(),
        path: parts.uri.to_string(),
        headers: parts
            .headers
            .iter()
            .map(|(name, value)| (name.to_string(), text(value)))
            .collect(),
        body: body.unwrap_or_default(),
    });
    if code == 0 {
        std::future::pending::<()>().await;
    }
    let mut response = Response::new(Empty::new());
    *response.status_mut() = hyper::StatusCode::from_u16(code).expect("a code");
    let elsewhere = hyper::header::HeaderValue::from_static("http://127.0.0.1:1/");
    response
        .headers_mut()
        .insert(hyper::header::LOCATION, elsewhere);
    Ok(response)
}
