//! What the WorkOS Authorization API promises: through the router over a folder of manifests that is really written, and through
//! the official SDKs.

mod acme;
mod checks;
mod discovery;
mod endpoints;
mod environment;
mod errors;
mod expect;
mod group_role_assignments;
mod groups;
mod guide;
mod idempotency;
mod memberships;
mod organization_roles;
mod organizations;
mod paging;
mod permissions;
mod resource_errors;
mod resource_lists;
mod resource_types;
mod resources;
mod role_assignments;
mod roles;
mod rules;
mod sdk_node;
mod sdk_objects;
mod sdk_python;
pub mod sdk_rust;
pub mod sdk_targets;
mod seed;
mod users;

use serde_json::{Value, json};

use crate::support::workos::World;

/// The `id` of what is shown at a path.
async fn id(world: &World, path: &str) -> String {
    world.get(path).await.ok()["id"].as_str().expect("an id").to_owned()
}

/// The ids of what is on a page.
fn ids(page: &Value) -> Vec<String> {
    let data = page["data"].as_array().unwrap_or_else(|| panic!("no list: {page}"));
    data.iter().map(|item| item["id"].as_str().expect("an id").to_owned()).collect()
}

/// The ids on all pages of a list, which `cursor` (`after` or `before`) leads along. The path has a query.
async fn walk(world: &World, path: &str, cursor: &str) -> Vec<String> {
    let (mut all, mut page) = (Vec::new(), world.get(path).await.ok());
    loop {
        all.extend(ids(&page));
        let Some(next) = page["list_metadata"][cursor].as_str() else { return all };
        page = world.get(&format!("{path}&{cursor}={next}")).await.ok();
    }
}

/// The body of a 422 about one field.
fn invalid(field: &str, sentence: &str) -> Value {
    json!({
        "message": "Validation failed", "code": "invalid_request_parameters",
        "errors": [{"field": field, "code": sentence}],
    })
}

/// The body of a 404.
fn not_found(what: &str, name: &str) -> Value {
    json!({"message": format!("{what} not found: '{name}'."), "code": "entity_not_found"})
}

/// What is asked, and the status and the whole body of the answer.
struct Case {
    request: &'static str,
    body: Value,
    status: u16,
    answer: Value,
}

/// Asks all of it, and compares.
async fn provoke(world: &World, cases: impl IntoIterator<Item = Case>) {
    for Case { request, body, status, answer } in cases {
        let (method, path) = request.split_once(' ').expect("a method and a path");
        let method = method.parse().expect("a method");
        let body = Some(body).filter(|body| !body.is_null());
        let got = world.send(method, path, body.as_ref()).await;
        assert_eq!(got.status.as_u16(), status, "{request} {body:?}: {got:?}");
        assert_eq!(got.json(), answer, "{request} {body:?}");
    }
}
