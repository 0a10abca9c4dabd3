//! `GroupRoleAssignment`: group × role × resource.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

use super::{NameRef, Problem, Status, Validate, instant, limits};

/// Grants a role to everybody in a group, on one resource and everything below it. Delete it to revoke.
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
#[serde(rename_all = "camelCase")]
pub struct GroupRoleAssignmentSpec {
    /// The group that gets the role.
    pub group_ref: NameRef,
    /// The role that it gets.
    pub role_ref: NameRef,
    /// The resource that it gets the role on; its type must be the role's. Default: the group's organization.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_ref: Option<NameRef>,
    /// From this instant on (RFC 3339) the assignment grants nothing. Default: it does not expire.
    #[serde(default, deserialize_with = "instant::optional", skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Time>,
    /// The assignment grants nothing to a question for which this CEL expression is not true. It may look at
    /// `subject.properties`, `resource.properties`, `action.properties`, `context` and `now`. Default: it always grants.
    #[schemars(transform = &limits::CONDITION)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
}

impl Validate for GroupRoleAssignmentSpec {
    fn validate(&self, name: &str) -> Result<(), Problem> {
        let Self { group_ref, role_ref, resource_ref, expires_at: _, condition } = self;
        limits::OBJECT_NAME.check("metadata.name", name)?;
        group_ref.check("spec.groupRef")?;
        role_ref.check("spec.roleRef")?;
        NameRef::check_optional("spec.resourceRef", resource_ref.as_ref())?;
        limits::CONDITION.check_optional("spec.condition", condition.as_deref())
    }
}
