//! What answers are expected to be.

use axum::http::Method;
use serde_json::{Value, json};

use crate::support::{answer::Answer, workos::World};

/// The body of a 201.
#[track_caller]
pub fn created(answer: &Answer) -> Value {
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()
}

/// Asserts the status and the whole body of an error.
#[track_caller]
pub fn refused(answer: &Answer, status: u16, body: &Value) {
    assert_eq!((answer.status.as_u16(), &answer.json()), (status, body), "{answer:?}");
    assert_eq!(answer.header("content-type"), "application/json");
}

/// The body of most errors.
pub fn coded(code: &str, message: &str) -> Value {
    json!({"message": message, "code": code})
}

/// The body of a 404.
pub fn not_found(what: &str, name: &str) -> Value {
    coded("entity_not_found", &format!("{what} not found: '{name}'."))
}

/// The body of a 422 about one field.
pub fn invalid(field: &str, sentence: &str) -> Value {
    invalid_fields(&[(field, sentence)])
}

/// The body of a 422 about several fields.
pub fn invalid_fields(fields: &[(&str, &str)]) -> Value {
    let errors: Vec<_> = fields.iter().map(|(field, code)| json!({"field": field, "code": code})).collect();
    json!({"message": "Validation failed", "code": "invalid_request_parameters", "errors": errors})
}

/// What is asked, and the status and the whole body of the answer.
pub struct Case {
    pub request: &'static str,
    pub body: Value,
    pub status: u16,
    pub answer: Value,
}

/// Asks all of it, and compares.
pub async fn provoke(world: &World, cases: impl IntoIterator<Item = Case>) {
    for Case { request, body, status, answer } in cases {
        let (method, path) = request.split_once(' ').expect("a method and a path");
        let method = method.parse().expect("a method");
        let body = Some(body).filter(|body| !body.is_null());
        let got = world.send(method, path, body.as_ref()).await;
        assert_eq!(got.status.as_u16(), status, "{request} {body:?}: {got:?}");
        assert_eq!(got.json(), answer, "{request} {body:?}");
    }
}

/// Asserts that every method on that path refuses a body that is no JSON object.
pub async fn refuses_malformed_bodies(world: &World, endpoints: &[(Method, &str)]) {
    for (method, path) in endpoints {
        let answer = world.send(method.clone(), path, Some(&json!([]))).await;
        refused(&answer, 400, &coded("bad_request", "The body must be a JSON object."));
    }
}

/// Asserts that it is an id of that sort.
#[track_caller]
pub fn is_id(id: &Value, prefix: &str) {
    let ulid = id.as_str().and_then(|id| id.strip_prefix(prefix)).and_then(|id| id.strip_prefix('_'));
    assert!(ulid.is_some_and(|ulid| ulid.len() == 26), "{id} is no id {prefix}_…");
}

/// Asserts that a body has these values, and times as the SDKs read them.
#[track_caller]
pub fn shows(body: &Value, expected: &Value) {
    let mut body = body.clone();
    let fields = body.as_object_mut().unwrap();
    for field in ["created_at", "updated_at"] {
        let time = fields.remove(field).unwrap_or_default();
        let time = time.as_str().unwrap_or_default();
        assert!(time.len() == "2026-01-15T12:00:00.000Z".len() && time.ends_with('Z'), "{field} is '{time}'");
    }
    assert_eq!(&body, expected);
}
