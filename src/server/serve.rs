//! Serving until told to stop.

use std::{future::Future, io, pin::pin, sync::Arc};

use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{Server, probes, router};

/// The bound sockets to serve on.
#[derive(Debug)]
pub struct Listeners {
    /// For the API.
    pub api: TcpListener,
    /// For liveness, readiness and metrics.
    pub probes: TcpListener,
}

/// Serves until `shutdown` completes and what is under way then is answered.
///
/// First readiness is withdrawn; after [`Limits::drain_delay`](super::Limits::drain_delay) no more connections are
/// accepted; then requests that are under way have [`Limits::drain_time`](super::Limits::drain_time) to finish. The probes
/// are served until the end.
///
/// # Errors
/// Where a listener fails for good.
pub async fn serve(
    server: Arc<Server>,
    listeners: Listeners,
    shutdown: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    let drain = CancellationToken::new();
    let probes = async { axum::serve(listeners.probes, probes(Arc::clone(&server))).await };
    let api = async {
        // Small responses must not wait for the acknowledgement of the one before.
        let listener = listeners.api.tap_io(|stream| {
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "a connection keeps Nagle's algorithm");
            }
        });
        axum::serve(listener, router(Arc::clone(&server))).with_graceful_shutdown(drain.clone().cancelled_owned()).await
    };
    let api_until_drained = async {
        let mut api = pin!(api);
        let limits = server.config.limits;
        let withdraw = async {
            shutdown.await;
            server.start_draining();
            tracing::info!("shutting down");
            tokio::time::sleep(limits.drain_delay).await;
        };
        tokio::select! {
            ended = &mut api => return ended,
            () = withdraw => drain.cancel(),
        }
        tokio::time::timeout(limits.drain_time, api).await.unwrap_or_else(|_elapsed| {
            tracing::warn!("requests were still under way when the time to drain was over");
            Ok(())
        })
    };
    tokio::select! {
        ended = api_until_drained => ended,
        ended = probes => ended,
    }
}
