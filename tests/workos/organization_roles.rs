//! The roles of an organization (rules 63 to 67).

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{
    acme,
    expect::{coded, invalid, not_found, refused, refuses_malformed_bodies},
    requests::column,
};

const ROLES: &str = "/authorization/organizations/acme/roles";

#[tokio::test]
async fn a_role_of_an_organization_is_its_own_and_listed_with_those_of_the_environment() {
    let world = acme::world();
    let created = world.post(ROLES, &json!({"slug": "org-lead", "name": "Lead", "description": "Leads."})).await;
    assert_eq!(created.status, StatusCode::CREATED);
    let created = created.json();
    let expected = json!({
        "object": "role", "id": created["id"], "slug": "org-lead", "name": "Lead", "description": "Leads.",
        "type": "OrganizationRole", "resource_type_slug": "organization", "permissions": [],
        "created_at": created["created_at"], "updated_at": created["updated_at"],
    });
    assert_eq!(created, expected);
    // Rule 66: environment roles too, in order of priority, not paginated.
    let list = world.get(ROLES).await.ok();
    assert_eq!(list.as_object().unwrap().keys().collect::<Vec<_>>(), ["data", "object"]);
    assert_eq!(column(&list, "/slug"), ["member", "admin", "workspace-admin", "project-viewer", "org-lead"]);
    assert_eq!(column(&list, "/type")[3..], ["EnvironmentRole", "OrganizationRole"]);
    assert_eq!(world.get(&format!("{ROLES}/admin")).await.ok()["type"], "EnvironmentRole");
    // The organization goes by its external id too; the other's role of the same slug is another.
    let here = world.get("/authorization/organizations/acme-1/roles/org-lead").await.ok();
    let there = world.get("/authorization/organizations/globex/roles/org-lead").await.ok();
    assert_eq!(here, expected);
    assert_ne!(there["id"], here["id"]);

    let path = format!("{ROLES}/org-lead");
    let reworded = world.patch(&path, &json!({"name": "Head", "description": null})).await.ok();
    assert_eq!((&reworded["name"], &reworded["description"]), (&json!("Head"), &Value::Null));
    assert_eq!(world.delete(&path).await.status, StatusCode::NO_CONTENT);
    refused(&world.get(&path).await, 404, &not_found("Role", "org-lead"));
    assert_eq!(world.get("/authorization/organizations/globex/roles/org-lead").await.ok(), there);
}

#[tokio::test]
async fn a_slug_that_is_not_given_is_made_of_the_name() {
    let world = acme::world();
    for (name, stem) in [
        ("Bob's  Team_Lead!", "bobs-team_lead"),
        ("- Ünits -", "nits"),
        ("日本", "role"),
        ("A very long name of forty-eight characters, or so", "a-very-long-name-of-forty-eight-character"),
    ] {
        let name: String = name.chars().take(48).collect();
        let first = world.post(ROLES, &json!({ "name": name })).await.json();
        let second = world.post(ROLES, &json!({ "name": name })).await.json();
        assert_ne!(first["slug"], second["slug"]);
        for role in [first, second] {
            let slug = role["slug"].as_str().unwrap();
            let (made, suffix) = slug.rsplit_once('-').unwrap();
            assert_eq!((made, suffix.len()), (stem, 6), "{slug}");
            assert!(slug.len() <= 48 && suffix.chars().all(|letter| letter.is_ascii_alphanumeric()), "{slug}");
            assert_eq!(world.get(&format!("{ROLES}/{slug}")).await.ok(), role);
        }
    }
}

#[tokio::test]
async fn every_refusal_of_a_role_of_an_organization_has_its_body() {
    let world = acme::world();
    let prefix = "slug must begin with `org-`";
    let separators = "slug must not end with `-` or `_`, nor have two of them in a row";
    for (slug, sentence) in [
        ("lead", prefix),
        ("-org-lead", prefix),
        ("org-lead-", separators),
        ("org-lead_", separators),
        ("org--lead", separators),
        ("org-le-_ad", separators),
        ("org-", separators),
        ("org-Lead", "slug must consist of lowercase letters, digits and `-`, `_`"),
        (&format!("org-{}", "x".repeat(45)), "slug must be shorter than or equal to 48 characters"),
    ] {
        let answer = world.post(ROLES, &json!({"slug": slug, "name": "Lead"})).await;
        refused(&answer, 422, &invalid("slug", sentence));
    }
    refused(&world.post(ROLES, &json!({})).await, 422, &invalid("name", "name should not be empty"));
    let boat = world.post(ROLES, &json!({"name": "Sailor", "resource_type_slug": "boat"})).await;
    let remedy = "Resource type not found: 'boat'. Declare it first, as a ResourceType of that name.";
    refused(&boat, 404, &coded("entity_not_found", remedy));
    // Rule 63; in another organization the slug is free.
    assert_eq!(world.post(ROLES, &json!({"slug": "org-lead", "name": "Lead"})).await.status, StatusCode::CREATED);
    let conflict = world.post(ROLES, &json!({"slug": "org-lead", "name": "Other"})).await;
    let sentence = "There is a role 'org-lead' of the organization already.";
    refused(&conflict, 409, &coded("organization_role_slug_conflict", sentence));

    let nowhere = "/authorization/organizations/nowhere/roles";
    let no_organization = not_found("Organization", "nowhere");
    refused(&world.get(nowhere).await, 404, &no_organization);
    refused(&world.post(nowhere, &json!({"name": "N"})).await, 404, &no_organization);
    let no_role = not_found("Role", "nobody");
    let role = |slug: &str| format!("{ROLES}/{slug}");
    refused(&world.get(&format!("{nowhere}/member")).await, 404, &no_organization);
    refused(&world.get(&role("nobody")).await, 404, &no_role);
    refused(&world.patch(&role("nobody"), &json!({"name": "N"})).await, 404, &no_role);
    refused(&world.delete(&role("nobody")).await, 404, &no_role);
    refused(&world.put(&role("nobody/permissions"), &json!({"permissions": []})).await, 404, &no_role);
    refused(&world.post(&role("nobody/permissions"), &json!({"slug": "project:view"})).await, 404, &no_role);
    refused(&world.delete(&role("nobody/permissions/project:view")).await, 404, &no_role);
    refused(
        &world.patch(&role("org-lead"), &json!({"name": ""})).await,
        422,
        &invalid("name", "name should not be empty"),
    );

    // Rule 67.
    let of_environment = coded("bad_request", "Role 'admin' is of the environment: change it there.");
    refused(&world.patch(&role("admin"), &json!({"name": "N"})).await, 400, &of_environment);
    refused(&world.delete(&role("admin")).await, 400, &of_environment);
    refused(&world.put(&role("admin/permissions"), &json!({"permissions": []})).await, 400, &of_environment);
    refused(&world.post(&role("admin/permissions"), &json!({"slug": "project:view"})).await, 400, &of_environment);
    refused(&world.delete(&role("admin/permissions/organization:manage")).await, 400, &of_environment);

    let (lead, permissions) = (role("org-lead"), role("org-lead/permissions"));
    let endpoints =
        [(Method::POST, ROLES), (Method::PATCH, &lead), (Method::PUT, &permissions), (Method::POST, &permissions)];
    refuses_malformed_bodies(&world, &endpoints).await;
}

#[tokio::test]
async fn rule_64_permissions_of_an_organizations_role_are_set_added_and_removed_one_by_one() {
    let world = acme::world();
    world.post(ROLES, &json!({"slug": "org-lead", "name": "Lead", "resource_type_slug": "workspace"})).await;
    let path = format!("{ROLES}/org-lead/permissions");
    let role = world.put(&path, &json!({"permissions": ["workspace:edit"]})).await.ok();
    assert_eq!(role["permissions"], json!(["workspace:edit"]));
    let role = world.post(&path, &json!({"slug": "project:view"})).await.ok();
    assert_eq!(role["permissions"], json!(["workspace:edit", "project:view"]));

    let unknown = world.put(&path, &json!({"permissions": ["project:view", "boat:sail"]})).await;
    refused(&unknown, 404, &not_found("Permission", "boat:sail"));
    refused(&world.post(&path, &json!({"slug": "boat:sail"})).await, 404, &not_found("Permission", "boat:sail"));
    let out_of_scope = world.post(&path, &json!({"slug": "organization:manage"})).await;
    assert_eq!(out_of_scope.status, StatusCode::UNPROCESSABLE_ENTITY);

    let removed = world.delete(&format!("{path}/workspace%3Aedit")).await.ok();
    assert_eq!(removed["permissions"], json!(["project:view"]), "with the role, 200");
    assert_eq!(removed["slug"], "org-lead");
    let again = world.delete(&format!("{path}/workspace:edit")).await;
    refused(&again, 404, &not_found("Permission", "workspace:edit"));
}

#[tokio::test]
async fn a_role_of_an_organization_that_is_used_is_not_deleted() {
    let world = acme::world();
    world.post(ROLES, &json!({"slug": "org-lead", "name": "Lead", "resource_type_slug": "workspace"})).await;
    let assignments = "/authorization/organization_memberships/alice/role_assignments";
    let terms = json!({"role_slug": "org-lead", "resource_id": "tools"});
    assert_eq!(world.post(assignments, &terms).await.status, StatusCode::CREATED);
    let sentence = "Role 'org-lead' is assigned: remove its assignments first.";
    let path = format!("{ROLES}/org-lead");
    refused(&world.delete(&path).await, 409, &coded("role_has_assignments", sentence));
    assert_eq!(world.send(Method::DELETE, assignments, Some(&terms)).await.status, StatusCode::NO_CONTENT);
    assert_eq!(world.delete(&path).await.status, StatusCode::NO_CONTENT);

    // Rule 28: it is of no use in another organization.
    let carol = "/authorization/organization_memberships/carol/role_assignments";
    world.post(ROLES, &json!({"slug": "org-chief", "name": "Chief"})).await;
    let elsewhere = world.post(carol, &json!({"role_slug": "org-chief", "resource_id": "globex"})).await;
    refused(&elsewhere, 404, &not_found("Role", "org-chief"));
    world.write(
        "manifests.yaml",
        &acme::MANIFESTS.replace(
            "spec: {defaultRoleRef: {name: member}}",
            "spec: {identityProvider: {roleMappings: [{source: SSO, group: ops, roleRef: {name: org-chief}}]}}",
        ),
    );
    let mapped = "Groups of the identity provider are mapped to role 'org-chief': remove these mappings first.";
    let answer = world.delete(&format!("{ROLES}/org-chief")).await;
    refused(&answer, 409, &coded("role_has_group_role_mappings", mapped));
}
