//! Serving until told to stop.

use std::{
    future::Future,
    io,
    net::SocketAddr,
    pin::{Pin, pin},
    sync::Arc,
    time::Duration,
};

use axum::serve::Listener;
use tokio::net::{TcpListener, TcpStream};
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;

use super::{
    Server,
    admission::{self, ObjectFormat},
    log_level::Peer,
    probes, router,
    tls::{Certificate, TlsListener},
};

/// The bound sockets to serve on.
#[derive(Debug)]
pub struct Listeners {
    /// For the API.
    pub api: TcpListener,
    /// For liveness, readiness, metrics and the level of the log.
    pub probes: TcpListener,
    /// For the admission webhook, where there is to be one.
    pub admission: Option<AdmissionListener>,
}

/// What the admission webhook is served with.
#[derive(Debug)]
pub struct AdmissionListener {
    /// The bound socket.
    pub listener: TcpListener,
    /// What it shows to whoever connects.
    pub certificate: Arc<Certificate>,
    /// How objects are read.
    pub format: ObjectFormat,
}

/// Serves until `shutdown` completes and what is under way then is answered.
///
/// Then readiness is withdrawn, no more connections are accepted, and requests that are under way have
/// [`Limits::drain_time`](super::Limits::drain_time) to finish. The probes are served until the end.
///
/// # Errors
/// Where a listener fails for good.
pub async fn serve(
    server: Arc<Server>,
    listeners: Listeners,
    shutdown: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    let drain = CancellationToken::new();
    let connections = |listener| Connections { listener, idle_time: server.config.limits.idle_time };
    let probes = probes(Arc::clone(&server)).into_make_service_with_connect_info::<Peer>();
    let probes = async { axum::serve(connections(listeners.probes), probes).await };
    let api = async {
        axum::serve(connections(listeners.api), router(Arc::clone(&server)))
            .with_graceful_shutdown(drain.clone().cancelled_owned())
            .await
    };
    let admission = async {
        let Some(AdmissionListener { listener, certificate, format }) = listeners.admission else { return Ok(()) };
        axum::serve(
            TlsListener::new(connections(listener), certificate)?,
            admission::router(Arc::clone(&server), format),
        )
        .with_graceful_shutdown(drain.clone().cancelled_owned())
        .await
    };
    let until_drained = async {
        let mut both = pin!(async { tokio::try_join!(api, admission).map(|((), ())| ()) });
        let limits = server.config.limits;
        let withdraw = async {
            shutdown.await;
            server.start_draining();
            tracing::info!("shutting down");
        };
        tokio::select! {
            ended = &mut both => return ended,
            () = withdraw => drain.cancel(),
        }
        tokio::time::timeout(limits.drain_time, both).await.unwrap_or_else(|_elapsed| {
            tracing::warn!("requests were still under way when the time to drain was over");
            Ok(())
        })
    };
    tokio::select! {
        ended = until_drained => ended,
        ended = probes => ended,
    }
}

/// A listener for connections that end once nothing comes or goes: whoever connects and then says nothing must not
/// keep a file descriptor for ever.
pub(super) struct Connections {
    listener: TcpListener,
    idle_time: Duration,
}

impl Listener for Connections {
    type Io = Pin<Box<TimeoutStream<TcpStream>>>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.listener).await;
        // Small responses must not wait for the acknowledgement of the one before.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps Nagle's algorithm");
        }
        let mut stream = TimeoutStream::new(stream);
        stream.set_read_timeout(Some(self.idle_time));
        stream.set_write_timeout(Some(self.idle_time));
        (Box::pin(stream), address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}
