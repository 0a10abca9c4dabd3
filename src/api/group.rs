//! `Group`: memberships that get roles together.

use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

use super::{NameRef, Problem, Status, Validate, limits, rules::rule};

const OWN_SUBGROUP: &str = "a group cannot be a subgroup of itself: remove its name from subgroups";

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
    category = "authz",
    doc = "A Group is a set of memberships of one organization that get roles together.",
    printcolumn(name = "Organization", type_ = "string", json_path = ".spec.organizationRef.name"),
    printcolumn(name = "Subgroups", type_ = "string", json_path = ".spec.subgroups", priority = "1"),
    selectable = ".spec.organizationRef.name",
    validation = rule(
        ".spec.subgroups",
        "!has(self.spec.subgroups) || !(self.metadata.name in self.spec.subgroups)",
        Reason::FieldValueInvalid,
        OWN_SUBGROUP,
    )
)]
#[serde(rename_all = "camelCase")]
pub struct GroupSpec {
    /// The organization that the group belongs to: a Resource of type `organization`.
    pub organization_ref: NameRef,
    /// Names of the memberships in the group. A group that is too large for an object (1.5 MiB) is made of subgroups.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(transform = &limits::MEMBERS)]
    pub members: Vec<String>,
    /// Names of groups of the same organization whose members belong to this one too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(transform = &limits::SUBGROUPS)]
    pub subgroups: Vec<String>,
    /// Name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = &limits::DISPLAY_NAME)]
    pub display_name: Option<String>,
    /// What it is for, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = &limits::DESCRIPTION)]
    pub description: Option<String>,
}

impl Validate for GroupSpec {
    fn validate(&self, name: &str) -> Result<(), Problem> {
        let Self { organization_ref, members, subgroups, display_name, description } = self;
        limits::OBJECT_NAME.check("metadata.name", name)?;
        organization_ref.check("spec.organizationRef")?;
        limits::MEMBERS.check("spec.members", members, String::as_str)?;
        limits::SUBGROUPS.check("spec.subgroups", subgroups, String::as_str)?;
        limits::DISPLAY_NAME.check_optional("spec.displayName", display_name.as_deref())?;
        limits::DESCRIPTION.check_optional("spec.description", description.as_deref())?;
        if subgroups.iter().any(|subgroup| subgroup == name) {
            return Err(Problem::new("spec.subgroups", OWN_SUBGROUP));
        }
        Ok(())
    }
}
