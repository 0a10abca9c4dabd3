//! Names that nobody has: whatever stands where a name may stand is answered, and is no fault of the server.

use std::collections::BTreeSet;

use axum::{
    body::Body,
    http::{Method, Request, StatusCode, header::CONTENT_TYPE},
};
use regex::Regex;
use serde_json::{Value, json};

use crate::support::{answer::Answer, router::Client, workos::World};

/// Texts that are hard on whoever takes them for names.
fn texts() -> Vec<String> {
    let mut texts: Vec<String> = [
        "",
        " ",
        ".",
        "..",
        "../../etc/passwd",
        "a/b",
        "a?b=c",
        "a#b",
        "a%b",
        "%00",
        "\0",
        "\u{1}\u{7f}\r\n\t",
        "\u{feff}x",
        "\u{202e}olleh",
        "e\u{301}",
        "\u{10ffff}",
        "🦀",
        "İ",
        "'; DROP TABLE roles; --",
        "<script>",
        "${jndi:ldap://x}",
        "{}",
        "null",
        "-1",
        "9999999999999999999999",
        "org_01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "org_",
        "ORG_01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "external_id:",
    ]
    .map(str::to_owned)
    .into();
    texts.push("x".repeat(1024));
    texts.push("x".repeat(1025));
    // As long as the head of a request lets it be.
    texts.push("é".repeat(9_000));
    texts
}

/// As it stands in a path or a query string.
fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |text, byte| text + &format!("%{byte:02X}"))
}

/// Every path that the router has.
fn paths(client: &Client) -> BTreeSet<String> {
    // A router tells its paths by no other means.
    let router = format!("{:?}", client.0);
    let path = Regex::new(r#""(/[a-z_.{][^"]*)""#).unwrap();
    path.captures_iter(&router).map(|path| path[1].to_owned()).collect()
}

async fn send(client: &Client, method: &Method, path: &str, body: Option<&Value>) -> Answer {
    let request = Request::builder().method(method).uri(path).header("host", "localhost");
    let request = request.header(CONTENT_TYPE, "application/json");
    let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
    client.send(request.body(body).unwrap_or_else(|error| panic!("{path}: {error}"))).await
}

fn is_no_fault(answer: &Answer) -> bool {
    // What is not kept here says so.
    !answer.status.is_server_error() || answer.status == StatusCode::NOT_IMPLEMENTED
}

const RARER: [Method; 3] = [Method::PUT, Method::PATCH, Method::DELETE];

#[tokio::test]
async fn in_paths() {
    let world = World::new("");
    let client = world.client();
    let parameter = Regex::new(r"\{[^}]+\}").unwrap();
    let paths = paths(client);
    assert!(paths.len() > 60 && paths.iter().any(|path| path.contains("{namespace}")), "{paths:#?}");
    // What is no UTF-8 once it is decoded, and percent signs that decode nothing.
    let odd = ["%ff", "%", "%zz", "%E2%82", "%C0%AF"].map(str::to_owned);
    let texts: Vec<String> =
        texts().iter().map(|text| encoded(text)).chain(odd).filter(|text| !text.is_empty()).collect();
    for path in &paths {
        for (i, place) in parameter.find_iter(path).enumerate() {
            for (j, text) in texts.iter().enumerate() {
                // The others are names that there might be.
                let mut others = 0;
                let asked = parameter.replace_all(path, |_: &regex::Captures<'_>| {
                    others += 1;
                    if others == i + 1 { text.clone() } else { "default".to_owned() }
                });
                // The rarer methods in turn.
                for method in [Method::GET, Method::POST, RARER[j % RARER.len()].clone()] {
                    let answer = send(client, &method, &asked, Some(&json!({}))).await;
                    assert!(is_no_fault(&answer), "{method} {path} with {} = {text:.80}: {answer:?}", place.as_str());
                }
            }
        }
    }
}

#[tokio::test]
async fn in_query_strings() {
    let world = World::new("");
    let client = world.client();
    let names = [
        "limit",
        "cursor",
        "before",
        "after",
        "order",
        "organization_id",
        "user_id",
        "statuses",
        "search",
        "membership",
        "user",
        "resource",
        "resourceType",
        "permission",
        "kind",
        "parent_resource_id",
        "resource_type_slug",
        "permission_slug",
    ];
    let parameter = Regex::new(r"\{[^}]+\}").unwrap();
    for path in paths(client).iter().filter(|path| !path.contains("{*")) {
        let path = parameter.replace_all(path, "default").into_owned();
        // Another quarter of the texts for each path.
        for (i, text) in texts().iter().enumerate().filter(|(i, _)| (i + path.len()).is_multiple_of(4)) {
            let query: Vec<String> = names.iter().map(|name| format!("{name}={}", encoded(text))).collect();
            // Each by itself in some places, and all of them everywhere.
            let one = &query[(i + path.len()) % query.len()];
            for query in [one, &query.join("&")].into_iter().filter(|query| query.len() < 60_000) {
                let answer = send(client, &Method::GET, &format!("{path}?{query}"), None).await;
                assert!(is_no_fault(&answer), "{path}?{query:.80}: {answer:?}");
            }
        }
    }
}

#[tokio::test]
async fn in_bodies() {
    let world = World::new("");
    let client = world.client();
    let mut texts = texts();
    texts.push("x".repeat(1 << 20));
    for text in texts {
        let asked = json!({
            "subject": {"type": "user", "id": text},
            "action": {"name": text},
            "resource": {"type": text, "id": text, "properties": {"organization": text}},
            "page": {"token": text},
        });
        let batch = json!({"evaluations": [asked]});
        let check = json!({"user": text, "permission": text, "resource": {"type": text, "id": text}});
        let batch_of_checks = json!({"checks": [check]});
        let organization = json!({"name": text, "external_id": text, "metadata": {"x": text}});
        let resource = json!({
            "external_id": text, "name": text, "resource_type_slug": text, "organization_id": text, "description": text
        });
        for (path, body) in [
            ("/access/v1/evaluation", &asked),
            ("/access/v1/evaluations", &batch),
            ("/access/v1/search/subject", &asked),
            ("/access/v1/search/resource", &asked),
            ("/access/v1/search/action", &asked),
            ("/environments/default/v1/check", &check),
            ("/environments/default/v1/checks", &batch_of_checks),
            ("/environments/default/v1/explain", &check),
            ("/organizations", &organization),
            ("/authorization/resources", &resource),
        ] {
            let answer = send(client, &Method::POST, path, Some(body)).await;
            assert!(is_no_fault(&answer), "{path} {text:.80}: {answer:?}");
            // What an error repeats of a long text does not grow with it.
            let repeated = answer.body.len();
            let is_short = !answer.status.is_client_error() || repeated < 4096;
            assert!(is_short, "{path}: {repeated} bytes of {}", text.len());
        }
    }
}

/// However deep a body is nested, and wherever.
#[tokio::test]
async fn nesting_is_bounded() {
    let world = World::new("");
    let client = world.client();
    for depth in [100, 200, 100_000, 1_000_000] {
        let (open, close) = ("[".repeat(depth), "]".repeat(depth));
        let objects = format!("{}1{}", r#"{"a":"#.repeat(depth), "}".repeat(depth));
        for value in [format!("{open}{close}"), objects] {
            for path in [
                "/access/v1/evaluation",
                "/access/v1/search/subject",
                "/environments/default/v1/check",
                "/organizations",
            ] {
                for body in [
                    value.clone(),
                    format!(r#"{{"context": {value}}}"#),
                    format!(r#"{{"subject": {{"properties": {{"x": {value}}}}}}}"#),
                ] {
                    let answer = client.post_raw(path, body).await;
                    assert!(answer.status.is_client_error(), "{path} {depth}: {answer:?}");
                }
            }
        }
    }
}
