//! The server without a socket: requests go straight into its router.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, header::CONTENT_TYPE},
};
use bailiwick::{
    graph::{Environments, facts::Object},
    server::{self, Config, Limits, Server},
    store::Store,
};
use prometheus_client::registry::Registry;
use serde_json::Value;
use tower::ServiceExt;

use super::{answer::Answer, facts::applied};

/// The environment that is asked where a path names none.
pub const DEFAULT_ENVIRONMENT: &str = "default";

/// How the server behaves unless a test says otherwise.
pub fn config() -> Config {
    Config {
        default_environment: DEFAULT_ENVIRONMENT.to_owned(),
        served_environments: None,
        limits: Limits::default(),
        public_url: None,
        log_filter: None,
        authentication: None,
        decision_log: None,
    }
}

/// A server and the graphs that it answers from.
pub struct TestServer {
    pub environments: Arc<Environments>,
    pub server: Arc<Server>,
    pub api: Client,
    pub probes: Client,
}

impl TestServer {
    /// A server that behaves so.
    pub fn new(config: Config) -> Self {
        let environments = Arc::new(Environments::default());
        let store = Store::read_only("nothing is written here", Arc::clone(&environments), Arc::default());
        let server =
            Server::new(config, Arc::clone(&environments), Arc::new(store), Registry::with_prefix("bailiwick"));
        Self::of(server, environments)
    }

    /// This server, which answers from these graphs.
    pub fn of(server: Arc<Server>, environments: Arc<Environments>) -> Self {
        Self {
            environments,
            api: Client(server::router(Arc::clone(&server))),
            probes: Client(server::probes(Arc::clone(&server))),
            server,
        }
    }

    /// A server whose default environment holds these objects.
    pub fn with(objects: impl IntoIterator<Item = Object>) -> Self {
        let server = Self::new(config());
        server.environments.apply(DEFAULT_ENVIRONMENT, &applied(objects));
        server
    }
}

/// Sends requests into a router.
#[derive(Clone)]
pub struct Client(pub Router);

impl Client {
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.post_raw(path, body.to_string()).await
    }

    /// Posts what claims to be JSON.
    pub async fn post_raw(&self, path: &str, body: impl Into<Body>) -> Answer {
        self.send(Request::post(path).header(CONTENT_TYPE, "application/json").body(body.into()).unwrap()).await
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.0.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        Answer { status: parts.status, headers: parts.headers, body: String::from_utf8(bytes.to_vec()).unwrap() }
    }
}
