//! An operator that may see a part of the cluster only.

use reqwest::StatusCode;

use crate::support::{
    control_plane::ControlPlane,
    manifests::{ACME, editor, may_edit},
};

#[test]
fn it_watches_and_serves_the_namespaces_it_is_given_and_needs_no_right_to_others() {
    let plane = ControlPlane::shared();
    let [first, second, other] = ["given-first", "given-second", "not-given"];
    for namespace in [first, second, other] {
        plane.create_namespace(namespace);
        plane.apply(namespace, &[ACME, &editor("alice")].join("---"));
    }
    for namespace in [first, second] {
        let create = |arguments: &[&str]| {
            plane.kubectl(&[&["create", "--namespace", namespace], arguments].concat()).ok();
        };
        create(&["role", "bailiwick", "--verb=list,watch", "--resource=*.authz.bailiwick.dev"]);
        create(&["rolebinding", "bailiwick", "--role=bailiwick", "--user=operator"]);
    }
    let operator = plane.start_operator(&["--namespace", first, "--namespace", second, "--lease-namespace", first]);
    operator.wait_until_ready();
    for namespace in [first, second] {
        operator.wait_until_allows(true, may_edit(namespace, "alice"));
    }
    let answer = operator.get(&format!("/environments/{other}/v1/objects"));
    assert_eq!(answer.status, StatusCode::NOT_FOUND, "{answer:?}");
    assert!(answer.body.contains(other), "{answer:?}");
}
