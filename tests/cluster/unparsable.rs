//! Objects that the schema should never have let in.

use super::running;
use crate::support::{
    control_plane::ControlPlane,
    manifests::{editor, may_edit},
    wait,
};

const CRD: &str = "customresourcedefinitions.apiextensions.k8s.io/membershiproleassignments.authz.bailiwick.dev";

/// Accepts anything.
const LOOSE_SCHEMA: &str = r#"[
    {"op": "replace", "path": "/spec/versions/0/schema",
     "value": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}},
    {"op": "replace", "path": "/spec/versions/0/selectableFields", "value": []},
    {"op": "replace", "path": "/spec/versions/0/additionalPrinterColumns", "value": []}
]"#;

const ALICE_IN_DISORDER: &str = "
apiVersion: authz.bailiwick.dev/v1alpha1
kind: MembershipRoleAssignment
metadata: {name: alice}
spec: {membershipRef: alice, roleRef: [editor], resourceRef: {name: acme}}
";

const UNUSABLE: &str = r#"bailiwick_graph_invalid_objects{kind="MembershipRoleAssignment"}"#;

/// Replaces the schema, and applies what only the new one accepts.
fn loosen(plane: &ControlPlane) {
    plane.kubectl(&["patch", CRD, "--type=json", "--patch", LOOSE_SCHEMA]).ok();
    // The API server takes the new schema up a moment after it has accepted it.
    wait::until("the schema accepts anything", || {
        let applied = plane.kubectl_with(&["apply", "--validate=false", "--filename", "-"], ALICE_IN_DISORDER);
        if applied.success { Ok(()) } else { Err(applied.stderr) }
    });
}

#[test]
fn an_object_that_cannot_be_read_grants_nothing_and_is_counted() {
    let (plane, operator) = running();
    loosen(&plane);
    operator.wait_until_allows(false, may_edit("default", "alice"));
    operator.wait_until_allows(true, may_edit("default", "bob"));
    wait::until("it is counted", || match operator.metric(UNUSABLE) {
        Some(1.0) => Ok(()),
        _ => Err(operator.probe("/metrics").body),
    });
    let problems = operator.get("/environments/default/v1/objects?kind=MembershipRoleAssignment").json();
    assert!(problems.to_string().contains("InvalidSpec"), "{problems}");

    // One that starts with such an object behaves the same.
    let newcomer = plane.start_operator(&[]);
    newcomer.wait_until_ready();
    newcomer.wait_until_allows(false, may_edit("default", "alice"));
    newcomer.wait_until_allows(true, may_edit("default", "bob"));

    let told = |name: &str, reason: &str| {
        wait::until("a status tells", || {
            let ready = r#"-o=jsonpath={.status.conditions[?(@.type=="Ready")].reason}"#;
            let told = plane.kubectl(&["get", "membershiproleassignments.authz.bailiwick.dev", name, ready]).ok();
            if told == reason { Ok(()) } else { Err(format!("{name}: `{told}`")) }
        });
    };
    told("alice", "InvalidSpec");
    // When the schema is the right one again, the object does not fit it at all, so that nothing can be applied to it.
    plane.install_crds();
    for name in ["alice", "bob"] {
        let patch = ["--subresource=status", "--type=merge", r#"--patch={"status": null}"#];
        let object = ["patch", "membershiproleassignments.authz.bailiwick.dev", name];
        plane.kubectl(&[&object, &patch[..]].concat()).ok();
    }
    told("alice", "InvalidSpec");
    told("bob", "Indexed");

    // It can be mended, and it can be deleted.
    plane.apply("default", &editor("alice"));
    operator.wait_until_allows(true, may_edit("default", "alice"));
    loosen(&plane);
    operator.wait_until_allows(false, may_edit("default", "alice"));
    plane.kubectl(&["delete", "membershiproleassignments.authz.bailiwick.dev", "alice"]).ok();
    wait::until("nothing is left to count", || match operator.metric(UNUSABLE) {
        None | Some(0.0) => Ok(()),
        _ => Err(operator.probe("/metrics").body),
    });
}
