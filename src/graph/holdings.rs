//! Every role that a membership has on something, with where it comes from and what stands against it.

use super::{
    Graph, Set,
    access::{Subjects, with_scratch},
    facts::{Name, Timestamp},
    grants::SubjectId,
    page::paginate,
    query::{AssignmentItem, Denial, GrantSource, Page, PageRequest, Reason, Target},
    records::{Assignment, Group, Membership, Resource, Role, State, Tier},
    table::{Id, Table},
};

/// A role that a membership has.
#[derive(Debug)]
pub(super) struct Holding {
    pub(super) source: GrantSource,
    pub(super) role: Id<Role>,
    /// None: the organization of a membership that has none.
    pub(super) resource: Option<Id<Resource>>,
    pub(super) expires_at: Option<Timestamp>,
    /// Why it grants nothing; empty: it is effective.
    pub(super) faults: Vec<Reason>,
}

/// A group that lists a membership, directly or through subgroups.
struct Affiliation {
    group: Id<Group>,
    /// From the group down to the one that lists the membership.
    groups: Vec<Name>,
    /// Why the membership nevertheless does not belong to it.
    fault: Option<Reason>,
}

impl Graph {
    /// Every assignment of a membership, its own and through groups, effective or not (rules 35, 36).
    ///
    /// # Errors
    /// Where the membership is unknown.
    pub fn assignments_of_membership(
        &self,
        membership: &str,
        page: PageRequest<'_>,
        now: Timestamp,
    ) -> Result<Page<AssignmentItem>, Denial> {
        let membership = self.memberships.id(membership).ok_or(Denial::UnknownSubject)?;
        let holdings = self.holdings(membership, now).into_iter();
        Ok(page_of(holdings.map(|holding| self.item(membership, holding)).collect(), page))
    }

    /// Every assignment on that very resource, effective or not (rule 37).
    ///
    /// # Errors
    /// Where the resource is unknown.
    pub fn assignments_of_resource(
        &self,
        resource: Target<'_>,
        page: PageRequest<'_>,
        now: Timestamp,
    ) -> Result<Page<AssignmentItem>, Denial> {
        with_scratch(|scratch| {
            let resource = match (self.resolve_target(resource, &mut scratch.path), resource) {
                (Ok((resource, _)), _) => resource,
                // Also of a detached resource it can be asked what would apply.
                (Err(Denial::DetachedResource), Target::Name(name)) => {
                    self.resources.id(name).ok_or(Denial::UnknownResource)?
                }
                (Err(denial), _) => return Err(denial),
            };
            let mut items = Vec::new();
            for (subject, id) in self.placed_on(resource) {
                let table = self.assignments(subject);
                items.extend(self.assignment_item(table, id, &mut scratch.subjects, now));
            }
            for membership in self.declared_in(resource) {
                let holdings = self.own_holdings(membership, &mut scratch.subjects, now).into_iter();
                items.extend(holdings.map(|holding| self.item(membership, holding)));
            }
            Ok(page_of(items, page))
        })
    }

    fn item(&self, membership: Id<Membership>, holding: Holding) -> AssignmentItem {
        AssignmentItem {
            source: holding.source,
            membership: Some(self.memberships.name(membership).clone()),
            role: self.roles.name(holding.role).clone(),
            resource: holding.resource.map(|resource| self.resources.name(resource).clone()),
            expires_at: holding.expires_at,
            inert: holding.faults,
        }
    }

    fn assignment_item(
        &self,
        table: &Table<Assignment>,
        id: Id<Assignment>,
        subjects: &mut Subjects,
        now: Timestamp,
    ) -> Option<AssignmentItem> {
        let name = table.name(id);
        let terms = table[id].terms()?;
        let expires_at = self.expires_at(terms.subject, id);
        let (source, membership) = match terms.subject {
            SubjectId::Membership(membership) => {
                (GrantSource::MembershipRoleAssignment(name.clone()), Some(self.memberships.name(membership).clone()))
            }
            SubjectId::Group(group) => {
                let groups = vec![self.groups.name(group).clone()];
                (GrantSource::GroupRoleAssignment { assignment: name.clone(), groups }, None)
            }
        };
        Some(AssignmentItem {
            source,
            membership,
            role: self.roles.name(terms.role).clone(),
            resource: self.placed(terms).map(|resource| self.resources.name(resource).clone()),
            expires_at,
            inert: self.assignment_faults(terms, expires_at, subjects, now),
        })
    }

    /// Every role that a membership has, effective or not, in an order that depends on names only.
    pub(super) fn holdings(&self, membership: Id<Membership>, now: Timestamp) -> Vec<Holding> {
        with_scratch(|scratch| {
            let subjects = &mut scratch.subjects;
            let mut holdings = Vec::new();
            let table = &self.membership_assignments;
            for id in self.assignments_of(SubjectId::Membership(membership)) {
                let Some(terms) = table[id].terms() else {
                    continue;
                };
                let expires_at = self.expires_at(terms.subject, id);
                holdings.push(Holding {
                    source: GrantSource::MembershipRoleAssignment(table.name(id).clone()),
                    role: terms.role,
                    resource: self.placed(terms),
                    expires_at,
                    faults: self.assignment_faults(terms, expires_at, subjects, now),
                });
            }
            for affiliation in self.affiliations(membership) {
                holdings.extend(self.group_holdings(membership, &affiliation, subjects, now));
            }
            holdings.extend(self.own_holdings(membership, subjects, now));
            holdings.sort_by_cached_key(|holding| source_key(&holding.source));
            holdings
        })
    }

    fn group_holdings(
        &self,
        membership: Id<Membership>,
        affiliation: &Affiliation,
        subjects: &mut Subjects,
        now: Timestamp,
    ) -> Vec<Holding> {
        let table = &self.group_assignments;
        let mut holdings = Vec::new();
        for id in self.assignments_of(SubjectId::Group(affiliation.group)) {
            let Some(terms) = table[id].terms() else {
                continue;
            };
            let expires_at = self.expires_at(terms.subject, id);
            let placed = self.placed(terms);
            let organization = placed.and_then(|resource| self.structural_root(resource));
            let mut faults = self.assignment_faults(terms, expires_at, subjects, now);
            if !faults.iter().any(|fault| Some(fault) == affiliation.fault.as_ref()) {
                faults.extend(affiliation.fault.clone());
            }
            faults.extend(self.membership_fault(membership, organization));
            if let Some(resource) = placed.filter(|_| faults.is_empty()) {
                let tier = Some(Tier::Assigned);
                faults.extend(self.superseded(membership, tier, terms.role, resource, subjects, now));
            }
            holdings.push(Holding {
                source: GrantSource::GroupRoleAssignment {
                    assignment: table.name(id).clone(),
                    groups: affiliation.groups.clone(),
                },
                role: terms.role,
                resource: placed,
                expires_at,
                faults,
            });
        }
        holdings
    }

    /// The roles that a declared membership has by itself: listed, mapped from the identity provider, or by default.
    fn own_holdings(&self, membership: Id<Membership>, subjects: &mut Subjects, now: Timestamp) -> Vec<Holding> {
        let Some(declared) = self.declared(membership) else {
            return Vec::new();
        };
        let Some(organization) = declared.organization.filter(|_| declared.state != State::Deleting) else {
            return Vec::new();
        };
        let name = self.memberships.name(membership);
        let claims = declared.claims();
        let listed = claims
            .roles
            .iter()
            .map(|&role| (GrantSource::OrganizationMembership(name.clone()), Some(Tier::Assigned), role));
        let mapped = self.settings.mapped_roles(claims, declared.organization).map(|(source, group, role)| {
            (GrantSource::IdentityProvider { source, group: group.clone() }, Some(source.into()), role)
        });
        let default = self.effective_default_role(membership, organization, subjects, now);
        let default = default.map(|role| (GrantSource::DefaultRole, None, role));
        let holdings = listed.chain(mapped).chain(default).map(|(source, tier, role)| {
            let mut faults = self.grant_faults(role, organization);
            faults.extend(self.membership_fault(membership, None));
            if faults.is_empty() {
                faults.extend(self.superseded(membership, tier, role, organization, subjects, now));
            }
            Holding { source, role, resource: Some(organization), expires_at: None, faults }
        });
        holdings.collect()
    }

    /// The default role, where it is what the membership has for want of another.
    fn effective_default_role(
        &self,
        membership: Id<Membership>,
        organization: Id<Resource>,
        subjects: &mut Subjects,
        now: Timestamp,
    ) -> Option<Id<Role>> {
        self.able(membership, organization).ok()?;
        if !self.is_attached_organization(organization) {
            return None;
        }
        subjects.gather(self, membership, organization);
        let winner = self.winner(membership, subjects, organization, now)?;
        winner.tier.is_none().then_some(winner.role)
    }

    /// The groups that list a membership, and those that these are nested in, nearest first; by a sound way where
    /// there is one.
    fn affiliations(&self, membership: Id<Membership>) -> Vec<Affiliation> {
        let mut affiliations = Vec::new();
        let mut reached = Set::<Id<Group>>::default();
        for sound_only in [true, false] {
            let mut queue: Vec<(Id<Group>, Vec<Id<Group>>)> = self
                .by_name(&self.memberships[membership].groups)
                .into_iter()
                .map(|group| (group, vec![group]))
                .collect();
            let mut visited = Set::<Id<Group>>::default();
            let mut next = 0;
            while let Some((group, way)) = queue.get(next).cloned() {
                next += 1;
                if visited.contains(&group) {
                    continue;
                }
                let sound = self.group_fault(group).is_none() && self.link_of(&way).is_none();
                if sound_only && !sound {
                    continue; // Another way may be sound.
                }
                visited.insert(group);
                if reached.insert(group) {
                    let fault = way.iter().find_map(|&id| self.group_fault(id)).or_else(|| self.link_of(&way));
                    let groups = way.iter().rev().map(|&id| self.groups.name(id).clone()).collect();
                    affiliations.push(Affiliation { group, groups, fault });
                }
                for above in self.by_name(&self.groups[group].supergroups) {
                    let longer = way.iter().copied().chain([above]).collect();
                    queue.push((above, longer));
                }
            }
        }
        affiliations
    }

    /// What is wrong with the links of a way up through groups: they are of different organizations.
    fn link_of(&self, way: &[Id<Group>]) -> Option<Reason> {
        way.windows(2).find_map(|pair| {
            let (below, above) = (self.groups[pair[0]].organization?, self.groups[pair[1]].organization?);
            (below != above).then(|| self.mismatch(self.group_ref(pair[0]), below, above))
        })
    }

    fn by_name(&self, groups: &[Id<Group>]) -> Vec<Id<Group>> {
        let mut groups = groups.to_vec();
        groups.sort_unstable_by_key(|&group| self.groups.name(group));
        groups
    }
}

fn page_of(items: Vec<AssignmentItem>, page: PageRequest<'_>) -> Page<AssignmentItem> {
    let mut keyed: Vec<(String, AssignmentItem)> = items
        .into_iter()
        .map(|item| {
            let membership = item.membership.as_deref().unwrap_or_default();
            (format!("{}/{membership}/{}", source_key(&item.source), item.role), item)
        })
        .collect();
    // Two mappings of one group to one role are one assignment.
    keyed.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    keyed.dedup_by(|(a, _), (b, _)| a == b);
    let (keyed, next) = paginate(keyed.iter().collect(), |(key, _)| key, page);
    Page { items: keyed.into_iter().map(|(_, item)| item.clone()).collect(), next }
}

/// What orders holdings: assignments first, then what follows from the membership itself.
fn source_key(source: &GrantSource) -> String {
    match source {
        GrantSource::MembershipRoleAssignment(name) => format!("1/{name}"),
        GrantSource::GroupRoleAssignment { assignment, .. } => format!("2/{assignment}"),
        GrantSource::OrganizationMembership(name) => format!("3/{name}"),
        GrantSource::IdentityProvider { source, group } => format!("4/{source:?}/{group}"),
        GrantSource::DefaultRole => "5".to_owned(),
    }
}
