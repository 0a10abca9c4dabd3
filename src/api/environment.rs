//! `Environment`: the settings of a namespace.

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ENVIRONMENT_NAME, NameRef, Problem, Status, Validate, limits, rules::name_rule};

const UNFIT_NAME: &str = "a namespace has one Environment: name it `default`";

/// Settings of the environment, that is of the namespace. There is one, named `default`; without it the defaults hold.
#[derive(Clone, CustomResource, Debug, Default, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[kube(
    group = "authz.bailiwick.dev",
    version = "v1alpha1",
    kind = "Environment",
    namespaced,
    status = "Status",
    shortname = "azenv",
    category = "authz",
    doc = "An Environment holds the settings of its namespace. There is one in a namespace, named `default`.",
    printcolumn(name = "Multiple Roles", type_ = "boolean", json_path = ".spec.multipleRoles"),
    printcolumn(name = "Default Role", type_ = "string", json_path = ".spec.defaultRoleRef.name"),
    selectable = ".spec.defaultRoleRef.name",
    validation = name_rule(format!("self.metadata.name == '{ENVIRONMENT_NAME}'"), UNFIT_NAME)
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
    #[schemars(transform = &limits::ROLE_PRIORITY)]
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
    /// Memberships that no OrganizationMembership declares: `Allow` lets them have roles, `Deny` makes them powerless.
    #[serde(default)]
    pub memberships: UndeclaredPolicy,
    /// Types of resource that no ResourceType declares: `Allow` lets them be used, `Deny` makes all roles on such
    /// resources powerless.
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
    #[schemars(length(max = limits::ROLE_MAPPINGS_MAX), extend("x-kubernetes-list-type" = "atomic"))]
    pub role_mappings: Vec<RoleMapping>,
}

/// A group of the identity provider and the role of its members.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RoleMapping {
    /// Who says that a user is in the group: `Directory` (`directoryGroups` of an OrganizationMembership), which goes
    /// first, or `SSO` (`ssoGroups`).
    pub source: IdentitySource,
    /// Name of the group there.
    #[schemars(transform = &limits::PROVIDER_GROUP)]
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
    fn validate(&self, name: &str) -> Result<(), Problem> {
        let Self { multiple_roles: _, default_role_ref, role_priority, undeclared: _, identity_provider } = self;
        if name != ENVIRONMENT_NAME {
            return Err(Problem::new("metadata.name", UNFIT_NAME));
        }
        NameRef::check_optional("spec.defaultRoleRef", default_role_ref.as_ref())?;
        limits::ROLE_PRIORITY.check("spec.rolePriority", role_priority, String::as_str)?;
        let Some(IdentityProvider { role_mappings }) = identity_provider else { return Ok(()) };
        let field = "spec.identityProvider.roleMappings";
        limits::check_length(field, role_mappings.len(), limits::ROLE_MAPPINGS_MAX)?;
        for (index, RoleMapping { source: _, group, role_ref, organization_ref }) in role_mappings.iter().enumerate() {
            limits::PROVIDER_GROUP.check(format_args!("{field}[{index}].group"), group)?;
            role_ref.check(&format!("{field}[{index}].roleRef"))?;
            NameRef::check_optional(&format!("{field}[{index}].organizationRef"), organization_ref.as_ref())?;
        }
        Ok(())
    }
}
