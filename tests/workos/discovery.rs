//! Who has access to what: rules 15-26, and that every answer says the same.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{
    company,
    expect::{Case, invalid, not_found, provoke},
    requests::{id, ids, walk},
};
use crate::{graph::universe::Chance, support::workos::World};

fn slugs(page: &Value) -> Vec<&str> {
    page["data"].as_array().unwrap().iter().map(|permission| permission["slug"].as_str().unwrap()).collect()
}

/// The three paths to the permissions that a membership has on a resource of acme.
fn effective(membership: &str, resource: &str, resource_type: &str, external_id: &str) -> [String; 3] {
    [
        format!("/authorization/organization_memberships/{membership}/resources/{resource}/permissions"),
        format!("/authorization/resources/{resource}/organization_memberships/{membership}/permissions"),
        format!(
            "/authorization/organization_memberships/{membership}/resources/{resource_type}/{external_id}/permissions"
        ),
    ]
}

#[tokio::test]
async fn rules_15_and_16_effective_permissions_are_all_of_them_whatever_their_type() {
    let world = company::world();
    for path in effective("alice", "website", "project", "proj-1") {
        let page = world.get(&format!("{path}?order=asc")).await.ok();
        let expected = ["workspace:view", "project:edit", "project:view", "reports:read"];
        assert_eq!(slugs(&page), expected, "as old as what declares them: {path}");
        let view = json!({
            "object": "permission", "id": page["data"][0]["id"], "slug": "workspace:view", "name": "View workspaces",
            "description": "See what is in it", "system": false, "resource_type_slug": "workspace",
            "created_at": "2026-01-01T00:00:00.000Z", "updated_at": page["data"][0]["updated_at"],
        });
        assert_eq!(page["data"][0], view);
        // One that no type declares is called by its slug.
        let undeclared = json!({
            "object": "permission", "id": page["data"][3]["id"], "slug": "reports:read", "name": "reports:read",
            "description": null, "system": false, "resource_type_slug": "reports",
            "created_at": "2026-01-01T00:00:13.000Z", "updated_at": page["data"][3]["updated_at"],
        });
        assert_eq!(page["data"][3], undeclared);
        assert_eq!(page["list_metadata"], json!({"before": null, "after": null}));
        assert_eq!(walk(&world, &format!("{path}?order=asc&limit=1"), "after").await, ids(&page));
    }
    for path in effective("dora", "website", "project", "proj-1") {
        assert_eq!(world.get(&path).await.ok()["data"], json!([]), "rule 13: inactive");
    }
}

#[tokio::test]
async fn rules_18_to_21_resources_of_a_membership() {
    let world = company::world();
    let engineering = id(&world, "/authorization/resources/engineering").await;
    for (membership, query, expected) in [
        // Rules 19, 21: the direct children of the parent, not itself.
        ("alice", format!("permission_slug=project:edit&parent_resource_id={engineering}"), vec!["website", "app"]),
        ("alice", "permission_slug=workspace:view&parent_resource_id=acme".to_owned(), vec!["engineering"]),
        (
            "alice",
            "permission_slug=project:edit&parent_resource_type_slug=workspace&parent_resource_external_id=ws-1"
                .to_owned(),
            vec!["website", "app"],
        ),
        (
            "alice",
            "permission_slug=project:edit&parent_resource_type_slug=workspace&parent_external_id=ws-1".to_owned(),
            vec!["website", "app"],
        ),
        ("bob", format!("permission_slug=project:view&parent_resource_id={engineering}"), vec!["website"]),
        // Rule 20: what is granted far above counts as in a check.
        ("fred", format!("permission_slug=project:view&parent_resource_id={engineering}"), vec!["website", "app"]),
        ("erin", format!("permission_slug=project:view&parent_resource_id={engineering}"), vec![]),
        // Rule 13.
        ("dora", format!("permission_slug=project:edit&parent_resource_id={engineering}"), vec![]),
        // The extension: without a parent, and of one type.
        ("alice", "permission_slug=project:edit".to_owned(), vec!["engineering", "website", "app"]),
        ("alice", "permission_slug=project:edit&resource_type_slug=project".to_owned(), vec!["website", "app"]),
        ("fred", "permission_slug=project:view".to_owned(), vec!["acme", "engineering", "sales", "website", "app"]),
        ("carl", "permission_slug=workspace:view&resource_type_slug=workspace".to_owned(), vec!["labs"]),
        ("dora", "permission_slug=project:edit".to_owned(), vec![]),
    ] {
        let path = format!("/authorization/organization_memberships/{membership}/resources?order=asc&{query}");
        let mut wanted = Vec::new();
        for name in expected {
            wanted.push(world.get(&format!("/authorization/resources/{name}")).await.ok());
        }
        assert_eq!(world.get(&path).await.ok()["data"], json!(wanted), "{path}");
        assert_eq!(walk(&world, &format!("{path}&limit=1"), "after").await.len(), wanted.len());
    }
}

#[tokio::test]
async fn rules_22_to_26_memberships_of_a_resource() {
    let world = company::world();
    for path in ["/authorization/resources/website", "/authorization/organizations/acme/resources/project/proj-1"] {
        let path = format!("{path}/organization_memberships?order=asc&permission_slug=project:view");
        let names = |page: &Value| -> Vec<String> {
            let users =
                page["data"].as_array().unwrap().iter().map(|item| item["user_id"].as_str().unwrap().to_owned());
            users.collect()
        };
        // Rules 23, 25: on that very resource, through groups also.
        assert_eq!(names(&world.get(&path).await.ok()), ["user_bob"]);
        assert_eq!(names(&world.get(&format!("{path}&assignment=direct")).await.ok()), ["user_bob"]);
        // Rule 24: and all that inherit it.
        let all = world.get(&format!("{path}&assignment=indirect")).await.ok();
        assert_eq!(names(&all), ["user_alice", "user_bob", "user_fred"]);
        assert_eq!(walk(&world, &format!("{path}&assignment=indirect&limit=1"), "after").await, ids(&all));
        // Rule 26: with the user, without roles.
        let alice = &all["data"][0];
        assert_eq!(
            (&alice["user"]["email"], &alice["user"]["first_name"]),
            (&json!("alice@example.com"), &json!("Alice"))
        );
        assert!(alice.get("role").is_none() && alice.get("roles").is_none(), "{alice}");
    }
}

#[tokio::test]
async fn rules_17_18_22_every_error() {
    let world = company::world();
    let get = |request, status, answer| Case { request, body: Value::Null, status, answer };
    let no_permission = || invalid("permission_slug", "permission_slug should not be empty");
    let half = "parent_resource_type_slug should not be empty beside parent_resource_external_id";
    let both =
        "parent_resource_id should not be given beside parent_resource_external_id and parent_resource_type_slug";
    let nobody = || not_found("Organization membership", "nobody");
    provoke(&world, [
        get("GET /authorization/organization_memberships/nobody/resources/website/permissions", 404, nobody()),
        get("GET /authorization/organization_memberships/alice/resources/labs/permissions", 404, not_found("Resource", "labs")),
        get("GET /authorization/resources/labs/organization_memberships/alice/permissions", 404, not_found("Resource", "labs")),
        get("GET /authorization/organization_memberships/alice/resources/project/none/permissions", 404, not_found("Resource", "none")),
        get(
            "GET /authorization/organization_memberships/alice/resources/website/permissions?limit=0",
            422,
            invalid("limit", "limit must be a number from 1 to 100"),
        ),
        get("GET /authorization/organization_memberships/alice/resources", 422, no_permission()),
        get("GET /authorization/organization_memberships/nobody/resources?permission_slug=p", 404, nobody()),
        get(
            "GET /authorization/organization_memberships/alice/resources?permission_slug=p&parent_resource_id=labs",
            404,
            not_found("Resource", "labs"),
        ),
        get(
            "GET /authorization/organization_memberships/alice/resources?permission_slug=p&parent_resource_external_id=x",
            422,
            invalid("parent_resource_type_slug", half),
        ),
        get(
            "GET /authorization/organization_memberships/alice/resources?permission_slug=p&parent_resource_external_id=x&parent_resource_type_slug=y&parent_resource_id=z",
            422,
            invalid("parent_resource_id", both),
        ),
        get("GET /authorization/resources/website/organization_memberships", 422, no_permission()),
        get(
            "GET /authorization/resources/website/organization_memberships?permission_slug=p&assignment=some",
            422,
            invalid("assignment", "assignment must be one of direct, indirect"),
        ),
        get("GET /authorization/resources/none/organization_memberships?permission_slug=p", 404, not_found("Resource", "none")),
        get(
            "GET /authorization/organizations/acme/resources/project/none/organization_memberships?permission_slug=p",
            404,
            not_found("Resource", "none"),
        ),
        get(
            "GET /authorization/organizations/none/resources/project/x/organization_memberships?permission_slug=p",
            404,
            not_found("Organization", "none"),
        ),
    ])
    .await;
}

const PERMISSIONS: [&str; 5] = ["a:view", "b:edit", "c:use", "view", "never"];
const MEMBERSHIPS: [&str; 6] = ["m0", "m1", "m2", "m3", "m4", "m5"];

/// Two organizations with trees, roles, groups in groups and grants of every sort, at random.
fn random_world(seed: u64) -> Vec<Value> {
    let chance = &mut Chance::from_seed(seed);
    let mut objects = Vec::new();
    let mut add = |kind: &str, name: String, spec: Value| {
        objects.push(json!({
            "apiVersion": "authz.bailiwick.dev/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec,
        }));
    };
    let types = ["organization", "a", "b", "c"];
    let mut resources = vec![("o0".to_owned(), "organization"), ("o1".to_owned(), "organization")];
    for (name, _) in &resources {
        add("Resource", name.clone(), json!({"type": "organization"}));
    }
    for number in 0..10 {
        let (parent, resource_type) = (resources[chance.below(resources.len())].0.clone(), types[1 + chance.below(3)]);
        let name = format!("r{number}");
        add("Resource", name.clone(), json!({"type": resource_type, "parentRef": {"name": parent}}));
        resources.push((name, resource_type));
    }
    let roles: Vec<(String, &str)> = (0..8).map(|number| (format!("role{number}"), types[number % 4])).collect();
    for (name, resource_type) in &roles {
        let listed: Vec<&str> = PERMISSIONS[..4].iter().copied().filter(|_| chance.below(3) == 0).collect();
        add("Role", name.clone(), json!({"resourceType": resource_type, "permissions": listed}));
    }
    let multiple = chance.toss();
    let default = if chance.toss() { json!({"name": "role0"}) } else { Value::Null };
    add("Environment", "default".to_owned(), json!({"multipleRoles": multiple, "defaultRoleRef": default}));
    for (number, name) in MEMBERSHIPS.into_iter().enumerate() {
        let organization_role: Vec<Value> = if chance.toss() { vec![json!({"name": "role4"})] } else { Vec::new() };
        add(
            "OrganizationMembership",
            name.to_owned(),
            json!({
                "organizationRef": {"name": if number < 4 { "o0" } else { "o1" }}, "user": {"id": format!("u{number}")},
                "suspended": chance.below(6) == 0, "roleRefs": organization_role,
            }),
        );
    }
    for (number, organization) in ["o0", "o0", "o1"].into_iter().enumerate() {
        let members: Vec<&str> = MEMBERSHIPS.into_iter().filter(|_| chance.toss()).collect();
        let subgroups: Vec<Value> = if number == 0 { vec![json!({"name": "g1"})] } else { Vec::new() };
        let spec = json!({"organizationRef": {"name": organization}, "members": members, "subgroups": subgroups});
        add("Group", format!("g{number}"), spec);
    }
    for number in 0..30 {
        let (resource, resource_type) = &resources[chance.below(resources.len())];
        let fitting: Vec<&String> = roles.iter().filter(|(_, of)| of == resource_type).map(|(name, _)| name).collect();
        let role = fitting[chance.below(fitting.len())];
        let expires = if chance.below(8) == 0 { json!("2026-01-01T00:00:00Z") } else { Value::Null };
        let mut spec = json!({"roleRef": {"name": role}, "resourceRef": {"name": resource}, "expiresAt": expires});
        if chance.toss() {
            spec["membershipRef"] = json!({"name": MEMBERSHIPS[chance.below(6)]});
            add("MembershipRoleAssignment", format!("grant{number}"), spec);
        } else {
            spec["groupRef"] = json!({"name": format!("g{}", chance.below(3))});
            add("GroupRoleAssignment", format!("grant{number}"), spec);
        }
    }
    objects
}

/// One membership, permission and resource, all by id.
type Question = (String, String, String);

/// Check, batch check, explanation, effective permissions, discovery and the native API say the same.
#[tokio::test]
async fn every_surface_agrees_on_random_worlds() {
    let (mut yes, mut no) = (0, 0);
    for seed in 0..8 {
        let manifests = random_world(seed).iter().map(ToString::to_string).collect::<Vec<_>>().join("\n---\n");
        let world = World::new(&manifests);
        let resources = world.get("/authorization/resources?limit=100").await.ok()["data"].as_array().unwrap().clone();
        assert_eq!(resources.len(), 12, "seed {seed}");
        let mut answers = BTreeMap::<Question, bool>::new();
        for (number, membership) in MEMBERSHIPS.into_iter().enumerate() {
            let organization = id(&world, if number < 4 { "/organizations/o0" } else { "/organizations/o1" }).await;
            let om = id(&world, &format!("/user_management/organization_memberships/{membership}")).await;
            let of = |what: &str| format!("/authorization/organization_memberships/{om}/{what}");
            let here: Vec<&Value> =
                resources.iter().filter(|resource| resource["organization_id"] == organization).collect();
            let mut questions = Vec::new();
            for resource in &here {
                for permission in PERMISSIONS {
                    let name = resource["external_id"].as_str().unwrap();
                    let native = if name.starts_with("org_") {
                        json!({"name": if number < 4 { "o0" } else { "o1" }})
                    } else {
                        json!({"name": name})
                    };
                    let body = json!({"membership": membership, "permission": permission, "resource": native});
                    let native =
                        world.post("/environments/default/v1/check", &body).await.ok()["allowed"].as_bool().unwrap();
                    let resource = resource["id"].as_str().unwrap();
                    let question = json!({"permission_slug": permission, "resource_id": resource});
                    let checked = world.post(&of("check"), &question).await.ok()["authorized"].as_bool().unwrap();
                    let explained = world.post(&of("explain"), &question).await.ok();
                    let context = format!("seed {seed}: {permission} by {membership} on {resource}");
                    assert_eq!(checked, native, "{context}");
                    assert_eq!(explained["authorized"], checked, "{context}");
                    assert_eq!(!explained["paths"].as_array().unwrap().is_empty(), checked, "{context}");
                    answers.insert((om.clone(), permission.to_owned(), resource.to_owned()), checked);
                    *(if checked { &mut yes } else { &mut no }) += 1;
                    questions.push((question, checked));
                }
            }
            let checks: Vec<&Value> = questions.iter().map(|(question, _)| question).collect();
            let batch = world.post(&of("batch_check"), &json!({"checks": checks})).await.ok();
            let expected: Vec<Value> =
                questions.iter().map(|(_, authorized)| json!({"authorized": authorized})).collect();
            assert_eq!(batch["data"], json!(expected), "seed {seed}: {membership}");

            let said = |permission: &str, resource: &Value| {
                answers[&(om.clone(), permission.to_owned(), resource["id"].as_str().unwrap().to_owned())]
            };
            for resource in &here {
                let path = of(&format!("resources/{}/permissions?limit=100", resource["id"].as_str().unwrap()));
                let page = world.get(&path).await.ok();
                let listed: BTreeSet<&str> = slugs(&page).into_iter().collect();
                let expected = PERMISSIONS.into_iter().filter(|permission| said(permission, resource)).collect();
                assert_eq!(listed, expected, "seed {seed}: {membership} on {resource}");
                for permission in PERMISSIONS {
                    let path = format!("resources?limit=100&permission_slug={permission}&parent_resource_id=");
                    let path = of(&format!("{path}{}", resource["id"].as_str().unwrap()));
                    let children = here.iter().filter(|child| child["parent_resource_id"] == resource["id"]);
                    let expected: Vec<&&Value> = children.filter(|child| said(permission, child)).collect();
                    assert_eq!(world.get(&path).await.ok()["data"], json!(expected), "seed {seed}: {path}");
                }
            }
            for permission in PERMISSIONS {
                let path = of(&format!("resources?limit=100&permission_slug={permission}"));
                let expected: Vec<&&Value> = here.iter().filter(|resource| said(permission, resource)).collect();
                assert_eq!(world.get(&path).await.ok()["data"], json!(expected), "seed {seed}: {path}");
            }
        }
        for resource in &resources {
            for permission in PERMISSIONS {
                let resource = resource["id"].as_str().unwrap();
                let path = format!(
                    "/authorization/resources/{resource}/organization_memberships?permission_slug={permission}"
                );
                let all: BTreeSet<String> =
                    ids(&world.get(&format!("{path}&assignment=indirect")).await.ok()).into_iter().collect();
                let allowed = answers.iter().filter(|((_, of, on), yes)| **yes && of == permission && on == resource);
                let expected: BTreeSet<String> = allowed.map(|((om, ..), _)| om.clone()).collect();
                assert_eq!(all, expected, "seed {seed}: {path}");
                let direct: BTreeSet<String> = ids(&world.get(&path).await.ok()).into_iter().collect();
                assert!(direct.is_subset(&all), "seed {seed}: {path}");
            }
        }
    }
    assert!(yes > 100 && no > 100, "the worlds decide something: {yes} times yes, {no} times no");
}

/// Among many permissions the ones of a page are shown, in a steady order.
#[tokio::test]
async fn rule_68_effective_permissions_come_in_pages() {
    let many: Vec<String> = (0..60).map(|number| format!("\"x{number:02}:do\"")).collect();
    let manifests = company::MANIFESTS.replace("[\"reports:read\"]", &format!("[{}]", many.join(", ")));
    let world = World::new(&manifests);
    let path = "/authorization/organization_memberships/erin/resources/website/permissions?limit=7";
    let all = walk(&world, path, "after").await;
    assert_eq!(all.len(), 60);
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 60);
}
