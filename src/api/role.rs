//! `Role`: a named set of permissions for one resource type.

use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

use super::{NameRef, ORGANIZATION, Problem, Status, Validate};

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
    category = "authz"
)]
#[serde(rename_all = "camelCase")]
pub struct RoleSpec {
    /// Name by which APIs know the role. Default: the object's name. Immutable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slug: Option<String>,
    /// Type of the resources that the role can be granted on. Immutable.
    #[serde(default = "organization")]
    pub resource_type: String,
    /// Slugs of what the role permits, such as `project:edit`. May name permissions of types below `resourceType`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub permissions: Vec<String>,
    /// The organization that alone may use the role (a custom role). Default: all may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization_ref: Option<NameRef>,
    /// Name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// What it is for, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

fn organization() -> String {
    ORGANIZATION.to_owned()
}

impl RoleSpec {
    /// The slug of the role called `name`.
    #[must_use]
    pub fn slug<'a>(&'a self, name: &'a str) -> &'a str {
        self.slug.as_deref().unwrap_or(name)
    }
}

impl Validate for RoleSpec {
    fn validate(&self, _name: &str) -> Result<(), Problem> {
        Ok(())
    }
}
