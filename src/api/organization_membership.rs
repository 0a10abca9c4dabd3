//! `OrganizationMembership`: a user in an organization.

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{NameRef, Problem, Status, Validate};

/// Declares a user's membership in an organization. Deleting it ends every grant of the user in that organization.
#[derive(Clone, CustomResource, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[kube(
    group = "authz.bailiwick.dev",
    version = "v1alpha1",
    kind = "OrganizationMembership",
    namespaced,
    status = "Status",
    shortname = "azom",
    category = "authz"
)]
#[serde(rename_all = "camelCase")]
pub struct OrganizationMembershipSpec {
    /// The organization: a Resource of type `organization`. Immutable.
    pub organization_ref: NameRef,
    /// The user.
    pub user: User,
    /// Roles on the organization itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub role_refs: Vec<NameRef>,
    /// While true, no grant of the membership counts; none is lost.
    #[serde(default)]
    pub suspended: bool,
    /// The user's groups in the directory of the identity provider.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub directory_groups: Vec<String>,
    /// The user's groups at the last single sign-on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sso_groups: Vec<String>,
}

/// A user, as the identity provider knows them.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// Id of the user, by which checks name them. Immutable.
    pub id: String,
    /// Email address, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// First name, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// Last name, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
}

impl Validate for OrganizationMembershipSpec {
    fn validate(&self, _name: &str) -> Result<(), Problem> {
        Ok(())
    }
}
