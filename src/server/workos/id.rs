//! Ids as the WorkOS API writes them: a prefix and a ULID, made of the uid of the object.

use std::fmt::{self, Write as _};

use serde::{Serialize, Serializer};
use ulid::Ulid;
use uuid::Uuid;

use crate::store::ObjectId;

/// The sorts of ids.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Prefix {
    /// An organization.
    Organization,
    /// A domain of an organization.
    OrganizationDomain,
    /// A membership.
    OrganizationMembership,
    /// A resource; also an organization, as the resource that it is.
    Resource,
    /// A resource type.
    ResourceType,
    /// A permission.
    Permission,
    /// A role.
    Role,
    /// A role assignment of a membership.
    RoleAssignment,
    /// A group.
    Group,
    /// A role assignment of a group.
    GroupRoleAssignment,
}

impl Prefix {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Organization => "org",
            Self::OrganizationDomain => "org_domain",
            Self::OrganizationMembership => "om",
            Self::Resource => "authz_resource",
            Self::ResourceType => "resource_type",
            Self::Permission => "perm",
            Self::Role => "role",
            Self::RoleAssignment => "role_assignment",
            Self::Group => "group",
            Self::GroupRoleAssignment => "gra",
        }
    }

    /// The id of an object.
    pub const fn id(self, object: ObjectId) -> Id {
        Id { prefix: self, object }
    }

    /// The id of something that is no object of its own, made of what tells it from all others of its sort.
    pub fn derived(self, parts: &[&dyn fmt::Display]) -> Id {
        let mut name = format!("{}\n", self.as_str());
        for part in parts {
            // INVARIANT: writing to a String does not fail.
            let _ = writeln!(name, "{part}");
        }
        self.id(ObjectId(Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()).as_u128()))
    }

    /// The object that an id of this sort names; none: it is no such id.
    pub fn parse(self, text: &str) -> Option<ObjectId> {
        let ulid = text.strip_prefix(self.as_str())?.strip_prefix('_')?;
        Ulid::from_string(ulid).ok().map(|ulid| ObjectId(ulid.0))
    }
}

/// An id.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Id {
    prefix: Prefix,
    /// The object that it names.
    pub object: ObjectId,
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.prefix.as_str(), Ulid(self.object.0))
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
