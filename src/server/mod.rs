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
mod authentication;
mod authzen;
mod connections;
mod decision_log;
mod environment;
mod error;
mod extract;
mod follow;
mod frequent;
mod freshness;
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
pub use authentication::{
    Authentication, CallersFile, CallersFileError, Digest, DigestError, Identity, ReviewError, Reviewer, Verb,
};
pub use authzen::{InvalidUrl, PublicUrl};
pub use decision_log::{DecisionLog, Drain, Redaction};
pub use environment::check_environment_name;
pub use error::Error;
pub use log_level::LogFilter;
pub use serve::{AccessReviewListener, AdmissionListener, ApiTls, Listeners, serve};
pub use subject_access_review::{CurrentMapping, Mapping, MappingError, MappingFile, MappingFileError, access_reviews};
pub use tls::{Certificate, CertificateError, ClientAuthority, ClientAuthorityError, follow_files};
#[cfg(fuzzing)]
pub use {admission::router as admission_router, authentication::fuzzing, connections::Frames, tls::read_authorities};

use metrics::Metrics;

/// How the server behaves.
#[derive(Clone, Debug)]
pub struct Config {
    /// The environment that is asked where a path names none.
    pub default_environment: String,
    /// The environments that are served; none: every one.
    pub served_environments: Option<BTreeSet<String>>,
    /// Where applications reach the API, for the metadata; none: there where a request reaches it.
    pub public_url: Option<PublicUrl>,
    /// What it bounds.
    pub limits: Limits,
    /// What is logged, where that may be changed while the program runs.
    pub log_filter: Option<LogFilter>,
    /// Whom the API answers; none: everybody.
    pub authentication: Option<Arc<Authentication>>,
    /// Where decisions are written down; none: nowhere.
    pub decision_log: Option<DecisionLog>,
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
    /// How long a request waits that asks for a fresher answer than can be given yet.
    pub freshness_wait: Duration,
    /// How many requests wait so at a time; what comes on top is turned away with 503.
    pub freshness_waiters: usize,
    /// How long the head of a request may take, from its first byte.
    pub head_time: Duration,
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
            freshness_wait: Duration::from_secs(5),
            freshness_waiters: 256,
            connections: 4096,
            head_time: Duration::from_secs(10),
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
    waiters: Semaphore,
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
            metrics: Metrics::register(&mut registry, &environments, config.decision_log.as_ref()),
            permits: Semaphore::new(config.limits.concurrent_requests.min(Semaphore::MAX_PERMITS)),
            waiters: Semaphore::new(config.limits.freshness_waiters.min(Semaphore::MAX_PERMITS)),
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
    let authenticates = server.config.authentication.is_some();
    let api = routes
        .route(openapi::PATH, openapi::document_route(document))
        .merge(workos::routes(&server))
        .fallback(async || Error::NoSuchRoute)
        .method_not_allowed_fallback(async || Error::MethodNotAllowed)
        .layer(DefaultBodyLimit::max(server.config.limits.body))
        .layer(CatchPanicLayer::custom(error::after_panic))
        .layer(middleware::from_fn_with_state(Arc::clone(&server), observe::around))
        .with_state(server);
    if authenticates { authentication::discreet(api) } else { api }
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
