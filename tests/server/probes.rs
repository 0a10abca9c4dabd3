//! Liveness, readiness and metrics.

use bailiwick::graph::facts::Kind;
use serde_json::json;

use super::{question, world};
use crate::support::{
    facts::{applied, invalid},
    router::{DEFAULT_ENVIRONMENT, TestServer, config},
};

#[tokio::test]
async fn alive_is_alive_whatever_is_missing() {
    let server = TestServer::new(config());
    server.environments.close_gate("list of Role");
    let answer = server.probes.get("/livez").await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, "ok"));
}

#[tokio::test]
async fn ready_names_the_gates_that_are_missing() {
    let server = TestServer::new(config());
    server.environments.close_gate("list of Role");
    server.environments.close_gate("list of Group");
    server.environments.explain_gate("list of Role", "the custom resource definition is not installed");
    let answer = server.probes.get("/readyz").await;
    assert_eq!(answer.status, 503);
    let missing = json!([
        {"gate": "list of Group", "reason": null},
        {"gate": "list of Role", "reason": "the custom resource definition is not installed"}
    ]);
    assert_eq!(answer.json(), json!({"ready": false, "missing": missing}));

    server.environments.open_gate("list of Role");
    assert_eq!(server.probes.get("/readyz").await.status, 503);
    server.environments.open_gate("list of Group");
    let answer = server.probes.get("/readyz").await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, "ok"));

    server.server.start_draining();
    let answer = server.probes.get("/readyz").await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.json()["missing"][0]["gate"], "shutdown");
}

#[tokio::test]
async fn metrics_count_checks_requests_and_objects() {
    let server = TestServer::with(world());
    server.environments.apply(DEFAULT_ENVIRONMENT, &applied([invalid(Kind::Role, "broken")]));
    server.environments.apply("other", &applied([invalid(Kind::Role, "broken")]));
    let question = |user: &str| question(user, "edit", "website");
    server.api.post("/access/v1/evaluation", &question("alice")).await.ok();
    server.api.post("/access/v1/evaluations", &json!({"evaluations": [question("dave"), {}]})).await.ok();
    server.api.post("/environments/no-such-user-data/v1/check", &json!({})).await.error(400, "invalid_field");
    server.api.get("/secret-path").await.error(404, "no_such_route");

    let answer = server.probes.get("/metrics").await;
    assert_eq!(
        answer.headers.get("content-type").unwrap(),
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
    );
    let lines: Vec<_> = answer.body.lines().collect();
    for line in [
        r#"bailiwick_checks_total{surface="authzen",decision="allowed"} 1"#,
        r#"bailiwick_checks_total{surface="authzen",decision="denied"} 1"#,
        r#"bailiwick_checks_total{surface="authzen",decision="error"} 1"#,
        r#"bailiwick_checks_total{surface="native",decision="allowed"} 0"#,
        r#"bailiwick_check_duration_seconds_count{surface="authzen"} 2"#,
        r#"bailiwick_http_request_duration_seconds_count{route="/access/v1/evaluation",status="2xx"} 1"#,
        r#"bailiwick_http_request_duration_seconds_count{route="/environments/{namespace}/v1/check",status="4xx"} 1"#,
        r#"bailiwick_http_request_duration_seconds_count{route="unmatched",status="4xx"} 1"#,
        r#"bailiwick_graph_objects{kind="Resource"} 7"#,
        r#"bailiwick_graph_invalid_objects{kind="Role"} 2"#,
        r#"bailiwick_graph_invalid_objects{kind="Group"} 0"#,
        "bailiwick_environments 2",
        concat!(r#"bailiwick_build_info{version=""#, env!("CARGO_PKG_VERSION"), r#""} 1"#),
        "# EOF",
    ] {
        assert!(lines.contains(&line), "{line} is not in:\n{}", answer.body);
    }
    for word in ["alice", "secret-path", "no-such-user-data"] {
        assert!(!answer.body.contains(word), "what a caller sends is in no label:\n{}", answer.body);
    }
}
