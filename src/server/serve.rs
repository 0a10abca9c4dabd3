//! Serving until told to stop.

use std::{future::Future, io, sync::Arc};

use axum::Extension;
use futures::future::{self, OptionFuture};
use tokio::{net::TcpListener, time::sleep};
use tokio_util::sync::CancellationToken;

use super::{
    Server,
    admission::{self, ObjectFormat},
    connections::Connections,
    frequent::Api,
    log_level::Peer,
    probes, router,
    subject_access_review::{CurrentMapping, access_reviews},
    tls::{self, Certificate, ClientAuthority},
};

/// How many connections there may be at a time to the probes, and to each of the webhooks, which few call.
const MAX_CONNECTIONS_OF_FEW: usize = 256;

/// The bound sockets to serve on.
#[derive(Debug)]
pub struct Listeners {
    /// For the API.
    pub api: TcpListener,
    /// What the API is served with, where that is TLS.
    pub api_tls: Option<ApiTls>,
    /// For liveness, readiness, metrics and the level of the log.
    pub probes: TcpListener,
    /// For the admission webhook, where there is to be one.
    pub admission: Option<AdmissionListener>,
    /// For the authorization webhook, where there is to be one.
    pub access_reviews: Option<AccessReviewListener>,
}

/// What the API is served with.
#[derive(Debug)]
pub struct ApiTls {
    /// What it shows to whoever connects.
    pub certificate: Arc<Certificate>,
    /// Whose certificates clients may show; none: clients are not asked for any.
    pub clients: Option<Arc<ClientAuthority>>,
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

/// What the authorization webhook is served with.
#[derive(Debug)]
pub struct AccessReviewListener {
    /// The bound socket.
    pub listener: TcpListener,
    /// What it shows to whoever connects.
    pub certificate: Arc<Certificate>,
    /// What judges the certificates that clients must show; none: they need none.
    pub clients: Option<Arc<ClientAuthority>>,
    /// Which question to the graph a review is.
    pub mapping: Arc<CurrentMapping>,
}

/// Serves until `shutdown` completes and what is under way then is answered.
///
/// Then readiness is withdrawn, no more connections are accepted, and requests that are under way have
/// [`Limits::drain_time`](super::Limits::drain_time) to finish. The probes are served until the end.
///
/// # Errors
/// Where TLS cannot be had.
pub async fn serve(
    server: Arc<Server>,
    listeners: Listeners,
    shutdown: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    let limits = server.config.limits;
    let open = |listener| server.metrics.open_connections(listener);
    let drain = CancellationToken::new();
    let probes = {
        let router = probes(Arc::clone(&server));
        Connections {
            name: "probes",
            listener: listeners.probes,
            tls: None,
            most: MAX_CONNECTIONS_OF_FEW,
            idle_time: limits.idle_time,
            head_time: limits.head_time,
            answerer: move |address| router.clone().layer(Extension(Peer::new(address))),
            open: open("probes"),
        }
    };
    let api = {
        let api = Api { server: Arc::clone(&server), router: router(Arc::clone(&server)), client: None };
        let tls = listeners
            .api_tls
            .map(|ApiTls { certificate, clients }| tls::acceptor(certificate, clients.map(|clients| clients as _)));
        Connections {
            name: "api",
            listener: listeners.api,
            tls: tls.transpose()?,
            most: limits.connections,
            idle_time: limits.idle_time,
            head_time: limits.head_time,
            answerer: move |_address| api.clone(),
            open: open("api"),
        }
    };
    let admission = match listeners.admission {
        None => None,
        Some(AdmissionListener { listener, certificate, format }) => {
            let router = admission::router(Arc::clone(&server), format);
            Some(Connections {
                name: "admission",
                listener,
                tls: Some(tls::acceptor(certificate, None)?),
                most: MAX_CONNECTIONS_OF_FEW,
                idle_time: limits.idle_time,
                head_time: limits.head_time,
                answerer: move |_address| router.clone(),
                open: open("admission"),
            })
        }
    };
    let access_reviews = match listeners.access_reviews {
        None => None,
        Some(AccessReviewListener { listener, certificate, clients, mapping }) => {
            let router = access_reviews(Arc::clone(&server), mapping);
            Some(Connections {
                name: "access_reviews",
                listener,
                tls: Some(tls::acceptor(certificate, clients.map(|clients| clients as _))?),
                most: MAX_CONNECTIONS_OF_FEW,
                idle_time: limits.idle_time,
                head_time: limits.head_time,
                answerer: move |_address| router.clone(),
                open: open("access_reviews"),
            })
        }
    };
    let until_drained = async {
        let admission = OptionFuture::from(admission.map(|admission| admission.serve(drain.clone())));
        let access_reviews = OptionFuture::from(access_reviews.map(|reviews| reviews.serve(drain.clone())));
        let all = future::join3(api.serve(drain.clone()), admission, access_reviews);
        let withdraw = async {
            shutdown.await;
            server.start_draining();
            tracing::info!("shutting down");
            drain.cancel();
            sleep(limits.drain_time).await;
        };
        tokio::select! {
            _ = all => {}
            () = withdraw => tracing::warn!("requests were still under way when the time to drain was over"),
        }
    };
    tokio::select! {
        () = until_drained => Ok(()),
        () = probes.serve(CancellationToken::new()) => Ok(()),
    }
}
