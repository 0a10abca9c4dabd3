//! What the fuzzers ask: the routers of the program, without a socket, over the small company of `examples/acme`.

use std::{
    path::Path,
    sync::{Arc, LazyLock},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderName, HeaderValue, Request, StatusCode, header::CONTENT_TYPE, header::HOST},
};
use bailiwick::{
    graph::{Environments, facts::ObjectRef},
    server::{
        self, Authentication, CallersFile, Config, Limits, Mapping, ObjectFormat, Server, Submitted, access_reviews,
    },
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
    server: Arc<Server>,
    api: Router,
    /// The same, for nobody but the callers of `seeds/callers/two`.
    guarded: Router,
    admission: Router,
}

/// The headers of a request besides those that each has.
pub type Headers = [(HeaderName, HeaderValue)];

/// The one world of a process.
pub static WORLD: LazyLock<World> = LazyLock::new(World::new);

impl World {
    fn new() -> Self {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let company = here.join("../examples/acme");
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
            limits: Limits { freshness_wait: Duration::ZERO, ..Limits::default() },
            log_filter: None,
            authentication: None,
            decision_log: None,
        };
        let server = |config| {
            let registry = Registry::with_prefix("bailiwick");
            Server::new(config, Arc::clone(&environments), Arc::clone(&store), registry)
        };
        let registry = &mut Registry::default();
        let callers = CallersFile::open(here.join("seeds/callers/two"), registry).expect("the callers");
        let authentication = Some(Authentication::new(Some(callers), None, registry));
        let guarded = server::router(server(Config { authentication, ..config.clone() }));
        let server = server(config);
        let format = ObjectFormat { group: bailiwick::api::GROUP, read };
        Self {
            runtime: Builder::new_current_thread().enable_time().build().expect("a runtime"),
            api: server::router(Arc::clone(&server)),
            guarded,
            admission: server::admission_router(Arc::clone(&server), format),
            server,
        }
    }

    /// Asks the API. A fault of the program, or an answer that is no JSON, is what the fuzzers look for.
    pub fn ask(&self, method: &str, path: &str, body: &[u8]) -> Option<Value> {
        self.ask_with(&[], method, path, body)
    }

    /// Asks the API with some headers more.
    pub fn ask_with(&self, headers: &Headers, method: &str, path: &str, body: &[u8]) -> Option<Value> {
        self.send(&self.api, headers, method, path, body)?.1
    }

    /// Asks the API as the callers of a file may: the status of the answer.
    pub fn ask_guarded(&self, headers: &Headers, method: &str, path: &str, body: &[u8]) -> Option<StatusCode> {
        Some(self.send(&self.guarded, headers, method, path, body)?.0)
    }

    /// Asks the admission webhook.
    pub fn review(&self, body: &[u8]) -> Option<Value> {
        self.send(&self.admission, &[], "POST", "/admission/validate", body)?.1
    }

    /// Asks the authorization webhook.
    pub fn review_access(&self, mapping: Mapping, body: &[u8]) -> Value {
        let webhook = access_reviews(Arc::clone(&self.server), Arc::new(mapping.into()));
        let answer = self.send(&webhook, &[], "POST", "/subject-access-review", body);
        let answer = answer.and_then(|(_, answer)| answer).expect("an answer has a body");
        assert!(answer["status"]["denied"].is_null(), "{answer}");
        answer
    }

    /// The status and the body of the answer; none: what is no request does not come to the router.
    fn send(
        &self,
        router: &Router,
        headers: &Headers,
        method: &str,
        path: &str,
        body: &[u8],
    ) -> Option<(StatusCode, Option<Value>)> {
        let mut request = Request::builder().method(method).uri(path).body(Body::from(body.to_vec())).ok()?;
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        request.headers_mut().insert(HOST, HeaderValue::from_static("localhost"));
        request.headers_mut().extend(headers.iter().cloned());
        let (status, body) = self.runtime.block_on(async {
            let response = router.clone().oneshot(request).await.unwrap_or_else(|never| match never {});
            (response.status(), to_bytes(response.into_body(), usize::MAX).await.expect("a body"))
        });
        assert_ne!(status, StatusCode::INTERNAL_SERVER_ERROR, "{method} {path}");
        assert_ne!(status, StatusCode::SERVICE_UNAVAILABLE, "{method} {path}");
        Some((status, (!body.is_empty()).then(|| serde_json::from_slice(&body).expect("JSON"))))
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
