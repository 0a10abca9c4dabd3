//! `Role`: a named set of permissions for one resource type.

use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

use super::{
    NameRef, ORGANIZATION, Problem, Status, Validate, limits,
    rules::{immutable, immutable_or_name},
};

/// A named set of permissions, to be granted on resources of one type. What it permits there it permits on
/// everything below as well.
#[derive(Clone, CustomResource, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[kube(
    group = "authz.bailiwick.dev",
    version = "v1alpha1",
    kind = "Role",
    namespaced,
    status = "Status",
    shortname = "azrole",
    category = "authz",
    doc = "A Role is a named set of permissions, to be granted on resources of one type.",
    printcolumn(name = "Type", type_ = "string", json_path = ".spec.resourceType"),
    printcolumn(name = "Organization", type_ = "string", json_path = ".spec.organizationRef.name"),
    printcolumn(name = "Permissions", type_ = "string", json_path = ".spec.permissions", priority = "1"),
    selectable = ".spec.slug",
    selectable = ".spec.resourceType",
    selectable = ".spec.organizationRef.name",
    validation = immutable_or_name("slug")
)]
#[x_kube(validation = immutable("resourceType"))]
#[serde(rename_all = "camelCase")]
pub struct RoleSpec {
    /// Name by which APIs know the role. Default: the object's name. Immutable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = &limits::ROLE_SLUG)]
    pub slug: Option<String>,
    /// Type of the resources that the role can be granted on. Default: `organization`. Immutable.
    #[serde(default = "organization")]
    #[schemars(transform = &limits::RESOURCE_TYPE)]
    pub resource_type: String,
    /// Slugs of what the role permits, such as `project:edit`. May name permissions of types below `resourceType`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(transform = &limits::PERMISSIONS)]
    pub permissions: Vec<String>,
    /// The organization that alone may use the role (a custom role). Default: all may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization_ref: Option<NameRef>,
    /// Name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = &limits::DISPLAY_NAME)]
    pub display_name: Option<String>,
    /// What it is for, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(transform = &limits::DESCRIPTION)]
    pub description: Option<String>,
}

fn organization() -> String {
    ORGANIZATION.to_owned()
}

impl Validate for RoleSpec {
    fn validate(&self, name: &str) -> Result<(), Problem> {
        let Self { slug, resource_type, permissions, organization_ref, display_name, description } = self;
        limits::OBJECT_NAME.check("metadata.name", name)?;
        limits::ROLE_SLUG.check_optional("spec.slug", slug.as_deref())?;
        limits::RESOURCE_TYPE.check("spec.resourceType", resource_type)?;
        limits::PERMISSIONS.check("spec.permissions", permissions, String::as_str)?;
        NameRef::check_optional("spec.organizationRef", organization_ref.as_ref())?;
        limits::DISPLAY_NAME.check_optional("spec.displayName", display_name.as_deref())?;
        limits::DESCRIPTION.check_optional("spec.description", description.as_deref())
    }
}
