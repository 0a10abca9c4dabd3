//! The API server and etcd go away and come back.

use reqwest::StatusCode;
use serde_json::json;

use super::{edits, running};
use crate::support::{
    bailiwick::Bailiwick,
    control_plane::ControlPlane,
    manifests::{editor, may_edit},
};

/// Revokes a grant of a control plane that has just come back, then makes another, and holds the operator to
/// both: whatever it has missed or must list anew, it never goes back behind the newest that it has shown.
fn revocation_arrives_for_good(plane: &ControlPlane, operator: &Bailiwick, revoked: &str, granted: &str) {
    plane.kubectl(&["delete", "membershiproleassignments.authz.bailiwick.dev", revoked, "--wait=false"]).ok();
    plane.apply("default", &editor(granted));
    operator.wait_until_allows(true, may_edit("default", granted));
    assert!(!edits(operator, revoked), "a grant is seen that was made after one was revoked that still allows");
    operator.wait_until_ready();
    assert!(!edits(operator, revoked), "revoked, and allowed again");
}

#[test]
fn it_outlives_the_api_server() {
    let (plane, operator) = running();
    plane.kill_api_server();
    assert!(edits(&operator, "alice"), "what was known last is still answered");

    // One that has never seen the API server has nothing to answer from.
    let newcomer = plane.start_operator(&[]);
    let question =
        json!({"checks": [{"membership": "alice", "permission": "organization:edit", "resource": {"name": "acme"}}]});
    let answer = newcomer.post("/environments/default/v1/checks", &question);
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "answered before the first sync: {answer:?}");
    assert_eq!(newcomer.probe("/readyz").status, StatusCode::SERVICE_UNAVAILABLE);

    plane.start_api_server();
    revocation_arrives_for_good(&plane, &operator, "alice", "carol");
    newcomer.wait_until_ready();
    assert!(!edits(&newcomer, "alice") && edits(&newcomer, "bob") && edits(&newcomer, "carol"));
}

#[test]
fn it_outlives_etcd() {
    let (plane, operator) = running();
    plane.kill_etcd();
    assert!(edits(&operator, "alice"), "what was known last is still answered");
    plane.start_etcd();
    plane.wait_until_ready();
    revocation_arrives_for_good(&plane, &operator, "alice", "carol");

    plane.kill_api_server();
    plane.kill_etcd();
    plane.start_etcd();
    plane.start_api_server();
    revocation_arrives_for_good(&plane, &operator, "bob", "dave");
}
