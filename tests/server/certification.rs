//! The cases of the `OpenID` Foundation's certification, levels Basic and Batch.

use std::{env, fs, path::PathBuf};

use axum::{
    body::Body,
    http::{Request, header::CONTENT_TYPE},
};
use serde_json::Value;

use crate::support::{
    facts::{grant, organization, resource, role},
    router::TestServer,
};

#[tokio::test]
async fn the_core_cases_of_basic_and_batch_answer_as_expected() {
    let Some(suites) = env::var_os("BAILIWICK_SUITES").map(PathBuf::from) else {
        eprintln!(
            "NOT RUN: BAILIWICK_SUITES does not name the folder of the test suites, so no certification case ran"
        );
        return;
    };
    let cases = fs::read(suites.join("authzen/certification/cases.json")).expect("the suites hold the cases");
    let cases: Vec<Value> = serde_json::from_slice(&cases).expect("the cases are JSON");
    let server = TestServer::with([
        organization("org"),
        resource("record-1", "record", "org"),
        resource("record-2", "record", "org"),
        role("reader", "record", &["record:read"]),
        role("writer", "record", &["record:read", "record:write"]),
        grant("alice", "writer", "record-1"),
        grant("bob", "reader", "record-1"),
    ]);

    let mut ran = 0;
    for case in &cases {
        let id = case["id"].as_str().unwrap();
        if case["level"] != "core" || !(id.starts_with("c-2-") || id.starts_with("c-3-")) {
            continue;
        }
        for _ in 0..case["repeat"].as_u64().unwrap_or(1) {
            assert_case(&server, case).await;
        }
        ran += 1;
    }
    assert!(ran >= 26, "only {ran} cases of these levels were found");
}

async fn assert_case(server: &TestServer, case: &Value) {
    let mut request = Request::post(case["endpoint"].as_str().unwrap())
        .header(CONTENT_TYPE, case["content_type"].as_str().unwrap_or("application/json"));
    for (name, value) in case["headers"].as_object().into_iter().flatten() {
        request = request.header(name, value.as_str().unwrap());
    }
    let body = case["raw_body"].as_str().map_or_else(|| case["request"].to_string(), ToOwned::to_owned);
    let answer = server.api.send(request.body(Body::from(body)).unwrap()).await;

    assert_eq!(u64::from(answer.status.as_u16()), case["status"].as_u64().unwrap(), "{case}: {answer:?}");
    for (name, value) in case["expect_headers"].as_object().into_iter().flatten() {
        assert_eq!(answer.headers.get(name).unwrap(), value.as_str().unwrap(), "{case}");
    }
    if let Some(expected) = case.get("expect") {
        assert_contains(&answer.json(), expected, case);
    }
    if case["structure"].is_string() {
        let answer = answer.json();
        let evaluations = answer["evaluations"].as_array().unwrap();
        assert_eq!(evaluations.len(), 2, "{case}");
        assert!(evaluations.iter().all(|item| item["decision"].is_boolean()), "{case}: {answer}");
    }
}

/// An answer may say more than is expected, in objects; an array has exactly the elements that are expected.
fn assert_contains(answer: &Value, expected: &Value, case: &Value) {
    match (answer, expected) {
        (Value::Object(answer), Value::Object(expected)) => {
            for (name, expected) in expected {
                assert_contains(&answer[name], expected, case);
            }
        }
        (Value::Array(answer), Value::Array(expected)) => {
            assert_eq!(answer.len(), expected.len(), "{case}");
            for (answer, expected) in answer.iter().zip(expected) {
                assert_contains(answer, expected, case);
            }
        }
        _ => assert_eq!(answer, expected, "{case}"),
    }
}
