//! What the fuzzers ask: the routers of the program, without a socket, over the small company of `examples/acme`.

use std::{
    path::Path,
    sync::{Arc, LazyLock},
};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, StatusCode, header::CONTENT_TYPE},
};
use bailiwick::{
    graph::{Environments, facts::ObjectRef},
    server::{self, Config, Limits, ObjectFormat, Server, Submitted},
    source::{Directory, Ledger, Metrics, cluster::WatchedObject},
    store::{DirectoryStore, Error, ObjectStore, Store, StoredObject, Write},
};
use futures::future::{BoxFuture, FutureExt as _};
use prometheus_client::registry::Registry;
use serde::Deserialize as _;
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt as _;

/// What the fuzzers ask.
pub struct World {
    runtime: Runtime,
    api: Router,
    admission: Router,
}

/// The one world of a process.
pub static WORLD: LazyLock<World> = LazyLock::new(World::new);

impl World {
    fn new() -> Self {
        let company = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/acme");
        let (environments, ledger) = (Arc::<Environments>::default(), Arc::<Ledger>::default());
        let directory =
            Directory::open(company, "default", Arc::clone(&environments), Arc::clone(&ledger), Metrics::default())
                .expect("the examples");
        let objects = Unwritten(DirectoryStore::new(directory.handle()));
        let store = Arc::new(Store::new(Arc::new(objects), Arc::clone(&environments), ledger));
        let config = Config {
            default_environment: "default".to_owned(),
            served_environments: None,
            public_url: None,
            limits: Limits::default(),
            log_filter: None,
            authentication: None,
            decision_log: None,
        };
        let server = Server::new(config, environments, store, Registry::with_prefix("bailiwick"));
        let format = ObjectFormat { group: bailiwick::api::GROUP, read };
        Self {
            runtime: Builder::new_current_thread().enable_time().build().expect("a runtime"),
            api: server::router(Arc::clone(&server)),
            admission: server::admission_router(server, format),
        }
    }

    /// Asks the API. A fault of the program, or an answer that is no JSON, is what the fuzzers look for.
    pub fn ask(&self, method: &str, path: &str, body: &[u8]) -> Option<Value> {
        self.send(&self.api, method, path, body)
    }

    /// Asks the admission webhook.
    pub fn review(&self, body: &[u8]) -> Option<Value> {
        self.send(&self.admission, "POST", "/admission/validate", body)
    }

    fn send(&self, router: &Router, method: &str, path: &str, body: &[u8]) -> Option<Value> {
        let request = Request::builder().method(method).uri(path).header(CONTENT_TYPE, "application/json");
        // What is no request does not come to the router.
        let request = request.header("host", "localhost").body(Body::from(body.to_vec())).ok()?;
        let (status, body) = self.runtime.block_on(async {
            let response = router.clone().oneshot(request).await.unwrap_or_else(|never| match never {});
            (response.status(), to_bytes(response.into_body(), usize::MAX).await.expect("a body"))
        });
        assert_ne!(status, StatusCode::INTERNAL_SERVER_ERROR, "{method} {path}");
        assert_ne!(status, StatusCode::SERVICE_UNAVAILABLE, "{method} {path}");
        (!body.is_empty()).then(|| serde_json::from_slice(&body).expect("JSON"))
    }
}

/// As `bailiwick run` reads what is submitted.
fn read(kind: bailiwick::graph::facts::Kind, object: &Value) -> Result<Submitted, String> {
    let read = WatchedObject::deserialize(object).map_err(|error| error.to_string())?;
    Ok(Submitted { restricted: read.is_restricted(), object: read.to_object(kind, read.name()).0 })
}

/// Takes every write, up to where it would be made: so all of a request is read, and the examples stay what they are.
#[derive(Debug)]
struct Unwritten(DirectoryStore);

impl ObjectStore for Unwritten {
    fn read<'a>(
        &'a self,
        environment: &'a str,
        object: &'a ObjectRef,
    ) -> BoxFuture<'a, Result<Option<StoredObject>, Error>> {
        self.0.read(environment, object)
    }

    fn write<'a>(&'a self, _environment: &'a str, _writes: Vec<Write>) -> BoxFuture<'a, Result<(), Error>> {
        async { Err(Error::ReadOnly { problem: "nothing is written for a fuzzer".to_owned() }) }.boxed()
    }
}
