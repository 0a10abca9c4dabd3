//! Requests that many tests make, and reading what is answered.

use serde_json::{Value, json};

use super::expect::created;
use crate::support::workos::World;

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

/// Whether a membership has a permission on a resource; all are given by their names.
pub async fn check(world: &World, membership: &str, permission: &str, resource: &str) -> bool {
    let question = json!({"membership": membership, "permission": permission, "resource": {"name": resource}});
    world.post("/environments/default/v1/check", &question).await.ok()["allowed"].as_bool().unwrap()
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

/// The `id` of what is shown at a path.
pub async fn id(world: &World, path: &str) -> String {
    text(&world.get(path).await.ok(), "id").to_owned()
}

/// The ids on all pages of a list, which `cursor` (`after` or `before`) leads along. The path has a query.
pub async fn walk(world: &World, path: &str, cursor: &str) -> Vec<String> {
    let (mut all, mut page) = (Vec::new(), world.get(path).await.ok());
    loop {
        all.extend(ids(&page));
        let Some(next) = page["list_metadata"][cursor].as_str() else { return all };
        page = world.get(&format!("{path}&{cursor}={next}")).await.ok();
    }
}

/// The ids of what is on a page.
#[track_caller]
pub fn ids(page: &Value) -> Vec<String> {
    column(page, "/id")
}

/// A text of a field.
#[track_caller]
pub fn text<'a>(body: &'a Value, field: &str) -> &'a str {
    body[field].as_str().unwrap_or_else(|| panic!("no text {field} in {body}"))
}

/// A field of each item of a list; `-` where that is no text.
#[track_caller]
pub fn column(list: &Value, pointer: &str) -> Vec<String> {
    let items = list["data"].as_array().unwrap_or_else(|| panic!("no list: {list}"));
    items.iter().map(|item| item.pointer(pointer).and_then(Value::as_str).unwrap_or("-").to_owned()).collect()
}
