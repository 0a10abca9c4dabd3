//! TLS on a listener: whoever connects is greeted with a certificate that can be exchanged at any time.
//!
//! | module | what lives there |
//! | --- | --- |
//! | `certificate` | the certificate |
//! | `files` | certificates from mounted files |

mod certificate;
mod files;

pub use certificate::{Certificate, CertificateError};
pub use files::follow_files;

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::serve::Listener;
use rustls::{ServerConfig, crypto::ring};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::serve::Connections;

/// How long a client may take to agree on a connection.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);

/// How many connections there may be at a time, those that are still being agreed on included. What comes on top
/// waits until one of them ends.
const MAX_CONNECTIONS: usize = 256;

/// Accepts connections and agrees on TLS with each, on many at a time: one that dawdles holds up no other.
pub(super) struct TlsListener {
    connections: Connections,
    acceptor: TlsAcceptor,
    handshakes: JoinSet<io::Result<(Connection, SocketAddr)>>,
    permits: Arc<Semaphore>,
}

impl TlsListener {
    /// Greets with the certificate; while that has none to show, nobody can connect.
    pub fn new(connections: Connections, certificate: Arc<Certificate>) -> io::Result<Self> {
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_cert_resolver(certificate);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            connections,
            acceptor: TlsAcceptor::from(Arc::new(config)),
            handshakes: JoinSet::new(),
            permits: Arc::new(Semaphore::new(MAX_CONNECTIONS)),
        })
    }
}

impl Listener for TlsListener {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        loop {
            let Self { connections, acceptor, handshakes, permits } = self;
            let next = async {
                // None: closed, which it never is.
                let permit = Arc::clone(permits).acquire_owned().await.ok();
                (connections.accept().await, permit)
            };
            tokio::select! {
                ((stream, address), permit) = next => {
                    let handshake = acceptor.accept(stream);
                    handshakes.spawn(async move {
                        let stream = timeout(HANDSHAKE_TIME, handshake).await??;
                        Ok((Connection { stream, _permit: permit }, address))
                    });
                }
                Some(ended) = handshakes.join_next() => match ended {
                    Ok(Ok(accepted)) => return accepted,
                    Ok(Err(error)) => tracing::debug!(%error, "a client did not agree on TLS"),
                    Err(error) => tracing::error!(%error, "agreeing on TLS failed"),
                },
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.connections.local_addr()
    }
}

/// A connection that counts as one until it ends.
pub(super) struct Connection {
    stream: TlsStream<<Connections as Listener>::Io>,
    _permit: Option<OwnedSemaphorePermit>,
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
