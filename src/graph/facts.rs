//! What the graph is told: one plain value per object, free of any wire format.
//!
//! A [`Change`] says that an object is now thus, or that it is gone. The answers of the graph are a pure
//! function of the set of objects that result; the order in which changes arrive does not matter.

use std::{fmt, sync::Arc};

pub use jiff::Timestamp;
use smol_str::SmolStr;

pub use crate::condition::Condition;

/// A name, slug or id. Short ones are held in place, longer ones shared between the two copies of a graph.
pub type Name = SmolStr;

/// The eight kinds of object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// One thing that access is granted on.
    Resource,
    /// A named set of permissions for one resource type.
    Role,
    /// Memberships that get roles together.
    Group,
    /// A role for a group on a resource.
    GroupRoleAssignment,
    /// A role for a membership on a resource.
    MembershipRoleAssignment,
    /// A user in an organization.
    OrganizationMembership,
    /// The declaration of a type of resource.
    ResourceType,
    /// The settings of the environment.
    Environment,
}

impl Kind {
    /// Every kind, in the order in which they are listed to people.
    pub const ALL: [Self; 8] = [
        Self::Resource,
        Self::Role,
        Self::Group,
        Self::GroupRoleAssignment,
        Self::MembershipRoleAssignment,
        Self::OrganizationMembership,
        Self::ResourceType,
        Self::Environment,
    ];

    /// The kind as Kubernetes spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Resource => "Resource",
            Self::Role => "Role",
            Self::Group => "Group",
            Self::GroupRoleAssignment => "GroupRoleAssignment",
            Self::MembershipRoleAssignment => "MembershipRoleAssignment",
            Self::OrganizationMembership => "OrganizationMembership",
            Self::ResourceType => "ResourceType",
            Self::Environment => "Environment",
        }
    }

    /// The kind of that name, as Kubernetes spells it.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Whether it assigns a role.
    #[must_use]
    pub const fn is_assignment(self) -> bool {
        matches!(self, Self::GroupRoleAssignment | Self::MembershipRoleAssignment)
    }

    /// Whether what depends on an object of the kind goes before it does.
    #[must_use]
    pub const fn cascades(self) -> bool {
        matches!(self, Self::Resource | Self::Role | Self::Group | Self::OrganizationMembership)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Names one object within an environment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectRef {
    /// Its kind.
    pub kind: Kind,
    /// Its name.
    pub name: Name,
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `{}`", self.kind, self.name)
    }
}

/// One thing that happened to one object of the environment.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// The object exists and is now thus.
    Apply(Object),
    /// The object is gone.
    Delete(ObjectRef),
}

/// An object as the graph knows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    /// Its name, unique among the objects of its kind in the environment.
    pub name: Name,
    /// When it was created, where its source knows. Of two rivals the older wins; an object without a creation
    /// time counts as the oldest; equal times are decided by the name.
    pub created: Option<Timestamp>,
    /// It has a deletion timestamp: for checks it is gone already.
    pub deleting: bool,
    /// What it says.
    pub fact: Fact,
}

/// What an object says.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// See [`Resource`].
    Resource(Resource),
    /// See [`Role`].
    Role(Role),
    /// See [`Group`].
    Group(Group),
    /// See [`GroupRoleAssignment`].
    GroupRoleAssignment(GroupRoleAssignment),
    /// See [`MembershipRoleAssignment`].
    MembershipRoleAssignment(MembershipRoleAssignment),
    /// See [`OrganizationMembership`].
    OrganizationMembership(OrganizationMembership),
    /// See [`ResourceType`].
    ResourceType(ResourceType),
    /// See [`Environment`].
    Environment(Environment),
    /// The object exists but what it says cannot be used. It grants nothing, and where it restricts, it
    /// restricts everything: fails closed.
    Invalid {
        /// Its kind.
        kind: Kind,
        /// Why, naming the field and the remedy.
        problem: Name,
    },
}

impl Fact {
    /// The kind of the object that says this.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Resource(_) => Kind::Resource,
            Self::Role(_) => Kind::Role,
            Self::Group(_) => Kind::Group,
            Self::GroupRoleAssignment(_) => Kind::GroupRoleAssignment,
            Self::MembershipRoleAssignment(_) => Kind::MembershipRoleAssignment,
            Self::OrganizationMembership(_) => Kind::OrganizationMembership,
            Self::ResourceType(_) => Kind::ResourceType,
            Self::Environment(_) => Kind::Environment,
            Self::Invalid { kind, .. } => *kind,
        }
    }
}

/// The type of the root of every tree.
pub const ORGANIZATION: &str = "organization";

/// The one name under which an [`Environment`] is heeded.
pub const ENVIRONMENT_NAME: &str = "default";

/// One thing that access is granted on.
///
/// A source never passes an `organization` with a parent, nor any other type without one: such an object is
/// [`Fact::Invalid`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// Its type.
    pub resource_type: Name,
    /// The name of the resource above it; none for an organization.
    pub parent: Option<Name>,
    /// The id that the application knows it by.
    pub external_id: Name,
}

/// A named set of permissions for one resource type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// The name by which APIs know it.
    pub slug: Name,
    /// The type of the resources that it can be assigned on.
    pub resource_type: Name,
    /// What it permits.
    pub permissions: Vec<Name>,
    /// The organization (name of the resource) that alone may use it; none: all may.
    pub organization: Option<Name>,
}

/// Memberships that get roles together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The organization (name of the resource) that it belongs to.
    pub organization: Name,
    /// Names of the memberships in it.
    pub members: Vec<Name>,
    /// Names of the groups whose members belong to this one too.
    pub subgroups: Vec<Name>,
}

/// A role for a group on a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupRoleAssignment {
    /// The name of the group.
    pub group: Name,
    /// The name of the role.
    pub role: Name,
    /// The name of the resource; none: the group's organization.
    pub resource: Option<Name>,
    /// From this instant on it grants nothing.
    pub expires_at: Option<Timestamp>,
    /// It grants nothing to a question for which this does not hold.
    pub condition: Option<Arc<Condition>>,
}

/// A role for a membership on a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MembershipRoleAssignment {
    /// The name of the membership, declared or opaque.
    pub membership: Name,
    /// The name of the role.
    pub role: Name,
    /// The name of the resource; none: the membership's organization, which only a declared one has.
    pub resource: Option<Name>,
    /// From this instant on it grants nothing.
    pub expires_at: Option<Timestamp>,
    /// It grants nothing to a question for which this does not hold.
    pub condition: Option<Arc<Condition>>,
}

/// A user in an organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrganizationMembership {
    /// The organization (name of the resource).
    pub organization: Name,
    /// The user's id at the identity provider.
    pub user: Name,
    /// Names of organization-level roles.
    pub roles: Vec<Name>,
    /// It keeps its grants, but none counts (rule 13).
    pub suspended: bool,
    /// The user's groups in the directory.
    pub directory_groups: Vec<Name>,
    /// The user's groups at the last single sign-on.
    pub sso_groups: Vec<Name>,
}

/// The declaration of a type of resource, whose slug is the object's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceType {
    /// The types that its parent may have; empty for `organization` alone.
    pub parents: Vec<Name>,
    /// The slugs of the permissions declared on it.
    pub permissions: Vec<Name>,
}

/// The settings of the environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// A membership may have several organization-level roles at a time.
    pub multiple_roles: bool,
    /// The name of the role of declared memberships that have no other organization-level role.
    pub default_role: Option<Name>,
    /// Names of roles, most important first: who wins where a membership may have but one.
    pub role_priority: Vec<Name>,
    /// Whether memberships that nothing declares may be granted anything.
    pub undeclared_memberships: Undeclared,
    /// Whether types that nothing declares may be used.
    pub undeclared_resource_types: Undeclared,
    /// Which groups of the identity provider get which role.
    pub role_mappings: Vec<RoleMapping>,
}

/// What to do with something that is used but not declared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Undeclared {
    /// It works.
    #[default]
    Allow,
    /// It is powerless.
    Deny,
}

/// A group of the identity provider and the role of its members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleMapping {
    /// Who says that a user is in the group.
    pub source: IdentitySource,
    /// The group's name there.
    pub group: Name,
    /// The name of the role.
    pub role: Name,
    /// The organization (name of the resource) that the mapping is for; none: all.
    pub organization: Option<Name>,
}

/// How the identity provider tells of its groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IdentitySource {
    /// Directory synchronisation.
    Directory,
    /// Single sign-on.
    Sso,
}
