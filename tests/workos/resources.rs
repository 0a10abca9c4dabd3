//! Resources: rules 53-60.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    company,
    expect::{invalid, not_found},
    requests::{id, ids},
};
use crate::support::workos::World;

pub const RESOURCES: &str = "/authorization/resources";

pub async fn create(world: &World, body: &Value) -> Value {
    let answer = world.post(RESOURCES, body).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()
}

pub fn project(external_id: &str, parent: &str) -> Value {
    json!({
        "organization_id": "acme", "resource_type_slug": "project", "external_id": external_id, "name": external_id,
        "parent_resource_id": parent,
    })
}

async fn may(world: &World, membership: &str, permission: &str, resource: &str) -> bool {
    let path = format!("/authorization/organization_memberships/{membership}/check");
    let answer = world.post(&path, &json!({"permission_slug": permission, "resource_id": resource})).await;
    answer.ok()["authorized"].as_bool().unwrap()
}

#[tokio::test]
async fn rule_53_a_resource_is_created_shown_and_listed() {
    let world = company::world();
    let acme = id(&world, "/authorization/resources/acme").await;
    let engineering = id(&world, "/authorization/resources/engineering").await;
    let body = json!({
        "organization_id": "acme", "resource_type_slug": "project", "external_id": "proj-456", "name": "Website Redesign",
        "description": "All of it", "parent_resource_id": engineering,
    });
    let created = create(&world, &body).await;
    let expected = json!({
        "object": "authorization_resource", "id": created["id"], "external_id": "proj-456", "name": "Website Redesign",
        "description": "All of it", "resource_type_slug": "project", "organization_id": acme.replace("authz_resource_", "org_"),
        "parent_resource_id": engineering, "created_at": created["created_at"], "updated_at": created["updated_at"],
    });
    assert_eq!(created, expected);
    assert!(created["id"].as_str().unwrap().starts_with("authz_resource_"), "{created}");
    let digits = created["created_at"].as_str().unwrap().rsplit_once('.').unwrap().1.to_owned();
    assert!(digits.len() == 4 && digits.ends_with('Z'), "{created}");

    // Rules 33, 60: by its id, its name, and its external id.
    for path in [
        format!("{RESOURCES}/{}", created["id"].as_str().unwrap()),
        format!("{RESOURCES}/proj-456"),
        "/authorization/organizations/acme/resources/project/proj-456".to_owned(),
        format!("/authorization/organizations/{}/resources/project/proj-456", acme.replace("authz_resource_", "org_")),
    ] {
        assert_eq!(world.get(&path).await.ok(), expected, "{path}");
    }
    assert_eq!(world.get(RESOURCES).await.ok()["data"][0], expected, "the newest comes first");
}

#[tokio::test]
async fn rule_53_the_same_external_id_is_free_under_another_type_or_organization() {
    let world = company::world();
    let body = |organization: &str, resource_type: &str| {
        json!({
            "organization_id": organization, "resource_type_slug": resource_type, "external_id": "same", "name": "Same",
        })
    };
    let first = create(&world, &body("acme", "workspace")).await;
    let parent = |mut body: Value, id: &str| {
        body["parent_resource_id"] = id.into();
        body
    };
    let second = create(&world, &body("globex", "workspace")).await;
    let third = create(&world, &parent(body("acme", "project"), first["id"].as_str().unwrap())).await;
    assert_ne!(first["id"], second["id"]);
    assert_ne!(first["id"], third["id"]);

    let again = world.post(RESOURCES, &body("acme", "workspace")).await;
    assert_eq!(again.status, 409);
    assert_eq!(
        again.json(),
        json!({
            "message": "The organization has a resource of this type and external id already.",
            "code": "authorization_resource_external_id_conflict",
        })
    );
}

#[tokio::test]
async fn rule_53_of_many_who_create_the_same_one_succeeds() {
    let world = Arc::new(company::world());
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let world = Arc::clone(&world);
            tokio::spawn(async move { world.post(RESOURCES, &project("raced", "engineering")).await.status.as_u16() })
        })
        .collect();
    let mut statuses = Vec::new();
    for task in tasks {
        statuses.push(task.await.unwrap());
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409, 409, 409]);
}

#[tokio::test]
async fn rule_54_the_parent_is_named_by_id_or_by_its_external_id_or_is_the_organization() {
    let world = company::world();
    let (acme, engineering) = (id(&world, &as_resource("acme")).await, id(&world, &as_resource("engineering")).await);
    let with = |fields: Value, resource_type: &str, external_id: &str| {
        let mut body = json!({
            "organization_id": "acme", "resource_type_slug": resource_type, "external_id": external_id, "name": "N",
        });
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        body
    };
    let by_id = create(&world, &with(json!({"parent_resource_id": engineering}), "project", "a")).await;
    assert_eq!(by_id["parent_resource_id"], engineering);
    let pair = json!({"parent_resource_type_slug": "workspace", "parent_resource_external_id": "ws-1"});
    let by_external_id = create(&world, &with(pair, "project", "b")).await;
    assert_eq!(by_external_id["parent_resource_id"], engineering);
    let pair = json!({"parent_resource_type_slug": "workspace", "parent_external_id": "ws-1"});
    let by_other_name = create(&world, &with(pair, "project", "c")).await;
    assert_eq!(by_other_name["parent_resource_id"], engineering);
    for (fields, external_id) in [(json!({}), "d"), (json!({"parent_resource_id": null}), "e")] {
        let below_root = create(&world, &with(fields, "workspace", external_id)).await;
        assert_eq!(below_root["parent_resource_id"], acme);
        assert_eq!(below_root["description"], Value::Null);
    }
}

pub fn as_resource(name: &str) -> String {
    format!("{RESOURCES}/{name}")
}

#[tokio::test]
async fn rule_57_a_change_leaves_what_it_does_not_mention() {
    let world = company::world();
    let before = world.get(&as_resource("engineering")).await.ok();
    let changed = world.patch(&as_resource("engineering"), &json!({"name": "R&D"})).await.ok();
    let mut expected = before.clone();
    expected["name"] = "R&D".into();
    expected["updated_at"] = changed["updated_at"].clone();
    assert_eq!(changed, expected);
    assert_eq!(changed["description"], "Where things are made");

    // Neither external id nor type can be changed: they are no fields of this body.
    let path = "/authorization/organizations/acme/resources/workspace/ws-1";
    let body = json!({"description": null, "external_id": "other", "resource_type_slug": "project"});
    let cleared = world.patch(path, &body).await.ok();
    expected["description"] = Value::Null;
    expected["updated_at"] = cleared["updated_at"].clone();
    assert_eq!(cleared, expected);
    assert_eq!(world.get(path).await.ok(), expected);

    let same = world.patch(path, &json!({})).await.ok();
    assert_eq!(same, expected, "nothing is changed by nothing");
}

#[tokio::test]
async fn rule_58_a_resource_moves_with_all_below_it_at_once() {
    let world = company::world();
    let page = create(&world, &project("page", "engineering")).await;
    let page = page["id"].as_str().unwrap();
    assert!(may(&world, "alice", "project:edit", page).await);

    let sales = id(&world, &as_resource("sales")).await;
    let moved = world.patch(&as_resource(page), &json!({"parent_resource_id": sales})).await.ok();
    assert_eq!(moved["parent_resource_id"], sales);
    assert!(!may(&world, "alice", "project:edit", page).await);

    let path = "/authorization/organizations/acme/resources/project/page";
    let back = json!({"parent_resource_type_slug": "workspace", "parent_resource_external_id": "ws-1"});
    world.patch(path, &back).await.ok();
    assert!(may(&world, "alice", "project:edit", page).await);
}

/// Types that may lie below each other, and a chain of three.
const NESTED: &str = r"
{apiVersion: authz.bailiwick.dev/v1alpha1, kind: Resource, metadata: {name: acme}, spec: {type: organization}}
---
{apiVersion: authz.bailiwick.dev/v1alpha1, kind: Resource, metadata: {name: a}, spec: {type: folder, parentRef: {name: acme}}}
---
{apiVersion: authz.bailiwick.dev/v1alpha1, kind: Resource, metadata: {name: b}, spec: {type: folder, parentRef: {name: a}}}
---
{apiVersion: authz.bailiwick.dev/v1alpha1, kind: Resource, metadata: {name: c}, spec: {type: folder, parentRef: {name: b}}}
";

#[tokio::test]
async fn rule_58_a_resource_cannot_be_moved_into_itself_or_below() {
    let world = World::new(NESTED);
    for parent in ["a", "b", "c"] {
        let by_id = world.patch(&as_resource("a"), &json!({"parent_resource_id": parent})).await;
        assert_eq!(by_id.status, 422, "{by_id:?}");
        assert_eq!(
            by_id.json(),
            invalid("parent_resource_id", "parent_resource_id must name neither the resource itself nor one below it")
        );
        let pair = json!({"parent_resource_type_slug": "folder", "parent_resource_external_id": parent});
        let by_external_id = world.patch(&as_resource("a"), &pair).await;
        assert_eq!(by_external_id.status, 422, "{by_external_id:?}");
        let sentence = "parent_resource_external_id must name neither the resource itself nor one below it";
        assert_eq!(by_external_id.json(), invalid("parent_resource_external_id", sentence));
    }
    // Upwards it can.
    let moved = world.patch(&as_resource("c"), &json!({"parent_resource_id": "a"})).await.ok();
    assert_eq!(moved["parent_resource_id"], id(&world, &as_resource("a")).await);
}

#[tokio::test]
async fn rule_59_what_has_dependents_goes_only_with_them() {
    let dependents = json!({
        "message": "The resource has children or role assignments. Delete them first, or set cascade_delete=true.",
        "code": "resource_has_dependents",
    });
    let world = company::world();
    // Children; an assignment of a membership or a group.
    for name in ["engineering", "website"] {
        for query in ["", "?cascade_delete=false"] {
            let refused = world.delete(&format!("{}{query}", as_resource(name))).await;
            assert_eq!(refused.status, 409, "{refused:?}");
            assert_eq!(refused.json(), dependents);
        }
    }
    let group_only = World::new(&company::MANIFESTS.replace("kind: MembershipRoleAssignment", "kind: Group").replace(
        "membershipRef: {name: alice}, roleRef: {name: workspace-lead}, resourceRef: {name: engineering}",
        "organizationRef: {name: acme}",
    ));
    let refused = group_only.delete("/authorization/organizations/acme/resources/project/proj-1").await;
    assert_eq!(refused.json(), dependents, "an assignment of a group is a dependent");

    for query in ["", "?cascade_delete=true"] {
        let name = if query.is_empty() { "app" } else { "sales" };
        let gone = world.delete(&format!("{}{query}", as_resource(name))).await;
        assert_eq!((gone.status.as_u16(), gone.body.as_str()), (204, ""), "nothing depends on {name}");
        assert_eq!(world.get(&as_resource(name)).await.status, 404);
    }

    let website = id(&world, &as_resource("website")).await;
    assert!(may(&world, "bob", "project:view", &website).await);
    let gone = world.delete("/authorization/organizations/acme/resources/workspace/ws-1?cascade_delete=true").await;
    assert_eq!(gone.status, 204, "{gone:?}");
    for name in ["engineering", "website"] {
        assert_eq!(world.get(&as_resource(name)).await.status, 404);
        assert_eq!(world.delete(&as_resource(name)).await.status, 404);
    }
    // A namesake inherits nothing.
    create(
        &world,
        &json!({
            "organization_id": "acme", "resource_type_slug": "workspace", "external_id": "engineering", "name": "New",
        }),
    )
    .await;
    let website = create(&world, &project("website", "engineering")).await;
    assert!(!may(&world, "bob", "project:view", website["id"].as_str().unwrap()).await);
    assert!(!may(&world, "alice", "project:view", website["id"].as_str().unwrap()).await);
}

/// Rule 76: path segments come percent-encoded, and are decoded after the route is found.
#[tokio::test]
async fn rule_76_external_ids_may_have_any_printable_ascii() {
    let world = company::world();
    for external_id in [
        "a/b",
        "../x",
        ".",
        "..",
        "a:b",
        "*",
        "50%",
        "%2F",
        "what?",
        "a#b",
        "a b",
        "a+b",
        "[\"x\"]",
        "~",
        &"/".repeat(128),
    ] {
        let mut body = project(external_id, "engineering");
        body["name"] = "N".into();
        let created = create(&world, &body).await;
        assert_eq!(created["external_id"], external_id);
        let encoded = external_id.bytes().fold(String::new(), |encoded, byte| format!("{encoded}%{byte:02X}"));
        let path = format!("/authorization/organizations/acme/resources/project/{encoded}");
        assert_eq!(world.get(&path).await.ok(), created, "{external_id}");
        let listed = format!("{RESOURCES}?resource_external_id={encoded}&resource_type_slug=project");
        assert_eq!(ids(&world.get(&listed).await.ok()), [created["id"].as_str().unwrap()], "{external_id}");
        let renamed = world.patch(&path, &json!({"name": "M"})).await.ok();
        assert_eq!((&renamed["id"], &renamed["name"]), (&created["id"], &json!("M")));
        let children =
            format!("{RESOURCES}?parent_external_id={encoded}&parent_resource_type_slug=project&organization_id=acme");
        assert_eq!(world.get(&children).await.ok()["data"], json!([]));
        assert_eq!(world.delete(&path).await.status, 204, "{external_id}");
        assert_eq!(world.get(&path).await.status, 404, "{external_id}");
    }
    // What needs no encoding may come without, as the Node SDK sends it.
    let created = create(&world, &project("a:b*", "engineering")).await;
    let path = "/authorization/organizations/acme/resources/project/a:b*";
    assert_eq!(world.get(path).await.ok(), created);
}

#[tokio::test]
async fn the_resource_of_an_organization_is_found_by_every_name_of_it() {
    let world = company::world();
    let globex = id(&world, &as_resource("globex")).await;
    let organization = globex.replace("authz_resource_", "org_");
    let shown = world.get(&as_resource(&globex)).await.ok();
    assert_eq!(shown["parent_resource_id"], Value::Null);
    assert_eq!((&shown["organization_id"], &shown["external_id"]), (&json!(organization), &json!("globex-7")));
    for segment in ["globex", "globex-7", &organization] {
        for external_id in ["globex", "globex-7", &organization] {
            let path = format!("/authorization/organizations/{segment}/resources/organization/{external_id}");
            assert_eq!(world.get(&path).await.ok(), shown, "{path}");
        }
    }
    assert_eq!(world.get(&as_resource(&organization)).await.ok(), shown);
    let path = "/authorization/organizations/acme/resources/organization/globex";
    assert_eq!(world.get(path).await.json(), not_found("Resource", "globex"));

    // One that was given no external id goes by its id.
    let acme = world.get(&as_resource("acme")).await.ok();
    assert_eq!(acme["external_id"], acme["organization_id"]);
}

#[tokio::test]
async fn rule_56_where_no_type_is_declared_any_is_taken() {
    let world = World::new(NESTED);
    let body = |resource_type: &str| json!({"organization_id": "acme", "resource_type_slug": resource_type, "external_id": "x", "name": "X"});
    create(&world, &body("ship")).await;
    let refused = world.post(RESOURCES, &body("not a slug")).await;
    assert_eq!((refused.status.as_u16(), &refused.json()["code"]), (422, &json!("invalid_request_parameters")));

    let strict = "\n---\n{apiVersion: authz.bailiwick.dev/v1alpha1, kind: Environment, metadata: {name: default}, spec: {undeclared: {resourceTypes: Deny}}}";
    let world = World::new(&format!("{NESTED}{strict}"));
    let refused = world.post(RESOURCES, &body("ship")).await;
    assert_eq!(
        refused.json(),
        not_found("Resource type", "ship"),
        "an environment that denies undeclared types takes none"
    );
}

#[tokio::test]
async fn an_environment_is_the_one_that_the_path_names() {
    let world = company::world();
    let path = format!("/environments/elsewhere{RESOURCES}");
    assert_eq!(world.get(&path).await.ok()["data"], json!([]));
    let path = format!("/environments/default{RESOURCES}/acme");
    assert_eq!(world.get(&path).await.ok(), world.get(&as_resource("acme")).await.ok());
    let path = "/environments/default/authorization/organizations/acme/resources/project/proj-1";
    assert_eq!(world.patch(path, &json!({"name": "There"})).await.ok()["name"], "There");
}

#[tokio::test]
async fn rule_9_the_name_of_a_resource_is_not_its_external_id() {
    let world = company::world();
    let created = create(&world, &project("Design/1", "acme")).await;
    let id = created["id"].as_str().unwrap();
    let file = "resource-design-1.yaml";
    assert!(world.files().contains(&file.to_owned()), "{:?}", world.files());
    // Another one of that external id may have been deleted, or not be created yet.
    let path = "/authorization/organizations/acme/resources/project/design-1";
    assert_eq!(world.get(path).await.error(404, "entity_not_found"), not_found("Resource", "design-1"));
    assert_eq!(
        world.delete(&format!("{path}?cascade_delete=true")).await.error(404, "entity_not_found"),
        not_found("Resource", "design-1")
    );
    assert_eq!(
        world.get(&format!("{path}/role_assignments")).await.error(404, "entity_not_found"),
        not_found("Resource", "design-1")
    );
    assert_eq!(world.get(&format!("{RESOURCES}/design-1")).await.ok()["id"], id, "in place of an id it may stand");
}

#[tokio::test]
async fn rule_59_an_assignment_that_has_ended_does_not_keep_a_resource() {
    let world = company::world();
    let created = create(&world, &project("ending", "acme")).await;
    world.write(
        "ended.yaml",
        "{apiVersion: authz.bailiwick.dev/v1alpha1, kind: MembershipRoleAssignment, metadata: {name: ended}, \
         spec: {membershipRef: {name: bob}, roleRef: {name: project-viewer}, resourceRef: {name: ending}, \
         expiresAt: '2020-01-01T00:00:00Z'}}",
    );
    let path = format!("{RESOURCES}/{}", created["id"].as_str().unwrap());
    assert_eq!(world.get(&format!("{path}/role_assignments")).await.ok()["data"], json!([]));
    assert_eq!(world.delete(&path).await.status, 204);
}
