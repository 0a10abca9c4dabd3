//! A Kubernetes API server that says what it is told to.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use axum::{
    Json, Router,
    body::Body,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use bailiwick::{
    graph::{
        Environments,
        facts::{Kind, ObjectRef},
    },
    server::{Config, Server},
    source::{Cluster, Ledger, Metrics, cluster},
    store::Store,
};
use futures::channel::mpsc;
use kube::Client as KubeClient;
use prometheus_client::registry::Registry;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::router::TestServer;

/// The environment that its objects are in.
pub const ENVIRONMENT: &str = "default";

/// What it has, and who watches.
#[derive(Debug, Default)]
pub struct ApiServer {
    state: Mutex<Scripted>,
}

#[derive(Debug, Default)]
struct Scripted {
    revision: u64,
    objects: HashMap<ObjectRef, Value>,
    watches: Vec<(Kind, mpsc::UnboundedSender<Result<String, std::io::Error>>)>,
    /// What happens is not told to anybody who watches.
    is_mute: bool,
    /// What tells its history from others.
    lease: Value,
    /// Nobody may write that.
    refuses_leases: bool,
}

impl ApiServer {
    /// One that is at this resource version, and whose Lease has this uid.
    pub fn new(revision: u64, lease_uid: &str) -> Arc<Self> {
        let lease =
            json!({ "metadata": { "name": "bailiwick", "uid": lease_uid, "resourceVersion": "1" }, "spec": {} });
        let state = Mutex::new(Scripted { revision, lease, ..Scripted::default() });
        Arc::new(Self { state })
    }

    /// Lets an object be so, as of the next resource version, which it returns.
    pub fn write(&self, kind: Kind, name: &str, spec: &Value) -> u64 {
        let state = &mut *self.state.lock().unwrap();
        state.revision += 1;
        let object = json!({
            "metadata": {
                "name": name, "namespace": ENVIRONMENT, "uid": format!("{kind}/{name}"), "resourceVersion": state.revision.to_string(),
            },
            "spec": spec,
        });
        let before = state.objects.insert(ObjectRef { kind, name: name.into() }, object.clone());
        state.tell(kind, if before.is_some() { "MODIFIED" } else { "ADDED" }, &object);
        state.revision
    }

    /// Lets something happen elsewhere, which nobody is told of.
    pub fn advance(&self) -> u64 {
        let state = &mut *self.state.lock().unwrap();
        state.revision += 1;
        state.revision
    }

    /// Goes back to an earlier resource version, as after a restore; the objects are what they were then.
    pub fn restore(&self, revision: u64, objects: impl IntoIterator<Item = (Kind, &'static str, Value)>) {
        let state = &mut *self.state.lock().unwrap();
        state.objects.clear();
        for (kind, name, spec) in objects {
            // Written at the same resource version as something else before.
            let object = json!({
                "metadata": { "name": name, "namespace": ENVIRONMENT, "uid": format!("{kind}/{name}"), "resourceVersion": "1" },
                "spec": spec,
            });
            state.objects.insert(ObjectRef { kind, name: name.into() }, object);
        }
        state.revision = revision;
        state.watches.clear();
    }

    /// From now on nothing is told to anybody who watches.
    pub fn mute(&self) {
        self.state.lock().unwrap().is_mute = true;
    }

    /// Tells again what happens: every watch ends, and the next ones are told what they missed.
    pub fn unmute(&self) {
        let state = &mut *self.state.lock().unwrap();
        state.is_mute = false;
        state.watches.clear();
    }

    /// From now on it refuses, or takes, what is written to the Lease.
    pub fn refuse_leases(&self, refuses: bool) {
        self.state.lock().unwrap().refuses_leases = refuses;
    }

    /// Whether every kind is watched.
    pub fn is_watched(&self) -> bool {
        let state = self.state.lock().unwrap();
        Kind::ALL
            .into_iter()
            .all(|kind| state.watches.iter().any(|(watched, watch)| *watched == kind && !watch.is_closed()))
    }

    /// A client of it.
    pub fn client(self: &Arc<Self>) -> KubeClient {
        let router = Router::new()
            .route("/apis/authz.bailiwick.dev/v1alpha1/{plural}", get(serve))
            .route(
                "/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases/{name}",
                get(lease).put(async |State(server): State<Arc<Self>>, Json(mut lease): Json<Value>| {
                    let state = &mut *server.state.lock().unwrap();
                    if state.refuses_leases {
                        let refusal = json!({ "kind": "Status", "status": "Failure", "code": 403, "message": "no", "reason": "Forbidden" });
                        return (StatusCode::FORBIDDEN, Json(refusal));
                    }
                    lease["metadata"]["resourceVersion"] = json!("2");
                    state.lease = lease.clone();
                    (StatusCode::OK, Json(lease))
                }),
            )
            .with_state(Arc::clone(self));
        KubeClient::new(router, ENVIRONMENT)
    }
}

impl Scripted {
    fn tell(&mut self, kind: Kind, event: &str, object: &Value) {
        if self.is_mute {
            return;
        }
        let line = format!("{}\n", json!({ "type": event, "object": object }));
        let watches = self.watches.iter().filter(|(watched, _)| *watched == kind);
        watches.for_each(|(_, watch)| drop(watch.unbounded_send(Ok(line.clone()))));
    }
}

async fn lease(State(server): State<Arc<ApiServer>>) -> Json<Value> {
    Json(server.state.lock().unwrap().lease.clone())
}

async fn serve(
    State(server): State<Arc<ApiServer>>,
    Path(plural): Path<String>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    let Some(kind) = Kind::ALL.into_iter().find(|kind| cluster::resource(*kind).plural == plural) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let state = &mut *server.state.lock().unwrap();
    if !query.contains_key("watch") {
        let of_kind = state.objects.iter().filter(|(object, _)| object.kind == kind);
        let items: Vec<_> = of_kind.map(|(_, object)| object).collect();
        return Json(json!({ "metadata": { "resourceVersion": state.revision.to_string() }, "items": items }))
            .into_response();
    }
    let (sender, events) = mpsc::unbounded();
    let number = |value: &str| value.parse::<u64>().unwrap_or_default();
    let from = query.get("resourceVersion").map_or(0, |from| number(from));
    let version = |object: &Value| number(object["metadata"]["resourceVersion"].as_str().unwrap_or_default());
    let first = state.watches.len();
    state.watches.push((kind, sender));
    let missed = state.objects.iter().filter(|(object, it)| object.kind == kind && version(it) > from);
    let missed: Vec<_> = missed.map(|(_, object)| object.clone()).collect();
    let others = state.watches.drain(..first).collect::<Vec<_>>();
    for object in &missed {
        state.tell(kind, "MODIFIED", object);
    }
    // A real one says how far it has come shortly before the end.
    if query.get("timeoutSeconds").is_some_and(|seconds| number(seconds) < 5) {
        let bookmark = json!({ "apiVersion": "authz.bailiwick.dev/v1alpha1", "kind": kind.as_str(), "metadata": { "resourceVersion": state.revision.to_string() } });
        state.tell(kind, "BOOKMARK", &bookmark);
    }
    state.watches.splice(..0, others);
    Body::from_stream(events).into_response()
}

/// A replica that follows a scripted API server, until this is dropped.
pub struct Replica {
    /// What answers.
    pub server: TestServer,
    _following: JoinSet<()>,
}

impl Replica {
    /// One that behaves so, and follows as `change` makes it.
    pub fn begin(api_server: &Arc<ApiServer>, config: Config, change: impl FnOnce(Cluster) -> Cluster) -> Self {
        let (environments, ledger) = (Arc::new(Environments::default()), Arc::new(Ledger::default()));
        let client = api_server.client();
        let followed = Cluster::new(&client, vec![], &environments, &ledger, &Metrics::default());
        let followed = change(followed.with_history(&client, ENVIRONMENT, "bailiwick"));
        let store = Store::read_only("nothing is written here", Arc::clone(&environments), ledger);
        let registry = Registry::with_prefix("bailiwick");
        let server = Server::new(config, Arc::clone(&environments), Arc::new(store), registry);
        Self { server: TestServer::of(server, environments), _following: [followed.run()].into_iter().collect() }
    }
}
