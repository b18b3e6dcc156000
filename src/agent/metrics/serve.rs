//! The metrics of a running agent: answered when asked, and written into the file at each beat.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::CONTENT_TYPE;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::agent::{Agent, Halt};
use crate::rules::Refusal;
use crate::rules::lease::BEAT;
use crate::store::StoreError;

/// The form of the text.
const FORM: &str = "text/plain; version=0.0.4; charset=utf-8";
/// How long whoever asks may take to do so.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many may ask at once.
const MOST_ASKING: usize = 16;

impl Agent {
    /// Reads the metrics on a connection of their own.
    async fn measured(&self) -> Result<String, StoreError> {
        let store = self.place.open_to_look().await?;
        let text = super::text(&store, &self.holder).await;
        store.close().await;
        text
    }

    /// Takes the port that metrics are served on, where one is asked for.
    pub(in crate::agent) async fn metrics_port(&self) -> Result<Option<TcpListener>, Refusal> {
        let Some(address) = self.settings.metrics_address else {
            return Ok(None);
        };
        bind(address).await.map(Some)
    }

    /// Serves metrics, and writes them into the file, until told to stop.
    pub(in crate::agent) async fn measure(&self, port: Option<TcpListener>, mut halt: Halt) {
        tokio::select! {
            () = halt.set() => (),
            () = self.serve(port) => (),
            () = self.write_again_and_again() => (),
        }
    }

    async fn write_again_and_again(&self) {
        let Some(path) = &self.settings.metrics_file else {
            return std::future::pending().await;
        };
        loop {
            // Old numbers say that all is well: while there are none, none are shown.
            let written = match self.measured().await {
                Ok(text) => super::write(path, &text),
                Err(error) => {
                    tracing::warn!(%error, "metrics cannot be read");
                    std::fs::remove_file(path).or(Ok(()))
                }
            };
            if let Err(error) = written {
                tracing::warn!(%error, "metrics cannot be written");
            }
            tokio::time::sleep(BEAT).await;
        }
    }

    async fn serve(&self, port: Option<TcpListener>) {
        let Some(port) = port else {
            return std::future::pending().await;
        };
        let mut asking = JoinSet::new();
        loop {
            let Ok((stream, _)) = port.accept().await else {
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            while asking.try_join_next().is_some() {}
            if asking.len() >= MOST_ASKING {
                continue;
            }
            let agent = self.clone();
            asking.spawn(async move {
                let answer = service_fn(|request| agent.answer(request));
                let serving = hyper::server::conn::http1::Builder::new()
                    .timer(TokioTimer::new())
                    .header_read_timeout(PATIENCE)
                    .keep_alive(false)
                    .serve_connection(TokioIo::new(stream), answer);
                // Whoever hangs up has nothing to be told.
                let _ = serving.await;
            });
        }
    }

    async fn answer(
        &self,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, Infallible> {
        let (status, text) = if request.uri().path() != "/metrics" {
            (StatusCode::NOT_FOUND, "/metrics is here\n".to_owned())
        } else if request.method() != Method::GET {
            (StatusCode::METHOD_NOT_ALLOWED, "only GET\n".to_owned())
        } else {
            match self.measured().await {
                Ok(text) => (StatusCode::OK, text),
                Err(error) => (StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n")),
            }
        };
        let mut response = Response::new(Full::new(Bytes::from(text)));
        *response.status_mut() = status;
        response
            .headers_mut()
            .insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static(FORM));
        Ok(response)
    }
}

async fn bind(address: SocketAddr) -> Result<TcpListener, Refusal> {
    TcpListener::bind(address).await.map_err(|error| {
        Refusal::new(
            format!("metrics cannot be served on {address}: {error}"),
            "choose another metrics_address in the agent's file",
        )
    })
}
