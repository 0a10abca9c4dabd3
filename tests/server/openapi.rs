//! The description of the API is true, and complete.

use std::collections::BTreeSet;

use axum::{
    body::Body,
    http::{Request, header::CONTENT_TYPE},
};
use serde_json::Value;

use crate::support::router::{TestServer, config};

async fn document(server: &TestServer) -> Value {
    server.api.get("/openapi.json").await.ok()
}

fn operations(document: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    document["paths"].as_object().unwrap().iter().flat_map(|(path, item)| {
        item.as_object().unwrap().iter().map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
    })
}

#[tokio::test]
async fn describes_every_route_and_no_other() {
    let server = TestServer::new(config());
    let document = document(&server).await;
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"), "{}", document["openapi"]);
    let described: BTreeSet<_> = operations(&document).map(|(path, method, _)| (method, path)).collect();
    assert_eq!(
        described,
        BTreeSet::from([
            ("post", "/access/v1/evaluation"),
            ("post", "/access/v1/evaluations"),
            ("post", "/environments/{namespace}/access/v1/evaluation"),
            ("post", "/environments/{namespace}/access/v1/evaluations"),
            ("post", "/access/v1/search/subject"),
            ("post", "/access/v1/search/resource"),
            ("post", "/access/v1/search/action"),
            ("post", "/environments/{namespace}/access/v1/search/subject"),
            ("post", "/environments/{namespace}/access/v1/search/resource"),
            ("post", "/environments/{namespace}/access/v1/search/action"),
            ("get", "/.well-known/authzen-configuration"),
            ("get", "/.well-known/authzen-configuration/environments/{namespace}"),
            ("post", "/environments/{namespace}/v1/check"),
            ("post", "/environments/{namespace}/v1/checks"),
            ("post", "/environments/{namespace}/v1/explain"),
            ("get", "/environments/{namespace}/v1/permissions"),
            ("get", "/environments/{namespace}/v1/resources"),
            ("get", "/environments/{namespace}/v1/memberships"),
            ("get", "/environments/{namespace}/v1/assignments"),
            ("get", "/environments/{namespace}/v1/objects"),
        ])
    );
    for (method, path) in described {
        // Wrong everywhere, and so a 400 wherever there is a route.
        let request = Request::builder()
            .method(method.to_uppercase().as_str())
            .uri(path.replace("{namespace}", "default") + "?nonsense=1")
            .header(CONTENT_TYPE, "application/json")
            .body(Body::from("{"))
            .unwrap();
        let answer = server.api.send(request).await;
        assert_eq!(answer.status, 400, "{method} {path}: {answer:?}");
    }
}

#[tokio::test]
async fn every_operation_says_what_it_takes_and_how_it_fails() {
    let server = TestServer::new(config());
    let document = document(&server).await;
    let mut ids = BTreeSet::new();
    for (path, method, operation) in operations(&document) {
        assert!(ids.insert(operation["operationId"].as_str().unwrap()), "{path}: the operation's id is another's too");
        assert!(!operation["summary"].as_str().unwrap().is_empty(), "{path}");
        assert_eq!(operation["requestBody"].is_object(), method == "post", "{path}");
        let responses = operation["responses"].as_object().unwrap();
        for status in ["200", "400", "404", "408", "413", "500", "503"] {
            let content = &responses[status]["content"]["application/json"];
            assert!(content["schema"].is_object(), "{path}: {status} has no schema");
        }
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        assert_eq!(
            parameters.iter().any(|parameter| parameter["name"] == "namespace" && parameter["in"] == "path"),
            path.contains("{namespace}"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn every_reference_leads_somewhere() {
    let server = TestServer::new(config());
    let document = document(&server).await;
    let mut references = BTreeSet::new();
    collect_references(&document, &mut references);
    assert!(!references.is_empty());
    for reference in references {
        let pointer = reference.strip_prefix('#').expect("a reference within the document");
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
}

#[tokio::test]
async fn the_manual_names_every_route() {
    let manual = include_str!("../../docs/http-api.md");
    let server = TestServer::new(config());
    for (path, ..) in operations(&document(&server).await) {
        let short = path.trim_start_matches("/environments/{namespace}");
        assert!(manual.contains(short), "docs/http-api.md does not name {short}");
    }
}

fn collect_references<'a>(value: &'a Value, references: &mut BTreeSet<&'a str>) {
    match value {
        Value::Object(members) => {
            references.extend(members.get("$ref").and_then(Value::as_str));
            members.values().for_each(|member| collect_references(member, references));
        }
        Value::Array(elements) => elements.iter().for_each(|element| collect_references(element, references)),
        _ => {}
    }
}
