//! The roles that memberships have, each with where it comes from: what the API lists as role assignments (rules 35 to 37).

use std::collections::{BTreeSet, HashSet};

use crate::{
    graph::{
        facts::{self, Kind, Name, Timestamp},
        query::{AssignmentItem, GrantSource, PageRequest, Reason},
    },
    server::workos::{
        context::{self, AttachedResource},
        id::{Id, Prefix},
        list::Row,
        shapes,
        terms::is_over,
    },
    store::{Item, Place, View},
};

/// A role that a membership has on a resource.
#[derive(Clone, Debug)]
pub struct HeldRole {
    /// The id of the assignment.
    pub id: Id,
    /// The role.
    pub role: Item<facts::Role>,
    /// The resource.
    pub resource: AttachedResource,
    /// Where it comes from.
    pub source: Source,
    /// Another role on the organization takes precedence, so that it has no effect and is not listed.
    pub superseded: bool,
}

/// Where a role comes from.
#[derive(Clone, Debug)]
pub enum Source {
    /// A `MembershipRoleAssignment`.
    Assignment(Item<facts::MembershipRoleAssignment>),
    /// The `roleRefs` of the membership.
    Membership,
    /// An assignment of a group that the membership belongs to.
    Group(Item<facts::GroupRoleAssignment>, Item<facts::Group>),
    /// The groups that the identity provider reports.
    IdentityProvider,
    /// The membership has no other on its organization.
    Default,
}

impl Source {
    /// What tells apart the roles that a membership has without any assignment.
    const fn label(&self) -> &'static str {
        match self {
            Self::Assignment(_) => "assignment",
            Self::Membership => "roleRefs",
            Self::Group(..) => "group",
            Self::IdentityProvider => "identityProvider",
            Self::Default => "defaultRole",
        }
    }

    /// Whether a caller may take the role away from the membership alone.
    pub const fn is_own(&self) -> bool {
        matches!(self, Self::Assignment(_) | Self::Membership)
    }
}

type Membership = Item<facts::OrganizationMembership>;

impl HeldRole {
    fn of(view: &View<'_>, membership: &Membership, item: &AssignmentItem) -> Option<Self> {
        let AssignmentItem { source, role, resource, expires_at, inert, membership: _, condition: _ } = item;
        let is_unmet = inert.iter().any(|reason| matches!(reason, Reason::ConditionUnmet { .. }));
        if is_over(*expires_at) || is_unmet {
            return None;
        }
        let source = match source {
            GrantSource::MembershipRoleAssignment(name) => Source::Assignment(view.get(name)?),
            GrantSource::OrganizationMembership(_) => Source::Membership,
            GrantSource::IdentityProvider { .. } => Source::IdentityProvider,
            GrantSource::DefaultRole => Source::Default,
            GrantSource::GroupRoleAssignment { assignment, .. } => {
                // Where anything else is amiss the group passes nothing on.
                let passes_on =
                    |reason: &Reason| matches!(reason, Reason::Suspended { .. } | Reason::Superseded { .. });
                let assignment = view.get::<facts::GroupRoleAssignment>(assignment)?;
                let group = view.get(&assignment.fact.group)?;
                inert.iter().all(passes_on).then_some(Source::Group(assignment, group))?
            }
        };
        let superseded = inert.iter().any(|reason| matches!(reason, Reason::Superseded { .. }));
        Self::new(view, membership, role, resource.as_ref()?, source, superseded)
    }

    /// None: in the organization of the membership there is no such role or resource.
    fn new(
        view: &View<'_>,
        membership: &Membership,
        role: &Name,
        resource: &Name,
        source: Source,
        superseded: bool,
    ) -> Option<Self> {
        let organization = &membership.fact.organization;
        let usable = |role: &Item<facts::Role>| role.fact.organization.as_ref().is_none_or(|only| only == organization);
        let role = view.get::<facts::Role>(role).filter(usable)?;
        let resource = context::attached(view, resource).filter(|resource| resource.organization == *organization)?;
        let membership_id = Prefix::OrganizationMembership.id(membership.id);
        let id = match &source {
            Source::Assignment(assignment) => Prefix::RoleAssignment.id(assignment.id),
            Source::Group(assignment, _) => shapes::RoleAssignment::id_through_group(membership, assignment),
            source => Prefix::RoleAssignment.derived(&[&membership_id, &Prefix::Role.id(role.id), &source.label()]),
        };
        Some(Self { id, role, resource, source, superseded })
    }

    /// What is listed of it.
    pub fn row(self, membership: &Membership) -> Row<shapes::RoleAssignment> {
        // No object has such a name.
        let place_of = |created: Timestamp, name: &Name| Place {
            created,
            name: format!("{name}/{}/{}/{}", membership.name, self.role.name, self.source.label()).into(),
        };
        let Self { id, role, resource, source, superseded: _ } = &self;
        let (slug, resource) = (role.fact.slug.clone(), &resource.item);
        let (place, item) = match source {
            Source::Assignment(assignment) => (assignment.place(), {
                let ends = assignment.fact.expires_at;
                shapes::RoleAssignment::direct(*id, membership, slug, resource, ends, assignment.into())
            }),
            Source::Group(assignment, group) => (
                place_of(assignment.created, &assignment.name),
                shapes::RoleAssignment::through_group(membership, slug, resource, assignment, group),
            ),
            Source::Membership | Source::IdentityProvider | Source::Default => (
                place_of(membership.created, &membership.name),
                shapes::RoleAssignment::direct(*id, membership, slug, resource, None, membership.into()),
            ),
        };
        Row { id: *id, place, item }
    }
}

/// The roles that a membership has, its own and through groups, in no particular order. Suspended, it has them still (rule 13).
pub fn held_by(view: &View<'_>, membership: &Membership) -> Vec<HeldRole> {
    let now = Timestamp::now();
    let everything = PageRequest { limit: usize::MAX, after: None };
    let items = view.graph().assignments_of_membership(&membership.name, everything, now);
    // What nothing is known of has nothing.
    held_of(view, membership, &items.map_or_else(|_| Vec::new(), |page| page.items), now)
}

/// The same, made of those of its assignments that are asked for: all, or all on one resource.
fn held_of(view: &View<'_>, membership: &Membership, items: &[AssignmentItem], now: Timestamp) -> Vec<HeldRole> {
    let mut held: Vec<HeldRole> = items.iter().filter_map(|item| HeldRole::of(view, membership, item)).collect();
    if membership.fact.suspended {
        // What takes precedence is told only of those that have effect.
        let effective = view.graph().organization_roles_of(&membership.name, now);
        for held in held.iter_mut().filter(|held| held.resource.is_organization()) {
            held.superseded = !effective.contains(&held.role.name);
        }
        let on_organization = |held: &HeldRole| held.resource.is_organization() && !held.superseded;
        if let Some(default) = effective.first().filter(|_| !held.iter().any(on_organization)) {
            let organization = &membership.fact.organization;
            held.extend(HeldRole::new(view, membership, default, organization, Source::Default, false));
        }
    }
    // Several groups of the identity provider may be mapped to one role.
    let mut known = HashSet::new();
    held.retain(|held| known.insert(held.id.object));
    held
}

/// The roles that memberships have on that very resource (rule 37), in no particular order: one for each member of a group that has
/// it, since that is what the API has ids for.
pub fn held_on<'a>(
    view: &'a View<'_>,
    resource: &'a AttachedResource,
) -> impl Iterator<Item = (Membership, HeldRole)> + 'a {
    let holders = holders(view, resource);
    let memberships = holders.into_iter().filter_map(|name| view.get::<facts::OrganizationMembership>(&name));
    memberships.flat_map(|membership| {
        let now = Timestamp::now();
        let items = view.graph().assignments_of_membership_on(&membership.name, &resource.item.name, now);
        let held = held_of(view, &membership, &items, now).into_iter();
        let here = held.filter(|held| held.resource.item.name == resource.item.name);
        here.map(move |held| (membership.clone(), held))
    })
}

/// Every membership that may have a role on a resource.
fn holders(view: &View<'_>, resource: &AttachedResource) -> BTreeSet<Name> {
    if resource.is_organization() {
        return view.graph().memberships_in(&resource.item.name).into_iter().collect();
    }
    let mut holders = BTreeSet::new();
    let mut groups = Vec::new();
    for assignment in view.graph().assignments_on(&resource.item.name) {
        if assignment.kind == Kind::MembershipRoleAssignment {
            let assignment = view.get::<facts::MembershipRoleAssignment>(&assignment.name);
            holders.extend(assignment.map(|assignment| assignment.fact.membership));
        } else {
            let assignment = view.get::<facts::GroupRoleAssignment>(&assignment.name);
            groups.extend(assignment.map(|assignment| assignment.fact.group));
        }
    }
    let mut visited = HashSet::new();
    while let Some(name) = groups.pop() {
        if let Some(group) = view.get::<facts::Group>(&name).filter(|_| visited.insert(name)) {
            holders.extend(group.fact.members);
            groups.extend(group.fact.subgroups);
        }
    }
    holders
}
