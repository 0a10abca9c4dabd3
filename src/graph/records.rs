//! What the graph keeps of each object, and of names that are only referred to.

use smallvec::SmallVec;

use super::{
    facts::{IdentitySource, Name, Timestamp},
    grants::Grants,
    permission_set::PermissionSet,
    table::Id,
};

/// Whether an object is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum State {
    /// Nothing but references to its name.
    #[default]
    Absent,
    /// It exists and is usable.
    There,
    /// It has a deletion timestamp.
    Deleting,
    /// Its spec cannot be used; why is kept in [`super::Graph::problems`].
    Invalid,
}

/// When something was created, in microseconds; unknown is earliest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Created(i64);

impl Default for Created {
    fn default() -> Self {
        Self(i64::MIN)
    }
}

impl From<Option<Timestamp>> for Created {
    fn from(time: Option<Timestamp>) -> Self {
        time.map_or_else(Self::default, |time| Self(time.as_microsecond()))
    }
}

impl Created {
    /// The time; none: unknown.
    pub(super) fn time(self) -> Option<Timestamp> {
        Some(self).filter(|&known| known != Self::default()).and_then(|known| Timestamp::from_microsecond(known.0).ok())
    }
}

/// What a check needs of a resource, in one cache line.
#[derive(Debug, Default)]
#[repr(align(64))]
pub(super) struct Resource {
    pub(super) parent: Option<Id<Resource>>,
    pub(super) kind: ResourceKind,
    /// Also where the resource is not there: the grants wait for it.
    pub(super) grants: Grants,
}

const _: () = assert!(size_of::<Resource>() == 64, "a resource fills one cache line");

/// The type of a resource that is there, packed with whether its external id is contested.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ResourceKind(u32);

const CONTESTED: u32 = 1 << 31;

impl ResourceKind {
    pub(super) fn new(resource_type: Option<Id<ResourceType>>) -> Self {
        Self(resource_type.map_or(0, Id::get))
    }

    /// The type; none: the resource is not there.
    pub(super) fn resource_type(self) -> Option<Id<ResourceType>> {
        Id::new(self.0 & !CONTESTED)
    }

    /// Whether another resource of the type has the same external id and may be in the same organization.
    pub(super) const fn is_contested(self) -> bool {
        self.0 & CONTESTED != 0
    }

    pub(super) fn set_contested(&mut self, contested: bool) {
        if contested {
            self.0 |= CONTESTED;
        } else {
            self.0 &= !CONTESTED;
        }
    }
}

/// What a resource is found by.
#[derive(Debug, Default)]
#[repr(align(32))]
pub(super) struct ResourceIdentity {
    /// Known while it is there.
    pub(super) external_id: Option<Name>,
    /// The organization that its chain last ended in. Right while it is attached; not cleared when it is cut off, so
    /// that cutting off a subtree stays one write.
    pub(super) last_organization: Option<Id<Resource>>,
    pub(super) state: State,
}

const _: () = assert!(size_of::<ResourceIdentity>() == 32, "two identities fill one cache line");

/// What a check does not need of a resource.
#[derive(Debug, Default)]
pub(super) struct ResourceDetails {
    pub(super) created: Created,
    /// The resources that are there and have this one as parent.
    pub(super) children: SmallVec<[Id<Resource>; 2]>,
    /// Where this one is in its parent's children.
    pub(super) child_index: u32,
}

/// A role.
#[derive(Debug, Default)]
pub(super) struct Role {
    /// Those of `listed` that no declared type refuses; empty while the role is not usable.
    pub(super) permissions: PermissionSet,
    /// Known while it is usable.
    pub(super) resource_type: Option<Id<ResourceType>>,
    /// The organization that alone may use it.
    pub(super) organization: Option<Id<Resource>>,
    /// Who wins where a membership may have but one role: the least.
    pub(super) rank: u32,
    pub(super) state: State,
    pub(super) created: Created,
    /// What the spec says, whether usable or not.
    pub(super) slug: Name,
    pub(super) scope: Option<Id<ResourceType>>,
    pub(super) listed: Vec<Id<Permission>>,
}

/// A permission.
#[derive(Debug, Default)]
pub(super) struct Permission {
    /// The types that declare it.
    pub(super) declared_on: SmallVec<[Id<ResourceType>; 2]>,
}

/// A type of resource.
#[derive(Debug, Default)]
pub(super) struct ResourceType {
    pub(super) state: State,
    /// Declared.
    pub(super) parents: Vec<Id<ResourceType>>,
    /// Declared.
    pub(super) permissions: Vec<Id<Permission>>,
    /// The types of resources that were ever directly below one of this type, while the type had any: all that are,
    /// and perhaps others.
    pub(super) seen_below: SmallVec<[Id<ResourceType>; 4]>,
}

impl ResourceType {
    /// Whether a `ResourceType` declares it; an invalid one does, with nothing allowed.
    pub(super) fn is_declared(&self) -> bool {
        matches!(self.state, State::There | State::Invalid)
    }
}

/// A group.
#[derive(Debug, Default)]
pub(super) struct Group {
    /// Known while it is there.
    pub(super) organization: Option<Id<Resource>>,
    pub(super) on_cycle: bool,
    pub(super) state: State,
    /// The groups that are there and list this one as a subgroup.
    pub(super) supergroups: SmallVec<[Id<Group>; 1]>,
    /// By name, so that what is told of them does not depend on ids, which differ from copy to copy of a graph.
    pub(super) members: Vec<Id<Membership>>,
    /// By name.
    pub(super) subgroups: Vec<Id<Group>>,
    pub(super) assignments: SmallVec<[Id<Assignment>; 2]>,
}

impl Group {
    /// The organization in which it passes members and grants on, if that is attached.
    fn sound_in(&self) -> Option<Id<Resource>> {
        self.organization.filter(|_| self.state == State::There && !self.on_cycle)
    }
}

/// What a check needs of a group, in four bytes, so that those of all groups fit into the cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct GroupReach(u32);

const IS_NESTED: u32 = 1 << 31;

impl From<&Group> for GroupReach {
    fn from(group: &Group) -> Self {
        let nested = if group.supergroups.is_empty() { 0 } else { IS_NESTED };
        Self(group.sound_in().map_or(0, Id::get) | nested)
    }
}

impl GroupReach {
    /// The organization in which the group passes members and grants on, if that is attached.
    pub(super) fn organization(self) -> Option<Id<Resource>> {
        Id::new(self.0 & !IS_NESTED)
    }

    /// Whether any group lists it as a subgroup.
    pub(super) const fn is_nested(self) -> bool {
        self.0 & IS_NESTED != 0
    }
}

/// What a check needs of a membership, declared or only referred to, in one cache line.
#[derive(Debug, Default)]
#[repr(align(64))]
pub(super) struct Membership {
    /// The groups that are there and list it.
    pub(super) groups: SmallVec<[Id<Group>; 12]>,
    /// Known where a valid object declares it.
    pub(super) organization: Option<Id<Resource>>,
    pub(super) standing: Standing,
    /// Whether [`Declared::own_roles`] has any.
    pub(super) has_own_roles: bool,
}

const _: () = assert!(size_of::<Membership>() == 64, "a membership fills one cache line");

/// What a membership is good for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Standing {
    /// Nothing declares it.
    #[default]
    Undeclared,
    /// It is declared, and good for grants in its organization.
    Active,
    /// It is declared and suspended.
    Suspended,
    /// What declares it is invalid or being deleted.
    Unusable,
}

/// What a check does not need of a membership, or seldom.
#[derive(Debug, Default)]
pub(super) struct MembershipDetails {
    /// What declares it.
    pub(super) declared: Option<Box<Declared>>,
    pub(super) assignments: SmallVec<[Id<Assignment>; 2]>,
}

/// What an `OrganizationMembership` says.
#[derive(Debug)]
pub(super) struct Declared {
    pub(super) state: State,
    /// Known unless it is invalid.
    pub(super) organization: Option<Id<Resource>>,
    /// Known unless it is invalid.
    pub(super) user: Option<Id<User>>,
    pub(super) suspended: bool,
    pub(super) roles: Vec<Id<Role>>,
    pub(super) directory_groups: Vec<Name>,
    pub(super) sso_groups: Vec<Name>,
    /// The roles that it has in its organization by itself: listed, or mapped from the groups above.
    pub(super) own_roles: SmallVec<[(Tier, Id<Role>); 2]>,
}

impl Declared {
    pub(super) fn standing(&self) -> Standing {
        match self.state {
            State::There if self.suspended => Standing::Suspended,
            State::There => Standing::Active,
            State::Absent | State::Deleting | State::Invalid => Standing::Unusable,
        }
    }
}

/// Which source of an organization-level role goes before which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tier {
    Directory,
    Sso,
    Assigned,
}

impl From<IdentitySource> for Tier {
    fn from(source: IdentitySource) -> Self {
        match source {
            IdentitySource::Directory => Self::Directory,
            IdentitySource::Sso => Self::Sso,
        }
    }
}

/// A user of the identity provider.
#[derive(Debug, Default)]
pub(super) struct User {
    /// The memberships that are declared for the user, usable or not.
    pub(super) memberships: SmallVec<[Id<Membership>; 1]>,
}

/// A role assignment of a membership or a group.
#[derive(Debug, Default)]
pub(super) struct Assignment {
    pub(super) state: State,
    pub(super) created: Created,
    /// Known unless it is invalid.
    pub(super) terms: Option<Terms>,
    pub(super) expires_at: Option<Timestamp>,
}

impl Assignment {
    /// What it says; known while it is there.
    pub(super) fn terms(&self) -> Option<Terms> {
        self.terms
    }
}

/// What an assignment says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    pub(super) subject: super::grants::SubjectId,
    pub(super) role: Id<Role>,
    /// None: the subject's organization.
    pub(super) resource: Option<Id<Resource>>,
}
