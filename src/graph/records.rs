//! What the graph keeps of each object, and of names that are only referred to.

use std::sync::Arc;

use smallvec::SmallVec;

use super::{
    facts::{IdentitySource, Name, Timestamp},
    grants::{Grants, SubjectId},
    links::Links,
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

/// When something was created, in microseconds; unknown is earliest. In two halves, for records that are lists of
/// words of 32 bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Created(u32, u32);

/// The times are in the order of these numbers, of which 0 is unknown.
const EPOCH: u64 = 1 << 63;

impl From<Option<Timestamp>> for Created {
    fn from(time: Option<Timestamp>) -> Self {
        let number = time.map_or(0, |time| time.as_microsecond().cast_unsigned() ^ EPOCH);
        #[expect(clippy::cast_possible_truncation, reason = "the halves of the number")]
        Self((number >> 32) as u32, number as u32)
    }
}

impl Created {
    /// The time; none: unknown.
    pub(super) fn time(self) -> Option<Timestamp> {
        let number = u64::from(self.0) << 32 | u64::from(self.1);
        let known = (number != 0).then_some((number ^ EPOCH).cast_signed());
        known.and_then(|known| Timestamp::from_microsecond(known).ok())
    }
}

/// What a check needs of a resource, in one cache line.
#[derive(Clone, Debug, Default)]
#[repr(align(64))]
pub(super) struct Resource {
    pub(super) parent: Option<Id<Resource>>,
    pub(super) kind: ResourceKind,
    /// Also where the resource is not there: the grants wait for it.
    pub(super) grants: Grants,
}

const _: () = assert!(size_of::<Resource>() == 64, "a resource fills one cache line");

/// The type of a resource that is there, packed with what a look-up by its external id must know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ResourceKind(u32);

const CONTESTED: u32 = 1 << 31;
const NAMED_AS_KNOWN: u32 = 1 << 30;

impl ResourceKind {
    /// Of that type; `named_as_known`: its external id is the object's name.
    pub(super) fn new(resource_type: Id<ResourceType>, named_as_known: bool) -> Self {
        Self(resource_type.get() | if named_as_known { NAMED_AS_KNOWN } else { 0 })
    }

    /// The type; none: the resource is not there.
    pub(super) fn resource_type(self) -> Option<Id<ResourceType>> {
        Id::new(self.0 & !(CONTESTED | NAMED_AS_KNOWN))
    }

    /// Whether it is there and its external id is the object's name.
    pub(super) const fn is_named_as_known(self) -> bool {
        self.0 & NAMED_AS_KNOWN != 0
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

/// What a check does not need of a resource, or seldom.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ResourceDetails {
    /// The number of the external id, where that is not the object's name.
    pub(super) external_id: u32,
    /// The organization that its chain last ended in. Right while it is attached; not cleared when it is cut off, so
    /// that cutting off a subtree stays one write.
    pub(super) last_organization: Option<Id<Resource>>,
    pub(super) first_child: Option<Id<Resource>>,
    /// Among the children of its parent.
    pub(super) siblings: Links<Resource>,
    pub(super) created: Created,
    pub(super) state: State,
}

const _: () = assert!(size_of::<ResourceDetails>() == 32, "two of them fill one cache line");

/// A role.
#[derive(Clone, Debug, Default)]
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
#[derive(Clone, Debug, Default)]
pub(super) struct Permission {
    /// The types that declare it.
    pub(super) declared_on: SmallVec<[Id<ResourceType>; 2]>,
}

/// A type of resource.
#[derive(Clone, Debug, Default)]
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
#[derive(Clone, Debug, Default)]
pub(super) struct Group {
    /// Known while it is there.
    pub(super) organization: Option<Id<Resource>>,
    pub(super) on_cycle: bool,
    pub(super) state: State,
    /// The groups that are there and list this one as a subgroup.
    pub(super) supergroups: SmallVec<[Id<Group>; 1]>,
    /// By name, so that what is told of them does not depend on ids, which differ from copy to copy of a graph.
    pub(super) members: Arc<[Id<Membership>]>,
    /// By name.
    pub(super) subgroups: Arc<[Id<Group>]>,
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
#[derive(Clone, Debug, Default)]
#[repr(align(64))]
pub(super) struct Membership {
    /// The groups that are there and list it.
    pub(super) groups: SmallVec<[Id<Group>; 12]>,
    /// Known where a valid object declares it.
    pub(super) organization: Option<Id<Resource>>,
    pub(super) standing: Standing,
    /// Whether [`Claims::own_roles`] has any.
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
#[derive(Clone, Debug, Default)]
pub(super) struct MembershipDetails {
    /// What declares it.
    pub(super) declared: Option<Declared>,
    pub(super) first_assignment: Option<Id<Assignment>>,
    /// Among those that are declared in its organization.
    pub(super) in_organization: Links<Membership>,
    /// Among those that are declared for its user.
    pub(super) of_user: Links<Membership>,
}

/// What an `OrganizationMembership` says.
#[derive(Clone, Debug)]
pub(super) struct Declared {
    pub(super) state: State,
    /// Known unless it is invalid.
    pub(super) organization: Option<Id<Resource>>,
    /// Known unless it is invalid.
    pub(super) user: Option<Id<User>>,
    pub(super) suspended: bool,
    /// None: no roles and no groups, as of most.
    pub(super) claims: Option<Arc<Claims>>,
}

/// The roles that an `OrganizationMembership` lists, and the groups that the identity provider told of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Claims {
    pub(super) roles: Vec<Id<Role>>,
    pub(super) directory_groups: Vec<Name>,
    pub(super) sso_groups: Vec<Name>,
    /// The roles that it has in its organization by itself: listed, or mapped from the groups above.
    pub(super) own_roles: Vec<(Tier, Id<Role>)>,
}

/// The claims of a membership that makes none.
pub(super) const NO_CLAIMS: &Claims =
    &Claims { roles: Vec::new(), directory_groups: Vec::new(), sso_groups: Vec::new(), own_roles: Vec::new() };

impl Declared {
    pub(super) fn claims(&self) -> &Claims {
        self.claims.as_deref().unwrap_or(NO_CLAIMS)
    }

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
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct User {
    /// Of the memberships that are declared for the user, usable or not.
    pub(super) first_membership: Option<Id<Membership>>,
}

/// A role assignment of a membership or a group, in few bytes, as there are more of these than of anything else.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Assignment {
    /// 0: it is not there, and nothing is known of it.
    subject: u32,
    /// The role, packed with the state and whether the assignment is qualified.
    role: u32,
    /// None: the subject's organization.
    resource: Option<Id<Resource>>,
    pub(super) created: Created,
    /// Among the assignments of its subject.
    pub(super) of_subject: Links<Assignment>,
}

const QUALIFIED: u32 = 1 << 31;
const STATE: u32 = 0b11 << STATE_SHIFT;
const STATE_SHIFT: u32 = 29;

const _: () = assert!(size_of::<Assignment>() == 28, "it is small");

impl Assignment {
    /// An assignment of which nothing but its state is known.
    pub(super) fn new(state: State, created: Created) -> Self {
        let state = (state as u32) << STATE_SHIFT;
        Self { role: state, created, ..Self::default() }
    }

    pub(super) const fn state(&self) -> State {
        match (self.role & STATE) >> STATE_SHIFT {
            0 => State::Absent,
            1 => State::There,
            2 => State::Deleting,
            _ => State::Invalid,
        }
    }

    pub(super) fn set_terms(&mut self, Terms { subject, role, resource }: Terms, qualified: bool) {
        self.subject = subject.pack();
        self.role = self.role & STATE | role.get() | if qualified { QUALIFIED } else { 0 };
        self.resource = resource;
    }

    /// What it says; known while it is there.
    pub(super) fn terms(&self) -> Option<Terms> {
        let role = Id::new(self.role & !(STATE | QUALIFIED))?;
        Some(Terms { subject: SubjectId::unpack(self.subject)?, role, resource: self.resource })
    }

    pub(super) const fn is_qualified(&self) -> bool {
        self.role & QUALIFIED != 0
    }
}

/// What an assignment says, but for what it depends on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    pub(super) subject: SubjectId,
    pub(super) role: Id<Role>,
    /// None: the subject's organization.
    pub(super) resource: Option<Id<Resource>>,
}
