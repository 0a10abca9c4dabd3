//! Resources: rules 53-61, and lists: rules 68, 69.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    Case, id, ids, invalid, not_found, provoke,
    seed::{COMPANY, company},
    walk,
};
use crate::support::workos::World;

const RESOURCES: &str = "/authorization/resources";

async fn create(world: &World, body: &Value) -> Value {
    let answer = world.post(RESOURCES, body).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()
}

fn project(external_id: &str, parent: &str) -> Value {
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

const CREATE: &str = "POST /authorization/resources";

#[tokio::test]
async fn rule_53_a_resource_is_created_shown_and_listed() {
    let world = company();
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
    let world = company();
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
    let world = Arc::new(company());
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
    let world = company();
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

fn as_resource(name: &str) -> String {
    format!("{RESOURCES}/{name}")
}

#[tokio::test]
async fn rule_57_a_change_leaves_what_it_does_not_mention() {
    let world = company();
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
    let world = company();
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
    let world = company();
    // Children; an assignment of a membership or a group.
    for name in ["engineering", "website"] {
        for query in ["", "?cascade_delete=false"] {
            let refused = world.delete(&format!("{}{query}", as_resource(name))).await;
            assert_eq!(refused.status, 409, "{refused:?}");
            assert_eq!(refused.json(), dependents);
        }
    }
    let group_only = World::new(&COMPANY.replace("kind: MembershipRoleAssignment", "kind: Group").replace(
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

#[tokio::test]
async fn rule_61_filters_narrow_each_other() {
    let world = company();
    let engineering = id(&world, &as_resource("engineering")).await;
    let globex = id(&world, &as_resource("globex")).await;
    let globex_as_organization = globex.replace("authz_resource_", "org_");
    for (query, expected) in [
        ("", vec!["acme", "globex", "engineering", "sales", "website", "app", "labs"]),
        ("organization_id=acme", vec!["acme", "engineering", "sales", "website", "app"]),
        ("organization_id=globex-7", vec!["globex", "labs"]),
        (&format!("organization_id={globex_as_organization}"), vec!["globex", "labs"]),
        ("resource_type_slug=workspace", vec!["engineering", "sales", "labs"]),
        ("resource_type_slug=organization", vec!["acme", "globex"]),
        ("resource_type_slug=workspace&organization_id=acme", vec!["engineering", "sales"]),
        ("resource_type_slug=workspace&resource_external_id=ws-1", vec!["engineering", "labs"]),
        ("resource_type_slug=workspace&resource_external_id=ws-1&organization_id=globex", vec!["labs"]),
        ("resource_external_id=ws-1&organization_id=globex", vec!["labs"]),
        (&format!("resource_type_slug=organization&resource_external_id={globex_as_organization}"), vec!["globex"]),
        ("resource_type_slug=organization&resource_external_id=globex-7", vec!["globex"]),
        (&format!("parent_resource_id={engineering}"), vec!["website", "app"]),
        (&format!("parent_resource_id={globex}"), vec!["labs"]),
        (&format!("parent_resource_id={engineering}&organization_id=globex"), vec![]),
        (&format!("parent_resource_id={engineering}&resource_type_slug=workspace"), vec![]),
        (
            &format!("parent_resource_id={engineering}&resource_type_slug=project&resource_external_id=proj-2"),
            vec!["app"],
        ),
        ("parent_resource_type_slug=workspace&parent_external_id=ws-1&organization_id=acme", vec!["website", "app"]),
        (
            "parent_resource_type_slug=workspace&parent_resource_external_id=ws-1&resource_type_slug=project",
            vec!["website", "app"],
        ),
        ("parent_resource_type_slug=workspace&parent_external_id=ws-1&organization_id=globex", vec![]),
        ("organization_id=nowhere", vec![]),
        ("resource_type_slug=nothing", vec![]),
        ("parent_resource_id=nowhere", vec![]),
    ] {
        let listed = world.get(&format!("{RESOURCES}?order=asc&limit=100&{query}")).await.ok();
        let mut wanted = Vec::new();
        for name in expected {
            wanted.push(id(&world, &as_resource(name)).await);
        }
        assert_eq!(ids(&listed), wanted, "{query}");
        assert_eq!(listed["list_metadata"], json!({"before": null, "after": null}), "{query}");
        assert_eq!(listed["object"], "list");
    }
}

#[tokio::test]
async fn rules_68_to_70_pages_lead_in_both_directions_whatever_is_listed() {
    let world = company();
    for number in 0..23 {
        create(&world, &project(&format!("p-{number}"), "engineering")).await;
    }
    // The whole environment is passed through, an organization walked through, the children of a parent known.
    for query in ["", "organization_id=acme&", "parent_resource_id=engineering&"] {
        let path = format!("{RESOURCES}?{query}");
        let all = ids(&world.get(&format!("{path}order=asc&limit=100")).await.ok());
        assert!(all.len() >= 25, "{all:?}");
        let newest_first: Vec<String> = all.iter().rev().cloned().collect();
        for limit in [1, 7, 10, 25, 100] {
            assert_eq!(walk(&world, &format!("{path}order=asc&limit={limit}"), "after").await, all, "{query}{limit}");
            assert_eq!(walk(&world, &format!("{path}limit={limit}"), "after").await, newest_first, "{query}{limit}");
            let normal = walk(&world, &format!("{path}order=normal&limit={limit}"), "before").await;
            assert_eq!(normal, newest_first, "`normal` leads to what is older by `before`: {query}{limit}");

            // And back, from the end.
            let path = format!("{path}order=asc&limit={limit}");
            let mut back = vec![all.last().unwrap().clone()];
            let mut cursor = all.last().cloned();
            while let Some(before) = cursor {
                let page = world.get(&format!("{path}&before={before}")).await.ok();
                back.splice(0..0, ids(&page));
                cursor = page["list_metadata"]["before"].as_str().map(ToOwned::to_owned);
            }
            assert_eq!(back, all, "{query}{limit}");
        }
        let between = world.get(&format!("{path}order=asc&limit=100&after={}&before={}", all[2], all[6])).await.ok();
        assert_eq!(ids(&between), all[3..6], "{query}");
        let nothing = world.get(&format!("{path}order=asc&after={}&before={}", all[6], all[2])).await.ok();
        assert_eq!(nothing["data"], json!([]), "{query}");
        assert_eq!(ids(&world.get(&path).await.ok()).len(), 10, "ten, where nothing is said");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_68_pages_are_stable_while_others_write() {
    let world = Arc::new(company());
    for number in 0..40 {
        create(&world, &project(&format!("old-{number:02}"), "engineering")).await;
    }
    let path = format!("{RESOURCES}?organization_id=acme&resource_type_slug=project");
    let before = walk(&world, &format!("{path}&limit=100"), "after").await;
    let goes = id(&world, &as_resource("old-38")).await;
    let writer = {
        let world = Arc::clone(&world);
        tokio::spawn(async move {
            for number in 0..20 {
                create(&world, &project(&format!("new-{number:02}"), "engineering")).await;
                let deleted = world.delete(&format!("{RESOURCES}/old-{:02}", 2 * number)).await;
                assert_eq!(deleted.status, 204, "{deleted:?}");
            }
        })
    };
    while !writer.is_finished() {
        let seen = walk(&world, &format!("{path}&limit=3"), "after").await;
        let mut once = seen.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), seen.len(), "nothing comes twice");
        for stays in (0..20).map(|number| 2 * number + 1) {
            let name = format!("{RESOURCES}/old-{stays:02}");
            assert!(seen.contains(&id(&world, &name).await), "{name} was there all the time");
        }
    }
    writer.await.unwrap();

    // A cursor of what was deleted leads on from where it stood.
    let after = world.get(&format!("{path}&limit=100&after={goes}")).await.ok();
    let place = before.iter().position(|id| *id == goes).unwrap();
    let mut expected = before[place + 1..].to_vec();
    let there = walk(&world, &format!("{path}&limit=100"), "after").await;
    expected.retain(|id| there.contains(id));
    assert_eq!(ids(&after), expected);
}

#[tokio::test]
async fn rules_53_to_60_every_error() {
    let world = company();
    let create = |changes: Value| {
        let mut body = project("new", "engineering");
        body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        body
    };
    let case = |request, body, status, answer| Case { request, body, status, answer };
    let organizations = json!({
        "message": "The resource of an organization is created, changed and deleted with the organization: use /organizations.",
        "code": "bad_request",
    });
    let wrong = |sentences: &[(&str, &str)]| {
        let errors: Vec<Value> =
            sentences.iter().map(|(field, sentence)| json!({"field": field, "code": sentence})).collect();
        json!({"message": "Validation failed", "code": "invalid_request_parameters", "errors": errors})
    };
    let half = "parent_resource_type_slug should not be empty beside parent_resource_external_id";
    let other_half = "parent_resource_external_id should not be empty beside parent_resource_type_slug";
    let both =
        "parent_resource_id should not be given beside parent_resource_external_id and parent_resource_type_slug";
    let long = "x".repeat(200);
    provoke(&world, [
        // POST: 400
        case(CREATE, create(json!({"resource_type_slug": "organization"})), 400, organizations.clone()),
        case(CREATE, json!([]), 400, json!({"message": "The body must be a JSON object.", "code": "bad_request"})),
        // 404
        case(CREATE, create(json!({"organization_id": "nowhere"})), 404, not_found("Organization", "nowhere")),
        case(CREATE, create(json!({"resource_type_slug": "ship"})), 404, not_found("Resource type", "ship")),
        case(CREATE, create(json!({"parent_resource_id": "nowhere"})), 404, not_found("Resource", "nowhere")),
        // of another organization
        case(CREATE, create(json!({"parent_resource_id": "labs"})), 404, not_found("Resource", "labs")),
        case(
            CREATE,
            create(json!({
                "parent_resource_id": null, "parent_resource_type_slug": "workspace", "parent_resource_external_id": "labs",
            })),
            404,
            not_found("Resource", "labs"),
        ),
        // 409
        case(
            CREATE,
            create(json!({"external_id": "proj-1"})),
            409,
            json!({
                "message": "The organization has a resource of this type and external id already.",
                "code": "authorization_resource_external_id_conflict",
            }),
        ),
        // 422
        case(CREATE, json!({}), 422, wrong(&[
            ("organization_id", "organization_id should not be empty"),
            ("resource_type_slug", "resource_type_slug should not be empty"),
            ("external_id", "external_id should not be empty"),
            ("name", "name should not be empty"),
        ])),
        case(
            CREATE,
            create(json!({"external_id": long, "name": long, "description": long})),
            422,
            wrong(&[
                ("external_id", "external_id must be shorter than or equal to 128 characters"),
                ("name", "name must be shorter than or equal to 48 characters"),
                ("description", "description must be shorter than or equal to 150 characters"),
            ]),
        ),
        case(
            CREATE,
            create(json!({"external_id": "caf\u{e9}"})),
            422,
            invalid("external_id", "external_id must be printable ASCII characters"),
        ),
        case(CREATE, create(json!({"name": 7})), 422, invalid("name", "name cannot be used: invalid type: integer `7`, expected a string")),
        case(CREATE, create(json!({"parent_resource_type_slug": "workspace"})), 422, invalid("parent_resource_id", both)),
        case(CREATE, create(json!({"parent_resource_external_id": "ws-1", "parent_resource_id": null})), 422, invalid("parent_resource_type_slug", half)),
        case(CREATE, create(json!({"parent_resource_type_slug": "workspace", "parent_resource_id": null})), 422, invalid("parent_resource_external_id", other_half)),
        // Rule 55: a project does not lie below a project, nor below the organization.
        case(
            CREATE,
            create(json!({"parent_resource_id": "website"})),
            422,
            invalid("parent_resource_id", "parent_resource_id must name a resource of a type that a project may lie below (workspace), not project"),
        ),
        case(
            CREATE,
            create(json!({"parent_resource_id": null})),
            422,
            invalid("parent_resource_id", "parent_resource_id must name a resource of a type that a project may lie below (workspace), not organization"),
        ),
        // GET: 404
        case("GET /authorization/resources/nowhere", Value::Null, 404, not_found("Resource", "nowhere")),
        case(
            "GET /authorization/resources/authz_resource_01H000000000000000000000000",
            Value::Null,
            404,
            not_found("Resource", "authz_resource_01H000000000000000000000000"),
        ),
        case(
            "GET /authorization/organizations/nowhere/resources/project/proj-1",
            Value::Null,
            404,
            not_found("Organization", "nowhere"),
        ),
        case("GET /authorization/organizations/globex/resources/project/proj-1", Value::Null, 404, not_found("Resource", "proj-1")),
        case("GET /authorization/organizations/acme/resources/workspace/proj-1", Value::Null, 404, not_found("Resource", "proj-1")),
        // PATCH
        case("PATCH /authorization/resources/nowhere", json!({}), 404, not_found("Resource", "nowhere")),
        case("PATCH /authorization/organizations/acme/resources/project/none", json!({}), 404, not_found("Resource", "none")),
        case("PATCH /authorization/resources/acme", json!({"name": "A"}), 400, organizations.clone()),
        case("PATCH /authorization/organizations/acme/resources/organization/acme", json!({"name": "A"}), 400, organizations.clone()),
        case("PATCH /authorization/resources/website", json!({"parent_resource_id": "labs"}), 404, not_found("Resource", "labs")),
        case("PATCH /authorization/resources/website", json!({"name": null}), 422, invalid("name", "name should not be empty")),
        case(
            "PATCH /authorization/resources/website",
            json!({"parent_resource_id": null}),
            422,
            invalid("parent_resource_id", "parent_resource_id should not be null: every resource but an organization has a parent"),
        ),
        case("PATCH /authorization/resources/website", json!({"parent_resource_external_id": "ws-1"}), 422, invalid("parent_resource_type_slug", half)),
        case(
            "PATCH /authorization/resources/website",
            json!({"parent_resource_id": "acme"}),
            422,
            invalid("parent_resource_id", "parent_resource_id must name a resource of a type that a project may lie below (workspace), not organization"),
        ),
        // DELETE
        case("DELETE /authorization/resources/nowhere", Value::Null, 404, not_found("Resource", "nowhere")),
        case("DELETE /authorization/resources/acme?cascade_delete=true", Value::Null, 400, organizations.clone()),
        case("DELETE /authorization/organizations/acme/resources/organization/acme", Value::Null, 400, organizations),
        case(
            "DELETE /authorization/resources/app?cascade_delete=yes",
            Value::Null,
            422,
            invalid("cascade_delete", "cascade_delete must be true or false"),
        ),
        // Lists
        case(
            "GET /authorization/resources?resource_external_id=x",
            Value::Null,
            400,
            json!({
                "message": "An external id needs an organization_id or a resource_type_slug beside it.",
                "code": "missing_organization_id_or_resource_type_slug",
            }),
        ),
        case(
            "GET /authorization/resources?parent_external_id=x&parent_resource_type_slug=workspace",
            Value::Null,
            400,
            json!({
                "message": "An external id needs an organization_id or a resource_type_slug beside it.",
                "code": "missing_organization_id_or_resource_type_slug",
            }),
        ),
        case(
            "GET /authorization/resources?parent_external_id=x&organization_id=acme",
            Value::Null,
            422,
            invalid("parent_resource_type_slug", "parent_resource_type_slug should not be empty beside parent_external_id"),
        ),
        case(
            "GET /authorization/resources?parent_external_id=x&parent_resource_type_slug=y&parent_resource_id=z",
            Value::Null,
            422,
            invalid("parent_resource_id", "parent_resource_id should not be given beside parent_external_id and parent_resource_type_slug"),
        ),
        case("GET /authorization/resources?organization_id=", Value::Null, 422, invalid("organization_id", "organization_id should not be empty")),
        case("GET /authorization/resources?limit=101", Value::Null, 422, invalid("limit", "limit must be a number from 1 to 100")),
        case("GET /authorization/resources?limit=0", Value::Null, 422, invalid("limit", "limit must be a number from 1 to 100")),
        case("GET /authorization/resources?order=up", Value::Null, 422, invalid("order", "order must be one of asc, desc, normal")),
        case("GET /authorization/resources?after=om_1", Value::Null, 422, invalid("after", "after must be the id of an item of this list, not 'om_1'")),
    ])
    .await;
    assert_eq!(world.files(), ["manifests.yaml"], "nothing was written");
}

/// Rule 76: path segments come percent-encoded, and are decoded after the route is found.
#[tokio::test]
async fn rule_76_external_ids_may_have_any_printable_ascii() {
    let world = company();
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
        let encoded: String = external_id.bytes().map(|byte| format!("%{byte:02X}")).collect();
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
    let world = company();
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
    let world = company();
    let path = format!("/environments/elsewhere{RESOURCES}");
    assert_eq!(world.get(&path).await.ok()["data"], json!([]));
    let path = format!("/environments/default{RESOURCES}/acme");
    assert_eq!(world.get(&path).await.ok(), world.get(&as_resource("acme")).await.ok());
    let path = "/environments/default/authorization/organizations/acme/resources/project/proj-1";
    assert_eq!(world.patch(path, &json!({"name": "There"})).await.ok()["name"], "There");
}

/// More than are walked through: pages are made as the environment is passed through.
#[tokio::test]
async fn rule_61_a_large_organization_is_listed_like_a_small_one() {
    let mut manifests = COMPANY.to_owned();
    for number in 0..1_100 {
        let time = format!("2026-02-01T{:02}:{:02}:00Z", number / 60, number % 60);
        manifests.push_str(&format!(
            "\n---\n{{apiVersion: authz.bailiwick.dev/v1alpha1, kind: Resource, metadata: {{name: n{number}, creationTimestamp: \"{time}\"}}, spec: {{type: project, parentRef: {{name: engineering}}}}}}"
        ));
    }
    let world = World::new(&manifests);
    let all = walk(&world, &format!("{RESOURCES}?organization_id=acme&limit=100"), "after").await;
    assert_eq!(all.len(), 5 + 1_100);
    let few = format!("{RESOURCES}?organization_id=acme&resource_type_slug=workspace&order=asc&limit=1");
    assert_eq!(
        walk(&world, &few, "after").await,
        [id(&world, &as_resource("engineering")).await, id(&world, &as_resource("sales")).await,]
    );
    let back = world.get(&format!("{few}&before={}", id(&world, &as_resource("sales")).await)).await.ok();
    assert_eq!(ids(&back), [id(&world, &as_resource("engineering")).await]);
    assert_eq!(back["list_metadata"], json!({"before": null, "after": ids(&back)[0]}));
}
