//! Watches, on an API server that says what it is told to.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
};

use axum::{
    Json, Router,
    body::Body,
    extract::{Path, Query, State},
    response::{IntoResponse, Response},
    routing::get,
};
use futures::{StreamExt as _, channel::mpsc};
use kube::{
    Config,
    runtime::watcher::{self, Event},
};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::time::{Duration, Instant, sleep};

mod memory;

use super::{
    events::{Asking, Failure, Told, events},
    tracker::Update,
    *,
};

/// The resource version that it is at.
const NOW: u64 = 1000;

/// What the API server does, kind for kind, by the plural of its name.
#[derive(Default)]
struct ApiServer {
    kinds: Mutex<HashMap<String, Served>>,
    /// What to answer for kinds that are not there.
    refusal: u16,
    /// How often it was answered so.
    refusals: AtomicUsize,
    /// How far it is behind [`NOW`], and how often it told so of roles.
    behind: AtomicU64,
    listed_behind: AtomicUsize,
    /// What every watch says before it ends at once; none: it goes on. And how often one of roles was begun.
    last_words: Mutex<Option<String>>,
    begun: AtomicUsize,
}

#[derive(Default)]
struct Served {
    objects: Vec<Value>,
    watches: Vec<mpsc::UnboundedSender<Result<String, std::io::Error>>>,
}

impl ApiServer {
    fn refusing(code: u16) -> Arc<Self> {
        Arc::new(Self { refusal: code, ..Self::default() })
    }

    fn client(self: &Arc<Self>) -> Client {
        let router = Router::new()
            .route("/apis/authz.bailiwick.dev/v1alpha1/{plural}", get(serve))
            .route("/apis/authz.bailiwick.dev/v1alpha1/namespaces/{namespace}/{plural}", get(serve_namespace))
            .with_state(Arc::clone(self));
        Client::new(router, "default")
    }

    /// Serves every kind, without objects but for these roles.
    fn install(&self, roles: &[Value]) {
        let mut kinds = self.kinds.lock();
        for kind in Kind::ALL {
            kinds.insert(watch::resource(kind).plural, Served::default());
        }
        kinds.get_mut("roles").unwrap().objects = roles.to_vec();
    }

    fn uninstall(&self, plural: &str) {
        self.kinds.lock().remove(plural);
    }

    fn send(&self, event: &str, object: &Value) {
        let line = format!("{}\n", json!({ "type": event, "object": object }));
        self.kinds.lock()["roles"].watches.iter().for_each(|watch| watch.unbounded_send(Ok(line.clone())).unwrap());
    }

    fn is_watched(&self) -> bool {
        self.kinds.lock().get("roles").is_some_and(|served| !served.watches.is_empty())
    }
}

async fn serve_namespace(
    server: State<Arc<ApiServer>>,
    Path((_, plural)): Path<(String, String)>,
    query: Query<HashMap<String, String>>,
) -> Response {
    serve(server, Path(plural), query).await
}

async fn serve(
    State(server): State<Arc<ApiServer>>,
    Path(plural): Path<String>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    match server.kinds.lock().get_mut(&plural) {
        None => {
            server.refusals.fetch_add(1, Ordering::Relaxed);
            let status =
                json!({ "kind": "Status", "status": "Failure", "code": server.refusal, "message": "no", "reason": "" });
            (axum::http::StatusCode::from_u16(server.refusal).unwrap(), Json(status)).into_response()
        }
        Some(kind) if query.contains_key("watch") => {
            server.begun.fetch_add(usize::from(plural == "roles"), Ordering::Relaxed);
            if let Some(words) = &*server.last_words.lock() {
                return Body::from(words.clone()).into_response();
            }
            let (sender, events) = mpsc::unbounded();
            kind.watches.push(sender);
            Body::from_stream(events).into_response()
        }
        Some(kind) => {
            let behind = server.behind.load(Ordering::Relaxed);
            if behind > 0 && plural == "roles" {
                server.listed_behind.fetch_add(1, Ordering::Relaxed);
            }
            let metadata = json!({ "resourceVersion": (NOW - behind).to_string() });
            Json(json!({ "metadata": metadata, "items": kind.objects })).into_response()
        }
    }
}

fn role(name: &str, version: u32) -> Value {
    json!({
        "metadata": { "name": name, "namespace": "team", "uid": name, "resourceVersion": version.to_string() },
        "spec": { "permissions": ["a"] },
    })
}

/// Follows a cluster until the test ends.
struct Following {
    environments: Arc<Environments>,
    _running: JoinSet<()>,
}

impl Following {
    fn begin(client: &Client, namespaces: &[&str]) -> Self {
        let environments = Arc::new(Environments::default());
        let namespaces = namespaces.iter().map(ToString::to_string).collect();
        let cluster = Cluster::new(client, namespaces, &environments, &Arc::default(), &Metrics::default());
        Self { environments, _running: [cluster.run()].into_iter().collect() }
    }

    /// How many roles there are, and how many of them cannot be used.
    fn roles(&self) -> (usize, usize) {
        self.environments.get("team").map_or((0, 0), |graph| {
            let graph = graph.read();
            (graph.count(Kind::Role), graph.count_invalid(Kind::Role))
        })
    }

    fn reason(&self, gate: &str) -> Option<String> {
        self.environments.closed_gates().into_iter().find(|(name, _)| name == gate)?.1
    }
}

async fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < deadline, "{what}");
        sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn waits_for_the_definitions_and_goes_on_by_itself_whenever_they_come_back() {
    let server = ApiServer::refusing(404);
    let following = Following::begin(&server.client(), &[]);
    assert_eq!(following.environments.closed_gates().len(), 8);
    wait_until("the gate says what is missing", || {
        following.reason("Role").is_some_and(|reason| {
            reason
                == "the CustomResourceDefinition roles.authz.bailiwick.dev is not installed, or does not serve v1alpha1; \
                    run `bailiwick crds | kubectl apply --server-side -f -`"
        })
    })
    .await;

    server.install(&[role("a", 1), role("b", 1)]);
    wait_until("every gate is open", || following.environments.is_synced()).await;
    assert_eq!(following.roles(), (2, 0));

    wait_until("the watch stands", || server.is_watched()).await;
    server.send(
        "MODIFIED",
        &json!({ "metadata": { "name": "a", "namespace": "team", "uid": "a", "resourceVersion": "2" }, "spec": [] }),
    );
    wait_until("an object that cannot be used grants nothing", || following.roles() == (2, 1)).await;
    server.send(
        "DELETED",
        &json!({ "metadata": { "name": "a", "namespace": "team", "uid": "a", "resourceVersion": "3" }, "spec": [] }),
    );
    wait_until("it can be deleted nevertheless", || following.roles() == (1, 0)).await;

    // As while the API server starts.
    let refusals = server.refusals.load(Ordering::Relaxed);
    server.uninstall("roles");
    wait_until("the watch is refused", || server.refusals.load(Ordering::Relaxed) > refusals).await;
    server.install(&[role("b", 1), role("c", 1)]);
    wait_until("what is there now counts", || following.roles() == (2, 0)).await;
}

#[tokio::test]
async fn objects_lose_effect_only_when_their_kind_is_not_served_for_long() {
    let environments = Arc::new(Environments::default());
    let client = ApiServer::refusing(404).client();
    let publisher = Arc::new(Publisher::new(&environments, &Arc::default()));
    let mut watch = Watch::new(&client, Kind::Role, None, &publisher, &Metrics::default());
    let role = serde_json::from_value(role("a", 1)).unwrap();
    watch.take([Told::Event(Event::Init), Told::Event(Event::InitApply(role)), Told::Listed(1)].map(Ok).into());
    let start = Instant::now();
    let mut fails_after = |seconds, code| {
        let status = kube::core::Status::failure("no", "").with_code(code).boxed();
        let mut update = Update::default();
        let failure = Failure::from(watcher::Error::WatchError(status));
        watch.fail(&failure, start + Duration::from_secs(seconds), &mut update);
        update.changes.len()
    };
    assert_eq!([0, 29].map(|second| fails_after(second, 404)), [0, 0]);
    // Something else begins it anew.
    assert_eq!([30, 31].map(|second| fails_after(second, 503)), [0, 0]);
    assert_eq!([32, 61, 62, 63].map(|second| fails_after(second, 404)), [0, 0, 1, 0]);
}

#[tokio::test]
async fn begins_anew_when_the_watch_fell_behind() {
    let server = ApiServer::refusing(404);
    server.install(&[role("a", 1), role("b", 1)]);
    let following = Following::begin(&server.client(), &[]);
    wait_until("the watch stands", || server.is_watched()).await;
    server.kinds.lock().get_mut("roles").unwrap().objects = vec![role("b", 1), role("c", 1), role("d", 1)];
    server.send(
        "ERROR",
        &json!({ "kind": "Status", "status": "Failure", "code": 410, "message": "too old", "reason": "Expired" }),
    );
    wait_until("the new list counts", || following.roles() == (3, 0)).await;
}

/// Time stands still but for those who sleep.
#[tokio::test(start_paused = true)]
async fn nothing_is_waited_for_between_the_objects_of_a_list() {
    let server = ApiServer::refusing(404);
    let roles: Vec<_> = (0..100).map(|number| role(&format!("role-{number}"), 1)).collect();
    server.install(&roles);
    // Between two ticks of the timer.
    tokio::time::advance(Duration::from_micros(300)).await;
    let began = Instant::now();
    let api = kube::Api::all_with(server.client(), &watch::resource(Kind::Role));
    let asking = Asking { max_silence: None, hurry: Arc::default() };
    let told: Vec<_> = events(api, asking).take(1 + roles.len() + 1).collect().await;
    assert!(matches!(told.last(), Some(Ok(Told::Listed(_)))), "{told:?}");
    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_ends_at_once_is_begun_again_ever_less_often() {
    let expired =
        json!({ "kind": "Status", "status": "Failure", "code": 410, "message": "too old", "reason": "Expired" });
    for words in [String::new(), format!("{}\n", json!({ "type": "ERROR", "object": expired }))] {
        let server = ApiServer::refusing(404);
        server.install(&[role("a", 1)]);
        *server.last_words.lock() = Some(words.clone());
        let api = kube::Api::all_with(server.client(), &watch::resource(Kind::Role));
        let asking = Asking { max_silence: None, hurry: Arc::default() };
        let minute = timeout(Duration::from_mins(1), events(api, asking).for_each(|_| async {}));
        assert!(minute.await.is_err(), "it goes on");
        let begun = server.begun.load(Ordering::Relaxed);
        assert!((4..20).contains(&begun), "{begun} times after saying {words:?}");
    }
}

#[tokio::test]
async fn a_list_that_is_older_than_what_was_told_changes_nothing() {
    let server = ApiServer::refusing(404);
    server.install(&[role("a", 1), role("b", 1)]);
    let following = Following::begin(&server.client(), &[]);
    wait_until("the watch stands", || server.is_watched()).await;
    server.behind.store(1, Ordering::Relaxed);
    server.kinds.lock().get_mut("roles").unwrap().objects = vec![role("a", 1)];
    let expired =
        json!({ "kind": "Status", "status": "Failure", "code": 410, "message": "too old", "reason": "Expired" });
    server.send("ERROR", &expired);
    wait_until("it is listed more than once", || server.listed_behind.load(Ordering::Relaxed) > 1).await;
    assert_eq!(following.roles(), (2, 0));
    server.behind.store(0, Ordering::Relaxed);
    wait_until("the newer list counts", || following.roles() == (1, 0)).await;
}

#[tokio::test]
async fn says_what_is_forbidden_for_each_namespace() {
    let following = Following::begin(&ApiServer::refusing(403).client(), &["x", "y", "x"]);
    assert_eq!(following.environments.closed_gates().len(), 16);
    wait_until("the gate says so", || {
        following.reason("Group in y").as_deref() == Some("forbidden: no; grant `list` and `watch` on it")
    })
    .await;
}

#[tokio::test]
async fn says_that_the_api_server_cannot_be_reached() {
    // Nothing listens on port 1.
    let config = Config::new("http://127.0.0.1:1".parse().unwrap());
    let following = Following::begin(&Client::try_from(config).unwrap(), &[]);
    wait_until("the gate says so", || {
        following.reason("Role").is_some_and(|reason| {
            reason.starts_with("the API server cannot be reached: ") && reason.contains("Connection refused")
        })
    })
    .await;
}
