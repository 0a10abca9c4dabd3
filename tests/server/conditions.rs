//! What a question tells of itself, and the conditions that look at it, on every surface.

use bailiwick::graph::facts::Object;
use serde_json::{Value, json};

use super::{question, world};
use crate::support::{
    facts::{conditional, grant, named, role},
    router::TestServer,
};

const EVALUATION: &str = "/access/v1/evaluation";
const EVALUATIONS: &str = "/access/v1/evaluations";

/// Alice may delete `website` if each of four properties says so, one by another.
fn conditions() -> Vec<Object> {
    let deleter =
        |name: &str, condition: &str| named(name, conditional(condition, grant("alice-acme", "deleter", "website")));
    let mut objects = world();
    objects.extend([
        role("deleter", "project", &["project:delete"]),
        deleter("subject", "subject.properties.role == 'admin'"),
        deleter("resource", "resource.properties.status in ['draft', 'archived']"),
        deleter("action", "action.properties.soft"),
        deleter("context", "context.ip.startsWith('10.') && now > timestamp('2020-01-01T00:00:00Z')"),
    ]);
    objects
}

/// What a question may tell, and whether that suffices.
fn told() -> Vec<(&'static str, Value, bool)> {
    vec![
        ("subject", json!({"role": "admin"}), true),
        ("subject", json!({"role": "user"}), false),
        ("resource", json!({"status": "draft", "organization": "acme"}), true),
        ("resource", json!({"status": "active"}), false),
        ("action", json!({"soft": true}), true),
        ("action", json!({"soft": "yes"}), false),
        ("context", json!({"ip": "10.1.2.3"}), true),
        ("context", json!({"ip": 10}), false),
        ("context", json!({}), false),
    ]
}

/// The question whether alice may delete `website`, which tells this.
fn telling(part: &str, told: &Value) -> Value {
    let mut request = question("alice", "delete", "website");
    if part == "context" {
        request["context"] = told.clone();
    } else {
        request[part]["properties"] = told.clone();
    }
    request
}

#[tokio::test]
async fn an_evaluation_is_judged_by_what_it_tells() {
    let server = TestServer::with(conditions());
    for (part, told, decision) in told() {
        let answer = server.api.post(EVALUATION, &telling(part, &told)).await.ok();
        assert_eq!(answer["decision"], decision, "{part} {told}");
    }
    let answer = server.api.post(EVALUATION, &question("alice", "delete", "website")).await.ok();
    assert_eq!(answer["decision"], false, "nothing is told");
}

#[tokio::test]
async fn of_several_evaluations_each_is_judged_by_what_it_tells_or_by_the_defaults() {
    let server = TestServer::with(conditions());
    let (elements, expected): (Vec<Value>, Vec<Value>) =
        told().into_iter().map(|(part, told, decision)| (telling(part, &told), json!({"decision": decision}))).unzip();
    let answer = server.api.post(EVALUATIONS, &json!({"evaluations": elements})).await.ok();
    assert_eq!(answer["evaluations"], Value::from(expected));

    let mut request = telling("context", &json!({"ip": "10.0.0.1"}));
    request["evaluations"] = json!([{}, {"context": {"ip": "11.0.0.1"}}, {"context": {"mfa": true}}]);
    let answer = server.api.post(EVALUATIONS, &request).await.ok();
    assert_eq!(answer["evaluations"], json!([{"decision": true}, {"decision": false}, {"decision": false}]));
}

#[tokio::test]
async fn searches_are_judged_by_what_they_tell() {
    let server = TestServer::with(conditions());
    for (part, told, found) in told() {
        let request = telling(part, &told);
        let mut results = Vec::new();
        for (what, searched) in [("subject", "subject"), ("resource", "resource")] {
            let mut query = request.clone();
            query[searched].as_object_mut().unwrap().remove("id");
            let answer = server.api.post(&format!("/access/v1/search/{what}"), &query).await.ok();
            results.push(
                answer["results"].as_array().unwrap().iter().any(|it| it["id"] == "alice" || it["id"] == "website"),
            );
        }
        if part != "action" {
            let answer = server.api.post("/access/v1/search/action", &request).await.ok();
            results.push(answer["results"].as_array().unwrap().contains(&json!({"name": "delete"})));
        }
        assert!(results.iter().all(|it| *it == found), "{part} {told}: {results:?}");
    }
}

#[tokio::test]
async fn the_native_api_takes_the_same() {
    let server = TestServer::with(conditions());
    let check = json!({"user": "alice", "permission": "project:delete", "resource": {"name": "website"}});
    let mut checks = Vec::new();
    for (part, told, allowed) in told() {
        let field = if part == "context" { part.to_owned() } else { format!("{part}Properties") };
        let mut request = check.clone();
        request[&field] = told;
        let answer = server.api.post("/environments/default/v1/check", &request).await.ok();
        assert_eq!(answer["allowed"], allowed, "{request}");
        let explanation = server.api.post("/environments/default/v1/explain", &request).await.ok();
        assert_eq!(explanation["allowed"], allowed, "{request}");
        let reason = &explanation["nearMisses"][0]["inert"][0]["code"];
        assert!(allowed || reason == "ConditionUnmet", "{explanation}");
        assert!(!allowed || explanation["paths"][0]["condition"].is_string(), "{explanation}");
        checks.push((request, json!({"allowed": allowed})));
    }
    let (checks, expected): (Vec<Value>, Vec<Value>) = checks.into_iter().unzip();
    let answer = server.api.post("/environments/default/v1/checks", &json!({"checks": checks})).await.ok();
    let allowed: Vec<&Value> = answer["results"].as_array().unwrap().iter().map(|result| &result["allowed"]).collect();
    assert_eq!(allowed, expected.iter().map(|result| &result["allowed"]).collect::<Vec<_>>());

    for field in ["context", "subjectProperties", "resourceProperties", "actionProperties"] {
        let mut request = check.clone();
        request[field] = json!(["a list"]);
        server.api.post("/environments/default/v1/check", &request).await.error(400, "invalid_field");
    }
}

#[tokio::test]
async fn lists_tell_nothing_of_a_question() {
    let server = TestServer::with(conditions());
    let permissions = "/environments/default/v1/permissions?user=alice&resource=website";
    let permissions = server.api.get(permissions).await.ok();
    assert!(!permissions["permissions"].as_array().unwrap().contains(&json!("project:delete")), "{permissions}");
    let assignments = server.api.get("/environments/default/v1/assignments?membership=alice-acme").await.ok();
    let of_action =
        assignments["items"].as_array().unwrap().iter().find(|it| it["condition"] == "action.properties.soft");
    let of_action = of_action.unwrap_or_else(|| panic!("it is listed: {assignments}"));
    assert_eq!((&of_action["effective"], &of_action["inert"][0]["code"]), (&json!(false), &json!("ConditionUnmet")));
}
