//! `Environment`: the settings of a namespace.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ENVIRONMENT_NAME, NameRef, Problem, Validate, limits, rules::name_rule, status};

const UNFIT_NAME: &str = "a namespace has one Environment: name it `default`";

/// Settings of the environment, that is of the namespace. There is one, named `default`; without it the defaults hold.
#[derive(Clone, CustomResource, Debug, Default, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[kube(
    group = "authz.bailiwick.dev",
    version = "v1alpha1",
    kind = "Environment",
    namespaced,
    status = "EnvironmentStatus",
    shortname = "azenv",
    category = "authz",
    doc = "An Environment holds the settings of its namespace. There is one in a namespace, named `default`.",
    printcolumn(name = "Multiple Roles", type_ = "boolean", json_path = ".spec.multipleRoles"),
    printcolumn(name = "Default Role", type_ = "string", json_path = ".spec.defaultRoleRef.name"),
    printcolumn(name = "Effective", type_ = "integer", json_path = ".status.assignments.effective"),
    printcolumn(name = "Inert", type_ = "integer", json_path = ".status.assignments.inert"),
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

/// What the operator found out about an environment: its `Environment`, and in numbers everything in it.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EnvironmentStatus {
    /// Generation of the object that this status describes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub observed_generation: Option<i64>,
    /// State of the object, one condition a type. `Ready` sums it up: whether the object has effect, and if not, why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "status::conditions")]
    pub conditions: Vec<Condition>,
    /// Newest resource version of the objects of the environment that these numbers include.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub revision: Option<String>,
    /// How many objects of each kind there are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["kind"]))]
    pub objects: Vec<ObjectCount>,
    /// Role assignments of memberships and groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignments: Option<AssignmentCounts>,
}

/// How many objects of a kind there are.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectCount {
    /// The kind.
    #[schemars(length(min = 1, max = 64))]
    pub kind: String,
    /// How many there are.
    #[schemars(range(min = 0))]
    pub total: i64,
    /// How many of them have effect, with all that they say.
    #[schemars(range(min = 0))]
    pub ready: i64,
}

/// How many role assignments have effect.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AssignmentCounts {
    /// How many grant something.
    #[schemars(range(min = 0))]
    pub effective: i64,
    /// How many grant nothing.
    #[schemars(range(min = 0))]
    pub inert: i64,
    /// How many grant nothing, by the first reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["reason"]))]
    pub inert_by_reason: Vec<InertCount>,
}

/// How many role assignments grant nothing for a reason.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InertCount {
    /// The reason, as the condition `Ready` of such an assignment has it.
    #[schemars(length(min = 1, max = 64))]
    pub reason: String,
    /// How many there are.
    #[schemars(range(min = 0))]
    pub count: i64,
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
