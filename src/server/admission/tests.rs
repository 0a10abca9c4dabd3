use axum::{
    body::{Body, to_bytes},
    http::{Request, StatusCode, header::CONTENT_TYPE},
};
use prometheus_client::registry::Registry;
use serde_json::json;
use tower::ServiceExt;

use super::*;
use crate::{
    graph::{
        Environments,
        facts::{Change, Fact, Name, Resource},
    },
    server::{Config, Limits},
    store::Store,
};

const GROUP: &str = "test.example";

/// A format of our own: an object is an organization, whose external id is in its spec.
const FORMAT: ObjectFormat = ObjectFormat { group: GROUP, read };

fn read(kind: Kind, object: &Value) -> Result<Submitted, String> {
    assert_eq!(kind, Kind::Resource);
    let text = |value: &Value| value.as_str().map(Name::from);
    let metadata = &object["metadata"];
    let object = Object {
        name: text(&metadata["name"]).ok_or("metadata.name is missing")?,
        created: None,
        deleting: !metadata["deletionTimestamp"].is_null(),
        fact: Fact::Resource(Resource {
            resource_type: "organization".into(),
            parent: None,
            external_id: text(&object["spec"]["externalId"]).unwrap_or_default(),
        }),
    };
    Ok(Submitted { object, restricted: metadata["restricted"] == true })
}

/// A webhook over an environment `default` with an organization `acme` known as `one`.
struct World {
    server: Arc<Server>,
    environments: Arc<Environments>,
    router: Router,
}

impl World {
    fn new() -> Self {
        let environments = Arc::new(Environments::default());
        let organization = read(Kind::Resource, &organization("acme", "one")).unwrap().object;
        environments.apply("default", &[Change::Apply(organization)]);
        let config = Config {
            default_environment: "default".to_owned(),
            served_environments: Some(["default".to_owned()].into()),
            limits: Limits::default(),
            public_url: None,
            log_filter: None,
            authentication: None,
            decision_log: None,
        };
        let ledger = Arc::default();
        let store = Arc::new(Store::read_only("nothing is written here", Arc::clone(&environments), ledger));
        let server = Server::new(config, Arc::clone(&environments), store, Registry::default());
        Self { router: router(Arc::clone(&server), FORMAT), server, environments }
    }

    async fn send(&self, content_type: &str, body: impl Into<Body>) -> (StatusCode, Value) {
        let request =
            Request::post("/admission/validate").header(CONTENT_TYPE, content_type).body(body.into()).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap())
    }

    /// Asks about a request, given as far as it differs from the creation of a second organization known as `one`.
    async fn ask(&self, changes: Value) -> (StatusCode, Value) {
        let mut request = json!({
            "uid": "some-uid",
            "kind": {"group": GROUP, "version": "v1", "kind": "Resource"},
            "resource": {"group": GROUP, "version": "v1", "resource": "resources"},
            "name": "other", "namespace": "default", "operation": "CREATE",
            "userInfo": {"username": "alice", "groups": ["people"]},
            "object": organization("other", "one"), "oldObject": null, "dryRun": false,
        });
        for (field, value) in changes.as_object().unwrap() {
            request[field] = value.clone();
        }
        let review = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request});
        self.send("application/json", review.to_string()).await
    }

    async fn allows(&self, changes: Value) -> bool {
        let (status, body) = self.ask(changes).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        assert_eq!(body["response"]["uid"], "some-uid", "{body}");
        body["response"]["allowed"].as_bool().unwrap()
    }
}

fn organization(name: &str, external_id: &str) -> Value {
    json!({"apiVersion": "test.example/v1", "kind": "Resource", "metadata": {"name": name}, "spec": {"externalId": external_id}})
}

#[tokio::test]
async fn a_refusal_names_the_field_and_the_reason() {
    let (status, body) = World::new().ask(json!({})).await;
    assert_eq!(status, StatusCode::OK, "a refusal is an answer: {body}");
    let message = "resource `acme` has the same type and external id in the organization, where only the older of two has effect; give this one another external id";
    assert_eq!(
        body,
        json!({
            "apiVersion": "admission.k8s.io/v1",
            "kind": "AdmissionReview",
            "response": {
                "uid": "some-uid",
                "allowed": false,
                "status": {
                    "code": 422,
                    "reason": "Invalid",
                    "message": message,
                    "details": {
                        "name": "other",
                        "group": GROUP,
                        "kind": "Resource",
                        "causes": [{"reason": "DuplicateExternalId", "message": message, "field": "spec.externalId"}],
                    },
                },
            },
        })
    );
}

#[tokio::test]
async fn what_is_none_of_its_business_is_allowed() {
    let world = World::new();
    assert!(!world.allows(json!({})).await);
    let update = json!({"operation": "UPDATE", "oldObject": organization("other", "two")});
    assert!(!world.allows(update).await);
    let mut terminating = organization("other", "one");
    terminating["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    for allowed in [
        json!({"kind": {"group": "other.example", "kind": "Resource"}}),
        json!({"kind": {"group": GROUP, "kind": "Widget"}}),
        json!({"subResource": "status"}),
        json!({"namespace": "not-served"}),
        json!({"userInfo": {"username": "system:serviceaccount:kube-system:namespace-controller"}}),
        json!({"operation": "CONNECT"}),
        json!({"operation": "UPDATE", "oldObject": organization("other", "one")}),
        json!({"operation": "UPDATE", "object": terminating, "oldObject": organization("other", "two")}),
        json!({"operation": "DELETE", "object": null, "oldObject": terminating}),
        json!({"object": organization("other", "two")}),
    ] {
        assert!(world.allows(allowed.clone()).await, "{allowed}");
    }
}

#[tokio::test]
async fn an_object_whose_name_is_still_to_be_generated_is_none_that_exists() {
    let world = World::new();
    let mut object = organization("", "two");
    object["metadata"] = json!({"generateName": "acme"});
    assert!(world.allows(json!({"name": "", "object": object})).await);
    object["spec"]["externalId"] = json!("one");
    assert!(!world.allows(json!({"name": "", "object": object})).await);
    assert!(!world.allows(json!({"dryRun": true})).await, "a dry run is answered as the run would be");
}

#[tokio::test]
async fn before_the_graph_is_complete_there_is_no_answer_but_to_what_is_allowed_anyway() {
    let world = World::new();
    world.environments.close_gate("Role");
    let (status, body) = world.ask(json!({})).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{body}");
    let delete = json!({"operation": "DELETE", "object": null, "oldObject": organization("acme", "one")});
    assert!(world.allows(delete.clone()).await);
    let mut restricted = delete;
    restricted["oldObject"]["metadata"]["restricted"] = json!(true);
    assert_eq!(world.ask(restricted).await.0, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn what_is_no_review_is_a_400_that_says_what_is_wrong() {
    let world = World::new();
    let review = |api_version: &str, request: Value| {
        json!({"apiVersion": api_version, "kind": "AdmissionReview", "request": request}).to_string()
    };
    for (body, words) in [
        (String::new(), "the body is empty"),
        ("{".to_owned(), "not a JSON object"),
        ("[]".to_owned(), "not a JSON object"),
        ("{}".to_owned(), "apiVersion"),
        (review("admission.k8s.io/v1beta1", json!(null)), "`apiVersion` is not `admission.k8s.io/v1`"),
        (review("admission.k8s.io/v1", json!(null)), "`request` is missing"),
        (review("admission.k8s.io/v1", json!({"uid": 1})), "`request.uid`"),
        (
            review("admission.k8s.io/v1", json!({"uid": "u", "kind": {"kind": "Resource"}, "operation": "PATCH"})),
            "`request.operation`",
        ),
    ] {
        let (status, answer) = world.send("application/json", body.clone()).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{body}: {answer}");
        assert!(answer["message"].as_str().unwrap().contains(words), "{body}: {answer}");
    }
    for (changes, words) in [
        (json!({"object": null}), "`request.object` is missing"),
        (json!({"object": 5}), "`request.object` cannot be used: metadata.name is missing"),
        (json!({"operation": "UPDATE"}), "`request.oldObject` is missing"),
        (
            json!({"operation": "DELETE", "oldObject": {}}),
            "`request.oldObject` cannot be used: metadata.name is missing",
        ),
        (json!({"namespace": null}), "`request.namespace` is missing"),
    ] {
        let (status, answer) = world.ask(changes.clone()).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{changes}: {answer}");
        assert!(answer["message"].as_str().unwrap().contains(words), "{changes}: {answer}");
    }
    let (status, answer) = world.send("text/plain", "{}").await;
    assert_eq!((status, &answer["code"]), (StatusCode::BAD_REQUEST, &json!("unsupported_content_type")));
    let (status, answer) = world.send("application/json", vec![b' '; MAX_BODY + 1]).await;
    assert_eq!((status, &answer["code"]), (StatusCode::PAYLOAD_TOO_LARGE, &json!("body_too_large")));
    let mut metrics = String::new();
    prometheus_client::encoding::text::encode(&mut metrics, &world.server.registry).unwrap();
    assert!(metrics.contains(r#"admission_requests_total{operation="unknown",outcome="error"} 10"#), "{metrics}");
    assert!(metrics.contains(r#"admission_requests_total{operation="create",outcome="error"} 3"#), "{metrics}");
}
