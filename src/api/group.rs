//! `Group`: memberships that get roles together.

use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

use super::{NameRef, Problem, Status, Validate};

/// Memberships of one organization that get roles together. A group grants nothing by itself: a
/// GroupRoleAssignment does.
#[derive(Clone, CustomResource, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[kube(
    group = "authz.bailiwick.dev",
    version = "v1alpha1",
    kind = "Group",
    namespaced,
    status = "Status",
    shortname = "azgrp",
    category = "authz"
)]
#[serde(rename_all = "camelCase")]
pub struct GroupSpec {
    /// The organization that the group belongs to: a Resource of type `organization`.
    pub organization_ref: NameRef,
    /// Names of the memberships in the group.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<String>,
    /// Names of groups of the same organization whose members belong to this one too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subgroups: Vec<String>,
    /// Name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// What it is for, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

impl Validate for GroupSpec {
    fn validate(&self, _name: &str) -> Result<(), Problem> {
        Ok(())
    }
}
