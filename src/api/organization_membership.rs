//! `OrganizationMembership`: a user in an organization.

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{NameRef, Problem, Status, Validate, limits, rules::immutable};

/// Declares a user's membership in an organization. Deleting it ends every grant of the user in that organization.
#[derive(Clone, CustomResource, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[kube(
    group = "authz.bailiwick.dev",
    version = "v1alpha1",
    kind = "OrganizationMembership",
    namespaced,
    status = "Status",
    shortname = "azom",
    category = "authz",
    doc = "An OrganizationMembership declares a user's membership in an organization.",
    printcolumn(name = "Organization", type_ = "string", json_path = ".spec.organizationRef.name"),
    printcolumn(name = "User", type_ = "string", json_path = ".spec.user.id"),
    printcolumn(name = "Suspended", type_ = "boolean", json_path = ".spec.suspended"),
    printcolumn(name = "Email", type_ = "string", json_path = ".spec.user.email", priority = "1"),
    selectable = ".spec.organizationRef.name",
    selectable = ".spec.user.id",
    selectable = ".spec.suspended"
)]
#[x_kube(
    validation = immutable("organizationRef"),
    validation = immutable("user.id")
)]
#[serde(rename_all = "camelCase")]
pub struct OrganizationMembershipSpec {
    /// The organization: a Resource of type `organization`. Immutable.
    pub organization_ref: NameRef,
    /// The user.
    pub user: User,
    /// Roles on the organization itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(transform = &limits::ROLE_REFS)]
    pub role_refs: Vec<NameRef>,
    /// While true, no grant of the membership counts; none is lost.
    #[serde(default)]
    pub suspended: bool,
    /// The user's groups in the directory of the identity provider.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(transform = &limits::PROVIDER_GROUPS)]
    pub directory_groups: Vec<String>,
    /// The user's groups at the last single sign-on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(transform = &limits::PROVIDER_GROUPS)]
    pub sso_groups: Vec<String>,
}

/// A user, as the identity provider knows them.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// Id of the user, by which checks name them. Immutable.
    #[schemars(transform = &limits::MEMBERSHIP)]
    pub id: String,
    /// Email address, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = &limits::EMAIL)]
    pub email: Option<String>,
    /// First name, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = &limits::DISPLAY_NAME)]
    pub first_name: Option<String>,
    /// Last name, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = &limits::DISPLAY_NAME)]
    pub last_name: Option<String>,
}

impl Validate for OrganizationMembershipSpec {
    fn validate(&self, name: &str) -> Result<(), Problem> {
        let Self { organization_ref, user, role_refs, suspended: _, directory_groups, sso_groups } = self;
        let User { id, email, first_name, last_name } = user;
        limits::OBJECT_NAME.check("metadata.name", name)?;
        organization_ref.check("spec.organizationRef")?;
        limits::MEMBERSHIP.check("spec.user.id", id)?;
        limits::EMAIL.check_optional("spec.user.email", email.as_deref())?;
        limits::DISPLAY_NAME.check_optional("spec.user.firstName", first_name.as_deref())?;
        limits::DISPLAY_NAME.check_optional("spec.user.lastName", last_name.as_deref())?;
        limits::ROLE_REFS.check("spec.roleRefs", role_refs, |role| &role.name)?;
        limits::PROVIDER_GROUPS.check("spec.directoryGroups", directory_groups, String::as_str)?;
        limits::PROVIDER_GROUPS.check("spec.ssoGroups", sso_groups, String::as_str)
    }
}
