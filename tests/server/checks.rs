//! Checks and explanations of the native API.

use serde_json::{Value, json};

use super::world;
use crate::support::router::TestServer;

const CHECK: &str = "/environments/default/v1/check";
const CHECKS: &str = "/environments/default/v1/checks";
const EXPLAIN: &str = "/environments/default/v1/explain";

#[tokio::test]
async fn a_check_names_a_membership_or_a_user_and_a_resource_by_name_or_id() {
    let server = TestServer::with(world());
    let by_id = json!({"type": "project", "id": "website"});
    let in_globex = json!({"type": "project", "id": "website", "organization": "globex"});
    for (who, resource, allowed) in [
        (json!({"membership": "alice-acme"}), json!({"name": "website"}), true),
        (json!({"membership": "alice-acme"}), by_id.clone(), true),
        (json!({"user": "alice"}), json!({"name": "website"}), true),
        (json!({"user": "alice"}), by_id, true),
        (json!({"user": "carol"}), in_globex, true),
        (json!({"user": "carol"}), json!({"name": "website"}), false),
    ] {
        let answer = server.api.post(CHECK, &check(&who, "project:edit", &resource)).await.ok();
        assert_eq!(answer["allowed"], allowed, "{who} {resource}");
        assert_eq!(answer.get("reason").is_none(), allowed, "a reason is given for a no alone");
    }
}

#[tokio::test]
async fn a_permission_is_its_whole_slug() {
    let server = TestServer::with(world());
    let request = check(&json!({"user": "alice"}), "edit", &json!({"name": "website"}));
    let answer = server.api.post(CHECK, &request).await.ok();
    assert_eq!(answer["allowed"], false);
    assert_eq!(answer["reason"]["code"], "no_grant");
}

#[tokio::test]
async fn a_no_comes_with_its_reason() {
    let server = TestServer::with(world());
    for (user, resource, code) in [
        ("alice", json!({"name": "unheard-of"}), "unknown_resource"),
        ("dave", json!({"name": "website"}), "suspended_membership"),
        ("carol", json!({"type": "project", "id": "website"}), "ambiguous_resource"),
        ("alice", json!({"name": "orphan"}), "detached_resource"),
    ] {
        let request = check(&json!({"user": user}), "project:edit", &resource);
        let answer = server.api.post(CHECK, &request).await.ok();
        assert_eq!(answer["allowed"], false);
        assert_eq!(answer["reason"]["code"], code, "{answer}");
        assert!(!answer["reason"]["message"].as_str().unwrap().is_empty());
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_check_is_a_400_that_names_the_field() {
    let server = TestServer::with(world());
    let website = json!({"name": "website"});
    for (request, field) in [
        (json!({"permission": "p", "resource": website}), "membership"),
        (json!({"membership": "m", "user": "u", "permission": "p", "resource": website}), "user"),
        (json!({"user": "", "permission": "p", "resource": website}), "user"),
        (json!({"user": 1, "permission": "p", "resource": website}), "user"),
        (json!({"user": "u", "resource": website}), "permission"),
        (json!({"user": "u", "permission": "x".repeat(1025), "resource": website}), "permission"),
        (json!({"user": "u", "permission": "p"}), "resource"),
        (json!({"user": "u", "permission": "p", "resource": []}), "resource"),
        (json!({"user": "u", "permission": "p", "resource": {}}), "resource.name"),
        (json!({"user": "u", "permission": "p", "resource": {"type": "project"}}), "resource.id"),
        (json!({"user": "u", "permission": "p", "resource": {"id": "website"}}), "resource.type"),
        (json!({"user": "u", "permission": "p", "resource": {"name": "a", "type": "project"}}), "resource.type"),
        (json!({"user": "u", "permission": "p", "resource": {"name": "a", "nmae": "b"}}), "resource.nmae"),
        (json!({"user": "u", "permision": "p", "resource": website}), "permision"),
    ] {
        for path in [CHECK, EXPLAIN] {
            let answer = server.api.post(path, &request).await;
            let message = answer.error(400, "invalid_field");
            assert_eq!(answer.json()["field"], field, "{message}");
            assert!(message.contains(&format!("`{field}`")), "{message}");
        }
    }
}

#[tokio::test]
async fn a_batch_answers_in_order_and_says_in_its_place_what_is_wrong() {
    let server = TestServer::with(world());
    let good = check(&json!({"user": "alice"}), "project:edit", &json!({"name": "website"}));
    let bad = json!({"user": "alice", "resource": {"name": "website"}});
    let denied = check(&json!({"user": "alice"}), "project:edit", &json!({"name": "app"}));
    let answer = server.api.post(CHECKS, &json!({"checks": [good, bad, denied, 5]})).await.ok();
    let results = answer["results"].as_array().unwrap();
    assert_eq!(results.len(), 4);
    assert_eq!(results[0], json!({"allowed": true}));
    assert_eq!(results[1]["allowed"], false);
    assert_eq!(results[1]["error"]["field"], "permission");
    assert_eq!(results[2]["reason"]["code"], "no_grant");
    assert_eq!(results[3]["error"]["code"], "malformed_request");

    assert_eq!(server.api.post(CHECKS, &json!({"checks": []})).await.ok(), json!({"results": []}));
}

#[tokio::test]
async fn a_batch_has_ten_thousand_checks_at_the_most() {
    let server = TestServer::with(world());
    let good = check(&json!({"user": "alice"}), "project:edit", &json!({"name": "website"}));
    let batch = |size| json!({"checks": vec![good.clone(); size]});
    let answer = server.api.post(CHECKS, &batch(10_000)).await.ok();
    assert_eq!(answer["results"].as_array().unwrap().len(), 10_000);
    let message = server.api.post(CHECKS, &batch(10_001)).await.error(400, "invalid_field");
    assert!(message.contains("`checks`") && message.contains("10000"), "{message}");
    server.api.post(CHECKS, &json!({})).await.error(400, "invalid_field");
    server.api.post(CHECKS, &json!({"checks": {}})).await.error(400, "invalid_field");
}

#[tokio::test]
async fn an_explanation_of_a_yes_has_every_path() {
    let server = TestServer::with(world());
    let request = check(&json!({"user": "bob"}), "project:edit", &json!({"type": "project", "id": "app"}));
    let answer = server.api.post(EXPLAIN, &request).await.ok();
    assert_eq!(answer["allowed"], true);
    assert_eq!(answer["membership"], "bob-acme");
    assert_eq!(answer["resource"], "app");
    assert!(!answer["summary"].as_str().unwrap().is_empty());
    assert_eq!(answer["nearMisses"], json!([]));
    assert_eq!(
        answer["paths"],
        json!([{
            "source": {
                "kind": "GroupRoleAssignment", "name": "engineers-lead-engineering", "groups": ["engineers"]
            },
            "role": "lead",
            "permission": "project:edit",
            "resources": ["app", "engineering"],
            "expiresAt": null,
            "condition": null
        }])
    );
}

#[tokio::test]
async fn an_explanation_of_a_no_has_what_comes_nearest() {
    let server = TestServer::with(world());
    let request = check(&json!({"user": "alice"}), "project:delete", &json!({"name": "website"}));
    let answer = server.api.post(EXPLAIN, &request).await.ok();
    assert_eq!(answer["allowed"], false);
    assert_eq!(answer["reason"]["code"], "no_grant");
    assert_eq!(answer["paths"], json!([]));
    let miss = &answer["nearMisses"][0];
    assert_eq!((&miss["role"], &miss["resource"]), (&json!("editor"), &json!("website")), "{answer}");
    assert!(miss["message"].as_str().unwrap().contains("project:delete"), "{miss}");
}

fn check(who: &Value, permission: &str, resource: &Value) -> Value {
    let mut check = json!({"permission": permission, "resource": resource});
    check.as_object_mut().unwrap().extend(who.as_object().unwrap().clone());
    check
}
