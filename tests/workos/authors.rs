//! What is written says who wrote it, and nobody gets the answers of another.

use axum::{
    body::Body,
    http::{Request, header::CONTENT_TYPE},
};
use serde_json::{Value, json};

use super::expect::created;
use crate::support::{
    answer::Answer,
    callers::{answering, entry, with_secret},
    workos::World,
};

const ANNOTATION: &str = "authz.bailiwick.dev/last-written-by";

fn world() -> World {
    let writer = |name| entry(name, name, "{environments: [default], verbs: [read, write]}");
    World::with_config(&[], answering(&["ann", "ben"].map(writer), None))
}

async fn send(world: &World, request: (&str, &str), caller: &str, key: Option<&str>, body: &Value) -> Answer {
    let (method, path) = request;
    let mut request = with_secret(Request::builder().method(method).uri(path), Some(caller));
    if let Some(key) = key {
        request = request.header("Idempotency-Key", key);
    }
    let request = request.header(CONTENT_TYPE, "application/json").body(Body::from(body.to_string()));
    world.client().send(request.unwrap()).await
}

/// What the manifest of an object says of its author.
fn author(world: &World, kind: &str, name: &str) -> Value {
    let manifests = world.files().into_iter().map(|file| serde_saphyr::from_str::<Value>(&world.read(&file)).unwrap());
    let mut found = manifests.filter(|manifest| manifest["kind"] == kind && manifest["metadata"]["name"] == name);
    let manifest = found.next().expect("its manifest");
    manifest["metadata"]["annotations"][ANNOTATION].clone()
}

#[tokio::test]
async fn an_object_names_who_wrote_it_last() {
    let world = world();
    let acme = created(&send(&world, ("POST", "/organizations"), "ann", None, &json!({"name": "Acme"})).await);
    assert_eq!(author(&world, "Resource", "acme"), "ann");
    let path = format!("/organizations/{}", acme["id"].as_str().unwrap());
    send(&world, ("PUT", &path), "ben", None, &json!({"name": "Acme"})).await.ok();
    assert_eq!(author(&world, "Resource", "acme"), "ann", "nothing was changed");
    send(&world, ("PUT", &path), "ben", None, &json!({"name": "Acme Inc."})).await.ok();
    assert_eq!(author(&world, "Resource", "acme"), "ben");
}

#[tokio::test]
async fn an_idempotency_key_belongs_to_its_caller() {
    let world = world();
    let post =
        async |caller, name| send(&world, ("POST", "/organizations"), caller, Some("k"), &json!({"name": name})).await;
    let of_ann = post("ann", "Acme").await;
    let of_ben = post("ben", "Acme").await;
    assert_eq!(of_ben.header("idempotent-replayed"), "");
    assert_ne!(created(&of_ben)["id"], created(&of_ann)["id"]);
    // What a key was sent with before is nothing to others either.
    assert_eq!(post("ann", "Globex").await.status, 422);
    assert_eq!(post("ann", "Acme").await.header("idempotent-replayed"), "true");
    assert_eq!(author(&world, "Resource", "acme"), "ann");
}
