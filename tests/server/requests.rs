//! What holds for every request, whatever it asks.

use std::{
    collections::BTreeSet,
    future::poll_fn,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
    time::Duration,
};

use axum::{
    body::{Body, Bytes},
    http::{
        Method, Request, StatusCode,
        header::{CONTENT_TYPE, RETRY_AFTER},
    },
};
use bailiwick::server::Limits;
use futures::stream;
use serde_json::json;

use super::{question, world};
use crate::support::router::{TestServer, config};

const EVALUATION: &str = "/access/v1/evaluation";

#[tokio::test]
async fn a_request_id_comes_back_whatever_the_answer() {
    let server = TestServer::with(world());
    let question = question("alice", "edit", "website");
    for (method, path, body, status) in [
        (Method::POST, EVALUATION, question.to_string(), 200),
        (Method::POST, EVALUATION, "{".to_owned(), 400),
        (Method::GET, EVALUATION, String::new(), 405),
        (Method::GET, "/nowhere", String::new(), 404),
    ] {
        let with_id = |id: &str| {
            Request::builder()
                .method(&method)
                .uri(path)
                .header(CONTENT_TYPE, "application/json")
                .header("X-Request-ID", id)
                .body(Body::from(body.clone()))
                .unwrap()
        };
        let answer = server.api.send(with_id("bfe9eb29-ab87")).await;
        assert_eq!(answer.status.as_u16(), status);
        assert_eq!(answer.headers.get("x-request-id").unwrap(), "bfe9eb29-ab87");

        let answer = server.api.send(with_id(&"x".repeat(1025))).await;
        assert_eq!(answer.headers.get("x-request-id"), None, "an identifier that is too long does not come back");
    }
    let answer = server.api.get("/nowhere").await;
    assert_eq!(answer.headers.get("x-request-id"), None, "none is made up");
}

#[tokio::test]
async fn what_is_not_there_is_said_in_json() {
    let server = TestServer::with(world());
    let message = server.api.get("/nowhere").await.error(404, "no_such_route");
    assert!(message.contains("/openapi.json"), "{message}");
    let answer = server.api.get(EVALUATION).await;
    answer.error(405, "method_not_allowed");
    assert_eq!(answer.headers.get("allow").unwrap(), "POST");
    server.probes.get("/nowhere").await.error(404, "no_such_route");
}

#[tokio::test]
async fn nothing_is_answered_before_every_source_has_delivered() {
    let server = TestServer::new(config());
    server.environments.close_gate("list of Role");
    server.environments.close_gate("list of Group");
    for path in [EVALUATION, "/access/v1/evaluations", "/environments/e/v1/check", "/environments/e/v1/explain"] {
        let answer = server.api.post(path, &json!({})).await;
        let message = answer.error(503, "not_ready");
        assert!(message.contains("list of Role") && message.contains("list of Group"), "{message}");
        assert_eq!(answer.headers.get(RETRY_AFTER).unwrap(), "1");
    }
    for list in ["permissions", "resources", "memberships", "assignments", "objects"] {
        server.api.get(&format!("/environments/e/v1/{list}")).await.error(503, "not_ready");
    }
    server.environments.open_gate("list of Role");
    server.environments.open_gate("list of Group");
    server.api.post(EVALUATION, &json!({})).await.error(400, "invalid_field");
}

#[tokio::test]
async fn an_environment_that_nothing_was_said_of_is_empty() {
    let server = TestServer::with(world());
    let objects = server.api.get("/environments/unheard-of/v1/objects").await.ok();
    assert_eq!(objects, json!({"items": [], "nextCursor": null}));
    assert_eq!(server.environments.names().len(), 1, "asking does not make an environment");
}

#[tokio::test]
async fn a_namespace_must_be_one() {
    let server = TestServer::with(world());
    for namespace in ["Default", "-a", "a-", "a.b", "a%2Fb", "%20", "%C3%A9", &"x".repeat(64)] {
        let answer = server.api.get(&format!("/environments/{namespace}/v1/objects")).await;
        answer.error(400, "invalid_field");
        assert_eq!(answer.json()["field"], "namespace");
    }
    server.api.get("/environments/%FF/v1/objects").await.error(400, "malformed_request");
    server.api.get("/environments/d%65fault/v1/objects").await.ok();
}

#[tokio::test]
async fn an_environment_that_is_not_served_is_a_404() {
    let mut config = config();
    config.served_environments = Some(BTreeSet::from(["team-a".to_owned()]));
    let server = TestServer::new(config);
    server.api.get("/environments/team-a/v1/objects").await.ok();
    let message = server.api.get("/environments/team-b/v1/objects").await.error(404, "environment_not_served");
    assert!(message.contains("`team-b`"), "{message}");
    // Nor is the default environment, unless it is among those that are.
    server.api.post(EVALUATION, &json!({})).await.error(404, "environment_not_served");
}

#[tokio::test]
async fn a_body_over_the_limit_is_a_413() {
    let server = TestServer::with(world());
    let limit = Limits::default().body;
    assert_eq!(limit, 8 * 1024 * 1024);
    let body = |size: usize| Bytes::from(format!("{{{}}}", " ".repeat(size - 2)));
    server.api.post_raw(EVALUATION, body(limit)).await.error(400, "invalid_field");
    let message = server.api.post_raw(EVALUATION, body(limit + 1)).await.error(413, "body_too_large");
    assert!(message.contains("8388608"), "{message}");

    let chunks = (0..=limit / 65_536).map(|_| Ok::<_, std::io::Error>(Bytes::from(vec![b' '; 65_536])));
    server.api.post_raw(EVALUATION, Body::from_stream(stream::iter(chunks))).await.error(413, "body_too_large");
}

#[tokio::test]
async fn an_answer_that_needs_no_body_waits_for_it() {
    let server = TestServer::with(world());
    let limit = Limits::default().body;
    // The connection would be closed otherwise, while the caller still sends.
    for size in [1, limit, 4 * limit] {
        let read = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&read);
        let piece = size.min(65_536);
        let pieces = (0..size / piece).map(move |_| {
            count.fetch_add(piece, Ordering::Relaxed);
            Ok::<_, std::io::Error>(Bytes::from(vec![b' '; piece]))
        });
        server.api.post_raw("/nowhere", Body::from_stream(stream::iter(pieces))).await.error(404, "no_such_route");
        let read = read.load(Ordering::Relaxed);
        assert!(read == size || (limit..2 * limit).contains(&read), "{read} of {size} bytes were read");
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_is_a_400() {
    let server = TestServer::with(world());
    let chunks = [Ok(Bytes::from("{")), Err(std::io::Error::other("gone"))];
    server.api.post_raw(EVALUATION, Body::from_stream(stream::iter(chunks))).await.error(400, "unreadable_body");
}

#[tokio::test]
async fn a_body_that_does_not_come_is_a_408() {
    let mut config = config();
    config.limits.request_time = Duration::from_millis(1);
    let server = TestServer::new(config);
    let never = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
    server.api.post_raw(EVALUATION, never).await.error(408, "timeout");
}

#[tokio::test]
async fn a_request_too_many_is_turned_away() {
    let mut config = config();
    config.limits.concurrent_requests = 1;
    let server = TestServer::new(config);
    {
        let never = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
        let mut under_way = pin!(server.api.post_raw(EVALUATION, never));
        poll_fn(|context| {
            assert!(under_way.as_mut().poll(context).is_pending());
            Poll::Ready(())
        })
        .await;
        let answer = server.api.get("/environments/e/v1/objects").await;
        answer.error(503, "overloaded");
        assert_eq!(answer.headers.get(RETRY_AFTER).unwrap(), "1");
        assert_eq!(server.probes.get("/livez").await.status, StatusCode::OK, "the probes are not limited");
    }
    server.api.get("/environments/e/v1/objects").await.ok();
}
