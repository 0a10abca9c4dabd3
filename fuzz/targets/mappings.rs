//! The text of a mapping of the authorization webhook, and what is asked by it.
#![no_main]

use bailiwick::server::Mapping;
use bailiwick_fuzz::WORLD;
use libfuzzer_sys::fuzz_target;

const OF_RESOURCE: &str = r#"{"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": {
    "user": "oidc:alice", "groups": ["oidc:oncall"],
    "resourceAttributes": {"verb": "edit", "resource": "projects", "namespace": "default", "name": "design"}}}"#;

const OF_PATH: &str = r#"{"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": {
    "user": "alice", "nonResourceAttributes": {"verb": "get", "path": "/metrics/cadvisor"}}}"#;

const OF_MASTER: &str = r#"{"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": {
    "user": "alice", "groups": ["system:masters"],
    "resourceAttributes": {"verb": "edit", "resource": "projects", "namespace": "default", "name": "design"}}}"#;

fuzz_target!(|text: &str| {
    let Ok(mapping) = Mapping::parse(text) else { return };
    for review in [OF_RESOURCE, OF_PATH] {
        let answer = WORLD.review_access(mapping.clone(), review.as_bytes());
        assert!(answer["status"]["allowed"].is_boolean(), "{answer}");
    }
    let answer = WORLD.review_access(mapping, OF_MASTER.as_bytes());
    assert_eq!(answer["status"]["allowed"], false, "{answer}");
});
