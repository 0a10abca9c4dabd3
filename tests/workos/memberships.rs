//! Organization memberships.

use axum::http::Method;
use serde_json::{Value, json};

use super::{
    expect::{coded, created, invalid, invalid_fields, is_id, not_found, refused, shows},
    requests::{column, group, may, membership, organization, text},
};
use crate::support::workos::World;

const PATH: &str = "/user_management/organization_memberships";

/// Two organizations, and roles that permit what they are called.
const ORGANIZATIONS: &str = "
{apiVersion: authz.bailiwick.dev/v1alpha1, kind: Resource, metadata: {name: acme}, spec: {type: organization, displayName: Acme}}
---
{apiVersion: authz.bailiwick.dev/v1alpha1, kind: Resource, metadata: {name: globex}, spec: {type: organization}}
---
{apiVersion: authz.bailiwick.dev/v1alpha1, kind: Role, metadata: {name: admin}, spec: {permissions: ['org:admin']}}
---
{apiVersion: authz.bailiwick.dev/v1alpha1, kind: Role, metadata: {name: billing}, spec: {permissions: ['org:billing']}}
---
{apiVersion: authz.bailiwick.dev/v1alpha1, kind: Role, metadata: {name: globex-own}, spec: {slug: org-own, organizationRef: {name: globex}}}
---
{apiVersion: authz.bailiwick.dev/v1alpha1, kind: Role, metadata: {name: editor}, spec: {resourceType: project}}
";

const MULTIPLE_ROLES: &str = "
{apiVersion: authz.bailiwick.dev/v1alpha1, kind: Environment, metadata: {name: default}, spec: {multipleRoles: true}}
";

/// Alice, who has a role on her organization by an object of its own.
const ALICE: &str = "
{apiVersion: authz.bailiwick.dev/v1alpha1, kind: OrganizationMembership, metadata: {name: alice-acme}, spec: {organizationRef: {name: acme}, user: {id: alice}}}
---
{apiVersion: authz.bailiwick.dev/v1alpha1, kind: MembershipRoleAssignment, metadata: {name: alice-billing}, spec: {membershipRef: {name: alice-acme}, roleRef: {name: billing}}}
";

fn path(membership: &Value) -> String {
    format!("{PATH}/{}", text(membership, "id"))
}

fn roles(membership: &Value) -> Vec<&str> {
    let roles = membership["roles"].as_array().unwrap();
    assert_eq!(membership["role"], roles[0]);
    roles.iter().map(|role| text(role, "slug")).collect()
}

#[tokio::test]
async fn a_membership_is_created_with_its_user_and_shown_with_both() {
    let world = World::new(ORGANIZATIONS);
    let user = json!({"email": "alice@example.com", "first_name": "Alice", "last_name": "Adams"});
    let body = json!({"user_id": "user_01ALICE", "organization_id": "acme", "role_slug": "admin", "user": user});
    let alice = created(&world.post(PATH, &body).await);
    is_id(&alice["id"], "om");
    is_id(&alice["organization_id"], "org");
    let mut expected = json!({
        "object": "organization_membership",
        "id": alice["id"],
        "user_id": "user_01ALICE",
        "organization_id": alice["organization_id"],
        "organization_name": "Acme",
        "status": "active",
        "directory_managed": false,
        "custom_attributes": {},
        "role": {"slug": "admin"},
        "roles": [{"slug": "admin"}],
        "user": alice["user"],
    });
    shows(&alice, &expected);
    let mut expected_user = json!({
        "object": "user",
        "id": "user_01ALICE",
        "first_name": "Alice",
        "last_name": "Adams",
        "name": "Alice Adams",
        "profile_picture_url": null,
        "email": "alice@example.com",
        "email_verified": true,
        "external_id": null,
        "metadata": {},
        "last_sign_in_at": null,
        "locale": null,
    });
    shows(&alice["user"], &expected_user);
    assert_eq!(world.get(&path(&alice)).await.ok(), alice);
    assert_eq!(world.get(&format!("{PATH}/user-01alice-acme")).await.ok(), alice, "a name does for an id");
    assert_eq!(world.get(&format!("/environments/default{}", path(&alice))).await.ok(), alice);

    let user = json!({"email": null, "first_name": "Ali"});
    let changed = world.put(&path(&alice), &json!({"user": user})).await.ok();
    for (field, value) in [("email", json!("")), ("email_verified", json!(false)), ("first_name", json!("Ali"))] {
        expected_user[field] = value;
    }
    expected_user["name"] = json!("Ali Adams");
    shows(&changed["user"], &expected_user);
    expected["user"] = changed["user"].clone();
    shows(&changed, &expected);
}

#[tokio::test]
async fn rules_14_and_36_a_membership_without_a_role_has_the_default_role_at_once() {
    let world = World::new(ORGANIZATIONS);
    let alice = membership(&world, "acme", "alice").await;
    assert_eq!(roles(&alice), ["member"]);
    assert!(!may(&world, "alice", "org:admin", "acme").await);
    world.patch("/authorization/environment", &json!({"default_role_slug": "admin"})).await.ok();
    assert!(may(&world, "alice", "org:admin", "acme").await);
    assert_eq!(roles(&world.get(&path(&alice)).await.ok()), ["admin"]);

    let changed = world.put(&path(&alice), &json!({"role_slug": "billing"})).await.ok();
    assert_eq!(roles(&changed), ["billing"]);
    assert!(may(&world, "alice", "org:billing", "acme").await && !may(&world, "alice", "org:admin", "acme").await);
}

#[tokio::test]
async fn rule_36_roles_that_are_set_replace_those_that_were_assigned() {
    let world = World::new(&[ORGANIZATIONS, MULTIPLE_ROLES, ALICE].join("---"));
    let alice = world.get(&format!("{PATH}/alice-acme")).await.ok();
    assert_eq!(roles(&alice), ["billing"]);
    assert_eq!(roles(&world.put(&path(&alice), &json!({"role_slugs": ["admin"]})).await.ok()), ["admin"]);
    assert!(may(&world, "alice", "org:admin", "acme").await && !may(&world, "alice", "org:billing", "acme").await);

    let world = World::new(&[ORGANIZATIONS, ALICE].join("---"));
    world.put(&format!("{PATH}/alice-acme/deactivate"), &json!({})).await.ok();
    let body = json!({"user_id": "alice", "organization_id": "acme", "role_slug": "admin"});
    assert_eq!(roles(&created(&world.post(PATH, &body).await)), ["admin"], "and so do those of a new beginning");
}

#[tokio::test]
async fn an_inactive_membership_is_created_anew() {
    let world = World::new(ORGANIZATIONS);
    let body = json!({"user_id": "alice", "organization_id": "acme", "role_slug": "admin"});
    let alice = created(&world.post(PATH, &body).await);
    let already = coded(
        "organization_membership_already_exists",
        &format!("The user is a member of the organization already: '{}'.", text(&alice, "id")),
    );
    refused(&world.post(PATH, &body).await, 409, &already);
    created(&world.post(PATH, &json!({"user_id": "alice", "organization_id": "globex"})).await);

    world.put(&format!("{}/deactivate", path(&alice)), &json!({})).await.ok();
    let again =
        json!({"user_id": "alice", "organization_id": "acme", "role_slug": "billing", "user": {"first_name": "A"}});
    refused(
        &world.post(PATH, &json!({"user_id": "alice", "organization_id": "acme", "role_slug": "none"})).await,
        422,
        &json!({"message": "Role not found: 'none'.", "code": "invalid_role", "role_slug": "none"}),
    );
    let rejoined = created(&world.post(PATH, &again).await);
    assert_eq!(
        (&rejoined["id"], &rejoined["status"], roles(&rejoined)),
        (&alice["id"], &json!("active"), vec!["billing"])
    );
    assert_eq!(rejoined["user"]["first_name"], "A");
    assert!(may(&world, "alice", "org:billing", "acme").await && !may(&world, "alice", "org:admin", "acme").await);
}

#[tokio::test]
async fn rule_13_a_deactivated_membership_keeps_what_it_has_for_later() {
    let world = World::new(ORGANIZATIONS);
    let body = json!({"user_id": "alice", "organization_id": "acme", "role_slug": "admin"});
    let alice = created(&world.post(PATH, &body).await);
    assert!(may(&world, "alice", "org:admin", "acme").await);
    for (verb, status) in [("deactivate", "inactive"), ("reactivate", "active")] {
        let changed = world.put(&format!("{}/{verb}", path(&alice)), &json!({})).await.ok();
        assert_eq!((&changed["status"], roles(&changed)), (&json!(status), vec!["admin"]));
        assert_eq!(may(&world, "alice", "org:admin", "acme").await, status == "active", "rule 14");
        let again = world.send(Method::PUT, &format!("{}/{verb}", path(&alice)), None).await.ok();
        assert_eq!(again, changed, "nothing changes, not even the time");
    }
}

#[tokio::test]
async fn memberships_are_listed_by_user_organization_and_status() {
    let world = World::new(ORGANIZATIONS);
    for (organization, user) in [("acme", "alice"), ("acme", "bob"), ("globex", "alice")] {
        membership(&world, organization, user).await;
    }
    let bob = world.get(&format!("{PATH}/bob-acme")).await.ok();
    world.put(&format!("{}/deactivate", path(&bob)), &json!({})).await.ok();
    let acme = text(&bob, "organization_id");
    for (query, expected) in [
        (format!("organization_id={acme}"), &["alice"][..]),
        (format!("organization_id={acme}&statuses=active,inactive"), &["bob", "alice"]),
        (format!("organization_id={acme}&statuses=inactive,pending"), &["bob"]),
        (format!("organization_id={acme}&statuses=pending"), &[]),
        ("user_id=alice".to_owned(), &["alice", "alice"]),
        ("user_id=alice&organization_id=globex".to_owned(), &["alice"]),
        ("user_id=bob&organization_id=globex".to_owned(), &[]),
        ("user_id=nobody".to_owned(), &[]),
    ] {
        let listed = world.get(&format!("{PATH}?{query}")).await.ok();
        assert_eq!(column(&listed, "/user_id"), expected, "{query}");
    }
    let listed = world.get(&format!("{PATH}?user_id=bob&statuses=inactive")).await.ok();
    assert_eq!(listed["data"][0], world.get(&path(&bob)).await.ok());

    refused(
        &world.get(PATH).await,
        400,
        &coded("missing_user_id_or_organization_id", "Either user_id or organization_id must be given."),
    );
    refused(&world.get(&format!("{PATH}?organization_id=none")).await, 404, &not_found("Organization", "none"));
    let unknown = "each value in statuses must be one of active, inactive, pending";
    refused(
        &world.get(&format!("{PATH}?user_id=alice&statuses=active,gone")).await,
        422,
        &invalid("statuses", unknown),
    );
}

#[tokio::test]
async fn roles_that_cannot_be_given_are_refused() {
    let world = World::new(ORGANIZATIONS);
    let alice = membership(&world, "acme", "alice").await;
    let of_globex = json!({"message": "Role not found: 'org-own'.", "code": "invalid_role", "role_slug": "org-own"});
    let of_projects = json!({
        "message": "Role 'editor' is for resources of type 'project': give a role of type 'organization', or assign it on such \
                    a resource.",
        "code": "sub_resource_scoped_role_not_allowed",
        "role_slug": "editor",
    });
    let several = coded(
        "multiple_roles_not_enabled",
        "Multiple roles are not enabled in this environment: give one role, or set multiple_roles at \
         /authorization/environment.",
    );
    for (roles, body) in [
        (json!({"role_slug": "org-own"}), &of_globex),
        (json!({"role_slugs": ["admin", "org-own"]}), &of_globex),
        (json!({"role_slug": "editor"}), &of_projects),
        (json!({"role_slugs": ["admin", "billing"]}), &several),
    ] {
        refused(&world.put(&path(&alice), &roles).await, 422, body);
        let mut create = roles.clone();
        create["user_id"] = json!("bob");
        create["organization_id"] = json!("acme");
        refused(&world.post(PATH, &create).await, 422, body);
    }
    let both = json!({"role_slug": "admin", "role_slugs": ["admin"]});
    refused(
        &world.put(&path(&alice), &both).await,
        422,
        &invalid("role_slugs", "role_slugs should not be given beside role_slug"),
    );
    let none = json!({"role_slugs": []});
    refused(&world.put(&path(&alice), &none).await, 422, &invalid("role_slugs", "role_slugs must have 1 to 64 items"));
    assert_eq!(roles(&world.put(&path(&alice), &json!({"role_slugs": ["admin", "admin"]})).await.ok()), ["admin"]);

    world.patch("/authorization/environment", &json!({"multiple_roles": true})).await.ok();
    let changed = world.put(&path(&alice), &json!({"role_slugs": ["admin", "billing"]})).await.ok();
    assert_eq!(roles(&changed).len(), 2);
    assert!(may(&world, "alice", "org:billing", "acme").await && may(&world, "alice", "org:admin", "acme").await);
}

#[tokio::test]
async fn what_cannot_be_a_membership_is_refused() {
    let world = World::new(ORGANIZATIONS);
    refused(
        &world.post(PATH, &json!({})).await,
        422,
        &invalid_fields(&[
            ("user_id", "user_id should not be empty"),
            ("organization_id", "organization_id should not be empty"),
        ]),
    );
    let long = "x".repeat(257);
    let user = json!({"email": "alice", "first_name": "", "last_name": long});
    refused(
        &world.post(PATH, &json!({"user_id": long, "organization_id": "acme", "user": user})).await,
        422,
        &invalid_fields(&[
            ("user_id", "user_id must be shorter than or equal to 253 characters"),
            ("user.email", "user.email must be an email address"),
            ("user.first_name", "user.first_name should not be empty"),
            ("user.last_name", "user.last_name must be shorter than or equal to 256 characters"),
        ]),
    );
    let answer = world.post(PATH, &json!({"user_id": "a\nb", "organization_id": "acme"})).await;
    assert!(answer.error(422, "invalid_request_parameters").contains("spec.user.id"), "{answer:?}");
    refused(
        &world.post(PATH, &json!({"user_id": "alice", "organization_id": "none"})).await,
        404,
        &not_found("Organization", "none"),
    );
    for (method, rest) in [
        (Method::GET, ""),
        (Method::PUT, ""),
        (Method::DELETE, ""),
        (Method::PUT, "/deactivate"),
        (Method::PUT, "/reactivate"),
        (Method::GET, "/groups"),
    ] {
        let answer = world.send(method, &format!("{PATH}/om_none{rest}"), Some(&json!({}))).await;
        refused(&answer, 404, &not_found("Organization membership", "om_none"));
    }
}

#[tokio::test]
async fn rule_39_with_a_membership_go_its_roles_and_its_places_in_groups() {
    let world = World::new(ORGANIZATIONS);
    let body = json!({"user_id": "alice", "organization_id": "acme", "role_slug": "admin"});
    let alice = created(&world.post(PATH, &body).await);
    let staff = group(&world, "acme", "Staff").await;
    let members = format!("/organizations/acme/groups/{}/organization-memberships", text(&staff, "id"));
    world.post(&members, &json!({"organization_membership_id": alice["id"]})).await.ok();
    let groups = world.get(&format!("{}/groups", path(&alice))).await.ok();
    assert_eq!(
        groups["data"],
        json!([world.get(&format!("/organizations/acme/groups/{}", text(&staff, "id"))).await.ok()])
    );

    let answer = world.delete(&path(&alice)).await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, ""));
    assert!(!may(&world, "alice", "org:admin", "acme").await);
    assert_eq!(world.get(&members).await.ok()["data"], json!([]));
    refused(&world.delete(&path(&alice)).await, 404, &not_found("Organization membership", text(&alice, "id")));

    let again = membership(&world, "acme", "alice").await;
    assert_eq!(roles(&again), ["member"], "it inherits nothing");
    assert_eq!(world.get(&members).await.ok()["data"], json!([]));
}

#[tokio::test]
async fn one_user_that_many_make_a_member_at_once_is_one_member() {
    let world = World::new("");
    let acme = organization(&world, json!({"name": "Acme"})).await;
    let body = json!({"user_id": "alice", "organization_id": acme["id"]});
    let answers = futures::future::join_all((0..8).map(|_| world.post(PATH, &body))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        answer.error(409, "organization_membership_already_exists");
    }
}
