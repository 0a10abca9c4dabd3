//! The memberships of a resource.

use super::super::{
    Graph, Set,
    access::{Scratch, with_scratch},
    grants::SubjectId,
    page::page_of,
    query::{Action, Asked, Denial, MembershipItem, Page, PageRequest, Reach, Target},
    records::{Group, Membership, Resource},
    resolve::Permissions,
    table::Id,
};

/// A membership that may be allowed to do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    membership: Id<Membership>,
    /// Whether it has to be checked: else it is allowed if it is able.
    unsure: bool,
}

impl Graph {
    /// The memberships for which a check on the resource would be allowed (rules 22-25), by name.
    ///
    /// # Guarantees
    /// The cost grows with the whole list, of which a page is cut, and with the assignments on the resource and above
    /// it. Where the default role has the permission it grows with the memberships of the organization.
    ///
    /// # Errors
    /// Where the resource cannot be found or used.
    pub fn memberships<'a>(
        &self,
        resource: Target<'_>,
        action: Action<'_>,
        reach: Reach,
        page: PageRequest<'_>,
        asked: impl Into<Asked<'a>>,
    ) -> Result<Page<MembershipItem>, Denial> {
        let asked = asked.into();
        with_scratch(|scratch| {
            let Scratch { path, subjects, text } = scratch;
            let (resource, organization) = self.resolve_target(resource, path)?;
            let resource_type = self.resources[resource].kind.resource_type();
            let permissions = self.permissions_for(action, resource_type, text);
            if reach == Reach::Direct {
                path.truncate(1);
            }
            let mut candidates = self.grantees(path, organization, permissions, asked);
            if path.contains(&organization) {
                let unsure = |membership| Candidate { membership, unsure: true };
                candidates.extend(self.having_by_themselves(organization, permissions).map(unsure));
            }
            // Of two that are the same the sure one comes first.
            candidates.sort_unstable();
            candidates.dedup_by_key(|candidate| candidate.membership);
            let named = candidates.into_iter().map(|it| (self.memberships.name(it.membership).clone(), it));
            Ok(page_of(named, page, |Candidate { membership, unsure }| {
                let allowed = if unsure {
                    self.has_any(membership, permissions, path, organization, subjects, asked)
                } else {
                    self.able(membership, organization)
                };
                allowed.ok().map(|()| self.membership_item(membership))
            }))
        })
    }

    /// Everybody who, directly or through groups, is assigned a role with one of the permissions on those resources, part
    /// of a chain of the organization, in a way that counts.
    fn grantees(
        &self,
        resources: &[Id<Resource>],
        organization: Id<Resource>,
        permissions: Permissions,
        asked: Asked<'_>,
    ) -> Vec<Candidate> {
        let mut candidates = Vec::new();
        let mut groups = Groups::default();
        for &resource in resources {
            // Another role may win.
            let unsure = resource == organization && !self.settings.multiple_roles;
            let resource_type = self.resources[resource].kind.resource_type();
            let grants = self.resources[resource].grants.iter();
            for grant in grants.filter(|grant| self.role_has(grant.role(), permissions)) {
                let fits = resource_type.is_some_and(|it| self.fits(grant.role(), it, organization));
                if !fits || (grant.is_qualified() && !self.qualifies(resource, grant, asked)) {
                    continue;
                }
                match grant.subject() {
                    SubjectId::Membership(membership) => candidates.push(Candidate { membership, unsure }),
                    SubjectId::Group(group) => groups.add(self, group, organization, unsure),
                }
            }
        }
        while let Some((group, unsure)) = groups.open.pop() {
            let record = &self.groups[group];
            candidates.extend(record.members.iter().map(|&membership| Candidate { membership, unsure }));
            for &below in &*record.subgroups {
                groups.add(self, below, organization, unsure);
            }
        }
        candidates
    }

    /// The memberships that a role of their own or the default role may give one of the permissions on the organization.
    fn having_by_themselves(
        &self,
        organization: Id<Resource>,
        permissions: Permissions,
    ) -> impl Iterator<Item = Id<Membership>> {
        let by_default = self
            .settings
            .default_role
            .filter(|&role| self.role_has(role, permissions) && self.fits(role, self.organization_type, organization));
        let all = by_default.into_iter().flat_map(move |_| self.declared_in(organization));
        let roles = self
            .own_roles_in(organization)
            .filter(move |(role, _)| by_default.is_none() && self.role_has(*role, permissions));
        all.chain(roles.flat_map(|(_, memberships)| memberships))
    }

    fn membership_item(&self, membership: Id<Membership>) -> MembershipItem {
        let declared = self.declared(membership);
        let organization = self.memberships[membership].organization;
        MembershipItem {
            name: self.memberships.name(membership).clone(),
            user: declared.and_then(|declared| declared.user).map(|user| self.users.name(user).clone()),
            organization: organization.map(|organization| self.resources.name(organization).clone()),
        }
    }
}

/// The groups that pass grants on, each but once as sure and once as unsure.
#[derive(Default)]
struct Groups {
    open: Vec<(Id<Group>, bool)>,
    visited: Set<(Id<Group>, bool)>,
}

impl Groups {
    fn add(&mut self, graph: &Graph, group: Id<Group>, organization: Id<Resource>, unsure: bool) {
        let passes_on = graph.group_reach[group].organization() == Some(organization);
        if passes_on && self.visited.insert((group, unsure)) {
            self.open.push((group, unsure));
        }
    }
}
