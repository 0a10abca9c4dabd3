//! The HTTP surfaces: what is asked over HTTP is answered from the [graph](crate::graph), and from nothing else.
//!
//! - [`router`]: the API. AuthZEN for applications, a native JSON API for everything that AuthZEN has no words for.
//! - [`probes`]: liveness, readiness, metrics and the level of the log, on a listener of their own.
//! - the admission webhook, for the Kubernetes API server, on a listener of its own with TLS.
//! - [`access_reviews`]: the authorization webhook, for the same, on another.
//! - [`serve()`]: all of them, until a shutdown that lets what is under way finish.
//!
//! Every answer of the API comes from one consistent state of one environment, and none is given before every
//! source has delivered ([`Environments::is_synced`]): until then all of them are 503.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{Router, extract::DefaultBodyLimit, middleware, routing::get};
use prometheus_client::registry::Registry;
use tokio::sync::Semaphore;
use tower_http::catch_panic::CatchPanicLayer;

use crate::{
    graph::{Environments, PublishedGraph},
    store::Store,
};

mod admission;
mod answer;
mod authzen;
mod connections;
mod environment;
mod error;
mod extract;
mod frequent;
mod health;
mod log_level;
mod metrics;
mod native;
mod observe;
mod openapi;
mod paging;
mod serve;
mod subject_access_review;
mod tls;
mod unread;
mod workos;

pub use admission::{ObjectFormat, Submitted};
pub use environment::check_environment_name;
pub use error::Error;
pub use log_level::LogFilter;
pub use serve::{AccessReviewListener, AdmissionListener, Listeners, serve};
pub use subject_access_review::{Mapping, MappingError, access_reviews};
pub use tls::{Certificate, CertificateError, follow_files, required_clients};

use metrics::Metrics;

/// How the server behaves.
#[derive(Clone, Debug)]
pub struct Config {
    /// The environment that is asked where a path names none.
    pub default_environment: String,
    /// The environments that are served; none: every one.
    pub served_environments: Option<BTreeSet<String>>,
    /// What it bounds.
    pub limits: Limits,
    /// What is logged, where that may be changed while the program runs.
    pub log_filter: Option<LogFilter>,
}

/// What the server bounds, so that no caller can exhaust it.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The size of a request's body, in bytes.
    pub body: usize,
    /// How many requests are answered at a time; what comes on top is turned away with 503.
    pub concurrent_requests: usize,
    /// How long a request may take, its body included.
    pub request_time: Duration,
    /// How many connections to the API there may be at a time; what comes on top waits until one of them ends.
    pub connections: usize,
    /// How long a connection may be without a request under way before it is closed. Longer than clients keep unused ones.
    pub idle_time: Duration,
    /// At shutdown: how long to wait for the requests that are under way.
    pub drain_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 8 * 1024 * 1024,
            concurrent_requests: 1024,
            request_time: Duration::from_secs(30),
            connections: 4096,
            idle_time: Duration::from_mins(2),
            drain_time: Duration::from_secs(20),
        }
    }
}

/// What all surfaces share.
#[derive(Debug)]
pub struct Server {
    config: Config,
    environments: Arc<Environments>,
    store: Arc<Store>,
    /// Stands in for an environment that nothing was ever said of.
    empty: Arc<PublishedGraph>,
    metrics: Metrics,
    registry: Registry,
    permits: Semaphore,
    draining: AtomicBool,
}

impl Server {
    /// A server over the graphs of `environments`, which writes to the `store`.
    ///
    /// It adds its own metrics to the `registry` and serves all that it holds. Build that with
    /// [`Registry::with_prefix`]`("bailiwick")`: neither the server's metrics nor those of the sources carry a prefix of their own.
    #[must_use]
    pub fn new(
        config: Config,
        environments: Arc<Environments>,
        store: Arc<Store>,
        mut registry: Registry,
    ) -> Arc<Self> {
        Arc::new(Self {
            metrics: Metrics::register(&mut registry, &environments),
            permits: Semaphore::new(config.limits.concurrent_requests.min(Semaphore::MAX_PERMITS)),
            config,
            environments,
            store,
            empty: Arc::default(),
            registry,
            draining: AtomicBool::new(false),
        })
    }

    /// Withdraws readiness for good. Requests are still answered.
    pub fn start_draining(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}

/// The API.
pub fn router(server: Arc<Server>) -> Router {
    let (routes, document) = openapi::routes().split_for_parts();
    routes
        .route(openapi::PATH, openapi::document_route(document))
        .merge(workos::routes(&server))
        .fallback(async || Error::NoSuchRoute)
        .method_not_allowed_fallback(async || Error::MethodNotAllowed)
        .layer(DefaultBodyLimit::max(server.config.limits.body))
        .layer(CatchPanicLayer::custom(error::after_panic))
        .layer(middleware::from_fn_with_state(Arc::clone(&server), observe::around))
        .with_state(server)
}

/// Liveness, readiness, metrics and the level of the log.
pub fn probes(server: Arc<Server>) -> Router {
    Router::new()
        .route("/livez", get(health::livez))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(metrics::serve))
        .route("/log-level", get(log_level::read).put(log_level::change))
        .layer(DefaultBodyLimit::max(log_level::MAX_FILTER))
        .fallback(async || Error::NoSuchRoute)
        .method_not_allowed_fallback(async || Error::MethodNotAllowed)
        .with_state(server)
}
