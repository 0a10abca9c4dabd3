//! `Environment`: the settings of a namespace.

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{NameRef, Problem, Status, Validate};

/// Settings of the environment, that is of the namespace. There is one, named `default`; without it the defaults hold.
#[derive(Clone, CustomResource, Debug, Default, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[kube(
    group = "authz.bailiwick.dev",
    version = "v1alpha1",
    kind = "Environment",
    namespaced,
    status = "Status",
    shortname = "azenv",
    category = "authz"
)]
#[serde(rename_all = "camelCase")]
pub struct EnvironmentSpec {
    /// Whether a membership may have several roles on the organization itself at a time. If not, the one that
    /// comes first in `rolePriority` wins and the others have no effect. Roles on any other resource always add up.
    #[serde(default)]
    pub multiple_roles: bool,
    /// The role on the organization of declared memberships that have no other there. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_role_ref: Option<NameRef>,
    /// Names of roles, most important first. Roles not listed come after them, the older first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub role_priority: Vec<String>,
    /// What becomes of things that are used but not declared.
    #[serde(default)]
    pub undeclared: Undeclared,
    /// What follows from the groups that the identity provider reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity_provider: Option<IdentityProvider>,
}

/// What becomes of things that are used but not declared.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Undeclared {
    /// Memberships that no OrganizationMembership declares: allowed, or powerless.
    #[serde(default)]
    pub memberships: UndeclaredPolicy,
    /// Types of resources that no ResourceType declares: allowed, or without effect.
    #[serde(default)]
    pub resource_types: UndeclaredPolicy,
}

/// Whether something may be used without being declared.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum UndeclaredPolicy {
    /// It works.
    #[default]
    Allow,
    /// It is powerless.
    Deny,
}

/// What follows from the groups that the identity provider reports.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IdentityProvider {
    /// Which groups of the identity provider get which role on their organization.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub role_mappings: Vec<RoleMapping>,
}

/// A group of the identity provider and the role of its members.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RoleMapping {
    /// Who says that a user is in the group. What the directory says goes before single sign-on.
    pub source: IdentitySource,
    /// Name of the group there, as in `directoryGroups` or `ssoGroups` of an OrganizationMembership.
    pub group: String,
    /// The role that its members have on their organization.
    pub role_ref: NameRef,
    /// The organization that the mapping is for. Default: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization_ref: Option<NameRef>,
}

/// How the identity provider tells of its groups.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum IdentitySource {
    /// Directory synchronisation.
    Directory,
    /// Single sign-on.
    #[serde(rename = "SSO")]
    Sso,
}

impl Validate for EnvironmentSpec {
    fn validate(&self, _name: &str) -> Result<(), Problem> {
        Ok(())
    }
}
