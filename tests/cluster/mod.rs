//! The operator and its kinds on a real Kubernetes API server.

mod admission;
mod admission_certificates;
mod apply;
mod audit;
mod callers;
mod freshness;
mod kubectl;
mod metrics;
mod namespaces;
mod recovery;
mod refused;
mod release_finalizers;
mod startup;
mod store;
mod subject_access_review;
mod unparsable;

use crate::support::{
    bailiwick::Bailiwick,
    control_plane::ControlPlane,
    manifests::{ACME, editor, may_edit},
};

/// A control plane of its own with an organization that `alice` and `bob` may edit, and an operator that knows it.
fn running() -> (ControlPlane, Bailiwick) {
    let (plane, operator) = running_with(&[]);
    assert!(edits(&operator, "alice") && edits(&operator, "bob"), "ready, but does not know everything");
    (plane, operator)
}

/// The same, where the operator is started with these arguments.
fn running_with(arguments: &[&str]) -> (ControlPlane, Bailiwick) {
    let plane = ControlPlane::start();
    plane.permit_operator();
    plane.install_crds();
    plane.apply("default", &[ACME, &editor("alice"), &editor("bob")].join("---"));
    let operator = plane.start_operator(arguments);
    operator.wait_until_ready();
    (plane, operator)
}

/// Whether a membership may edit the organization of the environment `default`.
fn edits(operator: &Bailiwick, membership: &str) -> bool {
    operator.allows(may_edit("default", membership))
}
