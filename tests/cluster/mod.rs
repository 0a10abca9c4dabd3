//! The operator and its kinds on a real Kubernetes API server.

mod apply;
mod kubectl;
mod namespaces;
mod recovery;
mod refused;
mod startup;
mod unparsable;

/// An organization with a role that may edit it.
const ACME: &str = "
apiVersion: authz.bailiwick.dev/v1alpha1
kind: Resource
metadata: {name: acme}
spec: {type: organization}
---
apiVersion: authz.bailiwick.dev/v1alpha1
kind: Role
metadata: {name: editor}
spec: {permissions: ['organization:edit']}
";

/// The role for a membership, by an assignment of the same name.
fn editor(membership: &str) -> String {
    format!(
        "
apiVersion: authz.bailiwick.dev/v1alpha1
kind: MembershipRoleAssignment
metadata: {{name: {membership}}}
spec: {{membershipRef: {{name: {membership}}}, roleRef: {{name: editor}}, resourceRef: {{name: acme}}}}
"
    )
}

/// Whether a membership may edit the organization of an environment.
fn may_edit<'a>(environment: &'a str, membership: &'a str) -> (&'a str, &'a str, &'a str, &'a str, &'a str) {
    (environment, membership, "edit", "organization", "acme")
}
