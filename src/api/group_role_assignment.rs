//! `GroupRoleAssignment`: group × role × resource.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

use super::{
    NameRef, Problem, Status, Validate, instant, limits,
    rules::{ASSIGN_ANEW, immutable, immutable_optional},
};

/// Grants a role to everybody in a group, on one resource and everything below it. It is one grant for good: only
/// `expiresAt` can change. Delete it to revoke.
#[derive(Clone, CustomResource, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[kube(
    group = "authz.bailiwick.dev",
    version = "v1alpha1",
    kind = "GroupRoleAssignment",
    namespaced,
    status = "Status",
    shortname = "gra",
    category = "authz",
    doc = "A GroupRoleAssignment grants a role to everybody in a group on a resource and everything below it.",
    printcolumn(name = "Group", type_ = "string", json_path = ".spec.groupRef.name"),
    printcolumn(name = "Role", type_ = "string", json_path = ".spec.roleRef.name"),
    printcolumn(name = "Resource", type_ = "string", json_path = ".spec.resourceRef.name"),
    printcolumn(name = "Expires", type_ = "string", json_path = ".spec.expiresAt"),
    selectable = ".spec.groupRef.name",
    selectable = ".spec.roleRef.name",
    selectable = ".spec.resourceRef.name"
)]
#[x_kube(
    validation = immutable("groupRef", ASSIGN_ANEW),
    validation = immutable("roleRef", ASSIGN_ANEW),
    validation = immutable_optional("resourceRef", ASSIGN_ANEW)
)]
#[serde(rename_all = "camelCase")]
pub struct GroupRoleAssignmentSpec {
    /// The group that gets the role. Immutable.
    pub group_ref: NameRef,
    /// The role that it gets. Immutable.
    pub role_ref: NameRef,
    /// The resource that it gets the role on; its type must be the role's. Default: the group's organization. Immutable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_ref: Option<NameRef>,
    /// From this instant on (RFC 3339) the assignment grants nothing. Default: it does not expire.
    #[serde(default, deserialize_with = "instant::optional", skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Time>,
}

impl Validate for GroupRoleAssignmentSpec {
    fn validate(&self, name: &str) -> Result<(), Problem> {
        let Self { group_ref, role_ref, resource_ref, expires_at: _ } = self;
        limits::OBJECT_NAME.check("metadata.name", name)?;
        group_ref.check("spec.groupRef")?;
        role_ref.check("spec.roleRef")?;
        NameRef::check_optional("spec.resourceRef", resource_ref.as_ref())
    }
}
