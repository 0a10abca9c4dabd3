//! The authorization engine: pure, synchronous, without I/O. It is told facts and answers questions.
//!
//! - [`facts`]: what it is told.
//! - [`query`]: what it can be asked, and the answers.
//! - [`Graph`]: one environment.
//! - [`Environments`]: all of them, published to readers on any thread.
//!
//! What the objects mean is written down in `docs/semantics.md`. How they are kept: every name is interned to a
//! dense id with a record (`table`), also where nothing but references to it exist, so that a reference takes
//! effect when its object arrives. A grant lies with its resource (`grants`); a check walks from the resource up
//! to its organization and looks on the way for grants of the membership and its groups (`access`). Nothing is
//! kept per descendant of a resource or per member of a group, so every change is small. All of it lies in chunks
//! (`chunks`, found by name through `index`), of which clones of a graph share those that are the same: so readers can
//! have a copy of their own while the writer changes another (`environments`).

pub mod facts;
pub mod query;

mod access;
mod admission;
mod adopt;
mod apply;
mod belongings;
mod by_subject;
mod cascade;
mod chain;
mod check;
mod chunks;
mod detachment;
mod diagnose;
mod duplicates;
mod environments;
mod explain;
mod external_ids;
mod grants;
mod holdings;
mod index;
mod links;
mod listing;
mod lists;
mod map;
mod names;
mod object;
mod page;
mod permission_set;
mod qualification;
mod records;
mod relations;
mod resolve;
mod revision;
mod roles;
mod search;
mod settings;
mod table;
mod trial;

use std::sync::Arc;

use hashbrown::{HashMap, HashSet};
use smallvec::SmallVec;

pub use admission::{Proposal, Review};
pub use cascade::{Cascade, Deletion, Removal};
pub use chain::MAX_DEPTH;
pub use check::ResolvedCheck;
pub use environments::{Environments, PublishedGraph};
pub use revision::Revision;

use apply::Stale;
use belongings::Belongings;
use chunks::Chunks;
use external_ids::{ExternalIds, Key, Keys};
use facts::{Fact, Kind, Name, ORGANIZATION, ObjectRef, Timestamp};
use grants::SubjectId;
use map::{SharedMap, Slab};
use qualification::Qualification;
use records::{
    Assignment, Group, GroupReach, Membership, MembershipDetails, Permission, Resource, ResourceDetails, ResourceType,
    Role, State, User,
};
use settings::Settings;
use table::{Id, Table};

type Map<K, V> = HashMap<K, V, foldhash::fast::RandomState>;
type Set<K> = HashSet<K, foldhash::fast::RandomState>;

/// The authorization graph of one environment: a pure function of the set of objects that it was told of.
///
/// A clone takes little time and room: it shares with this graph what is the same in both.
#[derive(Clone, Debug)]
pub struct Graph {
    resources: Table<Resource>,
    /// Parallel to `resources`.
    details: Chunks<ResourceDetails>,
    /// The external ids that are not the object's name.
    external_names: Slab<Name>,
    external_ids: ExternalIds,
    roles: Table<Role>,
    /// The roles that are there and have that slug.
    roles_by_slug: SharedMap<Name, SmallVec<[Id<Role>; 1]>>,
    permissions: Table<Permission>,
    resource_types: Table<ResourceType>,
    /// The id of the type `organization`, which always is referred to.
    organization_type: Id<ResourceType>,
    /// How many types are declared: where none is and undeclared ones are allowed, types need no attention.
    declared_types: usize,
    groups: Table<Group>,
    /// Parallel to `groups`, made anew when one changes.
    group_reach: Chunks<GroupReach>,
    /// Parallel to `groups`.
    first_assignment_of_group: Chunks<Option<Id<Assignment>>>,
    memberships: Table<Membership>,
    /// Parallel to `memberships`.
    membership_details: Chunks<MembershipDetails>,
    /// The first of those that are declared in each organization.
    memberships_of_organization: SharedMap<Id<Resource>, Id<Membership>>,
    belongings: SharedMap<Id<Resource>, Arc<Belongings>>,
    /// The resources that are there and of the type `organization`.
    organizations: SharedMap<Id<Resource>, ()>,
    users: Table<User>,
    membership_assignments: Table<Assignment>,
    group_assignments: Table<Assignment>,
    /// What the grants that are qualified depend on; a grant is there once for each.
    qualified: SharedMap<GrantKey, SmallVec<[Qualification; 1]>>,
    /// What the assignments that are qualified depend on.
    qualifications: SharedMap<AssignmentKey, Qualification>,
    settings: Arc<Settings>,
    environment_objects: SharedMap<Name, State>,
    /// Why invalid objects are so.
    problems: SharedMap<ObjectRef, Name>,
    /// What the objects under deletion say: nothing else is made of it.
    terminating: SharedMap<ObjectRef, Arc<Fact>>,
    objects: [Count; Kind::ALL.len()],
    stale: Stale,
    revision: Revision,
}

type GrantKey = (Id<Resource>, SubjectId, Id<Role>);

/// Whether an assignment is one of a group, and which of these or of the others it is.
type AssignmentKey = (bool, Id<Assignment>);

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    total: usize,
    invalid: usize,
}

impl Default for Graph {
    fn default() -> Self {
        let mut resource_types = Table::default();
        let organization_type = resource_types.acquire(&Name::from(ORGANIZATION));
        Self {
            resources: Table::default(),
            details: Chunks::default(),
            external_names: Slab::default(),
            external_ids: ExternalIds::default(),
            roles: Table::default(),
            roles_by_slug: SharedMap::default(),
            permissions: Table::default(),
            resource_types,
            organization_type,
            declared_types: 0,
            groups: Table::default(),
            group_reach: Chunks::default(),
            first_assignment_of_group: Chunks::default(),
            memberships: Table::default(),
            membership_details: Chunks::default(),
            memberships_of_organization: SharedMap::default(),
            belongings: SharedMap::default(),
            organizations: SharedMap::default(),
            users: Table::default(),
            membership_assignments: Table::default(),
            group_assignments: Table::default(),
            qualified: SharedMap::default(),
            qualifications: SharedMap::default(),
            settings: Arc::default(),
            environment_objects: SharedMap::default(),
            problems: SharedMap::default(),
            terminating: SharedMap::default(),
            objects: [Count::default(); Kind::ALL.len()],
            stale: Stale::default(),
            revision: Revision::default(),
        }
    }
}

impl Graph {
    /// How far it has come.
    #[must_use]
    pub const fn revision(&self) -> &Revision {
        &self.revision
    }

    /// How many objects of a kind there are.
    #[must_use]
    pub fn count(&self, kind: Kind) -> usize {
        self.objects[kind as usize].total
    }

    /// How many of them have a spec that cannot be used.
    #[must_use]
    pub fn count_invalid(&self, kind: Kind) -> usize {
        self.objects[kind as usize].invalid
    }

    /// The first instant after `now` at which an assignment expires.
    #[must_use]
    pub fn next_expiry(&self, now: Timestamp) -> Option<Timestamp> {
        let expiries = self.qualifications.iter().filter_map(|(_, qualification)| qualification.expires_at);
        expiries.filter(|&at| at > now).min()
    }

    fn keys(&self) -> Keys<'_> {
        Keys {
            resources: &self.resources,
            details: &self.details,
            external_names: &self.external_names,
            organization_type: self.organization_type,
        }
    }

    /// The resources of a type and external id, in whatever organization or none.
    fn candidates<'a>(
        &'a self,
        resource_type: Id<ResourceType>,
        id: &'a str,
    ) -> impl Iterator<Item = Id<Resource>> + 'a {
        let key = Key { resource_type: Some(resource_type), organization: None, id: Some(id) };
        self.external_ids.get_anywhere(key, self.keys())
    }
}
