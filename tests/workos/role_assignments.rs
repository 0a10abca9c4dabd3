//! Role assignments of memberships (rules 27 to 38).

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{
    acme,
    expect::{invalid, not_found, refused, refuses_malformed_bodies},
    requests::{check, column},
};
use crate::support::workos::World;

const ALICE: &str = "/authorization/organization_memberships/alice/role_assignments";
const BOB: &str = "/authorization/organization_memberships/bob/role_assignments";

fn on(role: &str, resource: &str) -> Value {
    json!({"role_slug": role, "resource_id": resource})
}

async fn assign(world: &World, path: &str, terms: Value) -> Value {
    let answer = world.post(path, &terms).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{terms}: {answer:?}");
    answer.json()
}

async fn unassign(world: &World, path: &str, terms: Value) {
    let answer = world.send(Method::DELETE, path, Some(&terms)).await;
    assert_eq!((answer.status, answer.body.as_str()), (StatusCode::NO_CONTENT, ""), "{terms}: {answer:?}");
}

/// The slugs of the roles that are listed.
async fn roles(world: &World, path: &str) -> Vec<String> {
    let mut roles = column(&world.get(path).await.ok(), "/role/slug");
    roles.sort_unstable();
    roles
}

fn manifest(world: &World, kind: &str, name: &str, spec: &str) {
    let text =
        format!("{{apiVersion: authz.bailiwick.dev/v1alpha1, kind: {kind}, metadata: {{name: {name}}}, spec: {spec}}}");
    world.write(&format!("{name}.yaml"), &text);
}

#[tokio::test]
async fn rule_30_an_assignment_counts_at_once_and_below_the_resource() {
    let world = acme::world();
    let terms = json!({
        "role_slug": "workspace-admin", "resource_external_id": "ws/tools 1", "resource_type_slug": "workspace",
    });
    let assigned = assign(&world, ALICE, terms).await;
    let id = assigned["id"].as_str().unwrap();
    assert!(id.starts_with("role_assignment_") && id.len() == 42, "{id}");
    let expected = json!({
        "object": "role_assignment", "id": id, "organization_membership_id": assigned["organization_membership_id"],
        "role": {"slug": "workspace-admin"},
        "resource": {"id": assigned["resource"]["id"], "external_id": "ws/tools 1", "resource_type_slug": "workspace"},
        "source": {"type": "direct", "group_role_assignment_id": null, "group": null},
        "created_at": assigned["created_at"], "updated_at": assigned["updated_at"],
    });
    assert_eq!(assigned, expected);
    assert!(assigned["organization_membership_id"].as_str().unwrap().starts_with("om_"));
    assert!(check(&world, "alice", "project:edit", "website").await);
    assert!(!check(&world, "bob", "project:edit", "website").await);
    let file = "membershiproleassignment-alice-workspace-admin-tools.yaml";
    assert!(world.read(file).contains("kind: MembershipRoleAssignment"), "{:?}", world.files());
}

#[tokio::test]
async fn rule_31_the_same_assignment_twice_is_one() {
    let world = acme::world();
    let first = assign(&world, ALICE, on("project-viewer", "website")).await;
    let second = assign(&world, ALICE, on("project-viewer", "website")).await;
    assert_eq!(first, second);
    let together = (0..8).map(|_| assign(&world, BOB, on("project-viewer", "website")));
    let together = futures::future::join_all(together).await;
    assert!(together.iter().all(|assigned| assigned == &together[0]), "{together:?}");
    let listed = world.get("/authorization/resources/website/role_assignments").await.ok();
    assert_eq!(listed["data"].as_array().unwrap().len(), 2, "{listed}");
}

#[tokio::test]
async fn rule_32_several_roles_on_a_resource_add_up() {
    let world = acme::world();
    let role = json!({"slug": "project-editor", "name": "E", "resource_type_slug": "project"});
    assert_eq!(world.post("/authorization/roles", &role).await.status, StatusCode::CREATED);
    world.put("/authorization/roles/project-editor/permissions", &json!({"permissions": ["project:edit"]})).await.ok();
    assign(&world, ALICE, on("project-viewer", "website")).await;
    assign(&world, ALICE, on("project-editor", "website")).await;
    assert!(check(&world, "alice", "project:view", "website").await);
    assert!(check(&world, "alice", "project:edit", "website").await);
}

#[tokio::test]
async fn rules_33_and_34_an_assignment_is_removed_by_id_or_by_criteria_and_those_below_stay() {
    let world = acme::world();
    let above = assign(&world, ALICE, on("workspace-admin", "tools")).await;
    assign(&world, ALICE, on("project-viewer", "website")).await;
    let id = above["id"].as_str().unwrap();
    refused(&world.delete(&format!("{BOB}/{id}")).await, 404, &not_found("Role assignment", id));
    assert_eq!(world.delete(&format!("{ALICE}/{id}")).await.status, StatusCode::NO_CONTENT);
    refused(&world.delete(&format!("{ALICE}/{id}")).await, 404, &not_found("Role assignment", id));
    assert!(!check(&world, "alice", "project:edit", "website").await);
    assert!(check(&world, "alice", "project:view", "website").await);

    unassign(&world, ALICE, on("project-viewer", "website")).await;
    assert!(!check(&world, "alice", "project:view", "website").await);
    let again = world.send(Method::DELETE, ALICE, Some(&on("project-viewer", "website"))).await;
    refused(&again, 404, &not_found("Role assignment", "project-viewer"));
    // By the name of the object.
    assign(&world, ALICE, on("project-viewer", "website")).await;
    assert_eq!(world.delete(&format!("{ALICE}/alice-project-viewer-website")).await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn rules_35_and_36_all_roles_of_a_membership_are_listed_with_their_sources() {
    let world = acme::world();
    let default = world.get(ALICE).await.ok()["data"][0].clone();
    assert_eq!((&default["role"]["slug"], &default["source"]["type"]), (&json!("member"), &json!("direct")));
    assert_eq!(default["resource"]["external_id"], "acme-1");
    assert!(default["id"].as_str().unwrap().starts_with("role_assignment_"));

    assign(&world, ALICE, on("project-viewer", "website")).await;
    let group = "/authorization/groups/devs/role_assignments";
    let by_group = world.post(group, &on("workspace-admin", "tools")).await.json();
    let list = world.get(&format!("{ALICE}?order=asc")).await.ok();
    assert_eq!(column(&list, "/role/slug"), ["member", "project-viewer", "workspace-admin"]);
    let derived = &list["data"][2];
    let source = json!({
        "type": "group", "group_role_assignment_id": by_group["id"],
        "group": {"id": by_group["group_id"], "name": "Developers"},
    });
    assert_eq!(derived["source"], source);
    assert_ne!(derived["id"], world.get(BOB).await.ok()["data"][0]["id"], "each member's has an id of its own");
    assert_eq!(derived["created_at"], by_group["created_at"]);

    for (filter, expected) in [
        ("resource_id=website", vec!["project-viewer"]),
        ("resource_id=acme", vec!["member"]),
        ("resource_id=moon", vec![]),
        ("resource_external_id=web-1", vec!["project-viewer"]),
        ("resource_external_id=acme-1", vec!["member"]),
        ("resource_type_slug=workspace", vec!["workspace-admin"]),
        ("resource_type_slug=workspace&resource_external_id=ws%2Ftools%201", vec!["workspace-admin"]),
        ("resource_type_slug=workspace&resource_external_id=web-1", vec![]),
    ] {
        assert_eq!(roles(&world, &format!("{ALICE}?{filter}")).await, expected, "{filter}");
    }
    // Rule 68: pages, in both directions.
    let first = world.get(&format!("{ALICE}?order=asc&limit=2")).await.ok();
    assert_eq!(column(&first, "/role/slug"), ["member", "project-viewer"]);
    let after = first["list_metadata"]["after"].as_str().unwrap();
    let second = world.get(&format!("{ALICE}?order=asc&limit=2&after={after}")).await.ok();
    assert_eq!(column(&second, "/role/slug"), ["workspace-admin"]);
    let before = second["list_metadata"]["before"].as_str().unwrap();
    assert_eq!(world.get(&format!("{ALICE}?order=asc&limit=2&before={before}")).await.ok()["data"], first["data"]);
}

#[tokio::test]
async fn rule_37_of_a_resource_are_listed_the_roles_on_it_and_not_those_above() {
    let world = acme::world();
    assign(&world, ALICE, on("workspace-admin", "tools")).await;
    assign(&world, BOB, on("project-viewer", "website")).await;
    let website = world.get("/authorization/resources/website/role_assignments").await.ok();
    assert_eq!(column(&website, "/role/slug"), ["project-viewer"]);
    // A group's counts once for each member, those of its subgroups too.
    manifest(&world, "Group", "guests", "{organizationRef: {name: acme}, members: [bob]}");
    manifest(&world, "Group", "all", "{organizationRef: {name: acme}, members: [alice], subgroups: [guests]}");
    manifest(
        &world,
        "GroupRoleAssignment",
        "by-group",
        "{groupRef: {name: all}, roleRef: {name: workspace-admin}, resourceRef: {name: tools}}",
    );
    let path = "/authorization/organizations/acme/resources/workspace/ws%2Ftools%201/role_assignments";
    let tools = world.get(&format!("{path}?order=asc")).await.ok();
    let mut sources = column(&tools, "/source/type");
    sources.sort_unstable();
    assert_eq!(sources, ["direct", "group", "group"]);
    assert_eq!(column(&tools, "/source/group/name").iter().filter(|name| *name == "all").count(), 2);
    let ids: std::collections::BTreeSet<_> = column(&tools, "/id").into_iter().collect();
    assert_eq!(ids.len(), 3);
    assert_eq!(tools, world.get("/authorization/resources/tools/role_assignments?order=asc").await.ok());

    // On the organization everybody has a role.
    let organization = "/authorization/resources/acme/role_assignments";
    assert_eq!(roles(&world, organization).await, ["member", "member"]);
    assert_eq!(roles(&world, &format!("{organization}?role_slug=member")).await, ["member", "member"]);
    assert_eq!(roles(&world, &format!("{organization}?role_slug=admin")).await, [""; 0]);
    assert_eq!(roles(&world, &format!("{organization}?role_slug=nobody")).await, [""; 0]);
    let moon = world.get("/authorization/resources/moon/role_assignments").await;
    refused(&moon, 404, &not_found("Resource", "moon"));
    let moon = world.get("/authorization/organizations/moon/resources/workspace/x/role_assignments").await;
    refused(&moon, 404, &not_found("Organization", "moon"));
    let moon = world.get("/authorization/organizations/globex/resources/project/web-1/role_assignments").await;
    refused(&moon, 404, &not_found("Resource", "web-1"));
}

#[tokio::test]
async fn rule_38_what_comes_from_elsewhere_is_not_removed_here() {
    let world = World::new(&acme::MANIFESTS.replace(
        "spec: {defaultRoleRef: {name: member}}",
        "spec: {defaultRoleRef: {name: member}, \
         identityProvider: {roleMappings: [{source: SSO, group: ops, roleRef: {name: admin}}]}}",
    ));
    world.post("/authorization/groups/devs/role_assignments", &on("workspace-admin", "tools")).await;
    manifest(
        &world,
        "OrganizationMembership",
        "dan",
        "{organizationRef: {name: acme}, user: {id: user_dan}, ssoGroups: [ops]}",
    );
    let dan = "/authorization/organization_memberships/dan/role_assignments";
    for (path, role, resource, remedy) in [
        (ALICE, "workspace-admin", "tools", "the membership has it through group 'Developers': take it from the group"),
        (ALICE, "member", "acme", "it is the default role of the environment: assign another role"),
        (dan, "admin", "acme", "the identity provider gives it: change the mapping of its groups"),
    ] {
        let list = world.get(&format!("{path}?resource_id={resource}")).await.ok();
        assert_eq!(column(&list, "/role/slug"), [role]);
        let id = list["data"][0]["id"].as_str().unwrap();
        let by_id = world.delete(&format!("{path}/{id}")).await;
        let sentence = format!("role_assignment_id '{id}' cannot be removed here, because {remedy}");
        refused(&by_id, 422, &invalid("role_assignment_id", &sentence));
        let by_criteria = world.send(Method::DELETE, path, Some(&on(role, resource))).await;
        let sentence = format!("role_slug '{role}' cannot be removed here, because {remedy}");
        refused(&by_criteria, 422, &invalid("role_slug", &sentence));
    }
    // One that is given directly as well is removed, and the other stays.
    assign(&world, ALICE, on("workspace-admin", "tools")).await;
    unassign(&world, ALICE, on("workspace-admin", "tools")).await;
    assert!(check(&world, "alice", "workspace:edit", "tools").await);
}

#[tokio::test]
async fn rule_36_with_one_role_an_assignment_on_the_organization_replaces_it_and_removal_leads_to_the_default() {
    let world = acme::world();
    let admin = assign(&world, ALICE, on("admin", "acme")).await;
    assert_eq!(roles(&world, ALICE).await, ["admin"]);
    assert!(check(&world, "alice", "organization:manage", "website").await);
    let by_external_id =
        json!({"role_slug": "admin", "resource_external_id": "acme-1", "resource_type_slug": "organization"});
    assert_eq!(assign(&world, ALICE, by_external_id).await, admin, "rule 31");
    // It is kept by the membership itself.
    assert!(world.read("manifests.yaml").contains("roleRefs"), "{}", world.read("manifests.yaml"));

    let role = json!({"slug": "auditor", "name": "Auditor"});
    assert_eq!(world.post("/authorization/roles", &role).await.status, StatusCode::CREATED);
    assign(&world, ALICE, on("auditor", "acme")).await;
    assert_eq!(roles(&world, ALICE).await, ["auditor"]);
    assert!(!check(&world, "alice", "organization:manage", "acme").await);
    // Assignments that manifests made go too.
    manifest(&world, "MembershipRoleAssignment", "made", "{membershipRef: {name: alice}, roleRef: {name: member}}");
    assert_eq!(roles(&world, ALICE).await, ["member"], "the older role wins");
    assign(&world, ALICE, on("admin", "acme")).await;
    assert_eq!(roles(&world, ALICE).await, ["admin"]);
    assert!(!world.files().contains(&"made.yaml".to_owned()));

    let id = world.get(ALICE).await.ok()["data"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(world.delete(&format!("{ALICE}/{id}")).await.status, StatusCode::NO_CONTENT);
    assert_eq!(roles(&world, ALICE).await, ["member"], "the default role");
    refused(&world.delete(&format!("{ALICE}/{id}")).await, 404, &not_found("Role assignment", &id));
    assign(&world, ALICE, on("admin", "acme")).await;
    unassign(&world, ALICE, on("admin", "acme")).await;
    assert_eq!(roles(&world, ALICE).await, ["member"]);
}

#[tokio::test]
async fn rule_36_with_several_roles_an_assignment_on_the_organization_is_one_more() {
    let world = acme::multiple_roles();
    let role = json!({"slug": "auditor", "name": "Auditor"});
    assert_eq!(world.post("/authorization/roles", &role).await.status, StatusCode::CREATED);
    assign(&world, ALICE, on("admin", "acme")).await;
    assign(&world, ALICE, on("auditor", "acme")).await;
    assign(&world, ALICE, on("auditor", "acme")).await;
    manifest(&world, "MembershipRoleAssignment", "made", "{membershipRef: {name: alice}, roleRef: {name: member}}");
    assert_eq!(roles(&world, ALICE).await, ["admin", "auditor", "member"]);
    let made = assign(&world, ALICE, on("member", "acme")).await;
    assert_eq!(roles(&world, ALICE).await, ["admin", "auditor", "member"], "there already");
    assert_eq!(world.delete(&format!("{ALICE}/{}", made["id"].as_str().unwrap())).await.status, StatusCode::NO_CONTENT);
    assert!(!world.files().contains(&"made.yaml".to_owned()));
    unassign(&world, ALICE, on("admin", "acme")).await;
    assert_eq!(roles(&world, ALICE).await, ["auditor"]);
    unassign(&world, ALICE, on("auditor", "acme")).await;
    assert_eq!(roles(&world, ALICE).await, ["member"], "the default role");
}

#[tokio::test]
async fn rule_13_a_suspended_membership_keeps_its_roles_in_the_lists() {
    let world = acme::world();
    assign(&world, ALICE, on("project-viewer", "website")).await;
    world.post("/authorization/groups/devs/role_assignments", &json!({"role_slug": "admin"})).await;
    manifest(&world, "MembershipRoleAssignment", "made", "{membershipRef: {name: alice}, roleRef: {name: member}}");
    let before = (world.get(ALICE).await.ok(), world.get(BOB).await.ok());
    assert_eq!(roles(&world, ALICE).await, ["member", "project-viewer"], "the role of the group is superseded");
    let suspend = |text: String, user: &str| {
        text.replace(&format!("user: {{id: {user}}}"), &format!("user: {{id: {user}}}, suspended: true"))
    };
    world.write("manifests.yaml", &suspend(suspend(world.read("manifests.yaml"), "user_alice"), "user_bob"));
    assert!(!check(&world, "alice", "project:view", "website").await);
    let pairs = |list: &Value| column(list, "/id");
    let after = (world.get(ALICE).await.ok(), world.get(BOB).await.ok());
    assert_eq!((pairs(&after.0), pairs(&after.1)), (pairs(&before.0), pairs(&before.1)));
    world
        .send(Method::DELETE, "/authorization/groups/devs/role_assignments", Some(&json!({"role_slug": "admin"})))
        .await;
    assert_eq!(roles(&world, BOB).await, ["member"], "the default role");
}

#[tokio::test]
async fn an_assignment_ends_when_it_is_told_to() {
    let world = acme::world();
    let until =
        |role: &str, resource: &str, end: Value| json!({"role_slug": role, "resource_id": resource, "expires_at": end});
    let first = assign(&world, ALICE, until("project-viewer", "website", json!("2099-01-31T16:00:00.9Z"))).await;
    assert_eq!(first["expires_at"], "2099-01-31T16:00:00.000Z");
    let second = assign(&world, ALICE, until("project-viewer", "website", json!("2098-01-01T00:00:00Z"))).await;
    assert_eq!((&second["id"], &second["expires_at"]), (&first["id"], &json!("2098-01-01T00:00:00.000Z")));
    let third = assign(&world, ALICE, on("project-viewer", "website")).await;
    assert_eq!(third, second, "nothing said, nothing changed");
    let fourth = assign(&world, ALICE, until("project-viewer", "website", Value::Null)).await;
    assert_eq!((&fourth["id"], &fourth["expires_at"]), (&first["id"], &Value::Null));
    let in_future = "expires_at must be an instant in the future, such as 2030-01-31T18:00:00Z, or null";
    let past = world.post(ALICE, &until("project-viewer", "website", json!("2020-01-01T00:00:00Z"))).await;
    refused(&past, 422, &invalid("expires_at", in_future));
}

#[tokio::test]
async fn a_role_on_the_organization_may_end_too() {
    for world in [acme::world(), acme::multiple_roles()] {
        assign(&world, ALICE, on("admin", "acme")).await;
        let terms = json!({"role_slug": "admin", "resource_id": "acme", "expires_at": "2099-01-01T00:00:00Z"});
        let ending = assign(&world, ALICE, terms.clone()).await;
        assert_eq!(ending["expires_at"], "2099-01-01T00:00:00.000Z");
        let list = world.get(ALICE).await.ok();
        assert_eq!(list["data"], json!([ending]), "it is no role for ever besides");
        assert_eq!(assign(&world, ALICE, terms).await, ending);
        let lasting =
            assign(&world, ALICE, json!({"role_slug": "admin", "resource_id": "acme", "expires_at": null})).await;
        assert_eq!((&lasting["id"], &lasting["expires_at"]), (&ending["id"], &Value::Null));
        unassign(&world, ALICE, on("admin", "acme")).await;
        assert_eq!(roles(&world, ALICE).await, ["member"]);
    }
}

#[tokio::test]
async fn what_has_ended_is_not_there_and_may_be_assigned_anew() {
    let world = acme::world();
    let spec = "{membershipRef: {name: alice}, roleRef: {name: project-viewer}, resourceRef: {name: website}, expiresAt: '2026-01-02T00:00:00Z'}";
    manifest(&world, "MembershipRoleAssignment", "ended", spec);
    assert_eq!(roles(&world, ALICE).await, ["member"]);
    let answer = world.send(Method::DELETE, ALICE, Some(&on("project-viewer", "website"))).await;
    refused(&answer, 404, &not_found("Role assignment", "project-viewer"));
    refused(&world.delete(&format!("{ALICE}/ended")).await, 404, &not_found("Role assignment", "ended"));
    assign(&world, ALICE, on("project-viewer", "website")).await;
    assert!(check(&world, "alice", "project:view", "website").await);
    assert!(!world.files().contains(&"ended.yaml".to_owned()), "of no use any more");
}

#[tokio::test]
async fn duplicates_of_manifests_go_together() {
    let world = acme::world();
    for name in ["one", "two"] {
        let spec = "{membershipRef: {name: alice}, roleRef: {name: project-viewer}, resourceRef: {name: website}}";
        manifest(&world, "MembershipRoleAssignment", name, spec);
    }
    unassign(&world, ALICE, on("project-viewer", "website")).await;
    assert!(!check(&world, "alice", "project:view", "website").await);
    assert_eq!(world.files(), ["manifests.yaml"]);
}

#[tokio::test]
async fn every_refusal_of_an_assignment_has_its_body() {
    let world = acme::world();
    let moon = "/authorization/organization_memberships/moon/role_assignments";
    let no_membership = not_found("Organization membership", "moon");
    refused(&world.get(moon).await, 404, &no_membership);
    refused(&world.delete(&format!("{moon}/x")).await, 404, &no_membership);
    let unknown_id = not_found("Role assignment", "role_assignment_x");
    refused(&world.delete(&format!("{ALICE}/role_assignment_x")).await, 404, &unknown_id);
    for method in [Method::POST, Method::DELETE] {
        // Rule 29.
        let answer = world.send(method.clone(), moon, Some(&on("admin", "acme"))).await;
        refused(&answer, 404, &no_membership);
        let nothing = "resource_id, or resource_external_id and resource_type_slug, should not be empty";
        let both = json!({"role_slug": "admin", "resource_id": "acme", "resource_external_id": "x", "resource_type_slug": "y"});
        for (terms, status, body) in [
            (json!({"resource_id": "acme"}), 422, invalid("role_slug", "role_slug should not be empty")),
            (json!({"role_slug": "admin"}), 422, invalid("resource_id", nothing)),
            (
                json!({"role_slug": "admin", "resource_external_id": "x"}),
                422,
                invalid("resource_type_slug", "resource_type_slug should not be empty beside resource_external_id"),
            ),
            (
                both,
                422,
                invalid(
                    "resource_id",
                    "resource_id should not be given beside resource_external_id and resource_type_slug",
                ),
            ),
            (on("nobody", "acme"), 404, not_found("Role", "nobody")),
            // Rule 28: another organization's.
            (on("org-lead", "acme"), 404, not_found("Role", "org-lead")),
            (on("workspace-admin", "moon"), 404, not_found("Resource", "moon")),
            (on("workspace-admin", "globex-tools"), 404, not_found("Resource", "globex-tools")),
        ] {
            refused(&world.send(method.clone(), ALICE, Some(&terms)).await, status, &body);
        }
    }
    // Rule 27.
    let sentence = "role_slug must be a role for resources of type 'workspace', but 'project-viewer' is for those of type 'project'";
    refused(&world.post(ALICE, &on("project-viewer", "tools")).await, 422, &invalid("role_slug", sentence));
    let limit = world.get(&format!("{ALICE}?limit=many")).await;
    refused(&limit, 422, &invalid("limit", "limit must be a number from 1 to 100"));
    let order = world.get("/authorization/resources/tools/role_assignments?order=up").await;
    refused(&order, 422, &invalid("order", "order must be one of asc, desc, normal"));
    refuses_malformed_bodies(&world, &[(Method::POST, ALICE), (Method::DELETE, ALICE)]).await;
    assert_eq!(roles(&world, ALICE).await, ["member"]);
}

#[tokio::test]
async fn under_the_name_of_the_environment_it_is_the_same() {
    let world = acme::world();
    let assigned = assign(&world, &format!("/environments/default{ALICE}"), on("project-viewer", "website")).await;
    let list = world.get(&format!("/environments/default{ALICE}?resource_type_slug=project")).await.ok();
    assert_eq!(list["data"], json!([assigned]));
}

#[tokio::test]
async fn rule_28_an_organizations_own_role_goes_before_one_of_the_environment() {
    let world = acme::world();
    manifest(
        &world,
        "Role",
        "shadow",
        "{slug: project-viewer, resourceType: project, organizationRef: {name: acme}, permissions: ['project:edit']}",
    );
    assign(&world, ALICE, on("project-viewer", "website")).await;
    assert!(check(&world, "alice", "project:edit", "website").await);
    assert!(!check(&world, "alice", "project:view", "website").await);
}

#[tokio::test]
async fn rule_39_what_hangs_on_something_goes_with_it() {
    let world = acme::world();
    assign(&world, ALICE, on("workspace-admin", "tools")).await;
    // Whoever reads the list while the resource is detached sees no assignment on it.
    let detached = world.read("manifests.yaml").replace("parentRef: {name: acme}", "parentRef: {name: nowhere}");
    world.write("manifests.yaml", &detached);
    assert_eq!(roles(&world, ALICE).await, ["member"]);
    refused(&world.get("/authorization/resources/tools/role_assignments").await, 404, &not_found("Resource", "tools"));
}
