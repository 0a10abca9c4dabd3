//! Role assignments of groups (rules 40 to 50).

use std::sync::atomic::{AtomicBool, Ordering};

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{
    acme,
    expect::{coded, invalid, not_found, refused, refuses_malformed_bodies},
    requests::{check, column},
};
use crate::support::workos::World;

const DEVS: &str = "/authorization/groups/devs/role_assignments";

async fn roles(world: &World) -> Vec<String> {
    column(&world.get(&format!("{DEVS}?order=asc")).await.ok(), "/role/slug")
}

async fn send(world: &World, method: Method, body: Value) -> StatusCode {
    world.send(method, DEVS, Some(&body)).await.status
}

#[tokio::test]
async fn a_role_is_assigned_to_a_group_shown_and_removed() {
    let world = acme::world();
    let tools = world.get("/authorization/resources/tools/role_assignments").await.ok();
    assert_eq!(tools["data"], json!([]));
    let created = world.post(DEVS, &json!({"role_slug": "workspace-admin", "resource_id": "tools"})).await;
    assert_eq!(created.status, StatusCode::CREATED);
    let created = created.json();
    let id = created["id"].as_str().unwrap();
    assert!(id.starts_with("gra_") && id.len() == 30, "{id}");
    let expected = json!({
        "object": "group_role_assignment", "id": id, "group_id": created["group_id"],
        "role": {"slug": "workspace-admin"},
        "resource": {"id": created["resource"]["id"], "external_id": "ws/tools 1", "resource_type_slug": "workspace"},
        "created_at": created["created_at"], "updated_at": created["updated_at"],
    });
    assert_eq!(created, expected);
    assert!(created["group_id"].as_str().unwrap().starts_with("group_"));
    // Rule 40, and 43: on what is below, at once.
    for membership in ["alice", "bob"] {
        assert!(check(&world, membership, "project:edit", "website").await);
    }
    assert!(
        world.files().contains(&"grouproleassignment-devs-workspace-admin-tools.yaml".to_owned()),
        "{:?}",
        world.files()
    );
    let path = format!("{DEVS}/{id}");
    assert_eq!(world.get(&path).await.ok(), expected);
    assert_eq!(world.get(&format!("{DEVS}/devs-workspace-admin-tools")).await.ok(), expected, "by name");
    assert_eq!(world.get(DEVS).await.ok()["data"], json!([expected]));

    let deleted = world.delete(&path).await;
    assert_eq!((deleted.status, deleted.body.as_str()), (StatusCode::NO_CONTENT, ""));
    refused(&world.delete(&path).await, 404, &not_found("Group role assignment", id));
    assert!(!check(&world, "alice", "project:edit", "website").await);
}

#[tokio::test]
async fn resources_are_named_by_id_or_external_id_or_are_the_organization() {
    let world = acme::world();
    let external =
        json!({"role_slug": "project-viewer", "resource_external_id": "web-1", "resource_type_slug": "project"});
    let first = world.post(DEVS, &external).await.json();
    assert_eq!(first["resource"]["external_id"], "web-1");
    let organization = world.post(DEVS, &json!({"role_slug": "admin"})).await.json();
    assert_eq!(organization["resource"]["external_id"], "acme-1");
    assert_eq!(organization["resource"]["resource_type_slug"], "organization");
    assert!(check(&world, "bob", "organization:manage", "website").await);
    // Rule 50: by criteria, where none means the organization.
    assert_eq!(send(&world, Method::DELETE, json!({"role_slug": "admin"})).await, StatusCode::NO_CONTENT);
    assert_eq!(roles(&world).await, ["project-viewer"]);
    let again = world.send(Method::DELETE, DEVS, Some(&json!({"role_slug": "admin"}))).await;
    refused(&again, 404, &not_found("Group role assignment", "admin"));
    assert_eq!(send(&world, Method::DELETE, external).await, StatusCode::NO_CONTENT);
    assert_eq!(roles(&world).await, [""; 0]);
}

#[tokio::test]
async fn rule_42_a_role_from_another_source_stays() {
    let world = acme::world();
    let terms = json!({"role_slug": "workspace-admin", "resource_id": "tools"});
    world.post("/authorization/organization_memberships/alice/role_assignments", &terms).await;
    assert_eq!(send(&world, Method::POST, terms.clone()).await, StatusCode::CREATED);
    assert_eq!(send(&world, Method::DELETE, terms).await, StatusCode::NO_CONTENT);
    assert!(check(&world, "alice", "workspace:edit", "tools").await);
    assert!(!check(&world, "bob", "workspace:edit", "tools").await);
}

#[tokio::test]
async fn rule_46_on_the_organization_the_highest_role_wins_and_with_several_all_count() {
    let world = acme::world();
    world.put("/authorization/role_priority", &json!({"role_slugs": ["admin"]})).await.ok();
    assert_eq!(send(&world, Method::POST, json!({"role_slug": "admin"})).await, StatusCode::CREATED);
    assert!(check(&world, "alice", "organization:manage", "acme").await);
    assert_eq!(send(&world, Method::DELETE, json!({"role_slug": "admin"})).await, StatusCode::NO_CONTENT);
    let listed = world.get("/authorization/organization_memberships/alice/role_assignments").await.ok();
    assert_eq!(column(&listed, "/role/slug"), ["member"], "the default role again");

    let world = acme::multiple_roles();
    let alice = "/authorization/organization_memberships/alice/role_assignments";
    world.post(alice, &json!({"role_slug": "member", "resource_id": "acme"})).await;
    assert_eq!(send(&world, Method::POST, json!({"role_slug": "admin"})).await, StatusCode::CREATED);
    let listed = world.get(&format!("{alice}?order=asc")).await.ok();
    assert_eq!(column(&listed, "/role/slug"), ["member", "admin"]);
    assert_eq!(column(&listed, "/source/type"), ["direct", "group"]);
}

#[tokio::test]
async fn rule_48_the_list_is_replaced_by_exactly_another() {
    let world = acme::world();
    let entry = |role: &str, resource: &str| json!({"role_slug": role, "resource_id": resource});
    send(&world, Method::POST, entry("workspace-admin", "tools")).await;
    send(&world, Method::POST, json!({"role_slug": "admin"})).await;
    let kept = world.get(&format!("{DEVS}?order=asc")).await.ok()["data"][0].clone();

    let entries = json!([
        entry("project-viewer", "website"),
        entry("workspace-admin", "tools"),
        entry("workspace-admin", "tools")
    ]);
    let replaced = world.put(DEVS, &json!({ "role_assignments": entries })).await.ok();
    assert_eq!(
        (&replaced["object"], &replaced["list_metadata"]),
        (&json!("list"), &json!({"before": null, "after": null}))
    );
    assert_eq!(column(&replaced, "/role/slug"), ["project-viewer", "workspace-admin"], "each once, the newest first");
    assert_eq!(replaced["data"][1], kept, "what was there stays the same");
    assert_eq!(replaced["data"], world.get(DEVS).await.ok()["data"]);
    assert!(!check(&world, "alice", "organization:manage", "acme").await);
    assert!(check(&world, "alice", "project:view", "website").await);

    // More than a page: all come back.
    let many: Vec<Value> =
        (0..30).map(|index| json!({"role_slug": format!("v{index}"), "resource_id": "website"})).collect();
    for index in 0..30 {
        let role = json!({"slug": format!("v{index}"), "name": "V", "resource_type_slug": "project"});
        assert_eq!(world.post("/authorization/roles", &role).await.status, StatusCode::CREATED);
    }
    let replaced = world.put(DEVS, &json!({ "role_assignments": many })).await.ok();
    assert_eq!(replaced["data"].as_array().unwrap().len(), 30);

    assert_eq!(world.put(DEVS, &json!({"role_assignments": []})).await.ok()["data"], json!([]));
    assert_eq!(roles(&world).await, [""; 0]);
}

#[tokio::test]
async fn rule_49_a_patch_adds_and_removes_and_skips_what_is_so_already() {
    let world = acme::world();
    let entry = |role: &str, resource: &str| json!({"role_slug": role, "resource_id": resource});
    send(&world, Method::POST, entry("workspace-admin", "tools")).await;
    let patch = json!({
        "add": [entry("project-viewer", "website"), entry("project-viewer", "website"), json!({"role_slug": "admin"})],
        "remove": [entry("workspace-admin", "tools")],
    });
    let answer = world.patch(DEVS, &patch).await;
    assert_eq!((answer.status, answer.body.as_str()), (StatusCode::NO_CONTENT, ""));
    let mut now = roles(&world).await;
    now.sort_unstable();
    assert_eq!(now, ["admin", "project-viewer"]);
    // Said again, it changes nothing.
    let before = world.get(DEVS).await.ok();
    assert_eq!(world.patch(DEVS, &patch).await.status, StatusCode::NO_CONTENT);
    assert_eq!(world.get(DEVS).await.ok(), before);

    let same = json!({
        "add": [entry("project-viewer", "website")],
        "remove": [{"role_slug": "project-viewer", "resource_external_id": "web-1", "resource_type_slug": "project"}],
    });
    let sentence = "role 'project-viewer' on the same resource must not be both in add and in remove";
    refused(&world.patch(DEVS, &same).await, 422, &invalid("remove", sentence));
    let bounds = invalid("add", "add and remove must contain 1 to 100 elements together");
    refused(&world.patch(DEVS, &json!({})).await, 422, &bounds);
    refused(&world.patch(DEVS, &json!({"add": [], "remove": []})).await, 422, &bounds);
    let many = |count| (0..count).map(|_| entry("project-viewer", "website")).collect::<Vec<_>>();
    refused(&world.patch(DEVS, &json!({"add": many(60), "remove": many(41)})).await, 422, &bounds);
    // Nothing of a patch is done of which a part cannot be.
    let unknown = world
        .patch(DEVS, &json!({"add": [entry("nobody", "website")], "remove": [entry("project-viewer", "website")]}))
        .await;
    refused(&unknown, 404, &not_found("Role", "nobody"));
    let unknown = world
        .patch(DEVS, &json!({"remove": [entry("project-viewer", "website"), entry("project-viewer", "moon")]}))
        .await;
    refused(&unknown, 404, &not_found("Resource", "moon"));
    assert_eq!(world.get(DEVS).await.ok(), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_49_no_check_ever_sees_half_a_patch() {
    let world = acme::world();
    // Two roles that permit the same: one is always there.
    let role = json!({"slug": "other-viewer", "name": "V", "resource_type_slug": "project"});
    assert_eq!(world.post("/authorization/roles", &role).await.status, StatusCode::CREATED);
    world.put("/authorization/roles/other-viewer/permissions", &json!({"permissions": ["project:view"]})).await.ok();
    world
        .put(
            "/authorization/roles/project-viewer/permissions",
            &json!({"permissions": ["project:view", "project:edit"]}),
        )
        .await
        .ok();
    let entry = |role: &str| json!({"role_slug": role, "resource_id": "website"});
    send(&world, Method::POST, entry("other-viewer")).await;
    let done = AtomicBool::new(false);
    let patches = async {
        for round in 0..20 {
            let (add, remove) =
                if round % 2 == 0 { ("project-viewer", "other-viewer") } else { ("other-viewer", "project-viewer") };
            let answer = world.patch(DEVS, &json!({"add": [entry(add)], "remove": [entry(remove)]})).await;
            assert_eq!(answer.status, StatusCode::NO_CONTENT, "{answer:?}");
        }
        done.store(true, Ordering::Relaxed);
    };
    let checks = async {
        let mut seen = 0_u32;
        let listed = "/authorization/organization_memberships/alice/role_assignments?resource_id=website";
        while !done.load(Ordering::Relaxed) {
            assert!(check(&world, "alice", "project:view", "website").await, "after {seen} checks");
            let list = world.get(listed).await.ok();
            assert_eq!(list["data"].as_array().unwrap().len(), 1, "{list}");
            seen += 1;
            tokio::task::yield_now().await;
        }
        seen
    };
    let ((), seen) = futures::future::join(patches, checks).await;
    assert!(seen > 20, "checked {seen} times only");
}

#[tokio::test]
async fn an_assignment_ends_when_it_is_told_to() {
    let world = acme::world();
    let terms = |end: Value| json!({"role_slug": "project-viewer", "resource_id": "website", "expires_at": end});
    let created = world.post(DEVS, &terms(json!("2099-01-31T18:00:00.700+02:00"))).await.json();
    assert_eq!(created["expires_at"], "2099-01-31T16:00:00.000Z");
    let in_future = "expires_at must be an instant in the future, such as 2030-01-31T18:00:00Z, or null";
    for end in ["2020-01-01T00:00:00Z", "tomorrow", ""] {
        refused(&world.post(DEVS, &terms(json!(end))).await, 422, &invalid("expires_at", in_future));
    }
    // A patch gives it another end, or none; a replacement is exact.
    let end = |list: &Value| list["data"][0]["expires_at"].clone();
    world.patch(DEVS, &json!({"add": [terms(json!("2098-01-01T00:00:00Z"))]})).await;
    assert_eq!(end(&world.get(DEVS).await.ok()), "2098-01-01T00:00:00.000Z");
    world.patch(DEVS, &json!({"add": [{"role_slug": "project-viewer", "resource_id": "website"}]})).await;
    assert_eq!(end(&world.get(DEVS).await.ok()), "2098-01-01T00:00:00.000Z", "nothing said, nothing changed");
    let plain = json!({"role_assignments": [{"role_slug": "project-viewer", "resource_id": "website"}]});
    let replaced = world.put(DEVS, &plain).await.ok();
    assert_eq!((&end(&replaced), &replaced["data"][0]["id"]), (&Value::Null, &created["id"]));
    let two_ends = json!({"role_assignments": [terms(Value::Null), terms(json!("2098-01-01T00:00:00Z"))]});
    let sentence = "role_assignments must not name role 'project-viewer' on the same resource with two ends";
    refused(&world.put(DEVS, &two_ends).await, 422, &invalid("role_assignments", sentence));
}

#[tokio::test]
async fn what_has_ended_is_not_there_and_may_be_assigned_anew() {
    let world = acme::world();
    let manifest = "{apiVersion: authz.bailiwick.dev/v1alpha1, kind: GroupRoleAssignment, metadata: {name: ended}, \
                    spec: {groupRef: {name: devs}, roleRef: {name: admin}, expiresAt: '2026-01-02T00:00:00Z'}}";
    world.write("ended.yaml", manifest);
    assert_eq!(roles(&world).await, [""; 0]);
    refused(&world.get(&format!("{DEVS}/ended")).await, 404, &not_found("Group role assignment", "ended"));
    let criteria = world.send(Method::DELETE, DEVS, Some(&json!({"role_slug": "admin"}))).await;
    refused(&criteria, 404, &not_found("Group role assignment", "admin"));
    assert_eq!(send(&world, Method::POST, json!({"role_slug": "admin"})).await, StatusCode::CREATED);
    assert_eq!(roles(&world).await, ["admin"]);
    assert!(!world.files().contains(&"ended.yaml".to_owned()), "of no use any more");
}

#[tokio::test]
async fn every_refusal_of_a_groups_assignment_has_its_body() {
    let world = acme::world();
    let moon = "/authorization/groups/moon/role_assignments";
    let no_group = not_found("Group", "moon");
    let admin = json!({"role_slug": "admin"});
    refused(&world.get(moon).await, 404, &no_group);
    for (method, body) in [
        (Method::POST, admin.clone()),
        (Method::PUT, json!({"role_assignments": []})),
        (Method::PATCH, json!({"add": [admin]})),
        (Method::DELETE, admin.clone()),
    ] {
        refused(&world.send(method, moon, Some(&body)).await, 404, &no_group);
    }
    refused(&world.get(&format!("{moon}/x")).await, 404, &no_group);
    refused(&world.delete(&format!("{moon}/x")).await, 404, &no_group);
    refused(&world.get(&format!("{DEVS}/gra_x")).await, 404, &not_found("Group role assignment", "gra_x"));
    refused(&world.delete(&format!("{DEVS}/gra_x")).await, 404, &not_found("Group role assignment", "gra_x"));

    // Each way of saying it refuses the same.
    let both =
        json!({"role_slug": "admin", "resource_id": "acme", "resource_external_id": "x", "resource_type_slug": "y"});
    for (entry, status, body) in [
        (json!({}), 422, invalid("role_slug", "role_slug should not be empty")),
        (
            json!({"role_slug": "admin", "resource_external_id": "x"}),
            422,
            invalid("resource_type_slug", "resource_type_slug should not be empty beside resource_external_id"),
        ),
        (
            json!({"role_slug": "admin", "resource_type_slug": "project"}),
            422,
            invalid("resource_external_id", "resource_external_id should not be empty beside resource_type_slug"),
        ),
        (
            both,
            422,
            invalid(
                "resource_id",
                "resource_id should not be given beside resource_external_id and resource_type_slug",
            ),
        ),
        (json!({"role_slug": "nobody"}), 404, not_found("Role", "nobody")),
        (json!({"role_slug": "org-lead"}), 404, not_found("Role", "org-lead")),
        (json!({"role_slug": "admin", "resource_id": "moon"}), 404, not_found("Resource", "moon")),
        (
            json!({"role_slug": "workspace-admin", "resource_id": "globex-tools"}),
            404,
            not_found("Resource", "globex-tools"),
        ),
    ] {
        for (method, request) in [
            (Method::POST, entry.clone()),
            (Method::DELETE, entry.clone()),
            (Method::PUT, json!({"role_assignments": [entry]})),
            (Method::PATCH, json!({"add": [entry]})),
            (Method::PATCH, json!({"remove": [entry]})),
        ] {
            refused(&world.send(method, DEVS, Some(&request)).await, status, &body);
        }
    }
    let misfit = json!({"role_slug": "project-viewer", "resource_id": "tools"});
    let sentence = "role_slug must be a role for resources of type 'workspace', but 'project-viewer' is for those of type 'project'";
    refused(&world.post(DEVS, &misfit).await, 422, &invalid("role_slug", sentence));
    refused(&world.put(DEVS, &json!({"role_assignments": [misfit]})).await, 422, &invalid("role_slug", sentence));

    // Rule 47.
    let created = world.post(DEVS, &admin).await.json();
    let duplicate = coded("duplicate_group_role_assignment", "The group has role 'admin' on this resource already.");
    refused(&world.post(DEVS, &json!({"role_slug": "admin", "resource_id": "acme"})).await, 409, &duplicate);
    // Another group's.
    let id = created["id"].as_str().unwrap();
    let elsewhere = format!("/authorization/groups/globex-devs/role_assignments/{id}");
    refused(&world.get(&elsewhere).await, 404, &not_found("Group role assignment", id));
    refused(&world.delete(&elsewhere).await, 404, &not_found("Group role assignment", id));
    assert_eq!(roles(&world).await, ["admin"]);

    let missing = invalid("role_assignments", "role_assignments must be an array");
    refused(&world.put(DEVS, &json!({})).await, 422, &missing);
    let many: Vec<Value> = (0..101).map(|_| json!({"role_slug": "admin"})).collect();
    let sentence = "role_assignments must contain no more than 100 elements";
    refused(&world.put(DEVS, &json!({"role_assignments": many})).await, 422, &invalid("role_assignments", sentence));
    let limit = world.get(&format!("{DEVS}?limit=0")).await;
    refused(&limit, 422, &invalid("limit", "limit must be a number from 1 to 100"));
    let methods = [Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
    refuses_malformed_bodies(&world, &methods.map(|method| (method, DEVS))).await;
}

#[tokio::test]
async fn a_cursor_still_works_when_its_assignment_is_gone() {
    let world = acme::world();
    for index in 0..5 {
        let role = json!({"slug": format!("v{index}"), "name": "V", "resource_type_slug": "project"});
        assert_eq!(world.post("/authorization/roles", &role).await.status, StatusCode::CREATED);
        let terms = json!({"role_slug": format!("v{index}"), "resource_id": "website"});
        assert_eq!(send(&world, Method::POST, terms).await, StatusCode::CREATED);
    }
    let all = roles(&world).await;
    let first = world.get(&format!("{DEVS}?order=asc&limit=2")).await.ok();
    let after = first["list_metadata"]["after"].as_str().unwrap();
    assert_eq!(world.delete(&format!("{DEVS}/{after}")).await.status, StatusCode::NO_CONTENT);
    let second = world.get(&format!("{DEVS}?order=asc&limit=2&after={after}")).await.ok();
    assert_eq!(column(&second, "/role/slug"), all[2..4]);
}
