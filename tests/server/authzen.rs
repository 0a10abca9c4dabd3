//! The AuthZEN surface.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use axum::{
    body::Body,
    http::{Request, header::CONTENT_TYPE},
};
use serde_json::{Value, json};

use super::{question, world};
use crate::support::{
    facts::{applied, deleted, grant, role},
    router::{DEFAULT_ENVIRONMENT, TestServer},
};

const EVALUATION: &str = "/access/v1/evaluation";
const EVALUATIONS: &str = "/access/v1/evaluations";

#[tokio::test]
async fn decides() {
    let server = TestServer::with(world());
    for (user, action, project, decision) in [
        ("alice", "edit", "website", true),
        ("alice", "project:edit", "website", true),
        ("alice", "delete", "website", false),
        ("alice", "edit", "app", false),
        ("bob", "edit", "app", true),
    ] {
        let answer = server.api.post(EVALUATION, &question(user, action, project)).await;
        assert_eq!(answer.ok(), json!({"decision": decision}), "{user} {action} {project}");
    }
}

#[tokio::test]
async fn an_organization_is_a_resource_like_any_other() {
    let owner = [role("owner", "organization", &["organization:manage"]), grant("alice-acme", "owner", "acme")];
    let server = TestServer::with(world().into_iter().chain(owner));
    let mut request = question("alice", "manage", "acme");
    request["resource"]["type"] = json!("organization");
    assert_eq!(server.api.post(EVALUATION, &request).await.ok(), json!({"decision": true}));
    request["subject"]["id"] = json!("bob");
    assert_eq!(server.api.post(EVALUATION, &request).await.ok(), json!({"decision": false}));
}

#[tokio::test]
async fn escapes_in_strings_mean_what_they_stand_for() {
    let server = TestServer::with(world());
    let body = r#"{"subject": {"type": "us\u0065r", "id": "al\u0069ce"}, "\u0061ction": {"name": "edit"},
        "resource": {"type": "project", "id": "web\u0073ite"}}"#;
    assert_eq!(server.api.post_raw(EVALUATION, body).await.ok(), json!({"decision": true}));
}

#[tokio::test]
async fn subjects_are_users_or_memberships() {
    let server = TestServer::with(world());
    let mut request = question("alice-acme", "edit", "website");
    request["subject"]["type"] = json!("membership");
    assert_eq!(server.api.post(EVALUATION, &request).await.ok(), json!({"decision": true}));

    request["subject"]["type"] = json!("spaceship");
    let answer = server.api.post(EVALUATION, &request).await.ok();
    assert_eq!(answer["decision"], false);
    assert_eq!(answer["context"]["reason"]["code"], "unsupported_subject_type");
    let message = answer["context"]["reason"]["message"].as_str().unwrap();
    assert!(message.contains("`user`") && message.contains("`membership`"), "{message}");
}

#[tokio::test]
async fn a_denial_for_what_the_question_names_says_so() {
    let server = TestServer::with(world());
    for (user, project, code) in [
        ("alice", "unheard-of", "unknown_resource"),
        ("dave", "website", "suspended_membership"),
        ("carol", "website", "ambiguous_resource"),
    ] {
        let answer = server.api.post(EVALUATION, &question(user, "edit", project)).await.ok();
        assert_eq!(answer["decision"], false, "{user} {project}");
        assert_eq!(answer["context"]["reason"]["code"], code, "{user} {project}");
    }
}

#[tokio::test]
async fn an_organization_settles_what_is_ambiguous() {
    let server = TestServer::with(world());
    for (organization, decision) in [("globex", true), ("acme", false)] {
        let mut request = question("carol", "edit", "website");
        request["resource"]["properties"] = json!({"organization": organization, "color": "red"});
        assert_eq!(server.api.post(EVALUATION, &request).await.ok(), json!({"decision": decision}), "{organization}");
    }
}

#[tokio::test]
async fn each_environment_answers_for_itself() {
    let server = TestServer::with(world());
    let request = question("alice", "edit", "website");
    let named = server.api.post("/environments/default/access/v1/evaluation", &request).await;
    assert_eq!(named.ok(), json!({"decision": true}));
    let other = server.api.post("/environments/other/access/v1/evaluation", &request).await;
    assert_eq!(other.ok()["decision"], false);
    let batch = json!({"evaluations": [request]});
    let other = server.api.post("/environments/other/access/v1/evaluations", &batch).await;
    assert_eq!(other.ok()["evaluations"][0]["decision"], false);
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_a_400_that_names_the_field() {
    let server = TestServer::with(world());
    let good = question("alice", "edit", "website");
    let long = "x".repeat(1025);
    for (pointer, value, field) in [
        ("/subject", Value::Null, "subject"),
        ("/action", Value::Null, "action"),
        ("/resource", Value::Null, "resource"),
        ("/subject", json!("alice"), "subject"),
        ("/subject", json!(["user", "alice"]), "subject"),
        ("/subject/type", Value::Null, "subject.type"),
        ("/subject/type", json!(""), "subject.type"),
        ("/subject/id", Value::Null, "subject.id"),
        ("/subject/id", json!(5), "subject.id"),
        ("/subject/id", json!(long), "subject.id"),
        ("/action", json!({}), "action.name"),
        ("/action/name", json!(123), "action.name"),
        ("/action/name", json!(""), "action.name"),
        ("/resource/type", Value::Null, "resource.type"),
        ("/resource/id", Value::Null, "resource.id"),
        ("/resource/id", json!({}), "resource.id"),
    ] {
        let mut request = good.clone();
        *request.pointer_mut(pointer).unwrap() = value;
        for path in [EVALUATION, EVALUATIONS] {
            let answer = server.api.post(path, &request).await;
            let message = answer.error(400, "invalid_field");
            assert!(message.contains(&format!("`{field}`")), "{request}: {message}");
            assert_eq!(answer.json()["field"], field);
        }
    }
    for (field, request) in [
        ("context", json!({"context": "now"})),
        ("subject.properties", json!({"subject": {"type": "user", "id": "alice", "properties": []}})),
        ("action.properties", json!({"action": {"name": "edit", "properties": 1}})),
        ("resource.properties", json!({"resource": {"type": "project", "id": "website", "properties": "x"}})),
        (
            "resource.properties.organization",
            json!({"resource": {"type": "project", "id": "website", "properties": {"organization": 1}}}),
        ),
    ] {
        let request = merged(&good, &request);
        let answer = server.api.post(EVALUATION, &request).await;
        answer.error(400, "invalid_field");
        assert_eq!(answer.json()["field"], field);
    }
}

#[tokio::test]
async fn what_is_not_named_is_not_heeded() {
    let server = TestServer::with(world());
    let request = merged(
        &question("alice", "edit", "website"),
        &json!({
            "subject": {"type": "user", "id": "alice", "properties": {"role": "admin"}, "x": 1},
            "action": {"name": "edit", "properties": null},
            "context": {"time": "2026-11-21T12:00:00Z"},
            "futureField": {"nested": true}
        }),
    );
    assert_eq!(server.api.post(EVALUATION, &request).await.ok(), json!({"decision": true}));
}

#[tokio::test]
async fn a_body_that_is_no_json_object_is_a_400() {
    let server = TestServer::with(world());
    for path in [EVALUATION, EVALUATIONS] {
        server.api.post_raw(path, "").await.error(400, "empty_body");
        for body in ["{\"subject\": ", "[]", "\"x\"", "{} {}", "null", "\u{feff}{}"] {
            server.api.post_raw(path, body).await.error(400, "malformed_request");
        }
        server.api.post_raw(path, vec![b'{', 0xff, b'}']).await.error(400, "malformed_request");
        server.api.post_raw(path, b"{\"not heeded\": \"\xff\"}".to_vec()).await.error(400, "malformed_request");
        let twice = r#"{"subject": {"type": "user", "id": "a", "id": "b"}}"#;
        server.api.post_raw(path, twice).await.error(400, "invalid_field");
    }
}

#[tokio::test]
async fn the_body_must_be_declared_to_be_json() {
    let server = TestServer::with(world());
    let body = question("alice", "edit", "website").to_string();
    for (content_type, accepted) in [
        (Some("application/json"), true),
        (Some("application/json; charset=utf-8"), true),
        (Some("Application/JSON;charset=UTF-8"), true),
        (Some("text/plain"), false),
        (Some("application/jsonp"), false),
        (None, false),
    ] {
        let mut request = Request::post(EVALUATION);
        if let Some(content_type) = content_type {
            request = request.header(CONTENT_TYPE, content_type);
        }
        let answer = server.api.send(request.body(Body::from(body.clone())).unwrap()).await;
        if accepted {
            answer.ok();
        } else {
            answer.error(400, "unsupported_content_type");
        }
    }
}

#[tokio::test]
async fn the_three_semantics_end_where_they_should() {
    let server = TestServer::with(world());
    // Allowed, denied, in error, allowed.
    let request = json!({
        "subject": {"type": "user", "id": "alice"},
        "action": {"name": "edit"},
        "evaluations": [
            {"resource": {"type": "project", "id": "website"}},
            {"resource": {"type": "project", "id": "app"}},
            {},
            {"resource": {"type": "project", "id": "website"}}
        ]
    });
    let backwards = {
        let mut request = request.clone();
        request["evaluations"].as_array_mut().unwrap().reverse();
        request["evaluations"].as_array_mut().unwrap().remove(0);
        request
    };
    // As an error, but one for which no element can be read at once with all others.
    let with_mistake = {
        let mut request = request.clone();
        request["evaluations"][2] = json!(5);
        request
    };
    for (request, semantic, decisions) in [
        (&with_mistake, None, vec![true, false, false, true]),
        (&with_mistake, Some("deny_on_first_deny"), vec![true, false]),
        (&with_mistake, Some("permit_on_first_permit"), vec![true]),
        (&request, None, vec![true, false, false, true]),
        (&request, Some("execute_all"), vec![true, false, false, true]),
        (&request, Some("deny_on_first_deny"), vec![true, false]),
        (&request, Some("permit_on_first_permit"), vec![true]),
        (&backwards, Some("deny_on_first_deny"), vec![false]),
        (&backwards, Some("permit_on_first_permit"), vec![false, false, true]),
    ] {
        let mut request = request.clone();
        if let Some(semantic) = semantic {
            request["options"] = json!({"evaluations_semantic": semantic, "another_option": 1});
        }
        let answer = server.api.post(EVALUATIONS, &request).await.ok();
        let given: Vec<_> =
            answer["evaluations"].as_array().unwrap().iter().map(|item| item["decision"].as_bool().unwrap()).collect();
        assert_eq!(given, decisions, "{semantic:?}");
    }
    let message =
        server.api.post(EVALUATIONS, &merged(&request, &json!({"options": {"evaluations_semantic": "any"}}))).await;
    let message = message.error(400, "invalid_field");
    for semantic in ["execute_all", "deny_on_first_deny", "permit_on_first_permit"] {
        assert!(message.contains(semantic), "{message}");
    }
    for options in [json!({"options": []}), json!({"options": {"evaluations_semantic": 1}})] {
        server.api.post(EVALUATIONS, &merged(&request, &options)).await.error(400, "invalid_field");
    }
}

#[tokio::test]
async fn an_element_overrides_the_defaults_as_a_whole() {
    let server = TestServer::with(world());
    let request = json!({
        "subject": {"type": "user", "id": "carol"},
        "action": {"name": "edit"},
        "resource": {"type": "project", "id": "website", "properties": {"organization": "globex"}},
        "evaluations": [
            {},
            {"resource": {"type": "project", "id": "website"}},
            {"subject": {"type": "user", "id": "alice"}},
            {"subject": {"id": "alice"}},
            {"action": {"name": "delete"}}
        ]
    });
    let answer = server.api.post(EVALUATIONS, &request).await.ok();
    assert_eq!(answer["evaluations"][0], json!({"decision": true}));
    assert_eq!(answer["evaluations"][1]["context"]["reason"]["code"], "ambiguous_resource");
    assert_eq!(answer["evaluations"][2]["decision"], false);
    assert_eq!(
        answer["evaluations"][3],
        json!({"decision": false, "context": {"error": {"status": 400, "message": "`subject.type` is missing"}}})
    );
    assert_eq!(answer["evaluations"][4], json!({"decision": false}));
}

#[tokio::test]
async fn what_is_wrong_with_an_element_is_said_in_its_place() {
    let server = TestServer::with(world());
    let good = question("alice", "edit", "website");
    let request =
        json!({"evaluations": [good, 5, {"action": {"name": 1}}, merged(&good, &json!({"context": 1})), good]});
    let answer = server.api.post(EVALUATIONS, &request).await.ok();
    let evaluations = answer["evaluations"].as_array().unwrap();
    for index in [0, 4] {
        assert_eq!(evaluations[index], json!({"decision": true}));
    }
    for (index, mention) in [(1, "an object"), (2, "`action.name`"), (3, "`context`")] {
        assert_eq!(evaluations[index]["decision"], false);
        let error = &evaluations[index]["context"]["error"];
        assert_eq!(error["status"], 400);
        assert!(error["message"].as_str().unwrap().contains(mention), "{error}");
    }
}

#[tokio::test]
async fn without_elements_the_defaults_are_the_one_question() {
    let server = TestServer::with(world());
    let good = question("alice", "edit", "website");
    for evaluations in [json!({}), json!({"evaluations": []}), json!({"evaluations": null})] {
        let answer = server.api.post(EVALUATIONS, &merged(&good, &evaluations)).await;
        assert_eq!(answer.ok(), json!({"decision": true}));
    }
    server.api.post(EVALUATIONS, &merged(&good, &json!({"evaluations": {}}))).await.error(400, "invalid_field");
}

#[tokio::test]
async fn ten_thousand_elements_are_answered_and_one_more_is_refused() {
    let server = TestServer::with(world());
    let batch =
        |size: usize| merged(&question("alice", "edit", "website"), &json!({"evaluations": vec![json!({}); size]}));
    let answer = server.api.post(EVALUATIONS, &batch(10_000)).await.ok();
    let evaluations = answer["evaluations"].as_array().unwrap();
    assert_eq!(evaluations.len(), 10_000);
    assert!(evaluations.iter().all(|item| item["decision"] == true));

    let message = server.api.post(EVALUATIONS, &batch(10_001)).await.error(400, "invalid_field");
    assert!(message.contains("`evaluations`") && message.contains("10000"), "{message}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_sees_one_state() {
    let server = TestServer::with(world());
    let request = json!({
        "subject": {"type": "user", "id": "alice"},
        "action": {"name": "edit"},
        "evaluations": (0..200)
            .map(|i| json!({"resource": {"type": "project", "id": if i % 2 == 0 { "website" } else { "app" }}}))
            .collect::<Vec<_>>()
    });
    // Alice may edit either the one project or the other, never both and never none.
    let on_website = || applied([grant("alice-acme", "editor", "website")]);
    let on_app = || applied([grant("alice-acme", "editor", "app")]);
    let gone = |project| {
        deleted(bailiwick::graph::facts::Kind::MembershipRoleAssignment, &format!("alice-acme-editor-{project}"))
    };
    let stop = AtomicBool::new(false);
    let environments = &server.environments;
    let mut seen = [0_usize; 2];
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                let change: Vec<_> = on_app().into_iter().chain([gone("website")]).collect();
                environments.apply(DEFAULT_ENVIRONMENT, &change);
                let change: Vec<_> = on_website().into_iter().chain([gone("app")]).collect();
                environments.apply(DEFAULT_ENVIRONMENT, &change);
            }
        });
        tokio::task::block_in_place(|| {
            let deadline = Instant::now() + Duration::from_secs(20);
            while seen.iter().any(|&count| count < 20) && Instant::now() < deadline {
                let answer = tokio::runtime::Handle::current().block_on(server.api.post(EVALUATIONS, &request)).ok();
                let decisions: Vec<_> = answer["evaluations"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|item| item["decision"].as_bool().unwrap())
                    .collect();
                let first = decisions[0];
                let torn = decisions.iter().enumerate().any(|(i, &decision)| decision != (first == (i % 2 == 0)));
                if torn {
                    stop.store(true, Ordering::Relaxed);
                    panic!("torn: {decisions:?}");
                }
                seen[usize::from(first)] += 1;
            }
            stop.store(true, Ordering::Relaxed);
        });
    });
    assert!(seen.iter().all(|&count| count >= 20), "both states must be seen: {seen:?}");
}

/// The first object with the members of the second put over its own.
fn merged(object: &Value, over: &Value) -> Value {
    let mut merged = object.clone();
    let members = merged.as_object_mut().unwrap();
    members.extend(over.as_object().unwrap().iter().map(|(name, value)| (name.clone(), value.clone())));
    merged
}
