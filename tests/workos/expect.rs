//! What answers are expected to be.

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
    assert_eq!((answer.status.as_u16(), &answer.json()), (status, body));
    assert_eq!(answer.header("content-type"), "application/json");
}

/// Asserts that there is no such thing.
#[track_caller]
pub fn not_found(answer: &Answer, what: &str, name: &str) {
    refused(answer, 404, &coded("entity_not_found", &format!("{what} not found: '{name}'.")));
}

/// Asserts that a field cannot be used.
#[track_caller]
pub fn invalid(answer: &Answer, field: &str, sentence: &str) {
    invalid_fields(answer, &[(field, sentence)]);
}

/// Asserts that fields cannot be used.
#[track_caller]
pub fn invalid_fields(answer: &Answer, fields: &[(&str, &str)]) {
    let errors: Vec<_> = fields.iter().map(|(field, code)| json!({"field": field, "code": code})).collect();
    let body = json!({"message": "Validation failed", "code": "invalid_request_parameters", "errors": errors});
    refused(answer, 422, &body);
}

/// The body of most errors.
pub fn coded(code: &str, message: &str) -> Value {
    json!({"message": message, "code": code})
}

/// A text of a field.
#[track_caller]
pub fn text<'a>(body: &'a Value, field: &str) -> &'a str {
    body[field].as_str().unwrap_or_else(|| panic!("no text {field} in {body}"))
}

/// The texts of a field of all items of a list.
#[track_caller]
pub fn texts(list: &Value, field: &str) -> Vec<String> {
    let items = list["data"].as_array().unwrap_or_else(|| panic!("no list: {list}"));
    items.iter().map(|item| text(item, field).to_owned()).collect()
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

/// Creates an organization; its body.
pub async fn organization(world: &World, body: Value) -> Value {
    created(&world.post("/organizations", &body).await)
}

/// Creates a membership; its body.
pub async fn membership(world: &World, organization: &str, user: &str) -> Value {
    let body = json!({"organization_id": organization, "user_id": user});
    created(&world.post("/user_management/organization_memberships", &body).await)
}

/// Creates a group; its body.
pub async fn group(world: &World, organization: &str, name: &str) -> Value {
    created(&world.post(&format!("/organizations/{organization}/groups"), &json!({"name": name})).await)
}

/// Whether a user may do something on an organization, which is given by its name.
pub async fn may(world: &World, user: &str, action: &str, organization: &str) -> bool {
    let question = json!({
        "subject": {"type": "user", "id": user},
        "action": {"name": action},
        "resource": {"type": "organization", "id": organization},
    });
    world.post("/access/v1/evaluation", &question).await.ok()["decision"].as_bool().unwrap()
}
