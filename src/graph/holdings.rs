//! Every role that a membership has on something, with where it comes from and what stands against it.
//!
//! What a membership holds is found first and judged after that, for a judgement costs far more than a look, and a page
//! of a list, or an explanation, needs few.

mod affiliations;
mod assignments;

use std::{cell::OnceCell, cmp::Ordering};

use super::{
    Graph, Map, Set,
    access::Subjects,
    facts::{IdentitySource, Name},
    grants::SubjectId,
    page::{Key, compare_parts},
    qualification::Qualification,
    query::{Asked, GrantSource, Reason},
    records::{Assignment, Group, Membership, Resource, Role, State, Terms, Tier},
    table::Id,
};

use affiliations::Affiliation;

/// A role that a membership has, effective or not.
#[derive(Clone, Copy, Debug)]
pub(super) struct Holding<'g> {
    origin: Origin<'g>,
    pub(super) role: Id<Role>,
    /// None: the organization of a membership that has none.
    pub(super) resource: Option<Id<Resource>>,
}

/// Where a holding comes from.
#[derive(Clone, Copy, Debug)]
enum Origin<'g> {
    /// An assignment of the membership or of a group.
    Assignment(SubjectId, Id<Assignment>),
    /// The membership itself lists the role.
    Listed,
    /// The identity provider's group of that name is mapped to the role.
    Mapped(IdentitySource, &'g Name),
    /// There is no other.
    Default,
}

/// A membership of which the holdings are asked.
#[derive(Debug)]
pub(super) struct Holder<'g> {
    graph: &'g Graph,
    membership: Id<Membership>,
    asked: Asked<'g>,
    /// The groups that it belongs to by way of others.
    nested: OnceCell<Map<Id<Group>, Affiliation>>,
}

impl<'g> Holder<'g> {
    pub(super) const fn new(graph: &'g Graph, membership: Id<Membership>, asked: Asked<'g>) -> Self {
        Self { graph, membership, asked, nested: OnceCell::new() }
    }

    pub(super) const fn membership(&self) -> Id<Membership> {
        self.membership
    }

    /// The assignments, its own and through groups, that are `wanted`, in no particular order.
    pub(super) fn assigned(&self, wanted: impl Fn(Id<Role>, Option<Id<Resource>>) -> bool) -> Vec<Holding<'g>> {
        let graph = self.graph;
        let mut holdings = Vec::new();
        let mut add = |subject| {
            let table = graph.assignments(subject);
            for id in graph.assignments_of(subject) {
                let Some(terms) = table[id].terms() else {
                    continue;
                };
                let (role, resource) = (terms.role, graph.placed(terms));
                if wanted(role, resource) {
                    holdings.push(Holding { origin: Origin::Assignment(subject, id), role, resource });
                }
            }
        };
        add(SubjectId::Membership(self.membership));
        for group in graph.all_groups(self.membership) {
            add(SubjectId::Group(group));
        }
        holdings
    }

    /// The assignments that may be effective on that very resource, of roles that are `wanted`.
    pub(super) fn assigned_on(
        &self,
        resource: Id<Resource>,
        subjects: &Subjects,
        wanted: impl Fn(Id<Role>) -> bool,
        holdings: &mut Vec<Holding<'g>>,
    ) {
        let graph = self.graph;
        for subject in graph.subjects_with(resource, subjects, &wanted) {
            let table = graph.assignments(subject);
            for id in graph.assignments_of(subject) {
                let terms = table[id].terms().filter(|&terms| graph.placed(terms) == Some(resource));
                if let Some(Terms { role, .. }) = terms.filter(|terms| wanted(terms.role)) {
                    let origin = Origin::Assignment(subject, id);
                    holdings.push(Holding { origin, role, resource: Some(resource) });
                }
            }
        }
    }

    /// The roles that it has by itself if it is declared: listed, mapped from the identity provider, or, for want of
    /// another, by default.
    pub(super) fn by_itself(&self, subjects: &mut Subjects) -> Vec<Holding<'g>> {
        let graph = self.graph;
        let mut holdings = graph.told_of(self.membership);
        let organization = graph.memberships[self.membership].organization;
        if let Some(organization) = organization
            && let Some(role) = graph.effective_default_role(self.membership, organization, subjects, self.asked)
        {
            holdings.push(Holding { origin: Origin::Default, role, resource: Some(organization) });
        }
        holdings
    }

    /// Sorts holdings in an order that depends on names only.
    pub(super) fn sort(&self, holdings: &mut [Holding<'g>]) {
        let compare =
            |one: HoldingKey<'_>, other: HoldingKey<'_>| (one.source, one.name).cmp(&(other.source, other.name));
        holdings.sort_by(|one, other| compare(self.key(one), self.key(other)));
    }

    /// What orders the holdings in a list.
    pub(super) fn key(&self, holding: &Holding<'g>) -> HoldingKey<'g> {
        HoldingKey::of(self.graph, Some(self.membership), holding)
    }

    /// Where a holding comes from.
    pub(super) fn source(&self, holding: &Holding<'g>) -> GrantSource {
        let graph = self.graph;
        match holding.origin {
            Origin::Assignment(SubjectId::Group(group), assignment) => GrantSource::GroupRoleAssignment {
                assignment: graph.group_assignments.name(assignment).clone(),
                groups: self.affiliation(group).groups,
            },
            Origin::Assignment(SubjectId::Membership(_), assignment) => {
                GrantSource::MembershipRoleAssignment(graph.membership_assignments.name(assignment).clone())
            }
            Origin::Listed => GrantSource::OrganizationMembership(graph.memberships.name(self.membership).clone()),
            Origin::Mapped(source, group) => GrantSource::IdentityProvider { source, group: group.clone() },
            Origin::Default => GrantSource::DefaultRole,
        }
    }

    /// Until when and on what condition a holding counts.
    pub(super) fn qualification(&self, holding: &Holding<'g>) -> Qualification {
        match holding.origin {
            Origin::Assignment(subject, id) => self.graph.qualification(subject, id),
            Origin::Listed | Origin::Mapped(..) | Origin::Default => Qualification::default(),
        }
    }

    /// Why a holding grants nothing; empty: it is effective.
    pub(super) fn faults(&self, holding: &Holding<'g>, subjects: &mut Subjects) -> Vec<Reason> {
        let Self { graph, membership, asked, .. } = *self;
        let tier = match holding.origin {
            Origin::Assignment(SubjectId::Group(group), id) => {
                return self.group_faults(holding, group, id, subjects);
            }
            Origin::Assignment(subject, id) => {
                let terms = graph.assignments(subject)[id].terms();
                let qualification = graph.qualification(subject, id);
                return terms
                    .map_or_else(Vec::new, |terms| graph.assignment_faults(terms, &qualification, subjects, asked));
            }
            Origin::Listed => Some(Tier::Assigned),
            Origin::Mapped(source, _) => Some(source.into()),
            Origin::Default => None,
        };
        let Some(organization) = holding.resource else {
            return Vec::new();
        };
        let mut faults = graph.grant_faults(holding.role, organization);
        faults.extend(graph.membership_fault(membership, None));
        if faults.is_empty() {
            faults.extend(graph.superseded(membership, tier, holding.role, organization, subjects, asked));
        }
        faults
    }

    fn group_faults(
        &self,
        holding: &Holding<'g>,
        group: Id<Group>,
        id: Id<Assignment>,
        subjects: &mut Subjects,
    ) -> Vec<Reason> {
        let Self { graph, membership, asked, .. } = *self;
        let Some(terms) = graph.group_assignments[id].terms() else {
            return Vec::new();
        };
        let qualification = graph.qualification(terms.subject, id);
        let mut faults = graph.assignment_faults(terms, &qualification, subjects, asked);
        if let Some(fault) = self.affiliation(group).fault
            && !faults.contains(&fault)
        {
            faults.push(fault);
        }
        let organization = holding.resource.and_then(|resource| graph.structural_root(resource));
        faults.extend(graph.membership_fault(membership, organization));
        if let Some(resource) = holding.resource.filter(|_| faults.is_empty()) {
            let tier = Some(Tier::Assigned);
            faults.extend(graph.superseded(membership, tier, holding.role, resource, subjects, asked));
        }
        faults
    }

    /// How the membership belongs to one of its groups.
    fn affiliation(&self, group: Id<Group>) -> Affiliation {
        let graph = self.graph;
        if graph.memberships[self.membership].groups.contains(&group) {
            let groups = vec![graph.groups.name(group).clone()];
            return Affiliation { group, groups, fault: graph.group_fault(group) };
        }
        let nested = self.nested.get_or_init(|| {
            let affiliations = graph.affiliations(self.membership).into_iter();
            affiliations.map(|affiliation| (affiliation.group, affiliation)).collect()
        });
        // INVARIANT: holdings are found with the groups that list the membership and those above, and so are these.
        #[expect(clippy::expect_used, reason = "unreachable, see the invariant")]
        nested.get(&group).cloned().expect("a group of the membership")
    }
}

impl Graph {
    /// The groups that list a membership, and those that these are nested in, in whatever state.
    pub(super) fn all_groups(&self, membership: Id<Membership>) -> Vec<Id<Group>> {
        let mut groups = self.memberships[membership].groups.to_vec();
        if groups.iter().all(|group| !self.group_reach[*group].is_nested()) {
            return groups;
        }
        let mut visited: Set<Id<Group>> = groups.iter().copied().collect();
        let mut next = 0;
        while let Some(&group) = groups.get(next) {
            groups.extend(self.groups[group].supergroups.iter().filter(|&&above| visited.insert(above)));
            next += 1;
        }
        groups
    }

    /// Those of the subjects that have a role on that very resource that is wanted.
    fn subjects_with(
        &self,
        resource: Id<Resource>,
        subjects: &Subjects,
        wanted: impl Fn(Id<Role>) -> bool,
    ) -> Vec<SubjectId> {
        let mut found = Vec::new();
        let grants = &self.resources[resource].grants;
        let visited = grants.try_for_each_of(
            subjects.as_slice(),
            |subject| subjects.contains(subject),
            |grant| {
                if wanted(grant.role()) {
                    found.push(grant.subject());
                }
                std::ops::ControlFlow::Continue(())
            },
        );
        debug_assert!(visited.is_continue());
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The roles that what declares a membership gives it: listed, or mapped from the identity provider.
    fn told_of(&self, membership: Id<Membership>) -> Vec<Holding<'_>> {
        let Some(declared) = self.declared(membership).filter(|declared| declared.state != State::Deleting) else {
            return Vec::new();
        };
        let Some(organization) = declared.organization else {
            return Vec::new();
        };
        let claims = declared.claims();
        let listed = claims.roles.iter().map(|&role| (Origin::Listed, role));
        let mapped = self.settings.mapped_roles(claims, declared.organization);
        let mapped = mapped.map(|(source, group, role)| (Origin::Mapped(source, group), role));
        let resource = Some(organization);
        listed.chain(mapped).map(|(origin, role)| Holding { origin, role, resource }).collect()
    }

    /// The default role, where it is what the membership has for want of another.
    fn effective_default_role(
        &self,
        membership: Id<Membership>,
        organization: Id<Resource>,
        subjects: &mut Subjects,
        asked: Asked<'_>,
    ) -> Option<Id<Role>> {
        self.default_role_of(membership, organization)?;
        self.able(membership, organization).ok()?;
        if !self.is_attached_organization(organization) {
            return None;
        }
        subjects.gather(self, membership, organization);
        let winner = self.winner(membership, subjects, organization, asked)?;
        winner.tier.is_none().then_some(winner.role)
    }
}

/// What orders holdings: assignments first, then what follows from the membership itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct HoldingKey<'g> {
    source: &'static str,
    name: &'g str,
    membership: &'g str,
    role: &'g str,
}

impl<'g> HoldingKey<'g> {
    fn of(graph: &'g Graph, membership: Option<Id<Membership>>, holding: &Holding<'g>) -> Self {
        let membership = membership.map_or("", |id| graph.memberships.name(id));
        let (source, name) = match holding.origin {
            Origin::Assignment(SubjectId::Membership(_), id) => ("1/", graph.membership_assignments.name(id).as_str()),
            Origin::Assignment(SubjectId::Group(_), id) => ("2/", graph.group_assignments.name(id).as_str()),
            Origin::Listed => ("3/", membership),
            Origin::Mapped(IdentitySource::Directory, group) => ("4/Directory/", group.as_str()),
            Origin::Mapped(IdentitySource::Sso, group) => ("4/Sso/", group.as_str()),
            Origin::Default => ("5", ""),
        };
        Self { source, name, membership, role: graph.roles.name(holding.role) }
    }
}

impl Key for HoldingKey<'_> {
    fn parts(&self) -> impl Iterator<Item = &str> {
        [self.source, self.name, "/", self.membership, "/", self.role].into_iter()
    }
}

impl Ord for HoldingKey<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        compare_parts(self.parts(), other.parts())
    }
}

impl PartialOrd for HoldingKey<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for HoldingKey<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for HoldingKey<'_> {}
