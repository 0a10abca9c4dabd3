//! Answers say which state they come from, and are never older than their request asks for.

use std::{
    collections::BTreeSet,
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use axum::{
    body::Body,
    http::{Request, StatusCode, header::CONTENT_TYPE},
};
use bailiwick::{
    graph::facts::Kind,
    server::{Config, Limits, Listeners, serve},
};
use futures::{FutureExt as _, stream};
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::support::{
    answer::Answer,
    bailiwick::Bailiwick,
    callers::{answering, bodiless, entry},
    facts::applied,
    http,
    router::{Client, TestServer, config},
    scripted::{ApiServer, ENVIRONMENT, Replica},
    wait,
};

const REVISION: &str = "bailiwick-revision";

/// What no test waits for that waits for anything.
const LONG: Duration = Duration::from_secs(30);

/// Short enough to wait for in vain.
const SHORT: Duration = Duration::from_millis(300);

fn patient(freshness_wait: Duration) -> Config {
    Config { limits: Limits { freshness_wait, ..Limits::default() }, ..config() }
}

/// An API server with an organization that nobody may edit yet.
fn world() -> Arc<ApiServer> {
    let api_server = ApiServer::new(1000, "a cluster");
    api_server.write(Kind::Resource, "acme", &json!({ "type": "organization" }));
    api_server.write(Kind::Role, "editor", &json!({ "permissions": ["organization:edit"] }));
    api_server
}

fn grant(api_server: &ApiServer) -> u64 {
    let spec = json!({ "membershipRef": { "name": "alice" }, "roleRef": { "name": "editor" }, "resourceRef": { "name": "acme" } });
    api_server.write(Kind::MembershipRoleAssignment, "alice", &spec)
}

async fn ready(replica: &Replica) {
    until("the replica is ready", async || replica.server.probes.get("/readyz").await.status == StatusCode::OK).await;
}

async fn until(what: &str, condition: impl AsyncFn() -> bool) {
    let deadline = Instant::now() + wait::PATIENCE;
    while !condition().await {
        assert!(Instant::now() < deadline, "waited until {what}");
        sleep(Duration::from_millis(5)).await;
    }
}

/// Whether Alice may edit acme, as of this.
fn request(at_least: &str) -> Request<Body> {
    let question = json!({
        "subject": {"type": "membership", "id": "alice"}, "action": {"name": "edit"}, "resource": {"type": "organization", "id": "acme"},
    });
    let request = Request::post("/access/v1/evaluation").header(CONTENT_TYPE, "application/json");
    let request = if at_least.is_empty() { request } else { request.header("Bailiwick-At-Least", at_least) };
    request.body(Body::from(question.to_string())).unwrap()
}

async fn ask(api: &Client, at_least: &str) -> Answer {
    api.send(request(at_least)).await
}

fn object(number: u64) -> String {
    json!({ "kind": "MembershipRoleAssignment", "resourceVersion": number.to_string() }).to_string()
}

#[tokio::test]
async fn every_answer_says_which_state_it_comes_from() {
    let api_server = world();
    grant(&api_server);
    let replica = Replica::begin(&api_server, config(), |cluster| cluster);
    let api = &replica.server.api;
    assert_eq!(ask(api, "").await.header(REVISION), "", "before anything is known there is no state");
    ready(&replica).await;

    let check = json!({ "membership": "alice", "permission": "organization:edit", "resource": { "name": "acme" } });
    let asked = json!({ "checks": [check] });
    let evaluations = json!({ "evaluations": [{
        "subject": {"type": "membership", "id": "alice"}, "action": {"name": "edit"}, "resource": {"type": "organization", "id": "acme"},
    }] });
    let first = ask(api, "").await;
    let token = first.header(REVISION).to_owned();
    assert!(token.starts_with("1."), "{first:?}");
    for answer in [
        api.post("/access/v1/evaluations", &evaluations).await,
        api.post("/environments/default/v1/check", &check).await,
        api.post("/environments/default/v1/checks", &asked).await,
        api.post("/environments/default/v1/explain", &check).await,
        api.get("/environments/default/v1/objects").await,
        api.get("/organizations").await,
        api.get("/environments/default/authorization/roles").await,
        api.post("/access/v1/evaluation", &json!({})).await,
        api.get("/nowhere").await,
    ] {
        assert_eq!(answer.header(REVISION), token, "{answer:?}");
    }
    assert_eq!(api.get("/environments/No/v1/objects").await.status, 400);

    api_server.write(Kind::Group, "engineers", &json!({ "organizationRef": { "name": "acme" } }));
    until("the state is another", async || ask(api, "").await.header(REVISION) != token).await;
    assert_eq!(ask(api, &token).await.ok()["decision"], true, "a newer state is as good");
}

#[tokio::test]
async fn a_request_waits_until_the_graph_is_as_fresh_as_it_asks_for() {
    let api_server = world();
    let replica = Replica::begin(&api_server, patient(LONG), |cluster| cluster);
    ready(&replica).await;
    until("every kind is watched", async || api_server.is_watched()).await;
    api_server.mute();
    let api = &replica.server.api;
    assert_eq!(ask(api, "").await.ok()["decision"], false);

    let granted = grant(&api_server);
    let wanted = object(granted);
    let mut waiting = std::pin::pin!(ask(api, &wanted));
    assert!(timeout(SHORT, &mut waiting).await.is_err(), "it is known up to before only");
    assert_eq!(ask(api, "").await.ok()["decision"], false, "who asks for nothing does not wait");
    api_server.unmute();
    let answer = timeout(LONG, waiting).await.expect("the watch goes on");
    assert_eq!(answer.ok()["decision"], true);
    for enough in [
        object(granted),
        object(granted - 1),
        format!("MembershipRoleAssignment/{granted}"),
        answer.header(REVISION).to_owned(),
    ] {
        let answer = ask(api, &enough).now_or_never();
        assert!(answer.is_none_or(|answer| answer.ok()["decision"] == true), "{enough}");
    }
}

#[tokio::test]
async fn what_does_not_come_in_time_is_a_503_that_says_what_is_missing_and_never_a_stale_answer() {
    let api_server = world();
    let replica = Replica::begin(&api_server, patient(SHORT), |cluster| cluster);
    ready(&replica).await;
    until("every kind is watched", async || api_server.is_watched()).await;
    api_server.mute();
    let granted = grant(&api_server);
    let answer = ask(&replica.server.api, &object(granted)).await;
    let message = answer.error(503, "not_fresh_enough");
    assert_eq!(answer.header("retry-after"), "1");
    assert!(message.contains(&format!("MembershipRoleAssignment is known up to {}", granted - 1)), "{message}");
    assert!(message.contains(&format!("asked for as of {granted}")), "{message}");

    let batch = Request::post("/environments/default/v1/checks").header("Bailiwick-At-Least", object(granted));
    let batch = batch.header(CONTENT_TYPE, "application/json").body(Body::from(r#"{"checks": []}"#)).unwrap();
    replica.server.api.send(batch).await.error(503, "not_fresh_enough");
    let metrics = replica.server.probes.get("/metrics").await.body;
    assert!(metrics.contains(r#"bailiwick_freshness_requests_total{outcome="late"} 2"#), "{metrics}");
}

#[tokio::test]
async fn a_kind_in_which_nothing_happens_is_known_to_be_fresh_as_well() {
    let api_server = world();
    let replica = Replica::begin(&api_server, patient(LONG), |cluster| cluster);
    ready(&replica).await;
    let now = api_server.advance();
    let all: Vec<_> =
        Kind::ALL.iter().map(|kind| json!({ "kind": kind.as_str(), "resourceVersion": now.to_string() })).collect();
    assert_eq!(ask(&replica.server.api, &json!(all).to_string()).await.ok()["decision"], false);
}

#[tokio::test]
async fn what_the_api_server_has_never_come_to_is_refused_at_once() {
    let api_server = world();
    let replica = Replica::begin(&api_server, patient(LONG), |cluster| cluster);
    ready(&replica).await;
    let answer = timeout(LONG / 2, ask(&replica.server.api, &object(5000))).await.expect("it does not wait");
    let message = answer.error(409, "ahead_of_source");
    assert!(message.contains("as of 5000, but the API server itself is only at 1002"), "{message}");
}

#[tokio::test]
async fn what_cannot_be_understood_is_refused_with_the_remedy() {
    let replica = Replica::begin(&world(), config(), |cluster| cluster);
    ready(&replica).await;
    for at_least in ["nonsense", "1.AAAA", "{}", "Rolle/12", "Role/x"] {
        let answer = ask(&replica.server.api, at_least).await;
        let message = answer.error(400, "invalid_at_least");
        assert!(
            message.starts_with("the header `Bailiwick-At-Least` ") && message.contains("send the value of"),
            "{message}"
        );
        assert_eq!(answer.json()["field"], "Bailiwick-At-Least");
    }
    let encoded = Request::get("/environments/d%65fault/v1/objects").header("Bailiwick-At-Least", "Role/1");
    replica.server.api.send(encoded.body(Body::empty()).unwrap()).await.error(400, "invalid_at_least");
}

#[tokio::test]
async fn a_token_counts_on_every_replica_of_its_history_and_on_no_other() {
    let api_server = world();
    grant(&api_server);
    let [one, other] = [0; 2].map(|_| Replica::begin(&api_server, patient(LONG), |cluster| cluster));
    ready(&one).await;
    ready(&other).await;
    let token = ask(&one.server.api, "").await.header(REVISION).to_owned();
    assert_eq!(ask(&other.server.api, &token).await.ok()["decision"], true);

    let elsewhere = ApiServer::new(1_000_000, "another cluster");
    let stranger = Replica::begin(&elsewhere, config(), |cluster| cluster);
    ready(&stranger).await;
    let message = ask(&stranger.server.api, &token).await.error(409, "other_history");
    assert!(message.contains("ask without it"), "{message}");
}

#[tokio::test]
async fn after_a_restore_nothing_of_before_counts() {
    let api_server = world();
    let replica = Replica::begin(&api_server, patient(LONG), |cluster| cluster);
    ready(&replica).await;
    grant(&api_server);
    let api = &replica.server.api;
    until("the grant is known", async || ask(api, "").await.ok()["decision"] == true).await;
    let token = ask(api, "").await.header(REVISION).to_owned();

    let acme = (Kind::Resource, "acme", json!({ "type": "organization" }));
    let role = (Kind::Role, "editor", json!({ "permissions": ["organization:edit"] }));
    api_server.restore(900, [acme, role]);
    until("what was restored is answered from", async || {
        let answer = ask(api, "").await;
        answer.status == StatusCode::OK && answer.json()["decision"] == false
    })
    .await;
    ask(api, &token).await.error(409, "other_history");
    // Also once the numbers have come as far as they were.
    for _ in 0..200 {
        api_server.advance();
    }
    let granted = grant(&api_server);
    assert_eq!(ask(api, &object(granted)).await.ok()["decision"], true);
    ask(api, &token).await.error(409, "other_history");
    let newcomer = Replica::begin(&api_server, config(), |cluster| cluster);
    ready(&newcomer).await;
    ask(&newcomer.server.api, &token).await.error(409, "other_history");
    let token = ask(api, "").await.header(REVISION).to_owned();
    assert_eq!(ask(&newcomer.server.api, &token).await.ok()["decision"], true);
}

#[tokio::test]
async fn after_a_restore_nobody_is_answered_before_the_history_has_another_name() {
    let api_server = world();
    grant(&api_server);
    let replica = Replica::begin(&api_server, config(), |cluster| cluster);
    ready(&replica).await;
    let (api, probes) = (&replica.server.api, &replica.server.probes);
    assert_eq!(ask(api, "").await.ok()["decision"], true);

    api_server.refuse_leases(true);
    let acme = (Kind::Resource, "acme", json!({ "type": "organization" }));
    api_server.restore(900, [acme]);
    let reason = "its history cannot be given another name: forbidden: no; grant `update` on it";
    until("it is told why", async || probes.get("/readyz").await.body.contains(reason)).await;
    ask(api, "").await.error(503, "not_ready");
    api_server.refuse_leases(false);
    ready(&replica).await;
    assert_eq!(ask(api, "").await.ok()["decision"], false);
}

/// What is refused before anybody looks at the body: the caller still sends it.
#[tokio::test]
async fn a_refusal_waits_for_the_body() {
    let replica = Replica::begin(&world(), patient(SHORT), |cluster| cluster);
    ready(&replica).await;
    for (at_least, status) in [("nonsense", 400), ("Role/5000", 409)] {
        let read = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&read);
        let pieces = (0..10).map(move |_| {
            count.fetch_add(1, Ordering::Relaxed);
            Ok::<_, std::io::Error>(" ")
        });
        let request = Request::post("/access/v1/evaluation").header("Bailiwick-At-Least", at_least);
        let request = request.header(CONTENT_TYPE, "application/json");
        let body = Body::from_stream(stream::iter(pieces));
        assert_eq!(replica.server.api.send(request.body(body).unwrap()).await.status, status);
        assert_eq!(read.load(Ordering::Relaxed), 10, "{at_least}");
    }
}

/// While the graph changes all the time, the header tells of the state that was answered from, as the body does.
#[tokio::test]
async fn header_and_body_tell_of_the_same_state() {
    let server = TestServer::with(super::world());
    server.environments.reach_everywhere(Kind::Role, 1);
    let (environments, end) = (Arc::clone(&server.environments), Arc::new(AtomicBool::new(false)));
    let ended = Arc::clone(&end);
    let changing = thread::spawn(move || {
        for number in 2.. {
            environments.reach_everywhere(Kind::Role, number);
            if ended.load(Ordering::Relaxed) {
                return number;
            }
        }
        unreachable!("there is always another number")
    });
    let evaluation = super::question("alice", "edit", "website");
    let (subject, action, resource) = (&evaluation["subject"], &evaluation["action"], &evaluation["resource"]);
    let mut seen = BTreeSet::new();
    for _ in 0..100 {
        for (path, question) in [
            ("/access/v1/evaluation", evaluation.clone()),
            ("/access/v1/evaluations", json!({ "evaluations": [evaluation] })),
            (
                "/access/v1/search/subject",
                json!({ "subject": { "type": "user" }, "action": action, "resource": resource }),
            ),
            (
                "/access/v1/search/resource",
                json!({ "subject": subject, "action": action, "resource": { "type": "project" } }),
            ),
            (
                "/access/v1/search/resource",
                json!({ "subject": { "type": "ship", "id": "x" }, "action": action, "resource": { "type": "project" } }),
            ),
            ("/access/v1/search/action", json!({ "subject": subject, "resource": resource })),
        ] {
            let answer = server.api.post(path, &question).await;
            let revision = answer.header(REVISION).to_owned();
            assert_eq!(answer.ok()["context"]["revision"], revision, "{path}");
            seen.insert(revision);
        }
    }
    end.store(true, Ordering::Relaxed);
    assert!(changing.join().unwrap() > 2 && seen.len() > 1, "nothing has changed meanwhile");
}

#[tokio::test]
async fn only_those_who_may_ask_an_environment_are_told_how_fresh_it_is() {
    let entries = [entry("shop", "secret", "{environments: [default], verbs: [search]}")];
    let server = TestServer::new(answering(&entries, None));
    server.environments.apply("default", &applied(super::world()));
    server.environments.reach_everywhere(Kind::Role, 1);
    let ask = async |path: &str, secret: Option<&str>, at_least: &str| {
        let mut request = bodiless("GET", path, secret);
        request.headers_mut().insert("host", "x".parse().unwrap());
        if !at_least.is_empty() {
            request.headers_mut().insert("bailiwick-at-least", at_least.parse().unwrap());
        }
        server.api.send(request).await
    };
    let objects = "/environments/default/v1/objects";
    assert!(ask(objects, Some("secret"), "").await.header(REVISION).starts_with("1."));
    ask(objects, Some("secret"), "nonsense").await.error(400, "invalid_at_least");
    for at_least in ["", "nonsense"] {
        for (path, secret, status) in [
            ("/.well-known/authzen-configuration/environments/default", None, 200),
            ("/.well-known/authzen-configuration", None, 200),
            (objects, None, 401),
            ("/organizations", Some("secret"), 403),
            ("/openapi.json", Some("secret"), 200),
            ("/nowhere", Some("secret"), 404),
        ] {
            let answer = ask(path, secret, at_least).await;
            assert_eq!((answer.status.as_u16(), answer.header(REVISION)), (status, ""), "{path}");
        }
    }
}

#[tokio::test]
async fn those_that_wait_hold_nobody_up() {
    let api_server = world();
    let limits = Limits { freshness_wait: LONG, freshness_waiters: 2, concurrent_requests: 1, ..Limits::default() };
    let replica = Replica::begin(&api_server, Config { limits, ..config() }, |cluster| cluster);
    ready(&replica).await;
    until("every kind is watched", async || api_server.is_watched()).await;
    api_server.mute();
    let wanted = object(grant(&api_server));
    let api = &replica.server.api;
    let mut waiting = [0; 2].map(|_| Box::pin(ask(api, &wanted)));
    for waiting in &mut waiting {
        assert!(waiting.now_or_never().is_none());
    }
    let answer = ask(api, &wanted).await;
    answer.error(503, "overloaded");
    assert_eq!(answer.header("retry-after"), "1");
    assert_eq!(ask(api, "").await.ok()["decision"], false);
    assert_eq!(ask(api, "Role/1").await.ok()["decision"], false, "nor those that ask for what is there");
}

#[tokio::test]
async fn a_replica_that_hears_nothing_says_so_and_is_not_ready() {
    let api_server = world();
    let replica = Replica::begin(&api_server, config(), |cluster| cluster.with_max_staleness(Duration::from_millis(1)));
    let probes = &replica.server.probes;
    until("it is not ready for that reason", async || {
        let answer = probes.get("/readyz").await;
        answer.status == StatusCode::SERVICE_UNAVAILABLE && answer.body.contains("longer than --max-staleness")
    })
    .await;
    let api = &replica.server.api;
    until("its answers say so", async || {
        let answer = ask(api, "").await;
        answer.status == StatusCode::OK
            && answer.header("bailiwick-stale").parse::<u64>().is_ok_and(|seconds| seconds > 0)
    })
    .await;
    let body: Value = serde_json::from_str(&probes.get("/readyz").await.body).unwrap();
    assert!(body["missing"].as_array().unwrap().iter().any(|missing| missing["gate"] == "Role"), "{body}");
}

#[tokio::test]
async fn it_is_the_same_over_a_socket() {
    let api_server = world();
    grant(&api_server);
    let replica = Replica::begin(&api_server, patient(SHORT), |cluster| cluster);
    ready(&replica).await;
    let [api, probes] =
        [TcpListener::bind("127.0.0.1:0").await.unwrap(), TcpListener::bind("127.0.0.1:0").await.unwrap()];
    let address = api.local_addr().unwrap();
    let shutdown = CancellationToken::new();
    let _ended_with_the_test = shutdown.clone().drop_guard();
    let listeners = Listeners { api, api_tls: None, probes, admission: None, access_reviews: None };
    tokio::spawn(serve(Arc::clone(&replica.server.server), listeners, shutdown.cancelled_owned()));

    let client = http::client().build().unwrap();
    let question = json!({
        "subject": {"type": "membership", "id": "alice"}, "action": {"name": "edit"}, "resource": {"type": "organization", "id": "acme"},
    });
    for path in ["/access/v1/evaluation", "/environments/default/access/v1/evaluation"] {
        let ask = async |at_least: &str| {
            let request = client.post(format!("http://{address}{path}")).json(&question);
            request.header("Bailiwick-At-Least", at_least).send().await.unwrap()
        };
        let answer = ask("Role/1").await;
        assert_eq!(answer.status(), StatusCode::OK);
        let token = answer.headers()[REVISION].to_str().unwrap().to_owned();
        assert_eq!(token, self::ask(&replica.server.api, "").await.header(REVISION));
        assert_eq!(ask(&token).await.status(), StatusCode::OK);
        assert_eq!(ask("Role/x").await.status(), StatusCode::BAD_REQUEST);
        assert_eq!(ask("Role/5000").await.status(), StatusCode::CONFLICT);
    }
}

#[test]
fn a_folder_has_revisions_of_its_own_which_end_with_the_process() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("acme.yaml"),
        "{apiVersion: authz.bailiwick.dev/v1alpha1, kind: Resource, metadata: {name: acme}, spec: {type: organization}}",
    )
    .unwrap();
    let arguments = ["serve", "--manifests", folder.path().to_str().unwrap()];
    let served = Bailiwick::start_ready(&arguments);
    let ask = |served: &Bailiwick, at_least: &str| {
        let url = format!("http://{}/environments/{ENVIRONMENT}/v1/objects", served.api);
        http::send(|client| client.get(url).header("Bailiwick-At-Least", at_least)).unwrap()
    };
    let before = served.get("/organizations").header(REVISION).to_owned();
    assert_eq!(ask(&served, &before).status, StatusCode::OK);

    // A write is answered with a state that has it.
    let created = http::send(|client| {
        client.post(format!("http://{}/organizations", served.api)).json(&json!({ "name": "Globex" }))
    })
    .unwrap();
    let written = created.header(REVISION).to_owned();
    assert!(created.status.is_success() && written != before, "{created:?}");
    assert_eq!(served.get("/organizations").header(REVISION), written);
    let url = format!("http://{}/organizations/{}", served.api, created.json()["id"].as_str().unwrap());
    let deleted = http::send(|client| client.delete(url)).unwrap();
    assert!(deleted.status.is_success() && deleted.header(REVISION) != written, "{deleted:?}");
    assert_eq!(ask(&served, deleted.header(REVISION)).status, StatusCode::OK);

    let message = ask(&served, "Resource/1").error(400, "invalid_at_least");
    assert!(message.contains("files, which have none"), "{message}");
    drop(served);
    ask(&Bailiwick::start_ready(&arguments), &written).error(409, "other_history");
}
