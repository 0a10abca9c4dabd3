//! Resource types, which are an extension: section 1.2 of the rules.

use serde_json::{Value, json};

use super::{
    company,
    expect::{Case, invalid, not_found, provoke},
    requests::{ids, walk},
};
use crate::support::workos::World;

const TYPES: &str = "/authorization/resource_types";

fn path(slug: &str) -> String {
    format!("{TYPES}/{slug}")
}

const CREATE: &str = "POST /authorization/resource_types";

#[tokio::test]
async fn a_type_is_created_changed_and_deleted() {
    let world = company::world();
    let body = json!({"slug": "document", "name": "Document", "parent_type_slugs": ["project", "document"]});
    let created = world.post(TYPES, &body).await;
    assert_eq!(created.status, 201, "{created:?}");
    let created = created.json();
    let expected = json!({
        "object": "resource_type", "id": created["id"], "slug": "document", "name": "Document",
        "parent_type_slugs": ["project", "document"], "permissions": [],
        "created_at": created["created_at"], "updated_at": created["updated_at"],
    });
    assert_eq!(created, expected);
    let id = created["id"].as_str().unwrap();
    assert!(id.starts_with("resource_type_"), "{id}");
    for name in [id, "document"] {
        assert_eq!(world.get(&path(name)).await.ok(), expected);
    }
    assert_eq!(ids(&world.get(TYPES).await.ok())[0], id, "the newest comes first");
    assert_eq!(walk(&world, &format!("{TYPES}?order=asc&limit=1"), "after").await.len(), 3);

    let changed =
        world.patch(&path("document"), &json!({"name": "Paper", "parent_type_slugs": ["project"]})).await.ok();
    assert_eq!((&changed["name"], &changed["parent_type_slugs"]), (&json!("Paper"), &json!(["project"])));
    assert_eq!(world.delete(&path("document")).await.status, 204);
    assert_eq!(world.delete(&path("document")).await.status, 404);

    // With nothing but a slug it lies below organizations, and is called so.
    let plain = world.post(TYPES, &json!({"slug": "ship"})).await.json();
    assert_eq!((&plain["name"], &plain["parent_type_slugs"]), (&json!("ship"), &json!(["organization"])));
}

#[tokio::test]
async fn parents_that_resources_use_stay() {
    let world = company::world();
    let refused = world.patch(&path("project"), &json!({"parent_type_slugs": ["organization"]})).await;
    assert_eq!((refused.status.as_u16(), &refused.json()["code"]), (409, &json!("resource_type_in_use")));
    assert!(refused.json()["message"].as_str().unwrap().contains("website"), "{refused:?}");
    let more = world.patch(&path("project"), &json!({"parent_type_slugs": ["organization", "workspace"]})).await.ok();
    assert_eq!(more["parent_type_slugs"], json!(["organization", "workspace"]));
}

#[tokio::test]
async fn a_type_in_use_stays() {
    let world = company::world();
    let in_use = |slug: &str, by: &str| json!({"message": format!("The resource type '{slug}' is in use: {by}."), "code": "resource_type_in_use"});
    let refused = async |slug: &str, by: &str| {
        let answer = world.delete(&path(slug)).await;
        assert_eq!((answer.status.as_u16(), answer.json()), (409, in_use(slug, by)));
    };
    refused("project", "by Resource `app`; delete all such first").await;
    for resource in ["app", "website"] {
        let gone = world.delete(&format!("/authorization/resources/{resource}?cascade_delete=true")).await;
        assert_eq!(gone.status, 204);
    }
    refused("project", "by Role `project-editor`; delete all such first").await;

    world.post(TYPES, &json!({"slug": "fleet"})).await;
    world.post(TYPES, &json!({"slug": "ship", "parent_type_slugs": ["fleet"]})).await;
    refused("fleet", "the type 'ship' may lie below it; change that first").await;
    assert_eq!(world.delete(&path("ship")).await.status, 204);
    assert_eq!(world.delete(&path("fleet")).await.status, 204);

    let permitted = World::new(
        "{apiVersion: authz.bailiwick.dev/v1alpha1, kind: ResourceType, metadata: {name: port}, spec: {permissions: [{slug: 'port:use'}]}}",
    );
    let answer = permitted.delete(&path("port")).await;
    assert_eq!(answer.json(), in_use("port", "it has the permission 'port:use'; delete its permissions first"));
}

/// A declaration takes effect at once, also on what was there before it.
#[tokio::test]
async fn a_type_is_not_declared_against_what_is_there() {
    let undeclared = r"
{apiVersion: authz.bailiwick.dev/v1alpha1, kind: Resource, metadata: {name: acme}, spec: {type: organization}}
---
{apiVersion: authz.bailiwick.dev/v1alpha1, kind: Resource, metadata: {name: box}, spec: {type: crate, parentRef: {name: acme}}}
---
{apiVersion: authz.bailiwick.dev/v1alpha1, kind: Resource, metadata: {name: thing}, spec: {type: thing, parentRef: {name: box}}}
---
{apiVersion: authz.bailiwick.dev/v1alpha1, kind: Role, metadata: {name: user}, spec: {permissions: ['tool:use']}}
";
    let world = World::new(undeclared);
    for slug in ["thing", "tool"] {
        let answer = world.post(TYPES, &json!({"slug": slug})).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["code"]), (409, &json!("resource_type_in_use")), "{slug}");
    }
    assert_eq!(world.get(TYPES).await.ok()["data"], json!([]));
    assert_eq!(world.post(TYPES, &json!({"slug": "crate"})).await.status, 201, "this one fits");
    let thing = json!({"slug": "thing", "parent_type_slugs": ["crate"]});
    assert_eq!(world.post(TYPES, &thing).await.status, 201, "and so does this one then");
    assert_eq!(world.get("/authorization/resources/thing").await.status, 200);
}

#[tokio::test]
async fn every_error() {
    let world = company::world();
    let case = |request, body, status, answer| Case { request, body, status, answer };
    let built_in = json!({
        "message": "The resource type 'organization' is built in: it is neither created nor deleted, and has no parents.",
        "code": "bad_request",
    });
    let slug = "slug must be lowercase letters, digits and hyphens, with a letter or digit at both ends";
    let parents = "parent_type_slugs must contain at least 1 element";
    let description = "description should not be given: a resource type has none";
    provoke(&world, [
        case(CREATE, json!({}), 422, invalid("slug", "slug should not be empty")),
        case(CREATE, json!({"slug": "Ship_1"}), 422, invalid("slug", slug)),
        case(CREATE, json!({"slug": "ship-"}), 422, invalid("slug", slug)),
        case(
            CREATE,
            json!({"slug": "x".repeat(49)}),
            422,
            invalid("slug", "slug must be shorter than or equal to 48 characters"),
        ),
        case(CREATE, json!({"slug": "ship", "name": ""}), 422, invalid("name", "name should not be empty")),
        case(CREATE, json!({"slug": "ship", "parent_type_slugs": []}), 422, invalid("parent_type_slugs", parents)),
        case(CREATE, json!({"slug": "ship", "description": "Floats"}), 422, invalid("description", description)),
        case(CREATE, json!({"slug": "ship", "parent_type_slugs": ["fleet"]}), 404, not_found("Resource type", "fleet")),
        case(
            CREATE,
            json!({"slug": "project"}),
            409,
            json!({"message": "There is a resource type 'project' already.", "code": "resource_type_slug_conflict"}),
        ),
        case(CREATE, json!({"slug": "organization"}), 400, built_in.clone()),
        case("GET /authorization/resource_types/ship", Value::Null, 404, not_found("Resource type", "ship")),
        case("PATCH /authorization/resource_types/ship", json!({}), 404, not_found("Resource type", "ship")),
        case(
            "PATCH /authorization/resource_types/project",
            json!({"name": null}),
            422,
            invalid("name", "name should not be empty"),
        ),
        case(
            "PATCH /authorization/resource_types/project",
            json!({"parent_type_slugs": []}),
            422,
            invalid("parent_type_slugs", parents),
        ),
        case(
            "PATCH /authorization/resource_types/project",
            json!({"parent_type_slugs": ["fleet"]}),
            404,
            not_found("Resource type", "fleet"),
        ),
        case(
            "PATCH /authorization/resource_types/project",
            json!({"description": "D"}),
            422,
            invalid("description", description),
        ),
        case("DELETE /authorization/resource_types/ship", Value::Null, 404, not_found("Resource type", "ship")),
        case("DELETE /authorization/resource_types/organization", Value::Null, 400, built_in.clone()),
        case(
            "PATCH /authorization/resource_types/organization",
            json!({"parent_type_slugs": ["project"]}),
            400,
            built_in,
        ),
        case(
            "GET /authorization/resource_types?limit=none",
            Value::Null,
            422,
            invalid("limit", "limit must be a number from 1 to 100"),
        ),
    ])
    .await;
}
