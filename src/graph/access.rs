//! The heart of a check: which roles a membership effectively has along a chain of resources.

use std::{cell::RefCell, ops::ControlFlow};

use super::{
    Graph,
    grants::{Grant, SubjectId},
    query::{Asked, Denial},
    records::{Group, Membership, Resource, ResourceType, Role, Standing, Tier},
    table::Id,
};

/// Buffers of one thread, kept from question to question so that checks allocate nothing.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    /// From the resource asked about up to its organization.
    pub(super) path: Vec<Id<Resource>>,
    pub(super) subjects: Subjects,
    /// For putting names together.
    pub(super) text: String,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Runs a question with the buffers of this thread.
pub(super) fn with_scratch<T>(ask: impl FnOnce(&mut Scratch) -> T) -> T {
    SCRATCH.with(|scratch| match scratch.try_borrow_mut() {
        Ok(mut scratch) => ask(&mut scratch),
        // A question within a question gets buffers of its own.
        Err(_) => ask(&mut Scratch::default()),
    })
}

/// A membership and the usable groups of one organization that it belongs to.
#[derive(Debug, Default)]
pub(super) struct Subjects {
    list: Vec<SubjectId>,
    /// By the group's index: the `round` in which it was found.
    found: Vec<u32>,
    round: u32,
}

impl Subjects {
    /// Fills in the membership and its groups in that organization (rules 40, 41; nested groups pass members on).
    pub(super) fn gather(&mut self, graph: &Graph, membership: Id<Membership>, organization: Id<Resource>) {
        if self.found.len() < graph.group_reach.bound() {
            self.found.resize(graph.group_reach.bound(), 0);
        }
        self.round = self.round.checked_add(1).unwrap_or_else(|| {
            self.found.fill(0);
            1
        });
        self.list.clear();
        self.list.push(SubjectId::Membership(membership));
        for &group in &graph.memberships[membership].groups {
            self.add(graph, group, organization);
        }
        let mut next = 1;
        while let Some(&subject) = self.list.get(next) {
            if let SubjectId::Group(group) = subject
                && graph.group_reach[group].is_nested()
            {
                for &supergroup in &graph.groups[group].supergroups {
                    self.add(graph, supergroup, organization);
                }
            }
            next += 1;
        }
    }

    fn add(&mut self, graph: &Graph, group: Id<Group>, organization: Id<Resource>) {
        let found = &mut self.found[group.index()];
        if *found != self.round && graph.group_reach[group].organization() == Some(organization) {
            *found = self.round;
            self.list.push(SubjectId::Group(group));
        }
    }

    pub(super) fn as_slice(&self) -> &[SubjectId] {
        &self.list
    }

    pub(super) fn contains(&self, subject: SubjectId) -> bool {
        match subject {
            SubjectId::Membership(_) => self.list.first() == Some(&subject),
            SubjectId::Group(group) => self.found.get(group.index()) == Some(&self.round),
        }
    }
}

/// The role that a membership has at the organization level where it may have but one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Winner {
    /// None: the default role.
    pub(super) tier: Option<Tier>,
    pub(super) role: Id<Role>,
}

impl Graph {
    /// Whether the membership may have grants that count in the organization at all.
    pub(super) fn able(&self, membership: Id<Membership>, organization: Id<Resource>) -> Result<(), Denial> {
        let record = &self.memberships[membership];
        match record.standing {
            Standing::Undeclared if self.settings.denies_undeclared_memberships => Err(Denial::UndeclaredMembership),
            Standing::Unusable => Err(Denial::UnusableMembership),
            Standing::Active | Standing::Suspended if record.organization != Some(organization) => {
                let usable = record.organization.is_some_and(|own| self.is_attached_organization(own));
                Err(if usable { Denial::OtherOrganization } else { Denial::UnusableMembership })
            }
            Standing::Suspended => Err(Denial::SuspendedMembership),
            Standing::Undeclared | Standing::Active => Ok(()),
        }
    }

    /// Visits every role that the membership effectively has on a resource of `path`, and where. The path is part of
    /// the chain of a resource of the organization; `subjects` holds the membership's groups there, and the
    /// membership is able there.
    #[inline]
    pub(super) fn try_for_each_effective_role(
        &self,
        membership: Id<Membership>,
        subjects: &Subjects,
        path: &[Id<Resource>],
        organization: Id<Resource>,
        asked: Asked<'_>,
        mut visit: impl FnMut(Id<Resource>, Id<Role>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        for &resource in path {
            if resource != organization {
                self.try_for_each_counting_grant(subjects, resource, organization, asked, |grant| {
                    visit(resource, grant.role())
                })?;
            } else if self.settings.multiple_roles {
                let mut any = false;
                self.try_for_each_organization_role(membership, subjects, organization, asked, |_, role| {
                    any = true;
                    visit(resource, role)
                })?;
                if let Some(role) = self.default_role_of(membership, organization).filter(|_| !any) {
                    visit(resource, role)?;
                }
            } else if let Some(winner) = self.winner(membership, subjects, organization, asked) {
                visit(resource, winner.role)?;
            }
        }
        ControlFlow::Continue(())
    }

    /// The one effective organization-level role in single-role mode (rules 36, 46).
    pub(super) fn winner(
        &self,
        membership: Id<Membership>,
        subjects: &Subjects,
        organization: Id<Resource>,
        asked: Asked<'_>,
    ) -> Option<Winner> {
        let mut best: Option<(Tier, u32, Id<Role>)> = None;
        let visited = self.try_for_each_organization_role(membership, subjects, organization, asked, |tier, role| {
            let candidate = (tier, self.roles[role].rank, role);
            if best.is_none_or(|best| candidate < best) {
                best = Some(candidate);
            }
            ControlFlow::Continue(())
        });
        debug_assert!(visited.is_continue());
        let assigned = best.map(|(tier, _, role)| Winner { tier: Some(tier), role });
        assigned.or_else(|| self.default_role_of(membership, organization).map(|role| Winner { tier: None, role }))
    }

    /// Visits the organization-level roles that count, but for the default role.
    fn try_for_each_organization_role(
        &self,
        membership: Id<Membership>,
        subjects: &Subjects,
        organization: Id<Resource>,
        asked: Asked<'_>,
        mut visit: impl FnMut(Tier, Id<Role>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        self.try_for_each_counting_grant(subjects, organization, organization, asked, |grant| {
            visit(Tier::Assigned, grant.role())
        })?;
        let declared = self.declared(membership).filter(|_| self.memberships[membership].has_own_roles);
        declared
            .map_or(&[][..], |declared| &declared.claims().own_roles)
            .iter()
            .filter(|(_, role)| self.fits(*role, self.organization_type, organization))
            .try_for_each(|&(tier, role)| visit(tier, role))
    }

    fn try_for_each_counting_grant(
        &self,
        subjects: &Subjects,
        resource: Id<Resource>,
        organization: Id<Resource>,
        asked: Asked<'_>,
        mut visit: impl FnMut(Grant) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let record = &self.resources[resource];
        let Some(resource_type) = record.kind.resource_type() else {
            return ControlFlow::Continue(());
        };
        record.grants.try_for_each_of(
            subjects.as_slice(),
            |subject| subjects.contains(subject),
            |grant| {
                let counts = self.fits(grant.role(), resource_type, organization)
                    && (!grant.is_qualified() || self.qualifies(resource, grant, asked));
                if counts { visit(grant) } else { ControlFlow::Continue(()) }
            },
        )
    }

    /// Whether the role is usable, for resources of the type, and may be used in the organization (rule 27).
    pub(super) fn fits(&self, role: Id<Role>, resource_type: Id<ResourceType>, organization: Id<Resource>) -> bool {
        let role = &self.roles[role];
        role.resource_type == Some(resource_type) && role.organization.is_none_or(|only| only == organization)
    }

    /// The environment's default role, if the membership would have it where it has no other.
    pub(super) fn default_role_of(&self, membership: Id<Membership>, organization: Id<Resource>) -> Option<Id<Role>> {
        let declared = self.memberships[membership].standing != Standing::Undeclared;
        self.settings.default_role.filter(|&role| declared && self.fits(role, self.organization_type, organization))
    }
}
