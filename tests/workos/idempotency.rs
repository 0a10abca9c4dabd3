//! Requests that are repeated with an `Idempotency-Key` (rule 72).

use axum::{
    body::Body,
    http::{Method, Request, header::CONTENT_TYPE},
};
use serde_json::{Value, json};

use super::{
    expect::{coded, created, invalid, refused},
    requests::{column, membership},
};
use crate::support::{answer::Answer, workos::World};

const ACME: &str =
    "{apiVersion: authz.bailiwick.dev/v1alpha1, kind: Resource, metadata: {name: acme}, spec: {type: organization}}";

async fn send(world: &World, method: Method, path: &str, key: &str, body: &Value) -> Answer {
    let request = Request::builder().method(method).uri(path);
    let request = request.header(CONTENT_TYPE, "application/json").header("Idempotency-Key", key);
    world.client().send(request.body(Body::from(body.to_string())).unwrap()).await
}

async fn post(world: &World, path: &str, key: &str, body: &Value) -> Answer {
    send(world, Method::POST, path, key, body).await
}

#[tokio::test]
async fn rule_72_what_is_repeated_is_done_but_once() {
    let world = World::new("");
    let body = json!({"name": "Acme"});
    let first = post(&world, "/organizations", "k1", &body).await;
    let acme = created(&first);
    assert_eq!(first.header("idempotent-replayed"), "");
    for _ in 0..2 {
        let again = post(&world, "/organizations", "k1", &body).await;
        assert_eq!(created(&again), acme);
        assert_eq!(again.header("idempotent-replayed"), "true");
        assert_eq!(again.header("content-type"), "application/json");
        assert_ne!(again.header("x-request-id"), first.header("x-request-id"), "it is another request all the same");
    }
    let other = created(&post(&world, "/organizations", "k2", &body).await);
    assert_ne!(other["id"], acme["id"]);
    created(&world.post("/organizations", &body).await);
    assert_eq!(column(&world.get("/organizations").await.ok(), "/name").len(), 3);
}

#[tokio::test]
async fn rule_72_what_is_repeated_while_it_is_done_gets_the_same_answer() {
    let world = World::new(ACME);
    let body = json!({"name": "Engineers"});
    let requests = (0..8).map(|_| post(&world, "/organizations/acme/groups", "k", &body));
    let answers = futures::future::join_all(requests).await;
    for answer in &answers {
        assert_eq!(created(answer), answers[0].json());
    }
    let replayed = answers.iter().filter(|answer| answer.header("idempotent-replayed") == "true").count();
    assert_eq!(replayed, 7);
    assert_eq!(column(&world.get("/organizations/acme/groups").await.ok(), "/name"), ["Engineers"]);
}

#[tokio::test]
async fn a_request_that_its_caller_gave_up_is_done_and_its_answer_kept() {
    let world = World::new(ACME);
    let body = json!({"name": "Engineers"});
    {
        let given_up = post(&world, "/organizations/acme/groups", "k", &body);
        // It is begun, and dropped before it ends.
        assert!(futures::poll!(std::pin::pin!(given_up)).is_pending());
    }
    let again = post(&world, "/organizations/acme/groups", "k", &body).await;
    created(&again);
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(column(&world.get("/organizations/acme/groups").await.ok(), "/name"), ["Engineers"]);
}

#[tokio::test]
async fn a_key_belongs_to_one_request_of_one_environment() {
    let world = World::new(ACME);
    created(&post(&world, "/organizations/acme/groups", "k", &json!({"name": "Engineers"})).await);
    let reused = coded(
        "idempotency_key_reused",
        "The Idempotency-Key was sent with another path or another body before: send a new one with a new request.",
    );
    refused(&post(&world, "/organizations/acme/groups", "k", &json!({"name": "Staff"})).await, 422, &reused);
    refused(&post(&world, "/organizations", "k", &json!({"name": "Engineers"})).await, 422, &reused);
    created(&post(&world, "/environments/other/organizations", "k", &json!({"name": "Engineers"})).await);

    let sentence = "Idempotency-Key must be 1 to 255 printable ASCII characters";
    for key in [String::new(), "k".repeat(256), "é".to_owned()] {
        refused(
            &post(&world, "/organizations", &key, &json!({"name": "x"})).await,
            422,
            &invalid("Idempotency-Key", sentence),
        );
    }
    created(&post(&world, "/organizations", &"k".repeat(255), &json!({"name": "x"})).await);
}

#[tokio::test]
async fn refusals_are_remembered_and_failures_are_not() {
    let world = World::new(ACME);
    let group = json!({"name": "Engineers"});
    post(&world, "/organizations/globex/groups", "k1", &group).await.error(404, "entity_not_found");
    created(&world.post("/organizations", &json!({"name": "Globex"})).await);
    let again = post(&world, "/organizations/globex/groups", "k1", &group).await;
    again.error(404, "entity_not_found");
    assert_eq!(again.header("idempotent-replayed"), "true");
    created(&post(&world, "/organizations/globex/groups", "k2", &group).await);
}

#[tokio::test]
async fn only_what_writes_is_remembered() {
    let world = World::new(ACME);
    let alice = membership(&world, "acme", "alice").await;
    let path = format!("/user_management/organization_memberships/{}", alice["id"].as_str().unwrap());
    for (verb, status) in [("deactivate", "inactive"), ("reactivate", "active"), ("deactivate", "inactive")] {
        let answer = send(&world, Method::PUT, &format!("{path}/{verb}"), "k", &json!({})).await;
        assert_eq!(answer.ok()["status"], status);
    }
    let question = json!({"subject": {"type": "user", "id": "alice"}, "action": {"name": "x"}, "resource": {"type": "organization", "id": "acme"}});
    for _ in 0..2 {
        let answer = post(&world, "/access/v1/evaluation", "k", &question).await;
        answer.ok();
        assert_eq!(answer.header("idempotent-replayed"), "");
    }
}
