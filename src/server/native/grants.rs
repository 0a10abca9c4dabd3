//! Where a grant comes from, as explanations and lists say it.

use serde::Serialize;
use utoipa::ToSchema;

use crate::graph::{facts::IdentitySource, query};

/// Where a grant comes from.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "kind")]
#[schema(example = json!({"kind": "GroupRoleAssignment", "name": "engineers-edit", "groups": ["engineers"]}))]
pub enum GrantSource<'a> {
    /// An assignment to the membership itself.
    MembershipRoleAssignment {
        /// The name of the assignment.
        name: &'a str,
    },
    /// An assignment to a group.
    GroupRoleAssignment {
        /// The name of the assignment.
        name: &'a str,
        /// From the group that the assignment names down to the group that lists the membership.
        groups: Vec<&'a str>,
    },
    /// A role of the OrganizationMembership itself.
    OrganizationMembership {
        /// The name of the membership.
        name: &'a str,
    },
    /// A role mapping of the identity provider's group.
    IdentityProvider {
        /// Who says that the user is in the group.
        source: IdentityProvider,
        /// The group's name there.
        group: &'a str,
    },
    /// The default role of the environment.
    DefaultRole {},
}

/// How the identity provider tells of its groups.
#[derive(Debug, Serialize, ToSchema)]
pub enum IdentityProvider {
    /// Directory synchronisation.
    Directory,
    /// Single sign-on.
    #[serde(rename = "SSO")]
    Sso,
}

impl<'a> From<&'a query::GrantSource> for GrantSource<'a> {
    fn from(source: &'a query::GrantSource) -> Self {
        match source {
            query::GrantSource::MembershipRoleAssignment(name) => Self::MembershipRoleAssignment { name },
            query::GrantSource::GroupRoleAssignment { assignment, groups } => {
                Self::GroupRoleAssignment { name: assignment, groups: groups.iter().map(AsRef::as_ref).collect() }
            }
            query::GrantSource::OrganizationMembership(name) => Self::OrganizationMembership { name },
            query::GrantSource::IdentityProvider { source, group } => Self::IdentityProvider {
                source: match source {
                    IdentitySource::Directory => IdentityProvider::Directory,
                    IdentitySource::Sso => IdentityProvider::Sso,
                },
                group,
            },
            query::GrantSource::DefaultRole => Self::DefaultRole {},
        }
    }
}
