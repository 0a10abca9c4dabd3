//! `ResourceType`: the declaration of a type of resource.

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ORGANIZATION, Problem, Status, Validate};

/// Declares a type of resource, whose slug is the object's name. A declared type is enforced: unknown permissions,
/// wrong parents and wrong scopes of roles have no effect.
#[derive(Clone, CustomResource, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[kube(
    group = "authz.bailiwick.dev",
    version = "v1alpha1",
    kind = "ResourceType",
    namespaced,
    status = "Status",
    shortname = "azrt",
    category = "authz"
)]
#[serde(rename_all = "camelCase")]
pub struct ResourceTypeSpec {
    /// Types that the parent of such a resource may have. Default: `organization`. The type `organization` has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parents: Option<Vec<String>>,
    /// What can be permitted on such a resource.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub permissions: Vec<Permission>,
    /// Name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
}

/// One thing that can be permitted.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Permission {
    /// Name by which roles and checks know it, by convention `type:action`, such as `project:edit`.
    pub slug: String,
    /// Name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// What it permits, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

impl ResourceTypeSpec {
    /// The types that the parent of a resource of the type called `name` may have.
    pub fn parents<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        let default = (self.parents.is_none() && name != ORGANIZATION).then_some(ORGANIZATION);
        self.parents.iter().flatten().map(String::as_str).chain(default)
    }
}

impl Validate for ResourceTypeSpec {
    fn validate(&self, _name: &str) -> Result<(), Problem> {
        Ok(())
    }
}
