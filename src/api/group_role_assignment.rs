//! `GroupRoleAssignment`: group × role × resource.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

use super::{NameRef, Problem, Status, Validate};

/// Grants a role to everybody in a group, on one resource and everything below it. Delete it to revoke.
#[derive(Clone, CustomResource, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[kube(
    group = "authz.bailiwick.dev",
    version = "v1alpha1",
    kind = "GroupRoleAssignment",
    namespaced,
    status = "Status",
    shortname = "gra",
    category = "authz"
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Time>,
}

impl Validate for GroupRoleAssignmentSpec {
    fn validate(&self, _name: &str) -> Result<(), Problem> {
        Ok(())
    }
}
