//! Checks: rules 1-14, and the extensions to them.

use serde_json::{Value, json};

use super::{
    company,
    expect::{Case, invalid, not_found, provoke},
    requests::id,
};
use crate::support::workos::World;

fn of(membership: &str, what: &str) -> String {
    format!("/authorization/organization_memberships/{membership}/{what}")
}

fn by_id(permission: &str, resource: &str) -> Value {
    json!({"permission_slug": permission, "resource_id": resource})
}

fn by_external_id(permission: &str, resource_type: &str, external_id: &str) -> Value {
    json!({"permission_slug": permission, "resource_type_slug": resource_type, "resource_external_id": external_id})
}

async fn check(world: &World, membership: &str, body: &Value) -> bool {
    let answer = world.post(&of(membership, "check"), body).await.ok();
    assert_eq!(answer.as_object().unwrap().len(), 1, "only whether: {answer}");
    answer["authorized"].as_bool().unwrap()
}

#[tokio::test]
async fn rules_1_to_6_what_a_check_means() {
    let world = company::world();
    for (membership, permission, resource, expected, why) in [
        ("alice", "workspace:view", "engineering", true, "rule 2: on the very resource"),
        ("alice", "project:edit", "website", true, "rule 3: on the parent"),
        ("fred", "project:view", "app", true, "rule 4: an organization-level role"),
        ("fred", "project:view", "acme", true, "rule 4: on the organization itself"),
        ("bob", "project:view", "website", true, "through a group"),
        ("bob", "project:view", "app", false, "rule 5: not on a sibling"),
        ("bob", "project:view", "engineering", false, "rule 5: not on the parent"),
        ("alice", "project:edit", "engineering", true, "rule 6: of another type than the resource"),
        ("alice", "workspace:view", "website", true, "rule 6: of another type than the resource"),
        ("alice", "workspace:manage", "engineering", false, "not in the role"),
        ("erin", "reports:read", "acme", true, "the default role"),
        ("erin", "project:view", "website", false, "nothing but the default role"),
    ] {
        let resource = id(&world, &format!("/authorization/resources/{resource}")).await;
        assert_eq!(check(&world, membership, &by_id(permission, &resource)).await, expected, "{membership}: {why}");
    }
}

#[tokio::test]
async fn rules_7_and_8_the_resource_is_named_by_id_or_within_the_organization() {
    let world = company::world();
    assert!(check(&world, "alice", &by_external_id("project:edit", "project", "proj-1")).await);
    // Both organizations have a workspace of that external id.
    assert!(check(&world, "alice", &by_external_id("workspace:view", "workspace", "ws-1")).await);
    assert!(check(&world, "carl", &by_external_id("workspace:view", "workspace", "ws-1")).await);
    assert!(!check(&world, "bob", &by_external_id("workspace:view", "workspace", "ws-1")).await);

    // Rule 12: on the organization, by its external id or its id.
    let globex = world.get("/authorization/resources/globex").await.ok();
    let organization = globex["organization_id"].as_str().unwrap();
    for external_id in ["globex-7", organization] {
        assert!(check(&world, "carl", &by_external_id("workspace:view", "organization", external_id)).await);
    }
}

#[tokio::test]
async fn rules_10_to_13_a_no_is_no_error() {
    let world = company::world();
    assert!(!check(&world, "alice", &by_id("no:such", "website")).await, "rule 11: an unknown permission is denied");
    assert!(!check(&world, "dora", &by_id("project:edit", "website")).await, "rule 13: inactive");

    let active = World::new(&company::MANIFESTS.replace("suspended: true", "suspended: false"));
    assert!(check(&active, "dora", &by_id("project:edit", "website")).await, "rule 13: effective again");
}

#[tokio::test]
async fn rule_14_a_write_is_visible_to_the_next_check() {
    let world = company::world();
    for round in 0..5 {
        let body = json!({
            "organization_id": "acme", "resource_type_slug": "project", "external_id": format!("new-{round}"), "name": "N",
            "parent_resource_id": "engineering",
        });
        let created = world.post("/authorization/resources", &body).await.json();
        let created = created["id"].as_str().unwrap();
        assert!(check(&world, "alice", &by_id("project:edit", created)).await);
        let path = format!("/authorization/resources/{created}");
        world.patch(&path, &json!({"parent_resource_id": "sales"})).await.ok();
        assert!(!check(&world, "alice", &by_id("project:edit", created)).await);
        assert_eq!(world.delete(&path).await.status, 204);
        let gone = world.post(&of("alice", "check"), &by_id("project:edit", created)).await;
        assert_eq!((gone.status.as_u16(), gone.json()), (404, not_found("Resource", created)));
    }
}

const NO_RESOURCE: &str = "resource_id, or resource_external_id and resource_type_slug, should not be empty";

/// What can be wrong with a question, and the answer to it (rules 7, 9, 11).
fn wrong_questions() -> Vec<(Value, u16, Value)> {
    let resource = json!({"resource_id": "website"});
    vec![
        (resource, 422, invalid("permission_slug", "permission_slug should not be empty")),
        (json!({"permission_slug": "p"}), 422, invalid("resource_id", NO_RESOURCE)),
        (
            json!({"permission_slug": "p", "resource_type_slug": "project"}),
            422,
            invalid("resource_external_id", "resource_external_id should not be empty beside resource_type_slug"),
        ),
        (
            json!({"permission_slug": "p", "resource_external_id": "proj-1"}),
            422,
            invalid("resource_type_slug", "resource_type_slug should not be empty beside resource_external_id"),
        ),
        (
            json!({"permission_slug": "p", "resource_id": "website", "resource_external_id": "proj-1", "resource_type_slug": "project"}),
            422,
            invalid(
                "resource_id",
                "resource_id should not be given beside resource_external_id and resource_type_slug",
            ),
        ),
        (
            json!({"permission_slug": 1, "resource_id": "website"}),
            422,
            invalid("permission_slug", "permission_slug cannot be used: invalid type: integer `1`, expected a string"),
        ),
        (by_id("p", "nowhere"), 404, not_found("Resource", "nowhere")),
        (by_id("p", "labs"), 404, not_found("Resource", "labs")),
        (by_external_id("p", "project", "nowhere"), 404, not_found("Resource", "nowhere")),
        (by_external_id("p", "ship", "proj-1"), 404, not_found("Resource", "proj-1")),
        (by_external_id("p", "organization", "globex-7"), 404, not_found("Resource", "globex-7")),
    ]
}

#[tokio::test]
async fn rules_7_9_11_every_error_of_a_check_and_its_explanation() {
    let world = company::world();
    for (body, status, answer) in wrong_questions() {
        for what in ["check", "explain"] {
            let got = world.post(&of("alice", what), &body).await;
            assert_eq!((got.status.as_u16(), got.json()), (status, answer.clone()), "{what} {body}");
        }
    }
    let case =
        |request, body| Case { request, body, status: 404, answer: not_found("Organization membership", "nobody") };
    provoke(
        &world,
        [
            case("POST /authorization/organization_memberships/nobody/check", by_id("p", "website")),
            case("POST /authorization/organization_memberships/nobody/explain", by_id("p", "website")),
            case("POST /authorization/organization_memberships/nobody/batch_check", json!({"checks": []})),
        ],
    )
    .await;
    // A membership that nothing declares has grants, but none of this API.
    let undeclared = world.post(&of("nobody-declared-me", "check"), &by_id("project:edit", "website")).await;
    assert_eq!(undeclared.json(), not_found("Organization membership", "nobody-declared-me"));
}

#[tokio::test]
async fn a_batch_has_an_answer_in_the_place_of_each_question() {
    let world = company::world();
    let wrong = wrong_questions();
    let mut checks = vec![by_id("project:edit", "website"), by_external_id("workspace:manage", "workspace", "ws-1")];
    checks.extend(wrong.iter().map(|(body, ..)| body.clone()));
    checks.extend([json!(7), by_id("workspace:view", "engineering")]);
    let answer = world.post(&of("alice", "batch_check"), &json!({"checks": checks})).await.ok();
    let mut expected = vec![json!({"authorized": true}), json!({"authorized": false})];
    expected.extend(wrong.into_iter().map(|(.., error)| json!({"authorized": false, "error": error})));
    expected.push(answer["data"][expected.len()].clone());
    expected.push(json!({"authorized": true}));
    assert_eq!(answer, json!({"object": "list", "data": expected}));
    let no_object = &expected[expected.len() - 2];
    assert_eq!(no_object["error"]["code"], "invalid_request_parameters", "{no_object}");

    let none = world.post(&of("alice", "batch_check"), &json!({"checks": []})).await.ok();
    assert_eq!(none, json!({"object": "list", "data": []}));
    let missing = world.post(&of("alice", "batch_check"), &json!({})).await;
    assert_eq!((missing.status.as_u16(), missing.json()), (422, invalid("checks", "checks should not be empty")));
    let question = by_id("project:edit", "website");
    let most = world.post(&of("alice", "batch_check"), &json!({"checks": vec![&question; 10_000]})).await.ok();
    assert_eq!(most["data"].as_array().unwrap().len(), 10_000);
    let too_many = world.post(&of("alice", "batch_check"), &json!({"checks": vec![&question; 10_001]})).await;
    let sentence = "checks must contain no more than 10000 elements";
    assert_eq!((too_many.status.as_u16(), too_many.json()), (422, invalid("checks", sentence)));
}

#[tokio::test]
async fn an_explanation_tells_every_way_with_ids() {
    let world = company::world();
    let resource = async |name: &str, external_id: &str, resource_type: &str| {
        let id = id(&world, &format!("/authorization/resources/{name}")).await;
        json!({"id": id, "external_id": external_id, "resource_type_slug": resource_type})
    };
    let website = resource("website", "proj-1", "project").await;
    let engineering = resource("engineering", "ws-1", "workspace").await;

    let allowed = world.post(&of("alice", "explain"), &by_id("project:edit", "website")).await.ok();
    let assignment = &allowed["paths"][0]["source"]["role_assignment_id"];
    assert!(assignment.as_str().unwrap().starts_with("role_assignment_"), "{allowed}");
    assert_eq!(
        allowed,
        json!({
            "object": "explanation", "authorized": true, "reason": null,
            "summary": "project:edit by alice on website is allowed: alice has workspace-lead on engineering, which is above \
                        website, by MembershipRoleAssignment alice-engineering",
            "paths": [{
                "source": {"type": "direct", "role_assignment_id": assignment},
                "role": {"slug": "workspace-lead"}, "permission_slug": "project:edit",
                "resources": [website, engineering], "expires_at": null,
            }],
            "near_misses": [],
        })
    );

    let through_group = world.post(&of("bob", "explain"), &by_id("project:view", "website")).await.ok();
    let source = &through_group["paths"][0]["source"];
    assert_eq!(source["type"], "group");
    assert!(source["group_role_assignment_id"].as_str().unwrap().starts_with("gra_"), "{source}");
    assert!(source["groups"][0]["id"].as_str().unwrap().starts_with("group_"), "{source}");
    assert_eq!(source["groups"][0]["name"], "Viewers");

    for (membership, permission, source) in [
        ("fred", "project:view", json!({"type": "organization_membership"})),
        ("erin", "reports:read", json!({"type": "default_role"})),
    ] {
        let explained = world.post(&of(membership, "explain"), &by_id(permission, "website")).await.ok();
        assert_eq!(explained["paths"][0]["source"], source);
        assert_eq!(explained["paths"][0]["resources"].as_array().unwrap().len(), 3);
    }

    let denied = world.post(&of("bob", "explain"), &by_id("project:edit", "website")).await.ok();
    let message = "bob has project-viewer on website, which lacks project:edit";
    assert_eq!(
        denied,
        json!({
            "object": "explanation", "authorized": false,
            "reason": {
                "code": "no_grant",
                "message": "no effective grant of the membership on the resource or above it has the permission",
            },
            "summary": format!("project:edit by bob on website is denied: {message}"),
            "paths": [],
            "near_misses": denied["near_misses"],
        })
    );
    let miss = json!({
        "message": message, "role": {"slug": "project-viewer"}, "resource": website, "inert": [],
    });
    assert_eq!(denied["near_misses"][0], miss);

    let inactive = world.post(&of("dora", "explain"), &by_id("project:edit", "website")).await.ok();
    assert_eq!((&inactive["authorized"], &inactive["reason"]["code"]), (&json!(false), &json!("suspended_membership")));
}

#[tokio::test]
async fn an_identity_provider_is_named_as_the_source() {
    let manifests = company::MANIFESTS
        .replace(
            "{defaultRoleRef: {name: member}}",
            "{identityProvider: {roleMappings: [{source: Directory, group: staff, roleRef: {name: auditor}}]}}",
        )
        .replace("user: {id: user_erin}", "user: {id: user_erin}, directoryGroups: [staff]");
    let world = World::new(&manifests);
    let explained = world.post(&of("erin", "explain"), &by_id("project:view", "website")).await.ok();
    let source = json!({"type": "identity_provider", "provider": "directory", "group": "staff"});
    assert_eq!(explained["paths"][0]["source"], source, "{explained}");
}

#[tokio::test]
async fn checks_are_counted() {
    let world = company::world();
    check(&world, "alice", &by_id("project:edit", "website")).await;
    check(&world, "bob", &by_id("project:edit", "website")).await;
    let checks = json!({"checks": [by_id("project:edit", "website"), by_id("p", "nowhere")]});
    world.post(&of("alice", "batch_check"), &checks).await.ok();
    let metrics = world.probes.get("/metrics").await.body;
    for (decision, count) in [("allowed", 2), ("denied", 1), ("error", 1)] {
        let line = format!("bailiwick_checks_total{{surface=\"workos\",decision=\"{decision}\"}} {count}");
        assert!(metrics.contains(&line), "{line} in {metrics}");
    }
}
