//! The roles of the environment (rules 63 to 66) and their order.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{
    acme,
    expect::{coded, invalid, not_found, refused, refuses_malformed_bodies},
    requests::{check, column},
};
use crate::support::workos::World;

const ROLES: &str = "/authorization/roles";

async fn slugs(world: &World) -> Vec<String> {
    column(&world.get(ROLES).await.ok(), "/slug")
}

#[tokio::test]
async fn a_role_of_the_environment_is_created_shown_reworded_and_deleted() {
    let world = acme::world();
    let given = json!({
        "slug": "project_editor-2", "name": "Editor", "description": "Edits.", "resource_type_slug": "project",
    });
    let created = world.post(ROLES, &given).await;
    assert_eq!(created.status, StatusCode::CREATED);
    let created = created.json();
    let id = created["id"].as_str().unwrap();
    assert!(id.starts_with("role_") && id.len() == 31, "{id}");
    let expected = json!({
        "object": "role", "id": id, "slug": "project_editor-2", "name": "Editor", "description": "Edits.",
        "type": "EnvironmentRole", "resource_type_slug": "project", "permissions": [],
        "created_at": created["created_at"], "updated_at": created["updated_at"],
    });
    assert_eq!(created, expected);
    for name in ["project_editor-2", id] {
        assert_eq!(world.get(&format!("{ROLES}/{name}")).await.ok(), expected, "by slug, by id");
    }
    // The object's name could be the slug of another role.
    refused(&world.get(&format!("{ROLES}/project-editor-2")).await, 404, &not_found("Role", "project-editor-2"));
    assert!(world.read("role-project-editor-2.yaml").contains("slug: project_editor-2"), "{:?}", world.files());

    let path = format!("{ROLES}/project_editor-2");
    let renamed = world.patch(&path, &json!({"name": "Writer"})).await.ok();
    assert_eq!((&renamed["name"], &renamed["description"]), (&json!("Writer"), &json!("Edits.")));
    let cleared = world.patch(&path, &json!({"description": null})).await.ok();
    assert_eq!((&cleared["name"], &cleared["description"]), (&json!("Writer"), &Value::Null));
    assert_eq!(world.patch(&path, &json!({})).await.ok(), world.get(&path).await.ok());

    let deleted = world.delete(&path).await;
    assert_eq!((deleted.status, deleted.body.as_str()), (StatusCode::NO_CONTENT, ""));
    refused(&world.get(&path).await, 404, &not_found("Role", "project_editor-2"));
    refused(&world.delete(&path).await, 404, &not_found("Role", "project_editor-2"));
}

#[tokio::test]
async fn by_default_a_role_is_for_organizations_and_manifests_need_neither_slug_nor_name() {
    let world = acme::world();
    let created = world.post(ROLES, &json!({"slug": "auditor", "name": "Auditor"})).await.json();
    assert_eq!((&created["resource_type_slug"], &created["description"]), (&json!("organization"), &Value::Null));
    let by_manifest = world.get("/authorization/roles/admin").await.ok();
    assert_eq!((&by_manifest["slug"], &by_manifest["name"]), (&json!("admin"), &json!("admin")));
    assert_eq!(by_manifest["created_at"], "2026-01-01T00:00:01.000Z");
}

#[tokio::test]
async fn an_environment_that_declares_no_types_takes_any() {
    let world = World::new(
        "{apiVersion: authz.bailiwick.dev/v1alpha1, kind: Resource, metadata: {name: a}, spec: {type: organization}}",
    );
    let given = json!({"slug": "reader", "name": "Reader", "resource_type_slug": "book"});
    assert_eq!(world.post(ROLES, &given).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn rule_66_the_list_comes_whole_in_order_of_priority_and_new_roles_last() {
    let world = acme::world();
    for index in 0..12 {
        let given = json!({"slug": format!("r{index:02}"), "name": "R"});
        assert_eq!(world.post(ROLES, &given).await.status, StatusCode::CREATED);
    }
    let list = world.get(ROLES).await.ok();
    assert_eq!(list.as_object().unwrap().keys().collect::<Vec<_>>(), ["data", "object"]);
    let slugs = column(&list, "/slug");
    assert_eq!(slugs[..4], ["member", "admin", "workspace-admin", "project-viewer"]);
    assert_eq!(slugs.len(), 16, "no role of an organization: {slugs:?}");
    assert_eq!((slugs[4].as_str(), slugs[15].as_str()), ("r00", "r11"));
}

#[tokio::test]
async fn the_order_of_priority_is_set_and_decides_who_wins() {
    let world = acme::world();
    for (membership, role) in [("alice", "member"), ("alice", "admin")] {
        // Two roles at a time: only a manifest can say that here.
        let name = format!("{membership}-{role}");
        world.write(
            &format!("{name}.yaml"),
            &format!(
                "{{apiVersion: authz.bailiwick.dev/v1alpha1, kind: MembershipRoleAssignment, metadata: {{name: {name}}}, \
                 spec: {{membershipRef: {{name: {membership}}}, roleRef: {{name: {role}}}}}}}"
            ),
        );
    }
    assert!(!check(&world, "alice", "organization:manage", "acme").await, "the older role wins");
    let path = "/authorization/role_priority";
    let set = world.put(path, &json!({"role_slugs": ["admin", "project-viewer"]})).await.ok();
    assert_eq!(column(&set, "/slug"), ["admin", "project-viewer", "member", "workspace-admin"]);
    assert_eq!(slugs(&world).await, column(&set, "/slug"));
    assert!(check(&world, "alice", "organization:manage", "acme").await);
    // Those that are not named follow as they did.
    let set = world.put(path, &json!({"role_slugs": ["workspace-admin"]})).await.ok();
    assert_eq!(column(&set, "/slug"), ["workspace-admin", "admin", "project-viewer", "member"]);

    refused(
        &world.put(path, &json!({})).await,
        422,
        &invalid("role_slugs", "role_slugs must be an array of role slugs"),
    );
    let twice = world.put(path, &json!({"role_slugs": ["admin", "admin"]})).await;
    refused(&twice, 422, &invalid("role_slugs", "role_slugs must name 'admin' but once"));
    let unknown = world.put(path, &json!({"role_slugs": ["admin", "nobody"]})).await;
    refused(&unknown, 404, &not_found("Role", "nobody"));
    refuses_malformed_bodies(&world, &[(Method::PUT, path)]).await;
    assert_eq!(slugs(&world).await[0], "workspace-admin", "nothing changed");

    // A role may be called like anything.
    let named = world.post(ROLES, &json!({"slug": "role_priority", "name": "P"})).await;
    assert_eq!(named.status, StatusCode::CREATED);
    assert_eq!(world.get("/authorization/roles/role_priority").await.ok()["slug"], "role_priority");
}

#[tokio::test]
async fn the_order_of_priority_makes_the_environment_that_is_not_there() {
    let world = World::new(
        "{apiVersion: authz.bailiwick.dev/v1alpha1, kind: Role, metadata: {name: a}, spec: {}}\n---\n\
         {apiVersion: authz.bailiwick.dev/v1alpha1, kind: Role, metadata: {name: b}, spec: {}}",
    );
    let set = world.put("/authorization/role_priority", &json!({"role_slugs": ["b"]})).await.ok();
    assert_eq!(column(&set, "/slug"), ["b", "a"]);
    assert!(world.read("environment-default.yaml").contains("rolePriority"));
}

#[tokio::test]
async fn every_refusal_of_a_role_of_the_environment_has_its_body() {
    let world = acme::world();
    let ok = json!({"slug": "auditor", "name": "Auditor"});
    let with = |field: &str, value: Value| {
        let mut given = ok.clone();
        given[field] = value;
        given
    };
    let long = "x".repeat(49);
    let characters = "slug must consist of lowercase letters, digits and `-`, `_`";
    for (given, body) in [
        (with("slug", Value::Null), invalid("slug", "slug should not be empty")),
        (with("slug", json!(long)), invalid("slug", "slug must be shorter than or equal to 48 characters")),
        (with("slug", json!("Auditor")), invalid("slug", characters)),
        (with("slug", json!("a:b")), invalid("slug", characters)),
        (with("slug", json!("é")), invalid("slug", characters)),
        (with("name", json!("")), invalid("name", "name should not be empty")),
        (with("name", json!(long)), invalid("name", "name must be shorter than or equal to 48 characters")),
        (
            with("description", json!("x".repeat(151))),
            invalid("description", "description must be shorter than or equal to 150 characters"),
        ),
        (
            with("resource_type_slug", json!("")),
            invalid("resource_type_slug", "resource_type_slug should not be empty"),
        ),
        (with("slug", json!(7)), invalid("slug", "slug cannot be used: invalid type: integer `7`, expected a string")),
    ] {
        refused(&world.post(ROLES, &given).await, 422, &body);
    }
    let several = world.post(ROLES, &json!({"resource_type_slug": "project"})).await.json();
    assert_eq!(several["errors"].as_array().unwrap().len(), 2, "all at once: {several}");
    let undeclared = world.post(ROLES, &with("resource_type_slug", json!("boat"))).await;
    let remedy = "Resource type not found: 'boat'. Declare it first, as a ResourceType of that name.";
    refused(&undeclared, 404, &coded("entity_not_found", remedy));
    // Rule 63.
    let conflict = world.post(ROLES, &with("slug", json!("admin"))).await;
    refused(&conflict, 409, &coded("role_slug_conflict", "There is a role 'admin' already."));

    let unknown = not_found("Role", "nobody");
    refused(&world.get("/authorization/roles/nobody").await, 404, &unknown);
    // A role of an organization is none of the environment.
    refused(&world.get("/authorization/roles/org-lead").await, 404, &not_found("Role", "org-lead"));
    refused(&world.patch("/authorization/roles/nobody", &json!({"name": "N"})).await, 404, &unknown);
    refused(&world.put("/authorization/roles/nobody/permissions", &json!({"permissions": []})).await, 404, &unknown);
    refused(&world.post("/authorization/roles/nobody/permissions", &json!({"slug": "p"})).await, 404, &unknown);
    let admin = "/authorization/roles/admin";
    let unnamed = world.patch(admin, &json!({"name": null})).await;
    refused(&unnamed, 422, &invalid("name", "name should not be empty"));
    let long = world.patch(admin, &json!({"description": "x".repeat(151)})).await;
    refused(&long, 422, &invalid("description", "description must be shorter than or equal to 150 characters"));

    let permissions = "/authorization/roles/admin/permissions";
    let endpoints =
        [(Method::POST, ROLES), (Method::PATCH, admin), (Method::PUT, permissions), (Method::POST, permissions)];
    refuses_malformed_bodies(&world, &endpoints).await;
}

#[tokio::test]
async fn a_role_that_is_used_or_the_default_is_not_deleted() {
    let world = acme::world();
    let default = world.delete("/authorization/roles/member").await;
    let sentence = "Role 'member' is the default role: make another one that first.";
    refused(&default, 409, &coded("role_is_default", sentence));

    let assigned = |slug: &str| {
        coded("role_has_assignments", &format!("Role '{slug}' is assigned: remove its assignments first."))
    };
    let manifest = |kind: &str, name: &str, spec: &str| {
        let text = format!(
            "{{apiVersion: authz.bailiwick.dev/v1alpha1, kind: {kind}, metadata: {{name: {name}}}, spec: {spec}}}"
        );
        world.write(&format!("{name}.yaml"), &text);
    };
    let on_tools = "resourceRef: {name: tools}, roleRef: {name: workspace-admin}";
    manifest("GroupRoleAssignment", "by-group", &format!("{{groupRef: {{name: devs}}, {on_tools}}}"));
    refused(&world.delete("/authorization/roles/workspace-admin").await, 409, &assigned("workspace-admin"));
    world.remove("by-group.yaml");
    manifest("MembershipRoleAssignment", "direct", &format!("{{membershipRef: {{name: alice}}, {on_tools}}}"));
    refused(&world.delete("/authorization/roles/workspace-admin").await, 409, &assigned("workspace-admin"));
    // What has ended holds nothing up.
    let ended = format!("{{membershipRef: {{name: alice}}, {on_tools}, expiresAt: '2026-01-02T00:00:00Z'}}");
    manifest("MembershipRoleAssignment", "direct", &ended);
    assert_eq!(world.delete("/authorization/roles/workspace-admin").await.status, StatusCode::NO_CONTENT);

    let listed = "{organizationRef: {name: acme}, user: {id: user_dan}, roleRefs: [{name: admin}]}";
    manifest("OrganizationMembership", "dan", listed);
    refused(&world.delete("/authorization/roles/admin").await, 409, &assigned("admin"));
    world.remove("dan.yaml");
    world.write(
        "manifests.yaml",
        &acme::MANIFESTS.replace(
            "spec: {defaultRoleRef: {name: member}}",
            "spec: {identityProvider: {roleMappings: [{source: SSO, group: ops, roleRef: {name: admin}}]}}",
        ),
    );
    let mapped = "Groups of the identity provider are mapped to role 'admin': remove these mappings first.";
    let answer = world.delete("/authorization/roles/admin").await;
    refused(&answer, 409, &coded("role_has_group_role_mappings", mapped));
}

#[tokio::test]
async fn rule_64_permissions_are_set_and_added_and_what_is_unknown_changes_nothing() {
    let world = acme::world();
    let path = "/authorization/roles/workspace-admin/permissions";
    let set = async |permissions: Value| world.put(path, &json!({ "permissions": permissions })).await;
    let role = world.put(path, &json!({"permissions": ["project:view", "workspace:edit", "project:view"]})).await.ok();
    assert_eq!(role["permissions"], json!(["project:view", "workspace:edit"]), "each once, in this order");
    let role = world.post(path, &json!({"slug": "project:edit"})).await.ok();
    assert_eq!(role["permissions"], json!(["project:view", "workspace:edit", "project:edit"]));
    assert_eq!(world.post(path, &json!({"slug": "project:edit"})).await.ok(), role, "there already");

    refused(&set(json!(["workspace:edit", "boat:sail"])).await, 404, &not_found("Permission", "boat:sail"));
    refused(&world.post(path, &json!({"slug": "boat:sail"})).await, 404, &not_found("Permission", "boat:sail"));
    refused(&world.post(path, &json!({})).await, 422, &invalid("slug", "slug should not be empty"));
    let sentence = "permissions must be an array of permission slugs";
    refused(&world.put(path, &json!({})).await, 422, &invalid("permissions", sentence));
    let above = "permission `organization:manage` belongs to type `organization`, which is not `workspace` nor below it; \
                 take it out, or use a role of that type";
    let mut out_of_scope = coded("invalid_request_parameters", &format!("Role `workspace-admin`: {above}"));
    out_of_scope["errors"] = json!([{"field": "Role", "code": above}]);
    refused(&set(json!(["organization:manage"])).await, 422, &out_of_scope);
    refused(&world.post(path, &json!({"slug": "organization:manage"})).await, 422, &out_of_scope);
    assert_eq!(world.get("/authorization/roles/workspace-admin").await.ok(), role, "nothing changed");

    assert_eq!(set(json!([])).await.ok()["permissions"], json!([]), "emptied");
}

#[tokio::test]
async fn rule_65_a_role_that_changes_changes_for_everybody_at_once() {
    let world = acme::world();
    for membership in ["alice", "bob"] {
        let path = format!("/authorization/organization_memberships/{membership}/role_assignments");
        let given = json!({"role_slug": "project-viewer", "resource_id": "website"});
        assert_eq!(world.post(&path, &given).await.status, StatusCode::CREATED);
    }
    let path = "/authorization/roles/project-viewer/permissions";
    for round in 0..3 {
        world.put(path, &json!({"permissions": []})).await.ok();
        assert!(!check(&world, "alice", "project:view", "website").await, "round {round}");
        assert!(!check(&world, "bob", "project:view", "website").await, "round {round}");
        world.post(path, &json!({"slug": "project:view"})).await.ok();
        assert!(check(&world, "alice", "project:view", "website").await, "round {round}");
        assert!(check(&world, "bob", "project:view", "website").await, "round {round}");
    }
}

#[tokio::test]
async fn of_two_that_create_the_same_role_one_is_refused() {
    let world = acme::world();
    let given = json!({"slug": "auditor", "name": "Auditor"});
    let answers = futures::future::join_all((0..8).map(|_| world.post(ROLES, &given))).await;
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status.as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409, 409, 409]);
    assert_eq!(slugs(&world).await.iter().filter(|slug| *slug == "auditor").count(), 1);
}
