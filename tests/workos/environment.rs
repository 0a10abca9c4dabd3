//! The settings of the environment, and the default role that it begins with.

use axum::http::Method;
use serde_json::json;

use super::{
    expect::{coded, invalid, is_id, refused},
    requests::{membership, organization, text},
};
use crate::support::workos::World;

const PATH: &str = "/authorization/environment";

const ROLES: &str = "
{apiVersion: authz.bailiwick.dev/v1alpha1, kind: Resource, metadata: {name: acme}, spec: {type: organization}}
---
{apiVersion: authz.bailiwick.dev/v1alpha1, kind: Role, metadata: {name: admins}, spec: {slug: admin, permissions: ['org:admin']}}
---
{apiVersion: authz.bailiwick.dev/v1alpha1, kind: Role, metadata: {name: billing}, spec: {permissions: ['org:billing']}}
---
{apiVersion: authz.bailiwick.dev/v1alpha1, kind: Role, metadata: {name: acme-own}, spec: {slug: org-own, organizationRef: {name: acme}}}
---
{apiVersion: authz.bailiwick.dev/v1alpha1, kind: Role, metadata: {name: admin}, spec: {slug: org-admin, organizationRef: {name: acme}}}
---
{apiVersion: authz.bailiwick.dev/v1alpha1, kind: Role, metadata: {name: editor}, spec: {resourceType: project}}
";

#[tokio::test]
async fn settings_are_read_and_changed_whether_they_are_declared_or_not() {
    let world = World::new(ROLES);
    let mut expected = json!({
        "object": "environment_settings",
        "multiple_roles": false,
        "default_role_slug": null,
        "role_priority": [],
        "undeclared": {"memberships": "allow", "resource_types": "allow"},
    });
    assert_eq!(world.get(PATH).await.ok(), expected);
    assert_eq!(world.get("/environments/other/authorization/environment").await.ok(), expected);

    let change = json!({"multiple_roles": true, "undeclared": {"memberships": "deny"}});
    expected["multiple_roles"] = json!(true);
    expected["undeclared"]["memberships"] = json!("deny");
    assert_eq!(world.patch(PATH, &change).await.ok(), expected);
    assert_eq!(world.get(PATH).await.ok(), expected);

    let change = json!({"default_role_slug": "admin", "role_priority": ["billing", "admin", "acme-own"]});
    expected["default_role_slug"] = json!("admin");
    expected["role_priority"] = change["role_priority"].clone();
    assert_eq!(world.patch(PATH, &change).await.ok(), expected);
    assert!(world.read("environment-default.yaml").contains("- admins"), "an object names roles by their names");
    assert_eq!(world.patch(PATH, &json!({})).await.ok(), expected);
    assert_eq!(world.patch(PATH, &json!({"role_priority": expected["role_priority"]})).await.ok(), expected);

    let change = json!({"default_role_slug": null, "role_priority": null, "undeclared": {"resource_types": "deny"}});
    expected["default_role_slug"] = json!(null);
    expected["role_priority"] = json!([]);
    expected["undeclared"]["resource_types"] = json!("deny");
    assert_eq!(world.patch(PATH, &change).await.ok(), expected);
}

#[tokio::test]
async fn a_role_that_no_slug_or_name_means_is_shown_by_its_id() {
    let environment = "{apiVersion: authz.bailiwick.dev/v1alpha1, kind: Environment, metadata: {name: default}, spec: {rolePriority: [admin, gone]}}";
    let world = World::new(&[ROLES, environment].join("---\n"));
    let settings = world.get(PATH).await.ok();
    let [admin, gone] = &settings["role_priority"].as_array().unwrap()[..] else { panic!("{settings}") };
    is_id(admin, "role");
    assert_eq!(gone, "gone");
    let again = world.patch(PATH, &json!({"role_priority": [admin, "admin"]})).await.ok();
    assert_eq!(again["role_priority"], json!([admin, "admin"]));
    let manifest = world.read("manifests.yaml");
    assert!(manifest.contains(r#"rolePriority: [admin, "admins"]"#), "by their names: {manifest}");
}

#[tokio::test]
async fn settings_that_cannot_be_are_refused() {
    let world = World::new(ROLES);
    let unknown = |slug: &str| json!({"message": format!("Role not found: '{slug}'."), "code": "invalid_role", "role_slug": slug});
    for (change, slug) in [
        (json!({"default_role_slug": "none"}), "none"),
        (json!({"default_role_slug": "org-own"}), "org-own"),
        (json!({"role_priority": ["admin", "none"]}), "none"),
    ] {
        refused(&world.patch(PATH, &change).await, 422, &unknown(slug));
    }
    refused(
        &world.patch(PATH, &json!({"default_role_slug": "editor"})).await,
        422,
        &json!({
            "message": "Role 'editor' is for resources of type 'project': give a role of type 'organization', or assign it on \
                        such a resource.",
            "code": "sub_resource_scoped_role_not_allowed",
            "role_slug": "editor",
        }),
    );
    refused(
        &world.patch(PATH, &json!({"default_role_slug": ""})).await,
        422,
        &invalid("default_role_slug", "default_role_slug should not be empty: use null for none"),
    );
    refused(
        &world.patch(PATH, &json!({"undeclared": {"memberships": "maybe"}})).await,
        422,
        &invalid(
            "undeclared.memberships",
            "undeclared.memberships cannot be used: unknown variant `maybe`, expected `allow` or `deny`",
        ),
    );
    assert_eq!(world.files(), ["manifests.yaml"]);
}

#[tokio::test]
async fn the_first_membership_brings_the_default_role_where_none_is_named() {
    let acme = "{apiVersion: authz.bailiwick.dev/v1alpha1, kind: Resource, metadata: {name: acme}, spec: {type: organization}}";
    let world = World::new(acme);
    world
        .post("/user_management/organization_memberships", &json!({"user_id": "alice", "organization_id": "none"}))
        .await;
    assert_eq!(world.files(), ["manifests.yaml"], "a refused request brings nothing");
    membership(&world, "acme", "alice").await;
    assert_eq!(world.get(PATH).await.ok()["default_role_slug"], "member");
    assert!(world.read("role-member.yaml").contains("slug: member"), "{}", world.read("role-member.yaml"));

    // What was begun is completed, what is there is used, and what somebody chose is left.
    let member =
        "{apiVersion: authz.bailiwick.dev/v1alpha1, kind: Role, metadata: {name: everybody}, spec: {slug: member}}";
    let multiple = "{apiVersion: authz.bailiwick.dev/v1alpha1, kind: Environment, metadata: {name: default}, spec: {multipleRoles: true}}";
    let world = World::new(&[acme, member, multiple].join("\n---\n"));
    membership(&world, "acme", "alice").await;
    let settings = world.get(PATH).await.ok();
    assert_eq!((&settings["default_role_slug"], &settings["multiple_roles"]), (&json!("member"), &json!(true)));
    assert!(!world.files().contains(&"role-member.yaml".to_owned()));

    let chosen = "{apiVersion: authz.bailiwick.dev/v1alpha1, kind: Environment, metadata: {name: default}, spec: {defaultRoleRef: {name: everybody}}}";
    let world = World::new(&[acme, chosen].join("\n---\n"));
    membership(&world, "acme", "alice").await;
    assert_eq!(world.get(PATH).await.ok()["default_role_slug"], "everybody");
    assert!(!world.files().contains(&"role-member.yaml".to_owned()));
}

#[tokio::test]
async fn an_environment_that_takes_no_default_role_takes_organizations_nevertheless() {
    let member = "{apiVersion: authz.bailiwick.dev/v1alpha1, kind: Role, metadata: {name: member}, spec: {resourceType: project}}";
    let world = World::new(member);
    let acme = organization(&world, json!({"name": "Acme"})).await;
    let alice = membership(&world, text(&acme, "id"), "alice").await;
    assert_eq!(alice["role"]["slug"], "member");
    assert_eq!(world.get(PATH).await.ok()["default_role_slug"], json!(null));
}

#[tokio::test]
async fn settings_of_an_environment_that_cannot_be_used_are_not_made_up() {
    let world = World::new(
        "{apiVersion: authz.bailiwick.dev/v1alpha1, kind: Environment, metadata: {name: default}, spec: {rolePriority: ['No Name']}}",
    );
    let answer = world.get(PATH).await;
    let message = answer.error(409, "invalid_environment");
    assert!(message.contains("spec.rolePriority[0]"), "{message}");
    assert_eq!(answer.json(), coded("invalid_environment", &message));
}

#[tokio::test]
async fn settings_that_many_change_at_once_are_all_changed() {
    let world = World::new(ROLES);
    let changes = [
        json!({"multiple_roles": true}),
        json!({"default_role_slug": "admin"}),
        json!({"role_priority": ["billing"]}),
        json!({"undeclared": {"memberships": "deny"}}),
    ];
    for answer in futures::future::join_all(changes.iter().map(|change| world.patch(PATH, change))).await {
        answer.ok();
    }
    let expected = json!({
        "object": "environment_settings",
        "multiple_roles": true,
        "default_role_slug": "admin",
        "role_priority": ["billing"],
        "undeclared": {"memberships": "deny", "resource_types": "allow"},
    });
    assert_eq!(world.get(PATH).await.ok(), expected);
    assert_eq!(world.send(Method::DELETE, PATH, None).await.status, 405);
}
