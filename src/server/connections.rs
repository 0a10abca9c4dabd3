//! Connections: accepted, served with HTTP/1.1 or HTTP/2, bounded, and drained.

mod frames;
mod progress;

use std::{convert::Infallible, io::ErrorKind, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    http::{Request, Response},
};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use prometheus_client::metrics::gauge::Gauge;
use rustls::ServerConnection;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    task::{JoinError, JoinSet},
    time::{Instant, sleep, timeout},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tower_service::Service as _;

use progress::{Observed, Progress, UnderWay};

#[cfg(fuzzing)]
pub use frames::Frames;

/// How large the head of a request may be, in bytes: with HTTP/1.1 all that is read ahead, with HTTP/2 the headers unpacked.
const MAX_HEAD: u32 = 64 * 1024;

/// How many requests may be under way on one connection of HTTP/2.
const MAX_STREAMS: u32 = 128;

/// How many headers a request may have with HTTP/1.1; with HTTP/2 their size alone bounds them.
const MAX_HEADERS: usize = 100;

/// How many requests that a client of HTTP/2 takes back again, or that are no requests, may lie there unattended at a time;
/// then the connection is closed.
const MAX_RESETS: usize = 20;

/// How long a client may take to agree on TLS.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);

/// How long nothing is accepted after that failed for want of something, such as file descriptors.
const PAUSE: Duration = Duration::from_secs(1);

/// For how long it is said once that as many connections are open as may be: whoever holds them could otherwise write a line of the log
/// with each that is exchanged for another.
const SILENCE: Duration = Duration::from_mins(1);

/// What answers requests.
pub(super) trait Handler: Clone + Send + 'static {
    /// Answers a request.
    fn answer(self, request: Request<Body>) -> impl Future<Output = Response<Body>> + Send;

    /// The same for a client that has agreed on TLS, and may have shown a certificate.
    #[must_use]
    fn greeted(self, _tls: &ServerConnection) -> Self {
        self
    }
}

impl Handler for Router {
    async fn answer(mut self, request: Request<Body>) -> Response<Body> {
        self.call(request).await.unwrap_or_else(|never| match never {})
    }
}

/// The connections of one listener.
pub(super) struct Connections<A> {
    /// What it is called in the log.
    pub name: &'static str,
    /// The bound socket.
    pub listener: TcpListener,
    /// With TLS, or in the clear.
    pub tls: Option<TlsAcceptor>,
    /// How many there may be at a time. What comes on top waits in the kernel until one of them ends.
    pub most: usize,
    /// How long one may be without a request under way.
    pub idle_time: Duration,
    /// How long the head of a request may take from its first byte.
    pub head_time: Duration,
    /// What answers whoever is at this address.
    pub answerer: A,
    /// How many there are.
    pub open: Gauge,
}

impl<H: Handler, A: Fn(SocketAddr) -> H> Connections<A> {
    /// Serves until told to `drain`; then the listener is closed, and what is under way is answered. HTTP/2 says
    /// GOAWAY, HTTP/1.1 `connection: close`. Connections that are still open when this is dropped are cut.
    pub async fn serve(self, drain: CancellationToken) {
        let Self { name, listener, tls, most, idle_time, head_time, answerer, open } = self;
        let mut connections = JoinSet::new();
        let mut said: Option<Instant> = None;
        loop {
            tokio::select! {
                () = drain.cancelled() => break,
                Some(ended) = connections.join_next() => note_end(ended, &open),
                (stream, address) = accept(&listener, name), if connections.len() < most => {
                    let handler = answerer(address);
                    let connection = Connection { handler, idle_time, head_time, drain: drain.child_token() };
                    connections.spawn(connection.serve(stream, tls.clone()));
                    open.inc();
                    if connections.len() == most && said.is_none_or(|said| said.elapsed() >= SILENCE) {
                        said = Some(Instant::now());
                        tracing::warn!(listener = name, most, "as many connections as may be are open; more wait");
                    }
                }
            }
        }
        drop(listener);
        while let Some(ended) = connections.join_next().await {
            note_end(ended, &open);
        }
    }
}

fn note_end(ended: Result<(), JoinError>, open: &Gauge) {
    open.dec();
    if let Err(error) = ended {
        tracing::error!(%error, "a connection was cut by a fault of the program");
    }
}

async fn accept(listener: &TcpListener, name: &'static str) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) => match error.kind() {
                // Whoever wanted to connect has given up.
                ErrorKind::ConnectionRefused | ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset => {}
                _ => {
                    tracing::error!(listener = name, %error, "connections cannot be accepted");
                    sleep(PAUSE).await;
                }
            },
        }
    }
}

struct Connection<H> {
    handler: H,
    idle_time: Duration,
    head_time: Duration,
    drain: CancellationToken,
}

impl<H: Handler> Connection<H> {
    async fn serve(mut self, stream: TcpStream, tls: Option<TlsAcceptor>) {
        // Small responses must not wait for the acknowledgement of the one before.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps Nagle's algorithm");
        }
        let Some(tls) = tls else { return self.speak_http(stream).await };
        let handshake = timeout(HANDSHAKE_TIME, tls.accept(stream));
        match self.drain.run_until_cancelled(handshake).await {
            Some(Ok(Ok(stream))) => {
                self.handler = self.handler.greeted(stream.get_ref().1);
                self.speak_http(stream).await;
            }
            Some(Ok(Err(error))) => tracing::debug!(%error, "a client did not agree on TLS"),
            Some(Err(_elapsed)) => tracing::debug!("a client took too long to agree on TLS"),
            None => {}
        }
    }

    async fn speak_http(self, stream: impl AsyncRead + AsyncWrite + Unpin + 'static) {
        let Self { handler, idle_time, head_time, drain } = self;
        let progress = Arc::new(Progress::default());
        let service = {
            let progress = Arc::clone(&progress);
            service_fn(move |request: Request<Incoming>| {
                answer(handler.clone(), UnderWay::begin(&progress), request.map(Body::new))
            })
        };
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder.http1().max_buf_size(MAX_HEAD as usize).max_headers(MAX_HEADERS);
        builder
            .http2()
            .max_header_list_size(MAX_HEAD)
            .max_concurrent_streams(MAX_STREAMS)
            .max_pending_accept_reset_streams(MAX_RESETS)
            .max_local_error_reset_streams(MAX_RESETS);
        let io = TokioIo::new(Observed::new(stream, Arc::clone(&progress)));
        let mut connection = pin!(builder.serve_connection(io, service));
        let mut told_to_end = false;
        let mut idle = pin!(progress.idle_for(idle_time));
        let mut head_incomplete = pin!(progress.head_incomplete_for(head_time));
        loop {
            tokio::select! {
                biased;
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(error, "a connection broke");
                    }
                    return;
                }
                () = drain.cancelled(), if !told_to_end => {}
                () = &mut head_incomplete => {
                    tracing::debug!("a client took too long to send the head of a request");
                    return;
                }
                () = &mut idle => {
                    if told_to_end {
                        // Nobody takes the answer, or the head of a request never ends.
                        return;
                    }
                    idle.set(progress.idle_for(idle_time));
                }
            }
            told_to_end = true;
            connection.as_mut().graceful_shutdown();
        }
    }
}

async fn answer(
    handler: impl Handler,
    _under_way: UnderWay,
    request: Request<Body>,
) -> Result<Response<Body>, Infallible> {
    Ok(handler.answer(request).await)
}
