//! Permissions (rule 62).

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{
    acme,
    expect::{coded, invalid, not_found, refused, refuses_malformed_bodies},
    requests::{check, column},
};
use crate::support::workos::World;

const PERMISSIONS: &str = "/authorization/permissions";

#[tokio::test]
async fn a_permission_is_declared_shown_reworded_and_deleted() {
    let world = acme::world();
    let given = json!({
        "slug": "project:share.all_*", "name": "Share", "description": "Shares.", "resource_type_slug": "project",
    });
    let created = world.post(PERMISSIONS, &given).await;
    assert_eq!(created.status, StatusCode::CREATED);
    let created = created.json();
    let id = created["id"].as_str().unwrap();
    assert!(id.starts_with("perm_") && id.len() == 31, "{id}");
    let expected = json!({
        "object": "permission", "id": id, "slug": "project:share.all_*", "name": "Share", "description": "Shares.",
        "system": false, "resource_type_slug": "project",
        "created_at": created["created_at"], "updated_at": created["updated_at"],
    });
    assert_eq!(created, expected);
    // Rule 76: encoded, raw, and by id.
    for name in ["project%3Ashare.all_%2A", "project:share.all_*", id] {
        assert_eq!(world.get(&format!("{PERMISSIONS}/{name}")).await.ok(), expected);
    }
    // It is an entry of the type, which keeps the others.
    assert!(world.read("manifests.yaml").contains("project:share.all_*"));
    assert_eq!(world.get(&format!("{PERMISSIONS}/project:edit")).await.ok()["name"], "project:edit");

    let path = format!("{PERMISSIONS}/project:share.all_*");
    let renamed = world.patch(&path, &json!({"name": "Give"})).await.ok();
    assert_eq!((&renamed["name"], &renamed["description"]), (&json!("Give"), &json!("Shares.")));
    let cleared = world.patch(&path, &json!({"description": null})).await.ok();
    assert_eq!((&cleared["name"], &cleared["description"]), (&json!("Give"), &Value::Null));

    let deleted = world.delete(&path).await;
    assert_eq!((deleted.status, deleted.body.as_str()), (StatusCode::NO_CONTENT, ""));
    refused(&world.get(&path).await, 404, &not_found("Permission", "project:share.all_*"));
    refused(&world.delete(&path).await, 404, &not_found("Permission", "project:share.all_*"));
}

#[tokio::test]
async fn the_first_permission_of_organizations_declares_that_type_and_takes_nothing_from_anybody() {
    let world = World::new(
        "{apiVersion: authz.bailiwick.dev/v1alpha1, kind: Resource, metadata: {name: acme}, spec: {type: organization}}\n---\n\
         {apiVersion: authz.bailiwick.dev/v1alpha1, kind: Role, metadata: {name: admin}, \
          spec: {permissions: [edit, 'organization:see', 'boat:sail']}}\n---\n\
         {apiVersion: authz.bailiwick.dev/v1alpha1, kind: OrganizationMembership, metadata: {name: alice}, \
          spec: {organizationRef: {name: acme}, user: {id: u}, roleRefs: [{name: admin}]}}",
    );
    assert_eq!(world.get(PERMISSIONS).await.ok()["data"], json!([]), "what no type declares is not listed");
    let created = world.post(PERMISSIONS, &json!({"slug": "manage", "name": "Manage"})).await;
    assert_eq!(created.status, StatusCode::CREATED);
    assert_eq!(created.json()["resource_type_slug"], "organization");
    for permission in ["edit", "organization:see", "boat:sail"] {
        assert!(check(&world, "alice", permission, "acme").await, "{permission}");
    }
    let second = world.post(PERMISSIONS, &json!({"slug": "leave", "name": "Leave"})).await;
    assert_eq!(second.status, StatusCode::CREATED);
    let listed = world.get(&format!("{PERMISSIONS}?order=asc")).await.ok();
    assert_eq!(column(&listed, "/slug"), ["manage", "edit", "organization:see", "leave"]);
}

#[tokio::test]
async fn the_list_is_in_pages_by_type_and_position() {
    let world = acme::world();
    let ascending = ["organization:manage", "workspace:edit", "project:view", "project:edit"];
    let list = world.get(&format!("{PERMISSIONS}?order=asc")).await.ok();
    assert_eq!(column(&list, "/slug"), ascending);
    assert_eq!(list["list_metadata"], json!({"before": null, "after": null}));
    let declared = &list["data"][1];
    assert_eq!((&declared["name"], &declared["description"]), (&json!("Edit workspaces"), &json!("All of them.")));
    assert_eq!(declared["created_at"], "2026-01-01T00:00:01.000Z", "that of the type");
    // Rule 68.
    let first = world.get(&format!("{PERMISSIONS}?limit=3")).await.ok();
    assert_eq!(column(&first, "/slug"), ["project:edit", "project:view", "workspace:edit"]);
    let after = first["list_metadata"]["after"].as_str().unwrap();
    let second = world.get(&format!("{PERMISSIONS}?limit=3&after={after}")).await.ok();
    assert_eq!(column(&second, "/slug"), ["organization:manage"]);
    // Rule 69.
    let limit = world.get(&format!("{PERMISSIONS}?limit=101")).await;
    refused(&limit, 422, &invalid("limit", "limit must be a number from 1 to 100"));
    let cursor = world.get(&format!("{PERMISSIONS}?after=perm_x")).await;
    refused(&cursor, 422, &invalid("after", "after must be the id of an item of this list, not 'perm_x'"));
}

#[tokio::test]
async fn a_permission_that_two_types_declare_is_one() {
    let manifests =
        acme::MANIFESTS.replace("[{slug: 'project:view'}", "[{slug: 'workspace:edit'}, {slug: 'project:view'}");
    let world = World::new(&manifests);
    let list = world.get(&format!("{PERMISSIONS}?order=asc")).await.ok();
    assert_eq!(column(&list, "/slug"), ["organization:manage", "workspace:edit", "project:view", "project:edit"]);
    assert_eq!(world.get(&format!("{PERMISSIONS}/workspace:edit")).await.ok()["resource_type_slug"], "workspace");
    assert_eq!(world.delete(&format!("{PERMISSIONS}/workspace:edit")).await.status, StatusCode::NO_CONTENT);
    let list = world.get(PERMISSIONS).await.ok();
    assert_eq!(column(&list, "/slug"), ["project:edit", "project:view", "organization:manage"]);
}

#[tokio::test]
async fn rule_62_what_is_deleted_goes_from_all_roles() {
    let world = acme::world();
    let roles = "/authorization/organizations/acme/roles";
    world.post(roles, &json!({"slug": "org-lead", "name": "Lead"})).await;
    let lead = format!("{roles}/org-lead");
    world.put(&format!("{lead}/permissions"), &json!({"permissions": ["project:edit", "project:view"]})).await.ok();
    let alice = "/authorization/organization_memberships/alice/role_assignments";
    world.post(alice, &json!({"role_slug": "workspace-admin", "resource_id": "tools"})).await;
    assert!(check(&world, "alice", "project:edit", "website").await);

    assert_eq!(world.delete(&format!("{PERMISSIONS}/project:edit")).await.status, StatusCode::NO_CONTENT);
    assert!(!check(&world, "alice", "project:edit", "website").await);
    assert_eq!(world.get(&lead).await.ok()["permissions"], json!(["project:view"]));
    let admin = world.get("/authorization/roles/workspace-admin").await.ok();
    assert_eq!(admin["permissions"], json!(["workspace:edit"]));
    // Declared anew, nobody has it.
    let again = json!({"slug": "project:edit", "name": "Edit", "resource_type_slug": "project"});
    assert_eq!(world.post(PERMISSIONS, &again).await.status, StatusCode::CREATED);
    assert!(!check(&world, "alice", "project:edit", "website").await);
}

#[tokio::test]
async fn what_a_role_is_refused_it_does_not_get_while_a_permission_is_deleted() {
    // Out of the role's scope as long as it is declared; undeclared, the role would have it.
    let manifests = acme::MANIFESTS
        .replace("permissions: ['project:view']}", "permissions: ['project:view', 'sail']}")
        .replace("'organization:manage'}", "'organization:manage'}, {slug: sail}");
    let world = World::new(&manifests);
    let alice = "/authorization/organization_memberships/alice/role_assignments";
    world.post(alice, &json!({"role_slug": "project-viewer", "resource_id": "website"})).await;
    assert!(!check(&world, "alice", "sail", "website").await);
    let path = format!("{PERMISSIONS}/sail");
    let deletion = world.delete(&path);
    let checks = async {
        for _ in 0..50 {
            assert!(!check(&world, "alice", "sail", "website").await);
            tokio::task::yield_now().await;
        }
    };
    let (deleted, ()) = futures::future::join(deletion, checks).await;
    assert_eq!(deleted.status, StatusCode::NO_CONTENT);
    assert!(!check(&world, "alice", "sail", "website").await);
}

#[tokio::test]
async fn every_refusal_of_a_permission_has_its_body() {
    let world = acme::world();
    let ok = json!({"slug": "project:share", "name": "Share", "resource_type_slug": "project"});
    let with = |field: &str, value: Value| {
        let mut given = ok.clone();
        given[field] = value;
        given
    };
    let long = "x".repeat(49);
    let characters = "slug must consist of lowercase letters, digits and `-`, `_`, `:`, `.`, `*`";
    for (given, body) in [
        (with("slug", Value::Null), invalid("slug", "slug should not be empty")),
        (with("slug", json!(long)), invalid("slug", "slug must be shorter than or equal to 48 characters")),
        (with("slug", json!("Project")), invalid("slug", characters)),
        (with("slug", json!("a/b")), invalid("slug", characters)),
        (with("name", Value::Null), invalid("name", "name should not be empty")),
        (with("name", json!(long)), invalid("name", "name must be shorter than or equal to 48 characters")),
        (
            with("description", json!("x".repeat(151))),
            invalid("description", "description must be shorter than or equal to 150 characters"),
        ),
    ] {
        refused(&world.post(PERMISSIONS, &given).await, 422, &body);
    }
    let undeclared = world.post(PERMISSIONS, &with("resource_type_slug", json!("boat"))).await;
    let remedy = "Resource type not found: 'boat'. Declare it first, as a ResourceType of that name.";
    refused(&undeclared, 404, &coded("entity_not_found", remedy));
    // In the whole environment, whatever the type.
    let conflict = coded("permission_slug_conflict", "There is a permission 'project:view' already.");
    let taken = with("slug", json!("project:view"));
    refused(&world.post(PERMISSIONS, &taken).await, 409, &conflict);
    refused(&world.post(PERMISSIONS, &json!({"slug": "project:view", "name": "V"})).await, 409, &conflict);

    let unknown = not_found("Permission", "nothing");
    let path = format!("{PERMISSIONS}/nothing");
    refused(&world.get(&path).await, 404, &unknown);
    refused(&world.patch(&path, &json!({"name": "N"})).await, 404, &unknown);
    refused(&world.delete(&path).await, 404, &unknown);
    let view = format!("{PERMISSIONS}/project:view");
    refused(&world.patch(&view, &json!({"name": ""})).await, 422, &invalid("name", "name should not be empty"));
    refuses_malformed_bodies(&world, &[(Method::POST, PERMISSIONS), (Method::PATCH, &view)]).await;
}

#[tokio::test]
async fn of_many_that_are_created_at_a_time_none_is_lost_and_none_is_there_twice() {
    let world = acme::world();
    let given: Vec<Value> = (0..20)
        .map(|index| json!({"slug": format!("p{}", index % 10), "name": "P", "resource_type_slug": "project"}))
        .collect();
    let answers = futures::future::join_all(given.iter().map(|given| world.post(PERMISSIONS, given))).await;
    let created = answers.iter().filter(|answer| answer.status == StatusCode::CREATED).count();
    assert_eq!(created, 10, "{answers:?}");
    assert!(answers.iter().all(|answer| [201, 409].contains(&answer.status.as_u16())), "{answers:?}");
    let list = world.get(&format!("{PERMISSIONS}?limit=100")).await.ok();
    assert_eq!(list["data"].as_array().unwrap().len(), 14);
}
