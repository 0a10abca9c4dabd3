//! `Resource`: one thing that access is granted on.

use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

use super::{NameRef, Problem, Status, Validate};

/// One thing that access is granted on. Resources form a forest: each tree has an organization as its root, and a
/// role granted on a resource counts on everything below it.
#[derive(Clone, CustomResource, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[kube(
    group = "authz.bailiwick.dev",
    version = "v1alpha1",
    kind = "Resource",
    namespaced,
    status = "Status",
    shortname = "azres",
    category = "authz"
)]
#[serde(rename_all = "camelCase")]
pub struct ResourceSpec {
    /// Type of the resource, such as `project`. `organization` is built in: the root of a tree. Immutable.
    #[serde(rename = "type")]
    pub type_: String,
    /// The resource above this one. Required, but for an organization, which has none. Changing it moves the resource
    /// with everything below it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_ref: Option<NameRef>,
    /// Id by which the application knows the resource, unique per organization and type. Default: the object's
    /// name. Immutable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// Name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// What it is, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

impl ResourceSpec {
    /// The id by which the application knows the resource called `name`.
    #[must_use]
    pub fn external_id<'a>(&'a self, name: &'a str) -> &'a str {
        self.external_id.as_deref().unwrap_or(name)
    }
}

impl Validate for ResourceSpec {
    fn validate(&self, _name: &str) -> Result<(), Problem> {
        Ok(())
    }
}
