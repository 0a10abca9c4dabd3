//! Groups and their members.

use axum::http::Method;
use serde_json::{Value, json};

use super::{
    expect::{coded, created, invalid, invalid_fields, is_id, not_found, refused, shows},
    requests::{column, group, may, membership, text},
};
use crate::support::workos::World;

/// Two organizations, in the first of which Staff may do something.
const ORGANIZATIONS: &str = "
{apiVersion: authz.bailiwick.dev/v1alpha1, kind: Resource, metadata: {name: acme}, spec: {type: organization}}
---
{apiVersion: authz.bailiwick.dev/v1alpha1, kind: Resource, metadata: {name: globex}, spec: {type: organization}}
---
{apiVersion: authz.bailiwick.dev/v1alpha1, kind: Role, metadata: {name: admin}, spec: {permissions: ['org:admin']}}
---
{apiVersion: authz.bailiwick.dev/v1alpha1, kind: Role, metadata: {name: billing}, spec: {permissions: ['org:billing']}}
---
{apiVersion: authz.bailiwick.dev/v1alpha1, kind: Group, metadata: {name: admins}, spec: {organizationRef: {name: acme}}}
---
{apiVersion: authz.bailiwick.dev/v1alpha1, kind: GroupRoleAssignment, metadata: {name: admins}, spec: {groupRef: {name: admins}, roleRef: {name: admin}}}
";

fn path(group: &Value) -> String {
    format!("/organizations/{}/groups/{}", text(group, "organization_id"), text(group, "id"))
}

fn members(group: &Value) -> String {
    format!("{}/organization-memberships", path(group))
}

async fn admins(world: &World) -> Value {
    world.get("/organizations/acme/groups/admins").await.ok()
}

async fn users(world: &World, group: &Value) -> Vec<String> {
    column(&world.get(&format!("{}?order=asc", members(group))).await.ok(), "/user_id")
}

#[tokio::test]
async fn a_group_is_created_read_changed_and_deleted() {
    let world = World::new(ORGANIZATIONS);
    let body = json!({"name": "Engineering Team", "description": "Builds things"});
    let engineers = created(&world.post("/organizations/acme/groups", &body).await);
    is_id(&engineers["id"], "group");
    is_id(&engineers["organization_id"], "org");
    let mut expected = json!({
        "object": "group",
        "id": engineers["id"],
        "organization_id": engineers["organization_id"],
        "name": "Engineering Team",
        "description": "Builds things",
    });
    shows(&engineers, &expected);
    for path in [path(&engineers), "/organizations/acme/groups/engineering-team".to_owned()] {
        assert_eq!(world.get(&path).await.ok(), engineers);
        assert_eq!(world.get(&format!("/environments/default{path}")).await.ok(), engineers);
    }
    assert_eq!(world.patch(&path(&engineers), &json!({})).await.ok(), engineers);
    expected["name"] = json!("Engineers");
    shows(&world.patch(&path(&engineers), &json!({"name": "Engineers"})).await.ok(), &expected);
    expected["description"] = Value::Null;
    shows(&world.patch(&path(&engineers), &json!({"description": null})).await.ok(), &expected);

    let answer = world.delete(&path(&engineers)).await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (204, ""));
    refused(&world.delete(&path(&engineers)).await, 404, &not_found("Group", text(&engineers, "id")));
}

#[tokio::test]
async fn groups_are_listed_and_searched_within_their_organization() {
    let world = World::new(ORGANIZATIONS);
    let engineers = group(&world, "acme", "Engineers").await;
    group(&world, "acme", "Engineers").await;
    group(&world, "globex", "Engineers").await;
    for (query, expected) in [
        ("", &["Engineers", "Engineers", "admins"][..]),
        ("?search=ENGI", &["Engineers", "Engineers"]),
        ("?search=min", &["admins"]),
        ("?search=nobody", &[]),
        (&format!("?search={}", text(&engineers, "id")), &["Engineers"]),
    ] {
        let listed = world.get(&format!("/organizations/acme/groups{query}")).await.ok();
        assert_eq!(column(&listed, "/name"), expected, "{query}");
    }
}

#[tokio::test]
async fn rules_40_41_and_44_members_gain_and_lose_what_the_group_has_at_once() {
    let world = World::new(ORGANIZATIONS);
    let admins = admins(&world).await;
    let alice = membership(&world, "acme", "alice").await;
    let add = json!({"organization_membership_id": alice["id"]});
    for _ in 0..2 {
        let answer = world.post(&members(&admins), &add).await.ok();
        assert_eq!(answer["id"], admins["id"], "rule 51: the group, and again the same");
        assert!(may(&world, "alice", "org:admin", "acme").await);
        assert_eq!(users(&world, &admins).await, ["alice"]);
    }
    let listed = world.get(&members(&admins)).await.ok();
    let mut expected =
        world.get(&format!("/user_management/organization_memberships/{}", text(&alice, "id"))).await.ok();
    expected.as_object_mut().unwrap().retain(|field, _| field != "role" && field != "roles");
    assert_eq!(listed["data"], json!([expected]), "with its user");

    let member = format!("{}/{}", members(&admins), text(&alice, "id"));
    let answer = world.delete(&member).await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (204, ""));
    assert!(!may(&world, "alice", "org:admin", "acme").await);
    refused(&world.delete(&member).await, 404, &not_found("Organization membership", text(&alice, "id")));
}

#[tokio::test]
async fn rule_41_a_role_from_elsewhere_stays() {
    let world = World::new(ORGANIZATIONS);
    let admins = admins(&world).await;
    let body = json!({"organization_id": "acme", "user_id": "alice", "role_slug": "admin"});
    let alice = created(&world.post("/user_management/organization_memberships", &body).await);
    world.post(&members(&admins), &json!({"organization_membership_id": alice["id"]})).await.ok();
    world.delete(&format!("{}/{}", members(&admins), text(&alice, "id"))).await;
    assert!(may(&world, "alice", "org:admin", "acme").await);
}

#[tokio::test]
async fn rule_46_without_the_winning_role_of_a_group_comes_the_default_role() {
    let world = World::new(ORGANIZATIONS);
    let settings = json!({"default_role_slug": "billing", "role_priority": ["admin", "billing"]});
    world.patch("/authorization/environment", &settings).await.ok();
    let (admins, alice) = (admins(&world).await, membership(&world, "acme", "alice").await);
    let shown = format!("/user_management/organization_memberships/{}", text(&alice, "id"));
    assert_eq!(world.get(&shown).await.ok()["role"]["slug"], "billing");
    world.post(&members(&admins), &json!({"organization_membership_id": alice["id"]})).await.ok();
    assert_eq!(world.get(&shown).await.ok()["roles"], json!([{"slug": "admin"}]));
    assert!(!may(&world, "alice", "org:billing", "acme").await);
    world.delete(&format!("{}/{}", members(&admins), text(&alice, "id"))).await;
    assert_eq!(world.get(&shown).await.ok()["roles"], json!([{"slug": "billing"}]));
    assert!(may(&world, "alice", "org:billing", "acme").await && !may(&world, "alice", "org:admin", "acme").await);
}

#[tokio::test]
async fn rules_49_and_51_members_are_added_and_removed_all_at_once_or_not_at_all() {
    let world = World::new(ORGANIZATIONS);
    let admins = admins(&world).await;
    let mut ids = Vec::new();
    for user in ["alice", "bob", "carol"] {
        ids.push(membership(&world, "acme", user).await["id"].clone());
    }
    let [alice, bob, carol] = &ids[..] else { panic!("three") };
    let eve = membership(&world, "globex", "eve").await["id"].clone();
    let change = async |body: Value| world.patch(&members(&admins), &body).await;

    let answer = change(json!({"add": [alice, bob, alice]})).await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (204, ""));
    assert_eq!(users(&world, &admins).await, ["alice", "bob"]);
    // Who is there is added, who is not is removed: nothing to do.
    assert_eq!(change(json!({"add": [carol, bob], "remove": [alice, eve, "om_gone"]})).await.status, 204);
    assert_eq!(users(&world, &admins).await, ["bob", "carol"]);
    assert!(!may(&world, "alice", "org:admin", "acme").await && may(&world, "carol", "org:admin", "acme").await);

    refused(
        &change(json!({"add": [alice, "om_none"], "remove": [bob]})).await,
        404,
        &not_found("Organization membership", "om_none"),
    );
    let foreign = format!("add must be of the organization of the group, unlike '{}'", eve.as_str().unwrap());
    refused(&change(json!({"add": [alice, eve], "remove": [bob]})).await, 422, &invalid("add", &foreign));
    refused(
        &change(json!({"add": [alice, bob], "remove": ["bob-acme"]})).await,
        422,
        &invalid("remove", "remove must not name what add names: 'bob-acme'"),
    );
    let bounds = "add and remove must have 1 to 100 items together";
    refused(&change(json!({})).await, 422, &invalid("add", bounds));
    refused(&change(json!({"add": [], "remove": []})).await, 422, &invalid("add", bounds));
    refused(&change(json!({"add": vec![alice; 50], "remove": vec![bob; 51]})).await, 422, &invalid("add", bounds));
    assert_eq!(users(&world, &admins).await, ["bob", "carol"], "nothing of what was refused is done");
}

#[tokio::test]
async fn rule_51_who_cannot_be_added_is_refused() {
    let world = World::new(ORGANIZATIONS);
    let admins = admins(&world).await;
    let eve = membership(&world, "globex", "eve").await;
    let add = async |id: &Value| world.post(&members(&admins), &json!({"organization_membership_id": id})).await;
    let field = "organization_membership_id";
    refused(&add(&json!("om_none")).await, 404, &not_found("Organization membership", "om_none"));
    let foreign = format!("{field} must be of the organization of the group, unlike '{}'", text(&eve, "id"));
    refused(&add(&eve["id"]).await, 422, &invalid(field, &foreign));
    refused(
        &world.post(&members(&admins), &json!({})).await,
        422,
        &invalid(field, "organization_membership_id should not be empty"),
    );
}

#[tokio::test]
async fn rule_51_a_group_has_its_limit() {
    let names: Vec<String> = (0..50_000).map(|number| format!("m{number}")).collect();
    let large = format!(
        "{{apiVersion: authz.bailiwick.dev/v1alpha1, kind: Group, metadata: {{name: large}}, spec: {{organizationRef: {{name: acme}}, members: [{}]}}}}",
        names.join(", ")
    );
    let world = World::new(&[ORGANIZATIONS, &large].join("---\n"));
    let large = world.get("/organizations/acme/groups/large").await.ok();
    let alice = membership(&world, "acme", "alice").await;
    let exceeded = coded("group_membership_limit_exceeded", "A group has 50000 members at the most.");
    let add = json!({"organization_membership_id": alice["id"]});
    refused(&world.post(&members(&large), &add).await, 400, &exceeded);
    refused(&world.patch(&members(&large), &json!({"add": [alice["id"]]})).await, 400, &exceeded);
}

#[tokio::test]
async fn what_a_group_lists_but_nobody_declares_can_go() {
    let group = "{apiVersion: authz.bailiwick.dev/v1alpha1, kind: Group, metadata: {name: mixed}, spec: {organizationRef: {name: acme}, members: [m0]}}";
    let world = World::new(&[ORGANIZATIONS, group].join("---\n"));
    let mixed = world.get("/organizations/acme/groups/mixed").await.ok();
    let alice = membership(&world, "acme", "alice").await;
    let swap = json!({"add": [alice["id"]], "remove": ["m0"]});
    assert_eq!(world.patch(&members(&mixed), &swap).await.status, 204);
    assert_eq!(users(&world, &mixed).await, ["alice"]);
    assert!(!world.read("manifests.yaml").contains("m0"));
}

#[tokio::test]
async fn rule_52_with_a_group_goes_what_its_members_had_of_it() {
    let world = World::new(ORGANIZATIONS);
    let admins = admins(&world).await;
    let alice = membership(&world, "acme", "alice").await;
    world.post(&members(&admins), &json!({"organization_membership_id": alice["id"]})).await.ok();
    assert_eq!(world.delete(&path(&admins)).await.status, 204);
    assert!(!may(&world, "alice", "org:admin", "acme").await);
    let alice = format!("/user_management/organization_memberships/{}", text(&alice, "id"));
    assert_eq!(world.get(&alice).await.ok()["status"], "active");
    assert_eq!(world.get(&format!("{alice}/groups")).await.ok()["data"], json!([]));
    let again = group(&world, "acme", "Admins").await;
    assert_eq!(users(&world, &again).await, [""; 0]);
}

#[tokio::test]
async fn rule_52_a_group_is_not_found_under_another_organization() {
    let world = World::new(ORGANIZATIONS);
    let admins = text(&admins(&world).await, "id").to_owned();
    let eve = membership(&world, "globex", "eve").await;
    let member = json!({"organization_membership_id": eve["id"], "add": [eve["id"]]});
    for id in [admins.as_str(), "group_none"] {
        for (method, rest) in [
            (Method::GET, String::new()),
            (Method::PATCH, String::new()),
            (Method::DELETE, String::new()),
            (Method::GET, "/organization-memberships".to_owned()),
            (Method::POST, "/organization-memberships".to_owned()),
            (Method::PATCH, "/organization-memberships".to_owned()),
            (Method::DELETE, format!("/organization-memberships/{}", text(&eve, "id"))),
        ] {
            let answer = world.send(method, &format!("/organizations/globex/groups/{id}{rest}"), Some(&member)).await;
            refused(&answer, 404, &not_found("Group", id));
        }
    }
    refused(&world.get("/organizations/none/groups").await, 404, &not_found("Organization", "none"));
    refused(
        &world.post("/organizations/none/groups", &json!({"name": "x"})).await,
        404,
        &not_found("Organization", "none"),
    );
    refused(&world.get(&format!("/organizations/none/groups/{admins}")).await, 404, &not_found("Organization", "none"));
}

#[tokio::test]
async fn what_cannot_be_a_group_is_refused() {
    let world = World::new(ORGANIZATIONS);
    let admins = admins(&world).await;
    let (name, description) = ("x".repeat(257), "x".repeat(151));
    let too_long = [
        ("name", "name must be shorter than or equal to 256 characters"),
        ("description", "description must be shorter than or equal to 150 characters"),
    ];
    let body = json!({"name": name, "description": description});
    refused(&world.post("/organizations/acme/groups", &body).await, 422, &invalid_fields(&too_long));
    refused(&world.patch(&path(&admins), &body).await, 422, &invalid_fields(&too_long));
    refused(
        &world.post("/organizations/acme/groups", &json!({})).await,
        422,
        &invalid("name", "name should not be empty"),
    );
    refused(
        &world.patch(&path(&admins), &json!({"name": ""})).await,
        422,
        &invalid("name", "name should not be empty"),
    );
    let answer = world.post("/organizations/acme/groups", &json!({"name": 1})).await;
    refused(&answer, 422, &invalid("name", "name cannot be used: invalid type: integer `1`, expected a string"));
    let not_json = world.client().post_raw("/organizations/acme/groups", "{").await;
    not_json.error(400, "bad_request");
}

#[tokio::test]
async fn any_number_of_groups_of_one_name_are_made_at_once() {
    let world = World::new(ORGANIZATIONS);
    let body = json!({"name": "Staff"});
    let answers = futures::future::join_all((0..40).map(|_| world.post("/organizations/acme/groups", &body))).await;
    let ids: std::collections::HashSet<_> =
        answers.iter().map(|answer| text(&created(answer), "id").to_owned()).collect();
    assert_eq!(ids.len(), 40);
}
